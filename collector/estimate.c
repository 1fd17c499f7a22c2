#include "estimate.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"
#include "ping/task.h"
#include "print.h"
#include "publish/metrics.h"

/*
 * What an address needs of the processor: to be added to liboping, and to be asked and
 * heard in a round. Measured on a slow machine with all cores busy; an idle one needs half.
 */
#define ADD_NS (20 * CLOCK_NS_PER_US)
#define REQUEST_NS (40 * CLOCK_NS_PER_US)
/* And a target to be restored and published. */
#define PUBLISH_NS (30 * CLOCK_NS_PER_US)

/* Of one group, or the sum of all. Times are upper bounds, from the start of the run. */
struct estimate {
	size_t targets;
	uint64_t packets, series, mesh_series;
	int64_t first_ns; /* the first measured round begins */
	int64_t last_ns;  /* the last round begins, if the deadline allows it */
	int64_t round_ns; /* the last round takes */
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
	case METRICS_IF_HOP_LIMIT:
	case METRICS_IF_COUNTED:
	case METRICS_IF_TRACE:
	case METRICS_IF_HOP: return true;
	case METRICS_IF_MTU:
	case METRICS_IF_PATH_MTU: return options && options->mtu > 0;
	case METRICS_IF_ROAM: return options && options->roam > 0;
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

/* Where a group's batch begins, ends and measures for the first and the last time. */
static void add_times(struct estimate *estimate, const struct batch *batch,
		      int64_t start_ns, int64_t round_ns)
{
	const struct options *o = batch->options;
	int64_t first_ns = start_ns + o->warmup * round_ns;
	int64_t last_ns = first_ns + (o->count - 1) * round_ns;

	if (first_ns > estimate->first_ns)
		estimate->first_ns = first_ns;
	if (last_ns >= estimate->last_ns) {
		estimate->last_ns = last_ns;
		estimate->round_ns = round_ns;
	}
}

/* Targets whose names are not looked up yet may have an address each. */
static size_t count_addresses(const struct batch *batch)
{
	return batch->addresses > 0 ? batch->addresses : batch->count;
}

/*
 * How long a round lasts at most: those with the same options take turns, all tasks may
 * send theirs at the same time, and only one runs at a time.
 */
static int64_t longest_round_ns(const struct batches *batches, const struct batch *batch)
{
	size_t sharing = 0, all = 0;

	for (size_t i = 0; i < batches->count; i++) {
		const struct batch *other = &batches->items[i];

		all += count_addresses(other);
		if (other->options == batch->options)
			sharing += count_addresses(other);
	}
	if (all > (size_t)TASK_MAX * BATCH_ADDRESSES_MAX)
		all = (size_t)TASK_MAX * BATCH_ADDRESSES_MAX;
	return batch_round_ns(batch->options, sharing) + (int64_t)all * REQUEST_NS;
}

/* The task that ends first. */
static size_t find_free(const int64_t free_ns[static TASK_MAX])
{
	size_t first = 0;

	for (size_t i = 1; i < TASK_MAX; i++)
		if (free_ns[i] < free_ns[first])
			first = i;
	return first;
}

/*
 * Fills in the times of each group. As in a run, each batch waits for a task, and all wait
 * for the lookups of all groups. Adding hosts holds up all tasks.
 */
static void estimate_times(const struct targets *targets, const struct batches *batches,
			   struct estimate *estimates)
{
	int64_t free_ns[TASK_MAX], added_ns = 0, lookup_ns = 0;

	if (config_has_names(targets->config))
		lookup_ns = targets->config->collector.resolve_timeout_ns;
	for (size_t i = 0; i < TASK_MAX; i++)
		free_ns[i] = lookup_ns;
	for (size_t i = 0; i < batches->count; i++) {
		const struct batch *batch = &batches->items[i];
		const struct options *o = batch->options;
		int64_t round_ns = longest_round_ns(batches, batch);
		size_t task = find_free(free_ns);

		added_ns += (int64_t)count_addresses(batch) * ADD_NS;
		for (size_t j = 0; j < batch->count; j++)
			add_times(&estimates[batch->targets[j]->peer->group], batch,
				  free_ns[task] + added_ns, round_ns);
		free_ns[task] += (o->warmup + o->count) * round_ns;
	}
}

/* Everything but the times. */
static struct estimate estimate_group(const struct targets *targets, size_t group)
{
	const struct config *config = targets->config;
	const struct group *g = &config->groups[group];
	const struct options *o = &g->options;
	struct estimate estimate = {.series = count_series(config, METRICS_PER_GROUP, o,
							   targets->groups[group].self)};

	for (size_t i = 0; i < targets->count; i++) {
		const struct target *target = &targets->items[i];

		if (target->has_conflict && target->peer->group == group)
			estimate.series +=
				count_series(config, METRICS_PER_PEER, o, true);
		if (!target_is_measured(target) || target->peer->group != group)
			continue;
		estimate.targets++;
		estimate.series +=
			count_series(config, METRICS_PER_TARGET, o, target->peer->host);
	}
	estimate.mesh_series = estimate.series * g->peer_count;
	estimate.packets = (uint64_t)estimate.targets * (o->warmup + o->count);
	return estimate;
}

/* No round begins after the deadline. One that is under way at that time is completed. */
static int64_t end_ns(const struct targets *targets, const struct estimate *estimate)
{
	int64_t deadline_ns = targets->config->collector.deadline_ns;

	return estimate->round_ns + (int64_t)targets->count * PUBLISH_NS +
	       (estimate->last_ns < deadline_ns ? estimate->last_ns : deadline_ns);
}

static void print_group(FILE *out, const struct targets *targets, size_t group,
			const struct estimate *estimate)
{
	const struct group *g = &targets->config->groups[group];
	const struct target_group *members = &targets->groups[group];

	fprintf(out,
		"group %s: %zu peers, self %s (%s); %zu pinged, %llu packets per run, at most %.1f s, %llu series\n",
		g->name, g->peer_count,
		members->self ? members->self->name : "not among them",
		print_self_reason(members), estimate->targets,
		(unsigned long long)estimate->packets, (double)estimate->end_ns / 1e9,
		(unsigned long long)estimate->series);
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

bool estimate_print(FILE *out, const struct targets *targets,
		    const struct batches *batches)
{
	const struct config *config = targets->config;
	struct estimate total = {
		.series = count_series(config, METRICS_PER_NODE, NULL, false)};
	/* Too large for the stack. --check estimates once. */
	static struct estimate estimates[CONFIG_GROUPS_MAX];
	bool good = true;

	for (size_t i = 0; i < config->group_count; i++)
		estimates[i] = estimate_group(targets, i);
	for (size_t i = 0; i < config->file_count; i++)
		fprintf(out, "file %s\n", config->files[i]);
	estimate_times(targets, batches, estimates);
	for (size_t i = 0; i < config->group_count; i++) {
		struct estimate *estimate = &estimates[i];

		estimate->end_ns = end_ns(targets, estimate);
		print_group(out, targets, i, estimate);
		total.targets += estimate->targets;
		total.packets += estimate->packets;
		total.series += estimate->series;
		total.mesh_series += estimate->mesh_series;
		if (estimate->end_ns > total.end_ns)
			total.end_ns = estimate->end_ns;
		good &= check_deadline(config, &config->groups[i], estimate);
	}
	fprintf(out,
		"%zu groups, %zu peers, %llu packets per run, at most %.1f s, %llu series on this node\n",
		config->group_count, config->peer_count,
		(unsigned long long)total.packets, (double)total.end_ns / 1e9,
		(unsigned long long)total.series);
	check_series(&total);
	return good;
}
