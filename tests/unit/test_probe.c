/*
 * Probing against a liboping that does what the test says (fake_oping.h), through the
 * real interpose; time, drops and buffers are the test's, too.
 */
/* The headers would define ppoll() as an inline of theirs. */
#undef _FORTIFY_SOURCE

#include "support.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <math.h>
#include <oping.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "fake_oping.h"
#include "peers/route.h"
#include "ping/probe.h"
#include "base/procfile.h"
#include "base/stop.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
/* So that they go on from 0 after the second host. */
#define FIRST_IDENT 0xfffe
#define TIMEOUT_NS (100 * CLOCK_NS_PER_MS)

/* Time passes in ppoll() alone, and nobody waits for it. */
static int64_t now_ns;
/* What the wall clock steps by while a round lasts, and how often it was compared. */
static int64_t step_ns;
static unsigned offset_calls;

int64_t clock_monotonic_ns(void)
{
	return now_ns;
}

int64_t clock_wall_ns(void)
{
	return now_ns;
}

int64_t clock_wall_offset_ns(void)
{
	return offset_calls++ % 2 ? 5 + step_ns : 5;
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
	  const sigset_t *mask)
{
	int ready = poll(fds, count, 0);

	(void)mask;
	if (ready == 0)
		now_ns += timeout->tv_sec * CLOCK_NS_PER_S + timeout->tv_nsec;
	return ready;
}

/* How a fortified libc calls it. */
int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
		const sigset_t *mask, size_t size);
int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
		const sigset_t *mask, size_t size)
{
	(void)size;
	return ppoll(fds, count, timeout, mask);
}

/* The kernel's table of routes. */
static bool is_without_route;

int route_find(const struct address *to, const struct source *source, const char *device,
	       struct mark mark, struct address *from)
{
	char text[ADDRESS_TEXT_SIZE];

	(void)source;
	(void)device;
	(void)mark;
	(void)from;
	address_format(to, text);
	assert_true(strcmp(text, "10.0.0.1") == 0 || strcmp(text, "fd00::1") == 0);
	return is_without_route ? -1 : 0;
}

/* The kernel's side of the sockets. */
static struct {
	bool filter_fails, reports_send_errors;
	uint32_t dropped;
	int buffer; /* bytes of each */
	size_t filters, drained, sent_before_drain;
	uint64_t receive_wanted, send_wanted; /* that was asked for */
} kernel;

bool procfile_read(const char *path, const char *name, uint64_t *value)
{
	(void)path;
	(void)name;
	*value = 0;
	return true;
}

bool procfile_find(const char *content, const char *name, uint64_t *value)
{
	(void)content;
	(void)name;
	(void)value;
	return false;
}

bool procfile_load(const char *path, char content[static PROCFILE_SIZE])
{
	(void)path;
	*content = '\0';
	return true;
}

int getsockopt(int fd, int level, int option, void *value, socklen_t *len)
{
	uint32_t values[SK_MEMINFO_VARS] = {0};

	assert_int_equal(level, SOL_SOCKET);
	assert_true(*len >= 1 && *len <= sizeof(values));
	if (option == SO_DOMAIN)
		values[0] = fake_oping_family(fd) ? AF_INET6 : AF_INET;
	else if (option == SO_MEMINFO)
		values[SK_MEMINFO_DROPS] = kernel.dropped;
	else if (option == SO_RCVBUF || option == SO_SNDBUF)
		values[0] = (uint32_t)kernel.buffer;
	else
		assert_int_equal(option, SO_ERROR);
	memcpy(value, values, *len);
	return 0;
}

int setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
	(void)fd;
	(void)len;
	if (level == IPPROTO_IP && option == IP_RECVERR)
		kernel.reports_send_errors = *(const int *)value;
	if (level != SOL_SOCKET)
		return 0;
	if (option == SO_RCVBUFFORCE)
		kernel.receive_wanted = 2 * (uint64_t) * (const int *)value;
	if (option == SO_SNDBUFFORCE)
		kernel.send_wanted = 2 * (uint64_t) * (const int *)value;
	if (option != SO_ATTACH_FILTER)
		return 0;
	kernel.filters++;
	errno = EPERM;
	return kernel.filter_fails ? -1 : 0;
}

/* Of errors there are none; otherwise a socket is drained. */
ssize_t recv(int fd, void *buffer, size_t size, int flags)
{
	ssize_t n = -1;

	errno = EAGAIN;
	if (!(flags & MSG_ERRQUEUE))
		n = syscall(SYS_recvfrom, fd, buffer, size, flags, NULL, NULL);
	if (n < 0 && !(flags & MSG_ERRQUEUE)) {
		kernel.drained++;
		kernel.sent_before_drain = fake_oping.sent;
	}
	return n;
}

