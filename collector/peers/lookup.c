#include "peers/lookup.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/stop.h"
#include "peers/resolve.h"

/*
 * Whether the address of this peer may tell that it is this node. Without that, an
 * unselected peer is not looked up: a fleet must not flood its DNS with names that it
 * does not ping.
 */
static bool may_be_self(const struct targets *targets, const struct target *target)
{
	return !targets->groups[target->peer->group].self &&
	       !*targets->config->collector.self;
}

/*
 * An unselected peer is usually not looked up, so that nothing is known of it does not
 * make it due at once.
 */
static bool target_is_due(const struct targets *targets, const struct target *target,
			  bool all)
{
	if (!target->peer->host)
		return false;
	if (target->state == TARGET_UNSELECTED)
		return all && may_be_self(targets, target);
	return all || !target->looked_up;
}

/*
 * The names that are due, beginning with a different one in each run. Where more names
 * are due than can be looked up in time, each must have its turn. The runs are as regular
 * as their timer, so the time itself could select the same ones again and again;
 * Fibonacci hashing (Knuth, TAOCP 3, 6.4) spreads it.
 */
static size_t collect_due(struct targets *targets, bool all, int64_t wall_ns,
			  struct resolve_query *queries)
{
	size_t first = (size_t)((uint64_t)wall_ns * UINT64_C(0x9e3779b97f4a7c15) >> 33);
	size_t count = 0;

	for (size_t i = 0; i < targets->count; i++) {
		struct target *target = &targets->items[(first + i) % targets->count];

		if (target_is_due(targets, target, all))
			queries[count++] =
				(struct resolve_query){.host = target->peer->host,
						       .family = target->family,
						       .owner = target,
						       .address = target->address};
	}
	return count;
}

/*
 * A name that no child came to in time is unresolved like one whose lookup failed, but it
 * is not marked as looked up, so the next run asks at once.
 */
static void update_target(const struct resolve_query *query)
{
	struct target *target = query->owner;

	target->looked_up |= query->asked;
	target->resolved = query->answered;
	if (query->answered)
		target->address = query->address;
}

bool lookup_is_due(const struct targets *targets, const struct stats_node *node,
		   int64_t wall_ns)
{
	int64_t age_ns = wall_ns - node->last_resolve_ns;

	/* After a step back of the clock the age of the addresses is unknown. */
	return age_ns < 0 || age_ns >= targets->config->collector.resolve_every_ns;
}

int lookup_run(struct targets *targets, struct stats_node *node, int64_t deadline_ns,
	       int64_t wall_ns)
{
	bool all = lookup_is_due(targets, node, wall_ns), stopped;
	struct resolve_query *queries;
	size_t count, asked = 0, answered = 0;
	int result;

	if (!config_has_names(targets->config))
		return 0;
	queries = calloc(targets->count + 1, sizeof(*queries));
	if (!queries) {
		log_errx("out of memory");
		return -1;
	}
	count = collect_due(targets, all, wall_ns, queries);
	result = resolve_run(queries, count, deadline_ns);
	stopped = stop_requested();
	for (size_t i = 0; result == 0 && i < count; i++) {
		/* A stop request says nothing about the names that it cut off. */
		if (queries[i].answered || !stopped)
			update_target(&queries[i]);
		answered += queries[i].answered;
		asked += queries[i].asked;
	}
	/* Where every child hung in the first names, DNS is down: ask again soon. */
	if (result == 0 && all && !stopped && (answered > 0 || asked == count))
		node->last_resolve_ns = wall_ns;
	free(queries);
	return result;
}
