/* Conformance tests that need more than operation lines: directory positions while the directory
 * changes, counts of statfs, mappings, many files at once. */
#ifndef CONFORMANCE_SPECIAL_H
#define CONFORMANCE_SPECIAL_H

#include "ops/check.h"

/* Runs all of them in the root directory, which must be empty and is left empty. */
void special_tests(struct tap *tap);

#endif
