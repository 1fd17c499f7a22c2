/*
 * Payload and filter. The kernel itself runs the filter: for IPv4 on a local datagram
 * socket, where it sees exactly the bytes that were sent; for IPv6, whose filter reads
 * the header in front of the packet, on a raw socket in a network namespace of its own.
 */
#include "support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ping/cookie.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define ICMP_HEADER 8
#define IPV4_SOURCE 12
#define IPV4_COOKIE (COOKIE_SIZE + 8)
#define PACKET_MAX 512
#define UNAVAILABLE 77

static struct cookie cookie;

static int set_up(void **state)
{
	unsigned seed = (unsigned)time(NULL);

	(void)state;
	print_message("# seed %u\n", seed);
	srand48(seed);
	return cookie_init(&cookie);
}

static struct address random_address(enum address_family family)
{
	struct address address = {.family = family};
	unsigned char bytes[16];

	/* Few values, so that 0x00, 0x0f, 0xf0 and 0xff come up often. */
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] =
			(unsigned char)(lrand48() % 2 ? lrand48()
						      : (lrand48() % 2) * 0x0f +
								(lrand48() % 2) * 0xf0);
	memcpy(&address.u, bytes, family == ADDRESS_IPV4 ? 4 : 16);
	return address;
}

static struct address parse(const char *text)
{
	struct address address;

	assert_true(address_parse(text, &address));
	return address;
}

static void cookie_has_no_nul_and_is_never_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < 1000; i++) {
		struct cookie one, other;
		unsigned char bytes[COOKIE_SIZE];

		assert_int_equal(cookie_init(&one), 0);
		assert_int_equal(cookie_init(&other), 0);
		assert_memory_not_equal(&one, &other, sizeof(one));
		memcpy(bytes, one.words, sizeof(bytes));
		assert_null(memchr(bytes, 0, sizeof(bytes)));
	}
}

static void payload_is_a_string_of_exactly_its_size(void **state)
{
	static const size_t sizes[] = {OPTIONS_SIZE_MIN, OPTIONS_SIZE_MIN + 1, 56, 1400,
				       OPTIONS_SIZE_MAX};
	char payload[OPTIONS_SIZE_MAX + 2];

	(void)state;
	for (size_t i = 0; i < 5000; i++) {
		struct address address =
			random_address(i % 2 ? ADDRESS_IPV4 : ADDRESS_IPV6);
		size_t size = sizes[i % LENGTH(sizes)];

		assert_int_equal(cookie_init(&cookie), 0);
		memset(payload, 0x7f, sizeof(payload));
		cookie_write_payload(&cookie, &address, size, payload);
		assert_int_equal(strnlen(payload, sizeof(payload)), size);
		assert_int_equal(payload[size + 1], 0x7f);
	}
}

static void payloads_of_two_addresses_differ(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2000; i++) {
		struct address one = random_address(i % 2 ? ADDRESS_IPV4 : ADDRESS_IPV6);
		struct address other = one;
		char first[OPTIONS_SIZE_MIN + 1], second[OPTIONS_SIZE_MIN + 1];
		size_t bit = (size_t)lrand48() % (i % 2 ? 32 : 128);

		((unsigned char *)&other.u)[bit / 8] ^= (unsigned char)(1U << bit % 8);
		cookie_write_payload(&cookie, &one, OPTIONS_SIZE_MIN, first);
		cookie_write_payload(&cookie, &other, OPTIONS_SIZE_MIN, second);
		assert_string_not_equal(first, second);
	}
}

static void attach(int fd, enum address_family family)
{
	struct sock_filter code[COOKIE_FILTER_MAX];
	struct sock_fprog program = {.filter = code};

	program.len = (unsigned short)cookie_build_filter(&cookie, family, code);
	assert_true(program.len >= 1 && program.len <= COOKIE_FILTER_MAX);
	assert_int_equal(
		setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)),
		0);
}

/* A socket pair whose second end has the filter for IPv4. */
static void open_filtered(int pair[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), 0);
	attach(pair[1], ADDRESS_IPV4);
}

static void close_pair(const int pair[2])
{
	close(pair[0]);
	close(pair[1]);
}

static bool passes(const int pair[2], const unsigned char *packet, size_t len)
{
	unsigned char received[PACKET_MAX];
	ssize_t n;

	assert_int_equal(send(pair[0], packet, len, MSG_DONTWAIT), (ssize_t)len);
	n = recv(pair[1], received, sizeof(received), MSG_DONTWAIT);
	if (n < 0) {
		assert_int_equal(errno, EAGAIN);
		return false;
	}
	/* And whole. */
	assert_int_equal(n, (ssize_t)len);
	assert_memory_equal(received, packet, len);
	return true;
}

