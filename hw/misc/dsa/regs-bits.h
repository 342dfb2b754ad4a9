/*
 * intel-dsa: registers of BAR0 and their fields (DSA section 9.2). The names
 * are the specification's.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_MISC_DSA_REGS_BITS_H
#define HW_MISC_DSA_REGS_BITS_H

#include "hw/core/registerfields.h"

/* BAR0: the layout past 0x200 is ours, software finds it through OFFSETS */
#define DSA_MMIO_SIZE       0x10000
#define DSA_GRPCFG_BASE     0x400
#define DSA_GRPCFG_STRIDE   64
#define DSA_WQCFG_BASE      0x500
#define DSA_WQCFG_STRIDE    32
#define DSA_MSIXPERM_BASE   0x800
#define DSA_MSIXPERM_STRIDE 8
#define DSA_MSIX_TABLE      0x2000
#define DSA_MSIX_PBA        0x3000
#define DSA_IMS_BASE        0x8000
#define DSA_IMS_STRIDE      16
#define DSA_IMS_MAX         2048

/* BAR2: four pages for each work queue (DSA section 3.3, Portals) */
#define DSA_PORTAL_SHIFT    12
#define DSA_PORTALS_SHIFT   14
#define DSA_PORTAL_LIMITED  1       /* page bit 0: limited portal */
#define DSA_PORTAL_IMS      2       /* page bit 1: handles name IMS entries */

/* DSA 9.2.1 VERSION */
REG32(VERSION, 0x00)

/* DSA 9.2.2 GENCAP: General Capabilities */
REG64(GENCAP, 0x10)
    FIELD(GENCAP, BLOCK_ON_FAULT, 0, 1)
    FIELD(GENCAP, OVERLAP_COPY, 1, 1)
    FIELD(GENCAP, CACHE_CTRL_MEM, 2, 1)
    FIELD(GENCAP, CACHE_CTRL_FLUSH, 3, 1)
    FIELD(GENCAP, CMDCAP, 4, 1)
    FIELD(GENCAP, DEST_READBACK, 8, 1)
    FIELD(GENCAP, MAX_XFER_SHIFT, 16, 5)
    FIELD(GENCAP, MAX_BATCH_SHIFT, 21, 4)
    FIELD(GENCAP, IMS_SIZE, 25, 6)          /* in units of 256 entries */
    FIELD(GENCAP, CONFIGURABLE, 31, 1)
    FIELD(GENCAP, UNNAMED38, 38, 1)         /* set by every 1.0 part */

/* DSA 9.2.3 WQCAP: Work Queue Capabilities */
REG64(WQCAP, 0x20)
    FIELD(WQCAP, TOTAL_SIZE, 0, 16)
    FIELD(WQCAP, NUM_WQS, 16, 8)
    FIELD(WQCAP, WQCFG_SIZE, 24, 4)         /* stride is 32 << n */
    FIELD(WQCAP, SHARED, 48, 1)
    FIELD(WQCAP, DEDICATED, 49, 1)
    FIELD(WQCAP, ATS, 50, 1)
    FIELD(WQCAP, PRIORITY, 51, 1)
    FIELD(WQCAP, OCCUPANCY, 52, 1)
    FIELD(WQCAP, OCCUPANCY_INT, 53, 1)

/* DSA 9.2.4 GRPCAP: Group Capabilities */
REG64(GRPCAP, 0x30)
    FIELD(GRPCAP, NUM_GROUPS, 0, 8)
    FIELD(GRPCAP, TOTAL_RDBUFS, 8, 8)
    FIELD(GRPCAP, RDBUF_CTRL, 16, 1)
    FIELD(GRPCAP, RDBUF_LIMIT, 17, 1)

/* DSA 9.2.5 ENGCAP: Engine Capabilities */
REG64(ENGCAP, 0x38)
    FIELD(ENGCAP, NUM_ENGINES, 0, 8)

/* DSA 9.2.6 OPCAP: bit n is operation n */
REG64(OPCAP, 0x40)

/* DSA 9.2.7 OFFSETS: in units of 256 bytes */
REG64(OFFSETS0, 0x60)
    FIELD(OFFSETS0, GRPCFG, 0, 16)
    FIELD(OFFSETS0, WQCFG, 16, 16)
    FIELD(OFFSETS0, MSIXPERM, 32, 16)
    FIELD(OFFSETS0, IMS, 48, 16)
REG64(OFFSETS1, 0x68)
#define DSA_OFFSET_UNIT     0x100

