/*
 * What a run amounts to: packets, time, and exactly the series that are written.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "publish/exposition.h"
#include "config/configload.h"
#include "peers/self.h"
#include "estimate.h"
#include "ping/task.h"

static char directory[SUPPORT_PATH_SIZE];
static struct config config;
static struct targets targets;
static struct batches batches;
static char *printed, *logged;

static int begin(void **state)
{
	(void)state;
	support_make_dir(directory);
	return chdir(directory);
}

static int end(void **state)
{
	(void)state;
	free(printed);
	free(logged);
	printed = logged = NULL;
	targets_free(&targets);
	config_free(&config);
	assert_int_equal(chdir("/"), 0);
	support_remove_dir(directory);
	return 0;
}

/* Groups in which this node is the peer "self". */
static void load(const char *content)
{
	support_write_file("c.ini", content, strlen(content));
	assert_int_equal(configload_read(&config, "c.ini", NULL), CONFIG_VALID);
	assert_int_equal(targets_build(&targets, &config), 0);
	for (size_t i = 0; i < config.peer_count; i++)
		if (strcmp(config.peers[i].name, "self") == 0) {
			struct target_group *group =
				&targets.groups[config.peers[i].group];

			group->self = &config.peers[i];
			group->self_evidence = SELF_CONFIGURED;
		}
	targets_select(&targets, "");
}

static bool print_plan(void)
{
	size_t len;
	FILE *out = open_memstream(&printed, &len);
	bool good;

	assert_non_null(out);
	support_capture_begin();
	assert_int_equal(batches_build(&batches, &targets, INT64_MAX), 0);
	good = estimate_print(out, &targets, &batches);
	batches_free(&batches);
	logged = support_capture_end();
	assert_int_equal(fclose(out), 0);
	return good;
}

static void expect(const char *wanted)
{
	assert_true(print_plan());
	assert_string_equal(logged, "");
	assert_string_equal(printed, wanted);
}

static void packets_and_time_are_those_of_the_worst_case(void **state)
{
	(void)state;
	load("[collector]\ntrace = 0\n[probe]\ncount = 4\nwarmup = 2\ntimeout = 500ms\ninterval = 1s\n"
	     "[peers]\nself = 10.0.0.1\na = 10.0.0.2\nb = 10.0.0.3\n");
	assert_true(print_plan());
	assert_string_equal(logged, "");
	assert_non_null(strstr(printed, "file c.ini\n"));
	assert_non_null(strstr(
		printed,
		"group default: 3 peers, self self (`self` names it); 2 pinged, 12 packets per run, at most 6.1 s, "));
	assert_non_null(strstr(
		printed, "\n1 groups, 3 peers, 12 packets per run, at most 6.1 s, "));
}

static void round_with_an_unresponsive_peer_lasts_its_timeout(void **state)
{
	(void)state;
	load("[collector]\ntrace = 0\n[probe]\ncount = 5\nwarmup = 1\ntimeout = 1s\n"
	     "interval = 200ms\nspacing = 100ms\n"
	     "[peers]\na = 10.0.0.2\nb = 10.0.0.3\n");
	assert_true(print_plan());
	/* Six rounds of 1 s after the second of two requests, 100 ms later. */
	assert_non_null(strstr(
		printed,
		"self not among them (no peer has the name or an address of this host); 2 pinged, 12 packets per run, at most 7.3 s, "));
}

static void names_add_the_time_of_their_lookup(void **state)
{
	(void)state;
	load("[collector]\ntrace = 0\nresolve_timeout = 1500ms\n[probe]\nspacing = 0\n[peers]\na =\n");
	assert_true(print_plan());
	assert_non_null(strstr(printed, "1 pinged, 6 packets per run, at most 7.6 s, "));
}

static void groups_that_share_their_rounds_share_the_spacing(void **state)
{
	(void)state;
	load("[collector]\ntrace = 0\n[probe]\ncount = 1\nwarmup = 0\nspacing = 1s\n[probe c]\nttl = 9\n"
	     "[peers a]\na = 10.0.0.2\n[peers b]\na = 10.0.0.3\n[peers c]\na = 10.0.0.4\n");
	assert_true(print_plan());
	assert_non_null(strstr(
		printed,
		"group a: 1 peers, self not among them (no peer has the name or an address of this host); 1 pinged, 1 packets per run, at most 3.1 s, "));
	assert_non_null(strstr(
		printed,
		"group c: 1 peers, self not among them (no peer has the name or an address of this host); 1 pinged, 1 packets per run, at most 2.1 s, "));
}

