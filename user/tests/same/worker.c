#include "world.h"
#include "call.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static sigjmp_buf fault_return;
static volatile int fault_code;
static volatile unsigned long fault_address;

static void on_fault(int number, siginfo_t *info, void *context)
{
    fault_code = info->si_code;
    fault_address = (unsigned long)info->si_addr;
    siglongjmp(fault_return, number);
    (void)context;
}

void faults_catch(void)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};

    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
}

int guarded(void (*touch)(void *), void *argument, int *code, unsigned long *address)
{
    uint64_t open = (1u << (SIGSEGV - 1)) | (1u << (SIGBUS - 1)), before = 0;

    RAW(SYS_rt_sigprocmask, SIG_UNBLOCK, &open, &before, 8);
    int number = sigsetjmp(fault_return, 0);
    if (number == 0) {
        touch(argument);
    }
    RAW(SYS_rt_sigprocmask, SIG_SETMASK, &before, 0, 8);
    *code = fault_code;
    *address = fault_address;
    return number;
}

static void run_call(void)
{
    struct call call = {.random = random_start(world->seed, world->episode, world->index)};

    random_next(&call.random); /* the slot, which the director drew */
    call.op = call_choose(&call.random);
    call_make(&call);
    if (call.random.widened) {
        say(" wide");
    }
}

static _Noreturn void loop(int slot)
{
    char order;

    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY); /* without Yama's rules, where Linux has them */
    for (;;) {
        long got = RAW(SYS_read, CONTROL_FD + slot, &order, 1);
        if (got == -EINTR) {
            continue;
        }
        if (got != 1) {
            _exit(99);
        }
        run_call();
        world->slots[slot].done++;
    }
}

_Noreturn void worker_child(int slot)
{
    own_slot = slot;
    world->slots[slot].pid = (pid_t)RAW(SYS_getpid);
    loop(slot);
}

static void make_file(const char *path, const char *text, size_t size, mode_t mode)
{
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);

    if (write(fd, text, size) != (ssize_t)size || fchmod(fd, mode) != 0 || close(fd) != 0) {
        say("cannot make %s: %s; ", path, error_name(errno));
    }
}

/* Makes the files that the sequences start with. */
static void make_tree(void)
{
    static const char script[] = "#!/exe worker\n";
    struct random random = random_start(world->seed, world->episode, UINT64_MAX);

    random_fill(&random, in_buffer, 10000);
    mkdir("d", 0777);
    mkdir("d/e", 0777);
    mkdir("e", 0755);
    make_file("a", (const char *)in_buffer, 10000, 0666);
    make_file("b", (const char *)in_buffer, 5000, 0666);
    make_file("c", (const char *)in_buffer, 1, 0640);
    make_file("d/a", (const char *)in_buffer, 0, 0600);
    make_file("d/b", (const char *)in_buffer, 100, 0644);
    make_file("t", script, sizeof script - 1, 0755);
    if (symlink("a", "s") != 0 || symlink("d", "l") != 0 || symlink("x", "x") != 0 ||
        mknod("p", S_IFIFO | 0666, 0) != 0) {
        say("cannot make the links: %s; ", error_name(errno));
    }
}

static void open_some(void)
{
    int ends[2];

    open("a", O_RDWR);
    open("d/b", O_RDONLY);
    open("d", O_RDONLY | O_DIRECTORY);
    if (pipe2(ends, O_NONBLOCK) != 0 || pipe(ends) != 0) {
        say("pipe: %s; ", error_name(errno));
    }
    open("b", O_RDWR | O_APPEND);
    open("a", O_RDWR);
}

static void close_all(void)
{
    for (int fd = 0; fd < OWN_FDS; fd++) {
        close(fd);
    }
    for (int i = 0; i < SLOTS; i++) {
        close(COMMAND_FD + i);
    }
}

static void begin_watching(void)
{
    int fd = (int)RAW(SYS_inotify_init1, O_NONBLOCK);

    if (fd < 0 || dup2(fd, WATCH_FD) != WATCH_FD || close(fd) != 0) {
        say("inotify: %s; ", error_name(fd < 0 ? -fd : errno));
    }
}

/* Maps anonymous memory and a file, with holes between them. */
static void map_some(void)
{
    char *arena = (char *)ARENA;
    int fd = open("a", O_RDWR);

    if (mmap(arena, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
             0) == MAP_FAILED ||
        mmap(arena + 10 * PAGE, 4 * PAGE, PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED ||
        mmap((void *)(HOLE - 2 * PAGE), 2 * PAGE, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
        say("mmap: %s; ", error_name(errno));
    }
    mmap(arena + 16 * PAGE, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
    close(fd);
}

/* In every third episode the processes are an ordinary user's. */
static void become_user(void)
{
    static const gid_t groups[] = {1001, 1002};

    if (world->episode % 3 == 1 &&
        (setgroups(2, groups) != 0 || setgid(1000) != 0 || setuid(1000) != 0)) {
        say("cannot become user 1000: %s; ", error_name(errno));
    }
}

_Noreturn void worker_first(int slot)
{
    own_slot = slot;
    world->slots[slot].pid = (pid_t)RAW(SYS_getpid);
    close_all();
    setsid();
    umask(022);
    if (chroot(BASE_PATH) != 0 || chdir(WORK_PATH) != 0) {
        say("cannot enter the root directory: %s; ", error_name(errno));
    }
    open("/null", O_RDWR);
    dup(0);
    dup(0);
    if (slot == 0) {
        make_tree();
    }
    become_user();
    prctl(PR_SET_NAME, "worker"); /* until an execve, not the name of the program's file */
    begin_watching();
    open_some();
    map_some();
    faults_catch();
    loop(slot);
}

int worker_again(const char *slot)
{
    if (world_map() != 0) {
        return 98;
    }
    own_slot = atoi(slot);
    say(" = image");
    say_state();
    map_some();
    faults_catch();
    world->slots[own_slot].done++;
    loop(own_slot);
}

int own_slot = -1;

int world_map(void)
{
    void *got = mmap(WORLD_ADDRESS, sizeof *world, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
                     WORLD_FD, 0);

    return got == MAP_FAILED ? errno : 0;
}

int inode_ordinal(uint64_t device, uint64_t number)
{
    if (device != world->work_device && device != world->base_device) {
        return 0;
    }
    for (int i = 0; i < world->inodes; i++) {
        if (world->inode[i].device == device && world->inode[i].number == number) {
            return i + 1;
        }
    }
    if (world->inodes == INODES) {
        return 0;
    }
    world->inode[world->inodes].device = device;
    world->inode[world->inodes].number = number;
    return ++world->inodes;
}

int slot_of(pid_t pid)
{
    for (int i = world->born - 1; i >= 0; i--) {
        if (world->slots[i].pid == pid) {
            return i;
        }
    }
    return -1;
}
