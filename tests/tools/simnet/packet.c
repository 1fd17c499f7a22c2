#include "packet.h"

#include <string.h>

enum {
	IPV4_HEADER = 20,
	IPV6_HEADER = 40,
	ICMP_HEADER = 8,
	OPTIONS = 8,
	TRUNCATED_PAYLOAD = 12,
	SHORTENED_PAYLOAD = 40,
	OVERSIZED_BY = 1000,
	PROTOCOL_ICMP = 1,
	PROTOCOL_ICMPV6 = 58,
	DESTINATION_OPTIONS = 60,
	/* RFC 1812 and RFC 4443: an error message stays within what every host accepts.
	 */
	IPV4_ERROR_MAX = 576,
	IPV6_ERROR_MAX = 1280,
};

static unsigned get16(const uint8_t *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

static void put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8 & 0xff);
	at[1] = (uint8_t)(value & 0xff);
}

/* The Internet checksum's running sum; at most 64 KiB go in, so 32 bits do not overflow.
 */
static uint32_t sum_words(uint32_t sum, const uint8_t *data, size_t length)
{
	for (size_t i = 0; i + 1 < length; i += 2)
		sum += get16(data + i);
	if (length % 2 != 0)
		sum += (uint32_t)data[length - 1] << 8;
	return sum;
}

