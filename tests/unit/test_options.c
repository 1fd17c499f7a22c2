/*
 * The keys of [collector] and [probe]: names, ranges, defaults, words.
 */
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "config/options.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define US INT64_C(1000)
#define MS INT64_C(1000000)
#define S INT64_C(1000000000)

static struct collector_options collector;
static struct options options;
static char expected[OPTIONS_EXPECTED_SIZE];

static int begin(void **state)
{
	(void)state;
	options_defaults(&collector, &options);
	expected[0] = '\0';
	return 0;
}

static size_t find(enum options_section section, const char *key)
{
	int index = options_find(section, key);

	if (index < 0)
		fail_msg("no key `%s`", key);
	return (size_t)index;
}

static bool set(enum options_section section, const char *key, const char *value)
{
	return options_set(section, find(section, key), value, &collector, &options,
			   expected);
}

static bool set_probe(const char *key, const char *value)
{
	return set(OPTIONS_PROBE, key, value);
}

static bool set_collector(const char *key, const char *value)
{
	return set(OPTIONS_COLLECTOR, key, value);
}

static void refuses(enum options_section section, const char *key, const char *value,
		    const char *wanted)
{
	struct collector_options old_collector;
	struct options old_options;

	memcpy(&old_collector, &collector, sizeof(collector));
	memcpy(&old_options, &options, sizeof(options));
	expected[0] = '\0';
	if (set(section, key, value))
		fail_msg("%s = `%s` was taken", key, value);
	assert_string_equal(expected, wanted);
	assert_memory_equal(&old_collector, &collector, sizeof(collector));
	assert_memory_equal(&old_options, &options, sizeof(options));
}

static void defaults_are_those_of_the_manual(void **state)
{
	static const int64_t buckets[] = {
		100 * US, 250 * US, 500 * US, 1 * MS,	2500 * US, 5 * MS, 10 * MS,
		25 * MS,  50 * MS,  100 * MS, 250 * MS, 500 * MS,  1 * S};

	(void)state;
	assert_string_equal(collector.textfile, "/var/lib/nodecanary/nodecanary.prom");
	assert_string_equal(collector.self, "");
	assert_true(collector.skip_self && collector.fsync);
	assert_int_equal(collector.deadline_ns, 10 * S);
	assert_int_equal(collector.resolve_timeout_ns, 2 * S);
	assert_int_equal(collector.resolve_every_ns, 60 * S);
	assert_int_equal(collector.buckets.count, COUNT(buckets));
	assert_memory_equal(collector.buckets.upper_ns, buckets, sizeof(buckets));
	assert_int_equal(options.count, 5);
	assert_int_equal(options.warmup, 1);
	assert_int_equal(options.interval_ns, 200 * MS);
	assert_int_equal(options.timeout_ns, 1 * S);
	assert_int_equal(options.spacing_ns, 10 * US);
	assert_int_equal(options.size, 56);
	assert_int_equal(options.ttl, 64);
	assert_int_equal(options.dscp, 0);
	assert_int_equal(options.family, FAMILY_AUTO);
	assert_int_equal(options.source.v4.family, ADDRESS_NONE);
	assert_int_equal(options.source.v6.family, ADDRESS_NONE);
	assert_string_equal(options.device, "");
	assert_false(options.mark.is_set);
	assert_int_equal(options.histogram, HISTOGRAM_PEER);
	assert_false(options.members_only);
}

static void keys_are_listed_and_found(void **state)
{
	char list[OPTIONS_EXPECTED_SIZE];

	(void)state;
	options_list(OPTIONS_COLLECTOR, list);
	assert_string_equal(
		list,
		"textfile, self, skip_self, fsync, deadline, resolve_timeout, resolve_every, trace, trace_every");
	options_list(OPTIONS_PROBE, list);
	assert_string_equal(
		list,
		"count, warmup, interval, timeout, spacing, size, ttl, dscp, family, source, device, mark, histogram, buckets, fanout, members_only, roam, mtu, mtu_every");
	assert_int_equal(options_find(OPTIONS_PROBE, "deadline"), -1);
	assert_int_equal(options_find(OPTIONS_COLLECTOR, "buckets"), -1);
	assert_int_equal(options_find(OPTIONS_PROBE, "Count"), -1);
	assert_int_equal(options_find(OPTIONS_PROBE, ""), -1);
}

