#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/number.h"

/* A longer message is cut. It has room for a line of the configuration and two paths. */
#define LINE_MAX_BYTES 2048

static enum log_level max_level = LOG_LEVEL_WARNING;
static bool in_journal;

/*
 * Whether stderr is the stream that JOURNAL_STREAM=DEV:INODE names: systemd.exec(5). The
 * variable alone proves nothing: children of a service inherit it, with stderr redirected.
 */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char device[NUMBER_U64_SIZE], inode[NUMBER_U64_SIZE];
	struct stat st;
	size_t len;

	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return false;
	len = number_format_u64(device, st.st_dev);
	number_format_u64(inode, st.st_ino);
	return strncmp(stream, device, len) == 0 && stream[len] == ':' &&
	       strcmp(stream + len + 1, inode) == 0;
}

void log_open(enum log_level max)
{
	max_level = max;
	in_journal = stderr_is_journal();
}

/* Cuts what does not fit, and keeps room for the newline. */
static size_t clamp(int printed, size_t room)
{
	if (printed < 0)
		return 0;
	return (size_t)printed < room ? (size_t)printed : room - 1;
}

__attribute__((format(printf, 3, 0))) static void emit(enum log_level level, int err,
						       const char *fmt, va_list ap)
{
	static const char *const prefix[] = {"<3>", "<4>", "<6>"};
	char line[LINE_MAX_BYTES];
	size_t room = sizeof(line) - 1, len;

	len = clamp(
		snprintf(line, room, "%s", in_journal ? prefix[level] : "nodecanary: "),
		room);
	len += clamp(vsnprintf(line + len, room - len, fmt, ap), room - len);
	if (err)
		len += clamp(snprintf(line + len, room - len, ": %s", strerror(err)),
			     room - len);
	/* A newline in an argument would begin a message of its own, of the sender's choice. */
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)line[i] < 0x20)
			line[i] = '?';
	line[len++] = '\n';
	/* One write(2), so that lines of several threads do not mix. If it fails, nobody is
	 * left to be told. */
	if (write(STDERR_FILENO, line, len) < 0)
		return;
}

/* A macro because va_start() must be in the function that has the arguments. */
#define LOG_BODY(level, err)                                                             \
	do {                                                                             \
		int saved = errno;                                                       \
		va_list ap;                                                              \
                                                                                         \
		if ((level) <= max_level) {                                              \
			va_start(ap, fmt);                                               \
			emit((level), (err), fmt, ap);                                   \
			va_end(ap);                                                      \
		}                                                                        \
		errno = saved;                                                           \
	} while (0)

void log_err(const char *fmt, ...)
{
	LOG_BODY(LOG_LEVEL_ERROR, saved);
}

void log_errx(const char *fmt, ...)
{
	LOG_BODY(LOG_LEVEL_ERROR, 0);
}

void log_warn(const char *fmt, ...)
{
	LOG_BODY(LOG_LEVEL_WARNING, saved);
}

void log_warnx(const char *fmt, ...)
{
	LOG_BODY(LOG_LEVEL_WARNING, 0);
}

void log_info(const char *fmt, ...)
{
	LOG_BODY(LOG_LEVEL_INFO, 0);
}
