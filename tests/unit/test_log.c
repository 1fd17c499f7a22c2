/*
 * Messages: what is printed where.
 */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

static int reset(void **state)
{
	(void)state;
	unsetenv("JOURNAL_STREAM");
	log_open(LOG_LEVEL_WARNING);
	return 0;
}

/* What each function prints of one error. */
static char *print_all(void)
{
	support_capture_begin();
	errno = ENOENT;
	log_err("a %d", 1);
	log_errx("b %s", "two");
	log_warn("c");
	log_warnx("d");
	log_info("e");
	return support_capture_end();
}

static void message_names_the_program_and_perhaps_the_error(void **state)
{
	char expected[512];
	char *output = print_all();

	(void)state;
	snprintf(
		expected, sizeof(expected),
		"nodecanary: a 1: %s\nnodecanary: b two\nnodecanary: c: %s\nnodecanary: d\n",
		strerror(ENOENT), strerror(ENOENT));
	assert_string_equal(output, expected);
	free(output);
}

static void messages_above_the_level_are_dropped(void **state)
{
	static const struct {
		enum log_level level;
		const char *lines;
	} cases[] = {{LOG_LEVEL_ERROR, "ab"},
		     {LOG_LEVEL_WARNING, "abcd"},
		     {LOG_LEVEL_INFO, "abcde"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *expected = cases[i].lines;
		char *output, *save, *line;

		log_open(cases[i].level);
		output = print_all();
		for (line = strtok_r(output, "\n", &save); line;
		     line = strtok_r(NULL, "\n", &save), expected++)
			assert_int_equal(line[strlen("nodecanary: ")], *expected);
		assert_int_equal(*expected, '\0');
		free(output);
	}
}

/* As systemd does it: the variable names the stream that stderr is. */
static void name_stderr(unsigned long inode_change)
{
	char stream[64];
	struct stat st;

	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev,
		 (uintmax_t)(st.st_ino + inode_change));
	assert_int_equal(setenv("JOURNAL_STREAM", stream, 1), 0);
}

/* Opens the log where stderr is already where it will be. */
static char *print_as(void (*prepare)(void))
{
	support_capture_begin();
	prepare();
	log_open(LOG_LEVEL_INFO);
	errno = ENOENT;
	log_err("a");
	log_warnx("b");
	log_info("c");
	return support_capture_end();
}

static void name_this_stream(void)
{
	name_stderr(0);
}

static void name_another_stream(void)
{
	name_stderr(1);
}

static void name_more_than_the_stream(void)
{
	char stream[80];

	name_stderr(0);
	snprintf(stream, sizeof(stream), "%s0", getenv("JOURNAL_STREAM"));
	assert_int_equal(setenv("JOURNAL_STREAM", stream, 1), 0);
}

static void name_nothing(void)
{
	assert_int_equal(setenv("JOURNAL_STREAM", "", 1), 0);
}

static void lines_in_a_journal_begin_with_their_level(void **state)
{
	char expected[256];
	char *output = print_as(name_this_stream);

	(void)state;
	snprintf(expected, sizeof(expected), "<3>a: %s\n<4>b\n<6>c\n", strerror(ENOENT));
	assert_string_equal(output, expected);
	free(output);
}

static void stderr_that_is_not_the_journals_has_no_levels(void **state)
{
	static void (*const preparations[])(void) = {
		name_another_stream, name_more_than_the_stream, name_nothing};

	(void)state;
	for (size_t i = 0; i < sizeof(preparations) / sizeof(preparations[0]); i++) {
		char *output = print_as(preparations[i]);

		assert_ptr_equal(strstr(output, "nodecanary: a"), output);
		assert_null(strchr(output, '<'));
		free(output);
	}
}

static void long_message_is_cut_and_stays_one_line(void **state)
{
	char *text = malloc(100001), *output;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', 100000);
	text[100000] = '\0';
	/* All lengths around the end of whatever buffer there is. */
	for (size_t len = 1000; len < 5000; len++) {
		support_capture_begin();
		errno = ENOENT;
		log_err("%.*s", (int)len, text);
		output = support_capture_end();
		assert_ptr_equal(strchr(output, '\n'), output + strlen(output) - 1);
		assert_non_null(strstr(output, "nodecanary: xxxx"));
		free(output);
	}
	support_capture_begin();
	log_warnx("%s", text);
	output = support_capture_end();
	assert_true(strlen(output) >= 1000 && strlen(output) <= 5000);
	assert_int_equal(output[strlen(output) - 1], '\n');
	free(output);
	free(text);
}

static void errno_is_left_as_it_was(void **state)
{
	(void)state;
	support_capture_begin();
	errno = ENOSPC;
	log_err("x");
	assert_int_equal(errno, ENOSPC);
	log_info("dropped");
	assert_int_equal(errno, ENOSPC);
	/* Though the message cannot be written. */
	close(STDERR_FILENO);
	log_errx("x");
	assert_int_equal(errno, ENOSPC);
	free(support_capture_end());
}

static void *print_lines(void *arg)
{
	(void)arg;
	for (int i = 0; i < 200; i++)
		log_warnx("one line of %s", "several words");
	return NULL;
}

static void lines_of_several_threads_do_not_mix(void **state)
{
	static const char line[] = "nodecanary: one line of several words\n";
	pthread_t threads[4];
	char *output, *at;

	(void)state;
	support_capture_begin();
	/* Like a terminal or a pipe, each write() goes behind the last one. */
	assert_int_equal(fcntl(STDERR_FILENO, F_SETFL, O_APPEND), 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, print_lines, NULL), 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	output = support_capture_end();
	assert_int_equal(strlen(output), 800 * strlen(line));
	for (at = output; *at; at += strlen(line))
		assert_memory_equal(at, line, strlen(line));
	free(output);
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(message_names_the_program_and_perhaps_the_error),
		TEST(messages_above_the_level_are_dropped),
		TEST(lines_in_a_journal_begin_with_their_level),
		TEST(stderr_that_is_not_the_journals_has_no_levels),
		TEST(long_message_is_cut_and_stays_one_line),
		TEST(errno_is_left_as_it_was),
		TEST(lines_of_several_threads_do_not_mix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
