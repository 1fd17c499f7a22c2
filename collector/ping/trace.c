#include "ping/trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stop.h"
#include "peers/route.h"
#include "ping/echosocket.h"

/* A trace under way. */
struct path {
	struct target *target;
	const struct options *options;
	struct echosocket socket;
	struct address hops[TRACE_HOPS_MAX + 1]; /* by TTL, from 1 */
	struct address own;			 /* that the requests come from */
	unsigned reached; /* the TTL with which the peer replied; 0: not yet */
};

static bool loses(const struct target *target)
{
	return target_is_measured(target) && target->run.requests > target->run.replies;
}

static bool is_due(const struct target *target, int64_t every_ns, int64_t wall_ns)
{
	/* A wall clock that was set back must not delay the next trace for as long. */
	return !target->trace || wall_ns < target->trace->at_ns ||
	       wall_ns - target->trace->at_ns >= every_ns;
}

/*
 * What a trace found holds while the loss lasts. When it was is remembered for as long as it
 * keeps the next one from being made.
 */
static void end_traces(struct targets *targets, int64_t wall_ns)
{
	int64_t every_ns = targets->config->collector.trace_every_ns;

	for (size_t i = 0; i < targets->count; i++) {
		struct target *target = &targets->items[i];

		if (!target->trace || target->run.requests == 0 || loses(target))
			continue;
		target->trace->is_over = true;
		if (is_due(target, every_ns, wall_ns)) {
			free(target->trace);
			target->trace = NULL;
		}
	}
}

/* Sets `chosen` to at most `max` targets; the news first: those that were well before. */
static size_t choose(struct targets *targets, struct target **chosen, size_t max,
		     int64_t wall_ns)
{
	int64_t every_ns = targets->config->collector.trace_every_ns;
	size_t count = 0;

	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < targets->count && count < max; i++) {
			struct target *target = &targets->items[i];

			if (loses(target) && is_due(target, every_ns, wall_ns) &&
			    (target->previous == TARGET_DOWN) == (pass == 1))
				chosen[count++] = target;
		}
	return count;
}

static bool open_path(struct path *path, const struct targets *targets,
		      struct target *target, const struct cookie *cookie)
{
	const struct options *o = &target_group(targets, target)->options;

	path->target = target;
	path->options = o;
	/* Without a route there are no hops either. */
	(void)route_find(&target->address, &o->source, o->device, o->mark, &path->own);
	if (echosocket_open(&path->socket, target->address.family, o, cookie,
			    TRACE_HOPS_MAX,
			    echosocket_packet_min(target->address.family)) == 0)
		return true;
	log_warn("cannot trace %s", target->peer->name);
	return false;
}

/*
 * This host's kernel answers for a neighbour that does not answer ARP or neighbour
 * discovery, and is no hop.
 */
static void receive(struct path *path)
{
	struct echo_answer answer;

	while ((answer = echosocket_receive(&path->socket)).event != ECHO_NOTHING) {
		unsigned ttl = answer.error.sequence;

		if (ttl < 1 || ttl > TRACE_HOPS_MAX)
			continue;
		if (answer.event == ECHO_ERROR) {
			if (!address_equal(&answer.error.from, &path->own))
				path->hops[ttl] = answer.error.from;
		} else if (path->reached == 0 || ttl < path->reached) {
			path->reached = ttl;
		}
	}
}

/* False if a stop is requested. */
static bool ask_hop(struct path *path, unsigned ttl)
{
	struct echo_request request = {
		.to = path->target->address,
		.sequence = (uint16_t)ttl,
		.ttl = ttl,
		.size = echosocket_packet_min(path->target->address.family)};
	int64_t next_ns = clock_monotonic_ns() + TRACE_HOP_SPACING_NS;

	/* A hop that could not be asked is as good as a silent one. */
	(void)echosocket_send(&path->socket, &request);
	while (clock_monotonic_ns() < next_ns) {
		if (!echosocket_wait(&path->socket, next_ns))
			return false;
		receive(path);
	}
	return true;
}

static void follow(struct path *path)
{
	int64_t end_ns;

	for (unsigned ttl = 1; ttl <= TRACE_HOPS_MAX && path->reached == 0; ttl++)
		if (!ask_hop(path, ttl))
			return;
	end_ns = clock_monotonic_ns() + path->options->timeout_ns;
	while (path->reached == 0 && clock_monotonic_ns() < end_ns) {
		if (!echosocket_wait(&path->socket, end_ns))
			return;
		receive(path);
	}
}

/*
 * A router that refuses packets for the peer answers every TTL from its own distance on, so
 * the first of its answers counts.
 */
static struct trace summarize(const struct path *path, int64_t wall_ns)
{
	struct trace trace = {.at_ns = wall_ns};

	for (unsigned ttl = 1; ttl <= TRACE_HOPS_MAX; ttl++) {
		const struct address *hop = &path->hops[ttl];

		if (hop->family == ADDRESS_NONE || address_equal(hop, &trace.last) ||
		    (path->reached && ttl >= path->reached))
			continue;
		trace.hops = ttl;
		trace.last = *hop;
	}
	if (path->reached) {
		trace.hops = path->reached;
		trace.last = path->target->address;
	}
	return trace;
}

/*
 * A loss that lasts is traced again and again, and mentioned only when something changed. A
 * peer that answers some of the requests seems to be at another distance each time.
 */
static bool is_news(const struct trace *before, const struct trace *now,
		    const struct address *peer)
{
	if (before->at_ns == 0 || before->is_over ||
	    !address_equal(&before->last, &now->last))
		return true;
	return before->hops != now->hops && !address_equal(&now->last, peer);
}

static void report(const struct path *path, const struct trace *trace)
{
	char address[ADDRESS_TEXT_SIZE], hop[ADDRESS_TEXT_SIZE];
	const char *name = path->target->peer->name;

	address_format(&path->target->address, address);
	address_format(&trace->last, hop);
	if (path->reached)
		log_warnx("%s (%s) loses packets; a trace reached it at hop %llu", name,
			  address, (unsigned long long)trace->hops);
	else if (trace->hops)
		log_warnx("%s (%s) loses packets; last hop that answered: %s (hop %llu)",
			  name, address, hop, (unsigned long long)trace->hops);
	else
		log_warnx("%s (%s) loses packets; no hop answered a trace", name,
			  address);
}

static void trace_target(struct path *path, int64_t wall_ns)
{
	struct trace *trace = path->target->trace, before;

	follow(path);
	if (stop_requested())
		return;
	if (!trace)
		trace = path->target->trace = calloc(1, sizeof(*trace));
	if (!trace) {
		log_errx("out of memory");
		return;
	}
	before = *trace;
	*trace = summarize(path, wall_ns);
	if (is_news(&before, trace, &path->target->address))
		report(path, trace);
}

void trace_run(struct targets *targets, const struct cookie *cookie, int64_t deadline_ns,
	       int64_t wall_ns)
{
	size_t max = targets->config->collector.trace, count;
	struct target *chosen[OPTIONS_TRACE_MAX];

	end_traces(targets, wall_ns);
	count = choose(targets, chosen, max, wall_ns);
	for (size_t i = 0; i < count && !stop_requested(); i++) {
		struct path path = {.target = NULL};

		if (!open_path(&path, targets, chosen[i], cookie))
			continue;
		if (clock_monotonic_ns() + trace_longest_ns(path.options) <= deadline_ns)
			trace_target(&path, wall_ns);
		echosocket_close(&path.socket);
	}
}
