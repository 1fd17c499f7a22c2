#include "ping/echosocket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/stop.h"
#include "ping/icmpsocket.h"

#define IPV4_HEADER 20
#define IPV6_HEADER 40
/* With options; a reply may carry some. */
#define IPV4_HEADER_MAX 60

static size_t header_size(enum address_family family)
{
	return (family == ADDRESS_IPV4 ? IPV4_HEADER : IPV6_HEADER) + COOKIE_ICMP_HEADER;
}

size_t echosocket_packet_min(enum address_family family)
{
	return header_size(family) + OPTIONS_SIZE_MIN;
}

static bool set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

static bool bind_source(const struct echosocket *s, const struct source *source)
{
	const struct address *address =
		s->family == ADDRESS_IPV4 ? &source->v4 : &source->v6;
	union socket_address sa;

	return address->family == ADDRESS_NONE ||
	       bind(s->fd, &sa.any, address_to_sockaddr(address, &sa)) == 0;
}

static bool set_options(const struct echosocket *s, const struct options *options)
{
	int dscp = (int)options->dscp << 2, mark = (int)options->mark.value;
	bool is_ipv4 = s->family == ADDRESS_IPV4;

	return set_int(s->fd, is_ipv4 ? IPPROTO_IP : IPPROTO_IPV6,
		       is_ipv4 ? IP_TOS : IPV6_TCLASS, dscp) &&
	       (!options->mark.is_set || set_int(s->fd, SOL_SOCKET, SO_MARK, mark)) &&
	       (!*options->device ||
		setsockopt(s->fd, SOL_SOCKET, SO_BINDTODEVICE, options->device,
			   (socklen_t)strlen(options->device) + 1) == 0) &&
	       bind_source(s, &options->source);
}

int echosocket_open(struct echosocket *s, enum address_family family,
		    const struct options *options, const struct cookie *cookie,
		    size_t packets, size_t size)
{
	int error;

	*s = (struct echosocket){.family = family, .cookie = *cookie};
	s->fd = family == ADDRESS_IPV4
			? socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP)
			: socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6);
	if (s->fd < 0)
		return -1;
	if (getrandom(&s->ident, sizeof(s->ident), 0) == (ssize_t)sizeof(s->ident) &&
	    icmpsocket_attach_filters(s->fd, family, &s->cookie) == 0 &&
	    set_options(s, options) && icmperror_enable(s->fd, family, true) == 0) {
		/* A buffer that is too small shows by drops. */
		(void)icmpsocket_grow_receive_buffer(
			s->fd, icmpsocket_buffer_size(packets, size));
		s->dropped = icmpsocket_read_dropped(s->fd);
		return 0;
	}
	error = errno;
	close(s->fd);
	errno = error;
	return -1;
}

void echosocket_close(struct echosocket *s)
{
	close(s->fd);
}

static void put_u16(unsigned char *p, uint16_t value)
{
	p[0] = (unsigned char)(value >> 8);
	p[1] = (unsigned char)value;
}

/* Writes the ICMP message of the request; returns its length. */
static size_t build_request(const struct echosocket *s,
			    const struct echo_request *request, unsigned char *out)
{
	size_t payload = request->size - header_size(s->family);

	memset(out, 0, COOKIE_ICMP_HEADER);
	out[0] = s->family == ADDRESS_IPV4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
	put_u16(out + 4, s->ident);
	put_u16(out + 6, request->sequence);
	cookie_write_payload(&s->cookie, &request->to, payload,
			     (char *)out + COOKIE_ICMP_HEADER);
	/* That of ICMPv6, which covers the addresses, the kernel fills in. */
	if (s->family == ADDRESS_IPV4)
		put_u16(out + 2, cookie_checksum(out, COOKIE_ICMP_HEADER + payload));
	return COOKIE_ICMP_HEADER + payload;
}

