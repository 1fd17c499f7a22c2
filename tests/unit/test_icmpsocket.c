/*
 * What is done to liboping's sockets, tried on sockets that need no privilege. The kernel's
 * counters, and what it says of IPv6 addresses, are the test's.
 */
#include "support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/icmp6.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
/* After <net/if.h>, whose names it would define as well. */
#include <net/if.h>
#include <linux/icmp.h>

#include "base/procfile.h"
#include "ping/icmpsocket.h"

#define LOOPBACK "00000000000000000000000000000001 01 80 10 80       lo\n"
#define GLOBAL(flags) "fd000004000000000000000000000001 0a 40 00 " flags "     near\n"
#define LINK(flags) "fe800000000000000000000000000001 0a 40 20 " flags "     near\n"
#define READY "80"
#define TENTATIVE "c0"
#define OPTIMISTIC "44"
#define FAILED "c8"

/* Not static, as clang takes the replaced recv() for an inline function. */
struct {
	uint32_t dropped;
	uint64_t checksum_errors;
	const char *if_inet6, *xfrm_stat; /* NULL: no such file */
	int domain;			  /* 0: the socket's own */
	int receive_buffer;		  /* 0: the socket's own */
	int filter_errno;
	unsigned filters; /* that were attached */
	bool allow_type_filter;
	struct icmp_filter icmp_filter;
	struct icmp6_filter icmp6_filter;
	void (*on_empty)(void); /* when a queue turns out to be empty */
} kernel;

bool procfile_read(const char *path, const char *name, uint64_t *value)
{
	assert_string_equal(path, "/proc/self/net/snmp6");
	assert_string_equal(name, "Icmp6InCsumErrors");
	*value = kernel.checksum_errors;
	return true;
}

/* Of a name and a number in a line. */
bool procfile_find(const char *content, const char *name, uint64_t *value)
{
	const char *line = strstr(content, name);

	if (!line)
		return false;
	*value = strtoull(line + strlen(name), NULL, 10);
	return true;
}

bool procfile_load(const char *path, char content[static PROCFILE_SIZE])
{
	const char *file = strcmp(path, "/proc/self/net/xfrm_stat") == 0
				   ? kernel.xfrm_stat
				   : kernel.if_inet6;

	assert_true(file == kernel.xfrm_stat ||
		    strcmp(path, "/proc/self/net/if_inet6") == 0);
	if (file)
		snprintf(content, PROCFILE_SIZE, "%s", file);
	return file != NULL;
}

ssize_t recv(int fd, void *buffer, size_t size, int flags)
{
	ssize_t n = -1;

	/* A local socket has no queue of errors. */
	errno = EAGAIN;
	if (!kernel.domain || !(flags & MSG_ERRQUEUE))
		n = syscall(SYS_recvfrom, fd, buffer, size, flags, NULL, NULL);
	if (n < 0 && errno == EAGAIN && !(flags & MSG_ERRQUEUE) && kernel.on_empty)
		kernel.on_empty();
	return n;
}

int getsockopt(int fd, int level, int option, void *value, socklen_t *len)
{
	int faked = level != SOL_SOCKET	  ? 0
		    : option == SO_DOMAIN ? kernel.domain
		    : option == SO_RCVBUF ? kernel.receive_buffer
					  : 0;

	if (level == SOL_SOCKET && option == SO_MEMINFO) {
		uint32_t meminfo[SK_MEMINFO_VARS] = {[SK_MEMINFO_DROPS] = kernel.dropped};

		assert_int_equal(*len, sizeof(meminfo));
		memcpy(value, meminfo, sizeof(meminfo));
		return 0;
	}
	if (!faked)
		return (int)syscall(SYS_getsockopt, fd, level, option, value, len);
	assert_int_equal(*len, sizeof(faked));
	memcpy(value, &faked, sizeof(faked));
	return 0;
}

