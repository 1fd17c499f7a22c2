#include "ping/probe.h"

#include <errno.h>
#include <oping.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "ping/interpose.h"
#include "ping/icmpsocket.h"
#include "base/stop.h"

/* liboping's own timeout, in seconds: beyond reach, as interpose.c holds the deadline. */
#define NEVER_S 1e8

/* So long the kernel keeps requests to a neighbour that does not answer. */
#define NEIGHBOUR_WAIT_NS (3 * CLOCK_NS_PER_S)

/* So many hosts are added between two looks for a stop request. */
#define STOP_CHECK_HOSTS 256

/* What is known of a host between rounds. */
struct host {
	pingobj_iter_t *iter; /* NULL: it could not be added */
	unsigned sequence;    /* as of the start of the round */
};

struct probe {
	pingobj_t *object;
	struct probe_settings settings;
	struct cookie cookie;
	struct idents *idents;
	struct host *hosts;
	size_t count;
	struct ident_table by_ident;
	size_t added;
	struct interpose interpose; /* of the round under way */
	struct icmpsocket_set sockets;
	bool complained, deaf;
	struct probe_report report;
};

/* Hands `value` to liboping; logs its refusal. */
static bool set_option(struct probe *probe, int option, const char *name, void *value)
{
	if (ping_setopt(probe->object, option, value) >= 0)
		return true;
	log_errx("cannot set %s: %s", name, ping_get_error(probe->object));
	return false;
}

static bool set_options(struct probe *probe)
{
	const struct probe_settings *s = &probe->settings;
	char device[IF_NAMESIZE], source[ADDRESS_TEXT_SIZE];
	int ttl = (int)s->ttl, mark = (int)s->mark.value;
	uint8_t qos = (uint8_t)(s->dscp << 2);
	double timeout = NEVER_S;

	memcpy(device, s->device, sizeof(device));
	/* At most one of them is set: liboping serves one family where it has a source.
	 */
	address_format(s->source.v4.family != ADDRESS_NONE ? &s->source.v4
							   : &s->source.v6,
		       source);
	return set_option(probe, PING_OPT_TIMEOUT, "timeout", &timeout) &&
	       (!*source || set_option(probe, PING_OPT_SOURCE, "source", source)) &&
	       (!*device || set_option(probe, PING_OPT_DEVICE, "device", device)) &&
	       (!s->mark.is_set || set_option(probe, PING_OPT_MARK, "mark", &mark)) &&
	       set_option(probe, PING_OPT_TTL, "ttl", &ttl) &&
	       set_option(probe, PING_OPT_QOS, "dscp", &qos);
}

struct probe *probe_new(const struct probe_settings *settings,
			const struct cookie *cookie, struct idents *idents)
{
	struct probe *probe = calloc(1, sizeof(*probe));

	if (!probe || !(probe->object = ping_construct())) {
		log_errx("out of memory");
		free(probe);
		return NULL;
	}
	probe->settings = *settings;
	probe->cookie = *cookie;
	probe->idents = idents;
	if (!set_options(probe)) {
		probe_free(probe);
		return NULL;
	}
	return probe;
}

static uint16_t read_ident(pingobj_iter_t *iter)
{
	uint16_t ident = 0;
	size_t len = sizeof(ident);

	ping_iterator_get_info(iter, PING_INFO_IDENT, &ident, &len);
	return ident;
}

static void complain(struct probe *probe, const char *address, const char *reason)
{
	if (!probe->complained)
		log_warnx("cannot ping %s: %s (further peers like it are not named)",
			  address, reason);
	probe->complained = true;
}

