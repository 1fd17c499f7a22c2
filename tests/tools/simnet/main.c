/*
 * simnet: thousands of IPv4 and IPv6 peers behind one TUN device, which answer echo
 * requests as a plan says (plan.h) and count them. Addresses and routes are the caller's
 * part (tests/behaviour/lib.sh, simnet_start).
 *
 * With -w it never sleeps, for whoever has a core to spare: waking up takes an idle core
 * 100 us and more, which all requests of a burst would seem to have been under way.
 *
 * READYFILE appears when it can answer. STATSFILE is replaced upon SIGUSR1 and at the end
 * (SIGTERM, SIGINT): a line of totals, then a line an address, sorted.
 *
 *     # total requests= replies=          all echo requests, all correct replies
 *       first_ns= last_ns=                CLOCK_MONOTONIC of first and last request
 *       peak_backlog=                     the most requests found waiting at once
 *       undelivered=                      answers lost because the device was down
 *       late_mean_ns= late_max_ns=        by how much answers left after their time
 *       lost_requests= lost_replies=      by the kernel, at the device: should be 0
 *     ADDRESS requests=                   echo requests with a right checksum
 *       replies=                          right in every respect, that left
 *       duplicates= other=                further right ones; everything else that left
 *       late_ns=                          by how much its replies left after their time
 *       first_late_ns=                    the first since the file was last written
 *       bytes= tos= ttl= src=             of the last request: payload, class, hops, from
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "network.h"
#include "tun.h"

/*
 * A sleep of a millisecond ends up to this much late; whoever is due sooner is waited for
 * without sleeping. In a virtual machine a longer sleep ends later, 280 us were seen
 * after 100 ms: so it ends a millisecond early, and a short one follows.
 */
static const int64_t spin_ns = 100000;
static const int64_t short_nap_ns = 1000000;

struct options {
	const char *device;
	const char *plan;
	const char *stats;
	const char *ready;
	uint64_t seed;
	bool wakeful;
};

struct simnet {
	struct options options;
	struct network net;
	int tun;
	int signals;
	bool stopping;
	uint8_t packet[PACKET_MAX];
};

static const char usage[] = "usage: simnet [-w] [-i DEVICE] [-s SEED] -p PLANFILE -o "
			    "STATSFILE [-r READYFILE]\n";

