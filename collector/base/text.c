#include "base/text.h"

#include <stdint.h>
#include <string.h>

#define HOST_NAME_MAX_BYTES 253
#define HOST_LABEL_MAX_BYTES 63

/* isdigit() and its like depend on the locale, and take no char that is negative. */
bool text_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * Length of the sequence that `lead` begins, 0 if it begins none. 0xc0 and 0xc1 would only
 * begin overlong forms of ASCII, 0xf5 and above only values beyond U+10FFFF.
 */
static size_t sequence_length(unsigned char lead)
{
	if (lead < 0x80)
		return 1;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 2;
	if ((lead & 0xf0) == 0xe0)
		return 3;
	if (lead >= 0xf0 && lead <= 0xf4)
		return 4;
	return 0;
}

/*
 * Reads the character at `p`, of at most `room` bytes; returns its length, 0 if it is not
 * well-formed. A NUL continues nothing, so a string needs no length.
 */
static size_t decode(const unsigned char *p, size_t room, uint32_t *code)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = room > 0 ? sequence_length(*p) : 0;

	if (n == 0 || n > room)
		return 0;
	/* The lead byte has n + 1 bits of its own before those of the value. */
	*code = n == 1 ? *p : *p & (0x7fU >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (p[i] & 0x3f);
	}
	if (*code < least[n] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff))
		return 0;
	return n;
}

/*
 * Prometheus refuses a scrape that is not UTF-8 as a whole. mbstowcs() would decide by the
 * locale.
 */
bool text_is_utf8(const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text, *end = p + len;
	uint32_t code;
	size_t n;

	for (; p < end; p += n) {
		n = decode(p, (size_t)(end - p), &code);
		if (n == 0)
			return false;
	}
	return true;
}

struct range {
	uint32_t first, last;
};

/* The character that `text` begins with if it is in one of the ranges, otherwise 0. */
static uint32_t find_in(const struct range *ranges, size_t count, const char *text)
{
	uint32_t code;

	if (decode((const unsigned char *)text, 4, &code) == 0)
		return 0;
	for (size_t i = 0; i < count; i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return code;
	return 0;
}

/*
 * Unicode's control characters except the tab, spaces other than U+0020, separators of
 * lines and paragraphs, format characters (Cf), fillers and variation selectors. iswprint()
 * would decide by the locale, and calls the no-break space printable.
 */
uint32_t text_invisible(const char *text)
{
	static const struct range ranges[] = {
		{0x01, 0x08},	    {0x0a, 0x1f},	{0x7f, 0xa0},
		{0xad, 0xad},	    {0x34f, 0x34f},	{0x61c, 0x61c},
		{0x115f, 0x1160},   {0x1680, 0x1680},	{0x17b4, 0x17b5},
		{0x180b, 0x180f},   {0x2000, 0x200f},	{0x2028, 0x202f},
		{0x205f, 0x206f},   {0x2800, 0x2800},	{0x3000, 0x3000},
		{0x3164, 0x3164},   {0xfe00, 0xfe0f},	{0xfeff, 0xfeff},
		{0xffa0, 0xffa0},   {0xfff0, 0xfffb},	{0x13430, 0x1343f},
		{0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
	};

	/* Nearly every byte of a configuration is one of these. */
	if (*text >= ' ' && *text <= '~')
		return 0;
	return find_in(ranges, sizeof(ranges) / sizeof(ranges[0]), text);
}

uint32_t text_not_of_name(const char *text)
{
	static const struct range ranges[] = {
		{'\t', '\t'}, {' ', ' '},   {'"', '"'},	  {'\'', '\''},	    {',', ','},
		{'`', '`'},   {0xab, 0xab}, {0xbb, 0xbb}, {0x2018, 0x201f},
	};
	uint32_t code = 0;

	for (; *text && !code; text++)
		code = find_in(ranges, sizeof(ranges) / sizeof(ranges[0]), text);
	return code;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool text_is_label_name(const char *text)
{
	if (strncmp(text, "__", 2) == 0 || !(is_letter(*text) || *text == '_'))
		return false;
	for (; *text; text++)
		if (!is_letter(*text) && !text_is_digit(*text) && *text != '_')
			return false;
	return true;
}

/* One label of a host name, `len` bytes. Underscores are against RFC 1123, but are used. */
static bool is_host_label(const char *label, size_t len)
{
	if (len == 0 || len > HOST_LABEL_MAX_BYTES || label[0] == '-' ||
	    label[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_letter(label[i]) && !text_is_digit(label[i]) && label[i] != '-' &&
		    label[i] != '_')
			return false;
	return true;
}

/*
 * What inet_aton() takes for a number: digits, or 0x and hexadecimal digits. The resolver
 * tries it before it looks up a name, so a name that ends in one is an address: `10.1` is
 * 10.0.0.1.
 */
static bool is_number(const char *label, size_t len)
{
	bool is_hex = len > 1 && label[0] == '0' && (label[1] | 0x20) == 'x';

	for (size_t i = is_hex ? 2 : 0; i < len; i++) {
		char lower = (char)(label[i] | 0x20);

		if (!text_is_digit(label[i]) && !(is_hex && lower >= 'a' && lower <= 'f'))
			return false;
	}
	return true;
}

bool text_is_host_name(const char *text)
{
	size_t len = strlen(text);

	if (len > HOST_NAME_MAX_BYTES)
		return false;
	/* One dot at the end makes a name absolute: the search list is not applied. */
	if (len > 0 && text[len - 1] == '.')
		len--;
	for (const char *end = text + len;;) {
		const char *dot = memchr(text, '.', (size_t)(end - text));
		size_t n = dot ? (size_t)(dot - text) : (size_t)(end - text);

		if (!is_host_label(text, n))
			return false;
		if (!dot)
			return !is_number(text, n);
		text = dot + 1;
	}
}

bool text_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool text_join(char *out, size_t size, const char *head, const char *tail)
{
	size_t head_len = strlen(head), tail_len = strlen(tail);

	/* A caller that goes on all the same must not use half a path. */
	out[0] = '\0';
	if (head_len >= size || tail_len >= size - head_len)
		return false;
	memcpy(out, head, head_len);
	memcpy(out + head_len, tail, tail_len + 1);
	return true;
}

bool text_copy(char *out, size_t size, const char *text)
{
	return text_join(out, size, text, "");
}

static bool is_in(char c, const char *set)
{
	while (*set && *set != c)
		set++;
	return *set != '\0';
}

const char *text_skip_blanks(const char *text)
{
	return text + text_span(text, " \t");
}

/* A set has two or three characters: searching it each time costs nothing. */
size_t text_until(const char *text, const char *set)
{
	size_t len = 0;

	while (text[len] && !is_in(text[len], set))
		len++;
	return len;
}

size_t text_span(const char *text, const char *set)
{
	size_t len = 0;

	while (is_in(text[len], set))
		len++;
	return len;
}
