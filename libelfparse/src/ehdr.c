#include "judge.h"

#define EV_CURRENT  1u
#define OSABI_SYSV  0u
#define OSABI_GNU   3u
#define PN_XNUM     0xffffu
#define EI_PAD_MASK UINT64_C(0xffffffffffffff00) /* e_ident[9..15] in the word at e_ident[8] */

/* The e_machine of each, in the order of the bits of ELFPARSE_MACHINE_*. */
static const uint16_t machines[ELFPARSE_MACHINE_COUNT] = {
    ELFPARSE_EM_X86_64, ELFPARSE_EM_AARCH64,   ELFPARSE_EM_AARCH64, ELFPARSE_EM_RISCV,
    ELFPARSE_EM_RISCV,  ELFPARSE_EM_LOONGARCH, ELFPARSE_EM_386,     ELFPARSE_EM_ARM,
    ELFPARSE_EM_ARM,    ELFPARSE_EM_PPC64,     ELFPARSE_EM_PPC64,   ELFPARSE_EM_S390,
    ELFPARSE_EM_MIPS,   ELFPARSE_EM_MIPS,      ELFPARSE_EM_MIPS,    ELFPARSE_EM_MIPS,
};

/* Which of the accepted machines agree with the file in that. */
struct agreement {
    uint32_t machine;
    uint32_t elf_class;
    uint32_t data;
};

static uint32_t machine_of(const uint8_t *ehdr)
{
    return elfp_get16(ehdr + ELFP_E_MACHINE, ehdr[ELFP_EI_DATA] == ELFPARSE_DATAMSB);
}

/* Those that have that e_machine. */
static uint32_t with_machine(uint32_t machine)
{
    switch (machine) {
    case ELFPARSE_EM_X86_64:
        return ELFPARSE_MACHINE_X86_64 & ELFPARSE_MACHINES;
    case ELFPARSE_EM_AARCH64:
        return (ELFPARSE_MACHINE_AARCH64 | ELFPARSE_MACHINE_AARCH64_BE) & ELFPARSE_MACHINES;
    case ELFPARSE_EM_RISCV:
        return (ELFPARSE_MACHINE_RISCV64 | ELFPARSE_MACHINE_RISCV32) & ELFPARSE_MACHINES;
    case ELFPARSE_EM_LOONGARCH:
        return ELFPARSE_MACHINE_LOONGARCH64 & ELFPARSE_MACHINES;
    case ELFPARSE_EM_386:
        return ELFPARSE_MACHINE_I386 & ELFPARSE_MACHINES;
    case ELFPARSE_EM_ARM:
        return (ELFPARSE_MACHINE_ARM | ELFPARSE_MACHINE_ARM_BE) & ELFPARSE_MACHINES;
    case ELFPARSE_EM_PPC64:
        return (ELFPARSE_MACHINE_PPC64 | ELFPARSE_MACHINE_PPC64LE) & ELFPARSE_MACHINES;
    case ELFPARSE_EM_S390:
        return ELFPARSE_MACHINE_S390X & ELFPARSE_MACHINES;
    case ELFPARSE_EM_MIPS:
        return (ELFPARSE_MACHINE_MIPS | ELFPARSE_MACHINE_MIPSLE | ELFPARSE_MACHINE_MIPS64 |
                ELFPARSE_MACHINE_MIPS64LE) &
               ELFPARSE_MACHINES;
    default:
        return 0;
    }
}

/* Machines whose files have e_flags. */
#define MACHINES_FLAGS                                                                             \
    (ELFPARSE_MACHINE_RISCV64 | ELFPARSE_MACHINE_RISCV32 | ELFPARSE_MACHINE_LOONGARCH64 |          \
     ELFPARSE_MACHINE_ARM | ELFPARSE_MACHINE_ARM_BE | ELFPARSE_MACHINE_PPC64 |                     \
     ELFPARSE_MACHINE_PPC64LE | ELFPARSE_MACHINE_MIPS | ELFPARSE_MACHINE_MIPSLE |                  \
     ELFPARSE_MACHINE_MIPS64 | ELFPARSE_MACHINE_MIPS64LE)

/* Those of a set that holds them where yes is in the file, of the others where no is. */
static uint32_t with_byte(uint32_t byte, uint32_t yes, uint32_t no, uint32_t set)
{
    return byte == yes ? set : byte == no ? ~set : 0;
}

