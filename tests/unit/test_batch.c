/*
 * How a batch runs, counts and discards rounds. Rounds, time and stop requests are the test's.
 */
#include "support.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ping/batch.h"
#include "base/stop.h"
#include "ping/task.h"

#define MS CLOCK_NS_PER_MS
#define ROUNDS_MAX 32
#define TARGETS_MAX 4

static struct {
	int64_t now_ns;
	int64_t round_ns; /* a round lasts so long */
	enum round_result results[ROUNDS_MAX];
	size_t stop_before_round, stop_in_round; /* counted from 1, 0 for never */
	bool stopped;
	size_t rounds, sent_calls;
	int64_t started_ns[ROUNDS_MAX];
	size_t progress_calls;
	unsigned last_round, last_rounds;
	/* A batch that this one takes turns with. */
	struct turns *turns;
	int64_t turn_ns;
	size_t waits_for_turn, notified;
	bool cookie_fails, new_fails, add_fails, has_failure;
	struct probe_settings settings;
	struct probe_host hosts[TARGETS_MAX];
	size_t host_count, freed;
	uint16_t first_ident;
} world;

int64_t clock_monotonic_ns(void)
{
	return world.now_ns;
}

bool stop_requested(void)
{
	return world.stopped;
}

int stop_fd(void)
{
	return -1;
}

/* Waiting for a turn: another batch ends its own. */
void task_sleep(int64_t until_ns)
{
	assert_true(until_ns == INT64_MAX);
	world.waits_for_turn++;
	assert_non_null(world.turns);
	world.turns->ended++;
	world.now_ns += world.turn_ns;
}

/* Sleeping between rounds. */
void task_wait(struct pollfd *fds, nfds_t count, int64_t until_ns)
{
	(void)fds;
	(void)count;
	if (world.stop_before_round == world.rounds + 1)
		world.stopped = true;
	else if (until_ns > world.now_ns)
		world.now_ns = until_ns;
}

void task_notify(void)
{
	world.notified++;
}

int cookie_init(struct cookie *cookie)
{
	cookie->words[0] = 42;
	return world.cookie_fails ? -1 : 0;
}

struct probe *probe_new(const struct probe_settings *settings,
			const struct cookie *cookie)
{
	assert_int_equal(cookie->words[0], 42);
	world.settings = *settings;
	return world.new_fails ? NULL : (struct probe *)&world;
}

int probe_add_hosts(struct probe *probe, const struct probe_host *hosts, size_t count,
		    uint16_t first_ident)
{
	assert_ptr_equal(probe, &world);
	assert_in_range(count, 1, TARGETS_MAX);
	memcpy(world.hosts, hosts, count * sizeof(*hosts));
	world.host_count = count;
	world.first_ident = first_ident;
	return world.add_fails ? -1 : 0;
}

static const struct probe_failure failure = {
	1, FAILURE_PROHIBITED, {.family = ADDRESS_NONE}};

/* Where the script says so, the second host failed. */
const struct probe_failure *probe_get_failures(const struct probe *probe, size_t *count)
{
	(void)probe;
	*count = world.has_failure;
	return &failure;
}

/* One duplicate reply of each host. */
const uint8_t *probe_get_irregular(const struct probe *probe, size_t host)
{
	static const uint8_t irregular[IRREGULAR_KINDS] = {[IRREGULAR_DUPLICATE] = 1};

	(void)probe;
	(void)host;
	return irregular;
}

struct probe_report probe_get_report(const struct probe *probe)
{
	assert_ptr_equal(probe, &world);
	return (struct probe_report){.failed = 77};
}

void probe_free(struct probe *probe)
{
	world.freed += probe != NULL;
}

