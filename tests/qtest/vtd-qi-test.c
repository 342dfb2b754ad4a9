/*
 * intel-vtd: queued and register-based invalidation
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "vtd-test-dma.h"

/* Further registers (VT-d 11.4) */
enum {
    CCMD = 0x28, FECTL = 0x38, FEDATA = 0x3c, FEADDR = 0x40, ICS = 0x9c,
    IECTL = 0xa0, IEDATA = 0xa4, IEADDR = 0xa8, IEUADDR = 0xac, IQERCD = 0xb0,
    IVA = 0xf00, IOTLB = 0xf08,
};

#define EVENT_IM    (1u << 31)
#define EVENT_IP    (1u << 30)
#define EVENT_AT    0x2000000u      /* RAM: what a message writes is seen */
#define EVENT_DATA  0x4321

#define IN          VTD_DMA_DATA
#define OUT         (VTD_DMA_DATA + 0x1000)
#define IOVA        (1ULL << 40)
#define DID         5

/* Codes of IQERCD.IQEI (11.4.9.9) */
enum { IQEI_TAIL = 1, IQEI_FETCH, IQEI_TYPE, IQEI_RESERVED, IQEI_WIDTH,
       IQEI_ALIGN };

/* --- descriptors -------------------------------------------------------- */

typedef struct Case {
    const char *name;
    uint64_t d[4];
    unsigned error;             /* 0: is carried out */
    unsigned error_128;         /* in a queue of 128-bit descriptors */
} Case;

static const Case cases[] = {
    { "context/global", { 0x11 } },
    { "context/domain", { 0x21 | 7 << 16 } },
    { "context/device", { 0x31 | 7 << 16 | 0x20ULL << 32 | 3ULL << 48 } },
    { "context/no-granularity", { 0x01 }, IQEI_RESERVED, IQEI_RESERVED },
    { "context/bit-6", { 0x51 }, IQEI_RESERVED, IQEI_RESERVED },
    { "context/bit-50", { 0x11 | 1ULL << 50 }, IQEI_RESERVED, IQEI_RESERVED },
    { "context/second", { 0x11, 1 }, IQEI_RESERVED, IQEI_RESERVED },
    { "iotlb/global", { 0x12 | 3 << 6 } },
    { "iotlb/domain", { 0x22 | 7 << 16 } },
    { "iotlb/page", { 0x32 | 7 << 16, 0x1234567000 | 1 << 6 | 9 } },
    { "iotlb/no-granularity", { 0x02 }, IQEI_RESERVED, IQEI_RESERVED },
    { "iotlb/mask-45", { 0x32, 45 } },
    { "iotlb/mask-46", { 0x32, 46 }, IQEI_RESERVED, IQEI_RESERVED },
    { "iotlb/bit-32", { 0x12 | 1ULL << 32 }, IQEI_RESERVED, IQEI_RESERVED },
    { "iotlb/second-7", { 0x12, 1 << 7 }, IQEI_RESERVED, IQEI_RESERVED },
    { "device-tlb/page", { 0x03 | 0x20ULL << 32 | 31 << 16, 0x1000 } },
    { "device-tlb/all", { 0x03 | 0x20ULL << 32, 0x7ffffffffffff001 } },
    { "device-tlb/bit-4", { 0x13 }, IQEI_RESERVED, IQEI_RESERVED },
    { "device-tlb/second-1", { 0x03, 2 }, IQEI_RESERVED, IQEI_RESERVED },
    { "iec/global", { 0x04 } },
    { "iec/index", { 0x14 | 2 << 27 | 40ULL << 32 } },
    { "iec/bit-12", { 0x04 | 1 << 12 }, IQEI_RESERVED, IQEI_RESERVED },
    { "wait/fence", { 0x45 } },
    { "wait/drain", { 0xc5 } },
    { "wait/bit-12", { 0x45 | 1 << 12 }, IQEI_RESERVED, IQEI_RESERVED },
    { "wait/second-0", { 0x45, 1 }, IQEI_RESERVED, IQEI_RESERVED },
    { "piotlb/pasid", { 0x26 | 7 << 16 | 9ULL << 32 }, 0, IQEI_WIDTH },
    { "piotlb/page", { 0x36 | 7 << 16 | 9ULL << 32, 0x5000 | 1 << 6 | 2 }, 0,
      IQEI_WIDTH },
    { "piotlb/mask-44", { 0x36 | 1ULL << 32, 0xff00000000000000 | 44 }, 0,
      IQEI_WIDTH },
    { "piotlb/mask-45", { 0x36 | 1ULL << 32, 45 }, 0, IQEI_WIDTH },
    { "piotlb/mask-46", { 0x36 | 1ULL << 32, 46 }, IQEI_RESERVED, IQEI_WIDTH },
    { "piotlb/global", { 0x06 }, IQEI_RESERVED, IQEI_WIDTH },
    { "piotlb/domain", { 0x16 }, IQEI_RESERVED, IQEI_WIDTH },
    { "piotlb/bit-52", { 0x26 | 1ULL << 52 }, IQEI_RESERVED, IQEI_WIDTH },
    { "pasid/domain", { 0x07 | 7 << 16 }, 0, IQEI_WIDTH },
    { "pasid/one", { 0x17 | 7 << 16 | 9ULL << 32 }, 0, IQEI_WIDTH },
    { "pasid/global", { 0x37 }, 0, IQEI_WIDTH },
    { "pasid/reserved", { 0x27 }, IQEI_RESERVED, IQEI_WIDTH },
    { "pasid/second", { 0x37, 1 }, IQEI_RESERVED, IQEI_WIDTH },
    { "pdevice-tlb/page", { 0x08 | 0x20 << 16 | 9ULL << 32, 0x1000 }, 0,
      IQEI_WIDTH },
    { "pdevice-tlb/global", { 0x1f8 | 0x20 << 16, 0x7ffffffffffff801 }, 0,
      IQEI_WIDTH },
    { "pdevice-tlb/second-1", { 0x08, 2 }, IQEI_RESERVED, IQEI_WIDTH },
    { "page-response/pasid", { 0x19 | 0x20 << 16 | 9ULL << 32, 5 << 3 | 4 },
      0, IQEI_WIDTH },
    { "page-response/none", { 0x09 | 0xfULL << 12 | 0x20 << 16, 5 << 3 }, 0,
      IQEI_WIDTH },
    { "page-response/bit-52", { 0x09 | 1ULL << 52 }, IQEI_RESERVED,
      IQEI_WIDTH },
    { "upper-half", { 0x11, 0, 1, 0 }, IQEI_RESERVED, 0 },
    { "type/0", { 0x00 }, IQEI_TYPE, IQEI_TYPE },
    { "type/10", { 0x0a }, IQEI_TYPE, IQEI_TYPE },
    { "type/15", { 0x0f }, IQEI_TYPE, IQEI_TYPE },
    { "type/extended", { 0x11 | 1 << 9 }, IQEI_TYPE, IQEI_TYPE },
};

