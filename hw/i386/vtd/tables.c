/*
 * intel-vtd: decoding of the root, context and PASID tables (VT-d 3.4, 9.1
 * to 9.6)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "translator.h"

VTDFaultReason vtd_check_root(const VTDTranslator *t, uint64_t rtaddr)
{
    switch (VTD_TTM(rtaddr)) {
    case VTD_TTM_LEGACY:
        return t->features.legacy ? VTD_FR_NONE : VTD_FR_RTA_1_MODE;
    case VTD_TTM_SCALABLE:
        return t->features.scalable ? VTD_FR_NONE : VTD_FR_RTA_1_MODE;
    default:
        /* Abort-DMA mode is not among the features (ECAP.ADMS) */
        return VTD_FR_RTA_1_MODE;
    }
}

/* Reads @count words; the first one, which has P, before the others */
static bool vtd_load_words(const VTDTranslator *t, uint64_t addr,
                           uint64_t *word, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (!vtd_load(t, addr + i * sizeof(*word), &word[i])) {
            return false;
        }
        /* The word with P before the rest */
        smp_rmb();
    }
    return true;
}

/* AW of a context or PASID entry (9.3, 9.6): 1 to 3 for 3 to 5 levels */
static bool vtd_set_second(const VTDTranslator *t, VTDContext *ctx,
                           unsigned aw)
{
    if (aw < 1 || aw > 3 || !(t->features.sagaw & (1u << aw))) {
        return false;
    }
    ctx->second_levels = aw + 2;
    ctx->second_width = MIN(VTD_SIZE_SHIFT(ctx->second_levels),
                            t->features.mgaw);
    return true;
}

static VTDFaultReason vtd_decode_legacy(const VTDTranslator *t,
                                        const uint64_t *ce, VTDContext *ctx)
{
    unsigned tt = VTD_CE_TT(ce[0]);

    if ((ce[0] & (VTD_CE_RESERVED_LO | vtd_beyond(t->features.haw))) ||
        (ce[1] & VTD_CE_RESERVED_HI)) {
        return VTD_FR_LCT_3_RESERVED;
    }
    if (!vtd_set_second(t, ctx, VTD_CE_AW(ce[1]))) {
        return VTD_FR_LCT_4_INVALID;
    }
    ctx->did = VTD_CE_DID(ce[1]);
    ctx->pasid = VTD_NO_PASID;
    ctx->flags |= VTD_CTX_LEGACY;
    ctx->second_root = ce[0] & VTD_PAGE_BASE;
    ctx->pgtt = VTD_PGTT_SECOND;
    if (tt == VTD_CE_TT_UNTRANSLATED) {
        return VTD_FR_NONE;
    }
    if (tt == VTD_CE_TT_ALL && t->features.device_tlb) {
        ctx->flags |= VTD_CTX_DTE;
        return VTD_FR_NONE;
    }
    if (tt == VTD_CE_TT_PASS_THROUGH && t->features.pass_through) {
        ctx->pgtt = VTD_PGTT_PASS_THROUGH;
        return VTD_FR_NONE;
    }
    return VTD_FR_LCT_4_INVALID;
}

VTDFaultReason vtd_read_legacy(const VTDTranslator *t, uint64_t rtaddr,
                               uint16_t sid, VTDContext *ctx, uint32_t *flags)
{
    uint64_t addr = (rtaddr & VTD_PAGE_BASE) + (sid >> 8) *
                    VTD_ROOT_ENTRY_SIZE;
    uint64_t root[2], ce[2];

    if (!vtd_load_words(t, addr, root, 2)) {
        return VTD_FR_LRT_1_ACCESS;
    }
    if (!(root[0] & VTD_ROOT_P)) {
        return VTD_FR_LRT_2_NOT_PRESENT;
    }
    if ((root[0] & (VTD_ROOT_RESERVED | vtd_beyond(t->features.haw))) ||
        root[1]) {
        return VTD_FR_LRT_3_RESERVED;
    }
    addr = (root[0] & VTD_PAGE_BASE) + (sid & 0xff) * VTD_CE_SIZE;
    if (!vtd_load_words(t, addr, ce, 2)) {
        return VTD_FR_LCT_1_ACCESS;
    }
    /* FPD counts even if the entry is not present (9.3) */
    if (ce[0] & VTD_CE_FPD) {
        *flags |= VTD_CTX_FPD;
    }
    if (!(ce[0] & VTD_CE_P)) {
        return VTD_FR_LCT_2_NOT_PRESENT;
    }
    *ctx = (VTDContext) { .flags = *flags };
    return vtd_decode_legacy(t, ce, ctx);
}

