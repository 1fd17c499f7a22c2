/*
 * Which members of a group a node pings with `fanout = k`: its successors on k rings.
 * Each node finds its own from the list alone, without a controller and without messages
 * between nodes.
 *
 * On ring r (0, 1, ...) the place of a name is the r-th number of SplitMix64 (Steele,
 * Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014), seeded with the
 * digest (digest.h) of FANOUT_VERSION and the name in lower case. Places ascend and wrap
 * around; of equal places the member that comes first in the list comes first. On each
 * ring in turn a node chooses its successor, or the next one that it has not chosen yet.
 * So all nodes with the same list agree, whatever the order in which it is written.
 *
 * Each ring gives every member one observer, except where its predecessor had chosen it
 * already: about k(k-1)/2 of the choices, whatever the size of the fleet. Ring 0 is free
 * of that: it is a cycle through all members, so everyone is observed and the graph is
 * connected. One member more or less changes one choice on each ring, and few more
 * because of choices made before.
 */
#ifndef NODECANARY_FANOUT_H
#define NODECANARY_FANOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Part of the hash of the peer list, because all nodes must choose alike. */
#define FANOUT_VERSION "nodecanary rings 1"

/* The seed from which all places of a name follow. */
uint64_t fanout_seed(const char *name);

/* The place that follows from a seed on a ring. */
uint64_t fanout_place(uint64_t seed, size_t ring);

/* The node that chooses. One that is not a member has the index FANOUT_OUTSIDE. */
struct fanout_observer {
	uint64_t seed;
	size_t index; /* in the list of members */
};
#define FANOUT_OUTSIDE SIZE_MAX

/*
 * Sets chosen[i] for the `fanout` members that the observer pings, or for all others where
 * there are not more, and clears the rest. `seeds` are those of the members, in the order
 * of the list; `count` is the size of `seeds` and `chosen`.
 */
void fanout_choose(const uint64_t *seeds, size_t count, struct fanout_observer observer,
		   size_t fanout, bool *chosen);

#endif
