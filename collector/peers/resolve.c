#include "peers/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stop.h"
#include "base/text.h"
#include "peers/route.h"

/* How often children that were killed are looked at, until RESOLVE_END_WAIT_NS. */
#define END_POLL_NS (CLOCK_NS_PER_MS / 4)

/*
 * One message of a child. It is shorter than PIPE_BUF, so write() is atomic and the
 * answers of several children never mix in the pipe.
 */
struct answer {
	uint32_t index;
	enum resolve_result result;
	bool is_reachable;
	int64_t took_ns;
	struct address address;
	char name[RESOLVE_NAME_SIZE];
};

/* In memory that all children share. */
struct progress {
	atomic_uint next; /* index of the next query */
	struct {
		uint32_t index;
		int64_t start_ns; /* 0: nothing was begun */
	} current[RESOLVE_CHILDREN];
};

struct job {
	struct resolve_query *queries;
	size_t count;
	struct progress *progress;
	int in, out; /* the ends of the pipe */
	pid_t children[RESOLVE_CHILDREN];
	size_t child_count;
};

/*
 * Keeps the address in use if it is among the answers, otherwise takes the first one, in
 * both cases of those that this host can reach, if there are any. The resolver may order
 * the answers differently each time, and the address must not change with that.
 */
static void choose(const struct addrinfo *list, const struct resolve_query *query,
		   struct answer *answer)
{
	static const struct options any = {.count = 0};
	const struct options *o = query->options ? query->options : &any;
	int best = -1;

	answer->result = RESOLVE_REFUSED;
	for (const struct addrinfo *ai = list; ai; ai = ai->ai_next) {
		struct address found;
		bool is_reachable;
		int rank;

		if (!address_from_sockaddr(ai->ai_addr, &found))
			continue;
		if (address_unsuitable(&found, query->allows_loopback)) {
			if (answer->address.family == ADDRESS_NONE)
				answer->address = found;
			continue;
		}
		is_reachable =
			route_find(&found, &o->source, o->device, o->mark, NULL) == 0;
		rank = 2 * is_reachable + address_equal(&found, &query->address);
		if (rank <= best)
			continue;
		best = rank;
		answer->result = RESOLVE_FOUND;
		answer->is_reachable = is_reachable;
		answer->address = found;
	}
}

static bool says_no_address(int error)
{
	return error == EAI_NONAME || error == EAI_NODATA || error == EAI_ADDRFAMILY;
}

/*
 * With a search list, glibc also returns EAI_NONAME if the name servers failed for the name
 * itself and answered that it does not exist in any domain of the list. So before an address
 * in use is given up, the absolute name is looked up.
 */
static int confirm_no_address(const struct resolve_query *query,
			      const struct addrinfo *hints, int error)
{
	char absolute[RESOLVE_NAME_SIZE];
	struct addrinfo *list = NULL;
	size_t len = strlen(query->host);
	int again;

	if (query->address.family == ADDRESS_NONE ||
	    query->address.family != query->family || !strchr(query->host, '.') ||
	    query->host[len - 1] == '.' ||
	    !text_join(absolute, sizeof(absolute), query->host, "."))
		return error;
	again = getaddrinfo(absolute, NULL, hints, &list);
	if (again != 0)
		return again;
	/* It has an address after all. The next lookup will say which. */
	freeaddrinfo(list);
	return EAI_AGAIN;
}

static void look_up(const struct job *job, uint32_t index, struct answer *answer)
{
	static const int families[] = {AF_UNSPEC, AF_INET, AF_INET6};
	const struct resolve_query *query = &job->queries[index];
	struct addrinfo hints = {.ai_family = families[query->family],
				 .ai_socktype = SOCK_DGRAM,
				 .ai_flags = query->canonical ? AI_CANONNAME : 0};
	struct addrinfo *list = NULL;
	int64_t start_ns = job->progress->current[job->child_count].start_ns;
	int error = getaddrinfo(query->host, NULL, &hints, &list);

	if (says_no_address(error))
		error = confirm_no_address(query, &hints, error);
	memset(answer, 0, sizeof(*answer));
	answer->index = index;
	answer->took_ns = clock_monotonic_ns() - start_ns;
	if (error != 0) {
		answer->result =
			says_no_address(error) ? RESOLVE_NO_ADDRESS : RESOLVE_FAILED;
		return;
	}
	choose(list, query, answer);
	if (list->ai_canonname && strlen(list->ai_canonname) < sizeof(answer->name))
		memcpy(answer->name, list->ai_canonname, strlen(list->ai_canonname) + 1);
	freeaddrinfo(list);
}

/* Of equal options the last one counts, so one that is there already stays in force. */
static void shorten_timeout(void)
{
	const char *given = getenv("RES_OPTIONS");
	char options[256] = "timeout:1 ";

	if (text_copy(options + strlen(options), sizeof(options) - strlen(options),
		      given ? given : ""))
		setenv("RES_OPTIONS", options, 1);
}

