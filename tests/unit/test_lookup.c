/*
 * Which names are looked up, and what a lookup changes. The test answers the lookups.
 */
#include "support.h"

#include <string.h>

#include "base/clock.h"
#include "peers/lookup.h"
#include "peers/resolve.h"
#include "base/stop.h"

#define S CLOCK_NS_PER_S
#define NOW_NS (INT64_C(1700000000) * S)
#define EVERY_NS (60 * S)
#define DEADLINE_NS (42 * S)

/* Peers: one name, a number, another name, a third. */
enum { ALPHA, NUMBER, BETA, GAMMA, PEERS };

static struct {
	/* By peer. */
	bool was_asked[PEERS];
	enum address_family families[PEERS];
	struct address given[PEERS];
	const char *answers[PEERS]; /* NULL: none */
	bool unasked[PEERS];	    /* not asked before the deadline */

	size_t calls, count;
	size_t first; /* the peer that was looked up first */
	bool stopped;
	int result;
} lookup;

static char alpha[] = "alpha.example", beta[] = "beta.example",
	    gamma_name[] = "gamma.example";
static char *const hosts[] = {alpha, NULL, beta, gamma_name};
static struct peer peers[PEERS];
static struct group group;
static struct config config;
static struct target items[PEERS];
static struct targets targets;
static struct stats_node node_of_run;

bool stop_requested(void)
{
	return lookup.stopped;
}

bool config_has_names(const struct config *c)
{
	for (size_t i = 0; i < c->peer_count; i++)
		if (c->peers[i].host)
			return true;
	return false;
}

static struct address parse(const char *text)
{
	struct address address;

	assert_true(address_parse(text, &address));
	return address;
}

static size_t find_peer(const char *host)
{
	for (size_t peer = 0; peer < PEERS; peer++)
		if (hosts[peer] && strcmp(host, hosts[peer]) == 0)
			return peer;
	fail_msg("%s was looked up", host);
	return 0;
}

static void answer(size_t peer, struct resolve_query *query)
{
	query->asked = !lookup.unasked[peer];
	query->answered = lookup.answers[peer] != NULL;
	if (query->answered)
		query->address = parse(lookup.answers[peer]);
}

int resolve_run(struct resolve_query *queries, size_t count, int64_t deadline_ns)
{
	lookup.calls++;
	lookup.count = count;
	assert_true(count <= PEERS);
	assert_int_equal(deadline_ns, DEADLINE_NS);
	for (size_t i = 0; i < count; i++) {
		size_t peer = find_peer(queries[i].host);

		if (i == 0)
			lookup.first = peer;
		assert_false(lookup.was_asked[peer]);
		lookup.was_asked[peer] = true;
		lookup.families[peer] = queries[i].family;
		lookup.given[peer] = queries[i].address;
		if (lookup.result == 0)
			answer(peer, &queries[i]);
	}
	return lookup.result;
}

/* All names have been looked up before, and found. */
static int reset(void **state)
{
	(void)state;
	memset(&lookup, 0, sizeof(lookup));
	memset(items, 0, sizeof(items));
	for (size_t i = 0; i < PEERS; i++) {
		peers[i] = (struct peer){.host = hosts[i]};
		items[i] = (struct target){.peer = &peers[i],
					   .address = parse("10.0.0.1"),
					   .resolved = hosts[i] != NULL,
					   .looked_up = hosts[i] != NULL};
	}
	config = (struct config){.groups = &group,
				 .group_count = 1,
				 .peers = peers,
				 .peer_count = PEERS,
				 .collector = {.resolve_every_ns = EVERY_NS}};
	targets = (struct targets){.config = &config, .items = items, .count = PEERS};
	node_of_run = (struct stats_node){.last_resolve_ns = NOW_NS - EVERY_NS};
	return 0;
}

static int resolve(void)
{
	return lookup_run(&targets, &node_of_run, DEADLINE_NS, NOW_NS);
}

static void assert_address(size_t target, const char *text)
{
	char actual[ADDRESS_TEXT_SIZE];

	address_format(&items[target].address, actual);
	assert_string_equal(actual, text);
}

