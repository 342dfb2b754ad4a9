/*
 * intel-dsa behind an IOMMU: PASIDs, address translation services and their
 * invalidation. Page requests: dsa-pri-test.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/pci/pci_regs.h"
#include "dsa-iommu-lib.h"

/* --- translation --------------------------------------------------------- */

/* Pages in reverse order, so that none follows its neighbour */
static void map_scattered(DSAIommu *f, uint64_t va, uint64_t phys,
                          unsigned pages)
{
    unsigned i;

    for (i = 0; i < pages; i++) {
        di_map(f, va + i * PAGE, phys + (pages - 1 - i) * PAGE, PAGE, true);
    }
}

static uint8_t pattern(uint64_t at)
{
    return at / PAGE * 7 + at;
}

static void test_translate(DSAIommu *f, const void *unused)
{
    enum { PAGES = 150, LEN = PAGES * 4096 - 1000 };
    uint64_t src = VA, dst = VA + 4 * MB;
    g_autofree uint8_t *buf = g_malloc(PAGES * PAGE);
    DSATestDesc d = di_desc(DSA_TEST_MEMMOVE, src + 17, dst + 900, LEN);
    unsigned i;

    map_scattered(f, src, PHYS, PAGES);
    map_scattered(f, dst, PHYS + 4 * MB, PAGES);
    for (i = 0; i < PAGES * PAGE; i++) {
        buf[(PAGES - 1 - i / PAGE) * PAGE + i % PAGE] = pattern(i);
    }
    qtest_memwrite(f->t->qts, PHYS, buf, PAGES * PAGE);
    g_assert_cmphex(di_finish(f, &d), ==, 1);
    qtest_memread(f->t->qts, PHYS + 4 * MB, buf, PAGES * PAGE);
    for (i = 0; i < LEN; i++) {
        uint64_t at = 900 + i;

        g_assert_cmphex(buf[(PAGES - 1 - at / PAGE) * PAGE + at % PAGE], ==,
                        pattern(17 + i));
    }
    /* Backward through the same pages */
    d = di_desc(DSA_TEST_MEMMOVE, src + 5, src + 7, LEN);
    g_assert_cmphex(di_finish(f, &d), ==, 1);
    qtest_memread(f->t->qts, PHYS, buf, PAGES * PAGE);
    for (i = 0; i < LEN; i++) {
        uint64_t at = 7 + i;

        g_assert_cmphex(buf[(PAGES - 1 - at / PAGE) * PAGE + at % PAGE], ==,
                        pattern(5 + i));
    }
}

/* 2 MiB pages */
static void test_huge(DSAIommu *f, const void *unused)
{
    DSATestDesc d = di_desc(DSA_TEST_FILL, 0x4141414141414141, VA + 100,
                            6 * MB);

    vtd_test_map(&f->v, f->root, LEVELS, 2, VA, PHYS, 8 * MB,
                 VTD_TEST_FS_P | VTD_TEST_FS_US | VTD_TEST_FS_RW,
                 VTD_TEST_FS_P | VTD_TEST_FS_US | VTD_TEST_FS_RW);
    qtest_memset(f->t->qts, PHYS, 0, 8 * MB);
    g_assert_cmphex(di_finish(f, &d), ==, 1);
    g_assert_cmphex(qtest_readb(f->t->qts, PHYS + 99), ==, 0);
    g_assert_cmphex(qtest_readb(f->t->qts, PHYS + 100), ==, 0x41);
    g_assert_cmphex(qtest_readb(f->t->qts, PHYS + 6 * MB + 99), ==, 0x41);
    g_assert_cmphex(qtest_readb(f->t->qts, PHYS + 6 * MB + 100), ==, 0);
}

static void test_permissions(DSAIommu *f, const void *unused)
{
    DSATestDesc d = di_desc(DSA_TEST_FILL, 0x42, VA + PAGE - 8, 16);

    di_map(f, VA, PHYS, PAGE, true);
    di_map(f, VA + PAGE, PHYS + PAGE, PAGE, false);
    g_assert_cmphex(di_finish(f, &d), ==, 0x83);
    g_assert_cmpuint(di_bytes_done(f, &d), ==, 8);
    g_assert_cmphex(di_fault_addr(f, &d), ==, VA + PAGE);
    /* Read first: a cached read permission is none for writing */
    d = di_desc(DSA_TEST_COMPVAL, VA + PAGE, 0, 8);
    g_assert_cmphex(di_finish(f, &d), ==, 1);
    d = di_desc(DSA_TEST_FILL, 0x42, VA + PAGE, 16);
    g_assert_cmphex(di_finish(f, &d), ==, 0x83);
    /* Not mapped, read */
    d = di_desc(DSA_TEST_MEMMOVE, VA + 2 * PAGE, VA, 8);
    g_assert_cmphex(di_finish(f, &d), ==, 0x03);
    /* Beyond what a page table can map */
    d = di_desc(DSA_TEST_MEMMOVE, 0x8000000000000000, VA, 8);
    g_assert_cmphex(di_finish(f, &d), ==, 0x03);
}

