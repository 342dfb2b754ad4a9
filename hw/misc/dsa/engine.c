/*
 * intel-dsa: the workers that carry out descriptors, and what the device side
 * may ask of them (job.h).
 *
 * Implementation choice: any worker serves any group. Which engine of a group
 * takes a descriptor can only be told by the time it takes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/rcu.h"
#include "hw/pci/pcie.h"
#include "engine.h"
#include "trace.h"

#define ALL_GROUPS MAKE_64BIT_MASK(0, DSA_MAX_GROUPS)
/* How long a worker looks out for more work before it sleeps */
#define POLL_MIN_NS 4000
#define POLL_MAX_NS 50000

/* --- flights; e->lock held ----------------------------------------------- */

DSAFlight *dsa_flight_get(DSAEngines *e)
{
    DSAFlight *fl = QTAILQ_FIRST(&e->freeq);

    if (fl) {
        QTAILQ_REMOVE(&e->freeq, fl, link);
    }
    return fl;
}

static void enqueue(DSAFlightList *list, DSAFlight *fl, DSAFlightState state)
{
    fl->state = state;
    QTAILQ_INSERT_TAIL(list, fl, link);
}

/* Whoever clears a worker's bit has to wake it; no locks, any thread */
static void wake_one(DSAEngines *e)
{
    unsigned left, bit;

    for (left = qatomic_read(&e->sleeping); left; left &= ~bit) {
        bit = left & -left;
        if (qatomic_fetch_and(&e->sleeping, ~bit) & bit) {
            qemu_event_set(&e->worker[ctz32(bit)].wake);
            return;
        }
    }
}

static void wake_all(DSAEngines *e)
{
    unsigned set = qatomic_xchg(&e->sleeping, 0);

    for (; set; set &= set - 1) {
        qemu_event_set(&e->worker[ctz32(set)].wake);
    }
}

void dsa_flight_ready(DSAEngines *e, DSAFlight *fl)
{
    fl->state = DSA_F_READY;
    dsa_line_add(&e->ready, fl);
    wake_one(e);
}

void dsa_engines_schedule(DSAEngines *e)
{
    qemu_bh_schedule(e->bh);
}

static void tell_waiters(DSAEngines *e)
{
    if (e->waiters) {
        qemu_cond_broadcast(&e->idle);
    }
}

static void wait_for_workers(DSAEngines *e)
{
    e->waiters++;
    qemu_cond_wait(&e->idle, &e->lock);
    e->waiters--;
}

/* @over has ended; or, if it is NULL, a worker's taking */
static void release_drains(DSAEngines *e, const DSAFlight *over)
{
    DSAFlight *fl, *next;

    QTAILQ_FOREACH_SAFE(fl, &e->drainq, link, next) {
        if ((over ? dsa_flight_drains(fl, over) : fl->drain_unsure) &&
            dsa_flight_drained(e, fl)) {
            QTAILQ_REMOVE(&e->drainq, fl, link);
            dsa_flight_ready(e, fl);
        }
    }
}

/* Out of whatever list it waits in */
static void detach(DSAEngines *e, DSAFlight *fl)
{
    switch (fl->state) {
    case DSA_F_READY:
        dsa_line_remove(&e->ready, fl);
        break;
    case DSA_F_SPACE:
        QTAILQ_REMOVE(&e->spaceq, fl, link);
        break;
    case DSA_F_PAGE:
        dsa_line_remove(&e->page, fl);
        break;
    case DSA_F_PAGE_LATER:
        QTAILQ_REMOVE(&e->laterq, fl, link);
        break;
    case DSA_F_DRAIN:
        QTAILQ_REMOVE(&e->drainq, fl, link);
        break;
    case DSA_F_PAGE_SENT:
        dsa_fault_forget(e, fl);
        break;
    }
}

/*
 * The flight is over. It leaves the count before the device side hears of it,
 * and its place is free only after that: e->lock is dropped meanwhile.
 */
static void retire(DSAEngines *e, DSAFlight *fl)
{
    trace_dsa_retire(fl->job.wq.index, fl->job.ticket, fl->aborted);
    fl->state = DSA_F_FREE;
    dsa_space_release(e, fl);
    qemu_mutex_unlock(&e->lock);
    g_free(fl->list);
    fl->list = NULL;
    dsa_wq_retire(e->s, &fl->job);
    qemu_mutex_lock(&e->lock);
    release_drains(e, fl);
    QTAILQ_INSERT_HEAD(&e->freeq, fl, link);
}

