/*
 * intel-vtd: a virtual IOMMU after Intel's "Virtualization Technology for
 * Directed I/O" architecture specification. What the machine sees of it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_VTD_H
#define HW_I386_VTD_H

#include "hw/acpi/bios-linker-loader.h"
#include "qom/object.h"

#define TYPE_INTEL_VTD_DEVICE "intel-vtd"
OBJECT_DECLARE_SIMPLE_TYPE(VTDState, INTEL_VTD_DEVICE)

/**
 * vtd_build_dmar: append the DMA Remapping Reporting table.
 * @table_data: the blob that the ACPI tables are collected in
 * @linker: the loader script of that blob
 * @oem_id: the machine's ACPI OEM ID
 * @oem_table_id: the machine's ACPI OEM table ID
 *
 * Describes the machine's one intel-vtd: its DRHD with the size of the
 * register window, ATSR and SATC (VT-d 8.1 to 8.8). Called with the big lock
 * held while the machine is built; an intel-vtd must exist.
 */
void vtd_build_dmar(GArray *table_data, BIOSLinker *linker,
                    const char *oem_id, const char *oem_table_id);

#endif /* HW_I386_VTD_H */
