/*
 * intel-vtd: global command (VT-d 11.4.4) and register-based invalidation
 * (6.5.1, 11.4.6)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "invalidate.h"
#include "space.h"
#include "state.h"
#include "trace.h"

static void vtd_status_change(VTDState *s, uint32_t bit, bool on)
{
    QEMU_LOCK_GUARD(&s->reg_lock);
    uint32_t gsts = vtd_get32(s, VTD_REG_GSTS);

    vtd_set32(s, VTD_REG_GSTS, on ? gsts | bit : gsts & ~bit);
}

/* Latch the root-table address; ESRTPS: nothing old is used from now on */
static void vtd_set_root_pointer(VTDState *s, bool on)
{
    s->root = vtd_get64(s, VTD_REG_RTADDR);
    trace_intel_vtd_root(s->root);
    vtd_translator_set_root(s->translator, s->root, true);
    vtd_invalidated(s);
    vtd_notify_unmap(s, 0, UINT64_MAX);
    vtd_spaces_leave_pt(s);
    vtd_drain(s);
}

/* Latch the interrupt remapping table address; ESIRTPS likewise */
static void vtd_set_irt_pointer(VTDState *s, bool on)
{
    s->irta = vtd_get64(s, VTD_REG_IRTA);
    trace_intel_vtd_irta(s->irta);
    vtd_irq_invalidate(s, true, 0, 0);
}

static void vtd_enable_translation(VTDState *s, bool on)
{
    qatomic_set(&s->translating, on);
    vtd_invalidated(s);
    vtd_notify_unmap(s, 0, UINT64_MAX);
    vtd_spaces_update(s);
    vtd_drain(s);
}

/* IRE and CFI change what an interrupt request means */
static void vtd_remapping_changed(VTDState *s, bool on)
{
    vtd_irq_invalidate(s, true, 0, 0);
}

/*
 * The fields of GCMD, in the order in which they take effect if software sets
 * several although it must not. A one-shot field acts when written as 1 and
 * sets its status; the others act when they change.
 */
static const struct {
    uint32_t bit;
    bool one_shot;
    uint64_t ecap;          /* needed */
    bool after;             /* act once the status shows it */
    void (*act)(VTDState *s, bool on);
} vtd_commands[] = {
    { VTD_G_SRTP, true, 0, false, vtd_set_root_pointer },
    { VTD_G_SIRTP, true, VTD_ECAP_IR, false, vtd_set_irt_pointer },
    { VTD_G_QIE, false, VTD_ECAP_QI, true, vtd_queue_enable },
    { VTD_G_CFI, false, VTD_ECAP_IR, true, vtd_remapping_changed },
    { VTD_G_IRE, false, VTD_ECAP_IR, true, vtd_remapping_changed },
    { VTD_G_TE, false, 0, false, vtd_enable_translation },
};

void vtd_gcmd_write(VTDState *s, const VTDReg *reg, uint64_t old,
                    uint64_t val, uint64_t mask)
{
    uint32_t gsts = vtd_get32(s, VTD_REG_GSTS);

    trace_intel_vtd_command(val, gsts);
    for (unsigned i = 0; i < ARRAY_SIZE(vtd_commands); i++) {
        uint32_t bit = vtd_commands[i].bit;
        bool on = val & bit;

        if ((vtd_commands[i].one_shot ? !on : on == !!(gsts & bit)) ||
            (s->ecap & vtd_commands[i].ecap) != vtd_commands[i].ecap ||
            (bit == VTD_G_TE && !X86_IOMMU_DEVICE(s)->dma_translation)) {
            continue;
        }
        if (vtd_commands[i].after) {
            vtd_status_change(s, bit, on);
        }
        vtd_commands[i].act(s, on);
        if (!vtd_commands[i].after) {
            vtd_status_change(s, bit, on);
        }
    }
}

/*
 * Granularities of CCMD.CIRG and IOTLB.IIRG. Zero is reserved: the command
 * completes with an actual granularity of zero, "nothing invalidated". So it
 * does while queued invalidation is enabled, when software must not use these
 * registers (implementation choice).
 */
#define VTD_REG_GRAN_GLOBAL 1
#define VTD_REG_GRAN_DOMAIN 2
#define VTD_REG_GRAN_NARROW 3

static uint8_t vtd_register_granularity(VTDState *s, uint64_t asked)
{
    return vtd_get32(s, VTD_REG_GSTS) & VTD_G_QIE ? 0 : asked;
}

void vtd_ccmd_write(VTDState *s, const VTDReg *reg, uint64_t old,
                    uint64_t val, uint64_t mask)
{
    static const VTDGranularity gran[] = {
        [VTD_REG_GRAN_GLOBAL] = VTD_GRAN_GLOBAL,
        [VTD_REG_GRAN_DOMAIN] = VTD_GRAN_DOMAIN,
        [VTD_REG_GRAN_NARROW] = VTD_GRAN_DEVICE,
    };
    uint64_t ccmd = vtd_get64(s, VTD_REG_CCMD);
    uint8_t actual;

    if (!(val & VTD_CCMD_ICC)) {
        return;
    }
    actual = vtd_register_granularity(s, extract64(ccmd, 61, 2));
    if (actual) {
        vtd_apply_context(s, &(VTDInvalidation) {
            .gran = gran[actual],
            .did = extract64(ccmd, 0, 16),
            .sid = extract64(ccmd, 16, 16),
            .fm = extract64(ccmd, 32, 2),
        });
        vtd_drain(s);
    }
    QEMU_LOCK_GUARD(&s->reg_lock);
    vtd_set64(s, VTD_REG_CCMD,
              deposit64(ccmd, VTD_CCMD_CAIG_SHIFT, 2, actual));
}

void vtd_iotlb_write(VTDState *s, const VTDReg *reg, uint64_t old,
                     uint64_t val, uint64_t mask)
{
    static const VTDGranularity gran[] = {
        [VTD_REG_GRAN_GLOBAL] = VTD_GRAN_GLOBAL,
        [VTD_REG_GRAN_DOMAIN] = VTD_GRAN_DOMAIN,
        [VTD_REG_GRAN_NARROW] = VTD_GRAN_PAGE,
    };
    uint64_t iotlb = vtd_get64(s, VTD_REG_IOTLB);
    uint64_t iva = vtd_get64(s, VTD_REG_IVA);
    uint8_t actual;

    if (!(val & VTD_IOTLB_IVT)) {
        return;
    }
    actual = vtd_register_granularity(s, extract64(iotlb, 60, 2));
    if (actual == VTD_REG_GRAN_NARROW && (iva & VTD_IVA_AM) > VTD_MAMV) {
        /* 11.4.6.2: a mask that is too large is done by domain */
        actual = VTD_REG_GRAN_DOMAIN;
    }
    if (actual) {
        vtd_apply_iotlb(s, &(VTDInvalidation) {
            .gran = gran[actual],
            .did = extract64(iotlb, 32, 16),
            .am = iva & VTD_IVA_AM,
            .ih = iva & VTD_IVA_IH,
            .addr = iva & VTD_IVA_ADDR,
        });
        vtd_drain(s);
    }
    QEMU_LOCK_GUARD(&s->reg_lock);
    vtd_set64(s, VTD_REG_IOTLB,
              deposit64(iotlb, VTD_IOTLB_IAIG_SHIFT, 2, actual));
}
