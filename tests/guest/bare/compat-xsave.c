/*
 * The XSAVE family in compatibility mode: it has half of the XMM and YMM
 * registers, and leaves the others alone (SDM vol. 1, 13.5.2 and 13.5.3)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "compat.h"
#include "xsave.h"

#define REGISTERS 16u
#define HALF (REGISTERS / 2 * 16)       /* bytes of the registers it has */
#define USED (BIT(X87) | BIT(SSE) | BIT(AVX) | BIT(PASID))

#define COMPAT_OP(name, text) \
    static void compat_ ## name(void *arg) \
    { \
        Op *op = arg; \
        asm volatile(COMPAT_KERNEL("mov %%esi, %%ds;" text) \
                     : : "c"(op->area), "a"((uint32_t)op->mask), \
                         "d"((uint32_t)(op->mask >> 32)), "S"(FLAT_DATA) \
                     : "memory"); \
    }

COMPAT_OP(xsavec, "xsavec (%%ecx)")
COMPAT_OP(xsaves, "xsaves (%%ecx)")
COMPAT_OP(xrstor, "xrstor (%%ecx)")
COMPAT_OP(xrstors, "xrstors (%%ecx)")

static Area area, other;

typedef struct Pair {
    const char *name;
    void (*save)(void *), (*restore)(void *), (*save64)(void *);
    uint64_t components;
} Pair;

static const Pair pairs[] = {
    { "XSAVEC", compat_xsavec, compat_xrstor, xsavec, USED & ~BIT(PASID) },
    { "XSAVES", compat_xsaves, compat_xrstors, xsaves, USED },
};

/* Whether all bytes are as fill_before() left them */
static bool same_byte(const uint8_t *byte, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (byte[i] != 0xee) {
            return false;
        }
    }
    return true;
}

static void fill_before(Area *a)
{
    memset(a, 0xee, sizeof(*a));
    memset(a->byte + HEADER, 0, EXTENDED - HEADER);
}

static void check_save(const Pair *p)
{
    uint64_t all = COMPACTED | p->components;
    unsigned avx = compacted_offset(all, AVX);
    unsigned pasid = compacted_offset(all, PASID);

    load_state(USED, PATTERN_A, pattern_mxcsr(PATTERN_A));
    fill_before(&area);
    fill_before(&other);
    check(run(p->save, &area, p->components) == NO_FAULT &&
          run(p->save64, &other, p->components) == NO_FAULT &&
          area.xstate_bv == p->components && area.xcomp_bv == all,
          "%s: all components", p->name);
    check(holds_component(&area, X87, PATTERN_A) &&
          !memcmp(area.byte + XMM, other.byte + XMM, HALF) &&
          !memcmp(area.byte + avx, other.byte + avx, HALF) &&
          (!(p->components & BIT(PASID)) ||
           holds_component(area.byte + pasid, PASID, PATTERN_A)),
          "%s: what the mode has is saved", p->name);
    check(same_byte(area.byte + XMM + HALF, HALF) &&
          same_byte(area.byte + avx + HALF, HALF),
          "%s: XMM8 to XMM15 and their upper halves are not", p->name);
}

/* Half of the registers get pattern B; the others keep pattern A */
static void check_restore(const Pair *p)
{
    uint64_t all = COMPACTED | p->components;
    unsigned avx = compacted_offset(all, AVX);
    static Area a, b;

    load_state(USED, PATTERN_A, pattern_mxcsr(PATTERN_A));
    run(p->save64, &a, p->components);
    load_state(USED, PATTERN_B, pattern_mxcsr(PATTERN_B));
    run(p->save64, &b, p->components);

    load_state(USED, PATTERN_A, pattern_mxcsr(PATTERN_A));
    check(run(p->restore, &b, p->components) == NO_FAULT &&
          run(p->save64, &area, p->components) == NO_FAULT,
          "restoring what %s saved", p->name);
    check(!memcmp(area.byte + XMM, b.byte + XMM, HALF) &&
          !memcmp(area.byte + avx, b.byte + avx, HALF) &&
          holds_component(&area, X87, PATTERN_B) &&
          area.word[MXCSR / 4] == pattern_mxcsr(PATTERN_B) &&
          rdmsr(IA32_PASID) == pattern_pasid(p->components & BIT(PASID) ?
                                             PATTERN_B : PATTERN_A),
          "... loads what the mode has");
    check(!memcmp(area.byte + XMM + HALF, a.byte + XMM + HALF, HALF) &&
          !memcmp(area.byte + avx + HALF, a.byte + avx + HALF, HALF),
          "... and leaves XMM8 to XMM15 and their upper halves alone");
}

static void compat_xgetbv(void *arg)
{
    uint32_t *in_use = arg, high;

    asm volatile(COMPAT_KERNEL("xgetbv") : "=a"(*in_use), "=d"(high) : "c"(1));
}

/* 13.6: SSE state is that of the registers which the mode has */
static void test_in_use(void)
{
    static Area init;
    uint32_t in_use = 0;

    load_state(BIT(SSE), PATTERN_A, MXCSR_INITIAL);
    memset(&init, 0, sizeof(init));
    init.word[MXCSR / 4] = MXCSR_INITIAL;
    init.xstate_bv = BIT(SSE);
    run(compat_xrstor, &init, BIT(SSE));
    guarded_call(compat_xgetbv, &in_use);
    check((xgetbv(1) & BIT(SSE)) && !(in_use & BIT(SSE)),
          "XMM8 to XMM15 make SSE state in use in 64-bit mode only");
}

void bare_main(void)
{
    read_options();
    enable_all();
    for (unsigned i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        check_save(&pairs[i]);
        check_restore(&pairs[i]);
    }
    test_in_use();
}
