/*
 * What people read: the results of a run, and the list of peers.
 */
#ifndef NODECANARY_TABLE_H
#define NODECANARY_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "targets.h"

/* Peer, address, sent, replies, loss, and min/mean/max/stddev in ms. */
void table_results(FILE *out, const struct targets *targets, bool colour);

/* Whom this node would ping, and of the others why not. */
void table_peers(FILE *out, const struct targets *targets);

/* A line "group watcher peer" for each pair of the whole list. -1 after logging. */
int table_watchers(FILE *out, const struct targets *targets);

/* Whether `out` is a terminal that wants colour (no-color.org). */
bool table_wants_colour(FILE *out);

#endif
