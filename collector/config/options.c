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

/* Words that a value may be; the last one has no name. */
struct words {
	const char *expected; /* for messages */
	const struct word {
		const char *name;
		uint32_t value;
	} * items;
};

struct key {
	const char *name;
	parse_fn *parse;
	int64_t min, max;	   /* of numbers and durations; 0 and 0: no number */
	const char *default_value; /* as text, which the parser takes */
	bool in_collector;	   /* the field is in struct collector_options */
	size_t offset, size;	   /* of the field */
	const struct words *words; /* NULL: none */
};

/* Room for a list that is taken apart: 32 buckets, or the addresses of `source`. */
#define LIST_SIZE 512

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

static bool find_word(const struct words *words, const char *name, uint64_t *value)
{
	for (size_t i = 0; words && words->items[i].name; i++) {
		if (strcmp(words->items[i].name, name) == 0) {
			*value = words->items[i].value;
			return true;
		}
	}
	return false;
}

/* Fields are bool, uint32_t, or enums, which both compilers make as large. */
_Static_assert(sizeof(enum family_choice) == sizeof(uint32_t), "an enum has 32 bits");
_Static_assert(sizeof(enum histogram_mode) == sizeof(uint32_t), "an enum has 32 bits");

/* A word, or a number: no sign, no blanks, no 0x, since number.h takes digits alone. */
static bool parse_number(const struct key *key, const char *value, void *field,
			 char *expected)
{
	uint64_t number;

	if (!find_word(key->words, value, &number) &&
	    !(key->max > 0 && number_parse_u64(value, (uint64_t)key->max, &number) &&
	      number >= (uint64_t)key->min)) {
		if (key->words)
			return EXPECT("%s", key->words->expected);
		return EXPECT("a whole number from %lld to %lld", (long long)key->min,
			      (long long)key->max);
	}
	if (key->size == sizeof(bool))
		*(bool *)field = number != 0;
	else
		*(uint32_t *)field = (uint32_t)number;
	return true;
}

/* node_exporter reads no file with another ending, and "/x/.prom" has none. */
bool options_is_prom_path(const char *path)
{
	size_t len = strlen(path);

	return len > 5 && strcmp(path + len - 5, ".prom") == 0 && path[len - 6] != '/';
}

static bool parse_path(const struct key *key, const char *value, void *field,
		       char *expected)
{
	if (value[0] != '/' || strlen(value) >= key->size || !options_is_prom_path(value))
		return EXPECT(
			"an absolute path that ends in .prom (node_exporter reads no other)");
	memcpy(field, value, strlen(value) + 1);
	return true;
}

/* Whether there is such a peer is known only when all files have been read. */
static bool parse_name(const struct key *key, const char *value, void *field,
		       char *expected)
{
	if (strlen(value) >= key->size || text_not_of_name(value))
		return EXPECT("the name of a peer, without blanks, quotes or commas");
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
	char interface[IF_NAMESIZE] = "";
	struct address addr, *slot;

	/* An interface may come and go, so one that is missing now is no configuration error. */
	if (address_parse_scoped(word, &addr, interface))
		addr.scope = if_nametoindex(interface);
	else if (!address_parse(word, &addr) || address_unusable(&addr))
		return false;
	slot = addr.family == ADDRESS_IPV4 ? &source->v4 : &source->v6;
	if (slot->family != ADDRESS_NONE)
		return false;
	*slot = addr;
	if (*interface)
		memcpy(source->interface, interface, sizeof(interface));
	return true;
}

/* Numeric: which address a name has would differ from run to run. */
static bool parse_source(const struct key *key, const char *value, void *field,
			 char *expected)
{
	struct source source = {.v4 = {.family = ADDRESS_NONE}};
	char copy[LIST_SIZE], *word, *rest = copy;
	bool good = text_copy(copy, sizeof(copy), value);

	(void)key;
	while (good && (word = strsep(&rest, ", \t")) != NULL)
		good = *word == '\0' || add_source(&source, word);
	if (!good)
		return EXPECT(
			"a numeric address of this host or one of each family, link-local ones with %%interface");
	*(struct source *)field = source;
	return true;
}

