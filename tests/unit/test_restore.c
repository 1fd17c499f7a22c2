/*
 * The state of the previous run out of its file, which is read as if an attacker had
 * written it.
 */
#include "fleet.h"

#include <fcntl.h>

#include "base/log.h"

#define BUCKETS "[probe]\nbuckets = 1ms 10ms 100ms\n"
#define PEERS                                                                            \
	"[peers]\n"                                                                      \
	"alpha = 10.0.0.1\n"                                                             \
	"beta = beta.example.net\n"                                                      \
	"[probe both]\n"                                                                 \
	"family = both\n"                                                                \
	"histogram = group\n"                                                            \
	"[peers both]\n"                                                                 \
	"gamma = gamma.example.net\n"

static const char ini[] = BUCKETS PEERS;

static void set_counters(struct fleet *fleet, struct target *target, uint64_t n)
{
	const struct options *options = &target_group(&fleet->targets, target)->options;
	struct stats_totals *totals = &target->totals;

	totals->requests = n + 3;
	totals->replies = n;
	totals->unsent = n + 1;
	if (options->histogram != HISTOGRAM_PEER)
		return;
	assert_int_equal(targets_add_counts(&fleet->targets, &totals->histogram), 0);
	totals->histogram.counts[0] = n - 5;
	totals->histogram.counts[2] = 2;
	totals->histogram.counts[3] = 3;
	totals->histogram.sum = (struct stats_sum){n, 250000000};
}

static void set_address(struct target *target, const char *address)
{
	target->lookup = TARGET_RESOLVED;
	assert_true(address_parse(address, &target->address));
}

static void load(struct fleet *fleet, const char *text)
{
	fleet_load(fleet, text);
	targets_select(&fleet->targets, "");
}

/* The file of a fleet that has been measured for a while. */
static char *write_base(const char *text)
{
	struct target_group *both;
	struct fleet fleet;
	char *written;

	fleet_load(&fleet, text);
	set_counters(&fleet, fleet_target(&fleet, "default", "alpha", ""), 1000);
	set_counters(&fleet, fleet_target(&fleet, "default", "beta", ""), 2000);
	set_counters(&fleet, fleet_target(&fleet, "both", "gamma", "ipv4"), 3000);
	set_counters(&fleet, fleet_target(&fleet, "both", "gamma", "ipv6"), 4000);
	set_address(fleet_target(&fleet, "default", "beta", ""), "10.0.0.2");
	set_address(fleet_target(&fleet, "both", "gamma", "ipv4"), "10.1.0.3");
	set_address(fleet_target(&fleet, "both", "gamma", "ipv6"), "fd00::3");
	both = targets_find_group(&fleet.targets, "both");
	if (fleet.config.groups[both - fleet.targets.groups].options.histogram ==
	    HISTOGRAM_GROUP) {
		assert_int_equal(targets_add_counts(&fleet.targets, &both->histogram), 0);
		both->histogram.counts[1] = 7000;
		both->histogram.sum = (struct stats_sum){55, 5};
	}
	fleet.node =
		(struct stats_node){.counters_start_ns = INT64_C(1600000000000000001),
				    .last_resolve_ns = INT64_C(1699999999500000000),
				    .runs = 10000,
				    .discarded_rounds = {11, 12, 13, 14},
				    .receive_drops = 15};
	targets_select(&fleet.targets, "");
	written = fleet_write(&fleet, NULL);
	fleet_free(&fleet);
	assert_strict(written);
	return written;
}

static void assert_untouched(const struct fleet *fleet)
{
	static const struct stats_node zero;

	assert_memory_equal(&fleet->node, &zero, sizeof(zero));
	for (size_t i = 0; i < fleet->targets.count; i++) {
		const struct target *target = &fleet->targets.items[i];

		assert_int_equal(target->totals.requests, 0);
		assert_int_equal(target->totals.replies, 0);
		assert_int_equal(target->totals.unsent, 0);
		assert_null(target->totals.histogram.counts);
		assert_int_equal(target->totals.histogram.sum.seconds, 0);
		assert_int_equal(target->totals.histogram.sum.nanos, 0);
		assert_int_equal(target->previous, TARGET_UNKNOWN);
		assert_int_equal(target->lookup, TARGET_NOT_LOOKED_UP);
		assert_false(target->is_due);
		if (target->peer->host)
			assert_int_equal(target->address.family, ADDRESS_NONE);
	}
	for (size_t i = 0; i < fleet->config.group_count; i++)
		assert_null(fleet->targets.groups[i].histogram.counts);
}

/* Refused, and the fleet stays as it was; `what` is for the message. */
static void assert_refused_bytes(const char *bytes, size_t len, const char *what)
{
	struct fleet fleet;

	load(&fleet, ini);
	if (fleet_restore_bytes(&fleet, bytes, len) != RESTORE_REFUSED)
		fail_msg("not refused: %s", what);
	assert_untouched(&fleet);
	fleet_free(&fleet);
}

