#include "peers/state.h"

const char *const state_discard_reasons[DISCARD_REASONS] = {
	[DISCARD_CLOCK_STEP] = "clock_step",
	[DISCARD_RECEIVE_DROPS] = "receive_drops",
	[DISCARD_INTERRUPTED] = "interrupted",
	[DISCARD_DEADLINE] = "deadline",
};
