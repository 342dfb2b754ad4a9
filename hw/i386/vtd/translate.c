/*
 * intel-vtd: one request in, one mapping or one fault out
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/rcu.h"
#include "translator.h"
#include "walk.h"

/* A translation in the cache: the address of the page, and below it these */
#define VTD_TLB_PERM(data)  ((data) & 0x3f)
#define VTD_TLB_DIRTY       (1u << 6)
#define VTD_TLB_GLOBAL      (1u << 7)
#define VTD_TLB_SNOOP       (1u << 8)

/* Of a mapping that needs no tables */
#define VTD_IDENTITY_BITS   30

VTDTranslator *vtd_translator_new(const VTDMemoryOps *ops, void *opaque,
                                  const VTDFeatures *features,
                                  const VTDCacheSizes *sizes)
{
    VTDTranslator *t = g_new0(VTDTranslator, 1);

    t->ops = *ops;
    t->opaque = opaque;
    t->features = *features;
    vtd_cache_init(&t->context, sizes->context, VTD_CTX_WORDS);
    vtd_cache_init(&t->pasid, sizes->pasid, VTD_CTX_WORDS);
    vtd_cache_init(&t->iotlb, sizes->iotlb, VTD_IOTLB_WORDS);
    vtd_cache_init(&t->paging, sizes->paging, VTD_PAGING_WORDS);
    vtd_walk_init(t);
    /* A stamp of 0 is that of an empty place */
    t->context_gens.global = 1;
    t->page_gens.global = 1;
    return t;
}

void vtd_translator_free(VTDTranslator *t)
{
    if (!t) {
        return;
    }
    synchronize_rcu();
    vtd_cache_destroy(&t->context);
    vtd_cache_destroy(&t->pasid);
    vtd_cache_destroy(&t->iotlb);
    vtd_cache_destroy(&t->paging);
    g_free(t);
}

void vtd_translator_set_root(VTDTranslator *t, uint64_t rtaddr, bool flush)
{
    qatomic_set(&t->root, rtaddr);
    if (flush) {
        vtd_invalidate_all(t);
    }
}

/*
 * Context and PASID caches
 */

#define VTD_KEY_LEGACY      (1ULL << 63)

static inline uint64_t *vtd_device_gen(VTDTranslator *t, uint16_t sid)
{
    /* Functions share a slot, so that a function mask needs only one */
    return &t->context_gens.device[(sid >> 3) % VTD_CONTEXT_SLOTS];
}

static inline uint64_t *vtd_pasid_gen(VTDTranslator *t, uint32_t pasid)
{
    return &t->context_gens.pasid[pasid % VTD_CONTEXT_SLOTS];
}

static inline uint64_t vtd_device_stamp(VTDTranslator *t, uint16_t sid)
{
    return qatomic_read(&t->context_gens.global) +
           qatomic_read(vtd_device_gen(t, sid));
}

static inline uint64_t vtd_pasid_stamp(VTDTranslator *t, uint16_t sid,
                                       uint32_t pasid)
{
    return vtd_device_stamp(t, sid) + qatomic_read(vtd_pasid_gen(t, pasid));
}

static inline uint32_t vtd_context_hash(uint16_t sid, uint32_t pasid)
{
    return sid * 0x9e5u + pasid;
}

/* First of all: what an invalidation after this is about is not kept */
static inline uint64_t vtd_fence(VTDTranslator *t)
{
    return qatomic_load_acquire(&t->fence);
}

static VTDFaultReason vtd_get_device(VTDTranslator *t, uint64_t root,
                                     uint16_t sid, uint64_t fence,
                                     VTDDevice *dev, uint32_t *flags)
{
    uint64_t stamp = vtd_device_stamp(t, sid);
    VTDFaultReason reason;

    if (vtd_cache_get(&t->context, vtd_context_hash(sid, 0), sid, 0,
                      VTD_CTX_WORDS, dev->word) == stamp) {
        *flags |= dev->flags;
        return VTD_FR_NONE;
    }
    /* The generations before the tables */
    smp_rmb();
    reason = vtd_read_device(t, root, sid, dev, flags);
    if (reason == VTD_FR_NONE) {
        *flags |= dev->flags;
        vtd_cache_put(&t->context, vtd_context_hash(sid, 0), sid, 0, stamp,
                      dev->word, &t->fence, fence);
    }
    return reason;
}

