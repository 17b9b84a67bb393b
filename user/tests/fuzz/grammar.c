/* The kinds of arguments of each call, so that calls get past their first checks: their letters are explained below. */
#include "fuzz.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct grammar {
    unsigned number;
    const char *kinds;
};

static const struct grammar table[] = {
    {SYS_read, "fpl"},
    {SYS_write, "fpl"},
    {SYS_open, "sii"},
    {SYS_close, "f"},
    {SYS_stat, "sp"},
    {SYS_fstat, "fp"},
    {SYS_lstat, "sp"},
    {SYS_poll, "pii"},
    {SYS_lseek, "foi"},
    {SYS_mmap, "almifo"},
    {SYS_mprotect, "alm"},
    {SYS_munmap, "al"},
    {SYS_brk, "a"},
    {SYS_rt_sigaction, "gppi"},
    {SYS_rt_sigprocmask, "ippi"},
    {SYS_ioctl, "fip"},
    {SYS_pread64, "fplo"},
    {SYS_pwrite64, "fplo"},
    {SYS_readv, "fpi"},
    {SYS_writev, "fpi"},
    {SYS_access, "si"},
    {SYS_pipe, "p"},
    {SYS_select, "ipppp"},
    {SYS_sched_yield, ""},
    {SYS_mremap, "allia"},
    {SYS_msync, "ali"},
    {SYS_mincore, "alp"},
    {SYS_madvise, "ali"},
    {SYS_dup, "f"},
    {SYS_dup2, "ff"},
    {SYS_pause, ""},
    {SYS_nanosleep, "pp"},
    {SYS_getitimer, "ip"},
    {SYS_alarm, "i"},
    {SYS_setitimer, "ipp"},
    {SYS_getpid, ""},
    {SYS_sendfile, "ffpl"},
    {SYS_socket, "iii"},
    {SYS_clone, "ipppp"},
    {SYS_fork, ""},
    {SYS_vfork, ""},
    {SYS_execve, "spp"},
    {SYS_exit, "i"},
    {SYS_wait4, "dpip"},
    {SYS_waitid, "idpip"},
    {SYS_mlock, "al"},
    {SYS_munlock, "al"},
    {SYS_mlockall, "i"},
    {SYS_munlockall, ""},
    {SYS_mlock2, "ali"},
    {SYS_ioprio_set, "idi"},
    {SYS_getdents, "fpl"},
    {SYS_readahead, "fol"},
    {SYS_sync_file_range, "fooi"},
    {SYS_membarrier, "iii"},
    {SYS_sched_setattr, "dpi"},
    {SYS_sched_getattr, "dpli"},
    {SYS_memfd_create, "si"},
    {SYS_process_vm_readv, "dpipii"},
    {SYS_process_vm_writev, "dpipii"},
    {SYS_kill, "dg"},
    {SYS_uname, "p"},
    {SYS_fcntl, "fii"},
    {SYS_flock, "fi"},
    {SYS_fsync, "f"},
    {SYS_fdatasync, "f"},
    {SYS_truncate, "so"},
    {SYS_ftruncate, "fo"},
    {SYS_getdents, "fpl"},
    {SYS_getcwd, "pl"},
    {SYS_chdir, "s"},
    {SYS_fchdir, "f"},
    {SYS_rename, "ss"},
    {SYS_mkdir, "si"},
    {SYS_rmdir, "s"},
    {SYS_creat, "si"},
    {SYS_link, "ss"},
    {SYS_unlink, "s"},
    {SYS_symlink, "ss"},
    {SYS_readlink, "spl"},
    {SYS_chmod, "si"},
    {SYS_fchmod, "fi"},
    {SYS_chown, "suu"},
    {SYS_fchown, "fuu"},
    {SYS_lchown, "suu"},
    {SYS_umask, "i"},
    {SYS_gettimeofday, "pp"},
    {SYS_getrlimit, "ip"},
    {SYS_getrusage, "ip"},
    {SYS_sysinfo, "p"},
    {SYS_times, "p"},
    {SYS_ptrace, "idpp"},
    {SYS_getuid, ""},
    {SYS_setuid, "u"},
    {SYS_setgid, "u"},
    {SYS_setpgid, "dd"},
    {SYS_getppid, ""},
    {SYS_setsid, ""},
    {SYS_setreuid, "uu"},
    {SYS_setregid, "uu"},
    {SYS_getgroups, "ip"},
    {SYS_setgroups, "ip"},
    {SYS_setresuid, "uuu"},
    {SYS_getresuid, "ppp"},
    {SYS_setresgid, "uuu"},
    {SYS_getresgid, "ppp"},
    {SYS_getpgid, "d"},
    {SYS_setfsuid, "u"},
    {SYS_setfsgid, "u"},
    {SYS_getsid, "d"},
    {SYS_rt_sigpending, "pi"},
    {SYS_rt_sigtimedwait, "pppi"},
    {SYS_rt_sigqueueinfo, "dgp"},
    {SYS_rt_sigsuspend, "pi"},
    {SYS_sigaltstack, "pp"},
    {SYS_utime, "sp"},
    {SYS_mknod, "sii"},
    {SYS_personality, "i"},
    {SYS_statfs, "sp"},
    {SYS_fstatfs, "fp"},
    {SYS_getpriority, "id"},
    {SYS_setpriority, "idi"},
    {SYS_prctl, "ipppp"},
    {SYS_arch_prctl, "ip"},
    {SYS_setrlimit, "ip"},
    {SYS_chroot, "s"},
    {SYS_sync, ""},
    {SYS_mount, "sssip"},
    {SYS_umount2, "si"},
    {SYS_gettid, ""},
    {SYS_tkill, "dg"},
    {SYS_time, "p"},
    {SYS_futex, "piippi"},
    {SYS_getdents64, "fpl"},
    {SYS_set_tid_address, "p"},
    {SYS_fadvise64, "fooi"},
    {SYS_clock_gettime, "ip"},
    {SYS_clock_getres, "ip"},
    {SYS_clock_nanosleep, "iipp"},
    {SYS_tgkill, "ddg"},
    {SYS_utimes, "sp"},
    {SYS_waitid, "idpip"},
    {SYS_openat, "fsii"},
    {SYS_mkdirat, "fsi"},
    {SYS_mknodat, "fsii"},
    {SYS_fchownat, "fsuui"},
    {SYS_futimesat, "fsp"},
    {SYS_newfstatat, "fspi"},
    {SYS_unlinkat, "fsi"},
    {SYS_renameat, "fsfs"},
    {SYS_linkat, "fsfsi"},
    {SYS_symlinkat, "sfs"},
    {SYS_readlinkat, "fspl"},
    {SYS_fchmodat, "fsi"},
    {SYS_faccessat, "fsi"},
    {SYS_pselect6, "ippppp"},
    {SYS_ppoll, "pippi"},
    {SYS_set_robust_list, "pl"},
    {SYS_splice, "fpfpli"},
    {SYS_tee, "ffli"},
    {SYS_utimensat, "fspi"},
    {SYS_eventfd2, "ii"},
    {SYS_fallocate, "fioo"},
    {SYS_dup3, "ffi"},
    {SYS_pipe2, "pi"},
    {SYS_rt_tgsigqueueinfo, "ddgp"},
    {SYS_preadv, "fpioi"},
    {SYS_pwritev, "fpioi"},
    {SYS_prlimit64, "dipp"},
    {SYS_sendmmsg, "fpii"},
    {SYS_getcpu, "ppp"},
    {SYS_renameat2, "fsfsi"},
    {SYS_getrandom, "pli"},
    {SYS_memfd_create, "si"},
    {SYS_execveat, "fsppi"},
    {SYS_adjtimex, "p"},
    {SYS_clock_adjtime, "ip"},
    {SYS_copy_file_range, "fpfpli"},
    {SYS_splice, "fpfpli"},
    {SYS_preadv2, "fpioii"},
    {SYS_statx, "fsiip"},
    {SYS_rseq, "piii"},
    {SYS_close_range, "iii"},
    {SYS_openat2, "fspl"},
    {SYS_faccessat2, "fsii"},
    {SYS_capget, "pp"},
    {SYS_capset, "pp"},
    {SYS_getxattr, "sspl"},
    {SYS_setxattr, "sspli"},
    {SYS_listxattr, "spl"},
    {SYS_removexattr, "ss"},
    {SYS_unshare, "i"},
    {SYS_sched_getaffinity, "dlp"},
    {SYS_sched_setaffinity, "dlp"},
    {SYS_rt_sigreturn, ""},
};

