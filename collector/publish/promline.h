/*
 * One line of text format 0.0.4, as this program writes it: a name, labels
 * perhaps, a blank, a value. Neither time stamps nor other liberties.
 */
#ifndef NODECANARY_PROMLINE_H
#define NODECANARY_PROMLINE_H

#include <stdbool.h>
#include <stddef.h>

#define PROMLINE_LABELS_MAX 128

struct promline {
	const char *name;
	const char *value;
	size_t label_count;
	struct {
		const char *name, *value;
	} labels[PROMLINE_LABELS_MAX];
};

/*
 * Takes a line without its newline deferred, in place: the result points into it,
 * and label values are unescaped. False if it is anything else.
 */
bool promline_parse(char *text, struct promline *line);

/* The value of a label, "" where the series has none of that name. */
const char *promline_label(const struct promline *line, const char *name);

#endif
