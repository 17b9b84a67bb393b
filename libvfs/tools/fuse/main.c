/* The command vfs-fuse: options, the session, and its end. */
#include "fuse.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ops/embed.h"

struct options {
    char *image;
    char *save;
    char *checks;
    unsigned long pages, inodes, bytes;
    unsigned mode;
    int cached;
};

#define OPTION(text, member) {text, offsetof(struct options, member), 1}
static const struct fuse_opt option_table[] = {
    OPTION("--image=%s", image), OPTION("--save=%s", save),    OPTION("checks=%s", checks),
    OPTION("pages=%lu", pages),  OPTION("inodes=%lu", inodes), OPTION("bytes=%lu", bytes),
    OPTION("mode=%o", mode),     OPTION("cached", cached),     FUSE_OPT_END,
};

static void print_help(void)
{
    puts("usage: vfs-fuse [options] MOUNTPOINT\n"
         "\n"
         "Mounts an empty in-memory file system of libvfs.\n"
         "\n"
         "    --image=FILE       start with the contents of a cpio or tar archive\n"
         "    --save=FILE        write the contents to FILE when unmounted (.tar: tar, else cpio)\n"
         "    -o checks=WHO      who checks permissions: libvfs (default), kernel or both\n"
         "    -o pages=N         quota of data, in pages of 4096 bytes\n"
         "    -o bytes=N         quota of memory for names, inodes and small files\n"
         "                       (both by default: half of the machine's memory, in bytes)\n"
         "    -o inodes=N        quota of inodes (default: none)\n"
         "    -o mode=OCTAL      permissions of the root directory (default: 0755)\n"
         "    -o cached          use the kernel's page cache, so that files can be mapped shared\n"
         "    -f                 stay in the foreground\n"
         "    -d                 print each request\n"
         "    -h, -V             print this help, or the version\n"
         "\n"
         "Other -o options are the kernel's, such as allow_other, dev and suid.");
}

/* The daemon leaves the working directory, so a relative name must not stay one. */
static void make_absolute(char **path)
{
    char *absolute;
    if (!*path || **path == '/')
        return;
    char *directory = getcwd(NULL, 0);
    if (directory && asprintf(&absolute, "%s/%s", directory, *path) >= 0) {
        free(*path);
        *path = absolute;
    }
    free(directory);
}

static int parse_checks(const char *name, enum fuse_checks *checks)
{
    static const char *const names[] = {"libvfs", "kernel", "both"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0) {
            *checks = (enum fuse_checks)i;
            return 0;
        }
    return -EINVAL;
}

/* What this server wants of the kernel. */
static void on_init(void *context, struct fuse_conn_info *connection)
{
    const struct server *server = context;
    /* Requests stay in memory, where tmpfile_process can look at them. */
    connection->want &= ~(unsigned)FUSE_CAP_SPLICE_READ;
    /* With time-outs of 0 attributes that come along with names would be asked for again. */
    connection->want &= ~(unsigned)(FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO);
    /* libvfs takes set-user-id bits, and truncates in one step with open. */
    connection->want |= connection->capable & (FUSE_CAP_HANDLE_KILLPRIV | FUSE_CAP_ATOMIC_O_TRUNC);
    /* A default ACL counts instead of the umask, which libvfs therefore applies. */
    connection->want |= connection->capable & FUSE_CAP_DONT_MASK;
    if (server->checks != CHECKS_LIBVFS)
        connection->want |= connection->capable & FUSE_CAP_POSIX_ACL;
}

static int start(struct server *server, const struct options *options)
{
    struct bytes message = {0};
    struct embed_options embed = {
        .limits = {options->pages, options->inodes, options->bytes},
        .root_mode = options->mode,
    };
    embed_limit(&embed.limits, embed_default_size());
    int error = embed_new(&server->embed, &embed);
    if (error) {
        fprintf(stderr, "vfs-fuse: cannot make a file system: %s\n", strerror(-error));
        return error;
    }
    if (options->image)
        error = archive_load(server->embed.vfs, options->image, &(struct umvfs_import_options){0},
                             &message);
    if (error)
        fprintf(stderr, "vfs-fuse: %s\n", bytes_string(&message));
    bytes_free(&message);
    umvfs_root(server->embed.vfs, &server->root.place);
    umvfs_inode_set_cookie(umvfs_path_inode(&server->root.place), &server->root);
    return error;
}

