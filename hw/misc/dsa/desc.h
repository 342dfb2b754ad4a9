/*
 * intel-dsa: descriptors and completion records (DSA section 8).
 *
 * Layouts, opcodes, flags and status codes, and one function that says whether
 * a descriptor is legal. No knowledge of the device, of PCI or of memory: unit
 * tests link desc.c alone.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_MISC_DSA_DESC_H
#define HW_MISC_DSA_DESC_H

#include "qemu/bitops.h"

/* Byte offsets in the 64-byte descriptor (DSA 8.1) */
#define DSA_DESC_PASID 0x00         /* 19:0 PASID, 31 privileged */
#define DSA_DESC_FLAGS 0x04         /* 23:0 flags, 31:24 opcode */
#define DSA_DESC_CR_ADDR 0x08
#define DSA_DESC_ADDR1 0x10         /* source, pattern, list, readback 1 */
#define DSA_DESC_ADDR2 0x18         /* destination, source 2, readback 2 */
#define DSA_DESC_SIZE_FIELD 0x20    /* transfer size or descriptor count */
#define DSA_DESC_INT_HANDLE 0x24
#define DSA_DESC_OP0 0x28           /* expected result, destination 2, seed */
#define DSA_DESC_OP1 0x30           /* seed address, source tags */
#define DSA_DESC_OP2 0x38           /* expected result mask, destination tags */
#define DSA_DESC_SRC_DIF 0x28       /* Source DIF Flags */
#define DSA_DESC_DST_DIF 0x29       /* Destination DIF Flags */
#define DSA_DESC_DIF 0x2a           /* DIF Flags */

#define DSA_DESC_PASID_RSVD MAKE_64BIT_MASK(20, 11)

/* Descriptor flags (DSA 8.1.3) */
#define DSA_FLAG_FENCE BIT(0)
#define DSA_FLAG_BOF BIT(1)         /* block on fault */
#define DSA_FLAG_CRAV BIT(2)        /* completion record address valid */
#define DSA_FLAG_RCR BIT(3)         /* request completion record */
#define DSA_FLAG_RCI BIT(4)         /* request completion interrupt */
#define DSA_FLAG_CRSTS BIT(5)       /* completion record steering tag */
#define DSA_FLAG_CR BIT(7)          /* check result */
#define DSA_FLAG_CC BIT(8)          /* cache control */
#define DSA_FLAG_ADDR1_TC BIT(9)
#define DSA_FLAG_ADDR2_TC BIT(10)
#define DSA_FLAG_ADDR3_TC BIT(11)
#define DSA_FLAG_CR_TC BIT(12)
#define DSA_FLAG_STORD BIT(13)      /* strict ordering */
#define DSA_FLAG_DRDBK BIT(14)      /* destination readback */
#define DSA_FLAG_DSTS BIT(15)       /* destination steering tag */
/* Operation-specific flags, bits 16 to 23 */
#define DSA_FLAG_DRAIN_RB1 BIT(16)  /* readback address 1 valid */
#define DSA_FLAG_DRAIN_RB2 BIT(17)  /* readback address 2 valid */
#define DSA_FLAG_DRAIN_NO_TC_A BIT(18)
#define DSA_FLAG_DRAIN_NO_TC_B BIT(19)
#define DSA_FLAG_DUALCAST_ST2 BIT(16)   /* destination 2 steering tag */
#define DSA_FLAG_FILL_16 BIT(16)        /* 16-byte pattern, version 2 */
#define DSA_FLAG_CRC_SEED_MEM BIT(16)   /* read the seed from memory */
#define DSA_FLAG_CRC_RAW BIT(17)        /* no inversion, no reflection */
#define DSA_FLAG_CRC_RAW_DATA BIT(18)   /* no reflection of data */
#define DSA_FLAGS_ALL MAKE_64BIT_MASK(0, 24)

/* Opcodes (DSA 8.1.2) that this device can carry out */
typedef enum DSAOpcode {
    DSA_OP_NOOP = 0x00,
    DSA_OP_BATCH = 0x01,
    DSA_OP_DRAIN = 0x02,
    DSA_OP_MEMMOVE = 0x03,
    DSA_OP_FILL = 0x04,
    DSA_OP_COMPARE = 0x05,
    DSA_OP_COMPVAL = 0x06,
    DSA_OP_CREATE_DELTA = 0x07,
    DSA_OP_APPLY_DELTA = 0x08,
    DSA_OP_DUALCAST = 0x09,
    DSA_OP_TRANSL_FETCH = 0x0a,     /* its capability tells version 2 */
    DSA_OP_CRCGEN = 0x10,
    DSA_OP_COPY_CRC = 0x11,
    DSA_OP_DIF_CHECK = 0x12,
    DSA_OP_DIF_INSERT = 0x13,
    DSA_OP_DIF_STRIP = 0x14,
    DSA_OP_DIF_UPDATE = 0x15,
    DSA_OP_CFLUSH = 0x20,
} DSAOpcode;

