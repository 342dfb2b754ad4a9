/*
 * Compacted XSAVE: exceptions (SDM vol. 2, XSAVEC, XSAVES, XRSTOR, XRSTORS)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "xsave.h"

/* An instruction that the processor has, and what it may touch */
typedef struct Instruction {
    const char *name;
    void (*fn)(void *);
    bool saves, supervisor, present;
} Instruction;

static Instruction instructions[] = {
    { .name = "XSAVEC", .fn = xsavec, .saves = true },
    { .name = "XSAVES", .fn = xsaves, .saves = true, .supervisor = true },
    { .name = "XRSTORS", .fn = xrstors, .supervisor = true },
    { .name = "XRSTOR, compacted", .fn = xrstor },
};

#define FOR_EACH(i) \
    for (Instruction *i = instructions; \
         i < instructions + sizeof(instructions) / sizeof(*instructions); i++)

static Area area;

static uint64_t components(const Instruction *i)
{
    return user_components | (i->supervisor ? supervisor_components : 0);
}

/*
 * Pattern A in the processor, an area with all of pattern B, initial where the
 * instruction would change something it should not
 */
static void prepare(const Instruction *i)
{
    uint64_t all = components(i);

    load_state(~0ull, PATTERN_A, pattern_mxcsr(PATTERN_A));
    memset(&area, 0, sizeof(area));
    area.xcomp_bv = all | COMPACTED;
    area.xstate_bv = all;
    for (unsigned c = 0; c < COMPONENTS; c++) {
        if (all >> c & 1) {
            fill_component(area.byte + compacted_offset(all, c), c, PATTERN_B);
        }
    }
}

/* Whether the processor and the area are as prepare() left them */
static bool unchanged(const Instruction *i)
{
    static Area before;
    bool same;

    memcpy(&before, &area, sizeof(area));
    same = state_is(user_components | supervisor_components, 0,
                    pattern_mxcsr(PATTERN_A));
    prepare(i);
    return same && !memcmp(&before, &area, sizeof(area));
}

static bool faults(const Instruction *i, int vector)
{
    return run(i->fn, &area, ~0ull) == vector && fault.error == 0;
}

static void test_alignment(const Instruction *i)
{
    bool good = true;

    for (unsigned offset = 1; offset < 64; offset++) {
        prepare(i);
        good &= run(i->fn, area.byte + offset, ~0ull) == GP &&
                fault.error == 0 && unchanged(i);
    }
    check(good, "%s: area not at a multiple of 64: #GP(0)", i->name);
}

/* CR0.TS and CR4.OSXSAVE; what comes first */
static void test_control(const Instruction *i)
{
    prepare(i);
    set_cr0(0, CR0_TS);
    bool good = faults(i, NM) && run(i->fn, area.byte + 1, 0) == NM;
    set_cr0(CR0_TS, 0);
    check(good && unchanged(i), "%s: CR0.TS: #NM, before alignment", i->name);

    set_cr0(0, CR0_TS);
    set_cr4(CR4_OSXSAVE, 0);
    good = run(i->fn, area.byte + 1, 0) == UD;
    set_cr4(0, CR4_OSXSAVE);
    set_cr0(CR0_TS, 0);
    check(good && unchanged(i), "%s: not CR4.OSXSAVE: #UD, before #NM",
          i->name);
}

static void test_privilege(const Instruction *i)
{
    Op op = { &area, 0 };
    int want = i->supervisor ? GP : NO_FAULT;

    prepare(i);
    check(user_call(i->fn, &op) == want &&
          (want == NO_FAULT || (fault.error == 0 && unchanged(i))),
          "%s: privilege level 3: %s", i->name,
          want == GP ? "#GP(0)" : "no fault");

    set_cr4(CR4_OSXSAVE, 0);
    int vector = user_call(i->fn, &op);
    bool at_instruction = ((uint8_t *)fault.ip)[1] == 0xc7 ||
                          ((uint8_t *)fault.ip)[1] == 0xae;
    set_cr4(0, CR4_OSXSAVE);
    check(vector == UD && at_instruction,
          "%s: #UD comes before the privilege level", i->name);
}

