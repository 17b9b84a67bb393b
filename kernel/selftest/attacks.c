#include "selftest/attacks.h"

#include <stdint.h>

#include "arch/cpu.h"
#include "arch/features.h"
#include "arch/stack_guard.h"
#include "arch/tlb.h"
#include "lib/check.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/kernel_map.h"
#include "mm/pagetable.h"
#include "mm/slab.h"
#include "mm/usercopy.h"
#include "task/process.h"

#define RET           0xc3 /* the instruction */
#define NON_CANONICAL 0x0000800000000000ull
#define RESERVED_BIT  BIT(51) /* above the physical addresses of all current processors */

/* Hides the address from the compiler, which would warn about the access. */
static void *hidden(uint64_t address)
{
    volatile uint64_t copy = address;
    return (void *)copy;
}

static inline void read_at(uint64_t address)
{
    (void)*(volatile uint8_t *)hidden(address);
}

static inline void write_at(uint64_t address)
{
    *(volatile uint8_t *)hidden(address) = RET;
}

/* The code after the call keeps this function's frame on the stack, for the backtrace. */
static inline void call(uint64_t address)
{
    static volatile unsigned returned;
    ((void (*)(void))hidden(address))();
    returned++;
}

static uint64_t alias_of(const void *symbol)
{
    return DIRECT_MAP + ((uint64_t)symbol - KERNEL_BASE);
}

/* Writes to constants. */
static void attack_text_write(void)
{
    write_at((uint64_t)kernel_map_check);
}

static void attack_text_alias_write(void)
{
    write_at(alias_of(text_start));
}

static void attack_rodata_write(void)
{
    write_at((uint64_t)rodata_start);
}

static void attack_rodata_alias_write(void)
{
    write_at(alias_of(rodata_start));
}

static void attack_sealed_write(void)
{
    features.smap = false;
    features.smep = false;
}

static void attack_sealed_alias_write(void)
{
    write_at(alias_of(sealed_start));
}

/* Executes memory that is not text. */
static uint8_t data_code[16] = {RET};
static const uint8_t rodata_code[16] = {RET};

static void attack_data_exec(void)
{
    call((uint64_t)data_code);
}

static void attack_rodata_exec(void)
{
    call((uint64_t)rodata_code);
}

static void attack_stack_exec(void)
{
    volatile uint8_t code[16] = {RET};
    call((uint64_t)code);
}

static void attack_direct_map_exec(void)
{
    struct frame *frame = frame_alloc_zeroed(FRAME_SLAB);
    *(uint8_t *)frame_ptr(frame) = RET;
    call((uint64_t)frame_ptr(frame));
}

/* Accesses present user pages without the user copy. */
static uint64_t user_page(void)
{
    uint64_t page = thread_frame(current_thread)->rsp;
    uint8_t byte;
    (void)copy_from_user(&byte, user_ptr(page), 1);
    return page;
}

static void attack_user_read(void)
{
    read_at(user_page());
}

static void attack_user_write(void)
{
    write_at(user_page());
}

/* Calls a RET instruction in the program's text. */
static void attack_user_exec(void)
{
    uint64_t at = page_floor(thread_frame(current_thread)->rip), end = at + PAGE_SIZE;
    uint8_t byte = 0;
    while (at < end && copy_from_user(&byte, user_ptr(at), 1) == 0 && byte != RET)
        at++;
    call(at);
}

/* Stacks and pointers. */
static unsigned attack_stack_overflow_by(unsigned depth)
{
    volatile uint8_t room[256];
    room[depth % sizeof(room)] = (uint8_t)depth;
    return hidden(depth) == NULL ? 0 : attack_stack_overflow_by(depth + 1) + room[depth % 7];
}

static void attack_stack_overflow(void)
{
    attack_stack_overflow_by(1);
}

static void attack_canary(void)
{
    uint8_t buffer[32] = {0};
    memset(hidden((uint64_t)buffer), 'A', sizeof(buffer) + 32);
    __asm__ volatile("" : : "r"(buffer) : "memory"); /* which reads it */
}

static void attack_null_read(void)
{
    read_at(0);
}

static void attack_null_call(void)
{
    call(0);
}

static void attack_init_read(void)
{
    read_at((uint64_t)init_start);
}

