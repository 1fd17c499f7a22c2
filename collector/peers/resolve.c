#include "peers/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stop.h"

/* One message through the pipe; below PIPE_BUF, so it is written whole. */
struct answer {
	uint32_t index;
	bool answered;
	struct address address;
	char name[RESOLVE_NAME_SIZE];
};

struct job {
	struct resolve_query *queries;
	size_t count;
	bool canonical; /* the canonical name is wanted, of queries[0] alone */
	char *name;
	atomic_uint *next; /* shared by all children */
	int in, out;
	pid_t children[RESOLVE_CHILDREN];
	size_t child_count;
};

/* Takes the address in use if it is among the answers, else the first. */
static bool choose(const struct addrinfo *list, struct address *address)
{
	struct address first = {.family = ADDRESS_NONE};

	for (const struct addrinfo *ai = list; ai; ai = ai->ai_next) {
		struct address found;

		if (!address_from_sockaddr(ai->ai_addr, &found) ||
		    address_unusable(&found))
			continue;
		if (address_equal(&found, address))
			return true;
		if (first.family == ADDRESS_NONE)
			first = found;
	}
	if (first.family == ADDRESS_NONE)
		return false;
	*address = first;
	return true;
}

static void look_up(const struct job *job, uint32_t index, struct answer *answer)
{
	static const int families[] = {AF_UNSPEC, AF_INET, AF_INET6};
	const struct resolve_query *query = &job->queries[index];
	struct addrinfo hints = {.ai_family = families[query->family],
				 .ai_socktype = SOCK_DGRAM,
				 .ai_flags = job->canonical ? AI_CANONNAME : 0};
	struct addrinfo *list = NULL;

	memset(answer, 0, sizeof(*answer));
	answer->index = index;
	answer->address = query->address;
	if (getaddrinfo(query->host, NULL, &hints, &list) != 0)
		return;
	answer->answered = choose(list, &answer->address);
	if (list->ai_canonname && strlen(list->ai_canonname) < sizeof(answer->name))
		memcpy(answer->name, list->ai_canonname, strlen(list->ai_canonname) + 1);
	freeaddrinfo(list);
}

static void child_main(const struct job *job, pid_t parent)
{
	struct answer answer;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		return;
	stop_reset_in_child();
	close(job->in);
	for (;;) {
		unsigned index = atomic_fetch_add(job->next, 1);

		if (index >= job->count)
			return;
		look_up(job, index, &answer);
		if (write(job->out, &answer, sizeof(answer)) != (ssize_t)sizeof(answer))
			return;
	}
}

static int start_children(struct job *job)
{
	size_t wanted = job->count < RESOLVE_CHILDREN ? job->count : RESOLVE_CHILDREN;
	pid_t parent = getpid();

	while (job->child_count < wanted) {
		pid_t pid = fork();

		if (pid == 0) {
			child_main(job, parent);
			_exit(0);
		}
		if (pid < 0) {
			if (job->child_count > 0)
				return 0; /* fewer will do */
			log_err("cannot start a process that looks up names");
			return -1;
		}
		job->children[job->child_count++] = pid;
	}
	return 0;
}

static void end_children(struct job *job)
{
	for (size_t i = 0; i < job->child_count; i++)
		kill(job->children[i], SIGKILL);
	for (size_t i = 0; i < job->child_count; i++)
		while (waitpid(job->children[i], NULL, 0) < 0 && errno == EINTR)
			;
}

static void take_answer(struct job *job, const struct answer *answer)
{
	struct resolve_query *query;

	if (answer->index >= job->count)
		return;
	query = &job->queries[answer->index];
	query->answered = answer->answered;
	if (answer->answered)
		query->address = answer->address;
	if (job->canonical)
		memcpy(job->name, answer->name, sizeof(answer->name));
}

/* Whether there is something to read before the deadline or a stop. */
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

static void collect(struct job *job, int64_t deadline_ns)
{
	struct answer answer;
	size_t taken = 0;

	while (taken < job->count && wait_readable(job->in, deadline_ns)) {
		ssize_t n = read(job->in, &answer, sizeof(answer));

		if (n < 0 && errno == EINTR)
			continue;
		if (n != (ssize_t)sizeof(answer))
			return; /* all children have ended */
		take_answer(job, &answer);
		taken++;
	}
}

/* Children take the queries in order. A stop request says nothing about a name. */
static void note_asked(struct job *job)
{
	unsigned taken = atomic_load(job->next);
	bool stopped = stop_requested();

	for (size_t i = 0; i < job->count; i++)
		job->queries[i].asked =
			job->queries[i].answered || (i < taken && !stopped);
}

static int run_job(struct job *job, int64_t deadline_ns)
{
	int pipe_fds[2], result;

	job->next = mmap(NULL, sizeof(*job->next), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (job->next == MAP_FAILED) {
		log_err("cannot look up names");
		return -1;
	}
	if (pipe2(pipe_fds, O_CLOEXEC) < 0) {
		log_err("cannot look up names");
		munmap(job->next, sizeof(*job->next));
		return -1;
	}
	job->in = pipe_fds[0];
	job->out = pipe_fds[1];
	result = start_children(job);
	close(job->out);
	if (result == 0)
		collect(job, deadline_ns);
	end_children(job);
	note_asked(job);
	close(job->in);
	munmap(job->next, sizeof(*job->next));
	return result;
}

int resolve_run(struct resolve_query *queries, size_t count, int64_t deadline_ns)
{
	struct job job = {.queries = queries, .count = count};

	for (size_t i = 0; i < count; i++)
		queries[i].answered = queries[i].asked = false;
	return count ? run_job(&job, deadline_ns) : 0;
}

bool resolve_canonical(const char *host, int64_t deadline_ns,
		       char name[static RESOLVE_NAME_SIZE])
{
	struct resolve_query query = {.host = host};
	struct job job = {.queries = &query, .count = 1, .canonical = true, .name = name};

	name[0] = '\0';
	return run_job(&job, deadline_ns) == 0 && name[0] != '\0';
}
