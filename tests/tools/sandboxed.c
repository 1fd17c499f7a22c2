/*
 * Runs the program $SANDBOX_PROGRAM with our arguments as the systemd unit would:
 * without any capability but CAP_NET_RAW, without new privileges, and inside the system
 * call filter of the file $SANDBOX_FILTER (tests/tools/sandbox-filter).
 *
 * It calls nothing that the shims of the tests count.
 */
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <fcntl.h>
#include <unistd.h>

#define FILTER_MAX 4096

static void die(const char *what)
{
	perror(what);
	exit(126);
}

static const char *setting(const char *name)
{
	const char *value = getenv(name);

	if (!value) {
		fprintf(stderr, "sandboxed: %s is not set\n", name);
		exit(126);
	}
	return value;
}

/* What is not had cannot be kept: a caller may have given CAP_NET_RAW up. */
static void drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];
	unsigned kept;

	for (unsigned long capability = 0; capability <= CAP_LAST_CAP; capability++)
		if (capability != CAP_NET_RAW)
			prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
	if (syscall(SYS_capget, &header, data) < 0)
		die("capget");
	kept = data[0].permitted & (1U << CAP_NET_RAW);
	data[0].effective = data[0].permitted = data[0].inheritable = kept;
	data[1].effective = data[1].permitted = data[1].inheritable = 0;
	if (syscall(SYS_capset, &header, data) < 0)
		die("capset");
	if (kept)
		prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0);
}

static void enter_filter(const char *path)
{
	static struct sock_filter instructions[FILTER_MAX];
	struct sock_fprog program = {.filter = instructions};
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	long size;

	if (fd < 0)
		die(path);
	size = syscall(SYS_read, fd, instructions, sizeof(instructions));
	if (size <= 0 || (size_t)size == sizeof(instructions))
		die(path);
	syscall(SYS_close, fd);
	program.len = (unsigned short)((size_t)size / sizeof(instructions[0]));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		die("no new privileges");
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0)
		die("seccomp");
}

int main(int argc, char *argv[])
{
	const char *program = setting("SANDBOX_PROGRAM");

	(void)argc;
	drop_capabilities();
	enter_filter(setting("SANDBOX_FILTER"));
	execv(program, argv);
	die(program);
}
