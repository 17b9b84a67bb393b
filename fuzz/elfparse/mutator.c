#include "mutator.h"

#include <elf.h>
#include <string.h>

/* libFuzzer's own mutations. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

#define PAGE 4096u

/* xorshift; the fuzzer hands in the seed, so that runs repeat. */
static uint64_t state;

static uint64_t rnd(uint64_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % below;
}

struct elf {
    uint8_t *data;
    size_t size;
    Elf64_Ehdr ehdr;
    Elf64_Phdr phdrs[64];
    unsigned phnum;
};

static int load(struct elf *elf)
{
    if (elf->size < sizeof(elf->ehdr))
        return 0;
    memcpy(&elf->ehdr, elf->data, sizeof(elf->ehdr));
    elf->phnum = 0;
    while (elf->phnum < 64 && elf->phnum < elf->ehdr.e_phnum && elf->ehdr.e_phoff < elf->size &&
           (elf->size - elf->ehdr.e_phoff) / sizeof(Elf64_Phdr) > elf->phnum) {
        memcpy(&elf->phdrs[elf->phnum],
               elf->data + elf->ehdr.e_phoff + elf->phnum * sizeof(Elf64_Phdr), sizeof(Elf64_Phdr));
        elf->phnum++;
    }
    return elf->phnum != 0;
}

static void store(struct elf *elf)
{
    memcpy(elf->data, &elf->ehdr, sizeof(elf->ehdr));
    if (elf->ehdr.e_phoff <= elf->size &&
        elf->phnum * sizeof(Elf64_Phdr) <= elf->size - elf->ehdr.e_phoff)
        memcpy(elf->data + elf->ehdr.e_phoff, elf->phdrs, elf->phnum * sizeof(Elf64_Phdr));
}

/* Numbers at which rules change their mind. */
static uint64_t telling_number(const struct elf *elf)
{
    const Elf64_Phdr *other = &elf->phdrs[rnd(elf->phnum)];
    const uint64_t numbers[] = {
        0,
        1,
        2,
        4,
        8,
        16,
        PAGE,
        PAGE - 1,
        0x1000 * rnd(16),
        elf->size,
        elf->size - 1,
        elf->size + 1,
        other->p_vaddr,
        other->p_vaddr + other->p_memsz,
        other->p_vaddr + other->p_filesz,
        other->p_offset,
        other->p_offset + other->p_filesz,
        other->p_filesz,
        other->p_memsz,
        UINT64_MAX,
        UINT64_MAX - PAGE,
        UINT64_MAX - PAGE + 1,
        0x7ffffffff000,
        (uint64_t)1 << rnd(64),
        elf->phnum * sizeof(Elf64_Phdr),
        rnd(0x10000),
    };
    uint64_t number = numbers[rnd(sizeof(numbers) / sizeof(numbers[0]))];

    return rnd(3) == 0 ? number + rnd(3) - 1 : number;
}

static void change_field(struct elf *elf)
{
    static const uint32_t types[] = {PT_NULL,      PT_LOAD,      PT_LOAD,         PT_DYNAMIC,
                                     PT_INTERP,    PT_NOTE,      PT_PHDR,         PT_TLS,
                                     PT_GNU_STACK, PT_GNU_RELRO, PT_GNU_PROPERTY, PT_GNU_EH_FRAME};
    Elf64_Phdr *phdr = &elf->phdrs[rnd(elf->phnum)];

    switch (rnd(8)) {
    case 0:
        phdr->p_type = types[rnd(sizeof(types) / sizeof(types[0]))];
        break;
    case 1:
        phdr->p_flags = rnd(4) ? (uint32_t)rnd(8) : 1u << rnd(32);
        break;
    case 2:
        phdr->p_offset = telling_number(elf);
        break;
    case 3:
        phdr->p_vaddr = telling_number(elf);
        break;
    case 4:
        phdr->p_filesz = telling_number(elf);
        break;
    case 5:
        phdr->p_memsz = telling_number(elf);
        break;
    case 6:
        phdr->p_align = rnd(2) ? (uint64_t)1 << rnd(20) : telling_number(elf);
        break;
    default:
        elf->ehdr.e_entry = telling_number(elf);
    }
}

static void move_headers(struct elf *elf)
{
    unsigned a = (unsigned)rnd(elf->phnum), b = (unsigned)rnd(elf->phnum);
    Elf64_Phdr saved = elf->phdrs[a];

    elf->phdrs[a] = elf->phdrs[b];
    if (rnd(2))
        elf->phdrs[b] = saved;
}

