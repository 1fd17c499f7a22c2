/*
 * Confinement by Landlock. It is for the rest of a process, so each case has one of its own.
 * A kernel without Landlock skips all but the cases about such kernels.
 */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/landlock.h"

#define EXPECT_ERROR(call, error)                                                        \
	do {                                                                             \
		errno = 0;                                                               \
		SUPPORT_EXPECT((call) < 0 && errno == (error));                          \
	} while (0)

#define NOT_SUPPORTED 255

static char directory[SUPPORT_PATH_SIZE], elsewhere[SUPPORT_PATH_SIZE];
static int inside, outside; /* descriptors of the two directories */
static int version;

static int make_directories(void **state)
{
	(void)state;
	support_make_dir(directory);
	support_make_dir(elsewhere);
	inside = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	outside = open(elsewhere, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return inside >= 0 && outside >= 0 ? 0 : -1;
}

static int remove_directories(void **state)
{
	(void)state;
	close(inside);
	close(outside);
	support_remove_dir(directory);
	support_remove_dir(elsewhere);
	return 0;
}

/* Fails with the line of the child whose expectation was wrong. */
static void run(void (*body)(void))
{
	int status = support_run_in_child(body);

	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_SUPPORTED)
		skip();
	assert_int_equal(status, 0);
}

static void confine(int fd)
{
	version = landlock_confine(fd);
	if (version < 0 && (errno == ENOSYS || errno == EOPNOTSUPP))
		_exit(NOT_SUPPORTED);
	SUPPORT_EXPECT(version >= 1);
}

static int create(int dir, const char *name)
{
	return openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

static void replace_file(void)
{
	int fd;

	confine(inside);
	fd = create(inside, ".new");
	SUPPORT_EXPECT(fd >= 0 && write(fd, "x", 1) == 1 && ftruncate(fd, 0) == 0);
	SUPPORT_EXPECT(fsync(fd) == 0 && fchmod(fd, 0644) == 0);
	SUPPORT_EXPECT(renameat(inside, ".new", inside, "file") == 0);
	SUPPORT_EXPECT(create(inside, ".new") >= 0);
	SUPPORT_EXPECT(renameat(inside, ".new", inside, "file") == 0 &&
		       fsync(inside) == 0);
	SUPPORT_EXPECT(unlinkat(inside, "file", 0) == 0);
}

static void a_file_of_the_directory_can_be_replaced(void **state)
{
	(void)state;
	run(replace_file);
}

static void write_elsewhere(void)
{
	int fd = create(outside, "there");

	SUPPORT_EXPECT(fd >= 0 && close(fd) == 0);
	confine(inside);
	SUPPORT_EXPECT(create(inside, "mine") >= 0);
	EXPECT_ERROR(create(outside, "new"), EACCES);
	EXPECT_ERROR(openat(outside, "there", O_WRONLY), EACCES);
	EXPECT_ERROR(openat(outside, ".", O_RDWR | O_TMPFILE, 0600), EACCES);
	EXPECT_ERROR(open("/dev/null", O_WRONLY), EACCES);
	EXPECT_ERROR(unlinkat(outside, "there", 0), EACCES);
	EXPECT_ERROR(mkdirat(outside, "dir", 0700), EACCES);
	EXPECT_ERROR(symlinkat("/", outside, "link"), EACCES);
	EXPECT_ERROR(mkfifoat(outside, "fifo", 0600), EACCES);
	SUPPORT_EXPECT(renameat(inside, "mine", outside, "mine") < 0);
	SUPPORT_EXPECT(linkat(inside, "mine", outside, "mine", 0) < 0);
	fd = openat(outside, "there", O_RDONLY);
	SUPPORT_EXPECT(fd >= 0 && (version < 3 || ftruncate(fd, 0) < 0));
	SUPPORT_EXPECT(unlinkat(inside, "mine", 0) == 0);
}

static void nothing_can_be_written_elsewhere(void **state)
{
	(void)state;
	run(write_elsewhere);
}

static void make_other_things(void)
{
	confine(inside);
	EXPECT_ERROR(mkdirat(inside, "dir", 0700), EACCES);
	EXPECT_ERROR(symlinkat("/", inside, "link"), EACCES);
	EXPECT_ERROR(mkfifoat(inside, "fifo", 0600), EACCES);
}

static void in_the_directory_there_are_only_files(void **state)
{
	(void)state;
	run(make_other_things);
}

static void write_nowhere(void)
{
	confine(-1);
	EXPECT_ERROR(create(inside, "new"), EACCES);
	EXPECT_ERROR(create(outside, "new"), EACCES);
}

static void without_a_directory_nothing_can_be_written(void **state)
{
	(void)state;
	run(write_nowhere);
}

static void execute(void)
{
	char name[] = "true";
	char *const arguments[] = {name, NULL};

	confine(inside);
	EXPECT_ERROR(execv("/bin/true", arguments), EACCES);
	EXPECT_ERROR(execv("/proc/self/exe", arguments), EACCES);
}

static void nothing_can_be_executed(void **state)
{
	(void)state;
	run(execute);
}

static void use_what_is_open(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	int fd = create(outside, "open");

	SUPPORT_EXPECT(null >= 0 && fd >= 0 && unlinkat(outside, "open", 0) == 0);
	confine(inside);
	SUPPORT_EXPECT(write(null, "x", 1) == 1);
	SUPPORT_EXPECT(write(fd, "x", 1) == 1 && ftruncate(fd, 0) == 0 && fsync(fd) == 0);
}

static void what_is_open_can_still_be_written(void **state)
{
	(void)state;
	run(use_what_is_open);
}

static void read_and_connect(void)
{
	struct stat st;

	confine(inside);
	SUPPORT_EXPECT(open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0);
	SUPPORT_EXPECT(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC) >= 0);
	SUPPORT_EXPECT(stat("/proc/self/status", &st) == 0);
	SUPPORT_EXPECT(socket(AF_INET, SOCK_DGRAM, 0) >= 0);
	SUPPORT_EXPECT(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
}

static void reading_and_sockets_stay_free(void **state)
{
	(void)state;
	run(read_and_connect);
}

static void *create_in_thread(void *fd)
{
	errno = 0;
	*(int *)fd = create(outside, "new") < 0 ? errno : 0;
	return NULL;
}

static void inherit(void)
{
	pthread_t thread;
	int error = 0, status;
	pid_t pid;

	confine(inside);
	SUPPORT_EXPECT(pthread_create(&thread, NULL, create_in_thread, &error) == 0);
	SUPPORT_EXPECT(pthread_join(thread, NULL) == 0 && error == EACCES);
	pid = fork();
	if (pid == 0)
		_exit(create(outside, "new") < 0 ? errno : 0);
	SUPPORT_EXPECT(waitpid(pid, &status, 0) == pid);
	SUPPORT_EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == EACCES);
}

