/*
 * Lists of failures of a target.
 */
#include "support.h"

#include <errno.h>
#include <string.h>

#include "peers/failure.h"

static struct address address(const char *text)
{
	struct address result;

	assert_true(address_parse(text, &result));
	return result;
}

static void equal_failures_are_counted_together_and_sorted(void **state)
{
	const struct address none = {.family = ADDRESS_NONE};
	struct address router = address("192.0.2.1");
	struct failure *list = NULL;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(failure_add(&list, FAILURE_PROHIBITED, &router), 0);
	assert_int_equal(failure_add(&list, FAILURE_DEVICE, &none), 0);
	assert_int_equal(list->reason, FAILURE_DEVICE);
	assert_int_equal(list->count, 1);
	assert_int_equal(list->next->count, 3);
	assert_true(address_equal(&list->next->from, &router));
	assert_null(list->next->next);
	failure_free(&list);
	assert_null(list);
	failure_free(&list);
}

/* A flood of errors from forged addresses must not fill memory and file. */
static void the_list_is_bounded_and_counts_all(void **state)
{
	struct failure *list = NULL;
	size_t entries = 0;
	uint64_t count = 0;

	(void)state;
	for (uint32_t i = 0; i < 100; i++) {
		struct address from = {.family = ADDRESS_IPV4};

		memcpy(&from.u.v4, &i, sizeof(i));
		assert_int_equal(failure_add(&list, FAILURE_HOST_UNREACHABLE, &from), 0);
	}
	for (const struct failure *f = list; f; f = f->next, entries++)
		count += f->count;
	assert_int_equal(entries, FAILURE_MAX);
	assert_int_equal(count, 100);
	failure_free(&list);
}

static void names_are_sorted_and_complete(void **state)
{
	(void)state;
	for (size_t i = 0; i < FAILURE_REASONS; i++) {
		assert_non_null(failure_reason_names[i]);
		assert_true(i == 0 || strcmp(failure_reason_names[i - 1],
					     failure_reason_names[i]) < 0);
	}
}

static void errnos_have_their_reason(void **state)
{
	static const struct {
		int error;
		const char *ipv4, *ipv6;
	} cases[] = {
		{ENETUNREACH, "no_route", "no_route"},
		{EHOSTUNREACH, "no_route", "no_route"},
		{EPERM, "not_permitted", "not_permitted"},
		{EACCES, "not_permitted", "not_permitted"},
		{ENOBUFS, "no_buffer", "no_buffer"},
		{EINVAL, "other", "neighbour_table"},
		{EADDRNOTAVAIL, "no_source_address", "no_source_address"},
		{EMSGSIZE, "message_size", "message_size"},
		{ENETDOWN, "device", "device"},
		{ENODEV, "device", "device"},
		{EIO, "other", "other"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_string_equal(failure_reason_names[failure_of_errno(cases[i].error,
									  ADDRESS_IPV4)],
				    cases[i].ipv4);
		assert_string_equal(failure_reason_names[failure_of_errno(cases[i].error,
									  ADDRESS_IPV6)],
				    cases[i].ipv6);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_failures_are_counted_together_and_sorted),
		cmocka_unit_test(the_list_is_bounded_and_counts_all),
		cmocka_unit_test(names_are_sorted_and_complete),
		cmocka_unit_test(errnos_have_their_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
