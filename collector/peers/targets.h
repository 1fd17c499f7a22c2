/*
 * The targets of this node: the configured peers, each with the address in use, its
 * counters, and its state, which says whether it is measured.
 *
 * A peer is one target; in a group with `family = both` it is one target for each family
 * that it has or may have. Targets are sorted as their series are: by group, peer, family.
 *
 * Order of calls: targets_build(); then restore, self and lookup, each of which fills in
 * what it knows; targets_select() before names are looked up, before anything is sent and
 * before anything is published; targets_free().
 */
#ifndef NODECANARY_TARGETS_H
#define NODECANARY_TARGETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "peers/failure.h"
#include "peers/roam.h"
#include "peers/stats.h"

/* The published ones in the order of the names, as the series of nodecanary_peers are. */
enum target_state {
	TARGET_PROBED,
	TARGET_SELF,
	TARGET_UNRESOLVED,
	TARGET_UNSELECTED,
	/* With family = both: the peer's name has addresses of the other family only. */
	TARGET_ABSENT,
};
#define TARGET_STATES 4

extern const char *const targets_state_names[TARGET_STATES];

/* Whether a target answered in the last run that sent it a request. */
enum target_outcome { TARGET_UNKNOWN, TARGET_UP, TARGET_DOWN };

/* What the last lookup of a host name said. */
enum target_lookup {
	TARGET_NOT_LOOKED_UP,
	TARGET_RESOLVED,
	TARGET_LOOKUP_FAILED, /* nobody answered, or with nothing that can be used */
	TARGET_NO_ADDRESS,    /* the name does not exist, or not in this family */
};
#define TARGET_LOOKUPS 4

extern const char *const targets_lookup_names[TARGET_LOOKUPS];

/* The last trace to a target that loses packets: see trace.h. */
struct trace {
	int64_t at_ns; /* wall clock */
	bool is_over;  /* it loses no more; what was found is not published */
	uint64_t hops; /* the distance of `last`; 0: no hop answered */
	struct address
		last; /* the last hop that answered; ADDRESS_NONE where hops is 0 */
};

/* The last probe of a target with large packets: see pathmtu.h. */
struct path_mtu {
	int64_t at_ns;	/* wall clock */
	uint64_t bytes; /* of the largest packet known to pass; 0: not known */
};

struct target {
	const struct peer *peer;
	/* The family that this target measures; ADDRESS_NONE: whichever the peer has. */
	enum address_family family;
	bool has_family_label;	/* its group has family = both */
	struct address address; /* in use, or of the last successful lookup */
	enum target_state state;
	enum target_outcome previous; /* of the runs before this one */
	enum target_lookup lookup;
	bool is_due;	   /* of a host name: it is to be looked up again */
	bool is_local;	   /* has an address of this host, and is not this node */
	bool has_conflict; /* has an address of this host, which is another peer by name */
	struct stats_totals totals;
	struct stats_run run;
	bool roams;		    /* asked in this run by roaming, see roam.h */
	enum roam_state roam_state; /* of a peer that roaming has visited */
	int64_t roam_since_ns;	    /* wall clock, of ROAM_UNRESPONSIVE */
	struct failure *failures;   /* of this run; see failure.h */
	struct trace *trace;	    /* NULL: none */
	struct path_mtu *mtu;	    /* NULL: never probed */
};

/* The state of a group, and what is published about it. */
struct target_group {
	const struct peer *self;      /* this node, NULL if it is not a member */
	const struct peer *last_self; /* self of the previous run */
	const struct peer *misplaced; /* has our name, but not our address; or NULL */
	unsigned self_evidence;	      /* why self is this node: see self.h */
	/* Runs in a row that knew self from the previous run alone: before and with this one. */
	uint64_t runs_kept, next_runs_kept;
	struct stats_histogram histogram; /* of all peers, former ones included */
	uint64_t list_hash;		  /* see targets_list_hash() */
	uint64_t observers;		  /* see targets_observers() */
	uint64_t states[TARGET_STATES];	  /* peers, not targets, in each state */
	uint64_t irregular[IRREGULAR_KINDS];
	uint64_t roam_requests, roam_replies;
	/* The last place that roaming visited, and the one after this run: see roam.h. */
	uint64_t roam_position, roam_next;
};

/*
 * The results of this run for a target. up and loss are valid where run.requests > 0,
 * round-trip times where run.replies > 0, jitter where run.pairs > 0, hop_limit where
 * run.hop_limit is not negative. A value that is not valid is 0.
 */
