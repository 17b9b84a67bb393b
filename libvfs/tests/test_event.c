/* Events: what queues keep, merge and lose, and that Linux tells the same of random operations on a
 * tree. */
#define _GNU_SOURCE
#include "tests.h"

#include <umvfs/attr.h>
#include <umvfs/event.h>
#include <umvfs/file.h>
#include <umvfs/mount.h>
#include <umvfs/path.h>
#include <umvfs/tree.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core.h"
#include "host.h"

enum { QUEUES = 2, TEXT = 1 << 14 };

struct watching {
    struct umvfs_events events;
    struct umvfs_event_queue queue[QUEUES];
    uint64_t objects, fail_at;
    unsigned wakes, watches, most_watches, watched;
};

static void *event_alloc(void *ctx, struct umvfs_event_queue *queue, size_t size)
{
    (void)queue;
    struct watching *w = ctx;
    if (w->fail_at && --w->fail_at == 0)
        return NULL;
    w->objects++;
    return malloc(size);
}

static void event_free(void *ctx, struct umvfs_event_queue *queue, void *object, size_t size)
{
    (void)queue;
    struct watching *w = ctx;
    memset(object, 0xa5, size);
    w->objects--;
    free(object);
}

static void event_wake(void *ctx, struct umvfs_event_queue *queue)
{
    struct watching *w = ctx;
    assert_true(umvfs_event_size(queue) > 0);
    w->wakes++;
}

static bool watch_begins(void *ctx, struct umvfs_event_queue *queue)
{
    struct watching *w = ctx;
    (void)queue;
    if (w->watches == w->most_watches)
        return false;
    w->watches++;
    return true;
}

static void watch_ends(void *ctx, struct umvfs_event_queue *queue)
{
    struct watching *w = ctx;
    (void)queue;
    w->watches--;
}

static void watched(void *ctx, const void *object, bool is_watched)
{
    struct watching *w = ctx;
    (void)object;
    w->watched += is_watched ? 1u : UINT_MAX;
}

static void begin(struct watching *w, uint32_t max)
{
    const struct umvfs_event_config config = {.alloc = event_alloc,
                                              .free = event_free,
                                              .wake = event_wake,
                                              .watch_begins = watch_begins,
                                              .watch_ends = watch_ends,
                                              .watched = watched,
                                              .ctx = w};
    *w = (struct watching){.most_watches = 5000};
    umvfs_events_init(&w->events, &config);
    for (unsigned i = 0; i < QUEUES; i++)
        umvfs_event_queue_init(&w->queue[i], max);
}

static void end(struct watching *w)
{
    for (unsigned i = 0; i < QUEUES; i++)
        umvfs_event_queue_end(&w->events, &w->queue[i]);
    assert_int_equal(w->objects, 0);
    assert_int_equal(w->watches, 0);
    assert_int_equal(w->watched, 0);
}

static void tell(struct watching *w, const void *object, uint32_t mask, const char *name)
{
    const struct umvfs_event event = {
        .object = object, .mask = mask, .name = name, .len = name ? strlen(name) : 0};
    umvfs_event_tell(&w->events, &event);
}

/* Writes records as text: number, mask, whether the cookie is a new one, name. */
static size_t print_records(char *text, const char *buf, size_t size, uint32_t *cookie)
{
    size_t done = 0;
    for (size_t at = 0; at < size;) {
        struct umvfs_event_record r;
        memcpy(&r, buf + at, sizeof(r));
        const char *move = !r.cookie ? "" : r.cookie == *cookie ? " same" : " new";
        if (r.cookie)
            *cookie = r.cookie;
        const char *name = r.size ? buf + at + sizeof(r) : "";
        done += (size_t)sprintf(text + done, "%d:%x%s %s\n", r.wd, r.mask, move, name);
        at += sizeof(r) + r.size;
    }
    return done;
}

static const char *take_all(struct watching *w, unsigned which)
{
    static char text[TEXT], buf[sizeof(struct umvfs_event_record) + 256];
    struct umvfs_event_queue *queue = &w->queue[which];
    static uint32_t cookie[QUEUES];
    size_t done = 0;
    text[0] = '\0';
    while (umvfs_event_size(queue) > 0) {
        size_t size = umvfs_event_size(queue);
        uint64_t bytes = queue->bytes;
        assert_int_equal(umvfs_event_take(&w->events, queue, buf), size);
        assert_int_equal(bytes - queue->bytes, size);
        done += print_records(text + done, buf, size, &cookie[which]);
        assert_true(done < TEXT - 512);
    }
    assert_int_equal(queue->bytes, 0);
    return text;
}

