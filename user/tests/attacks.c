/*
 * Attacks on the kernel, and the signal that each forbidden act gets.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Attacks on the kernel that a program may try: privileged and disabled instructions, UMIP, gates,
 * foreign segments, segment bases, calls that must not exist, page 0, and two mappings of one page
 * with different rights. Faults are tested by `faults`, bad pointers by `efault`, flags by `flags`,
 * forged signal frames by `sigreturn`.
 */

#define KERNEL_ADDRESS    0xffffffff80200000UL
#define DIRECT_MAP        0xffff800000000000UL
#define NON_CANONICAL     0x0000800000000000UL
#define USER_CODE_SEGMENT 0x33
#define ARCH_SET_GS       0x1001
#define ARCH_SET_FS       0x1002
#define CPUID_7_ECX_UMIP  (1u << 2)

/* One function for each instruction. It returns 0 if the instruction did not fault. */
#define INSTRUCTION(name, text, ...)                                                               \
    static int do_##name(void *scratch)                                                            \
    {                                                                                              \
        (void)scratch;                                                                             \
        __asm__ volatile(text : : __VA_ARGS__ : "memory", "cc");                                   \
        return 0;                                                                                  \
    }

INSTRUCTION(clts, "clts", )
INSTRUCTION(lmsw, "lmsw %%ax", "a"(1))
INSTRUCTION(invd, "invd", )
INSTRUCTION(wbinvd, "wbinvd", )
INSTRUCTION(ltr, "ltr %%ax", "a"(0x40))
INSTRUCTION(lldt, "lldt %%ax", "a"(0))
INSTRUCTION(lidt, "lidt (%%rax)", "a"(scratch))
INSTRUCTION(write_cr0, "mov %%rax, %%cr0", "a"(0x80000011))
INSTRUCTION(write_cr4, "mov %%rax, %%cr4", "a"(0x20))
INSTRUCTION(write_cr8, "mov %%rax, %%cr8", "a"(0))
INSTRUCTION(write_dr7, "mov %%rax, %%dr7", "a"(0x401))
INSTRUCTION(rdpmc, "rdpmc", "c"(0), "a"(0), "d"(0))
INSTRUCTION(monitor, "monitor", "a"(scratch), "c"(0), "d"(0))
INSTRUCTION(mwait, "mwait", "a"(0), "c"(0))
INSTRUCTION(stac, "stac", )
INSTRUCTION(sysenter, "sysenter", "a"(39), "b"(0), "d"(0))
INSTRUCTION(sysret, "sysretq", "c"(scratch))
INSTRUCTION(iret_to_kernel, "pushq $0x18; pushq %%rsp; pushfq; pushq $0x10; pushq %%rax; iretq",
            "a"(KERNEL_ADDRESS))
INSTRUCTION(int_80, "int $0x80", "a"(20), "b"(0))
INSTRUCTION(int_nmi, "int $2", )
INSTRUCTION(int_double_fault, "int $8", )
INSTRUCTION(int_machine_check, "int $18", )
INSTRUCTION(int_last, "int $0xff", )
INSTRUCTION(xsetbv, "xsetbv", "c"(0), "a"(7), "d"(0))
INSTRUCTION(wrfsbase, "wrfsbase %%rax", "a"(KERNEL_ADDRESS))
INSTRUCTION(wrgsbase, "wrgsbase %%rax", "a"(KERNEL_ADDRESS))
INSTRUCTION(sgdt, "sgdt (%%rax)", "a"(scratch))
INSTRUCTION(sidt, "sidt (%%rax)", "a"(scratch))
INSTRUCTION(sldt, "sldt (%%rax)", "a"(scratch))
INSTRUCTION(smsw, "smsw (%%rax)", "a"(scratch))
INSTRUCTION(str, "str (%%rax)", "a"(scratch))

struct instruction {
    const char *name;
    int (*act)(void *);
    bool linux_differs; /* Linux allows it, or answers in another way */
};

