/*
 * The counters of the last run out of its file, which is read as if an enemy had
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
	target->looked_up = target->resolved = true;
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
	fleet.state = (struct state){.counters_start_ns = INT64_C(1600000000000000001),
				     .last_resolve_ns = INT64_C(1699999999500000000),
				     .runs = 10000,
				     .discarded = {11, 12, 13, 14},
				     .receive_drops = 15};
	targets_select(&fleet.targets, "");
	written = fleet_write(&fleet, NULL);
	fleet_free(&fleet);
	assert_strict(written);
	return written;
}

static void assert_untouched(const struct fleet *fleet)
{
	static const struct state zero;

	assert_memory_equal(&fleet->state, &zero, sizeof(zero));
	for (size_t i = 0; i < fleet->targets.count; i++) {
		const struct target *target = &fleet->targets.items[i];

		assert_int_equal(target->totals.requests, 0);
		assert_int_equal(target->totals.replies, 0);
		assert_int_equal(target->totals.unsent, 0);
		assert_null(target->totals.histogram.counts);
		assert_int_equal(target->totals.histogram.sum.seconds, 0);
		assert_int_equal(target->totals.histogram.sum.nanos, 0);
		assert_int_equal(target->past, TARGET_UNKNOWN);
		assert_false(target->looked_up || target->resolved);
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

/* The base with an edit, sealed again. */
static void assert_edit_refused(const char *old, const char *new)
{
	char *base = write_base(ini), *edited = fleet_edit(base, old, new);
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
	assert_int_equal(fleet.state.runs, 10000);
	assert_int_equal(fleet.state.discarded[DISCARD_RECEIVE_DROPS], 12);
	assert_int_equal(fleet.state.receive_drops, 15);
	assert_true(fleet.state.counters_start_ns == INT64_C(1600000000000000001));
	assert_true(fleet.state.last_resolve_ns == INT64_C(1699999999500000000));
	again = fleet_write(&fleet, NULL);
	assert_same_text(again, base);
	free(again);
	free(base);
	fleet_free(&fleet);
}

