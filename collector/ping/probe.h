/*
 * One liboping object: a list of addresses that are pinged with the same socket options,
 * round by round. The only module that uses liboping.
 *
 * Order of calls: probe_new(), probe_add_hosts() once, probe_run_round() any number of
 * times, probe_free(). Several may run at the same time, each in its task (task.h).
 */
#ifndef NODECANARY_PROBE_H
#define NODECANARY_PROBE_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "config/options.h"
#include "ping/cookie.h"
#include "peers/failure.h"
#include "peers/sample.h"
#include "peers/stats.h"

struct probe_settings {
	struct source source; /* of one family at most: liboping serves no other then */
	char device[IF_NAMESIZE];
	struct mark mark;
	uint32_t ttl, dscp;
	int64_t timeout_ns, spacing_ns;
	/* From one round to the next with an unresponsive peer: sizes the send buffer. */
	int64_t period_ns;
};

struct probe_host {
	struct address address;
	uint32_t payload; /* bytes, OPTIONS_SIZE_MIN to OPTIONS_SIZE_MAX */
	const char *name; /* for messages */
};

struct probe;

/*
 * Whether liboping waits, sends and receives by the functions that interpose.h replaces.
 * Rehearses a round with one host, without any packet, and lasts a second at most, without
 * the time for which the process is stopped. To be called before any other, without other
 * threads; false after logging.
 */
bool probe_verify_library(void);

/* NULL after logging why. */
struct probe *probe_new(const struct probe_settings *settings,
			const struct cookie *cookie);

/*
 * Adds hosts of one family, each of which differs from all others in address or payload.
 * Host i gets the ICMP ident first_ident + i, and sample i of every round. A host that
 * cannot be added (no socket of its family, no such device) is unsent in every round; one
 * line for all of them is logged. 0, or -1 after logging where there is no memory or liboping
 * does not behave as this program needs.
 */
int probe_add_hosts(struct probe *probe, const struct probe_host *hosts, size_t count,
		    uint16_t first_ident);

enum round_result {
	ROUND_MEASURED,
	/* Discarded: the samples mean nothing. */
	ROUND_CLOCK_STEP,    /* wall and monotonic clock have moved apart */
	ROUND_RECEIVE_DROPS, /* packets were dropped at our sockets */
	ROUND_INTERRUPTED,   /* by a stop request, or the process stood still */
};

/*
 * Nanoseconds by which the clocks may move apart in a round: ten times the error of
 * reading them. liboping takes latencies from the wall clock, and drops a reply if the
 * clock steps back by more than a round-trip time.
 */
#define ROUND_CLOCK_TOLERANCE_NS 100000

/*
 * Sends a request to every host and waits for the replies, at most the timeout after the
 * last request. Fills in a sample for every host. Calls `on_sent` when the last request
 * has left, if any did, and again when the round is over.
 */
enum round_result probe_run_round(struct probe *probe, struct sample *samples,
				  void (*on_sent)(void *arg), void *arg);

/* Why the last round has no reply of a host, where somebody said so. */
struct probe_failure {
	size_t host; /* index */
	enum failure_reason reason;
	struct address from; /* ADDRESS_NONE: this host */
};

/* Those of the last round, at most one for each host; they belong to the probe. */
const struct probe_failure *probe_get_failures(const struct probe *probe, size_t *count);

/* IRREGULAR_KINDS numbers of irregular replies of a host in the last round. */
const uint8_t *probe_get_irregular(const struct probe *probe, size_t host);

/* What happened in all rounds so far. */
struct probe_report {
	uint64_t receive_drops;	  /* packets */
	size_t failed;		  /* requests that the kernel refused */
	int first_errno;	  /* of the first of them */
	bool starved;		  /* the send buffer was full until the end of a round */
	size_t refused;		  /* hosts that liboping does not ping */
	const char *refused_name; /* the first of them, and why */
	char refused_reason[128];
	/* Buffer bytes, as in icmpsocket.h; 0 if the sockets have as many as they want. */
	uint64_t receive_wanted, send_wanted;
};

struct probe_report probe_get_report(const struct probe *probe);

/* NULL is allowed. */
void probe_free(struct probe *probe);

#endif