/* How often a last request had left, and how many requests had the first time in a round.
 */
static unsigned calls_sent;
static size_t sent_then;

static void count_sent(void *arg)
{
	assert_ptr_equal(arg, &calls_sent);
	if (calls_sent++ % 2 == 0)
		sent_then = fake_oping.sent;
}

static const struct cookie cookie = {.words = {0x61626364, 0x65666768}};

static int reset(void **state)
{
	(void)state;
	fake_oping_reset();
	memset(&kernel, 0, sizeof(kernel));
	kernel.buffer = 65536;
	step_ns = 0;
	calls_sent = 0;
	offset_calls = 0;
	return 0;
}

static struct probe_settings default_settings(void)
{
	return (struct probe_settings){.ttl = 64,
				       .timeout_ns = TIMEOUT_NS,
				       .spacing_ns = 10 * CLOCK_NS_PER_US,
				       .period_ns = CLOCK_NS_PER_S};
}

static enum round_result run_round(struct probe *probe, struct sample *samples)
{
	return probe_run_round(probe, samples, count_sent, &calls_sent);
}

static struct probe *make_probe(void)
{
	struct probe_settings settings = default_settings();
	struct probe *probe = probe_new(&settings, &cookie);

	assert_non_null(probe);
	return probe;
}

static int add(struct probe *probe, const char *const *texts, size_t count)
{
	struct probe_host hosts[FAKE_PEERS_MAX];

	assert_true(count <= FAKE_PEERS_MAX);
	for (size_t i = 0; i < count; i++) {
		assert_true(address_parse(texts[i], &hosts[i].address));
		hosts[i].payload = 56;
		hosts[i].name = texts[i];
	}
	return probe_add_hosts(probe, hosts, count, FIRST_IDENT);
}

static struct probe *probe_of(const char *const *texts, size_t count)
{
	struct probe *probe = make_probe();

	assert_int_equal(add(probe, texts, count), 0);
	return probe;
}

/* One round with one peer that behaves like this. */
static struct sample measure(struct fake_peer script)
{
	struct probe *probe;
	struct sample sample = {.outcome = SAMPLE_UNSENT};

	reset(NULL);
	script.address = "10.0.0.1";
	fake_oping_script(script);
	probe = probe_of(&script.address, 1);
	assert_int_equal(run_round(probe, &sample), ROUND_MEASURED);
	probe_free(probe);
	return sample;
}

static unsigned count_lines(const char *text)
{
	unsigned lines = 0;

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

static void reply_is_counted_up_to_exactly_the_timeout(void **state)
{
	static const struct {
		double latency_ms;
		bool reply;
	} cases[] = {{0, true},		 {0.001, true},	   {99.999, true},
		     {100, true},	 {100.001, false}, {-1, false},
		     {-0.001, false},	 {NAN, false},	   {INFINITY, false},
		     {-INFINITY, false}, {3600e3, false},  {1e300, false}};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct sample sample = measure(
			(struct fake_peer){.latency_ms = cases[i].latency_ms, .ttl = 57});

		assert_int_equal(sample.outcome,
				 cases[i].reply ? SAMPLE_REPLY : SAMPLE_LOST);
		if (!cases[i].reply)
			continue;
		assert_int_equal(sample.rtt_ns,
				 (int64_t)(cases[i].latency_ms * 1e6 + 0.5));
		assert_int_equal(sample.hop_limit, 57);
	}
}

static void hop_limit_that_is_unknown_is_negative(void **state)
{
	struct sample sample = measure((struct fake_peer){.latency_ms = 1, .ttl = -1});

	(void)state;
	assert_int_equal(sample.outcome, SAMPLE_REPLY);
	assert_true(sample.hop_limit < 0);
}

static void unresponsive_peer_is_lost_after_one_timeout(void **state)
{
	int64_t start_ns = now_ns;
	struct sample sample = measure((struct fake_peer){.unresponsive = true});

	(void)state;
	assert_int_equal(sample.outcome, SAMPLE_LOST);
	assert_int_equal(now_ns - start_ns, TIMEOUT_NS);
}

static void refused_request_is_unsent_and_not_lost(void **state)
{
	static const int errors[] = {EPERM,	   EACCES,	EINVAL, ENOBUFS,
				     EHOSTUNREACH, ENETUNREACH, EAGAIN};

	(void)state;
	for (size_t i = 0; i < LENGTH(errors); i++) {
		struct sample sample =
			measure((struct fake_peer){.send_errno = errors[i]});

		assert_int_equal(sample.outcome, SAMPLE_UNSENT);
	}
}

