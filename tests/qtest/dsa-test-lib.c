/*
 * Driving an intel-dsa from a qtest
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/pci/pci_regs.h"
#include "tests/qtest/libqos/pci-pc.h"
#include "dsa-test-lib.h"
#include "migrate-lib.h"

/* Where the firmware puts q35's memory-mapped configuration space */
#define MMCONFIG_BASE   0xb0000000ULL
#define MCH_PCIEXBAR    0x60
#define DEVFN           (DSA_TEST_SLOT << 3)
/* Base and limit of a bridge's window: all that BARs may be put in */
#define PORT_WINDOW     0xfeb0e000
#define PORTALS_PER_WQ  0x4000
#define PORTAL_SIZE     0x1000
/* How often to look for something that other threads do */
#define WAIT_STEP_US    200
#define WAIT_STEPS      (30 * 1000 * 1000 / WAIT_STEP_US)

uint32_t dsa_test_read(DSATest *t, uint64_t reg)
{
    return qpci_io_readl(t->dev, t->mmio, reg);
}

uint64_t dsa_test_read64(DSATest *t, uint64_t reg)
{
    return qpci_io_readq(t->dev, t->mmio, reg);
}

void dsa_test_write(DSATest *t, uint64_t reg, uint32_t val)
{
    qpci_io_writel(t->dev, t->mmio, reg, val);
}

void dsa_test_write64(DSATest *t, uint64_t reg, uint64_t val)
{
    qpci_io_writeq(t->dev, t->mmio, reg, val);
}

static uint64_t cfg_addr(DSATest *t, unsigned offset)
{
    return MMCONFIG_BASE + (t->bdf << 12) + offset;
}

uint32_t dsa_test_cfg(DSATest *t, unsigned offset)
{
    return qtest_readl(t->qts, cfg_addr(t, offset));
}

void dsa_test_cfg_write(DSATest *t, unsigned offset, uint32_t val)
{
    qtest_writel(t->qts, cfg_addr(t, offset), val);
}

void dsa_test_cfg_writew(DSATest *t, unsigned offset, uint16_t val)
{
    qtest_writew(t->qts, cfg_addr(t, offset), val);
}

unsigned dsa_test_ext_cap(DSATest *t, uint16_t id)
{
    unsigned pos = 0x100, steps;

    for (steps = 0; pos && steps < 100; steps++) {
        uint32_t header = dsa_test_cfg(t, pos);

        if ((header & 0xffff) == id) {
            return pos;
        }
        pos = header >> 20;
    }
    return 0;
}

static void map_device(DSATest *t)
{
    uint64_t offsets;

    qpci_device_enable(t->dev);
    offsets = dsa_test_read64(t, DSA_TEST_OFFSETS);
    t->grpcfg = (offsets & 0xffff) * 0x100;
    t->wqcfg = (offsets >> 16 & 0xffff) * 0x100;
    t->msixperm = (offsets >> 32 & 0xffff) * 0x100;
    t->ims = (offsets >> 48) * 0x100;
    t->wqs = dsa_test_read64(t, DSA_TEST_WQCAP) >> 16 & 0xff;
    t->wq_size = dsa_test_read64(t, DSA_TEST_WQCAP) & 0xffff;
    t->groups = dsa_test_read64(t, DSA_TEST_GRPCAP) & 0xff;
    t->engines = dsa_test_read64(t, DSA_TEST_ENGCAP) & 0xff;
}

char *dsa_test_args(const char *props, const char *machine)
{
    return g_strdup_printf("-machine q35 -nodefaults %s "
                           "-device intel-dsa,id=dsa,addr=%u%s", machine,
                           DSA_TEST_SLOT, props);
}

