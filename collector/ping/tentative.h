/*
 * IPv6 addresses of this host that it must not use yet: for a second or two after a
 * link comes up each is tentative, until it is known that nobody else has it (RFC 4862).
 *
 * Where there is no other one, the kernel takes the source ::1 and sends all the same.
 * No such packet arrives or is answered, so it must not leave.
 */
#ifndef NODECANARY_TENTATIVE_H
#define NODECANARY_TENTATIVE_H

#include <stdbool.h>
#include <sys/socket.h>

#define TENTATIVE_PATH "/proc/self/net/if_inet6"

/* Of each scope: whether some address is tentative and none can be used. */
struct tentative {
	bool global, link_local;
};

/* Where `path` cannot be read nothing is tentative. */
struct tentative tentative_read(const char *path);

/* Whether a packet to that address has no source. */
bool tentative_bars(const struct tentative *tentative, const struct sockaddr *to);

#endif
