/*
 * Which batches wait for which. What a batch does is up to the test; threads are real.
 */
#include "support.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "ping/runner.h"

#define MS CLOCK_NS_PER_MS
#define BATCHES 4
#define NEVER INT64_MAX

/* What each batch does in its first round. */
enum manner {
	SENDS,
	SENDS_AND_STAYS, /* until `awaited` deferred batches have begun */
	STAYS,
	ENDS_WITHOUT_SENDING,
	FAILS,
};

static struct batch batches[BATCHES];
static enum manner manners[BATCHES];
static struct options options;
/* What happened: "sN" batch N has sent, "bN" has begun, "eN" ends. */
static char events[64];
static size_t deferred_begun, awaited;
static int64_t begun_ns[BATCHES];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t begun = PTHREAD_COND_INITIALIZER;
static size_t threads, refused_thread; /* counted from 1 */

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
		   void *(*work)(void *), void *arg)
{
	union {
		void *symbol;
		int (*call)(pthread_t *, const pthread_attr_t *, void *(*)(void *),
			    void *);
	} real = {.symbol = dlsym(RTLD_NEXT, "pthread_create")};

	if (++threads == refused_thread)
		return EAGAIN;
	return real.call(thread, attributes, work, arg);
}

/* With the mutex. */
static void record(char what, size_t batch)
{
	size_t len = strlen(events);

	snprintf(events + len, sizeof(events) - len, "%c%zu ", what, batch);
}

int64_t batch_round_ns(const struct options *o, size_t count)
{
	assert_ptr_equal(o, &options);
	return (int64_t)count * 100 * MS;
}

int batch_run(struct batch *batch, void (*on_sent)(void *arg), void *arg)
{
	size_t i = (size_t)(batch - batches);
	enum manner manner = manners[i];

	pthread_mutex_lock(&mutex);
	begun_ns[i] = clock_monotonic_ns();
	if (batch->is_deferred) {
		record('b', i);
		deferred_begun++;
		pthread_cond_broadcast(&begun);
	}
	pthread_mutex_unlock(&mutex);
	/* A deferred batch that does not wait gets ahead. */
	if (!batch->is_deferred)
		usleep(20000);
	if (manner == SENDS || manner == SENDS_AND_STAYS) {
		pthread_mutex_lock(&mutex);
		record('s', i);
		pthread_mutex_unlock(&mutex);
		/* Of every round. */
		on_sent(arg);
		on_sent(arg);
	}
	pthread_mutex_lock(&mutex);
	while ((manner == STAYS || manner == SENDS_AND_STAYS) && deferred_begun < awaited)
		pthread_cond_wait(&begun, &mutex);
	if (!batch->is_deferred)
		record('e', i);
	pthread_mutex_unlock(&mutex);
	return manner == FAILS ? -1 : 0;
}

static int reset(void **state)
{
	(void)state;
	memset(manners, 0, sizeof(manners));
	memset(begun_ns, 0, sizeof(begun_ns));
	events[0] = '\0';
	deferred_begun = threads = refused_thread = 0;
	awaited = 1;
	options = (struct options){.warmup = 1, .count = 3};
	for (size_t i = 0; i < BATCHES; i++)
		batches[i] = (struct batch){.options = &options,
					    .count = 2,
					    .deadline_ns = NEVER,
					    .probe = (struct probe *)&batches[i]};
	/* What waits for ever fails. */
	alarm(60);
	return 0;
}

/* That one event comes before another. */
static void assert_order(const char *first, const char *second)
{
	const char *one = strstr(events, first), *other = strstr(events, second);

	if (!one || !other || one > other)
		fail_msg("expected %s before %s in: %s", first, second, events);
}

static void deferred_batch_begins_when_all_others_have_sent(void **state)
{
	(void)state;
	batches[1].is_deferred = true;
	manners[0] = manners[2] = SENDS_AND_STAYS;
	assert_int_equal(runner_run(batches, 3), 0);
	assert_order("s0", "b1");
	assert_order("s2", "b1");
	/* And not when they have ended. */
	assert_order("b1", "e0");
	assert_order("b1", "e2");
}

