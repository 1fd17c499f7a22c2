#include "peers/roam.h"

/* The distance to a member from the position; never 0, which is a whole turn. */
static uint64_t distance(uint64_t seed, uint64_t own_seed, uint64_t position)
{
	uint64_t ahead = fanout_place(seed ^ own_seed, 0) - position;

	return ahead == 0 ? UINT64_MAX : ahead;
}

/*
 * The nearest member ahead of the position; `count` if all are taken. Of equal places the
 * one that comes first in the list would hide the others for ever, so those that were
 * visited in this run are passed over, too.
 */
static size_t next_member(const uint64_t *seeds, size_t count,
			  struct fanout_observer observer, const bool *taken,
			  uint64_t position, const bool *visited)
{
	uint64_t nearest = UINT64_MAX;
	size_t best = count;

	for (size_t i = 0; i < count; i++) {
		uint64_t ahead;

		if (i == observer.index || taken[i] || visited[i])
			continue;
		ahead = distance(seeds[i], observer.seed, position);
		if (best == count || ahead < nearest) {
			nearest = ahead;
			best = i;
		}
	}
	return best;
}

void roam_choose(const uint64_t *seeds, size_t count, struct fanout_observer observer,
		 size_t roam, const bool *taken, uint64_t *position, bool *visited)
{
	for (size_t i = 0; i < roam; i++) {
		size_t next =
			next_member(seeds, count, observer, taken, *position, visited);

		if (next == count)
			return;
		visited[next] = true;
		*position = fanout_place(seeds[next] ^ observer.seed, 0);
	}
}

enum roam_state roam_next_state(enum roam_state state, bool answered, int64_t *since_ns,
				int64_t wall_ns, size_t listed)
{
	if (answered)
		return ROAM_WELL;
	switch (state) {
	case ROAM_WELL: return ROAM_SUSPECT;
	case ROAM_SUSPECT:
		if (listed >= ROAM_UNRESPONSIVE_MAX)
			return ROAM_WELL;
		*since_ns = wall_ns;
		return ROAM_UNRESPONSIVE;
	case ROAM_UNRESPONSIVE: break;
	}
	/* A wall clock that was set back must not keep it listed for longer. */
	return wall_ns < *since_ns || wall_ns - *since_ns >= ROAM_LISTED_NS
		       ? ROAM_WELL
		       : ROAM_UNRESPONSIVE;
}
