#include "publish/restore.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"
#include "base/text.h"
#include "publish/metrics.h"
#include "publish/promfile.h"

/* More than any version has. */
#define COUNTERS_MAX 64

/* What is being restored, and what the lines read so far say about those below them. */
struct restore {
	struct targets *targets;
	struct stats_node *node;
	size_t hint; /* of targets_find() */
	/* The columns of COUNTERS; NULL: a counter of another version, skipped. */
	const struct metric *counters[COUNTERS_MAX];
	size_t counter_count;
	bool has_our_buckets;
};

/* The next field, up to `separator`, as a string; NULL at the end of the line. */
static char *next_field(char **rest, const char *separator)
{
	char *field = *rest;
	size_t len;

	if (!field)
		return NULL;
	len = text_until(field, separator);
	*rest = field[len] ? field + len + 1 : NULL;
	field[len] = '\0';
	return field;
}

/* "-" stands for a family label or a name that there is not. */
static const char *optional(const char *field)
{
	return strcmp(field, "-") == 0 ? "" : field;
}

/*
 * Above 2^53 a counter would lose increments in every reader, as all of them hold it in a
 * double. So such a number is damage, not a value.
 */
static enum promfile_result read_count(const char *text, uint64_t *value)
{
	return number_parse_u64(text, NUMBER_EXACT_MAX, value) ? PROMFILE_VALID
							       : PROMFILE_OUT_OF_RANGE;
}

/* A time; it must fit into nanoseconds. */
static enum promfile_result read_ns(const char *text, int64_t *ns)
{
	uint64_t seconds;
	uint32_t nanos;

	if (!number_parse_seconds(text, &seconds, &nanos) ||
	    seconds >= (uint64_t)(INT64_MAX / CLOCK_NS_PER_S))
		return PROMFILE_OUT_OF_RANGE;
	*ns = (int64_t)seconds * CLOCK_NS_PER_S + nanos;
	return PROMFILE_VALID;
}

static enum promfile_result read_value(enum metrics_format format, const char *text,
				       void *at)
{
	switch (format) {
	case METRICS_COUNT: return read_count(text, at);
	case METRICS_NS: return read_ns(text, at);
	case METRICS_ONE:
	case METRICS_BUCKETS: break;
	}
	return PROMFILE_MALFORMED;
}

/* The position of a label's value among those of the metric; their number if unknown. */
static size_t find_split(const struct metrics_split *split, const char *value)
{
	size_t i = 0;

	while (i < split->count && strcmp(split->values[i], value) != 0)
		i++;
	return i;
}

/*
 * KEY=VALUE or KEY.LABEL=VALUE, into the structure that the metrics of `source` are in. What
 * another version wrote and this one does not know is skipped.
 */
static enum promfile_result read_key_value(char *key, enum metrics_source source,
					   void *values)
{
	char *value = key, *label = NULL;
	const struct metric *metric;
	size_t index = 0;

	/* Splits off the value, then the label. */
	key = next_field(&value, "=");
	if (!value)
		return PROMFILE_MALFORMED;
	label = key;
	key = next_field(&label, ".");
	metric = metrics_find(key, strlen(key));
	if (!metric || metric->source != source || !metric->split != !label)
		return PROMFILE_VALID;
	if (label)
		index = find_split(metric->split, label);
	if (label && index == metric->split->count)
		return PROMFILE_VALID;
	return read_value(metric->format, value,
			  (char *)values + metric->offset + index * sizeof(uint64_t));
}

static enum promfile_result read_node(struct restore *r, char *rest)
{
	enum promfile_result result = PROMFILE_VALID;
	char *field;

	while (result == PROMFILE_VALID && (field = next_field(&rest, " ")) != NULL)
		result = read_key_value(field, METRICS_OF_NODE, r->node);
	return result;
}

/* Which numbers COUNTERS of the targets are, in the version that wrote the file. */
static enum promfile_result read_counter_names(struct restore *r, char *rest)
{
	char *field;

	while ((field = next_field(&rest, " ")) != NULL) {
		const struct metric *metric = metrics_find(field, strlen(field));

		if (r->counter_count == COUNTERS_MAX)
			return PROMFILE_MALFORMED;
		if (metric && !metrics_is_target_counter(metric))
			metric = NULL;
		r->counters[r->counter_count++] = metric;
	}
	return PROMFILE_VALID;
}

