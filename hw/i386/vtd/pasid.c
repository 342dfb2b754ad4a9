/*
 * intel-vtd: untranslated requests with PASID
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/pci/pasid-dma.h"
#include "system/address-spaces.h"
#include "space.h"

/* What goes the ordinary way: the requester's own address space decides */
static bool vtd_pasid_ordinary(VTDState *s, PCIBus *bus, int devfn,
                               hwaddr addr, PCIPasidMapping *out)
{
    VTDSpace *sp = vtd_space_peek(s, bus, devfn);

    if (!sp) {
        return false;
    }
    *out = (PCIPasidMapping) {
        .as = &sp->as,
        .addr = addr,
        .len = 0x1000 - (addr & 0xfff),
        .perm = IOMMU_RW,
    };
    return true;
}

static bool vtd_pasid_translate(PCIPasidIOMMU *iommu, PCIBus *bus, int devfn,
                                uint32_t pasid, bool priv, hwaddr addr,
                                IOMMUAccessFlags access, PCIPasidMapping *out)
{
    VTDState *s = INTEL_VTD_DEVICE(iommu);
    VTDRequest req = {
        .addr = addr,
        .pasid = pasid == PCI_NO_PASID ? VTD_NO_PASID : pasid,
        .sid = vtd_source_id(bus, devfn),
        .at = VTD_AT_UNTRANSLATED,
        .read = access & IOMMU_RO,
        .write = access & IOMMU_WO,
        .priv = priv,
    };
    bool on = qatomic_read(&s->translating);
    VTDMapping map;
    VTDFault fault;

    if (pasid == PCI_NO_PASID && (!on || vtd_is_interrupt_address(addr))) {
        return vtd_pasid_ordinary(s, bus, devfn, addr, out);
    }
    if (!on) {
        /* Without translation no request with PASID is supported */
        return false;
    }
    if (!vtd_translate(s->translator, &req, &map, &fault)) {
        vtd_fault_record(s, &req, &fault);
        return false;
    }
    *out = (PCIPasidMapping) {
        .as = &address_space_memory,
        .addr = map.addr + (addr & map.mask),
        .len = map.mask + 1 - (addr & map.mask),
        .perm = map.perm & IOMMU_RW,
    };
    return true;
}

static void *vtd_pasid_enter(PCIPasidIOMMU *iommu)
{
    return (void *)(uintptr_t)vtd_drain_enter(INTEL_VTD_DEVICE(iommu));
}

static void vtd_pasid_leave(PCIPasidIOMMU *iommu, void *token)
{
    vtd_drain_leave(INTEL_VTD_DEVICE(iommu), (uintptr_t)token);
}

void vtd_pasid_class_init(ObjectClass *klass)
{
    PCIPasidIOMMUClass *k = PCI_PASID_IOMMU_CLASS(klass);

    k->translate = vtd_pasid_translate;
    k->enter = vtd_pasid_enter;
    k->leave = vtd_pasid_leave;
}
