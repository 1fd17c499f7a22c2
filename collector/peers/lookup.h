/*
 * The addresses of peers that are configured by name: which names are due for a lookup,
 * and what a lookup changes.
 *
 * When `resolve_every` has passed, all names are due again. Each is asked for its IPv4 and
 * its IPv6 address in separate questions, as far as they are wanted. A name that a run does
 * not come to, or whose time runs out, stays due, so the next run continues with it: first
 * with those that no run has come to, then with those that nobody answered. A name of which
 * nothing is known is due at once.
 *
 * Names that are not due, not asked or not answered keep their address: an outage of DNS is
 * not an outage of the network.
 *
 * Call it after restore, which knows the previous addresses, and after
 * targets_select(), which knows the peers that are not pinged.
 */
#ifndef NODECANARY_LOOKUP_H
#define NODECANARY_LOOKUP_H

#include <stdint.h>

#include "peers/self.h"
#include "peers/stats.h"
#include "peers/targets.h"

/*
 * Looks up the names that are due, and the fully qualified name of this host if `self`
 * wants it, until `deadline_ns` of the monotonic clock; `wall_ns` is the present time of
 * the wall clock. Updates address, lookup and is_due of the targets, the full name in `self`,
 * and node->last_resolve_ns. Logs a warning for each reason why names are not resolved.
 * Returns 0, or -1 after logging where no lookup was possible; nothing is changed then.
 */
int lookup_run(struct targets *targets, struct stats_node *node, struct self *self,
	       int64_t deadline_ns, int64_t wall_ns);

#endif