/* Each bit of a 64-bit field that may not be set */
static bool bits_fault(const Instruction *i, unsigned quad, uint64_t bits)
{
    bool good = true;

    for (unsigned bit = 0; bit < 64; bit++) {
        if (bits >> bit & 1) {
            prepare(i);
            area.quad[quad] |= BIT(bit);
            good &= faults(i, GP);
            area.quad[quad] &= ~BIT(bit);
            good &= unchanged(i);
        }
    }
    return good;
}

static void test_header(const Instruction *i)
{
    const unsigned xstate_bv = HEADER / 8, xcomp_bv = xstate_bv + 1;
    bool good = true;

    check(bits_fault(i, xcomp_bv, ~(components(i) | COMPACTED)),
          "%s: XCOMP_BV beyond what is enabled: #GP(0)", i->name);
    check(bits_fault(i, xstate_bv, ~components(i)),
          "%s: XSTATE_BV beyond XCOMP_BV: #GP(0)", i->name);

    for (unsigned bit = 0; bit < COMPONENTS; bit++) {
        if (components(i) >> bit & 1) {
            prepare(i);
            area.xcomp_bv &= ~BIT(bit);
            good &= faults(i, GP);
            area.xcomp_bv |= BIT(bit);
            good &= unchanged(i);
        }
    }
    check(good, "%s: ... also of enabled components: #GP(0)", i->name);

    good = true;
    for (unsigned quad = xcomp_bv + 1; quad < EXTENDED / 8; quad++) {
        good &= bits_fault(i, quad, ~0ull);
    }
    check(good, "%s: reserved bytes of the header: #GP(0)", i->name);
}

/* What is enabled depends on XCR0 and IA32_XSS at this time. */
static void test_enabled(const Instruction *i)
{
    prepare(i);
    xsetbv(user_components & ~BIT(AVX));
    bool good = faults(i, GP);
    enable_all();
    check(good && unchanged(i), "%s: XCR0 without AVX: #GP(0)", i->name);

    if (i->supervisor && supervisor_components) {
        prepare(i);
        wrmsr(IA32_XSS, 0);
        good = faults(i, GP);
        enable_all();
        check(good && unchanged(i), "%s: IA32_XSS of 0: #GP(0)", i->name);
    }
}

static void test_reserved_data(const Instruction *i)
{
    uint64_t all = components(i);
    unsigned pasid = compacted_offset(all, PASID) / 8;

    check(bits_fault(i, MXCSR / 8, 0xffff0000),
          "%s: reserved bits of MXCSR: #GP(0)", i->name);
    prepare(i);
    area.word[MXCSR / 4] |= 0x80000000;
    check(run(i->fn, &area, ~BIT(SSE)) == NO_FAULT &&
          state_is(BIT(SSE) | (supervisor_components & ~all),
                   all & ~BIT(SSE), pattern_mxcsr(PATTERN_A)),
          "%s: ... but not if SSE is not restored", i->name);

    if (all & BIT(PASID)) {
        check(bits_fault(i, pasid, ~PASID_BITS),
              "%s: reserved bits of IA32_PASID: #GP(0)", i->name);
        prepare(i);
        area.quad[pasid] = ~0ull;
        check(run(i->fn, &area, ~BIT(PASID)) == NO_FAULT &&
              rdmsr(IA32_PASID) == pattern_pasid(PATTERN_A),
              "%s: ... but not if it is not restored", i->name);
        prepare(i);
        area.quad[pasid] = ~0ull;
        area.xstate_bv &= ~BIT(PASID);
        check(run(i->fn, &area, ~0ull) == NO_FAULT && rdmsr(IA32_PASID) == 0,
              "%s: ... nor if the area does not have it", i->name);
    }
}

static OP(ldmxcsr, "ldmxcsr (%0)")
static OP(fxrstor, "fxrstor (%0)")

/*
 * Others that write MXCSR: what they let through, XSAVES would save and XRSTORS
 * refuse.
 */
