/*
 * What liboping's raw ICMP sockets need so that their numbers can be trusted:
 * the filter of cookie.h, buffers for all that can be under way at once, an
 * empty queue at the start of a round, and the kernel's count of drops.
 */
#ifndef NODECANARY_RAWSOCKET_H
#define NODECANARY_RAWSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "ping/cookie.h"

/* Whether this process may open raw sockets of the family: 0 or the errno of the refusal.
 */
int rawsocket_try(enum address_family family);

/*
 * Bytes that `packets` queued packets with `payload` bytes each are charged at
 * most: a small packet costs 832 of them.
 */
uint64_t rawsocket_cost(uint64_t packets, size_t payload);

struct rawsocket_buffers {
	uint64_t receive, send; /* bytes, as the kernel accounts them */
};

/*
 * Attaches the filter and asks for the buffers, past the system's limit where
 * the privilege allows. On return `buffers` holds what was granted. 0, or -1
 * with errno.
 */
int rawsocket_prepare(int fd, enum address_family family, const struct cookie *cookie,
		      struct rawsocket_buffers *buffers);

/* ADDRESS_NONE if the descriptor is no socket of a family that we know. */
enum address_family rawsocket_family(int fd);

/* The most packets that its receive buffer can hold at once. */
size_t rawsocket_capacity(int fd);

/*
 * While it is on, sending fails where the kernel drops the request by itself, as its
 * neighbour table or its transmit queue is full: IPv4 sockets keep that to themselves
 * otherwise. So long ICMP errors are queued at the socket, too.
 */
void rawsocket_tell_failures(int fd, enum address_family family, bool on);

/* What helps against an errno of sending, to be put behind it; "" for most. */
const char *rawsocket_hint(int error);

/* Throws away what is queued, at most `limit` packets of it. */
void rawsocket_drain(int fd, size_t limit);

/*
 * The kernel's counters around a round. A packet that does not fit into the
 * receive buffer counts as a drop; but so does, on an ICMPv6 socket, one whose
 * checksum is wrong, which is loss on its path and no fault of ours. The
 * system's count of ICMPv6 checksum errors tells the two deferred.
 */
struct rawsocket_drops {
	uint32_t dropped;
	uint64_t checksum_errors; /* of all of the network namespace, ICMPv6 only */
};

void rawsocket_read_drops(int fd, enum address_family family,
			  struct rawsocket_drops *drops);

/*
 * Packets lost to a full buffer since `before` was read, which is brought up to
 * date.
 */
uint32_t rawsocket_new_drops(int fd, enum address_family family,
			     struct rawsocket_drops *before);

#endif
