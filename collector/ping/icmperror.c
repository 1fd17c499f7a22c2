#include "ping/icmperror.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <sys/socket.h>

int icmperror_enable(int fd, enum address_family family, bool on)
{
	int value = on;

	return family == ADDRESS_IPV4
		       ? setsockopt(fd, IPPROTO_IP, IP_RECVERR, &value, sizeof(value))
		       : setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &value,
				    sizeof(value));
}

/*
 * Codes: RFC 792, RFC 1812 5.2.7.1. A firewall's REJECT says "port unreachable" unless told
 * otherwise, and an echo request has no port, so that is a prohibition, too.
 */
static bool read_ipv4_reason(uint8_t type, uint8_t code, enum failure_reason *reason)
{
	if (type == ICMP_TIME_EXCEEDED) {
		*reason = FAILURE_TIME_EXCEEDED;
		return true;
	}
	if (type != ICMP_DEST_UNREACH)
		return false;
	switch (code) {
	case ICMP_HOST_UNREACH:
	case ICMP_HOST_UNKNOWN:
	case ICMP_HOST_ISOLATED:
	case ICMP_HOST_UNR_TOS: *reason = FAILURE_HOST_UNREACHABLE; break;
	case ICMP_FRAG_NEEDED: *reason = FAILURE_FRAGMENTATION_NEEDED; break;
	case ICMP_PROT_UNREACH:
	case ICMP_PORT_UNREACH:
	case ICMP_NET_ANO:
	case ICMP_HOST_ANO:
	case ICMP_PKT_FILTERED:
	case ICMP_PREC_VIOLATION:
	case ICMP_PREC_CUTOFF: *reason = FAILURE_PROHIBITED; break;
	default: *reason = FAILURE_NET_UNREACHABLE; break;
	}
	return true;
}

/* Codes: RFC 4443 3.1; 5 and 6 are "policy failed" and "reject route". */
static bool read_ipv6_reason(uint8_t type, uint8_t code, enum failure_reason *reason)
{
	switch (type) {
	case ICMP6_PACKET_TOO_BIG: *reason = FAILURE_FRAGMENTATION_NEEDED; return true;
	case ICMP6_TIME_EXCEEDED: *reason = FAILURE_TIME_EXCEEDED; return true;
	case ICMP6_DST_UNREACH: break;
	default: return false;
	}
	switch (code) {
	case ICMP6_DST_UNREACH_ADDR: *reason = FAILURE_HOST_UNREACHABLE; break;
	case ICMP6_DST_UNREACH_NOROUTE:
	case ICMP6_DST_UNREACH_BEYONDSCOPE: *reason = FAILURE_NET_UNREACHABLE; break;
	default: *reason = FAILURE_PROHIBITED; break;
	}
	return true;
}

static uint16_t get_u16(const unsigned char *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* Ident, sequence number and payload of an echo request: RFC 792, RFC 4443. */
static bool read_request(enum address_family family, const unsigned char *quoted,
			 size_t len, struct icmperror *error)
{
	if (len < COOKIE_ICMP_HEADER ||
	    quoted[0] != (family == ADDRESS_IPV4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST))
		return false;
	error->has_request = true;
	error->ident = get_u16(quoted + 4);
	error->sequence = get_u16(quoted + 6);
	error->has_cookie = len >= COOKIE_ICMP_HEADER + COOKIE_SIZE;
	for (size_t i = 0; error->has_cookie && i < COOKIE_SIZE / 4; i++) {
		memcpy(&error->words[i], quoted + COOKIE_ICMP_HEADER + 4 * i, 4);
		error->words[i] = ntohl(error->words[i]);
	}
	return true;
}

bool icmperror_parse(enum address_family family, const struct sock_extended_err *ee,
		     const unsigned char *quoted, size_t len, struct icmperror *error)
{
	bool has_reason = false;

	*error = (struct icmperror){.mtu = 0};
	if (ee->ee_origin == SO_EE_ORIGIN_ICMP)
		has_reason = read_ipv4_reason(ee->ee_type, ee->ee_code, &error->reason);
	if (ee->ee_origin == SO_EE_ORIGIN_ICMP6)
		has_reason = read_ipv6_reason(ee->ee_type, ee->ee_code, &error->reason);
	error->is_of_request = read_request(family, quoted, len, error) && has_reason;
	if (ee->ee_origin == SO_EE_ORIGIN_LOCAL) {
		/* The kernel may quote nothing of what it did not send. */
		error->reason = failure_of_errno((int)ee->ee_errno, family);
		error->is_of_request = true;
	}
	if (error->reason == FAILURE_FRAGMENTATION_NEEDED ||
	    error->reason == FAILURE_MESSAGE_SIZE)
		error->mtu = ee->ee_info;
	return error->is_of_request;
}

/* The kernel's description of the error, and the address of who reported it: see ip(7). */
static const struct sock_extended_err *find_error(struct msghdr *message,
						  struct address *from)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		const struct sock_extended_err *ee = (const void *)CMSG_DATA(c);

		if ((c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_RECVERR) &&
		    (c->cmsg_level != IPPROTO_IPV6 || c->cmsg_type != IPV6_RECVERR))
			continue;
		if (ee->ee_origin != SO_EE_ORIGIN_LOCAL)
			/* SO_EE_OFFENDER() drops the const. */
			(void)address_from_sockaddr((const void *)(ee + 1), from);
		return ee;
	}
	return NULL;
}

bool icmperror_read(int fd, enum address_family family, struct icmperror *error)
{
	unsigned char quoted[COOKIE_ICMP_HEADER + COOKIE_SIZE];
	struct sockaddr_storage to = {.ss_family = AF_UNSPEC};
	struct address from = {.family = ADDRESS_NONE};
	union {
		struct cmsghdr header; /* for its alignment */
		char bytes[512];
	} control;
	struct iovec iov = {.iov_base = quoted, .iov_len = sizeof(quoted)};
	struct mmsghdr one = {.msg_hdr = {.msg_name = &to,
					  .msg_namelen = sizeof(to),
					  .msg_iov = &iov,
					  .msg_iovlen = 1,
					  .msg_control = &control,
					  .msg_controllen = sizeof(control)}};
	const struct sock_extended_err *ee;

	/* recvmsg() is liboping's: see interpose.h. */
	if (recvmmsg(fd, &one, 1, MSG_ERRQUEUE | MSG_DONTWAIT, NULL) < 1)
		return false;
	ee = find_error(&one.msg_hdr, &from);
	if (ee)
		icmperror_parse(family, ee, quoted, one.msg_len, error);
	else
		*error = (struct icmperror){.mtu = 0};
	error->is_of_request &= address_from_sockaddr((struct sockaddr *)&to, &error->to);
	error->from = from;
	return true;
}

bool icmperror_matches(const struct icmperror *error, const struct cookie *cookie,
		       const struct address *to, uint16_t ident, uint16_t sequence)
{
	if (!address_equal(&error->to, to))
		return false;
	if (error->has_request && (error->ident != ident || error->sequence != sequence))
		return false;
	return !error->has_cookie ||
	       memcmp(error->words, cookie->words, sizeof(error->words)) == 0;
}
