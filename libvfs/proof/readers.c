/* Eva: an archive reader (PROOF_START) for all inputs of any length. Every demand is met with
 * unknown bytes; what the reader calls to build the tree answers anything. NAME_ROOM is smaller
 * than UMVFS_PATH_MAX to show that the proof can fail. */
#include <string.h>

#include <__fc_builtin.h>

#include "import.h"
#include "data.h"
#include "inode.h"

static char buf[UMVFS_OBJECT_MAX];
static char name[NAME_ROOM];
static char link_name[UMVFS_OBJECT_MAX];
static struct umvfs_import import;
static struct umvfs_sb sb;
#ifdef INITRAMFS
static struct umvfs_inode file;
#endif

/* What a proof by steps wants to hold of each demand. */
static void pending(const struct umvfs_import *imp);

static int anything(void)
{
    return Frama_C_interval(0, 1) ? Frama_C_interval(-200, -1) : 0;
}

int umvfs_import_collect(struct umvfs_import *imp, char *dst, size_t want, import_then then)
{
    imp->demand = DEMAND_COLLECT;
    imp->dst = dst;
    imp->want = want;
    imp->have = 0;
    imp->then = then;
    pending(imp);
    return 0;
}

static int demand(struct umvfs_import *imp, enum import_demand kind, import_then then)
{
    imp->demand = kind;
    imp->then = then;
    return 0;
}

int umvfs_import_data(struct umvfs_import *imp, uint64_t size, import_then then)
{
    return demand(imp, DEMAND_DATA, then);
}

int umvfs_import_skip(struct umvfs_import *imp, uint64_t size, import_then then)
{
    return demand(imp, DEMAND_SKIP, then);
}

int umvfs_import_zeros(struct umvfs_import *imp, import_then then)
{
    return demand(imp, DEMAND_ZEROS, then);
}

int umvfs_import_fail(struct umvfs_import *imp, enum umvfs_archive_reason reason)
{
    return -UMVFS_EINVAL;
}

int umvfs_import_fail_with(struct umvfs_import *imp, enum umvfs_archive_reason reason, int error)
{
    return error;
}

#ifndef FIELDS
/* Proved in tar_steps.c. */
bool umvfs_import_parse_digits(const char *text, size_t len, unsigned base, uint64_t *out)
{
    if (len == 0 || (text[0] + text[len - 1u] && Frama_C_interval(0, 1)))
        return false;
    Frama_C_make_unknown((char *)out, sizeof(*out));
    return true;
}
#endif

int umvfs_import_make(struct umvfs_import *imp)
{
    return anything();
}

int umvfs_import_link(struct umvfs_import *imp)
{
    return anything();
}

int umvfs_import_make_numbered(struct umvfs_import *imp, const char *number, size_t len)
{
    return anything();
}

void umvfs_import_file_done(struct umvfs_import *imp)
{
}

void umvfs_import_forget_links(struct umvfs_import *imp)
{
}

bool umvfs_xattr_is_kept(const struct umvfs_cred *cred, const char *name, size_t len)
{
    return name[0] + name[len - 1u] && Frama_C_interval(0, 1);
}

int umvfs_xattr_append(struct umvfs_sb *s, struct umvfs_xattr **list, const char *key, size_t len,
                       const void *value, size_t size)
{
    /* Both ends of both ranges are read. */
    const char *bytes = value;
    if (len > 0 && size > 0)
        return key[0] + key[len - 1] + bytes[0] + bytes[size - 1] ? anything() : -UMVFS_EINVAL;
    return anything();
}

int umvfs_import_warn(struct umvfs_import *imp, enum umvfs_archive_reason reason, int error)
{
    return 0;
}

#ifdef INITRAMFS
/* What makes the tree under policy Linux: initramfs_tree.c reads the entry's texts to their ends. */

static int reads_entry(const struct umvfs_import *imp)
{
    return imp->entry.name[imp->entry.name_len] ? -UMVFS_EINVAL : anything();
}

int umvfs_initramfs_file(struct umvfs_import *imp)
{
    int err = reads_entry(imp);
    imp->file = err || Frama_C_interval(0, 1) ? NULL : &file;
    return err;
}

int umvfs_initramfs_dir(struct umvfs_import *imp)
{
    return reads_entry(imp);
}

int umvfs_initramfs_node(struct umvfs_import *imp)
{
    return reads_entry(imp);
}

int umvfs_initramfs_symlink(struct umvfs_import *imp)
{
    if (imp->entry.link_len > 0 && imp->entry.link[imp->entry.link_len - 1u] == '/')
        return -UMVFS_EINVAL;
    return reads_entry(imp);
}

void umvfs_initramfs_clear(const struct umvfs_import *imp, uint32_t mode)
{
}

void umvfs_initramfs_file_done(struct umvfs_import *imp)
{
}

int umvfs_import_tar(struct umvfs_import *imp)
{
    return anything();
}

int umvfs_import_fail_unless_compressed(struct umvfs_import *imp, size_t len,
                                        enum umvfs_archive_reason reason)
{
    return -UMVFS_EINVAL;
}
#endif

/* The file that has the map of a sparse file. */
int umvfs_inode_new(struct umvfs_sb *s, uint32_t mode, struct umvfs_inode **out)
{
    return anything();
}

void umvfs_inode_drop(struct umvfs_inode *inode)
{
}

int64_t umvfs_data_write(struct umvfs_inode *inode, uint64_t offset, const char *bytes, size_t len,
                         const struct umvfs_copy *copy)
{
    int part = Frama_C_interval(-200, 16);
    return bytes[0] + bytes[len - 1] && part > 0 && (size_t)part <= len ? part : -UMVFS_ENOSPC;
}

int64_t umvfs_data_read(const struct umvfs_inode *inode, uint64_t offset, char *bytes, size_t len,
                        const struct umvfs_copy *copy)
{
    Frama_C_make_unknown(bytes, len);
    return (int64_t)len;
}

void umvfs_import_forget_xattrs(struct umvfs_import *imp)
{
}

void umvfs_data_resize(struct umvfs_inode *inode, uint64_t size)
{
}

static void meet(void)
{
    if (import.demand == DEMAND_COLLECT && import.want > 0)
        Frama_C_make_unknown(import.dst, import.want);
    import.have = import.want;
    import.offset = (uint64_t)Frama_C_interval(0, 1 << 30) * 8u;
}

#ifndef PROOF_BY_STEPS
static void pending(const struct umvfs_import *imp)
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
