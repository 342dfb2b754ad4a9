/*
 * intel-vtd: bits of the entries of the translation structures (VT-d chapter
 * 9). The bits of registers and descriptors are in regs-bits.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_VTD_TABLE_BITS_H
#define HW_I386_VTD_TABLE_BITS_H

#include "qemu/bitops.h"

#define VTD_PAGE_BITS           12
#define VTD_LEVEL_BITS          9
#define VTD_PAGE_BASE           (~(uint64_t)0xfff)

/* Field [hi:lo] of an entry or a register, as a mask */
#define VTD_BITS(hi, lo)        MAKE_64BIT_MASK((lo), (hi) - (lo) + 1)

/* Address bits that no table may have on a host of @haw bits */
static inline uint64_t vtd_beyond(unsigned haw)
{
    return haw >= 64 ? 0 : ~MAKE_64BIT_MASK(0, haw);
}

/* RTADDR_REG as SRTP latches it (11.4.5) */
#define VTD_TTM(rtaddr)         extract64((rtaddr), 10, 2)
#define VTD_TTM_LEGACY          0
#define VTD_TTM_SCALABLE        1
#define VTD_TTM_ABORT           3

/* Root entry (9.1); each half of a scalable-mode root entry (9.2) */
#define VTD_ROOT_P              BIT_ULL(0)
#define VTD_ROOT_RESERVED       VTD_BITS(11, 1)
#define VTD_ROOT_ENTRY_SIZE     16

/* Context entry (9.3), two words */
#define VTD_CE_P                BIT_ULL(0)
#define VTD_CE_FPD              BIT_ULL(1)
#define VTD_CE_TT(lo)           extract64((lo), 2, 2)
#define VTD_CE_TT_UNTRANSLATED  0
#define VTD_CE_TT_ALL           1
#define VTD_CE_TT_PASS_THROUGH  2
#define VTD_CE_RESERVED_LO      VTD_BITS(11, 4)
#define VTD_CE_AW(hi)           extract64((hi), 0, 3)
#define VTD_CE_DID(hi)          extract64((hi), 8, 16)
#define VTD_CE_RESERVED_HI      (BIT_ULL(7) | VTD_BITS(63, 24))
#define VTD_CE_SIZE             16

/* Scalable-mode context entry (9.4), four words */
#define VTD_SCE_P               BIT_ULL(0)
#define VTD_SCE_FPD             BIT_ULL(1)
#define VTD_SCE_DTE             BIT_ULL(2)
#define VTD_SCE_PASIDE          BIT_ULL(3)
#define VTD_SCE_PRE             BIT_ULL(4)
#define VTD_SCE_RESERVED_0      VTD_BITS(8, 5)
#define VTD_SCE_PDTS(w0)        extract64((w0), 9, 3)
#define VTD_SCE_RID_PASID(w1)   extract64((w1), 0, 20)
#define VTD_SCE_RID_PRIV        BIT_ULL(20)     /* of word 1 */
#define VTD_SCE_RESERVED_1      VTD_BITS(63, 21)
#define VTD_SCE_WORDS           4
/* A directory of 2^(PDTS + 7) entries with 64 PASIDs each */
#define VTD_PDTS_PASIDS(pdts)   (1u << ((pdts) + 7 + 6))

/* Scalable-mode PASID directory entry (9.5) */
#define VTD_PDE_P               BIT_ULL(0)
#define VTD_PDE_FPD             BIT_ULL(1)
#define VTD_PDE_RESERVED        VTD_BITS(11, 2)
#define VTD_PDE_INDEX(pasid)    ((pasid) >> 6)

/* Scalable-mode PASID table entry (9.6), eight words */
#define VTD_PE_P                BIT_ULL(0)
#define VTD_PE_FPD              BIT_ULL(1)
#define VTD_PE_AW(w0)           extract64((w0), 2, 3)
#define VTD_PE_PGTT(w0)         extract64((w0), 6, 3)
#define VTD_PE_SSADE            BIT_ULL(9)
#define VTD_PE_RESERVED_0       (BIT_ULL(5) | VTD_BITS(11, 10))
#define VTD_PE_DID(w1)          extract64((w1), 0, 16)
#define VTD_PE_RESERVED_1       VTD_BITS(22, 16)
#define VTD_PE_PWSNP            BIT_ULL(23)
#define VTD_PE_PGSNP            BIT_ULL(24)
#define VTD_PE_SRE              BIT_ULL(0)      /* of word 2 */
#define VTD_PE_ERE              BIT_ULL(1)
#define VTD_PE_FSPM(w2)         extract64((w2), 2, 2)
#define VTD_PE_WPE              BIT_ULL(4)
#define VTD_PE_NXE              BIT_ULL(5)
#define VTD_PE_SMEP             BIT_ULL(6)
#define VTD_PE_EAFE             BIT_ULL(7)
#define VTD_PE_RESERVED_2       VTD_BITS(11, 8)
#define VTD_PE_WORDS            8
#define VTD_PE_INDEX(pasid)     ((pasid) & 63)
#define VTD_FSPM_4_LEVEL        0
#define VTD_FSPM_5_LEVEL        1

/* First-stage paging entry (9.7) */
#define VTD_FS_P                BIT_ULL(0)
#define VTD_FS_RW               BIT_ULL(1)
#define VTD_FS_US               BIT_ULL(2)
#define VTD_FS_A                BIT_ULL(5)
#define VTD_FS_D                BIT_ULL(6)
#define VTD_FS_G                BIT_ULL(8)
#define VTD_FS_EA               BIT_ULL(10)
#define VTD_FS_XD               BIT_ULL(63)
#define VTD_FS_IGNORED_HIGH     VTD_BITS(63, 52)

/* Second-stage paging entry (9.8) */
#define VTD_SS_R                BIT_ULL(0)
#define VTD_SS_W                BIT_ULL(1)
#define VTD_SS_A                BIT_ULL(8)
#define VTD_SS_D                BIT_ULL(9)
#define VTD_SS_SNP              BIT_ULL(11)
#define VTD_SS_IGNORED_HIGH     (VTD_BITS(61, 52) | BIT_ULL(63))

/* Both: the entry of a level above 1 maps a page */
#define VTD_PTE_PS              BIT_ULL(7)
/* Both: highest level whose entry may map a page */
#define VTD_MAX_LEAF_LEVEL      3
#define VTD_MAX_LEVELS          5

/* Interrupt range of addresses (3.14), as aligned as it is large */
#define VTD_INTERRUPT_BASE      0xfee00000ULL
#define VTD_INTERRUPT_BITS      20
#define VTD_INTERRUPT_SIZE      (1ULL << VTD_INTERRUPT_BITS)

static inline bool vtd_is_interrupt_address(uint64_t addr)
{
    return addr - VTD_INTERRUPT_BASE < VTD_INTERRUPT_SIZE;
}

#endif /* HW_I386_VTD_TABLE_BITS_H */
