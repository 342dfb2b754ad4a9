/*
 * 64-byte writes: to targets, to RAM, to ordinary devices
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/pci/pci_regs.h"
#include "tests/qtest/libqtest.h"
#include "tests/qtest/libqos/pci.h"
#include "tests/qtest/libqos/pci-pc.h"
#include "dmwr-qtest.h"

#define RAM_ADDR 0x200000

/* dmwr-testdev's registers */
#define POSTED      0x00
#define DEFERRABLE  0x04
#define PIECES      0x08
#define OFFSET      0x0c
#define ANSWER      0x14
#define CLEAR       0x18
#define DATA        0x40

typedef struct Fixture {
    QTestState *qts;
    QPCIBus *bus;
    QPCIDevice *dev;
    QPCIBar control, portals;
    uint8_t data[64];
} Fixture;

static void setup(Fixture *f, const void *unused)
{
    f->qts = qtest_init("-machine q35 -nodefaults "
                        "-device dmwr-testdev,addr=4");
    f->bus = qpci_new_pc(f->qts, NULL);
    f->dev = qpci_device_find(f->bus, QPCI_DEVFN(4, 0));
    g_assert_nonnull(f->dev);
    qpci_device_enable(f->dev);
    f->control = qpci_iomap(f->dev, 0, NULL);
    f->portals = qpci_iomap(f->dev, 2, NULL);
    for (unsigned i = 0; i < sizeof(f->data); i++) {
        f->data[i] = 0x80 ^ (i * 3);
    }
}

static void teardown(Fixture *f, const void *unused)
{
    g_free(f->dev);
    qpci_free_pc(f->bus);
    qtest_quit(f->qts);
}

static uint32_t reg(Fixture *f, unsigned offset)
{
    return qpci_io_readl(f->dev, f->control, offset);
}

static void assert_data(Fixture *f)
{
    uint8_t seen[64];

    qpci_memread(f->dev, f->control, DATA, seen, sizeof(seen));
    g_assert_cmpmem(seen, sizeof(seen), f->data, sizeof(f->data));
}

static QTestDMWr portal_write(Fixture *f, unsigned offset, bool deferrable)
{
    return qtest_dmwr(f->qts, f->portals.addr + offset, deferrable, f->data);
}

static void test_ram(Fixture *f, const void *unused)
{
    uint8_t zero[128] = { 0 }, seen[128];

    /* No enqueue register: the data are dropped (SDM vol. 2, ENQCMD) */
    qtest_memset(f->qts, RAM_ADDR, 0, sizeof(zero));
    g_assert_cmpint(qtest_dmwr(f->qts, RAM_ADDR, true, f->data), ==,
                    QTEST_DMWR_RETRY);
    qtest_memread(f->qts, RAM_ADDR, seen, sizeof(seen));
    g_assert_cmpmem(seen, sizeof(seen), zero, sizeof(zero));

    g_assert_cmpint(qtest_dmwr(f->qts, RAM_ADDR, false, f->data), ==,
                    QTEST_DMWR_ACCEPTED);
    qtest_memread(f->qts, RAM_ADDR, seen, sizeof(seen));
    g_assert_cmpmem(seen, 64, f->data, 64);
    g_assert_cmpmem(seen + 64, 64, zero, 64);
}

static void test_misaligned(Fixture *f, const void *unused)
{
    uint8_t zero[192] = { 0 }, seen[192];

    qtest_memset(f->qts, RAM_ADDR, 0, sizeof(zero));
    for (unsigned offset = 1; offset < 64; offset <<= 1) {
        g_assert_cmpint(qtest_dmwr(f->qts, RAM_ADDR + offset, true, f->data),
                        ==, QTEST_DMWR_ERROR);
        g_assert_cmpint(qtest_dmwr(f->qts, RAM_ADDR + offset, false, f->data),
                        ==, QTEST_DMWR_ERROR);
        g_assert_cmpint(portal_write(f, offset, false), ==, QTEST_DMWR_ERROR);
    }
    qtest_memread(f->qts, RAM_ADDR, seen, sizeof(seen));
    g_assert_cmpmem(seen, sizeof(seen), zero, sizeof(zero));
    g_assert_cmpuint(reg(f, POSTED), ==, 0);
    g_assert_cmpuint(reg(f, PIECES), ==, 0);
}