/* A blackhole route gives the errno of a full neighbour table. */
static void invalid_argument_is_a_missing_route_where_there_is_none(void **state)
{
	static const struct {
		const char *address;
		bool is_without_route;
		enum failure_reason reason;
	} cases[] = {{"10.0.0.1", true, FAILURE_NO_ROUTE},
		     {"10.0.0.1", false, FAILURE_OTHER},
		     {"fd00::1", true, FAILURE_NO_ROUTE},
		     {"fd00::1", false, FAILURE_NEIGHBOUR_TABLE}};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		const struct probe_failure *failures;
		struct sample sample;
		struct probe *probe;
		size_t count = 0;

		fake_oping_reset();
		fake_oping_script((struct fake_peer){.address = cases[i].address,
						     .send_errno = EINVAL});
		probe = probe_of(&cases[i].address, 1);
		is_without_route = cases[i].is_without_route;
		assert_int_equal(run_round(probe, &sample), ROUND_MEASURED);
		assert_int_equal(sample.outcome, SAMPLE_UNSENT);
		failures = probe_get_failures(probe, &count);
		assert_int_equal(count, 1);
		assert_int_equal(failures->reason, cases[i].reason);
		probe_free(probe);
	}
}

static void failed_requests_leave_the_others_results_alone(void **state)
{
	static const char *const texts[] = {"10.0.0.1", "10.0.0.2", "10.0.0.3",
					    "10.0.0.4"};
	struct sample samples[4];
	struct probe_report report;
	struct probe *probe;
	char *output;

	(void)state;
	fake_oping_script((struct fake_peer){.address = texts[0], .send_errno = EACCES});
	fake_oping_script((struct fake_peer){.address = texts[2], .send_errno = EPERM});
	probe = probe_of(texts, 4);
	support_capture_begin();
	assert_int_equal(run_round(probe, samples), ROUND_MEASURED);
	fake_oping.peers[0].send_errno = ENOBUFS;
	assert_int_equal(run_round(probe, samples), ROUND_MEASURED);
	output = support_capture_end();
	assert_int_equal(fake_oping.last_result, -2);
	assert_int_equal(samples[0].outcome, SAMPLE_UNSENT);
	assert_int_equal(samples[1].outcome, SAMPLE_REPLY);
	assert_int_equal(samples[2].outcome, SAMPLE_UNSENT);
	assert_int_equal(samples[3].outcome, SAMPLE_REPLY);
	report = probe_get_report(probe);
	assert_int_equal(report.failed, 4);
	assert_int_equal(report.first_errno, EACCES);
	assert_string_equal(output, "");
	free(output);
	probe_free(probe);
}

static void hosts_have_consecutive_idents_and_their_own_samples(void **state)
{
	static const char *const texts[] = {"10.0.0.1", "10.0.0.2", "10.0.0.3",
					    "10.0.0.4", "10.0.0.5"};
	struct sample samples[5];
	struct probe *probe;

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		fake_oping_script((struct fake_peer){
			.address = texts[i], .latency_ms = i + 1, .ttl = 40 + (int)i});
	probe = probe_of(texts, 5);
	assert_int_equal(run_round(probe, samples), ROUND_MEASURED);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(fake_oping_ident(texts[i]), (uint16_t)(FIRST_IDENT + i));
		assert_int_equal(samples[i].outcome, SAMPLE_REPLY);
		assert_int_equal(samples[i].rtt_ns, (i + 1) * CLOCK_NS_PER_MS);
		assert_int_equal(samples[i].hop_limit, 40 + i);
	}
	probe_free(probe);
}

static void one_address_may_have_several_sizes_of_the_payload(void **state)
{
	struct probe_host hosts[2] = {{.payload = 56}, {.payload = 100}};
	struct probe *probe = make_probe();
	struct sample samples[2];

	(void)state;
	for (size_t i = 0; i < 2; i++)
		assert_true(address_parse("10.0.0.1", &hosts[i].address));
	assert_int_equal(probe_add_hosts(probe, hosts, 2, 1), 0);
	assert_int_equal(fake_oping.added, 2);
	/* The fake knows the first of them by its address. */
	assert_int_equal(run_round(probe, samples), ROUND_MEASURED);
	assert_int_equal(fake_oping.sent, 2);
	assert_int_equal(samples[0].outcome, SAMPLE_REPLY);
	probe_free(probe);
}

static void library_that_draws_idents_in_another_way_is_refused(void **state)
{
	static const char *const text = "10.0.0.1";
	struct probe *probe = make_probe();
	char *output;

	(void)state;
	fake_oping.manner = FAKE_DRAWS_IDENTS;
	support_capture_begin();
	assert_int_equal(add(probe, &text, 1), -1);
	output = support_capture_end();
	assert_non_null(strstr(output, "random()"));
	assert_int_equal(count_lines(output), 1);
	assert_int_equal(fake_oping.sent, 0);
	free(output);
	probe_free(probe);
}

