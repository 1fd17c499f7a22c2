/*
 * Numbers as text: what is read is the whole string, what is written is exact.
 */
#include "support.h"

#include "number.h"

static void duration_is_read_exactly(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} cases[] = {{"10s", INT64_C(10000000000)},
		     {"2.5ms", 2500000},
		     {"100us", 100000},
		     {"0", 0},
		     {"0s", 0},
		     {"1m", INT64_C(60000000000)},
		     {"1.5h", INT64_C(5400000000000)},
		     {"0.000000001s", 1},
		     {"7ns", 7},
		     {"106751d", INT64_C(106751) * 86400 * 1000000000}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t ns = -1;

		assert_true(number_parse_duration(cases[i].text, &ns));
		assert_int_equal(ns, cases[i].ns);
	}
}

static void duration_refuses_everything_else(void **state)
{
	static const char *const texts[] = {"",	    "5",   "5 s", "s",	    "-1s",    "+1s",
					    "1.s",  ".5s", "1e3s", "1ss",   "1S",     "0.1ns",
					    "1s ",  "nan", "1.0000000001s", "106752d", "1.5",
					    "99999999999999999999s"};
	int64_t ns;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_false(number_parse_duration(texts[i], &ns));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(duration_is_read_exactly),
		cmocka_unit_test(duration_refuses_everything_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
