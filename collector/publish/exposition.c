#include "publish/exposition.h"

#include <string.h>

#include "base/number.h"
#include "publish/promfile.h"

/*
 * A metric while its series are being written. The file goes metric by metric, as the
 * format wants all series of a metric together, so the targets are walked once for each.
 */
struct series {
	struct writer *w;
	const struct exposition *e;
	const struct metric *metric;
	bool has_header;
	/* What the series is of: a group, a target of it, or neither for the node. */
	const struct group *group;
	const struct target_group *members; /* the same group */
	const struct target *target;
	const struct failure *failure; /* of the target */
};

/*
 * HELP and TYPE come with the first series: a metric without series, such as the histogram
 * of a group where no group has one, is not mentioned at all.
 */
static void write_header(struct series *s)
{
	if (s->has_header)
		return;
	s->has_header = true;
	writer_text(s->w, "# HELP ");
	writer_text(s->w, s->metric->name);
	writer_text(s->w, " ");
	writer_text(s->w, s->metric->help);
	writer_text(s->w, "\n# TYPE ");
	writer_text(s->w, s->metric->name);
	writer_text(s->w, " ");
	writer_text(s->w, metrics_type_name(s->metric->type));
	writer_text(s->w, "\n");
}

const char *exposition_file(const char *path)
{
	static const char prefix[] = "nodecanary-";
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	return strncmp(name, prefix, sizeof(prefix) - 1) == 0 ? name : NULL;
}

static void write_label(struct writer *w, const char *separator, const char *name,
			const char *value)
{
	writer_text(w, separator);
	writer_text(w, name);
	writer_text(w, "=\"");
	writer_escaped(w, value);
	writer_text(w, "\"");
}

/*
 * Writes the name and the labels that say what the series is of. Returns what comes before
 * the next label, if there is one.
 */
static const char *begin_series(struct series *s, const char *suffix)
{
	write_header(s);
	writer_text(s->w, s->metric->name);
	writer_text(s->w, suffix);
	if (!s->group && s->e->file)
		write_label(s->w, "{", "file", s->e->file);
	if (!s->group)
		return s->e->file ? "," : "{";
	write_label(s->w, "{", "group", s->group->name);
	if (s->target) {
		write_label(s->w, ",", "peer", s->target->peer->name);
		if (s->target->has_family_label &&
		    metrics_scope(s->metric) != METRICS_PER_PEER)
			write_label(s->w, ",", "family", target_family_label(s->target));
	}
	return ",";
}

/* Labels of the group and of the peer; those of the peer win. */
static void write_user_labels(struct series *s)
{
	struct labels_cursor cursor = {0, 0};
	const struct label *label;

	while ((label = labels_next(&s->group->labels, &s->target->peer->labels,
				    &cursor)) != NULL)
		write_label(s->w, ",", label->name, label->value);
}

/* The labels that only this metric has. Returns what comes before the next one. */
static const char *write_own_labels(struct series *s, const char *separator)
{
	char address[ADDRESS_TEXT_SIZE];

	switch (s->metric->labels) {
	case METRICS_NO_LABELS: return separator;
	case METRICS_VERSIONS:
		write_label(s->w, separator, "version", NODECANARY_VERSION);
		write_label(s->w, ",", "liboping", NODECANARY_LIBOPING_VERSION);
		break;
	case METRICS_SELF:
		if (!s->members || !s->members->self)
			return separator;
		write_label(s->w, separator, "peer", s->members->self->name);
		break;
	case METRICS_REASON:
		if (!s->failure)
			return separator;
		write_label(s->w, separator, "reason",
			    failure_reason_names[s->failure->reason]);
		/* Empty where this host refused to send. */
		address_format(&s->failure->from, address);
		write_label(s->w, ",", "from", address);
		break;
	case METRICS_HOP:
		if (!s->target || !s->target->trace)
			return separator;
		address_format(&s->target->trace->last, address);
		write_label(s->w, separator, "hop", address);
		break;
	case METRICS_ADDRESS:
		if (!s->target)
			return separator;
		/* Empty while no address is known, which is how a query finds such peers. */
		address_format(&s->target->address, address);
		write_label(s->w, separator, "address", address);
		write_user_labels(s);
		break;
	}
	return ",";
}

