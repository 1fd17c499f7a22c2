#include "publish/exposition.h"

#include <string.h>

#include "base/clock.h"
#include "base/number.h"
#include "publish/promfile.h"

/* A family being written; HELP and TYPE come with its first series. */
struct out {
	struct writer *w;
	const struct exposition *e;
	enum metrics_family family;
	bool has_header;
};

void exposition_header(struct writer *w, enum metrics_family family)
{
	const struct metric *schema = &metrics_table[family];

	writer_text(w, "# HELP ");
	writer_text(w, schema->name);
	writer_text(w, " ");
	writer_text(w, schema->help);
	writer_text(w, "\n# TYPE ");
	writer_text(w, schema->name);
	writer_text(w, " ");
	writer_text(w, metrics_type_name(schema->type));
	writer_text(w, "\n");
}

static void name(struct out *o, const char *suffix)
{
	if (!o->has_header)
		exposition_header(o->w, o->family);
	o->has_header = true;
	writer_text(o->w, metrics_table[o->family].name);
	writer_text(o->w, suffix);
}

static void label(struct writer *w, const char *separator, const char *name_text,
		  const char *value)
{
	writer_text(w, separator);
	writer_text(w, name_text);
	writer_text(w, "=\"");
	writer_escaped(w, value);
	writer_text(w, "\"");
}

static void plain_series(struct out *o)
{
	name(o, "");
	writer_text(o->w, " ");
}

static void group_labels(struct out *o, const char *suffix, size_t group)
{
	name(o, suffix);
	label(o->w, "{", "group", o->e->targets->config->groups[group].name);
}

static void target_labels(struct out *o, const char *suffix, const struct target *target)
{
	group_labels(o, suffix, target->peer->group);
	label(o->w, ",", "peer", target->peer->name);
	if (target->has_family_label)
		label(o->w, ",", "family", address_family_name(target->family));
}

static void target_series(struct out *o, const struct target *target)
{
	target_labels(o, "", target);
	writer_text(o->w, "} ");
}

static void end_ns(struct out *o, int64_t ns)
{
	writer_ns(o->w, ns);
	writer_text(o->w, "\n");
}

static void end_u64(struct out *o, uint64_t value)
{
	writer_u64(o->w, value);
	writer_text(o->w, "\n");
}

/* The next target with series behind `last`, the first for NULL; NULL at the end. */
static const struct target *next_target(const struct out *o, const struct target *last)
{
	const struct targets *targets = o->e->targets;
	size_t i = last ? (size_t)(last - targets->items) + 1 : 0;

	while (i < targets->count && !target_is_measured(&targets->items[i]))
		i++;
	return i < targets->count ? &targets->items[i] : NULL;
}

void exposition_build_info(struct writer *w)
{
	exposition_header(w, METRICS_BUILD_INFO);
	writer_text(w, metrics_table[METRICS_BUILD_INFO].name);
	label(w, "{", "version", NODECANARY_VERSION);
	label(w, ",", "liboping", NODECANARY_LIBOPING_VERSION);
	writer_text(w, "} 1\n");
}

/* One series for the node. */
static void write_build_info(struct out *o)
{
	exposition_build_info(o->w);
}

static void write_node(struct out *o)
{
	const struct state *state = o->e->state;
	const struct run_info *run = o->e->run;

	if (metrics_table[o->family].kind == METRICS_LAST_RUN && !run &&
	    o->family != METRICS_LAST_RUN_SUCCESS &&
	    o->family != METRICS_LAST_RUN_TIMESTAMP)
		return;
	if (o->family == METRICS_LAST_RUN_MEMORY && run->peak_memory_bytes == 0)
		return;
	plain_series(o);
	switch (o->family) {
	case METRICS_COUNTERS_START: end_ns(o, state->counters_start_ns); break;
	case METRICS_LAST_RESOLVE: end_ns(o, state->last_resolve_ns); break;
	case METRICS_LAST_RUN_CPU: end_ns(o, run->cpu_ns); break;
	case METRICS_LAST_RUN_DURATION: end_ns(o, run->duration_ns); break;
	case METRICS_LAST_RUN_MEMORY: end_u64(o, run->peak_memory_bytes); break;
	case METRICS_LAST_RUN_RESOLVE: end_ns(o, run->resolve_ns); break;
	case METRICS_LAST_RUN_SUCCESS: end_u64(o, run && run->success); break;
	case METRICS_LAST_RUN_TIMESTAMP: end_ns(o, o->e->wall_ns); break;
	case METRICS_RECEIVE_DROPS: end_u64(o, state->receive_drops); break;
	default: end_u64(o, state->runs); break;
	}
}

static void write_discarded(struct out *o)
{
	static const enum discard_reason sorted[] = {DISCARD_CLOCK_STEP, DISCARD_DEADLINE,
						     DISCARD_INTERRUPTED,
						     DISCARD_RECEIVE_DROPS};

	for (size_t i = 0; i < DISCARD_REASONS; i++) {
		name(o, "");
		label(o->w, "{", "reason", state_discard_reasons[sorted[i]]);
		writer_text(o->w, "} ");
		end_u64(o, o->e->state->discarded[sorted[i]]);
	}
}