/* Groups "a", "b" ... with options of their own, each of one peer or more. */
static void load_groups(const char *head, unsigned groups, unsigned peers)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	fputs(head, out);
	for (unsigned i = 0; i < groups; i++) {
		fprintf(out, "[probe g%u]\nttl = %u\n[peers g%u]\n", i, i + 1, i);
		for (unsigned j = 0; j < peers; j++)
			fprintf(out, "p%u = 10.%u.%u.%u\n", j, i, j / 250, j % 250 + 1);
	}
	assert_int_equal(fclose(out), 0);
	load(text);
	free(text);
}

static double announced_seconds(void)
{
	double seconds = 0;
	const char *last = printed;

	for (const char *at = printed; (at = strstr(at, "at most ")) != NULL; at++)
		last = at;
	assert_int_equal(sscanf(last, "at most %lf s", &seconds), 1);
	return seconds;
}

static void one_thread_adds_and_asks_the_peers_of_all_groups(void **state)
{
	(void)state;
	/* 21,000 peers of 60 us each, a timeout, and what a list needs for its spacing. */
	load_groups(
		"[collector]\ndeadline = 1s\ntrace = 0\n[probe]\ncount = 1\nwarmup = 0\n"
		"timeout = 100ms\nhistogram = off\n",
		3, 7000);
	print_plan();
	assert_true(announced_seconds() >= 21000 * 60e-6 + 0.1 + 0.07);
	assert_true(announced_seconds() < 4);
}

static void more_batches_than_tasks_wait_for_one_another(void **state)
{
	(void)state;
	load_groups("[collector]\ntrace = 0\n[probe]\ncount = 2\nwarmup = 0\n", TASK_MAX,
		    1);
	assert_true(print_plan());
	assert_true(announced_seconds() < 2.5);
	end(NULL);
	begin(NULL);
	load_groups("[collector]\ntrace = 0\n[probe]\ncount = 2\nwarmup = 0\n",
		    TASK_MAX + 1, 1);
	assert_true(print_plan());
	assert_true(announced_seconds() >= 3.9);
}

static void unselected_peers_cost_nothing(void **state)
{
	(void)state;
	load("[probe]\nmembers_only = yes\n[peers]\na = 10.0.0.2\nb =\n");
	assert_true(print_plan());
	assert_non_null(strstr(
		printed,
		"self not among them (no peer has the name or an address of this host); 0 pinged, 0 packets per run, at most 0.1 s, "));
	assert_non_null(
		strstr(printed, "\n1 groups, 2 peers, 0 packets per run, at most 0.1 s"));
}

static void a_group_that_a_lookup_may_show_this_node_in_is_pinged(void **state)
{
	(void)state;
	load("[collector]\ntrace = 0\n[probe]\nmembers_only = yes\n[peers]\na = 10.0.0.2\nb =\n"
	     "[peers numeric]\na = 10.0.0.2\n");
	estimate_assume_members(&config, &targets);
	targets_select(&targets, "");
	assert_true(print_plan());
	assert_non_null(strstr(printed, "; 2 pinged, 12 packets per run"));
	assert_non_null(strstr(printed, "; 0 pinged, 0 packets per run"));
}

static void no_groups_are_a_valid_estimate(void **state)
{
	(void)state;
	load("");
	expect("file c.ini\n0 groups, 0 peers, 0 packets per run, at most 0.1 s, 19 series on this node\n");
}

static void a_run_without_a_measured_round_is_an_error(void **state)
{
	(void)state;
	load("[collector]\ndeadline = 3s\n[probe]\nwarmup = 4\nspacing = 0\n[peers]\na = 10.0.0.2\n");
	assert_false(print_plan());
	assert_string_equal(
		logged,
		"nodecanary: group `default`: no measured round fits: the first one may begin only after 4.0 s, expected it within deadline = 3s\n");
}

static void a_run_that_may_lose_rounds_is_a_warning(void **state)
{
	(void)state;
	load("[collector]\ndeadline = 3s\n[probe]\nspacing = 0\n[peers]\na = 10.0.0.2\n");
	assert_true(print_plan());
	assert_string_equal(
		logged,
		"nodecanary: group `default`: the last round may begin only after 5.0 s, which is beyond deadline = 3s: where peers are down, rounds are left out\n");
}

static void a_round_that_begins_before_the_deadline_fits(void **state)
{
	(void)state;
	load("[collector]\ndeadline = 5001ms\n[probe]\nspacing = 0\n[peers]\na = 10.0.0.2\n");
	assert_true(print_plan());
	assert_string_equal(logged, "");
}

