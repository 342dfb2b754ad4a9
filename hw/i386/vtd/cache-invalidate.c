/*
 * intel-vtd: invalidation of the caches of a translator (VT-d 6.5)
 *
 * Everything but single pages goes by the generations, in constant time. The
 * specification lets an invalidation hit more than was asked for; where that
 * is used, the comment says so.
 *
 * The fence moves before anything else: a request that is on its way may have
 * read what is invalidated, and take the stamp for what it keeps only after it.
 * What others are found through goes first, and then the fence moves again: a
 * request that met it when it was to go keeps nothing of what it leads to.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "translator.h"

/* A range of more pages of 4 KiB than 2 to the power of this is taken whole */
#define VTD_MAX_RANGE_BITS 9

/* Nested translations are found through the second stage */
static const VTDPGTT vtd_kinds[] = {
    VTD_PGTT_SECOND, VTD_PGTT_FIRST, VTD_PGTT_NESTED,
};

/* Requests that began before this keep nothing of what they find after it */
static void vtd_overtake(VTDTranslator *t)
{
    qatomic_inc(&t->fence);
    smp_mb__after_rmw();
}

static void vtd_next_global(VTDTranslator *t)
{
    qatomic_inc(&t->page_gens.global);
    for (unsigned i = 0; i < VTD_DOMAIN_SLOTS; i++) {
        /*
         * Nothing of any size is valid now. If a size is lost that a walk
         * inserts just then, its entry is not found, but it can be removed.
         */
        if (qatomic_read(&t->sizes[i]) & VTD_SIZE_ANY) {
            qatomic_and(&t->sizes[i], VTD_SIZE_SPLIT);
        }
    }
}

static void vtd_next_domain(VTDTranslator *t, uint16_t did, VTDPGTT kind)
{
    qatomic_inc(&t->page_gens.domain[vtd_domain_slot(did, kind)]);
}

static void vtd_next_pasid(VTDTranslator *t, uint16_t did, uint32_t pasid)
{
    qatomic_inc(&t->page_gens.pasid[vtd_pasid_slot(did, pasid)]);
}

/* All of a PASID, after the second stages of its domain */
static void vtd_next_pasid_nested(VTDTranslator *t, uint16_t did,
                                  uint32_t pasid)
{
    vtd_next_pasid(t, did, VTD_NO_PASID);
    vtd_overtake(t);
    vtd_next_pasid(t, did, pasid);
}

/* The pages of one size that overlap a range, or the tables with such pages */
static void vtd_kill(VTDTranslator *t, const VTDTag *tag,
                     const VTDInvalidation *inv, unsigned size, bool tables)
{
    uint64_t length = 1ULL << (VTD_PAGE_BITS + inv->am);
    uint64_t step = 1ULL << VTD_SIZE_SHIFT(size);
    uint64_t count = MAX(1, length / step);
    uint64_t addr = inv->addr & ~(length - 1);

    for (; count; count--, addr += step) {
        if (tables) {
            vtd_cache_kill(&t->paging, vtd_table_hash(addr, size, tag),
                           vtd_table_key(addr, size), tag->key);
        } else {
            vtd_cache_kill(&t->iotlb, vtd_page_hash(addr, size, tag),
                           vtd_page_key(addr, size), tag->key);
        }
    }
}

/* Removes pages of @kind that overlap the range, and tables unless @ih */
static void vtd_kill_range(VTDTranslator *t, VTDPGTT kind,
                           const VTDInvalidation *inv, uint32_t pasid)
{
    VTDTag tag = vtd_tag(t, kind, inv->did, pasid);

    if (inv->am > VTD_MAX_RANGE_BITS) {
        vtd_next_pasid(t, inv->did, kind == VTD_PGTT_SECOND ? VTD_NO_PASID
                                                            : pasid);
        return;
    }
    for (unsigned level = VTD_MAX_LEAF_LEVEL; level && !inv->ih; level--) {
        vtd_kill(t, &tag, inv, level, true);
        vtd_overtake(t);
    }
    for (unsigned size = 0; size < VTD_SIZES; size++) {
        vtd_kill(t, &tag, inv, size, false);
    }
}

/*
 * 6.5.2.1. Domain-selective is taken as global: a scalable-mode context entry
 * has no domain, and Linux does not use it.
 */
