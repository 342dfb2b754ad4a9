/*
 * intel-vtd: from properties to capabilities. The only place that knows which
 * bit says what (VT-d 11.4.2, 11.4.3).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "system/kvm.h"
#include "kvm/kvm_i386.h"
#include "state.h"
#include "trace.h"

#define VTD_ND_64K          6       /* 16-bit domain-ids */
#define VTD_MHMV_MAX        15
#define VTD_SSLPS_2M_1G     3

/*
 * A property that follows others unless the user says "on" or "off"; "on"
 * without them is an error.
 */
static bool vtd_follow(OnOffAuto *prop, bool possible, const char *name,
                       const char *needs, Error **errp)
{
    if (*prop == ON_OFF_AUTO_ON && !possible) {
        error_setg(errp, "intel-vtd: %s=on needs %s", name, needs);
        return false;
    }
    if (*prop == ON_OFF_AUTO_AUTO) {
        *prop = possible ? ON_OFF_AUTO_ON : ON_OFF_AUTO_OFF;
    }
    return true;
}

static bool vtd_check_widths(VTDState *s, Error **errp)
{
    VTDConfig *c = &s->cfg;

    if (c->aw_bits != 39 && c->aw_bits != 48 && c->aw_bits != 57) {
        error_setg(errp, "intel-vtd: aw-bits=%u is no width of a page table; "
                   "use 39, 48 or 57", c->aw_bits);
        return false;
    }
    if (c->haw_bits < 36 || c->haw_bits > 52) {
        error_setg(errp, "intel-vtd: haw-bits=%u is no physical address "
                   "width; use 36 to 52", c->haw_bits);
        return false;
    }
    if (!c->fault_records || c->fault_records > VTD_FRCD_MAX) {
        error_setg(errp, "intel-vtd: fault-records=%u is out of range; use "
                   "1 to %d", c->fault_records, VTD_FRCD_MAX);
        return false;
    }
    return true;
}

static bool vtd_check_pasid(VTDState *s, bool sm, Error **errp)
{
    VTDConfig *c = &s->cfg;

    if (c->pasid_bits == VTD_PASID_BITS_AUTO) {
        c->pasid_bits = sm ? VTD_PASID_BITS_MAX : 0;
    }
    if (c->pasid_bits > VTD_PASID_BITS_MAX) {
        error_setg(errp, "intel-vtd: pasid-bits=%u is more than PCI Express "
                   "has; use 0 to %d", c->pasid_bits, VTD_PASID_BITS_MAX);
        return false;
    }
    if (c->pasid_bits && !sm) {
        error_setg(errp, "intel-vtd: pasid-bits needs scalable-mode=on and "
                   "dma-translation=on");
        return false;
    }
    return true;
}

static bool vtd_check_interrupts(VTDState *s, Error **errp)
{
    bool ir = x86_iommu_ir_supported(X86_IOMMU_DEVICE(s));
    bool kvm = kvm_enabled() && kvm_irqchip_is_split();

    /* An APIC of KVM must be told to take more than 8 bits of destination */
    return vtd_follow(&s->cfg.eim, ir && (!kvm || kvm_enable_x2apic()), "eim",
                      "intremap=on and an APIC with x2APIC mode", errp);
}

static bool vtd_check_config(VTDState *s, Error **errp)
{
    X86IOMMUState *x86 = X86_IOMMU_DEVICE(s);
    VTDConfig *c = &s->cfg;
    bool sm = c->scalable_mode && x86->dma_translation;
    bool fs, ss;

    if (!vtd_check_widths(s, errp) || !vtd_check_pasid(s, sm, errp) ||
        !vtd_check_interrupts(s, errp) ||
        !vtd_follow(&c->fsts, sm, "fsts", "scalable-mode=on", errp) ||
        !vtd_follow(&c->ssts, sm, "ssts", "scalable-mode=on", errp)) {
        return false;
    }
    fs = c->fsts == ON_OFF_AUTO_ON;
    ss = c->ssts == ON_OFF_AUTO_ON;
    if (sm && !fs && !ss) {
        error_setg(errp, "intel-vtd: scalable-mode=on needs fsts=on or "
                   "ssts=on");
        return false;
    }
    return
        vtd_follow(&c->nested, fs && ss, "nested", "fsts=on and ssts=on",
                   errp) &&
        vtd_follow(&c->fs5lp, fs, "fs5lp", "fsts=on", errp) &&
        vtd_follow(&c->supervisor, fs, "supervisor", "fsts=on", errp) &&
        vtd_follow(&c->eafs, fs, "eafs", "fsts=on", errp) &&
        vtd_follow(&c->ssads, sm && ss, "ssads", "ssts=on", errp) &&
        vtd_follow(&c->svm, fs && c->pasid_bits && x86->dt_supported, "svm",
                   "fsts=on, pasid-bits above 0 and device-iotlb=on", errp);
}

static bool vtd_on(OnOffAuto prop)
{
    return prop == ON_OFF_AUTO_ON;
}

