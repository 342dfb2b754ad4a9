/*
 * What PCI Express says about Deferrable Memory Writes (PCIe 6.0 section
 * 6.32): who completes them (Device Capabilities 2, section 7.5.3.15) and
 * which ports route them (Device 3 Extended Capability, section 7.7.9).
 *
 * A completer embeds a PCIEDMWrCompleter and asks pcie_dmwr_admit() before it
 * looks at a deferrable write. The ports on its way to the root complex get
 * their Device 3 capability from here, too, so that they need no change:
 * implementation choice: "pcie-root-port", "x3130-upstream" and
 * "xio3130-downstream" have it while there is a completer below them. All other
 * ports, and these in a machine without completers, are what they are in the
 * base, in configuration space and in a migration stream.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_DMWR_CAP_H
#define HW_PCI_DMWR_CAP_H

#include "qemu/atomic.h"
#include "qemu/queue.h"
#include "hw/pci/pci_device.h"

/* Device Capabilities 2; DMWr Lengths, bits 30:29, are 0 for 64 bytes */
#define PCI_DEVCAP2_DMWR_COMPLETER      (1u << 28)
/* Device Capabilities 3 and Device Control 3 */
#define PCI_DEV3_SIZE                   0x10
#define PCI_DEV3_CAP_DMWR_ROUTING       (1u << 0)
#define PCI_DEV3_CTL_DMWR_REQ_EN        (1u << 0)
#define PCI_DEV3_CTL_DMWR_EGRESS_BLOCK  (1u << 1)

typedef enum PCIEDMWrPath {
    PCIE_DMWR_OPEN,         /* all ports route DMWr */
    PCIE_DMWR_UNROUTED,     /* a port does not, or there is no PCI Express */
    PCIE_DMWR_BLOCKED,      /* a port's DMWr Egress Blocking is set */
} PCIEDMWrPath;

/**
 * PCIEDMWrCompleter: a function that takes deferrable writes.
 * @path: what becomes of those from the root complex; atomic, any thread
 * @refused: one was since the bottom half last ran; atomic, any thread
 *
 * The rest belongs to the holder of the big lock.
 */
typedef struct PCIEDMWrCompleter {
    uint8_t path;
    bool refused;
    PCIDevice *dev;
    PCIDevice *blocker;         /* with PCIE_DMWR_BLOCKED */
    QLIST_ENTRY(PCIEDMWrCompleter) link;
} PCIEDMWrCompleter;

/**
 * pcie_dmwr_init: @dev completes deferrable writes of 64 bytes.
 * @c: in the device's state
 * @dev: a function, normally with its PCI Express capability already there
 *
 * Sets DMWr Completer Supported, gives the ports above @dev their Device 3
 * capability and finds out whether they let writes through. A function without
 * PCI Express capability, or on a conventional bus, is never written to
 * deferrably. Call last in realize, big lock held.
 */
void pcie_dmwr_init(PCIEDMWrCompleter *c, PCIDevice *dev);

/**
 * pcie_dmwr_exit: the opposite. Ports that have no other completer below them
 * lose Device 3 again. Writes may still be under way: @c stays valid for
 * pcie_dmwr_admit() until the device is finalized. Big lock held.
 */
void pcie_dmwr_exit(PCIEDMWrCompleter *c);

/**
 * pcie_dmwr_reset: call from the hold phase of the device's reset. Resets
 * Device Control 3 of those ports above it that are being reset as well. Big
 * lock held.
 */
void pcie_dmwr_reset(PCIEDMWrCompleter *c);

/**
 * pcie_dmwr_post_load: configuration space was loaded. Ports load before
 * devices. Big lock held.
 */
void pcie_dmwr_post_load(PCIEDMWrCompleter *c);

/* A write did not get through: report it, once in a while. Any thread. */
void pcie_dmwr_refuse(PCIEDMWrCompleter *c);

/**
 * pcie_dmwr_admit: whether a deferrable write from the root complex reaches
 * the function. If not it ends with Unsupported Request, which ENQCMD shows
 * like Retry. Any thread; one load where writes get through.
 */
static inline bool pcie_dmwr_admit(PCIEDMWrCompleter *c)
{
    if (likely(qatomic_read(&c->path) == PCIE_DMWR_OPEN)) {
        return true;
    }
    pcie_dmwr_refuse(c);
    return false;
}

#endif /* HW_PCI_DMWR_CAP_H */