static const char thing[4];

static void masks_are_checked(void **state)
{
    static const struct {
        uint32_t mask;
        int result;
    } cases[] = {
        {0, -UMVFS_EINVAL},
        {0x1000, -UMVFS_EINVAL},
        {UMVFS_IN_OPEN | 0x08000000u, -UMVFS_EINVAL},
        {UMVFS_IN_OPEN | UMVFS_IN_MASK_ADD | UMVFS_IN_MASK_CREATE, -UMVFS_EINVAL},
        {UMVFS_IN_OPEN | UMVFS_IN_MASK_CREATE, 1},
        {UMVFS_IN_OPEN | UMVFS_IN_MASK_CREATE, -UMVFS_EEXIST},
        {UMVFS_IN_ONLYDIR, 1},
        {UMVFS_IN_OPEN | UMVFS_IN_DONT_FOLLOW | UMVFS_IN_ISDIR, 1},
    };
    struct watching w;
    begin(&w, 10);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(umvfs_event_watch(&w.events, &w.queue[0], &thing[0], cases[i].mask),
                         cases[i].result);
    assert_int_equal(umvfs_event_unwatch(&w.events, &w.queue[0], 2), -UMVFS_EINVAL);
    assert_int_equal(umvfs_event_unwatch(&w.events, &w.queue[1], 1), -UMVFS_EINVAL);
    assert_int_equal(umvfs_event_unwatch(&w.events, &w.queue[0], 1), 0);
    assert_int_equal(umvfs_event_unwatch(&w.events, &w.queue[0], 1), -UMVFS_EINVAL);
    assert_int_equal(umvfs_event_watch(&w.events, &w.queue[0], &thing[0], UMVFS_IN_OPEN), 2);
    assert_string_equal(take_all(&w, 0), "1:8000 \n");
    end(&w);
}

static void masks_are_replaced_and_added(void **state)
{
    struct watching w;
    begin(&w, 10);
    assert_int_equal(umvfs_event_watch(&w.events, &w.queue[0], thing, UMVFS_IN_OPEN), 1);
    assert_int_equal(
        umvfs_event_watch(&w.events, &w.queue[0], thing, UMVFS_IN_ACCESS | UMVFS_IN_MASK_ADD), 1);
    tell(&w, thing, UMVFS_IN_OPEN, NULL);
    tell(&w, thing, UMVFS_IN_ACCESS, NULL);
    assert_int_equal(umvfs_event_watch(&w.events, &w.queue[0], thing, UMVFS_IN_MODIFY), 1);
    tell(&w, thing, UMVFS_IN_OPEN, NULL);
    tell(&w, thing, UMVFS_IN_MODIFY | UMVFS_IN_ATTRIB, NULL);
    tell(&w, &thing[1], UMVFS_IN_MODIFY, NULL);
    assert_string_equal(take_all(&w, 0), "1:20 \n1:1 \n1:6 \n");
    end(&w);
}

static void equal_neighbours_are_one(void **state)
{
    struct watching w;
    begin(&w, 10);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(umvfs_event_watch(&w.events, &w.queue[0], &thing[i], 0xfff), i + 1);
    tell(&w, &thing[0], UMVFS_IN_OPEN, NULL);
    tell(&w, &thing[0], UMVFS_IN_OPEN, NULL);
    tell(&w, &thing[1], UMVFS_IN_OPEN, NULL);
    tell(&w, &thing[0], UMVFS_IN_OPEN, NULL);
    tell(&w, &thing[0], UMVFS_IN_OPEN, "a");
    tell(&w, &thing[0], UMVFS_IN_OPEN, "a");
    tell(&w, &thing[0], UMVFS_IN_OPEN, "b");
    tell(&w, &thing[0], UMVFS_IN_ACCESS, "b");
    assert_int_equal(w.wakes, 6);
    assert_string_equal(take_all(&w, 0), "1:20 \n2:20 \n1:20 \n1:20 a\n1:20 b\n1:1 b\n");
    end(&w);
}

