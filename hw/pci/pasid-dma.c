/*
 * PASID-tagged DMA: from a device's request to the IOMMU of its bus
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/atomic.h"
#include "qemu/module.h"
#include "qemu/rcu.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pasid-dma.h"
#include "hw/pci/pcie.h"
#include "system/memory_cached.h"

/*
 * The opaque pointer of a bus's IOMMU is whatever that IOMMU made it, so its
 * type is only known from the ops beside it. IOMMU types with PASIDs register
 * their static ops once; entries are never removed and read without a lock.
 */
typedef struct PasidIOMMUType {
    const PCIIOMMUOps *ops;
    /* The class of the opaque object and its interface, once looked up */
    ObjectClass *klass;
    PCIPasidIOMMUClass *iface;
} PasidIOMMUType;

#define PASID_MAX_IOMMU_TYPES 8

static PasidIOMMUType iommu_types[PASID_MAX_IOMMU_TYPES];
static unsigned nr_iommu_types;
static GMutex register_lock;

static PasidIOMMUType *pasid_find_type(const PCIIOMMUOps *ops)
{
    unsigned n = qatomic_load_acquire(&nr_iommu_types);

    for (unsigned i = 0; i < n; i++) {
        if (iommu_types[i].ops == ops) {
            return &iommu_types[i];
        }
    }
    return NULL;
}

void pci_pasid_register_iommu_ops(const PCIIOMMUOps *ops)
{
    g_mutex_lock(&register_lock);
    if (!pasid_find_type(ops)) {
        /* The number of IOMMU types is fixed when the emulator is built. */
        g_assert(nr_iommu_types < PASID_MAX_IOMMU_TYPES);
        iommu_types[nr_iommu_types].ops = ops;
        qatomic_store_release(&nr_iommu_types, nr_iommu_types + 1);
    }
    g_mutex_unlock(&register_lock);
}

/* A cast to an interface costs more than a translation, so remember one. */
static PCIPasidIOMMUClass *pasid_iface(PasidIOMMUType *type, Object *obj)
{
    ObjectClass *klass = object_get_class(obj);
    PCIPasidIOMMUClass *iface;

    if (qatomic_load_acquire(&type->klass) == klass) {
        return type->iface;
    }
    iface = (PCIPasidIOMMUClass *)
        object_class_dynamic_cast(klass, TYPE_PCI_PASID_IOMMU);

    if (iface && !qatomic_read(&type->klass)) {
        g_mutex_lock(&register_lock);
        if (!type->klass) {
            type->iface = iface;
            qatomic_store_release(&type->klass, klass);
        }
        g_mutex_unlock(&register_lock);
    }
    return iface;
}

bool pci_pasid_fits(PCIDevice *dev, uint32_t pasid)
{
    uint16_t cap;

    if (pasid == PCI_NO_PASID) {
        return true;
    }
    if (!dev->exp.pasid_cap) {
        return false;
    }
    cap = pci_get_word(dev->config + dev->exp.pasid_cap + PCI_PASID_CAP);
    return !((uint64_t)pasid >> extract32(cap, 8, 5));
}

/* PCIe 6.0 section 6.20: what the PASID control register has to allow */
static bool pasid_request_allowed(PCIDevice *dev, uint32_t pasid, bool priv)
{
    if (!dev->is_master) {
        return false;
    }
    if (pasid == PCI_NO_PASID) {
        return !priv;
    }
    return pci_pasid_fits(dev, pasid) && pcie_pasid_enabled(dev) &&
           (!priv || pcie_pasid_priv_enabled(dev));
}

/* Without PASID the bus-master address space does the work, as ever. */
static void pasid_bus_master(PCIDevice *dev, hwaddr addr,
                             IOMMUAccessFlags access, PCIPasidMapping *out)
{
    const hwaddr page = 4096;

    *out = (PCIPasidMapping) {
        .as = pci_get_address_space(dev),
        .addr = addr,
        .len = page - (addr & (page - 1)),
        .perm = access,
    };
}

/* The PASID-aware IOMMU of a device's bus */
typedef struct PasidRoute {
    PCIPasidIOMMUClass *iface;      /* NULL: there is none */
    PCIPasidIOMMU *iommu;
    PCIBus *bus;                    /* the requester as the IOMMU sees it */
    int devfn;
} PasidRoute;

static PasidRoute pasid_route(PCIDevice *dev)
{
    PasidRoute r = { };
    PasidIOMMUType *type;
    PCIBus *iommu_bus;

    pci_device_get_iommu_bus_devfn(dev, &iommu_bus, &r.bus, &r.devfn);
    if (iommu_bus) {
        type = pasid_find_type(iommu_bus->iommu_ops);
        if (type) {
            r.iommu = iommu_bus->iommu_opaque;
            r.iface = pasid_iface(type, iommu_bus->iommu_opaque);
        }
    }
    return r;
}

