/* Limits of calls that move bytes. */
#ifndef UMBRA_SYSCALL_TRANSFER_H
#define UMBRA_SYSCALL_TRANSFER_H

#define TRANSFER_MAX 0x7ffff000ull /* bytes that one call moves at most, as on Linux */

#endif
