/* capabilities(7): the privileges of user 0, one by one. */
#ifndef UMBRA_TASK_CAPABILITY_H
#define UMBRA_TASK_CAPABILITY_H

#include <stdint.h>

#define CAP_CHOWN           0
#define CAP_DAC_OVERRIDE    1
#define CAP_DAC_READ_SEARCH 2
#define CAP_FOWNER          3
#define CAP_FSETID          4
#define CAP_KILL            5
#define CAP_SETGID          6
#define CAP_SETUID          7
#define CAP_SETPCAP         8
#define CAP_IPC_LOCK        14
#define CAP_SYS_CHROOT      18
#define CAP_SYS_PTRACE      19
#define CAP_SYS_ADMIN       21
#define CAP_SYS_BOOT        22
#define CAP_SYS_NICE        23
#define CAP_SYS_RESOURCE    24
#define CAP_SYS_TIME        25
#define CAP_MKNOD           27
#define CAP_SETFCAP         31
#define CAP_LAST            40 /* of Linux 6.1 */

#define CAP_BIT(cap) (1ull << (cap))
#define CAP_ALL      (CAP_BIT(CAP_LAST + 1) - 1)
/* Those that setfsuid(2) drops and raises: the first five, and 9, 27 and 32. */
#define CAP_FILES 0x10800021full

/* A bit for each capability. `effective` and `ambient` are subsets of `permitted`. */
struct capabilities {
    uint64_t effective, permitted, inheritable, bounding, ambient;
};

/* prctl(PR_SET_SECUREBITS). The bit above each one forbids to change it. */
#define SECURE_NOROOT           0x01u
#define SECURE_NO_SETUID_FIXUP  0x04u
#define SECURE_KEEP_CAPS        0x10u
#define SECURE_NO_AMBIENT_RAISE 0x40u
#define SECURE_ALL_BITS         0x55u
#define SECURE_ALL_LOCKS        0xaau

#endif
