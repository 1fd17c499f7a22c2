/*
 * The targets of a node: made of peers, found by their labels, selected, counted, and the
 * hash by which nodes see that they agree.
 */
#include "fleet.h"

static void assert_address(const struct target *target, const char *expected)
{
	char text[ADDRESS_TEXT_SIZE];

	address_format(&target->address, text);
	assert_string_equal(text, expected);
}

#define PEERS                                                                            \
	"[peers]\n"                                                                      \
	"four = 10.0.0.1\n"                                                              \
	"six = fd00::1\n"                                                                \
	"fourfirst = 10.0.0.2, fd00::2\n"                                                \
	"sixfirst = fd00::3, 10.0.0.3\n"                                                 \
	"name = name.example.net\n"

static void auto_uses_the_first_address(void **state)
{
	struct fleet fleet;

	(void)state;
	fleet_load(&fleet, PEERS);
	assert_int_equal(fleet.targets.count, 5);
	assert_address(fleet_target(&fleet, "default", "four", ""), "10.0.0.1");
	assert_address(fleet_target(&fleet, "default", "six", ""), "fd00::1");
	assert_address(fleet_target(&fleet, "default", "fourfirst", ""), "10.0.0.2");
	assert_address(fleet_target(&fleet, "default", "sixfirst", ""), "fd00::3");
	assert_address(fleet_target(&fleet, "default", "name", ""), "");
	assert_int_equal(fleet_target(&fleet, "default", "name", "")->family,
			 ADDRESS_NONE);
	fleet_free(&fleet);
}

static void both_makes_a_target_for_each_address(void **state)
{
	struct fleet fleet;
	size_t next = 0;

	(void)state;
	fleet_load(&fleet, "[probe]\nfamily = both\n" PEERS);
	assert_int_equal(fleet.targets.count, 8);
	assert_address(fleet_target(&fleet, "default", "four", "ipv4"), "10.0.0.1");
	assert_address(fleet_target(&fleet, "default", "six", "ipv6"), "fd00::1");
	assert_address(fleet_target(&fleet, "default", "fourfirst", "ipv6"), "fd00::2");
	assert_address(fleet_target(&fleet, "default", "sixfirst", "ipv4"), "10.0.0.3");
	assert_address(fleet_target(&fleet, "default", "name", "ipv4"), "");
	assert_int_equal(fleet_target(&fleet, "default", "name", "ipv6")->family,
			 ADDRESS_IPV6);
	assert_null(targets_find(&fleet.targets, "default", "four", "ipv6", &next));
	assert_null(targets_find(&fleet.targets, "default", "four", "", &next));
	fleet_free(&fleet);
}

static void one_family_uses_its_address_and_has_no_label(void **state)
{
	struct fleet fleet;

	(void)state;
	fleet_load(&fleet, "[probe]\nfamily = ipv6\n[peers]\na = 10.0.0.1, fd00::1\n"
			   "b = b.example.net\n");
	assert_int_equal(fleet.targets.count, 2);
	assert_address(fleet_target(&fleet, "default", "a", ""), "fd00::1");
	assert_int_equal(fleet_target(&fleet, "default", "b", "")->family, ADDRESS_IPV6);
	assert_string_equal(target_family_label(&fleet.targets.items[0]), "");
	fleet_free(&fleet);
	fleet_load(&fleet, "[probe]\nfamily = ipv4\n[peers]\na = fd00::1, 10.0.0.1\n");
	assert_address(fleet_target(&fleet, "default", "a", ""), "10.0.0.1");
	fleet_free(&fleet);
}

static int compare_targets(const struct targets *targets, const struct target *a,
			   const struct target *b)
{
	int order =
		strcmp(target_group(targets, a)->name, target_group(targets, b)->name);

	if (order == 0)
		order = strcmp(a->peer->name, b->peer->name);
	return order ? order : strcmp(target_family_label(a), target_family_label(b));
}

