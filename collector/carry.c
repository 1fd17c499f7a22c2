#include "carry.h"

#include <stdbool.h>
#include <string.h>

#include "exposition.h"
#include "number.h"
#include "schema.h"
#include "statefile.h"

struct carry {
	struct writer *writer;
	int64_t wall_ns;
	enum schema_family family; /* of the series before; SCHEMA_FAMILIES: none yet */
	bool failure_written, lookups;
};

/* What we have to say of the run that failed, in its place by name. */
static void write_failure(struct carry *c)
{
	exposition_header(c->writer, SCHEMA_LAST_RUN_SUCCESS);
	writer_text(c->writer, schema_families[SCHEMA_LAST_RUN_SUCCESS].name);
	writer_text(c->writer, " 0\n");
	exposition_header(c->writer, SCHEMA_LAST_RUN_TIMESTAMP);
	writer_text(c->writer, schema_families[SCHEMA_LAST_RUN_TIMESTAMP].name);
	writer_text(c->writer, " ");
	writer_ns(c->writer, c->wall_ns);
	writer_text(c->writer, "\n");
	c->failure_written = true;
}

/* Labels that our series have; nodecanary_peer_info has the user's, too. */
static bool is_known_label(const char *name)
{
	static const char *const known[] = {"group",  "peer",  "family",  "le",
					    "reason", "state", "version", "liboping"};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(name, known[i]) == 0)
			return true;
	return false;
}

static void write_line(struct carry *c, const struct promline *line)
{
	writer_text(c->writer, line->name);
	for (size_t i = 0; i < line->label_count; i++) {
		writer_text(c->writer, i ? "," : "{");
		writer_text(c->writer, line->labels[i].name);
		writer_text(c->writer, "=\"");
		writer_escaped(c->writer, line->labels[i].value);
		writer_text(c->writer, "\"");
	}
	writer_text(c->writer, line->label_count ? "} " : " ");
	writer_text(c->writer, line->value);
	writer_text(c->writer, "\n");
}

static const char *check_line(const struct carry *c, const struct promline *line,
			      enum schema_family family)
{
	uint64_t seconds;
	uint32_t nanos;

	if (c->lookups || (c->family != SCHEMA_FAMILIES && family < c->family))
		return "families out of order";
	if (!number_parse_seconds(line->value, &seconds, &nanos))
		return "a number out of range";
	for (size_t i = 0; i < line->label_count; i++)
		if (family != SCHEMA_PEER_INFO && !is_known_label(line->labels[i].name))
			return "a label of somebody else";
	return NULL;
}

static const char *take(enum statefile_line kind, struct promline *line, void *arg)
{
	struct carry *c = arg;
	enum schema_family family;
	const char *wrong;

	if (kind == STATEFILE_LOOKUP) {
		if (!c->failure_written)
			write_failure(c);
		c->lookups = true;
		writer_text(c->writer, "# ");
		write_line(c, line);
		return NULL;
	}
	family = schema_find(line->name, c->family);
	if (family == SCHEMA_FAMILIES || schema_families[family].kind != SCHEMA_KEPT)
		return NULL;
	wrong = check_line(c, line, family);
	if (wrong)
		return wrong;
	if (!c->failure_written && family > SCHEMA_LAST_RUN_SUCCESS)
		write_failure(c);
	if (family != c->family)
		exposition_header(c->writer, family);
	c->family = family;
	write_line(c, line);
	return NULL;
}

const char *carry_over(struct writer *writer, int previous, int64_t wall_ns)
{
	struct carry c = {
		.writer = writer, .wall_ns = wall_ns, .family = SCHEMA_FAMILIES};
	const char *wrong = statefile_scan(previous, take, &c);

	if (wrong)
		return wrong;
	if (!c.failure_written)
		write_failure(&c);
	exposition_seal(writer);
	return NULL;
}

void carry_nothing(struct writer *writer, int64_t wall_ns)
{
	struct carry c = {
		.writer = writer, .wall_ns = wall_ns, .family = SCHEMA_FAMILIES};

	write_failure(&c);
	exposition_seal(writer);
}