static void a_group_that_pings_nobody_has_no_deadline(void **state)
{
	(void)state;
	load("[collector]\ndeadline = 1s\n[probe]\nwarmup = 9\n[peers]\nself = 10.0.0.1\n");
	assert_true(print_plan());
	assert_string_equal(logged, "");
}

/* Peers of one group as text, to be freed. */
static char *fleet(const char *head, int count)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	fprintf(out, "%s[peers]\nself = 10.0.0.1\n", head);
	for (int i = 2; i <= count; i++)
		fprintf(out, "p%d = 10.0.%d.%d\n", i, i / 250, i % 250);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void load_fleet(const char *head, int count)
{
	char *text = fleet(head, count);

	load(text);
	free(text);
}

static void a_large_mesh_is_a_warning(void **state)
{
	(void)state;
	load_fleet("[probe]\nspacing = 0\n", 190);
	assert_true(print_plan());
	assert_null(strstr(logged, "on this node"));
	assert_non_null(strstr(logged, " series if every peer runs this configuration"));
}

static void a_large_node_is_a_warning(void **state)
{
	(void)state;
	load_fleet("[probe]\nspacing = 0\n", 400);
	assert_true(print_plan());
	assert_non_null(strstr(logged, " series on this node: with more than 10000 "));
}

static void small_mesh_is_no_warning(void **state)
{
	(void)state;
	load_fleet("[probe]\nspacing = 0\n", 100);
	assert_true(print_plan());
	assert_string_equal(logged, "");
}

/* Every figure of a run, so that no series is absent. */
static void pretend_a_run(void)
{
	for (size_t i = 0; i < targets.count; i++) {
		struct target *target = &targets.items[i];

		target->run = (struct stats_run){.requests = 5,
						 .replies = 5,
						 .min_ns = 1000,
						 .max_ns = 1000,
						 .mean_ns = 1000,
						 .pairs = 4,
						 .hop_limit = 64};
		/* As many failures as a target can have, and a trace. */
		for (int code = 0; code < FAILURE_MAX; code++)
			assert_int_equal(failure_add(&target->failures,
						     (enum failure_reason)code,
						     &target->address),
					 0);
		if (!target->trace)
			target->trace = calloc(1, sizeof(*target->trace));
		assert_non_null(target->trace);
		target->trace->hops = 3;
		target->lookup =
			target->peer->host ? TARGET_RESOLVED : TARGET_NOT_LOOKED_UP;
	}
}

