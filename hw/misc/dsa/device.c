/*
 * intel-dsa: the PCI function of a Data Streaming Accelerator (DSA section
 * 9.1), its life and its resets.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "exec/replay-core.h"
#include "qapi/error.h"
#include "qemu/host-utils.h"
#include "qemu/main-loop.h"
#include "qemu/module.h"
#include "qemu/range.h"
#include "hw/core/qdev-properties.h"
#include "hw/pci/msix.h"
#include "hw/pci/pcie.h"
#include "hw/pci/siov-dvsec.h"
#include "system/runstate.h"
#include "dsa.h"
#include "trace.h"

#define DSA_DEVICE_ID           0x0b25
#define DSA_MMIO_BAR            0
#define DSA_PORTAL_BAR          2

/* Configuration space, laid out like the real function */
#define DSA_CFG_PCIE            0x40
#define DSA_CFG_MSIX            0x80
#define DSA_CFG_AER             0x100
#define DSA_CFG_SIOV            0x200
#define DSA_CFG_ATS             0x220
#define DSA_CFG_PASID           0x230
#define DSA_CFG_PRI             0x240

/* PCIe 6.0 10.5.1.2: Global Invalidate Supported */
#define DSA_ATS_CAP_GLOBAL      (1u << 6)

/* --- reset and halt ------------------------------------------------------- */

void dsa_device_reset(DSAState *s)
{
    dsa_wq_off(s, dsa_all_wqs(s));
    s->state = DSA_STATE_DISABLED;
    s->reset_type = 0;
    dsa_config_publish_groups(s, false);
    dsa_regs_reset(s);
    dsa_intr_reset(s);
    dsa_swerr_reset(s);
}

void dsa_device_halt(DSAState *s, uint8_t swerr)
{
    trace_dsa_halt(swerr);
    dsa_wq_off(s, dsa_all_wqs(s));
    s->state = DSA_STATE_HALT;
    s->reset_type = DSA_RESET_TYPE_FLR;
    dsa_cmd_fail(s);
    dsa_swerr_code(s, swerr);
    if (FIELD_EX32(dsa_reg(s, A_GENCTRL), GENCTRL, HALT_INT_EN)) {
        dsa_intr_cause(s, DSA_INTCAUSE_HALT);
    }
}

static void reset_config(PCIDevice *pci)
{
    uint8_t *cfg = pci->config;

    pcie_cap_deverr_reset(pci);
    pcie_siov_dvsec_reset(pci, DSA_CFG_SIOV);
    if (pci->exp.ats_cap) {
        pci_set_word(cfg + pci->exp.ats_cap + PCI_ATS_CTRL, 0);
    }
    if (pci->exp.pasid_cap) {
        pci_set_word(cfg + pci->exp.pasid_cap + PCI_PASID_CTRL, 0);
    }
}

/* System reset, bus reset and Function Level Reset all come here */
static void dsa_reset_hold(Object *obj, ResetType type)
{
    DSAState *s = INTEL_DSA(obj);

    trace_dsa_reset();
    dsa_drain_cancel(s);
    s->cmd_active = false;
    s->cmd_error = 0;
    s->cmd_result = 0;
    dsa_device_reset(s);
    reset_config(PCI_DEVICE(s));
    pcie_dmwr_reset(&s->dmwr);
    dsa_pri_reset(PCI_DEVICE(s), s->engines);
    dsa_engines_pci_changed(s->engines);
}

/* --- configuration space -------------------------------------------------- */

/* The enable bits that the engines' requests depend on */
enum {
    ENABLE_BUS_MASTER = 1, ENABLE_ATS = 2, ENABLE_PASID = 4,
    ENABLE_PRIV = 8, ENABLE_PRI = 16,
};