/* Series for each group. */
static void write_peers(struct out *o)
{
	static const enum target_state sorted[] = {TARGET_PROBED, TARGET_SELF,
						   TARGET_UNRESOLVED, TARGET_UNSELECTED};
	size_t counts[TARGET_STATES];

	for (size_t group = 0; group < o->e->targets->config->group_count; group++) {
		targets_count_states(o->e->targets, group, counts);
		for (size_t i = 0; i < TARGET_STATES; i++) {
			group_labels(o, "", group);
			label(o->w, ",", "state", targets_state_name(sorted[i]));
			writer_text(o->w, "} ");
			end_u64(o, counts[sorted[i]]);
		}
	}
}

static void write_list_hash(struct out *o)
{
	for (size_t group = 0; group < o->e->targets->config->group_count; group++) {
		group_labels(o, "", group);
		writer_text(o->w, "} ");
		end_u64(o, targets_list_hash(o->e->targets, group));
	}
}

static void write_observers(struct out *o)
{
	const struct config *config = o->e->targets->config;

	for (size_t group = 0; group < config->group_count; group++) {
		if (!o->e->targets->groups[group].self)
			continue;
		group_labels(o, "", group);
		writer_text(o->w, "} ");
		end_u64(o, targets_observers(o->e->targets, group));
	}
}

static void write_self_info(struct out *o)
{
	for (size_t group = 0; group < o->e->targets->config->group_count; group++) {
		const struct peer *self = o->e->targets->groups[group].self;

		if (!self)
			continue;
		group_labels(o, "", group);
		label(o->w, ",", "peer", self->name);
		writer_text(o->w, "} 1\n");
	}
}

/* A histogram; the labels so far have been prepared by `labels`. */
static void write_histogram(struct out *o, const struct stats_histogram *histogram,
			    const struct target *target, size_t group)
{
	const struct buckets *buckets = &o->e->targets->config->collector.buckets;
	uint64_t cumulative = 0;
	char bound[NUMBER_SECONDS_SIZE];

	for (size_t i = 0; i < stats_counts(buckets); i++) {
		cumulative += histogram->counts ? histogram->counts[i] : 0;
		if (target)
			target_labels(o, "_bucket", target);
		else
			group_labels(o, "_bucket", group);
		if (i < buckets->count)
			number_format_ns(bound, buckets->upper_ns[i]);
		label(o->w, ",", "le", i < buckets->count ? bound : "+Inf");
		writer_text(o->w, "} ");
		end_u64(o, cumulative);
	}
	if (target)
		target_labels(o, "_sum", target);
	else
		group_labels(o, "_sum", group);
	writer_text(o->w, "} ");
	writer_seconds(o->w, histogram->sum.seconds, histogram->sum.nanos);
	writer_text(o->w, "\n");
	if (target)
		target_labels(o, "_count", target);
	else
		group_labels(o, "_count", group);
	writer_text(o->w, "} ");
	end_u64(o, cumulative);
}

static void write_group_rtt(struct out *o)
{
	const struct config *config = o->e->targets->config;

	for (size_t group = 0; group < config->group_count; group++)
		if (config->groups[group].options.histogram == HISTOGRAM_GROUP)
			write_histogram(o, &o->e->targets->groups[group].histogram, NULL,
					group);
}

static void write_rtt(struct out *o)
{
	for (const struct target *target = next_target(o, NULL); target;
	     target = next_target(o, target)) {
		if (target_group(o->e->targets, target)->options.histogram ==
		    HISTOGRAM_PEER)
			write_histogram(o, &target->totals.histogram, target, 0);
	}
}

/* Series for each peer. */
static void write_peer_info(struct out *o)
{
	for (const struct target *target = next_target(o, NULL); target;
	     target = next_target(o, target)) {
		struct labels_cursor cursor = {0, 0};
		const struct label *l;
		char address[ADDRESS_TEXT_SIZE];

		address_format(&target->address, address);
		target_labels(o, "", target);
		label(o->w, ",", "address", address);
		while ((l = labels_next(&target_group(o->e->targets, target)->labels,
					&target->peer->labels, &cursor)) != NULL)
			label(o->w, ",", l->name, l->value);
		writer_text(o->w, "} 1\n");
	}
}

static void write_counter(struct out *o)
{
	for (const struct target *target = next_target(o, NULL); target;
	     target = next_target(o, target)) {
		target_series(o, target);
		end_u64(o, o->family == METRICS_REQUESTS  ? target->totals.requests
			   : o->family == METRICS_REPLIES ? target->totals.replies
							  : target->totals.unsent);
	}
}

static void write_resolved(struct out *o)
{
	if (!o->e->run)
		return;
	for (const struct target *target = next_target(o, NULL); target;
	     target = next_target(o, target)) {
		if (!target->looked_up)
			continue;
		target_series(o, target);
		end_u64(o, target->resolved);
	}
}

