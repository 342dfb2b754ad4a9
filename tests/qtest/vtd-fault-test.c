/*
 * intel-vtd: fault log and fault event, and reasons from a device's request
 * to the record
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/units.h"
#include "vtd-test-dma.h"

enum { FECTL = 0x38, FEDATA = 0x3c, FEADDR = 0x40, FEUADDR = 0x44 };

#define FSTS_PFO    (1u << 0)
#define FSTS_PPF    (1u << 1)
#define EVENT_IM    (1u << 31)
#define EVENT_IP    (1u << 30)
#define EVENT_AT    0x2000000u      /* RAM: what a message writes is seen */
#define EVENT_DATA  0x5678

#define DATA        VTD_DMA_DATA
#define IOVA        (1ULL << 40)
#define NOWHERE     (1ULL << 45)    /* no memory there */
#define DID         5

/* --- reasons ------------------------------------------------------------ */

/**
 * World: tables for one device, complete and right. Each mode of translation
 * has one; a case then damages an entry of it.
 */
typedef struct World {
    VTDDma *d;
    uint64_t root_entry, context, dir_entry, pasid;
    uint64_t first, second;     /* root tables of the stages */
    uint64_t first_leaf, second_leaf;
} World;

typedef enum Kind { LEGACY, SECOND, FIRST, NESTED, PASS } Kind;

static void fill_scalable(World *w, Kind kind)
{
    static const unsigned pgtt[] = {
        [SECOND] = VTD_TEST_SECOND, [FIRST] = VTD_TEST_FIRST,
        [NESTED] = VTD_TEST_NESTED, [PASS] = VTD_TEST_PT,
    };
    VTDTest *t = &w->d->t;
    uint64_t dir = vtd_test_scalable_context(t, VTD_DMA_SID, 0, 0, 0);

    vtd_test_set_pasid(t, dir, 0, pgtt[kind], w->first, 4, w->second, 4, DID);
    w->dir_entry = dir;
    w->pasid = vtd_test_pasid_entry(t, dir, 0);
}

static World make_world(Kind kind)
{
    World w = { .d = vtd_dma_start("", kind != LEGACY, NULL) };
    VTDTest *t = &w.d->t;

    if (kind == FIRST || kind == NESTED) {
        w.first = vtd_test_page(t);
        vtd_test_map_first(t, w.first, 4, 1, IOVA + DATA, DATA, 0x2000);
        w.first_leaf = vtd_test_entry(t, w.first, 4, 1, IOVA + DATA);
    }
    if (kind != FIRST) {
        uint64_t at = kind == NESTED ? 0 : IOVA;

        w.second = vtd_test_page(t);
        if (kind == NESTED) {
            /* Tables by large pages, the data by small ones */
            vtd_test_map_second(t, w.second, 4, 2, VTD_DMA_TABLES,
                                VTD_DMA_TABLES, VTD_DMA_TABLES_SIZE);
        }
        vtd_test_map_second(t, w.second, 4, 1, at + DATA, DATA, 0x2000);
        w.second_leaf = vtd_test_entry(t, w.second, 4, 1, at + DATA);
    }
    if (kind == LEGACY) {
        vtd_test_legacy_context(t, VTD_DMA_SID, VTD_TEST_TT_UNTRANSLATED,
                                w.second, 4, DID);
    } else {
        fill_scalable(&w, kind);
    }
    w.context = vtd_test_context(t, VTD_DMA_SID);
    w.root_entry = t->root;
    return w;
}

/* Which entry a case changes */
typedef enum Where { ROOT, CONTEXT, CONTEXT_HI, DIRECTORY, PASID, PASID_FIRST,
                     FIRST_ROOT, FIRST_LEAF, SECOND_ROOT, SECOND_LEAF,
                     NONE } Where;

typedef struct Reason {
    const char *name;
    uint8_t code;
    Kind kind;
    Where where;
    uint64_t clear, set;
    bool write;
    uint64_t addr;              /* 0: IOVA + DATA */
} Reason;

