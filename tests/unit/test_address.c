/*
 * Addresses: numeric text in, canonical text out, nothing looked up.
 */
#include "support.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/address.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct address parse(const char *text)
{
	struct address address;

	if (!address_parse(text, &address))
		fail_msg("`%s` was refused", text);
	return address;
}

static void numeric_addresses_are_written_canonically(void **state)
{
	static const struct {
		const char *text, *canonical;
		enum address_family family;
	} cases[] = {{"10.0.0.1", "10.0.0.1", ADDRESS_IPV4},
		     {"0.0.0.0", "0.0.0.0", ADDRESS_IPV4},
		     {"255.255.255.255", "255.255.255.255", ADDRESS_IPV4},
		     {"fd00::14", "fd00::14", ADDRESS_IPV6},
		     {"FD00:0:0::0014", "fd00::14", ADDRESS_IPV6},
		     {"::", "::", ADDRESS_IPV6},
		     {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6", ADDRESS_IPV6},
		     {"::ffff:10.0.0.1", "::ffff:10.0.0.1", ADDRESS_IPV6}};
	char out[ADDRESS_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct address address = parse(cases[i].text);

		assert_int_equal(address.family, cases[i].family);
		assert_int_equal(address.scope, 0);
		address_format(&address, out);
		assert_string_equal(out, cases[i].canonical);
	}
}

static void what_only_looks_like_an_address_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"10.0.0.256",
		"10.0.0",
		"10.1",
		"1",
		"0x7f.1",
		"0x7f000001",
		"10.0.0.1.1",
		"010.0.0.01",
		" 10.0.0.1",
		"10.0.0.1 ",
		"10.0.0.1/8",
		"10.0.0.1%lo",
		"10.0.0.-1",
		"10..0.1",
		":",
		":::",
		"1:2:3:4:5:6:7",
		"1::2::3",
		"g::",
		"[::1]",
		"fd00::1/64",
		"12345::",
		"localhost",
		"fe80::1%",
		"fe80::1%no-such-if0",
		"%lo",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd"};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct address address;

		memset(&address, 0xff, sizeof(address));
		if (address_parse(texts[i], &address))
			fail_msg("`%s` was taken", texts[i]);
		assert_int_equal(address.family, ADDRESS_NONE);
	}
}

static void link_local_address_names_its_interface(void **state)
{
	struct address address = parse("fe80::1%lo");
	char out[ADDRESS_TEXT_SIZE];

	(void)state;
	assert_int_equal(address.scope, if_nametoindex("lo"));
	address_format(&address, out);
	assert_string_equal(out, "fe80::1%lo");
	address.scope = 4000000000;
	address_format(&address, out);
	assert_string_equal(out, "fe80::1%4000000000");
}

static void scoped_address_is_read_without_its_interface(void **state)
{
	char interface[IF_NAMESIZE] = "";
	struct address address;

	(void)state;
	assert_true(address_parse_scoped("fe80::1%no-such-if0", &address, interface));
	assert_string_equal(interface, "no-such-if0");
	assert_int_equal(address.family, ADDRESS_IPV6);
	assert_int_equal(address.scope, 0);
	assert_false(address_parse_scoped("fe80::1", &address, interface));
	assert_false(address_parse_scoped("fd00::1%lo", &address, interface));
	assert_int_equal(address.family, ADDRESS_NONE);
}

static void no_address_is_written_as_nothing(void **state)
{
	const struct address none = {.family = ADDRESS_NONE};
	char out[ADDRESS_TEXT_SIZE] = "x";

	(void)state;
	address_format(&none, out);
	assert_string_equal(out, "");
	assert_string_equal(address_family_name(ADDRESS_NONE), "");
	assert_string_equal(address_family_name(ADDRESS_IPV4), "ipv4");
	assert_string_equal(address_family_name(ADDRESS_IPV6), "ipv6");
}

