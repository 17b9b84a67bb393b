/*
 * vfs-conformance [-u] DIRECTORY SCRIPT...: POSIX and Linux conformance of the file system at
 * DIRECTORY.
 *
 * With -u the kernel leaves permissions to the file system (FUSE without default_permissions), and
 * lines are skipped of which the file system is then not asked.
 *
 * DIRECTORY must be empty and is emptied between scripts. The scripts are tables of operations with
 * the result of each; what a line cannot say is tested in C (special.h). Reports TAP on standard
 * output. Exit status: 0 if everything passed, 1 if not, 2 if the test could not run.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ops/check.h"
#include "ops/host.h"
#include "special.h"

static int load_all(struct script *scripts, char **paths, int count)
{
    for (int i = 0; i < count; i++) {
        int error = script_load(&scripts[i], paths[i]);
        if (error) {
            fprintf(stderr, "vfs-conformance: %s: %s\n", paths[i], strerror(-error));
            return error;
        }
    }
    return 0;
}

enum { SCRIPTS_MAX = 64 };

int main(int argc, char **argv)
{
    static struct script scripts[SCRIPTS_MAX];
    struct tap tap = {.out = stdout};
    if (argc > 1 && strcmp(argv[1], "-u") == 0) {
        tap.unasked = true;
        argv++;
        argc--;
    }
    if (argc < 3 || argc - 2 > SCRIPTS_MAX) {
        fputs("usage: vfs-conformance [-u] DIRECTORY SCRIPT...\n", stderr);
        return 2;
    }
    int count = argc - 2;
    if (load_all(scripts, argv + 2, count)) /* before the directory becomes the root */
        return 2;
    struct session session = {0};
    int error = host_create(&session.backend, argv[1]);
    if (error) {
        fprintf(stderr, "vfs-conformance: %s: %s\n", argv[1], strerror(-error));
        return 2;
    }
    for (int i = 0; i < count && !error; i++)
        error = check_script(&session, &scripts[i], &tap);
    if (!error)
        error = session_clear(&session);
    if (!error)
        special_tests(&tap);
    session_forget(&session);
    for (int i = 0; i < count; i++)
        script_free(&scripts[i]);
    session.backend->operations->destroy(session.backend);
    int status = tap_end(&tap);
    return error ? 2 : status;
}