static void start_queue(VTDTest *t, QTestState **qts, const char *props,
                        bool wide)
{
    g_autofree char *args = g_strdup_printf("-machine q35 -m 256 -nodefaults "
                                            "-device intel-vtd%s", props);

    *qts = qtest_init(args);
    vtd_test_init(t, *qts, wide, VTD_DMA_TABLES, VTD_DMA_TABLES_SIZE);
    vtd_test_enable(t);
}

static void clear_iqe(VTDTest *t)
{
    vtd_test_writel(t, VTD_TEST_FSTS, VTD_TEST_FSTS_IQE);
}

/*
 * A descriptor is carried out, or the head stays at it with the reason. In
 * the latter case software replaces it and clears IQE, and the queue goes on.
 */
static void run_case(VTDTest *t, const Case *c, unsigned error)
{
    static const uint64_t fence[4] = { 0x45 };
    unsigned head = t->iq_tail << t->iq_shift;
    uint64_t slot = t->iq + head;

    vtd_test_queue(t, c->d);
    if (!error) {
        g_assert_cmphex(vtd_test_readl(t, VTD_TEST_FSTS), ==, 0);
        g_assert_cmphex(vtd_test_readq(t, VTD_TEST_IQH), ==,
                        vtd_test_readq(t, VTD_TEST_IQT));
        return;
    }
    g_assert_cmphex(vtd_test_readl(t, VTD_TEST_FSTS), ==, VTD_TEST_FSTS_IQE);
    g_assert_cmphex(vtd_test_readq(t, IQERCD), ==, error);
    g_assert_cmphex(vtd_test_readq(t, VTD_TEST_IQH), ==, head);
    /* Nothing is fetched meanwhile */
    vtd_test_queue(t, fence);
    g_assert_cmphex(vtd_test_readq(t, VTD_TEST_IQH), ==, head);
    /* Cleared without repair it fails again */
    clear_iqe(t);
    g_assert_cmphex(vtd_test_readq(t, IQERCD), ==, error);
    qtest_memwrite(t->qts, slot, fence, 1u << t->iq_shift);
    clear_iqe(t);
    g_assert_cmphex(vtd_test_readl(t, VTD_TEST_FSTS), ==, 0);
    g_assert_cmphex(vtd_test_readq(t, IQERCD), ==, 0);
    g_assert_cmphex(vtd_test_readq(t, VTD_TEST_IQH), ==,
                    vtd_test_readq(t, VTD_TEST_IQT));
    vtd_test_queue_wait(t);
}