/* Round i of host 0 takes i + 1 ms, host 1 is unresponsive, requests to host 2 are not sent. */
enum round_result probe_run_round(struct probe *probe, struct sample *samples,
				  void (*on_sent)(void *arg), void *arg)
{
	size_t round = world.rounds++;

	assert_ptr_equal(probe, &world);
	on_sent(arg);
	assert_true(round < ROUNDS_MAX);
	world.started_ns[round] = world.now_ns;
	world.now_ns += world.round_ns;
	if (world.rounds == world.stop_in_round)
		world.stopped = true;
	samples[0] = (struct sample){.outcome = SAMPLE_REPLY,
				     .hop_limit = 60,
				     .rtt_ns = (int64_t)(round + 1) * MS};
	samples[1] = (struct sample){.outcome = SAMPLE_LOST, .hop_limit = -1};
	samples[2] = (struct sample){.outcome = SAMPLE_UNSENT, .hop_limit = -1};
	return world.results[round];
}

static void record_progress(const struct batch *batch, unsigned round, unsigned rounds)
{
	(void)batch;
	world.progress_calls++;
	world.last_round = round;
	world.last_rounds = rounds;
}

static struct target items[TARGETS_MAX];
static struct target *order[TARGETS_MAX];
static struct peer peers[TARGETS_MAX];
static struct group groups[2];
static struct config config;
static struct targets all;
static struct target_group members[2];
static struct turns turns;

static int reset(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	memset(items, 0, sizeof(items));
	world.now_ns = 1000 * MS;
	world.round_ns = 1 * MS;
	turns = (struct turns){.taken = 0};
	groups[0].options = (struct options){
		.count = 5, .warmup = 1, .interval_ns = 200 * MS, .size = 56};
	groups[1] = groups[0];
	groups[1].options.size = 100;
	config = (struct config){.groups = groups, .group_count = 2, .peers = peers};
	memset(members, 0, sizeof(members));
	all = (struct targets){.config = &config, .items = items, .groups = members};
	for (size_t i = 0; i < TARGETS_MAX; i++) {
		char address[ADDRESS_TEXT_SIZE];

		snprintf(address, sizeof(address), "10.0.0.%zu", i + 1);
		assert_true(address_parse(address, &items[i].address));
		peers[i] = (struct peer){.group = 0};
		items[i].peer = &peers[i];
		order[i] = &items[i];
	}
	return 0;
}

/* Three targets with an address each. */
static struct batch make_batch(void)
{
	return (struct batch){.all = &all,
			      .options = &groups[0].options,
			      .targets = order,
			      .count = 3,
			      .addresses = 3,
			      .turns = &turns,
			      .deadline_ns = INT64_MAX,
			      .progress = record_progress};
}

static void count_sent(void *arg)
{
	assert_ptr_equal(arg, &world);
	world.sent_calls++;
}

static int run(struct batch *batch)
{
	return batch_run(batch, count_sent, &world);
}

static uint64_t sum_discarded(const struct batch *batch)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < DISCARD_REASONS; i++)
		sum += batch->discarded[i];
	return sum;
}

static void measured_rounds_are_counted_and_warmup_is_not(void **state)
{
	struct batch batch = make_batch();

	(void)state;
	groups[0].options.warmup = 2;
	assert_int_equal(run(&batch), 0);
	assert_int_equal(world.rounds, 7);
	assert_int_equal(world.sent_calls, 7);
	assert_int_equal(batch.measured, 5);
	assert_int_equal(sum_discarded(&batch), 0);
	assert_int_equal(items[0].totals.requests, 5);
	assert_int_equal(items[0].totals.replies, 5);
	assert_int_equal(items[0].run.min_ns, 3 * MS);
	assert_int_equal(items[0].run.max_ns, 7 * MS);
	assert_int_equal(items[0].run.hop_limit, 60);
	assert_int_equal(items[1].totals.requests, 5);
	assert_int_equal(items[1].totals.replies, 0);
	assert_int_equal(items[1].totals.unsent, 0);
	assert_int_equal(items[2].totals.requests, 0);
	assert_int_equal(items[2].totals.unsent, 5);
}

