/*
 * intel-dsa: commands, with every status code that they can end with
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/pci/pci_regs.h"
#include "dsa-test-lib.h"

#define DWQ (DSA_TEST_WQ_DEDICATED | DSA_TEST_WQ_PRIO(1))
#define MSG 0x100000

typedef DSATestFixture Fixture;

static void expect(DSATest *t, uint32_t code, uint32_t operand, uint8_t status)
{
    g_assert_cmphex(dsa_test_cmd(t, code, operand), ==, status);
}

static void fresh(DSATest *t)
{
    dsa_test_cmd_ok(t, DSA_TEST_RESET_DEV, 0);
}

/* Queue 0 on engine 0, device not yet enabled */
static void configure(DSATest *t)
{
    fresh(t);
    dsa_test_group(t, 0, 1, 1);
    dsa_test_wq(t, 0, 16, 0, DWQ);
}

static void set_word(DSATest *t, unsigned cap, unsigned offset, uint16_t val)
{
    dsa_test_cfg_writew(t, dsa_test_ext_cap(t, cap) + offset, val);
}

static void test_codes(Fixture *f, const void *unused)
{
    DSATest *t = f->t;
    unsigned code;

    expect(t, 0, 0, 0x01);
    for (code = DSA_TEST_REQUEST_HANDLE; code < 32; code++) {
        expect(t, code, 0, 0x01);
    }
    /* Part of a write of CMD is none */
    configure(t);
    qpci_io_writew(t->dev, t->mmio, DSA_TEST_CMD + 2, 1 << 4);
    qpci_io_writeb(t->dev, t->mmio, DSA_TEST_CMD, 0);
    g_assert_cmphex(dsa_test_read(t, DSA_TEST_GENSTS), ==, 0);
    /* Wider ones are */
    dsa_test_write64(t, DSA_TEST_CMD, 1 << 20);
    g_assert_cmphex(dsa_test_read(t, DSA_TEST_GENSTS), ==, 1);
}

static void test_enable_device(Fixture *f, const void *unused)
{
    DSATest *t = f->t;
    unsigned pri = dsa_test_ext_cap(t, PCI_EXT_CAP_ID_PRI);
    uint16_t cmd;

    configure(t);
    expect(t, DSA_TEST_ENABLE_DEV, 1, 0x04);
    dsa_test_cmd_ok(t, DSA_TEST_ENABLE_DEV, 0);
    g_assert_cmphex(dsa_test_read(t, DSA_TEST_GENSTS), ==, 1);
    expect(t, DSA_TEST_ENABLE_DEV, 0, 0x10);

    /* A queue, then an engine, that does not exist */
    configure(t);
    dsa_test_group(t, 0, 0x101, 1);
    expect(t, DSA_TEST_ENABLE_DEV, 0, 0x11);
    dsa_test_group(t, 0, 1, 0x11);
    expect(t, DSA_TEST_ENABLE_DEV, 0, 0x11);

    configure(t);
    cmd = qpci_config_readw(t->dev, PCI_COMMAND);
    qpci_config_writew(t->dev, PCI_COMMAND, cmd & ~PCI_COMMAND_MASTER);
    expect(t, DSA_TEST_ENABLE_DEV, 0, 0x12);
    qpci_config_writew(t->dev, PCI_COMMAND, cmd);

    /* Page requests with no allocation, with one beyond the capacity */
    dsa_test_cfg_writew(t, pri + 4, 1);
    expect(t, DSA_TEST_ENABLE_DEV, 0, 0x13);
    dsa_test_cfg_writew(t, pri + 4, 0);
    dsa_test_cfg_write(t, pri + 12, 513);
    dsa_test_cfg_writew(t, pri + 4, 1);
    expect(t, DSA_TEST_ENABLE_DEV, 0, 0x13);
    dsa_test_cfg_write(t, pri + 12, 512);
    dsa_test_cmd_ok(t, DSA_TEST_ENABLE_DEV, 0);

    configure(t);
    dsa_test_wq(t, 0, t->wq_size + 1, 0, DWQ);
    expect(t, DSA_TEST_ENABLE_DEV, 0, 0x14);
    dsa_test_wq(t, 0, 0, 0, DWQ);
    expect(t, DSA_TEST_ENABLE_DEV, 0, 0x14);
    dsa_test_wq(t, 0, t->wq_size, 0, DWQ);
    dsa_test_cmd_ok(t, DSA_TEST_ENABLE_DEV, 0);
}

