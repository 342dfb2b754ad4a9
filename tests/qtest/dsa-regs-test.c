/*
 * intel-dsa: configuration space and the register file
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/pci/pci_regs.h"
#include "dsa-test-lib.h"

#define MMIO_SIZE   0x10000

typedef DSATestFixture Fixture;

static void test_identity(Fixture *f, const void *unused)
{
    QPCIDevice *dev = f->t->dev;
    unsigned exp = qpci_find_capability(dev, PCI_CAP_ID_EXP, 0);
    unsigned msix = qpci_find_capability(dev, PCI_CAP_ID_MSIX, 0);

    g_assert_cmphex(qpci_config_readl(dev, 0), ==, 0x0b258086);
    g_assert_cmphex(qpci_config_readl(dev, PCI_CLASS_REVISION) >> 8, ==,
                    0x088000);
    /* 64-bit prefetchable memory */
    g_assert_cmphex(qpci_config_readl(dev, PCI_BASE_ADDRESS_0) & 0xf, ==, 0xc);
    g_assert_cmphex(qpci_config_readl(dev, PCI_BASE_ADDRESS_2) & 0xf, ==, 0xc);
    /* Root complex integrated endpoint with FLR */
    g_assert_cmphex(qpci_config_readw(dev, exp + PCI_EXP_FLAGS) >> 4 & 0xf, ==,
                    9);
    g_assert_true(qpci_config_readl(dev, exp + PCI_EXP_DEVCAP) &
                  PCI_EXP_DEVCAP_FLR);
    /* DMWr Completer, 64 bytes, end-end TLP prefixes */
    g_assert_cmphex(qpci_config_readl(dev, exp + PCI_EXP_DEVCAP2) & 0x70200000,
                    ==, 0x10200000);
    /* One vector for the device and one for each queue */
    g_assert_cmpuint(qpci_config_readw(dev, msix + PCI_MSIX_FLAGS) & 0x7ff, ==,
                     8);
}

static void test_ext_caps(Fixture *f, const void *unused)
{
    DSATest *t = f->t;
    unsigned siov = dsa_test_ext_cap(t, PCI_EXT_CAP_ID_DVSEC);
    unsigned ats = dsa_test_ext_cap(t, PCI_EXT_CAP_ID_ATS);
    unsigned pasid = dsa_test_ext_cap(t, PCI_EXT_CAP_ID_PASID);
    unsigned pri = dsa_test_ext_cap(t, PCI_EXT_CAP_ID_PRI);

    g_assert_cmpuint(dsa_test_ext_cap(t, PCI_EXT_CAP_ID_ERR), !=, 0);

    g_assert_cmpuint(siov, !=, 0);
    g_assert_cmphex(dsa_test_cfg(t, siov + 4), ==, 0x01808086);
    g_assert_cmphex(dsa_test_cfg(t, siov + 8) & 0xffff, ==, 5);
    /* It depends on no other function */
    g_assert_cmphex(dsa_test_cfg(t, siov + 8) >> 16, ==, DSA_TEST_SLOT << 3);
    g_assert_cmphex(dsa_test_cfg(t, siov + 0xc), ==, 1);
    g_assert_cmphex(dsa_test_cfg(t, siov + 0x10), ==, 1);
    g_assert_cmphex(dsa_test_cfg(t, siov + 0x14), ==, 1);
    dsa_test_cfg_write(t, siov + 0x10, 0);
    g_assert_cmphex(dsa_test_cfg(t, siov + 0x10), ==, 1);

    /* Page aligned requests, global invalidation */
    g_assert_cmphex(dsa_test_cfg(t, ats + 4) & 0xffff, ==, 0x60);
    /* 20 bits, privileged mode, no execute permission */
    g_assert_cmphex(dsa_test_cfg(t, pasid + 4) & 0xffff, ==, 0x1404);
    dsa_test_cfg_writew(t, pasid + 6, 0xffff);
    g_assert_cmphex(dsa_test_cfg(t, pasid + 4) >> 16, ==, 5);

    /* Stopped, responses need the PASID */
    g_assert_cmphex(dsa_test_cfg(t, pri + 4), ==, 0x81000000);
    g_assert_cmpuint(dsa_test_cfg(t, pri + 8), ==, 512);
    dsa_test_cfg_writew(t, pri + 4, 1);
    g_assert_cmphex(dsa_test_cfg(t, pri + 4), ==, 0x80000001);
    dsa_test_cfg_writew(t, pri + 4, 2);
    g_assert_cmphex(dsa_test_cfg(t, pri + 4), ==, 0x81000000);
}