static void whole_numbers_have_ranges(void **state)
{
	static const struct {
		const char *key;
		uint32_t *field;
		const char *min, *max, *below, *above;
		uint32_t min_value, max_value;
		const char *wanted;
	} keys[] = {
		{"count", &options.count, "1", "1000", "0", "1001", 1, 1000,
		 "a whole number from 1 to 1000"},
		{"warmup", &options.warmup, "0", "100", "-1", "101", 0, 100,
		 "a whole number from 0 to 100"},
		{"size", &options.size, "40", "4000", "39", "4001", 40, 4000,
		 "a whole number from 40 to 4000"},
		{"ttl", &options.ttl, "1", "255", "0", "256", 1, 255,
		 "a whole number from 1 to 255"},
	};
	static const char *const junk[] = {
		"",    "x",    "5x",	     "5 ", "5.0", "+5",
		"0x5", "five", "4294967297", "5s", "1e1", "18446744073709551617"};

	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++) {
		assert_true(set_probe(keys[i].key, keys[i].min));
		assert_int_equal(*keys[i].field, keys[i].min_value);
		assert_true(set_probe(keys[i].key, keys[i].max));
		assert_int_equal(*keys[i].field, keys[i].max_value);
		refuses(OPTIONS_PROBE, keys[i].key, keys[i].below, keys[i].wanted);
		refuses(OPTIONS_PROBE, keys[i].key, keys[i].above, keys[i].wanted);
		for (size_t j = 0; j < COUNT(junk); j++)
			refuses(OPTIONS_PROBE, keys[i].key, junk[j], keys[i].wanted);
	}
}

static const struct duration_key {
	enum options_section section;
	const char *key;
	const int64_t *field;
	const char *min, *max, *below, *above;
	int64_t min_ns, max_ns;
	const char *range;
} duration_keys[] = {
	{OPTIONS_COLLECTOR, "deadline", &collector.deadline_ns, "100ms", "1h", "99ms",
	 "3601s", 100 * MS, 3600 * S, "from 100ms to 1h"},
	{OPTIONS_COLLECTOR, "resolve_timeout", &collector.resolve_timeout_ns, "10ms",
	 "60s", "9.999ms", "60.000000001s", 10 * MS, 60 * S, "from 10ms to 1m"},
	{OPTIONS_COLLECTOR, "resolve_every", &collector.resolve_every_ns, "0", "24h",
	 "-1s", "86401s", 0, 86400 * S, "from 0s to 1d"},
	{OPTIONS_PROBE, "interval", &options.interval_ns, "1ms", "60m", "0", "61m",
	 1 * MS, 3600 * S, "from 1ms to 1h"},
	{OPTIONS_PROBE, "timeout", &options.timeout_ns, "1ms", "1m", "999us", "61s",
	 1 * MS, 60 * S, "from 1ms to 1m"},
	{OPTIONS_PROBE, "spacing", &options.spacing_ns, "0s", "1s", "-1us", "1001ms", 0,
	 1 * S, "from 0s to 1s"},
};

static void durations_have_ranges_and_units(void **state)
{
	static const char *const junk[] = {"",	 "5",	"5 s",	 "5sx",	 "s",
					   "5S", "+5s", "5s 5s", "1h30m"};

	(void)state;
	for (size_t i = 0; i < COUNT(duration_keys); i++) {
		const struct duration_key *key = &duration_keys[i];

		assert_true(set(key->section, key->key, key->min));
		assert_int_equal(*key->field, key->min_ns);
		assert_true(set(key->section, key->key, key->max));
		assert_int_equal(*key->field, key->max_ns);
		for (size_t j = 0; j < COUNT(junk) + 2; j++) {
			const char *value = j == 0   ? key->below
					    : j == 1 ? key->above
						     : junk[j - 2];

			if (set(key->section, key->key, value))
				fail_msg("%s = `%s` was taken", key->key, value);
			assert_non_null(strstr(expected, "a duration with its unit"));
			assert_non_null(strstr(expected, key->range));
			assert_int_equal(*key->field, key->max_ns);
		}
	}
}

/* What is named as a limit must be among the units that are named. */
static void units_of_a_range_are_among_the_units_named(void **state)
{
	(void)state;
	assert_false(set_collector("resolve_every", "2d"));
	assert_non_null(strstr(expected, "from 0s to 1d"));
	assert_non_null(strstr(expected, " d)"));
}

