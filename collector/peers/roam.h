/*
 * Roaming: with `roam = r` a node with a fan-out pings, besides, r further peers of the
 * group in each run and moves through all of them, so that every pair of the fleet is tried
 * in (members - 1) / r runs.
 *
 * The order is that of places on a ring, as in fanout.h, but of one that is this node's own:
 * two nodes rarely visit the same peer in the same run. The state remembers the last place
 * only, so a list that changes disturbs nothing.
 *
 * A peer that does not answer is asked again in the next run. If it is silent again it is
 * listed as unresponsive, at most ROAM_UNRESPONSIVE_MAX of a group, and asked in every run,
 * until it answers or ROAM_LISTED_NS have passed.
 *
 * Order of calls: targets_select() chooses; after the rounds targets_finish_roaming() counts
 * what the roaming targets answered.
 */
#ifndef NODECANARY_ROAM_H
#define NODECANARY_ROAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "peers/fanout.h"

#define ROAM_UNRESPONSIVE_MAX 32
#define ROAM_LISTED_NS (3600 * CLOCK_NS_PER_S)

/* What roaming knows of a peer. */
enum roam_state {
	ROAM_WELL,	   /* it answered, or was not visited yet */
	ROAM_SUSPECT,	   /* silent in the last run */
	ROAM_UNRESPONSIVE, /* silent again */
};

/*
 * Sets visited[i] for the `roam` members after *position on the observer's ring, and moves
 * *position to the last of them. The observer itself and members with taken[i] are passed
 * over. `count` is the size of the three arrays; visited[] must be clear.
 */
void roam_choose(const uint64_t *seeds, size_t count, struct fanout_observer observer,
		 size_t roam, const bool *taken, uint64_t *position, bool *visited);

/*
 * The state of a peer after a run that asked it: `since_ns` is when it was listed, and
 * `listed` how many of its group are.
 */
enum roam_state roam_next_state(enum roam_state state, bool answered, int64_t *since_ns,
				int64_t wall_ns, size_t listed);

#endif
