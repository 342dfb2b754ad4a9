/*
 * intel-dsa: work queues (DSA sections 3.2 and 3.3): admission from portals,
 * arbitration between the queues of a group, drain and abort.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/host-utils.h"
#include "qemu/lockable.h"
#include "qemu/main-loop.h"
#include "qemu/memalign.h"
#include "qemu/processor.h"
#include "dsa.h"
#include "turn.h"
#include "trace.h"

/* DSAQueue.ctl: one word, so that a descriptor is admitted by one swap */
FIELD(CTL, TAIL, 0, 32)         /* next position, modulo 2^32 */
FIELD(CTL, OCCUPANCY, 32, 16)
FIELD(CTL, DRAINING, 61, 1)     /* deferrable writes are put off */
FIELD(CTL, DEDICATED, 62, 1)
FIELD(CTL, OPEN, 63, 1)

#define CTL_ONE (1ull << R_CTL_OCCUPANCY_SHIFT)

void dsa_wq_init(DSAState *s)
{
    unsigned i;

    qemu_mutex_init(&s->queue_lock);
    s->ring_size = pow2ceil(s->wq_size);
    s->slots_num = s->wqs * s->ring_size;
    s->slots = qemu_memalign(__alignof__(DSASlot),
                             s->slots_num * sizeof(DSASlot));
    memset(s->slots, 0, s->slots_num * sizeof(DSASlot));
    for (i = 0; i < s->wqs; i++) {
        s->queues[i].ring = &s->slots[i * s->ring_size];
    }
}

void dsa_wq_cleanup(DSAState *s)
{
    qemu_vfree(s->slots);
    qemu_mutex_destroy(&s->queue_lock);
}

uint16_t dsa_wq_occupancy(const DSAState *s, unsigned wq)
{
    return FIELD_EX64(qatomic_read(&s->queues[wq].ctl), CTL, OCCUPANCY);
}

void dsa_wq_close(DSAState *s, uint32_t wqs)
{
    while (wqs) {
        unsigned i = ctz32(wqs);

        wqs &= wqs - 1;
        qatomic_and(&s->queues[i].ctl, ~R_CTL_OPEN_MASK);
    }
}

void dsa_wq_set_state(DSAState *s, uint32_t wqs, DSAWQState state)
{
    for (; wqs; wqs &= wqs - 1) {
        s->queues[ctz32(wqs)].state = state;
    }
}

static DSASlot *slot_at(const DSAState *s, const DSAQueue *q, uint64_t pos)
{
    return &q->ring[pos & (s->ring_size - 1)];
}

static bool slot_ready(const DSASlot *slot, uint64_t pos)
{
    return qatomic_load_acquire(&slot->ready) == (uint32_t)(pos + 1);
}

/* --- submission: portal writers ------------------------------------------ */

/*
 * Claim a place. A writer may be late by any time between its look at the
 * limits and the swap; both stay within the ring whatever was configured.
 */
static DSASubmit claim(DSAQueue *q, unsigned page, bool deferrable,
                       uint32_t *pos)
{
    uint64_t ctl = qatomic_read(&q->ctl), seen;

    for (;;) {
        uint32_t limits = qatomic_read(&q->limits);
        bool dedicated = FIELD_EX64(ctl, CTL, DEDICATED);
        uint32_t max = dedicated || !(page & DSA_PORTAL_LIMITED) ?
                       limits & 0xffff : limits >> 16;
        uint64_t next;

        if (!FIELD_EX64(ctl, CTL, OPEN)) {
            return DSA_SUBMIT_CLOSED;
        }
        if (dedicated == deferrable) {
            return DSA_SUBMIT_MODE;
        }
        if (deferrable && FIELD_EX64(ctl, CTL, DRAINING)) {
            return DSA_SUBMIT_CLOSED;
        }
        if (FIELD_EX64(ctl, CTL, OCCUPANCY) >= max) {
            return DSA_SUBMIT_FULL;
        }
        *pos = FIELD_EX64(ctl, CTL, TAIL);
        next = FIELD_DP64(ctl + CTL_ONE, CTL, TAIL, *pos + 1);
        seen = qatomic_cmpxchg(&q->ctl, ctl, next);
        if (seen == ctl) {
            return DSA_SUBMIT_OK;
        }
        ctl = seen;
    }
}