static void assert_refused(const char *text, const char *what)
{
	assert_refused_bytes(text, strlen(text), what);
}

/*
 * A file as this version and all later ones must read it, whatever counters they add. It
 * has the numbers of write_base().
 */
static char *fixed_base(void)
{
	return fleet_seal(
		"# HELP nodecanary_counters_start_timestamp_seconds Start.\n"
		"# TYPE nodecanary_counters_start_timestamp_seconds gauge\n"
		"nodecanary_counters_start_timestamp_seconds 1600000000.000000001\n"
		"# HELP nodecanary_runs_total Runs.\n"
		"# TYPE nodecanary_runs_total counter\n"
		"nodecanary_runs_total 10000\n"
		"# nodecanary-state 1 node "
		"counters_start_timestamp_seconds=1600000000.000000001 "
		"discarded_rounds_total.clock_step=11 discarded_rounds_total.deadline=12 "
		"discarded_rounds_total.interrupted=13 "
		"discarded_rounds_total.receive_drops=14 "
		"last_resolve_timestamp_seconds=1699999999.5 receive_drops_total=15 "
		"runs_total=10000\n"
		"# nodecanary-state 1 counters replies_total requests_total unsent_total\n"
		"# nodecanary-state 1 buckets 0.001 0.01 0.1\n"
		"# nodecanary-state 1 group both 55.000000005,0,7000,0,0\n"
		"# nodecanary-state 1 target both gamma ipv4 gamma.example.net 10.1.0.3 - "
		"resolved 3000,3003,3001 -\n"
		"# nodecanary-state 1 target both gamma ipv6 gamma.example.net fd00::3 - "
		"resolved 4000,4003,4001 -\n"
		"# nodecanary-state 1 target default alpha - - - - - 1000,1003,1001 "
		"1000.25,995,0,2,3\n"
		"# nodecanary-state 1 target default beta - beta.example.net 10.0.0.2 - "
		"resolved 2000,2003,2001 2000.25,1995,0,2,3\n");
}

/* The base with an edit, sealed again. */
static void assert_edit_refused(const char *old, const char *new)
{
	char *base = fixed_base(), *edited = fleet_edit(base, old, new);
	char *what = fleet_concat(old, " -> ", new);

	assert_refused(edited, what);
	free(what);
	free(edited);
	free(base);
}

/* Restores into a fleet of that configuration, which must work. */
static void restore_into(struct fleet *fleet, const char *config, const char *text)
{
	load(fleet, config);
	assert_int_equal(fleet_restore(fleet, text), RESTORE_TAKEN);
	targets_select(&fleet->targets, "");
}

static void assert_counters(struct fleet *fleet, const char *group, const char *peer,
			    const char *family, uint64_t n)
{
	const struct target *target = fleet_target(fleet, group, peer, family);

	assert_int_equal(target->totals.requests, n ? n + 3 : 0);
	assert_int_equal(target->totals.replies, n);
	assert_int_equal(target->totals.unsent, n ? n + 1 : 0);
}

static void assert_address(struct fleet *fleet, const char *peer, const char *expected)
{
	char text[ADDRESS_TEXT_SIZE];

	address_format(&fleet_target(fleet, "default", peer, "")->address, text);
	assert_string_equal(text, expected);
}

static void everything_kept_comes_back(void **state)
{
	char *base = write_base(ini), *again;
	const struct target *target;
	struct fleet fleet;

	(void)state;
	restore_into(&fleet, ini, base);
	assert_counters(&fleet, "default", "alpha", "", 1000);
	assert_counters(&fleet, "default", "beta", "", 2000);
	assert_counters(&fleet, "both", "gamma", "ipv4", 3000);
	assert_counters(&fleet, "both", "gamma", "ipv6", 4000);
	assert_address(&fleet, "beta", "10.0.0.2");
	target = fleet_target(&fleet, "default", "alpha", "");
	assert_int_equal(target->totals.histogram.counts[0], 995);
	assert_int_equal(target->totals.histogram.counts[1], 0);
	assert_int_equal(target->totals.histogram.counts[2], 2);
	assert_int_equal(target->totals.histogram.counts[3], 3);
	assert_int_equal(target->totals.histogram.sum.seconds, 1000);
	assert_int_equal(target->totals.histogram.sum.nanos, 250000000);
	assert_int_equal(fleet.node.runs, 10000);
	assert_int_equal(fleet.node.discarded_rounds[DISCARD_RECEIVE_DROPS], 14);
	assert_int_equal(fleet.node.receive_drops, 15);
	assert_true(fleet.node.counters_start_ns == INT64_C(1600000000000000001));
	assert_true(fleet.node.last_resolve_ns == INT64_C(1699999999500000000));
	again = fleet_write(&fleet, NULL);
	assert_same_text(again, base);
	free(again);
	free(base);
	fleet_free(&fleet);
}