static void test_flr_config(Fixture *f, const void *unused)
{
    DSATest *t = f->t;
    unsigned ats = dsa_test_ext_cap(t, PCI_EXT_CAP_ID_ATS);
    unsigned pasid = dsa_test_ext_cap(t, PCI_EXT_CAP_ID_PASID);
    unsigned pri = dsa_test_ext_cap(t, PCI_EXT_CAP_ID_PRI);

    dsa_test_cfg_writew(t, ats + 6, 0x8000);
    dsa_test_cfg_writew(t, pasid + 6, 5);
    dsa_test_cfg_write(t, pri + 12, 32);
    dsa_test_cfg_writew(t, pri + 4, 1);
    dsa_test_flr(t);
    g_assert_cmphex(dsa_test_cfg(t, ats + 4) >> 16, ==, 0);
    g_assert_cmphex(dsa_test_cfg(t, pasid + 4) >> 16, ==, 0);
    g_assert_cmphex(dsa_test_cfg(t, pri + 4), ==, 0x81000000);
    g_assert_cmphex(dsa_test_cfg(t, pri + 12), ==, 0);
}

static void test_caps(Fixture *f, const void *unused)
{
    DSATest *t = f->t;

    g_assert_cmphex(dsa_test_read(t, DSA_TEST_VERSION), ==, 0x100);
    g_assert_cmphex(dsa_test_read64(t, DSA_TEST_GENCAP), ==, 0x40915f010f);
    g_assert_cmphex(dsa_test_read64(t, DSA_TEST_WQCAP), ==,
                    0x003f000000080080);
    g_assert_cmphex(dsa_test_read64(t, DSA_TEST_GRPCAP), ==, 0x36004);
    g_assert_cmphex(dsa_test_read64(t, DSA_TEST_ENGCAP), ==, 4);
    g_assert_cmphex(dsa_test_read64(t, DSA_TEST_OPCAP), ==, 0x1003f03ff);
    g_assert_cmphex(dsa_test_read64(t, DSA_TEST_OPCAP + 8), ==, 0);
    g_assert_cmphex(dsa_test_read(t, DSA_TEST_CMDCAP), ==, 0);
    /* Tables lie in BAR0 and do not overlap each other or MSI-X */
    g_assert_cmphex(t->grpcfg + t->groups * 64, <=, t->wqcfg);
    g_assert_cmphex(t->wqcfg + t->wqs * 32, <=, t->msixperm);
    g_assert_cmphex(t->msixperm + (t->wqs + 1) * 8, <=, 0x2000);
    g_assert_cmphex(t->ims, >=, 0x4000);
    g_assert_cmphex(t->ims + 2048 * 16, <=, MMIO_SIZE);
}

static void test_properties(Fixture *f, const void *unused)
{
    DSATest *t = f->t;

    g_assert_cmphex(dsa_test_read64(t, DSA_TEST_GENCAP), ==, 0x4080000000 |
                    0x5f010e | 1 << 4 | 1 << 25 | 1ull << 24);
    g_assert_cmphex(dsa_test_read64(t, DSA_TEST_WQCAP), ==,
                    0x003a000000020010);
    g_assert_cmphex(dsa_test_read64(t, DSA_TEST_GRPCAP), ==, 0x30801);
    g_assert_cmphex(dsa_test_read64(t, DSA_TEST_ENGCAP), ==, 2);
    g_assert_cmphex(dsa_test_read(t, DSA_TEST_CMDCAP), ==, 0x7ffe);
    g_assert_cmpuint(dsa_test_ext_cap(t, PCI_EXT_CAP_ID_ATS), ==, 0);
    g_assert_cmpuint(dsa_test_ext_cap(t, PCI_EXT_CAP_ID_PASID), ==, 0);
    g_assert_cmpuint(dsa_test_ext_cap(t, PCI_EXT_CAP_ID_PRI), ==, 0);
    /* What is beyond the last queue and group is not there */
    dsa_test_write(t, t->wqcfg + 2 * 32, 1);
    g_assert_cmphex(dsa_test_read(t, t->wqcfg + 2 * 32), ==, 0);
    dsa_test_write(t, t->grpcfg + 64, 1);
    g_assert_cmphex(dsa_test_read(t, t->grpcfg + 64), ==, 0);
}

