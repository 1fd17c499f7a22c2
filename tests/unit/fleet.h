/*
 * A fleet out of a configuration's text, the file that it publishes, that file
 * damaged and sealed again, and a strict reader of text format 0.0.4 that
 * shares no code with the collector's own.
 */
#ifndef NODECANARY_TESTS_FLEET_H
#define NODECANARY_TESTS_FLEET_H

#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "publish/republish.h"
#include "config/configload.h"
#include "base/digest.h"
#include "publish/exposition.h"
#include "publish/restore.h"
#include "publish/promfile.h"
#include "peers/targets.h"
#include "base/text.h"

#define FLEET_NOW_NS INT64_C(1700000000123456789)
#define FLEET_NEXT_NS INT64_C(1700000015123456789)

struct fleet {
	struct config config;
	struct targets targets;
	struct stats_node node;
};

/* NODECANARY_SEED repeats a run that failed. */
static inline uint64_t fleet_seed(void)
{
	const char *given = getenv("NODECANARY_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0)
			      : (uint64_t)time(NULL) * 1000003 + (uint64_t)getpid();

	print_message("# NODECANARY_SEED=%llu\n", (unsigned long long)seed);
	return seed | 1;
}

/* xorshift64*: the same on every machine. Below `limit`. */
static inline uint64_t fleet_random(uint64_t *seed, uint64_t limit)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return (*seed * UINT64_C(2685821657736338717) >> 11) % limit;
}

static inline void fleet_load(struct fleet *fleet, const char *ini)
{
	char dir[SUPPORT_PATH_SIZE], path[SUPPORT_PATH_SIZE + 16];

	*fleet = (struct fleet){.node = {.runs = 0}};
	support_make_dir(dir);
	snprintf(path, sizeof(path), "%s/fleet.ini", dir);
	support_write_file(path, ini, strlen(ini));
	assert_int_equal(configload_read(&fleet->config, path, NULL), CONFIG_VALID);
	assert_int_equal(targets_build(&fleet->targets, &fleet->config), 0);
	support_remove_dir(dir);
}

static inline void fleet_free(struct fleet *fleet)
{
	targets_free(&fleet->targets);
	config_free(&fleet->config);
}

static inline struct target *fleet_target(struct fleet *fleet, const char *group,
					  const char *peer, const char *family)
{
	size_t hint = 0;
	struct target *target = targets_find(&fleet->targets, group, peer, family, &hint);

	assert_non_null(target);
	return target;
}

