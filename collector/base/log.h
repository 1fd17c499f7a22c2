/*
 * Messages for the operator, on stderr.
 *
 * In the journal (JOURNAL_STREAM names our stderr) a line begins with the level prefix of
 * sd-daemon(3), elsewhere with the program's name. A message is one line, at most 2 kB, and
 * one write(2), so lines of several threads do not mix. errno is unchanged afterwards.
 *
 * The function that knows the subject logs, once; its callers only pass the failure on.
 */
#ifndef NODECANARY_LOG_H
#define NODECANARY_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO };

/* Messages above `max` are dropped; until this is called, all but warnings and errors. */
void log_open(enum log_level max);

/* ": " and strerror(errno) are appended, except by the x forms and log_info(). */
void log_err(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_errx(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warnx(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
