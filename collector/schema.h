/*
 * The metrics: the only place where their names, types and HELP texts are
 * spelled. exposition writes them, restore and carry read them back.
 *
 * Names, types, texts and labels are an interface that changes with a major
 * version only: node_exporter drops samples whose HELP differs between two
 * files. The families stand in the order in which they are written, by name.
 */
#ifndef NODECANARY_SCHEMA_H
#define NODECANARY_SCHEMA_H

#include <stddef.h>

enum schema_family {
	SCHEMA_BUILD_INFO,
	SCHEMA_COUNTERS_START,
	SCHEMA_GROUP_RTT,
	SCHEMA_GROUP_WATCHERS,
	SCHEMA_JITTER,
	SCHEMA_LAST_RESOLVE,
	SCHEMA_LAST_RUN_CPU,
	SCHEMA_LAST_RUN_DURATION,
	SCHEMA_LAST_RUN_MEMORY,
	SCHEMA_LAST_RUN_RESOLVE,
	SCHEMA_LAST_RUN_SUCCESS,
	SCHEMA_LAST_RUN_TIMESTAMP,
	SCHEMA_LOSS_RATIO,
	SCHEMA_PEER_INFO,
	SCHEMA_PEER_LIST_HASH,
	SCHEMA_PEER_RESOLVED,
	SCHEMA_PEER_UP,
	SCHEMA_PEERS,
	SCHEMA_RECEIVE_DROPS,
	SCHEMA_REPLIES,
	SCHEMA_REPLY_HOP_LIMIT,
	SCHEMA_REQUESTS,
	SCHEMA_RTT_MAX,
	SCHEMA_RTT_MEAN,
	SCHEMA_RTT_MIN,
	SCHEMA_RTT,
	SCHEMA_RTT_STDDEV,
	SCHEMA_RUNS,
	SCHEMA_SELF_INFO,
	SCHEMA_UNSENT,
	SCHEMA_VOIDED_ROUNDS,
	SCHEMA_FAMILIES
};

enum schema_type { SCHEMA_COUNTER, SCHEMA_GAUGE, SCHEMA_HISTOGRAM };

/* What a run that measured nothing does with the family. */
enum schema_kind {
	SCHEMA_KEPT,	/* counters, and what is known of the configuration: goes on */
	SCHEMA_LAST_RUN /* what the last run measured: says nothing any more */
};

struct schema {
	const char *name;
	enum schema_type type;
	enum schema_kind kind;
	const char *help;
};

extern const struct schema schema_families[SCHEMA_FAMILIES];

/*
 * The family that a series of this name belongs to; SCHEMA_FAMILIES if to none.
 * `likely` is tried first: the family of the line before.
 */
enum schema_family schema_find(const char *series, enum schema_family likely);

const char *schema_type_name(enum schema_type type);

/* Comment lines that only this program reads; see restore.h. */
#define SCHEMA_LOOKUP "nodecanary_lookup"
#define SCHEMA_STATE "# nodecanary-state v1 "

#endif
