/*
 * Reading the configuration. Every error of every file is reported, each with
 * file and line, and nothing is guessed.
 */
#ifndef NODECANARY_CONFIGLOAD_H
#define NODECANARY_CONFIGLOAD_H

#include "config/config.h"

#define CONFIGLOAD_DEFAULT_FILE "/etc/nodecanary/nodecanary.ini"

enum configload_result { CONFIGLOAD_VALID, CONFIGLOAD_INVALID, CONFIGLOAD_NO_MEMORY };

/*
 * Reads `file` and then the *.ini files of `drop_ins` in lexical order (NULL:
 * `file` with ".d" behind it, which need not exist). Everything but
 * CONFIGLOAD_VALID has been logged. The result is for config_free() in any case.
 */
enum configload_result configload_read(struct config *config, const char *file,
				       const char *drop_ins);

#endif
