/*
 * intel-vtd: bridges that are unplugged, with what is behind them
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/pci/pci_regs.h"
#include "tests/qtest/libqos/pci-pc.h"
#include "vtd-test-lib.h"

#define PORT_SLOT   5
#define SPACE       "AS \"vtd-br-00.0\""

/* Where Slot Control is in the root port's PCI Express capability */
static unsigned slot_control(QPCIDevice *port)
{
    return qpci_find_capability(port, PCI_CAP_ID_EXP, 0) + PCI_EXP_SLTCTL;
}

static void power_off(QPCIDevice *port)
{
    qpci_config_writew(port, slot_control(port), PCI_EXP_SLTCTL_PWR_IND_ON);
    qpci_config_writew(port, slot_control(port), PCI_EXP_SLTCTL_PWR_IND_OFF |
                       PCI_EXP_SLTCTL_PCC);
}

/* Whether anything is reached through the space of what is behind the bridge */
static bool reaches_memory(QTestState *qts)
{
    g_autofree char *tree = qtest_hmp(qts, "info mtree -f");
    const char *space = strstr(tree, SPACE), *root;

    g_assert_nonnull(space);
    root = strstr(space, "Root memory region: ");
    g_assert_nonnull(root);
    return !g_str_has_prefix(root, "Root memory region: (none)");
}

/* What walks all spaces: by source-id, and when translation goes on and off */
static void touch_spaces(VTDTest *t)
{
    const uint64_t device_tlb[4] = { 3 | 0x100ULL << 32, 0 };

    vtd_test_queue(t, device_tlb);
    vtd_test_queue_wait(t);
    vtd_test_disable(t);
    vtd_test_enable(t);
}

static void test_bridge(void)
{
    QTestState *qts = qtest_initf(
        "-machine q35 -nodefaults -m 256 -device intel-vtd -global "
        "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off "
        "-device pcie-root-port,id=rp,addr=%u,chassis=1,slot=1 "
        "-device pcie-pci-bridge,id=br,bus=rp -device edu,bus=br,addr=1",
        PORT_SLOT);
    QPCIBus *bus = qpci_new_pc(qts, NULL);
    QPCIDevice *port = qpci_device_find(bus, QPCI_DEVFN(PORT_SLOT, 0));
    VTDTest t;

    vtd_test_init(&t, qts, true, 0x4000000, 0x1000000);
    vtd_test_enable(&t);
    touch_spaces(&t);
    g_assert_true(reaches_memory(qts));

    power_off(port);
    qtest_qmp_eventwait(qts, "DEVICE_DELETED");
    touch_spaces(&t);
    g_assert_false(reaches_memory(qts));

    qtest_qmp_assert_success(qts, "{ 'execute': 'device_add', 'arguments': "
                             "{ 'driver': 'pcie-pci-bridge', 'bus': 'rp', "
                             "'id': 'two' } }");
    touch_spaces(&t);
    g_free(port);
    qpci_free_pc(bus);
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("vtd/hotplug/bridge", test_bridge);
    return g_test_run();
}
