/* fault_shim: makes the n-th call of a libc function fail, by LD_PRELOAD.
 *
 *   FAULT_SHIM=malloc:17:ENOMEM,write:3:ENOSPC   what fails: FUNCTION:N:ERRNO
 *   FAULT_SHIM=write:3+:ENOSPC                   the 3rd and all later ones
 *   FAULT_SHIM=write:1:SHORT                     writes only half of it (write only)
 *   FAULT_SHIM_COUNT=FILE                        at exit: "FUNCTION CALLS FAILED" a line
 *
 * A test runs the program once with FAULT_SHIM_COUNT alone, and then once for
 * every function and every n up to the count.  The file stays empty if the program
 * is killed or ends by _exit.
 *
 * "malloc" counts malloc, calloc and realloc together, also those that libc and
 * other libraries make (strdup, asprintf, fopen and getaddrinfo allocate so); it
 * fails with ENOMEM only.  The other functions are seen only where the program or a
 * library calls them by name: libc's own calls are direct, so the write under
 * fprintf, the open under fopen and the socket under getaddrinfo are not among them.
 *
 * Calls are counted from the end of this library's constructor on.  A forked
 * child goes on with its own copy of the counts and writes none.  A FAULT_SHIM
 * that is not understood ends the program with 125: a typing error must not look
 * like a passed test. */
#undef _FILE_OFFSET_BITS /* would rename open to open64, which stands beside it here */
#undef _FORTIFY_SOURCE	 /* would define open and read inline */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Every function that can fail: its name in FAULT_SHIM, and its place. */
/* clang-format off */
#define FUNCTIONS(F) \
	F(malloc) F(write) F(fsync) F(fchmod) F(renameat2) F(openat) F(open) F(socket) \
	F(setsockopt) F(clock_gettime) F(getifaddrs) F(pipe2) F(fork) F(pthread_create) \
	F(signalfd) F(flock) F(ftruncate) F(fstat) \
	F(unlinkat) F(fstatat) F(scandir) F(close) F(read) F(fopen) F(fdopen) F(mmap) \
	F(getsockopt) F(sendmsg) F(recvmsg) F(recv) F(pselect) F(ppoll) F(waitpid) \
	F(getrandom) F(gethostname)
/* clang-format on */

#define PLACE(name) AT_##name,
#define NAME(name) #name,

enum function { FUNCTIONS(PLACE) COUNT };

static const char *const names[COUNT] = {FUNCTIONS(NAME)};

enum { MAX_RULES = 32, SHORT = -1 };

struct rule {
	enum function function;
	unsigned long first, last;
	int error; /* or SHORT */
};

static struct rule rules[MAX_RULES];
static size_t rule_count;
static atomic_ulong calls[COUNT], failed[COUNT];
static atomic_bool armed;
static pid_t owner;
static const char *count_path;
static FILE *count_file; /* opened early: the program confines itself */

static const struct {
	const char *name;
	int value;
} errors[] = {
	{"EPERM", EPERM},
	{"ENOENT", ENOENT},
	{"EINTR", EINTR},
	{"EIO", EIO},
	{"EBADF", EBADF},
	{"ECHILD", ECHILD},
	{"EAGAIN", EAGAIN},
	{"ENOMEM", ENOMEM},
	{"EACCES", EACCES},
	{"EBUSY", EBUSY},
	{"EEXIST", EEXIST},
	{"EXDEV", EXDEV},
	{"ENODEV", ENODEV},
	{"ENOTDIR", ENOTDIR},
	{"EISDIR", EISDIR},
	{"EINVAL", EINVAL},
	{"ENFILE", ENFILE},
	{"EMFILE", EMFILE},
	{"EFBIG", EFBIG},
	{"ENOSPC", ENOSPC},
	{"EROFS", EROFS},
	{"EPIPE", EPIPE},
	{"EDQUOT", EDQUOT},
	{"ELOOP", ELOOP},
	{"ENOLCK", ENOLCK},
	{"ENOSYS", ENOSYS},
	{"EWOULDBLOCK", EWOULDBLOCK},
	{"ENAMETOOLONG", ENAMETOOLONG},
	{"EOVERFLOW", EOVERFLOW},
	{"ESTALE", ESTALE},
	{"ENOBUFS", ENOBUFS},
	{"ENOPROTOOPT", ENOPROTOOPT},
	{"EAFNOSUPPORT", EAFNOSUPPORT},
	{"EPROTONOSUPPORT", EPROTONOSUPPORT},
	{"EADDRNOTAVAIL", EADDRNOTAVAIL},
	{"ENETDOWN", ENETDOWN},
	{"ENETUNREACH", ENETUNREACH},
	{"EOPNOTSUPP", EOPNOTSUPP},
	{"SHORT", SHORT},
};

