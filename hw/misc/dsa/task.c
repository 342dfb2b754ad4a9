/*
 * intel-dsa: one descriptor from its check to its completion.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/pci/pcie.h"
#include "engine.h"
#include "trace.h"

void dsa_task_init(DSATask *t, const uint8_t *raw, bool in_batch,
                   uint16_t index)
{
    *t = (DSATask) { .in_batch = in_batch, .index = index };
    memcpy(t->raw, raw, DSA_DESC_SIZE);
}

/* Everything that is checked before the operation starts (DSA section 3.10) */
static DSAStatus check(DSAWorker *w, const DSAFlight *fl, DSATask *t,
                       const DSADesc *d)
{
    const DSAJob *job = &fl->job;
    DSADescRules rules = {
        .gencap = dsa_gencap(w->e->s),
        .opcap = dsa_opcap(w->e->s),
        .op_config = job->wq.op_config,
        .xfer_shift = job->wq.max_xfer_shift,
        .batch_shift = job->wq.max_batch_shift,
        .tc_a = job->wq.tc_a,
        .tc_b = job->wq.tc_b,
        .priv = dsa_job_priv(job),
        .priv_ok = pcie_pasid_priv_enabled(w->e->pci),
        .in_batch = t->in_batch,
    };
    DSAStatus status = dsa_desc_check(d, t->raw, &rules, &t->invalid_flags);

    if (status == DSA_ST_SUCCESS && (d->flags & DSA_FLAG_RCI) &&
        !dsa_completion_interrupt(w->e->s, job, d->int_handle, true)) {
        status = DSA_ST_INT_HANDLE;
    }
    return status;
}

static void start(DSAWorker *w, DSAFlight *fl, DSATask *t)
{
    DSAStatus status;
    DSADesc d;

    dsa_desc_decode(&d, t->raw);
    dsa_op_init(&t->op, &d);
    status = check(w, fl, t, &d);
    trace_dsa_start(fl->job.wq.index, fl->job.ticket, fl->job.pasid,
                    t->in_batch, t->index, d.opcode, d.flags, status);
    if (status != DSA_ST_SUCCESS) {
        t->op.status = status;
        t->phase = DSA_PHASE_COMPLETE;
    } else {
        t->phase = DSA_PHASE_RUN;
    }
}

/* Give up on the miss: the record tells how far it went and why not further */
static void fault(DSATask *t, DSAStatus status)
{
    t->fault = true;
    t->fault_write = t->op.miss.write;
    t->fault_addr = t->op.miss.addr;
    t->fault_operand = t->op.miss.operand;
    if (t->op.d.opcode == DSA_OP_BATCH) {
        status = DSA_ST_BATCH_FAULT;
    } else if (t->op.d.opcode == DSA_OP_DRAIN) {
        status = DSA_ST_READBACK;
    }
    t->op.status = status;
    /* DSA 8.3.4: 1 if the bytes are counted from the end */
    if (t->op.backward) {
        t->op.result = 1;
    }
    trace_dsa_fault(t->fault_addr, t->fault_write, t->op.done, status);
}

/*
 * The answer to a page request speaks of that page only. On the way back to it
 * other pages of the descriptor may have to be looked up again.
 */
static bool asked_for(const DSAFlight *fl, uint64_t addr)
{
    return fl->page_tries && fl->page_asked == addr / DSA_PAGE;
}

/*
 * There is no end to asking: while the IOMMU's queue is full, for as long as
 * software likes, each request is answered with success (VT-d 7.4.1).
 */
static void count_try(DSAFlight *fl)
{
    fl->page_tries = MIN(fl->page_tries + 1, UINT16_MAX);
}

static void forget_answer(DSAFlight *fl)
{
    fl->page_refused = fl->page_single = false;
    fl->page_tries = 0;
}

void dsa_task_reached(DSAFlight *fl, uint64_t addr)
{
    if (asked_for(fl, addr)) {
        forget_answer(fl);
    }
}

/* The page of op.miss cannot be reached */
static DSAVerdict missed(DSAWorker *w, DSAFlight *fl, DSATask *t)
{
    bool may_wait = (t->op.d.flags & DSA_FLAG_BOF) &&
                    fl->job.wq.block_on_fault;
    DSAStatus status = dsa_task_await(w, fl, t, may_wait);

    if (status == DSA_ST_NONE) {
        return DSA_V_WAIT_PAGE;
    }
    fault(t, status);
    return DSA_V_DONE;
}

