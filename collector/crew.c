#include "crew.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "log.h"

/* Threads call liboping, which keeps buffers of 8 kB on the stack. */
#define THREAD_STACK ((size_t)256 * 1024)

struct crew {
	pthread_mutex_t mutex;
	pthread_cond_t all_sent;
	size_t awaited;
};

struct worker {
	pthread_t thread;
	bool is_running;
	struct lane *lane;
	int result;
};

static int make_crew(struct crew *crew)
{
	pthread_condattr_t attributes;
	int error = pthread_condattr_init(&attributes);

	*crew = (struct crew){.mutex = PTHREAD_MUTEX_INITIALIZER};
	if (error)
		return error;
	error = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	if (error == 0)
		error = pthread_cond_init(&crew->all_sent, &attributes);
	pthread_condattr_destroy(&attributes);
	return error;
}

void crew_sent(void *arg)
{
	struct lane *lane = arg;
	struct crew *crew = lane->crew;

	if (!lane->is_awaited)
		return;
	lane->is_awaited = false;
	pthread_mutex_lock(&crew->mutex);
	if (--crew->awaited == 0)
		pthread_cond_broadcast(&crew->all_sent);
	pthread_mutex_unlock(&crew->mutex);
}

/* When the last round of a lane that begins now would still begin in time. */
static int64_t latest_start_ns(const struct lane *lane)
{
	const struct options *o = lane->options;

	return lane->deadline_ns -
	       (o->warmup + o->count - 1) * lane_round_ns(o, lane->count);
}

static void wait_for_others(const struct lane *lane)
{
	struct crew *crew = lane->crew;
	int64_t until_ns = latest_start_ns(lane);
	struct timespec until;
	int error = 0;

	if (until_ns <= clock_monotonic_ns())
		return;
	until.tv_sec = (time_t)(until_ns / CLOCK_NS_PER_S);
	until.tv_nsec = (long)(until_ns % CLOCK_NS_PER_S);
	pthread_mutex_lock(&crew->mutex);
	while (crew->awaited > 0 && error == 0)
		error = pthread_cond_timedwait(&crew->all_sent, &crew->mutex, &until);
	pthread_mutex_unlock(&crew->mutex);
}

static void *work(void *arg)
{
	struct worker *worker = arg;

	if (worker->lane->is_apart)
		wait_for_others(worker->lane);
	worker->result = lane_run(worker->lane);
	/* It may have had no round. */
	crew_sent(worker->lane);
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
	crew_sent(worker->lane);
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
		if (workers[i].result < 0 || workers[i].lane->broken)
			result = -1;
	}
	return result;
}

/* Gives each worker its lane. */
static void assemble(struct crew *crew, struct worker *workers, struct lane *lanes,
		     size_t count)
{
	for (size_t i = 0; i < count; i++) {
		workers[i].lane = &lanes[i];
		lanes[i].crew = crew;
		/* Without a probe it sends nothing, and takes its time. */
		lanes[i].is_awaited = lanes[i].probe && !lanes[i].is_apart;
		crew->awaited += lanes[i].is_awaited;
	}
}

int crew_run(struct lane *lanes, size_t count)
{
	struct worker *workers = calloc(count, sizeof(*workers));
	struct crew crew;
	int result, error;

	if (!workers) {
		log_errx("out of memory");
		return -1;
	}
	error = make_crew(&crew);
	if (error) {
		log_errx("cannot run groups side by side: %s", strerror(error));
		free(workers);
		return -1;
	}
	assemble(&crew, workers, lanes, count);
	result = run_workers(workers, count);
	pthread_cond_destroy(&crew.all_sent);
	pthread_mutex_destroy(&crew.mutex);
	free(workers);
	return result;
}
