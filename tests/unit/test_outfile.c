/*
 * Replacing the published file: all or nothing, one run at a time, and no harm to the
 * files of others.
 */
#include "fleet.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "publish/outfile.h"

#define NOBODY 65534
#define PATH_ROOM (SUPPORT_PATH_SIZE + 300)

/* A scratch directory and paths in it. */
struct scratch {
	char dir[SUPPORT_PATH_SIZE];
	char target[PATH_ROOM], dot[PATH_ROOM], victim[PATH_ROOM];
};

static int set_up(void **state)
{
	struct scratch *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	support_make_dir(s->dir);
	snprintf(s->target, sizeof(s->target), "%s/x.prom", s->dir);
	snprintf(s->dot, sizeof(s->dot), "%s/.x.prom.new", s->dir);
	snprintf(s->victim, sizeof(s->victim), "%s/victim", s->dir);
	support_write_file(s->victim, "precious", 8);
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct scratch *s = *state;

	chmod(s->dir, 0700);
	support_remove_dir(s->dir);
	free(s);
	return 0;
}

static void assert_content(const char *path, const char *expected)
{
	char *content = support_read_file(path, NULL);

	assert_string_equal(content, expected);
	free(content);
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* Opens, writes, commits and closes. */
static void publish(const char *path, const char *content)
{
	struct outfile file;

	assert_int_equal(outfile_open(&file, path), OUTFILE_OPEN);
	assert_int_equal(write(file.fd, content, strlen(content)),
			 (ssize_t)strlen(content));
	assert_int_equal(outfile_commit(&file, true), 0);
	outfile_close(&file);
}

/* Opens what cannot be opened; the message is to be freed. */
static char *open_unsuccessfully(const char *path, enum outfile_result expected)
{
	enum outfile_result result;
	struct outfile file;
	char *message;

	support_capture_begin();
	result = outfile_open(&file, path);
	message = support_capture_end();
	assert_int_equal(result, expected);
	assert_true(*message && strchr(message, '\n') == message + strlen(message) - 1);
	/* Closing again does no harm. */
	outfile_close(&file);
	return message;
}

static void assert_open_fails(const char *path, const char *part)
{
	char *message = open_unsuccessfully(path, OUTFILE_FAILED);

	if (!strstr(message, part))
		fail_msg("`%s` is not in `%s`", part, message);
	free(message);
}

static void a_new_file_is_made_and_an_old_one_replaced(void **state)
{
	struct scratch *s = *state;
	struct stat before, after;

	publish(s->target, "one\n");
	assert_content(s->target, "one\n");
	assert_int_equal(stat(s->target, &before), 0);
	publish(s->target, "two\n");
	assert_content(s->target, "two\n");
	assert_int_equal(stat(s->target, &after), 0);
	/* A reader that has the old one open can read it to its end. */
	assert_true(before.st_ino != after.st_ino);
	assert_false(exists(s->dot));
}

static void an_empty_file_can_be_published(void **state)
{
	struct scratch *s = *state;

	publish(s->target, "one\n");
	publish(s->target, "");
	assert_content(s->target, "");
}

static void the_old_file_is_in_place_until_the_commit(void **state)
{
	struct scratch *s = *state;
	struct outfile file;
	struct stat st;

	publish(s->target, "one\n");
	assert_int_equal(outfile_open(&file, s->target), OUTFILE_OPEN);
	assert_int_equal(write(file.fd, "tw", 2), 2);
	assert_content(s->target, "one\n");
	assert_int_equal(lstat(s->dot, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(write(file.fd, "o\n", 2), 2);
	assert_int_equal(outfile_commit(&file, false), 0);
	assert_content(s->target, "two\n");
	outfile_close(&file);
	assert_content(s->target, "two\n");
}

static void node_exporter_does_not_read_the_dot_file(void **state)
{
	struct scratch *s = *state;
	struct outfile file;
	size_t len;

	assert_int_equal(outfile_open(&file, s->target), OUTFILE_OPEN);
	len = strlen(file.temporary);
	assert_int_equal(file.temporary[0], '.');
	assert_string_not_equal(file.temporary + len - 5, ".prom");
	outfile_close(&file);
}

static void descriptors_are_not_inherited(void **state)
{
	struct scratch *s = *state;
	struct outfile file;
	int previous;

	publish(s->target, "one\n");
	assert_int_equal(outfile_open(&file, s->target), OUTFILE_OPEN);
	previous = outfile_previous(&file);
	assert_true(fcntl(file.fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(file.directory, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(previous, F_GETFD) & FD_CLOEXEC);
	close(previous);
	outfile_close(&file);
}

static void the_mode_is_0644_whatever_the_umask(void **state)
{
	static const mode_t umasks[] = {0, 022, 077, 0277, 0777};
	struct scratch *s = *state;
	struct stat st;

	for (size_t i = 0; i < sizeof(umasks) / sizeof(umasks[0]); i++) {
		mode_t old = umask(umasks[i]);

		publish(s->target, "x\n");
		umask(old);
		assert_int_equal(stat(s->target, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0644);
	}
}

static void closing_without_commit_leaves_the_old_file_alone(void **state)
{
	struct scratch *s = *state;
	struct outfile file;

	publish(s->target, "one\n");
	assert_int_equal(outfile_open(&file, s->target), OUTFILE_OPEN);
	assert_int_equal(write(file.fd, "half", 4), 4);
	outfile_close(&file);
	assert_content(s->target, "one\n");
	assert_false(exists(s->dot));
}

static void restart_discards_what_was_written(void **state)
{
	struct scratch *s = *state;
	struct outfile file;

	assert_int_equal(outfile_open(&file, s->target), OUTFILE_OPEN);
	assert_int_equal(write(file.fd, "long and wrong", 14), 14);
	assert_int_equal(outfile_restart(&file), 0);
	assert_int_equal(write(file.fd, "right", 5), 5);
	assert_int_equal(outfile_commit(&file, true), 0);
	outfile_close(&file);
	assert_content(s->target, "right");
}

static void the_published_file_is_read_back(void **state)
{
	struct scratch *s = *state;
	struct outfile file;
	char content[16] = "";
	int previous;

	assert_int_equal(outfile_open(&file, s->target), OUTFILE_OPEN);
	support_capture_begin();
	previous = outfile_previous(&file);
	free(support_capture_end());
	assert_int_equal(previous, -1);
	outfile_close(&file);
	publish(s->target, "one\n");
	assert_int_equal(outfile_open(&file, s->target), OUTFILE_OPEN);
	previous = outfile_previous(&file);
	assert_int_equal(read(previous, content, sizeof(content)), 4);
	assert_string_equal(content, "one\n");
	close(previous);
	outfile_close(&file);
	previous = outfile_peek(s->target);
	assert_true(previous >= 0);
	close(previous);
}

static void the_first_run_is_no_warning(void **state)
{
	struct scratch *s = *state;
	char *message;

	support_capture_begin();
	publish(s->target, "one\n");
	message = support_capture_end();
	assert_string_equal(message, "");
	free(message);
}

static void links_and_special_files_are_not_read_back(void **state)
{
	struct scratch *s = *state;
	char *message;

	assert_int_equal(symlink(s->victim, s->target), 0);
	support_capture_begin();
	assert_int_equal(outfile_peek(s->target), -1);
	assert_int_equal(outfile_peek(s->dir), -1);
	assert_int_equal(unlink(s->target), 0);
	assert_int_equal(mkfifo(s->target, 0600), 0);
	assert_int_equal(outfile_peek(s->target), -1);
	/* Nothing is lost where nothing is going to be written. */
	message = support_capture_end();
	assert_string_equal(message, "");
	free(message);
}

static void a_second_run_is_locked_out_while_the_first_lives(void **state)
{
	struct scratch *s = *state;
	struct outfile file;
	char *message;

	assert_int_equal(outfile_open(&file, s->target), OUTFILE_OPEN);
	message = open_unsuccessfully(s->target, OUTFILE_LOCKED);
	assert_non_null(strstr(message, s->target));
	free(message);
	free(open_unsuccessfully(s->target, OUTFILE_LOCKED));
	/* The one that was refused has not touched the first one's file. */
	assert_int_equal(write(file.fd, "first", 5), 5);
	assert_int_equal(outfile_commit(&file, true), 0);
	outfile_close(&file);
	assert_content(s->target, "first");
	publish(s->target, "second");
	assert_content(s->target, "second");
}

static void files_of_other_names_do_not_lock_each_other(void **state)
{
	struct scratch *s = *state;
	struct outfile one;

	assert_int_equal(outfile_open(&one, s->target), OUTFILE_OPEN);
	publish(s->victim, "y");
	outfile_close(&one);
	assert_content(s->victim, "y");
}

static void what_a_killed_run_left_is_replaced(void **state)
{
	struct scratch *s = *state;
	struct outfile file;
	int status, ready[2];
	pid_t child;
	char c, who[64], *message;

	publish(s->target, "one\n");
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(ready[0]);
		if (outfile_open(&file, s->target) != OUTFILE_OPEN ||
		    write(file.fd, "half", 4) != 4 || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	message = open_unsuccessfully(s->target, OUTFILE_LOCKED);
	snprintf(who, sizeof(who), "another run is writing it (process %d)\n",
		 (int)child);
	assert_non_null(strstr(message, who));
	free(message);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	close(ready[0]);
	assert_true(exists(s->dot));
	assert_content(s->target, "one\n");
	publish(s->target, "two\n");
	assert_content(s->target, "two\n");
	assert_false(exists(s->dot));
}

static void assert_victim_is_whole(const struct scratch *s)
{
	struct stat st;

	assert_content(s->victim, "precious");
	assert_int_equal(stat(s->victim, &st), 0);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(st.st_mode & 07777, 0640);
}

/* What has the name of the dot-file is removed; what it leads to is unharmed. */
static void assert_dot_file_is_replaced(struct scratch *s)
{
	struct stat st;

	publish(s->target, "new\n");
	assert_content(s->target, "new\n");
	assert_int_equal(lstat(s->target, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_false(exists(s->dot));
	assert_victim_is_whole(s);
}

static void link_under_the_name_of_the_dot_file_is_not_followed(void **state)
{
	struct scratch *s = *state;

	assert_int_equal(chmod(s->victim, 0640), 0);
	assert_int_equal(symlink(s->victim, s->dot), 0);
	assert_dot_file_is_replaced(s);
	assert_int_equal(symlink("nowhere", s->dot), 0);
	assert_dot_file_is_replaced(s);
	assert_int_equal(symlink(s->dir, s->dot), 0);
	assert_dot_file_is_replaced(s);
	assert_int_equal(link(s->victim, s->dot), 0);
	assert_dot_file_is_replaced(s);
	assert_int_equal(mkfifo(s->dot, 0600), 0);
	assert_dot_file_is_replaced(s);
}

static void socket_under_the_name_of_the_dot_file_is_replaced(void **state)
{
	struct scratch *s = *state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(strlen(s->dot) < sizeof(address.sun_path));
	strcpy(address.sun_path, s->dot);
	assert_int_equal(chmod(s->victim, 0640), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_dot_file_is_replaced(s);
	close(fd);
}

static void directory_under_the_name_of_the_dot_file_is_an_error(void **state)
{
	struct scratch *s = *state;

	assert_int_equal(mkdir(s->dot, 0700), 0);
	assert_open_fails(s->target, ".x.prom.new");
	assert_true(exists(s->dot));
	assert_false(exists(s->target));
}

static void a_target_that_is_no_regular_file_is_refused(void **state)
{
	struct scratch *s = *state;
	struct stat st;

	assert_int_equal(symlink(s->victim, s->target), 0);
	assert_open_fails(s->target, "symbolic link");
	assert_int_equal(unlink(s->target), 0);
	assert_int_equal(symlink("nowhere", s->target), 0);
	assert_open_fails(s->target, "symbolic link");
	assert_int_equal(unlink(s->target), 0);
	assert_int_equal(mkfifo(s->target, 0600), 0);
	assert_open_fails(s->target, "special file");
	assert_int_equal(unlink(s->target), 0);
	assert_int_equal(mkdir(s->target, 0700), 0);
	assert_open_fails(s->target, "directory");
	assert_open_fails("/dev/null", "special file");
	assert_int_equal(lstat("/dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	assert_content(s->victim, "precious");
	assert_false(exists(s->dot));
	assert_false(exists("/dev/.null.new"));
}

static void a_target_that_becomes_a_link_during_the_run_is_refused(void **state)
{
	struct scratch *s = *state;
	struct outfile file;
	char *message;
	int result;

	assert_int_equal(outfile_open(&file, s->target), OUTFILE_OPEN);
	assert_int_equal(symlink(s->victim, s->target), 0);
	support_capture_begin();
	result = outfile_commit(&file, true);
	outfile_close(&file);
	message = support_capture_end();
	assert_int_equal(result, -1);
	assert_non_null(strstr(message, "symbolic link"));
	free(message);
	assert_content(s->victim, "precious");
	assert_false(exists(s->dot));
}

/* By somebody who tidies up: another run may have begun since. */
static void replaced_dot_file_is_not_published(void **state)
{
	struct scratch *s = *state;
	struct outfile first, second;
	int result;

	publish(s->target, "one\n");
	assert_int_equal(outfile_open(&first, s->target), OUTFILE_OPEN);
	assert_int_equal(unlink(s->dot), 0);
	assert_int_equal(outfile_open(&second, s->target), OUTFILE_OPEN);
	assert_int_equal(write(second.fd, "half", 4), 4);
	support_capture_begin();
	result = outfile_commit(&first, true);
	outfile_close(&first);
	free(support_capture_end());
	assert_int_equal(result, -1);
	assert_content(s->target, "one\n");
	assert_true(exists(s->dot));
	assert_int_equal(outfile_commit(&second, true), 0);
	outfile_close(&second);
	assert_content(s->target, "half");
}

static void closing_removes_no_dot_file_of_another_run(void **state)
{
	struct scratch *s = *state;
	struct outfile first, second;

	assert_int_equal(outfile_open(&first, s->target), OUTFILE_OPEN);
	assert_int_equal(unlink(s->dot), 0);
	assert_int_equal(outfile_open(&second, s->target), OUTFILE_OPEN);
	outfile_close(&first);
	assert_true(exists(s->dot));
	free(open_unsuccessfully(s->target, OUTFILE_LOCKED));
	assert_int_equal(outfile_commit(&second, true), 0);
	outfile_close(&second);
	assert_true(exists(s->target));
}

static void a_missing_directory_is_an_error(void **state)
{
	struct scratch *s = *state;
	char path[PATH_ROOM + 16];

	snprintf(path, sizeof(path), "%s/missing/x.prom", s->dir);
	assert_open_fails(path, "No such file or directory");
	snprintf(path, sizeof(path), "%s/x.prom", s->victim);
	assert_open_fails(path, "Not a directory");
}

static void paths_that_name_no_file_are_refused(void **state)
{
	static const char *const ends[] = {"/", "/.", "/..", "/x/"};
	struct scratch *s = *state;
	char path[PATH_ROOM + 16];

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", s->dir, ends[i]);
		assert_open_fails(path, path);
	}
	assert_open_fails("", "expected");
	assert_open_fails("/", "expected");
	assert_open_fails(".", "expected");
	assert_open_fails("..", "expected");
}

static void a_name_too_long_for_its_dot_file_is_refused(void **state)
{
	struct scratch *s = *state;
	char path[SUPPORT_PATH_SIZE + NAME_MAX + 16], *name;

	name = path + sprintf(path, "%s/", s->dir);
	memset(name, 'n', NAME_MAX + 1);
	name[NAME_MAX + 1] = '\0';
	assert_open_fails(path, "expected");
	name[NAME_MAX] = '\0';
	assert_open_fails(path, "expected");
	name[NAME_MAX - (int)strlen("..new") + 1] = '\0';
	assert_open_fails(path, "expected");
	name[NAME_MAX - (int)strlen("..new")] = '\0';
	publish(path, "long\n");
	assert_content(path, "long\n");
}

static void a_path_too_long_is_refused(void **state)
{
	char path[PATH_MAX + 16];

	(void)state;
	memset(path, '/', sizeof(path));
	strcpy(path + PATH_MAX + 8, "x.prom");
	assert_open_fails(path, "");
}

static void relative_path_is_resolved_once(void **state)
{
	struct scratch *s = *state;
	char *old = getcwd(NULL, 0);
	struct outfile file;

	assert_non_null(old);
	assert_int_equal(chdir(s->dir), 0);
	assert_int_equal(outfile_open(&file, "x.prom"), OUTFILE_OPEN);
	assert_int_equal(chdir(old), 0);
	free(old);
	assert_int_equal(write(file.fd, "here", 4), 4);
	assert_int_equal(outfile_commit(&file, true), 0);
	outfile_close(&file);
	assert_content(s->target, "here");
}

static void the_directory_is_opened_once(void **state)
{
	struct scratch *s = *state;
	char from[PATH_ROOM], to[PATH_ROOM], path[PATH_ROOM + 16];
	struct outfile file;

	snprintf(from, sizeof(from), "%s/from", s->dir);
	snprintf(to, sizeof(to), "%s/to", s->dir);
	snprintf(path, sizeof(path), "%s/x.prom", from);
	assert_int_equal(mkdir(from, 0700), 0);
	assert_int_equal(outfile_open(&file, path), OUTFILE_OPEN);
	assert_int_equal(rename(from, to), 0);
	assert_int_equal(symlink(s->dir, from), 0);
	assert_int_equal(outfile_commit(&file, true), 0);
	outfile_close(&file);
	assert_false(exists(s->target));
	snprintf(path, sizeof(path), "%s/x.prom", to);
	assert_true(exists(path));
}

/* Even root can make no file there. */
static void directory_that_refuses_files_is_an_error(void **state)
{
	(void)state;
	assert_open_fails("/proc/x.prom", "/proc/x.prom");
}

/* What open_as_nobody() said, at most. */
static char said[1024];

/* Opens the target as somebody without privileges; the result is outfile_open's. */
static int open_as_nobody(const char *path)
{
	struct outfile file;
	int status, talk[2];
	ssize_t len;
	pid_t child;

	assert_int_equal(pipe2(talk, O_CLOEXEC), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		dup2(talk[1], STDERR_FILENO);
		if (geteuid() == 0 && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
			_exit(99);
		_exit((int)outfile_open(&file, path));
	}
	close(talk[1]);
	len = read(talk[0], said, sizeof(said) - 1);
	close(talk[0]);
	said[len > 0 ? len : 0] = '\0';
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void a_directory_without_permission_is_an_error(void **state)
{
	struct scratch *s = *state;

	publish(s->target, "one\n");
	assert_int_equal(chmod(s->dir, 0555), 0);
	assert_int_equal(open_as_nobody(s->target), OUTFILE_FAILED);
	assert_int_equal(chmod(s->dir, 0), 0);
	assert_int_equal(open_as_nobody(s->target), OUTFILE_FAILED);
	assert_int_equal(chmod(s->dir, 0777), 0);
	assert_int_equal(open_as_nobody(s->target), OUTFILE_OPEN);
	assert_content(s->target, "one\n");
}

static bool is_not_root(void)
{
	if (geteuid() != 0)
		print_message("# skipped: only root works in another user's directory\n");
	return geteuid() != 0;
}

static void root_creates_the_file_as_owner_of_the_directory(void **state)
{
	struct scratch *s = *state;
	struct outfile file;
	struct stat st;

	if (is_not_root())
		skip();
	assert_int_equal(chown(s->dir, NOBODY, NOBODY - 1), 0);
	assert_int_equal(outfile_open(&file, s->target), OUTFILE_OPEN);
	assert_int_equal(lstat(s->dot, &st), 0);
	assert_int_equal(st.st_uid, NOBODY);
	assert_int_equal(st.st_gid, NOBODY - 1);
	/* Root is root again. */
	support_write_file(s->victim, "roots", 5);
	assert_int_equal(outfile_commit(&file, true), 0);
	outfile_close(&file);
	assert_int_equal(stat(s->target, &st), 0);
	assert_int_equal(st.st_uid, NOBODY);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(open_as_nobody(s->target), OUTFILE_OPEN);
}

static void owner_replaces_what_a_killed_run_by_root_left(void **state)
{
	struct scratch *s = *state;
	struct outfile file;

	if (is_not_root())
		skip();
	assert_int_equal(chown(s->dir, NOBODY, NOBODY), 0);
	assert_int_equal(outfile_open(&file, s->target), OUTFILE_OPEN);
	assert_int_equal(open_as_nobody(s->target), OUTFILE_LOCKED);
	/* As if killed: the lock goes with the descriptor, the file stays. */
	close(file.fd);
	close(file.directory);
	assert_true(exists(s->dot));
	assert_int_equal(open_as_nobody(s->target), OUTFILE_OPEN);
}

/* A directory of root's, in which a group may make files and replace its own. */
static void run_by_root_keeps_the_owner_of_the_file(void **state)
{
	struct scratch *s = *state;
	struct outfile file;

	if (is_not_root())
		skip();
	assert_int_equal(chown(s->dir, 0, NOBODY), 0);
	assert_int_equal(chmod(s->dir, 01775), 0);
	publish(s->target, "one\n");
	assert_int_equal(chown(s->target, NOBODY, NOBODY), 0);
	publish(s->target, "two\n");
	assert_int_equal(open_as_nobody(s->target), OUTFILE_OPEN);
	/* Nor does a killed one. */
	assert_int_equal(outfile_open(&file, s->target), OUTFILE_OPEN);
	close(file.fd);
	close(file.directory);
	assert_int_equal(open_as_nobody(s->target), OUTFILE_OPEN);
}

/* rename() would refuse, after the run. In the words of the message: who, and why. */
static void in_a_sticky_directory_the_owner_of_the_file_is_asked_first(void **state)
{
	struct scratch *s = *state;
	struct stat st;

	if (is_not_root())
		skip();
	assert_int_equal(chown(s->dir, 0, NOBODY), 0);
	assert_int_equal(chmod(s->dir, 01775), 0);
	support_write_file(s->target, "one\n", 4);
	assert_int_equal(chown(s->target, 999, 999), 0);
	assert_int_equal(open_as_nobody(s->target), OUTFILE_FAILED);
	assert_non_null(strstr(said,
			       "x.prom belongs to user 999 in a sticky directory of user "
			       "0, so user 65534 cannot replace it"));
	assert_false(exists(s->dot));
	/* The owner of the directory may. */
	assert_int_equal(chown(s->dir, NOBODY, NOBODY), 0);
	assert_int_equal(open_as_nobody(s->target), OUTFILE_OPEN);
	/* So may anybody without the sticky bit, and the owner of the file, and root. */
	assert_int_equal(chown(s->dir, 0, NOBODY), 0);
	assert_int_equal(chmod(s->dir, 0775), 0);
	assert_int_equal(open_as_nobody(s->target), OUTFILE_OPEN);
	assert_int_equal(chmod(s->dir, 01775), 0);
	publish(s->target, "two\n");
	assert_int_equal(stat(s->target, &st), 0);
	assert_int_equal(st.st_uid, 999);
	assert_int_equal(chown(s->target, NOBODY, NOBODY), 0);
	assert_int_equal(open_as_nobody(s->target), OUTFILE_OPEN);
}

static void foreign_dot_file_in_a_sticky_directory_is_named(void **state)
{
	struct scratch *s = *state;

	if (is_not_root())
		skip();
	assert_int_equal(chown(s->dir, 0, NOBODY), 0);
	assert_int_equal(chmod(s->dir, 01775), 0);
	support_write_file(s->dot, "", 0);
	assert_int_equal(chown(s->dot, 999, 999), 0);
	assert_int_equal(chmod(s->dot, 0600), 0);
	assert_int_equal(open_as_nobody(s->target), OUTFILE_FAILED);
	assert_non_null(strstr(said, ".x.prom.new belongs to user 999"));
}

/* The first run is one by hand: the runs of the service go on from its file. */
static void first_file_of_root_is_for_the_user_of_the_group(void **state)
{
	struct scratch *s = *state;
	struct outfile file;
	struct stat st;

	if (is_not_root())
		skip();
	assert_int_equal(chown(s->dir, 0, NOBODY), 0);
	assert_int_equal(chmod(s->dir, 01775), 0);
	publish(s->target, "one\n");
	assert_int_equal(stat(s->target, &st), 0);
	assert_int_equal(st.st_uid, NOBODY);
	assert_int_equal(open_as_nobody(s->target), OUTFILE_OPEN);
	/* What a killed run leaves is for it, too. */
	assert_int_equal(unlink(s->target), 0);
	assert_int_equal(outfile_open(&file, s->target), OUTFILE_OPEN);
	close(file.fd);
	close(file.directory);
	assert_int_equal(open_as_nobody(s->target), OUTFILE_OPEN);
	/* /tmp is of no user's group, and a group without users of nobody. */
	assert_int_equal(chown(s->dir, 0, 0), 0);
	assert_int_equal(chmod(s->dir, 01777), 0);
	unlink(s->dot);
	publish(s->target, "one\n");
	assert_int_equal(stat(s->target, &st), 0);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(chown(s->dir, 0, 4242), 0);
	assert_int_equal(unlink(s->target), 0);
	publish(s->target, "one\n");
	assert_int_equal(stat(s->target, &st), 0);
	assert_int_equal(st.st_uid, 0);
}

/* Whoever may read the file must not be able to stop its runs. */
static void other_users_cannot_hold_the_lock(void **state)
{
	struct scratch *s = *state;
	struct outfile file;
	int status;
	pid_t child;

	if (is_not_root())
		skip();
	publish(s->target, "one\n");
	assert_int_equal(chmod(s->dir, 0755), 0);
	assert_int_equal(outfile_open(&file, s->target), OUTFILE_OPEN);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (setgid(NOBODY) < 0 || setuid(NOBODY) < 0)
			_exit(99);
		_exit(open(s->dot, O_RDONLY | O_CLOEXEC) < 0 && errno == EACCES ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	outfile_close(&file);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_file_is_made_and_an_old_one_replaced),
		TEST(an_empty_file_can_be_published),
		TEST(the_old_file_is_in_place_until_the_commit),
		TEST(node_exporter_does_not_read_the_dot_file),
		TEST(descriptors_are_not_inherited),
		TEST(the_mode_is_0644_whatever_the_umask),
		TEST(closing_without_commit_leaves_the_old_file_alone),
		TEST(restart_discards_what_was_written),
		TEST(the_published_file_is_read_back),
		TEST(the_first_run_is_no_warning),
		TEST(links_and_special_files_are_not_read_back),
		TEST(a_second_run_is_locked_out_while_the_first_lives),
		TEST(files_of_other_names_do_not_lock_each_other),
		TEST(what_a_killed_run_left_is_replaced),
		TEST(link_under_the_name_of_the_dot_file_is_not_followed),
		TEST(socket_under_the_name_of_the_dot_file_is_replaced),
		TEST(directory_under_the_name_of_the_dot_file_is_an_error),
		TEST(a_target_that_is_no_regular_file_is_refused),
		TEST(a_target_that_becomes_a_link_during_the_run_is_refused),
		TEST(replaced_dot_file_is_not_published),
		TEST(closing_removes_no_dot_file_of_another_run),
		TEST(a_missing_directory_is_an_error),
		TEST(paths_that_name_no_file_are_refused),
		TEST(a_name_too_long_for_its_dot_file_is_refused),
		TEST(a_path_too_long_is_refused),
		TEST(relative_path_is_resolved_once),
		TEST(the_directory_is_opened_once),
		TEST(directory_that_refuses_files_is_an_error),
		TEST(a_directory_without_permission_is_an_error),
		TEST(root_creates_the_file_as_owner_of_the_directory),
		TEST(owner_replaces_what_a_killed_run_by_root_left),
		TEST(run_by_root_keeps_the_owner_of_the_file),
		TEST(in_a_sticky_directory_the_owner_of_the_file_is_asked_first),
		TEST(foreign_dot_file_in_a_sticky_directory_is_named),
		TEST(first_file_of_root_is_for_the_user_of_the_group),
		TEST(other_users_cannot_hold_the_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
