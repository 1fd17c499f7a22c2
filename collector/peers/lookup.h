/*
 * The addresses of peers that are configured by name: which names are due for a lookup,
 * and what a lookup changes.
 *
 * All names are looked up again when `resolve_every` has passed, and a name of which
 * nothing is known at once. In between the addresses of the previous run are used. They
 * stay in use when a lookup fails: an outage of DNS is not an outage of the network.
 *
 * Call it after restore, which knows the previous addresses, and after
 * targets_select(), which knows the peers that are not pinged.
 */
#ifndef NODECANARY_LOOKUP_H
#define NODECANARY_LOOKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "peers/stats.h"
#include "peers/targets.h"

/* Whether `resolve_every` has passed at `wall_ns` of the wall clock. */
bool lookup_is_due(const struct targets *targets, const struct stats_node *node,
		   int64_t wall_ns);

/*
 * Looks up the names that are due, until `deadline_ns` of the monotonic clock; `wall_ns`
 * is the present time of the wall clock. Updates address, looked_up and resolved of the
 * targets, and node->last_resolve_ns. Returns 0, or -1 after logging where no lookup was
 * possible; the targets keep their addresses then.
 */
int lookup_run(struct targets *targets, struct stats_node *node, int64_t deadline_ns,
	       int64_t wall_ns);

#endif