static void flags_are_yes_or_no(void **state)
{
	static const char *const junk[] = {"",	  "true", "1", "on",
					   "Yes", "yes ", "y", "yesno"};

	(void)state;
	assert_true(set_collector("skip_self", "no") && !collector.skip_self);
	assert_true(set_collector("skip_self", "yes") && collector.skip_self);
	assert_true(set_collector("fsync", "no") && !collector.fsync);
	assert_true(set_probe("members_only", "yes") && options.members_only);
	for (size_t i = 0; i < COUNT(junk); i++) {
		refuses(OPTIONS_COLLECTOR, "fsync", junk[i], "yes or no");
		refuses(OPTIONS_PROBE, "members_only", junk[i], "yes or no");
	}
}

static void textfile_is_an_absolute_path_of_a_prom_file(void **state)
{
	static const char *const bad[] = {
		"",	    "x.prom",	"/x", "/x.prom.tmp", "/x.PROM", "/.prom",
		"./x.prom", "/a/.prom", "-",  "/dev/null",   "/a/b/"};
	char longest[PATH_MAX + 1];

	(void)state;
	assert_true(set_collector("textfile", "/x.prom"));
	assert_string_equal(collector.textfile, "/x.prom");
	assert_true(set_collector("textfile", "/a b/.x.prom"));
	assert_string_equal(collector.textfile, "/a b/.x.prom");
	for (size_t i = 0; i < COUNT(bad); i++)
		refuses(OPTIONS_COLLECTOR, "textfile", bad[i],
			"an absolute path that ends in .prom (node_exporter reads no other)");
	memset(longest, '/', sizeof(longest));
	memcpy(longest + PATH_MAX - 6, "x.prom", 7);
	refuses(OPTIONS_COLLECTOR, "textfile", longest,
		"an absolute path that ends in .prom (node_exporter reads no other)");
	memcpy(longest + PATH_MAX - 7, "x.prom", 7);
	assert_true(set_collector("textfile", longest));
}

static void names_have_limits_of_length(void **state)
{
	char name[OPTIONS_NAME_SIZE + 1];

	(void)state;
	memset(name, 'a', sizeof(name));
	name[OPTIONS_NAME_SIZE] = '\0';
	refuses(OPTIONS_COLLECTOR, "self", name,
		"the name of a peer, without blanks, quotes or commas");
	refuses(OPTIONS_COLLECTOR, "self", "\"worker1\"",
		"the name of a peer, without blanks, quotes or commas");
	name[OPTIONS_NAME_SIZE - 1] = '\0';
	assert_true(set_collector("self", name));
	assert_string_equal(collector.self, name);
	assert_true(set_collector("self", ""));
	assert_string_equal(collector.self, "");
	assert_true(set_probe("device", "abcdefghijklmno"));
	assert_string_equal(options.device, "abcdefghijklmno");
	refuses(OPTIONS_PROBE, "device", "abcdefghijklmnop",
		"the name of an interface or VRF, at most 15 bytes");
	refuses(OPTIONS_PROBE, "device", "eth0 eth1",
		"the name of an interface or VRF, at most 15 bytes");
	refuses(OPTIONS_PROBE, "device", "a/b",
		"the name of an interface or VRF, at most 15 bytes");
	assert_true(set_probe("device", ""));
	assert_string_equal(options.device, "");
}

static void dscp_is_a_number_or_a_name(void **state)
{
	static const struct {
		const char *text;
		uint32_t dscp;
	} cases[] = {{"0", 0},	   {"63", 63},	 {"be", 0},    {"df", 0},    {"cs0", 0},
		     {"cs1", 8},   {"cs2", 16},	 {"cs3", 24},  {"cs4", 32},  {"cs5", 40},
		     {"cs6", 48},  {"cs7", 56},	 {"af11", 10}, {"af12", 12}, {"af13", 14},
		     {"af21", 18}, {"af22", 20}, {"af23", 22}, {"af31", 26}, {"af32", 28},
		     {"af33", 30}, {"af41", 34}, {"af42", 36}, {"af43", 38}, {"ef", 46},
		     {"va", 44},   {"le", 1}};
	static const char *const bad[] = {"",	  "64",	 "-1",	 "cs8", "af14",
					  "af44", "ef ", "0x2e", "46s"};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_true(set_probe("dscp", cases[i].text));
		assert_int_equal(options.dscp, cases[i].dscp);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		refuses(OPTIONS_PROBE, "dscp", bad[i],
			"a number from 0 to 63 or a name such as ef, af41, cs1, le");
}

