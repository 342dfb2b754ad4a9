/*
 * Extended state in TCG: XINUSE, CPUID leaf 0DH, IA32_XSS and IA32_PASID
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "cpu.h"
#include "target/i386/tcg/helper-tcg.h"
#include "xstate.h"

/* FCW after FNINIT; the other x87 fields are then 0, the registers empty */
#define FCW_INITIAL 0x37f

static bool xstate_fpu_in_use(CPUX86State *env)
{
    uint64_t bits = (env->fpuc ^ FCW_INITIAL) | env->fpus | env->fpstt;

    for (unsigned i = 0; i < ARRAY_SIZE(env->fpregs); i++) {
        bits |= env->fpregs[i].d.low | env->fpregs[i].d.high;
        bits |= !env->fptags[i];
    }
    return bits != 0;
}

/* XMM registers, or the upper halves of the YMM registers, from @q on */
static bool xstate_vectors_in_use(CPUX86State *env, unsigned q)
{
    unsigned regs = env->hflags & HF_CS64_MASK ? 16 : 8;
    uint64_t bits = 0;

    for (unsigned i = 0; i < regs; i++) {
        bits |= env->xmm_regs[i].ZMM_Q(q) | env->xmm_regs[i].ZMM_Q(q + 1);
    }
    return bits != 0;
}

/*
 * Implementation choice: SSE counts as in use with AVX, and if MXCSR is not
 * initial. A component may count as in use without need, and Linux shows a
 * tracer the MXCSR of an area only if it is worth it by XSTATE_BV.
 */
static bool xstate_sse_in_use(CPUX86State *env, bool avx)
{
    update_mxcsr_from_sse_status(env);
    return avx || env->mxcsr != MXCSR_INITIAL || xstate_vectors_in_use(env, 0);
}

uint64_t xstate_in_use(CPUX86State *env)
{
    bool avx = xstate_vectors_in_use(env, 2);
    const struct {
        uint64_t component;
        bool used;
    } states[] = {
        { XSTATE_FP_MASK, xstate_fpu_in_use(env) },
        { XSTATE_SSE_MASK, xstate_sse_in_use(env, avx) },
        { XSTATE_YMM_MASK, avx },
        { XSTATE_BNDREGS_MASK, env->hflags & HF_MPX_IU_MASK },
        { XSTATE_BNDCSR_MASK, env->bndcs_regs.cfgu | env->bndcs_regs.sts },
        { XSTATE_PKRU_MASK, env->pkru != 0 },
        { XSTATE_PASID_MASK, env->msr_pasid != 0 },
    };
    uint64_t in_use = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(states); i++) {
        in_use |= states[i].used ? states[i].component : 0;
    }
    return in_use;
}

/* The components that the processor has: in XCR0, in IA32_XSS */
static uint64_t xstate_user_components(CPUX86State *env)
{
    return (uint64_t)env->features[FEAT_XSAVE_XCR0_HI] << 32 |
           env->features[FEAT_XSAVE_XCR0_LO];
}

static uint64_t xstate_supervisor_components(CPUX86State *env)
{
    return (uint64_t)env->features[FEAT_XSAVE_XSS_HI] << 32 |
           env->features[FEAT_XSAVE_XSS_LO];
}

void xstate_cpuid(CPUX86State *env, uint32_t subleaf,
                  uint32_t *eax, uint32_t *ebx, uint32_t *ecx)
{
    bool compacted = env->features[FEAT_XSAVE] & TCG_XSAVE_COMPACTED;
    uint64_t all = xstate_user_components(env) |
                   xstate_supervisor_components(env);

    if (subleaf == 1 && compacted) {
        /* Whatever else a damaged XCR0 may claim is ignored */
        *ebx = xstate_layout((env->xcr0 | env->xss) & all, ~0ULL, NULL);
    } else if (subleaf > 1 && subleaf < 64 && !(all >> subleaf & 1) &&
               (compacted || subleaf == XSTATE_PASID_BIT)) {
        *eax = *ebx = *ecx = 0;
    }
}

uint32_t xstate_mxcsr(CPUX86State *env, uint32_t val, uintptr_t ra)
{
    if (val & MXCSR_RESERVED) {
        raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
    }
    return val;
}

void xstate_fxrstor(CPUX86State *env, uint32_t mxcsr, uintptr_t ra)
{
    if (env->cr[4] & CR4_OSFXSR_MASK) {
        xstate_mxcsr(env, mxcsr, ra);
    }
}

/* Where the MSR is, and what may be set in it; NULL if there is no such MSR */
static uint64_t *xstate_msr(CPUX86State *env, uint32_t msr, uint64_t *writable)
{
    if (msr == MSR_IA32_PASID) {
        *writable = ~MSR_PASID_RESERVED;
        return env->features[FEAT_7_0_ECX] & CPUID_7_0_ECX_ENQCMD ?
               &env->msr_pasid : NULL;
    }
    *writable = xstate_supervisor_components(env);
    return (env->features[FEAT_1_ECX] & CPUID_EXT_XSAVE) &&
           (env->features[FEAT_XSAVE] & CPUID_XSAVE_XSAVES) ?
           &env->xss : NULL;
}

uint64_t xstate_rdmsr(CPUX86State *env, uint32_t msr, uintptr_t ra)
{
    uint64_t writable, *value = xstate_msr(env, msr, &writable);

    if (!value) {
        raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
    }
    return *value;
}

void xstate_wrmsr(CPUX86State *env, uint32_t msr, uint64_t val, uintptr_t ra)
{
    uint64_t writable, *value = xstate_msr(env, msr, &writable);

    if (!value || (val & ~writable)) {
        raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
    }
    *value = val;
}
