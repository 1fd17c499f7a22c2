/*
 * The path MTU round: one large echo request with don't-fragment to each peer of a group
 * with `mtu` that answered small ones in this run, every `mtu_every`.
 *
 * Four outcomes are told apart: it is answered; this host's interface is too small; a router
 * says which size would fit; nobody says anything. The last one is a black hole: small
 * packets pass, large ones vanish. target->mtu->bytes is the size that passed or that
 * somebody named, and 0 for a black hole.
 */
#ifndef NODECANARY_PATHMTU_H
#define NODECANARY_PATHMTU_H

#include <stddef.h>
#include <stdint.h>

#include "config/options.h"
#include "peers/targets.h"
#include "ping/cookie.h"

/*
 * A router knows its own next link only, so a path with several narrow links takes several
 * requests, each of the size that the last router named.
 */
#define PATHMTU_ATTEMPTS_MAX 4

/* How long the round takes at most that asks `count` targets of one group and family. */
int64_t pathmtu_longest_ns(const struct options *options, size_t count);

/*
 * Runs the rounds that are due, to be called after the measured ones. Adds to mtu_requests
 * and mtu_replies of the targets, and sets their `mtu`. No round ends after `deadline_ns` of
 * the monotonic clock: whoever there is no time for is asked in the next run.
 */
void pathmtu_run(struct targets *targets, const struct cookie *cookie,
		 int64_t deadline_ns, int64_t wall_ns);

#endif
