/*
 * What is done to sockets, on ones that need no privilege. The kernel's counters are the
 * test's.
 */
#include "support.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/procfile.h"
#include "ping/rawsocket.h"

static struct {
	bool is_faked;
	uint32_t dropped;
	uint64_t checksum_errors;
	bool allow_icmp6_filter;
	struct icmp6_filter icmp6_filter;
} kernel;

bool procfile_read(const char *path, const char *name, uint64_t *value)
{
	assert_string_equal(path, "/proc/self/net/snmp6");
	assert_string_equal(name, "Icmp6InCsumErrors");
	*value = kernel.checksum_errors;
	return true;
}

int getsockopt(int fd, int level, int option, void *value, socklen_t *len)
{
	if (level == SOL_SOCKET && option == SO_MEMINFO && kernel.is_faked) {
		uint32_t meminfo[SK_MEMINFO_VARS] = {[SK_MEMINFO_DROPS] = kernel.dropped};

		assert_int_equal(*len, sizeof(meminfo));
		memcpy(value, meminfo, sizeof(meminfo));
		return 0;
	}
	return (int)syscall(SYS_getsockopt, fd, level, option, value, len);
}

/* A socket that is not raw has no such filter. */
int setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
	if (level == IPPROTO_ICMPV6 && option == ICMP6_FILTER &&
	    kernel.allow_icmp6_filter) {
		assert_int_equal(len, sizeof(kernel.icmp6_filter));
		memcpy(&kernel.icmp6_filter, value, len);
		return 0;
	}
	return (int)syscall(SYS_setsockopt, fd, level, option, value, len);
}

static int reset(void **state)
{
	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	return 0;
}

static int open_udp(int domain)
{
	int fd = socket(domain, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 && errno == EAFNOSUPPORT)
		skip();
	assert_true(fd >= 0);
	return fd;
}

static int get_option(int fd, int option)
{
	int value = -1;
	socklen_t len = sizeof(value);

	assert_int_equal(getsockopt(fd, SOL_SOCKET, option, &value, &len), 0);
	return value;
}

static void small_packet_costs_what_the_kernel_charges(void **state)
{
	(void)state;
	assert_int_equal(rawsocket_cost(0, 56), 0);
	assert_int_equal(rawsocket_cost(1, 40), 832);
	assert_int_equal(rawsocket_cost(1000, 56), 832000);
	assert_int_equal(rawsocket_cost(1, 256), 832);
	/* Products of 32 bits and more. */
	assert_int_equal(rawsocket_cost(UINT64_C(10000000), 56), UINT64_C(8320000000));
}

static void large_packet_costs_more_than_its_payload(void **state)
{
	uint64_t last = rawsocket_cost(1, 256);

	(void)state;
	for (size_t payload = 257; payload <= OPTIONS_SIZE_MAX; payload++) {
		uint64_t cost = rawsocket_cost(1, payload);

		assert_true(cost > last && cost > 2 * payload);
		last = cost;
	}
	assert_int_equal(rawsocket_cost(7, 4000), 7 * last);
}

static void family_of_a_descriptor_is_known(void **state)
{
	int pair[2], fd;

	(void)state;
	fd = open_udp(AF_INET);
	assert_int_equal(rawsocket_family(fd), ADDRESS_IPV4);
	close(fd);
	assert_int_equal(rawsocket_family(fd), ADDRESS_NONE);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(rawsocket_family(pair[0]), ADDRESS_NONE);
	close(pair[0]);
	close(pair[1]);
	assert_int_equal(pipe(pair), 0);
	assert_int_equal(rawsocket_family(pair[0]), ADDRESS_NONE);
	close(pair[0]);
	close(pair[1]);
	fd = open_udp(AF_INET6);
	assert_int_equal(rawsocket_family(fd), ADDRESS_IPV6);
	close(fd);
}

static void buffers_grow_and_what_was_granted_is_reported(void **state)
{
	struct rawsocket_buffers buffers = {0, 0};
	struct cookie cookie = {.words = {1, 2}};
	int fd = open_udp(AF_INET);
	uint64_t receive = (uint64_t)get_option(fd, SO_RCVBUF);
	uint64_t send = (uint64_t)get_option(fd, SO_SNDBUF);

	(void)state;
	/* Less than there is takes nothing away. */
	assert_int_equal(rawsocket_prepare(fd, ADDRESS_IPV4, &cookie, &buffers), 0);
	assert_int_equal(buffers.receive, receive);
	assert_int_equal(buffers.send, send);
	assert_int_equal(get_option(fd, SO_RCVBUF), receive);
	assert_int_equal(get_option(fd, SO_SNDBUF), send);

	/* More than anybody is given, past the largest number of the interface. */
	buffers = (struct rawsocket_buffers){UINT64_C(1) << 40, UINT64_C(1) << 40};
	assert_int_equal(rawsocket_prepare(fd, ADDRESS_IPV4, &cookie, &buffers), 0);
	assert_in_range(buffers.receive, receive, INT32_MAX);
	assert_in_range(buffers.send, send, INT32_MAX);
	assert_int_equal(buffers.receive, get_option(fd, SO_RCVBUF));
	assert_int_equal(buffers.send, get_option(fd, SO_SNDBUF));
	close(fd);
}

