#include "config/configcheck.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/inifile.h"
#include "base/log.h"

/* An address or a name of a peer, to be sorted. */
struct claim {
	const struct peer *peer;
	const struct address *address;
};

static int by_place(const struct peer *a, const struct peer *b)
{
	if (a->place.file != b->place.file)
		return a->place.file < b->place.file ? -1 : 1;
	return a->place.line < b->place.line ? -1 : a->place.line > b->place.line;
}

static int by_group(const struct claim *a, const struct claim *b)
{
	if (a->peer->group != b->peer->group)
		return a->peer->group < b->peer->group ? -1 : 1;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct claim *one = a, *other = b;
	int order = by_group(one, other);

	if (order == 0)
		order = strcasecmp(one->peer->name, other->peer->name);
	return order ? order : by_place(one->peer, other->peer);
}

static int by_address(const void *a, const void *b)
{
	const struct claim *one = a, *other = b;
	int order = by_group(one, other);

	if (order == 0)
		order = address_compare(one->address, other->address);
	return order ? order : by_place(one->peer, other->peer);
}

static struct inifile place_of(const struct config *config, const struct peer *peer)
{
	return (struct inifile){.path = config->files[peer->place.file],
				.line = peer->place.line};
}

/* Host names do not know upper and lower case, so neither do peers. */
static unsigned check_names(const struct config *config, struct claim *claims)
{
	unsigned errors = 0;

	for (size_t i = 0; i < config->peer_count; i++)
		claims[i].peer = &config->peers[i];
	qsort(claims, config->peer_count, sizeof(*claims), by_name);
	for (size_t i = 1; i < config->peer_count; i++) {
		const struct peer *first = claims[i - 1].peer, *again = claims[i].peer;
		struct inifile file = place_of(config, again);

		if (by_group(&claims[i - 1], &claims[i]) != 0 ||
		    strcasecmp(first->name, again->name) != 0)
			continue;
		inifile_complain(
			&file,
			"peer `%s` a second time in group `%s`, expected it once: already at %s:%u",
			again->name, config->groups[again->group].name,
			config->files[first->place.file], first->place.line);
		errors += file.errors;
	}
	return errors;
}

static unsigned check_addresses(const struct config *config, struct claim *claims)
{
	unsigned errors = 0;
	size_t count = 0;

	for (size_t i = 0; i < config->peer_count; i++) {
		const struct peer *peer = &config->peers[i];

		if (peer->v4.family != ADDRESS_NONE)
			claims[count++] = (struct claim){peer, &peer->v4};
		if (peer->v6.family != ADDRESS_NONE)
			claims[count++] = (struct claim){peer, &peer->v6};
	}
	qsort(claims, count, sizeof(*claims), by_address);
	for (size_t i = 1; i < count; i++) {
		const struct peer *first = claims[i - 1].peer, *again = claims[i].peer;
		struct inifile file = place_of(config, again);
		char text[ADDRESS_TEXT_SIZE];

		/* A name that is there twice has been reported as such. */
		if (by_group(&claims[i - 1], &claims[i]) != 0 ||
		    strcasecmp(first->name, again->name) == 0 ||
		    !address_equal(claims[i - 1].address, claims[i].address))
			continue;
		address_format(claims[i].address, text);
		inifile_complain(
			&file,
			"peer `%s` has the address %s of peer `%s` at %s:%u, expected each address once in a group",
			again->name, text, first->name, config->files[first->place.file],
			first->place.line);
		errors += file.errors;
	}
	return errors;
}

static int by_host(const void *a, const void *b)
{
	const struct claim *one = a, *other = b;
	int order = by_group(one, other);

	if (order == 0)
		order = strcasecmp(one->peer->host, other->peer->host);
	return order ? order : by_place(one->peer, other->peer);
}

/* One host name, or one scoped address, is one address whatever it turns out to be. */
static unsigned check_hosts(const struct config *config, struct claim *claims)
{
	unsigned errors = 0;
	size_t count = 0;

	for (size_t i = 0; i < config->peer_count; i++)
		if (config->peers[i].host)
			claims[count++].peer = &config->peers[i];
	qsort(claims, count, sizeof(*claims), by_host);
	for (size_t i = 1; i < count; i++) {
		const struct peer *first = claims[i - 1].peer, *again = claims[i].peer;
		struct inifile file = place_of(config, again);

		if (by_group(&claims[i - 1], &claims[i]) != 0 ||
		    strcasecmp(first->name, again->name) == 0 ||
		    strcasecmp(first->host, again->host) != 0)
			continue;
		inifile_complain(
			&file,
			"peer `%s` has the address %s of peer `%s` at %s:%u, expected each address once in a group",
			again->name, again->host, first->name,
			config->files[first->place.file], first->place.line);
		errors += file.errors;
	}
	return errors;
}

/* A numeric peer has an address of the family that its group wants. */
static unsigned check_families(const struct config *config)
{
	unsigned errors = 0;

	for (size_t i = 0; i < config->peer_count; i++) {
		const struct peer *peer = &config->peers[i];
		const struct group *group = &config->groups[peer->group];
		enum family_choice family = group->options.family;
		struct inifile file = place_of(config, peer);

		if (peer->host)
			continue;
		if (family == FAMILY_IPV4 && peer->v4.family == ADDRESS_NONE)
			inifile_complain(
				&file,
				"peer `%s` has no IPv4 address, expected one for group `%s` with family = ipv4",
				peer->name, group->name);
		if (family == FAMILY_IPV6 && peer->v6.family == ADDRESS_NONE)
			inifile_complain(
				&file,
				"peer `%s` has no IPv6 address, expected one for group `%s` with family = ipv6",
				peer->name, group->name);
		errors += file.errors;
	}
	return errors;
}

/* A name may turn out to be of either family. */
static bool may_be(const struct config *config, const struct peer *peer,
		   enum address_family family)
{
	enum family_choice choice = config->groups[peer->group].options.family;

	if (choice == (family == ADDRESS_IPV4 ? FAMILY_IPV6 : FAMILY_IPV4))
		return false;
	return peer->host ||
	       (family == ADDRESS_IPV4 ? peer->v4 : peer->v6).family != ADDRESS_NONE;
}

static unsigned check_count(const struct config *config, enum address_family family)
{
	size_t count = 0;

	for (size_t i = 0; i < config->peer_count; i++) {
		const struct peer *peer = &config->peers[i];
		struct inifile file = place_of(config, peer);

		if (!may_be(config, peer, family) || ++count <= CONFIG_FAMILY_PEERS_MAX)
			continue;
		inifile_complain(
			&file,
			"peer `%s` is one more than %d peers that can be %s, expected at most so many: there is one ICMP ident for each",
			peer->name, CONFIG_FAMILY_PEERS_MAX, address_family_name(family));
		return 1;
	}
	return 0;
}

unsigned configcheck_peers(const struct config *config, bool *no_memory)
{
	struct claim *claims;
	unsigned errors = 0;

	if (config->peer_count == 0)
		return 0;
	claims = calloc(config->peer_count, 2 * sizeof(*claims));
	if (!claims) {
		log_errx("out of memory");
		*no_memory = true;
		return 0;
	}
	errors += check_names(config, claims);
	errors += check_addresses(config, claims);
	errors += check_hosts(config, claims);
	errors += check_families(config);
	errors += check_count(config, ADDRESS_IPV4);
	errors += check_count(config, ADDRESS_IPV6);
	free(claims);
	return errors;
}
