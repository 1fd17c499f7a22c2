#include "peers/stats.h"

#include <math.h>

const char *const stats_discard_reasons[DISCARD_REASONS] = {
	[DISCARD_CLOCK_STEP] = "clock_step",
	[DISCARD_DEADLINE] = "deadline",
	[DISCARD_INTERRUPTED] = "interrupted",
	[DISCARD_RECEIVE_DROPS] = "receive_drops",
};

#define NANOS UINT32_C(1000000000)

const char *const stats_irregular_kinds[IRREGULAR_KINDS] = {
	[IRREGULAR_CORRUPT] = "corrupt",
	[IRREGULAR_DUPLICATE] = "duplicate",
	[IRREGULAR_LATE] = "late",
	[IRREGULAR_SHORTENED] = "shortened",
};

/* Seconds and nanoseconds are separate, so that a sum over years stays exact. */
static void sum_add(struct stats_sum *sum, uint64_t seconds, uint32_t nanos)
{
	sum->seconds += seconds;
	sum->nanos += nanos;
	if (sum->nanos >= NANOS) {
		sum->nanos -= NANOS;
		sum->seconds++;
	}
}

/* A target without a histogram has no sum either: both are published together. */
static void observe(struct stats_histogram *histogram, const struct buckets *buckets,
		    int64_t rtt_ns)
{
	size_t i = 0;

	if (!histogram->counts)
		return;
	while (i < buckets->count && rtt_ns > buckets->upper_ns[i])
		i++;
	histogram->counts[i]++;
	sum_add(&histogram->sum, (uint64_t)rtt_ns / NANOS,
		(uint32_t)((uint64_t)rtt_ns % NANOS));
}

/*
 * Mean and deviation by Welford's method, in one pass and without keeping the samples.
 * The textbook formula, the mean of squares minus the square of the mean, loses all digits
 * where the deviation is small against the round-trip time: their squares in nanoseconds
 * exceed the 53 bits of a double.
 */
static void add_reply(struct stats_run *run, const struct sample *sample)
{
	double delta;

	if (run->replies == 0 || sample->rtt_ns < run->min_ns)
		run->min_ns = sample->rtt_ns;
	if (run->replies == 0 || sample->rtt_ns > run->max_ns)
		run->max_ns = sample->rtt_ns;
	run->replies++;
	delta = (double)sample->rtt_ns - run->mean_ns;
	run->mean_ns += delta / (double)run->replies;
	run->m2_ns2 += delta * ((double)sample->rtt_ns - run->mean_ns);
	if (run->last_answered) {
		int64_t change_ns = sample->rtt_ns - run->last_ns;

		run->pairs++;
		run->jitter_sum_ns += (uint64_t)(change_ns < 0 ? -change_ns : change_ns);
	}
	run->last_ns = sample->rtt_ns;
	run->hop_limit = sample->hop_limit;
}

void stats_add(struct stats_totals *totals, struct stats_run *run,
	       const struct buckets *buckets, const struct sample *sample)
{
	if (sample->outcome == SAMPLE_UNSENT) {
		totals->unsent++;
		run->unsent++;
	} else {
		totals->requests++;
		run->requests++;
	}
	if (sample->outcome == SAMPLE_REPLY) {
		totals->replies++;
		observe(&totals->histogram, buckets, sample->rtt_ns);
		add_reply(run, sample);
	}
	run->last_answered = sample->outcome == SAMPLE_REPLY;
}

/* The next answered round has no predecessor to be compared with. */
void stats_discard_round(struct stats_run *run)
{
	run->last_answered = false;
}

void stats_merge(struct stats_histogram *into, const struct stats_histogram *from,
		 const struct buckets *buckets)
{
	for (size_t i = 0; i < stats_counts(buckets); i++)
		into->counts[i] += from->counts[i];
	sum_add(&into->sum, from->sum.seconds, from->sum.nanos);
}

/*
 * Exact integers; the product stays below 2^64 for up to 1.8 * 10^10 requests in one run.
 */
int64_t stats_loss_billionths(const struct stats_run *run)
{
	uint64_t lost = run->requests - run->replies;

	return (int64_t)((lost * NANOS + run->requests / 2) / run->requests);
}

/* Rounding errors may leave a sum of squares just below zero. */
static int64_t rounded(double ns)
{
	return ns > 0 ? (int64_t)(ns + 0.5) : 0;
}

int64_t stats_mean_ns(const struct stats_run *run)
{
	return rounded(run->mean_ns);
}

int64_t stats_stddev_ns(const struct stats_run *run)
{
	return rounded(sqrt(run->m2_ns2 / (double)run->replies));
}

int64_t stats_jitter_ns(const struct stats_run *run)
{
	return rounded((double)run->jitter_sum_ns / (double)run->pairs);
}
