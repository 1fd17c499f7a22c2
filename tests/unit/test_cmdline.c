/*
 * The command line: options, modes, what excludes what, and a help that fits a terminal.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmdline.h"
#include "config/configload.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ARGUMENTS_MAX 16

/* A parsed line; the words live as long as it does. */
struct line {
	struct cmdline cmdline;
	enum cmdline_mode mode;
	char *log;
	char text[256];
};

static void parse(struct line *line, const char *text)
{
	char *argv[ARGUMENTS_MAX + 1] = {NULL}, *rest = line->text, *word;
	int argc = 0;

	snprintf(line->text, sizeof(line->text), "nodecanary %s", text);
	while ((word = strsep(&rest, " ")) != NULL && argc < ARGUMENTS_MAX)
		if (*word)
			argv[argc++] = word;
	support_capture_begin();
	line->mode = cmdline_parse(&line->cmdline, argc, argv);
	line->log = support_capture_end();
}

static void parse_well(struct line *line, const char *text, enum cmdline_mode mode)
{
	parse(line, text);
	assert_string_equal(line->log, "");
	free(line->log);
	assert_int_equal(line->mode, mode);
}

static void without_options_it_runs_with_the_usual_file(void **state)
{
	struct line line;

	(void)state;
	parse_well(&line, "", CMDLINE_RUN);
	assert_string_equal(line.cmdline.config, "/etc/nodecanary/nodecanary.ini");
	assert_null(line.cmdline.drop_ins);
	assert_null(line.cmdline.output);
	assert_false(line.cmdline.dry_run || line.cmdline.table);
	assert_int_equal(line.cmdline.verbosity, LOG_LEVEL_WARNING);
}

static void every_option_is_known_by_letter_and_by_name(void **state)
{
	static const char *const texts[] = {
		"-c a.ini -d b -o - -n -t -v",
		"--config a.ini --drop-ins b --output - --dry-run --table --verbose",
		"--config=a.ini --drop-ins=b --output=- -ntv",
		"-ca.ini -db -o- -vtn",
	};
	struct line line;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		parse_well(&line, texts[i], CMDLINE_RUN);
		assert_string_equal(line.cmdline.config, "a.ini");
		assert_string_equal(line.cmdline.drop_ins, "b");
		assert_string_equal(line.cmdline.output, "-");
		assert_true(line.cmdline.dry_run && line.cmdline.table);
		assert_int_equal(line.cmdline.verbosity, LOG_LEVEL_INFO);
	}
	parse_well(&line, "-q", CMDLINE_RUN);
	assert_int_equal(line.cmdline.verbosity, LOG_LEVEL_ERROR);
	parse_well(&line, "--quiet", CMDLINE_RUN);
	assert_int_equal(line.cmdline.verbosity, LOG_LEVEL_ERROR);
}

static void modes_are_chosen_by_letter_and_by_name(void **state)
{
	static const struct {
		const char *text;
		enum cmdline_mode mode;
	} cases[] = {{"-C", CMDLINE_CHECK},
		     {"--check", CMDLINE_CHECK},
		     {"-C -c x.ini -d y", CMDLINE_CHECK},
		     {"-C -C", CMDLINE_CHECK},
		     {"-l", CMDLINE_LIST},
		     {"--list-peers", CMDLINE_LIST},
		     {"-l --all", CMDLINE_LIST_ALL},
		     {"--all --list-peers", CMDLINE_LIST_ALL},
		     {"-h", CMDLINE_HELP},
		     {"--help", CMDLINE_HELP},
		     {"-C -h", CMDLINE_HELP},
		     {"-V", CMDLINE_VERSION},
		     {"--version", CMDLINE_VERSION},
		     {"--", CMDLINE_RUN}};
	struct line line;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		parse_well(&line, cases[i].text, cases[i].mode);
}

