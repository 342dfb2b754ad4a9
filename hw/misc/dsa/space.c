/*
 * intel-dsa: the PASIDs in use: notifiers of the IOMMU, and what they tell the
 * translation caches.
 *
 * No translation is cached by ATS for a PASID before its notifier is
 * registered. That needs the big lock, so a flight of a new PASID waits for a
 * bottom half; later ones find the space ready.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pcie.h"
#include "engine.h"
#include "trace.h"

struct DSASpaces {
    DSAEngines *e;
    DSASpace space[DSA_SPACES];
    GHashTable *by_pasid;           /* e->lock */
    QTAILQ_HEAD(, DSASpace) idle;   /* unreferenced; e->lock */
    uint32_t map_gen;
    MemoryListener listener;
    IOMMUPRINotifier stray;         /* responses for no PASID of ours */
    bool stray_on;                  /* big lock: it is registered */
    bool plain_on;                  /* big lock: that of no PASID is */
};

/* The IOMMU in front of the function, or NULL */
static PCIBus *iommu_bus(DSAEngines *e, PCIBus **bus, int *devfn)
{
    PCIBus *found = NULL;

    pci_device_get_iommu_bus_devfn(e->pci, &found, bus, devfn);
    return found;
}

bool dsa_has_iommu(DSAEngines *e)
{
    return iommu_bus(e, NULL, NULL) != NULL;
}

bool dsa_uses_ats(DSAEngines *e, const DSAFlight *fl)
{
    return fl->job.wq.ats && pcie_ats_enabled(e->pci);
}

/* --- invalidation -------------------------------------------------------- */

void dsa_space_invalidate(DSASpace *sp, uint64_t first, uint64_t last)
{
    qemu_spin_lock(&sp->log_lock);
    sp->log[sp->gen % DSA_LOG].first = first;
    sp->log[sp->gen % DSA_LOG].last = last;
    qatomic_store_release(&sp->gen, sp->gen + 1);
    qemu_spin_unlock(&sp->log_lock);
}

/*
 * Device-TLB invalidation (PCIe 6.0 section 10.3). When this returns no engine
 * uses the old translation any more.
 */
static void iotlb_notify(IOMMUNotifier *n, IOMMUTLBEntry *entry)
{
    DSASpace *sp = container_of(n, DSASpace, iotlb);
    uint64_t last = entry->iova + entry->addr_mask;

    if (last < entry->iova) {
        last = UINT64_MAX;
    }
    trace_dsa_atc_invalidate(sp->pasid, entry->iova, last);
    dsa_space_invalidate(sp, entry->iova, last);
    dsa_run_wait(sp->e, sp);
}

static void pri_notify(IOMMUPRINotifier *n, IOMMUPRIResponse *response)
{
    DSASpace *sp = container_of(n, DSASpace, pri);

    dsa_fault_response(sp->e, sp, response->prgi, response->response_code);
}

static void stray_notify(IOMMUPRINotifier *n, IOMMUPRIResponse *response)
{
    DSASpaces *spaces = container_of(n, DSASpaces, stray);

    dsa_fault_response(spaces->e, NULL, response->prgi,
                       response->response_code);
}

/*
 * Who looked up memory before the change holds an RCU read lock, which keeps
 * what it found alive; later look-ups see the new generation.
 */
static void map_commit(MemoryListener *listener)
{
    DSASpaces *spaces = container_of(listener, DSASpaces, listener);

    qatomic_store_release(&spaces->map_gen, spaces->map_gen + 1);
}

uint32_t dsa_map_generation(DSASpaces *spaces)
{
    /* Before the look-ups that it stands for */
    return qatomic_load_acquire(&spaces->map_gen);
}

void dsa_spaces_drop_all(DSAEngines *e)
{
    qatomic_store_release(&e->spaces->map_gen, e->spaces->map_gen + 1);
    dsa_run_wait(e, NULL);
}

/* --- notifiers; big lock held -------------------------------------------- */

/*
 * intel-iommu without device-iotlb ends the process when a notifier for
 * device TLBs is registered.
 */
static bool iommu_has_device_tlb(PCIBus *bus)
{
    Object *iommu = object_dynamic_cast(bus->iommu_opaque, "x86-iommu");

    if (!iommu || !object_property_find(iommu, "device-iotlb")) {
        return true;
    }
    return object_property_get_bool(iommu, "device-iotlb", NULL);
}

