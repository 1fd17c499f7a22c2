/*
 * Routes of the loopback interface, which every host has. Other tables and devices are in
 * the behaviour tests of lookups and failure reasons.
 */
#include "support.h"

#include <dlfcn.h>
#include <errno.h>
#include <sys/socket.h>

#include "peers/route.h"

/* What was asked for, and whether the kernel refuses marks. */
static struct {
	bool refuses_mark;
	unsigned marks;
	uint32_t mark;
} kernel;

int setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
	int (*libc)(int, int, int, const void *, socklen_t) =
		(int (*)(int, int, int, const void *, socklen_t))(uintptr_t)dlsym(
			RTLD_NEXT, "setsockopt");

	if (level != SOL_SOCKET || option != SO_MARK)
		return libc(fd, level, option, value, len);
	kernel.marks++;
	kernel.mark = *(const uint32_t *)value;
	errno = EPERM;
	return kernel.refuses_mark ? -1 : 0;
}

static const struct source any;
static const struct mark no_mark;

static struct address parse(const char *text)
{
	struct address address;

	assert_true(address_parse(text, &address));
	return address;
}

static void assert_from(const struct address *from, const char *expected)
{
	char actual[ADDRESS_TEXT_SIZE];

	address_format(from, actual);
	assert_string_equal(actual, expected);
}

static void the_source_address_is_what_the_kernel_would_use(void **state)
{
	const struct address to = parse("127.0.0.9");
	const struct source source = {.v4 = parse("127.0.0.5"), .v6 = parse("::1")};
	struct address from;

	(void)state;
	assert_int_equal(route_find(&to, &any, "", no_mark, &from), 0);
	assert_from(&from, "127.0.0.1");
	assert_int_equal(route_find(&to, &source, "lo", no_mark, &from), 0);
	assert_from(&from, "127.0.0.5");
	assert_int_equal(route_find(&to, &source, "", no_mark, NULL), 0);
}

static void the_reason_why_there_is_no_route_is_an_errno(void **state)
{
	const struct address to = parse("127.0.0.9"), all = parse("127.255.255.255");
	const struct source foreign = {.v4 = parse("192.0.2.1")};
	struct address from;

	(void)state;
	assert_int_equal(route_find(&all, &any, "", no_mark, &from), -1);
	assert_int_equal(errno, EACCES);
	assert_int_equal(route_find(&to, &foreign, "", no_mark, &from), -1);
	assert_int_equal(errno, EADDRNOTAVAIL);
	assert_int_equal(route_find(&to, &any, "no-such-device", no_mark, &from), -1);
	assert_int_equal(errno, ENODEV);
}

static void a_mark_that_is_refused_is_left_out(void **state)
{
	const struct address to = parse("127.0.0.9");
	const struct mark mark = {.is_set = true, .value = 0x10};
	struct address from;

	(void)state;
	assert_int_equal(route_find(&to, &any, "", no_mark, &from), 0);
	assert_int_equal(kernel.marks, 0);
	for (unsigned i = 1; i <= 2; i++) {
		assert_int_equal(route_find(&to, &any, "", mark, &from), 0);
		assert_int_equal(kernel.marks, i);
		assert_int_equal(kernel.mark, 0x10);
		kernel.refuses_mark = true;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_source_address_is_what_the_kernel_would_use),
		cmocka_unit_test(the_reason_why_there_is_no_route_is_an_errno),
		cmocka_unit_test(a_mark_that_is_refused_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
