/* A world for tests, and one-line commands on it, so that cases fit tables:
 *
 *   mkdir P [mode]     rmdir P            unlink P           mknod P mode [rdev]
 *   mkpath P [mode]    rmtree P
 *   symlink TARGET P   link P Q [follow]  rename P Q [noreplace|exchange|whiteout]
 *   write P TEXT       append P TEXT      fill P SIZE [at]   truncate P SIZE
 *   open P FLAGS [mode] [resolve flags]   exec P             keep P FLAGS    close
 *   stat P             lstat P            lookup P FLAGS     chdir P         chroot P
 *   chmod P mode       chown P uid gid    lchown P uid gid   access P rwx
 *   as root|alice|bob  umask mode         setx P NAME VALUE  getx P NAME     rmx P NAME
 *   tmpfs P [flags]    bind P Q [rec]     remount P flags    umount P [detach]
 *
 * FLAGS: letters of r w c x t a d n p T (read write creat excl trunc append directory nofollow path
 * tmpfile); lookup and open take resolve flags as x s m b i n(ofollow): no_xdev no_symlinks
 * no_magiclinks beneath in_root. "." after a word is not special. Modes are octal. */
#ifndef UMVFS_TESTS_TESTS_H
#define UMVFS_TESTS_TESTS_H

#include <umvfs/archive.h>
#include <umvfs/attr.h>
#include <umvfs/file.h>
#include <umvfs/mount.h>
#include <umvfs/page.h>
#include <umvfs/tree.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "host.h"

struct world {
    struct host host;
    struct umvfs *vfs;
    struct umvfs_task task;
    struct umvfs_cred cred;
    struct umvfs_file kept; /* by "keep" */
};

struct step {
    const char *command;
    int expected; /* 0 or a negative error; lengths count as 0 */
};

/* Names of attributes that have one hash under the seed of host_config. */
#define ONE_HASH  "user.1107808"
#define SAME_HASH "user.1064998"

/* Starts a world; config may be NULL. end closes everything and asserts that nothing leaked. */
void world_begin(struct world *world, const struct umvfs_config *config);
void world_end(struct world *world);
/* Starts it again after umvfs_new by the caller. */
void world_adopt(struct world *world, struct umvfs *vfs);

/* Access and modification time in seconds, for umvfs_utimens. */
#define AT(atime, mtime) ((const struct umvfs_time[2]){{(atime), 0}, {(mtime), 0}})

/* Runs one command. */
int run(struct world *world, const char *command);
/* Runs steps until an empty one and fails the test on the first that answers otherwise. */
void run_steps(struct world *world, const struct step *steps);
/* Both for a world of its own. */
void run_world(const struct step *steps);

/* Reads a whole file as a string of at most size - 1 bytes; returns the length or an error. */
int64_t slurp(struct world *world, const char *path, char *buf, size_t size);

/* A foreign file system for tests that implements every operation, and can be told to fail. */

#define LEDGER_ITEMS 16

struct item {
    bool used;
    int dir;
    char name[32];
    struct umvfs_stat st;
    char text[64];
};

struct ledger {
    struct item item[LEDGER_ITEMS];
    int fail;       /* what an operation answers instead of working */
    unsigned works; /* how many work before that */
    int refs;       /* above what the mount holds */
    int opened;     /* and not released yet */
    unsigned asked; /* permissions */
    void *page;     /* what a page of any file is */
};

extern const struct umvfs_fs_ops ledger_ops;
/* The least that there must be. */
extern const struct umvfs_fs_ops ledger_bare_ops;

/* Starts a world with a ledger mounted at /l, which has a directory d, a file f of four bytes and a
 * link l to it. end unmounts it and asserts that whatever was opened was released. */
void ledger_begin(struct world *w, struct ledger *l, const struct umvfs_fs_ops *ops);
void ledger_end(struct world *w, struct ledger *l);

/* The groups of unit tests; each returns the number of failures. */

int tree_tests(void);
int walk_tests(void);
int perm_tests(void);
int file_tests(void);
int page_tests(void);
int limit_tests(void);
int foreign_tests(void);
int refusal_tests(void);
int mount_tests(void);
int fail_tests(void);
int archive_tests(void);
int tar_tests(void);
int import_tests(void);
int index_tests(void);
int initramfs_tests(void);
int event_tests(void);
int lock_tests(void);
int sparse_tests(void);
int trees_tests(void);

#endif
