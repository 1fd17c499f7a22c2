/*
 * Which targets share a batch, and what is added up of the batches of a run. What a batch
 * does is up to the test.
 */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ping/batches.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define MS CLOCK_NS_PER_MS
#define GROUPS_MAX 300
#define TARGETS_MAX 2600

static struct {
	bool fails;
	enum discard_reason discards; /* each batch discards two rounds */
	bool discards_any;
	const struct probe_report *reports; /* of the batches, in their order */
} script;
static size_t batch_runs, batches_count; /* of the last build() */

/* Every target answers twice, in as many milliseconds as the last byte of its address says. */
int batch_run(struct batch *batch, void (*on_sent)(void *arg), void *arg)
{
	on_sent(arg);
	if (script.reports)
		batch->report = script.reports[batch_runs];
	batch_runs++;
	if (script.discards_any) {
		batch->discarded[script.discards] = 2;
		return 0;
	}
	for (size_t i = 0; i < batch->count; i++) {
		struct target *target = batch->targets[i];
		const unsigned char *bytes = (const unsigned char *)&target->address.u;
		struct sample sample = {
			.outcome = SAMPLE_REPLY,
			.rtt_ns = bytes[3] * MS,
		};

		for (int round = 0; round < 2 && batch->addresses > 0; round++)
			stats_add(&target->totals, &target->run,
				  &batch->all->config->collector.buckets, &sample);
	}
	batch->measured = 2;
	return script.fails ? -1 : 0;
}

int64_t batch_round_ns(const struct options *options, size_t count)
{
	(void)options;
	(void)count;
	return 0;
}

static struct group groups[GROUPS_MAX];
static struct target_group target_groups[GROUPS_MAX];
static struct peer peers[TARGETS_MAX];
static struct target items[TARGETS_MAX];
static struct config config;
static struct targets targets;
static struct batches batches;
static struct stats_node node_of_run;

static int set_up(void **state)
{
	(void)state;
	memset(&script, 0, sizeof(script));
	memset(groups, 0, sizeof(groups));
	memset(target_groups, 0, sizeof(target_groups));
	memset(items, 0, sizeof(items));
	memset(&batches, 0, sizeof(batches));
	memset(&node_of_run, 0, sizeof(node_of_run));
	batch_runs = 0;
	for (size_t i = 0; i < GROUPS_MAX; i++)
		groups[i].options = (struct options){.count = 2,
						     .timeout_ns = 1000 * MS,
						     .size = 56,
						     .histogram = HISTOGRAM_OFF};
	config = (struct config){.groups = groups, .peers = peers};
	config.collector.buckets =
		(struct buckets){.count = 2, .upper_ns = {2 * MS, 4 * MS}};
	targets = (struct targets){
		.config = &config, .items = items, .groups = target_groups};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	batches_free(&batches);
	for (size_t i = 0; i < TARGETS_MAX; i++)
		free(items[i].totals.histogram.counts);
	for (size_t i = 0; i < GROUPS_MAX; i++)
		free(target_groups[i].histogram.counts);
	return 0;
}

/* To be called in the order of groups. "" is a target without address. */
static struct target *add(size_t group, const char *address, enum target_outcome previous)
{
	size_t i = targets.count++;

	assert_true(i < TARGETS_MAX);
	peers[i] = (struct peer){.group = group};
	items[i] = (struct target){.peer = &peers[i], .previous = previous};
	if (!address_parse(address, &items[i].address)) {
		assert_string_equal(address, "");
		items[i].state = TARGET_UNRESOLVED;
	}
	if (config.group_count <= group)
		config.group_count = group + 1;
	config.peer_count = targets.count;
	return &items[i];
}

static void build(void)
{
	assert_int_equal(batches_build(&batches, &targets, INT64_MAX), 0);
	batches_count = batches.count;
}

