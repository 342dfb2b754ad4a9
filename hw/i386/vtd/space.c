/*
 * intel-vtd: address spaces of requesters
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "hw/pci-host/q35.h"
#include "hw/pci/pci_bridge.h"
#include "system/address-spaces.h"
#include "micro.h"
#include "space.h"
#include "trace.h"

/* --- translation -------------------------------------------------------- */

static IOMMUTLBEntry vtd_space_blocked(VTDSpace *sp, const VTDRequest *req,
                                       const VTDFault *fault)
{
    vtd_fault_record(sp->s, req, fault);
    return (IOMMUTLBEntry) {
        .target_as = &address_space_memory,
        .iova = req->addr & ~0xfffULL,
        .addr_mask = 0xfff,
        .perm = IOMMU_NONE,
        .pasid = PCI_NO_PASID,
    };
}

static __thread VTDMicro vtd_micro[VTD_MICRO_ENTRIES];

static IOMMUTLBEntry vtd_space_entry(const VTDMapping *map)
{
    return (IOMMUTLBEntry) {
        .target_as = &address_space_memory,
        .iova = map->iova,
        .translated_addr = map->addr,
        .addr_mask = map->mask,
        .perm = map->perm & IOMMU_RW,
        .pasid = PCI_NO_PASID,
    };
}

/*
 * A walk sets bits in tables: not once they may be other memory. What is done
 * with the translation is not waited for.
 */
static bool vtd_space_walk(VTDSpace *sp, const VTDRequest *req,
                           VTDMapping *map, VTDFault *fault)
{
    unsigned phase = vtd_drain_enter(sp->s);
    bool good = vtd_translate(sp->s->translator, req, map, fault);

    vtd_drain_leave(sp->s, phase);
    return good;
}

/* What the thread does not remember. Not inlined: it needs a larger frame */
static __attribute__((noinline))
IOMMUTLBEntry vtd_space_translate_slow(VTDSpace *sp, hwaddr addr,
                                       IOMMUAccessFlags flag, unsigned at,
                                       uint64_t stamp, VTDMicro *micro)
{
    /* A request of unknown direction (IOMMU_NONE) is a read */
    VTDRequest req = {
        .addr = addr,
        .pasid = VTD_NO_PASID,
        .sid = stamp & 0xffff,
        .at = at,
        .read = flag != IOMMU_WO,
        .write = flag & IOMMU_WO,
    };
    VTDMapping map;
    VTDFault fault;

    if (unlikely(!vtd_space_walk(sp, &req, &map, &fault))) {
        return vtd_space_blocked(sp, &req, &fault);
    }
    if (unlikely(map.pass_through)) {
        if (!qatomic_read(&sp->pt_seen)) {
            qatomic_set(&sp->pt_seen, true);
            qemu_bh_schedule(sp->s->pt_bh);
        }
    } else {
        vtd_micro_put(micro, stamp, addr, at, &map);
    }
    return vtd_space_entry(&map);
}

/* Every access of a device comes through here: no lock, no allocation */
static IOMMUTLBEntry vtd_space_translate(IOMMUMemoryRegion *iommu,
                                         hwaddr addr, IOMMUAccessFlags flag,
                                         int index)
{
    VTDSpace *sp = container_of(iommu, VTDSpace, iommu);
    unsigned at = index == VTD_INDEX_TRANSLATED ? VTD_AT_TRANSLATED
                                                : VTD_AT_UNTRANSLATED;
    uint64_t stamp = vtd_micro_stamp(&sp->s->generation, vtd_space_sid(sp));
    VTDMicro *micro = vtd_micro_slot(vtd_micro, addr);
    uint8_t perm = flag == IOMMU_NONE ? IOMMU_RO : flag & IOMMU_RW;
    VTDMapping map;

    if (likely(vtd_micro_get(micro, stamp, addr, at, perm, &map))) {
        return vtd_space_entry(&map);
    }
    return vtd_space_translate_slow(sp, addr, flag, at, stamp, micro);
}

QEMU_BUILD_BUG_ON(VTD_PERM_R != IOMMU_RO || VTD_PERM_W != IOMMU_WO);

static int vtd_space_attrs_to_index(IOMMUMemoryRegion *iommu,
                                    MemTxAttrs attrs)
{
    return attrs.address_type == PCI_AT_TRANSLATED ? VTD_INDEX_TRANSLATED
                                                   : VTD_INDEX_UNTRANSLATED;
}

static int vtd_space_num_indexes(IOMMUMemoryRegion *iommu)
{
    return VTD_INDEX_COUNT;
}

