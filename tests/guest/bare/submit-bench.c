/*
 * What submissions cost, and what waiting for a completion costs
 *
 * Figures are lines "# figure NAME HEX", in hundredths of a nanosecond for one
 * operation of one processor. tests/bench/submit-bench.c reads them. There are
 * no interrupts. The second processor rests by UMWAIT while it has no work.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "dsa.h"
#include "testdev.h"
#include "waitpkg.h"

#define STORES 100000       /* and submissions that nobody carries out */
#define SUBMISSIONS 20000   /* to the accelerator */
#define LATENCIES 2000

/* HPET: bits 63:32 the counter's period in fs; bit 0 enables; the counter */
#define HPET_CAPABILITIES 0xfed00000ul
#define HPET_CONFIG 0xfed00010ul
#define HPET_COUNTER 0xfed000f0ul

static uint64_t ticks_per_ms;

/* What both processors share. volatile: each waits for the other. */
static volatile struct {
    void (*work)(void);
    unsigned done;
} __attribute__((aligned(64))) second;

static uint64_t read_register(uintptr_t addr)
{
    return *(volatile uint64_t *)addr;          /* a register */
}

/* The TSC has the host's frequency; HPET says how much that is. */
static bool calibrate(void)
{
    uint32_t period = read_register(HPET_CAPABILITIES) >> 32;
    uint64_t ms, begin, tsc;

    if (!period || period == ~0u) {
        return false;
    }
    ms = 1000000000000ull / period;
    /* a register */
    *(volatile uint64_t *)HPET_CONFIG |= 1;
    begin = read_register(HPET_COUNTER);
    tsc = rdtsc();
    while (read_register(HPET_COUNTER) - begin < 50 * ms) {
    }
    ticks_per_ms = (rdtsc() - tsc) / 50;
    return true;
}

static void figure(const char *name, uint64_t ticks, unsigned operations)
{
    uint64_t per = ticks * 1000 / operations * 100000 / ticks_per_ms;

    note("figure %s %x", name, (unsigned)per);
}

static void second_main(void)
{
    wrmsr(IA32_PASID, PASID_VALID | 6);
    wrmsr(IA32_UMWAIT_CONTROL, 0);
    for (;;) {
        void (*work)(void);

        while (!(work = second.work)) {
            umonitor(&second);
            if (!second.work) {
                umwait(0, FOREVER);
            }
        }
        work();
        second.work = NULL;
        second.done++;
    }
}

/* Ticks that @work takes on one processor, or on both at the same time */
static uint64_t measure(void (*work)(void), bool both)
{
    unsigned done = second.done;
    uint64_t begin = rdtsc();

    if (both) {
        second.work = work;
    }
    work();
    while (both && second.done == done) {
    }
    return rdtsc() - begin;
}

static void ordinary_stores(void)
{
    for (unsigned i = 0; i < STORES; i++) {
        /* a register */
        *(volatile uint64_t *)(portals + PORTAL_ORDINARY * PAGE) = i;
    }
}

static void direct_stores(void)
{
    DSADesc desc = { .flags_opcode = 0 };

    for (unsigned i = 0; i < STORES; i++) {
        movdir64b(portals, &desc);
    }
}

static void enqueue_stores(void)
{
    DSADesc desc = { .flags_opcode = 0 };

    for (unsigned i = 0; i < STORES; i++) {
        enqcmd(portals, &desc);
    }
}

/* A dedicated queue drops what it has no place for: one queue full at a time */
static void to_dedicated_queue(void)
{
    static DSADesc desc, last;
    static DSARecord record;
    void *portal = dsa_portal(DSA_DEDICATED);

    dsa_noop(&desc, NULL);
    dsa_noop(&last, &record);
    for (unsigned i = 0; i < SUBMISSIONS; i += DSA_WQ_SIZE) {
        record.status = 0;
        for (unsigned n = 1; n < DSA_WQ_SIZE; n++) {
            movdir64b(portal, &desc);
        }
        movdir64b(portal, &last);
        while (!record.status) {
        }
    }
}

static void to_shared_queue(void)
{
    DSADesc desc = { .flags_opcode = 0 };
    void *portal = dsa_portal(DSA_SHARED);

    for (unsigned i = 0; i < SUBMISSIONS; i++) {
        while (!enqcmd(portal, &desc)) {
        }
    }
}

static void wait_by_reading(DSARecord *record)
{
    while (!record->status) {
    }
}

static void wait_by_pause(DSARecord *record)
{
    while (!record->status) {
        asm volatile("pause");
    }
}

static void wait_by_umwait(DSARecord *record)
{
    while (!record->status) {
        umonitor(record);
        if (!record->status) {
            umwait(0, FOREVER);
        }
    }
}

static uint64_t latency(void (*wait)(DSARecord *))
{
    static DSADesc desc;
    static DSARecord record;
    uint64_t begin = rdtsc();

    dsa_noop(&desc, &record);
    for (unsigned i = 0; i < LATENCIES; i++) {
        record.status = 0;
        movdir64b(dsa_portal(DSA_DEDICATED), &desc);
        wait(&record);
    }
    return rdtsc() - begin;
}

void bare_main(void)
{
    silence_timer();
    if (!testdev_find() || !dsa_start()) {
        return;
    }
    check(calibrate(), "the frequency of the time-stamp counter");
    wrmsr(IA32_PASID, PASID_VALID | 5);
    wrmsr(IA32_UMWAIT_CONTROL, 0);
    start_ap(second_main);

    figure("store-1", measure(ordinary_stores, false), STORES);
    figure("movdir64b-1", measure(direct_stores, false), STORES);
    figure("enqcmd-1", measure(enqueue_stores, false), STORES);
    figure("store-2", measure(ordinary_stores, true), STORES);
    figure("movdir64b-2", measure(direct_stores, true), STORES);
    figure("enqcmd-2", measure(enqueue_stores, true), STORES);
    figure("dedicated-1", measure(to_dedicated_queue, false), SUBMISSIONS);
    figure("shared-1", measure(to_shared_queue, false), SUBMISSIONS);
    figure("shared-2", measure(to_shared_queue, true), SUBMISSIONS);
    figure("read", latency(wait_by_reading), LATENCIES);
    figure("pause", latency(wait_by_pause), LATENCIES);
    figure("umwait", latency(wait_by_umwait), LATENCIES);
}
