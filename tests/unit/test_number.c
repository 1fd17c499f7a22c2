/*
 * Numbers as text: what is read is the whole string, what is written is exact.
 */
#include "support.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/number.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define DAY_NS (INT64_C(86400) * 1000000000)
#define POW2_53 UINT64_C(9007199254740992)

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
		     {"00", 0},
		     {"1m", INT64_C(60000000000)},
		     {"1.5h", INT64_C(5400000000000)},
		     {"0.5d", DAY_NS / 2},
		     {"010s", INT64_C(10000000000)},
		     {"0.000000001s", 1},
		     {"0.100000000s", 100000000},
		     {"0.001us", 1},
		     {"7ns", 7},
		     {"7.0ns", 7},
		     {"9223372036854775807ns", INT64_MAX},
		     {"9223372036.854775807s", INT64_MAX},
		     {"106751d", INT64_C(106751) * DAY_NS}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		int64_t ns = -1;

		assert_true(number_parse_duration(cases[i].text, &ns));
		assert_int_equal(ns, cases[i].ns);
	}
}

static void duration_with_nine_decimals_is_read_in_every_unit(void **state)
{
	int64_t ns = -1;

	(void)state;
	assert_true(number_parse_duration("0.500000000h", &ns));
	assert_int_equal(ns, INT64_C(1800000000000));
	assert_true(number_parse_duration("0.999999999d", &ns));
	assert_int_equal(ns, DAY_NS - 86400);
}

static void duration_refuses_everything_else(void **state)
{
	static const char *const texts[] = {"",
					    "5",
					    "5 s",
					    "s",
					    "-1s",
					    "+1s",
					    "1.s",
					    ".5s",
					    "1e3s",
					    "1ss",
					    "1S",
					    "1M",
					    "1min",
					    "1sec",
					    "1w",
					    "1 ",
					    " 1s",
					    "0.1ns",
					    "1s ",
					    "nan",
					    "1,5s",
					    "0x1s",
					    "1.5",
					    "0.0",
					    "-0",
					    "1.5.5s",
					    "1h30m",
					    "1.0000000001s",
					    "0.0000000000s",
					    "106752d",
					    "9223372036854775808ns",
					    "9223372036.854775808s",
					    "99999999999999999999s",
					    "18446744073709551616ns"};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		int64_t ns = -7;

		if (number_parse_duration(texts[i], &ns))
			fail_msg("`%s` was read as %" PRId64 " ns", texts[i], ns);
	}
}

static void whole_number_is_read_up_to_its_limit(void **state)
{
	static const struct {
		const char *text;
		uint64_t max, value;
		bool good;
	} cases[] = {{"0", 0, 0, true},
		     {"1", 0, 0, false},
		     {"7", 7, 7, true},
		     {"8", 7, 0, false},
		     {"007", 7, 7, true},
		     {"10", 9, 0, false},
		     {"65536", 65536, 65536, true},
		     {"18446744073709551615", UINT64_MAX, UINT64_MAX, true},
		     {"18446744073709551616", UINT64_MAX, 0, false},
		     {"184467440737095516150", UINT64_MAX, 0, false},
		     {"", 9, 0, false},
		     {"-1", 9, 0, false},
		     {"+1", 9, 0, false},
		     {" 1", 9, 0, false},
		     {"1 ", 9, 0, false},
		     {"1.0", 9, 0, false},
		     {"0x1", 9, 0, false},
		     {"1e1", 99, 0, false}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t value = 0;

		if (number_parse_u64(cases[i].text, cases[i].max, &value) !=
		    cases[i].good)
			fail_msg("`%s` up to %" PRIu64, cases[i].text, cases[i].max);
		if (cases[i].good)
			assert_int_equal(value, cases[i].value);
	}
}

static void hexadecimal_number_is_read_up_to_its_limit(void **state)
{
	static const struct {
		const char *text;
		uint64_t max, value;
		bool good;
	} cases[] = {{"0x0", 0, 0, true},
		     {"0xff", 255, 255, true},
		     {"0XfF", 255, 255, true},
		     {"0x100", 255, 0, false},
		     {"0x7fffffff", INT32_MAX, INT32_MAX, true},
		     {"0x80000000", INT32_MAX, 0, false},
		     {"0xffffffffffffffff", UINT64_MAX, UINT64_MAX, true},
		     {"0x10000000000000000", UINT64_MAX, 0, false},
		     {"12", 12, 12, true},
		     {"0", 12, 0, true},
		     {"0x", 12, 0, false},
		     {"x1", 12, 0, false},
		     {"0xg", 99, 0, false},
		     {"0x1 ", 99, 0, false},
		     {"0x-1", 99, 0, false},
		     {"", 99, 0, false},
		     {"ff", 255, 0, false}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t value = 0;

		if (number_parse_u64_any(cases[i].text, cases[i].max, &value) !=
		    cases[i].good)
			fail_msg("`%s` up to %" PRIu64, cases[i].text, cases[i].max);
		if (cases[i].good)
			assert_int_equal(value, cases[i].value);
	}
}

