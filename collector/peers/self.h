/*
 * Which peer of a group this node is.
 *
 * With a configured name: the peer of that name. Otherwise, in this order: the peer whose
 * name is the fully qualified name of the host; the only peer whose name is the host name,
 * or has it as its first label; the only peer with an address of this host (loopback
 * addresses identify nobody). A peer whose name contradicts the fully qualified name is no
 * candidate.
 *
 * Order of calls: self_init(); self_guess() before names are looked up; self_find() after
 * that; self_free() in any case.
 */
#ifndef NODECANARY_SELF_H
#define NODECANARY_SELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "peers/targets.h"

#define SELF_NAME_SIZE 256

struct self {
	char name[SELF_NAME_SIZE];	/* as configured, or "" */
	char host[SELF_NAME_SIZE];	/* the host name up to its first dot */
	char qualified[SELF_NAME_SIZE]; /* "" while it is not known */
	struct address *addresses;	/* of this host, without loopback; owned */
	size_t address_count;
};

/* Reads names and addresses from the system, without a lookup. 0, or -1 after logging. */
int self_init(struct self *self, const char *configured);

void self_free(struct self *self);

/*
 * Whether a group has two candidates by name, so that the fully qualified name is worth a
 * lookup. With `use_previous`, a group in which the previous run tells which of them is
 * this node is not ambiguous.
 */
bool self_is_ambiguous(const struct self *self, const struct targets *targets,
		       bool use_previous);

/*
 * Sets targets.groups[].self by name, otherwise by address, as far as both are known.
 * 0, or -1 after logging where a group has two candidates; its self is NULL then.
 */
int self_find(const struct self *self, struct targets *targets);

/*
 * The same before names have addresses: by name, otherwise as in the previous run. Logs
 * nothing.
 */
void self_guess(const struct self *self, struct targets *targets);

/* The name of a node that is not a peer: as configured, otherwise the host name. */
const char *self_own_name(const struct self *self);

/* Whether this node is a peer of any group, after self_find(). */
bool self_is_member(const struct targets *targets);

#endif