static unsigned long count_written_series(void)
{
	static struct writer writer;
	struct stats_node node = {.runs = 1};
	struct run_info info = {.took_place = true,
				.success = 1,
				.peak_memory_bytes = 1,
				.has_echo_counts = true};
	struct exposition exposition = {&targets, &node, &info, NULL};
	unsigned long count = 0;
	char *text, *rest, *line;
	int fd = memfd_create("series", MFD_CLOEXEC);
	char path[64];

	assert_true(fd >= 0);
	pretend_a_run();
	writer_init(&writer, fd);
	exposition_write(&writer, &exposition);
	assert_int_equal(writer_flush(&writer), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	rest = text = support_read_file(path, NULL);
	while ((line = strsep(&rest, "\n")) != NULL)
		count += *line && *line != '#';
	free(text);
	close(fd);
	return count;
}

static void check_announced_series(void)
{
	const char *figure;
	unsigned long announced;

	assert_true(print_plan());
	figure = strstr(printed, "at most");
	while (strstr(figure + 1, "at most"))
		figure = strstr(figure + 1, "at most");
	assert_int_equal(
		sscanf(figure, "at most %*f s, %lu series on this node", &announced), 1);
	assert_int_equal(announced, count_written_series());
}

static void series_of_a_member_are_counted_exactly(void **state)
{
	(void)state;
	load("[peers]\nself = 10.0.0.1\na = 10.0.0.2\nb = 10.0.0.3\n");
	check_announced_series();
}

static void series_of_a_node_outside_the_list_are_counted_exactly(void **state)
{
	(void)state;
	load("[peers]\na = 10.0.0.2\nb = 10.0.0.3\n");
	check_announced_series();
}

static void series_of_names_and_both_families_are_counted_exactly(void **state)
{
	(void)state;
	load("[probe]\nfamily = both\n[peers]\nself =\na =\nb = 10.0.0.3, fd00::3\nc = fd00::4\n");
	check_announced_series();
}

static void series_of_every_histogram_mode_are_counted_exactly(void **state)
{
	(void)state;
	load("[probe]\nbuckets = 1ms 2ms\n[probe b]\nhistogram = group\n[probe c]\n"
	     "histogram = off\n[peers]\nself = 10.0.0.1\na = 10.0.0.2\n[peers b]\n"
	     "self = 10.0.0.1\na = 10.0.0.2\nb = 10.0.0.3\n[peers c]\na = 10.0.0.2\n");
	check_announced_series();
}

/* The last line of the summary has these figures. */
static void expect_total(unsigned long packets, double seconds)
{
	unsigned long announced = 0;
	const char *line;

	assert_true(print_plan());
	line = strstr(printed, "\n1 groups, ");
	assert_non_null(line);
	assert_int_equal(
		sscanf(strstr(line, "peers, "), "peers, %lu packets per run", &announced),
		1);
	assert_int_equal(announced, packets);
	assert_true(announced_seconds() > seconds - 0.05 &&
		    announced_seconds() < seconds + 0.05);
	end(NULL);
	begin(NULL);
}

#define SHORT "count = 2\nwarmup = 0\ntimeout = 100ms\ninterval = 1ms\n"
#define FOUR "a = 10.0.0.1\nb = 10.0.0.2\nc = 10.0.0.3\nd = 10.0.0.4\n"

/* Each asks 30 hops, 5 ms apart, and waits for the last one. */
static void traces_are_as_many_as_a_run_makes(void **state)
{
	(void)state;
	load("[collector]\ntrace = 3\n[probe]\n" SHORT "[peers]\n" FOUR);
	expect_total(8 + 3 * 30, 1.5);
	load("[collector]\ntrace = 9\n[probe]\n" SHORT "[peers]\n" FOUR);
	expect_total(8 + 4 * 30, 1.9);
	/* Those that would end after the deadline are left out. */
	load("[collector]\ntrace = 9\ndeadline = 700ms\n[probe]\n" SHORT
	     "[peers]\n" FOUR);
	expect_total(8 + 4 * 30, 0.8);
}

/* A path of several narrow links takes four attempts. */
static void large_packets_have_a_round_for_each_family(void **state)
{
	(void)state;
	load("[collector]\ntrace = 0\n[probe]\nmtu = 1500\n" SHORT "[peers]\n" FOUR);
	expect_total(8 + 4 * 4, 0.2 + 4 * 0.104 + 0.1);
	load("[collector]\ntrace = 0\n[probe]\nmtu = 1500\n" SHORT "[peers]\n" FOUR
	     "e = fd00::1\n");
	expect_total(10 + 5 * 4, 0.2 + 4 * 0.104 + 4 * 0.101 + 0.1);
}

/* New peers, those of the previous run again, and all that are listed. */
static void roaming_asks_at_most_the_other_peers(void **state)
{
	char *text = fleet(
		"[collector]\ntrace = 0\n[probe]\nfanout = 1\nroam = 2\n" SHORT, 60);

	(void)state;
	load(text);
	expect_total(2 * (1 + 2 + 2 + 32), 0.3);
	free(text);
	load("[collector]\ntrace = 0\n[probe]\nfanout = 1\nroam = 2\nspacing = 1s\n" SHORT
	     "[peers]\nself = 10.0.0.9\n" FOUR);
	expect_total(2 * 4, 2 * 4.1 + 0.1);
	load("[collector]\ntrace = 0\n[probe]\nroam = 2\n" SHORT "[peers]\n" FOUR);
	expect_total(2 * 4, 0.3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(packets_and_time_are_those_of_the_worst_case),
		TEST(round_with_an_unresponsive_peer_lasts_its_timeout),
		TEST(names_add_the_time_of_their_lookup),
		TEST(groups_that_share_their_rounds_share_the_spacing),
		TEST(one_thread_adds_and_asks_the_peers_of_all_groups),
		TEST(more_batches_than_tasks_wait_for_one_another),
		TEST(unselected_peers_cost_nothing),
		TEST(a_group_that_a_lookup_may_show_this_node_in_is_pinged),
		TEST(no_groups_are_a_valid_estimate),
		TEST(a_run_without_a_measured_round_is_an_error),
		TEST(a_run_that_may_lose_rounds_is_a_warning),
		TEST(a_round_that_begins_before_the_deadline_fits),
		TEST(a_group_that_pings_nobody_has_no_deadline),
		TEST(traces_are_as_many_as_a_run_makes),
		TEST(large_packets_have_a_round_for_each_family),
		TEST(roaming_asks_at_most_the_other_peers),
		TEST(small_mesh_is_no_warning),
		TEST(a_large_mesh_is_a_warning),
		TEST(a_large_node_is_a_warning),
		TEST(series_of_a_member_are_counted_exactly),
		TEST(series_of_a_node_outside_the_list_are_counted_exactly),
		TEST(series_of_names_and_both_families_are_counted_exactly),
		TEST(series_of_every_histogram_mode_are_counted_exactly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
