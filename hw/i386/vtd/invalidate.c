/*
 * intel-vtd: the invalidation queue (VT-d 6.5.2, 11.4.9)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "invalidate.h"
#include "space.h"
#include "trace.h"

/* --- what both interfaces do -------------------------------------------- */

void vtd_apply_context(VTDState *s, const VTDInvalidation *inv)
{
    trace_intel_vtd_inv_context(inv->gran, inv->did, inv->sid, inv->fm);
    vtd_invalidate_context(s->translator, inv);
    vtd_invalidated(s);
    vtd_spaces_leave_pt(s);
}

void vtd_apply_pasid_cache(VTDState *s, const VTDInvalidation *inv)
{
    trace_intel_vtd_inv_pasid(inv->gran, inv->did, inv->pasid);
    vtd_invalidate_pasid_cache(s->translator, inv);
    vtd_invalidated(s);
    vtd_spaces_leave_pt(s);
}

/*
 * A listener for unmapped ranges does not know domains: it hears of every
 * range, which may drop more than was asked for.
 */
static void vtd_apply_unmap(VTDState *s, const VTDInvalidation *inv)
{
    if (inv->gran == VTD_GRAN_PAGE) {
        uint64_t mask = MAKE_64BIT_MASK(0, MIN(inv->am + 12, 64));

        vtd_notify_unmap(s, inv->addr & ~mask, mask);
    } else {
        vtd_notify_unmap(s, 0, UINT64_MAX);
    }
}

void vtd_apply_iotlb(VTDState *s, const VTDInvalidation *inv)
{
    trace_intel_vtd_inv_iotlb(inv->gran, inv->did, inv->addr, inv->am, inv->ih);
    vtd_invalidate_iotlb(s->translator, inv);
    vtd_invalidated(s);
    vtd_apply_unmap(s, inv);
}

void vtd_apply_piotlb(VTDState *s, const VTDInvalidation *inv)
{
    trace_intel_vtd_inv_piotlb(inv->gran, inv->did, inv->pasid, inv->addr,
                               inv->am, inv->ih);
    vtd_invalidate_piotlb(s->translator, inv);
    vtd_invalidated(s);
    vtd_apply_unmap(s, inv);
}

/* --- the queue ---------------------------------------------------------- */

/* The head stays at the descriptor; nothing is fetched until IQE is clear */
static void vtd_queue_error(VTDState *s, uint64_t head, VTDQueueError error)
{
    trace_intel_vtd_queue_error(head, error);
    WITH_QEMU_LOCK_GUARD(&s->reg_lock) {
        uint64_t record = vtd_get64(s, VTD_REG_IQERCD);

        vtd_set64(s, VTD_REG_IQERCD, (record & ~VTD_IQERCD_IQEI) | error);
    }
    vtd_fault_status(s, VTD_FSTS_IQE);
}

static bool vtd_queue_runs(VTDState *s)
{
    return (vtd_get32(s, VTD_REG_GSTS) & VTD_G_QIE) &&
           !(vtd_get32(s, VTD_REG_FSTS) & (VTD_FSTS_IQE | VTD_FSTS_ITE));
}

static VTDQueueError vtd_queue_check(VTDState *s, uint64_t tail,
                                     uint64_t bytes, bool wide)
{
    if (tail >= bytes) {
        return VTD_IQEI_TAIL;
    }
    if (wide && (tail & 0x10)) {
        return VTD_IQEI_ALIGN;
    }
    if (!wide && VTD_TTM(s->root) == VTD_TTM_SCALABLE) {
        /* Scalable mode needs 256-bit descriptors (VT-d 6.5.2) */
        return VTD_IQEI_WIDTH;
    }
    return VTD_IQEI_NONE;
}

/*
 * Run to the tail. The queue's length bounds the work, whatever the guest
 * does to the registers meanwhile: they cannot be written from within
 * (re-entrant register accesses are refused).
 */
void vtd_queue_run(VTDState *s)
{
    uint64_t iqa = vtd_get64(s, VTD_REG_IQA);
    uint64_t tail = vtd_get64(s, VTD_REG_IQT) & VTD_IQ_POINTER;
    uint64_t head = vtd_get64(s, VTD_REG_IQH);
    uint64_t bytes = 0x1000ULL << (iqa & VTD_IQA_QS);
    bool wide = iqa & VTD_IQA_DW;
    unsigned width = wide ? 32 : 16;
    VTDQueueError error;

    if (!vtd_queue_runs(s)) {
        return;
    }
    /* A head left over from a longer queue or another width */
    head &= (bytes - 1) & ~(uint64_t)(width - 1);

    while (head != tail) {
        uint64_t d[4] = { };

        error = vtd_queue_check(s, tail, bytes, wide);
        if (!error && !vtd_memory_read(&s->memory,
                                       (iqa & VTD_IQA_ADDR) + head,
                                       d, width)) {
            error = VTD_IQEI_FETCH;
        }
        if (!error) {
            for (unsigned i = 0; i < 4; i++) {
                d[i] = le64_to_cpu(d[i]);
            }
            error = vtd_descriptor_run(s, d, wide);
        }
        if (error) {
            vtd_queue_error(s, head, error);
            break;
        }
        head = (head + width) & (bytes - 1);
        vtd_set64(s, VTD_REG_IQH, head);
    }
    vtd_set64(s, VTD_REG_IQH, head);
}

/* The head starts at 0 whenever the queue is enabled (11.4.9.1) */
void vtd_queue_enable(VTDState *s, bool enable)
{
    vtd_set64(s, VTD_REG_IQH, 0);
    if (enable) {
        vtd_queue_run(s);
    }
}

void vtd_iqt_write(VTDState *s, const VTDReg *reg, uint64_t old,
                   uint64_t val, uint64_t mask)
{
    if (mask & VTD_IQ_POINTER) {
        vtd_queue_run(s);
    }
}

void vtd_ics_write(VTDState *s, const VTDReg *reg, uint64_t old,
                   uint64_t val, uint64_t mask)
{
    QEMU_LOCK_GUARD(&s->reg_lock);

    if (!(vtd_get32(s, VTD_REG_ICS) & VTD_ICS_IWC)) {
        vtd_event_served(s, VTD_EVENT_INVALIDATION);
    }
}
