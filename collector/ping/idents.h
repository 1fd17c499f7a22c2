/*
 * ICMP idents. liboping matches a reply by ident and sequence number alone, so no
 * two hosts of a family may share an ident, not even in different objects; and by
 * its ident a reply's host is found.
 */
#ifndef NODECANARY_IDENTS_H
#define NODECANARY_IDENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

#define IDENTS_MAX 65536

/* Those in use in this process, a bit each, by family, and how many they are. */
struct idents {
	uint8_t used[2][IDENTS_MAX / 8];
	uint32_t count[2];
};

/* False if another host of the family has it. */
bool idents_take(struct idents *idents, enum address_family family, uint16_t ident);

/* How many are free. */
size_t idents_free(const struct idents *idents, enum address_family family);

/* Whose an ident is: the hosts of one object. */
struct ident_table {
	struct ident_entry {
		uint32_t key; /* family and ident */
		uint32_t host;
	} * entries;
	size_t count;
};

/* Room for `count` hosts. 0, or -1 without memory. */
int ident_table_init(struct ident_table *table, size_t count);
void ident_table_free(struct ident_table *table);

/* Order of calls: all of ident_table_add(), ident_table_sort(), ident_table_find(). */
void ident_table_add(struct ident_table *table, enum address_family family,
		     uint16_t ident, uint32_t host);
void ident_table_sort(struct ident_table *table);

/* False if it is nobody's. */
bool ident_table_find(const struct ident_table *table, enum address_family family,
		      uint16_t ident, uint32_t *host);

#endif
