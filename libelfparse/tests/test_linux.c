/*
 * Linux as the oracle: thousands of generated files, each given to the host's own execve, stopped
 * before its first instruction. What the library accepts under linux-compat Linux must run, at the
 * same entry, with the same pages, permissions and bytes. The other way round the library may be
 * stricter.
 *
 * Two differences are allowed by fuzz/divergences.tsv: Linux's pages of zeros are writable even without
 * PF_W (L10), and it maps a page of the file for an empty p_filesz (L3).
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <elfparse/elfparse.h>

#include "divergence.h"

#define FILE_SIZE 20480u
#define MAX_MAPS  64
#define PAGE      UINT64_C(4096)

/* What the table of differences allows. */
static bool zeros_are_writable, file_page_is_shown;

static uint64_t state = 88172645463325252u;

static uint64_t rnd(uint64_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 11) % below;
}

struct map {
    uint64_t start, end;
    uint32_t prot;
};

/* What the process looks like before its first instruction. */
struct process {
    pid_t pid;
    int error; /* errno of execve, 0: it runs */
    int memory;
    uint64_t rip;
    unsigned map_count;
    struct map maps[MAX_MAPS];
};

static uint8_t file[FILE_SIZE];
static Elf64_Phdr phdrs[8];
static unsigned phnum;

/* A segment that is mostly right: congruent, in order, inside the file, never W and X. */
static uint64_t generate_load(Elf64_Phdr *phdr, uint64_t above)
{
    static const uint32_t flags[] = {PF_R, PF_R | PF_X, PF_R | PF_W, PF_R | PF_W};
    uint64_t unit = rnd(8) ? PAGE : PAGE << rnd(3);

    memset(phdr, 0, sizeof(*phdr));
    phdr->p_type = PT_LOAD;
    phdr->p_flags = rnd(40) ? flags[rnd(4)] : (uint32_t)rnd(8);
    phdr->p_offset = rnd(5) * PAGE + (rnd(2) ? rnd(PAGE) : 0);
    if (phdr->p_offset > FILE_SIZE)
        phdr->p_offset = 0;
    phdr->p_filesz = rnd(12) ? rnd(FILE_SIZE - phdr->p_offset + 1) : 0;
    phdr->p_memsz = phdr->p_filesz;
    if (phdr->p_flags & PF_W || rnd(40) == 0)
        phdr->p_memsz += rnd(2) ? rnd(0x6000) : 0;
    phdr->p_align = rnd(20) ? unit : rnd(20);
    phdr->p_vaddr = above + rnd(4) * unit;
    phdr->p_vaddr += (phdr->p_offset - phdr->p_vaddr) % unit;
    if (rnd(40) == 0)
        phdr->p_vaddr += rnd(2) ? 1 : PAGE;
    phdr->p_paddr = phdr->p_vaddr;
    return (phdr->p_vaddr + phdr->p_memsz + (rnd(30) ? PAGE - 1 : 0)) & ~(PAGE - 1);
}

static void generate_other(Elf64_Phdr *phdr)
{
    static const uint32_t types[] = {PT_GNU_STACK, PT_NULL,      PT_TLS,
                                     PT_NOTE,      PT_GNU_RELRO, 0x60000000};

    memset(phdr, 0, sizeof(*phdr));
    phdr->p_type = types[rnd(6)];
    phdr->p_flags = PF_R | (rnd(2) ? PF_W : 0);
}

static void spoil(Elf64_Ehdr *ehdr)
{
    Elf64_Phdr *phdr = &phdrs[rnd(phnum)];

    switch (rnd(9)) {
    case 8: /* L13 */
        phdr->p_filesz = phdr->p_memsz = 0;
        phdr->p_vaddr = rnd(2) ? UINT64_C(0x7fffffffe000) + rnd(0x2000) : UINT64_MAX - rnd(0x10000);
        break;
    case 0:
        ehdr->e_entry = rnd(0x10000000);
        break;
    case 1:
        phdr->p_filesz = rnd(0x20000);
        break;
    case 2:
        phdr->p_memsz = rnd(0x20000);
        break;
    case 3:
        phdr->p_offset = rnd(0x20000);
        break;
    case 4:
        phdr->p_vaddr = rnd(2) ? rnd(0x1000000) : UINT64_MAX - rnd(0x10000);
        break;
    case 5:
        phdr->p_align = UINT64_C(1) << rnd(30);
        break;
    case 6:
        phdr->p_flags = (uint32_t)rnd(16);
        break;
    default:
        ehdr->e_ident[rnd(16)] ^= (uint8_t)(1u << rnd(8));
    }
}

