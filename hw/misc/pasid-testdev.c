/*
 * pasid-testdev: a test device that sends untranslated requests with a PASID
 *
 * It has a PASID capability and does DMA by pci_pasid_dma_rw() when a register
 * says so; it is of no use to a real guest.
 *
 * BAR 0, 4 KiB, registers of 64 bits:
 *   0x00 PASID     2^32 - 1 for none
 *   0x08 PRIV      1: privileged mode requested
 *   0x10 ADDR
 *   0x18 LEN       up to 2048
 *   0x20 WRITE     0: memory to DATA, 1: DATA to memory
 *   0x28 GO        a write starts and finishes a transfer: RESULT is the
 *                  MemTxResult, DONE the bytes that were moved
 *   0x30 TRANSLATE a write only translates: RESULT is pci_pasid_translate()'s,
 *                  as a negative number, DONE the length, OUT the address
 *   0x38 RESULT, 0x40 DONE, 0x48 OUT: read-only
 *   0x800 DATA     2048 bytes
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/module.h"
#include "qemu/rcu.h"
#include "qemu/units.h"
#include "hw/pci/pasid-dma.h"
#include "hw/pci/pci_device.h"
#include "hw/pci/pcie.h"
#include "migration/vmstate.h"

#define TYPE_PASID_TESTDEV "pasid-testdev"
OBJECT_DECLARE_SIMPLE_TYPE(PasidTestDev, PASID_TESTDEV)

#define DATA_AT 0x800
#define DATA_SIZE 0x800

enum {
    REG_PASID, REG_PRIV, REG_ADDR, REG_LEN, REG_WRITE, REG_SETTINGS,
    REG_GO = REG_SETTINGS, REG_TRANSLATE, REG_RESULT, REG_DONE, REG_OUT,
    REG_END,
};

struct PasidTestDev {
    PCIDevice parent_obj;

    MemoryRegion mmio;
    uint64_t regs[REG_END];
    uint8_t data[DATA_SIZE];
};

static void testdev_go(PasidTestDev *s)
{
    uint64_t len = MIN(s->regs[REG_LEN], DATA_SIZE);
    hwaddr done;

    s->regs[REG_RESULT] =
        pci_pasid_dma_rw(PCI_DEVICE(s), s->regs[REG_PASID], s->regs[REG_PRIV],
                         s->regs[REG_ADDR], s->data, len,
                         s->regs[REG_WRITE] ? DMA_DIRECTION_FROM_DEVICE
                                            : DMA_DIRECTION_TO_DEVICE,
                         &done);
    s->regs[REG_DONE] = done;
}

static void testdev_translate(PasidTestDev *s)
{
    PCIPasidMapping map = { };
    int64_t ret;

    RCU_READ_LOCK_GUARD();
    ret = pci_pasid_translate(PCI_DEVICE(s), s->regs[REG_PASID],
                              s->regs[REG_PRIV], s->regs[REG_ADDR],
                              s->regs[REG_WRITE] ? IOMMU_WO : IOMMU_RO, &map);
    s->regs[REG_RESULT] = ret;
    s->regs[REG_DONE] = ret ? 0 : map.len;
    s->regs[REG_OUT] = ret ? 0 : map.addr;
}

static uint64_t testdev_read(void *opaque, hwaddr addr, unsigned size)
{
    PasidTestDev *s = opaque;

    if (addr >= DATA_AT) {
        return ldq_le_p(s->data + addr - DATA_AT);
    }
    return addr / 8 < REG_END ? s->regs[addr / 8] : 0;
}

static void testdev_write(void *opaque, hwaddr addr, uint64_t val,
                          unsigned size)
{
    PasidTestDev *s = opaque;
    unsigned reg = addr / 8;

    if (addr >= DATA_AT) {
        stq_le_p(s->data + addr - DATA_AT, val);
    } else if (reg < REG_SETTINGS) {
        s->regs[reg] = val;
    } else if (reg == REG_GO) {
        testdev_go(s);
    } else if (reg == REG_TRANSLATE) {
        testdev_translate(s);
    }
}

static const MemoryRegionOps testdev_ops = {
    .read = testdev_read,
    .write = testdev_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid.min_access_size = 8,
    .valid.max_access_size = 8,
    .impl.min_access_size = 8,
    .impl.max_access_size = 8,
};

static void testdev_realize(PCIDevice *dev, Error **errp)
{
    PasidTestDev *s = PASID_TESTDEV(dev);

    if (!pci_bus_is_express(pci_get_bus(dev))) {
        error_setg(errp, "pasid-testdev needs a PCI Express bus: use a "
                   "machine that has one, such as q35, and bus=pcie.0");
        return;
    }
    memory_region_init_io(&s->mmio, OBJECT(s), &testdev_ops, s,
                          "pasid-testdev", 4 * KiB);
    pci_register_bar(dev, 0, PCI_BASE_ADDRESS_SPACE_MEMORY, &s->mmio);
    pcie_endpoint_cap_init(dev, 0x40);
    pcie_pasid_init(dev, 0x100, PCI_EXT_CAP_PASID_MAX_WIDTH, false, true);
}

static void testdev_exit(PCIDevice *dev)
{
    pcie_cap_exit(dev);
}

static void testdev_reset(Object *obj, ResetType type)
{
    PasidTestDev *s = PASID_TESTDEV(obj);

    memset(s->regs, 0, sizeof(s->regs));
    memset(s->data, 0, sizeof(s->data));
}

static const VMStateDescription vmstate_pasid_testdev = {
    .name = TYPE_PASID_TESTDEV,
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_PCI_DEVICE(parent_obj, PasidTestDev),
        VMSTATE_UINT64_ARRAY(regs, PasidTestDev, REG_END),
        VMSTATE_UINT8_ARRAY(data, PasidTestDev, DATA_SIZE),
        VMSTATE_END_OF_LIST()
    },
};

static void testdev_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *k = PCI_DEVICE_CLASS(klass);

    k->realize = testdev_realize;
    k->exit = testdev_exit;
    k->vendor_id = PCI_VENDOR_ID_QEMU;
    k->device_id = 0x51f2;          /* not registered anywhere */
    k->class_id = PCI_CLASS_OTHERS;
    dc->desc = "Test device: DMA with a PASID";
    dc->vmsd = &vmstate_pasid_testdev;
    RESETTABLE_CLASS(klass)->phases.hold = testdev_reset;
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
}

static const TypeInfo pasid_testdev_types[] = {
    {
        .name = TYPE_PASID_TESTDEV,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(PasidTestDev),
        .class_init = testdev_class_init,
        .interfaces = (const InterfaceInfo[]) {
            { INTERFACE_PCIE_DEVICE },
            { },
        },
    },
};

DEFINE_TYPES(pasid_testdev_types)
