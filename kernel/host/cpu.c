#include "host/cpu.h"

#include <string.h>

#include "arch/tlb.h"
#include "host/fail.h"
#include "host/walk.h"
#include "lib/errno.h"
#include "mm/usercopy.h"

#define FAULTS_MAX                                                                                 \
    3 /* a resolved fault may occur again for a stale translation, but not for ever */

static struct aspace *current;
static virt_t fault_address;
void (*cpu_on_copy)(virt_t user, size_t size, const void *written);

void cpu_switch(struct aspace *as)
{
    current = as;
    tlb_switch(frame_phys(as ? as->pt.root : kernel_pagetable.root));
}

struct aspace *cpu_current(void)
{
    return current;
}

void cpu_set_fault_address(virt_t address)
{
    fault_address = address;
}

virt_t tlb_fault_address(void)
{
    return fault_address;
}

static int serve_fault(virt_t address, unsigned access)
{
    return current ? aspace_fault(current, address, access) : -EFAULT;
}

int (*cpu_serve_fault)(virt_t address, unsigned access) = serve_fault;

/* Finds the frame of an address after the faults that the access causes. */
static int translate(virt_t address, unsigned access, uint8_t **out)
{
    for (unsigned tries = 0; tries <= FAULTS_MAX; tries++) {
        struct walk_leaf leaf = tlb_translate(address, access);
        if (leaf.present) {
            *out = (uint8_t *)phys_ptr(phys(leaf.frame)) + (address.value & PAGE_MASK);
            return 0;
        }
        /* no tlb_drop() here: the kernel must flush */
        int error = cpu_serve_fault(address, access);
        if (error)
            return error;
    }
    host_fail("an access (%u) to %#llx faults for ever", access, (unsigned long long)address.value);
}

int cpu_access(virt_t address, unsigned access, uint64_t *value)
{
    uint8_t *at;
    int error = translate(address, access, &at);
    if (error)
        return error;
    if (access & ACCESS_WRITE)
        memcpy(at, value, sizeof(*value));
    else
        memcpy(value, at, sizeof(*value));
    return 0;
}

/* mm/usercopy.h over the simulated processor. Bytes that were moved before a fault count. A page of a file may be at
 * both addresses. */
static size_t transfer(uint8_t *kernel, virt_t user, size_t size, unsigned access)
{
    size_t done = 0;
    if (!virt_in_user(user, size))
        return 0;
    while (done < size) {
        uint8_t *at;
        size_t n = PAGE_SIZE - ((user.value + done) & PAGE_MASK);
        if (n > size - done)
            n = size - done;
        if (translate(virt_add(user, done), access, &at) != 0)
            break;
        if (!(access & ACCESS_WRITE))
            memmove(kernel + done, at, n);
        else if (kernel)
            memmove(at, kernel + done, n);
        else
            memset(at, 0, n);
        done += n;
    }
    if (cpu_on_copy && done > 0)
        cpu_on_copy(user, done, access & ACCESS_WRITE ? kernel : NULL);
    return done;
}

size_t copy_from_user_some(void *to, user_t from, size_t size)
{
    return transfer(to, user_virt(from), size, ACCESS_READ);
}

size_t copy_to_user_some(user_t to, const void *from, size_t size)
{
    return transfer((uint8_t *)(uintptr_t)from, user_virt(to), size, ACCESS_WRITE);
}

int copy_from_user(void *to, user_t from, size_t size)
{
    return transfer(to, user_virt(from), size, ACCESS_READ) == size ? 0 : -EFAULT;
}

int copy_to_user(user_t to, const void *from, size_t size)
{
    return copy_to_user_some(to, from, size) == size ? 0 : -EFAULT;
}

size_t zero_user_some(user_t to, size_t size)
{
    return transfer(NULL, user_virt(to), size, ACCESS_WRITE);
}

long copy_string_from_user(char *to, user_t from, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (from.value + i >= USER_END ||
            transfer((uint8_t *)to + i, virt_add(user_virt(from), i), 1, ACCESS_READ) != 1)
            return -EFAULT;
        if (to[i] == '\0')
            return (long)i;
    }
    return -ENAMETOOLONG;
}
