/*
 * The counters of the node and of each target, over all runs and in this run. Arithmetic
 * only, no I/O.
 *
 * Loss is a share of the requests that were sent; an unsent request is neither a request
 * nor a loss. The standard deviation is that of the population, by Welford's method
 * (Technometrics 4 (1962), 419). Jitter is the mean of |rtt[i] - rtt[i-1]| over pairs of
 * consecutive rounds that were both answered (as in RFC 3550, but not smoothed); a lost or
 * unsent request and a discarded round end such a chain.
 */
#ifndef NODECANARY_STATS_H
#define NODECANARY_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/options.h"
#include "peers/sample.h"

/* Why a round was discarded. In the order of the names, as its series are. */
enum discard_reason {
	DISCARD_CLOCK_STEP,
	DISCARD_DEADLINE,
	DISCARD_INTERRUPTED,
	DISCARD_RECEIVE_DROPS,
};
#define DISCARD_REASONS 4

extern const char *const stats_discard_reasons[DISCARD_REASONS];

/* What can be wrong with a reply. In the order of the names. */
enum irregular_kind {
	IRREGULAR_CORRUPT,   /* our request, changed on the way */
	IRREGULAR_DUPLICATE, /* a second reply to one request */
	IRREGULAR_LATE,	     /* after the timeout; only what comes during a later round */
	IRREGULAR_SHORTENED, /* less than was sent; counts as a reply */
};
#define IRREGULAR_KINDS 4

extern const char *const stats_irregular_kinds[IRREGULAR_KINDS];

/* The state of the node that continues from run to run. */
struct stats_node {
	int64_t counters_start_ns;		    /* wall clock */
	int64_t last_resolve_ns;		    /* wall clock, 0 for never */
	uint64_t runs;				    /* that measured something */
	uint64_t discarded_rounds[DISCARD_REASONS]; /* one for each batch */
	uint64_t receive_drops;
};

/* An exact sum of round-trip times; nanoseconds alone would overflow in years. */
struct stats_sum {
	uint64_t seconds;
	uint32_t nanos; /* less than 10^9 */
};

/*
 * `counts` has one element for each bucket and one for +Inf. They are not cumulative, so
 * that two histograms are added by adding their elements. NULL: no histogram is kept.
 */
struct stats_histogram {
	uint64_t *counts;
	struct stats_sum sum;
};

struct stats_totals {
	uint64_t requests, replies, unsent;
	uint64_t echo_requests; /* of all rounds, warm-up and discarded ones included */
	uint64_t mtu_requests, mtu_replies;
	struct stats_histogram histogram;
};

struct stats_run {
	uint64_t requests, replies, unsent;
	int64_t min_ns, max_ns; /* where replies > 0 */
	double mean_ns, m2_ns2; /* m2: sum of the squared deviations from the mean */
	int64_t last_ns;
	bool last_answered; /* the previous round was answered, in last_ns */
	uint64_t pairs;
	uint64_t jitter_sum_ns;
	int hop_limit; /* of the last reply; negative where unknown */
};

/* The number of elements of stats_histogram.counts. */
static inline size_t stats_counts(const struct buckets *buckets)
{
	return buckets->count + 1;
}

/* Counts the outcome of one request, in the totals and in the run. */
void stats_add(struct stats_totals *totals, struct stats_run *run,
	       const struct buckets *buckets, const struct sample *sample);

/* For each target of a discarded round: counts nothing, but ends the chain of jitter. */
void stats_discard_round(struct stats_run *run);

/* Adds one histogram to another with the same buckets; both have counts. */
void stats_merge(struct stats_histogram *into, const struct stats_histogram *from,
		 const struct buckets *buckets);

/* Loss ratio times 10^9, rounded. Requires run->requests > 0. */
int64_t stats_loss_billionths(const struct stats_run *run);

/* Rounded to nanoseconds. Require run->replies > 0. */
int64_t stats_mean_ns(const struct stats_run *run);
int64_t stats_stddev_ns(const struct stats_run *run);

/* Requires run->pairs > 0. */
int64_t stats_jitter_ns(const struct stats_run *run);

#endif
