/*
 * One liboping object: a list of addresses that are asked with the same socket
 * options, round by round. The only module that knows liboping.
 *
 * Order of calls: probe_new(), probe_add() once, probe_round() as often as
 * wanted, probe_free(). One object belongs to one thread at a time; several
 * run side by side. Nothing given is kept beyond a call but the ident set,
 * which must outlive the object.
 */
#ifndef NODECANARY_PROBE_H
#define NODECANARY_PROBE_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "ping/idents.h"
#include "config/options.h"
#include "ping/cookie.h"
#include "peers/sample.h"

struct probe_settings {
	struct source source;
	char device[IF_NAMESIZE];
	struct mark mark;
	uint32_t ttl, dscp;
	int64_t timeout_ns, spacing_ns;
	int64_t period_ns; /* of rounds in which a peer is silent: sizes the send buffer
			    */
	/*
	 * Called when a round's last request has left, and when the round is over: once
	 * or twice in each.
	 */
	void (*on_sent)(void *arg);
	void *arg;
};

struct probe_host {
	struct address address;
	uint32_t payload; /* bytes */
};

struct probe;

/* NULL after logging why. `cookie` is copied. */
struct probe *probe_new(const struct probe_settings *settings,
			const struct cookie *cookie, struct idents *idents);

/*
 * Adds hosts, no address twice; sample i of every round is that of hosts[i].
 * One that cannot be added (its family has no socket here, its device is gone)
 * is unsent in every round; the first such failure is logged. 0, or -1 after
 * logging where there is no memory or no ident left.
 */
int probe_add(struct probe *probe, const struct probe_host *hosts, size_t count);

enum round_result {
	ROUND_MEASURED,
	/* Void: the samples mean nothing. */
	ROUND_CLOCK_STEP,    /* wall and monotonic clock have moved apart */
	ROUND_RECEIVE_DROPS, /* packets were dropped at our sockets */
	ROUND_INTERRUPTED,   /* by a stop request, or the process stood still */
	ROUND_BROKEN,	     /* liboping did not wait where it should; logged */
};

/*
 * Beyond that the clocks disagree: ten times what reading them is off by. A step back
 * by more than a round-trip time makes liboping drop the reply.
 */
#define ROUND_CLOCK_TOLERANCE_NS 100000

/* Fills in a sample for every host that was added. */
enum round_result probe_round(struct probe *probe, struct sample *samples);

/* What happened over all rounds so far. */
struct probe_report {
	uint64_t receive_drops;
	size_t failed; /* requests that the kernel refused */
	int first_errno;
	bool starved; /* the send buffer was full to the end of a round */
	uint64_t receive_wanted, send_wanted; /* bytes of buffers */
};

void probe_report(const struct probe *probe, struct probe_report *report);

/* NULL is fine. */
void probe_free(struct probe *probe);

#endif