/* --- workers ------------------------------------------------------------- */

static void new_flight(DSAFlight *fl)
{
    dsa_task_init(&fl->task, fl->job.desc, false, 0);
    fl->fetched = fl->next = 0;
    fl->child_failed = fl->aborted = false;
    fl->page_refused = fl->page_single = false;
    fl->page_tries = 0;
    fl->blocked = NULL;
    fl->state = DSA_F_ACTIVE;
}

/* Take a job from a group's queues; e->lock is dropped meanwhile */
static DSAFlight *take_from(DSAWorker *w, unsigned group)
{
    DSAEngines *e = w->e;
    DSAFlight *fl = dsa_flight_get(e);
    bool got;

    if (!fl) {
        return NULL;
    }
    /* Cleared first: a kick that comes while we look is not lost */
    qatomic_and(&e->pending, ~BIT(group));
    w->taking = true;
    qemu_mutex_unlock(&e->lock);
    /* Nor does the look at the queues come before the clearing */
    smp_mb();
    got = dsa_wq_take(e->s, group, &fl->job);
    qemu_mutex_lock(&e->lock);
    w->taking = false;
    if (got) {
        qatomic_or(&e->pending, BIT(group));
        new_flight(fl);
    } else {
        QTAILQ_INSERT_HEAD(&e->freeq, fl, link);
        fl = NULL;
    }
    tell_waiters(e);
    release_drains(e, NULL);
    return fl;
}

static DSAFlight *take_new(DSAWorker *w)
{
    DSAFlight *fl;
    unsigned i;

    for (i = 0; i < DSA_MAX_GROUPS && !w->e->hold_take; i++) {
        unsigned group = (w->group + i) % DSA_MAX_GROUPS;

        if (qatomic_read(&w->e->pending) & BIT(group)) {
            fl = take_from(w, group);
            if (fl) {
                w->group = group + 1;
                return fl;
            }
        }
    }
    return NULL;
}

/* New jobs and those under way take turns */
static DSAFlight *next_flight(DSAWorker *w)
{
    DSAEngines *e = w->e;
    DSAFlight *fl = NULL, *more;

    w->prefer_new = !w->prefer_new;
    if (w->prefer_new || !e->ready.wqs) {
        fl = take_new(w);
        /* Wake another worker only if there is something for it */
        if (fl && qatomic_read(&e->sleeping)) {
            more = take_new(w);
            if (more) {
                dsa_flight_ready(e, more);
            }
        }
    }
    if (!fl) {
        fl = dsa_line_take(&e->ready);
        if (fl) {
            fl->state = DSA_F_ACTIVE;
        }
    }
    return fl;
}

static void put_back(DSAEngines *e, DSAFlight *fl, DSAVerdict verdict)
{
    switch (verdict) {
    case DSA_V_WAIT_SPACE:
        enqueue(&e->spaceq, fl, DSA_F_SPACE);
        dsa_engines_schedule(e);
        break;
    case DSA_V_WAIT_PAGE:
        fl->state = DSA_F_PAGE;
        dsa_line_add(&e->page, fl);
        dsa_engines_schedule(e);
        break;
    case DSA_V_WAIT_DRAIN:
        enqueue(&e->drainq, fl, DSA_F_DRAIN);
        /* What it waits for may be over since it looked */
        release_drains(e, fl);
        break;
    default:
        dsa_flight_ready(e, fl);
        break;
    }
}

/* One slice of a flight; e->lock is dropped meanwhile */
static void fly(DSAWorker *w, DSAFlight *fl)
{
    DSAEngines *e = w->e;
    DSAVerdict verdict = DSA_V_YIELD;

    w->flight = fl;
    if (!fl->aborted) {
        qemu_mutex_unlock(&e->lock);
        WITH_RCU_READ_LOCK_GUARD() {
            verdict = dsa_flight_slice(w, fl);
        }
        qemu_mutex_lock(&e->lock);
    }
    if (fl->aborted || verdict == DSA_V_DONE) {
        retire(e, fl);
    } else {
        put_back(e, fl, verdict);
    }
    w->flight = NULL;
}

static bool work_visible(DSAEngines *e)
{
    return e->ready.wqs ||
           (qatomic_read(&e->pending) && !e->hold_take &&
            !QTAILQ_EMPTY(&e->freeq));
}