/* A local socket has no IP_RECVERR, and one that is not raw no filter of types. */
int setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
	if (level == SOL_SOCKET && option == SO_ATTACH_FILTER) {
		kernel.filters++;
		errno = kernel.filter_errno;
		if (errno)
			return -1;
		if (kernel.domain)
			return 0;
	}
	if (level == SOL_RAW && option == ICMP_FILTER && kernel.allow_type_filter) {
		assert_int_equal(len, sizeof(kernel.icmp_filter));
		memcpy(&kernel.icmp_filter, value, len);
		return 0;
	}
	if (level == IPPROTO_ICMPV6 && option == ICMP6_FILTER &&
	    kernel.allow_type_filter) {
		assert_int_equal(len, sizeof(kernel.icmp6_filter));
		memcpy(&kernel.icmp6_filter, value, len);
		return 0;
	}
	return (int)syscall(SYS_setsockopt, fd, level, option, value, len);
}

static const struct cookie cookie = {.words = {1, 2}};
static struct icmpsocket_set set;
/* The test's own descriptors; -1: closed. */
static int fds[4];

static int set_up(void **state)
{
	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	memset(&set, 0, sizeof(set));
	kernel.allow_type_filter = true;
	for (size_t i = 0; i < 4; i++)
		fds[i] = -1;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	return 0;
}

static int open_udp(int domain)
{
	size_t i = domain == AF_INET6;

	fds[i] = socket(domain, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fds[i] < 0 && errno == EAFNOSUPPORT)
		skip();
	assert_true(fds[i] >= 0);
	return fds[i];
}

/* Two local sockets; the module takes the second for one of the family. */
static void open_pair(int family)
{
	kernel.domain = family;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds + 2), 0);
}

static size_t prepare(int fd)
{
	return icmpsocket_prepare(&set, fd, &cookie);
}

static void assert_refused(int fd, int error)
{
	assert_int_equal(prepare(fd), 0);
	if (error)
		assert_int_equal(errno, error);
	assert_int_equal(set.count, 0);
}

static int get_option(int fd, int level, int option)
{
	int value = -1;
	socklen_t len = sizeof(value);

	assert_int_equal(getsockopt(fd, level, option, &value, &len), 0);
	return value;
}

static void send_packets(size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_int_equal(send(fds[2], "packet", i % 2 ? 6 : 0, MSG_DONTWAIT),
				 i % 2 ? 6 : 0);
}