/* Of six rounds, one of which is a warm-up: requests that left, and duplicates. */
static void packets_of_all_rounds_are_counted_once(void **state)
{
	struct batch batch = make_batch();

	(void)state;
	batch.count = 4;
	items[2].address = items[1].address;
	assert_int_equal(run(&batch), 0);
	assert_int_equal(items[0].totals.echo_requests, 6);
	assert_int_equal(items[1].totals.echo_requests, 6);
	assert_int_equal(items[2].totals.echo_requests, 0);
	assert_int_equal(items[3].totals.echo_requests, 0); /* unsent */
	assert_int_equal(members[0].irregular[IRREGULAR_DUPLICATE], 3 * 6);
}

static void reasons_go_to_all_targets_with_the_address(void **state)
{
	struct batch batch = make_batch();

	(void)state;
	world.has_failure = true;
	batch.count = 4;
	items[2].address = items[1].address;
	assert_int_equal(run(&batch), 0);
	assert_null(items[0].failures);
	for (size_t i = 1; i <= 2; i++) {
		assert_non_null(items[i].failures);
		assert_int_equal(items[i].failures->reason, FAILURE_PROHIBITED);
		assert_int_equal(items[i].failures->count, 5);
		failure_free(&items[i].failures);
	}
}

static void each_sample_is_credited_to_all_targets_with_the_address(void **state)
{
	struct batch batch = make_batch();

	(void)state;
	/* Of four targets the second and third have one address. */
	batch.count = 4;
	items[2].address = items[1].address;
	assert_int_equal(run(&batch), 0);
	assert_int_equal(world.host_count, 3);
	assert_true(address_equal(&world.hosts[2].address, &items[3].address));
	assert_int_equal(items[0].totals.replies, 5);
	for (size_t i = 1; i <= 2; i++) {
		assert_int_equal(items[i].totals.requests, 5);
		assert_int_equal(items[i].totals.replies, 0);
	}
	assert_int_equal(items[3].totals.unsent, 5);
}

static void another_size_of_the_payload_is_another_host(void **state)
{
	struct batch batch = make_batch();

	(void)state;
	peers[1].group = 1;
	items[1].address = items[0].address;
	assert_int_equal(run(&batch), 0);
	assert_int_equal(world.hosts[0].payload, 56);
	assert_int_equal(world.hosts[1].payload, 100);
	assert_int_equal(items[0].totals.replies, 5);
	assert_int_equal(items[1].totals.replies, 0);
}

static void settings_and_idents_are_handed_over(void **state)
{
	struct batch batch = make_batch();

	(void)state;
	batch.first_ident = 4711;
	groups[0].options.ttl = 7;
	groups[0].options.dscp = 46;
	groups[0].options.mark = (struct mark){true, 99};
	strcpy(groups[0].options.device, "eth1");
	groups[0].options.timeout_ns = 700 * MS;
	groups[0].options.spacing_ns = 5000;
	assert_true(address_parse("10.9.0.1", &groups[0].options.source.v4));
	assert_true(address_parse("fd09::1", &groups[0].options.source.v6));
	assert_int_equal(run(&batch), 0);
	assert_int_equal(world.first_ident, 4711);
	assert_int_equal(world.settings.ttl, 7);
	assert_int_equal(world.settings.dscp, 46);
	assert_true(world.settings.mark.is_set);
	assert_int_equal(world.settings.mark.value, 99);
	assert_string_equal(world.settings.device, "eth1");
	assert_int_equal(world.settings.timeout_ns, 700 * MS);
	assert_int_equal(world.settings.spacing_ns, 5000);
	/* With an unresponsive peer a round lasts its timeout. */
	assert_int_equal(world.settings.period_ns, 700 * MS);
	assert_int_equal(world.settings.source.v4.family, ADDRESS_IPV4);
	assert_int_equal(world.settings.source.v6.family, ADDRESS_NONE);
	assert_int_equal(batch.report.failed, 77);
	assert_int_equal(world.freed, 1);

	for (size_t i = 0; i < 3; i++)
		items[i].address =
			(struct address){.family = ADDRESS_IPV6, .scope = (uint32_t)i};
	assert_int_equal(run(&batch), 0);
	assert_int_equal(world.settings.source.v4.family, ADDRESS_NONE);
	assert_int_equal(world.settings.source.v6.family, ADDRESS_IPV6);
}

