/*
 * What only the whole configuration shows, on configurations that are made in memory.
 */
#include "support.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/configcheck.h"

static char path_a[] = "a.ini", path_b[] = "b.ini";
static char *files[] = {path_a, path_b};
static char group_names[][8] = {"first", "second"};

/* A configuration of up to two groups; peers are given in order. */
struct fixture {
	struct group groups[2];
	struct config config;
};

static void build(struct fixture *f, struct peer *peers, size_t count)
{
	memset(f, 0, sizeof(*f));
	f->config = (struct config){.groups = f->groups,
				    .group_count = 2,
				    .peers = peers,
				    .peer_count = count,
				    .files = files,
				    .file_count = 2};
	for (size_t i = 0; i < 2; i++)
		f->groups[i].name = group_names[i];
	for (size_t i = 0; i < count; i++) {
		struct group *group = &f->groups[peers[i].group];

		if (group->peer_count++ == 0)
			group->first_peer = i;
	}
}

/* The configuration is invalid if anything is said about it. */
static void expect(const struct fixture *f, const char *wanted)
{
	enum config_result result;
	char *log;

	support_capture_begin();
	result = configcheck_peers(&f->config);
	log = support_capture_end();
	assert_string_equal(log, wanted);
	free(log);
	assert_int_equal(result, *wanted ? CONFIG_INVALID : CONFIG_VALID);
}

static struct peer numeric(size_t group, char *name, const char *v4, const char *v6,
			   uint32_t line)
{
	struct peer peer = {
		.group = group, .name = name, .place = {files[line % 2], line % 2, line}};

	assert_true(!v4 || address_parse(v4, &peer.v4));
	assert_true(!v6 || address_parse(v6, &peer.v6));
	return peer;
}

static char a[] = "a", upper_a[] = "A", b[] = "b", c[] = "c", host[] = "host";

static void no_peers_are_no_error(void **state)
{
	struct fixture f;

	(void)state;
	build(&f, NULL, 0);
	expect(&f, "");
}

static void each_repetition_names_the_one_before_it(void **state)
{
	struct peer peers[] = {numeric(0, a, "10.0.0.1", NULL, 5),
			       numeric(0, upper_a, "10.0.0.2", NULL, 4),
			       numeric(0, a, "10.0.0.3", NULL, 3),
			       numeric(1, a, "10.0.0.1", NULL, 6)};
	struct fixture f;

	(void)state;
	build(&f, peers, 4);
	expect(&f,
	       "nodecanary: b.ini:3: peer `a`: already in group `first` at a.ini:4\n"
	       "nodecanary: b.ini:5: peer `a`: already in group `first` at b.ini:3\n");
}

static void an_address_stands_once_in_a_group_in_either_family(void **state)
{
	struct peer peers[] = {numeric(0, a, "10.0.0.1", "fd00::1", 2),
			       numeric(0, b, "10.0.0.1", NULL, 4),
			       numeric(0, c, "10.0.0.3", "fd00::1", 6),
			       numeric(1, a, "10.0.0.1", "fd00::1", 8)};
	struct fixture f;

	(void)state;
	build(&f, peers, 4);
	expect(&f,
	       "nodecanary: a.ini:4: peer `b`: 10.0.0.1 is already the address of peer `a` at a.ini:2\n"
	       "nodecanary: a.ini:6: peer `c`: fd00::1 is already the address of peer `a` at a.ini:2\n");
}