static void all_names_are_looked_up_when_the_time_has_passed(void **state)
{
	struct address in_use = parse("10.0.0.33");

	(void)state;
	lookup.answers[ALPHA] = "10.1.0.1";
	lookup.answers[BETA] = "fd00::2";
	lookup.answers[GAMMA] = "10.1.0.3";
	items[BETA].family = ADDRESS_IPV6;
	items[GAMMA].address = in_use;
	assert_int_equal(resolve(), 0);
	assert_int_equal(lookup.calls, 1);
	assert_int_equal(lookup.count, 3);
	assert_int_equal(lookup.families[ALPHA], ADDRESS_NONE);
	assert_int_equal(lookup.families[BETA], ADDRESS_IPV6);
	/* The address in use goes along, so that it is kept if it is still right. */
	assert_true(address_equal(&lookup.given[GAMMA], &in_use));
	assert_address(ALPHA, "10.1.0.1");
	assert_address(NUMBER, "10.0.0.1");
	assert_address(BETA, "fd00::2");
	assert_address(GAMMA, "10.1.0.3");
	assert_int_equal(node_of_run.last_resolve_ns, NOW_NS);
}

static void no_name_is_looked_up_before_the_time_has_passed(void **state)
{
	(void)state;
	node_of_run.last_resolve_ns = NOW_NS - EVERY_NS + 1;
	items[GAMMA].resolved = false;
	assert_int_equal(resolve(), 0);
	assert_int_equal(lookup.count, 0);
	assert_int_equal(node_of_run.last_resolve_ns, NOW_NS - EVERY_NS + 1);
	assert_address(ALPHA, "10.0.0.1");
	assert_true(items[ALPHA].resolved);
	assert_false(items[GAMMA].resolved);
}

static void clock_that_went_back_makes_all_names_due(void **state)
{
	(void)state;
	node_of_run.last_resolve_ns = NOW_NS + 1;
	assert_int_equal(resolve(), 0);
	assert_int_equal(lookup.count, 3);
	assert_int_equal(node_of_run.last_resolve_ns, NOW_NS);
}

static void first_run_ever_looks_up_all_names(void **state)
{
	(void)state;
	node_of_run.last_resolve_ns = 0;
	assert_int_equal(resolve(), 0);
	assert_int_equal(lookup.count, 3);
	assert_int_equal(node_of_run.last_resolve_ns, NOW_NS);
}

static void every_run_looks_up_all_names_where_they_are_due_at_once(void **state)
{
	(void)state;
	config.collector.resolve_every_ns = 0;
	node_of_run.last_resolve_ns = NOW_NS;
	assert_int_equal(resolve(), 0);
	assert_int_equal(lookup.count, 3);
}

static void new_name_is_looked_up_alone_and_the_time_of_all_stays(void **state)
{
	(void)state;
	node_of_run.last_resolve_ns = NOW_NS - 1;
	items[BETA].looked_up = items[BETA].resolved = false;
	items[BETA].address = (struct address){.family = ADDRESS_NONE};
	lookup.answers[BETA] = "10.1.0.2";
	assert_int_equal(resolve(), 0);
	assert_int_equal(lookup.count, 1);
	assert_true(lookup.was_asked[BETA]);
	assert_address(BETA, "10.1.0.2");
	assert_true(items[BETA].resolved && items[BETA].looked_up);
	assert_int_equal(node_of_run.last_resolve_ns, NOW_NS - 1);
}

static void answers_go_to_their_own_targets_when_some_are_due(void **state)
{
	(void)state;
	node_of_run.last_resolve_ns = NOW_NS - 1;
	items[ALPHA].looked_up = items[GAMMA].looked_up = false;
	lookup.answers[ALPHA] = "10.1.0.1";
	lookup.answers[GAMMA] = "10.1.0.3";
	assert_int_equal(resolve(), 0);
	assert_int_equal(lookup.count, 2);
	assert_address(ALPHA, "10.1.0.1");
	assert_address(BETA, "10.0.0.1");
	assert_address(GAMMA, "10.1.0.3");
}

