/*
 * Driving a VT-d remapping unit from a qtest: tables in guest memory, the
 * register file, queued invalidation.
 *
 * Works on any unit with the architecture's registers, so that the same test
 * or benchmark can be run on intel-vtd and on the base's intel-iommu.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_QTEST_VTD_TEST_LIB_H
#define TESTS_QTEST_VTD_TEST_LIB_H

#include "tests/qtest/libqtest.h"

#define VTD_TEST_BASE       0xfed90000ULL   /* the unit's registers on q35 */

/* Registers that every test needs (VT-d 11.4) */
#define VTD_TEST_VER        0x00
#define VTD_TEST_CAP        0x08
#define VTD_TEST_ECAP       0x10
#define VTD_TEST_GCMD       0x18
#define VTD_TEST_GSTS       0x1c
#define VTD_TEST_RTADDR     0x20
#define VTD_TEST_FSTS       0x34
#define VTD_TEST_FSTS_IQE   (1u << 4)
#define VTD_TEST_IQH        0x80
#define VTD_TEST_IQT        0x88
#define VTD_TEST_IQA        0x90
#define VTD_TEST_IRTA       0xb8

#define VTD_TEST_GCMD_TE    (1u << 31)
#define VTD_TEST_GCMD_SRTP  (1u << 30)
#define VTD_TEST_GCMD_QIE   (1u << 26)
#define VTD_TEST_GCMD_IRE   (1u << 25)
#define VTD_TEST_GCMD_SIRTP (1u << 24)

/* Page-table entry bits that tests set */
#define VTD_TEST_FS_P       (1ULL << 0)     /* first stage (VT-d 9.8) */
#define VTD_TEST_FS_RW      (1ULL << 1)
#define VTD_TEST_FS_US      (1ULL << 2)
#define VTD_TEST_FS_A       (1ULL << 5)
#define VTD_TEST_FS_D       (1ULL << 6)
#define VTD_TEST_FS_G       (1ULL << 8)
#define VTD_TEST_FS_EA      (1ULL << 10)
#define VTD_TEST_FS_XD      (1ULL << 63)
#define VTD_TEST_SS_R       (1ULL << 0)     /* second stage (VT-d 9.9) */
#define VTD_TEST_SS_W       (1ULL << 1)
#define VTD_TEST_SS_X       (1ULL << 2)
#define VTD_TEST_SS_A       (1ULL << 8)
#define VTD_TEST_SS_D       (1ULL << 9)
#define VTD_TEST_PS         (1ULL << 7)     /* both: this entry is a page */

/* PGTT field of a PASID entry (VT-d 9.6) */
enum { VTD_TEST_FIRST = 1, VTD_TEST_SECOND = 2, VTD_TEST_NESTED = 3,
       VTD_TEST_PT = 4 };

/* TT field of a legacy context entry (VT-d 9.3) */
enum { VTD_TEST_TT_UNTRANSLATED = 0, VTD_TEST_TT_DEVICE_TLB = 1,
       VTD_TEST_TT_PT = 2 };

typedef struct VTDTest {
    QTestState *qts;
    uint64_t base;          /* the unit's registers */
    uint64_t next;          /* next free page of guest memory for tables */
    uint64_t end;
    uint64_t root;          /* root table */
    bool scalable;
    uint64_t iq;            /* invalidation queue, one page */
    unsigned iq_tail;       /* in descriptors */
    unsigned iq_shift;      /* log2 of a descriptor's size: 4 or 5 */
    uint64_t wait_status;   /* where wait descriptors store */
    uint32_t wait_value;
} VTDTest;

/**
 * vtd_test_init: begin with an empty root table.
 * @t: filled
 * @qts: the machine
 * @scalable: scalable-mode tables, otherwise legacy
 * @memory: guest memory from here on is the library's
 * @size: in bytes
 */
void vtd_test_init(VTDTest *t, QTestState *qts, bool scalable,
                   uint64_t memory, uint64_t size);

/* One zeroed page of guest memory */
uint64_t vtd_test_page(VTDTest *t);

uint32_t vtd_test_readl(VTDTest *t, unsigned reg);
uint64_t vtd_test_readq(VTDTest *t, unsigned reg);
void vtd_test_writel(VTDTest *t, unsigned reg, uint32_t value);
void vtd_test_writeq(VTDTest *t, unsigned reg, uint64_t value);

/*
 * Latch the root table, start queued invalidation (256-bit descriptors in
 * scalable mode), flush everything and enable translation.
 */
void vtd_test_enable(VTDTest *t);
void vtd_test_disable(VTDTest *t);

/* Give a command of GCMD: keeps the enables as GSTS has them, waits for GSTS */
void vtd_test_command(VTDTest *t, uint32_t bit, bool set);

/* Queue a descriptor: 4 words, of which 128-bit queues use two */
void vtd_test_queue(VTDTest *t, const uint64_t desc[4]);
/* Queue a wait descriptor with status write and check that it was reached */
void vtd_test_queue_wait(VTDTest *t);
/* Context, PASID and IOTLB caches, globally, and wait */
void vtd_test_flush_all(VTDTest *t);

/*
 * Map @size bytes at @input to @output in the tables below @root, which has
 * @levels levels, with pages of 4 KiB << (9 * (page_level - 1)). @flags are
 * the leaves' bits, @table_flags those of entries that point to tables.
 */
void vtd_test_map(VTDTest *t, uint64_t root, unsigned levels,
                  unsigned page_level, uint64_t input, uint64_t output,
                  uint64_t size, uint64_t flags, uint64_t table_flags);
void vtd_test_map_first(VTDTest *t, uint64_t root, unsigned levels,
                        unsigned page_level, uint64_t input, uint64_t output,
                        uint64_t size);
void vtd_test_map_second(VTDTest *t, uint64_t root, unsigned levels,
                         unsigned page_level, uint64_t input, uint64_t output,
                         uint64_t size);
/* Where the entry of @input at @page_level is; every table must exist */
uint64_t vtd_test_entry(VTDTest *t, uint64_t root, unsigned levels,
                        unsigned page_level, uint64_t input);

/* A legacy context entry; @levels 3..5 give its address width */
void vtd_test_legacy_context(VTDTest *t, uint16_t sid, unsigned tt,
                             uint64_t second_root, unsigned levels,
                             uint16_t did);
/* The address of the context entry of @sid, its tables made if needed */
uint64_t vtd_test_context(VTDTest *t, uint16_t sid);

/*
 * A scalable-mode context entry with a PASID directory of 2^(@pdts + 7)
 * entries; @flags is or-ed into its first word. Returns the directory.
 */
uint64_t vtd_test_scalable_context(VTDTest *t, uint16_t sid, unsigned pdts,
                                   uint32_t rid_pasid, uint64_t flags);
/* The address of a PASID entry, its table made if needed */
uint64_t vtd_test_pasid_entry(VTDTest *t, uint64_t dir, uint32_t pasid);
/*
 * Fill a PASID entry. @first_levels 4 or 5, @second_levels 3..5; roots that
 * the type does not use are ignored.
 */
void vtd_test_set_pasid(VTDTest *t, uint64_t dir, uint32_t pasid,
                        unsigned pgtt, uint64_t first_root,
                        unsigned first_levels, uint64_t second_root,
                        unsigned second_levels, uint16_t did);

#endif /* TESTS_QTEST_VTD_TEST_LIB_H */
