/*
 * The sockets of one object: prepared once, emptied before every round, drops told deferred.
 */
#include "support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ping/sockets.h"

static struct {
	unsigned prepared, drained;
	size_t drain_limit;
	uint32_t dropped;
	bool prepare_fails;
	bool tells_failures[7]; /* by descriptor */
} kernel;

size_t rawsocket_capacity(int fd)
{
	return (size_t)fd;
}

enum address_family rawsocket_family(int fd)
{
	return fd == 4 ? ADDRESS_IPV4 : fd == 6 ? ADDRESS_IPV6 : ADDRESS_NONE;
}

int rawsocket_prepare(int fd, enum address_family family, const struct cookie *cookie,
		      struct rawsocket_buffers *buffers)
{
	assert_int_equal(family, rawsocket_family(fd));
	assert_int_equal(cookie->words[0], 7);
	assert_int_equal(buffers->receive, 1000);
	assert_int_equal(buffers->send, 2000);
	kernel.prepared++;
	errno = EPERM;
	return kernel.prepare_fails ? -1 : 0;
}

void rawsocket_tell_failures(int fd, enum address_family family, bool on)
{
	assert_int_equal(family, rawsocket_family(fd));
	kernel.tells_failures[fd] = on;
}

void rawsocket_drain(int fd, size_t limit)
{
	(void)fd;
	kernel.drained++;
	kernel.drain_limit = limit;
}

void rawsocket_read_drops(int fd, enum address_family family,
			  struct rawsocket_drops *drops)
{
	(void)fd;
	(void)family;
	drops->dropped = kernel.dropped;
}

uint32_t rawsocket_new_drops(int fd, enum address_family family,
			     struct rawsocket_drops *before)
{
	uint32_t count = kernel.dropped - before->dropped;

	(void)fd;
	(void)family;
	before->dropped = kernel.dropped;
	return count;
}

static const struct cookie cookie = {.words = {7, 7}};

static struct sockets begin(void)
{
	memset(&kernel, 0, sizeof(kernel));
	return (struct sockets){.wanted = {.receive = 1000, .send = 2000}};
}

static void a_socket_is_prepared_once_and_emptied_every_round(void **state)
{
	struct sockets sockets = begin();

	(void)state;
	for (unsigned round = 1; round <= 3; round++) {
		assert_int_equal(sockets_ready(&sockets, 4, &cookie), 4);
		assert_int_equal(sockets_ready(&sockets, 6, &cookie), 6);
		assert_int_equal(kernel.prepared, 2);
		assert_int_equal(kernel.drained, 2 * round);
		assert_int_equal(kernel.drain_limit, 6);
	}
	assert_int_equal(sockets_family(&sockets, 4), ADDRESS_IPV4);
	assert_int_equal(sockets_family(&sockets, 6), ADDRESS_IPV6);
	assert_int_equal(sockets_family(&sockets, 5), ADDRESS_NONE);
	assert_false(sockets.failed);
}

static void failures_are_told_while_a_round_is_sent(void **state)
{
	struct sockets sockets = begin();

	(void)state;
	for (unsigned round = 1; round <= 2; round++) {
		sockets_ready(&sockets, 4, &cookie);
		sockets_ready(&sockets, 6, &cookie);
		assert_true(kernel.tells_failures[4] && kernel.tells_failures[6]);
		sockets_sent(&sockets);
		assert_false(kernel.tells_failures[4] || kernel.tells_failures[6]);
	}
}

static void drops_between_rounds_void_none_but_are_counted(void **state)
{
	struct sockets sockets = begin();

	(void)state;
	sockets_ready(&sockets, 4, &cookie);
	kernel.dropped = 3;
	assert_int_equal(sockets_count_drops(&sockets), 3);
	kernel.dropped = 10;
	sockets_ready(&sockets, 4, &cookie);
	assert_int_equal(sockets_count_drops(&sockets), 0);
	assert_int_equal(sockets.drops, 10);
}

static void a_socket_that_cannot_be_prepared_is_reported(void **state)
{
	struct sockets sockets = begin();
	char *said;

	(void)state;
	kernel.prepare_fails = true;
	support_capture_begin();
	sockets_ready(&sockets, 4, &cookie);
	said = support_capture_end();
	assert_true(sockets.failed);
	assert_non_null(strstr(said, "cannot prepare a raw socket: "));
	free(said);
}

static void a_third_socket_is_none_of_ours(void **state)
{
	struct sockets sockets = begin();

	(void)state;
	sockets_ready(&sockets, 4, &cookie);
	sockets_ready(&sockets, 6, &cookie);
	assert_int_equal(sockets_ready(&sockets, 8, &cookie), 0);
	assert_int_equal(sockets.count, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_socket_is_prepared_once_and_emptied_every_round),
		cmocka_unit_test(failures_are_told_while_a_round_is_sent),
		cmocka_unit_test(drops_between_rounds_void_none_but_are_counted),
		cmocka_unit_test(a_socket_that_cannot_be_prepared_is_reported),
		cmocka_unit_test(a_third_socket_is_none_of_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
