/*
 * The published file: what it consists of, and how a complete one is told from a damaged
 * one.
 *
 * Metrics come first, then comment lines with the state, which the next run reads and
 * everybody else ignores. Nothing is read back from the metrics. A line of state begins
 * with PROMFILE_STATE; fields are separated by one blank, "-" stands for none:
 *
 *     node KEY=VALUE ...       each value of METRICS_OF_NODE; KEY is the metric's name
 *                              without prefix, KEY.LABEL for one of several series
 *     counters KEY ...         what COUNTERS of the targets mean, in this order
 *     buckets SECONDS ...      the bounds of all histograms
 *     group GROUP HISTOGRAM SELF KEY=VALUE ...
 *                              SELF is the name of this node in the group; each counter
 *                              of METRICS_OF_GROUP, kept=RUNS, see self.h,
 *                              and roam=POSITION, see roam.h
 *     target GROUP PEER FAMILY HOST ADDRESS OUTCOME LOOKUP COUNTERS HISTOGRAM [FINDING ...]
 *                              HOST and ADDRESS of a peer that is looked up, ADDRESS also
 *                              of one with a trace or path MTU; OUTCOME of
 *                              the last run that measured it: up or down; LOOKUP: the
 *                              last lookup, resolved, failed or none (no address of the
 *                              family), with PROMFILE_DUE if the name is due again
 *     end length=N hash=H      the seal: length and digest (digest.h) of all lines before
 *
 * A FINDING is trace=AT,HOPS,ADDRESS, trace=AT when the peer loses no more, mtu=AT,BYTES,
 * roam=suspect, or roam=AT for an unresponsive peer. AT is Unix time.
 *
 * COUNTERS are numbers with commas between them. A HISTOGRAM is its sum in seconds, then
 * the count of each bucket, +Inf the last, not cumulative, with commas between them.
 * There is a line for each group and target of which anything is known, exposed in this
 * run or not.
 */
#ifndef NODECANARY_PROMFILE_H
#define NODECANARY_PROMFILE_H

#include <stddef.h>
#include <stdint.h>

#define PROMFILE_STATE "# nodecanary-state 1 "
#define PROMFILE_DUE "+"

/* The last line, without its newline, of a file of that length and hash before it. */
#define PROMFILE_SEAL_SIZE 96
void promfile_seal(char out[static PROMFILE_SEAL_SIZE], uint64_t length, uint64_t hash);

enum promfile_result {
	PROMFILE_VALID,
	/* The file could not be looked at, which says nothing about its content. */
	PROMFILE_UNREADABLE,
	PROMFILE_NO_MEMORY,
	/* The file is damaged, or not from this program. */
	PROMFILE_INCOMPLETE,
	PROMFILE_WRONG_SEAL,
	PROMFILE_MALFORMED,
	PROMFILE_OUT_OF_RANGE,
};

/* What is wrong, for a message; "" for PROMFILE_VALID. */
const char *promfile_reason(enum promfile_result result);

/*
 * Gets each line but the seal in turn, without its newline, to be changed at will. `line`
 * is a string of `len` bytes.
 */
typedef enum promfile_result promfile_handler(char *line, size_t len, void *arg);

/*
 * Reads the whole file from its current position. PROMFILE_VALID if the handler returned
 * that for every line and the seal proves that they are all there; otherwise nothing that
 * the handler got may be believed.
 */
enum promfile_result promfile_scan(int fd, promfile_handler *handler, void *arg);

#endif
