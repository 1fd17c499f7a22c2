/* delay: joins two interfaces as a cable would, a slow one; for tests.
 *
 *   delay INTERFACE INTERFACE MICROSECONDS [ADDRESS]
 *
 * Every frame that one receives leaves through the other, in order and that much
 * later (0 to 10 s), until SIGTERM.  With ADDRESS, an IPv4 address, only packets
 * from and to that one are late, and all else leaves at once.  For kernels without netem.
 * Offloaded checksums and segments pass as they are (PACKET_VNET_HDR), so TCP works
 * across it.  Frames that find 4096 before them are dropped.  Needs CAP_NET_RAW. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	MOST_US = 10000000,
	QUEUED = 4096,
	/* In front of a frame the kernel puts what it knows about it. */
	IP_AT = sizeof(struct virtio_net_hdr) + sizeof(struct ether_header),
	FRAME = IP_AT + 65536,
	BURST = 64
};

struct frame {
	int64_t due_ns;
	size_t len;
	unsigned char *data;
};

struct wire {
	int64_t delay_ns;
	/* Whose packets are late, or INADDR_ANY for all. */
	struct in_addr only;
};

/* What waits to leave through one end: a ring, since the delay is the same for all. */
struct end {
	int fd;
	size_t first, count;
	struct frame ring[QUEUED];
};

__attribute__((noreturn)) static void die(const char *what)
{
	fprintf(stderr, "delay: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_MONOTONIC, &t) != 0)
		die("clock_gettime");
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int open_end(const char *interface)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET,
				      .sll_protocol = htons(ETH_P_ALL)};
	struct packet_mreq all = {.mr_type = PACKET_MR_PROMISC};
	const int yes = 1;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	address.sll_ifindex = (int)if_nametoindex(interface);
	if (address.sll_ifindex == 0)
		die(interface);
	all.mr_ifindex = address.sll_ifindex;
	if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &yes, sizeof yes) != 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes) != 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all) != 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof address) != 0)
		die(interface);
	return fd;
}

static bool is_late(const struct wire *wire, const unsigned char *data, size_t len)
{
	struct ether_header ethernet;
	struct iphdr ip;

	if (wire->only.s_addr == INADDR_ANY)
		return true;
	if (len < IP_AT + sizeof ip)
		return false;
	memcpy(&ethernet, data + IP_AT - sizeof ethernet, sizeof ethernet);
	memcpy(&ip, data + IP_AT, sizeof ip);
	return ethernet.ether_type == htons(ETHERTYPE_IP) &&
	       (ip.saddr == wire->only.s_addr || ip.daddr == wire->only.s_addr);
}

/* As on a cable, what the other side cannot take is lost. */
static void leave(const struct end *out, const unsigned char *data, size_t len)
{
	if (send(out->fd, data, len, 0) < 0 && errno != ENETDOWN && errno != ENOBUFS &&
	    errno != EAGAIN && errno != EMSGSIZE)
		die("send");
}

static void put(struct end *out, const unsigned char *data, size_t len, int64_t due_ns)
{
	struct frame *frame = &out->ring[(out->first + out->count) % QUEUED];

	if (out->count == QUEUED)
		return;
	frame->data = malloc(len);
	if (frame->data == NULL)
		die("malloc");
	memcpy(frame->data, data, len);
	frame->len = len;
	frame->due_ns = due_ns;
	out->count++;
}

static void receive(const struct end *in, struct end *out, const struct wire *wire)
{
	static unsigned char buffer[FRAME];

	for (int i = 0; i < BURST; i++) {
		ssize_t len = recv(in->fd, buffer, sizeof buffer, 0);

		/* An interface that goes down says so once, and may come up again. */
		if (len < 0 && errno != EAGAIN && errno != EINTR && errno != ENETDOWN)
			die("recv");
		if (len < 0)
			return;
		if (is_late(wire, buffer, (size_t)len))
			put(out, buffer, (size_t)len, now_ns() + wire->delay_ns);
		else
			leave(out, buffer, (size_t)len);
	}
}

static void send_due(struct end *out)
{
	while (out->count > 0 && out->ring[out->first].due_ns <= now_ns()) {
		struct frame *frame = &out->ring[out->first];

		leave(out, frame->data, frame->len);
		free(frame->data);
		out->first = (out->first + 1) % QUEUED;
		out->count--;
	}
}

static void wait_for_something(struct end *ends)
{
	struct pollfd fds[2] = {{.fd = ends[0].fd, .events = POLLIN},
				{.fd = ends[1].fd, .events = POLLIN}};
	int64_t wait_ns = INT64_MAX;
	struct timespec timeout;

	for (int i = 0; i < 2; i++)
		if (ends[i].count > 0) {
			int64_t due_ns = ends[i].ring[ends[i].first].due_ns - now_ns();

			wait_ns = due_ns < wait_ns ? due_ns : wait_ns;
		}
	wait_ns = wait_ns < 0 ? 0 : wait_ns;
	timeout.tv_sec = wait_ns / 1000000000;
	timeout.tv_nsec = wait_ns % 1000000000;
	if (ppoll(fds, 2, wait_ns == INT64_MAX ? NULL : &timeout, NULL) < 0 &&
	    errno != EINTR)
		die("ppoll");
}

/* Returns a negative number for what is none in range. */
static long microseconds(const char *text)
{
	char *rest;
	long us = strtol(text, &rest, 10);

	return rest == text || *rest != '\0' || us > MOST_US ? -1 : us;
}

int main(int argc, char **argv)
{
	static struct end ends[2];
	struct wire wire = {.only.s_addr = INADDR_ANY};

	if (argc < 4 || argc > 5 || microseconds(argv[3]) < 0 ||
	    (argc == 5 && inet_pton(AF_INET, argv[4], &wire.only) != 1)) {
		fprintf(stderr,
			"usage: delay INTERFACE INTERFACE MICROSECONDS [ADDRESS]\n");
		return 64;
	}
	wire.delay_ns = (int64_t)microseconds(argv[3]) * 1000;
	ends[0].fd = open_end(argv[1]);
	ends[1].fd = open_end(argv[2]);
	for (;;) {
		wait_for_something(ends);
		receive(&ends[0], &ends[1], &wire);
		receive(&ends[1], &ends[0], &wire);
		send_due(&ends[0]);
		send_due(&ends[1]);
	}
}
