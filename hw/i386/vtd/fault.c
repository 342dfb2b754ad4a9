/*
 * intel-vtd: primary fault log (VT-d 7.2.1, 11.4.7.1, 11.4.14)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "state.h"
#include "trace.h"

static bool vtd_fault_known(VTDState *s, uint64_t lo, uint64_t hi)
{
    for (unsigned i = 0; i < s->cfg.fault_records; i++) {
        if (vtd_get64(s, VTD_FRCD_HI(i)) == hi &&
            vtd_get64(s, VTD_FRCD_LO(i)) == lo) {
            return true;
        }
    }
    return false;
}

/*
 * 7.2.1: a fault is lost if the log has overflowed. Faults of one source may
 * be collapsed; here only a repetition of a record that is still pending is.
 * The event is raised only if no other condition of it is pending.
 */
static void vtd_fault_log(VTDState *s, uint64_t lo, uint64_t hi)
{
    hi |= VTD_FRCD_F;
    WITH_QEMU_LOCK_GUARD(&s->reg_lock) {
        unsigned n = s->frcd_next;
        uint32_t fsts = vtd_get32(s, VTD_REG_FSTS);

        if ((fsts & VTD_FSTS_PFO) || vtd_fault_known(s, lo, hi)) {
            return;
        }
        if (vtd_get64(s, VTD_FRCD_HI(n)) & VTD_FRCD_F) {
            vtd_set32(s, VTD_REG_FSTS, fsts | VTD_FSTS_PFO);
            return;
        }
        vtd_set64(s, VTD_FRCD_LO(n), lo);
        vtd_set64(s, VTD_FRCD_HI(n), hi);
        s->frcd_next = (n + 1) % s->cfg.fault_records;
        if (!(fsts & VTD_FSTS_PPF)) {
            if (!(fsts & VTD_FSTS_EVENTS)) {
                vtd_event_raise(s, VTD_EVENT_FAULT);
            }
            fsts = deposit32(fsts, VTD_FSTS_FRI_SHIFT, 8, n) | VTD_FSTS_PPF;
            vtd_set32(s, VTD_REG_FSTS, fsts);
        }
    }
    vtd_event_flush(s);
}

/* The fields of the record that a request gives */
static uint64_t vtd_fault_high(const VTDRequest *req, const VTDFault *fault)
{
    uint64_t hi = req->sid | (uint64_t)fault->reason << VTD_FRCD_FR_SHIFT |
                  (uint64_t)req->at << VTD_FRCD_AT_SHIFT;

    if (fault->pasid_present && req->pasid != VTD_NO_PASID) {
        hi |= VTD_FRCD_PP | (uint64_t)req->pasid << VTD_FRCD_PV_SHIFT;
        hi |= (req->exec ? VTD_FRCD_EXE : 0) |
              (req->priv ? VTD_FRCD_PRIV : 0);
    }
    return hi;
}

void vtd_fault_record(VTDState *s, const VTDRequest *req,
                      const VTDFault *fault)
{
    uint64_t hi = vtd_fault_high(req, fault);

    trace_intel_vtd_fault(req->sid, req->pasid, req->addr, fault->reason,
                    fault->fpd);
    if (fault->fpd) {
        return;
    }
    /* T1 and T2: 00 write, 10 read, 11 AtomicOp, 01 page request */
    if (req->read) {
        hi |= VTD_FRCD_T1;
    }
    vtd_fault_log(s, req->addr & VTD_FRCD_FI, hi);
}

void vtd_fault_record_page_request(VTDState *s, const VTDRequest *req,
                                   const VTDFault *fault)
{
    trace_intel_vtd_fault(req->sid, req->pasid, req->addr, fault->reason,
                    fault->fpd);
    if (!fault->fpd) {
        vtd_fault_log(s, req->addr & VTD_FRCD_FI,
                      vtd_fault_high(req, fault) | VTD_FRCD_T2);
    }
}

void vtd_fault_record_interrupt(VTDState *s, uint16_t sid, uint8_t reason,
                                uint32_t index)
{
    trace_intel_vtd_fault_interrupt(sid, index, reason);
    vtd_fault_log(s, (uint64_t)(index & 0xffff) << VTD_FRCD_INDEX_SHIFT,
                  sid | (uint64_t)reason << VTD_FRCD_FR_SHIFT);
}

void vtd_fault_status(VTDState *s, uint32_t condition)
{
    WITH_QEMU_LOCK_GUARD(&s->reg_lock) {
        uint32_t fsts = vtd_get32(s, VTD_REG_FSTS);

        if (!(fsts & VTD_FSTS_EVENTS)) {
            vtd_event_raise(s, VTD_EVENT_FAULT);
        }
        vtd_set32(s, VTD_REG_FSTS, fsts | condition);
    }
    vtd_event_flush(s);
}

/* reg_lock held */
static void vtd_fault_served(VTDState *s)
{
    if (!(vtd_get32(s, VTD_REG_FSTS) & VTD_FSTS_EVENTS)) {
        vtd_event_served(s, VTD_EVENT_FAULT);
    }
}

void vtd_fsts_write(VTDState *s, const VTDReg *reg, uint64_t old,
                    uint64_t val, uint64_t mask)
{
    uint32_t cleared = old & val & reg->w1c;

    WITH_QEMU_LOCK_GUARD(&s->reg_lock) {
        if (cleared & VTD_FSTS_IQE) {
            vtd_set64(s, VTD_REG_IQERCD,
                      vtd_get64(s, VTD_REG_IQERCD) & ~VTD_IQERCD_IQEI);
        }
        vtd_fault_served(s);
    }
    if (cleared & (VTD_FSTS_IQE | VTD_FSTS_ITE)) {
        vtd_queue_run(s);
    }
}

/* PPF is the OR of all F fields (VT-d 11.4.7.1) */
void vtd_frcd_write(VTDState *s, const VTDReg *reg, uint64_t old,
                    uint64_t val, uint64_t mask)
{
    QEMU_LOCK_GUARD(&s->reg_lock);

    for (unsigned i = 0; i < s->cfg.fault_records; i++) {
        if (vtd_get64(s, VTD_FRCD_HI(i)) & VTD_FRCD_F) {
            return;
        }
    }
    vtd_set32(s, VTD_REG_FSTS, vtd_get32(s, VTD_REG_FSTS) & ~VTD_FSTS_PPF);
    vtd_fault_served(s);
}
