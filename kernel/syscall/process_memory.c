/* process_vm_readv(2) and process_vm_writev(2): copies between the memory of two processes. */
#include "file/user_iter.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"
#include "syscall/files.h"
#include "task/process.h"
#include "task/rights.h"
#include "task/sched.h"

#define IOV_MAX     1024
#define POINT_PAGES 64 /* between two scheduling points */

/* A range of the other process. */
struct other_range {
    virt_t start;
    uint64_t size;
};

struct transfer {
    int pid;
    bool writes;                      /* to the other process */
    struct user_range *own, *own_end; /* the current range, and the last one */
    struct other_range *other, *other_end;
    void *page; /* what is on its way */
};

#define RANGE_SIZE 16 /* struct iovec */
_Static_assert(sizeof(struct user_range) == RANGE_SIZE, "struct iovec");
_Static_assert(sizeof(struct other_range) == RANGE_SIZE, "struct iovec");

static int ranges_from_user(void **out, user_t user, uint64_t count)
{
    *out = NULL;
    if (count > IOV_MAX)
        return -EINVAL;
    if (count == 0)
        return 0;
    *out = slab_alloc(count * RANGE_SIZE);
    if (!*out)
        return -ENOMEM;
    int error = copy_from_user(*out, user, count * RANGE_SIZE);
    const struct other_range *range = *out;
    for (uint64_t i = 0; i < count && !error; i++)
        if (range[i].size > INT64_MAX)
            error = -EINVAL;
    if (error) {
        slab_free(*out);
        *out = NULL;
    }
    return error;
}

/* Checks that all ranges are user addresses, even those that the call will not reach, and cuts them to TRANSFER_MAX
 * bytes in all. */
static int check_own(struct user_range *range, uint64_t count)
{
    uint64_t left = TRANSFER_MAX;
    for (uint64_t i = 0; i < count; i++) {
        if (!user_range_is_valid(range[i].base, range[i].size))
            return -EFAULT;
        range[i].size = range[i].size < left ? range[i].size : left;
        left -= range[i].size;
    }
    return 0;
}

static bool has_bytes(const void *ranges, uint64_t count)
{
    const struct other_range *range = ranges;
    bool found = false;
    for (uint64_t i = 0; i < count; i++)
        found = found || range[i].size > 0;
    return found;
}

/* The other process's memory, which is lent. -ESRCH, also for one that has ended; -EPERM. */
static int memory_of(int pid, struct aspace **out)
{
    const struct process *process = process_peek(pid);
    if (!process || !process->aspace)
        return -ESRCH;
    *out = process->aspace;
    return rights_to_attach(process) ? 0 : -EPERM;
}

/* One piece, within a page of the other process. The process may have ended since the last one. */
static int copy_other(const struct transfer *t, virt_t address, size_t size)
{
    struct aspace *as;
    LENDING();
    int error = memory_of(t->pid, &as);
    if (!error)
        error = t->writes ? aspace_write(as, address, t->page, size)
                          : aspace_read(as, address, t->page, size);
    return error == -ESRCH || error == -EPERM || error == 0 ? error : -EFAULT;
}

/* Stores the number of bytes that were copied, which are fewer if the own memory ends. */
static int copy_piece(const struct transfer *t, size_t size, size_t *done)
{
    user_t own = t->own->base;
    *done = 0;
    size_t copied = t->writes ? copy_from_user_some(t->page, own, size) : size;
    int error = copied > 0 ? copy_other(t, t->other->start, copied) : -EFAULT;
    if (error)
        return error;
    *done = t->writes ? copied : copy_to_user_some(own, t->page, size);
    return *done < size ? -EFAULT : 0;
}

static void advance(struct transfer *t, size_t size)
{
    t->own->base = user_add(t->own->base, size);
    t->own->size -= size;
    t->other->start.value += size;
    t->other->size -= size;
}

static long copy_all(struct transfer *t)
{
    long done = 0;
    int error = 0;
    for (unsigned pieces = 1; !error; pieces++) {
        while (t->own < t->own_end && t->own->size == 0)
            t->own++;
        while (t->other < t->other_end && t->other->size == 0)
            t->other++;
        if (t->own == t->own_end || t->other == t->other_end)
            break;
        size_t size = PAGE_SIZE - (t->other->start.value & PAGE_MASK);
        size = t->own->size < size ? t->own->size : size;
        size = t->other->size < size ? t->other->size : size;
        size_t copied;
        error = copy_piece(t, size, &copied);
        advance(t, copied);
        done += (long)copied;
        if (!error && pieces % POINT_PAGES == 0)
            error = sched_point();
    }
    return done > 0 ? done : error;
}

static int check_process(int pid)
{
    struct aspace *as;
    LENDING();
    return memory_of(pid, &as);
}

static long transfer(int pid, struct user_range *own, uint64_t own_count, struct other_range *other,
                     uint64_t other_count, bool writes)
{
    struct transfer t = {pid, writes, own, own + own_count, other, other + other_count, NULL};
    if (!has_bytes(own, own_count) || !has_bytes(other, other_count))
        return 0;
    int error = check_process(pid);
    if (error)
        return error;
    t.page = slab_alloc(PAGE_SIZE);
    if (!t.page)
        return -ENOMEM;
    long done = copy_all(&t);
    slab_free(t.page);
    return done;
}

static long transfer_vectors(int pid, user_t own_vector, uint64_t own_count, user_t other_vector,
                             uint64_t other_count, uint64_t flags, bool writes)
{
    void *own, *other;
    if (flags)
        return -EINVAL;
    int error = ranges_from_user(&own, own_vector, own_count);
    if (!error)
        error = check_own(own, own_count);
    if (error) {
        slab_free(own);
        return error;
    }
    long result =
        has_bytes(own, own_count) ? ranges_from_user(&other, other_vector, other_count) : 1;
    if (result == 0) {
        result = transfer(pid, own, own_count, other, other_count, writes);
        slab_free(other);
    } else if (result == 1) {
        result = 0;
    }
    slab_free(own);
    return result;
}

long sys_process_vm_readv(int pid, user_t local_iov, uint64_t liovcnt, user_t remote_iov,
                          uint64_t riovcnt, uint64_t flags)
{
    return transfer_vectors(pid, local_iov, liovcnt, remote_iov, riovcnt, flags, false);
}

long sys_process_vm_writev(int pid, user_t local_iov, uint64_t liovcnt, user_t remote_iov,
                           uint64_t riovcnt, uint64_t flags)
{
    return transfer_vectors(pid, local_iov, liovcnt, remote_iov, riovcnt, flags, true);
}
