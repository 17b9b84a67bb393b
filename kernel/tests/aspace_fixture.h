/* Shared by the tests of address spaces: a machine with files and one address space, which is in
 * use, for each test, and the check that everything is freed afterwards. */
#ifndef UMBRA_TESTS_ASPACE_FIXTURE_H
#define UMBRA_TESTS_ASPACE_FIXTURE_H

#include <umvfs/file.h>

#include "mm/aspace_internal.h"

#define RW (PROT_READ | PROT_WRITE)

#define TEST(name) cmocka_unit_test_setup_teardown(name, aspace_setup, aspace_teardown)

extern struct aspace *as;

/* 16 MiB of memory with gaps in it; the largest possible memory. */
int aspace_setup(void **state);
int aspace_setup_large(void **state);
int aspace_teardown(void **state);

/* aspace_map() of anonymous memory, and of a file from its first page on. */
int map(virt_t start, uint64_t pages, unsigned prot, unsigned flags);
int map_file(virt_t start, uint64_t pages, unsigned prot, unsigned flags,
             struct umvfs_inode *inode);

/* Accesses of the processor. They must succeed. */
void write_word(virt_t at, uint64_t value);
uint64_t read_word(virt_t at);

/* Creates /file with up to 96 pages. Each byte is the number of its page, counted from 1. */
struct umvfs_file make_file(size_t pages);

/* Closes and removes it. */
void close_file(struct umvfs_file *file);

#endif
