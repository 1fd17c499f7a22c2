#include "support.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

void support_make_dir(char path[static SUPPORT_PATH_SIZE])
{
	const char *base = getenv("TMPDIR");

	snprintf(path, SUPPORT_PATH_SIZE, "%s/nodecanary-test-XXXXXX",
		 base ? base : "/tmp");
	assert_non_null(mkdtemp(path));
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void support_remove_dir(const char *path)
{
	assert_int_equal(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

void support_write_file(const char *path, const void *content, size_t len)
{
	FILE *out = fopen(path, "we");

	assert_non_null(out);
	assert_int_equal(fwrite(content, 1, len, out), len);
	assert_int_equal(fclose(out), 0);
}

/* The whole of an open file, from its beginning. */
static char *read_all(int fd, size_t *len)
{
	struct stat st;
	char *content;
	size_t size;

	assert_int_equal(fstat(fd, &st), 0);
	size = (size_t)st.st_size;
	content = calloc(size + 1, 1);
	assert_non_null(content);
	assert_int_equal(pread(fd, content, size, 0), (ssize_t)size);
	if (len)
		*len = size;
	return content;
}

char *support_read_file(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *content;

	assert_true(fd >= 0);
	content = read_all(fd, len);
	close(fd);
	return content;
}

static int captured = -1, original = -1;

void support_capture_begin(void)
{
	fflush(stderr);
	captured = memfd_create("stderr", MFD_CLOEXEC);
	original = dup(STDERR_FILENO);
	assert_true(captured >= 0 && original >= 0);
	assert_true(dup2(captured, STDERR_FILENO) >= 0);
}

char *support_capture_end(void)
{
	char *content;

	fflush(stderr);
	assert_true(dup2(original, STDERR_FILENO) >= 0);
	content = read_all(captured, NULL);
	close(captured);
	close(original);
	return content;
}

int support_run_in_child(void (*body)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(60);
		body();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

void support_assert_parts(const char *text, const char *const *parts)
{
	if (!*parts)
		assert_string_equal(text, "");
	for (; *parts; parts++)
		if (!strstr(text, *parts))
			fail_msg("`%s` is not in `%s`", *parts, text);
}

/* tests/unit/run has the wrapper's name. */
void support_skip_in_valgrind(void)
{
	if (getenv("UNIT_WRAP"))
		skip();
}