/* The addresses of a batch's targets and then, after a bar, how many differ. */
static void assert_batch(size_t index, const char *expected)
{
	const struct batch *batch = &batches.items[index];
	char actual[512] = "", address[ADDRESS_TEXT_SIZE];
	size_t len = 0;

	assert_true(index < batches.count);
	for (size_t i = 0; i < batch->count; i++) {
		address_format(&batch->targets[i]->address, address);
		len += (size_t)snprintf(actual + len, sizeof(actual) - len, "%s ",
					address);
	}
	snprintf(actual + len, sizeof(actual) - len, "| %zu", batch->addresses);
	assert_string_equal(actual, expected);
}

/* Of two groups with a target each, the second one with these options. */
static size_t count_batches_with(struct options second)
{
	set_up(NULL);
	groups[1].options = second;
	add(0, "10.0.0.1", TARGET_UP);
	add(1, "10.0.0.2", TARGET_UP);
	build();
	batches_free(&batches);
	return batches_count;
}

static void groups_share_a_batch_unless_an_option_of_the_socket_or_the_rounds_differs(
	void **state)
{
	struct options base = groups[0].options, other[12];

	(void)state;
	for (size_t i = 0; i < LENGTH(other); i++)
		other[i] = base;
	other[0].count++;
	other[1].warmup++;
	other[2].interval_ns++;
	other[3].timeout_ns++;
	other[4].spacing_ns++;
	other[5].ttl++;
	other[6].dscp++;
	address_parse("10.0.0.1", &other[7].source.v4);
	address_parse("fd00::1", &other[8].source.v6);
	strcpy(other[9].device, "eth1");
	other[10].mark.is_set = true;
	other[11].mark.value = 1;
	assert_int_equal(count_batches_with(base), 1);
	for (size_t i = 0; i < LENGTH(other); i++)
		assert_int_equal(count_batches_with(other[i]), 2);
}

static void other_options_do_not_keep_groups_from_sharing_a_batch(void **state)
{
	struct options other = groups[0].options;

	(void)state;
	other.size = 1000;
	other.family = FAMILY_BOTH;
	other.histogram = HISTOGRAM_GROUP;
	other.members_only = true;
	assert_int_equal(count_batches_with(other), 1);
}

static void no_target_is_no_batch_and_no_failure(void **state)
{
	(void)state;
	add(0, "10.0.0.1", TARGET_UP)->state = TARGET_SELF;
	add(0, "10.0.0.2", TARGET_UP)->state = TARGET_UNSELECTED;
	build();
	assert_int_equal(batches.count, 0);
	assert_int_equal(batches_run(&batches, &targets, &node_of_run), 0);
	assert_true(batches_measured(&batches));
	assert_int_equal(items[0].totals.unsent, 0);
}

static void groups_with_equal_options_share_a_batch_for_each_family(void **state)
{
	(void)state;
	groups[1].options.ttl = 9;
	groups[2].options.size = 1000;
	add(0, "10.0.0.1", TARGET_UP);
	add(1, "10.0.1.1", TARGET_UP);
	add(2, "10.0.2.1", TARGET_UP);
	add(2, "fd00::1", TARGET_UP);
	build();
	assert_int_equal(batches.count, 3);
	assert_batch(0, "10.0.0.1 10.0.2.1 | 2");
	assert_batch(1, "fd00::1 | 1");
	assert_batch(2, "10.0.1.1 | 1");
	assert_int_equal(batches.items[2].options->ttl, 9);
	assert_true(batches.items[0].turns != batches.items[1].turns);
}

static void address_of_several_targets_is_one_address(void **state)
{
	(void)state;
	add(0, "10.0.0.1", TARGET_UP);
	add(0, "10.0.0.2", TARGET_UP);
	add(1, "10.0.0.2", TARGET_UP);
	add(1, "10.0.0.3", TARGET_UP);
	add(2, "10.0.0.2", TARGET_UP);
	build();
	assert_int_equal(batches.count, 1);
	assert_batch(0, "10.0.0.1 10.0.0.2 10.0.0.2 10.0.0.2 10.0.0.3 | 3");
}

static void one_address_of_hundreds_of_names_is_one_address(void **state)
{
	(void)state;
	for (size_t i = 0; i < 300; i++)
		add(0, "10.0.0.1", i % 2 ? TARGET_UP : TARGET_DOWN);
	build();
	assert_int_equal(batches.count, 1);
	assert_int_equal(batches.items[0].count, 300);
	assert_int_equal(batches.items[0].addresses, 1);
	/* One of them responded, so they all may. */
	assert_false(batches.items[0].is_deferred);
}

