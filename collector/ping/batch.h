/*
 * A batch: the targets that share one liboping object, and with it one address family and
 * one set of socket options. Runs all rounds of the batch and adds their samples to the
 * targets. An address is asked once in a round, for all targets that have it.
 *
 * Batches run at the same time, each in a task of its own (task.h), so that an unresponsive
 * peer in one does not delay the others. No two batches share a target.
 */
#ifndef NODECANARY_BATCH_H
#define NODECANARY_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ping/probe.h"
#include "peers/stats.h"
#include "peers/targets.h"

/*
 * The most addresses of a batch. liboping compares each host with all that it has when it
 * adds one, and each reply with all of them, so larger batches cost more for each peer.
 */
#define BATCH_ADDRESSES_MAX 1000

/*
 * The batches that a list of addresses was cut into take turns in sending a round, so that
 * requests are as far apart as the options say. First come, first served.
 */
struct turns {
	size_t taken, ended;
	size_t addresses; /* of all these batches; set by the owner */
};

struct batch {
	/* Set by the owner, who also frees what they point to. */
	const struct targets *all;     /* that the batch's targets are part of */
	const struct options *options; /* of its first group; the others' equal them */
	/* All have an address of one family, equal addresses in a row, or all have none. */
	struct target **targets;
	size_t count;
	size_t addresses;     /* different ones; 0: the targets have none */
	uint16_t first_ident; /* ICMP idents, as many as addresses */
	bool is_deferred;     /* its targets did not respond in the previous run */
	struct turns *turns;
	int64_t deadline_ns; /* monotonic clock; no round begins after it */
	/*
	 * Called after each round, and by batches_run() with round 0 when all batches have
	 * ended. May be NULL.
	 */
	void (*progress)(const struct batch *batch, unsigned round, unsigned rounds);

	/* Results. */
	uint64_t measured; /* rounds in which a request was sent */
	uint64_t discarded[DISCARD_REASONS];
	struct probe_report report;
};

/*
 * How long a round takes at most, in nanoseconds, where `count` addresses with these
 * options are asked.
 */
int64_t batch_round_ns(const struct options *options, size_t count);

/* Whether two targets of a batch are one host for liboping. */
bool batch_is_same_host(const struct targets *targets, const struct target *a,
			const struct target *b);

/*
 * Makes the liboping object, runs all rounds, and frees it. Calls `on_sent` with `arg` once
 * or twice in each round, as probe_run_round() does. 0, or -1 after logging where there is
 * no memory or no random number, or liboping does not behave as this program needs.
 */
int batch_run(struct batch *batch, void (*on_sent)(void *arg), void *arg);

#endif
