/*
 * intel-dsa: the Page Request Extended Capability (PCIe 6.0 section 10.5.2):
 * when the interface is enabled, stopping and stopped, and what it reports.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/pci/pcie.h"
#include "dsa.h"
#include "engine.h"
#include "trace.h"

#define STATUS_FLAGS (PCI_PRI_STATUS_RF | PCI_PRI_STATUS_UPRGI)

static uint8_t *pri_status(PCIDevice *pci)
{
    return pci->config + pci->exp.pri_cap + PCI_PRI_STATUS;
}

static uint8_t *pri_control(PCIDevice *pci)
{
    return pci->config + pci->exp.pri_cap + PCI_PRI_CTRL;
}

void dsa_pri_init(PCIDevice *pci, uint16_t offset)
{
    pcie_pri_init(pci, offset, DSA_PRI_CAPACITY, true);
    /* It differs between a running source of a migration and a new device */
    pci_word_test_and_clear_mask(pci->cmask + offset + PCI_PRI_STATUS,
                                 PCI_PRI_STATUS_STOPPED);
}

void dsa_pri_reset(PCIDevice *pci, DSAEngines *e)
{
    dsa_faults_reset(e);
    if (pci->exp.pri_cap) {
        pci_set_word(pri_control(pci), 0);
        pci_set_word(pri_status(pci),
                     PCI_PRI_STATUS_PASID | PCI_PRI_STATUS_STOPPED);
        pci_set_long(pci->config + pci->exp.pri_cap + PCI_PRI_ALLOC_REQ, 0);
    }
}

/* 10.5.2.3, Stopped: disabled, and every request has been answered */
static void settle(PCIDevice *pci, DSAEngines *e)
{
    if (pcie_pri_enabled(pci) || dsa_faults_outstanding(e)) {
        pci_word_test_and_clear_mask(pri_status(pci), PCI_PRI_STATUS_STOPPED);
    } else if (!pci_word_test_and_set_mask(pri_status(pci),
                                           PCI_PRI_STATUS_STOPPED)) {
        trace_dsa_pri_stopped();
    }
}

void dsa_pri_written(PCIDevice *pci, DSAEngines *e, bool was_enabled)
{
    bool reset;

    if (!pci->exp.pri_cap) {
        return;
    }
    /* 10.5.2.2: Reset reads as zero, and does nothing while Enable is set */
    reset = pci_word_test_and_clear_mask(pri_control(pci),
                                         PCI_PRI_CTRL_RESET);
    if (!pcie_pri_enabled(pci)) {
        if (reset) {
            dsa_faults_reset(e);
        } else if (was_enabled) {
            dsa_faults_fail(e);
        }
    } else if (!was_enabled) {
        /*
         * Enabling clears the status. Implementation choice: what was still
         * outstanding is forgotten.
         */
        dsa_faults_reset(e);
        pci_word_test_and_clear_mask(pri_status(pci), STATUS_FLAGS);
    }
    settle(pci, e);
}

bool dsa_pri_failed(DSAEngines *e)
{
    return e->pci->exp.pri_cap &&
           (pci_get_word(pri_status(e->pci)) & PCI_PRI_STATUS_RF);
}

void dsa_pri_unexpected(DSAEngines *e)
{
    trace_dsa_pri_unexpected();
    if (e->pci->exp.pri_cap) {
        pci_word_test_and_set_mask(pri_status(e->pci),
                                   PCI_PRI_STATUS_UPRGI);
    }
}

/*
 * 10.4.2.1: Response Failure disables the interface. Implementation choice:
 * Enable reads as zero then, so that one write enables it again.
 */
void dsa_pri_fail(DSAEngines *e)
{
    trace_dsa_pri_failed();
    pci_word_test_and_set_mask(pri_status(e->pci), PCI_PRI_STATUS_RF);
    pci_word_test_and_clear_mask(pri_control(e->pci), PCI_PRI_CTRL_ENABLE);
    settle(e->pci, e);
}

void dsa_pri_settle(DSAEngines *e)
{
    if (e->pci->exp.pri_cap) {
        settle(e->pci, e);
    }
}
