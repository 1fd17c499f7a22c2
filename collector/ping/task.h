/*
 * Tasks: functions that take turns. While one waits, another goes on; two never run at the
 * same moment, so they need no locks.
 *
 * liboping waits for replies within ping_send(), so waiting for several objects at once
 * needs several stacks, which threads have. The first task runs in the caller's thread.
 *
 * A task that waits in any other way than by task_wait() or task_sleep() holds up all others.
 */
#ifndef NODECANARY_TASK_H
#define NODECANARY_TASK_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

/* The most tasks at once. */
#define TASK_MAX 64

/*
 * Runs `function` with `arg` in `count` tasks, in fewer if threads cannot be had. Returns
 * when all have returned.
 */
void task_run(size_t count, void (*function)(void *arg), void *arg);

/*
 * Waits until a descriptor is ready or until a time of the monotonic clock, and fills in
 * `revents`. It may also return early; the caller looks at what it waits for again. If the
 * kernel cannot wait, for example without memory, all have POLLERR: the round is discarded as
 * interrupted, because replies may be there that were not read.
 */
void task_wait(struct pollfd *fds, nfds_t count, int64_t until_ns);

/* Waits for task_notify(), or until a time of the monotonic clock. May return early, too. */
void task_sleep(int64_t until_ns);

/* Ends the sleep of every task. */
void task_notify(void);

#endif
