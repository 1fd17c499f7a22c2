/*
 * All lanes of a run: which targets share one, and running them side by side.
 *
 * Groups whose options are equal share a lane; a lane has no address twice, so
 * an address in several such groups is asked by as many lanes; and a source
 * address makes a lane for each family. Requests to neighbours that do not answer
 * fill a socket's send buffer for seconds: within a lane the peers that answered
 * in the last run come first, and where many did not, these have a lane, and so a
 * socket, of their own; see crew.h.
 */
#ifndef NODECANARY_LANES_H
#define NODECANARY_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lane.h"
#include "proof.h"
#include "state.h"
#include "targets.h"

/* Each needs two descriptors that select() can hold. */
#define LANES_MAX 256

/* So many silent peers fit into the smallest send buffer, several rounds long. */
#define LANES_DEAD_MAX 64

struct lanes {
	struct lane *items;
	size_t count;
	struct target **order; /* the lanes' targets point into it */
	struct idents *idents;
};

/*
 * Makes the lanes of all targets that are probed or unresolved. 0, or -1 after
 * logging.
 */
int lanes_build(struct lanes *lanes, struct targets *targets, const struct proof *proof,
		int64_t deadline_ns);

/*
 * Runs them, the first in this thread. Adds what became of the rounds to the
 * state and to the groups' histograms; reports in one line what could not be
 * sent or was dropped. 0, or -1 after logging.
 */
int lanes_run(struct lanes *lanes, struct targets *targets, struct state *state);

/* Whether any lane measured a round; with no lane there was nothing to measure. */
bool lanes_measured(const struct lanes *lanes);

void lanes_free(struct lanes *lanes);

/* How many lanes the targets would need; 0 without memory. */
size_t lanes_count(struct targets *targets);

/* Two groups' targets may share a lane. */
bool lanes_may_share(const struct options *a, const struct options *b);

#endif
