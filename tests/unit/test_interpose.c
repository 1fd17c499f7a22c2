/*
 * The replaced functions, used as liboping does: real sockets, but a clock that moves only while
 * ppoll() waits or where the test says.
 */
/* The headers would define ppoll() as an inline of theirs. */
#undef _FORTIFY_SOURCE

#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "ping/interpose.h"
#include "ping/task.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define MS CLOCK_NS_PER_MS
#define US CLOCK_NS_PER_US
#define SENDS_MAX 1000

static struct {
	int64_t now_ns;
	/* Happens once, at that time or when the clock has passed it. */
	int64_t event_ns;
	void (*event)(void);
	int64_t oversleep_ns; /* by so much every wait that times out is late */
	int64_t stop_at_ns; /* the wait that is under way then lasts stop_for_ns longer */
	int64_t stop_for_ns;
	unsigned interruptions; /* so many waits end with EINTR */
	int64_t poll_ns;	/* what each takes that need not wait */
} world;

static struct {
	int send_errno;
	/* ICMP errors, each of which fails a call, and how many are queued at the socket. */
	unsigned pending;
	unsigned errors;
	unsigned tries; /* calls that send */
	int receive_errno;
	unsigned sent_calls;
	size_t sent_before_call;
	int flags;
	int64_t cost_ns; /* of one request */
	int64_t sent_ns[SENDS_MAX];
	size_t sent, received, prepared, prepared_late;
	int socket_errno; /* a socket cannot be prepared */
} record;

/* As liboping has them: a socket of each family at most, and the far end of each. */
static int near[2], far[2];

int64_t clock_monotonic_ns(void)
{
	return world.now_ns;
}

int64_t clock_wall_ns(void)
{
	return world.now_ns;
}

int64_t clock_wall_offset_ns(void)
{
	return 0;
}

static void pass_until(int64_t until_ns)
{
	until_ns += world.oversleep_ns;
	if (world.stop_at_ns && until_ns >= world.stop_at_ns) {
		world.stop_at_ns = 0;
		until_ns += world.stop_for_ns;
	}
	world.now_ns = until_ns;
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
	  const sigset_t *mask)
{
	int64_t wait_ns = timeout->tv_sec * CLOCK_NS_PER_S + timeout->tv_nsec;
	int ready = poll(fds, count, 0);

	(void)mask;
	world.now_ns += world.poll_ns;
	if (ready || wait_ns == 0)
		return ready;
	if (world.interruptions > 0) {
		world.interruptions--;
		errno = EINTR;
		return -1;
	}
	if (world.event && world.now_ns + wait_ns >= world.event_ns) {
		void (*event)(void) = world.event;

		world.event = NULL;
		if (world.now_ns < world.event_ns)
			world.now_ns = world.event_ns;
		event();
		return poll(fds, count, 0);
	}
	pass_until(world.now_ns + wait_ns);
	return 0;
}

/* How a fortified libc calls it. */
int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
		const sigset_t *mask, size_t size);
int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
		const sigset_t *mask, size_t size)
{
	(void)size;
	return ppoll(fds, count, timeout, mask);
}

/* Whether a call fails for an ICMP error; the next one arrives at once. */
static bool meet_error(void)
{
	if (record.pending == 0)
		return false;
	record.pending--;
	record.errors++;
	errno = EHOSTUNREACH;
	return true;
}

/* The kernel below recvmsg(). */
int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
	     struct timespec *timeout)
{
	if (record.receive_errno) {
		errno = record.receive_errno;
		return -1;
	}
	if (meet_error())
		return -1;
	return (int)syscall(SYS_recvmmsg, fd, messages, count, flags, timeout);
}

/* The kernel below sendto(). */
ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	record.flags = flags;
	world.now_ns += record.cost_ns;
	record.tries++;
	if (meet_error())
		return -1;
	if (record.send_errno) {
		errno = record.send_errno;
		return -1;
	}
	return syscall(SYS_sendmsg, fd, message, flags);
}

/* The far end's kind of socket has no queue of errors. */
ssize_t recv(int fd, void *buffer, size_t size, int flags)
{
	if (!(flags & MSG_ERRQUEUE))
		return syscall(SYS_recvfrom, fd, buffer, size, flags, NULL, NULL);
	if (record.errors > 0) {
		record.errors--;
		return 1;
	}
	errno = EAGAIN;
	return -1;
}