static void test_target(Fixture *f, const void *unused)
{
    static const unsigned slots[] = { 0, 0xfc0, 0x1000, 0x1fc0 };

    for (unsigned i = 0; i < ARRAY_SIZE(slots); i++) {
        for (int deferrable = 0; deferrable < 2; deferrable++) {
            qpci_io_writel(f->dev, f->control, CLEAR, 0);
            g_assert_cmpint(portal_write(f, slots[i], deferrable), ==,
                            QTEST_DMWR_ACCEPTED);
            g_assert_cmpuint(reg(f, POSTED), ==, !deferrable);
            g_assert_cmpuint(reg(f, DEFERRABLE), ==, deferrable);
            g_assert_cmpuint(reg(f, PIECES), ==, 0);
            g_assert_cmpuint(reg(f, OFFSET), ==, slots[i]);
            assert_data(f);
        }
    }
}

static void test_retry(Fixture *f, const void *unused)
{
    qpci_io_writel(f->dev, f->control, ANSWER, 1);
    g_assert_cmpint(portal_write(f, 0x40, true), ==, QTEST_DMWR_RETRY);
    g_assert_cmpuint(reg(f, DEFERRABLE), ==, 1);
    g_assert_cmpuint(reg(f, DATA), ==, 0);

    /* A posted write has no answer */
    g_assert_cmpint(portal_write(f, 0x40, false), ==, QTEST_DMWR_ACCEPTED);
    assert_data(f);

    qpci_io_writel(f->dev, f->control, ANSWER, 0);
    g_assert_cmpint(portal_write(f, 0x80, true), ==, QTEST_DMWR_ACCEPTED);
    g_assert_cmpuint(reg(f, OFFSET), ==, 0x80);
}

static void test_ordinary(Fixture *f, const void *unused)
{
    g_assert_cmpint(portal_write(f, 0x2000, true), ==, QTEST_DMWR_RETRY);
    g_assert_cmpuint(reg(f, PIECES), ==, 0);

    g_assert_cmpint(portal_write(f, 0x2000, false), ==, QTEST_DMWR_ACCEPTED);
    g_assert_cmpuint(reg(f, POSTED), ==, 0);
    g_assert_cmpuint(reg(f, PIECES), ==, 8);
    assert_data(f);

    /* and ordinary writes to a target stay ordinary */
    qpci_io_writel(f->dev, f->control, CLEAR, 0);
    qpci_io_writeq(f->dev, f->portals, 8, 0x1122334455667788);
    g_assert_cmpuint(reg(f, POSTED), ==, 0);
    g_assert_cmpuint(reg(f, PIECES), >=, 1);
}

static void test_nothing(Fixture *f, const void *unused)
{
    g_assert_cmpint(portal_write(f, 0x3000, true), ==, QTEST_DMWR_RETRY);
    g_assert_cmpuint(reg(f, DEFERRABLE), ==, 0);
    g_assert_cmpuint(reg(f, PIECES), ==, 0);

    /* the BAR is gone: so is the target */
    qpci_config_writew(f->dev, PCI_COMMAND, 0);
    g_assert_cmpint(portal_write(f, 0, true), ==, QTEST_DMWR_RETRY);
    qpci_config_writew(f->dev, PCI_COMMAND, PCI_COMMAND_MEMORY);
    g_assert_cmpuint(reg(f, DEFERRABLE), ==, 0);
    g_assert_cmpint(portal_write(f, 0, true), ==, QTEST_DMWR_ACCEPTED);
}

#define ADD(name, fn) \
    qtest_add("/dmwr/" name, Fixture, NULL, setup, fn, teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("ram", test_ram);
    ADD("misaligned", test_misaligned);
    ADD("target", test_target);
    ADD("retry", test_retry);
    ADD("ordinary", test_ordinary);
    ADD("nothing", test_nothing);
    return g_test_run();
}
