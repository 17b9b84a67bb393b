/*
 * The program of the tutorial (boot/tutorial). Each mode does one thing with memory, slowly enough
 * to be watched in ./umbra debug: what matters is on a page of its own, or at a fixed address.
 *
 *     tour cow        a fork, and both processes write to the same page
 *     tour stack      a recursion that needs more stack than there is
 *     tour wx         asks for pages that are writable and executable
 *     tour tlb        takes the right to write from a page, and writes
 *     tour file       two processes that map one file
 *     tour exec       starts another program
 *     tour signal     handles a signal
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define PAGE         4096
#define PLACE        ((void *)0x10000000) /* of a page of anonymous memory */
#define SHARED_VIEW  ((void *)0x20000000) /* of a file */
#define PRIVATE_VIEW ((void *)0x30000000) /* of the same file */
#define FILE_PATH    "/tmp/note"
#define STEP         __attribute__((noinline)) /* a function at which the reader stops */

/* A variable with a page of its own. */
static _Alignas(PAGE) volatile union {
    int number;
    char page[PAGE];
} box = {.number = 1};

STEP static void child_writes(void)
{
    box.number = 2;
}

STEP static void parent_writes(void)
{
    box.number = 3;
}

STEP static void cow(void)
{
    box.number = 1;
    if (fork() == 0) {
        child_writes();
        _exit(0);
    }
    wait(NULL);
    parent_writes();
}

STEP static int deeper(int depth)
{
    volatile char room[2 * PAGE];
    room[0] = (char)depth;
    return depth == 0 ? room[0] : deeper(depth - 1) + room[0];
}

STEP static void stack(void)
{
    deeper(20);
}

STEP static int seven(void)
{
    return 7;
}

/* Asks for both rights at once, twice; then does it one after the other, as a compiler at run time must. */
STEP static void wx(void)
{
    static const unsigned char code[] = {0xb8, 8, 0, 0, 0, 0xc3}; /* mov $8, %eax; ret */
    void *page = (void *)((unsigned long)seven & ~(PAGE - 1ul));
    int (*eight)(void);

    if (mprotect(page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) != 0)
        printf("tour: text that is writable: %s\n", strerror(errno));
    page =
        mmap(PLACE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    memcpy(page, code, sizeof(code));
    mprotect(page, PAGE, PROT_READ | PROT_EXEC);
    memcpy(&eight, &page, sizeof(eight));
    printf("tour: seven gives %d, eight gives %d\n", seven(), eight());
    *(volatile unsigned char *)page = 0;
}

STEP static void must_fault(volatile int *number)
{
    *number = 2;
}

STEP static void tlb(void)
{
    volatile int *number =
        mmap(PLACE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    *number = 1;
    mprotect((void *)number, PAGE, PROT_READ);
    must_fault(number);
    printf("tour: the page that cannot be written holds %d\n", *number);
}

static char *view(void *address, int flags, int fd)
{
    return mmap(address, PAGE, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd, 0);
}

STEP static void child_notes(char *shared, char *private)
{
    shared[0] = 'S';
    private[0] = 'P';
}

STEP static int both_views(volatile char *shared, volatile char *private)
{
    return shared[0] + private[0];
}

STEP static void file(void)
{
    int fd = open(FILE_PATH, O_RDWR | O_CREAT, 0600);
    if (fd < 0 || write(fd, "a note", 6) != 6)
        _exit(2);
    char *shared = view(SHARED_VIEW, MAP_SHARED, fd),
         *private = view(PRIVATE_VIEW, MAP_PRIVATE, fd);
    both_views(shared, private);
    if (fork() == 0) {
        child_notes(shared, private);
        _exit(0);
    }
    wait(NULL);
    both_views(shared, private);
}

STEP static void on_signal(int number, siginfo_t *info, void *context)
{
    const ucontext_t *interrupted = context;
    printf("tour: signal %d from pid %d, interrupted at 0x%llx\n", number, info->si_pid,
           interrupted->uc_mcontext.gregs[REG_RIP]);
}

STEP static void handle_signal(void)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    sigaction(SIGUSR1, &action, NULL);
    kill(getpid(), SIGUSR1);
}

STEP static void start_another(void)
{
    execl("/bin/hello", "hello", (char *)NULL);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } modes[] = {{"cow", cow},
                 {"stack", stack},
                 {"wx", wx},
                 {"tlb", tlb},
                 {"file", file},
                 {"exec", start_another},
                 {"signal", handle_signal}};
    for (size_t i = 0; argc == 2 && i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (strcmp(argv[1], modes[i].name) == 0) {
            modes[i].run();
            return 0;
        }
    }
    fputs("usage: tour cow|stack|wx|tlb|file|exec|signal\n", stderr);
    return 2;
}
