/*
 * The targets of this node: the configured peers, each with the address in use, its
 * counters, and the reason where it is not measured.
 *
 * A peer is one target; in a group with `family = both` it is one for each family that it
 * has or may have. Targets are sorted as their series are: by group, peer, family.
 *
 * Order of calls: targets_build(); then restore, self and lookup, each of which fills in
 * what it knows; and targets_select() whenever it matters which targets are measured:
 * before names are looked up, before anything is sent and before anything is published.
 */
#ifndef NODECANARY_TARGETS_H
#define NODECANARY_TARGETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "peers/stats.h"

/* Sorted by name, as the series of nodecanary_peers are. */
enum target_state { TARGET_PROBED, TARGET_SELF, TARGET_UNRESOLVED, TARGET_UNSELECTED };
#define TARGET_STATES 4

extern const char *const targets_state_names[TARGET_STATES];

/* Whether it answered in the last run that sent it a request. */
enum target_outcome { TARGET_UNKNOWN, TARGET_UP, TARGET_DOWN };

struct target {
	const struct peer *peer;
	/* Which family it is for; ADDRESS_NONE: whichever the peer has. */
	enum address_family family;
	bool has_family_label;	/* its group has family = both */
	struct address address; /* the last one known */
	enum target_state state;
	enum target_outcome previous; /* of the runs before this one */
	/* Of a host name: whether it was ever looked up, and the last lookup succeeded. */
	bool looked_up, resolved;
	struct stats_totals totals;
	struct stats_run run;
};

/* What belongs to a group as a whole. */
struct target_group {
	const struct peer *self;	  /* this node, NULL if it is not a member */
	const struct peer *last_self;	  /* the same as of the previous run */
	struct stats_histogram histogram; /* of all peers, former ones included */
	/* For the metrics. */
	uint64_t list_hash;		/* see targets_list_hash() */
	uint64_t observers;		/* see targets_observers() */
	uint64_t states[TARGET_STATES]; /* peers, not targets, in each state */
};

/*
 * What this run found about a target, ready to be published. up and loss are valid where
 * run.requests > 0, round-trip times where run.replies > 0, jitter where run.pairs > 0,
 * the hop limit where it is known.
 */
struct target_summary {
	uint64_t up, resolved, hop_limit;
	int64_t loss_billionths;
	int64_t min_ns, max_ns, mean_ns, stddev_ns, jitter_ns;
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

/* Makes the counts of a histogram, all zero. 0, or -1 after logging. */
int targets_add_counts(const struct targets *targets, struct stats_histogram *histogram);

/* Forgets all that was restored. */
void targets_reset(struct targets *targets);

/*
 * Sets chosen[i] for each peer i of the group that a node would ping: a member, or with
 * `member` NULL one that is none and is called `name`.
 */
void targets_choose(const struct targets *targets, size_t group,
		    const struct peer *member, const char *name, bool *chosen);

/* How many nodes ping each member of the group. */
size_t targets_observers(const struct targets *targets, size_t group);

/*
 * Decides the state of each target from the addresses and the self of its group that are
 * known now, and counts the states. `name` is this node's in groups of which it is not a
 * member.
 */
void targets_select(struct targets *targets, const char *name);

struct target_summary targets_summarize(const struct target *target);

/* The outcome to remember: that of this run, or of the last one that measured it. */
enum target_outcome targets_outcome(const struct target *target);

/*
 * 48 bits that are equal where the group's list, and what selects from it, are
 * equal: names in lower case, in any order, addresses, family, members_only,
 * fanout.
 */
uint64_t targets_list_hash(const struct targets *targets, size_t group);

static inline const struct group *target_group(const struct targets *targets,
					       const struct target *target)
{
	return &targets->config->groups[target->peer->group];
}

/* Measured, or would be if it had an address: such targets have series. */
static inline bool target_is_measured(const struct target *target)
{
	return target->state == TARGET_PROBED || target->state == TARGET_UNRESOLVED;
}

static inline const char *target_family_label(const struct target *target)
{
	return target->has_family_label ? address_family_name(target->family) : "";
}

#endif