static void how_the_last_run_found_a_peer_comes_back(void **state)
{
	struct fleet fleet;
	struct run_info info = {.success = true};
	char *text;

	(void)state;
	load(&fleet, ini);
	fleet_target(&fleet, "default", "alpha", "")->run.requests = 2;
	fleet_target(&fleet, "both", "gamma", "ipv4")->run =
		(struct stats_run){.requests = 2, .replies = 1};
	text = fleet_write(&fleet, &info);
	fleet_free(&fleet);
	restore_into(&fleet, ini, text);
	assert_int_equal(fleet_target(&fleet, "default", "alpha", "")->past, TARGET_DOWN);
	assert_int_equal(fleet_target(&fleet, "default", "beta", "")->past,
			 TARGET_UNKNOWN);
	assert_int_equal(fleet_target(&fleet, "both", "gamma", "ipv4")->past, TARGET_UP);
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

static void every_line_removed_or_twice_is_refused(void **state)
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

#define ALPHA "{group=\"default\",peer=\"alpha\"} "
#define ALPHA_LE(le) "{group=\"default\",peer=\"alpha\",le=\"" le "\"} "
#define BUCKET(le, n) "nodecanary_rtt_seconds_bucket" ALPHA_LE(le) n "\n"
#define SUM(n) "nodecanary_rtt_seconds_sum" ALPHA n "\n"
#define COUNT(n) "nodecanary_rtt_seconds_count" ALPHA n "\n"

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
	static const char *const series[] = {
		"nodecanary_requests_total" ALPHA "1003",
		"nodecanary_replies_total" ALPHA "1000",
		"nodecanary_unsent_total" ALPHA "1001",
		"nodecanary_rtt_seconds_bucket" ALPHA_LE("0.001") "995",
		"nodecanary_rtt_seconds_count" ALPHA "1000",
		"nodecanary_group_rtt_seconds_count{group=\"both\"} 7000",
		"nodecanary_runs_total 10000",
		"nodecanary_receive_drops_total 15",
		"nodecanary_discarded_rounds_total{reason=\"deadline\"} 14"};

	(void)state;
	for (size_t i = 0; i < sizeof(series) / sizeof(series[0]); i++) {
		for (size_t j = 0; j < sizeof(no_counters) / sizeof(no_counters[0]);
		     j++) {
			char changed[256];

			snprintf(changed, sizeof(changed), "%.*s %s",
				 (int)(strrchr(series[i], ' ') - series[i]), series[i],
				 no_counters[j]);
			assert_edit_refused(series[i], changed);
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

		snprintf(changed, sizeof(changed), "_sum" ALPHA "%s", numbers[i]);
		assert_edit_refused("_sum" ALPHA "1000.25", changed);
		snprintf(changed, sizeof(changed), "start_timestamp_seconds %s",
			 numbers[i]);
		assert_edit_refused("start_timestamp_seconds 1600000000.000000001",
				    changed);
		snprintf(changed, sizeof(changed), "resolve_timestamp_seconds %s",
			 numbers[i]);
		assert_edit_refused("resolve_timestamp_seconds 1699999999.5", changed);
	}
	/* Seconds that are no int64_t of nanoseconds. */
	assert_edit_refused("start_timestamp_seconds 1600000000.000000001",
			    "start_timestamp_seconds 9223372037");
	assert_edit_refused("resolve_timestamp_seconds 1699999999.5",
			    "resolve_timestamp_seconds 9007199254740992");
}

static void the_largest_numbers_are_taken_and_written_again(void **state)
{
	char *base = write_base(ini), *huge, *edited, *again;
	struct fleet fleet;

	(void)state;
	huge = fleet_edit(base, "nodecanary_requests_total" ALPHA "1003",
			  "nodecanary_requests_total" ALPHA "9007199254740992");
	edited = fleet_edit(huge, SUM("1000.25"), SUM("9007199254740992.999999999"));
	restore_into(&fleet, ini, edited);
	again = fleet_write(&fleet, NULL);
	assert_same_text(again, edited);
	free(again);
	free(edited);
	free(huge);
	free(base);
	fleet_free(&fleet);
}

static void more_replies_than_requests_are_refused(void **state)
{
	(void)state;
	assert_edit_refused("nodecanary_replies_total" ALPHA "1000",
			    "nodecanary_replies_total" ALPHA "1004");
	assert_edit_refused("nodecanary_requests_total" ALPHA "1003\n", "");
}

static void unsound_histograms_are_refused(void **state)
{
	static const char *const edits[][2] = {
		/* Not monotonic, or another count. */
		{BUCKET("0.01", "995"), BUCKET("0.01", "994")},
		{BUCKET("+Inf", "1000"), BUCKET("+Inf", "996")},
		{COUNT("1000"), COUNT("999")},
		{COUNT("1000"), COUNT("1001")},
		/* Incomplete. */
		{COUNT("1000"), ""},
		{SUM("1000.25"), ""},
		{BUCKET("+Inf", "1000"), ""},
		/* A part twice. */
		{COUNT("1000"), COUNT("1000") COUNT("1000")},
		{SUM("1000.25"), SUM("1000.25") SUM("7")},
		/* Out of order. */
		{SUM("1000.25") COUNT("1000"), COUNT("1000") SUM("1000.25")},
		{BUCKET("0.001", "995"), SUM("3") BUCKET("0.001", "995")},
		{BUCKET("0.001", "995"), COUNT("1000") BUCKET("0.001", "995")},
		{BUCKET("0.001", "995"),
		 BUCKET("0.001", "995") "nodecanary_runs_total 5\n"},
		{SUM("1000.25"),
		 "nodecanary_rtt_seconds_sum{group=\"default\",peer=\"beta\"} 1\n"},
		{BUCKET("0.001", "995"),
		 "nodecanary_rtt_seconds_bucket{group=\"default\",peer=\"beta\",le=\"0.001\"} 1\n" BUCKET(
			 "0.001", "995")},
		/* The whole of it a second time. */
		{COUNT("1000"),
		 COUNT("1000") BUCKET("0.001", "1") BUCKET("0.01", "1") BUCKET("0.1", "1")
			 BUCKET("+Inf", "1") SUM("1") COUNT("1")},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++)
		assert_edit_refused(edits[i][0], edits[i][1]);
}

/* Such lines may be those of other buckets; they are in no case taken for ours. */
static void buckets_in_disorder_are_never_taken(void **state)
{
	static const char *const edits[][2] = {
		{BUCKET("0.01", "995"), ""},
		{BUCKET("0.01", "995"), BUCKET("0.01", "995") BUCKET("0.01", "995")},
		{BUCKET("0.001", "995") BUCKET("0.01", "995"),
		 BUCKET("0.01", "995") BUCKET("0.001", "995")},
		{BUCKET("0.01", "995"), BUCKET("0.02", "995")},
		{BUCKET("0.01", "995"), BUCKET("NaN", "995")},
		{BUCKET("0.01", "995"), BUCKET("", "995")},
		{BUCKET("0.01", "995"), BUCKET("+Inf", "995")},
		{BUCKET("0.01", "995"), "nodecanary_rtt_seconds_bucket" ALPHA "995\n"},
		{BUCKET("+Inf", "1000"), BUCKET("+Inf", "1000") BUCKET("+Inf", "1000")},
	};
	char *base = write_base(ini);

	(void)state;
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		char *edited = fleet_edit(base, edits[i][0], edits[i][1]);
		struct fleet fleet;
		const struct target *alpha;

		load(&fleet, ini);
		fleet_restore(&fleet, edited);
		alpha = fleet_target(&fleet, "default", "alpha", "");
		assert_null(alpha->totals.histogram.counts);
		assert_int_equal(alpha->totals.histogram.sum.seconds, 0);
		fleet_free(&fleet);
		free(edited);
	}
	free(base);
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
	char *line = malloc(80000), *p = line;

	(void)state;
	assert_non_null(line);
	assert_front_refused("\n");
	assert_front_refused("x\n");
	assert_front_refused("x{} 1\n");
	assert_front_refused("x{a=\"b\",a=\"c\"} 1\n");
	assert_front_refused("x{a=\"\377\"} 1\n");
	assert_front_refused("nodecanary_runs_total 1 1700000000000\n");
	memset(line, 'x', 70000);
	strcpy(line + 70000, " 1\n");
	assert_front_refused(line);
	p += sprintf(p, "x{");
	for (int i = 0; i < 129; i++)
		p += sprintf(p, "%sl%d=\"\"", i ? "," : "", i);
	strcpy(p, "} 1\n");
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

static void what_cannot_be_read_is_not_overruled(void **state)
{
	int directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct fleet fleet;

	(void)state;
	load(&fleet, ini);
	assert_int_equal(restore_read(directory, "/", &fleet.targets, &fleet.state),
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
static void what_a_newer_version_says_more_is_dropped(void **state)
{
	static const char *const edits[][2] = {
		{"# HELP nodecanary_runs_total ", "# HELP nodecanary_runs_total Other: "},
		{"# TYPE nodecanary_runs_total counter",
		 "# TYPE nodecanary_runs_total x"},
		{"# HELP nodecanary_counters",
		 "# HELP nodecanary_carrier New.\n# TYPE nodecanary_carrier gauge\n"
		 "nodecanary_carrier{device=\"eth0\"} NaN\n# HELP nodecanary_counters"},
		{"# HELP nodecanary_unsent_total",
		 "# HELP nodecanary_runway_seconds New.\n"
		 "# TYPE nodecanary_runway_seconds histogram\n"
		 "nodecanary_runway_seconds_bucket{le=\"+Inf\"} 1e9\n"
		 "# HELP nodecanary_unsent_total"},
		{"nodecanary_requests_total{",
		 "nodecanary_requests_total{dscp=\"af41\","},
		{"nodecanary_runs_total 1", "nodecanary_runs_total{shard=\"0\"} 1"},
		{"nodecanary_discarded_rounds_total{reason=\"receive",
		 "nodecanary_discarded_rounds_total{reason=\"new\"} x\n"
		 "nodecanary_discarded_rounds_total{reason=\"receive"},
		{"# nodecanary_lookup{",
		 "# nodecanary-hint 7\n# nodecanary_lookup{ttl=\"5\","},
		{"{group=\"default\",peer=\"alpha\",le=",
		 "{tos=\"1\",group=\"default\",peer=\"alpha\",le="},
	};
	char *base = write_base(ini), *text = strdup(base), *again;
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

/* The base without the lines that begin so. */
static char *without(const char *text, const char *const *starts, size_t count)
{
	struct fleet_lines lines = fleet_split(text);
	char *body, *sealed;

	for (size_t i = 0; i < lines.count;) {
		bool drop = strncmp(lines.items[i], METRICS_STATE, 10) == 0 &&
			    i == lines.count - 1;

		for (size_t j = 0; j < count && !drop; j++)
			drop = strncmp(lines.items[i], starts[j], strlen(starts[j])) == 0;
		if (drop) {
			free(lines.items[i]);
			fleet_remove_line(&lines, i);
		} else {
			i++;
		}
	}
	body = fleet_join(&lines);
	sealed = fleet_seal(body);
	free(body);
	fleet_free_lines(&lines);
	return sealed;
}

static void what_an_older_version_did_not_write_starts_at_zero(void **state)
{
	static const char *const starts[] = {
		"nodecanary_unsent_total",  "nodecanary_rtt_seconds",
		"nodecanary_group_rtt",	    "nodecanary_discarded",
		"nodecanary_receive_drops", "nodecanary_last_resolve",
		"# nodecanary_lookup",	    "nodecanary_counters_start"};
	char *base = write_base(ini), *old = without(base, starts, 8);
	const struct target *alpha;
	struct fleet fleet;

	(void)state;
	restore_into(&fleet, ini, old);
	alpha = fleet_target(&fleet, "default", "alpha", "");
	assert_int_equal(alpha->totals.requests, 1003);
	assert_int_equal(alpha->totals.replies, 1000);
	assert_int_equal(alpha->totals.unsent, 0);
	assert_null(alpha->totals.histogram.counts);
	assert_int_equal(fleet.state.runs, 10000);
	assert_int_equal(fleet.state.discarded[DISCARD_CLOCK_STEP], 0);
	assert_int_equal(fleet.state.counters_start_ns, 0);
	assert_address(&fleet, "beta", "");
	fleet_free(&fleet);
	free(old);
	free(base);
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
		assert_int_equal(fleet.state.runs, 10000);
		assert_null(fleet_target(&fleet, "default", "alpha", "")
				    ->totals.histogram.counts);
		assert_null(targets_find_group(&fleet.targets, "both")->histogram.counts);
		text = fleet_write(&fleet, NULL);
		assert_strict(text);
		assert_non_null(strstr(text, SUM("0")));
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

		assert_int_equal(strstr(next, "\n" SUM("0")) != NULL, peer);
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
	assert_false(beta->looked_up || beta->resolved);
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

#define BETA_INFO "peer=\"beta\",address=\""

/* What becomes of beta's address in a group of that family. */
static void check_address(const char *family, const char *published, const char *expected)
{
	char *base = write_base(ini), *config, *edited, replaced[128];
	struct fleet fleet;
	const struct target *beta;

	snprintf(replaced, sizeof(replaced), BETA_INFO "%s\"", published);
	edited = fleet_edit(base, BETA_INFO "10.0.0.2\"", replaced);
	config = fleet_concat(BUCKETS "family = ", family,
			      "\n[peers]\nbeta = beta.example.net\n");
	restore_into(&fleet, config, edited);
	assert_address(&fleet, "beta", expected);
	beta = fleet_target(&fleet, "default", "beta", "");
	/* Of a name without address nothing is known: its lookup is due at once. */
	if (beta->looked_up != (*expected != '\0'))
		fail_msg("family %s, address %s: looked_up is %d", family, published,
			 beta->looked_up);
	fleet_free(&fleet);
	free(config);
	free(edited);
	free(base);
}

static void an_address_is_taken_over_where_its_family_fits(void **state)
{
	(void)state;
	check_address("auto", "10.0.0.2", "10.0.0.2");
	check_address("auto", "fd00::2", "fd00::2");
	check_address("ipv4", "10.0.0.2", "10.0.0.2");
	check_address("ipv6", "fd00::2", "fd00::2");
	check_address("ipv4", "fd00::2", "");
	check_address("ipv6", "10.0.0.2", "");
}

static void an_address_that_is_none_is_not_taken_over(void **state)
{
	static const char *const addresses[] = {"",
						"x",
						"10.0.0",
						"10.0.0.256",
						"0.0.0.0",
						"224.0.0.1",
						"255.255.255.255",
						"::",
						"ff02::1",
						"::ffff:10.0.0.1",
						"10.0.0.2 ",
						"fe80::1%nosuchif0",
						"beta.example.net"};

	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		check_address("auto", addresses[i], "");
}

static void lookups_of_a_wrong_form_are_refused(void **state)
{
	static const char lookup[] = "host=\"beta.example.net\"} 1";

	(void)state;
	assert_edit_refused(lookup, "host=\"beta.example.net\"} 2");
	assert_edit_refused(lookup, "host=\"beta.example.net\"} NaN");
	assert_edit_refused(lookup, "host=\"beta.example.net\"}");
	assert_edit_refused(lookup, "host=beta.example.net} 1");
}

/* A failed lookup is not repeated before its time. */
static void a_name_that_did_not_resolve_is_known_as_such(void **state)
{
	static const char named[] = "[peers]\nbeta = beta.example.net\n";
	const struct target *beta;
	struct fleet fleet;
	char *text;

	(void)state;
	load(&fleet, named);
	fleet_target(&fleet, "default", "beta", "")->looked_up = true;
	text = fleet_write(&fleet, NULL);
	fleet_free(&fleet);
	restore_into(&fleet, named, text);
	beta = fleet_target(&fleet, "default", "beta", "");
	assert_true(beta->looked_up);
	assert_false(beta->resolved);
	fleet_free(&fleet);
	free(text);
}

static void what_is_taken_is_written_as_readers_want_it(void **state)
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
	/* Else nothing was tried. */
	assert_true(taken > 100 && taken < 2900);
	free(old);
	free(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_kept_comes_back),
		cmocka_unit_test(how_the_last_run_found_a_peer_comes_back),
		cmocka_unit_test(a_file_cut_at_any_byte_is_refused),
		cmocka_unit_test(every_line_damaged_is_refused),
		cmocka_unit_test(every_line_removed_or_twice_is_refused),
		cmocka_unit_test(any_two_neighbours_swapped_are_refused),
		cmocka_unit_test(numbers_out_of_range_are_refused),
		cmocka_unit_test(seconds_out_of_range_are_refused),
		cmocka_unit_test(the_largest_numbers_are_taken_and_written_again),
		cmocka_unit_test(more_replies_than_requests_are_refused),
		cmocka_unit_test(unsound_histograms_are_refused),
		cmocka_unit_test(buckets_in_disorder_are_never_taken),
		cmocka_unit_test(malformed_lines_are_refused),
		cmocka_unit_test(nul_bytes_are_refused),
		cmocka_unit_test(what_cannot_be_read_is_not_overruled),
		cmocka_unit_test(a_refusal_is_one_warning),
		cmocka_unit_test(what_a_newer_version_says_more_is_dropped),
		cmocka_unit_test(what_an_older_version_did_not_write_starts_at_zero),
		cmocka_unit_test(peers_come_and_go),
		cmocka_unit_test(changed_buckets_restart_the_histograms_alone),
		cmocka_unit_test(the_mode_of_the_histogram_may_change),
		cmocka_unit_test(a_changed_host_name_loses_its_old_address),
		cmocka_unit_test(a_name_in_place_of_an_address_begins_without_one),
		cmocka_unit_test(an_address_is_taken_over_where_its_family_fits),
		cmocka_unit_test(an_address_that_is_none_is_not_taken_over),
		cmocka_unit_test(lookups_of_a_wrong_form_are_refused),
		cmocka_unit_test(a_name_that_did_not_resolve_is_known_as_such),
		cmocka_unit_test(what_is_taken_is_written_as_readers_want_it),
	};

	/* Refusals are meant here. */
	log_open(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
