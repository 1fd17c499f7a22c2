#include "estimate.h"

#include <string.h>

#include "base/clock.h"
#include "ping/batch.h"
#include "ping/batches.h"
#include "publish/metrics.h"
#include "base/log.h"
#include "base/number.h"

/* liboping goes over its list for each host that is added. */
#define ADD_PAIRS_PER_MS 50000

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

/* Whether a metric can have series for a target or group, at most. */
static bool may_have_series(const struct metric *metric, const struct options *options,
			    bool is_member, bool has_host)
{
	enum histogram_mode mode = metrics_scope(metric) == METRICS_PER_GROUP
					   ? HISTOGRAM_GROUP
					   : HISTOGRAM_PEER;

	switch (metric->presence) {
	case METRICS_ALWAYS:
	case METRICS_IF_NOT_ZERO:
	case METRICS_IF_REQUESTS:
	case METRICS_IF_REPLIES:
	case METRICS_IF_PAIRS:
	case METRICS_IF_HOP_LIMIT: return true;
	case METRICS_IF_MEMBER: return is_member;
	case METRICS_IF_LOOKED_UP: return has_host;
	case METRICS_IF_HISTOGRAM: return options->histogram == mode;
	}
	return true;
}

/* At most so many series for the node, for one group, or for one target. */
static uint64_t count_series(const struct config *config, enum metrics_scope scope,
			     const struct options *options, bool is_member, bool has_host)
{
	uint64_t series = 0;

	for (size_t i = 0; i < metrics_count; i++) {
		const struct metric *metric = &metrics_table[i];

		if (metrics_scope(metric) == scope &&
		    may_have_series(metric, options, is_member, has_host))
			series += metrics_series(metric, &config->collector.buckets);
	}
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
	struct estimate estimate = {.series = count_series(config, METRICS_PER_GROUP, o,
							   targets->groups[group].self,
							   false)};
	int64_t shared;
	/* All groups wait for all names. */
	int64_t start_ns =
		config_has_names(config) ? config->collector.resolve_timeout_ns : 0;

	for (size_t i = 0; i < targets->count; i++) {
		const struct target *target = &targets->items[i];

		if (target->peer->group != group || !target_is_measured(target))
			continue;
		estimate.targets++;
		estimate.series += count_series(config, METRICS_PER_TARGET, o, false,
						target->peer->host);
	}
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
	struct estimate total = {
		.series = count_series(config, METRICS_PER_NODE, NULL, false, false)};
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
