#include "trap/explain.h"

#include "dev/print.h"
#include "exec/image.h"
#include "file/proc.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/aspace.h"
#include "task/process.h"
#include "trap/trap.h"

#define LEVELS       4
#define PAGE_BITS    12
#define INDEX_BITS   9
#define STACK_LINES  16
#define SELECTOR_IDT BIT(1) /* of an error code that names a selector (SDM, "Error Code") */
#define SELECTOR_LDT BIT(2)

struct bit_name {
    uint64_t bit;
    const char *name;
};

static const struct bit_name rflags_bits[] = {
    {RFLAGS_CF, "CF"}, {RFLAGS_PF, "PF"}, {RFLAGS_AF, "AF"}, {RFLAGS_ZF, "ZF"}, {RFLAGS_SF, "SF"},
    {RFLAGS_TF, "TF"}, {RFLAGS_IF, "IF"}, {RFLAGS_DF, "DF"}, {RFLAGS_OF, "OF"}, {RFLAGS_NT, "NT"},
    {RFLAGS_RF, "RF"}, {RFLAGS_AC, "AC"}, {RFLAGS_ID, "ID"}, {0, NULL},
};

static const struct bit_name cr0_bits[] = {
    {CR0_PE, "PE"}, {CR0_MP, "MP"}, {CR0_EM, "EM"}, {CR0_TS, "TS"}, {CR0_NE, "NE"}, {CR0_WP, "WP"},
    {CR0_AM, "AM"}, {CR0_NW, "NW"}, {CR0_CD, "CD"}, {CR0_PG, "PG"}, {0, NULL},
};

static const struct bit_name cr4_bits[] = {
    {CR4_TSD, "TSD"},   {CR4_PAE, "PAE"},           {CR4_PGE, "PGE"},
    {CR4_PCE, "PCE"},   {CR4_OSFXSR, "OSFXSR"},     {CR4_OSXMMEXCPT, "OSXMMEXCPT"},
    {CR4_UMIP, "UMIP"}, {CR4_FSGSBASE, "FSGSBASE"}, {CR4_OSXSAVE, "OSXSAVE"},
    {CR4_SMEP, "SMEP"}, {CR4_SMAP, "SMAP"},         {0, NULL},
};

static void name_bits(uint64_t value, const struct bit_name *names, char *buf, size_t size)
{
    size_t n = 0;
    buf[0] = '\0';
    for (; names->name; names++)
        if ((value & names->bit) && n < size)
            n += format(buf + n, size - n, " %s", names->name);
}

static const char *access_text(unsigned access)
{
    return access == ACCESS_EXEC ? "execute" : access == ACCESS_WRITE ? "write" : "read";
}

/* Vectors whose error code names a selector. */
static bool has_selector(uint64_t vector)
{
    return vector == VEC_TS || vector == VEC_NP || vector == VEC_SS || vector == VEC_GP;
}

static void explain_page_fault(uint64_t error, char *buf, size_t size)
{
    const char *who = error & PF_US ? "the program" : "the kernel";
    const char *verb = error & PF_ID ? "executed" : error & PF_WR ? "wrote to" : "read from";
    const char *page = error & PF_RSVD ? "a page whose entry has a reserved bit set"
                       : error & PF_P  ? "a page that is present but does not allow it"
                                       : "a page that is not present";
    format(buf, size, "page fault: %s %s %s", who, verb, page);
}

void explain_exception(const struct trap_frame *frame, char *buf, size_t size)
{
    uint64_t error = frame->error;
    const char *table = error & SELECTOR_IDT ? "IDT" : error & SELECTOR_LDT ? "LDT" : "GDT";
    if (frame->vector == VEC_PF)
        explain_page_fault(error, buf, size);
    else if (has_selector(frame->vector) && error != 0)
        format(buf, size, "%s: caused by entry %lu of the %s", exception_text(frame->vector),
               error >> 3, table);
    else if (has_selector(frame->vector))
        format(buf, size, "%s: no selector is the cause", exception_text(frame->vector));
    else
        format(buf, size, "%s", exception_text(frame->vector));
}

/* The bits of a table's entry in words. */
static void describe_entry(uint64_t entry, bool is_leaf, char *buf, size_t size)
{
    format(buf, size, "%s, %s, %s, %s %#lx", entry & PTE_RW ? "writable" : "read-only",
           entry & PTE_US ? "user" : "kernel only",
           entry & PTE_XD ? "not executable" : "executable",
           is_leaf ? "the page is at" : "next table at", phys(entry & PTE_ADDRESS).value);
}

/* Prints one level; returns true and moves *table if the walk goes on. */
static bool explain_level(unsigned level, phys_t *table, virt_t address)
{
    static const char *const names[LEVELS + 1] = {"", "PT", "PD", "PDPT", "PML4"};
    unsigned shift = PAGE_BITS + INDEX_BITS * (level - 1);
    unsigned index = address.value >> shift & (PT_ENTRIES - 1);
    if (!frame_exists(*table)) {
        print("walk: the %s at %#lx is not in memory", names[level], table->value);
        return false;
    }
    uint64_t entry = ((const uint64_t *)phys_ptr(*table))[index];
    bool is_leaf = level == 1 || (entry & PTE_PS);
    char text[96];
    if (!(entry & PTE_P)) {
        print("walk: %s entry %u is %#lx: not present, so nothing is mapped in these %lu KiB",
              names[level], index, entry, 1ul << (shift - 10));
        return false;
    }
    describe_entry(entry, is_leaf, text, sizeof(text));
    print("walk: %s entry %u is %#lx: %s", names[level], index, entry, text);
    *table = phys(entry & PTE_ADDRESS);
    return !is_leaf;
}