static void test_mxcsr(void)
{
    static const struct {
        const char *name;
        void (*fn)(void *);
        unsigned offset;
    } others[] = {
        { "LDMXCSR", ldmxcsr, 0 }, { "FXRSTOR", fxrstor, MXCSR },
        { "XRSTOR, standard", xrstor, MXCSR },
    };

    for (unsigned n = 0; n < sizeof(others) / sizeof(*others); n++) {
        bool good = true;

        for (unsigned bit = 16; bit < 32; bit++) {
            load_state(~0ull, PATTERN_A, pattern_mxcsr(PATTERN_A));
            memset(&area, 0, sizeof(area));
            area.word[others[n].offset / 4] = 1u << bit;
            good &= run(others[n].fn, &area, ~0ull) == GP && fault.error == 0;
            good &= state_is(user_components | supervisor_components, 0,
                             pattern_mxcsr(PATTERN_A));
        }
        check(good, "%s: reserved bits of MXCSR: #GP(0), nothing changed",
              others[n].name);
    }
}

/* The standard format has MXCSR with AVX as well (13.7, 13.8.1). */
static void test_mxcsr_of_avx(void)
{
    bool good;

    load_state(~0ull, PATTERN_A, pattern_mxcsr(PATTERN_A));
    memset(&area, 0xff, sizeof(area));
    memset(area.byte + HEADER, 0, EXTENDED - HEADER);
    good = run(xsave, &area, BIT(AVX)) == NO_FAULT &&
           area.word[MXCSR / 4] == pattern_mxcsr(PATTERN_A) &&
           area.quad[XMM / 8] == ~0ull;
    check(good, "XSAVE of AVX alone saves MXCSR, and nothing else of SSE");
    area.word[MXCSR / 4] = 0x10000;
    good = run(xrstor, &area, BIT(AVX)) == GP && fault.error == 0 &&
           state_is(user_components | supervisor_components, 0,
                    pattern_mxcsr(PATTERN_A));
    check(good, "XRSTOR of AVX alone: reserved bits of MXCSR: #GP(0)");
    area.word[MXCSR / 4] = pattern_mxcsr(PATTERN_B);
    good = run(xrstor, &area, BIT(AVX)) == NO_FAULT &&
           state_is(user_components | supervisor_components, 0,
                    pattern_mxcsr(PATTERN_B));
    check(good, "XRSTOR of AVX alone loads MXCSR, and nothing else of SSE");
}

#if BARE_BITS == 64
/* implementation choice: an area does not go on at address 0, #GP(0) */
static void test_end(const Instruction *i)
{
    prepare(i);
    check(run(i->fn, (void *)-64ul, ~0ull) == GP && fault.error == 0 &&
          unchanged(i), "%s: area beyond the last address: #GP(0)", i->name);
}
#endif

/* Standard format: for XRSTORS no format at all, for XRSTOR the other one */
static void test_format(const Instruction *i)
{
    prepare(i);
    area.xcomp_bv &= ~COMPACTED;
    bool good = faults(i, GP);
    area.xcomp_bv |= COMPACTED;
    check(good && unchanged(i), "%s: XCOMP_BV without bit 63: #GP(0)",
          i->name);
    if (i->supervisor) {
        area.xcomp_bv = area.xstate_bv = 0;
        good = faults(i, GP);
        area.xcomp_bv = components(i) | COMPACTED;
        area.xstate_bv = components(i);
        check(good && unchanged(i), "%s: standard format: #GP(0)", i->name);
        return;
    }
    area.xcomp_bv = 0;
    area.xstate_bv = BIT(X87) | BIT(SSE);
    check(run(xrstor, &area, BIT(X87) | BIT(SSE)) == NO_FAULT &&
          state_is(~(BIT(X87) | BIT(SSE)), BIT(X87) | BIT(SSE),
                   pattern_mxcsr(PATTERN_B)),
          "XRSTOR: the standard format still works");
}

/* A supervisor component is nothing for XRSTOR, at any privilege level. */
static void test_user_only(void)
{
    Instruction *i = instructions + 3;

    prepare(i);
    area.xcomp_bv |= BIT(PASID);
    check(faults(i, GP), "XRSTOR, compacted: IA32_PASID in XCOMP_BV: #GP(0)");
    prepare(i);
    check(run(xsavec, &area, BIT(PASID)) == NO_FAULT &&
          area.xcomp_bv == COMPACTED && area.xstate_bv == 0,
          "XSAVEC: no supervisor component");
}

