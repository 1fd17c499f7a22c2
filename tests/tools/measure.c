/* measure: what one run of a program costs, as the kernel knows it.
 *
 *   measure [-c CORE] -o FILE COMMAND [ARGUMENT...]
 *
 * Runs COMMAND, on that core alone, and writes one line to FILE:
 *
 *   status= wall_ns= user_us= system_us=   of the whole process and the children it
 * waited for peak_kb=                               VmHWM anon_kb= file_kb= shmem_kb=
 * dirty_kb=  RssAnon, RssFile, RssShmem, Private_Dirty at its end threads= at its end
 *
 * The figures of memory are read in the last moment in which it has any: ru_maxrss would
 * show that of whoever started it.  Ends with the status of COMMAND; 125 if it could not
 * be measured. */
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { EX_NOT_MEASURED = 125, EX_NOT_FOUND = 127 };

struct memory {
	long peak_kb, anon_kb, file_kb, shmem_kb, dirty_kb, threads;
};

__attribute__((noreturn)) static void die(const char *what)
{
	fprintf(stderr, "measure: %s: %s\n", what, strerror(errno));
	exit(EX_NOT_MEASURED);
}

static int64_t now_ns(void)
{
	struct timespec t;
	if (clock_gettime(CLOCK_MONOTONIC, &t) != 0)
		die("clock_gettime");
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* The number of a line `KEY: NUMBER ...` of a file of the process. */
static long proc_number(pid_t pid, const char *file, const char *key)
{
	char path[64];
	char line[256];
	long value = -1;

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
	FILE *in = fopen(path, "re");
	if (!in)
		return -1;
	while (value < 0 && fgets(line, sizeof line, in))
		if (strncmp(line, key, strlen(key)) == 0 && line[strlen(key)] == ':')
			value = strtol(line + strlen(key) + 1, NULL, 10);
	fclose(in);
	return value;
}

static struct memory read_memory(pid_t pid)
{
	return (struct memory){
		.peak_kb = proc_number(pid, "status", "VmHWM"),
		.anon_kb = proc_number(pid, "status", "RssAnon"),
		.file_kb = proc_number(pid, "status", "RssFile"),
		.shmem_kb = proc_number(pid, "status", "RssShmem"),
		.dirty_kb = proc_number(pid, "smaps_rollup", "Private_Dirty"),
		.threads = proc_number(pid, "status", "Threads"),
	};
}

static void move_to(long core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)core, &set);
	if (sched_setaffinity(0, sizeof set, &set) != 0)
		die("sched_setaffinity");
}

/* The child waits until it is traced. */
static pid_t start(char **command, long core)
{
	int gate[2];
	char byte;

	if (pipe(gate) != 0)
		die("pipe");
	pid_t pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		close(gate[1]);
		if (core >= 0)
			move_to(core);
		if (read(gate[0], &byte, 1) != 0)
			_exit(EX_NOT_MEASURED);
		close(gate[0]);
		execvp(command[0], command);
		_exit(EX_NOT_FOUND);
	}
	if (ptrace(PTRACE_SEIZE, pid, NULL, PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL) != 0)
		die("ptrace");
	close(gate[0]);
	close(gate[1]);
	return pid;
}

/* Until it ends: its signals reach it, and at the last stop its memory is read. */
static int follow(pid_t pid, struct memory *memory, struct rusage *usage)
{
	int status = 0;

	for (;;) {
		if (wait4(pid, &status, 0, usage) != pid)
			die("wait4");
		if (!WIFSTOPPED(status))
			return WIFEXITED(status) ? WEXITSTATUS(status)
						 : 128 + WTERMSIG(status);
		int event = status >> 16;
		if (event == PTRACE_EVENT_EXIT)
			*memory = read_memory(pid);
		/* It may have been killed meanwhile, and then wait4() says so. */
		ptrace(PTRACE_CONT, pid, NULL, event == 0 ? WSTOPSIG(status) : 0);
	}
}

static int64_t timeval_us(struct timeval t)
{
	return (int64_t)t.tv_sec * 1000000 + t.tv_usec;
}

static void write_line(const char *path, int status, int64_t wall_ns,
		       const struct rusage *usage, const struct memory *memory)
{
	FILE *out = fopen(path, "we");
	if (!out)
		die(path);
	fprintf(out, "status=%d wall_ns=%" PRId64 " user_us=%" PRId64, status, wall_ns,
		timeval_us(usage->ru_utime));
	fprintf(out, " system_us=%" PRId64 " peak_kb=%ld anon_kb=%ld file_kb=%ld",
		timeval_us(usage->ru_stime), memory->peak_kb, memory->anon_kb,
		memory->file_kb);
	fprintf(out, " shmem_kb=%ld dirty_kb=%ld threads=%ld\n", memory->shmem_kb,
		memory->dirty_kb, memory->threads);
	if (fclose(out) != 0)
		die(path);
}

int main(int argc, char **argv)
{
	const char *path = NULL;
	long core = -1;
	int letter = 0;

	while ((letter = getopt(argc, argv, "+c:o:")) != -1) {
		if (letter == 'c')
			core = strtol(optarg, NULL, 10);
		else if (letter == 'o')
			path = optarg;
	}
	if (!path || optind == argc || core >= CPU_SETSIZE) {
		fputs("usage: measure [-c CORE] -o FILE COMMAND [ARGUMENT...]\n", stderr);
		return EX_NOT_MEASURED;
	}

	struct memory memory = {-1, -1, -1, -1, -1, -1};
	struct rusage usage;
	int64_t begin_ns = now_ns();
	int status = follow(start(argv + optind, core), &memory, &usage);
	write_line(path, status, now_ns() - begin_ns, &usage, &memory);
	return status;
}
