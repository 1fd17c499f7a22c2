/*
 * What proves that an echo reply is ours: the payload of each request, and the socket
 * filter that lets nothing else in.
 *
 * The payload begins with the run's random cookie, followed by the address that is pinged.
 * The kernel runs the filter on every packet before it is queued, so a reply counts only if
 * it has this run's cookie and comes from the address in its payload. Floods, other
 * programs' pings and other processes' replies with an equal ident take no buffer space and
 * wake nobody up. What the filter rejects does not count as a drop.
 *
 * liboping keeps the payload as a C string, so no byte of it may be NUL. Each 32 bits of
 * the address become two words: the low halves of its four bytes, then the high halves, each
 * byte with 0x40 added.
 */
#ifndef NODECANARY_COOKIE_H
#define NODECANARY_COOKIE_H

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "config/options.h"

#define COOKIE_SIZE 8

struct cookie {
	uint32_t words[COOKIE_SIZE / 4]; /* host order, as BPF loads them from a packet */
};

/* A random cookie without NUL bytes. 0, or -1 with errno if there are no random numbers. */
int cookie_init(struct cookie *cookie);

/*
 * Writes the payload of `size` bytes (OPTIONS_SIZE_MIN to OPTIONS_SIZE_MAX) for one address
 * as a string: `out` has room for size + 1 bytes.
 */
void cookie_write_payload(const struct cookie *cookie, const struct address *addr,
			  size_t size, char *out);

/* Bytes of the cookie and an address of the family, with which every payload begins. */
size_t cookie_size(enum address_family family);

#define COOKIE_FILTER_MAX 96

/*
 * Builds the filter for a raw ICMP socket of the family, to be attached with
 * SO_ATTACH_FILTER. Returns its length in instructions.
 */
size_t cookie_build_filter(const struct cookie *cookie, enum address_family family,
			   struct sock_filter code[static COOKIE_FILTER_MAX]);

/* Bytes before the payload of an ICMP echo, in both families. */
#define COOKIE_ICMP_HEADER 8

/*
 * Finds the ICMP message in the `*len` bytes that a raw socket of the family received, and
 * sets `*len` to the message's length. An IPv4 socket delivers the IP header too (raw(7)),
 * an IPv6 socket does not. NULL if the message is too short for an echo.
 */
const unsigned char *cookie_find_icmp(enum address_family family, const void *packet,
				      size_t *len);

/*
 * The checksum of an ICMP message (RFC 1071), in host order; 0 of one that has the right
 * one. That of ICMPv6 covers the addresses too, and the kernel verifies it.
 */
uint16_t cookie_checksum(const unsigned char *message, size_t len);

#endif
