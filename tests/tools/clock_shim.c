/* clock_shim: a wall clock that jumps, by LD_PRELOAD.
 *
 *   CLOCK_SHIM_AT_MS=500        when, in ms after the start of the program
 *   CLOCK_SHIM_BY_MS=-3600000   by how much, forward or back
 *   CLOCK_SHIM_STATIC_BY_MS=N   a shift from the start on, alone or besides
 *
 * Shifted alike: clock_gettime of CLOCK_REALTIME, its _COARSE and CLOCK_TAI,
 * gettimeofday, time, timespec_get, and the kernel's receive times that recvmsg
 * and recvmmsg bring (SO_TIMESTAMP, SO_TIMESTAMPNS).  One rule serves all: whatever lies
 * at or behind the instant of the jump on the machine's own wall clock is shifted, so a
 * packet that came before the jump keeps its stamp, however late it is read.
 * CLOCK_MONOTONIC stays as it is.  A jump back needs a peer that answers after it.
 *
 * Not shifted: what the kernel itself does with the wall clock (mtime of files,
 * absolute timeouts, timers), and what libc calls within itself (syslog).  A
 * process that is executed anew counts CLOCK_SHIM_AT_MS from its own start, one
 * that is forked from its parent's.  A variable that is not a number, or one of
 * the first two without the other, ends the program with 125: a typing error must
 * not look like a passed test. */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { NS_PER_US = 1000, NS_PER_MS = 1000000, NS_PER_S = 1000000000 };

typedef int clock_function(clockid_t, struct timespec *);
typedef ssize_t recvmsg_function(int, struct msghdr *, int);
typedef int recvmmsg_function(int, struct mmsghdr *, unsigned, int, struct timespec *);

_Static_assert(sizeof(time_t) == 8, "32-bit time has other control messages");

static struct {
	pthread_once_t once;
	clock_function *clock;
	recvmsg_function *recvmsg;
	recvmmsg_function *recvmmsg;
	int64_t static_by_ns, by_ns;
	int64_t jump_ns; /* on the machine's wall clock; INT64_MAX: never */
} shim = {.once = PTHREAD_ONCE_INIT};

/* Set while this thread is in set_up(): dlsym may allocate, an allocator may ask
 * for the time, and pthread_once would wait for itself.  Volatile: libc declares
 * dlsym a leaf, so the compiler believes that it never comes back to this file. */
static _Thread_local __attribute__((tls_model("initial-exec"))) volatile bool in_set_up;

static int64_t to_ns(const struct timespec *t)
{
	return (int64_t)t->tv_sec * NS_PER_S + t->tv_nsec;
}

static struct timespec from_ns(int64_t ns)
{
	int64_t rest = ns % NS_PER_S;

	if (rest < 0)
		rest += NS_PER_S;
	return (struct timespec){.tv_sec = (ns - rest) / NS_PER_S, .tv_nsec = rest};
}

static struct timeval timeval_of(int64_t ns)
{
	struct timespec t = from_ns(ns);

	return (struct timeval){.tv_sec = t.tv_sec, .tv_usec = t.tv_nsec / NS_PER_US};
}

__attribute__((noreturn)) static void complain(const char *what)
{
	fprintf(stderr, "clock_shim: %s\n", what);
	_exit(125);
}

/* Milliseconds of the environment, as ns; false if it is not set. */
static bool variable(const char *name, int64_t *ns)
{
	const char *text = getenv(name);
	char *end;
	long long value;

	if (text == NULL)
		return false;
	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' ||
	    value > INT64_MAX / NS_PER_MS / 2 || value < INT64_MIN / NS_PER_MS / 2)
		complain(name);
	*ns = value * NS_PER_MS;
	return true;
}

static int64_t raw_ns(clockid_t clock)
{
	struct timespec t;

	if (syscall(SYS_clock_gettime, clock, &t) != 0)
		complain("no clock");
	return to_ns(&t);
}

/* Where `in_ns` from now is on the machine's wall clock; down to whole
 * microseconds, so that stamps which are cut to these fall on the right side. */
static int64_t jump_instant(int64_t in_ns)
{
	int64_t instant = raw_ns(CLOCK_REALTIME) + in_ns;

	return instant - instant % NS_PER_US;
}

static void *next_symbol(const char *name)
{
	void *symbol = dlsym(RTLD_NEXT, name);

	if (symbol == NULL)
		complain(name);
	return symbol;
}

