/* What must be true of an instance between any two calls, seen from inside. */
#ifndef FUZZ_VFS_INVARIANTS_H
#define FUZZ_VFS_INVARIANTS_H

#include <umvfs/vfs.h>

/* Aborts with a line on stderr if one is broken: every name is found where its hash says, cookies
 * and parents agree, directories form a tree, link counts are exact, the table's counts and the
 * quota of each in-memory file system agree with what is there. unnamed: how
 * many inodes references alone may keep alive, at most. */
void check_invariants(struct umvfs *vfs, size_t unnamed);

/* The inodes without a name that a place may keep alive: its own and those of the directories above. */
size_t count_unnamed(const struct umvfs_path *place);

#endif