static void assert_queued(size_t count)
{
	char byte;

	while (count-- > 0)
		assert_true(recv(fds[3], &byte, 1, MSG_DONTWAIT) >= 0);
	assert_int_equal(recv(fds[3], &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

static void small_packet_costs_what_the_kernel_charges(void **state)
{
	(void)state;
	assert_int_equal(icmpsocket_buffer_size(0, 56), 0);
	assert_int_equal(icmpsocket_buffer_size(1, 40), 832);
	assert_int_equal(icmpsocket_buffer_size(1000, 56), 832000);
	assert_int_equal(icmpsocket_buffer_size(1, 256), 832);
	/* Products of 32 bits and more. */
	assert_int_equal(icmpsocket_buffer_size(UINT64_C(10000000), 56),
			 UINT64_C(8320000000));
}

static void large_packet_costs_more_than_its_payload(void **state)
{
	uint64_t last = icmpsocket_buffer_size(1, 256);

	(void)state;
	for (size_t payload = 257; payload <= OPTIONS_SIZE_MAX; payload++) {
		uint64_t size = icmpsocket_buffer_size(1, payload);

		assert_true(size > last && size > 2 * payload);
		last = size;
	}
	assert_int_equal(icmpsocket_buffer_size(7, 4000), 7 * last);
}

static void family_of_a_prepared_socket_is_known(void **state)
{
	int v4 = open_udp(AF_INET), v6 = open_udp(AF_INET6);

	(void)state;
	assert_int_equal(icmpsocket_find_family(&set, v4), ADDRESS_NONE);
	prepare(v4);
	prepare(v6);
	assert_int_equal(icmpsocket_find_family(&set, v4), ADDRESS_IPV4);
	assert_int_equal(icmpsocket_find_family(&set, v6), ADDRESS_IPV6);
	assert_int_equal(icmpsocket_find_family(&set, v4 + v6), ADDRESS_NONE);
}

static void descriptor_of_another_kind_is_refused(void **state)
{
	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds + 2), 0);
	assert_refused(fds[2], 0);
	assert_refused(-1, EBADF);
	assert_int_equal(pipe(fds), 0);
	assert_refused(fds[0], ENOTSOCK);
}

static void socket_without_a_filter_is_refused(void **state)
{
	int v4 = open_udp(AF_INET), v6 = open_udp(AF_INET6);

	(void)state;
	kernel.filter_errno = EPERM;
	assert_refused(v4, EPERM);
	/* They need the filter of types as well, which these have not, as they are not raw. */
	kernel.filter_errno = 0;
	kernel.allow_type_filter = false;
	assert_refused(v4, ENOPROTOOPT);
	assert_refused(v6, ENOPROTOOPT);
	/* What has passed by the next round is forgotten. */
	kernel.allow_type_filter = true;
	assert_true(prepare(v4) > 0);
	assert_int_equal(set.count, 1);
}

static void socket_is_deaf_to_all_types_but_echo_reply(void **state)
{
	(void)state;
	prepare(open_udp(AF_INET));
	/* The kernel knows 32 types to filter. */
	for (int type = 0; type < 32; type++)
		assert_int_equal(!(kernel.icmp_filter.data & 1U << type),
				 type == ICMP_ECHOREPLY);
	prepare(open_udp(AF_INET6));
	for (int type = 0; type < 256; type++)
		assert_int_equal(!!ICMP6_FILTER_WILLPASS(type, &kernel.icmp6_filter),
				 type == ICMP6_ECHO_REPLY);
}

static void socket_is_prepared_once_and_emptied_before_every_round(void **state)
{
	(void)state;
	open_pair(AF_INET);
	for (size_t round = 1; round <= 3; round++) {
		send_packets(5);
		prepare(fds[3]);
		assert_int_equal(kernel.filters, 1);
		assert_queued(0);
	}
	assert_int_equal(set.count, 1);
}

static void third_socket_is_left_alone(void **state)
{
	int v4 = open_udp(AF_INET), v6 = open_udp(AF_INET6);

	(void)state;
	prepare(v4);
	prepare(v6);
	assert_int_equal(prepare(v4 + v6 + 1), 0);
	assert_int_equal(set.count, 2);
}

static void no_more_packets_are_drained_than_the_buffer_holds(void **state)
{
	(void)state;
	open_pair(AF_INET);
	kernel.receive_buffer = 6 * 512;
	send_packets(10);
	assert_int_equal(prepare(fds[3]), 7);
	assert_queued(3);
}

static void capacity_is_more_than_the_buffer_ever_holds(void **state)
{
	int sizes[] = {4096, 20000, 100000};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		int fd = open_udp(AF_INET);

		assert_int_equal(
			setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &sizes[i], sizeof(int)), 0);
		/* Twice the size is granted, and a packet costs 832 of it. */
		assert_true(prepare(fd) > 2 * (size_t)sizes[i] / 832);
		close(fd);
		set.count = 0;
	}
	fds[0] = -1;
}

static void buffers_grow_and_never_shrink(void **state)
{
	int fd = open_udp(AF_INET);
	int receive = get_option(fd, SOL_SOCKET, SO_RCVBUF);
	int send = get_option(fd, SOL_SOCKET, SO_SNDBUF);

	(void)state;
	prepare(fd);
	assert_int_equal(get_option(fd, SOL_SOCKET, SO_RCVBUF), receive);
	assert_int_equal(get_option(fd, SOL_SOCKET, SO_SNDBUF), send);
	/* More than anybody is given, past the largest number of the interface. */
	set.count = 0;
	set.receive_wanted = set.send_wanted = UINT64_C(1) << 40;
	prepare(fd);
	assert_true(get_option(fd, SOL_SOCKET, SO_RCVBUF) >= receive);
	assert_true(get_option(fd, SOL_SOCKET, SO_SNDBUF) >= send);
}

static void buffers_within_the_limit_have_the_size_wanted(void **state)
{
	int fd = open_udp(AF_INET);
	/* The default is within the limit; twice the default may not be. */
	int wanted = get_option(fd, SOL_SOCKET, SO_RCVBUF) / 2 * 2;

	(void)state;
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){8192}, sizeof(int)),
			 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){8192}, sizeof(int)),
			 0);
	set.receive_wanted = set.send_wanted = (uint64_t)wanted;
	prepare(fd);
	assert_int_equal(get_option(fd, SOL_SOCKET, SO_RCVBUF), wanted);
	assert_int_equal(get_option(fd, SOL_SOCKET, SO_SNDBUF), wanted);
}

