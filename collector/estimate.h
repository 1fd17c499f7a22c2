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
 * --check resolves no names, so it cannot know whether a name makes this node a member of a
 * group. Removes members_only from such groups, so that the estimate includes their peers.
 * Needs targets_select() before it, and again after it.
 */
void estimate_assume_members(struct config *config, const struct targets *targets);

/*
 * Prints a summary, and logs warnings. To be called after targets_select(), with self and
 * addresses as far as they are known without a lookup, and after batches_build(). False,
 * after logging, if no measured round of some group can start before the deadline.
 */
bool estimate_print(FILE *out, const struct targets *targets,
		    const struct batches *batches);

#endif
