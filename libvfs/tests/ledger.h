/* A foreign file system for tests that implements every operation, and can be told to fail. */
#ifndef UMVFS_TESTS_LEDGER_H
#define UMVFS_TESTS_LEDGER_H

#include "tests.h"

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

#endif
