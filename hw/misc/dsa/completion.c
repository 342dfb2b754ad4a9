/*
 * intel-dsa: the end of a descriptor: completion record, SWERR, interrupt
 * (DSA sections 8.2, 3.6, 3.7).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "engine.h"
#include "trace.h"

static bool succeeded(const DSATask *t)
{
    return t->op.status == DSA_ST_SUCCESS || t->op.status == DSA_ST_PREDICATE;
}

static bool has_record_address(const DSATask *t)
{
    return (t->op.d.flags & DSA_FLAG_CRAV) &&
           t->op.d.cr_addr % DSA_CR_SIZE == 0;
}

static uint8_t status_byte(const DSATask *t)
{
    bool write = t->fault && t->fault_write &&
                 (t->op.status == DSA_ST_PAGE_FAULT ||
                  t->op.status == DSA_ST_PAGE_RESPONSE);

    return t->op.status | (write ? DSA_ST_WRITE_FAULT : 0);
}

/*
 * Implementation choice: Bytes Completed counts what was done before a fault,
 * before the first difference of a comparison, before the block with a DIF
 * error or before the difference for which a delta record had no room, and is
 * 0 when all was done. Of Apply Delta Record it counts bytes of the record. A
 * batch always tells how many descriptors it got to.
 */
static uint32_t completed(const DSATask *t)
{
    if (t->op.d.opcode != DSA_OP_BATCH &&
        t->op.done == dsa_op_total(&t->op)) {
        return 0;
    }
    return t->op.done;
}

static void build_record(const DSATask *t, uint8_t *cr)
{
    memset(cr, 0, DSA_CR_SIZE);
    cr[DSA_CR_STATUS] = status_byte(t);
    cr[DSA_CR_RESULT] = t->op.result;
    stl_le_p(cr + DSA_CR_COMPLETED, completed(t));
    if (t->fault) {
        cr[DSA_CR_FAULT_INFO] = t->fault_operand << 1;
        stq_le_p(cr + DSA_CR_FAULT_ADDR, t->fault_addr);
    }
    if (t->op.status == DSA_ST_FLAGS) {
        stl_le_p(cr + DSA_CR_INVALID_FLAGS, t->invalid_flags);
    } else {
        dsa_op_fill_record(&t->op, cr);
    }
}

/*
 * The word with the status byte goes last, after the operation's data and the
 * rest of the record: who sees the status sees the rest.
 */
static void store_record(uint8_t *host, const uint8_t *cr)
{
    uint64_t *to = (uint64_t *)host;
    unsigned i;

    for (i = DSA_CR_SIZE / 8; i-- > 1; ) {
        qatomic_set(&to[i], ldq_he_p(cr + i * 8));
    }
    qatomic_store_release(&to[0], ldq_he_p(cr));
}

/*
 * Block on fault speaks of operands; operations without any do not have the
 * flag. For the page of its record a descriptor always waits if page requests
 * are enabled (in the queue by WQ PRS Disable, DSA 9.2.21): what cannot be
 * written is lost, though the page may be away for a moment only.
 */
static DSAVerdict write_record(DSAWorker *w, DSAFlight *fl, DSATask *t,
                               bool *written)
{
    DSAMiss miss = {
        .addr = t->op.d.cr_addr, .first = t->op.d.cr_addr,
        .len = DSA_CR_SIZE, .write = true,
    };
    uint8_t cr[DSA_CR_SIZE];
    DSAWindow win;
    unsigned tries;

    build_record(t, cr);
    /* An invalidation between fill and run may make it miss again */
    for (tries = 0; tries < DSA_SLICE_MISSES; tries++) {
        dsa_run_enter(w, fl->space);
        if (dsa_atc_window(&w->mem, miss.addr, miss.len, true, false, &win)) {
            store_record(win.host, cr);
            dsa_atc_wrote(&w->mem, &win, DSA_CR_SIZE);
            dsa_run_exit(w);
            dsa_task_reached(fl, miss.addr);
            *written = true;
            return DSA_V_DONE;
        }
        dsa_run_exit(w);
        if (!dsa_atc_fill(w, fl, &miss)) {
            t->op.miss = miss;
            return dsa_task_await(w, fl, t, true) == DSA_ST_NONE ?
                   DSA_V_WAIT_PAGE : DSA_V_DONE;
        }
    }
    return DSA_V_YIELD;
}

static void software_error(DSAWorker *w, const DSAFlight *fl,
                           const DSATask *t, DSAStatus status)
{
    DSASwErr err = {
        .error = status,
        .desc_valid = true,
        .wq_valid = true,
        .wq = fl->job.wq.index,
        .batch = t->in_batch,
        .batch_index = t->index,
        .opcode = t->op.d.opcode,
        .pasid = fl->job.pasid == PCI_NO_PASID ? 0 : fl->job.pasid,
        .priv = fl->job.priv,
    };

    if (status == DSA_ST_CR_FAULT) {
        err.write = true;
        err.fault_addr = t->op.d.cr_addr;
    } else if (t->fault) {
        err.write = t->fault_write;
        err.fault_addr = t->fault_addr;
    } else if (status == DSA_ST_FLAGS) {
        err.invalid_flags = t->invalid_flags;
    }
    dsa_swerr_record(w->e->s, &err);
}

DSAVerdict dsa_task_complete(DSAWorker *w, DSAFlight *fl, DSATask *t)
{
    bool want = (t->op.d.flags & DSA_FLAG_RCR) ||
                t->op.status != DSA_ST_SUCCESS;
    bool written = false;

    if (want && has_record_address(t)) {
        DSAVerdict verdict = write_record(w, fl, t, &written);

        if (verdict != DSA_V_DONE) {
            return verdict;
        }
        if (!written) {
            software_error(w, fl, t, DSA_ST_CR_FAULT);
        }
    } else if (!succeeded(t)) {
        software_error(w, fl, t, t->op.status);
    }
    trace_dsa_complete(fl->job.wq.index, fl->job.ticket, t->in_batch, t->index,
                       t->op.d.opcode, t->op.status, t->op.done);
    /* DSA 3.7: the interrupt comes when the record can be seen */
    if ((t->op.d.flags & DSA_FLAG_RCI) && t->op.status != DSA_ST_INT_HANDLE) {
        dsa_completion_interrupt(w->e->s, &fl->job, t->op.d.int_handle, false);
    }
    return DSA_V_DONE;
}
