#include "ping/cookie.h"

#include <arpa/inet.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <sys/random.h>

/* The low half of each byte of a word, and the bit that keeps each from being NUL. */
#define HALF_BYTES 0x0f0f0f0fU
#define NO_NUL 0x40404040U

/* Offsets in the IP headers: RFC 791, RFC 8200. */
#define IPV4_SOURCE 12
#define IPV6_SOURCE 8

/* Two words for each of an IPv6 address. */
_Static_assert(OPTIONS_SIZE_MIN >= COOKIE_SIZE + 2 * sizeof(struct in6_addr),
	       "the smallest payload holds the cookie and an address");

size_t cookie_size(enum address_family family)
{
	return COOKIE_SIZE + 2 * (family == ADDRESS_IPV4 ? sizeof(struct in_addr)
							 : sizeof(struct in6_addr));
}

int cookie_init(struct cookie *cookie)
{
	unsigned char bytes[COOKIE_SIZE];

	/* Up to 256 bytes are never returned in part (getrandom(2)). */
	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return -1;
	for (size_t i = 0; i < sizeof(bytes); i++)
		if (bytes[i] == 0)
			bytes[i] = 0x55;
	for (size_t i = 0; i < COOKIE_SIZE / 4; i++) {
		memcpy(&cookie->words[i], bytes + 4 * i, 4);
		cookie->words[i] = ntohl(cookie->words[i]);
	}
	return 0;
}

/* In network order; the string need not be aligned. */
static char *put_word(char *out, uint32_t word)
{
	word = htonl(word);
	memcpy(out, &word, sizeof(word));
	return out + sizeof(word);
}

/* The rest is filled with a byte that is not NUL. */
void cookie_write_payload(const struct cookie *cookie, const struct address *addr,
			  size_t size, char *out)
{
	char *end = out + size;
	size_t words = addr->family == ADDRESS_IPV4 ? 1 : 4;

	for (size_t i = 0; i < COOKIE_SIZE / 4; i++)
		out = put_word(out, cookie->words[i]);
	for (size_t i = 0; i < words; i++) {
		uint32_t word;

		memcpy(&word, (const char *)&addr->u + 4 * i, sizeof(word));
		word = ntohl(word);
		out = put_word(out, (word & HALF_BYTES) | NO_NUL);
		out = put_word(out, (word >> 4 & HALF_BYTES) | NO_NUL);
	}
	memset(out, '.', (size_t)(end - out));
	*end = '\0';
}

/* A filter under construction. Classic BPF: a load that reaches beyond the packet rejects it. */
struct program {
	struct sock_filter *code;
	size_t len;
};

static void emit(struct program *p, uint16_t code, uint32_t k)
{
	p->code[p->len++] = (struct sock_filter){.code = code, .k = k};
}

/* Rejects the packet unless A equals k, or X; finish() fills in the jump. */
static void require(struct program *p, uint16_t operand, uint32_t k)
{
	emit(p, BPF_JMP | BPF_JEQ | operand, k);
}

/* Stores the two payload words of the address word in A into M[slot] and M[slot + 1]. */
static void split_address(struct program *p, uint32_t slot)
{
	emit(p, BPF_ST, slot + 1);
	emit(p, BPF_ALU | BPF_AND | BPF_K, HALF_BYTES);
	emit(p, BPF_ALU | BPF_OR | BPF_K, NO_NUL);
	emit(p, BPF_ST, slot);
	emit(p, BPF_LD | BPF_MEM, slot + 1);
	emit(p, BPF_ALU | BPF_RSH | BPF_K, 4);
	emit(p, BPF_ALU | BPF_AND | BPF_K, HALF_BYTES);
	emit(p, BPF_ALU | BPF_OR | BPF_K, NO_NUL);
	emit(p, BPF_ST, slot + 1);
}

/* Rejects the packet unless A equals M[slot]. Changes X. */
static void require_slot(struct program *p, uint32_t slot)
{
	emit(p, BPF_LDX | BPF_MEM, slot);
	require(p, BPF_X, 0);
}