/* Listeners for unmapped ranges only need no picture of what is mapped */
static void vtd_space_replay(IOMMUMemoryRegion *iommu, IOMMUNotifier *n)
{
}

/* --- the interrupt range (VT-d 3.14) ------------------------------------ */

static MemTxResult vtd_ir_read(void *opaque, hwaddr addr, uint64_t *data,
                               unsigned size, MemTxAttrs attrs)
{
    *data = UINT64_MAX;
    return MEMTX_ACCESS_ERROR;
}

static MemTxResult vtd_ir_write(void *opaque, hwaddr addr, uint64_t data,
                                unsigned size, MemTxAttrs attrs)
{
    VTDSpace *sp = opaque;

    /* A translated request is no interrupt request */
    if (attrs.address_type == PCI_AT_TRANSLATED) {
        return MEMTX_ACCESS_ERROR;
    }
    return vtd_irq_write(sp->s, vtd_space_sid(sp), addr, data, size);
}

/* While translation is disabled all devices share one region */
static MemTxResult vtd_ir_shared_write(void *opaque, hwaddr addr,
                                       uint64_t data, unsigned size,
                                       MemTxAttrs attrs)
{
    return vtd_irq_write(opaque, attrs.unspecified ? X86_IOMMU_SID_INVALID
                                                   : attrs.requester_id,
                         addr, data, size);
}

static const MemoryRegionOps vtd_ir_ops = {
    .read_with_attrs = vtd_ir_read,
    .write_with_attrs = vtd_ir_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8 },
    .impl = { .min_access_size = 1, .max_access_size = 8 },
};

static const MemoryRegionOps vtd_ir_shared_ops = {
    .read_with_attrs = vtd_ir_read,
    .write_with_attrs = vtd_ir_shared_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8 },
    .impl = { .min_access_size = 1, .max_access_size = 8 },
};

/* --- beyond the host address width, while passing through --------------- */

static MemTxResult vtd_high_access(VTDSpace *sp, hwaddr addr, bool write)
{
    VTDRequest req = {
        .addr = addr + memory_region_size(&sp->pt_sys),
        .pasid = VTD_NO_PASID,
        .sid = vtd_space_sid(sp),
        .read = !write,
        .write = write,
    };
    VTDMapping map;
    VTDFault fault;

    RCU_READ_LOCK_GUARD();
    if (!vtd_space_walk(sp, &req, &map, &fault)) {
        vtd_fault_record(sp->s, &req, &fault);
    }
    return MEMTX_ACCESS_ERROR;
}

static MemTxResult vtd_high_read(void *opaque, hwaddr addr, uint64_t *data,
                                 unsigned size, MemTxAttrs attrs)
{
    *data = UINT64_MAX;
    return vtd_high_access(opaque, addr, false);
}

static MemTxResult vtd_high_write(void *opaque, hwaddr addr, uint64_t data,
                                  unsigned size, MemTxAttrs attrs)
{
    return vtd_high_access(opaque, addr, true);
}

static const MemoryRegionOps vtd_high_ops = {
    .read_with_attrs = vtd_high_read,
    .write_with_attrs = vtd_high_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8 },
    .impl = { .min_access_size = 1, .max_access_size = 8 },
};

/* --- which of the regions is visible ------------------------------------ */

static void vtd_space_update(VTDSpace *sp)
{
    bool on = sp->s->translating, pt = sp->pass_through;

    memory_region_set_enabled(&sp->nodmar, !on && sp->bus);
    memory_region_set_enabled(MEMORY_REGION(&sp->iommu), on && !pt);
    memory_region_set_enabled(&sp->pt_sys, on && pt);
    memory_region_set_enabled(&sp->pt_high, on && pt);
    memory_region_set_enabled(&sp->ir, on || !sp->bus);
}

void vtd_spaces_update(VTDState *s)
{
    VTDSpace *sp;

    memory_region_transaction_begin();
    QLIST_FOREACH(sp, &s->space_list, next) {
        sp->pass_through = false;
        qatomic_set(&sp->pt_seen, false);
        vtd_space_update(sp);
    }
    memory_region_transaction_commit();
}

void vtd_spaces_leave_pt(VTDState *s)
{
    VTDSpace *sp;
    bool any = false;

    QLIST_FOREACH(sp, &s->space_list, next) {
        any |= sp->pass_through;
        qatomic_set(&sp->pt_seen, false);
    }
    if (any) {
        vtd_spaces_update(s);
    }
}

/*
 * Requests of a requester were passed through. Let further ones go straight
 * to memory, if that still holds now that the big lock is held.
 */
