/* What must be true of an instance between any two calls, seen from inside. */
#ifndef FUZZ_VFS_INVARIANTS_H
#define FUZZ_VFS_INVARIANTS_H

#include <umvfs/path.h>
#include <umvfs/vfs.h>

/* Aborts with a line on stderr if one is broken: every name is found where its hash says, cookies
 * and parents agree, directories form a tree, link counts are exact, the table's counts and the
 * quota of each in-memory file system agree with what is there. unnamed: inodes that only
 * references keep alive, at most. */
void check_invariants(struct umvfs *vfs, size_t unnamed);

/* How many objects that have no name a reference keeps alive: what it is to, and the directories
 * that it was in when they were removed. */
size_t count_unnamed(const struct umvfs_path *held);

#endif
