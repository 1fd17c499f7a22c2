/*
 * Which peer of a group this node is.
 *
 * With a configured name: the peer of that name. Else the one whose name is the
 * host's fully qualified name; else the one whose name is the host's, or has it
 * as its first label, if only one does; else the one with an address of this
 * host (loopback addresses identify nobody). A candidate that the fully
 * qualified name contradicts is none.
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
	char name[SELF_NAME_SIZE];	/* configured, or "" */
	char host[SELF_NAME_SIZE];	/* the host name up to its first dot */
	char qualified[SELF_NAME_SIZE]; /* "" where it is not known */
	struct address *addresses;	/* of this host, without loopback */
	size_t address_count;
};

/* Asks the system; looks nothing up. 0, or -1 after logging. */
int self_init(struct self *self, const char *configured);

void self_free(struct self *self);

/*
 * Whether names alone leave two candidates, and then, with `remember`, the last run
 * does not tell which it is: so the qualified name is worth a lookup.
 */
bool self_is_ambiguous(const struct self *self, const struct targets *targets,
		       bool remember);

/*
 * Sets targets.groups[].self by name, then by address, as far as both are
 * known. 0, or -1 after logging where a group has two candidates, and so no self.
 */
int self_find(const struct self *self, struct targets *targets);

/*
 * The same as far as it is known before names have addresses: by name, else as the last
 * run found it. Nothing is said about what is ambiguous, or is not known yet.
 */
void self_guess(const struct self *self, struct targets *targets);

/* What a node that is no peer is called: as configured, or the host name. */
const char *self_own_name(const struct self *self);

/* Whether this node is a peer of any group. */
bool self_is_member(const struct targets *targets);

#endif
