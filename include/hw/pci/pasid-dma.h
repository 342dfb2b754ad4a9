/*
 * PASID-tagged DMA: untranslated memory requests that carry a PASID TLP prefix
 * (PCIe 6.0 section 6.20), for 20-bit PASIDs and without an address space per
 * PASID.
 *
 * An IOMMU that understands PASIDs implements the interface below on the
 * object it gives to pci_setup_iommu() as opaque pointer, and registers the
 * PCIIOMMUOps that it gives there by pci_pasid_register_iommu_ops(): for any
 * other IOMMU that pointer may be anything, so the ops are what tells.
 * Devices use pci_pasid_translate() and pci_pasid_dma_rw().
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_PASID_DMA_H
#define HW_PCI_PASID_DMA_H

#include "hw/pci/pci_device.h"
#include "system/memory.h"

#define TYPE_PCI_PASID_IOMMU "pci-pasid-iommu"
typedef struct PCIPasidIOMMUClass PCIPasidIOMMUClass;
DECLARE_CLASS_CHECKERS(PCIPasidIOMMUClass, PCI_PASID_IOMMU,
                       TYPE_PCI_PASID_IOMMU)
#define PCI_PASID_IOMMU(obj) \
    INTERFACE_CHECK(struct PCIPasidIOMMU, (obj), TYPE_PCI_PASID_IOMMU)
typedef struct PCIPasidIOMMU PCIPasidIOMMU;

/**
 * PCIPasidMapping: where an untranslated request goes.
 * @as: the address space of @addr
 * @addr: the translated address of the requested one
 * @len: how many bytes from there share the answer (up to the page's end)
 * @perm: what the page allows
 */
typedef struct PCIPasidMapping {
    AddressSpace *as;
    hwaddr addr;
    hwaddr len;
    IOMMUAccessFlags perm;
} PCIPasidMapping;

struct PCIPasidIOMMUClass {
    InterfaceClass parent_class;

    /**
     * @translate: translate one untranslated request; any thread, inside an
     * RCU read section, with or without the big lock. @pasid is at most 20
     * bits wide or PCI_NO_PASID; @bus and @devfn are what the IOMMU sees as
     * requester (an alias behind a conventional bridge). Faults are recorded
     * by the IOMMU as it does for any blocked request. Returns false if
     * blocked; otherwise @out->len is at least 1.
     */
    bool (*translate)(PCIPasidIOMMU *iommu, PCIBus *bus, int devfn,
                      uint32_t pasid, bool priv, hwaddr addr,
                      IOMMUAccessFlags access, PCIPasidMapping *out);

    /**
     * @enter, @leave: optional, both or none. They bracket a translation and
     * the access to RAM by it: the IOMMU completes an invalidation only after
     * all brackets that were entered before it have been left. Inside nobody
     * may block, access device memory or wait for the big lock. Any thread.
     */
    void *(*enter)(PCIPasidIOMMU *iommu);
    void (*leave)(PCIPasidIOMMU *iommu, void *token);
};

/**
 * pci_pasid_fits: whether requests of @dev can carry @pasid: PCI_NO_PASID, or
 * one within the Max PASID Width of its PASID capability (PCIe 6.0 section
 * 7.8.8.2). False if it has no such capability. Any thread.
 */
bool pci_pasid_fits(PCIDevice *dev, uint32_t pasid);

/**
 * pci_pasid_register_iommu_ops: tell that @ops belong to a PASID-aware IOMMU.
 * @ops: what the IOMMU gives to pci_setup_iommu(); static, used only with an
 *       opaque pointer that is an Object with interface TYPE_PCI_PASID_IOMMU
 *
 * Call from class init, type registration or realize, any thread. Registering
 * the same ops again does nothing. Nothing is ever unregistered.
 */
void pci_pasid_register_iommu_ops(const PCIIOMMUOps *ops);

/**
 * pci_pasid_translate: translate an untranslated request with a PASID.
 * @dev: the requester
 * @pasid: the PASID, or PCI_NO_PASID for a request without one
 * @priv: Privileged Mode Requested
 * @addr: the request's address
 * @access: IOMMU_RO, IOMMU_WO or IOMMU_RW
 * @out: where it goes
 *
 * The answer holds until the IOMMU invalidates it; a device that wants to use
 * it brackets both by pci_pasid_enter() and pci_pasid_leave(), and one that
 * keeps it longer needs ATS.
 * Returns 0, -EPERM if the device may not send such a request now (no bus
 * master, PASID or privileged mode not enabled, @priv without a PASID),
 * -ENODEV if no IOMMU of the device's bus takes PASIDs, or -EFAULT if the
 * IOMMU blocked it. Without such an IOMMU, a request with PCI_NO_PASID is sent
 * to the device's bus-master address space: @out names it and the unchanged
 * address. Any thread, inside an RCU read section.
 */
int pci_pasid_translate(PCIDevice *dev, uint32_t pasid, bool priv,
                        hwaddr addr, IOMMUAccessFlags access,
                        PCIPasidMapping *out);

/* Between pci_pasid_enter() and pci_pasid_leave(); opaque to its user */
typedef struct PCIPasidBracket {
    PCIPasidIOMMUClass *iface;
    PCIPasidIOMMU *iommu;
    void *token;
} PCIPasidBracket;

/**
 * pci_pasid_enter: begin to translate by pci_pasid_translate() and to use the
 * answers on RAM.
 * @dev: the requester
 * @bracket: for pci_pasid_leave()
 *
 * Until pci_pasid_leave() no invalidation that the IOMMU completes can have
 * made an answer stale. The one who invalidates waits, with the big lock
 * held: so the time in between is short, and nobody in it may block, access
 * a device's memory or wait for the big lock. Does nothing without a
 * PASID-aware IOMMU. Brackets do not nest. Any thread, lock-free.
 */
void pci_pasid_enter(PCIDevice *dev, PCIPasidBracket *bracket);
void pci_pasid_leave(PCIPasidBracket *bracket);

/**
 * pci_pasid_dma_rw: read or write memory by untranslated requests with a PASID.
 * @dev: the requester
 * @pasid: the PASID, or PCI_NO_PASID
 * @priv: Privileged Mode Requested
 * @addr: the first byte
 * @buf: the data
 * @len: in bytes
 * @dir: DMA_DIRECTION_TO_DEVICE reads memory, DMA_DIRECTION_FROM_DEVICE
 *       writes it
 * @done: bytes moved before a fault, may be NULL
 *
 * Returns MEMTX_OK, MEMTX_ACCESS_ERROR if blocked or not allowed, or what the
 * memory said. Bytes before the page that failed have been moved. An access to
 * RAM is over before an invalidation of its translation completes. Any thread,
 * not inside a bracket.
 */
MemTxResult pci_pasid_dma_rw(PCIDevice *dev, uint32_t pasid, bool priv,
                             hwaddr addr, void *buf, hwaddr len,
                             DMADirection dir, hwaddr *done);

#endif /* HW_PCI_PASID_DMA_H */
