/*
 * The raw ICMP sockets of one liboping object: what each needs so that a round's numbers
 * can be trusted.
 *
 * liboping opens the sockets itself. Each gets, once, the filter of cookie.h and buffers
 * for all packets that can be under way; before every round an empty queue; after every
 * round its drop count is read.
 *
 * Order of calls: zero the set and fill in what buffers are wanted; then for every round
 * icmpsocket_prepare() for each socket, icmpsocket_may_send() for each request,
 * icmpsocket_count_drops(). The set owns no descriptor. It belongs to the thread that runs
 * the rounds.
 */
#ifndef NODECANARY_ICMPSOCKET_H
#define NODECANARY_ICMPSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/address.h"
#include "ping/cookie.h"

/* ICMP errors that are taken from a socket at once; more of them are a flood. */
#define ICMPSOCKET_ERRORS_MAX 4096

/* liboping opens one socket for each address family. */
#define ICMPSOCKET_MAX 2

struct icmpsocket {
	int fd;
	enum address_family family;
	bool holds_all; /* the receive buffer is as large as wanted */
	/* The kernel's counters when they were last read; the second for IPv6 only. */
	uint32_t dropped;
	uint64_t checksum_errors, refused;
};

struct icmpsocket_set {
	/* Set by the owner: buffer sizes in bytes as the kernel accounts for them. */
	uint64_t receive_wanted, send_wanted;

	/* Results. */
	uint64_t drops; /* so far, in rounds and between them */
	/* What was wanted, if a socket got less, otherwise 0. */
	uint64_t receive_short, send_short;

	/* Internal. */
	struct icmpsocket items[ICMPSOCKET_MAX];
	size_t count;
	bool is_global_tentative, is_link_tentative; /* at the start of the round */
};

/* 0 if this process may open raw sockets of the family, otherwise the errno. */
int icmpsocket_try(enum address_family family);

/* Buffer bytes that `packets` queued packets with `payload` bytes each need at most. */
uint64_t icmpsocket_buffer_size(uint64_t packets, size_t payload);

/*
 * For any raw ICMP socket of the family: what icmpsocket_prepare() does with liboping's.
 * The filters let only echo replies with this cookie in: 0, or -1 with errno. The buffer
 * is grown to `wanted` bytes: false if it got less.
 */
int icmpsocket_attach_filters(int fd, enum address_family family,
			      const struct cookie *cookie);
bool icmpsocket_grow_receive_buffer(int fd, uint64_t wanted);

/* Packets that the kernel has dropped at the socket so far. */
uint32_t icmpsocket_read_dropped(int fd);

/*
 * Before the first request of a round, for each socket. Attaches the filter and sets the
 * buffers when it sees the socket for the first time. Returns how many packets the socket
 * can queue at most; 0 with errno for a socket that must not be used, as it has no filter.
 */
size_t icmpsocket_prepare(struct icmpsocket_set *set, int fd,
			  const struct cookie *cookie);

/*
 * False if this host has no source address for a packet to `to` yet. For a second or two
 * after a link comes up, its IPv6 addresses are tentative (RFC 4862, duplicate address
 * detection). A request sent then would leave with the source ::1 and get no reply.
 */
bool icmpsocket_may_send(const struct icmpsocket_set *set, const struct sockaddr *to);

/*
 * Removes the ICMP errors that are queued at a socket, and returns how many they were. An
 * error fails the next call on the socket, whichever request it is about.
 */
size_t icmpsocket_discard_errors(int fd);

/* After a round: packets dropped at full buffers since icmpsocket_prepare(). */
uint64_t icmpsocket_count_drops(struct icmpsocket_set *set);

/* ADDRESS_NONE for a descriptor that was never prepared. */
enum address_family icmpsocket_find_family(const struct icmpsocket_set *set, int fd);

/* What to do about an errno of sending, to append to strerror(); "" for most. */
const char *icmpsocket_explain(int error);

#endif
