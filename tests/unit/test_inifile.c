/*
 * INI files through inih: what arrives is what stands there, or an error says
 * where it does not.
 */
#include "support.h"

#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/inifile.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What reading a file came to: "1[name] 2key=value ", and what was logged. */
struct result {
	char events[4096];
	char *log;
	enum config_result read;
};

static char directory[SUPPORT_PATH_SIZE];

static bool announces_sections;

struct announced {
	ini_handler handler;
	void *arg;
	char section[64];
};

static int announce(void *arg, const char *section, const char *key, const char *value)
{
	struct announced *announced = arg;

	if (announces_sections && strcmp(section, announced->section) != 0) {
		snprintf(announced->section, sizeof(announced->section), "%s", section);
		announced->handler(announced->arg, section, NULL, NULL);
	}
	return announced->handler(announced->arg, section, key, value);
}

/* The linker calls libinih's function __real_... and gives its calls to ours. */
int __real_ini_parse_stream(ini_reader reader, void *stream, ini_handler handler,
			    void *user);
int __wrap_ini_parse_stream(ini_reader reader, void *stream, ini_handler handler,
			    void *user);

int __wrap_ini_parse_stream(ini_reader reader, void *stream, ini_handler handler,
			    void *user)
{
	struct announced announced = {handler, user, ""};

	return __real_ini_parse_stream(reader, stream, announce, &announced);
}

static int begin(void **state)
{
	(void)state;
	support_make_dir(directory);
	return chdir(directory);
}

static int end(void **state)
{
	(void)state;
	assert_int_equal(chdir("/"), 0);
	support_remove_dir(directory);
	return 0;
}

static void append(struct result *result, unsigned line, const char *before,
		   const char *a, const char *between, const char *b)
{
	size_t len = strlen(result->events);

	snprintf(result->events + len, sizeof(result->events) - len, "%u%s%s%s%s ", line,
		 before, a, between, b);
}

/* Refuses the section that is called bad. */
static bool on_section(struct place place, const char *name, void *arg)
{
	append(arg, place.line, "[", name, "]", "");
	return strcmp(name, "bad") != 0;
}

static void on_entry(struct place place, const char *key, const char *value, void *arg)
{
	assert_int_equal(place.file, 3);
	append(arg, place.line, "", key, "=", value);
}

static void read_path(const char *path, struct result *result)
{
	const struct inifile_handler handler = {on_section, on_entry, result};

	result->events[0] = '\0';
	support_capture_begin();
	result->read = inifile_read((struct place){.path = path, .file = 3}, &handler);
	result->log = support_capture_end();
}

/* Reads `content`; the file is invalid if anything is logged. */
static void expect(const char *content, size_t len, const char *events, const char *log)
{
	struct result result;

	support_write_file("f.ini", content, len);
	read_path("f.ini", &result);
	assert_string_equal(result.events, events);
	assert_string_equal(result.log, log);
	assert_int_equal(result.read, *log ? CONFIG_INVALID : CONFIG_VALID);
	free(result.log);
}

