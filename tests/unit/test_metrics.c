/*
 * The metrics are an interface: names, types, order, and HELP texts that every
 * node_exporter takes.
 */
#include "fleet.h"

#include "publish/metrics.h"

/* As the documentation has them, in the order of the file. */
static const struct {
	const char *name, *type;
	bool kept;
} documented[] = {
	{"build_info", "gauge", true},
	{"counters_start_timestamp_seconds", "gauge", true},
	{"discarded_rounds_total", "counter", true},
	{"group_observers", "gauge", true},
	{"group_rtt_seconds", "histogram", true},
	{"jitter_seconds", "gauge", false},
	{"last_resolve_timestamp_seconds", "gauge", true},
	{"last_run_cpu_seconds", "gauge", false},
	{"last_run_duration_seconds", "gauge", false},
	{"last_run_peak_memory_bytes", "gauge", false},
	{"last_run_resolve_seconds", "gauge", false},
	{"last_run_success", "gauge", false},
	{"last_run_timestamp_seconds", "gauge", false},
	{"loss_ratio", "gauge", false},
	{"peer_info", "gauge", true},
	{"peer_list_hash", "gauge", true},
	{"peer_resolved", "gauge", false},
	{"peer_up", "gauge", false},
	{"peers", "gauge", true},
	{"receive_drops_total", "counter", true},
	{"replies_total", "counter", true},
	{"reply_hop_limit", "gauge", false},
	{"requests_total", "counter", true},
	{"rtt_max_seconds", "gauge", false},
	{"rtt_mean_seconds", "gauge", false},
	{"rtt_min_seconds", "gauge", false},
	{"rtt_seconds", "histogram", true},
	{"rtt_stddev_seconds", "gauge", false},
	{"runs_total", "counter", true},
	{"self_info", "gauge", true},
	{"unsent_total", "counter", true},
};

static void families_are_the_documented_ones(void **state)
{
	(void)state;
	assert_int_equal(sizeof(documented) / sizeof(documented[0]), METRICS_FAMILIES);
	for (size_t i = 0; i < METRICS_FAMILIES; i++) {
		const struct metric *schema = &metrics_table[i];
		char name[128];

		snprintf(name, sizeof(name), "nodecanary_%s", documented[i].name);
		assert_string_equal(schema->name, name);
		assert_string_equal(metrics_type_name(schema->type), documented[i].type);
		assert_int_equal(schema->kind == METRICS_KEPT, documented[i].kept);
	}
}

static void families_are_sorted_and_unique(void **state)
{
	(void)state;
	for (size_t i = 1; i < METRICS_FAMILIES; i++)
		assert_true(strcmp(metrics_table[i - 1].name, metrics_table[i].name) < 0);
}

/* node_exporter 1.5 refuses a file with \" in HELP; other escapes are not needed. */
static void help_is_plain_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < METRICS_FAMILIES; i++) {
		const char *help = metrics_table[i].help;
		size_t len = strlen(help);

		assert_true(len > 1 && help[len - 1] == '.');
		assert_null(strpbrk(help, "\"\\\n\r\t"));
		assert_true(help[0] != ' ' && !strstr(help, "  "));
		for (size_t j = 0; j < len; j++)
			assert_true((unsigned char)help[j] < 0x7f);
	}
}

static void counters_alone_are_totals(void **state)
{
	(void)state;
	for (size_t i = 0; i < METRICS_FAMILIES; i++) {
		const char *name = metrics_table[i].name;
		bool is_total = strcmp(name + strlen(name) - 6, "_total") == 0;

		assert_int_equal(is_total, metrics_table[i].type == METRICS_COUNTER);
	}
}

static void assert_found(const char *series, enum metrics_family expected)
{
	for (unsigned hint = 0; hint <= METRICS_FAMILIES; hint++)
		assert_int_equal(metrics_find(series, (enum metrics_family)hint),
				 expected);
}

static void series_are_found_with_every_hint(void **state)
{
	static const char *const suffixes[] = {"_bucket", "_sum", "_count"};
	char series[128];

	(void)state;
	for (unsigned i = 0; i < METRICS_FAMILIES; i++) {
		const struct metric *schema = &metrics_table[i];
		bool is_histogram = schema->type == METRICS_HISTOGRAM;

		assert_found(schema->name,
			     is_histogram ? METRICS_FAMILIES : (enum metrics_family)i);
		for (size_t j = 0; j < 3; j++) {
			snprintf(series, sizeof(series), "%s%s", schema->name,
				 suffixes[j]);
			assert_found(series, is_histogram ? (enum metrics_family)i
							  : METRICS_FAMILIES);
		}
	}
}

static void strangers_are_not_found(void **state)
{
	static const char *const series[] = {"",
					     "nodecanary",
					     "nodecanary_",
					     "nodecanary_peer",
					     "nodecanary_peers_",
					     "nodecanary_rtt_seconds_buckets",
					     "nodecanary_rtt_seconds_bucket_bucket",
					     "nodecanary_rtt_seconds_",
					     "Nodecanary_peers",
					     "nodecanary_runs_total_total",
					     "node_cpu_seconds_total"};

	(void)state;
	for (size_t i = 0; i < sizeof(series) / sizeof(series[0]); i++)
		assert_found(series[i], METRICS_FAMILIES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(families_are_the_documented_ones),
		cmocka_unit_test(families_are_sorted_and_unique),
		cmocka_unit_test(help_is_plain_text),
		cmocka_unit_test(counters_alone_are_totals),
		cmocka_unit_test(series_are_found_with_every_hint),
		cmocka_unit_test(strangers_are_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
