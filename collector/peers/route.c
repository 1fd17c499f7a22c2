#include "peers/route.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * Before Linux 5.17 a mark needs CAP_NET_ADMIN. If it is refused here, no request is sent
 * with it either, so the route without it does no harm.
 */
static int set_options(int fd, const struct address *source, const char *device,
		       struct mark mark)
{
	union socket_address sa;

	if (mark.is_set)
		(void)setsockopt(fd, SOL_SOCKET, SO_MARK, &mark.value,
				 sizeof(mark.value));
	if (*device && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device,
				  (socklen_t)strlen(device) + 1) < 0)
		return -1;
	return source->family == ADDRESS_NONE
		       ? 0
		       : bind(fd, &sa.any, address_to_sockaddr(source, &sa));
}

static int read_source(int fd, struct address *from)
{
	union socket_address sa;
	socklen_t len = sizeof(sa);

	if (getsockname(fd, &sa.any, &len) < 0)
		return -1;
	/* The family is that of the socket. */
	(void)address_from_sockaddr(&sa.any, from);
	return 0;
}

int route_find(const struct address *to, const struct source *source, const char *device,
	       struct mark mark, struct address *from)
{
	union socket_address sa;
	socklen_t len = address_to_sockaddr(to, &sa);
	int fd = socket(sa.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int result, error;

	if (fd < 0)
		return -1;
	result = set_options(fd, to->family == ADDRESS_IPV4 ? &source->v4 : &source->v6,
			     device, mark);
	if (result == 0)
		result = connect(fd, &sa.any, len);
	if (result == 0 && from)
		result = read_source(fd, from);
	error = errno;
	close(fd);
	errno = error;
	return result;
}
