#include "ping/runner.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"

/* Threads call liboping, which keeps buffers of 8 kB on the stack. */
#define THREAD_STACK ((size_t)256 * 1024)

struct runner {
	pthread_mutex_t mutex;
	pthread_cond_t all_sent;
	size_t awaited;
};

struct worker {
	pthread_t thread;
	bool is_running;
	struct batch *batch;
	int result;
};

static int make_runner(struct runner *runner)
{
	pthread_condattr_t attributes;
	int error = pthread_condattr_init(&attributes);

	*runner = (struct runner){.mutex = PTHREAD_MUTEX_INITIALIZER};
	if (error)
		return error;
	error = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	if (error == 0)
		error = pthread_cond_init(&runner->all_sent, &attributes);
	pthread_condattr_destroy(&attributes);
	return error;
}

void runner_sent(void *arg)
{
	struct batch *batch = arg;
	struct runner *runner = batch->runner;

	if (!batch->is_awaited)
		return;
	batch->is_awaited = false;
	pthread_mutex_lock(&runner->mutex);
	if (--runner->awaited == 0)
		pthread_cond_broadcast(&runner->all_sent);
	pthread_mutex_unlock(&runner->mutex);
}

/* When the last round of a batch that begins now would still begin in time. */
static int64_t latest_start_ns(const struct batch *batch)
{
	const struct options *o = batch->options;

	return batch->deadline_ns -
	       (o->warmup + o->count - 1) * batch_round_ns(o, batch->count);
}

static void wait_for_others(const struct batch *batch)
{
	struct runner *runner = batch->runner;
	int64_t until_ns = latest_start_ns(batch);
	struct timespec until;
	int error = 0;

	if (until_ns <= clock_monotonic_ns())
		return;
	until = clock_timespec(until_ns);
	pthread_mutex_lock(&runner->mutex);
	while (runner->awaited > 0 && error == 0)
		error = pthread_cond_timedwait(&runner->all_sent, &runner->mutex, &until);
	pthread_mutex_unlock(&runner->mutex);
}

static void *work(void *arg)
{
	struct worker *worker = arg;

	if (worker->batch->is_deferred)
		wait_for_others(worker->batch);
	worker->result = batch_run(worker->batch);
	/* It may have had no round. */
	runner_sent(worker->batch);
	return NULL;
}

static void start_worker(struct worker *worker)
{
	pthread_attr_t attributes;
	int error = pthread_attr_init(&attributes);

	if (error == 0) {
		error = pthread_attr_setstacksize(&attributes, THREAD_STACK);
		if (error == 0)
			error = pthread_create(&worker->thread, &attributes, work,
					       worker);
		pthread_attr_destroy(&attributes);
	}
	worker->is_running = error == 0;
	if (error == 0)
		return;
	log_warnx("cannot start a thread, so groups are probed one after the other: %s",
		  strerror(error));
	runner_sent(worker->batch);
}

static int run_workers(struct worker *workers, size_t count)
{
	int result = 0;

	for (size_t i = 1; i < count; i++)
		start_worker(&workers[i]);
	work(&workers[0]);
	for (size_t i = 0; i < count; i++) {
		if (workers[i].is_running)
			pthread_join(workers[i].thread, NULL);
		else if (i > 0)
			work(&workers[i]);
		if (workers[i].result < 0 || workers[i].batch->broken)
			result = -1;
	}
	return result;
}

/* Gives each worker its batch. */
static void assemble(struct runner *runner, struct worker *workers, struct batch *batches,
		     size_t count)
{
	for (size_t i = 0; i < count; i++) {
		workers[i].batch = &batches[i];
		batches[i].runner = runner;
		/* Without a probe it sends nothing, and takes its time. */
		batches[i].is_awaited = batches[i].probe && !batches[i].is_deferred;
		runner->awaited += batches[i].is_awaited;
	}
}

int runner_run(struct batch *batches, size_t count)
{
	struct worker *workers = calloc(count, sizeof(*workers));
	struct runner runner;
	int result, error;

	if (!workers) {
		log_errx("out of memory");
		return -1;
	}
	error = make_runner(&runner);
	if (error) {
		log_errx("cannot run groups side by side: %s", strerror(error));
		free(workers);
		return -1;
	}
	assemble(&runner, workers, batches, count);
	result = run_workers(workers, count);
	pthread_cond_destroy(&runner.all_sent);
	pthread_mutex_destroy(&runner.mutex);
	free(workers);
	return result;
}