static void choices_are_words(void **state)
{
	(void)state;
	assert_true(set_probe("family", "ipv4") && options.family == FAMILY_IPV4);
	assert_true(set_probe("family", "ipv6") && options.family == FAMILY_IPV6);
	assert_true(set_probe("family", "both") && options.family == FAMILY_BOTH);
	assert_true(set_probe("family", "auto") && options.family == FAMILY_AUTO);
	assert_true(set_probe("histogram", "group"));
	assert_int_equal(options.histogram, HISTOGRAM_GROUP);
	assert_true(set_probe("histogram", "off"));
	assert_int_equal(options.histogram, HISTOGRAM_OFF);
	assert_true(set_probe("histogram", "peer"));
	assert_int_equal(options.histogram, HISTOGRAM_PEER);
	refuses(OPTIONS_PROBE, "family", "IPv4", "auto, ipv4, ipv6 or both");
	refuses(OPTIONS_PROBE, "family", "", "auto, ipv4, ipv6 or both");
	refuses(OPTIONS_PROBE, "family", "ipv4 ipv6", "auto, ipv4, ipv6 or both");
	refuses(OPTIONS_PROBE, "histogram", "yes", "peer, group or off");
	refuses(OPTIONS_PROBE, "histogram", "", "peer, group or off");
}

static void fanout_is_a_number_or_all(void **state)
{
	static const char *const bad[] = {"", "0", "65536", "All", "-1", "8 9", "1.5"};

	(void)state;
	assert_true(options.fanout == OPTIONS_FANOUT_ALL);
	assert_true(set_probe("fanout", "1") && options.fanout == 1);
	assert_true(set_probe("fanout", "65535") && options.fanout == 65535);
	assert_true(set_probe("fanout", "all"));
	assert_true(options.fanout == OPTIONS_FANOUT_ALL);
	for (size_t i = 0; i < COUNT(bad); i++)
		refuses(OPTIONS_PROBE, "fanout", bad[i],
			"all, or a whole number from 1 to 65535");
}

static void source_is_one_address_of_each_family(void **state)
{
	static const char *const bad[] = {"localhost",
					  "10.0.0.1 10.0.0.2",
					  "10.0.0.256",
					  "0.0.0.0",
					  "::",
					  "224.0.0.1",
					  "fd00::1 fd00::2",
					  "10.0.0.1x",
					  "10.0.0.1;fd00::1",
					  "::ffff:10.0.0.1",
					  "fe80::1",
					  "10.0.0.1 fe80::1",
					  "fe80::1%",
					  "fd00::1%lo"};
	char text[ADDRESS_TEXT_SIZE];

	(void)state;
	assert_true(set_probe("source", "10.0.0.1"));
	assert_int_equal(options.source.v4.family, ADDRESS_IPV4);
	assert_int_equal(options.source.v6.family, ADDRESS_NONE);
	assert_true(set_probe("source", "fd00::1, 10.0.0.2"));
	address_format(&options.source.v4, text);
	assert_string_equal(text, "10.0.0.2");
	address_format(&options.source.v6, text);
	assert_string_equal(text, "fd00::1");
	for (size_t i = 0; i < COUNT(bad); i++)
		refuses(OPTIONS_PROBE, "source", bad[i],
			"a numeric address of this host or one of each family, link-local ones with %interface");
	assert_true(set_probe("source", "fe80::1%lo"));
	assert_int_equal(options.source.v6.scope, if_nametoindex("lo"));
	assert_string_equal(options.source.interface, "lo");
	/* It may be there in the next run. */
	assert_true(set_probe("source", "10.0.0.1 fe80::1%no-such-if"));
	assert_int_equal(options.source.v6.scope, 0);
	assert_string_equal(options.source.interface, "no-such-if");
	assert_true(set_probe("source", ""));
	assert_int_equal(options.source.v4.family, ADDRESS_NONE);
	assert_int_equal(options.source.v6.family, ADDRESS_NONE);
}

static void mark_is_a_number_perhaps_hexadecimal(void **state)
{
	static const char *const bad[] = {"0x100000000", "4294967296", "-1", "0x",  "1 2",
					  "mark",	 "010",	       "00", "0777"};

	(void)state;
	assert_true(set_probe("mark", "0"));
	assert_true(options.mark.is_set && options.mark.value == 0);
	assert_true(set_probe("mark", "0xffffffff"));
	assert_true(options.mark.is_set && options.mark.value == UINT32_MAX);
	assert_true(set_probe("mark", "0x010"));
	assert_int_equal(options.mark.value, 16);
	assert_true(set_probe("mark", "42"));
	assert_int_equal(options.mark.value, 42);
	for (size_t i = 0; i < COUNT(bad); i++)
		refuses(OPTIONS_PROBE, "mark", bad[i],
			"a firewall mark from 0 to 0xffffffff, decimal or with 0x");
	assert_true(set_probe("mark", ""));
	assert_false(options.mark.is_set);
}