static void vtd_spaces_enter_pt(void *opaque)
{
    VTDState *s = opaque;
    VTDSpace *sp;

    memory_region_transaction_begin();
    QLIST_FOREACH(sp, &s->space_list, next) {
        VTDRequest req = { .pasid = VTD_NO_PASID, .read = true };
        VTDMapping map;
        VTDFault fault;

        if (!qatomic_read(&sp->pt_seen) || sp->pass_through ||
            !s->translating) {
            continue;
        }
        req.sid = vtd_space_sid(sp);
        WITH_RCU_READ_LOCK_GUARD() {
            sp->pass_through = vtd_translate(s->translator, &req, &map,
                                             &fault) && map.pass_through;
        }
        trace_intel_vtd_pass_through(req.sid, sp->pass_through);
        qatomic_set(&sp->pt_seen, sp->pass_through);
        vtd_space_update(sp);
    }
    memory_region_transaction_commit();
}

/* --- life of a space ---------------------------------------------------- */

typedef struct VTDSpaceKey {
    PCIBus *bus;
    int devfn;
} VTDSpaceKey;

static guint vtd_space_hash(gconstpointer v)
{
    const VTDSpaceKey *key = v;

    return (guint)((uintptr_t)key->bus >> 4) * 31 + key->devfn;
}

static gboolean vtd_space_equal(gconstpointer a, gconstpointer b)
{
    const VTDSpaceKey *x = a, *y = b;

    return x->bus == y->bus && x->devfn == y->devfn;
}

static void vtd_space_regions(VTDSpace *sp, const char *name)
{
    VTDState *s = sp->s;
    Object *owner = OBJECT(s);
    uint64_t width = 1ULL << s->features.haw;

    memory_region_init(&sp->root, owner, name, UINT64_MAX);
    memory_region_init_alias(&sp->nodmar, owner, "vtd-nodmar", &s->nodmar, 0,
                             UINT64_MAX);
    memory_region_init_iommu(&sp->iommu, sizeof(sp->iommu),
                             TYPE_VTD_MEMORY_REGION, owner, "vtd-dmar",
                             UINT64_MAX);
    memory_region_init_alias(&sp->pt_sys, owner, "vtd-pass-through",
                             get_system_memory(), 0, width);
    memory_region_init_io(&sp->pt_high, owner, &vtd_high_ops, sp,
                          "vtd-beyond-width", UINT64_MAX - width);
    memory_region_init_io(&sp->ir, owner, &vtd_ir_ops, sp, "vtd-interrupts",
                          VTD_INTERRUPT_SIZE);
    /*
     * A device may send an interrupt from within a call of ours, such as an
     * invalidation of its device-TLB.
     */
    sp->ir.disable_reentrancy_guard = true;

    memory_region_add_subregion(&sp->root, 0, &sp->nodmar);
    memory_region_add_subregion_overlap(&sp->root, 0,
                                        MEMORY_REGION(&sp->iommu), 0);
    memory_region_add_subregion_overlap(&sp->root, 0, &sp->pt_sys, 0);
    memory_region_add_subregion_overlap(&sp->root, width, &sp->pt_high, 0);
    memory_region_add_subregion_overlap(&sp->root, VTD_INTERRUPT_BASE, &sp->ir,
                                        1);
}

static VTDSpace *vtd_space_new(VTDState *s, PCIBus *bus, int devfn)
{
    VTDSpace *sp = g_new0(VTDSpace, 1);
    g_autofree char *name = g_strdup_printf("vtd-%s-%02x.%x",
                                            bus ? BUS(bus)->name : "ioapic",
                                            PCI_SLOT(devfn),
                                            PCI_FUNC(devfn));

    sp->s = s;
    sp->bus = bus;
    sp->devfn = devfn;
    sp->bus_nr = &sp->fixed_bus_nr;
    if (!bus) {
        sp->fixed_bus_nr = Q35_PSEUDO_BUS_PLATFORM;
    } else if (pci_bus_is_root(bus)) {
        sp->fixed_bus_nr = pci_bus_num(bus);
    } else {
        /* The guest numbers buses while requests run: read it in place */
        sp->bus_nr = &bus->parent_dev->config[PCI_SECONDARY_BUS];
    }
    QLIST_INIT(&sp->listeners);
    vtd_space_regions(sp, name);

    memory_region_transaction_begin();
    address_space_init(&sp->as, &sp->root, name);
    vtd_space_update(sp);
    memory_region_transaction_commit();

    QLIST_INSERT_HEAD_RCU(&s->space_list, sp, next);
    return sp;
}

