/*
 * What unit tests share: scratch files, captured stderr, cmocka in the right order.
 */
#ifndef NODECANARY_TESTS_SUPPORT_H
#define NODECANARY_TESTS_SUPPORT_H

/* cmocka.h wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unistd.h>

#define SUPPORT_PATH_SIZE 256

/* A new empty directory; the text is the caller's. */
void support_make_dir(char path[static SUPPORT_PATH_SIZE]);

/* Removes a directory and all below it. */
void support_remove_dir(const char *path);

/* Writes a file; `len` bytes of `content`. */
void support_write_file(const char *path, const void *content, size_t len);

/* All of a file, with a NUL behind it; to be freed. `len` may be NULL. */
char *support_read_file(const char *path, size_t *len);

/* Runs `body`, for at most a minute, in a process of its own; returns its wait status. */
int support_run_in_child(void (*body)(void));

/* For the child, where cmocka's assertions say nothing: the status tells the line. */
#define SUPPORT_EXPECT(condition)                                                        \
	do {                                                                             \
		if (!(condition))                                                        \
			_exit(__LINE__ % 200 + 1);                                       \
	} while (0)

/* Fails unless the text has all of the parts, a list that ends with NULL; "" if it is empty. */
void support_assert_parts(const char *text, const char *const *parts);

/* Skips the test in valgrind, which is slow, and makes some system calls in place of the program. */
void support_skip_in_valgrind(void);

/* Between begin and end stderr goes to memory; the result of end is to be freed. */
void support_capture_begin(void);
char *support_capture_end(void);

#endif