static bool prepare_sending(const struct echosocket *s,
			    const struct echo_request *request)
{
	int ttl = (int)request->ttl;

	/* "Probe": don't-fragment is set, and the kernel's own idea of the path is ignored. */
	if (s->family == ADDRESS_IPV4)
		return set_int(s->fd, IPPROTO_IP, IP_TTL, ttl) &&
		       set_int(s->fd, IPPROTO_IP, IP_MTU_DISCOVER,
			       request->dont_fragment ? IP_PMTUDISC_PROBE
						      : IP_PMTUDISC_DONT);
	return set_int(s->fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, ttl) &&
	       set_int(s->fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER,
		       request->dont_fragment ? IPV6_PMTUDISC_PROBE
					      : IPV6_PMTUDISC_DONT) &&
	       set_int(s->fd, IPPROTO_IPV6, IPV6_DONTFRAG, request->dont_fragment);
}

int echosocket_send(struct echosocket *s, const struct echo_request *request)
{
	unsigned char packet[ECHOSOCKET_PACKET_MAX + 1];
	union socket_address to;
	socklen_t to_len = address_to_sockaddr(&request->to, &to);
	size_t len = build_request(s, request, packet);

	s->last_sequence = request->sequence;
	if (!prepare_sending(s, request))
		return errno;
	/* An error that came for an earlier request fails the call once: see ip(7). */
	for (int i = 0; i < 2; i++)
		if (sendto(s->fd, packet, len, MSG_DONTWAIT, &to.any, to_len) >= 0)
			return 0;
	return errno;
}

bool echosocket_wait(const struct echosocket *s, int64_t until_ns)
{
	struct pollfd fds[] = {{.fd = s->fd, .events = POLLIN},
			       {.fd = stop_fd(), .events = POLLIN}};
	struct timespec timeout = clock_timespec(until_ns - clock_monotonic_ns());

	(void)ppoll(fds, 2, &timeout, NULL);
	return !stop_requested();
}

/* The reply must return exactly what was sent, with a right checksum. */
static bool is_reply(const struct echosocket *s, const unsigned char *packet, size_t len,
		     struct echo_answer *answer)
{
	const unsigned char *icmp = cookie_find_icmp(s->family, packet, &len);
	unsigned char expected[ECHOSOCKET_PACKET_MAX + 1];
	struct echo_request request = {.to = answer->error.to};

	if (!icmp || len < COOKIE_ICMP_HEADER + OPTIONS_SIZE_MIN ||
	    len >= sizeof(expected))
		return false;
	if (s->family == ADDRESS_IPV4 && cookie_checksum(icmp, len) != 0)
		return false;
	request.size = len - COOKIE_ICMP_HEADER + header_size(s->family);
	request.sequence = (uint16_t)(icmp[6] << 8 | icmp[7]);
	build_request(s, &request, expected);
	answer->error.sequence = request.sequence;
	answer->size = request.size;
	/* Type and checksum differ from those of the request. */
	return memcmp(icmp + 4, expected + 4, len - 4) == 0;
}

/*
 * Of what this host did not send the kernel quotes nothing. Such an error is there when the
 * call that sends returns, so it is about the last request.
 */
static bool is_about_ours(const struct echosocket *s, struct icmperror *error)
{
	if (!error->is_of_request)
		return false;
	if (!error->has_request && error->from.family == ADDRESS_NONE) {
		error->sequence = s->last_sequence;
		return true;
	}
	return error->has_request && error->ident == s->ident &&
	       (!error->has_cookie ||
		memcmp(error->words, s->cookie.words, sizeof(error->words)) == 0);
}

struct echo_answer echosocket_receive(struct echosocket *s)
{
	struct echo_answer answer = {.event = ECHO_NOTHING};
	unsigned char packet[IPV4_HEADER_MAX + ECHOSOCKET_PACKET_MAX];
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);
	ssize_t len;

	while (icmperror_read(s->fd, s->family, &answer.error)) {
		if (is_about_ours(s, &answer.error)) {
			answer.event = ECHO_ERROR;
			return answer;
		}
	}
	while ((len = recvfrom(s->fd, packet, sizeof(packet), MSG_DONTWAIT,
			       (struct sockaddr *)&from, &from_len)) >= 0) {
		if (address_from_sockaddr((struct sockaddr *)&from, &answer.error.to) &&
		    is_reply(s, packet, (size_t)len, &answer)) {
			answer.event = ECHO_REPLY;
			return answer;
		}
		from_len = sizeof(from);
	}
	return answer;
}

bool echosocket_has_drops(const struct echosocket *s)
{
	return icmpsocket_read_dropped(s->fd) != s->dropped;
}
