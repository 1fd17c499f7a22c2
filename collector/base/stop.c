#include "base/stop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

#include "base/clock.h"

static int fd = -1;

/* Without SIGHUP where whoever started us had it ignored, as nohup(1) does. */
static void stop_signals(sigset_t *set)
{
	struct sigaction hangup;

	sigemptyset(set);
	/* Not the signal of Ctrl-\, which asks for a core dump at once. */
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	if (sigaction(SIGHUP, NULL, &hangup) < 0 || hangup.sa_handler != SIG_IGN)
		sigaddset(set, SIGHUP);
}

int stop_init(void)
{
	sigset_t set;

	stop_signals(&set);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -1;
	/* Never read: it stays readable, and each thread that polls it ends its wait. */
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -1 : 0;
}

int stop_fd(void)
{
	return fd;
}

/* Whether the descriptor was readable within `timeout_ns`. */
static bool poll_stop(int64_t timeout_ns)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	struct timespec ts = clock_timespec(timeout_ns);

	return ppoll(&poll_fd, 1, &ts, NULL) > 0;
}

bool stop_requested(void)
{
	return poll_stop(0);
}

bool stop_sleep_until(int64_t at_ns)
{
	for (;;) {
		int64_t left_ns = at_ns - clock_monotonic_ns();

		if (poll_stop(left_ns))
			return true;
		if (left_ns <= 0)
			return false;
	}
}

void stop_reset_in_child(void)
{
	sigset_t set;

	/* A blocked mask is inherited over fork(), so the child could not be stopped. */
	stop_signals(&set);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}
