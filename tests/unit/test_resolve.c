/*
 * Lookups in real child processes. The test has its own getaddrinfo(), which passes names
 * that it does not know to that of libc.
 */
#include "support.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "peers/resolve.h"
#include "base/stop.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define MS CLOCK_NS_PER_MS
#define QUERIES_MAX 100

/* Shared with the children. */
struct shared {
	atomic_uint calls, blocked;
	sem_t is_blocked;  /* posted by each that blocks */
	char options[300]; /* the value of RES_OPTIONS that is expected */
};

static struct shared *shared;

typedef int resolver(const char *host, const char *service, const struct addrinfo *hints,
		     struct addrinfo **list);

/* What a host's name says of it: "a.b.c.d,e.f.g.h" is a list of numbers. */
static int answer_list(const char *host, const struct addrinfo *hints,
		       struct addrinfo **list)
{
	char text[256];
	struct addrinfo **end = list;
	resolver *libc = (resolver *)(uintptr_t)dlsym(RTLD_NEXT, "getaddrinfo");

	snprintf(text, sizeof(text), "%s", host);
	for (char *save, *one = strtok_r(text, ",", &save); one;
	     one = strtok_r(NULL, ",", &save)) {
		int error = libc(one, NULL, hints, end);

		if (error)
			return error;
		end = &(*end)->ai_next;
	}
	return 0;
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
		struct addrinfo **list)
{
	(void)service;
	atomic_fetch_add(&shared->calls, 1);
	if (strncmp(host, "block", 5) == 0) {
		atomic_fetch_add(&shared->blocked, 1);
		sem_post(&shared->is_blocked);
		for (;;)
			pause();
	}
	if (strcmp(host, "crash") == 0)
		_exit(1);
	if (strcmp(host, "unknown") == 0 || strcmp(host, "servfail.example") == 0 ||
	    strcmp(host, "gone.example") == 0 || strcmp(host, "gone.example.") == 0 ||
	    strcmp(host, "back.example") == 0)
		return EAI_NONAME;
	if (strcmp(host, "back.example.") == 0)
		host = "10.0.0.9";
	if (strcmp(host, "servfail.example.") == 0)
		return EAI_AGAIN;
	if (strcmp(host, "slow") == 0) {
		usleep(1200000);
		host = "10.0.0.1";
	}
	if (strcmp(host, "nodata") == 0)
		return EAI_NODATA;
	if (strcmp(host, "again") == 0)
		return EAI_AGAIN;
	if (strcmp(host, "fail") == 0)
		return EAI_FAIL;
	/* The options that the resolver would have. */
	if (strcmp(host, "options") == 0)
		host = strcmp(getenv("RES_OPTIONS"), shared->options) == 0 ? "10.0.0.1"
									   : "10.0.0.2";
	return answer_list(host, hints, list);
}

/* Whether children sleep uninterruptibly, so that SIGKILL ends none of them. */
static bool unkillable;

pid_t waitpid(pid_t child, int *status, int options)
{
	if (!unkillable)
		return (pid_t)syscall(SYS_wait4, child, status, options, NULL);
	assert_true(options & WNOHANG);
	return 0;
}

/* The lists are libc's. */
void freeaddrinfo(struct addrinfo *list)
{
	void (*libc)(struct addrinfo *) =
		(void (*)(struct addrinfo *))(uintptr_t)dlsym(RTLD_NEXT, "freeaddrinfo");

	libc(list);
}

static int set_up_all(void **state)
{
	(void)state;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || stop_init() < 0)
		return -1;
	/* Nothing hangs for ever. */
	alarm(120);
	return 0;
}

static size_t count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static size_t fds_before;
static int64_t deadline_ns; /* the last one that in_ms() gave to resolve_run() */

static int set_up(void **state)
{
	(void)state;
	atomic_store(&shared->calls, 0);
	atomic_store(&shared->blocked, 0);
	if (sem_init(&shared->is_blocked, 1, 0) < 0)
		return -1;
	fds_before = count_fds();
	deadline_ns = INT64_MAX - RESOLVE_END_WAIT_NS;
	return 0;
}

