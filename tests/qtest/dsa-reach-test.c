/*
 * intel-dsa: what of the memory that the IOMMU grants an engine reaches: ROM
 * to be read only, large pages over their whole length, nothing but memory,
 * nothing behind the last address
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "dsa-iommu-lib.h"

#define GB (1024 * MB)
#define ROM 0xfffff000ULL           /* the last page of the firmware */
#define IO_APIC 0xfec00000ULL
#define FS_A_D 0x60                 /* accessed and dirty (VT-d 9.7) */

/* Tables that grant writing do not make ROM writable */
static void test_rom(DSAIommu *f, const void *unused)
{
    DSATestDesc d = di_desc(DSA_TEST_MEMMOVE, VA, VA + 0x800, 64);
    QTestState *qts = f->t->qts;
    uint64_t entry;
    uint8_t before[PAGE], after[PAGE];

    di_map(f, VA, ROM, PAGE, true);
    di_map(f, VA + MB, PHYS, PAGE, true);
    entry = vtd_test_entry(&f->v, f->root, LEVELS, 1, VA);
    qtest_writeq(qts, entry, qtest_readq(qts, entry) | FS_A_D);
    qtest_memread(qts, ROM, before, PAGE);
    g_assert_cmpint(memcmp(before, before + 0x800, 64), !=, 0);

    g_assert_cmphex(di_finish(f, &d), ==, 0x83);
    g_assert_cmphex(di_fault_addr(f, &d), ==, VA + 0x800);
    g_assert_cmpuint(di_bytes_done(f, &d), ==, 0);
    qtest_memread(qts, ROM, after, PAGE);
    g_assert_cmpmem(before, PAGE, after, PAGE);

    d.addr2 = VA + MB;
    g_assert_cmphex(di_finish(f, &d), ==, 1);
    dsa_test_expect_bytes(f->t, PHYS, before, 64);
}

/*
 * A copy to higher addresses in one page of 1 GiB works backward from behind a
 * multiple of 2 MiB to before it.
 */
static void test_backward(DSAIommu *f, const void *unused)
{
    const uint64_t at = 0x4000000 + 2 * MB - 448 * 1024, len = 512 * 1024;
    g_autofree uint8_t *data = dsa_test_put_random(f->t, at, len);
    DSATestDesc d = di_desc(DSA_TEST_MEMMOVE, VA / GB * GB + at,
                            VA / GB * GB + at + PAGE, len);

    vtd_test_map_first(&f->v, f->root, LEVELS, 3, VA / GB * GB, 0, GB);
    g_assert_cmphex(di_finish(f, &d), ==, 1);
    dsa_test_expect_bytes(f->t, at + PAGE, data, len);
}

/* A page that is there but belongs to no memory: nobody is asked for it */
static void test_no_memory(DSAIommu *f, const void *unused)
{
    DSATestDesc d = di_touch(VA, 0);

    di_map(f, VA, IO_APIC, PAGE, true);
    g_assert_cmphex(di_finish(f, &d), ==, 0x84);
    g_assert_cmphex(di_fault_addr(f, &d), ==, VA);
    d.flags &= ~BOF;
    g_assert_cmphex(di_finish(f, &d), ==, 0x83);
    d = di_desc(DSA_TEST_NOOP, 0, 0, 0);
    d.cr = VA + 32;
    g_assert_cmpint(dsa_test_submit(f->t, 0, &d), ==, QTEST_DMWR_ACCEPTED);
    g_assert_cmphex(dsa_test_wait_swerr(f->t), ==, 0x1a);
    g_assert_false(di_request_pending(f));
}

/* An operand does not go on at address 0, and no page brings it there */
static void test_last_address(DSAIommu *f, const void *unused)
{
    DSATestDesc d = di_touch(-PAGE, 0);

    di_map(f, -PAGE, PHYS, PAGE, true);
    d.size = 2 * PAGE;
    g_assert_cmphex(di_finish(f, &d), ==, 0x84);
    g_assert_false(di_request_pending(f));
    d.size = PAGE;
    g_assert_cmphex(di_finish(f, &d), ==, 1);
    g_assert_cmphex(qtest_readb(f->t->qts, PHYS + PAGE - 1), ==, 0x71);
}

static void add(const char *name, void (*fn)(DSAIommu *f, const void *how))
{
    static const DSAIommuSetup how = { "intel-vtd", true, true };
    g_autofree char *path = g_strdup_printf("/%s/dsa/reach/%s",
                                            qtest_get_arch(), name);

    g_test_add(path, DSAIommu, &how, di_setup, fn, di_teardown);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("rom", test_rom);
    add("backward", test_backward);
    add("no-memory", test_no_memory);
    add("last-address", test_last_address);
    return g_test_run();
}
