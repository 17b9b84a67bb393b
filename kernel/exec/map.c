/* Maps a load plan: every range becomes an area. Only pages that mix the file's bytes with zeros
 * are made here; page faults make all others. */
#include <umvfs/page.h>

#include "exec/internal.h"
#include "lib/errno.h"
#include "lib/string.h"

unsigned exec_prot(uint32_t flags)
{
    return (flags & ELFPARSE_PF_R ? PROT_READ : 0) | (flags & ELFPARSE_PF_W ? PROT_WRITE : 0) |
           (flags & ELFPARSE_PF_X ? PROT_EXEC : 0);
}

/* Makes a page of file bytes and then zeros, even if the file has more bytes (rule L12). */
static int make_split_page(struct aspace *as, const struct elfparse_range *range,
                           struct umvfs_inode *inode)
{
    struct frame *frame = frame_alloc(FRAME_ANON);
    if (!frame)
        return -ENOMEM;
    uint8_t *page = frame_ptr(frame);
    int error = umvfs_read_exact(inode, range->offset, page, range->file_bytes);
    if (!error) {
        memset(page + range->file_bytes, 0, PAGE_SIZE - range->file_bytes);
        error = aspace_install_page(as, virt(range->vaddr), frame);
    }
    if (error)
        frame_put(frame);
    return error;
}

static int map_range(struct aspace *as, const struct elfparse_range *range,
                     struct umvfs_inode *inode)
{
    bool zero = range->kind == ELFPARSE_RANGE_ZERO;
    struct aspace_mapping mapping = {
        .start = virt(range->vaddr),
        .size = range->size,
        .prot = exec_prot(range->prot),
        .inode = zero ? NULL : inode,
        .page_index = zero ? 0 : range->offset >> PAGE_SHIFT,
    };
    int error = aspace_map(as, &mapping, false);
    return !error && range->kind == ELFPARSE_RANGE_SPLIT ? make_split_page(as, range, inode)
                                                         : error;
}

int exec_map_plan(struct aspace *as, const struct elfparse_plan *plan, struct umvfs_inode *inode)
{
    for (uint32_t i = 0; i < plan->range_count; i++) {
        int error = map_range(as, &plan->ranges[i], inode);
        if (error)
            return error;
    }
    return 0;
}