static void the_fixed_file_reads_as_the_written_one(void **state)
{
	char *fixed = fixed_base(), *base = write_base(ini), *again;
	struct fleet fleet;

	(void)state;
	restore_into(&fleet, ini, fixed);
	again = fleet_write(&fleet, NULL);
	assert_same_text(again, base);
	free(again);
	free(base);
	free(fixed);
	fleet_free(&fleet);
}

static void whether_a_peer_was_up_comes_back(void **state)
{
	struct fleet fleet;
	struct run_info info = {.took_place = true};
	char *text;

	(void)state;
	load(&fleet, ini);
	fleet_target(&fleet, "default", "alpha", "")->run.requests = 2;
	fleet_target(&fleet, "both", "gamma", "ipv4")->run =
		(struct stats_run){.requests = 2, .replies = 1};
	text = fleet_write(&fleet, &info);
	fleet_free(&fleet);
	restore_into(&fleet, ini, text);
	assert_int_equal(fleet_target(&fleet, "default", "alpha", "")->previous,
			 TARGET_DOWN);
	assert_int_equal(fleet_target(&fleet, "default", "beta", "")->previous,
			 TARGET_UNKNOWN);
	assert_int_equal(fleet_target(&fleet, "both", "gamma", "ipv4")->previous,
			 TARGET_UP);
	fleet_free(&fleet);
	free(text);
}

static void a_file_cut_at_any_byte_is_refused(void **state)
{
	char *base = write_base(ini);
	struct fleet fleet;

	(void)state;
	load(&fleet, ini);
	for (size_t len = 0; len < strlen(base); len++) {
		if (fleet_restore_bytes(&fleet, base, len) != RESTORE_REFUSED)
			fail_msg("not refused: %zu bytes", len);
		assert_untouched(&fleet);
	}
	fleet_free(&fleet);
	free(base);
}

static void assert_lines_refused(const struct fleet_lines *lines, const char *what)
{
	char *text = fleet_join(lines);

	assert_refused(text, what);
	free(text);
}

static void every_line_damaged_is_refused(void **state)
{
	char *base = write_base(ini);
	struct fleet_lines lines = fleet_split(base);

	(void)state;
	for (size_t i = 0; i < lines.count; i++) {
		char *line = lines.items[i];
		size_t last = strlen(line) - 2;

		line[last] = (char)(line[last] ^ 1);
		assert_lines_refused(&lines, line);
		line[last] = (char)(line[last] ^ 1);
	}
	fleet_free_lines(&lines);
	free(base);
}

static void every_line_removed_or_repeated_is_refused(void **state)
{
	char *base = write_base(ini);
	struct fleet_lines lines = fleet_split(base);

	(void)state;
	for (size_t i = 0; i < lines.count; i++) {
		char *line = lines.items[i];

		fleet_insert_line(&lines, i, line);
		assert_lines_refused(&lines, line);
		fleet_remove_line(&lines, i);
		fleet_remove_line(&lines, i);
		assert_lines_refused(&lines, line);
		fleet_insert_line(&lines, i, line);
	}
	fleet_free_lines(&lines);
	free(base);
}

static void any_two_neighbours_swapped_are_refused(void **state)
{
	char *base = write_base(ini);
	struct fleet_lines lines = fleet_split(base);

	(void)state;
	for (size_t i = 1; i < lines.count; i++) {
		fleet_swap_lines(&lines, i - 1, i);
		assert_lines_refused(&lines, lines.items[i]);
		fleet_swap_lines(&lines, i - 1, i);
	}
	fleet_free_lines(&lines);
	free(base);
}

/* The beginnings of lines of fixed_base(). */
#define NODE "# nodecanary-state 1 node "
#define ALPHA " target default alpha - - - - - "
#define BETA " target default beta - beta.example.net "
#define HISTOGRAM "1000.25,995,0,2,3"

/* The numbers that no counter has. */
static const char *const no_counters[] = {"9007199254740993",
					  "18446744073709551616",
					  "99999999999999999999999999",
					  "-1",
					  "-0",
					  "+1",
					  "NaN",
					  "nan",
					  "-nan",
					  "Inf",
					  "+Inf",
					  "-Inf",
					  "1e3",
					  "1e9",
					  "1E9",
					  "1.5",
					  "1.0",
					  "0x10",
					  "1_0",
					  "1,0",
					  "\"1\"",
					  "x"};

static void numbers_out_of_range_are_refused(void **state)
{
	/* Each is a number of the base, and what comes before it. */
	static const char *const numbers[][2] = {{ALPHA, "1000"},
						 {ALPHA "1000,", "1003"},
						 {ALPHA "1000,1003,", "1001"},
						 {ALPHA "1000,1003,1001 1000.25,", "995"},
						 {" group both 55.000000005,0,", "7000"},
						 {" runs_total=", "10000"},
						 {" receive_drops_total=", "15"},
						 {".deadline=", "12"}};

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		for (size_t j = 0; j < sizeof(no_counters) / sizeof(no_counters[0]);
		     j++) {
			char *old = fleet_concat(numbers[i][0], numbers[i][1], "");
			char *new = fleet_concat(numbers[i][0], no_counters[j], "");

			assert_edit_refused(old, new);
			free(new);
			free(old);
		}
	}
}

