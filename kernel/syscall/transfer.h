/* Limits of calls that move bytes. */
#ifndef UMBRA_SYSCALL_TRANSFER_H
#define UMBRA_SYSCALL_TRANSFER_H

#define TRANSFER_MAX 0x7ffff000ull /* the most bytes of one call, as on Linux */

#endif
