/*
 * Which IPv6 addresses bar a packet from leaving, by what the kernel says of them.
 */
#include "support.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ping/tentative.h"

#define LOOPBACK "00000000000000000000000000000001 01 80 10 80       lo\n"
#define GLOBAL(flags) "fd000004000000000000000000000001 0a 40 00 " flags "     near\n"
#define LINK(flags) "fe800000000000000000000000000001 0a 40 20 " flags "     near\n"
#define READY "80"
#define TENTATIVE "c0"
#define OPTIMISTIC "44"
#define FAILED "c8"

static struct tentative read_text(const char *text)
{
	char directory[SUPPORT_PATH_SIZE], path[2 * SUPPORT_PATH_SIZE];
	struct tentative tentative;

	support_make_dir(directory);
	snprintf(path, sizeof(path), "%s/if_inet6", directory);
	support_write_file(path, text, strlen(text));
	tentative = tentative_read(path);
	support_remove_dir(directory);
	return tentative;
}

static bool bars(const struct tentative *tentative, const char *address)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6};

	assert_int_equal(inet_pton(AF_INET6, address, &to.sin6_addr), 1);
	return tentative_bars(tentative, (struct sockaddr *)&to);
}

static void only_address_that_is_tentative_bars_its_scope(void **state)
{
	struct tentative t = read_text(LOOPBACK GLOBAL(TENTATIVE) LINK(READY));

	(void)state;
	assert_true(bars(&t, "fd00:4::2"));
	assert_true(bars(&t, "2001:db8::1"));
	assert_false(bars(&t, "fe80::2"));
	t = read_text(LOOPBACK LINK(TENTATIVE) GLOBAL(READY));
	assert_false(bars(&t, "fd00:4::2"));
	assert_true(bars(&t, "fe80::2"));
	t = read_text(LINK(FAILED) GLOBAL(FAILED));
	assert_true(bars(&t, "fd00:4::2"));
	assert_true(bars(&t, "fe80::2"));
}

static void address_that_is_usable_is_enough(void **state)
{
	struct tentative t = read_text(GLOBAL(TENTATIVE) GLOBAL(READY) GLOBAL(TENTATIVE));

	(void)state;
	assert_false(bars(&t, "fd00:4::2"));
	t = read_text(GLOBAL(OPTIMISTIC) LINK(OPTIMISTIC));
	assert_false(bars(&t, "fd00:4::2") || bars(&t, "fe80::2"));
}

static void where_there_is_none_the_kernel_decides(void **state)
{
	struct tentative t = read_text(LOOPBACK LINK(READY));

	(void)state;
	assert_false(bars(&t, "fd00:4::2") || bars(&t, "fe80::2"));
	t = read_text("");
	assert_false(bars(&t, "fd00:4::2") || bars(&t, "fe80::2"));
	t = tentative_read("/nowhere/if_inet6");
	assert_false(bars(&t, "fd00:4::2") || bars(&t, "fe80::2"));
}

static void more_addresses_than_are_read_bar_nothing(void **state)
{
	char *text = calloc(1000, sizeof(GLOBAL(TENTATIVE)));
	struct tentative t;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < 1000; i++)
		memcpy(text + i * (sizeof(GLOBAL(TENTATIVE)) - 1), GLOBAL(TENTATIVE),
		       sizeof(GLOBAL(TENTATIVE)));
	t = read_text(text);
	assert_false(bars(&t, "fd00:4::2"));
	free(text);
}

static void loopback_and_ipv4_are_never_barred(void **state)
{
	struct tentative t = {.global = true, .link_local = true};
	struct sockaddr_in v4 = {.sin_family = AF_INET};

	(void)state;
	assert_false(bars(&t, "::1"));
	assert_false(tentative_bars(&t, (struct sockaddr *)&v4));
	assert_false(tentative_bars(&t, NULL));
}

static void the_kernels_own_file_is_understood(void **state)
{
	struct tentative t = tentative_read(TENTATIVE_PATH);

	(void)state;
	assert_false(bars(&t, "::1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_address_that_is_tentative_bars_its_scope),
		cmocka_unit_test(address_that_is_usable_is_enough),
		cmocka_unit_test(where_there_is_none_the_kernel_decides),
		cmocka_unit_test(more_addresses_than_are_read_bar_nothing),
		cmocka_unit_test(loopback_and_ipv4_are_never_barred),
		cmocka_unit_test(the_kernels_own_file_is_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
