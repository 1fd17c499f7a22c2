/*
 * Writes the published file: the metrics in text format 0.0.4 (sorted, one HELP and TYPE
 * for each, no time stamps, integers as integers, times as exact decimal seconds), then
 * the state as promfile.h describes it. The same state gives the same bytes.
 */
#ifndef NODECANARY_EXPOSITION_H
#define NODECANARY_EXPOSITION_H

#include "peers/stats.h"
#include "peers/targets.h"
#include "publish/metrics.h"
#include "publish/writer.h"

/* After targets_select(). */
struct exposition {
	const struct targets *targets;
	const struct stats_node *node;
	const struct run_info *run;
	/*
	 * The name of a file that may be one of several of one node_exporter, which drops
	 * series that are in two: those about the node and the run have the label `file`
	 * then. NULL: no label.
	 */
	const char *file;
};

/* The file of this path for that: its name if that is nodecanary-NAME.prom, otherwise NULL. */
const char *exposition_file(const char *path);

/* Writes the whole file; the writer holds the errors. */
void exposition_write(struct writer *writer, const struct exposition *exposition);

/* Writes one metric: its HELP, TYPE and all series, or nothing if it has no series. */
void exposition_write_metric(struct writer *writer, const struct exposition *exposition,
			     const struct metric *metric);

/* Writes the seal over all that the writer has got. */
void exposition_seal(struct writer *writer);

#endif
