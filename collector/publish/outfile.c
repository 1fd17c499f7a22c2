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

#define SUFFIX ".new"

/* How often the dot-file may vanish or change under our eyes. */
#define TRIES 16

/* Splits the path and opens its directory. */
static int open_directory(struct outfile *file)
{
	const char *slash = strrchr(file->path, '/');
	const char *name = slash ? slash + 1 : file->path;
	char directory[PATH_MAX];
	size_t len = slash ? (size_t)(slash - file->path) : 0;

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
	file->directory = open(!slash	  ? "."
			       : len == 0 ? "/"
					  : directory,
			       O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (file->directory < 0)
		log_err("%s: cannot open its directory", file->path);
	return file->directory < 0 ? -1 : 0;
}

/* A link, a device, a directory is never replaced. */
static int check_target(const struct outfile *file)
{
	struct stat st;

	if (fstatat(file->directory, file->name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno == ENOENT)
			return 0;
		log_err("%s: cannot be looked at", file->path);
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
 * Root's run goes on with the file of whoever published before. In a sticky directory
 * that user could not replace it again otherwise. Where root may not give it away it
 * keeps it.
 */
static void give_to_publisher(const struct outfile *file, int fd)
{
	struct stat st;

	if (geteuid() != 0 ||
	    fstatat(file->directory, file->name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode) || st.st_uid == 0)
		return;
	if (fchown(fd, st.st_uid, (gid_t)-1) < 0)
		log_info("%s: stays root's", file->path);
}

/*
 * As root in somebody else's directory: as its owner, or where its group may write
 * there, for that group; so that whoever publishes there can clear away what a
 * killed run of root's leaves.
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
		give_to_publisher(file, fd);
	errno = saved;
	return fd;
}

/*
 * Whether the descriptor is still what the directory has under the dot-file's name:
 * 1, 0, or -1 with errno where that cannot be said.
 */
static int is_in_place(const struct outfile *file, int fd)
{
	struct stat opened, named;

	if (fstat(fd, &opened) < 0)
		return -1;
	if (fstatat(file->directory, file->temporary, &named, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -1;
	return opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

/* Removes the dot-file, if it is ours: another run's may lie there by now. */
static int remove_own(const struct outfile *file, int fd)
{
	if (is_in_place(file, fd) == 0)
		return 0;
	return unlinkat(file->directory, file->temporary, 0);
}

enum attempt { ATTEMPT_DONE, ATTEMPT_AGAIN, ATTEMPT_LOCKED, ATTEMPT_FAILED };

/*
 * The dot-file exists: a run that holds it, or something left over or put there
 * by somebody, which goes.
 */
static enum attempt clear_leftover(const struct outfile *file)
{
	int fd = openat(file->directory, file->temporary,
			O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	enum attempt result = ATTEMPT_AGAIN;
	struct stat st;

	if (fd < 0) {
		if (errno == ENOENT)
			return ATTEMPT_AGAIN;
		if (errno != ELOOP && errno != ENXIO && errno != EISDIR)
			return ATTEMPT_FAILED;
		return unlinkat(file->directory, file->temporary, 0) == 0 ||
				       errno == ENOENT
			       ? ATTEMPT_AGAIN
			       : ATTEMPT_FAILED;
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    flock(fd, LOCK_EX | LOCK_NB) < 0)
		result = errno == EWOULDBLOCK ? ATTEMPT_LOCKED : ATTEMPT_FAILED;
	else if (remove_own(file, fd) < 0 && errno != ENOENT)
		result = ATTEMPT_FAILED;
	close(fd);
	return result;
}

static enum attempt try_lock(struct outfile *file)
{
	int fd = create_exclusively(file);
	enum attempt result;

	if (fd < 0)
		return errno == EEXIST ? clear_leftover(file) : ATTEMPT_FAILED;
	/* Between our two calls another run may have taken it for a left-over. */
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		result = errno == EWOULDBLOCK ? ATTEMPT_LOCKED : ATTEMPT_FAILED;
	} else {
		int in_place = is_in_place(file, fd);

		result = in_place > 0	 ? ATTEMPT_DONE
			 : in_place == 0 ? ATTEMPT_AGAIN
					 : ATTEMPT_FAILED;
	}
	if (result != ATTEMPT_DONE) {
		int saved = errno;

		if (result == ATTEMPT_FAILED)
			remove_own(file, fd);
		close(fd);
		errno = saved;
		return result;
	}
	file->fd = fd;
	return ATTEMPT_DONE;
}

static enum outfile_result lock(struct outfile *file)
{
	enum attempt attempt = ATTEMPT_AGAIN;

	for (int i = 0; i < TRIES && attempt == ATTEMPT_AGAIN; i++)
		attempt = try_lock(file);
	if (attempt == ATTEMPT_DONE)
		return OUTFILE_OPEN;
	if (attempt == ATTEMPT_LOCKED) {
		log_errx("%s: another run is writing it", file->path);
		return OUTFILE_LOCKED;
	}
	if (attempt == ATTEMPT_AGAIN)
		errno = EEXIST;
	log_err("%s: cannot write %s beside it", file->path, file->temporary);
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

/* Opens what has been published; -1 with errno, EINVAL if it is no regular file. */
static int open_published(int directory, const char *name, int flags)
{
	int fd = openat(directory, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | flags);
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
	int fd = open_published(file->directory, file->name, O_NOFOLLOW);

	if (fd >= 0)
		return fd;
	if (errno == ENOENT)
		return OUTFILE_NONE;
	/* What is for good must not stop all further runs; what passes must not cost a
	 * file. */
	if (errno != EACCES && errno != EPERM && errno != ELOOP && errno != EINVAL) {
		log_err("%s: cannot be read", file->path);
		return OUTFILE_UNREADABLE;
	}
	log_warn("%s: cannot be read, so counters start from zero", file->path);
	return OUTFILE_NONE;
}

int outfile_peek(const char *path)
{
	int fd = open_published(AT_FDCWD, path, O_NOFOLLOW);

	return fd >= 0 ? fd : OUTFILE_NONE;
}

int outfile_restart(struct outfile *file)
{
	if (ftruncate(file->fd, 0) == 0 && lseek(file->fd, 0, SEEK_SET) == 0)
		return 0;
	log_err("%s: cannot be written", file->path);
	return -1;
}

/* By its number: libc's renameat() alone would bring 64 kB of libc into memory. */
static int rename_inside(int directory, const char *from, const char *to)
{
	return (int)syscall(SYS_renameat2, directory, from, directory, to, 0);
}

static int publish(const struct outfile *file, bool sync)
{
	/*
	 * The reader is another user: no umask decides about that. Not before the
	 * content has been written out, as whoever can read the file can lock it.
	 */
	if ((sync && fsync(file->fd) < 0) || fchmod(file->fd, 0644) < 0)
		return -1;
	return rename_inside(file->directory, file->temporary, file->name);
}

int outfile_commit(struct outfile *file, bool sync)
{
	int in_place;

	if (check_target(file) < 0)
		return -1;
	in_place = is_in_place(file, file->fd);
	if (in_place == 0) {
		log_errx("%s: somebody removed or replaced %s meanwhile", file->path,
			 file->temporary);
		return -1;
	}
	if (in_place < 0 || publish(file, sync) < 0) {
		log_err("%s: cannot be replaced", file->path);
		return -1;
	}
	file->temporary[0] = '\0';
	if (sync && fsync(file->directory) < 0) {
		log_err("%s: cannot be made to last", file->path);
		return -1;
	}
	return 0;
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
