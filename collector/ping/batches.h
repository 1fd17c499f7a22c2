/*
 * All batches of a run: decides which targets share one, runs them at the same time, and
 * adds up what happened.
 *
 * Targets whose addresses have one family, and whose groups have equal socket and round
 * options, share a list. It has each address once (and again with another size of the
 * payload), and is cut into batches of at most BATCH_ADDRESSES_MAX addresses.
 *
 * Requests to unresponsive neighbours fill a socket's send buffer for seconds. So within a
 * list the peers that responded in the previous run come first, and where many did not,
 * these have a deferred list of their own (runner.h), and with it sockets of their own.
 *
 * Order of calls: batches_build(), batches_run(), batches_measured(), batches_free(). The
 * targets must outlive the batches.
 */
#ifndef NODECANARY_BATCHES_H
#define NODECANARY_BATCHES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ping/batch.h"
#include "peers/stats.h"
#include "peers/targets.h"

/*
 * Unresponsive targets that may stay with the others: their requests of several rounds
 * fit into the default send buffer, which stalls at some 128 of them.
 */
#define BATCHES_UNRESPONSIVE_MAX 64

struct batches {
	struct batch *items;
	size_t count;
	struct target **order; /* the batches' targets point into it */
	struct turns *turns;   /* one for each list */
};

/*
 * Makes the batches of all targets that are measured, and opens nothing yet. `deadline_ns`,
 * on the monotonic clock, is that of every batch. 0, or -1 after logging; batches_free() is
 * due in any case.
 */
int batches_build(struct batches *batches, struct targets *targets, int64_t deadline_ns);

/*
 * Runs them all. Adds discarded rounds and drops to `node`, and the peers' histograms to
 * those of their groups. Logs one line for each kind of trouble. 0, or -1 after logging.
 */
int batches_run(struct batches *batches, struct targets *targets,
		struct stats_node *node);

/* True if any batch measured a round, or if there was no batch. */
bool batches_measured(const struct batches *batches);

/* True if a batch left out all measured rounds, as they would have begun too late. */
bool batches_missed_deadline(const struct batches *batches);

void batches_free(struct batches *batches);

#endif
