#include "core.h"

#include "data.h"
#include "dcache.h"
#include "inode.h"
#include "memory.h"
#include "mount_table.h"
#include "name.h"

uint32_t umvfs_version(void)
{
    return UMVFS_VERSION;
}

int umvfs_obj_alloc(struct umvfs_sb *sb, size_t size, void **out)
{
    struct umvfs_config *cfg = &sb->vfs->cfg;
    if (sb->limits.max_bytes && size > sb->limits.max_bytes - sb->bytes)
        return -UMVFS_ENOSPC;
    void *mem = cfg->alloc(cfg->ctx, size);
    if (!mem)
        return -UMVFS_ENOMEM;
    sb->bytes += size;
    *out = mem;
    return 0;
}

void umvfs_obj_free(struct umvfs_sb *sb, void *ptr, size_t size)
{
    struct umvfs_config *cfg = &sb->vfs->cfg;
    sb->bytes -= size;
    cfg->free(cfg->ctx, ptr, size);
}

int umvfs_data_page_alloc(struct umvfs_sb *sb, void **out)
{
    struct umvfs_config *cfg = &sb->vfs->cfg;
    if (sb->limits.max_pages && sb->pages >= sb->limits.max_pages)
        return -UMVFS_ENOSPC;
    void *page = cfg->page_alloc(cfg->ctx);
    if (!page)
        return -UMVFS_ENOMEM;
    sb->pages++;
    *out = page;
    return 0;
}

void umvfs_data_page_free(struct umvfs_sb *sb, void *page)
{
    struct umvfs_config *cfg = &sb->vfs->cfg;
    sb->pages--;
    cfg->page_put(cfg->ctx, page);
}

uint64_t umvfs_new_key(struct umvfs *vfs)
{
    return sip_word(vfs->cfg.seed[1], vfs->cfg.seed[0], ++vfs->next_key);
}

int umvfs_sb_new(struct umvfs *vfs, const struct umvfs_limits *limits, struct umvfs_sb **out)
{
    struct umvfs_sb *sb = vfs->cfg.alloc(vfs->cfg.ctx, sizeof(*sb));
    if (!sb)
        return -UMVFS_ENOMEM;
    memset(sb, 0, sizeof(*sb));
    sb->vfs = vfs;
    if (limits)
        sb->limits = *limits;
    sb->next_ino = 1;
    sb->dev = ++vfs->next_dev;
    *out = sb;
    return 0;
}

void umvfs_sb_release(struct umvfs_sb *sb)
{
    struct umvfs_config *cfg = &sb->vfs->cfg;
    if (sb->mounts > 0 || sb->inodes > 0)
        return;
    if (sb->ops && sb->ops->unmount)
        sb->ops->unmount(sb->fs);
    cfg->free(cfg->ctx, sb, sizeof(*sb));
}

int umvfs_sb_new_memory(struct umvfs *vfs, const struct umvfs_limits *limits, uint32_t mode,
                        uint32_t uid, uint32_t gid, struct umvfs_sb **out)
{
    struct umvfs_sb *sb;
    struct umvfs_inode *inode;
    int err = umvfs_sb_new(vfs, limits, &sb);
    if (err)
        return err;
    err = umvfs_inode_new(sb, UMVFS_S_IFDIR | (mode & UMVFS_S_IALL), &inode);
    if (err) {
        umvfs_sb_release(sb);
        return err;
    }
    inode->uid = uid;
    inode->gid = gid;
    inode->nlink = 2;
    err = umvfs_dentry_new(sb, NULL, 0, &sb->root);
    if (err) {
        umvfs_inode_drop(inode); /* and sb, of which it was the last inode */
        return err;
    }
    sb->root->parent = sb->root;
    sb->root->inode = inode;
    sb->root->flags = DENTRY_LINKED;
    *out = sb;
    return 0;
}

bool umvfs_is_late(const struct umvfs *vfs)
{
    return vfs->cfg.late && vfs->cfg.late(vfs->cfg.ctx);
}

