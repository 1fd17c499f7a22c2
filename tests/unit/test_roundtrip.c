/*
 * Write, read back, write again: the same bytes, whatever the fleet; and what a
 * run without a configuration republishes reads back the same.
 */
#include "fleet.h"

#include "base/log.h"

static const char *const names[] = {"node",   "node-1", "node-10",  "node-2",
				    "a[b",    "a\\b",	"\303\251", "Node",
				    "x.y.z",  "{q}",	"a;b",	    "~",
				    "n\\\\n", "&",	"zz]]",	    "\342\202\254"};
#define NAMES (sizeof(names) / sizeof(names[0]))

static const char *choose(uint64_t *seed, const char *const *from, size_t count)
{
	return from[fleet_random(seed, count)];
}

/* Peers of a group, each name at most once but for upper and lower case. */
static void write_peers(FILE *out, uint64_t *seed, size_t group)
{
	for (size_t i = 0; i < NAMES; i++) {
		if (fleet_random(seed, 3) == 0 || strcmp(names[i], "Node") == 0)
			continue;
		fprintf(out, "%s = ", names[i]);
		switch (fleet_random(seed, 3)) {
		case 0: fprintf(out, "h%zu.example.net", i); break;
		case 1:
			fprintf(out, "10.%zu.0.%zu, fd00:%zu::%zu", group, i, group, i);
			break;
		default: fprintf(out, "fd00:%zu::%zu, 10.%zu.0.%zu", group, i, group, i);
		}
		fprintf(out, "%s\n",
			fleet_random(seed, 2) ? " rack=\"r 7\" zone=a\\b\"c" : "");
	}
}

static char *random_config(uint64_t *seed)
{
	static const char *const families[] = {"auto", "ipv4", "ipv6", "both"};
	static const char *const modes[] = {"peer", "group", "off"};
	static const char *const buckets[] = {"1ms", "1us 10ms 1s", "100us 250us 3600s"};
	static const char *const groups[] = {"default", "a[b", "storage"};
	size_t size;
	char *ini;
	FILE *out = open_memstream(&ini, &size);

	fprintf(out, "[probe]\nbuckets = %s\n", choose(seed, buckets, 3));
	for (size_t i = 0; i < 1 + fleet_random(seed, 3); i++) {
		fprintf(out, "[probe %s]\nfamily = %s\nhistogram = %s\n", groups[i],
			choose(seed, families, 4), choose(seed, modes, 3));
		fprintf(out, "[peers %s]\n", groups[i]);
		write_peers(out, seed, i);
	}
	assert_int_equal(fclose(out), 0);
	return ini;
}

/* Of all sizes, up to what a counter may be. */
static uint64_t random_count(uint64_t *seed)
{
	return fleet_random(seed, UINT64_C(1) << fleet_random(seed, 48));
}

static void fill_histogram(struct fleet *fleet, struct stats_histogram *histogram,
			   uint64_t *seed)
{
	assert_int_equal(targets_add_counts(&fleet->targets, histogram), 0);
	for (size_t i = 0; i < stats_counts(&fleet->config.collector.buckets); i++)
		histogram->counts[i] = random_count(seed);
	histogram->sum.seconds = random_count(seed);
	histogram->sum.nanos = (uint32_t)fleet_random(seed, 1000000000);
}

static void fill_target(struct fleet *fleet, struct target *target, uint64_t *seed)
{
	enum histogram_mode mode =
		target_group(&fleet->targets, target)->options.histogram;

	target->totals.requests = random_count(seed);
	target->totals.replies = fleet_random(seed, target->totals.requests + 1);
	target->totals.unsent = random_count(seed);
	if (mode == HISTOGRAM_PEER && fleet_random(seed, 4))
		fill_histogram(fleet, &target->totals.histogram, seed);
	if (!target->peer->host || fleet_random(seed, 4) == 0)
		return;
	target->lookup = (enum target_lookup)(1 + fleet_random(seed, TARGET_LOOKUPS - 1));
	target->is_due = fleet_random(seed, 2);
	target->previous = (enum target_outcome)fleet_random(seed, 3);
	if (target->lookup == TARGET_RESOLVED || fleet_random(seed, 2))
		assert_true(address_parse(target->family == ADDRESS_IPV6 ? "2001:db8::7"
									 : "192.0.2.7",
					  &target->address));
}