static void seconds_out_of_range_are_refused(void **state)
{
	static const char *const numbers[] = {
		"-1", "NaN", "+Inf", "1e3",  "1.0000000001",	     "9007199254740993",
		"1.", ".5",  "1.5x", "1.-5", "99999999999999999999", "0x1"};

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		char changed[256];

		snprintf(changed, sizeof(changed), " %s,995", numbers[i]);
		assert_edit_refused(" 1000.25,995", changed);
		snprintf(changed, sizeof(changed), "start_timestamp_seconds=%s",
			 numbers[i]);
		assert_edit_refused("start_timestamp_seconds=1600000000.000000001",
				    changed);
		snprintf(changed, sizeof(changed), "resolve_timestamp_seconds=%s",
			 numbers[i]);
		assert_edit_refused("resolve_timestamp_seconds=1699999999.5", changed);
	}
	/* Seconds that do not fit into nanoseconds. */
	assert_edit_refused("start_timestamp_seconds=1600000000.000000001",
			    "start_timestamp_seconds=9223372037");
	assert_edit_refused("resolve_timestamp_seconds=1699999999.5",
			    "resolve_timestamp_seconds=9007199254740992");
}

static void the_largest_numbers_are_taken_and_written_again(void **state)
{
	char *base = fixed_base(), *edited, *again;
	struct fleet fleet;

	(void)state;
	edited = fleet_edit(base, ALPHA "1000,1003,1001 " HISTOGRAM,
			    ALPHA "1000,9007199254740992,1001 "
				  "9007199254740992.999999999,9007199254740990,0,2,0");
	restore_into(&fleet, ini, edited);
	again = fleet_write(&fleet, NULL);
	assert_non_null(
		strstr(again, "9007199254740992,1001 9007199254740992.999999999,"));
	free(again);
	free(edited);
	free(base);
	fleet_free(&fleet);
}

static void more_replies_than_requests_are_refused(void **state)
{
	(void)state;
	assert_edit_refused(ALPHA "1000,1003", ALPHA "1004,1003");
}

static void unsound_histograms_are_refused(void **state)
{
	static const char *const histograms[] = {"1000.25",
						 "1000.25,",
						 "1000.25,995,0,2",
						 "1000.25,995,0,2,3,4",
						 "1000.25,995,0,2,",
						 ",995,0,2,3",
						 "x",
						 "1000.25,9007199254740992,0,2,3"};

	(void)state;
	for (size_t i = 0; i < sizeof(histograms) / sizeof(histograms[0]); i++)
		assert_edit_refused(HISTOGRAM, histograms[i]);
}

/* Bytes before the seal, which is right. */
static void assert_front_refused(const char *front)
{
	char *base = write_base(ini), *old = fleet_unseal(base), *text, *sealed;

	text = fleet_concat(front, old, "");
	sealed = fleet_seal(text);
	assert_refused(sealed, front);
	free(sealed);
	free(text);
	free(old);
	free(base);
}

static void malformed_lines_are_refused(void **state)
{
	static const char *const edits[][2] = {
		/* A field too few, too many, or none. */
		{ALPHA, " target default alpha - - - - "},
		{ALPHA, " target default alpha - - - - - - "},
		{" 1000.25,995,0,2,3\n", " 1000.25,995,0,2,3 x\n"},
		{ALPHA "1000,1003,1001 ", ALPHA "1000,1003 "},
		{ALPHA "1000,1003,1001 ", ALPHA "1000,1003,1001,4 "},
		{" group both ", " group "},
		{" runs_total=10000", " runs_total"},
		/* Counters that come before their names. */
		{" 1 counters ", " 1 later "},
		/* The same target with two histograms. */
		{"# nodecanary-state 1" ALPHA,
		 "# nodecanary-state 1" ALPHA
		 "1,2,3 1,1,0,0,0\n# nodecanary-state 1" ALPHA},
	};
	char *line = malloc(280000);

	(void)state;
	assert_non_null(line);
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++)
		assert_edit_refused(edits[i][0], edits[i][1]);
	memset(line, 'x', 270000);
	strcpy(line + 270000, " 1\n");
	assert_front_refused(line);
	free(line);
}

static void nul_bytes_are_refused(void **state)
{
	char *base = write_base(ini);
	size_t len = strlen(base);

	(void)state;
	base[len - 2] = '\0';
	assert_refused_bytes(base, len, "a NUL byte in the seal");
	base[len / 2] = '\0';
	assert_refused_bytes(base, len, "a NUL byte");
	base[0] = '\0';
	assert_refused_bytes(base, len, "a NUL byte at the front");
	assert_refused_bytes("", 0, "an empty file");
	free(base);
}

