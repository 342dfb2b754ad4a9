/*
 * intel-vtd: migration
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "migration/vmstate.h"
#include "space.h"

void vtd_send_pending(VTDState *s)
{
    vtd_pri_drain(s);
    /* Last, since an answer may be followed by a request */
    vtd_event_flush(s);
}

static int vtd_pre_save(void *opaque)
{
    VTDState *s = opaque;

    /* What came since the machine has stopped and waits for a bottom half */
    vtd_send_pending(s);
    s->mig_cap = s->cap;
    s->mig_ecap = s->ecap;
    s->mig_haw = s->features.haw;
    return 0;
}

/* Caches are not migrated: the destination walks anew */
static bool vtd_post_load(void *opaque, int version_id, Error **errp)
{
    VTDState *s = opaque;

    if (s->mig_cap != s->cap || s->mig_ecap != s->ecap) {
        error_setg(errp, "intel-vtd: the source has CAP 0x%016" PRIx64
                   " ECAP 0x%016" PRIx64 ", but here they are 0x%016" PRIx64
                   " and 0x%016" PRIx64 "; give the destination's intel-vtd "
                   "the source's properties", s->mig_cap, s->mig_ecap, s->cap,
                   s->ecap);
        return false;
    }
    if (version_id >= 2 && s->mig_haw != s->features.haw) {
        error_setg(errp, "intel-vtd: the source has %u host address bits, but "
                   "here are %u; give the destination's intel-vtd "
                   "haw-bits=%u", s->mig_haw, s->features.haw, s->mig_haw);
        return false;
    }
    if (s->frcd_next >= s->cfg.fault_records) {
        error_setg(errp, "intel-vtd: next fault record %u does not exist",
                   s->frcd_next);
        return false;
    }
    qatomic_set(&s->translating,
                !!(vtd_get32(s, VTD_REG_GSTS) & VTD_G_TE));
    vtd_translator_set_root(s->translator, s->root, true);
    vtd_invalidated(s);
    vtd_spaces_update(s);
    vtd_irq_invalidate(s, true, 0, 0);
    return true;
}

const VMStateDescription vtd_vmstate = {
    .name = "intel-vtd",
    .version_id = 2,
    .minimum_version_id = 1,
    .priority = MIG_PRI_IOMMU,
    .pre_save = vtd_pre_save,
    .post_load_errp = vtd_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(mig_cap, VTDState),
        VMSTATE_UINT64(mig_ecap, VTDState),
        VMSTATE_UINT64(root, VTDState),
        VMSTATE_UINT64(irta, VTDState),
        VMSTATE_UINT32(frcd_next, VTDState),
        VMSTATE_UINT8_ARRAY(csr, VTDState, VTD_REG_SPACE),
        VMSTATE_UINT8_V(mig_haw, VTDState, 2),
        VMSTATE_END_OF_LIST()
    },
};
