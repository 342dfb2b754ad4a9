/*
 * Compacted XSAVE in 64-bit mode: addresses and pages
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "xsave.h"
#include "boot.h"

#define RW (PTE_P | PTE_W)

/* Where an area begins whose legacy region and header end with the page */
#define AT_END (PAGE - EXTENDED)

static Area memory[2];
static uint8_t *window;     /* the same two pages */

OP(xsavec64, "xsavec64 (%0)")
OP(xsaves64, "xsaves64 (%0)")
OP(xrstors64, "xrstors64 (%0)")

static void map(uint64_t first, uint64_t second)
{
    window = window_map(0, memory, first);
    window_map(1, memory + 1, second);
}

static bool page_fault(void (*fn)(void *), uint8_t *area, unsigned long error,
                       uint8_t *where)
{
    return run(fn, area, ~0ull) == PF && fault.error == error &&
           fault.cr2 == (uintptr_t)where;
}

static void test_save_pages(void)
{
    uint64_t all = user_components | supervisor_components;

    /* Nothing above the header in use: the next page is not needed. */
    memset(memory, 0, sizeof(memory));
    map(RW, 0);
    load_state(BIT(X87) | BIT(SSE), PATTERN_A, pattern_mxcsr(PATTERN_A));
    check(run(xsaves, window + AT_END, ~0ull) == NO_FAULT,
          "XSAVES: only the pages of what it saves");

    memset(memory, 0, sizeof(memory));
    load_state(all, PATTERN_A, pattern_mxcsr(PATTERN_A));
    bool good = page_fault(xsaves, window + AT_END, PF_WRITE, window + PAGE);
    for (unsigned i = 0; i < AREA_SIZE; i++) {
        good &= memory[0].byte[i] == 0;
    }
    check(good, "XSAVES: second page not present: #PF, nothing written");

    map(RW, PTE_P);
    check(page_fault(xsaves, window + AT_END, PF_WRITE | PF_PRESENT,
                     window + PAGE), "XSAVES: second page read-only: #PF");
    map(0, RW);
    check(page_fault(xsavec, window, PF_WRITE, window),
          "XSAVEC: page not present: #PF");
    map(PTE_P, RW);
    check(page_fault(xsavec, window, PF_WRITE | PF_PRESENT, window),
          "XSAVEC: read-only page: #PF");
}

/* An area anywhere across the two pages, which are apart in memory */
static void test_across(void)
{
    uint64_t all = user_components | supervisor_components;
    bool good = true;

    window = window_map(0, memory + 1, RW);
    window_map(1, memory, RW);
    for (unsigned offset = PAGE - 1024; offset < PAGE; offset += 64) {
        memset(memory, 0, sizeof(memory));
        load_state(all, PATTERN_A, pattern_mxcsr(PATTERN_A));
        good &= run(xsaves, window + offset, ~0ull) == NO_FAULT;
        load_state(all, PATTERN_B, pattern_mxcsr(PATTERN_B));
        good &= run(xrstors, window + offset, ~0ull) == NO_FAULT &&
                state_is(all, 0, pattern_mxcsr(PATTERN_A));
    }
    check(good, "XSAVES, XRSTORS: across two pages, at every place");
}

static void test_restore_pages(void)
{
    uint64_t all = user_components | supervisor_components;

    memset(memory, 0, sizeof(memory));
    map(RW, RW);
    load_state(all, PATTERN_B, pattern_mxcsr(PATTERN_B));
    run(xsaves, window + AT_END, ~0ull);
    load_state(all, PATTERN_A, pattern_mxcsr(PATTERN_A));
    map(PTE_P, 0);
    check(page_fault(xrstors, window + AT_END, 0, window + PAGE) &&
          state_is(all, 0, pattern_mxcsr(PATTERN_A)),
          "XRSTORS: second page not present: #PF, nothing restored");
    check(!(window_pt[0] & PTE_D), "... and the first is read only");
    check(run(xrstors, window + AT_END, BIT(X87) | BIT(SSE)) == NO_FAULT &&
          state_is(all & ~(BIT(X87) | BIT(SSE)), BIT(X87) | BIT(SSE),
                   pattern_mxcsr(PATTERN_B)),
          "XRSTORS: only the pages of what it restores");
    map(0, RW);
    check(page_fault(xrstors, window, 0, window),
          "XRSTORS: page not present: #PF");
}

static void test_addresses(void)
{
    static void (*const functions[])(void *) = {
        xsavec, xsaves, xrstors, xrstor,
    };
    bool good = true;

    for (unsigned i = 0; i < 4; i++) {
        good &= run(functions[i], NON_CANONICAL, 0) == GP && fault.error == 0;
    }
    check(good, "non-canonical address: #GP(0)");
}

static void test_64(void)
{
    uint64_t all = user_components | supervisor_components;

    memset(memory, 0, sizeof(memory));
    load_state(all, PATTERN_A, pattern_mxcsr(PATTERN_A));
    bool good = run(xsaves64, memory, ~0ull) == NO_FAULT &&
                run(xsavec64, memory + 1, ~0ull) == NO_FAULT &&
                memory[0].xstate_bv == all &&
                memory[1].xstate_bv == user_components;
    load_state(0, PATTERN_A, MXCSR_INITIAL);
    check(good && run(xrstors64, memory, ~0ull) == NO_FAULT &&
          state_is(all, 0, pattern_mxcsr(PATTERN_A)),
          "XSAVEC64, XSAVES64, XRSTORS64");
}

/* PKRU decides about user pages: what the TLB knows of it has to go. */
static void read_page(void *arg)
{
    asm volatile("cmpb $0, (%0)" : : "r"(arg) : "cc", "memory");
}

static void test_protection_key(void)
{
    const uint64_t key5 = 5ull << 59, user = 4;
    uint32_t pkru = 1u << 10;       /* access disable of key 5 */

    memset(memory, 0, sizeof(memory));
    memory[0].xcomp_bv = BIT(PKRU) | COMPACTED;
    memory[0].xstate_bv = BIT(PKRU);
    pml4[0] |= user;
    pdpt[256] |= user;
    *(uint64_t *)(pdpt[256] & ~0xffful) |= user;
    map(RW, RW);
    window_map(2, memory + 1, RW | user | key5);
    memcpy(memory[0].byte + EXTENDED, &pkru, 4);
    load_state(0, PATTERN_A, MXCSR_INITIAL);
    set_cr4(0, 1u << 22);           /* PKE */
    int before = guarded_call(read_page, window + 2 * PAGE);
    run(xrstors, memory, BIT(PKRU));
    int denied = guarded_call(read_page, window + 2 * PAGE);
    memory[0].xstate_bv = 0;
    run(xrstors, memory, BIT(PKRU));
    int after = guarded_call(read_page, window + 2 * PAGE);
    set_cr4(1u << 22, 0);
    check(before == NO_FAULT && denied == PF && after == NO_FAULT,
          "XRSTORS: PKRU has effect at once, as does its initial value");
}

void test_paging(void)
{
    if (!has_xsaves || !has_xsavec) {
        return;
    }
    test_save_pages();
    test_across();
    test_restore_pages();
    test_addresses();
    test_64();
    if (user_components & BIT(PKRU)) {
        test_protection_key();
    }
}
