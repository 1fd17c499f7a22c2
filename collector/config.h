/*
 * The configuration: the main file and its drop-ins as one validated structure.
 *
 * config_load() reports every error of every file, each with file and line, and
 * guesses nothing. The result is read-only for everybody else and owned by the
 * caller, who gives it back to config_free(); that is right after a failed
 * load, too.
 *
 * Groups are sorted by name; peers by group and name (bytes), so one group's
 * peers are adjacent.
 */
#ifndef NODECANARY_CONFIG_H
#define NODECANARY_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "labels.h"
#include "options.h"

#define CONFIG_DEFAULT_FILE "/etc/nodecanary/nodecanary.ini"
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

enum config_result { CONFIG_VALID, CONFIG_INVALID, CONFIG_NO_MEMORY };

/* The most peers of one family: one for each ICMP ident. */
#define CONFIG_FAMILY_PEERS_MAX 65536

/*
 * Reads `file` and then the *.ini files of `drop_ins` in lexical order (NULL:
 * `file` with ".d" behind it, which need not exist). Everything but
 * CONFIG_VALID has been logged.
 */
enum config_result config_load(struct config *config, const char *file,
			       const char *drop_ins);

void config_free(struct config *config);

/* Whether any peer has to be looked up. */
bool config_has_names(const struct config *config);

#endif