static void address_with_two_sizes_of_the_payload_counts_twice(void **state)
{
	(void)state;
	groups[1].options.size = 100;
	add(0, "10.0.0.1", TARGET_UP);
	add(1, "10.0.0.1", TARGET_UP);
	build();
	assert_batch(0, "10.0.0.1 10.0.0.1 | 2");
}

/* Adds so many targets with addresses of their own. */
static void add_many(unsigned count, const char *format)
{
	char address[ADDRESS_TEXT_SIZE];

	for (unsigned i = 0; i < count; i++) {
		snprintf(address, sizeof(address), "10.1.%u.%u", i / 250, i % 250 + 1);
		if (*format == 'f')
			snprintf(address, sizeof(address), "fd00::1:%x", i + 1);
		add(0, address, TARGET_UP);
	}
}

static void long_lists_are_cut_into_batches_that_take_turns(void **state)
{
	(void)state;
	add_many(2 * BATCH_ADDRESSES_MAX + 1, "10");
	/* Another target of the last address of the first batch. */
	add(1, "10.1.3.250", TARGET_UP);
	add(1, "fd00::1", TARGET_UP);
	build();
	assert_int_equal(batches.count, 4);
	assert_int_equal(batches.items[0].count, BATCH_ADDRESSES_MAX + 1);
	assert_int_equal(batches.items[0].addresses, BATCH_ADDRESSES_MAX);
	assert_int_equal(batches.items[1].addresses, BATCH_ADDRESSES_MAX);
	assert_int_equal(batches.items[2].addresses, 1);
	assert_ptr_equal(batches.items[0].turns, batches.items[2].turns);
	assert_int_equal(batches.items[0].turns->addresses, 2 * BATCH_ADDRESSES_MAX + 1);
	assert_int_equal(batches.items[3].turns->addresses, 1);
}

static void no_two_addresses_of_a_family_share_an_ident(void **state)
{
	const struct batch *b;

	(void)state;
	add_many(BATCH_ADDRESSES_MAX + 500, "10");
	add_many(7, "fd00");
	groups[1].options.ttl = 9;
	add(1, "10.1.0.1", TARGET_UP);
	build();
	b = batches.items;
	assert_int_equal(batches.count, 4);
	assert_int_equal(b[1].first_ident, b[0].first_ident + BATCH_ADDRESSES_MAX);
	assert_int_equal(b[3].first_ident, b[1].first_ident + 500);
	/* Families have idents of their own. */
	assert_int_equal(b[2].first_ident, b[0].first_ident);
}

static void responsive_peers_come_before_unknown_and_unresponsive_ones(void **state)
{
	(void)state;
	add(0, "10.0.0.1", TARGET_DOWN);
	add(0, "10.0.0.2", TARGET_UNKNOWN);
	add(0, "10.0.0.3", TARGET_UP);
	add(1, "10.0.0.4", TARGET_DOWN);
	add(1, "10.0.0.5", TARGET_UNKNOWN);
	add(1, "10.0.0.6", TARGET_UP);
	build();
	assert_int_equal(batches.count, 1);
	assert_batch(0, "10.0.0.3 10.0.0.6 10.0.0.2 10.0.0.5 10.0.0.1 10.0.0.4 | 6");
}

/* Adds so many unresponsive peers, and one each that is responsive or new. */
static void add_unresponsive(unsigned count)
{
	char address[ADDRESS_TEXT_SIZE];

	for (unsigned i = 0; i < count; i++) {
		snprintf(address, sizeof(address), "10.0.1.%u", i + 1);
		add(0, address, TARGET_DOWN);
	}
	add(0, "10.0.0.1", TARGET_UP);
	add(0, "10.0.0.2", TARGET_UNKNOWN);
}

static void few_unresponsive_peers_stay_with_the_others(void **state)
{
	(void)state;
	add_unresponsive(BATCHES_UNRESPONSIVE_MAX);
	build();
	assert_int_equal(batches.count, 1);
	assert_int_equal(batches.items[0].count, BATCHES_UNRESPONSIVE_MAX + 2);
}

