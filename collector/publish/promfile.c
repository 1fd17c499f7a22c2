#include "publish/promfile.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/number.h"
#include "config/inifile.h"
#include "config/labels.h"

/*
 * A line must fit in. The longest is that of a peer with all labels that a group, all groups
 * and its own line may give it, all bytes of which are escaped.
 */
#define BUFFER_SIZE 262144
_Static_assert(BUFFER_SIZE > 2 * (2 * LABELS_MAX + 1) * INIFILE_LINE_MAX + 65536,
	       "any line fits in");

/* Usual lines need no more. Pages of the buffer that are never written take no memory. */
#define READ_SIZE 16384

/* The line without the digest that ends the file. */
#define SEAL_PREFIX PROMFILE_STATE "end "

struct scan {
	int fd;
	char *buffer;
	size_t start, end; /* what has been read and not handled */
	bool at_end;
	struct digest digest;
	bool sealed; /* the seal has been seen, and was right */
	promfile_handler *handler;
	void *arg;
};

/*
 * Moves what is left to the front and reads more. False on an error of read(2). Plain reads
 * into one buffer: stdio would add its own, and the file of a large fleet has 20 MB.
 */
static bool fill(struct scan *scan)
{
	size_t limit;
	ssize_t n;

	memmove(scan->buffer, scan->buffer + scan->start, scan->end - scan->start);
	scan->end -= scan->start;
	scan->start = 0;
	limit = scan->end < READ_SIZE ? READ_SIZE : BUFFER_SIZE;
	do
		n = read(scan->fd, scan->buffer + scan->end, limit - scan->end);
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
	char *p = stpcpy(out, SEAL_PREFIX "length=");

	p += number_format_u64(p, length);
	p = stpcpy(p, " hash=");
	for (int shift = 60; shift >= 0; shift -= 4)
		*p++ = digits[hash >> shift & 15];
	*p = '\0';
}

/*
 * The seal is compared as text: there is one way to write it. It proves that the file is
 * complete and was not changed by accident. It does not prove that nobody forged it, and
 * nothing could, as whoever can write there has our user's rights; so readers still check
 * every number.
 */
static enum promfile_result check_seal(struct scan *scan, const char *line)
{
	char expected[PROMFILE_SEAL_SIZE];

	promfile_seal(expected, scan->digest.length, digest_value(&scan->digest));
	scan->sealed = true;
	return strcmp(line, expected) == 0 ? PROMFILE_VALID : PROMFILE_WRONG_SEAL;
}

static enum promfile_result handle_line(struct scan *scan, char *line, size_t len)
{
	/* Lines after the seal, and a NUL byte, which would hide the rest of a line. */
	if (scan->sealed || memchr(line, '\0', len))
		return PROMFILE_MALFORMED;
	if (strncmp(line, SEAL_PREFIX, sizeof(SEAL_PREFIX) - 1) == 0)
		return check_seal(scan, line);
	/* The digest includes the newline, which is put back for a moment. */
	line[len] = '\n';
	digest_add(&scan->digest, line, len + 1);
	line[len] = '\0';
	return scan->handler(line, len, scan->arg);
}

static enum promfile_result scan_lines(struct scan *scan)
{
	enum promfile_result result;

	for (;;) {
		char *line = scan->buffer + scan->start;
		char *newline = memchr(line, '\n', scan->end - scan->start);

		if (newline) {
			*newline = '\0';
			scan->start += (size_t)(newline - line) + 1;
			result = handle_line(scan, line, (size_t)(newline - line));
			if (result != PROMFILE_VALID)
				return result;
		} else if (scan->at_end) {
			/* A last line without its newline was cut. */
			return scan->sealed && scan->end == scan->start
				       ? PROMFILE_VALID
				       : PROMFILE_INCOMPLETE;
		} else if (scan->end - scan->start == BUFFER_SIZE) {
			return PROMFILE_MALFORMED;
		} else if (!fill(scan)) {
			return PROMFILE_UNREADABLE;
		}
	}
}

enum promfile_result promfile_scan(int fd, promfile_handler *handler, void *arg)
{
	/* Too large for the stack. One file is scanned at a time. */
	static char buffer[BUFFER_SIZE];
	struct scan scan = {.fd = fd, .buffer = buffer, .handler = handler, .arg = arg};

	digest_init(&scan.digest);
	return scan_lines(&scan);
}

const char *promfile_reason(enum promfile_result result)
{
	static const char *const reasons[] = {
		[PROMFILE_VALID] = "",
		[PROMFILE_UNREADABLE] = "cannot be read",
		[PROMFILE_NO_MEMORY] = "out of memory",
		[PROMFILE_INCOMPLETE] = "incomplete",
		[PROMFILE_WRONG_SEAL] = "changed since it was written",
		[PROMFILE_MALFORMED] = "not a file of this program",
		[PROMFILE_OUT_OF_RANGE] = "a number out of range",
	};

	return reasons[result];
}
