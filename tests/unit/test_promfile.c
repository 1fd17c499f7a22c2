/*
 * The proof that a published file is whole, line by line.
 */
#include "fleet.h"

#include <fcntl.h>

struct seen {
	size_t series, lookups;
	const char *refuse; /* the name of a series that is refused */
};

static const char *take(enum promfile_line kind, struct promline *line, void *arg)
{
	struct seen *seen = arg;

	if (kind == PROMFILE_LOOKUP)
		seen->lookups++;
	else
		seen->series++;
	return seen->refuse && strcmp(line->name, seen->refuse) == 0 ? "refused by test"
								     : NULL;
}

static const char *scan_bytes(const char *bytes, size_t len, struct seen *seen)
{
	int fd = fleet_fd(bytes, len);
	const char *wrong = promfile_scan(fd, take, seen);

	close(fd);
	return wrong;
}

static const char *scan(const char *text)
{
	struct seen seen = {.series = 0};

	return scan_bytes(text, strlen(text), &seen);
}

/* Seals the body and scans it. */
static const char *scan_sealed(const char *body)
{
	char *sealed = fleet_seal(body);
	const char *wrong = scan(sealed);

	free(sealed);
	return wrong;
}

static const char body[] = "# HELP a_total Text.\n"
			   "# TYPE a_total counter\n"
			   "a_total 1\n"
			   "b{x=\"y\"} 2\n"
			   "# nodecanary_lookup{host=\"h\"} 1\n"
			   "# a comment\n";

static void a_whole_file_is_handed_on_line_by_line(void **state)
{
	char *sealed = fleet_seal(body);
	struct seen seen = {.series = 0};

	(void)state;
	assert_null(scan_bytes(sealed, strlen(sealed), &seen));
	assert_int_equal(seen.series, 2);
	assert_int_equal(seen.lookups, 1);
	free(sealed);
}

static void the_seal_has_its_documented_form(void **state)
{
	char line[PROMFILE_SEAL_SIZE];

	(void)state;
	promfile_seal(line, 4711, UINT64_C(0x0123456789abcdef));
	assert_string_equal(line,
			    "# nodecanary-state v1 length=4711 hash=0123456789abcdef");
	promfile_seal(line, UINT64_MAX, 0);
	assert_string_equal(
		line,
		"# nodecanary-state v1 length=18446744073709551615 hash=0000000000000000");
}

static void a_file_of_no_lines_may_be_sealed(void **state)
{
	(void)state;
	assert_null(scan_sealed(""));
}

static void what_the_reader_refuses_is_refused(void **state)
{
	char *sealed = fleet_seal(body);
	struct seen seen = {.refuse = "b"};

	(void)state;
	assert_string_equal(scan_bytes(sealed, strlen(sealed), &seen), "refused by test");
	free(sealed);
}

static void an_incomplete_file_is_refused(void **state)
{
	(void)state;
	assert_non_null(scan(""));
	assert_non_null(scan("\n"));
	assert_non_null(scan(body));
	assert_non_null(scan("a 1"));
	assert_non_null(scan("# nodecanary-state v1 "));
	assert_non_null(scan("# nodecanary-state v1 \n"));
	assert_non_null(scan("# nodecanary-state v2 length=0 hash=0\n"));
}

static void a_file_cut_at_any_byte_is_refused(void **state)
{
	char *sealed = fleet_seal(body);

	(void)state;
	for (size_t len = 0; len < strlen(sealed); len++) {
		struct seen seen = {.series = 0};

		assert_non_null(scan_bytes(sealed, len, &seen));
	}
	free(sealed);
}

static void a_file_with_any_byte_changed_is_refused(void **state)
{
	char *sealed = fleet_seal(body);
	size_t len = strlen(sealed);

	(void)state;
	for (size_t i = 0; i < len * 8; i++) {
		struct seen seen = {.series = 0};

		sealed[i / 8] = (char)(sealed[i / 8] ^ 1 << i % 8);
		if (!scan_bytes(sealed, len, &seen))
			fail_msg("bit %zu of byte %zu", i % 8, i / 8);
		sealed[i / 8] = (char)(sealed[i / 8] ^ 1 << i % 8);
	}
	assert_null(scan(sealed));
	free(sealed);
}

static void the_state_line_is_the_last_one(void **state)
{
	char *sealed = fleet_seal(body), *text, *twice;

	(void)state;
	text = fleet_concat(sealed, "a 1", "\n");
	assert_non_null(scan(text));
	free(text);
	text = fleet_concat(sealed, "", "\n");
	assert_non_null(scan(text));
	free(text);
	text = fleet_concat(sealed, "# comment", "\n");
	assert_non_null(scan(text));
	free(text);
	/* In the middle, each of them right for what is before it. */
	twice = fleet_seal(sealed);
	assert_non_null(scan(twice));
	free(twice);
	text = fleet_concat(sealed, "a 1", "\n");
	twice = fleet_seal(text);
	assert_non_null(scan(twice));
	free(twice);
	free(text);
	free(sealed);
}