/* A descriptor that reads `len` bytes from their beginning. */
static inline int fleet_fd(const char *bytes, size_t len)
{
	int fd = memfd_create("fleet", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* What has been written to a descriptor, to be freed; closes it. */
static inline char *fleet_take(int fd, size_t *len)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char *text = calloc((size_t)size + 1, 1);

	assert_non_null(text);
	assert_int_equal(pread(fd, text, (size_t)size, 0), (ssize_t)size);
	close(fd);
	if (len)
		*len = (size_t)size;
	return text;
}

/* The published file, to be freed; `run` is NULL where there was none. */
static inline char *fleet_write(const struct fleet *fleet, const struct run_info *run)
{
	static struct writer writer;
	struct run_info info = run ? *run : (struct run_info){.took_place = false};
	const struct exposition exposition = {
		.targets = &fleet->targets, .node = &fleet->node, .run = &info};
	int fd = fleet_fd("", 0);

	info.end_ns = FLEET_NOW_NS;
	writer_init(&writer, fd);
	exposition_write(&writer, &exposition);
	assert_int_equal(writer_flush(&writer), 0);
	return fleet_take(fd, NULL);
}

static inline enum restore_result fleet_restore_bytes(struct fleet *fleet,
						      const char *bytes, size_t len)
{
	int fd = fleet_fd(bytes, len);
	enum restore_result result =
		restore_read(fd, "last.prom", &fleet->targets, &fleet->node);

	close(fd);
	return result;
}

static inline enum restore_result fleet_restore(struct fleet *fleet, const char *text)
{
	return fleet_restore_bytes(fleet, text, strlen(text));
}

/* The file without its last line. */
static inline char *fleet_unseal(const char *text)
{
	const char *seal = strstr(text, PROMFILE_STATE "end ");

	assert_non_null(seal);
	return strndup(text, (size_t)(seal - text));
}

static inline char *fleet_concat(const char *head, const char *middle, const char *tail)
{
	char *text = malloc(strlen(head) + strlen(middle) + strlen(tail) + 1);

	assert_non_null(text);
	stpcpy(stpcpy(stpcpy(text, head), middle), tail);
	return text;
}

/* The text with its first `old` replaced; there must be one. */
static inline char *fleet_replace(const char *text, const char *old, const char *new)
{
	const char *at = strstr(text, old);
	char *head, *replaced;

	if (!at)
		fail_msg("nothing to replace: %s", old);
	head = strndup(text, (size_t)(at - text));
	assert_non_null(head);
	replaced = fleet_concat(head, new, at + strlen(old));
	free(head);
	return replaced;
}

/* `body` with a last line that is right. */
static inline char *fleet_seal(const char *body)
{
	char line[PROMFILE_SEAL_SIZE];
	struct digest digest;

	digest_init(&digest);
	digest_add(&digest, body, strlen(body));
	promfile_seal(line, digest.length, digest_value(&digest));
	return fleet_concat(body, line, "\n");
}

/* The sealed file with its first `old` replaced, sealed again. */
static inline char *fleet_edit(const char *text, const char *old, const char *new)
{
	char *body = fleet_unseal(text), *edited = fleet_replace(body, old, new);
	char *sealed = fleet_seal(edited);

	free(edited);
	free(body);
	return sealed;
}

/* What a run without a configuration makes of a published file, to be freed; NULL where it
 * refuses it. */
static inline char *fleet_republish(const char *text)
{
	static struct writer writer;
	int previous = fleet_fd(text, strlen(text)), fd = fleet_fd("", 0);
	enum promfile_result result;

	writer_init(&writer, fd);
	result = republish_previous(&writer, previous, "x.prom", FLEET_NEXT_NS);
	assert_int_equal(writer_flush(&writer), 0);
	close(previous);
	if (result == PROMFILE_VALID)
		return fleet_take(fd, NULL);
	close(fd);
	return NULL;
}

/* Whether the line is, as a whole, in the text. */
static inline bool fleet_has_line(const char *text, const char *line)
{
	char *wanted = fleet_concat("\n", line, "\n");
	bool found = strstr(text, wanted) != NULL;

	free(wanted);
	return found;
}

/* Equal, or the first line that differs is shown. */
static inline void assert_same_text(const char *text, const char *expected)
{
	while (*text && *expected) {
		size_t len = strcspn(text, "\n"), wanted = strcspn(expected, "\n");

		if (len != wanted || memcmp(text, expected, len) != 0)
			fail_msg("`%.*s`, expected `%.*s`", (int)len, text, (int)wanted,
				 expected);
		text += len + (text[len] != '\0');
		expected += wanted + (expected[wanted] != '\0');
	}
	assert_string_equal(text, expected);
}

/* A file in lines, each with its newline. */
struct fleet_lines {
	char *items[512];
	size_t count;
};

static inline struct fleet_lines fleet_split(const char *text)
{
	struct fleet_lines lines = {.count = 0};

	while (*text) {
		size_t n = strcspn(text, "\n") + 1;

		assert_true(lines.count < 500);
		lines.items[lines.count++] = strndup(text, n);
		text += n;
	}
	return lines;
}

static inline char *fleet_join(const struct fleet_lines *lines)
{
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < lines->count; i++)
		fputs(lines->items[i], out);
	assert_int_equal(fclose(out), 0);
	return text;
}

