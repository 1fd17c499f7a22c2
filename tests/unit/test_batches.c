/*
 * Which targets share a batch, and how batches are run and added up. Probes are the
 * test's.
 */
#include "support.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "ping/batches.h"
#include "ping/probe.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define MS CLOCK_NS_PER_MS
#define GROUPS_MAX (BATCHES_MAX + 1)
#define TARGETS_MAX GROUPS_MAX
#define HOSTS_MAX (BATCHES_UNRESPONSIVE_MAX + 8)

struct probe {
	struct probe_settings settings;
	uint32_t cookie;
	struct probe_host hosts[HOSTS_MAX];
	size_t count;
	struct idents *idents;
	struct probe_report report;
};

/* In the order in which they were made. */
static struct probe probes[BATCHES_MAX];
static size_t probe_count;
static struct {
	bool new_fails, add_fails;
	enum round_result result;
	pthread_barrier_t *meeting; /* each round waits for all others */
} script;
static atomic_uint rounds, freed;

struct probe *probe_new(const struct probe_settings *settings,
			const struct cookie *cookie, struct idents *idents)
{
	struct probe *probe = &probes[probe_count];

	assert_int_equal(cookie->words[0], 42);
	/* Objects of one run must not accept each other's replies. */
	for (size_t i = 0; i < probe_count; i++)
		assert_int_not_equal(probes[i].cookie, cookie->words[1]);
	if (script.new_fails)
		return NULL;
	assert_true(probe_count++ < BATCHES_MAX);
	probe->settings = *settings;
	probe->cookie = cookie->words[1];
	probe->idents = idents;
	return probe;
}

int probe_add_hosts(struct probe *probe, const struct probe_host *hosts, size_t count)
{
	assert_true(count >= 1 && count <= HOSTS_MAX);
	memcpy(probe->hosts, hosts, count * sizeof(*hosts));
	probe->count = count;
	return script.add_fails ? -1 : 0;
}

/* Every host answers in as many milliseconds as the last byte of its address says. */
enum round_result probe_run_round(struct probe *probe, struct sample *samples,
				  void (*on_sent)(void *arg), void *arg)
{
	on_sent(arg);
	atomic_fetch_add(&rounds, 1);
	if (script.meeting)
		pthread_barrier_wait(script.meeting);
	for (size_t i = 0; i < probe->count; i++) {
		const unsigned char *bytes =
			(const unsigned char *)&probe->hosts[i].address.u;

		samples[i] =
			(struct sample){.outcome = SAMPLE_REPLY, .rtt_ns = bytes[3] * MS};
	}
	return script.result;
}

struct probe_report probe_get_report(const struct probe *probe)
{
	return probe->report;
}

void probe_free(struct probe *probe)
{
	if (probe)
		atomic_fetch_add(&freed, 1);
}

static struct group groups[GROUPS_MAX];
static struct target_group target_groups[GROUPS_MAX];
static struct peer peers[TARGETS_MAX];
static struct target items[TARGETS_MAX];
static struct config config;
static struct targets targets;
static struct batches batches;
static struct stats_node node_of_run;

static const struct cookie cookie = {.words = {42, 0x41424344}};

static int set_up(void **state)
{
	(void)state;
	memset(probes, 0, sizeof(probes));
	memset(&script, 0, sizeof(script));
	memset(groups, 0, sizeof(groups));
	memset(target_groups, 0, sizeof(target_groups));
	memset(items, 0, sizeof(items));
	memset(&batches, 0, sizeof(batches));
	memset(&node_of_run, 0, sizeof(node_of_run));
	probe_count = 0;
	atomic_store(&rounds, 0);
	atomic_store(&freed, 0);
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
	alarm(120);
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
	assert_int_equal(batches_build(&batches, &targets, &cookie, INT64_MAX), 0);
}

/* The addresses of a batch's targets and then, after a bar, how many are absent. */
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
	snprintf(actual + len, sizeof(actual) - len, "| %zu", batch->absent_count);
	assert_string_equal(actual, expected);
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
	assert_true(batches_may_share(&base, &base));
	for (size_t i = 0; i < LENGTH(other); i++) {
		assert_false(batches_may_share(&base, &other[i]));
		assert_false(batches_may_share(&other[i], &base));
	}
}

