/*
 * address: an IPv4 or IPv6 address as a plain value.
 *
 * The family comes first and unused bytes are zero, so that memcmp orders addresses by
 * family and then numerically, and a hash may run over the whole structure.
 */
#ifndef SIMNET_ADDRESS_H
#define SIMNET_ADDRESS_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADDRESS_TEXT_MAX INET6_ADDRSTRLEN

struct address {
	uint8_t family; /* 4, 6, or 0 for "none" */
	uint8_t bytes[16];
};

struct address address_make(uint8_t family, const uint8_t *bytes);
bool address_parse(struct address *out, const char *text);
const char *address_format(const struct address *a, char out[static ADDRESS_TEXT_MAX]);

static inline size_t address_length(const struct address *a)
{
	return a->family == 4 ? 4 : 16;
}

/* To the numerically next address; past the last one it wraps to the first. */
void address_increment(struct address *a);
int address_compare(const struct address *a, const struct address *b);
uint64_t address_hash(const struct address *a);

/* A well mixing bijection of 64 bits (the finaliser of splitmix64). */
uint64_t mix64(uint64_t x);

#endif