static void host_that_cannot_be_added_is_removed_unsent_and_reported(void **state)
{
	static const char *const texts[] = {"10.0.0.1", "10.0.0.2", "10.0.0.3",
					    "10.0.0.4"};
	struct probe_report report;
	struct sample samples[4];
	struct probe *probe;

	(void)state;
	fake_oping_script((struct fake_peer){.address = texts[0], .add_error = "no"});
	fake_oping_script((struct fake_peer){.address = texts[2], .add_error = "never"});
	fake_oping_script(
		(struct fake_peer){.address = texts[3], .latency_ms = 7, .ttl = 60});
	probe = probe_of(texts, 4);
	assert_int_equal(run_round(probe, samples), ROUND_MEASURED);
	assert_int_equal(run_round(probe, samples), ROUND_MEASURED);
	report = probe_get_report(probe);
	assert_int_equal(report.refused, 2);
	assert_string_equal(report.refused_name, texts[0]);
	assert_string_equal(report.refused_reason, "no");
	assert_int_equal(samples[0].outcome, SAMPLE_UNSENT);
	assert_int_equal(samples[1].outcome, SAMPLE_REPLY);
	assert_int_equal(samples[2].outcome, SAMPLE_UNSENT);
	assert_int_equal(samples[3].outcome, SAMPLE_REPLY);
	assert_int_equal(samples[3].rtt_ns, 7 * CLOCK_NS_PER_MS);
	probe_free(probe);
}

static void error_number_of_liboping_is_translated(void **state)
{
	static const char *const text = "fd00::1";
	struct probe *probe;

	(void)state;
	fake_oping_script(
		(struct fake_peer){.address = text, .add_error = "Error 97 (0x61)"});
	probe = probe_of(&text, 1);
	assert_string_equal(probe_get_report(probe).refused_reason,
			    strerror(EAFNOSUPPORT));
	probe_free(probe);
}

static void round_of_hosts_that_could_not_be_added_is_measured_and_unsent(void **state)
{
	static const char *const text = "fd00::1";
	struct sample sample = {.outcome = SAMPLE_REPLY};
	struct probe *probe;

	(void)state;
	fake_oping_script((struct fake_peer){.address = text, .add_error = "no IPv6"});
	support_capture_begin();
	probe = probe_of(&text, 1);
	free(support_capture_end());
	assert_int_equal(run_round(probe, &sample), ROUND_MEASURED);
	assert_int_equal(sample.outcome, SAMPLE_UNSENT);
	assert_int_equal(fake_oping.sent, 0);
	/* Deferred batches do not wait for requests that are never sent. */
	assert_int_equal(calls_sent, 1);
	probe_free(probe);
}

static void send_that_fails_as_a_whole_is_unsent_and_reported_once(void **state)
{
	static const char *const texts[] = {"10.0.0.1", "10.0.0.2"};
	struct sample samples[2] = {{.outcome = SAMPLE_REPLY}, {.outcome = SAMPLE_REPLY}};
	struct probe *probe = probe_of(texts, 2);
	struct probe_report report;

	(void)state;
	fake_oping.manner = FAKE_SEND_FAILS;
	assert_int_equal(run_round(probe, samples), ROUND_MEASURED);
	assert_int_equal(run_round(probe, samples), ROUND_MEASURED);
	assert_int_equal(samples[0].outcome, SAMPLE_UNSENT);
	assert_int_equal(samples[1].outcome, SAMPLE_UNSENT);
	report = probe_get_report(probe);
	assert_int_equal(report.refused, 2);
	assert_string_equal(report.refused_reason,
			    "cannot prepare a raw socket: no socket");
	probe_free(probe);
}

static void library_that_works_is_accepted_and_sends_nothing(void **state)
{
	char *output;

	(void)state;
	fake_oping_script(
		(struct fake_peer){.address = "127.0.0.1", .unresponsive = true});
	support_capture_begin();
	assert_true(probe_verify_library());
	/* Where a family is missing, the other one is tried, or nothing is to be said. */
	fake_oping.peers[0].add_error = "no IPv4";
	fake_oping_script((struct fake_peer){.address = "::1", .unresponsive = true});
	assert_true(probe_verify_library());
	assert_int_equal(fake_oping.sent, 2);
	fake_oping.peers[1].add_error = "no IPv6";
	assert_true(probe_verify_library());
	output = support_capture_end();
	assert_int_equal(fake_oping.sent, 2);
	assert_string_equal(output, "");
	free(output);
}