static void a_file_that_cannot_be_read_is_no_reason_to_start_from_zero(void **state)
{
	int directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct fleet fleet;

	(void)state;
	load(&fleet, ini);
	assert_int_equal(restore_read(directory, "/", &fleet.targets, &fleet.node),
			 RESTORE_FAILED);
	assert_untouched(&fleet);
	fleet_free(&fleet);
	close(directory);
}

static void a_refusal_is_one_warning(void **state)
{
	struct fleet fleet;
	char *message;

	(void)state;
	load(&fleet, ini);
	log_open(LOG_LEVEL_WARNING);
	support_capture_begin();
	fleet_restore(&fleet, "garbage\n");
	message = support_capture_end();
	log_open(LOG_LEVEL_ERROR);
	assert_non_null(strstr(message, "last.prom: "));
	assert_non_null(strstr(message, "counters start from zero\n"));
	assert_ptr_equal(strchr(message, '\n'), message + strlen(message) - 1);
	free(message);
	fleet_free(&fleet);
}

/* What a later version may add. */
static void what_a_newer_version_adds_is_skipped(void **state)
{
	static const char *const edits[][2] = {
		{"nodecanary_runs_total 10000", "nodecanary_runs_total{shard=\"0\"} x"},
		{"# HELP nodecanary_counters",
		 "# HELP nodecanary_carrier New.\n# TYPE nodecanary_carrier gauge\n"
		 "nodecanary_carrier{device=\"eth0\"} NaN\n# HELP nodecanary_counters"},
		{NODE, NODE "carriers_total=x carriers_total.up=1 "},
		{" runs_total=", " discarded_rounds_total.new=x runs_total="},
		{" 1 counters ", " 1 counters late_total "},
		{ALPHA, ALPHA "77,"},
		{" resolved 2000", " resolved 5,2000"},
		{" resolved 3000", " resolved 5,3000"},
		{" resolved 4000", " resolved 5,4000"},
		{"# nodecanary-state 1 group ",
		 "# nodecanary-state 1 trace default alpha 7\n# nodecanary-hint 7\n"
		 "# nodecanary-state 1 group "},
	};
	char *base = write_base(ini), *text = fixed_base(), *again;
	struct fleet fleet;

	(void)state;
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		char *edited = fleet_edit(text, edits[i][0], edits[i][1]);

		free(text);
		text = edited;
	}
	restore_into(&fleet, ini, text);
	again = fleet_write(&fleet, NULL);
	assert_same_text(again, base);
	free(again);
	free(text);
	free(base);
	fleet_free(&fleet);
}

static void what_an_older_version_did_not_write_starts_at_zero(void **state)
{
	static const char *const edits[][2] = {
		{" receive_drops_total=15", ""},
		{" counters_start_timestamp_seconds=1600000000.000000001", ""},
		{"discarded_rounds_total.clock_step=11 ", ""},
		{" counters replies_total requests_total unsent_total",
		 " counters replies_total requests_total"},
		{ALPHA "1000,1003,1001 " HISTOGRAM, ALPHA "1000,1003 -"},
		{" resolved 2000,2003,2001 ", " - 2000,2003 "},
		{" resolved 3000,3003,3001 ", " - 3000,3003 "},
		{" resolved 4000,4003,4001 ", " - 4000,4003 "},
	};
	char *text = fixed_base();
	const struct target *alpha;
	struct fleet fleet;

	(void)state;
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		char *edited = fleet_edit(text, edits[i][0], edits[i][1]);

		free(text);
		text = edited;
	}
	restore_into(&fleet, ini, text);
	alpha = fleet_target(&fleet, "default", "alpha", "");
	assert_int_equal(alpha->totals.requests, 1003);
	assert_int_equal(alpha->totals.replies, 1000);
	assert_int_equal(alpha->totals.unsent, 0);
	assert_null(alpha->totals.histogram.counts);
	assert_int_equal(fleet.node.runs, 10000);
	assert_int_equal(fleet.node.receive_drops, 0);
	assert_int_equal(fleet.node.discarded_rounds[DISCARD_CLOCK_STEP], 0);
	assert_int_equal(fleet.node.discarded_rounds[DISCARD_DEADLINE], 12);
	assert_int_equal(fleet.node.counters_start_ns, 0);
	assert_int_equal(fleet_target(&fleet, "default", "beta", "")->lookup,
			 TARGET_NOT_LOOKED_UP);
	fleet_free(&fleet);
	free(text);
}