/* Adds one host behind all others. */
static bool add_host(struct probe *probe, const struct probe_host *host)
{
	char payload[OPTIONS_SIZE_MAX + 1], address[ADDRESS_TEXT_SIZE];

	address_format(&host->address, address);
	cookie_payload(&probe->cookie, &host->address, host->payload, payload);
	/* liboping goes on without the payload where it has no memory for it. */
	errno = 0;
	if (ping_setopt(probe->object, PING_OPT_DATA, payload) == 0 && errno != ENOMEM &&
	    ping_host_add(probe->object, address) == 0)
		return true;
	complain(probe, address,
		 errno == ENOMEM ? "out of memory" : ping_get_error(probe->object));
	return false;
}

static void remove_host(struct probe *probe, const struct probe_host *host)
{
	char address[ADDRESS_TEXT_SIZE];

	address_format(&host->address, address);
	ping_host_remove(probe->object, address);
}

/*
 * Goes over the hosts that were added since the last call, `pending` of them at
 * the end of liboping's list and in this order, and binds each whose ident is
 * free. The others remain in `pending`; returns their number.
 */
static size_t bind_hosts(struct probe *probe, const struct probe_host *hosts,
			 size_t *pending, size_t count)
{
	size_t left = 0, next = 0;

	for (pingobj_iter_t *iter = ping_iterator_get(probe->object);
	     iter && next < count; iter = ping_iterator_next(iter)) {
		size_t index;
		uint16_t ident;

		if (ping_iterator_get_context(iter))
			continue;
		index = pending[next++];
		ident = read_ident(iter);
		if (idents_take(probe->idents, hosts[index].address.family, ident)) {
			ident_table_add(&probe->by_ident, hosts[index].address.family,
					ident, (uint32_t)index);
			probe->added++;
			probe->hosts[index].iter = iter;
			ping_iterator_set_context(iter, &probe->hosts[index]);
		} else {
			pending[left++] = index;
		}
	}
	return left;
}

/* Adds what is pending; returns how many are left to be bound. */
static size_t add_pending(struct probe *probe, const struct probe_host *hosts,
			  size_t *pending, size_t count)
{
	size_t added = 0;

	for (size_t i = 0; i < count; i++) {
		/* It takes seconds where there are very many; the rest stays unsent. */
		if (i % STOP_CHECK_HOSTS == STOP_CHECK_HOSTS - 1 && stop_requested())
			break;
		if (add_host(probe, &hosts[pending[i]]))
			pending[added++] = pending[i];
	}
	return added;
}

static bool enough_idents(const struct probe *probe, const struct probe_host *hosts,
			  size_t count)
{
	static const enum address_family families[] = {ADDRESS_IPV4, ADDRESS_IPV6};

	for (size_t f = 0; f < 2; f++) {
		size_t wanted = 0;

		for (size_t i = 0; i < count; i++)
			wanted += hosts[i].address.family == families[f];
		if (wanted > idents_free(probe->idents, families[f])) {
			log_errx(
				"more than %d %s peers: there is one ICMP ident for each",
				IDENTS_MAX, address_family_name(families[f]));
			return false;
		}
	}
	return true;
}

static void want_buffers(struct probe *probe, const struct probe_host *hosts,
			 size_t count)
{
	uint64_t rounds = (uint64_t)(NEIGHBOUR_WAIT_NS / probe->settings.period_ns) + 1;
	size_t payload = 0;

	for (size_t i = 0; i < count; i++)
		if (hosts[i].payload > payload)
			payload = hosts[i].payload;
	probe->sockets.receive_wanted = icmpsocket_buffer_size(2 * count, payload);
	probe->sockets.send_wanted = icmpsocket_buffer_size(4 * count * rounds, payload);
}

