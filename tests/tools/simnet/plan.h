/*
 * plan: how each simulated address answers, read from a file.
 *
 *     # comment
 *     ADDRESS[-ADDRESS] [WORD ...] [then WORD ...]
 *
 * Without a word an address answers at once and correctly; an address in no line is
 * silent. A later line replaces an earlier one for the addresses that both name. `then`
 * separates phases: all but the last one say `for=N`, the number of requests that they
 * serve. Phases inherit nothing.
 *
 *     delay=D jitter=D   uniform in [delay - jitter, delay + jitter], not below 0;
 *                        D as in 1.5ms
 *     drop=K/N           of each N requests the last K are not answered
 *     loss=P%            not answered at random
 *     silent
 *     unreachable        destination unreachable, from the address itself or from=
 *     from=ADDRESS       the answer comes from another address
 *     ttl=N              TTL or hop limit of the answer, 64 otherwise
 *     dup=N              N more copies of the answer follow it
 *     corrupt, wrong-ident, wrong-seq, wrong-payload
 *                        the answer is wrong in this way
 *     truncated, oversized
 *                        so is one without most of its payload, or with bytes behind it
 *     shortened          one with the first 40 bytes of its payload is right
 *     options            one with IPv4 options or an extension header is right
 *     corrupt-copy, wrong-ident-copy, ...
 *                        such a copy goes before the answer
 *     foreign-copy=ADDRESS
 *                        and one from there
 *     also               nothing; reads well before the copies
 */
#ifndef SIMNET_PLAN_H
#define SIMNET_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "peers.h"

struct phase {
	uint64_t requests; /* that it serves; 0 in the last phase, which lasts */
	int64_t delay_ns;
	int64_t jitter_ns;
	uint64_t drop;
	uint64_t drop_of; /* 0: no drop= */
	uint64_t loss_ppm;
	uint64_t duplicates;
	uint64_t ttl;
	bool silent;
	bool unreachable;
	unsigned faults;	     /* of the answer itself */
	unsigned copies;	     /* for each bit a copy with this fault */
	struct address from;	     /* family 0: the address asked */
	struct address foreign_copy; /* family 0: none */
};

struct behaviour {
	struct behaviour *next;
	size_t phase_count; /* at least 1 */
	struct phase phases[];
};

/* All behaviours of a plan; the peers point into it. */
struct plan {
	struct behaviour *behaviours;
};

/* Adds the addresses to the peers. 0, or -1 with the reason on standard error. */
int plan_load(struct plan *plan, struct peers *peers, const char *path);
void plan_free(struct plan *plan);

#endif