/* `separator` is what would come before another label: "{" where there was none. */
static void end_labels(struct series *s, const char *separator)
{
	writer_text(s->w, *separator == '{' ? " " : "} ");
}

static void write_count(struct series *s, uint64_t value)
{
	writer_u64(s->w, value);
	writer_text(s->w, "\n");
}

static void write_sum(struct writer *w, const struct stats_sum *sum)
{
	writer_seconds(w, sum->seconds, sum->nanos);
}

/*
 * The buckets are kept apart and published as sums of all up to each bound. A histogram
 * without counts has not been observed yet; it is published with zeros all the same, as
 * rate() needs the value before the first observation.
 */
static void write_histogram(struct series *s, const struct stats_histogram *histogram)
{
	const struct buckets *buckets = &s->e->targets->config->collector.buckets;
	char bound[NUMBER_SECONDS_SIZE];
	uint64_t cumulative = 0;

	for (size_t i = 0; i < stats_counts(buckets); i++) {
		const char *separator = begin_series(s, "_bucket");

		cumulative += histogram->counts ? histogram->counts[i] : 0;
		if (i < buckets->count)
			number_format_ns(bound, buckets->upper_ns[i]);
		write_label(s->w, separator, "le", i < buckets->count ? bound : "+Inf");
		writer_text(s->w, "} ");
		write_count(s, cumulative);
	}
	end_labels(s, begin_series(s, "_sum"));
	write_sum(s->w, &histogram->sum);
	writer_text(s->w, "\n");
	end_labels(s, begin_series(s, "_count"));
	write_count(s, cumulative);
}

/* Offsets are known to lead to 64 bits of the right type: see FIELD in metrics.c. */
static void write_value(struct writer *w, enum metrics_format format, const void *at)
{
	switch (format) {
	case METRICS_COUNT: writer_u64(w, *(const uint64_t *)at); break;
	case METRICS_NS: writer_ns(w, *(const int64_t *)at); break;
	case METRICS_ONE: writer_text(w, "1"); break;
	case METRICS_BUCKETS: break;
	}
}

/* Which of the two histograms of a target or group is published. */
static bool has_histogram(const struct series *s)
{
	return s->group->options.histogram ==
	       (s->target ? HISTOGRAM_PEER : HISTOGRAM_GROUP);
}

/*
 * Whether there is anything to say. Of a run that sent nothing, "lost 0 %" would be as wrong
 * as "lost 100 %", so such a series is absent.
 */
static bool is_present(const struct series *s, const char *at)
{
	/* A row that asks this of a group or the node, which have no run, gets "no". */
	static const struct stats_run no_run = {.hop_limit = -1};
	const struct stats_run *run = s->target ? &s->target->run : &no_run;

	switch (s->metric->presence) {
	case METRICS_ALWAYS: return true;
	case METRICS_IF_NOT_ZERO: return *(const uint64_t *)(const void *)at > 0;
	case METRICS_IF_MEMBER: return s->members && s->members->self;
	case METRICS_IF_LOOKED_UP:
		return s->target && s->target->lookup != TARGET_NOT_LOOKED_UP;
	case METRICS_IF_CONFLICT: return s->target && s->target->has_conflict;
	case METRICS_IF_REQUESTS: return run->requests > 0;
	case METRICS_IF_REPLIES: return run->replies > 0;
	case METRICS_IF_PAIRS: return run->pairs > 0;
	case METRICS_IF_HOP_LIMIT: return run->replies > 0 && run->hop_limit >= 0;
	case METRICS_IF_HISTOGRAM: return s->group && has_histogram(s);
	case METRICS_IF_COUNTED: return s->e->run->has_echo_counts;
	case METRICS_IF_MTU: return s->group && s->group->options.mtu > 0;
	case METRICS_IF_ROAM: return s->group && s->group->options.roam > 0;
	case METRICS_IF_PATH_MTU:
		return s->target && s->target->mtu && s->target->mtu->bytes > 0 &&
		       s->group->options.mtu > 0;
	case METRICS_IF_TRACE:
		return s->target && s->target->trace && !s->target->trace->is_over;
	case METRICS_IF_HOP:
		return s->target && s->target->trace && !s->target->trace->is_over &&
		       s->target->trace->hops > 0;
	}
	return false;
}