static void full_queues_tell_of_it_once(void **state)
{
    struct watching w;
    begin(&w, 2);
    assert_int_equal(umvfs_event_watch(&w.events, &w.queue[0], thing, 0xfff), 1);
    for (unsigned i = 0; i < 10; i++)
        tell(&w, thing, i % 2 ? UMVFS_IN_OPEN : UMVFS_IN_ACCESS, "name");
    assert_int_equal(w.queue[0].count, 3);
    assert_int_equal(w.queue[0].bytes, 32 + 32 + 16);
    assert_string_equal(take_all(&w, 0), "1:1 name\n1:20 name\n-1:4000 \n");
    tell(&w, thing, UMVFS_IN_OPEN, NULL);
    assert_string_equal(take_all(&w, 0), "1:20 \n");
    end(&w);
}

/* An allocation that fails loses the event, which is told, and changes nothing else. */
static void failures_lose_events_only(void **state)
{
    struct watching w;
    begin(&w, 10);
    w.fail_at = 1;
    assert_int_equal(umvfs_event_watch(&w.events, &w.queue[0], thing, 0xfff), -UMVFS_ENOMEM);
    w.most_watches = 0;
    assert_int_equal(umvfs_event_watch(&w.events, &w.queue[0], thing, 0xfff), -UMVFS_ENOSPC);
    assert_int_equal(w.objects, 0);
    w.most_watches = 1;
    assert_int_equal(umvfs_event_watch(&w.events, &w.queue[0], thing, 0xfff), 1);
    w.fail_at = 1;
    tell(&w, thing, UMVFS_IN_OPEN, "lost");
    tell(&w, thing, UMVFS_IN_OPEN, "kept");
    w.fail_at = 1;
    assert_int_equal(umvfs_event_unwatch(&w.events, &w.queue[0], 1), 0);
    assert_string_equal(take_all(&w, 0), "-1:4000 \n1:20 kept\n");
    end(&w);
}

static void one_shot_and_gone(void **state)
{
    struct watching w;
    begin(&w, 10);
    assert_int_equal(
        umvfs_event_watch(&w.events, &w.queue[0], thing, UMVFS_IN_OPEN | UMVFS_IN_ONESHOT), 1);
    assert_int_equal(umvfs_event_watch(&w.events, &w.queue[1], thing, UMVFS_IN_DELETE_SELF), 1);
    tell(&w, thing, UMVFS_IN_OPEN, NULL);
    tell(&w, thing, UMVFS_IN_OPEN, NULL);
    umvfs_event_gone(&w.events, thing, UMVFS_IN_DELETE_SELF | UMVFS_IN_ISDIR);
    assert_string_equal(take_all(&w, 0), "1:20 \n1:8000 \n");
    assert_string_equal(take_all(&w, 1), "1:400 \n1:8000 \n");
    assert_int_equal(umvfs_event_watch(&w.events, &w.queue[1], thing, UMVFS_IN_OPEN), 2);
    umvfs_event_gone(&w.events, thing, UMVFS_IN_UNMOUNT);
    assert_string_equal(take_all(&w, 1), "2:2000 \n2:8000 \n");
    end(&w);
}

/* More watches than buckets; numbers begin again after the greatest, without those in use. */
static void many_watches(void **state)
{
    static const char many[4000];
    struct watching w;
    begin(&w, 10);
    w.queue[0].last_wd = INT32_MAX - 2000;
    for (unsigned i = 0; i < sizeof(many); i++) {
        int wd = i < 2000 ? INT32_MAX - 1999 + (int)i : (int)i - 1999;
        assert_int_equal(umvfs_event_watch(&w.events, &w.queue[0], &many[i], 0xfff), wd);
        assert_int_equal(umvfs_event_watch(&w.events, &w.queue[1], &many[0], 0xfff), 1);
    }
    w.queue[0].last_wd = INT32_MAX;
    assert_int_equal(umvfs_event_watch(&w.events, &w.queue[0], thing, 0xfff), 2001);
    tell(&w, &many[2000], UMVFS_IN_OPEN, NULL);
    assert_string_equal(take_all(&w, 0), "1:20 \n");
    for (int i = 0; i < 2000; i++)
        assert_int_equal(umvfs_event_unwatch(&w.events, &w.queue[0], i + 1), 0);
    end(&w);
}

