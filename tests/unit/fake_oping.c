#include "fake_oping.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <oping.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ping/cookie.h"
#include "support.h"

#define OBJECTS_MAX 4
#define IPV4_HEADER 20
#define ICMP_HEADER 8
#define PAYLOAD_MAX 4000

struct pinghost {
	char listed[FAKE_TEXT_SIZE]; /* the name that it was added with */
	char name[FAKE_TEXT_SIZE];   /* its address */
	char *data;
	struct sockaddr_storage addr;
	int family; /* 0: IPv4, 1: IPv6 */
	uint16_t ident;
	unsigned sequence;
	bool awaited;
	double latency;
	int ttl;
	struct pinghost *next;
};

struct pingobj {
	struct pinghost *head;
	char *data;
	const char *error;
	int fds[2], far[2]; /* by family; -1: closed */
};

struct fake_oping fake_oping;

static struct pingobj *objects[OBJECTS_MAX];
static int send_errno;

void fake_oping_reset(void)
{
	fake_oping = (struct fake_oping){.peer_count = 0};
}

void fake_oping_script(struct fake_peer peer)
{
	assert_true(fake_oping.peer_count < FAKE_PEERS_MAX);
	fake_oping.peers[fake_oping.peer_count++] = peer;
}

static struct fake_peer find_script(const char *address)
{
	for (size_t i = 0; i < fake_oping.peer_count; i++)
		if (strcmp(fake_oping.peers[i].address, address) == 0)
			return fake_oping.peers[i];
	return (struct fake_peer){.address = address, .latency_ms = 1, .ttl = 64};
}

static struct pinghost *find_host(const struct pingobj *obj, const char *address)
{
	struct pinghost *host = obj ? obj->head : NULL;

	while (host && strcasecmp(host->name, address) != 0)
		host = host->next;
	return host;
}

static struct pinghost *find_anywhere(const char *address, struct pingobj **obj)
{
	for (size_t i = 0; i < OBJECTS_MAX; i++) {
		struct pinghost *host = find_host(objects[i], address);

		if (host) {
			*obj = objects[i];
			return host;
		}
	}
	return NULL;
}

const char *fake_oping_payload(const char *address)
{
	struct pingobj *obj;
	struct pinghost *host = find_anywhere(address, &obj);

	return host ? host->data : NULL;
}

uint16_t fake_oping_ident(const char *address)
{
	struct pingobj *obj;
	struct pinghost *host = find_anywhere(address, &obj);

	return host ? host->ident : 0;
}

int fake_oping_family(int fd)
{
	for (size_t i = 0; i < OBJECTS_MAX; i++)
		for (int family = 0; objects[i] && family < 2; family++)
			if (objects[i]->fds[family] == fd)
				return family;
	fail_msg("%d is no socket of liboping's", fd);
	return -1;
}

/* As a raw socket delivers it: after an IPv4 header, or without any. */
void fake_oping_answer(struct fake_answer answer)
{
	unsigned char packet[IPV4_HEADER + ICMP_HEADER + PAYLOAD_MAX] = {0x45};
	struct pingobj *obj;
	const struct pinghost *host = find_anywhere(answer.address, &obj);
	const char *payload = answer.payload;
	size_t header, len;
	unsigned sequence;
	uint16_t sum;

	assert_non_null(host);
	payload = payload ? payload : host->data;
	header = host->family ? 0 : IPV4_HEADER;
	len = header + ICMP_HEADER + strlen(payload);
	assert_true(len <= sizeof(packet));
	sequence = host->sequence - 1 - answer.lag;
	packet[header + 4] = (unsigned char)(host->ident >> 8);
	packet[header + 5] = (unsigned char)host->ident;
	packet[header + 6] = (unsigned char)(sequence >> 8);
	packet[header + 7] = (unsigned char)sequence;
	memcpy(packet + header + ICMP_HEADER, payload, strlen(payload));
	sum = cookie_checksum(packet + header, len - header);
	packet[header + 2] = (unsigned char)(sum >> 8);
	packet[header + 3] = (unsigned char)sum;
	assert_int_equal(send(obj->far[host->family], packet, len, MSG_DONTWAIT), len);
}

pingobj_t *ping_construct(void)
{
	struct pingobj *obj = calloc(1, sizeof(*obj));
	size_t i = 0;

	assert_non_null(obj);
	for (size_t family = 0; family < 2; family++)
		obj->fds[family] = obj->far[family] = -1;
	obj->error = "";
	while (objects[i])
		assert_true(++i < OBJECTS_MAX);
	objects[i] = obj;
	return obj;
}

static void free_host(struct pinghost *host)
{
	free(host->data);
	free(host);
}

void ping_destroy(pingobj_t *obj)
{
	for (size_t i = 0; i < OBJECTS_MAX; i++)
		if (objects[i] == obj)
			objects[i] = NULL;
	while (obj->head) {
		struct pinghost *next = obj->head->next;

		free_host(obj->head);
		obj->head = next;
	}
	for (size_t family = 0; family < 2; family++) {
		if (obj->fds[family] >= 0) {
			close(obj->fds[family]);
			close(obj->far[family]);
		}
	}
	free(obj->data);
	free(obj);
}

