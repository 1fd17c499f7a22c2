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
	char line[LINE_SIZE]; /* the line of `place` */
	size_t shown;	      /* bytes of it that inih is given */
	const char *value;
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

/* What is no text. inih would end a line at a NUL byte. */
static enum config_result check_bytes(struct place place, const char *line, size_t len)
{
	if (len > INIFILE_LINE_MAX)
		return config_error(place, "line too long: %zu bytes (at most %d)", len,
				    INIFILE_LINE_MAX);
	if (memchr(line, '\0', len))
		return config_error(place, "NUL byte, expected text in UTF-8");
	if (!text_is_utf8(line, len))
		return config_error(place, "invalid UTF-8");
	return CONFIG_VALID;
}

/*
 * Cuts off a comment as inih would see it, a ';' after a blank, and the blanks before it.
 * What is left is what the line says, so there every character has to be seen. inih knows
 * no quotes: in quotes, too, a ';' after a blank is the end.
 */
static enum config_result cut_comment(struct place place, char *line)
{
	bool is_quoted = false;
	char *p = line;

	for (; *p; p++) {
		bool after_blank = p > line && text_is_blank(p[-1]);
		uint32_t code = text_invisible(p);

		if (code)
			return config_error(place,
					    "invisible character U+%04X after `%.*s`",
					    code, (int)(p - line), line);
		if (*p == ';' && after_blank)
			break;
		if (*p == '#' && after_blank && !is_quoted)
			return config_error(
				place,
				"`#` after a blank, expected `;` for a comment (or quotes around the value of a label)");
		is_quoted ^= *p == '"';
	}
	while (p > line && text_is_blank(p[-1]))
		p--;
	*p = '\0';
	return CONFIG_VALID;
}

/* `[name]`. inih would cut a longer name. */
static enum config_result check_section(struct reader *r)
{
	char name[INIFILE_SECTION_MAX + 1];
	size_t len = text_until(r->line + 1, "]");
	const char *end = r->line + 1 + len;

	if (*end != ']')
		return config_error(r->place,
				    "section header without `]`, expected [name]");
	if (len > INIFILE_SECTION_MAX)
		return config_error(r->place,
				    "section name too long: %zu bytes (at most %d)", len,
				    INIFILE_SECTION_MAX);
	if (end[1])
		return config_error(r->place, "unexpected `%s` after a section header",
				    text_skip_blanks(end + 1));
	memcpy(name, r->line + 1, len);
	name[len] = '\0';
	if (!r->handler->section(r->place, name, r->handler->arg))
		return CONFIG_VALID;
	r->state = IN_SECTION;
	r->shown = len + 2;
	return CONFIG_VALID;
}

/* `key = value`. inih would take a ':' for '=', and so cut an IPv6 address. */
static enum config_result check_entry(struct reader *r)
{
	size_t len = text_until(r->line, "=:");

	if (r->line[len] == ':')
		return config_error(
			r->place,
			"`:` in a key or after it, expected `key = value` (a peer's name cannot be an IPv6 address)");
	if (r->line[len] != '=')
		return config_error(r->place, "line without `=`, expected `key = value`");
	if (len == 0)
		return config_error(r->place,
				    "no key before `=`, expected `key = value`");
	if (len > INIFILE_KEY_MAX)
		return config_error(r->place, "key too long: %zu bytes (at most %d)", len,
				    INIFILE_KEY_MAX);
	if (r->state == BEFORE_SECTIONS)
		return config_error(
			r->place,
			"no section above this line, expected [collector], [probe], [peers] or [labels]");
	r->shown = len + 1;
	r->value = text_skip_blanks(r->line + r->shown);
	return CONFIG_VALID;
}

/*
 * Whether inih may see the line that has been read. It would append an indented one to the
 * value above.
 */
static enum config_result check_line(struct reader *r, size_t len)
{
	const char *start;

	/* A byte order mark, say, is before a header where two files were joined. */
	if (*r->line == '[' || (text_invisible(r->line) && strchr(r->line, '[')))
		r->state = SKIPPING; /* unless the header turns out to be good */
	if (check_bytes(r->place, r->line, len) != CONFIG_VALID)
		return CONFIG_INVALID;
	start = text_skip_blanks(r->line);
	if (*start == '\0' || *start == ';' || *start == '#')
		return CONFIG_VALID;
	if (cut_comment(r->place, r->line) != CONFIG_VALID)
		return CONFIG_INVALID;
	if (start > r->line)
		return config_error(
			r->place,
			"indented line, expected it to begin in the first column");
	if (*r->line == '[')
		return check_section(r);
	return r->state == SKIPPING ? CONFIG_VALID : check_entry(r);
}

/* Reads the next line into r->line; false at the end of the file. */
static bool next_line(struct reader *r)
{
	size_t len;

	if (!read_line(r, r->line, &len))
		return false;
	r->place.line++;
	if (len > 0 && len < sizeof(r->line) && r->line[len - 1] == '\r')
		r->line[--len] = '\0';
	if (r->place.line == 1 && strncmp(r->line, BOM, 3) == 0) {
		len -= 3;
		memmove(r->line, r->line + 3, sizeof(r->line) - 3);
	}
	r->shown = 0;
	r->result = config_worse(r->result, check_line(r, len));
	return true;
}

/*
 * The reader that inih calls for each line, in place of fgets(). inih gives its handler
 * no line number, so lines are counted here. Of an entry it gets the key and the `=`, as
 * it takes 198 bytes and labels may need more; of a line that it must not see, nothing.
 */
static char *give_line(char *out, int size, void *stream)
{
	struct reader *r = stream;

	if (size < INIFILE_KEY_MAX + 3 || !next_line(r))
		return NULL;
	memcpy(out, r->line, r->shown);
	text_copy(out + r->shown, 2, "\n");
	return out;
}

/*
 * An inih that announces sections (INI_CALL_HANDLER_ON_NEW_SECTION) does so without a key.
 * It has perhaps cut the name of the section; check_section() saw it whole.
 */
static int on_entry(void *arg, const char *section, const char *key, const char *value)
{
	struct reader *r = arg;

	(void)section;
	(void)value;
	if (key)
		r->handler->entry(r->place, key, r->value, r->handler->arg);
	return 1;
}

enum config_result inifile_read(struct place file, const struct inifile_handler *handler)
{
	struct reader r = {.place = file, .handler = handler};
	int wrong_line;

	r.fd = open(file.path, O_RDONLY | O_CLOEXEC);
	if (r.fd < 0)
		return config_error(file, "cannot open: %s", strerror(errno));
	wrong_line = ini_parse_stream(give_line, &r, on_entry, &r);
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
