/* A whole tree as text, for comparison. */
#ifndef SH_TREE_H
#define SH_TREE_H

#include "ops/backend.h"

/* Appends a line for every object of the session's tree, in order of names: its attributes, which
 * other name it shares its inode with, its contents and extended attributes. Changes nothing but
 * access times of directories and links. Uses the last slot. */
void tree_describe(struct session *session, struct bytes *out);

#endif