static inline struct agreement agree(const uint8_t *ehdr, uint32_t machine, uint32_t accepted)
{
    struct agreement agreement;

    agreement.machine = with_machine(machine) & accepted;
    agreement.elf_class =
        with_byte(ehdr[ELFP_EI_CLASS], ELFPARSE_CLASS32, ELFPARSE_CLASS64, ELFP_MACHINES_NARROW);
    agreement.data =
        with_byte(ehdr[ELFP_EI_DATA], ELFPARSE_DATAMSB, ELFPARSE_DATALSB, ELFP_MACHINES_BIG);
    /* Of a machine that is accepted only its own classes and byte orders are. */
    if (agreement.machine != 0)
        accepted = agreement.machine;
    agreement.elf_class &= accepted;
    agreement.data &= accepted;
    return agreement;
}

/* The only machine that is left. */
#define ONE_MACHINE ((ELFPARSE_MACHINES & (ELFPARSE_MACHINES - 1)) == 0)

/* The first of the machines. */
static inline struct elfp_target target_of(uint32_t set)
{
    uint32_t i = (uint32_t)__builtin_ctz(set | 1u << (ELFPARSE_MACHINE_COUNT - 1));
    struct elfp_target target;

    target.machine = machines[i];
    target.elf_class = (ELFP_MACHINES_NARROW >> i & 1u) != 0 ? ELFPARSE_CLASS32 : ELFPARSE_CLASS64;
    target.data = (ELFP_MACHINES_BIG >> i & 1u) != 0 ? ELFPARSE_DATAMSB : ELFPARSE_DATALSB;
    return target;
}

/* E2, E6 where one machine is left, which is accepted or not. */
static uint32_t check_only_target(const uint8_t *ehdr, uint32_t accepted)
{
    const struct elfp_target target = target_of(ELFPARSE_MACHINES);
    uint32_t faults = 0;

    if (accepted == 0)
        return ELFP_EHDR_CLASS | ELFP_EHDR_DATA | ELFP_EHDR_MACHINE;
    if (ehdr[ELFP_EI_CLASS] != target.elf_class)
        faults |= ELFP_EHDR_CLASS;
    if (ehdr[ELFP_EI_DATA] != target.data)
        faults |= ELFP_EHDR_DATA;
    if (machine_of(ehdr) != target.machine)
        faults |= ELFP_EHDR_MACHINE;
    return faults;
}

/* E2, E6 */
static uint32_t check_target(const uint8_t *ehdr, uint32_t accepted)
{
    struct agreement agreement;
    uint32_t faults = 0;

    if (ONE_MACHINE)
        return check_only_target(ehdr, accepted);
    agreement = agree(ehdr, machine_of(ehdr), accepted);
    if (agreement.elf_class == 0)
        faults |= ELFP_EHDR_CLASS;
    if (agreement.data == 0 ||
        (agreement.elf_class != 0 && (agreement.elf_class & agreement.data) == 0))
        faults |= ELFP_EHDR_DATA;
    if (agreement.machine == 0)
        faults |= ELFP_EHDR_MACHINE;
    return faults;
}

/* The accepted machine that agrees in most: in e_machine, then in the class. */
static inline uint32_t most_alike(const uint8_t *ehdr, uint32_t machine, uint32_t accepted)
{
    struct agreement agreement = agree(ehdr, machine, accepted);

    if (agreement.machine != 0)
        accepted = agreement.machine;
    if ((accepted & agreement.elf_class) != 0)
        accepted &= agreement.elf_class;
    return accepted;
}

ELFP_COLD struct elfp_target elfp_target_expected(const uint8_t *ehdr, uint32_t machine,
                                                  uint32_t accepted)
{
    if (ONE_MACHINE)
        return target_of(ELFPARSE_MACHINES);
    return target_of(most_alike(ehdr, machine, accepted & ELFPARSE_MACHINES));
}

/* E6: of machines whose files have some they are no trait. */
static int has_flags(uint32_t machine)
{
    return (with_machine(machine) & MACHINES_FLAGS) != 0;
}

/* E3, E4 */
static struct elfp_finding check_ident(const uint8_t *ehdr)
{
    struct elfp_finding finding = {0, 0};
    uint64_t tail = elfp_le64(ehdr + ELFP_EI_ABIVERSION);

