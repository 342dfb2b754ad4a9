/*
 * intel-vtd: messages of fault, invalidation completion and page request
 * events (VT-d 7.3, 11.4.7.3 to 11.4.7.6 and their likes)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/i386/apic_internal.h"
#include "state.h"
#include "trace.h"

typedef struct VTDEventRegs {
    uint16_t control, data, addr, upper;
} VTDEventRegs;

static const VTDEventRegs vtd_event_regs[VTD_EVENT_COUNT] = {
    [VTD_EVENT_FAULT] = {
        VTD_REG_FECTL, VTD_REG_FEDATA, VTD_REG_FEADDR, VTD_REG_FEUADDR,
    },
    [VTD_EVENT_INVALIDATION] = {
        VTD_REG_IECTL, VTD_REG_IEDATA, VTD_REG_IEADDR, VTD_REG_IEUADDR,
    },
    [VTD_EVENT_PAGE_REQUEST] = {
        VTD_REG_PECTL, VTD_REG_PEDATA, VTD_REG_PEADDR, VTD_REG_PEUADDR,
    },
};

/* Masked: the event waits as Interrupt Pending. reg_lock held */
void vtd_event_raise(VTDState *s, VTDEvent event)
{
    unsigned control = vtd_event_regs[event].control;
    uint32_t val = vtd_get32(s, control);

    if (val & VTD_EVENT_IM) {
        vtd_set32(s, control, val | VTD_EVENT_IP);
    } else {
        qatomic_or(&s->events_pending, BIT(event));
    }
}

void vtd_event_served(VTDState *s, VTDEvent event)
{
    unsigned control = vtd_event_regs[event].control;

    vtd_set32(s, control, vtd_get32(s, control) & ~VTD_EVENT_IP);
}

/* Big lock held */
static void vtd_event_send(VTDState *s, VTDEvent event)
{
    const VTDEventRegs *regs = &vtd_event_regs[event];
    MSIMessage msg;

    WITH_QEMU_LOCK_GUARD(&s->reg_lock) {
        uint32_t control = vtd_get32(s, regs->control);

        if (control & VTD_EVENT_IM) {
            /* Masked since it was raised */
            vtd_set32(s, regs->control, control | VTD_EVENT_IP);
            return;
        }
        msg.address = deposit64(vtd_get32(s, regs->addr), 32, 32,
                                vtd_get32(s, regs->upper));
        msg.data = vtd_get32(s, regs->data);
    }
    trace_intel_vtd_event(event, msg.address, msg.data);
    /*
     * These messages are not subject to interrupt remapping (VT-d 5.1.1).
     * Aimed elsewhere than at the interrupt range they are plain writes;
     * implementation choice: to RAM only, so that no device is reached.
     */
    if (vtd_is_interrupt_address((uint32_t)msg.address)) {
        apic_get_class(NULL)->send_msi(&msg);
    } else {
        uint32_t data = cpu_to_le32(msg.data);

        vtd_memory_write(&s->memory, msg.address, &data, sizeof(data));
    }
}

static void vtd_events_send(void *opaque)
{
    VTDState *s = opaque;
    uint32_t pending = qatomic_xchg(&s->events_pending, 0);

    for (VTDEvent event = 0; event < VTD_EVENT_COUNT; event++) {
        if (pending & BIT(event)) {
            vtd_event_send(s, event);
        }
    }
}

void vtd_event_flush(VTDState *s)
{
    if (!qatomic_read(&s->events_pending)) {
        return;
    }
    if (bql_locked()) {
        vtd_events_send(s);
    } else {
        qemu_bh_schedule(s->event_bh);
    }
}

/* Unmasking sends what is pending (VT-d 11.4.7.3, IM) */
void vtd_event_control_write(VTDState *s, const VTDReg *reg, uint64_t old,
                             uint64_t val, uint64_t mask)
{
    WITH_QEMU_LOCK_GUARD(&s->reg_lock) {
        uint32_t now = vtd_get32(s, reg->offset);

        if ((now & VTD_EVENT_IP) && !(now & VTD_EVENT_IM)) {
            vtd_set32(s, reg->offset, now & ~VTD_EVENT_IP);
            for (VTDEvent event = 0; event < VTD_EVENT_COUNT; event++) {
                if (vtd_event_regs[event].control == reg->offset) {
                    qatomic_or(&s->events_pending, BIT(event));
                }
            }
        }
    }
    vtd_event_flush(s);
}

void vtd_events_init(VTDState *s)
{
    s->event_bh = qemu_bh_new_guarded(vtd_events_send, s,
                                      &DEVICE(s)->mem_reentrancy_guard);
}
