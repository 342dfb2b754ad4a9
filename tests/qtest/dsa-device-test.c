/*
 * intel-dsa: properties, places to put it, plugging in and out
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qobject/qdict.h"
#include "qobject/qjson.h"
#include "hw/pci/pci_regs.h"
#include "tests/qtest/libqtest.h"
#include "tests/qtest/libqos/pci-pc.h"

/* A root port in slot 5, bus 1 behind it */
#define MACHINE         "-machine q35 -nodefaults -global " \
                        "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off " \
                        "-device pcie-root-port,id=rp,addr=5,chassis=1,slot=1"
#define MMCONFIG_BASE   0xb0000000ULL
#define MCH_PCIEXBAR    0x60
#define PORT            (5 << 15)
#define BEHIND          (1 << 20)

static QTestState *start(const char *more)
{
    QTestState *qts = qtest_initf(MACHINE " %s", more);
    QPCIBus *bus = qpci_new_pc(qts, NULL);
    QPCIDevice *mch = qpci_device_find(bus, 0);

    qpci_config_writel(mch, MCH_PCIEXBAR, MMCONFIG_BASE | 1);
    g_free(mch);
    qpci_free_pc(bus);
    qtest_writel(qts, MMCONFIG_BASE + PORT + PCI_PRIMARY_BUS, 0x00010100);
    return qts;
}

static uint8_t cfg8(QTestState *qts, uint32_t addr)
{
    return qtest_readb(qts, MMCONFIG_BASE + addr);
}

static uint32_t cfg32(QTestState *qts, uint32_t addr)
{
    return qtest_readl(qts, MMCONFIG_BASE + addr);
}

static uint32_t find_cap(QTestState *qts, uint32_t func, uint8_t id)
{
    uint8_t pos = cfg8(qts, func + PCI_CAPABILITY_LIST);
    unsigned steps;

    for (steps = 0; pos && steps < 48; steps++) {
        if (cfg8(qts, func + pos) == id) {
            return func + pos;
        }
        pos = cfg8(qts, func + pos + 1);
    }
    g_assert_not_reached();
}

/* What a user who got it wrong is told */
static void test_properties(void)
{
    static const struct {
        const char *prop, *says;
    } cases[] = {
        { "'version': '2.0'", "version=2.0 needs the event log" },
        { "'version': '1'", "version=1 is unknown, use version=1.0" },
        { "'wqs': 0", "wqs=0 is out of range, choose a value from 1 to 8" },
        { "'wqs': 9", "wqs=9 is out of range" },
        { "'groups': 5", "groups=5 is out of range" },
        { "'engines': 5", "engines=5 is out of range" },
        { "'workers': 0", "workers=0 is out of range" },
        { "'workers': 17", "workers=17 is out of range" },
        { "'wq-size': 1025", "wq-size=1025 is out of range" },
        { "'wq-size': 7", "choose a larger wq-size" },
        { "'read-buffers': 15", "choose a larger read-buffers" },
        { "'read-buffers': 256", "read-buffers=256 is out of range" },
        { "'ims': 2304", "ims=2304 is out of range" },
        { "'ims': 100", "ims=100 is no multiple of 256" },
        { "'pasid-bits': 0", "pasid-bits=0 is out of range, choose a value "
          "from 1 to 20" },
        { "'pasid-bits': 21", "pasid-bits=21 is out of range" },
        { "'ats': false", "pri=on needs ats=on" },
        { "'pri': false", "block-on-fault=on needs pri=on" },
        { "'pasid': false", "shared=on needs pasid=on" },
    };
    QTestState *qts = start("");
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autofree char *json = g_strdup_printf(
            "{ 'driver': 'intel-dsa', 'bus': 'rp', %s }", cases[i].prop);
        QObject *args = qobject_from_json(json, &error_abort);
        QDict *rsp, *error;

        rsp = qtest_qmp(qts, "{ 'execute': 'device_add', 'arguments': %p }",
                        args);
        error = qdict_get_qdict(rsp, "error");
        g_assert_nonnull(error);
        if (!strstr(qdict_get_str(error, "desc"), cases[i].says)) {
            g_error("%s says: %s", cases[i].prop,
                    qdict_get_str(error, "desc"));
        }
        qobject_unref(rsp);
    }
    qtest_quit(qts);
}

static void test_conventional_bus(void)
{
    QTestState *qts = start("-device pcie-pci-bridge,id=br,bus=rp");
    QDict *rsp = qtest_qmp(qts, "{ 'execute': 'device_add', 'arguments': "
                           "{ 'driver': 'intel-dsa', 'bus': 'br', "
                           "'addr': '1' } }");

    g_assert_true(qdict_haskey(rsp, "error"));
    qobject_unref(rsp);
    qtest_quit(qts);
}

/* Behind a root port it is an endpoint, and it can be taken out again */
static void test_root_port(void)
{
    QTestState *qts = start("-device intel-dsa,id=dsa,bus=rp");
    uint32_t ctl = find_cap(qts, PORT, PCI_CAP_ID_EXP) + PCI_EXP_SLTCTL;
    uint32_t exp;

    g_assert_cmphex(cfg32(qts, BEHIND), ==, 0x0b258086);
    exp = find_cap(qts, BEHIND, PCI_CAP_ID_EXP);
    g_assert_cmphex(cfg32(qts, exp) >> 20 & 0xf, ==, 0);

    qtest_qmp_assert_success(qts, "{ 'execute': 'device_del', 'arguments': "
                             "{ 'id': 'dsa' } }");
    qtest_writew(qts, MMCONFIG_BASE + ctl, PCI_EXP_SLTCTL_PWR_IND_ON);
    qtest_writew(qts, MMCONFIG_BASE + ctl, PCI_EXP_SLTCTL_PWR_IND_OFF |
                 PCI_EXP_SLTCTL_PCC);
    qtest_qmp_eventwait(qts, "DEVICE_DELETED");
    g_assert_cmphex(cfg32(qts, BEHIND), ==, ~0u);

    /* And another put in, with other numbers of everything */
    qtest_qmp_assert_success(qts, "{ 'execute': 'device_add', 'arguments': "
                             "{ 'driver': 'intel-dsa', 'bus': 'rp', "
                             "'id': 'two', 'wqs': 1, 'engines': 1, "
                             "'groups': 1, 'workers': 4 } }");
    qtest_writew(qts, MMCONFIG_BASE + ctl, PCI_EXP_SLTCTL_PWR_IND_ON);
    g_assert_cmphex(cfg32(qts, BEHIND), ==, 0x0b258086);
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("/dsa/device/properties", test_properties);
    qtest_add_func("/dsa/device/conventional-bus", test_conventional_bus);
    qtest_add_func("/dsa/device/root-port", test_root_port);
    return g_test_run();
}
