#include "peers/self.h"

#include <ifaddrs.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"

static int add_address(struct self *self, const struct address *address)
{
	struct address *more =
		reallocarray(self->addresses, self->address_count + 1, sizeof(*more));

	if (!more) {
		log_errx("out of memory");
		return -1;
	}
	self->addresses = more;
	more[self->address_count++] = *address;
	return 0;
}

static int read_addresses(struct self *self)
{
	struct ifaddrs *list;
	int result = 0;

	if (getifaddrs(&list) < 0) {
		log_warn("cannot read the addresses of this host");
		return 0;
	}
	for (const struct ifaddrs *i = list; i && result == 0; i = i->ifa_next) {
		struct address address;

		if (i->ifa_addr && address_from_sockaddr(i->ifa_addr, &address) &&
		    !address_is_loopback(&address))
			result = add_address(self, &address);
	}
	freeifaddrs(list);
	return result;
}

int self_init(struct self *self, const char *configured)
{
	char *dot;

	memset(self, 0, sizeof(*self));
	if (!text_copy(self->name, sizeof(self->name), configured)) {
		log_errx("the name of this host in [collector] is too long");
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
	/* A configured name makes them superfluous. */
	return *self->name ? 0 : read_addresses(self);
}

void self_free(struct self *self)
{
	free(self->addresses);
	self->addresses = NULL;
	self->address_count = 0;
}

/* Whether `name` is `head`, or continues it at a dot. */
static bool begins_with_labels(const char *name, const char *head)
{
	size_t len = strlen(head);

	return len > 0 && strncasecmp(name, head, len) == 0 &&
	       (name[len] == '\0' || name[len] == '.');
}

/* The host name, or one that has it as its first label and may be ours. */
static bool may_be_host(const struct self *self, const char *name)
{
	return begins_with_labels(name, self->host) &&
	       (!*self->qualified || begins_with_labels(self->qualified, name));
}

struct candidates {
	const struct peer *first, *second;
};

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
	struct candidates candidates = {NULL, NULL};

	for (size_t i = 0; i < group->peer_count; i++) {
		const struct peer *peer = &config->peers[group->first_peer + i];

		if (strcasecmp(peer->name, *self->name ? self->name : self->qualified) ==
		    0)
			return (struct candidates){peer, NULL};
		if (!*self->name && may_be_host(self, peer->name))
			add_candidate(&candidates, peer);
	}
	return candidates;
}

/* Whether the last run knew this node as one of the candidates. */
static bool is_remembered(const struct self *self, const struct target_group *group)
{
	return group->last_self && !*self->qualified &&
	       may_be_host(self, group->last_self->name);
}

bool self_is_ambiguous(const struct self *self, const struct targets *targets,
		       bool remember)
{
	const struct config *config = targets->config;

	if (*self->qualified || *self->name)
		return false;
	for (size_t i = 0; i < config->group_count; i++)
		if (find_by_name(self, config, &config->groups[i]).second &&
		    !(remember && is_remembered(self, &targets->groups[i])))
			return true;
	return false;
}

static bool is_ours(const struct self *self, const struct address *address)
{
	for (size_t i = 0; i < self->address_count; i++) {
		struct address own = self->addresses[i];

		/* The scope of a link-local address is part of it only where it is given.
		 */
		if (own.family == address->family && address->scope == 0)
			own.scope = 0;
		if (address_equal(&own, address))
			return true;
	}
	return false;
}

/* Both of a peer's addresses, whichever of them is pinged; or what its name has become.
 */
static bool is_peer_ours(const struct self *self, const struct target *target)
{
	const struct peer *peer = target->peer;

	return (target->address.family != ADDRESS_NONE &&
		is_ours(self, &target->address)) ||
	       (peer->v4.family != ADDRESS_NONE && is_ours(self, &peer->v4)) ||
	       (peer->v6.family != ADDRESS_NONE && is_ours(self, &peer->v6));
}

static struct candidates find_by_address(const struct self *self,
					 const struct targets *targets, size_t group)
{
	struct candidates candidates = {NULL, NULL};

	for (size_t i = 0; i < targets->count; i++) {
		const struct target *target = &targets->items[i];

		if (target->peer->group == group && is_peer_ours(self, target))
			add_candidate(&candidates, target->peer);
	}
	return candidates;
}

static int complain(const struct config *config, const struct group *group,
		    const struct candidates *c, const char *what)
{
	log_errx(
		"%s:%u: peer `%s` and peer `%s` (%s:%u) of group `%s` both %s this host, expected one: set `self` in [collector]",
		config->files[c->second->place.file], c->second->place.line,
		c->second->name, c->first->name, config->files[c->first->place.file],
		c->first->place.line, group->name, what);
	return -1;
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
		if (c.second && is_remembered(self, &targets->groups[i]))
			c = (struct candidates){targets->groups[i].last_self, NULL};
		if (c.first && c.second)
			result = complain(config, group, &c, what);
		targets->groups[i].self = c.second ? NULL : c.first;
	}
	return result;
}

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
