/*
 * The published file: a golden one for a small fleet, and what must hold for every
 * fleet.
 */
#include "fleet.h"

#define GOLDEN "tests/unit/data/prom/small-fleet.prom"

static const char small_fleet[] = "[collector]\n"
				  "self = beta\n"
				  "[probe]\n"
				  "buckets = 1ms 25ms 1s\n"
				  "[probe default]\n"
				  "mtu = 9000\n"
				  "roam = 5\n"
				  "[labels default]\n"
				  "zone = eu-1a\n"
				  "note = \"caf\303\251 \\d\"\n"
				  "[peers]\n"
				  "alpha = 10.0.0.1 rack=r7 zone=\"eu 1b\"\n"
				  "beta = 10.0.0.2\n"
				  "delta = delta.example.net\n"
				  "weird\\x = 10.0.0.4 note=a\"b\\c\n"
				  "[probe both]\n"
				  "family = both\n"
				  "histogram = group\n"
				  "[peers both]\n"
				  "alpha = 10.1.0.1, fd00::1\n"
				  "beta = beta.example.net\n"
				  "eps = eps.example.net\n"
				  "only4 = 10.1.0.4\n"
				  "[probe mesh]\n"
				  "members_only = yes\n"
				  "[peers mesh]\n"
				  "a = 10.2.0.1\n"
				  "b = b.example.net\n"
				  "[probe quiet]\n"
				  "histogram = off\n"
				  "[peers quiet]\n"
				  "alpha = fd00::31\n";

static void set_address(struct target *target, const char *address, bool resolved)
{
	target->lookup = resolved ? TARGET_RESOLVED : TARGET_LOOKUP_FAILED;
	if (*address)
		assert_true(address_parse(address, &target->address));
}

/* As if rounds had taken place. */
static void set_samples(struct fleet *fleet, struct target *target, const char *rounds)
{
	const struct options *options = &target_group(&fleet->targets, target)->options;

	target->run.hop_limit = -1;
	if (options->histogram == HISTOGRAM_PEER && !target->totals.histogram.counts)
		assert_int_equal(
			targets_add_counts(&fleet->targets, &target->totals.histogram),
			0);
	for (; *rounds; rounds++) {
		const struct sample sample = {
			.outcome = *rounds == 'u'   ? SAMPLE_UNSENT
				   : *rounds == '-' ? SAMPLE_LOST
						    : SAMPLE_REPLY,
			.hop_limit = 64 - (*rounds - '0'),
			.rtt_ns = (*rounds - '0') * INT64_C(12000001),
		};

		stats_add(&target->totals, &target->run, &fleet->config.collector.buckets,
			  &sample);
	}
}

static void set_self(struct fleet *fleet, size_t group, const char *name)
{
	for (size_t i = 0; i < fleet->config.peer_count; i++)
		if (fleet->config.peers[i].group == group &&
		    strcmp(fleet->config.peers[i].name, name) == 0)
			fleet->targets.groups[group].self = &fleet->config.peers[i];
	assert_non_null(fleet->targets.groups[group].self);
}

static struct address address_of(const char *text)
{
	struct address address;

	assert_true(address_parse(text, &address));
	return address;
}

/* Reasons, a trace, and what large packets and roaming found. */
static void set_findings(struct fleet *fleet)
{
	const struct address none = {.family = ADDRESS_NONE};
	const struct address router = address_of("10.9.0.1");
	struct target *lossy = fleet_target(fleet, "default", "weird\\x", "");
	struct target *large = fleet_target(fleet, "default", "alpha", "");
	struct target_group *group = targets_find_group(&fleet->targets, "default");

	for (int i = 0; i < 4; i++)
		assert_int_equal(
			failure_add(&lossy->failures, FAILURE_HOST_UNREACHABLE, &router),
			0);
	assert_int_equal(failure_add(&lossy->failures, FAILURE_NO_ROUTE, &none), 0);
	lossy->trace = calloc(1, sizeof(*lossy->trace));
	large->mtu = calloc(1, sizeof(*large->mtu));
	assert_true(lossy->trace && large->mtu);
	*lossy->trace = (struct trace){
		.at_ns = INT64_C(1699999990000000000), .hops = 3, .last = router};
	*large->mtu = (struct path_mtu){INT64_C(1699999980500000000), 1500};
	large->totals.mtu_requests = 2;
	large->totals.mtu_replies = 1;
	large->totals.echo_requests = 30;
	group->irregular[IRREGULAR_LATE] = 5;
	group->roam_requests = 200;
	group->roam_replies = 190;
	group->roam_position = UINT64_MAX;
	fleet_target(fleet, "default", "beta", "")->roam_state = ROAM_UNRESPONSIVE;
	fleet_target(fleet, "default", "beta", "")->roam_since_ns =
		INT64_C(1699990000000000000);
}

