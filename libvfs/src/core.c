#include "core.h"

#include "data.h"
#include "dcache.h"
#include "dir.h"
#include "inode.h"
#include "memory.h"
#include "mount_table.h"
#include "name.h"
#include "siphash.h"

int vfs_obj_alloc(struct vfs_sb *sb, size_t size, void **out)
{
    struct vfs_config *cfg = &sb->vfs->cfg;
    if (sb->limits.max_bytes && size > sb->limits.max_bytes - sb->bytes)
        return -VFS_ENOSPC;
    void *mem = cfg->alloc(cfg->ctx, size);
    if (!mem)
        return -VFS_ENOMEM;
    sb->bytes += size;
    *out = mem;
    return 0;
}

void vfs_obj_free(struct vfs_sb *sb, void *ptr, size_t size)
{
    struct vfs_config *cfg = &sb->vfs->cfg;
    sb->bytes -= size;
    cfg->free(cfg->ctx, ptr, size);
}

int vfs_data_page_alloc(struct vfs_sb *sb, void **out)
{
    struct vfs_config *cfg = &sb->vfs->cfg;
    if (sb->limits.max_pages && sb->pages >= sb->limits.max_pages)
        return -VFS_ENOSPC;
    void *page = cfg->page_alloc(cfg->ctx);
    if (!page)
        return -VFS_ENOMEM;
    sb->pages++;
    *out = page;
    return 0;
}

void vfs_data_page_free(struct vfs_sb *sb, void *page)
{
    struct vfs_config *cfg = &sb->vfs->cfg;
    sb->pages--;
    cfg->page_put(cfg->ctx, page);
}

uint64_t vfs_new_key(struct vfs *vfs)
{
    return sip_word(vfs->cfg.seed[1], vfs->cfg.seed[0], ++vfs->next_key);
}

int vfs_sb_new(struct vfs *vfs, const struct vfs_limits *limits, struct vfs_sb **out)
{
    struct vfs_sb *sb = vfs->cfg.alloc(vfs->cfg.ctx, sizeof(*sb));
    if (!sb)
        return -VFS_ENOMEM;
    memset(sb, 0, sizeof(*sb));
    sb->vfs = vfs;
    if (limits)
        sb->limits = *limits;
    sb->next_ino = 1;
    sb->dev = ++vfs->next_dev;
    *out = sb;
    return 0;
}

void vfs_sb_release(struct vfs_sb *sb)
{
    struct vfs_config *cfg = &sb->vfs->cfg;
    if (sb->mounts > 0 || sb->inodes > 0)
        return;
    if (sb->ops && sb->ops->unmount)
        sb->ops->unmount(sb->fs);
    cfg->free(cfg->ctx, sb, sizeof(*sb));
}

int vfs_sb_new_memory(struct vfs *vfs, const struct vfs_limits *limits, uint32_t mode, uint32_t uid,
                      uint32_t gid, struct vfs_sb **out)
{
    struct vfs_sb *sb;
    struct vfs_inode *inode;
    int err = vfs_sb_new(vfs, limits, &sb);
    if (err)
        return err;
    err = vfs_inode_new(sb, VFS_S_IFDIR | (mode & VFS_S_IALL), &inode);
    if (err) {
        vfs_sb_release(sb);
        return err;
    }
    inode->uid = uid;
    inode->gid = gid;
    inode->nlink = 2;
    err = vfs_dentry_new(sb, NULL, 0, &sb->root);
    if (err) {
        vfs_inode_drop(inode); /* and sb, of which it was the last inode */
        return err;
    }
    sb->root->parent = sb->root;
    sb->root->inode = inode;
    sb->root->flags = DENTRY_LINKED;
    *out = sb;
    return 0;
}

bool vfs_is_late(const struct vfs *vfs)
{
    return vfs->cfg.late && vfs->cfg.late(vfs->cfg.ctx);
}

