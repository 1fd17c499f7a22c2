#include "estimate.h"

#include <string.h>

#include "base/clock.h"
#include "ping/batch.h"
#include "ping/batches.h"
#include "base/log.h"
#include "base/number.h"

/* liboping goes over its list for each host that is added. */
#define ADD_PAIRS_PER_MS 50000

/* Series of a target beside its histogram: see schema.h. */
#define COUNTER_SERIES 3
#define GAUGE_SERIES 8
#define INFO_SERIES 1
#define RESOLVED_SERIES 1

/* Series of a node and of a group that do not depend on the number of peers. */
#define NODE_SERIES 15
#define GROUP_SERIES 5
#define MEMBER_SERIES 2

struct estimate {
	size_t targets;
	uint64_t packets;
	uint64_t series;
	uint64_t mesh_series;
	int64_t round_ns; /* at most */
	int64_t first_ns; /* when the first measured round begins at the latest */
	int64_t last_ns;  /* the last */
	int64_t end_ns;
};

/* Buckets, +Inf, sum and count. */
static uint64_t histogram_series(const struct config *config)
{
	return config->collector.buckets.count + 3;
}

static uint64_t target_series(const struct config *config, const struct target *target)
{
	uint64_t series = COUNTER_SERIES + GAUGE_SERIES + INFO_SERIES;

	if (target->peer->host)
		series += RESOLVED_SERIES;
	if (config->groups[target->peer->group].options.histogram == HISTOGRAM_PEER)
		series += histogram_series(config);
	return series;
}

/* How many targets share a round with those of the group, at most. */
static size_t count_round(const struct targets *targets, size_t group)
{
	const struct group *groups = targets->config->groups;
	size_t count = 0;

	for (size_t i = 0; i < targets->count; i++)
		if (target_is_measured(&targets->items[i]) &&
		    batches_may_share(
			    &groups[group].options,
			    &target_group(targets, &targets->items[i])->options))
			count++;
	return count;
}

static struct estimate estimate_group(const struct targets *targets, size_t group)
{
	const struct config *config = targets->config;
	const struct options *o = &config->groups[group].options;
	struct estimate estimate = {.series = GROUP_SERIES};
	int64_t shared;
	/* All groups wait for all names. */
	int64_t start_ns =
		config_has_names(config) ? config->collector.resolve_timeout_ns : 0;

	for (size_t i = 0; i < targets->count; i++) {
		const struct target *target = &targets->items[i];

		if (target->peer->group != group || !target_is_measured(target))
			continue;
		estimate.targets++;
		estimate.series += target_series(config, target);
	}
	if (targets->groups[group].self)
		estimate.series += MEMBER_SERIES;
	if (o->histogram == HISTOGRAM_GROUP)
		estimate.series += histogram_series(config);
	estimate.mesh_series = estimate.series * config->groups[group].peer_count;
	estimate.packets = (uint64_t)estimate.targets * (o->warmup + o->count);
	shared = (int64_t)count_round(targets, group);
	start_ns += shared * shared / ADD_PAIRS_PER_MS * CLOCK_NS_PER_MS;
	estimate.round_ns = batch_round_ns(o, (size_t)shared);
	estimate.first_ns = start_ns + o->warmup * estimate.round_ns;
	estimate.last_ns = estimate.first_ns + (o->count - 1) * estimate.round_ns;
	estimate.end_ns = config->collector.deadline_ns;
	if (estimate.last_ns < estimate.end_ns)
		estimate.end_ns = estimate.last_ns;
	estimate.end_ns += estimate.round_ns;
	return estimate;
}

static void print_group(FILE *out, const struct targets *targets, size_t group,
			const struct estimate *estimate)
{
	const struct group *g = &targets->config->groups[group];
	const struct peer *self = targets->groups[group].self;

	fprintf(out,
		"group %s: %zu peers, self %s; %zu pinged, %llu packets per run, at most %.1f s, %llu series\n",
		g->name, g->peer_count, self ? self->name : "not among them",
		estimate->targets, (unsigned long long)estimate->packets,
		(double)estimate->end_ns / 1e9, (unsigned long long)estimate->series);
}

/* Whether at least one measured round of the group fits. */
static bool check_deadline(const struct config *config, const struct group *group,
			   const struct estimate *estimate)
{
	char deadline[NUMBER_DURATION_SIZE];

	number_format_duration(deadline, config->collector.deadline_ns);
	if (estimate->targets == 0 || estimate->last_ns <= config->collector.deadline_ns)
		return true;
	if (estimate->first_ns > config->collector.deadline_ns) {
		log_errx(
			"group `%s`: no measured round fits: the first one may begin only after %.1f s, expected it within deadline = %s",
			group->name, (double)estimate->first_ns / 1e9, deadline);
		return false;
	}
	log_warnx(
		"group `%s`: the last round may begin only after %.1f s, which is beyond deadline = %s: where peers are down, rounds are left out",
		group->name, (double)estimate->last_ns / 1e9, deadline);
	return true;
}

static void check_series(const struct estimate *total)
{
	if (total->series > ESTIMATE_NODE_SERIES_MAX)
		log_warnx(
			"%llu series on this node: above %d its node_exporter becomes large and slow; a histogram a group, or none, needs fewer",
			(unsigned long long)total->series, ESTIMATE_NODE_SERIES_MAX);
	if (total->mesh_series > ESTIMATE_MESH_SERIES_MAX)
		log_warnx(
			"%llu series if every peer runs this configuration: think of what Prometheus can hold; a histogram a group, or none, needs fewer",
			(unsigned long long)total->mesh_series);
}

bool estimate_print(FILE *out, const struct targets *targets)
{
	const struct config *config = targets->config;
	struct estimate total = {.series = NODE_SERIES};
	bool good = true;

	for (size_t i = 0; i < config->file_count; i++)
		fprintf(out, "file %s\n", config->files[i]);
	for (size_t i = 0; i < config->group_count; i++) {
		struct estimate estimate = estimate_group(targets, i);

		print_group(out, targets, i, &estimate);
		total.targets += estimate.targets;
		total.packets += estimate.packets;
		total.series += estimate.series;
		total.mesh_series += estimate.mesh_series;
		if (estimate.targets > 0 && estimate.end_ns > total.end_ns)
			total.end_ns = estimate.end_ns;
		good &= check_deadline(config, &config->groups[i], &estimate);
	}
	fprintf(out,
		"%zu groups, %zu peers, %llu packets per run, at most %.1f s, %llu series on this node\n",
		config->group_count, config->peer_count,
		(unsigned long long)total.packets, (double)total.end_ns / 1e9,
		(unsigned long long)total.series);
	check_series(&total);
	return good;
}
