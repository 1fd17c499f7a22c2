/*
 * Files of /proc, above all those whose lines are "name value ...". Read without stdio,
 * which would touch more memory than the rest of a small run.
 */
#ifndef NODECANARY_PROCFILE_H
#define NODECANARY_PROCFILE_H

#include <stdbool.h>
#include <stdint.h>

#define PROCFILE_SIZE 16384

/* The file, or its first 16,383 bytes, as a string. False if it cannot be read. */
bool procfile_load(const char *path, char content[static PROCFILE_SIZE]);

/*
 * The number after `name`, which begins a line. False, with `value` unchanged, if there is
 * no such line.
 */
bool procfile_find(const char *content, const char *name, uint64_t *value);

/* The same in a file, of which the first 16,383 bytes are read. */
bool procfile_read(const char *path, const char *name, uint64_t *value);

#endif
