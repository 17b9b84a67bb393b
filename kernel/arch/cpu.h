/* One named function for each instruction that C cannot express. The kernel has no other inline
 * assembly. */
#ifndef UMBRA_ARCH_CPU_H
#define UMBRA_ARCH_CPU_H

#include <stdint.h>

#include "arch/x86.h"

static inline void cpu_outb(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void cpu_outw(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline void cpu_outl(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint8_t cpu_inb(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint64_t cpu_read_cr0(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr0, %0" : "=r"(value));
    return value;
}

static inline void cpu_write_cr0(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr0" : : "r"(value) : "memory");
}

static inline uint64_t cpu_read_cr2(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr2, %0" : "=r"(value));
    return value;
}

static inline uint64_t cpu_read_cr3(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr3, %0" : "=r"(value));
    return value;
}

static inline void cpu_write_cr3(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr3" : : "r"(value) : "memory");
}

static inline uint64_t cpu_read_cr4(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr4, %0" : "=r"(value));
    return value;
}

static inline void cpu_write_cr4(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}

/* RDMSR clears the upper halves of RAX and RDX (SDM, volume 2). */
static inline uint64_t cpu_read_msr(uint32_t msr)
{
    uint64_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return high << 32 | low;
}

static inline void cpu_write_msr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpu_cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid r;
    __asm__ volatile("cpuid"
                     : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
                     : "a"(leaf), "c"(subleaf));
    return r;
}

static inline uint64_t cpu_rdtsc(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

/* Stores a hardware random number and returns 1, or returns 0 if none was ready. Call it only if
 * CPUID reports RDRAND. */
static inline int cpu_rdrand(uint64_t *value)
{
    uint8_t ok;
    __asm__ volatile("rdrand %0; setc %1" : "=r"(*value), "=qm"(ok) : : "cc");
    return ok;
}

static inline void cpu_invlpg(uint64_t address)
{
    __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

static inline void cpu_cli(void)
{
    __asm__ volatile("cli" : : : "memory");
}

static inline void cpu_hlt(void)
{
    __asm__ volatile("hlt");
}

/* Enables interrupts, waits for one, and disables them again. STI takes effect after the following
 * instruction, so no interrupt can arrive between it and the HLT. */
static inline void cpu_wait_for_interrupt(void)
{
    __asm__ volatile("sti; hlt; cli" : : : "memory");
}

/* Takes pending interrupts: they arrive after the instruction that follows STI. */
static inline void cpu_take_interrupts(void)
{
    __asm__ volatile("sti; nop; cli" : : : "memory");
}

static inline void cpu_lgdt(const void *descriptor)
{
    __asm__ volatile("lgdt (%0)" : : "r"(descriptor) : "memory");
}

static inline void cpu_lidt(const void *descriptor)
{
    __asm__ volatile("lidt (%0)" : : "r"(descriptor) : "memory");
}

static inline void cpu_ltr(uint16_t selector)
{
    __asm__ volatile("ltr %0" : : "r"(selector));
}

static inline void cpu_fxsave(void *area)
{
    __asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

static inline void cpu_fxrstor(const void *area)
{
    __asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
}

/* The components whose bits are set (SDM, "XSAVE", "XRSTOR"). */
static inline void cpu_xsave(void *area, uint32_t components)
{
    __asm__ volatile("xsave64 (%0)" : : "r"(area), "a"(components), "d"(0) : "memory");
}

static inline void cpu_xrstor(const void *area, uint32_t components)
{
    __asm__ volatile("xrstor64 (%0)" : : "r"(area), "a"(components), "d"(0) : "memory");
}

static inline void cpu_write_xcr0(uint32_t components)
{
    __asm__ volatile("xsetbv" : : "c"(0), "a"(components), "d"(0) : "memory");
}

static inline uint64_t cpu_read_xcr0(void)
{
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

/* Stops in the debugger of Bochs when magic_break is enabled; does nothing elsewhere. */
static inline void cpu_magic_break(void)
{
    __asm__ volatile("xchg %%bx, %%bx" : : : "memory");
}

static inline const void *cpu_frame_pointer(void)
{
    return __builtin_frame_address(0);
}

#endif
