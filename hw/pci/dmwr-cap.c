/*
 * Deferrable Memory Writes: completers, and the ports on the way to them
 * (PCIe 6.0 sections 6.32 and 7.7.9).
 *
 * What a port does with a write depends on its place in the tree and on
 * Device Control 3 alone. So each completer keeps the answer, and it is worked
 * out again when a completer comes or goes, a port's register is written, a
 * port is reset, or a machine's state is loaded.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "qemu/range.h"
#include "hw/core/resettable.h"
#include "hw/pci/dmwr-cap.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pcie.h"
#include "hw/pci/pcie_aer.h"

/* Behind all that the ports below have in extended configuration space */
#define PORT_DEV3       0x200

/* Big lock */
static QLIST_HEAD(, PCIEDMWrCompleter) completers =
    QLIST_HEAD_INITIALIZER(completers);

/* The bridge whose secondary bus @dev is on, or NULL at the root complex */
static PCIDevice *bridge_above(PCIDevice *dev)
{
    PCIBus *bus = pci_get_bus(dev);

    return pci_bus_is_root(bus) ? NULL : pci_bridge_get_device(bus);
}

static uint16_t find_dev3(PCIDevice *port)
{
    return pci_is_express(port) && port->exp.exp_cap ?
           pcie_find_capability(port, PCI_EXT_CAP_ID_DEV3) : 0;
}

/* --- what ports do with a write ------------------------------------------- */

/* Where writes from the root complex leave a port by its egress */
static bool is_egress(PCIDevice *port)
{
    uint8_t type = pcie_cap_get_type(port);

    return type == PCI_EXP_TYPE_ROOT_PORT || type == PCI_EXP_TYPE_DOWNSTREAM;
}

static PCIEDMWrPath pass_port(PCIDevice *port)
{
    uint16_t dev3 = find_dev3(port);
    uint8_t *cap = port->config + dev3;

    if (!dev3 ||
        !(pci_get_long(cap + PCI_DEV3_CAP) & PCI_DEV3_CAP_DMWR_ROUTING)) {
        return PCIE_DMWR_UNROUTED;
    }
    if (is_egress(port) &&
        (pci_get_long(cap + PCI_DEV3_CTL) & PCI_DEV3_CTL_DMWR_EGRESS_BLOCK)) {
        return PCIE_DMWR_BLOCKED;
    }
    return PCIE_DMWR_OPEN;
}

/* The port that a write meets first decides: the one closest to the root */
static void update(PCIEDMWrCompleter *c)
{
    PCIDevice *dev = c->dev, *port;
    PCIEDMWrPath path = PCIE_DMWR_UNROUTED, pass;

    c->blocker = NULL;
    if (pci_bus_is_express(pci_get_bus(dev)) && dev->exp.exp_cap) {
        path = PCIE_DMWR_OPEN;
    }
    for (port = bridge_above(dev); port; port = bridge_above(port)) {
        pass = pass_port(port);
        if (pass != PCIE_DMWR_OPEN) {
            path = pass;
            c->blocker = pass == PCIE_DMWR_BLOCKED ? port : NULL;
        }
    }
    qatomic_set(&c->path, path);
}

static void update_all(void)
{
    PCIEDMWrCompleter *c;

    QLIST_FOREACH(c, &completers, link) {
        update(c);
    }
}

/* --- Device 3 of a port --------------------------------------------------- */

static void call_config_write(PCIDevice *port, uint32_t addr, uint32_t val,
                              int len)
{
    PCIDeviceClass *k = PCI_DEVICE_GET_CLASS(port);

    (k->config_write ?: pci_default_write_config)(port, addr, val, len);
}

static void port_config_write(PCIDevice *port, uint32_t addr, uint32_t val,
                              int len)
{
    call_config_write(port, addr, val, len);
    if (ranges_overlap(addr, len, PORT_DEV3 + PCI_DEV3_CTL, 4)) {
        update_all();
    }
}

