/*
 * Untranslated DMA with a PASID: without an IOMMU, with one that does not take
 * PASIDs from devices, and with intel-vtd
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/pci/pci_regs.h"
#include "tests/qtest/libqtest.h"
#include "tests/qtest/libqos/pci.h"
#include "tests/qtest/libqos/pci-pc.h"
#include "vtd-test-lib.h"

#define SLOT 4
#define SID (SLOT << 3)
#define MMIO_SLOT 5         /* dmwr-testdev, as memory that is no RAM */
#define PASID_CONTROL (0x100 + 6)
#define PASID_ENABLE 1
#define PASID_PRIV 4

/* pasid-testdev's registers */
enum {
    PASID = 0x00, PRIV = 0x08, ADDR = 0x10, LEN = 0x18, WRITE = 0x20,
    GO = 0x28, TRANSLATE = 0x30, RESULT = 0x38, DONE = 0x40, OUT = 0x48,
    DATA = 0x800,
};

#define NO_PASID UINT32_MAX
#define THE_PASID 0x1234u
#define PASS_PASID 0x1240u
#define MESSAGE_ADDRESS 0xfee00000ull
#define MEMTX_GOOD 0

/* Guest memory */
#define TABLES 0x1000000
#define PAGE_A 0x2005000
#define PAGE_B 0x2001000
/* Input addresses: two pages, then none; a page that is read-only; a device */
#define INPUT 0x4000000000
#define READ_ONLY (INPUT + 0x10000)
#define DEVICE (INPUT + 0x20000)

typedef struct Fixture {
    QTestState *qts;
    QPCIBus *bus;
    QPCIDevice *dev, *mmio;
    QPCIBar bar, control, portals;
    VTDTest vtd;
} Fixture;

/* The extended capability is reached by ECAM only. */
#define ECAM 0xb0000000

static void pasid_control(Fixture *f, uint16_t value)
{
    qtest_writew(f->qts, ECAM + (SID << 12) + PASID_CONTROL, value);
}

static void setup(Fixture *f, const void *iommu)
{
    f->qts = qtest_initf("-machine q35 -nodefaults %s "
                         "-device pasid-testdev,addr=%d "
                         "-device dmwr-testdev,addr=%d",
                         (const char *)iommu, SLOT, MMIO_SLOT);
    f->bus = qpci_new_pc(f->qts, NULL);
    f->dev = qpci_device_find(f->bus, QPCI_DEVFN(SLOT, 0));
    f->mmio = qpci_device_find(f->bus, QPCI_DEVFN(MMIO_SLOT, 0));
    g_assert_true(f->dev && f->mmio);
    qpci_device_enable(f->dev);
    qpci_device_enable(f->mmio);
    f->bar = qpci_iomap(f->dev, 0, NULL);
    f->control = qpci_iomap(f->mmio, 0, NULL);
    f->portals = qpci_iomap(f->mmio, 2, NULL);

    /* MCH: PCIEXBAR at 0x60 (256 MiB, enabled) of device 0 */
    qtest_outl(f->qts, 0xcf8, 0x80000060);
    qtest_outl(f->qts, 0xcfc, ECAM | 1);
    pasid_control(f, PASID_ENABLE);
}

static void teardown(Fixture *f, const void *iommu)
{
    g_free(f->dev);
    g_free(f->mmio);
    qpci_free_pc(f->bus);
    qtest_quit(f->qts);
}

static uint64_t get(Fixture *f, unsigned reg)
{
    return qpci_io_readq(f->dev, f->bar, reg);
}

static void set(Fixture *f, unsigned reg, uint64_t value)
{
    qpci_io_writeq(f->dev, f->bar, reg, value);
}

static uint64_t transfer(Fixture *f, uint32_t pasid, uint64_t addr,
                         unsigned len, bool is_write)
{
    set(f, PASID, pasid);
    set(f, ADDR, addr);
    set(f, LEN, len);
    set(f, WRITE, is_write);
    set(f, GO, 1);
    return get(f, RESULT);
}

static int translate(Fixture *f, uint32_t pasid, uint64_t addr, bool is_write)
{
    set(f, PASID, pasid);
    set(f, ADDR, addr);
    set(f, WRITE, is_write);
    set(f, TRANSLATE, 1);
    return get(f, RESULT);
}

static void fill_data(Fixture *f, uint64_t value)
{
    for (unsigned i = 0; i < 256; i++) {
        set(f, DATA + i * 8, value + i);
    }
}

