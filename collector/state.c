#include "state.h"

const char *const state_void_reasons[VOID_REASONS] = {
	[VOID_CLOCK_STEP] = "clock_step",
	[VOID_RECEIVE_DROPS] = "receive_drops",
	[VOID_INTERRUPTED] = "interrupted",
	[VOID_DEADLINE] = "deadline",
};
