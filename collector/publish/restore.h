/*
 * Takes the state of the previous run out of the file that it published.
 *
 * The file is read as if an attacker had written it: the seal must prove it complete, and
 * every number is checked for its range. If anything is wrong, nothing is restored and
 * the counters start from zero. Groups, peers and counters that this configuration or
 * version does not know are skipped, and what is missing starts at zero, so counters
 * outlive changes of the configuration, upgrades and downgrades. If the buckets are not
 * those of the configuration, only the histograms start from zero.
 */
#ifndef NODECANARY_RESTORE_H
#define NODECANARY_RESTORE_H

#include "peers/stats.h"
#include "peers/targets.h"

enum restore_result {
	RESTORE_TAKEN,
	RESTORE_REFUSED, /* logged; nothing has been restored */
	RESTORE_FAILED, /* logged; the file could not be read, and must not be replaced */
};

/*
 * `fd` is open at its beginning and stays the caller's; `name` is for messages. The
 * counters of `targets` and `node` must be zero.
 */
enum restore_result restore_read(int fd, const char *name, struct targets *targets,
				 struct stats_node *node);

#endif
