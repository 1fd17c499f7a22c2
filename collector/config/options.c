#include "config/options.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/number.h"
#include "base/text.h"

struct key;

/*
 * Writes the value into `field`, which has the type that the parser is for, and leaves it
 * alone on failure: then `expected` says what would have been right.
 */
typedef bool parse_fn(const struct key *key, const char *value, void *field,
		      char *expected);

struct key {
	const char *name;
	parse_fn *parse;
	int64_t min, max;    /* of numbers and durations */
	bool in_collector;   /* the field is in struct collector_options */
	size_t offset, size; /* of the field */
};

/* Says what was expected. Its value is false, the result of the parser. */
#define EXPECT(...) (snprintf(expected, OPTIONS_EXPECTED_SIZE, __VA_ARGS__), false)

static bool parse_duration(const struct key *key, const char *value, void *field,
			   char *expected)
{
	char min[NUMBER_DURATION_SIZE], max[NUMBER_DURATION_SIZE];
	int64_t ns;

	if (number_parse_duration(value, &ns) && ns >= key->min && ns <= key->max) {
		*(int64_t *)field = ns;
		return true;
	}
	number_format_duration(min, key->min);
	number_format_duration(max, key->max);
	return EXPECT("a duration with its unit (us, ms, s, m, h, d) from %s to %s", min,
		      max);
}

/* No sign, no blanks, no 0x: number.h takes digits alone. */
static bool parse_u32(const struct key *key, const char *value, void *field,
		      char *expected)
{
	uint64_t number;

	if (!number_parse_u64(value, (uint64_t)key->max, &number) ||
	    number < (uint64_t)key->min)
		return EXPECT("a whole number from %lld to %lld", (long long)key->min,
			      (long long)key->max);
	*(uint32_t *)field = (uint32_t)number;
	return true;
}

/* One spelling each; `true`, `1` and `on` would only make configurations differ. */
static bool parse_flag(const struct key *key, const char *value, void *field,
		       char *expected)
{
	bool flag = strcmp(value, "yes") == 0;

	(void)key;
	if (!flag && strcmp(value, "no") != 0)
		return EXPECT("yes or no");
	*(bool *)field = flag;
	return true;
}

/* node_exporter reads no file with another ending, and "/x/.prom" has none. */
static bool parse_path(const struct key *key, const char *value, void *field,
		       char *expected)
{
	size_t len = strlen(value);

	if (value[0] != '/' || len >= key->size || len < sizeof("/x.prom") - 1 ||
	    strcmp(value + len - 5, ".prom") != 0 || value[len - 6] == '/')
		return EXPECT(
			"an absolute path that ends in .prom (node_exporter reads no other)");
	memcpy(field, value, len + 1);
	return true;
}

/* Whether there is such a peer is known only when all files have been read. */
static bool parse_name(const struct key *key, const char *value, void *field,
		       char *expected)
{
	if (strlen(value) >= key->size || value[text_until(value, " \t")])
		return EXPECT("the name of a peer, without blanks");
	memcpy(field, value, strlen(value) + 1);
	return true;
}

/* The kernel's dev_valid_name() refuses the same characters. */
static bool parse_device(const struct key *key, const char *value, void *field,
			 char *expected)
{
	if (strlen(value) >= key->size || value[text_until(value, "/ \t:")])
		return EXPECT("the name of an interface or VRF, at most %zu bytes",
			      key->size - 1);
	memcpy(field, value, strlen(value) + 1);
	return true;
}

/* `word` becomes the source of its family: a socket sends from one address. */
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

/* Numeric: which address a name has would differ from run to run. */
static bool parse_source(const struct key *key, const char *value, void *field,
			 char *expected)
{
	struct source source = {.v4 = {.family = ADDRESS_NONE}};
	char copy[OPTIONS_NAME_SIZE], *word, *rest = copy;
	bool good = text_copy(copy, sizeof(copy), value);

	(void)key;
	while (good && (word = strsep(&rest, ", \t")) != NULL)
		good = *word == '\0' || add_source(&source, word);
	if (!good)
		return EXPECT("a numeric address of this host, or one of each family");
	*(struct source *)field = source;
	return true;
}

/* Empty stands for no mark, which is not the same as mark 0: that one is set. */
static bool parse_mark(const struct key *key, const char *value, void *field,
		       char *expected)
{
	struct mark *mark = field;
	uint64_t parsed = 0;

	(void)key;
	if (*value && !number_parse_u64_any(value, UINT32_MAX, &parsed))
		return EXPECT("a firewall mark from 0 to 0xffffffff");
	mark->is_set = *value != '\0';
	mark->value = (uint32_t)parsed;
	return true;
}

struct word {
	const char *name;
	uint32_t value;
};

/* Code points by name, from RFC 2474 (CS), 2597 (AF), 3246 (EF), 5865 (VA), 8622 (LE). */
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

/* Fields that take words are uint32_t, or enums, which both compilers make as large. */
_Static_assert(sizeof(enum family_choice) == sizeof(uint32_t), "an enum has 32 bits");
_Static_assert(sizeof(enum histogram_mode) == sizeof(uint32_t), "an enum has 32 bits");

static bool find_word(const struct word *words, size_t count, const char *name,
		      void *field)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(words[i].name, name) == 0) {
			memcpy(field, &words[i].value, sizeof(words[i].value));
			return true;
		}
	}
	return false;
}

#define FIND_WORD(words, name, field)                                                    \
	find_word((words), sizeof(words) / sizeof((words)[0]), (name), (field))

static bool parse_dscp(const struct key *key, const char *value, void *field,
		       char *expected)
{
	/* Words first: a number that is refused costs a run libc's printf. */
	return FIND_WORD(dscp_words, value, field) ||
	       parse_u32(key, value, field, expected) ||
	       EXPECT("a number from 0 to 63 or a name such as ef, af41, cs1, le");
}

