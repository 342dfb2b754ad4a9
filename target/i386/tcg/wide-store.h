/*
 * Direct stores in TCG: which CPUID bits it implements
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef I386_TCG_WIDE_STORE_H
#define I386_TCG_WIDE_STORE_H

/*
 * CPUID.(EAX=7,ECX=0):ECX. User emulation has no devices that a 64-byte write
 * could reach, so it does not have the instructions.
 */
#ifdef CONFIG_USER_ONLY
#define TCG_7_0_ECX_WIDE_STORE 0
#else
#define TCG_7_0_ECX_WIDE_STORE \
    (CPUID_7_0_ECX_MOVDIRI | CPUID_7_0_ECX_MOVDIR64B | CPUID_7_0_ECX_ENQCMD)
#endif

#endif /* I386_TCG_WIDE_STORE_H */