static void library_that_calls_other_functions_is_refused(void **state)
{
	static const struct {
		enum fake_manner manner;
		const char *name;
	} cases[] = {{FAKE_NEVER_WAITS, "select()"},
		     {FAKE_SENDS_OTHERWISE, "sendto()"},
		     {FAKE_RECEIVES_OTHERWISE, "recvmsg()"},
		     {FAKE_HANGS, "select()"}};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		char *output;

		reset(NULL);
		fake_oping.manner = cases[i].manner;
		fake_oping_script(
			(struct fake_peer){.address = "127.0.0.1", .unresponsive = true});
		support_capture_begin();
		assert_false(probe_verify_library());
		output = support_capture_end();
		assert_int_equal(count_lines(output), 1);
		assert_non_null(strstr(output, cases[i].name));
		free(output);
	}
}

/* Stops the process for longer than a library may take. */
static void stand_still(void)
{
	const struct timespec pause = {.tv_sec = 1, .tv_nsec = 500000000};
	pid_t parent = getpid(), child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		kill(parent, SIGSTOP);
		nanosleep(&pause, NULL);
		kill(parent, SIGCONT);
		_exit(0);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void library_is_accepted_though_the_process_was_stopped(void **state)
{
	(void)state;
	fake_oping.before_send = stand_still;
	assert_true(probe_verify_library());
	assert_int_equal(fake_oping.sent, 1);
}

static void options_are_handed_over_as_liboping_wants_them(void **state)
{
	struct probe_settings settings = default_settings();
	struct probe *probe;

	(void)state;
	assert_true(address_parse("10.9.0.1", &settings.source.v4));
	strcpy(settings.device, "eth1");
	settings.mark = (struct mark){true, 0x2a};
	settings.ttl = 255;
	settings.dscp = 46;
	probe = probe_new(&settings, &cookie);
	assert_non_null(probe);
	assert_string_equal(fake_oping.source, "10.9.0.1");
	assert_string_equal(fake_oping.device, "eth1");
	assert_int_equal(fake_oping.mark, 0x2a);
	assert_int_equal(fake_oping.ttl, 255);
	assert_int_equal(fake_oping.qos, 46 << 2);
	/* Out of reach, and yet a time that fits a struct timeval. */
	assert_true(fake_oping.timeout > 86400 && fake_oping.timeout < INT32_MAX);
	/* With it liboping refuses 127.0.0.1 where there is only loopback. */
	assert_false(fake_oping.options & PING_OPT_AF);
	probe_free(probe);
}

static void source_of_the_other_family_is_handed_over_too(void **state)
{
	struct probe_settings settings = default_settings();
	struct probe *probe;

	(void)state;
	assert_true(address_parse("fd00::9", &settings.source.v6));
	probe = probe_new(&settings, &cookie);
	assert_non_null(probe);
	assert_string_equal(fake_oping.source, "fd00::9");
	probe_free(probe);
}

static void options_that_are_not_set_are_left_alone(void **state)
{
	struct probe *probe = make_probe();

	(void)state;
	assert_int_equal(fake_oping.options,
			 PING_OPT_TIMEOUT | PING_OPT_TTL | PING_OPT_QOS);
	assert_int_equal(fake_oping.qos, 0);
	probe_free(probe);
}

static void option_that_liboping_refuses_is_named(void **state)
{
	static const struct {
		int option;
		const char *name;
	} cases[] = {{PING_OPT_TIMEOUT, "timeout"}, {PING_OPT_TTL, "ttl"},
		     {PING_OPT_QOS, "dscp"},	    {PING_OPT_SOURCE, "source"},
		     {PING_OPT_DEVICE, "device"},   {PING_OPT_MARK, "mark"}};
	struct probe_settings settings = default_settings();

	(void)state;
	assert_true(address_parse("10.9.0.1", &settings.source.v4));
	strcpy(settings.device, "eth1");
	settings.mark.is_set = true;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		char *output;

		fake_oping.refused_option = cases[i].option;
		support_capture_begin();
		assert_null(probe_new(&settings, &cookie));
		output = support_capture_end();
		assert_non_null(strstr(output, cases[i].name));
		assert_non_null(strstr(output, "refused"));
		free(output);
	}
}

static void each_host_has_a_payload_of_its_own_and_of_its_own_size(void **state)
{
	static const char *const texts[] = {"fd00::1", "fd00::2", "fd00::3"};
	static const uint32_t sizes[] = {OPTIONS_SIZE_MIN, 56, OPTIONS_SIZE_MAX};
	struct probe_host hosts[3] = {{.name = "a"}};
	struct probe *probe = make_probe();

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_true(address_parse(texts[i], &hosts[i].address));
		hosts[i].payload = sizes[i];
	}
	assert_int_equal(probe_add_hosts(probe, hosts, 3, FIRST_IDENT), 0);
	for (size_t i = 0; i < 3; i++) {
		char payload[OPTIONS_SIZE_MAX + 1];

		cookie_write_payload(&cookie, &hosts[i].address, sizes[i], payload);
		assert_non_null(fake_oping_payload(texts[i]));
		assert_string_equal(fake_oping_payload(texts[i]), payload);
	}
	probe_free(probe);
}