static void test_groups(Fixture *f, const void *unused)
{
    DSATest *t = f->t;

    configure(t);
    dsa_test_group(t, 0, 1, 0);
    expect(t, DSA_TEST_ENABLE_DEV, 0, 0x15);
    dsa_test_group(t, 0, 1, 1);
    dsa_test_group(t, 3, 0, 2);
    expect(t, DSA_TEST_ENABLE_DEV, 0, 0x15);

    /* A queue in two groups, a queue with a size in none */
    dsa_test_group(t, 3, 1, 2);
    expect(t, DSA_TEST_ENABLE_DEV, 0, 0x16);
    dsa_test_group(t, 3, 0, 0);
    dsa_test_wq(t, 7, 4, 0, DWQ);
    expect(t, DSA_TEST_ENABLE_DEV, 0, 0x16);

    dsa_test_group(t, 1, 0x80, 1);
    expect(t, DSA_TEST_ENABLE_DEV, 0, 0x17);
    dsa_test_group(t, 1, 0x80, 2);
    dsa_test_cmd_ok(t, DSA_TEST_ENABLE_DEV, 0);
}

static void test_read_buffers(Fixture *f, const void *unused)
{
    static const struct {
        unsigned reserved, allowed;
        uint8_t status;
    } cases[] = {
        { 0, 0, 0x18 }, { 0, 97, 0x18 }, { 97, 96, 0x18 }, { 20, 10, 0x18 },
        { 96, 96, 0 }, { 10, 20, 0 },
    };
    DSATest *t = f->t;
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        configure(t);
        dsa_test_write64(t, t->grpcfg + 40, cases[i].reserved << 8 |
                         (uint64_t)cases[i].allowed << 20);
        expect(t, DSA_TEST_ENABLE_DEV, 0, cases[i].status);
    }
    /* Two groups reserve more than there is */
    configure(t);
    dsa_test_group(t, 1, 2, 2);
    dsa_test_wq(t, 1, 16, 0, DWQ);
    dsa_test_write64(t, t->grpcfg + 40, 50 << 8 | 96 << 20);
    dsa_test_write64(t, t->grpcfg + 64 + 40, 47 << 8 | 96 << 20);
    expect(t, DSA_TEST_ENABLE_DEV, 0, 0x18);
    dsa_test_write64(t, t->grpcfg + 64 + 40, 46 << 8 | 96 << 20);
    dsa_test_cmd_ok(t, DSA_TEST_ENABLE_DEV, 0);
}

/* What WQCFG to give queue 0, and what ENABLE_WQ says to it */
typedef struct EnableCase {
    unsigned size, threshold;
    uint32_t mode;
    uint32_t dw3, dw4, dw5;
    uint8_t status;
} EnableCase;

static void enable_case(DSATest *t, const EnableCase *c)
{
    configure(t);
    /* Another queue keeps the sum of sizes good if this one's is 0 */
    dsa_test_group(t, 0, 3, 1);
    dsa_test_wq(t, 1, 16, 0, DWQ);
    dsa_test_write(t, t->wqcfg, c->size);
    dsa_test_write(t, t->wqcfg + 4, c->threshold);
    dsa_test_write(t, t->wqcfg + 8, c->mode);
    dsa_test_write(t, t->wqcfg + 12, c->dw3);
    dsa_test_write(t, t->wqcfg + 16, c->dw4);
    dsa_test_write(t, t->wqcfg + 20, c->dw5);
    dsa_test_cmd_ok(t, DSA_TEST_ENABLE_DEV, 0);
    expect(t, DSA_TEST_ENABLE_WQ, 0, c->status);
    g_assert_cmphex(dsa_test_wqcfg(t, 0, 6) >> 30, ==, c->status ? 0 : 1);
}