static void notifiers_on(DSASpace *sp)
{
    PCIDevice *pci = sp->e->pci;
    PCIBus *bus = iommu_bus(sp->e, NULL, NULL);

    if (sp->notified || !bus || !bus->iommu_ops->register_iotlb_notifier ||
        !iommu_has_device_tlb(bus)) {
        return;
    }
    if (pci_iommu_init_iotlb_notifier(pci, &sp->iotlb, iotlb_notify, sp) < 0 ||
        pci_iommu_register_iotlb_notifier(pci, sp->pasid, &sp->iotlb) < 0) {
        return;
    }
    qatomic_set(&sp->notified, true);
    trace_dsa_space_on(sp->pasid, sp->index);
}

/*
 * Where responses without a PASID go, and with one that no request had: to be
 * reported as unexpected. Requests without a PASID have their own notifier.
 */
static void stray_on(DSASpaces *spaces)
{
    if (!spaces->stray_on && !spaces->plain_on) {
        spaces->stray.notify = stray_notify;
        spaces->stray_on = pci_pri_register_notifier(spaces->e->pci,
                                                     PCI_NO_PASID,
                                                     &spaces->stray) == 0;
    }
}

static void stray_off(DSASpaces *spaces)
{
    if (spaces->stray_on) {
        pci_pri_unregister_notifier(spaces->e->pci, PCI_NO_PASID);
        spaces->stray_on = false;
    }
}

bool dsa_space_pri_on(DSASpace *sp)
{
    if (!sp->pri_on) {
        if (sp->pasid == PCI_NO_PASID) {
            stray_off(sp->e->spaces);
            sp->e->spaces->plain_on = true;
        } else {
            stray_on(sp->e->spaces);
        }
        sp->pri.notify = pri_notify;
        qatomic_set(&sp->pri_on,
                    pci_pri_register_notifier(sp->e->pci, sp->pasid,
                                              &sp->pri) == 0);
    }
    return sp->pri_on;
}

/* What of a space is known to the IOMMU */
typedef struct Registered {
    uint32_t pasid;
    bool iotlb, pri;
} Registered;

static Registered registered(const DSASpace *sp)
{
    return (Registered) { sp->pasid, sp->notified, sp->pri_on };
}

/*
 * Past the checks of the pci_*() functions: PASID may be disabled by now, and
 * the notifier has to go all the same.
 */
static void notifiers_off(DSASpace *sp, Registered was)
{
    PCIBus *bus = NULL, *iommu;
    int devfn = 0;

    iommu = iommu_bus(sp->e, &bus, &devfn);
    if (was.pri) {
        pci_pri_unregister_notifier(sp->e->pci, was.pasid);
        if (was.pasid == PCI_NO_PASID) {
            sp->e->spaces->plain_on = false;
        }
    }
    if (was.iotlb && iommu) {
        iommu->iommu_ops->unregister_iotlb_notifier(bus, iommu->iommu_opaque,
                                                    devfn, was.pasid,
                                                    &sp->iotlb);
    }
}

/* --- life cycle ---------------------------------------------------------- */

static DSASpace *lookup(DSASpaces *spaces, uint32_t pasid)
{
    return g_hash_table_lookup(spaces->by_pasid, GUINT_TO_POINTER(pasid));
}

/*
 * The space is another PASID's from here on, and the IOMMU does not know it.
 * At no time has a PASID two spaces. e->lock held
 */
static void space_bind(DSASpaces *spaces, DSASpace *sp, uint32_t pasid)
{
    if (sp->used) {
        g_hash_table_remove(spaces->by_pasid, GUINT_TO_POINTER(sp->pasid));
    }
    sp->pasid = pasid;
    sp->used = true;
    sp->notified = false;
    qatomic_set(&sp->pri_on, false);
    g_hash_table_insert(spaces->by_pasid, GUINT_TO_POINTER(pasid), sp);
    dsa_space_invalidate(sp, 0, UINT64_MAX);
}

/* e->lock held */
static void take_ref(DSASpaces *spaces, DSASpace *sp)
{
    if (!sp->refs++) {
        QTAILQ_REMOVE(&spaces->idle, sp, lru);
    }
}

static void drop_ref(DSASpaces *spaces, DSASpace *sp)
{
    if (!--sp->refs) {
        QTAILQ_INSERT_TAIL(&spaces->idle, sp, lru);
    }
}