static DSATest *attach(QTestState *qts, unsigned port, unsigned bdf)
{
    DSATest *t = g_new0(DSATest, 1);
    QPCIDevice *mch;

    t->qts = qts;
    t->bdf = bdf;
    t->bus = qpci_new_pc(qts, NULL);
    mch = qpci_device_find(t->bus, 0);
    g_assert_nonnull(mch);
    qpci_config_writel(mch, MCH_PCIEXBAR, MMCONFIG_BASE | 1);
    g_free(mch);
    if (port) {
        uint64_t at = MMCONFIG_BASE + (port << 15);

        qtest_writel(qts, at + PCI_PRIMARY_BUS, 0x00010100);
        qtest_writel(qts, at + PCI_MEMORY_BASE, PORT_WINDOW);
        qtest_writew(qts, at + PCI_COMMAND,
                     PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    }

    t->dev = qpci_device_find(t->bus, bdf);
    g_assert_nonnull(t->dev);
    t->mmio = qpci_iomap(t->dev, 0, NULL);
    t->portals = qpci_iomap(t->dev, 2, NULL);
    map_device(t);
    return t;
}

DSATest *dsa_test_attach(QTestState *qts)
{
    return attach(qts, 0, DEVFN);
}

DSATest *dsa_test_attach_behind(QTestState *qts, unsigned slot)
{
    return attach(qts, slot, 1 << 8);
}

void dsa_test_detach(DSATest *t)
{
    g_free(t->dev);
    qpci_free_pc(t->bus);
    g_free(t);
}

DSATest *dsa_test_start(const char *props, const char *machine)
{
    g_autofree char *args = dsa_test_args(props, machine);

    return dsa_test_attach(qtest_init(args));
}

void dsa_test_move(DSATest *t, QTestState *qts)
{
    g_free(t->dev);
    qpci_free_pc(t->bus);
    qtest_quit(t->qts);
    t->qts = qts;
    t->bus = qpci_new_pc(qts, NULL);
    t->dev = qpci_device_find(t->bus, t->bdf);
    g_assert_nonnull(t->dev);
}

void dsa_test_stop(DSATest *t)
{
    QTestState *qts = t->qts;

    dsa_test_detach(t);
    qtest_quit(qts);
}

void dsa_test_setup(DSATestFixture *f, const void *props)
{
    f->t = dsa_test_start(props ? props : "", "");
}

void dsa_test_teardown(DSATestFixture *f, const void *props)
{
    dsa_test_stop(f->t);
}

void dsa_test_flr(DSATest *t)
{
    unsigned cap = qpci_find_capability(t->dev, PCI_CAP_ID_EXP, 0);
    uint16_t ctl = qpci_config_readw(t->dev, cap + PCI_EXP_DEVCTL);

    qpci_config_writew(t->dev, cap + PCI_EXP_DEVCTL,
                       ctl | PCI_EXP_DEVCTL_BCR_FLR);
    /* The reset forgets BARs */
    qpci_config_writel(t->dev, PCI_BASE_ADDRESS_0, t->mmio.addr);
    qpci_config_writel(t->dev, PCI_BASE_ADDRESS_2, t->portals.addr);
    map_device(t);
}

void dsa_test_cmd_start(DSATest *t, uint32_t code, uint32_t operand)
{
    uint32_t int_req = code & DSA_TEST_CMD_INT;

    dsa_test_write(t, DSA_TEST_CMD,
                   int_req | (code & ~DSA_TEST_CMD_INT) << 20 | operand);
}

uint32_t dsa_test_cmd_wait(DSATest *t)
{
    unsigned i;

    for (i = 0; i < WAIT_STEPS; i++) {
        uint32_t sts = dsa_test_read(t, DSA_TEST_CMDSTS);

        if (!(sts & DSA_TEST_CMDSTS_ACTIVE)) {
            return sts;
        }
        g_usleep(WAIT_STEP_US);
    }
    g_error("the command stays active");
}

uint8_t dsa_test_cmd(DSATest *t, uint32_t code, uint32_t operand)
{
    dsa_test_cmd_start(t, code, operand);
    return dsa_test_cmd_wait(t);
}

void dsa_test_cmd_ok(DSATest *t, uint32_t code, uint32_t operand)
{
    g_assert_cmphex(dsa_test_cmd(t, code, operand), ==, 0);
}

void dsa_test_group(DSATest *t, unsigned group, uint64_t wqs, uint64_t engines)
{
    uint64_t base = t->grpcfg + group * 64;
    uint64_t rdbufs = dsa_test_read64(t, DSA_TEST_GRPCAP) >> 8 & 0xff;

    dsa_test_write64(t, base, wqs);
    dsa_test_write64(t, base + 32, engines);
    dsa_test_write64(t, base + 40, rdbufs << 20);
}

static uint64_t wqcfg_addr(DSATest *t, unsigned wq, unsigned dword)
{
    return t->wqcfg + wq * 32 + dword * 4;
}

void dsa_test_wq(DSATest *t, unsigned wq, unsigned size, unsigned threshold,
                 uint32_t mode)
{
    uint64_t gencap = dsa_test_read64(t, DSA_TEST_GENCAP);

    dsa_test_write(t, wqcfg_addr(t, wq, 0), size);
    dsa_test_write(t, wqcfg_addr(t, wq, 1), threshold);
    dsa_test_write(t, wqcfg_addr(t, wq, 2), mode);
    dsa_test_write(t, wqcfg_addr(t, wq, 3),
                   (gencap >> 16 & 0x1f) | (gencap >> 21 & 0xf) << 5);
}

uint64_t dsa_test_wqcfg(DSATest *t, unsigned wq, unsigned dword)
{
    return dsa_test_read(t, wqcfg_addr(t, wq, dword));
}

void dsa_test_one_wq(DSATest *t, unsigned size, uint32_t mode)
{
    dsa_test_group(t, 0, 1, 1);
    dsa_test_wq(t, 0, size, 0,
                mode | DSA_TEST_WQ_DEDICATED | DSA_TEST_WQ_PRIO(1));
    dsa_test_cmd_ok(t, DSA_TEST_ENABLE_DEV, 0);
    dsa_test_cmd_ok(t, DSA_TEST_ENABLE_WQ, 0);
}

unsigned dsa_test_occupancy(DSATest *t, unsigned wq)
{
    return dsa_test_wqcfg(t, wq, 6) & 0xffff;
}

uint8_t dsa_test_swerr(DSATest *t)
{
    uint64_t err = dsa_test_read64(t, DSA_TEST_SWERR);

    dsa_test_write64(t, DSA_TEST_SWERR, 3);
    return err & 1 ? err >> 8 & 0xff : 0;
}

uint8_t dsa_test_wait_swerr(DSATest *t)
{
    unsigned i;

    for (i = 0; i < WAIT_STEPS; i++) {
        uint64_t err = dsa_test_read64(t, DSA_TEST_SWERR);

        if (err & 1) {
            return err >> 8 & 0xff;
        }
        g_usleep(WAIT_STEP_US);
    }
    g_error("no error in SWERR");
}

uint8_t *dsa_test_put_random(DSATest *t, uint64_t at, size_t len)
{
    uint8_t *data = g_malloc(len);

    for (size_t i = 0; i < len; i++) {
        data[i] = g_test_rand_int();
    }
    qtest_memwrite(t->qts, at, data, len);
    return data;
}

void dsa_test_expect_bytes(DSATest *t, uint64_t at, const uint8_t *want,
                           size_t len)
{
    g_autofree uint8_t *got = g_malloc(len);

    qtest_memread(t->qts, at, got, len);
    g_assert_cmpmem(got, len, want, len);
}

void dsa_test_pause(DSATest *t)
{
    qtest_qmp_assert_success(t->qts, "{ 'execute': 'stop' }");
}

void dsa_test_resume(DSATest *t)
{
    qtest_qmp_assert_success(t->qts, "{ 'execute': 'cont' }");
}

void dsa_test_migrate(DSATest *t, const char *props)
{
    g_autofree char *args = dsa_test_args(props, "-incoming defer");
    g_autofree char *dir = g_dir_make_tmp("dsa-test-XXXXXX", NULL);
    g_autofree char *path = g_strdup_printf("%s/state", dir);
    g_autofree char *uri = g_strdup_printf("file:%s", path);
    QTestState *to = qtest_init(args);

    qtest_qmp_assert_success(t->qts, "{ 'execute': 'migrate', 'arguments': "
                             "{ 'uri': %s } }", uri);
    migrate_wait(t->qts);
    qtest_qmp_assert_success(to, "{ 'execute': 'migrate-incoming', "
                             "'arguments': { 'uri': %s } }", uri);
    migrate_wait(to);
    unlink(path);
    rmdir(dir);
    dsa_test_move(t, to);
}

void dsa_test_desc(const DSATestDesc *d, uint8_t raw[64])
{
    unsigned i;

    memset(raw, 0, 64);
    stl_le_p(raw, d->pasid | (uint32_t)d->priv << 31);
    stl_le_p(raw + 0x04, d->flags | (uint32_t)d->opcode << 24);
    stq_le_p(raw + 0x08, d->cr);
    stq_le_p(raw + 0x10, d->addr1);
    stq_le_p(raw + 0x18, d->addr2);
    stl_le_p(raw + 0x20, d->size);
    stw_le_p(raw + 0x24, d->int_handle);
    for (i = 0; i < ARRAY_SIZE(d->op); i++) {
        stq_le_p(raw + 0x28 + i * 8, d->op[i]);
    }
}

QTestDMWr dsa_test_submit_raw(DSATest *t, unsigned wq, unsigned page,
                              bool deferrable, const uint8_t raw[64])
{
    return qtest_dmwr(t->qts, t->portals.addr + wq * PORTALS_PER_WQ +
                      page * PORTAL_SIZE, deferrable, raw);
}

QTestDMWr dsa_test_submit(DSATest *t, unsigned wq, const DSATestDesc *d)
{
    uint8_t raw[64];

    dsa_test_desc(d, raw);
    return dsa_test_submit_raw(t, wq, 0, false, raw);
}

QTestDMWr dsa_test_enqueue(DSATest *t, unsigned wq, unsigned page,
                           const DSATestDesc *d)
{
    uint8_t raw[64];

    dsa_test_desc(d, raw);
    return dsa_test_submit_raw(t, wq, page, true, raw);
}

void dsa_test_clear_cr(DSATest *t, uint64_t gpa)
{
    qtest_memset(t->qts, gpa, 0, DSA_TEST_CR_SIZE);
}

uint8_t dsa_test_wait_cr(DSATest *t, uint64_t gpa)
{
    unsigned i;

    for (i = 0; i < WAIT_STEPS; i++) {
        uint8_t status = qtest_readb(t->qts, gpa);

        if (status) {
            return status;
        }
        g_usleep(WAIT_STEP_US);
    }
    g_error("no completion record at 0x%" PRIx64, gpa);
}

void dsa_test_msix(DSATest *t, unsigned vector, uint64_t gpa, uint32_t data)
{
    unsigned cap = qpci_find_capability(t->dev, PCI_CAP_ID_MSIX, 0);
    uint32_t table = qpci_config_readl(t->dev, cap + PCI_MSIX_TABLE);
    uint64_t entry = (table & ~7u) + vector * 16;

    g_assert_cmpuint(table & 7, ==, 0);
    dsa_test_write(t, entry, gpa);
    dsa_test_write(t, entry + 4, gpa >> 32);
    dsa_test_write(t, entry + 8, data);
    dsa_test_write(t, entry + 12, 0);
    qpci_config_writew(t->dev, cap + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE);
}

void dsa_test_wait_u32(DSATest *t, uint64_t gpa, uint32_t data)
{
    unsigned i;

    for (i = 0; i < WAIT_STEPS; i++) {
        if (qtest_readl(t->qts, gpa) == data) {
            return;
        }
        g_usleep(WAIT_STEP_US);
    }
    g_error("0x%x does not appear at 0x%" PRIx64, data, gpa);
}
