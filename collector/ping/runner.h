/*
 * Runs all batches of a run in parallel, each in a thread of its own; the first one in the
 * caller's thread.
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
 * Returns when all batches (count > 0) have ended. A batch that gets no thread runs after
 * the first one, and no deferred batch waits for it. 0, or -1 after logging if one failed.
 */
int runner_run(struct batch *batches, size_t count);

#endif
