#include "publish/metrics.h"

#include <string.h>

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static const struct metrics_split by_reason = {"reason", stats_discard_reasons,
					       DISCARD_REASONS};
static const char *const families[] = {"ipv4", "ipv6"};
static const struct metrics_split by_family = {"family", families,
					       ARRAY_LENGTH(families)};
static const struct metrics_split by_kind = {"kind", stats_irregular_kinds,
					     IRREGULAR_KINDS};
static const struct metrics_split by_state = {"state", targets_state_names,
					      TARGET_STATES};

/* clang-format off */

/*
 * Source and offset of a field. Values are read through the offset as 64 bits, so a field
 * of another size must not compile.
 */
#define IS_64_BIT(type, field) \
	(0 * sizeof(char[sizeof(((struct type *)0)->field) % 8 == 0 ? 1 : -1]))
#define FIELD(from, type, field) \
	.source = (from), .offset = offsetof(struct type, field) + IS_64_BIT(type, field)
#define NODE(field) FIELD(METRICS_OF_NODE, stats_node, field)
#define RUN(field) FIELD(METRICS_OF_RUN, run_info, field)
#define GROUP(field) FIELD(METRICS_OF_GROUP, target_group, field)
#define TOTAL(field) FIELD(METRICS_OF_TOTALS, stats_totals, field)
#define SUMMARY(field) FIELD(METRICS_OF_SUMMARY, target_summary, field)
#define FAILURE(field) FIELD(METRICS_OF_FAILURES, failure, field)

/* Type, lifetime and format in the combinations that there are. */
#define ROW(what, until, how) \
	.type = METRICS_##what, .lifetime = METRICS_##until, .format = METRICS_##how
/* Spelled out, as an argument COUNTER would be the macro below. */
#define EVERY_COUNTER                                                                     \
	.type = METRICS_COUNTER, .lifetime = METRICS_EVERY_RUN, .format = METRICS_COUNT
#define COUNTER ROW(COUNTER, KEPT, COUNT)
#define HISTOGRAM ROW(HISTOGRAM, KEPT, BUCKETS)
#define KEPT_COUNT ROW(GAUGE, KEPT, COUNT)
#define KEPT_NS ROW(GAUGE, KEPT, NS)
#define KEPT_INFO ROW(GAUGE, KEPT, ONE)
#define LAST_COUNT ROW(GAUGE, LAST_RUN, COUNT)
#define LAST_INFO ROW(GAUGE, LAST_RUN, ONE)
#define LAST_NS ROW(GAUGE, LAST_RUN, NS)
#define EVERY_COUNT ROW(GAUGE, EVERY_RUN, COUNT)
#define EVERY_NS ROW(GAUGE, EVERY_RUN, NS)
#define EVERY_INFO ROW(GAUGE, EVERY_RUN, ONE)

