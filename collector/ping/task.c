#include "ping/task.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>

#include "base/clock.h"

/*
 * liboping has buffers of 8 kB on the stack, and a file of /proc is read into 16 kB. Pages
 * that are not touched cost nothing.
 */
#define STACK_SIZE ((size_t)256 * 1024)

/*
 * Held by the task that runs. Outside of task_run() nobody holds it. It is not fair and need
 * not be: among 10 and among 50 busy tasks on two cores none waited longer than 4 ms for it,
 * a fair one was no better, and the kernel keeps the replies and when they arrived.
 */
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t notice;
static bool has_tasks;

struct start {
	void (*function)(void *arg);
	void *arg;
};

static void *run(void *arg)
{
	const struct start *start = arg;

	pthread_mutex_lock(&turn);
	start->function(start->arg);
	pthread_mutex_unlock(&turn);
	return NULL;
}

/* Sleeping is by the monotonic clock. */
static void init_notice(void)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&notice, &attributes);
	pthread_condattr_destroy(&attributes);
}

static size_t start_threads(size_t count, struct start *start, pthread_t *threads)
{
	pthread_attr_t attributes;
	size_t started = 0;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	while (started < count &&
	       pthread_create(&threads[started], &attributes, run, start) == 0)
		started++;
	pthread_attr_destroy(&attributes);
	return started;
}

void task_run(size_t count, void (*function)(void *arg), void *arg)
{
	struct start start = {function, arg};
	pthread_t threads[TASK_MAX];
	size_t started;

	if (count > TASK_MAX)
		count = TASK_MAX;
	init_notice();
	pthread_mutex_lock(&turn);
	has_tasks = true;
	started = start_threads(count > 0 ? count - 1 : 0, &start, threads);
	function(arg);
	pthread_mutex_unlock(&turn);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	has_tasks = false;
	pthread_cond_destroy(&notice);
}

void task_wait(struct pollfd *fds, nfds_t count, int64_t until_ns)
{
	struct timespec timeout = clock_timespec(until_ns - clock_monotonic_ns());
	int found, error;

	if (has_tasks)
		pthread_mutex_unlock(&turn);
	found = ppoll(fds, count, &timeout, NULL);
	error = errno;
	if (has_tasks)
		pthread_mutex_lock(&turn);
	/* It has filled in nothing. A signal is no failure. */
	if (found < 0)
		for (nfds_t i = 0; i < count; i++)
			fds[i].revents = error == EINTR ? 0 : POLLERR;
}

void task_sleep(int64_t until_ns)
{
	struct timespec until = clock_timespec(until_ns);

	pthread_cond_timedwait(&notice, &turn, &until);
}

void task_notify(void)
{
	pthread_cond_broadcast(&notice);
}
