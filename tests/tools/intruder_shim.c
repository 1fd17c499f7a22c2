/* intruder_shim: code of an attacker inside the program, by LD_PRELOAD.
 *
 *   INTRUDER=FILE       the report
 *   INTRUDER_OWN=DIR    a directory that may be written
 *   INTRUDER_ROOT=DIR   below it everything is tried; it has a directory tmp
 *
 * It acts when the program is about to publish, as late as possible, in the thread
 * that does so. It tries to write everywhere and to gain whatever it can, and reports
 * what it achieved, a line each, and at last "done". Files that it creates stay. */
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define FAMILIES 46
#define NAME "intruder-was-here"

static FILE *report;
static const char *own;

static void try_open(const char *path, int flags)
{
	int fd = open(path, flags | O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);

	if (fd < 0)
		return;
	fprintf(report, "wrote to %s\n", path);
	close(fd);
}

/* What belongs to this process alone, and what it holds open, is no place of others. */
static bool is_of_this_process(const char *path)
{
	char self[32];

	snprintf(self, sizeof(self), "/proc/%d/", (int)getpid());
	return strncmp(path, self, strlen(self)) == 0;
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	char name[PATH_MAX];

	(void)ftw;
	if (is_of_this_process(path))
		return 0;
	if (type == FTW_D || type == FTW_DNR) {
		snprintf(name, sizeof(name), "%s/%s", path, NAME);
		try_open(name, O_CREAT);
		snprintf(name, sizeof(name), "%s/%s.d", path, NAME);
		if (mkdir(name, 0700) == 0) {
			fprintf(report, "made a directory in %s\n", path);
			rmdir(name);
		}
	} else if (type == FTW_F && !S_ISSOCK(st->st_mode)) {
		try_open(path, O_APPEND);
	}
	return 0;
}

/* Changes of names in a directory that everybody may write to, and out of our own. */
static void try_names(const char *root)
{
	char mine[PATH_MAX], theirs[PATH_MAX];
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(mine, sizeof(mine), "%s/" NAME, own);
	snprintf(theirs, sizeof(theirs), "%s/tmp/" NAME, root);
	if (symlink("/", theirs) == 0)
		fputs("made a link\n", report);
	if (mkfifo(theirs, 0600) == 0)
		fputs("made a FIFO\n", report);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/tmp/socket", root);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		fputs("made a socket\n", report);
	if (link(mine, theirs) == 0 || rename(mine, theirs) == 0)
		fputs("moved a file\n", report);
	snprintf(theirs, sizeof(theirs), "%s/tmp/of-nobody", root);
	if (unlink(theirs) == 0)
		fputs("removed a file\n", report);
	close(fd);
}

/* EXECUTE returns only if it failed. */
static void try_execution(const char *what, void (*execute)(void))
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		execute();
		_exit(126);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
	    WEXITSTATUS(status) != 126)
		fprintf(report, "executed %s\n", what);
}

static char *const arguments[] = {(char[]){"true"}, NULL};

static void execute_program(void)
{
	execv("/bin/true", arguments);
}

static void execute_self(void)
{
	execv("/proc/self/exe", arguments);
}

static void copy_true(int fd)
{
	char buffer[65536];
	int from = open("/bin/true", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	while ((n = read(from, buffer, sizeof(buffer))) > 0)
		if (write(fd, buffer, (size_t)n) != n)
			break;
	close(from);
}

static void execute_copy(void)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/copy", own);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
	copy_true(fd);
	close(fd);
	execv(path, arguments);
}

static void execute_memory(void)
{
	int fd = memfd_create("copy", MFD_CLOEXEC);

	if (fd < 0)
		return;
	copy_true(fd);
	syscall(SYS_execveat, fd, "", arguments, environ, AT_EMPTY_PATH);
}

static void try_families(void)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET};

	for (int family = 0; family < FAMILIES; family++)
		for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
			int fd = socket(family, types[i], 0);

			if (fd >= 0) {
				fprintf(report, "opened family %d\n", family);
				close(fd);
				break;
			}
		}
}

static void try_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct all[2] = {{~0U, ~0U, ~0U}, {~0U, ~0U, ~0U}};

	if (syscall(SYS_capset, &header, all) == 0)
		fputs("gained all capabilities\n", report);
}

static void try_privileges(void)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", own, NAME);
	if (chmod(path, 04755) == 0)
		fputs("gained a file with a user id\n", report);
	if (setuid(0) == 0 || seteuid(0) == 0)
		fputs("gained root\n", report);
	if (mount("none", "/tmp", "tmpfs", 0, NULL) == 0)
		fputs("gained a mount\n", report);
	if (ptrace(PTRACE_ATTACH, 1, NULL, NULL) == 0)
		fputs("gained process 1\n", report);
	if (unshare(CLONE_NEWUSER) == 0)
		fputs("gained a user namespace\n", report);
	if (mmap(NULL, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		 0) != MAP_FAILED)
		fputs("gained memory that can be written and executed\n", report);
	try_capabilities();
}

/* What the kernel says of this process. */
static void copy_status(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	char line[256];

	while (status && fgets(line, sizeof(line), status))
		if (strncmp(line, "Cap", 3) == 0 ||
		    strncmp(line, "NoNewPrivs", 10) == 0 ||
		    strncmp(line, "Seccomp:", 8) == 0)
			fputs(line, report);
	if (status)
		fclose(status);
}

static void intrude(void)
{
	const char *root = getenv("INTRUDER_ROOT");

	report = fopen(getenv("INTRUDER"), "we");
	own = getenv("INTRUDER_OWN");
	if (!report || !own || !root)
		return;
	nftw(root, visit, 32, FTW_PHYS);
	try_names(root);
	try_execution("a program", execute_program);
	try_execution("itself", execute_self);
	try_execution("a copy of its own", execute_copy);
	try_execution("a file in memory", execute_memory);
	try_families();
	try_privileges();
	copy_status();
	fputs("done\n", report);
	fclose(report);
}

int fchmod(int fd, mode_t mode)
{
	if (!report)
		intrude();
	return (int)syscall(SYS_fchmod, fd, mode);
}