static void seconds_are_read_with_up_to_nine_decimals(void **state)
{
	static const struct {
		const char *text;
		uint64_t seconds;
		uint32_t nanos;
	} cases[] = {{"0", 0, 0},
		     {"1", 1, 0},
		     {"12.5", 12, 500000000},
		     {"0.00025", 0, 250000},
		     {"0.000000001", 0, 1},
		     {"3.999999999", 3, 999999999},
		     {"9007199254740992", POW2_53, 0},
		     {"9007199254740992.999999999", POW2_53, 999999999}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t seconds = 7;
		uint32_t nanos = 7;

		assert_true(number_parse_seconds(cases[i].text, &seconds, &nanos));
		assert_int_equal(seconds, cases[i].seconds);
		assert_int_equal(nanos, cases[i].nanos);
	}
}

static void seconds_refuse_everything_else(void **state)
{
	static const char *const texts[] = {"",
					    ".",
					    "1.",
					    ".5",
					    "-1",
					    "+1",
					    " 1",
					    "1 ",
					    "1e3",
					    "NaN",
					    "+Inf",
					    "1.0000000001",
					    "1.2.3",
					    "0x10",
					    "1.5s",
					    "1,5",
					    "9007199254740993",
					    "18446744073709551616",
					    "1.-5"};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		uint64_t seconds;
		uint32_t nanos;

		if (number_parse_seconds(texts[i], &seconds, &nanos))
			fail_msg("`%s` was read", texts[i]);
	}
}

static void seconds_are_written_without_superfluous_zeros(void **state)
{
	static const struct {
		uint64_t seconds;
		uint32_t nanos;
		const char *text;
	} cases[] = {{0, 0, "0"},
		     {1, 0, "1"},
		     {10, 0, "10"},
		     {0, 250000, "0.00025"},
		     {12, 500000000, "12.5"},
		     {0, 1, "0.000000001"},
		     {100, 100, "100.0000001"},
		     {UINT64_MAX, 999999999, "18446744073709551615.999999999"}};
	char out[NUMBER_SECONDS_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t len = number_format_seconds(out, cases[i].seconds, cases[i].nanos);

		assert_string_equal(out, cases[i].text);
		assert_int_equal(len, strlen(cases[i].text));
	}
}

static void nanoseconds_are_written_as_seconds(void **state)
{
	char out[NUMBER_SECONDS_SIZE];

	(void)state;
	assert_int_equal(number_format_ns(out, 0), 1);
	assert_string_equal(out, "0");
	number_format_ns(out, 2500000);
	assert_string_equal(out, "0.0025");
	number_format_ns(out, INT64_MAX);
	assert_string_equal(out, "9223372036.854775807");
}

static void whole_number_is_written_in_full(void **state)
{
	char out[NUMBER_U64_SIZE];

	(void)state;
	assert_int_equal(number_format_u64(out, 0), 1);
	assert_string_equal(out, "0");
	assert_int_equal(number_format_u64(out, 1000), 4);
	assert_string_equal(out, "1000");
	assert_int_equal(number_format_u64(out, UINT64_MAX), 20);
	assert_string_equal(out, "18446744073709551615");
}

static void duration_is_written_in_its_largest_unit(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} cases[] = {{0, "0s"},
		     {1, "1ns"},
		     {1500, "1500ns"},
		     {10000, "10us"},
		     {200000000, "200ms"},
		     {1500000000, "1500ms"},
		     {INT64_C(90000000000), "90s"},
		     {INT64_C(120000000000), "2m"},
		     {INT64_C(3600000000000), "1h"},
		     {DAY_NS, "1d"},
		     {INT64_MAX, "9223372036854775807ns"}};
	char out[NUMBER_DURATION_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		int64_t ns = -1;

		number_format_duration(out, cases[i].ns);
		assert_string_equal(out, cases[i].text);
		assert_true(number_parse_duration(out, &ns));
		assert_int_equal(ns, cases[i].ns);
	}
}

/* Numbers of any length, as uniform ones are nearly all long. */
static uint64_t random_number(void)
{
	uint64_t value = (uint64_t)lrand48() << 33 ^ (uint64_t)lrand48() << 11 ^
			 (uint64_t)lrand48();

	return value >> lrand48() % 64;
}

static void seconds_survive_writing_and_reading(void **state)
{
	unsigned seed = (unsigned)time(NULL);
	char text[NUMBER_SECONDS_SIZE];

	(void)state;
	print_message("# seed %u\n", seed);
	srand48(seed);
	for (int i = 0; i < 20000; i++) {
		uint64_t seconds = random_number() % (POW2_53 + 1), read_seconds;
		uint32_t nanos = (uint32_t)(random_number() % 1000000000), read_nanos;

		number_format_seconds(text, seconds, nanos);
		assert_true(number_parse_seconds(text, &read_seconds, &read_nanos));
		assert_int_equal(read_seconds, seconds);
		assert_int_equal(read_nanos, nanos);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(duration_is_read_exactly),
		cmocka_unit_test(duration_with_nine_decimals_is_read_in_every_unit),
		cmocka_unit_test(duration_refuses_everything_else),
		cmocka_unit_test(whole_number_is_read_up_to_its_limit),
		cmocka_unit_test(hexadecimal_number_is_read_up_to_its_limit),
		cmocka_unit_test(seconds_are_read_with_up_to_nine_decimals),
		cmocka_unit_test(seconds_refuse_everything_else),
		cmocka_unit_test(seconds_are_written_without_superfluous_zeros),
		cmocka_unit_test(nanoseconds_are_written_as_seconds),
		cmocka_unit_test(whole_number_is_written_in_full),
		cmocka_unit_test(duration_is_written_in_its_largest_unit),
		cmocka_unit_test(seconds_survive_writing_and_reading),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