/* Slow paths stay out of line, so that a hit has no registers to save */
static __attribute__((noinline))
VTDFaultReason vtd_read_legacy_context(VTDTranslator *t, uint64_t root,
                                       uint16_t sid, uint64_t fence,
                                       VTDContext *ctx, uint32_t *flags)
{
    uint64_t stamp = vtd_device_stamp(t, sid);
    VTDFaultReason reason;

    /* The generations before the tables */
    smp_rmb();
    reason = vtd_check_root(t, root);
    if (reason == VTD_FR_NONE) {
        reason = vtd_read_legacy(t, root, sid, ctx, flags);
    }
    if (reason == VTD_FR_NONE) {
        vtd_cache_put(&t->context, vtd_context_hash(sid, 0),
                      VTD_KEY_LEGACY | sid, 0, stamp, ctx->word, &t->fence,
                      fence);
    }
    return reason;
}

static inline VTDFaultReason vtd_get_legacy(VTDTranslator *t, uint64_t root,
                                            uint16_t sid, uint64_t fence,
                                            VTDContext *ctx, uint32_t *flags)
{
    if (vtd_cache_get(&t->context, vtd_context_hash(sid, 0),
                      VTD_KEY_LEGACY | sid, 0, VTD_CTX_WORDS,
                      ctx->word) == vtd_device_stamp(t, sid)) {
        *flags |= ctx->flags;
        return VTD_FR_NONE;
    }
    return vtd_read_legacy_context(t, root, sid, fence, ctx, flags);
}

/* 7.1.3: what the context entry has to say to a PASID, or to none */
static VTDFaultReason vtd_select_pasid(VTDTranslator *t, const VTDDevice *dev,
                                       uint32_t *pasid)
{
    if (*pasid == VTD_NO_PASID) {
        *pasid = dev->rid_pasid;
        return *pasid < dev->pasids ? VTD_FR_NONE : VTD_FR_SCT_9_RID_PASID;
    }
    if (!(dev->flags & VTD_CTX_PASIDE)) {
        return VTD_FR_SCT_6_PASIDE;
    }
    return *pasid < dev->pasids && *pasid < (1u << t->features.pss) ?
           VTD_FR_NONE : VTD_FR_SCT_7_PASID_RANGE;
}

static __attribute__((noinline))
VTDFaultReason vtd_read_context(VTDTranslator *t, uint64_t root,
                                const VTDRequest *req, uint64_t fence,
                                VTDContext *ctx, uint32_t *flags)
{
    uint64_t stamp;
    uint32_t pasid = req->pasid;
    VTDFaultReason reason;
    VTDDevice dev;

    reason = vtd_check_root(t, root);
    if (reason != VTD_FR_NONE) {
        return reason;
    }
    stamp = vtd_device_stamp(t, req->sid);
    reason = vtd_get_device(t, root, req->sid, fence, &dev, flags);
    if (reason != VTD_FR_NONE) {
        return reason;
    }
    if (req->at != VTD_AT_UNTRANSLATED && !(dev.flags & VTD_CTX_DTE)) {
        return VTD_FR_SCT_5_DTE;
    }
    reason = vtd_select_pasid(t, &dev, &pasid);
    if (reason != VTD_FR_NONE) {
        return reason;
    }
    stamp += qatomic_read(vtd_pasid_gen(t, pasid));
    /* The generations before the tables */
    smp_rmb();
    reason = vtd_read_pasid(t, &dev, pasid, ctx, flags);
    if (reason == VTD_FR_NONE) {
        *flags |= ctx->flags;
        vtd_cache_put(&t->pasid, vtd_context_hash(req->sid, req->pasid),
                      req->sid, req->pasid, stamp, ctx->word, &t->fence,
                      fence);
    }
    return reason;
}

/* The tables and rules for a request; with a cached context, no more */
static inline VTDFaultReason vtd_get_context(VTDTranslator *t,
                                             const VTDRequest *req,
                                             uint64_t fence, VTDContext *ctx,
                                             uint32_t *flags)
{
    uint64_t root = qatomic_read(&t->root), stamp;

    if (VTD_TTM(root) == VTD_TTM_LEGACY) {
        if (req->pasid != VTD_NO_PASID) {
            return VTD_FR_RTA_2_PASID;
        }
        return vtd_get_legacy(t, root, req->sid, fence, ctx, flags);
    }
    stamp = vtd_cache_get(&t->pasid, vtd_context_hash(req->sid, req->pasid),
                          req->sid, req->pasid, VTD_CTX_WORDS, ctx->word);
    if (stamp && stamp == vtd_pasid_stamp(t, req->sid, ctx->pasid)) {
        *flags |= ctx->flags;
        return VTD_FR_NONE;
    }
    return vtd_read_context(t, root, req, fence, ctx, flags);
}

