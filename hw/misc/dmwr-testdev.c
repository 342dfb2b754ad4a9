/*
 * dmwr-testdev: a test device that records the writes to its portals
 *
 * It shows to tests what a 64-byte write looks like on the device's side: how
 * it arrived (whole or in pieces), with which data, and under which lock. It
 * can be told to refuse. It is of no use to a real guest.
 *
 * BAR 0, 8 KiB, registers of 32 bits, readable in any size; all but ANSWER are
 * read-only and any write to CLEAR zeroes them:
 *   0x00 POSTED       64-byte posted writes that arrived whole
 *   0x04 DEFERRABLE   64-byte deferrable writes that arrived whole
 *   0x08 PIECES       ordinary writes, of any size
 *   0x0c OFFSET       where in BAR 2 the last write of either sort went
 *   0x10 BIG_LOCK     1 if the last whole write came with the big lock held
 *   0x14 ANSWER       0: accept deferrable writes, 1: answer retry
 *   0x18 CLEAR
 *   0x1c ACCEPTED     those of DEFERRABLE that were accepted
 *   0x40..0x7f DATA   of the last whole write; pieces land there too, at
 *                     their offset modulo 64
 *   0x1000..0x1fff    SLOTS: DATA of the last whole write to each of the 64
 *                     places in a page of BAR 2, so that as many writers do
 *                     not overwrite each other's
 * BAR 2, 16 KiB:
 *   page 0            a 64-byte write target that needs no lock
 *   page 1            a 64-byte write target that needs the big lock
 *   page 2            an ordinary region
 *   page 3            nothing
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "qemu/module.h"
#include "qemu/thread.h"
#include "qemu/units.h"
#include "qapi/error.h"
#include "hw/pci/dmwr.h"
#include "hw/pci/dmwr-cap.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pci_device.h"
#include "hw/pci/pcie.h"
#include "migration/vmstate.h"

#define TYPE_DMWR_TESTDEV "dmwr-testdev"
OBJECT_DECLARE_SIMPLE_TYPE(DMWrTestDev, DMWR_TESTDEV)

#define PAGE (4 * KiB)

enum {
    REG_POSTED = 0x00,
    REG_DEFERRABLE = 0x04,
    REG_PIECES = 0x08,
    REG_OFFSET = 0x0c,
    REG_BIG_LOCK = 0x10,
    REG_ANSWER = 0x14,
    REG_CLEAR = 0x18,
    REG_ACCEPTED = 0x1c,
    REG_DATA = 0x40,
    REG_END = REG_DATA + DMWR_SIZE,
    REG_SLOTS = 0x1000,
    CONTROL_SIZE = REG_SLOTS + PAGE,
};

/* One page of BAR 2: the opaque pointer has to tell which */
typedef struct DMWrTestPage {
    DMWrTestDev *dev;
    MemoryRegion mr;
    uint32_t base;
} DMWrTestPage;

struct DMWrTestDev {
    PCIDevice parent_obj;

    PCIEDMWrCompleter dmwr;
    MemoryRegion control;
    MemoryRegion portals;
    DMWrTestPage page[3];

    QemuSpin lock;                  /* protects what follows */
    uint8_t regs[REG_END];          /* as the guest reads them */
    uint8_t slots[PAGE];
};

static void count(DMWrTestDev *s, unsigned reg)
{
    stl_le_p(s->regs + reg, ldl_le_p(s->regs + reg) + 1);
}

static DMWrStatus portal_dmwr(void *opaque, hwaddr addr, const void *data,
                              DMWrKind kind, MemTxAttrs attrs)
{
    DMWrTestPage *page = opaque;
    DMWrTestDev *s = page->dev;
    DMWrStatus status = DMWR_ACCEPTED;

    if (kind == DMWR_DEFERRABLE && !pcie_dmwr_admit(&s->dmwr)) {
        return DMWR_RETRY;
    }
    qemu_spin_lock(&s->lock);
    count(s, kind == DMWR_POSTED ? REG_POSTED : REG_DEFERRABLE);
    if (kind == DMWR_DEFERRABLE && ldl_le_p(s->regs + REG_ANSWER)) {
        status = DMWR_RETRY;
    } else {
        if (kind == DMWR_DEFERRABLE) {
            count(s, REG_ACCEPTED);
        }
        stl_le_p(s->regs + REG_OFFSET, page->base + addr);
        stl_le_p(s->regs + REG_BIG_LOCK, bql_locked());
        memcpy(s->regs + REG_DATA, data, DMWR_SIZE);
        memcpy(s->slots + addr, data, DMWR_SIZE);
    }
    qemu_spin_unlock(&s->lock);
    return status;
}

static uint64_t page_read(void *opaque, hwaddr addr, unsigned size)
{
    return 0;
}

static void page_write(void *opaque, hwaddr addr, uint64_t val, unsigned size)
{
    DMWrTestPage *page = opaque;
    DMWrTestDev *s = page->dev;

    qemu_spin_lock(&s->lock);
    count(s, REG_PIECES);
    stl_le_p(s->regs + REG_OFFSET, page->base + addr);
    stn_le_p(s->regs + REG_DATA + addr % DMWR_SIZE, size, val);
    qemu_spin_unlock(&s->lock);
}

/* Two ops with the same functions: only the first marks a target. */
#define PAGE_OPS \
    .read = page_read, \
    .write = page_write, \
    .endianness = DEVICE_LITTLE_ENDIAN, \
    .valid.min_access_size = 1, \
    .valid.max_access_size = 8, \
    .impl.min_access_size = 1, \
    .impl.max_access_size = 8

