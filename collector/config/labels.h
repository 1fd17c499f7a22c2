/*
 * Labels that users give to their peers: name and value, published on
 * nodecanary_peer_info.
 *
 * A list is empty when zeroed, owns its strings, and is given back to labels_free().
 */
#ifndef NODECANARY_LABELS_H
#define NODECANARY_LABELS_H

#include <stddef.h>

/* The most labels that the sections of a group, those of all groups, or a line set. */
#define LABELS_MAX 32

struct label {
	char *name;
	char *value;
};

struct label_list {
	struct label *items; /* sorted by name, no name twice */
	size_t count;
};

/*
 * Why users may not give a label this name (malformed, or reserved), to follow the name in
 * a message; NULL if they may.
 */
const char *labels_forbidden(const char *name);

/*
 * Removes the quotes around a value, if it has any. Returns what is wrong with it, to
 * follow the name in a message; NULL if nothing is.
 */
const char *labels_unquote(char *value);

enum labels_result { LABELS_ADDED, LABELS_DUPLICATE, LABELS_NO_MEMORY };

/* Adds copies of both strings. A name that is there already keeps its value. */
enum labels_result labels_add(struct label_list *list, const char *name,
			      const char *value);

void labels_free(struct label_list *list);

/*
 * Walks two lists as one, sorted by name. Where both have a name, the item of `over`
 * replaces that of `under`. Begin with a zeroed cursor; NULL is the end.
 */
struct labels_cursor {
	size_t under, over;
};
const struct label *labels_next(const struct label_list *under,
				const struct label_list *over,
				struct labels_cursor *cursor);

#endif
