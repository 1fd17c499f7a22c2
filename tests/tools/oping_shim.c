/*
 * For a liboping whose calls of select(), sendto() or recvmsg() were renamed to zelect(),
 * zendto() or zecvmsg(): does the same by functions that nodecanary does not replace.
 *
 *   OPING_SHIM=deaf   zelect() waits for ever, whatever its timeout, and no signal ends it
 */
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

int zelect(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds,
	   struct timeval *timeout);
ssize_t zendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *addr,
	       socklen_t addr_len);
ssize_t zecvmsg(int fd, struct msghdr *message, int flags);

int zelect(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds,
	   struct timeval *timeout)
{
	struct timespec ts = {timeout->tv_sec, timeout->tv_usec * 1000};
	const char *manner = getenv("OPING_SHIM");

	while (manner && strcmp(manner, "deaf") == 0)
		pause();
	return pselect(nfds, readfds, writefds, exceptfds, &ts, NULL);
}

ssize_t zendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *addr,
	       socklen_t addr_len)
{
	struct sockaddr_storage to;
	char bytes[4096];
	struct iovec iov = {bytes, n};
	struct msghdr message = {.msg_name = &to,
				 .msg_namelen = addr_len,
				 .msg_iov = &iov,
				 .msg_iovlen = 1};

	memcpy(&to, addr, addr_len);
	memcpy(bytes, buf, n);
	return sendmsg(fd, &message, flags);
}

/* Blocks where there is nothing to read. */
ssize_t zecvmsg(int fd, struct msghdr *message, int flags)
{
	struct mmsghdr one = {.msg_hdr = *message};

	if (recvmmsg(fd, &one, 1, flags, NULL) < 1)
		return -1;
	*message = one.msg_hdr;
	return (ssize_t)one.msg_len;
}
