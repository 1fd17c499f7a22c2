#include "ping/probe.h"

#include <errno.h>
#include <oping.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "ping/icmpsocket.h"
#include "ping/interpose.h"
#include "base/stop.h"

/*
 * liboping's own timeout in a rehearsal, and the time after which it is taken out of it by
 * force, in seconds.
 */
#define REHEARSAL_S 0.1
#define REHEARSAL_MAX_S 1

/*
 * liboping's own timeout, in seconds. It counts from before the first request and on the
 * wall clock, so it is set beyond reach; interpose.c ends the round.
 */
#define NEVER_S 1e8

/* How long the kernel keeps requests to a neighbour that does not answer ARP or ND. */
#define NEIGHBOUR_WAIT_NS (3 * CLOCK_NS_PER_S)

/* Hosts that are added between two looks for a stop request. */
#define STOP_CHECK_HOSTS 256

struct host {
	pingobj_iter_t *iter; /* NULL: it could not be added */
	unsigned sequence;    /* liboping's at the start of the round */
};

struct probe {
	pingobj_t *object;
	struct probe_settings settings;
	struct cookie cookie;
	struct idents *idents;
	struct host *hosts;
	size_t count, added; /* hosts; those among them that liboping has */
	struct ident_table by_ident;
	struct icmpsocket_set sockets;
	bool warned, warned_of_receive;
	struct probe_report report;
	/* Of the current round. */
	struct interpose interpose;
	void (*on_sent)(void *arg);
	void *on_sent_arg;
};

static bool set_option(struct probe *probe, int option, const char *name, void *value)
{
	if (ping_setopt(probe->object, option, value) >= 0)
		return true;
	log_errx("cannot set %s: %s", name, ping_get_error(probe->object));
	return false;
}

/*
 * PING_OPT_AF is left alone: with it liboping resolves with AI_ADDRCONFIG, which rejects
 * loopback addresses on a host that has no others.
 */
static bool set_options(struct probe *probe)
{
	const struct probe_settings *s = &probe->settings;
	char device[IF_NAMESIZE], source[ADDRESS_TEXT_SIZE];
	int ttl = (int)s->ttl, mark = (int)s->mark.value;
	uint8_t qos = (uint8_t)(s->dscp << 2);
	double timeout = NEVER_S;

	memcpy(device, s->device, sizeof(device));
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

/* liboping's last error. Some builds of it say no more than "Error 97 (0x61)". */
static const char *read_error(const struct probe *probe)
{
	const char *text = ping_get_error(probe->object);

	if (strncmp(text, "Error ", 6) != 0)
		return text;
	return strerror((int)strtol(text + 6, NULL, 10));
}

/* Adds one host to the end of liboping's list. */
static bool add_host(struct probe *probe, const struct probe_host *host)
{
	char payload[OPTIONS_SIZE_MAX + 1], address[ADDRESS_TEXT_SIZE];

	address_format(&host->address, address);
	cookie_write_payload(&probe->cookie, &host->address, host->payload, payload);
	/* Without memory for the payload liboping returns 0 and would send its own. */
	errno = 0;
	if (ping_setopt(probe->object, PING_OPT_DATA, payload) == 0 && errno != ENOMEM &&
	    ping_host_add(probe->object, address) == 0)
		return true;
	if (!probe->warned)
		log_warnx("cannot ping %s: %s (only the first such peer is named)",
			  address, errno == ENOMEM ? "out of memory" : read_error(probe));
	probe->warned = true;
	return false;
}

static void remove_host(struct probe *probe, const struct probe_host *host)
{
	char address[ADDRESS_TEXT_SIZE];

	address_format(&host->address, address);
	ping_host_remove(probe->object, address);
}

static uint16_t read_ident(pingobj_iter_t *iter)
{
	uint16_t ident = 0;
	size_t len = sizeof(ident);

	ping_iterator_get_info(iter, PING_INFO_IDENT, &ident, &len);
	return ident;
}

/*
 * Binds hosts to liboping's list entries. The `count` hosts in `pending` were added since
 * the last call; their entries are at the end of the list, in this order, and have no
 * context yet. A host whose ident is in use stays in `pending`; returns how many do.
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
		if (idents_reserve(probe->idents, hosts[index].address.family, ident)) {
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
		/* Adding is quadratic, seconds for very many; the rest stays unsent. */
		if (i % STOP_CHECK_HOSTS == 0 && stop_requested())
			break;
		if (add_host(probe, &hosts[pending[i]]))
			pending[added++] = pending[i];
	}
	return added;
}

/*
 * The buffers hold a request and a reply for each host twice over, and requests of all the
 * rounds that fit into the time for which unresponsive neighbours keep them.
 */
