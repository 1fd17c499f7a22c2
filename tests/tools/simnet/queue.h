/*
 * queue: packets that wait for their time to leave. A binary heap, ordered by due time
 * and then by the order of arrival, so that packets due at the same time leave in the
 * order they were put in.
 */
#ifndef SIMNET_QUEUE_H
#define SIMNET_QUEUE_H

#include <stddef.h>
#include <stdint.h>

/* How a packet counts once it has left. */
enum packet_kind { KIND_REPLY, KIND_DUPLICATE, KIND_OTHER };

struct parcel {
	size_t peer; /* index in the table of peers */
	enum packet_kind kind;
	size_t length;
	uint8_t packet[];
};

struct queue_slot {
	int64_t due_ns;
	uint64_t order;
	struct parcel *parcel;
};

struct queue {
	struct queue_slot *slots;
	size_t count;
	size_t capacity;
	uint64_t next_order;
};

/* Copies the packet. 0, or -1 out of memory. */
int queue_put(struct queue *queue, int64_t due_ns, size_t peer, enum packet_kind kind,
	      const uint8_t *packet, size_t length);
/* When the first packet is due; INT64_MAX if there is none. */
int64_t queue_due_ns(const struct queue *queue);
/* Takes the first packet out; the caller frees it. NULL if there is none. */
struct parcel *queue_take(struct queue *queue);
void queue_free(struct queue *queue);

#endif
