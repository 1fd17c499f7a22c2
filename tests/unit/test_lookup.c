/*
 * Which names are looked up, and what a lookup changes. The test answers the lookups.
 */
#include "support.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "peers/lookup.h"
#include "peers/resolve.h"
#include "peers/route.h"

#define S CLOCK_NS_PER_S
#define NOW_NS (INT64_C(1700000000) * S)
#define EVERY_NS (60 * S)
#define DEADLINE_NS (42 * S)

/* Peers: one name, a number, another name, a third; BOTH has a target for each family. */
enum { ALPHA, NUMBER, BETA, BOTH_4, BOTH_6, TARGETS };
enum { PEERS = 4 };

/* What becomes of a question, for each target and, of two questions, each family. */
struct reply {
	enum resolve_result result;
	const char *address;
	bool is_unreachable;
};

static struct {
	struct reply v4[TARGETS], v6[TARGETS];
	struct address given[TARGETS];
	unsigned questions[TARGETS]; /* how many in the last run */
	int first;		     /* the target that was asked for first */
	int64_t took_ns;
	size_t calls, count;
	const char *full_name; /* NULL: it is not wanted */
	bool asked_full_name;
	bool has_no_route; /* for the addresses in use */
	int result;
} lookup;

static char alpha[] = "alpha.example", beta[] = "beta.example", both[] = "both.example";
static struct peer peers[PEERS];
static struct group group;
static struct target_group target_group_of_all;
static struct config config;
static struct target items[TARGETS];
static struct targets targets;
static struct stats_node node_of_run;
static struct self self_of_run;

static struct address parse(const char *text)
{
	struct address address;

	assert_true(address_parse(text, &address));
	return address;
}

bool self_wants_full_name(const struct self *self, const struct targets *t)
{
	assert_ptr_equal(self, &self_of_run);
	assert_ptr_equal(t, &targets);
	return lookup.full_name != NULL;
}

void self_set_full_name(struct self *self, const char *name)
{
	if (*name)
		strcpy(self->qualified, name);
}

int route_find(const struct address *to, const struct source *source, const char *device,
	       struct mark mark, struct address *from)
{
	(void)to;
	(void)mark;
	assert_ptr_equal(source, &group.options.source);
	assert_ptr_equal(device, group.options.device);
	assert_null(from);
	return lookup.has_no_route ? -1 : 0;
}

static void answer(struct resolve_query *query)
{
	ptrdiff_t i = (struct target *)query->owner - items;
	const struct reply *reply =
		query->family == ADDRESS_IPV4 ? &lookup.v4[i] : &lookup.v6[i];

	lookup.questions[i]++;
	lookup.given[i] = query->address;
	assert_string_equal(query->host, items[i].peer->host);
	assert_ptr_equal(query->options, &group.options);
	query->result = reply->result;
	query->is_reachable = !reply->is_unreachable;
	query->took_ns = lookup.took_ns;
	if (reply->address)
		query->address = parse(reply->address);
}

int resolve_run(struct resolve_query *queries, size_t count, int64_t deadline_ns)
{
	lookup.calls++;
	lookup.count = count;
	assert_int_equal(deadline_ns, DEADLINE_NS);
	for (size_t i = 0; i < count && lookup.result == 0; i++) {
		if (queries[i].canonical) {
			assert_int_equal(i, 0);
			assert_string_equal(queries[i].host, "host");
			lookup.asked_full_name = true;
			strcpy(queries[i].canonical, lookup.full_name);
			continue;
		}
		if (lookup.first < 0)
			lookup.first = (int)((struct target *)queries[i].owner - items);
		answer(&queries[i]);
	}
	return lookup.result;
}

