/*
 * Confines this process by Landlock (landlock(7), Linux 5.13): files can be created, written,
 * renamed and removed in one directory only, and nothing can be executed. Reading stays free,
 * because resolver children read /etc and the modules of NSS; so do sockets.
 *
 * What is open already keeps its access, so whatever must be written outside of the directory
 * is opened before. Children inherit the confinement, threads only if they are created
 * afterwards: it is called by the first thread, before there are others. It cannot be undone.
 */
#ifndef NODECANARY_LANDLOCK_H
#define NODECANARY_LANDLOCK_H

/*
 * `directory` is a descriptor of the writable directory; with -1 no directory is writable.
 * Returns the version of the kernel's interface, which is at least 1. On failure returns -1
 * with errno, and files are not confined: ENOSYS and EOPNOTSUPP from a kernel without
 * Landlock, EPERM in a container whose system call filter does not know it.
 */
int landlock_confine(int directory);

#endif