static void write_loss(struct out *o)
{
	if (!o->e->run)
		return;
	for (const struct target *target = next_target(o, NULL); target;
	     target = next_target(o, target)) {
		if (target->run.requests == 0)
			continue;
		target_series(o, target);
		/* Nine decimals, which nanoseconds have, too. */
		end_ns(o, stats_loss_billionths(&target->run));
	}
}

/* Whether the run has anything to say about this gauge of this target. */
static bool has_gauge(enum metrics_family family, const struct stats_run *run)
{
	switch (family) {
	case METRICS_PEER_UP: return run->requests > 0;
	case METRICS_JITTER: return run->pairs > 0;
	case METRICS_REPLY_HOP_LIMIT: return run->replies > 0 && run->hop_limit >= 0;
	default: return run->replies > 0;
	}
}

static void write_gauge(struct out *o)
{
	if (!o->e->run)
		return;
	for (const struct target *target = next_target(o, NULL); target;
	     target = next_target(o, target)) {
		const struct stats_run *run = &target->run;

		if (!has_gauge(o->family, run))
			continue;
		target_series(o, target);
		switch (o->family) {
		case METRICS_PEER_UP: end_u64(o, run->replies > 0); break;
		case METRICS_JITTER: end_ns(o, stats_jitter_ns(run)); break;
		case METRICS_REPLY_HOP_LIMIT: end_u64(o, (uint64_t)run->hop_limit); break;
		case METRICS_RTT_MAX: end_ns(o, run->max_ns); break;
		case METRICS_RTT_MIN: end_ns(o, run->min_ns); break;
		case METRICS_RTT_MEAN: end_ns(o, stats_mean_ns(run)); break;
		default: end_ns(o, stats_stddev_ns(run)); break;
		}
	}
}

static void (*const writers[METRICS_FAMILIES])(struct out *o) = {
	[METRICS_BUILD_INFO] = write_build_info,
	[METRICS_COUNTERS_START] = write_node,
	[METRICS_GROUP_RTT] = write_group_rtt,
	[METRICS_GROUP_OBSERVERS] = write_observers,
	[METRICS_JITTER] = write_gauge,
	[METRICS_LAST_RESOLVE] = write_node,
	[METRICS_LAST_RUN_CPU] = write_node,
	[METRICS_LAST_RUN_DURATION] = write_node,
	[METRICS_LAST_RUN_MEMORY] = write_node,
	[METRICS_LAST_RUN_RESOLVE] = write_node,
	[METRICS_LAST_RUN_SUCCESS] = write_node,
	[METRICS_LAST_RUN_TIMESTAMP] = write_node,
	[METRICS_LOSS_RATIO] = write_loss,
	[METRICS_PEER_INFO] = write_peer_info,
	[METRICS_PEER_LIST_HASH] = write_list_hash,
	[METRICS_PEER_RESOLVED] = write_resolved,
	[METRICS_PEER_UP] = write_gauge,
	[METRICS_PEERS] = write_peers,
	[METRICS_RECEIVE_DROPS] = write_node,
	[METRICS_REPLIES] = write_counter,
	[METRICS_REPLY_HOP_LIMIT] = write_gauge,
	[METRICS_REQUESTS] = write_counter,
	[METRICS_RTT_MAX] = write_gauge,
	[METRICS_RTT_MEAN] = write_gauge,
	[METRICS_RTT_MIN] = write_gauge,
	[METRICS_RTT] = write_rtt,
	[METRICS_RTT_STDDEV] = write_gauge,
	[METRICS_RUNS] = write_node,
	[METRICS_SELF_INFO] = write_self_info,
	[METRICS_UNSENT] = write_counter,
	[METRICS_DISCARDED_ROUNDS] = write_discarded,
};

/* What the next run must know of names, and no reader of metrics wants. */
static void write_lookups(struct writer *w, const struct targets *targets)
{
	for (size_t i = 0; i < targets->count; i++) {
		const struct target *target = &targets->items[i];
		char address[ADDRESS_TEXT_SIZE];

		if (!target->looked_up)
			continue;
		label(w, "# " METRICS_LOOKUP "{", "group",
		      target_group(targets, target)->name);
		label(w, ",", "peer", target->peer->name);
		if (target->has_family_label)
			label(w, ",", "family", address_family_name(target->family));
		label(w, ",", "host", target->peer->host);
		/* That of the others is on nodecanary_peer_info. */
		address_format(&target->address, address);
		if (!target_is_measured(target))
			label(w, ",", "address", address);
		writer_text(w, target->resolved ? "} 1\n" : "} 0\n");
	}
}

void exposition_seal(struct writer *w)
{
	char line[PROMFILE_SEAL_SIZE];
	uint64_t length, hash;

	writer_digest(w, &length, &hash);
	promfile_seal(line, length, hash);
	writer_text(w, line);
	writer_text(w, "\n");
}

void exposition_write(struct writer *writer, const struct exposition *exposition)
{
	for (unsigned i = 0; i < METRICS_FAMILIES; i++) {
		struct out o = {
			.w = writer, .e = exposition, .family = (enum metrics_family)i};

		writers[i](&o);
	}
	write_lookups(writer, exposition->targets);
	exposition_seal(writer);
}
