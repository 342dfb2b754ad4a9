/*
 * Submissions in phases, for a trace of the locks that they take
 *
 * Each phase begins with a write to dmwr-testdev's CLEAR register, whose value
 * is the number of the phase; lock-trace.py knows them. Phase 0 is what happens
 * between the others. No interrupts arrive and nothing but the submission, and
 * in one of them the wait for its completion, is in a phase's loop.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "dsa.h"
#include "testdev.h"
#include "waitpkg.h"

#define SUBMISSIONS 10000
#define WAITS 1000              /* that the device has to end */
#define PASID 5

static DSADesc desc, last;
static DSADesc of_kernel;       /* for ENQCMDS, brings its PASID along */
static DSARecord record;

typedef bool Enqueue(void *portal, const void *desc);

static void begin(unsigned phase)
{
    testdev[CLEAR] = phase;
}

/* Returns how many were accepted */
static unsigned enqueue_once(Enqueue *enqueue, void *portal)
{
    unsigned accepted = 0;

    for (unsigned i = 0; i < SUBMISSIONS; i++) {
        accepted += enqueue(portal, &desc);
    }
    return accepted;
}

/* Returns how often they were refused before the queue had taken them all */
static unsigned enqueue_all(Enqueue *enqueue, void *portal, const DSADesc *d)
{
    unsigned retries = 0;

    for (unsigned i = 0; i < SUBMISSIONS; i++) {
        while (!enqueue(portal, d)) {
            retries++;
        }
    }
    return retries;
}

static void store_once(void *portal)
{
    for (unsigned i = 0; i < SUBMISSIONS; i++) {
        movdir64b(portal, &desc);
    }
}

/* A dedicated queue drops what it has no place for: one queue full at a time */
static void store_all(void *portal)
{
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

/*
 * Submit and wait, until the device has ended so many waits by its record. What
 * it completes before UMWAIT is reached, which on a busy host is most, does not
 * count.
 */
static void store_and_wait(void *portal)
{
    unsigned woken = 0;

    while (woken < WAITS) {
        record.status = 0;
        movdir64b(portal, &last);
        while (!record.status) {
            umonitor(&record);
            if (!record.status) {
                umwait(0, FOREVER);
                woken += record.status != 0;
            }
        }
    }
}

static void accepting_phases(void)
{
    unsigned retries;

    begin(1);
    retries = enqueue_all(enqcmd, dsa_portal(DSA_SHARED), &desc);
    begin(2);
    retries += enqueue_all(enqcmd, dsa_limited_portal(DSA_SHARED), &desc);
    begin(3);
    retries += enqueue_all(enqcmds, dsa_portal(DSA_SHARED), &of_kernel);
    begin(4);
    store_all(dsa_portal(DSA_DEDICATED));
    begin(5);
    store_all(dsa_limited_portal(DSA_DEDICATED));
    begin(6);
    store_and_wait(dsa_portal(DSA_DEDICATED));
    begin(0);
    note("%x retries of the shared queue, hexadecimal", retries);
    check(record.status == DSA_SUCCESS, "the dedicated queue completed");
}

static void refusing_phases(void)
{
    unsigned accepted;

    begin(7);
    accepted = enqueue_once(enqcmd, dsa_limited_portal(DSA_NARROW));
    begin(8);
    accepted += enqueue_once(enqcmd, dsa_portal(DSA_DISABLED));
    begin(9);
    store_once(dsa_portal(DSA_DISABLED));
    begin(0);
    check(!accepted, "queues that have no place, or are disabled, refused all");
    check(dsa_reported(DSA_DISABLED), "what was dropped was reported");
    if (dsa_block()) {
        begin(10);
        accepted = enqueue_once(enqcmd, dsa_portal(DSA_SHARED));
        begin(0);
        check(!accepted, "the port refused all");
    }
}

/* The last two have to take the big lock: the trace is seen to see it */
static void completer_phases(void)
{
    uint8_t *ordinary = portals + PORTAL_ORDINARY * PAGE;
    unsigned accepted;

    begin(11);
    accepted = enqueue_once(enqcmd, portals);
    begin(12);
    store_once(portals);
    begin(13);
    accepted += enqueue_once(enqcmd, portals + PORTAL_LOCKED * PAGE);
    begin(14);
    for (unsigned i = 0; i < SUBMISSIONS; i++) {
        *(volatile uint64_t *)ordinary = i;     /* a register */
    }
    begin(0);
    check(accepted == 2 * SUBMISSIONS, "completers accepted all");
}

void bare_main(void)
{
    silence_timer();
    if (!testdev_find() || !dsa_start()) {
        return;
    }
    wrmsr(IA32_PASID, PASID_VALID | PASID);
    dsa_noop(&desc, NULL);
    dsa_noop(&last, &record);
    of_kernel = desc;
    of_kernel.pasid = PASID;

    accepting_phases();
    refusing_phases();
    completer_phases();
}
