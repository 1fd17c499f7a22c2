/*
 * A 64-bit hash of bytes, the same on every machine. It detects accidents, not attacks.
 *
 * FNV-1a (Fowler, Noll, Vo; draft-eastlake-fnv) over little-endian 64-bit words, each step
 * followed by x ^= x >> 47, the last word filled up with zeros; then over the length in
 * bytes; then the finaliser of MurmurHash3 (Appleby), which spreads it over all bits.
 *
 * Call digest_init() first, then add in pieces of any size. digest_value() may be called at
 * any time and does not end it. A copy of the structure goes on independently.
 */
#ifndef NODECANARY_DIGEST_H
#define NODECANARY_DIGEST_H

#include <stddef.h>
#include <stdint.h>

struct digest {
	uint64_t hash;
	uint64_t length;
	unsigned char rest[8]; /* length % 8 bytes that are not a whole word yet */
};

void digest_init(struct digest *digest);
void digest_add(struct digest *digest, const void *data, size_t len);
/* A string without its NUL, with the letters of ASCII in lower case. */
void digest_add_folded(struct digest *digest, const char *text);
uint64_t digest_value(const struct digest *digest);

#endif
