/*
 * Why requests of this run failed, where somebody gave a reason: this host's kernel when it
 * refused to send, or a router or host by an ICMP error.
 *
 * A target has a list of its failures, sorted by reason and origin as their series are. Most
 * targets have none, so the list takes no memory until the first.
 */
#ifndef NODECANARY_FAILURE_H
#define NODECANARY_FAILURE_H

#include <stdint.h>

#include "base/address.h"

/* In the order of the names, as their series are. */
enum failure_reason {
	FAILURE_DEVICE,		      /* the interface is down or gone */
	FAILURE_FRAGMENTATION_NEEDED, /* a router: larger than the next link's MTU */
	FAILURE_HOST_UNREACHABLE, /* the last router, or this host: no such neighbour */
	FAILURE_MESSAGE_SIZE,	  /* larger than the interface's MTU */
	FAILURE_NEIGHBOUR_TABLE,  /* the kernel's table of neighbours is full */
	FAILURE_NET_UNREACHABLE,  /* a router without a route */
	FAILURE_NO_BUFFER,	  /* the device's queue or the kernel's memory is full */
	FAILURE_NO_ROUTE,
	FAILURE_NO_SOURCE_ADDRESS,
	FAILURE_NOT_PERMITTED, /* this host's firewall, or a prohibit route */
	FAILURE_OTHER,	       /* another errno of sending */
	FAILURE_PROHIBITED,    /* a firewall on the way or at the peer */
	FAILURE_TIME_EXCEEDED, /* a routing loop, or `ttl` is too small */
};
#define FAILURE_REASONS 13

extern const char *const failure_reason_names[FAILURE_REASONS];

/* Different failures of one target in a run; further ones are not told apart from the last. */
#define FAILURE_MAX 2

struct failure {
	enum failure_reason reason;
	struct address from; /* who said it; ADDRESS_NONE: this host's kernel */
	uint64_t count;
	struct failure *next;
};

/* The reason behind an errno of sending to the family, where there is a route. */
enum failure_reason failure_of_errno(int error, enum address_family family);

/* Counts one failed request. 0, or -1 without memory. */
int failure_add(struct failure **list, enum failure_reason reason,
		const struct address *from);

void failure_free(struct failure **list);

#endif
