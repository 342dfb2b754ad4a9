/*
 * intel-vtd: each thread's copy of the translations that it used last
 *
 * In front of the caches of the translation half, for requests without PASID,
 * which come from the memory API one by one. Being private to a thread it
 * needs no atomic access but to one generation number; being small it may be
 * emptied whole by any invalidation.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_VTD_MICRO_H
#define HW_I386_VTD_MICRO_H

#include "qemu/atomic.h"
#include "qemu/host-utils.h"
#include "system/memory.h"
#include "translate.h"

#define VTD_MICRO_ENTRIES   256
#define VTD_MICRO_PAGE      0xfffULL
#define VTD_MICRO_AT_SHIFT  2

/**
 * VTDMicro: one 4 KiB page of a device's address space.
 * @stamp: generation and source-id; never 0 for an entry in use
 * @input: its address; below bit 12 permissions and Address Type
 * @output: its address; below bit 12 the size of the page that it belongs to,
 *          as a power of two
 */
typedef struct VTDMicro {
    uint64_t stamp, input, output;
} VTDMicro;

static inline VTDMicro *vtd_micro_slot(VTDMicro *micro, uint64_t addr)
{
    uint64_t page = addr >> 12;

    /* Strides of large pages spread, too */
    return &micro[(page ^ page >> 9 ^ page >> 18) % VTD_MICRO_ENTRIES];
}

/* Taken before vtd_translate() is called */
static inline uint64_t vtd_micro_stamp(const uint64_t *generation,
                                       uint16_t sid)
{
    return qatomic_load_acquire(generation) << 16 | sid;
}

/* Whether @micro answers the request; if so *@map is filled */
static inline bool vtd_micro_get(const VTDMicro *micro, uint64_t stamp,
                                 uint64_t addr, unsigned at, uint8_t perm,
                                 VTDMapping *map)
{
    uint64_t differs = micro->input ^ (addr & ~VTD_MICRO_PAGE) ^
                       at << VTD_MICRO_AT_SHIFT;

    if (micro->stamp != stamp || differs > IOMMU_RW || (perm & ~differs)) {
        return false;
    }
    map->mask = MAKE_64BIT_MASK(0, micro->output & VTD_MICRO_PAGE);
    map->iova = addr & ~map->mask;
    map->addr = micro->output & ~map->mask;
    map->perm = differs;
    return true;
}

static inline void vtd_micro_put(VTDMicro *micro, uint64_t stamp,
                                 uint64_t addr, unsigned at,
                                 const VTDMapping *map)
{
    uint64_t page = addr & ~VTD_MICRO_PAGE;

    micro->stamp = stamp;
    micro->input = page | at << VTD_MICRO_AT_SHIFT | (map->perm & IOMMU_RW);
    micro->output = (map->addr + (page & map->mask)) | ctz64(~map->mask);
}

#endif /* HW_I386_VTD_MICRO_H */
