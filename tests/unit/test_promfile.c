/*
 * How a complete published file is told from a damaged one.
 */
#include "fleet.h"

#include <fcntl.h>

struct seen {
	size_t count, bytes;
	const char *refuse; /* the line that the handler refuses */
};

static enum promfile_result handle(char *line, size_t len, void *arg)
{
	struct seen *seen = arg;

	assert_int_equal(strlen(line), len);
	seen->count++;
	seen->bytes += len + 1;
	return seen->refuse && strcmp(line, seen->refuse) == 0 ? PROMFILE_OUT_OF_RANGE
							       : PROMFILE_VALID;
}

static enum promfile_result scan_bytes(const char *bytes, size_t len, struct seen *seen)
{
	int fd = fleet_fd(bytes, len);
	enum promfile_result result = promfile_scan(fd, handle, seen);

	close(fd);
	return result;
}

static enum promfile_result scan(const char *text)
{
	struct seen seen = {.count = 0};

	return scan_bytes(text, strlen(text), &seen);
}

/* Seals the body and scans it. */
static enum promfile_result scan_sealed(const char *body)
{
	char *sealed = fleet_seal(body);
	enum promfile_result result = scan(sealed);

	free(sealed);
	return result;
}

static const char body[] = "# HELP a_total Text.\n"
			   "# TYPE a_total counter\n"
			   "a_total 1\n"
			   "b{x=\"y\"} 2\n" PROMFILE_STATE "node a_total=1\n"
			   "# a comment\n";

static void a_complete_file_is_handed_over_line_by_line(void **state)
{
	char *sealed = fleet_seal(body);
	struct seen seen = {.count = 0};

	(void)state;
	assert_int_equal(scan_bytes(sealed, strlen(sealed), &seen), PROMFILE_VALID);
	assert_int_equal(seen.count, 6);
	assert_int_equal(seen.bytes, sizeof(body) - 1);
	free(sealed);
}

static void the_seal_has_its_documented_form(void **state)
{
	char line[PROMFILE_SEAL_SIZE];

	(void)state;
	promfile_seal(line, 4711, UINT64_C(0x0123456789abcdef));
	assert_string_equal(line,
			    "# nodecanary-state 1 end length=4711 hash=0123456789abcdef");
	promfile_seal(line, UINT64_MAX, 0);
	assert_string_equal(
		line,
		"# nodecanary-state 1 end length=18446744073709551615 hash=0000000000000000");
}

static void an_empty_file_can_be_sealed(void **state)
{
	(void)state;
	assert_int_equal(scan_sealed(""), PROMFILE_VALID);
}

static void a_line_that_the_handler_refuses_refuses_the_file(void **state)
{
	char *sealed = fleet_seal(body);
	struct seen seen = {.refuse = "a_total 1"};

	(void)state;
	assert_int_equal(scan_bytes(sealed, strlen(sealed), &seen),
			 PROMFILE_OUT_OF_RANGE);
	free(sealed);
}

static void an_incomplete_file_is_refused(void **state)
{
	(void)state;
	assert_int_not_equal(scan(""), PROMFILE_VALID);
	assert_int_not_equal(scan("\n"), PROMFILE_VALID);
	assert_int_not_equal(scan(body), PROMFILE_VALID);
	assert_int_not_equal(scan("a 1"), PROMFILE_VALID);
	assert_int_not_equal(scan(PROMFILE_STATE "end "), PROMFILE_VALID);
	assert_int_not_equal(scan(PROMFILE_STATE "end \n"), PROMFILE_VALID);
	assert_int_not_equal(scan("# nodecanary-state 2 end length=0 hash=0\n"),
			     PROMFILE_VALID);
}

static void a_file_cut_at_any_byte_is_refused(void **state)
{
	char *sealed = fleet_seal(body);

	(void)state;
	for (size_t len = 0; len < strlen(sealed); len++) {
		struct seen seen = {.count = 0};

		assert_int_not_equal(scan_bytes(sealed, len, &seen), PROMFILE_VALID);
	}
	free(sealed);
}

static void a_file_with_any_byte_changed_is_refused(void **state)
{
	char *sealed = fleet_seal(body);
	size_t len = strlen(sealed);

	(void)state;
	for (size_t i = 0; i < len * 8; i++) {
		struct seen seen = {.count = 0};

		sealed[i / 8] = (char)(sealed[i / 8] ^ 1 << i % 8);
		if (scan_bytes(sealed, len, &seen) == PROMFILE_VALID)
			fail_msg("bit %zu of byte %zu", i % 8, i / 8);
		sealed[i / 8] = (char)(sealed[i / 8] ^ 1 << i % 8);
	}
	assert_int_equal(scan(sealed), PROMFILE_VALID);
	free(sealed);
}

