/*
 * One line of the published file: what this program writes is taken deferred, whatever
 * else is refused.
 */
#include "fleet.h"

#include "publish/promline.h"

/* Parses a copy, which the result points into. */
static bool parse(char copy[static 512], const char *text, struct promline *line)
{
	assert_true(strlen(text) < 512);
	strcpy(copy, text);
	return promline_parse(copy, line);
}

static void a_line_is_taken_apart(void **state)
{
	char copy[512];
	struct promline line;

	(void)state;
	assert_true(parse(copy, "a_total{group=\"g\",peer=\"p\",_x9=\"\"} 12.5", &line));
	assert_string_equal(line.name, "a_total");
	assert_string_equal(line.value, "12.5");
	assert_int_equal(line.label_count, 3);
	assert_string_equal(line.labels[0].name, "group");
	assert_string_equal(line.labels[0].value, "g");
	assert_string_equal(line.labels[2].name, "_x9");
	assert_string_equal(line.labels[2].value, "");
	assert_string_equal(promline_label(&line, "peer"), "p");
	assert_string_equal(promline_label(&line, "family"), "");
}

static void labels_may_be_missing(void **state)
{
	char copy[512];
	struct promline line;

	(void)state;
	assert_true(parse(copy, "runs 7", &line));
	assert_string_equal(line.name, "runs");
	assert_string_equal(line.value, "7");
	assert_int_equal(line.label_count, 0);
}

static void escapes_are_undone(void **state)
{
	char copy[512];
	struct promline line;

	(void)state;
	assert_true(parse(copy, "a{b=\"\\\\\\\"\\n\\\\n\",c=\"x} 1, {\"} 2", &line));
	assert_string_equal(promline_label(&line, "b"), "\\\"\n\\n");
	assert_string_equal(promline_label(&line, "c"), "x} 1, {");
	assert_string_equal(line.value, "2");
}

static void values_are_handed_on_as_text(void **state)
{
	char copy[512];
	struct promline line;

	(void)state;
	assert_true(parse(copy, "a NaN", &line));
	assert_string_equal(line.value, "NaN");
}

static void everything_else_is_malformed(void **state)
{
	static const char *const texts[] = {
		"",
		" ",
		"a",
		"a ",
		" a 1",
		"a  1",
		"a 1 ",
		"a 1 1700000000",
		"a\t1",
		"a-b 1",
		"a{} 1",
		"a{ 1",
		"a{b} 1",
		"a{b=} 1",
		"a{b=c} 1",
		"a{b=\"c",
		"a{b=\"c\"",
		"a{b=\"c\"}",
		"a{b=\"c\"} ",
		"a{b=\"c\"}1",
		"a{b=\"c\"}  1",
		"a{b=\"c\"}\t1",
		"a{b=\"c\",} 1",
		"a{,b=\"c\"} 1",
		"a{b=\"c\"d=\"e\"} 1",
		"a{b=\"c\";d=\"e\"} 1",
		"a{b=\"c\", d=\"e\"} 1",
		"a{b=\"c\" } 1",
		"a{ b=\"c\"} 1",
		"a{b =\"c\"} 1",
		"a{b= \"c\"} 1",
		"a{b=\"\\x\"} 1",
		"a{b=\"\\",
		"a{b=\"c\\\"} 1",
		"a{=\"c\"} 1",
		"a{1b=\"c\"} 1",
		"a{__b=\"c\"} 1",
		"a{b-c=\"c\"} 1",
		"a{b:c=\"c\"} 1",
		"{b=\"c\"} 1",
		"{} 1",
		"\"a\" 1",
	};
	char copy[512];
	struct promline line;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (parse(copy, texts[i], &line))
			fail_msg("taken for a line: `%s`", texts[i]);
}

/* Readers refuse the whole file for it, so it must not be copied into a new one. */
static void a_label_twice_is_malformed(void **state)
{
	char copy[512];
	struct promline line;

	(void)state;
	assert_false(parse(copy, "a{b=\"c\",b=\"d\"} 1", &line));
	assert_false(parse(copy, "a{b=\"c\",x=\"\",b=\"c\"} 1", &line));
}

static void invalid_utf8_is_malformed(void **state)
{
	char copy[512];
	struct promline line;

	(void)state;
	assert_true(parse(copy, "a{b=\"\303\251\"} 1", &line));
	assert_false(parse(copy, "a{b=\"\303\"} 1", &line));
	assert_false(parse(copy, "a{b=\"\377\"} 1", &line));
	assert_false(parse(copy, "a{b=\"\355\240\200\"} 1", &line));
}

static void a_name_begins_with_no_digit(void **state)
{
	char copy[512];
	struct promline line;

	(void)state;
	assert_false(parse(copy, "9a 1", &line));
	assert_true(parse(copy, "_9a 1", &line));
}

static bool parse_labels(size_t count)
{
	char text[4096] = "a{", *p = text + 2;
	struct promline line;
	bool good;

	for (size_t i = 0; i < count; i++)
		p += sprintf(p, "%sl%zu=\"v\"", i ? "," : "", i);
	strcpy(p, "} 1");
	good = promline_parse(text, &line);
	if (good)
		assert_int_equal(line.label_count, count);
	return good;
}

static void labels_are_limited(void **state)
{
	(void)state;
	assert_true(parse_labels(PROMLINE_LABELS_MAX));
	assert_false(parse_labels(PROMLINE_LABELS_MAX + 1));
	assert_false(parse_labels(2 * PROMLINE_LABELS_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_taken_apart),
		cmocka_unit_test(labels_may_be_missing),
		cmocka_unit_test(escapes_are_undone),
		cmocka_unit_test(values_are_handed_on_as_text),
		cmocka_unit_test(everything_else_is_malformed),
		cmocka_unit_test(a_label_twice_is_malformed),
		cmocka_unit_test(invalid_utf8_is_malformed),
		cmocka_unit_test(a_name_begins_with_no_digit),
		cmocka_unit_test(labels_are_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
