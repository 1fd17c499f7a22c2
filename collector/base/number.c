#include "base/number.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* The value of a decimal or hexadecimal digit; 16 for anything else. */
static unsigned digit_value(char c)
{
	if (text_is_digit(c))
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a' + 10);
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A' + 10);
	return 16;
}

/*
 * Reads digits into `value`; returns where they end, NULL without a digit or above `max`.
 * Not strtoull(), which takes blanks and signs, and turns -1 into the largest number.
 */
static const char *read_digits(const char *text, unsigned base, uint64_t max,
			       uint64_t *value)
{
	const char *p = text;
	uint64_t v = 0;

	for (unsigned digit; (digit = digit_value(*p)) < base; p++)
		if (__builtin_mul_overflow(v, base, &v) ||
		    __builtin_add_overflow(v, digit, &v) || v > max)
			return NULL;
	if (p == text)
		return NULL;
	*value = v;
	return p;
}

bool number_parse_u64(const char *text, uint64_t max, uint64_t *value)
{
	const char *end = read_digits(text, 10, max, value);

	return end && *end == '\0';
}

bool number_parse_u64_any(const char *text, uint64_t max, uint64_t *value)
{
	bool is_hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *end =
		read_digits(is_hex ? text + 2 : text, is_hex ? 16 : 10, max, value);

	return end && *end == '\0';
}

/* In ascending order, which number_format_duration() needs. No months: m is a minute. */
static const struct unit {
	const char *name;
	int64_t ns;
} units[] = {
	{"ns", 1},
	{"us", 1000},
	{"ms", 1000000},
	{"s", 1000000000},
	{"m", INT64_C(60000000000)},
	{"h", INT64_C(3600000000000)},
	{"d", INT64_C(86400000000000)},
};

static int64_t unit_ns(const char *name)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(name, units[i].name) == 0)
			return units[i].ns;
	return 0;
}

/*
 * Turns a fraction of `scale` parts of a unit into nanoseconds; false where they are not
 * whole: what was written is measured, never something near it. One of scale (a power of
 * ten up to 10^9) and unit divides the other.
 */
static bool fraction_ns(uint64_t *fraction, uint64_t scale, uint64_t unit)
{
	if (unit >= scale) {
		*fraction *= unit / scale;
		return true;
	}
	if (*fraction % (scale / unit) != 0)
		return false;
	*fraction /= scale / unit;
	return true;
}

/* The whole and the fraction apart, as 0.1 has no exact floating-point form. */
bool number_parse_duration(const char *text, int64_t *ns)
{
	uint64_t whole, fraction = 0, scale = 1;
	const char *p = read_digits(text, 10, INT64_MAX, &whole);
	int64_t unit, total;

	if (!p)
		return false;
	if (*p == '\0' && whole == 0) {
		*ns = 0;
		return true;
	}
	if (*p == '.') {
		const char *digits = p + 1;

		/* Nine digits at most: `scale` must divide the unit, or the unit `scale`. */
		p = read_digits(digits, 10, UINT64_C(999999999), &fraction);
		if (!p || p - digits > 9)
			return false;
		for (; digits < p; digits++)
			scale *= 10;
	}
	unit = unit_ns(p);
	if (unit == 0 || !fraction_ns(&fraction, scale, (uint64_t)unit))
		return false;
	return !__builtin_mul_overflow((int64_t)whole, unit, &total) &&
	       !__builtin_add_overflow(total, (int64_t)fraction, ns);
}

bool number_parse_seconds(const char *text, uint64_t *seconds, uint32_t *nanos)
{
	const char *p = read_digits(text, 10, NUMBER_EXACT_MAX, seconds);
	uint32_t value = 0;
	int digits = 0;

	if (!p)
		return false;
	if (*p == '.') {
		for (p++; text_is_digit(*p) && digits < 9; p++, digits++)
			value = value * 10 + (uint32_t)(*p - '0');
		if (digits == 0)
			return false;
		/* ".5" is 500000000 nanoseconds. */
		for (; digits < 9; digits++)
			value *= 10;
	}
	*nanos = value;
	return *p == '\0';
}

/* In place of printf, which is slower and a tenth of the memory of a run. */
size_t number_format_u64(char out[static NUMBER_U64_SIZE], uint64_t value)
{
	char reversed[NUMBER_U64_SIZE];
	size_t len = 0;

	do {
		reversed[len++] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	for (size_t i = 0; i < len; i++)
		out[i] = reversed[len - 1 - i];
	out[len] = '\0';
	return len;
}

size_t number_format_seconds(char out[static NUMBER_SECONDS_SIZE], uint64_t seconds,
			     uint32_t nanos)
{
	size_t len = number_format_u64(out, seconds);

	if (nanos) {
		out[len++] = '.';
		for (uint32_t digit = 100000000; nanos; digit /= 10) {
			out[len++] = (char)('0' + nanos / digit);
			nanos %= digit;
		}
		out[len] = '\0';
	}
	return len;
}

size_t number_format_ns(char out[static NUMBER_SECONDS_SIZE], int64_t ns)
{
	return number_format_seconds(out, (uint64_t)ns / 1000000000,
				     (uint32_t)((uint64_t)ns % 1000000000));
}

void number_format_duration(char out[static NUMBER_DURATION_SIZE], int64_t ns)
{
	/* Only messages and --check print durations, so printf is no cost of a run. */
	size_t i = sizeof(units) / sizeof(units[0]) - 1;

	while (i > 0 && (ns == 0 || ns % units[i].ns != 0))
		i--;
	if (ns == 0)
		snprintf(out, NUMBER_DURATION_SIZE, "0s");
	else
		snprintf(out, NUMBER_DURATION_SIZE, "%lld%s",
			 (long long)(ns / units[i].ns), units[i].name);
}