/*
 * Empty stands for no mark, which is not the same as mark 0: that one is set. Other tools
 * (iptables, ip rule) read 010 as 8, so that one is refused.
 */
static bool parse_mark(const struct key *key, const char *value, void *field,
		       char *expected)
{
	struct mark *mark = field;
	uint64_t parsed = 0;

	(void)key;
	if ((value[0] == '0' && text_is_digit(value[1])) ||
	    (*value && !number_parse_u64_any(value, UINT32_MAX, &parsed)))
		return EXPECT("a firewall mark from 0 to 0xffffffff, decimal or with 0x");
	mark->is_set = *value != '\0';
	mark->value = (uint32_t)parsed;
	return true;
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
	char copy[LIST_SIZE], *word, *rest = copy;
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

/* One spelling each; `true`, `1` and `on` would only make configurations differ. */
static const struct words flags = {"yes or no", (const struct word[]){
							{"yes", true},
							{"no", false},
							{NULL, 0},
						}};

/* Code points by name, from RFC 2474 (CS), 2597 (AF), 3246 (EF), 5865 (VA), 8622 (LE). */
static const struct words code_points = {
	"a number from 0 to 63 or a name such as ef, af41, cs1, le",
	(const struct word[]){
		{"be", 0},    {"df", 0},    {"le", 1},	  {"cs0", 0},	{"cs1", 8},
		{"cs2", 16},  {"cs3", 24},  {"cs4", 32},  {"cs5", 40},	{"cs6", 48},
		{"cs7", 56},  {"af11", 10}, {"af12", 12}, {"af13", 14}, {"af21", 18},
		{"af22", 20}, {"af23", 22}, {"af31", 26}, {"af32", 28}, {"af33", 30},
		{"af41", 34}, {"af42", 36}, {"af43", 38}, {"va", 44},	{"ef", 46},
		{NULL, 0},
	}};

static const struct words families = {"auto, ipv4, ipv6 or both",
				      (const struct word[]){
					      {"auto", FAMILY_AUTO},
					      {"ipv4", FAMILY_IPV4},
					      {"ipv6", FAMILY_IPV6},
					      {"both", FAMILY_BOTH},
					      {NULL, 0},
				      }};

static const struct words histograms = {"peer, group or off",
					(const struct word[]){
						{"peer", HISTOGRAM_PEER},
						{"group", HISTOGRAM_GROUP},
						{"off", HISTOGRAM_OFF},
						{NULL, 0},
					}};

/* `all` is kept as a number that no list of peers reaches. */
static const struct words fanouts = {"all, or a whole number from 1 to 65535",
				     (const struct word[]){
					     {"all", OPTIONS_FANOUT_ALL},
					     {NULL, 0},
				     }};

/* 0 turns the probes with large packets off. */
static const struct words mtus = {"0, or the bytes of an IP packet from 576 to 9216",
				  (const struct word[]){
					  {"0", 0},
					  {NULL, 0},
				  }};

/*
 * The tables of keys. Adding one is a row here, a field in options.h, and its description
 * in the manual page and conf/nodecanary.ini.
 */

#define US CLOCK_NS_PER_US
#define MS CLOCK_NS_PER_MS
#define S CLOCK_NS_PER_S

#define FIELD(type, field) offsetof(type, field), sizeof(((type *)NULL)->field)
#define COLLECTOR(field, words) true, FIELD(struct collector_options, field), words
#define PROBE(field, words) false, FIELD(struct options, field), words

/* clang-format off */
static const struct key collector_keys[] = {
	{"textfile", parse_path, 0, 0, "/var/lib/nodecanary/nodecanary.prom",
	 COLLECTOR(textfile, NULL)},
	{"self", parse_name, 0, 0, "", COLLECTOR(self, NULL)},
	{"skip_self", parse_number, 0, 0, "yes", COLLECTOR(skip_self, &flags)},
	{"fsync", parse_number, 0, 0, "yes", COLLECTOR(fsync, &flags)},
	{"deadline", parse_duration, 100 * MS, 3600 * S, "10s",
	 COLLECTOR(deadline_ns, NULL)},
	{"resolve_timeout", parse_duration, 10 * MS, 60 * S, "2s",
	 COLLECTOR(resolve_timeout_ns, NULL)},
	{"resolve_every", parse_duration, 0, 86400 * S, "1m",
	 COLLECTOR(resolve_every_ns, NULL)},
	{"trace", parse_number, 0, OPTIONS_TRACE_MAX, "2", COLLECTOR(trace, NULL)},
	{"trace_every", parse_duration, 0, 86400 * S, "5m", COLLECTOR(trace_every_ns, NULL)},
	{.name = NULL},
};

static const struct key probe_keys[] = {
	{"count", parse_number, 1, 1000, "5", PROBE(count, NULL)},
	{"warmup", parse_number, 0, 100, "1", PROBE(warmup, NULL)},
	{"interval", parse_duration, 1 * MS, 3600 * S, "200ms", PROBE(interval_ns, NULL)},
	{"timeout", parse_duration, 1 * MS, 60 * S, "1s", PROBE(timeout_ns, NULL)},
	{"spacing", parse_duration, 0, 1 * S, "10us", PROBE(spacing_ns, NULL)},
	{"size", parse_number, OPTIONS_SIZE_MIN, OPTIONS_SIZE_MAX, "56", PROBE(size, NULL)},
	{"ttl", parse_number, 1, 255, "64", PROBE(ttl, NULL)},
	{"dscp", parse_number, 0, 63, "0", PROBE(dscp, &code_points)},
	{"family", parse_number, 0, 0, "auto", PROBE(family, &families)},
	{"source", parse_source, 0, 0, "", PROBE(source, NULL)},
	{"device", parse_device, 0, 0, "", PROBE(device, NULL)},
	{"mark", parse_mark, 0, 0, "", PROBE(mark, NULL)},
	{"histogram", parse_number, 0, 0, "peer", PROBE(histogram, &histograms)},
	/* One set for the fleet, so that histograms of all groups can be added up. */
	{"buckets", parse_buckets, 1 * US, 3600 * S,
	 "100us 250us 500us 1ms 2.5ms 5ms 10ms 25ms 50ms 100ms 250ms 500ms 1s",
	 COLLECTOR(buckets, NULL)},
	{"fanout", parse_number, 1, OPTIONS_FANOUT_MAX, "all", PROBE(fanout, &fanouts)},
	{"members_only", parse_number, 0, 0, "no", PROBE(members_only, &flags)},
	{"roam", parse_number, 0, OPTIONS_FANOUT_MAX, "0", PROBE(roam, NULL)},
	{"mtu", parse_number, OPTIONS_MTU_MIN, OPTIONS_MTU_MAX, "0", PROBE(mtu, &mtus)},
	{"mtu_every", parse_duration, 0, 86400 * S, "5m", PROBE(mtu_every_ns, NULL)},
	{.name = NULL},
};
/* clang-format on */

_Static_assert(sizeof(probe_keys) / sizeof(probe_keys[0]) <= OPTIONS_KEYS_MAX + 1,
	       "option_set has a bit for each key");

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

/* Defaults take the way of every value, so each can be written into a configuration. */
void options_defaults(struct collector_options *collector, struct options *options)
{
	char expected[OPTIONS_EXPECTED_SIZE];

	memset(collector, 0, sizeof(*collector));
	memset(options, 0, sizeof(*options));
	for (size_t i = 0; collector_keys[i].name; i++)
		options_set(OPTIONS_COLLECTOR, i, collector_keys[i].default_value,
			    collector, options, expected);
	for (size_t i = 0; probe_keys[i].name; i++)
		options_set(OPTIONS_PROBE, i, probe_keys[i].default_value, collector,
			    options, expected);
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
