/*
 * Publishing the previous counters without a valid configuration: what is copied, what is
 * not, and that every reader accepts the result.
 */
#include "fleet.h"

#include "base/log.h"

static const char ini[] = "[probe]\n"
			  "buckets = 1ms 10ms\n"
			  "[labels default]\n"
			  "zone = \"eu 1\"\n"
			  "[peers]\n"
			  "alpha = 10.0.0.1 note=a\"b\\c\n"
			  "beta = beta.example.net\n"
			  "[probe both]\n"
			  "family = both\n"
			  "histogram = group\n"
			  "[peers both]\n"
			  "gamma = 10.1.0.1, fd00::1\n";

static void add_replies(struct fleet *fleet, const char *group, const char *peer,
			const char *family, size_t count)
{
	struct target *target = fleet_target(fleet, group, peer, family);

	if (!target->totals.histogram.counts)
		assert_int_equal(
			targets_add_counts(&fleet->targets, &target->totals.histogram),
			0);
	for (size_t i = 0; i < count; i++) {
		const struct sample sample = {.outcome = SAMPLE_REPLY,
					      .hop_limit = 64,
					      .rtt_ns = (int64_t)(i + 1) * 3000001};

		stats_add(&target->totals, &target->run, &fleet->config.collector.buckets,
			  &sample);
	}
}

/* The file of a run in which all went well. */
static char *write_base(void)
{
	const struct run_info info = {
		.took_place = true, .success = 1, .duration_ns = 5, .cpu_ns = 6};
	struct target *beta;
	struct fleet fleet;
	char *text;

	fleet_load(&fleet, ini);
	beta = fleet_target(&fleet, "default", "beta", "");
	beta->lookup = TARGET_RESOLVED;
	assert_true(address_parse("10.0.0.2", &beta->address));
	fleet.targets.groups[1].self = beta->peer;
	fleet.config.collector.skip_self = false;
	targets_select(&fleet.targets, "");
	add_replies(&fleet, "default", "alpha", "", 7);
	add_replies(&fleet, "default", "beta", "", 3);
	add_replies(&fleet, "both", "gamma", "ipv6", 2);
	assert_int_equal(
		targets_add_counts(&fleet.targets, &fleet.targets.groups[0].histogram),
		0);
	fleet.targets.groups[0].histogram.counts[1] = 2;
	fleet.node =
		(struct stats_node){.counters_start_ns = INT64_C(1600000000000000000),
				    .last_resolve_ns = INT64_C(1699999999000000000),
				    .runs = 77,
				    .discarded_rounds = {1, 2, 3, 4},
				    .receive_drops = 5};
	text = fleet_write(&fleet, &info);
	fleet_free(&fleet);
	assert_strict(text);
	return text;
}

/* What a valid configuration then finds. */
static char *restore_and_write(const char *text)
{
	struct fleet fleet;
	char *again;

	fleet_load(&fleet, ini);
	if (fleet_restore(&fleet, text) != RESTORE_TAKEN)
		fail_msg("not restored: %s", text);
	targets_select(&fleet.targets, "");
	again = fleet_write(&fleet, NULL);
	fleet_free(&fleet);
	return again;
}

/* Whether a line is a series of that family. */
static bool is_of(const char *line, const struct metric *schema)
{
	size_t len = strlen(schema->name);

	if (strncmp(line, schema->name, len) != 0)
		return false;
	return line[len] == ' ' || line[len] == '{' ||
	       (schema->type == METRICS_HISTOGRAM &&
		(strncmp(line + len, "_bucket{", 8) == 0 ||
		 strncmp(line + len, "_sum{", 5) == 0 ||
		 strncmp(line + len, "_count{", 7) == 0));
}

static void kept_metrics_and_state_are_copied_unchanged(void **state)
{
	char *base = write_base(), *republished = fleet_republish(base), *rest = base;

	(void)state;
	assert_non_null(republished);
	assert_strict(republished);
	for (char *line; (line = strsep(&rest, "\n")) != NULL && *line;) {
		bool is_state =
			strncmp(line, PROMFILE_STATE, sizeof(PROMFILE_STATE) - 1) == 0;

		for (size_t i = 0; i < metrics_count; i++)
			if (is_of(line, &metrics_table[i]) &&
			    metrics_table[i].lifetime != METRICS_EVERY_RUN &&
			    fleet_has_line(republished, line) !=
				    (metrics_table[i].lifetime == METRICS_KEPT))
				fail_msg("kept or lost: %s", line);
		if (is_state && !strstr(line, " end "))
			assert_true(fleet_has_line(republished, line));
	}
	free(republished);
	free(base);
}

static void the_file_says_that_the_run_failed(void **state)
{
	char *base = write_base(), *republished = fleet_republish(base);

	(void)state;
	assert_true(fleet_has_line(republished, "nodecanary_last_run_success 0"));
	assert_true(fleet_has_line(
		republished,
		"nodecanary_last_run_timestamp_seconds 1700000015.123456789"));
	assert_null(strstr(republished, "nodecanary_peer_up"));
	assert_null(strstr(republished, "duration"));
	free(republished);
	free(base);
}