/* A packet to the socket itself, between two to a closed port, which leave ICMP errors. */
static void send_between_errors(int fd)
{
	struct sockaddr_in nobody = {.sin_family = AF_INET,
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				     .sin_port = htons(1)};
	struct sockaddr_in self;
	socklen_t len = sizeof(self);

	(void)sendto(fd, "x", 1, 0, (struct sockaddr *)&nobody, sizeof(nobody));
	assert_int_equal(get_option(fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&self, &len), 0);
	self.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(sendto(fd, "x", 1, 0, (struct sockaddr *)&self, sizeof(self)),
			 1);
	assert_int_equal(
		sendto(fd, "x", 1, 0, (struct sockaddr *)&nobody, sizeof(nobody)), 1);
}

static void icmp_errors_are_reported_and_do_not_keep_packets_in_the_socket(void **state)
{
	int fd = open_udp(AF_INET);
	char byte;

	(void)state;
	prepare(fd);
	assert_int_equal(get_option(fd, IPPROTO_IP, IP_RECVERR), 1);
	send_between_errors(fd);
	prepare(fd);
	assert_int_equal(get_option(fd, SOL_SOCKET, SO_ERROR), 0);
	assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(icmpsocket_discard_errors(fd), 0);
	send_between_errors(fd);
	assert_int_equal(icmpsocket_discard_errors(fd), 2);
	assert_int_equal(icmpsocket_discard_errors(fd), 0);
}

static void buffer_that_is_cut_is_told_from_one_that_is_granted(void **state)
{
	int fd = open_udp(AF_INET);

	(void)state;
	set.receive_wanted = set.send_wanted = 8192;
	prepare(fd);
	assert_int_equal(set.receive_short, 0);
	assert_int_equal(set.send_short, 0);
	/* More than anybody is given. */
	set.count = 0;
	set.receive_wanted = UINT64_C(1) << 40;
	set.send_wanted = UINT64_C(1) << 41;
	prepare(fd);
	assert_int_equal(set.receive_short, UINT64_C(1) << 40);
	assert_int_equal(set.send_short, UINT64_C(1) << 41);
}

static void drops_are_those_since_the_start_of_the_round(void **state)
{
	int fd = open_udp(AF_INET);

	(void)state;
	kernel.dropped = 7;
	prepare(fd);
	assert_int_equal(icmpsocket_count_drops(&set), 0);
	kernel.dropped = 10;
	/* Checksum errors of ICMPv6 explain no drop of IPv4. */
	kernel.checksum_errors = 3;
	assert_int_equal(icmpsocket_count_drops(&set), 3);
	assert_int_equal(icmpsocket_count_drops(&set), 0);
	assert_int_equal(set.drops, 3);
}

static void drops_between_rounds_discard_none_but_are_counted(void **state)
{
	int fd = open_udp(AF_INET);

	(void)state;
	prepare(fd);
	kernel.dropped = 3;
	assert_int_equal(icmpsocket_count_drops(&set), 3);
	kernel.dropped = 10;
	prepare(fd);
	assert_int_equal(icmpsocket_count_drops(&set), 0);
	assert_int_equal(set.drops, 10);
}

static void drop_a_packet(void)
{
	kernel.dropped++;
}

/* When they are drained the queue is full, and of no reply of the round. */
static void drops_while_the_socket_is_drained_do_not_discard_the_round(void **state)
{
	(void)state;
	open_pair(AF_INET);
	kernel.on_empty = drop_a_packet;
	for (unsigned round = 1; round <= 2; round++) {
		prepare(fds[3]);
		assert_int_equal(icmpsocket_count_drops(&set), 0);
		assert_int_equal(set.drops, round);
	}
}

static void packets_that_an_ipsec_policy_refused_are_no_drops(void **state)
{
	(void)state;
	kernel.xfrm_stat = "XfrmInNoPols\t3\nXfrmInTmplMismatch\t90\nXfrmOutError\t0\n";
	prepare(open_udp(AF_INET));
	kernel.dropped = 5;
	kernel.xfrm_stat = "XfrmInNoPols\t4\nXfrmInTmplMismatch\t92\nXfrmOutError\t9\n";
	assert_int_equal(icmpsocket_count_drops(&set), 2);
	kernel.dropped = 6;
	assert_int_equal(icmpsocket_count_drops(&set), 1);
	kernel.dropped = 7;
	kernel.xfrm_stat = "XfrmInPolBlock\t1\nXfrmInNoPols\t4\nXfrmInTmplMismatch\t92\n";
	assert_int_equal(icmpsocket_count_drops(&set), 0);
}