/* ---- what is to fail ---- */

__attribute__((noreturn)) static void refuse(const char *what)
{
	fprintf(stderr, "fault_shim: not understood: %s\n", what);
	_exit(125);
}

/* The function of that name; COUNT if there is none. */
static enum function function_called(const char *name, size_t len)
{
	enum function f = 0;

	while (f < COUNT &&
	       (strlen(names[f]) != len || strncmp(names[f], name, len) != 0))
		f++;
	return f;
}

/* The errno of that name, 0 if there is none. */
static int error_called(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
		if (strlen(errors[i].name) == len &&
		    strncmp(errors[i].name, name, len) == 0)
			return errors[i].value;
	return 0;
}

/* One FUNCTION:N:ERRNO; returns what follows it. */
static const char *read_rule(const char *text, struct rule *rule)
{
	size_t len = strcspn(text, ":,");
	const char *number = text + len + (text[len] == ':');
	char *end;

	rule->function = function_called(text, len);
	rule->first = strtoul(number, &end, 10);
	rule->last = rule->first;
	if (*end == '+') {
		rule->last = (unsigned long)-1;
		end++;
	}
	if (rule->function == COUNT || end == number || rule->first == 0 || *end != ':')
		refuse(text);
	len = strcspn(++end, ",");
	rule->error = error_called(end, len);
	if (rule->error == 0 || (rule->error == SHORT && rule->function != AT_write) ||
	    (rule->error != ENOMEM && rule->function == AT_malloc)) /* libc asserts it */
		refuse(text);
	return end + len;
}

static void read_rules(const char *text)
{
	while (text != NULL && *text != '\0') {
		if (rule_count == MAX_RULES)
			refuse("too many rules");
		text = read_rule(text, &rules[rule_count++]);
		if (*text == ',')
			text++;
	}
}

/* Counts a call; returns the errno that it is to fail with, 0 if it is not. */
static int fault(enum function f)
{
	unsigned long n;

	if (!atomic_load(&armed))
		return 0;
	n = atomic_fetch_add(&calls[f], 1) + 1;
	for (size_t i = 0; i < rule_count; i++)
		if (rules[i].function == f && n >= rules[i].first && n <= rules[i].last) {
			atomic_fetch_add(&failed[f], 1);
			return rules[i].error;
		}
	return 0;
}

__attribute__((constructor)) static void start(void)
{
	read_rules(getenv("FAULT_SHIM"));
	count_path = getenv("FAULT_SHIM_COUNT");
	count_file = count_path ? fopen(count_path, "we") : NULL;
	if (count_path && !count_file)
		refuse(count_path);
	owner = getpid();
	atomic_store(&armed, true);
}

__attribute__((destructor)) static void report(void)
{
	atomic_store(&armed, false);
	if (count_file == NULL || getpid() != owner)
		return;
	for (size_t f = 0; f < COUNT; f++)
		fprintf(count_file, "%s %lu %lu\n", names[f], atomic_load(&calls[f]),
			atomic_load(&failed[f]));
	if (ferror(count_file) || fclose(count_file) != 0)
		refuse(count_path);
}

/* ---- allocation ----
 *
 * dlsym may allocate before it has told where the real functions are.  Such calls
 * are served from a static buffer, whose blocks are never freed; in front of each
 * stands its size, for realloc. */

typedef union {
	max_align_t align;
	size_t size;
} block;

static block early[4096];
static atomic_size_t early_used;