static const struct instruction refused_ones[] = {
    {"clts", do_clts, false},
    {"lmsw", do_lmsw, false},
    {"invd", do_invd, false},
    {"wbinvd", do_wbinvd, false},
    {"ltr", do_ltr, false},
    {"lldt", do_lldt, false},
    {"lidt", do_lidt, false},
    {"a write to CR0", do_write_cr0, false},
    {"a write to CR4", do_write_cr4, false},
    {"a write to CR8", do_write_cr8, false},
    {"a write to DR7", do_write_dr7, false},
    {"rdpmc", do_rdpmc, true},
    {"monitor", do_monitor, false},
    {"mwait", do_mwait, false},
    {"stac", do_stac, false},
    {"sysenter", do_sysenter, true},
    {"sysret", do_sysret, false},
    {"iret to the kernel", do_iret_to_kernel, false},
    {"int 0x80", do_int_80, true},
    {"int of NMI's vector", do_int_nmi, false},
    {"int of double fault's vector", do_int_double_fault, false},
    {"int of machine check's vector", do_int_machine_check, false},
    {"int of the last vector", do_int_last, false},
    {"xsetbv", do_xsetbv, false},
    {"wrfsbase", do_wrfsbase, true},
    {"wrgsbase", do_wrgsbase, true},
};

static unsigned char scratch[64];

/* QEMU's TCG executes IRET, far return and far call with the program's stack as if it were the
 * kernel's. SMAP forbids that access, so they fault for ever. */
static bool under_tcg(void)
{
    unsigned eax = 0x40000000; /* the hypervisor's leaf */
    unsigned words[3] = {0};

    __asm__ volatile("cpuid" : "+a"(eax), "=b"(words[0]), "=c"(words[1]), "=d"(words[2]));
    return memcmp(words, "TCGTCGTCGTCG", 12) == 0;
}

static void test_instructions(void)
{
    for (size_t i = 0; i < sizeof refused_ones / sizeof refused_ones[0]; i++) {
        const struct instruction *one = &refused_ones[i];
        if (on_linux() && one->linux_differs) {
            skip("Linux does otherwise", "%s ends the program", one->name);
            continue;
        }
        if (one->act == do_iret_to_kernel && under_tcg()) {
            skip("QEMU's TCG does otherwise", "%s ends the program", one->name);
            continue;
        }
        int status = in_child(one->act, scratch);
        int number = WITHOUT_CORE(status);
        if (!ok(number == KILLED(SIGSEGV) || number == KILLED(SIGILL), "%s ends the program",
                one->name)) {
            diag("it ended with %s", status_text(status));
        }
    }
}

static bool has_umip(void)
{
    unsigned eax = 7, ebx, ecx = 0, edx, most = 0;

    __asm__ volatile("cpuid" : "+a"(most), "=b"(ebx), "+c"(ecx), "=d"(edx));
    if (most < 7) {
        return false;
    }
    ecx = 0;
    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    return ecx & CPUID_7_ECX_UMIP;
}

/* These instructions reveal where the kernel's tables are. Linux emulates some of them. */
static void test_umip(void)
{
    static const struct instruction telling[] = {
        {"sgdt", do_sgdt, true}, {"sidt", do_sidt, true}, {"sldt", do_sldt, true},
        {"smsw", do_smsw, true}, {"str", do_str, true},
    };
    int expected = has_umip() ? KILLED(SIGSEGV) : EXITED(0);

    for (size_t i = 0; i < sizeof telling / sizeof telling[0]; i++) {
        if (on_linux()) {
            skip("Linux emulates some", "%s", telling[i].name);
            continue;
        }
        int status = in_child(telling[i].act, scratch);
        is(WITHOUT_CORE(status), expected,
           has_umip() ? "%s ends the program: UMIP" : "%s goes on, for there is no UMIP here",
           telling[i].name);
    }
}

static sigjmp_buf back;

static void leave(int number)
{
    siglongjmp(back, number);
}

/* Returns true if code can be executed through the selector by a far return. */
static bool far_return(unsigned selector)
{
    if (sigsetjmp(back, 1) != 0) {
        return false;
    }
    __asm__ volatile("lea -128(%%rsp), %%rsp\n"
                     "push %0\n"
                     "lea 1f(%%rip), %%rax\n"
                     "push %%rax\n"
                     "lretq\n"
                     "1: lea 128(%%rsp), %%rsp"
                     :
                     : "r"((uint64_t)selector)
                     : "rax", "memory");
    return true;
}

/* The same by a far call through memory, which also accepts call gates and task segments. */
static bool far_call(unsigned selector)
{
    struct {
        uint32_t offset;
        uint16_t selector;
    } __attribute__((packed)) target = {0, (uint16_t)selector};

    if (sigsetjmp(back, 1) != 0) {
        return false;
    }
    __asm__ volatile("lea -128(%%rsp), %%rsp\n"
                     "movl $1f, (%0)\n"
                     "lcall *(%0)\n"
                     "1: lea 128+8(%%rsp), %%rsp"
                     :
                     : "r"(&target)
                     : "memory");
    return true;
}