static void vtd_fill_features(VTDState *s)
{
    X86IOMMUState *x86 = X86_IOMMU_DEVICE(s);
    const VTDConfig *c = &s->cfg;
    bool sm = c->scalable_mode && x86->dma_translation;
    uint8_t sagaw = BIT(1);

    /* Every table depth up to the address width (CAP.SAGAW) */
    sagaw |= c->aw_bits >= 48 ? BIT(2) : 0;
    sagaw |= c->aw_bits >= 57 ? BIT(3) : 0;
    s->features = (VTDFeatures) {
        .haw = c->haw_bits,
        .mgaw = c->aw_bits,
        .sagaw = sagaw,
        .pss = c->pasid_bits,
        .legacy = true,
        .scalable = sm,
        .first_stage = vtd_on(c->fsts),
        .second_stage = vtd_on(c->ssts),
        .nested = vtd_on(c->nested),
        .pass_through = true,
        .first_5level = vtd_on(c->fs5lp),
        .first_1g = vtd_on(c->fsts) && c->fs1gp,
        .second_2m = true,
        .second_1g = true,
        .second_ad = vtd_on(c->ssads),
        .ext_accessed = vtd_on(c->eafs),
        .supervisor = vtd_on(c->supervisor),
        .exec = sm && c->exec,
        .snoop_control = c->snoop_control,
        .device_tlb = x86->dt_supported,
        .page_request = vtd_on(c->svm),
        .pasid = c->pasid_bits,
        .zlr = true,
    };
}

static uint64_t vtd_cap(VTDState *s)
{
    const VTDFeatures *f = &s->features;
    uint64_t cap = VTD_CAP_ND(VTD_ND_64K) | VTD_CAP_ZLR |
                   VTD_CAP_MGAW(f->mgaw - 1) |
                   VTD_CAP_FRO(VTD_REG_FRCD / 16) |
                   VTD_CAP_SSLPS(VTD_SSLPS_2M_1G) | VTD_CAP_PSI |
                   VTD_CAP_NFR(s->cfg.fault_records - 1) |
                   VTD_CAP_MAMV(VTD_MAMV) | VTD_CAP_DWD | VTD_CAP_DRD |
                   VTD_CAP_ESRTPS;

    /* No width at all: the unit does not translate DMA (11.4.2, SAGAW) */
    cap |= X86_IOMMU_DEVICE(s)->dma_translation ? VTD_CAP_SAGAW(f->sagaw) : 0;
    cap |= s->cfg.caching_mode ? VTD_CAP_CM : 0;
    cap |= f->first_1g ? VTD_CAP_FS1GP : 0;
    cap |= f->first_5level ? VTD_CAP_FS5LP : 0;
    cap |= x86_iommu_ir_supported(X86_IOMMU_DEVICE(s)) ? VTD_CAP_ESIRTPS : 0;
    return cap;
}

static uint64_t vtd_ecap(VTDState *s)
{
    const VTDFeatures *f = &s->features;
    const struct {
        bool on;
        uint64_t bits;
    } optional[] = {
        { f->device_tlb, VTD_ECAP_DT },
        { x86_iommu_ir_supported(X86_IOMMU_DEVICE(s)),
          VTD_ECAP_IR | VTD_ECAP_MHMV(VTD_MHMV_MAX) },
        { vtd_on(s->cfg.eim), VTD_ECAP_EIM },
        { f->snoop_control, VTD_ECAP_SC },
        { f->nested, VTD_ECAP_NEST },
        { f->page_request, VTD_ECAP_PRS | VTD_ECAP_PDS | VTD_ECAP_NWFS },
        { f->exec, VTD_ECAP_ERS },
        { f->supervisor, VTD_ECAP_SRS },
        { f->ext_accessed, VTD_ECAP_EAFS },
        { f->pasid, VTD_ECAP_PASID | VTD_ECAP_PSS(f->pss - 1) },
        { f->scalable, VTD_ECAP_SMTS | VTD_ECAP_SMPWC | VTD_ECAP_RPS },
        { f->second_ad, VTD_ECAP_SSADS },
        { f->second_stage, VTD_ECAP_SSTS },
        { f->first_stage, VTD_ECAP_FSTS },
    };
    uint64_t ecap = VTD_ECAP_C | VTD_ECAP_QI | VTD_ECAP_PT |
                    VTD_ECAP_IRO(VTD_REG_IVA / 16);

    for (unsigned i = 0; i < ARRAY_SIZE(optional); i++) {
        ecap |= optional[i].on ? optional[i].bits : 0;
    }
    return ecap;
}

bool vtd_caps_compute(VTDState *s, Error **errp)
{
    if (!vtd_check_config(s, errp)) {
        return false;
    }
    vtd_fill_features(s);
    s->cap = vtd_cap(s);
    s->ecap = vtd_ecap(s);
    trace_intel_vtd_realize(s->cap, s->ecap);
    return true;
}
