/*
 * Tables for people: the results of a run, and the list of peers.
 */
#include "support.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/configload.h"
#include "peers/self.h"
#include "print.h"

#define MS INT64_C(1000000)

static char directory[SUPPORT_PATH_SIZE];
static struct config config;
static struct targets targets;

static int begin(void **state)
{
	(void)state;
	support_make_dir(directory);
	return chdir(directory);
}

static int end(void **state)
{
	(void)state;
	targets_free(&targets);
	config_free(&config);
	assert_int_equal(chdir("/"), 0);
	support_remove_dir(directory);
	return 0;
}

static void load(const char *content)
{
	support_write_file("c.ini", content, strlen(content));
	assert_int_equal(configload_read(&config, "c.ini", NULL), CONFIG_VALID);
	assert_int_equal(targets_build(&targets, &config), 0);
	for (size_t i = 0; i < config.peer_count; i++)
		if (strcmp(config.peers[i].name, "self") == 0)
			targets.groups[config.peers[i].group] = (struct target_group){
				.self = &config.peers[i],
				.self_evidence = SELF_HOST_NAME | SELF_LABEL};
	targets_select(&targets, "");
}

/* Replies of the round-trip times low and high by turns, an even number of them. */
static void measured(size_t index, uint64_t requests, uint64_t replies, int64_t low_ns,
		     int64_t high_ns)
{
	double half = (double)(high_ns - low_ns) / 2;

	targets.items[index].run =
		(struct stats_run){.requests = requests,
				   .replies = replies,
				   .min_ns = low_ns,
				   .max_ns = high_ns,
				   .mean_ns = (double)low_ns + half,
				   .m2_ns2 = half * half * (double)replies};
}

static void fail_request(size_t index, enum failure_reason reason, const char *from)
{
	struct address address;

	(void)address_parse(from, &address);
	assert_int_equal(failure_add(&targets.items[index].failures, reason, &address),
			 0);
}

static void expect_results(bool colour, const char *wanted)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	print_results(out, &targets, colour);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, wanted);
	free(text);
}

#define NOBODY(group)                                                                    \
	"group " group                                                                   \
	": this node is not among the peers: no peer has the name or an address of this host\n"

static void expect_peers(const char *wanted)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	print_peers(out, &targets);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, wanted);
	free(text);
}

/* Peers that are up, lossy, down, unsent, and without an address. */
static void load_every_kind(void)
{
	load("[peers]\nself = 10.0.0.1\nup = 10.0.0.2\nlossy = 10.0.0.33\ndown = 10.0.0.4\n"
	     "mute = 10.0.0.5\npartly = 10.0.0.6\nnameless.example.net =\n");
	for (size_t i = 0; i < targets.count; i++) {
		const char *name = targets.items[i].peer->name;

		if (strcmp(name, "up") == 0)
			measured(i, 4, 4, 1 * MS, 2 * MS);
		if (strcmp(name, "lossy") == 0)
			measured(i, 6, 4, 10 * MS, 100 * MS);
		if (strcmp(name, "down") == 0) {
			measured(i, 5, 0, 0, 0);
			fail_request(i, FAILURE_HOST_UNREACHABLE, "10.0.9.1");
		}
		if (strcmp(name, "mute") == 0) {
			targets.items[i].run.unsent = 5;
			fail_request(i, FAILURE_NO_ROUTE, "");
		}
		if (strcmp(name, "partly") == 0) {
			measured(i, 2, 2, 1234567, 1234567);
			targets.items[i].run.unsent = 3;
		}
		if (strcmp(name, "nameless.example.net") == 0)
			targets.items[i].run.unsent = 5;
	}
}

#define HEADER                                                                           \
	"peer                  address     sent  replies  loss%    min ms   mean ms    " \
	"max ms    stddev\n"
#define DOWN                                                                             \
	"down                  10.0.0.4       5        0  100.0         -         -    " \
	" "                                                                              \
	"    -         -  host_unreachable from 10.0.9.1"
