/*
 * Functions that replace libc's when liboping calls them.
 *
 * liboping waits in select(), sends with sendto(), receives with recvmsg() and complains
 * with perror(), and nowhere else. This module defines these four, and symbol resolution,
 * dynamic and static alike, makes liboping call them. No option of liboping mends what it
 * does by itself: it waits by the wall clock, counts its deadline from before the first
 * request, gives up on replies that are already queued, sends as fast as it can, takes a
 * request without a route for one that was sent, and prints a line for every other failure.
 *
 * Between interpose_begin() and interpose_end(), in the task that called them (task.h):
 *  - a round ends `timeout_ns` after its last request, on the monotonic clock, and not
 *    before everything that was queued by then has been read;
 *  - requests are sent `spacing_ns` apart. Where the clock's resolution makes them late, at
 *    most INTERPOSE_BURST of them follow one another at once;
 *  - a stop request ends the round;
 *  - liboping sees only packets that `accept` accepts;
 *  - a request that was not sent, for whatever reason, looks to liboping like one that
 *    failed, so its sequence number does not advance;
 *  - an error that an ICMP message left at the socket fails neither a request nor a
 *    receive.
 * Outside, the four behave like libc's.
 */
#ifndef NODECANARY_INTERPOSE_H
#define NODECANARY_INTERPOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define INTERPOSE_BURST 8

struct interpose {
	/*
	 * Set by the caller. A rehearsal shows which of these functions liboping calls:
	 * nothing is sent, and the rest here is not used. It ends only when all were called.
	 */
	bool is_rehearsal;
	int64_t timeout_ns, spacing_ns;
	/* How many packets are read after the deadline: as many as the sockets can queue. */
	size_t pending_max;
	int stop_fd; /* readable when a stop is requested; -1: never */
	/*
	 * Called once for each socket, before the first request. If it returns false, with
	 * errno, no request is sent and liboping fails with that error.
	 */
	bool (*on_socket)(int fd, void *arg);
	/* False if a request must not be sent; NULL: all may. */
	bool (*may_send)(const struct sockaddr *to, void *arg);
	/* Called for each request that the kernel refused, with its errno; may be NULL. */
	void (*on_failure)(int fd, const void *packet, const struct sockaddr *to,
			   int error, void *arg);
	/*
	 * Empties the error queue of a socket and returns how many errors were in it; NULL:
	 * they are discarded.
	 */
	size_t (*take_errors)(int fd, void *arg);
	/* Called once, after the last request. */
	void (*on_sent)(void *arg);
	/* True for a reply to a request of this round; NULL: all packets are. */
	bool (*accept)(int fd, const void *packet, size_t len, void *arg);
	void *arg;

	/* Results. */
	bool was_called; /* liboping did wait in select(), with its sockets ready */
	bool has_sent, has_received; /* ... and called sendto(), recvmsg() */
	bool interrupted;	     /* by a stop request */
	/*
	 * The process stood still between a request's time stamp and its sending, so long
	 * that a reply in time may look late.
	 */
	bool stalled;
	bool starved;	 /* the send buffer was full until the round ended */
	size_t failed;	 /* requests that the kernel refused */
	int first_errno; /* of the first of them */
	/* Of the last receive, if it failed and the round ended with unread packets. */
	int receive_errno;

	/* Internal. */
	bool sent;
	int64_t next_send_ns, last_send_ns, permitted_ns;
	size_t reads_in_a_row, late_reads;
};

/* For what replaces a function of libc, whatever -fvisibility the user's CFLAGS have. */
#define INTERPOSE_EXPORTED __attribute__((visibility("default")))

/* The structure must live until interpose_end(). */
void interpose_begin(struct interpose *interpose);
void interpose_end(void);

#endif