/* Whatever there is for an IOMMU: what the device's own registers forbid */
static void check_permissions(Fixture *f)
{
    pasid_control(f, 0);
    g_assert_cmpint(translate(f, 1, INPUT, false), ==, -EPERM);
    pasid_control(f, PASID_ENABLE);
    g_assert_cmpint(translate(f, 0x100000, INPUT, false), ==, -EPERM);
    set(f, PRIV, 1);
    g_assert_cmpint(translate(f, THE_PASID, INPUT, false), ==, -EPERM);
    g_assert_cmpint(translate(f, NO_PASID, PAGE_A, false), ==, -EPERM);
    set(f, PRIV, 0);

    qpci_config_writew(f->dev, PCI_COMMAND, PCI_COMMAND_MEMORY);
    g_assert_cmpint(translate(f, 1, INPUT, false), ==, -EPERM);
    g_assert_cmpint(translate(f, NO_PASID, PAGE_A, false), ==, -EPERM);
    g_assert_cmpuint(transfer(f, NO_PASID, PAGE_A, 8, true), !=, MEMTX_GOOD);
    g_assert_cmpuint(get(f, DONE), ==, 0);
    qpci_config_writew(f->dev, PCI_COMMAND,
                       PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static void test_no_pasid_iommu(Fixture *f, const void *iommu)
{
    check_permissions(f);
    g_assert_cmpint(translate(f, THE_PASID, PAGE_A, false), ==, -ENODEV);
    g_assert_cmpuint(transfer(f, THE_PASID, PAGE_A, 8, false), !=, MEMTX_GOOD);

    /* Without a PASID it is ordinary DMA, here across two pages */
    g_assert_cmpint(translate(f, NO_PASID, PAGE_A + 0x10, false), ==, 0);
    g_assert_cmphex(get(f, OUT), ==, PAGE_A + 0x10);
    g_assert_cmphex(get(f, DONE), ==, 0xff0);
    fill_data(f, 0x1000);
    g_assert_cmpuint(transfer(f, NO_PASID, PAGE_A - 8, 2048, true), ==,
                     MEMTX_GOOD);
    g_assert_cmpuint(get(f, DONE), ==, 2048);
    g_assert_cmphex(qtest_readq(f->qts, PAGE_A - 8), ==, 0x1000);
    g_assert_cmphex(qtest_readq(f->qts, PAGE_A), ==, 0x1001);
    qtest_writeq(f->qts, PAGE_A, 0x2233445566778899);
    g_assert_cmpuint(transfer(f, NO_PASID, PAGE_A, 8, false), ==, MEMTX_GOOD);
    g_assert_cmphex(get(f, DATA), ==, 0x2233445566778899);
}

/* Tables for THE_PASID; returns their root */
static uint64_t build(Fixture *f)
{
    VTDTest *t = &f->vtd;
    uint64_t first, dir, entry;
    const unsigned pdts = 2, context_pasid_enable = 1 << 3;

    vtd_test_init(t, f->qts, true, TABLES, 0x100000);
    first = vtd_test_page(t);
    vtd_test_map_first(t, first, 4, 1, INPUT, PAGE_A, 0x1000);
    vtd_test_map_first(t, first, 4, 1, INPUT + 0x1000, PAGE_B, 0x1000);
    vtd_test_map_first(t, first, 4, 1, READ_ONLY, PAGE_B, 0x1000);
    entry = vtd_test_entry(t, first, 4, 1, READ_ONLY);
    qtest_writeq(f->qts, entry,
                 qtest_readq(f->qts, entry) & ~VTD_TEST_FS_RW);
    vtd_test_map_first(t, first, 4, 1, DEVICE, f->portals.addr + 0x2000,
                       0x1000);
    dir = vtd_test_scalable_context(t, SID, pdts, 0, context_pasid_enable);
    vtd_test_set_pasid(t, dir, THE_PASID, VTD_TEST_FIRST, first, 4, 0, 4, 1);
    vtd_test_set_pasid(t, dir, 0, VTD_TEST_PT, 0, 4, 0, 4, 2);
    vtd_test_set_pasid(t, dir, PASS_PASID, VTD_TEST_PT, 0, 4, 0, 4, 2);
    vtd_test_enable(t);
    return first;
}

static void test_vtd_transfer(Fixture *f, const void *iommu)
{
    build(f);

    g_assert_cmpint(translate(f, THE_PASID, INPUT + 0x1020, false), ==, 0);
    g_assert_cmphex(get(f, OUT), ==, PAGE_B + 0x20);
    g_assert_cmphex(get(f, DONE), ==, 0xfe0);

    /* Pages that neighbour each other in the process only */
    fill_data(f, 0x500);
    g_assert_cmpuint(transfer(f, THE_PASID, INPUT + 0xff8, 24, true), ==,
                     MEMTX_GOOD);
    g_assert_cmpuint(get(f, DONE), ==, 24);
    g_assert_cmphex(qtest_readq(f->qts, PAGE_A + 0xff8), ==, 0x500);
    g_assert_cmphex(qtest_readq(f->qts, PAGE_A + 0x1000), ==, 0);
    g_assert_cmphex(qtest_readq(f->qts, PAGE_B), ==, 0x501);
    g_assert_cmphex(qtest_readq(f->qts, PAGE_B + 8), ==, 0x502);
    fill_data(f, 0);
    g_assert_cmpuint(transfer(f, THE_PASID, INPUT + 0xff8, 16, false), ==,
                     MEMTX_GOOD);
    g_assert_cmphex(get(f, DATA), ==, 0x500);
    g_assert_cmphex(get(f, DATA + 8), ==, 0x501);

    /* Without a PASID: RID_PASID's entry, which is pass-through */
    g_assert_cmpuint(transfer(f, NO_PASID, PAGE_B + 8, 8, false), ==,
                     MEMTX_GOOD);
    g_assert_cmphex(get(f, DATA), ==, 0x502);
}

static void test_vtd_blocked(Fixture *f, const void *iommu)
{
    build(f);
    check_permissions(f);

    /* Another PASID; an address that is not mapped; a write to read-only */
    g_assert_cmpint(translate(f, THE_PASID + 1, INPUT, false), ==, -EFAULT);
    g_assert_cmpint(translate(f, THE_PASID, INPUT + 0x2000, false), ==,
                    -EFAULT);
    g_assert_cmpint(translate(f, THE_PASID, READ_ONLY, false), ==, 0);
    g_assert_cmpint(translate(f, THE_PASID, READ_ONLY, true), ==, -EFAULT);

    /* What comes before the fault is moved */
    fill_data(f, 0x700);
    g_assert_cmpuint(transfer(f, THE_PASID, INPUT + 0x1ff0, 32, true), !=,
                     MEMTX_GOOD);
    g_assert_cmpuint(get(f, DONE), ==, 16);
    g_assert_cmphex(qtest_readq(f->qts, PAGE_B + 0xff8), ==, 0x701);
    g_assert_cmphex(qtest_readq(f->qts, PAGE_B + 0x1000), ==, 0);
}

/* What passes through with a PASID is no interrupt, wherever it goes */
static void test_vtd_pass_through(Fixture *f, const void *iommu)
{
    build(f);
    qtest_writeq(f->qts, PAGE_B, 0x800);
    g_assert_cmpuint(transfer(f, PASS_PASID, PAGE_B, 8, false), ==,
                     MEMTX_GOOD);
    g_assert_cmphex(get(f, DATA), ==, 0x800);
    g_assert_cmpuint(transfer(f, PASS_PASID, MESSAGE_ADDRESS, 4, true), !=,
                     MEMTX_GOOD);
    g_assert_cmpuint(get(f, DONE), ==, 0);
    g_assert_cmpint(translate(f, PASS_PASID, MESSAGE_ADDRESS, true), ==,
                    -EFAULT);
}

/* Memory that is no RAM is reached, too, and needs the big lock. */
static void test_vtd_device(Fixture *f, const void *iommu)
{
    const unsigned pieces = 0x08, offset = 0x0c;

    build(f);
    fill_data(f, 0x8877665544332211);
    g_assert_cmpuint(transfer(f, THE_PASID, DEVICE + 0x18, 8, true), ==,
                     MEMTX_GOOD);
    g_assert_cmpuint(get(f, DONE), ==, 8);
    g_assert_cmpuint(qpci_io_readl(f->mmio, f->control, pieces), ==, 1);
    g_assert_cmphex(qpci_io_readl(f->mmio, f->control, offset), ==, 0x2018);
    g_assert_cmphex(qpci_io_readq(f->mmio, f->control, 0x40 + 0x18), ==,
                    0x8877665544332211);
}

static void test_vtd_invalidate(Fixture *f, const void *iommu)
{
    uint64_t first = build(f);

    g_assert_cmpuint(transfer(f, THE_PASID, INPUT, 8, false), ==, MEMTX_GOOD);
    qtest_writeq(f->qts, vtd_test_entry(&f->vtd, first, 4, 1, INPUT), 0);
    vtd_test_flush_all(&f->vtd);
    g_assert_cmpuint(transfer(f, THE_PASID, INPUT, 8, false), !=, MEMTX_GOOD);
    g_assert_cmpuint(transfer(f, THE_PASID, INPUT + 0x1000, 8, false), ==,
                     MEMTX_GOOD);
}

#define ADD(name, iommu, fn) \
    qtest_add("/pasid-dma/" name, Fixture, iommu, setup, fn, teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("no-iommu", "", test_no_pasid_iommu);
    ADD("intel-iommu", "-device intel-iommu", test_no_pasid_iommu);
    ADD("intel-vtd/transfer", "-device intel-vtd", test_vtd_transfer);
    ADD("intel-vtd/blocked", "-device intel-vtd", test_vtd_blocked);
    ADD("intel-vtd/pass-through", "-device intel-vtd", test_vtd_pass_through);
    ADD("intel-vtd/device", "-device intel-vtd", test_vtd_device);
    ADD("intel-vtd/invalidate", "-device intel-vtd", test_vtd_invalidate);
    return g_test_run();
}