DSASubmit dsa_wq_submit(DSAState *s, unsigned wq, unsigned page,
                        const void *desc, bool deferrable)
{
    DSAQueue *q = &s->queues[wq];
    DSASubmit ret;
    DSASlot *slot;
    unsigned group;
    uint32_t pos;

    ret = claim(q, page, deferrable, &pos);
    if (ret == DSA_SUBMIT_OK) {
        slot = slot_at(s, q, pos);
        memcpy(slot->desc, desc, DSA_DESC_SIZE);
        slot->page = page;
        /* Once it is ready the queue may be emptied and become another one */
        group = q->view.group;
        qatomic_store_release(&slot->ready, pos + 1);
        dsa_engines_kick(s->engines, group);
    }
    return ret;
}

/* --- the front of the queue: queue_lock ---------------------------------- */

/* From here on writers may use the first @n slots again */
static void pop(DSAQueue *q, unsigned n)
{
    q->head += n;
    qatomic_fetch_sub(&q->ctl, n * CTL_ONE);
}

void dsa_wq_open(DSAState *s, unsigned wq, const DSAWQView *view,
                 uint16_t size, uint16_t threshold)
{
    DSAQueue *q = &s->queues[wq];
    uint64_t ctl;

    WITH_QEMU_LOCK_GUARD(&s->queue_lock) {
        q->view = *view;
        q->share = 0;
    }
    qatomic_set(&q->limits, size | (uint32_t)threshold << 16);
    q->state = DSA_WQ_ENABLED;
    /* Closed and empty: nobody else changes the word */
    ctl = FIELD_DP64(qatomic_read(&q->ctl), CTL, DEDICATED, view->dedicated);
    ctl = FIELD_DP64(ctl, CTL, DRAINING, 0);
    qatomic_store_release(&q->ctl, FIELD_DP64(ctl, CTL, OPEN, 1));
}

/* Position after the last claimed place; stable while the queue is closed */
static uint64_t queue_end(DSAQueue *q)
{
    return q->head + FIELD_EX64(qatomic_read(&q->ctl), CTL, OCCUPANCY);
}

/* DSA section 3.2: a shared queue's descriptors bring their own PASID */
static void identify(DSAQueue *q, const DSASlot *slot, uint32_t *pasid,
                     bool *priv)
{
    uint32_t tag = ldl_le_p(slot->desc);

    if (!q->view.dedicated) {
        *pasid = extract32(tag, 0, 20);
        *priv = extract32(tag, 31, 1);
    } else if (q->view.pasid_en) {
        *pasid = q->view.pasid;
        *priv = q->view.priv;
    } else {
        *pasid = PCI_NO_PASID;
        *priv = q->view.priv;
    }
}

/* A slot that is not ready has a writer, who kicks when it is done */
static bool queue_has_job(DSAState *s, DSAQueue *q)
{
    return FIELD_EX64(qatomic_read(&q->ctl), CTL, OCCUPANCY) &&
           slot_ready(slot_at(s, q, q->head), q->head) &&
           q->held_count < DSA_MAX_IN_FLIGHT;
}

/*
 * DSA section 3.4: queues of a group share its engines by priority, and none
 * starves.
 */
static DSAQueue *pick(DSAState *s, uint32_t wqs)
{
    DSATurn turn = { };

    for (; wqs; wqs &= wqs - 1) {
        DSAQueue *q = &s->queues[ctz32(wqs)];

        if (queue_has_job(s, q)) {
            dsa_turn_offer(&turn, ctz32(wqs), &q->share, q->view.priority);
        } else {
            q->share = 0;
        }
    }
    return dsa_turn_decide(&turn) ? &s->queues[turn.who] : NULL;
}

