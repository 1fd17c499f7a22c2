#include "estimate.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"
#include "ping/batch.h"
#include "ping/batches.h"
#include "publish/metrics.h"

/*
 * ping_host_add() compares each new host with all before it: 10,000 hosts take a second,
 * 30,000 take 17. Adding n hosts takes at most about n * n / ADD_PAIRS_PER_MS ms.
 */
#define ADD_PAIRS_PER_MS 50000

/* Of one group, or the sum of all. Times are upper bounds, from the start of the run. */
struct estimate {
	size_t targets;
	uint64_t packets, series, mesh_series;
	int64_t first_ns; /* the first measured round begins */
	int64_t last_ns;  /* the last round begins, if the deadline allows it */
	int64_t end_ns;	  /* the run ends */
};

/*
 * Whether a metric can have series in any run. `applies` tells of a group that this node
 * is a member of it, and of a target that it has a host name: what a metric asks for that
 * has series of some groups or targets only.
 */
static bool may_have_series(const struct metric *metric, const struct options *options,
			    bool applies)
{
	switch (metric->presence) {
	case METRICS_ALWAYS:
	case METRICS_IF_NOT_ZERO:
	case METRICS_IF_REQUESTS:
	case METRICS_IF_REPLIES:
	case METRICS_IF_PAIRS:
	case METRICS_IF_CONFLICT:
	case METRICS_IF_HOP_LIMIT: return true;
	case METRICS_IF_MEMBER:
	case METRICS_IF_LOOKED_UP: return applies;
	case METRICS_IF_HISTOGRAM:
		/* The node itself has no options, and no histogram. */
		return options &&
		       options->histogram == (metrics_scope(metric) == METRICS_PER_GROUP
						      ? HISTOGRAM_GROUP
						      : HISTOGRAM_PEER);
	}
	return true;
}

/* The series of the node, of one group or of one target, counted in the table of metrics. */
static uint64_t count_series(const struct config *config, enum metrics_scope scope,
			     const struct options *options, bool applies)
{
	uint64_t series = 0;

	for (size_t i = 0; i < metrics_count; i++) {
		const struct metric *metric = &metrics_table[i];

		if (metrics_scope(metric) == scope &&
		    may_have_series(metric, options, applies))
			series += metrics_series(metric, &config->collector.buckets);
	}
	return series;
}

/*
 * Groups whose options are equal share their rounds, so the time of a group depends on the
 * targets of all of them. Every group waits until the lookups of all groups have ended.
 */
static struct estimate estimate_group(const struct targets *targets, size_t group)
{
	const struct config *config = targets->config;
	const struct group *g = &config->groups[group];
	const struct options *o = &g->options;
	struct estimate estimate = {.series = count_series(config, METRICS_PER_GROUP, o,
							   targets->groups[group].self)};
	int64_t sharing = 0, round_ns;

	for (size_t i = 0; i < targets->count; i++) {
		const struct target *target = &targets->items[i];

		if (target->has_conflict && target->peer->group == group)
			estimate.series +=
				count_series(config, METRICS_PER_PEER, o, true);
		if (!target_is_measured(target))
			continue;
		sharing += batches_may_share(o, &target_group(targets, target)->options);
		if (target->peer->group != group)
			continue;
		estimate.targets++;
		estimate.series +=
			count_series(config, METRICS_PER_TARGET, o, target->peer->host);
	}
	estimate.mesh_series = estimate.series * g->peer_count;
	estimate.packets = (uint64_t)estimate.targets * (o->warmup + o->count);
	round_ns = batch_round_ns(o, (size_t)sharing);
	estimate.first_ns = sharing * sharing / ADD_PAIRS_PER_MS * CLOCK_NS_PER_MS +
			    o->warmup * round_ns;
	if (config_has_names(config))
		estimate.first_ns += config->collector.resolve_timeout_ns;
	estimate.last_ns = estimate.first_ns + (o->count - 1) * round_ns;
	/* No round begins after the deadline, but one that has begun ends. */
	estimate.end_ns = round_ns + (estimate.last_ns < config->collector.deadline_ns
					      ? estimate.last_ns
					      : config->collector.deadline_ns);
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

/*
 * A group of which no measured round fits is an error, because its runs would measure
 * nothing. Where only the last rounds do not fit, and only while peers are down, the
 * results still hold, so that is a warning.
 */
static bool check_deadline(const struct config *config, const struct group *group,
			   const struct estimate *estimate)
{
	int64_t deadline_ns = config->collector.deadline_ns;
	char deadline[NUMBER_DURATION_SIZE];

	number_format_duration(deadline, deadline_ns);
	if (estimate->targets == 0 || estimate->last_ns <= deadline_ns)
		return true;
	if (estimate->first_ns > deadline_ns) {
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
			"%llu series on this node: with more than %d node_exporter becomes large and slow; histogram = group or off needs fewer",
			(unsigned long long)total->series, ESTIMATE_NODE_SERIES_MAX);
	if (total->mesh_series > ESTIMATE_MESH_SERIES_MAX)
		log_warnx(
			"%llu series if every peer runs this configuration: with more than %d Prometheus becomes large; histogram = group or off needs fewer",
			(unsigned long long)total->mesh_series, ESTIMATE_MESH_SERIES_MAX);
}

bool estimate_print(FILE *out, const struct targets *targets)
{
	const struct config *config = targets->config;
	struct estimate total = {
		.series = count_series(config, METRICS_PER_NODE, NULL, false)};
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
