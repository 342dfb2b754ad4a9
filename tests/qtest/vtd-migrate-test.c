/*
 * intel-vtd: migration
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include <glib/gstdio.h>
#include "qemu/bswap.h"
#include "migrate-lib.h"
#include "refusal-lib.h"
#include "vtd-test-dma.h"

#define IN      VTD_DMA_DATA
#define OUT     (VTD_DMA_DATA + 0x1000)
#define IOVA    (1ULL << 40)
#define IRT     (VTD_DMA_DATA + 0x10000)

/* A unit in the middle of its work: translating, remapping, a fault pending */
static VTDDma *start_source(void)
{
    VTDDma *d = vtd_dma_start("", true, NULL);
    uint64_t root = vtd_test_page(&d->t);
    uint64_t dir = vtd_test_scalable_context(&d->t, VTD_DMA_SID, 0, 0, 0);

    vtd_test_map_first(&d->t, root, 4, 1, IOVA + IN, IN, 0x2000);
    vtd_test_set_pasid(&d->t, dir, 0, VTD_TEST_FIRST, root, 4, 0, 0, 5);
    vtd_test_enable(&d->t);
    vtd_test_writeq(&d->t, VTD_TEST_IRTA, IRT | 7);
    vtd_test_command(&d->t, VTD_TEST_GCMD_SIRTP, true);
    vtd_test_command(&d->t, VTD_TEST_GCMD_IRE, true);
    vtd_dma_check(d, IOVA + IN, IN, IOVA + OUT, OUT);
    /* One record read and cleared, so that the next is not the first */
    vtd_dma_read(d, IOVA, 8);
    vtd_dma_expect_fault(d, 0x71, false, IOVA);
    vtd_dma_read(d, IOVA + 0x1000, 8);
    /* Written, but not latched: the old tables stay in use */
    vtd_test_writeq(&d->t, VTD_TEST_RTADDR, 0x12345000);
    return d;
}

/* A destination that has loaded @path; @library: the source's test state */
static VTDDma *start_destination(const char *path, const VTDTest *library)
{
    VTDDma *to = g_new0(VTDDma, 1);

    to->qts = qtest_initf("-machine q35 -m 256 -nodefaults -device intel-vtd "
                          "-device edu,addr=%u,dma_mask=0xffffffffffffffff "
                          "-incoming file:%s", VTD_DMA_SLOT, path);
    migrate_wait(to->qts);
    /* It may have resumed before anybody listened: no event tells then */
    qtest_qmp_assert_success(to->qts, "{ 'execute': 'cont' }");
    to->t = *library;
    to->t.qts = to->qts;
    return to;
}

static void test_migrate(void)
{
    VTDDma *d = start_source(), *to;
    g_autofree uint64_t *before = g_new(uint64_t, 0x200);
    g_autofree char *path = NULL;
    VTDDmaFault fault;
    VTDTest library;

    for (unsigned i = 0; i < 0x200; i++) {
        before[i] = vtd_test_readq(&d->t, 8 * i);
    }
    path = migrate_to_file(d->qts);
    library = d->t;
    vtd_dma_stop(d);

    to = start_destination(path, &library);
    for (unsigned i = 0; i < 0x200; i++) {
        g_assert_cmphex(vtd_test_readq(&to->t, 8 * i), ==, before[i]);
    }
    g_assert_true(vtd_dma_fault_get(to, 1, &fault));
    g_assert_cmphex(fault.addr, ==, IOVA + 0x1000);
    vtd_dma_fault_clear(to, 1);

    to->bus = qpci_new_pc(to->qts, NULL);
    to->edu = qpci_device_find(to->bus, QPCI_DEVFN(VTD_DMA_SLOT, 0));
    qpci_device_enable(to->edu);
    to->bar = qpci_iomap(to->edu, 0, NULL);
    vtd_dma_check(to, IOVA + IN, IN, IOVA + OUT, OUT);
    vtd_test_queue_wait(&to->t);
    /* The log goes on where it was */
    vtd_dma_read(to, IOVA, 8);
    g_assert_true(vtd_dma_fault_get(to, 2, &fault));
    vtd_dma_stop(to);
    g_unlink(path);
}

/*
 * A damaged stream has a reserved bit in IQT, so that the head never equals it.
 * The queue must end at the tail all the same, and not go round for ever.
 */
static void test_reserved(void)
{
    VTDDma *d = start_source(), *to;
    g_autofree char *path = NULL, *stream = NULL;
    uint64_t first[2];
    VTDTest library;
    gsize length;
    char *csr;

    /* VER and CAP begin the registers in the stream */
    first[0] = cpu_to_le64(vtd_test_readq(&d->t, 0));
    first[1] = cpu_to_le64(vtd_test_readq(&d->t, VTD_TEST_CAP));
    path = migrate_to_file(d->qts);
    library = d->t;
    vtd_dma_stop(d);

    stream = migrate_stream(path, first, sizeof(first), &csr, &length);
    csr[VTD_TEST_IQT] |= 1;
    g_assert_true(g_file_set_contents(path, stream, length, NULL));

    to = start_destination(path, &library);
    vtd_test_queue_wait(&to->t);
    g_assert_cmphex(vtd_test_readl(&to->t, VTD_TEST_FSTS) & VTD_TEST_FSTS_IQE,
                    ==, 0);
    vtd_dma_stop(to);
    g_unlink(path);
}

typedef struct Mismatch {
    const char *properties, *sentence;
} Mismatch;

#define THE_SAME "give the destination's intel-vtd the source's properties"

static const Mismatch mismatch_cap = { ",aw-bits=39", THE_SAME };
static const Mismatch mismatch_ecap = { ",svm=off", THE_SAME };
static const Mismatch mismatch_haw = {
    ",haw-bits=45", "give the destination's intel-vtd haw-bits=52"
};

/* A destination with other capabilities refuses, and says what to do */
static void test_mismatch(gconstpointer opaque)
{
    const Mismatch *m = opaque;
    VTDDma *d = start_source();
    g_autofree char *path = migrate_to_file(d->qts), *options = NULL;
    g_autofree char *err = NULL;

    vtd_dma_stop(d);
    options = g_strdup_printf("-m 256 -device intel-vtd%s -device edu,addr=%u,"
                              "dma_mask=0xffffffffffffffff -incoming file:%s",
                              m->properties, VTD_DMA_SLOT, path);
    err = refusal_of(options);
    g_assert_nonnull(strstr(err, m->sentence));
    g_unlink(path);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("vtd/migrate/state", test_migrate);
    qtest_add_func("vtd/migrate/reserved", test_reserved);
    qtest_add_data_func("vtd/migrate/cap", &mismatch_cap, test_mismatch);
    qtest_add_data_func("vtd/migrate/ecap", &mismatch_ecap, test_mismatch);
    qtest_add_data_func("vtd/migrate/haw", &mismatch_haw, test_mismatch);
    return g_test_run();
}