static void generate(void)
{
    Elf64_Ehdr ehdr = {.e_type = rnd(3) ? ET_EXEC : ET_DYN,
                       .e_machine = EM_X86_64,
                       .e_version = 1,
                       .e_phoff = 64,
                       .e_ehsize = 64,
                       .e_phentsize = 56};
    uint64_t above = ehdr.e_type == ET_EXEC ? 0x400000 + rnd(64) * PAGE : rnd(3) * PAGE;

    for (size_t i = 0; i < FILE_SIZE; i += 8) {
        uint64_t word = rnd(UINT64_MAX);

        memcpy(file + i, &word, 8);
    }
    memcpy(ehdr.e_ident, "\177ELF\2\1\1", 7);
    phnum = 1 + (unsigned)rnd(6);
    for (unsigned i = 0; i < phnum; i++) {
        if (rnd(5) == 0) {
            generate_other(&phdrs[i]);
            continue;
        }
        above = generate_load(&phdrs[i], above);
        if (phdrs[i].p_flags & PF_X && phdrs[i].p_filesz)
            ehdr.e_entry = phdrs[i].p_vaddr + rnd(phdrs[i].p_filesz);
    }
    ehdr.e_phnum = (uint16_t)phnum;
    if (rnd(3) == 0)
        spoil(&ehdr);
    memset(file, 0, 1024);
    memcpy(file, &ehdr, sizeof(ehdr));
    memcpy(file + 64, phdrs, phnum * sizeof(phdrs[0]));
}

static void read_maps(struct process *process)
{
    char path[64], line[512], prot[8];
    FILE *maps;

    snprintf(path, sizeof(path), "/proc/%d/maps", process->pid);
    maps = fopen(path, "r");
    process->map_count = 0;
    while (maps != NULL && fgets(line, sizeof(line), maps) != NULL) {
        struct map *map = &process->maps[process->map_count];

        if (sscanf(line, "%lx-%lx %7s", &map->start, &map->end, prot) != 3 ||
            strstr(line, "[") != NULL || process->map_count + 1 == MAX_MAPS)
            continue;
        map->prot =
            (prot[0] == 'r' ? 4u : 0) | (prot[1] == 'w' ? 2u : 0) | (prot[2] == 'x' ? 1u : 0);
        process->map_count++;
    }
    if (maps != NULL)
        fclose(maps);
    snprintf(path, sizeof(path), "/proc/%d/mem", process->pid);
    process->memory = open(path, O_RDONLY | O_CLOEXEC);
}

static void child(int fd, int report)
{
    char *const argv[] = {"x", NULL}, *const envp[] = {NULL};
    int error;

    personality(ADDR_NO_RANDOMIZE);
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    execveat(fd, "", argv, envp, AT_EMPTY_PATH);
    error = errno;
    if (write(report, &error, sizeof(error)) != sizeof(error))
        _exit(2);
    _exit(1);
}

/* Starts the file and stops it; returns 0 where the machine does not let us. */
static int start(struct process *process)
{
    int fd = memfd_create("elf", MFD_CLOEXEC), report[2], status;

    if (fd < 0 || write(fd, file, FILE_SIZE) != FILE_SIZE || pipe2(report, O_CLOEXEC) != 0)
        return 0;
    process->pid = fork();
    if (process->pid == 0)
        child(fd, report[1]);
    close(fd);
    close(report[1]);
    if (process->pid < 0 || waitpid(process->pid, &status, 0) != process->pid)
        return 0;
    process->error = 0;
    process->memory = -1;
    if (WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP) {
        struct user_regs_struct regs;

        ptrace(PTRACE_GETREGS, process->pid, NULL, &regs);
        process->rip = regs.rip;
        read_maps(process);
    } else if (read(report[0], &process->error, sizeof(int)) != sizeof(int)) {
        process->error = -1; /* killed by execve itself, after its point of no return */
    }
    close(report[0]);
    return 1;
}

static void end(struct process *process)
{
    kill(process->pid, SIGKILL);
    waitpid(process->pid, NULL, 0);
    if (process->memory >= 0)
        close(process->memory);
}

static const struct map *map_of(const struct process *process, uint64_t addr)
{
    for (unsigned i = 0; i < process->map_count; i++) {
        if (addr - process->maps[i].start < process->maps[i].end - process->maps[i].start)
            return &process->maps[i];
    }
    return NULL;
}

/* Bytes of a page as the plan has it: the file's, then zeros. */
static void expected_page(const struct elfparse_range *r, uint64_t into, uint8_t page[4096])
{
    uint64_t left = r->file_bytes > into ? r->file_bytes - into : 0;

    memset(page, 0, PAGE);
    if (left != 0)
        memcpy(page, file + r->offset + into, left < PAGE ? left : PAGE);
}

