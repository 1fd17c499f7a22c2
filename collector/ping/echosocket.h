/*
 * A raw ICMP socket of our own, for single echo requests that differ from one another in
 * TTL or size, which one liboping object cannot send. The trace and the path MTU use it,
 * after the measured rounds.
 *
 * Replies pass the filter of cookie.h, so they come from the address that was asked, and
 * must return what was sent, byte for byte. The sequence number tells the requests apart;
 * the caller chooses it.
 *
 * Order of calls: echosocket_open(); then sending, waiting and receiving in any order;
 * echosocket_close().
 */
#ifndef NODECANARY_ECHOSOCKET_H
#define NODECANARY_ECHOSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "config/options.h"
#include "ping/cookie.h"
#include "ping/icmperror.h"

/* Bytes of a whole IP packet. */
#define ECHOSOCKET_PACKET_MAX 9216

struct echosocket {
	int fd;
	enum address_family family;
	struct cookie cookie;
	uint16_t ident;
	uint16_t last_sequence; /* of the last request */
	uint32_t dropped;	/* the kernel's count of dropped packets at the start */
};

struct echo_request {
	struct address to;
	uint16_t sequence;
	uint32_t ttl;
	size_t size;	    /* of the IP packet: header, ICMP header and payload */
	bool dont_fragment; /* whatever path MTU the kernel has learnt */
};

enum echo_event {
	ECHO_NOTHING, /* waiting in the socket */
	ECHO_REPLY,
	ECHO_ERROR,
};

/* What came. Of a reply, `error` has only `to`, who replied, and `sequence`. */
struct echo_answer {
	enum echo_event event;
	struct icmperror error;
	size_t size; /* of the reply's IP packet without options */
};

/* The smallest packet of the family that has room for the cookie and an address. */
size_t echosocket_packet_min(enum address_family family);

/*
 * With source, device, mark and DSCP of the options, and a receive buffer for `packets`
 * replies of `size` bytes. 0, or -1 with errno.
 */
int echosocket_open(struct echosocket *s, enum address_family family,
		    const struct options *options, const struct cookie *cookie,
		    size_t packets, size_t size);

void echosocket_close(struct echosocket *s);

/* 0, or the errno of sending. */
int echosocket_send(struct echosocket *s, const struct echo_request *request);

/*
 * Waits until something can be received, or until `until_ns` on the monotonic clock. False
 * if a stop is requested.
 */
bool echosocket_wait(const struct echosocket *s, int64_t until_ns);

/* The next reply or error; those that are not about a request of this socket are skipped. */
struct echo_answer echosocket_receive(struct echosocket *s);

/* Whether the kernel dropped packets, so that a missing reply means nothing. */
bool echosocket_has_drops(const struct echosocket *s);

#endif
