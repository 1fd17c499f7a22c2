/*
 * The interpose between liboping and libc.
 *
 * liboping waits in select(), sends with sendto(), receives with recvmsg() and
 * complains with perror(), and nowhere else. This module defines these four;
 * symbol resolution, dynamic and static alike, makes liboping call them in
 * place of libc's. What liboping
 * does by itself is wrong in ways that no option mends: it waits by the wall
 * clock, counts its deadline from before the first request, gives up on replies
 * that are already queued, sends as fast as it can, takes an unroutable request
 * for one that was sent, and prints a line for every other one.
 *
 * Between interpose_begin() and interpose_end(), in the thread that called interpose_begin():
 *  - a round ends `timeout_ns` after its last request, on the monotonic clock,
 *    and not before everything queued by then has been read;
 *  - requests leave `spacing_ns` deferred; where the clock's resolution makes them
 *    late, at most INTERPOSE_BURST of them follow one another at once;
 *  - a stop request ends the round;
 *  - what `accept` refuses never reaches liboping, which would take a reply to
 *    the last round's request for one to the request that it is about to send;
 *  - a request that did not leave for whatever reason looks to liboping as one
 *    that failed, so its sequence number stands still;
 *  - an error that an ICMP message left at the socket is none of the next request's.
 * Outside, the four behave as libc's.
 */
#ifndef NODECANARY_INTERPOSE_H
#define NODECANARY_INTERPOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define INTERPOSE_BURST 8

struct interpose {
	/* Set by the caller. */
	int64_t timeout_ns, spacing_ns;
	/* So many packets may have been queued when the deadline passed. */
	size_t pending_max;
	int stop_fd;
	/* Called once for each socket, before the round's first request. */
	void (*on_socket)(int fd, void *arg);
	/* Whether a request may leave at all; NULL: it may. */
	bool (*may_send)(const struct sockaddr *to, void *arg);
	/* Called when the round's last request has left. */
	void (*on_sent)(void *arg);
	/* Whether a packet is an answer of this round; NULL: all are. */
	bool (*accept)(int fd, const void *packet, size_t len, void *arg);
	void *arg;

	/* Results. */
	bool was_called; /* liboping did wait here */
	bool interrupted;
	/*
	 * The process stood still while it sent, for so long that the time stamp of
	 * that request may make an answer in time look late.
	 */
	bool stalled;
	bool starved; /* the send buffer was full until the round ended */
	size_t failed;
	int first_errno;   /* of the requests that failed */
	int receive_errno; /* of the last receive, if that failed */

	/* Internal. */
	bool started, sent;
	int64_t next_send_ns, last_send_ns, granted_ns;
	size_t reads_in_a_row, late_reads;
};

void interpose_begin(struct interpose *interpose);
void interpose_end(void);

#endif
