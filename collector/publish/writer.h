/*
 * Writes text to a descriptor through a buffer, with a digest over all of it. The first
 * error is kept and ends all further output, so callers check once, with writer_flush().
 *
 * Order of calls: writer_init(); any others; writer_flush(). The descriptor stays the
 * caller's. There is nothing to free.
 */
#ifndef NODECANARY_WRITER_H
#define NODECANARY_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"

#define WRITER_BUFFER 16384

struct writer {
	int fd;
	int error; /* errno of the first failure, 0 if there was none */
	size_t used;
	struct digest digest; /* of what has left the buffer */
	char buffer[WRITER_BUFFER];
};

void writer_init(struct writer *writer, int fd);
void writer_bytes(struct writer *writer, const char *bytes, size_t len);
void writer_text(struct writer *writer, const char *text);
void writer_u64(struct writer *writer, uint64_t value);

/* Seconds as an exact decimal number; `nanos` is less than 10^9, `ns` not negative. */
void writer_seconds(struct writer *writer, uint64_t seconds, uint32_t nanos);
void writer_ns(struct writer *writer, int64_t ns);

/* A label value, escaped as in the Prometheus text format 0.0.4, without the quotes. */
void writer_escaped(struct writer *writer, const char *value);

/* Length and hash of everything written so far. */
void writer_digest(struct writer *writer, uint64_t *length, uint64_t *hash);

/* 0, or -1 with errno where not everything could be written. */
int writer_flush(struct writer *writer);

#endif
