#include "publish/republish.h"

#include <string.h>

#include "base/text.h"
#include "publish/exposition.h"

#define HELP "# HELP " METRICS_PREFIX

/*
 * A run that failed, of a node without any peers: without a valid configuration nothing is
 * known about them. What every run writes anew is written from this.
 */
struct failed_run {
	struct config config;
	struct targets targets;
	struct stats_node node;
	struct run_info run;
	struct exposition exposition;
};

static void describe_failure(struct failed_run *failure, const char *path,
			     int64_t wall_ns)
{
	*failure = (struct failed_run){.run = {.end_ns = wall_ns}};
	failure->run.has_echo_counts = echocounts_read(&failure->run.echo);
	failure->node.counters_start_ns = wall_ns;
	failure->targets.config = &failure->config;
	failure->exposition = (struct exposition){.targets = &failure->targets,
						  .node = &failure->node,
						  .run = &failure->run,
						  .file = exposition_file(path)};
}

struct copy {
	struct writer *writer;
	const struct exposition *failure;
	size_t next;	 /* the first metric of the table that has not been dealt with */
	bool is_copying; /* the lines of a metric that is kept */
};

/*
 * Goes on to `metric`, or to the end of the table for NULL. On the way, writes what every
 * run says anew, in its place by name, whether or not the previous file has it.
 */
static void advance(struct copy *copy, const struct metric *metric)
{
	size_t end = metric ? (size_t)(metric - metrics_table) + 1 : metrics_count;

	for (; copy->next < end; copy->next++)
		if (metrics_table[copy->next].lifetime == METRICS_EVERY_RUN)
			exposition_write_metric(copy->writer, copy->failure,
						&metrics_table[copy->next]);
}

/*
 * A metric begins with its HELP, and the state comes after all metrics. Lines are copied
 * without a closer look: the seal proves that this program wrote them. A metric that this
 * version does not know is dropped with its series, as nobody can say whether it describes
 * a run that did not happen.
 */
static enum promfile_result copy_line(char *line, size_t len, void *arg)
{
	struct copy *copy = arg;

	if (strncmp(line, HELP, sizeof(HELP) - 1) == 0) {
		const char *name = line + sizeof(HELP) - 1;
		const struct metric *metric = metrics_find(name, text_until(name, " "));

		copy->is_copying = metric && metric->lifetime == METRICS_KEPT;
		if (metric)
			advance(copy, metric);
	} else if (strncmp(line, PROMFILE_STATE, sizeof(PROMFILE_STATE) - 1) == 0) {
		copy->is_copying = true;
		advance(copy, NULL);
	}
	if (copy->is_copying) {
		writer_bytes(copy->writer, line, len);
		writer_text(copy->writer, "\n");
	}
	return PROMFILE_VALID;
}

enum promfile_result republish_previous(struct writer *writer, int previous,
					const char *path, int64_t wall_ns)
{
	struct failed_run failure;
	struct copy copy = {.writer = writer, .failure = &failure.exposition};
	enum promfile_result result;

	/* The seal comes last, so whether the copy is any good is known at the end. */
	describe_failure(&failure, path, wall_ns);
	result = promfile_scan(previous, copy_line, &copy);
	advance(&copy, NULL);
	exposition_seal(writer);
	return result;
}

void republish_nothing(struct writer *writer, const char *path, int64_t wall_ns)
{
	struct failed_run failure;

	describe_failure(&failure, path, wall_ns);
	exposition_write(writer, &failure.exposition);
}