static void the_counters_are_restored_afterwards(void **state)
{
	char *base = write_base(), *republished = fleet_republish(base);
	char *direct = restore_and_write(base),
	     *recovered = restore_and_write(republished);

	(void)state;
	assert_same_text(recovered, direct);
	free(recovered);
	free(direct);
	free(republished);
	free(base);
}

static void a_second_failure_changes_nothing(void **state)
{
	char *base = write_base(), *once = fleet_republish(base),
	     *twice = fleet_republish(once);

	(void)state;
	assert_non_null(twice);
	assert_same_text(twice, once);
	free(twice);
	free(once);
	free(base);
}

static char *write_nothing(void)
{
	static struct writer writer;
	int fd = fleet_fd("", 0);

	writer_init(&writer, fd);
	republish_nothing(&writer, "x.prom", FLEET_NEXT_NS);
	assert_int_equal(writer_flush(&writer), 0);
	return fleet_take(fd, NULL);
}

static void a_node_without_a_file_says_that_its_run_failed(void **state)
{
	char *text = write_nothing(), *restored = restore_and_write(text), *republished;

	(void)state;
	assert_strict(text);
	assert_true(fleet_has_line(text, "nodecanary_last_run_success 0"));
	assert_true(fleet_has_line(
		text, "nodecanary_last_run_timestamp_seconds 1700000015.123456789"));
	republished = fleet_republish(text);
	assert_same_text(republished, text);
	assert_true(fleet_has_line(restored, "nodecanary_runs_total 0"));
	free(republished);
	free(restored);
	free(text);
}

static void count_build_info(const char *text)
{
	static const char own[] = "nodecanary_build_info{version=\"" NODECANARY_VERSION
				  "\",liboping=\"" NODECANARY_LIBOPING_VERSION "\"} 1\n";
	const char *series = strstr(text, "nodecanary_build_info{");

	assert_non_null(series);
	assert_memory_equal(series, own, sizeof(own) - 1);
	assert_null(strstr(series + 1, "nodecanary_build_info{"));
}

/* It is always published, and is of the program that writes the file. */
static void the_version_is_that_of_the_program_that_writes(void **state)
{
	char *base = write_base(), *old, *republished, *nothing = write_nothing();

	(void)state;
	count_build_info(nothing);
	old = fleet_edit(base, "version=\"", "version=\"0.0.1-");
	republished = fleet_republish(old);
	assert_non_null(republished);
	count_build_info(republished);
	free(republished);
	free(old);
	free(nothing);
	free(base);
}

/* The file of another version may lack what every run writes. */
static void what_every_run_writes_is_written_anyway(void **state)
{
	static const char *const bodies[] = {
		"",
		"# HELP nodecanary_counters_start_timestamp_seconds T.\n"
		"# TYPE nodecanary_counters_start_timestamp_seconds gauge\n"
		"nodecanary_counters_start_timestamp_seconds 5\n",
		"# HELP nodecanary_runs_total R.\n# TYPE nodecanary_runs_total counter\n"
		"nodecanary_runs_total 5\n",
		PROMFILE_STATE "node runs_total=5\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		char *sealed = fleet_seal(bodies[i]),
		     *republished = fleet_republish(sealed);

		assert_non_null(republished);
		assert_strict(republished);
		assert_true(fleet_has_line(republished, "nodecanary_last_run_success 0"));
		assert_non_null(strstr(republished, bodies[i]));
		free(republished);
		free(sealed);
	}
}

/* A metric that this version does not know goes, with all its series. */
static void metrics_of_a_newer_version_are_dropped(void **state)
{
	char *base = write_base(), *edited, *republished;

	(void)state;
	edited = fleet_edit(base, "# HELP nodecanary_runs_total",
			    "# HELP nodecanary_runs_new New.\n"
			    "# TYPE nodecanary_runs_new gauge\n"
			    "nodecanary_runs_new{device=\"eth0\"} NaN\n"
			    "# HELP nodecanary_runs_total");
	republished = fleet_republish(edited);
	assert_non_null(republished);
	assert_strict(republished);
	assert_true(fleet_has_line(republished, "nodecanary_runs_total 77"));
	assert_null(strstr(republished, "nodecanary_runs_new"));
	free(republished);
	free(edited);
	free(base);
}

static void an_incomplete_file_is_refused(void **state)
{
	char *base = write_base();

	(void)state;
	for (size_t len = strlen(base); len-- > 0;) {
		char *cut;

		base[len] = '\0';
		cut = fleet_republish(base);
		assert_null(cut);
	}
	free(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kept_metrics_and_state_are_copied_unchanged),
		cmocka_unit_test(the_file_says_that_the_run_failed),
		cmocka_unit_test(the_counters_are_restored_afterwards),
		cmocka_unit_test(a_second_failure_changes_nothing),
		cmocka_unit_test(a_node_without_a_file_says_that_its_run_failed),
		cmocka_unit_test(the_version_is_that_of_the_program_that_writes),
		cmocka_unit_test(what_every_run_writes_is_written_anyway),
		cmocka_unit_test(metrics_of_a_newer_version_are_dropped),
		cmocka_unit_test(an_incomplete_file_is_refused),
	};

	log_open(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