/*
 * After every test: no child is left, not even a zombie, and no descriptor. Only on a machine
 * so busy that killed children were waited for in vain, some may end later.
 */
static int tear_down(void **state)
{
	(void)state;
	if (waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD) {
		bool was_waited_for =
			clock_monotonic_ns() >= deadline_ns + RESOLVE_END_WAIT_NS;

		/* The next test must not find it again. A child that was not killed never ends. */
		while (waitpid(-1, NULL, 0) > 0)
			;
		if (!was_waited_for) {
			print_error("a child is left\n");
			return -1;
		}
	}
	if (count_fds() != fds_before) {
		print_error("a descriptor is left\n");
		return -1;
	}
	return 0;
}

static struct resolve_query query_of(const char *host, enum address_family family)
{
	return (struct resolve_query){.host = host, .family = family};
}

static int64_t in_ms(int64_t ms)
{
	deadline_ns = clock_monotonic_ns() + ms * MS;
	return deadline_ns;
}

static void assert_address(const struct resolve_query *query, const char *text)
{
	char actual[ADDRESS_TEXT_SIZE];

	assert_int_equal(query->result, RESOLVE_FOUND);
	address_format(&query->address, actual);
	assert_string_equal(actual, text);
}

static void no_query_is_no_work(void **state)
{
	(void)state;
	assert_int_equal(resolve_run(NULL, 0, in_ms(1000)), 0);
	assert_int_equal(atomic_load(&shared->calls), 0);
}

static void answers_come_back_to_their_queries(void **state)
{
	char texts[QUERIES_MAX][ADDRESS_TEXT_SIZE];
	struct resolve_query queries[QUERIES_MAX];

	(void)state;
	for (unsigned i = 0; i < QUERIES_MAX; i++) {
		snprintf(texts[i], sizeof(texts[i]), i % 2 ? "10.1.2.%u" : "fd00::%x",
			 i + 1);
		queries[i] = query_of(texts[i], ADDRESS_NONE);
	}
	assert_int_equal(resolve_run(queries, QUERIES_MAX, in_ms(60000)), 0);
	for (size_t i = 0; i < QUERIES_MAX; i++)
		assert_address(&queries[i], texts[i]);
	assert_int_equal(atomic_load(&shared->calls), QUERIES_MAX);
}

static void name_of_the_hosts_file_is_found(void **state)
{
	struct resolve_query query = query_of("localhost", ADDRESS_IPV4);

	(void)state;
	query.allows_loopback = true;
	assert_int_equal(resolve_run(&query, 1, in_ms(60000)), 0);
	assert_address(&query, "127.0.0.1");
}

/* What the resolver says of it; the address stays. */
static void a_name_without_an_address_is_told_from_a_failure(void **state)
{
	static const struct {
		const char *host;
		enum resolve_result result;
	} cases[] = {{"unknown", RESOLVE_NO_ADDRESS},
		     {"nodata", RESOLVE_NO_ADDRESS},
		     {"again", RESOLVE_FAILED},
		     {"fail", RESOLVE_FAILED}};
	struct resolve_query queries[LENGTH(cases)];
	char actual[ADDRESS_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		queries[i] = query_of(cases[i].host, ADDRESS_IPV4);
		assert_true(address_parse("10.0.0.9", &queries[i].address));
	}
	assert_int_equal(resolve_run(queries, LENGTH(cases), in_ms(60000)), 0);
	for (size_t i = 0; i < LENGTH(cases); i++) {
		assert_int_equal(queries[i].result, cases[i].result);
		address_format(&queries[i].address, actual);
		assert_string_equal(actual, "10.0.0.9");
	}
}

