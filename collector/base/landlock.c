#include "base/landlock.h"

#include <errno.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Of the kernel's include/uapi/linux/landlock.h, whose names these are without
 * LANDLOCK_ACCESS_FS_. The header is not included because the one of the build machine may
 * be older than the kernel that runs the program.
 */
#define EXECUTE (UINT64_C(1) << 0)
#define WRITE_FILE (UINT64_C(1) << 1)
#define REMOVE_DIR (UINT64_C(1) << 4)
#define REMOVE_FILE (UINT64_C(1) << 5)
#define MAKE_CHAR (UINT64_C(1) << 6)
#define MAKE_DIR (UINT64_C(1) << 7)
#define MAKE_REG (UINT64_C(1) << 8)
#define MAKE_SOCK (UINT64_C(1) << 9)
#define MAKE_FIFO (UINT64_C(1) << 10)
#define MAKE_BLOCK (UINT64_C(1) << 11)
#define MAKE_SYM (UINT64_C(1) << 12)
#define TRUNCATE (UINT64_C(1) << 14)  /* version 3 */
#define IOCTL_DEV (UINT64_C(1) << 15) /* version 5 */

#define CREATE_RULESET_VERSION 1
#define RULE_PATH_BENEATH 1

struct ruleset_attr {
	uint64_t handled_access_fs;
};

struct path_beneath_attr {
	uint64_t allowed_access;
	int32_t parent_fd;
} __attribute__((packed));

/* A kernel refuses a ruleset with accesses that its version does not know. */
static uint64_t accesses_of_version(int version)
{
	uint64_t accesses = EXECUTE | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_CHAR |
			    MAKE_DIR | MAKE_REG | MAKE_SOCK | MAKE_FIFO | MAKE_BLOCK |
			    MAKE_SYM;

	if (version >= 3)
		accesses |= TRUNCATE;
	if (version >= 5)
		accesses |= IOCTL_DEV;
	return accesses;
}

/* A file is replaced by a rename, which removes one name and makes another. */
static int allow_files(int ruleset, int directory, uint64_t handled)
{
	struct path_beneath_attr rule = {
		.allowed_access =
			handled & (WRITE_FILE | REMOVE_FILE | MAKE_REG | TRUNCATE),
		.parent_fd = directory,
	};

	return (int)syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0);
}

/* Without CAP_SYS_ADMIN the kernel confines only who cannot gain privileges any more. */
static int enforce(int ruleset)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
}

int landlock_confine(int directory)
{
	int version = (int)syscall(SYS_landlock_create_ruleset, NULL, 0,
				   CREATE_RULESET_VERSION);
	struct ruleset_attr attr = {accesses_of_version(version)};
	int ruleset, result = 0, error;

	if (version < 0)
		return -1;
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (ruleset < 0)
		return -1;
	if (directory >= 0)
		result = allow_files(ruleset, directory, attr.handled_access_fs);
	if (result == 0)
		result = enforce(ruleset);
	error = errno;
	close(ruleset);
	errno = error;
	return result == 0 ? version : -1;
}
