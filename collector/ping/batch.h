/*
 * A batch: the targets that share one liboping object, and with it one set of socket
 * options. Runs all rounds of the batch and adds their samples to the targets.
 *
 * Batches run in parallel, so that an unresponsive peer in one does not delay the others.
 * No two batches share a target, so they need no lock.
 */
#ifndef NODECANARY_BATCH_H
#define NODECANARY_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ping/probe.h"
#include "peers/stats.h"
#include "peers/targets.h"

struct batch {
	/* Set by the owner, who also frees what they point to. */
	const struct options *options; /* of its first group; the others' equal them */
	const struct buckets *buckets;
	struct target **targets; /* sample i is that of targets[i] */
	size_t count;
	struct target **absent; /* without an address: unsent in every round */
	size_t absent_count;
	bool is_deferred;    /* its targets did not respond in the previous run */
	struct probe *probe; /* NULL if count is 0 or liboping refused an option */
	int64_t deadline_ns; /* monotonic clock; no round begins after it */
	/*
	 * Called after each round in the batch's thread, and by batches_run() with round 0
	 * when all batches have ended. May be NULL.
	 */
	void (*progress)(const struct batch *batch, unsigned round, unsigned rounds);

	/* Results. */
	uint64_t measured; /* rounds in which a request was sent */
	uint64_t discarded[DISCARD_REASONS];
	bool broken; /* liboping does not behave as this program needs; logged */
};

/* How long a round of so many targets takes at most, in nanoseconds. */
int64_t batch_round_ns(const struct options *options, size_t count);

/*
 * Runs all rounds. Calls `on_sent` with `arg` once or twice in each, as
 * probe_run_round() does. 0, or -1 after logging where there is no memory.
 */
int batch_run(struct batch *batch, void (*on_sent)(void *arg), void *arg);

#endif
