/* The address map (see the table in kernel/README.md). Usable from C and from assembly. */
#ifndef UMBRA_ARCH_LAYOUT_H
#define UMBRA_ARCH_LAYOUT_H

#ifdef __ASSEMBLER__
#define ADDRESS(x) x
#else
#define ADDRESS(x) x##ull
#endif

#define PAGE_SHIFT 12
#define PAGE_SIZE  ADDRESS(0x1000)
#define PAGE_MASK  (PAGE_SIZE - 1)

#define USER_MIN  ADDRESS(0x1000)         /* page 0 is never mapped */
#define STACK_TOP ADDRESS(0x7fffffffe000) /* end of the user stack */
#define USER_END  ADDRESS(0x7ffffffff000) /* without the last page below 2^47: see SYSRET's RCX */

#define DIRECT_MAP      ADDRESS(0xffff800000000000) /* all RAM, RW NX */
#define DIRECT_MAP_SIZE ADDRESS(0x8000000000)       /* one PML4 entry */

#define KERNEL_BASE ADDRESS(0xffffffff80000000) /* maps physical address 0 of the image */
#define KSTACK_BASE ADDRESS(0xffffffffc0000000) /* kernel stacks, each above its guard page */

#ifndef BOOT_STACK_SIZE
#define BOOT_STACK_SIZE 0x4000
#endif

#endif
