#include "ping/runner.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

/*
 * liboping keeps buffers of 8 kB on the stack. The default of 8 MB would be reserved for
 * each of up to 256 batches, which a memory limit may refuse.
 */
#define THREAD_STACK ((size_t)256 * 1024)

/* What all workers share. */
struct runner {
	pthread_mutex_t mutex;
	pthread_cond_t all_sent;
	size_t awaited; /* workers whose first round deferred batches wait for */
};

struct worker {
	struct runner *runner;
	struct batch *batch;
	bool is_awaited; /* only used by whichever thread runs the batch */
	bool has_thread;
	pthread_t thread;
	int result;
};

/* Deferred batches wait until a time of the monotonic clock, not of the wall clock. */
static int init_runner(struct runner *runner)
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

/*
 * Callback for batch_run(), `arg` is the worker. It is called in every round, but only the
 * first call matters: then the requests of this batch have their neighbour entries.
 */
static void announce_sent(void *arg)
{
	struct worker *worker = arg;
	struct runner *runner = worker->runner;

	if (!worker->is_awaited)
		return;
	worker->is_awaited = false;
	pthread_mutex_lock(&runner->mutex);
	if (--runner->awaited == 0)
		pthread_cond_broadcast(&runner->all_sent);
	pthread_mutex_unlock(&runner->mutex);
}

/*
 * When a batch must begin so that its last round begins before the deadline, even if every
 * round waits for an unresponsive peer.
 */
static int64_t latest_start_ns(const struct batch *batch)
{
	const struct options *o = batch->options;

	return batch->deadline_ns -
	       (o->warmup + o->count - 1) * batch_round_ns(o, batch->count);
}

static void wait_for_others(const struct worker *worker)
{
	struct runner *runner = worker->runner;
	struct timespec until = clock_timespec(latest_start_ns(worker->batch));
	int error = 0;

	pthread_mutex_lock(&runner->mutex);
	while (runner->awaited > 0 && error == 0)
		error = pthread_cond_timedwait(&runner->all_sent, &runner->mutex, &until);
	pthread_mutex_unlock(&runner->mutex);
}

static void *run_worker(void *arg)
{
	struct worker *worker = arg;

	if (worker->batch->is_deferred)
		wait_for_others(worker);
	worker->result = batch_run(worker->batch, announce_sent, worker);
	/* A batch that is stopped or past its deadline has no round. */
	announce_sent(worker);
	return NULL;
}

static void start_worker(struct worker *worker)
{
	pthread_attr_t attributes;
	int error = pthread_attr_init(&attributes);

	if (error == 0) {
		error = pthread_attr_setstacksize(&attributes, THREAD_STACK);
		if (error == 0)
			error = pthread_create(&worker->thread, &attributes, run_worker,
					       worker);
		pthread_attr_destroy(&attributes);
	}
	worker->has_thread = error == 0;
	if (error == 0)
		return;
	log_warnx("cannot start a thread, so groups are pinged one after the other: %s",
		  strerror(error));
	/* It runs after the first batch; a deferred one must not wait that long. */
	announce_sent(worker);
}

/*
 * The first batch needs no thread, so a run with one batch, as most are, has none. Batches
 * without a thread run here, after it.
 */
static int run_workers(struct worker *workers, size_t count)
{
	int result = 0;

	for (size_t i = 1; i < count; i++)
		start_worker(&workers[i]);
	run_worker(&workers[0]);
	for (size_t i = 0; i < count; i++) {
		if (workers[i].has_thread)
			pthread_join(workers[i].thread, NULL);
		else if (i > 0)
			run_worker(&workers[i]);
		if (workers[i].result < 0 || workers[i].batch->broken)
			result = -1;
	}
	return result;
}

int runner_run(struct batch *batches, size_t count)
{
	struct worker *workers = calloc(count, sizeof(*workers));
	struct runner runner;
	int result = -1, error;

	if (!workers) {
		log_errx("out of memory");
		return -1;
	}
	error = init_runner(&runner);
	if (error) {
		log_errx("cannot ping groups in parallel: %s", strerror(error));
		goto out;
	}
	for (size_t i = 0; i < count; i++) {
		/* A batch without a probe sends nothing and takes all its time. */
		bool is_awaited = batches[i].probe && !batches[i].is_deferred;

		workers[i] = (struct worker){.runner = &runner,
					     .batch = &batches[i],
					     .is_awaited = is_awaited};
		runner.awaited += is_awaited;
	}
	result = run_workers(workers, count);
	pthread_cond_destroy(&runner.all_sent);
	pthread_mutex_destroy(&runner.mutex);
out:
	free(workers);
	return result;
}