static uint32_t request_enables(PCIDevice *pci)
{
    bool bme = pci_get_word(pci->config + PCI_COMMAND) & PCI_COMMAND_MASTER;

    return (bme ? ENABLE_BUS_MASTER : 0) |
           (pcie_ats_enabled(pci) ? ENABLE_ATS : 0) |
           (pcie_pasid_enabled(pci) ? ENABLE_PASID : 0) |
           (pcie_pasid_priv_enabled(pci) ? ENABLE_PRIV : 0) |
           (pcie_pri_enabled(pci) ? ENABLE_PRI : 0);
}

static void dsa_config_write(PCIDevice *pci, uint32_t addr, uint32_t val,
                             int len)
{
    DSAState *s = INTEL_DSA(pci);
    uint32_t was = request_enables(pci), now;

    pci_default_write_config(pci, addr, val, len);
    pcie_aer_write_config(pci, addr, val, len);
    dsa_pri_written(pci, s->engines, was & ENABLE_PRI);
    now = request_enables(pci);
    if (now != was) {
        trace_dsa_pci_changed(was, now);
        /* DSA appendix, error 0x51: the device cannot go on without DMA */
        if ((was & ~now & ENABLE_BUS_MASTER) &&
            (s->state == DSA_STATE_ENABLED || s->state == DSA_STATE_DRAIN)) {
            dsa_device_halt(s, DSA_SWERR_PCI_CONFIG);
        }
        dsa_engines_pci_changed(s->engines);
    }
    pcie_cap_flr_write_config(pci, addr, val, len);
}

static bool add_capabilities(DSAState *s, Error **errp)
{
    PCIDevice *pci = PCI_DEVICE(s);
    const PCISIOVCap siov = {
        .function_dependency_link = pci->devfn,
        .page_sizes = 1,
        .ims = s->ims != 0,
    };

    if (pcie_endpoint_cap_init(pci, DSA_CFG_PCIE) < 0) {
        error_setg(errp, "intel-dsa: no room for the PCI Express capability");
        return false;
    }
    pcie_cap_flr_init(pci);
    pcie_cap_deverr_init(pci);
    if (pcie_aer_init(pci, PCI_ERR_VER, DSA_CFG_AER, PCI_ERR_SIZEOF,
                      errp) < 0) {
        return false;
    }
    pcie_siov_dvsec_init(pci, DSA_CFG_SIOV, &siov);
    if (s->ats) {
        pcie_ats_init(pci, DSA_CFG_ATS, true);
        pci_word_test_and_set_mask(pci->config + DSA_CFG_ATS + PCI_ATS_CAP,
                                   DSA_ATS_CAP_GLOBAL);
    }
    if (s->pasid) {
        pcie_pasid_init(pci, DSA_CFG_PASID, s->pasid_bits, false, true);
        /* No execute permission, so there is nothing to enable */
        pci_word_test_and_clear_mask(pci->wmask + DSA_CFG_PASID +
                                     PCI_PASID_CTRL, PCI_PASID_CTRL_EXEC);
    }
    if (s->pri) {
        dsa_pri_init(pci, DSA_CFG_PRI);
    }
    return true;
}

static bool add_bars(DSAState *s, Error **errp)
{
    PCIDevice *pci = PCI_DEVICE(s);
    unsigned i;

    memory_region_init_io(&s->mmio, OBJECT(s), &dsa_mmio_ops, s,
                          "intel-dsa.mmio", DSA_MMIO_SIZE);
    pci_register_bar(pci, DSA_MMIO_BAR, PCI_BASE_ADDRESS_SPACE_MEMORY |
                     PCI_BASE_ADDRESS_MEM_TYPE_64 |
                     PCI_BASE_ADDRESS_MEM_PREFETCH, &s->mmio);

    memory_region_init_io(&s->portals, OBJECT(s), &dsa_portal_ops, s,
                          "intel-dsa.portals",
                          pow2ceil(s->wqs) << DSA_PORTALS_SHIFT);
    memory_region_enable_lockless_io(&s->portals);
    pci_register_bar(pci, DSA_PORTAL_BAR, PCI_BASE_ADDRESS_SPACE_MEMORY |
                     PCI_BASE_ADDRESS_MEM_TYPE_64 |
                     PCI_BASE_ADDRESS_MEM_PREFETCH, &s->portals);

    /* Vector 0 for the device, one for each work queue */
    if (msix_init(pci, s->wqs + 1, &s->mmio, DSA_MMIO_BAR, DSA_MSIX_TABLE,
                  &s->mmio, DSA_MMIO_BAR, DSA_MSIX_PBA, DSA_CFG_MSIX, errp)) {
        return false;
    }
    for (i = 0; i <= s->wqs; i++) {
        msix_vector_use(pci, i);
    }
    return true;
}