bool dsa_wq_take(DSAState *s, unsigned group, DSAJob *job)
{
    uint32_t wqs = group < DSA_MAX_GROUPS ?
                   qatomic_read(&s->group_wqs[group]) : 0;
    uint32_t m;
    DSAQueue *q;
    DSASlot *slot;

    for (m = wqs; m && !dsa_wq_occupancy(s, ctz32(m)); m &= m - 1) {
    }
    if (!m) {
        return false;
    }

    WITH_QEMU_LOCK_GUARD(&s->queue_lock) {
        q = pick(s, wqs);
        if (!q) {
            return false;
        }
        slot = slot_at(s, q, q->head);
        memcpy(job->desc, slot->desc, DSA_DESC_SIZE);
        job->wq = q->view;
        job->ticket = q->head;
        job->ims_portal = slot->page & DSA_PORTAL_IMS;
        identify(q, slot, &job->pasid, &job->priv);
        q->held[q->held_count++] = (DSAHeld) { job->ticket, job->pasid };
        pop(q, 1);
    }
    dsa_wq_check_occupancy(s, job->wq.index);
    return true;
}

/* --- drain ---------------------------------------------------------------- */

/* Whether a command for @target is about @pasid */
static bool covers(uint32_t target, uint32_t pasid)
{
    return target == DSA_ALL_PASIDS || target == pasid;
}

static bool drain_covers(const DSADrain *d, unsigned wq, uint64_t ticket,
                         uint32_t pasid)
{
    return d->active && (d->wqs & (1u << wq)) && ticket < d->barrier[wq] &&
           covers(d->pasid, pasid);
}

/* Where in held[] the job with this ticket is; held_count if it is not there */
static unsigned find_held(const DSAQueue *q, uint64_t ticket)
{
    unsigned i;

    for (i = 0; i < q->held_count && q->held[i].ticket != ticket; i++) {
        /* look on */
    }
    return i;
}

void dsa_wq_retire(DSAState *s, const DSAJob *job)
{
    unsigned wq = job->wq.index, i;
    DSAQueue *q = &s->queues[wq];
    bool was_full = false, drained = false;

    WITH_QEMU_LOCK_GUARD(&s->queue_lock) {
        i = find_held(q, job->ticket);
        if (i == q->held_count) {
            return;
        }
        was_full = q->held_count == DSA_MAX_IN_FLIGHT;
        q->held[i] = q->held[--q->held_count];
        if (drain_covers(&s->drain, wq, job->ticket, job->pasid)) {
            drained = --s->drain.left == 0;
        }
    }
    if (drained) {
        qemu_bh_schedule(s->cmd_bh);
    }
    if (was_full) {
        dsa_engines_kick(s->engines, job->wq.group);
    }
}

/* A place between head and end that its writer is still filling */
static void wait_ready(DSASlot *slot, uint64_t pos)
{
    unsigned spins;

    for (spins = 0; !slot_ready(slot, pos); spins++) {
        if (spins < 1000) {
            cpu_relax();
        } else {
            g_usleep(10);   /* the host has another thread on its processor */
        }
    }
}

static uint32_t count_covered(DSAState *s, unsigned wq)
{
    DSAQueue *q = &s->queues[wq];
    uint32_t pasid, count = 0, i;
    uint64_t pos;
    bool priv;

    for (pos = q->head; pos < s->drain.barrier[wq]; pos++) {
        DSASlot *slot = slot_at(s, q, pos);

        wait_ready(slot, pos);
        identify(q, slot, &pasid, &priv);
        count += drain_covers(&s->drain, wq, pos, pasid);
    }
    for (i = 0; i < q->held_count; i++) {
        count += drain_covers(&s->drain, wq, q->held[i].ticket,
                              q->held[i].pasid);
    }
    return count;
}

/* Returns whether there is nothing to wait for */
static bool recount(DSAState *s)
{
    uint32_t m;

    s->drain.left = 0;
    for (m = s->drain.wqs; m; m &= m - 1) {
        s->drain.left += count_covered(s, ctz32(m));
    }
    return s->drain.left == 0;
}

void dsa_drain_recount(DSAState *s)
{
    bool over;

    WITH_QEMU_LOCK_GUARD(&s->queue_lock) {
        over = s->drain.active && recount(s);
    }
    if (over) {
        qemu_bh_schedule(s->cmd_bh);
    }
}