static void test_access_sizes(Fixture *f, const void *unused)
{
    DSATest *t = f->t;
    uint64_t whole = dsa_test_read64(t, DSA_TEST_GENCAP);
    unsigned i;

    for (i = 0; i < 8; i++) {
        g_assert_cmphex(qpci_io_readb(t->dev, t->mmio, DSA_TEST_GENCAP + i),
                        ==, whole >> (i * 8) & 0xff);
    }
    for (i = 0; i < 8; i += 2) {
        g_assert_cmphex(qpci_io_readw(t->dev, t->mmio, DSA_TEST_GENCAP + i),
                        ==, whole >> (i * 8) & 0xffff);
    }
    g_assert_cmphex(dsa_test_read(t, DSA_TEST_GENCAP + 4), ==, whole >> 32);

    /* Writes of every size touch their bytes alone */
    dsa_test_write64(t, t->grpcfg, 0x1122334455667788);
    qpci_io_writeb(t->dev, t->mmio, t->grpcfg + 3, 0xaa);
    qpci_io_writew(t->dev, t->mmio, t->grpcfg + 4, 0xbbcc);
    g_assert_cmphex(dsa_test_read64(t, t->grpcfg), ==, 0x1122bbccaa667788);
    dsa_test_write(t, t->grpcfg + 4, 0x01020304);
    g_assert_cmphex(dsa_test_read64(t, t->grpcfg), ==, 0x01020304aa667788);
}

/* Which bits of a doubleword of BAR0 can be written, device disabled */
static uint32_t writable(DSATest *t, unsigned addr)
{
    static const uint32_t grp[16] = {
        [0] = ~0u, [1] = ~0u, [8] = ~0u, [9] = ~0u, [10] = 0x0ff0ffbf,
    };
    static const uint32_t wq[8] = {
        0xffff, 0xffff, 0x3ffffff7, 0x1ff, 0x1ffff, 0x1ffff,
    };
    static const uint32_t ims[4] = { 0xfffffffc, ~0u, ~0u, 0xfffff00d };

    if (addr == DSA_TEST_GENCFG) {
        return 0x10ff;
    } else if (addr == DSA_TEST_GENCTRL) {
        return 3;
    } else if (addr >= t->grpcfg && addr < t->grpcfg + 4 * 64) {
        return grp[(addr - t->grpcfg) % 64 / 4];
    } else if (addr >= t->wqcfg && addr < t->wqcfg + 8 * 32) {
        return wq[(addr - t->wqcfg) % 32 / 4];
    } else if (addr >= t->msixperm && addr < t->msixperm + 9 * 8) {
        return addr % 8 ? 0 : 0xfffff00c;
    } else if (addr >= t->ims && addr < t->ims + 2048 * 16) {
        return ims[(addr - t->ims) % 16 / 4];
    }
    return 0;
}

static bool swept(unsigned addr)
{
    /* CMD is an action; MSI-X belongs to PCI */
    return addr != DSA_TEST_CMD && !(addr >= 0x2000 && addr < 0x4000);
}

static void test_sweep(Fixture *f, const void *unused)
{
    /* All of the IMS is one row: look at its ends and one in the middle */
    static const struct { unsigned from, to; } parts[] = {
        { 0, 0x2000 }, { 0x4000, 0x4040 }, { 0x8000, 0x8040 },
        { 0xc000, 0xc040 }, { 0xffc0, MMIO_SIZE },
    };
    DSATest *t = f->t;
    unsigned i, addr;

    for (i = 0; i < ARRAY_SIZE(parts); i++) {
        for (addr = parts[i].from; addr < parts[i].to; addr += 4) {
            uint32_t was, rw = writable(t, addr);

            if (!swept(addr)) {
                continue;
            }
            was = dsa_test_read(t, addr);
            g_assert_cmphex(was & rw, ==, 0);
            dsa_test_write(t, addr, ~0u);
            g_assert_cmphex(dsa_test_read(t, addr), ==, was | rw);
            dsa_test_write(t, addr, 0);
            g_assert_cmphex(dsa_test_read(t, addr), ==, was);
        }
    }
}