const struct metric metrics_table[] = {
	{"nodecanary_address_conflict",
	 "Always 1, for a peer that is listed with an address of this node.",
	 LAST_INFO, .source = METRICS_OF_PEER, .presence = METRICS_IF_CONFLICT},
	{"nodecanary_build_info",
	 "Always 1; the labels are the versions of nodecanary and of the liboping that it was built with.",
	 EVERY_INFO, RUN(success), .labels = METRICS_VERSIONS},
	{"nodecanary_counters_start_timestamp_seconds",
	 "Unix time at which the counters started from zero.",
	 KEPT_NS, NODE(counters_start_ns)},
	{"nodecanary_discarded_rounds_total",
	 "Rounds discarded because their results are unreliable.",
	 COUNTER, NODE(discarded_rounds), .split = &by_reason},
	{"nodecanary_echo_replies_sent_total",
	 "Echo replies that the kernel of this node has sent, to anybody.",
	 EVERY_COUNTER, RUN(echo.replied), .split = &by_family, .presence = METRICS_IF_COUNTED},
	{"nodecanary_echo_requests_received_total",
	 "Echo requests that the kernel of this node has received, from anybody.",
	 EVERY_COUNTER, RUN(echo.received), .split = &by_family, .presence = METRICS_IF_COUNTED},
	{"nodecanary_echo_requests_sent_total",
	 "Echo requests sent in all rounds, warm-up and discarded ones included.",
	 COUNTER, TOTAL(echo_requests)},
	{"nodecanary_group_observers",
	 "Number of nodes that ping each member of the group.",
	 KEPT_COUNT, GROUP(observers), .presence = METRICS_IF_MEMBER},
	{"nodecanary_group_rtt_seconds",
	 "Round-trip times to all peers of the group.",
	 HISTOGRAM, GROUP(histogram), .presence = METRICS_IF_HISTOGRAM},
	{"nodecanary_irregular_replies_total",
	 "Replies that were late, duplicate, shortened or corrupt.",
	 COUNTER, GROUP(irregular), .split = &by_kind},
	{"nodecanary_jitter_seconds",
	 "Mean difference between consecutive round-trip times of the last run.",
	 LAST_NS, SUMMARY(jitter_ns), .presence = METRICS_IF_PAIRS},
	{"nodecanary_last_resolve_timestamp_seconds",
	 "Unix time of the last lookup of host names, 0 if there was none.",
	 KEPT_NS, NODE(last_resolve_ns)},
	{"nodecanary_last_run_cpu_seconds",
	 "CPU time of the last run until it wrote this file.",
	 LAST_NS, RUN(cpu_ns)},
	{"nodecanary_last_run_duration_seconds",
	 "Duration of the last run until it wrote this file.",
	 LAST_NS, RUN(duration_ns)},
	{"nodecanary_last_run_errors",
	 "Requests of the last run that failed for a reason that this host or a router gave.",
	 LAST_COUNT, FAILURE(count), .labels = METRICS_REASON},
	{"nodecanary_last_run_peak_memory_bytes",
	 "Peak resident memory of the last run.",
	 LAST_COUNT, RUN(peak_memory_bytes), .presence = METRICS_IF_NOT_ZERO},
	{"nodecanary_last_run_resolve_seconds",
	 "Time that the last run spent on looking up host names.",
	 LAST_NS, RUN(resolve_ns)},
	{"nodecanary_last_run_success",
	 "1 if the last run measured a round, or had no peer to measure; otherwise 0.",
	 EVERY_COUNT, RUN(success)},
	{"nodecanary_last_run_timestamp_seconds",
	 "Unix time at which the last run ended.",
	 EVERY_NS, RUN(end_ns)},
	{"nodecanary_loss_ratio",
	 "Share of the requests of the last run that got no reply within the timeout.",
	 LAST_NS, SUMMARY(loss_billionths), .presence = METRICS_IF_REQUESTS},
	{"nodecanary_mtu_replies_total",
	 "Large echo requests with don't-fragment that were answered.",
	 COUNTER, TOTAL(mtu_replies), .presence = METRICS_IF_MTU},
	{"nodecanary_mtu_requests_total",
	 "Large echo requests with don't-fragment.",
	 COUNTER, TOTAL(mtu_requests), .presence = METRICS_IF_MTU},
	{"nodecanary_path_mtu_bytes",
	 "Largest IP packet known to reach the peer, at most `mtu`.",
	 KEPT_COUNT, SUMMARY(path_mtu_bytes), .presence = METRICS_IF_PATH_MTU},
	{"nodecanary_peer_info",
	 "Always 1; the labels are the last known address and the labels of the peer.",
	 KEPT_INFO, .source = METRICS_OF_TOTALS, .labels = METRICS_ADDRESS},
	{"nodecanary_peer_list_hash",
	 "Hash of the peer list of the group: equal on nodes with equal lists.",
	 KEPT_COUNT, GROUP(list_hash)},
	{"nodecanary_peer_resolved",
	 "1 if the last lookup of the peer's host name gave an address, otherwise 0.",
	 LAST_COUNT, SUMMARY(resolved), .presence = METRICS_IF_LOOKED_UP},
	{"nodecanary_peer_up",
	 "1 if the peer answered at least one request of the last run, otherwise 0.",
	 LAST_COUNT, SUMMARY(up), .presence = METRICS_IF_REQUESTS},
	{"nodecanary_peers",
	 "Number of peers of the group in each state.",
	 KEPT_COUNT, GROUP(states), .split = &by_state},
	{"nodecanary_receive_drops_total",
	 "Packets that the kernel dropped because a receive buffer was full.",
	 COUNTER, NODE(receive_drops)},
	{"nodecanary_replies_total",
	 "Echo requests answered within the timeout.",
	 COUNTER, TOTAL(replies)},
	{"nodecanary_reply_hop_limit",
	 "TTL or hop limit of the last reply.",
	 LAST_COUNT, SUMMARY(hop_limit), .presence = METRICS_IF_HOP_LIMIT},
	{"nodecanary_requests_total",
	 "Echo requests sent.",
	 COUNTER, TOTAL(requests)},
	{"nodecanary_roam_replies_total",
	 "Echo requests to roaming peers that were answered within the timeout.",
	 COUNTER, GROUP(roam_replies), .presence = METRICS_IF_ROAM},
	{"nodecanary_roam_requests_total",
	 "Echo requests to roaming peers.",
	 COUNTER, GROUP(roam_requests), .presence = METRICS_IF_ROAM},
	{"nodecanary_roam_unresponsive",
	 "Always 1; a peer that answered none of the requests of two visits.",
	 KEPT_INFO, .source = METRICS_OF_ROAM, .presence = METRICS_IF_ROAM},
	{"nodecanary_rtt_max_seconds",
	 "Largest round-trip time of the last run.",
	 LAST_NS, SUMMARY(max_ns), .presence = METRICS_IF_REPLIES},
	{"nodecanary_rtt_mean_seconds",
	 "Mean round-trip time of the last run.",
	 LAST_NS, SUMMARY(mean_ns), .presence = METRICS_IF_REPLIES},
	{"nodecanary_rtt_min_seconds",
	 "Smallest round-trip time of the last run.",
	 LAST_NS, SUMMARY(min_ns), .presence = METRICS_IF_REPLIES},
	{"nodecanary_rtt_seconds",
	 "Round-trip times.",
	 HISTOGRAM, TOTAL(histogram), .presence = METRICS_IF_HISTOGRAM},
	{"nodecanary_rtt_stddev_seconds",
	 "Standard deviation of the round-trip times of the last run.",
	 LAST_NS, SUMMARY(stddev_ns), .presence = METRICS_IF_REPLIES},
	{"nodecanary_runs_total",
	 "Runs that measured a round, or had no peer to measure.",
	 COUNTER, NODE(runs)},
	{"nodecanary_self_info",
	 "Always 1; the labels are the name of this node as a member of the group.",
	 KEPT_INFO, GROUP(observers), .presence = METRICS_IF_MEMBER, .labels = METRICS_SELF},
	{"nodecanary_trace_hops",
	 "Distance of the last hop that answered a trace to a peer that loses packets.",
	 KEPT_COUNT, SUMMARY(trace_hops), .presence = METRICS_IF_TRACE},
	{"nodecanary_trace_last_hop_info",
	 "Always 1; the label is the last hop that answered a trace.",
	 KEPT_INFO, SUMMARY(trace_hops), .presence = METRICS_IF_HOP, .labels = METRICS_HOP},
	{"nodecanary_unsent_total",
	 "Echo requests that could not be sent; they are neither requests nor lost.",
	 COUNTER, TOTAL(unsent)},
};
/* clang-format on */