/* glibc forgets the failure when it looks on with the domains of a search list. */
static void an_address_in_use_is_given_up_only_where_the_absolute_name_has_none(
	void **state)
{
	static const struct {
		const char *host;
		enum resolve_result result;
		bool is_in_use;
	} cases[] = {{"servfail.example", RESOLVE_FAILED, true},
		     {"servfail.example", RESOLVE_NO_ADDRESS, false},
		     {"back.example", RESOLVE_FAILED, true},
		     {"gone.example", RESOLVE_NO_ADDRESS, true},
		     {"gone.example.", RESOLVE_NO_ADDRESS, true}};
	struct resolve_query queries[LENGTH(cases)];

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		queries[i] = query_of(cases[i].host, ADDRESS_IPV4);
		if (cases[i].is_in_use)
			assert_true(address_parse("10.0.0.9", &queries[i].address));
	}
	assert_int_equal(resolve_run(queries, LENGTH(cases), in_ms(60000)), 0);
	for (size_t i = 0; i < LENGTH(cases); i++)
		assert_int_equal(queries[i].result, cases[i].result);
	/* One of the other family is not at stake. */
	queries[0] = query_of("servfail.example", ADDRESS_IPV6);
	assert_true(address_parse("10.0.0.9", &queries[0].address));
	assert_int_equal(resolve_run(queries, 1, in_ms(60000)), 0);
	assert_int_equal(queries[0].result, RESOLVE_NO_ADDRESS);
}

static void family_that_is_asked_for_is_answered(void **state)
{
	struct resolve_query queries[] = {
		query_of("10.0.0.1", ADDRESS_IPV6), query_of("fd00::1", ADDRESS_IPV4),
		query_of("10.0.0.1", ADDRESS_IPV4), query_of("fd00::1", ADDRESS_IPV6)};

	(void)state;
	assert_int_equal(resolve_run(queries, LENGTH(queries), in_ms(60000)), 0);
	assert_int_equal(queries[0].result, RESOLVE_NO_ADDRESS);
	assert_int_equal(queries[1].result, RESOLVE_NO_ADDRESS);
	assert_address(&queries[2], "10.0.0.1");
	assert_address(&queries[3], "fd00::1");
}

static void address_in_use_is_kept_while_it_is_among_the_answers(void **state)
{
	static const struct {
		const char *in_use, *answers, *expected;
	} cases[] = {{"10.0.0.2", "10.0.0.1,10.0.0.2,10.0.0.3", "10.0.0.2"},
		     {"10.0.0.3", "10.0.0.1,fd00::1,10.0.0.3", "10.0.0.3"},
		     {"fd00::1", "10.0.0.1,fd00::1", "fd00::1"},
		     {"10.0.0.9", "10.0.0.1,10.0.0.2", "10.0.0.1"},
		     {"", "fd00::1,10.0.0.2", "fd00::1"}};
	struct resolve_query queries[LENGTH(cases)];

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		queries[i] = query_of(cases[i].answers, ADDRESS_NONE);
		assert_true(address_parse(cases[i].in_use, &queries[i].address) ||
			    !*cases[i].in_use);
	}
	assert_int_equal(resolve_run(queries, LENGTH(cases), in_ms(60000)), 0);
	for (size_t i = 0; i < LENGTH(cases); i++)
		assert_address(&queries[i], cases[i].expected);
}

static void unsuitable_address_is_refused_and_named(void **state)
{
	static const struct {
		const char *answers, *refused; /* NULL: the address is 10.0.0.1 */
	} cases[] = {{"0.0.0.0", "0.0.0.0"},
		     {"224.0.0.1,10.0.0.1", NULL},
		     {"127.0.1.1,10.0.0.1", NULL},
		     {"10.0.0.1,127.0.0.1", NULL},
		     {"::ffff:10.0.0.1", "::ffff:10.0.0.1"},
		     {"ff02::1", "ff02::1"},
		     {"fe80::1", "fe80::1"},
		     {"::1", "::1"},
		     {"127.0.0.1,0.0.0.0", "127.0.0.1"},
		     {"127.0.1.1", "127.0.1.1"},
		     {"127.0.53.53", "127.0.53.53"}};
	struct resolve_query queries[LENGTH(cases)];
	char actual[ADDRESS_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++)
		queries[i] = query_of(cases[i].answers, ADDRESS_NONE);
	assert_int_equal(resolve_run(queries, LENGTH(cases), in_ms(60000)), 0);
	for (size_t i = 0; i < LENGTH(cases); i++) {
		if (!cases[i].refused) {
			assert_address(&queries[i], "10.0.0.1");
			continue;
		}
		assert_int_equal(queries[i].result, RESOLVE_REFUSED);
		address_format(&queries[i].address, actual);
		assert_string_equal(actual, cases[i].refused);
	}
}

