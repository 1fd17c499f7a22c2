#include "base/procfile.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/number.h"
#include "base/text.h"

bool procfile_load(const char *path, char content[static PROCFILE_SIZE])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	ssize_t n = 1;

	if (fd < 0)
		return false;
	/* Files of /proc say that they are empty, and may return less than is asked for. */
	while (n > 0 && used < PROCFILE_SIZE - 1) {
		n = read(fd, content + used, PROCFILE_SIZE - 1 - used);
		used += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	content[used] = '\0';
	return n >= 0;
}

/* The first number after the name, if the line has that name and not one that begins so. */
static bool parse_line(const char *line, const char *name, uint64_t *value)
{
	/* Copied, as the number is followed by other text and number_parse_u64() wants all. */
	char digits[NUMBER_U64_SIZE];
	size_t len = strlen(name);

	/* strchr() finds the end of the line's text, too; then there are no digits. */
	if (strncmp(line, name, len) != 0 || !strchr(" \t", line[len]))
		return false;
	line += len + text_span(line + len, " \t");
	len = text_span(line, "0123456789");
	if (len >= sizeof(digits))
		return false;
	memcpy(digits, line, len);
	digits[len] = '\0';
	return number_parse_u64(digits, UINT64_MAX, value);
}

bool procfile_find(const char *content, const char *name, uint64_t *value)
{
	for (const char *line = content; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (parse_line(line, name, value))
			return true;
	}
	return false;
}

bool procfile_read(const char *path, const char *name, uint64_t *value)
{
	char content[PROCFILE_SIZE];

	return procfile_load(path, content) && procfile_find(content, name, value);
}
