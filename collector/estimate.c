#include "estimate.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"
#include "peers/roam.h"
#include "ping/pathmtu.h"
#include "ping/task.h"
#include "ping/trace.h"
#include "print.h"
#include "publish/metrics.h"

/*
 * What an address needs of the processor: to be added to liboping, and to be asked and
 * heard in a round. Measured on a slow machine with all cores busy; an idle one needs half.
 */
#define ADD_NS (20 * CLOCK_NS_PER_US)
#define REQUEST_NS (40 * CLOCK_NS_PER_US)
/* And each hop of a trace, as waits end late on such a machine. */
#define HOP_NS (5 * CLOCK_NS_PER_MS)
/* And a target to be restored and published. */
#define PUBLISH_NS (30 * CLOCK_NS_PER_US)
/* And every run, even without targets. The waits of its rounds end late, too. */
#define RUN_NS (50 * CLOCK_NS_PER_MS)

#define TENTH_NS (CLOCK_NS_PER_S / 10)

/* Of one group, or the sum of all. Times are upper bounds, from the start of the run. */
struct estimate {
	size_t targets;
	size_t visits; /* targets that roaming may ask besides those in batches */
	uint64_t packets, series, mesh_series;
	int64_t first_ns;     /* start of the first measured round */
	int64_t last_ns;      /* start of the last round, if there were no deadline */
	int64_t round_ns;     /* duration of the last round */
	int64_t rounds_ns;    /* end of all rounds */
	int64_t diagnosis_ns; /* duration of path MTU and traces, without a deadline */
	int64_t trace_ns;     /* duration of the longest trace */
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
 * send theirs at the same time, and only one runs at a time. Any batch may have to ask
 * `visits` more.
 */
static int64_t longest_round_ns(const struct batches *batches, const struct batch *batch,
				size_t visits)
{
	size_t sharing = visits, all = visits;

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
	int64_t free_ns[TASK_MAX], added_ns, lookup_ns = 0;
	size_t visits = 0;

	for (size_t i = 0; i < targets->config->group_count; i++)
		visits += estimates[i].visits;
	added_ns = (int64_t)visits * ADD_NS;
	if (config_has_names(targets->config))
		lookup_ns = targets->config->collector.resolve_timeout_ns;
	for (size_t i = 0; i < TASK_MAX; i++)
		free_ns[i] = lookup_ns;
	for (size_t i = 0; i < batches->count; i++) {
		const struct batch *batch = &batches->items[i];
		const struct options *o = batch->options;
		int64_t round_ns = longest_round_ns(batches, batch, visits);
		size_t task = find_free(free_ns);

		added_ns += (int64_t)count_addresses(batch) * ADD_NS;
		for (size_t j = 0; j < batch->count; j++)
			add_times(&estimates[batch->targets[j]->peer->group], batch,
				  free_ns[task] + added_ns, round_ns);
		free_ns[task] += (o->warmup + o->count) * round_ns;
	}
}

/* Whether a lookup may show that this node is a peer of the group. */
static bool may_be_member(const struct targets *targets, size_t group)
{
	const struct group *g = &targets->config->groups[group];

	for (size_t i = 0; i < g->peer_count && !targets->groups[group].self; i++)
		if (targets->config->peers[g->first_peer + i].host)
			return true;
	return false;
}

void estimate_assume_members(struct config *config, const struct targets *targets)
{
	for (size_t i = 0; i < config->group_count; i++)
		if (may_be_member(targets, i))
			config->groups[i].options.members_only = false;
}

/*
 * The most targets that roaming asks in a run: new ones, those of the previous run again if
 * they were silent, and all that are listed.
 */
static size_t most_visits(const struct target_group *members, const struct options *o)
{
	size_t families = o->family == FAMILY_BOTH ? 2 : 1;

	if (o->roam == 0 || o->fanout == OPTIONS_FANOUT_ALL ||
	    (o->members_only && !members->self))
		return 0;
	return 2 * families * o->roam + ROAM_UNRESPONSIVE_MAX;
}

static void add_visits(struct estimate *estimate, const struct targets *targets,
		       size_t group)
{
	const struct options *o = &targets->config->groups[group].options;
	size_t others = 0, most = most_visits(&targets->groups[group], o), known = 0;

	for (size_t i = 0; i < targets->count && most > 0; i++) {
		const struct target *target = &targets->items[i];

		if (target->peer->group != group || target->state != TARGET_UNSELECTED ||
		    target->is_local)
			continue;
		others++;
		known += target_is_asked(target);
	}
	if (most > others)
		most = others;
	estimate->visits = most - known;
	estimate->packets += (uint64_t)most * (o->warmup + o->count);
}

static bool may_be_of(const struct target *target, enum address_family family)
{
	enum address_family known = target->address.family != ADDRESS_NONE
					    ? target->address.family
					    : target->family;

	return known == family || known == ADDRESS_NONE;
}

/* The rounds with large packets: one for each family. */
static void add_path_mtu(struct estimate *estimate, const struct targets *targets,
			 size_t group)
{
	static const enum address_family families[] = {ADDRESS_IPV4, ADDRESS_IPV6};
	const struct options *o = &targets->config->groups[group].options;

	if (o->mtu == 0)
		return;
	estimate->packets += (uint64_t)estimate->targets * PATHMTU_ATTEMPTS_MAX;
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		size_t count = 0;

		for (size_t j = 0; j < targets->count; j++)
			count += targets->items[j].peer->group == group &&
				 target_is_measured(&targets->items[j]) &&
				 may_be_of(&targets->items[j], families[i]);
		if (count > 0)
			estimate->diagnosis_ns += pathmtu_longest_ns(o, count);
	}
}