static unsigned sum_finish(uint32_t sum)
{
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

/* Over ICMP alone, or on IPv6 with the pseudo-header; 0 when a packet's own checksum is
 * right. */
static unsigned icmp_checksum(const struct address *a, const struct address *b,
			      const uint8_t *icmp, size_t length)
{
	uint32_t sum = 0;
	if (a->family == 6) {
		sum = sum_words(sum, a->bytes, 16);
		sum = sum_words(sum, b->bytes, 16);
		sum += (uint32_t)length + PROTOCOL_ICMPV6;
	}
	return sum_finish(sum_words(sum, icmp, length));
}

static bool parse_ipv4(struct request *out, const uint8_t *p, size_t length)
{
	size_t header = (size_t)(p[0] & 0x0f) * 4;
	size_t total = get16(p + 2);
	bool fragment = (get16(p + 6) & 0x3fff) != 0;

	if (length < IPV4_HEADER || header < IPV4_HEADER ||
	    total < header + ICMP_HEADER || total > length || fragment ||
	    p[9] != PROTOCOL_ICMP)
		return false;
	out->source = address_make(4, p + 12);
	out->target = address_make(4, p + 16);
	out->packet_length = total;
	out->icmp = p + header;
	out->icmp_length = total - header;
	out->tos = p[1];
	out->ttl = p[8];
	return out->icmp[0] == 8 && out->icmp[1] == 0;
}

static bool parse_ipv6(struct request *out, const uint8_t *p, size_t length)
{
	size_t payload = length < IPV6_HEADER ? 0 : get16(p + 4);

	if (payload < ICMP_HEADER || IPV6_HEADER + payload > length ||
	    p[6] != PROTOCOL_ICMPV6)
		return false;
	out->source = address_make(6, p + 8);
	out->target = address_make(6, p + 24);
	out->packet_length = IPV6_HEADER + payload;
	out->icmp = p + IPV6_HEADER;
	out->icmp_length = payload;
	out->tos = (uint8_t)((p[0] & 0x0f) << 4 | p[1] >> 4);
	out->ttl = p[7];
	return out->icmp[0] == 128 && out->icmp[1] == 0;
}

bool packet_parse(struct request *out, const uint8_t *packet, size_t length)
{
	bool parsed = false;

	*out = (struct request){.packet = packet};
	if (length < IPV4_HEADER)
		return false;
	if (packet[0] >> 4 == 4)
		parsed = parse_ipv4(out, packet, length);
	else if (packet[0] >> 4 == 6)
		parsed = parse_ipv6(out, packet, length);
	return parsed && icmp_checksum(&out->source, &out->target, out->icmp,
				       out->icmp_length) == 0;
}

static void put_ipv4_header(uint8_t *out, const struct request *request,
			    const struct address *from, uint8_t ttl, size_t icmp_length)
{
	memset(out, 0, IPV4_HEADER);
	out[0] = 0x45;
	out[1] = request->tos;
	put16(out + 2, (unsigned)(IPV4_HEADER + icmp_length));
	out[8] = ttl;
	out[9] = PROTOCOL_ICMP;
	memcpy(out + 12, from->bytes, 4);
	memcpy(out + 16, request->source.bytes, 4);
	put16(out + 10, sum_finish(sum_words(0, out, IPV4_HEADER)));
}

static void put_ipv6_header(uint8_t *out, const struct request *request,
			    const struct address *from, uint8_t ttl, size_t icmp_length)
{
	memset(out, 0, IPV6_HEADER);
	out[0] = (uint8_t)(0x60 | request->tos >> 4);
	out[1] = (uint8_t)((request->tos & 0x0f) << 4);
	put16(out + 4, (unsigned)icmp_length);
	out[6] = PROTOCOL_ICMPV6;
	out[7] = ttl;
	memcpy(out + 8, from->bytes, 16);
	memcpy(out + 24, request->source.bytes, 16);
}

static size_t ip_header_length(const struct request *request)
{
	return request->target.family == 4 ? IPV4_HEADER : IPV6_HEADER;
}

/* Puts the IP header before an ICMP message that lies in its place, and the checksum into
 * it. */
static size_t finish(uint8_t *out, const struct request *request,
		     const struct address *from, uint8_t ttl, size_t icmp_length)
{
	size_t header = ip_header_length(request);
	uint8_t *icmp = out + header;

	if (header == IPV4_HEADER)
		put_ipv4_header(out, request, from, ttl, icmp_length);
	else
		put_ipv6_header(out, request, from, ttl, icmp_length);
	put16(icmp + 2, 0);
	put16(icmp + 2, icmp_checksum(from, &request->source, icmp, icmp_length));
	return header + icmp_length;
}

/* Fills the room between the two headers: no-operations, or an extension header with
 * nothing but padding. */
static size_t put_options(uint8_t *out, size_t header, size_t length)
{
	uint8_t *options = out + header;

	memmove(options + OPTIONS, options, length - header);
	if (header == IPV4_HEADER) {
		memset(options, 1, OPTIONS);
		out[0] = 0x40 | (IPV4_HEADER + OPTIONS) / 4;
		put16(out + 2, (unsigned)(length + OPTIONS));
		put16(out + 10, 0);
		put16(out + 10, sum_finish(sum_words(0, out, IPV4_HEADER + OPTIONS)));
	} else {
		const uint8_t padding[OPTIONS] = {PROTOCOL_ICMPV6, 0, 1, 4};

		memcpy(options, padding, OPTIONS);
		out[6] = DESTINATION_OPTIONS;
		put16(out + 4, (unsigned)(length - header + OPTIONS));
	}
	return length + OPTIONS;
}

/* The length of the ICMP message that the fault makes of a whole one. */
static size_t change_length(uint8_t *icmp, size_t length, unsigned faults)
{
	if ((faults & FAULT_TRUNCATED) != 0 && length > ICMP_HEADER + TRUNCATED_PAYLOAD)
		return ICMP_HEADER + TRUNCATED_PAYLOAD;
	if ((faults & FAULT_SHORTENED) != 0 && length > ICMP_HEADER + SHORTENED_PAYLOAD)
		return ICMP_HEADER + SHORTENED_PAYLOAD;
	if ((faults & FAULT_OVERSIZED) == 0 ||
	    length + OVERSIZED_BY + IPV6_HEADER + OPTIONS > PACKET_MAX)
		return length;
	memset(icmp + length, '!', OVERSIZED_BY);
	return length + OVERSIZED_BY;
}

size_t packet_build_reply(uint8_t out[static PACKET_MAX], const struct request *request,
			  const struct address *from, uint8_t ttl, unsigned faults)
{
	uint8_t *icmp = out + ip_header_length(request);
	size_t icmp_length = request->icmp_length;

	memcpy(icmp, request->icmp, icmp_length);
	icmp[0] = request->target.family == 4 ? 0 : 129;
	if ((faults & FAULT_WRONG_IDENT) != 0)
		put16(icmp + 4, get16(icmp + 4) + 1);
	if ((faults & FAULT_WRONG_SEQ) != 0)
		put16(icmp + 6, get16(icmp + 6) + 1);
	if ((faults & FAULT_WRONG_PAYLOAD) != 0) {
		for (size_t i = ICMP_HEADER; i < icmp_length; i++)
			icmp[i] ^= 0xff;
	}
	icmp_length = change_length(icmp, icmp_length, faults);
	size_t length = finish(out, request, from, ttl, icmp_length);
	if ((faults & FAULT_CORRUPT) != 0)
		icmp[2] ^= 0x55; /* never 0x0000 for 0xffff, which mean the same */
	if ((faults & FAULT_OPTIONS) != 0)
		return put_options(out, ip_header_length(request), length);
	return length;
}

size_t packet_build_unreachable(uint8_t out[static PACKET_MAX],
				const struct request *request, const struct address *from,
				uint8_t ttl)
{
	bool ipv4 = request->target.family == 4;
	size_t header = ip_header_length(request);
	size_t room = (ipv4 ? IPV4_ERROR_MAX : IPV6_ERROR_MAX) - header - ICMP_HEADER;
	size_t quoted = request->packet_length < room ? request->packet_length : room;
	uint8_t *icmp = out + header;

	memset(icmp, 0, ICMP_HEADER);
	icmp[0] = ipv4 ? 3 : 1;
	icmp[1] = ipv4 ? 1 : 3;
	memcpy(icmp + ICMP_HEADER, request->packet, quoted);
	return finish(out, request, from, ttl, ICMP_HEADER + quoted);
}
