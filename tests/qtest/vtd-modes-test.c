/*
 * intel-vtd: each translation mode, from a device to memory
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "vtd-test-dma.h"

#define DID         5
#define IN          VTD_DMA_DATA                /* what is read */
#define OUT         (VTD_DMA_DATA + 0x1000)     /* what is written */
#define OTHER       (VTD_DMA_DATA + 0x2000)

#define LGN_2_WRITE 0x05
#define SGN_6_WRITE 0x85
#define SGN_1_CANONICAL 0x80

/**
 * Mode: one way to translate.
 * @iova: the input address of physical address 0 of the pages
 * @levels: of the tables
 * @page: level of the pages: 1, 2 or 3 for 4 KiB, 2 MiB, 1 GiB
 */
typedef struct Mode {
    const char *name, *props;
    bool scalable;
    unsigned pgtt;
    unsigned levels, page;
    uint64_t iova;
} Mode;

static const Mode modes[] = {
    { "legacy/3-level/4k", "", false, VTD_TEST_SECOND, 3, 1, 32 * GiB },
    { "legacy/4-level/4k", "", false, VTD_TEST_SECOND, 4, 1, 1 * TiB },
    { "legacy/4-level/2m", "", false, VTD_TEST_SECOND, 4, 2, 1 * TiB },
    { "legacy/4-level/1g", "", false, VTD_TEST_SECOND, 4, 3, 1 * TiB },
    { "legacy/5-level/4k", ",aw-bits=57", false, VTD_TEST_SECOND, 5, 1,
      1 * PiB },
    { "second/3-level/4k", "", true, VTD_TEST_SECOND, 3, 1, 32 * GiB },
    { "second/4-level/4k", "", true, VTD_TEST_SECOND, 4, 1, 1 * TiB },
    { "second/4-level/2m", "", true, VTD_TEST_SECOND, 4, 2, 1 * TiB },
    { "second/4-level/1g", "", true, VTD_TEST_SECOND, 4, 3, 1 * TiB },
    { "second/5-level/2m", ",aw-bits=57", true, VTD_TEST_SECOND, 5, 2,
      1 * PiB },
    { "first/4-level/4k", "", true, VTD_TEST_FIRST, 4, 1, 1 * TiB },
    { "first/4-level/2m", "", true, VTD_TEST_FIRST, 4, 2, 1 * TiB },
    { "first/4-level/1g", "", true, VTD_TEST_FIRST, 4, 3, 1 * TiB },
    { "first/5-level/4k", "", true, VTD_TEST_FIRST, 5, 1, 1 * PiB },
    { "first/upper-half", "", true, VTD_TEST_FIRST, 4, 1,
      0xffff800000000000ULL },
    { "nested/4k", "", true, VTD_TEST_NESTED, 4, 1, 1 * TiB },
    { "nested/2m", "", true, VTD_TEST_NESTED, 4, 2, 1 * TiB },
    { "nested/5-level", "", true, VTD_TEST_NESTED, 5, 1, 1 * PiB },
};

typedef struct Setup {
    VTDDma *d;
    uint64_t root;          /* of the tables that map input addresses */
    uint64_t dir;
} Setup;

static bool is_first(const Mode *m)
{
    return m->pgtt == VTD_TEST_FIRST || m->pgtt == VTD_TEST_NESTED;
}

static uint64_t page_size(const Mode *m)
{
    return 1ULL << (12 + 9 * (m->page - 1));
}

/*
 * Map IN, OUT and OTHER at the mode's input addresses. The second stage below
 * a nested first stage maps all of memory, tables too, to itself.
 */
static void map_data(Setup *s, const Mode *m)
{
    VTDTest *t = &s->d->t;
    uint64_t size = MAX(page_size(m), 4 * 0x1000);
    uint64_t phys = IN & ~(size - 1);

    s->root = vtd_test_page(t);
    if (is_first(m)) {
        vtd_test_map_first(t, s->root, m->levels, m->page, m->iova + phys,
                           phys, size);
    } else {
        vtd_test_map_second(t, s->root, m->levels, m->page, m->iova + phys,
                            phys, size);
    }
}

static Setup setup(const Mode *m)
{
    Setup s = { .d = vtd_dma_start(m->props, m->scalable, NULL) };
    VTDTest *t = &s.d->t;
    uint64_t host = 0;

    map_data(&s, m);
    if (m->pgtt == VTD_TEST_NESTED) {
        host = vtd_test_page(t);
        vtd_test_map_second(t, host, 4, 2, 0, 0, 256 * MiB);
    }
    if (m->scalable) {
        s.dir = vtd_test_scalable_context(t, VTD_DMA_SID, 0, 0, 0);
        vtd_test_set_pasid(t, s.dir, 0, m->pgtt, s.root, m->levels,
                           host ? host : s.root,
                           m->pgtt == VTD_TEST_SECOND ? m->levels : 4, DID);
    } else {
        vtd_test_legacy_context(t, VTD_DMA_SID, VTD_TEST_TT_UNTRANSLATED,
                                s.root, m->levels, DID);
    }
    vtd_test_enable(t);
    return s;
}

