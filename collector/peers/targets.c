#include "peers/targets.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/log.h"
#include "peers/fanout.h"

const char *const targets_state_names[TARGET_STATES] = {
	[TARGET_PROBED] = "probed",
	[TARGET_SELF] = "self",
	[TARGET_UNRESOLVED] = "unresolved",
	[TARGET_UNSELECTED] = "unselected",
};

const char *const targets_lookup_names[TARGET_LOOKUPS] = {
	[TARGET_NOT_LOOKED_UP] = "",
	[TARGET_RESOLVED] = "resolved",
	[TARGET_LOOKUP_FAILED] = "failed",
	[TARGET_NO_ADDRESS] = "none",
};

/* The address of a numeric peer in that family; ADDRESS_NONE: the first of the two. */
static struct address numeric_address(const struct peer *peer, enum address_family family)
{
	if (family == ADDRESS_IPV4)
		return peer->v4;
	if (family == ADDRESS_IPV6)
		return peer->v6;
	return peer->v4_first || peer->v6.family == ADDRESS_NONE ? peer->v4 : peer->v6;
}

static void add_target(struct targets *targets, const struct peer *peer,
		       enum address_family family)
{
	const struct options *options = &targets->config->groups[peer->group].options;
	struct target *target = &targets->items[targets->count];

	*target = (struct target){.peer = peer, .family = family};
	target->has_family_label = options->family == FAMILY_BOTH;
	if (!peer->host)
		target->address = numeric_address(peer, family);
	/* With family = both, a peer with one numeric address is one target. */
	targets->count += peer->host || target->address.family != ADDRESS_NONE;
}

/*
 * A peer by name may have an address of either family, so with family = both it is always
 * two targets.
 */
static void add_peer(struct targets *targets, const struct peer *peer)
{
	switch (targets->config->groups[peer->group].options.family) {
	case FAMILY_AUTO: add_target(targets, peer, ADDRESS_NONE); break;
	case FAMILY_IPV4: add_target(targets, peer, ADDRESS_IPV4); break;
	case FAMILY_IPV6: add_target(targets, peer, ADDRESS_IPV6); break;
	case FAMILY_BOTH:
		add_target(targets, peer, ADDRESS_IPV4);
		add_target(targets, peer, ADDRESS_IPV6);
		break;
	}
}

/*
 * Room for two targets of each peer, whether or not there are two: pages that are never
 * written cost no memory.
 */
int targets_build(struct targets *targets, const struct config *config)
{
	*targets = (struct targets){.config = config};
	targets->items = calloc(2 * config->peer_count + 1, sizeof(*targets->items));
	targets->groups = calloc(config->group_count + 1, sizeof(*targets->groups));
	targets->seeds = calloc(config->peer_count + 1, sizeof(*targets->seeds));
	targets->chosen = calloc(config->peer_count + 1, sizeof(*targets->chosen));
	targets->visited = calloc(config->peer_count + 1, sizeof(*targets->visited));
	if (!targets->items || !targets->groups || !targets->seeds || !targets->chosen ||
	    !targets->visited) {
		log_errx("out of memory");
		targets_free(targets);
		return -1;
	}
	for (size_t i = 0; i < config->peer_count; i++) {
		const struct peer *peer = &config->peers[i];

		add_peer(targets, peer);
		if (config->groups[peer->group].options.fanout != OPTIONS_FANOUT_ALL)
			targets->seeds[i] = fanout_seed(peer->name);
	}
	for (size_t i = 0; i < config->group_count; i++) {
		targets->groups[i].list_hash = targets_list_hash(targets, i);
		targets->groups[i].observers = targets_observers(targets, i);
	}
	return 0;
}

void targets_forget_path(struct target *target)
{
	if (target->trace)
		target->trace->is_over = true;
	if (target->mtu)
		target->mtu->bytes = 0;
}

/*
 * A configured address stays; that of a name came from the previous file and goes. Also
 * for targets of which only a part could be allocated.
 */