/* A fleet with names that are prefixes of others, in no order. */
static void load_random_fleet(struct fleet *fleet, uint64_t *seed)
{
	char *ini;
	size_t size;
	FILE *out = open_memstream(&ini, &size);
	bool is_used[64] = {false};

	for (char group = 'c'; group >= 'a'; group--) {
		fprintf(out, "[probe %c]\nfamily = %s\n[peers %c]\n", group,
			fleet_random(seed, 2) ? "both" : "auto", group);
		memset(is_used, 0, sizeof(is_used));
		for (size_t i = 0; i < 20; i++) {
			size_t n = fleet_random(seed, 64);

			if (is_used[n])
				continue;
			is_used[n] = true;
			fprintf(out, "p%zo%s = ", n, n % 3 ? "" : ".x");
			if (n % 4 == 0)
				fprintf(out, "h%zu.example.net\n", n);
			else
				fprintf(out, "10.0.%d.%zu, fd00::%zu\n", group, n, n);
		}
	}
	assert_int_equal(fclose(out), 0);
	fleet_load(fleet, ini);
	free(ini);
}

static void every_target_is_found_from_any_start(void **state)
{
	uint64_t seed = fleet_seed();
	struct fleet fleet;

	(void)state;
	load_random_fleet(&fleet, &seed);
	assert_true(fleet.targets.count > 10);
	for (size_t i = 0; i < fleet.targets.count; i++) {
		struct target *target = &fleet.targets.items[i];

		if (i > 0)
			assert_true(compare_targets(&fleet.targets, target - 1, target) <
				    0);
		for (size_t start = 0; start < fleet.targets.count + 3; start++) {
			size_t next = start;

			assert_ptr_equal(
				targets_find(&fleet.targets,
					     target_group(&fleet.targets, target)->name,
					     target->peer->name,
					     target_family_label(target), &next),
				target);
			assert_int_equal(next, i + 1);
		}
	}
	fleet_free(&fleet);
}

static void unknown_labels_find_no_target(void **state)
{
	static const char *const strangers[][3] = {
		{"default", "a", "ipv4"}, {"default", "A", ""}, {"default", "", ""},
		{"default", "aa", ""},	  {"defaul", "a", ""},	{"", "a", ""},
		{"default", "z", ""},	  {"z", "a", ""}};
	struct fleet fleet;
	size_t next = SIZE_MAX;

	(void)state;
	fleet_load(&fleet, "[peers]\na = 10.0.0.1\nb = 10.0.0.2\n");
	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
		assert_null(targets_find(&fleet.targets, strangers[i][0], strangers[i][1],
					 strangers[i][2], &next));
		next = i;
	}
	assert_ptr_equal(targets_find_group(&fleet.targets, "default"),
			 fleet.targets.groups);
	assert_null(targets_find_group(&fleet.targets, "defaul"));
	fleet_free(&fleet);
}

static void no_peers_are_valid_targets(void **state)
{
	struct fleet fleet;
	size_t next = 0;

	(void)state;
	fleet_load(&fleet, "");
	assert_int_equal(fleet.targets.count, 0);
	assert_null(targets_find(&fleet.targets, "default", "a", "", &next));
	targets_select(&fleet.targets, "");
	fleet_free(&fleet);
}

static void assert_states(const struct fleet *fleet, size_t group, size_t probed,
			  size_t self, size_t unselected, size_t unresolved)
{
	const uint64_t *counts = fleet->targets.groups[group].states;

	assert_int_equal(counts[TARGET_PROBED], probed);
	assert_int_equal(counts[TARGET_SELF], self);
	assert_int_equal(counts[TARGET_UNSELECTED], unselected);
	assert_int_equal(counts[TARGET_UNRESOLVED], unresolved);
}

#define THREE "[peers]\na = 10.0.0.1\nb = b.example.net\nc = 10.0.0.3\n"

static void self_is_skipped_unless_configured_otherwise(void **state)
{
	struct fleet fleet;

	(void)state;
	fleet_load(&fleet, THREE);
	fleet.targets.groups[0].self = &fleet.config.peers[0];
	targets_select(&fleet.targets, "");
	assert_states(&fleet, 0, 1, 1, 0, 1);
	assert_int_equal(fleet.targets.items[0].state, TARGET_SELF);
	/* A peer without an address is self, too. */
	fleet.targets.groups[0].self = &fleet.config.peers[1];
	targets_select(&fleet.targets, "");
	assert_states(&fleet, 0, 2, 1, 0, 0);
	fleet.config.collector.skip_self = false;
	targets_select(&fleet.targets, "");
	assert_states(&fleet, 0, 2, 0, 0, 1);
	fleet_free(&fleet);
}

