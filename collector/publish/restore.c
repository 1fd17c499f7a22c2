#include "publish/restore.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"
#include "publish/metrics.h"
#include "publish/promfile.h"

/* The histogram whose lines are being read: buckets in order, sum, count. */
struct histogram_reader {
	struct stats_histogram *histogram; /* NULL: between two, or of nobody we know */
	size_t next;			   /* the bucket that comes next */
	uint64_t last;			   /* the cumulative count of the one before */
	bool foreign;			   /* its buckets are not ours */
	bool has_sum;
};

struct restore {
	struct targets *targets;
	struct state *state;
	enum metrics_family family; /* of the line before */
	size_t hint;
	struct histogram_reader reader;
	bool any_foreign;
};

static const char *const out_of_range = "a number out of range";

static const char *read_u64(const char *text, uint64_t max, uint64_t *value)
{
	return number_parse_u64(text, max, value) ? NULL : out_of_range;
}

/* A wall clock's time; what exceeds int64_t nanoseconds is none. */
static const char *read_wall(const char *text, int64_t *ns)
{
	uint64_t seconds;
	uint32_t nanos;

	if (!number_parse_seconds(text, &seconds, &nanos) ||
	    seconds >= (uint64_t)(INT64_MAX / CLOCK_NS_PER_S))
		return out_of_range;
	*ns = (int64_t)seconds * CLOCK_NS_PER_S + nanos;
	return NULL;
}

static struct target *find_target(struct restore *r, const struct promline *line)
{
	return targets_find(r->targets, promline_label(line, "group"),
			    promline_label(line, "peer"), promline_label(line, "family"),
			    &r->hint);
}

static const char *take_counter(struct restore *r, const struct promline *line)
{
	struct target *target = find_target(r, line);
	uint64_t value;
	const char *wrong = read_u64(line->value, PROMFILE_COUNTER_MAX, &value);

	if (wrong || !target)
		return wrong;
	if (r->family == METRICS_REQUESTS)
		target->totals.requests = value;
	else if (r->family == METRICS_REPLIES)
		target->totals.replies = value;
	else
		target->totals.unsent = value;
	return NULL;
}

static const char *take_discarded(struct restore *r, const struct promline *line)
{
	const char *reason = promline_label(line, "reason");

	for (size_t i = 0; i < DISCARD_REASONS; i++)
		if (strcmp(reason, state_discard_reasons[i]) == 0)
			return read_u64(line->value, PROMFILE_COUNTER_MAX,
					&r->state->discarded[i]);
	return NULL;
}

/*
 * The histogram that the line is of, NULL if it is of nobody we know, or is no
 * longer kept.
 */
static struct stats_histogram *find_histogram(struct restore *r,
					      const struct promline *line)
{
	const struct group *groups = r->targets->config->groups;

	if (r->family == METRICS_GROUP_RTT) {
		struct target_group *group =
			targets_find_group(r->targets, promline_label(line, "group"));

		if (!group || groups[group - r->targets->groups].options.histogram !=
				      HISTOGRAM_GROUP)
			return NULL;
		return &group->histogram;
	} else {
		struct target *target = find_target(r, line);

		if (!target ||
		    groups[target->peer->group].options.histogram != HISTOGRAM_PEER)
			return NULL;
		return &target->totals.histogram;
	}
}

static const char *take_bucket(struct restore *r, const struct promline *line,
			       struct stats_histogram *histogram)
{
	const struct buckets *buckets = &r->targets->config->collector.buckets;
	struct histogram_reader *reader = &r->reader;
	char bound[NUMBER_SECONDS_SIZE] = "+Inf";
	uint64_t cumulative;

	if (read_u64(line->value, PROMFILE_COUNTER_MAX, &cumulative))
		return out_of_range;
	if (reader->histogram != histogram) {
		if (reader->histogram)
			return "a histogram without its end";
		if (histogram->counts)
			return "a histogram that is there twice";
		if (targets_add_counts(r->targets, histogram) < 0)
			return promfile_no_memory;
		*reader = (struct histogram_reader){.histogram = histogram};
	}
	if (cumulative < reader->last)
		return "buckets that are not monotonic";
	if (reader->next < buckets->count)
		number_format_ns(bound, buckets->upper_ns[reader->next]);
	if (reader->next > buckets->count ||
	    strcmp(promline_label(line, "le"), bound) != 0)
		reader->foreign = true;
	else
		histogram->counts[reader->next] = cumulative - reader->last;
	reader->next++;
	reader->last = cumulative;
	return NULL;
}

static const char *end_histogram(struct restore *r, const struct promline *line)
{
	const struct buckets *buckets = &r->targets->config->collector.buckets;
	struct histogram_reader *reader = &r->reader;
	uint64_t count;

	if (read_u64(line->value, PROMFILE_COUNTER_MAX, &count))
		return out_of_range;
	if (!reader->has_sum)
		return "a histogram without its sum";
	if (count != reader->last)
		return "a histogram whose count is not that of its buckets";
	if (reader->foreign || reader->next != stats_counts(buckets)) {
		free(reader->histogram->counts);
		*reader->histogram = (struct stats_histogram){.counts = NULL};
		r->any_foreign = true;
	}
	*reader = (struct histogram_reader){.histogram = NULL};
	return NULL;
}