/* A tree of the library's and one of Linux's, with the same watches -------------------------- */

static unsigned attribute_events;

static void count_told(void *ctx, const struct umvfs_event *event)
{
    (void)ctx;
    attribute_events += (event->mask & UMVFS_IN_ATTRIB) != 0;
}

/* A change of mode that another change brings is told besides, and of the root once: it has no
 * name. Without a callback nothing is told. */
static void modes_that_change_are_told(void **state)
{
    struct world w;
    struct umvfs_path root;
    struct umvfs_config *config;
    world_begin(&w, NULL);
    config = &w.vfs->cfg;
    run(&w, "write /f text");
    run(&w, "chown /f 1000 0");
    run(&w, "chmod /f 06777");
    run(&w, "as alice");
    assert_int_equal(run(&w, "keep /f w"), 0);
    umvfs_inode_set_watched(w.kept.inode, true);
    config->event = count_told;
    assert_int_equal(umvfs_chown(&w.task, NULL, "/f", UINT32_MAX, UINT32_MAX, 0), 0);
    assert_int_equal(attribute_events, 1);
    assert_int_equal(umvfs_chown(&w.task, NULL, "/f", UINT32_MAX, UINT32_MAX, 0), 0);
    assert_int_equal(attribute_events, 1);
    config->event = NULL;
    run(&w, "chmod /f 04777");
    assert_int_equal(attribute_events, 1);
    config->event = count_told;
    assert_int_equal(umvfs_fallocate(&w.kept, 0, 0, 1), 0);
    assert_int_equal(attribute_events, 2);
    run(&w, "as root");
    umvfs_root(w.vfs, &root);
    umvfs_inode_set_watched(umvfs_path_inode(&root), true);
    umvfs_inode_set_watched(w.kept.inode, false);
    config->event = count_told;
    assert_int_equal(run(&w, "chmod / 0755"), 0);
    assert_int_equal(attribute_events, 3);
    umvfs_path_put(&root);
    config->event = NULL;
    world_end(&w);
}

static unsigned told_to_directory, told_to_file;

static void count_places(void *ctx, const struct umvfs_event *event)
{
    (void)ctx;
    told_to_directory += event->name != NULL;
    told_to_file += event->name == NULL;
}

/* Reads and writes of a FIFO are told to watches of the FIFO, not to those of its directory. */
static void directories_hear_nothing_of_special_files(void **state)
{
    struct world w;
    struct umvfs_path root;
    world_begin(&w, NULL);
    assert_int_equal(umvfs_mknod(&w.task, NULL, "/p", UMVFS_S_IFIFO | 0600, 0), 0);
    assert_int_equal(run(&w, "keep /p w"), 0);
    umvfs_root(w.vfs, &root);
    umvfs_inode_set_watched(umvfs_path_inode(&root), true);
    umvfs_inode_set_watched(w.kept.inode, true);
    w.vfs->cfg.event = count_places;
    umvfs_file_event(&w.kept, UMVFS_IN_MODIFY);
    umvfs_file_event(&w.kept, UMVFS_IN_ACCESS);
    assert_int_equal(told_to_directory, 0);
    assert_int_equal(told_to_file, 2);
    umvfs_file_event(&w.kept, UMVFS_IN_OPEN);
    assert_int_equal(run(&w, "chmod /p 0644"), 0);
    assert_int_equal(told_to_directory, 2);
    assert_int_equal(told_to_file, 4);
    w.vfs->cfg.event = NULL;
    umvfs_path_put(&root);
    world_end(&w);
}

/* Who counts no watches and is not told of them is not asked. */
static void callbacks_of_watches_may_be_missing(void **state)
{
    struct watching w;
    begin(&w, 2);
    w.events.config.watch_begins = NULL;
    w.events.config.watch_ends = NULL;
    w.events.config.watched = NULL;
    assert_int_equal(umvfs_event_watch(&w.events, &w.queue[0], thing, UMVFS_IN_OPEN), 1);
    assert_int_equal(umvfs_event_unwatch(&w.events, &w.queue[0], 1), 0);
    assert_int_equal(umvfs_event_watch(&w.events, &w.queue[0], thing, UMVFS_IN_OPEN), 2);
    end(&w);
}