static void buckets_ascend(void **state)
{
	static const char *const bad[] = {
		"",	 "1ms 1ms", "2ms 1ms", "1ms 1000us", "0 1ms",	      "999ns",
		"3601s", "1ms,2ms", "1ms 2",   "1ms +Inf",   "1ms 2ms 0.5s x"};
	int64_t least[] = {1 * US, 3600 * S};

	(void)state;
	assert_true(set_probe("buckets", "1us  1h"));
	assert_int_equal(collector.buckets.count, 2);
	assert_memory_equal(collector.buckets.upper_ns, least, sizeof(least));
	assert_true(set_probe("buckets", " 2.5ms "));
	assert_int_equal(collector.buckets.count, 1);
	assert_int_equal(collector.buckets.upper_ns[0], 2500 * US);
	for (size_t i = 0; i < COUNT(bad); i++)
		refuses(OPTIONS_PROBE, "buckets", bad[i],
			"1 to 32 durations from 1us to 1h, ascending, separated by blanks");
}

static void only_buckets_are_one_set_for_the_fleet(void **state)
{
	static const char *const keys[] = {
		"count",  "warmup", "interval",	 "timeout", "spacing",
		"size",	  "ttl",    "dscp",	 "family",  "source",
		"device", "mark",   "histogram", "fanout",  "members_only"};

	(void)state;
	assert_true(options_is_fleet_wide(find(OPTIONS_PROBE, "buckets")));
	for (size_t i = 0; i < COUNT(keys); i++)
		assert_false(options_is_fleet_wide(find(OPTIONS_PROBE, keys[i])));
}

static void override_copies_the_keys_that_are_set_and_no_other(void **state)
{
	struct options base;
	option_set chosen = 0;

	(void)state;
	base = options;
	base.ttl = 7;
	assert_true(set_probe("count", "9") && set_probe("device", "eth1") &&
		    set_probe("source", "10.0.0.1") && set_probe("mark", "3") &&
		    set_probe("family", "both") && set_probe("members_only", "yes"));
	options.size = 99;
	chosen |= UINT32_C(1) << find(OPTIONS_PROBE, "count");
	chosen |= UINT32_C(1) << find(OPTIONS_PROBE, "device");
	chosen |= UINT32_C(1) << find(OPTIONS_PROBE, "source");
	chosen |= UINT32_C(1) << find(OPTIONS_PROBE, "family");
	options_override(&base, &options, chosen);
	assert_int_equal(base.count, 9);
	assert_string_equal(base.device, "eth1");
	assert_int_equal(base.source.v4.family, ADDRESS_IPV4);
	assert_int_equal(base.family, FAMILY_BOTH);
	assert_int_equal(base.ttl, 7);
	assert_int_equal(base.size, 56);
	assert_false(base.mark.is_set || base.members_only);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(defaults_are_those_of_the_manual, begin),
		cmocka_unit_test_setup(keys_are_listed_and_found, begin),
		cmocka_unit_test_setup(whole_numbers_have_ranges, begin),
		cmocka_unit_test_setup(durations_have_ranges_and_units, begin),
		cmocka_unit_test_setup(units_of_a_range_are_among_the_units_named, begin),
		cmocka_unit_test_setup(flags_are_yes_or_no, begin),
		cmocka_unit_test_setup(textfile_is_an_absolute_path_of_a_prom_file,
				       begin),
		cmocka_unit_test_setup(names_have_limits_of_length, begin),
		cmocka_unit_test_setup(dscp_is_a_number_or_a_name, begin),
		cmocka_unit_test_setup(choices_are_words, begin),
		cmocka_unit_test_setup(fanout_is_a_number_or_all, begin),
		cmocka_unit_test_setup(source_is_one_address_of_each_family, begin),
		cmocka_unit_test_setup(mark_is_a_number_perhaps_hexadecimal, begin),
		cmocka_unit_test_setup(buckets_ascend, begin),
		cmocka_unit_test_setup(only_buckets_are_one_set_for_the_fleet, begin),
		cmocka_unit_test_setup(override_copies_the_keys_that_are_set_and_no_other,
				       begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
