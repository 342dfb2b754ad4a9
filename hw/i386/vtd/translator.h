/*
 * intel-vtd: the inside of a VTDTranslator, shared by tables.c, walk.c and
 * translate.c. Everybody else uses translate.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_VTD_TRANSLATOR_H
#define HW_I386_VTD_TRANSLATOR_H

#include "qemu/atomic.h"
#include "qemu/bswap.h"
#include "translate.h"
#include "tables.h"
#include "table-bits.h"
#include "cache.h"

#define VTD_CONTEXT_SLOTS   1024
#define VTD_DOMAIN_SLOTS    1024
#define VTD_PASID_SLOTS     4096

/*
 * Generations of what is cached from root, context and PASID tables. The
 * arrays are hashed: an invalidation may hit more than it must.
 */
typedef struct VTDContextGens {
    uint64_t global;
    uint64_t device[VTD_CONTEXT_SLOTS];
    uint64_t pasid[VTD_CONTEXT_SLOTS];
} VTDContextGens;

/* Generations of translations and paging structures */
typedef struct VTDPageGens {
    uint64_t global;
    uint64_t domain[VTD_DOMAIN_SLOTS];
    uint64_t pasid[VTD_PASID_SLOTS];
} VTDPageGens;

/* Page sizes: 4 KiB, 2 MiB, 1 GiB */
#define VTD_SIZES               3
#define VTD_SIZE_SHIFT(size)    (VTD_PAGE_BITS + VTD_LEVEL_BITS * (size))
#define VTD_SIZE_ANY            ((1u << VTD_SIZES) - 1)
/* An entry may be smaller than the first-stage page that it is a part of */
#define VTD_SIZE_SPLIT          (1u << 7)

/* Reserved bits of paging entries by level, see fmt-first.h, fmt-second.h */
typedef struct VTDReserved {
    uint64_t table[VTD_MAX_LEVELS + 1];     /* the entry refers to a table */
    uint64_t page[VTD_MAX_LEVELS + 1];      /* the entry maps a page */
} VTDReserved;

struct VTDTranslator {
    VTDMemoryOps ops;
    void *opaque;
    VTDFeatures features;
    VTDReserved first_reserved;
    VTDReserved second_reserved;
    VTDReserved legacy_reserved;

    uint64_t root;              /* RTADDR_REG as latched */

    VTDCache context;           /* VTDDevice, in legacy mode VTDContext */
    VTDCache pasid;             /* VTDContext */
    VTDCache iotlb;             /* see translate.c */
    VTDCache paging;            /* see walk.c */

    uint64_t fence;             /* counts invalidations */
    VTDContextGens context_gens;
    VTDPageGens page_gens;
    uint8_t sizes[VTD_DOMAIN_SLOTS];    /* page sizes that may be cached */
};

/**
 * VTDTag: what translations of one address space are known by.
 * @key: PGTT, domain-id and, with a first stage, PASID
 * @stamp: of entries inserted now
 * @hash: of the key
 * @domain: slot of the domain
 */
typedef struct VTDTag {
    uint64_t key;
    uint64_t stamp;
    uint32_t hash;
    uint32_t domain;
} VTDTag;

static inline uint32_t vtd_domain_slot(uint16_t did, VTDPGTT kind)
{
    return (did * 4u + (kind & 3)) % VTD_DOMAIN_SLOTS;
}

static inline uint32_t vtd_pasid_slot(uint16_t did, uint32_t pasid)
{
    return (pasid + did * 0x9e5u) % VTD_PASID_SLOTS;
}

static inline uint32_t vtd_key_hash(uint64_t key)
{
    return (key * 0x9e3779b97f4a7c15ULL) >> 40;
}

/*
 * The tag of translations of kind @kind. Second-stage translations are shared
 * by all PASIDs of a domain.
 */
static inline VTDTag vtd_tag(const VTDTranslator *t, VTDPGTT kind,
                             uint16_t did, uint32_t pasid)
{
    const VTDPageGens *gens = &t->page_gens;
    VTDTag tag;

    if (kind == VTD_PGTT_SECOND) {
        pasid = VTD_NO_PASID;
    }
    tag.domain = vtd_domain_slot(did, kind);
    tag.key = (uint64_t)kind << 48 | (uint64_t)did << 32 | pasid;
    tag.hash = vtd_key_hash(tag.key);
    tag.stamp = qatomic_read(&gens->global) +
                qatomic_read(&gens->domain[tag.domain]) +
                qatomic_read(&gens->pasid[vtd_pasid_slot(did, pasid)]);
    return tag;
}

/* Keys of a page in the translation cache */
static inline uint64_t vtd_page_key(uint64_t addr, unsigned size)
{
    return (addr & ~MAKE_64BIT_MASK(0, VTD_SIZE_SHIFT(size))) | size;
}

static inline uint32_t vtd_page_hash(uint64_t addr, unsigned size,
                                     const VTDTag *tag)
{
    return (addr >> VTD_SIZE_SHIFT(size)) + tag->hash;
}

/* Keys of a table of @level in the paging-structure cache */
static inline uint64_t vtd_table_key(uint64_t addr, unsigned level)
{
    return (addr & ~MAKE_64BIT_MASK(0, VTD_SIZE_SHIFT(level))) | level;
}

static inline uint32_t vtd_table_hash(uint64_t addr, unsigned level,
                                      const VTDTag *tag)
{
    return (addr >> VTD_SIZE_SHIFT(level)) + tag->hash + level * 0x51u;
}

#define VTD_IOTLB_WORDS     1
#define VTD_PAGING_WORDS    2

/* Read a 64-bit entry at @addr. The order of two reads is kept. */
static inline bool vtd_load(const VTDTranslator *t, uint64_t addr,
                            uint64_t *entry)
{
    if (t->ops.host_page) {
        const char *page = t->ops.host_page(t->opaque, addr & VTD_PAGE_BASE);

        if (page) {
            const uint64_t *p = (const uint64_t *)(page + (addr & 0xff8));

            *entry = le64_to_cpu(qatomic_load_acquire(p));
            return true;
        }
    }
    return t->ops.load(t->opaque, addr, entry);
}

#endif /* HW_I386_VTD_TRANSLATOR_H */
