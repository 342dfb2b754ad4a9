/*
 * Submissions in phases, for a trace of the locks that they take
 *
 * Each phase begins with a write to dmwr-testdev's CLEAR register, whose value
 * is the number of the phase; lock-trace.py knows them. No interrupts arrive
 * and nothing but the submission is in a phase's loop.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "dsa.h"
#include "testdev.h"
#include "waitpkg.h"

#define SUBMISSIONS 10000
#define IA32_PASID 0xd93
#define PASID_VALID 0x80000000u

static DSADesc desc, last;
static DSARecord record;

static void begin(unsigned phase)
{
    testdev[CLEAR] = phase;
}

/* A dedicated queue drops what it has no place for: one queue full at a time */
static void to_dedicated_queue(void)
{
    void *portal = dsa_portal(DSA_DEDICATED);

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

static unsigned to_shared_queue(void)
{
    void *portal = dsa_portal(DSA_SHARED);
    unsigned retries = 0;

    for (unsigned i = 0; i < SUBMISSIONS; i++) {
        while (!enqcmd(portal, &desc)) {
            retries++;
        }
    }
    return retries;
}

void bare_main(void)
{
    uint8_t *locked;
    unsigned accepted = 0, retries;

    silence_timer();
    if (!testdev_find() || !dsa_start()) {
        return;
    }
    locked = portals + PORTAL_LOCKED * PAGE;
    wrmsr(IA32_PASID, PASID_VALID | 5);
    dsa_noop(&desc, NULL);
    dsa_noop(&last, &record);

    begin(1);
    for (unsigned i = 0; i < SUBMISSIONS; i++) {
        accepted += enqcmd(portals, &desc);
    }
    begin(2);
    for (unsigned i = 0; i < SUBMISSIONS; i++) {
        movdir64b(portals, &desc);
    }
    begin(3);
    retries = to_shared_queue();
    begin(4);
    to_dedicated_queue();
    begin(5);
    for (unsigned i = 0; i < SUBMISSIONS; i++) {
        umonitor(&record);
        umwait(0, 0);
    }
    /* What has to take the big lock, so that the trace is seen to see it */
    begin(6);
    for (unsigned i = 0; i < SUBMISSIONS; i++) {
        /* a register */
        *(volatile uint64_t *)(portals + PORTAL_ORDINARY * PAGE) = i;
    }
    begin(7);
    for (unsigned i = 0; i < SUBMISSIONS; i++) {
        accepted += enqcmd(locked, &desc);
    }
    begin(8);

    note("%x retries of the shared queue, hexadecimal", retries);
    check(accepted == 2 * SUBMISSIONS, "all submissions were accepted");
    check(record.status == DSA_SUCCESS, "the dedicated queue completed");
}
