/*
 * What is kept from run to run and belongs to no peer. The rest is in the
 * targets.
 */
#ifndef NODECANARY_STATE_H
#define NODECANARY_STATE_H

#include <stdint.h>

enum void_reason {
	VOID_CLOCK_STEP,
	VOID_RECEIVE_DROPS,
	VOID_INTERRUPTED,
	VOID_DEADLINE,
};
#define VOID_REASONS 4

extern const char *const state_void_reasons[VOID_REASONS];

struct state {
	int64_t counters_start_ns; /* wall clock */
	int64_t last_resolve_ns;   /* wall clock, 0 for never */
	uint64_t runs;
	uint64_t voided[VOID_REASONS]; /* of each liboping object */
	uint64_t receive_drops;
};

#endif