/* DSA 9.2.8 GENCFG: General Configuration; only while disabled */
REG32(GENCFG, 0x80)
    FIELD(GENCFG, RDBUF_LIMIT, 0, 8)
    FIELD(GENCFG, USER_INT_EN, 12, 1)

/* DSA 9.2.9 GENCTRL: General Control */
REG32(GENCTRL, 0x88)
    FIELD(GENCTRL, SWERR_INT_EN, 0, 1)
    FIELD(GENCTRL, HALT_INT_EN, 1, 1)

/* DSA 9.2.10 GENSTS: General Status */
REG32(GENSTS, 0x90)
    FIELD(GENSTS, STATE, 0, 2)
    FIELD(GENSTS, RESET_TYPE, 2, 2)

typedef enum DSADeviceState {
    DSA_STATE_DISABLED, DSA_STATE_ENABLED, DSA_STATE_DRAIN, DSA_STATE_HALT,
} DSADeviceState;

#define DSA_RESET_TYPE_FLR  1

/* DSA 9.2.11 INTCAUSE: Interrupt Cause, of MSI-X vector 0 */
REG32(INTCAUSE, 0x98)
#define DSA_INTCAUSE_SWERR      (1u << 0)
#define DSA_INTCAUSE_CMD        (1u << 1)
#define DSA_INTCAUSE_OCCUPANCY  (1u << 2)
#define DSA_INTCAUSE_HALT       (1u << 4)

/* DSA 9.2.12 CMD: Command */
REG32(CMD, 0xa0)
    FIELD(CMD, OPERAND, 0, 20)
    FIELD(CMD, CODE, 20, 5)
    FIELD(CMD, INT_REQ, 31, 1)
#define DSA_CMD_IMS             (1u << 16)  /* of the handle commands */

/* DSA 9.2.13 CMDSTATUS */
REG32(CMDSTS, 0xa8)
    FIELD(CMDSTS, ERROR, 0, 8)
    FIELD(CMDSTS, RESULT, 8, 16)
    FIELD(CMDSTS, ACTIVE, 31, 1)

/* CMDCAP: bit n is command n; there if GENCAP.CMDCAP */
REG32(CMDCAP, 0xb0)

/* DSA 9.2.14 SWERR: Software Error */
REG64(SWERR, 0xc0)
    FIELD(SWERR, VALID, 0, 1)
    FIELD(SWERR, OVERFLOW, 1, 1)
    FIELD(SWERR, DESC_VALID, 2, 1)
    FIELD(SWERR, WQ_VALID, 3, 1)
    FIELD(SWERR, BATCH, 4, 1)
    FIELD(SWERR, WRITE, 5, 1)
    FIELD(SWERR, PRIV, 6, 1)
    FIELD(SWERR, ERROR, 8, 8)
    FIELD(SWERR, WQ, 16, 8)
    FIELD(SWERR, OPCODE, 32, 8)
    FIELD(SWERR, PASID, 40, 20)
REG64(SWERR1, 0xc8)
    FIELD(SWERR1, BATCH_INDEX, 0, 16)
    FIELD(SWERR1, INVALID_FLAGS, 32, 32)

/* DSA 9.2.15 EVLCFG, 9.2.16 EVLSTATUS: reserved without an event log */
REG64(EVLCFG, 0xe0)
REG64(EVLSTATUS, 0xf0)

/* Errors that only SWERR reports (DSA appendix, status codes) */
/* implementation choice: a descriptor that no queue could take */
#define DSA_SWERR_DROPPED       0x50
#define DSA_SWERR_PCI_CONFIG    0x51
#define DSA_SWERR_CMD_ACTIVE    0x52

/* DSA 9.2.20 GRPCFG: Group Configuration, offsets in an entry */
#define DSA_GRP_WQS             0
#define DSA_GRP_ENGINES         32
#define DSA_GRP_FLAGS           40
FIELD(GRPFLAGS, TC_A, 0, 3)
FIELD(GRPFLAGS, TC_B, 3, 3)
FIELD(GRPFLAGS, USE_RDBUF_LIMIT, 7, 1)
FIELD(GRPFLAGS, RDBUFS_RESERVED, 8, 8)
FIELD(GRPFLAGS, RDBUFS_ALLOWED, 20, 8)