static void many_unresponsive_peers_have_a_deferred_batch_which_is_the_last(void **state)
{
	(void)state;
	add_unresponsive(BATCHES_UNRESPONSIVE_MAX + 1);
	groups[1].options.ttl = 9;
	add(1, "10.0.2.1", TARGET_UP);
	build();
	assert_int_equal(batches.count, 3);
	assert_batch(0, "10.0.0.1 10.0.0.2 | 2");
	assert_batch(1, "10.0.2.1 | 1");
	assert_int_equal(batches.items[2].count, BATCHES_UNRESPONSIVE_MAX + 1);
	assert_false(batches.items[0].is_deferred);
	assert_false(batches.items[1].is_deferred);
	assert_true(batches.items[2].is_deferred);
	/* Those that respond do not wait for the others' turns. */
	assert_true(batches.items[0].turns != batches.items[2].turns);
}

static void targets_without_address_have_a_batch_of_their_own(void **state)
{
	(void)state;
	add(0, "10.0.0.1", TARGET_UP);
	for (size_t i = 0; i <= BATCHES_UNRESPONSIVE_MAX; i++)
		add(0, "", TARGET_DOWN);
	build();
	assert_int_equal(batches.count, 2);
	assert_int_equal(batches.items[0].addresses, 0);
	assert_int_equal(batches.items[0].count, BATCHES_UNRESPONSIVE_MAX + 1);
	/* They were not asked, so they have nothing to be deferred for. */
	assert_false(batches.items[0].is_deferred);
	assert_batch(1, "10.0.0.1 | 1");
}

static void any_number_of_groups_may_have_options_of_their_own(void **state)
{
	char address[ADDRESS_TEXT_SIZE];

	(void)state;
	for (unsigned i = 0; i < GROUPS_MAX; i++) {
		groups[i].options.spacing_ns = i;
		snprintf(address, sizeof(address), "10.0.%u.%u", i / 200, i % 200 + 1);
		add(i, address, TARGET_UP);
	}
	build();
	assert_int_equal(batches.count, GROUPS_MAX);
	assert_int_equal(batches_run(&batches, &targets, &node_of_run), 0);
	assert_int_equal(batch_runs, GROUPS_MAX);
	for (size_t i = 0; i < targets.count; i++)
		assert_int_equal(items[i].totals.replies, 2);
}

static void group_histogram_includes_its_peers(void **state)
{
	(void)state;
	groups[0].options.histogram = HISTOGRAM_GROUP;
	groups[1].options.histogram = HISTOGRAM_PEER;
	add(0, "10.0.0.1", TARGET_UP);
	add(0, "10.0.0.3", TARGET_UP);
	add(1, "10.0.0.9", TARGET_UP);
	add(2, "10.0.0.8", TARGET_UP);
	/* What the group had before. */
	assert_int_equal(targets_add_counts(&targets, &target_groups[0].histogram), 0);
	target_groups[0].histogram.counts[1] = 100;
	target_groups[0].histogram.sum = (struct stats_sum){5, 999000000};
	build();
	assert_int_equal(batches_run(&batches, &targets, &node_of_run), 0);
	assert_int_equal(target_groups[0].histogram.counts[0], 2);
	assert_int_equal(target_groups[0].histogram.counts[1], 102);
	assert_int_equal(target_groups[0].histogram.counts[2], 0);
	assert_int_equal(target_groups[0].histogram.sum.seconds, 6);
	assert_int_equal(target_groups[0].histogram.sum.nanos, 7 * MS);
	assert_null(target_groups[1].histogram.counts);
	assert_int_equal(items[2].totals.histogram.counts[2], 2);
	assert_null(items[3].totals.histogram.counts);
}

static void peer_histogram_continues_that_of_the_previous_run(void **state)
{
	struct target *target = add(0, "10.0.0.1", TARGET_UP);

	(void)state;
	groups[0].options.histogram = HISTOGRAM_PEER;
	assert_int_equal(targets_add_counts(&targets, &target->totals.histogram), 0);
	target->totals.histogram.counts[0] = 40;
	build();
	assert_int_equal(batches_run(&batches, &targets, &node_of_run), 0);
	assert_int_equal(target->totals.histogram.counts[0], 42);
}