static void set_buffers_wanted(struct probe *probe, const struct probe_host *hosts,
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

static bool has_idents_for(const struct probe *probe, const struct probe_host *hosts,
			   size_t count, enum address_family family)
{
	size_t wanted = 0;

	for (size_t i = 0; i < count; i++)
		wanted += hosts[i].address.family == family;
	if (wanted <= idents_count_free(probe->idents, family))
		return true;
	log_errx("too many %s peers (at most %d): each needs an ICMP ident of its own",
		 address_family_name(family), IDENTS_MAX);
	return false;
}

int probe_add_hosts(struct probe *probe, const struct probe_host *hosts, size_t count)
{
	size_t *pending = calloc(count ? count : 1, sizeof(*pending));
	size_t left = count;
	int result = -1;

	probe->hosts = calloc(count ? count : 1, sizeof(*probe->hosts));
	if (!pending || !probe->hosts || ident_table_init(&probe->by_ident, count) < 0) {
		log_errx("out of memory");
		goto out;
	}
	if (!has_idents_for(probe, hosts, count, ADDRESS_IPV4) ||
	    !has_idents_for(probe, hosts, count, ADDRESS_IPV6))
		goto out;
	probe->count = count;
	for (size_t i = 0; i < count; i++)
		pending[i] = i;
	set_buffers_wanted(probe, hosts, count);
	/* Idents are random. A host whose ident is in use is removed and added again. */
	while (left > 0) {
		left = add_pending(probe, hosts, pending, left);
		left = bind_hosts(probe, hosts, pending, left);
		for (size_t i = 0; i < left; i++)
			remove_host(probe, &hosts[pending[i]]);
	}
	ident_table_sort(&probe->by_ident);
	result = 0;
out:
	free(pending);
	return result;
}

/*
 * The number of requests that left: only this tells unsent from lost, as
 * PING_INFO_DROPPED is wrong in several ways.
 */
static unsigned read_sequence(const struct host *host)
{
	unsigned sequence = 0;
	size_t len = sizeof(sequence);

	ping_iterator_get_info(host->iter, PING_INFO_SEQUENCE, &sequence, &len);
	return sequence;
}

static bool was_sent(const struct host *host)
{
	return host->iter && read_sequence(host) != host->sequence;
}

static struct sample read_sample(const struct probe *probe, const struct host *host)
{
	struct sample sample = {.outcome = SAMPLE_UNSENT, .hop_limit = -1};
	double latency_ms = -1;
	size_t len = sizeof(latency_ms);

	if (!was_sent(host))
		return sample;
	sample.outcome = SAMPLE_LOST;
	/* No latency is a negative one or NaN. */
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

/* Callbacks of interpose.h: before the first request of a round, for each socket. */
static void prepare_socket(int fd, void *arg)
{
	struct probe *probe = arg;

	probe->interpose.pending_max +=
		icmpsocket_prepare(&probe->sockets, fd, &probe->cookie);
}

/* Before each request. */
static bool may_send(const struct sockaddr *to, void *arg)
{
	const struct probe *probe = arg;

	return icmpsocket_may_send(&probe->sockets, to);
}

/* After the last request. */
static void end_sending(void *arg)
{
	const struct probe *probe = arg;

	probe->on_sent(probe->on_sent_arg);
}

/*
 * For each packet: whether it answers a request of this round. Until a host's request is
 * sent, liboping would also accept the reply to its previous request. A reply must return
 * the payload that was sent. Some hosts return its beginning only, whatever was sent; that
 * must include the cookie and the address.
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

	reply = cookie_find_icmp(family, packet, &len);
	if (!reply || len < COOKIE_ICMP_HEADER + cookie_size(family))
		return false;
	len -= COOKIE_ICMP_HEADER;
	/* Ident and sequence number of an ICMP echo: RFC 792, RFC 4443. */
	if (!ident_table_find(&probe->by_ident, family,
			      (uint16_t)(reply[4] << 8 | reply[5]), &index))
		return false;
	host = &probe->hosts[index];
	return was_sent(host) &&
	       (reply[6] << 8 | reply[7]) == (int)(host->sequence & 0xffff) &&
	       ping_iterator_get_info(host->iter, PING_INFO_DATA, payload,
				      &payload_len) == 0 &&
	       payload_len >= len &&
	       memcmp(payload, reply + COOKIE_ICMP_HEADER, len) == 0;
}

static void send_and_wait(struct probe *probe)
{
	struct interpose *interpose = &probe->interpose;

	*interpose = (struct interpose){.timeout_ns = probe->settings.timeout_ns,
					.spacing_ns = probe->settings.spacing_ns,
					.pending_max = 2 * probe->count,
					.stop_fd = stop_fd(),
					.on_socket = prepare_socket,
					.may_send = may_send,
					.on_sent = end_sending,
					.accept = accept_reply,
					.arg = probe};
	interpose_begin(interpose);
	/*
	 * A negative result is minus the number of requests that failed, and says nothing
	 * about the others. The hosts are read instead.
	 */
	ping_send(probe->object);
	interpose_end();
	if (probe->report.failed == 0)
		probe->report.first_errno = interpose->first_errno;
	probe->report.failed += interpose->failed;
	probe->report.starved |= interpose->starved;
}

/*
 * liboping may fail before it waits for anything, as where it gets no socket. Then all hosts
 * are unsent. Logged once.
 */
static void report_send_failure(struct probe *probe)
{
	if (probe->interpose.was_called || probe->warned)
		return;
	log_warnx("cannot ping %zu peers: %s", probe->added, read_error(probe));
	probe->warned = true;
}

/* Whether replies may be left in a socket that could not be read. Logged once. */
static bool failed_to_receive(struct probe *probe)
{
	int error = probe->interpose.receive_errno;

	if (error && !probe->warned_of_receive)
		log_warnx("cannot receive replies: %s", strerror(error));
	probe->warned_of_receive |= error != 0;
	return error != 0;
}

static enum round_result classify_round(struct probe *probe, int64_t offset_change_ns)
{
	const struct interpose *interpose = &probe->interpose;
	uint64_t drops = icmpsocket_count_drops(&probe->sockets);

	report_send_failure(probe);
	if (probe->sockets.failed)
		return ROUND_BROKEN;
	if (interpose->interrupted || interpose->stalled || failed_to_receive(probe))
		return ROUND_INTERRUPTED;
	if (offset_change_ns > ROUND_CLOCK_TOLERANCE_NS ||
	    offset_change_ns < -ROUND_CLOCK_TOLERANCE_NS)
		return ROUND_CLOCK_STEP;
	return drops ? ROUND_RECEIVE_DROPS : ROUND_MEASURED;
}

enum round_result probe_run_round(struct probe *probe, struct sample *samples,
				  void (*on_sent)(void *arg), void *arg)
{
	enum round_result result = ROUND_MEASURED;

	probe->on_sent = on_sent;
	probe->on_sent_arg = arg;
	for (size_t i = 0; i < probe->count; i++)
		if (probe->hosts[i].iter)
			probe->hosts[i].sequence = read_sequence(&probe->hosts[i]);
	/* ping_send() of an object without hosts is an error. */
	if (probe->added > 0) {
		int64_t offset_ns = clock_wall_offset_ns();

		send_and_wait(probe);
		result = classify_round(probe, clock_wall_offset_ns() - offset_ns);
	}
	on_sent(arg);
	for (size_t i = 0; i < probe->count; i++)
		samples[i] = read_sample(probe, &probe->hosts[i]);
	return result;
}

static sigjmp_buf out_of_rehearsal;

static void leave_rehearsal(int signal)
{
	siglongjmp(out_of_rehearsal, signal);
}

/*
 * A liboping that waits in another function may hear neither its own timeout nor SIGTERM,
 * which is blocked. Whatever the jump leaves behind, the run ends.
 */
static void send_within_a_second(pingobj_t *object)
{
	if (sigsetjmp(out_of_rehearsal, true) == 0 &&
	    signal(SIGALRM, leave_rehearsal) != SIG_ERR) {
		alarm(REHEARSAL_MAX_S);
		ping_send(object);
	}
	alarm(0);
}

static bool rehearse(pingobj_t *object)
{
	struct interpose interpose = {.is_rehearsal = true};

	interpose_begin(&interpose);
	send_within_a_second(object);
	interpose_end();
	if (interpose.has_received)
		return true;
	log_errx("liboping does not call %s, which this program replaces",
		 !interpose.was_called ? "select()"
		 : !interpose.has_sent ? "sendto()"
				       : "recvmsg()");
	return false;
}

bool probe_verify_library(void)
{
	double timeout = REHEARSAL_S;
	pingobj_t *object = ping_construct();
	/* Where no host can be added, nothing is measured, and the reason is logged then. */
	bool works = !object || ping_setopt(object, PING_OPT_TIMEOUT, &timeout) < 0 ||
		     (ping_host_add(object, "127.0.0.1") < 0 &&
		      ping_host_add(object, "::1") < 0) ||
		     rehearse(object);

	if (object)
		ping_destroy(object);
	return works;
}

struct probe_report probe_get_report(const struct probe *probe)
{
	struct probe_report report = probe->report;

	report.receive_drops = probe->sockets.drops;
	report.receive_wanted = probe->sockets.receive_short;
	report.send_wanted = probe->sockets.send_short;
	return report;
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
