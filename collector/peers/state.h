/*
 * What is kept from run to run and belongs to no peer. The rest is in the
 * targets.
 */
#ifndef NODECANARY_STATE_H
#define NODECANARY_STATE_H

#include <stdint.h>

enum discard_reason {
	DISCARD_CLOCK_STEP,
	DISCARD_RECEIVE_DROPS,
	DISCARD_INTERRUPTED,
	DISCARD_DEADLINE,
};
#define DISCARD_REASONS 4

extern const char *const state_discard_reasons[DISCARD_REASONS];

struct state {
	int64_t counters_start_ns; /* wall clock */
	int64_t last_resolve_ns;   /* wall clock, 0 for never */
	uint64_t runs;
	uint64_t discarded[DISCARD_REASONS]; /* of each liboping object */
	uint64_t receive_drops;
};

#endif