static void deferred_first_batch_waits_like_others(void **state)
{
	(void)state;
	batches[0].is_deferred = batches[2].is_deferred = true;
	manners[1] = SENDS_AND_STAYS;
	assert_int_equal(runner_run(batches, 3), 0);
	assert_order("s1", "b0");
	assert_order("s1", "b2");
}

static void no_batch_waits_for_one_that_ends_without_sending(void **state)
{
	(void)state;
	batches[2].is_deferred = true;
	manners[0] = ENDS_WITHOUT_SENDING;
	manners[1] = FAILS;
	assert_int_equal(runner_run(batches, 3), -1);
	assert_order("e0", "b2");
	assert_order("e1", "b2");
}

static void no_batch_waits_for_one_without_a_probe(void **state)
{
	(void)state;
	batches[0].probe = NULL;
	manners[0] = STAYS;
	batches[1].is_deferred = true;
	assert_int_equal(runner_run(batches, 2), 0);
	assert_order("b1", "e0");
}

static void no_batch_waits_if_all_are_deferred(void **state)
{
	(void)state;
	batches[0].is_deferred = batches[1].is_deferred = true;
	assert_int_equal(runner_run(batches, 2), 0);
	assert_int_equal(deferred_begun, 2);
}

static void deferred_batch_waits_no_longer_than_its_own_rounds_allow(void **state)
{
	int64_t now_ns = clock_monotonic_ns();

	(void)state;
	batches[1].is_deferred = batches[2].is_deferred = true;
	manners[0] = STAYS;
	awaited = 2;
	/* Four rounds of 200 ms and of 100 ms. */
	batches[1].deadline_ns = batches[2].deadline_ns = now_ns + 650 * MS;
	batches[2].count = 1;
	assert_int_equal(runner_run(batches, 3), 0);
	assert_true(begun_ns[1] >= now_ns + 50 * MS);
	assert_true(begun_ns[2] >= now_ns + 350 * MS);
	assert_order("b1", "b2");
}

static void deferred_batch_that_is_late_does_not_wait(void **state)
{
	(void)state;
	batches[1].is_deferred = true;
	manners[0] = STAYS;
	batches[1].deadline_ns = clock_monotonic_ns() + 1 * MS;
	assert_int_equal(runner_run(batches, 2), 0);
	assert_order("b1", "e0");
}

/* Of three batches, while one thread is refused. */
static void run_without_thread(size_t number)
{
	char *output;

	refused_thread = number;
	support_capture_begin();
	assert_int_equal(runner_run(batches, 3), 0);
	output = support_capture_end();
	assert_non_null(strstr(output, "cannot start a thread"));
	free(output);
}

static void no_batch_waits_for_one_without_a_thread(void **state)
{
	(void)state;
	batches[1].is_deferred = true;
	/* The deferred batch is joined, and so ends, before this one begins. */
	run_without_thread(2);
	assert_order("s0", "b1");
	assert_order("b1", "e2");
}

static void deferred_batch_without_a_thread_runs_after_the_first(void **state)
{
	(void)state;
	batches[1].is_deferred = true;
	run_without_thread(1);
	assert_order("e0", "b1");
	assert_order("s2", "b1");
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(deferred_batch_begins_when_all_others_have_sent),
		TEST(deferred_first_batch_waits_like_others),
		TEST(no_batch_waits_for_one_that_ends_without_sending),
		TEST(no_batch_waits_for_one_without_a_probe),
		TEST(no_batch_waits_if_all_are_deferred),
		TEST(deferred_batch_waits_no_longer_than_its_own_rounds_allow),
		TEST(deferred_batch_that_is_late_does_not_wait),
		TEST(no_batch_waits_for_one_without_a_thread),
		TEST(deferred_batch_without_a_thread_runs_after_the_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
