/* flood: echo replies that nobody asked for, for tests.
 *
 *   flood -s SRC -d DST [-6] [-r RATE] [-t SECONDS] [-i IDENT] [-q SEQ[-LAST]] [-l BYTES]
 *         [-w DEVICE]
 *
 * Sends ICMP echo replies from SRC to DST, with every ident in turn (or only
 * IDENT), each with the sequence numbers SEQ to LAST (1), and a payload of BYTES
 * (56) zeros: RATE a second (10000, at most 60000) for SECONDS (1, at most 10;
 * decimals allowed).  Prints "sent N failed M".  It shows that foreign replies
 * change nothing.
 *
 * With -w it reads along: it waits for an echo request to SRC that leaves through DEVICE,
 * and answers the last one all the time, with its payload but for one bit of the first
 * byte.
 *
 * For IPv4 SRC may be any address (IP_HDRINCL), for IPv6 too (IPV6_FREEBIND).
 * DST must be a loopback, private, link-local or documentation address: this is
 * made for a network namespace of one's own.  Needs CAP_NET_RAW there. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netpacket/packet.h>
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
	MAX_RATE = 60000,
	MAX_SECONDS = 10,
	MAX_PAYLOAD = 1400,
	FRAME = 1500,
	ICMP_SIZE = 8,
	ALL_IDENTS = -1
};

struct plan {
	bool v6;
	const char *source_text, *destination_text, *watched;
	struct sockaddr_storage source, destination;
	socklen_t address_len;
	long rate, payload, ident;
	long first_seq, last_seq;
	int64_t duration_ns;
};

struct packet {
	size_t len, icmp_at;
	unsigned char data[sizeof(struct iphdr) + ICMP_SIZE + MAX_PAYLOAD];
};

__attribute__((noreturn)) static void die(const char *what, const char *why)
{
	fprintf(stderr, "flood: %s: %s\n", what, why);
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_MONOTONIC, &t) != 0)
		die("clock_gettime", strerror(errno));
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- arguments ---- */

static long number(const char *text, long least, long most, const char **rest)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno != 0 || end == text || value < least || value > most ||
	    (rest == NULL && *end != '\0'))
		die(text, "not a number in range");
	if (rest != NULL)
		*rest = end;
	return value;
}

static int64_t duration(const char *text)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end != '\0' || !(seconds > 0 && seconds <= MAX_SECONDS))
		die(text, "not a number of seconds up to 10");
	return (int64_t)(seconds * 1e9);
}

static void sequences(struct plan *plan, const char *text)
{
	plan->first_seq = number(text, 0, 65535, &text);
	plan->last_seq = plan->first_seq;
	if (*text == '-')
		plan->last_seq = number(text + 1, plan->first_seq, 65535, NULL);
	else if (*text != '\0')
		die(text, "not a sequence number");
}

static bool harmless4(uint32_t address)
{
	static const struct {
		uint32_t net;
		int bits;
	} nets[] = {{0x7f000000, 8},  {0x0a000000, 8},	{0xac100000, 12},
		    {0xc0a80000, 16}, {0xa9fe0000, 16}, {0xc0000200, 24},
		    {0xc6336400, 24}, {0xcb007100, 24}, {0xc6120000, 15},
		    {0x64400000, 10}};

	for (size_t i = 0; i < sizeof nets / sizeof *nets; i++)
		if ((address ^ nets[i].net) >> (32 - nets[i].bits) == 0)
			return true;
	return false;
}

static bool harmless6(const struct in6_addr *address)
{
	static const unsigned char documentation[] = {0x20, 0x01, 0x0d, 0xb8};

	return IN6_IS_ADDR_LOOPBACK(address) || IN6_IS_ADDR_LINKLOCAL(address) ||
	       (address->s6_addr[0] & 0xfe) == 0xfc ||
	       memcmp(address, documentation, sizeof documentation) == 0;
}

/* Returns whether the address is one that cannot belong to a stranger. */
static bool read_address(const struct plan *plan, const char *text,
			 struct sockaddr_storage *address)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

	if (text == NULL || (plan->v6 ? inet_pton(AF_INET6, text, &v6.sin6_addr)
				      : inet_pton(AF_INET, text, &v4.sin_addr)) != 1)
		die(text == NULL ? "-s and -d" : text, "not an address of this family");
	if (plan->v6)
		memcpy(address, &v6, sizeof v6);
	else
		memcpy(address, &v4, sizeof v4);
	return plan->v6 ? harmless6(&v6.sin6_addr) : harmless4(ntohl(v4.sin_addr.s_addr));
}