/* An empty p_filesz at an odd address: Linux maps a page of the file there, and shows it. */
static int shows_file_page(const struct elfparse_range *r)
{
    const Elf64_Phdr *phdr = &phdrs[r->segment];

    return file_page_is_shown && r->kind == ELFPARSE_RANGE_ZERO && phdr->p_filesz == 0 &&
           phdr->p_vaddr % PAGE != 0;
}

static const char *compare_range(const struct process *process, const struct elfparse_range *r,
                                 uint64_t bias)
{
    for (uint64_t into = 0; into < r->size; into += PAGE) {
        uint64_t addr = r->vaddr + bias + into;
        const struct map *map = map_of(process, addr);
        uint8_t want[4096], got[4096];

        if (map == NULL)
            return "a page is missing";
        if (r->kind == ELFPARSE_RANGE_ZERO && zeros_are_writable ? (map->prot & 1) != (r->prot & 1)
                                                                 : map->prot != r->prot)
            return "permissions differ";
        expected_page(r, into, want);
        if (r->prot & 4 && !(into == 0 && shows_file_page(r)) &&
            (pread(process->memory, got, PAGE, (off_t)addr) != (ssize_t)PAGE ||
             memcmp(got, want, PAGE) != 0))
            return "bytes differ";
    }
    return NULL;
}

static const char *compare(const struct process *process, const struct elfparse_plan *plan)
{
    uint64_t bias = process->rip - plan->entry, ours = 0, theirs = 0;

    if (plan->type == ELFPARSE_ET_EXEC ? bias != 0 : bias % PAGE != 0)
        return "entry differs";
    for (uint32_t i = 0; i < plan->range_count; i++) {
        const char *problem = compare_range(process, &plan->ranges[i], bias);

        if (problem != NULL)
            return problem;
        ours += plan->ranges[i].size;
    }
    for (unsigned i = 0; i < process->map_count; i++)
        theirs += process->maps[i].end - process->maps[i].start;
    return ours == theirs ? NULL : "Linux maps other pages too";
}

/*
 * Where an ET_DYN goes depends on its first PT_LOAD in Linux: one without file bytes is not placed
 * anywhere but keeps the addresses of the file, near 0. And it reserves the span from the first to
 * the last PT_LOAD, empty ones included (L13), which may be larger than what is free.
 */
static int linux_cannot_place(const struct elfparse_plan *plan)
{
    const uint64_t most = UINT64_C(1) << 46;
    const Elf64_Phdr *first = NULL;
    int far = 0;

    for (unsigned i = 0; i < phnum; i++) {
        if (phdrs[i].p_type != PT_LOAD)
            continue;
        first = first != NULL ? first : &phdrs[i];
        far |= phdrs[i].p_memsz == 0 && phdrs[i].p_vaddr - plan->start > most;
    }
    return plan->type == ELFPARSE_ET_DYN && (far || first->p_filesz == 0);
}

struct counts {
    unsigned accepted, linux_runs, stricter, wrong;
};

static void check_one(unsigned number, struct counts *counts)
{
    static uint8_t scratch[ELFPARSE_SCRATCH_USUAL];
    static struct elfparse_range ranges[32];
    struct elfparse_storage storage = {scratch, sizeof(scratch), ranges, 32};
    struct elfparse_reader reader = elfparse_reader_memory(file, FILE_SIZE);
    struct elfparse_plan plan;
    struct process process;
    const char *problem = NULL;
    int code;

    generate();
    code = elfparse_plan_make(&reader, &elfparse_policy_linux_compat, &storage, &plan, NULL);
    if (!start(&process)) {
        puts("skipped: cannot start and trace a process here");
        exit(77);
    }
    counts->accepted += code == 0;
    counts->linux_runs += process.error == 0;
    counts->stricter += code != 0 && process.error == 0;
    if (code == 0 && plan.entry != 0 && process.error == 0)
        problem = compare(&process, &plan);
    else if (code == 0 && plan.entry != 0 && process.error != 0 && !linux_cannot_place(&plan))
        problem = "Linux does not run it";
    end(&process);
    if (problem != NULL) {
        printf("file %u: %s (errno %d)\n", number, problem, process.error);
        counts->wrong++;
    }
}

int main(int argc, char **argv)
{
    unsigned files = argc > 1 ? (unsigned)atoi(argv[1]) : 20000;
    struct counts counts = {0, 0, 0, 0};

    if (argc > 2)
        state ^= strtoull(argv[2], NULL, 0);
    zeros_are_writable = divergence_allowed("execve", "L10");
    file_page_is_shown = divergence_allowed("execve", "L3");
    for (unsigned i = 0; i < files && counts.wrong < 10; i++)
        check_one(i, &counts);
    printf("%u files: %u accepted here, %u run by Linux, %u of these refused here, %u wrong\n",
           files, counts.accepted, counts.linux_runs, counts.stricter, counts.wrong);
    return counts.wrong != 0 || counts.accepted < files / 10;
}