/* It would be measured without a network. */
static void an_address_of_this_host_is_not_pinged_as_another_peer(void **state)
{
	struct fleet fleet;

	(void)state;
	fleet_load(&fleet, THREE);
	fleet.targets.groups[0].self = &fleet.config.peers[0];
	fleet.targets.items[2].is_local = true;
	targets_select(&fleet.targets, "");
	assert_states(&fleet, 0, 0, 1, 1, 1);
	fleet.config.collector.skip_self = false;
	targets_select(&fleet.targets, "");
	assert_states(&fleet, 0, 1, 0, 1, 1);
	fleet_free(&fleet);
}

static void peers_besides_this_node_that_are_not_measured_are_seen(void **state)
{
	struct fleet fleet;

	(void)state;
	fleet_load(&fleet, "[probe]\nmembers_only = yes\n[peers]\na = 10.0.0.1\n"
			   "b = 10.0.0.2\n");
	targets_select(&fleet.targets, "");
	assert_true(targets_have_unselected(&fleet.targets));
	fleet.targets.groups[0].self = &fleet.config.peers[0];
	targets_select(&fleet.targets, "");
	assert_false(targets_have_unselected(&fleet.targets));
	fleet_free(&fleet);
	fleet_load(&fleet, "[peers]\na = 10.0.0.1\n");
	fleet.targets.groups[0].self = &fleet.config.peers[0];
	targets_select(&fleet.targets, "");
	assert_false(targets_have_unselected(&fleet.targets));
	fleet_free(&fleet);
	fleet_load(&fleet, "");
	assert_false(targets_have_unselected(&fleet.targets));
	fleet_free(&fleet);
}

