/*
 * intel-vtd: first-stage paging entries (VT-d 3.6, 9.7): those of x86-64 with
 * 4 or 5 levels and pages of 4 KiB, 2 MiB and 1 GiB
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_VTD_FMT_FIRST_H
#define HW_I386_VTD_FMT_FIRST_H

#include "walk.h"

/* What is ANDed from level to level */
#define VTD_FIRST_W     1
#define VTD_FIRST_U     2
#define VTD_FIRST_X     4
#define VTD_FIRST_ALL   (VTD_FIRST_W | VTD_FIRST_U | VTD_FIRST_X)

static inline void vtd_first_reserved(const VTDFeatures *f, VTDReserved *r)
{
    uint64_t high = vtd_beyond(f->haw) & ~VTD_FS_IGNORED_HIGH;

    for (unsigned level = 1; level <= VTD_MAX_LEVELS; level++) {
        bool leaf = level == 1 || level == 2 || (level == 3 && f->first_1g);

        r->table[level] = high;
        /* Bit 12 of a large page is PAT, the bits above it are reserved */
        r->page[level] = leaf ? high : high | VTD_PTE_PS;
        if (leaf && level > 1) {
            r->page[level] |= VTD_BITS(VTD_SIZE_SHIFT(level - 1) - 1, 13);
        }
    }
}

static inline bool vtd_first_present(uint64_t entry)
{
    return entry & VTD_FS_P;
}

static inline uint8_t vtd_first_rights(uint64_t entry)
{
    return (entry & VTD_FS_RW ? VTD_FIRST_W : 0) |
           (entry & VTD_FS_US ? VTD_FIRST_U : 0) |
           (entry & VTD_FS_XD ? 0 : VTD_FIRST_X);
}

/*
 * 3.6.1: the rights along the path as permissions. XD is honoured whether or
 * not NXE is set (implementation choice: Linux shares its page tables, XD
 * included, and leaves NXE clear).
 */
static inline uint8_t vtd_first_grant(const VTDContext *ctx, uint8_t rights)
{
    uint8_t user = 0, priv = VTD_PERM_R;

    if (rights & VTD_FIRST_U) {
        user = VTD_PERM_R | (rights & VTD_FIRST_W ? VTD_PERM_W : 0) |
               (rights & VTD_FIRST_X ? VTD_PERM_X : 0);
    }
    if ((rights & VTD_FIRST_W) || !(ctx->flags & VTD_CTX_WPE)) {
        priv |= VTD_PERM_W;
    }
    if ((rights & VTD_FIRST_X) &&
        !((rights & VTD_FIRST_U) && (ctx->flags & VTD_CTX_SMEP))) {
        priv |= VTD_PERM_X;
    }
    return user | priv << VTD_PERM_PRIV_SHIFT;
}

/* 3.6.2: bits that using the entry sets */
static inline uint64_t vtd_first_accessed(const VTDContext *ctx)
{
    return VTD_FS_A | (ctx->flags & VTD_CTX_EAFE ? VTD_FS_EA : 0);
}

static inline uint64_t vtd_first_dirty(const VTDContext *ctx)
{
    return VTD_FS_D;
}

static inline bool vtd_first_global(uint64_t entry)
{
    return entry & VTD_FS_G;
}

static inline bool vtd_first_snoop(const VTDContext *ctx, uint64_t entry)
{
    return ctx->flags & VTD_CTX_PGSNP;
}

/* 3.6: canonical for the paging mode, whatever the second stage can address */
static inline bool vtd_first_canonical(const VTDContext *ctx, uint64_t addr)
{
    unsigned width = VTD_SIZE_SHIFT(ctx->first_levels);

    return sextract64(addr, 0, width) == (int64_t)addr;
}

#endif /* HW_I386_VTD_FMT_FIRST_H */
