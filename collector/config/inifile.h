/*
 * One INI file, read through inih. The only module that knows inih.
 *
 * inih cuts long lines and section names, joins indented lines to the value
 * above, takes ':' for '=', ends lines at NUL bytes, and hides repeated and
 * empty sections, all without a word. So the lines reach it through a reader
 * that counts them and refuses, with file and line, whatever inih would not
 * hand on as it stands. After a refused section header the entries below it
 * are skipped: they would only cause errors that are none.
 *
 * All errors of a file are reported; nothing stops at the first.
 */
#ifndef NODECANARY_INIFILE_H
#define NODECANARY_INIFILE_H

/* The longest line and section name, in bytes, that inih takes whole. */
#define INIFILE_LINE_MAX 198
#define INIFILE_SECTION_MAX 49

struct inifile {
	const char *path;
	unsigned line;	 /* the line being handled, from 1 */
	unsigned errors; /* reported so far in this file */
};

struct inifile_handler {
	/* For each section header, also of an empty or repeated section. */
	void (*section)(struct inifile *file, const char *name, void *arg);
	/* For each `key = value`. The value may be empty; blanks around it are gone. */
	void (*entry)(struct inifile *file, const char *key, const char *value,
		      void *arg);
	void *arg;
};

/*
 * Reads the whole file. Returns the number of errors, each of them logged:
 * those of the file and those that the handler reported.
 */
unsigned inifile_read(const char *path, const struct inifile_handler *handler);

/* Logs "path:line: message" and counts it. */
void inifile_complain(struct inifile *file, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
