/*
 * What an access through an IOMMU costs: no IOMMU, the base's intel-iommu and
 * intel-vtd in one run, in every translation mode.
 *
 *   siov-iommu-bench [--csv FILE] [--runs N]
 *
 * QTEST_QEMU_BINARY names the emulator. Figures are ns per access, the median
 * of N runs; what lasts is their ratio. The device siov-bench does the DMA.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/units.h"
#include "tests/qtest/libqos/pci-pc.h"
#include "../qtest/vtd-test-lib.h"
#include "bench-lib.h"

#define BENCH_SLOT 4
#define BENCH_SID (BENCH_SLOT << 3)
#define BENCH_DID 1

/* Input addresses equal output ones, so that no IOMMU needs no other case */
#define SMALL_PAGES_AT (256 * MiB)
#define LARGE_PAGES_AT (512 * MiB)
#define AREA_SIZE (256 * MiB)
#define TABLES_AT (768 * MiB)
#define TABLES_SIZE (64 * MiB)

/* Registers of siov-bench */
enum {
    REG_BASE = 0x00, REG_STRIDE = 0x08, REG_COUNT = 0x10, REG_LENGTH = 0x18,
    REG_ACCESSES = 0x20, REG_THREADS = 0x28, REG_RUN = 0x30, REG_NS = 0x38,
    REG_ERRORS = 0x40,
};

typedef enum Mode { NONE, LEGACY, SECOND, FIRST, NESTED } Mode;

typedef struct Config {
    const char *unit, *mode_name;
    Mode mode;
    const char *args;
} Config;

static const Config configs[] = {
    { "none", "-", NONE, "" },
    { "intel-iommu", "legacy", LEGACY, "-device intel-iommu,aw-bits=48" },
    { "intel-iommu", "second-stage", SECOND,
      "-device intel-iommu,aw-bits=48,scalable-mode=on" },
    { "intel-iommu", "first-stage", FIRST,
      "-device intel-iommu,aw-bits=48,scalable-mode=on,fsts=on" },
    { "intel-vtd", "legacy", LEGACY, "-device intel-vtd" },
    { "intel-vtd", "second-stage", SECOND, "-device intel-vtd" },
    { "intel-vtd", "first-stage", FIRST, "-device intel-vtd" },
    { "intel-vtd", "nested", NESTED, "-device intel-vtd" },
};

typedef struct Case {
    const char *name;
    uint64_t base, stride, count, length, accesses;
    unsigned threads;
    bool cold;              /* empty the caches before each run */
} Case;

static const Case cases[] = {
    { "hit, 256 pages", SMALL_PAGES_AT, 4 * KiB, 256, 0, 1 << 20, 1 },
    { "hit, 256 pages, 2 threads", SMALL_PAGES_AT, 4 * KiB, 256, 0, 1 << 20,
      2 },
    { "miss, 64 Ki pages of 4 KiB", SMALL_PAGES_AT, 4 * KiB, 65536, 0, 65536,
      1, true },
    { "miss, 2 threads", SMALL_PAGES_AT, 4 * KiB, 65536, 0, 65536, 2, true },
    { "2 MiB pages", LARGE_PAGES_AT, 2 * MiB, 128, 0, 1 << 19, 1 },
    { "read 64 KiB, 4 KiB pages", SMALL_PAGES_AT, 64 * KiB, 16, 64 * KiB,
      1 << 13, 1 },
    { "read 64 KiB, 2 MiB pages", LARGE_PAGES_AT, 64 * KiB, 16, 64 * KiB,
      1 << 13, 1 },
};

typedef struct Machine {
    QTestState *qts;
    QPCIBus *bus;
    QPCIDevice *dev;
    QPCIBar bar;
    VTDTest vtd;
} Machine;

typedef void MapFn(VTDTest *t, uint64_t root, unsigned levels,
                   unsigned page_level, uint64_t input, uint64_t output,
                   uint64_t size);

/* Both areas in tables of the format that @map writes */
static uint64_t build_areas(VTDTest *t, MapFn *map)
{
    uint64_t root = vtd_test_page(t);

    map(t, root, 4, 1, SMALL_PAGES_AT, SMALL_PAGES_AT, AREA_SIZE);
    map(t, root, 4, 2, LARGE_PAGES_AT, LARGE_PAGES_AT, AREA_SIZE);
    return root;
}

/* Below a first stage: all memory by pages of 2 MiB, as a host would have it */
static uint64_t build_parent(VTDTest *t)
{
    uint64_t root = vtd_test_page(t);

    vtd_test_map_second(t, root, 4, 2, 0, 0, GiB);
    return root;
}

static void build_tables(VTDTest *t, Mode mode)
{
    uint64_t first = 0, second = 0, dir;
    static const unsigned pgtt[] = {
        [SECOND] = VTD_TEST_SECOND,
        [FIRST] = VTD_TEST_FIRST,
        [NESTED] = VTD_TEST_NESTED,
    };

    if (mode == LEGACY) {
        vtd_test_legacy_context(t, BENCH_SID, VTD_TEST_TT_UNTRANSLATED,
                                build_areas(t, vtd_test_map_second), 4,
                                BENCH_DID);
        return;
    }
    if (mode == FIRST || mode == NESTED) {
        first = build_areas(t, vtd_test_map_first);
    }
    if (mode == SECOND) {
        second = build_areas(t, vtd_test_map_second);
    } else if (mode == NESTED) {
        second = build_parent(t);
    }
    dir = vtd_test_scalable_context(t, BENCH_SID, 0, 0, 0);
    vtd_test_set_pasid(t, dir, 0, pgtt[mode], first, 4, second, 4, BENCH_DID);
}

