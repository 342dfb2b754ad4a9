/*
 * Supervisor state over INIT, RESET and migration
 *
 * The command line says which: "init", "reset", "migrate" (with run.py
 * --migrate), "idle" for a migration without supervisor state, or "between" for
 * one while no task has a PASID. With two processors, each has a PASID of its
 * own.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "xsave.h"

/* What the second processor has found, and how far it is */
static volatile struct {
    uint32_t step;
    uint64_t xss, pasid, xcr0;
} other;

static void wait_for_step(uint32_t step)
{
    while (other.step != step) {
        asm volatile("pause");
    }
}

static void other_look(void)
{
    set_cr4(0, CR4_OSFXSR | CR4_OSXSAVE);
    other.xss = rdmsr(IA32_XSS);
    other.pasid = rdmsr(IA32_PASID);
    other.xcr0 = xgetbv(0);
}

static void other_set(void)
{
    other_look();
    asm volatile("xsetbv" : : "a"(3), "d"(0), "c"(0));
    wrmsr(IA32_XSS, supervisor_components);
    wrmsr(IA32_PASID, pattern_pasid(PATTERN_B));
    other.step = 1;
    wait_for_step(2);
    other_look();
    other.step = 3;
}

static void other_after_init(void)
{
    other_look();
    other.step = 1;
}

/* INIT is for one processor and leaves these alone (SDM vol. 3, 10.1.1). */
static void test_init(void)
{
    start_ap(other_set);
    wait_for_step(1);
    check(other.xss == 0 && other.pasid == 0 && other.xcr0 == 1,
          "a processor begins with IA32_XSS = IA32_PASID = 0, XCR0 = 1");
    check(rdmsr(IA32_PASID) == pattern_pasid(PATTERN_A),
          "IA32_PASID is each processor's own");
    other.step = 2;
    wait_for_step(3);
    other.step = 0;
    start_ap(other_after_init);
    wait_for_step(1);
    check(other.xss == supervisor_components &&
          other.pasid == pattern_pasid(PATTERN_B) && other.xcr0 == 3,
          "INIT leaves IA32_XSS, IA32_PASID and XCR0");
}

static void test_reset(void)
{
    uint32_t regs[4];

    if (!was_reset()) {
        reset();
    }
    set_cr4(0, CR4_OSXSAVE);
    check(rdmsr(IA32_XSS) == 0, "RESET clears IA32_XSS");
    check(rdmsr(IA32_PASID) == 0, "RESET clears IA32_PASID");
    cpuid(0xd, 1, regs);
    check(xgetbv(0) == 1 && regs[1] == EXTENDED,
          "... and XCR0, and CPUID knows");
}

static void test_migration(void)
{
    static Area area;
    uint64_t all = user_components | supervisor_components;
    uint32_t regs[4];

    start_ap(other_set);
    wait_for_step(1);
    wait_for_key();
    check(rdmsr(IA32_XSS) == supervisor_components, "IA32_XSS has migrated");
    check(rdmsr(IA32_PASID) == pattern_pasid(PATTERN_A),
          "IA32_PASID has migrated");
    check(state_is(all, 0, pattern_mxcsr(PATTERN_A)),
          "all components have migrated");
    cpuid(0xd, 1, regs);
    check(regs[1] == compacted_size(all), "CPUID knows");
    check(run(xsaves, &area, ~0ull) == NO_FAULT && area.xstate_bv == all,
          "XSAVES saves them");
    other.step = 2;
    wait_for_step(3);
    check(other.xss == supervisor_components &&
          other.pasid == pattern_pasid(PATTERN_B) && other.xcr0 == 3,
          "the second processor's have migrated");
}

/* Nothing that needs the feature is in the stream. */
static void test_idle_migration(void)
{
    uint32_t regs[4];

    wrmsr(IA32_PASID, 0);
    wrmsr(IA32_XSS, 0);
    wait_for_key();
    cpuid(7, 0, regs);
    check(!(regs[2] & 1u << 29),
          "migrated to a processor without ENQCMD: IA32_PASID was 0");
}

/* An operating system switches IA32_PASID, which is 0 just now. */
static void test_migration_between(void)
{
    wrmsr(IA32_PASID, 0);
    wait_for_key();
    check(rdmsr(IA32_XSS) == supervisor_components, "IA32_XSS has migrated");
    check(rdmsr(IA32_PASID) == 0, "IA32_PASID is 0");
}

void bare_main(void)
{
    read_options();
    if (!was_reset()) {
        enable_all();
        load_state(~0ull, PATTERN_A, pattern_mxcsr(PATTERN_A));
    }
    if (option("init")) {
        test_init();
    } else if (option("reset")) {
        test_reset();
    } else if (option("migrate")) {
        test_migration();
    } else if (option("between")) {
        test_migration_between();
    } else {
        test_idle_migration();
    }
}