static void set_up(void)
{
	int64_t at_ns = 0;
	void *symbol;
	bool at;

	in_set_up = true;
	symbol = next_symbol("clock_gettime");
	memcpy(&shim.clock, &symbol, sizeof symbol);
	symbol = next_symbol("recvmsg");
	memcpy(&shim.recvmsg, &symbol, sizeof symbol);
	symbol = next_symbol("recvmmsg");
	memcpy(&shim.recvmmsg, &symbol, sizeof symbol);
	at = variable("CLOCK_SHIM_AT_MS", &at_ns);
	if (at != variable("CLOCK_SHIM_BY_MS", &shim.by_ns))
		complain("CLOCK_SHIM_AT_MS and CLOCK_SHIM_BY_MS belong together");
	(void)variable("CLOCK_SHIM_STATIC_BY_MS", &shim.static_by_ns);
	shim.jump_ns = at ? jump_instant(at_ns) : INT64_MAX;
	in_set_up = false;
}

/* The program's start, unless somebody's constructor asks for the time before. */
__attribute__((constructor)) static void start(void)
{
	(void)pthread_once(&shim.once, set_up);
}

static int real_clock(clockid_t clock, struct timespec *t)
{
	if (in_set_up)
		return (int)syscall(SYS_clock_gettime, clock, t);
	(void)pthread_once(&shim.once, set_up);
	return shim.clock(clock, t);
}

/* How far the clock is off at that instant of the machine's wall clock. */
static int64_t shift_at(int64_t wall_ns)
{
	return shim.static_by_ns + (wall_ns >= shim.jump_ns ? shim.by_ns : 0);
}

/* The played wall clock, or -1 with errno.  The coarse clock lags by up to a
 * tick: whether the jump has happened is asked of the fine one. */
static int played_ns(clockid_t clock, int64_t *ns)
{
	struct timespec wall, t;

	if (real_clock(CLOCK_REALTIME, &wall) != 0)
		return -1;
	t = wall;
	if (clock != CLOCK_REALTIME && real_clock(clock, &t) != 0)
		return -1;
	*ns = to_ns(&t) + shift_at(to_ns(&wall));
	return 0;
}

int clock_gettime(clockid_t clock, struct timespec *t)
{
	int64_t ns;

	if (in_set_up || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE &&
			  clock != CLOCK_TAI))
		return real_clock(clock, t);
	if (played_ns(clock, &ns) != 0)
		return -1;
	*t = from_ns(ns);
	return 0;
}

int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
	int64_t ns;

	if (played_ns(CLOCK_REALTIME, &ns) != 0)
		return -1;
	*tv = timeval_of(ns);
	if (tz != NULL)
		memset(tz, 0, sizeof(struct timezone));
	return 0;
}

time_t time(time_t *where)
{
	int64_t ns;
	time_t now;

	if (played_ns(CLOCK_REALTIME_COARSE, &ns) != 0)
		return -1;
	now = from_ns(ns).tv_sec;
	if (where != NULL)
		*where = now;
	return now;
}

int timespec_get(struct timespec *t, int base)
{
	return base == TIME_UTC && clock_gettime(CLOCK_REALTIME, t) == 0 ? base : 0;
}

static void shift_stamp(struct cmsghdr *message)
{
	unsigned char *data = CMSG_DATA(message);
	struct timespec t;
	struct timeval tv;

	if (message->cmsg_type == SCM_TIMESTAMPNS &&
	    message->cmsg_len >= CMSG_LEN(sizeof t)) {
		memcpy(&t, data, sizeof t);
		t = from_ns(to_ns(&t) + shift_at(to_ns(&t)));
		memcpy(data, &t, sizeof t);
	} else if (message->cmsg_type == SCM_TIMESTAMP &&
		   message->cmsg_len >= CMSG_LEN(sizeof tv)) {
		memcpy(&tv, data, sizeof tv);
		t = (struct timespec){.tv_sec = tv.tv_sec,
				      .tv_nsec = tv.tv_usec * NS_PER_US};
		tv = timeval_of(to_ns(&t) + shift_at(to_ns(&t)));
		memcpy(data, &tv, sizeof tv);
	}
}

static void shift_stamps(struct msghdr *message)
{
	struct cmsghdr *control;

	for (control = CMSG_FIRSTHDR(message); control != NULL;
	     control = CMSG_NXTHDR(message, control))
		if (control->cmsg_level == SOL_SOCKET)
			shift_stamp(control);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	ssize_t got;

	(void)pthread_once(&shim.once, set_up);
	got = shim.recvmsg(fd, message, flags);
	if (got >= 0)
		shift_stamps(message);
	return got;
}

int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
	     struct timespec *timeout)
{
	int got;

	(void)pthread_once(&shim.once, set_up);
	got = shim.recvmmsg(fd, messages, count, flags, timeout);
	for (int i = 0; i < got; i++)
		shift_stamps(&messages[i].msg_hdr);
	return got;
}