/* The small fleet after a run; groups are both, default, mesh, quiet. */
static void load_small_fleet(struct fleet *fleet)
{
	static uint64_t counts[4];
	struct target_group *both;

	fleet_load(fleet, small_fleet);
	fleet->node =
		(struct stats_node){.counters_start_ns = INT64_C(1600000000500000000),
				    .last_resolve_ns = INT64_C(1699999990000000000),
				    .runs = 12345,
				    .discarded_rounds = {1, 4, 3, 2},
				    .receive_drops = 77};
	set_address(fleet_target(fleet, "default", "delta", ""), "", false);
	set_address(fleet_target(fleet, "both", "eps", "ipv4"), "10.1.0.3", false);
	set_address(fleet_target(fleet, "both", "eps", "ipv6"), "fd00::3", true);
	set_self(fleet, 0, "beta");
	set_self(fleet, 1, "beta");
	/* Of a peer with two targets, and of one that has no series otherwise. */
	fleet_target(fleet, "both", "alpha", "ipv4")->has_conflict = true;
	fleet_target(fleet, "both", "alpha", "ipv6")->has_conflict = true;
	fleet_target(fleet, "default", "beta", "")->has_conflict = true;
	targets_select(&fleet->targets, "");
	set_samples(fleet, fleet_target(fleet, "default", "alpha", ""), "12-3u");
	set_samples(fleet, fleet_target(fleet, "default", "delta", ""), "uuuuu");
	set_samples(fleet, fleet_target(fleet, "default", "weird\\x", ""), "-----");
	set_samples(fleet, fleet_target(fleet, "both", "alpha", "ipv6"), "0");
	set_samples(fleet, fleet_target(fleet, "quiet", "alpha", ""), "9-");
	set_findings(fleet);
	both = targets_find_group(&fleet->targets, "both");
	memcpy(counts, (uint64_t[4]){1, 2, 0, 5}, sizeof(counts));
	both->histogram = (struct stats_histogram){.counts = counts, .sum = {17, 40}};
}

/* The group's counts are static, and not to be freed. */
static void free_small_fleet(struct fleet *fleet)
{
	targets_find_group(&fleet->targets, "both")->histogram.counts = NULL;
	fleet_free(fleet);
}

static const struct run_info small_run = {.duration_ns = 1234567890,
					  .resolve_ns = 0,
					  .cpu_ns = 4000000,
					  .peak_memory_bytes = 1900544,
					  .took_place = true,
					  .success = 1,
					  .has_echo_counts = true,
					  .echo = {{1001, 1002}, {1003, 1004}}};

/* The golden file for what was written; its versions are placeholders. */
static char *without_versions(const char *body)
{
	char *versioned = fleet_replace(body, "version=\"" NODECANARY_VERSION "\"",
					"version=\"@VERSION@\"");
	char *golden =
		fleet_replace(versioned, "liboping=\"" NODECANARY_LIBOPING_VERSION "\"",
			      "liboping=\"@LIBOPING@\"");

	free(versioned);
	return golden;
}

