/*
 * intel-dsa: migration of the descriptors in flight.
 *
 * A flight is saved with its progress and goes on from there. Translations
 * are not saved, and for pages the destination asks again; but the groups that
 * the source has asked for are still answered, and taken until then.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bitmap.h"
#include "migration/vmstate.h"
#include "engine.h"

static const VMStateDescription vmstate_task = {
    .name = "intel-dsa/task",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8_ARRAY(raw, DSATask, DSA_DESC_SIZE),
        VMSTATE_UINT8(phase, DSATask),
        VMSTATE_BOOL(in_batch, DSATask),
        VMSTATE_BOOL(fault, DSATask),
        VMSTATE_BOOL(fault_write, DSATask),
        VMSTATE_UINT8(fault_operand, DSATask),
        VMSTATE_UINT16(index, DSATask),
        VMSTATE_UINT32(invalid_flags, DSATask),
        VMSTATE_UINT64(fault_addr, DSATask),
        VMSTATE_UINT64(op.done, DSATask),
        VMSTATE_UINT32(op.crc, DSATask),
        VMSTATE_UINT8(op.stage, DSATask),
        VMSTATE_UINT8(op.status, DSATask),
        VMSTATE_UINT8(op.result, DSATask),
        VMSTATE_END_OF_LIST()
    },
};

static bool has_list(void *opaque)
{
    DSAFlight *fl = opaque;

    return fl->list != NULL;
}

static bool list_length_ok(void *opaque, int version_id)
{
    DSAFlight *fl = opaque;

    return fl->list_bytes && fl->list_bytes <= DSA_BATCH_MAX * DSA_DESC_SIZE;
}

static const VMStateDescription vmstate_batch = {
    .name = "intel-dsa/flight/batch",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = has_list,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(list_bytes, DSAFlight),
        VMSTATE_VALIDATE("batch list length", list_length_ok),
        VMSTATE_VBUFFER_ALLOC_UINT32(list, DSAFlight, 1, NULL, list_bytes),
        VMSTATE_UINT32(fetched, DSAFlight),
        VMSTATE_UINT32(next, DSAFlight),
        VMSTATE_BOOL(child_failed, DSAFlight),
        VMSTATE_STRUCT(child, DSAFlight, 1, vmstate_task, DSATask),
        VMSTATE_END_OF_LIST()
    },
};

/* The array is allocated as it comes; no batch means no list */
static int flight_pre_load(void *opaque)
{
    memset(opaque, 0, sizeof(DSAFlight));
    return 0;
}

static const VMStateDescription vmstate_flight = {
    .name = "intel-dsa/flight",
    .version_id = 1,
    .minimum_version_id = 1,
    .pre_load = flight_pre_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8_ARRAY(job.desc, DSAFlight, DSA_DESC_SIZE),
        VMSTATE_UINT8(job.wq.index, DSAFlight),
        VMSTATE_UINT8(job.wq.group, DSAFlight),
        VMSTATE_UINT8(job.wq.priority, DSAFlight),
        VMSTATE_BOOL(job.wq.dedicated, DSAFlight),
        VMSTATE_BOOL(job.wq.block_on_fault, DSAFlight),
        VMSTATE_BOOL(job.wq.ats, DSAFlight),
        VMSTATE_BOOL(job.wq.prs, DSAFlight),
        VMSTATE_BOOL(job.wq.pasid_en, DSAFlight),
        VMSTATE_BOOL(job.wq.priv, DSAFlight),
        VMSTATE_UINT32(job.wq.pasid, DSAFlight),
        VMSTATE_UINT8(job.wq.max_xfer_shift, DSAFlight),
        VMSTATE_UINT8(job.wq.max_batch_shift, DSAFlight),
        VMSTATE_UINT64_ARRAY(job.wq.op_config, DSAFlight, 4),
        VMSTATE_UINT8(job.wq.tc_a, DSAFlight),
        VMSTATE_UINT8(job.wq.tc_b, DSAFlight),
        VMSTATE_UINT32(job.pasid, DSAFlight),
        VMSTATE_BOOL(job.priv, DSAFlight),
        VMSTATE_BOOL(job.ims_portal, DSAFlight),
        VMSTATE_UINT64(job.ticket, DSAFlight),
        VMSTATE_STRUCT(task, DSAFlight, 1, vmstate_task, DSATask),
        VMSTATE_END_OF_LIST()
    },
    .subsections = (const VMStateDescription * const []) {
        &vmstate_batch,
        NULL
    },
};