static bool parse_family(const struct key *key, const char *value, void *field,
			 char *expected)
{
	(void)key;
	return FIND_WORD(family_words, value, field) ||
	       EXPECT("auto, ipv4, ipv6 or both");
}

static bool parse_histogram(const struct key *key, const char *value, void *field,
			    char *expected)
{
	(void)key;
	return FIND_WORD(histogram_words, value, field) || EXPECT("peer, group or off");
}

/*
 * One bound, which must lie above the previous one: Prometheus' histograms need ascending
 * bounds, and a list that has to be sorted first is more likely to be a mistake.
 */
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

/* Parsed into a copy, so that a wrong list leaves the previous bounds as they are. */
static bool parse_buckets(const struct key *key, const char *value, void *field,
			  char *expected)
{
	struct buckets buckets = {.count = 0};
	char copy[OPTIONS_NAME_SIZE], *word, *rest = copy;
	bool good = text_copy(copy, sizeof(copy), value);

	while (good && (word = strsep(&rest, " \t")) != NULL)
		good = *word == '\0' || add_bucket(key, &buckets, word);
	if (!good || buckets.count == 0)
		return EXPECT(
			"1 to %d durations from 1us to 1h, ascending, separated by blanks",
			OPTIONS_BUCKETS_MAX);
	*(struct buckets *)field = buckets;
	return true;
}

/* `all` is kept as a number that no list of peers reaches. */
static bool parse_fanout(const struct key *key, const char *value, void *field,
			 char *expected)
{
	if (strcmp(value, "all") == 0) {
		*(uint32_t *)field = OPTIONS_FANOUT_ALL;
		return true;
	}
	return parse_u32(key, value, field, expected) ||
	       EXPECT("all, or a whole number from %lld to %lld", (long long)key->min,
		      (long long)key->max);
}

/*
 * The tables of keys. Adding one is a row here, a field in options.h, its default in
 * options_defaults(), and its description in the manual page and conf/nodecanary.ini.
 */

#define US CLOCK_NS_PER_US
#define MS CLOCK_NS_PER_MS
#define S CLOCK_NS_PER_S

#define FIELD(type, field) offsetof(type, field), sizeof(((type *)NULL)->field)
#define COLLECTOR(field) true, FIELD(struct collector_options, field)
#define PROBE(field) false, FIELD(struct options, field)

/* A range of 0 to 0 is not used: the parser has its own idea of what is allowed. */
static const struct key collector_keys[] = {
	{"textfile", parse_path, 0, 0, COLLECTOR(textfile)},
	{"self", parse_name, 0, 0, COLLECTOR(self)},
	{"skip_self", parse_flag, 0, 0, COLLECTOR(skip_self)},
	{"fsync", parse_flag, 0, 0, COLLECTOR(fsync)},
	{"deadline", parse_duration, 100 * MS, 3600 * S, COLLECTOR(deadline_ns)},
	{"resolve_timeout", parse_duration, 10 * MS, 60 * S,
	 COLLECTOR(resolve_timeout_ns)},
	{"resolve_every", parse_duration, 0, 86400 * S, COLLECTOR(resolve_every_ns)},
	{.name = NULL},
};

static const struct key probe_keys[] = {
	{"count", parse_u32, 1, 1000, PROBE(count)},
	{"warmup", parse_u32, 0, 100, PROBE(warmup)},
	{"interval", parse_duration, 1 * MS, 3600 * S, PROBE(interval_ns)},
	{"timeout", parse_duration, 1 * MS, 60 * S, PROBE(timeout_ns)},
	{"spacing", parse_duration, 0, 1 * S, PROBE(spacing_ns)},
	{"size", parse_u32, OPTIONS_SIZE_MIN, OPTIONS_SIZE_MAX, PROBE(size)},
	{"ttl", parse_u32, 1, 255, PROBE(ttl)},
	{"dscp", parse_dscp, 0, 63, PROBE(dscp)},
	{"family", parse_family, 0, 0, PROBE(family)},
	{"source", parse_source, 0, 0, PROBE(source)},
	{"device", parse_device, 0, 0, PROBE(device)},
	{"mark", parse_mark, 0, 0, PROBE(mark)},
	{"histogram", parse_histogram, 0, 0, PROBE(histogram)},
	/* One set for the fleet, so that histograms of all groups can be added up. */
	{"buckets", parse_buckets, 1 * US, 3600 * S, COLLECTOR(buckets)},
	{"fanout", parse_fanout, 1, OPTIONS_FANOUT_MAX, PROBE(fanout)},
	{"members_only", parse_flag, 0, 0, PROBE(members_only)},
	{.name = NULL},
};

_Static_assert(sizeof(probe_keys) / sizeof(probe_keys[0]) <= OPTIONS_KEYS_MAX + 1,
	       "option_set has a bit for each key");

void options_defaults(struct collector_options *collector, struct options *options)
{
	/* What is not named here is 0, no, or empty. */
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

/* Keys are compared with case, as values are. */
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
	/* A key of [probe] may have its field in the options of the collector: `buckets`. */
	char *base = key->in_collector ? (char *)collector : (char *)options;

	return key->parse(key, value, base + key->offset, expected);
}

/* A fleet-wide key has no field in struct options; configload refuses it in a group. */
void options_override(struct options *to, const struct options *from, option_set set)
{
	for (size_t i = 0; probe_keys[i].name; i++) {
		const struct key *key = &probe_keys[i];

		if (set >> i & 1 && !key->in_collector)
			memcpy((char *)to + key->offset, (const char *)from + key->offset,
			       key->size);
	}
}