const char *kinds_of(unsigned number)
{
    for (unsigned i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].number == number) {
            return table[i].kinds;
        }
    }
    return NULL;
}

unsigned known_number(struct random *random)
{
    return table[random_below(random, sizeof table / sizeof table[0])].number;
}

/*
 * Values by kind:
 *   f descriptor   p pointer       s path          l length       i small number or flags
 *   o offset       d process       g signal        a page of the arena   m memory protection
 *   q any 64 bits  u user or group
 */

#define WHOLE_PAGES         26 /* of the arena, without a hole: more than a pipe holds */
#define COUNT(array)        ((unsigned)(sizeof(array) / sizeof(array)[0]))
#define PICK(random, array) ((array)[random_below((random), COUNT(array))])

static const uint64_t pointers[] = {
    0,
    1,
    0xfff,
    0x1000,
    0x400000,
    0x401000,
    0x7ffffffff000,
    0x7fffffffeff8,
    0x7fffffffffff,
    0x800000000000,
    0x8000000000000000,
    0xffff800000000000,
    0xffff800000100000,
    0xffffffff80200000,
    0xffffffffc0000000,
    0xffffffffffffff00,
    UINT64_MAX,
};
static const char *const paths[] = {
    "a",
    "b",
    "c",
    "d",
    "d/a",
    "d/b",
    "d/../a",
    "/tmp/fuzz",
    "/tmp/fuzz/d",
    ".",
    "..",
    "/",
    "",
    "a/b",
    "link",
    "loop",
    "/dev/null",
    "/dev/zero",
    "/proc/self/exe",
    "/proc/self/maps",
    "/proc/self/fd/3",
    "/proc/self/fd/0",
    "/proc/self/cwd",
    "/proc/self/root",
    "/proc/1/maps",
    "/proc/1/cwd",
    "/proc/1/root/tmp",
    "/proc/meminfo",
    "/proc",
    "/proc/self",
    "/proc/self/mem",
    "/test/fuzz",
    "/proc/umbra-frames",
    "fifo",
    "/etc/passwd",
    "/proc/self/stat",
    "/proc/mounts",
    "d/e/f",
    "new",
    "new/",
    "./a",
};
static const uint64_t lengths[] = {
    0,
    1,
    2,
    8,
    16,
    24,
    144,
    511,
    512,
    4095,
    4096,
    4097,
    8192,
    16384,
    65536,
    65537,
    1u << 20,
    (1u << 31) - 1,
    1u << 31,
    UINT32_MAX,
    (1ul << 32) + 8,
    1ul << 40,
    1ul << 47,
    INT64_MAX,
    1ul << 63,
    UINT64_MAX - 4095,
    UINT64_MAX,
};
static const int descriptors[] = {-1, AT_FDCWD, 1023, 1024, 4096, INT_MAX, INT_MIN, 63, 255};
static const int small_numbers[] = {-1, INT_MAX, INT_MIN, 0x80000, 0x800, 0x1000, 0x100, 17};

