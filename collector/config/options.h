/*
 * The keys of [collector] and [probe]: names, ranges and defaults, in one table for each of
 * the two sections. Keys are known to others by their index in it.
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
 * Bytes of ICMP payload. Fewer have no room for cookie and address (cookie.h). liboping
 * receives into 4,096 bytes, of which an IPv4 header takes up to 60 and an ICMP header 8.
 */
#define OPTIONS_SIZE_MIN 40
#define OPTIONS_SIZE_MAX 4000
#define OPTIONS_FANOUT_MAX 65535
#define OPTIONS_FANOUT_ALL UINT32_MAX
#define OPTIONS_TRACE_MAX 16
/* Bytes of the IP packet: from what IPv6 guarantees to what jumbo frames carry. */
#define OPTIONS_MTU_MIN 576
#define OPTIONS_MTU_MAX 9216

enum family_choice { FAMILY_AUTO, FAMILY_IPV4, FAMILY_IPV6, FAMILY_BOTH };
enum histogram_mode { HISTOGRAM_PEER, HISTOGRAM_GROUP, HISTOGRAM_OFF };

/*
 * The address to send from, for each family; ADDRESS_NONE: the kernel chooses. A link-local
 * one has the scope 0 while its interface does not exist: then nothing can be sent.
 */
struct source {
	struct address v4, v6;
	char interface[IF_NAMESIZE]; /* of a link-local v6 */
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
	char self
		[OPTIONS_NAME_SIZE]; /* name of this node's peer; "": found by evidence */
	bool skip_self;
	bool fsync;
	int64_t deadline_ns;
	int64_t resolve_timeout_ns;
	int64_t resolve_every_ns;
	uint32_t trace; /* the most peers that a run traces; 0: none */
	int64_t trace_every_ns;
	struct buckets buckets; /* a key of [probe], but the same for all groups */
};

/* How a group is probed. */
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
	uint32_t fanout; /* the most peers of the group that a node pings */
	uint32_t roam;	 /* further ones in each run, moving through all of them */
	uint32_t mtu;	 /* bytes of the large packets that are tried; 0: none */
	int64_t mtu_every_ns;
	bool members_only;
};

/* Which keys of a section have been set: bit i stands for key i of its table. */
typedef uint32_t option_set;

#define OPTIONS_KEYS_MAX 32

enum options_section { OPTIONS_COLLECTOR, OPTIONS_PROBE };

void options_defaults(struct collector_options *collector, struct options *options);

/* The index of a key, -1 if the section has no such key. */
int options_find(enum options_section section, const char *key);

/* All keys of a section, "a, b, c". */
#define OPTIONS_EXPECTED_SIZE 256
void options_list(enum options_section section, char out[static OPTIONS_EXPECTED_SIZE]);

/* Whether a key of [probe] is not allowed in [probe GROUP]. */
bool options_is_fleet_wide(size_t index);

/*
 * Sets a key from its text. On failure nothing is changed, and `expected` says what would
 * have been right: "expected ...".
 */
bool options_set(enum options_section section, size_t index, const char *value,
		 struct collector_options *collector, struct options *options,
		 char expected[static OPTIONS_EXPECTED_SIZE]);

/* Whether node_exporter would read a file of this name. */
bool options_is_prom_path(const char *path);

/* Copies the keys of [probe] that are in `set`, except those for the whole fleet. */
void options_override(struct options *to, const struct options *from, option_set set);

#endif
