/*
 * The command line.
 */
#ifndef NODECANARY_CMDLINE_H
#define NODECANARY_CMDLINE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/log.h"

enum cmdline_mode {
	CMDLINE_RUN,
	CMDLINE_CHECK,	  /* -C */
	CMDLINE_LIST,	  /* -l */
	CMDLINE_LIST_ALL, /* -l --all */
	CMDLINE_HELP,	  /* -h */
	CMDLINE_VERSION,  /* -V */
	CMDLINE_WRONG,	  /* logged; the rest of the result is not to be used */
};

struct cmdline {
	const char *config;
	const char *drop_ins; /* NULL: beside the configuration */
	const char *output;   /* NULL: as configured; "-": standard output */
	bool dry_run, table;
	enum log_level verbosity;
};

/* Parses the whole line. Whatever the mode, the strings belong to argv. */
enum cmdline_mode cmdline_parse(struct cmdline *cmdline, int argc, char *argv[]);

/* Prints usage, options and exit statuses; at most 23 lines of 80 columns. */
void cmdline_help(FILE *out);

#endif
