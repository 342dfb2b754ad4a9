/*
 * intel-vtd: address spaces of requesters, and who listens to invalidations
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_VTD_SPACE_H
#define HW_I386_VTD_SPACE_H

#include "state.h"

#define TYPE_VTD_MEMORY_REGION "intel-vtd-memory-region"

/* IOMMU indexes of the region: the Address Type of a request */
enum {
    VTD_INDEX_UNTRANSLATED,
    VTD_INDEX_TRANSLATED,
    VTD_INDEX_COUNT,
};

/**
 * VTDListener: a device's callback for one of its PASIDs, either for
 * invalidations of its device-TLB or for page group responses.
 */
typedef struct VTDListener {
    struct rcu_head rcu;
    QLIST_ENTRY(VTDListener) next;
    uint32_t pasid;             /* or PCI_NO_PASID */
    IOMMUNotifier *tlb;
    IOMMUPRINotifier *pri;
} VTDListener;

/**
 * VTDSpace: the address space of one requester. It exists from the first time
 * that a device asks for it; there is one per device, not per PASID.
 *
 * The root contains one of: @nodmar while translation is disabled; @iommu
 * with @ir on top; or, once the translation is known to be pass-through,
 * @pt_sys with @pt_high (what lies beyond the host address width) and @ir.
 */
struct VTDSpace {
    VTDState *s;
    PCIBus *bus;                /* NULL for the IOAPIC, and once it is gone */
    const uint8_t *bus_nr;      /* where the current bus number stands */
    uint8_t fixed_bus_nr;
    uint8_t devfn;
    AddressSpace as;
    MemoryRegion root, nodmar, pt_sys, pt_high, ir;
    IOMMUMemoryRegion iommu;
    bool pass_through;          /* big lock */
    bool pt_seen;               /* atomic: a request was passed through */
    QLIST_ENTRY(VTDSpace) next;
    QLIST_HEAD(, VTDListener) listeners;    /* read by RCU */
};

static inline uint16_t vtd_space_sid(const VTDSpace *sp)
{
    return PCI_BUILD_BDF(qatomic_read(sp->bus_nr), sp->devfn);
}

void vtd_spaces_init(VTDState *s);
/* The space of a requester, made if there is none. Big lock held */
VTDSpace *vtd_space_get(VTDState *s, PCIBus *bus, int devfn);
/* The same if there is one, or NULL. Any thread, RCU read section */
VTDSpace *vtd_space_peek(VTDState *s, PCIBus *bus, int devfn);
/* The same by source-id, or NULL. Big lock held */
VTDSpace *vtd_space_find(VTDState *s, uint16_t sid);
/* Arrange all spaces for the current state of translation. Big lock held */
void vtd_spaces_update(VTDState *s);
/* What was passed through must be translated again. Big lock held */
void vtd_spaces_leave_pt(VTDState *s);

/* --- notify.c ----------------------------------------------------------- */

/* PCIIOMMUOps */
void vtd_init_iotlb_notifier(PCIBus *bus, void *opaque, int devfn,
                             IOMMUNotifier *n, IOMMUNotify fn,
                             void *user_opaque);
void vtd_register_iotlb_notifier(PCIBus *bus, void *opaque, int devfn,
                                 uint32_t pasid, IOMMUNotifier *n);
void vtd_unregister_iotlb_notifier(PCIBus *bus, void *opaque, int devfn,
                                   uint32_t pasid, IOMMUNotifier *n);
void vtd_pri_register_notifier(PCIBus *bus, void *opaque, int devfn,
                               uint32_t pasid, IOMMUPRINotifier *notifier);
void vtd_pri_unregister_notifier(PCIBus *bus, void *opaque, int devfn,
                                 uint32_t pasid);
/* IOMMUMemoryRegionClass */
int vtd_notify_flag_changed(IOMMUMemoryRegion *iommu, IOMMUNotifierFlag old,
                            IOMMUNotifierFlag new, Error **errp);

/**
 * vtd_notify_devtlb: a device-TLB invalidation reaches its device.
 * @sid: the device
 * @pasid: whose translations, or PCI_NO_PASID
 * @all_pasids: those of every PASID (G bit)
 * @addr: first address
 * @mask: length minus one
 *
 * Returns when all listeners have been called. Big lock held.
 */
void vtd_notify_devtlb(VTDState *s, uint16_t sid, uint32_t pasid,
                       bool all_pasids, uint64_t addr, uint64_t mask);

/* An IOTLB invalidation, for those who listen to unmapped ranges */
void vtd_notify_unmap(VTDState *s, uint64_t addr, uint64_t mask);

#endif /* HW_I386_VTD_SPACE_H */
