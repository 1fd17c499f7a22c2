#include "publish/promline.h"

#include <string.h>

#include "base/text.h"

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_';
}

static bool has_label(const struct promline *line, const char *name)
{
	for (size_t i = 0; i < line->label_count; i++)
		if (strcmp(line->labels[i].name, name) == 0)
			return true;
	return false;
}

/* Unescapes the value that begins at p up to its closing quote; NULL if it has none. */
static char *unescape(char *p)
{
	char *out = p;

	for (; *p != '"'; p++) {
		if (*p == '\0')
			return NULL;
		if (*p == '\\') {
			p++;
			if (*p != '\\' && *p != '"' && *p != 'n')
				return NULL;
			*out++ = *p == 'n' ? '\n' : *p;
		} else {
			*out++ = *p;
		}
	}
	*out = '\0';
	return p + 1;
}

/* The labels behind '{'; returns what follows '}'. */
static char *parse_labels(char *p, struct promline *line)
{
	for (;;) {
		char *name = p, *value;

		while (is_name_char(*p))
			p++;
		if (p == name || p[0] != '=' || p[1] != '"' ||
		    line->label_count == PROMLINE_LABELS_MAX)
			return NULL;
		*p = '\0';
		value = p + 2;
		p = unescape(value);
		if (!p || !text_is_label_name(name) || has_label(line, name) ||
		    !text_is_utf8(value, strlen(value)))
			return NULL;
		line->labels[line->label_count].name = name;
		line->labels[line->label_count++].value = value;
		if (*p == '}')
			return p + 1;
		if (*p++ != ',')
			return NULL;
	}
}

bool promline_parse(char *text, struct promline *line)
{
	char *p = text;

	line->name = text;
	line->label_count = 0;
	while (is_name_char(*p))
		p++;
	if (p == text || (*text >= '0' && *text <= '9'))
		return false;
	if (*p == '{') {
		*p = '\0';
		p = parse_labels(p + 1, line);
		if (!p)
			return false;
	}
	if (*p != ' ')
		return false;
	*p++ = '\0';
	line->value = p;
	return *p != '\0' && !strchr(p, ' ');
}

const char *promline_label(const struct promline *line, const char *name)
{
	for (size_t i = 0; i < line->label_count; i++)
		if (strcmp(line->labels[i].name, name) == 0)
			return line->labels[i].value;
	return "";
}
