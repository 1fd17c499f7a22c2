/*
 * Runs all batches of a run at the same time, each in a task (task.h). More of them than
 * there are tasks wait in a queue.
 *
 * Deferred batches (batch.h), whose peers did not respond in the previous run, begin when
 * all others have sent their first round. Otherwise unresponsive peers could take the
 * kernel's neighbour entries before responsive ones. A deferred batch does not wait so
 * long that its own rounds miss the deadline.
 */
#ifndef NODECANARY_RUNNER_H
#define NODECANARY_RUNNER_H

#include <stddef.h>

#include "ping/batch.h"

/*
 * Returns when all batches (count > 0) have ended; the deferred ones must be the last. 0, or
 * -1 after logging if one failed.
 */
int runner_run(struct batch *batches, size_t count);

#endif
