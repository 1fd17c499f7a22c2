/*
 * One liboping object and the targets that it asks, round by round; and what
 * became of the rounds. Batches run side by side, so that a silent peer in one
 * holds up no other.
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
	/* Set by whoever makes it. */
	const struct options *options; /* of all its groups alike */
	const struct buckets *buckets;
	struct target **targets; /* sample i is that of targets[i] */
	size_t count;
	struct target **absent; /* without an address: unsent in every round */
	size_t absent_count;
	bool is_deferred;    /* with the dead */
	struct probe *probe; /* NULL where count is 0 or it could not be opened */
	int64_t deadline_ns; /* no round begins after it; monotonic */
	/*
	 * Called after each round, in the batch's thread, and by batches.h with round 0 when
	 * all are over; may be NULL.
	 */
	void (*progress)(const struct batch *batch, unsigned round, unsigned rounds);

	/* Results. */
	uint64_t measured; /* rounds in which a request left */
	uint64_t discarded[DISCARD_REASONS];
	bool broken; /* liboping does not do what it must; logged */

	/* Of runner.h. */
	struct runner *runner;
	bool is_awaited;
};

/* How long a round of so many targets takes at most. */
int64_t batch_round_ns(const struct options *options, size_t count);

/* Runs all rounds. -1 after logging where there is no memory. */
int batch_run(struct batch *batch);

#endif