static VTDFaultReason vtd_decode_device(const VTDTranslator *t,
                                        const uint64_t *ce, VTDDevice *dev)
{
    const VTDFeatures *f = &t->features;
    uint64_t reserved0 = VTD_SCE_RESERVED_0 | vtd_beyond(f->haw) |
                         (f->device_tlb ? 0 : VTD_SCE_DTE) |
                         (f->pasid ? 0 : VTD_SCE_PASIDE) |
                         (f->page_request ? 0 : VTD_SCE_PRE);
    uint64_t reserved1 = VTD_SCE_RESERVED_1 |
                         (f->supervisor ? 0 : VTD_SCE_RID_PRIV);

    if ((ce[0] & reserved0) || (ce[1] & reserved1) || ce[2] || ce[3]) {
        return VTD_FR_SCT_3_RESERVED;
    }
    dev->pasid_dir = ce[0] & VTD_PAGE_BASE;
    dev->rid_pasid = VTD_SCE_RID_PASID(ce[1]);
    dev->pasids = VTD_PDTS_PASIDS(VTD_SCE_PDTS(ce[0]));
    dev->flags |= (ce[0] & VTD_SCE_DTE ? VTD_CTX_DTE : 0) |
                  (ce[0] & VTD_SCE_PASIDE ? VTD_CTX_PASIDE : 0) |
                  (ce[0] & VTD_SCE_PRE ? VTD_CTX_PRE : 0) |
                  (ce[1] & VTD_SCE_RID_PRIV ? VTD_CTX_RID_PRIV : 0);
    return VTD_FR_NONE;
}

VTDFaultReason vtd_read_device(const VTDTranslator *t, uint64_t rtaddr,
                               uint16_t sid, VTDDevice *dev, uint32_t *flags)
{
    /* Each half of a root entry is for 16 devices (9.2) */
    uint64_t addr = (rtaddr & VTD_PAGE_BASE) +
                    (sid >> 8) * VTD_ROOT_ENTRY_SIZE + (sid & 0x80 ? 8 : 0);
    uint64_t root, ce[VTD_SCE_WORDS];

    if (!vtd_load(t, addr, &root)) {
        return VTD_FR_SRT_1_ACCESS;
    }
    if (!(root & VTD_ROOT_P)) {
        return VTD_FR_SRT_2_NOT_PRESENT;
    }
    if (root & (VTD_ROOT_RESERVED | vtd_beyond(t->features.haw))) {
        return VTD_FR_SRT_3_RESERVED;
    }
    addr = (root & VTD_PAGE_BASE) + (sid & 0x7f) * sizeof(ce);
    if (!vtd_load_words(t, addr, ce, VTD_SCE_WORDS)) {
        return VTD_FR_SCT_1_ACCESS;
    }
    if (ce[0] & VTD_SCE_FPD) {
        *flags |= VTD_CTX_FPD;
    }
    if (!(ce[0] & VTD_SCE_P)) {
        return VTD_FR_SCT_2_NOT_PRESENT;
    }
    *dev = (VTDDevice) { .flags = *flags };
    return vtd_decode_device(t, ce, dev);
}

/* 9.6: fields of features that are not there are reserved */
static bool vtd_pasid_entry_reserved(const VTDTranslator *t,
                                     const uint64_t *pe)
{
    const VTDFeatures *f = &t->features;
    uint64_t reserved0 = VTD_PE_RESERVED_0 |
                         (f->second_ad ? 0 : VTD_PE_SSADE);
    uint64_t reserved2 = VTD_PE_RESERVED_2 |
                         (f->supervisor ? 0 : VTD_PE_SRE) |
                         (f->exec ? 0 : VTD_PE_ERE) |
                         (f->ext_accessed ? 0 : VTD_PE_EAFE);
    unsigned pgtt = VTD_PE_PGTT(pe[0]);

    /* A pointer counts only if the type of translation has that stage */
    if (pgtt == VTD_PGTT_SECOND || pgtt == VTD_PGTT_NESTED) {
        reserved0 |= vtd_beyond(f->haw);
    }
    if (pgtt == VTD_PGTT_FIRST || pgtt == VTD_PGTT_NESTED) {
        reserved2 |= vtd_beyond(f->haw);
    }
    return (pe[0] & reserved0) || (pe[1] & VTD_PE_RESERVED_1) ||
           (pe[2] & reserved2) || pe[3] || pe[4] || pe[5] || pe[6] || pe[7];
}