static void this_node_may_look_for_itself_at_loopback(void **state)
{
	struct resolve_query query = query_of("127.0.1.1", ADDRESS_IPV4);

	(void)state;
	query.allows_loopback = true;
	assert_int_equal(resolve_run(&query, 1, in_ms(60000)), 0);
	assert_address(&query, "127.0.1.1");
}

/* Every host reaches its loopback addresses, and none may send to their broadcast address. */
static void address_that_can_be_reached_goes_before_the_one_in_use(void **state)
{
	struct resolve_query queries[] = {
		query_of("127.255.255.255,127.0.0.9", ADDRESS_IPV4),
		query_of("127.0.0.8,127.0.0.9", ADDRESS_IPV4),
		query_of("127.255.255.255", ADDRESS_IPV4)};

	(void)state;
	assert_true(address_parse("127.255.255.255", &queries[0].address));
	assert_true(address_parse("127.0.0.9", &queries[1].address));
	assert_int_equal(resolve_run(queries, LENGTH(queries), in_ms(60000)), 0);
	assert_address(&queries[0], "127.0.0.9");
	assert_address(&queries[1], "127.0.0.9");
	assert_address(&queries[2], "127.255.255.255");
	assert_true(queries[0].is_reachable && queries[1].is_reachable);
	assert_false(queries[2].is_reachable);
}

/* Through another device, or from an address that is not here, nothing leaves this host. */
static void what_can_be_reached_depends_on_source_and_device_of_the_group(void **state)
{
	static const struct options from_here = {.device = "lo"},
				    other_device = {.device = "no-such-device"};
	struct options other_source = {.count = 0};
	const struct options *const options[] = {NULL, &from_here, &other_device,
						 &other_source};
	struct resolve_query queries[LENGTH(options)];

	(void)state;
	assert_true(address_parse("192.0.2.1", &other_source.source.v4));
	for (size_t i = 0; i < LENGTH(options); i++) {
		queries[i] = query_of("127.0.0.9", ADDRESS_IPV4);
		queries[i].options = options[i];
	}
	assert_int_equal(resolve_run(queries, LENGTH(options), in_ms(60000)), 0);
	for (size_t i = 0; i < LENGTH(options); i++) {
		assert_address(&queries[i], "127.0.0.9");
		assert_int_equal(queries[i].is_reachable, i < 2);
	}
}

static void assert_options(const char *given, const char *expected)
{
	struct resolve_query query = query_of("options", ADDRESS_IPV4);

	snprintf(shared->options, sizeof(shared->options), "%s", expected);
	if (given)
		setenv("RES_OPTIONS", given, 1);
	assert_int_equal(resolve_run(&query, 1, in_ms(60000)), 0);
	assert_address(&query, "10.0.0.1");
	/* Only the children are in a hurry. */
	if (given)
		assert_string_equal(getenv("RES_OPTIONS"), given);
	else
		assert_null(getenv("RES_OPTIONS"));
	unsetenv("RES_OPTIONS");
}

static void a_name_server_has_a_second_unless_the_administrator_says_otherwise(
	void **state)
{
	char long_options[300];

	(void)state;
	unsetenv("RES_OPTIONS");
	assert_options(NULL, "timeout:1 ");
	assert_options("attempts:3", "timeout:1 attempts:3");
	/* The last one counts. */
	assert_options("timeout:4", "timeout:1 timeout:4");
	memset(long_options, 'x', sizeof(long_options));
	long_options[sizeof(long_options) - 1] = '\0';
	assert_options(long_options, long_options);
}

