#include "peers/self.h"

#include <ifaddrs.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"

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
		log_errx("out of memory");
	return self->addresses ? 0 : -1;
}

int self_init(struct self *self, const char *configured)
{
	char *dot;

	memset(self, 0, sizeof(*self));
	if (!text_copy(self->name, sizeof(self->name), configured)) {
		log_errx("self = `%s`: the name is too long (at most %d bytes)",
			 configured, SELF_NAME_SIZE - 1);
		return -1;
	}
	if (gethostname(self->host, sizeof(self->host) - 1) < 0) {
		log_err("cannot read the name of this host");
		return -1;
	}
	dot = strchr(self->host, '.');
	if (dot) {
		memcpy(self->qualified, self->host, sizeof(self->qualified));
		*dot = '\0';
	}
	/* Addresses identify this node only where no name is configured. */
	return *self->name ? 0 : read_addresses(self);
}

void self_free(struct self *self)
{
	free(self->addresses);
	self->addresses = NULL;
	self->address_count = 0;
}

/* Whether `name` is `head`, or `head` with more labels after a dot. */
static bool begins_with_labels(const char *name, const char *head)
{
	size_t len = strlen(head);

	return len > 0 && strncasecmp(name, head, len) == 0 &&
	       (name[len] == '\0' || name[len] == '.');
}

/*
 * Whether the peer may be this host: its name is the host name, or has that as its first
 * label and does not contradict the fully qualified name.
 */
static bool may_be_host(const struct self *self, const char *name)
{
	return begins_with_labels(name, self->host) &&
	       (!*self->qualified || begins_with_labels(self->qualified, name));
}

/* Two different peers are enough to know that the host is ambiguous. */
struct candidates {
	const struct peer *first, *second;
};

/* A peer with two addresses of this host is one candidate. */
static void add_candidate(struct candidates *c, const struct peer *peer)
{
	if (!c->first)
		c->first = peer;
	else if (c->first != peer && !c->second)
		c->second = peer;
}

static struct candidates find_by_name(const struct self *self,
				      const struct config *config,
				      const struct group *group)
{
	const char *exact = *self->name ? self->name : self->qualified;
	struct candidates candidates = {NULL, NULL};

	for (size_t i = 0; i < group->peer_count; i++) {
		const struct peer *peer = &config->peers[group->first_peer + i];

		if (strcasecmp(peer->name, exact) == 0)
			return (struct candidates){peer, NULL};
		if (!*self->name && may_be_host(self, peer->name))
			add_candidate(&candidates, peer);
	}
	return candidates;
}

/*
 * Whether the previous run knew which candidate this node is. It had looked up the fully
 * qualified name, so this run need not; but once that name is known, it decides.
 */
static bool was_found_before(const struct self *self, const struct target_group *group)
{
	return group->last_self && !*self->qualified &&
	       may_be_host(self, group->last_self->name);
}

bool self_is_ambiguous(const struct self *self, const struct targets *targets,
		       bool use_previous)
{
	const struct config *config = targets->config;

	if (*self->qualified || *self->name)
		return false;
	for (size_t i = 0; i < config->group_count; i++)
		if (find_by_name(self, config, &config->groups[i]).second &&
		    !(use_previous && was_found_before(self, &targets->groups[i])))
			return true;
	return false;
}

/* An address of no family, that is, none, equals no address of this host. */
static bool is_own_address(const struct self *self, const struct address *address)
{
	for (size_t i = 0; i < self->address_count; i++) {
		struct address own = self->addresses[i];

		/*
		 * The system always gives the scope of a link-local address; a peer in
		 * the configuration may have been written without it.
		 */
		if (own.family == address->family && address->scope == 0)
			own.scope = 0;
		if (address_equal(&own, address))
			return true;
	}
	return false;
}

static struct candidates find_by_address(const struct self *self,
					 const struct targets *targets, size_t group)
{
	struct candidates candidates = {NULL, NULL};

	for (size_t i = 0; i < targets->count; i++) {
		const struct target *target = &targets->items[i];
		const struct peer *peer = target->peer;

		/* Both configured addresses count, though only one may be pinged. */
		if (peer->group == group &&
		    (is_own_address(self, &target->address) ||
		     is_own_address(self, &peer->v4) || is_own_address(self, &peer->v6)))
			add_candidate(&candidates, peer);
	}
	return candidates;
}

static void log_ambiguity(const struct config *config, const struct group *group,
			  const struct candidates *c, const char *what)
{
	const struct peer *first = c->first, *second = c->second;

	/* There is no second candidate without a first. */
	if (!first || !second)
		return;
	log_errx(
		"%s:%u: peer `%s` and peer `%s` (%s:%u) of group `%s` both %s this host, expected one: set `self` in [collector]",
		config->files[second->place.file], second->place.line, second->name,
		first->name, config->files[first->place.file], first->place.line,
		group->name, what);
}

int self_find(const struct self *self, struct targets *targets)
{
	const struct config *config = targets->config;
	int result = 0;

	for (size_t i = 0; i < config->group_count; i++) {
		const struct group *group = &config->groups[i];
		const char *what = "have the name of";
		struct candidates c = find_by_name(self, config, group);

		if (!c.first && !*self->name) {
			what = "have an address of";
			c = find_by_address(self, targets, i);
		}
		if (c.second && was_found_before(self, &targets->groups[i]))
			c = (struct candidates){targets->groups[i].last_self, NULL};
		if (c.second) {
			log_ambiguity(config, group, &c, what);
			result = -1;
		}
		targets->groups[i].self = c.second ? NULL : c.first;
	}
	return result;
}

/*
 * What is selected, and so what is looked up, depends on who this node is. A wrong guess
 * costs lookups of other names, for self_find() decides before anything is sent.
 */
void self_guess(const struct self *self, struct targets *targets)
{
	const struct config *config = targets->config;

	for (size_t i = 0; i < config->group_count; i++) {
		struct target_group *group = &targets->groups[i];
		struct candidates c = find_by_name(self, config, &config->groups[i]);

		group->self = c.first && !c.second ? c.first : group->last_self;
	}
}

const char *self_own_name(const struct self *self)
{
	return *self->name ? self->name : self->host;
}

bool self_is_member(const struct targets *targets)
{
	for (size_t i = 0; i < targets->config->group_count; i++)
		if (targets->groups[i].self)
			return true;
	return false;
}