static void test_descriptors(gconstpointer opaque)
{
    bool wide = GPOINTER_TO_INT(opaque);
    QTestState *qts;
    VTDTest t;

    start_queue(&t, &qts, "", wide);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        unsigned error = cases[i].error_128;

        if (wide) {
            error = cases[i].error;
        }
        g_test_message("%s", cases[i].name);
        run_case(&t, &cases[i], error);
    }
    qtest_quit(qts);
}

/* Descriptors of features that the unit does not have are none */
static void test_absent_types(void)
{
    static const struct {
        const char *props;
        Case c;
        unsigned error;
    } absent[] = {
        { ",device-iotlb=off", { "device-tlb", { 0x03 } }, IQEI_TYPE },
        { ",device-iotlb=off", { "pdevice-tlb", { 0x08 } }, IQEI_TYPE },
        { ",intremap=off", { "iec", { 0x04 } }, IQEI_TYPE },
        { ",svm=off", { "page-response", { 0x09 } }, IQEI_TYPE },
        { ",svm=off", { "wait/drain", { 0x85 } }, IQEI_RESERVED },
        { ",scalable-mode=off", { "piotlb", { 0x26 } }, IQEI_TYPE },
        { ",scalable-mode=off", { "pasid", { 0x37 } }, IQEI_TYPE },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(absent); i++) {
        QTestState *qts;
        VTDTest t;

        start_queue(&t, &qts, absent[i].props,
                    !strstr(absent[i].props, "scalable"));
        run_case(&t, &absent[i].c, absent[i].error);
        qtest_quit(qts);
    }
}

/* --- the queue ---------------------------------------------------------- */

/* Round the ring twice, one by one and many at once */
static void test_wrap(gconstpointer opaque)
{
    bool wide = GPOINTER_TO_INT(opaque);
    unsigned entries = wide ? 128 : 256;
    const uint64_t fence[4] = { 0x45 };
    uint64_t d[4] = { 0x25 };
    QTestState *qts;
    VTDTest t;

    start_queue(&t, &qts, "", wide);
    for (unsigned i = 0; i < 2 * entries + 3; i++) {
        vtd_test_queue_wait(&t);
    }
    /* A whole ring but one, each storing its number to its own place */
    vtd_test_writeq(&t, VTD_TEST_IQT, vtd_test_readq(&t, VTD_TEST_IQH));
    for (unsigned i = 0; i < entries - 1; i++) {
        unsigned n = (t.iq_tail + i) % entries;

        d[0] = 0x25 | (uint64_t)(i + 1) << 32;
        d[1] = VTD_DMA_DATA + 4 * i;
        qtest_memwrite(qts, t.iq + (n << t.iq_shift), d, 1 << t.iq_shift);
    }
    t.iq_tail = (t.iq_tail + entries - 2) % entries;
    qtest_memwrite(qts, t.iq + (t.iq_tail << t.iq_shift), fence,
                   1 << t.iq_shift);
    vtd_test_writeq(&t, VTD_TEST_IQT, (uint64_t)t.iq_tail << t.iq_shift);
    for (unsigned i = 0; i < entries - 2; i++) {
        g_assert_cmphex(qtest_readl(qts, VTD_DMA_DATA + 4 * i), ==, i + 1);
    }
    qtest_quit(qts);
}

/* A tail that is no place in the queue */
static void test_tail(void)
{
    QTestState *qts;
    VTDTest t;

    start_queue(&t, &qts, "", true);
    vtd_test_writeq(&t, VTD_TEST_IQT, 0x1000);
    g_assert_cmphex(vtd_test_readl(&t, VTD_TEST_FSTS), ==, VTD_TEST_FSTS_IQE);
    g_assert_cmphex(vtd_test_readq(&t, IQERCD), ==, IQEI_TAIL);
    vtd_test_writeq(&t, VTD_TEST_IQT, (t.iq_tail << 5) | 0x10);
    clear_iqe(&t);
    g_assert_cmphex(vtd_test_readq(&t, IQERCD), ==, IQEI_ALIGN);
    vtd_test_writeq(&t, VTD_TEST_IQT, t.iq_tail << 5);
    clear_iqe(&t);
    g_assert_cmphex(vtd_test_readl(&t, VTD_TEST_FSTS), ==, 0);
    vtd_test_queue_wait(&t);
    qtest_quit(qts);
}