#define ADDRESS (MAKE_64BIT_MASK(12, 52))

static const Reason reasons[] = {
    { "root-not-present", 0x01, LEGACY, ROOT, 1, 0 },
    { "context-not-present", 0x02, LEGACY, CONTEXT, 1, 0 },
    { "context-invalid", 0x03, LEGACY, CONTEXT_HI, 7, 7 },
    { "beyond-width", 0x04, LEGACY, NONE, .addr = 1ULL << 50 },
    { "no-write", 0x05, LEGACY, SECOND_LEAF, 2, 0, .write = true },
    { "no-read", 0x06, LEGACY, SECOND_LEAF, 1, 0 },
    { "table-access", 0x07, LEGACY, SECOND_ROOT, ADDRESS, NOWHERE },
    { "context-access", 0x09, LEGACY, ROOT, ADDRESS, NOWHERE },
    { "root-reserved", 0x0a, LEGACY, ROOT, 0, 2 },
    { "context-reserved", 0x0b, LEGACY, CONTEXT_HI, 0, 1 << 7 },
    { "interrupt-output", 0x0e, LEGACY, SECOND_LEAF, ADDRESS, 0xfee00000 },
    { "scalable-root-not-present", 0x39, FIRST, ROOT, 1, 0 },
    { "scalable-root-reserved", 0x3a, FIRST, ROOT, 0, 2 },
    { "scalable-context-access", 0x40, FIRST, ROOT, ADDRESS, NOWHERE },
    { "scalable-context-not-present", 0x41, FIRST, CONTEXT, 1, 0 },
    { "scalable-context-reserved", 0x42, FIRST, CONTEXT, 0, 1 << 5 },
    { "rid-pasid", 0x48, FIRST, CONTEXT_HI, 0, 1 << 19 },
    { "directory-access", 0x50, FIRST, CONTEXT, ADDRESS, NOWHERE },
    { "directory-not-present", 0x51, FIRST, DIRECTORY, 1, 0 },
    { "directory-reserved", 0x52, FIRST, DIRECTORY, 0, 1 << 2 },
    { "pasid-access", 0x58, FIRST, DIRECTORY, ADDRESS, NOWHERE },
    { "pasid-not-present", 0x59, FIRST, PASID, 1, 0 },
    { "pasid-reserved", 0x5a, FIRST, PASID, 0, 1 << 11 },
    { "pasid-invalid", 0x5b, FIRST, PASID, 7 << 6, 7 << 6 },
    { "first-access", 0x70, FIRST, FIRST_ROOT, ADDRESS, NOWHERE },
    { "first-not-present", 0x71, FIRST, FIRST_LEAF, 1, 0 },
    { "first-reserved", 0x72, FIRST, FIRST_ROOT, 0, 1 << 7 },
    { "first-root-access", 0x73, FIRST, PASID_FIRST, ADDRESS, NOWHERE },
    { "nested-width", 0x74, NESTED, FIRST_LEAF, ADDRESS, 1ULL << 50 },
    { "second-access", 0x78, SECOND, SECOND_ROOT, ADDRESS, NOWHERE },
    { "second-not-present", 0x79, SECOND, SECOND_LEAF, 3, 0 },
    { "second-reserved", 0x7a, SECOND, SECOND_ROOT, 0, 1 << 7 },
    { "second-root-access", 0x7b, SECOND, PASID, ADDRESS, NOWHERE },
    { "not-canonical", 0x80, FIRST, NONE, .addr = 1ULL << 50 },
    { "supervisor-page", 0x81, FIRST, FIRST_LEAF, 4, 0 },
    { "beyond-host-width", 0x83, PASS, NONE, .addr = 1ULL << 55 },
    { "second-beyond-width", 0x84, SECOND, NONE, .addr = 1ULL << 50 },
    { "first-no-write", 0x85, FIRST, FIRST_LEAF, 2, 0, .write = true },
    { "second-no-write", 0x85, SECOND, SECOND_LEAF, 2, 0, .write = true },
    { "nested-no-write", 0x85, NESTED, SECOND_LEAF, 2, 0, .write = true },
    { "second-no-read", 0x86, SECOND, SECOND_LEAF, 1, 0 },
    { "scalable-interrupt-output", 0x87, FIRST, FIRST_LEAF, ADDRESS,
      0xfee00000 },
};