static void socket_addresses_of_both_families_are_taken(void **state)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = 7};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_scope_id = 9};
	struct sockaddr other = {.sa_family = AF_UNIX};
	struct address address, expected = parse("10.0.0.1");

	(void)state;
	in.sin_addr.s_addr = htonl(0x0a000001);
	assert_true(address_from_sockaddr((struct sockaddr *)&in, &address));
	assert_true(address_equal(&address, &expected));
	expected = parse("fe80::1");
	expected.scope = 9;
	in6.sin6_addr = expected.u.v6;
	assert_true(address_from_sockaddr((struct sockaddr *)&in6, &address));
	assert_true(address_equal(&address, &expected));
	assert_false(address_from_sockaddr(&other, &address));
	assert_int_equal(address.family, ADDRESS_NONE);
}

static void order_is_by_family_then_bytes_then_scope(void **state)
{
	struct address sorted[8] = {{.family = ADDRESS_NONE}};

	(void)state;
	sorted[1] = parse("1.0.0.200");
	sorted[2] = parse("10.0.0.1");
	sorted[3] = parse("200.0.0.1");
	sorted[4] = parse("::1");
	sorted[5] = parse("fe80::1");
	sorted[6] = parse("fe80::1");
	sorted[6].scope = 1;
	sorted[7] = parse("fe80::2");
	for (size_t a = 0; a < COUNT(sorted); a++) {
		for (size_t b = 0; b < COUNT(sorted); b++) {
			int order = address_compare(&sorted[a], &sorted[b]);

			assert_int_equal((order > 0) - (order < 0), (a > b) - (a < b));
			assert_int_equal(address_equal(&sorted[a], &sorted[b]), a == b);
		}
	}
}

static void loopback_is_all_of_127_and_one(void **state)
{
	static const struct {
		const char *text;
		bool loopback;
	} cases[] = {{"127.0.0.1", true},
		     {"127.255.255.255", true},
		     {"126.255.255.255", false},
		     {"128.0.0.0", false},
		     {"::1", true},
		     {"::2", false}};
	const struct address none = {.family = ADDRESS_NONE};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct address address = parse(cases[i].text);

		assert_int_equal(address_is_loopback(&address), cases[i].loopback);
	}
	assert_false(address_is_loopback(&none));
}

static void addresses_of_no_single_host_are_unusable(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {{"0.0.0.0", "is unspecified (0.0.0.0/8)"},
		     {"0.1.2.3", "is unspecified (0.0.0.0/8)"},
		     {"255.255.255.255", "is the broadcast address"},
		     {"224.0.0.1", "is a multicast address"},
		     {"239.255.255.255", "is a multicast address"},
		     {"223.255.255.255", NULL},
		     {"1.0.0.0", NULL},
		     {"127.0.0.1", NULL},
		     {"169.254.0.1", NULL},
		     {"::", "is unspecified (::)"},
		     {"ff02::1", "is a multicast address"},
		     {"::ffff:10.0.0.1", "is an IPv4 address in IPv6 notation"},
		     {"::1", NULL},
		     {"fd00::1", NULL},
		     {"2001:db8::1", NULL}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct address address = parse(cases[i].text);
		const char *why = address_unusable(&address);

		if (cases[i].why && why)
			assert_string_equal(why, cases[i].why);
		else if (cases[i].why || why)
			fail_msg("%s: %s", cases[i].text, why ? why : "taken");
	}
}

static void socket_address_and_address_are_the_same(void **state)
{
	static const char *const texts[] = {"10.0.0.1", "fd00::1", "fe80::1%lo"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct address address, again;
		union socket_address sa;
		socklen_t len;

		assert_true(address_parse(texts[i], &address));
		len = address_to_sockaddr(&address, &sa);
		assert_int_equal(len, i == 0 ? sizeof(sa.v4) : sizeof(sa.v6));
		assert_true(address_from_sockaddr(&sa.any, &again));
		assert_true(address_equal(&address, &again));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numeric_addresses_are_written_canonically),
		cmocka_unit_test(what_only_looks_like_an_address_is_refused),
		cmocka_unit_test(link_local_address_names_its_interface),
		cmocka_unit_test(scoped_address_is_read_without_its_interface),
		cmocka_unit_test(no_address_is_written_as_nothing),
		cmocka_unit_test(socket_addresses_of_both_families_are_taken),
		cmocka_unit_test(order_is_by_family_then_bytes_then_scope),
		cmocka_unit_test(loopback_is_all_of_127_and_one),
		cmocka_unit_test(addresses_of_no_single_host_are_unusable),
		cmocka_unit_test(socket_address_and_address_are_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
