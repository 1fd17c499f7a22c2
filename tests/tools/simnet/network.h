/*
 * network: what comes out of the simulated network for what went in. No device and no
 * clock: the caller hands in packets with the time at which they were read, and takes out
 * those that are due.
 *
 * What chance decides follows from the seed, the address and the number of the request to
 * it alone: other peers and the order among them change nothing.
 */
#ifndef SIMNET_NETWORK_H
#define SIMNET_NETWORK_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "packet.h"
#include "peers.h"
#include "plan.h"
#include "queue.h"

struct network_totals {
	uint64_t requests;
	uint64_t replies;
	uint64_t undelivered; /* answers that the device did not take, being down */
	int64_t first_ns;     /* when the first and the last request were read */
	int64_t last_ns;
	uint64_t backlog;      /* requests read since the device was last found empty */
	uint64_t peak_backlog; /* the most of these */
	uint64_t sent;	       /* packets of any kind that left */
	int64_t late_sum_ns;   /* by how much they left after their time */
	int64_t late_max_ns;
};

struct network {
	struct plan plan;
	struct peers peers;
	struct queue queue;
	uint64_t seed;
	struct network_totals totals;
	uint8_t scratch[PACKET_MAX];
};

/* Takes in one packet of any kind. 0, or -1 out of memory. */
int network_receive(struct network *net, const uint8_t *packet, size_t length,
		    int64_t now_ns);
/* The device was found empty. */
void network_note_idle(struct network *net);
/* A parcel taken from the queue has left (or could not), that much after its time. */
void network_note_sent(struct network *net, const struct parcel *parcel, int64_t late_ns);
void network_note_undelivered(struct network *net);
void network_free(struct network *net);

#endif
