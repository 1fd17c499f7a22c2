/*
 * Whether what the documents call a default is one: reads "SECTION KEY VALUE" a
 * line, sets the key, and says which line changed anything.
 */
#include <stdio.h>
#include <string.h>

#include "config/options.h"

struct both {
	struct collector_options collector;
	struct options options;
};

/* The padding in a mark says nothing. */
static bool equal(const struct both *a, struct both *b)
{
	struct mark *mark = &b->options.mark;

	if (mark->is_set == a->options.mark.is_set &&
	    mark->value == a->options.mark.value)
		memcpy(mark, &a->options.mark, sizeof(*mark));
	return memcmp(a, b, sizeof(*a)) == 0;
}

static bool is_default(const char *section, const char *key, const char *value)
{
	enum options_section which =
		strcmp(section, "probe") == 0 ? OPTIONS_PROBE : OPTIONS_COLLECTOR;
	char expected[OPTIONS_EXPECTED_SIZE];
	struct both before, after;
	int index = options_find(which, key);

	memset(&before, 0, sizeof(before));
	options_defaults(&before.collector, &before.options);
	memcpy(&after, &before, sizeof(after));
	return index >= 0 &&
	       options_set(which, (size_t)index, value, &after.collector, &after.options,
			   expected) &&
	       equal(&before, &after);
}

int main(void)
{
	char line[1024], section[64], key[64];
	int result = 0, value, lines = 0;

	for (; fgets(line, sizeof(line), stdin); lines++) {
		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "%63s %63s%n", section, key, &value) != 2)
			return 2;
		value += line[value] == ' ';
		if (is_default(section, key, line + value))
			continue;
		printf("[%s] %s: `%s` is not the default\n", section, key, line + value);
		result = 1;
	}
	return lines ? result : 2;
}
