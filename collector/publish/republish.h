/*
 * Publishing again without a valid configuration: the counters and what was
 * known of the last configuration go over into the new file as they are,
 * the gauges of the last run do not, and nodecanary_last_run_success is 0.
 */
#ifndef NODECANARY_REPUBLISH_H
#define NODECANARY_REPUBLISH_H

#include <stdint.h>

#include "publish/writer.h"

/*
 * Copies what goes on from the published file, an open descriptor at its
 * beginning, which stays the caller's. NULL, or what is wrong with that
 * file: then what has been written must be thrown away, and republish_nothing()
 * writes a file without it.
 */
const char *republish_previous(struct writer *writer, int previous, int64_t wall_ns);

/* The file of a node of which nothing is known but that its run failed. */
void republish_nothing(struct writer *writer, int64_t wall_ns);

#endif
