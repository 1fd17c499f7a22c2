/*
 * What the fuzzing targets share. A property that fails ends the process, which the
 * fuzzer takes for a crash: assertions are cmocka's, outside of any test.
 *
 * With FUZZ_OUT=DIR each file that the collector would publish is also written there,
 * for other readers of it to judge.
 */
#ifndef NODECANARY_FUZZ_H
#define NODECANARY_FUZZ_H

#include "../unit/fleet.h"

#include <fcntl.h>

/* Where messages go while `code` runs; how many bytes there were. */
struct fuzz_messages {
	int sink, stderr_copy;
};

static inline void fuzz_messages_begin(struct fuzz_messages *messages)
{
	if (!messages->sink) {
		messages->sink = memfd_create("messages", MFD_CLOEXEC);
		messages->stderr_copy = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
	}
	assert_int_equal(ftruncate(messages->sink, 0), 0);
	assert_int_equal(lseek(messages->sink, 0, SEEK_SET), 0);
	assert_int_equal(dup2(messages->sink, STDERR_FILENO), STDERR_FILENO);
}

static inline off_t fuzz_messages_end(struct fuzz_messages *messages)
{
	assert_int_equal(dup2(messages->stderr_copy, STDERR_FILENO), STDERR_FILENO);
	return lseek(messages->sink, 0, SEEK_END);
}

static inline void fuzz_keep(const char *text)
{
	const char *dir = getenv("FUZZ_OUT");
	char path[SUPPORT_PATH_SIZE];
	struct digest digest;

	if (!dir)
		return;
	digest_init(&digest);
	digest_add(&digest, text, strlen(text));
	snprintf(path, sizeof(path), "%s/%016llx", dir,
		 (unsigned long long)digest_value(&digest));
	support_write_file(path, text, strlen(text));
}

#endif
