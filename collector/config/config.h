/*
 * The configuration: the main file and its drop-ins as one validated structure,
 * which configload.h fills in. It is read-only for everybody else and owned by
 * whoever had it filled in, who gives it back to config_free().
 *
 * Groups are sorted by name; peers by group and name (bytes), so one group's
 * peers are adjacent.
 */
#ifndef NODECANARY_CONFIG_H
#define NODECANARY_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "config/labels.h"
#include "config/options.h"

#define CONFIG_DEFAULT_GROUP "default"

/* A place in the configuration, for messages. */
struct place {
	uint32_t file; /* index into config.files */
	uint32_t line;
};

struct group {
	char *name;
	struct options options; /* those of [probe] with the group's own over them */
	struct label_list labels;
	size_t first_peer, peer_count; /* its range in config.peers */
};

struct peer {
	size_t group; /* index into config.groups */
	char *name;
	char *host;	       /* what to look up; NULL where the address is numeric */
	struct address v4, v6; /* numeric addresses; family ADDRESS_NONE where absent */
	bool v4_first; /* of two numeric addresses: family = auto takes the first */
	struct label_list labels;
	struct place place;
};

struct config {
	struct collector_options collector;
	struct group *groups;
	size_t group_count;
	struct peer *peers;
	size_t peer_count;
	char **files; /* in the order in which they were read */
	size_t file_count;
};

/* The most peers of one family: one for each ICMP ident. */
#define CONFIG_FAMILY_PEERS_MAX 65536

/* The most groups, which are compared with one another. */
#define CONFIG_GROUPS_MAX 1024

void config_free(struct config *config);

/* Whether any peer has to be looked up. */
bool config_has_names(const struct config *config);

#endif