void explain_walk(phys_t root, virt_t address)
{
    uint64_t top = address.value >> 47;
    if (top != 0 && top != UINT64_MAX >> 47) {
        print("walk: %#lx is not canonical: bits 63 to 47 differ, so no table is read",
              address.value);
        return;
    }
    print("walk: %#lx, from the PML4 at %#lx", address.value, root.value);
    for (unsigned level = LEVELS; level > 0 && explain_level(level, &root, address); level--)
        ;
}

static void describe_area(const struct vma *vma, const struct process *process, char *buf,
                          size_t size)
{
    const char *name = proc_area_name(vma, process);
    format(buf, size, "%#lx-%#lx %c%c%c %s", vma->start.value, vma->end.value,
           vma->prot & PROT_READ ? 'r' : '-', vma->prot & PROT_WRITE ? 'w' : '-',
           vma->prot & PROT_EXEC ? 'x' : '-', name[0] ? name : "(no file)");
}

static void print_neighbours(struct vma_set *areas, const struct vma *above,
                             const struct process *process, virt_t address)
{
    char text[128];
    const struct vma *below = vma_below(areas, above);
    print("area: none has %#lx", address.value);
    if (below) {
        describe_area(below, process, text, sizeof(text));
        print("area: %lu bytes above the end of %s", virt_distance(below->end, address), text);
    }
    if (above) {
        describe_area(above, process, text, sizeof(text));
        print("area: %lu bytes below the start of %s", virt_distance(address, above->start), text);
    }
}

void explain_area(const struct process *process, virt_t address, unsigned access)
{
    char text[128];
    if (!process || !process->aspace || address.value >= USER_END)
        return;
    struct vma_set *areas = &process->aspace->areas;
    struct vma *vma = vma_search(areas, address);
    if (!vma || vma->start.value > address.value) {
        print_neighbours(areas, vma, process, address);
        return;
    }
    describe_area(vma, process, text, sizeof(text));
    print("area: %s has it %s %s", text,
          vma->prot & access ? "and allows the" : "and would need the right to",
          access_text(access));
}

void explain_registers(const struct trap_frame *frame, uint64_t cr0, uint64_t cr4)
{
    char flags[64], zero[64], four[96];
    name_bits(frame->rflags, rflags_bits, flags, sizeof(flags));
    name_bits(cr0, cr0_bits, zero, sizeof(zero));
    name_bits(cr4, cr4_bits, four, sizeof(four));
    print("registers: ring %lu, rflags:%s, cr0:%s, cr4:%s", frame->cs & 3, flags, zero, four);
}

/* Reads a word of the process's memory if its page is present. */
static bool read_word(const struct process *process, virt_t address, uint64_t *out)
{
    const pte_t *entry = address.value < USER_END ? pt_lookup(&process->aspace->pt, address) : NULL;
    if (!entry || !(*entry & PTE_P) || address.value % sizeof(*out))
        return false;
    *out = ((const uint64_t *)phys_ptr(phys(*entry & PTE_ADDRESS)))[address.value % PAGE_SIZE / 8];
    return true;
}

static void print_stack(const struct process *process, uint64_t rsp)
{
    for (unsigned line = 0; line < STACK_LINES; line++) {
        char text[96];
        size_t size = 0;
        uint64_t start = rsp, word;
        while (rsp < start + 32 && read_word(process, virt(rsp), &word)) {
            size += format(text + size, sizeof(text) - size, " %lx", word);
            rsp += sizeof(word);
        }
        if (rsp == start)
            return;
        print("stack: %#lx:%s", start, text);
    }
}

/* The executable parts of files: with them the host finds symbols. */
static void print_code(const struct process *process)
{
    struct vma_set *areas = &process->aspace->areas;
    for (const struct vma *vma = vma_search(areas, virt(0)); vma; vma = vma_next(areas, vma))
        if (vma->inode && (vma->prot & PROT_EXEC))
            print("code: %#lx-%#lx %s from %#lx", vma->start.value, vma->end.value,
                  proc_area_name(vma, process), vma->page_index << PAGE_BITS);
}

void explain_stack(const struct process *process, const struct trap_frame *frame)
{
    if (!process || !process->aspace || !(frame->cs & 3))
        return;
    print("user: rip %#lx rsp %#lx rbp %#lx rbx %#lx", frame->rip, frame->rsp, frame->rbp,
          frame->rbx);
    print("user: r12 %#lx r13 %#lx r14 %#lx r15 %#lx", frame->r12, frame->r13, frame->r14,
          frame->r15);
    print_code(process);
    print_stack(process, frame->rsp);
}

void explain_fault(const struct trap_frame *frame, const virt_t *address)
{
    char text[128];
    explain_exception(frame, text, sizeof(text));
    print("fault: %s", text);
    print("fault: rip %016lx rsp %016lx rflags %08lx rbp %016lx", frame->rip, frame->rsp,
          frame->rflags, frame->rbp);
    print("fault: rax %016lx rbx %016lx rcx %016lx rdx %016lx", frame->rax, frame->rbx, frame->rcx,
          frame->rdx);
    print("fault: rsi %016lx rdi %016lx r8  %016lx r9  %016lx", frame->rsi, frame->rdi, frame->r8,
          frame->r9);
    if (address) {
        explain_walk(frame_phys(current_process->aspace->pt.root), *address);
        explain_area(current_process, *address, explain_access(frame->error));
    }
    explain_stack(current_process, frame);
}
