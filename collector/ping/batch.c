#include "ping/batch.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stop.h"

/*
 * A round ends a timeout after its last request, and liboping sends to all hosts before
 * that. The next round begins an interval after the start of this one, or at once.
 */
int64_t batch_round_ns(const struct options *options, size_t count)
{
	int64_t round_ns = options->timeout_ns + (int64_t)count * options->spacing_ns;

	return round_ns > options->interval_ns ? round_ns : options->interval_ns;
}

/*
 * Neither sent nor lost: nothing is counted but the reason. The targets are told because
 * jitter compares consecutive rounds only (stats.h).
 */
static void discard_round(struct batch *batch, enum discard_reason reason)
{
	batch->discarded[reason]++;
	for (size_t i = 0; i < batch->count; i++)
		stats_discard_round(&batch->targets[i]->run);
}

static void add_samples(struct batch *batch, const struct sample *samples)
{
	const struct sample unsent = {.outcome = SAMPLE_UNSENT};
	bool any_sent = false;

	for (size_t i = 0; i < batch->count; i++) {
		struct target *target = batch->targets[i];

		stats_add(&target->totals, &target->run, batch->buckets, &samples[i]);
		any_sent |= samples[i].outcome != SAMPLE_UNSENT;
	}
	for (size_t i = 0; i < batch->absent_count; i++)
		stats_add(&batch->absent[i]->totals, &batch->absent[i]->run,
			  batch->buckets, &unsent);
	/* A run whose requests all failed to leave has measured nothing. */
	batch->measured += any_sent;
}

static void count_round(struct batch *batch, enum round_result result,
			const struct sample *samples)
{
	switch (result) {
	case ROUND_MEASURED: add_samples(batch, samples); break;
	case ROUND_CLOCK_STEP: discard_round(batch, DISCARD_CLOCK_STEP); break;
	case ROUND_RECEIVE_DROPS: discard_round(batch, DISCARD_RECEIVE_DROPS); break;
	case ROUND_INTERRUPTED: discard_round(batch, DISCARD_INTERRUPTED); break;
	case ROUND_BROKEN: break; /* it ends the batch */
	}
}

/* From `round` on no round begins. Warm-up rounds are never counted. */
static void discard_rest(struct batch *batch, unsigned round, enum discard_reason reason)
{
	const struct options *options = batch->options;

	for (; round < options->warmup + options->count; round++)
		if (round >= options->warmup)
			discard_round(batch, reason);
}

/*
 * False if the next round would begin after the deadline. The run ends then, and not after
 * an interval, which may be an hour.
 */
static bool wait_for_next(const struct batch *batch, int64_t start_ns)
{
	int64_t next_ns = start_ns + batch->options->interval_ns;

	if (next_ns > batch->deadline_ns)
		return false;
	/* run_rounds() looks for a stop request itself. */
	(void)stop_sleep_until(next_ns);
	return true;
}

static void run_rounds(struct batch *batch, struct sample *samples,
		       void (*on_sent)(void *arg), void *arg)
{
	const struct options *options = batch->options;
	unsigned rounds = options->warmup + options->count;

	for (unsigned round = 0; round < rounds && !batch->broken; round++) {
		int64_t start_ns = clock_monotonic_ns();
		enum round_result result = ROUND_MEASURED;

		if (stop_requested()) {
			discard_rest(batch, round, DISCARD_INTERRUPTED);
			return;
		}
		if (start_ns > batch->deadline_ns) {
			discard_rest(batch, round, DISCARD_DEADLINE);
			return;
		}
		if (batch->probe)
			result = probe_run_round(batch->probe, samples, on_sent, arg);
		batch->broken = result == ROUND_BROKEN;
		if (round >= options->warmup)
			count_round(batch, result, samples);
		if (batch->progress)
			batch->progress(batch, round + 1, rounds);
		if (round + 1 < rounds && !wait_for_next(batch, start_ns)) {
			discard_rest(batch, round + 1, DISCARD_DEADLINE);
			return;
		}
	}
}

int batch_run(struct batch *batch, void (*on_sent)(void *arg), void *arg)
{
	/* Zero is SAMPLE_UNSENT, which is what they stay without a probe. */
	struct sample *samples =
		calloc(batch->count ? batch->count : 1, sizeof(*samples));

	if (!samples) {
		log_errx("out of memory");
		return -1;
	}
	run_rounds(batch, samples, on_sent, arg);
	free(samples);
	return 0;
}