/* --- life ----------------------------------------------------------------- */

/* Nothing may change guest memory while the VM is stopped */
static void dsa_vm_state_changed(void *opaque, bool running, RunState state)
{
    DSAState *s = opaque;

    if (running == !s->stopped) {
        return;
    }
    s->stopped = !running;
    if (s->stopped) {
        dsa_engines_pause(s->engines);
        dsa_intr_flush(s);
    } else {
        dsa_engines_resume(s->engines);
        qemu_bh_schedule(s->intr_bh);
        qemu_bh_schedule(s->cmd_bh);
    }
}

static void dsa_realize(PCIDevice *pci, Error **errp)
{
    DSAState *s = INTEL_DSA(pci);

    if (!pci_bus_is_express(pci_get_bus(pci))) {
        error_setg(errp, "intel-dsa: bus '%s' is not PCI Express, use pcie.0 "
                   "or a pcie-root-port", pci_get_bus(pci)->qbus.name);
        return;
    }
    if (!dsa_caps_init(s, errp) || !add_capabilities(s, errp)) {
        return;
    }
    if (!add_bars(s, errp)) {
        pcie_aer_exit(pci);
        pcie_cap_exit(pci);
        return;
    }

    qemu_mutex_init(&s->swerr_lock);
    dsa_wq_init(s);
    s->cmd_bh = qemu_bh_new_guarded(dsa_cmd_drained, s,
                                    &DEVICE(s)->mem_reentrancy_guard);
    s->intr_bh = qemu_bh_new_guarded(dsa_intr_bh, s,
                                     &DEVICE(s)->mem_reentrancy_guard);
    dsa_regs_init(s);
    dsa_regs_reset(s);
    s->engines = dsa_engines_new(s, s->workers);
    s->vm_change = qdev_add_vm_change_state_handler(DEVICE(s),
                                                    dsa_vm_state_changed,
                                                    NULL, s);
    if (!runstate_is_running()) {
        dsa_vm_state_changed(s, false, runstate_get());
    }
    pcie_dmwr_init(&s->dmwr, pci);
    /* When a queue is full, and when work is done, is up to worker threads. */
    replay_add_blocker("intel-dsa");
    trace_dsa_realize(s->gencap, dsa_cap_wqcap(s));
}

static void dsa_exit(PCIDevice *pci)
{
    DSAState *s = INTEL_DSA(pci);

    s->gone = true;
    qemu_del_vm_change_state_handler(s->vm_change);
    pcie_dmwr_exit(&s->dmwr);
    dsa_wq_off(s, dsa_all_wqs(s));
    if (s->stopped) {
        s->stopped = false;
        dsa_engines_resume(s->engines);
    }
    dsa_engines_stop(s->engines);
    /* No interrupts any more either */
    s->stopped = true;
    msix_unuse_all_vectors(pci);
    msix_uninit(pci, &s->mmio, &s->mmio);
    pcie_aer_exit(pci);
    pcie_cap_exit(pci);
}

/*
 * A vCPU may be in a portal when the device goes, or on its way to a register.
 * The memory map keeps the object until it has left, and so stays what it uses
 * there. (The MSI-X table goes at once, as in any device of the base.)
 */
static void dsa_instance_finalize(Object *obj)
{
    DSAState *s = INTEL_DSA(obj);

    if (s->engines) {
        dsa_engines_free(s->engines);
        qemu_bh_delete(s->cmd_bh);
        qemu_bh_delete(s->intr_bh);
        dsa_wq_cleanup(s);
        qemu_mutex_destroy(&s->swerr_lock);
    }
}

