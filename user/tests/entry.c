/*
 * The state in which a program starts: registers, flags, floating point, stack, auxiliary vector
 * (psABI, "Process Initialization", and Linux's additions). The entry point is `entry_probe`,
 * which stores everything before the C library's own _start runs.
 */
#include "test.h"

#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct entry_state {
    uint64_t general[15]; /* all but rsp */
    uint64_t rsp, flags;
    uint64_t selectors[6]; /* cs ss ds es fs gs */
    uint64_t padding;
    unsigned char fx[512]; /* FXSAVE */
};

struct entry_state entry_state __attribute__((aligned(16)));
extern char entry_probe[];

_Static_assert(offsetof(struct entry_state, rsp) == 120, "used by entry_probe");
_Static_assert(offsetof(struct entry_state, flags) == 128, "used by entry_probe");
_Static_assert(offsetof(struct entry_state, selectors) == 136, "used by entry_probe");
_Static_assert(offsetof(struct entry_state, fx) == 192, "used by entry_probe");

__asm__(".text\n"
        ".globl entry_probe\n"
        ".type entry_probe, @function\n"
        "entry_probe:\n"
        "    mov %rax, entry_state(%rip)\n"
        "    mov %rbx, entry_state+8(%rip)\n"
        "    mov %rcx, entry_state+16(%rip)\n"
        "    mov %rdx, entry_state+24(%rip)\n"
        "    mov %rsi, entry_state+32(%rip)\n"
        "    mov %rdi, entry_state+40(%rip)\n"
        "    mov %rbp, entry_state+48(%rip)\n"
        "    mov %r8, entry_state+56(%rip)\n"
        "    mov %r9, entry_state+64(%rip)\n"
        "    mov %r10, entry_state+72(%rip)\n"
        "    mov %r11, entry_state+80(%rip)\n"
        "    mov %r12, entry_state+88(%rip)\n"
        "    mov %r13, entry_state+96(%rip)\n"
        "    mov %r14, entry_state+104(%rip)\n"
        "    mov %r15, entry_state+112(%rip)\n"
        "    mov %rsp, entry_state+120(%rip)\n"
        "    pushfq\n"
        "    pop entry_state+128(%rip)\n"
        "    mov %cs, %rax\n"
        "    mov %rax, entry_state+136(%rip)\n"
        "    mov %ss, %rax\n"
        "    mov %rax, entry_state+144(%rip)\n"
        "    mov %ds, %rax\n"
        "    mov %rax, entry_state+152(%rip)\n"
        "    mov %es, %rax\n"
        "    mov %rax, entry_state+160(%rip)\n"
        "    mov %fs, %rax\n"
        "    mov %rax, entry_state+168(%rip)\n"
        "    mov %gs, %rax\n"
        "    mov %rax, entry_state+176(%rip)\n"
        "    xor %eax, %eax\n"
        "    fxsave entry_state+192(%rip)\n"
        "    jmp _start\n");

#define FLAGS_AT_START 0x202u /* IF, and bit 1, which is always set */
#define MXCSR_AT_START 0x1f80u
#define FCW_AT_START   0x37fu

static const Elf64_auxv_t *auxv;

/* Reads the vector itself, since the C library's getauxval may return other values. */
static unsigned long auxv_value(unsigned long type)
{
    for (const Elf64_auxv_t *entry = auxv; entry->a_type != AT_NULL; entry++) {
        if (entry->a_type == type) {
            return entry->a_un.a_val;
        }
    }
    return 0;
}

static uint64_t load(const unsigned char *bytes, size_t size)
{
    uint64_t value = 0;
    memcpy(&value, bytes, size);
    return value;
}