static void test_enable_wq(Fixture *f, const void *unused)
{
    static const EnableCase cases[] = {
        { 16, 0, DWQ, .status = 0 },
        { 0, 0, DWQ, .status = 0x22 },
        { 16, 0, DSA_TEST_WQ_DEDICATED, .status = 0x23 },
        { 16, 0, DWQ | DSA_TEST_WQ_BOF, .status = 0 },
        /* PASIDs are not enabled */
        { 16, 0, DWQ | DSA_TEST_WQ_PASID(7), .status = 0x26 },
        /* A shared queue has to have them */
        { 16, 8, DSA_TEST_WQ_PRIO(1), .status = 0x26 },
        { 16, 0, DWQ, .dw3 = 10 << 5 | 31, .status = 0 },
        { 16, 0, DWQ, .dw3 = 11 << 5, .status = 0x27 },
        { 16, 0, DWQ, .dw4 = 1, .dw5 = 1 << 16 | 15, .status = 0 },
        { 16, 0, DWQ, .dw4 = 1, .dw5 = 1 << 16 | 16, .status = 0x2b },
        { 16, 0, DWQ, .dw4 = 9, .dw5 = 1 << 16 | 15, .status = 0x2b },
        { 16, 0, DWQ, .dw4 = 1 << 16 | 2047, .dw5 = 1 << 16, .status = 0 },
        { 16, 0, DWQ, .dw4 = 1 << 16 | 2048, .dw5 = 1 << 16, .status = 0x2b },
        { 16, 0, DWQ | DSA_TEST_WQ_ATS_DISABLE, .status = 0 },
        { 16, 0, DWQ | DSA_TEST_WQ_PRIV, .status = 0 },
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        enable_case(f->t, &cases[i]);
    }
    expect(f->t, DSA_TEST_ENABLE_WQ, 0, 0x21);
    expect(f->t, DSA_TEST_ENABLE_WQ, 8, 0x02);
    expect(f->t, DSA_TEST_ENABLE_WQ, 1 << 16, 0x04);
    fresh(f->t);
    expect(f->t, DSA_TEST_ENABLE_WQ, 0, 0x20);
}

static void test_enable_wq_pasid(Fixture *f, const void *unused)
{
    static const EnableCase cases[] = {
        { 16, 0, DWQ | DSA_TEST_WQ_PASID(7), .status = 0 },
        { 16, 8, DSA_TEST_WQ_PRIO(1) | DSA_TEST_WQ_PASID(0), .status = 0 },
        { 16, 17, DSA_TEST_WQ_PRIO(1) | DSA_TEST_WQ_PASID(0),
          .status = 0x22 },
        { 16, 0, DWQ | DSA_TEST_WQ_PASID(7) | DSA_TEST_WQ_PRIV,
          .status = 0x2a },
    };
    unsigned i;

    set_word(f->t, PCI_EXT_CAP_ID_PASID, 6, 1);
    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        enable_case(f->t, &cases[i]);
    }
    set_word(f->t, PCI_EXT_CAP_ID_PASID, 6, 5);
    enable_case(f->t, &(EnableCase) {
        16, 0, DWQ | DSA_TEST_WQ_PASID(7) | DSA_TEST_WQ_PRIV });
}

/* A device without the features that WQCFG asks for */
static void test_enable_wq_poor(Fixture *f, const void *unused)
{
    static const EnableCase cases[] = {
        { 16, 0, DWQ, .status = 0 },
        { 16, 8, DSA_TEST_WQ_PRIO(1), .status = 0x24 },
        { 16, 0, DWQ | DSA_TEST_WQ_BOF, .status = 0x25 },
        { 16, 0, DWQ | DSA_TEST_WQ_PASID(7), .status = 0x26 },
        { 16, 0, DWQ | DSA_TEST_WQ_ATS_DISABLE, .status = 0x2c },
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        enable_case(f->t, &cases[i]);
    }
}

