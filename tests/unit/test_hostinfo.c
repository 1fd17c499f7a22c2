/*
 * What liboping is told about a host, and that everybody else still reaches libc.
 */
#include "support.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "ping/hostinfo.h"

static const struct addrinfo hints = {.ai_flags = AI_ADDRCONFIG | AI_CANONNAME,
				      .ai_socktype = SOCK_RAW};

static void any_name_has_the_address_of_the_host(void **state)
{
	static const char *const texts[] = {"10.1.2.3", "127.0.0.1", "fd00::1", "::1"};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct address address, found;
		struct addrinfo *list;

		assert_true(address_parse(texts[i], &address));
		hostinfo_begin(&address, 0);
		assert_int_equal(getaddrinfo("no such name/56", NULL, &hints, &list), 0);
		assert_true(address_from_sockaddr(list->ai_addr, &found));
		assert_true(address_equal(&address, &found));
		assert_int_equal(list->ai_family, list->ai_addr->sa_family);
		assert_null(list->ai_next);
		assert_null(list->ai_canonname);
		freeaddrinfo(list);
		(void)hostinfo_end();
	}
}

static void link_local_address_keeps_its_interface(void **state)
{
	struct address address, found;
	struct addrinfo *list;

	(void)state;
	assert_true(address_parse("fe80::1%lo", &address));
	hostinfo_begin(&address, 0);
	assert_int_equal(getaddrinfo("x", NULL, &hints, &list), 0);
	assert_true(address_from_sockaddr(list->ai_addr, &found));
	assert_int_equal(found.scope, address.scope);
	(void)hostinfo_end();
}

static void ident_is_the_chosen_one(void **state)
{
	struct address address = {.family = ADDRESS_IPV4};

	(void)state;
	hostinfo_begin(&address, 65535);
	assert_int_equal(random(), 65535);
	assert_int_equal(random(), 65535);
	(void)hostinfo_end();
}

static void a_library_that_does_not_ask_is_noticed(void **state)
{
	struct address address = {.family = ADDRESS_IPV4};
	struct addrinfo *list;

	(void)state;
	hostinfo_begin(&address, 1);
	assert_false(hostinfo_end());
	hostinfo_begin(&address, 1);
	(void)random();
	assert_false(hostinfo_end());
	hostinfo_begin(&address, 1);
	assert_int_equal(getaddrinfo("x", NULL, &hints, &list), 0);
	assert_false(hostinfo_end());
	hostinfo_begin(&address, 1);
	(void)random();
	assert_int_equal(getaddrinfo("x", NULL, &hints, &list), 0);
	assert_true(hostinfo_end());
}

static void otherwise_libc_answers(void **state)
{
	const struct addrinfo numeric = {.ai_flags = AI_NUMERICHOST};
	struct addrinfo *list;
	struct address found;
	long first = random();
	size_t different = 0;

	(void)state;
	assert_int_equal(getaddrinfo("no such name/56", NULL, &numeric, &list),
			 EAI_NONAME);
	assert_int_equal(getaddrinfo("192.0.2.7", NULL, &numeric, &list), 0);
	assert_true(address_from_sockaddr(list->ai_addr, &found));
	assert_int_equal(ntohl(found.u.v4.s_addr), 0xc0000207);
	freeaddrinfo(list);
	for (size_t i = 0; i < 16; i++) {
		long number = random();

		assert_in_range(number, 0, INT32_MAX);
		different += number != first;
	}
	assert_true(different > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_name_has_the_address_of_the_host),
		cmocka_unit_test(link_local_address_keeps_its_interface),
		cmocka_unit_test(ident_is_the_chosen_one),
		cmocka_unit_test(a_library_that_does_not_ask_is_noticed),
		cmocka_unit_test(otherwise_libc_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