/* All names have been looked up before, and found; nothing will be answered. */
static int reset(void **state)
{
	static char *const hosts[PEERS] = {alpha, NULL, beta, both};
	static const size_t peer_of[TARGETS] = {0, 1, 2, 3, 3};

	(void)state;
	memset(&lookup, 0, sizeof(lookup));
	lookup.first = -1;
	memset(items, 0, sizeof(items));
	for (size_t i = 0; i < PEERS; i++)
		peers[i] = (struct peer){.host = hosts[i]};
	for (size_t i = 0; i < TARGETS; i++) {
		const struct peer *peer = &peers[peer_of[i]];

		items[i] = (struct target){
			.peer = peer,
			.address = parse(i == BOTH_6 ? "fd00::1" : "10.0.0.1"),
			.lookup = peer->host ? TARGET_RESOLVED : TARGET_NOT_LOOKED_UP};
		lookup.v4[i] = (struct reply){RESOLVE_NO_ADDRESS, NULL, false};
		lookup.v6[i] = lookup.v4[i];
	}
	items[BOTH_4].family = ADDRESS_IPV4;
	items[BOTH_6].family = ADDRESS_IPV6;
	target_group_of_all = (struct target_group){.self = NULL};
	config = (struct config){
		.groups = &group,
		.group_count = 1,
		.peers = peers,
		.peer_count = PEERS,
		.collector = {.resolve_every_ns = EVERY_NS, .skip_self = true}};
	targets = (struct targets){.config = &config,
				   .items = items,
				   .count = TARGETS,
				   .groups = &target_group_of_all};
	node_of_run = (struct stats_node){.last_resolve_ns = NOW_NS - EVERY_NS};
	self_of_run = (struct self){.host = "host"};
	return 0;
}

/* Runs the lookups; returns what was logged, to be freed. */
static char *resolve_with_log(void)
{
	memset(lookup.questions, 0, sizeof(lookup.questions));
	lookup.first = -1;
	lookup.count = 0;
	support_capture_begin();
	lookup_run(&targets, &node_of_run, &self_of_run, DEADLINE_NS, NOW_NS);
	return support_capture_end();
}

static void resolve(void)
{
	free(resolve_with_log());
}

static void resolve_before_time(void)
{
	node_of_run.last_resolve_ns = NOW_NS - EVERY_NS + 1;
	resolve();
}

static void assert_address(size_t target, const char *text)
{
	char actual[ADDRESS_TEXT_SIZE];

	address_format(&items[target].address, actual);
	assert_string_equal(actual, text);
}

static void forget(size_t target)
{
	items[target].lookup = TARGET_NOT_LOOKED_UP;
	items[target].address = (struct address){.family = ADDRESS_NONE};
}

static void all_names_are_looked_up_when_the_time_has_passed(void **state)
{
	struct address in_use = parse("10.0.0.33");

	(void)state;
	lookup.v4[ALPHA] = (struct reply){RESOLVE_FOUND, "10.1.0.1", false};
	lookup.v6[BETA] = (struct reply){RESOLVE_FOUND, "fd00::2", false};
	lookup.v4[BOTH_4] = (struct reply){RESOLVE_FOUND, "10.1.0.3", false};
	lookup.v6[BOTH_6] = (struct reply){RESOLVE_FOUND, "fd00::3", false};
	items[ALPHA].address = in_use;
	resolve();
	assert_int_equal(lookup.calls, 1);
	/* Two questions for a target of either family, one for each other. */
	assert_int_equal(lookup.count, 6);
	assert_int_equal(lookup.questions[ALPHA], 2);
	assert_int_equal(lookup.questions[BOTH_4], 1);
	assert_int_equal(lookup.questions[NUMBER], 0);
	/* The address in use goes along, so that it is kept if it is still right. */
	assert_true(address_equal(&lookup.given[ALPHA], &in_use));
	assert_address(ALPHA, "10.1.0.1");
	assert_address(NUMBER, "10.0.0.1");
	assert_address(BETA, "fd00::2");
	assert_address(BOTH_4, "10.1.0.3");
	assert_address(BOTH_6, "fd00::3");
	for (size_t i = 0; i < TARGETS; i++)
		assert_false(items[i].is_due && items[i].peer->host);
	assert_int_equal(node_of_run.last_resolve_ns, NOW_NS);
}

static void no_name_is_looked_up_before_the_time_has_passed(void **state)
{
	(void)state;
	items[BETA].lookup = TARGET_LOOKUP_FAILED;
	resolve_before_time();
	assert_int_equal(lookup.count, 0);
	assert_int_equal(node_of_run.last_resolve_ns, NOW_NS - EVERY_NS + 1);
	assert_address(ALPHA, "10.0.0.1");
	assert_int_equal(items[ALPHA].lookup, TARGET_RESOLVED);
	assert_int_equal(items[BETA].lookup, TARGET_LOOKUP_FAILED);
}