static bool on_socket(int fd, void *arg)
{
	(void)arg;
	assert_true(fd == near[0] || fd == near[1]);
	record.prepared++;
	if (record.sent > 0)
		record.prepared_late++;
	errno = record.socket_errno;
	return errno == 0;
}

static void on_sent(void *arg)
{
	(void)arg;
	record.sent_calls++;
	record.sent_before_call = record.sent;
}

static struct interpose make_interpose(int64_t timeout_ns, int64_t spacing_ns)
{
	return (struct interpose){.timeout_ns = timeout_ns,
				  .spacing_ns = spacing_ns,
				  .pending_max = 200,
				  .stop_fd = -1,
				  .on_socket = on_socket,
				  .on_sent = on_sent};
}

/* Enough room for every request of a round to wait in the far end. */
static int set_up(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	memset(&record, 0, sizeof(record));
	world.now_ns = 1000 * CLOCK_NS_PER_S;
	for (size_t i = 0; i < 2; i++) {
		int pair[2];

		if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) < 0)
			return -1;
		near[i] = pair[0];
		far[i] = pair[1];
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		close(near[i]);
		close(far[i]);
	}
	return 0;
}

static void answer(void)
{
	assert_int_equal(send(far[0], "x", 1, MSG_DONTWAIT), 1);
}

static bool receive_byte(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT) == 1;
}

static int wait_in_select(int write_fd, fd_set *readable, fd_set *writable)
{
	struct timeval timeout = {.tv_sec = 100000000};
	int most = near[0] > near[1] ? near[0] : near[1];

	FD_ZERO(readable);
	FD_ZERO(writable);
	for (size_t i = 0; i < 2; i++)
		FD_SET(near[i], readable);
	if (write_fd >= 0)
		FD_SET(write_fd, writable);
	return select(most + 1, readable, writable, NULL, &timeout);
}

/* What liboping does with the socket that it may read. */
static void read_one(int fd)
{
	char byte;
	struct iovec iov = {&byte, 1};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};

	if (recvmsg(fd, &message, 0) == 1)
		record.received++;
	else
		assert_true(errno == EAGAIN || errno == EHOSTUNREACH || errno == EIO);
}

static void send_one(int fd)
{
	assert_true(record.sent < SENDS_MAX);
	record.sent_ns[record.sent++] = world.now_ns;
	if (sendto(fd, "p", 1, 0, NULL, 0) < 0)
		perror("ping_sendto");
	else
		receive_byte(far[fd == near[1]]);
}

/* The library's loop: all hosts in turn, then replies, none of which it takes for its
 * own. */
static int run_loop(size_t hosts)
{
	for (size_t next = 0;;) {
		fd_set readable, writable;
		/* Every tenth is of the other family. */
		int write_fd = next >= hosts ? -1 : near[next % 10 == 9];
		int status = wait_in_select(write_fd, &readable, &writable);

		if (status <= 0)
			return status;
		assert_true(status <= 2);
		if (FD_ISSET(near[1], &readable)) {
			read_one(near[1]);
		} else if (FD_ISSET(near[0], &readable)) {
			read_one(near[0]);
		} else {
			assert_true(write_fd >= 0 && FD_ISSET(write_fd, &writable));
			send_one(write_fd);
			next++;
		}
	}
}

static int run_round(struct interpose *interpose, size_t hosts)
{
	int status;

	interpose->arg = interpose;
	interpose_begin(interpose);
	status = run_loop(hosts);
	interpose_end();
	return status;
}

static void deadline_counts_from_the_last_request(void **state)
{
	struct interpose interpose = make_interpose(50 * MS, 10 * MS);

	(void)state;
	assert_int_equal(run_round(&interpose, 100), 0);
	assert_int_equal(record.sent, 100);
	assert_int_equal(world.now_ns, record.sent_ns[99] + 50 * MS);
	assert_true(interpose.was_called);
	assert_false(interpose.interrupted || interpose.stalled || interpose.starved);
	assert_int_equal(interpose.failed, 0);
}

static void requests_may_be_further_apart_than_the_timeout(void **state)
{
	struct interpose interpose = make_interpose(10 * MS, 100 * MS);

	(void)state;
	assert_int_equal(run_round(&interpose, 3), 0);
	assert_int_equal(record.sent, 3);
	assert_int_equal(world.now_ns, record.sent_ns[2] + 10 * MS);
	assert_false(interpose.starved);
}

