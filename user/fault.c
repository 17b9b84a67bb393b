/*
 * Does one forbidden thing, which must end the program: `fault MODE`, or a link to this program
 * whose name is the mode. `fault list` prints the modes. faults.tsv lists the signal and the
 * kernel's message that each mode must get. If the forbidden thing succeeds, the program ends
 * with status 99.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KERNEL_IMAGE    0xffffffff80000000UL
#define DIRECT_MAP      0xffff800000000000UL
#define NON_CANONICAL   0x0000800000000000UL
#define RET_INSTRUCTION 0xc3

/* Hides the address from the compiler, which would warn about the deliberate bad accesses. */
static void *hidden(uintptr_t address)
{
    __asm__ volatile("" : "+r"(address));
    return (void *)address;
}

static void write_to(uintptr_t address)
{
    *(volatile unsigned char *)hidden(address) = 0;
}

static void read_from(uintptr_t address)
{
    (void)*(volatile unsigned char *)hidden(address);
}

static void jump_to(uintptr_t address)
{
    __asm__ volatile("jmp *%0" : : "r"(hidden(address)) : "memory");
}

/* The modes that access pages. */
static unsigned char data_code[16] = {RET_INSTRUCTION};
static unsigned char bss_code[16];
static const unsigned char constant[16] = {1};

static void text_write(void)
{
    write_to((uintptr_t)text_write);
}

static void rodata_write(void)
{
    read_from((uintptr_t)constant); /* makes the page present: see faults.tsv */
    write_to((uintptr_t)constant);
}

static void stack_exec(void)
{
    volatile unsigned char code[16] = {RET_INSTRUCTION};
    jump_to((uintptr_t)code);
}

static void data_exec(void)
{
    write_to((uintptr_t)&data_code[1]);
    jump_to((uintptr_t)data_code);
}

static void bss_exec(void)
{
    write_to((uintptr_t)bss_code);
    jump_to((uintptr_t)bss_code);
}

static void heap_exec(void)
{
    unsigned char *code = sbrk(4096);
    code[0] = RET_INSTRUCTION;
    jump_to((uintptr_t)code);
}

static void kernel_read(void)
{
    read_from(KERNEL_IMAGE + 0x100000);
}

static void kernel_write(void)
{
    write_to(KERNEL_IMAGE + 0x100000);
}

static void kernel_jump(void)
{
    jump_to(KERNEL_IMAGE + 0x100000);
}

static void direct_map_read(void)
{
    read_from(DIRECT_MAP + 0x100000);
}

static void direct_map_write(void)
{
    write_to(DIRECT_MAP + 0x100000);
}

static void null_read(void)
{
    read_from(0);
}

static void null_write(void)
{
    write_to(8);
}

static void null_jump(void)
{
    jump_to(0);
}

static void hole_read(void)
{
    read_from(0x200000000000UL);
}

/* Touches the pages of the stack downwards until one is not accessible. */
static void stack_guard(void)
{
    __asm__ volatile("1: push %rax; jmp 1b");
}

static void non_canonical_read(void)
{
    read_from(NON_CANONICAL);
}

static void non_canonical_write(void)
{
    write_to(NON_CANONICAL);
}

static void non_canonical_jump(void)
{
    jump_to(NON_CANONICAL);
}

static void non_canonical_return(void)
{
    __asm__ volatile("push %0; ret" : : "r"(hidden(NON_CANONICAL)) : "memory");
}

static void non_canonical_stack(void)
{
    __asm__ volatile("mov %0, %%rsp; push %%rax" : : "r"(hidden(NON_CANONICAL + 64)) : "memory");
}

/* The modes that execute one instruction. Each function has the name of its instruction. */
#define INSTRUCTION_MODE(name, text, ...)                                                          \
    static void name(void)                                                                         \
    {                                                                                              \
        __asm__ volatile(text : : __VA_ARGS__ : "memory");                                         \
    }

