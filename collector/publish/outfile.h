/*
 * Replaces the published file atomically: its readers see the old or the new one, never
 * anything between. Also the lock that lets one run at a time write a file.
 *
 * The new content is written to a dot-file beside the file, which node_exporter does not
 * read. The dot-file is created before the first packet, exclusively and with mode 0600,
 * and is itself the lock: no other user can open it. What a killed run left is not locked,
 * and is replaced. Root creates it as the owner of the directory, so that the owner can
 * remove it.
 *
 * In a sticky directory only its owner and that of the file may replace a file, and
 * outfile_open() fails for anybody else, so that it is known before the first packet. Root
 * leaves its file to whoever published before, or to the user whose group the directory
 * is of.
 *
 * The directory is opened once; later changes of the path have no effect.
 *
 * Order of calls: outfile_open(); outfile_previous(); write to outfile.fd;
 * outfile_commit(); outfile_close() in any case.
 */
#ifndef NODECANARY_OUTFILE_H
#define NODECANARY_OUTFILE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

struct outfile {
	const char *path; /* as given, for messages; must outlive this */
	char name[NAME_MAX + 1], temporary[NAME_MAX + 1];
	int directory; /* -1: none is open */
	pid_t holder;  /* the process that holds the lock, 0: not known */
	int fd;	       /* of the dot-file, -1: there is none */
};

enum outfile_result {
	OUTFILE_OPEN,
	OUTFILE_LOCKED, /* by another run; logged */
	OUTFILE_FAILED, /* logged */
};

enum outfile_result outfile_open(struct outfile *file, const char *path);

/*
 * A descriptor of the published file, which the caller closes. OUTFILE_NONE where there
 * is no file, or, after a warning, none that may be read; OUTFILE_UNREADABLE after
 * logging where it cannot be opened now.
 */
#define OUTFILE_NONE (-1)
#define OUTFILE_UNREADABLE (-2)
int outfile_previous(const struct outfile *file);

/*
 * The same without outfile_open(), for a run that publishes nothing: OUTFILE_NONE, without
 * a message, where the file cannot be read.
 */
int outfile_peek(const char *path);

/*
 * Warns of another file of this program beside the published one, where the series about
 * the run have no label that tells the two apart (exposition.h): node_exporter would
 * drop those of one of them. For --check.
 */
void outfile_check_neighbours(const char *path);

/* Discards what has been written to outfile.fd. 0, or -1 after logging. */
int outfile_restart(struct outfile *file);

/*
 * Publishes what was written, after fsync() of the content and before that of the directory
 * if `sync`. 0, or -1 after logging; only a directory that cannot be synced leaves the new
 * file in place then, any other error the old one.
 */
int outfile_commit(struct outfile *file, bool sync);

/* Removes a dot-file that was not published, and releases the lock. */
void outfile_close(struct outfile *file);

#endif
