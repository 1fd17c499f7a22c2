/*
 * The kernel's counts of echo requests and replies.
 */
#include "support.h"

#include "base/echocounts.h"

static void columns_are_found_by_their_names(void **state)
{
	uint64_t received = 0, replied = 0;

	(void)state;
	assert_true(echocounts_parse_snmp(
		"Ip: Forwarding\nIp: 1\nIcmp: InMsgs InEchos InEchoReps OutEchos OutEchoReps\nIcmp: 1 22 3 4 18446744073709551615\nIcmpMsg: InType0\nIcmpMsg: 5\n",
		&received, &replied));
	assert_int_equal(received, 22);
	assert_true(replied == UINT64_MAX);
	/* Another kernel has other columns, and another order. */
	assert_true(echocounts_parse_snmp("\nIcmp: OutEchoReps InEchos\nIcmp: 7 8\n",
					  &received, &replied));
	assert_int_equal(received, 8);
	assert_int_equal(replied, 7);
}

static void what_is_not_there_is_not_guessed(void **state)
{
	static const char *const texts[] = {
		"",
		"\nIcmp: InEchos OutEchoReps\n",
		"\nIcmp: InEchos OutEchoReps\nIcmp: 1\n",
		"\nIcmp: InEchos\nIcmp: 1\n",
		"\nIcmp: InEchos OutEchoReps\nIcmp: 1 x\n",
		"\nIcmp: InEchos OutEchoReps\nIcmp: 1 99999999999999999999999\n",
		"\nIcmp: XInEchos OutEchoReps\nIcmp: 1 2\n",
	};
	uint64_t received, replied;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_false(echocounts_parse_snmp(texts[i], &received, &replied));
}

static void this_kernel_tells_its_counts(void **state)
{
	struct echo_counts counts;

	(void)state;
	assert_true(echocounts_read(&counts));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_found_by_their_names),
		cmocka_unit_test(what_is_not_there_is_not_guessed),
		cmocka_unit_test(this_kernel_tells_its_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