/*
 * Look out for a while: a guest that waits for one job often has the next, and
 * waking a thread takes longer than a small job. One worker at a time does so;
 * two would only take the processor from each other and from the guest.
 */
static void poll_for_work(DSAWorker *w)
{
    DSAEngines *e = w->e;
    int64_t end;
    unsigned i;

    qatomic_set(&e->poller, true);
    qemu_mutex_unlock(&e->lock);
    end = get_clock() + w->poll_ns;
    do {
        for (i = 0; i < 16 && !qatomic_read(&e->pending); i++) {
            cpu_relax();
        }
    } while (!qatomic_read(&e->pending) && get_clock() < end);
    qatomic_set(&e->poller, false);
    /* Whoever saw a poller left it to this worker to look once more */
    smp_mb();
    qemu_mutex_lock(&e->lock);
}

/*
 * The while grows after a sleep that it would have made unnecessary, and
 * shrinks after a long one, down to nothing.
 */
static void learn(DSAWorker *w, int64_t slept_ns)
{
    if (slept_ns < POLL_MAX_NS) {
        w->poll_ns = MIN(MAX(w->poll_ns * 2, POLL_MIN_NS), POLL_MAX_NS);
    } else {
        w->poll_ns = w->poll_ns / 2 < POLL_MIN_NS ? 0 : w->poll_ns / 2;
    }
}

/* e->lock is dropped meanwhile */
static void sleep_for_work(DSAWorker *w)
{
    DSAEngines *e = w->e;

    qemu_event_reset(&w->wake);
    qatomic_or(&e->sleeping, BIT(w->index));
    /* Pairs with dsa_engines_kick() */
    smp_mb__after_rmw();
    if (!e->quit && (e->paused || !work_visible(e))) {
        int64_t since = get_clock();

        qemu_mutex_unlock(&e->lock);
        qemu_event_wait(&w->wake);
        learn(w, get_clock() - since);
        qemu_mutex_lock(&e->lock);
    }
    qatomic_and(&e->sleeping, ~BIT(w->index));
}

static void *worker_thread(void *opaque)
{
    DSAWorker *w = opaque;
    DSAEngines *e = w->e;
    bool worked = false;
    DSAFlight *fl;

    rcu_register_thread();
    qemu_mutex_lock(&e->lock);
    while (!e->quit) {
        fl = NULL;
        if (!e->paused) {
            w->busy = true;
            fl = next_flight(w);
            if (fl) {
                fly(w, fl);
            }
            w->busy = false;
            tell_waiters(e);
        }
        if (!fl && worked && w->poll_ns && !e->paused && !e->poller) {
            poll_for_work(w);
        } else if (!fl) {
            sleep_for_work(w);
        }
        worked = fl != NULL;
    }
    qemu_mutex_unlock(&e->lock);
    rcu_unregister_thread();
    return NULL;
}

/*
 * A vCPU on its way back from a portal: no lock, and no write to what is shared
 * as long as nothing changes.
 */
void dsa_engines_kick(DSAEngines *e, unsigned group)
{
    /*
     * The descriptor is there before the look at pending: a worker that clears
     * the bit after this look finds it. Pairs with take_from().
     */
    smp_mb();
    if (!(qatomic_read(&e->pending) & BIT(group))) {
        qatomic_or(&e->pending, BIT(group));
        /* Pairs with sleep_for_work() and poll_for_work() */
        smp_mb__after_rmw();
    }
    if (qatomic_read(&e->sleeping) && !qatomic_read(&e->poller)) {
        wake_one(e);
    }
}

/* --- control; big lock held ---------------------------------------------- */

void dsa_engines_pause(DSAEngines *e)
{
    unsigned i;

    QEMU_LOCK_GUARD(&e->lock);
    e->paused++;
    for (i = 0; i < e->workers; i++) {
        while (e->worker[i].busy) {
            wait_for_workers(e);
        }
    }
}

void dsa_engines_resume(DSAEngines *e)
{
    QEMU_LOCK_GUARD(&e->lock);
    if (--e->paused == 0) {
        qatomic_or(&e->pending, ALL_GROUPS);
        wake_all(e);
        dsa_engines_schedule(e);
    }
}

static bool taking(DSAEngines *e)
{
    unsigned i;

    for (i = 0; i < e->workers; i++) {
        if (e->worker[i].taking) {
            return true;
        }
    }
    return false;
}

