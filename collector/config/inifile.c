#include "config/inifile.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"

#define READ_SIZE 4096

/* A byte order mark and a carriage return come off before a line is measured. */
#define BOM "\xef\xbb\xbf"
#define LINE_SIZE (INIFILE_LINE_MAX + sizeof(BOM) + 1)

struct reader {
	struct inifile *file;
	const struct inifile_handler *handler;
	int fd;
	int error; /* errno of reading */
	char buffer[READ_SIZE];
	size_t start, end; /* what has been read and not been taken */
	bool at_end;
	bool skipping; /* behind a refused section header */
	bool in_section;
};

void inifile_complain(struct inifile *file, const char *fmt, ...)
{
	char message[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	file->errors++;
	if (file->line)
		log_errx("%s:%u: %s", file->path, file->line, message);
	else
		log_errx("%s: %s", file->path, message);
}

/* The next byte of the file, or EOF. */
static int next_byte(struct reader *r)
{
	ssize_t n = 0;

	if (r->start == r->end && !r->at_end) {
		do
			n = read(r->fd, r->buffer, sizeof(r->buffer));
		while (n < 0 && errno == EINTR);
		r->error = n < 0 ? errno : 0;
		r->at_end = n <= 0;
		r->start = 0;
		r->end = n > 0 ? (size_t)n : 0;
	}
	return r->at_end ? EOF : (unsigned char)r->buffer[r->start++];
}

/*
 * Reads a line without its newline, as much of it as there is room for, and how
 * long it is in truth. False at the end of the file.
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

/* Whether a comment begins at p, as inih sees it: ';' behind a blank. */
static bool begins_comment(const char *line, const char *p)
{
	return *p == ';' && p > line && text_is_blank(p[-1]);
}

/* The bytes of a line: what no INI file of ours holds. */
static bool check_bytes(struct inifile *file, const char *line, size_t len)
{
	if (len > INIFILE_LINE_MAX) {
		inifile_complain(file, "a line of %zu bytes, expected at most %d", len,
				 INIFILE_LINE_MAX);
		return false;
	}
	if (memchr(line, '\0', len)) {
		inifile_complain(file, "a NUL byte, expected text in UTF-8");
		return false;
	}
	if (!text_is_utf8(line, len)) {
		inifile_complain(file, "invalid UTF-8, expected text in UTF-8");
		return false;
	}
	for (const char *p = line; *p; p++) {
		if (((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7f) {
			inifile_complain(file,
					 "a control character (0x%02x), expected text",
					 (unsigned)(unsigned char)*p);
			return false;
		}
	}
	return true;
}

/* `[name]`, and a comment at most behind it. */
static bool check_section(struct reader *r, const char *line)
{
	char name[INIFILE_SECTION_MAX + 1];
	const char *end = line + 1;
	size_t len;

	while (*end && *end != ']' && !begins_comment(line, end))
		end++;
	if (*end != ']') {
		inifile_complain(r->file,
				 "a section header without `]`, expected [name]");
		return false;
	}
	len = (size_t)(end - line - 1);
	if (len > INIFILE_SECTION_MAX) {
		inifile_complain(r->file,
				 "a section name of %zu bytes, expected at most %d", len,
				 INIFILE_SECTION_MAX);
		return false;
	}
	for (end++; *end && !begins_comment(line, end); end++) {
		if (!text_is_blank(*end)) {
			inifile_complain(
				r->file,
				"`%s` behind a section header, expected nothing or a comment",
				end);
			return false;
		}
	}
	memcpy(name, line + 1, len);
	name[len] = '\0';
	r->handler->section(r->file, name, r->handler->arg);
	return true;
}

/* `key = value`. */
static bool check_entry(struct reader *r, const char *line)
{
	const char *p = line;

	while (*p && *p != '=' && *p != ':' && !begins_comment(line, p))
		p++;
	if (*p == ':') {
		inifile_complain(
			r->file,
			"`:` in or behind a key, expected `key = value` (a peer is named by its name, not by an IPv6 address)");
		return false;
	}
	if (*p != '=') {
		inifile_complain(r->file, "a line without `=`, expected `key = value`");
		return false;
	}
	if (p == line) {
		inifile_complain(r->file, "no key before `=`, expected `key = value`");
		return false;
	}
	if (!r->in_section) {
		inifile_complain(
			r->file,
			"an entry before the first section, expected [collector], [probe], [peers] or [labels GROUP] above it");
		return false;
	}
	return true;
}

/* Whether inih may see this line as it stands. */
static bool check_line(struct reader *r, const char *line)
{
	const char *start = line;

	while (text_is_blank(*start))
		start++;
	if (*start == '\0' || *start == ';' || *start == '#')
		return true;
	if (start > line) {
		inifile_complain(
			r->file,
			"an indented line, expected it to begin in the first column");
		return false;
	}
	if (*start == '[') {
		size_t before = r->file->errors;

		r->in_section = true;
		r->skipping = !check_section(r, line) || r->file->errors > before;
		return !r->skipping;
	}
	return !r->skipping && check_entry(r, line);
}

/* The reader that inih calls for each line, as it would fgets. */
static char *next_line(char *out, int size, void *stream)
{
	struct reader *r = stream;
	char line[LINE_SIZE] = "";
	const char *text = line;
	size_t len;

	if (size < INIFILE_LINE_MAX + 2 || !read_line(r, line, &len))
		return NULL;
	r->file->line++;
	if (len > 0 && len < sizeof(line) && line[len - 1] == '\r')
		line[--len] = '\0';
	if (r->file->line == 1 && strncmp(line, BOM, 3) == 0) {
		text += 3;
		len -= 3;
	}
	/* inih goes over an empty line without a word. */
	if (!check_bytes(r->file, text, len)) {
		r->skipping = r->skipping || *text == '[';
		text = "";
	} else if (!check_line(r, text)) {
		text = "";
	}
	text_join(out, (size_t)size, text, "\n");
	return out;
}

static int take_entry(void *arg, const char *section, const char *key, const char *value)
{
	struct reader *r = arg;

	(void)section; /* the reader has seen it, and whole */
	r->handler->entry(r->file, key, value, r->handler->arg);
	return 1;
}

static int open_file(struct inifile *file)
{
	int fd = open(file->path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0) {
		inifile_complain(file, "cannot open: %s", strerror(errno));
		return -1;
	}
	if (fstat(fd, &st) < 0 || S_ISDIR(st.st_mode)) {
		inifile_complain(file, "is a directory, expected a file");
		close(fd);
		return -1;
	}
	return fd;
}

unsigned inifile_read(const char *path, const struct inifile_handler *handler)
{
	struct inifile file = {.path = path};
	struct reader r = {.file = &file, .handler = handler};
	int result;

	r.fd = open_file(&file);
	if (r.fd < 0)
		return file.errors;
	result = ini_parse_stream(next_line, &r, take_entry, &r);
	close(r.fd);
	if (r.error) {
		file.line = 0;
		inifile_complain(&file, "cannot read: %s", strerror(r.error));
	} else if (file.errors == 0 && result != 0) {
		file.line = result > 0 ? (unsigned)result : 0;
		inifile_complain(&file, "inih refused the file");
	} else if (file.errors == 0 && !r.at_end) {
		file.line = 0;
		inifile_complain(&file, "inih stopped before the end of the file");
	}
	return file.errors;
}
