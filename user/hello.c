/*
 * The first program that a newcomer sees in ring 3. It prints its process id, the addresses of its
 * parts, and the values that the kernel passed to it at the start.
 */
#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/utsname.h>
#include <unistd.h>

extern char __executable_start[], etext[], edata[], end[];

static const char constant[] = "in .rodata";
static uint32_t initialised = 0x600dda7a;
static unsigned char zeroed[16384];

static bool all_zero(const unsigned char *bytes, size_t size)
{
    unsigned char any = 0;
    for (size_t i = 0; i < size; i++) {
        any |= bytes[i];
    }
    return any == 0;
}

/* The permissions of the segment that holds the address, as the program headers give them. */
static const char *permissions_of(uintptr_t address)
{
    static const char *const names[8] = {"---", "--x", "-w-", "-wx", "r--", "r-x", "rw-", "rwx"};
    const Elf64_Phdr *headers = (const Elf64_Phdr *)getauxval(AT_PHDR);
    uintptr_t first = (uintptr_t)__executable_start;
    uintptr_t bias = headers[0].p_vaddr < first ? first & ~(uintptr_t)0xfff : 0;

    for (unsigned long i = 0; i < getauxval(AT_PHNUM); i++) {
        uintptr_t start = headers[i].p_vaddr;
        if (start < first) {
            start += bias;
        }
        if (headers[i].p_type == PT_LOAD && address >= start &&
            address < start + headers[i].p_memsz) {
            return names[headers[i].p_flags & 7];
        }
    }
    return "rw-";
}

static void show(const char *name, const void *where, const char *what)
{
    printf("    %-8s %s  0x%016lx  %s\n", name, permissions_of((uintptr_t)where),
           (unsigned long)where, what);
}

static void show_memory(void)
{
    int local = 0;

    puts("  where my parts are:");
    show("stack", &local, "a local variable of main's callee");
    show("heap", sbrk(0), "the break");
    show("bss", zeroed,
         all_zero(zeroed, sizeof zeroed) ? "16384 bytes, all zero"
                                         : "NOT ZERO: the loader is wrong");
    show("data", &initialised, initialised == 0x600dda7a ? "holds 0x600dda7a" : "CORRUPT");
    show("rodata", constant, constant);
    show("text", (const void *)(uintptr_t)show_memory, "the function that prints this");
}

static void show_auxv(void)
{
    const char *path = (const char *)getauxval(AT_EXECFN);
    const unsigned char *random = (const unsigned char *)getauxval(AT_RANDOM);

    puts("  what the kernel told me (auxv):");
    printf("    entry 0x%lx, %lu program headers at 0x%lx, pages of %lu bytes\n",
           getauxval(AT_ENTRY), getauxval(AT_PHNUM), getauxval(AT_PHDR), getauxval(AT_PAGESZ));
    printf("    file %s", path != NULL ? path : "unknown");
    if (random != NULL) {
        printf(", 16 random bytes starting %02x %02x %02x %02x", random[0], random[1], random[2],
               random[3]);
    }
    putchar('\n');
}

int main(int argc, char **argv)
{
    struct utsname system;

    puts("Hello from ring 3!");
    if (uname(&system) == 0) {
        printf("  I am process %d, child of %d, on %s %s (%s)\n", getpid(), getppid(),
               system.sysname, system.release, system.machine);
    }
    printf("  started as:");
    for (int i = 0; i < argc; i++) {
        printf(" %s", argv[i]);
    }
    putchar('\n');
    show_memory();
    show_auxv();
    return all_zero(zeroed, sizeof zeroed) && initialised == 0x600dda7a ? 0 : 1;
}
