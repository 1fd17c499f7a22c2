#include "base/digest.h"

#include <ctype.h>
#include <endian.h>
#include <string.h>

/* The parameters of FNV-1a for 64 bits. */
#define FNV_OFFSET UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

void digest_init(struct digest *digest)
{
	memset(digest, 0, sizeof(*digest));
	digest->hash = FNV_OFFSET;
}

/* FNV-1a is defined by bytes; by words it needs an eighth of the multiplications. */
static uint64_t add_word(uint64_t hash, const unsigned char bytes[static 8])
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	hash = (hash ^ le64toh(word)) * FNV_PRIME;
	/* Multiplying moves nothing downwards: let the high bits meet the next word. */
	return hash ^ hash >> 47;
}

void digest_add(struct digest *digest, const void *data, size_t len)
{
	const unsigned char *p = data;
	size_t held = digest->length % 8;

	digest->length += len;
	/* The value must not depend on how the bytes were divided among the calls. */
	if (held) {
		size_t part = len < 8 - held ? len : 8 - held;

		memcpy(digest->rest + held, p, part);
		p += part;
		len -= part;
		if (held + part < 8)
			return;
		digest->hash = add_word(digest->hash, digest->rest);
	}
	for (; len >= 8; p += 8, len -= 8)
		digest->hash = add_word(digest->hash, p);
	memcpy(digest->rest, p, len);
}

/* Not strcasecmp()'s locale: two nodes must compute the same. */
void digest_add_folded(struct digest *digest, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x80)
			c = (unsigned char)tolower(c);
		digest_add(digest, &c, 1);
	}
}

uint64_t digest_value(const struct digest *digest)
{
	unsigned char word[8] = {0};
	uint64_t hash = digest->hash, length = htole64(digest->length);

	/* The length tells "a" from "a\0", which fill up to the same word. */
	memcpy(word, digest->rest, digest->length % 8);
	hash = add_word(hash, word);
	memcpy(word, &length, sizeof(word));
	hash = add_word(hash, word);
	hash ^= hash >> 33;
	hash *= UINT64_C(0xff51afd7ed558ccd);
	hash ^= hash >> 33;
	hash *= UINT64_C(0xc4ceb9fe1a85ec53);
	return hash ^ hash >> 33;
}