#define ENCODING(name, bytes) OP(name, ".byte " bytes)
static ENCODING(xsavec_lock, "0xf0, 0x0f, 0xc7, 0x21")
static ENCODING(xsavec_66, "0x66, 0x0f, 0xc7, 0x21")
static ENCODING(xsavec_f2, "0xf2, 0x0f, 0xc7, 0x21")
static ENCODING(xsavec_f3, "0xf3, 0x0f, 0xc7, 0x21")
static ENCODING(xsavec_register, "0x0f, 0xc7, 0xe1")
static ENCODING(xsaves_lock, "0xf0, 0x0f, 0xc7, 0x29")
static ENCODING(xsaves_66, "0x66, 0x0f, 0xc7, 0x29")
static ENCODING(xsaves_f2, "0xf2, 0x0f, 0xc7, 0x29")
static ENCODING(xsaves_f3, "0xf3, 0x0f, 0xc7, 0x29")
static ENCODING(xsaves_register, "0x0f, 0xc7, 0xe9")
static ENCODING(xrstors_lock, "0xf0, 0x0f, 0xc7, 0x19")
static ENCODING(xrstors_66, "0x66, 0x0f, 0xc7, 0x19")
static ENCODING(xrstors_f2, "0xf2, 0x0f, 0xc7, 0x19")
static ENCODING(xrstors_f3, "0xf3, 0x0f, 0xc7, 0x19")
static ENCODING(xrstors_register, "0x0f, 0xc7, 0xd9")

/* The register forms of /4 and /5 are no instructions; /6 and /7 would be. */
static void test_encodings(void)
{
    static const struct {
        const char *name;
        void (*fn)(void *);
    } bad[] = {
        { "LOCK XSAVEC", xsavec_lock }, { "XSAVEC with 66", xsavec_66 },
        { "XSAVEC with F2", xsavec_f2 }, { "XSAVEC with F3", xsavec_f3 },
        { "XSAVEC of a register", xsavec_register },
        { "LOCK XSAVES", xsaves_lock }, { "XSAVES with 66", xsaves_66 },
        { "XSAVES with F2", xsaves_f2 }, { "XSAVES with F3", xsaves_f3 },
        { "XSAVES of a register", xsaves_register },
        { "LOCK XRSTORS", xrstors_lock }, { "XRSTORS with 66", xrstors_66 },
        { "XRSTORS with F2", xrstors_f2 }, { "XRSTORS with F3", xrstors_f3 },
        { "XRSTORS of a register", xrstors_register },
    };

    for (unsigned n = 0; n < sizeof(bad) / sizeof(*bad); n++) {
        check(run(bad[n].fn, &area, 0) == UD, "%s: #UD", bad[n].name);
    }
}

void test_faults(void)
{
    test_encodings();
    FOR_EACH(i) {
        if (i->supervisor ? !has_xsaves : !has_xsavec) {
            continue;
        }
        test_alignment(i);
        test_control(i);
        test_privilege(i);
#if BARE_BITS == 64
        test_end(i);
#endif
        if (!i->saves) {
            test_header(i);
            test_enabled(i);
            test_reserved_data(i);
            test_format(i);
        }
    }
    if (has_xsavec) {
        test_user_only();
    }
    test_mxcsr();
    if (user_components & BIT(AVX)) {
        test_mxcsr_of_avx();
    }
}

/* A processor without: #UD, also at privilege level 3 and before #NM */
void test_absent(void)
{
    Op op = { &area, 0 };

    FOR_EACH(i) {
        if (i->fn == xrstor || (i->supervisor ? has_xsaves : has_xsavec)) {
            continue;
        }
        set_cr0(0, CR0_TS);
        bool good = run(i->fn, &area, 0) == UD &&
                    run(i->fn, area.byte + 1, 0) == UD;
        set_cr0(CR0_TS, 0);
        good &= user_call(i->fn, &op) == UD &&
                ((uint8_t *)fault.ip)[1] == 0xc7;
        check(good, "%s on a processor without it: #UD", i->name);
    }
    if (has_xsave && !has_xsavec) {
        Instruction *i = instructions + 3;

        prepare(i);
        check(faults(i, GP) && unchanged(i),
              "XRSTOR of the compacted format without XSAVEC: #GP(0)");
    }
}
