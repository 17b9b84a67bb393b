/* The groups of unit tests; each returns the number of failures. */
#ifndef UMVFS_TESTS_TESTS_H
#define UMVFS_TESTS_TESTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "script.h"

int tree_tests(void);
int walk_tests(void);
int hash_tests(void);
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
int magic_tests(void);
int readdir_tests(void);
int edge_tests(void);
int initramfs_tests(void);
int event_tests(void);
int lock_tests(void);
int sparse_tests(void);
int trees_tests(void);

#endif
