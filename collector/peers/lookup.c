#include "peers/lookup.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "peers/resolve.h"
#include "base/stop.h"

/* Whether any name of the group may turn out to have an address of this node. */
static bool may_identify(const struct targets *targets, const struct target *target)
{
	return !targets->groups[target->peer->group].self &&
	       !*targets->config->collector.self;
}

/*
 * A fleet must not flood its DNS with names that it does not ping. Of those nothing is
 * kept from run to run, so that they were not looked up yet says nothing.
 */
static bool is_due(const struct targets *targets, const struct target *target, bool all)
{
	if (!target->peer->host)
		return false;
	if (target->state == TARGET_UNSELECTED)
		return all && may_identify(targets, target);
	return all || !target->looked_up;
}

/* What was not even asked in time is unresolved, too, but is due again at once. */
static void apply(struct target *target, const struct resolve_query *query)
{
	target->looked_up |= query->asked;
	target->resolved = query->answered;
	if (query->answered)
		target->address = query->address;
}

/* Anything but in step with the timer: Fibonacci hashing (Knuth, TAOCP 3, 6.4). */
static size_t scatter(int64_t wall_ns)
{
	return (size_t)((uint64_t)wall_ns * UINT64_C(0x9e3779b97f4a7c15) >> 33);
}

/*
 * The names that are due, beginning anywhere: where there are more than can be
 * looked up in time, it must not always be the same ones that are.
 */
static size_t collect(struct targets *targets, bool all, int64_t wall_ns,
		      struct target **due)
{
	size_t first = targets->count ? scatter(wall_ns) % targets->count : 0;
	size_t count = 0;

	for (size_t i = 0; i < targets->count; i++) {
		struct target *target = &targets->items[(first + i) % targets->count];

		if (is_due(targets, target, all))
			due[count++] = target;
	}
	return count;
}

static int look_up(struct target **due, size_t count, int64_t deadline_ns, size_t *asked,
		   size_t *answered)
{
	struct resolve_query *queries = calloc(count + 1, sizeof(*queries));
	bool stopped;
	int result;

	if (!queries) {
		log_errx("out of memory");
		return -1;
	}
	for (size_t i = 0; i < count; i++)
		queries[i] = (struct resolve_query){.host = due[i]->peer->host,
						    .family = due[i]->family,
						    .address = due[i]->address};
	result = resolve_run(queries, count, deadline_ns);
	stopped = stop_requested();
	for (size_t i = 0; result == 0 && i < count; i++) {
		/* A stop request says nothing about a name. */
		if (queries[i].answered || !stopped)
			apply(due[i], &queries[i]);
		*answered += queries[i].answered;
		*asked += queries[i].asked;
	}
	free(queries);
	return result;
}

bool lookup_is_due(const struct targets *targets, const struct stats_node *node,
		   int64_t wall_ns)
{
	int64_t age_ns = wall_ns - node->last_resolve_ns;

	/* A clock that went back says nothing about how old the answers are. */
	return age_ns < 0 || age_ns >= targets->config->collector.resolve_every_ns;
}

int lookup_run(struct targets *targets, struct stats_node *node, int64_t deadline_ns,
	       int64_t wall_ns)
{
	bool all = lookup_is_due(targets, node, wall_ns);
	struct target **due;
	size_t count, asked = 0, answered = 0;
	int result;

	if (!config_has_names(targets->config))
		return 0;
	due = calloc(targets->count + 1, sizeof(*due));
	if (!due) {
		log_errx("out of memory");
		return -1;
	}
	count = collect(targets, all, wall_ns, due);
	result = look_up(due, count, deadline_ns, &asked, &answered);
	if (result == 0 && all && (answered > 0 || asked == count) && !stop_requested())
		node->last_resolve_ns = wall_ns;
	free(due);
	return result;
}
