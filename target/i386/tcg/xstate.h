/*
 * Extended state in TCG: supervisor components and what is in use
 *
 * References are to the Intel 64 and IA-32 Architectures Software Developer's
 * Manual (SDM). Everything here runs in the vCPU's thread and takes no lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef I386_TCG_XSTATE_H
#define I386_TCG_XSTATE_H

#include "cpu.h"

/*
 * Components with which the standard format has MXCSR (SDM vol. 1, 13.7 and
 * 13.8.1): SSE or AVX
 */
#define XSTATE_MXCSR_MASK       (XSTATE_SSE_MASK | XSTATE_YMM_MASK)

#ifdef CONFIG_USER_ONLY

/*
 * User emulation keeps the standard format: it has no supervisor state, and
 * its signal frames are written without the instructions.
 */
#define TCG_XSAVE_COMPACTED     0
#define TCG_XSS_LO_FEATURES     0

static inline uint64_t xstate_in_use(CPUX86State *env)
{
    return -1;
}

static inline void xstate_cpuid(CPUX86State *env, uint32_t subleaf,
                                uint32_t *eax, uint32_t *ebx, uint32_t *ecx)
{
}

static inline uint32_t xstate_mxcsr(CPUX86State *env, uint32_t val,
                                    uintptr_t ra)
{
    return val;
}

static inline void xstate_fxrstor(CPUX86State *env, uint32_t mxcsr,
                                  uintptr_t ra)
{
}

#else

/* CPUID.(EAX=0DH,ECX=1):EAX and :ECX (SDM vol. 1, 13.2) */
#define TCG_XSAVE_COMPACTED     (CPUID_XSAVE_XSAVEC | CPUID_XSAVE_XSAVES)
#define TCG_XSS_LO_FEATURES     XSTATE_PASID_MASK

/* MXCSR in its initial configuration (SDM vol. 1, 13.6) */
#define MXCSR_INITIAL           0x1f80

/**
 * xstate_in_use: XINUSE (SDM vol. 1, 13.6): the components that are not in
 * their initial configuration. Updates env->mxcsr.
 */
uint64_t xstate_in_use(CPUX86State *env);

/**
 * xstate_cpuid: correct the base's answer to sub-leaf @subleaf of CPUID leaf
 * 0DH where it depends on IA32_XSS, or on which components this processor has
 * (SDM vol. 1, 13.2). For a processor with neither XSAVEC nor XSAVES only the
 * sub-leaf of IA32_PASID is looked at, so that old models stay as they are.
 */
void xstate_cpuid(CPUX86State *env, uint32_t subleaf,
                  uint32_t *eax, uint32_t *ebx, uint32_t *ecx);

/* Bits of MXCSR that MXCSR_MASK does not have (SDM vol. 1, 11.6.6) */
#define MXCSR_RESERVED          0xffff0000u

/**
 * xstate_mxcsr: @val, which is to become MXCSR. Raises #GP(0) if it has a
 * reserved bit: XSAVES would save that, and XRSTORS fault in the kernel.
 * @ra: GETPC() of the helper.
 */
uint32_t xstate_mxcsr(CPUX86State *env, uint32_t val, uintptr_t ra);

/**
 * xstate_fxrstor: FXRSTOR is about to load @mxcsr and more. Faults come before
 * the first change.
 */
void xstate_fxrstor(CPUX86State *env, uint32_t mxcsr, uintptr_t ra);

/**
 * xstate_rdmsr, xstate_wrmsr: IA32_XSS and IA32_PASID (SDM vol. 4). Raise
 * #GP(0) if the processor does not have the MSR @msr, or for a reserved bit in
 * @val. @ra: GETPC() of the helper.
 */
uint64_t xstate_rdmsr(CPUX86State *env, uint32_t msr, uintptr_t ra);
void xstate_wrmsr(CPUX86State *env, uint32_t msr, uint64_t val, uintptr_t ra);

#endif

/**
 * xstate_layout: where components are in the compacted format (SDM vol. 1,
 * 13.4.3).
 * @xcomp_bv: the components that the area has room for, without bit 63
 * @used: those of them that will be accessed
 * @offset: set for each component in @xcomp_bv above 1; may be NULL
 *
 * Returns the size in bytes of the area up to the last component in @used.
 */
static inline unsigned xstate_layout(uint64_t xcomp_bv, uint64_t used,
                                     uint16_t *offset)
{
    unsigned end = sizeof(X86LegacyXSaveArea) + sizeof(X86XSaveHeader);
    unsigned size = end;

    xcomp_bv &= ~(XSTATE_FP_MASK | XSTATE_SSE_MASK);
    for (; xcomp_bv; xcomp_bv &= xcomp_bv - 1) {
        unsigned i = ctz64(xcomp_bv);
        const ExtSaveArea *area = &x86_ext_save_areas[i];

        if (area->ecx & ESA_FEATURE_ALIGN64_MASK) {
            end = ROUND_UP(end, 64);
        }
        if (offset) {
            offset[i] = end;
        }
        end += area->size;
        if (used >> i & 1) {
            size = end;
        }
    }
    return size;
}

#endif /* I386_TCG_XSTATE_H */
