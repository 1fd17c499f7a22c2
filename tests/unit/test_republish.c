/*
 * Publishing again without a configuration: what goes over, what does not, and
 * that no reader chokes on it, whatever the old file said.
 */
#include "fleet.h"

#include "base/log.h"

static const char ini[] = "[probe]\n"
			  "buckets = 1ms 10ms\n"
			  "[labels default]\n"
			  "zone = eu 1\n"
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
	const struct run_info info = {.success = true, .duration_ns = 5, .cpu_ns = 6};
	struct target *beta;
	struct fleet fleet;
	char *text;

	fleet_load(&fleet, ini);
	beta = fleet_target(&fleet, "default", "beta", "");
	beta->looked_up = beta->resolved = true;
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
	fleet.state = (struct state){.counters_start_ns = INT64_C(1600000000000000000),
				     .last_resolve_ns = INT64_C(1699999999000000000),
				     .runs = 77,
				     .discarded = {1, 2, 3, 4},
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

/* Whether the line is, as a whole, in the text. */
static bool has_line(const char *text, const char *line)
{
	char *wanted = fleet_concat("\n", line, "\n");
	bool found = strstr(text, wanted) != NULL;

	free(wanted);
	return found;
}

static void counters_and_information_go_over_as_they_are(void **state)
{
	char *base = write_base(), *carried = fleet_carry(base), *rest = base;

	(void)state;
	assert_non_null(carried);
	assert_strict(carried);
	for (char *line; (line = strsep(&rest, "\n")) != NULL && *line;) {
		for (size_t i = 0; i < METRICS_FAMILIES; i++)
			if (is_of(line, &metrics_table[i]) &&
			    has_line(carried, line) !=
				    (metrics_table[i].kind == METRICS_KEPT))
				fail_msg("kept or lost: %s", line);
		if (strncmp(line, "# nodecanary_lookup", 19) == 0)
			assert_true(has_line(carried, line));
	}
	free(carried);
	free(base);
}

static void the_failure_is_said_in_its_place(void **state)
{
	char *base = write_base(), *carried = fleet_carry(base);

	(void)state;
	assert_true(has_line(carried, "nodecanary_last_run_success 0"));
	assert_true(has_line(
		carried, "nodecanary_last_run_timestamp_seconds 1700000015.123456789"));
	assert_null(strstr(carried, "nodecanary_peer_up"));
	assert_null(strstr(carried, "duration"));
	free(carried);
	free(base);
}

static void the_counters_are_restored_afterwards(void **state)
{
	char *base = write_base(), *carried = fleet_carry(base);
	char *direct = restore_and_write(base), *recovered = restore_and_write(carried);

	(void)state;
	assert_same_text(recovered, direct);
	free(recovered);
	free(direct);
	free(carried);
	free(base);
}

static void a_second_failure_changes_nothing_more(void **state)
{
	char *base = write_base(), *once = fleet_carry(base), *twice = fleet_carry(once);

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
	republish_nothing(&writer, FLEET_NEXT_NS);
	assert_int_equal(writer_flush(&writer), 0);
	return fleet_take(fd, NULL);
}

static void a_node_without_a_file_says_that_its_run_failed(void **state)
{
	char *text = write_nothing(), *restored = restore_and_write(text), *carried;

	(void)state;
	assert_strict(text);
	assert_true(has_line(text, "nodecanary_last_run_success 0"));
	assert_true(has_line(
		text, "nodecanary_last_run_timestamp_seconds 1700000015.123456789"));
	carried = fleet_carry(text);
	assert_same_text(carried, text);
	assert_true(has_line(restored, "nodecanary_runs_total 0"));
	free(carried);
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
	char *base = write_base(), *old, *carried, *nothing = write_nothing();

	(void)state;
	count_build_info(nothing);
	old = fleet_edit(base, "version=\"", "version=\"0.0.1-");
	carried = fleet_carry(old);
	assert_non_null(carried);
	count_build_info(carried);
	free(carried);
	free(old);
	free(nothing);
	free(base);
}

static void families_may_end_before_the_failure(void **state)
{
	static const char *const bodies[] = {
		"", "nodecanary_counters_start_timestamp_seconds 5\n",
		"nodecanary_runs_total 5\n",
		"# nodecanary_lookup{group=\"g\",peer=\"p\",host=\"h\"} 1\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		char *sealed = fleet_seal(bodies[i]), *carried = fleet_carry(sealed);

		assert_non_null(carried);
		assert_strict(carried);
		assert_true(has_line(carried, "nodecanary_last_run_success 0"));
		assert_non_null(strstr(carried, bodies[i]));
		free(carried);
		free(sealed);
	}
}

/* As restore does: an upgrade and a downgrade keep the counters. */
static void what_a_newer_version_says_more_is_dropped(void **state)
{
	static const char *const edits[][2] = {
		{"# HELP nodecanary_peers ", "# HELP nodecanary_peers Other: "},
		{"# HELP nodecanary_runs_total",
		 "# HELP nodecanary_runs_new New.\n# TYPE nodecanary_runs_new gauge\n"
		 "nodecanary_runs_new{device=\"eth0\"} NaN\n# HELP nodecanary_runs_total"},
		{"nodecanary_runs_total 77", "nodecanary_runs_total{shard=\"0\"} 77"},
	};
	char *base = write_base();

	(void)state;
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		char *edited = fleet_edit(base, edits[i][0], edits[i][1]);
		char *carried = fleet_carry(edited);

		if (!carried)
			fail_msg("not carried over: %s", edits[i][1]);
		assert_strict(carried);
		assert_true(has_line(carried, "nodecanary_runs_total 77"));
		assert_null(strstr(carried, "nodecanary_runs_new"));
		free(carried);
		free(edited);
	}
	free(base);
}