/* In a unit's log that is all there is to see, so it names the culprit. */
static void what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *text, *culprit;
	} cases[] = {{"-x", "-x"},
		     {"-n -C --nonsense", "--nonsense"},
		     {"--config", "--config"},
		     {"-c", "-c"},
		     {"-t -o", "-o"},
		     {"--dry-run=yes", "--dry-run"},
		     {"--ver", "--ver"},
		     {"--all", "--all"},
		     {"-C --all", "--all"},
		     {"peers.ini", "peers.ini"},
		     {"-n -- peers.ini", "peers.ini"},
		     {"--table -xn", "-x"},
		     {"-nx", "-x"},
		     {"-o x.txt", "`x.txt`"},
		     {"-o /x/.prom", "`/x/.prom`"},
		     {"-o x.prom/", "`x.prom/`"},
		     {"-o nodecanary-\xff.prom", "in UTF-8"},
		     {"-o /dev/null", "`/dev/null`"},
		     {"--output=", "``"}};
	struct line line;
	bool named = true;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		parse(&line, cases[i].text);
		assert_int_equal(line.mode, CMDLINE_WRONG);
		assert_non_null(strstr(line.log, "nodecanary --help"));
		if (!strstr(line.log, cases[i].culprit)) {
			print_error("`nodecanary %s` says only: %s", cases[i].text,
				    line.log);
			named = false;
		}
		free(line.log);
	}
	assert_true(named);
}

static void options_that_exclude_each_other_are_an_error(void **state)
{
	static const struct {
		const char *text, *log;
	} cases[] = {{"-C -l", "-C and -l exclude each other"},
		     {"-l -t --check", "-C and -l exclude each other"},
		     {"-q -v", "-q and -v exclude each other"},
		     {"--verbose --quiet", "-q and -v exclude each other"}};
	struct line line;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		parse(&line, cases[i].text);
		assert_non_null(strstr(line.log, cases[i].log));
		free(line.log);
		assert_int_equal(line.mode, CMDLINE_WRONG);
	}
}

static void output_is_a_prom_file_or_a_hyphen(void **state)
{
	struct line line;

	(void)state;
	parse_well(&line, "-o -", CMDLINE_RUN);
	assert_string_equal(line.cmdline.output, "-");
	parse_well(&line, "-o x.prom", CMDLINE_RUN);
	assert_string_equal(line.cmdline.output, "x.prom");
	parse_well(&line, "-o ../y/.z.prom", CMDLINE_RUN);
	assert_string_equal(line.cmdline.output, "../y/.z.prom");
}

static void an_argument_may_look_like_an_option(void **state)
{
	struct line line;

	(void)state;
	parse_well(&line, "-c -t", CMDLINE_RUN);
	assert_string_equal(line.cmdline.config, "-t");
	assert_false(line.cmdline.table);
}

static char *help(void)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	cmdline_help(out);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void help_fits_24_lines_of_80_columns(void **state)
{
	char *text = help(), *rest = text, *line;
	int lines = 0;

	(void)state;
	while ((line = strsep(&rest, "\n")) != NULL && rest) {
		assert_true(strlen(line) <= 80);
		assert_null(strpbrk(line, "\t\r"));
		lines++;
	}
	assert_string_equal(line, "");
	/* The prompt below it wants a line, too. */
	assert_true(lines <= 23);
	free(text);
}

static void help_names_every_option_and_every_exit_status(void **state)
{
	static const char *const words[] = {"-c, --config",
					    "-d, --drop-ins",
					    "-o, --output",
					    "-n, --dry-run",
					    "-t, --table",
					    "-C, --check",
					    "-l, --list-peers",
					    "--all",
					    "-q, --quiet",
					    "-v, --verbose",
					    "-V, --version",
					    "-h, --help",
					    CONFIGLOAD_DEFAULT_FILE,
					    "0 published",
					    "64",
					    "71",
					    "73",
					    "75",
					    "77",
					    "78"};
	char *text = help();

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++)
		if (!strstr(text, words[i]))
			fail_msg("no `%s` in the help", words[i]);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_options_it_runs_with_the_usual_file),
		cmocka_unit_test(every_option_is_known_by_letter_and_by_name),
		cmocka_unit_test(modes_are_chosen_by_letter_and_by_name),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(options_that_exclude_each_other_are_an_error),
		cmocka_unit_test(output_is_a_prom_file_or_a_hyphen),
		cmocka_unit_test(an_argument_may_look_like_an_option),
		cmocka_unit_test(help_fits_24_lines_of_80_columns),
		cmocka_unit_test(help_names_every_option_and_every_exit_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
