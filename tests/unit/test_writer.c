/*
 * Text to a descriptor: the first error is kept, the buffer does not change the output,
 * label values are escaped.
 */
#include "fleet.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include "publish/writer.h"

static struct writer writer;

static void a_full_device_is_an_error(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	writer_init(&writer, fd);
	writer_text(&writer, "x");
	assert_int_equal(writer_flush(&writer), -1);
	assert_int_equal(errno, ENOSPC);
	close(fd);
}

static void a_closed_descriptor_is_an_error(void **state)
{
	(void)state;
	writer_init(&writer, -1);
	writer_text(&writer, "x");
	assert_int_equal(writer_flush(&writer), -1);
	assert_int_equal(errno, EBADF);
}

static void first_error_is_kept(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC), good = fleet_fd("", 0);

	(void)state;
	writer_init(&writer, fd);
	for (size_t i = 0; i < WRITER_BUFFER + 1; i++)
		writer_bytes(&writer, "x", 1);
	assert_int_equal(writer.error, ENOSPC);
	/* The cause is gone, and there is still a hole in the file. */
	writer.fd = good;
	writer_text(&writer, "more");
	errno = 0;
	assert_int_equal(writer_flush(&writer), -1);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(lseek(good, 0, SEEK_END), 0);
	close(fd);
	close(good);
}

static void nothing_written_is_no_error(void **state)
{
	(void)state;
	writer_init(&writer, -1);
	assert_int_equal(writer_flush(&writer), 0);
}

/* Writes `len` bytes in parts of `part` and compares what arrives. */
static void check_parts(size_t len, size_t part)
{
	char *bytes = malloc(len), *arrived;
	uint64_t length, hash;
	struct digest digest;
	size_t got;
	int fd = fleet_fd("", 0);

	assert_non_null(bytes);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)(i * 31 % 251);
	writer_init(&writer, fd);
	for (size_t i = 0; i < len; i += part)
		writer_bytes(&writer, bytes + i, len - i < part ? len - i : part);
	writer_digest(&writer, &length, &hash);
	assert_int_equal(writer_flush(&writer), 0);
	arrived = fleet_take(fd, &got);
	assert_int_equal(got, len);
	assert_memory_equal(arrived, bytes, len);
	digest_init(&digest);
	digest_add(&digest, bytes, len);
	assert_int_equal(length, len);
	assert_true(hash == digest_value(&digest));
	free(arrived);
	free(bytes);
}

static void buffer_boundaries_do_not_change_the_output(void **state)
{
	static const size_t lengths[] = {1,
					 WRITER_BUFFER - 1,
					 WRITER_BUFFER,
					 WRITER_BUFFER + 1,
					 2 * WRITER_BUFFER - 1,
					 2 * WRITER_BUFFER,
					 2 * WRITER_BUFFER + 1,
					 3 * WRITER_BUFFER + 17};

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		check_parts(lengths[i], lengths[i]);
		check_parts(lengths[i], 1);
		check_parts(lengths[i], 4093);
		check_parts(lengths[i], WRITER_BUFFER);
	}
}

/* The limit of the file size allows a part of a write, and refuses the rest. */
static void short_write_continues_until_it_fails(void **state)
{
	struct rlimit old, low;
	int fd = fleet_fd("", 0), result, error;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	low = (struct rlimit){1000, old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
	writer_init(&writer, fd);
	for (size_t i = 0; i < 1200; i++)
		writer_text(&writer, "x");
	result = writer_flush(&writer);
	error = errno;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(result, -1);
	assert_int_equal(error, EFBIG);
	assert_int_equal(lseek(fd, 0, SEEK_END), 1000);
	close(fd);
}

static void assert_written(int fd, const char *expected)
{
	char *text;

	assert_int_equal(writer_flush(&writer), 0);
	text = fleet_take(fd, NULL);
	assert_string_equal(text, expected);
	free(text);
}

static void label_values_are_escaped(void **state)
{
	static const char *const cases[][2] = {
		{"", ""},
		{"plain", "plain"},
		{"\"", "\\\""},
		{"\\", "\\\\"},
		{"\n", "\\n"},
		{"\\n", "\\\\n"},
		{"a\\\"b\nc\\", "a\\\\\\\"b\\nc\\\\"},
		{"caf\303\251 \342\202\254 {x=\"y\"}, \t",
		 "caf\303\251 \342\202\254 {x=\\\"y\\\"}, \t"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int fd = fleet_fd("", 0);

		writer_init(&writer, fd);
		writer_escaped(&writer, cases[i][0]);
		assert_written(fd, cases[i][1]);
	}
}

static void escape_may_cross_a_buffer_boundary(void **state)
{
	char *expected = malloc(WRITER_BUFFER + 16);
	int fd = fleet_fd("", 0);

	(void)state;
	assert_non_null(expected);
	memset(expected, 'x', WRITER_BUFFER - 1);
	strcpy(expected + WRITER_BUFFER - 1, "\\\"end");
	writer_init(&writer, fd);
	for (size_t i = 0; i < WRITER_BUFFER - 1; i++)
		writer_text(&writer, "x");
	writer_escaped(&writer, "\"end");
	assert_written(fd, expected);
	free(expected);
}

static void numbers_are_exact(void **state)
{
	int fd = fleet_fd("", 0);

	(void)state;
	writer_init(&writer, fd);
	writer_u64(&writer, UINT64_MAX);
	writer_text(&writer, " ");
	writer_seconds(&writer, UINT64_C(1) << 53, 999999999);
	writer_text(&writer, " ");
	writer_ns(&writer, 250000);
	writer_text(&writer, " ");
	writer_ns(&writer, INT64_MAX);
	assert_written(
		fd,
		"18446744073709551615 9007199254740992.999999999 0.00025 9223372036.854775807");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_device_is_an_error),
		cmocka_unit_test(a_closed_descriptor_is_an_error),
		cmocka_unit_test(first_error_is_kept),
		cmocka_unit_test(nothing_written_is_no_error),
		cmocka_unit_test(buffer_boundaries_do_not_change_the_output),
		cmocka_unit_test(short_write_continues_until_it_fails),
		cmocka_unit_test(label_values_are_escaped),
		cmocka_unit_test(escape_may_cross_a_buffer_boundary),
		cmocka_unit_test(numbers_are_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