static bool is_ours(PCIDevice *port)
{
    return port->config_write == port_config_write;
}

static bool can_route(PCIDevice *port)
{
    static const char *const types[] = {
        "pcie-root-port", "x3130-upstream", "xio3130-downstream",
    };
    const char *type = object_get_typename(OBJECT(port));
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(types); i++) {
        if (!strcmp(type, types[i])) {
            return port->exp.aer_cap;
        }
    }
    return false;
}

/*
 * Bits that Device Control 3 has in a port. Implementation choice: a
 * processor's writes are requests of the root complex and not of the port's
 * function. So DMWr Requester Enable of a root port can be set, as section
 * 7.7.9.3 permits, and nothing depends on it.
 */
static uint32_t control_bits(PCIDevice *port)
{
    return PCI_DEV3_CTL_DMWR_EGRESS_BLOCK |
           (pcie_cap_get_type(port) == PCI_EXP_TYPE_ROOT_PORT ?
            PCI_DEV3_CTL_DMWR_REQ_EN : 0);
}

/*
 * DMWr Request Egress Blocked in the port's error registers (PCIe 6.0 section
 * 7.8.4): masked at first. Implementation choice: it is never fatal.
 */
static void aer_on(PCIDevice *port)
{
    uint16_t aer = port->exp.aer_cap;

    pci_long_test_and_set_mask(port->w1cmask + aer + PCI_ERR_UNCOR_STATUS,
                               PCI_ERR_UNC_DMWR_BLK);
    pci_long_test_and_set_mask(port->wmask + aer + PCI_ERR_UNCOR_MASK,
                               PCI_ERR_UNC_DMWR_BLK);
    pci_long_test_and_set_mask(port->config + aer + PCI_ERR_UNCOR_MASK,
                               PCI_ERR_UNC_DMWR_BLK);
}

static void aer_off(PCIDevice *port)
{
    uint16_t aer = port->exp.aer_cap;

    pci_long_test_and_clear_mask(port->w1cmask + aer + PCI_ERR_UNCOR_STATUS,
                                 PCI_ERR_UNC_DMWR_BLK);
    pci_long_test_and_clear_mask(port->wmask + aer + PCI_ERR_UNCOR_MASK,
                                 PCI_ERR_UNC_DMWR_BLK);
    pci_long_test_and_clear_mask(port->config + aer + PCI_ERR_UNCOR_STATUS,
                                 PCI_ERR_UNC_DMWR_BLK);
    pci_long_test_and_clear_mask(port->config + aer + PCI_ERR_UNCOR_MASK,
                                 PCI_ERR_UNC_DMWR_BLK);
}

static void dev3_on(PCIDevice *port)
{
    if (!can_route(port) || find_dev3(port)) {
        return;
    }
    /* Software may have written there: the base does not mind */
    memset(port->config + PORT_DEV3, 0, PCI_DEV3_SIZE);
    pcie_add_capability(port, PCI_EXT_CAP_ID_DEV3, 1, PORT_DEV3,
                        PCI_DEV3_SIZE);
    pci_set_long(port->config + PORT_DEV3 + PCI_DEV3_CAP,
                 PCI_DEV3_CAP_DMWR_ROUTING);
    pci_set_long(port->wmask + PORT_DEV3 + PCI_DEV3_CTL, control_bits(port));
    aer_on(port);
    port->config_write = port_config_write;
}

/* Take it out of the list again, where it is the last, and leave no trace */
static void dev3_off(PCIDevice *port)
{
    PCIDeviceClass *k = PCI_DEVICE_GET_CLASS(port);
    uint32_t pos = PCI_CONFIG_SPACE_SIZE, header;

    while (pos) {
        header = pci_get_long(port->config + pos);
        if (PCI_EXT_CAP_NEXT(header) == PORT_DEV3) {
            pci_set_long(port->config + pos, header & 0xfffff);
            break;
        }
        pos = PCI_EXT_CAP_NEXT(header);
    }
    memset(port->config + PORT_DEV3, 0, PCI_DEV3_SIZE);
    memset(port->wmask + PORT_DEV3, 0xff, PCI_DEV3_SIZE);
    memset(port->cmask + PORT_DEV3, 0, PCI_DEV3_SIZE);
    aer_off(port);
    port->config_write = k->config_write ?: pci_default_write_config;
}

