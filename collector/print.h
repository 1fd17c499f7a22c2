/*
 * Tables for people and scripts: the results of a run, and the list of peers. All of them
 * after targets_select().
 */
#ifndef NODECANARY_PRINT_H
#define NODECANARY_PRINT_H

#include <stdbool.h>
#include <stdio.h>

#include "peers/targets.h"

/*
 * The measured targets: peer, address, sent, replies, loss in percent, and
 * min/mean/max/stddev in ms, and why requests failed, where that is known. With `colour`, lines with losses are coloured.
 */
void print_results(FILE *out, const struct targets *targets, bool colour);

/* All targets with their address and state; then which peer this node is, and why. */
void print_peers(FILE *out, const struct targets *targets);

/* Why this node is the peer that it is in the group, or none. */
const char *print_self_reason(const struct target_group *group);

/*
 * A line "group observer peer" for each pair of the whole list: who pings whom, seen from
 * all members. 0, or -1 after logging.
 */
int print_observers(FILE *out, const struct targets *targets);

/* Whether `out` is a terminal on which colour is wanted (no-color.org). */
bool print_wants_colour(FILE *out);

#endif