static void sections_and_entries_arrive_with_their_lines(void **state)
{
	static const struct {
		const char *content, *events;
	} cases[] = {
		{"", ""},
		{"\n", ""},
		{"\n\n  \n\t\n", ""},
		{"; a\n# b\n  ; c\n\t# d\n", ""},
		{"[a]\n", "1[a] "},
		{"[a]", "1[a] "},
		{"[a]\nk=v", "1[a] 2k=v "},
		{"[a]\nk = v\n", "1[a] 2k=v "},
		{"[a]\nk\t=\tv \t\n", "1[a] 2k=v "},
		{"[a]\nk =\n", "1[a] 2k= "},
		{"[a]\nk = v w = x:y\n", "1[a] 2k=v w = x:y "},
		{"[a]\nk = v ; comment\n", "1[a] 2k=v "},
		{"[a]\nk = v;w\n", "1[a] 2k=v;w "},
		{"[a]\nk = v#w\n", "1[a] 2k=v#w "},
		{"[a]\nk = \"v # w\"\n", "1[a] 2k=\"v # w\" "},
		{"[a]\nk = v ; w # x\n", "1[a] 2k=v "},
		{"[a] ; \xc2\xa0\n#\x1b\nk = v ;\xe2\x80\xae\n", "1[a] 3k=v "},
		{"[a]\nk = ; nothing\n", "1[a] 2k= "},
		{"[a] ; comment\nk=v\n", "1[a] 2k=v "},
		{"[a]\n[b]\n[a]\n", "1[a] 2[b] 3[a] "},
		{"[a]\n\n; x\nk=1\n\nk=2\n", "1[a] 4k=1 6k=2 "},
		{"[a]\r\nk=v\r\n", "1[a] 2k=v "},
		{"\xef\xbb\xbf[a]\nk=v\n", "1[a] 2k=v "},
		{"[]\n", "1[] "},
		{"[a b]\nk=\xc3\xa9\n", "1[a b] 2k=\xc3\xa9 "},
		{"[a]\nk=[b]\n", "1[a] 2k=[b] "},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		expect(cases[i].content, strlen(cases[i].content), cases[i].events, "");
}

#define SAYS(line, text) "nodecanary: f.ini:" #line ": " text "\n"

#define HASH                                                                             \
	"`#` after a blank, expected `;` for a comment (or quotes around the value of a label)"

static void lines_that_inih_would_misread_are_refused(void **state)
{
	static const struct {
		const char *content, *events, *log;
	} cases[] = {
		{"[a]\nkv\n", "1[a] ",
		 SAYS(2, "line without `=`, expected `key = value`")},
		{"[a]\nk ; = v\n", "1[a] ",
		 SAYS(2, "line without `=`, expected `key = value`")},
		{"[a]\n= v\n", "1[a] ",
		 SAYS(2, "no key before `=`, expected `key = value`")},
		{"[a]\nk: v\n", "1[a] ",
		 SAYS(2,
		      "`:` in a key or after it, expected `key = value` (a peer's name cannot be an IPv6 address)")},
		{"[a]\nfd00::1 = v\n", "1[a] ",
		 SAYS(2,
		      "`:` in a key or after it, expected `key = value` (a peer's name cannot be an IPv6 address)")},
		{"[a]\nk=v\n  w\n", "1[a] 2k=v ",
		 SAYS(3, "indented line, expected it to begin in the first column")},
		{"[a]\nk=v\n\tk2=w\n", "1[a] 2k=v ",
		 SAYS(3, "indented line, expected it to begin in the first column")},
		{" [a]\n", "",
		 SAYS(1, "indented line, expected it to begin in the first column")},
		{"k=v\n[a]\n", "2[a] ",
		 SAYS(1,
		      "no section above this line, expected [collector], [probe], [peers] or [labels]")},
		{"[a\nk=v\n[b]\n", "3[b] ",
		 SAYS(1, "section header without `]`, expected [name]")},
		{"[a ;]\nk=v\n", "",
		 SAYS(1, "section header without `]`, expected [name]")},
		{"[a] b\nk=v\n", "", SAYS(1, "unexpected `b` after a section header")},
		{"[a]\nk = v # w\n", "1[a] ", SAYS(2, HASH)},
		{"[a]\nk = # w\n", "1[a] ", SAYS(2, HASH)},
		{"[a]\nk = \"v\" # w\n", "1[a] ", SAYS(2, HASH)},
		{"[a]\nk\t#l = w\n", "1[a] ", SAYS(2, HASH)},
		{"[a] # w\nk=v\n", "", SAYS(1, HASH)},
		{"[a]\nk=\xff\n", "1[a] ", SAYS(2, "invalid UTF-8")},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		expect(cases[i].content, strlen(cases[i].content), cases[i].events,
		       cases[i].log);
}

/* Not even what is wrong with them is reported; a valid section ends the skipping. */
static void entries_of_a_section_that_the_handler_refuses_are_skipped(void **state)
{
	static const char content[] = "[a]\nk=v\n[bad]\nk=v\nkv\n[b]\nl=w\n";

	(void)state;
	expect(content, sizeof(content) - 1, "1[a] 2k=v 3[bad] 6[b] 7l=w ", "");
}

static void every_control_character_but_the_tab_is_refused(void **state)
{
	char content[] = "[a]\nk=v?w\n", log[128];

	(void)state;
	for (unsigned c = 1; c <= 0x7f; c = c == 0x1f ? 0x7f : c + 1) {
		if (c == '\t' || c == '\n')
			continue;
		content[7] = (char)c;
		snprintf(log, sizeof(log),
			 "nodecanary: f.ini:2: invisible character U+%04X after `k=v`\n",
			 c);
		expect(content, sizeof(content) - 1, "1[a] ", log);
	}
}

static void nul_bytes_are_refused_wherever_they_stand(void **state)
{
	static const char before[] = "[a]\n\0k=v\nl=w\n", within[] = "[a]\nk=v\0w\nl=w\n",
			  behind[] = "[a]\nk=v\n\0";

	(void)state;
	expect(before, sizeof(before) - 1, "1[a] 3l=w ",
	       SAYS(2, "NUL byte, expected text in UTF-8"));
	expect(within, sizeof(within) - 1, "1[a] 3l=w ",
	       SAYS(2, "NUL byte, expected text in UTF-8"));
	expect(behind, sizeof(behind) - 1, "1[a] 2k=v ",
	       SAYS(3, "NUL byte, expected text in UTF-8"));
}

/* Entries of one section must never be taken for those of another. */
static void entries_below_a_header_of_bad_bytes_are_skipped(void **state)
{
	static const char nul[] = "[a]\nk=v\n[b\0]\nl=w\n";

	(void)state;
	expect("[a]\nk=v\n[b\xff]\nl=w\n", 17, "1[a] 2k=v ", SAYS(3, "invalid UTF-8"));
	expect(nul, sizeof(nul) - 1, "1[a] 2k=v ",
	       SAYS(3, "NUL byte, expected text in UTF-8"));
	expect("[\x01]\nl=w\n", 8, "", SAYS(1, "invisible character U+0001 after `[`"));
}

static void what_nobody_sees_is_refused_and_named(void **state)
{
	static const struct {
		const char *bytes, *name;
	} cases[] = {
		{"\xc2\x85", "U+0085"},	    {"\xc2\xa0", "U+00A0"},
		{"\xc2\xad", "U+00AD"},	    {"\xd8\x9c", "U+061C"},
		{"\xe2\x80\x8b", "U+200B"}, {"\xe2\x80\x8c", "U+200C"},
		{"\xe2\x80\x8d", "U+200D"}, {"\xe2\x80\xa8", "U+2028"},
		{"\xe2\x80\xa9", "U+2029"}, {"\xe2\x80\xae", "U+202E"},
		{"\xe2\x80\xaf", "U+202F"}, {"\xe2\x81\xa0", "U+2060"},
		{"\xe2\x81\xa6", "U+2066"}, {"\xe3\x80\x80", "U+3000"},
		{"\xe3\x85\xa4", "U+3164"}, {"\xef\xb8\x8f", "U+FE0F"},
		{"\xef\xbb\xbf", "U+FEFF"}, {"\xf3\xa0\x80\xa0", "U+E0020"},
	};
	char content[64], log[128];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(content, sizeof(content), "[a]\nk%s = v\nl=w\n", cases[i].bytes);
		snprintf(log, sizeof(log),
			 "nodecanary: f.ini:2: invisible character %s after `k`\n",
			 cases[i].name);
		expect(content, strlen(content), "1[a] 3l=w ", log);
		snprintf(content, sizeof(content), "[a]\nk = \"v%s\"\nl=w\n",
			 cases[i].bytes);
		snprintf(log, sizeof(log),
			 "nodecanary: f.ini:2: invisible character %s after `k = \"v`\n",
			 cases[i].name);
		expect(content, strlen(content), "1[a] 3l=w ", log);
	}
}

/* Files of Windows joined by `type` or `cat`: what follows belongs to no other section. */
static void a_header_behind_a_byte_order_mark_is_a_refused_header(void **state)
{
	static const char content[] = "[a]\nk=v\n\xef\xbb\xbf[b]\nl=w\n[c]\nm=x\n";

	(void)state;
	expect(content, sizeof(content) - 1, "1[a] 2k=v 5[c] 6m=x ",
	       SAYS(3, "invisible character U+FEFF after ``"));
}

static void a_line_ends_at_1000_bytes(void **state)
{
	char content[2048] = "[a]\nk=", events[2048], *text = content + 6;

	(void)state;
	memset(text, 'x', 998);
	snprintf(events, sizeof(events), "1[a] 2k=%.998s 3l=w ", text);
	memcpy(text + 998, "\nl=w\n", 5);
	expect(content, 6 + 998 + 5, events, "");
	memcpy(text + 998, "x\nl=w\n", 6);
	expect(content, 6 + 998 + 6, "1[a] 3l=w ",
	       SAYS(2, "line too long: 1001 bytes (at most 1000)"));
	memset(text, 'x', 1600);
	memcpy(text + 1600, "\nl=w\n", 5);
	expect(content, 6 + 1600 + 5, "1[a] 3l=w ",
	       SAYS(2, "line too long: 1602 bytes (at most 1000)"));
}

/* Neither is part of the line, so neither takes room. */
static void byte_order_mark_and_carriage_return_take_no_room_on_a_line(void **state)
{
	char content[2048] = "[a]\r\nk=", events[2048], *text = content + 7;

	(void)state;
	memset(text, 'x', 998);
	memcpy(text + 998, "\r\n", 2);
	snprintf(events, sizeof(events), "1[a] 2k=%.998s ", text);
	expect(content, 7 + 998 + 2, events, "");
	memcpy(content, "\xef\xbb\xbf;", 4);
	memset(content + 4, 'x', 999);
	expect(content, 4 + 999, "", "");
}

/* What an inih does that was built with INI_CALL_HANDLER_ON_NEW_SECTION. */
static void an_inih_that_announces_sections_changes_nothing(void **state)
{
	(void)state;
	announces_sections = true;
	expect("[a]\nk=v\n[b]\nl=w\n", 15, "1[a] 2k=v 3[b] 4l=w ", "");
	announces_sections = false;
}

static void a_section_name_ends_at_49_bytes(void **state)
{
	char content[128], events[128];

	(void)state;
	snprintf(content, sizeof(content), "[%049d]\nk=v\n", 7);
	snprintf(events, sizeof(events), "1[%049d] 2k=v ", 7);
	expect(content, strlen(content), events, "");
	snprintf(content, sizeof(content), "[%050d]\nk=v\n", 7);
	expect(content, strlen(content), "",
	       SAYS(1, "section name too long: 50 bytes (at most 49)"));
}

static void a_key_ends_at_150_bytes(void **state)
{
	char content[256], events[256];

	(void)state;
	snprintf(content, sizeof(content), "[a]\n%0150d=v\n", 7);
	snprintf(events, sizeof(events), "1[a] 2%0150d=v ", 7);
	expect(content, strlen(content), events, "");
	snprintf(content, sizeof(content), "[a]\n%0151d=v\n", 7);
	expect(content, strlen(content), "1[a] ",
	       SAYS(2, "key too long: 151 bytes (at most 150)"));
}

static void all_errors_of_a_file_are_reported(void **state)
{
	static const char content[] = "k=v\n[a\nx\n[a]\nx\n y=1\nz:1\nk=v\n";

	(void)state;
	expect(content, sizeof(content) - 1, "4[a] 8k=v ",
	       SAYS(1,
		    "no section above this line, expected [collector], [probe], [peers] or [labels]")
		       SAYS(2, "section header without `]`, expected [name]") SAYS(
			       5, "line without `=`, expected `key = value`")
			       SAYS(6,
				    "indented line, expected it to begin in the first column")
				       SAYS(7,
					    "`:` in a key or after it, expected `key = value` (a peer's name cannot be an IPv6 address)"));
}

static void expect_path(const char *path, const char *log)
{
	struct result result;

	read_path(path, &result);
	assert_string_equal(result.events, "");
	assert_string_equal(result.log, log);
	assert_int_equal(result.read, CONFIG_INVALID);
	free(result.log);
}

static void what_is_no_readable_file_is_an_error(void **state)
{
	(void)state;
	expect_path("missing.ini",
		    "nodecanary: missing.ini: cannot open: No such file or directory\n");
	expect_path(".", "nodecanary: .: cannot read: Is a directory\n");
	expect_path("/proc/self/mem",
		    "nodecanary: /proc/self/mem: cannot read: Input/output error\n");
}

static void a_file_of_others_is_an_error(void **state)
{
	bool root = geteuid() == 0;
	struct result result;

	(void)state;
	support_write_file("secret.ini", "[a]\n", 4);
	assert_int_equal(chmod(".", 0755), 0);
	assert_int_equal(chmod("secret.ini", 0), 0);
	assert_true(!root || seteuid(65534) == 0);
	read_path("secret.ini", &result);
	assert_true(!root || seteuid(0) == 0);
	assert_string_equal(result.log,
			    "nodecanary: secret.ini: cannot open: Permission denied\n");
	assert_int_equal(result.read, CONFIG_INVALID);
	free(result.log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sections_and_entries_arrive_with_their_lines),
		cmocka_unit_test(lines_that_inih_would_misread_are_refused),
		cmocka_unit_test(
			entries_of_a_section_that_the_handler_refuses_are_skipped),
		cmocka_unit_test(every_control_character_but_the_tab_is_refused),
		cmocka_unit_test(nul_bytes_are_refused_wherever_they_stand),
		cmocka_unit_test(entries_below_a_header_of_bad_bytes_are_skipped),
		cmocka_unit_test(what_nobody_sees_is_refused_and_named),
		cmocka_unit_test(a_header_behind_a_byte_order_mark_is_a_refused_header),
		cmocka_unit_test(a_line_ends_at_1000_bytes),
		cmocka_unit_test(an_inih_that_announces_sections_changes_nothing),
		cmocka_unit_test(
			byte_order_mark_and_carriage_return_take_no_room_on_a_line),
		cmocka_unit_test(a_section_name_ends_at_49_bytes),
		cmocka_unit_test(a_key_ends_at_150_bytes),
		cmocka_unit_test(all_errors_of_a_file_are_reported),
		cmocka_unit_test(what_is_no_readable_file_is_an_error),
		cmocka_unit_test(a_file_of_others_is_an_error),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
