/* Eva: an archive reader (PROOF_START) for all inputs of any length. Every demand is met with
 * unknown bytes; what the reader calls to build the tree answers anything. NAME_ROOM is smaller
 * than VFS_PATH_MAX to show that the proof can fail. */
#include <string.h>

#include <__fc_builtin.h>

#include "import.h"
#include "xattr.h"

static char buf[VFS_OBJECT_MAX];
static char name[NAME_ROOM];
static char link_name[VFS_OBJECT_MAX];
static struct vfs_import import;
static struct vfs_sb sb;

/* What a proof by steps wants to hold of each demand. */
static void pending(const struct vfs_import *imp);

static int anything(void)
{
    return Frama_C_interval(0, 1) ? Frama_C_interval(-200, -1) : 0;
}

int import_collect(struct vfs_import *imp, char *dst, size_t want, import_then then)
{
    imp->demand = DEMAND_COLLECT;
    imp->dst = dst;
    imp->want = want;
    imp->have = 0;
    imp->then = then;
    pending(imp);
    return 0;
}

static int demand(struct vfs_import *imp, enum import_demand kind, import_then then)
{
    imp->demand = kind;
    imp->then = then;
    return 0;
}

int import_data(struct vfs_import *imp, uint64_t size, import_then then)
{
    return demand(imp, DEMAND_DATA, then);
}

int import_skip(struct vfs_import *imp, uint64_t size, import_then then)
{
    return demand(imp, DEMAND_SKIP, then);
}

int import_zeros(struct vfs_import *imp, import_then then)
{
    return demand(imp, DEMAND_ZEROS, then);
}

int import_fail(struct vfs_import *imp, enum vfs_archive_reason reason)
{
    return -VFS_EINVAL;
}

int import_fail_with(struct vfs_import *imp, enum vfs_archive_reason reason, int error)
{
    return error;
}

bool import_parse_digits(const char *text, size_t len, unsigned base, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        unsigned digit = c >= '0' && c <= '9' ? (unsigned)(c - '0') : 16u;
        if (digit >= base || __builtin_mul_overflow(value, (uint64_t)base, &value) ||
            __builtin_add_overflow(value, (uint64_t)digit, &value))
            return false;
    }
    *out = value;
    return len > 0;
}

int import_make(struct vfs_import *imp)
{
    return anything();
}

int import_link(struct vfs_import *imp)
{
    return anything();
}

int import_make_numbered(struct vfs_import *imp, const char *number, size_t len)
{
    return anything();
}

void import_file_done(struct vfs_import *imp)
{
}

void import_forget_links(struct vfs_import *imp)
{
}

int vfs_xattr_append(struct vfs_sb *s, struct vfs_xattr **list, const char *key, size_t len,
                     const void *value, size_t size)
{
    /* Both ends of both ranges are read. */
    const char *bytes = value;
    if (len > 0 && size > 0)
        return key[0] + key[len - 1] + bytes[0] + bytes[size - 1] ? anything() : -VFS_EINVAL;
    return anything();
}

static void meet(void)
{
    if (import.demand == DEMAND_COLLECT && import.want > 0)
        Frama_C_make_unknown(import.dst, import.want);
    import.have = import.want;
    import.offset = (uint64_t)Frama_C_interval(0, 1 << 30) * 8u;
}

#ifndef PROOF_BY_STEPS
static void pending(const struct vfs_import *imp)
{
}

int main(void)
{
    import.sb = &sb;
    import.buf = buf;
    import.entry.name = name;
    import.entry.link = link_name;
    import.entry_number = (uint64_t)Frama_C_interval(0, 1);
    int err = PROOF_START(&import);
    while (!err) {
        meet();
        import.sum = (uint32_t)Frama_C_interval(0, 1 << 30);
        err = import.then(&import);
    }
    return err;
}
#endif
