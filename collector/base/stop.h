/*
 * The request to stop: SIGTERM, SIGINT and SIGHUP.
 *
 * They are blocked and read from nowhere: a signalfd that is never emptied
 * stays readable, so every thread that polls it ends its wait, now and later.
 * There are no handlers.
 */
#ifndef NODECANARY_STOP_H
#define NODECANARY_STOP_H

#include <stdbool.h>
#include <stdint.h>

/* Before any thread exists. 0, or -1 with errno. */
int stop_init(void);

/* To be polled for POLLIN, never read. -1 before stop_init(). */
int stop_fd(void);

bool stop_requested(void);

/* Sleeps until that time of the monotonic clock or until a stop is requested: true. */
bool stop_sleep_until(int64_t at_ns);

/* In a child process: signals work as usual again. */
void stop_reset_in_child(void);

#endif
