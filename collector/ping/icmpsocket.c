#include "ping/icmpsocket.h"

#include <errno.h>
#include <limits.h>
#include <linux/icmp.h>
#include <linux/if_addr.h>
#include <linux/sock_diag.h>
#include <netinet/icmp6.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/procfile.h"
#include "base/text.h"
#include "ping/icmperror.h"

/*
 * What the kernel charges for one queued packet (skb->truesize): measured 832 bytes for a
 * payload of up to 256, and never less than 512.
 */
#define SMALL_PACKET_COST 832
#define SMALL_PAYLOAD 256
#define SMALLEST_PACKET_COST 512

/* The scope column of /proc/net/if_inet6. */
#define SCOPE_GLOBAL 0x00
#define SCOPE_LINK 0x20

int icmpsocket_try(enum address_family family)
{
	int fd = family == ADDRESS_IPV4
			 ? socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP)
			 : socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

uint64_t icmpsocket_buffer_size(uint64_t packets, size_t payload)
{
	/* A larger packet is charged its power of two, and a page for each fragment. */
	return packets *
	       (SMALL_PACKET_COST + (payload > SMALL_PAYLOAD ? 4 * payload : 0));
}

static int get_option(int fd, int option)
{
	int value = 0;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &len) < 0 ? -1 : value;
}

static bool is_granted(int fd, int option, uint64_t wanted)
{
	int granted = get_option(fd, option);

	return granted >= 0 && (uint64_t)granted >= wanted;
}

/* The kernel doubles what it is asked for and reports the double. False if that is less. */
static bool grow_buffer(int fd, int option, int force_option, uint64_t wanted)
{
	int value = wanted / 2 > INT_MAX / 2 ? INT_MAX / 2 : (int)(wanted / 2);

	if (is_granted(fd, option, wanted))
		return true;
	/*
	 * The forced form ignores net.core.rmem_max and wmem_max but needs CAP_NET_ADMIN.
	 * The other one is cut to these limits; the probe reports a buffer that overflows.
	 */
	if (setsockopt(fd, SOL_SOCKET, force_option, &value, sizeof(value)) < 0)
		setsockopt(fd, SOL_SOCKET, option, &value, sizeof(value));
	return is_granted(fd, option, wanted);
}

bool icmpsocket_grow_receive_buffer(int fd, uint64_t wanted)
{
	return grow_buffer(fd, SO_RCVBUF, SO_RCVBUFFORCE, wanted);
}

/*
 * Echo replies alone. The kernel applies this filter first. Before the one of cookie.h it
 * applies IPsec policies and, with IPv6, verifies the checksum, and counts what fails there
 * as a drop. Other types must not get that far. ICMP errors still reach the error queue.
 */
static int filter_types(int fd, enum address_family family)
{
	struct icmp_filter types = {.data = ~(1U << ICMP_ECHOREPLY)};
	struct icmp6_filter types6;

	ICMP6_FILTER_SETBLOCKALL(&types6);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &types6);
	return family == ADDRESS_IPV4
		       ? setsockopt(fd, SOL_RAW, ICMP_FILTER, &types, sizeof(types))
		       : setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &types6,
				    sizeof(types6));
}

/*
 * A raw socket gets every ICMP packet of the host. The filter rejects those that are not
 * replies to this run's requests before they take buffer space or wake us up.
 */
int icmpsocket_attach_filters(int fd, enum address_family family,
			      const struct cookie *cookie)
{
	struct sock_filter code[COOKIE_FILTER_MAX];
	struct sock_fprog program = {.filter = code};

	program.len = (unsigned short)cookie_build_filter(cookie, family, code);
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
		return -1;
	return filter_types(fd, family);
}

uint32_t icmpsocket_read_dropped(int fd)
{
	uint32_t meminfo[SK_MEMINFO_VARS] = {0};
	socklen_t len = sizeof(meminfo);

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, meminfo, &len) < 0)
		return 0;
	return meminfo[SK_MEMINFO_DROPS];
}

