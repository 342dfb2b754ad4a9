/*
 * Driving a VT-d remapping unit from a qtest
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "vtd-test-lib.h"

#define PAGE 4096ULL
#define ENTRIES 512
#define ADDR_MASK 0x000ffffffffff000ULL

#define SCALABLE_TTM (1ULL << 10)   /* RTADDR.TTM = scalable (VT-d 11.4.5) */
#define IQA_DW_256 (1ULL << 11)     /* IQA.DW: 256-bit descriptors */

uint64_t vtd_test_page(VTDTest *t)
{
    uint64_t page = t->next;

    g_assert_cmphex(page, <, t->end);
    t->next += PAGE;
    qtest_memset(t->qts, page, 0, PAGE);
    return page;
}

void vtd_test_init(VTDTest *t, QTestState *qts, bool scalable,
                   uint64_t memory, uint64_t size)
{
    *t = (VTDTest) {
        .qts = qts,
        .base = VTD_TEST_BASE,
        .next = memory,
        .end = memory + size,
        .scalable = scalable,
        .iq_shift = scalable ? 5 : 4,
    };
    t->root = vtd_test_page(t);
    t->iq = vtd_test_page(t);
    t->wait_status = vtd_test_page(t);
}

uint32_t vtd_test_readl(VTDTest *t, unsigned reg)
{
    return qtest_readl(t->qts, t->base + reg);
}

uint64_t vtd_test_readq(VTDTest *t, unsigned reg)
{
    return qtest_readq(t->qts, t->base + reg);
}

void vtd_test_writel(VTDTest *t, unsigned reg, uint32_t value)
{
    qtest_writel(t->qts, t->base + reg, value);
}

void vtd_test_writeq(VTDTest *t, unsigned reg, uint64_t value)
{
    qtest_writeq(t->qts, t->base + reg, value);
}

void vtd_test_command(VTDTest *t, uint32_t bit, bool set)
{
    /* One-shot bits must not be written back (VT-d 11.4.4.1) */
    uint32_t value = vtd_test_readl(t, VTD_TEST_GSTS) & 0x96ffffff;

    value = set ? value | bit : value & ~bit;
    vtd_test_writel(t, VTD_TEST_GCMD, value);
    g_assert_cmphex(vtd_test_readl(t, VTD_TEST_GSTS) & bit, ==, set ? bit : 0);
}

void vtd_test_enable(VTDTest *t)
{
    vtd_test_writeq(t, VTD_TEST_RTADDR,
                    t->root | (t->scalable ? SCALABLE_TTM : 0));
    vtd_test_command(t, VTD_TEST_GCMD_SRTP, true);
    t->iq_tail = 0;
    vtd_test_writeq(t, VTD_TEST_IQT, 0);
    vtd_test_writeq(t, VTD_TEST_IQA, t->iq | (t->scalable ? IQA_DW_256 : 0));
    vtd_test_command(t, VTD_TEST_GCMD_QIE, true);
    vtd_test_flush_all(t);
    vtd_test_command(t, VTD_TEST_GCMD_TE, true);
}

void vtd_test_disable(VTDTest *t)
{
    vtd_test_command(t, VTD_TEST_GCMD_TE, false);
    vtd_test_command(t, VTD_TEST_GCMD_QIE, false);
}

void vtd_test_queue(VTDTest *t, const uint64_t desc[4])
{
    unsigned size = 1u << t->iq_shift;
    unsigned entries = PAGE >> t->iq_shift;
    uint64_t le[4];

    for (int i = 0; i < 4; i++) {
        le[i] = cpu_to_le64(desc[i]);
    }
    qtest_memwrite(t->qts, t->iq + t->iq_tail * size, le, size);
    t->iq_tail = (t->iq_tail + 1) % entries;
    vtd_test_writeq(t, VTD_TEST_IQT, (uint64_t)t->iq_tail << t->iq_shift);
}

void vtd_test_queue_wait(VTDTest *t)
{
    /* Wait: type 5, SW, status data in 63:32 (VT-d 6.5.2.8) */
    uint32_t value = ++t->wait_value;
    uint64_t desc[4] = { 5 | (1 << 5) | (uint64_t)value << 32,
                         t->wait_status };

    vtd_test_queue(t, desc);
    g_assert_cmphex(qtest_readl(t->qts, t->wait_status), ==, value);
}

void vtd_test_flush_all(VTDTest *t)
{
    /* Granularity 1 of types 1 and 2 and 3 of type 7 is global */
    const uint64_t context[4] = { 1 | 1 << 4 };
    const uint64_t pasid[4] = { 7 | 3 << 4 };
    const uint64_t iotlb[4] = { 2 | 1 << 4 | 3 << 6 };

    vtd_test_queue(t, context);
    if (t->scalable) {
        vtd_test_queue(t, pasid);
    }
    vtd_test_queue(t, iotlb);
    vtd_test_queue_wait(t);
}

static unsigned level_index(uint64_t addr, unsigned level)
{
    return addr >> (12 + 9 * (level - 1)) & (ENTRIES - 1);
}

static uint64_t next_table(VTDTest *t, uint64_t slot, uint64_t flags)
{
    uint64_t entry = qtest_readq(t->qts, slot);

    if (!(entry & ADDR_MASK)) {
        entry = vtd_test_page(t) | flags;
        qtest_writeq(t->qts, slot, entry);
    }
    return entry & ADDR_MASK;
}