static uint64_t pointer(struct random *random)
{
    unsigned dice = random_below(random, 20);
    uint64_t page = ARENA + random_below(random, ARENA_PAGES) * PAGE;

    if (dice < 10) {
        return ARENA + random_below(random, 4) * PAGE + random_below(random, 64) * 16;
    }
    if (dice < 13) {
        return page + PAGE - random_below(random, 24);
    }
    if (dice < 15) {
        return page + random_below(random, PAGE);
    }
    if (dice == 15) {
        return (uint64_t)&page; /* the stack */
    }
    return dice == 16 ? random_next(random) : PICK(random, pointers);
}

static uint64_t path(struct random *random)
{
    static char text[4200];
    unsigned dice = random_below(random, 24);

    if (dice == 0) {
        return pointer(random);
    }
    if (dice == 1) {
        memset(text, random_once_in(random, 2) ? 'x' : '/', sizeof text - 1);
        text[random_below(random, sizeof text)] = '\0';
        return (uint64_t)text;
    }
    return (uint64_t)PICK(random, paths);
}

static uint64_t number(struct random *random)
{
    unsigned dice = random_below(random, 10);

    if (dice < 4) {
        return random_below(random, 16);
    }
    if (dice < 7) {
        uint64_t bits = 0;
        for (unsigned left = 1 + random_below(random, 3); left > 0; left--) {
            bits |= (uint64_t)1 << random_below(random, dice == 4 ? 64 : 24);
        }
        return bits;
    }
    return dice == 7 ? random_next(random) : (uint64_t)PICK(random, small_numbers);
}