static void end_root(struct vfs_sb *sb)
{
    struct vfs_dentry *root = sb->root;
    sb->root = NULL;
    root->flags &= (uint8_t)~DENTRY_LINKED;
    sb->inodes++; /* keeps sb while its root goes */
    vfs_dentry_drop(root);
    sb->inodes--;
    vfs_sb_release(sb);
}

void vfs_sb_kill(struct vfs_sb *sb)
{
    size_t all = SIZE_MAX;
    bool is_foreign = vfs_is_foreign(sb->root->inode);
    if (!is_foreign && sb->inodes > sb->vfs->cfg.late_above && vfs_is_late(sb->vfs)) {
        sb->next_late = sb->vfs->late_sbs;
        sb->vfs->late_sbs = sb;
        return;
    }
    if (!is_foreign)
        (void)vfs_dir_empty(sb->root, &all);
    end_root(sb);
}

static void reap_inode(struct vfs *vfs, size_t *budget)
{
    struct vfs_inode *inode = vfs->late_inodes;
    if (!vfs_data_drop_some(inode, budget))
        return;
    vfs->late_inodes = inode->cookie;
    vfs_inode_end(inode);
}

static void reap_sb(struct vfs *vfs, size_t *budget)
{
    struct vfs_sb *sb = vfs->late_sbs;
    if (!vfs_dir_empty(sb->root, budget))
        return;
    vfs->late_sbs = sb->next_late;
    end_root(sb);
}

bool vfs_reap(struct vfs *vfs, size_t budget)
{
    while (budget > 0 && (vfs->late_inodes || vfs->late_sbs)) {
        if (vfs->late_inodes)
            reap_inode(vfs, &budget);
        else
            reap_sb(vfs, &budget);
    }
    return vfs->late_inodes || vfs->late_sbs;
}

static bool config_valid(const struct vfs_config *cfg)
{
    return cfg && cfg->alloc && cfg->free && cfg->page_alloc && cfg->page_put;
}

int vfs_new(const struct vfs_config *config, struct vfs **out)
{
    struct vfs *vfs;
    struct vfs_sb *sb;
    if (!config_valid(config))
        return -VFS_EINVAL;
    vfs = config->alloc(config->ctx, sizeof(*vfs));
    if (!vfs)
        return -VFS_ENOMEM;
    memset(vfs, 0, sizeof(*vfs));
    vfs->cfg = *config;
    vfs_name_keys(&vfs->name_keys, config->seed);
    uint32_t mode = config->root_mode ? config->root_mode : 0755u;
    int err = vfs_table_init(vfs);
    if (err)
        goto free_vfs;
    err =
        vfs_sb_new_memory(vfs, &config->root_limits, mode, config->root_uid, config->root_gid, &sb);
    if (err)
        goto free_table;
    err = vfs_mount_attach_first(vfs, sb);
    if (err)
        goto kill_sb;
    *out = vfs;
    return 0;

kill_sb:
    vfs_sb_kill(sb);
free_table:
    vfs_table_free(vfs);
free_vfs:
    config->free(config->ctx, vfs, sizeof(*vfs));
    return err;
}

int vfs_destroy(struct vfs *vfs)
{
    struct vfs_config cfg = vfs->cfg;
    if (vfs->users)
        return -VFS_EBUSY;
    vfs->cfg.late = NULL;
    (void)vfs_reap(vfs, SIZE_MAX);
    vfs_mount_detach_all(vfs);
    vfs_table_free(vfs);
    cfg.free(cfg.ctx, vfs, sizeof(*vfs));
    return 0;
}

void vfs_set_protection(struct vfs *vfs, uint8_t symlinks, uint8_t hardlinks, uint8_t fifos,
                        uint8_t regular)
{
    vfs->cfg.protected_symlinks = symlinks;
    vfs->cfg.protected_hardlinks = hardlinks;
    vfs->cfg.protected_fifos = fifos;
    vfs->cfg.protected_regular = regular;
}