static void time_that_is_not_known_makes_all_names_due(void **state)
{
	static const int64_t last_ns[] = {NOW_NS + 1, 0};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		reset(NULL);
		node_of_run.last_resolve_ns = last_ns[i];
		resolve();
		assert_int_equal(lookup.count, 6);
		assert_int_equal(node_of_run.last_resolve_ns, NOW_NS);
	}
}

static void every_run_looks_up_all_names_where_they_are_due_at_once(void **state)
{
	(void)state;
	config.collector.resolve_every_ns = 0;
	node_of_run.last_resolve_ns = NOW_NS;
	resolve();
	assert_int_equal(lookup.count, 6);
}

static void new_name_is_looked_up_alone_and_the_time_of_all_stays(void **state)
{
	(void)state;
	forget(BETA);
	lookup.v4[BETA] = (struct reply){RESOLVE_FOUND, "10.1.0.2", false};
	resolve_before_time();
	assert_int_equal(lookup.count, 2);
	assert_int_equal(lookup.questions[BETA], 2);
	assert_address(BETA, "10.1.0.2");
	assert_int_equal(items[BETA].lookup, TARGET_RESOLVED);
	assert_int_equal(node_of_run.last_resolve_ns, NOW_NS - EVERY_NS + 1);
}

static void one_address_is_enough_whatever_the_other_family_does(void **state)
{
	static const enum resolve_result others[] = {RESOLVE_NOT_ASKED, RESOLVE_CUT_OFF,
						     RESOLVE_FAILED, RESOLVE_REFUSED,
						     RESOLVE_NO_ADDRESS};

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		reset(NULL);
		forget(ALPHA);
		lookup.v4[ALPHA] = (struct reply){RESOLVE_FOUND, "10.1.0.1", false};
		lookup.v6[ALPHA] = (struct reply){others[i], NULL, false};
		resolve();
		assert_address(ALPHA, "10.1.0.1");
		assert_int_equal(items[ALPHA].lookup, TARGET_RESOLVED);
		assert_false(items[ALPHA].is_due);
	}
}

