/*
 * A program that is its own operating system: QEMU starts it by Multiboot at an address that it was
 * not linked for. It makes the plan of the file that it finds itself in, relocates itself with that
 * plan, and prints through pointers that were wrong before. unikernel.ld lays it out;
 * unikernel.sh starts it.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <elfparse/elfparse.h>
#include <elfparse/relocate.h>

/* The machine has no paging and 32 bits; esp, the tables at 64 KiB and the GDT at 76 KiB are memory
 * that nobody uses. The first GiB is mapped where it is. */
__asm__(".section .boot, \"ax\"\n"
        ".code32\n"
        ".globl boot_entry\n"
        "boot_entry:\n"
        "    cli\n"
        "    cld\n"
        "    movl $0x10000, %esp\n"
        "    call 1f\n"
        "1:  popl %ebp\n"
        "    movl $0x10000, %edi\n" /* level 4, level 3, level 2 of the page tables */
        "    xorl %eax, %eax\n"
        "    movl $0xc00, %ecx\n"
        "    rep stosl\n"
        "    movl $0x11003, 0x10000\n"
        "    movl $0x12003, 0x11000\n"
        "    movl $0x83, %eax\n" /* 512 pages of 2 MiB */
        "    movl $0x12000, %edi\n"
        "2:  movl %eax, (%edi)\n"
        "    addl $0x200000, %eax\n"
        "    addl $8, %edi\n"
        "    cmpl $0x13000, %edi\n"
        "    jne 2b\n"
        "    movl $0, 0x13000\n" /* a segment of 64-bit code at 8 */
        "    movl $0, 0x13004\n"
        "    movl $0, 0x13008\n"
        "    movl $0x209a00, 0x1300c\n"
        "    movw $15, 0x13010\n"
        "    movl $0x13000, 0x13012\n"
        "    lgdt 0x13010\n"
        "    movl $0x20, %eax\n" /* CR4.PAE */
        "    movl %eax, %cr4\n"
        "    movl $0x10000, %eax\n"
        "    movl %eax, %cr3\n"
        "    movl $0xc0000080, %ecx\n" /* EFER.LME */
        "    rdmsr\n"
        "    orl $0x100, %eax\n"
        "    wrmsr\n"
        "    movl $0x80000011, %eax\n" /* CR0.PG, PE */
        "    movl %eax, %cr0\n"
        "    pushl $8\n"
        "    leal start - 1b(%ebp), %eax\n"
        "    pushl %eax\n"
        "    lret\n"
        ".code64\n"
        ".globl start\n"
        "start:\n"
        "    xorl %eax, %eax\n"
        "    movl %eax, %ss\n"
        "    leaq stack_end(%rip), %rsp\n"
        "    leaq __ehdr_start(%rip), %rdi\n"
        "    leaq file_end(%rip), %rsi\n"
        "    call run\n"
        "    hlt\n"
        ".text\n");

/* Functions that the library calls. */
void *memcpy(void *to, const void *from, size_t size)
{
    void *answer = to;

    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size)::"memory");
    return answer;
}

void *memset(void *to, int byte, size_t size)
{
    void *answer = to;

    __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(byte) : "memory");
    return answer;
}

void *memmove(void *to, const void *from, size_t size)
{
    char *at = to;

    if ((uintptr_t)to - (uintptr_t)from >= size)
        return memcpy(to, from, size);
    while (size-- > 0)
        at[size] = ((const char *)from)[size];
    return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        int by = ((const uint8_t *)a)[i] - ((const uint8_t *)b)[i];

        if (by != 0)
            return by;
    }
    return 0;
}

/* To the first serial port. */
static void print(const char *text)
{
    for (; *text != 0; text++)
        __asm__ volatile("outb %0, %1" ::"a"(*text), "d"((uint16_t)0x3f8));
}

/* Ends QEMU (its device isa-debug-exit) with the exit status 2 * code + 1. */
static _Noreturn void leave(uint32_t code)
{
    __asm__ volatile("outl %0, %1" ::"a"(code), "d"((uint16_t)0xf4));
    for (;;)
        __asm__ volatile("hlt");
}

static void shout(const char *text)
{
    print(text);
    print("!\n");
}

/* Each of these pointers is a relocation. */
struct step {
    void (*act)(const char *text);
    const char *text;
};
static const struct step steps[] = {{print, "relocated by "}, {shout, "libelfparse"}, {NULL, NULL}};

static int relocate(const uint8_t *file, size_t size, struct elfparse_error *error)
{
    static uint8_t scratch[ELFPARSE_SCRATCH_SIZE(8, 0)];
    static struct elfparse_range ranges[8];
    struct elfparse_storage storage = {scratch, sizeof(scratch), ranges, 8};
    struct elfparse_reader reader = elfparse_reader_memory(file, size);
    struct elfparse_image image = {.machine = ELFPARSE_EM_X86_64, .ranges = ranges};
    struct elfparse_plan plan;
    int code = elfparse_plan_make(&reader, &elfparse_policy_kernel, &storage, &plan, error);

    if (code == 0)
        code = elfparse_plan_apply_bias(&plan, &storage, NULL, (uintptr_t)file, error);
    if (code != 0)
        return code;
    image.range_count = plan.range_count;
    image.bias = plan.bias;
    image.dynamic = plan.dynamic.vaddr;
    image.memory = (void *)(uintptr_t)file;
    image.start = plan.start;
    image.size = plan.end - plan.start;
    return elfparse_relocate(&image, error);
}

/* Called by start with the place of the file in memory. */
void run(const uint8_t *file, const uint8_t *end);
void run(const uint8_t *file, const uint8_t *end)
{
    const struct step *step = steps;
    struct elfparse_error error;
    char text[ELFPARSE_ERROR_MAX];

    if (relocate(file, (size_t)(end - file), &error) != 0) {
        elfparse_error_format(&error, text, sizeof(text));
        shout(text);
        leave(2);
    }
    __asm__("" : "+r"(step)); /* the compiler does not know where it points */
    for (; step->act != NULL; step++)
        step->act(step->text);
    leave(1);
}
