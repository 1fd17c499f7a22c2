#include "ping/rawsocket.h"

#include <errno.h>
#include <limits.h>
#include <linux/sock_diag.h>
#include <netinet/icmp6.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/procfile.h"

/* What the kernel charges for one queued packet with a payload of up to SMALL_PAYLOAD. */
#define SMALL_PACKET_COST 832
#define SMALL_PAYLOAD 256

/* Less than that it charges for none. */
#define SMALLEST_PACKET_COST 512

int rawsocket_try(enum address_family family)
{
	int fd = family == ADDRESS_IPV4
			 ? socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP)
			 : socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

uint64_t rawsocket_cost(uint64_t packets, size_t payload)
{
	/* Larger ones are charged their power of two, and a page for each fragment. */
	return packets *
	       (SMALL_PACKET_COST + (payload > SMALL_PAYLOAD ? 4 * payload : 0));
}

enum address_family rawsocket_family(int fd)
{
	int domain;
	socklen_t len = sizeof(domain);

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) < 0)
		return ADDRESS_NONE;
	return domain == AF_INET    ? ADDRESS_IPV4
	       : domain == AF_INET6 ? ADDRESS_IPV6
				    : ADDRESS_NONE;
}

/*
 * The kernel doubles what is asked for and reports the double, so half is asked
 * for. Returns what the buffer has become.
 */
static uint64_t set_buffer(int fd, int option, int force_option, uint64_t wanted)
{
	int value = wanted / 2 > INT_MAX / 2 ? INT_MAX / 2 : (int)(wanted / 2);
	int granted = 0;
	socklen_t len = sizeof(granted);

	if (getsockopt(fd, SOL_SOCKET, option, &granted, &len) == 0 &&
	    (uint64_t)granted >= wanted)
		return (uint64_t)granted;
	/* The forced form needs CAP_NET_ADMIN, the other is cut to the sysctl's limit. */
	if (setsockopt(fd, SOL_SOCKET, force_option, &value, sizeof(value)) < 0)
		setsockopt(fd, SOL_SOCKET, option, &value, sizeof(value));
	len = sizeof(granted);
	if (getsockopt(fd, SOL_SOCKET, option, &granted, &len) < 0)
		return 0;
	return (uint64_t)granted;
}

int rawsocket_prepare(int fd, enum address_family family, const struct cookie *cookie,
		      struct rawsocket_buffers *buffers)
{
	struct sock_filter code[COOKIE_FILTER_MAX];
	struct sock_fprog program = {.filter = code};
	struct icmp6_filter types;

	program.len = (unsigned short)cookie_filter(cookie, family, code);
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
		return -1;
	if (family == ADDRESS_IPV6) {
		/* Ahead of the checksum, so that other types' errors are no drops of
		 * ours. */
		ICMP6_FILTER_SETBLOCKALL(&types);
		ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &types);
		if (setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &types, sizeof(types)) <
		    0)
			return -1;
	}
	buffers->receive = set_buffer(fd, SO_RCVBUF, SO_RCVBUFFORCE, buffers->receive);
	buffers->send = set_buffer(fd, SO_SNDBUF, SO_SNDBUFFORCE, buffers->send);
	return 0;
}

size_t rawsocket_capacity(int fd)
{
	int granted = 0;
	socklen_t len = sizeof(granted);

	if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &granted, &len) < 0 || granted < 0)
		return 0;
	/* The last one may go beyond the end. */
	return (size_t)granted / SMALLEST_PACKET_COST + 1;
}

void rawsocket_tell_failures(int fd, enum address_family family, bool on)
{
	int value = on, error;
	socklen_t len = sizeof(error);

	if (family != ADDRESS_IPV4)
		return;
	setsockopt(fd, IPPROTO_IP, IP_RECVERR, &value, sizeof(value));
	if (!on)
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
}

/* The kernel's words for a limit of its own tell nobody which. */
const char *rawsocket_hint(int error)
{
	switch (error) {
	case ENOBUFS:
		return " (where its table of neighbours is full: raise net.ipv4.neigh.default.gc_thresh3)";
	case EINVAL:
		return " (where its table of neighbours is full: raise net.ipv6.neigh.default.gc_thresh3)";
	default: return "";
	}
}

void rawsocket_drain(int fd, size_t limit)
{
	char byte;

	while (limit-- > 0 &&
	       recv(fd, &byte, sizeof(byte), MSG_DONTWAIT | MSG_TRUNC) >= 0)
		;
}

/* Icmp6InCsumErrors of /proc/self/net/snmp6; 0 where there is none. */
static uint64_t read_checksum_errors(void)
{
	uint64_t count;

	return procfile_read("/proc/self/net/snmp6", "Icmp6InCsumErrors", &count) ? count
										  : 0;
}

static uint32_t read_dropped(int fd)
{
	uint32_t meminfo[SK_MEMINFO_VARS] = {0};
	socklen_t len = sizeof(meminfo);

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, meminfo, &len) < 0)
		return 0;
	return meminfo[SK_MEMINFO_DROPS];
}

void rawsocket_read_drops(int fd, enum address_family family,
			  struct rawsocket_drops *drops)
{
	drops->dropped = read_dropped(fd);
	drops->checksum_errors = family == ADDRESS_IPV6 ? read_checksum_errors() : 0;
}

/* A count that fell could not be read, and excuses nothing. */
static uint64_t excuse(const struct rawsocket_drops *before, uint64_t errors)
{
	return errors > before->checksum_errors ? errors - before->checksum_errors : 0;
}

uint32_t rawsocket_new_drops(int fd, enum address_family family,
			     struct rawsocket_drops *before)
{
	uint32_t dropped = read_dropped(fd);
	uint32_t count = dropped - before->dropped;
	uint64_t errors = family == ADDRESS_IPV6 ? read_checksum_errors() : 0;
	uint64_t excused = excuse(before, errors);

	if (excused < count && family == ADDRESS_IPV6) {
		/* The kernel counts the drop first, and the error a moment later. */
		errors = read_checksum_errors();
		excused = excuse(before, errors);
	}
	before->dropped = dropped;
	before->checksum_errors = errors;
	return excused < count ? count - (uint32_t)excused : 0;
}