uint64_t vtd_test_entry(VTDTest *t, uint64_t root, unsigned levels,
                        unsigned page_level, uint64_t input)
{
    uint64_t table = root;

    for (unsigned level = levels; level > page_level; level--) {
        table = qtest_readq(t->qts, table + 8 * level_index(input, level));
        table &= ADDR_MASK;
        g_assert_cmphex(table, !=, 0);
    }
    return table + 8 * level_index(input, page_level);
}

/* Fill one table's part of a range by a single write; returns its size */
static uint64_t map_leaves(VTDTest *t, uint64_t table, unsigned page_level,
                           uint64_t input, uint64_t output, uint64_t size,
                           uint64_t flags)
{
    unsigned first = level_index(input, page_level);
    unsigned shift = 12 + 9 * (page_level - 1);
    unsigned n = MIN(ENTRIES - first, size >> shift);
    uint64_t leaves[ENTRIES];

    for (unsigned i = 0; i < n; i++) {
        leaves[i] = cpu_to_le64((output + ((uint64_t)i << shift)) | flags);
    }
    qtest_memwrite(t->qts, table + 8 * first, leaves, n * 8);
    return (uint64_t)n << shift;
}

void vtd_test_map(VTDTest *t, uint64_t root, unsigned levels,
                  unsigned page_level, uint64_t input, uint64_t output,
                  uint64_t size, uint64_t flags, uint64_t table_flags)
{
    if (page_level > 1) {
        flags |= VTD_TEST_PS;
    }
    while (size) {
        uint64_t table = root, done;

        for (unsigned level = levels; level > page_level; level--) {
            table = next_table(t, table + 8 * level_index(input, level),
                               table_flags);
        }
        done = map_leaves(t, table, page_level, input, output, size, flags);
        input += done;
        output += done;
        size -= done;
    }
}

void vtd_test_map_first(VTDTest *t, uint64_t root, unsigned levels,
                        unsigned page_level, uint64_t input, uint64_t output,
                        uint64_t size)
{
    uint64_t flags = VTD_TEST_FS_P | VTD_TEST_FS_RW | VTD_TEST_FS_US;

    vtd_test_map(t, root, levels, page_level, input, output, size, flags,
                 flags);
}

void vtd_test_map_second(VTDTest *t, uint64_t root, unsigned levels,
                         unsigned page_level, uint64_t input, uint64_t output,
                         uint64_t size)
{
    uint64_t flags = VTD_TEST_SS_R | VTD_TEST_SS_W;

    vtd_test_map(t, root, levels, page_level, input, output, size, flags,
                 flags);
}

uint64_t vtd_test_context(VTDTest *t, uint16_t sid)
{
    uint64_t slot = t->root + (sid >> 8) * 16;
    unsigned devfn = sid & 0xff;

    if (!t->scalable) {
        return next_table(t, slot, 1) + devfn * 16;
    }
    /* Two tables of 128 entries of 32 bytes (VT-d 9.2) */
    slot += devfn & 0x80 ? 8 : 0;
    return next_table(t, slot, 1) + (devfn & 0x7f) * 32;
}

void vtd_test_legacy_context(VTDTest *t, uint16_t sid, unsigned tt,
                             uint64_t second_root, unsigned levels,
                             uint16_t did)
{
    uint64_t entry = vtd_test_context(t, sid);

    qtest_writeq(t->qts, entry + 8, (levels - 2) | (uint64_t)did << 8);
    qtest_writeq(t->qts, entry, second_root | tt << 2 | 1);
}

uint64_t vtd_test_scalable_context(VTDTest *t, uint16_t sid, unsigned pdts,
                                   uint32_t rid_pasid, uint64_t flags)
{
    uint64_t entry = vtd_test_context(t, sid);
    uint64_t bytes = 8ULL << (pdts + 7);
    uint64_t dir = vtd_test_page(t);

    for (uint64_t more = PAGE; more < bytes; more += PAGE) {
        vtd_test_page(t);
    }
    qtest_writeq(t->qts, entry + 8, rid_pasid);
    qtest_writeq(t->qts, entry, dir | pdts << 9 | flags | 1);
    return dir;
}

uint64_t vtd_test_pasid_entry(VTDTest *t, uint64_t dir, uint32_t pasid)
{
    return next_table(t, dir + (pasid >> 6) * 8, 1) + (pasid & 0x3f) * 64;
}

void vtd_test_set_pasid(VTDTest *t, uint64_t dir, uint32_t pasid,
                        unsigned pgtt, uint64_t first_root,
                        unsigned first_levels, uint64_t second_root,
                        unsigned second_levels, uint16_t did)
{
    uint64_t entry = vtd_test_pasid_entry(t, dir, pasid);
    bool first = pgtt == VTD_TEST_FIRST || pgtt == VTD_TEST_NESTED;
    bool second = pgtt == VTD_TEST_SECOND || pgtt == VTD_TEST_NESTED;
    uint64_t word0 = 1 | pgtt << 6;

    if (second) {
        word0 |= second_root | (second_levels - 2) << 2;
    } else {
        word0 |= 2 << 2;
    }
    qtest_writeq(t->qts, entry + 16,
                 first ? first_root | (first_levels == 5 ? 1 << 2 : 0) : 0);
    qtest_writeq(t->qts, entry + 8, did);
    qtest_writeq(t->qts, entry, word0);
}
