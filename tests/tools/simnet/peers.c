#include "peers.h"

#include <inttypes.h>
#include <stdlib.h>

static size_t find_bucket(const struct peers *peers, const struct address *address)
{
	size_t mask = peers->bucket_count - 1;
	size_t at = (size_t)address_hash(address) & mask;

	while (peers->buckets[at] != 0 &&
	       address_compare(&peers->list[peers->buckets[at] - 1].address, address) !=
		       0)
		at = (at + 1) & mask;
	return at;
}

/* The table of buckets is four times the list, so that chains stay short. */
static int grow(struct peers *peers)
{
	size_t capacity = peers->capacity == 0 ? 1024 : peers->capacity * 2;
	struct peer *list = reallocarray(peers->list, capacity, sizeof *list);
	if (list == NULL)
		return -1;
	peers->list = list;
	peers->capacity = capacity;

	uint32_t *buckets = calloc(capacity * 4, sizeof *buckets);
	if (buckets == NULL)
		return -1;
	free(peers->buckets);
	peers->buckets = buckets;
	peers->bucket_count = capacity * 4;
	for (size_t i = 0; i < peers->count; i++)
		peers->buckets[find_bucket(peers, &peers->list[i].address)] =
			(uint32_t)(i + 1);
	return 0;
}

size_t peers_obtain(struct peers *peers, const struct address *address)
{
	if (peers->count == peers->capacity && grow(peers) != 0)
		return PEERS_NONE;
	size_t bucket = find_bucket(peers, address);
	if (peers->buckets[bucket] == 0) {
		peers->list[peers->count] = (struct peer){.address = *address};
		peers->buckets[bucket] = (uint32_t)++peers->count;
	}
	return peers->buckets[bucket] - 1;
}

struct peer *peers_at(struct peers *peers, size_t index)
{
	return &peers->list[index];
}

void peers_note_request(struct peer *peer, const struct request *request)
{
	peer->requests++;
	peer->asker = request->source;
	peer->bytes = request->icmp_length - 8;
	peer->tos = request->tos;
	peer->ttl = request->ttl;
}

void peers_note_sent(struct peer *peer, enum packet_kind kind, int64_t late_ns)
{
	peer->sent[kind]++;
	if (kind != KIND_REPLY)
		return;
	peer->late_ns += late_ns;
	if (!peer->first_is_known)
		peer->first_late_ns = late_ns;
	peer->first_is_known = true;
}

static int compare_peers(const void *left, const void *right)
{
	const struct peer *const *a = left;
	const struct peer *const *b = right;
	return address_compare(&(*a)->address, &(*b)->address);
}

static void write_peer(FILE *out, const struct peer *peer)
{
	char address[ADDRESS_TEXT_MAX];
	char asker[ADDRESS_TEXT_MAX];

	fprintf(out, "%s requests=%" PRIu64 " replies=%" PRIu64,
		address_format(&peer->address, address), peer->requests,
		peer->sent[KIND_REPLY]);
	fprintf(out, " duplicates=%" PRIu64 " other=%" PRIu64, peer->sent[KIND_DUPLICATE],
		peer->sent[KIND_OTHER]);
	fprintf(out, " late_ns=%" PRId64 " first_late_ns=%" PRId64, peer->late_ns,
		peer->first_late_ns);
	fprintf(out, " bytes=%zu tos=%u ttl=%u src=%s\n", peer->bytes, peer->tos,
		peer->ttl, address_format(&peer->asker, asker));
}

int peers_write(struct peers *peers, FILE *out)
{
	const struct peer **sorted = calloc(peers->count + 1, sizeof *sorted);
	if (sorted == NULL)
		return -1;
	for (size_t i = 0; i < peers->count; i++)
		sorted[i] = &peers->list[i];
	qsort(sorted, peers->count, sizeof *sorted, compare_peers);
	for (size_t i = 0; i < peers->count; i++)
		write_peer(out, sorted[i]);
	for (size_t i = 0; i < peers->count; i++)
		peers->list[i].first_is_known = false;
	free(sorted);
	return 0;
}

void peers_free(struct peers *peers)
{
	free(peers->list);
	free(peers->buckets);
	*peers = (struct peers){0};
}