static uint64_t leaf(Setup *s, const Mode *m, uint64_t iova)
{
    return vtd_test_entry(&s->d->t, s->root, m->levels, m->page, iova);
}

/* Read and write, first from the tables, then from the caches */
static void test_transfer(gconstpointer opaque)
{
    const Mode *m = opaque;
    Setup s = setup(m);

    for (int i = 0; i < 2; i++) {
        vtd_dma_check(s.d, m->iova + IN, IN, m->iova + OUT, OUT);
    }
    vtd_dma_stop(s.d);
}

static void iotlb_flush(Setup *s)
{
    const uint64_t all[4] = { 2 | 1 << 4 };

    vtd_test_queue(&s->d->t, all);
    vtd_test_queue_wait(&s->d->t);
}

/* What is unmapped is gone when the wait completes, and so is what moved */
static void test_remap(gconstpointer opaque)
{
    const Mode *m = opaque;
    Setup s = setup(m);
    uint64_t at = leaf(&s, m, m->iova + OUT);
    uint64_t entry;

    vtd_dma_check(s.d, m->iova + IN, IN, m->iova + OUT, OUT);
    if (m->page == 1) {
        /* The same flags, another page */
        entry = qtest_readq(s.d->qts, at) - OUT + OTHER;
        qtest_writeq(s.d->qts, at, entry);
        iotlb_flush(&s);
        vtd_dma_check(s.d, m->iova + IN, IN, m->iova + OUT, OTHER);
    }
    qtest_writeq(s.d->qts, at, 0);
    iotlb_flush(&s);
    qtest_writeq(s.d->qts, OUT, 77);
    qtest_writeq(s.d->qts, OTHER, 78);
    vtd_dma_write(s.d, m->iova + OUT, 8);
    g_assert_cmphex(vtd_test_readl(&s.d->t, VTD_TEST_FSTS) & 2, ==, 2);
    g_assert_cmpint(qtest_readq(s.d->qts, OUT), ==, 77);
    g_assert_cmpint(qtest_readq(s.d->qts, OTHER), ==, 78);
    vtd_dma_stop(s.d);
}

/* A page that may be read faults on a write, cached or not */
static void test_read_only(gconstpointer opaque)
{
    const Mode *m = opaque;
    Setup s = setup(m);
    uint64_t at = leaf(&s, m, m->iova + OUT);
    uint8_t reason = m->scalable ? SGN_6_WRITE : LGN_2_WRITE;

    qtest_writeq(s.d->qts, at, qtest_readq(s.d->qts, at) & ~2ULL);
    qtest_writeq(s.d->qts, OUT, 77);
    for (int i = 0; i < 2; i++) {
        vtd_dma_write(s.d, m->iova + OUT, 8);
        vtd_dma_expect_fault(s.d, reason, true, m->iova + OUT);
        vtd_dma_read(s.d, m->iova + OUT, 8);
        vtd_dma_expect_no_fault(s.d);
        g_assert_cmpint(qtest_readq(s.d->qts, OUT), ==, 77);
        /* Never dirty: for the CPU that would be a shadow stack */
        if (is_first(m)) {
            g_assert_cmphex(qtest_readq(s.d->qts, at) & VTD_TEST_FS_D, ==, 0);
        }
    }
    vtd_dma_stop(s.d);
}

/* Accessed by a read, dirty by a write, also by one that hits the cache */
static void test_accessed_dirty(gconstpointer opaque)
{
    const Mode *m = opaque;
    Setup s = setup(m);
    uint64_t at = leaf(&s, m, m->iova + OUT);
    uint64_t flags = VTD_TEST_FS_A | VTD_TEST_FS_D;

    g_assert_cmphex(qtest_readq(s.d->qts, at) & flags, ==, 0);
    vtd_dma_read(s.d, m->iova + OUT, 8);
    g_assert_cmphex(qtest_readq(s.d->qts, at) & flags, ==, VTD_TEST_FS_A);
    vtd_dma_read(s.d, m->iova + OUT, 8);
    g_assert_cmphex(qtest_readq(s.d->qts, at) & flags, ==, VTD_TEST_FS_A);
    vtd_dma_write(s.d, m->iova + OUT, 8);
    g_assert_cmphex(qtest_readq(s.d->qts, at) & flags, ==, flags);
    vtd_dma_stop(s.d);
}

/* A first-stage address between the canonical halves */
static void test_canonical(void)
{
    Setup s = setup(&modes[10]);

    g_assert_cmpstr(modes[10].name, ==, "first/4-level/4k");
    vtd_dma_read(s.d, 0x0001000000000000ULL, 8);
    vtd_dma_expect_fault(s.d, SGN_1_CANONICAL, false, 0x0001000000000000ULL);
    vtd_dma_stop(s.d);
}