static void test_selectors(bool (*transfer)(unsigned), const char *name)
{
    unsigned accepted = 0, wrong = 0;

    signal(SIGSEGV, leave);
    signal(SIGBUS, leave);
    for (unsigned selector = 0; selector < 0x100; selector++) {
        if (selector >> 3 == USER_CODE_SEGMENT >> 3 || (on_linux() && selector >> 3 == 4)) {
            continue; /* its own; Linux has the code segment of 32-bit programs at 4 */
        }
        if (transfer(selector)) {
            wrong = selector;
            accepted++;
        }
    }
    signal(SIGSEGV, SIG_DFL);
    signal(SIGBUS, SIG_DFL);
    if (!ok(accepted == 0, "a %s is refused for every selector but the program's own", name)) {
        diag("%u were accepted, the last was 0x%x", accepted, wrong);
    }
}

static void test_far_transfers(void)
{
    if (under_tcg()) {
        skip("QEMU's TCG does otherwise", "far returns and calls");
        return;
    }
    ok(far_return(USER_CODE_SEGMENT), "a far return within the program's own segment");
    test_selectors(far_return, "far return");
    ok(far_call(USER_CODE_SEGMENT), "a far call within the program's own segment");
    test_selectors(far_call, "far call");
}

static void test_data_selectors(void)
{
    volatile unsigned accepted = 0;

    signal(SIGSEGV, leave);
    for (unsigned selector = 4; selector < 0x100; selector++) {
        if (sigsetjmp(back, 1) != 0 || selector == 0x2b || on_linux()) {
            continue;
        }
        __asm__ volatile("mov %w0, %%ss" : : "r"(selector));
        accepted = accepted + 1;
    }
    signal(SIGSEGV, SIG_DFL);
    is((long)accepted, 0, "no stack segment can be loaded but the program's own");
}

static void test_segment_bases(void)
{
    static const unsigned long bad[] = {USER_END, NON_CANONICAL, DIRECT_MAP, KERNEL_ADDRESS, ~0UL};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        is(syscall(SYS_arch_prctl, ARCH_SET_GS, bad[i]) == -1 ? errno : 0, EPERM,
           "a GS base of 0x%lx is EPERM", bad[i]);
        is(syscall(SYS_arch_prctl, ARCH_SET_FS, bad[i]) == -1 ? errno : 0, EPERM,
           "an FS base of 0x%lx is EPERM", bad[i]);
    }
}

/* Calls that give a program access to the kernel, the machine or other programs. */
static void test_absent_calls(void)
{
    static const struct {
        const char *name;
        long number;
    } absent[] = {{"ptrace", SYS_ptrace},
                  {"modify_ldt", SYS_modify_ldt},
                  {"iopl", SYS_iopl},
                  {"ioperm", SYS_ioperm},
                  {"init_module", SYS_init_module},
                  {"finit_module", SYS_finit_module},
                  {"kexec_load", SYS_kexec_load},
                  {"bpf", SYS_bpf},
                  {"perf_event_open", SYS_perf_event_open},
                  {"userfaultfd", SYS_userfaultfd},
                  {"set_thread_area", SYS_set_thread_area}};
    static const long numbers[] = {512, 0x7fffffff, 0x40000000 + SYS_getpid, 0xffffffff, -1};

    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++) {
        if (on_linux()) {
            skip("Linux has it", "%s", absent[i].name);
            continue;
        }
        is(syscall(absent[i].number, 0, getpid(), scratch, 0, 0, 0) == -1 ? errno : 0, ENOSYS,
           "%s is ENOSYS", absent[i].name);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        is(syscall(numbers[i]) == -1 ? errno : 0, ENOSYS, "call number %ld is ENOSYS", numbers[i]);
    }
}

static void test_no_windows(void)
{
    static const char *const windows[] = {"/dev/mem",    "/dev/kmem",      "/dev/port",
                                          "/proc/kcore", "/proc/kallsyms", "/proc/self/mem"};

    for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++) {
        if (on_linux()) {
            skip("Linux has it", "%s", windows[i]);
            continue;
        }
        is(open(windows[i], O_RDWR) == -1 ? errno : 0, ENOENT, "there is no %s", windows[i]);
    }
}