void targets_reset(struct targets *targets)
{
	for (size_t i = 0; targets->items && i < targets->count; i++) {
		struct target *target = &targets->items[i];

		free(target->totals.histogram.counts);
		failure_free(&target->failures);
		free(target->trace);
		free(target->mtu);
		target->trace = NULL;
		target->mtu = NULL;
		target->roam_state = ROAM_WELL;
		target->totals = (struct stats_totals){.requests = 0};
		target->previous = TARGET_UNKNOWN;
		target->lookup = TARGET_NOT_LOOKED_UP;
		target->is_due = false;
		/* Every target up to the count has a peer, which the analyser cannot know. */
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
		if (target->peer->host)
			target->address = (struct address){.family = ADDRESS_NONE};
	}
	for (size_t i = 0; targets->groups && i < targets->config->group_count; i++) {
		free(targets->groups[i].histogram.counts);
		targets->groups[i].histogram = (struct stats_histogram){.counts = NULL};
		targets->groups[i].last_self = NULL;
		targets->groups[i].runs_kept = 0;
		memset(targets->groups[i].irregular, 0,
		       sizeof(targets->groups[i].irregular));
		targets->groups[i].roam_requests = targets->groups[i].roam_replies = 0;
		targets->groups[i].roam_position = targets->groups[i].roam_next = 0;
	}
}

void targets_free(struct targets *targets)
{
	targets_reset(targets);
	free(targets->items);
	free(targets->groups);
	free(targets->seeds);
	free(targets->chosen);
	free(targets->visited);
	*targets = (struct targets){.items = NULL};
}

/* In the order of the targets, which is that of their series. */
static int compare(const struct targets *targets, const struct target *target,
		   const char *group, const char *peer, const char *family)
{
	int order = strcmp(group, target_group(targets, target)->name);

	if (order == 0)
		order = strcmp(peer, target->peer->name);
	return order ? order : strcmp(family, target_family_label(target));
}

/*
 * A binary search that begins where the previous one ended. The state of a file has the
 * same order as the targets, so with the same peers the first comparison finds each.
 */
