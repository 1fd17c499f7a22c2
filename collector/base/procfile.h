/*
 * Files of /proc; above all one number out of one whose lines are "name value ...".
 */
#ifndef NODECANARY_PROCFILE_H
#define NODECANARY_PROCFILE_H

#include <stdbool.h>
#include <stdint.h>

#define PROCFILE_SIZE 16384

/* The first bytes of the file as a string. False where there is no such file. */
bool procfile_load(const char *path, char content[static PROCFILE_SIZE]);

/* False where there is no such file, or no such line in its first 16 kB. */
bool procfile_read(const char *path, const char *name, uint64_t *value);

#endif
