/*
 * What a string may be: UTF-8, a label name, a host name.
 */
#ifndef NODECANARY_TEXT_H
#define NODECANARY_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Well-formed UTF-8 (RFC 3629): no overlong forms, surrogates, or values above U+10FFFF.
 */
bool text_is_utf8(const char *text, size_t len);

/*
 * A label name that every node_exporter takes: [a-zA-Z_][a-zA-Z0-9_]*, and not
 * beginning with two underscores, which kills it.
 */
bool text_is_label_name(const char *text);

/* RFC 1123 plus the underscore; at most 253 bytes; a last label that is a number makes it
 * none.
 */
bool text_is_host_name(const char *text);

bool text_is_blank(char c);

/*
 * Copies a string that fits, with its NUL, into `size` bytes; false, and "", if
 * it does not. In place of snprintf(): a run that has nothing to say to people
 * never touches libc's printf, which is a tenth of its memory.
 */
bool text_copy(char *out, size_t size, const char *text);

/* The same for two strings, one behind the other. */
bool text_join(char *out, size_t size, const char *head, const char *tail);

/*
 * How many bytes there are before the first one, or the end, that is in `set`, or not
 * in `set`. In place of strcspn() and strspn(): these, and strpbrk(), lie in a corner of
 * libc that nothing else of a run touches, 64 kB of it.
 */
size_t text_until(const char *text, const char *set);
size_t text_span(const char *text, const char *set);

#endif
