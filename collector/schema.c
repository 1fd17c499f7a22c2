#include "schema.h"

#include <stdbool.h>
#include <string.h>

const struct schema schema_families[SCHEMA_FAMILIES] = {
	[SCHEMA_BUILD_INFO] = {"nodecanary_build_info", SCHEMA_GAUGE, SCHEMA_KEPT,
			       "1, with the versions of nodecanary and of liboping."},
	[SCHEMA_COUNTERS_START] = {"nodecanary_counters_start_timestamp_seconds",
				   SCHEMA_GAUGE, SCHEMA_KEPT,
				   "When the counters began at zero."},
	[SCHEMA_GROUP_RTT] = {"nodecanary_group_rtt_seconds", SCHEMA_HISTOGRAM,
			      SCHEMA_KEPT, "Round-trip times to all peers of a group."},
	[SCHEMA_GROUP_WATCHERS] = {"nodecanary_group_watchers", SCHEMA_GAUGE, SCHEMA_KEPT,
				   "How many nodes ping each member of the group."},
	[SCHEMA_JITTER] =
		{"nodecanary_jitter_seconds", SCHEMA_GAUGE, SCHEMA_LAST_RUN,
		 "Mean difference between consecutive round-trip times of the last "
		 "run."},
	[SCHEMA_LAST_RESOLVE] = {"nodecanary_last_resolve_timestamp_seconds",
				 SCHEMA_GAUGE, SCHEMA_KEPT,
				 "When names were last looked up, 0 for never."},
	[SCHEMA_LAST_RUN_CPU] =
		{"nodecanary_last_run_cpu_seconds", SCHEMA_GAUGE, SCHEMA_LAST_RUN,
		 "CPU time of the last run up to the writing of this file."},
	[SCHEMA_LAST_RUN_DURATION] =
		{"nodecanary_last_run_duration_seconds", SCHEMA_GAUGE, SCHEMA_LAST_RUN,
		 "Duration of the last run up to the writing of this "
		 "file."},
	[SCHEMA_LAST_RUN_MEMORY] = {"nodecanary_last_run_peak_memory_bytes", SCHEMA_GAUGE,
				    SCHEMA_LAST_RUN,
				    "Largest resident memory of the last run."},
	[SCHEMA_LAST_RUN_RESOLVE] = {"nodecanary_last_run_resolve_seconds", SCHEMA_GAUGE,
				     SCHEMA_LAST_RUN,
				     "Time that the last run spent looking up names."},
	[SCHEMA_LAST_RUN_SUCCESS] =
		{"nodecanary_last_run_success", SCHEMA_GAUGE, SCHEMA_LAST_RUN,
		 "1 if the last run measured at least one round, 0 if it "
		 "could not."},
	[SCHEMA_LAST_RUN_TIMESTAMP] = {"nodecanary_last_run_timestamp_seconds",
				       SCHEMA_GAUGE, SCHEMA_LAST_RUN,
				       "When the last run ended."},
	[SCHEMA_LOSS_RATIO] =
		{"nodecanary_loss_ratio", SCHEMA_GAUGE, SCHEMA_LAST_RUN,
		 "Share of the last run's requests that were not answered in "
		 "time."},
	[SCHEMA_PEER_INFO] = {"nodecanary_peer_info", SCHEMA_GAUGE, SCHEMA_KEPT,
			      "1, with the peer's last known address and its labels."},
	[SCHEMA_PEER_LIST_HASH] =
		{"nodecanary_peer_list_hash", SCHEMA_GAUGE, SCHEMA_KEPT,
		 "Equal on nodes whose peer list of the group is equal."},
	[SCHEMA_PEER_RESOLVED] =
		{"nodecanary_peer_resolved", SCHEMA_GAUGE, SCHEMA_LAST_RUN,
		 "1 if the last lookup of the peer's name gave an address, 0 "
		 "if not."},
	[SCHEMA_PEER_UP] =
		{"nodecanary_peer_up", SCHEMA_GAUGE, SCHEMA_LAST_RUN,
		 "1 if the peer answered at least once in the last run, 0 if not."},
	[SCHEMA_PEERS] = {"nodecanary_peers", SCHEMA_GAUGE, SCHEMA_KEPT,
			  "How many peers of the group are in each state."},
	[SCHEMA_RECEIVE_DROPS] =
		{"nodecanary_receive_drops_total", SCHEMA_COUNTER, SCHEMA_KEPT,
		 "Packets that the kernel dropped at full buffers of our "
		 "sockets."},
	[SCHEMA_REPLIES] = {"nodecanary_replies_total", SCHEMA_COUNTER, SCHEMA_KEPT,
			    "Echo requests that were answered within the timeout."},
	[SCHEMA_REPLY_HOP_LIMIT] = {"nodecanary_reply_hop_limit", SCHEMA_GAUGE,
				    SCHEMA_LAST_RUN,
				    "TTL or hop limit of the last reply."},
	[SCHEMA_REQUESTS] = {"nodecanary_requests_total", SCHEMA_COUNTER, SCHEMA_KEPT,
			     "Echo requests that left this host."},
	[SCHEMA_RTT_MAX] = {"nodecanary_rtt_max_seconds", SCHEMA_GAUGE, SCHEMA_LAST_RUN,
			    "Largest round-trip time of the last run."},
	[SCHEMA_RTT_MEAN] = {"nodecanary_rtt_mean_seconds", SCHEMA_GAUGE, SCHEMA_LAST_RUN,
			     "Mean round-trip time of the last run."},
	[SCHEMA_RTT_MIN] = {"nodecanary_rtt_min_seconds", SCHEMA_GAUGE, SCHEMA_LAST_RUN,
			    "Smallest round-trip time of the last run."},
	[SCHEMA_RTT] = {"nodecanary_rtt_seconds", SCHEMA_HISTOGRAM, SCHEMA_KEPT,
			"Round-trip times."},
	[SCHEMA_RTT_STDDEV] = {"nodecanary_rtt_stddev_seconds", SCHEMA_GAUGE,
			       SCHEMA_LAST_RUN,
			       "Standard deviation of the last run's round-trip times."},
	[SCHEMA_RUNS] = {"nodecanary_runs_total", SCHEMA_COUNTER, SCHEMA_KEPT,
			 "Runs that measured at least one round."},
	[SCHEMA_SELF_INFO] = {"nodecanary_self_info", SCHEMA_GAUGE, SCHEMA_KEPT,
			      "1, with the name under which this node is a member of the "
			      "group."},
	[SCHEMA_UNSENT] = {"nodecanary_unsent_total", SCHEMA_COUNTER, SCHEMA_KEPT,
			   "Echo requests that could not leave this host."},
	[SCHEMA_VOIDED_ROUNDS] = {"nodecanary_voided_rounds_total", SCHEMA_COUNTER,
				  SCHEMA_KEPT,
				  "Rounds that were planned and count for nothing."},
};

/* Whether `series` is the family, or one of its series where that is a histogram. */
static bool belongs(const char *series, const struct schema *family)
{
	static const char *const suffixes[] = {"_bucket", "_sum", "_count"};
	size_t len = strlen(family->name);

	if (strncmp(series, family->name, len) != 0)
		return false;
	if (family->type != SCHEMA_HISTOGRAM)
		return series[len] == '\0';
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (strcmp(series + len, suffixes[i]) == 0)
			return true;
	return false;
}

enum schema_family schema_find(const char *series, enum schema_family likely)
{
	unsigned i = 0;

	if (likely < SCHEMA_FAMILIES && belongs(series, &schema_families[likely]))
		return likely;
	while (i < SCHEMA_FAMILIES && !belongs(series, &schema_families[i]))
		i++;
	return (enum schema_family)i;
}

const char *schema_type_name(enum schema_type type)
{
	static const char *const names[] = {"counter", "gauge", "histogram"};

	return names[type];
}