/* Ends the instance: saves it if asked to. */
static int stop(struct server *server, const struct options *options)
{
    struct bytes message = {0};
    int error = 0;
    if (options->save) {
        size_t length = strlen(options->save);
        bool is_tar = length > 4 && strcmp(options->save + length - 4, ".tar") == 0;
        error = archive_save(server->embed.vfs, options->save,
                             is_tar ? UMVFS_ARCHIVE_TAR : UMVFS_ARCHIVE_CPIO, &message);
        if (error)
            fprintf(stderr, "vfs-fuse: %s\n", bytes_string(&message));
    }
    bytes_free(&message);
    node_forget_all(server);
    /* Files that were open when the daemon was killed keep the instance; the process ends anyway.
     * Without any, everything must have come back. */
    int left = server->files ? 0 : embed_destroy(&server->embed);
    if (left)
        fprintf(stderr, "vfs-fuse: the instance did not end: %s\n", strerror(-left));
    return error ? error : left;
}

static int serve(struct fuse_session *session, struct server *server)
{
    struct fuse_buf buffer = {0};
    int result = 0;
    while (!fuse_session_exited(session)) {
        result = fuse_session_receive_buf(session, &buffer);
        if (result == -EINTR)
            continue;
        if (result <= 0)
            break;
        if (!tmpfile_process(session, server, &buffer))
            fuse_session_process_buf(session, &buffer);
    }
    free(buffer.mem);
    return result < 0 ? result : 0;
}

/* Mounts, serves until unmounted, and unmounts. */
static int run(struct fuse_args *args, const struct fuse_cmdline_opts *cmdline,
               struct server *server)
{
    struct fuse_lowlevel_ops operations = {.init = on_init};
    fuse_names_operations(&operations);
    fuse_attribute_operations(&operations);
    fuse_file_operations(&operations);
    int error = -EIO;
    struct fuse_session *session = fuse_session_new(args, &operations, sizeof operations, server);
    if (!session)
        return -EINVAL;
    if (fuse_set_signal_handlers(session) == 0) {
        if (fuse_session_mount(session, cmdline->mountpoint) == 0) {
            error = fuse_daemonize(cmdline->foreground) ? -EIO : serve(session, server);
            fuse_session_unmount(session);
        }
        fuse_remove_signal_handlers(session);
    }
    fuse_session_destroy(session);
    return error;
}

static int serve_options(struct fuse_args *args, const struct fuse_cmdline_opts *cmdline,
                         const struct options *options)
{
    struct server server = {.cached = options->cached};
    if (parse_checks(options->checks ? options->checks : "libvfs", &server.checks)) {
        fprintf(stderr, "vfs-fuse: checks=%s: not libvfs, kernel or both\n", options->checks);
        return 2;
    }
    if (options->mode & ~07777u) {
        fprintf(stderr, "vfs-fuse: mode=%o: not a mode\n", options->mode);
        return 2;
    }
    if (server.checks != CHECKS_LIBVFS)
        fuse_opt_add_arg(args, "-odefault_permissions");
    fuse_opt_add_arg(args, "-osubtype=libvfs,fsname=vfs-fuse");
    int error = start(&server, options);
    if (!error)
        error = run(args, cmdline, &server);
    if (server.embed.vfs) {
        int stopped = stop(&server, error ? &(struct options){0} : options);
        error = error ? error : stopped;
    }
    return error ? 1 : 0;
}

int main(int argc, char **argv)
{
    struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
    struct options options = {0};
    struct fuse_cmdline_opts cmdline = {0};
    int status = 2;
    if (fuse_opt_parse(&args, &options, option_table, NULL) == 0 &&
        fuse_parse_cmdline(&args, &cmdline) == 0) {
        if (cmdline.show_help || cmdline.show_version) {
            cmdline.show_help ? print_help() : (void)puts("vfs-fuse " VFS_TOOLS_VERSION);
            status = 0;
        } else if (!cmdline.mountpoint) {
            fputs("vfs-fuse: no mount point given; see vfs-fuse -h\n", stderr);
        } else {
            make_absolute(&options.save);
            status = serve_options(&args, &cmdline, &options);
        }
    }
    free(options.image);
    free(options.save);
    free(options.checks);
    free(cmdline.mountpoint);
    fuse_opt_free_args(&args);
    return status;
}