static void peers_come_and_go(void **state)
{
	static const char changed[] =
		BUCKETS "[peers]\nalpha = 10.9.9.9\nnew = 10.0.0.7\n"
			"[peers third]\nalpha = 10.2.0.1\n";
	char *base = write_base(ini), *text;
	struct fleet fleet;

	(void)state;
	restore_into(&fleet, changed, base);
	assert_counters(&fleet, "default", "alpha", "", 1000);
	assert_counters(&fleet, "default", "new", "", 0);
	assert_counters(&fleet, "third", "alpha", "", 0);
	assert_address(&fleet, "alpha", "10.9.9.9");
	text = fleet_write(&fleet, NULL);
	assert_strict(text);
	assert_null(strstr(text, "beta"));
	assert_null(strstr(text, "gamma"));
	free(text);
	free(base);
	fleet_free(&fleet);
}

static void changed_buckets_restart_the_histograms_alone(void **state)
{
	static const char *const buckets[] = {"[probe]\nbuckets = 1ms 10ms\n",
					      "[probe]\nbuckets = 1ms\n",
					      "[probe]\nbuckets = 1ms 10ms 100ms 1s\n",
					      "[probe]\nbuckets = 1ms 20ms 100ms\n",
					      "[probe]\nbuckets = 10ms 100ms\n",
					      "[probe]\nbuckets = 1ms 10ms 101ms\n"};
	char *base = write_base(ini);

	(void)state;
	for (size_t i = 0; i < sizeof(buckets) / sizeof(buckets[0]); i++) {
		struct fleet fleet;
		char *config, *text;

		config = fleet_concat(buckets[i], PEERS, "");
		restore_into(&fleet, config, base);
		assert_counters(&fleet, "default", "alpha", "", 1000);
		assert_counters(&fleet, "both", "gamma", "ipv6", 4000);
		assert_int_equal(fleet.node.runs, 10000);
		assert_null(fleet_target(&fleet, "default", "alpha", "")
				    ->totals.histogram.counts);
		assert_null(targets_find_group(&fleet.targets, "both")->histogram.counts);
		text = fleet_write(&fleet, NULL);
		assert_strict(text);
		assert_non_null(strstr(
			text,
			"nodecanary_rtt_seconds_sum{group=\"default\",peer=\"alpha\"} 0\n"));
		free(text);
		free(config);
		fleet_free(&fleet);
	}
	free(base);
}

static char *rewrite(const char *mode, const char *text)
{
	struct fleet fleet;
	char *config, *written;

	config = fleet_concat(BUCKETS "histogram = ", mode,
			      "\n[peers]\nalpha = 10.0.0.1\nbeta = 10.0.0.2\n");
	restore_into(&fleet, config, text);
	assert_counters(&fleet, "default", "alpha", "", 1000);
	written = fleet_write(&fleet, NULL);
	assert_strict(written);
	fleet_free(&fleet);
	free(config);
	return written;
}

static void the_mode_of_the_histogram_may_change(void **state)
{
	static const char *const modes[] = {"group", "off", "peer", "group", "peer"};
	char *text = write_base(ini);

	(void)state;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		char *next = rewrite(modes[i], text);
		bool peer = strcmp(modes[i], "peer") == 0;
		bool group = strcmp(modes[i], "group") == 0;

		assert_int_equal(
			strstr(next,
			       "\n"
			       "nodecanary_rtt_seconds_sum{group=\"default\",peer=\"alpha\"} 0\n") !=
				NULL,
			peer);
		assert_int_equal(
			strstr(next,
			       "\nnodecanary_group_rtt_seconds_count{group=\"default\"} 0\n") !=
				NULL,
			group);
		free(text);
		text = next;
	}
	free(text);
}

static void a_changed_host_name_loses_its_old_address(void **state)
{
	static const char changed[] = BUCKETS "[peers]\nbeta = beta.example.org\n";
	char *base = write_base(ini);
	struct fleet fleet;
	const struct target *beta;

	(void)state;
	restore_into(&fleet, changed, base);
	beta = fleet_target(&fleet, "default", "beta", "");
	assert_counters(&fleet, "default", "beta", "", 2000);
	assert_int_equal(beta->lookup, TARGET_NOT_LOOKED_UP);
	assert_address(&fleet, "beta", "");
	assert_int_equal(beta->state, TARGET_UNRESOLVED);
	fleet_free(&fleet);
	free(base);
}

static void a_name_in_place_of_an_address_begins_without_one(void **state)
{
	static const char changed[] = BUCKETS "[peers]\nalpha = alpha.example.net\n"
					      "beta = 10.0.0.99\n";
	char *base = write_base(ini);
	struct fleet fleet;

	(void)state;
	restore_into(&fleet, changed, base);
	assert_address(&fleet, "alpha", "");
	assert_address(&fleet, "beta", "10.0.0.99");
	assert_counters(&fleet, "default", "alpha", "", 1000);
	assert_counters(&fleet, "default", "beta", "", 2000);
	fleet_free(&fleet);
	free(base);
}

