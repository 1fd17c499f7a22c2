/*
 * How a batch runs, counts and discards rounds. Rounds, time and stop requests are the test's.
 */
#include "support.h"

#include <string.h>

#include "base/clock.h"
#include "ping/batch.h"
#include "base/stop.h"

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
} world;

int64_t clock_monotonic_ns(void)
{
	return world.now_ns;
}

bool stop_requested(void)
{
	return world.stopped;
}

bool stop_sleep_until(int64_t at_ns)
{
	if (world.stop_before_round == world.rounds + 1) {
		world.stopped = true;
		return true;
	}
	if (at_ns > world.now_ns)
		world.now_ns = at_ns;
	return world.stopped;
}

/* Round i of target 0 takes i + 1 ms, target 1 is unresponsive, requests to target 2 are not sent. */
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

static struct target targets[TARGETS_MAX];
static struct target *order[TARGETS_MAX];
static struct options options;
static struct buckets buckets;

static int reset(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	memset(targets, 0, sizeof(targets));
	world.now_ns = 1000 * MS;
	world.round_ns = 1 * MS;
	options = (struct options){.count = 5, .warmup = 1, .interval_ns = 200 * MS};
	for (size_t i = 0; i < TARGETS_MAX; i++)
		order[i] = &targets[i];
	return 0;
}

/* Three targets with an address, one without. */
static struct batch make_batch(void)
{
	return (struct batch){.options = &options,
			      .buckets = &buckets,
			      .targets = order,
			      .count = 3,
			      .absent = order + 3,
			      .absent_count = 1,
			      .probe = (struct probe *)&world,
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
	options.warmup = 2;
	assert_int_equal(run(&batch), 0);
	assert_int_equal(world.rounds, 7);
	assert_int_equal(world.sent_calls, 7);
	assert_int_equal(batch.measured, 5);
	assert_int_equal(sum_discarded(&batch), 0);
	assert_false(batch.broken);
	assert_int_equal(targets[0].totals.requests, 5);
	assert_int_equal(targets[0].totals.replies, 5);
	assert_int_equal(targets[0].run.min_ns, 3 * MS);
	assert_int_equal(targets[0].run.max_ns, 7 * MS);
	assert_int_equal(targets[0].run.hop_limit, 60);
	assert_int_equal(targets[1].totals.requests, 5);
	assert_int_equal(targets[1].totals.replies, 0);
	assert_int_equal(targets[1].totals.unsent, 0);
	assert_int_equal(targets[2].totals.requests, 0);
	assert_int_equal(targets[2].totals.unsent, 5);
}

static void target_without_an_address_is_unsent_in_every_measured_round(void **state)
{
	struct batch batch = make_batch();

	(void)state;
	world.results[3] = ROUND_CLOCK_STEP;
	assert_int_equal(run(&batch), 0);
	assert_int_equal(targets[3].totals.requests, 0);
	assert_int_equal(targets[3].totals.unsent, 4);
	assert_int_equal(targets[3].run.unsent, 4);
}

static void discarded_rounds_are_counted_by_reason_only(void **state)
{
	struct batch batch = make_batch();

	(void)state;
	options.count = 8;
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
	assert_int_equal(targets[0].totals.requests, 4);
	assert_int_equal(targets[1].totals.requests, 4);
	assert_int_equal(targets[2].totals.unsent, 4);
}

static void discarded_round_breaks_the_chain_of_jitter(void **state)
{
	struct batch batch = make_batch();

	(void)state;
	/* Measured: 2 ms, 3 ms, discarded, 5 ms, 6 ms. */
	world.results[3] = ROUND_CLOCK_STEP;
	assert_int_equal(run(&batch), 0);
	assert_int_equal(targets[0].run.pairs, 2);
	assert_int_equal(targets[0].run.jitter_sum_ns, 2 * MS);
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
				 1000 * MS + (int64_t)i * options.interval_ns);
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
	assert_int_equal(targets[0].totals.requests, 3);
	assert_int_equal(targets[3].totals.unsent, 3);
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
	assert_int_equal(targets[0].totals.unsent, 0);
}

static void run_ends_at_the_deadline_and_not_an_interval_later(void **state)
{
	struct batch batch = make_batch();

	(void)state;
	options.interval_ns = 3600 * CLOCK_NS_PER_S;
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
	assert_int_equal(targets[0].totals.requests, 1);
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
			 start_ns + 2 * options.interval_ns + world.round_ns);
}

static void stop_in_the_warmup_discards_the_measured_rounds_only(void **state)
{
	struct batch batch = make_batch();

	(void)state;
	options.warmup = 3;
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

static void broken_round_ends_the_batch(void **state)
{
	(void)state;
	for (size_t broken = 0; broken < 3; broken++) {
		struct batch batch = make_batch();

		reset(NULL);
		world.results[broken] = ROUND_BROKEN;
		assert_int_equal(run(&batch), 0);
		assert_true(batch.broken);
		assert_int_equal(world.rounds, broken + 1);
		assert_int_equal(batch.measured, broken > 0 ? broken - 1 : 0);
		assert_int_equal(targets[0].totals.requests, batch.measured);
	}
}

static void batch_without_a_probe_is_unsent_in_all_rounds_and_measures_none(void **state)
{
	struct batch batch = make_batch();

	(void)state;
	batch.probe = NULL;
	assert_int_equal(run(&batch), 0);
	assert_int_equal(world.rounds, 0);
	assert_int_equal(batch.measured, 0);
	for (size_t i = 0; i < TARGETS_MAX; i++) {
		assert_int_equal(targets[i].totals.requests, 0);
		assert_int_equal(targets[i].totals.unsent, 5);
	}
}

static void batch_of_absent_targets_only_is_unsent(void **state)
{
	struct batch batch = make_batch();

	(void)state;
	batch.probe = NULL;
	batch.count = 0;
	batch.absent = order;
	batch.absent_count = 2;
	assert_int_equal(run(&batch), 0);
	assert_int_equal(targets[0].totals.unsent, 5);
	assert_int_equal(targets[1].totals.unsent, 5);
	assert_int_equal(targets[2].totals.unsent, 0);
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
		TEST(target_without_an_address_is_unsent_in_every_measured_round),
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
		TEST(broken_round_ends_the_batch),
		TEST(batch_without_a_probe_is_unsent_in_all_rounds_and_measures_none),
		TEST(batch_of_absent_targets_only_is_unsent),
		TEST(progress_is_called_after_each_round_and_may_be_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