static void a_numeric_peer_has_an_address_of_its_groups_family(void **state)
{
	struct peer peers[] = {numeric(0, a, "10.0.0.1", NULL, 2),
			       numeric(0, b, "10.0.0.2", "fd00::2", 4),
			       numeric(0, c, NULL, NULL, 6),
			       numeric(1, a, NULL, "fd00::1", 8)};
	struct fixture f;

	(void)state;
	peers[2].host = host;
	build(&f, peers, 4);
	expect(&f, "");
	f.groups[0].options.family = f.groups[1].options.family = FAMILY_BOTH;
	expect(&f, "");
	f.groups[0].options.family = FAMILY_IPV6;
	f.groups[1].options.family = FAMILY_IPV4;
	expect(&f,
	       "nodecanary: a.ini:2: peer `a`: no ipv6 address, but group `first` has family = ipv6\n"
	       "nodecanary: a.ini:8: peer `a`: no ipv4 address, but group `second` has family = ipv4\n");
}

static void a_link_local_peer_with_its_interface_is_of_ipv6(void **state)
{
	char scoped[] = "fe80::1%eth0";
	struct peer peers[] = {numeric(0, a, NULL, NULL, 2)};
	struct fixture f;

	(void)state;
	peers[0].host = scoped;
	build(&f, peers, 1);
	expect(&f, "");
	f.groups[0].options.family = FAMILY_IPV6;
	expect(&f, "");
	f.groups[0].options.family = FAMILY_IPV4;
	expect(&f,
	       "nodecanary: a.ini:2: peer `a`: no ipv4 address, but group `first` has family = ipv4\n");
}

/* `count` peers of distinct names; with distinct IPv4 addresses, or names to look up. */
static struct peer *make_peers(size_t count, bool numeric_peers, char (**names)[8])
{
	struct peer *peers = calloc(count, sizeof(*peers));

	*names = calloc(count, sizeof(**names));
	assert_true(peers && *names);
	for (size_t i = 0; i < count; i++) {
		snprintf((*names)[i], 8, "n%06u", (unsigned)i % 1000000);
		peers[i].name = (*names)[i];
		peers[i].place = (struct place){files[0], 0, (uint32_t)i + 1};
		if (numeric_peers) {
			peers[i].v4.family = ADDRESS_IPV4;
			peers[i].v4.u.v4.s_addr = htonl((uint32_t)(0x0a000000 + i));
		} else {
			peers[i].host = peers[i].name;
		}
	}
	return peers;
}

#define TOO_MANY(family)                                                                 \
	"nodecanary: a.ini:65537: peer `n065536`: too many peers that can be " family    \
	" (at most 65536, one for each ICMP identifier)\n"

static void there_is_one_ident_for_each_peer_of_a_family(void **state)
{
	char(*names)[8];
	struct peer *peers = make_peers(CONFIG_FAMILY_PEERS_MAX + 1, true, &names);
	struct fixture f;

	(void)state;
	build(&f, peers, CONFIG_FAMILY_PEERS_MAX);
	expect(&f, "");
	build(&f, peers, CONFIG_FAMILY_PEERS_MAX + 1);
	expect(&f, TOO_MANY("ipv4"));
	free(peers);
	free(names);
}

static void a_name_counts_for_each_family_that_it_may_turn_out_to_be(void **state)
{
	char(*names)[8];
	struct peer *peers = make_peers(CONFIG_FAMILY_PEERS_MAX + 1, false, &names);
	struct fixture f;

	(void)state;
	build(&f, peers, CONFIG_FAMILY_PEERS_MAX + 1);
	expect(&f, TOO_MANY("ipv4") TOO_MANY("ipv6"));
	f.groups[0].options.family = FAMILY_IPV6;
	expect(&f, TOO_MANY("ipv6"));
	free(peers);
	free(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_peers_are_no_error),
		cmocka_unit_test(each_repetition_names_the_one_before_it),
		cmocka_unit_test(an_address_stands_once_in_a_group_in_either_family),
		cmocka_unit_test(a_numeric_peer_has_an_address_of_its_groups_family),
		cmocka_unit_test(a_link_local_peer_with_its_interface_is_of_ipv6),
		cmocka_unit_test(there_is_one_ident_for_each_peer_of_a_family),
		cmocka_unit_test(
			a_name_counts_for_each_family_that_it_may_turn_out_to_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