/*
 * Requests that need no tables
 */

/*
 * Maps @addr to itself, in a page as large as it may be without touching the
 * interrupt range.
 */
static VTDFaultReason vtd_identity(VTDTranslator *t, const VTDContext *ctx,
                                   uint64_t addr, VTDMapping *map)
{
    bool legacy = ctx->flags & VTD_CTX_LEGACY;
    uint64_t size = 1ULL << VTD_IDENTITY_BITS;

    if (addr & vtd_beyond(t->features.haw)) {
        return legacy ? VTD_FR_LGN_1_WIDTH : VTD_FR_SGN_4_HOST_WIDTH;
    }
    if (vtd_is_interrupt_address(addr)) {
        /* 3.14: with a PASID, or translated, it is no interrupt request */
        return legacy ? VTD_FR_LGN_4_INTERRUPT : VTD_FR_SGN_8_INTERRUPT;
    }
    if (addr >> VTD_IDENTITY_BITS == VTD_INTERRUPT_BASE >> VTD_IDENTITY_BITS) {
        size = 1ULL << VTD_INTERRUPT_BITS;
    }
    *map = (VTDMapping) {
        .iova = addr & ~(size - 1),
        .addr = addr & ~(size - 1),
        .mask = size - 1,
        .perm = VTD_PERM_R | VTD_PERM_W,
        .snoop = ctx->flags & VTD_CTX_PGSNP,
        .pass_through = true,
    };
    if (ctx->flags & VTD_CTX_ERE) {
        map->perm |= VTD_PERM_X;
    }
    return VTD_FR_NONE;
}

/*
 * 4.2.3: a translated request passes if the context entry lets the device use
 * translations of its own; the PASID tables are not asked.
 */
static __attribute__((noinline))
VTDFaultReason vtd_translated(VTDTranslator *t, const VTDRequest *req,
                              uint64_t fence, VTDMapping *map, uint32_t *flags)
{
    uint64_t root = qatomic_read(&t->root);
    VTDContext ctx = { .flags = 0 };
    VTDFaultReason reason;
    VTDDevice dev;

    if (VTD_TTM(root) == VTD_TTM_LEGACY) {
        if (req->pasid != VTD_NO_PASID) {
            return VTD_FR_RTA_2_PASID;
        }
        reason = vtd_get_legacy(t, root, req->sid, fence, &ctx, flags);
        if (reason == VTD_FR_NONE && !(ctx.flags & VTD_CTX_DTE)) {
            reason = VTD_FR_LCT_5_BLOCKED;
        }
    } else {
        reason = vtd_check_root(t, root);
        if (reason == VTD_FR_NONE) {
            reason = vtd_get_device(t, root, req->sid, fence, &dev, flags);
        }
        if (reason == VTD_FR_NONE && !(dev.flags & VTD_CTX_DTE)) {
            reason = VTD_FR_SCT_5_DTE;
        }
    }
    if (reason != VTD_FR_NONE) {
        return reason;
    }
    reason = vtd_identity(t, &ctx, req->addr, map);
    map->pass_through = false;
    return reason;
}

/*
 * Translation cache
 */

static inline void vtd_fill(const VTDContext *ctx, uint64_t addr,
                            uint64_t mask, uint64_t data, bool priv,
                            VTDMapping *map)
{
    map->iova = addr & ~mask;
    map->addr = data & ~mask & VTD_PAGE_BASE;
    map->mask = mask;
    map->perm = vtd_leaf_perm(VTD_TLB_PERM(data), priv);
    if (!(data & VTD_TLB_DIRTY)) {
        map->perm &= ~VTD_PERM_W;
    }
    if (!(ctx->flags & VTD_CTX_ERE)) {
        map->perm &= ~VTD_PERM_X;
    }
    map->global = data & VTD_TLB_GLOBAL;
    map->snoop = data & VTD_TLB_SNOOP;
    map->pass_through = false;
}

/* Whether a cached translation answers the request without a walk */
static inline bool vtd_enough(const VTDMapping *map, VTDIntent intent)
{
    uint8_t need = (intent.read ? VTD_PERM_R : 0) |
                   (intent.write ? VTD_PERM_W : 0) |
                   (intent.exec ? VTD_PERM_X : 0);

    return (map->perm & need) == need && (map->perm & ~VTD_PERM_X);
}

