/*
 * peers: the table of all simulated addresses, what each was asked and what it answered.
 *
 * Peers are known by their index, which stays; the pointer from peers_at is good until
 * the next peers_obtain.
 */
#ifndef SIMNET_PEERS_H
#define SIMNET_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "address.h"
#include "packet.h"
#include "queue.h"

struct behaviour;

struct peer {
	struct address address;
	struct address asker; /* of the last request; family 0 before the first */
	const struct behaviour
		*behaviour; /* not owned; NULL for an address in no line of the plan */
	size_t phase;	    /* of the behaviour */
	uint64_t phase_requests; /* requests seen in this phase */
	uint64_t requests;
	uint64_t sent[KIND_OTHER + 1]; /* packets that left, by kind */
	/* By how much its replies left after their time, and the first since peers_write.
	 */
	int64_t late_ns, first_late_ns;
	bool first_is_known;
	size_t bytes; /* payload of the last request */
	uint8_t tos;
	uint8_t ttl;
};

struct peers {
	struct peer *list;
	size_t count;
	size_t capacity;
	uint32_t *buckets; /* open addressing: index + 1, or 0 */
	size_t bucket_count;
};

#define PEERS_NONE SIZE_MAX

/* The index of an address, added if it is new; PEERS_NONE out of memory. */
size_t peers_obtain(struct peers *peers, const struct address *address);
struct peer *peers_at(struct peers *peers, size_t index);
void peers_note_request(struct peer *peer, const struct request *request);
void peers_note_sent(struct peer *peer, enum packet_kind kind, int64_t late_ns);
/* One line a peer, sorted; 0, or -1 out of memory. The caller checks the stream. */
int peers_write(struct peers *peers, FILE *out);
void peers_free(struct peers *peers);

#endif