static void fill(struct fleet *fleet, uint64_t *seed)
{
	for (size_t i = 0; i < fleet->targets.count; i++)
		fill_target(fleet, &fleet->targets.items[i], seed);
	for (size_t i = 0; i < fleet->config.group_count; i++)
		if (fleet->config.groups[i].options.histogram == HISTOGRAM_GROUP)
			fill_histogram(fleet, &fleet->targets.groups[i].histogram, seed);
	fleet->node.counters_start_ns = (int64_t)(random_count(seed) << 14);
	fleet->node.last_resolve_ns = (int64_t)(random_count(seed) << 14);
	fleet->node.runs = random_count(seed);
	fleet->node.receive_drops = random_count(seed);
	for (size_t i = 0; i < DISCARD_REASONS; i++)
		fleet->node.discarded_rounds[i] = random_count(seed);
	targets_select(&fleet->targets, "");
}

static char *restore_and_write(const char *ini, const char *text)
{
	struct fleet fleet;
	char *again;

	fleet_load(&fleet, ini);
	assert_int_equal(fleet_restore(&fleet, text), RESTORE_TAKEN);
	targets_select(&fleet.targets, "");
	again = fleet_write(&fleet, NULL);
	fleet_free(&fleet);
	return again;
}

static void check_round(uint64_t *seed)
{
	char *ini = random_config(seed), *text, *again, *republished, *recovered;
	struct fleet fleet;

	fleet_load(&fleet, ini);
	fill(&fleet, seed);
	text = fleet_write(&fleet, NULL);
	fleet_free(&fleet);
	assert_strict(text);
	again = restore_and_write(ini, text);
	assert_same_text(again, text);
	republished = fleet_republish(text);
	assert_non_null(republished);
	assert_strict(republished);
	recovered = restore_and_write(ini, republished);
	assert_same_text(recovered, text);
	free(recovered);
	free(republished);
	free(again);
	free(text);
	free(ini);
}

static void any_fleet_comes_back_byte_for_byte(void **state)
{
	uint64_t seed = fleet_seed();

	(void)state;
	for (int i = 0; i < 100; i++)
		check_round(&seed);
}

/* The gauges of a run say nothing to the next one but who was up. */
static void the_gauges_of_a_run_change_no_counter(void **state)
{
	static const char ini[] = "[peers]\na = 10.0.0.1\nb = b.example.net\n";
	const struct run_info info = {.took_place = true,
				      .success = 1,
				      .duration_ns = 1,
				      .peak_memory_bytes = 2};
	const struct sample reply = {
		.outcome = SAMPLE_REPLY, .hop_limit = 3, .rtt_ns = 1234567};
	struct fleet fleet;
	struct target *target;
	char *with_run, *without, *again;

	(void)state;
	fleet_load(&fleet, ini);
	target = fleet_target(&fleet, "default", "a", "");
	assert_int_equal(targets_add_counts(&fleet.targets, &target->totals.histogram),
			 0);
	stats_add(&target->totals, &target->run, &fleet.config.collector.buckets, &reply);
	targets_select(&fleet.targets, "");
	with_run = fleet_write(&fleet, &info);
	without = fleet_write(&fleet, NULL);
	fleet_free(&fleet);
	again = restore_and_write(ini, with_run);
	assert_same_text(again, without);
	assert_non_null(strstr(again, " target default a - - - up - "));
	free(again);
	free(without);
	free(with_run);
}