static void a_batch_waits_for_its_turn_to_send(void **state)
{
	struct batch batch = make_batch();

	(void)state;
	/* Two others are before it, and take 30 ms each. */
	turns.taken = 2;
	world.turns = &turns;
	world.turn_ns = 30 * MS;
	assert_int_equal(run(&batch), 0);
	assert_int_equal(world.waits_for_turn, 2);
	assert_int_equal(world.started_ns[0], 1060 * MS);
	/* The interval counts from then on. */
	assert_int_equal(world.started_ns[1], 1260 * MS);
	assert_int_equal(turns.taken, 8);
	assert_int_equal(turns.ended, 8);
	assert_int_equal(world.notified, 6);
}

static void a_deadline_may_pass_while_it_waits_for_its_turn(void **state)
{
	struct batch batch = make_batch();

	(void)state;
	turns.taken = 1;
	world.turns = &turns;
	world.turn_ns = 30 * MS;
	batch.deadline_ns = world.now_ns + 29 * MS;
	assert_int_equal(run(&batch), 0);
	assert_int_equal(world.rounds, 0);
	assert_int_equal(batch.discarded[DISCARD_DEADLINE], 5);
	/* Others go on. */
	assert_int_equal(turns.ended, 2);
}

static void failures_of_this_host_are_failures_of_the_batch(void **state)
{
	struct batch batch = make_batch();
	char *output;

	(void)state;
	world.cookie_fails = true;
	support_capture_begin();
	assert_int_equal(run(&batch), -1);
	output = support_capture_end();
	assert_non_null(strstr(output, "cannot read random numbers"));
	free(output);
	world.cookie_fails = false;
	world.add_fails = true;
	assert_int_equal(run(&batch), -1);
	assert_int_equal(world.freed, 1);
	assert_int_equal(world.rounds, 0);
}

static void discarded_rounds_are_counted_by_reason_only(void **state)
{
	struct batch batch = make_batch();

	(void)state;
	groups[0].options.count = 8;
	world.results[1] = ROUND_CLOCK_STEP;
	world.results[2] = ROUND_RECEIVE_DROPS;
	world.results[4] = ROUND_RECEIVE_DROPS;
	world.results[5] = ROUND_INTERRUPTED;
	assert_int_equal(run(&batch), 0);
	assert_int_equal(world.rounds, 9);
	assert_int_equal(batch.discarded[DISCARD_CLOCK_STEP], 1);
	assert_int_equal(batch.discarded[DISCARD_RECEIVE_DROPS], 2);
	assert_int_equal(batch.discarded[DISCARD_INTERRUPTED], 1);
	assert_int_equal(batch.discarded[DISCARD_DEADLINE], 0);
	assert_int_equal(batch.measured, 4);
	assert_int_equal(items[0].totals.requests, 4);
	assert_int_equal(items[1].totals.requests, 4);
	assert_int_equal(items[2].totals.unsent, 4);
}

static void discarded_round_breaks_the_chain_of_jitter(void **state)
{
	struct batch batch = make_batch();

	(void)state;
	/* Measured: 2 ms, 3 ms, discarded, 5 ms, 6 ms. */
	world.results[3] = ROUND_CLOCK_STEP;
	assert_int_equal(run(&batch), 0);
	assert_int_equal(items[0].run.pairs, 2);
	assert_int_equal(items[0].run.jitter_sum_ns, 2 * MS);
}

static void discarded_warmup_round_is_not_counted(void **state)
{
	struct batch batch = make_batch();

	(void)state;
	world.results[0] = ROUND_RECEIVE_DROPS;
	assert_int_equal(run(&batch), 0);
	assert_int_equal(sum_discarded(&batch), 0);
	assert_int_equal(batch.measured, 5);
}

static void rounds_keep_their_interval_from_start_to_start(void **state)
{
	struct batch batch = make_batch();

	(void)state;
	world.round_ns = 30 * MS;
	assert_int_equal(run(&batch), 0);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(world.started_ns[i],
				 1000 * MS + (int64_t)i * groups[0].options.interval_ns);
	/* There is nothing to wait for after the last one. */
	assert_int_equal(world.now_ns, world.started_ns[5] + 30 * MS);
}