/* Status codes (DSA 8.2.1) */
typedef enum DSAStatus {
    DSA_ST_NONE = 0x00,
    DSA_ST_SUCCESS = 0x01,
    DSA_ST_PREDICATE = 0x02,        /* success, false predicate */
    DSA_ST_PAGE_FAULT = 0x03,       /* and block on fault was 0 */
    DSA_ST_PAGE_RESPONSE = 0x04,    /* page request not granted */
    DSA_ST_BATCH_FAIL = 0x05,
    DSA_ST_BATCH_FAULT = 0x06,      /* the descriptor list faulted */
    DSA_ST_DELTA_ORDER = 0x07,      /* an offset does not increase */
    DSA_ST_DELTA_RANGE = 0x08,      /* an offset is beyond the transfer size */
    DSA_ST_DIF = 0x09,              /* Result says which check failed */
    DSA_ST_OPCODE = 0x10,
    DSA_ST_FLAGS = 0x11,
    DSA_ST_RESERVED = 0x12,
    DSA_ST_SIZE = 0x13,
    DSA_ST_COUNT = 0x14,
    DSA_ST_DELTA_SIZE = 0x15,
    DSA_ST_OVERLAP = 0x16,
    DSA_ST_DUALCAST = 0x17,
    DSA_ST_LIST_ALIGN = 0x18,
    DSA_ST_INT_HANDLE = 0x19,
    DSA_ST_CR_FAULT = 0x1a,         /* only in SWERR */
    DSA_ST_CR_ALIGN = 0x1b,         /* only in SWERR */
    DSA_ST_ADDR_ALIGN = 0x1c,
    DSA_ST_PRIV = 0x1d,
    DSA_ST_TC = 0x1e,
    DSA_ST_READBACK = 0x1f,
    DSA_ST_HARDWARE = 0x20,
} DSAStatus;

#define DSA_ST_WRITE_FAULT 0x80     /* added to 03 and 04 in a record */

/* Byte offsets in the 32-byte completion record (DSA 8.2) */
#define DSA_CR_SIZE 32
#define DSA_CR_STATUS 0x00
#define DSA_CR_RESULT 0x01
#define DSA_CR_FAULT_INFO 0x02      /* 3:1 operand */
#define DSA_CR_COMPLETED 0x04       /* bytes, or descriptors of a batch */
#define DSA_CR_FAULT_ADDR 0x08
#define DSA_CR_INVALID_FLAGS 0x10
#define DSA_CR_CRC 0x10
#define DSA_CR_DELTA_SIZE 0x10
#define DSA_CR_SRC_TAGS 0x10
#define DSA_CR_DST_TAGS 0x18

/*
 * Source DIF Flags, Destination DIF Flags and DIF Flags as they lie in op[0]
 * of a decoded descriptor (DSA 8.3.14 to 8.3.17).
 */
#define DSA_SRC_DIF_ALL_F_ERROR BIT(0)  /* and they are an error */
#define DSA_SRC_DIF_ALL_F BIT(1)        /* all ones: not checked */
#define DSA_SRC_DIF_APP_F BIT(2)        /* application tag all ones: neither */
#define DSA_SRC_DIF_APP_REF_F BIT(3)    /* both tags all ones: neither */
#define DSA_SRC_DIF_APP_INC BIT(4)      /* application tag increments */
#define DSA_SRC_DIF_NO_GUARD BIT(5)     /* the guard is not checked */
#define DSA_SRC_DIF_NO_REF BIT(6)       /* the reference tag is not checked */
#define DSA_SRC_DIF_REF_FIXED BIT(7)    /* reference tag does not increment */
#define DSA_DST_DIF_APP_PASS BIT(11)    /* application tag as in the source */
#define DSA_DST_DIF_APP_INC BIT(12)
#define DSA_DST_DIF_GUARD_PASS BIT(13)
#define DSA_DST_DIF_REF_PASS BIT(14)
#define DSA_DST_DIF_REF_FIXED BIT(15)
#define DSA_DIF_BLOCK(op0) extract64(op0, 16, 2)
#define DSA_DIF_INVERT_SEED BIT(18)
#define DSA_DIF_INVERT_GUARD BIT(19)

#define DSA_DIF_SIZE 8                  /* guard, application, reference tag */
#define DSA_DIF_BLOCK_MAX 4104

/* DIF Status, where other operations have Result (DSA 8.2.3) */
#define DSA_DIF_BAD_GUARD BIT(0)
#define DSA_DIF_BAD_APP BIT(1)
#define DSA_DIF_BAD_REF BIT(2)
#define DSA_DIF_BAD_ALL_F BIT(3)

