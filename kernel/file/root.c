#include "file/root.h"

#include <umvfs/archive.h>
#include <umvfs/attr.h>
#include <umvfs/file.h>
#include <umvfs/path.h>

#include "file/events.h"
#include "file/futex.h"
#include "file/locks.h"
#include "file/pipe.h"
#include "dev/fw_cfg.h"
#include "dev/random.h"
#include "dev/timer.h"
#include "lib/check.h"
#include "lib/cmdline.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "dev/print.h"
#include "mm/aspace.h"
#include "mm/frame.h"
#include "mm/slab.h"
#include "task/process.h"
#include "task/sched.h"

#define OBJECTS_SHARE 4    /* the limit of objects is this part of the limit of pages */
#define LATE_ABOVE    1024 /* pages of a file, or inodes */
#define REAP_CHUNK    4096 /* pages and entries between two scheduling points */
#define SKIPPED_SHOWN 8    /* skipped entries of the initrd that are named */
#define SLACK_SHARE   16   /* free in the root after a large archive: this part of memory */

struct umvfs *root_vfs;

/* The payer of an object is stored after the object, or in the record of its frame if it has whole
 * frames. Names and the smallest tree nodes, which are made and freed with each file, are not
 * charged: the limit of their file system bounds them. Inodes and larger objects are charged. */
#define INODE_MIN   96
#define INODE_MAX   127
#define LARGER_MIN  192
#define CHARGED_MAX (SLAB_SMALL_MAX - sizeof(uint32_t))
#define NOBODY      UINT32_MAX

static __attribute__((noinline)) void *large_alloc(size_t size)
{
    void *object = slab_alloc(size > SLAB_SMALL_MAX ? size : SLAB_SMALL_MAX + 1);
    struct user *payer = current_payer();
    if (object && payer) {
        frame_of_ptr(object)->payer = &payer->memory;
        payer->memory.bytes += size;
    }
    return object;
}

static __attribute__((noinline)) void large_free(void *object, size_t size)
{
    struct payer *payer = frame_of_ptr(object)->payer;
    if (payer)
        payer->bytes -= size;
    slab_free(object);
}

static __attribute__((noinline)) void *charged_alloc(size_t size)
{
    if (size > CHARGED_MAX)
        return large_alloc(size);
    uint8_t *object = slab_alloc(size + sizeof(uint32_t));
    struct user *payer = current_payer();
    uint32_t uid = payer ? payer->uid : NOBODY;
    if (!object)
        return NULL;
    __builtin_memcpy(object + size, &uid, sizeof(uid));
    user_charge(payer, size);
    return object;
}

static __attribute__((noinline)) void charged_free(uint8_t *object, size_t size)
{
    struct user *payer = current_payer(); /* usually the current payer */
    uint32_t uid;
    if (size > CHARGED_MAX) {
        large_free(object, size);
        return;
    }
    __builtin_memcpy(&uid, object + size, sizeof(uid));
    if (uid != NOBODY)
        user_uncharge(payer && payer->uid == uid ? payer : user_peek(uid), size);
    slab_free(object);
}

static bool is_charged(size_t size)
{
    return size >= LARGER_MIN || (size >= INODE_MIN && size <= INODE_MAX);
}

static void *object_alloc(void *ctx, size_t size)
{
    (void)ctx;
    return is_charged(size) ? charged_alloc(size) : slab_alloc(size);
}

static void object_free(void *ctx, void *object, size_t size)
{
    (void)ctx;
    if (is_charged(size))
        charged_free(object, size);
    else
        slab_free(object);
}

static void *page_alloc(void *ctx)
{
    struct frame *frame = frame_alloc(FRAME_FILE);
    struct user *payer = current_payer();
    (void)ctx;
    if (!frame)
        return NULL;
    if (payer)
        frame_charge(frame, &payer->memory);
    return frame_ptr(frame);
}

static void page_get(void *ctx, void *page)
{
    (void)ctx;
    frame_get(frame_of_ptr(page));
}

static void page_put(void *ctx, void *page)
{
    (void)ctx;
    frame_put(frame_of_ptr(page));
}

static int64_t now(void *ctx)
{
    (void)ctx;
    return timer_coarse_realtime_ns();
}

static void pages_gone(void *ctx, struct umvfs_inode *inode, uint64_t first, uint64_t last)
{
    (void)ctx;
    aspace_file_pages_gone(inode, first, last);
}

static void hole_filled(void *ctx, struct umvfs_inode *inode, uint64_t index)
{
    (void)ctx;
    aspace_file_hole_filled(inode, index);
}