static void wall_clock_step_discards_the_round(void **state)
{
	static const struct {
		int64_t step_ns;
		enum round_result result;
	} cases[] = {{0, ROUND_MEASURED},
		     {ROUND_CLOCK_TOLERANCE_NS, ROUND_MEASURED},
		     {-ROUND_CLOCK_TOLERANCE_NS, ROUND_MEASURED},
		     {ROUND_CLOCK_TOLERANCE_NS + 1, ROUND_CLOCK_STEP},
		     {-ROUND_CLOCK_TOLERANCE_NS - 1, ROUND_CLOCK_STEP},
		     {3600 * CLOCK_NS_PER_S, ROUND_CLOCK_STEP},
		     {-3600 * CLOCK_NS_PER_S, ROUND_CLOCK_STEP}};
	static const char *const text = "10.0.0.1";
	struct probe *probe = probe_of(&text, 1);
	struct sample sample;

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		step_ns = cases[i].step_ns;
		assert_int_equal(run_round(probe, &sample), cases[i].result);
	}
	probe_free(probe);
}

static void drop_two_packets(void)
{
	kernel.dropped += 2;
}

static void drops_in_a_round_discard_it_and_drops_before_it_do_not(void **state)
{
	static const char *const text = "10.0.0.1";
	struct probe *probe = probe_of(&text, 1);
	struct probe_report report;
	struct sample sample;

	(void)state;
	kernel.dropped = 100;
	assert_int_equal(run_round(probe, &sample), ROUND_MEASURED);
	kernel.dropped += 3;
	assert_int_equal(run_round(probe, &sample), ROUND_MEASURED);
	fake_oping.before_send = drop_two_packets;
	assert_int_equal(run_round(probe, &sample), ROUND_RECEIVE_DROPS);
	fake_oping.before_send = NULL;
	assert_int_equal(run_round(probe, &sample), ROUND_MEASURED);
	report = probe_get_report(probe);
	assert_int_equal(report.receive_drops, 5);
	probe_free(probe);
}

static void sockets_are_prepared_once_and_drained_before_each_round(void **state)
{
	static const char *const texts[] = {"10.0.0.1", "10.0.0.2"};
	struct probe *probe = probe_of(texts, 2);
	struct sample samples[2];

	(void)state;
	for (size_t round = 0; round < 3; round++) {
		assert_int_equal(run_round(probe, samples), ROUND_MEASURED);
		assert_int_equal(kernel.filters, 1);
		assert_int_equal(kernel.drained, round + 1);
		assert_int_equal(kernel.sent_before_drain, 2 * round);
	}
	probe_free(probe);
}

static void owner_is_called_when_the_last_request_has_left(void **state)
{
	static const char *const texts[] = {"10.0.0.1", "10.0.0.2"};
	struct probe *probe = probe_of(texts, 2);
	struct sample samples[2];

	(void)state;
	for (unsigned round = 1; round <= 3; round++) {
		assert_int_equal(run_round(probe, samples), ROUND_MEASURED);
		assert_int_equal(calls_sent, 2 * round);
		assert_int_equal(sent_then, 2 * round);
		assert_true(kernel.reports_send_errors);
	}
	probe_free(probe);
}

static void late_reply_does_not_leak_into_the_next_round(void **state)
{
	static const char *const texts[] = {"10.0.0.1", "10.0.0.2"};
	struct probe *probe;
	struct sample samples[2];

	(void)state;
	fake_oping_script((struct fake_peer){
		.address = texts[0], .unresponsive = true, .latency_ms = 2});
	probe = probe_of(texts, 2);
	assert_int_equal(run_round(probe, samples), ROUND_MEASURED);
	assert_int_equal(samples[0].outcome, SAMPLE_LOST);
	fake_oping_answer((struct fake_answer){.address = texts[0]});
	assert_int_equal(run_round(probe, samples), ROUND_MEASURED);
	assert_int_equal(samples[0].outcome, SAMPLE_LOST);
	assert_int_equal(samples[1].outcome, SAMPLE_REPLY);
	probe_free(probe);
}

/* The peers of the next test. */
static const char *const ours[] = {"10.0.0.1", "10.0.0.2"};