static bool has_completer_below(PCIDevice *port)
{
    PCIEDMWrCompleter *c;
    PCIDevice *above;

    QLIST_FOREACH(c, &completers, link) {
        for (above = bridge_above(c->dev); above;
             above = bridge_above(above)) {
            if (above == port) {
                return true;
            }
        }
    }
    return false;
}

/* --- reporting ------------------------------------------------------------ */

/* One for all: a write may still be under way to a device that has left */
static QEMUBH *report_bh;

void pcie_dmwr_refuse(PCIEDMWrCompleter *c)
{
    if (qatomic_read(&c->path) == PCIE_DMWR_BLOCKED &&
        !qatomic_xchg(&c->refused, true)) {
        qemu_bh_schedule(report_bh);
    }
}

/*
 * The port completes the request itself, with Unsupported Request. That makes
 * it an Advisory Non-Fatal Error (PCIe 6.0 section 6.2.3.2.4.1): the status
 * bit, and a message as for a correctable error. Implementation choice: no
 * header is logged.
 */
static void report_blocked(PCIDevice *port)
{
    uint8_t *aer = port->config + port->exp.aer_cap;
    const PCIEAERErr err = {
        .status = PCI_ERR_COR_ADV_NONFATAL,
        .flags = PCIE_AER_ERR_IS_CORRECTABLE,
        .source_id = pci_requester_id(port),
    };

    pci_long_test_and_set_mask(aer + PCI_ERR_UNCOR_STATUS,
                               PCI_ERR_UNC_DMWR_BLK);
    if (!(pci_get_long(aer + PCI_ERR_UNCOR_MASK) & PCI_ERR_UNC_DMWR_BLK)) {
        pcie_aer_inject_error(port, &err);
    }
}

static void report(void *opaque)
{
    PCIEDMWrCompleter *c;

    QLIST_FOREACH(c, &completers, link) {
        if (qatomic_xchg(&c->refused, false) && c->blocker) {
            report_blocked(c->blocker);
        }
    }
}

/* --- completers ----------------------------------------------------------- */

void pcie_dmwr_init(PCIEDMWrCompleter *c, PCIDevice *dev)
{
    PCIDevice *port;

    *c = (PCIEDMWrCompleter) { .dev = dev };
    if (!report_bh) {
        report_bh = qemu_bh_new(report, NULL);
    }
    QLIST_INSERT_HEAD(&completers, c, link);
    if (dev->exp.exp_cap) {
        pci_long_test_and_set_mask(dev->config + dev->exp.exp_cap +
                                   PCI_EXP_DEVCAP2,
                                   PCI_DEVCAP2_DMWR_COMPLETER);
    }
    for (port = bridge_above(dev); port; port = bridge_above(port)) {
        dev3_on(port);
    }
    update(c);
}

void pcie_dmwr_exit(PCIEDMWrCompleter *c)
{
    PCIDevice *port;

    QLIST_REMOVE(c, link);
    for (port = bridge_above(c->dev); port; port = bridge_above(port)) {
        if (is_ours(port) && !has_completer_below(port)) {
            dev3_off(port);
        }
    }
}

void pcie_dmwr_reset(PCIEDMWrCompleter *c)
{
    PCIDevice *port;

    for (port = bridge_above(c->dev); port; port = bridge_above(port)) {
        if (is_ours(port) && resettable_is_in_reset(OBJECT(port))) {
            pci_set_long(port->config + PORT_DEV3 + PCI_DEV3_CTL, 0);
        }
    }
    update_all();
}

void pcie_dmwr_post_load(PCIEDMWrCompleter *c)
{
    update(c);
}