/*
 * Counts of other buckets cannot be converted: an observation of 3 ms in "up to 5 ms" may
 * belong to either side of a bound at 2 ms. Then the histograms start from zero, which
 * Prometheus sees as a reset of their counters.
 */
static enum promfile_result read_buckets(struct restore *r, char *rest)
{
	const struct buckets *buckets = &r->targets->config->collector.buckets;
	size_t i = 0;
	char *field;

	r->has_our_buckets = true;
	for (; (field = next_field(&rest, " ")) != NULL; i++) {
		int64_t bound_ns;
		enum promfile_result result = read_ns(field, &bound_ns);

		if (result != PROMFILE_VALID)
			return result;
		if (i >= buckets->count || bound_ns != buckets->upper_ns[i])
			r->has_our_buckets = false;
	}
	r->has_our_buckets &= i == buckets->count;
	return PROMFILE_VALID;
}

/* `histogram` is NULL where nobody keeps it any more; its numbers are checked anyway. */
static enum promfile_result read_histogram(const struct restore *r, char *rest,
					   struct stats_histogram *histogram)
{
	size_t wanted = stats_counts(&r->targets->config->collector.buckets), i = 0;
	struct stats_sum sum;
	uint64_t count, total = 0;
	char *field;

	if (strcmp(rest, "-") == 0)
		return PROMFILE_VALID;
	field = next_field(&rest, ",");
	if (!number_parse_seconds(field, &sum.seconds, &sum.nanos))
		return PROMFILE_OUT_OF_RANGE;
	if (!r->has_our_buckets)
		histogram = NULL;
	/* Counts that are there already come from a second line for the same target. */
	if (histogram &&
	    (histogram->counts || targets_add_counts(r->targets, histogram) < 0))
		return histogram->counts ? PROMFILE_MALFORMED : PROMFILE_NO_MEMORY;
	for (; (field = next_field(&rest, ",")) != NULL; i++) {
		if (read_count(field, &count) != PROMFILE_VALID ||
		    /* The count of the histogram is their sum, and must not exceed it either. */
		    count > NUMBER_EXACT_MAX - total)
			return PROMFILE_OUT_OF_RANGE;
		total += count;
		if (histogram && i < wanted)
			histogram->counts[i] = count;
	}
	if (!histogram)
		return PROMFILE_VALID;
	histogram->sum = sum;
	return i == wanted ? PROMFILE_VALID : PROMFILE_MALFORMED;
}

/* The text after a key, or NULL if the field has another one. */
static const char *value_of(const char *field, const char *key)
{
	size_t len = strlen(key);

	return strncmp(field, key, len) == 0 ? field + len : NULL;
}

static enum promfile_result read_group_value(struct target_group *group, char *field)
{
	const char *position = value_of(field, "roam=");
	const char *kept = value_of(field, "kept=");

	if (kept)
		return read_count(kept, &group->runs_kept);
	if (position)
		return number_parse_u64(position, UINT64_MAX, &group->roam_position)
			       ? PROMFILE_VALID
			       : PROMFILE_OUT_OF_RANGE;
	return read_key_value(field, METRICS_OF_GROUP, group);
}

static enum promfile_result read_group(struct restore *r, char *rest)
{
	const char *name = next_field(&rest, " ");
	char *histogram = next_field(&rest, " ");
	const char *self = next_field(&rest, " ");
	/* The numbers of a group that is no longer configured are checked, too. */
	struct target_group unknown = {.self = NULL}, *group;
	enum promfile_result result = PROMFILE_VALID;
	struct stats_histogram *into = NULL;
	char *field;

	/* The first version left SELF out where there was none. */
	if (!histogram)
		return PROMFILE_MALFORMED;
	group = targets_find_group(r->targets, name);
	if (group) {
		size_t index = (size_t)(group - r->targets->groups);

		if (self && *optional(self))
			group->last_self = targets_find_peer(r->targets, index, self);
		if (r->targets->config->groups[index].options.histogram ==
		    HISTOGRAM_GROUP)
			into = &group->histogram;
	} else {
		group = &unknown;
	}
	while (result == PROMFILE_VALID && (field = next_field(&rest, " ")) != NULL)
		result = read_group_value(group, field);
	return result == PROMFILE_VALID ? read_histogram(r, histogram, into) : result;
}

/*
 * A looked-up address belongs to the host name, not to the peer: with another host the
 * peer keeps its counters, and its name is looked up at once. An address that cannot be
 * used any more, such as one of a family that the group no longer wants, is as good as
 * none. Only a node that pings itself has had a loopback address.
 */
