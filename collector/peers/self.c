#include "peers/self.h"

#include <ifaddrs.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"

/* What self_decide() weighs. */
#define WEIGHED (SELF_ELSEWHERE - 1u)
#define NAMES (0u | SELF_LABEL | SELF_HOST_NAME | SELF_FULL_NAME)

static int compare_addresses(const void *a, const void *b)
{
	return address_compare(a, b);
}

/*
 * A host without readable addresses can still be found by name, so only lack of memory is
 * an error.
 */
static int read_addresses(struct self *self)
{
	struct ifaddrs *list;
	size_t count = 0;

	if (getifaddrs(&list) < 0) {
		log_warn("cannot read the addresses of this host");
		return 0;
	}
	for (const struct ifaddrs *i = list; i; i = i->ifa_next)
		count++;
	self->addresses = calloc(count + 1, sizeof(*self->addresses));
	for (const struct ifaddrs *i = list; i && self->addresses; i = i->ifa_next) {
		struct address *address = &self->addresses[self->address_count];

		if (i->ifa_addr && address_from_sockaddr(i->ifa_addr, address) &&
		    !address_is_loopback(address))
			self->address_count++;
	}
	freeifaddrs(list);
	if (!self->addresses)
		return -1;
	/* Sorted, as thousands of peers may meet thousands of local addresses. */
	qsort(self->addresses, self->address_count, sizeof(*self->addresses),
	      compare_addresses);
	return 0;
}

int self_init(struct self *self, const struct config *config)
{
	char *dot;

	memset(self, 0, sizeof(*self));
	/* Both have the same size. */
	(void)text_copy(self->name, sizeof(self->name), config->collector.self);
	if (gethostname(self->host, sizeof(self->host) - 1) < 0) {
		log_err("cannot read the name of this host");
		return -1;
	}
	dot = strchr(self->host, '.');
	if (dot) {
		self_set_full_name(self, self->host);
		*dot = '\0';
	}
	/* What a host without a name of its own is called says nothing. */
	if (strcasecmp(self->host, "localhost") == 0)
		self->host[0] = '\0';
	self->evidence = calloc(config->peer_count + 1, sizeof(*self->evidence));
	if (self->evidence && read_addresses(self) == 0)
		return 0;
	log_errx("out of memory");
	return -1;
}

void self_free(struct self *self)
{
	free(self->addresses);
	free(self->evidence);
	self->addresses = NULL;
	self->evidence = NULL;
	self->address_count = 0;
}

/* Whether `name` is `head`, or `head` with more labels after a dot. */
static bool begins_with_labels(const char *name, const char *head)
{
	size_t len = strlen(head);

	return len > 0 && strncasecmp(name, head, len) == 0 &&
	       (name[len] == '\0' || name[len] == '.');
}

/* A dot at the end of a name says that it is absolute, and is no part of it. */
static bool is_name_of(const char *name, const char *own)
{
	size_t len = strlen(own);

	return len > 0 && strncasecmp(name, own, len) == 0 &&
	       strcmp(name + len, name[len] == '.' ? "." : "") == 0;
}

/* A first label counts unless the fully qualified name goes on differently. */
static unsigned weigh_name(const struct self *self, const char *name)
{
	unsigned evidence = 0;

	if (is_name_of(name, self->qualified))
		evidence |= SELF_FULL_NAME;
	if (is_name_of(name, self->host))
		evidence |= SELF_HOST_NAME;
	if (begins_with_labels(name, self->host) &&
	    (!*self->qualified || begins_with_labels(self->qualified, name)))
		evidence |= SELF_LABEL;
	return evidence;
}

/*
 * The system always gives the scope of a link-local address; an address without a scope
 * matches whatever its scope. Scopes come last in the order of addresses.
 */
static int compare_to_own(const void *key, const void *element)
{
	const struct address *address = key;
	struct address own = *(const struct address *)element;

	if (own.family == address->family && address->scope == 0)
		own.scope = 0;
	return address_compare(address, &own);
}

static bool is_own_address(const struct self *self, const struct address *address)
{
	return address->family != ADDRESS_NONE && self->address_count > 0 &&
	       bsearch(address, self->addresses, self->address_count,
		       sizeof(*self->addresses), compare_to_own);
}