/* UPDATE=1 writes the golden file anew, for `git diff` to show. */
static void a_small_fleet_is_written_as_in_the_golden_file(void **state)
{
	struct fleet fleet;
	char *text, *body, *golden, *expected;

	(void)state;
	load_small_fleet(&fleet);
	text = fleet_write(&fleet, &small_run);
	body = fleet_unseal(text);
	golden = without_versions(body);
	if (getenv("UPDATE"))
		support_write_file(GOLDEN, golden, strlen(golden));
	expected = support_read_file(GOLDEN, NULL);
	assert_same_text(golden, expected);
	free(expected);
	free(golden);
	free(body);
	free(text);
	free_small_fleet(&fleet);
}

static void a_strict_reader_accepts_the_file(void **state)
{
	struct fleet fleet;
	char *text;

	(void)state;
	load_small_fleet(&fleet);
	text = fleet_write(&fleet, &small_run);
	assert_strict(text);
	free(text);
	text = fleet_write(&fleet, NULL);
	assert_strict(text);
	free(text);
	free_small_fleet(&fleet);
}

static void the_strict_reader_is_strict(void **state)
{
	static const char *const edits[][2] = {
		{"nodecanary_runs_total 12345", "nodecanary_runs_total NaN"},
		{"nodecanary_runs_total 12345", "nodecanary_runs_total 1 2"},
		{"nodecanary_runs_total 12345\n", ""},
		{"peer=\"alpha\"", "group=\"default\""},
		{"state=\"self\"", "state=\"probed\""},
		{"le=\"+Inf\"", "le=\"2\""},
		{"# TYPE nodecanary_runs_total counter\n", ""},
		{"caf\303", "caf"},
		{"nodecanary_peers{", "nodecanary_peer{"},
		{"12345\n", "12345\n\n"},
	};
	struct fleet fleet;
	char *text;

	(void)state;
	load_small_fleet(&fleet);
	text = fleet_write(&fleet, &small_run);
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		char *edited = fleet_edit(text, edits[i][0], edits[i][1]);

		assert_non_null(strict_check(edited));
		free(edited);
	}
	free(text);
	free_small_fleet(&fleet);
}

static void the_same_state_gives_the_same_bytes(void **state)
{
	struct fleet fleet;
	char *one, *other;

	(void)state;
	load_small_fleet(&fleet);
	one = fleet_write(&fleet, &small_run);
	other = fleet_write(&fleet, &small_run);
	assert_same_text(one, other);
	free(one);
	free(other);
	free_small_fleet(&fleet);
}

static void without_a_run_there_is_no_gauge_of_one(void **state)
{
	struct fleet fleet;
	char *text;

	(void)state;
	load_small_fleet(&fleet);
	text = fleet_write(&fleet, NULL);
	for (size_t i = 0; i < metrics_count; i++) {
		const struct metric *metric = &metrics_table[i];
		/* The kernel has told no counts here. */
		bool expected = metric->lifetime != METRICS_LAST_RUN &&
				metric->presence != METRICS_IF_COUNTED;
		char type[160];

		snprintf(type, sizeof(type), "# TYPE %s ", metric->name);
		assert_int_equal(strstr(text, type) != NULL, expected);
	}
	assert_non_null(strstr(text, "\nnodecanary_last_run_success 0\n"));
	assert_non_null(strstr(
		text, "\nnodecanary_last_run_timestamp_seconds 1700000000.123456789\n"));
	free(text);
	free_small_fleet(&fleet);
}

static void a_run_that_measured_nothing_has_no_success(void **state)
{
	const struct run_info info = {.took_place = true};
	struct fleet fleet;
	char *text;

	(void)state;
	load_small_fleet(&fleet);
	text = fleet_write(&fleet, &info);
	assert_non_null(strstr(text, "\nnodecanary_last_run_success 0\n"));
	assert_non_null(strstr(text, "\nnodecanary_last_run_duration_seconds 0\n"));
	free(text);
	free_small_fleet(&fleet);
}

