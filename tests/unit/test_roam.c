/*
 * Roaming: the order in which peers are visited, and what becomes of those that are silent.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peers/fanout.h"
#include "peers/roam.h"

#define MEMBERS 1000
#define ROAM 7

static uint64_t seeds[MEMBERS];
static bool taken[MEMBERS], visited[MEMBERS];

static int set_up(void **state)
{
	char name[16];

	(void)state;
	for (int i = 0; i < MEMBERS; i++) {
		snprintf(name, sizeof(name), "node%d", i);
		seeds[i] = fanout_seed(name);
	}
	memset(taken, 0, sizeof(taken));
	return 0;
}

/* One run of the node `own`; returns how many members it visits. */
static size_t visit(size_t own, size_t roam, uint64_t *position)
{
	size_t count = 0;

	memset(visited, 0, sizeof(visited));
	roam_choose(seeds, MEMBERS, (struct fanout_observer){seeds[own], own}, roam,
		    taken, position, visited);
	for (size_t i = 0; i < MEMBERS; i++)
		count += visited[i];
	return count;
}

static void every_peer_is_visited_once_in_a_turn(void **state)
{
	unsigned visits[MEMBERS] = {0};
	uint64_t position = 0;

	(void)state;
	set_up(NULL);
	taken[3] = taken[4] = true;
	/* 998 peers: 142 runs of 7 and 4 more. */
	for (int run = 0; run < (MEMBERS - 2) / ROAM; run++) {
		assert_int_equal(visit(3, ROAM, &position), ROAM);
		for (size_t i = 0; i < MEMBERS; i++)
			visits[i] += visited[i];
	}
	assert_int_equal(visit(3, 4, &position), 4);
	for (size_t i = 0; i < MEMBERS; i++)
		assert_int_equal(visits[i] + visited[i], taken[i] ? 0 : 1);
}

/* As nodecanary.ini(5) says: with a run every 15 s, after 1.3 hours (median), at most 2.7. */
static void a_pair_of_10000_nodes_has_its_turn_in_hours(void **state)
{
	enum { NODES = 10000, FANOUT = 16, PEERS = NODES - 1 - FANOUT, RUN_S = 15 };
	static uint64_t places[NODES];
	static bool watched[NODES], asked[NODES];
	uint64_t position = 0;
	size_t found = 0;
	int run = 0, half = 0;

	(void)state;
	for (int i = 0; i < NODES; i++) {
		char name[16];

		snprintf(name, sizeof(name), "node%d", i);
		places[i] = fanout_seed(name);
		watched[i] = i < FANOUT;
	}
	for (; found < PEERS; run++) {
		memset(asked, 0, sizeof(asked));
		roam_choose(places, NODES,
			    (struct fanout_observer){places[FANOUT], FANOUT}, 16, watched,
			    &position, asked);
		for (size_t i = 0; i < NODES; i++) {
			found += asked[i];
			watched[i] |= asked[i];
		}
		if (half == 0 && found >= PEERS / 2)
			half = run;
	}
	assert_in_range(half * RUN_S, 1.2 * 3600, 1.4 * 3600);
	assert_in_range(run * RUN_S, 2.5 * 3600, 2.7 * 3600);
}

static void two_nodes_have_different_orders(void **state)
{
	uint64_t one = 0, other = 0;
	bool first[MEMBERS];
	size_t both = 0;

	(void)state;
	set_up(NULL);
	visit(1, 100, &one);
	memcpy(first, visited, sizeof(first));
	visit(2, 100, &other);
	for (size_t i = 0; i < MEMBERS; i++)
		both += first[i] && visited[i];
	/* 10 by chance; half of them would be an accident of one in 10^20. */
	assert_true(both < 50);
}

/* Members that come and go change nothing for the others. */
static void a_changed_list_goes_on_where_it_was(void **state)
{
	uint64_t position = 0, other = 0;
	bool next[MEMBERS];

	(void)state;
	set_up(NULL);
	visit(0, 50, &position);
	other = position;
	visit(0, 50, &position);
	memcpy(next, visited, sizeof(next));
	/* One that would have come next leaves, and one that was visited comes again. */
	for (size_t i = 0; i < MEMBERS; i++)
		if (next[i]) {
			taken[i] = true;
			next[i] = false;
			break;
		}
	visit(0, 49, &other);
	assert_memory_equal(next, visited, sizeof(next));
}

static void more_than_there_are_visits_all(void **state)
{
	uint64_t position = 12345;

	(void)state;
	set_up(NULL);
	taken[0] = true;
	assert_int_equal(visit(0, MEMBERS, &position), MEMBERS - 1);
	memset(taken, 1, sizeof(taken));
	assert_int_equal(visit(0, MEMBERS, &position), 0);
}

/* Two names may have the same place; both have their turn. */
static void equal_places_do_not_hide_each_other(void **state)
{
	uint64_t position = 0;

	(void)state;
	set_up(NULL);
	seeds[10] = seeds[11] = seeds[12];
	assert_int_equal(visit(0, MEMBERS, &position), MEMBERS - 1);
}

static void a_silent_peer_is_asked_again_before_it_is_listed(void **state)
{
	int64_t since_ns = 0;

	(void)state;
	assert_int_equal(roam_next_state(ROAM_WELL, true, &since_ns, 5, 0), ROAM_WELL);
	assert_int_equal(roam_next_state(ROAM_WELL, false, &since_ns, 5, 0),
			 ROAM_SUSPECT);
	assert_int_equal(roam_next_state(ROAM_SUSPECT, true, &since_ns, 6, 0), ROAM_WELL);
	assert_int_equal(since_ns, 0);
	assert_int_equal(roam_next_state(ROAM_SUSPECT, false, &since_ns, 6, 31),
			 ROAM_UNRESPONSIVE);
	assert_int_equal(since_ns, 6);
}

static void the_list_is_bounded(void **state)
{
	int64_t since_ns = 0;

	(void)state;
	assert_int_equal(
		roam_next_state(ROAM_SUSPECT, false, &since_ns, 6, ROAM_UNRESPONSIVE_MAX),
		ROAM_WELL);
}

static void a_listed_peer_leaves_when_it_answers_or_after_an_hour(void **state)
{
	int64_t since_ns = 100;

	(void)state;
	assert_int_equal(roam_next_state(ROAM_UNRESPONSIVE, true, &since_ns, 101, 1),
			 ROAM_WELL);
	assert_int_equal(roam_next_state(ROAM_UNRESPONSIVE, false, &since_ns,
					 99 + ROAM_LISTED_NS, 1),
			 ROAM_UNRESPONSIVE);
	assert_int_equal(roam_next_state(ROAM_UNRESPONSIVE, false, &since_ns,
					 100 + ROAM_LISTED_NS, 1),
			 ROAM_WELL);
	/* The wall clock was set back. */
	assert_int_equal(roam_next_state(ROAM_UNRESPONSIVE, false, &since_ns, 99, 1),
			 ROAM_WELL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_peer_is_visited_once_in_a_turn),
		cmocka_unit_test(a_pair_of_10000_nodes_has_its_turn_in_hours),
		cmocka_unit_test(two_nodes_have_different_orders),
		cmocka_unit_test(a_changed_list_goes_on_where_it_was),
		cmocka_unit_test(more_than_there_are_visits_all),
		cmocka_unit_test(equal_places_do_not_hide_each_other),
		cmocka_unit_test(a_silent_peer_is_asked_again_before_it_is_listed),
		cmocka_unit_test(the_list_is_bounded),
		cmocka_unit_test(a_listed_peer_leaves_when_it_answers_or_after_an_hour),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