static void round_longer_than_the_interval_is_followed_at_once(void **state)
{
	struct batch batch = make_batch();

	(void)state;
	world.round_ns = 700 * MS;
	assert_int_equal(run(&batch), 0);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(world.started_ns[i], 1000 * MS + (int64_t)i * 700 * MS);
}

static void no_round_begins_after_the_deadline(void **state)
{
	struct batch batch = make_batch();

	(void)state;
	/* Rounds at 0, 200, 400, ... ms: four of them, one of these for warming up. */
	batch.deadline_ns = world.now_ns + 650 * MS;
	assert_int_equal(run(&batch), 0);
	assert_int_equal(world.rounds, 4);
	assert_int_equal(batch.measured, 3);
	assert_int_equal(batch.discarded[DISCARD_DEADLINE], 2);
	assert_int_equal(sum_discarded(&batch), 2);
	assert_int_equal(items[0].totals.requests, 3);
}

static void deadline_before_the_first_round_discards_all(void **state)
{
	struct batch batch = make_batch();

	(void)state;
	batch.deadline_ns = world.now_ns - 1;
	assert_int_equal(run(&batch), 0);
	assert_int_equal(world.rounds, 0);
	assert_int_equal(batch.measured, 0);
	assert_int_equal(batch.discarded[DISCARD_DEADLINE], 5);
	assert_int_equal(items[0].totals.unsent, 0);
}

static void run_ends_at_the_deadline_and_not_an_interval_later(void **state)
{
	struct batch batch = make_batch();

	(void)state;
	groups[0].options.interval_ns = 3600 * CLOCK_NS_PER_S;
	batch.deadline_ns = world.now_ns + 10 * CLOCK_NS_PER_S;
	assert_int_equal(run(&batch), 0);
	assert_int_equal(world.rounds, 1);
	assert_int_equal(batch.discarded[DISCARD_DEADLINE], 5);
	assert_true(world.now_ns <= batch.deadline_ns);
}

static void stop_in_a_round_discards_it_and_all_that_follow(void **state)
{
	struct batch batch = make_batch();

	(void)state;
	world.stop_in_round = 3;
	world.results[2] = ROUND_INTERRUPTED;
	assert_int_equal(run(&batch), 0);
	assert_int_equal(world.rounds, 3);
	assert_int_equal(batch.measured, 1);
	assert_int_equal(batch.discarded[DISCARD_INTERRUPTED], 4);
	assert_int_equal(sum_discarded(&batch), 4);
	assert_int_equal(items[0].totals.requests, 1);
}

static void stop_between_rounds_discards_those_that_follow(void **state)
{
	struct batch batch = make_batch();
	int64_t start_ns = world.now_ns;

	(void)state;
	world.stop_before_round = 4;
	assert_int_equal(run(&batch), 0);
	assert_int_equal(world.rounds, 3);
	assert_int_equal(batch.measured, 2);
	assert_int_equal(batch.discarded[DISCARD_INTERRUPTED], 3);
	assert_int_equal(world.now_ns,
			 start_ns + 2 * groups[0].options.interval_ns + world.round_ns);
}

static void stop_in_the_warmup_discards_the_measured_rounds_only(void **state)
{
	struct batch batch = make_batch();

	(void)state;
	groups[0].options.warmup = 3;
	world.stop_in_round = 1;
	world.results[0] = ROUND_INTERRUPTED;
	assert_int_equal(run(&batch), 0);
	assert_int_equal(world.rounds, 1);
	assert_int_equal(batch.discarded[DISCARD_INTERRUPTED], 5);
}

static void interrupted_round_without_a_stop_discards_itself_only(void **state)
{
	struct batch batch = make_batch();

	(void)state;
	world.results[2] = ROUND_INTERRUPTED;
	assert_int_equal(run(&batch), 0);
	assert_int_equal(world.rounds, 6);
	assert_int_equal(batch.measured, 4);
	assert_int_equal(batch.discarded[DISCARD_INTERRUPTED], 1);
}