/*
 * Without the full name of this run, that of the previous run counts: it chose this peer of
 * all that begin with the host name.
 */
static unsigned weigh_peer(const struct self *self, const struct targets *targets,
			   const struct peer *peer, bool is_configured)
{
	unsigned evidence = 0;

	if (is_configured && strcasecmp(peer->name, self->name) == 0)
		evidence |= SELF_CONFIGURED;
	if (!is_configured)
		evidence |= weigh_name(self, peer->name);
	if (!is_configured && peer->host)
		evidence |= weigh_name(self, peer->host);
	if (peer == targets->groups[peer->group].last_self)
		evidence |= SELF_PREVIOUS;
	if (is_own_address(self, &peer->v4) || is_own_address(self, &peer->v6))
		evidence |= SELF_ADDRESS;
	else if (!peer->host)
		evidence |= SELF_ELSEWHERE;
	if ((evidence & SELF_LABEL) && (evidence & SELF_PREVIOUS) &&
	    !(evidence & SELF_ELSEWHERE) && !*self->qualified)
		evidence |= SELF_FULL_NAME;
	return evidence;
}

/* Whether one of these peers is the one that `self` names. */
static bool has_configured(const struct self *self, const struct peer *peers,
			   size_t count)
{
	for (size_t i = 0; *self->name && i < count; i++)
		if (strcasecmp(peers[i].name, self->name) == 0)
			return true;
	return false;
}

void self_collect(const struct self *self, const struct targets *targets,
		  unsigned char *evidence)
{
	const struct config *config = targets->config;

	for (size_t i = 0; i < config->group_count; i++) {
		const struct group *g = &config->groups[i];
		size_t end = g->first_peer + g->peer_count;
		bool is_configured = has_configured(self, &config->peers[g->first_peer],
						    g->peer_count);

		for (size_t j = g->first_peer; j < end; j++)
			evidence[j] = (unsigned char)weigh_peer(
				self, targets, &config->peers[j], is_configured);
	}
	for (size_t i = 0; i < targets->count; i++) {
		const struct target *target = &targets->items[i];

		if (target->peer->host && is_own_address(self, &target->address))
			evidence[target->peer - config->peers] |= SELF_ADDRESS;
	}
}

/* The index of the only peer with a local address, SIZE_MAX if there is not one. */
static size_t find_only_local(const unsigned char *evidence, size_t count)
{
	size_t only = SIZE_MAX;

	for (size_t i = 0; i < count; i++) {
		if (!(evidence[i] & SELF_ADDRESS))
			continue;
		if (only != SIZE_MAX)
			return SIZE_MAX;
		only = i;
	}
	return only;
}

/*
 * Several local addresses are virtual ones (VRRP, kube-ipvs0), which make no list wrong and
 * no peer this node. A single one is that of this node.
 */
struct self_decision self_decide(const unsigned char *evidence, size_t count,
				 unsigned least, bool keeps_previous)
{
	struct self_decision decision = {.peer = SIZE_MAX, .misplaced = SIZE_MAX};
	bool is_only_local = find_only_local(evidence, count) != SIZE_MAX;
	size_t previous = SIZE_MAX;

	for (size_t i = 0; i < count; i++) {
		unsigned weight = evidence[i] & WEIGHED;

		if (is_only_local && (evidence[i] & SELF_ELSEWHERE)) {
			if (weight >= SELF_HOST_NAME)
				decision.misplaced = i;
			weight &= ~NAMES;
		}
		if (weight & SELF_PREVIOUS)
			previous = i;
		if (weight < least)
			continue;
		if (weight == decision.evidence)
			decision.peer = SIZE_MAX;
		if (weight > decision.evidence) {
			decision.evidence = weight;
			decision.peer = i;
		}
	}
	if (decision.peer == SIZE_MAX && previous != SIZE_MAX &&
	    (decision.evidence || keeps_previous)) {
		decision.is_kept = !decision.evidence;
		decision.peer = previous;
		decision.evidence = SELF_PREVIOUS;
	}
	return decision;
}

