/*
 * Which peer of a group this node is.
 *
 * self_find() collects what speaks for each peer and decides for each group. Nothing that
 * is found here is an error: a node that is no peer of a group is a node outside it. The
 * strongest evidence decides, in the order of enum self_evidence:
 *
 * - `self` in [collector] names the peer. A group that has no such peer ignores it.
 * - Its name or host is the fully qualified name, otherwise the name of this host.
 * - One of its addresses, configured or looked up, is local. Loopback addresses are not.
 * - It was this node in the previous run, and no address says of any group who this node is:
 *   the network is not up yet. That is believed for SELF_RUNS_KEPT_MAX runs in a row, as the
 *   file may be that of another machine, and a virtual address may have left for good.
 *
 * Where several peers are equal in that, the previous run decides, otherwise none of them
 * is this node. If one address of the group is local, a peer that is configured with
 * another address is not this node, whatever its name: the list has a wrong address.
 *
 * Order of calls: self_init(); self_find() before names are looked up and after that;
 * self_report(); self_free() in any case.
 */
#ifndef NODECANARY_SELF_H
#define NODECANARY_SELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "peers/targets.h"

#define SELF_NAME_SIZE 256

/* Ten minutes of the usual timer. */
#define SELF_RUNS_KEPT_MAX 40

/* What speaks for a peer, as bits; the stronger the higher. The last one says no. */
enum self_evidence {
	SELF_PREVIOUS = 1, /* it was this node in the previous run */
	SELF_LABEL = 2, /* name or host begins with the host name; never enough alone */
	SELF_ADDRESS = 4,
	SELF_HOST_NAME = 8,
	SELF_FULL_NAME = 16,
	SELF_CONFIGURED = 32,
	SELF_ELSEWHERE = 64, /* no evidence: it has configured addresses, none is local */
};

struct self {
	char name[SELF_NAME_SIZE];	/* as configured, or "" */
	char host[SELF_NAME_SIZE];	/* the host name up to its first dot, or "" */
	char qualified[SELF_NAME_SIZE]; /* "" while it is not known */
	struct address *addresses; /* of this host, without loopback, sorted; owned */
	size_t address_count;
	unsigned char *evidence; /* of each peer of the configuration; owned */
};

/* What follows from the evidence of one group. */
struct self_decision {
	size_t peer; /* index in the group; SIZE_MAX: none */
	/* That of the peer; without a peer that of the several that are equal, or 0. */
	unsigned evidence;
	bool is_kept; /* nothing but the previous run says so */
	/*
	 * The peer with the name of this host, if the only local address is that of another
	 * peer; otherwise SIZE_MAX.
	 */
	size_t misplaced;
};

/* Reads names and addresses from the system, without a lookup. 0, or -1 after logging. */
int self_init(struct self *self, const struct config *config);

void self_free(struct self *self);

/* Sets evidence[i] for each peer i of the configuration, from what is known now. */
void self_collect(const struct self *self, const struct targets *targets,
		  unsigned char *evidence);

/*
 * Decides for one group of `count` peers. Evidence below `least` is not enough. Without any,
 * the peer of the previous run is this node if `keeps_previous`.
 */
struct self_decision self_decide(const unsigned char *evidence, size_t count,
				 unsigned least, bool keeps_previous);

/*
 * Sets self, self_evidence, next_runs_kept and misplaced of the groups, is_local and
 * has_conflict of the targets. A `guess`, which only selects what is looked up, takes a first
 * label for a name.
 */
void self_find(struct self *self, struct targets *targets, bool guess);

/* Whether the fully qualified name, once known, could change what self_find() found. */
bool self_wants_full_name(const struct self *self, const struct targets *targets);

/* Takes the canonical name of this host, if it is a fully qualified one. */
void self_set_full_name(struct self *self, const char *name);

/* Logs a warning for each wrong address, name or `self`. False if no group has `self`. */
bool self_report(const struct self *self, const struct targets *targets);

/* The name of a node that is not a peer: as configured, otherwise the host name. */
const char *self_own_name(const struct self *self);

#endif
