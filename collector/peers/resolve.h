/*
 * Name lookups with a deadline.
 *
 * getaddrinfo() knows no deadline, and getaddrinfo_a() of glibc 2.36 crashes. So at
 * most RESOLVE_CHILDREN child processes take the queries one by one, answer through a
 * pipe, and are killed at the deadline. A slow name delays one child and no other name.
 */
#ifndef NODECANARY_RESOLVE_H
#define NODECANARY_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

#define RESOLVE_CHILDREN 20
#define RESOLVE_NAME_SIZE 256

struct resolve_query {
	const char *host;
	enum address_family family; /* ADDRESS_NONE: either, in the resolver's order */
	void *owner;		    /* for the caller; not read */
	/* NULL, or RESOLVE_NAME_SIZE bytes that receive the canonical name, if there is
	 * one. */
	char *canonical;
	/*
	 * In: the address in use, which is kept if it is among the answers.
	 * Out: the address, unchanged if the lookup failed.
	 */
	struct address address;
	/* Out: the lookup gave an address before the deadline. */
	bool answered;
	/* Out: a child began the lookup before the deadline or a stop request. */
	bool asked;
};

/*
 * Runs all queries until `deadline_ns` of the monotonic clock or a stop request. A query
 * that has no answer by then is no error. Returns 0, or -1 after logging where no child
 * could be started; the addresses are unchanged then.
 */
int resolve_run(struct resolve_query *queries, size_t count, int64_t deadline_ns);

/*
 * The canonical name of a host. False, with an empty name, where the lookup failed or
 * did not end before the deadline.
 */
bool resolve_canonical(const char *host, int64_t deadline_ns,
		       char name[static RESOLVE_NAME_SIZE]);

#endif
