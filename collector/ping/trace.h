/*
 * A trace: echo requests with rising TTL to a peer that loses packets, to find the last hop
 * on the way that answers.
 *
 * Each hop is asked once, as routers limit such errors to about one a second. A silent hop
 * is no loss: many routers never answer. With several paths of equal cost the requests
 * follow one of them, as they differ in their sequence numbers and checksums only, unless a
 * router hashes those, too.
 */
#ifndef NODECANARY_TRACE_H
#define NODECANARY_TRACE_H

#include <stdint.h>

#include "base/address.h"
#include "base/clock.h"
#include "config/options.h"
#include "peers/targets.h"
#include "ping/cookie.h"

/* Hops that are asked; no path in a fleet's network is longer. */
#define TRACE_HOPS_MAX 30

/* Between two hops, so that the requests do not queue up behind one another. */
#define TRACE_HOP_SPACING_NS (5 * CLOCK_NS_PER_MS)

/* How long a trace of a target with these options takes at most. */
static inline int64_t trace_longest_ns(const struct options *options)
{
	return TRACE_HOPS_MAX * TRACE_HOP_SPACING_NS + options->timeout_ns;
}

/*
 * Traces the targets that lose packets in this run and have not been traced for
 * `trace_every`, first those that lost none in the previous run; at most
 * config.collector.trace of them, and none that could not end before `deadline_ns` on the
 * monotonic clock. Sets target->trace; logs one line for each that shows something new.
 */
void trace_run(struct targets *targets, const struct cookie *cookie, int64_t deadline_ns,
	       int64_t wall_ns);

#endif
