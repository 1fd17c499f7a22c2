/*
 * What a run of a configuration would amount to: packets, time, series; and
 * whether that is sensible.
 */
#ifndef NODECANARY_ESTIMATE_H
#define NODECANARY_ESTIMATE_H

#include <stdbool.h>
#include <stdio.h>

#include "peers/targets.h"

/* Above that node_exporter feels it. */
#define ESTIMATE_NODE_SERIES_MAX 10000
/* Above that Prometheus does: series of all nodes of a mesh together. */
#define ESTIMATE_MESH_SERIES_MAX 1000000

/*
 * Prints a summary. The states of the targets are settled as far as that can be
 * done without looking anything up. False, after logging, if no measured round
 * would fit into the deadline.
 */
bool estimate_print(FILE *out, const struct targets *targets);

#endif
