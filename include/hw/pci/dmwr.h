/*
 * 64-byte write targets: PCIe Deferrable Memory Writes (DMWr) and the posted
 * 64-byte writes of MOVDIR64B, delivered whole.
 *
 * A device marks the static MemoryRegionOps of its portal regions as targets.
 * An initiator (the CPU's MOVDIR64B and ENQCMD helpers, a test) hands over the
 * 64 bytes in one call and, for a deferrable write, learns whether the target
 * took them. A region that is no target answers a deferrable write with Retry
 * (SDM vol. 2, ENQCMD; PCIe 6.0 section 6.32).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_DMWR_H
#define HW_PCI_DMWR_H

#include "system/memory.h"

#define DMWR_SIZE 64    /* the DMWr length that ENQCMD uses, in bytes */

typedef enum DMWrKind {
    DMWR_POSTED,        /* MOVDIR64B: a posted write, nobody hears an answer */
    DMWR_DEFERRABLE,    /* ENQCMD, ENQCMDS: the answer goes back */
} DMWrKind;

typedef enum DMWrStatus {
    DMWR_ACCEPTED,      /* Successful Completion */
    DMWR_RETRY,         /* Request Retry Status, or not a completer */
} DMWrStatus;

/**
 * DMWrFn: take one 64-byte write.
 * @opaque: the region's opaque pointer
 * @addr: offset in the region, a multiple of 64
 * @data: the 64 bytes, in guest byte order; only valid during the call
 * @kind: posted or deferrable
 * @attrs: the transaction's attributes
 *
 * Runs in the initiator's thread (a vCPU) inside an RCU read section, without
 * the big lock if the region has lockless_io set and with it otherwise. Must
 * not block, take the big lock or change the memory map.
 */
typedef DMWrStatus DMWrFn(void *opaque, hwaddr addr, const void *data,
                          DMWrKind kind, MemTxAttrs attrs);

/**
 * dmwr_register_target: make every region with @ops a 64-byte write target.
 * @ops: ops that only portal regions use; must be static
 * @fn: takes the writes
 *
 * Call from type registration or class init, any thread. Registering the same
 * pair again does nothing. Nothing is ever unregistered.
 */
void dmwr_register_target(const MemoryRegionOps *ops, DMWrFn *fn);

/**
 * dmwr_region_is_target: whether @mr takes 64-byte writes. Lock-free.
 */
bool dmwr_region_is_target(const MemoryRegion *mr);

/**
 * dmwr_region_store: deliver 64 bytes to a region.
 * @mr: the region
 * @addr: offset in @mr, a multiple of 64
 * @data: 64 bytes
 * @kind: posted or deferrable
 * @attrs: the transaction's attributes
 *
 * Takes the big lock around the target's function if the region needs it and
 * the caller does not hold it. Returns DMWR_RETRY if @mr is no target or @addr
 * is misaligned or outside of it. The caller of a posted write asks
 * dmwr_region_is_target() first and falls back to ordinary stores; after that
 * the answer to a posted write does not matter. Caller is in an RCU read
 * section.
 */
DMWrStatus dmwr_region_store(MemoryRegion *mr, hwaddr addr, const void *data,
                             DMWrKind kind, MemTxAttrs attrs);

/**
 * address_space_dmwr: the same by address, for initiators that are no CPU.
 * @as: the address space
 * @addr: address in @as, a multiple of 64
 * @data: 64 bytes
 * @kind: posted or deferrable
 * @attrs: the transaction's attributes
 *
 * Unlike dmwr_region_store() a posted write to something that is no target is
 * carried out here as an ordinary write of 64 bytes. DMWR_RETRY means: refused
 * by the target, a deferrable write to no target, a misaligned address, or a
 * posted write that the memory refused. Any thread; if the target's region
 * needs the big lock it is taken here.
 */
DMWrStatus address_space_dmwr(AddressSpace *as, hwaddr addr, const void *data,
                              DMWrKind kind, MemTxAttrs attrs);

#endif /* HW_PCI_DMWR_H */