const char *ping_get_error(pingobj_t *obj)
{
	return obj->error;
}

int ping_setopt(pingobj_t *obj, int option, void *value)
{
	if (option == fake_oping.refused_option) {
		obj->error = "refused";
		return -1;
	}
	fake_oping.options |= (unsigned)option;
	switch (option) {
	case PING_OPT_TIMEOUT: fake_oping.timeout = *(double *)value; break;
	case PING_OPT_TTL: fake_oping.ttl = *(int *)value; break;
	case PING_OPT_MARK: fake_oping.mark = *(int *)value; break;
	case PING_OPT_QOS: fake_oping.qos = *(uint8_t *)value; break;
	case PING_OPT_SOURCE:
		snprintf(fake_oping.source, FAKE_TEXT_SIZE, "%s", (char *)value);
		break;
	case PING_OPT_DEVICE:
		snprintf(fake_oping.device, FAKE_TEXT_SIZE, "%s", (char *)value);
		break;
	case PING_OPT_DATA:
		free(obj->data);
		obj->data = strdup(value);
		break;
	default: fail_msg("option %#x was set", (unsigned)option);
	}
	return 0;
}

/* As the library does, which asks libc for it. */
static uint16_t draw_ident(void)
{
	return fake_oping.manner == FAKE_DRAWS_IDENTS ? 4711 : (uint16_t)random();
}

/* As the library does: whatever the name is, libc knows its address. */
static void resolve(struct pinghost *host, const char *name)
{
	struct addrinfo hints = {.ai_flags = AI_ADDRCONFIG, .ai_socktype = SOCK_RAW};
	struct addrinfo *list;

	assert_int_equal(getaddrinfo(name, NULL, &hints, &list), 0);
	memcpy(&host->addr, list->ai_addr, list->ai_addrlen);
	host->family = list->ai_family == AF_INET6;
	freeaddrinfo(list);
}

static void open_socket(struct pingobj *obj, int family)
{
	int pair[2];

	if (obj->fds[family] >= 0)
		return;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), 0);
	obj->fds[family] = pair[0];
	obj->far[family] = pair[1];
}

int ping_host_add(pingobj_t *obj, const char *name)
{
	struct fake_peer script;
	struct pinghost *host, **end = &obj->head;

	for (host = obj->head; host; host = host->next)
		if (strcasecmp(host->listed, name) == 0)
			return 0;
	host = calloc(1, sizeof(*host));
	assert_non_null(host);
	snprintf(host->listed, sizeof(host->listed), "%s", name);
	/* Before the address stands what liboping compares; loopback has nothing before it. */
	if (strchr(name, '/'))
		name = strchr(name, '/') + 1;
	snprintf(host->name, sizeof(host->name), "%.*s", (int)strcspn(name, "/"), name);
	script = find_script(host->name);
	resolve(host, name);
	host->data = strdup(obj->data ? obj->data : "liboping");
	host->ident = draw_ident();
	host->latency = -1;
	while (*end)
		end = &(*end)->next;
	*end = host;
	if (script.add_error) {
		obj->error = script.add_error;
		return -1;
	}
	open_socket(obj, host->family);
	fake_oping.added++;
	return 0;
}

int ping_host_remove(pingobj_t *obj, const char *name)
{
	struct pinghost **at = &obj->head, *gone;

	while (*at && strcasecmp((*at)->listed, name) != 0)
		at = &(*at)->next;
	assert_non_null(*at);
	gone = *at;
	*at = gone->next;
	free_host(gone);
	return 0;
}

pingobj_iter_t *ping_iterator_get(pingobj_t *obj)
{
	return obj->head;
}

pingobj_iter_t *ping_iterator_next(pingobj_iter_t *iter)
{
	return iter->next;
}

static int give(const void *value, size_t size, void *buffer, size_t *len)
{
	size_t room = *len;

	*len = size;
	if (room < size)
		return ENOMEM;
	memcpy(buffer, value, size);
	return 0;
}

int ping_iterator_get_info(pingobj_iter_t *iter, int info, void *buffer, size_t *len)
{
	switch (info) {
	case PING_INFO_IDENT: return give(&iter->ident, sizeof(iter->ident), buffer, len);
	case PING_INFO_SEQUENCE:
		return give(&iter->sequence, sizeof(iter->sequence), buffer, len);
	case PING_INFO_LATENCY:
		return give(&iter->latency, sizeof(iter->latency), buffer, len);
	case PING_INFO_RECV_TTL: return give(&iter->ttl, sizeof(iter->ttl), buffer, len);
	case PING_INFO_USERNAME:
		return give(iter->listed, strlen(iter->listed) + 1, buffer, len);
	case PING_INFO_DATA: return give(iter->data, strlen(iter->data), buffer, len);
	default: fail_msg("information %d was asked for", info);
	}
	return EINVAL;
}

/* The kernel below sendto(). */
ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	(void)fd;
	(void)flags;
	if (send_errno) {
		errno = send_errno;
		return -1;
	}
	return (ssize_t)message->msg_iov[0].iov_len;
}