int probe_add(struct probe *probe, const struct probe_host *hosts, size_t count)
{
	size_t *pending = calloc(count ? count : 1, sizeof(*pending));
	size_t left = count;

	probe->hosts = calloc(count ? count : 1, sizeof(*probe->hosts));
	if (!pending || !probe->hosts || ident_table_init(&probe->by_ident, count) < 0) {
		log_errx("out of memory");
		free(pending);
		return -1;
	}
	if (!enough_idents(probe, hosts, count)) {
		free(pending);
		return -1;
	}
	probe->count = count;
	for (size_t i = 0; i < count; i++)
		pending[i] = i;
	want_buffers(probe, hosts, count);
	/* Idents are random: whoever has got one that is taken draws again. */
	while (left > 0) {
		left = add_pending(probe, hosts, pending, left);
		left = bind_hosts(probe, hosts, pending, left);
		for (size_t i = 0; i < left; i++)
			remove_host(probe, &hosts[pending[i]]);
	}
	free(pending);
	ident_table_sort(&probe->by_ident);
	return 0;
}

/* Before the first request of a round, for each of liboping's sockets. */
static void ready_socket(int fd, void *arg)
{
	struct probe *probe = arg;

	probe->interpose.pending_max +=
		icmpsocket_prepare(&probe->sockets, fd, &probe->cookie);
}

static bool may_send(const struct sockaddr *to, void *arg)
{
	return icmpsocket_may_send(&((const struct probe *)arg)->sockets, to);
}

static void note_sent(void *arg)
{
	const struct probe *probe = arg;

	icmpsocket_end_sending(&probe->sockets);
	probe->settings.on_sent(probe->settings.arg);
}

static unsigned read_sequence(pingobj_iter_t *iter)
{
	unsigned sequence = 0;
	size_t len = sizeof(sequence);

	ping_iterator_get_info(iter, PING_INFO_SEQUENCE, &sequence, &len);
	return sequence;
}

static struct sample read_sample(const struct probe *probe, const struct host *host)
{
	struct sample sample = {.outcome = SAMPLE_LOST, .hop_limit = -1};
	double latency_ms = -1;
	size_t len = sizeof(latency_ms);

	if (read_sequence(host->iter) == host->sequence) {
		sample.outcome = SAMPLE_UNSENT;
		return sample;
	}
	if (ping_iterator_get_info(host->iter, PING_INFO_LATENCY, &latency_ms, &len) !=
		    0 ||
	    !(latency_ms >= 0) ||
	    !(latency_ms * 1e6 <= (double)probe->settings.timeout_ns))
		return sample;
	sample.outcome = SAMPLE_REPLY;
	sample.rtt_ns = (int64_t)(latency_ms * 1e6 + 0.5);
	len = sizeof(sample.hop_limit);
	if (ping_iterator_get_info(host->iter, PING_INFO_RECV_TTL, &sample.hop_limit,
				   &len))
		sample.hop_limit = -1;
	return sample;
}

static void read_samples(const struct probe *probe, struct sample *samples)
{
	for (size_t i = 0; i < probe->count; i++) {
		samples[i] = (struct sample){.outcome = SAMPLE_UNSENT, .hop_limit = -1};
		if (probe->hosts[i].iter)
			samples[i] = read_sample(probe, &probe->hosts[i]);
	}
}

static bool any_sent(const struct probe *probe)
{
	for (size_t i = 0; i < probe->count; i++) {
		const struct host *host = &probe->hosts[i];

		if (host->iter && read_sequence(host->iter) != host->sequence)
			return true;
	}
	return false;
}

static void note_failures(struct probe *probe, const struct interpose *interpose)
{
	if (probe->report.failed == 0)
		probe->report.first_errno = interpose->first_errno;
	probe->report.failed += interpose->failed;
	probe->report.starved |= interpose->starved;
}

/* Whether what is missing may wait unread. Says so once. */
static bool is_deaf(struct probe *probe, const struct interpose *interpose)
{
	if (interpose->receive_errno == 0)
		return false;
	if (!probe->deaf)
		log_warnx("cannot receive replies: %s",
			  strerror(interpose->receive_errno));
	probe->deaf = true;
	return true;
}