static void test_page_zero(void)
{
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    char *area = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, flags, -1, 0);

    if (on_linux()) {
        skip("root may do so on Linux", "page 0");
        munmap(area, PAGE);
        return;
    }
    ok(mmap(NULL, PAGE, PROT_READ, flags | MAP_FIXED, -1, 0) == MAP_FAILED,
       "mmap does not map page 0");
    ok(mmap(NULL, PAGE, PROT_READ, flags | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED,
       "nor with MAP_FIXED_NOREPLACE");
    ok(mremap(area, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, NULL) == MAP_FAILED,
       "mremap does not move there");
    is(read_signal(NULL), SIGSEGV, "and a read of it faults");
    munmap(area, PAGE);
}

/* W^X applies to each mapping: one page of a file may be writable here and executable there. */
static void test_two_mappings(void)
{
    int fd = temporary_file(PAGE);
    char *writable = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *executable = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);

    ok(writable != MAP_FAILED && executable != MAP_FAILED,
       "a page of a file is mapped writable and, elsewhere, executable");
    writable[0] = (char)RET_INSTRUCTION;
    is(call_signal(executable), 0, "what is written through the one is run through the other");
    is(write_signal(executable), SIGSEGV, "the executable one cannot be written");
    is(call_signal(writable), SIGSEGV, "the writable one cannot be executed");
    if (!on_linux()) {
        is(mprotect(executable, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) == -1 ? errno : 0, EACCES,
           "neither becomes both");
    }
    munmap(writable, PAGE);
    munmap(executable, PAGE);
    close(fd);
}

static void test_attacks(void)
{
    test_instructions();
    test_umip();
    test_far_transfers();
    test_data_selectors();
    test_segment_bases();
    test_absent_calls();
    test_no_windows();
    test_page_zero();
    test_two_mappings();
    ok(getpid() > 0, "and the kernel goes on");
}

/*
 * Runs the program `fault` once for each mode of faults.tsv. Each run must end by the signal that
 * the table gives, and this program and the kernel go on.
 */

#define MAX_TABLE 16384

static const struct {
    const char *name;
    int number;
} signals[] = {{"SIGSEGV", SIGSEGV}, {"SIGBUS", SIGBUS},   {"SIGILL", SIGILL},
               {"SIGFPE", SIGFPE},   {"SIGTRAP", SIGTRAP}, {"SIGABRT", SIGABRT}};

static int signal_number(const char *name)
{
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        if (strcmp(signals[i].name, name) == 0) {
            return signals[i].number;
        }
    }
    return -1;
}

/*
 * Modes that behave differently under QEMU's TCG: it treats icebp as an invalid opcode, never
 * raises a SIMD exception, and raises #GP instead of #SS.
 */
static bool unknown_to_tcg(const char *mode)
{
    unsigned eax = 0x40000000; /* the hypervisor's leaf */
    unsigned words[3] = {0};

    __asm__ volatile("cpuid" : "+a"(eax), "=b"(words[0]), "=c"(words[1]), "=d"(words[2]));
    return memcmp(words, "TCGTCGTCGTCG", 12) == 0 &&
           (strcmp(mode, "icebp") == 0 || strcmp(mode, "sse-divide") == 0 ||
            strcmp(mode, "non-canonical-stack") == 0);
}

static void test_mode(const char *mode, const char *signal)
{
    if (unknown_to_tcg(mode)) {
        skip("QEMU's TCG does otherwise", "%s ends a program by %s", mode, signal);
        return;
    }
    int status = WITHOUT_CORE(run("fault", mode, NULL, NULL));

    ok(status == KILLED(signal_number(signal)), "%s ends a program by %s", mode, signal);
    if (status != KILLED(signal_number(signal))) {
        diag("it ended with %s", status_text(status));
    }
}

/* Parses the table without changing it: names end at the next tab. Returns the number of modes. */
static unsigned test_table(char *text)
{
    unsigned modes = 0;
    char *rest = NULL;

    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        char *word = NULL;
        const char *mode = strtok_r(line, "\t", &word);
        const char *signal = strtok_r(NULL, "\t", &word);
        if (mode != NULL && mode[0] != '#' && signal != NULL) {
            test_mode(mode, signal);
            modes++;
        }
    }
    return modes;
}

static void test_faults(void)
{
    static char text[MAX_TABLE + 1];

    int fd = open(beside("faults.tsv"), O_RDONLY);
    ssize_t size = read(fd, text, MAX_TABLE);
    close(fd);
    ok(size > 0 && size < MAX_TABLE, "faults.tsv is read");
    unsigned modes = test_table(text);
    ok(modes >= 40, "%u modes were tried", modes);
}

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    test_attacks();
    test_faults();
    return tap_end();
}