/* Volatile: libc declares dlsym a leaf, so the compiler believes that it never
 * comes back to this file. */
static _Thread_local __attribute__((tls_model("initial-exec"))) volatile bool looking_up;

static void *next_symbol(const char *name)
{
	bool before = looking_up;
	void *symbol;

	looking_up = true;
	symbol = dlsym(RTLD_NEXT, name);
	looking_up = before;
	if (symbol == NULL)
		refuse(name);
	return symbol;
}

/* The next function of that name, looked up once, as a pointer of its type. */
#define NEXT(pointer, name)                                                              \
	do {                                                                             \
		static void *_Atomic cached;                                             \
		void *symbol = atomic_load_explicit(&cached, memory_order_relaxed);      \
		if (symbol == NULL)                                                      \
			atomic_store(&cached, symbol = next_symbol(name));               \
		memcpy(&(pointer), &symbol, sizeof symbol);                              \
	} while (0)

static void *early_allocate(size_t size)
{
	size_t blocks = size / sizeof(block) + 2;
	size_t at = size < sizeof early ? atomic_fetch_add(&early_used, blocks)
					: sizeof early;

	if (at + blocks > sizeof early / sizeof *early) {
		errno = ENOMEM;
		return NULL;
	}
	early[at].size = size;
	return &early[at + 1];
}

static bool is_early(const void *memory)
{
	const char *at = memory, *begin = (const char *)early;

	return at >= begin && at < begin + sizeof early;
}

void *malloc(size_t size)
{
	void *(*next)(size_t);
	int error;

	if (looking_up)
		return early_allocate(size);
	error = fault(AT_malloc);
	NEXT(next, "malloc");
	if (error == 0)
		return next(size);
	errno = error;
	return NULL;
}

void *calloc(size_t count, size_t size)
{
	void *(*next)(size_t, size_t);
	int error;

	if (looking_up) /* the static buffer is all zeros, and no block is used twice */
		return size == 0 || count <= sizeof early / size
			       ? early_allocate(count * size)
			       : NULL;
	error = fault(AT_malloc);
	NEXT(next, "calloc");
	if (error == 0)
		return next(count, size);
	errno = error;
	return NULL;
}

static void *leave_early(const void *memory, size_t size)
{
	const block *header = (const block *)memory - 1;
	void *fresh = malloc(size);

	if (fresh != NULL)
		memcpy(fresh, memory, header->size < size ? header->size : size);
	return fresh;
}

void *realloc(void *memory, size_t size)
{
	void *(*next)(void *, size_t);
	int error;

	if (is_early(memory))
		return leave_early(memory, size);
	if (looking_up)
		return memory == NULL ? early_allocate(size) : NULL;
	error = fault(AT_malloc);
	NEXT(next, "realloc");
	if (error == 0)
		return next(memory, size);
	errno = error;
	return NULL;
}

void free(void *memory)
{
	void (*next)(void *);

	if (memory == NULL || is_early(memory) || looking_up)
		return;
	NEXT(next, "free");
	next(memory);
}

/* ---- all others ---- */

/* TYPE NAME(PARAMETERS), counted as FUNCTION; on a fault errno is set and FAILURE
 * returned. */