static int pasid_translate(PCIDevice *dev, const PasidRoute *r,
                           uint32_t pasid, bool priv, hwaddr addr,
                           IOMMUAccessFlags access, PCIPasidMapping *out)
{
    if (!pasid_request_allowed(dev, pasid, priv)) {
        return -EPERM;
    }
    if (!r->iface) {
        if (pasid != PCI_NO_PASID) {
            return -ENODEV;
        }
        pasid_bus_master(dev, addr, access, out);
        return 0;
    }
    if (!r->iface->translate(r->iommu, r->bus, r->devfn, pasid, priv, addr,
                             access, out)) {
        return -EFAULT;
    }
    return 0;
}

int pci_pasid_translate(PCIDevice *dev, uint32_t pasid, bool priv,
                        hwaddr addr, IOMMUAccessFlags access,
                        PCIPasidMapping *out)
{
    PasidRoute r = pasid_route(dev);

    return pasid_translate(dev, &r, pasid, priv, addr, access, out);
}

static void pasid_enter(const PasidRoute *r, PCIPasidBracket *bracket)
{
    *bracket = (PCIPasidBracket) { };
    if (r->iface && r->iface->enter) {
        bracket->iface = r->iface;
        bracket->iommu = r->iommu;
        bracket->token = r->iface->enter(r->iommu);
    }
}

void pci_pasid_enter(PCIDevice *dev, PCIPasidBracket *bracket)
{
    PasidRoute r = pasid_route(dev);

    pasid_enter(&r, bracket);
}

void pci_pasid_leave(PCIPasidBracket *bracket)
{
    if (bracket->iface) {
        bracket->iface->leave(bracket->iommu, bracket->token);
        bracket->iface = NULL;
    }
}

/*
 * Move up to @len bytes if @map leads to RAM; returns how many. Looks the
 * memory up only once, so that what was RAM cannot become a device meanwhile.
 */
static hwaddr pasid_access_ram(const PCIPasidMapping *map, uint8_t *buf,
                               hwaddr len, bool is_write)
{
    MemoryRegionCache cache;
    int64_t got;

    got = address_space_cache_init(&cache, map->as, map->addr, len, is_write);
    if (got <= 0 || !cache.ptr) {
        got = 0;
    } else if (is_write) {
        memcpy(cache.ptr, buf, got);
        address_space_cache_invalidate(&cache, 0, got);
    } else {
        memcpy(buf, cache.ptr, got);
    }
    address_space_cache_destroy(&cache);
    return got;
}

/* One page at most; *done is how much of it, also after an error */
static MemTxResult pasid_access(PCIDevice *dev, const PasidRoute *r,
                                uint32_t pasid, bool priv, hwaddr addr,
                                uint8_t *buf, hwaddr len, bool is_write,
                                hwaddr *done)
{
    MemTxAttrs attrs = { .requester_id = pci_requester_id(dev) };
    PCIPasidBracket bracket;
    PCIPasidMapping map;
    MemTxResult res;
    int ret;

    *done = 0;
    RCU_READ_LOCK_GUARD();
    pasid_enter(r, &bracket);
    ret = pasid_translate(dev, r, pasid, priv, addr,
                          is_write ? IOMMU_WO : IOMMU_RO, &map);
    if (!ret) {
        *done = pasid_access_ram(&map, buf, MIN(len, map.len), is_write);
    }
    pci_pasid_leave(&bracket);
    if (ret) {
        return MEMTX_ACCESS_ERROR;
    }
    if (*done) {
        return MEMTX_OK;
    }

    /* A device's memory may need the big lock: not inside the bracket */
    len = MIN(len, map.len);
    res = address_space_rw(map.as, map.addr, attrs, buf, len, is_write);
    *done = res == MEMTX_OK ? len : 0;
    return res;
}

MemTxResult pci_pasid_dma_rw(PCIDevice *dev, uint32_t pasid, bool priv,
                             hwaddr addr, void *buf, hwaddr len,
                             DMADirection dir, hwaddr *done)
{
    bool is_write = dir == DMA_DIRECTION_FROM_DEVICE;
    PasidRoute r = pasid_route(dev);
    MemTxResult res = MEMTX_OK;
    hwaddr pos = 0, run;

    while (pos < len && res == MEMTX_OK) {
        res = pasid_access(dev, &r, pasid, priv, addr + pos,
                           (uint8_t *)buf + pos, len - pos, is_write, &run);
        pos += run;
    }

    if (done) {
        *done = pos;
    }
    return res;
}

static const TypeInfo pasid_dma_types[] = {
    {
        .name = TYPE_PCI_PASID_IOMMU,
        .parent = TYPE_INTERFACE,
        .class_size = sizeof(PCIPasidIOMMUClass),
    },
};

DEFINE_TYPES(pasid_dma_types)
