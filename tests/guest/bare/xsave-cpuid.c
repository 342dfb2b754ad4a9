/*
 * Compacted XSAVE: CPUID leaves 7 and 0DH, IA32_XSS and IA32_PASID
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "xsave.h"

/* CPUID.(EAX=0DH,ECX=1):EAX (SDM vol. 2, CPUID) */
enum { HAS_XSAVEC = 2, HAS_XGETBV1 = 4, HAS_XSAVES = 8 };

static bool leaf_is(uint32_t subleaf, uint32_t a, uint32_t b, uint32_t c,
                    uint32_t d)
{
    uint32_t regs[4];

    cpuid(0xd, subleaf, regs);
    if (regs[0] != a || regs[1] != b || regs[2] != c || regs[3] != d) {
        note("sub-leaf %x: %x %x %x %x", subleaf, regs[0], regs[1], regs[2],
             regs[3]);
        return false;
    }
    return true;
}

static unsigned standard_size(uint64_t components)
{
    unsigned size = EXTENDED;

    for (unsigned i = AVX; i < PASID; i++) {
        if (components >> i & 1) {
            size = standard_offset[i] + component_size[i];
        }
    }
    return size;
}

static void test_features(void)
{
    uint32_t regs[4], want = 0;

    cpuid(7, 0, regs);
    check(!!(regs[2] & 1u << 29) == has_enqcmd, "CPUID: ENQCMD");
    cpuid(0xd, 1, regs);
    want |= has_xsavec ? HAS_XSAVEC : 0;
    want |= has_xsaves ? HAS_XSAVES : 0;
    check((regs[0] & (HAS_XSAVEC | HAS_XSAVES)) == want,
          "CPUID: XSAVEC, XSAVES");
    check(regs[2] == supervisor_components && regs[3] == 0,
          "CPUID: supervisor components");
}

/* A processor with neither instruction is an old model, and as in the base. */
static void test_subleaves(void)
{
    bool good = true;

    if (!has_xsavec && !has_xsaves) {
        check(leaf_is(PASID, 0, 0, 0, 0), "CPUID: no sub-leaf of IA32_PASID");
        return;
    }
    for (unsigned i = 2; i < 70; i++) {
        if (i < PASID && (user_components >> i & 1)) {
            good &= leaf_is(i, component_size[i], standard_offset[i], 0, 0);
        } else if (i < COMPONENTS && (supervisor_components >> i & 1)) {
            good &= leaf_is(i, component_size[i], 0, 1, 0);
        } else {
            good &= leaf_is(i, 0, 0, 0, 0);
        }
    }
    check(good, "CPUID: sub-leaves of the components, and of none");
}

/* Sub-leaves 0 and 1 as long as XCR0 and IA32_XSS are what they are */
static bool sizes_follow(uint64_t xcr0, uint64_t xss)
{
    uint32_t regs[4];

    cpuid(0xd, 1, regs);
    return leaf_is(0, user_components, standard_size(xcr0),
                   standard_size(user_components), 0) &&
           (regs[1] == compacted_size(xcr0 | xss) ||
            (!has_xsavec && !has_xsaves));
}

static void test_sizes(void)
{
    bool good = true;
    unsigned tried = 0;

    for (uint64_t xcr0 = 1; xcr0 <= user_components; xcr0++) {
        if ((xcr0 & ~user_components) || xsetbv(xcr0) != NO_FAULT) {
            continue;
        }
        good &= xgetbv(0) == xcr0 && sizes_follow(xcr0, supervisor_components);
        tried++;
        if (has_xsaves) {
            wrmsr(IA32_XSS, 0);
            good &= sizes_follow(xcr0, 0);
            wrmsr(IA32_XSS, supervisor_components);
        }
    }
    check(good && tried > 4,
          "CPUID: sizes follow XCR0 and IA32_XSS (%x values)", tried);
    enable_all();
}

void test_cpuid(void)
{
    test_features();
    test_subleaves();
    test_sizes();
}

/* Bit by bit: those in @bits can be set, the others fault and change nothing */
static void test_msr(uint32_t msr, uint64_t bits, const char *name)
{
    uint64_t val;
    bool good = true;

    wrmsr(msr, 0);
    for (unsigned i = 0; i < 64; i++) {
        int want = bits >> i & 1 ? NO_FAULT : GP;

        good &= try_wrmsr(msr, BIT(i)) == want;
        good &= try_rdmsr(msr, &val) == NO_FAULT &&
                val == (BIT(i) & bits);
        wrmsr(msr, 0);
    }
    wrmsr(msr, bits);
    for (unsigned i = 0; i < 64; i++) {
        if (!(bits >> i & 1)) {
            good &= try_wrmsr(msr, BIT(i)) == GP && fault.error == 0;
        }
    }
    check(good && rdmsr(msr) == bits,
          "%s: its bits, #GP(0) for the reserved ones", name);
}

static void test_no_msr(uint32_t msr, const char *name)
{
    uint64_t val;

    check(try_rdmsr(msr, &val) == GP && try_wrmsr(msr, 0) == GP,
          "%s: #GP(0) on a processor without it", name);
}

void test_msrs(void)
{
    if (has_xsaves) {
        test_msr(IA32_XSS, supervisor_components, "IA32_XSS");
    } else {
        test_no_msr(IA32_XSS, "IA32_XSS");
    }
    if (has_enqcmd) {
        test_msr(IA32_PASID, PASID_BITS, "IA32_PASID");
    } else {
        test_no_msr(IA32_PASID, "IA32_PASID");
    }
    enable_all();
}
