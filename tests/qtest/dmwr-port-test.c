/*
 * Deferrable Memory Writes on their way through ports: what capabilities say,
 * which bits can be written, what gets through, and when that changes
 *
 * The tree, with bus numbers as the test gives them:
 *   bus 0   slot 5: root port          slot 6: another one, with nothing below
 *   bus 1   switch upstream port
 *   bus 2   slots 0 and 1: switch downstream ports
 *   bus 3   dmwr-testdev or intel-dsa  bus 4: another dmwr-testdev
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/pci/pci_regs.h"
#include "tests/qtest/libqtest.h"
#include "tests/qtest/libqos/pci-pc.h"
#include "dmwr-qtest.h"
#include "migrate-lib.h"

#define TREE \
    "-machine q35 -nodefaults " \
    "-global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off " \
    "-device pcie-root-port,id=rp,addr=5,chassis=1,slot=1 " \
    "-device pcie-root-port,id=empty,addr=6,chassis=1,slot=2 " \
    "-device x3130-upstream,id=up,bus=rp " \
    "-device xio3130-downstream,id=dn0,bus=up,addr=0,chassis=2,slot=1 " \
    "-device xio3130-downstream,id=dn1,bus=up,addr=1,chassis=2,slot=2 "

#define MMCONFIG_BASE   0xb0000000ULL
#define MCH_PCIEXBAR    0x60
#define FUNC(bus, slot) ((bus) << 20 | (slot) << 15)
#define ROOT            FUNC(0, 5)
#define EMPTY           FUNC(0, 6)
#define UP              FUNC(1, 0)
#define DOWN0           FUNC(2, 0)
#define DOWN1           FUNC(2, 1)
#define DEV0            FUNC(3, 0)
#define DEV1            FUNC(4, 0)

/* Below each bridge 16 MiB in a window of its own kind */
#define WINDOW          0xe0000000u
#define WINDOW_SIZE     0x01000000u
#define BAR_AT(n)       (WINDOW + (n) * 0x00400000u)

/* PCIe 6.0: 7.5.3.15, 7.7.9, 7.8.4 */
#define DEVCAP2_DMWR    (7u << 28)
#define DEVCAP2_64      (1u << 28)
#define EXT_DEV3        0x2f
#define DEV3_CAP        0x04
#define DEV3_CTL        0x08
#define DEV3_STA        0x0c
#define ROUTING         1u
#define REQUESTER       1u
#define BLOCK           2u
#define AER             0x100
#define UNC_DMWR        (1u << 27)
#define COR_ADVISORY    (1u << 13)

/* dmwr-testdev */
#define TEST_POSTED     0x00
#define TEST_DEFERRABLE 0x04
#define TEST_CLEAR      0x18
#define TEST_PORTALS    0x10000     /* where the test puts BAR 2 */

typedef struct Fixture {
    QTestState *qts;
} Fixture;

/* --- configuration space -------------------------------------------------- */

static uint32_t get(QTestState *q, uint32_t at)
{
    return qtest_readl(q, MMCONFIG_BASE + at);
}

static void put(QTestState *q, uint32_t at, uint32_t val)
{
    qtest_writel(q, MMCONFIG_BASE + at, val);
}

static void put16(QTestState *q, uint32_t at, uint16_t val)
{
    qtest_writew(q, MMCONFIG_BASE + at, val);
}

static uint32_t find_cap(QTestState *q, uint32_t func, uint8_t id)
{
    uint8_t pos = get(q, func + PCI_CAPABILITY_LIST);
    unsigned steps;

    for (steps = 0; pos && steps < 48; steps++) {
        uint32_t header = get(q, func + pos);

        if ((header & 0xff) == id) {
            return func + pos;
        }
        pos = header >> 8;
    }
    return 0;
}

static uint32_t find_ext(QTestState *q, uint32_t func, uint16_t id)
{
    uint32_t pos = 0x100;
    unsigned steps;

    for (steps = 0; pos && steps < 100; steps++) {
        uint32_t header = get(q, func + pos);

        if ((header & 0xffff) == id) {
            return func + pos;
        }
        pos = header >> 20;
    }
    return 0;
}