static uint64_t read_checksum_errors(enum address_family family)
{
	uint64_t count = 0;

	if (family == ADDRESS_IPV6)
		(void)procfile_read("/proc/self/net/snmp6", "Icmp6InCsumErrors", &count);
	return count;
}

/* Packets that IPsec policies refused, once for each socket that they were for. */
static uint64_t read_refused(void)
{
	static const char *const names[] = {"XfrmInTmplMismatch", "XfrmInPolBlock",
					    "XfrmInNoPols"};
	char content[PROCFILE_SIZE];
	uint64_t refused = 0;

	/* A kernel without IPsec has no such file. */
	if (!procfile_load("/proc/self/net/xfrm_stat", content))
		return 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		uint64_t count = 0;

		(void)procfile_find(content, names[i], &count);
		refused += count;
	}
	return refused;
}

/* How far a counter has come. One that fell could not be read and explains nothing. */
static uint64_t advance(uint64_t *last, uint64_t now)
{
	uint64_t by = now > *last ? now - *last : 0;

	*last = now;
	return by;
}

/*
 * Packets that full buffers dropped since the last call. The kernel's count includes
 * replies with a wrong ICMPv6 checksum and those that an IPsec policy refuses. These are
 * loss and no fault of ours, so as many as the network namespace has counted are
 * subtracted. Refused packets are counted more than once, so they explain no drop where
 * the buffer is too small for all replies.
 */
static uint32_t read_new_drops(struct icmpsocket *s)
{
	uint32_t dropped = icmpsocket_read_dropped(s->fd), drops = dropped - s->dropped;
	uint64_t errors = read_checksum_errors(s->family), explained;

	/* The kernel counts the drop first and the error a moment later. */
	if (errors < s->checksum_errors + drops)
		errors = read_checksum_errors(s->family);
	explained = advance(&s->checksum_errors, errors);
	/* Not read in every round, as it takes 20 microseconds and more. */
	if (drops > 0 && s->holds_all)
		explained += advance(&s->refused, read_refused());
	s->dropped = dropped;
	return explained < drops ? drops - (uint32_t)explained : 0;
}

static enum address_family read_family(int fd)
{
	int domain = get_option(fd, SO_DOMAIN);

	return domain == AF_INET    ? ADDRESS_IPV4
	       : domain == AF_INET6 ? ADDRESS_IPV6
				    : ADDRESS_NONE;
}

/* A socket that fails is not part of the set, so the next round tries again. */
static int add_socket(struct icmpsocket_set *set, int fd, const struct cookie *cookie)
{
	struct icmpsocket *s = &set->items[set->count];

	*s = (struct icmpsocket){.fd = fd, .family = read_family(fd)};
	if (s->family == ADDRESS_NONE ||
	    icmpsocket_attach_filters(fd, s->family, cookie) < 0)
		return -1;
	set->count++;
	s->holds_all = icmpsocket_grow_receive_buffer(fd, set->receive_wanted);
	if (!s->holds_all)
		set->receive_short = set->receive_wanted;
	if (!grow_buffer(fd, SO_SNDBUF, SO_SNDBUFFORCE, set->send_wanted))
		set->send_short = set->send_wanted;
	/*
	 * An IPv4 socket reports requests that the kernel itself dropped, as its neighbour
	 * table or the device's queue was full, only with IP_RECVERR. That also queues ICMP
	 * errors, and lets them fail calls on the socket: see interpose.h.
	 */
	(void)icmperror_enable(fd, s->family, true);
	/* What was dropped before is nothing of ours. */
	s->refused = read_refused();
	(void)read_new_drops(s);
	return 0;
}

size_t icmpsocket_discard_errors(int fd)
{
	size_t count = 0;
	char byte;

	while (count < ICMPSOCKET_ERRORS_MAX &&
	       recv(fd, &byte, sizeof(byte), MSG_ERRQUEUE | MSG_DONTWAIT) >= 0)
		count++;
	return count;
}

/*
 * Bounded, as packets may arrive as fast as they are read. A failure may be an ICMP error;
 * only an empty queue ends it.
 */
