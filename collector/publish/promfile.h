/*
 * A file that exposition.h wrote, line by line, and the proof that it is whole.
 */
#ifndef NODECANARY_PROMFILE_H
#define NODECANARY_PROMFILE_H

#include <stdint.h>

#include "base/number.h"
#include "publish/promline.h"

/* The last line, without its newline, of a file of that length and hash before it. */
#define PROMFILE_SEAL_SIZE 96
void promfile_seal(char out[static PROMFILE_SEAL_SIZE], uint64_t length, uint64_t hash);

/* The largest counter that every reader's double holds. */
#define PROMFILE_COUNTER_MAX NUMBER_EXACT_MAX

/* What a line is. */
enum promfile_line {
	PROMFILE_SERIES,
	PROMFILE_LOOKUP, /* a comment of ours, taken apart like a series */
};

/* Gets each such line in turn; returns NULL, or what is wrong with it. */
typedef const char *promfile_take(enum promfile_line kind, struct promline *line,
				  void *arg);

/* The file could not be read, or not be kept in memory: that says nothing about it. */
extern const char *const promfile_unreadable, *const promfile_no_memory;

/*
 * Reads the whole file. NULL if `take` took every line and the last one proves
 * that they are all there; else what is wrong, and nothing that `take` got may
 * be believed.
 */
const char *promfile_scan(int fd, promfile_take *take, void *arg);

#endif