/* Queues in no memory, and 128-bit descriptors in scalable mode */
static void test_bad_queue(void)
{
    QTestState *qts;
    VTDTest t;

    start_queue(&t, &qts, "", true);
    vtd_test_writeq(&t, VTD_TEST_IQA, 0xfed00000 | 1 << 11);
    vtd_test_writeq(&t, VTD_TEST_IQT, (t.iq_tail + 1) << 5);
    g_assert_cmphex(vtd_test_readl(&t, VTD_TEST_FSTS), ==, VTD_TEST_FSTS_IQE);
    g_assert_cmphex(vtd_test_readq(&t, IQERCD), ==, IQEI_FETCH);
    vtd_test_writeq(&t, VTD_TEST_IQA, t.iq);
    clear_iqe(&t);
    g_assert_cmphex(vtd_test_readq(&t, IQERCD), ==, IQEI_WIDTH);
    qtest_quit(qts);
}

/* A shorter queue, another width: the head still comes to the tail */
static void test_resized_queue(void)
{
    QTestState *qts;
    VTDTest t;

    start_queue(&t, &qts, ",scalable-mode=on", false);
    for (unsigned i = 0; i < 3; i++) {
        vtd_test_queue_wait(&t);
    }
    qtest_memset(qts, t.iq, 0, 0x1000);
    for (unsigned i = 0; i < 128; i++) {
        qtest_writeq(qts, t.iq + 32 * i, 0x45);
    }
    /* The head is now in the middle of a 256-bit descriptor */
    vtd_test_writeq(&t, VTD_TEST_IQA, t.iq | 1 << 11);
    vtd_test_writeq(&t, VTD_TEST_IQT, 0x20);
    g_assert_cmphex(vtd_test_readl(&t, VTD_TEST_FSTS), ==, 0);
    g_assert_cmphex(vtd_test_readq(&t, VTD_TEST_IQH), ==, 0x20);
    qtest_quit(qts);
}

/* The head starts anew when the queue is enabled again */
static void test_disable(void)
{
    QTestState *qts;
    VTDTest t;

    start_queue(&t, &qts, "", true);
    g_assert_cmphex(vtd_test_readq(&t, VTD_TEST_IQH), !=, 0);
    vtd_test_command(&t, VTD_TEST_GCMD_QIE, false);
    g_assert_cmphex(vtd_test_readq(&t, VTD_TEST_IQH), ==, 0);
    vtd_test_writeq(&t, VTD_TEST_IQT, 0);
    vtd_test_command(&t, VTD_TEST_GCMD_QIE, true);
    g_assert_cmphex(vtd_test_readq(&t, VTD_TEST_IQH), ==, 0);
    t.iq_tail = 0;
    vtd_test_queue_wait(&t);
    qtest_quit(qts);
}

/* Status writes to what is no RAM, even to the unit itself, do nothing */
static void test_wait_elsewhere(void)
{
    QTestState *qts;
    VTDTest t;

    start_queue(&t, &qts, "", true);
    vtd_test_queue(&t, (const uint64_t[4]) {
        0x25 | 0x40ULL << 32, VTD_TEST_BASE + VTD_TEST_IQT });
    vtd_test_queue(&t, (const uint64_t[4]) { 0x25, 1ULL << 51 });
    g_assert_cmphex(vtd_test_readl(&t, VTD_TEST_FSTS), ==, 0);
    vtd_test_queue_wait(&t);
    qtest_quit(qts);
}

/* --- events ------------------------------------------------------------- */

static void program_event(VTDTest *t, unsigned control)
{
    vtd_test_writel(t, control + 4, EVENT_DATA);
    vtd_test_writel(t, control + 8, EVENT_AT);
    vtd_test_writel(t, control + 12, 0);
    qtest_writel(t->qts, EVENT_AT, 0);
}

static bool event_came(VTDTest *t)
{
    uint32_t data = qtest_readl(t->qts, EVENT_AT);

    qtest_writel(t->qts, EVENT_AT, 0);
    g_assert_true(data == 0 || data == EVENT_DATA);
    return data;
}

