/*
 * Reading the clocks; what clock_gettime() says is the test's.
 */
#include "support.h"

#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/* A 32-bit system whose times have 64 bits has another call for them. */
#ifdef SYS_clock_gettime64
#define SYSCALL_64 SYS_clock_gettime64
#else
#define SYSCALL_64 SYS_clock_gettime
#endif
#define US CLOCK_NS_PER_US
#define OFFSET_NS (INT64_C(1700000000) * CLOCK_NS_PER_S)

static struct {
	bool is_faked;
	int64_t now_ns;
	int64_t read_ns; /* what reading a clock takes */
	unsigned slow;	 /* so many pairs are read with a gap */
	int64_t gap_ns;
	unsigned wall_reads;
} world;

static int64_t fake(clockid_t id)
{
	int64_t now_ns;

	if (id == CLOCK_REALTIME) {
		/* We lose the CPU before the wall clock is read. */
		if (world.wall_reads++ < world.slow)
			world.now_ns += world.gap_ns;
		now_ns = world.now_ns + OFFSET_NS;
	} else {
		assert_int_equal(id, CLOCK_MONOTONIC);
		now_ns = world.now_ns;
	}
	world.now_ns += world.read_ns;
	return now_ns;
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
	int64_t ns;

	if (!world.is_faked)
		return (int)syscall(sizeof(ts->tv_sec) == sizeof(long) ? SYS_clock_gettime
								       : SYSCALL_64,
				    id, ts);
	ns = fake(id);
	*ts = clock_timespec(ns);
	return 0;
}

static int reset(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	world.now_ns = 12345 * CLOCK_NS_PER_S + 678901234;
	world.read_ns = 100;
	return 0;
}

static int64_t distance(int64_t a, int64_t b)
{
	return a < b ? b - a : a - b;
}

static void both_clocks_are_read_in_nanoseconds(void **state)
{
	(void)state;
	world.is_faked = true;
	assert_int_equal(clock_monotonic_ns(), INT64_C(12345678901234));
	assert_int_equal(clock_wall_ns(), OFFSET_NS + INT64_C(12345678901334));
	world.is_faked = false;
}

static void monotonic_clock_never_goes_back(void **state)
{
	int64_t last_ns = clock_monotonic_ns();

	(void)state;
	for (size_t i = 0; i < 10000; i++) {
		int64_t now_ns = clock_monotonic_ns();

		assert_true(now_ns >= last_ns);
		last_ns = now_ns;
	}
	assert_true(last_ns > 0);
}

static void wall_clock_is_the_time_of_day(void **state)
{
	(void)state;
	assert_true(distance(clock_wall_ns() / CLOCK_NS_PER_S, time(NULL)) <= 2);
}

static void offset_is_the_difference_of_the_clocks(void **state)
{
	int64_t offset_ns;

	(void)state;
	world.is_faked = true;
	offset_ns = clock_wall_offset_ns();
	world.is_faked = false;
	assert_true(distance(offset_ns, OFFSET_NS) <= 200);
	assert_int_equal(world.wall_reads, 1);
}

static void pair_with_a_gap_is_read_again(void **state)
{
	int64_t offset_ns;

	(void)state;
	world.is_faked = true;
	world.slow = 5;
	world.gap_ns = 30 * CLOCK_NS_PER_MS;
	offset_ns = clock_wall_offset_ns();
	world.is_faked = false;
	assert_true(distance(offset_ns, OFFSET_NS) <= 10 * US);
	assert_int_equal(world.wall_reads, 6);
}

static void clock_that_is_always_slow_to_read_is_not_read_for_ever(void **state)
{
	int64_t offset_ns;

	(void)state;
	world.is_faked = true;
	world.slow = UINT32_MAX;
	world.gap_ns = 100 * US;
	offset_ns = clock_wall_offset_ns();
	world.is_faked = false;
	/* Off by half of the best gap at most. */
	assert_true(distance(offset_ns, OFFSET_NS) <= 51 * US);
	assert_true(world.wall_reads >= 2 && world.wall_reads <= 1000);
}

static void offset_of_the_real_clocks_stays_as_it_is(void **state)
{
	int64_t first_ns = clock_wall_offset_ns();

	(void)state;
	/* Far above what a loaded machine does to it, far below a step. */
	for (size_t i = 0; i < 100; i++)
		assert_true(distance(clock_wall_offset_ns(), first_ns) < 500 * US);
	assert_true(distance(clock_wall_ns() - clock_monotonic_ns(), first_ns) <
		    CLOCK_NS_PER_S);
}

static void assert_timespec(int64_t ns, int64_t seconds, int64_t nanoseconds)
{
	struct timespec ts = clock_timespec(ns);

	assert_int_equal(ts.tv_sec, seconds);
	assert_int_equal(ts.tv_nsec, nanoseconds);
}

static void nanoseconds_become_a_timespec_and_negative_ones_zero(void **state)
{
	(void)state;
	assert_timespec(0, 0, 0);
	assert_timespec(1, 0, 1);
	assert_timespec(CLOCK_NS_PER_S - 1, 0, CLOCK_NS_PER_S - 1);
	assert_timespec(CLOCK_NS_PER_S, 1, 0);
	assert_timespec(INT64_C(12345678901234), 12345, 678901234);
	assert_timespec(INT64_MAX, INT64_C(9223372036), 854775807);
	assert_timespec(-1, 0, 0);
	assert_timespec(-3 * CLOCK_NS_PER_S, 0, 0);
	assert_timespec(INT64_MIN, 0, 0);
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(both_clocks_are_read_in_nanoseconds),
		TEST(monotonic_clock_never_goes_back),
		TEST(wall_clock_is_the_time_of_day),
		TEST(offset_is_the_difference_of_the_clocks),
		TEST(pair_with_a_gap_is_read_again),
		TEST(clock_that_is_always_slow_to_read_is_not_read_for_ever),
		TEST(offset_of_the_real_clocks_stays_as_it_is),
		TEST(nanoseconds_become_a_timespec_and_negative_ones_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