static void process_that_stood_still_between_requests_sends_the_rest(void **state)
{
	struct interpose interpose = make_interpose(1000 * MS, 1 * MS);

	(void)state;
	world.stop_at_ns = world.now_ns + 20 * MS;
	world.stop_for_ns = 1500 * MS;
	assert_int_equal(run_round(&interpose, 100), 0);
	assert_int_equal(record.sent, 100);
	assert_false(interpose.starved);
}

static void requests_leave_at_their_spacing(void **state)
{
	struct interpose interpose = make_interpose(50 * MS, 100 * US);

	(void)state;
	assert_int_equal(run_round(&interpose, 200), 0);
	for (size_t i = 1; i < 200; i++)
		assert_int_equal(record.sent_ns[i] - record.sent_ns[i - 1], 100 * US);
}

static void requests_that_are_late_catch_up_in_bursts_of_limited_size(void **state)
{
	struct interpose interpose = make_interpose(1000 * MS, 10 * US);
	size_t burst = 1, longest = 1;

	(void)state;
	world.oversleep_ns = 60 * US;
	world.stop_at_ns = world.now_ns + 1 * MS;
	world.stop_for_ns = 100 * MS;
	assert_int_equal(run_round(&interpose, 500), 0);
	assert_int_equal(record.sent, 500);
	for (size_t i = 1; i < 500; i++) {
		burst = record.sent_ns[i] == record.sent_ns[i - 1] ? burst + 1 : 1;
		longest = burst > longest ? burst : longest;
	}
	/* More than one, or 500 requests would take 35 ms. */
	assert_true(longest >= 2 && longest <= INTERPOSE_BURST);
	assert_true(record.sent_ns[499] - record.sent_ns[0] < 120 * MS);
}

static void requests_without_spacing_leave_at_once(void **state)
{
	struct interpose interpose = make_interpose(50 * MS, 0);

	(void)state;
	assert_int_equal(run_round(&interpose, 300), 0);
	assert_int_equal(record.sent_ns[299], record.sent_ns[0]);
	assert_int_equal(world.now_ns, record.sent_ns[299] + 50 * MS);
}

static void ten_answers_after_a_stop(void)
{
	for (size_t i = 0; i < 10; i++)
		answer();
	world.now_ns += 1500 * MS;
}

static void pending_packets_are_read_long_after_the_deadline(void **state)
{
	struct interpose interpose = make_interpose(1000 * MS, 0);

	(void)state;
	world.event_ns = world.now_ns + 500 * MS;
	world.event = ten_answers_after_a_stop;
	assert_int_equal(run_round(&interpose, 100), 0);
	assert_int_equal(record.received, 10);
	assert_int_equal(world.now_ns, record.sent_ns[99] + 2000 * MS);
	assert_false(interpose.starved);
}

static void reply_during_a_wait_is_read_at_once(void **state)
{
	struct interpose interpose = make_interpose(1000 * MS, 0);

	(void)state;
	world.event_ns = world.now_ns + 300 * MS;
	world.event = answer;
	assert_int_equal(run_round(&interpose, 1), 0);
	assert_int_equal(record.received, 1);
	assert_int_equal(world.now_ns, record.sent_ns[0] + 1000 * MS);
}

static void interrupted_wait_goes_on(void **state)
{
	struct interpose interpose = make_interpose(1000 * MS, 1 * MS);

	(void)state;
	world.interruptions = 7;
	assert_int_equal(run_round(&interpose, 5), 0);
	assert_int_equal(record.sent, 5);
	assert_int_equal(world.now_ns, record.sent_ns[4] + 1000 * MS);
	assert_int_equal(world.interruptions, 0);
	assert_false(interpose.interrupted);
}

static int stop;

static void request_stop(void)
{
	assert_int_equal(eventfd_write(stop, 1), 0);
}

static void stop_request_ends_the_wait_with_eintr(void **state)
{
	struct interpose interpose = make_interpose(1000 * MS, 1 * MS);
	int64_t start_ns = world.now_ns;

	(void)state;
	interpose.stop_fd = stop = eventfd(0, EFD_CLOEXEC);
	assert_true(stop >= 0);
	world.event_ns = start_ns + 50 * MS;
	world.event = request_stop;
	assert_int_equal(run_round(&interpose, 10), -1);
	assert_int_equal(errno, EINTR);
	assert_true(interpose.interrupted);
	assert_int_equal(record.sent, 10);
	assert_int_equal(world.now_ns, start_ns + 50 * MS);

	/* It is still readable: the next round ends before its first request. */
	interpose = make_interpose(1000 * MS, 1 * MS);
	interpose.stop_fd = stop;
	assert_int_equal(run_round(&interpose, 10), -1);
	assert_true(interpose.interrupted);
	assert_int_equal(record.sent, 10);
	close(stop);
}