static void test_registers(void)
{
    static const char *const names[15] = {"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "r8",
                                          "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
    const uint64_t *selectors = entry_state.selectors;

    for (size_t i = 0; i < 15; i++) {
        is((long)entry_state.general[i], 0, "entry: %s is zero", names[i]);
    }
    is((long)entry_state.flags, FLAGS_AT_START, "entry: only IF is set in rflags");
    is((long)(selectors[0] & 3), 3, "entry: cs asks for ring 3");
    is((long)(selectors[1] & 3), 3, "entry: ss asks for ring 3");
    ok((selectors[2] | selectors[3] | selectors[4] | selectors[5]) == 0,
       "entry: ds, es, fs and gs are null selectors");
}

static void test_floating_point(void)
{
    const unsigned char *fx = entry_state.fx;
    unsigned char any = 0;

    is((long)load(fx, 2), FCW_AT_START, "entry: the x87 control word has its initial value");
    is((long)load(fx + 2, 2), 0, "entry: the x87 status word is zero");
    is(fx[4], 0, "entry: the x87 stack is empty");
    is((long)load(fx + 24, 4), MXCSR_AT_START, "entry: MXCSR has its initial value");
    for (size_t i = 32; i < 416; i++) {
        any |= fx[i];
    }
    is(any, 0, "entry: no x87 or SSE register holds anything of another program");
}

static void test_stack(int argc, char **argv, char **envp)
{
    const uint64_t *stack = (const uint64_t *)entry_state.rsp;

    is((long)(entry_state.rsp & 15), 0, "entry: the stack is aligned to 16 bytes");
    is((long)stack[0], argc, "entry: argc is at rsp");
    ok(stack + 1 == (const uint64_t *)argv, "entry: argv follows it");
    ok(argv[argc] == NULL, "entry: argv ends in NULL");
    ok(envp == argv + argc + 1, "entry: envp follows argv");
    ok(auxv_value(AT_PAGESZ) != 0, "entry: the auxiliary vector follows envp");
    const char *next = argv[0];
    bool in_order = true;
    for (char **word = argv; *word != NULL; word++) {
        in_order = in_order && *word == next;
        next = *word + strlen(*word) + 1;
    }
    for (char **word = envp; *word != NULL; word++) {
        in_order = in_order && *word == next;
        next = *word + strlen(*word) + 1;
    }
    ok(in_order, "entry: the strings of argv and envp follow one another");
    ok((uintptr_t)next < 0x00007ffffffff000UL, "entry: the strings end below the user end");
}

static void test_auxv_is_complete(void)
{
    static const struct {
        unsigned long type;
        const char *name;
    } wanted[] = {
        {AT_PHDR, "AT_PHDR"},     {AT_PHENT, "AT_PHENT"},       {AT_PHNUM, "AT_PHNUM"},
        {AT_PAGESZ, "AT_PAGESZ"}, {AT_BASE, "AT_BASE"},         {AT_FLAGS, "AT_FLAGS"},
        {AT_ENTRY, "AT_ENTRY"},   {AT_UID, "AT_UID"},           {AT_EUID, "AT_EUID"},
        {AT_GID, "AT_GID"},       {AT_EGID, "AT_EGID"},         {AT_SECURE, "AT_SECURE"},
        {AT_RANDOM, "AT_RANDOM"}, {AT_EXECFN, "AT_EXECFN"},     {AT_HWCAP, "AT_HWCAP"},
        {AT_CLKTCK, "AT_CLKTCK"}, {AT_PLATFORM, "AT_PLATFORM"},
    };
    unsigned seen[64] = {0};
    size_t entries = 0;
    bool twice = false;

    for (const Elf64_auxv_t *entry = auxv; entry->a_type != AT_NULL; entry++) {
        if (entry->a_type < 64) {
            twice = twice || seen[entry->a_type]++ != 0;
        }
        entries++;
    }
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        is(seen[wanted[i].type], 1, "auxv: %s is there, once", wanted[i].name);
    }
    ok(!twice && entries < 64, "auxv: no type is there twice");
}

static void test_auxv_headers(void)
{
    const Elf64_Phdr *headers = (const Elf64_Phdr *)auxv_value(AT_PHDR);
    const Elf64_Ehdr *file = (const Elf64_Ehdr *)((uintptr_t)headers & ~0xfffUL);
    unsigned long loads = 0;
    bool entry_in_text = false;

    is((long)auxv_value(AT_PHENT), (long)sizeof(Elf64_Phdr), "auxv: AT_PHENT");
    is(memcmp(file->e_ident, ELFMAG, SELFMAG), 0, "auxv: AT_PHDR lies in the ELF header's page");
    is((long)((uintptr_t)headers - (uintptr_t)file), (long)file->e_phoff, "auxv: AT_PHDR");
    is((long)auxv_value(AT_PHNUM), file->e_phnum, "auxv: AT_PHNUM");
    uintptr_t bias = file->e_type == ET_DYN ? (uintptr_t)file : 0;
    for (unsigned long i = 0; i < auxv_value(AT_PHNUM); i++) {
        uintptr_t address = bias + headers[i].p_vaddr;
        loads += headers[i].p_type == PT_LOAD;
        entry_in_text =
            entry_in_text || (headers[i].p_type == PT_LOAD && (headers[i].p_flags & PF_X) != 0 &&
                              (uintptr_t)entry_probe - address < headers[i].p_filesz);
    }
    ok(loads >= 2, "auxv: the headers at AT_PHDR are those of this program");
    ok(entry_in_text, "auxv: the text segment holds the entry point");
    is((long)auxv_value(AT_ENTRY), (long)(uintptr_t)entry_probe, "auxv: AT_ENTRY");
    is((long)auxv_value(AT_BASE), 0, "auxv: AT_BASE of a program without interpreter is 0");
    if (file->e_type == ET_DYN) {
        ok(bias >= 0x10000 && (bias & 0xfff) == 0, "auxv: the load bias is page-aligned, not low");
    }
}

