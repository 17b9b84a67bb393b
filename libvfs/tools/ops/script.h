/*
 * Scripts of operation lines. A line that begins with # is a comment. A block
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

#endif