bool dsa_wq_state_valid(const DSAState *s, unsigned wq)
{
    const DSAQueue *q = &s->queues[wq];
    unsigned occupancy = FIELD_EX64(q->ctl, CTL, OCCUPANCY), i;
    const int32_t max_share = DSA_MAX_PRIORITY * DSA_MAX_WQS;

    if ((uint32_t)(q->head + occupancy) != FIELD_EX64(q->ctl, CTL, TAIL)) {
        return false;
    }
    if (s->drain.active && s->drain.barrier[wq] > q->head + occupancy) {
        return false;
    }
    if (q->state == DSA_WQ_DISABLED) {
        return !occupancy && !q->held_count && !FIELD_EX64(q->ctl, CTL, OPEN);
    }
    if (wq >= s->wqs || q->state > DSA_WQ_BUSY ||
        q->held_count > DSA_MAX_IN_FLIGHT ||
        occupancy > s->ring_size || (q->limits & 0xffff) > s->ring_size ||
        (q->limits >> 16) > s->ring_size ||
        q->view.index != wq || q->view.group >= s->groups ||
        q->view.pasid >> 20 || q->view.priority > DSA_MAX_PRIORITY ||
        q->share < -max_share || q->share > max_share) {
        return false;
    }
    for (i = 0; i < occupancy; i++) {
        uint64_t pos = q->head + i;

        if (!slot_ready(slot_at(s, q, pos), pos)) {
            return false;
        }
    }
    return true;
}

bool dsa_wq_holds(const DSAState *s, const DSAJob *job)
{
    const DSAQueue *q = &s->queues[job->wq.index];
    unsigned i = find_held(q, job->ticket);

    return i < q->held_count && q->held[i].pasid == job->pasid;
}

void dsa_wq_forget_all(DSAState *s)
{
    unsigned i;

    WITH_QEMU_LOCK_GUARD(&s->queue_lock) {
        s->drain.active = false;
        for (i = 0; i < DSA_MAX_WQS; i++) {
            DSAQueue *q = &s->queues[i];

            q->ctl = FIELD_DP64(0, CTL, TAIL, (uint32_t)q->head);
            q->held_count = 0;
            q->state = DSA_WQ_DISABLED;
        }
    }
}

/*
 * implementation choice: a queue that is being drained puts off deferrable
 * writes, so that a drain is over in bounded time. It takes posted ones, which
 * would be lost, and all of them while only one PASID is drained.
 */
static void set_draining(DSAState *s, bool draining)
{
    uint32_t m = s->drain.pasid == DSA_ALL_PASIDS ? s->drain.wqs : 0;

    for (; m; m &= m - 1) {
        uint64_t *ctl = &s->queues[ctz32(m)].ctl;

        if (draining) {
            qatomic_or(ctl, R_CTL_DRAINING_MASK);
        } else {
            qatomic_and(ctl, ~R_CTL_DRAINING_MASK);
        }
    }
}

void dsa_drain_begin(DSAState *s, uint32_t wqs, uint32_t pasid)
{
    uint32_t m;
    bool over;

    WITH_QEMU_LOCK_GUARD(&s->queue_lock) {
        s->drain = (DSADrain) { .active = true, .wqs = wqs, .pasid = pasid };
        set_draining(s, true);
        for (m = wqs; m; m &= m - 1) {
            s->drain.barrier[ctz32(m)] = queue_end(&s->queues[ctz32(m)]);
        }
        over = recount(s);
    }
    if (over) {
        qemu_bh_schedule(s->cmd_bh);
    }
}

bool dsa_drain_over(DSAState *s)
{
    QEMU_LOCK_GUARD(&s->queue_lock);
    return s->drain.active && s->drain.left == 0;
}

void dsa_drain_cancel(DSAState *s)
{
    QEMU_LOCK_GUARD(&s->queue_lock);
    if (s->drain.active) {
        set_draining(s, false);
        s->drain.active = false;
    }
}

/* --- abort ---------------------------------------------------------------- */

typedef struct DSAAbort {
    uint32_t wqs, pasid;
} DSAAbort;

