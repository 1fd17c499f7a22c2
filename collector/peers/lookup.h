/*
 * The addresses of peers that are configured by name: which of them are due for
 * a lookup, and what comes of it.
 *
 * Names are looked up when `resolve_every` has passed since the last time, and
 * at once where nothing is known of them; in between the addresses of the last
 * run are used, and so they are where a lookup gives no answer: an outage of
 * DNS is not an outage of the network.
 */
#ifndef NODECANARY_LOOKUP_H
#define NODECANARY_LOOKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "peers/stats.h"
#include "peers/targets.h"

/* Whether `resolve_every` has passed; `wall_ns` is now. */
bool lookup_is_due(const struct targets *targets, const struct stats_node *node,
		   int64_t wall_ns);

/*
 * Looks up what is due, and is selected as far as targets_select() can tell by now, until
 * `deadline_ns` of the monotonic clock; `wall_ns` is now. Brings targets and
 * node->last_resolve_ns up to date. -1 after logging where nothing could be looked up at
 * all; the targets are usable all the same.
 */
int lookup_run(struct targets *targets, struct stats_node *node, int64_t deadline_ns,
	       int64_t wall_ns);

#endif