/* The reply of an IPv4 host with a header of so many words; returns its length. */
static size_t make_reply(const struct address *address, unsigned words,
			 unsigned char packet[PACKET_MAX])
{
	size_t header = 4 * words;
	char payload[57];

	memset(packet, 0xee, PACKET_MAX);
	packet[0] = (unsigned char)(0x40 | words);
	memcpy(packet + IPV4_SOURCE, &address->u.v4, 4);
	packet[header] = ICMP_ECHOREPLY;
	packet[header + 1] = 0;
	cookie_write_payload(&cookie, address, 56, payload);
	memcpy(packet + header + ICMP_HEADER, payload, 56);
	return header + ICMP_HEADER + 56;
}

static void ipv4_reply_from_the_address_asked_passes(void **state)
{
	unsigned char packet[PACKET_MAX];
	int pair[2];

	(void)state;
	open_filtered(pair);
	for (size_t i = 0; i < 1000; i++) {
		struct address address = random_address(ADDRESS_IPV4);
		size_t len = make_reply(&address, 5 + (unsigned)lrand48() % 11, packet);

		assert_true(passes(pair, packet, len));
	}
	close_pair(pair);
}

static void ipv4_reply_from_another_address_is_rejected(void **state)
{
	struct address address = parse("10.0.0.7");
	unsigned char packet[PACKET_MAX];
	int pair[2];

	(void)state;
	open_filtered(pair);
	for (size_t bit = 0; bit < 32; bit++) {
		size_t len = make_reply(&address, 5, packet);

		packet[IPV4_SOURCE + bit / 8] ^= (unsigned char)(1U << bit % 8);
		assert_false(passes(pair, packet, len));
	}
	close_pair(pair);
}

static void ipv4_reply_with_any_wrong_bit_of_cookie_or_address_is_rejected(void **state)
{
	struct address address = parse("192.168.255.240");
	unsigned char packet[PACKET_MAX];
	int pair[2];

	(void)state;
	open_filtered(pair);
	for (unsigned words = 5; words <= 15; words += 5) {
		for (size_t bit = 0; bit < 8 * 56; bit++) {
			size_t len = make_reply(&address, words, packet);

			packet[4 * words + ICMP_HEADER + bit / 8] ^=
				(unsigned char)(1U << bit % 8);
			assert_int_equal(passes(pair, packet, len),
					 bit >= 8 * IPV4_COOKIE);
		}
	}
	close_pair(pair);
}

static void ipv4_packet_of_another_type_is_rejected(void **state)
{
	struct address address = parse("10.0.0.7");
	unsigned char packet[PACKET_MAX];
	int pair[2];

	(void)state;
	open_filtered(pair);
	for (unsigned type = 0; type < 256; type++) {
		size_t len = make_reply(&address, 5, packet);

		packet[20] = (unsigned char)type;
		assert_int_equal(passes(pair, packet, len), type == ICMP_ECHOREPLY);
	}
	close_pair(pair);
}

static void ipv4_reply_cut_within_cookie_or_address_is_rejected(void **state)
{
	struct address address = parse("10.0.0.7");
	unsigned char packet[PACKET_MAX];
	int pair[2];

	(void)state;
	open_filtered(pair);
	for (unsigned words = 5; words <= 15; words++) {
		size_t len = make_reply(&address, words, packet);
		size_t needed = 4 * words + ICMP_HEADER + IPV4_COOKIE;

		for (size_t cut = 1; cut <= len; cut++)
			assert_int_equal(passes(pair, packet, cut), cut >= needed);
	}
	close_pair(pair);
}

static void ipv4_reply_of_another_run_is_rejected(void **state)
{
	struct address address = parse("10.0.0.7");
	unsigned char packet[PACKET_MAX];
	int pair[2];
	size_t len;

	(void)state;
	open_filtered(pair);
	assert_int_equal(cookie_init(&cookie), 0);
	len = make_reply(&address, 5, packet);
	assert_false(passes(pair, packet, len));
	close_pair(pair);
}

/* The source of replies; it differs from their destination. */
#define ANSWERER "fd00::8001:5"

