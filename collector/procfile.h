/*
 * One number out of a file of /proc whose lines are "name value ...".
 */
#ifndef NODECANARY_PROCFILE_H
#define NODECANARY_PROCFILE_H

#include <stdbool.h>
#include <stdint.h>

/* False where there is no such file, or no such line in its first 16 kB. */
bool procfile_read(const char *path, const char *name, uint64_t *value);

#endif