static void a_state_line_is_exact(void **state)
{
	static const char *const edits[][2] = {
		{"length=", "length=0"}, {"length=", "length= "}, {"hash=", "hash=0x"},
		{" hash=", "  hash="},	 {"length=", "lenght="},  {" hash=", "\thash="},
	};
	char *sealed = fleet_seal(body);

	(void)state;
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		char *text = fleet_replace(sealed, edits[i][0], edits[i][1]);

		assert_non_null(scan(text));
		free(text);
	}
	sealed[strlen(sealed) - 1] = ' ';
	assert_non_null(scan(sealed));
	free(sealed);
}

static void malformed_lines_are_refused(void **state)
{
	static const char *const lines[] = {
		"\n",	   " \n",     "a\n",	     "a  1\n",
		"a 1 2\n", "a{} 1\n", "a{x=y} 1\n",  "a 1\r\n\n",
		" # c\n",  "a\t1\n",  "a{x=\"y\"\n", "# nodecanary_lookup{x=y} 1\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (!scan_sealed(lines[i]))
			fail_msg("not refused: %s", lines[i]);
}

/* A newer version may say more in comments. */
static void comments_that_are_not_ours_are_passed_over(void **state)
{
	(void)state;
	assert_null(scan_sealed("#\n# nodecanary\n# nodecanary-other v1 x\n"
				"# EOF\n#nodecanary_lookup\n"));
	assert_null(scan_sealed("# nodecanary_lookups of a later version\n"));
}

static void nul_bytes_are_refused(void **state)
{
	static const char bytes[] = "a 1\nb \0001\n", comment[] = "# c\0\n";
	struct seen seen = {.series = 0};

	(void)state;
	assert_string_equal(scan_bytes(bytes, sizeof(bytes) - 1, &seen), "a NUL byte");
	assert_string_equal(scan_bytes(comment, sizeof(comment) - 1, &seen),
			    "a NUL byte");
	assert_non_null(scan_bytes("\0", 1, &seen));
}

/* A series whose line has `len` bytes with its newline. */
static const char *scan_long_line(size_t len)
{
	char *line = malloc(len + 1), *text;
	const char *wrong;

	assert_non_null(line);
	memset(line, 'x', len);
	memcpy(line, "a{b=\"", 5);
	strcpy(line + len - 5, "\"} 1\n");
	text = fleet_concat("short 1\n", line, "short 2\n");
	wrong = scan_sealed(text);
	free(text);
	free(line);
	return wrong;
}

static void long_lines_are_read_up_to_64_kb(void **state)
{
	(void)state;
	assert_null(scan_long_line(30000));
	assert_null(scan_long_line(60000));
	assert_string_equal(scan_long_line(65537), "a line that is too long");
	assert_string_equal(scan_long_line(200000), "a line that is too long");
}

static void lines_may_lie_across_the_buffer(void **state)
{
	uint64_t seed = fleet_seed();
	char *text, *sealed;
	struct seen seen = {.series = 0};
	size_t size, count = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	while (count < 5000) {
		fprintf(out, "a{i=\"%zu\",pad=\"%.*s\"} 1\n", count,
			(int)fleet_random(&seed, 60),
			"012345678901234567890123456789012345678901234567890123456789");
		count++;
	}
	assert_int_equal(fclose(out), 0);
	sealed = fleet_seal(text);
	assert_null(scan_bytes(sealed, strlen(sealed), &seen));
	assert_int_equal(seen.series, count);
	free(sealed);
	free(text);
}

static void a_read_error_is_an_error(void **state)
{
	int directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct seen seen = {.series = 0};

	(void)state;
	assert_true(directory >= 0);
	assert_non_null(promfile_scan(directory, take, &seen));
	assert_non_null(promfile_scan(-1, take, &seen));
	close(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_file_is_handed_on_line_by_line),
		cmocka_unit_test(the_seal_has_its_documented_form),
		cmocka_unit_test(a_file_of_no_lines_may_be_sealed),
		cmocka_unit_test(what_the_reader_refuses_is_refused),
		cmocka_unit_test(an_incomplete_file_is_refused),
		cmocka_unit_test(a_file_cut_at_any_byte_is_refused),
		cmocka_unit_test(a_file_with_any_byte_changed_is_refused),
		cmocka_unit_test(the_state_line_is_the_last_one),
		cmocka_unit_test(a_state_line_is_exact),
		cmocka_unit_test(malformed_lines_are_refused),
		cmocka_unit_test(comments_that_are_not_ours_are_passed_over),
		cmocka_unit_test(nul_bytes_are_refused),
		cmocka_unit_test(long_lines_are_read_up_to_64_kb),
		cmocka_unit_test(lines_may_lie_across_the_buffer),
		cmocka_unit_test(a_read_error_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
