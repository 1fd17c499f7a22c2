/*
 * ICMP errors about our echo requests, from the error queue of a raw socket (ip(7),
 * IP_RECVERR): who said what about which request.
 *
 * The kernel hands every ICMP error about an echo request of this host to every raw socket
 * that asks for errors, whoever sent the request. So the quoted request decides: the caller
 * compares address, ident and sequence number with a pending request, and the cookie where
 * enough was quoted. RFC 792 obliges routers to quote 8 bytes behind the IP header only,
 * which reach to the sequence number; most quote more.
 */
#ifndef NODECANARY_ICMPERROR_H
#define NODECANARY_ICMPERROR_H

#include <time.h> /* for the next */

#include <linux/errqueue.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "peers/failure.h"
#include "ping/cookie.h"

struct icmperror {
	enum failure_reason reason;
	struct address to;   /* of the request */
	struct address from; /* who reports it; ADDRESS_NONE: this host, before sending */
	uint32_t mtu; /* of FAILURE_FRAGMENTATION_NEEDED and MESSAGE_SIZE; 0: unknown */
	/* The quoted request; a local error may have none. */
	bool is_of_request; /* false: it is not about an echo request, and means nothing */
	bool has_request;
	uint16_t ident, sequence;
	bool has_cookie; /* enough was quoted */
	uint32_t words[COOKIE_SIZE / 4];
};

/* Makes the socket queue errors, or no longer. 0, or -1 with errno. */
int icmperror_enable(int fd, enum address_family family, bool on);

/* Takes the next error from the queue, without waiting. False if the queue is empty. */
bool icmperror_read(int fd, enum address_family family, struct icmperror *error);

/*
 * The parts of an error, as the kernel gives them: `quoted` is our ICMP message as far as it
 * was quoted. Sets neither `to` nor `from`. Returns error->is_of_request.
 */
bool icmperror_parse(enum address_family family, const struct sock_extended_err *ee,
		     const unsigned char *quoted, size_t len, struct icmperror *error);

/* Whether the error is about the request with these, as far as was quoted. */
bool icmperror_matches(const struct icmperror *error, const struct cookie *cookie,
		       const struct address *to, uint16_t ident, uint16_t sequence);

#endif