/* All series of one node, group or target, whose values are in `values`. */
static void write_series(struct series *s, const void *values)
{
	const struct metrics_split *split = s->metric->split;
	const char *at = (const char *)values + s->metric->offset;

	if (!is_present(s, at))
		return;
	if (s->metric->format == METRICS_BUCKETS) {
		write_histogram(s, (const void *)at);
		return;
	}
	for (size_t i = 0; i < (split ? split->count : 1); i++, at += sizeof(uint64_t)) {
		const char *separator = write_own_labels(s, begin_series(s, ""));

		if (split) {
			write_label(s->w, separator, split->label, split->values[i]);
			separator = ",";
		}
		end_labels(s, separator);
		write_value(s->w, s->metric->format, at);
		writer_text(s->w, "\n");
	}
}

/* Groups and targets are sorted by name, and so are their series. */
static void write_groups(struct series *s)
{
	const struct targets *targets = s->e->targets;

	for (size_t i = 0; i < targets->config->group_count; i++) {
		s->group = &targets->config->groups[i];
		s->members = &targets->groups[i];
		write_series(s, s->members);
	}
}

/* Summaries are made anew for each metric: ten thousand of them would need a megabyte. */
static void write_target(struct series *s)
{
	struct target_summary summary;

	switch (s->metric->source) {
	case METRICS_OF_TOTALS: write_series(s, &s->target->totals); break;
	case METRICS_OF_SUMMARY:
		summary = targets_summarize(s->target);
		write_series(s, &summary);
		break;
	case METRICS_OF_FAILURES:
		for (s->failure = s->target->failures; s->failure;
		     s->failure = s->failure->next)
			write_series(s, s->failure);
		break;
	case METRICS_OF_NODE:
	case METRICS_OF_RUN:
	case METRICS_OF_GROUP:
	case METRICS_OF_PEER:
	case METRICS_OF_ROAM: break; /* not of targets that are measured */
	}
}

static void write_targets(struct series *s)
{
	const struct targets *targets = s->e->targets;

	for (size_t i = 0; i < targets->count; i++) {
		s->target = &targets->items[i];
		s->group = target_group(targets, s->target);
		if (s->metric->source == METRICS_OF_PEER) {
			if (i == 0 || s->target[-1].peer != s->target->peer)
				write_series(s, s->target);
		} else if (s->metric->source == METRICS_OF_ROAM) {
			if (s->target->roam_state == ROAM_UNRESPONSIVE)
				write_series(s, s->target);
		} else if (target_is_measured(s->target)) {
			write_target(s);
		}
	}
}

void exposition_write_metric(struct writer *writer, const struct exposition *exposition,
			     const struct metric *metric)
{
	struct series s = {.w = writer, .e = exposition, .metric = metric};

	if (metric->lifetime == METRICS_LAST_RUN && !exposition->run->took_place)
		return;
	switch (metric->source) {
	case METRICS_OF_NODE: write_series(&s, exposition->node); break;
	case METRICS_OF_RUN: write_series(&s, exposition->run); break;
	case METRICS_OF_GROUP: write_groups(&s); break;
	case METRICS_OF_PEER:
	case METRICS_OF_TOTALS:
	case METRICS_OF_SUMMARY:
	case METRICS_OF_FAILURES:
	case METRICS_OF_ROAM: write_targets(&s); break;
	}
}

