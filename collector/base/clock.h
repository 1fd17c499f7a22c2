/*
 * The two clocks. Time is nanoseconds in an int64_t, which holds 292 years.
 */
#ifndef NODECANARY_CLOCK_H
#define NODECANARY_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_NS_PER_US INT64_C(1000)
#define CLOCK_NS_PER_MS INT64_C(1000000)
#define CLOCK_NS_PER_S INT64_C(1000000000)

/* CLOCK_MONOTONIC: for every interval and deadline. */
int64_t clock_monotonic_ns(void);

/* CLOCK_REALTIME: for timestamps that are published, and for nothing else. */
int64_t clock_wall_ns(void);

/*
 * Wall clock minus monotonic clock. A change of this value between two calls is a step of
 * the wall clock, or the machine was suspended; slewing moves both clocks alike. The
 * clocks are read again while reading takes more than 20 us, up to 16 times, so two values
 * agree to about 10 us even on a loaded machine.
 */
int64_t clock_wall_offset_ns(void);

/*
 * Nanoseconds as the struct timespec of ppoll() and its like; 0 for a negative number,
 * that is, for a deadline that has passed.
 */
static inline struct timespec clock_timespec(int64_t ns)
{
	struct timespec ts = {0, 0};

	if (ns > 0) {
		ts.tv_sec = (time_t)(ns / CLOCK_NS_PER_S);
		ts.tv_nsec = (long)(ns % CLOCK_NS_PER_S);
	}
	return ts;
}

#endif
