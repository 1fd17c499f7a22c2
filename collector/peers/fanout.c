#include "peers/fanout.h"

#include "base/digest.h"

uint64_t fanout_seed(const char *name)
{
	struct digest digest;

	digest_init(&digest);
	digest_add(&digest, FANOUT_VERSION, sizeof(FANOUT_VERSION));
	digest_add_folded(&digest, name);
	return digest_value(&digest);
}

/*
 * SplitMix64. Every ring orders the names differently, so that nodes which share a
 * successor on one ring do not share it on the next.
 */
uint64_t fanout_place(uint64_t seed, size_t ring)
{
	uint64_t z = seed + (ring + 1) * UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/*
 * The nearest member after the observer that is not chosen yet; there must be one. One
 * pass over the list finds it without sorting a ring, as a node needs k successors only.
 * Unsigned subtraction makes distances wrap around like the ring.
 */
static size_t next_free(const uint64_t *seeds, size_t count,
			struct fanout_observer observer, size_t ring, const bool *chosen)
{
	uint64_t own = fanout_place(observer.seed, ring), nearest = UINT64_MAX;
	size_t best = FANOUT_OUTSIDE;

	for (size_t i = 0; i < count; i++) {
		uint64_t distance = fanout_place(seeds[i], ring) - own;

		/* Of equal places, one earlier in the list is a whole round away. */
		if (distance == 0 && i < observer.index)
			distance = UINT64_MAX;
		if (distance > nearest || (distance == nearest && best != FANOUT_OUTSIDE))
			continue;
		if (chosen[i] || i == observer.index)
			continue;
		nearest = distance;
		best = i;
	}
	return best;
}

void fanout_choose(const uint64_t *seeds, size_t count, struct fanout_observer observer,
		   size_t fanout, bool *chosen)
{
	bool is_member = observer.index != FANOUT_OUTSIDE;
	bool all = fanout >= count - (is_member && count > 0);

	for (size_t i = 0; i < count; i++)
		chosen[i] = all && i != observer.index;
	for (size_t ring = 0; !all && ring < fanout; ring++)
		chosen[next_free(seeds, count, observer, ring, chosen)] = true;
}
