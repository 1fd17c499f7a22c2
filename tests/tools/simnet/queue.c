#include "queue.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool before(const struct queue_slot *a, const struct queue_slot *b)
{
	if (a->due_ns != b->due_ns)
		return a->due_ns < b->due_ns;
	return a->order < b->order;
}

static int grow(struct queue *queue)
{
	size_t capacity = queue->capacity == 0 ? 1024 : queue->capacity * 2;
	struct queue_slot *slots = reallocarray(queue->slots, capacity, sizeof *slots);
	if (slots == NULL)
		return -1;
	queue->slots = slots;
	queue->capacity = capacity;
	return 0;
}

/* Both move the slot at `i` to where it belongs. */
static void sift_up(struct queue *queue, size_t i)
{
	struct queue_slot slot = queue->slots[i];

	while (i > 0 && before(&slot, &queue->slots[(i - 1) / 2])) {
		queue->slots[i] = queue->slots[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	queue->slots[i] = slot;
}

static void sift_down(struct queue *queue, size_t i)
{
	struct queue_slot slot = queue->slots[i];

	for (;;) {
		size_t child = 2 * i + 1;
		if (child + 1 < queue->count &&
		    before(&queue->slots[child + 1], &queue->slots[child]))
			child++;
		if (child >= queue->count || !before(&queue->slots[child], &slot))
			break;
		queue->slots[i] = queue->slots[child];
		i = child;
	}
	queue->slots[i] = slot;
}

int queue_put(struct queue *queue, int64_t due_ns, size_t peer, enum packet_kind kind,
	      const uint8_t *packet, size_t length)
{
	if (queue->count == queue->capacity && grow(queue) != 0)
		return -1;
	struct parcel *parcel = malloc(sizeof *parcel + length);
	if (parcel == NULL)
		return -1;
	*parcel = (struct parcel){.peer = peer, .kind = kind, .length = length};
	memcpy(parcel->packet, packet, length);

	queue->slots[queue->count] =
		(struct queue_slot){due_ns, queue->next_order++, parcel};
	sift_up(queue, queue->count++);
	return 0;
}

int64_t queue_due_ns(const struct queue *queue)
{
	return queue->count == 0 ? INT64_MAX : queue->slots[0].due_ns;
}

struct parcel *queue_take(struct queue *queue)
{
	if (queue->count == 0)
		return NULL;
	struct parcel *first = queue->slots[0].parcel;
	queue->slots[0] = queue->slots[--queue->count];
	if (queue->count > 0)
		sift_down(queue, 0);
	return first;
}

void queue_free(struct queue *queue)
{
	for (size_t i = 0; i < queue->count; i++)
		free(queue->slots[i].parcel);
	free(queue->slots);
	*queue = (struct queue){0};
}
