/*
 * What a run of a configuration amounts to at most: packets, time and series; and whether
 * that is sensible. For --check.
 */
#ifndef NODECANARY_ESTIMATE_H
#define NODECANARY_ESTIMATE_H

#include <stdbool.h>
#include <stdio.h>

#include "peers/targets.h"
#include "ping/batches.h"

/* With more series on one node, node_exporter becomes slow. */
#define ESTIMATE_NODE_SERIES_MAX 10000
/* With more series of all nodes of a mesh together, Prometheus becomes large. */
#define ESTIMATE_MESH_SERIES_MAX 1000000

/*
 * Lets this node ping a group with members_only of which a lookup may show that it is a
 * member. To be called between targets_select() and another call of it.
 */
void estimate_assume_members(struct config *config, const struct targets *targets);

/*
 * Prints a summary, and logs warnings. To be called after targets_select(), with self and
 * addresses as far as they are known without a lookup, and after batches_build(). False,
 * after logging, if a group would measure nothing, as the deadline is too early.
 */
bool estimate_print(FILE *out, const struct targets *targets,
		    const struct batches *batches);

#endif
