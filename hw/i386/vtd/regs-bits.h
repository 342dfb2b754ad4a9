/*
 * intel-vtd: offsets and fields of the remapping hardware's registers
 * (VT-d chapter 11.4) and of the records that they point to.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_VTD_REGS_BITS_H
#define HW_I386_VTD_REGS_BITS_H

#include "table-bits.h"

/* The table of registers; beyond it the window reads zero */
#define VTD_REG_SPACE       0x1000
#define VTD_WINDOW_BASE     0xfed90000ULL
#define VTD_WINDOW_ORDER    4           /* 2^N pages (DRHD.Size, 8.3) */
#define VTD_WINDOW_SIZE     (0x1000ULL << VTD_WINDOW_ORDER)

/* 11.4.1 Version Register */
#define VTD_REG_VER         0x000
#define VTD_VER_VALUE       0x60        /* major 6, minor 0 */

/* 11.4.2 Capability Register */
#define VTD_REG_CAP         0x008
#define VTD_CAP_ND(v)       ((uint64_t)(v))
#define VTD_CAP_CM          BIT_ULL(7)
#define VTD_CAP_SAGAW(v)    ((uint64_t)(v) << 8)
#define VTD_CAP_MGAW(v)     ((uint64_t)(v) << 16)
#define VTD_CAP_ZLR         BIT_ULL(22)
#define VTD_CAP_FRO(v)      ((uint64_t)(v) << 24)
#define VTD_CAP_SSLPS(v)    ((uint64_t)(v) << 34)
#define VTD_CAP_PSI         BIT_ULL(39)
#define VTD_CAP_NFR(v)      ((uint64_t)(v) << 40)
#define VTD_CAP_MAMV(v)     ((uint64_t)(v) << 48)
#define VTD_CAP_DWD         BIT_ULL(54)
#define VTD_CAP_DRD         BIT_ULL(55)
#define VTD_CAP_FS1GP       BIT_ULL(56)
#define VTD_CAP_FS5LP       BIT_ULL(60)
#define VTD_CAP_ESIRTPS     BIT_ULL(62)
#define VTD_CAP_ESRTPS      BIT_ULL(63)

/* 11.4.3 Extended Capability Register */
#define VTD_REG_ECAP        0x010
#define VTD_ECAP_C          BIT_ULL(0)
#define VTD_ECAP_QI         BIT_ULL(1)
#define VTD_ECAP_DT         BIT_ULL(2)
#define VTD_ECAP_IR         BIT_ULL(3)
#define VTD_ECAP_EIM        BIT_ULL(4)
#define VTD_ECAP_PT         BIT_ULL(6)
#define VTD_ECAP_SC         BIT_ULL(7)
#define VTD_ECAP_IRO(v)     ((uint64_t)(v) << 8)
#define VTD_ECAP_MHMV(v)    ((uint64_t)(v) << 20)
#define VTD_ECAP_NEST       BIT_ULL(26)
#define VTD_ECAP_PRS        BIT_ULL(29)
#define VTD_ECAP_ERS        BIT_ULL(30)
#define VTD_ECAP_SRS        BIT_ULL(31)
#define VTD_ECAP_NWFS       BIT_ULL(33)
#define VTD_ECAP_EAFS       BIT_ULL(34)
#define VTD_ECAP_PSS(v)     ((uint64_t)(v) << 35)
#define VTD_ECAP_PASID      BIT_ULL(40)
#define VTD_ECAP_PDS        BIT_ULL(42)
#define VTD_ECAP_SMTS       BIT_ULL(43)
#define VTD_ECAP_SSADS      BIT_ULL(45)
#define VTD_ECAP_SSTS       BIT_ULL(46)
#define VTD_ECAP_FSTS       BIT_ULL(47)
#define VTD_ECAP_SMPWC      BIT_ULL(48)
#define VTD_ECAP_RPS        BIT_ULL(49)

/* 11.4.4 Global Command and Status Registers; same bits in both */
#define VTD_REG_GCMD        0x018
#define VTD_REG_GSTS        0x01c
#define VTD_G_TE            BIT(31)
#define VTD_G_SRTP          BIT(30)
#define VTD_G_QIE           BIT(26)
#define VTD_G_IRE           BIT(25)
#define VTD_G_SIRTP         BIT(24)
#define VTD_G_CFI           BIT(23)

/* 11.4.5 Root Table Address Register */
#define VTD_REG_RTADDR      0x020
#define VTD_RTADDR_ADDR     VTD_BITS(63, 12)
#define VTD_RTADDR_TTM      VTD_BITS(11, 10)

/* 11.4.6.1 Context Command Register */
#define VTD_REG_CCMD        0x028
#define VTD_CCMD_ICC        BIT_ULL(63)
#define VTD_CCMD_CIRG       VTD_BITS(62, 61)
#define VTD_CCMD_CAIG_SHIFT 59
#define VTD_CCMD_CAIG       VTD_BITS(60, 59)
#define VTD_CCMD_FM         VTD_BITS(33, 32)
#define VTD_CCMD_SID        VTD_BITS(31, 16)
#define VTD_CCMD_DID        VTD_BITS(15, 0)

/* 11.4.7 Fault registers */
#define VTD_REG_FSTS        0x034
#define VTD_FSTS_PFO        BIT(0)
#define VTD_FSTS_PPF        BIT(1)
#define VTD_FSTS_IQE        BIT(4)
#define VTD_FSTS_ICE        BIT(5)
#define VTD_FSTS_ITE        BIT(6)
#define VTD_FSTS_FRI_SHIFT  8
/* What counts as a pending condition of the fault event */
#define VTD_FSTS_EVENTS     (VTD_FSTS_PPF | VTD_FSTS_IQE | VTD_FSTS_ICE | \
                             VTD_FSTS_ITE)