/* The kernel counts a refusal for each socket of the host, so it is no proof there. */
static void refused_packets_explain_no_drops_of_a_buffer_that_is_too_small(void **state)
{
	(void)state;
	kernel.xfrm_stat = "XfrmInTmplMismatch\t0\n";
	kernel.receive_buffer = 1000;
	set.receive_wanted = 2000;
	prepare(open_udp(AF_INET));
	kernel.dropped = 5;
	kernel.xfrm_stat = "XfrmInTmplMismatch\t5\n";
	assert_int_equal(icmpsocket_count_drops(&set), 5);
}

static void drops_are_counted_past_the_end_of_the_kernels_counter(void **state)
{
	(void)state;
	kernel.dropped = UINT32_MAX - 1;
	prepare(open_udp(AF_INET));
	kernel.dropped = 3;
	assert_int_equal(icmpsocket_count_drops(&set), 5);
}

static void ipv6_packets_with_a_wrong_checksum_are_no_drops(void **state)
{
	(void)state;
	kernel.checksum_errors = 100;
	prepare(open_udp(AF_INET6));
	kernel.dropped = 5;
	kernel.checksum_errors = 102;
	assert_int_equal(icmpsocket_count_drops(&set), 3);
	kernel.dropped = 7;
	kernel.checksum_errors = 104;
	assert_int_equal(icmpsocket_count_drops(&set), 0);
	/* Some were other sockets' alone. */
	kernel.dropped = 8;
	kernel.checksum_errors = 110;
	assert_int_equal(icmpsocket_count_drops(&set), 0);
	kernel.dropped = 10;
	assert_int_equal(icmpsocket_count_drops(&set), 2);
}

static void old_checksum_errors_do_not_hide_new_drops(void **state)
{
	(void)state;
	prepare(open_udp(AF_INET6));
	/* Of packets that never came to this socket. */
	kernel.checksum_errors = 50;
	assert_int_equal(icmpsocket_count_drops(&set), 0);
	kernel.dropped = 4;
	assert_int_equal(icmpsocket_count_drops(&set), 4);
	/* A count that falls could not be read. */
	kernel.dropped = 6;
	kernel.checksum_errors = 0;
	assert_int_equal(icmpsocket_count_drops(&set), 2);
}

static void refusal_of_a_raw_socket_is_an_errno(void **state)
{
	int v4 = icmpsocket_try(ADDRESS_IPV4), v6 = icmpsocket_try(ADDRESS_IPV6);

	(void)state;
	assert_true(v4 == 0 || v4 == EPERM || v4 == EACCES);
	assert_true(v6 == v4 || v6 == EAFNOSUPPORT);
}

/* Of a round that begins while the kernel says this of its IPv6 addresses. */
static void begin_round(const char *if_inet6)
{
	kernel.if_inet6 = if_inet6;
	if (fds[3] < 0)
		open_pair(AF_INET6);
	prepare(fds[3]);
}

static bool may_send(const char *address)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6};

	assert_int_equal(inet_pton(AF_INET6, address, &to.sin6_addr), 1);
	return icmpsocket_may_send(&set, (struct sockaddr *)&to);
}

static void tentative_address_bars_requests_of_its_scope(void **state)
{
	(void)state;
	begin_round(LOOPBACK GLOBAL(TENTATIVE) LINK(READY));
	assert_false(may_send("fd00:4::2"));
	assert_false(may_send("2001:db8::1"));
	assert_true(may_send("fe80::2"));
	begin_round(LOOPBACK LINK(TENTATIVE) GLOBAL(READY));
	assert_true(may_send("fd00:4::2"));
	assert_false(may_send("fe80::2"));
	begin_round(LINK(FAILED) GLOBAL(FAILED));
	assert_false(may_send("fd00:4::2"));
	assert_false(may_send("fe80::2"));
}