/* A wait descriptor with IF: IWC, message, mask and pending */
static void test_wait_event(void)
{
    static const uint64_t wait[4] = { 0x15 };
    QTestState *qts;
    VTDTest t;

    start_queue(&t, &qts, "", true);
    program_event(&t, IECTL);
    vtd_test_writel(&t, IECTL, 0);
    vtd_test_queue(&t, wait);
    g_assert_true(event_came(&t));
    g_assert_cmphex(vtd_test_readl(&t, ICS), ==, 1);
    g_assert_cmphex(vtd_test_readl(&t, IECTL), ==, 0);
    /* IWC is still set: no further event */
    vtd_test_queue(&t, wait);
    g_assert_false(event_came(&t));

    /* Masked: pending until it is unmasked */
    vtd_test_writel(&t, ICS, 1);
    g_assert_cmphex(vtd_test_readl(&t, ICS), ==, 0);
    vtd_test_writel(&t, IECTL, EVENT_IM);
    vtd_test_queue(&t, wait);
    g_assert_false(event_came(&t));
    g_assert_cmphex(vtd_test_readl(&t, IECTL), ==, EVENT_IM | EVENT_IP);
    vtd_test_writel(&t, IECTL, 0);
    g_assert_true(event_came(&t));
    g_assert_cmphex(vtd_test_readl(&t, IECTL), ==, 0);

    /* Masked and served: no event is left */
    vtd_test_writel(&t, ICS, 1);
    vtd_test_writel(&t, IECTL, EVENT_IM);
    vtd_test_queue(&t, wait);
    vtd_test_writel(&t, ICS, 1);
    g_assert_cmphex(vtd_test_readl(&t, IECTL), ==, EVENT_IM);
    vtd_test_writel(&t, IECTL, 0);
    g_assert_false(event_came(&t));
    qtest_quit(qts);
}

static void test_error_event(void)
{
    static const uint64_t bad[4] = { 0x0f };
    QTestState *qts;
    VTDTest t;

    start_queue(&t, &qts, "", true);
    program_event(&t, FECTL);
    vtd_test_writel(&t, FECTL, 0);
    vtd_test_queue(&t, bad);
    g_assert_true(event_came(&t));
    /* It fails again, which is a new condition */
    clear_iqe(&t);
    g_assert_true(event_came(&t));
    qtest_quit(qts);
}

/* --- effect, by the queue and by registers ------------------------------ */

typedef struct Effect {
    const char *name;
    uint64_t d[4];              /* the descriptor, or */
    uint64_t ccmd, iva, iotlb;  /* what the registers get */
    bool context;               /* it drops the context entry */
    bool pages;                 /* it drops translations */
} Effect;

static const Effect effects[] = {
    { "queue/iotlb-global", { 0x12 }, .pages = true },
    { "queue/iotlb-domain", { 0x22 | DID << 16 }, .pages = true },
    { "queue/iotlb-page", { 0x32 | DID << 16, IOVA + OUT }, .pages = true },
    { "queue/iotlb-other-page", { 0x32 | DID << 16, IOVA + OUT + 0x1000 } },
    { "queue/iotlb-pages", { 0x32 | DID << 16, (IOVA + OUT) | 4 },
      .pages = true },
    { "queue/context-global", { 0x11 }, .context = true },
    { "queue/context-domain", { 0x21 | DID << 16 }, .context = true },
    { "queue/context-device", { 0x31 | DID << 16 |
                                (uint64_t)VTD_DMA_SID << 32 },
      .context = true },
    { "registers/iotlb-global", .iotlb = 1ULL << 63 | 1ULL << 60,
      .pages = true },
    { "registers/iotlb-domain", .iotlb = 1ULL << 63 | 2ULL << 60 |
                                         (uint64_t)DID << 32, .pages = true },
    { "registers/iotlb-page", .iva = IOVA + OUT,
      .iotlb = 1ULL << 63 | 3ULL << 60 | (uint64_t)DID << 32, .pages = true },
    { "registers/context-global", .ccmd = 1ULL << 63 | 1ULL << 61,
      .context = true },
    { "registers/context-domain", .ccmd = 1ULL << 63 | 2ULL << 61 | DID,
      .context = true },
    { "registers/context-device", .ccmd = 1ULL << 63 | 3ULL << 61 | DID |
                                          VTD_DMA_SID << 16,
      .context = true },
};

/*
 * Registers answer with what they did and clear the bit that began it. A
 * granularity that does not exist did nothing.
 */