static uint64_t entry_of(World *w, Where where)
{
    switch (where) {
    case ROOT:          return w->root_entry;
    case CONTEXT:       return w->context;
    case CONTEXT_HI:    return w->context + 8;
    case DIRECTORY:     return w->dir_entry;
    case PASID:         return w->pasid;
    case PASID_FIRST:   return w->pasid + 16;
    case FIRST_ROOT:
        return vtd_test_entry(&w->d->t, w->first, 4, 4, IOVA + DATA);
    case FIRST_LEAF:    return w->first_leaf;
    case SECOND_ROOT:
        return vtd_test_entry(&w->d->t, w->second, 4, 4, IOVA + DATA);
    case SECOND_LEAF:   return w->second_leaf;
    default:            return 0;
    }
}

static void access_memory(VTDDma *d, bool write, uint64_t addr)
{
    if (write) {
        vtd_dma_write(d, addr, 8);
    } else {
        vtd_dma_read(d, addr, 8);
    }
}

/* The whole world works; with the damage the request is blocked for this */
static void test_reason(gconstpointer opaque)
{
    const Reason *r = opaque;
    World w = make_world(r->kind);
    uint64_t at = entry_of(&w, r->where);
    uint64_t addr = r->addr ? r->addr : IOVA + DATA;
    uint64_t good = r->kind == PASS ? DATA : IOVA + DATA;

    vtd_test_enable(&w.d->t);
    vtd_dma_check(w.d, good, DATA, good + 0x1000, DATA + 0x1000);
    if (at) {
        qtest_writeq(w.d->qts, at,
                     (qtest_readq(w.d->qts, at) & ~r->clear) | r->set);
        vtd_test_flush_all(&w.d->t);
    }
    qtest_writeq(w.d->qts, DATA, 0x77);
    /* Twice: a fault must not leave anything behind that lets it pass */
    for (int i = 0; i < 2; i++) {
        access_memory(w.d, r->write, addr);
        vtd_dma_expect_fault(w.d, r->code, r->write, addr);
    }
    g_assert_cmphex(qtest_readq(w.d->qts, DATA), ==, 0x77);
    vtd_dma_stop(w.d);
}

/* A root table that is nowhere */
static void test_root_access(gconstpointer opaque)
{
    bool scalable = GPOINTER_TO_INT(opaque);
    World w = make_world(scalable ? FIRST : LEGACY);

    w.d->t.root = NOWHERE;
    vtd_test_enable(&w.d->t);
    vtd_dma_read(w.d, IOVA + DATA, 8);
    vtd_dma_expect_fault(w.d, scalable ? 0x38 : 0x08, false, IOVA + DATA);
    vtd_dma_stop(w.d);
}

/* FPD of the context entry or of the PASID entry: blocked, not reported */
static void test_fpd(void)
{
    for (Kind kind = LEGACY; kind <= FIRST; kind++) {
        World w = make_world(kind);
        uint64_t at = kind == LEGACY ? w.context : w.pasid;
        uint64_t leaf = kind == FIRST ? w.first_leaf : w.second_leaf;

        qtest_writeq(w.d->qts, at, qtest_readq(w.d->qts, at) | 2);
        qtest_writeq(w.d->qts, leaf, 0);
        qtest_writeq(w.d->qts, DATA, 0x77);
        vtd_test_enable(&w.d->t);
        vtd_dma_write(w.d, IOVA + DATA, 8);
        vtd_dma_expect_no_fault(w.d);
        g_assert_cmphex(qtest_readq(w.d->qts, DATA), ==, 0x77);
        vtd_dma_stop(w.d);
    }
}

/* --- the log ------------------------------------------------------------ */

