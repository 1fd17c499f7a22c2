/*
 * Every broken configuration of tests/unit/data/config, and a few odd ones that are valid,
 * with exactly what is said about it. NN-name.ini (with NN-name.ini.d beside it) belongs
 * to NN-name.expected; where that is empty the configuration is valid. A case may lack
 * its .ini: that is what a missing file looks like. UPDATE_GOLDEN=1 writes the .expected
 * files.
 */
#include "support.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/configload.h"

#define CASES_MIN 40

/* "NN-name" of "NN-name.ini" or "NN-name.expected"; false for other names. */
static bool case_of(const char *file, char name[static 256])
{
	static const char *const endings[] = {".ini", ".expected"};
	size_t len = strlen(file);

	for (size_t i = 0; i < 2; i++) {
		size_t ending = strlen(endings[i]);

		if (len <= ending || strcmp(file + len - ending, endings[i]) != 0)
			continue;
		snprintf(name, 256, "%.*s", (int)(len - ending), file);
		return true;
	}
	return false;
}

static int is_case(const struct dirent *entry)
{
	char name[256];

	return case_of(entry->d_name, name);
}

static char *messages_of(const char *name, enum config_result *result)
{
	struct config config;
	char path[300], *log;

	snprintf(path, sizeof(path), "%s.ini", name);
	support_capture_begin();
	*result = configload_read(&config, path, NULL);
	log = support_capture_end();
	config_free(&config);
	return log;
}

static bool check_case(const char *name)
{
	enum config_result result;
	char path[300], *expected, *log = messages_of(name, &result);
	bool good;

	snprintf(path, sizeof(path), "%s.expected", name);
	if (getenv("UPDATE_GOLDEN"))
		support_write_file(path, log, strlen(log));
	expected = access(path, R_OK) == 0 ? support_read_file(path, NULL) : NULL;
	good = expected && strcmp(expected, log) == 0 &&
	       result == (*log ? CONFIG_INVALID : CONFIG_VALID);
	if (!good)
		fprintf(stderr, "== %s: expected\n%s== said, with result %d\n%s", name,
			expected ? expected : "(no such file)\n", (int)result, log);
	free(expected);
	free(log);
	return good;
}

static void broken_configurations_are_refused_in_these_words(void **state)
{
	struct dirent **entries;
	char name[256], last[256] = "";
	int count = scandir(".", &entries, is_case, alphasort), failed = 0, cases = 0;

	(void)state;
	assert_true(count > 0);
	for (int i = 0; i < count; i++) {
		if (case_of(entries[i]->d_name, name) && strcmp(name, last) != 0) {
			failed += !check_case(name);
			cases++;
		}
		memcpy(last, name, sizeof(last));
		free(entries[i]);
	}
	free(entries);
	assert_int_equal(failed, 0);
	assert_true(cases >= CASES_MIN);
}

static int enter_data(void **state)
{
	const char *data = getenv("NODECANARY_TEST_DATA");
	char path[4096];

	(void)state;
	snprintf(path, sizeof(path), "%s/config", data ? data : "tests/unit/data");
	return chdir(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(broken_configurations_are_refused_in_these_words),
	};

	return cmocka_run_group_tests(tests, enter_data, NULL);
}
