/*
 * All batches of a run: which targets share one, and running them side by side.
 *
 * Groups whose options are equal share a batch; a batch has no address twice, so
 * an address in several such groups is asked by as many batches; and a source
 * address makes a batch for each family. Requests to neighbours that do not answer
 * fill a socket's send buffer for seconds: within a batch the peers that answered
 * in the last run come first, and where many did not, these have a batch, and so a
 * socket, of their own; see runner.h.
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

/* Each needs two descriptors that select() can hold. */
#define BATCHES_MAX 256

/* So many silent peers fit into the smallest send buffer, several rounds long. */
#define BATCHES_UNRESPONSIVE_MAX 64

struct batches {
	struct batch *items;
	size_t count;
	struct target **order; /* the batches' targets point into it */
	struct idents *idents;
};

/*
 * Makes the batches of all targets that are probed or unresolved. 0, or -1 after
 * logging.
 */
int batches_build(struct batches *batches, struct targets *targets,
		  const struct cookie *cookie, int64_t deadline_ns);

/*
 * Runs them, the first in this thread. Adds what became of the rounds to the
 * state and to the groups' histograms; reports in one line what could not be
 * sent or was dropped. 0, or -1 after logging.
 */
int batches_run(struct batches *batches, struct targets *targets, struct stats_node *node);

/* Whether any batch measured a round; with no batch there was nothing to measure. */
bool batches_measured(const struct batches *batches);

void batches_free(struct batches *batches);

/* How many batches the targets would need; 0 without memory. */
size_t batches_count(struct targets *targets);

/* Two groups' targets may share a batch. */
bool batches_may_share(const struct options *a, const struct options *b);

#endif
