#include "ping/probe.h"

#include <errno.h>
#include <net/if.h>
#include <oping.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>

#include "base/clock.h"
#include "base/log.h"
#include "peers/route.h"
#include "ping/hostinfo.h"
#include "ping/icmperror.h"
#include "ping/icmpsocket.h"
#include "ping/interpose.h"
#include "base/stop.h"

/*
 * liboping's own timeout in a rehearsal, in seconds, and the ticks of the timer after which
 * it is taken out of it by force.
 */
#define REHEARSAL_S 0.1
#define REHEARSAL_TICKS_MAX 10
#define REHEARSAL_TICK_US 100000

/*
 * liboping's own timeout, in seconds. It counts from before the first request and on the
 * wall clock, so it is set beyond reach; interpose.c ends the round.
 */
#define NEVER_S 1e8

/* How long the kernel keeps requests to a neighbour that does not answer ARP or ND. */
#define NEIGHBOUR_WAIT_NS (3 * CLOCK_NS_PER_S)

/* The name by which liboping knows a host: four digits of its ident, '/' and its address. */
#define IDENT_SIZE 6
#define HOST_NAME_SIZE (IDENT_SIZE + ADDRESS_TEXT_SIZE)

struct host {
	pingobj_iter_t *iter; /* NULL: liboping does not have it */
	int add_error;	      /* the errno of adding it, if that failed */
	unsigned sequence;    /* liboping's at the start of the round */
	/* In this round. */
	bool has_failure;
	uint8_t irregular[IRREGULAR_KINDS];
};

