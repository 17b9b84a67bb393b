#include "judge.h"

#define ELFCLASS64  2u
#define ELFDATA2LSB 1u
#define EV_CURRENT  1u
#define OSABI_SYSV  0u
#define OSABI_GNU   3u
#define EM_X86_64   62u
#define PN_XNUM     0xffffu
#define EI_PAD_MASK UINT64_C(0xffffffffffffff00) /* e_ident[9..15] in the word at e_ident[8] */

/* E1 to E4 */
static struct elfp_finding check_ident(const uint8_t *ehdr)
{
    struct elfp_finding finding = {0, 0};
    uint64_t tail = elfp_le64(ehdr + ELFP_EI_ABIVERSION);

    if (elfp_le32(ehdr) != ELFP_MAGIC)
        finding.faults += ELFP_EHDR_MAGIC;
    if (ehdr[ELFP_EI_CLASS] != ELFCLASS64)
        finding.faults += ELFP_EHDR_CLASS;
    if (ehdr[ELFP_EI_DATA] != ELFDATA2LSB)
        finding.faults += ELFP_EHDR_DATA;
    if (ehdr[ELFP_EI_VERSION] != EV_CURRENT)
        finding.faults += ELFP_EHDR_IVERSION;
    if (ehdr[ELFP_EI_OSABI] != OSABI_SYSV && ehdr[ELFP_EI_OSABI] != OSABI_GNU)
        finding.traits += ELFPARSE_TRAIT_OSABI;
    if ((tail & 0xff) != 0)
        finding.traits += ELFPARSE_TRAIT_ABIVERSION;
    if ((tail & EI_PAD_MASK) != 0)
        finding.traits += ELFPARSE_TRAIT_PADDING;
    return finding;
}

/* E5 */
static struct elfp_finding check_type(const uint8_t *ehdr)
{
    struct elfp_finding finding = {0, 0};

    switch (elfp_le16(ehdr + ELFP_E_TYPE)) {
    case ELFPARSE_ET_DYN:
        break;
    case ELFPARSE_ET_EXEC:
        finding.traits = ELFPARSE_TRAIT_FIXED;
        break;
    case ELFPARSE_ET_REL:
        finding.faults = ELFP_EHDR_OBJECT;
        break;
    case ELFPARSE_ET_CORE:
        finding.faults = ELFP_EHDR_CORE;
        break;
    default:
        finding.faults = ELFP_EHDR_TYPE;
    }
    return finding;
}

/* E8 */
static uint32_t check_phnum(uint32_t phnum, uint32_t max_phnum)
{
    if (phnum == 0)
        return ELFP_EHDR_NOPHDR;
    if (phnum == PN_XNUM)
        return ELFP_EHDR_XNUM;
    if (phnum > max_phnum)
        return ELFP_EHDR_PHNUM;
    return 0;
}

/* E9 */
static uint32_t check_table(const uint8_t *ehdr, uint64_t file_size, uint32_t phnum)
{
    uint64_t phoff = elfp_le64(ehdr + ELFP_E_PHOFF);
    uint64_t table = (uint64_t)phnum * ELFPARSE_PHDR_SIZE;
    uint32_t faults = 0;

    if (phoff < ELFPARSE_EHDR_SIZE)
        faults += ELFP_EHDR_PHOFF_LOW;
    if ((phoff & 7) != 0)
        faults += ELFP_EHDR_PHOFF_ALIGN;
    if ((table > file_size) || (phoff > file_size - table))
        faults += ELFP_EHDR_PHTABLE;
    return faults;
}

ELFP_COLD struct elfp_finding elfp_ehdr_check(const uint8_t *ehdr, uint64_t file_size,
                                              uint32_t max_phnum)
{
    struct elfp_finding finding = check_ident(ehdr);
    struct elfp_finding type = check_type(ehdr);
    uint32_t phnum = elfp_le16(ehdr + ELFP_E_PHNUM);

    finding.faults += type.faults;
    finding.traits += type.traits;
    if (elfp_le32(ehdr + ELFP_E_VERSION) != EV_CURRENT)
        finding.faults += ELFP_EHDR_VERSION;
    if (elfp_le16(ehdr + ELFP_E_MACHINE) != EM_X86_64)
        finding.faults += ELFP_EHDR_MACHINE;
    if (elfp_le32(ehdr + ELFP_E_FLAGS) != 0)
        finding.traits += ELFPARSE_TRAIT_EFLAGS;
    if (elfp_le16(ehdr + ELFP_E_EHSIZE) != ELFPARSE_EHDR_SIZE)
        finding.faults += ELFP_EHDR_EHSIZE;
    if (elfp_le16(ehdr + ELFP_E_PHENTSIZE) != ELFPARSE_PHDR_SIZE)
        finding.faults += ELFP_EHDR_PHENTSIZE;
    finding.faults += check_phnum(phnum, max_phnum);
    finding.faults += check_table(ehdr, file_size, phnum);
    return finding;
}

ELFP_COLD uint32_t elfp_ehdr_padding(const uint8_t *ehdr)
{
    uint32_t i;

    for (i = ELFP_EI_PAD; i < ELFP_E_TYPE - 1; i++) {
        if (ehdr[i] != 0)
            break;
    }
    return i;
}

ELFP_COLD int elfp_judge_ehdr(struct elfp_judge *judge)
{
    struct elfp_finding finding =
        elfp_ehdr_check(elfp_scratch(judge), judge->reader->size, judge->policy->max_phnum);

    if ((finding.faults & ELFP_EHDR_FOREIGN) != 0) {
        finding.faults &= ELFP_EHDR_FOREIGN;
        finding.traits = 0;
    }
    if (elfp_raise(judge, ELFP_OF_EHDR, finding.faults, NULL, NULL) != 0 ||
        (finding.faults & ELFP_EHDR_FATAL) != 0)
        return 1;
    return elfp_raise_traits(judge, finding.traits, NULL);
}
