#include "tun.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for a whole burst of requests: with the default of 500 the kernel would drop the
 * rest. */
enum { QUEUE_LENGTH = 100000 };
/* A device that takes nothing for a second is broken. */
enum { WRITE_TRIES = 1000 };

static int complain(const char *name, const char *what)
{
	fprintf(stderr, "simnet: %s: %s: %s\n", name, what, strerror(errno));
	return -1;
}

/* The question and the answer that set a device up over netlink. */
struct link_message {
	struct nlmsghdr header;
	struct ifinfomsg link;
	struct nlattr attribute;
	uint32_t queue_length;
};

struct link_answer {
	struct nlmsghdr header;
	struct nlmsgerr error;
};

static int ask_kernel(int netlink, const struct link_message *message)
{
	struct link_answer answer;

	if (send(netlink, message, sizeof *message, 0) != (ssize_t)sizeof *message)
		return -1;
	ssize_t length = recv(netlink, &answer, sizeof answer, 0);
	if (length < 0)
		return -1;
	errno = (size_t)length < sizeof answer || answer.header.nlmsg_type != NLMSG_ERROR
			? EPROTO
			: -answer.error.error;
	return errno == 0 ? 0 : -1;
}

/* By netlink, because SIOCSIFTXQLEN is refused to the root of a user namespace. */
static int bring_up(const char *name)
{
	struct link_message message = {
		.header = {.nlmsg_len = sizeof message,
			   .nlmsg_type = RTM_NEWLINK,
			   .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
		.link = {.ifi_index = (int)if_nametoindex(name),
			 .ifi_flags = IFF_UP,
			 .ifi_change = IFF_UP},
		.attribute = {.nla_len = sizeof message.attribute +
					 sizeof message.queue_length,
			      .nla_type = IFLA_TXQLEN},
		.queue_length = QUEUE_LENGTH,
	};
	int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (netlink < 0)
		return complain(name, "netlink");
	int result = ask_kernel(netlink, &message) == 0 ? 0 : complain(name, "bring up");
	if (close(netlink) != 0 && result == 0)
		result = complain(name, "close");
	return result;
}

static int create(int tun, const char *name)
{
	struct ifreq request = {.ifr_flags = (short)(IFF_TUN | IFF_NO_PI)};

	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
	if (ioctl(tun, TUNSETIFF, &request) != 0)
		return complain(name, "TUNSETIFF");
	return bring_up(name);
}

int tun_open(const char *name)
{
	if (strlen(name) >= IFNAMSIZ) {
		fprintf(stderr, "simnet: %s: the name of the device is too long\n", name);
		return -1;
	}
	int tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (tun < 0)
		return complain("/dev/net/tun", "open");
	if (create(tun, name) != 0) {
		close(tun);
		return -1;
	}
	return tun;
}

int tun_write(int tun, const uint8_t *packet, size_t length)
{
	for (int i = 0; i < WRITE_TRIES; i++) {
		ssize_t written = write(tun, packet, length);
		if (written == (ssize_t)length)
			return 1;
		if (written >= 0) {
			fprintf(stderr, "simnet: the device took half a packet\n");
			return -1;
		}
		if (errno == EIO)
			return 0;
		if (errno != EAGAIN && errno != ENOBUFS && errno != EINTR)
			break;
		(void)poll(NULL, 0, 1);
	}
	return complain("tun", "write");
}

/* /proc/net/dev: eight numbers of what came in, then of what went out; drops are the
 * fourth. */
static int parse_drops(struct tun_drops *out, const char *numbers)
{
	uint64_t value[12] = {0};
	for (size_t i = 0; i < sizeof value / sizeof *value; i++) {
		char *end = NULL;
		value[i] = strtoull(numbers, &end, 10);
		if (end == numbers)
			return -1;
		numbers = end;
	}
	out->replies = value[3];
	out->requests = value[11];
	return 0;
}

int tun_read_drops(struct tun_drops *out, const char *name)
{
	FILE *in = fopen("/proc/self/net/dev", "re");
	char line[512];
	int result = -1;

	if (in == NULL)
		return -1;
	while (result != 0 && fgets(line, sizeof line, in) != NULL) {
		const char *text = line + strspn(line, " ");
		size_t length = strlen(name);
		if (strncmp(text, name, length) == 0 && text[length] == ':')
			result = parse_drops(out, text + length + 1);
	}
	return fclose(in) == 0 ? result : -1;
}