static void read_options(struct plan *plan, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "s:d:r:t:i:q:l:w:6")) != -1) {
		switch (option) {
		case 's': plan->source_text = optarg; break;
		case 'd': plan->destination_text = optarg; break;
		case 'r': plan->rate = number(optarg, 1, MAX_RATE, NULL); break;
		case 't': plan->duration_ns = duration(optarg); break;
		case 'i': plan->ident = number(optarg, 0, 65535, NULL); break;
		case 'q': sequences(plan, optarg); break;
		case 'l': plan->payload = number(optarg, 0, MAX_PAYLOAD, NULL); break;
		case 'w': plan->watched = optarg; break;
		case '6': plan->v6 = true; break;
		default: exit(2);
		}
	}
	if (optind != argc)
		die(argv[optind], "one argument too many");
	plan->address_len =
		plan->v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	(void)read_address(plan, plan->source_text, &plan->source);
	if (!read_address(plan, plan->destination_text, &plan->destination))
		die(plan->destination_text, "refused: not a private address");
}

/* ---- packets ---- */

static uint16_t checksum(const unsigned char *data, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += (uint32_t)data[i] << (i % 2 == 0 ? 8 : 0);
	while (sum > 0xffff)
		sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t)~sum;
}

static void put16(unsigned char *at, unsigned long value)
{
	at[0] = (unsigned char)(value >> 8);
	at[1] = (unsigned char)value;
}

/* The kernel fills in the IPv4 header's length and checksum, and its ident. */
static void prepare(struct packet *packet, const struct plan *plan)
{
	struct iphdr ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_ICMP};
	struct sockaddr_in source, destination;

	memset(packet, 0, sizeof *packet);
	if (!plan->v6) {
		memcpy(&source, &plan->source, sizeof source);
		memcpy(&destination, &plan->destination, sizeof destination);
		ip.saddr = source.sin_addr.s_addr;
		ip.daddr = destination.sin_addr.s_addr;
		memcpy(packet->data, &ip, sizeof ip);
		packet->icmp_at = sizeof ip;
	}
	packet->data[packet->icmp_at] = plan->v6 ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY;
	packet->len = packet->icmp_at + ICMP_SIZE + (size_t)plan->payload;
}

/* The n-th packet: the sequence number turns fastest, the ident after it. */
static void number_packet(struct packet *packet, const struct plan *plan, int64_t n)
{
	unsigned char *icmp = packet->data + packet->icmp_at;
	int64_t seqs = plan->last_seq - plan->first_seq + 1;
	int64_t ident = plan->ident == ALL_IDENTS ? n / seqs % 65536 : plan->ident;

	put16(icmp + 4, (unsigned long)ident);
	put16(icmp + 6, (unsigned long)(plan->first_seq + n % seqs));
	put16(icmp + 2, 0);
	if (!plan->v6) /* for ICMPv6 the kernel does it */
		put16(icmp + 2, checksum(icmp, packet->len - packet->icmp_at));
}

static int open_socket(const struct plan *plan)
{
	const int on = 1;
	int sock = plan->v6 ? socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6)
			    : socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	struct icmp6_filter nothing;

	if (sock < 0)
		die("raw socket", strerror(errno));
	if (!plan->v6) {
		if (setsockopt(sock, IPPROTO_IP, IP_HDRINCL, &on, sizeof on) != 0)
			die("IP_HDRINCL", strerror(errno));
		return sock;
	}
	ICMP6_FILTER_SETBLOCKALL(&nothing);
	if (setsockopt(sock, IPPROTO_ICMPV6, ICMP6_FILTER, &nothing, sizeof nothing) !=
		    0 ||
	    setsockopt(sock, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof on) != 0)
		die("IPv6 socket", strerror(errno));
	if (bind(sock, (const struct sockaddr *)&plan->source, plan->address_len) != 0)
		die(plan->source_text, strerror(errno));
	return sock;
}

/* ---- watching ---- */

/* -1 without a device to watch. */
static int open_watch(const struct plan *plan)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET,
				      .sll_protocol = htons(ETH_P_ALL)};
	int sock;

	if (plan->watched == NULL)
		return -1;
	sock = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	address.sll_ifindex = (int)if_nametoindex(plan->watched);
	if (sock < 0 || address.sll_ifindex == 0 ||
	    bind(sock, (struct sockaddr *)&address, sizeof address) != 0)
		die(plan->watched, strerror(errno));
	return sock;
}