/* While the first request of a round is on its way out. */
static void answer_the_previous_round(void)
{
	fake_oping.before_send = NULL;
	fake_oping_answer((struct fake_answer){.address = ours[1]});
}

static void reply_to_the_previous_round_is_ignored_in_this_one(void **state)
{
	struct sample samples[2];
	struct probe *probe;

	(void)state;
	fake_oping_script((struct fake_peer){
		.address = ours[1], .unresponsive = true, .latency_ms = 99});
	probe = probe_of(ours, 2);
	assert_int_equal(run_round(probe, samples), ROUND_MEASURED);
	assert_int_equal(samples[1].outcome, SAMPLE_LOST);
	/* After the drain, before the second host's own request. */
	fake_oping.before_send = answer_the_previous_round;
	assert_int_equal(run_round(probe, samples), ROUND_MEASURED);
	assert_null(fake_oping.before_send);
	assert_int_equal(samples[0].outcome, SAMPLE_REPLY);
	assert_int_equal(samples[1].outcome, SAMPLE_LOST);
	probe_free(probe);
}

static struct fake_answer foreign;

static void answer_wrongly(void)
{
	/* Of the first host, when the second one is sent to. */
	if (fake_oping.sent % 2 == 1)
		fake_oping_answer(foreign);
}

/* The first host's outcome if this reply is the only one that it sends. */
static enum sample_outcome outcome_of(struct fake_answer answer)
{
	struct sample samples[2];
	struct probe *probe;

	reset(NULL);
	fake_oping_script((struct fake_peer){
		.address = ours[0], .unresponsive = true, .latency_ms = 1});
	probe = probe_of(ours, 2);
	foreign = answer;
	foreign.address = ours[0];
	fake_oping.before_send = answer_wrongly;
	assert_int_equal(run_round(probe, samples), ROUND_MEASURED);
	assert_int_equal(samples[1].outcome, SAMPLE_REPLY);
	probe_free(probe);
	return samples[0].outcome;
}

static void shortened_reply_counts_if_it_has_cookie_and_address(void **state)
{
	char payload[57];
	struct address address;

	(void)state;
	assert_true(address_parse(ours[0], &address));
	for (size_t size = 55; size > 0; size--) {
		cookie_write_payload(&cookie, &address, 56, payload);
		payload[size] = '\0';
		/* 8 bytes each. */
		assert_int_equal(outcome_of((struct fake_answer){.payload = payload}),
				 size >= 16 ? SAMPLE_REPLY : SAMPLE_LOST);
		payload[size - 1] ^= 1;
		assert_int_equal(outcome_of((struct fake_answer){.payload = payload}),
				 SAMPLE_LOST);
	}
}

static void reply_counts_only_if_it_returns_the_payload_sent(void **state)
{
	char payload[58];
	struct address address;

	(void)state;
	assert_int_equal(outcome_of((struct fake_answer){.lag = 0}), SAMPLE_REPLY);
	assert_int_equal(outcome_of((struct fake_answer){.lag = 1}), SAMPLE_LOST);
	assert_int_equal(outcome_of((struct fake_answer){.payload = ""}), SAMPLE_LOST);
	assert_true(address_parse(ours[0], &address));
	cookie_write_payload(&cookie, &address, 57, payload);
	assert_int_equal(outcome_of((struct fake_answer){.payload = payload}),
			 SAMPLE_LOST);
	payload[56] = '\0';
	assert_int_equal(outcome_of((struct fake_answer){.payload = payload}),
			 SAMPLE_REPLY);
	payload[55] ^= 1;
	assert_int_equal(outcome_of((struct fake_answer){.payload = payload}),
			 SAMPLE_LOST);
}

static void buffers_hold_all_packets_that_can_be_under_way(void **state)
{
	static const char *const texts[] = {"10.0.0.1", "10.0.0.2", "10.0.0.3"};
	struct probe_settings settings = default_settings();
	struct probe_report report;
	struct sample samples[3];
	struct probe *probe;

	(void)state;
	kernel.buffer = 0;
	settings.period_ns = CLOCK_NS_PER_S;
	probe = probe_new(&settings, &cookie);
	assert_non_null(probe);
	assert_int_equal(add(probe, texts, 3), 0);
	assert_int_equal(run_round(probe, samples), ROUND_MEASURED);
	assert_int_equal(kernel.receive_wanted, 2 * 3 * 832);
	/* An unresponsive neighbour holds requests of three seconds, so of four rounds. */
	assert_int_equal(kernel.send_wanted, 4 * 3 * 4 * 832);
	report = probe_get_report(probe);
	assert_int_equal(report.receive_wanted, kernel.receive_wanted);
	assert_int_equal(report.send_wanted, kernel.send_wanted);
	probe_free(probe);
}

