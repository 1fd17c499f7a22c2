#include "publish/seriescheck.h"

#include <string.h>

#include "base/number.h"
#include "publish/promfile.h"
#include "base/text.h"

/* Labels of a family; behind a '?' those that a series may lack. */
static const char *const family_labels[METRICS_FAMILIES] = {
	[METRICS_BUILD_INFO] = "version liboping",
	[METRICS_GROUP_RTT] = "group",
	[METRICS_GROUP_OBSERVERS] = "group",
	[METRICS_PEER_INFO] = "group peer ?family address",
	[METRICS_PEER_LIST_HASH] = "group",
	[METRICS_PEERS] = "group state",
	[METRICS_REPLIES] = "group peer ?family",
	[METRICS_REQUESTS] = "group peer ?family",
	[METRICS_RTT] = "group peer ?family",
	[METRICS_SELF_INFO] = "group peer",
	[METRICS_UNSENT] = "group peer ?family",
	[METRICS_DISCARDED_ROUNDS] = "reason",
};

static const char *const no_labels = "";
static const char *const out_of_range = "a number out of range";

static const char *labels_of(enum metrics_family family)
{
	return family_labels[family] ? family_labels[family] : no_labels;
}

void seriescheck_init(struct seriescheck *check)
{
	memset(check, 0, sizeof(*check));
	check->family = METRICS_FAMILIES;
}

/* The next word of a list, which is moved on; its length, 0 at the end. */
static size_t next_word(const char **list, bool *optional)
{
	size_t len;

	*list += text_span(*list, " ");
	*optional = **list == '?';
	*list += *optional;
	len = text_until(*list, " ");
	*list += len;
	return len;
}

bool seriescheck_has_label(enum metrics_family family, const char *name)
{
	const char *list = labels_of(family);
	bool optional;
	size_t len;

	while ((len = next_word(&list, &optional)) > 0)
		if (strlen(name) == len && strncmp(list - len, name, len) == 0)
			return true;
	return metrics_table[family].type == METRICS_HISTOGRAM && strcmp(name, "le") == 0;
}

static const char *find_label(const struct promline *line, const char *name, size_t len)
{
	for (size_t i = 0; i < line->label_count; i++)
		if (strncmp(line->labels[i].name, name, len) == 0 &&
		    line->labels[i].name[len] == '\0')
			return line->labels[i].value;
	return NULL;
}

/* The values of the family's labels, one behind the other: equal for equal series. */
static const char *make_key(enum metrics_family family, const struct promline *line,
			    char key[static SERIESCHECK_KEY_SIZE])
{
	const char *list = labels_of(family);
	size_t used = 0, len;
	bool optional;

	key[0] = '\0';
	while ((len = next_word(&list, &optional)) > 0) {
		const char *value = find_label(line, list - len, len);

		if (!value && !optional)
			return "a label that is missing";
		/* An address identifies nobody; a separator that sorts below all others.
		 */
		if (strncmp(list - len, "address", len) == 0)
			continue;
		if (!text_join(key + used, SERIESCHECK_KEY_SIZE - used, "\x01",
			       value ? value : ""))
			return "labels that are too long";
		used += strlen(key + used);
	}
	return NULL;
}

/* A number of the family's kind. */
static const char *check_value(enum metrics_family family, const char *value)
{
	uint64_t number, seconds;
	uint32_t nanos;

	if (family == METRICS_COUNTERS_START || family == METRICS_LAST_RESOLVE)
		return number_parse_seconds(value, &seconds, &nanos) &&
				       seconds < INT64_MAX / 1000000000
			       ? NULL
			       : out_of_range;
	return number_parse_u64(value, PROMFILE_COUNTER_MAX, &number) ? NULL
								      : out_of_range;
}

static const char *check_bucket(struct seriescheck *check, const struct promline *line)
{
	const char *bound = promline_label(line, "le");
	uint64_t count, seconds = 0;
	uint32_t nanos = 0;

	if (check->has_infinity || check->has_sum)
		return "a bucket out of order";
	if (!number_parse_u64(line->value, PROMFILE_COUNTER_MAX, &count))
		return out_of_range;
	check->has_infinity = strcmp(bound, "+Inf") == 0;
	if (!check->has_infinity && !number_parse_seconds(bound, &seconds, &nanos))
		return "a bound that is no number";
	if (check->has_bound && !check->has_infinity &&
	    (seconds < check->seconds ||
	     (seconds == check->seconds && nanos <= check->nanos)))
		return "bounds that do not ascend";
	if (check->has_bound && count < check->count)
		return "buckets that are not monotonic";
	check->has_bound = true;
	check->seconds = seconds;
	check->nanos = nanos;
	check->count = count;
	return NULL;
}

static const char *check_count(struct seriescheck *check, const struct promline *line)
{
	uint64_t count;

	if (!check->has_sum)
		return "a count out of order";
	if (!number_parse_u64(line->value, PROMFILE_COUNTER_MAX, &count) ||
	    count != check->count)
		return "a count that is not that of the buckets";
	check->in_histogram = false;
	return NULL;
}

/* One line of a histogram: buckets up to +Inf, sum, count. */
static const char *check_histogram(struct seriescheck *check, enum metrics_family family,
				   const struct promline *line)
{
	const char *suffix = line->name + strlen(metrics_table[family].name);
	uint64_t seconds;
	uint32_t nanos;

	if (strcmp(suffix, "_bucket") == 0)
		return check_bucket(check, line);
	if (*promline_label(line, "le"))
		return "a bound without a bucket";
	if (strcmp(suffix, "_count") == 0)
		return check_count(check, line);
	if (!check->has_infinity || check->has_sum)
		return "a sum out of order";
	check->has_sum = true;
	return number_parse_seconds(line->value, &seconds, &nanos) ? NULL : out_of_range;
}

const char *seriescheck_end(const struct seriescheck *check)
{
	return check->in_histogram ? "a histogram without its end" : NULL;
}

const char *seriescheck_line(struct seriescheck *check, enum metrics_family family,
			     const struct promline *line)
{
	bool is_histogram = metrics_table[family].type == METRICS_HISTOGRAM;
	char key[SERIESCHECK_KEY_SIZE];
	const char *wrong = make_key(family, line, key);
	int order;

	if (wrong)
		return wrong;
	if (check->family != METRICS_FAMILIES && family < check->family)
		return "families out of order";
	order = family == check->family ? strcmp(key, check->key) : 1;
	if (order < 0 || (order == 0 && !check->in_histogram))
		return "series out of order";
	if (order > 0 && check->in_histogram)
		return "a histogram without its end";
	if (order > 0) {
		seriescheck_init(check);
		check->family = family;
		memcpy(check->key, key, sizeof(key));
		check->in_histogram = is_histogram;
	}
	return is_histogram ? check_histogram(check, family, line)
			    : check_value(family, line->value);
}
