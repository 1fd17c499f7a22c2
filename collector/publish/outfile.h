/*
 * Replacing the published file, so that its readers see the old or the new one
 * and never anything between; and the lock that keeps two runs for one file
 * deferred.
 *
 * The new content is written to a dot-file beside the target, which
 * node_exporter does not read. The dot-file is made before the first packet,
 * exclusively and with mode 0600, and is the lock itself: nobody else can open
 * it. A left-over of a killed run is not locked, and is replaced. Root makes it
 * as the owner of the directory, so that the owner can clean up after it.
 *
 * The directory is opened once; whatever a path means later plays no part.
 * Order of calls: outfile_open(); outfile_previous(); write to outfile.fd;
 * outfile_commit(); outfile_close() in any case.
 */
#ifndef NODECANARY_OUTFILE_H
#define NODECANARY_OUTFILE_H

#include <limits.h>
#include <stdbool.h>

struct outfile {
	const char *path; /* as given, for messages; must outlive this */
	char name[NAME_MAX + 1], temporary[NAME_MAX + 1];
	int directory; /* -1: none is open */
	int fd;	       /* of the dot-file, -1: there is none */
};

enum outfile_result {
	OUTFILE_OPEN,
	OUTFILE_LOCKED, /* by another run; logged */
	OUTFILE_FAILED, /* logged */
};

enum outfile_result outfile_open(struct outfile *file, const char *path);

/*
 * The published file, to be read and closed by the caller. OUTFILE_NONE where there
 * is none, or, after a warning, none that may be read; OUTFILE_UNREADABLE after logging
 * where it cannot be opened now.
 */
#define OUTFILE_NONE (-1)
#define OUTFILE_UNREADABLE (-2)
int outfile_previous(const struct outfile *file);

/* The same without opening the output, for those who only look: OUTFILE_NONE if in doubt.
 */
int outfile_peek(const char *path);

/* Forgets what has been written so far. 0, or -1 after logging. */
int outfile_restart(struct outfile *file);

/* Publishes what was written. 0, or -1 after logging: then the old file is in place. */
int outfile_commit(struct outfile *file, bool sync);

/* Removes the dot-file if it was not published, and frees the lock. */
void outfile_close(struct outfile *file);

#endif
