/*
 * The metrics: the only place where their names, types and HELP texts are
 * spelled. exposition writes them, restore and carry read them back.
 *
 * Names, types, texts and labels are an interface that changes with a major
 * version only: node_exporter drops samples whose HELP differs between two
 * files. The families stand in the order in which they are written, by name.
 */
#ifndef NODECANARY_METRICS_H
#define NODECANARY_METRICS_H

#include <stddef.h>

enum metrics_family {
	METRICS_BUILD_INFO,
	METRICS_COUNTERS_START,
	METRICS_DISCARDED_ROUNDS,
	METRICS_GROUP_OBSERVERS,
	METRICS_GROUP_RTT,
	METRICS_JITTER,
	METRICS_LAST_RESOLVE,
	METRICS_LAST_RUN_CPU,
	METRICS_LAST_RUN_DURATION,
	METRICS_LAST_RUN_MEMORY,
	METRICS_LAST_RUN_RESOLVE,
	METRICS_LAST_RUN_SUCCESS,
	METRICS_LAST_RUN_TIMESTAMP,
	METRICS_LOSS_RATIO,
	METRICS_PEER_INFO,
	METRICS_PEER_LIST_HASH,
	METRICS_PEER_RESOLVED,
	METRICS_PEER_UP,
	METRICS_PEERS,
	METRICS_RECEIVE_DROPS,
	METRICS_REPLIES,
	METRICS_REPLY_HOP_LIMIT,
	METRICS_REQUESTS,
	METRICS_RTT_MAX,
	METRICS_RTT_MEAN,
	METRICS_RTT_MIN,
	METRICS_RTT,
	METRICS_RTT_STDDEV,
	METRICS_RUNS,
	METRICS_SELF_INFO,
	METRICS_UNSENT,
	METRICS_FAMILIES
};

enum metrics_type { METRICS_COUNTER, METRICS_GAUGE, METRICS_HISTOGRAM };

/* What a run that measured nothing does with the family. */
enum metrics_kind {
	METRICS_KEPT,	 /* counters, and what is known of the configuration: goes on */
	METRICS_LAST_RUN /* what the last run measured: says nothing any more */
};

struct metric {
	const char *name;
	enum metrics_type type;
	enum metrics_kind kind;
	const char *help;
};

extern const struct metric metrics_table[METRICS_FAMILIES];

/*
 * The family that a series of this name belongs to; METRICS_FAMILIES if to none.
 * `likely` is tried first: the family of the line before.
 */
enum metrics_family metrics_find(const char *series, enum metrics_family likely);

const char *metrics_type_name(enum metrics_type type);

/* Comment lines that only this program reads; see restore.h. */
#define METRICS_LOOKUP "nodecanary_lookup"
#define METRICS_STATE "# nodecanary-state v1 "

#endif
