#include "publish/outfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pwd.h>
#include <string.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "config/options.h"
#include "publish/exposition.h"

/* node_exporter reads the files whose names end in ".prom". */
#define SUFFIX ".new"

/*
 * How often creating the dot-file is tried while other runs create and remove theirs. A
 * limit, so that a user who may write to the directory cannot keep a run busy for ever.
 */
#define TRIES 16

/* The name of the file; its directory is copied. NULL if that is too long. */
static const char *split_path(const char *path, char directory[static PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	size_t len = (size_t)(name - path);

	if (len >= PATH_MAX)
		return NULL;
	memcpy(directory, slash ? path : ".", slash ? len : 1);
	directory[slash ? len : 1] = '\0';
	return name;
}

static int open_directory(struct outfile *file)
{
	char directory[PATH_MAX];
	const char *name = split_path(file->path, directory);

	file->temporary[0] = '.';
	if (!name || !*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	    !text_copy(file->name, sizeof(file->name), name) ||
	    !text_join(file->temporary + 1, sizeof(file->temporary) - 1, name, SUFFIX)) {
		log_errx("%s: expected the name of a file", file->path);
		return -1;
	}
	file->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
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

/* CAP_FOWNER, which root in a container may lack and another user may have. */
static bool may_act_as_owner(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};

	return syscall(SYS_capget, &header, data) == 0 &&
	       data[0].effective & 1U << CAP_FOWNER;
}

/*
 * Whether rename() may replace the file of this name, or unlink() remove it: what the
 * kernel's check_sticky() asks. rename() itself would tell only after the run.
 */
static int check_owner(const struct outfile *file, const char *name)
{
	struct stat st, directory;

	if (fstatat(file->directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fstat(file->directory, &directory) < 0 || !(directory.st_mode & S_ISVTX) ||
	    st.st_uid == geteuid() || directory.st_uid == geteuid() || may_act_as_owner())
		return 0;
	log_errx(
		"%s: %s belongs to user %u in a sticky directory of user %u, so user %u cannot replace it: change its owner, or remove it",
		file->path, name, (unsigned)st.st_uid, (unsigned)directory.st_uid,
		(unsigned)geteuid());
	return -1;
}

/* The user whose own group this is: the one of its number, or its only member. 0: none. */
static uid_t find_user_of(gid_t group)
{
	const struct passwd *user;
	uid_t found = 0;
	size_t count = 0;

	setpwent();
	while ((user = getpwent()) != NULL) {
		if (user->pw_gid != group)
			continue;
		found = user->pw_uid;
		count++;
		if (user->pw_uid == (uid_t)group)
			break;
	}
	endpwent();
	return user || count == 1 ? found : 0;
}

/*
 * A run by root leaves the file to the user who published before. In a sticky directory
 * that user could not replace a file of root, so one run by hand would end all further
 * runs of the service. Where none has published yet it is whoever the directory is meant
 * for: the role for Ansible gives it to the service's group, and makes it sticky.
 */
static uid_t choose_owner(const struct outfile *file)
{
	struct stat st;

	if (fstatat(file->directory, file->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return S_ISREG(st.st_mode) ? st.st_uid : 0;
	if (fstat(file->directory, &st) < 0 || !(st.st_mode & S_ISVTX) ||
	    !(st.st_mode & S_IWGRP) || st.st_uid != 0 || st.st_gid == 0)
		return 0;
	return find_user_of(st.st_gid);
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
	if (fd >= 0 && geteuid() == 0) {
		uid_t owner = choose_owner(file);

		if (owner != 0 && fchown(fd, owner, (gid_t)-1) < 0)
			log_info("%s: cannot give the file to user %u", file->path,
				 (unsigned)owner);
	}
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

/*
 * The kernel does not say who has flock()ed a file. So the holder has a record lock as
 * well, which decides nothing: closing any descriptor of the file would release it.
 */
static pid_t find_holder(int fd)
{
	struct flock record = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (fcntl(fd, F_GETLK, &record) < 0 || record.l_type == F_UNLCK)
		return 0;
	return record.l_pid;
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
static int remove_leftover(struct outfile *file)
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
		if (error == EWOULDBLOCK)
			file->holder = find_holder(fd);
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
	struct flock record = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = create_exclusively(file), error;

	if (fd < 0)
		return errno == EEXIST ? remove_leftover(file) : -1;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && check_in_place(file, fd) == 0) {
		file->fd = fd;
		fcntl(fd, F_SETLK, &record);
		return 0;
	}
	error = errno;
	if (error != EWOULDBLOCK && error != ESTALE)
		remove_own(file, fd);
	close(fd);
	errno = error;
	return -1;
}

/* No lock, because of `error`: what to do depends on whose the lock or the file is. */
static enum outfile_result report_no_lock(const struct outfile *file, int error)
{
	struct stat directory = {.st_uid = 0};

	if (error == EWOULDBLOCK) {
		if (file->holder)
			log_errx("%s: another run is writing it (process %d)", file->path,
				 (int)file->holder);
		else
			log_errx("%s: another run is writing it", file->path);
		return OUTFILE_LOCKED;
	}
	/* Put there by another user, who can take it away. */
	if ((error == EPERM || error == EACCES) && check_owner(file, file->temporary) < 0)
		return OUTFILE_FAILED;
	fstat(file->directory, &directory);
	errno = error == ESTALE ? EEXIST : error;
	log_err("%s: user %u cannot create %s in the directory of user %u", file->path,
		(unsigned)geteuid(), file->temporary, (unsigned)directory.st_uid);
	return OUTFILE_FAILED;
}

static enum outfile_result lock(struct outfile *file)
{
	int result = -1;

	errno = ESTALE;
	for (int i = 0; i < TRIES && result < 0 && errno == ESTALE; i++)
		result = try_lock(file);
	return result == 0 ? OUTFILE_OPEN : report_no_lock(file, errno);
}

enum outfile_result outfile_open(struct outfile *file, const char *path)
{
	enum outfile_result result;

	*file = (struct outfile){.path = path, .directory = -1, .fd = -1};
	if (open_directory(file) < 0)
		return OUTFILE_FAILED;
	if (check_target(file) < 0 || check_owner(file, file->name) < 0)
		result = OUTFILE_FAILED;
	else
		result = lock(file);
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

/* Whether it is a file of this program, other than the published one or a link to it. */
static bool is_other_of_ours(int directory, const char *name,
			     const struct stat *published)
{
	static const char begin[] = "# HELP " METRICS_PREFIX;
	char text[sizeof(begin) - 1];
	int fd = openat(directory, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	bool is_ours;

	if (fd < 0)
		return false;
	is_ours = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		  !(st.st_dev == published->st_dev && st.st_ino == published->st_ino) &&
		  read(fd, text, sizeof(text)) == (ssize_t)sizeof(text) &&
		  memcmp(text, begin, sizeof(text)) == 0;
	close(fd);
	return is_ours;
}

void outfile_check_neighbours(const char *path)
{
	char directory[PATH_MAX];
	const char *name = split_path(path, directory);
	struct stat published = {.st_ino = 0};
	const struct dirent *entry;
	DIR *stream = name && !exposition_file(path) ? opendir(directory) : NULL;

	/* Without the directory a run fails and says so. */
	if (!stream)
		return;
	stat(path, &published);
	while ((entry = readdir(stream)) != NULL)
		if (options_is_prom_path(entry->d_name) &&
		    strcmp(entry->d_name, name) != 0 && !exposition_file(entry->d_name) &&
		    is_other_of_ours(dirfd(stream), entry->d_name, &published))
			log_warnx(
				"%s: %s beside it is a file of nodecanary, too, and node_exporter drops series that are in both: name them nodecanary-NAME.prom",
				path, entry->d_name);
	closedir(stream);
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
	/* Some file systems cannot sync a directory (EINVAL), others need not (EBADF). */
	if (!sync || fsync(file->directory) == 0 || errno == EINVAL || errno == EBADF)
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
