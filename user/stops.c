/*
 * The program that the scenarios in boot/bochs/scenarios.toml follow under the paging debugger. It
 * makes system calls and single memory accesses in a known order at known addresses. It calls no
 * library function, since such a function would touch pages of its own.
 *
 *     stops fork       two children one after the other, copy-on-write in both directions
 *     stops memory     mmap of all kinds, mprotect, munmap, mremap, madvise, brk
 *     stops stack      the stack grows
 *
 * A write stores the process's pid in the first byte of a page; the driver checks that byte.
 */
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define PAGE          4096
#define ANONYMOUS     0x10000000 /* the scenarios use the same addresses */
#define SHARED_MEMORY 0x11000000
#define PRIVATE_FILE  0x12000000
#define SHARED_FILE   0x13000000
#define MOVED         0x14000000
#define STACK_TOP     0x7fffffffe000
#define FILE_PATH     "/bin/stops"
#define SCRATCH       "/tmp/shared"

static long call(long number, long a, long b, long c, long d, long e, long f)
{
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static long call3(long number, long a, long b, long c)
{
    return call(number, a, b, c, 0, 0, 0);
}

static _Noreturn void leave(int status)
{
    call3(SYS_exit_group, status, 0, 0);
    __builtin_unreachable();
}

/* Every call must succeed. If one fails, the program exits with the line number of the call. */
static long must(long result, int line)
{
    if (result < 0)
        leave(line & 0xff);
    return result;
}

#define MUST(result) must((result), __LINE__)

static volatile unsigned char *at(uintptr_t address)
{
    return (volatile unsigned char *)address;
}

static void write_page(uintptr_t address)
{
    *at(address) = (unsigned char)call3(SYS_getpid, 0, 0, 0);
}

static void read_page(uintptr_t address)
{
    (void)*at(address);
}

static void map(uintptr_t address, int pages, int prot, int flags, int fd, long offset)
{
    MUST(call(SYS_mmap, (long)address, (long)pages * PAGE, prot, flags | MAP_FIXED, fd, offset));
}

static void yield(void)
{
    MUST(call3(SYS_sched_yield, 0, 0, 0));
}

/* Not inlined: in both processes the first write after fork is the call, which writes the stack. */
static __attribute__((noinline)) void first_child(void)
{
    write_page(ANONYMOUS);            /* a copy: the parent has the page as well */
    write_page(ANONYMOUS + 3 * PAGE); /* a frame of its own instead of the zeros */
    write_page(SHARED_MEMORY);        /* already present */
    write_page(SHARED_MEMORY + PAGE); /* a new page of the shared object */
    yield();
    leave(0);
}

static __attribute__((noinline)) void first_parent(void)
{
    yield();
    write_page(ANONYMOUS);           /* the child has a copy: no need for another */
    write_page(ANONYMOUS + PAGE);    /* a copy: the child has the page as well */
    read_page(SHARED_MEMORY + PAGE); /* the page that the child wrote */
    MUST(call(SYS_wait4, -1, 0, 0, 0, 0, 0));
}

static __attribute__((noinline)) void second_child(void)
{
    write_page(ANONYMOUS + 2 * PAGE);
    leave(0);
}

static void run_fork(void)
{
    map(ANONYMOUS, 4, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    map(SHARED_MEMORY, 4, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 3; i++)
        write_page((uintptr_t)(ANONYMOUS + i * PAGE));
    read_page(ANONYMOUS + 3 * PAGE);
    write_page(SHARED_MEMORY);
    read_page(SHARED_MEMORY + 3 * PAGE);
    if (MUST(call3(SYS_fork, 0, 0, 0)) == 0)
        first_child();
    first_parent();
    if (MUST(call3(SYS_fork, 0, 0, 0)) == 0)
        second_child();
    MUST(call(SYS_wait4, -1, 0, 0, 0, 0, 0));
}

static void protect(uintptr_t address, int pages, int prot)
{
    MUST(call3(SYS_mprotect, (long)address, (long)pages * PAGE, prot));
}

static void map_files(void)
{
    long fd = MUST(call3(SYS_open, (long)FILE_PATH, O_RDONLY, 0));
    map(PRIVATE_FILE, 3, PROT_READ | PROT_WRITE, MAP_PRIVATE, (int)fd, PAGE);
    write_page(PRIVATE_FILE + PAGE); /* a copy at once */
    read_page(PRIVATE_FILE);         /* the first and the third page of the file */
    write_page(PRIVATE_FILE + 2 * PAGE);
    MUST(call3(SYS_close, fd, 0, 0));
    fd = MUST(call3(SYS_open, (long)SCRATCH, O_RDWR | O_CREAT, 0600));
    MUST(call3(SYS_ftruncate, fd, 3 * PAGE, 0));
    map(SHARED_FILE, 3, PROT_READ | PROT_WRITE, MAP_SHARED, (int)fd, 0);
    write_page(SHARED_FILE);
    write_page(SHARED_FILE + 2 * PAGE);
    MUST(call3(SYS_close, fd, 0, 0));
}

static void move_heap(void)
{
    long heap = MUST(call3(SYS_brk, 0, 0, 0));
    MUST(call3(SYS_brk, heap + 3 * PAGE, 0, 0));
    write_page((uintptr_t)heap);
    write_page((uintptr_t)(heap + 2 * PAGE));
    MUST(call3(SYS_brk, heap + PAGE, 0, 0));
}

static void run_memory(void)
{
    map(ANONYMOUS, 8, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 5; i++)
        write_page((uintptr_t)(ANONYMOUS + i * PAGE));
    read_page(ANONYMOUS + 5 * PAGE);
    map(SHARED_MEMORY, 4, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    write_page(SHARED_MEMORY + PAGE);
    map_files();
    protect(ANONYMOUS + PAGE, 2, PROT_READ);
    protect(ANONYMOUS + 4 * PAGE, 2, PROT_NONE);
    protect(ANONYMOUS + PAGE, 5, PROT_READ | PROT_WRITE);
    MUST(call3(SYS_munmap, ANONYMOUS + 2 * PAGE, PAGE, 0));
    MUST(call(SYS_mremap, ANONYMOUS + 3 * PAGE, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
              MOVED, 0));
    MUST(call3(SYS_madvise, ANONYMOUS, PAGE, MADV_DONTNEED));
    move_heap();
    MUST(call3(SYS_munmap, PRIVATE_FILE, 3 * PAGE, 0));
}

static void run_stack(void)
{
    uintptr_t bottom = STACK_TOP - 32 * PAGE; /* of a new stack */
    write_page(bottom - PAGE);
    write_page(bottom - 16 * PAGE);
    write_page(bottom - 8 * PAGE);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "fork") == 0)
        run_fork();
    else if (argc == 2 && strcmp(argv[1], "memory") == 0)
        run_memory();
    else if (argc == 2 && strcmp(argv[1], "stack") == 0)
        run_stack();
    else
        return 2;
    leave(0);
}
