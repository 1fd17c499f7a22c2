/*
 * packet: takes echo requests apart and builds the answers, IPv4 and IPv6. No I/O, no
 * state.
 */
#ifndef SIMNET_PACKET_H
#define SIMNET_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"

#define PACKET_MAX 65536

/* What can be wrong with a reply; a set of bits. */
enum {
	FAULT_CORRUPT = 1 << 0,	      /* bad ICMP checksum */
	FAULT_WRONG_IDENT = 1 << 1,   /* ident + 1 */
	FAULT_WRONG_SEQ = 1 << 2,     /* sequence + 1 */
	FAULT_WRONG_PAYLOAD = 1 << 3, /* every byte inverted */
	FAULT_TRUNCATED = 1 << 4,     /* 12 bytes of payload are left */
	FAULT_OVERSIZED = 1 << 5,     /* 1000 bytes behind the payload */
	FAULT_OPTIONS =
		1 << 6, /* IPv4 options or an extension header: right all the same */
	FAULT_SHORTENED = 1 << 7, /* 40 bytes of payload are left */
	FAULT_END = 1 << 8,
};

/* An echo request; points into the packet it was parsed from. */
struct request {
	struct address source;
	struct address target;
	const uint8_t *packet;
	size_t packet_length;
	const uint8_t *icmp;
	size_t icmp_length; /* at least 8 */
	uint8_t tos;	    /* type of service or traffic class, with its ECN bits */
	uint8_t ttl;	    /* TTL or hop limit */
};

/*
 * False for whatever is not a whole echo request with a right ICMP checksum: other
 * protocols, fragments, extension headers, cut packets.
 */
bool packet_parse(struct request *out, const uint8_t *packet, size_t length);

/* Both return the length of the packet built; `from` is of the request's family. */
size_t packet_build_reply(uint8_t out[static PACKET_MAX], const struct request *request,
			  const struct address *from, uint8_t ttl, unsigned faults);
/* Destination unreachable (host, or address), quoting as much of the request as is
 * customary. */
size_t packet_build_unreachable(uint8_t out[static PACKET_MAX],
				const struct request *request, const struct address *from,
				uint8_t ttl);

#endif