static void deadline_ends_a_lookup_that_blocks(void **state)
{
	struct resolve_query query = query_of("block", ADDRESS_NONE);
	int64_t start_ns = clock_monotonic_ns(), end_ns;

	(void)state;
	assert_int_equal(resolve_run(&query, 1, start_ns + 2000 * MS), 0);
	end_ns = clock_monotonic_ns();
	assert_true(end_ns - start_ns >= 2000 * MS);
	assert_true(end_ns - start_ns < 30000 * MS);
	assert_int_equal(atomic_load(&shared->blocked), 1);
	assert_int_equal(query.result, RESOLVE_CUT_OFF);
}

static void child_that_cannot_be_killed_does_not_hold_the_run(void **state)
{
	struct resolve_query query = query_of("block", ADDRESS_NONE);

	(void)state;
	unkillable = true;
	assert_int_equal(resolve_run(&query, 1, in_ms(100)), 0);
	unkillable = false;
	assert_int_equal(query.result, RESOLVE_CUT_OFF);
	assert_true(waitpid(-1, NULL, 0) > 0);
}

static void name_that_blocks_delays_no_other(void **state)
{
	struct resolve_query queries[QUERIES_MAX];

	(void)state;
	for (size_t i = 0; i < QUERIES_MAX; i++)
		queries[i] = query_of(i == 7 ? "block" : "10.0.0.1", ADDRESS_NONE);
	assert_int_equal(resolve_run(queries, QUERIES_MAX, in_ms(3000)), 0);
	for (size_t i = 0; i < QUERIES_MAX; i++)
		assert_int_equal(queries[i].result,
				 i == 7 ? RESOLVE_CUT_OFF : RESOLVE_FOUND);
}

static void names_that_no_child_came_to_were_not_asked(void **state)
{
	struct resolve_query queries[RESOLVE_CHILDREN + 30];
	size_t cut_off = 0;

	(void)state;
	for (size_t i = 0; i < LENGTH(queries); i++)
		queries[i] = query_of("block", ADDRESS_NONE);
	assert_int_equal(resolve_run(queries, LENGTH(queries), in_ms(2000)), 0);
	for (size_t i = 0; i < LENGTH(queries); i++) {
		cut_off += queries[i].result == RESOLVE_CUT_OFF;
		if (i >= atomic_load(&shared->blocked))
			assert_int_equal(queries[i].result, RESOLVE_NOT_ASKED);
	}
	assert_true(cut_off >= 1 && cut_off <= atomic_load(&shared->blocked));
	assert_true(atomic_load(&shared->blocked) >= 1 &&
		    atomic_load(&shared->blocked) <= RESOLVE_CHILDREN);
}

/* Of two names in one child the second one has only the end of the time. */
static void a_lookup_that_began_late_says_nothing_about_its_name(void **state)
{
	struct resolve_query queries[2 * RESOLVE_CHILDREN];

	(void)state;
	support_skip_in_valgrind();
	for (size_t i = 0; i < LENGTH(queries); i++)
		queries[i] =
			query_of(i < RESOLVE_CHILDREN ? "slow" : "block", ADDRESS_IPV4);
	assert_int_equal(resolve_run(queries, LENGTH(queries), in_ms(2000)), 0);
	for (size_t i = 0; i < LENGTH(queries); i++)
		assert_int_equal(queries[i].result, i < RESOLVE_CHILDREN
							    ? RESOLVE_FOUND
							    : RESOLVE_NOT_ASKED);
}

static void child_that_dies_loses_one_query(void **state)
{
	struct resolve_query queries[QUERIES_MAX];
	int64_t start_ns = clock_monotonic_ns();

	(void)state;
	for (size_t i = 0; i < QUERIES_MAX; i++)
		queries[i] = query_of(i == 50 ? "crash" : "10.0.0.1", ADDRESS_NONE);
	assert_int_equal(resolve_run(queries, QUERIES_MAX, start_ns + 60000 * MS), 0);
	for (size_t i = 0; i < QUERIES_MAX; i++)
		assert_int_equal(queries[i].result,
				 i == 50 ? RESOLVE_CUT_OFF : RESOLVE_FOUND);
	/* The end of all children is the end. */
	assert_true(clock_monotonic_ns() - start_ns < 50000 * MS);
}

