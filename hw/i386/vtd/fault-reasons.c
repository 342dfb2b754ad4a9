/*
 * intel-vtd: the table of fault reasons, by code
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "fault-reasons.h"

#define ATTR_NONE   0
#define ATTR_Q      VTD_FAULT_QUALIFIED
#define ATTR_QR     (VTD_FAULT_QUALIFIED | VTD_FAULT_RECOVERABLE)

const VTDFaultInfo vtd_fault_info[VTD_FR_COUNT] = {
#define FAULT(fault, code, letters, text) \
    [code] = { .name = #fault, .condition = text, \
               .attributes = ATTR_ ## letters }
#include "fault-reasons.h.inc"
#undef FAULT
};
