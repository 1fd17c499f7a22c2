/*
 * Publishes the previous counters again when there is no valid configuration: metrics
 * that are kept and the state are copied line by line, the gauges of the last run are
 * not, and nodecanary_last_run_success is 0.
 */
#ifndef NODECANARY_REPUBLISH_H
#define NODECANARY_REPUBLISH_H

#include "publish/promfile.h"
#include "publish/writer.h"

/*
 * Copies from the published file, an open descriptor at its beginning that stays the
 * caller's. `path` is that of the file, `wall_ns` is now. Unless the result is
 * PROMFILE_VALID, what has been written must be thrown away.
 */
enum promfile_result republish_previous(struct writer *writer, int previous,
					const char *path, int64_t wall_ns);

/* Writes the file of a node about which only the failure of this run is known. */
void republish_nothing(struct writer *writer, const char *path, int64_t wall_ns);

#endif