/* Delta records (DSA 8.3.8): an offset in units of 8 bytes, and 8 bytes */
#define DSA_DELTA_UNIT 8
#define DSA_DELTA_ENTRY 10
#define DSA_DELTA_RECORD_MIN 80         /* smallest maximum size */
#define DSA_DELTA_XFER_MAX 0x80000      /* that 16 bits of offset reach */

/* General capability bits that change what is legal (DSA 9.2.2, GENCAP) */
#define DSA_GENCAP_OVERLAP BIT_ULL(1)
#define DSA_GENCAP_CC_MEMORY BIT_ULL(2)
#define DSA_GENCAP_CC_FLUSH BIT_ULL(3)
#define DSA_GENCAP_DRDBK BIT_ULL(8)
#define DSA_GENCAP_DRAIN_RB BIT_ULL(9)
#define DSA_GENCAP_XFER_SHIFT(cap) extract64(cap, 16, 5)
#define DSA_GENCAP_BATCH_SHIFT(cap) extract64(cap, 21, 4)
/* Never more children than this, whatever a register says */
#define DSA_BATCH_MAX 1024

/**
 * DSADesc: a descriptor in host byte order.
 */
typedef struct DSADesc {
    uint8_t opcode;
    uint16_t int_handle;
    uint32_t flags;
    uint32_t size;
    uint64_t cr_addr;
    uint64_t addr1, addr2;
    uint64_t op[3];
} DSADesc;

/**
 * DSADescRules: what the device, the queue and the place of submission allow.
 * @gencap: GENCAP
 * @opcap: OPCAP, four words
 * @op_config: the queue's allowed opcodes, four words
 * @xfer_shift: log2 of the queue's largest transfer
 * @batch_shift: log2 of the queue's largest batch
 * @tc_a: traffic class of a clear TC selector
 * @tc_b: traffic class of a set one
 * @priv: the descriptor asks for privileged accesses
 * @priv_ok: it may
 * @in_batch: it comes from a batch's list
 */
typedef struct DSADescRules {
    uint64_t gencap;
    const uint64_t *opcap;
    const uint64_t *op_config;
    uint8_t xfer_shift, batch_shift;
    uint8_t tc_a, tc_b;
    bool priv, priv_ok;
    bool in_batch;
} DSADescRules;

/**
 * dsa_desc_decode: read the 64 little-endian bytes at @raw.
 */
void dsa_desc_decode(DSADesc *d, const uint8_t *raw);

/**
 * dsa_desc_check: whether a descriptor may be carried out.
 * @d: the decoded descriptor
 * @raw: its 64 bytes, for the reserved ones
 * @rules: what it is held against
 * @invalid_flags: the offending flags if the result is DSA_ST_FLAGS, else 0
 *
 * Returns DSA_ST_SUCCESS or the status of the first rule it breaks, in this
 * order: privilege, completion record alignment, opcode, reserved fields,
 * flags, size or count, size of a delta record, alignment of the list or of
 * delta operands, overlap and alignment of the destinations, traffic classes.
 * The interrupt handle is the caller's to check. Pure; any thread.
 */
DSAStatus dsa_desc_check(const DSADesc *d, const uint8_t *raw,
                         const DSADescRules *rules, uint32_t *invalid_flags);

/**
 * dsa_opcode_known: whether the device has code for @opcode.
 */
bool dsa_opcode_known(uint8_t opcode);

/**
 * dsa_ranges_overlap: whether two ranges of @size bytes share a byte, in
 * 64-bit addresses that wrap.
 */
static inline bool dsa_ranges_overlap(uint64_t a, uint64_t b, uint64_t size)
{
    return a - b < size || b - a < size;
}

/* The same for ranges of different sizes, neither of them empty */
static inline bool dsa_ranges_overlap2(uint64_t a, uint64_t a_size, uint64_t b,
                                       uint64_t b_size)
{
    return a - b < b_size || b - a < a_size;
}

/**
 * dsa_dif_block: bytes of data in one block of a DIF operation.
 */
static inline uint32_t dsa_dif_block(const DSADesc *d)
{
    static const uint16_t sizes[] = { 512, 520, 4096, DSA_DIF_BLOCK_MAX };

    return sizes[DSA_DIF_BLOCK(d->op[0])];
}

/* Bytes from one block to the next in the source, and in the destination */
static inline uint32_t dsa_dif_src_step(const DSADesc *d)
{
    return dsa_dif_block(d) +
           (d->opcode == DSA_OP_DIF_INSERT ? 0 : DSA_DIF_SIZE);
}

static inline uint32_t dsa_dif_dst_step(const DSADesc *d)
{
    return dsa_dif_block(d) +
           (d->opcode == DSA_OP_DIF_STRIP ? 0 : DSA_DIF_SIZE);
}

#endif /* HW_MISC_DSA_DESC_H */