static inline void fleet_free_lines(struct fleet_lines *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		free(lines->items[i]);
}

static inline void fleet_remove_line(struct fleet_lines *lines, size_t i)
{
	memmove(&lines->items[i], &lines->items[i + 1],
		(lines->count - i - 1) * sizeof(lines->items[0]));
	lines->count--;
}

static inline void fleet_insert_line(struct fleet_lines *lines, size_t i, char *line)
{
	memmove(&lines->items[i + 1], &lines->items[i],
		(lines->count - i) * sizeof(lines->items[0]));
	lines->items[i] = line;
	lines->count++;
}

static inline void fleet_swap_lines(struct fleet_lines *lines, size_t i, size_t j)
{
	char *line = lines->items[i];

	lines->items[i] = lines->items[j];
	lines->items[j] = line;
}

/* A random change to the lines between the comments. */
static inline void fleet_mutate(struct fleet_lines *lines, uint64_t *seed)
{
	size_t i = fleet_random(seed, lines->count);
	size_t j = fleet_random(seed, lines->count);
	char *line = lines->items[i], *value = strrchr(line, ' ');

	switch (fleet_random(seed, 5)) {
	case 0: fleet_swap_lines(lines, i, j); break;
	case 1:
		free(line);
		fleet_remove_line(lines, i);
		break;
	case 2: fleet_insert_line(lines, j, strdup(line)); break;
	case 3:
		if (value && value[1] >= '0' && value[1] <= '9')
			value[1] = (char)('0' + fleet_random(seed, 10));
		break;
	default:
		line[fleet_random(seed, strlen(line))] = (char)fleet_random(seed, 256);
		break;
	}
}

/* The strict reader. */

#define STRICT_LABELS_MAX 200

struct strict {
	char family[128], type[16]; /* the one whose series are being read */
	bool wants_type, wants_series;
	char **keys; /* of all series so far */
	size_t key_count;
	/* The histogram being read: after +Inf comes _sum, then _count. */
	char *histogram;
	double last_bound;
	uint64_t last_count;
	enum { STRICT_NONE, STRICT_BUCKETS, STRICT_SUM, STRICT_COUNT } next;
};

struct strict_series {
	char *name, *value, *le;
	char *labels[STRICT_LABELS_MAX]; /* name="value" */
	size_t label_count;
};

static inline bool strict_is_name(const char *name, size_t len)
{
	if (len == 0 || (name[0] >= '0' && name[0] <= '9'))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_",
			    name[i]))
			return false;
	return true;
}

/* Digits, perhaps a point and digits. */
static inline bool strict_is_number(const char *text)
{
	size_t whole = strspn(text, "0123456789"), part;

	if (whole == 0 || text[whole] == '\0')
		return whole > 0;
	part = strspn(text + whole + 1, "0123456789");
	return text[whole] == '.' && part > 0 && text[whole + 1 + part] == '\0';
}

/* The end of a label's value behind its opening quote; NULL if it is wrong. */
static inline char *strict_value_end(char *p)
{
	for (; *p != '"'; p++) {
		if (*p == '\0')
			return NULL;
		if (*p == '\\' && !strchr("\\\"n", *++p))
			return NULL;
		if (*p == '\0')
			return NULL;
	}
	return p;
}

static inline int strict_by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static inline const char *strict_labels(char **p, struct strict_series *s)
{
	do {
		char *label = ++*p, *end = label + strcspn(label, "=");

		if (!strict_is_name(label, (size_t)(end - label)) ||
		    strncmp(label, "__", 2) == 0 || strncmp(end, "=\"", 2) != 0)
			return "a bad label name";
		end = strict_value_end(end + 2);
		if (!end || s->label_count == STRICT_LABELS_MAX)
			return "a bad label value";
		*p = end + 1;
		if (**p != ',' && **p != '}')
			return "something behind a label";
		s->labels[s->label_count++] = strndup(label, (size_t)(*p - label));
	} while (**p == ',');
	++*p;
	return NULL;
}

