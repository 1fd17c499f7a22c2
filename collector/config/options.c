#include "config/options.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/number.h"
#include "base/text.h"

struct key;

/* Writes the value into `field`, or what was expected into `expected`. */
typedef bool parse_fn(const struct key *key, const char *value, void *field,
		      char *expected);

struct key {
	const char *name;
	parse_fn *parse;
	size_t offset, size;
	int64_t min, max;  /* of numbers and durations */
	bool in_collector; /* the field is one of struct collector_options */
};

#define EXPECT(...) snprintf(expected, OPTIONS_EXPECTED_SIZE, __VA_ARGS__)

static bool parse_duration(const struct key *key, const char *value, void *field,
			   char *expected)
{
	char min[NUMBER_DURATION_SIZE], max[NUMBER_DURATION_SIZE];
	int64_t ns;

	if (number_parse_duration(value, &ns) && ns >= key->min && ns <= key->max) {
		memcpy(field, &ns, sizeof(ns));
		return true;
	}
	number_format_duration(min, key->min);
	number_format_duration(max, key->max);
	EXPECT("a duration with its unit (us, ms, s, m, h, d) from %s to %s", min, max);
	return false;
}

static bool parse_u32(const struct key *key, const char *value, void *field,
		      char *expected)
{
	uint64_t parsed;
	uint32_t number;

	if (number_parse_u64(value, (uint64_t)key->max, &parsed) &&
	    parsed >= (uint64_t)key->min) {
		number = (uint32_t)parsed;
		memcpy(field, &number, sizeof(number));
		return true;
	}
	EXPECT("a whole number from %lld to %lld", (long long)key->min,
	       (long long)key->max);
	return false;
}

static bool parse_flag(const struct key *key, const char *value, void *field,
		       char *expected)
{
	bool flag = strcmp(value, "yes") == 0;

	(void)key;
	if (!flag && strcmp(value, "no") != 0) {
		EXPECT("yes or no");
		return false;
	}
	memcpy(field, &flag, sizeof(flag));
	return true;
}

static bool parse_path(const struct key *key, const char *value, void *field,
		       char *expected)
{
	size_t len = strlen(value);

	if (value[0] != '/' || len >= key->size || len < sizeof("/x.prom") - 1 ||
	    strcmp(value + len - 5, ".prom") != 0 || value[len - 6] == '/') {
		EXPECT("an absolute path that ends in .prom, as node_exporter reads no other");
		return false;
	}
	memcpy(field, value, len + 1);
	return true;
}

static bool parse_name(const struct key *key, const char *value, void *field,
		       char *expected)
{
	if (strlen(value) >= key->size || value[text_until(value, " \t")]) {
		EXPECT("the name of a peer, without blanks");
		return false;
	}
	memcpy(field, value, strlen(value) + 1);
	return true;
}

static bool parse_device(const struct key *key, const char *value, void *field,
			 char *expected)
{
	if (strlen(value) >= key->size || value[text_until(value, "/ \t:")]) {
		EXPECT("the name of an interface or VRF, at most %zu bytes",
		       key->size - 1);
		return false;
	}
	memcpy(field, value, strlen(value) + 1);
	return true;
}

/* Takes `word` as the source of its family, which must not have one yet. */
static bool add_source(struct source *source, const char *word)
{
	struct address addr, *slot;

	if (!address_parse(word, &addr) || address_unusable(&addr))
		return false;
	slot = addr.family == ADDRESS_IPV4 ? &source->v4 : &source->v6;
	if (slot->family != ADDRESS_NONE)
		return false;
	*slot = addr;
	return true;
}

static bool parse_source(const struct key *key, const char *value, void *field,
			 char *expected)
{
	struct source source = {.v4 = {.family = ADDRESS_NONE}};
	char copy[OPTIONS_NAME_SIZE], *word, *rest = copy;
	bool good = text_copy(copy, sizeof(copy), value);

	(void)key;
	while (good && (word = strsep(&rest, ", \t")) != NULL)
		good = *word == '\0' || add_source(&source, word);
	if (!good) {
		EXPECT("a numeric address of this host, or one of each family");
		return false;
	}
	memcpy(field, &source, sizeof(source));
	return true;
}

static bool parse_mark(const struct key *key, const char *value, void *field,
		       char *expected)
{
	struct mark mark = {.is_set = *value != '\0'};
	uint64_t parsed = 0;

	(void)key;
	if (mark.is_set && !number_parse_u64_any(value, UINT32_MAX, &parsed)) {
		EXPECT("a firewall mark from 0 to 0xffffffff");
		return false;
	}
	mark.value = (uint32_t)parsed;
	memcpy(field, &mark, sizeof(mark));
	return true;
}

struct word {
	const char *name;
	uint32_t value;
};

