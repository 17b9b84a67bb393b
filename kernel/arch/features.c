#include "arch/features.h"

#include "arch/cpu.h"
#include "arch/entry.h"
#include "arch/user_state.h"
#include "lib/check.h"
#include "lib/format.h"
#include "lib/variable.h"

SEALED struct features features;
SEALED uint8_t entry_has_smap;

/* SDM, "CPUID--CPU Identification" */
#define CPUID_1_ECX_XSAVE     BIT(26)
#define CPUID_1_ECX_AVX       BIT(28)
#define CPUID_1_ECX_RDRAND    BIT(30)
#define CPUID_1_EDX_PGE       BIT(13)
#define CPUID_7_EBX_SMEP      BIT(7)
#define CPUID_7_EBX_SMAP      BIT(20)
#define CPUID_7_ECX_UMIP      BIT(2)
#define CPUID_1_EDX_FXSR      BIT(24)
#define CPUID_1_EDX_HTT       BIT(28) /* EBX has the number of processors of the package */
#define CPUID_1_EDX_SSE2      BIT(26)
#define CPUID_EXT_EDX_SYSCALL BIT(11)
#define CPUID_EXT_EDX_NX      BIT(20)
#define CPUID_EXT_EDX_1GIB    BIT(26)
#define CPUID_EXTENDED        0x80000000u
#define CPUID_XSTATE          0xdu

/* True if the AVX state is where struct user_state has it. */
static bool has_avx(struct cpuid basic)
{
    struct cpuid avx;
    if (!(basic.ecx & CPUID_1_ECX_XSAVE) || !(basic.ecx & CPUID_1_ECX_AVX) ||
        cpu_cpuid(0, 0).eax < CPUID_XSTATE || !(cpu_cpuid(CPUID_XSTATE, 0).eax & FPU_AVX))
        return false;
    avx = cpu_cpuid(CPUID_XSTATE, 2);
    return avx.eax == FPU_AVX_SIZE && avx.ebx == FPU_FXSAVE_SIZE + FPU_HEADER_SIZE;
}

const char *features_detect(void)
{
    struct cpuid basic = cpu_cpuid(1, 0), structured = {0, 0, 0, 0};
    struct cpuid extended = cpu_cpuid(CPUID_EXTENDED + 1, 0);
    if (cpu_cpuid(0, 0).eax >= 7)
        structured = cpu_cpuid(7, 0);
    features = (struct features){
        .nx = extended.edx & CPUID_EXT_EDX_NX,
        .global_pages = basic.edx & CPUID_1_EDX_PGE,
        .huge_pages = extended.edx & CPUID_EXT_EDX_1GIB,
        .smep = structured.ebx & CPUID_7_EBX_SMEP,
        .smap = structured.ebx & CPUID_7_EBX_SMAP,
        .umip = structured.ecx & CPUID_7_ECX_UMIP,
        .avx = has_avx(basic),
        .rdrand = basic.ecx & CPUID_1_ECX_RDRAND,
        .processors = basic.edx & CPUID_1_EDX_HTT ? (uint8_t)(basic.ebx >> 16) : 1,
    };
    if (!(basic.edx & CPUID_1_EDX_FXSR))
        return "FXSAVE and FXRSTOR";
    if (!(basic.edx & CPUID_1_EDX_SSE2))
        return "SSE2";
    return extended.edx & CPUID_EXT_EDX_SYSCALL ? NULL : "SYSCALL and SYSRET";
}

void features_enable(void)
{
    uint64_t cr0 = cpu_read_cr0();
    cr0 = (cr0 & ~(CR0_EM | CR0_TS | CR0_CD | CR0_NW)) | CR0_WP | CR0_MP | CR0_NE | CR0_AM;
    cpu_write_cr0(cr0);
    cpu_write_cr4(cpu_read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT | (features.smep ? CR4_SMEP : 0) |
                  (features.smap ? CR4_SMAP : 0) | (features.umip ? CR4_UMIP : 0) |
                  (features.avx ? CR4_OSXSAVE : 0));
    fpu_features = features.avx ? FPU_X87_SSE | FPU_AVX : 0;
    if (features.avx)
        cpu_write_xcr0((uint32_t)fpu_features);
    if (features.nx)
        cpu_write_msr(MSR_EFER, cpu_read_msr(MSR_EFER) | EFER_NXE);
    entry_has_smap = features.smap;
}

const char *features_text(void)
{
    static char text[56];
    format(text, sizeof(text), "wp%s%s%s%s%s%s", features.nx ? " nx" : " (no nx)",
           features.smep ? " smep" : "", features.smap ? " smap" : "", features.umip ? " umip" : "",
           features.rdrand ? " rdrand" : "", features.avx ? " avx" : "");
    return text;
}

static void check_bits(const char *name, uint64_t value, uint64_t wanted, uint64_t unwanted)
{
    if ((value & wanted) != wanted || (value & unwanted) != 0)
        panic("protection is off: %s is %#lx, with %#lx missing and %#lx too much", name, value,
              wanted & ~value, value & unwanted);
}

void features_check(void)
{
    check_bits("CR0", cpu_read_cr0(), CR0_PG | CR0_WP | CR0_AM | CR0_NE | CR0_PE,
               CR0_CD | CR0_NW | CR0_EM);
    check_bits("CR4", cpu_read_cr4(),
               (features.smep ? CR4_SMEP : 0) | (features.smap ? CR4_SMAP : 0) |
                   (features.umip ? CR4_UMIP : 0) | (features.avx ? CR4_OSXSAVE : 0),
               CR4_TSD | CR4_PCE | CR4_FSGSBASE | (features.avx ? 0 : CR4_OSXSAVE));
    if (features.avx)
        check_bits("XCR0", cpu_read_xcr0(), fpu_features, ~fpu_features);
    check_bits("EFER", cpu_read_msr(MSR_EFER), features.nx ? EFER_NXE : 0, 0);
}
