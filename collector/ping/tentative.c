#include "ping/tentative.h"

#include <linux/if_addr.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/procfile.h"
#include "base/text.h"

/* Of the file's fourth column. */
#define SCOPE_GLOBAL 0x00
#define SCOPE_LINK 0x20

/* Optimistic ones (RFC 4429) may be sent from. */
static bool is_usable(unsigned long flags)
{
	return !(flags & IFA_F_TENTATIVE) || (flags & IFA_F_OPTIMISTIC);
}

/* Of each line: address, interface, length of the prefix, scope, flags, name. */
static bool parse_line(const char *line, unsigned long *scope, unsigned long *flags)
{
	char *end;

	for (int column = 0; column < 3; column++) {
		line += text_until(line, " \n");
		line += text_span(line, " ");
	}
	*scope = strtoul(line, &end, 16);
	if (end == line)
		return false;
	line = end;
	*flags = strtoul(line, &end, 16);
	return end != line;
}

struct tentative tentative_read(const char *path)
{
	struct tentative tentative = {false, false};
	bool usable_global = false, usable_link_local = false;
	unsigned long scope, flags;
	char content[PROCFILE_SIZE];

	/* Of so many addresses that not all are read one will do. */
	if (!procfile_load(path, content) || strlen(content) == sizeof(content) - 1)
		return tentative;
	for (const char *line = content; *line; line += *line == '\n') {
		if (parse_line(line, &scope, &flags)) {
			usable_global |= scope == SCOPE_GLOBAL && is_usable(flags);
			usable_link_local |= scope == SCOPE_LINK && is_usable(flags);
			tentative.global |= scope == SCOPE_GLOBAL && !is_usable(flags);
			tentative.link_local |= scope == SCOPE_LINK && !is_usable(flags);
		}
		line += text_until(line, "\n");
	}
	tentative.global = tentative.global && !usable_global;
	tentative.link_local = tentative.link_local && !usable_link_local;
	return tentative;
}

bool tentative_bars(const struct tentative *tentative, const struct sockaddr *to)
{
	const struct sockaddr_in6 *v6 = (const void *)to;

	if (!to || to->sa_family != AF_INET6 || IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr))
		return false;
	return IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr) ? tentative->link_local
						     : tentative->global;
}