static void one_usable_address_is_enough(void **state)
{
	(void)state;
	begin_round(GLOBAL(TENTATIVE) GLOBAL(READY) GLOBAL(TENTATIVE));
	assert_true(may_send("fd00:4::2"));
	begin_round(GLOBAL(OPTIMISTIC) LINK(OPTIMISTIC));
	assert_true(may_send("fd00:4::2"));
	assert_true(may_send("fe80::2"));
}

static void without_any_address_the_kernel_decides(void **state)
{
	static const char *const contents[] = {LOOPBACK LINK(READY), "", NULL};

	(void)state;
	for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
		begin_round(contents[i]);
		assert_true(may_send("fd00:4::2"));
		assert_true(may_send("fe80::2"));
	}
}

static void more_addresses_than_are_read_bar_nothing(void **state)
{
	char *text = calloc(1000, sizeof(GLOBAL(TENTATIVE)));

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < 1000; i++)
		memcpy(text + i * (sizeof(GLOBAL(TENTATIVE)) - 1), GLOBAL(TENTATIVE),
		       sizeof(GLOBAL(TENTATIVE)));
	begin_round(text);
	assert_true(may_send("fd00:4::2"));
	free(text);
}

static void loopback_and_ipv4_are_never_barred(void **state)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};

	(void)state;
	begin_round(GLOBAL(TENTATIVE) LINK(TENTATIVE));
	assert_true(may_send("::1"));
	assert_true(icmpsocket_may_send(&set, (struct sockaddr *)&v4));
	assert_true(icmpsocket_may_send(&set, NULL));
}

/* Whoever can run this test has had a usable address, or none, for seconds. */
static void file_of_the_running_kernel_is_understood(void **state)
{
	char content[PROCFILE_SIZE] = "";
	FILE *file = fopen("/proc/self/net/if_inet6", "r");

	(void)state;
	if (!file)
		skip();
	content[fread(content, 1, sizeof(content) - 1, file)] = '\0';
	fclose(file);
	begin_round(content);
	assert_true(may_send("::1"));
	assert_true(may_send("fd00:4::2"));
}

static void full_neighbour_table_is_explained(void **state)
{
	(void)state;
	assert_non_null(strstr(icmpsocket_explain(ENOBUFS), "ipv4.neigh"));
	assert_non_null(strstr(icmpsocket_explain(EINVAL), "ipv6.neigh"));
	assert_string_equal(icmpsocket_explain(EPERM), "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(small_packet_costs_what_the_kernel_charges),
		TEST(large_packet_costs_more_than_its_payload),
		TEST(family_of_a_prepared_socket_is_known),
		TEST(descriptor_of_another_kind_is_refused),
		TEST(socket_without_a_filter_is_refused),
		TEST(socket_is_deaf_to_all_types_but_echo_reply),
		TEST(socket_is_prepared_once_and_emptied_before_every_round),
		TEST(third_socket_is_left_alone),
		TEST(no_more_packets_are_drained_than_the_buffer_holds),
		TEST(capacity_is_more_than_the_buffer_ever_holds),
		TEST(buffers_grow_and_never_shrink),
		TEST(buffers_within_the_limit_have_the_size_wanted),
		TEST(icmp_errors_are_reported_and_do_not_keep_packets_in_the_socket),
		TEST(buffer_that_is_cut_is_told_from_one_that_is_granted),
		TEST(drops_are_those_since_the_start_of_the_round),
		TEST(drops_between_rounds_discard_none_but_are_counted),
		TEST(drops_while_the_socket_is_drained_do_not_discard_the_round),
		TEST(packets_that_an_ipsec_policy_refused_are_no_drops),
		TEST(refused_packets_explain_no_drops_of_a_buffer_that_is_too_small),
		TEST(drops_are_counted_past_the_end_of_the_kernels_counter),
		TEST(ipv6_packets_with_a_wrong_checksum_are_no_drops),
		TEST(old_checksum_errors_do_not_hide_new_drops),
		TEST(refusal_of_a_raw_socket_is_an_errno),
		TEST(tentative_address_bars_requests_of_its_scope),
		TEST(one_usable_address_is_enough),
		TEST(without_any_address_the_kernel_decides),
		TEST(more_addresses_than_are_read_bar_nothing),
		TEST(loopback_and_ipv4_are_never_barred),
		TEST(file_of_the_running_kernel_is_understood),
		TEST(full_neighbour_table_is_explained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
