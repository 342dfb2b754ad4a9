/*
 * intel-vtd: the ACPI DMAR table (VT-d chapter 8)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/acpi/acpi-defs.h"
#include "hw/acpi/aml-build.h"
#include "hw/i386/acpi-common.h"
#include "hw/i386/pc.h"
#include "hw/pci-host/q35.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pci_host.h"
#include "state.h"

/* 8.1 flags of the table */
#define DMAR_INTR_REMAP         BIT(0)

/* 8.2 remapping structure types */
#define DMAR_DRHD               0
#define DMAR_ATSR               2
#define DMAR_SATC               5

/* 8.3, 8.5 flags */
#define DRHD_INCLUDE_PCI_ALL    BIT(0)
#define ATSR_ALL_PORTS          BIT(0)

/* 8.3.1 device scope types */
#define SCOPE_ENDPOINT          1
#define SCOPE_BRIDGE            2
#define SCOPE_IOAPIC            3

/* The integrated accelerator, which the SATC names */
#define TYPE_SOC_ACCELERATOR    "intel-dsa"

/* A device scope with a path of one element; @id is an enumeration id */
static void dmar_scope(GArray *out, uint8_t type, uint8_t id, uint8_t bus,
                       uint8_t devfn)
{
    build_append_int_noprefix(out, type, 1);
    build_append_int_noprefix(out, 8, 1);
    build_append_int_noprefix(out, 0, 2);
    build_append_int_noprefix(out, id, 1);
    build_append_int_noprefix(out, bus, 1);
    build_append_int_noprefix(out, PCI_SLOT(devfn), 1);
    build_append_int_noprefix(out, PCI_FUNC(devfn), 1);
}

/* Type, length and the fields up to the register base or the scopes */
static void dmar_structure(GArray *out, uint16_t type, uint16_t length,
                           uint8_t flags, uint8_t size)
{
    build_append_int_noprefix(out, type, 2);
    build_append_int_noprefix(out, length, 2);
    build_append_int_noprefix(out, flags, 1);
    build_append_int_noprefix(out, size, 1);
    build_append_int_noprefix(out, 0, 2);           /* segment */
}

/**
 * DMARScopes: what lies behind the unit.
 * @all: every root bus does
 * @devices: scopes of devices of root buses; a bridge covers all behind it,
 *           also what is plugged in later
 * @accelerators: scopes of integrated accelerators
 */
typedef struct DMARScopes {
    bool all;
    GArray *devices, *accelerators;
} DMARScopes;

static void dmar_add_device(PCIBus *bus, PCIDevice *dev, void *opaque)
{
    DMARScopes *scopes = opaque;
    bool bridge = object_dynamic_cast(OBJECT(dev), TYPE_PCI_BRIDGE);

    dmar_scope(scopes->devices, bridge ? SCOPE_BRIDGE : SCOPE_ENDPOINT, 0,
               pci_bus_num(bus), dev->devfn);
    if (object_dynamic_cast(OBJECT(dev), TYPE_SOC_ACCELERATOR)) {
        dmar_scope(scopes->accelerators, SCOPE_ENDPOINT, 0, pci_bus_num(bus),
                   dev->devfn);
    }
}

static int dmar_add_host_bridge(Object *obj, void *opaque)
{
    DMARScopes *scopes = opaque;
    PCIBus *bus;

    if (!object_dynamic_cast(obj, TYPE_PCI_HOST_BRIDGE)) {
        return 0;
    }
    bus = PCI_HOST_BRIDGE(obj)->bus;
    if (bus && pci_bus_bypass_iommu(bus)) {
        scopes->all = false;
    } else if (bus) {
        pci_for_each_device_under_bus(bus, dmar_add_device, scopes);
    }
    return 0;
}

/*
 * 8.3: INCLUDE_PCI_ALL unless some root bus bypasses the unit. The IOAPIC is
 * always named: interrupt remapping needs its source-id.
 */
static void dmar_drhd(GArray *out, const DMARScopes *scopes)
{
    const GArray *devices = scopes->all ? NULL : scopes->devices;

    dmar_structure(out, DMAR_DRHD, 16 + 8 + (devices ? devices->len : 0),
                   scopes->all ? DRHD_INCLUDE_PCI_ALL : 0, VTD_WINDOW_ORDER);
    build_append_int_noprefix(out, VTD_WINDOW_BASE, 8);
    dmar_scope(out, SCOPE_IOAPIC, ACPI_BUILD_IOAPIC_ID,
               Q35_PSEUDO_BUS_PLATFORM, Q35_PSEUDO_DEVFN_IOAPIC);
    if (devices) {
        g_array_append_vals(out, devices->data, devices->len);
    }
}

/*
 * 8.5 and 8.8: behind every root port devices may use ATS, and the integrated
 * accelerator may. It does not depend on it (ATC_REQUIRED clear).
 */
static void dmar_ats(GArray *out, const DMARScopes *scopes)
{
    dmar_structure(out, DMAR_ATSR, 8, ATSR_ALL_PORTS, 0);
    if (scopes->accelerators->len) {
        dmar_structure(out, DMAR_SATC, 8 + scopes->accelerators->len, 0, 0);
        g_array_append_vals(out, scopes->accelerators->data,
                            scopes->accelerators->len);
    }
}

void vtd_build_dmar(GArray *table_data, BIOSLinker *linker,
                    const char *oem_id, const char *oem_table_id)
{
    X86IOMMUState *iommu = x86_iommu_get_default();
    VTDState *s = INTEL_VTD_DEVICE(iommu);
    AcpiTable table = { .sig = "DMAR", .rev = 1, .oem_id = oem_id,
                        .oem_table_id = oem_table_id };
    DMARScopes scopes = {
        .all = true,
        .devices = g_array_new(false, true, 1),
        .accelerators = g_array_new(false, true, 1),
    };

    object_child_foreach_recursive(object_get_root(), dmar_add_host_bridge,
                                   &scopes);

    acpi_table_begin(&table, table_data);
    build_append_int_noprefix(table_data, s->features.haw - 1, 1);
    build_append_int_noprefix(table_data, x86_iommu_ir_supported(iommu) ?
                                          DMAR_INTR_REMAP : 0, 1);
    build_append_int_noprefix(table_data, 0, 8);    /* 10 reserved bytes */
    build_append_int_noprefix(table_data, 0, 2);
    dmar_drhd(table_data, &scopes);
    if (iommu->dt_supported) {
        dmar_ats(table_data, &scopes);
    }
    acpi_table_end(linker, &table);

    g_array_free(scopes.devices, true);
    g_array_free(scopes.accelerators, true);
}
