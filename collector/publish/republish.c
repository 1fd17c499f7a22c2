#include "publish/republish.h"

#include <stdbool.h>
#include <string.h>

#include "publish/exposition.h"
#include "publish/metrics.h"
#include "publish/seriescheck.h"
#include "publish/promfile.h"

struct republish {
	struct writer *writer;
	int64_t wall_ns;
	enum metrics_family family; /* of the series before; METRICS_FAMILIES: none yet */
	struct seriescheck check;
	bool failure_written, lookups;
};

/* What we have to say of the run that failed, in its place by name. */
static void write_failure(struct republish *c)
{
	exposition_header(c->writer, METRICS_LAST_RUN_SUCCESS);
	writer_text(c->writer, metrics_table[METRICS_LAST_RUN_SUCCESS].name);
	writer_text(c->writer, " 0\n");
	exposition_header(c->writer, METRICS_LAST_RUN_TIMESTAMP);
	writer_text(c->writer, metrics_table[METRICS_LAST_RUN_TIMESTAMP].name);
	writer_text(c->writer, " ");
	writer_ns(c->writer, c->wall_ns);
	writer_text(c->writer, "\n");
	c->failure_written = true;
}

/* A user's label has no value of ours to lose; of others this version knows its own. */
static bool goes_over(enum metrics_family family, const char *label)
{
	return family == METRICS_PEER_INFO || seriescheck_has_label(family, label);
}

static void write_line(struct republish *c, enum metrics_family family,
		       const struct promline *line)
{
	const char *separator = "{";

	writer_text(c->writer, line->name);
	for (size_t i = 0; i < line->label_count; i++) {
		if (!goes_over(family, line->labels[i].name))
			continue;
		writer_text(c->writer, separator);
		writer_text(c->writer, line->labels[i].name);
		writer_text(c->writer, "=\"");
		writer_escaped(c->writer, line->labels[i].value);
		writer_text(c->writer, "\"");
		separator = ",";
	}
	writer_text(c->writer, *separator == ',' ? "} " : " ");
	writer_text(c->writer, line->value);
	writer_text(c->writer, "\n");
}

/* A comment of ours: behind all series, and whole. */
static const char *take_lookup(struct republish *c, const struct promline *line)
{
	const char *wrong = seriescheck_end(&c->check);

	if (wrong)
		return wrong;
	if (strcmp(line->name, METRICS_LOOKUP) != 0 ||
	    (strcmp(line->value, "0") != 0 && strcmp(line->value, "1") != 0))
		return "a comment that is none of ours";
	if (!c->failure_written)
		write_failure(c);
	c->lookups = true;
	writer_text(c->writer, "# ");
	/* Its labels are checked by whoever looks the host up. */
	write_line(c, METRICS_PEER_INFO, line);
	return NULL;
}

static const char *take_series(struct republish *c, enum metrics_family family,
			       const struct promline *line)
{
	const char *wrong = seriescheck_line(&c->check, family, line);

	if (wrong)
		return wrong;
	/* That of the program which writes has been written. */
	if (family == METRICS_BUILD_INFO)
		return NULL;
	if (!c->failure_written && family > METRICS_LAST_RUN_SUCCESS)
		write_failure(c);
	if (family != c->family)
		exposition_header(c->writer, family);
	c->family = family;
	write_line(c, family, line);
	return NULL;
}

static const char *take(enum promfile_line kind, struct promline *line, void *arg)
{
	struct republish *c = arg;
	enum metrics_family family;

	if (kind == PROMFILE_LOOKUP)
		return take_lookup(c, line);
	if (c->lookups)
		return "series behind comments of ours";
	family = metrics_find(line->name, c->family);
	if (family == METRICS_FAMILIES || metrics_table[family].kind != METRICS_KEPT)
		return NULL;
	return take_series(c, family, line);
}

static void begin(struct republish *c, struct writer *writer, int64_t wall_ns)
{
	*c = (struct republish){
		.writer = writer, .wall_ns = wall_ns, .family = METRICS_FAMILIES};
	seriescheck_init(&c->check);
	exposition_build_info(writer);
}

const char *republish_previous(struct writer *writer, int previous, int64_t wall_ns)
{
	struct republish c;
	const char *wrong;

	begin(&c, writer, wall_ns);
	wrong = promfile_scan(previous, take, &c);
	if (!wrong)
		wrong = seriescheck_end(&c.check);
	if (wrong)
		return wrong;
	if (!c.failure_written)
		write_failure(&c);
	exposition_seal(writer);
	return NULL;
}

void republish_nothing(struct writer *writer, int64_t wall_ns)
{
	const struct config config = {.group_count = 0};
	const struct targets targets = {.config = &config};
	const struct state state = {.counters_start_ns = wall_ns};
	const struct exposition exposition = {
		.targets = &targets, .state = &state, .wall_ns = wall_ns};

	exposition_write(writer, &exposition);
}
