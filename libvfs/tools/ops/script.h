/*
 * Scripts of operation lines. A line that begins with # is a comment. The line `clear` closes all
 * slots and empties the tree, so that a file may hold several scripts. A block
 *
 *     each KIND,MODE in dir,0755 file,0644
 *         make $KIND x $MODE
 *     end
 *
 * stands for its lines once an item of the list, with $KIND and $MODE replaced; blocks nest. The
 * items are words, or, if the list has a | between blanks, what is between those. With one name an
 * item may have commas.
 */
#ifndef OPS_SCRIPT_H
#define OPS_SCRIPT_H

#include <stddef.h>
#include <stdio.h>

#include "backend.h"

enum {
    SCRIPT_LINES_MAX = 1 << 20, /* lines of one script file */
    EACH_DEPTH_MAX = 8,         /* blocks within blocks */
    EACH_NAMES_MAX = 8,         /* variables of one block */
};

/* One line to carry out, already without variables. */
struct script_line {
    const char *file;
    unsigned number; /* from 1 */
    const char *text;
};

/* Called for each line in turn; anything but 0 ends the script with that value. */
typedef int script_visit(void *context, const struct script_line *line);

/* A script in memory. */
struct script {
    const char *name;
    size_t count;
    char **line;
};

/* Reads the file `path` ("-" is standard input). Returns 0 or a negative errno, then nothing is
 * held. Free with script_free. */
int script_load(struct script *script, const char *path);

/* Takes the lines of `text`, named `name` in messages. */
void script_from_text(struct script *script, const char *name, const char *text);

/* Visits all lines. Returns 0, what a visit returned, or -EINVAL after a message on standard error
 * when a block is malformed. */
int script_run(const struct script *script, script_visit *visit, void *context);

/* Frees the lines. */
void script_free(struct script *script);

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
