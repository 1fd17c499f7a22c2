#include "publish/promfile.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/number.h"
#include "publish/metrics.h"

/* A line must fit in; the longest that the configuration allows has some 20 kB. */
#define BUFFER_SIZE 65536

#define LOOKUP_PREFIX "# " METRICS_LOOKUP "{"

const char *const promfile_unreadable = "cannot be read";
const char *const promfile_no_memory = "out of memory";

struct scan {
	int fd;
	char *buffer;
	size_t start, end; /* what has been read and not been taken */
	bool at_end;
	struct digest digest;
	bool sealed; /* the state line has been seen, and was right */
	promfile_take *take;
	void *arg;
};

/* Moves what is left to the front and reads on. False on an error of read(2). */
static bool fill(struct scan *scan)
{
	ssize_t n;

	memmove(scan->buffer, scan->buffer + scan->start, scan->end - scan->start);
	scan->end -= scan->start;
	scan->start = 0;
	do
		n = read(scan->fd, scan->buffer + scan->end, BUFFER_SIZE - scan->end);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return false;
	scan->end += (size_t)n;
	scan->at_end = n == 0;
	return true;
}

void promfile_seal(char out[static PROMFILE_SEAL_SIZE], uint64_t length, uint64_t hash)
{
	static const char digits[] = "0123456789abcdef";
	char *p = stpcpy(out, METRICS_STATE "length=");

	p += number_format_u64(p, length);
	p = stpcpy(p, " hash=");
	for (int shift = 60; shift >= 0; shift -= 4)
		*p++ = digits[hash >> shift & 15];
	*p = '\0';
}

/* The last line: "length=N hash=H" of all before it. */
static const char *check_seal(struct scan *scan, const char *line)
{
	char expected[PROMFILE_SEAL_SIZE];

	promfile_seal(expected, scan->digest.length, digest_value(&scan->digest));
	scan->sealed = true;
	return strcmp(line, expected) == 0 ? NULL : "length or hash are wrong";
}

static const char *take_line(struct scan *scan, char *line, size_t len)
{
	enum promfile_line kind = PROMFILE_SERIES;
	struct promline parsed;

	if (scan->sealed)
		return "lines behind the last one";
	if (memchr(line, '\0', len))
		return "a NUL byte";
	if (strncmp(line, METRICS_STATE, strlen(METRICS_STATE)) == 0)
		return check_seal(scan, line);
	line[len] = '\n';
	digest_add(&scan->digest, line, len + 1);
	line[len] = '\0';
	if (strncmp(line, LOOKUP_PREFIX, strlen(LOOKUP_PREFIX)) == 0) {
		kind = PROMFILE_LOOKUP;
		line += 2;
	} else if (*line == '#') {
		return NULL;
	}
	return promline_parse(line, &parsed) ? scan->take(kind, &parsed, scan->arg)
					     : "a malformed line";
}

static const char *scan_lines(struct scan *scan)
{
	const char *wrong;

	for (;;) {
		char *line = scan->buffer + scan->start;
		char *newline = memchr(line, '\n', scan->end - scan->start);

		if (newline) {
			*newline = '\0';
			scan->start += (size_t)(newline - line) + 1;
			wrong = take_line(scan, line, (size_t)(newline - line));
			if (wrong)
				return wrong;
		} else if (scan->at_end) {
			if (scan->end > scan->start)
				return "the last line has no end";
			return scan->sealed ? NULL : "it is not complete";
		} else if (scan->end - scan->start == BUFFER_SIZE) {
			return "a line that is too long";
		} else if (!fill(scan)) {
			return promfile_unreadable;
		}
	}
}

const char *promfile_scan(int fd, promfile_take *take, void *arg)
{
	struct scan scan = {.fd = fd, .take = take, .arg = arg};
	const char *wrong;

	scan.buffer = malloc(BUFFER_SIZE);
	if (!scan.buffer)
		return promfile_no_memory;
	digest_init(&scan.digest);
	wrong = scan_lines(&scan);
	free(scan.buffer);
	return wrong;
}
