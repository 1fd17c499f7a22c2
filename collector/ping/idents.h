/*
 * ICMP idents (the 16-bit identifier of an echo request, RFC 792): which are in use, and
 * which host has one.
 *
 * liboping draws them at random and matches a reply by ident and sequence number alone. So
 * no two hosts of a family may share an ident, not even in different objects: the reply of
 * one would count for the other. Among 1,000 hosts some 7 do at first.
 */
#ifndef NODECANARY_IDENTS_H
#define NODECANARY_IDENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

#define IDENTS_MAX 65536

/* Those in use in this process, one bit each, by family, and how many they are. Zeroed at first. */
struct idents {
	uint8_t used[2][IDENTS_MAX / 8];
	uint32_t count[2];
};

/* Marks an ident as used. False if another host of the family has it. */
bool idents_reserve(struct idents *idents, enum address_family family, uint16_t ident);

/* How many idents of the family are not in use. */
size_t idents_count_free(const struct idents *idents, enum address_family family);

/* Finds the host of an ident, among the hosts of one object. */
struct ident_table {
	struct ident_entry {
		uint32_t key; /* family and ident */
		uint32_t host;
	} * entries;
	size_t count;
};

/* Makes room for `count` hosts. 0, or -1 without memory. */
int ident_table_init(struct ident_table *table, size_t count);
void ident_table_free(struct ident_table *table);

/* Order of calls: ident_table_add() for each host, ident_table_sort(), ident_table_find(). */
void ident_table_add(struct ident_table *table, enum address_family family,
		     uint16_t ident, uint32_t host);
void ident_table_sort(struct ident_table *table);

/* False if no host of the object has it. */
bool ident_table_find(const struct ident_table *table, enum address_family family,
		      uint16_t ident, uint32_t *host);

#endif
