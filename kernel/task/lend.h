/* Lending: the current thread uses a pointer to a counted object without a reference, so it must not
 * sleep. Debug builds check that. The calls nest. */
#ifndef UMBRA_TASK_LEND_H
#define UMBRA_TASK_LEND_H

#include <stdbool.h>

#ifdef UMBRA_DEBUG
void lend_begin(void);
void lend_end(void);

static inline bool lend_enter(void)
{
    lend_begin();
    return true;
}

static inline void lend_leave(const bool *lent)
{
    (void)lent;
    lend_end();
}

/* From here to the end of the block something is lent. */
#define LENDING() const bool lending __attribute__((cleanup(lend_leave), unused)) = lend_enter()

/* Before a loop: during the loop something is lent. The loop may be left by break and return. */
#define LENDING_LOOP                                                                               \
    for (bool lending __attribute__((cleanup(lend_leave))) = lend_enter(); lending; lending = false)
#else
#define LENDING() _Static_assert(true, "")
#define LENDING_LOOP
#endif

#endif