static inline const char *strict_duplicates(struct strict_series *s)
{
	qsort(s->labels, s->label_count, sizeof(*s->labels), strict_by_text);
	for (size_t i = 1; i < s->label_count; i++) {
		size_t len = strcspn(s->labels[i], "=") + 1;

		if (strncmp(s->labels[i - 1], s->labels[i], len) == 0)
			return "a label twice";
	}
	return NULL;
}

static inline const char *strict_split(char *line, struct strict_series *s)
{
	size_t len = strcspn(line, "{ ");
	char *p = line + len;
	const char *wrong;

	if (!strict_is_name(line, len))
		return "a bad name";
	s->name = strndup(line, len);
	if (*p == '{') {
		wrong = strict_labels(&p, s);
		if (!wrong)
			wrong = strict_duplicates(s);
		if (wrong)
			return wrong;
	}
	if (*p != ' ' || !strict_is_number(p + 1))
		return "a bad value";
	s->value = p + 1;
	return NULL;
}

/* Name and sorted labels; without `le` if `bare`. */
static inline char *strict_key(const struct strict_series *s, const char *name, bool bare)
{
	size_t len = strlen(name) + 1;
	char *key, *end;

	for (size_t i = 0; i < s->label_count; i++)
		len += strlen(s->labels[i]) + 1;
	key = malloc(len);
	assert_non_null(key);
	end = stpcpy(key, name);
	for (size_t i = 0; i < s->label_count; i++)
		if (!bare || strncmp(s->labels[i], "le=", 3) != 0)
			end = stpcpy(stpcpy(end, ","), s->labels[i]);
	return key;
}

static inline const char *strict_bucket(struct strict *c, const struct strict_series *s,
					const char *key)
{
	const char *le = NULL;
	double bound;
	char *end;

	for (size_t i = 0; i < s->label_count; i++)
		if (strncmp(s->labels[i], "le=\"", 4) == 0)
			le = s->labels[i] + 4;
	if (!le || !strict_is_number(s->value) || strchr(s->value, '.'))
		return "a bucket without a bound or with a fraction";
	bound = strtod(le, &end);
	if (strcmp(end, "\"") != 0)
		return "a bound that is no number";
	if (c->next == STRICT_NONE) {
		free(c->histogram);
		c->histogram = strdup(key);
		c->last_bound = -1;
		c->last_count = 0;
		c->next = STRICT_BUCKETS;
	}
	if (c->next != STRICT_BUCKETS || strcmp(c->histogram, key) != 0 ||
	    !(bound > c->last_bound) || strtoull(s->value, NULL, 10) < c->last_count)
		return "a bucket out of order";
	c->last_bound = bound;
	c->last_count = strtoull(s->value, NULL, 10);
	if (strcmp(le, "+Inf\"") == 0)
		c->next = STRICT_SUM;
	return NULL;
}

static inline const char *strict_histogram(struct strict *c,
					   const struct strict_series *s)
{
	const char *suffix = s->name + strlen(c->family), *wrong = NULL;
	char *key = strict_key(s, c->family, true);

	if (strcmp(suffix, "_bucket") == 0) {
		wrong = strict_bucket(c, s, key);
	} else if (!c->histogram || strcmp(c->histogram, key) != 0) {
		wrong = "a sum or count of another histogram";
	} else if (strcmp(suffix, "_sum") == 0) {
		wrong = c->next == STRICT_SUM ? NULL : "a sum out of order";
		c->next = STRICT_COUNT;
	} else {
		wrong = c->next == STRICT_COUNT &&
					strtoull(s->value, NULL, 10) == c->last_count
				? NULL
				: "a count that is wrong or out of order";
		c->next = STRICT_NONE;
	}
	free(key);
	return wrong;
}

