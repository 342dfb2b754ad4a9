/*
 * The Designated Vendor-Specific Extended Capability by which a function says
 * that it can be shared in Assignable Device Interfaces: Intel Scalable I/O
 * Virtualization specification, section 3.3 (PCIe 6.0 section 7.9.6 for the
 * capability's frame).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_SIOV_DVSEC_H
#define HW_PCI_SIOV_DVSEC_H

#include "hw/pci/pci_device.h"

#define PCI_SIOV_DVSEC_SIZE     0x18
#define PCI_SIOV_DVSEC_ID       5

/* Offsets in the capability */
#define PCI_SIOV_FDL            0x0a    /* Function Dependency Link, 8 bits */
#define PCI_SIOV_FLAGS          0x0b    /* 8 bits */
#define PCI_SIOV_SUPPORTED_PGS  0x0c    /* bit n: pages of 2^(n+12) bytes */
#define PCI_SIOV_SYSTEM_PGS     0x10    /* one bit of those */
#define PCI_SIOV_CAP            0x14

#define PCI_SIOV_FLAGS_H        0x01    /* homogeneous */
#define PCI_SIOV_CAP_IMS        0x01    /* Interrupt Message Storage */

/**
 * PCISIOVCap: what the capability says.
 * @function_dependency_link: the function itself if it depends on none
 * @homogeneous: functions that depend on each other are used in one mode
 * @page_sizes: Supported Page Sizes
 * @ims: the function has Interrupt Message Storage
 */
typedef struct PCISIOVCap {
    uint8_t function_dependency_link;
    bool homogeneous;
    uint32_t page_sizes;
    bool ims;
} PCISIOVCap;

/**
 * pcie_siov_dvsec_init: add the capability to a function.
 * @dev: the function, with its PCI Express capability already there
 * @offset: in extended configuration space, a multiple of 4
 * @cap: what it says; @cap->page_sizes has at least one bit
 *
 * System Page Size starts as the smallest size and is writable if there is
 * more than one. Call from realize, big lock held.
 */
void pcie_siov_dvsec_init(PCIDevice *dev, uint16_t offset,
                          const PCISIOVCap *cap);

/**
 * pcie_siov_dvsec_reset: System Page Size back to the smallest size.
 * @dev: the function
 * @offset: as given to pcie_siov_dvsec_init()
 */
void pcie_siov_dvsec_reset(PCIDevice *dev, uint16_t offset);

#endif /* HW_PCI_SIOV_DVSEC_H */