#define LOSSY                                                                            \
	"lossy                 10.0.0.33      6        4   33.3    10.000    55.000   "  \
	"100.000    45.000"
#define MUTE                                                                             \
	"mute                  10.0.0.5       0        0      -         -         -    " \
	" "                                                                              \
	"    -         -  5 unsent  no_route"
#define NAMELESS                                                                         \
	"nameless.example.net  -              0        0      -         -         -    " \
	" "                                                                              \
	"    -         -  unresolved"
#define PARTLY                                                                           \
	"partly                10.0.0.6       2        2    0.0     1.235     1.235    " \
	" "                                                                              \
	"1.235     0.000  3 unsent"
#define UP                                                                               \
	"up                    10.0.0.2       4        4    0.0     1.000     1.500    " \
	" "                                                                              \
	"2.000     0.500"

static void results_have_a_line_for_each_measured_peer(void **state)
{
	(void)state;
	load_every_kind();
	expect_results(false, HEADER DOWN "\n" LOSSY "\n" MUTE "\n" NAMELESS "\n" PARTLY
					  "\n" UP "\n");
}

static void colour_shows_what_is_down_and_what_is_lossy(void **state)
{
	(void)state;
	load_every_kind();
	expect_results(true, HEADER "\033[31m" DOWN "\033[0m\n"
				    "\033[33m" LOSSY "\033[0m\n"
				    "\033[31m" MUTE "\033[0m\n"
				    "\033[31m" NAMELESS "\033[0m\n"
				    "\033[33m" PARTLY "\033[0m\n" UP "\n");
}

static void every_line_fits_80_columns_where_names_are_short(void **state)
{
	(void)state;
	load("[peers]\nworker1 = 10.0.0.1\n");
	measured(0, 5, 4, 1 * MS, 2 * MS);
	expect_results(
		false,
		"peer     address    sent  replies  loss%    min ms   mean ms    max ms    stddev\n"
		"worker1  10.0.0.1      5        4   20.0     1.000     1.500     2.000     0.500\n");
}

static void two_groups_have_a_group_column(void **state)
{
	(void)state;
	load("[peers]\na = 10.0.0.2\n[peers storage]\na = fd00::2\n");
	measured(0, 4, 4, 1 * MS, 2 * MS);
	measured(1, 4, 4, 1 * MS, 2 * MS);
	expect_results(
		false,
		"group    peer  address    sent  replies  loss%    min ms   mean ms    max ms    stddev\n"
		"default  a     10.0.0.2      4        4    0.0     1.000     1.500     2.000     0.500\n"
		"storage  a     fd00::2       4        4    0.0     1.000     1.500     2.000     0.500\n");
}

static void both_families_have_a_line_each(void **state)
{
	(void)state;
	load("[probe]\nfamily = both\n[peers]\na = 10.0.0.2, fd00::2\n");
	measured(0, 4, 4, 1 * MS, 2 * MS);
	expect_results(
		false,
		"peer  address    sent  replies  loss%    min ms   mean ms    max ms    stddev\n"
		"a     10.0.0.2      4        4    0.0     1.000     1.500     2.000     0.500\n"
		"a     fd00::2       0        0      -         -         -         -         -\n");
}

static void without_peers_there_is_only_a_header(void **state)
{
	(void)state;
	load("");
	expect_results(
		true,
		"peer  address   sent  replies  loss%    min ms   mean ms    max ms    stddev\n");
	expect_peers("peer  address  state\n");
}

static void list_shows_the_state_of_every_peer(void **state)
{
	(void)state;
	load("[peers]\nself = 10.0.0.1\nup = 10.0.0.2\nname.example.net =\n[probe rack]\n"
	     "members_only = yes\n[peers rack]\na = 10.0.0.9\n");
	expect_peers(
		"group    peer              address   state\n"
		"default  name.example.net  -         unresolved\n"
		"default  self              10.0.0.1  self\n"
		"default  up                10.0.0.2  probed\n"
		"rack     a                 10.0.0.9  unselected\n"
		"group default: this node is self: it has the name of this host\n" NOBODY(
			"rack"));
}

