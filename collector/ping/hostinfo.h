/*
 * What liboping asks libc about a host that it adds: getaddrinfo() for its address, and
 * random() for its ICMP ident (the 16-bit identifier of an echo request, RFC 792).
 *
 * This module defines these functions, and liboping calls ours (see interpose.h). While a
 * host is added they return what was chosen for it:
 *  - the address, without a question to anybody. libc's getaddrinfo() lists all local
 *    addresses for each host, as liboping passes AI_ADDRCONFIG: with 5,000 of them, 1,000
 *    hosts take 3 seconds. It also rejects IPv4 where the only local address is IPv6;
 *  - the ident. liboping matches replies by ident and sequence number alone, so no two hosts
 *    may share one. Drawn at random, some 7 of 1,000 do.
 * Otherwise they behave like libc's, which lookups of names need.
 */
#ifndef NODECANARY_HOSTINFO_H
#define NODECANARY_HOSTINFO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"

/* Before ping_host_add(). The address must live until hostinfo_end(). */
void hostinfo_begin(const struct address *address, uint16_t ident);

/* After it. False if liboping did not ask for both. */
bool hostinfo_end(void);

#endif
