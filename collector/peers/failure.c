#include "peers/failure.h"

#include <errno.h>
#include <stdlib.h>

const char *const failure_reason_names[FAILURE_REASONS] = {
	[FAILURE_DEVICE] = "device",
	[FAILURE_FRAGMENTATION_NEEDED] = "fragmentation_needed",
	[FAILURE_HOST_UNREACHABLE] = "host_unreachable",
	[FAILURE_MESSAGE_SIZE] = "message_size",
	[FAILURE_NEIGHBOUR_TABLE] = "neighbour_table",
	[FAILURE_NET_UNREACHABLE] = "net_unreachable",
	[FAILURE_NO_BUFFER] = "no_buffer",
	[FAILURE_NO_ROUTE] = "no_route",
	[FAILURE_NO_SOURCE_ADDRESS] = "no_source_address",
	[FAILURE_NOT_PERMITTED] = "not_permitted",
	[FAILURE_OTHER] = "other",
	[FAILURE_PROHIBITED] = "prohibited",
	[FAILURE_TIME_EXCEEDED] = "time_exceeded",
};

/*
 * ENOBUFS has two causes that the kernel does not tell apart: a full queue and, with IPv4, a
 * full neighbour table. IPv6 reports the latter as EINVAL, which both families give for a
 * blackhole route, too; route_find() tells these apart.
 * A prohibit route gives EACCES, an unreachable one EHOSTUNREACH, a firewall EPERM.
 */
enum failure_reason failure_of_errno(int error, enum address_family family)
{
	switch (error) {
	case EHOSTUNREACH:
	case ENETUNREACH: return FAILURE_NO_ROUTE;
	case EACCES:
	case EPERM: return FAILURE_NOT_PERMITTED;
	case ENOBUFS:
	case ENOMEM: return FAILURE_NO_BUFFER;
	case EADDRNOTAVAIL: return FAILURE_NO_SOURCE_ADDRESS;
	case EMSGSIZE: return FAILURE_MESSAGE_SIZE;
	case ENETDOWN:
	case ENODEV:
	case ENXIO: return FAILURE_DEVICE;
	case EINVAL:
		return family == ADDRESS_IPV6 ? FAILURE_NEIGHBOUR_TABLE : FAILURE_OTHER;
	default: return FAILURE_OTHER;
	}
}

static int compare(const struct failure *f, enum failure_reason reason,
		   const struct address *from)
{
	if (f->reason != reason)
		return f->reason < reason ? -1 : 1;
	return address_compare(&f->from, from);
}

/*
 * A flood of forged errors, each from another address, must not fill the memory or the
 * file: once the list is full, the last entry counts for the rest.
 */
int failure_add(struct failure **list, enum failure_reason reason,
		const struct address *from)
{
	struct failure *last = NULL, *added;
	size_t count = 0;

	for (struct failure *f = *list; f; f = f->next, count++) {
		last = f;
		if (compare(f, reason, from) == 0) {
			f->count++;
			return 0;
		}
	}
	if (count >= FAILURE_MAX) {
		last->count++;
		return 0;
	}
	added = calloc(1, sizeof(*added));
	if (!added)
		return -1;
	while (*list && compare(*list, reason, from) < 0)
		list = &(*list)->next;
	*added = (struct failure){
		.reason = reason, .from = *from, .count = 1, .next = *list};
	*list = added;
	return 0;
}

void failure_free(struct failure **list)
{
	while (*list) {
		struct failure *next = (*list)->next;

		free(*list);
		*list = next;
	}
}
