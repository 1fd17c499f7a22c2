/*
 * What a string may be: UTF-8, a label name, a host name.
 */
#include "support.h"

#include <string.h>

#include "base/text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void utf8_of_every_length_is_taken(void **state)
{
	static const char *const texts[] = {"",
					    "plain",
					    "\x7f",
					    "\xc2\x80",
					    "\xdf\xbf",
					    "\xe0\xa0\x80",
					    "\xed\x9f\xbf",
					    "\xee\x80\x80",
					    "\xef\xbf\xbf",
					    "\xf0\x90\x80\x80",
					    "\xf4\x8f\xbf\xbf",
					    "a\xc3\xa9z"};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		if (!text_is_utf8(texts[i], strlen(texts[i])))
			fail_msg("text %zu was refused", i);
}

static void what_is_no_utf8_is_refused(void **state)
{
	static const char *const texts[] = {
		"\x80", /* a continuation byte alone */
		"\xbf",
		"\xc0\x80", /* overlong */
		"\xc1\xbf",
		"\xe0\x9f\xbf",
		"\xf0\x8f\xbf\xbf",
		"\xed\xa0\x80", /* surrogates */
		"\xed\xbf\xbf",
		"\xf4\x90\x80\x80", /* above U+10FFFF */
		"\xf5\x80\x80\x80",
		"\xff",
		"\xfe",
		"\xc3", /* cut */
		"\xe2\x82",
		"\xf0\x9f\x98",
		"\xc3(", /* no continuation */
		"\xe2\x82z",
		"caf\xe9", /* Latin-1 */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		if (text_is_utf8(texts[i], strlen(texts[i])))
			fail_msg("text %zu was taken", i);
}

static void utf8_is_looked_at_no_further_than_its_length(void **state)
{
	(void)state;
	assert_true(text_is_utf8("a\xff", 1));
	assert_false(text_is_utf8("\xc3\xa9", 1));
	assert_true(text_is_utf8("a\0b", 3));
}

static void label_name_is_what_every_node_exporter_takes(void **state)
{
	static const char *const good[] = {"a",	 "Z",  "_",    "rack",	"r_7",
					   "_a", "_0", "a__b", "aZ09_", "le_"};
	static const char *const bad[] = {
		"",    "__",  "__a", "__name__", "7r",	     "a-b", "a.b",
		"a b", "a:b", "a=",  "\"a",	 "\xc3\xa9", "a ",  "a\xc3\xa9"};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		if (!text_is_label_name(good[i]))
			fail_msg("`%s` was refused", good[i]);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (text_is_label_name(bad[i]))
			fail_msg("`%s` was taken", bad[i]);
}

static void host_name_follows_rfc_1123_plus_the_underscore(void **state)
{
	static const char *const good[] = {
		"a",	  "worker1",	  "WORKER-1.example.NET",
		"a.b.c",  "1a",		  "a.b.",
		"_sip.x", "7-up",	  "10.0.0.1a",
		"3com",	  "xn--nxasmq6b", "1.2.3.x",
		"a_b"};
	static const char *const bad[] = {
		"",	  ".",	  "..",		"a..b",	     ".a",
		"-a",	  "a-",	  "a.-b",	"a.b-",	     "a b",
		"a/b",	  "a:b",  "a,b",	"a@b",	     "h\xc3\xb6st",
		"1",	  "10.1", "10.0.0.256", "1.2.3.4.5", "a.7",
		"0x7f.1", "a!",	  "a.b..",	"%eth0",     "[::1]"};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		if (!text_is_host_name(good[i]))
			fail_msg("`%s` was refused", good[i]);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (text_is_host_name(bad[i]))
			fail_msg("`%s` was taken", bad[i]);
}

/* getaddrinfo() reads them as inet_aton() does: as addresses, without any lookup. */
static void hexadecimal_numbers_are_no_host_names(void **state)
{
	static const char *const bad[] = {"0x7f000001", "10.0x1", "127.0.0.0x1", "0Xa"};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (text_is_host_name(bad[i]))
			fail_msg("`%s` was taken", bad[i]);
	assert_true(text_is_host_name("0xyz"));
	assert_true(text_is_host_name("0x1.example"));
}

static void host_name_has_limits_of_length(void **state)
{
	char name[300];

	(void)state;
	memset(name, 'a', sizeof(name));
	name[63] = '\0';
	assert_true(text_is_host_name(name));
	name[63] = 'a';
	name[64] = '\0';
	assert_false(text_is_host_name(name));
	name[64] = 'a';
	for (size_t i = 50; i < sizeof(name); i += 50)
		name[i] = '.';
	name[253] = '\0';
	assert_true(text_is_host_name(name));
	name[253] = 'a';
	name[254] = '\0';
	assert_false(text_is_host_name(name));
}

static void blanks_are_space_and_tab(void **state)
{
	(void)state;
	assert_true(text_is_blank(' '));
	assert_true(text_is_blank('\t'));
	assert_false(text_is_blank('\n'));
	assert_false(text_is_blank('\0'));
	assert_false(text_is_blank('a'));
}

static void span_and_what_precedes_it_end_with_the_text(void **state)
{
	(void)state;
	assert_int_equal(text_until("name = x", " ="), 4);
	assert_int_equal(text_until("name", " ="), 4);
	assert_int_equal(text_until("name", ""), 4);
	assert_int_equal(text_until("=", "="), 0);
	assert_int_equal(text_span(" \t x", " \t"), 3);
	assert_int_equal(text_span("123", "0123456789"), 3);
	assert_int_equal(text_span("", " "), 0);
	assert_int_equal(text_span(" ", ""), 0);
}

static void blanks_are_skipped_up_to_the_end(void **state)
{
	(void)state;
	assert_string_equal(text_skip_blanks(" \t x "), "x ");
	assert_string_equal(text_skip_blanks("x"), "x");
	assert_string_equal(text_skip_blanks(" \t"), "");
	assert_string_equal(text_skip_blanks("\r "), "\r ");
}

static void digits_are_those_of_ascii(void **state)
{
	(void)state;
	for (int c = -128; c < 128; c++)
		assert_int_equal(text_is_digit((char)c), c >= 48 && c <= 57);
}

static void characters_without_ink_are_invisible(void **state)
{
	static const struct {
		const char *text;
		uint32_t code;
	} cases[] = {
		{"\x01", 0x01},
		{"\x1f", 0x1f},
		{"\x7f", 0x7f},
		{"\xc2\x80", 0x80},
		{"\xc2\xa0", 0xa0},
		{"\xc2\xad", 0xad},
		{"\xe2\x80\x8bx", 0x200b},
		{"\xe2\x80\x8f", 0x200f},
		{"\xef\xbb\xbf", 0xfeff},
		{"\xf3\xa0\x81\x81", 0xe0041},
		{"", 0},
		{"\t", 0},
		{" ", 0},
		{"x\xc2\xa0", 0},
		{"\xc2\xa1", 0},
		{"\xc3\xa9", 0},
		{"\xe2\x80\x90", 0},
		{"\xe4\xb8\xad", 0},
		{"\xf0\x9f\x9a\x80", 0},
		{"\xc2", 0},
		{"\xe2\x80", 0},
		{"\xa0", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(text_invisible(cases[i].text), cases[i].code);
}

static void names_have_no_blanks_quotes_and_commas(void **state)
{
	(void)state;
	assert_int_equal(text_not_of_name(""), 0);
	assert_int_equal(text_not_of_name("w\xc3\xb6rker-1.example_net:#;/=[]"), 0);
	assert_int_equal(text_not_of_name("worker 1"), ' ');
	assert_int_equal(text_not_of_name("worker\t1"), '\t');
	assert_int_equal(text_not_of_name("\"worker1\""), '"');
	assert_int_equal(text_not_of_name("worker1'"), '\'');
	assert_int_equal(text_not_of_name("`worker1`"), '`');
	assert_int_equal(text_not_of_name("a,b"), ',');
	assert_int_equal(text_not_of_name("\xe2\x80\x9cworker1\xe2\x80\x9d"), 0x201c);
	assert_int_equal(text_not_of_name("worker1\xc2\xbb"), 0xbb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf8_of_every_length_is_taken),
		cmocka_unit_test(what_is_no_utf8_is_refused),
		cmocka_unit_test(utf8_is_looked_at_no_further_than_its_length),
		cmocka_unit_test(label_name_is_what_every_node_exporter_takes),
		cmocka_unit_test(host_name_follows_rfc_1123_plus_the_underscore),
		cmocka_unit_test(hexadecimal_numbers_are_no_host_names),
		cmocka_unit_test(host_name_has_limits_of_length),
		cmocka_unit_test(blanks_are_space_and_tab),
		cmocka_unit_test(span_and_what_precedes_it_end_with_the_text),
		cmocka_unit_test(blanks_are_skipped_up_to_the_end),
		cmocka_unit_test(digits_are_those_of_ascii),
		cmocka_unit_test(characters_without_ink_are_invisible),
		cmocka_unit_test(names_have_no_blanks_quotes_and_commas),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