DSAStatus dsa_task_await(DSAWorker *w, DSAFlight *fl, DSATask *t,
                         bool may_wait)
{
    if (!asked_for(fl, t->op.miss.addr)) {
        forget_answer(fl);
    }
    if (!may_wait || (!fl->page_refused && !dsa_pri_usable(w->e, fl))) {
        return DSA_ST_PAGE_FAULT;
    }
    if (t->op.miss.hopeless || (fl->page_refused && fl->page_single)) {
        fl->page_refused = fl->page_single = false;
        return DSA_ST_PAGE_RESPONSE;
    }
    count_try(fl);
    /* A refused group is tried again with the first page alone */
    fl->page_single = fl->page_refused;
    fl->page_refused = false;
    fl->page_asked = t->op.miss.addr / DSA_PAGE;
    fl->blocked = t;
    return DSA_ST_NONE;
}

DSAVerdict dsa_task_steps(DSAWorker *w, DSAFlight *fl, DSATask *t,
                          DSAStepsFn *fn, uint64_t *budget)
{
    DSAStep step;

    for (;;) {
        dsa_run_enter(w, fl->space);
        do {
            step = fn(fl, t, &w->mem, budget);
        } while (step == DSA_STEP_MORE && *budget);
        dsa_run_exit(w);

        if (step == DSA_STEP_DONE) {
            return DSA_V_DONE;
        } else if (step == DSA_STEP_MORE || ++w->misses > DSA_SLICE_MISSES) {
            return DSA_V_YIELD;
        } else if (!dsa_atc_fill(w, fl, &t->op.miss)) {
            return missed(w, fl, t);
        }
        dsa_task_reached(fl, t->op.miss.addr);
    }
}

static DSAStep op_steps(DSAFlight *fl, DSATask *t, DSAMem *mem,
                        uint64_t *budget)
{
    return dsa_op_step(&t->op, mem, budget);
}

bool dsa_flight_drains(const DSAFlight *drain, const DSAFlight *fl)
{
    return drain->job.wq.index == fl->job.wq.index &&
           drain->job.pasid == fl->job.pasid;
}

bool dsa_flight_drained(DSAEngines *e, DSAFlight *fl)
{
    unsigned i;

    fl->drain_unsure = false;
    for (i = 0; i < DSA_FLIGHTS; i++) {
        const DSAFlight *other = &e->flight[i];

        if (other->state != DSA_F_FREE && dsa_flight_drains(fl, other) &&
            (int64_t)(other->job.ticket - fl->job.ticket) < 0) {
            return false;
        }
    }
    /* What a worker is just taking may be an earlier one */
    for (i = 0; i < e->workers; i++) {
        if (e->worker[i].taking) {
            fl->drain_unsure = true;
            return false;
        }
    }
    return true;
}

static DSAVerdict run(DSAWorker *w, DSAFlight *fl, DSATask *t,
                      uint64_t *budget)
{
    switch (t->op.d.opcode) {
    case DSA_OP_BATCH:
        return dsa_batch_run(w, fl, budget);
    case DSA_OP_DRAIN:
        WITH_QEMU_LOCK_GUARD(&w->e->lock) {
            if (!dsa_flight_drained(w->e, fl)) {
                return DSA_V_WAIT_DRAIN;
            }
        }
        break;
    }
    return dsa_task_steps(w, fl, t, op_steps, budget);
}

DSAVerdict dsa_task_run(DSAWorker *w, DSAFlight *fl, DSATask *t,
                        uint64_t *budget)
{
    if (t->phase == DSA_PHASE_NEW) {
        start(w, fl, t);
    }
    if (t->phase == DSA_PHASE_RUN) {
        DSAVerdict verdict = run(w, fl, t, budget);

        if (verdict != DSA_V_DONE) {
            return verdict;
        }
        t->phase = DSA_PHASE_COMPLETE;
    }
    if (t->phase == DSA_PHASE_COMPLETE) {
        DSAVerdict verdict = dsa_task_complete(w, fl, t);

        if (verdict != DSA_V_DONE) {
            return verdict;
        }
        t->phase = DSA_PHASE_DONE;
    }
    return DSA_V_DONE;
}

DSAVerdict dsa_flight_slice(DSAWorker *w, DSAFlight *fl)
{
    uint64_t budget = DSA_RUN_MAX;
    DSAVerdict verdict;

    if (!fl->space && !dsa_space_acquire(w->e, fl)) {
        return DSA_V_WAIT_SPACE;
    }
    w->current = fl;
    w->misses = 0;
    dsa_slice_enter(w);
    verdict = dsa_task_run(w, fl, &fl->task, &budget);
    dsa_slice_exit(w);
    return verdict;
}
