/*
 * Whom a node pings of a group with `fanout = k`: its successors on k rings,
 * without a controller and without a word between nodes.
 *
 * On ring r (0, 1, ...) each name has a place, the r-th number of SplitMix64 (Steele,
 * Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014) that is seeded with
 * the digest (digest.h) of FANOUT_VERSION and the name in lower case. Places ascend and
 * wrap around; of equal ones the member that is first in the list's order comes first. A
 * node takes its successor on each ring in turn, or the next one after it that it has not
 * taken yet. So all nodes of one list agree, whatever order it was written in.
 *
 * Each ring gives every member one observer, but where a successor was taken
 * already: that happens to about k(k-1)/2 of the members' choices, however large the
 * fleet. Ring 0 is always taken as it is: a cycle through all members, so nobody is
 * unwatched and the graph is connected. One member more or less changes one choice on
 * each ring, and few more by what was taken already.
 */
#ifndef NODECANARY_FANOUT_H
#define NODECANARY_FANOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What follows from it is part of the peer list's hash: nodes must agree on it. */
#define FANOUT_VERSION "nodecanary rings 1"

/* What a name's places follow from. */
uint64_t fanout_seed(const char *name);

/* A node that chooses: a member by its index; any other node has index FANOUT_OUTSIDE. */
struct fanout_observer {
	uint64_t seed;
	size_t index;
};
#define FANOUT_OUTSIDE SIZE_MAX

/*
 * Sets chosen[i] for the `fanout` members that the observer pings, for all but itself
 * where there are no more, and clears the others. `seeds` are those of the members, in
 * the order of the list.
 */
void fanout_choose(const uint64_t *seeds, size_t count, struct fanout_observer observer,
		   size_t fanout, bool *chosen);

#endif
