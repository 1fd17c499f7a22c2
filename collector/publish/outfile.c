#include "publish/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"

/* node_exporter reads the files whose names end in ".prom". */
#define SUFFIX ".new"

/*
 * How often creating the dot-file is tried while other runs create and remove theirs. A
 * limit, so that a user who may write to the directory cannot keep a run busy for ever.
 */
#define TRIES 16

static int open_directory(struct outfile *file)
{
	const char *slash = strrchr(file->path, '/');
	const char *name = slash ? slash + 1 : file->path;
	char directory[PATH_MAX];
	size_t len = (size_t)(name - file->path);

	file->temporary[0] = '.';
	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	    !text_copy(file->name, sizeof(file->name), name) ||
	    !text_join(file->temporary + 1, sizeof(file->temporary) - 1, name, SUFFIX) ||
	    len >= sizeof(directory)) {
		log_errx("%s: expected the name of a file", file->path);
		return -1;
	}
	memcpy(directory, file->path, len);
	directory[len] = '\0';
	file->directory =
		open(slash ? directory : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (file->directory < 0)
		log_err("%s: cannot open its directory", file->path);
	return file->directory < 0 ? -1 : 0;
}

/*
 * Only a regular file is replaced. rename() would also replace a link or a device, such
 * as /dev/null, which is no file of ours.
 */
static int check_target(const struct outfile *file)
{
	struct stat st;

	if (fstatat(file->directory, file->name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno == ENOENT)
			return 0;
		log_err("%s: cannot read the attributes of the file", file->path);
		return -1;
	}
	if (S_ISREG(st.st_mode))
		return 0;
	log_errx("%s: is %s, expected a regular file or none", file->path,
		 S_ISLNK(st.st_mode)   ? "a symbolic link"
		 : S_ISDIR(st.st_mode) ? "a directory"
				       : "a special file");
	return -1;
}

/*
 * A run by root leaves the file to the user who published before. In a sticky directory
 * that user could not replace a file of root, so one run by hand would end all further
 * runs of the service.
 */
static void keep_owner(const struct outfile *file, int fd)
{
	struct stat st;

	if (geteuid() != 0 ||
	    fstatat(file->directory, file->name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode) || st.st_uid == 0)
		return;
	if (fchown(fd, st.st_uid, (gid_t)-1) < 0)
		log_info("%s: cannot keep the owner of the file", file->path);
}

/*
 * Root creates the dot-file as the owner of the directory, or where its group may write
 * there, for that group: those who publish there must be able to open and remove what a
 * killed run of root leaves. The file system ids (setfsuid(2)) are for this: unlike the
 * effective ids they do not let processes of that user send signals to this one.
 */
static int create_exclusively(const struct outfile *file)
{
	struct stat st = {.st_uid = 0};
	mode_t mode = 0600, mask;
	bool as_owner = geteuid() == 0 && fstat(file->directory, &st) == 0 &&
			(st.st_uid != 0 || st.st_mode & S_IWGRP);
	int fd, saved;

	if (as_owner) {
		setfsgid(st.st_gid);
		setfsuid(st.st_uid);
		if (st.st_mode & S_IWGRP)
			mode = 0660;
	}
	mask = umask(0);
	fd = openat(file->directory, file->temporary,
		    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	saved = errno;
	umask(mask);
	if (as_owner) {
		setfsuid(geteuid());
		setfsgid(getegid());
	}
	if (fd >= 0)
		keep_owner(file, fd);
	errno = saved;
	return fd;
}

/*
 * Whether the descriptor is still the file that the directory has under the name of the
 * dot-file: 0, or -1 with errno, which is ESTALE where it is not.
 */
static int check_in_place(const struct outfile *file, int fd)
{
	struct stat opened, named;

	if (fstat(fd, &opened) < 0)
		return -1;
	if (fstatat(file->directory, file->temporary, &named, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno == ENOENT)
			errno = ESTALE;
		return -1;
	}
	if (opened.st_dev == named.st_dev && opened.st_ino == named.st_ino)
		return 0;
	errno = ESTALE;
	return -1;
}

/* Removes the dot-file, unless another run's has taken its name. */
static int remove_own(const struct outfile *file, int fd)
{
	if (check_in_place(file, fd) < 0 && errno == ESTALE)
		return 0;
	return unlinkat(file->directory, file->temporary, 0);
}

/*
 * The dot-file exists: either another run holds it, or it is a leftover or was put there by
 * another user, and is removed. Always -1; errno is ESTALE after removing it, and
 * EWOULDBLOCK where another run holds it. Links and sockets cannot be opened like this, and
 * O_NONBLOCK keeps a FIFO without a writer from blocking the run.
 */
static int remove_leftover(const struct outfile *file)
{
	int fd = openat(file->directory, file->temporary,
			O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int error = errno;

	if (fd >= 0) {
		struct stat st;
		bool is_regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);

		error = 0;
		if ((is_regular && flock(fd, LOCK_EX | LOCK_NB) < 0) ||
		    remove_own(file, fd) < 0)
			error = errno;
		close(fd);
	} else if (error == ELOOP || error == ENXIO || error == EISDIR) {
		error = unlinkat(file->directory, file->temporary, 0) < 0 ? errno : 0;
	}
	errno = error == 0 || error == ENOENT ? ESTALE : error;
	return -1;
}

/*
 * Creates and locks the dot-file. Between these two another run may take it for a leftover,
 * so it counts only if it is still in place. 0, or -1 with errno: EWOULDBLOCK where another
 * run holds it, ESTALE where the next attempt may succeed.
 */
static int try_lock(struct outfile *file)
{
	int fd = create_exclusively(file), error;

	if (fd < 0)
		return errno == EEXIST ? remove_leftover(file) : -1;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && check_in_place(file, fd) == 0) {
		file->fd = fd;
		return 0;
	}
	error = errno;
	if (error != EWOULDBLOCK && error != ESTALE)
		remove_own(file, fd);
	close(fd);
	errno = error;
	return -1;
}