/* Only an answer moves a peer to the other family: an outage of one of them does not. */
static void address_in_use_stays_where_nobody_answers_for_its_family(void **state)
{
	static const struct {
		enum resolve_result v4;
		const char *expected;
		enum target_lookup lookup;
		bool is_due;
	} cases[] = {
		{RESOLVE_NOT_ASKED, "10.0.0.1", TARGET_RESOLVED, true},
		{RESOLVE_CUT_OFF, "10.0.0.1", TARGET_LOOKUP_FAILED, true},
		{RESOLVE_FAILED, "10.0.0.1", TARGET_LOOKUP_FAILED, false},
		{RESOLVE_REFUSED, "fd00::1", TARGET_RESOLVED, false},
		{RESOLVE_NO_ADDRESS, "fd00::1", TARGET_RESOLVED, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		reset(NULL);
		lookup.v6[ALPHA] = (struct reply){RESOLVE_FOUND, "fd00::1", false};
		lookup.v4[ALPHA] = (struct reply){cases[i].v4, NULL, false};
		resolve();
		assert_address(ALPHA, cases[i].expected);
		assert_int_equal(items[ALPHA].lookup, cases[i].lookup);
		assert_int_equal(items[ALPHA].is_due, cases[i].is_due);
	}
}

static void address_without_a_route_gives_way_to_the_other_family(void **state)
{
	(void)state;
	for (int is_unreachable = 0; is_unreachable < 2; is_unreachable++) {
		reset(NULL);
		lookup.has_no_route = true;
		lookup.v6[ALPHA] =
			(struct reply){RESOLVE_FOUND, "fd00::1", is_unreachable};
		lookup.v4[ALPHA] = (struct reply){RESOLVE_CUT_OFF, NULL, false};
		resolve();
		assert_address(ALPHA, is_unreachable ? "10.0.0.1" : "fd00::1");
	}
}

static void of_two_addresses_the_better_one_is_taken(void **state)
{
	static const struct {
		const char *in_use, *expected;
		bool no_v4, no_v6; /* cannot be reached */
	} cases[] = {{"", "fd00::1", false, false},
		     {"", "10.1.0.1", false, true},
		     {"", "fd00::1", true, false},
		     {"10.1.0.1", "10.1.0.1", false, false},
		     {"fd00::1", "fd00::1", false, false},
		     {"10.1.0.1", "fd00::1", true, false},
		     {"fd00::1", "10.1.0.1", false, true},
		     {"10.1.0.1", "10.1.0.1", true, true},
		     {"10.9.9.9", "fd00::1", false, false}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		reset(NULL);
		(void)address_parse(cases[i].in_use, &items[ALPHA].address);
		lookup.v4[ALPHA] =
			(struct reply){RESOLVE_FOUND, "10.1.0.1", cases[i].no_v4};
		lookup.v6[ALPHA] =
			(struct reply){RESOLVE_FOUND, "fd00::1", cases[i].no_v6};
		resolve();
		assert_address(ALPHA, cases[i].expected);
	}
}

/* What a run leaves of a name, by the worse of two answers; the address always stays. */
static void a_failure_keeps_the_address_and_is_told_from_no_time(void **state)
{
	static const struct {
		enum resolve_result v4, v6;
		enum target_lookup lookup;
		bool is_due;
	} cases[] = {
		{RESOLVE_NOT_ASKED, RESOLVE_NOT_ASKED, TARGET_RESOLVED, true},
		{RESOLVE_NO_ADDRESS, RESOLVE_NOT_ASKED, TARGET_RESOLVED, true},
		{RESOLVE_CUT_OFF, RESOLVE_NO_ADDRESS, TARGET_LOOKUP_FAILED, true},
		{RESOLVE_FAILED, RESOLVE_FAILED, TARGET_LOOKUP_FAILED, false},
		{RESOLVE_REFUSED, RESOLVE_NO_ADDRESS, TARGET_LOOKUP_FAILED, false},
		{RESOLVE_NO_ADDRESS, RESOLVE_NO_ADDRESS, TARGET_NO_ADDRESS, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		reset(NULL);
		lookup.v4[ALPHA] = (struct reply){cases[i].v4, NULL, false};
		lookup.v6[ALPHA] = (struct reply){cases[i].v6, NULL, false};
		resolve();
		assert_address(ALPHA, "10.0.0.1");
		assert_int_equal(items[ALPHA].lookup, cases[i].lookup);
		assert_int_equal(items[ALPHA].is_due, cases[i].is_due);
	}
}

static void what_was_found_on_the_way_to_another_address_is_forgotten(void **state)
{
	static const char *const found[] = {"10.0.0.1", "10.1.0.1"};
	struct trace trace = {.at_ns = 7, .hops = 3};
	struct path_mtu mtu = {.at_ns = 8, .bytes = 1500};

	(void)state;
	items[ALPHA].trace = &trace;
	items[ALPHA].mtu = &mtu;
	for (size_t i = 0; i < 2; i++) {
		node_of_run.last_resolve_ns = 0;
		lookup.v4[ALPHA] = (struct reply){RESOLVE_FOUND, found[i], false};
		resolve();
		assert_address(ALPHA, found[i]);
		assert_int_equal(trace.is_over, i == 1);
		assert_int_equal(mtu.bytes, i == 1 ? 0 : 1500);
	}
	/* When it was keeps the next ones from being made too early. */
	assert_int_equal(trace.at_ns, 7);
	assert_int_equal(mtu.at_ns, 8);
}

static void a_peer_without_any_address_is_asked_for_again_after_a_failure(void **state)
{
	(void)state;
	forget(ALPHA);
	lookup.v4[ALPHA] = lookup.v6[ALPHA] = (struct reply){RESOLVE_FAILED, NULL, false};
	resolve();
	assert_true(items[ALPHA].is_due);
	resolve_before_time();
	assert_int_equal(lookup.questions[ALPHA], 2);
	lookup.v4[ALPHA] = lookup.v6[ALPHA] =
		(struct reply){RESOLVE_NO_ADDRESS, NULL, false};
	resolve_before_time();
	assert_int_equal(lookup.questions[ALPHA], 2);
	resolve_before_time();
	assert_int_equal(lookup.questions[ALPHA], 0);
}

static void what_a_run_does_not_come_to_the_next_one_begins_with(void **state)
{
	(void)state;
	lookup.v4[ALPHA] = lookup.v6[ALPHA] =
		(struct reply){RESOLVE_CUT_OFF, NULL, false};
	lookup.v4[BETA] = lookup.v6[BETA] =
		(struct reply){RESOLVE_NOT_ASKED, NULL, false};
	resolve();
	resolve_before_time();
	assert_int_equal(lookup.first, BETA);
	assert_int_equal(lookup.questions[ALPHA], 2);
	assert_int_equal(lookup.count, 4);
	assert_int_equal(items[BETA].lookup, TARGET_RESOLVED);
}

/* Otherwise the last names would never have their turn. */
static void a_new_turn_waits_for_names_that_no_run_has_come_to(void **state)
{
	(void)state;
	items[BETA].is_due = true;
	resolve();
	assert_int_equal(lookup.count, 2);
	assert_int_equal(lookup.questions[BETA], 2);
	assert_int_equal(node_of_run.last_resolve_ns, NOW_NS - EVERY_NS);
	resolve();
	assert_int_equal(lookup.count, 6);
	assert_int_equal(node_of_run.last_resolve_ns, NOW_NS);
}

static void names_that_nobody_answers_hold_up_no_turn(void **state)
{
	(void)state;
	items[BETA].is_due = true;
	items[BETA].lookup = TARGET_LOOKUP_FAILED;
	resolve();
	assert_int_equal(lookup.count, 6);
	assert_int_equal(node_of_run.last_resolve_ns, NOW_NS);
}

static void every_name_comes_first_in_its_turn(void **state)
{
	bool was_first[TARGETS] = {false};

	(void)state;
	for (int64_t second = 0; second < 10 * TARGETS; second++) {
		reset(NULL);
		support_capture_begin();
		lookup_run(&targets, &node_of_run, &self_of_run, DEADLINE_NS,
			   NOW_NS + second * S);
		free(support_capture_end());
		was_first[lookup.first] = true;
	}
	assert_true(was_first[ALPHA] && was_first[BETA] && was_first[BOTH_4] &&
		    was_first[BOTH_6]);
}

static void unselected_names_are_looked_up_only_where_they_may_tell_who_this_is(
	void **state)
{
	(void)state;
	items[ALPHA].state = TARGET_UNSELECTED;
	resolve();
	assert_int_equal(lookup.questions[ALPHA], 2);
	reset(NULL);
	target_group_of_all.self = &peers[1];
	items[ALPHA].state = TARGET_UNSELECTED;
	resolve();
	assert_int_equal(lookup.questions[ALPHA], 0);
	/* It may move to another host. */
	reset(NULL);
	target_group_of_all.self = &peers[1];
	items[ALPHA].state = TARGET_UNSELECTED;
	items[ALPHA].is_local = true;
	resolve();
	assert_int_equal(lookup.questions[ALPHA], 2);
}

static void the_full_name_is_asked_for_with_the_others_when_it_is_time(void **state)
{
	(void)state;
	lookup.full_name = "host.example";
	resolve_before_time();
	assert_false(lookup.asked_full_name);
	node_of_run.last_resolve_ns = 0;
	resolve();
	assert_true(lookup.asked_full_name);
	assert_string_equal(self_of_run.qualified, "host.example");
	assert_int_equal(lookup.count, 7);
}

/* Otherwise a node would not know who it is until resolve_every has passed. */
static void the_full_name_is_asked_for_again_while_names_of_peers_are(void **state)
{
	(void)state;
	lookup.full_name = "host.example";
	forget(ALPHA);
	lookup.v4[ALPHA] = lookup.v6[ALPHA] = (struct reply){RESOLVE_FAILED, NULL, false};
	items[ALPHA].is_due = true;
	resolve_before_time();
	assert_true(lookup.asked_full_name);
	assert_int_equal(lookup.questions[ALPHA], 2);
	assert_int_equal(lookup.count, 3);
}

static void lookup_that_cannot_start_changes_nothing(void **state)
{
	(void)state;
	lookup.result = -1;
	resolve();
	assert_int_equal(node_of_run.last_resolve_ns, NOW_NS - EVERY_NS);
	for (size_t i = 0; i < TARGETS; i++)
		assert_address(i, i == BOTH_6 ? "fd00::1" : "10.0.0.1");
	assert_int_equal(items[ALPHA].lookup, TARGET_RESOLVED);
}

static void fleet_without_names_has_no_time_of_a_lookup(void **state)
{
	(void)state;
	for (size_t i = 0; i < PEERS; i++)
		peers[i].host = NULL;
	resolve();
	assert_int_equal(lookup.count, 0);
	assert_int_equal(node_of_run.last_resolve_ns, NOW_NS - EVERY_NS);
}

static void assert_logs(const char *const *parts)
{
	char *message = resolve_with_log();

	support_assert_parts(message, parts);
	free(message);
}

static void answer_all(enum resolve_result result, const char *address)
{
	for (size_t i = 0; i < TARGETS; i++)
		lookup.v4[i] = lookup.v6[i] = (struct reply){result, address, false};
}

static void one_line_says_why_names_are_not_resolved(void **state)
{
	(void)state;
	answer_all(RESOLVE_CUT_OFF, NULL);
	assert_logs((const char *const[]){"no answer in time", "(names: 4)", NULL});
	reset(NULL);
	answer_all(RESOLVE_FAILED, NULL);
	lookup.v4[ALPHA] = (struct reply){RESOLVE_REFUSED, "127.0.0.1", false};
	lookup.v6[ALPHA] = (struct reply){RESOLVE_NO_ADDRESS, NULL, false};
	assert_logs((const char *const[]){"`alpha.example`: 127.0.0.1 is a loopback",
					  "(names: 1)", "without an error (names: 3)",
					  NULL});
	reset(NULL);
	answer_all(RESOLVE_NOT_ASKED, NULL);
	assert_logs((const char *const[]){NULL});
	reset(NULL);
	answer_all(RESOLVE_NOT_ASKED, NULL);
	forget(BETA);
	assert_logs((const char *const[]){"`beta.example`: not asked within",
					  "(names: 1)", NULL});
	reset(NULL);
	answer_all(RESOLVE_FOUND, "10.0.0.1");
	assert_logs((const char *const[]){NULL});
	lookup.took_ns = S;
	node_of_run.last_resolve_ns = 0;
	assert_logs((const char *const[]){"fastest lookup took 1.0 s", NULL});
}

static void nothing_is_wrong_with_a_name_of_one_family_or_of_this_node(void **state)
{
	(void)state;
	answer_all(RESOLVE_FOUND, "10.0.0.1");
	lookup.v6[BOTH_6] = (struct reply){RESOLVE_NO_ADDRESS, NULL, false};
	lookup.v4[ALPHA] = lookup.v6[ALPHA] =
		(struct reply){RESOLVE_REFUSED, "127.0.1.1", false};
	items[ALPHA].state = TARGET_SELF;
	assert_logs((const char *const[]){NULL});
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_names_are_looked_up_when_the_time_has_passed),
		TEST(no_name_is_looked_up_before_the_time_has_passed),
		TEST(time_that_is_not_known_makes_all_names_due),
		TEST(every_run_looks_up_all_names_where_they_are_due_at_once),
		TEST(new_name_is_looked_up_alone_and_the_time_of_all_stays),
		TEST(one_address_is_enough_whatever_the_other_family_does),
		TEST(address_in_use_stays_where_nobody_answers_for_its_family),
		TEST(address_without_a_route_gives_way_to_the_other_family),
		TEST(of_two_addresses_the_better_one_is_taken),
		TEST(a_failure_keeps_the_address_and_is_told_from_no_time),
		TEST(what_was_found_on_the_way_to_another_address_is_forgotten),
		TEST(a_peer_without_any_address_is_asked_for_again_after_a_failure),
		TEST(what_a_run_does_not_come_to_the_next_one_begins_with),
		TEST(a_new_turn_waits_for_names_that_no_run_has_come_to),
		TEST(names_that_nobody_answers_hold_up_no_turn),
		TEST(every_name_comes_first_in_its_turn),
		TEST(unselected_names_are_looked_up_only_where_they_may_tell_who_this_is),
		TEST(the_full_name_is_asked_for_with_the_others_when_it_is_time),
		TEST(the_full_name_is_asked_for_again_while_names_of_peers_are),
		TEST(lookup_that_cannot_start_changes_nothing),
		TEST(fleet_without_names_has_no_time_of_a_lookup),
		TEST(one_line_says_why_names_are_not_resolved),
		TEST(nothing_is_wrong_with_a_name_of_one_family_or_of_this_node),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
