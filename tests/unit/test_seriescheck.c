/*
 * Series that may be published again as they are, and those that may not.
 */
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "publish/seriescheck.h"

/* Checks lines in turn, newlines between them; what is wrong with the first bad one. */
static const char *check(const char *lines)
{
	enum metrics_family family = METRICS_FAMILIES;
	struct seriescheck state;
	char copy[2048], *rest = copy, *text;

	snprintf(copy, sizeof(copy), "%s", lines);
	seriescheck_init(&state);
	while ((text = strsep(&rest, "\n")) != NULL) {
		struct promline line;
		const char *wrong;

		assert_true(promline_parse(text, &line));
		family = metrics_find(line.name, family);
		assert_true(family < METRICS_FAMILIES);
		wrong = seriescheck_line(&state, family, &line);
		if (wrong)
			return wrong;
	}
	return seriescheck_end(&state);
}

#define REQUESTS(peer) "nodecanary_requests_total{group=\"g\",peer=\"" peer "\"} 1"
#define RTT(suffix, le) "nodecanary_rtt_seconds" suffix "{group=\"g\",peer=\"p\"" le "} "
#define LE(bound) ",le=\"" bound "\""
#define BUCKETS RTT("_bucket", LE("0.001")) "1\n" RTT("_bucket", LE("+Inf")) "2\n"

static void sound_series_pass(void **state)
{
	(void)state;
	assert_null(check(REQUESTS("a") "\n" REQUESTS("b")));
	assert_null(check("nodecanary_runs_total 9007199254740992"));
	assert_null(check("nodecanary_counters_start_timestamp_seconds 1700000000.5"));
	assert_null(check(BUCKETS RTT("_sum", "") "0.5\n" RTT("_count", "") "2"));
	assert_null(check(
		"nodecanary_peer_info{group=\"g\",peer=\"p\",address=\"\",rack=\"r\"} 1"));
	assert_null(check(
		"nodecanary_replies_total{group=\"g\",peer=\"p\"} 1\n"
		"nodecanary_replies_total{group=\"g\",peer=\"p\",family=\"ipv4\"} 1"));
}

static void order_is_that_of_the_file(void **state)
{
	(void)state;
	assert_non_null(check(REQUESTS("b") "\n" REQUESTS("a")));
	assert_non_null(check(REQUESTS("a") "\n" REQUESTS("a")));
	assert_non_null(check("nodecanary_runs_total 1\n" REQUESTS("a")));
}

static void numbers_are_of_their_kind(void **state)
{
	static const char *const values[] = {
		"-1", "1.5", "1e3", "NaN", "+Inf", "0x1", "9007199254740993", "1_0"};
	char line[128];

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		snprintf(line, sizeof(line), "nodecanary_runs_total %s", values[i]);
		assert_non_null(check(line));
	}
	assert_non_null(check("nodecanary_counters_start_timestamp_seconds 9223372036"));
}

static void labels_must_be_there(void **state)
{
	(void)state;
	assert_non_null(check("nodecanary_requests_total{group=\"g\"} 1"));
	assert_non_null(check("nodecanary_discarded_rounds_total 1"));
	assert_true(seriescheck_has_label(METRICS_REQUESTS, "family"));
	assert_true(seriescheck_has_label(METRICS_RTT, "le"));
	assert_false(seriescheck_has_label(METRICS_REQUESTS, "le"));
	assert_false(seriescheck_has_label(METRICS_REQUESTS, "pee"));
	assert_false(seriescheck_has_label(METRICS_RUNS, "group"));
}

static void histograms_are_whole(void **state)
{
	static const char *const broken[] = {
		BUCKETS RTT("_sum", "") "0.5",
		BUCKETS RTT("_count", "") "2",
		BUCKETS RTT("_sum", "") "0.5\n" RTT("_count", "") "3",
		BUCKETS RTT("_sum", "") "0.5\n" RTT("_sum", "") "0.5",
		RTT("_bucket", LE("0.001")) "1\n" RTT("_sum", "") "0.5",
		RTT("_bucket", LE("0.001")) "2\n" RTT("_bucket", LE("+Inf")) "1",
		RTT("_bucket", LE("0.001")) "1\n" RTT("_bucket", LE("0.001")) "1",
		RTT("_bucket", LE("x")) "1",
		RTT("_bucket", "") "1",
		BUCKETS RTT("_bucket", LE("2")) "2",
		BUCKETS RTT("_sum", "") "0.5\n" RTT("_count", "") "2\n" BUCKETS RTT(
			"_sum", "") "0.5",
		BUCKETS "nodecanary_runs_total 1",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		if (!check(broken[i]))
			fail_msg("taken: %s", broken[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sound_series_pass),
		cmocka_unit_test(order_is_that_of_the_file),
		cmocka_unit_test(numbers_are_of_their_kind),
		cmocka_unit_test(labels_must_be_there),
		cmocka_unit_test(histograms_are_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
