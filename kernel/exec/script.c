/* Scripts: files whose first line names their interpreter after "#!". */
#include <umvfs/page.h>

#include "exec/internal.h"
#include "lib/errno.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Ends the word at *p with a NUL and moves *p past it and the blanks after it. */
static char *take_word(char **p)
{
    char *word = *p;
    while (**p && !is_blank(**p))
        ++*p;
    if (**p)
        *(*p)++ = '\0';
    while (is_blank(**p))
        ++*p;
    return word;
}

int exec_read_shebang(const struct umvfs_file *file, struct exec_shebang *out)
{
    int64_t n = umvfs_inode_read(file->inode, 0, out->line, sizeof(out->line) - 1);
    if (n < 0)
        return (int)n;
    if (n > 0)
        umvfs_file_event(file, UMVFS_IN_ACCESS);
    if (n < 2 || out->line[0] != '#' || out->line[1] != '!')
        return 0;
    out->line[n] = '\0';
    char *start = out->line + 2, *end = start, *path_end;
    while (*end && *end != '\n')
        end++;
    bool is_whole = *end == '\n';
    while (is_blank(*start))
        start++;
    for (path_end = start; path_end < end && !is_blank(*path_end);)
        path_end++;
    if (start >= end && !is_whole && n < (int64_t)sizeof(out->line) - 1)
        return -EACCES; /* as on Linux, where the empty name means the current directory */
    if (start >= end || path_end == out->line + sizeof(out->line) - 1)
        return -ENOEXEC;
    while (is_blank(end[-1]))
        end--;
    *end = '\0';
    out->path = take_word(&start);
    out->argument = *start ? start : NULL;
    return 1;
}

int exec_use_script(struct exec_args *args, const struct exec_shebang *shebang, const char *path)
{
    const char *strings[3];
    size_t count = 0;
    strings[count++] = shebang->path;
    if (shebang->argument)
        strings[count++] = shebang->argument;
    strings[count++] = path;
    return exec_args_replace_first(args, strings, count);
}
