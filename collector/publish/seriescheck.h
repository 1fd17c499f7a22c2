/*
 * Whether series read from a file are such as exposition.h writes: the labels of
 * their family, numbers of its kind, in order, histograms whole. What passes can
 * be published again as it is.
 */
#ifndef NODECANARY_SERIESCHECK_H
#define NODECANARY_SERIESCHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "publish/promline.h"
#include "publish/metrics.h"

#define SERIESCHECK_KEY_SIZE 1024

struct seriescheck {
	enum metrics_family family; /* of the series before; METRICS_FAMILIES: none yet */
	char key[SERIESCHECK_KEY_SIZE]; /* its labels */
	/* Of a histogram under way. */
	bool in_histogram, has_infinity, has_sum;
	uint64_t seconds, count; /* the last bound and what it counted */
	uint32_t nanos;
	bool has_bound;
};

void seriescheck_init(struct seriescheck *check);

/* NULL, or what is wrong. To be called for every series in turn. */
const char *seriescheck_line(struct seriescheck *check, enum metrics_family family,
			     const struct promline *line);

/* NULL, or what is missing. */
const char *seriescheck_end(const struct seriescheck *check);

/* Whether series of the family have that label. */
bool seriescheck_has_label(enum metrics_family family, const char *name);

#endif