static void drain(int fd, size_t limit)
{
	char byte;

	(void)icmpsocket_discard_errors(fd);
	while (limit-- > 0 &&
	       (recv(fd, &byte, sizeof(byte), MSG_DONTWAIT | MSG_TRUNC) >= 0 ||
		errno != EAGAIN))
		;
}

/* Columns of a line: address, interface index, prefix length, scope, flags, name. */
static bool parse_line(const char *line, unsigned long *scope, unsigned long *flags)
{
	char *end;

	for (int column = 0; column < 3; column++) {
		line += text_until(line, " \n");
		line += text_span(line, " ");
	}
	*scope = strtoul(line, &end, 16);
	if (end == line)
		return false;
	line = end;
	*flags = strtoul(line, &end, 16);
	return end != line;
}

/* Whether there are addresses of the scope and all are tentative. */
static bool is_scope_tentative(const char *if_inet6, unsigned long wanted_scope)
{
	unsigned long scope, flags;
	bool any = false;

	for (const char *line = if_inet6; *line; line += *line == '\n') {
		if (parse_line(line, &scope, &flags) && scope == wanted_scope) {
			/* Optimistic addresses may be used at once (RFC 4429). */
			if (!(flags & IFA_F_TENTATIVE) || (flags & IFA_F_OPTIMISTIC))
				return false;
			any = true;
		}
		line += text_until(line, "\n");
	}
	return any;
}

static void find_tentative(struct icmpsocket_set *set)
{
	char content[PROCFILE_SIZE];

	/* A host with more addresses than fit has one that can be used. */
	if (!procfile_load("/proc/self/net/if_inet6", content) ||
	    strlen(content) == sizeof(content) - 1)
		*content = '\0';
	set->is_global_tentative = is_scope_tentative(content, SCOPE_GLOBAL);
	set->is_link_tentative = is_scope_tentative(content, SCOPE_LINK);
}

/* Its index; the number of sockets if it is not among them. */
static size_t find(const struct icmpsocket_set *set, int fd)
{
	size_t i = 0;

	while (i < set->count && set->items[i].fd != fd)
		i++;
	return i;
}

size_t icmpsocket_prepare(struct icmpsocket_set *set, int fd, const struct cookie *cookie)
{
	size_t i = find(set, fd), capacity;
	int buffer;

	if (i == ICMPSOCKET_MAX || (i == set->count && add_socket(set, fd, cookie) < 0))
		return 0;
	buffer = get_option(fd, SO_RCVBUF);
	/* The last packet may exceed the buffer. */
	capacity = (buffer < 0 ? 0 : (size_t)buffer / SMALLEST_PACKET_COST) + 1;
	/* liboping would count a late reply of the previous round as one of this round. */
	drain(fd, capacity);
	/* Only now: what is dropped while the queue is still full is no reply of this round. */
	set->drops += read_new_drops(&set->items[i]);
	if (set->items[i].family == ADDRESS_IPV6)
		find_tentative(set);
	return capacity;
}

bool icmpsocket_may_send(const struct icmpsocket_set *set, const struct sockaddr *to)
{
	const struct sockaddr_in6 *v6 = (const void *)to;

	if (!to || to->sa_family != AF_INET6 || IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr))
		return true;
	return !(IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr) ? set->is_link_tentative
						       : set->is_global_tentative);
}

uint64_t icmpsocket_count_drops(struct icmpsocket_set *set)
{
	uint64_t drops = 0;

	for (size_t i = 0; i < set->count; i++)
		drops += read_new_drops(&set->items[i]);
	set->drops += drops;
	return drops;
}

enum address_family icmpsocket_find_family(const struct icmpsocket_set *set, int fd)
{
	size_t i = find(set, fd);

	return i < set->count ? set->items[i].family : ADDRESS_NONE;
}

/* strerror() does not say which kernel limit was reached. */
const char *icmpsocket_explain(int error)
{
	switch (error) {
	case ENOBUFS:
		return " (if the kernel's neighbour table is full: raise net.ipv4.neigh.default.gc_thresh3)";
	case EINVAL:
		return " (by a blackhole route, or if the kernel's neighbour table is full: raise net.ipv6.neigh.default.gc_thresh3)";
	default: return "";
	}
}
