/*
 * The metrics are an interface: names, types, order, and HELP texts that every
 * node_exporter takes.
 */
#include "fleet.h"

#include "publish/metrics.h"

/* As the documentation has them, in the order of the file. */
static const struct {
	const char *name, *type;
	enum metrics_lifetime lifetime;
} documented[] = {
	{"address_conflict", "gauge", METRICS_LAST_RUN},
	{"build_info", "gauge", METRICS_EVERY_RUN},
	{"counters_start_timestamp_seconds", "gauge", METRICS_KEPT},
	{"discarded_rounds_total", "counter", METRICS_KEPT},
	{"echo_replies_sent_total", "counter", METRICS_EVERY_RUN},
	{"echo_requests_received_total", "counter", METRICS_EVERY_RUN},
	{"echo_requests_sent_total", "counter", METRICS_KEPT},
	{"group_observers", "gauge", METRICS_KEPT},
	{"group_rtt_seconds", "histogram", METRICS_KEPT},
	{"irregular_replies_total", "counter", METRICS_KEPT},
	{"jitter_seconds", "gauge", METRICS_LAST_RUN},
	{"last_resolve_timestamp_seconds", "gauge", METRICS_KEPT},
	{"last_run_cpu_seconds", "gauge", METRICS_LAST_RUN},
	{"last_run_duration_seconds", "gauge", METRICS_LAST_RUN},
	{"last_run_errors", "gauge", METRICS_LAST_RUN},
	{"last_run_peak_memory_bytes", "gauge", METRICS_LAST_RUN},
	{"last_run_resolve_seconds", "gauge", METRICS_LAST_RUN},
	{"last_run_success", "gauge", METRICS_EVERY_RUN},
	{"last_run_timestamp_seconds", "gauge", METRICS_EVERY_RUN},
	{"loss_ratio", "gauge", METRICS_LAST_RUN},
	{"mtu_replies_total", "counter", METRICS_KEPT},
	{"mtu_requests_total", "counter", METRICS_KEPT},
	{"path_mtu_bytes", "gauge", METRICS_KEPT},
	{"peer_info", "gauge", METRICS_KEPT},
	{"peer_list_hash", "gauge", METRICS_KEPT},
	{"peer_resolved", "gauge", METRICS_LAST_RUN},
	{"peer_up", "gauge", METRICS_LAST_RUN},
	{"peers", "gauge", METRICS_KEPT},
	{"receive_drops_total", "counter", METRICS_KEPT},
	{"replies_total", "counter", METRICS_KEPT},
	{"reply_hop_limit", "gauge", METRICS_LAST_RUN},
	{"requests_total", "counter", METRICS_KEPT},
	{"roam_replies_total", "counter", METRICS_KEPT},
	{"roam_requests_total", "counter", METRICS_KEPT},
	{"roam_unresponsive", "gauge", METRICS_KEPT},
	{"rtt_max_seconds", "gauge", METRICS_LAST_RUN},
	{"rtt_mean_seconds", "gauge", METRICS_LAST_RUN},
	{"rtt_min_seconds", "gauge", METRICS_LAST_RUN},
	{"rtt_seconds", "histogram", METRICS_KEPT},
	{"rtt_stddev_seconds", "gauge", METRICS_LAST_RUN},
	{"runs_total", "counter", METRICS_KEPT},
	{"self_info", "gauge", METRICS_KEPT},
	{"trace_hops", "gauge", METRICS_KEPT},
	{"trace_last_hop_info", "gauge", METRICS_KEPT},
	{"unsent_total", "counter", METRICS_KEPT},
};

static void metrics_are_the_documented_ones(void **state)
{
	(void)state;
	assert_int_equal(sizeof(documented) / sizeof(documented[0]), metrics_count);
	for (size_t i = 0; i < metrics_count; i++) {
		const struct metric *metric = &metrics_table[i];

		assert_string_equal(metrics_short_name(metric), documented[i].name);
		assert_int_equal(strncmp(metric->name, METRICS_PREFIX, 11), 0);
		assert_string_equal(metrics_type_name(metric->type), documented[i].type);
		assert_int_equal(metric->lifetime, documented[i].lifetime);
	}
}

static void metrics_are_sorted_and_unique(void **state)
{
	(void)state;
	for (size_t i = 1; i < metrics_count; i++)
		assert_true(strcmp(metrics_table[i - 1].name, metrics_table[i].name) < 0);
}

/* Series must be sorted, and come from an array that is. */
static void label_values_are_sorted(void **state)
{
	(void)state;
	for (size_t i = 0; i < metrics_count; i++)
		for (size_t j = 1;
		     metrics_table[i].split && j < metrics_table[i].split->count; j++)
			assert_true(strcmp(metrics_table[i].split->values[j - 1],
					   metrics_table[i].split->values[j]) < 0);
}

/* node_exporter 1.5 refuses a file with \" in HELP; other escapes are not needed. */
static void help_is_plain_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < metrics_count; i++) {
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
	for (size_t i = 0; i < metrics_count; i++) {
		const char *name = metrics_table[i].name;
		bool is_total = strcmp(name + strlen(name) - 6, "_total") == 0;

		assert_int_equal(is_total, metrics_table[i].type == METRICS_COUNTER);
	}
}

static void every_metric_is_found_by_its_short_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < metrics_count; i++) {
		const char *name = metrics_short_name(&metrics_table[i]);

		assert_ptr_equal(metrics_find(name, strlen(name)), &metrics_table[i]);
		assert_null(metrics_find(name, strlen(name) - 1));
	}
	assert_null(metrics_find("", 0));
	assert_null(metrics_find("peer", 4));
	assert_null(metrics_find("peers_", 6));
	assert_null(metrics_find("rtt_seconds_bucket", 18));
}

/* The bytes of all values with that source. */
static size_t size_of_values(enum metrics_source source)
{
	size_t size = 0;

	for (size_t i = 0; i < metrics_count; i++) {
		const struct metric *metric = &metrics_table[i];

		if (metric->source != source || metric->format == METRICS_ONE)
			continue;
		size += metric->format == METRICS_BUCKETS ? sizeof(struct stats_histogram)
			: metric->split			  ? 8 * metric->split->count
							  : 8;
	}
	return size;
}

/* A field without a row would not be published, and not be kept from run to run. */
static void every_counter_has_a_row(void **state)
{
	(void)state;
	assert_int_equal(size_of_values(METRICS_OF_NODE), sizeof(struct stats_node));
	assert_int_equal(size_of_values(METRICS_OF_TOTALS), sizeof(struct stats_totals));
	assert_int_equal(size_of_values(METRICS_OF_SUMMARY),
			 sizeof(struct target_summary));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(metrics_are_the_documented_ones),
		cmocka_unit_test(metrics_are_sorted_and_unique),
		cmocka_unit_test(label_values_are_sorted),
		cmocka_unit_test(help_is_plain_text),
		cmocka_unit_test(counters_alone_are_totals),
		cmocka_unit_test(every_metric_is_found_by_its_short_name),
		cmocka_unit_test(every_counter_has_a_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