static void sockets_are_prepared_once_a_round_before_its_first_request(void **state)
{
	(void)state;
	for (size_t round = 1; round <= 3; round++) {
		struct interpose interpose = make_interpose(10 * MS, 0);

		record.sent = 0;
		assert_int_equal(run_round(&interpose, 20), 0);
		assert_int_equal(record.prepared, 2 * round);
		assert_int_equal(record.prepared_late, 0);
	}
}

static void nothing_is_sent_if_a_socket_cannot_be_prepared(void **state)
{
	struct interpose interpose = make_interpose(10 * MS, 0);

	(void)state;
	record.socket_errno = ENOMEM;
	assert_int_equal(run_round(&interpose, 20), -1);
	assert_int_equal(errno, ENOMEM);
	assert_int_equal(record.prepared, 1);
	assert_int_equal(record.sent, 0);
	assert_false(interpose.was_called);
}

static void request_without_a_route_looks_like_a_failed_one(void **state)
{
	static const int errors[] = {EHOSTUNREACH, ENETUNREACH, EPERM,	EACCES,
				     ENOBUFS,	   EAGAIN,	EINVAL, EMSGSIZE};
	struct interpose interpose = make_interpose(10 * MS, 0);

	(void)state;
	interpose_begin(&interpose);
	for (size_t i = 0; i < LENGTH(errors); i++) {
		record.send_errno = errors[i];
		assert_int_equal(sendto(near[0], "p", 1, 0, NULL, 0), -1);
		assert_int_not_equal(errno, EHOSTUNREACH);
		assert_int_not_equal(errno, ENETUNREACH);
		assert_int_not_equal(errno, 0);
		if (i > 1)
			assert_int_equal(errno, errors[i]);
	}
	interpose_end();
	assert_int_equal(interpose.failed, LENGTH(errors));
	assert_int_equal(interpose.first_errno, EHOSTUNREACH);
}

static void icmp_errors_do_not_fail_a_request_however_many_arrive_at_once(void **state)
{
	struct interpose interpose = make_interpose(50 * MS, 1 * MS);

	(void)state;
	record.pending = 15;
	record.errors = 20;
	assert_int_equal(run_round(&interpose, 3), 0);
	assert_int_equal(interpose.failed, 0);
	assert_int_equal(record.errors, 0);
}

static void request_that_fails_is_tried_a_limited_number_of_times(void **state)
{
	struct interpose interpose = make_interpose(50 * MS, 1 * MS);

	(void)state;
	/* For a reason of its own. */
	record.send_errno = EHOSTUNREACH;
	assert_int_equal(run_round(&interpose, 1), 0);
	assert_in_range(record.tries, 2, 5);
	/* For a full buffer, which is no ICMP error. */
	record.tries = 0;
	record.sent = 0;
	record.send_errno = EAGAIN;
	assert_int_equal(run_round(&interpose, 1), 0);
	assert_int_equal(record.tries, 1);
	/* In a flood of errors that never ends. */
	record.tries = 0;
	record.sent = 0;
	record.send_errno = 0;
	record.pending = 1000000;
	interpose = make_interpose(50 * MS, 1 * MS);
	assert_int_equal(run_round(&interpose, 1), 0);
	assert_int_equal(interpose.failed, 1);
	assert_in_range(record.tries, 10, 100);
}

static void two_errors_and_an_answer(void)
{
	record.pending = 2;
	answer();
}

static void icmp_errors_do_not_keep_a_reply_from_being_read(void **state)
{
	struct interpose interpose = make_interpose(1000 * MS, 0);

	(void)state;
	world.event_ns = world.now_ns + 300 * MS;
	world.event = two_errors_and_an_answer;
	assert_int_equal(run_round(&interpose, 1), 0);
	assert_int_equal(record.received, 1);
	assert_int_equal(interpose.receive_errno, 0);
	assert_int_equal(record.errors, 0);
}

