/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Data Streaming Accelerator as a process sees it: work descriptors and
 * completion records (DSA specification, chapter 8).
 */
#ifndef DSA_HW_H
#define DSA_HW_H

#include <stddef.h>
#include <stdint.h>

/* Operations (table 8-3) */
enum {
    DSA_NOOP = 0x00,
    DSA_BATCH = 0x01,
    DSA_DRAIN = 0x02,
    DSA_MEMMOVE = 0x03,
    DSA_FILL = 0x04,
    DSA_COMPARE = 0x05,
    DSA_COMPVAL = 0x06,
    DSA_DUALCAST = 0x09,
    DSA_CRCGEN = 0x10,
    DSA_COPY_CRC = 0x11,
    DSA_CFLUSH = 0x20,
};

/* Descriptor flags (section 8.1.3) */
enum {
    DSA_F_FENCE = 1 << 0,
    DSA_F_BLOCK = 1 << 1,           /* block on fault */
    DSA_F_RECORD_VALID = 1 << 2,    /* completion address valid */
    DSA_F_RECORD = 1 << 3,          /* request a completion record */
    DSA_F_CHECK = 1 << 7,           /* check result */
};

/* Status codes (section 5.8, table 5-4) */
enum {
    DSA_OK = 0x01,
    DSA_FALSE = 0x02,               /* done, result not as expected */
    DSA_FAULT = 0x03,               /* page fault, block on fault clear */
    DSA_FAULT_REFUSED = 0x04,       /* page request answered with an error */
    DSA_BATCH_FAILED = 0x05,
    DSA_BAD_OPCODE = 0x10,
    DSA_BAD_FLAGS = 0x11,
    DSA_BAD_RESERVED = 0x12,
    DSA_BAD_SIZE = 0x13,
    DSA_BAD_COUNT = 0x14,
    DSA_BAD_OVERLAP = 0x16,
    DSA_BAD_DUALCAST = 0x17,
    DSA_BAD_LIST = 0x18,
    DSA_STATUS_MASK = 0x7f,
    DSA_STATUS_WRITE = 0x80,        /* the fault was a write */
};

struct dsa_desc {
    uint32_t pasid;                 /* ignored by dedicated queues */
    uint32_t flags:24;
    uint32_t opcode:8;
    uint64_t record;
    union {
        uint64_t src;
        uint64_t pattern;           /* fill */
        uint64_t list;              /* batch */
    };
    union {
        uint64_t dst;
        uint64_t src2;              /* compare */
        uint64_t value;             /* compare with a pattern */
    };
    union {
        uint32_t size;
        uint32_t count;             /* batch */
    };
    uint16_t handle;
    uint16_t reserved;
    union {
        uint8_t expected;           /* compare */
        uint64_t dst2;              /* dualcast */
        uint32_t seed;              /* checksum */
        uint8_t special[24];
    };
} __attribute__((aligned(64)));

struct dsa_record {
    uint8_t status;
    uint8_t result;
    uint8_t fault_info;
    uint8_t reserved;
    uint32_t done;                  /* bytes, or descriptors of a batch */
    uint64_t fault_address;
    union {
        uint64_t crc;
        uint32_t invalid_flags;
        uint8_t special[16];
    };
} __attribute__((aligned(32)));

_Static_assert(sizeof(struct dsa_desc) == 64, "descriptor layout");
_Static_assert(offsetof(struct dsa_desc, size) == 0x20, "descriptor layout");
_Static_assert(offsetof(struct dsa_desc, special) == 0x28,
               "descriptor layout");
_Static_assert(sizeof(struct dsa_record) == 32, "record layout");
_Static_assert(offsetof(struct dsa_record, fault_address) == 8,
               "record layout");

#endif
