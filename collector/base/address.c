#include "base/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"

/* inet_pton() and not inet_aton(), for which 10.1 is 10.0.0.1 and 010 is 8. */
static bool parse_bare(const char *text, struct address *addr)
{
	/* As a whole: an IPv4 address leaves most of the union untouched. */
	memset(addr, 0, sizeof(*addr));
	if (inet_pton(AF_INET, text, &addr->u.v4) == 1)
		addr->family = ADDRESS_IPV4;
	else if (inet_pton(AF_INET6, text, &addr->u.v6) == 1)
		addr->family = ADDRESS_IPV6;
	return addr->family != ADDRESS_NONE;
}

/* A zone of an address that is not link-local has no meaning, so it is refused. */
bool address_parse_scoped(const char *text, struct address *addr,
			  char interface[static IF_NAMESIZE])
{
	char bare[INET6_ADDRSTRLEN];
	const char *zone = strchr(text, '%');
	size_t len = zone ? (size_t)(zone - text) : 0;

	*addr = (struct address){.family = ADDRESS_NONE};
	if (!zone || len >= sizeof(bare) || zone[1] == '\0' ||
	    strlen(zone + 1) >= IF_NAMESIZE || strchr(zone, '/'))
		return false;
	memcpy(bare, text, len);
	bare[len] = '\0';
	if (parse_bare(bare, addr) && addr->family == ADDRESS_IPV6 &&
	    IN6_IS_ADDR_LINKLOCAL(&addr->u.v6)) {
		memcpy(interface, zone + 1, strlen(zone + 1) + 1);
		return true;
	}
	*addr = (struct address){.family = ADDRESS_NONE};
	return false;
}

/* if_nametoindex() asks the kernel and not the resolver. */
bool address_parse(const char *text, struct address *addr)
{
	char interface[IF_NAMESIZE];

	if (parse_bare(text, addr))
		return true;
	if (address_parse_scoped(text, addr, interface))
		addr->scope = if_nametoindex(interface);
	if (addr->scope != 0)
		return true;
	memset(addr, 0, sizeof(*addr));
	return false;
}

/* inet_ntop() would bring in printf, which is a tenth of the memory of a run. */
static void format_ipv4(const struct in_addr *addr, char *out)
{
	unsigned char bytes[4];

	memcpy(bytes, addr, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++) {
		out += number_format_u64(out, bytes[i]);
		*out++ = i + 1 < sizeof(bytes) ? '.' : '\0';
	}
}

void address_format(const struct address *addr, char out[static ADDRESS_TEXT_SIZE])
{
	char name[IF_NAMESIZE];
	size_t len;

	out[0] = '\0';
	if (addr->family == ADDRESS_IPV4)
		format_ipv4(&addr->u.v4, out);
	if (addr->family != ADDRESS_IPV6)
		return;
	inet_ntop(AF_INET6, &addr->u.v6, out, ADDRESS_TEXT_SIZE);
	len = strlen(out);
	/* The interface may be gone; its number still tells two addresses apart. */
	if (addr->scope && if_indextoname(addr->scope, name))
		snprintf(out + len, ADDRESS_TEXT_SIZE - len, "%%%s", name);
	else if (addr->scope)
		snprintf(out + len, ADDRESS_TEXT_SIZE - len, "%%%u", addr->scope);
}

bool address_from_sockaddr(const struct sockaddr *sa, struct address *addr)
{
	memset(addr, 0, sizeof(*addr));
	/* Copied, not cast: the caller's storage need not be aligned for the larger type. */
	if (sa->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, sa, sizeof(in));
		addr->family = ADDRESS_IPV4;
		addr->u.v4 = in.sin_addr;
		return true;
	}
	if (sa->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, sa, sizeof(in6));
		addr->family = ADDRESS_IPV6;
		addr->u.v6 = in6.sin6_addr;
		addr->scope = in6.sin6_scope_id;
		return true;
	}
	return false;
}

/* By fields: the bytes of a structure may include padding. */
int address_compare(const struct address *a, const struct address *b)
{
	int order;

	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	if (a->family == ADDRESS_NONE)
		return 0;
	if (a->family == ADDRESS_IPV4)
		return memcmp(&a->u.v4, &b->u.v4, sizeof(a->u.v4));
	order = memcmp(&a->u.v6, &b->u.v6, sizeof(a->u.v6));
	if (order != 0 || a->scope == b->scope)
		return order;
	return a->scope < b->scope ? -1 : 1;
}

socklen_t address_to_sockaddr(const struct address *addr, union socket_address *sa)
{
	if (addr->family == ADDRESS_IPV4) {
		sa->v4 = (struct sockaddr_in){.sin_family = AF_INET,
					      .sin_addr = addr->u.v4};
		return sizeof(sa->v4);
	}
	sa->v6 = (struct sockaddr_in6){.sin6_family = AF_INET6,
				       .sin6_addr = addr->u.v6,
				       .sin6_scope_id = addr->scope};
	return sizeof(sa->v6);
}

bool address_equal(const struct address *a, const struct address *b)
{
	return address_compare(a, b) == 0;
}

/* All of 127.0.0.0/8 is this host; of IPv6 only ::1 is. */
bool address_is_loopback(const struct address *addr)
{
	if (addr->family == ADDRESS_IPV4)
		return (ntohl(addr->u.v4.s_addr) >> 24) == 127;
	return addr->family == ADDRESS_IPV6 && IN6_IS_ADDR_LOOPBACK(&addr->u.v6);
}

static const char *unusable_ipv4(in_addr_t host_order)
{
	/* RFC 1122: 0.0.0.0/8 is this host on this network; Linux sends 0.0.0.0 to itself. */
	if (host_order >> 24 == 0)
		return "is unspecified (0.0.0.0/8)";
	if (host_order == INADDR_BROADCAST)
		return "is the broadcast address";
	if (IN_MULTICAST(host_order))
		return "is a multicast address";
	return NULL;
}

const char *address_unusable(const struct address *addr)
{
	if (addr->family == ADDRESS_IPV4)
		return unusable_ipv4(ntohl(addr->u.v4.s_addr));
	if (addr->family != ADDRESS_IPV6)
		return NULL;
	if (IN6_IS_ADDR_UNSPECIFIED(&addr->u.v6))
		return "is unspecified (::)";
	if (IN6_IS_ADDR_MULTICAST(&addr->u.v6))
		return "is a multicast address";
	/* As the destination of an ICMPv6 packet it reaches nobody. */
	if (IN6_IS_ADDR_V4MAPPED(&addr->u.v6))
		return "is an IPv4 address in IPv6 notation";
	/* Every interface has the same network of these: the kernel wants to know which. */
	if (IN6_IS_ADDR_LINKLOCAL(&addr->u.v6) && addr->scope == 0)
		return "is link-local, expected it with its interface (fe80::1%interface)";
	return NULL;
}

static bool stands_for_host(const struct address *addr)
{
	static const in_addr_t known[] = {0x7f000001, 0x7f000101, 0x7f003535};

	if (addr->family == ADDRESS_IPV6)
		return IN6_IS_ADDR_LOOPBACK(&addr->u.v6);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (addr->family == ADDRESS_IPV4 && ntohl(addr->u.v4.s_addr) == known[i])
			return true;
	return false;
}

const char *address_unsuitable(const struct address *addr, bool allows_loopback)
{
	if (!allows_loopback && stands_for_host(addr))
		return "is a loopback address";
	return address_unusable(addr);
}

/* The words of the configuration and of the label `family`. */
const char *address_family_name(enum address_family family)
{
	static const char *const names[] = {"", "ipv4", "ipv6"};

	return names[family];
}
