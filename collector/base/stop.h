/*
 * The request to stop: SIGTERM, SIGINT, and SIGHUP unless it was ignored from the start.
 *
 * They are blocked, and their signalfd is never emptied: it stays readable, so every thread
 * that polls it ends its wait, now and later. There are no handlers, and no call fails
 * with EINTR.
 */
#ifndef NODECANARY_STOP_H
#define NODECANARY_STOP_H

#include <stdbool.h>
#include <stdint.h>

/* To be called before any thread exists, as threads inherit the mask. 0, or -1 with errno. */
int stop_init(void);

/* The descriptor to poll for POLLIN; never read from it. -1 before stop_init(). */
int stop_fd(void);

bool stop_requested(void);

/* Sleeps until `at_ns` of the monotonic clock; true at once if a stop is requested. */
bool stop_sleep_until(int64_t at_ns);

/* To be called in a child process: signals end it as usual again. */
void stop_reset_in_child(void);

#endif
