/*
 * Whom this node pings: the configured peers, each with the addresses that are
 * in use now, its counters, and why it is not pinged if it is not.
 *
 * A peer is one target; in a group with `family = both` it is one for each
 * family that it has or may have. Targets are sorted as their series are: by
 * group, peer, family. Order of calls: targets_build(), then restore, self, names
 * (each of them fills in what it knows), with targets_select() whenever it matters who
 * is pinged: before names are looked up and before anything is sent.
 */
#ifndef NODECANARY_TARGETS_H
#define NODECANARY_TARGETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "peers/stats.h"

enum target_state { TARGET_PROBED, TARGET_SELF, TARGET_UNSELECTED, TARGET_UNRESOLVED };
#define TARGET_STATES 4

/* How the last run found it. */
enum target_past { TARGET_UNKNOWN, TARGET_UP, TARGET_DOWN };

struct target {
	const struct peer *peer;
	/* Which family it is for; ADDRESS_NONE: whichever the peer has. */
	enum address_family family;
	bool has_family_label;	/* its group has family = both */
	struct address address; /* the last one known */
	enum target_state state;
	enum target_past past;
	/* Of names: whether the last lookup gave an answer, and whether there was one. */
	bool resolved, looked_up;
	struct stats_totals totals;
	struct stats_run run;
};

/* What belongs to a group as a whole. */
struct target_group {
	const struct peer *self;	  /* this node as a member, NULL if it is none */
	const struct peer *last_self;	  /* as the last run had it */
	struct stats_histogram histogram; /* of all peers there ever were */
};

struct targets {
	const struct config *config;
	struct target *items;
	size_t count;
	struct target_group *groups; /* one for each of config->groups */
	uint64_t *seeds;	     /* of each peer's places on the rings: see rings.h */
	bool *chosen;		     /* each peer; for targets_select() */
};

/* 0, or -1 after logging. The configuration must outlive the targets. */
int targets_build(struct targets *targets, const struct config *config);

void targets_free(struct targets *targets);

/*
 * The target of these labels, NULL if there is none; `family` is "" where the
 * series has no such label. `hint` makes looking up in order cheap: begin with
 * 0 and give it back each time.
 */
struct target *targets_find(struct targets *targets, const char *group, const char *peer,
			    const char *family, size_t *hint);

/* A peer of a group by its name, NULL if there is none. */
const struct peer *targets_find_peer(const struct targets *targets, size_t group,
				     const char *name);

/* A group of that name, NULL if there is none. */
struct target_group *targets_find_group(struct targets *targets, const char *name);

/* Counts for a histogram of the fleet's buckets, zeroed; -1 after logging. */
int targets_add_counts(const struct targets *targets, struct stats_histogram *histogram);

/* Gives up all that was restored. */
void targets_reset(struct targets *targets);

/*
 * Sets chosen[i] for each peer i of the group that a node would ping: a member, or with
 * `member` NULL one that is none and is called `name`.
 */
void targets_choose(const struct targets *targets, size_t group,
		    const struct peer *member, const char *name, bool *chosen);

/* How many nodes of the group watch each member; groups[].self or not. */
size_t targets_observers(const struct targets *targets, size_t group);

/*
 * Settles each target's state, as far as addresses and oneself are known. `name` is this
 * node's in groups of which it is no member.
 */
void targets_select(struct targets *targets, const char *name);

/* How many peers (not targets) of a group are in each state. */
void targets_count_states(const struct targets *targets, size_t group,
			  size_t counts[static TARGET_STATES]);

/*
 * 48 bits that are equal where the group's list, and what selects from it, are
 * equal: names in lower case, in any order, addresses, family, members_only,
 * fanout.
 */
uint64_t targets_list_hash(const struct targets *targets, size_t group);

const char *targets_state_name(enum target_state state);

static inline const struct group *target_group(const struct targets *targets,
					       const struct target *target)
{
	return &targets->config->groups[target->peer->group];
}

/* Pinged, or would be if it had an address: such targets have series. */
static inline bool target_is_measured(const struct target *target)
{
	return target->state == TARGET_PROBED || target->state == TARGET_UNRESOLVED;
}

static inline const char *target_family_label(const struct target *target)
{
	return target->has_family_label ? address_family_name(target->family) : "";
}

#endif
