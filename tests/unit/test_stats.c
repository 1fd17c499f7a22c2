/*
 * The arithmetic of a run: compared with a second way to compute it, at the bounds of the
 * buckets, and where the chain of rounds ends.
 */
#include "fleet.h"

#include <math.h>

#include <string.h>

#include "peers/stats.h"

static const struct buckets three = {3, {1000, 2500, 1000000000}};

static uint64_t histogram_count(const struct stats_histogram *histogram,
				const struct buckets *buckets)
{
	uint64_t count = 0;

	for (size_t i = 0; i < stats_counts(buckets); i++)
		count += histogram->counts[i];
	return count;
}

static void add_reply(struct stats_totals *totals, struct stats_run *run, int64_t rtt_ns)
{
	const struct sample sample = {
		.outcome = SAMPLE_REPLY, .rtt_ns = rtt_ns, .hop_limit = 60};

	stats_add(totals, run, &three, &sample);
}

static void add_other(struct stats_totals *totals, struct stats_run *run,
		      enum sample_outcome outcome)
{
	const struct sample sample = {.outcome = outcome, .hop_limit = -1};

	stats_add(totals, run, &three, &sample);
}

static void unsent_is_neither_a_request_nor_a_loss(void **state)
{
	struct stats_totals totals = {.requests = 100, .replies = 90, .unsent = 3};
	struct stats_run run = {.hop_limit = -1};

	(void)state;
	add_other(&totals, &run, SAMPLE_UNSENT);
	add_reply(&totals, &run, 5);
	add_other(&totals, &run, SAMPLE_LOST);
	assert_int_equal(run.requests, 2);
	assert_int_equal(run.replies, 1);
	assert_int_equal(run.unsent, 1);
	assert_int_equal(totals.requests, 102);
	assert_int_equal(totals.replies, 91);
	assert_int_equal(totals.unsent, 4);
	assert_int_equal(stats_loss_billionths(&run), 500000000);
}

static void loss_is_rounded_to_billionths(void **state)
{
	static const struct {
		uint64_t requests, replies;
		int64_t billionths;
	} cases[] = {{1, 1, 0},
		     {1, 0, 1000000000},
		     {3, 2, 333333333},
		     {3, 1, 666666667},
		     {5, 4, 200000000},
		     {1000, 999, 1000000},
		     {1000, 0, 1000000000}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct stats_run run = {.requests = cases[i].requests,
					      .replies = cases[i].replies};

		assert_int_equal(stats_loss_billionths(&run), cases[i].billionths);
	}
}

static void min_and_max_begin_with_the_first_reply(void **state)
{
	struct stats_totals totals = {.requests = 0};
	struct stats_run run = {.hop_limit = -1};

	(void)state;
	add_other(&totals, &run, SAMPLE_LOST);
	add_reply(&totals, &run, 700);
	assert_int_equal(run.min_ns, 700);
	assert_int_equal(run.max_ns, 700);
	add_reply(&totals, &run, 900);
	add_reply(&totals, &run, 0);
	add_reply(&totals, &run, 300);
	assert_int_equal(run.min_ns, 0);
	assert_int_equal(run.max_ns, 900);
}

static void one_reply_has_no_deviation_and_no_jitter(void **state)
{
	struct stats_totals totals = {.requests = 0};
	struct stats_run run = {.hop_limit = -1};

	(void)state;
	add_reply(&totals, &run, 123456789);
	assert_int_equal(stats_mean_ns(&run), 123456789);
	assert_int_equal(stats_stddev_ns(&run), 0);
	assert_int_equal(run.pairs, 0);
}

/* The textbook's case: a naive sum of squares loses all digits of it. */
static void a_small_deviation_of_large_times_survives(void **state)
{
	static const int64_t rtts[] = {59000000004, 59000000007, 59000000013,
				       59000000016};
	struct stats_totals totals = {.requests = 0};
	struct stats_run run = {.hop_limit = -1};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		add_reply(&totals, &run, rtts[i]);
	assert_int_equal(stats_mean_ns(&run), 59000000010);
	assert_int_equal(stats_stddev_ns(&run), 5); /* sqrt(22.5) */
}

static void assert_near(int64_t got, long double wanted)
{
	long double off = (long double)got - wanted;

	if (off > 0.6L || off < -0.6L)
		fail_msg("%lld is not near %.3Lf", (long long)got, wanted);
}

