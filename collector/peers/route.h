/*
 * What this host's routing table says about an address.
 *
 * A UDP socket is connected to it, which sends nothing. The kernel looks up the route and
 * the source address for that as it does for an echo request.
 */
#ifndef NODECANARY_ROUTE_H
#define NODECANARY_ROUTE_H

#include "base/address.h"
#include "config/options.h"

/*
 * Looks up the route for packets from this source and device, with this mark. Sets `from`,
 * unless it is NULL, to the address that they are sent from. Returns 0, or -1 with errno:
 * ENETUNREACH, EHOSTUNREACH, EINVAL (a blackhole route) and others mean that there is no
 * route.
 */
int route_find(const struct address *to, const struct source *source, const char *device,
	       struct mark mark, struct address *from);

#endif
