/* cmocka with the headers that it needs before it. */
#ifndef UMBRA_TESTS_TEST_H
#define UMBRA_TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/fail.h"

/* Asserts that run(ctx) ends in a panic or finding whose text contains `text`. */
static inline void assert_fails(void (*run)(void *ctx), void *ctx, const char *text)
{
    const char *message = fail_of(run, ctx);
    assert_non_null(message);
    if (!strstr(message, text))
        fail_msg("\"%s\" does not contain \"%s\"", message, text);
}

#endif