static void compare_with_two_passes(const int64_t *rtts, size_t count)
{
	struct stats_totals totals = {.requests = 0};
	struct stats_run run = {.hop_limit = -1};
	long double mean = 0, squares = 0, changes = 0;

	for (size_t i = 0; i < count; i++) {
		add_reply(&totals, &run, rtts[i]);
		mean += (long double)rtts[i] / (long double)count;
	}
	for (size_t i = 0; i < count; i++) {
		long double from_mean = (long double)rtts[i] - mean;

		squares += from_mean * from_mean;
		if (i > 0)
			changes += fabsl((long double)(rtts[i] - rtts[i - 1]));
	}
	assert_int_equal(run.replies, count);
	assert_near(stats_mean_ns(&run), mean);
	assert_near(stats_stddev_ns(&run), sqrtl(squares / (long double)count));
	if (count > 1)
		assert_near(stats_jitter_ns(&run), changes / (long double)(count - 1));
}

static void figures_equal_those_of_two_passes(void **state)
{
	static const uint64_t limits[] = {10, 1000000, UINT64_C(60000000000)};
	uint64_t seed = fleet_seed();

	(void)state;
	for (size_t run = 0; run < 300; run++) {
		int64_t rtts[1000];
		size_t count = 1 + fleet_random(&seed, 1000);

		for (size_t i = 0; i < count; i++)
			rtts[i] = (int64_t)fleet_random(&seed, limits[run % 3]);
		compare_with_two_passes(rtts, count);
	}
}

static void jitter_is_of_consecutive_answers(void **state)
{
	struct stats_totals totals = {.requests = 0};
	struct stats_run run = {.hop_limit = -1};

	(void)state;
	add_reply(&totals, &run, 100);
	add_reply(&totals, &run, 400);
	add_reply(&totals, &run, 300);
	assert_int_equal(run.pairs, 2);
	assert_int_equal(stats_jitter_ns(&run), 200);
}

static void lost_unsent_and_discarded_rounds_end_the_chain(void **state)
{
	struct stats_totals totals = {.requests = 0};
	struct stats_run run = {.hop_limit = -1};

	(void)state;
	add_reply(&totals, &run, 100);
	add_other(&totals, &run, SAMPLE_LOST);
	add_reply(&totals, &run, 5000);
	add_other(&totals, &run, SAMPLE_UNSENT);
	add_reply(&totals, &run, 100);
	stats_discard_round(&run);
	add_reply(&totals, &run, 7000);
	assert_int_equal(run.pairs, 0);
	add_reply(&totals, &run, 7010);
	assert_int_equal(run.pairs, 1);
	assert_int_equal(stats_jitter_ns(&run), 10);
}

static void discarded_round_changes_no_counter(void **state)
{
	struct stats_run run = {.requests = 3, .replies = 2, .last_answered = true};

	(void)state;
	stats_discard_round(&run);
	assert_int_equal(run.requests, 3);
	assert_int_equal(run.replies, 2);
	assert_int_equal(run.unsent, 0);
	assert_false(run.last_answered);
}

static void hop_limit_is_that_of_the_last_reply(void **state)
{
	const struct sample unknown = {.outcome = SAMPLE_REPLY, .hop_limit = -1};
	struct stats_totals totals = {.requests = 0};
	struct stats_run run = {.hop_limit = -1};

	(void)state;
	add_reply(&totals, &run, 1);
	add_other(&totals, &run, SAMPLE_LOST);
	assert_int_equal(run.hop_limit, 60);
	stats_add(&totals, &run, &three, &unknown);
	assert_true(run.hop_limit < 0);
}

static void upper_bounds_belong_to_their_bucket(void **state)
{
	static const int64_t rtts[] = {0,    1,	   999,	      1000,	  1001,	     2499,
				       2500, 2501, 999999999, 1000000000, 1000000001};
	uint64_t counts[4] = {0};
	struct stats_totals totals = {.histogram = {.counts = counts}};
	struct stats_run run = {.hop_limit = -1};

	(void)state;
	for (size_t i = 0; i < sizeof(rtts) / sizeof(rtts[0]); i++)
		add_reply(&totals, &run, rtts[i]);
	assert_int_equal(counts[0], 4);
	assert_int_equal(counts[1], 3);
	assert_int_equal(counts[2], 3);
	assert_int_equal(counts[3], 1);
	assert_int_equal(histogram_count(&totals.histogram, &three), 11);
	assert_int_equal(totals.histogram.sum.seconds, 3);
	assert_int_equal(totals.histogram.sum.nanos,
			 0 + 1 + 999 + 1000 + 1001 + 2499 + 2500 + 2501);
}

