/*
 * intel-vtd: second-stage paging entries (VT-d 3.7, 9.8): 3 to 5 levels and
 * pages of 4 KiB, 2 MiB and 1 GiB, in legacy and in scalable mode
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_VTD_FMT_SECOND_H
#define HW_I386_VTD_FMT_SECOND_H

#include "walk.h"

/* What is ANDed from level to level */
#define VTD_SECOND_R    1
#define VTD_SECOND_W    2
#define VTD_SECOND_ALL  (VTD_SECOND_R | VTD_SECOND_W)

/*
 * In scalable mode a leaf may have SNP whether or not ECAP.SC says that it
 * has an effect; in legacy mode it is reserved then.
 */
static inline void vtd_second_reserved(const VTDFeatures *f, bool snp,
                                       VTDReserved *r)
{
    uint64_t high = vtd_beyond(f->haw) & ~VTD_SS_IGNORED_HIGH;

    for (unsigned level = 1; level <= VTD_MAX_LEVELS; level++) {
        bool leaf = level == 1 || (level == 2 && f->second_2m) ||
                    (level == 3 && f->second_1g);

        r->table[level] = high | VTD_SS_SNP;
        r->page[level] = high | (snp ? 0 : VTD_SS_SNP);
        if (!leaf) {
            r->page[level] |= VTD_PTE_PS;
        } else if (level > 1) {
            r->page[level] |= VTD_BITS(VTD_SIZE_SHIFT(level - 1) - 1, 12);
        }
    }
}

/* 9.8: an entry with R and W clear refers to nothing */
static inline bool vtd_second_present(uint64_t entry)
{
    return entry & (VTD_SS_R | VTD_SS_W);
}

static inline uint8_t vtd_second_rights(uint64_t entry)
{
    return entry & VTD_SECOND_ALL;
}

QEMU_BUILD_BUG_ON(VTD_SECOND_R != VTD_SS_R || VTD_SECOND_W != VTD_SS_W);

/* The same for all privileges; execution needs no more than R */
static inline uint8_t vtd_second_grant(const VTDContext *ctx, uint8_t rights)
{
    uint8_t perm = (rights & VTD_SECOND_R ? VTD_PERM_R | VTD_PERM_X : 0) |
                   (rights & VTD_SECOND_W ? VTD_PERM_W : 0);

    return perm | perm << VTD_PERM_PRIV_SHIFT;
}

/* 3.7.2: bits that using the entry sets; only if the PASID entry wants them */
static inline uint64_t vtd_second_accessed(const VTDContext *ctx)
{
    return ctx->flags & VTD_CTX_SSADE ? VTD_SS_A : 0;
}

static inline uint64_t vtd_second_dirty(const VTDContext *ctx)
{
    return ctx->flags & VTD_CTX_SSADE ? VTD_SS_D : 0;
}

static inline bool vtd_second_global(uint64_t entry)
{
    return false;
}

static inline bool vtd_second_snoop(const VTDContext *ctx, uint64_t entry)
{
    return (entry & VTD_SS_SNP) || (ctx->flags & VTD_CTX_PGSNP);
}

#endif /* HW_I386_VTD_FMT_SECOND_H */