/* Where the ICMP header of an echo request to the flood's source is; 0 for all else. */
static size_t request_at(const struct plan *plan, const unsigned char *packet, size_t len)
{
	const void *to = &((const struct sockaddr_in *)&plan->source)->sin_addr;
	size_t at = sizeof(struct iphdr), to_len = 4;
	unsigned char type = ICMP_ECHO;

	if (plan->v6) {
		to = &((const struct sockaddr_in6 *)&plan->source)->sin6_addr;
		at = sizeof(struct ip6_hdr);
		to_len = 16;
		type = ICMP6_ECHO_REQUEST;
	}
	return len >= at + ICMP_SIZE && packet[0] >> 4 == (plan->v6 ? 6 : 4) &&
			       memcmp(packet + at - to_len, to, to_len) == 0 &&
			       packet[at] == type
		       ? at
		       : 0;
}

static void watch(struct plan *plan, struct packet *reply, int sock)
{
	unsigned char packet[FRAME];
	ssize_t len;

	while (sock >= 0 && (len = recv(sock, packet, sizeof packet, 0)) >= 0) {
		size_t at = request_at(plan, packet, (size_t)len);

		if (at == 0)
			continue;
		plan->ident = packet[at + 4] << 8 | packet[at + 5];
		plan->first_seq = plan->last_seq = packet[at + 6] << 8 | packet[at + 7];
		at += ICMP_SIZE;
		if ((size_t)len - at != (size_t)plan->payload)
			die(plan->watched, "a request of another size than -l");
		memcpy(reply->data + reply->icmp_at + ICMP_SIZE, packet + at,
		       (size_t)len - at);
		reply->data[reply->icmp_at + ICMP_SIZE] ^= 1;
	}
}

/* Until the first request, for as long as the flood would last. */
static void await_request(struct plan *plan, struct packet *reply, int sock)
{
	int64_t end = now_ns() + plan->duration_ns;
	struct pollfd watched = {.fd = sock, .events = POLLIN};

	while (sock >= 0 && plan->ident == ALL_IDENTS) {
		if (now_ns() > end)
			die(plan->watched, "no echo request");
		(void)poll(&watched, 1, 100);
		watch(plan, reply, sock);
	}
}

/* ---- sending ---- */

/* What should have been sent by now; a stall is not made up for in one burst. */
static int64_t due(const struct plan *plan, int64_t elapsed_ns, int64_t done,
		   int64_t *skipped)
{
	int64_t burst = plan->rate / 100 + 1;
	int64_t owed = elapsed_ns * plan->rate / 1000000000 + 1 - done - *skipped;

	if (owed > burst) {
		*skipped += owed - burst;
		owed = burst;
	}
	return owed;
}

static void flood(struct plan *plan, struct packet *packet, int sock, int watched)
{
	const struct timespec tick = {.tv_nsec = 500000};
	int64_t start = now_ns(), elapsed, done = 0, skipped = 0, failed = 0;
	const char *why = "";

	while ((elapsed = now_ns() - start) < plan->duration_ns) {
		watch(plan, packet, watched);
		for (int64_t left = due(plan, elapsed, done, &skipped); left > 0;
		     left--) {
			number_packet(packet, plan, done++);
			if (sendto(sock, packet->data, packet->len, 0,
				   (const struct sockaddr *)&plan->destination,
				   plan->address_len) < 0) {
				failed++;
				why = strerror(errno);
			}
		}
		(void)nanosleep(&tick, NULL); /* a shorter one does no harm */
	}
	if (failed > 0)
		fprintf(stderr, "flood: sendto: %s\n", why);
	printf("sent %lld failed %lld\n", (long long)(done - failed), (long long)failed);
	if (fflush(stdout) != 0)
		die("stdout", strerror(errno));
}

int main(int argc, char **argv)
{
	struct plan plan = {.rate = 10000,
			    .payload = 56,
			    .ident = ALL_IDENTS,
			    .first_seq = 1,
			    .last_seq = 1,
			    .duration_ns = 1000000000};
	struct packet packet;
	int watched;

	read_options(&plan, argc, argv);
	prepare(&packet, &plan);
	watched = open_watch(&plan);
	await_request(&plan, &packet, watched);
	flood(&plan, &packet, open_socket(&plan), watched);
	return 0;
}
