/*
 * The configuration: the main file and its drop-ins as one validated structure.
 *
 * configload_read() fills it in; afterwards it is read-only. Whoever had it filled in
 * owns it and gives it back to config_free().
 *
 * Groups are sorted by name, peers by group and name (bytes), so the peers of one group
 * are adjacent.
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

/* The most peers of one family: one for each ICMP identifier. */
#define CONFIG_FAMILY_PEERS_MAX 65536

/* The most groups, each of which is searched for by its name. */
#define CONFIG_GROUPS_MAX 1024

/* A line of a configuration file, for messages. */
struct place {
	const char *path; /* not a copy: one of config.files */
	uint32_t file;	  /* its index there */
	uint32_t line;	  /* from 1; 0: the file as a whole */
};

struct group {
	char *name;
	struct options options; /* those of [probe], overridden by the group's own */
	struct label_list labels;
	size_t first_peer, peer_count; /* its range in config.peers */
};

struct peer {
	size_t group; /* index into config.groups */
	char *name;
	char *host; /* the name to resolve; NULL where the address is numeric */
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

void config_free(struct config *config);

/* Whether any peer has to be resolved. */
bool config_has_names(const struct config *config);

/* What a step of reading the configuration came to; the worse the higher. */
enum config_result {
	CONFIG_VALID,
	CONFIG_INVALID, /* has been logged */
	CONFIG_NO_MEMORY
};

enum config_result config_worse(enum config_result a, enum config_result b);

/*
 * Logs "path:line: message". Every error in a configuration file is reported by this
 * function. Returns CONFIG_INVALID, so that a check can end with `return config_error()`.
 */
enum config_result config_error(struct place place, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Lets only the first `most` errors of a configuration be logged. Without it all are. */
void config_limit_errors(size_t most);

/* Logs how many errors have not been, and begins to count anew. */
void config_finish_errors(void);

/*
 * Adds a label, whose value may be in quotes and is changed. `peer` is for messages; NULL
 * for the labels of a section.
 */
enum config_result config_add_label(struct place place, const char *peer,
				    struct label_list *list, const char *label,
				    char *value);

#endif