static void a_file_that_is_not_whole_is_refused(void **state)
{
	char *base = write_base();

	(void)state;
	for (size_t len = strlen(base); len-- > 0;) {
		char *cut;

		base[len] = '\0';
		cut = fleet_carry(base);
		assert_null(cut);
	}
	free(base);
}

#define ALPHA "{group=\"default\",peer=\"alpha\"} "
#define REQUESTS "nodecanary_requests_total" ALPHA "7\n"
#define BUCKET(le, n)                                                                    \
	"nodecanary_rtt_seconds_bucket{group=\"default\",peer=\"alpha\",le=\"" le        \
	"\"} " n "\n"
#define SUM "nodecanary_rtt_seconds_sum" ALPHA "0.084000028\n"
#define COUNT "nodecanary_rtt_seconds_count" ALPHA "7\n"

static const char *const hostile[][2] = {
	/* Numbers that are none of a counter. */
	{REQUESTS, "nodecanary_requests_total" ALPHA "NaN\n"},
	{REQUESTS, "nodecanary_requests_total" ALPHA "-1\n"},
	{REQUESTS, "nodecanary_requests_total" ALPHA "1e9\n"},
	{REQUESTS, "nodecanary_requests_total" ALPHA "9007199254740993\n"},
	{REQUESTS, "nodecanary_requests_total" ALPHA "9007199254740992.5\n"},
	{REQUESTS, "nodecanary_requests_total" ALPHA "7.5\n"},
	{"nodecanary_runs_total 77", "nodecanary_runs_total 77.5"},
	{"nodecanary_runs_total 77", "nodecanary_runs_total +Inf"},
	{"start_timestamp_seconds 1600000000", "start_timestamp_seconds 9223372037"},
	/* Series twice, in this or that form. */
	{REQUESTS, REQUESTS REQUESTS},
	{REQUESTS,
	 REQUESTS "nodecanary_requests_total{peer=\"alpha\",group=\"default\"} 7\n"},
	{"nodecanary_runs_total 77\n",
	 "nodecanary_runs_total 77\nnodecanary_runs_total 78\n"},
	{"nodecanary_runs_total 77\n",
	 "nodecanary_runs_total 77\nnodecanary_runs_total{shard=\"0\"} 78\n"},
	{"zone=\"eu 1\"", "zone=\"eu 1\",zone=\"eu 2\""},
	{"note=", "peer=\"alpha\",note="},
	/* What is no UTF-8. */
	{"eu 1", "eu \377"},
	{"group=\"default\",peer=\"beta\",host=\"beta", "group=\"\377\",host=\"\303"},
	/* Families that come again. */
	{"# HELP nodecanary_self_info", REQUESTS "# HELP nodecanary_self_info"},
	{"# nodecanary_lookup{", "# nodecanary_lookup{group=\"a\",host=\"b\"} 1\n"
				 "nodecanary_discarded_rounds_total{reason=\"x\"} 1\n"
				 "# nodecanary_lookup{"},
	{"# nodecanary_lookup{", "# nodecanary_lookup_x{"},
	{"peer=\"beta\",host=\"beta.example.net\"} 1", "host=\"x\"} NaN"},
	/* Histograms that are none. */
	{BUCKET("0.001", "0"), BUCKET("x", "0")},
	{BUCKET("0.001", "0"), BUCKET("NaN", "0")},
	{BUCKET("0.001", "0"), "nodecanary_rtt_seconds_bucket" ALPHA "0\n"},
	{BUCKET("0.001", "0"), BUCKET("0.001", "9")},
	{BUCKET("0.001", "0"), BUCKET("0.001", "0.5")},
	{BUCKET("0.001", "0"), BUCKET("0.02", "0")},
	{BUCKET("0.001", "0"), BUCKET("0.001", "0") BUCKET("0.001", "0")},
	{BUCKET("0.001", "0"), SUM BUCKET("0.001", "0")},
	{BUCKET("+Inf", "7"), ""},
	{BUCKET("+Inf", "7"), BUCKET("+Inf", "8")},
	{BUCKET("+Inf", "7"), BUCKET("+Inf", "7") BUCKET("+Inf", "7")},
	{SUM, ""},
	{SUM, SUM SUM},
	{COUNT, ""},
	{COUNT, "nodecanary_rtt_seconds_count" ALPHA "8\n"},
	{COUNT, COUNT COUNT},
	{SUM COUNT, COUNT SUM},
	{COUNT, COUNT BUCKET("0.001", "1") BUCKET("0.01", "1") BUCKET("+Inf", "1") SUM
	 "nodecanary_rtt_seconds_count" ALPHA "1\n"},
};

