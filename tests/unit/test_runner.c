/*
 * Which batches wait for which. What a batch does is up to the test; tasks are real.
 */
#include "support.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "ping/runner.h"
#include "ping/task.h"

#define MS CLOCK_NS_PER_MS
#define BATCHES (TASK_MAX + 3)
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
static struct turns turns[BATCHES];
static struct options options;
/* What happened: "sN" batch N has sent, "bN" has begun, "eN" ends. */
static char events[1024];
static size_t deferred_begun, awaited, running, most_running;
static int64_t begun_ns[BATCHES];

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

static void sleep_ms(int64_t ms)
{
	int64_t until_ns = clock_monotonic_ns() + ms * MS;

	while (clock_monotonic_ns() < until_ns)
		task_wait(NULL, 0, until_ns);
}

int batch_run(struct batch *batch, void (*on_sent)(void *arg), void *arg)
{
	size_t i = (size_t)(batch - batches);
	enum manner manner = manners[i];

	begun_ns[i] = clock_monotonic_ns();
	running++;
	if (running > most_running)
		most_running = running;
	if (batch->is_deferred) {
		record('b', i);
		deferred_begun++;
	} else {
		/* A deferred batch that does not wait gets ahead. */
		sleep_ms(20);
	}
	if (manner == SENDS || manner == SENDS_AND_STAYS) {
		record('s', i);
		/* Of every round. */
		on_sent(arg);
		on_sent(arg);
	}
	while ((manner == STAYS || manner == SENDS_AND_STAYS) && deferred_begun < awaited)
		sleep_ms(5);
	if (!batch->is_deferred)
		record('e', i);
	running--;
	return manner == FAILS ? -1 : 0;
}

static int reset(void **state)
{
	(void)state;
	memset(manners, 0, sizeof(manners));
	memset(begun_ns, 0, sizeof(begun_ns));
	events[0] = '\0';
	deferred_begun = running = most_running = 0;
	awaited = 1;
	options = (struct options){.warmup = 1, .count = 3};
	for (size_t i = 0; i < BATCHES; i++) {
		turns[i].addresses = 2;
		batches[i] = (struct batch){
			.options = &options, .turns = &turns[i], .deadline_ns = NEVER};
	}
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
	batches[2].is_deferred = true;
	manners[0] = manners[1] = SENDS_AND_STAYS;
	assert_int_equal(runner_run(batches, 3), 0);
	assert_order("s0", "b2");
	assert_order("s1", "b2");
	/* And not when they have ended. */
	assert_order("b2", "e0");
	assert_order("b2", "e1");
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
	turns[2].addresses = 1;
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

static void more_batches_than_tasks_all_run(void **state)
{
	(void)state;
	assert_int_equal(runner_run(batches, BATCHES), 0);
	assert_int_equal(most_running, TASK_MAX);
	for (size_t i = 0; i < BATCHES; i++)
		assert_true(begun_ns[i] > 0);
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(deferred_batch_begins_when_all_others_have_sent),
		TEST(no_batch_waits_for_one_that_ends_without_sending),
		TEST(no_batch_waits_if_all_are_deferred),
		TEST(deferred_batch_waits_no_longer_than_its_own_rounds_allow),
		TEST(deferred_batch_that_is_late_does_not_wait),
		TEST(more_batches_than_tasks_all_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