static void error_and_a_packet(void)
{
	record.pending = 1;
	answer();
}

static void icmp_error_after_the_last_reply_says_nothing_about_the_round(void **state)
{
	struct interpose interpose = make_interpose(1000 * MS, 0);
	fd_set readable, writable;

	(void)state;
	interpose.arg = &interpose;
	interpose_begin(&interpose);
	assert_int_equal(wait_in_select(near[0], &readable, &writable), 1);
	send_one(near[0]);
	world.event_ns = world.now_ns + 300 * MS;
	world.event = error_and_a_packet;
	assert_int_equal(wait_in_select(-1, &readable, &writable), 1);
	read_one(near[0]);
	assert_int_equal(interpose.receive_errno, EHOSTUNREACH);
	assert_true(receive_byte(near[0]));
	assert_int_equal(wait_in_select(-1, &readable, &writable), 0);
	assert_int_equal(interpose.receive_errno, 0);
	interpose_end();
}

static void packets_that_could_not_be_read_are_told(void **state)
{
	struct interpose interpose = make_interpose(1000 * MS, 0);

	(void)state;
	record.receive_errno = EIO;
	world.poll_ns = 1 * MS;
	answer();
	assert_int_equal(run_round(&interpose, 1), 0);
	assert_int_equal(record.received, 0);
	assert_int_equal(interpose.receive_errno, EIO);
}

static void end_of_sending_is_announced_once(void **state)
{
	struct interpose interpose = make_interpose(50 * MS, 1 * MS);

	(void)state;
	assert_int_equal(run_round(&interpose, 30), 0);
	assert_int_equal(record.sent_calls, 1);
	assert_int_equal(record.sent_before_call, 30);
}

static void failed_requests_are_not_printed_and_do_not_extend_the_round(void **state)
{
	struct interpose interpose = make_interpose(10 * MS, 1 * MS);
	char *output;

	(void)state;
	record.send_errno = EPERM;
	support_capture_begin();
	assert_int_equal(run_round(&interpose, 30), 0);
	output = support_capture_end();
	assert_string_equal(output, "");
	assert_int_equal(interpose.failed, 30);
	assert_int_equal(interpose.first_errno, EPERM);
	assert_int_equal(world.now_ns, record.sent_ns[29] + 10 * MS);
	free(output);
}

static void request_never_blocks_in_a_round(void **state)
{
	struct interpose interpose = make_interpose(10 * MS, 0);

	(void)state;
	interpose_begin(&interpose);
	assert_int_equal(sendto(near[0], "p", 1, 0, NULL, 0), 1);
	interpose_end();
	assert_true(record.flags & MSG_DONTWAIT);
	assert_int_equal(sendto(near[0], "p", 1, MSG_NOSIGNAL, NULL, 0), 1);
	assert_int_equal(record.flags, MSG_NOSIGNAL);
}

static char *perror_output(const char *what, int error)
{
	support_capture_begin();
	errno = error;
	perror(what);
	return support_capture_end();
}

static void perror_is_libcs_outside_of_a_round(void **state)
{
	struct interpose interpose = make_interpose(10 * MS, 0);
	char expected[256];
	char *output;

	(void)state;
	snprintf(expected, sizeof(expected), "what: %s\n", strerror(ENOENT));
	output = perror_output("what", ENOENT);
	assert_string_equal(output, expected);
	free(output);
	interpose_begin(&interpose);
	output = perror_output("what", ENOENT);
	interpose_end();
	assert_string_equal(output, "");
	free(output);
}

static void perror_without_a_text_prints_the_error_alone(void **state)
{
	static const char *const texts[] = {"", NULL};
	char expected[256];

	(void)state;
	snprintf(expected, sizeof(expected), "%s\n", strerror(ENOENT));
	for (size_t i = 0; i < LENGTH(texts); i++) {
		char *output = perror_output(texts[i], ENOENT);

		assert_string_equal(output, expected);
		free(output);
	}
}