static void other_options_do_not_keep_groups_from_sharing_a_batch(void **state)
{
	struct options base = groups[0].options, other = base;

	(void)state;
	other.size = 1000;
	other.family = FAMILY_BOTH;
	other.histogram = HISTOGRAM_GROUP;
	other.members_only = true;
	assert_true(batches_may_share(&base, &other));
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

static void groups_with_equal_options_share_a_batch(void **state)
{
	(void)state;
	groups[1].options.ttl = 9;
	groups[2].options.size = 1000;
	add(0, "10.0.0.1", TARGET_UP);
	add(1, "10.0.1.1", TARGET_UP);
	add(2, "10.0.2.1", TARGET_UP);
	add(2, "fd00::1", TARGET_UP);
	build();
	assert_int_equal(batches.count, 2);
	assert_batch(0, "10.0.0.1 10.0.2.1 fd00::1 | 0");
	assert_batch(1, "10.0.1.1 | 0");
	assert_int_equal(probe_count, 2);
	assert_int_equal(probes[1].settings.ttl, 9);
	/* Each host has the size of its own group, and all share the idents. */
	assert_int_equal(probes[0].hosts[0].payload, 56);
	assert_int_equal(probes[0].hosts[1].payload, 1000);
	assert_ptr_equal(probes[0].idents, probes[1].idents);
}

static void address_in_two_groups_is_in_two_batches(void **state)
{
	(void)state;
	add(0, "10.0.0.1", TARGET_UP);
	add(0, "10.0.0.2", TARGET_UP);
	add(1, "10.0.0.2", TARGET_UP);
	add(1, "10.0.0.3", TARGET_UP);
	add(2, "10.0.0.2", TARGET_UP);
	build();
	assert_int_equal(batches.count, 3);
	assert_batch(0, "10.0.0.1 10.0.0.2 10.0.0.3 | 0");
	assert_batch(1, "10.0.0.2 | 0");
	assert_batch(2, "10.0.0.2 | 0");
	assert_int_equal(batches_run(&batches, &targets, &node_of_run), 0);
	for (size_t i = 0; i < targets.count; i++)
		assert_int_equal(items[i].totals.replies, 2);
}

static void source_makes_a_batch_for_each_family(void **state)
{
	(void)state;
	assert_true(address_parse("10.9.0.1", &groups[0].options.source.v4));
	assert_true(address_parse("fd09::1", &groups[0].options.source.v6));
	add(0, "fd00::1", TARGET_UP);
	add(0, "10.0.0.1", TARGET_UP);
	add(0, "", TARGET_UNKNOWN);
	add(0, "10.0.0.2", TARGET_UP);
	build();
	assert_int_equal(probe_count, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct probe *probe = &probes[i];
		bool v4 = probe->hosts[0].address.family == ADDRESS_IPV4;

		assert_int_equal(probe->count, v4 ? 2 : 1);
		assert_int_equal(probe->settings.source.v4.family,
				 v4 ? ADDRESS_IPV4 : ADDRESS_NONE);
		assert_int_equal(probe->settings.source.v6.family,
				 v4 ? ADDRESS_NONE : ADDRESS_IPV6);
	}
	assert_int_equal(batches_run(&batches, &targets, &node_of_run), 0);
	assert_int_equal(items[2].totals.unsent, 2);
}

static void source_of_one_family_is_not_given_to_the_other(void **state)
{
	(void)state;
	assert_true(address_parse("10.9.0.1", &groups[0].options.source.v4));
	add(0, "fd00::1", TARGET_UP);
	build();
	assert_int_equal(probe_count, 1);
	assert_int_equal(probes[0].settings.source.v4.family, ADDRESS_NONE);
	assert_int_equal(probes[0].settings.source.v6.family, ADDRESS_NONE);
}

static void responsive_peers_come_before_unknown_and_unresponsive_ones(void **state)
{
	(void)state;
	add(0, "10.0.0.1", TARGET_DOWN);
	add(0, "10.0.0.2", TARGET_UNKNOWN);
	add(0, "10.0.0.3", TARGET_UP);
	add(0, "", TARGET_UP);
	add(1, "10.0.0.4", TARGET_DOWN);
	add(1, "10.0.0.5", TARGET_UNKNOWN);
	add(1, "10.0.0.6", TARGET_UP);
	build();
	assert_int_equal(batches.count, 1);
	assert_batch(0, "10.0.0.3 10.0.0.6 10.0.0.2 10.0.0.5 10.0.0.1 10.0.0.4 | 1");
	assert_int_equal(batches_run(&batches, &targets, &node_of_run), 0);
	/* Each target has its own reply. */
	for (size_t i = 0; i < targets.count; i++)
		if (items[i].state == TARGET_PROBED)
			assert_int_equal(items[i].run.max_ns,
					 (ntohl(items[i].address.u.v4.s_addr) & 255) *
						 MS);
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

static void many_unresponsive_peers_have_a_deferred_batch(void **state)
{
	(void)state;
	add_unresponsive(BATCHES_UNRESPONSIVE_MAX + 1);
	add(1, "10.0.2.1", TARGET_UP);
	add(1, "", TARGET_DOWN);
	build();
	assert_int_equal(batches.count, 2);
	assert_batch(0, "10.0.0.1 10.0.2.1 10.0.0.2 | 1");
	assert_int_equal(batches.items[1].count, BATCHES_UNRESPONSIVE_MAX + 1);
	assert_false(batches.items[0].is_deferred);
	assert_true(batches.items[1].is_deferred);
	assert_int_equal(batches_run(&batches, &targets, &node_of_run), 0);
	for (size_t i = 0; i < targets.count; i++)
		assert_int_equal(items[i].totals.requests + items[i].totals.unsent, 2);
}

static void targets_without_address_have_a_batch_without_a_probe(void **state)
{
	(void)state;
	add(0, "", TARGET_UNKNOWN);
	add(0, "", TARGET_UNKNOWN);
	build();
	assert_int_equal(batches.count, 1);
	assert_batch(0, "| 2");
	assert_int_equal(probe_count, 0);
	assert_int_equal(batches_run(&batches, &targets, &node_of_run), 0);
	assert_int_equal(items[0].totals.unsent, 2);
	assert_int_equal(items[1].totals.unsent, 2);
}

static void settings_are_those_of_the_group(void **state)
{
	struct options *o = &groups[0].options;
	const struct probe_settings *s = &probes[0].settings;

	(void)state;
	o->ttl = 7;
	o->dscp = 46;
	o->mark = (struct mark){true, 99};
	strcpy(o->device, "eth1");
	o->timeout_ns = 30 * MS;
	o->spacing_ns = 5000;
	o->interval_ns = 200 * MS;
	add(0, "10.0.0.1", TARGET_UP);
	groups[1].options = *o;
	groups[1].options.timeout_ns = 700 * MS;
	add(1, "10.0.0.2", TARGET_UP);
	build();
	assert_int_equal(s->ttl, 7);
	assert_int_equal(s->dscp, 46);
	assert_true(s->mark.is_set);
	assert_int_equal(s->mark.value, 99);
	assert_string_equal(s->device, "eth1");
	assert_int_equal(s->timeout_ns, 30 * MS);
	assert_int_equal(s->spacing_ns, 5000);
	/* With an unresponsive peer a round lasts its timeout. */
	assert_int_equal(s->period_ns, 200 * MS);
	assert_int_equal(probes[1].settings.period_ns, 700 * MS);
}

static void targets_are_unsent_if_liboping_refuses_an_option(void **state)
{
	(void)state;
	script.new_fails = true;
	add(0, "10.0.0.1", TARGET_UP);
	build();
	assert_int_equal(batches_run(&batches, &targets, &node_of_run), 0);
	assert_int_equal(items[0].totals.requests, 0);
	assert_int_equal(items[0].totals.unsent, 2);
}

static void hosts_that_cannot_be_added_are_an_error(void **state)
{
	(void)state;
	script.add_fails = true;
	add(0, "10.0.0.1", TARGET_UP);
	assert_int_equal(batches_build(&batches, &targets, &cookie, INT64_MAX), -1);
	batches_free(&batches);
	assert_int_equal(atomic_load(&freed), 1);
}

static void too_many_batches_are_an_error(void **state)
{
	char address[ADDRESS_TEXT_SIZE];
	char *output;

	(void)state;
	for (unsigned i = 0; i < BATCHES_MAX + 1; i++) {
		groups[i].options.spacing_ns = i;
		snprintf(address, sizeof(address), "10.0.%u.%u", i / 200, i % 200 + 1);
		add(i, address, TARGET_UP);
	}
	support_capture_begin();
	assert_int_equal(batches_build(&batches, &targets, &cookie, INT64_MAX), -1);
	output = support_capture_end();
	assert_non_null(strstr(output, "(at most 256)"));
	free(output);
	batches_free(&batches);

	targets.count--;
	build();
	assert_int_equal(batches.count, BATCHES_MAX);
}

static void batches_run_side_by_side(void **state)
{
	pthread_barrier_t meeting;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		groups[i].options.ttl = (uint32_t)i + 1;
		add(i, "10.0.0.1", TARGET_UP);
	}
	build();
	/* If they ran one after the other, they would wait for ever. */
	assert_int_equal(pthread_barrier_init(&meeting, NULL, 3), 0);
	script.meeting = &meeting;
	assert_int_equal(batches_run(&batches, &targets, &node_of_run), 0);
	assert_int_equal(atomic_load(&rounds), 6);
	pthread_barrier_destroy(&meeting);
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
	script.result = ROUND_RECEIVE_DROPS;
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

static void broken_batch_is_a_failure_of_the_run(void **state)
{
	(void)state;
	add(0, "10.0.0.1", TARGET_UP);
	script.result = ROUND_BROKEN;
	build();
	assert_int_equal(batches_run(&batches, &targets, &node_of_run), -1);
	assert_false(batches_measured(&batches));
}

static char *run_with_reports(const struct probe_report *reports, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		groups[i].options.ttl = (uint32_t)i + 1;
		add(i, "10.0.0.1", TARGET_UP);
	}
	build();
	for (size_t i = 0; i < count; i++)
		probes[i].report = reports[i];
	support_capture_begin();
	assert_int_equal(batches_run(&batches, &targets, &node_of_run), 0);
	return support_capture_end();
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(groups_share_a_batch_unless_an_option_of_the_socket_or_the_rounds_differs),
		TEST(other_options_do_not_keep_groups_from_sharing_a_batch),
		TEST(no_target_is_no_batch_and_no_failure),
		TEST(groups_with_equal_options_share_a_batch),
		TEST(address_in_two_groups_is_in_two_batches),
		TEST(source_makes_a_batch_for_each_family),
		TEST(source_of_one_family_is_not_given_to_the_other),
		TEST(responsive_peers_come_before_unknown_and_unresponsive_ones),
		TEST(few_unresponsive_peers_stay_with_the_others),
		TEST(many_unresponsive_peers_have_a_deferred_batch),
		TEST(targets_without_address_have_a_batch_without_a_probe),
		TEST(settings_are_those_of_the_group),
		TEST(targets_are_unsent_if_liboping_refuses_an_option),
		TEST(hosts_that_cannot_be_added_are_an_error),
		TEST(too_many_batches_are_an_error),
		TEST(batches_run_side_by_side),
		TEST(group_histogram_includes_its_peers),
		TEST(peer_histogram_continues_that_of_the_previous_run),
		TEST(discarded_rounds_of_all_batches_are_added_to_the_state),
		TEST(one_batch_that_measured_is_enough),
		TEST(broken_batch_is_a_failure_of_the_run),
		TEST(run_without_trouble_logs_nothing),
		TEST(failed_requests_of_all_batches_are_logged_in_one_line),
		TEST(drops_are_counted_and_logged_with_the_sysctl),
		TEST(starved_round_is_logged_with_the_sysctl),
		TEST(sysctl_is_raised_to_what_the_largest_batch_wants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