static void losses_are_in_no_bucket(void **state)
{
	uint64_t counts[4] = {0};
	struct stats_totals totals = {.histogram = {.counts = counts}};
	struct stats_run run = {.hop_limit = -1};

	(void)state;
	add_other(&totals, &run, SAMPLE_LOST);
	add_other(&totals, &run, SAMPLE_UNSENT);
	assert_int_equal(histogram_count(&totals.histogram, &three), 0);
	assert_int_equal(totals.histogram.sum.nanos, 0);
}

static void without_a_histogram_nothing_is_summed(void **state)
{
	struct stats_totals totals = {.requests = 0};
	struct stats_run run = {.hop_limit = -1};

	(void)state;
	add_reply(&totals, &run, 1500000000);
	assert_int_equal(totals.replies, 1);
	assert_int_equal(totals.histogram.sum.seconds, 0);
	assert_int_equal(totals.histogram.sum.nanos, 0);
}

static void nanoseconds_of_the_sum_carry_over(void **state)
{
	uint64_t counts[4] = {0};
	struct stats_totals totals = {
		.histogram = {.counts = counts, .sum = {7, 999999999}}};
	struct stats_run run = {.hop_limit = -1};

	(void)state;
	add_reply(&totals, &run, 1);
	assert_int_equal(totals.histogram.sum.seconds, 8);
	assert_int_equal(totals.histogram.sum.nanos, 0);
	add_reply(&totals, &run, 59999999999);
	assert_int_equal(totals.histogram.sum.seconds, 67);
	assert_int_equal(totals.histogram.sum.nanos, 999999999);
}

static void merging_adds_bucket_by_bucket(void **state)
{
	uint64_t into_counts[4] = {1, 2, 3, 4}, from_counts[4] = {10, 0, 20, 30};
	struct stats_histogram into = {into_counts, {5, 600000000}};
	const struct stats_histogram from = {from_counts, {2, 400000000}};

	(void)state;
	stats_merge(&into, &from, &three);
	assert_int_equal(into_counts[0], 11);
	assert_int_equal(into_counts[1], 2);
	assert_int_equal(into_counts[2], 23);
	assert_int_equal(into_counts[3], 34);
	assert_int_equal(into.sum.seconds, 8);
	assert_int_equal(into.sum.nanos, 0);
	assert_int_equal(histogram_count(&into, &three), 70);
}

/* A counter that nothing counts would be published as 0 for ever. */
static void every_counter_of_a_target_is_counted(void **state)
{
	static const enum sample_outcome outcomes[] = {SAMPLE_UNSENT, SAMPLE_LOST,
						       SAMPLE_REPLY};
	const struct buckets buckets = {.count = 0};
	uint64_t counts[1] = {0}, words[sizeof(struct stats_totals) / 8];
	struct stats_totals totals = {.histogram = {.counts = counts}};
	struct stats_run run = {.requests = 0};

	(void)state;
	for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
		const struct sample sample = {
			.outcome = outcomes[i], .hop_limit = -1, .rtt_ns = 1000000001};

		stats_add(&totals, &run, &buckets, &sample);
	}
	memcpy(words, &totals, sizeof(words));
	/* Those three are counted by batch.c and pathmtu.c, and have their tests there. */
	words[offsetof(struct stats_totals, echo_requests) / 8] = 1;
	words[offsetof(struct stats_totals, mtu_requests) / 8] = 1;
	words[offsetof(struct stats_totals, mtu_replies) / 8] = 1;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i] == 0)
			fail_msg("64-bit word %zu of struct stats_totals is still 0", i);
	assert_int_equal(counts[0], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unsent_is_neither_a_request_nor_a_loss),
		cmocka_unit_test(loss_is_rounded_to_billionths),
		cmocka_unit_test(min_and_max_begin_with_the_first_reply),
		cmocka_unit_test(one_reply_has_no_deviation_and_no_jitter),
		cmocka_unit_test(a_small_deviation_of_large_times_survives),
		cmocka_unit_test(figures_equal_those_of_two_passes),
		cmocka_unit_test(jitter_is_of_consecutive_answers),
		cmocka_unit_test(lost_unsent_and_discarded_rounds_end_the_chain),
		cmocka_unit_test(discarded_round_changes_no_counter),
		cmocka_unit_test(hop_limit_is_that_of_the_last_reply),
		cmocka_unit_test(upper_bounds_belong_to_their_bucket),
		cmocka_unit_test(losses_are_in_no_bucket),
		cmocka_unit_test(without_a_histogram_nothing_is_summed),
		cmocka_unit_test(nanoseconds_of_the_sum_carry_over),
		cmocka_unit_test(merging_adds_bucket_by_bucket),
		cmocka_unit_test(every_counter_of_a_target_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