#define WRAP(type, name, function, parameters, arguments, failure)                       \
	type name parameters                                                             \
	{                                                                                \
		type(*next) parameters;                                                  \
		int error = fault(AT_##function);                                        \
                                                                                         \
		if (error != 0) {                                                        \
			errno = error;                                                   \
			return failure;                                                  \
		}                                                                        \
		NEXT(next, #name);                                                       \
		return next arguments;                                                   \
	}

/* The same with a mode behind the flags, if these ask for one. */
#define WRAP_OPEN(name, function, parameters, arguments)                                 \
	int name parameters                                                              \
	{                                                                                \
		int(*next) parameters;                                                   \
		int error = fault(AT_##function);                                        \
		mode_t mode = 0;                                                         \
		va_list ap;                                                              \
                                                                                         \
		if (error != 0) {                                                        \
			errno = error;                                                   \
			return -1;                                                       \
		}                                                                        \
		if ((flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE) {        \
			va_start(ap, flags);                                             \
			mode = va_arg(ap, mode_t);                                       \
			va_end(ap);                                                      \
		}                                                                        \
		NEXT(next, #name);                                                       \
		return next arguments;                                                   \
	}

/* Prototypes that the headers keep for programs with _FORTIFY_SOURCE. */
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int dir, const char *path, int flags);
int __openat64_2(int dir, const char *path, int flags);
ssize_t __read_chk(int fd, void *to, size_t size, size_t room);
ssize_t __recv_chk(int fd, void *to, size_t size, size_t room, int flags);
int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
		const sigset_t *mask, size_t room);
int __gethostname_chk(char *to, size_t size, size_t room);

WRAP_OPEN(open, open, (const char *path, int flags, ...), (path, flags, mode))
WRAP_OPEN(open64, open, (const char *path, int flags, ...), (path, flags, mode))
WRAP_OPEN(openat, openat, (int dir, const char *path, int flags, ...),
	  (dir, path, flags, mode))
WRAP_OPEN(openat64, openat, (int dir, const char *path, int flags, ...),
	  (dir, path, flags, mode))
WRAP(int, __open_2, open, (const char *path, int flags), (path, flags), -1)
WRAP(int, __open64_2, open, (const char *path, int flags), (path, flags), -1)
WRAP(int, __openat_2, openat, (int dir, const char *path, int flags), (dir, path, flags),
     -1)
WRAP(int, __openat64_2, openat, (int dir, const char *path, int flags),
     (dir, path, flags), -1)

WRAP(int, fsync, fsync, (int fd), (fd), -1)
WRAP(int, fchmod, fchmod, (int fd, mode_t mode), (fd, mode), -1)
WRAP(int, flock, flock, (int fd, int operation), (fd, operation), -1)
WRAP(int, ftruncate, ftruncate, (int fd, off_t length), (fd, length), -1)
WRAP(int, ftruncate64, ftruncate, (int fd, off64_t length), (fd, length), -1)
WRAP(int, fstat, fstat, (int fd, struct stat *status), (fd, status), -1)
WRAP(int, fstat64, fstat, (int fd, struct stat64 *status), (fd, status), -1)
WRAP(int, unlinkat, unlinkat, (int dir, const char *path, int flags), (dir, path, flags),
     -1)
WRAP(int, fstatat, fstatat,
     (int dir, const char *restrict path, struct stat *restrict status, int flags),
     (dir, path, status, flags), -1)
WRAP(int, fstatat64, fstatat,
     (int dir, const char *restrict path, struct stat64 *restrict status, int flags),
     (dir, path, status, flags), -1)
WRAP(int, scandir, scandir,
     (const char *restrict path, struct dirent ***restrict list,
      int (*wanted)(const struct dirent *),
      int (*compare)(const struct dirent **, const struct dirent **)),
     (path, list, wanted, compare), -1)
WRAP(int, scandir64, scandir,
     (const char *restrict path, struct dirent64 ***restrict list,
      int (*wanted)(const struct dirent64 *),
      int (*compare)(const struct dirent64 **, const struct dirent64 **)),
     (path, list, wanted, compare), -1)
WRAP(void *, mmap, mmap,
     (void *at, size_t len, int protection, int flags, int fd, off_t offset),
     (at, len, protection, flags, fd, offset), MAP_FAILED)
WRAP(void *, mmap64, mmap,
     (void *at, size_t len, int protection, int flags, int fd, off64_t offset),
     (at, len, protection, flags, fd, offset), MAP_FAILED)
WRAP(FILE *, fopen, fopen, (const char *restrict path, const char *restrict mode),
     (path, mode), NULL)
WRAP(FILE *, fopen64, fopen, (const char *restrict path, const char *restrict mode),
     (path, mode), NULL)
WRAP(FILE *, fdopen, fdopen, (int fd, const char *mode), (fd, mode), NULL)
WRAP(ssize_t, read, read, (int fd, void *to, size_t size), (fd, to, size), -1)
WRAP(ssize_t, __read_chk, read, (int fd, void *to, size_t size, size_t room),
     (fd, to, size, room), -1)

WRAP(int, socket, socket, (int domain, int type, int protocol), (domain, type, protocol),
     -1)
WRAP(int, setsockopt, setsockopt,
     (int fd, int level, int option, const void *value, socklen_t len),
     (fd, level, option, value, len), -1)
WRAP(ssize_t, recvmsg, recvmsg, (int fd, struct msghdr *message, int flags),
     (fd, message, flags), -1)
WRAP(int, getsockopt, getsockopt,
     (int fd, int level, int option, void *restrict value, socklen_t *restrict len),
     (fd, level, option, value, len), -1)
WRAP(ssize_t, sendmsg, sendmsg, (int fd, const struct msghdr *message, int flags),
     (fd, message, flags), -1)
WRAP(ssize_t, recv, recv, (int fd, void *to, size_t size, int flags),
     (fd, to, size, flags), -1)
WRAP(ssize_t, __recv_chk, recv, (int fd, void *to, size_t size, size_t room, int flags),
     (fd, to, size, room, flags), -1)
WRAP(int, getifaddrs, getifaddrs, (struct ifaddrs * *list), (list), -1)
WRAP(int, pselect, pselect,
     (int count, fd_set *restrict in, fd_set *restrict out, fd_set *restrict except,
      const struct timespec *restrict timeout, const sigset_t *restrict mask),
     (count, in, out, except, timeout, mask), -1)
WRAP(int, ppoll, ppoll,
     (struct pollfd * fds, nfds_t count, const struct timespec *timeout,
      const sigset_t *mask),
     (fds, count, timeout, mask), -1)
WRAP(int, __ppoll_chk, ppoll,
     (struct pollfd * fds, nfds_t count, const struct timespec *timeout,
      const sigset_t *mask, size_t room),
     (fds, count, timeout, mask, room), -1)
WRAP(int, gethostname, gethostname, (char *to, size_t size), (to, size), -1)
WRAP(int, __gethostname_chk, gethostname, (char *to, size_t size, size_t room),
     (to, size, room), -1)
WRAP(ssize_t, getrandom, getrandom, (void *to, size_t size, unsigned flags),
     (to, size, flags), -1)
WRAP(pid_t, waitpid, waitpid, (pid_t pid, int *status, int options),
     (pid, status, options), -1)
WRAP(int, clock_gettime, clock_gettime, (clockid_t clock, struct timespec *t), (clock, t),
     -1)
WRAP(int, signalfd, signalfd, (int fd, const sigset_t *set, int flags), (fd, set, flags),
     -1)
WRAP(int, pipe2, pipe2, (int ends[2], int flags), (ends, flags), -1)
WRAP(pid_t, fork, fork, (void), (), -1)
WRAP(int, pthread_create, pthread_create,
     (pthread_t *restrict thread, const pthread_attr_t *restrict attributes,
      void *(*run)(void *), void *restrict argument),
     (thread, attributes, run, argument), error)

/* The descriptor is gone even when close fails, as Linux does it. */
int close(int fd)
{
	int (*next)(int);
	int error = fault(AT_close);
	int result;

	NEXT(next, "close");
	result = next(fd);
	if (error == 0)
		return result;
	errno = error;
	return -1;
}

ssize_t write(int fd, const void *data, size_t size)
{
	ssize_t (*next)(int, const void *, size_t);
	int error = fault(AT_write);

	if (error > 0) {
		errno = error;
		return -1;
	}
	NEXT(next, "write");
	return next(fd, data, error == SHORT && size > 1 ? size / 2 : size);
}

/* The program renames by number. */
long syscall(long number, ...)
{
	long (*next)(long number, ...);
	long argument[6];
	int error = number == SYS_renameat2 ? fault(AT_renameat2) : 0;
	va_list ap;

	if (error != 0) {
		errno = error;
		return -1;
	}
	va_start(ap, number);
	for (size_t i = 0; i < 6; i++)
		argument[i] = va_arg(ap, long);
	va_end(ap);
	NEXT(next, "syscall");
	return next(number, argument[0], argument[1], argument[2], argument[3],
		    argument[4], argument[5]);
}
