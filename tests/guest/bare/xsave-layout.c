/*
 * Compacted XSAVE: what is saved where, and what is restored
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "xsave.h"

#define UNTOUCHED 0xee

static Area area;

/* Subsets of a set, in rising order; 0 after the last */
static uint64_t next_subset(uint64_t subset, uint64_t set)
{
    return (subset - set) & set;
}

static uint64_t random_bits(void)
{
    static uint64_t state = 0x9e3779b97f4a7c15;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/*
 * Clear what a component may have written, so that the rest can be held
 * against UNTOUCHED.
 */
static void forget_component(uint64_t xcomp_bv, unsigned component)
{
    unsigned offset = compacted_offset(xcomp_bv, component);
    unsigned registers = sizeof(long) == 8 ? 256 : 128;

    switch (component) {
    case X87:
        memset(area.byte, UNTOUCHED, MXCSR);
        memset(area.byte + ST0, UNTOUCHED, 128);
        break;
    case SSE:
        memset(area.byte + MXCSR, UNTOUCHED, 8);
        memset(area.byte + XMM, UNTOUCHED, registers);
        break;
    case AVX:
        memset(area.byte + offset, UNTOUCHED, registers);
        break;
    default:
        memset(area.byte + offset, UNTOUCHED, component_size[component]);
        break;
    }
}

/* Whether the area at @place has XMM registers of 0 */
static bool no_registers(const uint8_t *place)
{
    const uint8_t zero[256] = {};

    return !memcmp(place + XMM, zero, sizeof(long) == 8 ? 256 : 128);
}

static bool holds_initial_sse(const uint8_t *place)
{
    return no_registers(place) &&
           ((const Area *)place)->word[MXCSR / 4] == MXCSR_INITIAL &&
           ((const Area *)place)->word[MXCSR / 4 + 1] == 0xffff;
}

/*
 * XINUSE if the components in @used are not initial. One that is may be in use
 * nevertheless, and SSE is if AVX is (13.6).
 */
static uint64_t in_use(uint64_t used)
{
    return used | (used & BIT(AVX) ? BIT(SSE) : 0);
}

/* Whether area is what the instruction had to write (13.10, 13.11) */
static bool saved(uint64_t rfbm, uint64_t used)
{
    uint64_t bv = rfbm & in_use(used);
    bool good = area.xstate_bv == bv && area.xcomp_bv == (rfbm | COMPACTED);

    for (unsigned i = 0; i < COMPONENTS; i++) {
        if (bv >> i & 1) {
            uint8_t *place = area.byte + compacted_offset(rfbm, i);

            good &= used >> i & 1 ? holds_component(place, i, PATTERN_A) :
                    holds_initial_sse(place);
            forget_component(rfbm, i);
        }
    }
    memset(area.byte + HEADER, UNTOUCHED, 16);
    for (unsigned i = 0; i < 1200; i++) {
        good &= area.byte[i] == UNTOUCHED;
    }
    return good;
}

/* Every set of components that are not initial, saved by every mask */
static void check_save(void (*fn)(void *), uint64_t enabled, const char *name)
{
    uint64_t all = user_components | supervisor_components;
    uint64_t used = 0;
    bool good = true, exact = true;

    do {
        load_state(used, PATTERN_A, used & BIT(SSE) ?
                   pattern_mxcsr(PATTERN_A) : MXCSR_INITIAL);
        exact &= xgetbv(1) == (in_use(used) & user_components);
        uint64_t mask = 0;
        do {
            uint64_t rfbm = mask & enabled;

            memset(area.byte, UNTOUCHED, 1200);
            good &= run(fn, &area, mask) == NO_FAULT &&
                    saved(rfbm, used);
            mask = next_subset(mask, all);
        } while (mask);
        used = next_subset(used, all);
    } while (used);
    check(good, "%s: layout, headers and what is left out", name);
    check(exact, "%s: XGETBV with ECX=1 says what is in use", name);
}

static void check_mxcsr(void (*fn)(void *), const char *name)
{
    load_state(0, PATTERN_A, 0x1fc0);
    memset(area.byte, UNTOUCHED, sizeof(area));
    check(run(fn, &area, ~0ull) == NO_FAULT && area.xstate_bv == BIT(SSE) &&
          area.word[MXCSR / 4] == 0x1fc0 && no_registers(area.byte),
          "%s: MXCSR alone makes SSE be saved", name);

    load_state(0, PATTERN_A, 0x1fc0);
    memset(area.byte, UNTOUCHED, sizeof(area));
    check(run(fn, &area, ~BIT(SSE)) == NO_FAULT && area.xstate_bv == 0 &&
          area.word[MXCSR / 4] == UNTOUCHED * 0x01010101u,
          "%s: ... but not with AVX, if SSE is not asked for", name);
}

/* Each part of a component alone makes the component count as in use. */
static void test_parts(void)
{
    static const struct {
        uint16_t offset;
        uint8_t val, component;
    } parts[] = {
        { 0, 0x7e, X87 }, { 3, 0x01, X87 }, { 3, 0x08, X87 }, { 4, 0x01, X87 },
        { 4, 0x80, X87 }, { ST0, 0x01, X87 }, { ST0 + 9, 0x80, X87 },
        { ST0 + 7 * 16 + 8, 0x01, X87 }, { MXCSR, 0x81, SSE },
        { XMM, 0x01, SSE }, { XMM + 7 * 16 + 15, 0x80, SSE },
        { EXTENDED, 0x01, AVX }, { EXTENDED + 7 * 16 + 15, 0x80, AVX },
    };
    bool good = true;

    for (unsigned i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        uint64_t bit = BIT(parts[i].component);

        memset(&area, 0, sizeof(area));
        area.half[0] = 0x37f;
        area.word[MXCSR / 4] = MXCSR_INITIAL;
        area.byte[parts[i].offset] = parts[i].val;
        area.xstate_bv = bit;
        good &= run(xrstor, &area, ~0ull) == NO_FAULT &&
                xgetbv(1) == in_use(bit);
    }
    check(good, "XINUSE: each part of x87, SSE and AVX by itself");
}

void test_save(void)
{
    load_state(0, PATTERN_A, MXCSR_INITIAL);
    test_parts();
    if (has_xsavec) {
        check_save(xsavec, user_components, "XSAVEC");
        check_mxcsr(xsavec, "XSAVEC");
    }
    if (has_xsaves) {
        check_save(xsaves, user_components | supervisor_components, "XSAVES");
        check_mxcsr(xsaves, "XSAVES");
        wrmsr(IA32_XSS, 0);
        check_save(xsaves, user_components, "XSAVES with IA32_XSS = 0");
        xsetbv(BIT(X87) | BIT(SSE));
        load_state(~0ull, PATTERN_A, pattern_mxcsr(PATTERN_A));
        memset(area.byte, UNTOUCHED, 1200);
        check(run(xsaves, &area, ~0ull) == NO_FAULT &&
              saved(BIT(X87) | BIT(SSE), BIT(X87) | BIT(SSE)),
              "XSAVES: nothing that XCR0 has not enabled");
        enable_all();
    }
}

static void fill_area(uint64_t xcomp_bv, uint64_t bv)
{
    memset(area.byte, UNTOUCHED, sizeof(area));
    memset(area.byte + HEADER, 0, EXTENDED - HEADER);
    area.xcomp_bv = xcomp_bv | COMPACTED;
    area.xstate_bv = bv;
    for (unsigned i = 0; i < COMPONENTS; i++) {
        if (bv >> i & 1) {
            fill_component(area.byte + compacted_offset(xcomp_bv, i), i,
                           PATTERN_B);
        }
    }
}

static bool restored(void (*fn)(void *), uint64_t enabled, uint64_t xcomp_bv,
                     uint64_t bv, uint64_t mask)
{
    uint64_t all = user_components | supervisor_components;
    uint64_t rfbm = mask & enabled;
    uint32_t mxcsr = !(rfbm & BIT(SSE)) ? pattern_mxcsr(PATTERN_A) :
                     bv & BIT(SSE) ? pattern_mxcsr(PATTERN_B) : MXCSR_INITIAL;

    load_state(all, PATTERN_A, pattern_mxcsr(PATTERN_A));
    fill_area(xcomp_bv, bv);
    return run(fn, &area, mask) == NO_FAULT &&
           state_is(all & ~rfbm, rfbm & bv, mxcsr);
}

/*
 * Every format, every set of components present in it, restored by all masks
 * or some. What is asked for and not there becomes initial, MXCSR with SSE;
 * what is not asked for stays (13.8, 13.12).
 */
static void check_restore(void (*fn)(void *), uint64_t enabled,
                          const char *name)
{
    uint64_t all = user_components | supervisor_components;
    uint64_t xcomp_bv = 0;
    bool good = true;

    do {
        uint64_t bv = 0;
        do {
            good &= restored(fn, enabled, xcomp_bv, bv, ~0ull);
            good &= restored(fn, enabled, xcomp_bv, bv, random_bits());
            bv = next_subset(bv, xcomp_bv);
        } while (bv);
        xcomp_bv = next_subset(xcomp_bv, enabled);
    } while (xcomp_bv);
    check(good, "%s: every format and content", name);

    uint64_t mask = 0;
    good = true;
    do {
        good &= restored(fn, enabled, enabled, enabled, mask);
        good &= restored(fn, enabled, enabled, 0, mask);
        mask = next_subset(mask, all);
    } while (mask);
    check(good, "%s: every mask", name);
}

/* What one instruction saves the other restores. */
static void check_round_trip(void (*save)(void *), void (*restore)(void *),
                             uint64_t enabled, const char *name)
{
    uint64_t all = user_components | supervisor_components;

    load_state(all, PATTERN_A, pattern_mxcsr(PATTERN_A));
    memset(&area, 0, sizeof(area));
    run(save, &area, ~0ull);
    load_state(all & ~enabled, PATTERN_A, MXCSR_INITIAL);
    check(run(restore, &area, ~0ull) == NO_FAULT &&
          state_is(all, 0, pattern_mxcsr(PATTERN_A)), "%s: there and back",
          name);
}

void test_restore(void)
{
    uint64_t all = user_components | supervisor_components;

    if (has_xsavec) {
        check_restore(xrstor, user_components, "XRSTOR, compacted");
        check_round_trip(xsavec, xrstor, user_components, "XSAVEC, XRSTOR");
    }
    if (has_xsaves) {
        check_restore(xrstors, all, "XRSTORS");
        check_round_trip(xsaves, xrstors, all, "XSAVES, XRSTORS");
    }
}