static bool flying_aborted(DSAEngines *e)
{
    unsigned i;

    for (i = 0; i < e->workers; i++) {
        if (e->worker[i].flight && e->worker[i].flight->aborted) {
            return true;
        }
    }
    return false;
}

void dsa_engines_abort(DSAEngines *e,
                       bool (*match)(const DSAJob *job, void *opaque),
                       void *opaque)
{
    DSAFlight *fl;
    unsigned i;

    QEMU_LOCK_GUARD(&e->lock);
    e->hold_take++;
    while (taking(e)) {
        wait_for_workers(e);
    }
    for (i = 0; i < DSA_FLIGHTS; i++) {
        fl = &e->flight[i];
        if (fl->state != DSA_F_FREE && (!match || match(&fl->job, opaque))) {
            fl->aborted = true;
        }
    }
    for (i = 0; i < DSA_FLIGHTS; i++) {
        fl = &e->flight[i];
        if (fl->aborted && fl->state != DSA_F_FREE &&
            fl->state != DSA_F_ACTIVE) {
            detach(e, fl);
            retire(e, fl);
        }
    }
    while (flying_aborted(e)) {
        wait_for_workers(e);
    }
    e->hold_take--;
    wake_all(e);
}

void dsa_engines_pci_changed(DSAEngines *e)
{
    dsa_spaces_drop_all(e);
    if (!pcie_pri_enabled(e->pci) || !e->pci->is_master) {
        dsa_faults_fail(e);
    }
    dsa_engines_schedule(e);
}

static void engines_bh(void *opaque)
{
    DSAEngines *e = opaque;

    if (!e->paused && !e->quit) {
        dsa_spaces_serve(e);
        dsa_faults_serve(e);
        /* A space that got another PASID has left its requests behind */
        dsa_pri_settle(e);
    }
}

static void retry_timer(void *opaque)
{
    dsa_faults_retry(opaque);
}

DSAEngines *dsa_engines_new(DSAState *s, unsigned workers)
{
    DSAEngines *e = g_new0(DSAEngines, 1);
    unsigned i;

    e->s = s;
    e->pci = dsa_pci(s);
    e->workers = workers;
    qemu_mutex_init(&e->lock);
    qemu_cond_init(&e->idle);
    QTAILQ_INIT(&e->freeq);
    QTAILQ_INIT(&e->spaceq);
    QTAILQ_INIT(&e->laterq);
    QTAILQ_INIT(&e->drainq);
    dsa_line_init(&e->ready);
    dsa_line_init(&e->page);
    for (i = 0; i < DSA_FLIGHTS; i++) {
        QTAILQ_INSERT_TAIL(&e->freeq, &e->flight[i], link);
    }
    e->bh = qemu_bh_new(engines_bh, e);
    e->retry = timer_new_ns(QEMU_CLOCK_REALTIME, retry_timer, e);
    e->spaces = dsa_spaces_new(e);
    for (i = 0; i < e->workers; i++) {
        DSAWorker *w = &e->worker[i];

        w->e = e;
        w->index = i;
        qemu_event_init(&w->wake, false);
        w->mem = (DSAMem) { dsa_atc_window, dsa_atc_wrote };
        w->atc = dsa_atc_new();
    }
    for (i = 0; i < e->workers; i++) {
        g_autofree char *name = g_strdup_printf("dsa-engine%u", i);

        qemu_thread_create(&e->worker[i].thread, name, worker_thread,
                           &e->worker[i], QEMU_THREAD_JOINABLE);
    }
    return e;
}

void dsa_engines_stop(DSAEngines *e)
{
    unsigned i;

    dsa_engines_abort(e, NULL, NULL);
    WITH_QEMU_LOCK_GUARD(&e->lock) {
        e->quit = true;
        wake_all(e);
    }
    for (i = 0; i < e->workers; i++) {
        qemu_thread_join(&e->worker[i].thread);
    }
    dsa_spaces_free(e);
    timer_free(e->retry);
}

void dsa_engines_free(DSAEngines *e)
{
    unsigned i;

    for (i = 0; i < e->workers; i++) {
        dsa_atc_free(e->worker[i].atc);
        qemu_event_destroy(&e->worker[i].wake);
    }
    qemu_bh_delete(e->bh);
    qemu_cond_destroy(&e->idle);
    qemu_mutex_destroy(&e->lock);
    g_free(e);
}