static enum outfile_result lock(struct outfile *file)
{
	int result = -1;

	errno = ESTALE;
	for (int i = 0; i < TRIES && result < 0 && errno == ESTALE; i++)
		result = try_lock(file);
	if (result == 0)
		return OUTFILE_OPEN;
	if (errno == EWOULDBLOCK) {
		log_errx("%s: another run is writing it", file->path);
		return OUTFILE_LOCKED;
	}
	if (errno == ESTALE)
		errno = EEXIST;
	log_err("%s: cannot create %s", file->path, file->temporary);
	return OUTFILE_FAILED;
}

enum outfile_result outfile_open(struct outfile *file, const char *path)
{
	enum outfile_result result;

	*file = (struct outfile){.path = path, .directory = -1, .fd = -1};
	if (open_directory(file) < 0)
		return OUTFILE_FAILED;
	result = check_target(file) < 0 ? OUTFILE_FAILED : lock(file);
	if (result != OUTFILE_OPEN)
		outfile_close(file);
	return result;
}

/* Opens the published file; -1 with errno, EINVAL if it is not a regular file. */
static int open_published(int directory, const char *name)
{
	int fd = openat(directory, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	int error;

	if (fd < 0)
		return -1;
	error = fstat(fd, &st) < 0 ? errno : S_ISREG(st.st_mode) ? 0 : EINVAL;
	if (error == 0)
		return fd;
	close(fd);
	errno = error;
	return -1;
}

int outfile_previous(const struct outfile *file)
{
	int fd = open_published(file->directory, file->name);

	if (fd >= 0)
		return fd;
	if (errno == ENOENT)
		return OUTFILE_NONE;
	/*
	 * A permanent error must not block later runs; a transient one must not lose the
	 * counters.
	 */
	if (errno != EACCES && errno != EPERM && errno != ELOOP && errno != EINVAL) {
		log_err("%s: cannot open the previous file", file->path);
		return OUTFILE_UNREADABLE;
	}
	log_warn("%s: cannot open the previous file, so counters start from zero",
		 file->path);
	return OUTFILE_NONE;
}

int outfile_peek(const char *path)
{
	int fd = open_published(AT_FDCWD, path);

	return fd >= 0 ? fd : OUTFILE_NONE;
}

int outfile_restart(struct outfile *file)
{
	if (ftruncate(file->fd, 0) == 0 && lseek(file->fd, 0, SEEK_SET) == 0)
		return 0;
	log_err("%s: cannot write the file", file->path);
	return -1;
}

/*
 * The content is on the disk before the name is, so that a crash leaves the old or the new
 * file whole. The mode comes last, as every user who can read the file can lock it; it is
 * set without regard to the umask, as node_exporter is another user.
 *
 * The rename is called by its number: renameat() lies in a part of libc that nothing else
 * touches, and brings 64 kB of it into memory.
 */
static int publish(const struct outfile *file, bool sync)
{
	if ((sync && fsync(file->fd) < 0) || fchmod(file->fd, 0644) < 0)
		return -1;
	return (int)syscall(SYS_renameat2, file->directory, file->temporary,
			    file->directory, file->name, 0);
}

int outfile_commit(struct outfile *file, bool sync)
{
	if (check_target(file) < 0)
		return -1;
	if (check_in_place(file, file->fd) < 0 || publish(file, sync) < 0) {
		if (errno == ESTALE)
			log_errx("%s: another process removed or replaced %s", file->path,
				 file->temporary);
		else
			log_err("%s: cannot replace the file", file->path);
		return -1;
	}
	file->temporary[0] = '\0';
	if (!sync || fsync(file->directory) == 0)
		return 0;
	log_err("%s: cannot fsync the directory", file->path);
	return -1;
}

void outfile_close(struct outfile *file)
{
	if (file->fd >= 0) {
		if (file->temporary[0] && remove_own(file, file->fd) < 0)
			log_warn("%s: cannot remove %s", file->path, file->temporary);
		close(file->fd);
	}
	if (file->directory >= 0)
		close(file->directory);
	file->fd = file->directory = -1;
}