/*
 * The state. Its lines are comments to every other reader. They repeat numbers of the series
 * above, but in a form that needs no parser of the text format, and they go on for targets
 * that have no series now: a peer that is this node, is not selected or has no address in
 * one run must not lose its counters by that.
 */

/* A field of a line of state. */
static void write_field(struct writer *w, const char *text)
{
	writer_text(w, " ");
	writer_text(w, *text ? text : "-");
}

/* KEY=VALUE for each value of a metric; KEY.LABEL=VALUE where it has several. */
static void write_values(struct writer *w, const struct metric *metric,
			 const void *values)
{
	const char *at = (const char *)values + metric->offset;

	for (size_t i = 0; i < (metric->split ? metric->split->count : 1); i++) {
		write_field(w, metrics_short_name(metric));
		if (metric->split) {
			writer_text(w, ".");
			writer_text(w, metric->split->values[i]);
		}
		writer_text(w, "=");
		write_value(w, metric->format, at + i * sizeof(uint64_t));
	}
}

static void write_node_state(struct writer *w, const struct stats_node *node)
{
	writer_text(w, PROMFILE_STATE "node");
	for (size_t i = 0; i < metrics_count; i++)
		if (metrics_table[i].source == METRICS_OF_NODE)
			write_values(w, &metrics_table[i], node);
	writer_text(w, "\n");
}

/*
 * Names for the columns of numbers below, once for all targets: with a name for each number
 * the file of ten thousand peers would be a tenth larger.
 */
static void write_columns(struct writer *w, const struct buckets *buckets)
{
	writer_text(w, PROMFILE_STATE "counters");
	for (size_t i = 0; i < metrics_count; i++)
		if (metrics_is_target_counter(&metrics_table[i]))
			write_field(w, metrics_short_name(&metrics_table[i]));
	writer_text(w, "\n" PROMFILE_STATE "buckets");
	for (size_t i = 0; i < buckets->count; i++) {
		writer_text(w, " ");
		writer_ns(w, buckets->upper_ns[i]);
	}
	writer_text(w, "\n");
}

static void write_histogram_field(struct writer *w, const struct buckets *buckets,
				  const struct stats_histogram *histogram)
{
	if (!histogram->counts) {
		write_field(w, "");
		return;
	}
	writer_text(w, " ");
	write_sum(w, &histogram->sum);
	for (size_t i = 0; i < stats_counts(buckets); i++) {
		writer_text(w, ",");
		writer_u64(w, histogram->counts[i]);
	}
}

static void write_group_state(struct writer *w, const struct targets *targets,
			      size_t group)
{
	const struct target_group *members = &targets->groups[group];

	writer_text(w, PROMFILE_STATE "group");
	write_field(w, targets->config->groups[group].name);
	write_histogram_field(w, &targets->config->collector.buckets,
			      &members->histogram);
	write_field(w, members->self ? members->self->name : "");
	for (size_t i = 0; i < metrics_count; i++)
		if (metrics_is_group_counter(&metrics_table[i]))
			write_values(w, &metrics_table[i], members);
	if (members->next_runs_kept > 0) {
		write_field(w, "kept=");
		writer_u64(w, members->next_runs_kept);
	}
	if (targets->config->groups[group].options.roam > 0) {
		write_field(w, "roam=");
		writer_u64(w, members->roam_position);
	}
	writer_text(w, "\n");
}

/*
 * Whether there is anything to remember of the target. With a fan-out a node measures eight
 * peers of a list of ten thousand; lines for the others would say nothing.
 */
static bool has_state(const struct target *target, enum histogram_mode mode)
{
	const struct stats_totals *totals = &target->totals;

	return totals->requests > 0 || totals->unsent > 0 ||
	       target->lookup != TARGET_NOT_LOOKED_UP ||
	       (target->peer->host && target->address.family != ADDRESS_NONE) ||
	       targets_outcome(target) != TARGET_UNKNOWN ||
	       target->roam_state != ROAM_WELL ||
	       (mode == HISTOGRAM_PEER && totals->histogram.counts);
}