static bool abort_match(const DSAJob *job, void *opaque)
{
    const DSAAbort *a = opaque;

    return (a->wqs & (1u << job->wq.index)) &&
           covers(a->pasid, job->pasid);
}

/*
 * Take the @target's descriptors out. The others move up to the end, which
 * writers do not touch, and keep their order; so the places that get free are
 * at the front and free at once.
 */
static void cancel_queued(DSAState *s, unsigned wq, uint32_t target)
{
    DSAQueue *q = &s->queues[wq];
    uint64_t pos = queue_end(q), to = pos;
    uint32_t pasid;
    bool priv;

    while (pos-- > q->head) {
        DSASlot *slot = slot_at(s, q, pos);

        wait_ready(slot, pos);
        identify(q, slot, &pasid, &priv);
        if (covers(target, pasid)) {
            continue;
        }
        if (--to != pos) {
            DSASlot *dest = slot_at(s, q, to);

            memcpy(dest->desc, slot->desc, DSA_DESC_SIZE);
            dest->page = slot->page;
        }
    }
    pop(q, to - q->head);
}

void dsa_abort(DSAState *s, uint32_t wqs, uint32_t pasid)
{
    DSAAbort a = { .wqs = wqs, .pasid = pasid };
    uint32_t m;

    trace_dsa_abort(wqs, pasid);
    dsa_engines_pause(s->engines);
    WITH_QEMU_LOCK_GUARD(&s->queue_lock) {
        for (m = wqs; m; m &= m - 1) {
            cancel_queued(s, ctz32(m), pasid);
        }
    }
    dsa_engines_abort(s->engines, abort_match, &a);
    dsa_engines_resume(s->engines);
    for (m = wqs; m; m &= m - 1) {
        if (s->queues[ctz32(m)].state == DSA_WQ_ENABLED) {
            dsa_wq_check_occupancy(s, ctz32(m));
        }
    }
}

void dsa_wq_off(DSAState *s, uint32_t wqs)
{
    dsa_wq_close(s, wqs);
    /* No occupancy interrupt of a queue that is reset */
    dsa_wq_set_state(s, wqs, DSA_WQ_BUSY);
    dsa_abort(s, wqs, DSA_ALL_PASIDS);
    dsa_wq_set_state(s, wqs, DSA_WQ_DISABLED);
}

/* --- occupancy interrupt -------------------------------------------------- */

/*
 * DSA 9.2.21, Occupancy Interrupt: one message when the queue has come down to
 * the limit; sending it clears the enable bit.
 */
void dsa_wq_check_occupancy(DSAState *s, unsigned wq)
{
    hwaddr base = DSA_WQCFG_BASE + wq * DSA_WQCFG_STRIDE;
    uint32_t arm, where;
    uint16_t handle;
    bool ims;

    /* Of one who arms and one who takes, the later sees what the other did */
    smp_mb();
    arm = dsa_wqcfg(s, wq, 5);
    where = dsa_wqcfg(s, wq, 4);
    handle = FIELD_EX32(where, WQCFG4, OCCUPANCY_HANDLE);
    ims = FIELD_EX32(where, WQCFG4, OCCUPANCY_IMS);
    if (!FIELD_EX32(arm, WQCFG5, OCCUPANCY_INT_EN) ||
        dsa_wq_occupancy(s, wq) > FIELD_EX32(arm, WQCFG5, OCCUPANCY_LIMIT)) {
        return;
    }
    if (qatomic_cmpxchg(&s->regs[(base + 20) / 4], arm,
                        FIELD_DP32(arm, WQCFG5, OCCUPANCY_INT_EN, 0)) != arm) {
        return;
    }
    qatomic_or(&s->regs[(base + 24) / 4], R_WQCFG6_OCCUPANCY_INT_MASK);
    qatomic_or(&s->intcause, DSA_INTCAUSE_OCCUPANCY);
    if (dsa_intr_handle_exists(s, handle, ims)) {
        dsa_intr_send(s, handle, ims);
    } else {
        dsa_intr_send(s, 0, false);
    }
}
