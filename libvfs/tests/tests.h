/* The groups of unit tests; each returns the number of failures. */
#ifndef VFS_TESTS_TESTS_H
#define VFS_TESTS_TESTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "script.h"

int tree_tests(void);

#endif
