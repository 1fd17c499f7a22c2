#include "network.h"

#include <stdbool.h>

/* What a random number is for: different uses must not be correlated. */
enum salt { SALT_LOSS, SALT_JITTER, SALT_COUNT };

static uint64_t draw(const struct network *net, const struct peer *peer, enum salt salt)
{
	uint64_t nth = peer->requests * SALT_COUNT + salt;
	return mix64(mix64(net->seed) ^ mix64(address_hash(&peer->address) ^ mix64(nth)));
}

/* The phase that serves the request just counted; NULL if the address is in no line. */
static const struct phase *enter_phase(struct peer *peer)
{
	if (peer->behaviour == NULL)
		return NULL;
	const struct phase *phase = &peer->behaviour->phases[peer->phase];
	if (phase->requests != 0 && peer->phase_requests == phase->requests) {
		peer->phase++;
		peer->phase_requests = 0;
		phase++;
	}
	peer->phase_requests++;
	return phase;
}

static bool is_lost(const struct network *net, const struct peer *peer,
		    const struct phase *phase)
{
	if (phase->silent)
		return true;
	if (phase->drop_of != 0 &&
	    (peer->phase_requests - 1) % phase->drop_of >= phase->drop_of - phase->drop)
		return true;
	return draw(net, peer, SALT_LOSS) % 1000000 < phase->loss_ppm;
}

static int64_t delay_ns(const struct network *net, const struct peer *peer,
			const struct phase *phase)
{
	uint64_t width = 2 * (uint64_t)phase->jitter_ns + 1;
	int64_t delay = phase->delay_ns - phase->jitter_ns +
			(int64_t)(draw(net, peer, SALT_JITTER) % width);
	return delay > 0 ? delay : 0;
}

/* The answer to one request under way: where its packets go and when. */
struct answer {
	struct network *net;
	size_t peer;
	const struct request *request;
	const struct phase *phase;
	int64_t due_ns;
};

static int put_reply(const struct answer *answer, enum packet_kind kind,
		     const struct address *from, unsigned faults)
{
	struct network *net = answer->net;
	size_t length = packet_build_reply(net->scratch, answer->request, from,
					   (uint8_t)answer->phase->ttl, faults);
	return queue_put(&net->queue, answer->due_ns, answer->peer, kind, net->scratch,
			 length);
}

static int put_unreachable(const struct answer *answer, const struct address *from)
{
	struct network *net = answer->net;
	size_t length = packet_build_unreachable(net->scratch, answer->request, from,
						 (uint8_t)answer->phase->ttl);
	return queue_put(&net->queue, answer->due_ns, answer->peer, KIND_OTHER,
			 net->scratch, length);
}

/* The noise that goes before the answer. */
static int put_copies(const struct answer *answer, const struct address *from)
{
	const struct phase *phase = answer->phase;

	for (unsigned fault = 1; fault < FAULT_END; fault <<= 1) {
		if ((phase->copies & fault) != 0 &&
		    put_reply(answer, KIND_OTHER, from, fault) != 0)
			return -1;
	}
	if (phase->foreign_copy.family != 0)
		return put_reply(answer, KIND_OTHER, &phase->foreign_copy, 0);
	return 0;
}

static int put_answer(const struct answer *answer)
{
	const struct phase *phase = answer->phase;
	const struct address *target = &answer->request->target;
	const struct address *from = phase->from.family != 0 ? &phase->from : target;
	bool correct =
		(phase->faults & ~(unsigned)(FAULT_OPTIONS | FAULT_SHORTENED)) == 0 &&
		address_compare(from, target) == 0;
	enum packet_kind kind = correct ? KIND_REPLY : KIND_OTHER;
	enum packet_kind again = correct ? KIND_DUPLICATE : KIND_OTHER;

	if (phase->unreachable)
		return put_unreachable(answer, from);
	if (put_copies(answer, from) != 0 ||
	    put_reply(answer, kind, from, phase->faults) != 0)
		return -1;
	for (uint64_t i = 0; i < phase->duplicates; i++) {
		if (put_reply(answer, again, from, phase->faults) != 0)
			return -1;
	}
	return 0;
}

static void note_request(struct network_totals *totals, int64_t now_ns)
{
	if (totals->requests == 0)
		totals->first_ns = now_ns;
	totals->last_ns = now_ns;
	totals->requests++;
	totals->backlog++;
	if (totals->backlog > totals->peak_backlog)
		totals->peak_backlog = totals->backlog;
}

int network_receive(struct network *net, const uint8_t *packet, size_t length,
		    int64_t now_ns)
{
	struct request request;

	if (!packet_parse(&request, packet, length))
		return 0;
	size_t index = peers_obtain(&net->peers, &request.target);
	if (index == PEERS_NONE)
		return -1;
	struct peer *peer = peers_at(&net->peers, index);
	peers_note_request(peer, &request);
	note_request(&net->totals, now_ns);

	const struct phase *phase = enter_phase(peer);
	if (phase == NULL || is_lost(net, peer, phase))
		return 0;
	struct answer answer = {net, index, &request, phase,
				now_ns + delay_ns(net, peer, phase)};
	return put_answer(&answer);
}

void network_note_idle(struct network *net)
{
	net->totals.backlog = 0;
}

void network_note_sent(struct network *net, const struct parcel *parcel, int64_t late_ns)
{
	struct network_totals *totals = &net->totals;

	peers_note_sent(peers_at(&net->peers, parcel->peer), parcel->kind, late_ns);
	totals->replies += parcel->kind == KIND_REPLY;
	totals->sent++;
	totals->late_sum_ns += late_ns;
	if (late_ns > totals->late_max_ns)
		totals->late_max_ns = late_ns;
}

void network_note_undelivered(struct network *net)
{
	net->totals.undelivered++;
}

void network_free(struct network *net)
{
	queue_free(&net->queue);
	peers_free(&net->peers);
	plan_free(&net->plan);
}