static const char *take_histogram(struct restore *r, const struct promline *line)
{
	const char *suffix = line->name + strlen(metrics_table[r->family].name);
	struct stats_histogram *histogram = find_histogram(r, line);

	if (!histogram)
		return r->reader.histogram ? "a histogram without its end" : NULL;
	if (strcmp(suffix, "_bucket") == 0)
		return take_bucket(r, line, histogram);
	if (r->reader.histogram != histogram)
		return "a histogram without buckets";
	if (strcmp(suffix, "_count") == 0)
		return end_histogram(r, line);
	if (r->reader.has_sum)
		return "a sum that is there twice";
	r->reader.has_sum = true;
	return number_parse_seconds(line->value, &histogram->sum.seconds,
				    &histogram->sum.nanos)
		       ? NULL
		       : out_of_range;
}

static const char *take_up(struct restore *r, const struct promline *line)
{
	struct target *target = find_target(r, line);
	uint64_t up;
	const char *wrong = read_u64(line->value, 1, &up);

	if (!wrong && target)
		target->past = up ? TARGET_UP : TARGET_DOWN;
	return wrong;
}

static void take_address(struct target *target, const struct promline *line)
{
	struct address address;

	if (address_parse(promline_label(line, "address"), &address) &&
	    !address_unusable(&address) &&
	    (target->family == ADDRESS_NONE || target->family == address.family))
		target->address = address;
}

static const char *take_self(struct restore *r, const struct promline *line)
{
	struct target_group *group =
		targets_find_group(r->targets, promline_label(line, "group"));

	if (group)
		group->last_self = targets_find_peer(r->targets,
						     (size_t)(group - r->targets->groups),
						     promline_label(line, "peer"));
	return NULL;
}

/* The last address of a name; of others the configuration knows better. */
static const char *take_info(struct restore *r, const struct promline *line)
{
	struct target *target = find_target(r, line);

	if (target && target->peer->host)
		take_address(target, line);
	return NULL;
}

/*
 * Comes behind all series: an address is that of a host name, not of a peer's. A
 * lookup that gave an address which is of no use now is as none.
 */
static const char *take_lookup(struct restore *r, const struct promline *line)
{
	struct target *target = find_target(r, line);
	uint64_t resolved;
	const char *wrong = read_u64(line->value, 1, &resolved);

	if (wrong || !target || !target->peer->host ||
	    strcmp(target->peer->host, promline_label(line, "host")) != 0)
		return wrong;
	take_address(target, line);
	target->looked_up = !resolved || target->address.family != ADDRESS_NONE;
	target->resolved = resolved && target->looked_up;
	return NULL;
}

static const char *take(enum promfile_line kind, struct promline *line, void *arg)
{
	struct restore *r = arg;

	if (kind == PROMFILE_LOOKUP)
		return take_lookup(r, line);
	r->family = metrics_find(line->name, r->family);
	if (r->reader.histogram && r->family != METRICS_RTT &&
	    r->family != METRICS_GROUP_RTT)
		return "a histogram without its end";
	switch (r->family) {
	case METRICS_REQUESTS:
	case METRICS_REPLIES:
	case METRICS_UNSENT: return take_counter(r, line);
	case METRICS_RTT:
	case METRICS_GROUP_RTT: return take_histogram(r, line);
	case METRICS_RUNS:
		return read_u64(line->value, PROMFILE_COUNTER_MAX, &r->state->runs);
	case METRICS_RECEIVE_DROPS:
		return read_u64(line->value, PROMFILE_COUNTER_MAX,
				&r->state->receive_drops);
	case METRICS_DISCARDED_ROUNDS: return take_discarded(r, line);
	case METRICS_COUNTERS_START:
		return read_wall(line->value, &r->state->counters_start_ns);
	case METRICS_LAST_RESOLVE:
		return read_wall(line->value, &r->state->last_resolve_ns);
	case METRICS_PEER_INFO: return take_info(r, line);
	case METRICS_PEER_UP: return take_up(r, line);
	case METRICS_SELF_INFO: return take_self(r, line);
	default: return NULL;
	}
}

/* What only all lines together show; and addresses of hosts that are not ours any more
 * go. */
static const char *settle(struct restore *r)
{
	if (r->reader.histogram)
		return "a histogram without its end";
	for (size_t i = 0; i < r->targets->count; i++) {
		struct target *target = &r->targets->items[i];

		if (target->totals.replies > target->totals.requests)
			return "more replies than requests";
		if (target->peer->host && !target->looked_up)
			target->address = (struct address){.family = ADDRESS_NONE};
	}
	return NULL;
}

enum restore_result restore_read(int fd, const char *name, struct targets *targets,
				 struct state *state)
{
	struct restore r = {
		.targets = targets, .state = state, .family = METRICS_FAMILIES};
	const char *wrong = promfile_scan(fd, take, &r);

	if (!wrong)
		wrong = settle(&r);
	if (!wrong) {
		if (r.any_foreign)
			log_info(
				"%s: other buckets than those of the configuration: histograms start anew",
				name);
		return RESTORE_TAKEN;
	}
	targets_reset(targets);
	memset(state, 0, sizeof(*state));
	if (wrong == promfile_no_memory || wrong == promfile_unreadable) {
		log_errx("%s: %s", name, wrong);
		return RESTORE_FAILED;
	}
	log_warnx("%s: %s: counters start from zero", name, wrong);
	return RESTORE_REFUSED;
}
