/*
 * Looking up names, bounded in time.
 *
 * getaddrinfo() knows no deadline, and getaddrinfo_a() of glibc 2.36 crashes;
 * so at most RESOLVE_CHILDREN child processes take the queries one by one,
 * answer through a pipe, and are killed at the deadline. A slow name holds up
 * one child and no other name.
 */
#ifndef NODECANARY_RESOLVE_H
#define NODECANARY_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

#define RESOLVE_CHILDREN 20

struct resolve_query {
	const char *host;
	enum address_family family; /* ADDRESS_NONE: either, in the resolver's order */
	/*
	 * In: the address in use, which is kept if it is among the answers.
	 * Out: the address, unchanged if there was no answer.
	 */
	struct address address;
	bool answered;
	/* Out: a child took it in time. */
	bool asked;
};

/*
 * Runs all queries until `deadline_ns` of the monotonic clock or a stop
 * request. What has no answer by then is unanswered; that is no failure. -1
 * after logging where no child could be started.
 */
int resolve_run(struct resolve_query *queries, size_t count, int64_t deadline_ns);

/* The canonical name of a host, likewise. False if there is none in time. */
#define RESOLVE_NAME_SIZE 256
bool resolve_canonical(const char *host, int64_t deadline_ns,
		       char name[static RESOLVE_NAME_SIZE]);

#endif
