/*
 * Messages for the operator, on stderr.
 *
 * In a journal (JOURNAL_STREAM names our stderr) every line begins with the
 * level prefix that sd-daemon(3) defines; elsewhere with the program's name.
 * A message is one line and one write(2), so lines of several threads do not
 * mix. errno is left as it was.
 *
 * The leaf that knows the context logs, once; callers only pass the failure on.
 */
#ifndef NODECANARY_LOG_H
#define NODECANARY_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO };

/* Call first; messages above `max` are dropped. Until then: warnings and errors. */
void log_open(enum log_level max);

/* The x forms do not append strerror(errno). */
void log_err(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_errx(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warnx(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
