/* Global variables and the redzones that the compiler puts after them. */
#ifndef UMBRA_SANITIZE_GLOBALS_H
#define UMBRA_SANITIZE_GLOBALS_H

#include "sanitize/compiler.h"

/* The variable whose redzone holds the address, or NULL. */
const struct global *global_at(uint64_t address);

#endif