/* Pass-through: the first requests are translated, later ones go straight */
static void test_pass_through(gconstpointer opaque)
{
    bool scalable = GPOINTER_TO_INT(opaque);
    VTDDma *d = vtd_dma_start("", scalable, NULL);
    const uint64_t context[4] = { 1 | 1 << 4 };
    const uint64_t pasids[4] = { 7 | 3 << 4 };
    uint64_t entry;

    if (scalable) {
        uint64_t dir = vtd_test_scalable_context(&d->t, VTD_DMA_SID, 0, 0, 0);

        vtd_test_set_pasid(&d->t, dir, 0, VTD_TEST_PT, 0, 0, 0, 0, DID);
        entry = vtd_test_pasid_entry(&d->t, dir, 0);
    } else {
        vtd_test_legacy_context(&d->t, VTD_DMA_SID, VTD_TEST_TT_PT, 0, 4, DID);
        entry = vtd_test_context(&d->t, VTD_DMA_SID);
    }
    vtd_test_enable(&d->t);
    for (int i = 0; i < 3; i++) {
        vtd_dma_check(d, IN, IN, OUT, OUT);
    }
    /* Beyond the host address width: LGN.1, SGN.4 */
    vtd_dma_read(d, 1ULL << 52, 8);
    vtd_dma_expect_fault(d, scalable ? 0x83 : 0x04, false, 1ULL << 52);

    /* No longer present: that holds for what went straight, too */
    qtest_writeq(d->qts, entry, 0);
    vtd_test_queue(&d->t, context);
    if (scalable) {
        vtd_test_queue(&d->t, pasids);
    }
    vtd_test_queue_wait(&d->t);
    vtd_dma_read(d, IN, 8);
    vtd_dma_expect_fault(d, scalable ? 0x59 : 0x02, false, IN);
    vtd_dma_stop(d);
}

/* Disabled, enabled, disabled, and disabled by a reset */
static void test_enable(void)
{
    Setup s = setup(&modes[1]);
    uint64_t iova = modes[1].iova;

    vtd_dma_check(s.d, iova + IN, IN, iova + OUT, OUT);
    vtd_test_disable(&s.d->t);
    vtd_dma_check(s.d, IN, IN, OUT, OUT);
    vtd_test_enable(&s.d->t);
    vtd_dma_check(s.d, iova + IN, IN, iova + OUT, OUT);
    qtest_system_reset(s.d->qts);
    g_assert_cmphex(vtd_test_readl(&s.d->t, VTD_TEST_GSTS), ==, 0);
    qpci_device_enable(s.d->edu);
    s.d->bar = qpci_iomap(s.d->edu, 0, NULL);
    vtd_dma_check(s.d, IN, IN, OUT, OUT);
    vtd_dma_stop(s.d);
}

/* Table modes that are not offered let nothing through (RTA.1) */
static void test_reserved_mode(void)
{
    VTDDma *d = vtd_dma_start("", true, NULL);

    for (uint64_t ttm = 2; ttm <= 3; ttm++) {
        vtd_test_writeq(&d->t, VTD_TEST_RTADDR, d->t.root | ttm << 10);
        vtd_test_command(&d->t, VTD_TEST_GCMD_SRTP, true);
        vtd_test_command(&d->t, VTD_TEST_GCMD_TE, true);
        vtd_dma_read(d, IN, 8);
        vtd_dma_expect_fault(d, 0x30, false, IN);
    }
    vtd_dma_stop(d);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(modes); i++) {
        const Mode *m = &modes[i];
        const struct {
            const char *name;
            void (*run)(gconstpointer);
            bool wanted;
        } tests[] = {
            { "transfer", test_transfer, true },
            { "remap", test_remap, true },
            { "read-only", test_read_only, m->page == 1 },
            { "accessed-dirty", test_accessed_dirty, is_first(m) },
        };

        for (unsigned j = 0; j < G_N_ELEMENTS(tests); j++) {
            g_autofree char *path = g_strdup_printf("vtd/modes/%s/%s", m->name,
                                                    tests[j].name);

            if (tests[j].wanted) {
                qtest_add_data_func(path, m, tests[j].run);
            }
        }
    }
    qtest_add_func("vtd/modes/canonical", test_canonical);
    qtest_add_data_func("vtd/modes/pass-through/legacy", GINT_TO_POINTER(0),
                        test_pass_through);
    qtest_add_data_func("vtd/modes/pass-through/scalable", GINT_TO_POINTER(1),
                        test_pass_through);
    qtest_add_func("vtd/modes/enable", test_enable);
    qtest_add_func("vtd/modes/reserved", test_reserved_mode);
    return g_test_run();
}