static const MemoryRegionOps portal_ops = { PAGE_OPS };
static const MemoryRegionOps ordinary_ops = { PAGE_OPS };

static uint64_t control_read(void *opaque, hwaddr addr, unsigned size)
{
    DMWrTestDev *s = opaque;
    uint64_t val = 0;

    qemu_spin_lock(&s->lock);
    if (addr + size <= REG_END) {
        val = ldn_le_p(s->regs + addr, size);
    } else if (addr >= REG_SLOTS) {
        val = ldn_le_p(s->slots + addr - REG_SLOTS, size);
    }
    qemu_spin_unlock(&s->lock);
    return val;
}

static void control_write(void *opaque, hwaddr addr, uint64_t val,
                          unsigned size)
{
    DMWrTestDev *s = opaque;

    qemu_spin_lock(&s->lock);
    if (addr == REG_ANSWER) {
        stl_le_p(s->regs + REG_ANSWER, val & 1);
    } else if (addr == REG_CLEAR) {
        memset(s->regs, 0, REG_END);
        memset(s->slots, 0, PAGE);
    }
    qemu_spin_unlock(&s->lock);
}

static const MemoryRegionOps control_ops = {
    .read = control_read,
    .write = control_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid.min_access_size = 1,
    .valid.max_access_size = 8,
    .impl.min_access_size = 1,
    .impl.max_access_size = 8,
};

static void dmwr_testdev_realize(PCIDevice *dev, Error **errp)
{
    DMWrTestDev *s = DMWR_TESTDEV(dev);

    memory_region_init_io(&s->control, OBJECT(s), &control_ops, s,
                          "dmwr-testdev-control", CONTROL_SIZE);
    memory_region_init(&s->portals, OBJECT(s), "dmwr-testdev-portals",
                       4 * PAGE);
    for (unsigned i = 0; i < ARRAY_SIZE(s->page); i++) {
        DMWrTestPage *p = &s->page[i];

        p->dev = s;
        p->base = i * PAGE;
        memory_region_init_io(&p->mr, OBJECT(s),
                              i < 2 ? &portal_ops : &ordinary_ops, p,
                              "dmwr-testdev-page", PAGE);
        memory_region_add_subregion(&s->portals, p->base, &p->mr);
    }
    memory_region_enable_lockless_io(&s->page[0].mr);

    pci_register_bar(dev, 0, PCI_BASE_ADDRESS_SPACE_MEMORY, &s->control);
    pci_register_bar(dev, 2, PCI_BASE_ADDRESS_SPACE_MEMORY, &s->portals);

    if (pci_bus_is_express(pci_get_bus(dev)) &&
        pcie_endpoint_cap_init(dev, 0) < 0) {
        error_setg(errp, "dmwr-testdev: no room for the PCI Express "
                   "capability");
        return;
    }
    pcie_dmwr_init(&s->dmwr, dev);
}

static void dmwr_testdev_exit(PCIDevice *dev)
{
    pcie_dmwr_exit(&DMWR_TESTDEV(dev)->dmwr);
    pcie_cap_exit(dev);
}

static void dmwr_testdev_init(Object *obj)
{
    qemu_spin_init(&DMWR_TESTDEV(obj)->lock);
}

static void dmwr_testdev_reset(Object *obj, ResetType type)
{
    DMWrTestDev *s = DMWR_TESTDEV(obj);

    qemu_spin_lock(&s->lock);
    memset(s->regs, 0, REG_END);
    memset(s->slots, 0, PAGE);
    qemu_spin_unlock(&s->lock);
    pcie_dmwr_reset(&s->dmwr);
}

static int dmwr_testdev_post_load(void *opaque, int version_id)
{
    DMWrTestDev *s = opaque;

    pcie_dmwr_post_load(&s->dmwr);
    return 0;
}

static const VMStateDescription vmstate_dmwr_testdev = {
    .name = TYPE_DMWR_TESTDEV,
    .version_id = 2,
    .minimum_version_id = 2,
    .post_load = dmwr_testdev_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_PCI_DEVICE(parent_obj, DMWrTestDev),
        VMSTATE_UINT8_ARRAY(regs, DMWrTestDev, REG_END),
        VMSTATE_UINT8_ARRAY(slots, DMWrTestDev, PAGE),
        VMSTATE_END_OF_LIST()
    },
};

static void dmwr_testdev_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *k = PCI_DEVICE_CLASS(klass);

    k->realize = dmwr_testdev_realize;
    k->exit = dmwr_testdev_exit;
    k->vendor_id = PCI_VENDOR_ID_QEMU;
    k->device_id = 0x51f0;          /* not registered anywhere */
    k->class_id = PCI_CLASS_OTHERS;
    dc->desc = "Test device: records 64-byte writes";
    dc->vmsd = &vmstate_dmwr_testdev;
    RESETTABLE_CLASS(klass)->phases.hold = dmwr_testdev_reset;
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);

    dmwr_register_target(&portal_ops, portal_dmwr);
}

static const TypeInfo dmwr_testdev_types[] = {
    {
        .name = TYPE_DMWR_TESTDEV,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(DMWrTestDev),
        .instance_init = dmwr_testdev_init,
        .class_init = dmwr_testdev_class_init,
        .interfaces = (const InterfaceInfo[]) {
            { INTERFACE_PCIE_DEVICE },
            { },
        },
    },
};

DEFINE_TYPES(dmwr_testdev_types)