static void test_reset_values(Fixture *f, const void *unused)
{
    DSATest *t = f->t;

    dsa_test_write(t, DSA_TEST_GENCFG, 0x1010);
    dsa_test_write(t, DSA_TEST_GENCTRL, 3);
    dsa_test_write(t, t->wqcfg, 16);
    dsa_test_write64(t, t->grpcfg, 1);
    dsa_test_write(t, t->msixperm + 8, 0x1008);
    dsa_test_write(t, t->ims + 12, 1);
    dsa_test_cmd_ok(t, DSA_TEST_RESET_DEV, 0);
    g_assert_cmphex(dsa_test_read(t, DSA_TEST_GENCFG), ==, 0);
    g_assert_cmphex(dsa_test_read(t, DSA_TEST_GENCTRL), ==, 0);
    g_assert_cmphex(dsa_test_read(t, t->wqcfg), ==, 0);
    g_assert_cmphex(dsa_test_read(t, t->grpcfg), ==, 0);
    g_assert_cmphex(dsa_test_read(t, t->msixperm + 8), ==, 0);
    g_assert_cmphex(dsa_test_read(t, t->ims + 12), ==, 0);
    g_assert_cmphex(dsa_test_read64(t, DSA_TEST_GENCAP), ==, 0x40915f010f);
}

static void test_write_protection(Fixture *f, const void *unused)
{
    DSATest *t = f->t;

    dsa_test_one_wq(t, 16, 0);
    dsa_test_write(t, DSA_TEST_GENCFG, 0x10ff);
    g_assert_cmphex(dsa_test_read(t, DSA_TEST_GENCFG), ==, 0);
    dsa_test_write64(t, t->grpcfg, 0xff);
    g_assert_cmphex(dsa_test_read64(t, t->grpcfg), ==, 1);
    /* GENCTRL stays writable */
    dsa_test_write(t, DSA_TEST_GENCTRL, 1);
    g_assert_cmphex(dsa_test_read(t, DSA_TEST_GENCTRL), ==, 1);

    /* An enabled queue keeps its configuration, a disabled one all but size */
    dsa_test_wq(t, 0, 99, 9, 0);
    g_assert_cmphex(dsa_test_wqcfg(t, 0, 0), ==, 16);
    g_assert_cmphex(dsa_test_wqcfg(t, 0, 1), ==, 0);
    g_assert_cmphex(dsa_test_wqcfg(t, 0, 2), ==, 0x11);
    dsa_test_wq(t, 1, 99, 9, 0x20);
    g_assert_cmphex(dsa_test_wqcfg(t, 1, 0), ==, 0);
    g_assert_cmphex(dsa_test_wqcfg(t, 1, 1), ==, 9);
    g_assert_cmphex(dsa_test_wqcfg(t, 1, 2), ==, 0x20);
    g_assert_cmphex(dsa_test_wqcfg(t, 0, 6) >> 30, ==, 1);
    g_assert_cmphex(dsa_test_wqcfg(t, 1, 6) >> 30, ==, 0);
}

/* SWERR: the first error stays, later ones overflow, software clears both */
static void test_swerr(Fixture *f, const void *unused)
{
    static const DSATestDesc first = { .opcode = 0x03, .pasid = 0x12345 };
    static const DSATestDesc second = { .opcode = 0x04 };
    DSATest *t = f->t;
    uint64_t err = 0x0123450300025000 | 1 << 2 | 1 << 3;

    dsa_test_submit(t, 2, &first);
    g_assert_cmphex(dsa_test_read64(t, DSA_TEST_SWERR), ==, err | 1);
    /* Nobody asked for the interrupt */
    g_assert_cmphex(dsa_test_read(t, DSA_TEST_INTCAUSE), ==, 0);

    dsa_test_write(t, DSA_TEST_GENCTRL, 1);
    dsa_test_submit(t, 1, &second);
    g_assert_cmphex(dsa_test_read64(t, DSA_TEST_SWERR), ==, err | 3);
    g_assert_cmphex(dsa_test_read(t, DSA_TEST_INTCAUSE), ==, 1);

    dsa_test_write64(t, DSA_TEST_SWERR, 2);
    g_assert_cmphex(dsa_test_read64(t, DSA_TEST_SWERR), ==, err | 1);
    dsa_test_write64(t, DSA_TEST_SWERR, 1);
    g_assert_cmphex(dsa_test_read64(t, DSA_TEST_SWERR), ==, 0);
    dsa_test_write(t, DSA_TEST_INTCAUSE, 2);
    g_assert_cmphex(dsa_test_read(t, DSA_TEST_INTCAUSE), ==, 1);
    dsa_test_write(t, DSA_TEST_INTCAUSE, 1);
    g_assert_cmphex(dsa_test_read(t, DSA_TEST_INTCAUSE), ==, 0);

    dsa_test_submit(t, 1, &second);
    g_assert_cmphex(dsa_test_read64(t, DSA_TEST_SWERR), ==,
                    0x000000040001500d);
    g_assert_cmphex(dsa_test_read(t, DSA_TEST_INTCAUSE), ==, 1);
}