static void test_not_enabled(Fixture *f, const void *unused)
{
    static const uint32_t device[] = {
        DSA_TEST_DISABLE_DEV, DSA_TEST_DRAIN_ALL, DSA_TEST_ABORT_ALL,
        DSA_TEST_DRAIN_PASID, DSA_TEST_ABORT_PASID,
    };
    DSATest *t = f->t;
    uint32_t code;
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(device); i++) {
        expect(t, device[i], 0, 0x31);
    }
    for (code = DSA_TEST_DISABLE_WQ; code <= DSA_TEST_RESET_WQ; code++) {
        expect(t, code, 1, 0x32);
        expect(t, code, 0x100, 0x02);
        expect(t, code, 0x10001, 0x02);
        expect(t, code, 0, 0x02);
    }
    dsa_test_one_wq(t, 16, 0);
    for (i = 0; i < ARRAY_SIZE(device); i++) {
        if (device[i] <= DSA_TEST_ABORT_ALL) {
            expect(t, device[i], 1, 0x04);
        }
    }
    expect(t, DSA_TEST_DRAIN_WQ, 3, 0x32);
    expect(t, DSA_TEST_DRAIN_WQ, 1, 0);
    expect(t, DSA_TEST_DRAIN_ALL, 0, 0);
    expect(t, DSA_TEST_DRAIN_PASID, 0xfffff, 0);
    expect(t, DSA_TEST_ABORT_WQ, 1, 0);
    expect(t, DSA_TEST_ABORT_ALL, 0, 0);
    expect(t, DSA_TEST_ABORT_PASID, 5, 0);
    g_assert_cmphex(dsa_test_wqcfg(t, 0, 6) >> 30, ==, 1);
}

/* Disabling keeps WQCFG; a reset clears all but the size */
static void test_disable_reset(Fixture *f, const void *unused)
{
    DSATest *t = f->t;

    dsa_test_one_wq(t, 16, 0);
    expect(t, DSA_TEST_DISABLE_WQ, 1, 0);
    g_assert_cmphex(dsa_test_wqcfg(t, 0, 0), ==, 16);
    g_assert_cmphex(dsa_test_wqcfg(t, 0, 2), ==, DWQ);
    g_assert_cmphex(dsa_test_wqcfg(t, 0, 6), ==, 0);
    dsa_test_cmd_ok(t, DSA_TEST_ENABLE_WQ, 0);

    expect(t, DSA_TEST_RESET_WQ, 1, 0);
    g_assert_cmphex(dsa_test_wqcfg(t, 0, 0), ==, 16);
    g_assert_cmphex(dsa_test_wqcfg(t, 0, 2), ==, 0);
    g_assert_cmphex(dsa_test_wqcfg(t, 0, 3), ==, 0);
    dsa_test_wq(t, 0, 16, 0, DWQ);
    dsa_test_cmd_ok(t, DSA_TEST_ENABLE_WQ, 0);

    expect(t, DSA_TEST_DISABLE_DEV, 0, 0);
    g_assert_cmphex(dsa_test_read(t, DSA_TEST_GENSTS), ==, 0);
    g_assert_cmphex(dsa_test_wqcfg(t, 0, 2), ==, DWQ);
    g_assert_cmphex(dsa_test_wqcfg(t, 0, 6), ==, 0);
    dsa_test_cmd_ok(t, DSA_TEST_ENABLE_DEV, 0);
    dsa_test_cmd_ok(t, DSA_TEST_ENABLE_WQ, 0);
}

/* INTCAUSE and the message come only if the command asks for them */
static void test_interrupt(Fixture *f, const void *unused)
{
    DSATest *t = f->t;

    dsa_test_msix(t, 0, MSG, 0x5a);
    fresh(t);
    g_assert_cmphex(dsa_test_read(t, DSA_TEST_INTCAUSE), ==, 0);
    g_assert_cmphex(qtest_readl(t->qts, MSG), ==, 0);

    expect(t, DSA_TEST_CMD_INT | DSA_TEST_DRAIN_ALL, 0, 0x31);
    g_assert_cmphex(dsa_test_read(t, DSA_TEST_INTCAUSE), ==, 2);
    dsa_test_wait_u32(t, MSG, 0x5a);

    /* Not again while software has not seen the first */
    qtest_writel(t->qts, MSG, 0);
    expect(t, DSA_TEST_CMD_INT | DSA_TEST_RESET_DEV, 0, 0);
    g_assert_cmphex(dsa_test_read(t, DSA_TEST_INTCAUSE), ==, 2);
    dsa_test_wait_u32(t, MSG, 0x5a);
    dsa_test_write(t, DSA_TEST_INTCAUSE, 2);
    g_assert_cmphex(dsa_test_read(t, DSA_TEST_INTCAUSE), ==, 0);
}

