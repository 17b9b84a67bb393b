/* Faults that the sanitizers must report. umbra.kasan.elf takes attack=NAME with these names, as
 * umbra.selftest.elf does with others. */
#include "selftest/attacks.h"

#include <stdint.h>

#include <umvfs/path.h>
#include <umvfs/tree.h>

#include "file/root.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/slab.h"
#include "mm/usercopy.h"
#include "task/process.h"

#define OBJECT 45 /* bytes; not a multiple of 8 */

static uint8_t global[21];
static volatile uint64_t sink;

/* Hides the object and its size from the compiler. */
static uint8_t *hidden(void *pointer)
{
    void *volatile copy = pointer;
    return copy;
}

static int64_t hidden_number(int64_t number)
{
    volatile int64_t copy = number;
    return copy;
}

static void attack_slab_read_past_end(void)
{
    uint8_t *object = slab_alloc(OBJECT);
    sink = hidden(object)[OBJECT];
}

static void attack_slab_write_past_end(void)
{
    uint8_t *object = slab_alloc(OBJECT);
    *(uint32_t *)(void *)hidden(object + 48) = 1;
}

static void attack_slab_write_before_start(void)
{
    uint8_t *object = slab_alloc(OBJECT);
    hidden(object)[-1] = 1;
}

static void attack_slab_large_read_past_end(void)
{
    uint8_t *object = slab_alloc(10000);
    sink = hidden(object)[10000];
}

static void attack_slab_read_after_free(void)
{
    uint64_t *object = slab_alloc(OBJECT);
    slab_free(object);
    sink = *(uint64_t *)(void *)hidden(object + 1);
}

static void attack_slab_write_after_free(void)
{
    uint64_t *object = slab_alloc(OBJECT);
    slab_free(object);
    *(uint64_t *)(void *)hidden(object + 1) = 0;
}

static void attack_slab_large_read_after_free(void)
{
    uint8_t *object = slab_alloc(50000);
    slab_free(object);
    sink = hidden(object)[25000];
}

/* Too large for the quarantine. */
static void attack_slab_huge_read_after_free(void)
{
    uint8_t *object = slab_alloc(100000);
    slab_free(object);
    sink = hidden(object)[50000];
}

/* Another object of the same size is allocated meanwhile: without a quarantine it would get the
 * memory. */
static void attack_slab_use_after_reuse(void)
{
    uint8_t *object = slab_alloc(OBJECT);
    slab_free(object);
    uint8_t *other = slab_alloc(OBJECT);
    other[0] = 1;
    sink = hidden(object)[0];
}

static void attack_slab_double_free(void)
{
    void *object = slab_alloc(OBJECT);
    slab_free(object);
    slab_free(hidden(object));
}

static void attack_slab_free_inside(void)
{
    uint8_t *object = slab_alloc(OBJECT);
    slab_free(hidden(object + 16));
}

static void attack_slab_memset_past_end(void)
{
    memset(hidden(slab_alloc(OBJECT)), 0, OBJECT + 1);
}

static void attack_slab_memcpy_past_end(void)
{
    memcpy(global, hidden(slab_alloc(OBJECT - 40)), sizeof(global));
}

static void attack_slab_user_copy_past_end(void)
{
    user_t stack = user_ptr(thread_frame(current_thread)->rsp);
    sink = copy_from_user_some(hidden(slab_alloc(OBJECT)), stack, OBJECT + 3);
}

/* The object of libvfs is allocated and freed in its functions. */
static void attack_library_read_after_free(void)
{
    struct vfs_view view;
    struct umvfs_path path;
    vfs_view_of(current_process, false, &view);
    (void)umvfs_mkdir(&view.task, NULL, "/attacked", 0755);
    if (umvfs_lookup(&view.task, NULL, "/attacked", 0, 0, &path) != 0)
        return;
    uint8_t *dentry = hidden(path.dentry);
    umvfs_path_put(&path);
    (void)umvfs_rmdir(&view.task, NULL, "/attacked");
    sink = dentry[0];
}

static void attack_frame_read_after_free(void)
{
    struct frame *frame = frame_alloc(FRAME_FILE);
    frame_put(frame);
    sink = hidden(frame_ptr(frame))[100];
}

static void attack_stack_write_past_end(void)
{
    uint8_t array[20];
    uint8_t *start = hidden(array);
    for (size_t i = 0; i <= sizeof(array); i++)
        start[i] = (uint8_t)i;
}

static void attack_stack_use_after_scope(void)
{
    uint8_t *start;
    {
        uint8_t inner[40];
        start = hidden(inner);
        start[0] = 1;
    }
    sink = start[8];
}

static void attack_global_read_past_end(void)
{
    sink = hidden(global)[sizeof(global)];
}

static void attack_signed_overflow(void)
{
    int32_t number = (int32_t)hidden_number(INT32_MAX);
    number = number + 1;
    sink = (uint64_t)number;
}

static void attack_shift(void)
{
    int32_t number = 1 << hidden_number(40);
    sink = (uint64_t)number;
}

static void attack_misaligned(void)
{
    sink = *(uint32_t *)(void *)hidden(global + 1);
}

static void attack_index(void)
{
    sink = global[hidden_number(-3)];
}

static void attack_division(void)
{
    sink = (uint64_t)(7 / hidden_number(0));
}

static void attack_null(void)
{
    sink = *(uint32_t *)(void *)hidden(NULL);
}

static void attack_bool(void)
{
    global[0] = 2;
    sink = *(bool *)hidden(global);
}

const struct attack attacks[] = {
    {"slab-read-past-end", attack_slab_read_past_end},
    {"slab-write-past-end", attack_slab_write_past_end},
    {"slab-write-before-start", attack_slab_write_before_start},
    {"slab-large-read-past-end", attack_slab_large_read_past_end},
    {"slab-read-after-free", attack_slab_read_after_free},
    {"slab-write-after-free", attack_slab_write_after_free},
    {"slab-large-read-after-free", attack_slab_large_read_after_free},
    {"slab-huge-read-after-free", attack_slab_huge_read_after_free},
    {"slab-use-after-reuse", attack_slab_use_after_reuse},
    {"slab-double-free", attack_slab_double_free},
    {"slab-free-inside", attack_slab_free_inside},
    {"slab-memset-past-end", attack_slab_memset_past_end},
    {"slab-memcpy-past-end", attack_slab_memcpy_past_end},
    {"slab-user-copy-past-end", attack_slab_user_copy_past_end},
    {"library-read-after-free", attack_library_read_after_free},
    {"frame-read-after-free", attack_frame_read_after_free},
    {"stack-write-past-end", attack_stack_write_past_end},
    {"stack-use-after-scope", attack_stack_use_after_scope},
    {"global-read-past-end", attack_global_read_past_end},
    {"signed-overflow", attack_signed_overflow},
    {"shift", attack_shift},
    {"misaligned", attack_misaligned},
    {"index", attack_index},
    {"division", attack_division},
    {"null", attack_null},
    {"bool", attack_bool},
};
const size_t nr_attacks = sizeof(attacks) / sizeof(attacks[0]);
