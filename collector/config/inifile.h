/*
 * One INI file, read through inih. The only module that knows inih.
 *
 * inih cuts long lines and section names, joins indented lines to the value above, takes
 * ':' for '=', ends lines at NUL bytes, and hides repeated and empty sections, all
 * without a message. So the lines reach inih through a reader that counts them and
 * refuses, with file and line, whatever inih would not hand on unchanged.
 *
 * What looks right and is not is refused, too: invisible characters, and a comment after a
 * value that begins with `#`, which INI files take for a part of it.
 */
#ifndef NODECANARY_INIFILE_H
#define NODECANARY_INIFILE_H

#include <stdbool.h>

#include "config/config.h"

/* The longest line, key and section name, in bytes; inih keeps 49 of the last. */
#define INIFILE_LINE_MAX 1000
#define INIFILE_KEY_MAX 150
#define INIFILE_SECTION_MAX 49

/* Called in the order of the lines. The strings end with the call. */
struct inifile_handler {
	/*
	 * For each section header, also of an empty or repeated section. False: the section
	 * is refused, and its entries are skipped.
	 */
	bool (*section)(struct place place, const char *name, void *arg);
	/* For each `key = value`. The value may be empty; blanks around it are removed. */
	void (*entry)(struct place place, const char *key, const char *value, void *arg);
	void *arg;
};

/*
 * Reads the whole of `file`, whose line is 0; it does not stop at the first error.
 * CONFIG_INVALID if the file cannot be opened or read, or if a line cannot be taken apart;
 * what the handler refuses does not count.
 */
enum config_result inifile_read(struct place file, const struct inifile_handler *handler);

#endif