static void child_main(const struct job *job, pid_t parent)
{
	struct answer answer;

	/*
	 * A parent that is killed kills nobody, so the kernel ends the children with it. A
	 * parent that died before prctl() is noticed by its process id.
	 */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		return;
	stop_reset_in_child();
	shorten_timeout();
	/* Without a reader the next write() ends this child. */
	close(job->in);
	for (;;) {
		unsigned index = atomic_fetch_add(&job->progress->next, 1);

		if (index >= job->count)
			return;
		job->progress->current[job->child_count].index = index;
		job->progress->current[job->child_count].start_ns = clock_monotonic_ns();
		look_up(job, index, &answer);
		if (write(job->out, &answer, sizeof(answer)) != (ssize_t)sizeof(answer))
			return;
	}
}

static int start_children(struct job *job)
{
	pid_t parent = getpid();

	while (job->child_count < RESOLVE_CHILDREN && job->child_count < job->count) {
		pid_t pid = fork();

		if (pid == 0) {
			child_main(job, parent);
			_exit(0);
		}
		if (pid < 0)
			break;
		job->children[job->child_count++] = pid;
	}
	/* One child can answer all queries, only later. */
	if (job->child_count > 0)
		return 0;
	log_err("cannot start a process that looks up names");
	return -1;
}

static void wait_for_child(pid_t child, int64_t until_ns)
{
	struct timespec pause = clock_timespec(END_POLL_NS);

	while (waitpid(child, NULL, WNOHANG) == 0 && clock_monotonic_ns() < until_ns)
		nanosleep(&pause, NULL);
}

/*
 * They are waited for, so that the CPU time of the run, which is published, includes
 * theirs (RUSAGE_CHILDREN). All get the signal first, so that they end in parallel. One
 * that sleeps uninterruptibly, as over a file server that is gone, is left to init.
 */
static void end_children(const struct job *job)
{
	int64_t until_ns = clock_monotonic_ns() + RESOLVE_END_WAIT_NS;

	for (size_t i = 0; i < job->child_count; i++)
		kill(job->children[i], SIGKILL);
	for (size_t i = 0; i < job->child_count; i++)
		wait_for_child(job->children[i], until_ns);
}

static void store_answer(const struct job *job, const struct answer *answer)
{
	struct resolve_query *query;

	if (answer->index >= job->count)
		return;
	query = &job->queries[answer->index];
	query->result = answer->result;
	query->is_reachable = answer->is_reachable;
	query->took_ns = answer->took_ns;
	if (answer->result == RESOLVE_FOUND || answer->result == RESOLVE_REFUSED)
		query->address = answer->address;
	if (query->canonical)
		memcpy(query->canonical, answer->name, sizeof(answer->name));
}

/*
 * Whether there is something to read before the deadline and a stop request. What is in
 * the pipe already is read after the deadline, too: the answer was in time.
 */
static bool wait_readable(int fd, int64_t deadline_ns)
{
	for (;;) {
		struct pollfd fds[] = {{.fd = fd, .events = POLLIN},
				       {.fd = stop_fd(), .events = POLLIN}};
		int64_t left_ns = deadline_ns - clock_monotonic_ns();
		struct timespec ts = clock_timespec(left_ns);

		if (ppoll(fds, 2, &ts, NULL) > 0)
			return fds[0].revents && !fds[1].revents;
		if (left_ns <= 0)
			return false;
	}
}

static void read_answers(const struct job *job, int64_t deadline_ns)
{
	struct answer answer;
	size_t received = 0;

	while (received < job->count && wait_readable(job->in, deadline_ns)) {
		ssize_t n = read(job->in, &answer, sizeof(answer));

		if (n < 0 && errno == EINTR)
			continue;
		if (n != (ssize_t)sizeof(answer))
			return; /* all children have ended */
		store_answer(job, &answer);
		received++;
	}
}

/*
 * What a child was at when it ended. A lookup that had less than half of the time says
 * nothing about its name, and neither does one that a stop request ended.
 */
static void mark_cut_off(const struct job *job, int64_t middle_ns)
{
	for (size_t i = 0; i < job->child_count && !stop_requested(); i++) {
		struct resolve_query *query =
			&job->queries[job->progress->current[i].index];
		int64_t start_ns = job->progress->current[i].start_ns;

		if (query->result == RESOLVE_NOT_ASKED && start_ns > 0 &&
		    start_ns <= middle_ns)
			query->result = RESOLVE_CUT_OFF;
	}
}

int resolve_run(struct resolve_query *queries, size_t count, int64_t deadline_ns)
{
	struct job job = {.queries = queries, .count = count};
	int64_t now_ns = clock_monotonic_ns();
	int pipe_fds[2], result;

	for (size_t i = 0; i < count; i++)
		queries[i].result = RESOLVE_NOT_ASKED;
	if (count == 0)
		return 0;
	job.progress = mmap(NULL, sizeof(*job.progress), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (job.progress == MAP_FAILED || pipe2(pipe_fds, O_CLOEXEC) < 0) {
		log_err("cannot look up names");
		if (job.progress != MAP_FAILED)
			munmap(job.progress, sizeof(*job.progress));
		return -1;
	}
	job.in = pipe_fds[0];
	job.out = pipe_fds[1];
	result = start_children(&job);
	/* Once the children alone can write, the end of the last one ends the pipe. */
	close(job.out);
	if (result == 0)
		read_answers(&job, deadline_ns);
	end_children(&job);
	mark_cut_off(&job, now_ns + (deadline_ns - now_ns) / 2);
	close(job.in);
	munmap(job.progress, sizeof(*job.progress));
	return result;
}