struct target_summary {
	uint64_t up, resolved, hop_limit, path_mtu_bytes, trace_hops;
	int64_t loss_billionths;
	int64_t min_ns, max_ns, mean_ns, stddev_ns, jitter_ns;
};

struct targets {
	const struct config *config;
	struct target *items;
	size_t count;
	struct target_group *groups; /* one for each of config->groups */
	uint64_t *seeds; /* one for each peer, of groups with a fan-out: see fanout.h */
	bool *chosen;	 /* one for each peer; used by targets_select() */
	bool *visited;	 /* the same, of those that roaming visits in this run */
};

/*
 * 0, or -1 after logging. The configuration must outlive the targets, which are to be freed
 * after success. Freeing zeroed or freed targets is harmless.
 */
int targets_build(struct targets *targets, const struct config *config);

void targets_free(struct targets *targets);

/*
 * The target with these labels, or NULL; `family` is "" in a group without that label.
 * `*next` makes searches in the order of the targets cheap: it is 0 before the first
 * search, and afterwards belongs to this function.
 */
struct target *targets_find(struct targets *targets, const char *group, const char *peer,
			    const char *family, size_t *next);

/* The peer of a group with this name, or NULL. `group` is an index. */
const struct peer *targets_find_peer(const struct targets *targets, size_t group,
				     const char *name);

/* The group with this name, or NULL. */
struct target_group *targets_find_group(struct targets *targets, const char *name);

/* The other target of a peer with two, otherwise NULL. */
const struct target *targets_sibling(const struct targets *targets,
				     const struct target *target);

/*
 * Allocates the counts of a histogram of `targets`, all zero; targets_reset() and
 * targets_free() free them. 0, or -1 after logging.
 */
int targets_add_counts(const struct targets *targets, struct stats_histogram *histogram);

/*
 * For a target whose address has changed: trace and path MTU of the old address are no longer
 * published. Their times stay, so that trace_every and mtu_every hold.
 */
void targets_forget_path(struct target *target);

/* Discards everything that was restored. */
void targets_reset(struct targets *targets);

/*
 * Sets chosen[i] for each peer i of the group that a node pings, and clears the others.
 * The node is `member`, or with NULL a node called `name` that is not a member.
 */
void targets_choose(const struct targets *targets, size_t group,
		    const struct peer *member, const char *name, bool *chosen);

/* How many members ping each member of the group. */
size_t targets_observers(const struct targets *targets, size_t group);

/*
 * Sets the state of each target from the addresses and the self of its group that are
 * known now, and counts the states. `name` is that of this node in groups of which it is
 * not a member.
 */
void targets_select(struct targets *targets, const char *name);

/* Whether there are peers that are neither this node nor measured. */
bool targets_have_unselected(const struct targets *targets);

/*
 * After the rounds: adds what roaming targets answered to their groups and decides which of
 * them are unresponsive. Their own results are forgotten.
 */
void targets_finish_roaming(struct targets *targets, int64_t wall_ns);

/* The results of this run for one target. */
struct target_summary targets_summarize(const struct target *target);

/* The outcome of this run, otherwise that of the last run that measured the target. */
enum target_outcome targets_outcome(const struct target *target);

/*
 * A hash of the list of a group and of the options that select from it: names in lower
 * case and in any order, addresses, family, members_only, fanout. Nodes with equal hashes
 * agree on who pings whom. It has 48 bits, which every reader's double holds exactly.
 */
uint64_t targets_list_hash(const struct targets *targets, size_t group);

static inline const struct group *target_group(const struct targets *targets,
					       const struct target *target)
{
	return &targets->config->groups[target->peer->group];
}

/* Whether the target has series: it is measured, or would be if it had an address. */
static inline bool target_is_measured(const struct target *target)
{
	return target->state == TARGET_PROBED || target->state == TARGET_UNRESOLVED;
}

/* Whether requests are sent to the target: it is measured or visited, and has an address. */
static inline bool target_is_asked(const struct target *target)
{
	return target->state == TARGET_PROBED ||
	       (target->roams && target->address.family != ADDRESS_NONE);
}

/* The value of the label `family`; "" in a group without that label. */
static inline const char *target_family_label(const struct target *target)
{
	return target->has_family_label ? address_family_name(target->family) : "";
}

#endif
