/* The first instructions after GRUB. Multiboot2 ("Machine state") enters in 32-bit protected mode
 * without paging, with the magic number in EAX and the physical address of the boot information in
 * EBX. This file builds early page tables, enters long mode and calls kernel_main(magic, info) on
 * boot_stack.
 *
 * The early tables map the first 4 GiB at 0 (for the instruction after CR0.PG is set) and in the
 * direct map, and the first GiB at KERNEL_BASE. kernel_map_init() replaces them; no user space
 * exists before that. */
#include "arch/x86.h"
#include "arch/layout.h"

#define PHYS(symbol) (symbol - KERNEL_BASE)

#define MULTIBOOT2_MAGIC 0xe85250d6
#define MULTIBOOT2_ARCHITECTURE_I386 0
#define PTE_KERNEL_TABLE (PTE_P | PTE_RW)

    .section .multiboot2, "a"
    .balign 8
header:
    .long MULTIBOOT2_MAGIC
    .long MULTIBOOT2_ARCHITECTURE_I386
    .long header_end - header
    .long -(MULTIBOOT2_MAGIC + MULTIBOOT2_ARCHITECTURE_I386 + (header_end - header))
	/* information request: boot modules, the memory map and ELF sections */
    .balign 8
    .short 1, 0
    .long 20
    .long 3, 6, 9
    /* modules page-aligned, so that their frames can be given back one by one */
    .balign 8
    .short 6, 0
    .long 8
    /* end */
    .balign 8
    .short 0, 0
    .long 8
header_end:

    .section .boot.text, "ax"
    .code32
    .globl boot_entry
boot_entry:
    cli
    cld
    movl $PHYS(boot_stack_top), %esp
    pushl $0                          /* for popq %rdi: the high half, */
    pushl %eax                        /* the magic; */
    pushl $0                          /* for popq %rsi */
    pushl %ebx
    movl $0x80000000, %eax            /* CPUID "Extended Function": the highest leaf */
    cpuid
    cmpl $0x80000001, %eax
    jb no_long_mode
    movl $0x80000001, %eax
    cpuid
    testl $BIT(29), %edx              /* long mode */
    jz no_long_mode
    movl %edx, %esi                   /* bit 20: execute disable */

    /* Each of the four early_pd maps 1 GiB with 512 large pages. */
    movl $PHYS(early_pd), %edi
    movl $(PTE_P | PTE_RW | PTE_PS), %eax
1:  movl %eax, (%edi)
    addl $0x200000, %eax
    addl $8, %edi
    cmpl $PHYS(early_pd_end), %edi
    jb 1b
    movl $(PHYS(early_pd) + PTE_KERNEL_TABLE), %eax
    movl %eax, PHYS(early_pdpt_high) + 8 * 510
    movl $PHYS(early_pdpt_low), %edi
    movl $4, %ecx
2:  movl %eax, (%edi)
    addl $0x1000, %eax
    addl $8, %edi
    loop 2b
    movl $(PHYS(early_pdpt_low) + PTE_KERNEL_TABLE), PHYS(early_pml4)
    movl $(PHYS(early_pdpt_low) + PTE_KERNEL_TABLE), PHYS(early_pml4) + 8 * 256
    movl $(PHYS(early_pdpt_high) + PTE_KERNEL_TABLE), PHYS(early_pml4) + 8 * 511

    movl %cr4, %eax
    orl $CR4_PAE, %eax
    movl %eax, %cr4
    movl $PHYS(early_pml4), %eax
    movl %eax, %cr3
    movl $MSR_EFER, %ecx
    rdmsr
    orl $(EFER_LME | EFER_SCE), %eax
    testl $BIT(20), %esi
    jz 3f
    orl $EFER_NXE, %eax
3:  wrmsr
    movl %cr0, %eax
    orl $(CR0_PG | CR0_WP), %eax
    movl %eax, %cr0
    lgdt PHYS(early_gdt_descriptor)
    ljmp $SEL_KERNEL_CS, $PHYS(long_mode)

no_long_mode:
    movl $PHYS(no_long_mode_text), %esi
4:  lodsb
    testb %al, %al
    jz 5f
    outb %al, $0xe9
    movb %al, %bl
    movw $0x3fd, %dx                  /* COM1's line status: wait until a byte fits */
6:  inb %dx, %al
    testb $0x20, %al
    jz 6b
    movb %bl, %al
    movw $0x3f8, %dx
    outb %al, %dx
    jmp 4b
5:  movb $125, %al                    /* off, by QEMU's isa-debug-exit, */
    outb %al, $0xf4
    movw $0x8900, %dx                 /* by Bochs, */
    movl $PHYS(bochs_shutdown_text), %esi
    movl $8, %ecx
    rep outsb
7:  hlt                               /* if neither exists */
    jmp 7b

    .code64
long_mode:
    movl $SEL_KERNEL_DS, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    popq %rsi
    popq %rdi
    movq $boot_stack_top, %rsp
    movabsq $kernel_main, %rax
    xorl %ebp, %ebp                   /* ends backtraces */
    callq *%rax
    ud2

    .balign 8
early_gdt:
    .quad 0
    .quad 0
    .quad 0x00af9b000000ffff          /* SEL_KERNEL_CS: 64-bit code, ring 0 */
    .quad 0x00cf93000000ffff          /* SEL_KERNEL_DS */
early_gdt_descriptor:
    .short early_gdt_descriptor - early_gdt - 1
    .long PHYS(early_gdt)
no_long_mode_text:
    .asciz "umbra: this processor has no 64-bit mode, which the kernel needs\r\numbra: verdict: refused\r\n"
bochs_shutdown_text:
    .ascii "Shutdown"

    .section .boot.bss, "aw", @nobits
    .balign 4096
early_pml4:
    .skip 4096
early_pdpt_low:
    .skip 4096
early_pdpt_high:
    .skip 4096
early_pd:
    .skip 4 * 4096
early_pd_end:

    .balign 4096
    .globl boot_stack_bottom
boot_stack_bottom:
    .skip BOOT_STACK_SIZE
    .globl boot_stack_top
boot_stack_top:

    .section .note.GNU-stack, "", @progbits