const size_t metrics_count = ARRAY_LENGTH(metrics_table);

/*
 * A linear search: it runs for each name in the state of the node and for each metric of a
 * file that is republished, and never for each target.
 */
const struct metric *metrics_find(const char *short_name, size_t len)
{
	for (size_t i = 0; i < metrics_count; i++) {
		const char *name = metrics_short_name(&metrics_table[i]);

		if (strncmp(name, short_name, len) == 0 && name[len] == '\0')
			return &metrics_table[i];
	}
	return NULL;
}

const char *metrics_short_name(const struct metric *metric)
{
	return metric->name + sizeof(METRICS_PREFIX) - 1;
}

enum metrics_scope metrics_scope(const struct metric *metric)
{
	switch (metric->source) {
	case METRICS_OF_NODE:
	case METRICS_OF_RUN: return METRICS_PER_NODE;
	case METRICS_OF_GROUP:
	case METRICS_OF_ROAM: return METRICS_PER_GROUP;
	case METRICS_OF_PEER: return METRICS_PER_PEER;
	case METRICS_OF_TOTALS:
	case METRICS_OF_SUMMARY:
	case METRICS_OF_FAILURES: break;
	}
	return METRICS_PER_TARGET;
}

bool metrics_is_target_counter(const struct metric *metric)
{
	return metric->source == METRICS_OF_TOTALS && metric->format == METRICS_COUNT;
}

bool metrics_is_group_counter(const struct metric *metric)
{
	return metric->source == METRICS_OF_GROUP && metric->type == METRICS_COUNTER;
}

size_t metrics_series(const struct metric *metric, const struct buckets *buckets)
{
	/* The buckets up to each bound and +Inf, the sum and the count. */
	if (metric->format == METRICS_BUCKETS)
		return buckets->count + 3;
	if (metric->source == METRICS_OF_FAILURES)
		return FAILURE_MAX;
	if (metric->source == METRICS_OF_ROAM)
		return ROAM_UNRESPONSIVE_MAX;
	return metric->split ? metric->split->count : 1;
}

const char *metrics_type_name(enum metrics_type type)
{
	static const char *const names[] = {"counter", "gauge", "histogram"};

	return names[type];
}