static void end_root(struct umvfs_sb *sb)
{
    struct umvfs_dentry *root = sb->root;
    sb->root = NULL;
    root->flags &= (uint8_t)~DENTRY_LINKED;
    sb->inodes++; /* keeps sb while its root goes */
    umvfs_dentry_drop(root);
    sb->inodes--;
    umvfs_sb_release(sb);
}

void umvfs_sb_kill(struct umvfs_sb *sb)
{
    size_t all = SIZE_MAX;
    bool is_foreign = umvfs_is_foreign(sb->root->inode);
    if (!is_foreign && sb->inodes > sb->vfs->cfg.late_above && umvfs_is_late(sb->vfs)) {
        sb->next_late = sb->vfs->late_sbs;
        sb->vfs->late_sbs = sb;
        return;
    }
    if (!is_foreign)
        (void)umvfs_dir_empty(sb->root, &all);
    end_root(sb);
}

static void reap_inode(struct umvfs *vfs, size_t *budget)
{
    struct umvfs_inode *inode = vfs->late_inodes;
    if (!umvfs_data_drop_some(inode, budget))
        return;
    vfs->late_inodes = inode->cookie;
    umvfs_inode_end(inode);
}

static void reap_sb(struct umvfs *vfs, size_t *budget)
{
    struct umvfs_sb *sb = vfs->late_sbs;
    if (!umvfs_dir_empty(sb->root, budget))
        return;
    vfs->late_sbs = sb->next_late;
    end_root(sb);
}

bool umvfs_reap(struct umvfs *vfs, size_t budget)
{
    while (budget > 0 && (vfs->late_inodes || vfs->late_sbs)) {
        if (vfs->late_inodes)
            reap_inode(vfs, &budget);
        else
            reap_sb(vfs, &budget);
    }
    return vfs->late_inodes || vfs->late_sbs;
}

static bool config_valid(const struct umvfs_config *cfg)
{
    return cfg && cfg->alloc && cfg->free && cfg->page_alloc && cfg->page_put;
}

/* The clock of an embedder without one. */
static int64_t the_epoch(void *ctx)
{
    (void)ctx;
    return 0;
}

int umvfs_new(const struct umvfs_config *config, struct umvfs **out)
{
    struct umvfs *vfs;
    struct umvfs_sb *sb;
    if (!config_valid(config))
        return -UMVFS_EINVAL;
    vfs = config->alloc(config->ctx, sizeof(*vfs));
    if (!vfs)
        return -UMVFS_ENOMEM;
    memset(vfs, 0, sizeof(*vfs));
    vfs->cfg = *config;
    if (!vfs->cfg.now)
        vfs->cfg.now = the_epoch;
    umvfs_name_keys(&vfs->name_keys, config->seed);
    uint32_t mode = config->root_mode ? config->root_mode : 0755u;
    int err = umvfs_table_init(vfs);
    if (err)
        goto free_vfs;
    err = umvfs_sb_new_memory(vfs, &config->root_limits, mode, config->root_uid, config->root_gid,
                              &sb);
    if (err)
        goto free_table;
    err = umvfs_mount_attach_first(vfs, sb);
    if (err)
        goto kill_sb;
    *out = vfs;
    return 0;

kill_sb:
    umvfs_sb_kill(sb);
free_table:
    umvfs_table_free(vfs);
free_vfs:
    config->free(config->ctx, vfs, sizeof(*vfs));
    return err;
}

int umvfs_destroy(struct umvfs *vfs)
{
    struct umvfs_config cfg = vfs->cfg;
    if (vfs->users)
        return -UMVFS_EBUSY;
    vfs->cfg.late = NULL;
    (void)umvfs_reap(vfs, SIZE_MAX);
    umvfs_mount_detach_all(vfs);
    umvfs_table_free(vfs);
    cfg.free(cfg.ctx, vfs, sizeof(*vfs));
    return 0;
}

void umvfs_set_protection(struct umvfs *vfs, uint8_t symlinks, uint8_t hardlinks, uint8_t fifos,
                          uint8_t regular)
{
    vfs->cfg.protected_symlinks = symlinks;
    vfs->cfg.protected_hardlinks = hardlinks;
    vfs->cfg.protected_fifos = fifos;
    vfs->cfg.protected_regular = regular;
}
