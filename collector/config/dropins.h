/*
 * A directory of drop-ins: its *.ini files in lexical order (of bytes), without
 * those that begin with a dot.
 */
#ifndef NODECANARY_DROPINS_H
#define NODECANARY_DROPINS_H

#include <stdbool.h>

/*
 * Calls `load` for the path of each; returns the sum of what it returned, plus 1
 * after logging for what cannot be read. A directory that is not there is an
 * error only if it must be.
 */
unsigned dropins_each(const char *directory, bool must_exist,
		      unsigned (*load)(const char *path, void *arg), void *arg);

#endif
