/*
 * intel-vtd: who listens to invalidations and page responses
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "system/address-spaces.h"
#include "space.h"
#include "trace.h"

/* --- registration ------------------------------------------------------- */

/*
 * Lists are read inside RCU read sections and changed under a lock of their
 * own, so that a device may come and go from any thread. A listener that is
 * removed without the big lock may be called once more meanwhile.
 */
static void vtd_listener_add(VTDState *s, VTDSpace *sp, VTDListener *listener)
{
    QEMU_LOCK_GUARD(&s->notifier_lock);
    QLIST_INSERT_HEAD_RCU(&sp->listeners, listener, next);
}

static void vtd_listener_free(VTDListener *listener)
{
    g_free(listener);
}

/* Any thread; without the big lock only for a device that has a space */
static VTDSpace *vtd_listener_space(VTDState *s, PCIBus *bus, int devfn)
{
    return bql_locked() ? vtd_space_get(s, bus, devfn)
                        : vtd_space_peek(s, bus, devfn);
}

static void vtd_listener_remove(VTDState *s, PCIBus *bus, int devfn,
                                uint32_t pasid, IOMMUNotifier *tlb, bool pri)
{
    VTDListener *listener, *following;
    VTDSpace *sp;

    RCU_READ_LOCK_GUARD();
    sp = vtd_listener_space(s, bus, devfn);
    if (!sp) {
        return;
    }
    QEMU_LOCK_GUARD(&s->notifier_lock);
    QLIST_FOREACH_SAFE(listener, &sp->listeners, next, following) {
        if (listener->pasid == pasid &&
            (pri ? !!listener->pri : listener->tlb == tlb)) {
            QLIST_REMOVE_RCU(listener, next);
            call_rcu(listener, vtd_listener_free, rcu);
        }
    }
}

static void vtd_listener_register(VTDState *s, PCIBus *bus, int devfn,
                                  uint32_t pasid, IOMMUNotifier *tlb,
                                  IOMMUPRINotifier *pri)
{
    VTDListener *listener;
    VTDSpace *sp;

    RCU_READ_LOCK_GUARD();
    sp = vtd_listener_space(s, bus, devfn);
    if (!sp) {
        return;
    }
    listener = g_new0(VTDListener, 1);
    listener->pasid = pasid;
    listener->tlb = tlb;
    listener->pri = pri;
    vtd_listener_add(s, sp, listener);
}

void vtd_init_iotlb_notifier(PCIBus *bus, void *opaque, int devfn,
                             IOMMUNotifier *n, IOMMUNotify fn,
                             void *user_opaque)
{
    iommu_notifier_init(n, fn, IOMMU_NOTIFIER_DEVIOTLB_EVENTS, 0, HWADDR_MAX,
                        VTD_INDEX_UNTRANSLATED);
    n->opaque = user_opaque;
}

void vtd_register_iotlb_notifier(PCIBus *bus, void *opaque, int devfn,
                                 uint32_t pasid, IOMMUNotifier *n)
{
    vtd_listener_register(opaque, bus, devfn, pasid, n, NULL);
}

void vtd_unregister_iotlb_notifier(PCIBus *bus, void *opaque, int devfn,
                                   uint32_t pasid, IOMMUNotifier *n)
{
    vtd_listener_remove(opaque, bus, devfn, pasid, n, false);
}

/* One per device and PASID: a new one replaces the old one */
void vtd_pri_register_notifier(PCIBus *bus, void *opaque, int devfn,
                               uint32_t pasid, IOMMUPRINotifier *notifier)
{
    vtd_listener_remove(opaque, bus, devfn, pasid, NULL, true);
    vtd_listener_register(opaque, bus, devfn, pasid, NULL, notifier);
}

void vtd_pri_unregister_notifier(PCIBus *bus, void *opaque, int devfn,
                                 uint32_t pasid)
{
    vtd_listener_remove(opaque, bus, devfn, pasid, NULL, true);
}

int vtd_notify_flag_changed(IOMMUMemoryRegion *iommu, IOMMUNotifierFlag old,
                            IOMMUNotifierFlag new, Error **errp)
{
    VTDSpace *sp = container_of(iommu, VTDSpace, iommu);

    if (new & IOMMU_NOTIFIER_MAP) {
        error_setg(errp, "intel-vtd cannot tell the device at %02x.%x what "
                   "the guest maps, as device assignment (VFIO, vDPA) needs; "
                   "use intel-iommu with caching-mode=on for it",
                   PCI_SLOT(sp->devfn), PCI_FUNC(sp->devfn));
        return -ENOTSUP;
    }
    return 0;
}

/* --- notification ------------------------------------------------------- */

static IOMMUTLBEvent vtd_unmap_event(IOMMUNotifierFlag type, uint32_t pasid,
                                     uint64_t addr, uint64_t mask)
{
    return (IOMMUTLBEvent) {
        .type = type,
        .entry = {
            .target_as = &address_space_memory,
            .iova = addr,
            .addr_mask = mask,
            .perm = IOMMU_NONE,
            .pasid = pasid,
        },
    };
}

void vtd_notify_devtlb(VTDState *s, uint16_t sid, uint32_t pasid,
                       bool all_pasids, uint64_t addr, uint64_t mask)
{
    IOMMUTLBEvent event = vtd_unmap_event(IOMMU_NOTIFIER_DEVIOTLB_UNMAP,
                                          pasid, addr, mask);
    VTDListener *listener;
    VTDSpace *sp;

    trace_intel_vtd_inv_devtlb(sid, pasid, all_pasids, addr, mask);
    RCU_READ_LOCK_GUARD();
    sp = vtd_space_find(s, sid);
    if (!sp) {
        /*
         * Nobody there: its TLB is empty, so the invalidation is complete
         * (implementation choice, in place of a timeout).
         */
        return;
    }
    if (pasid == PCI_NO_PASID &&
        (sp->iommu.iommu_notify_flags & IOMMU_NOTIFIER_DEVIOTLB_UNMAP)) {
        memory_region_notify_iommu(&sp->iommu, VTD_INDEX_UNTRANSLATED, event);
    }
    QLIST_FOREACH_RCU(listener, &sp->listeners, next) {
        /*
         * Implementation choice: a request without PASID reaches all PASIDs,
         * as Linux before 6.14 expects when it flushes an address space
         * (more may be invalidated than was asked for).
         */
        if (listener->tlb && (listener->pasid == pasid ||
                              pasid == PCI_NO_PASID ||
                              (all_pasids &&
                               listener->pasid != PCI_NO_PASID))) {
            event.entry.pasid = listener->pasid;
            memory_region_notify_iommu_one(listener->tlb, &event);
        }
    }
}

void vtd_notify_unmap(VTDState *s, uint64_t addr, uint64_t mask)
{
    IOMMUTLBEvent event = vtd_unmap_event(IOMMU_NOTIFIER_UNMAP, PCI_NO_PASID,
                                          addr, mask);
    VTDSpace *sp;

    QLIST_FOREACH(sp, &s->space_list, next) {
        if (sp->iommu.iommu_notify_flags & IOMMU_NOTIFIER_UNMAP) {
            memory_region_notify_iommu(&sp->iommu, VTD_INDEX_UNTRANSLATED,
                                       event);
        }
    }
}
