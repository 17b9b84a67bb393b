/* The Intel SDM's names (volume 3A) for the bits of registers and paging structures. No other file
 * writes one of these as a number. Usable from C and from assembly. */
#ifndef UMBRA_ARCH_X86_H
#define UMBRA_ARCH_X86_H

#ifdef __ASSEMBLER__
#define BIT(n) (1 << (n))
#else
#define BIT(n) (1ull << (n))
#endif

/* "Control Registers" */
#define CR0_PE BIT(0)
#define CR0_MP BIT(1)
#define CR0_EM BIT(2)
#define CR0_TS BIT(3)
#define CR0_NE BIT(5)
#define CR0_WP BIT(16)
#define CR0_AM BIT(18)
#define CR0_NW BIT(29)
#define CR0_CD BIT(30)
#define CR0_PG BIT(31)

#define CR4_TSD        BIT(2)
#define CR4_PAE        BIT(5)
#define CR4_PGE        BIT(7)
#define CR4_PCE        BIT(8)
#define CR4_OSFXSR     BIT(9)
#define CR4_OSXMMEXCPT BIT(10)
#define CR4_UMIP       BIT(11)
#define CR4_FSGSBASE   BIT(16)
#define CR4_OSXSAVE    BIT(18)
#define CR4_SMEP       BIT(20)
#define CR4_SMAP       BIT(21)

/* "Model-Specific Registers" */
#define MSR_APIC_BASE 0x1b
#define MSR_EFER      0xc0000080
#define MSR_STAR      0xc0000081
#define MSR_LSTAR     0xc0000082
#define MSR_CSTAR     0xc0000083
#define MSR_SFMASK    0xc0000084
#define MSR_FS_BASE   0xc0000100
#define MSR_GS_BASE   0xc0000101

#define EFER_SCE BIT(0)
#define EFER_LME BIT(8)
#define EFER_NXE BIT(11)

/* "EFLAGS Register" */
#define RFLAGS_CF    BIT(0)
#define RFLAGS_FIXED BIT(1)
#define RFLAGS_PF    BIT(2)
#define RFLAGS_AF    BIT(4)
#define RFLAGS_ZF    BIT(6)
#define RFLAGS_SF    BIT(7)
#define RFLAGS_TF    BIT(8)
#define RFLAGS_IF    BIT(9)
#define RFLAGS_DF    BIT(10)
#define RFLAGS_OF    BIT(11)
#define RFLAGS_IOPL  (BIT(12) | BIT(13))
#define RFLAGS_NT    BIT(14)
#define RFLAGS_RF    BIT(16)
#define RFLAGS_AC    BIT(18)
#define RFLAGS_ID    BIT(21)

/* "4-Level Paging", formats of the entries of PML4, PDPT, PD and PT */
#define PTE_P   BIT(0)
#define PTE_RW  BIT(1)
#define PTE_US  BIT(2)
#define PTE_PWT BIT(3)
#define PTE_PCD BIT(4)
#define PTE_A   BIT(5)
#define PTE_D   BIT(6)
#define PTE_PS  BIT(7)
#define PTE_G   BIT(8)
#define PTE_XD  BIT(63)

/* "Page-Fault Exceptions", the error code */
#define PF_P    BIT(0)
#define PF_WR   BIT(1)
#define PF_US   BIT(2)
#define PF_RSVD BIT(3)
#define PF_ID   BIT(4)

/* "Exception and Interrupt Vectors" */
#define VEC_DE      0
#define VEC_DB      1
#define VEC_NMI     2
#define VEC_BP      3
#define VEC_OF      4
#define VEC_BR      5
#define VEC_UD      6
#define VEC_NM      7
#define VEC_DF      8
#define VEC_TS      10
#define VEC_NP      11
#define VEC_SS      12
#define VEC_GP      13
#define VEC_PF      14
#define VEC_MF      16
#define VEC_AC      17
#define VEC_MC      18
#define VEC_XM      19
#define VEC_IRQ0    32  /* the first vector of the interrupt controllers' 16 lines */
#define VEC_SYSCALL 256 /* not a vector: marks a frame that the syscall instruction made */

/* Segment selectors, in the order that SYSCALL and SYSRET want and with the values that
 * Linux programs see. */
#define SEL_KERNEL_CS 0x10
#define SEL_KERNEL_DS 0x18
#define SEL_SYSRET    0x23 /* SYSRET takes SS from here + 8 and CS from here + 16 */
#define SEL_USER_DS   0x2b
#define SEL_USER_CS   0x33
#define SEL_TSS       0x40

/* Stacks of the interrupt stack table ("64-Bit Mode Stack Switching") */
#define IST_DF  1
#define IST_NMI 2
#define IST_MC  3
#define IST_DB  4

#endif