PCIDevice *dsa_pci(DSAState *s)
{
    return PCI_DEVICE(s);
}

/* --- class ---------------------------------------------------------------- */

static const Property dsa_properties[] = {
    DEFINE_PROP_STRING("version", DSAState, version),
    DEFINE_PROP_UINT32("wqs", DSAState, wqs, 8),
    DEFINE_PROP_UINT32("wq-size", DSAState, wq_size, 128),
    DEFINE_PROP_UINT32("groups", DSAState, groups, 4),
    DEFINE_PROP_UINT32("engines", DSAState, engines_num, 4),
    DEFINE_PROP_UINT32("read-buffers", DSAState, rdbufs, 96),
    DEFINE_PROP_UINT32("ims", DSAState, ims, DSA_IMS_MAX),
    DEFINE_PROP_UINT32("workers", DSAState, workers, 2),
    DEFINE_PROP_BOOL("block-on-fault", DSAState, bof, true),
    DEFINE_PROP_BOOL("shared", DSAState, shared, true),
    DEFINE_PROP_BOOL("int-handles", DSAState, cmdcap, false),
    DEFINE_PROP_BOOL("ats", DSAState, ats, true),
    DEFINE_PROP_BOOL("pasid", DSAState, pasid, true),
    DEFINE_PROP_UINT32("pasid-bits", DSAState, pasid_bits, DSA_MAX_PASID_BITS),
    DEFINE_PROP_BOOL("pri", DSAState, pri, true),
};

static const struct {
    const char *name, *text;
} dsa_descriptions[] = {
    { "version", "Architecture version that VERSION reports: 1.0" },
    { "wqs", "Number of work queues, 1 to 8" },
    { "wq-size", "Descriptors in all work queues together, up to 1024" },
    { "groups", "Number of groups, 1 to 4" },
    { "engines", "Number of engines, 1 to 4" },
    { "read-buffers", "Read buffers in GRPCAP, at least 4 per engine" },
    { "ims", "Entries of Interrupt Message Storage, a multiple of 256" },
    { "workers", "Host threads that run the engines, 1 to 16" },
    { "block-on-fault", "Jobs may wait for page faults; needs pri" },
    { "shared", "Work queues can be in shared mode; needs pasid" },
    { "int-handles", "Software requests interrupt handles by command" },
    { "ats", "PCIe Address Translation Services" },
    { "pasid", "PCIe Process Address Space IDs" },
    { "pasid-bits", "Width of a PASID, 1 to 20 bits" },
    { "pri", "PCIe Page Request Interface; needs ats" },
};

static void dsa_instance_init(Object *obj)
{
    DSAState *s = INTEL_DSA(obj);

    s->version = g_strdup("1.0");
}

static void dsa_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *k = PCI_DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);
    unsigned i;

    k->realize = dsa_realize;
    k->exit = dsa_exit;
    k->config_write = dsa_config_write;
    k->vendor_id = PCI_VENDOR_ID_INTEL;
    k->device_id = DSA_DEVICE_ID;
    k->class_id = 0x0880;               /* base system peripheral, other */
    rc->phases.hold = dsa_reset_hold;
    dc->desc = "Intel Data Streaming Accelerator";
    dc->vmsd = &vmstate_dsa;
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    device_class_set_props(dc, dsa_properties);
    for (i = 0; i < ARRAY_SIZE(dsa_descriptions); i++) {
        object_class_property_set_description(klass, dsa_descriptions[i].name,
                                              dsa_descriptions[i].text);
    }
    dsa_portal_register();
}

static const TypeInfo dsa_types[] = {
    {
        .name = TYPE_INTEL_DSA,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(DSAState),
        .instance_init = dsa_instance_init,
        .instance_finalize = dsa_instance_finalize,
        .class_init = dsa_class_init,
        .interfaces = (const InterfaceInfo[]) {
            { INTERFACE_PCIE_DEVICE },
            { },
        },
    },
};

DEFINE_TYPES(dsa_types)