/* RFC 2474 (CS), 2597 (AF), 3246 (EF), 5865 (VA), 8622 (LE). */
static const struct word dscp_words[] = {
	{"be", 0},    {"df", 0},    {"le", 1},	  {"cs0", 0},	{"cs1", 8},
	{"cs2", 16},  {"cs3", 24},  {"cs4", 32},  {"cs5", 40},	{"cs6", 48},
	{"cs7", 56},  {"af11", 10}, {"af12", 12}, {"af13", 14}, {"af21", 18},
	{"af22", 20}, {"af23", 22}, {"af31", 26}, {"af32", 28}, {"af33", 30},
	{"af41", 34}, {"af42", 36}, {"af43", 38}, {"va", 44},	{"ef", 46},
};

static const struct word family_words[] = {
	{"auto", FAMILY_AUTO},
	{"ipv4", FAMILY_IPV4},
	{"ipv6", FAMILY_IPV6},
	{"both", FAMILY_BOTH},
};

static const struct word histogram_words[] = {
	{"peer", HISTOGRAM_PEER},
	{"group", HISTOGRAM_GROUP},
	{"off", HISTOGRAM_OFF},
};

static bool find_word(const struct word *words, size_t count, const char *name,
		      uint32_t *value)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(words[i].name, name) == 0) {
			*value = words[i].value;
			return true;
		}
	}
	return false;
}

#define FIND_WORD(words, name, value)                                                    \
	find_word((words), sizeof(words) / sizeof((words)[0]), (name), (value))

static bool parse_dscp(const struct key *key, const char *value, void *field,
		       char *expected)
{
	uint64_t number;
	uint32_t dscp;

	(void)key;
	if (number_parse_u64(value, 63, &number)) {
		dscp = (uint32_t)number;
	} else if (!FIND_WORD(dscp_words, value, &dscp)) {
		EXPECT("a number from 0 to 63 or a name such as ef, af41, cs1, le");
		return false;
	}
	memcpy(field, &dscp, sizeof(dscp));
	return true;
}

static bool parse_family(const struct key *key, const char *value, void *field,
			 char *expected)
{
	enum family_choice family;
	uint32_t word;

	(void)key;
	if (!FIND_WORD(family_words, value, &word)) {
		EXPECT("auto, ipv4, ipv6 or both");
		return false;
	}
	family = (enum family_choice)word;
	memcpy(field, &family, sizeof(family));
	return true;
}

static bool parse_histogram(const struct key *key, const char *value, void *field,
			    char *expected)
{
	enum histogram_mode mode;
	uint32_t word;

	(void)key;
	if (!FIND_WORD(histogram_words, value, &word)) {
		EXPECT("peer, group or off");
		return false;
	}
	mode = (enum histogram_mode)word;
	memcpy(field, &mode, sizeof(mode));
	return true;
}

/* One bound, which must lie above the last. */
static bool add_bucket(const struct key *key, struct buckets *buckets, const char *word)
{
	int64_t ns;

	if (buckets->count == OPTIONS_BUCKETS_MAX || !number_parse_duration(word, &ns) ||
	    ns < key->min || ns > key->max)
		return false;
	if (buckets->count > 0 && ns <= buckets->upper_ns[buckets->count - 1])
		return false;
	buckets->upper_ns[buckets->count++] = ns;
	return true;
}

static bool parse_buckets(const struct key *key, const char *value, void *field,
			  char *expected)
{
	struct buckets buckets = {.count = 0};
	char copy[OPTIONS_NAME_SIZE], *word, *rest = copy;
	bool good = text_copy(copy, sizeof(copy), value);

	while (good && (word = strsep(&rest, " \t")) != NULL)
		good = *word == '\0' || add_bucket(key, &buckets, word);
	if (!good || buckets.count == 0) {
		EXPECT("1 to %d durations from 1us to 1h, with blanks between them, each above the one before it",
		       OPTIONS_BUCKETS_MAX);
		return false;
	}
	memcpy(field, &buckets, sizeof(buckets));
	return true;
}

static bool parse_fanout(const struct key *key, const char *value, void *field,
			 char *expected)
{
	const uint32_t all = OPTIONS_FANOUT_ALL;

	if (strcmp(value, "all") == 0) {
		memcpy(field, &all, sizeof(all));
		return true;
	}
	if (parse_u32(key, value, field, expected))
		return true;
	EXPECT("all, or a whole number from %lld to %lld", (long long)key->min,
	       (long long)key->max);
	return false;
}

#define US CLOCK_NS_PER_US
#define MS CLOCK_NS_PER_MS
#define S CLOCK_NS_PER_S

#define COLLECTOR(name, parse, min, max)                                                 \
	{                                                                                \
#name, parse, offsetof(struct collector_options, name),                  \
			sizeof(((struct collector_options *)NULL)->name), (min), (max),  \
			true                                                             \
	}
#define COLLECTOR_NS(name, min, max)                                                     \
	{                                                                                \
#name, parse_duration, offsetof(struct collector_options, name##_ns),    \
			sizeof(int64_t), (min), (max), true                              \
	}

