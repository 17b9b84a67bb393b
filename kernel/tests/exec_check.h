/* Compares a program that exec_load() made with its file. */
#ifndef UMBRA_TESTS_EXEC_CHECK_H
#define UMBRA_TESTS_EXEC_CHECK_H

#include "exec/image.h"

/* Makes all pages present, if memory allows, and checks each with the page walk: permissions and
 * every byte against the plan of the file. Only the stack and the interpreter may be mapped too.
 */
void exec_check(const uint8_t *file, size_t size, const struct new_image *made);

/* Loads a program with argv[0] = path, the given strings as further arguments and one of
 * environment. Returns exec_load()'s result. */
int exec_try(const char *path, const char *const *arguments, size_t count, struct new_image *out);

/* Frees a program. */
void exec_drop(struct new_image *made);

#endif