static inline bool vtd_lookup(VTDTranslator *t, const VTDContext *ctx,
                              const VTDTag *tag, uint64_t addr,
                              VTDIntent intent, VTDMapping *map)
{
    uint8_t sizes = qatomic_read(&t->sizes[tag->domain]) & VTD_SIZE_ANY;

    for (unsigned size = 0; sizes; size++, sizes >>= 1) {
        uint64_t data = 0;

        if ((sizes & 1) &&
            vtd_cache_get(&t->iotlb, vtd_page_hash(addr, size, tag),
                          vtd_page_key(addr, size), tag->key,
                          VTD_IOTLB_WORDS, &data) == tag->stamp) {
            vtd_fill(ctx, addr, MAKE_64BIT_MASK(0, VTD_SIZE_SHIFT(size)),
                     data, intent.priv, map);
            return vtd_enough(map, intent);
        }
    }
    return false;
}

static uint64_t vtd_pack(const VTDLeaf *leaf)
{
    return leaf->addr | leaf->perm |
           (leaf->dirty ? VTD_TLB_DIRTY : 0) |
           (leaf->global ? VTD_TLB_GLOBAL : 0) |
           (leaf->snoop ? VTD_TLB_SNOOP : 0);
}

static void vtd_insert(VTDWalk *w, uint64_t addr, const VTDLeaf *leaf)
{
    VTDTranslator *t = w->t;
    unsigned size = (ctz64(~leaf->mask) - VTD_PAGE_BITS) / VTD_LEVEL_BITS;
    uint8_t bits = (1u << size) | (leaf->split ? VTD_SIZE_SPLIT : 0);
    uint8_t *sizes = &t->sizes[w->tag.domain];
    uint64_t data = vtd_pack(leaf);

    if ((qatomic_read(sizes) & bits) != bits) {
        qatomic_or(sizes, bits);
    }
    vtd_cache_put(&t->iotlb, vtd_page_hash(addr, size, &w->tag),
                  vtd_page_key(addr, size), w->tag.key, w->tag.stamp, &data,
                  &t->fence, w->fence);
}

/*
 * 3.14: no output may be in the interrupt range. If only the page reaches
 * into it, not this address, the rest of the page is left to later requests.
 */
static bool vtd_avoid_interrupts(uint64_t addr, VTDLeaf *leaf)
{
    uint64_t out = leaf->addr | (addr & leaf->mask);

    if (leaf->addr >= VTD_INTERRUPT_BASE + VTD_INTERRUPT_SIZE ||
        leaf->addr + leaf->mask < VTD_INTERRUPT_BASE) {
        return true;
    }
    if (vtd_is_interrupt_address(out)) {
        return false;
    }
    leaf->addr = out & VTD_PAGE_BASE;
    leaf->mask = ~VTD_PAGE_BASE;
    leaf->split = true;
    return true;
}

static __attribute__((noinline))
VTDFaultReason vtd_translate_miss(VTDTranslator *t, const VTDContext *ctx,
                                  uint64_t addr, VTDIntent intent,
                                  uint64_t fence, VTDMapping *map)
{
    VTDFaultReason reason;
    VTDLeaf leaf;
    VTDWalk w;

    vtd_walk_begin(&w, t, ctx, fence);
    reason = vtd_walk(&w, addr, intent, &leaf);
    if (reason != VTD_FR_NONE) {
        return reason;
    }
    if (!vtd_avoid_interrupts(addr, &leaf)) {
        return ctx->flags & VTD_CTX_LEGACY ? VTD_FR_LGN_4_INTERRUPT
                                           : VTD_FR_SGN_8_INTERRUPT;
    }
    vtd_insert(&w, addr, &leaf);
    vtd_fill(ctx, addr, leaf.mask, vtd_pack(&leaf), intent.priv, map);
    return VTD_FR_NONE;
}

