#include "config/dropins.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"

static int is_drop_in(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 4 &&
	       strcmp(entry->d_name + len - 4, ".ini") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

unsigned dropins_each(const char *directory, bool must_exist,
		      unsigned (*load)(const char *path, void *arg), void *arg)
{
	struct dirent **entries;
	unsigned errors = 0;
	int count = scandir(directory, &entries, is_drop_in, by_name);

	if (count < 0) {
		if (errno == ENOENT && !must_exist)
			return 0;
		log_err("%s: cannot read the directory of drop-ins", directory);
		return 1;
	}
	for (int i = 0; i < count; i++) {
		char path[PATH_MAX];

		if (text_join(path, sizeof(path), directory, "/") &&
		    text_join(path + strlen(path), sizeof(path) - strlen(path),
			      entries[i]->d_name, "")) {
			errors += load(path, arg);
		} else {
			log_errx("%s/%s: a path that is too long", directory,
				 entries[i]->d_name);
			errors++;
		}
		free(entries[i]);
	}
	free(entries);
	return errors;
}
