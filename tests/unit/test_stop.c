/*
 * Stop requests. Signals are for a whole process, so each case has one of its own.
 */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/stop.h"

#define MS CLOCK_NS_PER_MS

static bool is_readable(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

	return poll(&poll_fd, 1, 0) == 1;
}

static void before_init(void)
{
	SUPPORT_EXPECT(stop_fd() == -1);
	SUPPORT_EXPECT(!stop_requested());
	SUPPORT_EXPECT(!stop_sleep_until(clock_monotonic_ns() + 1));
}

static void nothing_is_requested_before_init(void **state)
{
	(void)state;
	assert_int_equal(support_run_in_child(before_init), 0);
}

static int signal_to_send;

static void request(void)
{
	SUPPORT_EXPECT(stop_init() == 0);
	SUPPORT_EXPECT(stop_fd() >= 0);
	SUPPORT_EXPECT(fcntl(stop_fd(), F_GETFD) & FD_CLOEXEC);
	SUPPORT_EXPECT(!stop_requested());
	SUPPORT_EXPECT(!is_readable(stop_fd()));
	SUPPORT_EXPECT(raise(signal_to_send) == 0);
	/* And it stays so, for whoever asks later. */
	for (int i = 0; i < 3; i++) {
		SUPPORT_EXPECT(stop_requested());
		SUPPORT_EXPECT(is_readable(stop_fd()));
	}
}

static void signals_that_end_a_run_are_a_request(void **state)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP};

	(void)state;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		signal_to_send = signals[i];
		assert_int_equal(support_run_in_child(request), 0);
	}
}

static void raise_usr1(void)
{
	SUPPORT_EXPECT(stop_init() == 0);
	raise(SIGUSR1);
}

static void other_signals_do_what_they_always_do(void **state)
{
	int status = support_run_in_child(raise_usr1);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGUSR1);
}

static void sleep_undisturbed(void)
{
	int64_t start_ns = clock_monotonic_ns();

	SUPPORT_EXPECT(stop_init() == 0);
	SUPPORT_EXPECT(!stop_sleep_until(start_ns + 50 * MS));
	SUPPORT_EXPECT(clock_monotonic_ns() >= start_ns + 50 * MS);
	/* What has passed is not waited for. */
	SUPPORT_EXPECT(!stop_sleep_until(start_ns));
	SUPPORT_EXPECT(!stop_sleep_until(INT64_MIN / 2));
}

static void sleep_lasts_until_its_time(void **state)
{
	(void)state;
	assert_int_equal(support_run_in_child(sleep_undisturbed), 0);
}

static void *sleep_in_thread(void *arg)
{
	bool *stopped = arg;

	*stopped = stop_sleep_until(clock_monotonic_ns() + 50000 * MS);
	return NULL;
}

static void stop_threads(void)
{
	int64_t start_ns = clock_monotonic_ns();
	bool stopped[3] = {false};
	pthread_t threads[3];

	SUPPORT_EXPECT(stop_init() == 0);
	for (int i = 0; i < 3; i++)
		SUPPORT_EXPECT(pthread_create(&threads[i], NULL, sleep_in_thread,
					      &stopped[i]) == 0);
	SUPPORT_EXPECT(kill(getpid(), SIGTERM) == 0);
	for (int i = 0; i < 3; i++) {
		SUPPORT_EXPECT(pthread_join(threads[i], NULL) == 0);
		SUPPORT_EXPECT(stopped[i]);
	}
	SUPPORT_EXPECT(stop_sleep_until(clock_monotonic_ns() + 50000 * MS));
	SUPPORT_EXPECT(stop_sleep_until(start_ns));
	SUPPORT_EXPECT(clock_monotonic_ns() - start_ns < 40000 * MS);
}

static void request_ends_the_sleep_of_every_thread(void **state)
{
	(void)state;
	assert_int_equal(support_run_in_child(stop_threads), 0);
}

static void on_usr1(int signal)
{
	(void)signal;
}

static void *interrupt(void *arg)
{
	pthread_t *sleeper = arg;

	for (int i = 0; i < 20; i++)
		pthread_kill(*sleeper, SIGUSR1);
	return NULL;
}

static void sleep_through_signals(void)
{
	struct sigaction action = {.sa_handler = on_usr1};
	int64_t end_ns = clock_monotonic_ns() + 100 * MS;
	pthread_t self = pthread_self(), thread;

	SUPPORT_EXPECT(stop_init() == 0);
	SUPPORT_EXPECT(sigaction(SIGUSR1, &action, NULL) == 0);
	SUPPORT_EXPECT(pthread_create(&thread, NULL, interrupt, &self) == 0);
	SUPPORT_EXPECT(!stop_sleep_until(end_ns));
	SUPPORT_EXPECT(clock_monotonic_ns() >= end_ns);
	SUPPORT_EXPECT(pthread_join(thread, NULL) == 0);
}

static void signal_that_is_no_request_does_not_shorten_the_sleep(void **state)
{
	(void)state;
	assert_int_equal(support_run_in_child(sleep_through_signals), 0);
}

static void reset_and_die(void)
{
	SUPPORT_EXPECT(stop_init() == 0);
	stop_reset_in_child();
	raise(SIGTERM);
}

static void child_process_dies_of_signals_again(void **state)
{
	int status = support_run_in_child(reset_and_die);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_requested_before_init),
		cmocka_unit_test(signals_that_end_a_run_are_a_request),
		cmocka_unit_test(other_signals_do_what_they_always_do),
		cmocka_unit_test(sleep_lasts_until_its_time),
		cmocka_unit_test(request_ends_the_sleep_of_every_thread),
		cmocka_unit_test(signal_that_is_no_request_does_not_shorten_the_sleep),
		cmocka_unit_test(child_process_dies_of_signals_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