/* What comes back of a trace of 3 hops and 1,500 bytes, found at 10.0.0.1 with mtu = 1500. */
static void assert_findings(const char *config, uint64_t bytes, bool is_over)
{
	static const char before[] = "[probe]\nmtu = 1500\n[peers]\nalpha = 10.0.0.1\n";
	struct fleet fleet;
	struct target *alpha;
	char *text;

	fleet_load(&fleet, before);
	alpha = fleet_target(&fleet, "default", "alpha", "");
	alpha->totals.requests = 1;
	alpha->trace = calloc(1, sizeof(*alpha->trace));
	alpha->mtu = calloc(1, sizeof(*alpha->mtu));
	assert_true(alpha->trace && alpha->mtu);
	*alpha->trace = (struct trace){.at_ns = INT64_C(1600000000000000000), .hops = 3};
	assert_true(address_parse("10.0.0.7", &alpha->trace->last));
	*alpha->mtu =
		(struct path_mtu){.at_ns = INT64_C(1600000000000000000), .bytes = 1500};
	targets_select(&fleet.targets, "");
	text = fleet_write(&fleet, NULL);
	fleet_free(&fleet);
	restore_into(&fleet, config, text);
	alpha = fleet_target(&fleet, "default", "alpha", "");
	assert_true(alpha->trace && alpha->mtu);
	assert_int_equal(alpha->mtu->bytes, bytes);
	assert_int_equal(alpha->trace->is_over, is_over);
	assert_int_equal(alpha->mtu->at_ns, INT64_C(1600000000000000000));
	assert_int_equal(alpha->trace->at_ns, INT64_C(1600000000000000000));
	fleet_free(&fleet);
	free(text);
}

static void findings_fit_the_configuration_of_now(void **state)
{
	(void)state;
	assert_findings("[probe]\nmtu = 1500\n[peers]\nalpha = 10.0.0.1\n", 1500, false);
	assert_findings("[probe]\nmtu = 9000\n[peers]\nalpha = 10.0.0.1\n", 1500, false);
	assert_findings("[probe]\nmtu = 1200\n[peers]\nalpha = 10.0.0.1\n", 1200, false);
	assert_findings("[probe]\nmtu = 1500\n[peers]\nalpha = 10.0.0.2\n", 0, true);
	assert_findings("[probe]\nmtu = 1500\n[peers]\nalpha = alpha.example\n", 0, true);
	assert_findings("[collector]\ntrace = 0\n[probe]\nmtu = 1500\n[peers]\n"
			"alpha = 10.0.0.1\n",
			1500, true);
}

/* What becomes of beta's address in a group of that family. */
static void check_address(const char *family, const char *published, const char *expected)
{
	char *base = write_base(ini), *config, *edited, replaced[128];
	struct fleet fleet;
	const struct target *beta;

	snprintf(replaced, sizeof(replaced), BETA "%s ", published);
	edited = fleet_edit(base, BETA "10.0.0.2 ", replaced);
	config = fleet_concat(BUCKETS "family = ", family,
			      "\n[peers]\nbeta = beta.example.net\n");
	restore_into(&fleet, config, edited);
	assert_address(&fleet, "beta", expected);
	beta = fleet_target(&fleet, "default", "beta", "");
	/* Without an address the lookup is due at once. */
	if ((beta->lookup == TARGET_RESOLVED) != (*expected != '\0'))
		fail_msg("family %s, address %s: lookup is %d", family, published,
			 beta->lookup);
	fleet_free(&fleet);
	free(config);
	free(edited);
	free(base);
}

static void an_address_of_the_right_family_is_restored(void **state)
{
	(void)state;
	check_address("auto", "10.0.0.2", "10.0.0.2");
	check_address("auto", "fd00::2", "fd00::2");
	check_address("ipv4", "10.0.0.2", "10.0.0.2");
	check_address("ipv6", "fd00::2", "fd00::2");
	check_address("ipv4", "fd00::2", "");
	check_address("ipv6", "10.0.0.2", "");
}

static void an_unusable_address_is_not_restored(void **state)
{
	static const char *const addresses[] = {"-",
						"x",
						"10.0.0",
						"10.0.0.256",
						"0.0.0.0",
						"224.0.0.1",
						"255.255.255.255",
						"::",
						"ff02::1",
						"::ffff:10.0.0.1",
						"fe80::1%nosuchif0",
						"fe80::1",
						"127.0.0.1",
						"127.0.1.1",
						"::1",
						"beta.example.net"};

	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		check_address("auto", addresses[i], "");
}

