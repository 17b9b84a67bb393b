/* Random bytes. */
#include "dev/random.h"
#include "lib/errno.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"
#include "task/sched.h"

#define GRND_RANDOM   2u
#define GRND_INSECURE 4u
#define GRND_ALL      7u         /* and GRND_NONBLOCK: all the same here */
#define RANDOM_CHUNK  (1u << 14) /* bytes between two scheduling points */
#define GETRANDOM_MAX 0x1ffffff  /* the most bytes of one call, as on Linux */

long sys_getrandom(user_t buf, size_t buflen, unsigned flags)
{
    uint8_t bytes[128];
    size_t size = buflen < GETRANDOM_MAX ? buflen : GETRANDOM_MAX;
    const unsigned both = GRND_RANDOM | GRND_INSECURE;
    if ((flags & ~GRND_ALL) || (flags & both) == both)
        return -EINVAL;
    for (size_t done = 0; done < size;) {
        size_t n = size - done < sizeof(bytes) ? size - done : sizeof(bytes);
        random_bytes(bytes, n);
        size_t copied = copy_to_user_some(user_add(buf, done), bytes, n);
        done += copied;
        if (copied < n)
            return done > 0 ? (long)done : -EFAULT;
        if (done % RANDOM_CHUNK == 0 && done < size && sched_point() != 0)
            return (long)done;
    }
    return (long)size;
}