static void select_is_libcs_outside_of_a_round(void **state)
{
	struct timeval timeout = {.tv_usec = 1000};
	fd_set readable, writable;

	(void)state;
	FD_ZERO(&readable);
	FD_SET(near[0], &readable);
	assert_int_equal(select(near[0] + 1, &readable, NULL, NULL, &timeout), 0);
	assert_false(FD_ISSET(near[0], &readable));
	answer();
	FD_SET(near[0], &readable);
	FD_ZERO(&writable);
	FD_SET(near[1], &writable);
	assert_int_equal(select(FD_SETSIZE, &readable, &writable, NULL, NULL), 2);
	assert_true(FD_ISSET(near[0], &readable));
	assert_true(FD_ISSET(near[1], &writable));
	assert_int_equal(select(-1, NULL, NULL, NULL, &timeout), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(record.prepared, 0);
}

static void sendto_is_libcs_outside_of_a_round(void **state)
{
	(void)state;
	record.send_errno = EHOSTUNREACH;
	assert_int_equal(sendto(near[0], "p", 1, 0, NULL, 0), -1);
	assert_int_equal(errno, EHOSTUNREACH);
	record.send_errno = 0;
	assert_int_equal(sendto(near[0], "p", 1, 0, NULL, 0), 1);
	assert_true(receive_byte(far[0]));
}

/* Packets with an x are foreign. */
static bool accept_others(int fd, const void *packet, size_t len, void *arg)
{
	assert_int_equal(fd, near[0]);
	assert_int_equal(len, 1);
	assert_non_null(arg);
	return *(const char *)packet != 'x';
}

static void send_four_packets(void)
{
	for (const char *c = "xaxb"; *c; c++)
		assert_int_equal(send(far[0], c, 1, MSG_DONTWAIT), 1);
}

static void packet_that_is_not_accepted_never_reaches_liboping(void **state)
{
	struct interpose interpose = make_interpose(1000 * MS, 0);

	(void)state;
	interpose.accept = accept_others;
	world.event_ns = world.now_ns + 100 * MS;
	world.event = send_four_packets;
	assert_int_equal(run_round(&interpose, 1), 0);
	assert_int_equal(record.received, 2);
	/* All were read, and none of them ended the round. */
	assert_false(receive_byte(near[0]));
	assert_int_equal(world.now_ns, record.sent_ns[0] + 1000 * MS);
}

static void recvmsg_is_libcs_outside_of_a_round(void **state)
{
	char bytes[4], control[CMSG_SPACE(sizeof(struct ucred))];
	struct iovec iov[2] = {{bytes, 1}, {bytes + 1, 3}};
	struct msghdr message = {.msg_iov = iov,
				 .msg_iovlen = 2,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};

	(void)state;
	assert_int_equal(
		setsockopt(near[0], SOL_SOCKET, SO_PASSCRED, &(int){1}, sizeof(int)), 0);
	assert_int_equal(recvmsg(near[0], &message, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(send(far[0], "packet", 6, MSG_DONTWAIT), 6);
	assert_int_equal(recvmsg(near[0], &message, MSG_DONTWAIT | MSG_PEEK), 4);
	assert_memory_equal(bytes, "pack", 4);
	assert_true(message.msg_flags & MSG_TRUNC);
	assert_non_null(CMSG_FIRSTHDR(&message));
	assert_int_equal(CMSG_FIRSTHDR(&message)->cmsg_type, SCM_CREDENTIALS);
	message.msg_controllen = 0;
	assert_int_equal(recvmsg(near[0], &message, MSG_DONTWAIT | MSG_TRUNC), 6);
	assert_int_equal(recvmsg(-1, &message, 0), -1);
	assert_int_equal(errno, EBADF);
}

/* A socket is called readable for an error that may be gone by the time it is read. */
static void receive_in_a_round_never_blocks(void **state)
{
	char byte;
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
	struct interpose interpose = {.timeout_ns = CLOCK_NS_PER_S};

	(void)state;
	interpose_begin(&interpose);
	assert_int_equal(recvmsg(near[0], &message, 0), -1);
	assert_int_equal(errno, EAGAIN);
	interpose_end();
}

static void failed_receive_is_recorded_until_one_succeeds(void **state)
{
	char byte;
	struct iovec iov = {&byte, 1};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
	struct interpose interpose = {.failed = 0};

	(void)state;
	interpose_begin(&interpose);
	assert_int_equal(recvmsg(near[0], &message, MSG_DONTWAIT), -1);
	assert_int_equal(interpose.receive_errno, 0);
	assert_int_equal(recvmsg(-1, &message, 0), -1);
	assert_int_equal(interpose.receive_errno, EBADF);
	assert_int_equal(recvmsg(near[0], &message, MSG_DONTWAIT), -1);
	assert_int_equal(interpose.receive_errno, EBADF);
	assert_int_equal(send(far[0], "p", 1, MSG_DONTWAIT), 1);
	assert_int_equal(recvmsg(near[0], &message, MSG_DONTWAIT), 1);
	assert_int_equal(interpose.receive_errno, 0);
	interpose_end();
}

static void rehearsal_is_a_round_that_sends_nothing(void **state)
{
	struct interpose interpose = {.is_rehearsal = true};
	fd_set readable, writable;

	(void)state;
	interpose_begin(&interpose);
	assert_int_equal(wait_in_select(near[0], &readable, &writable), 1);
	assert_true(FD_ISSET(near[0], &writable) && !FD_ISSET(near[0], &readable));
	assert_int_equal(sendto(near[0], "packet", 6, 0, NULL, 0), 6);
	assert_int_equal(wait_in_select(-1, &readable, &writable), 1);
	assert_true(FD_ISSET(near[0], &readable) && !FD_ISSET(near[0], &writable));
	read_one(near[0]);
	assert_int_equal(wait_in_select(-1, &readable, &writable), 0);
	assert_false(FD_ISSET(near[0], &readable) || FD_ISSET(near[0], &writable));
	interpose_end();
	assert_true(interpose.was_called && interpose.has_sent && interpose.has_received);
	assert_int_equal(record.tries, 0);
}

static struct interpose of_first_task;
static size_t tasks_begun;
static int errno_of_second_task;

/* The second task fails to send while the first one waits. */
static void wait_or_send(void *arg)
{
	(void)arg;
	if (tasks_begun++ == 0) {
		of_first_task = make_interpose(10 * MS, 0);
		(void)run_round(&of_first_task, 1);
		return;
	}
	record.send_errno = EHOSTUNREACH;
	sendto(near[0], "p", 1, 0, NULL, 0);
	errno_of_second_task = errno;
	record.send_errno = 0;
}

static void round_belongs_to_its_task(void **state)
{
	(void)state;
	tasks_begun = 0;
	task_run(2, wait_or_send, NULL);
	assert_int_equal(errno_of_second_task, EHOSTUNREACH);
	assert_int_equal(of_first_task.failed, 0);
	assert_true(of_first_task.was_called);
}

static void flood_neither_delays_requests_nor_extends_the_round(void **state)
{
	struct interpose interpose = make_interpose(1000 * MS, 10 * US);

	(void)state;
	/* One packet that is always there; so no wait ever passes time but the requests.
	 */
	answer();
	record.cost_ns = 20 * US;
	interpose.pending_max = 300;
	interpose.arg = &interpose;
	interpose_begin(&interpose);
	for (size_t sent = 0, reads = 0; sent < 300;) {
		fd_set readable, writable;

		assert_int_equal(wait_in_select(near[0], &readable, &writable), 1);
		if (FD_ISSET(near[0], &readable)) {
			world.now_ns += 1 * US;
			assert_true(++reads < 1000);
			continue;
		}
		send_one(near[0]);
		sent++;
		reads = 0;
	}
	for (size_t reads = 0;; reads++) {
		fd_set readable, writable;
		int status = wait_in_select(-1, &readable, &writable);

		if (status == 0)
			break;
		world.now_ns += 10 * MS;
		assert_true(reads < 100 + interpose.pending_max);
	}
	interpose_end();
	assert_false(interpose.starved || interpose.interrupted);
}

static void flood_after_a_deadline_costs_no_request(void **state)
{
	struct interpose interpose = make_interpose(10 * MS, 100 * MS);
	fd_set readable, writable;

	(void)state;
	answer();
	world.poll_ns = 1 * MS;
	interpose.pending_max = 3;
	interpose.arg = &interpose;
	interpose_begin(&interpose);
	/* The packet is never read, so there is always one. */
	while (wait_in_select(record.sent < 5 ? near[0] : -1, &readable, &writable) > 0)
		if (!FD_ISSET(near[0], &readable))
			send_one(near[0]);
	interpose_end();
	assert_int_equal(record.sent, 5);
	assert_false(interpose.starved);
}

static void fill(int fd)
{
	while (send(fd, "x", 1, MSG_DONTWAIT) == 1)
		;
	assert_int_equal(errno, EAGAIN);
}

static void make_room(void)
{
	while (receive_byte(far[0]))
		;
}

static void round_is_starved_if_its_socket_is_never_writable(void **state)
{
	struct interpose interpose = make_interpose(1000 * MS, 10 * US);
	int64_t start_ns = world.now_ns;

	(void)state;
	fill(near[0]);
	assert_int_equal(run_round(&interpose, 5), 0);
	assert_true(interpose.starved);
	assert_int_equal(record.sent, 0);
	assert_int_equal(world.now_ns, start_ns + 1000 * MS);
}

static void round_is_not_starved_if_its_socket_becomes_writable(void **state)
{
	struct interpose interpose = make_interpose(1000 * MS, 10 * US);
	int64_t start_ns = world.now_ns;

	(void)state;
	fill(near[0]);
	world.event_ns = start_ns + 700 * MS;
	world.event = make_room;
	assert_int_equal(run_round(&interpose, 5), 0);
	assert_false(interpose.starved);
	assert_int_equal(record.sent, 5);
	assert_true(record.sent_ns[0] >= start_ns + 700 * MS);
	assert_int_equal(world.now_ns, record.sent_ns[4] + 1000 * MS);
}

static void replies_are_read_while_no_request_can_be_sent(void **state)
{
	struct interpose interpose = make_interpose(1000 * MS, 10 * US);

	(void)state;
	fill(near[0]);
	for (size_t i = 0; i < 10; i++)
		answer();
	assert_int_equal(run_round(&interpose, 5), 0);
	assert_int_equal(record.received, 10);
	assert_true(interpose.starved);
}

static void request_that_took_a_share_of_the_timeout_is_a_stall(void **state)
{
	static const struct {
		int64_t cost_ns;
		bool stalled;
	} cases[] = {
		{10 * MS, false}, {250 * MS, false}, {251 * MS, true}, {5000 * MS, true}};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct interpose interpose = make_interpose(1000 * MS, 0);

		record.cost_ns = cases[i].cost_ns;
		assert_int_equal(run_round(&interpose, 2), 0);
		assert_int_equal(interpose.stalled, cases[i].stalled);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(deadline_counts_from_the_last_request),
		TEST(requests_may_be_further_apart_than_the_timeout),
		TEST(process_that_stood_still_between_requests_sends_the_rest),
		TEST(requests_leave_at_their_spacing),
		TEST(requests_that_are_late_catch_up_in_bursts_of_limited_size),
		TEST(requests_without_spacing_leave_at_once),
		TEST(pending_packets_are_read_long_after_the_deadline),
		TEST(reply_during_a_wait_is_read_at_once),
		TEST(interrupted_wait_goes_on),
		TEST(stop_request_ends_the_wait_with_eintr),
		TEST(sockets_are_prepared_once_a_round_before_its_first_request),
		TEST(nothing_is_sent_if_a_socket_cannot_be_prepared),
		TEST(request_without_a_route_looks_like_a_failed_one),
		TEST(icmp_errors_do_not_fail_a_request_however_many_arrive_at_once),
		TEST(request_that_fails_is_tried_a_limited_number_of_times),
		TEST(icmp_errors_do_not_keep_a_reply_from_being_read),
		TEST(icmp_error_after_the_last_reply_says_nothing_about_the_round),
		TEST(packets_that_could_not_be_read_are_told),
		TEST(end_of_sending_is_announced_once),
		TEST(failed_requests_are_not_printed_and_do_not_extend_the_round),
		TEST(request_never_blocks_in_a_round),
		TEST(perror_is_libcs_outside_of_a_round),
		TEST(perror_without_a_text_prints_the_error_alone),
		TEST(select_is_libcs_outside_of_a_round),
		TEST(sendto_is_libcs_outside_of_a_round),
		TEST(packet_that_is_not_accepted_never_reaches_liboping),
		TEST(recvmsg_is_libcs_outside_of_a_round),
		TEST(receive_in_a_round_never_blocks),
		TEST(failed_receive_is_recorded_until_one_succeeds),
		TEST(rehearsal_is_a_round_that_sends_nothing),
		TEST(round_belongs_to_its_task),
		TEST(flood_neither_delays_requests_nor_extends_the_round),
		TEST(flood_after_a_deadline_costs_no_request),
		TEST(round_is_starved_if_its_socket_is_never_writable),
		TEST(round_is_not_starved_if_its_socket_becomes_writable),
		TEST(replies_are_read_while_no_request_can_be_sent),
		TEST(request_that_took_a_share_of_the_timeout_is_a_stall),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
