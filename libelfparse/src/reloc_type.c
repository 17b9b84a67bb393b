#include "reloc.h"

#define SPECIAL(kind) (ELFP_SPECIAL + ELFPARSE_SPECIAL_##kind)

/* x86-64 psABI, "Relocation Types" */
static const struct elfp_reloc_type of_x86_64[] = {
    {0, ELFP_NONE, 0},
    {1, ELFP_ABSOLUTE, 8},
    {2, ELFP_DISTANCE, 4},
    {5, SPECIAL(COPY), 0},
    {6, ELFP_SYMBOL, 8},
    {7, ELFP_SYMBOL, 8},
    {8, ELFP_RELATIVE, 8},
    {10, ELFP_ABSOLUTE, 4},
    {16, SPECIAL(TLS_MODULE), 8},
    {17, SPECIAL(TLS_OFFSET), 8},
    {18, SPECIAL(TLS_POINTER), 8},
    {24, ELFP_DISTANCE, 8},
    {36, SPECIAL(TLS_DESC), 16},
    {37, SPECIAL(IRELATIVE), 8},
    {38, ELFP_RELATIVE, 8},
};

/* ELF for the Arm 64-bit Architecture, "Dynamic relocations" */
static const struct elfp_reloc_type of_aarch64[] = {
    {0, ELFP_NONE, 0},
    {256, ELFP_NONE, 0},
    {257, ELFP_ABSOLUTE, 8},
    {1024, SPECIAL(COPY), 0},
    {1025, ELFP_ABSOLUTE, 8},
    {1026, ELFP_ABSOLUTE, 8},
    {1027, ELFP_RELATIVE, 8},
    {1028, SPECIAL(TLS_MODULE), 8},
    {1029, SPECIAL(TLS_OFFSET), 8},
    {1030, SPECIAL(TLS_POINTER), 8},
    {1031, SPECIAL(TLS_DESC), 16},
    {1032, SPECIAL(IRELATIVE), 8},
};

/* RISC-V ELF psABI, "Relocations" */
static const struct elfp_reloc_type of_riscv[] = {
    {0, ELFP_NONE, 0},           {2, ELFP_ABSOLUTE, 8},         {3, ELFP_RELATIVE, 8},
    {4, SPECIAL(COPY), 0},       {5, ELFP_ABSOLUTE, 8},         {7, SPECIAL(TLS_MODULE), 8},
    {9, SPECIAL(TLS_OFFSET), 8}, {11, SPECIAL(TLS_POINTER), 8}, {12, SPECIAL(TLS_DESC), 16},
    {58, SPECIAL(IRELATIVE), 8},
};

/* i386 psABI, "Relocation Types" */
static const struct elfp_reloc_type of_i386[] = {
    {0, ELFP_NONE, 0},
    {1, ELFP_ABSOLUTE, 4},
    {2, ELFP_DISTANCE, 4},
    {5, SPECIAL(COPY), 0},
    {6, ELFP_SYMBOL, 4},
    {7, ELFP_SYMBOL, 4},
    {8, ELFP_RELATIVE, 4},
    {14, SPECIAL(TLS_POINTER), 4},
    {35, SPECIAL(TLS_MODULE), 4},
    {36, SPECIAL(TLS_OFFSET), 4},
    {41, SPECIAL(TLS_DESC), 8},
    {42, SPECIAL(IRELATIVE), 4},
};

/* ELF for the Arm Architecture, "Dynamic relocations" */
static const struct elfp_reloc_type of_arm[] = {
    {0, ELFP_NONE, 0},
    {2, ELFP_ABSOLUTE, 4},
    {3, ELFP_DISTANCE, 4},
    {13, SPECIAL(TLS_DESC), 8},
    {17, SPECIAL(TLS_MODULE), 4},
    {18, SPECIAL(TLS_OFFSET), 4},
    {19, SPECIAL(TLS_POINTER), 4},
    {20, SPECIAL(COPY), 0},
    {21, ELFP_SYMBOL, 4},
    {22, ELFP_SYMBOL, 4},
    {23, ELFP_RELATIVE, 4},
    {160, SPECIAL(IRELATIVE), 4},
};

static const struct elfp_reloc_type *find(const struct elfp_reloc_type *types, size_t count,
                                          uint32_t type)
{
    size_t i;

    for (i = 0; i < count; i++) {
        if (types[i].type == type)
            return &types[i];
    }
    return NULL;
}

#define FIND(types, type) find(types, sizeof(types) / sizeof((types)[0]), type)

const struct elfp_reloc_type *elfp_reloc_type(uint32_t machine, uint32_t type)
{
    switch (machine) {
    case ELFPARSE_EM_X86_64:
        return FIND(of_x86_64, type);
    case ELFPARSE_EM_AARCH64:
        return FIND(of_aarch64, type);
    case ELFPARSE_EM_RISCV:
        return FIND(of_riscv, type);
    case ELFPARSE_EM_386:
        return FIND(of_i386, type);
    default:
        return FIND(of_arm, type);
    }
}

uint32_t elfp_reloc_word(uint32_t machine)
{
    switch (machine) {
    case ELFPARSE_EM_X86_64:
    case ELFPARSE_EM_AARCH64:
    case ELFPARSE_EM_RISCV:
        return 8;
    case ELFPARSE_EM_386:
    case ELFPARSE_EM_ARM:
        return 4;
    default:
        return 0;
    }
}