/* An address that is no memory: the IOMMU's own registers */
static void test_no_ram(DSAIommu *f, const void *unused)
{
    DSATestDesc d = di_desc(DSA_TEST_FILL, 0, VA, 8);

    di_map(f, VA, 0xfed90000, PAGE, true);
    g_assert_cmphex(di_finish(f, &d), ==, 0x83);
}

static void test_invalidate(DSAIommu *f, const void *unused)
{
    DSATestDesc d = di_desc(DSA_TEST_FILL, 0x5555555555555555, VA, PAGE);

    di_map(f, VA, PHYS, PAGE, true);
    g_assert_cmphex(di_finish(f, &d), ==, 1);
    di_map(f, VA, PHYS + PAGE, PAGE, true);
    di_invalidate(f, VA);
    qtest_memset(f->t->qts, PHYS, 0, 2 * PAGE);
    g_assert_cmphex(di_finish(f, &d), ==, 1);
    g_assert_cmphex(qtest_readb(f->t->qts, PHYS), ==, 0);
    g_assert_cmphex(qtest_readb(f->t->qts, PHYS + PAGE), ==, 0x55);
    di_unmap(f, VA);
    di_invalidate(f, VA);
    g_assert_cmphex(di_finish(f, &d), ==, 0x83);
}

/*
 * A page is taken away while copies run on it. When the invalidation is
 * complete no byte of it changes any more.
 */
static void test_invalidate_busy(DSAIommu *f, const void *unused)
{
    const DSATestDesc last = { .cr = CRS + 32 * 7 };
    unsigned round, i, busy = 0;

    di_map(f, VA, PHYS, 4 * MB, true);
    di_map(f, VA + 4 * MB, PHYS + 4 * MB, 4 * MB, true);
    qtest_memset(f->t->qts, PHYS, 0x11, 4 * MB);
    /* Until there were copies under way often enough */
    for (round = 0; busy < 10; round++) {
        /* In the second half, so that who meets it has been busy for a while */
        uint64_t at = (512 + round * 37 % 512) * PAGE;
        uint8_t want[PAGE], got[PAGE];

        for (i = 0; i < 8; i++) {
            DSATestDesc d = di_desc(DSA_TEST_MEMMOVE, VA, VA + 4 * MB, 4 * MB);

            d.cr += 32 * i;
            di_submit(f, &d);
        }
        di_unmap(f, VA + 4 * MB + at);
        di_invalidate(f, VA + 4 * MB + at);
        busy += !di_is_done(f, &last);
        g_assert_cmpuint(round, <, 400);
        memset(want, 0x77, PAGE);
        qtest_memset(f->t->qts, PHYS + 4 * MB + at, 0x77, PAGE);
        for (i = 0; i < 8; i++) {
            DSATestDesc d = { .cr = CRS + 32 * i };
            uint8_t status = di_status_of(f, &d);

            g_assert(status == 0x01 || status == 0x83);
            if (status == 0x83) {
                g_assert_cmphex(di_fault_addr(f, &d), ==, VA + 4 * MB + at);
                g_assert_cmpuint(di_bytes_done(f, &d), ==, at);
            }
        }
        qtest_memread(f->t->qts, PHYS + 4 * MB + at, got, PAGE);
        g_assert_cmpmem(got, PAGE, want, PAGE);
        di_map(f, VA + 4 * MB + at, PHYS + 4 * MB + at, PAGE, true);
    }
}

/* Queues of many PASIDs after each other, more than the device remembers */
static void test_many_pasids(DSAIommu *f, const void *unused)
{
    uint64_t dir = vtd_test_scalable_context(&f->v, SID, 7, 0,
                                             CTX_DTE | CTX_PASIDE | CTX_PRE);
    unsigned i;

    vtd_test_flush_all(&f->v);
    for (i = 0; i < 300; i++) {
        DSATestDesc d = di_desc(DSA_TEST_FILL, i * 0x0101010101010101ULL, VA,
                                8);
        uint32_t pasid = 1 + i * 3001;

        f->root = vtd_test_page(&f->v);
        vtd_test_set_pasid(&f->v, dir, pasid, VTD_TEST_FIRST, f->root, LEVELS,
                           0, 0, DID);
        di_map(f, CRS, CRS_PHYS, PAGE, true);
        di_map(f, VA, PHYS + i * PAGE, PAGE, true);
        dsa_test_cmd_ok(f->t, DSA_TEST_DISABLE_WQ, 1);
        dsa_test_wq(f->t, 0, 64, 0, DSA_TEST_WQ_DEDICATED |
                    DSA_TEST_WQ_PRIO(1) | DSA_TEST_WQ_PASID(pasid));
        dsa_test_cmd_ok(f->t, DSA_TEST_ENABLE_WQ, 0);
        qtest_memset(f->t->qts, PHYS + i * PAGE, 0, 8);
        g_assert_cmphex(di_finish(f, &d), ==, 1);
        g_assert_cmphex(qtest_readb(f->t->qts, PHYS + i * PAGE), ==,
                        i & 0xff);
    }
}

