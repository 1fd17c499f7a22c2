/*
 * The metrics: one table with a row for each, sorted by name.
 *
 * A row says everything about a metric: its name, type and help, where its values live,
 * when it has a series, and what a run that measured nothing does with it. Writing the
 * file, keeping counters from run to run, the estimate of --check and the reference in
 * the documents all follow from the rows. To add a counter, add a field, a row and the
 * code that counts.
 *
 * Names, types, help texts and labels are an interface: they change with a major version
 * only, and node_exporter drops samples whose help differs between two files.
 */
#ifndef NODECANARY_METRICS_H
#define NODECANARY_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/echocounts.h"
#include "peers/failure.h"
#include "peers/stats.h"
#include "peers/targets.h"

/* What every name begins with. */
#define METRICS_PREFIX "nodecanary_"

enum metrics_type { METRICS_COUNTER, METRICS_GAUGE, METRICS_HISTOGRAM };

/* What happens to a metric when a run measured nothing. */
enum metrics_lifetime {
	METRICS_KEPT,	   /* published again: counters and facts of the configuration */
	METRICS_LAST_RUN,  /* withdrawn: it would describe a run that did not happen */
	METRICS_EVERY_RUN, /* written anew by every run, a failed one included */
};

/* What has a series of its own; of the targets those that are measured. */
enum metrics_scope {
	METRICS_PER_NODE,
	METRICS_PER_GROUP,
	METRICS_PER_PEER,
	METRICS_PER_TARGET
};

/*
 * What the offset of a row counts from; the scope follows from it. Values of
 * METRICS_OF_NODE and METRICS_OF_TOTALS are kept in the state.
 */
enum metrics_source {
	METRICS_OF_NODE,     /* struct stats_node */
	METRICS_OF_RUN,	     /* struct run_info */
	METRICS_OF_GROUP,    /* struct target_group */
	METRICS_OF_PEER,     /* no value: what is known of a peer, measured or not */
	METRICS_OF_TOTALS,   /* struct stats_totals of a target */
	METRICS_OF_SUMMARY,  /* struct target_summary */
	METRICS_OF_FAILURES, /* struct failure, of which a target may have several */
	METRICS_OF_ROAM,     /* no value: peers that roaming lists as unresponsive */
};

/* How a value is stored, and so how it is written. */
enum metrics_format {
	METRICS_COUNT,	 /* uint64_t, as it is */
	METRICS_NS,	 /* int64_t nanoseconds, as seconds; or billionths, as a ratio */
	METRICS_ONE,	 /* no value but 1: the labels say it */
	METRICS_BUCKETS, /* struct stats_histogram */
};

/* When there is a series. A metric is absent, never 0, where there is nothing to say. */
enum metrics_presence {
	METRICS_ALWAYS,
	METRICS_IF_NOT_ZERO,
	METRICS_IF_MEMBER,    /* this node is a peer of the group */
	METRICS_IF_LOOKED_UP, /* the peer has a host name that was looked up */
	METRICS_IF_REQUESTS,  /* the run sent a request to the target */
	METRICS_IF_REPLIES,   /* the target answered in this run */
	METRICS_IF_PAIRS,     /* ... to two requests in a row */
	METRICS_IF_HOP_LIMIT, /* ... and the kernel told the hop limit */
	METRICS_IF_CONFLICT,  /* the peer is listed with the address of another one */
	METRICS_IF_HISTOGRAM, /* `histogram` of the group asks for it */
	METRICS_IF_COUNTED,   /* the kernel told its counts of echo requests */
	METRICS_IF_MTU,	      /* `mtu` of the group asks for it */
	METRICS_IF_ROAM,      /* `roam` of the group asks for it */
	METRICS_IF_PATH_MTU,  /* the path MTU is known */
	METRICS_IF_TRACE,     /* the target loses packets and was traced */
	METRICS_IF_HOP,	      /* ... and a hop answered */
};

/* Labels beside those that say which group and which peer. */
enum metrics_labels {
	METRICS_NO_LABELS,
	METRICS_VERSIONS, /* of this program, and of liboping when it was built */
	METRICS_SELF,	  /* the name of this node in the group */
	METRICS_ADDRESS,  /* the peer's address, and the user's labels */
	METRICS_REASON,	  /* why a request failed, and who said so */
	METRICS_HOP,	  /* the last hop that answered a trace */
};

/* A metric with a series for each value of one label; the values are in an array. */
struct metrics_split {
	const char *label;
	const char *const *values; /* sorted */
	size_t count;
};

struct metric {
	const char *name;
	const char *help;
	enum metrics_type type;
	enum metrics_lifetime lifetime;
	enum metrics_format format;
	enum metrics_source source;
	size_t offset;
	enum metrics_presence presence;
	enum metrics_labels labels;
	const struct metrics_split *split; /* NULL: one series */
};

/* What a run says about itself. */
struct run_info {
	bool took_place;  /* false: no gauge of a run is published */
	uint64_t success; /* 1 if it measured a round */
	int64_t end_ns;	  /* wall clock */
	int64_t duration_ns, resolve_ns, cpu_ns;
	uint64_t peak_memory_bytes; /* 0 where it is not known */
	bool has_echo_counts;
	struct echo_counts echo; /* where has_echo_counts */
};

extern const struct metric metrics_table[];
extern const size_t metrics_count;

/* The row of that name, `len` bytes without METRICS_PREFIX; NULL if there is none. */
const struct metric *metrics_find(const char *short_name, size_t len);

/* The name without METRICS_PREFIX, as the state has it. */
const char *metrics_short_name(const struct metric *metric);

enum metrics_scope metrics_scope(const struct metric *metric);

/* Whether the values are kept from run to run in the state, one for each target. */
bool metrics_is_target_counter(const struct metric *metric);

/* The same for values of a group. */
bool metrics_is_group_counter(const struct metric *metric);

/* How many series the metric has for one node, group or target, at most. */
size_t metrics_series(const struct metric *metric, const struct buckets *buckets);

const char *metrics_type_name(enum metrics_type type);

#endif
