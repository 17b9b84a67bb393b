/* Shared by the tests of exec: a machine with files for each test, and programs that are loaded,
 * checked and freed completely. */
#ifndef UMBRA_TESTS_EXEC_FIXTURE_H
#define UMBRA_TESTS_EXEC_FIXTURE_H

#include "tests/elf_image.h"

/* The file that was written last. */
extern uint8_t exec_file[ELF_SIZE_MAX];

/* Position-independent programs, the second with /ld.so as its interpreter. */
extern const struct elf_image elf_pie, elf_dynamic;

int exec_setup(void **state);
int exec_teardown(void **state);

/* Counts that must be the same after a program was refused or has ended, and the comparison. */
void exec_remember(void);
void assert_unchanged(const char *name);

void write_image(const char *path, const struct elf_image *image);
void write_script(const char *path, const char *text);

/* Loads twice, checks, and compares the counts after the second time with those after the first:
 * the remaining objects belong to the file (its pages, the list of its mappings). */
void assert_loads(const char *name, const struct elf_image *image);

/* Expects that error and a message; nothing has changed, and the file can be written again. */
void assert_refused(const char *name, const struct elf_image *image, int wanted);

#endif