enum { HELD = 3 };

struct twins {
    struct host host;
    struct umvfs_task task;
    struct umvfs_cred cred;
    struct umvfs_path at; /* a file system of its own, which ends before the other */
    struct watching w;
    int notify, dir;
    struct umvfs_file held[HELD];
    int held_fd[HELD];
    uint64_t random;
};

static void pass_on(void *ctx, const struct umvfs_event *event)
{
    struct twins *t = (struct twins *)ctx; /* the host is its first member */
    const uint32_t last = UMVFS_IN_DELETE_SELF | UMVFS_IN_UNMOUNT;
    if (event->mask & last)
        umvfs_event_gone(&t->w.events, event->object, event->mask);
    else
        umvfs_event_tell(&t->w.events, event);
}

static void mark_inode(void *ctx, const void *object, bool is_watched)
{
    watched(ctx, object, is_watched);
    umvfs_inode_set_watched((struct umvfs_inode *)(uintptr_t)object, is_watched);
}

static void begin_twins(struct twins *t, char *name)
{
    memset(t, 0, sizeof(*t));
    struct umvfs_config config = host_config(&t->host);
    const struct umvfs_limits limits = {0};
    config.event = pass_on;
    t->cred = (struct umvfs_cred){.uid = geteuid(), .gid = getegid(), .caps = UMVFS_CAP_ALL};
    t->task = (struct umvfs_task){.cred = &t->cred};
    assert_int_equal(umvfs_new(&config, &t->task.vfs), 0);
    umvfs_root(t->task.vfs, &t->task.root);
    umvfs_root(t->task.vfs, &t->task.cwd);
    assert_int_equal(umvfs_mkdir(&t->task, NULL, "/m", 0755), 0);
    assert_int_equal(umvfs_mount_memory(&t->task, NULL, "/m", &limits, 0755, 0), 0);
    assert_int_equal(umvfs_lookup(&t->task, NULL, "/m", 0, 0, &t->at), 0);
    begin(&t->w, 16384);
    t->w.events.config.watched = mark_inode;
    assert_non_null(mkdtemp(name));
    t->dir = open(name, O_RDONLY | O_DIRECTORY);
    t->notify = inotify_init1(IN_NONBLOCK);
    assert_true(t->dir >= 0);
    assert_true(t->notify >= 0);
    for (unsigned i = 0; i < HELD; i++)
        t->held_fd[i] = -1;
    t->random = 1;
}

static unsigned draw(struct twins *t, unsigned below)
{
    t->random = t->random * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (unsigned)(t->random >> 33) % below;
}

static const char *draw_name(struct twins *t)
{
    static const char *const names[] = {"d",
                                        "e",
                                        "d/e",
                                        "a",
                                        "b",
                                        "d/a",
                                        "d/b",
                                        "e/a",
                                        "d/e/a",
                                        "a-name-of-more-than-24-bytes",
                                        "d/a-name-of-more-than-24-bytes"};
    return names[draw(t, sizeof(names) / sizeof(names[0]))];
}

static int linux_result(int result)
{
    return result < 0 ? -errno : 0;
}

static void watch_both(struct twins *t, const char *name, uint32_t mask)
{
    char proc[64];
    struct umvfs_path place;
    int error = umvfs_lookup(&t->task, &t->at, name, 0, 0, &place);
    int fd = openat(t->dir, name, O_PATH);
    assert_int_equal(error, linux_result(fd));
    if (error)
        return;
    snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
    int expected = inotify_add_watch(t->notify, proc, mask);
    int wd = umvfs_event_watch(&t->w.events, &t->w.queue[0], umvfs_path_inode(&place), mask);
    assert_int_equal(wd, expected < 0 ? -errno : expected);
    umvfs_path_put(&place);
    close(fd);
}

/* Without O_TRUNC: Linux has told of the open before the truncation since 6.10, and after it before.
 * The library's caller tells of the open, after it. */