/* An asynchronous command ends with its interrupt too */
static void test_drain_interrupt(Fixture *f, const void *unused)
{
    DSATest *t = f->t;

    dsa_test_msix(t, 0, MSG, 0x77);
    dsa_test_one_wq(t, 16, 0);
    dsa_test_cmd_start(t, DSA_TEST_CMD_INT | DSA_TEST_DISABLE_DEV, 0);
    dsa_test_wait_u32(t, MSG, 0x77);
    g_assert_cmphex(dsa_test_read(t, DSA_TEST_CMDSTS), ==, 0);
    g_assert_cmphex(dsa_test_read(t, DSA_TEST_INTCAUSE), ==, 2);
}

static void test_handles(Fixture *f, const void *unused)
{
    DSATest *t = f->t;

    dsa_test_cmd_start(t, DSA_TEST_REQUEST_HANDLE, 3);
    g_assert_cmphex(dsa_test_cmd_wait(t), ==, 3 << 8);
    dsa_test_cmd_start(t, DSA_TEST_REQUEST_HANDLE, 1 << 16 | 2047);
    g_assert_cmphex(dsa_test_cmd_wait(t), ==, 2047 << 8);
    expect(t, DSA_TEST_REQUEST_HANDLE, 9, 0x41);
    expect(t, DSA_TEST_REQUEST_HANDLE, 1 << 16 | 2048, 0x41);
    expect(t, DSA_TEST_REQUEST_HANDLE, 1 << 17, 0x04);
    expect(t, DSA_TEST_RELEASE_HANDLE, 4, 0x43);
    expect(t, DSA_TEST_RELEASE_HANDLE, 3, 0);
    expect(t, DSA_TEST_RELEASE_HANDLE, 3, 0x43);
    expect(t, DSA_TEST_RELEASE_HANDLE, 1 << 16 | 2047, 0);
    expect(t, 15, 0, 0x01);
}

/* DSA appendix, error 0x51, and what an FLR makes of it */
static void test_bus_master_off(Fixture *f, const void *unused)
{
    DSATest *t = f->t;
    uint16_t cmd = qpci_config_readw(t->dev, PCI_COMMAND);

    dsa_test_one_wq(t, 16, 0);
    qpci_config_writew(t->dev, PCI_COMMAND, cmd & ~PCI_COMMAND_MASTER);
    qpci_config_writew(t->dev, PCI_COMMAND, cmd);
    g_assert_cmphex(dsa_test_read(t, DSA_TEST_GENSTS), ==, 3 | 1 << 2);
    g_assert_cmphex(dsa_test_read64(t, DSA_TEST_SWERR), ==, 0x5101);
    g_assert_cmphex(dsa_test_wqcfg(t, 0, 6), ==, 0);
    expect(t, DSA_TEST_RESET_DEV, 0, 0x03);
    dsa_test_flr(t);
    g_assert_cmphex(dsa_test_read(t, DSA_TEST_GENSTS), ==, 0);
    g_assert_cmphex(dsa_test_read64(t, DSA_TEST_SWERR), ==, 0);
    dsa_test_one_wq(t, 16, 0);
}

#define CMD_TEST(name, props, fn) \
    qtest_add("/dsa/cmd/" name, Fixture, props, dsa_test_setup, fn, \
              dsa_test_teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    CMD_TEST("codes", NULL, test_codes);
    CMD_TEST("enable-device", NULL, test_enable_device);
    CMD_TEST("groups", NULL, test_groups);
    CMD_TEST("read-buffers", NULL, test_read_buffers);
    CMD_TEST("enable-wq", NULL, test_enable_wq);
    CMD_TEST("enable-wq-pasid", NULL, test_enable_wq_pasid);
    CMD_TEST("enable-wq-poor", ",ats=off,pri=off,pasid=off,shared=off,"
             "block-on-fault=off", test_enable_wq_poor);
    CMD_TEST("not-enabled", NULL, test_not_enabled);
    CMD_TEST("disable-reset", NULL, test_disable_reset);
    CMD_TEST("interrupt", NULL, test_interrupt);
    CMD_TEST("drain-interrupt", NULL, test_drain_interrupt);
    CMD_TEST("handles", ",int-handles=on", test_handles);
    CMD_TEST("bus-master-off", NULL, test_bus_master_off);
    return g_test_run();
}
