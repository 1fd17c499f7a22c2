#include "config/configcheck.h"

#include <stdlib.h>
#include <strings.h>

/*
 * What only one peer of a group may have: its name, its host, each of its addresses. Two
 * peers of one name would be two series with the same labels, which is no valid exposition.
 * Two peers of one address are usually a line that was copied and not changed: one node
 * would be measured under the name of another. A host name, or a scoped address, is one
 * address whatever it is resolved to.
 */
struct claim {
	const struct peer *peer;
	enum { CLAIM_NAME, CLAIM_ADDRESS, CLAIM_HOST } kind;
	const struct address *address; /* of CLAIM_ADDRESS */
	const char *text;	       /* of the others */
};

/* 0: two peers of one group claim the same. Host names ignore case, so do peers' names. */
static int compare(const struct claim *a, const struct claim *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->peer->group != b->peer->group)
		return a->peer->group < b->peer->group ? -1 : 1;
	return a->address ? address_compare(a->address, b->address)
			  : strcasecmp(a->text, b->text);
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

static enum config_result report(const struct config *config, const struct claim *first,
				 const struct claim *again)
{
	const struct peer *peer = again->peer, *other = first->peer;
	char text[ADDRESS_TEXT_SIZE];

	if (again->kind == CLAIM_NAME)
		return config_error(peer->place,
				    "peer `%s`: already in group `%s` at %s:%u",
				    peer->name, config->groups[peer->group].name,
				    other->place.path, other->place.line);
	/* A peer that is there twice has been reported by its name. */
	if (strcasecmp(other->name, peer->name) == 0)
		return CONFIG_VALID;
	if (again->address)
		address_format(again->address, text);
	return config_error(peer->place,
			    "peer `%s`: %s is already the address of peer `%s` at %s:%u",
			    peer->name, again->address ? text : again->text, other->name,
			    other->place.path, other->place.line);
}

/* Sorting brings equal claims together; comparing all pairs would take minutes. */
static enum config_result check_unique(const struct config *config)
{
	struct claim *claims = calloc(config->peer_count + 1, 3 * sizeof(*claims));
	enum config_result result = CONFIG_VALID;
	size_t count = 0;

	if (!claims)
		return CONFIG_NO_MEMORY;
	for (size_t i = 0; i < config->peer_count; i++) {
		const struct peer *peer = &config->peers[i];

		const struct claim all[] = {{peer, CLAIM_NAME, NULL, peer->name},
					    {peer, CLAIM_HOST, NULL, peer->host},
					    {peer, CLAIM_ADDRESS, &peer->v4, NULL},
					    {peer, CLAIM_ADDRESS, &peer->v6, NULL}};

		for (size_t j = 0; j < sizeof(all) / sizeof(all[0]); j++)
			if (all[j].text ||
			    (all[j].address && all[j].address->family != ADDRESS_NONE))
				claims[count++] = all[j];
	}
	qsort(claims, count, sizeof(*claims), by_claim_and_place);
	for (size_t i = 1; i < count; i++)
		if (compare(&claims[i - 1], &claims[i]) == 0)
			result = config_worse(result,
					      report(config, &claims[i - 1], &claims[i]));
	free(claims);
	return result;
}

/* The only family that a group wants; ADDRESS_NONE: it takes both. */
static enum address_family wanted_family(const struct group *group)
{
	switch (group->options.family) {
	case FAMILY_IPV4: return ADDRESS_IPV4;
	case FAMILY_IPV6: return ADDRESS_IPV6;
	case FAMILY_AUTO:
	case FAMILY_BOTH: break;
	}
	return ADDRESS_NONE;
}

/*
 * A name may turn out to be of either family. fe80::1%eth0, which is kept as a host, is of
 * IPv6.
 */
static bool may_have_address(const struct peer *peer, enum address_family family)
{
	char interface[IF_NAMESIZE];
	struct address addr;

	if (peer->host)
		return family == ADDRESS_IPV6 ||
		       !address_parse_scoped(peer->host, &addr, interface);
	return (family == ADDRESS_IPV4 ? peer->v4 : peer->v6).family != ADDRESS_NONE;
}

/*
 * A peer needs an address of the family that its group wants. Otherwise it would be listed
 * and never measured. With family = auto or both it is measured by what it has.
 */
static enum config_result check_family(const struct config *config,
				       const struct peer *peer)
{
	const struct group *group = &config->groups[peer->group];
	enum address_family family = wanted_family(group);

	if (family == ADDRESS_NONE || may_have_address(peer, family))
		return CONFIG_VALID;
	return config_error(peer->place,
			    "peer `%s`: no %s address, but group `%s` has family = %s",
			    peer->name, address_family_name(family), group->name,
			    address_family_name(family));
}

/*
 * liboping tells replies apart by the 16-bit identifier, so each peer of a family needs its
 * own.
 */
static enum config_result check_count(const struct config *config,
				      enum address_family family)
{
	size_t count = 0;

	for (size_t i = 0; i < config->peer_count; i++) {
		const struct peer *peer = &config->peers[i];
		enum address_family wanted = wanted_family(&config->groups[peer->group]);

		if (wanted != family && wanted != ADDRESS_NONE)
			continue;
		count += may_have_address(peer, family);
		if (count > CONFIG_FAMILY_PEERS_MAX)
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
	enum config_result result = check_unique(config);

	for (size_t i = 0; i < config->peer_count; i++)
		result = config_worse(result, check_family(config, &config->peers[i]));
	result = config_worse(result, check_count(config, ADDRESS_IPV4));
	return config_worse(result, check_count(config, ADDRESS_IPV6));
}