static void open_both(struct twins *t, const char *name)
{
    static const int flags[] = {
        O_RDONLY, O_RDWR, O_RDWR | O_CREAT, O_RDWR | O_APPEND, O_WRONLY | O_CREAT | O_EXCL, O_PATH};
    unsigned slot = draw(t, HELD);
    int how = flags[draw(t, sizeof(flags) / sizeof(flags[0]))];
    struct umvfs_file *file = &t->held[slot];
    if (t->held_fd[slot] >= 0) {
        umvfs_file_event(file,
                         file->flags & O_ACCMODE ? UMVFS_IN_CLOSE_WRITE : UMVFS_IN_CLOSE_NOWRITE);
        umvfs_close(file);
        close(t->held_fd[slot]);
    }
    int error = umvfs_open(&t->task, &t->at, name, (uint32_t)how, 0644, 0, file);
    t->held_fd[slot] = openat(t->dir, name, how, 0644);
    assert_int_equal(error, t->held_fd[slot] < 0 ? -errno : 0);
    if (!error)
        umvfs_file_event(file, UMVFS_IN_OPEN);
}

static void use_both(struct twins *t)
{
    unsigned slot = draw(t, HELD);
    struct umvfs_file *file = &t->held[slot];
    int fd = t->held_fd[slot];
    char byte = 0;
    if (fd < 0)
        return;
    switch (draw(t, 5)) {
    case 0:
        if (umvfs_pread(file, &byte, 1, 0) > 0)
            umvfs_file_event(file, UMVFS_IN_ACCESS);
        (void)!pread(fd, &byte, 1, 0);
        break;
    case 1:
        if (umvfs_pwrite(file, "x", 1, 0) > 0)
            umvfs_file_event(file, UMVFS_IN_MODIFY);
        (void)!pwrite(fd, "x", 1, 0);
        break;
    case 2:
        assert_int_equal(umvfs_file_truncate(file, 5), linux_result(ftruncate(fd, 5)));
        break;
    case 3:
        if (!(file->flags & O_PATH)) {
            assert_int_equal(umvfs_chmod(&t->task, &file->path, "", 0700, UMVFS_AT_EMPTY_PATH),
                             linux_result(fchmod(fd, 0700)));
        }
        break;
    default:
        assert_int_equal(umvfs_fallocate(file, 0, 0, 1), linux_result(fallocate(fd, 0, 0, 1)));
    }
}

static void time_both(struct twins *t, const char *name)
{
    struct umvfs_time times[2];
    struct timespec host_times[2];
    for (unsigned i = 0; i < 2; i++) {
        static const uint32_t nsec[] = {7, UMVFS_TIME_NOW, UMVFS_TIME_OMIT};
        times[i] = (struct umvfs_time){1, nsec[draw(t, 3)]};
        host_times[i] = (struct timespec){1, times[i].nsec};
    }
    if (times[0].nsec == UMVFS_TIME_OMIT && times[1].nsec == UMVFS_TIME_OMIT)
        return;
    assert_int_equal(umvfs_utimens(&t->task, &t->at, name, times, 0),
                     linux_result(utimensat(t->dir, name, host_times, 0)));
}

static void rename_both(struct twins *t, const char *name)
{
    const char *to = draw_name(t);
    unsigned flags = draw(t, 3);
    int error = umvfs_rename(&t->task, &t->at, name, &t->at, to, flags);
    assert_int_equal(error, linux_result(renameat2(t->dir, name, t->dir, to, flags)));
}

static void change_both(struct twins *t)
{
    const char *name = draw_name(t), *other;
    switch (draw(t, 16)) {
    case 0:
    case 1:
        assert_int_equal(umvfs_mkdir(&t->task, &t->at, name, 0755),
                         linux_result(mkdirat(t->dir, name, 0755)));
        break;
    case 2:
        assert_int_equal(umvfs_mknod(&t->task, &t->at, name, S_IFREG | 0644, 0),
                         linux_result(mknodat(t->dir, name, S_IFREG | 0644, 0)));
        break;
    case 3:
        assert_int_equal(umvfs_symlink(&t->task, "a", &t->at, name),
                         linux_result(symlinkat("a", t->dir, name)));
        break;
    case 4:
    case 5:
        other = draw_name(t);
        assert_int_equal(umvfs_link(&t->task, &t->at, name, &t->at, other, 0),
                         linux_result(linkat(t->dir, name, t->dir, other, 0)));
        break;
    case 6:
    case 7:
        assert_int_equal(umvfs_unlink(&t->task, &t->at, name),
                         linux_result(unlinkat(t->dir, name, 0)));
        break;
    case 8:
        assert_int_equal(umvfs_rmdir(&t->task, &t->at, name),
                         linux_result(unlinkat(t->dir, name, AT_REMOVEDIR)));
        break;
    case 9:
    case 10:
        rename_both(t, name);
        break;
    case 11:
        assert_int_equal(umvfs_chmod(&t->task, &t->at, name, 0755, 0),
                         linux_result(fchmodat(t->dir, name, 0755, 0)));
        break;
    case 12:
        time_both(t, name);
        break;
    case 13:
        open_both(t, name);
        break;
    default:
        use_both(t);
    }
}

