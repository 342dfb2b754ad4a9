/*
 * intel-vtd: fault reason codes (VT-d section 7.1.3 for DMA, 5.1.4.1 for
 * interrupts) and what is to be known about each.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_VTD_FAULT_REASONS_H
#define HW_I386_VTD_FAULT_REASONS_H

typedef enum VTDFaultReason {
    VTD_FR_NONE = 0,
#define FAULT(name, code, attributes, condition) VTD_FR_ ## name = code
#include "fault-reasons.h.inc"
#undef FAULT
    VTD_FR_COUNT = 0x100,
} VTDFaultReason;

#define VTD_FAULT_QUALIFIED     1
#define VTD_FAULT_RECOVERABLE   2

/**
 * VTDFaultInfo: what is known about a reason.
 * @name: its name, such as "SGN_6_WRITE" for SGN.6, or NULL if undefined
 * @condition: the condition in a few words
 * @attributes: VTD_FAULT_QUALIFIED and VTD_FAULT_RECOVERABLE
 */
typedef struct VTDFaultInfo {
    const char *name;
    const char *condition;
    uint8_t attributes;
} VTDFaultInfo;

/* Indexed by code; fault-reasons.c */
extern const VTDFaultInfo vtd_fault_info[VTD_FR_COUNT];

static inline bool vtd_fault_qualified(uint8_t reason)
{
    return vtd_fault_info[reason].attributes & VTD_FAULT_QUALIFIED;
}

static inline bool vtd_fault_recoverable(uint8_t reason)
{
    return vtd_fault_info[reason].attributes & VTD_FAULT_RECOVERABLE;
}

#endif /* HW_I386_VTD_FAULT_REASONS_H */
