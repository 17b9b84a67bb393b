/*
 * Prints a picture of the address space that this program runs in, from the top down. The data come
 * from sources that every program has: its program headers, break, stack and auxiliary vector.
 * `maps -k` prints the kernel's own list, /proc/self/maps, if it exists.
 */
#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#define PAGE        4096UL
#define KERNEL_HALF 0xffff800000000000UL
#define USER_END    0x00007ffffffff000UL
#define MAX_PARTS   24

extern char **environ;

struct part {
    uintptr_t start, end;
    const char *permissions;
    const char *what;
};

static struct part parts[MAX_PARTS];
static size_t part_count;

static void add(uintptr_t start, uintptr_t end, const char *permissions, const char *what)
{
    if (part_count < MAX_PARTS) {
        parts[part_count++] =
            (struct part){start & ~(PAGE - 1), (end + PAGE - 1) & ~(PAGE - 1), permissions, what};
    }
}

static const char *segment_name(unsigned flags)
{
    if (flags & PF_X) {
        return "text";
    }
    return flags & PF_W ? "data, bss" : "headers, constants";
}

static void add_segments(void)
{
    static const char *const names[8] = {"---", "--x", "-w-", "-wx", "r--", "r-x", "rw-", "rwx"};
    const Elf64_Phdr *headers = (const Elf64_Phdr *)getauxval(AT_PHDR);
    unsigned long count = getauxval(AT_PHNUM);
    uintptr_t bias = 0;

    for (unsigned long i = 0; i < count; i++) {
        if (headers[i].p_type == PT_LOAD && headers[i].p_offset == 0) {
            bias = ((uintptr_t)headers & ~(PAGE - 1)) - headers[i].p_vaddr;
        }
    }
    for (unsigned long i = 0; i < count; i++) {
        if (headers[i].p_type == PT_LOAD) {
            uintptr_t start = bias + headers[i].p_vaddr;
            add(start, start + headers[i].p_memsz, names[headers[i].p_flags & 7],
                segment_name(headers[i].p_flags));
        }
    }
}

/* Adds the stack from a local variable to the last string that the kernel stored there. */
static void add_stack(const void *local)
{
    const char *last = (const char *)getauxval(AT_EXECFN);

    for (char **entry = environ; *entry != NULL; entry++) {
        if (*entry > last) {
            last = *entry;
        }
    }
    add((uintptr_t)local, (uintptr_t)last + strlen(last) + 1, "rw-", "stack, the part in use");
}

static int by_falling_address(const void *left, const void *right)
{
    const struct part *a = left;
    const struct part *b = right;
    return a->start < b->start ? 1 : -1;
}

static void draw(void)
{
    uintptr_t above = USER_END;

    printf("  0xffffffffffffffff +--------------------------------------------+\n"
           "                     | kernel: not for us                          |\n"
           "  0x%016lx +--------------------------------------------+\n"
           "                     : no addresses here (not canonical)          :\n"
           "  0x%016lx +--------------------------------------------+\n",
           KERNEL_HALF, USER_END);
    for (size_t i = 0; i < part_count; i++) {
        if (parts[i].end < above) {
            printf("                     : %-42s :\n"
                   "  0x%016lx +--------------------------------------------+\n",
                   parts[i].end < 0x10000 ? "" : "unmapped, or unknown here", parts[i].end);
        }
        printf("                     | %s %4lu KiB  %-28s |\n"
               "  0x%016lx +--------------------------------------------+\n",
               parts[i].permissions, (parts[i].end - parts[i].start) / 1024, parts[i].what,
               parts[i].start);
        above = parts[i].start;
    }
    printf("                     : unmapped; page 0 always                    :\n"
           "  0x0000000000000000 +--------------------------------------------+\n");
}

static int show_kernel_list(void)
{
    char line[256];
    FILE *list = fopen("/proc/self/maps", "r");

    if (list == NULL) {
        perror("maps: /proc/self/maps");
        return 1;
    }
    while (fgets(line, sizeof line, list) != NULL) {
        fputs(line, stdout);
    }
    fclose(list);
    return 0;
}

int main(int argc, char **argv)
{
    void *heap_start = sbrk(0);
    void *heap = malloc(100);

    if (argc == 2 && strcmp(argv[1], "-k") == 0) {
        return show_kernel_list();
    }
    add_segments();
    if ((uintptr_t)sbrk(0) > (uintptr_t)heap_start) {
        add((uintptr_t)heap_start, (uintptr_t)sbrk(0), "rw-", "heap");
    }
    add_stack(&heap);
    qsort(parts, part_count, sizeof parts[0], by_falling_address);
    draw();
    free(heap);
    return 0;
}
