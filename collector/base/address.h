/*
 * A numeric IPv4 or IPv6 address. Nothing here is ever looked up by name.
 */
#ifndef NODECANARY_ADDRESS_H
#define NODECANARY_ADDRESS_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum address_family { ADDRESS_NONE, ADDRESS_IPV4, ADDRESS_IPV6 };

struct address {
	enum address_family family; /* ADDRESS_NONE: no address */
	uint32_t scope;		    /* interface index of a link-local IPv6 address */
	union {
		struct in_addr v4;
		struct in6_addr v6;
	} u;
};

/* For calls that take a socket address. */
union socket_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* Longest text: an IPv6 address, '%' and the name of an interface. */
#define ADDRESS_TEXT_SIZE 64

/*
 * Four decimal numbers, or an IPv6 address; a link-local one may have %interface, which
 * must exist. False, with ADDRESS_NONE, for anything else.
 */
bool address_parse(const char *text, struct address *addr);

/*
 * fe80::1%eth0: the link-local address without its scope, and the name of the interface,
 * which need not exist: it may come and go. False, with ADDRESS_NONE, for anything else.
 */
bool address_parse_scoped(const char *text, struct address *addr,
			  char interface[static IF_NAMESIZE]);

/* As address_parse() reads it; "" for ADDRESS_NONE. */
void address_format(const struct address *addr, char out[static ADDRESS_TEXT_SIZE]);

/* False, with ADDRESS_NONE, if the socket address is of another family. */
bool address_from_sockaddr(const struct sockaddr *sa, struct address *addr);

/* The other way round, of an address that has a family, with port 0. Returns the length. */
socklen_t address_to_sockaddr(const struct address *addr, union socket_address *sa);

bool address_equal(const struct address *a, const struct address *b);

/* A total order: family, bytes, scope. */
int address_compare(const struct address *a, const struct address *b);

bool address_is_loopback(const struct address *addr);

/*
 * Why no single host can answer from this address (unspecified, multicast, broadcast, IPv4
 * in IPv6 notation, link-local without interface), to follow the address in a message:
 * "is ..."; NULL if one can.
 */
const char *address_unusable(const struct address *addr);

/*
 * The same for an address that a name leads to. Unless `allows_loopback`, addresses that
 * stand for the host itself in /etc/hosts and in answers of DNS are refused, too: ::1,
 * 127.0.0.1, Debian's 127.0.1.1, and 127.0.53.53 of ICANN. Other addresses of 127.0.0.0/8
 * are given on purpose, for tests.
 */
const char *address_unsuitable(const struct address *addr, bool allows_loopback);

/* "ipv4", "ipv6", or "". */
const char *address_family_name(enum address_family family);

#endif