/* DSA 9.2.21 WQCFG: Work Queue Configuration, by doubleword */
FIELD(WQCFG0, SIZE, 0, 16)
FIELD(WQCFG1, THRESHOLD, 0, 16)
FIELD(WQCFG2, DEDICATED, 0, 1)
FIELD(WQCFG2, BOF, 1, 1)
FIELD(WQCFG2, ATS_DISABLE, 2, 1)
FIELD(WQCFG2, PRIORITY, 4, 4)
FIELD(WQCFG2, PASID, 8, 20)
FIELD(WQCFG2, PASID_EN, 28, 1)
FIELD(WQCFG2, PRIV, 29, 1)
FIELD(WQCFG3, MAX_XFER_SHIFT, 0, 5)
FIELD(WQCFG3, MAX_BATCH_SHIFT, 5, 4)
FIELD(WQCFG4, OCCUPANCY_HANDLE, 0, 16)
FIELD(WQCFG4, OCCUPANCY_IMS, 16, 1)
FIELD(WQCFG5, OCCUPANCY_LIMIT, 0, 16)
FIELD(WQCFG5, OCCUPANCY_INT_EN, 16, 1)
FIELD(WQCFG6, OCCUPANCY, 0, 16)
FIELD(WQCFG6, OCCUPANCY_INT, 16, 1)
FIELD(WQCFG6, STATE, 30, 2)

typedef enum DSAWQState {
    DSA_WQ_DISABLED, DSA_WQ_ENABLED, DSA_WQ_BUSY,
} DSAWQState;

/* DSA 9.2.22 MSIXPERM and the control word of an IMS entry */
FIELD(PERM, MASK, 0, 1)         /* IMS only */
FIELD(PERM, PENDING, 1, 1)      /* IMS only */
FIELD(PERM, IGNORE, 2, 1)
FIELD(PERM, PASID_EN, 3, 1)
FIELD(PERM, PASID, 12, 20)

/* DSA table of commands (9.2.12) */
typedef enum DSACommand {
    DSA_CMD_ENABLE_DEVICE = 1,
    DSA_CMD_DISABLE_DEVICE,
    DSA_CMD_DRAIN_ALL,
    DSA_CMD_ABORT_ALL,
    DSA_CMD_RESET_DEVICE,
    DSA_CMD_ENABLE_WQ,
    DSA_CMD_DISABLE_WQ,
    DSA_CMD_DRAIN_WQ,
    DSA_CMD_ABORT_WQ,
    DSA_CMD_RESET_WQ,
    DSA_CMD_DRAIN_PASID,
    DSA_CMD_ABORT_PASID,
    DSA_CMD_REQUEST_INT_HANDLE,
    DSA_CMD_RELEASE_INT_HANDLE,
} DSACommand;

/* DSA table of command status codes (9.2.13) */
typedef enum DSACmdStatus {
    DSA_CMD_SUCCESS             = 0x00,
    DSA_CMD_INVALID_COMMAND     = 0x01,
    DSA_CMD_INVALID_WQ          = 0x02,
    DSA_CMD_HW_ERROR            = 0x03,
    DSA_CMD_RESERVED            = 0x04,
    DSA_CMD_DEV_NOT_DISABLED    = 0x10,
    DSA_CMD_DEV_CONFIG          = 0x11,
    DSA_CMD_BUS_MASTER          = 0x12,
    DSA_CMD_PRS_ALLOC           = 0x13,
    DSA_CMD_WQ_SIZE_SUM         = 0x14,
    DSA_CMD_GROUP_INCOMPLETE    = 0x15,
    DSA_CMD_GROUP_WQ            = 0x16,
    DSA_CMD_GROUP_ENGINE        = 0x17,
    DSA_CMD_GROUP_RDBUFS        = 0x18,
    DSA_CMD_DEV_NOT_ENABLED     = 0x20,
    DSA_CMD_WQ_NOT_DISABLED     = 0x21,
    DSA_CMD_WQ_SIZE             = 0x22,
    DSA_CMD_WQ_PRIORITY         = 0x23,
    DSA_CMD_WQ_MODE             = 0x24,
    DSA_CMD_WQ_BOF              = 0x25,
    DSA_CMD_WQ_PASID            = 0x26,
    DSA_CMD_WQ_MAX_BATCH        = 0x27,
    DSA_CMD_WQ_MAX_XFER         = 0x28,
    DSA_CMD_WQ_PRIV             = 0x2a,
    DSA_CMD_WQ_OCCUPANCY        = 0x2b,
    DSA_CMD_WQ_ATS              = 0x2c,
    DSA_CMD_DEV_OFF             = 0x31,
    DSA_CMD_WQ_OFF              = 0x32,
    DSA_CMD_INT_INDEX           = 0x41,
    DSA_CMD_INT_NOT_ASSOCIATED  = 0x43,
} DSACmdStatus;

#endif /* HW_MISC_DSA_REGS_BITS_H */