static void machine_start(Machine *m, const Config *c)
{
    m->qts = qtest_initf("-machine q35 -m 1G -nodefaults %s "
                         "-device siov-bench,addr=%d", c->args, BENCH_SLOT);
    m->bus = qpci_new_pc(m->qts, NULL);
    m->dev = qpci_device_find(m->bus, QPCI_DEVFN(BENCH_SLOT, 0));
    g_assert_nonnull(m->dev);
    qpci_device_enable(m->dev);
    m->bar = qpci_iomap(m->dev, 0, NULL);
    if (c->mode != NONE) {
        vtd_test_init(&m->vtd, m->qts, c->mode != LEGACY, TABLES_AT,
                      TABLES_SIZE);
        build_tables(&m->vtd, c->mode);
        vtd_test_enable(&m->vtd);
    }
}

static void machine_stop(Machine *m)
{
    g_free(m->dev);
    qpci_free_pc(m->bus);
    qtest_quit(m->qts);
}

static double run_once(Machine *m, const Config *c, const Case *k)
{
    if (k->cold && c->mode != NONE) {
        vtd_test_flush_all(&m->vtd);
    }
    qpci_io_writeq(m->dev, m->bar, REG_RUN, 1);
    while (qpci_io_readq(m->dev, m->bar, REG_RUN)) {
        g_usleep(1000);
    }
    if (qpci_io_readq(m->dev, m->bar, REG_ERRORS)) {
        g_printerr("%s, %s, %s: accesses were refused\n", c->unit,
                   c->mode_name, k->name);
        exit(1);
    }
    return (double)qpci_io_readq(m->dev, m->bar, REG_NS) / k->accesses;
}

static void set_case(Machine *m, const Case *k)
{
    qpci_io_writeq(m->dev, m->bar, REG_BASE, k->base);
    qpci_io_writeq(m->dev, m->bar, REG_STRIDE, k->stride);
    qpci_io_writeq(m->dev, m->bar, REG_COUNT, k->count);
    qpci_io_writeq(m->dev, m->bar, REG_LENGTH, k->length);
    qpci_io_writeq(m->dev, m->bar, REG_ACCESSES, k->accesses);
    qpci_io_writeq(m->dev, m->bar, REG_THREADS, k->threads);
}

static double results[ARRAY_SIZE(configs)][ARRAY_SIZE(cases)];

/*
 * All machines take turns, so that whatever else the host does and whatever
 * speed it runs at meets all of them alike.
 */
static void run_case(Machine *machines, unsigned k, unsigned runs)
{
    g_autofree double *ns = g_new(double, ARRAY_SIZE(configs) * runs);

    for (unsigned i = 0; i < ARRAY_SIZE(configs); i++) {
        set_case(&machines[i], &cases[k]);
        run_once(&machines[i], &configs[i], &cases[k]);     /* warm up */
    }
    for (unsigned n = 0; n < runs; n++) {
        for (unsigned i = 0; i < ARRAY_SIZE(configs); i++) {
            ns[i * runs + n] = run_once(&machines[i], &configs[i], &cases[k]);
        }
    }
    for (unsigned i = 0; i < ARRAY_SIZE(configs); i++) {
        results[i][k] = bench_median(&ns[i * runs], runs);
    }
}

/* The base's unit in the same mode; nested has none, so its first stage */
static int baseline(unsigned config)
{
    Mode mode = configs[config].mode == NESTED ? FIRST : configs[config].mode;

    for (int i = 0; i < ARRAY_SIZE(configs); i++) {
        if (!strcmp(configs[i].unit, "intel-iommu") &&
            configs[i].mode == mode) {
            return i;
        }
    }
    g_assert_not_reached();
}

static void print_case(unsigned k, FILE *csv)
{
    for (unsigned i = 0; i < ARRAY_SIZE(configs); i++) {
        double ns = results[i][k], none = results[0][k];
        const Config *c = &configs[i];

        printf("%-28s %-12s %-13s %10.1f %8.2fx", i ? "" : cases[k].name,
               c->unit, c->mode_name, ns, ns / none);
        if (!strcmp(c->unit, "intel-vtd")) {
            double stock = results[baseline(i)][k];

            printf("   %5.2f of base, added %5.2f of base's",
                   ns / stock, (ns - none) / (stock - none));
        }
        printf("\n");
        if (csv) {
            fprintf(csv, "\"%s\",%s,%s,%.2f,%.3f\n", cases[k].name, c->unit,
                    c->mode_name, ns, ns / none);
        }
    }
}

int main(int argc, char **argv)
{
    BenchOptions options = bench_options(argc, argv);
    Machine machines[ARRAY_SIZE(configs)];
    FILE *csv = bench_csv(&options, "case,unit,mode,ns,times_no_iommu");

    for (unsigned i = 0; i < ARRAY_SIZE(configs); i++) {
        machine_start(&machines[i], &configs[i]);
    }
    for (unsigned k = 0; k < ARRAY_SIZE(cases); k++) {
        g_printerr("measuring: %s\n", cases[k].name);
        run_case(machines, k, options.runs);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(configs); i++) {
        machine_stop(&machines[i]);
    }
    printf("%-28s %-12s %-13s %10s %9s\n", "case", "unit", "mode", "ns/access",
           "no IOMMU");
    for (unsigned k = 0; k < ARRAY_SIZE(cases); k++) {
        print_case(k, csv);
    }
    if (csv) {
        fclose(csv);
    }
    return 0;
}