static void inode_gone(void *ctx, struct umvfs_inode *inode, void *cookie)
{
    (void)ctx;
    umvfs_inode_set_cookie(inode, NULL);
    if (UMVFS_S_ISFIFO(umvfs_inode_mode(inode)))
        fifo_gone(cookie);
    else
        aspace_file_gone(cookie);
}

/* Whoever gives up something large frees it before its call returns; before there are threads, it is freed at
 * once. */
static bool reaps_later(void *ctx)
{
    (void)ctx;
    if (!current_thread || current_thread->state != THREAD_RUNNABLE)
        return false;
    current_thread->work |= WORK_REAP;
    return true;
}

void root_reap(void)
{
    while (umvfs_reap(root_vfs, cmdline_options.chop ? 3 : REAP_CHUNK))
        (void)sched_point();
    current_thread->work &= ~WORK_REAP;
}

/* A rule of sysctl(8) for sticky directories: on, unless the command line says otherwise. */
static uint8_t protection(const char *name)
{
    uint64_t level = cmdline_number(name, 1);
    return level <= 2 ? (uint8_t)level : 1;
}

void root_init(void)
{
    struct umvfs_config config = {
        .alloc = object_alloc,
        .free = object_free,
        .page_alloc = page_alloc,
        .page_get = page_get,
        .page_put = page_put,
        .now = now,
        .unmap = pages_gone,
        .hole_filled = hole_filled,
        .inode_free = inode_gone,
        .event = events_of_tree,
        .late = reaps_later,
        .late_above = LATE_ABOVE,
        .protected_symlinks = protection("sysctl.fs.protected_symlinks"),
        .protected_hardlinks = protection("sysctl.fs.protected_hardlinks"),
        .protected_fifos = protection("sysctl.fs.protected_fifos"),
        .protected_regular = protection("sysctl.fs.protected_regular"),
    };
    futexes_init();
    locks_init();
    events_init();
    random_bytes(config.seed, sizeof(config.seed));
    int error = umvfs_new(&config, &root_vfs);
    if (error)
        panic("no root file system: error %d", -error);
}

static size_t
    free_at_error; /* frames, when an import stopped: what is not unpacked is freed later */

static int push(struct umvfs_import *import, const void *data, size_t size,
                struct umvfs_import_error *error)
{
    int result = umvfs_import_push(import, data, size, error);
    if (result)
        free_at_error = frame_count(FRAME_FREE);
    return result;
}

/* Unpacks the archive page by page and frees each page afterwards. */
static int push_all(struct umvfs_import *import, struct frame_range archive,
                    struct umvfs_import_error *error)
{
    int result = 0;
    for (uint64_t at = archive.start; at < archive.end;) {
        uint64_t end = page_floor(at) + PAGE_SIZE;
        if (end > archive.end)
            end = archive.end;
        if (!result)
            result = push(import, phys_ptr(phys(at)), end - at, error);
        if (end - at == PAGE_SIZE) /* a frame that has other contents too is kept */
            frame_put(frame_of(phys(at)));
        at = end;
    }
    return result;
}

/* Unpacks a file of the fw_cfg device, a page at a time, so that it never is in memory as a whole. */
static int push_device(struct umvfs_import *import, uint32_t size, struct umvfs_import_error *error)
{
    uint8_t *page = size > 0 ? slab_alloc(PAGE_SIZE) : NULL;
    int result = page || size == 0 ? 0 : -ENOMEM;
    for (uint32_t left = size; left > 0 && !result;) {
        uint32_t part = left < PAGE_SIZE ? left : PAGE_SIZE;
        result = fw_cfg_read(ptr_phys(page), part);
        if (!result)
            result = push(import, page, part, error);
        left -= part;
    }
    slab_free(page);
    return result;
}

/* Of one entry, or of the archive: what was skipped, or why the rest was not read. */
static void report(const char *initrd, const struct umvfs_import_error *error)
{
    print("initrd: %s: entry %lu (%s) at byte %lu: %s", initrd, error->entry,
          error->name[0] ? error->name : "no name", error->offset,
          umvfs_archive_reason_text(error->reason));
    if (error->compression)
        print("initrd: unpack it with %s before the boot (./umbra run does it for gzip, bzip2, xz, "
              "lzma)",
              error->compression);
    if (error->reason == UMVFS_ARCHIVE_NO_SPACE)
        print("initrd: %zu KiB of %zu KiB of memory were free then", free_at_error * 4,
              frame_total() * 4);
}

/* What an import reports about entries that it skips. */
struct skipped {
    const char *initrd;
    unsigned count;
};

static void report_skipped(void *ctx, const struct umvfs_import_error *what)
{
    struct skipped *skipped = ctx;
    if (skipped->count++ < SKIPPED_SHOWN)
        report(skipped->initrd, what);
}