bool dsa_space_acquire(DSAEngines *e, DSAFlight *fl)
{
    DSASpaces *spaces = e->spaces;
    bool need = dsa_uses_ats(e, fl) && dsa_has_iommu(e);
    DSASpace *sp;

    QEMU_LOCK_GUARD(&e->lock);
    sp = lookup(spaces, fl->job.pasid);
    if (!sp && !need) {
        QTAILQ_FOREACH(sp, &spaces->idle, lru) {
            if (!sp->notified && !qatomic_read(&sp->pri_on)) {
                space_bind(spaces, sp, fl->job.pasid);
                break;
            }
        }
    }
    if (!sp || (need && !sp->notified)) {
        return false;
    }
    take_ref(spaces, sp);
    fl->space = sp;
    return true;
}

void dsa_space_release(DSAEngines *e, DSAFlight *fl)
{
    if (fl->space) {
        drop_ref(e->spaces, fl->space);
    }
    fl->space = NULL;
}

/*
 * The least recently used space that no flight has; there are as many spaces
 * as flights. If it can be helped, none whose groups are still unanswered.
 */
static DSASpace *oldest_idle(DSASpaces *spaces)
{
    DSASpace *sp;

    QTAILQ_FOREACH(sp, &spaces->idle, lru) {
        if (!sp->groups) {
            return sp;
        }
    }
    sp = QTAILQ_FIRST(&spaces->idle);
    if (sp) {
        dsa_faults_forget_space(spaces->e, sp);
    }
    return sp;
}

/* Big lock and e->lock held, the latter dropped meanwhile */
static void rebind(DSASpaces *spaces, DSASpace *sp, uint32_t pasid)
{
    Registered was = registered(sp);

    space_bind(spaces, sp, pasid);
    qemu_mutex_unlock(&spaces->e->lock);
    notifiers_off(sp, was);
    qemu_mutex_lock(&spaces->e->lock);
}

DSASpace *dsa_space_adopt(DSAEngines *e, uint32_t pasid)
{
    DSASpace *sp = lookup(e->spaces, pasid);

    if (!sp) {
        sp = oldest_idle(e->spaces);
        if (sp) {
            take_ref(e->spaces, sp);
            rebind(e->spaces, sp, pasid);
            drop_ref(e->spaces, sp);
        }
    }
    return sp;
}

void dsa_spaces_serve(DSAEngines *e)
{
    DSASpaces *spaces = e->spaces;
    unsigned served = 0;
    DSAFlight *fl;

    qemu_mutex_lock(&e->lock);
    while ((fl = QTAILQ_FIRST(&e->spaceq))) {
        DSASpace *sp = lookup(spaces, fl->job.pasid);

        if (served++ == DSA_SERVED_AT_ONCE) {
            dsa_engines_schedule(e);
            break;
        }
        QTAILQ_REMOVE(&e->spaceq, fl, link);
        if (!sp) {
            sp = oldest_idle(spaces);
            take_ref(spaces, sp);
            rebind(spaces, sp, fl->job.pasid);
        } else {
            take_ref(spaces, sp);
        }
        fl->space = sp;
        /* If this fails, so do the flight's translations */
        qemu_mutex_unlock(&e->lock);
        notifiers_on(sp);
        qemu_mutex_lock(&e->lock);
        dsa_flight_ready(e, fl);
    }
    qemu_mutex_unlock(&e->lock);
}

DSASpaces *dsa_spaces_new(DSAEngines *e)
{
    DSASpaces *spaces = g_new0(DSASpaces, 1);
    unsigned i;

    QEMU_BUILD_BUG_ON(DSA_SPACES < DSA_FLIGHTS);
    spaces->e = e;
    spaces->by_pasid = g_hash_table_new(NULL, NULL);
    QTAILQ_INIT(&spaces->idle);
    for (i = 0; i < DSA_SPACES; i++) {
        DSASpace *sp = &spaces->space[i];

        sp->e = e;
        sp->index = i;
        qemu_spin_init(&sp->log_lock);
        QTAILQ_INSERT_TAIL(&spaces->idle, sp, lru);
    }
    spaces->listener = (MemoryListener) {
        .name = "intel-dsa",
        .commit = map_commit,
    };
    memory_listener_register(&spaces->listener, &address_space_memory);
    return spaces;
}

void dsa_spaces_free(DSAEngines *e)
{
    DSASpaces *spaces = e->spaces;
    unsigned i;

    memory_listener_unregister(&spaces->listener);
    stray_off(spaces);
    for (i = 0; i < DSA_SPACES; i++) {
        notifiers_off(&spaces->space[i], registered(&spaces->space[i]));
    }
    g_hash_table_unref(spaces->by_pasid);
    g_free(spaces);
}
