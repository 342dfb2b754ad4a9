/*
 * intel-vtd: guest memory as the remapping hardware sees it
 *
 * Tables and queues must be in RAM (VT-d 6.6 asks for coherent system
 * memory): an access to anything else fails instead of reaching a device, so
 * that no thread that translates ever needs the big lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_VTD_MEMORY_H
#define HW_I386_VTD_MEMORY_H

#include "system/memory.h"
#include "translate.h"

typedef struct VTDRamMap VTDRamMap;

/**
 * VTDMemory: the RAM of the machine, as a sorted array that is replaced by
 * RCU whenever the memory map changes.
 */
typedef struct VTDMemory {
    MemoryListener listener;
    VTDRamMap *map;             /* read by RCU */
    GArray *building;           /* between begin and commit */
    bool changed;
} VTDMemory;

/* For vtd_translator_new(); the opaque pointer is a VTDMemory */
extern const VTDMemoryOps vtd_memory_ops;

/* Follow @as from now on. Big lock held. */
void vtd_memory_init(VTDMemory *m, AddressSpace *as);

/**
 * vtd_memory_read, vtd_memory_write: copy from or to guest RAM.
 * @m: the memory
 * @addr: guest physical address
 * @buf: the bytes, in guest order
 * @len: how many; must not cross a 4 KiB boundary
 *
 * Any thread; they enter an RCU read section themselves. A write is marked
 * dirty for migration and for the translated code of the CPUs. Return false
 * if that is no RAM, or is read-only and to be written.
 */
bool vtd_memory_read(VTDMemory *m, uint64_t addr, void *buf, unsigned len);
bool vtd_memory_write(VTDMemory *m, uint64_t addr, const void *buf,
                      unsigned len);

#endif /* HW_I386_VTD_MEMORY_H */
