#include "base/clock.h"

/* Three reads take less than 1 us; a long gap means that the thread was interrupted. */
#define PAIR_MAX_GAP_NS (20 * CLOCK_NS_PER_US)
#define PAIR_TRIES 16

static int64_t read_ns(clockid_t id)
{
	struct timespec ts;

	/* Cannot fail: both clocks exist on every Linux, and ts is valid. */
	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * CLOCK_NS_PER_S + ts.tv_nsec;
}

int64_t clock_monotonic_ns(void)
{
	return read_ns(CLOCK_MONOTONIC);
}

int64_t clock_wall_ns(void)
{
	return read_ns(CLOCK_REALTIME);
}

/* The closest pair of readings counts; after 16 attempts it is the best there is. */
int64_t clock_wall_offset_ns(void)
{
	int64_t best_gap_ns = INT64_MAX, best_ns = 0;

	for (int i = 0; i < PAIR_TRIES && best_gap_ns > PAIR_MAX_GAP_NS; i++) {
		int64_t before_ns = clock_monotonic_ns();
		int64_t wall_ns = clock_wall_ns();
		int64_t gap_ns = clock_monotonic_ns() - before_ns;

		/* The wall clock was read somewhere in the gap: take its middle. */
		if (gap_ns < best_gap_ns) {
			best_gap_ns = gap_ns;
			best_ns = wall_ns - before_ns - gap_ns / 2;
		}
	}
	return best_ns;
}
