#include "ping/task.h"

#include <stdbool.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "base/clock.h"

/*
 * liboping has buffers of 8 kB on the stack, and a file of /proc is read into 16 kB. Pages
 * that are not touched cost nothing. The lowest one is never touched, and guards the stack.
 */
#define STACK_SIZE ((size_t)256 * 1024)
#define GUARD_SIZE 4096

struct task {
	ucontext_t context;
	void *stack; /* NULL: that of the caller of task_run() */
	bool is_running;
	/* What it waits for, and whether that has happened. */
	struct pollfd *fds;
	nfds_t count;
	int64_t until_ns;
	bool is_ready;
};

/* The first task is the scheduler: while it waits, it resumes the others. */
static struct task tasks[TASK_MAX];
static size_t task_count;
static struct task *current = &tasks[0];
static bool notified;
static void (*task_function)(void *arg);
static void *task_arg;

/* swapcontext() sets the signal mask, for which the kernel has no reason to refuse. */
static void resume(struct task *task)
{
	current = task;
	swapcontext(&tasks[0].context, &task->context);
	current = &tasks[0];
}

/* The first function of a new stack. When it returns, the first task goes on. */
static void begin(void)
{
	struct task *self = current;

	task_function(task_arg);
	self->is_running = false;
	self->count = 0;
	self->until_ns = INT64_MAX;
}

static bool start(struct task *task)
{
	/* What waits for time 0 is ready. */
	*task = (struct task){.is_running = true};
	task->stack =
		mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
	if (task->stack == MAP_FAILED)
		return false;
	(void)mprotect(task->stack, GUARD_SIZE, PROT_NONE);
	if (getcontext(&task->context) < 0) {
		munmap(task->stack, STACK_SIZE);
		return false;
	}
	task->context.uc_stack.ss_sp = task->stack;
	task->context.uc_stack.ss_size = STACK_SIZE;
	task->context.uc_link = &tasks[0].context;
	makecontext(&task->context, begin, 0);
	return true;
}

/* Waits for what all tasks wait for, and marks those that are ready. */
static void poll_all(void)
{
	struct pollfd fds[TASK_MAX * TASK_FDS_MAX];
	int64_t until_ns = INT64_MAX, now_ns = clock_monotonic_ns();
	nfds_t count = 0;
	struct timespec ts;

	for (size_t i = 0; i < task_count; i++) {
		for (nfds_t j = 0; j < tasks[i].count; j++)
			fds[count++] = tasks[i].fds[j];
		if (tasks[i].until_ns < until_ns)
			until_ns = tasks[i].until_ns;
	}
	ts = clock_timespec(notified ? 0 : until_ns - now_ns);
	/* Interrupted by a signal, it has filled in nothing. */
	if (ppoll(fds, count, &ts, NULL) < 0)
		for (nfds_t j = 0; j < count; j++)
			fds[j].revents = 0;
	now_ns = clock_monotonic_ns();
	count = 0;
	for (size_t i = 0; i < task_count; i++) {
		tasks[i].is_ready = notified || now_ns >= tasks[i].until_ns;
		for (nfds_t j = 0; j < tasks[i].count; j++) {
			tasks[i].fds[j].revents = fds[count++].revents;
			tasks[i].is_ready |= tasks[i].fds[j].revents != 0;
		}
	}
	notified = false;
}

static void resume_ready(void)
{
	for (size_t i = 1; i < task_count; i++)
		if (tasks[i].is_running && tasks[i].is_ready)
			resume(&tasks[i]);
}

static bool is_any_running(void)
{
	for (size_t i = 1; i < task_count; i++)
		if (tasks[i].is_running)
			return true;
	return false;
}

void task_wait(struct pollfd *fds, nfds_t count, int64_t until_ns)
{
	struct task *self = current;

	self->fds = fds;
	self->count = count;
	self->until_ns = until_ns;
	if (self != &tasks[0]) {
		swapcontext(&self->context, &tasks[0].context);
		return;
	}
	/* Outside of task_run() there is one task, too. */
	if (task_count == 0)
		task_count = 1;
	do {
		poll_all();
		resume_ready();
	} while (!self->is_ready);
	self->count = 0;
}

void task_notify(void)
{
	notified = true;
}

void task_run(size_t count, void (*function)(void *arg), void *arg)
{
	task_function = function;
	task_arg = arg;
	task_count = 1;
	while (task_count < count && task_count < TASK_MAX && start(&tasks[task_count]))
		task_count++;
	/* New tasks run when this one waits for the first time. */
	function(arg);
	tasks[0].until_ns = INT64_MAX;
	while (is_any_running()) {
		poll_all();
		resume_ready();
	}
	for (size_t i = 1; i < task_count; i++)
		munmap(tasks[i].stack, STACK_SIZE);
	task_count = 1;
}
