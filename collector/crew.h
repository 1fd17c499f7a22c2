/*
 * The lanes of a run side by side, a thread each but for the first.
 *
 * Lanes with the dead (lane.h: is_apart) go last: they begin when all others have
 * sent their first round, if they send at all. Else it would be chance whether the living
 * or the dead get what room the kernel has for neighbours that it looks for.
 */
#ifndef NODECANARY_CREW_H
#define NODECANARY_CREW_H

#include <stddef.h>

#include "lane.h"

/*
 * Runs them all; `crew` and `is_awaited` of each are the crew's. A lane for which
 * no thread can be had runs when the first has ended, and nobody waits for it. 0,
 * or -1 after logging if one failed.
 */
int crew_run(struct lane *lanes, size_t count);

/* To be the `on_sent` of the probe of each; `arg` is the lane. */
void crew_sent(void *arg);

#endif
