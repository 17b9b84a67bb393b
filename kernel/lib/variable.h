/* Attributes of variables.
 *
 * SEALED is data that is written only during boot. The linker script collects it, and kernel_map_seal() makes its pages
 * read-only before the first program runs. In the hosted tests it is ordinary data.
 *
 * The kernel's variables on the stack are zero before they are assigned (-ftrivial-auto-var-init=zero), so that what a
 * call left there before reaches nobody. UNINITIALIZED exempts a variable for which that costs too much, on a path that
 * programs take often. A comment beside it says why nothing is read of it that was not assigned: which function assigns
 * it whole, or what tells how much of it is valid. The image that looks for leaks (the option kernel_pattern) exempts
 * nothing. */
#ifndef UMBRA_LIB_VARIABLE_H
#define UMBRA_LIB_VARIABLE_H

#define SEALED __attribute__((section(".data.sealed")))

#ifdef UMBRA_FILL_PATTERN
#define UNINITIALIZED
#else
#define UNINITIALIZED __attribute__((uninitialized))
#endif

#endif