/* Refused, or else sound: a strict reader takes the result, and so does restore. */
static void what_is_carried_over_is_sound(void **state)
{
	char *base = write_base();
	size_t bad = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		char *edited, *carried;
		struct fleet fleet;

		edited = fleet_edit(base, hostile[i][0], hostile[i][1]);
		carried = fleet_carry(edited);
		fleet_load(&fleet, ini);
		if (carried && (strict_check(carried) ||
				fleet_restore(&fleet, carried) != RESTORE_TAKEN)) {
			print_message("# carried over: `%s` for `%s`\n", hostile[i][1],
				      hostile[i][0]);
			bad++;
		}
		fleet_free(&fleet);
		free(carried);
		free(edited);
	}
	assert_int_equal(bad, 0);
	free(base);
}

static void random_damage_is_refused_or_harmless(void **state)
{
	uint64_t seed = fleet_seed();
	char *base = write_base(), *old = fleet_unseal(base);
	size_t refused = 0;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct fleet_lines lines = fleet_split(old);
		char *text, *sealed, *carried;

		for (size_t n = 1 + fleet_random(&seed, 3); n > 0; n--)
			fleet_mutate(&lines, &seed);
		text = fleet_join(&lines);
		sealed = fleet_seal(text);
		carried = fleet_carry(sealed);
		if (carried)
			assert_strict(carried);
		else
			refused++;
		free(carried);
		free(sealed);
		free(text);
		fleet_free_lines(&lines);
	}
	/* Else nothing was tried. */
	assert_true(refused > 100 && refused < 2900);
	free(old);
	free(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counters_and_information_go_over_as_they_are),
		cmocka_unit_test(the_failure_is_said_in_its_place),
		cmocka_unit_test(the_counters_are_restored_afterwards),
		cmocka_unit_test(a_second_failure_changes_nothing_more),
		cmocka_unit_test(a_node_without_a_file_says_that_its_run_failed),
		cmocka_unit_test(the_version_is_that_of_the_program_that_writes),
		cmocka_unit_test(families_may_end_before_the_failure),
		cmocka_unit_test(what_a_newer_version_says_more_is_dropped),
		cmocka_unit_test(a_file_that_is_not_whole_is_refused),
		cmocka_unit_test(what_is_carried_over_is_sound),
		cmocka_unit_test(random_damage_is_refused_or_harmless),
	};

	log_open(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