void vtd_invalidate_context(VTDTranslator *t, const VTDInvalidation *inv)
{
    VTDContextGens *gens = &t->context_gens;

    vtd_overtake(t);
    if (inv->gran == VTD_GRAN_DEVICE) {
        /* Whatever the function mask selects has the same slot */
        qatomic_inc(&gens->device[(inv->sid >> 3) % VTD_CONTEXT_SLOTS]);
    } else {
        qatomic_inc(&gens->global);
    }
}

/* 6.5.2.2. Domain-selective is taken as global */
void vtd_invalidate_pasid_cache(VTDTranslator *t, const VTDInvalidation *inv)
{
    VTDContextGens *gens = &t->context_gens;

    vtd_overtake(t);
    if (inv->gran == VTD_GRAN_PASID) {
        qatomic_inc(&gens->pasid[inv->pasid % VTD_CONTEXT_SLOTS]);
    } else {
        qatomic_inc(&gens->global);
    }
}

static void vtd_invalidate_domain(VTDTranslator *t, uint16_t did)
{
    for (unsigned i = 0; i < ARRAY_SIZE(vtd_kinds); i++) {
        vtd_next_domain(t, did, vtd_kinds[i]);
        vtd_overtake(t);
    }
}

/*
 * 6.5.2.3. The address of a page-selective one is a second-stage input: with
 * nesting it cannot be compared, and all nested translations go.
 */
void vtd_invalidate_iotlb(VTDTranslator *t, const VTDInvalidation *inv)
{
    uint32_t slot = vtd_domain_slot(inv->did, VTD_PGTT_SECOND);

    vtd_overtake(t);
    switch (inv->gran) {
    case VTD_GRAN_GLOBAL:
        vtd_next_global(t);
        break;
    case VTD_GRAN_PAGE:
        if (qatomic_read(&t->sizes[slot]) & VTD_SIZE_SPLIT) {
            vtd_next_domain(t, inv->did, VTD_PGTT_SECOND);
        } else {
            vtd_kill_range(t, VTD_PGTT_SECOND, inv, VTD_NO_PASID);
        }
        vtd_overtake(t);
        vtd_next_domain(t, inv->did, VTD_PGTT_NESTED);
        /*
         * Implementation choice: Linux 6.17 and 6.18 invalidate processes'
         * address spaces this way. Their domain's first-stage translations go
         * as well (more may be invalidated than was asked for).
         */
        vtd_next_domain(t, inv->did, VTD_PGTT_FIRST);
        break;
    default:
        vtd_invalidate_domain(t, inv->did);
        break;
    }
}

/*
 * 6.5.2.4. Second-stage translations of the domain may be in use for the
 * PASID too; they are tagged by the domain alone and go along.
 */
void vtd_invalidate_piotlb(VTDTranslator *t, const VTDInvalidation *inv)
{
    static const VTDPGTT by_pasid[] = { VTD_PGTT_FIRST, VTD_PGTT_NESTED };
    uint8_t split = 0;

    vtd_overtake(t);
    switch (inv->gran) {
    case VTD_GRAN_GLOBAL:
        vtd_next_global(t);
        break;
    case VTD_GRAN_DOMAIN:
    case VTD_GRAN_DEVICE:
        vtd_invalidate_domain(t, inv->did);
        break;
    case VTD_GRAN_PASID:
        vtd_next_pasid_nested(t, inv->did, inv->pasid);
        break;
    case VTD_GRAN_PAGE:
        for (unsigned i = 0; i < ARRAY_SIZE(vtd_kinds); i++) {
            split |= qatomic_read(&t->sizes[vtd_domain_slot(inv->did,
                                                            vtd_kinds[i])]);
        }
        if (split & VTD_SIZE_SPLIT) {
            /* Parts of one page may be cached far from the address */
            vtd_next_pasid_nested(t, inv->did, inv->pasid);
            break;
        }
        vtd_kill_range(t, VTD_PGTT_SECOND, inv, VTD_NO_PASID);
        vtd_overtake(t);
        for (unsigned i = 0; i < ARRAY_SIZE(by_pasid); i++) {
            vtd_kill_range(t, by_pasid[i], inv, inv->pasid);
        }
        break;
    }
}

void vtd_invalidate_all(VTDTranslator *t)
{
    vtd_overtake(t);
    qatomic_inc(&t->context_gens.global);
    /* Once more: a context may be old until here, translations after it not */
    vtd_overtake(t);
    vtd_next_global(t);
}