/* What the next run must know of their names is in comments. */
static void self_and_unselected_peers_have_no_series(void **state)
{
	struct fleet fleet;
	struct fleet_lines lines;
	char *text;

	(void)state;
	load_small_fleet(&fleet);
	set_address(fleet_target(&fleet, "mesh", "b", ""), "10.2.0.2", true);
	set_address(fleet_target(&fleet, "both", "beta", "ipv4"), "10.1.0.2", true);
	targets_select(&fleet.targets, "");
	text = fleet_write(&fleet, &small_run);
	assert_strict(text);
	lines = fleet_split(text);
	for (size_t i = 0; i < lines.count; i++) {
		const char *line = lines.items[i];

		if (*line != '#' && strncmp(line, "nodecanary_self_info{", 21) != 0 &&
		    strncmp(line, "nodecanary_address_conflict{", 28) != 0 &&
		    (strstr(line, "group=\"mesh\",peer=") ||
		     strstr(line, "peer=\"beta\"")))
			fail_msg("a series of a peer that is not measured: %s", line);
	}
	fleet_free_lines(&lines);
	free(text);
	free_small_fleet(&fleet);
}

static void a_configuration_without_peers_gives_a_valid_file(void **state)
{
	struct fleet fleet;
	char *text;

	(void)state;
	fleet_load(&fleet, "[peers]\n");
	targets_select(&fleet.targets, "");
	text = fleet_write(&fleet, &small_run);
	assert_strict(text);
	assert_null(strstr(text, "peer=\""));
	assert_non_null(
		strstr(text, "nodecanary_peers{group=\"default\",state=\"probed\"} 0\n"));
	free(text);
	fleet_free(&fleet);
	fleet_load(&fleet, "");
	text = fleet_write(&fleet, &small_run);
	assert_strict(text);
	free(text);
	fleet_free(&fleet);
}

static void with_skip_self_off_a_node_measures_itself(void **state)
{
	struct fleet fleet;
	char *text;

	(void)state;
	fleet_load(&fleet, "[collector]\nskip_self = no\n[peers]\n"
			   "a = 10.0.0.1\nb = 10.0.0.2\n");
	set_self(&fleet, 0, "a");
	targets_select(&fleet.targets, "");
	text = fleet_write(&fleet, NULL);
	assert_non_null(
		strstr(text, "nodecanary_group_observers{group=\"default\"} 2\n"));
	assert_non_null(
		strstr(text, "nodecanary_self_info{group=\"default\",peer=\"a\"} 1\n"));
	assert_non_null(strstr(
		text, "nodecanary_requests_total{group=\"default\",peer=\"a\"} 0\n"));
	free(text);
	fleet_free(&fleet);
}

static void a_file_beside_others_is_named_nodecanary_name(void **state)
{
	(void)state;
	assert_null(exposition_file("nodecanary.prom"));
	assert_null(exposition_file("/var/lib/nodecanary/nodecanary.prom"));
	assert_null(exposition_file("/srv/nodecanary-x/y.prom"));
	assert_string_equal(exposition_file("nodecanary-slow.prom"),
			    "nodecanary-slow.prom");
	assert_string_equal(exposition_file("/srv/nodecanary-slow.prom"),
			    "nodecanary-slow.prom");
}

static void errors_of_the_descriptor_stay_with_the_writer(void **state)
{
	static struct writer writer;
	struct fleet fleet;
	const struct exposition exposition = {
		.targets = &fleet.targets, .node = &fleet.node, .run = &small_run};

	(void)state;
	load_small_fleet(&fleet);
	writer_init(&writer, -1);
	exposition_write(&writer, &exposition);
	assert_int_equal(writer_flush(&writer), -1);
	free_small_fleet(&fleet);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_small_fleet_is_written_as_in_the_golden_file),
		cmocka_unit_test(a_strict_reader_accepts_the_file),
		cmocka_unit_test(the_strict_reader_is_strict),
		cmocka_unit_test(the_same_state_gives_the_same_bytes),
		cmocka_unit_test(without_a_run_there_is_no_gauge_of_one),
		cmocka_unit_test(a_run_that_measured_nothing_has_no_success),
		cmocka_unit_test(self_and_unselected_peers_have_no_series),
		cmocka_unit_test(a_configuration_without_peers_gives_a_valid_file),
		cmocka_unit_test(with_skip_self_off_a_node_measures_itself),
		cmocka_unit_test(a_file_beside_others_is_named_nodecanary_name),
		cmocka_unit_test(errors_of_the_descriptor_stay_with_the_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
