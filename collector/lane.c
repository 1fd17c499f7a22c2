#include "lane.h"

#include <stdlib.h>

#include "clock.h"
#include "log.h"
#include "stop.h"

int64_t lane_round_ns(const struct options *options, size_t count)
{
	int64_t round_ns = options->timeout_ns + (int64_t)count * options->spacing_ns;

	return round_ns > options->interval_ns ? round_ns : options->interval_ns;
}

static void void_round(struct lane *lane, enum void_reason reason)
{
	lane->voided[reason]++;
	for (size_t i = 0; i < lane->count; i++)
		stats_void(&lane->targets[i]->run);
}

static void add_unsent(struct lane *lane, struct target *target)
{
	const struct sample unsent = {.outcome = SAMPLE_UNSENT};

	stats_add(&target->totals, &target->run, lane->buckets, &unsent);
}

static void add_samples(struct lane *lane, const struct sample *samples)
{
	bool any_left = false;

	for (size_t i = 0; i < lane->count; i++) {
		struct target *target = lane->targets[i];

		if (!lane->probe) {
			add_unsent(lane, target);
			continue;
		}
		stats_add(&target->totals, &target->run, lane->buckets, &samples[i]);
		any_left |= samples[i].outcome != SAMPLE_UNSENT;
	}
	for (size_t i = 0; i < lane->absent_count; i++)
		add_unsent(lane, lane->absent[i]);
	lane->measured += any_left;
}

static void count_round(struct lane *lane, enum round_result result,
			const struct sample *samples)
{
	switch (result) {
	case ROUND_MEASURED: add_samples(lane, samples); break;
	case ROUND_CLOCK_STEP: void_round(lane, VOID_CLOCK_STEP); break;
	case ROUND_RECEIVE_DROPS: void_round(lane, VOID_RECEIVE_DROPS); break;
	case ROUND_INTERRUPTED: void_round(lane, VOID_INTERRUPTED); break;
	case ROUND_BROKEN: lane->broken = true; break;
	}
}

/* Rounds that will not begin. */
static void void_rest(struct lane *lane, unsigned round, enum void_reason reason)
{
	const struct options *options = lane->options;

	for (; round < options->warmup + options->count; round++)
		if (round >= options->warmup)
			void_round(lane, reason);
}

/* False if the next round would begin behind the deadline: then nobody waits for it. */
static bool wait_for_next(const struct lane *lane, int64_t start_ns)
{
	int64_t next_ns = start_ns + lane->options->interval_ns;

	if (next_ns > lane->deadline_ns)
		return false;
	stop_sleep_until(next_ns);
	return true;
}

static void run_rounds(struct lane *lane, struct sample *samples)
{
	const struct options *options = lane->options;
	unsigned rounds = options->warmup + options->count;

	for (unsigned round = 0; round < rounds && !lane->broken; round++) {
		int64_t start_ns = clock_monotonic_ns();
		enum round_result result = ROUND_MEASURED;

		if (stop_requested()) {
			void_rest(lane, round, VOID_INTERRUPTED);
			return;
		}
		if (start_ns > lane->deadline_ns) {
			void_rest(lane, round, VOID_DEADLINE);
			return;
		}
		if (lane->probe)
			result = probe_round(lane->probe, samples);
		if (round >= options->warmup)
			count_round(lane, result, samples);
		else
			lane->broken = result == ROUND_BROKEN;
		if (lane->progress)
			lane->progress(lane, round + 1, rounds);
		if (round + 1 < rounds && !wait_for_next(lane, start_ns)) {
			void_rest(lane, round + 1, VOID_DEADLINE);
			return;
		}
	}
}

int lane_run(struct lane *lane)
{
	struct sample *samples = calloc(lane->count ? lane->count : 1, sizeof(*samples));

	if (!samples) {
		log_errx("out of memory");
		return -1;
	}
	run_rounds(lane, samples);
	free(samples);
	return 0;
}