/* ATS is on in the device, but its IOMMU has no support for it */
static void test_no_ats(DSAIommu *f, const void *unused)
{
    DSATestDesc d = di_desc(DSA_TEST_NOOP, 0, 0, 0);

    g_assert_cmpint(dsa_test_submit(f->t, 0, &d), ==, QTEST_DMWR_ACCEPTED);
    g_assert_cmphex(dsa_test_wait_swerr(f->t), ==, 0x1a);
    g_assert_false(di_is_done(f, &d));
}

/*
 * Linux with PASIDs off: translation requests without one, from a queue of the
 * kernel. Privileged Mode goes with a PASID only.
 */
static void test_privileged_without_pasid(void)
{
    DSATest *t = dsa_test_start("", "-m 256 -device intel-vtd");
    DSATestDesc d = {
        .opcode = DSA_TEST_MEMMOVE, .flags = REC, .cr = MB,
        .addr1 = 2 * MB, .addr2 = 3 * MB, .size = PAGE,
    };
    uint64_t root;
    VTDTest v;

    vtd_test_init(&v, t->qts, false, TABLES, 16 * MB);
    root = vtd_test_page(&v);
    vtd_test_map_second(&v, root, LEVELS, 1, MB, CRS_PHYS, PAGE);
    vtd_test_map_second(&v, root, LEVELS, 1, 2 * MB, PHYS, PAGE);
    vtd_test_map_second(&v, root, LEVELS, 1, 3 * MB, PHYS + PAGE, PAGE);
    vtd_test_legacy_context(&v, t->bdf, VTD_TEST_TT_DEVICE_TLB, root, LEVELS,
                            DID);
    vtd_test_enable(&v);
    dsa_test_cfg_writew(t, dsa_test_ext_cap(t, PCI_EXT_CAP_ID_ATS) +
                        PCI_ATS_CTRL, PCI_ATS_CTRL_ENABLE);
    dsa_test_one_wq(t, 16, DSA_TEST_WQ_PRIV);

    qtest_memset(t->qts, PHYS, 0x5a, PAGE);
    dsa_test_clear_cr(t, CRS_PHYS);
    dsa_test_submit(t, 0, &d);
    g_assert_cmphex(dsa_test_wait_cr(t, CRS_PHYS), ==, DSA_TEST_SUCCESS);
    g_assert_cmphex(qtest_readq(t->qts, PHYS + 2 * PAGE - 8), ==,
                    0x5a5a5a5a5a5a5a5a);
    dsa_test_stop(t);
}

static void add(const char *kind, const char *name, const DSAIommuSetup *how,
                void (*fn)(DSAIommu *f, const void *how))
{
    g_autofree char *path = g_strdup_printf("/%s/dsa/%s/%s",
                                            qtest_get_arch(), kind, name);

    g_test_add(path, DSAIommu, how, di_setup, fn, di_teardown);
}

static void add_translation(const char *kind, const DSAIommuSetup *how)
{
    add(kind, "translate", how, test_translate);
    add(kind, "huge", how, test_huge);
    add(kind, "permissions", how, test_permissions);
    add(kind, "no-ram", how, test_no_ram);
    add(kind, "invalidate", how, test_invalidate);
    add(kind, "invalidate-busy", how, test_invalidate_busy);
}

int main(int argc, char **argv)
{
    static const DSAIommuSetup untranslated = { "intel-vtd" };
    static const DSAIommuSetup ats = { "intel-vtd", true };
    static const DSAIommuSetup stock = {
        "intel-iommu,intremap=on,scalable-mode=on,fsts=on,pasid-bits=20,"
        "device-iotlb=on,svm=on,aw-bits=48", true,
    };

    static const DSAIommuSetup no_device_tlb = {
        "intel-iommu,intremap=on,scalable-mode=on,fsts=on,pasid-bits=20,"
        "aw-bits=48", true,
    };

    g_test_init(&argc, &argv, NULL);
    add_translation("untranslated", &untranslated);
    add_translation("ats", &ats);
    add_translation("ats-intel-iommu", &stock);
    add("ats", "many-pasids", &ats, test_many_pasids);
    add("ats-intel-iommu", "no-device-tlb", &no_device_tlb, test_no_ats);
    qtest_add_func("dsa/fault/privileged-without-pasid",
                   test_privileged_without_pasid);
    return g_test_run();
}