    if (!ONE_MACHINE && elfp_le16(ehdr + ELFP_EI_VERSION) == (EV_CURRENT | OSABI_SYSV << 8) &&
        tail == 0)
        return finding;
    if (ehdr[ELFP_EI_VERSION] != EV_CURRENT)
        finding.faults |= ELFP_EHDR_IVERSION;
    if (ehdr[ELFP_EI_OSABI] != OSABI_SYSV && ehdr[ELFP_EI_OSABI] != OSABI_GNU)
        finding.traits |= ELFPARSE_TRAIT_OSABI;
    if ((tail & 0xff) != 0)
        finding.traits |= ELFPARSE_TRAIT_ABIVERSION;
    if ((tail & EI_PAD_MASK) != 0)
        finding.traits |= ELFPARSE_TRAIT_PADDING;
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
static uint32_t check_table(const uint8_t *ehdr, const struct elfparse_plan *plan,
                            uint64_t file_size, uint32_t phnum)
{
    uint64_t phoff = elfp_le64(ehdr + ELFP_E_PHOFF);
    uint64_t table = (uint64_t)phnum * elfp_phdr_size(plan);
    uint32_t faults = 0;

    if (phoff < elfp_ehdr_size(plan))
        faults |= ELFP_EHDR_PHOFF_LOW;
    if ((phoff & (elfp_is_narrow(plan) ? 3 : 7)) != 0)
        faults |= ELFP_EHDR_PHOFF_ALIGN;
    if ((table > file_size) || (phoff > file_size - table))
        faults |= ELFP_EHDR_PHTABLE;
    return faults;
}

static struct elfp_finding check_ehdr(const uint8_t *ehdr, const struct elfparse_plan *plan)
{
    struct elfp_finding finding = check_ident(ehdr);
    struct elfp_finding type = check_type(ehdr);

    finding.faults |= type.faults;
    finding.traits |= type.traits;
    if (elfp_le32(ehdr + ELFP_E_VERSION) != EV_CURRENT)
        finding.faults |= ELFP_EHDR_VERSION;
    if (elfp_le32(ehdr + ELFP_E_FLAGS) != 0 && !has_flags(elfp_le16(ehdr + ELFP_E_MACHINE)))
        finding.traits |= ELFPARSE_TRAIT_EFLAGS;
    if (elfp_le16(ehdr + ELFP_E_EHSIZE) != elfp_ehdr_size(plan))
        finding.faults |= ELFP_EHDR_EHSIZE;
    if (elfp_le16(ehdr + ELFP_E_PHENTSIZE) != elfp_phdr_size(plan))
        finding.faults |= ELFP_EHDR_PHENTSIZE;
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

ELFP_FOREIGN int elfp_judge_ehdr(struct elfp_judge *judge)
{
    const uint8_t *ehdr = elfp_scratch(judge);
    struct elfparse_plan *plan = judge->plan;
    uint32_t target = check_target(ehdr, judge->policy->machines & ELFPARSE_MACHINES);
    struct elfp_finding finding;
    uint32_t phnum, table, fatal;

    if (elfp_le32(ehdr) != ELFP_MAGIC)
        target |= ELFP_EHDR_MAGIC;
    if ((target & ELFP_EHDR_FOREIGN) != 0) {
        target &= ELFP_EHDR_FOREIGN;
        (void)elfp_raise(judge, ELFP_OF_EHDR, target, NULL, NULL);
        return 1;
    }
    plan->elf_class = ehdr[ELFP_EI_CLASS];
    plan->data = ehdr[ELFP_EI_DATA];
    if (elfp_is_converted(plan) && elfp_convert_ehdr(judge) != 0)
        return 1;
    plan->machine = (uint16_t)elfp_le16(ehdr + ELFP_E_MACHINE);
    plan->flags = elfp_le32(ehdr + ELFP_E_FLAGS);
    phnum = elfp_le16(ehdr + ELFP_E_PHNUM);
    table = check_phnum(phnum, judge->policy->max_phnum) |
            check_table(ehdr, plan, judge->reader->size, phnum);
    fatal = (table & ELFP_EHDR_FATAL) != 0;
    finding = check_ehdr(ehdr, plan);
    finding.faults |= target | table;
    fatal |= (finding.faults & ELFP_EHDR_FATAL) != 0;
    if (finding.faults != 0 &&
        (elfp_raise(judge, ELFP_OF_EHDR, finding.faults, NULL, NULL) != 0 || fatal != 0))
        return 1;
    return finding.traits != 0 && elfp_raise_traits(judge, finding.traits, NULL) != 0;
}
