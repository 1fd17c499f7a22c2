#include "ping/interpose.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include "base/clock.h"
#include "ping/icmpsocket.h"
#include "ping/task.h"

/* After so many packets a request that is due goes first, so a flood cannot delay it. */
#define READS_IN_A_ROW 64

/*
 * How often a request that fails is sent again while ICMP errors arrive; without any, a
 * quarter as often.
 */
#define RESENDS_MAX 16

/*
 * Sending one request may take a quarter of the timeout, or a millisecond if that is
 * longer, as it does on a busy machine. Beyond that the round is not trusted.
 */
#define STALL_SHARE 4
#define STALL_MIN_NS CLOCK_NS_PER_MS

/* liboping passes no argument of ours. */
static struct interpose *current;

void interpose_begin(struct interpose *interpose)
{
	current = interpose;
}

void interpose_end(void)
{
	current = NULL;
}

static nfds_t list_pollfds(int nfds, const fd_set *set, struct pollfd *fds)
{
	nfds_t count = 0;

	for (int fd = 0; fd < nfds && count < ICMPSOCKET_MAX; fd++)
		if (FD_ISSET(fd, set))
			fds[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
	return count;
}

static bool begin_sending(struct interpose *s, const struct pollfd *fds, nfds_t count)
{
	for (nfds_t i = 0; i < count; i++)
		if (!s->on_socket(fds[i].fd, s->arg))
			return false;
	s->was_called = true;
	s->last_send_ns = s->next_send_ns = clock_monotonic_ns();
	return true;
}

/* Meanwhile other tasks have rounds of their own. The caller's loop may wait again. */
static void wait_for(struct pollfd *fds, nfds_t count, int64_t until_ns)
{
	struct interpose *self = current;

	current = NULL;
	task_wait(fds, count, until_ns);
	current = self;
}

/* Adds to the set what is ready for one of the events; returns how many that are. */
static int set_ready(const struct pollfd *fds, nfds_t count, short events, fd_set *ready)
{
	int found = 0;

	for (nfds_t i = 0; i < count; i++) {
		if (fds[i].revents & events) {
			FD_SET(fds[i].fd, ready);
			found++;
		}
	}
	return found;
}

static void permit_request(struct interpose *s, int64_t now_ns)
{
	/*
	 * Requests that are late are made up for, up to a burst: this one, the next one
	 * that is due now, and INTERPOSE_BURST - 2 between them.
	 */
	int64_t earliest_ns = now_ns - (INTERPOSE_BURST - 2) * s->spacing_ns;

	s->next_send_ns += s->spacing_ns;
	if (s->next_send_ns < earliest_ns)
		s->next_send_ns = earliest_ns;
	s->reads_in_a_row = 0;
	s->permitted_ns = now_ns;
}

/* When waiting ends: for replies, or for room to send the request that is due. */
static int64_t give_up_ns(const struct interpose *s, bool due)
{
	int64_t since_ns = s->last_send_ns;

	if (due && s->next_send_ns > since_ns)
		since_ns = s->next_send_ns;
	return since_ns + s->timeout_ns;
}

/* A flood of packets that pass the filter must not extend the round. */
static bool may_read(struct interpose *s, int64_t now_ns)
{
	s->reads_in_a_row++;
	return now_ns < s->last_send_ns + s->timeout_ns ||
	       s->late_reads++ < s->pending_max;
}

/*
 * Waits until liboping has something to do, and puts the sockets concerned into `readable`
 * or `writable`. Returns as select() does: how many they are, 0 when the round is over, -1
 * with EINTR when a stop is requested. `write_fd` is the socket of the next request, or -1.
 */
static int wait_round(struct interpose *s, struct pollfd *fds, nfds_t count, int write_fd,
		      fd_set *readable, fd_set *writable)
{
	for (;;) {
		int64_t now_ns = clock_monotonic_ns();
		bool due = write_fd >= 0 && now_ns >= s->next_send_ns;
		int64_t until_ns =
			write_fd >= 0 && !due ? s->next_send_ns : give_up_ns(s, due);
		int found;

		for (nfds_t i = 0; i < count; i++)
			if (fds[i].fd == write_fd)
				fds[i].events = (short)(POLLIN | (due ? POLLOUT : 0));
		fds[count] = (struct pollfd){.fd = s->stop_fd, .events = POLLIN};
		wait_for(fds, count + 1, until_ns);
		if (fds[count].revents) {
			s->interrupted = true;
			errno = EINTR;
			return -1;
		}
		now_ns = clock_monotonic_ns();
		if (!due || s->reads_in_a_row < READS_IN_A_ROW) {
			/* Reading a socket also takes a pending error from it. */
			found = set_ready(fds, count, POLLIN | POLLERR | POLLHUP,
					  readable);
			if (found > 0 && may_read(s, now_ns))
				return found;
			if (found > 0 && write_fd < 0)
				return 0;
			FD_ZERO(readable);
		}
		s->reads_in_a_row = 0;
		if (set_ready(fds, count, POLLOUT, writable) > 0) {
			permit_request(s, now_ns);
			return 1;
		}
		/* A request that became due during the wait is tried first. */
		if ((due || write_fd < 0) && now_ns >= give_up_ns(s, due)) {
			/* Nothing is left in the sockets, so what failed was no packet. */
			s->receive_errno = 0;
			s->starved = due;
			return 0;
		}
	}
}

/* liboping has its sockets in `readfds`, and in `writefds` that of its next request. */
static int select_in_round(struct interpose *s, int nfds, fd_set *readfds,
			   fd_set *writefds)
{
	struct pollfd fds[ICMPSOCKET_MAX + 1];
	nfds_t count = list_pollfds(nfds, readfds, fds);
	int write_fd = -1;

	for (nfds_t i = 0; i < count; i++)
		if (FD_ISSET(fds[i].fd, writefds))
			write_fd = fds[i].fd;
	if (!s->was_called && !begin_sending(s, fds, count))
		return -1;
	if (write_fd < 0 && !s->sent) {
		s->sent = true;
		s->on_sent(s->arg);
	}
	FD_ZERO(readfds);
	FD_ZERO(writefds);
	return wait_round(s, fds, count, write_fd, readfds, writefds);
}

/* Time is up when the one request was sent and something read. */
static int rehearse_wait(struct interpose *s, fd_set *readfds, fd_set *writefds)
{
	s->was_called = true;
	FD_ZERO(s->has_sent ? writefds : readfds);
	if (!s->has_received)
		return 1;
	FD_ZERO(s->has_sent ? readfds : writefds);
	return 0;
}

INTERPOSE_EXPORTED
int select(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds,
	   struct timeval *timeout)
{
	struct timespec ts;

	if (current && readfds && writefds)
		return current->is_rehearsal
			       ? rehearse_wait(current, readfds, writefds)
			       : select_in_round(current, nfds, readfds, writefds);
	if (timeout) {
		ts.tv_sec = timeout->tv_sec;
		ts.tv_nsec = (long)timeout->tv_usec * 1000;
	}
	return pselect(nfds, readfds, writefds, exceptfds, timeout ? &ts : NULL, NULL);
}

/* How long sending a request may take. */
static int64_t stall_ns(const struct interpose *s)
{
	int64_t share_ns = s->timeout_ns / STALL_SHARE;

	if (share_ns < STALL_MIN_NS)
		share_ns = STALL_MIN_NS;
	return share_ns < s->timeout_ns / 2 ? share_ns : s->timeout_ns / 2;
}

static size_t take_errors(const struct interpose *s, int fd)
{
	return s->take_errors ? s->take_errors(fd, s->arg)
			      : icmpsocket_discard_errors(fd);
}

/*
 * A failure may be a pending ICMP error, which says nothing about this request; the next one
 * may arrive between two tries. The kernel queues an error some time before it fails a call
 * with it, so an empty queue alone proves nothing.
 */
static ssize_t send_now(const struct interpose *s, int fd, const struct msghdr *message,
			int flags)
{
	unsigned tries = 0;

	for (;;) {
		ssize_t sent = sendmsg(fd, message, flags | MSG_DONTWAIT);
		int error = errno;

		/* A full buffer is no ICMP error. */
		if (sent >= 0 || error == EAGAIN || tries >= RESENDS_MAX)
			return sent;
		tries += take_errors(s, fd) > 0 ? 1 : 4;
		errno = error;
	}
}

static void count_failure(struct interpose *s, int fd, const void *packet,
			  const struct sockaddr *to)
{
	int error = errno;

	if (s->failed++ == 0)
		s->first_errno = error;
	if (s->on_failure)
		s->on_failure(fd, packet, to, error, s->arg);
	errno = error;
	/* liboping counts these two as sent, so the request would be lost, not unsent. */
	if (errno == EHOSTUNREACH || errno == ENETUNREACH)
		errno = EIO;
}

static void *cast_away_const(const void *p)
{
	union {
		const void *in;
		void *out;
	} u = {.in = p};

	return u.out;
}

/*
 * glibc declares the address as a transparent union of pointers, which no other libc has; a
 * plain pointer is passed in the same way.
 */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
INTERPOSE_EXPORTED
ssize_t sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *addr,
	       socklen_t addr_len)
{
	/* struct msghdr has no const members, but sendmsg() only reads. */
	struct iovec iov = {.iov_base = cast_away_const(buf), .iov_len = n};
	struct msghdr message = {.msg_name = cast_away_const(addr),
				 .msg_namelen = addr_len,
				 .msg_iov = &iov,
				 .msg_iovlen = 1};
	struct interpose *s = current;
	ssize_t sent;

	if (!s)
		return sendmsg(fd, &message, flags);
	s->has_sent = true;
	if (s->is_rehearsal)
		return (ssize_t)n;
	if (s->may_send && !s->may_send(addr, s->arg)) {
		errno = EADDRNOTAVAIL;
		sent = -1;
	} else {
		sent = send_now(s, fd, &message, flags);
	}
	if (sent < 0)
		count_failure(s, fd, buf, addr);
	/* liboping took the time stamp between select() and this call. */
	s->last_send_ns = clock_monotonic_ns();
	if (s->last_send_ns - s->permitted_ns > stall_ns(s))
		s->stalled = true;
	return sent;
}
#pragma GCC diagnostic pop