static VTDDma *start_log(const char *props)
{
    VTDDma *d = vtd_dma_start(props, false, NULL);

    vtd_test_enable(&d->t);
    return d;
}

/* Each read from a page of its own is a fault of its own */
static uint64_t fault_page(unsigned n)
{
    return IOVA + (uint64_t)n * 0x1000;
}

static void raise_fault(VTDDma *d, unsigned n)
{
    vtd_dma_read(d, fault_page(n), 4);
}

static uint32_t status(VTDDma *d)
{
    return vtd_test_readl(&d->t, VTD_TEST_FSTS);
}

/*
 * Records fill in order; the one more sets PFO and is lost. Software reads
 * from FRI on, round the ring, and clears each; then all begins again where
 * it stopped.
 */
static void test_full(gconstpointer opaque)
{
    g_autofree char *props = g_strdup_printf(",fault-records=%s",
                                             (const char *)opaque);
    VTDDma *d = start_log(props);
    unsigned records = vtd_dma_fault_records(d), first = 0;
    VTDDmaFault fault;

    g_assert_cmpint(records, ==, atoi(opaque));
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < records; i++) {
            raise_fault(d, i);
            g_assert_cmphex(status(d), ==, FSTS_PPF | first << 8);
        }
        raise_fault(d, records);
        g_assert_cmphex(status(d), ==, FSTS_PPF | FSTS_PFO | first << 8);
        for (unsigned i = 0; i < records; i++) {
            unsigned n = (first + i) % records;

            g_assert_true(vtd_dma_fault_get(d, n, &fault));
            g_assert_cmphex(fault.addr, ==, fault_page(i));
            g_assert_cmphex(fault.reason, ==, 0x01);
            vtd_dma_fault_clear(d, n);
            g_assert_false(vtd_dma_fault_get(d, n, &fault));
        }
        /* PPF follows the records; PFO is software's to clear */
        g_assert_cmphex(status(d) & 0xff, ==, FSTS_PFO);
        raise_fault(d, 0);
        g_assert_cmphex(status(d) & 0xff, ==, FSTS_PFO);
        vtd_test_writel(&d->t, VTD_TEST_FSTS, FSTS_PFO);
        vtd_dma_expect_no_fault(d);

        /* One more moves the beginning of the next round */
        first = (first + records) % records;
        raise_fault(d, 0);
        g_assert_cmphex(status(d), ==, FSTS_PPF | first << 8);
        vtd_dma_fault_clear(d, first);
        first = (first + 1) % records;
    }
    vtd_dma_stop(d);
}

/* The same fault again, while its record is pending, is not another one */
static void test_collapse(void)
{
    VTDDma *d = start_log("");
    VTDDmaFault fault;

    for (int i = 0; i < 20; i++) {
        raise_fault(d, 3);
    }
    g_assert_cmphex(status(d), ==, FSTS_PPF);
    g_assert_true(vtd_dma_fault_get(d, 0, &fault));
    g_assert_false(vtd_dma_fault_get(d, 1, &fault));
    /* A write there is */
    vtd_dma_write(d, fault_page(3), 4);
    g_assert_true(vtd_dma_fault_get(d, 1, &fault));
    g_assert_true(fault.write);
    vtd_dma_stop(d);
}

/* --- the event ---------------------------------------------------------- */

static void program_event(VTDDma *d)
{
    vtd_test_writel(&d->t, FEDATA, EVENT_DATA);
    vtd_test_writel(&d->t, FEADDR, EVENT_AT);
    vtd_test_writel(&d->t, FEUADDR, 0);
    qtest_writel(d->qts, EVENT_AT, 0);
}

static bool event_came(VTDDma *d)
{
    uint32_t data = qtest_readl(d->qts, EVENT_AT);

    qtest_writel(d->qts, EVENT_AT, 0);
    g_assert_true(data == 0 || data == EVENT_DATA);
    return data;
}

