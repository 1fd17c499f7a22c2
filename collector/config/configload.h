/*
 * Reading the configuration: a main file, then its drop-ins. Every error of every file
 * is reported, each with file and line, and nothing is guessed.
 */
#ifndef NODECANARY_CONFIGLOAD_H
#define NODECANARY_CONFIGLOAD_H

#include "config/config.h"

#define CONFIGLOAD_DEFAULT_FILE NODECANARY_SYSCONFDIR "/nodecanary/nodecanary.ini"

/*
 * Reads `file`, then the *.ini files of the directory `drop_ins` in the order of their
 * bytes, without those that begin with a dot. NULL stands for `file` with ".d" appended,
 * which need not exist. Everything but CONFIG_VALID has been logged. In any case the
 * caller gives `config` to config_free().
 */
enum config_result configload_read(struct config *config, const char *file,
				   const char *drop_ins);

#endif