static const struct key collector_keys[] = {
	COLLECTOR(textfile, parse_path, 0, 0),
	COLLECTOR(self, parse_name, 0, 0),
	COLLECTOR(skip_self, parse_flag, 0, 0),
	COLLECTOR(fsync, parse_flag, 0, 0),
	COLLECTOR_NS(deadline, 100 * MS, 3600 * S),
	COLLECTOR_NS(resolve_timeout, 10 * MS, 60 * S),
	COLLECTOR_NS(resolve_every, 0, 86400 * S),
	{NULL, NULL, 0, 0, 0, 0, true},
};

#define PROBE(name, parse, min, max)                                                     \
	{                                                                                \
#name, parse, offsetof(struct options, name),                            \
			sizeof(((struct options *)NULL)->name), (min), (max), false      \
	}
#define PROBE_NS(name, min, max)                                                         \
	{                                                                                \
#name, parse_duration, offsetof(struct options, name##_ns),              \
			sizeof(int64_t), (min), (max), false                             \
	}

static const struct key probe_keys[] = {
	PROBE(count, parse_u32, 1, 1000),
	PROBE(warmup, parse_u32, 0, 100),
	PROBE_NS(interval, 1 * MS, 3600 * S),
	PROBE_NS(timeout, 1 * MS, 60 * S),
	PROBE_NS(spacing, 0, 1 * S),
	PROBE(size, parse_u32, OPTIONS_SIZE_MIN, OPTIONS_SIZE_MAX),
	PROBE(ttl, parse_u32, 1, 255),
	PROBE(dscp, parse_dscp, 0, 0),
	PROBE(family, parse_family, 0, 0),
	PROBE(source, parse_source, 0, 0),
	PROBE(device, parse_device, 0, 0),
	PROBE(mark, parse_mark, 0, 0),
	PROBE(histogram, parse_histogram, 0, 0),
	COLLECTOR(buckets, parse_buckets, 1 * US, 3600 * S),
	PROBE(fanout, parse_fanout, 1, OPTIONS_FANOUT_MAX),
	PROBE(members_only, parse_flag, 0, 0),
	{NULL, NULL, 0, 0, 0, 0, false},
};

void options_defaults(struct collector_options *collector, struct options *options)
{
	*collector = (struct collector_options){
		.textfile = "/var/lib/nodecanary/nodecanary.prom",
		.skip_self = true,
		.fsync = true,
		.deadline_ns = 10 * S,
		.resolve_timeout_ns = 2 * S,
		.resolve_every_ns = 60 * S,
		.buckets = {13,
			    {100 * US, 250 * US, 500 * US, 1 * MS, 2500 * US, 5 * MS,
			     10 * MS, 25 * MS, 50 * MS, 100 * MS, 250 * MS, 500 * MS,
			     1 * S}},
	};
	*options = (struct options){
		.count = 5,
		.warmup = 1,
		.interval_ns = 200 * MS,
		.timeout_ns = 1 * S,
		.spacing_ns = 10 * US,
		.size = 56,
		.ttl = 64,
		.family = FAMILY_AUTO,
		.histogram = HISTOGRAM_PEER,
		.fanout = OPTIONS_FANOUT_ALL,
	};
}

static const struct key *table(enum options_section section)
{
	return section == OPTIONS_COLLECTOR ? collector_keys : probe_keys;
}

int options_find(enum options_section section, const char *key)
{
	const struct key *keys = table(section);

	for (int i = 0; keys[i].name; i++)
		if (strcmp(keys[i].name, key) == 0)
			return i;
	return -1;
}

void options_list(enum options_section section, char out[static OPTIONS_EXPECTED_SIZE])
{
	const struct key *keys = table(section);
	size_t len = 0;

	for (size_t i = 0; keys[i].name && len < OPTIONS_EXPECTED_SIZE; i++)
		len += (size_t)snprintf(out + len, OPTIONS_EXPECTED_SIZE - len, "%s%s",
					i ? ", " : "", keys[i].name);
}

bool options_is_fleet_wide(size_t index)
{
	return probe_keys[index].in_collector;
}

bool options_set(enum options_section section, size_t index, const char *value,
		 struct collector_options *collector, struct options *options,
		 char expected[static OPTIONS_EXPECTED_SIZE])
{
	const struct key *key = &table(section)[index];
	char *base = key->in_collector ? (char *)collector : (char *)options;

	return key->parse(key, value, base + key->offset, expected);
}

void options_override(struct options *to, const struct options *from, option_set set)
{
	for (size_t i = 0; probe_keys[i].name; i++) {
		const struct key *key = &probe_keys[i];

		if (set >> i & 1 && !key->in_collector)
			memcpy((char *)to + key->offset, (const char *)from + key->offset,
			       key->size);
	}
}