static void list_of_one_group_has_no_group_column(void **state)
{
	(void)state;
	load("[peers only]\na = 10.0.0.2\n");
	expect_peers("peer  address   state\na     10.0.0.2  probed\n" NOBODY("only"));
}

static void reasons_name_the_strongest_evidence(void **state)
{
	static const struct {
		unsigned evidence;
		const char *one, *several;
	} cases[] = {
		{SELF_CONFIGURED | SELF_ADDRESS, "`self` names it", NULL},
		{SELF_FULL_NAME | SELF_HOST_NAME, "it has the full name of this host",
		 NULL},
		{SELF_HOST_NAME, "it has the name of this host",
		 "several peers have the name of this host"},
		{SELF_ADDRESS | SELF_PREVIOUS, "it has an address of this host",
		 "several peers have an address of this host"},
		{SELF_PREVIOUS, "it was this node in the previous run", NULL},
	};
	static const struct peer peer;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct target_group one = {.self = &peer,
					   .self_evidence = cases[i].evidence};
		struct target_group several = {.self_evidence = cases[i].evidence};

		assert_string_equal(print_self_reason(&one), cases[i].one);
		if (cases[i].several)
			assert_string_equal(print_self_reason(&several),
					    cases[i].several);
	}
}

static void a_family_that_a_name_does_not_have_is_not_listed(void **state)
{
	(void)state;
	load("[probe]\nfamily = both\n[peers only]\nn.example.net =\n");
	assert_true(address_parse("10.0.0.1", &targets.items[0].address));
	targets.items[0].lookup = TARGET_RESOLVED;
	targets.items[1].lookup = TARGET_NO_ADDRESS;
	targets_select(&targets, "");
	expect_peers("peer           address   state\n"
		     "n.example.net  10.0.0.1  probed\n" NOBODY("only"));
}

/* A pseudo-terminal: its master is one, too. */
static FILE *open_terminal(void)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fdopen(fd, "r+");
}

static void whole_list_has_a_line_for_each_pair(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_non_null(out);
	load("[probe mesh]\nmembers_only = yes\n[peers mesh]\na = 10.0.0.1\n"
	     "self = 10.0.0.2\nc = c.example.net\n[probe default]\nfanout = 1\n"
	     "[peers]\nx = 10.0.0.8\ny = 10.0.0.9\n");
	assert_int_equal(print_observers(out, &targets), 0);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, "default x y\ndefault y x\n"
				  "mesh a c\nmesh a self\n"
				  "mesh c a\nmesh c self\n"
				  "mesh self a\nmesh self c\n");
	free(text);
}

static void colour_is_for_terminals_only_unless_refused(void **state)
{
	FILE *terminal = open_terminal(), *file = tmpfile();

	(void)state;
	assert_non_null(terminal);
	assert_non_null(file);
	unsetenv("NO_COLOR");
	assert_true(print_wants_colour(terminal));
	assert_false(print_wants_colour(file));
	setenv("NO_COLOR", "1", 1);
	assert_false(print_wants_colour(terminal));
	/* no-color.org: set and not empty. */
	setenv("NO_COLOR", "", 1);
	assert_true(print_wants_colour(terminal));
	unsetenv("NO_COLOR");
	fclose(terminal);
	fclose(file);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(results_have_a_line_for_each_measured_peer),
		TEST(colour_shows_what_is_down_and_what_is_lossy),
		TEST(every_line_fits_80_columns_where_names_are_short),
		TEST(two_groups_have_a_group_column),
		TEST(both_families_have_a_line_each),
		TEST(without_peers_there_is_only_a_header),
		TEST(list_shows_the_state_of_every_peer),
		TEST(list_of_one_group_has_no_group_column),
		TEST(reasons_name_the_strongest_evidence),
		TEST(a_family_that_a_name_does_not_have_is_not_listed),
		TEST(whole_list_has_a_line_for_each_pair),
		cmocka_unit_test(colour_is_for_terminals_only_unless_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