static void deadline_that_has_passed_waits_for_nothing(void **state)
{
	struct resolve_query queries[] = {query_of("block", ADDRESS_NONE),
					  query_of("block", ADDRESS_NONE)};
	int64_t start_ns = clock_monotonic_ns();

	(void)state;
	assert_int_equal(resolve_run(queries, 2, start_ns - 1), 0);
	assert_int_not_equal(queries[0].result, RESOLVE_FOUND);
	assert_true(clock_monotonic_ns() - start_ns < 30000 * MS);
}

static void wait_until_blocked(void)
{
	while (sem_wait(&shared->is_blocked) < 0 && errno == EINTR)
		;
}

/* In a child, as the signal is for the whole process: when the lookup blocks. */
static int stop_while_blocked(void)
{
	struct resolve_query query = query_of("block", ADDRESS_NONE);
	int64_t start_ns = clock_monotonic_ns();
	pid_t helper, self = getpid();

	helper = fork();
	if (helper < 0)
		return 1;
	if (helper == 0) {
		wait_until_blocked();
		kill(self, SIGTERM);
		_exit(0);
	}
	if (resolve_run(&query, 1, start_ns + 60000 * MS) != 0)
		return 2;
	/* A name is not unknown because we were told to stop. */
	if (query.result != RESOLVE_NOT_ASKED)
		return 3;
	waitpid(helper, NULL, 0);
	return clock_monotonic_ns() - start_ns < 50000 * MS ? 0 : 4;
}

static void stop_request_ends_the_lookup(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(stop_init() < 0 ? 5 : stop_while_blocked());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Also where the address itself is refused, as that of Debian's own name is. */
static void canonical_name_is_what_the_resolver_says(void **state)
{
	static const char *const hosts[] = {"10.0.0.1", "127.0.1.1", "unknown", "crash"};
	char names[LENGTH(hosts)][RESOLVE_NAME_SIZE] = {"", "", "", ""};
	struct resolve_query queries[LENGTH(hosts)];

	(void)state;
	for (size_t i = 0; i < LENGTH(hosts); i++) {
		queries[i] = query_of(hosts[i], ADDRESS_NONE);
		queries[i].canonical = names[i];
	}
	assert_int_equal(resolve_run(queries, LENGTH(hosts), in_ms(60000)), 0);
	assert_string_equal(names[0], "10.0.0.1");
	assert_string_equal(names[1], "127.0.1.1");
	assert_string_equal(names[2], "");
	assert_string_equal(names[3], "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_query_is_no_work),
		TEST(answers_come_back_to_their_queries),
		TEST(name_of_the_hosts_file_is_found),
		TEST(a_name_without_an_address_is_told_from_a_failure),
		TEST(an_address_in_use_is_given_up_only_where_the_absolute_name_has_none),
		TEST(family_that_is_asked_for_is_answered),
		TEST(address_in_use_is_kept_while_it_is_among_the_answers),
		TEST(unsuitable_address_is_refused_and_named),
		TEST(this_node_may_look_for_itself_at_loopback),
		TEST(address_that_can_be_reached_goes_before_the_one_in_use),
		TEST(what_can_be_reached_depends_on_source_and_device_of_the_group),
		TEST(a_name_server_has_a_second_unless_the_administrator_says_otherwise),
		TEST(deadline_ends_a_lookup_that_blocks),
		TEST(child_that_cannot_be_killed_does_not_hold_the_run),
		TEST(name_that_blocks_delays_no_other),
		TEST(names_that_no_child_came_to_were_not_asked),
		TEST(a_lookup_that_began_late_says_nothing_about_its_name),
		TEST(child_that_dies_loses_one_query),
		TEST(deadline_that_has_passed_waits_for_nothing),
		TEST(stop_request_ends_the_lookup),
		TEST(canonical_name_is_what_the_resolver_says),
	};

	return cmocka_run_group_tests(tests, set_up_all, NULL);
}