/* In a child, which has a number of its own for everything that goes wrong. */
static int open_raw(int *sender, int *receiver)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	struct sock_filter code[COOKIE_FILTER_MAX];
	struct sock_fprog program = {.filter = code};
	struct sockaddr_in6 answerer = {.sin6_family = AF_INET6};

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return UNAVAILABLE;
	*sender = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6);
	*receiver = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6);
	if (*sender < 0 || *receiver < 0 || ioctl(*sender, SIOCSIFFLAGS, &lo) < 0 ||
	    setsockopt(*sender, IPPROTO_IPV6, IPV6_FREEBIND, &(int){1}, sizeof(int)) < 0)
		return UNAVAILABLE;
	inet_pton(AF_INET6, ANSWERER, &answerer.sin6_addr);
	if (bind(*sender, (struct sockaddr *)&answerer, sizeof(answerer)) < 0)
		return 1;
	program.len = (unsigned short)cookie_build_filter(&cookie, ADDRESS_IPV6, code);
	return setsockopt(*receiver, SOL_SOCKET, SO_ATTACH_FILTER, &program,
			  sizeof(program)) < 0;
}

/* Sends a packet to ::1; -1 if it could not be sent. */
static int passes_raw(int sender, int receiver, const unsigned char *packet, size_t len)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6,
				  .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	unsigned char received[PACKET_MAX];

	if (sendto(sender, packet, len, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		return -1;
	return recv(receiver, received, sizeof(received), MSG_DONTWAIT) == (ssize_t)len;
}

static size_t make_reply6(const char *text, unsigned char packet[PACKET_MAX])
{
	struct address address;
	char payload[57];

	memset(packet, 0, PACKET_MAX);
	packet[0] = ICMP6_ECHO_REPLY;
	address_parse(text, &address);
	cookie_write_payload(&cookie, &address, 56, payload);
	memcpy(packet + ICMP_HEADER, payload, 56);
	return ICMP_HEADER + 56;
}

static int check_bits(int sender, int receiver)
{
	unsigned char packet[PACKET_MAX];

	for (size_t bit = 0; bit < 8 * 56; bit++) {
		size_t len = make_reply6(ANSWERER, packet);

		packet[ICMP_HEADER + bit / 8] ^= (unsigned char)(1U << bit % 8);
		if (passes_raw(sender, receiver, packet, len) !=
		    (bit >= 8 * OPTIONS_SIZE_MIN))
			return 10;
	}
	return 0;
}

static int check_lengths(int sender, int receiver)
{
	unsigned char packet[PACKET_MAX];
	size_t len = make_reply6(ANSWERER, packet);

	for (size_t cut = ICMP_HEADER; cut <= len; cut++)
		if (passes_raw(sender, receiver, packet, cut) !=
		    (cut >= ICMP_HEADER + OPTIONS_SIZE_MIN))
			return 11;
	return 0;
}

static int check_types(int sender, int receiver)
{
	static const unsigned char types[] = {ICMP6_DST_UNREACH, ICMP6_PACKET_TOO_BIG,
					      200};
	unsigned char packet[PACKET_MAX];

	for (size_t i = 0; i < LENGTH(types); i++) {
		size_t len = make_reply6(ANSWERER, packet);

		packet[0] = types[i];
		if (passes_raw(sender, receiver, packet, len) != 0)
			return 12;
	}
	return 0;
}

static int check_ipv6(void)
{
	unsigned char packet[PACKET_MAX];
	int sender, receiver, status = open_raw(&sender, &receiver);
	size_t len = make_reply6(ANSWERER, packet);

	if (status)
		return status;
	if (passes_raw(sender, receiver, packet, len) != 1)
		return 2;
	/* The address that it was sent to, and one that differs in its last bit. */
	make_reply6("::1", packet);
	if (passes_raw(sender, receiver, packet, len) != 0)
		return 3;
	make_reply6("fd00::8001:4", packet);
	if (passes_raw(sender, receiver, packet, len) != 0)
		return 4;
	status = check_bits(sender, receiver);
	if (!status)
		status = check_lengths(sender, receiver);
	return status ? status : check_types(sender, receiver);
}

static void ipv6_reply_passes_only_with_the_cookie_and_its_own_address(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(check_ipv6());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == UNAVAILABLE)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cookie_has_no_nul_and_is_never_the_same),
		cmocka_unit_test(payload_is_a_string_of_exactly_its_size),
		cmocka_unit_test(payloads_of_two_addresses_differ),
		cmocka_unit_test(ipv4_reply_from_the_address_asked_passes),
		cmocka_unit_test(ipv4_reply_from_another_address_is_rejected),
		cmocka_unit_test(
			ipv4_reply_with_any_wrong_bit_of_cookie_or_address_is_rejected),
		cmocka_unit_test(ipv4_packet_of_another_type_is_rejected),
		cmocka_unit_test(ipv4_reply_cut_within_cookie_or_address_is_rejected),
		cmocka_unit_test(ipv4_reply_of_another_run_is_rejected),
		cmocka_unit_test(
			ipv6_reply_passes_only_with_the_cookie_and_its_own_address),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
