#include "config/configcheck.h"

#include <stdlib.h>
#include <strings.h>

/*
 * What only one peer of a group may have: its name, its host, each of its addresses. Two
 * peers of one name would be two series with the same labels, which is no valid exposition.
 * Two peers of one address are usually a line that was copied and not changed: one node
 * would be measured under the name of another.
 */
struct claim {
	const struct peer *peer;
	const struct address *address; /* NULL: it is `text` */
	const char *text;
};

/* 0: two peers of one group claim the same. Host names ignore case, so do peers' names. */
static int compare(const struct claim *a, const struct claim *b)
{
	if (a->peer->group != b->peer->group)
		return a->peer->group < b->peer->group ? -1 : 1;
	if (a->address && b->address)
		return address_compare(a->address, b->address);
	if (!a->address && !b->address)
		return strcasecmp(a->text, b->text);
	return a->address ? -1 : 1;
}

/* Equal claims in the order of the files, so that a message names the earlier one. */
static int by_claim_and_place(const void *a, const void *b)
{
	const struct claim *one = a, *other = b;
	const struct place *here = &one->peer->place, *there = &other->peer->place;
	int order = compare(one, other);

	if (order != 0)
		return order;
	if (here->file != there->file)
		return here->file < there->file ? -1 : 1;
	return here->line < there->line ? -1 : here->line > there->line;
}

static enum config_result report_name(const struct config *config,
				      const struct claim *first,
				      const struct claim *again)
{
	const struct peer *peer = again->peer;

	return config_error(peer->place, "peer `%s`: already in group `%s` at %s:%u",
			    peer->name, config->groups[peer->group].name,
			    first->peer->place.path, first->peer->place.line);
}

/* A peer that is there twice has been reported by its name. */
static enum config_result report_address(const struct config *config,
					 const struct claim *first,
					 const struct claim *again)
{
	char text[ADDRESS_TEXT_SIZE];

	(void)config;
	if (strcasecmp(first->peer->name, again->peer->name) == 0)
		return CONFIG_VALID;
	if (again->address)
		address_format(again->address, text);
	return config_error(again->peer->place,
			    "peer `%s`: %s is already the address of peer `%s` at %s:%u",
			    again->peer->name, again->address ? text : again->text,
			    first->peer->name, first->peer->place.path,
			    first->peer->place.line);
}

static size_t claim_names(const struct config *config, struct claim *claims)
{
	for (size_t i = 0; i < config->peer_count; i++)
		claims[i] = (struct claim){.peer = &config->peers[i],
					   .text = config->peers[i].name};
	return config->peer_count;
}

/* A host name, or a scoped address, is one address whatever it is resolved to. */
static size_t claim_addresses(const struct config *config, struct claim *claims)
{
	size_t count = 0;

	for (size_t i = 0; i < config->peer_count; i++) {
		const struct peer *peer = &config->peers[i];

		if (peer->host)
			claims[count++] = (struct claim){peer, NULL, peer->host};
		if (peer->v4.family != ADDRESS_NONE)
			claims[count++] = (struct claim){peer, &peer->v4, NULL};
		if (peer->v6.family != ADDRESS_NONE)
			claims[count++] = (struct claim){peer, &peer->v6, NULL};
	}
	return count;
}

static const struct unique {
	size_t (*collect)(const struct config *config, struct claim *claims);
	enum config_result (*report)(const struct config *config,
				     const struct claim *first,
				     const struct claim *again);
} uniques[] = {
	{claim_names, report_name},
	{claim_addresses, report_address},
};

/* Sorting brings equal claims together; comparing all pairs would take minutes. */
static enum config_result check_unique(const struct config *config,
				       const struct unique *unique, struct claim *claims)
{
	size_t count = unique->collect(config, claims);
	enum config_result result = CONFIG_VALID;

	qsort(claims, count, sizeof(*claims), by_claim_and_place);
	for (size_t i = 1; i < count; i++)
		if (compare(&claims[i - 1], &claims[i]) == 0)
			result = config_worse(
				result,
				unique->report(config, &claims[i - 1], &claims[i]));
	return result;
}

static bool has_address(const struct peer *peer, enum address_family family)
{
	return (family == ADDRESS_IPV4 ? peer->v4 : peer->v6).family != ADDRESS_NONE;
}

/*
 * A numeric peer needs an address of the family that its group wants. Otherwise it would be
 * listed and never measured. With family = auto or both it is measured by what it has.
 */
static enum config_result check_family(const struct config *config,
				       const struct peer *peer, enum family_choice choice,
				       enum address_family family)
{
	const struct group *group = &config->groups[peer->group];

	if (group->options.family != choice || peer->host || has_address(peer, family))
		return CONFIG_VALID;
	return config_error(peer->place,
			    "peer `%s`: no %s address, but group `%s` has family = %s",
			    peer->name, address_family_name(family), group->name,
			    address_family_name(family));
}

/* Whether the peer may take one of the family's identifiers; a name may be of either. */
static bool may_be(const struct config *config, const struct peer *peer,
		   enum address_family family)
{
	enum family_choice choice = config->groups[peer->group].options.family;

	if (choice == (family == ADDRESS_IPV4 ? FAMILY_IPV6 : FAMILY_IPV4))
		return false;
	return peer->host || has_address(peer, family);
}

/* liboping tells replies apart by the 16-bit identifier, so each peer needs its own. */
static enum config_result check_count(const struct config *config,
				      enum address_family family)
{
	size_t count = 0;

	for (size_t i = 0; i < config->peer_count; i++) {
		const struct peer *peer = &config->peers[i];

		if (may_be(config, peer, family) && ++count > CONFIG_FAMILY_PEERS_MAX)
			return config_error(
				peer->place,
				"peer `%s`: too many peers that can be %s (at most %d, one for each ICMP identifier)",
				peer->name, address_family_name(family),
				CONFIG_FAMILY_PEERS_MAX);
	}
	return CONFIG_VALID;
}

enum config_result configcheck_peers(const struct config *config)
{
	enum config_result result = CONFIG_VALID;
	struct claim *claims;

	if (config->peer_count == 0)
		return CONFIG_VALID;
	/* A peer has a host or up to two addresses; both checks use the same memory. */
	claims = calloc(config->peer_count, 2 * sizeof(*claims));
	if (!claims)
		return CONFIG_NO_MEMORY;
	for (size_t i = 0; i < sizeof(uniques) / sizeof(uniques[0]); i++)
		result = config_worse(result, check_unique(config, &uniques[i], claims));
	free(claims);
	for (size_t i = 0; i < config->peer_count; i++) {
		const struct peer *peer = &config->peers[i];

		result = config_worse(
			result, check_family(config, peer, FAMILY_IPV4, ADDRESS_IPV4));
		result = config_worse(
			result, check_family(config, peer, FAMILY_IPV6, ADDRESS_IPV6));
	}
	result = config_worse(result, check_count(config, ADDRESS_IPV4));
	return config_worse(result, check_count(config, ADDRESS_IPV6));
}
