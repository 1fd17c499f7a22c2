/*
 * Drop-ins: which files, and in which order.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/dropins.h"

static char seen[1024];

/* Notes the name; one error for each file that is called bad. */
static unsigned note(const char *path, void *arg)
{
	const char *name = strrchr(path, '/') + 1;

	assert_ptr_equal(arg, seen);
	strcat(seen, name);
	strcat(seen, " ");
	return strstr(name, "bad") != NULL;
}

static unsigned list(const char *directory, bool must_exist, char **said)
{
	unsigned errors;

	seen[0] = '\0';
	support_capture_begin();
	errors = dropins_each(directory, must_exist, note, seen);
	*said = support_capture_end();
	return errors;
}

static void put(const char *directory, const char *name)
{
	char path[2 * SUPPORT_PATH_SIZE];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	support_write_file(path, "", 0);
}

static void ini_files_come_in_the_order_of_their_bytes(void **state)
{
	static const char *const names[] = {"20-b.ini", "10-a.ini", "9.ini",  "a.ini",
					    "Z.ini",	".h.ini",   "b.ini~", "c.conf",
					    ".ini",	"x.bad.ini"};
	char directory[SUPPORT_PATH_SIZE], *said;

	(void)state;
	support_make_dir(directory);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		put(directory, names[i]);
	assert_int_equal(list(directory, true, &said), 1);
	assert_string_equal(seen, "10-a.ini 20-b.ini 9.ini Z.ini a.ini x.bad.ini ");
	assert_string_equal(said, "");
	free(said);
	support_remove_dir(directory);
}

static void a_directory_that_is_not_there_is_an_error_only_if_it_was_named(void **state)
{
	char *said;

	(void)state;
	assert_int_equal(list("no-such-directory", false, &said), 0);
	assert_string_equal(said, "");
	free(said);
	assert_int_equal(list("no-such-directory", true, &said), 1);
	assert_non_null(strstr(said, "no-such-directory: cannot read the directory"));
	free(said);
	assert_int_equal(list("/dev/null", false, &said), 1);
	free(said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ini_files_come_in_the_order_of_their_bytes),
		cmocka_unit_test(
			a_directory_that_is_not_there_is_an_error_only_if_it_was_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
