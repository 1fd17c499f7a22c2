#include "config/inifile.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

#define READ_SIZE 4096

/* A byte order mark and a carriage return are removed before a line is measured. */
#define BOM "\xef\xbb\xbf"
#define LINE_SIZE (INIFILE_LINE_MAX + sizeof(BOM) + 1)

/*
 * Entries below a refused header are skipped: handed over, they would end up in the
 * section above it; checked, they would cause errors that go away with the header's.
 */
enum state { BEFORE_SECTIONS, IN_SECTION, SKIPPING };

struct reader {
	struct place place; /* of the line that inih is given */
	const struct inifile_handler *handler;
	enum config_result result;
	enum state state;
	int fd;
	int read_errno;
	char buffer[READ_SIZE];
	size_t start, end; /* the part of the buffer that is still to be read */
	bool at_end;
};

/* The next byte of the file, or EOF. Not by stdio, which would allocate another buffer. */
static int next_byte(struct reader *r)
{
	ssize_t n = 0;

	if (r->start == r->end && !r->at_end) {
		do
			n = read(r->fd, r->buffer, sizeof(r->buffer));
		while (n < 0 && errno == EINTR);
		r->read_errno = n < 0 ? errno : 0;
		r->at_end = n <= 0;
		r->start = 0;
		r->end = n > 0 ? (size_t)n : 0;
	}
	return r->at_end ? EOF : (unsigned char)r->buffer[r->start++];
}

/*
 * Reads a line without its newline, as much of it as there is room for. `len` is its
 * length in the file, so that a line that is too long can be refused: inih would cut it,
 * or, in some versions, take the rest for another key. False at the end of the file.
 */
static bool read_line(struct reader *r, char line[static LINE_SIZE], size_t *len)
{
	size_t n = 0;
	int c;

	while ((c = next_byte(r)) != EOF && c != '\n') {
		if (n < LINE_SIZE - 1)
			line[n] = (char)c;
		n++;
	}
	*len = n;
	line[n < LINE_SIZE - 1 ? n : LINE_SIZE - 1] = '\0';
	return n > 0 || c == '\n';
}

/* Whether a comment begins at p, as inih sees it: ';' after a blank. */
static bool begins_comment(const char *line, const char *p)
{
	return *p == ';' && p > line && text_is_blank(p[-1]);
}