static bool vtd_set_first(const VTDTranslator *t, VTDContext *ctx,
                          const uint64_t *pe)
{
    unsigned mode = VTD_PE_FSPM(pe[2]);

    if (mode != VTD_FSPM_4_LEVEL &&
        !(mode == VTD_FSPM_5_LEVEL && t->features.first_5level)) {
        return false;
    }
    ctx->first_levels = mode + 4;
    ctx->first_root = pe[2] & VTD_PAGE_BASE;
    return true;
}

static bool vtd_set_pgtt(const VTDTranslator *t, VTDContext *ctx,
                         const uint64_t *pe)
{
    const VTDFeatures *f = &t->features;
    bool first = false, second = false;

    ctx->pgtt = VTD_PE_PGTT(pe[0]);
    switch (ctx->pgtt) {
    case VTD_PGTT_FIRST:
        first = true;
        break;
    case VTD_PGTT_SECOND:
        second = true;
        break;
    case VTD_PGTT_NESTED:
        if (!f->nested) {
            return false;
        }
        first = second = true;
        break;
    case VTD_PGTT_PASS_THROUGH:
        return f->pass_through;
    default:
        return false;
    }
    if (first && (!f->first_stage || !vtd_set_first(t, ctx, pe))) {
        return false;
    }
    if (second) {
        ctx->second_root = pe[0] & VTD_PAGE_BASE;
        return f->second_stage && vtd_set_second(t, ctx, VTD_PE_AW(pe[0]));
    }
    return true;
}

static VTDFaultReason vtd_decode_pasid(const VTDTranslator *t,
                                       const uint64_t *pe, VTDContext *ctx)
{
    if (vtd_pasid_entry_reserved(t, pe)) {
        return VTD_FR_SPT_3_RESERVED;
    }
    if (!vtd_set_pgtt(t, ctx, pe)) {
        return VTD_FR_SPT_4_INVALID;
    }
    ctx->did = VTD_PE_DID(pe[1]);
    ctx->flags |= (pe[0] & VTD_PE_SSADE ? VTD_CTX_SSADE : 0) |
                  (pe[1] & VTD_PE_PWSNP ? VTD_CTX_PWSNP : 0) |
                  (pe[1] & VTD_PE_PGSNP ? VTD_CTX_PGSNP : 0) |
                  (pe[2] & VTD_PE_SRE ? VTD_CTX_SRE : 0) |
                  (pe[2] & VTD_PE_ERE ? VTD_CTX_ERE : 0) |
                  (pe[2] & VTD_PE_WPE ? VTD_CTX_WPE : 0) |
                  (pe[2] & VTD_PE_NXE ? VTD_CTX_NXE : 0) |
                  (pe[2] & VTD_PE_SMEP ? VTD_CTX_SMEP : 0) |
                  (pe[2] & VTD_PE_EAFE ? VTD_CTX_EAFE : 0);
    return VTD_FR_NONE;
}

VTDFaultReason vtd_read_pasid(const VTDTranslator *t, const VTDDevice *dev,
                              uint32_t pasid, VTDContext *ctx,
                              uint32_t *flags)
{
    uint64_t addr = dev->pasid_dir + VTD_PDE_INDEX(pasid) * sizeof(uint64_t);
    uint64_t pde, pe[VTD_PE_WORDS];

    if (!vtd_load(t, addr, &pde)) {
        return VTD_FR_SPD_1_ACCESS;
    }
    /* FPD counts even if the entry is not present (9.5, 9.6) */
    if (pde & VTD_PDE_FPD) {
        *flags |= VTD_CTX_FPD;
    }
    if (!(pde & VTD_PDE_P)) {
        return VTD_FR_SPD_2_NOT_PRESENT;
    }
    if (pde & (VTD_PDE_RESERVED | vtd_beyond(t->features.haw))) {
        return VTD_FR_SPD_3_RESERVED;
    }
    addr = (pde & VTD_PAGE_BASE) + VTD_PE_INDEX(pasid) * sizeof(pe);
    if (!vtd_load_words(t, addr, pe, VTD_PE_WORDS)) {
        return VTD_FR_SPT_1_ACCESS;
    }
    if (pe[0] & VTD_PE_FPD) {
        *flags |= VTD_CTX_FPD;
    }
    if (!(pe[0] & VTD_PE_P)) {
        return VTD_FR_SPT_2_NOT_PRESENT;
    }
    *ctx = (VTDContext) { .flags = dev->flags | *flags, .pasid = pasid };
    return vtd_decode_pasid(t, pe, ctx);
}
