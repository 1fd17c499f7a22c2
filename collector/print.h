/*
 * What people read: the results of a run, and the list of peers.
 */
#ifndef NODECANARY_PRINT_H
#define NODECANARY_PRINT_H

#include <stdbool.h>
#include <stdio.h>

#include "peers/targets.h"

/* Peer, address, sent, replies, loss, and min/mean/max/stddev in ms. */
void print_results(FILE *out, const struct targets *targets, bool colour);

/* Whom this node would ping, and of the others why not. */
void print_peers(FILE *out, const struct targets *targets);

/* A line "group observer peer" for each pair of the whole list. -1 after logging. */
int print_observers(FILE *out, const struct targets *targets);

/* Whether `out` is a terminal that wants colour (no-color.org). */
bool print_wants_colour(FILE *out);

#endif
