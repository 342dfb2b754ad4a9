/*
 * intel-dsa: migration. Everything travels: registers, the descriptors still
 * queued, the jobs that engines hold with their progress, and a command that
 * waits for them. Engines are paused by the VM stop.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "hw/pci/msix.h"
#include "hw/pci/pcie_aer.h"
#include "migration/vmstate.h"
#include "dsa.h"

static const VMStateDescription vmstate_slot = {
    .name = "intel-dsa/slot",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8_ARRAY(desc, DSASlot, DSA_DESC_SIZE),
        VMSTATE_UINT32(ready, DSASlot),
        VMSTATE_UINT32(page, DSASlot),
        VMSTATE_UNUSED(1),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_held = {
    .name = "intel-dsa/held",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(ticket, DSAHeld),
        VMSTATE_UINT32(pasid, DSAHeld),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_view = {
    .name = "intel-dsa/view",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8(index, DSAWQView),
        VMSTATE_UINT8(group, DSAWQView),
        VMSTATE_UINT8(priority, DSAWQView),
        VMSTATE_BOOL(dedicated, DSAWQView),
        VMSTATE_BOOL(block_on_fault, DSAWQView),
        VMSTATE_BOOL(ats, DSAWQView),
        VMSTATE_BOOL(prs, DSAWQView),
        VMSTATE_BOOL(pasid_en, DSAWQView),
        VMSTATE_BOOL(priv, DSAWQView),
        VMSTATE_UINT32(pasid, DSAWQView),
        VMSTATE_UINT8(max_xfer_shift, DSAWQView),
        VMSTATE_UINT8(max_batch_shift, DSAWQView),
        VMSTATE_UINT64_ARRAY(op_config, DSAWQView, 4),
        VMSTATE_UINT8(tc_a, DSAWQView),
        VMSTATE_UINT8(tc_b, DSAWQView),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_queue = {
    .name = "intel-dsa/queue",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(ctl, DSAQueue),
        VMSTATE_UINT32(limits, DSAQueue),
        VMSTATE_UINT32(state, DSAQueue),
        VMSTATE_STRUCT(view, DSAQueue, 1, vmstate_view, DSAWQView),
        VMSTATE_UINT64(head, DSAQueue),
        VMSTATE_INT32(share, DSAQueue),
        VMSTATE_UINT32(held_count, DSAQueue),
        VMSTATE_STRUCT_ARRAY(held, DSAQueue, DSA_MAX_IN_FLIGHT, 1,
                             vmstate_held, DSAHeld),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_drain = {
    .name = "intel-dsa/drain",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_BOOL(active, DSADrain),
        VMSTATE_UINT32(wqs, DSADrain),
        VMSTATE_UINT32(pasid, DSADrain),
        VMSTATE_UINT64_ARRAY(barrier, DSADrain, DSA_MAX_WQS),
        VMSTATE_END_OF_LIST()
    }
};

/* Nothing may run on half of a state */
static bool dsa_pre_load(void *opaque, Error **errp)
{
    DSAState *s = opaque;

    if (!s->stopped) {
        error_setg(errp, "intel-dsa: state can be loaded into a stopped "
                   "machine only, stop it first");
        return false;
    }
    return true;
}

static bool queues_valid(DSAState *s, Error **errp)
{
    unsigned i, held = 0;

    for (i = 0; i < DSA_MAX_WQS; i++) {
        if (!dsa_wq_state_valid(s, i)) {
            error_setg(errp, "intel-dsa: the incoming state of work queue %u "
                       "is broken", i);
            return false;
        }
        held += s->queues[i].held_count;
    }
    if (!dsa_engines_hold(s->engines, held)) {
        error_setg(errp, "intel-dsa: the incoming descriptors in flight are "
                   "not those of the work queues");
        return false;
    }
    return true;
}

/* What comes from outside is checked like a guest's input */
static bool dsa_post_load(void *opaque, int version_id, Error **errp)
{
    DSAState *s = opaque;

    if (!queues_valid(s, errp)) {
        goto broken;
    }
    /* Enabling a queue later relies on its size, which is locked by then */
    if (s->state > DSA_STATE_HALT || !dsa_cmd_state_valid(s) ||
        (s->state != DSA_STATE_DISABLED && dsa_config_bad_size_sum(s))) {
        error_setg(errp, "intel-dsa: the incoming device state is broken");
        goto broken;
    }
    pcie_dmwr_post_load(&s->dmwr);
    dsa_regs_set_caps(s);
    dsa_config_publish_groups(s, s->state == DSA_STATE_ENABLED ||
                              s->state == DSA_STATE_DRAIN);
    dsa_drain_recount(s);
    return true;

broken:
    /* A monitor may let the machine go on all the same */
    dsa_wq_forget_all(s);
    dsa_engines_abort(s->engines, NULL, NULL);
    dsa_device_reset(s);
    return false;
}

const VMStateDescription vmstate_dsa = {
    .name = TYPE_INTEL_DSA,
    .version_id = 1,
    .minimum_version_id = 1,
    .pre_load_errp = dsa_pre_load,
    .post_load_errp = dsa_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_PCI_DEVICE(parent_obj, DSAState),
        VMSTATE_MSIX(parent_obj, DSAState),
        VMSTATE_STRUCT(parent_obj.exp.aer_log, DSAState, 0,
                       vmstate_pcie_aer_log, PCIEAERLog),
        /* The other side must be the same device */
        VMSTATE_UINT64_EQUAL(gencap, DSAState),
        VMSTATE_UINT64_EQUAL(wqcap, DSAState),
        VMSTATE_UINT32_EQUAL(wqs, DSAState),
        VMSTATE_UINT32_EQUAL(groups, DSAState),
        VMSTATE_UINT32_EQUAL(engines_num, DSAState),
        VMSTATE_UINT32_EQUAL(wq_size, DSAState),
        VMSTATE_UINT32_EQUAL(rdbufs, DSAState),
        VMSTATE_UINT32_ARRAY(regs, DSAState, DSA_MMIO_SIZE / 4),
        VMSTATE_UINT32(state, DSAState),
        VMSTATE_UINT8(reset_type, DSAState),
        VMSTATE_BOOL(cmd_active, DSAState),
        VMSTATE_BOOL(cmd_int_req, DSAState),
        VMSTATE_UINT8(cmd_code, DSAState),
        VMSTATE_UINT8(cmd_error, DSAState),
        VMSTATE_UINT16(cmd_result, DSAState),
        VMSTATE_UINT32(cmd_operand, DSAState),
        VMSTATE_STRUCT_ARRAY(queues, DSAState, DSA_MAX_WQS, 1, vmstate_queue,
                             DSAQueue),
        VMSTATE_STRUCT_VARRAY_POINTER_UINT32(slots, DSAState, slots_num,
                                             vmstate_slot, DSASlot),
        VMSTATE_STRUCT(drain, DSAState, 1, vmstate_drain, DSADrain),
        VMSTATE_UINT32(intcause, DSAState),
        VMSTATE_UINT64_ARRAY(int_handles, DSAState, DSA_HANDLE_WORDS),
        VMSTATE_UINT64_ARRAY(swerr, DSAState, 4),
        VMSTATE_STRUCT_POINTER(engines, DSAState, vmstate_dsa_engines,
                               DSAEngines),
        VMSTATE_END_OF_LIST()
    }
};