static int64_t now_ns(void)
{
	struct timespec now;
	if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
		abort();
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int complain(const char *what)
{
	fprintf(stderr, "simnet: %s: %s\n", what, strerror(errno));
	return -1;
}

static void write_totals(FILE *out, const struct simnet *sim)
{
	const struct network_totals *t = &sim->net.totals;
	struct tun_drops drops;

	fprintf(out, "# total requests=%" PRIu64 " replies=%" PRIu64, t->requests,
		t->replies);
	fprintf(out, " first_ns=%" PRId64 " last_ns=%" PRId64, t->first_ns, t->last_ns);
	fprintf(out, " peak_backlog=%" PRIu64 " undelivered=%" PRIu64, t->peak_backlog,
		t->undelivered);
	fprintf(out, " late_mean_ns=%" PRId64 " late_max_ns=%" PRId64,
		t->sent == 0 ? 0 : t->late_sum_ns / (int64_t)t->sent, t->late_max_ns);
	if (tun_read_drops(&drops, sim->options.device) == 0)
		fprintf(out, " lost_requests=%" PRIu64 " lost_replies=%" PRIu64,
			drops.requests, drops.replies);
	fputc('\n', out);
}

/* Replaces the file of counts in one step: whoever sees it sees all of it. */
static int write_stats(struct simnet *sim)
{
	char temporary[PATH_MAX];
	int length = snprintf(temporary, sizeof temporary, "%s.tmp", sim->options.stats);
	if (length < 0 || (size_t)length >= sizeof temporary)
		return complain("the name of STATSFILE is too long");
	FILE *out = fopen(temporary, "we");
	if (out == NULL)
		return complain(temporary);
	write_totals(out, sim);
	int result = peers_write(&sim->net.peers, out);
	if (ferror(out) != 0)
		result = -1;
	if (fclose(out) != 0 || result != 0 || rename(temporary, sim->options.stats) != 0)
		return complain(temporary);
	return 0;
}

/* Reads one packet: 1, or 0 if there is none, or -1. */
static int receive_one(struct simnet *sim)
{
	ssize_t length = read(sim->tun, sim->packet, sizeof sim->packet);

	if (length >= 0) {
		if (network_receive(&sim->net, sim->packet, (size_t)length, now_ns()) ==
		    0)
			return 1;
		return complain("packet");
	}
	if (errno == EINTR)
		return 1;
	if (errno != EAGAIN)
		return complain("read");
	network_note_idle(&sim->net);
	return 0;
}

/* Sends one packet that is due: 1, or 0 if there is none, or -1. */
static int send_one(struct simnet *sim)
{
	int64_t due_ns = queue_due_ns(&sim->net.queue);
	if (due_ns == INT64_MAX)
		return 0;
	int64_t late_ns = now_ns() - due_ns;
	if (late_ns < 0)
		return 0;
	struct parcel *parcel = queue_take(&sim->net.queue);
	int written = tun_write(sim->tun, parcel->packet, parcel->length);
	if (written > 0)
		network_note_sent(&sim->net, parcel, late_ns);
	else if (written == 0)
		network_note_undelivered(&sim->net);
	free(parcel);
	return written < 0 ? -1 : 1;
}

/* Counts what had arrived when the signal did, then obeys. */
static int obey_signal(struct simnet *sim)
{
	struct signalfd_siginfo info;
	int received = 0;

	if (read(sim->signals, &info, sizeof info) != (ssize_t)sizeof info)
		return errno == EAGAIN ? 0 : complain("signalfd");
	do {
		received = receive_one(sim);
	} while (received > 0);
	if (received < 0)
		return -1;
	sim->stopping = info.ssi_signo != SIGUSR1;
	return sim->stopping ? 0 : write_stats(sim);
}

static struct timespec nap_until(int64_t due_ns)
{
	int64_t nap_ns = due_ns - now_ns() - spin_ns;

	if (nap_ns > 2 * short_nap_ns)
		nap_ns -= short_nap_ns;
	else if (nap_ns < 0)
		nap_ns = 0;
	return (struct timespec){nap_ns / 1000000000, (long)(nap_ns % 1000000000)};
}

/* Sleeps until a packet or a signal comes, or shortly before one is due. */
static int wait_for_event(struct simnet *sim)
{
	struct pollfd fds[] = {{.fd = sim->tun, .events = POLLIN},
			       {.fd = sim->signals, .events = POLLIN}};
	int64_t due_ns = queue_due_ns(&sim->net.queue);
	bool wakeful = sim->options.wakeful;
	struct timespec nap = wakeful ? (struct timespec){0} : nap_until(due_ns);

	if (ppoll(fds, 2, due_ns == INT64_MAX && !wakeful ? NULL : &nap, NULL) < 0)
		return errno == EINTR ? 0 : complain("ppoll");
	return fds[1].revents != 0 ? obey_signal(sim) : 0;
}

/*
 * Reading and sending take turns, packet by packet: a burst of replies must not delay the
 * reading of requests, whose delay counts from there, nor the other way round. Signals
 * are looked at when there is nothing else to do, and every so often.
 */
static int serve(struct simnet *sim)
{
	for (unsigned turn = 1; !sim->stopping; turn++) {
		int received = receive_one(sim);
		int sent = received < 0 ? -1 : send_one(sim);
		if (sent < 0)
			return -1;
		bool busy = received > 0 || sent > 0;
		if ((!busy || turn % 1024 == 0) && wait_for_event(sim) != 0)
			return -1;
	}
	return write_stats(sim);
}

static int open_signals(void)
{
	sigset_t set;

	if (sigemptyset(&set) != 0 || sigaddset(&set, SIGTERM) != 0 ||
	    sigaddset(&set, SIGINT) != 0 || sigaddset(&set, SIGUSR1) != 0 ||
	    sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int announce_ready(const char *path)
{
	if (path == NULL)
		return 0;
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 || close(fd) != 0)
		return complain(path);
	return 0;
}

static int run(struct simnet *sim)
{
	sim->signals = open_signals();
	if (sim->signals < 0)
		return complain("signalfd");
	/* Else every sleep would be rounded up by 50 us. */
	if (prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL) != 0)
		return complain("PR_SET_TIMERSLACK");
	sim->net.seed = sim->options.seed;
	if (plan_load(&sim->net.plan, &sim->net.peers, sim->options.plan) != 0)
		return -1;
	sim->tun = tun_open(sim->options.device);
	if (sim->tun < 0 || announce_ready(sim->options.ready) != 0)
		return -1;
	return serve(sim);
}

static int parse_seed(uint64_t *out, const char *text)
{
	char *end = NULL;
	errno = 0;
	*out = strtoull(text, &end, 0);
	return errno == 0 && end != text && *end == '\0' ? 0 : -1;
}

static int parse_options(struct options *options, int argc, char **argv)
{
	int letter = 0;

	*options = (struct options){.device = "sim0", .seed = 1};
	while ((letter = getopt(argc, argv, "wi:s:p:o:r:")) != -1) {
		if (letter == 'i')
			options->device = optarg;
		else if (letter == 'p')
			options->plan = optarg;
		else if (letter == 'o')
			options->stats = optarg;
		else if (letter == 'r')
			options->ready = optarg;
		else if (letter == 'w')
			options->wakeful = true;
		else if (letter != 's' || parse_seed(&options->seed, optarg) != 0)
			return -1;
	}
	return optind == argc && options->plan != NULL && options->stats != NULL ? 0 : -1;
}

int main(int argc, char **argv)
{
	static struct simnet sim;

	sim.tun = -1;
	sim.signals = -1;
	if (parse_options(&sim.options, argc, argv) != 0) {
		fputs(usage, stderr);
		return 2;
	}
	int result = run(&sim);
	network_free(&sim.net);
	if (sim.tun >= 0)
		close(sim.tun);
	if (sim.signals >= 0)
		close(sim.signals);
	return result == 0 ? 0 : 1;
}
