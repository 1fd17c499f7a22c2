/*
 * Numbers as text: strict parsers that consume the whole string, and the exact
 * decimal form of nanoseconds. No locale, no floating point.
 */
#ifndef NODECANARY_NUMBER_H
#define NODECANARY_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The largest whole number that a double, and so every reader of metrics, holds exactly. */
#define NUMBER_EXACT_MAX (UINT64_C(1) << 53)

/* Digits only; false for anything else and above `max`. */
bool number_parse_u64(const char *text, uint64_t max, uint64_t *value);

/* Decimal, or 0x and hexadecimal digits. */
bool number_parse_u64_any(const char *text, uint64_t max, uint64_t *value);

/*
 * A duration with its unit, such as 10s, 2.5ms, 100us: digits, perhaps a
 * fraction, and one of ns us ms s m h d. A bare 0 is a duration, too. False where the
 * value is no whole number of nanoseconds or exceeds int64_t.
 */
bool number_parse_duration(const char *text, int64_t *ns);

/*
 * Seconds as number_format_seconds() writes them: digits, perhaps a point and
 * up to nine digits. `seconds` at most 2^53, so that every reader's double
 * holds it.
 */
bool number_parse_seconds(const char *text, uint64_t *seconds, uint32_t *nanos);

/*
 * The exact decimal number without superfluous zeros ("0.00025", "1", "12.5").
 * Returns its length. NUMBER_SECONDS_SIZE bytes always suffice.
 */
#define NUMBER_SECONDS_SIZE 32
size_t number_format_seconds(char out[static NUMBER_SECONDS_SIZE], uint64_t seconds,
			     uint32_t nanos);

/* The same for a count of nanoseconds, not negative. */
size_t number_format_ns(char out[static NUMBER_SECONDS_SIZE], int64_t ns);

/* Decimal digits of `value`; NUMBER_U64_SIZE bytes suffice; returns the length. */
#define NUMBER_U64_SIZE 21
size_t number_format_u64(char out[static NUMBER_U64_SIZE], uint64_t value);

/* A duration in the largest unit that divides it: "200ms", "1500ms", "2m". */
#define NUMBER_DURATION_SIZE 32
void number_format_duration(char out[static NUMBER_DURATION_SIZE], int64_t ns);

#endif
