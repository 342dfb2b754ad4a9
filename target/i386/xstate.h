/*
 * Extended state: names that the base's x86 headers lack
 *
 * Included by target/i386/cpu.h. References are to the Intel 64 and IA-32
 * Architectures Software Developer's Manual (SDM).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef I386_XSTATE_H
#define I386_XSTATE_H

/* CPUID.(EAX=7,ECX=0):ECX: ENQCMD, ENQCMDS, IA32_PASID (SDM vol. 2, CPUID) */
#define CPUID_7_0_ECX_ENQCMD            (1U << 29)

/* IA32_PASID (SDM vol. 4): a PASID and whether it is valid */
#define MSR_IA32_PASID                  0xd93
#define MSR_PASID_PASID_MASK            0xfffffULL
#define MSR_PASID_VALID                 (1ULL << 31)
#define MSR_PASID_RESERVED  (~(MSR_PASID_VALID | MSR_PASID_PASID_MASK))

/* The state component of IA32_PASID, a supervisor one (SDM vol. 1, 13.5) */
#define XSTATE_PASID_BIT                10
#define XSTATE_PASID_MASK               (1ULL << XSTATE_PASID_BIT)
#define XSTATE_PASID_SIZE               8

/* CPUID.(EAX=0DH,ECX=n>1):ECX: IA32_XSS manages the component, not XCR0 */
#define ESA_FEATURE_SUPERVISOR_MASK     (1U << 0)

#ifndef CONFIG_USER_ONLY
/* Subsection "cpu/pasid" of the processor's state */
extern const VMStateDescription vmstate_x86_pasid;
#endif

#endif /* I386_XSTATE_H */
