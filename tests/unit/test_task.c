/*
 * Tasks take turns: each waits for what it wants, and none for another.
 */
#include "support.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "ping/task.h"

#define MS CLOCK_NS_PER_MS

static size_t started, ended;
static char events[256];
static int pipe_fds[2];
static bool open_now;

static int reset(void **state)
{
	(void)state;
	started = ended = 0;
	*events = '\0';
	open_now = false;
	assert_int_equal(pipe(pipe_fds), 0);
	/* What waits for ever fails. */
	alarm(60);
	return 0;
}

static int clean(void **state)
{
	(void)state;
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	return 0;
}

static void record(const char *what, size_t task)
{
	size_t len = strlen(events);

	snprintf(events + len, sizeof(events) - len, "%s%zu ", what, task);
}

static void sleep_ms(int64_t ms)
{
	int64_t until_ns = clock_monotonic_ns() + ms * MS;

	while (clock_monotonic_ns() < until_ns)
		task_wait(NULL, 0, until_ns);
}

/* The first task sleeps longest. */
static void sleep_in_turn(void *arg)
{
	size_t task = started++;

	assert_ptr_equal(arg, &started);
	record("b", task);
	sleep_ms(900 - 300 * (int64_t)task);
	record("e", task);
}

static void tasks_sleep_side_by_side(void **state)
{
	int64_t start_ns = clock_monotonic_ns();

	(void)state;
	task_run(3, sleep_in_turn, &started);
	assert_string_equal(events, "b0 b1 b2 e2 e1 e0 ");
	assert_true(clock_monotonic_ns() - start_ns >= 900 * MS);
	/* One after the other they would take 1.8 s. */
	assert_true(clock_monotonic_ns() - start_ns < 1700 * MS);
}

/* Of two tasks one writes what the other one waits for. */
static void read_or_write(void *arg)
{
	struct pollfd fd = {.fd = pipe_fds[0], .events = POLLIN};

	(void)arg;
	if (started++ == 1) {
		sleep_ms(10);
		record("w", 1);
		assert_int_equal(write(pipe_fds[1], "x", 1), 1);
		return;
	}
	while (fd.revents == 0)
		task_wait(&fd, 1, INT64_MAX);
	assert_int_equal(fd.revents, POLLIN);
	record("r", 0);
}

static void a_task_waits_for_a_descriptor(void **state)
{
	(void)state;
	task_run(2, read_or_write, NULL);
	assert_string_equal(events, "w1 r0 ");
}

/* poll() takes no more descriptors than the process may open. */
static void a_wait_that_the_kernel_refuses_says_so_of_each_descriptor(void **state)
{
	struct pollfd fds[] = {{.fd = pipe_fds[0], .events = POLLIN},
			       {.fd = pipe_fds[1], .events = POLLIN}};
	struct rlimit limit, one;

	(void)state;
	support_skip_in_valgrind();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	one = limit;
	one.rlim_cur = 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &one), 0);
	task_wait(fds, 2, clock_monotonic_ns());
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(fds[0].revents, POLLERR);
	assert_int_equal(fds[1].revents, POLLERR);
}

/* All but the last one wait for it. */
static void wait_for_gate(void *arg)
{
	size_t task = started++;

	(void)arg;
	if (task == 3) {
		sleep_ms(10);
		open_now = true;
		task_notify();
	}
	while (!open_now)
		task_sleep(INT64_MAX);
	ended++;
}

static void a_notice_ends_all_sleep(void **state)
{
	(void)state;
	task_run(4, wait_for_gate, NULL);
	assert_int_equal(ended, 4);
}

/*
 * Of two tasks one always finds what it waits for, and works between; the other one must get
 * its turn, twenty times, all the same.
 */
static void work_or_take_turns(void *arg)
{
	struct pollfd fd = {.fd = pipe_fds[0], .events = POLLIN};
	int64_t *end_ns = arg, until_ns;

	if (started++ == 1) {
		for (size_t i = 0; i < 20; i++)
			sleep_ms(1);
		ended++;
		return;
	}
	while (ended == 0 && clock_monotonic_ns() < *end_ns) {
		for (until_ns = clock_monotonic_ns() + MS / 10;
		     clock_monotonic_ns() < until_ns;)
			;
		task_wait(&fd, 1, INT64_MAX);
		assert_int_equal(fd.revents, POLLIN);
	}
}

static void a_busy_task_does_not_keep_the_others_waiting(void **state)
{
	int64_t end_ns = clock_monotonic_ns() + 5000 * MS;

	(void)state;
	assert_int_equal(write(pipe_fds[1], "x", 1), 1);
	task_run(2, work_or_take_turns, &end_ns);
	assert_true(clock_monotonic_ns() < end_ns);
}

/* More stack than the kernel needs for a file of /proc and liboping for its buffers. */
static void use_stack(void *arg)
{
	volatile char buffer[64 * 1024];

	(void)arg;
	started++;
	memset((char *)(uintptr_t)buffer, (int)started, sizeof(buffer));
	sleep_ms(1);
	assert_int_equal(buffer[0], buffer[sizeof(buffer) - 1]);
	ended++;
}

static void each_task_has_a_stack_of_its_own(void **state)
{
	(void)state;
	task_run(TASK_MAX, use_stack, NULL);
	assert_int_equal(started, TASK_MAX);
	assert_int_equal(ended, TASK_MAX);
	/* And no more tasks than these run at once. */
	task_run(TASK_MAX + 1, use_stack, NULL);
	assert_int_equal(started, 2 * TASK_MAX);
}

static bool no_threads;

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
		   void *(*function)(void *arg), void *arg)
{
	static size_t calls;
	int (*libc)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) =
		(int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *))(
			uintptr_t)dlsym(RTLD_NEXT, "pthread_create");

	if (no_threads && ++calls > 1)
		return EAGAIN;
	return libc(thread, attributes, function, arg);
}

static void without_threads_fewer_tasks_run(void **state)
{
	(void)state;
	no_threads = true;
	task_run(5, use_stack, NULL);
	no_threads = false;
	assert_int_equal(started, 2);
	assert_int_equal(ended, 2);
}

static void sleep_20_ms(void *arg)
{
	const int64_t *start_ns = arg;

	while (clock_monotonic_ns() < *start_ns + 20 * MS)
		task_sleep(*start_ns + 20 * MS);
}

static void a_sleep_ends_in_time(void **state)
{
	int64_t start_ns = clock_monotonic_ns();

	(void)state;
	task_run(1, sleep_20_ms, &start_ns);
	assert_true(clock_monotonic_ns() - start_ns >= 20 * MS);
}

static void without_tasks_the_caller_waits(void **state)
{
	int64_t start_ns = clock_monotonic_ns();

	(void)state;
	sleep_ms(20);
	assert_true(clock_monotonic_ns() - start_ns >= 20 * MS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, reset, clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_tasks_the_caller_waits),
		TEST(tasks_sleep_side_by_side),
		TEST(a_task_waits_for_a_descriptor),
		TEST(a_wait_that_the_kernel_refuses_says_so_of_each_descriptor),
		TEST(a_notice_ends_all_sleep),
		TEST(a_busy_task_does_not_keep_the_others_waiting),
		TEST(each_task_has_a_stack_of_its_own),
		TEST(without_threads_fewer_tasks_run),
		TEST(a_sleep_ends_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