/* Bytes that no configuration contains. inih would end a line at a NUL byte. */
static enum config_result check_bytes(struct place place, const char *line, size_t len)
{
	if (len > INIFILE_LINE_MAX)
		return config_error(place, "line too long: %zu bytes (at most %d)", len,
				    INIFILE_LINE_MAX);
	if (memchr(line, '\0', len))
		return config_error(place, "NUL byte, expected text in UTF-8");
	if (!text_is_utf8(line, len))
		return config_error(place, "invalid UTF-8");
	for (const char *p = line; *p; p++)
		if (((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7f)
			return config_error(place, "control character 0x%02x",
					    (unsigned)(unsigned char)*p);
	return CONFIG_VALID;
}

/* `[name]`, perhaps with a comment after it. inih would cut a longer name. */
static enum config_result check_section(struct reader *r, const char *line)
{
	char name[INIFILE_SECTION_MAX + 1];
	const char *end = line + 1, *rest;
	size_t len;

	while (*end && *end != ']' && !begins_comment(line, end))
		end++;
	if (*end != ']')
		return config_error(r->place,
				    "section header without `]`, expected [name]");
	len = (size_t)(end - line - 1);
	if (len > INIFILE_SECTION_MAX)
		return config_error(r->place,
				    "section name too long: %zu bytes (at most %d)", len,
				    INIFILE_SECTION_MAX);
	rest = text_skip_blanks(end + 1);
	if (*rest && !begins_comment(line, rest))
		return config_error(r->place, "unexpected `%s` after a section header",
				    rest);
	memcpy(name, line + 1, len);
	name[len] = '\0';
	if (r->handler->section(r->place, name, r->handler->arg))
		r->state = IN_SECTION;
	return CONFIG_VALID;
}

/* `key = value`. inih would take a ':' for '=', and so cut an IPv6 address. */
static enum config_result check_entry(struct reader *r, const char *line)
{
	const char *p = line;

	while (*p && *p != '=' && *p != ':' && !begins_comment(line, p))
		p++;
	if (*p == ':')
		return config_error(
			r->place,
			"`:` in a key or after it, expected `key = value` (a peer's name cannot be an IPv6 address)");
	if (*p != '=')
		return config_error(r->place, "line without `=`, expected `key = value`");
	if (p == line)
		return config_error(r->place,
				    "no key before `=`, expected `key = value`");
	if (r->state == BEFORE_SECTIONS)
		return config_error(
			r->place,
			"no section above this line, expected [collector], [probe], [peers] or [labels GROUP]");
	return CONFIG_VALID;
}

/* Whether inih may see this line. It would append an indented one to the value above. */
static enum config_result check_line(struct reader *r, const char *line, size_t len)
{
	const char *start;

	if (*line == '[')
		r->state = SKIPPING; /* unless the header turns out to be good */
	if (check_bytes(r->place, line, len) != CONFIG_VALID)
		return CONFIG_INVALID;
	start = text_skip_blanks(line);
	if (*start == '\0' || *start == ';' || *start == '#')
		return CONFIG_VALID;
	if (start > line)
		return config_error(
			r->place,
			"indented line, expected it to begin in the first column");
	if (*line == '[')
		return check_section(r, line);
	return r->state == SKIPPING ? CONFIG_VALID : check_entry(r, line);
}

/*
 * The reader that inih calls for each line, in place of fgets(). inih gives its handler
 * no line number, so lines are counted here. A line that inih must not see reaches it as
 * an empty one.
 */
static char *next_line(char *out, int size, void *stream)
{
	struct reader *r = stream;
	char line[LINE_SIZE] = "";
	const char *text = line;
	enum config_result result;
	size_t len;

	if (size < INIFILE_LINE_MAX + 2 || !read_line(r, line, &len))
		return NULL;
	r->place.line++;
	if (len > 0 && len < sizeof(line) && line[len - 1] == '\r')
		line[--len] = '\0';
	if (r->place.line == 1 && strncmp(line, BOM, 3) == 0) {
		text += 3;
		len -= 3;
	}
	result = check_line(r, text, len);
	r->result = config_worse(r->result, result);
	if (result != CONFIG_VALID || r->state == SKIPPING)
		text = "";
	text_join(out, (size_t)size, text, "\n");
	return out;
}

/* inih has perhaps cut the name of the section; check_section() saw it whole. */
static int on_entry(void *arg, const char *section, const char *key, const char *value)
{
	struct reader *r = arg;

	(void)section;
	r->handler->entry(r->place, key, value, r->handler->arg);
	return 1;
}

enum config_result inifile_read(struct place file, const struct inifile_handler *handler)
{
	struct reader r = {.place = file, .handler = handler};
	int wrong_line;

	r.fd = open(file.path, O_RDONLY | O_CLOEXEC);
	if (r.fd < 0)
		return config_error(file, "cannot open: %s", strerror(errno));
	wrong_line = ini_parse_stream(next_line, &r, on_entry, &r);
	close(r.fd);
	/* inih takes a directory and a read error for the end of the file. */
	if (r.read_errno)
		return config_error(file, "cannot read: %s", strerror(r.read_errno));
	/* Cannot happen as long as this reader and inih agree on what a line is. */
	if (r.result == CONFIG_VALID && (wrong_line != 0 || !r.at_end)) {
		file.line = wrong_line > 0 ? (uint32_t)wrong_line : 0;
		return config_error(file, "inih cannot read the file");
	}
	return r.result;
}
