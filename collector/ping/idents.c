#include "ping/idents.h"

#include <stdlib.h>

/* A reply is matched within its family, so both families have all idents. */
static size_t family_index(enum address_family family)
{
	return family == ADDRESS_IPV6;
}

/* Nothing is ever released: the objects of a run live until its end. */
bool idents_reserve(struct idents *idents, enum address_family family, uint16_t ident)
{
	uint8_t *byte = &idents->used[family_index(family)][ident / 8];
	uint8_t bit = (uint8_t)(1U << ident % 8);

	if (*byte & bit)
		return false;
	*byte |= bit;
	idents->count[family_index(family)]++;
	return true;
}

size_t idents_count_free(const struct idents *idents, enum address_family family)
{
	return IDENTS_MAX - idents->count[family_index(family)];
}

int ident_table_init(struct ident_table *table, size_t count)
{
	table->count = 0;
	/* calloc(0) may return NULL. */
	table->entries = calloc(count ? count : 1, sizeof(*table->entries));
	return table->entries ? 0 : -1;
}

void ident_table_free(struct ident_table *table)
{
	free(table->entries);
	table->entries = NULL;
	table->count = 0;
}

/* Both families share one table. */
static uint32_t make_key(enum address_family family, uint16_t ident)
{
	return (uint32_t)family << 16 | ident;
}

/*
 * Sorted entries need 8 bytes a host, where an array of all idents would need 256 kB for a
 * family, however few the hosts are.
 */
static int by_key(const void *a, const void *b)
{
	const struct ident_entry *one = a, *other = b;

	return one->key < other->key ? -1 : one->key > other->key;
}

void ident_table_add(struct ident_table *table, enum address_family family,
		     uint16_t ident, uint32_t host)
{
	table->entries[table->count++] =
		(struct ident_entry){make_key(family, ident), host};
}

void ident_table_sort(struct ident_table *table)
{
	qsort(table->entries, table->count, sizeof(*table->entries), by_key);
}

bool ident_table_find(const struct ident_table *table, enum address_family family,
		      uint16_t ident, uint32_t *host)
{
	const struct ident_entry wanted = {.key = make_key(family, ident)};
	const struct ident_entry *entry = NULL;

	/* A table that was freed has no array, and bsearch() must have one. */
	if (table->count > 0)
		entry = bsearch(&wanted, table->entries, table->count, sizeof(wanted),
				by_key);
	if (entry)
		*host = entry->host;
	return entry != NULL;
}