/* Every state that a target can be in while its counters wait. */
static void state_survives_ten_runs_without_being_exposed(void **state)
{
	static const char ini[] = "[collector]\nself = b\n[peers]\na = 10.0.0.1\n"
				  "b = 10.0.0.2\n"
				  "[probe mesh]\nmembers_only = yes\n[peers mesh]\n"
				  "c = c.example.net\n";
	struct fleet fleet;
	char *text, *next;

	(void)state;
	fleet_load(&fleet, ini);
	fleet_target(&fleet, "default", "b", "")->totals.requests = 7;
	fleet_target(&fleet, "mesh", "c", "")->totals.requests = 8;
	fleet_target(&fleet, "mesh", "c", "")->previous = TARGET_DOWN;
	text = fleet_write(&fleet, NULL);
	fleet_free(&fleet);
	for (int i = 0; i < 10; i++) {
		fleet_load(&fleet, ini);
		assert_int_equal(fleet_restore(&fleet, text), RESTORE_TAKEN);
		fleet.targets.groups[0].self =
			fleet_target(&fleet, "default", "b", "")->peer;
		targets_select(&fleet.targets, "b");
		next = fleet_write(&fleet, NULL);
		assert_null(strstr(next, "requests_total{group=\"default\",peer=\"b\""));
		assert_null(strstr(next, "requests_total{group=\"mesh\""));
		fleet_free(&fleet);
		free(text);
		text = next;
	}
	fleet_load(&fleet, ini);
	assert_int_equal(fleet_restore(&fleet, text), RESTORE_TAKEN);
	assert_int_equal(fleet_target(&fleet, "default", "b", "")->totals.requests, 7);
	assert_int_equal(fleet_target(&fleet, "mesh", "c", "")->totals.requests, 8);
	assert_int_equal(fleet_target(&fleet, "mesh", "c", "")->previous, TARGET_DOWN);
	fleet_free(&fleet);
	free(text);
}

/* Otherwise every node would ask for its own name, and those it does not ping, in each run. */
static void names_that_are_not_pinged_are_not_due_at_once(void **state)
{
	static const char ini[] = "[peers]\na = 10.0.0.1\nb = b.example.net\n"
				  "[probe mesh]\nmembers_only = yes\n[peers mesh]\n"
				  "c = c.example.net\n";
	struct fleet fleet;
	struct target *own, *other;
	char *text;

	(void)state;
	fleet_load(&fleet, ini);
	own = fleet_target(&fleet, "default", "b", "");
	other = fleet_target(&fleet, "mesh", "c", "");
	own->lookup = other->lookup = TARGET_RESOLVED;
	assert_true(address_parse("10.0.0.2", &own->address));
	assert_true(address_parse("10.0.0.3", &other->address));
	fleet.targets.groups[0].self = own->peer;
	targets_select(&fleet.targets, "");
	assert_int_equal(own->state, TARGET_SELF);
	assert_int_equal(other->state, TARGET_UNSELECTED);
	text = fleet_write(&fleet, NULL);
	fleet_free(&fleet);
	fleet_load(&fleet, ini);
	assert_int_equal(fleet_restore(&fleet, text), RESTORE_TAKEN);
	own = fleet_target(&fleet, "default", "b", "");
	other = fleet_target(&fleet, "mesh", "c", "");
	assert_int_equal(own->lookup, TARGET_RESOLVED);
	/* The node may know itself by this address. */
	assert_int_equal(own->address.family, ADDRESS_IPV4);
	assert_int_equal(other->lookup, TARGET_RESOLVED);
	assert_int_equal(other->address.family, ADDRESS_IPV4);
	fleet_free(&fleet);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_fleet_comes_back_byte_for_byte),
		cmocka_unit_test(the_gauges_of_a_run_change_no_counter),
		cmocka_unit_test(state_survives_ten_runs_without_being_exposed),
		cmocka_unit_test(names_that_are_not_pinged_are_not_due_at_once),
	};

	log_open(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