/* Accepts the packet whole; every condition that fails jumps to the rejection after that. */
static size_t finish(struct program *p)
{
	size_t reject;

	emit(p, BPF_RET | BPF_K, UINT32_MAX);
	reject = p->len;
	emit(p, BPF_RET | BPF_K, 0);
	for (size_t i = 0; i < reject; i++)
		if (BPF_CLASS(p->code[i].code) == BPF_JMP)
			p->code[i].jf = (uint8_t)(reject - i - 1);
	return p->len;
}

/*
 * A raw IPv4 socket's packet begins at the IP header. Its length, which options make
 * variable, is loaded into X; `MSH` is the instruction made for that.
 */
static void filter_ipv4(const struct cookie *cookie, struct program *p)
{
	const uint32_t payload = COOKIE_ICMP_HEADER;

	emit(p, BPF_LD | BPF_W | BPF_ABS, IPV4_SOURCE);
	split_address(p, 0);
	emit(p, BPF_LDX | BPF_B | BPF_MSH, 0);
	emit(p, BPF_LD | BPF_B | BPF_IND, 0);
	require(p, BPF_K, ICMP_ECHOREPLY);
	for (uint32_t i = 0; i < COOKIE_SIZE / 4; i++) {
		emit(p, BPF_LD | BPF_W | BPF_IND, payload + 4 * i);
		require(p, BPF_K, cookie->words[i]);
	}
	for (uint32_t i = 0; i < 2; i++) {
		emit(p, BPF_LDX | BPF_B | BPF_MSH, 0);
		emit(p, BPF_LD | BPF_W | BPF_IND, payload + COOKIE_SIZE + 4 * i);
		require_slot(p, i);
	}
}

/*
 * A raw ICMPv6 socket's packet begins at the ICMPv6 header. The source address is in front
 * of it, where only offsets from SKF_NET_OFF reach.
 */
static void filter_ipv6(const struct cookie *cookie, struct program *p)
{
	uint32_t at = COOKIE_ICMP_HEADER;

	emit(p, BPF_LD | BPF_B | BPF_ABS, 0);
	require(p, BPF_K, ICMP6_ECHO_REPLY);
	for (size_t i = 0; i < COOKIE_SIZE / 4; i++, at += 4) {
		emit(p, BPF_LD | BPF_W | BPF_ABS, at);
		require(p, BPF_K, cookie->words[i]);
	}
	for (uint32_t i = 0; i < 4; i++) {
		emit(p, BPF_LD | BPF_W | BPF_ABS,
		     (uint32_t)SKF_NET_OFF + IPV6_SOURCE + 4 * i);
		split_address(p, 0);
		for (uint32_t half = 0; half < 2; half++, at += 4) {
			emit(p, BPF_LD | BPF_W | BPF_ABS, at);
			require_slot(p, half);
		}
	}
}

/* The kernel verifies the program when it is attached: all jumps lead forward. */
size_t cookie_build_filter(const struct cookie *cookie, enum address_family family,
			   struct sock_filter code[static COOKIE_FILTER_MAX])
{
	struct program p = {.code = code};

	if (family == ADDRESS_IPV4)
		filter_ipv4(cookie, &p);
	else
		filter_ipv6(cookie, &p);
	return finish(&p);
}

/* The low four bits of the first byte are the length of an IPv4 header in words. */
const unsigned char *cookie_find_icmp(enum address_family family, const void *packet,
				      size_t *len)
{
	const unsigned char *p = packet;
	size_t header = family == ADDRESS_IPV4 && *len > 0 ? (size_t)(*p & 15) * 4 : 0;

	if (*len < header + COOKIE_ICMP_HEADER)
		return NULL;
	*len -= header;
	return p + header;
}

uint16_t cookie_checksum(const unsigned char *message, size_t len)
{
	uint32_t sum = len % 2 ? (uint32_t)message[len - 1] << 8 : 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)message[i] << 8 | message[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}
