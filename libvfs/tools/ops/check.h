/*
 * Scripts as tests: a line with "= RESULT" must print just that. Reports are TAP, a test a line.
 *
 *     rename a b = ENOENT
 *     lstat link type,size = symlink 3
 *     kernel(REASON) open 0 fifo WRONLY|NONBLOCK = ENXIO
 *
 * A line without a result must succeed. Marks in front of a line say who decides; the reason, which
 * has no blanks, is reported where the line is skipped for it:
 *
 * kernel(REASON): the host's kernel, not the file system. Runs on the host only.
 * unasked(REASON): the file system, but a kernel that leaves permissions to it (FUSE without
 * default_permissions) decides without asking. Skipped where tap.unasked is set.
 */
#ifndef OPS_CHECK_H
#define OPS_CHECK_H

#include <stdio.h>

#include "backend.h"
#include "script.h"

/* A TAP report. All zero but `out` is a new one. */
struct tap {
    FILE *out;
    unsigned count;
    unsigned failed;
    unsigned skipped;
    bool unasked; /* lines marked unasked(REASON) are skipped */
};

/* Reports one assertion; `name` is one line. */
__attribute__((format(printf, 3, 4))) void tap_check(struct tap *tap, bool passed, const char *name,
                                                     ...);

/* Reports an assertion that is not made here. */
void tap_skip(struct tap *tap, const char *name, const char *reason);

/* Writes the plan and a summary. Returns the exit status: 0, or 1 if something failed or nothing
 * ran. */
int tap_end(struct tap *tap);

/* Runs a script on a cleared session. Returns 0, or a negative errno after a message on standard
 * error when the script is malformed or the tree cannot be cleared. */
int check_script(struct session *session, const struct script *script, struct tap *tap);

#endif
