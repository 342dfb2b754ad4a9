/*
 * The capability of Scalable I/O Virtualization (SIOV section 3.3).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/host-utils.h"
#include "hw/pci/siov-dvsec.h"

void pcie_siov_dvsec_reset(PCIDevice *dev, uint16_t offset)
{
    uint8_t *cap = dev->config + offset;
    uint32_t sizes = pci_get_long(cap + PCI_SIOV_SUPPORTED_PGS);

    pci_set_long(cap + PCI_SIOV_SYSTEM_PGS, sizes & -sizes);
}

void pcie_siov_dvsec_init(PCIDevice *dev, uint16_t offset,
                          const PCISIOVCap *siov)
{
    uint8_t *cap = dev->config + offset;

    pcie_add_capability(dev, PCI_EXT_CAP_ID_DVSEC, 1, offset,
                        PCI_SIOV_DVSEC_SIZE);
    /* revision 0 */
    pci_set_long(cap + PCI_DVSEC_HEADER1,
                 PCI_VENDOR_ID_INTEL | PCI_SIOV_DVSEC_SIZE << 20);
    pci_set_word(cap + PCI_DVSEC_HEADER2, PCI_SIOV_DVSEC_ID);
    pci_set_byte(cap + PCI_SIOV_FDL, siov->function_dependency_link);
    pci_set_byte(cap + PCI_SIOV_FLAGS,
                 siov->homogeneous ? PCI_SIOV_FLAGS_H : 0);
    pci_set_long(cap + PCI_SIOV_SUPPORTED_PGS, siov->page_sizes);
    pci_set_long(cap + PCI_SIOV_CAP, siov->ims ? PCI_SIOV_CAP_IMS : 0);
    if (ctpop32(siov->page_sizes) > 1) {
        pci_set_long(dev->wmask + offset + PCI_SIOV_SYSTEM_PGS,
                     siov->page_sizes);
    }
    pcie_siov_dvsec_reset(dev, offset);
}
