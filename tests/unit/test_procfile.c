/*
 * Numbers out of files of /proc.
 */
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "base/procfile.h"

static char directory[SUPPORT_PATH_SIZE], path[2 * SUPPORT_PATH_SIZE];

static int make_file(void **state)
{
	static const char content[] = "Name:\tx\nVmHWMx:\t1 kB\nVmHWM:\t  1384 kB\n"
				      "Errors  \t 18446744073709551615\n"
				      "Large 18446744073709551616\nEmpty:\nLast: 7";

	(void)state;
	support_make_dir(directory);
	snprintf(path, sizeof(path), "%s/file", directory);
	support_write_file(path, content, sizeof(content) - 1);
	return 0;
}

static int remove_file(void **state)
{
	(void)state;
	support_remove_dir(directory);
	return 0;
}

static void the_number_behind_a_name_is_read(void **state)
{
	uint64_t value;

	(void)state;
	assert_true(procfile_read(path, "VmHWM:", &value));
	assert_int_equal(value, 1384);
	assert_true(procfile_read(path, "Errors", &value));
	assert_true(value == UINT64_MAX);
	assert_true(procfile_read(path, "Last:", &value));
	assert_int_equal(value, 7);
}

static void what_is_not_there_or_no_number_is_refused(void **state)
{
	uint64_t value = 5;

	(void)state;
	assert_false(procfile_read(path, "VmRSS:", &value));
	assert_false(procfile_read(path, "VmHW", &value));
	assert_false(procfile_read(path, "Name:", &value));
	assert_false(procfile_read(path, "Large", &value));
	assert_false(procfile_read(path, "Empty:", &value));
	assert_false(procfile_read("/proc/self/no-such-file", "x", &value));
	assert_int_equal(value, 5);
}

static void several_names_are_found_in_one_file(void **state)
{
	static const char content[] = "First 1\nSecond \t2\n";
	uint64_t value = 5;

	(void)state;
	assert_true(procfile_find(content, "Second", &value));
	assert_int_equal(value, 2);
	assert_true(procfile_find(content, "First", &value));
	assert_int_equal(value, 1);
	assert_false(procfile_find(content, "Third", &value));
	assert_int_equal(value, 1);
}

static void the_real_thing_is_read(void **state)
{
	uint64_t value;

	(void)state;
	assert_true(procfile_read("/proc/self/status", "VmHWM:", &value));
	assert_true(value > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_number_behind_a_name_is_read),
		cmocka_unit_test(what_is_not_there_or_no_number_is_refused),
		cmocka_unit_test(several_names_are_found_in_one_file),
		cmocka_unit_test(the_real_thing_is_read),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