static void discarded_rounds_of_all_batches_are_added_to_the_state(void **state)
{
	(void)state;
	groups[1].options.ttl = 9;
	add(0, "10.0.0.1", TARGET_UP);
	add(1, "10.0.0.2", TARGET_UP);
	node_of_run.discarded_rounds[DISCARD_RECEIVE_DROPS] = 10;
	script.discards_any = true;
	script.discards = DISCARD_RECEIVE_DROPS;
	build();
	assert_int_equal(batches_run(&batches, &targets, &node_of_run), 0);
	assert_int_equal(node_of_run.discarded_rounds[DISCARD_RECEIVE_DROPS], 14);
	assert_int_equal(node_of_run.discarded_rounds[DISCARD_CLOCK_STEP], 0);
	assert_false(batches_measured(&batches));
}

static void one_batch_that_measured_is_enough(void **state)
{
	(void)state;
	groups[1].options.ttl = 9;
	add(0, "10.0.0.1", TARGET_UP);
	add(1, "10.0.0.2", TARGET_UP);
	build();
	assert_false(batches_measured(&batches));
	batches.items[1].measured = 1;
	assert_true(batches_measured(&batches));
}

static void batch_that_fails_is_a_failure_of_the_run(void **state)
{
	(void)state;
	add(0, "10.0.0.1", TARGET_UP);
	script.fails = true;
	build();
	assert_int_equal(batches_run(&batches, &targets, &node_of_run), -1);
}

static char *run_with_reports(const struct probe_report *reports, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		groups[i].options.ttl = (uint32_t)i + 1;
		add(i, "10.0.0.1", TARGET_UP);
	}
	build();
	script.reports = reports;
	support_capture_begin();
	assert_int_equal(batches_run(&batches, &targets, &node_of_run), 0);
	return support_capture_end();
}

static void peer_that_liboping_refuses_is_named(void **state)
{
	static const struct probe_report reports[] = {
		{.refused = 1, .refused_name = "worker1", .refused_reason = "no socket"},
		{.refused = 0},
		{.refused = 2, .refused_name = "worker7", .refused_reason = "no device"}};
	char *output = run_with_reports(reports, 3);

	(void)state;
	assert_string_equal(
		output,
		"nodecanary: peer `worker1`: cannot be pinged: no socket\n"
		"nodecanary: cannot ping ipv4 peers: no device (2 peers, the first is `worker7`)\n");
	free(output);
}

static void peers_of_one_list_that_are_refused_have_one_line(void **state)
{
	static const struct probe_report reports[] = {
		{.refused = 1000, .refused_name = "a1", .refused_reason = "no IPv6"},
		{.refused = 1000, .refused_name = "a1001", .refused_reason = "no IPv6"},
		{.refused = 500, .refused_name = "a2001", .refused_reason = "no IPv6"}};
	char *output;

	(void)state;
	add_many(2 * BATCH_ADDRESSES_MAX + 500, "fd00");
	build();
	script.reports = reports;
	support_capture_begin();
	assert_int_equal(batches_run(&batches, &targets, &node_of_run), 0);
	output = support_capture_end();
	assert_string_equal(
		output,
		"nodecanary: cannot ping ipv6 peers: no IPv6 (2500 peers, the first is `a1`)\n");
	free(output);
}

static void run_without_trouble_logs_nothing(void **state)
{
	static const struct probe_report reports[2] = {
		{.send_wanted = 9, .receive_wanted = 9}};
	char *output = run_with_reports(reports, 2);

	(void)state;
	assert_string_equal(output, "");
	free(output);
}

static void failed_requests_of_all_batches_are_logged_in_one_line(void **state)
{
	static const struct probe_report reports[] = {
		{.failed = 0},
		{.failed = 3, .first_errno = EPERM},
		{.failed = 4, .first_errno = EACCES}};
	char *output = run_with_reports(reports, 3);
	char expected[256];

	(void)state;
	snprintf(expected, sizeof(expected),
		 "nodecanary: 7 requests could not be sent: %s\n", strerror(EPERM));
	assert_string_equal(output, expected);
	free(output);
}

