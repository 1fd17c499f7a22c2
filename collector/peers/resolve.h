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
#include "base/clock.h"
#include "config/options.h"

#define RESOLVE_CHILDREN 40
#define RESOLVE_NAME_SIZE 256
/* Children that were killed are waited for so long; afterwards they are left to init. */
#define RESOLVE_END_WAIT_NS (CLOCK_NS_PER_S / 2)

enum resolve_result {
	RESOLVE_NOT_ASKED,  /* not at all, or with too little time for an answer */
	RESOLVE_CUT_OFF,    /* not answered, with at least half of the time for that */
	RESOLVE_FAILED,	    /* no name server gave an answer */
	RESOLVE_REFUSED,    /* no address of the answer can be that of another host */
	RESOLVE_NO_ADDRESS, /* the name does not exist, or has no address of the family */
	RESOLVE_FOUND,
};

struct resolve_query {
	const char *host;
	enum address_family family;    /* ADDRESS_NONE: either; for canonical names */
	void *owner;		       /* for the caller; not read */
	const struct options *options; /* that decide about the route; NULL: none */
	bool allows_loopback;	       /* this node may look for itself there */
	/* NULL, or RESOLVE_NAME_SIZE bytes that receive the canonical name, if there is
	 * one. */
	char *canonical;
	/*
	 * In: the address in use, which is kept if it is among the answers.
	 * Out: of RESOLVE_FOUND the address, of RESOLVE_REFUSED the first of those refused,
	 * otherwise unchanged.
	 */
	struct address address;
	enum resolve_result result;
	bool is_reachable; /* of RESOLVE_FOUND: this host has a route and a source for it */
	int64_t took_ns;   /* of an answer */
};

/*
 * Runs all queries until `deadline_ns` of the monotonic clock or a stop request. A query
 * that has no answer by then is no error. Returns 0, or -1 after logging where no child
 * could be started; the addresses are unchanged then.
 */
int resolve_run(struct resolve_query *queries, size_t count, int64_t deadline_ns);

#endif
