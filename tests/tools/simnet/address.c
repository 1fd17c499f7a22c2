#include "address.h"

#include <string.h>
#include <sys/socket.h>

struct address address_make(uint8_t family, const uint8_t *bytes)
{
	struct address a = {.family = family};
	memcpy(a.bytes, bytes, address_length(&a));
	return a;
}

bool address_parse(struct address *out, const char *text)
{
	*out = (struct address){.family = 4};
	if (inet_pton(AF_INET, text, out->bytes) == 1)
		return true;
	*out = (struct address){.family = 6};
	return inet_pton(AF_INET6, text, out->bytes) == 1;
}

const char *address_format(const struct address *a, char out[static ADDRESS_TEXT_MAX])
{
	if (a->family == 0 || inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->bytes,
					out, ADDRESS_TEXT_MAX) == NULL)
		memcpy(out, "-", sizeof "-");
	return out;
}

void address_increment(struct address *a)
{
	for (size_t i = address_length(a); i-- > 0;) {
		if (++a->bytes[i] != 0)
			return;
	}
}

int address_compare(const struct address *a, const struct address *b)
{
	return memcmp(a, b, sizeof *a);
}

uint64_t mix64(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

uint64_t address_hash(const struct address *a)
{
	uint64_t half[2];
	memcpy(half, a->bytes, sizeof half);
	return mix64(mix64(half[0] ^ a->family) ^ half[1]);
}
