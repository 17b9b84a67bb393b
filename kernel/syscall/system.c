/* Calls about the machine: uname(2), sysinfo(2), getrandom(2), reboot(2) and so on. */
#include "dev/power.h"
#include "dev/print.h"
#include "dev/random.h"
#include "dev/timer.h"
#include "file/proc.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/slab.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"
#include "task/bound.h"
#include "task/process.h"
#include "task/sched.h"

#define REBOOT_MAGIC1    0xfee1dead
#define REBOOT_MAGIC2    0x28121969 /* and three more dates */
#define REBOOT_MAGIC2A   0x05121996
#define REBOOT_MAGIC2B   0x16041998
#define REBOOT_MAGIC2C   0x20112000
#define REBOOT_RESTART   0x01234567
#define REBOOT_HALT      0xcdef0123
#define REBOOT_POWER_OFF 0x4321fedc
#define REBOOT_CAD_ON    0x89abcdef
#define REBOOT_CAD_OFF   0x00000000
#define LOADS_SHIFT      16 /* of loads in struct sysinfo: 65536ths */

long sys_uname(user_t buf)
{
    char names[6][HOST_NAME_FIELD] = {"Linux", "", PROC_RELEASE, PROC_VERSION, "x86_64", ""};
    if ((current_process->personality & PER_MASK) == PER_LINUX32)
        memcpy(names[4], "i686", sizeof("i686"));
    memcpy(names[1], system_host_name, HOST_NAME_FIELD);
    memcpy(names[5], system_domain_name, HOST_NAME_FIELD);
    return copy_to_user(buf, names, sizeof(names));
}

static long set_name(char field[HOST_NAME_FIELD], user_t name, int len)
{
    char wanted[HOST_NAME_FIELD] = "";
    if (!capable(CAP_SYS_ADMIN))
        return -EPERM;
    if (len < 0 || len >= HOST_NAME_FIELD)
        return -EINVAL;
    if (copy_from_user(wanted, name, (size_t)len) != 0)
        return -EFAULT;
    memcpy(field, wanted, HOST_NAME_FIELD);
    return 0;
}

long sys_sethostname(user_t name, int len)
{
    return set_name(system_host_name, name, len);
}

long sys_setdomainname(user_t name, int len)
{
    return set_name(system_domain_name, name, len);
}

/* There is one processor, number 0. */
long sys_getcpu(user_t cpu, user_t node, user_t unused)
{
    const unsigned zero = 0;
    (void)unused;
    if (!user_is_null(cpu) && copy_to_user(cpu, &zero, sizeof(zero)) != 0)
        return -EFAULT;
    return user_is_null(node) ? 0 : copy_to_user(node, &zero, sizeof(zero));
}

/* 0xffffffff only queries. */
long sys_personality(unsigned persona)
{
    static bool is_said;
    unsigned old = current_process->personality;
    if (persona == UINT32_MAX)
        return (long)old;
    if (persona & READ_IMPLIES_EXEC)
        say_absent(&is_said, "there is no READ_IMPLIES_EXEC here: EINVAL");
    if ((persona & PER_MASK & ~PER_LINUX32) || (persona & ~(PER_MASK | ADDR_NO_RANDOMIZE)))
        return -EINVAL;
    current_process->personality = persona;
    return (long)old;
}

long sys_sysinfo(user_t info)
{
    slab_trim(); /* the empty slabs that are kept count as free */
    struct {
        int64_t uptime;
        uint64_t loads[3], total_ram, free_ram, shared_ram, buffer_ram, total_swap, free_swap;
        uint16_t processes, pad;
        uint64_t total_high, free_high;
        uint32_t unit;
        char pad2[4];
    } out = {
        .uptime = (int64_t)(timer_monotonic_ns() / NS_PER_SECOND),
        .total_ram = frame_total() * PAGE_SIZE,
        .free_ram = frame_count(FRAME_FREE) * PAGE_SIZE,
        .shared_ram = frame_count(FRAME_FILE) * PAGE_SIZE,
        .unit = 1,
    };
    for (unsigned i = 0; i < 3; i++)
        out.loads[i] = (uint64_t)sched_loads[i] << (LOADS_SHIFT - LOAD_SHIFT);
    _Static_assert(sizeof(out) == 112, "struct sysinfo");
    FOR_EACH_PROCESS (process)
        out.processes++;
    return copy_to_user(info, &out, sizeof(out));
}

static bool is_second_magic(unsigned magic)
{
    return magic == REBOOT_MAGIC2 || magic == REBOOT_MAGIC2A || magic == REBOOT_MAGIC2B ||
           magic == REBOOT_MAGIC2C;
}

long sys_reboot(unsigned magic, unsigned magic2, unsigned op, user_t arg)
{
    (void)arg;
    if (!capable(CAP_SYS_BOOT))
        return -EPERM;
    if (magic != REBOOT_MAGIC1 || !is_second_magic(magic2))
        return -EINVAL;
    switch (op) {
    case REBOOT_POWER_OFF:
    case REBOOT_HALT:
        bound_print();
        power_off(VERDICT_EXIT, 0);
    case REBOOT_RESTART:
        print("restart");
        power_reset();
    case REBOOT_CAD_ON:
    case REBOOT_CAD_OFF:
        return 0;
    default:
        return -EINVAL;
    }
}

/* Random bytes. */

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
    if (!user_range_is_valid(buf, size))
        return -EFAULT;
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