int root_import(const struct boot_info *info, const char *name, uint32_t device_size)
{
    static const struct umvfs_cred cred = {.caps = UMVFS_CAP_ALL};
    static struct umvfs_import_error error;
    struct skipped skipped = {.initrd = name};
    struct umvfs_import_options options = {
        .policy = UMVFS_IMPORT_LINUX,
        .replace = true,
        .allow_absolute = true,
        .warn = report_skipped,
        .warn_ctx = &skipped,
    };
    struct umvfs_task task = {.vfs = root_vfs, .cred = &cred};
    struct umvfs_import *import;
    umvfs_root(root_vfs, &task.root);
    task.cwd = task.root;
    int result = umvfs_import_begin(&task, NULL, "/", &options, &import);
    if (!result) {
        int pushed = push_all(import, info->initrd, &error);
        if (!pushed)
            pushed = push_device(import, device_size, &error);
        int finished = umvfs_import_finish(import, &error);
        result = pushed ? pushed : finished;
    }
    if (skipped.count > 0)
        print("initrd: %s: %u entries were skipped", name, skipped.count);
    if (result)
        report(name, &error);
    umvfs_path_put(&task.root);
    return result;
}

void root_limits(struct umvfs_limits *out)
{
    uint64_t half = frame_total() / 2;
    *out = (struct umvfs_limits){
        .max_pages = half,
        .max_inodes = half,
        .max_bytes = half * PAGE_SIZE / OBJECTS_SHARE,
    };
}

static void raise(uint64_t *limit, uint64_t used, uint64_t slack)
{
    if (*limit < used + slack)
        *limit = used + slack;
}

void root_set_limits(void)
{
    struct umvfs_path root;
    struct umvfs_limits limits;
    struct umvfs_statfs now;
    uint64_t slack = frame_total() / SLACK_SHARE;
    umvfs_root(root_vfs, &root);
    root_limits(&limits);
    int error = umvfs_statfs(&root, &now);
    if (!error) {
        raise(&limits.max_pages, now.pages_used, slack);
        raise(&limits.max_inodes, now.inodes_used, slack);
        raise(&limits.max_bytes, now.bytes_used, slack * PAGE_SIZE / OBJECTS_SHARE);
        error = umvfs_set_limits(&root, &limits);
    }
    CHECK(error == 0, "the root file system takes no limits: error %d", -error);
    umvfs_path_put(&root);
}

/* libvfs's names of the capabilities that it knows. */
static uint32_t vfs_caps(uint64_t caps)
{
    static const struct {
        uint32_t vfs;
        unsigned cap;
    } map[] = {
        {UMVFS_CAP_CHOWN, CAP_CHOWN},
        {UMVFS_CAP_DAC_OVERRIDE, CAP_DAC_OVERRIDE},
        {UMVFS_CAP_DAC_READ_SEARCH, CAP_DAC_READ_SEARCH},
        {UMVFS_CAP_FOWNER, CAP_FOWNER},
        {UMVFS_CAP_FSETID, CAP_FSETID},
        {UMVFS_CAP_MKNOD, CAP_MKNOD},
        {UMVFS_CAP_SYS_ADMIN, CAP_SYS_ADMIN},
        {UMVFS_CAP_SETFCAP, CAP_SETFCAP},
    };
    uint32_t result = 0;
    if (caps == 0 || caps == CAP_ALL)
        return caps ? UMVFS_CAP_ALL : 0;
    for (unsigned i = 0; i < sizeof(map) / sizeof(map[0]); i++)
        if (caps & CAP_BIT(map[i].cap))
            result |= map[i].vfs;
    return result;
}

/* access(2) asks for what the real user may do. */
static uint64_t caps_of_real_user(const struct credentials *c)
{
    if (c->secure_bits & SECURE_NO_SETUID_FIXUP)
        return c->caps.effective;
    return c->user.real == 0 ? c->caps.permitted : 0;
}

void vfs_view_of(const struct process *process, bool real, struct vfs_view *out)
{
    const struct credentials *c = &process->cred;
    uint32_t uid = real ? c->user.real : c->user.fs;
    out->cred = (struct umvfs_cred){
        .uid = uid,
        .gid = real ? c->group.real : c->group.fs,
        .caps = vfs_caps(real ? caps_of_real_user(c) : c->caps.effective),
        .group_count = c->nr_groups,
        .groups = c->groups,
    };
    out->task = (struct umvfs_task){
        .vfs = root_vfs,
        .cred = &out->cred,
        .root = process->fs->root,
        .cwd = process->fs->cwd,
        .umask = process->fs->umask,
    };
}