static void compare(struct twins *t, unsigned step)
{
    static char buf[TEXT], text[TEXT];
    static uint32_t cookie;
    const char *own = take_all(&t->w, 0);
    ssize_t got = read(t->notify, buf, sizeof(buf));
    text[0] = '\0';
    if (got > 0)
        (void)print_records(text, buf, (size_t)got, &cookie);
    else
        assert_int_equal(errno, EAGAIN);
    if (strcmp(own, text) != 0)
        fail_msg("step %u: the library tells\n%sand Linux\n%s", step, own, text);
}

static void end_twins(struct twins *t, const char *name)
{
    char command[64];
    for (unsigned i = 0; i < HELD; i++) {
        umvfs_close(&t->held[i]);
        if (t->held_fd[i] >= 0)
            close(t->held_fd[i]);
    }
    umvfs_path_put(&t->at);
    (void)take_all(&t->w, 0);
    assert_int_equal(umvfs_umount(&t->task, NULL, "/m", 0), 0);
    const char *told = take_all(&t->w, 0);
    assert_non_null(strstr(told, ":2000 \n")); /* IN_UNMOUNT */
    assert_non_null(strstr(told, ":8000 \n"));
    assert_int_equal(t->w.watches, 0);
    end(&t->w);
    umvfs_path_put(&t->task.root);
    umvfs_path_put(&t->task.cwd);
    assert_int_equal(umvfs_destroy(t->task.vfs), 0);
    assert_true(host_is_empty(&t->host));
    close(t->notify);
    close(t->dir);
    snprintf(command, sizeof(command), "rm -rf %s", name);
    assert_int_equal(system(command), 0);
}

static void linux_tells_the_same(void **state)
{
    static const uint32_t masks[] = {UMVFS_IN_ALL_EVENTS,
                                     UMVFS_IN_ALL_EVENTS | UMVFS_IN_EXCL_UNLINK,
                                     UMVFS_IN_ALL_EVENTS | UMVFS_IN_ONESHOT,
                                     UMVFS_IN_CREATE | UMVFS_IN_MASK_ADD,
                                     UMVFS_IN_MOVED_TO | UMVFS_IN_MODIFY,
                                     UMVFS_IN_OPEN | UMVFS_IN_MASK_CREATE};
    static struct twins t;
    char name[] = "/tmp/vfs-events.XXXXXX";
    mode_t umask_before = umask(0);
    begin_twins(&t, name);
    for (unsigned step = 0; step < 10000; step++) {
        if (draw(&t, 8) == 0)
            watch_both(&t, draw(&t, 4) ? draw_name(&t) : ".",
                       masks[draw(&t, sizeof(masks) / sizeof(masks[0]))]);
        else
            change_both(&t);
        compare(&t, step);
    }
    watch_both(&t, ".", UMVFS_IN_ALL_EVENTS);
    umask(umask_before);
    end_twins(&t, name);
}

int event_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modes_that_change_are_told),
        cmocka_unit_test(callbacks_of_watches_may_be_missing),
        cmocka_unit_test(masks_are_checked),
        cmocka_unit_test(masks_are_replaced_and_added),
        cmocka_unit_test(equal_neighbours_are_one),
        cmocka_unit_test(full_queues_tell_of_it_once),
        cmocka_unit_test(failures_lose_events_only),
        cmocka_unit_test(one_shot_and_gone),
        cmocka_unit_test(many_watches),
        cmocka_unit_test(directories_hear_nothing_of_special_files),
        cmocka_unit_test(linux_tells_the_same),
    };
    return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
