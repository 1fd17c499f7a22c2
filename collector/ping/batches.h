/*
 * All batches of a run: decides which targets share one, runs them in parallel, and adds
 * up what happened.
 *
 * Groups whose socket and round options are equal share a batch. A batch has no address
 * twice, so an address in N such groups needs N batches. Options with a source address
 * make a batch for each address family, as liboping supports one family with a source.
 *
 * Requests to unresponsive neighbours fill a socket's send buffer for seconds. So within a
 * batch the peers that responded in the previous run come first, and where many did not,
 * these have a deferred batch of their own (runner.h), and with it a socket of their own.
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
#include "ping/cookie.h"
#include "peers/stats.h"
#include "peers/targets.h"

/* A batch has two sockets, and liboping's select() takes descriptors below 1,024 only. */
#define BATCHES_MAX 256

/*
 * Unresponsive targets that may stay with the others: their requests of several rounds
 * fit into the default send buffer, which stalls at some 128 of them.
 */
#define BATCHES_UNRESPONSIVE_MAX 64

struct batches {
	struct batch *items;
	size_t count;
	struct target **order; /* the batches' targets point into it */
	struct idents *idents;
};

/*
 * Makes the batches of all targets that are measured. `deadline_ns`, on the monotonic
 * clock, is that of every batch. 0, or -1 after logging; batches_free() is due in any case.
 */
int batches_build(struct batches *batches, struct targets *targets,
		  const struct cookie *cookie, int64_t deadline_ns);

/*
 * Runs them all. Adds discarded rounds and drops to `node`, and the peers' histograms to
 * those of their groups. Logs one line for each kind of trouble. 0, or -1 after logging.
 */
int batches_run(struct batches *batches, struct targets *targets,
		struct stats_node *node);

/* True if any batch measured a round, or if there was no batch. */
bool batches_measured(const struct batches *batches);

void batches_free(struct batches *batches);

/* How many batches the targets need; 0 without memory. */
size_t batches_count(struct targets *targets);

/* True if targets of two groups with these options may share a batch. */
bool batches_may_share(const struct options *a, const struct options *b);

#endif