/* As in the library: a request without a route counts as sent. */
static int send_one(struct pingobj *obj, struct pinghost *host)
{
	struct fake_peer script = find_script(host->name);
	unsigned char packet[ICMP_HEADER + PAYLOAD_MAX] = {
		[4] = (unsigned char)(host->ident >> 8),
		[5] = (unsigned char)host->ident};
	size_t len = strlen(host->data);
	socklen_t addr_len =
		host->family ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);

	if (fake_oping.before_send)
		fake_oping.before_send();
	memcpy(packet + ICMP_HEADER, host->data, len);
	send_errno = script.send_errno;
	if (fake_oping.manner == FAKE_SENDS_OTHERWISE)
		fake_oping.sent++;
	else if (sendto(obj->fds[host->family], packet, ICMP_HEADER + len, 0,
			(struct sockaddr *)&host->addr, addr_len) < 0 &&
		 errno != EHOSTUNREACH && errno != ENETUNREACH) {
		obj->error = "it could not be sent";
		perror("ping_sendto");
		return -1;
	}
	fake_oping.sent++;
	host->sequence++;
	host->awaited = true;
	if (!script.unresponsive && !script.send_errno)
		fake_oping_answer((struct fake_answer){.address = host->name});
	return 0;
}

/*
 * Whose answer it is, by ident and sequence number alone, as in the library; NULL for one
 * that nobody awaits. What a request awaits it awaits beyond the end of its round.
 */
static struct pinghost *match(const struct pingobj *obj, int family,
			      const unsigned char *reply)
{
	for (struct pinghost *host = obj->head; host; host = host->next)
		if (host->family == family && host->awaited &&
		    host->ident == (reply[4] << 8 | reply[5]) &&
		    ((host->sequence - 1) & 0xffff) ==
			    (unsigned)(reply[6] << 8 | reply[7]))
			return host;
	return NULL;
}

/* True if it was an answer that is awaited. */
static bool receive_one(struct pingobj *obj, int fd)
{
	unsigned char packet[4096];
	struct iovec iov = {packet, sizeof(packet)};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
	int family = fake_oping_family(fd);
	struct pinghost *host;
	struct fake_peer script;

	if (fake_oping.manner == FAKE_RECEIVES_OTHERWISE || recvmsg(fd, &message, 0) < 0)
		return false;
	host = match(obj, family, packet + (family ? 0 : IPV4_HEADER));
	if (!host)
		return false;
	script = find_script(host->name);
	host->awaited = false;
	host->latency = script.latency_ms;
	host->ttl = script.ttl;
	return true;
}

static int wait_in_select(struct pingobj *obj, const struct pinghost *next,
			  fd_set *readable, fd_set *writable)
{
	struct timeval timeout = {.tv_sec = (time_t)fake_oping.timeout};
	int most = -1;

	FD_ZERO(readable);
	FD_ZERO(writable);
	for (int family = 0; family < 2; family++) {
		int fd = obj->fds[family];

		if (fd < 0)
			continue;
		FD_SET(fd, readable);
		if (next && next->family == family)
			FD_SET(fd, writable);
		most = fd > most ? fd : most;
	}
	return select(most + 1, readable, writable, NULL, &timeout);
}

/* The socket to be read first, -1 if there is none. */
static int find_readable(const struct pingobj *obj, fd_set *readable)
{
	for (int family = 1; family >= 0; family--)
		if (obj->fds[family] >= 0 && FD_ISSET(obj->fds[family], readable))
			return obj->fds[family];
	return -1;
}

static int run_round(struct pingobj *obj)
{
	struct pinghost *next = obj->head;
	int in_flight = 0, answers = 0, errors = 0;

	while (in_flight > 0 || next) {
		fd_set readable, writable;
		int status = wait_in_select(obj, next, &readable, &writable), fd;

		if (status < 0) {
			obj->error = strerror(errno);
			return -1;
		}
		if (status == 0)
			break;
		fd = find_readable(obj, &readable);
		if (fd >= 0) {
			int received = receive_one(obj, fd);

			in_flight -= received;
			answers += received;
		} else if (next && FD_ISSET(obj->fds[next->family], &writable)) {
			if (send_one(obj, next) == 0)
				in_flight++;
			else
				errors++;
			next = next->next;
		}
	}
	return errors ? -errors : answers;
}

int ping_send(pingobj_t *obj)
{
	for (struct pinghost *host = obj->head; host; host = host->next) {
		host->latency = -1;
		host->ttl = -1;
	}
	if (fake_oping.manner == FAKE_SEND_FAILS) {
		obj->error = "no socket";
		return fake_oping.last_result = -1;
	}
	while (fake_oping.manner == FAKE_HANGS)
		pause();
	if (fake_oping.manner != FAKE_NEVER_WAITS)
		return fake_oping.last_result = run_round(obj);
	for (struct pinghost *host = obj->head; host; host = host->next)
		send_one(obj, host);
	return fake_oping.last_result = 0;
}
