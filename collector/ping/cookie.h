/*
 * What proves that an echo reply is ours: the payload of each request, and the
 * socket filter that lets nothing else in.
 *
 * The payload begins with the run's random cookie, then names the address that
 * is asked. The kernel runs the filter on every packet before it is queued, so
 * a reply counts only if it carries this run's cookie and comes from the
 * address that its payload names; floods, other pingers, and other processes'
 * replies with an equal ident cost no memory and no wake-up, and what the
 * filter rejects is no drop.
 *
 * liboping keeps the payload as a C string, so no byte of it may be NUL: each
 * 32 bits of the address become two words that hold the low and the high half
 * of every byte, under the bits 0x40.
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
	uint32_t words[COOKIE_SIZE / 4]; /* as loaded from the packet, host order */
};

/* A random cookie without NUL bytes. 0, or -1 with errno where there is no randomness. */
int cookie_init(struct cookie *cookie);

/*
 * The cookie of the run's object number `index`, below 256: the sockets of one
 * are deaf to what the others are sent.
 */
void cookie_derive(const struct cookie *cookie, unsigned index, struct cookie *derived);

/*
 * The payload of `size` bytes (OPTIONS_SIZE_MIN to OPTIONS_SIZE_MAX) for one
 * address, as a string: `out` holds size + 1 bytes.
 */
void cookie_payload(const struct cookie *cookie, const struct address *addr, size_t size,
		    char *out);

#define COOKIE_FILTER_MAX 96

/* The filter for a raw ICMP socket of the family; returns its length. */
size_t cookie_filter(const struct cookie *cookie, enum address_family family,
		     struct sock_filter code[static COOKIE_FILTER_MAX]);

/* Bytes ahead of the payload of an ICMP echo. */
#define COOKIE_ICMP_HEADER 8

/*
 * The ICMP message in what a raw socket of the family received, `*len` bytes that become
 * those of the message; NULL if it is too short for an echo. Over IPv4 the IP header
 * stands before it.
 */
const unsigned char *cookie_find_reply(enum address_family family, const void *packet,
				       size_t *len);

#endif
