/*
 * intel-vtd: for a build without it
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/i386/vtd.h"

void vtd_build_dmar(GArray *table_data, BIOSLinker *linker,
                    const char *oem_id, const char *oem_table_id)
{
    g_assert_not_reached();
}