/* SPT.5, SPT.6: what only a PASID can ask for, and its entry must allow */
static inline VTDFaultReason vtd_intent(const VTDTranslator *t,
                                        const VTDRequest *req,
                                        const VTDContext *ctx,
                                        VTDIntent *intent)
{
    bool pasid = req->pasid != VTD_NO_PASID;

    intent->read = req->read;
    intent->write = req->write;
    intent->exec = pasid && req->exec;
    intent->priv = pasid ? req->priv : ctx->flags & VTD_CTX_RID_PRIV;
    intent->offer = req->at == VTD_AT_TRANSLATION_REQUEST;
    if (intent->exec && !(ctx->flags & VTD_CTX_ERE)) {
        return VTD_FR_SPT_5_ERE;
    }
    if (intent->priv && !(ctx->flags & VTD_CTX_SRE)) {
        return VTD_FR_SPT_6_SRE;
    }
    /* CAP.ZLR: reading nothing needs no more than a page */
    if (!req->write && !intent->exec && !t->features.zlr) {
        intent->read = true;
    }
    return VTD_FR_NONE;
}

static inline VTDFaultReason vtd_translate_reason(VTDTranslator *t,
                                                  const VTDRequest *req,
                                                  VTDMapping *map,
                                                  uint32_t *flags)
{
    uint64_t fence = vtd_fence(t);
    VTDFaultReason reason;
    VTDContext ctx;
    VTDIntent intent;
    VTDTag tag;

    if (req->at == VTD_AT_TRANSLATED) {
        return vtd_translated(t, req, fence, map, flags);
    }
    reason = vtd_get_context(t, req, fence, &ctx, flags);
    if (reason != VTD_FR_NONE) {
        return reason;
    }
    if (req->at != VTD_AT_UNTRANSLATED && !(ctx.flags & VTD_CTX_DTE)) {
        return ctx.flags & VTD_CTX_LEGACY ? VTD_FR_LCT_5_BLOCKED
                                          : VTD_FR_SCT_5_DTE;
    }
    reason = vtd_intent(t, req, &ctx, &intent);
    if (reason != VTD_FR_NONE) {
        return reason;
    }
    if (ctx.pgtt == VTD_PGTT_PASS_THROUGH) {
        return vtd_identity(t, &ctx, req->addr, map);
    }
    tag = vtd_tag(t, ctx.pgtt, ctx.did, ctx.pasid);
    if (vtd_lookup(t, &ctx, &tag, req->addr, intent, map)) {
        return VTD_FR_NONE;
    }
    /* A cached translation that is not enough is looked at again in memory */
    return vtd_translate_miss(t, &ctx, req->addr, intent, fence, map);
}

static void vtd_set_fault(VTDFault *fault, VTDFaultReason reason,
                          uint32_t pasid, uint8_t at, uint32_t flags)
{
    *fault = (VTDFault) {
        .reason = reason,
        .fpd = (flags & VTD_CTX_FPD) && vtd_fault_qualified(reason),
        .recoverable = at == VTD_AT_TRANSLATION_REQUEST &&
                       vtd_fault_recoverable(reason),
        .pasid_present = pasid != VTD_NO_PASID,
    };
}

bool vtd_translate(VTDTranslator *t, const VTDRequest *req, VTDMapping *map,
                   VTDFault *fault)
{
    uint32_t flags = 0;
    VTDFaultReason reason = vtd_translate_reason(t, req, map, &flags);

    if (unlikely(reason != VTD_FR_NONE)) {
        vtd_set_fault(fault, reason, req->pasid, req->at, flags);
        return false;
    }
    return true;
}

bool vtd_page_request_check(VTDTranslator *t, uint16_t sid, uint32_t pasid,
                            VTDFault *fault)
{
    VTDRequest req = { .sid = sid, .pasid = pasid };
    uint64_t fence = vtd_fence(t);
    uint64_t root = qatomic_read(&t->root);
    VTDFaultReason reason;
    uint32_t flags = 0;
    VTDContext ctx;
    VTDDevice dev;

    if (VTD_TTM(root) == VTD_TTM_LEGACY) {
        reason = VTD_FR_RTA_3_PAGE_REQUEST;
    } else {
        reason = vtd_check_root(t, root);
    }
    if (reason == VTD_FR_NONE) {
        reason = vtd_get_device(t, root, sid, fence, &dev, &flags);
    }
    if (reason == VTD_FR_NONE && !(dev.flags & VTD_CTX_PRE)) {
        reason = VTD_FR_SCT_8_PRE;
    }
    if (reason == VTD_FR_NONE && pasid != VTD_NO_PASID) {
        reason = vtd_get_context(t, &req, fence, &ctx, &flags);
    }
    if (reason != VTD_FR_NONE) {
        vtd_set_fault(fault, reason, pasid, VTD_AT_UNTRANSLATED, flags);
        return false;
    }
    return true;
}