struct probe {
	pingobj_t *object;
	struct probe_settings settings;
	struct cookie cookie;
	struct host *hosts;
	size_t count, added; /* hosts; those among them that liboping has */
	enum address_family family;
	uint16_t first_ident; /* that of hosts[0]; those of the others follow */
	const char *first_name;
	struct icmpsocket_set sockets;
	bool is_unfit; /* liboping does not behave as this module needs */
	bool warned_of_receive;
	struct probe_report report;
	/* Of the current round; room for each host once there was a failure. */
	struct probe_failure *failures;
	size_t failure_count;
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
 * Numeric, but liboping asks getaddrinfo() for it all the same; see hostinfo.h. A batch with
 * a source has one family.
 */
static bool set_source(struct probe *probe)
{
	const struct source *source = &probe->settings.source;
	const struct address *address =
		source->v4.family != ADDRESS_NONE ? &source->v4 : &source->v6;
	char text[ADDRESS_TEXT_SIZE];
	bool is_set;

	if (address->family == ADDRESS_NONE)
		return true;
	address_format(address, text);
	hostinfo_begin(address, 0);
	is_set = set_option(probe, PING_OPT_SOURCE, "source", text);
	(void)hostinfo_end();
	return is_set;
}

static bool set_options(struct probe *probe)
{
	const struct probe_settings *s = &probe->settings;
	char device[IF_NAMESIZE];
	int ttl = (int)s->ttl, mark = (int)s->mark.value;
	uint8_t qos = (uint8_t)(s->dscp << 2);
	double timeout = NEVER_S;

	memcpy(device, s->device, sizeof(device));
	return set_option(probe, PING_OPT_TIMEOUT, "timeout", &timeout) &&
	       set_source(probe) &&
	       (!*device || set_option(probe, PING_OPT_DEVICE, "device", device)) &&
	       (!s->mark.is_set || set_option(probe, PING_OPT_MARK, "mark", &mark)) &&
	       set_option(probe, PING_OPT_TTL, "ttl", &ttl) &&
	       set_option(probe, PING_OPT_QOS, "dscp", &qos);
}

struct probe *probe_new(const struct probe_settings *settings,
			const struct cookie *cookie)
{
	struct probe *probe = calloc(1, sizeof(*probe));

	if (!probe || !(probe->object = ping_construct())) {
		log_errx("out of memory");
		free(probe);
		return NULL;
	}
	probe->settings = *settings;
	probe->cookie = *cookie;
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

/*
 * What a name begins with. The last digit comes first: see format_name(). Not by snprintf():
 * see text_copy().
 */
static size_t format_ident(uint16_t ident, char text[static IDENT_SIZE])
{
	size_t len = 0;

	for (; len < 4; ident >>= 4U)
		text[len++] = "0123456789abcdef"[ident & 15U];
	text[len++] = '/';
	text[len] = '\0';
	return len;
}

/*
 * Never a numeric address by itself, so that liboping cannot resolve it without
 * hostinfo.h. liboping compares a new name with all others, so names differ in the first
 * characters already.
 */
static void format_name(const struct probe_host *host, uint16_t ident,
			char name[static HOST_NAME_SIZE])
{
	address_format(&host->address, name + format_ident(ident, name));
}

/* For one message about all hosts that liboping does not accept. */
static void count_refused(struct probe *probe, const char *name, size_t count,
			  const char *reason)
{
	struct probe_report *report = &probe->report;

	if (report->refused == 0) {
		report->refused_name = name;
		snprintf(report->refused_reason, sizeof(report->refused_reason), "%s",
			 reason);
	}
	report->refused += count;
}

/*
 * A host for which liboping gets no socket stays in its list all the same. It would make
 * every round fail, so it is removed. Returns 0, or an errno.
 */
static int add_host(struct probe *probe, const struct probe_host *host, uint16_t ident)
{
	char payload[OPTIONS_SIZE_MAX + 1], name[HOST_NAME_SIZE];
	bool is_added;
	int error;

	format_name(host, ident, name);
	cookie_write_payload(&probe->cookie, &host->address, host->payload, payload);
	hostinfo_begin(&host->address, ident);
	/* Without memory for the payload liboping returns 0 and would send its own. */
	errno = 0;
	is_added = ping_setopt(probe->object, PING_OPT_DATA, payload) == 0 &&
		   errno != ENOMEM && ping_host_add(probe->object, name) == 0;
	probe->is_unfit |= !hostinfo_end() && is_added;
	if (is_added)
		return 0;
	error = errno ? errno : EIO;
	count_refused(probe, host->name, 1,
		      error == ENOMEM ? "out of memory" : read_error(probe));
	ping_host_remove(probe->object, name);
	return error;
}

static uint16_t read_ident(pingobj_iter_t *iter)
{
	uint16_t ident = 0;
	size_t len = sizeof(ident);

	ping_iterator_get_info(iter, PING_INFO_IDENT, &ident, &len);
	return ident;
}

/* The index of the host with this ident; `count` if no host has it. */
static size_t find_host(const struct probe *probe, uint16_t ident)
{
	size_t index = (uint16_t)(ident - probe->first_ident);

	return index < probe->count ? index : probe->count;
}

/*
 * Binds liboping's entries to the hosts by ident, not by their order. hostinfo.h gave ident
 * and address of a host together, and its name proves that the ident is of this entry. The
 * address is not compared: an interface that goes away now changes its text.
 */
static void bind_hosts(struct probe *probe)
{
	for (pingobj_iter_t *iter = ping_iterator_get(probe->object); iter;
	     iter = ping_iterator_next(iter)) {
		char begin[IDENT_SIZE], listed[HOST_NAME_SIZE + 1] = "";
		uint16_t ident = read_ident(iter);
		size_t index = find_host(probe, ident), len = sizeof(listed);
		size_t begin_len = format_ident(ident, begin);

		ping_iterator_get_info(iter, PING_INFO_USERNAME, listed, &len);
		if (index == probe->count || strncmp(listed, begin, begin_len) != 0) {
			probe->is_unfit = true;
			return;
		}
		probe->hosts[index].iter = iter;
		probe->added++;
	}
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

int probe_add_hosts(struct probe *probe, const struct probe_host *hosts, size_t count,
		    uint16_t first_ident)
{
	probe->hosts = calloc(count, sizeof(*probe->hosts));
	if (!probe->hosts) {
		log_errx("out of memory");
		return -1;
	}
	probe->count = count;
	probe->family = hosts[0].address.family;
	probe->first_ident = first_ident;
	probe->first_name = hosts[0].name;
	set_buffers_wanted(probe, hosts, count);
	for (size_t i = 0; i < count; i++)
		probe->hosts[i].add_error =
			add_host(probe, &hosts[i], (uint16_t)(first_ident + i));
	bind_hosts(probe);
	if (!probe->is_unfit)
		return 0;
	log_errx(
		"liboping does not ask getaddrinfo() and random() about a host, which this program relies on");
	return -1;
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

/* As many of one kind as a byte holds, for one host in one round. */
static void add_irregular(struct host *host, enum irregular_kind kind)
{
	if (host->irregular[kind] < UINT8_MAX)
		host->irregular[kind]++;
}

/* Negative, or NaN, without a reply in this round. */
static double read_latency_ms(const struct host *host)
{
	double latency_ms = -1;
	size_t len = sizeof(latency_ms);

	return ping_iterator_get_info(host->iter, PING_INFO_LATENCY, &latency_ms, &len) ==
			       0
		       ? latency_ms
		       : -1;
}

static struct sample read_sample(const struct probe *probe, struct host *host)
{
	struct sample sample = {.outcome = SAMPLE_UNSENT, .hop_limit = -1};
	size_t len = sizeof(sample.hop_limit);
	double latency_ms;

	if (!was_sent(host))
		return sample;
	sample.outcome = SAMPLE_LOST;
	latency_ms = read_latency_ms(host);
	if (!(latency_ms >= 0))
		return sample;
	if (!(latency_ms * 1e6 <= (double)probe->settings.timeout_ns)) {
		add_irregular(host, IRREGULAR_LATE);
		return sample;
	}
	sample.outcome = SAMPLE_REPLY;
	sample.rtt_ns = (int64_t)(latency_ms * 1e6 + 0.5);
	if (ping_iterator_get_info(host->iter, PING_INFO_RECV_TTL, &sample.hop_limit,
				   &len))
		sample.hop_limit = -1;
	return sample;
}

/* Callbacks of interpose.h: before the first request of a round, for each socket. */
static bool prepare_socket(int fd, void *arg)
{
	struct probe *probe = arg;
	size_t capacity = icmpsocket_prepare(&probe->sockets, fd, &probe->cookie);

	probe->interpose.pending_max += capacity;
	return capacity > 0;
}

/* Before each request. */
static bool may_send(const struct sockaddr *to, void *arg)
{
	const struct probe *probe = arg;

	return icmpsocket_may_send(&probe->sockets, to);
}

/* What somebody says later about the same request is ignored. */
static void add_failure(struct probe *probe, size_t host, enum failure_reason reason,
			const struct address *from)
{
	if (!probe->failures)
		probe->failures = calloc(probe->count, sizeof(*probe->failures));
	/* Without memory the reason stays unknown; the loss is counted all the same. */
	if (!probe->failures || probe->hosts[host].has_failure)
		return;
	probe->hosts[host].has_failure = true;
	probe->failures[probe->failure_count++] =
		(struct probe_failure){host, reason, *from};
}

/* This host's kernel refused. */
static void add_local_failure(struct probe *probe, size_t host,
			      enum failure_reason reason)
{
	const struct address none = {.family = ADDRESS_NONE};

	add_failure(probe, host, reason, &none);
}

/* Through an interface that is down there is no route either. */
static bool is_device_down(const struct probe *probe, int fd)
{
	struct ifreq request = {.ifr_flags = 0};

	memcpy(request.ifr_name, probe->settings.device, sizeof(request.ifr_name));
	return *request.ifr_name && ioctl(fd, SIOCGIFFLAGS, &request) == 0 &&
	       !(request.ifr_flags & IFF_UP);
}

static bool has_route(const struct probe *probe, const struct sockaddr *to)
{
	const struct probe_settings *s = &probe->settings;
	struct address address;

	return address_from_sockaddr(to, &address) &&
	       route_find(&address, &s->source, s->device, s->mark, NULL) == 0;
}

/* For each request that the kernel refused. */
static void add_refused_request(int fd, const void *packet, const struct sockaddr *to,
				int error, void *arg)
{
	const unsigned char *request = packet;
	struct probe *probe = arg;
	size_t host = find_host(probe, (uint16_t)(request[4] << 8 | request[5]));
	enum failure_reason reason = failure_of_errno(error, probe->family);

	/* A blackhole route, and with IPv6 also a full neighbour table. */
	if (error == EINVAL && !has_route(probe, to))
		reason = FAILURE_NO_ROUTE;
	if (reason == FAILURE_NO_ROUTE && is_device_down(probe, fd))
		reason = FAILURE_DEVICE;
	if (host < probe->count)
		add_local_failure(probe, host, reason);
}

static struct address read_address(const struct host *host)
{
	struct address address = {.family = ADDRESS_NONE};
	char text[ADDRESS_TEXT_SIZE];
	size_t len = sizeof(text);

	if (ping_iterator_get_info(host->iter, PING_INFO_ADDRESS, text, &len) == 0)
		(void)address_parse(text, &address);
	return address;
}

/*
 * An error about a request of an earlier round, or of somebody else, says nothing about
 * this one.
 */
static void add_icmp_error(struct probe *probe, const struct icmperror *error)
{
	size_t index = find_host(probe, error->ident);
	const struct host *host = &probe->hosts[index];
	struct address address;

	if (!error->is_of_request || !error->has_request || index == probe->count ||
	    !was_sent(host))
		return;
	address = read_address(host);
	/* liboping writes link-local addresses without their interface. */
	address.scope = error->to.scope;
	if (icmperror_matches(error, &probe->cookie, &address, error->ident,
			      (uint16_t)host->sequence))
		add_failure(probe, index, error->reason, &error->from);
}

/* For each socket with ICMP errors. Bounded, as they may arrive as fast as they are read. */
static size_t take_errors(int fd, void *arg)
{
	struct probe *probe = arg;
	struct icmperror error;
	size_t count = 0;

	while (count < ICMPSOCKET_ERRORS_MAX &&
	       icmperror_read(fd, probe->family, &error)) {
		add_icmp_error(probe, &error);
		count++;
	}
	return count;
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
	struct host *host;
	size_t index;

	reply = cookie_find_icmp(family, packet, &len);
	if (!reply || len < COOKIE_ICMP_HEADER + cookie_size(family))
		return false;
	len -= COOKIE_ICMP_HEADER;
	/* Ident and sequence number of an ICMP echo: RFC 792, RFC 4443. */
	index = find_host(probe, (uint16_t)(reply[4] << 8 | reply[5]));
	if (index == probe->count || !probe->hosts[index].iter)
		return false;
	host = &probe->hosts[index];
	if (!was_sent(host) ||
	    (reply[6] << 8 | reply[7]) != (int)(host->sequence & 0xffff)) {
		add_irregular(host, IRREGULAR_LATE);
		return false;
	}
	if (ping_iterator_get_info(host->iter, PING_INFO_DATA, payload, &payload_len) !=
		    0 ||
	    payload_len < len || memcmp(payload, reply + COOKIE_ICMP_HEADER, len) != 0 ||
	    (family == ADDRESS_IPV4 &&
	     cookie_checksum(reply, COOKIE_ICMP_HEADER + len) != 0)) {
		add_irregular(host, IRREGULAR_CORRUPT);
		return false;
	}
	if (read_latency_ms(host) >= 0) {
		add_irregular(host, IRREGULAR_DUPLICATE);
		return false;
	}
	if (len < payload_len)
		add_irregular(host, IRREGULAR_SHORTENED);
	return true;
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
					.on_failure = add_refused_request,
					.take_errors = take_errors,
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
 * liboping fails before it sends anything where it gets no socket, or one that cannot be
 * prepared. Then all hosts are unsent, and nothing else is wrong. Logged once.
 */
static void report_send_failure(struct probe *probe)
{
	char reason[sizeof(probe->report.refused_reason)];

	if (probe->interpose.was_called || probe->report.refused > 0)
		return;
	snprintf(reason, sizeof(reason), "cannot prepare a raw socket: %s",
		 read_error(probe));
	count_refused(probe, probe->first_name, probe->added, reason);
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
	if (interpose->interrupted || interpose->stalled || failed_to_receive(probe))
		return ROUND_INTERRUPTED;
	if (offset_change_ns > ROUND_CLOCK_TOLERANCE_NS ||
	    offset_change_ns < -ROUND_CLOCK_TOLERANCE_NS)
		return ROUND_CLOCK_STEP;
	return drops ? ROUND_RECEIVE_DROPS : ROUND_MEASURED;
}

static void begin_hosts(struct probe *probe)
{
	probe->failure_count = 0;
	for (size_t i = 0; i < probe->count; i++) {
		struct host *host = &probe->hosts[i];

		host->has_failure = false;
		memset(host->irregular, 0, sizeof(host->irregular));
		if (host->iter)
			host->sequence = read_sequence(host);
		else if (host->add_error)
			add_local_failure(
				probe, i,
				failure_of_errno(host->add_error, probe->family));
	}
}

enum round_result probe_run_round(struct probe *probe, struct sample *samples,
				  void (*on_sent)(void *arg), void *arg)
{
	enum round_result result = ROUND_MEASURED;

	probe->on_sent = on_sent;
	probe->on_sent_arg = arg;
	begin_hosts(probe);
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
static volatile sig_atomic_t ticks;

static void leave_rehearsal(int signal)
{
	if (++ticks == REHEARSAL_TICKS_MAX)
		siglongjmp(out_of_rehearsal, signal);
}

/*
 * A liboping that waits in another function may hear neither its own timeout nor SIGTERM,
 * which is blocked. Ticks are counted, not time: however long the process is stopped, a
 * single signal is pending when it goes on. Whatever the jump leaves behind, the run ends.
 */
static void send_within_a_second(pingobj_t *object)
{
	const struct timeval tick = {.tv_usec = REHEARSAL_TICK_US};
	const struct itimerval timer = {tick, tick}, none = {.it_value = {0}};

	ticks = 0;
	if (sigsetjmp(out_of_rehearsal, true) == 0 &&
	    signal(SIGALRM, leave_rehearsal) != SIG_ERR) {
		setitimer(ITIMER_REAL, &timer, NULL);
		ping_send(object);
	}
	setitimer(ITIMER_REAL, &none, NULL);
	/* There is nothing to jump to any more. */
	(void)signal(SIGALRM, SIG_DFL);
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

static bool add_loopback(pingobj_t *object, const char *text)
{
	struct address address;
	bool is_added;

	address_parse(text, &address);
	hostinfo_begin(&address, 1);
	is_added = ping_host_add(object, text) == 0;
	(void)hostinfo_end();
	/* As in add_host(). */
	if (!is_added)
		ping_host_remove(object, text);
	return is_added;
}

bool probe_verify_library(void)
{
	double timeout = REHEARSAL_S;
	pingobj_t *object = ping_construct();
	/* Where no host can be added, nothing is measured, and the reason is logged then. */
	bool works =
		!object || ping_setopt(object, PING_OPT_TIMEOUT, &timeout) < 0 ||
		(!add_loopback(object, "127.0.0.1") && !add_loopback(object, "::1")) ||
		rehearse(object);

	if (object)
		ping_destroy(object);
	return works;
}

const uint8_t *probe_get_irregular(const struct probe *probe, size_t host)
{
	return probe->hosts[host].irregular;
}

const struct probe_failure *probe_get_failures(const struct probe *probe, size_t *count)
{
	*count = probe->failure_count;
	return probe->failures;
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
	free(probe->hosts);
	free(probe->failures);
	free(probe);
}
