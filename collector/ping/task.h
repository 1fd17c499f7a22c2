/*
 * Tasks: functions that take turns in one thread, each on a stack of its own. While one
 * waits, the others go on.
 *
 * liboping waits for replies within ping_send(), so waiting for several objects at once
 * needs several stacks. Tasks need no locks. Threads would also cost more: each reply would
 * wake up another one.
 *
 * A task must not block in any other way than by task_wait().
 */
#ifndef NODECANARY_TASK_H
#define NODECANARY_TASK_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

/* The most tasks at once, and the most descriptors that one waits for. */
#define TASK_MAX 64
#define TASK_FDS_MAX 4

/*
 * Runs `function` with `arg` in `count` tasks, in fewer if there is no memory for their
 * stacks. The first one is on the caller's stack. Returns when all have returned.
 */
void task_run(size_t count, void (*function)(void *arg), void *arg);

/*
 * Waits until a descriptor is ready, until a time of the monotonic clock, or for
 * task_notify(), and fills in `revents`. It may also return early; the caller looks at what
 * it waits for again.
 */
void task_wait(struct pollfd *fds, nfds_t count, int64_t until_ns);

/* Ends every task's wait. */
void task_notify(void);

#endif