static void buffers_within_the_limit_are_granted_as_asked(void **state)
{
	struct rawsocket_buffers buffers;
	struct cookie cookie = {.words = {1, 2}};
	int fd = open_udp(AF_INET);
	uint64_t wanted = (uint64_t)get_option(fd, SO_RCVBUF) / 2 * 2;

	(void)state;
	/* The default is within the limit, so twice the default of a new socket may not
	 * be. */
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){8192}, sizeof(int)),
			 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){8192}, sizeof(int)),
			 0);
	buffers = (struct rawsocket_buffers){wanted, wanted};
	assert_int_equal(rawsocket_prepare(fd, ADDRESS_IPV4, &cookie, &buffers), 0);
	assert_int_equal(buffers.receive, wanted);
	assert_int_equal(buffers.send, wanted);
	close(fd);
}

static void capacity_is_more_than_the_buffer_ever_holds(void **state)
{
	int pair[2], sizes[] = {4096, 20000, 100000};

	(void)state;
	assert_int_equal(rawsocket_capacity(-1), 0);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		int fd = open_udp(AF_INET);

		assert_int_equal(
			setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &sizes[i], sizeof(int)), 0);
		/* Twice the size is granted, and a packet costs 832 of it. */
		assert_true(rawsocket_capacity(fd) > 2 * (size_t)sizes[i] / 832);
		close(fd);
	}
	assert_int_equal(pipe(pair), 0);
	assert_int_equal(rawsocket_capacity(pair[0]), 0);
	close(pair[0]);
	close(pair[1]);
}

static void ipv6_socket_is_deaf_to_all_types_but_echo_reply(void **state)
{
	struct rawsocket_buffers buffers = {0, 0};
	struct cookie cookie = {.words = {1, 2}};
	int fd = open_udp(AF_INET6);

	(void)state;
	kernel.allow_icmp6_filter = true;
	assert_int_equal(rawsocket_prepare(fd, ADDRESS_IPV6, &cookie, &buffers), 0);
	for (int type = 0; type < 256; type++)
		assert_int_equal(!!ICMP6_FILTER_WILLPASS(type, &kernel.icmp6_filter),
				 type == ICMP6_ECHO_REPLY);
	close(fd);
}

static void socket_that_takes_no_filter_is_an_error(void **state)
{
	struct rawsocket_buffers buffers = {0, 0};
	struct cookie cookie = {.words = {1, 2}};
	int fd = open_udp(AF_INET6);

	(void)state;
	/* Not raw, so there is no filter of types. */
	assert_int_equal(rawsocket_prepare(fd, ADDRESS_IPV6, &cookie, &buffers), -1);
	close(fd);
	assert_int_equal(rawsocket_prepare(fd, ADDRESS_IPV4, &cookie, &buffers), -1);
	assert_int_equal(errno, EBADF);
}

static void drain_empties_the_queue_and_is_bounded(void **state)
{
	int pair[2];
	char byte;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), 0);
	rawsocket_drain(pair[1], 100); /* empty: does not wait */
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(send(pair[0], "packet", i % 2 ? 6 : 0, MSG_DONTWAIT),
				 i % 2 ? 6 : 0);
	rawsocket_drain(pair[1], 7);
	for (size_t i = 0; i < 3; i++)
		assert_true(recv(pair[1], &byte, 1, MSG_DONTWAIT) >= 0);
	assert_int_equal(recv(pair[1], &byte, 1, MSG_DONTWAIT), -1);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(send(pair[0], "packet", 6, MSG_DONTWAIT), 6);
	rawsocket_drain(pair[1], 100);
	assert_int_equal(recv(pair[1], &byte, 1, MSG_DONTWAIT), -1);
	close(pair[0]);
	close(pair[1]);
}