static void attack_non_canonical_read(void)
{
    read_at(NON_CANONICAL);
}

static void attack_non_canonical_call(void)
{
    call(NON_CANONICAL);
}

static void attack_reserved_bit(void)
{
    uint64_t address = kstack_alloc() - PAGE_SIZE;
    *pt_lookup(&kernel_pagetable, virt(address)) |= RESERVED_BIT;
    tlb_flush_page(virt(address));
    read_at(address);
}

/* Allocators. */
static void attack_frame_double_free(void)
{
    struct frame *frame = frame_alloc(FRAME_SLAB);
    frame_put(frame);
    frame_put(frame);
}

static void attack_slab_double_free(void)
{
    void *kept = slab_alloc(48), *freed = slab_alloc(48);
    slab_free(freed);
    slab_free(freed);
    slab_free(kept);
}

/* Computes the secret in the marks of free objects from the canary, as if it came from it. */
static void attack_slab_secret(void)
{
    uint64_t *freed = slab_alloc(16);
    slab_free(freed);
    uint64_t secret = freed[1] ^ (uint64_t)freed;
    for (unsigned shift = 0; shift < 64; shift += 8)
        CHECK(secret >> shift != __stack_chk_guard >> shift, "the secret is the canary");
    CHECK(secret != __stack_chk_guard * 0x9e3779b97f4a7c15, "the secret follows from the canary");
    panic("the secret does not follow from the canary");
}

/* Looks for the old contents of a freed object and a freed frame. */
static void attack_freed_memory(void)
{
    uint64_t *kept = slab_alloc(256), *object = slab_alloc(256), left = 0;
    struct frame *frame = frame_alloc(FRAME_ANON);
    uint64_t *page = frame_ptr(frame);
    object[31] = page[0] = page[511] = 0x5ec7e7;
    slab_free(object);
    frame_put(frame);
    left = (object[31] ? 1u : 0) + (page[0] ? 1u : 0) + (page[511] ? 1u : 0);
    slab_free(kept);
    panic("%lu of 3 words are left in freed memory", left);
}

static void attack_slab_use_after_free(void)
{
    uint64_t *kept = slab_alloc(48), *freed = slab_alloc(48);
    slab_free(freed);
    *(volatile uint64_t *)(freed + 1) = 0;
    (void)slab_alloc(48);
    slab_free(kept);
}

/* Faults that the check at the end of boot must find. */
static void attack_write_protect_off(void)
{
    cpu_write_cr0(cpu_read_cr0() & ~CR0_WP);
    features_check();
}

static void attack_smap_off(void)
{
    cpu_write_cr4(cpu_read_cr4() & ~(CR4_SMEP | CR4_SMAP | CR4_UMIP));
    features_check();
}

const struct attack attacks[] = {
    {"text-write", attack_text_write},
    {"text-alias-write", attack_text_alias_write},
    {"rodata-write", attack_rodata_write},
    {"rodata-alias-write", attack_rodata_alias_write},
    {"sealed-write", attack_sealed_write},
    {"sealed-alias-write", attack_sealed_alias_write},
    {"data-exec", attack_data_exec},
    {"rodata-exec", attack_rodata_exec},
    {"stack-exec", attack_stack_exec},
    {"direct-map-exec", attack_direct_map_exec},
    {"user-read", attack_user_read},
    {"user-write", attack_user_write},
    {"user-exec", attack_user_exec},
    {"stack-overflow", attack_stack_overflow},
    {"canary", attack_canary},
    {"null-read", attack_null_read},
    {"null-call", attack_null_call},
    {"init-read", attack_init_read},
    {"non-canonical-read", attack_non_canonical_read},
    {"non-canonical-call", attack_non_canonical_call},
    {"reserved-bit", attack_reserved_bit},
    {"frame-double-free", attack_frame_double_free},
    {"slab-double-free", attack_slab_double_free},
    {"slab-use-after-free", attack_slab_use_after_free},
    {"slab-secret", attack_slab_secret},
    {"freed-memory", attack_freed_memory},
    {"write-protect-off", attack_write_protect_off},
    {"smap-off", attack_smap_off},
};
const size_t nr_attacks = sizeof(attacks) / sizeof(attacks[0]);
