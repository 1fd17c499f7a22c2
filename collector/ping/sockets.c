#include "ping/sockets.h"

#include "base/log.h"

/* Its index; the number of sockets if it is not among them. */
static size_t find(const struct sockets *sockets, int fd)
{
	size_t i = 0;

	while (i < sockets->count && sockets->items[i].fd != fd)
		i++;
	return i;
}

static void prepare(struct sockets *sockets, int fd, const struct cookie *cookie)
{
	size_t i = sockets->count++;
	enum address_family family = rawsocket_family(fd);
	struct rawsocket_buffers buffers = sockets->wanted;

	sockets->items[i].fd = fd;
	sockets->items[i].family = family;
	if (family == ADDRESS_NONE ||
	    rawsocket_prepare(fd, family, cookie, &buffers) < 0) {
		log_err("cannot prepare a raw socket");
		sockets->failed = true;
	}
	rawsocket_read_drops(fd, family, &sockets->items[i].drops);
}

static uint32_t new_drops(struct sockets *sockets, size_t i)
{
	uint32_t drops = rawsocket_new_drops(
		sockets->items[i].fd, sockets->items[i].family, &sockets->items[i].drops);

	sockets->drops += drops;
	return drops;
}

size_t sockets_ready(struct sockets *sockets, int fd, const struct cookie *cookie)
{
	size_t i = find(sockets, fd), capacity;

	if (i == SOCKETS_MAX)
		return 0;
	if (i == sockets->count)
		prepare(sockets, fd, cookie);
	capacity = rawsocket_capacity(fd);
	/* Replies that came after the end of their round must not meet this one. */
	rawsocket_drain(fd, capacity);
	new_drops(sockets, i);
	rawsocket_tell_failures(fd, sockets->items[i].family, true);
	if (sockets->items[i].family == ADDRESS_IPV6)
		sockets->tentative = tentative_read(TENTATIVE_PATH);
	return capacity;
}

void sockets_sent(const struct sockets *sockets)
{
	for (size_t i = 0; i < sockets->count; i++)
		rawsocket_tell_failures(sockets->items[i].fd, sockets->items[i].family,
					false);
}

uint64_t sockets_count_drops(struct sockets *sockets)
{
	uint64_t drops = 0;

	for (size_t i = 0; i < sockets->count; i++)
		drops += new_drops(sockets, i);
	return drops;
}

enum address_family sockets_family(const struct sockets *sockets, int fd)
{
	size_t i = find(sockets, fd);

	return i < sockets->count ? sockets->items[i].family : ADDRESS_NONE;
}