/* What is not done yet, the next run continues with. */
static void a_lookup_is_remembered(void **state)
{
	static const char named[] = "[peers]\nbeta = beta.example.net\n";
	static const struct {
		enum target_lookup lookup;
		bool is_due;
		const char *address, *field;
	} cases[] = {{TARGET_RESOLVED, false, "10.0.0.2", " resolved "},
		     {TARGET_RESOLVED, true, "10.0.0.2", " resolved+ "},
		     {TARGET_LOOKUP_FAILED, false, "", " failed "},
		     {TARGET_LOOKUP_FAILED, true, "10.0.0.2", " failed+ "},
		     {TARGET_NO_ADDRESS, false, "", " none "},
		     {TARGET_NO_ADDRESS, true, "", " none+ "}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct target *beta;
		struct fleet fleet;
		char *text;

		load(&fleet, named);
		beta = fleet_target(&fleet, "default", "beta", "");
		beta->lookup = cases[i].lookup;
		beta->is_due = cases[i].is_due;
		(void)address_parse(cases[i].address, &beta->address);
		text = fleet_write(&fleet, NULL);
		fleet_free(&fleet);
		assert_non_null(strstr(text, cases[i].field));
		restore_into(&fleet, named, text);
		beta = fleet_target(&fleet, "default", "beta", "");
		assert_int_equal(beta->lookup, cases[i].lookup);
		assert_int_equal(beta->is_due, cases[i].is_due);
		assert_address(&fleet, "beta", cases[i].address);
		fleet_free(&fleet);
		free(text);
	}
}

static void a_node_that_pings_itself_may_have_loopback(void **state)
{
	static const char named[] = "[collector]\nskip_self = no\n"
				    "[peers]\nbeta = beta.example.net\n";
	struct fleet fleet;
	char *text;

	(void)state;
	load(&fleet, named);
	set_address(fleet_target(&fleet, "default", "beta", ""), "127.0.1.1");
	text = fleet_write(&fleet, NULL);
	fleet_free(&fleet);
	restore_into(&fleet, named, text);
	assert_address(&fleet, "beta", "127.0.1.1");
	fleet_free(&fleet);
	free(text);
}

static void random_damage_is_refused_or_harmless(void **state)
{
	uint64_t seed = fleet_seed();
	char *base = write_base(ini), *old = fleet_unseal(base);
	size_t taken = 0;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct fleet_lines lines = fleet_split(old);
		struct fleet fleet;
		char *text, *sealed;

		for (size_t n = 1 + fleet_random(&seed, 3); n > 0; n--)
			fleet_mutate(&lines, &seed);
		text = fleet_join(&lines);
		sealed = fleet_seal(text);
		load(&fleet, ini);
		if (fleet_restore(&fleet, sealed) == RESTORE_TAKEN)
			taken++;
		else
			assert_untouched(&fleet);
		targets_select(&fleet.targets, "");
		free(text);
		text = fleet_write(&fleet, NULL);
		assert_strict(text);
		free(text);
		free(sealed);
		fleet_free_lines(&lines);
		fleet_free(&fleet);
	}
	/* Otherwise nothing was tried. */
	assert_true(taken > 100 && taken < 2900);
	free(old);
	free(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_kept_comes_back),
		cmocka_unit_test(the_fixed_file_reads_as_the_written_one),
		cmocka_unit_test(whether_a_peer_was_up_comes_back),
		cmocka_unit_test(a_file_cut_at_any_byte_is_refused),
		cmocka_unit_test(every_line_damaged_is_refused),
		cmocka_unit_test(every_line_removed_or_repeated_is_refused),
		cmocka_unit_test(any_two_neighbours_swapped_are_refused),
		cmocka_unit_test(numbers_out_of_range_are_refused),
		cmocka_unit_test(seconds_out_of_range_are_refused),
		cmocka_unit_test(the_largest_numbers_are_taken_and_written_again),
		cmocka_unit_test(more_replies_than_requests_are_refused),
		cmocka_unit_test(unsound_histograms_are_refused),
		cmocka_unit_test(malformed_lines_are_refused),
		cmocka_unit_test(nul_bytes_are_refused),
		cmocka_unit_test(
			a_file_that_cannot_be_read_is_no_reason_to_start_from_zero),
		cmocka_unit_test(a_refusal_is_one_warning),
		cmocka_unit_test(what_a_newer_version_adds_is_skipped),
		cmocka_unit_test(what_an_older_version_did_not_write_starts_at_zero),
		cmocka_unit_test(peers_come_and_go),
		cmocka_unit_test(changed_buckets_restart_the_histograms_alone),
		cmocka_unit_test(the_mode_of_the_histogram_may_change),
		cmocka_unit_test(a_changed_host_name_loses_its_old_address),
		cmocka_unit_test(a_name_in_place_of_an_address_begins_without_one),
		cmocka_unit_test(findings_fit_the_configuration_of_now),
		cmocka_unit_test(an_address_of_the_right_family_is_restored),
		cmocka_unit_test(an_unusable_address_is_not_restored),
		cmocka_unit_test(a_lookup_is_remembered),
		cmocka_unit_test(a_node_that_pings_itself_may_have_loopback),
		cmocka_unit_test(random_damage_is_refused_or_harmless),
	};

	/* Refusals are meant here. */
	log_open(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
