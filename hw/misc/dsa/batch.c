/*
 * intel-dsa: Batch (DSA section 8.3.2).
 *
 * The whole list is read before the first child starts: a child may have its
 * completion record where its own descriptor was.
 *
 * Implementation choice: the children of a batch are carried out one after
 * the other. So a fence has nothing to wait for, and only has to look whether
 * an earlier child failed. Batches run side by side with each other.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "engine.h"

/* Read the descriptor list */
static DSAStep fetch_step(DSAFlight *fl, DSATask *t, DSAMem *mem,
                          uint64_t *budget)
{
    uint64_t bytes = (uint64_t)t->op.d.size * DSA_DESC_SIZE;
    DSAWindow win;

    if (fl->fetched == bytes) {
        return DSA_STEP_DONE;
    }
    if (!dsa_op_window(&t->op, mem, t->op.d.addr1 + fl->fetched,
                       bytes - fl->fetched, false, DSA_OPERAND_ADDR1, &win)) {
        return DSA_STEP_MISS;
    }
    memcpy(fl->list + fl->fetched, win.host, win.len);
    fl->fetched += win.len;
    *budget -= MIN(*budget, win.len);
    return fl->fetched == bytes ? DSA_STEP_DONE : DSA_STEP_MORE;
}

static void next_child(DSAFlight *fl)
{
    dsa_task_init(&fl->child, fl->list + fl->next * DSA_DESC_SIZE, true,
                  fl->next);
}

static bool fenced_off(const DSAFlight *fl)
{
    const uint8_t *raw = fl->list + fl->next * DSA_DESC_SIZE;

    return fl->child_failed &&
           (ldl_le_p(raw + DSA_DESC_FLAGS) & DSA_FLAG_FENCE);
}

static DSAVerdict over(DSAFlight *fl)
{
    DSAOp *op = &fl->task.op;

    op->done = fl->next;
    if (!op->status) {
        op->status = fl->child_failed ? DSA_ST_BATCH_FAIL : DSA_ST_SUCCESS;
    }
    op->result = op->status != DSA_ST_SUCCESS;
    return DSA_V_DONE;
}

static DSAVerdict fetch_list(DSAWorker *w, DSAFlight *fl, uint64_t *budget)
{
    DSATask *t = &fl->task;
    DSAVerdict verdict;

    if (!fl->list) {
        fl->list = g_try_malloc0((size_t)t->op.d.size * DSA_DESC_SIZE);
        if (!fl->list) {
            t->op.status = DSA_ST_HARDWARE;
            return DSA_V_DONE;
        }
    }
    verdict = dsa_task_steps(w, fl, t, fetch_step, budget);
    if (verdict == DSA_V_DONE && !t->op.status) {
        next_child(fl);
    }
    return verdict;
}

DSAVerdict dsa_batch_run(DSAWorker *w, DSAFlight *fl, uint64_t *budget)
{
    uint32_t count = fl->task.op.d.size;
    DSAVerdict verdict;

    if (!fl->list || fl->fetched < count * DSA_DESC_SIZE) {
        verdict = fetch_list(w, fl, budget);
        if (verdict != DSA_V_DONE) {
            return verdict;
        } else if (fl->task.op.status) {
            return over(fl);
        }
    }
    while (fl->next < count) {
        if (fl->child.phase == DSA_PHASE_NEW && fenced_off(fl)) {
            break;
        }
        if (!*budget) {
            return DSA_V_YIELD;
        }
        verdict = dsa_task_run(w, fl, &fl->child, budget);
        if (verdict != DSA_V_DONE) {
            return verdict;
        }
        if (fl->child.op.status != DSA_ST_SUCCESS) {
            fl->child_failed = true;
        }
        if (++fl->next < count) {
            next_child(fl);
        }
    }
    return over(fl);
}