static void failures_are_told_on_request_and_leave_no_error_behind(void **state)
{
	struct sockaddr_in nobody = {.sin_family = AF_INET,
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = open_udp(AF_INET), told = 0;
	socklen_t len = sizeof(told);

	(void)state;
	rawsocket_tell_failures(fd, ADDRESS_IPV4, true);
	assert_int_equal(getsockopt(fd, IPPROTO_IP, IP_RECVERR, &told, &len), 0);
	assert_int_equal(told, 1);
	/* Port 1 is closed: an ICMP error comes back at once. */
	nobody.sin_port = htons(1);
	assert_int_equal(
		sendto(fd, "x", 1, 0, (struct sockaddr *)&nobody, sizeof(nobody)), 1);
	rawsocket_tell_failures(fd, ADDRESS_IPV4, false);
	assert_int_equal(getsockopt(fd, IPPROTO_IP, IP_RECVERR, &told, &len), 0);
	assert_int_equal(told, 0);
	assert_int_equal(get_option(fd, SO_ERROR), 0);
	close(fd);
}

static void drops_are_those_since_the_last_look(void **state)
{
	struct rawsocket_drops drops;

	(void)state;
	kernel.is_faked = true;
	kernel.dropped = 7;
	rawsocket_read_drops(0, ADDRESS_IPV4, &drops);
	assert_int_equal(rawsocket_new_drops(0, ADDRESS_IPV4, &drops), 0);
	kernel.dropped = 10;
	/* Checksum errors of ICMPv6 are no excuse for IPv4. */
	kernel.checksum_errors = 3;
	assert_int_equal(rawsocket_new_drops(0, ADDRESS_IPV4, &drops), 3);
	assert_int_equal(rawsocket_new_drops(0, ADDRESS_IPV4, &drops), 0);
}

static void drops_are_counted_over_the_end_of_the_kernels_counter(void **state)
{
	struct rawsocket_drops drops;

	(void)state;
	kernel.is_faked = true;
	kernel.dropped = UINT32_MAX - 1;
	rawsocket_read_drops(0, ADDRESS_IPV4, &drops);
	kernel.dropped = 3;
	assert_int_equal(rawsocket_new_drops(0, ADDRESS_IPV4, &drops), 5);
}

static void ipv6_packets_with_a_wrong_checksum_are_no_drops(void **state)
{
	struct rawsocket_drops drops;

	(void)state;
	kernel.is_faked = true;
	kernel.checksum_errors = 100;
	rawsocket_read_drops(0, ADDRESS_IPV6, &drops);
	kernel.dropped = 5;
	kernel.checksum_errors = 102;
	assert_int_equal(rawsocket_new_drops(0, ADDRESS_IPV6, &drops), 3);
	kernel.dropped = 7;
	kernel.checksum_errors = 104;
	assert_int_equal(rawsocket_new_drops(0, ADDRESS_IPV6, &drops), 0);
	/* Some were others' alone. */
	kernel.dropped = 8;
	kernel.checksum_errors = 110;
	assert_int_equal(rawsocket_new_drops(0, ADDRESS_IPV6, &drops), 0);
	kernel.dropped = 10;
	assert_int_equal(rawsocket_new_drops(0, ADDRESS_IPV6, &drops), 2);
}

static void checksum_errors_of_the_past_excuse_no_drops_of_today(void **state)
{
	struct rawsocket_drops drops;

	(void)state;
	kernel.is_faked = true;
	rawsocket_read_drops(0, ADDRESS_IPV6, &drops);
	/* Of packets that never came to this socket. */
	kernel.checksum_errors = 50;
	assert_int_equal(rawsocket_new_drops(0, ADDRESS_IPV6, &drops), 0);
	kernel.dropped = 4;
	assert_int_equal(rawsocket_new_drops(0, ADDRESS_IPV6, &drops), 4);
}

static void refusal_of_a_raw_socket_is_an_errno(void **state)
{
	int v4 = rawsocket_try(ADDRESS_IPV4), v6 = rawsocket_try(ADDRESS_IPV6);

	(void)state;
	assert_true(v4 == 0 || v4 == EPERM || v4 == EACCES);
	assert_true(v6 == v4 || v6 == EAFNOSUPPORT);
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(small_packet_costs_what_the_kernel_charges),
		TEST(large_packet_costs_more_than_its_payload),
		TEST(family_of_a_descriptor_is_known),
		TEST(buffers_grow_and_what_was_granted_is_reported),
		TEST(buffers_within_the_limit_are_granted_as_asked),
		TEST(capacity_is_more_than_the_buffer_ever_holds),
		TEST(ipv6_socket_is_deaf_to_all_types_but_echo_reply),
		TEST(socket_that_takes_no_filter_is_an_error),
		TEST(drain_empties_the_queue_and_is_bounded),
		TEST(failures_are_told_on_request_and_leave_no_error_behind),
		TEST(drops_are_those_since_the_last_look),
		TEST(drops_are_counted_over_the_end_of_the_kernels_counter),
		TEST(ipv6_packets_with_a_wrong_checksum_are_no_drops),
		TEST(checksum_errors_of_the_past_excuse_no_drops_of_today),
		TEST(refusal_of_a_raw_socket_is_an_errno),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