static void change_ehdr(struct elf *elf)
{
    static const uint16_t types[] = {ET_EXEC, ET_DYN, ET_REL, ET_CORE};

    switch (rnd(4)) {
    case 0:
        elf->ehdr.e_type = types[rnd(8) % 4];
        break;
    case 1:
        elf->ehdr.e_phnum = (uint16_t)(elf->phnum + rnd(5) - 2);
        break;
    case 2:
        elf->ehdr.e_ident[4 + rnd(12)] = (uint8_t)rnd(4);
        break;
    default:
        elf->ehdr.e_phoff = 8 * rnd(elf->size / 8 + 1);
    }
}

/* One segment, put after those before it, congruent and inside the file. */
static uint64_t mend_load(const struct elf *elf, Elf64_Phdr *phdr, uint64_t above)
{
    if (phdr->p_align & (phdr->p_align - 1) || phdr->p_align > 0x10000)
        phdr->p_align = PAGE;
    phdr->p_flags &= 7;
    if ((phdr->p_flags & 3) == 3)
        phdr->p_flags &= rnd(2) ? ~1u : ~2u;
    if (phdr->p_filesz > elf->size)
        phdr->p_filesz = rnd(elf->size);
    if (phdr->p_offset > elf->size - phdr->p_filesz)
        phdr->p_offset = rnd(elf->size - phdr->p_filesz + 1);
    if (phdr->p_memsz > 0x100000)
        phdr->p_memsz = rnd(0x10000);
    if (phdr->p_memsz < phdr->p_filesz || !(phdr->p_flags & PF_W))
        phdr->p_memsz = phdr->p_filesz;
    if (phdr->p_vaddr < above || phdr->p_vaddr > above + 0x100000)
        phdr->p_vaddr = above + PAGE * rnd(3);
    uint64_t unit = phdr->p_align > PAGE ? phdr->p_align : PAGE;
    phdr->p_vaddr += (phdr->p_offset - phdr->p_vaddr) & (unit - 1);
    return (phdr->p_vaddr + phdr->p_memsz + PAGE - 1) & ~(uint64_t)(PAGE - 1);
}

/* A header that must lie inside a segment. */
static void mend_inside(const struct elf *elf, Elf64_Phdr *phdr)
{
    const Elf64_Phdr *load = &elf->phdrs[rnd(elf->phnum)];

    if (load->p_type != PT_LOAD || load->p_filesz == 0)
        return;
    uint64_t into = rnd(load->p_filesz);

    phdr->p_offset = load->p_offset + into;
    phdr->p_vaddr = load->p_vaddr + into;
    if (phdr->p_filesz > load->p_filesz - into)
        phdr->p_filesz = (load->p_filesz - into) & ~(uint64_t)15;
}

static void mend(struct elf *elf)
{
    uint64_t above = elf->ehdr.e_type == ET_EXEC ? 0x400000 : 0;

    memcpy(elf->ehdr.e_ident, "\177ELF\2\1\1", 7);
    if (elf->ehdr.e_type != ET_EXEC)
        elf->ehdr.e_type = ET_DYN;
    elf->ehdr.e_machine = EM_X86_64;
    elf->ehdr.e_version = 1;
    elf->ehdr.e_ehsize = 64;
    elf->ehdr.e_phentsize = 56;
    elf->ehdr.e_phnum = (uint16_t)elf->phnum;
    for (unsigned i = 0; i < elf->phnum; i++) {
        Elf64_Phdr *phdr = &elf->phdrs[i];

        if (phdr->p_type == PT_LOAD) {
            above = mend_load(elf, phdr, above);
            if (phdr->p_flags & PF_X && phdr->p_filesz && rnd(2))
                elf->ehdr.e_entry = phdr->p_vaddr + rnd(phdr->p_filesz);
        }
    }
    for (unsigned i = 0; i < elf->phnum; i++) {
        Elf64_Phdr *phdr = &elf->phdrs[i];

        if ((phdr->p_type == PT_DYNAMIC || phdr->p_type == PT_TLS ||
             phdr->p_type == PT_GNU_RELRO) &&
            rnd(3) == 0)
            mend_inside(elf, phdr);
        if (phdr->p_type == PT_PHDR) {
            phdr->p_offset = elf->ehdr.e_phoff;
            phdr->p_filesz = elf->phnum * sizeof(Elf64_Phdr);
        }
    }
}

size_t elf_mutate(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    struct elf elf = {.data = data, .size = size};

    state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    if (!load(&elf) || rnd(8) == 0) {
        elf.size = LLVMFuzzerMutate(data, size, max);
        if (rnd(4) == 0 || !load(&elf))
            return elf.size;
    } else {
        for (uint64_t n = 1 + rnd(3); n > 0; n--) {
            switch (rnd(8)) {
            case 0:
                move_headers(&elf);
                break;
            case 1:
                change_ehdr(&elf);
                break;
            default:
                change_field(&elf);
            }
        }
    }
    if (rnd(3) != 0)
        mend(&elf);
    if (rnd(4) == 0)
        change_field(&elf);
    store(&elf);
    return elf.size;
}
