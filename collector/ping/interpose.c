#include "ping/interpose.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include "base/clock.h"

/* liboping has one socket a family. */
#define SOCKETS_MAX 2

/* After so many replies a request that is due goes first. */
#define READS_IN_A_ROW 64

/* More of them than this at once are somebody's flood. */
#define ERRORS_IN_A_ROW 64

/* A share of the timeout that sending one request may take, and a busy machine does. */
#define STALL_SHARE 4
#define STALL_LEAST_NS CLOCK_NS_PER_MS

static _Thread_local struct interpose *current;

void interpose_begin(struct interpose *interpose)
{
	current = interpose;
}

void interpose_end(void)
{
	current = NULL;
}

/* The descriptors of a set, as poll has them; returns how many. */
static nfds_t to_pollfds(int nfds, const fd_set *set, struct pollfd *fds)
{
	nfds_t count = 0;

	for (int fd = 0; fd < nfds && count < SOCKETS_MAX; fd++)
		if (FD_ISSET(fd, set))
			fds[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
	return count;
}

static void start(struct interpose *s, const struct pollfd *fds, nfds_t count)
{
	s->was_called = true;
	s->started = true;
	for (nfds_t i = 0; i < count; i++)
		s->on_socket(fds[i].fd, s->arg);
	s->last_send_ns = s->next_send_ns = clock_monotonic_ns();
}

static void wait_for(struct pollfd *fds, nfds_t count, int64_t timeout_ns)
{
	struct timespec ts = clock_timespec(timeout_ns);

	if (ppoll(fds, count, &ts, NULL) <= 0)
		for (nfds_t i = 0; i < count; i++)
			fds[i].revents = 0;
}

/* Leaves in the sets what is ready and returns how many that are. */
static int report(const struct pollfd *fds, nfds_t count, short events, fd_set *ready)
{
	int found = 0;

	for (nfds_t i = 0; i < count; i++) {
		/* An error is taken from the socket by reading it. */
		if (fds[i].revents &
		    (events | (events & POLLIN ? POLLERR | POLLHUP : 0))) {
			FD_SET(fds[i].fd, ready);
			found++;
		}
	}
	return found;
}

static void grant(struct interpose *s, int64_t now_ns)
{
	/* This one, those between here and now, and the one that is due now. */
	int64_t least_ns = now_ns - (INTERPOSE_BURST - 2) * s->spacing_ns;

	s->next_send_ns += s->spacing_ns;
	if (s->next_send_ns < least_ns)
		s->next_send_ns = least_ns;
	s->reads_in_a_row = 0;
	s->granted_ns = now_ns;
}

/* When nothing is waited for any more: replies, or room for the request that is due. */
static int64_t give_up_ns(const struct interpose *s, bool due)
{
	int64_t since_ns = s->last_send_ns;

	if (due && s->next_send_ns > since_ns)
		since_ns = s->next_send_ns;
	return since_ns + s->timeout_ns;
}

/* A flood of what passes the filter must not hold the round beyond its deadline. */
static bool may_read(struct interpose *s, int64_t now_ns)
{
	s->reads_in_a_row++;
	return now_ns < s->last_send_ns + s->timeout_ns ||
	       s->late_reads++ < s->pending_max;
}

/*
 * Waits until liboping has something to do. Puts into `readable` or `writable`
 * what it is; 0 when the round is over, -1 with EINTR to stop it.
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
		wait_for(fds, count + 1, until_ns - now_ns);
		if (fds[count].revents) {
			s->interrupted = true;
			errno = EINTR;
			return -1;
		}
		now_ns = clock_monotonic_ns();
		if (!due || s->reads_in_a_row < READS_IN_A_ROW) {
			found = report(fds, count, POLLIN, readable);
			if (found > 0 && may_read(s, now_ns))
				return found;
			if (found > 0 && write_fd < 0)
				return 0;
			FD_ZERO(readable);
		}
		s->reads_in_a_row = 0;
		if (report(fds, count, POLLOUT, writable) > 0) {
			grant(s, now_ns);
			return 1;
		}
		/* A request that was not due when the wait began gets its chance first.
		 */
		if ((due || write_fd < 0) && now_ns >= give_up_ns(s, due)) {
			s->starved = due;
			return 0;
		}
	}
}

