/*
 * The raw sockets of one liboping object, which opens them itself: what is done
 * to each when it is first seen, before every round, and after it.
 */
#ifndef NODECANARY_SOCKETS_H
#define NODECANARY_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "ping/cookie.h"
#include "ping/rawsocket.h"
#include "ping/tentative.h"

/* liboping has one a family. */
#define SOCKETS_MAX 2

struct sockets {
	struct {
		int fd;
		enum address_family family;
		struct rawsocket_drops drops;
	} items[SOCKETS_MAX];
	size_t count;
	/* Set by the owner: what the buffers should hold. */
	struct rawsocket_buffers wanted;
	struct tentative tentative; /* as of the start of the round */
	uint64_t drops;		    /* so far, in rounds and between them */
	bool failed;		    /* a socket could not be prepared; logged */
};

/*
 * Before a round's first request: filter and buffers, once; an empty queue.
 * Returns the most packets that can be queued.
 */
size_t sockets_ready(struct sockets *sockets, int fd, const struct cookie *cookie);

/* After a round's last request: only sockets_ready() to here do errors of sending matter.
 */
void sockets_sent(const struct sockets *sockets);

/* After a round: how many packets full buffers dropped since sockets_ready(). */
uint64_t sockets_count_drops(struct sockets *sockets);

/* ADDRESS_NONE for a descriptor that has not been seen. */
enum address_family sockets_family(const struct sockets *sockets, int fd);

#endif
