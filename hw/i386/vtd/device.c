/*
 * intel-vtd: the device: properties, realize, reset
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "hw/core/qdev-properties.h"
#include "hw/i386/pc.h"
#include "hw/i386/x86.h"
#include "hw/pci/pasid-dma.h"
#include "migration/vmstate.h"
#include "system/address-spaces.h"
#include "system/runstate.h"
#include "space.h"
#include "trace.h"

static AddressSpace *vtd_get_address_space(PCIBus *bus, void *opaque,
                                           int devfn)
{
    return &vtd_space_get(opaque, bus, devfn)->as;
}

static void vtd_get_iotlb_info(void *opaque, uint8_t *addr_width,
                               uint32_t *min_page_size)
{
    VTDState *s = opaque;

    *addr_width = MAX(s->features.mgaw, s->features.first_5level ? 57 : 48);
    *min_page_size = 0x1000;
}

static const PCIIOMMUOps vtd_iommu_ops = {
    .get_address_space = vtd_get_address_space,
    .get_iotlb_info = vtd_get_iotlb_info,
    .init_iotlb_notifier = vtd_init_iotlb_notifier,
    .register_iotlb_notifier = vtd_register_iotlb_notifier,
    .unregister_iotlb_notifier = vtd_unregister_iotlb_notifier,
    .ats_request_translation = vtd_ats_request_translation,
    .pri_register_notifier = vtd_pri_register_notifier,
    .pri_unregister_notifier = vtd_pri_unregister_notifier,
    .pri_request_page = vtd_pri_request_page,
};

/*
 * All requests have stopped in earlier phases. Nothing is enabled afterwards
 * and nothing cached (VT-d 10.1).
 */
static void vtd_reset_exit(Object *obj, ResetType type)
{
    VTDState *s = INTEL_VTD_DEVICE(obj);

    vtd_regs_reset(s);
    vtd_pri_reset(s);
    qatomic_set(&s->events_pending, 0);
    s->frcd_next = 0;
    s->root = 0;
    s->irta = 0;
    qatomic_set(&s->translating, false);
    vtd_translator_set_root(s->translator, 0, true);
    vtd_invalidated(s);
    vtd_spaces_update(s);
    vtd_irq_invalidate(s, true, 0, 0);
    vtd_drain(s);
}

/*
 * What waits for a bottom half goes out while interrupt controllers still take
 * it: those of KVM are read before this device is saved.
 */
static void vtd_vm_state_changed(void *opaque, bool running, RunState state)
{
    if (!running) {
        vtd_send_pending(opaque);
    }
}

static void vtd_realize(DeviceState *dev, Error **errp)
{
    VTDState *s = INTEL_VTD_DEVICE(dev);
    PCMachineState *pcms = PC_MACHINE(qdev_get_machine());

    if (!vtd_caps_compute(s, errp)) {
        return;
    }
    s->generation = 1;
    vtd_memory_init(&s->memory, &address_space_memory);
    s->translator = vtd_translator_new(&vtd_memory_ops, &s->memory,
                                       &s->features, &s->cfg.caches);
    vtd_regs_init(s);
    vtd_events_init(s);
    vtd_pri_init(s);
    vtd_irq_init(s);
    vtd_spaces_init(s);
    qdev_add_vm_change_state_handler(dev, vtd_vm_state_changed, NULL, s);

    memory_region_init_io(&s->mmio, OBJECT(s), &vtd_mmio_ops, s, "intel-vtd",
                          VTD_WINDOW_SIZE);
    memory_region_add_subregion(get_system_memory(), VTD_WINDOW_BASE,
                                &s->mmio);
    pci_pasid_register_iommu_ops(&vtd_iommu_ops);
    pci_setup_iommu(pcms->pcibus, &vtd_iommu_ops, s);
    X86_MACHINE(pcms)->ioapic_as = &s->ioapic->as;
}

#define VTD_PROP(type, prop, field, def, description) \
    VTD_PROP_ ## type(prop, field, def)
#define VTD_PROP_BOOL(prop, field, def) \
    DEFINE_PROP_BOOL(prop, VTDState, cfg.field, def)
#define VTD_PROP_AUTO(prop, field, def) \
    DEFINE_PROP_ON_OFF_AUTO(prop, VTDState, cfg.field, def)
#define VTD_PROP_U8(prop, field, def) \
    DEFINE_PROP_UINT8(prop, VTDState, cfg.field, def)
#define VTD_PROP_U32(prop, field, def) \
    DEFINE_PROP_UINT32(prop, VTDState, cfg.field, def)

/* Names are those of intel-iommu where the meaning is the same */
static const Property vtd_properties[] = {
#include "properties.h.inc"
};
#undef VTD_PROP

#define VTD_PROP(type, prop, field, def, description) { prop, description }
static const struct {
    const char *name, *description;
} vtd_descriptions[] = {
#include "properties.h.inc"
};
#undef VTD_PROP

/* The base class says nothing about its own */
static const struct {
    const char *name, *description;
} vtd_base_descriptions[] = {
    { "intremap", "interrupt remapping" },
    { "device-iotlb", "device-TLBs and Address Translation Services "
      "(intel-vtd has them unless switched off)" },
    { "dma-translation", "DMA translation, otherwise interrupt remapping "
      "alone" },
};

static void vtd_instance_init(Object *obj)
{
    /* The base class has it off */
    X86_IOMMU_DEVICE(obj)->dt_supported = true;
}

static void vtd_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    X86IOMMUClass *x86 = X86_IOMMU_DEVICE_CLASS(klass);

    RESETTABLE_CLASS(klass)->phases.exit = vtd_reset_exit;
    dc->desc = "Intel VT-d IOMMU: scalable mode, nesting, ATS, PRI, "
               "interrupt remapping";
    dc->vmsd = &vtd_vmstate;
    dc->hotpluggable = false;
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    device_class_set_props(dc, vtd_properties);
    for (unsigned i = 0; i < ARRAY_SIZE(vtd_descriptions); i++) {
        object_class_property_set_description(klass,
                                              vtd_descriptions[i].name,
                                              vtd_descriptions[i].description);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(vtd_base_descriptions); i++) {
        object_class_property_set_description(
            object_class_get_parent(klass), vtd_base_descriptions[i].name,
            vtd_base_descriptions[i].description);
    }
    x86->realize = vtd_realize;
    x86->int_remap = vtd_int_remap;
    vtd_pasid_class_init(klass);
}

static const TypeInfo vtd_type = {
    .name = TYPE_INTEL_VTD_DEVICE,
    .parent = TYPE_X86_IOMMU_DEVICE,
    .instance_size = sizeof(VTDState),
    .instance_init = vtd_instance_init,
    .class_init = vtd_class_init,
    .interfaces = (const InterfaceInfo[]) {
        { TYPE_PCI_PASID_IOMMU },
        { }
    },
};

static void vtd_register_types(void)
{
    type_register_static(&vtd_type);
}

type_init(vtd_register_types)
