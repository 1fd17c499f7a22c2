/*
 * Labels that users give to their peers: name and value, published on
 * nodecanary_peer_info.
 */
#ifndef NODECANARY_LABELS_H
#define NODECANARY_LABELS_H

#include <stdbool.h>
#include <stddef.h>

/* The most labels of a group; those of a peer end with its line. */
#define LABELS_GROUP_MAX 32

struct label {
	char *name;
	char *value;
};

struct label_list {
	struct label *items; /* sorted by name, no name twice */
	size_t count;
};

/*
 * Why no user may give a label of this name (malformed, or a name of ours or
 * of Prometheus'), as the end of a sentence; NULL if it is free.
 */
const char *labels_forbidden(const char *name);

/*
 * Takes the quotes off a value that begins and ends with them; false where they
 * are not balanced.
 */
bool labels_unquote(char *value);

enum labels_result { LABELS_ADDED, LABELS_DUPLICATE, LABELS_NO_MEMORY };

/* Adds a copy. */
enum labels_result labels_add(struct label_list *list, const char *name,
			      const char *value);

void labels_free(struct label_list *list);

/*
 * Walks two lists as one, sorted by name, the items of `over` in place of
 * those of `under` that have the same name. Begin with both counters 0; NULL
 * at the end.
 */
struct labels_cursor {
	size_t under, over;
};
const struct label *labels_next(const struct label_list *under,
				const struct label_list *over,
				struct labels_cursor *cursor);

#endif