/* The times of rounds and the traces are added for all groups together, later. */
static struct estimate estimate_group(const struct targets *targets, size_t group)
{
	const struct config *config = targets->config;
	const struct group *g = &config->groups[group];
	const struct options *o = &g->options;
	bool is_member = targets->groups[group].self || may_be_member(targets, group);
	struct estimate estimate = {
		.trace_ns = trace_longest_ns(o) + TRACE_HOPS_MAX * HOP_NS,
		.series = count_series(config, METRICS_PER_GROUP, o, is_member)};

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
	add_visits(&estimate, targets, group);
	add_path_mtu(&estimate, targets, group);
	return estimate;
}

/* No round starts after the deadline. One that is running then is completed. */
static void limit_rounds(struct estimate *estimate, int64_t deadline_ns)
{
	estimate->rounds_ns =
		estimate->round_ns +
		(estimate->last_ns < deadline_ns ? estimate->last_ns : deadline_ns);
}

static void add_group(struct estimate *total, const struct estimate *estimate)
{
	total->targets += estimate->targets;
	total->packets += estimate->packets;
	total->series += estimate->series;
	total->mesh_series += estimate->mesh_series;
	total->diagnosis_ns += estimate->diagnosis_ns;
	if (estimate->rounds_ns > total->rounds_ns)
		total->rounds_ns = estimate->rounds_ns;
	if (estimate->targets > 0 && estimate->trace_ns > total->trace_ns)
		total->trace_ns = estimate->trace_ns;
}

/* At most `trace` targets of the whole run are traced, one after the other. */
static void add_traces(struct estimate *estimate, const struct config *config)
{
	uint64_t traces = config->collector.trace < estimate->targets
				  ? config->collector.trace
				  : estimate->targets;

	estimate->packets += traces * TRACE_HOPS_MAX;
	estimate->diagnosis_ns += (int64_t)traces * estimate->trace_ns;
}

/* The end of the run. A trace or path MTU probe that would end after the deadline is skipped. */
static double end_seconds(const struct targets *targets, const struct estimate *estimate)
{
	int64_t deadline_ns = targets->config->collector.deadline_ns;
	int64_t end_ns = estimate->rounds_ns + estimate->diagnosis_ns;
	int64_t tenths;

	if (end_ns > deadline_ns)
		end_ns = deadline_ns;
	if (end_ns < estimate->rounds_ns)
		end_ns = estimate->rounds_ns;
	end_ns += RUN_NS + (int64_t)targets->count * PUBLISH_NS;
	/* Rounded up, as it is printed with one decimal. */
	tenths = (end_ns + TENTH_NS - 1) / TENTH_NS;
	return (double)tenths / 10;
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
		(unsigned long long)estimate->packets, end_seconds(targets, estimate),
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

		limit_rounds(estimate, config->collector.deadline_ns);
		add_group(&total, estimate);
		add_traces(estimate, config);
		print_group(out, targets, i, estimate);
		good &= check_deadline(config, &config->groups[i], estimate);
	}
	add_traces(&total, config);
	fprintf(out,
		"%zu groups, %zu peers, %llu packets per run, at most %.1f s, %llu series on this node\n",
		config->group_count, config->peer_count,
		(unsigned long long)total.packets, end_seconds(targets, &total),
		(unsigned long long)total.series);
	check_series(&total);
	return good;
}