static int select_in_round(struct interpose *s, int nfds, fd_set *readfds,
			   fd_set *writefds)
{
	struct pollfd fds[SOCKETS_MAX + 1];
	nfds_t count = to_pollfds(nfds, readfds, fds);
	int write_fd = -1;

	for (nfds_t i = 0; i < count; i++)
		if (FD_ISSET(fds[i].fd, writefds))
			write_fd = fds[i].fd;
	if (!s->started)
		start(s, fds, count);
	if (write_fd < 0 && !s->sent) {
		s->sent = true;
		s->on_sent(s->arg);
	}
	FD_ZERO(readfds);
	FD_ZERO(writefds);
	return wait_round(s, fds, count, write_fd, readfds, writefds);
}

int select(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds,
	   struct timeval *timeout)
{
	struct timespec ts;

	if (current && readfds && writefds)
		return select_in_round(current, nfds, readfds, writefds);
	if (timeout) {
		ts.tv_sec = timeout->tv_sec;
		ts.tv_nsec = (long)timeout->tv_usec * 1000;
	}
	return pselect(nfds, readfds, writefds, exceptfds, timeout ? &ts : NULL, NULL);
}

static int64_t stall_ns(const struct interpose *s)
{
	int64_t share_ns = s->timeout_ns / STALL_SHARE;

	if (share_ns < STALL_LEAST_NS)
		share_ns = STALL_LEAST_NS;
	return share_ns < s->timeout_ns / 2 ? share_ns : s->timeout_ns / 2;
}

/* What ICMP messages left at the socket: its pending error, and copies of them. */
static void drop_errors(int fd)
{
	char byte;

	for (int i = 0; i < ERRORS_IN_A_ROW; i++)
		if (recv(fd, &byte, sizeof(byte), MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
			return;
}

/* An error that was pending says nothing about this request, and is gone the second time.
 */
static ssize_t send_now(int fd, const struct msghdr *message, int flags)
{
	ssize_t sent = sendmsg(fd, message, flags | MSG_DONTWAIT);

	if (sent >= 0)
		return sent;
	drop_errors(fd);
	return sendmsg(fd, message, flags | MSG_DONTWAIT);
}

static void note_failure(struct interpose *s)
{
	if (s->failed++ == 0)
		s->first_errno = errno;
	/* liboping would count a request without a route as sent. */
	if (errno == EHOSTUNREACH || errno == ENETUNREACH)
		errno = EIO;
}

static void *unconst(const void *p)
{
	union {
		const void *in;
		void *out;
	} u = {.in = p};

	return u.out;
}

/*
 * glibc declares the address as a transparent union of pointers, which no other
 * libc knows; a plain pointer is passed alike.
 */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
ssize_t sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *addr,
	       socklen_t addr_len)
{
	/* struct msghdr has no const; sendmsg() only reads. */
	struct iovec iov = {.iov_base = unconst(buf), .iov_len = n};
	struct msghdr message = {.msg_name = unconst(addr),
				 .msg_namelen = addr_len,
				 .msg_iov = &iov,
				 .msg_iovlen = 1};
	struct interpose *s = current;
	ssize_t sent;

	if (!s)
		return sendmsg(fd, &message, flags);
	if (s->may_send && !s->may_send(addr, s->arg)) {
		errno = EADDRNOTAVAIL;
		sent = -1;
	} else {
		sent = send_now(fd, &message, flags);
	}
	if (sent < 0)
		note_failure(s);
	s->last_send_ns = clock_monotonic_ns();
	if (s->last_send_ns - s->granted_ns > stall_ns(s))
		s->stalled = true;
	return sent;
}
#pragma GCC diagnostic pop

/* Where there was nothing to receive, nothing failed. */
static void note_receive(struct interpose *s, int received)
{
	if (received > 0)
		s->receive_errno = 0;
	else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
		s->receive_errno = errno;
}

/*
 * As for sending, an error that was pending says nothing. select() has done the waiting:
 * a socket that looks readable may have nothing but an error, or no longer that.
 */
static int receive_now(struct interpose *s, int fd, struct mmsghdr *one, int flags)
{
	int received = recvmmsg(fd, one, 1, flags | MSG_DONTWAIT, NULL);

	if (received < 1) {
		drop_errors(fd);
		received = recvmmsg(fd, one, 1, flags | MSG_DONTWAIT, NULL);
	}
	note_receive(s, received);
	return received;
}

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

void perror(const char *s)
{
	/* In a round the failure has been counted by sendto(). */
	if (!current)
		fprintf(stderr, "%s%s%s\n", s ? s : "", s && *s ? ": " : "",
			strerror(errno));
}