static void test_event(void)
{
    VTDDma *d = start_log("");

    program_event(d);
    vtd_test_writel(&d->t, FECTL, 0);
    raise_fault(d, 0);
    g_assert_true(event_came(d));
    g_assert_cmphex(vtd_test_readl(&d->t, FECTL), ==, 0);
    /* No other event while one is not served */
    raise_fault(d, 1);
    g_assert_false(event_came(d));
    vtd_dma_fault_clear(d, 0);
    raise_fault(d, 2);
    g_assert_false(event_came(d));
    vtd_dma_fault_clear(d, 1);
    vtd_dma_fault_clear(d, 2);
    vtd_dma_expect_no_fault(d);
    raise_fault(d, 3);
    g_assert_true(event_came(d));
    vtd_dma_stop(d);
}

static void test_mask(void)
{
    VTDDma *d = start_log("");

    program_event(d);
    g_assert_cmphex(vtd_test_readl(&d->t, FECTL), ==, EVENT_IM);
    raise_fault(d, 0);
    g_assert_false(event_came(d));
    g_assert_cmphex(vtd_test_readl(&d->t, FECTL), ==, EVENT_IM | EVENT_IP);
    /* IP is not software's */
    vtd_test_writel(&d->t, FECTL, EVENT_IM);
    g_assert_cmphex(vtd_test_readl(&d->t, FECTL), ==, EVENT_IM | EVENT_IP);
    vtd_test_writel(&d->t, FECTL, 0);
    g_assert_true(event_came(d));
    g_assert_cmphex(vtd_test_readl(&d->t, FECTL), ==, 0);
    vtd_dma_fault_clear(d, 0);

    /* Served while masked: nothing comes */
    vtd_test_writel(&d->t, FECTL, EVENT_IM);
    raise_fault(d, 1);
    g_assert_cmphex(vtd_test_readl(&d->t, FECTL), ==, EVENT_IM | EVENT_IP);
    vtd_dma_fault_clear(d, 1);
    g_assert_cmphex(vtd_test_readl(&d->t, FECTL), ==, EVENT_IM);
    vtd_test_writel(&d->t, FECTL, 0);
    g_assert_false(event_came(d));
    vtd_dma_stop(d);
}

/* The message reaches a local APIC, and needs no entry of remapping */
static void test_message(void)
{
    VTDDma *d = start_log("");
    g_autofree char *text = NULL;

    vtd_test_writeq(&d->t, VTD_TEST_IRTA, VTD_DMA_DATA | 7);
    vtd_test_command(&d->t, VTD_TEST_GCMD_SIRTP, true);
    vtd_test_command(&d->t, VTD_TEST_GCMD_IRE, true);
    vtd_test_writel(&d->t, FEDATA, 0x91);
    vtd_test_writel(&d->t, FEADDR, 0xfee00000);
    vtd_test_writel(&d->t, FECTL, 0);
    raise_fault(d, 0);
    text = qtest_hmp(d->qts, "info lapic 0");
    g_assert_nonnull(strstr(text, "IRR\t 145 "));
    vtd_dma_stop(d);
}

int main(int argc, char **argv)
{
    static const char * const sizes[] = { "1", "2", "8", "128" };

    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(reasons); i++) {
        g_autofree char *path = g_strdup_printf("vtd/fault/reason/%s",
                                                reasons[i].name);

        qtest_add_data_func(path, &reasons[i], test_reason);
    }
    qtest_add_data_func("vtd/fault/reason/root-access", GINT_TO_POINTER(0),
                        test_root_access);
    qtest_add_data_func("vtd/fault/reason/scalable-root-access",
                        GINT_TO_POINTER(1), test_root_access);
    qtest_add_func("vtd/fault/fpd", test_fpd);
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *path = g_strdup_printf("vtd/fault/full/%s", sizes[i]);

        qtest_add_data_func(path, sizes[i], test_full);
    }
    qtest_add_func("vtd/fault/collapse", test_collapse);
    qtest_add_func("vtd/fault/event", test_event);
    qtest_add_func("vtd/fault/mask", test_mask);
    qtest_add_func("vtd/fault/message", test_message);
    return g_test_run();
}
