#include "publish/metrics.h"

#include <stdbool.h>
#include <string.h>

const struct metric metrics_table[METRICS_FAMILIES] = {
	[METRICS_BUILD_INFO] = {"nodecanary_build_info", METRICS_GAUGE, METRICS_KEPT,
				"1, with the versions of nodecanary and of liboping."},
	[METRICS_COUNTERS_START] = {"nodecanary_counters_start_timestamp_seconds",
				    METRICS_GAUGE, METRICS_KEPT,
				    "When the counters began at zero."},
	[METRICS_GROUP_RTT] = {"nodecanary_group_rtt_seconds", METRICS_HISTOGRAM,
			       METRICS_KEPT, "Round-trip times to all peers of a group."},
	[METRICS_GROUP_OBSERVERS] = {"nodecanary_group_observers", METRICS_GAUGE,
				     METRICS_KEPT,
				     "How many nodes ping each member of the group."},
	[METRICS_JITTER] =
		{"nodecanary_jitter_seconds", METRICS_GAUGE, METRICS_LAST_RUN,
		 "Mean difference between consecutive round-trip times of the last run."},
	[METRICS_LAST_RESOLVE] = {"nodecanary_last_resolve_timestamp_seconds",
				  METRICS_GAUGE, METRICS_KEPT,
				  "When names were last looked up, 0 for never."},
	[METRICS_LAST_RUN_CPU] =
		{"nodecanary_last_run_cpu_seconds", METRICS_GAUGE, METRICS_LAST_RUN,
		 "CPU time of the last run up to the writing of this file."},
	[METRICS_LAST_RUN_DURATION] =
		{"nodecanary_last_run_duration_seconds", METRICS_GAUGE, METRICS_LAST_RUN,
		 "Duration of the last run up to the writing of this file."},
	[METRICS_LAST_RUN_MEMORY] = {"nodecanary_last_run_peak_memory_bytes",
				     METRICS_GAUGE, METRICS_LAST_RUN,
				     "Largest resident memory of the last run."},
	[METRICS_LAST_RUN_RESOLVE] = {"nodecanary_last_run_resolve_seconds",
				      METRICS_GAUGE, METRICS_LAST_RUN,
				      "Time that the last run spent looking up names."},
	[METRICS_LAST_RUN_SUCCESS] =
		{"nodecanary_last_run_success", METRICS_GAUGE, METRICS_LAST_RUN,
		 "1 if the last run measured at least one round, 0 if it could not."},
	[METRICS_LAST_RUN_TIMESTAMP] = {"nodecanary_last_run_timestamp_seconds",
					METRICS_GAUGE, METRICS_LAST_RUN,
					"When the last run ended."},
	[METRICS_LOSS_RATIO] =
		{"nodecanary_loss_ratio", METRICS_GAUGE, METRICS_LAST_RUN,
		 "Share of the last run's requests that were not answered in time."},
	[METRICS_PEER_INFO] = {"nodecanary_peer_info", METRICS_GAUGE, METRICS_KEPT,
			       "1, with the peer's last known address and its labels."},
	[METRICS_PEER_LIST_HASH] =
		{"nodecanary_peer_list_hash", METRICS_GAUGE, METRICS_KEPT,
		 "Equal on nodes whose peer list of the group is equal."},
	[METRICS_PEER_RESOLVED] =
		{"nodecanary_peer_resolved", METRICS_GAUGE, METRICS_LAST_RUN,
		 "1 if the last lookup of the peer's name gave an address, 0 if not."},
	[METRICS_PEER_UP] =
		{"nodecanary_peer_up", METRICS_GAUGE, METRICS_LAST_RUN,
		 "1 if the peer answered at least once in the last run, 0 if not."},
	[METRICS_PEERS] = {"nodecanary_peers", METRICS_GAUGE, METRICS_KEPT,
			   "How many peers of the group are in each state."},
	[METRICS_RECEIVE_DROPS] =
		{"nodecanary_receive_drops_total", METRICS_COUNTER, METRICS_KEPT,
		 "Packets that the kernel dropped at full buffers of our sockets."},
	[METRICS_REPLIES] = {"nodecanary_replies_total", METRICS_COUNTER, METRICS_KEPT,
			     "Echo requests that were answered within the timeout."},
	[METRICS_REPLY_HOP_LIMIT] = {"nodecanary_reply_hop_limit", METRICS_GAUGE,
				     METRICS_LAST_RUN,
				     "TTL or hop limit of the last reply."},
	[METRICS_REQUESTS] = {"nodecanary_requests_total", METRICS_COUNTER, METRICS_KEPT,
			      "Echo requests that left this host."},
	[METRICS_RTT_MAX] = {"nodecanary_rtt_max_seconds", METRICS_GAUGE,
			     METRICS_LAST_RUN,
			     "Largest round-trip time of the last run."},
	[METRICS_RTT_MEAN] = {"nodecanary_rtt_mean_seconds", METRICS_GAUGE,
			      METRICS_LAST_RUN, "Mean round-trip time of the last run."},
	[METRICS_RTT_MIN] = {"nodecanary_rtt_min_seconds", METRICS_GAUGE,
			     METRICS_LAST_RUN,
			     "Smallest round-trip time of the last run."},
	[METRICS_RTT] = {"nodecanary_rtt_seconds", METRICS_HISTOGRAM, METRICS_KEPT,
			 "Round-trip times."},
	[METRICS_RTT_STDDEV] = {"nodecanary_rtt_stddev_seconds", METRICS_GAUGE,
				METRICS_LAST_RUN,
				"Standard deviation of the last run's round-trip times."},
	[METRICS_RUNS] = {"nodecanary_runs_total", METRICS_COUNTER, METRICS_KEPT,
			  "Runs that measured at least one round."},
	[METRICS_SELF_INFO] =
		{"nodecanary_self_info", METRICS_GAUGE, METRICS_KEPT,
		 "1, with the name under which this node is a member of the group."},
	[METRICS_UNSENT] = {"nodecanary_unsent_total", METRICS_COUNTER, METRICS_KEPT,
			    "Echo requests that could not leave this host."},
	[METRICS_DISCARDED_ROUNDS] = {"nodecanary_discarded_rounds_total",
				      METRICS_COUNTER, METRICS_KEPT,
				      "Rounds that were planned and count for nothing."},
};

/* Whether `series` is the family, or one of its series where that is a histogram. */
static bool belongs(const char *series, const struct metric *family)
{
	static const char *const suffixes[] = {"_bucket", "_sum", "_count"};
	size_t len = strlen(family->name);

	if (strncmp(series, family->name, len) != 0)
		return false;
	if (family->type != METRICS_HISTOGRAM)
		return series[len] == '\0';
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (strcmp(series + len, suffixes[i]) == 0)
			return true;
	return false;
}

enum metrics_family metrics_find(const char *series, enum metrics_family likely)
{
	unsigned i = 0;

	if (likely < METRICS_FAMILIES && belongs(series, &metrics_table[likely]))
		return likely;
	while (i < METRICS_FAMILIES && !belongs(series, &metrics_table[i]))
		i++;
	return (enum metrics_family)i;
}

const char *metrics_type_name(enum metrics_type type)
{
	static const char *const names[] = {"counter", "gauge", "histogram"};

	return names[type];
}
