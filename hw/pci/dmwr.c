/*
 * 64-byte write targets: who they are and how a write reaches them
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/atomic.h"
#include "qemu/main-loop.h"
#include "qemu/rcu.h"
#include "hw/pci/dmwr.h"

/*
 * Targets are keyed by the address of their ops. Ops are static objects, so an
 * entry is never removed and a look-up needs neither lock nor reference.
 */
typedef struct DMWrTarget {
    const MemoryRegionOps *ops;
    DMWrFn *fn;
} DMWrTarget;

#define DMWR_MAX_TARGETS 16

static DMWrTarget targets[DMWR_MAX_TARGETS];
static unsigned nr_targets;
static GMutex register_lock;

static DMWrFn *dmwr_find(const MemoryRegionOps *ops)
{
    unsigned n = qatomic_load_acquire(&nr_targets);

    for (unsigned i = 0; i < n; i++) {
        if (targets[i].ops == ops) {
            return targets[i].fn;
        }
    }
    return NULL;
}

void dmwr_register_target(const MemoryRegionOps *ops, DMWrFn *fn)
{
    DMWrFn *old;

    g_mutex_lock(&register_lock);
    old = dmwr_find(ops);
    if (!old) {
        /* The number of device types is fixed when the emulator is built. */
        g_assert(nr_targets < DMWR_MAX_TARGETS);
        targets[nr_targets] = (DMWrTarget) { .ops = ops, .fn = fn };
        qatomic_store_release(&nr_targets, nr_targets + 1);
    } else {
        g_assert(old == fn);
    }
    g_mutex_unlock(&register_lock);
}

bool dmwr_region_is_target(const MemoryRegion *mr)
{
    return dmwr_find(mr->ops) != NULL;
}

static bool dmwr_fits(const MemoryRegion *mr, hwaddr addr)
{
    uint64_t size = int128_getlo(mr->size);

    /* A size of 2^64 does not fit in 64 bits; no device region has it. */
    return QEMU_IS_ALIGNED(addr, DMWR_SIZE) && !int128_gethi(mr->size) &&
           size >= DMWR_SIZE && addr <= size - DMWR_SIZE;
}

DMWrStatus dmwr_region_store(MemoryRegion *mr, hwaddr addr, const void *data,
                             DMWrKind kind, MemTxAttrs attrs)
{
    DMWrFn *fn = dmwr_find(mr->ops);
    bool lock = !mr->lockless_io && !bql_locked();
    DMWrStatus status;

    if (!fn || !dmwr_fits(mr, addr)) {
        return DMWR_RETRY;
    }

    if (lock) {
        bql_lock();
    }
    status = fn(mr->opaque, addr, data, kind, attrs);
    if (lock) {
        bql_unlock();
    }
    return status;
}

DMWrStatus address_space_dmwr(AddressSpace *as, hwaddr addr, const void *data,
                              DMWrKind kind, MemTxAttrs attrs)
{
    hwaddr len = DMWR_SIZE, xlat;
    MemoryRegion *mr;
    MemTxResult res;

    if (!QEMU_IS_ALIGNED(addr, DMWR_SIZE)) {
        return DMWR_RETRY;
    }

    RCU_READ_LOCK_GUARD();
    mr = address_space_translate(as, addr, &xlat, &len, true, attrs);
    if (len == DMWR_SIZE && dmwr_region_is_target(mr)) {
        return dmwr_region_store(mr, xlat, data, kind, attrs);
    }
    if (kind == DMWR_DEFERRABLE) {
        return DMWR_RETRY;
    }
    res = address_space_write(as, addr, attrs, data, DMWR_SIZE);
    return res == MEMTX_OK ? DMWR_ACCEPTED : DMWR_RETRY;
}
