/*
 * What a string may be (UTF-8, a label name, a host name), and short replacements for
 * string functions of libc that would cost a run memory.
 */
#ifndef NODECANARY_TEXT_H
#define NODECANARY_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Well-formed UTF-8 (RFC 3629): no overlong forms, surrogates, or values above U+10FFFF. */
bool text_is_utf8(const char *text, size_t len);

/*
 * The character that `text` begins with if nobody sees it or it reorders what follows: a
 * control character but the tab, a no-break or zero-width space, a byte order mark, a
 * direction mark. 0 for every other character.
 */
uint32_t text_invisible(const char *text);

/*
 * The first character of a name that cannot be in one: a blank, a comma or a quote, also a
 * typographic one. They stand between names, or around them in other formats. 0: none.
 */
uint32_t text_not_of_name(const char *text);

/*
 * A label name that every node_exporter accepts: [a-zA-Z_][a-zA-Z0-9_]*, and not beginning
 * with two underscores, which crashes it.
 */
bool text_is_label_name(const char *text);

/*
 * A host name by RFC 1123, which may also contain underscores: labels of 63 bytes at most,
 * 253 bytes in all. A name whose last label is a number is an address, perhaps misspelt.
 */
bool text_is_host_name(const char *text);

/* '0' to '9', in any locale. */
bool text_is_digit(char c);

/* A space or a tab. */
bool text_is_blank(char c);

/* The first character that is no blank, or the end. */
const char *text_skip_blanks(const char *text);

/*
 * Copies a string with its NUL into `size` bytes; false, and "", if it does not fit.
 * In place of snprintf(): a run that prints nothing never touches libc's printf, which is
 * a tenth of its memory.
 */
bool text_copy(char *out, size_t size, const char *text);

/* The same for two strings, one after the other. */
bool text_join(char *out, size_t size, const char *head, const char *tail);

/*
 * The number of bytes before the first one, or the end, that is in `set`, or that is not.
 * In place of strcspn() and strspn(): these, and strpbrk(), are in a part of libc that
 * nothing else of a run touches, 64 kB of it.
 */
size_t text_until(const char *text, const char *set);
size_t text_span(const char *text, const char *set);

#endif
