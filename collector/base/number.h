/*
 * Numbers as text: strict parsers that accept a string as a whole or not at all, and the
 * exact decimal form of nanoseconds. No locale, no floating point. The parsers return
 * false for everything that is not described here; the result is undefined then.
 */
#ifndef NODECANARY_NUMBER_H
#define NODECANARY_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * 2^53, the largest number up to which a double holds every whole number. Prometheus keeps
 * all values as doubles.
 */
#define NUMBER_EXACT_MAX (UINT64_C(1) << 53)

/* Decimal digits, at most `max`. */
bool number_parse_u64(const char *text, uint64_t max, uint64_t *value);

/* Decimal digits, or 0x and hexadecimal digits, at most `max`. */
bool number_parse_u64_any(const char *text, uint64_t max, uint64_t *value);

/*
 * A duration with its unit, such as 10s, 2.5ms, 100us: digits, perhaps a fraction of up to
 * nine digits, and one of ns us ms s m h d. A bare 0 is a duration, too. The value is a
 * whole number of nanoseconds.
 */
bool number_parse_duration(const char *text, int64_t *ns);

/*
 * Seconds as number_format_seconds() writes them: digits, perhaps a point and up to nine
 * digits. `seconds` is at most NUMBER_EXACT_MAX.
 */
bool number_parse_seconds(const char *text, uint64_t *seconds, uint32_t *nanos);

/*
 * The exact decimal number without superfluous zeros ("0.00025", "1", "12.5"). Returns its
 * length. NUMBER_SECONDS_SIZE bytes always suffice.
 */
#define NUMBER_SECONDS_SIZE 32
size_t number_format_seconds(char out[static NUMBER_SECONDS_SIZE], uint64_t seconds,
			     uint32_t nanos);

/* The same for a count of nanoseconds, not negative. */
size_t number_format_ns(char out[static NUMBER_SECONDS_SIZE], int64_t ns);

/* The decimal digits of `value`; returns their count. NUMBER_U64_SIZE bytes suffice. */
#define NUMBER_U64_SIZE 21
size_t number_format_u64(char out[static NUMBER_U64_SIZE], uint64_t value);

/* A duration in the largest unit that divides it: "200ms", "1500ms", "2m". */
#define NUMBER_DURATION_SIZE 32
void number_format_duration(char out[static NUMBER_DURATION_SIZE], int64_t ns);

#endif
