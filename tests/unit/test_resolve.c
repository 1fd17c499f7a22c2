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
	sem_t is_blocked; /* posted by each that blocks */
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
	if (strcmp(host, "unknown") == 0)
		return EAI_NONAME;
	return answer_list(host, hints, list);
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

static int set_up(void **state)
{
	(void)state;
	atomic_store(&shared->calls, 0);
	atomic_store(&shared->blocked, 0);
	if (sem_init(&shared->is_blocked, 1, 0) < 0)
		return -1;
	fds_before = count_fds();
	return 0;
}

/* After every test: no child is left, not even a zombie, and no descriptor. */
static int tear_down(void **state)
{
	(void)state;
	if (waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD) {
		print_error("a child is left\n");
		return -1;
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
	return clock_monotonic_ns() + ms * MS;
}

static void assert_address(const struct resolve_query *query, const char *text)
{
	char actual[ADDRESS_TEXT_SIZE];

	assert_true(query->answered);
	assert_true(query->asked);
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
	assert_int_equal(resolve_run(&query, 1, in_ms(60000)), 0);
	assert_address(&query, "127.0.0.1");
}

static void unknown_name_is_unanswered_and_keeps_its_address(void **state)
{
	struct resolve_query query = query_of("unknown", ADDRESS_NONE);

	(void)state;
	assert_true(address_parse("10.0.0.9", &query.address));
	query.answered = true;
	assert_int_equal(resolve_run(&query, 1, in_ms(60000)), 0);
	assert_false(query.answered);
	assert_true(query.asked);
	query.answered = true;
	assert_address(&query, "10.0.0.9");
}

static void family_that_is_asked_for_is_answered(void **state)
{
	struct resolve_query queries[] = {
		query_of("10.0.0.1", ADDRESS_IPV6), query_of("fd00::1", ADDRESS_IPV4),
		query_of("10.0.0.1", ADDRESS_IPV4), query_of("fd00::1", ADDRESS_IPV6)};

	(void)state;
	assert_int_equal(resolve_run(queries, LENGTH(queries), in_ms(60000)), 0);
	assert_false(queries[0].answered);
	assert_false(queries[1].answered);
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

static void unusable_address_is_no_answer(void **state)
{
	struct resolve_query queries[] = {query_of("0.0.0.0", ADDRESS_NONE),
					  query_of("224.0.0.1,10.0.0.1", ADDRESS_NONE),
					  query_of("::ffff:10.0.0.1", ADDRESS_NONE),
					  query_of("ff02::1", ADDRESS_NONE)};

	(void)state;
	assert_int_equal(resolve_run(queries, LENGTH(queries), in_ms(60000)), 0);
	assert_false(queries[0].answered);
	assert_address(&queries[1], "10.0.0.1");
	assert_false(queries[2].answered);
	assert_false(queries[3].answered);
}

static void deadline_ends_a_lookup_that_blocks(void **state)
{
	struct resolve_query query = query_of("block", ADDRESS_NONE);
	int64_t start_ns = clock_monotonic_ns(), end_ns;

	(void)state;
	assert_int_equal(resolve_run(&query, 1, start_ns + 300 * MS), 0);
	end_ns = clock_monotonic_ns();
	assert_true(end_ns - start_ns >= 300 * MS);
	assert_true(end_ns - start_ns < 30000 * MS);
	assert_int_equal(atomic_load(&shared->blocked), 1);
	assert_false(query.answered);
	assert_true(query.asked);
}

static void name_that_blocks_delays_no_other(void **state)
{
	struct resolve_query queries[QUERIES_MAX];

	(void)state;
	for (size_t i = 0; i < QUERIES_MAX; i++)
		queries[i] = query_of(i == 7 ? "block" : "10.0.0.1", ADDRESS_NONE);
	assert_int_equal(resolve_run(queries, QUERIES_MAX, in_ms(3000)), 0);
	for (size_t i = 0; i < QUERIES_MAX; i++)
		assert_int_equal(queries[i].answered, i != 7);
}

static void names_that_no_child_came_to_were_not_asked(void **state)
{
	struct resolve_query queries[RESOLVE_CHILDREN + 30];

	(void)state;
	for (size_t i = 0; i < LENGTH(queries); i++)
		queries[i] = query_of("block", ADDRESS_NONE);
	assert_int_equal(resolve_run(queries, LENGTH(queries), in_ms(1000)), 0);
	for (size_t i = 0; i < LENGTH(queries); i++) {
		assert_false(queries[i].answered);
		assert_int_equal(queries[i].asked, i < atomic_load(&shared->blocked));
	}
	assert_true(atomic_load(&shared->blocked) >= 1 &&
		    atomic_load(&shared->blocked) <= RESOLVE_CHILDREN);
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
		assert_int_equal(queries[i].answered, i != 50);
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
	assert_false(queries[0].answered);
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
	if (resolve_run(&query, 1, start_ns + 60000 * MS) != 0 || query.answered)
		return 2;
	/* A name is not unknown because we were told to stop. */
	if (query.asked)
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

static void canonical_name_is_what_the_resolver_says(void **state)
{
	char name[RESOLVE_NAME_SIZE] = "before";

	(void)state;
	assert_true(resolve_canonical("127.0.0.1", in_ms(60000), name));
	assert_string_equal(name, "127.0.0.1");
	assert_false(resolve_canonical("unknown", in_ms(60000), name));
	assert_string_equal(name, "");
	assert_false(resolve_canonical("crash", in_ms(60000), name));
	assert_false(resolve_canonical("block", in_ms(100), name));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_query_is_no_work),
		TEST(answers_come_back_to_their_queries),
		TEST(name_of_the_hosts_file_is_found),
		TEST(unknown_name_is_unanswered_and_keeps_its_address),
		TEST(family_that_is_asked_for_is_answered),
		TEST(address_in_use_is_kept_while_it_is_among_the_answers),
		TEST(unusable_address_is_no_answer),
		TEST(deadline_ends_a_lookup_that_blocks),
		TEST(name_that_blocks_delays_no_other),
		TEST(names_that_no_child_came_to_were_not_asked),
		TEST(child_that_dies_loses_one_query),
		TEST(deadline_that_has_passed_waits_for_nothing),
		TEST(stop_request_ends_the_lookup),
		TEST(canonical_name_is_what_the_resolver_says),
	};

	return cmocka_run_group_tests(tests, set_up_all, NULL);
}
