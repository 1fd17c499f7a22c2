#include "ping/batch.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stop.h"

int64_t batch_round_ns(const struct options *options, size_t count)
{
	int64_t round_ns = options->timeout_ns + (int64_t)count * options->spacing_ns;

	return round_ns > options->interval_ns ? round_ns : options->interval_ns;
}

static void discard_round(struct batch *batch, enum discard_reason reason)
{
	batch->discarded[reason]++;
	for (size_t i = 0; i < batch->count; i++)
		stats_discard_round(&batch->targets[i]->run);
}

static void add_unsent(struct batch *batch, struct target *target)
{
	const struct sample unsent = {.outcome = SAMPLE_UNSENT};

	stats_add(&target->totals, &target->run, batch->buckets, &unsent);
}

static void add_samples(struct batch *batch, const struct sample *samples)
{
	bool any_left = false;

	for (size_t i = 0; i < batch->count; i++) {
		struct target *target = batch->targets[i];

		if (!batch->probe) {
			add_unsent(batch, target);
			continue;
		}
		stats_add(&target->totals, &target->run, batch->buckets, &samples[i]);
		any_left |= samples[i].outcome != SAMPLE_UNSENT;
	}
	for (size_t i = 0; i < batch->absent_count; i++)
		add_unsent(batch, batch->absent[i]);
	batch->measured += any_left;
}

static void count_round(struct batch *batch, enum round_result result,
			const struct sample *samples)
{
	switch (result) {
	case ROUND_MEASURED: add_samples(batch, samples); break;
	case ROUND_CLOCK_STEP: discard_round(batch, DISCARD_CLOCK_STEP); break;
	case ROUND_RECEIVE_DROPS: discard_round(batch, DISCARD_RECEIVE_DROPS); break;
	case ROUND_INTERRUPTED: discard_round(batch, DISCARD_INTERRUPTED); break;
	case ROUND_BROKEN: batch->broken = true; break;
	}
}

/* Rounds that will not begin. */
static void discard_rest(struct batch *batch, unsigned round, enum discard_reason reason)
{
	const struct options *options = batch->options;

	for (; round < options->warmup + options->count; round++)
		if (round >= options->warmup)
			discard_round(batch, reason);
}

/* False if the next round would begin behind the deadline: then nobody waits for it. */
static bool wait_for_next(const struct batch *batch, int64_t start_ns)
{
	int64_t next_ns = start_ns + batch->options->interval_ns;

	if (next_ns > batch->deadline_ns)
		return false;
	stop_sleep_until(next_ns);
	return true;
}

static void run_rounds(struct batch *batch, struct sample *samples)
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
			result = probe_round(batch->probe, samples);
		if (round >= options->warmup)
			count_round(batch, result, samples);
		else
			batch->broken = result == ROUND_BROKEN;
		if (batch->progress)
			batch->progress(batch, round + 1, rounds);
		if (round + 1 < rounds && !wait_for_next(batch, start_ns)) {
			discard_rest(batch, round + 1, DISCARD_DEADLINE);
			return;
		}
	}
}

int batch_run(struct batch *batch)
{
	struct sample *samples =
		calloc(batch->count ? batch->count : 1, sizeof(*samples));

	if (!samples) {
		log_errx("out of memory");
		return -1;
	}
	run_rounds(batch, samples);
	free(samples);
	return 0;
}
