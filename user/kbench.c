/* Measures the operations of the table in kernel/README.md in ticks of the time-stamp counter. Under
 * QEMU's instruction counting a tick is an instruction. It is process 1 of its archive and prints
 * "NAME<TAB>MEDIAN" for each row; boot/kbench.py boots it and prints the comparison. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE    4096u
#define PAGES   256u
#define SAMPLES 21u
#define DEEP    "/tmp/a/b/c"
#define FILE_AT DEEP "/data"

static uint64_t samples[SAMPLES];
static unsigned nr_samples;
static char *area;

static uint64_t ticks(void)
{
    return __builtin_ia32_rdtsc();
}

static void must(int good, const char *what)
{
    if (good)
        return;
    printf("kbench: %s failed\n", what);
    exit(1);
}

static void sample(uint64_t begin, unsigned count)
{
    samples[nr_samples++] = (ticks() - begin) / count;
}

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

static void report(const char *name)
{
    qsort(samples, nr_samples, sizeof(samples[0]), compare);
    printf("%s\t%llu\n", name, (unsigned long long)samples[nr_samples / 2]);
    nr_samples = 0;
}

static char *map(size_t size, int prot, int flags, int fd)
{
    char *at = mmap(NULL, size, prot, flags, fd, 0);
    must(at != MAP_FAILED, "mmap");
    return at;
}

static void write_pages(char *at)
{
    for (unsigned i = 0; i < PAGES; i++)
        ((volatile char *)at)[i * PAGE] = 1;
}

static void read_pages(const char *at)
{
    for (unsigned i = 0; i < PAGES; i++)
        (void)((const volatile char *)at)[i * PAGE];
}

static char *anonymous(void)
{
    return map(PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

/* One sample of an access to fresh memory, or of taking it away. */
static void sample_pages(const char *how)
{
    char *at = anonymous();
    if (strcmp(how, "munmap") == 0)
        write_pages(at);
    uint64_t begin = ticks();
    if (strcmp(how, "write") == 0)
        write_pages(at);
    else if (strcmp(how, "read") == 0)
        read_pages(at);
    else
        munmap(at, PAGES * PAGE);
    sample(begin, PAGES);
    if (strcmp(how, "munmap") != 0)
        munmap(at, PAGES * PAGE);
}

static void sample_file(void)
{
    int fd = open(FILE_AT, O_RDONLY);
    char *at = map(PAGES * PAGE, PROT_READ, MAP_PRIVATE, fd);
    uint64_t begin = ticks();
    read_pages(at);
    sample(begin, PAGES);
    munmap(at, PAGES * PAGE);
    close(fd);
}

/* Copy-on-write in a child, which sends its figure through a pipe; then, in the parent, the last
 * reference. */
static void sample_cow(int reuse)
{
    int pipes[2];
    uint64_t result = 0;
    must(pipe(pipes) == 0, "pipe");
    write_pages(area);
    pid_t child = fork();
    if (child == 0) {
        uint64_t begin = ticks();
        write_pages(area);
        result = (ticks() - begin) / PAGES;
        must(write(pipes[1], &result, sizeof(result)) == sizeof(result), "write");
        _exit(0);
    }
    must(read(pipes[0], &result, sizeof(result)) == sizeof(result), "read");
    waitpid(child, NULL, 0);
    close(pipes[0]);
    close(pipes[1]);
    uint64_t begin = ticks();
    write_pages(area);
    if (reuse)
        sample(begin, PAGES);
    else
        samples[nr_samples++] = result;
}

static void sample_protect(unsigned pages)
{
    uint64_t begin = ticks();
    mprotect(area + PAGE, pages * PAGE, PROT_READ);
    mprotect(area + PAGE, pages * PAGE, PROT_READ | PROT_WRITE);
    sample(begin, 2);
}

static void sample_fork(const char *program)
{
    uint64_t begin = ticks();
    pid_t child = fork();
    if (child == 0) {
        if (program)
            execl(program, program, "exit", (char *)NULL);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    sample(begin, 1);
}

static void sample_call(const char *how)
{
    static char byte[1];
    static int pipes[2];
    struct stat status;
    unsigned long brk_start = (unsigned long)syscall(SYS_brk, 0);
    if (!pipes[1])
        must(pipe(pipes) == 0, "pipe");
    uint64_t begin = ticks();
    for (unsigned i = 0; i < 64; i++) {
        if (*how == 'n')
            syscall(SYS_getppid);
        else if (*how == 'o')
            close(open(FILE_AT, O_RDONLY));
        else if (*how == 's')
            stat(FILE_AT, &status);
        else if (*how == 'p')
            must(write(pipes[1], byte, 1) == 1 && read(pipes[0], byte, 1) == 1, "pipe");
        else if (*how == 'm')
            munmap(map(PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1), PAGE);
        else if (*how == 'b')
            syscall(SYS_brk, brk_start + (i + 1) * PAGE);
    }
    sample(begin, 64);
    syscall(SYS_brk, brk_start);
}

#define ROW(name, call)                                                                            \
    do {                                                                                           \
        for (unsigned round = 0; round < SAMPLES; round++)                                         \
            call;                                                                                  \
        report(name);                                                                              \
    } while (0)

static void prepare(void)
{
    mkdir("/tmp", 0777);
    mkdir("/tmp/a", 0777);
    mkdir("/tmp/a/b", 0777);
    mkdir(DEEP, 0777);
    int fd = open(FILE_AT, O_RDWR | O_CREAT, 0644);
    area = anonymous();
    write_pages(area);
    must(write(fd, area, PAGES * PAGE) == PAGES * PAGE, "write");
    close(fd);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "exit") == 0)
        return 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    prepare();
    ROW("anonymous page, first write", sample_pages("write"));
    ROW("anonymous page, first read", sample_pages("read"));
    ROW("page of a mapped file, read", sample_file());
    ROW("copy-on-write in the child, a page", sample_cow(0));
    ROW("copy-on-write, last reference", sample_cow(1));
    ROW("munmap, a touched page", sample_pages("munmap"));
    ROW("mmap and munmap of a page", sample_call("mmap"));
    ROW("mprotect, one page of 256", sample_protect(1));
    ROW("mprotect, 254 pages", sample_protect(254));
    ROW("brk, a page more", sample_call("brk"));
    ROW("fork, exit, wait with 1 MiB touched", sample_fork(NULL));
    ROW("fork, exec, wait", sample_fork(argv[0]));
    ROW("a system call that does nothing", sample_call("nothing"));
    ROW("a byte into a pipe and out of it", sample_call("pipe"));
    ROW("open and close, four components", sample_call("open"));
    ROW("stat, four components", sample_call("stat"));
    puts("kbench: done");
    fflush(stdout);
    reboot(RB_POWER_OFF);
    return 0;
}