/*
 * select() has done the waiting, but a socket may be readable for an ICMP error that is gone
 * by now, so this never blocks. After a failure liboping waits again and, if there is a
 * packet, reads again.
 */
static int receive_now(struct interpose *s, int fd, struct mmsghdr *one, int flags)
{
	int received = recvmmsg(fd, one, 1, flags | MSG_DONTWAIT, NULL);
	int error = errno;

	s->has_received = true;
	if (received > 0) {
		s->receive_errno = 0;
		return received;
	}
	(void)take_errors(s, fd);
	errno = error;
	if (error != EAGAIN && error != EINTR)
		s->receive_errno = error;
	return -1;
}

/* By recvmmsg(), as there is no other name for libc's recvmsg(). */
INTERPOSE_EXPORTED
ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	struct mmsghdr one = {.msg_hdr = *message};
	struct interpose *s = current;
	int received =
		s ? receive_now(s, fd, &one, flags) : recvmmsg(fd, &one, 1, flags, NULL);

	if (received < 1)
		return -1;
	*message = one.msg_hdr;
	if (s && s->accept &&
	    !s->accept(fd, message->msg_iov[0].iov_base, one.msg_len, s->arg)) {
		errno = EAGAIN;
		return -1;
	}
	return (ssize_t)one.msg_len;
}

INTERPOSE_EXPORTED
void perror(const char *s)
{
	/* In a round sendto() has counted the failure. */
	if (!current)
		fprintf(stderr, "%s%s%s\n", s ? s : "", s && *s ? ": " : "",
			strerror(errno));
}