static void the_seal_is_the_last_line(void **state)
{
	char *sealed = fleet_seal(body), *text, *twice;

	(void)state;
	text = fleet_concat(sealed, "a 1", "\n");
	assert_int_not_equal(scan(text), PROMFILE_VALID);
	free(text);
	text = fleet_concat(sealed, "", "\n");
	assert_int_not_equal(scan(text), PROMFILE_VALID);
	free(text);
	text = fleet_concat(sealed, "# comment", "\n");
	assert_int_not_equal(scan(text), PROMFILE_VALID);
	free(text);
	/* In the middle, each of them right for what is before it. */
	twice = fleet_seal(sealed);
	assert_int_not_equal(scan(twice), PROMFILE_VALID);
	free(twice);
	text = fleet_concat(sealed, "a 1", "\n");
	twice = fleet_seal(text);
	assert_int_not_equal(scan(twice), PROMFILE_VALID);
	free(twice);
	free(text);
	free(sealed);
}

static void the_seal_is_exact(void **state)
{
	static const char *const edits[][2] = {
		{"length=", "length=0"}, {"length=", "length= "}, {"hash=", "hash=0x"},
		{" hash=", "  hash="},	 {"length=", "lenght="},  {" hash=", "\thash="},
	};
	char *sealed = fleet_seal(body);

	(void)state;
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		char *text = fleet_replace(sealed, edits[i][0], edits[i][1]);

		assert_int_not_equal(scan(text), PROMFILE_VALID);
		free(text);
	}
	sealed[strlen(sealed) - 1] = ' ';
	assert_int_not_equal(scan(sealed), PROMFILE_VALID);
	free(sealed);
}

static void nul_bytes_are_refused(void **state)
{
	static const char bytes[] = "a 1\nb \0001\n", comment[] = "# c\0\n";
	struct seen seen = {.count = 0};

	(void)state;
	assert_int_equal(scan_bytes(bytes, sizeof(bytes) - 1, &seen), PROMFILE_MALFORMED);
	assert_int_equal(scan_bytes(comment, sizeof(comment) - 1, &seen),
			 PROMFILE_MALFORMED);
	assert_int_not_equal(scan_bytes("\0", 1, &seen), PROMFILE_VALID);
}

/* A series whose line has `len` bytes with its newline. */
static enum promfile_result scan_long_line(size_t len)
{
	char *line = malloc(len + 1), *text;
	enum promfile_result result;

	assert_non_null(line);
	memset(line, 'x', len);
	memcpy(line, "a{b=\"", 5);
	strcpy(line + len - 5, "\"} 1\n");
	text = fleet_concat("short 1\n", line, "short 2\n");
	result = scan_sealed(text);
	free(text);
	free(line);
	return result;
}

static void long_lines_are_read_up_to_256_kb(void **state)
{
	(void)state;
	assert_int_equal(scan_long_line(30000), PROMFILE_VALID);
	assert_int_equal(scan_long_line(60000), PROMFILE_VALID);
	assert_int_equal(scan_long_line(65537), PROMFILE_VALID);
	assert_int_equal(scan_long_line(262144), PROMFILE_VALID);
	assert_int_equal(scan_long_line(262145), PROMFILE_MALFORMED);
	assert_int_equal(scan_long_line(400000), PROMFILE_MALFORMED);
}

static void lines_may_lie_across_the_buffer(void **state)
{
	uint64_t seed = fleet_seed();
	char *text, *sealed;
	struct seen seen = {.count = 0};
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
	assert_int_equal(scan_bytes(sealed, strlen(sealed), &seen), PROMFILE_VALID);
	assert_int_equal(seen.count, count);
	free(sealed);
	free(text);
}

static void a_read_error_is_an_error(void **state)
{
	int directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct seen seen = {.count = 0};

	(void)state;
	assert_true(directory >= 0);
	assert_int_not_equal(promfile_scan(directory, handle, &seen), PROMFILE_VALID);
	assert_int_not_equal(promfile_scan(-1, handle, &seen), PROMFILE_VALID);
	close(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_complete_file_is_handed_over_line_by_line),
		cmocka_unit_test(the_seal_has_its_documented_form),
		cmocka_unit_test(an_empty_file_can_be_sealed),
		cmocka_unit_test(a_line_that_the_handler_refuses_refuses_the_file),
		cmocka_unit_test(an_incomplete_file_is_refused),
		cmocka_unit_test(a_file_cut_at_any_byte_is_refused),
		cmocka_unit_test(a_file_with_any_byte_changed_is_refused),
		cmocka_unit_test(the_seal_is_the_last_line),
		cmocka_unit_test(the_seal_is_exact),
		cmocka_unit_test(nul_bytes_are_refused),
		cmocka_unit_test(long_lines_are_read_up_to_256_kb),
		cmocka_unit_test(lines_may_lie_across_the_buffer),
		cmocka_unit_test(a_read_error_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
