#include "arch/descriptors.h"

#include "arch/cpu.h"
#include "arch/entry.h"
#include "lib/variable.h"
#include "lib/string.h"

/* SDM, "Segment Descriptors" and "IA-32e Mode": 64-bit mode ignores base and limit */
#define SEGMENT_KERNEL_CODE 0x00af9b000000ffffull
#define SEGMENT_KERNEL_DATA 0x00cf93000000ffffull
#define SEGMENT_USER_DATA   0x00cff3000000ffffull
#define SEGMENT_USER_CODE   0x00affb000000ffffull

#define GATE_INTERRUPT 0x8e /* present, DPL 0, 64-bit interrupt gate: IF is cleared */
#define GATE_DPL3      0x60
#define TSS_AVAILABLE  0x89

struct tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3, io_map_base;
} __attribute__((packed));

struct gate {
    uint16_t offset_low, selector;
    uint8_t ist, type;
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
};

struct pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

_Static_assert(sizeof(struct tss) == 104, "SDM, 64-Bit TSS Format");
_Static_assert(sizeof(struct gate) == 16, "SDM, 64-Bit IDT Gate Descriptors");

static struct tss tss;
SEALED static struct gate idt[256];
SEALED static uint64_t gdt[SEL_TSS / 8 + 2] = {
    [SEL_KERNEL_CS / 8] = SEGMENT_KERNEL_CODE,
    [SEL_KERNEL_DS / 8] = SEGMENT_KERNEL_DATA,
    [SEL_USER_DS / 8] = SEGMENT_USER_DATA,
    [SEL_USER_CS / 8] = SEGMENT_USER_CODE,
};

uint64_t entry_kernel_stack;

static void set_gate(unsigned vector, uint64_t handler, unsigned ist, unsigned flags)
{
    idt[vector] = (struct gate){
        .offset_low = (uint16_t)handler,
        .selector = SEL_KERNEL_CS,
        .ist = (uint8_t)ist,
        .type = (uint8_t)(GATE_INTERRUPT | flags),
        .offset_middle = (uint16_t)(handler >> 16),
        .offset_high = (uint32_t)(handler >> 32),
    };
}

static void init_idt(void)
{
    for (unsigned vector = 0; vector < ENTRY_VECTORS; vector++)
        set_gate(vector, entry_vectors[vector], 0, 0);
    set_gate(VEC_DF, entry_vectors[VEC_DF], IST_DF, 0);
    set_gate(VEC_NMI, entry_vectors[VEC_NMI], IST_NMI, 0);
    set_gate(VEC_MC, entry_vectors[VEC_MC], IST_MC, 0);
    set_gate(VEC_DB, entry_vectors[VEC_DB], IST_DB, 0);
    set_gate(VEC_BP, entry_vectors[VEC_BP], 0, GATE_DPL3); /* INT3 from ring 3 */
    set_gate(VEC_OF, entry_vectors[VEC_OF], 0, GATE_DPL3);
}

static void init_tss(void)
{
    uint64_t base = (uint64_t)&tss;
    tss.io_map_base = sizeof(tss); /* no I/O permission map: no ports for ring 3 */
    gdt[SEL_TSS / 8] = (sizeof(tss) - 1) | (base & 0xffffff) << 16 | (uint64_t)TSS_AVAILABLE << 40 |
                       (base >> 24 & 0xff) << 56;
    gdt[SEL_TSS / 8 + 1] = base >> 32;
}

void descriptors_init(void)
{
    struct pointer gdt_pointer = {sizeof(gdt) - 1, (uint64_t)gdt};
    struct pointer idt_pointer = {sizeof(idt) - 1, (uint64_t)idt};
    init_tss();
    init_idt();
    cpu_lgdt(&gdt_pointer);
    cpu_ltr(SEL_TSS);
    cpu_lidt(&idt_pointer);

    cpu_write_msr(MSR_EFER, cpu_read_msr(MSR_EFER) | EFER_SCE);
    cpu_write_msr(MSR_STAR, (uint64_t)SEL_SYSRET << 48 | (uint64_t)SEL_KERNEL_CS << 32);
    cpu_write_msr(MSR_LSTAR, (uint64_t)entry_syscall);
    cpu_write_msr(MSR_CSTAR, (uint64_t)entry_syscall32);
    cpu_write_msr(MSR_SFMASK, RFLAGS_TF | RFLAGS_IF | RFLAGS_DF | RFLAGS_NT | RFLAGS_AC |
                                  RFLAGS_IOPL | RFLAGS_RF | RFLAGS_CF | RFLAGS_PF | RFLAGS_AF |
                                  RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF);
}

void descriptors_set_ist(unsigned index, uint64_t top)
{
    tss.ist[index - 1] = top;
}

void descriptors_set_kernel_stack(uint64_t top)
{
    tss.rsp[0] = top;
    entry_kernel_stack = top;
}

void cpu_interrupt_window(void)
{
    cpu_take_interrupts();
}

void cpu_idle(void)
{
    cpu_wait_for_interrupt();
}
