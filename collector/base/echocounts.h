/*
 * The kernel's own counts of echo requests that arrived here and of replies that it sent, for
 * the network namespace of this process. Compared with what all others sent to this node
 * they tell on which way packets get lost.
 */
#ifndef NODECANARY_ECHOCOUNTS_H
#define NODECANARY_ECHOCOUNTS_H

#include <stdbool.h>
#include <stdint.h>

/* For each family, IPv4 first. */
struct echo_counts {
	uint64_t received[2], replied[2];
};

/*
 * Since the machine was booted. A kernel without IPv6 has counted none of its requests.
 * False, with `counts` zeroed, where the kernel does not tell.
 */
bool echocounts_read(struct echo_counts *counts);

/* The two columns of /proc/net/snmp, whose content is `text`. */
bool echocounts_parse_snmp(const char *text, uint64_t *received, uint64_t *replied);

#endif