/* An address that the list gives twice is an error of the configuration, so not seen here. */
static void mark_targets(const struct self *self, struct targets *targets)
{
	for (size_t i = 0; i < targets->count; i++) {
		struct target *target = &targets->items[i];
		const struct target_group *group = &targets->groups[target->peer->group];
		bool is_local = self->evidence[target->peer - targets->config->peers] &
				SELF_ADDRESS;

		target->is_local = is_local && target->peer != group->self;
		target->has_conflict = is_local && group->misplaced;
	}
}

static const struct peer *peer_at(const struct peer *peers, size_t index)
{
	return index == SIZE_MAX ? NULL : &peers[index];
}

static struct self_decision decide_group(const struct self *self,
					 const struct config *config, size_t group,
					 bool guess, bool keeps_previous)
{
	const struct group *g = &config->groups[group];

	return self_decide(self->evidence + g->first_peer, g->peer_count,
			   guess ? SELF_LABEL : SELF_ADDRESS, keeps_previous);
}

/*
 * Whether this node is a peer of any group by an address. Several local addresses of a
 * group are virtual ones, which may be here before the node's own.
 */
static bool is_network_up(const struct self *self, const struct config *config)
{
	for (size_t i = 0; i < config->group_count; i++) {
		const struct self_decision decision =
			decide_group(self, config, i, false, false);

		if (decision.peer != SIZE_MAX && (decision.evidence & SELF_ADDRESS))
			return true;
	}
	return false;
}

void self_find(struct self *self, struct targets *targets, bool guess)
{
	const struct config *config = targets->config;
	bool is_up;

	self_collect(self, targets, self->evidence);
	is_up = is_network_up(self, config);
	for (size_t i = 0; i < config->group_count; i++) {
		struct target_group *group = &targets->groups[i];
		const struct peer *peers = &config->peers[config->groups[i].first_peer];
		struct self_decision decision =
			decide_group(self, config, i, guess,
				     !is_up && group->runs_kept < SELF_RUNS_KEPT_MAX);

		group->self = peer_at(peers, decision.peer);
		group->self_evidence = decision.evidence;
		group->next_runs_kept = decision.is_kept ? group->runs_kept + 1 : 0;
		group->misplaced = peer_at(peers, decision.misplaced);
	}
	mark_targets(self, targets);
}

/*
 * Only peers that begin with the host name may have the full one. An address confirms a
 * group without it.
 */
bool self_wants_full_name(const struct self *self, const struct targets *targets)
{
	const struct config *config = targets->config;

	if (*self->qualified)
		return false;
	for (size_t i = 0; i < config->peer_count; i++) {
		unsigned evidence = self->evidence[i];
		unsigned of_group = targets->groups[config->peers[i].group].self_evidence;

		if ((evidence & SELF_LABEL) && !(evidence & SELF_HOST_NAME) &&
		    !(of_group & (SELF_ADDRESS | SELF_CONFIGURED)))
			return true;
	}
	return false;
}

/* A name without a dot says no more than the host name, which it may even contradict. */
void self_set_full_name(struct self *self, const char *name)
{
	if (strchr(name, '.') && !begins_with_labels(name, "localhost"))
		(void)text_copy(self->qualified, sizeof(self->qualified), name);
}

bool self_report(const struct self *self, const struct targets *targets)
{
	const struct config *config = targets->config;
	/* A list that is still empty cannot have it. */
	bool is_known = !*self->name || config->peer_count == 0 ||
			has_configured(self, config->peers, config->peer_count);

	if (!is_known)
		log_warnx("self = `%s`: no such peer", self->name);
	for (size_t i = 0; i < config->group_count; i++)
		if (!targets->groups[i].self &&
		    targets->groups[i].self_evidence >= SELF_HOST_NAME)
			log_warnx(
				"group `%s`: several peers have the name of this host: set `self` in [collector]",
				config->groups[i].name);
	for (size_t i = 0; i < targets->count; i++) {
		const struct target *target = &targets->items[i];

		/* A peer with two targets is reported once. */
		if (target->has_conflict && (i == 0 || target[-1].peer != target->peer))
			log_warnx(
				"group `%s`: peer `%s` has an address of this host, which is peer `%s`: the list has a wrong address, or this host a wrong name",
				target_group(targets, target)->name, target->peer->name,
				targets->groups[target->peer->group].misplaced->name);
	}
	return is_known;
}

const char *self_own_name(const struct self *self)
{
	return *self->name ? self->name : self->host;
}