INSTRUCTION_MODE(hlt, "hlt", )
INSTRUCTION_MODE(cli, "cli", )
INSTRUCTION_MODE(sti, "sti", )
INSTRUCTION_MODE(in_port, "in $0x60, %%al", "a"(0))
INSTRUCTION_MODE(out_port, "outb %%al, $0xe9", "a"('!'))
INSTRUCTION_MODE(rdmsr, "rdmsr", "c"(0xc0000080), "a"(0), "d"(0))
INSTRUCTION_MODE(wrmsr, "wrmsr", "c"(0xc0000080), "a"(0), "d"(0))
INSTRUCTION_MODE(read_cr0, "mov %%cr0, %%rax", "a"(0))
INSTRUCTION_MODE(write_cr3, "mov %%rax, %%cr3", "a"(0))
INSTRUCTION_MODE(invlpg, "invlpg (%%rax)", "a"(0))
INSTRUCTION_MODE(lgdt, "lgdt (%%rsp)", "a"(0))
INSTRUCTION_MODE(swapgs, "swapgs", )
INSTRUCTION_MODE(int_device, "int $0x20", )
INSTRUCTION_MODE(int_page_fault, "int $0x0e", )
INSTRUCTION_MODE(kernel_selector, "mov %%ax, %%ds", "a"(0xfff8))
INSTRUCTION_MODE(divide, "div %%cl", "a"(1), "c"(0))
INSTRUCTION_MODE(divide_overflow, "idivl %%ecx", "a"(0x80000000u), "d"(0xffffffffu), "c"(-1))
INSTRUCTION_MODE(invalid_opcode, "ud2", )
INSTRUCTION_MODE(int3, "int3", )
INSTRUCTION_MODE(icebp, ".byte 0xf1", )
INSTRUCTION_MODE(single_step, "pushf; orl $0x100, (%%rsp); popf; nop", )
INSTRUCTION_MODE(sse_unaligned, "movaps 1(%%rax), %%xmm0", "a"(data_code))

static void x87_divide(void)
{
    static const uint16_t unmasked = 0x37b;
    __asm__ volatile("fldcw %0; fld1; fldz; fdivrp; fwait" : : "m"(unmasked));
}

static void sse_divide(void)
{
    static const uint32_t unmasked = 0x1d80;
    __asm__ volatile("ldmxcsr %0; pxor %%xmm0, %%xmm0; cvtsi2ss %1, %%xmm1; divss %%xmm0, %%xmm1"
                     :
                     : "m"(unmasked), "r"(1)
                     : "xmm0", "xmm1");
}

static void call_abort(void)
{
    abort();
}

struct mode {
    const char *name;
    void (*act)(void);
};

static const struct mode modes[] = {
    {"text-write", text_write},
    {"rodata-write", rodata_write},
    {"stack-exec", stack_exec},
    {"data-exec", data_exec},
    {"bss-exec", bss_exec},
    {"heap-exec", heap_exec},
    {"kernel-read", kernel_read},
    {"kernel-write", kernel_write},
    {"kernel-jump", kernel_jump},
    {"direct-map-read", direct_map_read},
    {"direct-map-write", direct_map_write},
    {"null-read", null_read},
    {"null-write", null_write},
    {"null-jump", null_jump},
    {"hole-read", hole_read},
    {"stack-guard", stack_guard},
    {"non-canonical-read", non_canonical_read},
    {"non-canonical-write", non_canonical_write},
    {"non-canonical-jump", non_canonical_jump},
    {"non-canonical-return", non_canonical_return},
    {"non-canonical-stack", non_canonical_stack},
    {"hlt", hlt},
    {"cli", cli},
    {"sti", sti},
    {"in-port", in_port},
    {"out-port", out_port},
    {"rdmsr", rdmsr},
    {"wrmsr", wrmsr},
    {"read-cr0", read_cr0},
    {"write-cr3", write_cr3},
    {"invlpg", invlpg},
    {"lgdt", lgdt},
    {"swapgs", swapgs},
    {"int-device", int_device},
    {"int-page-fault", int_page_fault},
    {"kernel-selector", kernel_selector},
    {"divide", divide},
    {"divide-overflow", divide_overflow},
    {"invalid-opcode", invalid_opcode},
    {"int3", int3},
    {"icebp", icebp},
    {"single-step", single_step},
    {"sse-unaligned", sse_unaligned},
    {"x87-divide", x87_divide},
    {"sse-divide", sse_divide},
    {"abort", call_abort},
};

static const struct mode *find_mode(const char *name)
{
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (strcmp(modes[i].name, name) == 0) {
            return &modes[i];
        }
    }
    return NULL;
}

static int list_modes(void)
{
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        puts(modes[i].name);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    const char *called = slash != NULL ? slash + 1 : argv[0];
    const struct mode *mode = find_mode(argc > 1 ? argv[1] : called);

    if (argc > 1 && strcmp(argv[1], "list") == 0) {
        return list_modes();
    }
    if (mode == NULL) {
        fprintf(stderr, "usage: fault MODE (fault list names them)\n");
        return 2;
    }
    mode->act();
    printf("fault: %s was not stopped\n", mode->name);
    return 99;
}
