/*
 * IA32_UMWAIT_CONTROL and the monitor over INIT, RESET and migration
 *
 * The command line says which: "init", "reset", or "migrate" (with run.py
 * --migrate).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "waitpkg.h"

#define CONTROL 400001      /* a limit in TSC units, and no C0.2 */

/* volatile: as if somebody else wrote it */
static volatile uint64_t line[8] __attribute__((aligned(64)));

/* What the second processor has found, and how often it has looked */
static volatile struct {
    uint64_t control;
    unsigned looks;
} other;

static void other_look(void)
{
    other.control = rdmsr(IA32_UMWAIT_CONTROL);
    wrmsr(IA32_UMWAIT_CONTROL, CONTROL);
    other.looks++;
}

static uint64_t ask_other(void)
{
    unsigned looks = other.looks;

    start_ap(other_look);
    while (other.looks == looks) {
        asm volatile("pause");
    }
    return other.control;
}

static void test_init(void)
{
    check(ask_other() == 0, "a processor begins with IA32_UMWAIT_CONTROL = 0");
    check(ask_other() == CONTROL, "INIT leaves IA32_UMWAIT_CONTROL");
}

static void test_reset(void)
{
    if (!was_reset()) {
        wrmsr(IA32_UMWAIT_CONTROL, CONTROL);
        reset();
    }
    check(rdmsr(IA32_UMWAIT_CONTROL) == 0, "RESET clears IA32_UMWAIT_CONTROL");
}

/* What was armed may be forgotten; then UMWAIT returns at once. */
static void test_migration(void)
{
    unsigned limited = 0;

    wrmsr(IA32_UMWAIT_CONTROL, CONTROL);
    umonitor(line);
    wait_for_key();
    umwait(0, FOREVER);
    check(rdmsr(IA32_UMWAIT_CONTROL) == CONTROL,
          "IA32_UMWAIT_CONTROL has migrated");
    for (unsigned i = 0; i < 200 && !limited; i++) {
        umonitor(line);
        limited += umwait(0, FOREVER);
    }
    check(limited, "UMWAIT knows the limit");
    tpause(0, rdtsc() + CONTROL);
    check(true, "TPAUSE ends");
}

void bare_main(void)
{
    silence_timer();
    if (option("init")) {
        test_init();
    } else if (option("reset")) {
        test_reset();
    } else {
        test_migration();
    }
}