VTDSpace *vtd_space_get(VTDState *s, PCIBus *bus, int devfn)
{
    VTDSpaceKey key = { bus, devfn };
    VTDSpace *sp = g_hash_table_lookup(s->spaces, &key);

    if (!sp) {
        sp = vtd_space_new(s, bus, devfn);
        g_hash_table_insert(s->spaces, g_memdup2(&key, sizeof(key)), sp);
    }
    return sp;
}

VTDSpace *vtd_space_peek(VTDState *s, PCIBus *bus, int devfn)
{
    VTDSpace *sp;

    QLIST_FOREACH_RCU(sp, &s->space_list, next) {
        if (sp->bus == bus && sp->devfn == devfn) {
            return sp;
        }
    }
    return NULL;
}

VTDSpace *vtd_space_find(VTDState *s, uint16_t sid)
{
    VTDSpace *sp;

    QLIST_FOREACH(sp, &s->space_list, next) {
        if (vtd_space_sid(sp) == sid) {
            return sp;
        }
    }
    return NULL;
}

/*
 * The bus of this space is a part of its bridge, which goes. Nobody finds the
 * space any more, nor gets anywhere through it; it stays, since what is left of
 * the devices there refers to its regions.
 */
static void vtd_space_retire(VTDSpace *sp)
{
    VTDSpaceKey key = { sp->bus, sp->devfn };

    g_hash_table_remove(sp->s->spaces, &key);
    QLIST_REMOVE_RCU(sp, next);
    sp->bus = NULL;
    sp->bus_nr = &sp->fixed_bus_nr;
    memory_region_set_enabled(&sp->root, false);
}

static void vtd_device_gone(DeviceListener *listener, DeviceState *dev)
{
    VTDState *s = container_of(listener, VTDState, device_listener);
    VTDSpace *sp, *next;
    PCIBus *bus;

    if (!object_dynamic_cast(OBJECT(dev), TYPE_PCI_BRIDGE)) {
        return;
    }
    bus = pci_bridge_get_sec_bus(PCI_BRIDGE(dev));
    memory_region_transaction_begin();
    QLIST_FOREACH_SAFE(sp, &s->space_list, next, next) {
        if (sp->bus == bus) {
            trace_intel_vtd_space_gone(sp->devfn);
            vtd_space_retire(sp);
        }
    }
    memory_region_transaction_commit();
}

void vtd_spaces_init(VTDState *s)
{
    Object *owner = OBJECT(s);

    qemu_mutex_init(&s->notifier_lock);
    QLIST_INIT(&s->space_list);
    s->spaces = g_hash_table_new_full(vtd_space_hash, vtd_space_equal, g_free,
                                      NULL);
    s->pt_bh = qemu_bh_new_guarded(vtd_spaces_enter_pt, s,
                                   &DEVICE(s)->mem_reentrancy_guard);

    /* One container for all, so that all share one flat view */
    memory_region_init(&s->nodmar, owner, "vtd-nodmar", UINT64_MAX);
    memory_region_init_alias(&s->nodmar_sys, owner, "vtd-system",
                             get_system_memory(), 0,
                             memory_region_size(get_system_memory()));
    memory_region_init_io(&s->nodmar_ir, owner, &vtd_ir_shared_ops, s,
                          "vtd-interrupts", VTD_INTERRUPT_SIZE);
    s->nodmar_ir.disable_reentrancy_guard = true;
    memory_region_add_subregion(&s->nodmar, 0, &s->nodmar_sys);
    memory_region_add_subregion_overlap(&s->nodmar, VTD_INTERRUPT_BASE,
                                        &s->nodmar_ir, 1);

    s->ioapic = vtd_space_new(s, NULL, Q35_PSEUDO_DEVFN_IOAPIC);
    s->device_listener.unrealize = vtd_device_gone;
    device_listener_register(&s->device_listener);
}

static void vtd_memory_region_class_init(ObjectClass *klass, const void *data)
{
    IOMMUMemoryRegionClass *imrc = IOMMU_MEMORY_REGION_CLASS(klass);

    imrc->translate = vtd_space_translate;
    imrc->attrs_to_index = vtd_space_attrs_to_index;
    imrc->num_indexes = vtd_space_num_indexes;
    imrc->notify_flag_changed = vtd_notify_flag_changed;
    imrc->replay = vtd_space_replay;
}

static const TypeInfo vtd_memory_region_type = {
    .name = TYPE_VTD_MEMORY_REGION,
    .parent = TYPE_IOMMU_MEMORY_REGION,
    .class_init = vtd_memory_region_class_init,
};

static void vtd_space_register_types(void)
{
    type_register_static(&vtd_memory_region_type);
}

type_init(vtd_space_register_types)
