#include "config/labels.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/*
 * The labels of nodecanary_peer_info are also those by which its series are joined to
 * others, so a user's label must not replace one. Prometheus adds instance and job to each
 * scraped series, and gives le and quantile a meaning.
 */
const char *labels_forbidden(const char *name)
{
	static const char *const taken[] = {"group",	"peer", "family", "address",
					    "instance", "job",	"le",	  "quantile"};

	if (!text_is_label_name(name))
		return "expected letters, digits and _, not beginning with a digit or __";
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if (strcmp(name, taken[i]) == 0)
			return "reserved by nodecanary or Prometheus";
	return NULL;
}

/*
 * One rule for a line of [labels] and for the line of a peer, where a blank would end the
 * value and a comma after it would silently be part of it.
 */
const char *labels_unquote(char *value)
{
	size_t len = strlen(value);
	bool opens = value[0] == '"';
	/* A quote at the end alone is half of a pair, not part of the value. */
	bool closes = len > opens && value[len - 1] == '"';

	if (!opens && value[text_until(value, " \t")])
		return "blanks in the value, expected label=\"value\"";
	if (!opens && len > 0 && value[len - 1] == ',')
		return "comma after the value, expected blanks between labels";
	if (opens != closes || (opens && memchr(value + 1, '"', len - 2)))
		return "unbalanced quotes, expected label=\"value\"";
	if (opens) {
		memmove(value, value + 1, len - 2);
		value[len - 2] = '\0';
	}
	return NULL;
}

/* The index of `name`, or where it is to be inserted. Lists are short: no bisection. */
static size_t find_slot(const struct label_list *list, const char *name)
{
	size_t i = 0;

	while (i < list->count && strcmp(list->items[i].name, name) < 0)
		i++;
	return i;
}

enum labels_result labels_add(struct label_list *list, const char *name,
			      const char *value)
{
	size_t slot = find_slot(list, name);
	struct label added, *items;

	if (slot < list->count && strcmp(list->items[slot].name, name) == 0)
		return LABELS_DUPLICATE;
	items = realloc(list->items, (list->count + 1) * sizeof(*items));
	if (!items)
		return LABELS_NO_MEMORY;
	list->items = items;
	/* The list stays valid if there is no memory for the strings: count is unchanged. */
	added.name = strdup(name);
	added.value = strdup(value);
	if (!added.name || !added.value) {
		free(added.name);
		free(added.value);
		return LABELS_NO_MEMORY;
	}
	memmove(items + slot + 1, items + slot, (list->count - slot) * sizeof(*items));
	items[slot] = added;
	list->count++;
	return LABELS_ADDED;
}

void labels_free(struct label_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].name);
		free(list->items[i].value);
	}
	free(list->items);
	*list = (struct label_list){.items = NULL};
}

const struct label *labels_next(const struct label_list *under,
				const struct label_list *over,
				struct labels_cursor *cursor)
{
	const struct label *low =
		cursor->under < under->count ? &under->items[cursor->under] : NULL;
	const struct label *high =
		cursor->over < over->count ? &over->items[cursor->over] : NULL;
	/* At the end of one list the other one goes on alone. */
	int order = !low ? 1 : !high ? -1 : strcmp(low->name, high->name);

	if (!low && !high)
		return NULL;
	if (order <= 0)
		cursor->under++;
	if (order >= 0)
		cursor->over++;
	return order < 0 ? low : high;
}
