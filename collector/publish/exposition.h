/*
 * Everything that is published, as text format 0.0.4: sorted, one HELP and
 * TYPE a family, no time stamps, integers as integers, nanosecond sums as exact
 * decimal seconds. The same state gives the same bytes.
 *
 * Behind the metrics stand comment lines that restore.h reads and everybody
 * else ignores: the host names of the peers that are looked up, and last
 * "# nodecanary-state v1 length=N hash=H", which proves the file complete.
 */
#ifndef NODECANARY_EXPOSITION_H
#define NODECANARY_EXPOSITION_H

#include <stdbool.h>

#include "publish/metrics.h"
#include "peers/state.h"
#include "peers/targets.h"
#include "publish/writer.h"

/* The figures of a run that took place. */
struct run_info {
	int64_t duration_ns, resolve_ns, cpu_ns;
	uint64_t peak_memory_bytes;
	bool success; /* it measured a round */
};

struct exposition {
	const struct targets *targets;
	const struct state *state;
	/* NULL: there was no run. No gauge of one is written, and success is 0. */
	const struct run_info *run;
	int64_t wall_ns; /* now */
};

/* Writes the whole file; the writer holds the errors. */
void exposition_write(struct writer *writer, const struct exposition *exposition);

/* HELP and TYPE of a family. */
void exposition_header(struct writer *writer, enum metrics_family family);

/* The family of this program's version, which is the first of all. */
void exposition_build_info(struct writer *writer);

/* The last line, over all that has been written. */
void exposition_seal(struct writer *writer);

#endif