static void test_portal_reads(Fixture *f, const void *unused)
{
    DSATest *t = f->t;

    g_assert_cmphex(qpci_io_readl(t->dev, t->portals, 0), ==, ~0u);
    g_assert_cmphex(qpci_io_readb(t->dev, t->portals, 0x1fff), ==, 0xff);
    g_assert_cmphex(qpci_io_readq(t->dev, t->portals, 0x1c000), ==, ~0ull);
}

/* IMS entries send their message, and what was masked once it is unmasked */
static void test_ims_mask(Fixture *f, const void *unused)
{
    DSATest *t = f->t;
    uint64_t entry = t->ims + 5 * 16;

    dsa_test_write64(t, entry, 0x100000);
    dsa_test_write(t, entry + 8, 0xabcd);
    dsa_test_write(t, entry + 12, 1);
    /* The occupancy interrupt of an empty queue fires when it is armed */
    dsa_test_group(t, 0, 1, 1);
    dsa_test_wq(t, 0, 8, 0, DSA_TEST_WQ_DEDICATED | DSA_TEST_WQ_PRIO(1));
    dsa_test_write(t, t->wqcfg + 16, 1 << 16 | 5);
    dsa_test_cmd_ok(t, DSA_TEST_ENABLE_DEV, 0);
    dsa_test_cmd_ok(t, DSA_TEST_ENABLE_WQ, 0);
    dsa_test_write(t, t->wqcfg + 20, 1 << 16 | 2);
    g_assert_cmphex(dsa_test_wqcfg(t, 0, 5), ==, 2);
    g_assert_cmphex(dsa_test_wqcfg(t, 0, 6) & 0x1ffff, ==, 0x10000);
    g_assert_cmphex(dsa_test_read(t, DSA_TEST_INTCAUSE), ==, 4);

    g_assert_cmphex(dsa_test_read(t, entry + 12), ==, 3);
    g_assert_cmphex(qtest_readl(t->qts, 0x100000), ==, 0);
    dsa_test_write(t, entry + 12, 0);
    g_assert_cmphex(dsa_test_read(t, entry + 12), ==, 0);
    g_assert_cmphex(qtest_readl(t->qts, 0x100000), ==, 0xabcd);
}

#define REG_TEST(name, props, fn) \
    qtest_add("/dsa/regs/" name, Fixture, props, dsa_test_setup, fn, \
              dsa_test_teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    REG_TEST("identity", NULL, test_identity);
    REG_TEST("ext-caps", NULL, test_ext_caps);
    REG_TEST("flr-config", NULL, test_flr_config);
    REG_TEST("caps", NULL, test_caps);
    REG_TEST("properties", ",wqs=2,wq-size=16,groups=1,engines=2,"
             "read-buffers=8,ims=256,ats=off,pri=off,pasid=off,shared=off,"
             "block-on-fault=off,int-handles=on", test_properties);
    REG_TEST("access-sizes", NULL, test_access_sizes);
    REG_TEST("sweep", NULL, test_sweep);
    REG_TEST("reset-values", NULL, test_reset_values);
    REG_TEST("write-protection", NULL, test_write_protection);
    REG_TEST("swerr", NULL, test_swerr);
    REG_TEST("portal-reads", NULL, test_portal_reads);
    REG_TEST("ims-mask", NULL, test_ims_mask);
    return g_test_run();
}
