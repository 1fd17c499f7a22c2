/*
 * A file that exposition.h wrote, line by line, and the proof that it is whole.
 */
#ifndef NODECANARY_STATEFILE_H
#define NODECANARY_STATEFILE_H

#include <stdint.h>

#include "promline.h"

/* The last line, without its newline, of a file of that length and hash before it. */
#define STATEFILE_SEAL_SIZE 96
void statefile_seal(char out[static STATEFILE_SEAL_SIZE], uint64_t length, uint64_t hash);

/* The largest counter that every reader's double holds. */
#define STATEFILE_COUNTER_MAX (UINT64_C(1) << 53)

/* What a line is. */
enum statefile_line {
	STATEFILE_SERIES,
	STATEFILE_LOOKUP, /* a comment of ours, taken apart like a series */
};

/* Gets each such line in turn; returns NULL, or what is wrong with it. */
typedef const char *statefile_take(enum statefile_line kind, struct promline *line,
				   void *arg);

/* The file could not be read, or not be kept in memory: that says nothing about it. */
extern const char *const statefile_unreadable, *const statefile_no_memory;

/*
 * Reads the whole file. NULL if `take` took every line and the last one proves
 * that they are all there; else what is wrong, and nothing that `take` got may
 * be believed.
 */
const char *statefile_scan(int fd, statefile_take *take, void *arg);

#endif