static void name_without_an_answer_keeps_its_address(void **state)
{
	(void)state;
	lookup.answers[ALPHA] = "10.1.0.1";
	items[GAMMA].address = (struct address){.family = ADDRESS_NONE};
	assert_int_equal(resolve(), 0);
	assert_true(items[ALPHA].resolved);
	assert_false(items[BETA].resolved);
	assert_true(items[BETA].looked_up);
	assert_address(BETA, "10.0.0.1");
	assert_false(items[GAMMA].resolved);
	assert_address(GAMMA, "");
	assert_int_equal(node_of_run.last_resolve_ns, NOW_NS);
}

static void name_not_asked_in_time_is_unresolved_and_due_again(void **state)
{
	(void)state;
	lookup.unasked[ALPHA] = lookup.unasked[BETA] = true;
	items[ALPHA].looked_up = items[ALPHA].resolved = false;
	assert_int_equal(resolve(), 0);
	assert_false(items[ALPHA].looked_up || items[ALPHA].resolved);
	assert_true(items[BETA].looked_up);
	assert_false(items[BETA].resolved);
	assert_address(BETA, "10.0.0.1");
	assert_false(items[GAMMA].resolved);
}

static void stop_leaves_the_lookup_due(void **state)
{
	(void)state;
	lookup.stopped = true;
	lookup.answers[ALPHA] = "10.1.0.1";
	lookup.unasked[BETA] = lookup.unasked[GAMMA] = true;
	assert_int_equal(resolve(), 0);
	assert_int_equal(node_of_run.last_resolve_ns, NOW_NS - EVERY_NS);
	assert_address(ALPHA, "10.1.0.1");
	assert_true(items[BETA].resolved);
}

static void every_name_comes_first_in_its_turn(void **state)
{
	bool was_first[PEERS] = {false};

	(void)state;
	for (int64_t second = 0; second < 10 * PEERS; second++) {
		reset(NULL);
		assert_int_equal(lookup_run(&targets, &node_of_run, DEADLINE_NS,
					    NOW_NS + second * S),
				 0);
		assert_int_equal(lookup.count, 3);
		was_first[lookup.first] = true;
	}
	assert_true(was_first[ALPHA] && was_first[BETA] && was_first[GAMMA]);
}

static void numeric_peer_is_never_resolved(void **state)
{
	(void)state;
	assert_int_equal(resolve(), 0);
	assert_false(items[NUMBER].looked_up);
	assert_false(items[NUMBER].resolved);
}

static void lookup_that_cannot_start_changes_nothing(void **state)
{
	(void)state;
	lookup.result = -1;
	assert_int_equal(resolve(), -1);
	assert_int_equal(node_of_run.last_resolve_ns, NOW_NS - EVERY_NS);
	for (size_t i = 0; i < PEERS; i++) {
		assert_address(i, "10.0.0.1");
		assert_int_equal(items[i].resolved, i != NUMBER);
	}
}

static void fleet_without_names_looks_up_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < PEERS; i++)
		peers[i].host = NULL;
	assert_int_equal(resolve(), 0);
	assert_int_equal(lookup.calls, 0);
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_names_are_looked_up_when_the_time_has_passed),
		TEST(no_name_is_looked_up_before_the_time_has_passed),
		TEST(clock_that_went_back_makes_all_names_due),
		TEST(first_run_ever_looks_up_all_names),
		TEST(every_run_looks_up_all_names_where_they_are_due_at_once),
		TEST(new_name_is_looked_up_alone_and_the_time_of_all_stays),
		TEST(answers_go_to_their_own_targets_when_some_are_due),
		TEST(name_without_an_answer_keeps_its_address),
		TEST(name_not_asked_in_time_is_unresolved_and_due_again),
		TEST(stop_leaves_the_lookup_due),
		TEST(every_name_comes_first_in_its_turn),
		TEST(numeric_peer_is_never_resolved),
		TEST(lookup_that_cannot_start_changes_nothing),
		TEST(fleet_without_names_looks_up_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
