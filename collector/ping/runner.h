/*
 * The batches of a run side by side, a thread each but for the first.
 *
 * Batches with the dead (batch.h: is_deferred) go last: they begin when all others have
 * sent their first round, if they send at all. Else it would be chance whether the living
 * or the dead get what room the kernel has for neighbours that it looks for.
 */
#ifndef NODECANARY_RUNNER_H
#define NODECANARY_RUNNER_H

#include <stddef.h>

#include "ping/batch.h"

/*
 * Runs them all; `runner` and `is_awaited` of each are the runner's. A batch for which
 * no thread can be had runs when the first has ended, and nobody waits for it. 0,
 * or -1 after logging if one failed.
 */
int runner_run(struct batch *batches, size_t count);

/* To be the `on_sent` of the probe of each; `arg` is the batch. */
void runner_sent(void *arg);

#endif
