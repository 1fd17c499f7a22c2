/*
 * The counters of the last run, out of the file that it published: the only
 * state there is.
 *
 * The file is read as if an enemy had written it. The last line must prove it
 * complete, every number is checked for its range, buckets for their order; and
 * unless the whole of it is sound nothing is taken over. Families and labels
 * that this version does not know are passed over, what is missing starts at
 * zero, and HELP texts are not looked at, so counters outlive upgrades and
 * downgrades. A histogram whose buckets are not those of the configuration
 * starts anew, alone.
 */
#ifndef NODECANARY_RESTORE_H
#define NODECANARY_RESTORE_H

#include <stdbool.h>

#include "peers/state.h"
#include "peers/targets.h"

enum restore_result {
	RESTORE_TAKEN,
	RESTORE_REFUSED, /* logged; nothing has been taken over */
	RESTORE_FAILED,	 /* logged; the file could not be looked at, and must stay */
};

/*
 * `fd` is open at its beginning and stays the caller's; `name` is for messages.
 * The counters in `targets` and `state` must be zero.
 */
enum restore_result restore_read(int fd, const char *name, struct targets *targets,
				 struct state *state);

#endif