struct target *targets_find(struct targets *targets, const char *group, const char *peer,
			    const char *family, size_t *next)
{
	size_t low = 0, high = targets->count;
	size_t middle = *next < high ? *next : high / 2;

	while (low < high) {
		int order =
			compare(targets, &targets->items[middle], group, peer, family);

		if (order == 0) {
			*next = middle + 1;
			return &targets->items[middle];
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
		middle = low + (high - low) / 2;
	}
	return NULL;
}

const struct peer *targets_find_peer(const struct targets *targets, size_t group,
				     const char *name)
{
	const struct group *g = &targets->config->groups[group];

	for (size_t i = 0; i < g->peer_count; i++)
		if (strcmp(targets->config->peers[g->first_peer + i].name, name) == 0)
			return &targets->config->peers[g->first_peer + i];
	return NULL;
}

struct target_group *targets_find_group(struct targets *targets, const char *name)
{
	for (size_t i = 0; i < targets->config->group_count; i++)
		if (strcmp(targets->config->groups[i].name, name) == 0)
			return &targets->groups[i];
	return NULL;
}

int targets_add_counts(const struct targets *targets, struct stats_histogram *histogram)
{
	histogram->counts = calloc(stats_counts(&targets->config->collector.buckets),
				   sizeof(*histogram->counts));
	if (!histogram->counts)
		log_errx("out of memory");
	return histogram->counts ? 0 : -1;
}

void targets_choose(const struct targets *targets, size_t group,
		    const struct peer *member, const char *name, bool *chosen)
{
	const struct config *config = targets->config;
	const struct group *g = &config->groups[group];
	const uint64_t *seeds = targets->seeds + g->first_peer;
	bool is_excluded = g->options.members_only && !member;
	struct fanout_observer observer = {.index = FANOUT_OUTSIDE};

	if (member)
		observer.index = (size_t)(member - &config->peers[g->first_peer]);
	if (is_excluded || g->options.fanout == OPTIONS_FANOUT_ALL) {
		for (size_t i = 0; i < g->peer_count; i++)
			chosen[i] = !is_excluded;
	} else {
		observer.seed = member ? seeds[observer.index] : fanout_seed(name);
		fanout_choose(seeds, g->peer_count, observer, g->options.fanout, chosen);
	}
	/* A node that pings itself does so in addition to the members that it observes. */
	if (member)
		chosen[observer.index] = !config->collector.skip_self;
}

/*
 * A count of choices, not of observers found: with a fan-out a member may have one more or
 * fewer, see fanout.h.
 */
size_t targets_observers(const struct targets *targets, size_t group)
{
	const struct group *g = &targets->config->groups[group];
	size_t others = g->peer_count > 0 ? g->peer_count - 1 : 0;

	if (g->options.fanout < others)
		others = g->options.fanout;
	return others + !targets->config->collector.skip_self;
}

/* They are neighbours. */
const struct target *targets_sibling(const struct targets *targets,
				     const struct target *target)
{
	if (target > targets->items && target[-1].peer == target->peer)
		return target - 1;
	if (target + 1 < targets->items + targets->count &&
	    target[1].peer == target->peer)
		return target + 1;
	return NULL;
}

/*
 * A peer that is this node, or is not selected, needs no address, so these come before the
 * question whether it has one. An address of this host would be measured without a network.
 */
static enum target_state decide_state(const struct targets *targets,
				      const struct target *target)
{
	const struct config *config = targets->config;
	const struct target *sibling = targets_sibling(targets, target);

	if (target->peer == targets->groups[target->peer->group].self &&
	    config->collector.skip_self)
		return TARGET_SELF;
	if (!targets->chosen[target->peer - config->peers] || target->is_local)
		return TARGET_UNSELECTED;
	if (target->lookup == TARGET_NO_ADDRESS && sibling &&
	    sibling->lookup != TARGET_NO_ADDRESS &&
	    sibling->address.family != ADDRESS_NONE)
		return TARGET_ABSENT;
	return target->address.family == ADDRESS_NONE ? TARGET_UNRESOLVED : TARGET_PROBED;
}

/* A peer with two targets is counted once, in the state that comes first. */
static void count_states(struct targets *targets)
{
	for (size_t i = 0; i < targets->config->group_count; i++)
		memset(targets->groups[i].states, 0, sizeof(targets->groups[i].states));
	for (size_t i = 0; i < targets->count; i++) {
		const struct target *target = &targets->items[i];
		const struct target *sibling = targets_sibling(targets, target);
		enum target_state state = target->state;

		if (sibling && sibling < target)
			continue;
		if (sibling && sibling->state < state)
			state = sibling->state;
		targets->groups[target->peer->group].states[state]++;
	}
}

/* Sets `visited` for the peers of the group that roaming asks next. */
static void choose_visits(struct targets *targets, size_t group, const char *name)
{
	const struct config *config = targets->config;
	const struct group *g = &config->groups[group];
	struct target_group *members = &targets->groups[group];
	const uint64_t *seeds = targets->seeds + g->first_peer;
	bool *visited = targets->visited + g->first_peer;
	size_t own = members->self
			     ? (size_t)(members->self - &config->peers[g->first_peer])
			     : FANOUT_OUTSIDE;

	memset(visited, 0, g->peer_count * sizeof(*visited));
	members->roam_next = members->roam_position;
	if (g->options.roam == 0 || g->options.fanout == OPTIONS_FANOUT_ALL ||
	    (g->options.members_only && !members->self))
		return;
	roam_choose(seeds, g->peer_count,
		    (struct fanout_observer){
			    members->self ? seeds[own] : fanout_seed(name), own},
		    g->options.roam, targets->chosen + g->first_peer, &members->roam_next,
		    visited);
}

/*
 * Those that were silent are asked again, beside the next ones. A peer with an address of
 * this host is no more visited than it is measured: this host would answer itself.
 */
static void decide_visit(const struct targets *targets, struct target *target)
{
	bool may_roam = target->state == TARGET_UNSELECTED && !target->is_local &&
			target_group(targets, target)->options.roam > 0;

	if (!may_roam)
		target->roam_state = ROAM_WELL;
	target->roams =
		may_roam && (targets->visited[target->peer - targets->config->peers] ||
			     target->roam_state != ROAM_WELL);
}

void targets_select(struct targets *targets, const char *name)
{
	const struct config *config = targets->config;

	for (size_t i = 0; i < config->group_count; i++) {
		targets_choose(targets, i, targets->groups[i].self, name,
			       targets->chosen + config->groups[i].first_peer);
		choose_visits(targets, i, name);
	}
	for (size_t i = 0; i < targets->count; i++) {
		targets->items[i].state = decide_state(targets, &targets->items[i]);
		decide_visit(targets, &targets->items[i]);
	}
	count_states(targets);
}

bool targets_have_unselected(const struct targets *targets)
{
	for (size_t i = 0; i < targets->config->group_count; i++)
		if (targets->groups[i].states[TARGET_UNSELECTED] > 0)
			return true;
	return false;
}

/*
 * A name is looked up anew at the next visit, which may be hours away, so its address is
 * forgotten like everything else that would take a line of the state.
 */
static void finish_visit(struct target *target, struct target_group *members,
			 size_t *listed, int64_t wall_ns)
{
	members->roam_requests += target->run.requests;
	members->roam_replies += target->run.replies;
	/* A peer that was not asked, as it has no address now, is not suspected for that. */
	if (target->run.requests > 0 || target->roam_state == ROAM_UNRESPONSIVE)
		target->roam_state =
			roam_next_state(target->roam_state, target->run.replies > 0,
					&target->roam_since_ns, wall_ns, *listed);
	else
		target->roam_state = ROAM_WELL;
	*listed += target->roam_state == ROAM_UNRESPONSIVE;
	target->run = (struct stats_run){.hop_limit = -1};
	failure_free(&target->failures);
	if (target->peer->host) {
		target->address = (struct address){.family = ADDRESS_NONE};
		target->lookup = TARGET_NOT_LOOKED_UP;
	}
}

void targets_finish_roaming(struct targets *targets, int64_t wall_ns)
{
	size_t group = SIZE_MAX, listed = 0;

	/* Peers that could not be asked have another turn later; the others do not wait for them. */
	for (size_t i = 0; i < targets->config->group_count; i++)
		targets->groups[i].roam_position = targets->groups[i].roam_next;
	for (size_t i = 0; i < targets->count; i++) {
		struct target *target = &targets->items[i];

		/* Targets are sorted by group. */
		if (target->peer->group != group)
			listed = 0;
		group = target->peer->group;
		if (target->roams)
			finish_visit(target, &targets->groups[group], &listed, wall_ns);
	}
}

struct target_summary targets_summarize(const struct target *target)
{
	const struct stats_run *run = &target->run;
	struct target_summary summary = {.up = run->replies > 0,
					 .resolved = target->lookup == TARGET_RESOLVED};

	if (target->mtu)
		summary.path_mtu_bytes = target->mtu->bytes;
	if (target->trace)
		summary.trace_hops = target->trace->hops;
	if (run->requests > 0)
		summary.loss_billionths = stats_loss_billionths(run);
	if (run->replies > 0) {
		summary.min_ns = run->min_ns;
		summary.max_ns = run->max_ns;
		summary.mean_ns = stats_mean_ns(run);
		summary.stddev_ns = stats_stddev_ns(run);
		summary.hop_limit = run->hop_limit >= 0 ? (uint64_t)run->hop_limit : 0;
	}
	if (run->pairs > 0)
		summary.jitter_ns = stats_jitter_ns(run);
	return summary;
}

/* A run that sent nothing to the target learns nothing about it. */
enum target_outcome targets_outcome(const struct target *target)
{
	if (target->run.requests == 0)
		return target->previous;
	return target->run.replies > 0 ? TARGET_UP : TARGET_DOWN;
}

/* With a NUL after it, so that "a", "bc" and "ab", "c" have different hashes. */
static void hash_text(struct digest *digest, const char *text)
{
	digest_add_folded(digest, text);
	digest_add(digest, "", 1);
}

/*
 * Everything that decides at which address the peer is pinged. The texts of addresses, as
 * two nodes may write the same address differently.
 */
static uint64_t hash_peer(const struct peer *peer)
{
	char address[ADDRESS_TEXT_SIZE];
	struct digest digest;

	digest_init(&digest);
	hash_text(&digest, peer->name);
	hash_text(&digest, peer->host ? peer->host : "");
	address_format(&peer->v4, address);
	hash_text(&digest, address);
	address_format(&peer->v6, address);
	hash_text(&digest, address);
	/* With family = auto the first of two addresses is pinged. */
	if (peer->v4.family != ADDRESS_NONE && peer->v6.family != ADDRESS_NONE &&
	    !peer->v4_first)
		hash_text(&digest, "ipv6");
	return digest_value(&digest);
}

uint64_t targets_list_hash(const struct targets *targets, size_t group)
{
	const struct group *g = &targets->config->groups[group];
	unsigned char selection[2] = {(unsigned char)g->options.family,
				      (unsigned char)g->options.members_only};
	struct digest digest;
	uint64_t sum = 0;

	/*
	 * A sum does not depend on the order of the list. Numbers enter the digest in
	 * little-endian order, so that machines of both kinds agree.
	 */
	for (size_t i = 0; i < g->peer_count; i++)
		sum += hash_peer(&targets->config->peers[g->first_peer + i]);
	sum = htole64(sum);
	digest_init(&digest);
	digest_add(&digest, selection, sizeof(selection));
	digest_add(&digest, &sum, sizeof(sum));
	if (g->options.fanout != OPTIONS_FANOUT_ALL) {
		uint32_t fanout = htole32(g->options.fanout);

		digest_add(&digest, FANOUT_VERSION, sizeof(FANOUT_VERSION));
		digest_add(&digest, &fanout, sizeof(fanout));
	}
	return digest_value(&digest) & ((UINT64_C(1) << 48) - 1);
}