static void restore_lookup(const struct restore *r, struct target *target,
			   const char *host, const char *text, char *lookup)
{
	bool pings_self = !r->targets->config->collector.skip_self;
	size_t len = text_until(lookup, PROMFILE_DUE);
	struct address address;

	if (!target->peer->host || strcmp(target->peer->host, host) != 0)
		return;
	if (address_parse(text, &address) && !address_unsuitable(&address, pings_self) &&
	    (target->family == ADDRESS_NONE || target->family == address.family))
		target->address = address;
	target->is_due = lookup[len] != '\0';
	lookup[len] = '\0';
	for (size_t i = 0; i < TARGET_LOOKUPS; i++)
		if (strcmp(lookup, targets_lookup_names[i]) == 0)
			target->lookup = (enum target_lookup)i;
	if (target->lookup == TARGET_RESOLVED && target->address.family == ADDRESS_NONE)
		target->lookup = TARGET_NOT_LOOKED_UP;
}

static enum promfile_result read_counters(const struct restore *r, char *rest,
					  struct stats_totals *totals)
{
	enum promfile_result result;
	size_t i = 0;
	char *field;

	for (; (field = next_field(&rest, ",")) != NULL; i++) {
		uint64_t ignored;

		if (i == r->counter_count)
			return PROMFILE_MALFORMED;
		result = read_count(
			field, r->counters[i]
				       ? (void *)((char *)totals + r->counters[i]->offset)
				       : &ignored);
		if (result != PROMFILE_VALID)
			return result;
	}
	if (i != r->counter_count)
		return PROMFILE_MALFORMED;
	/* A loss below zero could not be explained to anybody. */
	return totals->replies <= totals->requests ? PROMFILE_VALID
						   : PROMFILE_OUT_OF_RANGE;
}

static enum target_outcome parse_outcome(const char *text)
{
	if (strcmp(text, "up") == 0)
		return TARGET_UP;
	return strcmp(text, "down") == 0 ? TARGET_DOWN : TARGET_UNKNOWN;
}

/* AT,HOPS,ADDRESS, or AT alone when the loss is over */
static enum promfile_result read_trace(struct target *target, char *text)
{
	const char *at = next_field(&text, ","), *hops = next_field(&text, ",");
	struct trace trace = {.is_over = !hops};

	if (read_ns(at, &trace.at_ns) != PROMFILE_VALID)
		return PROMFILE_OUT_OF_RANGE;
	if (hops && (!text || !number_parse_u64(hops, UINT8_MAX, &trace.hops) ||
		     (trace.hops > 0) != address_parse(text, &trace.last)))
		return PROMFILE_OUT_OF_RANGE;
	/* A trace that is there already comes from a second line for the same target. */
	if (target->trace || !(target->trace = malloc(sizeof(trace))))
		return target->trace ? PROMFILE_MALFORMED : PROMFILE_NO_MEMORY;
	*target->trace = trace;
	return PROMFILE_VALID;
}

/* AT,BYTES */
static enum promfile_result read_mtu(struct target *target, char *text)
{
	const char *at = next_field(&text, ",");
	struct path_mtu mtu;

	if (!text || read_ns(at, &mtu.at_ns) != PROMFILE_VALID ||
	    !number_parse_u64(text, UINT32_MAX, &mtu.bytes))
		return PROMFILE_OUT_OF_RANGE;
	if (target->mtu || !(target->mtu = malloc(sizeof(mtu))))
		return target->mtu ? PROMFILE_MALFORMED : PROMFILE_NO_MEMORY;
	*target->mtu = mtu;
	return PROMFILE_VALID;
}

static enum promfile_result read_roam(struct target *target, const char *text)
{
	if (strcmp(text, "suspect") == 0) {
		target->roam_state = ROAM_SUSPECT;
		return PROMFILE_VALID;
	}
	target->roam_state = ROAM_UNRESPONSIVE;
	return read_ns(text, &target->roam_since_ns);
}

/* What few targets have, as KEY=VALUE; keys of another version are skipped. */
static enum promfile_result read_findings(struct target *target, char *rest)
{
	enum promfile_result result = PROMFILE_VALID;
	char *field;