static void hosts_are_unsent_while_their_socket_has_no_filter(void **state)
{
	static const char *const texts[] = {"10.0.0.1", "10.0.0.2"};
	struct sample samples[2] = {{.outcome = SAMPLE_REPLY}, {.outcome = SAMPLE_REPLY}};
	struct probe *probe = probe_of(texts, 2);
	struct probe_report report;

	(void)state;
	kernel.filter_fails = true;
	for (size_t round = 0; round < 2; round++) {
		assert_int_equal(run_round(probe, samples), ROUND_MEASURED);
		assert_int_equal(samples[0].outcome, SAMPLE_UNSENT);
		assert_int_equal(samples[1].outcome, SAMPLE_UNSENT);
	}
	assert_int_equal(fake_oping.sent, 0);
	report = probe_get_report(probe);
	assert_int_equal(report.refused, 2);
	assert_non_null(strstr(report.refused_reason, strerror(EPERM)));
	kernel.filter_fails = false;
	assert_int_equal(run_round(probe, samples), ROUND_MEASURED);
	assert_int_equal(samples[0].outcome, SAMPLE_REPLY);
	assert_int_equal(samples[1].outcome, SAMPLE_REPLY);
	probe_free(probe);
}

static void pass_half_a_timeout(void)
{
	now_ns += TIMEOUT_NS / 2;
}

static void process_that_stood_still_while_sending_discards_the_round(void **state)
{
	static const char *const text = "10.0.0.1";
	struct probe *probe = probe_of(&text, 1);
	struct sample sample;

	(void)state;
	fake_oping.before_send = pass_half_a_timeout;
	assert_int_equal(run_round(probe, &sample), ROUND_INTERRUPTED);
	fake_oping.before_send = NULL;
	assert_int_equal(run_round(probe, &sample), ROUND_MEASURED);
	probe_free(probe);
}

static void stop_request_discards_the_current_round(void **state)
{
	static const char *const text = "10.0.0.1";
	struct probe *probe = probe_of(&text, 1);
	struct sample sample;
	sigset_t set;
	int signal;

	(void)state;
	assert_int_equal(stop_init(), 0);
	assert_int_equal(raise(SIGTERM), 0);
	assert_int_equal(run_round(probe, &sample), ROUND_INTERRUPTED);
	assert_int_equal(fake_oping.sent, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	assert_int_equal(sigwait(&set, &signal), 0);
	assert_int_equal(run_round(probe, &sample), ROUND_MEASURED);
	probe_free(probe);
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reply_is_counted_up_to_exactly_the_timeout),
		TEST(hop_limit_that_is_unknown_is_negative),
		TEST(unresponsive_peer_is_lost_after_one_timeout),
		TEST(refused_request_is_unsent_and_not_lost),
		TEST(invalid_argument_is_a_missing_route_where_there_is_none),
		TEST(failed_requests_leave_the_others_results_alone),
		TEST(hosts_have_consecutive_idents_and_their_own_samples),
		TEST(one_address_may_have_several_sizes_of_the_payload),
		TEST(library_that_draws_idents_in_another_way_is_refused),
		TEST(host_that_cannot_be_added_is_removed_unsent_and_reported),
		TEST(error_number_of_liboping_is_translated),
		TEST(round_of_hosts_that_could_not_be_added_is_measured_and_unsent),
		TEST(send_that_fails_as_a_whole_is_unsent_and_reported_once),
		TEST(library_that_works_is_accepted_and_sends_nothing),
		TEST(library_that_calls_other_functions_is_refused),
		TEST(library_is_accepted_though_the_process_was_stopped),
		TEST(options_are_handed_over_as_liboping_wants_them),
		TEST(source_of_the_other_family_is_handed_over_too),
		TEST(options_that_are_not_set_are_left_alone),
		TEST(option_that_liboping_refuses_is_named),
		TEST(each_host_has_a_payload_of_its_own_and_of_its_own_size),
		TEST(wall_clock_step_discards_the_round),
		TEST(drops_in_a_round_discard_it_and_drops_before_it_do_not),
		TEST(sockets_are_prepared_once_and_drained_before_each_round),
		TEST(owner_is_called_when_the_last_request_has_left),
		TEST(late_reply_does_not_leak_into_the_next_round),
		TEST(reply_to_the_previous_round_is_ignored_in_this_one),
		TEST(shortened_reply_counts_if_it_has_cookie_and_address),
		TEST(reply_counts_only_if_it_returns_the_payload_sent),
		TEST(buffers_hold_all_packets_that_can_be_under_way),
		TEST(hosts_are_unsent_while_their_socket_has_no_filter),
		TEST(process_that_stood_still_while_sending_discards_the_round),
		TEST(stop_request_discards_the_current_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
