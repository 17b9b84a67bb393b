/* Data that is written only during boot. The linker script collects it, and kernel_map_seal() makes
 * its pages read-only before the first program runs. In the hosted tests it is ordinary data. */
#ifndef UMBRA_LIB_SEALED_H
#define UMBRA_LIB_SEALED_H

#define SEALED __attribute__((section(".data.sealed")))

#endif