static void write_counters_field(struct writer *w, const struct stats_totals *totals)
{
	const char *separator = " ";

	for (size_t i = 0; i < metrics_count; i++) {
		const struct metric *metric = &metrics_table[i];

		if (!metrics_is_target_counter(metric))
			continue;
		writer_text(w, separator);
		write_value(w, metric->format, (const char *)totals + metric->offset);
		separator = ",";
	}
}

/* What few targets have: KEY=VALUE, in any order. */
static void write_findings(struct writer *w, const struct target *target)
{
	char address[ADDRESS_TEXT_SIZE];

	if (target->trace) {
		write_field(w, "trace=");
		writer_ns(w, target->trace->at_ns);
	}
	if (target->trace && !target->trace->is_over) {
		writer_text(w, ",");
		writer_u64(w, target->trace->hops);
		writer_text(w, ",");
		address_format(&target->trace->last, address);
		writer_text(w, address);
	}
	if (target->mtu) {
		write_field(w, "mtu=");
		writer_ns(w, target->mtu->at_ns);
		writer_text(w, ",");
		writer_u64(w, target->mtu->bytes);
	}
	if (target->roam_state == ROAM_SUSPECT)
		write_field(w, "roam=suspect");
	if (target->roam_state == ROAM_UNRESPONSIVE) {
		write_field(w, "roam=");
		writer_ns(w, target->roam_since_ns);
	}
}

static void write_target_state(struct writer *w, const struct targets *targets,
			       const struct target *target)
{
	static const char *const outcomes[] = {
		[TARGET_UNKNOWN] = "", [TARGET_UP] = "up", [TARGET_DOWN] = "down"};
	const struct group *group = target_group(targets, target);
	char address[ADDRESS_TEXT_SIZE] = "";

	if (!has_state(target, group->options.histogram))
		return;
	/* A numeric address is in the configuration; findings are about the one of now. */
	if (target->peer->host || target->trace || target->mtu)
		address_format(&target->address, address);
	writer_text(w, PROMFILE_STATE "target");
	write_field(w, group->name);
	write_field(w, target->peer->name);
	write_field(w, target_family_label(target));
	write_field(w, target->peer->host ? target->peer->host : "");
	write_field(w, address);
	write_field(w, outcomes[targets_outcome(target)]);
	write_field(w, targets_lookup_names[target->lookup]);
	if (target->is_due && target->lookup != TARGET_NOT_LOOKED_UP)
		writer_text(w, PROMFILE_DUE);
	write_counters_field(w, &target->totals);
	if (group->options.histogram == HISTOGRAM_PEER)
		write_histogram_field(w, &targets->config->collector.buckets,
				      &target->totals.histogram);
	else
		write_field(w, "");
	write_findings(w, target);
	writer_text(w, "\n");
}

static void write_state(struct writer *w, const struct exposition *e)
{
	write_node_state(w, e->node);
	write_columns(w, &e->targets->config->collector.buckets);
	for (size_t i = 0; i < e->targets->config->group_count; i++)
		write_group_state(w, e->targets, i);
	for (size_t i = 0; i < e->targets->count; i++)
		write_target_state(w, e->targets, &e->targets->items[i]);
}

void exposition_seal(struct writer *writer)
{
	char line[PROMFILE_SEAL_SIZE];
	uint64_t length, hash;

	/* Flushes the buffer, so that the digest covers all that was written. */
	writer_digest(writer, &length, &hash);
	promfile_seal(line, length, hash);
	writer_text(writer, line);
	writer_text(writer, "\n");
}

void exposition_write(struct writer *writer, const struct exposition *exposition)
{
	for (size_t i = 0; i < metrics_count; i++)
		exposition_write_metric(writer, exposition, &metrics_table[i]);
	write_state(writer, exposition);
	exposition_seal(writer);
}