static void assert_all_unsent(struct batch *batch)
{
	assert_int_equal(run(batch), 0);
	assert_int_equal(world.rounds, 0);
	assert_int_equal(world.now_ns, 1000 * MS);
	assert_int_equal(batch->measured, 0);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(items[i].totals.requests, 0);
		assert_int_equal(items[i].totals.unsent, 5);
		assert_int_equal(items[i].run.unsent, 5);
	}
}

static void targets_without_addresses_are_unsent_at_once(void **state)
{
	struct batch batch = make_batch();

	(void)state;
	batch.addresses = 0;
	for (size_t i = 0; i < 3; i++)
		items[i].address.family = ADDRESS_NONE;
	assert_all_unsent(&batch);
}

static void targets_are_unsent_if_liboping_refuses_an_option(void **state)
{
	struct batch batch = make_batch();

	(void)state;
	world.new_fails = true;
	assert_all_unsent(&batch);
}

static void targets_are_unsent_while_the_interface_of_the_source_is_missing(void **state)
{
	struct batch batch = make_batch();

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_true(address_parse("fe80::2", &items[i].address));
	assert_true(address_parse("fe80::1", &groups[0].options.source.v6));
	strcpy(groups[0].options.source.interface, "v0");
	assert_all_unsent(&batch);
	assert_int_equal(batch.report.refused, batch.addresses);
	assert_string_equal(batch.report.refused_reason,
			    "source = fe80::1%v0: no such interface");
	/* Roaming counts for the group. */
	items[0].roams = true;
	items[0].totals.unsent = 0;
	assert_int_equal(run(&batch), 0);
	assert_int_equal(items[0].totals.unsent, 0);
}

static void progress_is_called_after_each_round_and_may_be_null(void **state)
{
	struct batch batch = make_batch();

	(void)state;
	assert_int_equal(run(&batch), 0);
	assert_int_equal(world.progress_calls, 6);
	assert_int_equal(world.last_round, 6);
	assert_int_equal(world.last_rounds, 6);
	reset(NULL);
	batch = make_batch();
	batch.progress = NULL;
	assert_int_equal(run(&batch), 0);
	assert_int_equal(batch.measured, 5);
	assert_int_equal(world.progress_calls, 0);
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(measured_rounds_are_counted_and_warmup_is_not),
		TEST(each_sample_is_credited_to_all_targets_with_the_address),
		TEST(packets_of_all_rounds_are_counted_once),
		TEST(reasons_go_to_all_targets_with_the_address),
		TEST(another_size_of_the_payload_is_another_host),
		TEST(settings_and_idents_are_handed_over),
		TEST(a_batch_waits_for_its_turn_to_send),
		TEST(a_deadline_may_pass_while_it_waits_for_its_turn),
		TEST(failures_of_this_host_are_failures_of_the_batch),
		TEST(discarded_rounds_are_counted_by_reason_only),
		TEST(discarded_round_breaks_the_chain_of_jitter),
		TEST(discarded_warmup_round_is_not_counted),
		TEST(rounds_keep_their_interval_from_start_to_start),
		TEST(round_longer_than_the_interval_is_followed_at_once),
		TEST(no_round_begins_after_the_deadline),
		TEST(deadline_before_the_first_round_discards_all),
		TEST(run_ends_at_the_deadline_and_not_an_interval_later),
		TEST(stop_in_a_round_discards_it_and_all_that_follow),
		TEST(stop_between_rounds_discards_those_that_follow),
		TEST(stop_in_the_warmup_discards_the_measured_rounds_only),
		TEST(interrupted_round_without_a_stop_discards_itself_only),
		TEST(targets_without_addresses_are_unsent_at_once),
		TEST(targets_are_unsent_if_liboping_refuses_an_option),
		TEST(targets_are_unsent_while_the_interface_of_the_source_is_missing),
		TEST(progress_is_called_after_each_round_and_may_be_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
