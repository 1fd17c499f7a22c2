/*
 * The keys of [collector] and [probe]: their names, ranges and defaults, in one
 * table each.
 */
#ifndef NODECANARY_OPTIONS_H
#define NODECANARY_OPTIONS_H

#include <limits.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

#define OPTIONS_BUCKETS_MAX 32
#define OPTIONS_NAME_SIZE 256
/*
 * Bytes of ICMP payload. Less holds no cookie and address (cookie.h); more does not fit
 * into the 4,096 bytes that liboping receives into, with an IPv4 header of up to 60.
 */
#define OPTIONS_SIZE_MIN 40
#define OPTIONS_SIZE_MAX 4000
#define OPTIONS_FANOUT_MAX 65535
#define OPTIONS_FANOUT_ALL UINT32_MAX

enum family_choice { FAMILY_AUTO, FAMILY_IPV4, FAMILY_IPV6, FAMILY_BOTH };
enum histogram_mode { HISTOGRAM_PEER, HISTOGRAM_GROUP, HISTOGRAM_OFF };

/* The address to send from, by family; ADDRESS_NONE: the kernel's choice. */
struct source {
	struct address v4, v6;
};

struct mark {
	bool is_set;
	uint32_t value;
};

/* Upper bounds of a histogram, ascending, without +Inf. */
struct buckets {
	size_t count;
	int64_t upper_ns[OPTIONS_BUCKETS_MAX];
};

struct collector_options {
	char textfile[PATH_MAX];
	char self[OPTIONS_NAME_SIZE]; /* "": recognise oneself */
	bool skip_self;
	bool fsync;
	int64_t deadline_ns;
	int64_t resolve_timeout_ns;
	int64_t resolve_every_ns;
	struct buckets buckets; /* key of [probe], but one set for the fleet */
};

/* What a group is probed with. */
struct options {
	uint32_t count, warmup;
	int64_t interval_ns, timeout_ns, spacing_ns;
	uint32_t size; /* bytes of ICMP payload */
	uint32_t ttl, dscp;
	enum family_choice family;
	struct source source;
	char device[IF_NAMESIZE]; /* "": any */
	struct mark mark;
	enum histogram_mode histogram;
	uint32_t fanout; /* how many peers of the group a node pings at most */
	bool members_only;
};

/* Which keys of a section have been set: bit i is key i of its table. */
typedef uint32_t option_set;

#define OPTIONS_KEYS_MAX 32

enum options_section { OPTIONS_COLLECTOR, OPTIONS_PROBE };

void options_defaults(struct collector_options *collector, struct options *options);

/* The index of a key in its section's table, -1 if it has no such key. */
int options_find(enum options_section section, const char *key);

/* All keys of a section, "a, b, c". */
#define OPTIONS_EXPECTED_SIZE 256
void options_list(enum options_section section, char out[static OPTIONS_EXPECTED_SIZE]);

/* Whether the key stands in [probe] but not in [probe GROUP]. */
bool options_is_fleet_wide(size_t index);

/*
 * Sets key `index` from its text. On failure `expected` says what would have
 * been right, and nothing is changed.
 */
bool options_set(enum options_section section, size_t index, const char *value,
		 struct collector_options *collector, struct options *options,
		 char expected[static OPTIONS_EXPECTED_SIZE]);

/* Copies the keys in `set` from one structure to another. */
void options_override(struct options *to, const struct options *from, option_set set);

#endif