static uint64_t process(struct child *child)
{
    static const int odd[] = {0, -1, INT_MAX, INT_MIN, 1, 2};
    unsigned dice = random_below(&child->random, 8);

    if (dice < 4) {
        return (uint64_t)child->children[dice];
    }
    if (dice == 4) {
        return (uint64_t)-child->children[0];
    }
    return dice == 5 ? (uint64_t)getpid() : (uint64_t)PICK(&child->random, odd);
}

static uint64_t descriptor(struct child *child)
{
    struct random *random = &child->random;

    if (random_once_in(random, 2)) {
        return child->focus_fd ^ random_below(random, 2);
    }
    return random_once_in(random, 8) ? (uint64_t)PICK(random, descriptors)
                                     : random_below(random, 16);
}

static uint64_t signal_number(struct random *random)
{
    return random_once_in(random, 8) ? number(random) : 1 + random_below(random, 64);
}

uint64_t value_of(struct child *child, char kind)
{
    struct random *random = &child->random;

    switch (kind) {
    case 'f':
        return descriptor(child);
    case 'p':
        return pointer(random);
    case 's':
        return path(random);
    case 'l':
        return random_once_in(random, 3) ? random_below(random, 300) : PICK(random, lengths);
    case 'o':
        return random_once_in(random, 2) ? random_below(random, 20000) : PICK(random, lengths);
    case 'd':
        return process(child);
    case 'g':
        return signal_number(random);
    case 'a':
        return random_once_in(random, 6) ? pointer(random)
                                         : ARENA + random_below(random, ARENA_PAGES) * PAGE;
    case 'm':
        return random_once_in(random, 8) ? number(random) : random_below(random, 8);
    case 'u':
        return random_once_in(random, 2) ? FUZZ_USER : number(random);
    case 'q':
        return random_next(random);
    default:
        return number(random);
    }
}

/* Fills the first pages: words that look like pointers, lengths and times, and random bytes. */
static void fill(struct child *child, uint64_t *words, unsigned count)
{
    static const char kinds[] = "plpiofdqsiii";

    for (unsigned i = 0; i < count; i++) {
        words[i] = value_of(child, kinds[random_below(&child->random, sizeof kinds - 1)]);
    }
}

void arena_make(struct random *random)
{
    static const int protections[] = {1, 0, 3, -1, 3, 5, 3, 3, -1, 3, 1, 3};
    struct child values = {.random = *random};

    munmap((void *)ARENA, ARENA_PAGES * PAGE);
    for (unsigned i = 0; i < ARENA_PAGES; i++) {
        int flags = MAP_FIXED | MAP_ANONYMOUS | (i % 5 == 3 ? MAP_SHARED : MAP_PRIVATE);
        int protection = i < WHOLE_PAGES ? 3 : protections[i % COUNT(protections)];
        if (protection >= 0) {
            mmap((void *)(ARENA + i * PAGE), PAGE, protection, flags, -1, 0);
        }
    }
    fill(&values, (uint64_t *)ARENA, 4 * PAGE / sizeof(uint64_t));
    *random = values.random;
}