static inline bool strict_is_of_family(const struct strict *c, const char *name)
{
	size_t len = strlen(c->family);

	if (!*c->family || strncmp(name, c->family, len) != 0)
		return false;
	if (strcmp(c->type, "histogram") != 0)
		return name[len] == '\0';
	return strcmp(name + len, "_bucket") == 0 || strcmp(name + len, "_sum") == 0 ||
	       strcmp(name + len, "_count") == 0;
}

static inline const char *strict_line(struct strict *c, char *line)
{
	struct strict_series s = {.name = NULL};
	const char *wrong = strict_split(line, &s);

	if (!wrong && (c->wants_type || !strict_is_of_family(c, s.name)))
		wrong = "a series outside its family";
	if (!wrong && strcmp(c->type, "counter") == 0 && strchr(s.value, '.'))
		wrong = "a counter with a fraction";
	if (!wrong && strcmp(c->type, "histogram") == 0)
		wrong = strict_histogram(c, &s);
	if (!wrong) {
		c->wants_series = false;
		c->keys = reallocarray(c->keys, c->key_count + 1, sizeof(*c->keys));
		assert_non_null(c->keys);
		c->keys[c->key_count++] = strict_key(&s, s.name, false);
	}
	free(s.name);
	for (size_t i = 0; i < s.label_count; i++)
		free(s.labels[i]);
	return wrong;
}

static inline const char *strict_comment(struct strict *c, const char *line)
{
	char family[128], type[16], junk;

	if (strncmp(line, "# HELP ", 7) == 0) {
		if (c->wants_type || c->wants_series || c->next != STRICT_NONE)
			return "a family without its end";
		if (sscanf(line, "# HELP %127s %c", family, &junk) != 2 ||
		    strpbrk(line, "\\\""))
			return "a bad HELP";
		if (strcmp(family, c->family) <= 0)
			return "families out of order";
		strcpy(c->family, family);
		c->wants_type = c->wants_series = true;
	} else if (strncmp(line, "# TYPE ", 7) == 0) {
		if (sscanf(line, "# TYPE %127s %15s %c", family, type, &junk) != 2 ||
		    !c->wants_type || strcmp(family, c->family) != 0)
			return "a TYPE out of place";
		strcpy(c->type, type);
		c->wants_type = false;
	} else if (strncmp(line, "# nodecanary", 12) != 0 || c->wants_series ||
		   c->next != STRICT_NONE) {
		return "a comment out of place";
	}
	return NULL;
}

static inline const char *strict_unique(struct strict *c)
{
	qsort(c->keys, c->key_count, sizeof(*c->keys), strict_by_text);
	for (size_t i = 1; i < c->key_count; i++)
		if (strcmp(c->keys[i - 1], c->keys[i]) == 0)
			return "a series twice";
	return NULL;
}

/* NULL if every reader takes the file, else what is wrong. */
static inline const char *strict_check(const char *text)
{
	struct strict c = {.next = STRICT_NONE};
	const char *wrong = NULL;
	size_t len = strlen(text);

	if (len == 0 || text[len - 1] != '\n' || !text_is_utf8(text, len))
		return "no newline at the end, or no UTF-8";
	while (*text && !wrong) {
		size_t n = strcspn(text, "\n");
		char *line = strndup(text, n);

		wrong = *line == '#' ? strict_comment(&c, line) : strict_line(&c, line);
		if (wrong)
			print_message("# %s: %.200s\n", wrong, line);
		free(line);
		text += n + 1;
	}
	if (!wrong)
		wrong = strict_unique(&c);
	for (size_t i = 0; i < c.key_count; i++)
		free(c.keys[i]);
	free(c.keys);
	free(c.histogram);
	return wrong;
}

static inline void assert_strict(const char *text)
{
	const char *wrong = strict_check(text);

	if (wrong)
		fail_msg("%s", wrong);
}

#endif