static enum round_result judge(struct probe *probe, const struct interpose *interpose,
			       int64_t offset_change_ns)
{
	uint64_t drops = icmpsocket_count_drops(&probe->sockets);

	if (probe->sockets.failed)
		return ROUND_BROKEN;
	if (!interpose->was_called && any_sent(probe)) {
		log_errx(
			"liboping did not wait in select(), which this program relies on");
		return ROUND_BROKEN;
	}
	if (!interpose->was_called)
		complain(probe, "any peer of an object", ping_get_error(probe->object));
	if (interpose->interrupted || interpose->stalled || is_deaf(probe, interpose))
		return ROUND_INTERRUPTED;
	if (offset_change_ns > ROUND_CLOCK_TOLERANCE_NS ||
	    offset_change_ns < -ROUND_CLOCK_TOLERANCE_NS)
		return ROUND_CLOCK_STEP;
	return drops ? ROUND_RECEIVE_DROPS : ROUND_MEASURED;
}

/*
 * Whether a packet is the answer to a request of this round: liboping would also
 * take the one to a request of the round before, as long as this round's has not
 * been sent. And an answer brings back what it was sent.
 */
static bool accept_reply(int fd, const void *packet, size_t len, void *arg)
{
	struct probe *probe = arg;
	enum address_family family = icmpsocket_find_family(&probe->sockets, fd);
	char payload[OPTIONS_SIZE_MAX + 1];
	size_t payload_len = sizeof(payload);
	const unsigned char *reply;
	uint32_t index;
	const struct host *host;

	reply = cookie_find_reply(family, packet, &len);
	if (!reply)
		return false;
	if (!ident_table_find(&probe->by_ident, family,
			      (uint16_t)(reply[4] << 8 | reply[5]), &index))
		return false;
	host = &probe->hosts[index];
	return read_sequence(host->iter) != host->sequence &&
	       (reply[6] << 8 | reply[7]) == (int)(host->sequence & 0xffff) &&
	       ping_iterator_get_info(host->iter, PING_INFO_DATA, payload,
				      &payload_len) == 0 &&
	       payload_len == len - COOKIE_ICMP_HEADER &&
	       memcmp(payload, reply + COOKIE_ICMP_HEADER, payload_len) == 0;
}

/* Sends and waits. */
static void ping(struct probe *probe)
{
	probe->interpose = (struct interpose){.timeout_ns = probe->settings.timeout_ns,
					      .spacing_ns = probe->settings.spacing_ns,
					      .pending_max = 2 * probe->count,
					      .stop_fd = stop_fd(),
					      .on_socket = ready_socket,
					      .may_send = may_send,
					      .on_sent = note_sent,
					      .accept = accept_reply,
					      .arg = probe};
	interpose_begin(&probe->interpose);
	/* Its result says nothing that the hosts do not say better. */
	ping_send(probe->object);
	interpose_end();
	note_failures(probe, &probe->interpose);
}

enum round_result probe_round(struct probe *probe, struct sample *samples)
{
	enum round_result result = ROUND_MEASURED;
	int64_t offset_ns;

	for (size_t i = 0; i < probe->count; i++)
		if (probe->hosts[i].iter)
			probe->hosts[i].sequence = read_sequence(probe->hosts[i].iter);
	if (probe->added > 0) {
		offset_ns = clock_wall_offset_ns();
		ping(probe);
		result = judge(probe, &probe->interpose,
			       clock_wall_offset_ns() - offset_ns);
	}
	probe->settings.on_sent(probe->settings.arg);
	read_samples(probe, samples);
	return result;
}

void probe_report(const struct probe *probe, struct probe_report *report)
{
	*report = probe->report;
	report->receive_drops = probe->sockets.drops;
	report->receive_wanted = probe->sockets.receive_wanted;
	report->send_wanted = probe->sockets.send_wanted;
}

void probe_free(struct probe *probe)
{
	if (!probe)
		return;
	ping_destroy(probe->object);
	ident_table_free(&probe->by_ident);
	free(probe->hosts);
	free(probe);
}