static bool have_groups(void *opaque)
{
    DSAEngines *e = opaque;

    return e->mig_groups_count != 0;
}

static bool groups_ok(void *opaque, int version_id)
{
    DSAEngines *e = opaque;

    return e->mig_groups_count > 0 && e->mig_groups_count <= DSA_PRGS;
}

static const VMStateDescription vmstate_group = {
    .name = "intel-dsa/group",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT16(prgi, DSAGroup),
        VMSTATE_UINT16(pages, DSAGroup),
        VMSTATE_UINT32(pasid, DSAGroup),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription vmstate_groups = {
    .name = "intel-dsa/engines/groups",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = have_groups,
    .fields = (const VMStateField[]) {
        VMSTATE_INT32(mig_groups_count, DSAEngines),
        VMSTATE_VALIDATE("page request groups", groups_ok),
        VMSTATE_STRUCT_VARRAY_ALLOC(mig_groups, DSAEngines, mig_groups_count,
                                    1, vmstate_group, DSAGroup),
        VMSTATE_END_OF_LIST()
    },
};

static void save_groups(DSAEngines *e)
{
    unsigned prgi;

    e->mig_groups = g_new0(DSAGroup, DSA_PRGS);
    e->mig_groups_count = 0;
    for (prgi = find_first_bit(e->groups_out, DSA_PRGS); prgi < DSA_PRGS;
         prgi = find_next_bit(e->groups_out, DSA_PRGS, prgi + 1)) {
        DSAGroup *copy = &e->mig_groups[e->mig_groups_count++];

        *copy = e->group[prgi];
        copy->prgi = prgi;
        copy->pasid = copy->space->pasid;
    }
}

static void drop_groups(DSAEngines *e)
{
    g_free(e->mig_groups);
    e->mig_groups = NULL;
    e->mig_groups_count = 0;
}

/* Big lock and e->lock held */
static bool restore_groups(DSAEngines *e)
{
    int32_t i;

    for (i = 0; i < e->mig_groups_count; i++) {
        const DSAGroup *in = &e->mig_groups[i];
        DSASpace *sp = dsa_space_adopt(e, in->pasid);

        if (!sp || !dsa_faults_adopt(e, in, sp)) {
            return false;
        }
        qemu_mutex_unlock(&e->lock);
        dsa_space_pri_on(sp);
        qemu_mutex_lock(&e->lock);
    }
    return true;
}

/* The engines are paused: flights do not change */
static int pre_save(void *opaque)
{
    DSAEngines *e = opaque;
    unsigned i;

    QEMU_LOCK_GUARD(&e->lock);
    save_groups(e);
    e->mig = g_new0(DSAFlight, DSA_FLIGHTS);
    e->mig_count = 0;
    for (i = 0; i < DSA_FLIGHTS; i++) {
        const DSAFlight *fl = &e->flight[i];

        if (fl->state != DSA_F_FREE) {
            DSAFlight *copy = &e->mig[e->mig_count++];

            *copy = *fl;    /* shares the list */
            copy->list_bytes = fl->list ? fl->task.op.d.size * DSA_DESC_SIZE
                                        : 0;
        }
    }
    return 0;
}

static void post_save(void *opaque)
{
    DSAEngines *e = opaque;

    g_free(e->mig);
    e->mig = NULL;
    e->mig_count = 0;
    drop_groups(e);
}

static bool count_ok(void *opaque, int version_id)
{
    DSAEngines *e = opaque;

    return e->mig_count >= 0 && e->mig_count <= DSA_FLIGHTS;
}

/*
 * What the operation derives from the descriptor is derived again; progress
 * that the descriptor cannot have made is refused.
 */
static bool restore_task(DSATask *t)
{
    DSAOp progress = t->op;
    DSADesc d;

    dsa_desc_decode(&d, t->raw);
    dsa_op_init(&t->op, &d);
    t->op.done = progress.done;
    t->op.crc = progress.crc;
    t->op.stage = progress.stage;
    t->op.status = progress.status;
    t->op.result = progress.result;
    if (t->phase == DSA_PHASE_RUN) {
        return dsa_opcode_known(d.opcode) &&
               (d.opcode != DSA_OP_BATCH || d.size <= DSA_BATCH_MAX) &&
               dsa_op_progress_ok(&t->op);
    }
    return t->phase <= DSA_PHASE_COMPLETE || t->phase == DSA_PHASE_DONE;
}

static bool restore_batch(DSAFlight *fl)
{
    const DSATask *t = &fl->task;
    uint64_t bytes = (uint64_t)t->op.d.size * DSA_DESC_SIZE;

    if (!fl->list) {
        return true;
    }
    return t->op.d.opcode == DSA_OP_BATCH && fl->list_bytes == bytes &&
           fl->fetched <= bytes && fl->next <= t->op.d.size &&
           (fl->fetched == bytes || !fl->next) &&
           restore_task(&fl->child) && fl->child.in_batch &&
           fl->child.op.d.opcode != DSA_OP_BATCH;
}

static bool restore_flight(DSAFlight *fl)
{
    return restore_task(&fl->task) && !fl->task.in_batch &&
           restore_batch(fl) && fl->job.wq.index < DSA_MAX_WQS &&
           fl->job.wq.group < DSA_MAX_GROUPS;
}

/* Whether a flight before number @n has the same job. e->lock held */
static bool held_twice(DSAEngines *e, unsigned n)
{
    const DSAJob *job = &e->flight[n].job;
    unsigned i;

    for (i = 0; i < n; i++) {
        const DSAFlight *fl = &e->flight[i];

        if (fl->state != DSA_F_FREE && fl->job.ticket == job->ticket &&
            fl->job.wq.index == job->wq.index) {
            return true;
        }
    }
    return false;
}

bool dsa_engines_hold(DSAEngines *e, unsigned count)
{
    unsigned i;

    QEMU_LOCK_GUARD(&e->lock);
    for (i = 0; i < DSA_FLIGHTS; i++) {
        const DSAFlight *fl = &e->flight[i];

        if (fl->state != DSA_F_FREE) {
            if (!count-- || !dsa_wq_holds(e->s, &fl->job) ||
                held_twice(e, i)) {
                return false;
            }
        }
    }
    return count == 0;
}

/* All or none. Big lock and e->lock held */
static bool restore_all(DSAEngines *e)
{
    int32_t i;

    for (i = 0; i < e->mig_count; i++) {
        if (!restore_flight(&e->mig[i])) {
            return false;
        }
    }
    return restore_groups(e);
}

static int post_load(void *opaque, int version_id)
{
    DSAEngines *e = opaque;
    int32_t i;
    int rc;

    QEMU_LOCK_GUARD(&e->lock);
    rc = restore_all(e) ? 0 : -EINVAL;
    drop_groups(e);
    for (i = 0; i < e->mig_count; i++) {
        DSAFlight *in = &e->mig[i], *fl;

        fl = rc ? NULL : dsa_flight_get(e);
        if (!fl) {
            g_free(in->list);
            rc = -EINVAL;
            continue;
        }
        fl->job = in->job;
        fl->task = in->task;
        fl->child = in->child;
        fl->list = in->list;
        fl->list_bytes = in->list_bytes;
        fl->fetched = in->fetched;
        fl->next = in->next;
        fl->child_failed = in->child_failed;
        fl->aborted = fl->page_refused = fl->page_single = false;
        fl->page_tries = 0;
        fl->blocked = NULL;
        dsa_flight_ready(e, fl);
    }
    g_free(e->mig);
    e->mig = NULL;
    e->mig_count = 0;
    return rc;
}

const VMStateDescription vmstate_dsa_engines = {
    .name = "intel-dsa/engines",
    .version_id = 1,
    .minimum_version_id = 1,
    .pre_save = pre_save,
    .post_save = post_save,
    .post_load = post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_INT32(mig_count, DSAEngines),
        VMSTATE_VALIDATE("flights", count_ok),
        VMSTATE_STRUCT_VARRAY_ALLOC(mig, DSAEngines, mig_count, 1,
                                    vmstate_flight, DSAFlight),
        VMSTATE_END_OF_LIST()
    },
    .subsections = (const VMStateDescription * const []) {
        &vmstate_groups,
        NULL
    },
};