	while (result == PROMFILE_VALID && (field = next_field(&rest, " ")) != NULL) {
		char *value = field;
		const char *key = next_field(&value, "=");

		if (!value)
			return PROMFILE_MALFORMED;
		if (strcmp(key, "trace") == 0)
			result = read_trace(target, value);
		else if (strcmp(key, "mtu") == 0)
			result = read_mtu(target, value);
		else if (strcmp(key, "roam") == 0)
			result = read_roam(target, value);
	}
	return result;
}

/*
 * The previous configuration may have had another address, a larger `mtu`, and traces. Where
 * `mtu` bytes passed or more, `mtu` is the largest size of interest.
 */
static void adapt_findings(const struct restore *r, struct target *target,
			   const char *text)
{
	uint32_t mtu = target_group(r->targets, target)->options.mtu;
	struct address address;

	(void)address_parse(text, &address);
	if (!address_equal(&address, &target->address))
		targets_forget_path(target);
	if (target->mtu && target->mtu->bytes > mtu)
		target->mtu->bytes = mtu;
	if (target->trace && r->targets->config->collector.trace == 0)
		target->trace->is_over = true;
}

enum { GROUP, PEER, FAMILY, HOST, ADDRESS, OUTCOME, LOOKUP, COUNTERS, HISTOGRAM, FIELDS };

static enum promfile_result read_target(struct restore *r, char *rest)
{
	/* The numbers of a peer that is no longer configured are checked, too. */
	struct stats_totals unknown = {.requests = 0}, *totals = &unknown;
	struct stats_histogram *histogram = NULL;
	enum promfile_result result;
	struct target *target;
	char *fields[FIELDS];

	for (size_t i = 0; i < FIELDS; i++)
		if (!(fields[i] = next_field(&rest, " ")))
			return PROMFILE_MALFORMED;
	target = targets_find(r->targets, fields[GROUP], fields[PEER],
			      optional(fields[FAMILY]), &r->hint);
	if (target) {
		totals = &target->totals;
		target->previous = parse_outcome(fields[OUTCOME]);
		restore_lookup(r, target, fields[HOST], fields[ADDRESS], fields[LOOKUP]);
		if (target_group(r->targets, target)->options.histogram == HISTOGRAM_PEER)
			histogram = &totals->histogram;
		result = read_findings(target, rest);
		if (result != PROMFILE_VALID)
			return result;
		if (target->trace || target->mtu)
			adapt_findings(r, target, fields[ADDRESS]);
	}
	result = read_counters(r, fields[COUNTERS], totals);
	return result == PROMFILE_VALID ? read_histogram(r, fields[HISTOGRAM], histogram)
					: result;
}

/* The kinds of lines, the most frequent first. */
static const struct {
	const char *name;
	enum promfile_result (*read)(struct restore *r, char *rest);
} kinds[] = {
	{"target ", read_target},   {"group ", read_group},
	{"node ", read_node},	    {"counters ", read_counter_names},
	{"buckets ", read_buckets},
};

/* Metrics and the state of kinds that this version does not know are skipped. */
static enum promfile_result read_line(char *line, size_t len, void *arg)
{
	(void)len;
	if (strncmp(line, PROMFILE_STATE, sizeof(PROMFILE_STATE) - 1) != 0)
		return PROMFILE_VALID;
	line += sizeof(PROMFILE_STATE) - 1;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t head = strlen(kinds[i].name);

		if (strncmp(line, kinds[i].name, head) == 0)
			return kinds[i].read(arg, line + head);
	}
	return PROMFILE_VALID;
}

enum restore_result restore_read(int fd, const char *name, struct targets *targets,
				 struct stats_node *node)
{
	struct restore r = {.targets = targets, .node = node};
	enum promfile_result result = promfile_scan(fd, read_line, &r);

	if (result == PROMFILE_VALID) {
		if (!r.has_our_buckets)
			log_info(
				"%s: other buckets than in the configuration: histograms start from zero",
				name);
		return RESTORE_TAKEN;
	}
	/* Lines above the damage have been restored by now: all or nothing. */
	targets_reset(targets);
	memset(node, 0, sizeof(*node));
	/* The counters may be in good order, so a file that cannot be read is not replaced. */
	if (result == PROMFILE_UNREADABLE || result == PROMFILE_NO_MEMORY) {
		log_errx("%s: %s", name, promfile_reason(result));
		return RESTORE_FAILED;
	}
	log_warnx("%s: %s: counters start from zero", name, promfile_reason(result));
	return RESTORE_REFUSED;
}
