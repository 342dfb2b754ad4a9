/*
 * intel-vtd: waiting for requests in flight (VT-d 6.5.4)
 *
 * Hardware completes an invalidation only when no earlier request can still
 * reach memory by what was invalidated. Users that translate and access
 * memory in one go announce themselves in one of two counters; an
 * invalidation sends newcomers to the other one and waits for the first to
 * empty. Between enter and leave nobody may wait for the big lock, which the
 * waiter holds.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/processor.h"
#include "state.h"

#define VTD_DRAIN_SPINS     2000
#define VTD_DRAIN_SLEEP_US  20

unsigned vtd_drain_enter(VTDState *s)
{
    for (;;) {
        unsigned phase = qatomic_read(&s->drain.phase);

        qatomic_inc(&s->drain.users[phase].count);
        /* Counted before the look at the phase, and that before any access */
        smp_mb__after_rmw();
        if (likely(qatomic_load_acquire(&s->drain.phase) == phase)) {
            return phase;
        }
        qatomic_dec(&s->drain.users[phase].count);
    }
}

void vtd_drain_leave(VTDState *s, unsigned phase)
{
    qatomic_dec(&s->drain.users[phase].count);
}

void vtd_invalidated(VTDState *s)
{
    qatomic_inc(&s->generation);
    s->drain.needed = true;
}

void vtd_drain(VTDState *s)
{
    unsigned phase = s->drain.phase, spins = 0;

    if (!s->drain.needed) {
        return;
    }
    s->drain.needed = false;
    qatomic_set_mb(&s->drain.phase, !phase);
    while (qatomic_read(&s->drain.users[phase].count)) {
        if (++spins < VTD_DRAIN_SPINS) {
            cpu_relax();
        } else {
            g_usleep(VTD_DRAIN_SLEEP_US);
        }
    }
    /* What they did comes before what tells of the completion */
    smp_mb();
}
