#include "ping/runner.h"

#include "base/clock.h"
#include "ping/task.h"

struct runner {
	struct batch *batches;
	size_t count, next; /* the next one that begins */
	size_t awaited;	    /* batches whose first round deferred ones wait for */
	int result;
};

struct worker {
	struct runner *runner;
	bool is_awaited; /* its batch has not sent its first round yet */
};

/*
 * Callback for batch_run(). It is called in every round, but only the first call matters:
 * then the requests of this batch have their neighbour entries.
 */
static void announce_sent(void *arg)
{
	struct worker *worker = arg;

	if (worker->is_awaited && --worker->runner->awaited == 0)
		task_notify();
	worker->is_awaited = false;
}

/*
 * When a batch must begin so that its last round begins before the deadline, even if every
 * round waits for an unresponsive peer.
 */
static int64_t latest_start_ns(const struct batch *batch)
{
	const struct options *o = batch->options;

	return batch->deadline_ns -
	       (o->warmup + o->count - 1) * batch_round_ns(o, batch->turns->addresses);
}

static void wait_for_others(const struct runner *runner, const struct batch *batch)
{
	int64_t latest_ns = latest_start_ns(batch);

	/* The others hear of a stop request, and end. */
	while (runner->awaited > 0 && clock_monotonic_ns() < latest_ns)
		task_sleep(latest_ns);
}

/* A task: runs one batch after the other until none is left. */
static void run_batches(void *arg)
{
	struct runner *runner = arg;

	while (runner->next < runner->count) {
		struct batch *batch = &runner->batches[runner->next++];
		struct worker worker = {.runner = runner,
					.is_awaited = !batch->is_deferred};

		if (batch->is_deferred)
			wait_for_others(runner, batch);
		if (batch_run(batch, announce_sent, &worker) < 0)
			runner->result = -1;
		/* A batch that is stopped or past its deadline has no round. */
		announce_sent(&worker);
	}
}

int runner_run(struct batch *batches, size_t count)
{
	struct runner runner = {.batches = batches, .count = count};

	for (size_t i = 0; i < count; i++)
		runner.awaited += !batches[i].is_deferred;
	task_run(count, run_batches, &runner);
	return runner.result;
}