static void drops_are_counted_and_logged_with_the_sysctl(void **state)
{
	static const struct probe_report reports[] = {
		{.receive_drops = 5, .receive_wanted = 4000}, {.receive_wanted = 90000}};
	char *output;

	(void)state;
	node_of_run.receive_drops = 100;
	output = run_with_reports(reports, 2);
	assert_int_equal(node_of_run.receive_drops, 105);
	assert_non_null(strstr(output, "5 packets were dropped"));
	assert_non_null(strstr(output, "net.core.rmem_max to 2000"));
	free(output);
}

static void starved_round_is_logged_with_the_sysctl(void **state)
{
	static const struct probe_report reports[] = {
		{.starved = true, .send_wanted = 4000}, {.send_wanted = 90000}};
	char *output = run_with_reports(reports, 2);

	(void)state;
	assert_non_null(strstr(output, "net.core.wmem_max to 2000"));
	free(output);
}

static void sysctl_is_raised_to_what_the_largest_batch_wants(void **state)
{
	static const struct probe_report reports[] = {{.starved = true,
						       .send_wanted = 90000,
						       .receive_drops = 1,
						       .receive_wanted = 70000},
						      {.starved = true,
						       .send_wanted = 4000,
						       .receive_drops = 1,
						       .receive_wanted = 600}};
	char *output = run_with_reports(reports, 2);

	(void)state;
	assert_non_null(strstr(output, "net.core.wmem_max to 45000"));
	assert_non_null(strstr(output, "net.core.rmem_max to 35000"));
	free(output);
}

/* A message must not ask for a value that the buffer has already. */
static void buffers_that_have_the_size_wanted_are_not_to_be_raised(void **state)
{
	static const struct probe_report report = {.starved = true, .receive_drops = 7};
	char *output = run_with_reports(&report, 1);

	(void)state;
	assert_non_null(strstr(output, "7 packets were dropped at sockets"));
	assert_non_null(strstr(output, "requests could not be sent before the timeout"));
	assert_null(strstr(output, "raise"));
	free(output);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(groups_share_a_batch_unless_an_option_of_the_socket_or_the_rounds_differs),
		TEST(other_options_do_not_keep_groups_from_sharing_a_batch),
		TEST(no_target_is_no_batch_and_no_failure),
		TEST(groups_with_equal_options_share_a_batch_for_each_family),
		TEST(address_of_several_targets_is_one_address),
		TEST(one_address_of_hundreds_of_names_is_one_address),
		TEST(address_with_two_sizes_of_the_payload_counts_twice),
		TEST(long_lists_are_cut_into_batches_that_take_turns),
		TEST(no_two_addresses_of_a_family_share_an_ident),
		TEST(responsive_peers_come_before_unknown_and_unresponsive_ones),
		TEST(few_unresponsive_peers_stay_with_the_others),
		TEST(many_unresponsive_peers_have_a_deferred_batch_which_is_the_last),
		TEST(targets_without_address_have_a_batch_of_their_own),
		TEST(any_number_of_groups_may_have_options_of_their_own),
		TEST(group_histogram_includes_its_peers),
		TEST(peer_histogram_continues_that_of_the_previous_run),
		TEST(discarded_rounds_of_all_batches_are_added_to_the_state),
		TEST(one_batch_that_measured_is_enough),
		TEST(batch_that_fails_is_a_failure_of_the_run),
		TEST(peer_that_liboping_refuses_is_named),
		TEST(peers_of_one_list_that_are_refused_have_one_line),
		TEST(run_without_trouble_logs_nothing),
		TEST(failed_requests_of_all_batches_are_logged_in_one_line),
		TEST(drops_are_counted_and_logged_with_the_sysctl),
		TEST(starved_round_is_logged_with_the_sysctl),
		TEST(sysctl_is_raised_to_what_the_largest_batch_wants),
		TEST(buffers_that_have_the_size_wanted_are_not_to_be_raised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