/* What the lookups of a name in a group with `family = both` make of its two targets. */
static void a_name_with_addresses_of_one_family_is_one_target(void **state)
{
	static const struct {
		enum target_lookup lookups[2];
		const char *addresses[2];
		enum target_state states[2];
	} cases[] = {
		{{TARGET_RESOLVED, TARGET_NO_ADDRESS},
		 {"10.0.0.1", ""},
		 {TARGET_PROBED, TARGET_ABSENT}},
		{{TARGET_NO_ADDRESS, TARGET_RESOLVED},
		 {"", "fd00::1"},
		 {TARGET_ABSENT, TARGET_PROBED}},
		{{TARGET_RESOLVED, TARGET_LOOKUP_FAILED},
		 {"10.0.0.1", ""},
		 {TARGET_PROBED, TARGET_UNRESOLVED}},
		/* The address that it had is given up. */
		{{TARGET_RESOLVED, TARGET_NO_ADDRESS},
		 {"10.0.0.1", "fd00::1"},
		 {TARGET_PROBED, TARGET_ABSENT}},
		/* A name that is gone as a whole keeps its addresses. */
		{{TARGET_NO_ADDRESS, TARGET_NO_ADDRESS},
		 {"10.0.0.1", "fd00::1"},
		 {TARGET_PROBED, TARGET_PROBED}},
		{{TARGET_NO_ADDRESS, TARGET_NO_ADDRESS},
		 {"", ""},
		 {TARGET_UNRESOLVED, TARGET_UNRESOLVED}},
		{{TARGET_LOOKUP_FAILED, TARGET_NO_ADDRESS},
		 {"", ""},
		 {TARGET_UNRESOLVED, TARGET_UNRESOLVED}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fleet fleet;
		bool is_probed = false;

		fleet_load(&fleet, "[probe]\nfamily = both\n[peers]\nn.example.net =\n");
		assert_int_equal(fleet.targets.count, 2);
		for (size_t j = 0; j < 2; j++) {
			struct target *target = &fleet.targets.items[j];

			target->lookup = cases[i].lookups[j];
			(void)address_parse(cases[i].addresses[j], &target->address);
		}
		targets_select(&fleet.targets, "");
		for (size_t j = 0; j < 2; j++) {
			assert_int_equal(fleet.targets.items[j].state,
					 cases[i].states[j]);
			is_probed |= cases[i].states[j] == TARGET_PROBED;
		}
		assert_states(&fleet, 0, is_probed, 0, 0, !is_probed);
		fleet_free(&fleet);
	}
}

static void members_only_selects_nothing_on_other_nodes(void **state)
{
	struct fleet fleet;

	(void)state;
	fleet_load(&fleet, "[probe]\nmembers_only = yes\n" THREE);
	targets_select(&fleet.targets, "");
	assert_states(&fleet, 0, 0, 0, 3, 0);
	fleet.targets.groups[0].self = &fleet.config.peers[2];
	targets_select(&fleet.targets, "");
	assert_states(&fleet, 0, 1, 1, 0, 1);
	fleet.config.collector.skip_self = false;
	targets_select(&fleet.targets, "");
	assert_states(&fleet, 0, 2, 0, 0, 1);
	fleet_free(&fleet);
}

static void membership_is_decided_for_each_group(void **state)
{
	struct fleet fleet;

	(void)state;
	fleet_load(&fleet, "[probe]\nmembers_only = yes\n[peers a]\nx = 10.0.0.1\n"
			   "y = 10.0.0.2\n[peers b]\nx = 10.1.0.1\ny = 10.1.0.2\n");
	fleet.targets.groups[1].self = &fleet.config.peers[3];
	targets_select(&fleet.targets, "");
	assert_states(&fleet, 0, 0, 0, 2, 0);
	assert_states(&fleet, 1, 1, 1, 0, 0);
	fleet_free(&fleet);
}

#define FIVE                                                                             \
	"[peers]\na = 10.0.0.1\nb = 10.0.0.2, fd00::2\nc = 10.0.0.3\nd = 10.0.0.4\n"     \
	"e = e.example.net\n"

static void fanout_selects_some_members_for_every_node(void **state)
{
	struct fleet fleet;
	bool chosen[5];

	(void)state;
	fleet_load(&fleet, "[probe]\nfanout = 2\n" FIVE);
	fleet.targets.groups[0].self = &fleet.config.peers[1];
	targets_select(&fleet.targets, "elsewhere");
	targets_choose(&fleet.targets, 0, &fleet.config.peers[1], "", chosen);
	for (size_t i = 0; i < 5; i++)
		if (i != 1)
			assert_int_equal(fleet.targets.items[i].state !=
						 TARGET_UNSELECTED,
					 chosen[i]);
	assert_int_equal(fleet.targets.items[1].state, TARGET_SELF);
	assert_int_equal(targets_observers(&fleet.targets, 0), 2);
	/* A node that is not a member pings as many. */
	fleet.targets.groups[0].self = NULL;
	targets_select(&fleet.targets, "elsewhere");
	assert_int_equal(fleet.targets.items[0].state == TARGET_UNSELECTED, true);
	fleet_free(&fleet);
}

static void fanout_of_all_others_is_a_full_mesh(void **state)
{
	struct fleet fleet;

	(void)state;
	fleet_load(&fleet, "[probe]\nfanout = 4\nfamily = both\n" FIVE);
	fleet.targets.groups[0].self = &fleet.config.peers[2];
	targets_select(&fleet.targets, "");
	assert_states(&fleet, 0, 3, 1, 0, 1);
	assert_int_equal(targets_observers(&fleet.targets, 0), 4);
	fleet.config.groups[0].options.fanout = 9;
	targets_select(&fleet.targets, "");
	assert_states(&fleet, 0, 3, 1, 0, 1);
	assert_int_equal(targets_observers(&fleet.targets, 0), 4);
	/* Self is pinged in addition to the chosen members. */
	fleet.config.collector.skip_self = false;
	fleet.config.groups[0].options.fanout = 1;
	targets_select(&fleet.targets, "");
	assert_int_equal(fleet.targets.items[3].peer->name[0], 'c');
	assert_int_equal(fleet.targets.items[3].state, TARGET_PROBED);
	assert_int_equal(targets_observers(&fleet.targets, 0), 2);
	fleet_free(&fleet);
}

static void fanout_with_members_only_selects_nothing_on_other_nodes(void **state)
{
	struct fleet fleet;

	(void)state;
	fleet_load(&fleet, "[probe]\nfanout = 2\nmembers_only = yes\n" FIVE);
	targets_select(&fleet.targets, "elsewhere");
	assert_states(&fleet, 0, 0, 0, 5, 0);
	fleet_free(&fleet);
}

static void peer_with_two_targets_is_counted_once(void **state)
{
	struct fleet fleet;
	struct target *first, *second;
	struct address address;

	(void)state;
	fleet_load(&fleet, "[probe]\nfamily = both\n[peers]\na = 10.0.0.1, fd00::1\n"
			   "b = b.example.net\nc = fd00::3\n");
	assert_true(address_parse("10.0.0.2", &address));
	first = fleet_target(&fleet, "default", "b", "ipv4");
	second = fleet_target(&fleet, "default", "b", "ipv6");
	targets_select(&fleet.targets, "");
	assert_states(&fleet, 0, 2, 0, 0, 1);
	first->address = address;
	targets_select(&fleet.targets, "");
	assert_int_equal(second->state, TARGET_UNRESOLVED);
	assert_states(&fleet, 0, 3, 0, 0, 0);
	first->address.family = ADDRESS_NONE;
	second->address = address;
	targets_select(&fleet.targets, "");
	assert_states(&fleet, 0, 3, 0, 0, 0);
	fleet.targets.groups[0].self = &fleet.config.peers[0];
	targets_select(&fleet.targets, "");
	assert_states(&fleet, 0, 2, 1, 0, 0);
	fleet_free(&fleet);
}

static void states_have_their_documented_names(void **state)
{
	(void)state;
	assert_string_equal(targets_state_names[TARGET_PROBED], "probed");
	assert_string_equal(targets_state_names[TARGET_SELF], "self");
	assert_string_equal(targets_state_names[TARGET_UNSELECTED], "unselected");
	assert_string_equal(targets_state_names[TARGET_UNRESOLVED], "unresolved");
}

static void reset_discards_what_was_restored(void **state)
{
	struct fleet fleet;
	struct target *named, *numeric;

	(void)state;
	fleet_load(&fleet, "[probe]\nhistogram = group\n" THREE);
	named = fleet_target(&fleet, "default", "b", "");
	numeric = fleet_target(&fleet, "default", "a", "");
	named->address = numeric->address;
	named->lookup = TARGET_RESOLVED;
	named->is_due = true;
	named->previous = TARGET_UP;
	named->totals = (struct stats_totals){.requests = 3, .replies = 2, .unsent = 1};
	assert_int_equal(targets_add_counts(&fleet.targets, &named->totals.histogram), 0);
	assert_int_equal(
		targets_add_counts(&fleet.targets, &fleet.targets.groups[0].histogram),
		0);
	targets_reset(&fleet.targets);
	assert_address(named, "");
	assert_address(numeric, "10.0.0.1");
	assert_int_equal(named->lookup, TARGET_NOT_LOOKED_UP);
	assert_false(named->is_due);
	assert_int_equal(named->previous, TARGET_UNKNOWN);
	assert_int_equal(
		named->totals.requests + named->totals.replies + named->totals.unsent, 0);
	assert_null(named->totals.histogram.counts);
	assert_null(fleet.targets.groups[0].histogram.counts);
	fleet_free(&fleet);
}

static uint64_t hash_of(const char *ini)
{
	struct fleet fleet;
	uint64_t hash;

	fleet_load(&fleet, ini);
	hash = targets_list_hash(&fleet.targets, 0);
	assert_true(hash < UINT64_C(1) << 48);
	fleet_free(&fleet);
	return hash;
}

#define LIST "[peers]\na = 10.0.0.1\nb = b.example.net\nc = 10.0.0.3, fd00::3\n"

static void hash_ignores_order_and_case(void **state)
{
	static const char *const equal[] = {
		"[peers]\nc = 10.0.0.3, fd00::3\nb = b.example.net\na = 10.0.0.1\n",
		"[peers]\nC = 10.0.0.3, FD00:0::3\na = 10.0.0.1\nB = B.Example.NET\n",
		"[collector]\nself = a\nskip_self = no\n" LIST,
		"[probe]\ncount = 9\ntimeout = 2s\n" LIST,
		"[labels default]\nzone = x\n" LIST,
		"[peers]\na = 10.0.0.1 rack=7\n[peers]\nb = b.example.net\n"
		"c = 10.0.0.3, fd00::3\n",
		LIST "[peers other]\nx = 10.9.9.9\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(equal) / sizeof(equal[0]); i++)
		if (hash_of(equal[i]) != hash_of(LIST))
			fail_msg("another hash: %s", equal[i]);
}

static void hash_changes_with_every_difference(void **state)
{
	static const char *const lists[] = {
		LIST,
		"[peers]\n",
		"[peers]\na = 10.0.0.1\nb = b.example.net\n",
		"[peers]\na = 10.0.0.2\nb = b.example.net\nc = 10.0.0.3, fd00::3\n",
		"[peers]\na = 10.0.0.1\nb = b.example.org\nc = 10.0.0.3, fd00::3\n",
		"[peers]\na = 10.0.0.1\nb = b.example.net\nc = 10.0.0.3, fd00::4\n",
		"[peers]\na = 10.0.0.1\nb = b.example.net\nc = 10.0.0.3\n",
		"[peers]\na = 10.0.0.1\nb = b.example.net\nd = 10.0.0.3, fd00::3\n",
		"[peers]\na = 10.0.0.1\nb = 10.0.0.9\nc = 10.0.0.3, fd00::3\n",
		"[probe]\nfamily = both\n" LIST,
		"[probe]\nmembers_only = yes\n" LIST,
		"[probe]\nfamily = both\nmembers_only = yes\n" LIST,
		"[probe]\nfanout = 2\n" LIST,
		"[probe]\nfanout = 3\n" LIST,
		"[peers]\nab = 10.0.0.1\nc = 10.0.0.2\n",
		"[peers]\na = 10.0.0.1\nbc = 10.0.0.2\n",
		"[peers]\na = 10.0.0.2\nbc = 10.0.0.1\n",
		"[peers]\na = 10.0.0.1\n",
		"[probe]\nfamily = ipv4\n[peers]\na = 10.0.0.1\n",
	};
	size_t count = sizeof(lists) / sizeof(lists[0]);

	(void)state;
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < i; j++)
			if (hash_of(lists[i]) == hash_of(lists[j]))
				fail_msg("one hash: %s and %s", lists[i], lists[j]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(auto_uses_the_first_address),
		cmocka_unit_test(both_makes_a_target_for_each_address),
		cmocka_unit_test(one_family_uses_its_address_and_has_no_label),
		cmocka_unit_test(every_target_is_found_from_any_start),
		cmocka_unit_test(unknown_labels_find_no_target),
		cmocka_unit_test(no_peers_are_valid_targets),
		cmocka_unit_test(self_is_skipped_unless_configured_otherwise),
		cmocka_unit_test(an_address_of_this_host_is_not_pinged_as_another_peer),
		cmocka_unit_test(peers_besides_this_node_that_are_not_measured_are_seen),
		cmocka_unit_test(a_name_with_addresses_of_one_family_is_one_target),
		cmocka_unit_test(members_only_selects_nothing_on_other_nodes),
		cmocka_unit_test(membership_is_decided_for_each_group),
		cmocka_unit_test(fanout_selects_some_members_for_every_node),
		cmocka_unit_test(fanout_of_all_others_is_a_full_mesh),
		cmocka_unit_test(fanout_with_members_only_selects_nothing_on_other_nodes),
		cmocka_unit_test(peer_with_two_targets_is_counted_once),
		cmocka_unit_test(states_have_their_documented_names),
		cmocka_unit_test(reset_discards_what_was_restored),
		cmocka_unit_test(hash_ignores_order_and_case),
		cmocka_unit_test(hash_changes_with_every_difference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
