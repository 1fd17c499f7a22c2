#include "publish/writer.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/number.h"
#include "base/text.h"

/*
 * Numbers are formatted by number.h and text is copied by hand, because libc's printf would
 * be a tenth of the memory of a run that has nothing to tell people.
 */

void writer_init(struct writer *writer, int fd)
{
	writer->fd = fd;
	writer->error = 0;
	writer->used = 0;
	digest_init(&writer->digest);
}

/*
 * write() may write a part only, as it does when the disk becomes full; the next call then
 * tells why. A write() of 0 bytes would repeat for ever and has no errno of its own.
 */
static void write_all(struct writer *writer, const char *p, size_t len)
{
	while (len > 0 && !writer->error) {
		ssize_t n = write(writer->fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			writer->error = n < 0 ? errno : ENOSPC;
			return;
		}
		p += n;
		len -= (size_t)n;
	}
}

/*
 * The digest is taken of a whole buffer at a time, also after an error: it then seals
 * nothing, because writer_flush() fails.
 */
static void empty_buffer(struct writer *writer)
{
	digest_add(&writer->digest, writer->buffer, writer->used);
	write_all(writer, writer->buffer, writer->used);
	writer->used = 0;
}

void writer_bytes(struct writer *writer, const char *bytes, size_t len)
{
	while (len > 0) {
		size_t room = sizeof(writer->buffer) - writer->used;
		size_t part = len < room ? len : room;

		memcpy(writer->buffer + writer->used, bytes, part);
		writer->used += part;
		bytes += part;
		len -= part;
		if (writer->used == sizeof(writer->buffer))
			empty_buffer(writer);
	}
}

void writer_text(struct writer *writer, const char *text)
{
	writer_bytes(writer, text, strlen(text));
}

void writer_u64(struct writer *writer, uint64_t value)
{
	char text[NUMBER_U64_SIZE];

	writer_bytes(writer, text, number_format_u64(text, value));
}

void writer_seconds(struct writer *writer, uint64_t seconds, uint32_t nanos)
{
	char text[NUMBER_SECONDS_SIZE];

	writer_bytes(writer, text, number_format_seconds(text, seconds, nanos));
}

void writer_ns(struct writer *writer, int64_t ns)
{
	char text[NUMBER_SECONDS_SIZE];

	writer_bytes(writer, text, number_format_ns(text, ns));
}

/*
 * Text format 0.0.4 knows three escapes. Everything between them, UTF-8 included, is copied
 * unchanged and in one piece.
 */
void writer_escaped(struct writer *writer, const char *value)
{
	for (;;) {
		size_t plain = text_until(value, "\\\"\n");

		writer_bytes(writer, value, plain);
		value += plain;
		if (!*value)
			return;
		writer_text(writer, *value == '\\'  ? "\\\\"
				    : *value == '"' ? "\\\""
						    : "\\n");
		value++;
	}
}

void writer_digest(struct writer *writer, uint64_t *length, uint64_t *hash)
{
	empty_buffer(writer);
	*length = writer->digest.length;
	*hash = digest_value(&writer->digest);
}

int writer_flush(struct writer *writer)
{
	empty_buffer(writer);
	errno = writer->error;
	return writer->error ? -1 : 0;
}