static long cpuid_1_edx(void)
{
    unsigned a = 1;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;

    __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return (long)d;
}

static void test_auxv_values(const char *program)
{
    const char *path = (const char *)auxv_value(AT_EXECFN);
    const char *platform = (const char *)auxv_value(AT_PLATFORM);
    const unsigned char *random = (const unsigned char *)auxv_value(AT_RANDOM);
    unsigned char any = 0;

    is((long)auxv_value(AT_PAGESZ), 4096, "auxv: AT_PAGESZ");
    is((long)auxv_value(AT_UID), getuid(), "auxv: AT_UID");
    is((long)auxv_value(AT_EUID), geteuid(), "auxv: AT_EUID");
    is((long)auxv_value(AT_GID), getgid(), "auxv: AT_GID");
    is((long)auxv_value(AT_EGID), getegid(), "auxv: AT_EGID");
    is((long)auxv_value(AT_SECURE), 0, "auxv: AT_SECURE");
    is((long)auxv_value(AT_FLAGS), 0, "auxv: AT_FLAGS");
    is((long)auxv_value(AT_CLKTCK), 100, "auxv: AT_CLKTCK");
    is((long)auxv_value(AT_HWCAP), cpuid_1_edx(), "auxv: AT_HWCAP is CPUID.1:EDX");
    ok(path != NULL && strcmp(path, program) == 0, "auxv: AT_EXECFN is the path given to execve");
    ok(platform != NULL && strcmp(platform, "x86_64") == 0, "auxv: AT_PLATFORM");
    for (size_t i = 0; random != NULL && i < 16; i++) {
        any |= random[i];
    }
    ok(any != 0, "auxv: AT_RANDOM points to 16 bytes that are not all zero");
    ok((uintptr_t)random > entry_state.rsp && (uintptr_t)path > entry_state.rsp,
       "auxv: AT_RANDOM and AT_EXECFN point into the stack above rsp");
}

/* The 16 bytes at AT_RANDOM as hexadecimal digits. */
static void print_random(char digits[33])
{
    const unsigned char *random = (const unsigned char *)auxv_value(AT_RANDOM);

    for (size_t i = 0; i < 16; i++) {
        snprintf(digits + 2 * i, 3, "%02x", random[i]);
    }
}

static void test_segment_bases(void)
{
    unsigned long base = 1;

    is(syscall(SYS_arch_prctl, 0x1003 /* ARCH_GET_FS */, &base), 0, "arch_prctl(ARCH_GET_FS)");
    ok(base == *(unsigned long *)base, "the fs base is the C library's thread block");
    base = 1;
    is(syscall(SYS_arch_prctl, 0x1004 /* ARCH_GET_GS */, &base), 0, "arch_prctl(ARCH_GET_GS)");
    is((long)base, 0, "entry: the gs base is zero, not the kernel's");
}

int main(int argc, char **argv, char **envp)
{
    char digits[33];
    char **last = envp;

    while (*last != NULL) {
        last++;
    }
    auxv = (const Elf64_auxv_t *)(last + 1);
    print_random(digits);
    if (argc == 3 && strcmp(argv[1], "random") == 0) {
        return strcmp(argv[2], digits) != 0 ? 0 : 1;
    }
    tap_begin(argc, argv);
    test_registers();
    test_floating_point();
    test_stack(argc, argv, envp);
    test_auxv_is_complete();
    test_auxv_headers();
    test_auxv_values(argv[0]);
    test_segment_bases();
    is(run(strrchr(argv[0], '/') + 1, "random", digits, NULL), EXITED(0),
       "auxv: the random bytes differ from run to run");
    return tap_end();
}