static void by_registers(VTDTest *t, const Effect *e)
{
    vtd_test_command(t, VTD_TEST_GCMD_QIE, false);
    if (e->ccmd) {
        vtd_test_writeq(t, CCMD, e->ccmd);
        g_assert_cmphex(vtd_test_readq(t, CCMD), ==,
                        (e->ccmd & ~(1ULL << 63)) |
                        extract64(e->ccmd, 61, 2) << 59);
    } else {
        vtd_test_writeq(t, IVA, e->iva);
        g_assert_cmphex(vtd_test_readq(t, IVA), ==, 0);
        vtd_test_writeq(t, IOTLB, e->iotlb);
        g_assert_cmphex(vtd_test_readq(t, IOTLB), ==,
                        (e->iotlb & ~(1ULL << 63)) |
                        extract64(e->iotlb, 60, 2) << 57);
    }
}

static void test_effect(gconstpointer opaque)
{
    const Effect *e = opaque;
    VTDDma *d = vtd_dma_start("", false, NULL);
    uint64_t root = vtd_test_page(&d->t), leaf, context;

    vtd_test_map_second(&d->t, root, 4, 1, IOVA + IN, IN, 0x4000);
    vtd_test_legacy_context(&d->t, VTD_DMA_SID, VTD_TEST_TT_UNTRANSLATED,
                            root, 4, DID);
    vtd_test_enable(&d->t);
    vtd_dma_check(d, IOVA + IN, IN, IOVA + OUT, OUT);
    leaf = vtd_test_entry(&d->t, root, 4, 1, IOVA + OUT);
    context = vtd_test_context(&d->t, VTD_DMA_SID);
    qtest_writeq(d->qts, e->context ? context : leaf, 0);

    if (e->d[0]) {
        vtd_test_queue(&d->t, e->d);
        vtd_test_queue_wait(&d->t);
    } else {
        by_registers(&d->t, e);
    }
    vtd_dma_write(d, IOVA + OUT, 8);
    if (e->context) {
        vtd_dma_expect_fault(d, 0x02, true, IOVA + OUT);
    } else if (e->pages) {
        vtd_dma_expect_fault(d, 0x05, true, IOVA + OUT);
    } else {
        /* What was not invalidated may still be used: it is cached here */
        vtd_dma_expect_no_fault(d);
    }
    vtd_dma_stop(d);
}

/* Reserved granularities, and any while the queue is enabled */
static void test_register_refusals(void)
{
    QTestState *qts;
    VTDTest t;

    start_queue(&t, &qts, "", false);
    for (unsigned queue = 0; queue < 2; queue++) {
        uint64_t granularity = queue ? 1 : 0;

        vtd_test_command(&t, VTD_TEST_GCMD_QIE, queue);
        vtd_test_writeq(&t, CCMD, 1ULL << 63 | granularity << 61);
        g_assert_cmphex(vtd_test_readq(&t, CCMD), ==, granularity << 61);
        vtd_test_writeq(&t, IOTLB, 1ULL << 63 | granularity << 60);
        g_assert_cmphex(vtd_test_readq(&t, IOTLB), ==, granularity << 60);
    }
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_data_func("vtd/qi/descriptors/256", GINT_TO_POINTER(1),
                        test_descriptors);
    qtest_add_data_func("vtd/qi/descriptors/128", GINT_TO_POINTER(0),
                        test_descriptors);
    qtest_add_func("vtd/qi/absent", test_absent_types);
    qtest_add_data_func("vtd/qi/wrap/256", GINT_TO_POINTER(1), test_wrap);
    qtest_add_data_func("vtd/qi/wrap/128", GINT_TO_POINTER(0), test_wrap);
    qtest_add_func("vtd/qi/tail", test_tail);
    qtest_add_func("vtd/qi/bad-queue", test_bad_queue);
    qtest_add_func("vtd/qi/resized-queue", test_resized_queue);
    qtest_add_func("vtd/qi/disable", test_disable);
    qtest_add_func("vtd/qi/wait-elsewhere", test_wait_elsewhere);
    qtest_add_func("vtd/qi/wait-event", test_wait_event);
    qtest_add_func("vtd/qi/error-event", test_error_event);
    for (unsigned i = 0; i < G_N_ELEMENTS(effects); i++) {
        g_autofree char *path = g_strdup_printf("vtd/qi/effect/%s",
                                                effects[i].name);

        qtest_add_data_func(path, &effects[i], test_effect);
    }
    qtest_add_func("vtd/qi/registers", test_register_refusals);
    return g_test_run();
}
