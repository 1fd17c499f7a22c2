#include "names.h"

#include <stdlib.h>

#include "log.h"
#include "resolve.h"

static bool is_due(const struct target *target, bool all)
{
	const struct peer *peer = target->peer;

	return peer->host && (all || !target->looked_up);
}

static void apply(struct target *target, const struct resolve_query *query)
{
	target->looked_up = true;
	target->resolved = query->answered;
	if (query->answered)
		target->address = query->address;
}

int names_resolve(struct targets *targets, struct state *state, int64_t deadline_ns,
		  int64_t wall_ns)
{
	int64_t age_ns = wall_ns - state->last_resolve_ns;
	/* A clock that went back says nothing about how old the answers are. */
	bool all = age_ns < 0 || age_ns >= targets->config->collector.resolve_every_ns;
	struct resolve_query *queries;
	size_t count = 0;
	int result;

	if (!config_has_names(targets->config))
		return 0;
	queries = calloc(targets->count, sizeof(*queries));
	if (!queries) {
		log_errx("out of memory");
		return -1;
	}
	for (size_t i = 0; i < targets->count; i++)
		if (is_due(&targets->items[i], all))
			queries[count++] = (struct resolve_query){
				.host = targets->items[i].peer->host,
				.family = targets->items[i].family,
				.address = targets->items[i].address};
	result = resolve_run(queries, count, deadline_ns);
	for (size_t i = targets->count; result == 0 && i-- > 0;)
		if (is_due(&targets->items[i], all))
			apply(&targets->items[i], &queries[--count]);
	if (result == 0 && all)
		state->last_resolve_ns = wall_ns;
	free(queries);
	return result;
}