/* Device 3 of a port, which must have it */
static uint32_t dev3(QTestState *q, uint32_t port)
{
    uint32_t at = find_ext(q, port, EXT_DEV3);

    g_assert_cmphex(at, !=, 0);
    return at;
}

static void set_control(QTestState *q, uint32_t port, uint32_t val)
{
    put(q, dev3(q, port) + DEV3_CTL, val);
}

static uint32_t control(QTestState *q, uint32_t port)
{
    return get(q, dev3(q, port) + DEV3_CTL);
}

/* --- the tree ------------------------------------------------------------- */

static void set_bridge(QTestState *q, uint32_t func, unsigned from,
                       unsigned first, unsigned last)
{
    uint32_t window = (WINDOW + WINDOW_SIZE - 1) >> 16 << 16 | WINDOW >> 16;

    put(q, func + PCI_PRIMARY_BUS, last << 16 | first << 8 | from);
    put(q, func + PCI_MEMORY_BASE, window & 0xfff0fff0);
    put16(q, func + PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
          PCI_COMMAND_SERR);
    put16(q, func + PCI_BRIDGE_CONTROL, PCI_BRIDGE_CTL_SERR);
}

static void set_device(QTestState *q, uint32_t func, unsigned n)
{
    put(q, func + PCI_BASE_ADDRESS_0, BAR_AT(n));
    put(q, func + PCI_BASE_ADDRESS_2, BAR_AT(n) + TEST_PORTALS);
    put16(q, func + PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static void set_tree(QTestState *q)
{
    set_bridge(q, ROOT, 0, 1, 4);
    set_bridge(q, UP, 1, 2, 4);
    set_bridge(q, DOWN0, 2, 3, 3);
    set_bridge(q, DOWN1, 2, 4, 4);
    /* Half the window each */
    put(q, DOWN0 + PCI_MEMORY_BASE,
        ((BAR_AT(1) - 1) >> 16 << 16 | WINDOW >> 16) & 0xfff0fff0);
    put(q, DOWN1 + PCI_MEMORY_BASE,
        ((WINDOW + WINDOW_SIZE - 1) >> 16 << 16 | BAR_AT(1) >> 16) &
        0xfff0fff0);
}

static QTestState *start(const char *more)
{
    QTestState *q = qtest_initf(TREE "%s", more);
    QPCIBus *bus = qpci_new_pc(q, NULL);
    QPCIDevice *mch = qpci_device_find(bus, 0);

    qpci_config_writel(mch, MCH_PCIEXBAR, MMCONFIG_BASE | 1);
    g_free(mch);
    qpci_free_pc(bus);
    set_tree(q);
    return q;
}

static void setup(Fixture *f, const void *data)
{
    f->qts = start(data ?: "-device dmwr-testdev,id=dev0,bus=dn0");
    set_device(f->qts, DEV0, 0);
}

static void teardown(Fixture *f, const void *unused)
{
    qtest_quit(f->qts);
}

/* --- what gets through ---------------------------------------------------- */

static QTestDMWr write64(QTestState *q, unsigned n, bool deferrable)
{
    static const uint8_t data[64] = { 0x5a };

    return qtest_dmwr(q, BAR_AT(n) + TEST_PORTALS, deferrable, data);
}

/* Deferrable writes get through or not; posted ones do, always */
static void expect_through(QTestState *q, unsigned n, bool through)
{
    qtest_writel(q, BAR_AT(n) + TEST_CLEAR, 0);
    g_assert_cmpint(write64(q, n, true), ==,
                    through ? QTEST_DMWR_ACCEPTED : QTEST_DMWR_RETRY);
    g_assert_cmpuint(qtest_readl(q, BAR_AT(n) + TEST_DEFERRABLE), ==, through);
    g_assert_cmpint(write64(q, n, false), ==, QTEST_DMWR_ACCEPTED);
    g_assert_cmpuint(qtest_readl(q, BAR_AT(n) + TEST_POSTED), ==, 1);
}

static void test_endpoint(Fixture *f, const void *unused)
{
    uint32_t exp = find_cap(f->qts, DEV0, PCI_CAP_ID_EXP);

    g_assert_cmphex(exp, !=, 0);
    g_assert_cmphex(get(f->qts, exp + PCI_EXP_DEVCAP2) & DEVCAP2_DMWR, ==,
                    DEVCAP2_64);
    put(f->qts, exp + PCI_EXP_DEVCAP2, 0);
    g_assert_cmphex(get(f->qts, exp + PCI_EXP_DEVCAP2) & DEVCAP2_DMWR, ==,
                    DEVCAP2_64);
}

static void test_port_capability(Fixture *f, const void *unused)
{
    static const struct {
        uint32_t port, bits;
    } cases[] = {
        { ROOT, REQUESTER | BLOCK }, { UP, BLOCK }, { DOWN0, BLOCK },
    };
    QTestState *q = f->qts;
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        uint32_t at = dev3(q, cases[i].port);
        uint32_t exp = find_cap(q, cases[i].port, PCI_CAP_ID_EXP);

        /* Version 1, the last of the list */
        g_assert_cmphex(get(q, at), ==, EXT_DEV3 | 1 << 16);
        g_assert_cmphex(get(q, at + DEV3_CAP), ==, ROUTING);
        g_assert_cmphex(get(q, at + DEV3_CTL), ==, 0);
        g_assert_cmphex(get(q, at + DEV3_STA), ==, 0);
        put(q, at, ~0u);
        put(q, at + DEV3_CAP, ~0u);
        put(q, at + DEV3_CTL, ~0u);
        put(q, at + DEV3_STA, ~0u);
        g_assert_cmphex(get(q, at), ==, EXT_DEV3 | 1 << 16);
        g_assert_cmphex(get(q, at + DEV3_CAP), ==, ROUTING);
        g_assert_cmphex(get(q, at + DEV3_CTL), ==, cases[i].bits);
        g_assert_cmphex(get(q, at + DEV3_STA), ==, 0);
        put(q, at + DEV3_CTL, 0);
        g_assert_cmphex(get(q, at + DEV3_CTL), ==, 0);
        /* Ports route and complete none */
        g_assert_cmphex(get(q, exp + PCI_EXP_DEVCAP2) & DEVCAP2_DMWR, ==, 0);
        /* The error: cleared by ones, masked at first, never fatal */
        g_assert_cmphex(get(q, cases[i].port + AER + PCI_ERR_UNCOR_MASK) &
                        UNC_DMWR, ==, UNC_DMWR);
        put(q, cases[i].port + AER + PCI_ERR_UNCOR_MASK, 0);
        g_assert_cmphex(get(q, cases[i].port + AER + PCI_ERR_UNCOR_MASK) &
                        UNC_DMWR, ==, 0);
        put(q, cases[i].port + AER + PCI_ERR_UNCOR_SEVER, ~0u);
        g_assert_cmphex(get(q, cases[i].port + AER + PCI_ERR_UNCOR_SEVER) &
                        UNC_DMWR, ==, 0);
    }
}

/* A port without completers below it is what it is in the base */
static void expect_stock(QTestState *q, uint32_t port)
{
    g_assert_cmphex(find_ext(q, port, EXT_DEV3), ==, 0);
    /* The base lets software write where no capability is */
    put(q, port + 0x200, ~0u);
    put(q, port + 0x200 + DEV3_CTL, ~0u);
    g_assert_cmphex(get(q, port + 0x200), ==, ~0u);
    g_assert_cmphex(get(q, port + 0x200 + DEV3_CTL), ==, ~0u);
    put(q, port + AER + PCI_ERR_UNCOR_MASK, ~0u);
    g_assert_cmphex(get(q, port + AER + PCI_ERR_UNCOR_MASK) & UNC_DMWR, ==, 0);
}

static void test_stock_ports(Fixture *f, const void *unused)
{
    expect_stock(f->qts, EMPTY);
    expect_stock(f->qts, DOWN1);
}

static void test_routing(Fixture *f, const void *unused)
{
    QTestState *q = f->qts;

    expect_through(q, 0, true);
    /* DMWr Requester Enable does not matter */
    set_control(q, ROOT, REQUESTER);
    expect_through(q, 0, true);
}

static void test_blocking(Fixture *f, const void *unused)
{
    QTestState *q = f->qts;

    set_control(q, ROOT, BLOCK);
    expect_through(q, 0, false);
    set_control(q, DOWN0, BLOCK);
    expect_through(q, 0, false);
    set_control(q, ROOT, REQUESTER);
    expect_through(q, 0, false);
    set_control(q, DOWN0, 0);
    expect_through(q, 0, true);
    /* Writes to the device do not leave the switch by its upstream port */
    set_control(q, UP, BLOCK);
    expect_through(q, 0, true);
    /* A write of one byte is enough */
    qtest_writeb(q, MMCONFIG_BASE + dev3(q, DOWN0) + DEV3_CTL, BLOCK);
    expect_through(q, 0, false);
    qtest_writeb(q, MMCONFIG_BASE + dev3(q, DOWN0) + DEV3_CTL + 1, 0xff);
    expect_through(q, 0, false);
    qtest_writeb(q, MMCONFIG_BASE + dev3(q, DOWN0) + DEV3_CTL, 0);
    expect_through(q, 0, true);
}

/* One branch of the switch is blocked, the other is not */
static void test_branches(Fixture *f, const void *unused)
{
    QTestState *q = f->qts;

    set_device(q, DEV1, 1);
    set_control(q, DOWN1, BLOCK);
    expect_through(q, 0, true);
    expect_through(q, 1, false);
    set_control(q, DOWN1, 0);
    set_control(q, DOWN0, BLOCK);
    expect_through(q, 0, false);
    expect_through(q, 1, true);
    set_control(q, ROOT, BLOCK);
    expect_through(q, 1, false);
}

/* --- errors --------------------------------------------------------------- */

/* Left to the main loop: look until it is there */
static void wait_bits(QTestState *q, uint32_t at, uint32_t bits)
{
    unsigned tries;

    for (tries = 0; (get(q, at) & bits) != bits; tries++) {
        g_assert_cmpuint(tries, <, 10000);
        g_usleep(200);
    }
}

static void test_error(Fixture *f, const void *unused)
{
    QTestState *q = f->qts;
    uint32_t exp = find_cap(q, DOWN0, PCI_CAP_ID_EXP);

    set_control(q, DOWN0, BLOCK);
    expect_through(q, 0, false);
    wait_bits(q, DOWN0 + AER + PCI_ERR_UNCOR_STATUS, UNC_DMWR);
    g_assert_cmphex(get(q, ROOT + AER + PCI_ERR_UNCOR_STATUS), ==, 0);
    /* Masked: nobody hears of it */
    g_assert_cmphex(get(q, DOWN0 + AER + PCI_ERR_COR_STATUS), ==, 0);
    put(q, DOWN0 + AER + PCI_ERR_UNCOR_STATUS, UNC_DMWR);
    g_assert_cmphex(get(q, DOWN0 + AER + PCI_ERR_UNCOR_STATUS), ==, 0);

    /* Unmasked it is an advisory error, with a message to the root port */
    put(q, DOWN0 + AER + PCI_ERR_UNCOR_MASK, 0);
    put(q, DOWN0 + AER + PCI_ERR_COR_MASK, 0);
    put16(q, exp + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_CERE);
    /* The base passes messages on in ports that may send their own */
    put16(q, find_cap(q, UP, PCI_CAP_ID_EXP) + PCI_EXP_DEVCTL,
          PCI_EXP_DEVCTL_CERE);
    put16(q, find_cap(q, ROOT, PCI_CAP_ID_EXP) + PCI_EXP_DEVCTL,
          PCI_EXP_DEVCTL_CERE);
    expect_through(q, 0, false);
    wait_bits(q, DOWN0 + AER + PCI_ERR_COR_STATUS, COR_ADVISORY);
    g_assert_cmphex(get(q, DOWN0 + AER + PCI_ERR_UNCOR_STATUS), ==, UNC_DMWR);
    g_assert_cmphex(get(q, exp + PCI_EXP_DEVCTL) >> 16 & 0xf, ==,
                    PCI_EXP_DEVSTA_CED);
    g_assert_cmphex(get(q, ROOT + AER + PCI_ERR_ROOT_STATUS) &
                    PCI_ERR_ROOT_COR_RCV, ==, PCI_ERR_ROOT_COR_RCV);
    g_assert_cmphex(get(q, ROOT + AER + PCI_ERR_ROOT_ERR_SRC) & 0xffff, ==,
                    DOWN0 >> 12);

    /* It is the port closest to the root that blocks */
    put(q, DOWN0 + AER + PCI_ERR_UNCOR_STATUS, UNC_DMWR);
    set_control(q, ROOT, BLOCK);
    expect_through(q, 0, false);
    wait_bits(q, ROOT + AER + PCI_ERR_UNCOR_STATUS, UNC_DMWR);
    g_assert_cmphex(get(q, DOWN0 + AER + PCI_ERR_UNCOR_STATUS), ==, 0);
}

/* --- resets --------------------------------------------------------------- */

static void test_secondary_reset(Fixture *f, const void *unused)
{
    QTestState *q = f->qts;

    set_control(q, ROOT, REQUESTER);
    set_control(q, UP, BLOCK);
    set_control(q, DOWN0, BLOCK);
    expect_through(q, 0, false);
    put16(q, ROOT + PCI_BRIDGE_CONTROL, PCI_BRIDGE_CTL_BUS_RESET);
    put16(q, ROOT + PCI_BRIDGE_CONTROL, 0);
    set_tree(q);
    set_device(q, DEV0, 0);
    /* All below the root port was reset, and it was not */
    g_assert_cmphex(control(q, ROOT), ==, REQUESTER);
    g_assert_cmphex(control(q, UP), ==, 0);
    g_assert_cmphex(control(q, DOWN0), ==, 0);
    expect_through(q, 0, true);

    set_control(q, ROOT, BLOCK);
    put16(q, DOWN0 + PCI_BRIDGE_CONTROL, PCI_BRIDGE_CTL_BUS_RESET);
    put16(q, DOWN0 + PCI_BRIDGE_CONTROL, 0);
    set_device(q, DEV0, 0);
    expect_through(q, 0, false);
}

static void test_system_reset(Fixture *f, const void *unused)
{
    QTestState *q = f->qts;

    set_control(q, ROOT, BLOCK);
    set_control(q, DOWN0, BLOCK);
    qtest_system_reset(q);
    /* The host bridge's register is back to its default, too */
    {
        QPCIBus *bus = qpci_new_pc(q, NULL);
        QPCIDevice *mch = qpci_device_find(bus, 0);

        qpci_config_writel(mch, MCH_PCIEXBAR, MMCONFIG_BASE | 1);
        g_free(mch);
        qpci_free_pc(bus);
    }
    set_tree(q);
    set_device(q, DEV0, 0);
    g_assert_cmphex(control(q, ROOT), ==, 0);
    g_assert_cmphex(control(q, DOWN0), ==, 0);
    expect_through(q, 0, true);
}

/* --- other ways to the device --------------------------------------------- */

/* Device 3 only where there is a completer, and only as long as it is there */
static void test_hotplug(Fixture *f, const void *unused)
{
    QTestState *q = f->qts;
    uint32_t ctl;

    expect_stock(q, DOWN1);
    qtest_qmp_device_add(q, "dmwr-testdev", "dev1", "{ 'bus': 'dn1' }");
    ctl = find_cap(q, DOWN1, PCI_CAP_ID_EXP) + PCI_EXP_SLTCTL;
    put16(q, ctl, PCI_EXP_SLTCTL_PWR_IND_ON);
    set_device(q, DEV1, 1);
    g_assert_cmphex(get(q, dev3(q, DOWN1) + DEV3_CAP), ==, ROUTING);
    expect_through(q, 1, true);
    set_control(q, DOWN1, BLOCK);
    set_control(q, ROOT, REQUESTER);
    expect_through(q, 1, false);

    qtest_qmp_assert_success(q, "{ 'execute': 'device_del', 'arguments': "
                             "{ 'id': 'dev1' } }");
    put16(q, ctl, PCI_EXP_SLTCTL_PWR_IND_OFF | PCI_EXP_SLTCTL_PCC);
    qtest_qmp_eventwait(q, "DEVICE_DELETED");
    expect_stock(q, DOWN1);
    /* The ports that lead to the other device keep theirs */
    g_assert_cmphex(control(q, ROOT), ==, REQUESTER);
    expect_through(q, 0, true);

    /* What comes next starts afresh */
    qtest_qmp_device_add(q, "dmwr-testdev", "dev2", "{ 'bus': 'dn1' }");
    put16(q, ctl, PCI_EXP_SLTCTL_PWR_IND_ON);
    set_device(q, DEV1, 1);
    g_assert_cmphex(control(q, DOWN1), ==, 0);
    expect_through(q, 1, true);
}

/* Ports that do not route: none of them, however the rest is set */
static void test_no_routing(void)
{
    static const struct {
        const char *args;
        uint32_t dev;
    } ways[] = {
        { "-device ioh3420,id=p,addr=7,chassis=3,slot=1 "
          "-device dmwr-testdev,bus=p", FUNC(9, 0) },
        { "-device pcie-pci-bridge,id=p,addr=7 "
          "-device dmwr-testdev,bus=p,addr=1", FUNC(9, 1) },
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(ways); i++) {
        QTestState *q = start(ways[i].args);
        uint32_t port = FUNC(0, 7);

        /* Instead of the tree's root port */
        put16(q, ROOT + PCI_COMMAND, 0);
        set_bridge(q, port, 0, 9, 9);
        set_device(q, ways[i].dev, 0);
        expect_through(q, 0, false);
        g_assert_cmphex(find_ext(q, port, EXT_DEV3), ==, 0);
        qtest_quit(q);
    }
}

static void test_root_port_alone(void)
{
    QTestState *q = start("-device dmwr-testdev,bus=empty");

    put16(q, ROOT + PCI_COMMAND, 0);
    set_bridge(q, EMPTY, 0, 9, 9);
    set_device(q, FUNC(9, 0), 0);
    expect_through(q, 0, true);
    set_control(q, EMPTY, BLOCK);
    expect_through(q, 0, false);
    expect_stock(q, ROOT);
    qtest_quit(q);
}

/* --- migration ------------------------------------------------------------ */

static void test_migration(Fixture *f, const void *unused)
{
    g_autofree char *dir = g_dir_make_tmp("dmwr-test-XXXXXX", NULL);
    g_autofree char *path = g_strdup_printf("%s/state", dir);
    g_autofree char *uri = g_strdup_printf("file:%s", path);
    QTestState *to = qtest_init(TREE "-device dmwr-testdev,id=dev0,bus=dn0 "
                                "-incoming defer");

    set_control(f->qts, DOWN0, BLOCK);
    qtest_qmp_assert_success(f->qts, "{ 'execute': 'migrate', 'arguments': "
                             "{ 'uri': %s } }", uri);
    migrate_wait(f->qts);
    qtest_qmp_assert_success(to, "{ 'execute': 'migrate-incoming', "
                             "'arguments': { 'uri': %s } }", uri);
    migrate_wait(to);
    unlink(path);
    rmdir(dir);
    qtest_quit(f->qts);
    f->qts = to;
    expect_through(to, 0, false);
    set_control(to, DOWN0, 0);
    expect_through(to, 0, true);
}

/* --- the accelerator ------------------------------------------------------ */

#define DSA_BAR0        BAR_AT(0)
#define DSA_BAR2        (BAR_AT(0) + 0x40000)
#define DSA_CMD         0xa0
#define DSA_OFFSETS     0x60
#define DSA_ENABLE      (1u << 20)
#define DSA_ENABLE_WQ   (6u << 20)

static void dsa_command(QTestState *q, uint32_t cmd)
{
    qtest_writel(q, DSA_BAR0 + DSA_CMD, cmd);
    g_assert_cmphex(qtest_readl(q, DSA_BAR0 + DSA_CMD + 8), ==, 0);
}

/* A shared queue of 4 */
static void set_dsa(QTestState *q)
{
    uint64_t offsets, grp, wq;
    uint32_t window = (WINDOW + WINDOW_SIZE - 1) >> 16 << 16 | WINDOW >> 16;
    uint32_t ports[] = { ROOT, UP, DOWN0 }, i;

    /* Its BARs are prefetchable */
    for (i = 0; i < ARRAY_SIZE(ports); i++) {
        put(q, ports[i] + PCI_MEMORY_BASE, 0x0000fff0);
        put(q, ports[i] + PCI_PREF_MEMORY_BASE, window & 0xfff0fff0);
    }
    put(q, DEV0 + PCI_BASE_ADDRESS_0, DSA_BAR0);
    put(q, DEV0 + PCI_BASE_ADDRESS_1, 0);
    put(q, DEV0 + PCI_BASE_ADDRESS_2, DSA_BAR2);
    put(q, DEV0 + PCI_BASE_ADDRESS_3, 0);
    put16(q, DEV0 + PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    put16(q, find_ext(q, DEV0, PCI_EXT_CAP_ID_PASID) + PCI_PASID_CTRL,
          PCI_PASID_CTRL_ENABLE);
    offsets = qtest_readq(q, DSA_BAR0 + DSA_OFFSETS);
    grp = DSA_BAR0 + (offsets & 0xffff) * 0x100;
    wq = DSA_BAR0 + (offsets >> 16 & 0xffff) * 0x100;
    qtest_writeq(q, grp, 1);
    qtest_writeq(q, grp + 32, 1);
    qtest_writeq(q, grp + 40, 96 << 20);
    qtest_writel(q, wq, 4);
    qtest_writel(q, wq + 4, 4);
    qtest_writel(q, wq + 8, 1 << 4 | 1 << 28);
    dsa_command(q, DSA_ENABLE);
    dsa_command(q, DSA_ENABLE_WQ);
}

static void test_dsa(void)
{
    static const uint8_t noop[64] = { 1 };
    QTestState *q = start("-device intel-dsa,id=dsa,bus=dn0");
    uint64_t limited = DSA_BAR2 + 0x1000;

    set_dsa(q);
    g_assert_cmphex(get(q, find_cap(q, DEV0, PCI_CAP_ID_EXP) +
                        PCI_EXP_DEVCAP2) & DEVCAP2_DMWR, ==, DEVCAP2_64);
    g_assert_cmpint(qtest_dmwr(q, limited, true, noop), ==,
                    QTEST_DMWR_ACCEPTED);
    set_control(q, DOWN0, BLOCK);
    g_assert_cmpint(qtest_dmwr(q, limited, true, noop), ==, QTEST_DMWR_RETRY);
    wait_bits(q, DOWN0 + AER + PCI_ERR_UNCOR_STATUS, UNC_DMWR);
    set_control(q, DOWN0, 0);
    set_control(q, ROOT, BLOCK);
    g_assert_cmpint(qtest_dmwr(q, limited, true, noop), ==, QTEST_DMWR_RETRY);
    set_control(q, ROOT, 0);
    g_assert_cmpint(qtest_dmwr(q, limited, true, noop), ==,
                    QTEST_DMWR_ACCEPTED);
    /* A Function Level Reset concerns nobody else */
    set_control(q, ROOT, REQUESTER);
    set_control(q, DOWN0, BLOCK);
    put16(q, find_cap(q, DEV0, PCI_CAP_ID_EXP) + PCI_EXP_DEVCTL,
          PCI_EXP_DEVCTL_BCR_FLR);
    set_dsa(q);
    g_assert_cmphex(control(q, ROOT), ==, REQUESTER);
    g_assert_cmphex(control(q, DOWN0), ==, BLOCK);
    g_assert_cmpint(qtest_dmwr(q, limited, true, noop), ==, QTEST_DMWR_RETRY);
    qtest_quit(q);
}

#define ADD(name, args, fn) \
    qtest_add("/dmwr-port/" name, Fixture, args, setup, fn, teardown)

#define TWO "-device dmwr-testdev,id=dev0,bus=dn0 " \
            "-device dmwr-testdev,id=dev1,bus=dn1"

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("endpoint", NULL, test_endpoint);
    ADD("port-capability", NULL, test_port_capability);
    ADD("stock-ports", NULL, test_stock_ports);
    ADD("routing", NULL, test_routing);
    ADD("blocking", NULL, test_blocking);
    ADD("branches", TWO, test_branches);
    ADD("error", NULL, test_error);
    ADD("secondary-reset", NULL, test_secondary_reset);
    ADD("system-reset", NULL, test_system_reset);
    ADD("hotplug", NULL, test_hotplug);
    ADD("migration", NULL, test_migration);
    qtest_add_func("/dmwr-port/no-routing", test_no_routing);
    qtest_add_func("/dmwr-port/root-port-alone", test_root_port_alone);
    qtest_add_func("/dmwr-port/dsa", test_dsa);
    return g_test_run();
}