static void children_and_later_threads_are_confined(void **state)
{
	(void)state;
	run(inherit);
}

/* As on a kernel that fails this call so. */
static void fail_call(unsigned call, unsigned error)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};

	SUPPORT_EXPECT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		_exit(NOT_SUPPORTED);
}

static void expect_no_effect(void)
{
	SUPPORT_EXPECT(create(outside, "new") >= 0 && unlinkat(outside, "new", 0) == 0);
	SUPPORT_EXPECT(create(inside, "new") >= 0 && unlinkat(inside, "new", 0) == 0);
}

static void confine_without_landlock(void)
{
	fail_call(SYS_landlock_create_ruleset, ENOSYS);
	EXPECT_ERROR(landlock_confine(inside), ENOSYS);
	expect_no_effect();
}

static void confine_with_landlock_disabled(void)
{
	fail_call(SYS_landlock_create_ruleset, EOPNOTSUPP);
	EXPECT_ERROR(landlock_confine(inside), EOPNOTSUPP);
	expect_no_effect();
}

static void a_kernel_without_landlock_confines_nothing(void **state)
{
	(void)state;
	run(confine_without_landlock);
	run(confine_with_landlock_disabled);
}

/* Half of a confinement would be one that takes the output away. */
static void fail_with(unsigned call, unsigned error)
{
	fail_call(call, error);
	if (landlock_confine(inside) >= 0)
		_exit(1);
	if (errno == ENOSYS || errno == EOPNOTSUPP)
		_exit(NOT_SUPPORTED);
	SUPPORT_EXPECT(errno == (int)error);
	expect_no_effect();
}

static void confine_without_rule(void)
{
	fail_with(SYS_landlock_add_rule, ENOMEM);
}

static void confine_without_enforcing(void)
{
	fail_with(SYS_landlock_restrict_self, E2BIG);
}

static void a_step_that_fails_leaves_no_effect(void **state)
{
	(void)state;
	run(confine_without_rule);
	run(confine_without_enforcing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_of_the_directory_can_be_replaced),
		cmocka_unit_test(nothing_can_be_written_elsewhere),
		cmocka_unit_test(in_the_directory_there_are_only_files),
		cmocka_unit_test(without_a_directory_nothing_can_be_written),
		cmocka_unit_test(nothing_can_be_executed),
		cmocka_unit_test(what_is_open_can_still_be_written),
		cmocka_unit_test(reading_and_sockets_stay_free),
		cmocka_unit_test(children_and_later_threads_are_confined),
		cmocka_unit_test(a_kernel_without_landlock_confines_nothing),
		cmocka_unit_test(a_step_that_fails_leaves_no_effect),
	};

	return cmocka_run_group_tests(tests, make_directories, remove_directories);
}