#define VTD_REG_FECTL       0x038
#define VTD_REG_FEDATA      0x03c
#define VTD_REG_FEADDR      0x040
#define VTD_REG_FEUADDR     0x044
/* Event control registers have the same two fields */
#define VTD_EVENT_IM        BIT(31)
#define VTD_EVENT_IP        BIT(30)

/* 11.4.9 Invalidation queue registers */
#define VTD_REG_IQH         0x080
#define VTD_REG_IQT         0x088
#define VTD_IQ_POINTER      VTD_BITS(18, 4)
#define VTD_REG_IQA         0x090
#define VTD_IQA_ADDR        VTD_BITS(63, 12)
#define VTD_IQA_DW          BIT_ULL(11)
#define VTD_IQA_QS          VTD_BITS(2, 0)
#define VTD_REG_ICS         0x09c
#define VTD_ICS_IWC         BIT(0)
#define VTD_REG_IECTL       0x0a0
#define VTD_REG_IEDATA      0x0a4
#define VTD_REG_IEADDR      0x0a8
#define VTD_REG_IEUADDR     0x0ac
#define VTD_REG_IQERCD      0x0b0
#define VTD_IQERCD_IQEI     VTD_BITS(3, 0)

/* Invalidation Queue Error Information (11.4.9.9) */
typedef enum VTDQueueError {
    VTD_IQEI_NONE = 0,
    VTD_IQEI_TAIL = 1,          /* tail beyond the queue */
    VTD_IQEI_FETCH = 2,         /* descriptor cannot be read */
    VTD_IQEI_TYPE = 3,          /* no such descriptor type */
    VTD_IQEI_RESERVED = 4,      /* reserved field or value */
    VTD_IQEI_WIDTH = 5,         /* wrong IQA.DW for it */
    VTD_IQEI_ALIGN = 6,         /* tail within a descriptor */
    VTD_IQEI_TTM = 7,           /* translation table mode does not allow it */
} VTDQueueError;

/* 11.4.10 Interrupt Remapping Table Address Register */
#define VTD_REG_IRTA        0x0b8
#define VTD_IRTA_ADDR       VTD_BITS(63, 12)
#define VTD_IRTA_EIME       BIT_ULL(11)
#define VTD_IRTA_S          VTD_BITS(3, 0)

/* 11.4.11 Page request queue registers */
#define VTD_REG_PQH         0x0c0
#define VTD_REG_PQT         0x0c8
#define VTD_PQ_POINTER      VTD_BITS(18, 5)
#define VTD_REG_PQA         0x0d0
#define VTD_PQA_ADDR        VTD_BITS(63, 12)
#define VTD_PQA_PQS         VTD_BITS(2, 0)
#define VTD_REG_PRS         0x0dc
#define VTD_PRS_PPR         BIT(0)
#define VTD_PRS_PRO         BIT(1)
#define VTD_REG_PECTL       0x0e0
#define VTD_REG_PEDATA      0x0e4
#define VTD_REG_PEADDR      0x0e8
#define VTD_REG_PEUADDR     0x0ec

/*
 * 11.4.14 Fault Recording Registers, 128 bits each, at CAP.FRO. The space
 * from 0x300 up to here is left to the performance and command registers.
 */
#define VTD_REG_FRCD        0x600
#define VTD_FRCD_MAX        128
#define VTD_FRCD_LO(n)      (VTD_REG_FRCD + 16 * (n))
#define VTD_FRCD_HI(n)      (VTD_FRCD_LO(n) + 8)
#define VTD_FRCD_FI         VTD_BITS(63, 12)
#define VTD_FRCD_F          BIT_ULL(63)
#define VTD_FRCD_T1         BIT_ULL(62)
#define VTD_FRCD_AT_SHIFT   60
#define VTD_FRCD_PV_SHIFT   40
#define VTD_FRCD_FR_SHIFT   32
#define VTD_FRCD_PP         BIT_ULL(31)
#define VTD_FRCD_EXE        BIT_ULL(30)
#define VTD_FRCD_PRIV       BIT_ULL(29)
#define VTD_FRCD_T2         BIT_ULL(28)
#define VTD_FRCD_INDEX_SHIFT 48         /* FI of an interrupt fault */

/* 11.4.6.2 IOTLB registers, at ECAP.IRO */
#define VTD_REG_IVA         0xf00
#define VTD_IVA_AM          VTD_BITS(5, 0)
#define VTD_IVA_IH          BIT_ULL(6)
#define VTD_IVA_ADDR        VTD_BITS(63, 12)
#define VTD_REG_IOTLB       0xf08
#define VTD_IOTLB_IVT       BIT_ULL(63)
#define VTD_IOTLB_IIRG      VTD_BITS(61, 60)
#define VTD_IOTLB_IAIG_SHIFT 57
#define VTD_IOTLB_IAIG      VTD_BITS(58, 57)
#define VTD_IOTLB_DR        BIT_ULL(49)
#define VTD_IOTLB_DW        BIT_ULL(48)
#define VTD_IOTLB_DID       VTD_BITS(47, 32)

/*
 * Largest address mask of a page-selective invalidation (CAP.MAMV): all that a
 * 5-level first stage translates, 2^45 pages. Linux sends masks for the first
 * stage without a look at this field.
 */
#define VTD_MAMV            45

#endif /* HW_I386_VTD_REGS_BITS_H */
