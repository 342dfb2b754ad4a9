/*
 * What the accelerator's MEMMOVE costs against the host's memcpy() in the same
 * process: without an IOMMU, and with PASID-tagged DMA through intel-vtd over
 * 4 KiB and 2 MiB pages.
 *
 *   siov-dsa-bench [--csv FILE] [--runs N]
 *
 * QTEST_QEMU_BINARY names the emulator. The device siov-bench submits and
 * waits in a loop of its own, as a CPU would.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "hw/pci/pci_regs.h"
#include "tests/qtest/libqos/pci-pc.h"
#include "../qtest/dsa-test-lib.h"
#include "../qtest/vtd-test-lib.h"
#include "bench-lib.h"

#define BENCH_SLOT 5
#define DSA_SID (DSA_TEST_SLOT << 3)
#define PASID 5
#define DID 3

/* Input addresses equal output ones */
#define CONTROL_AT (64 * MiB)       /* descriptors and completion records */
#define RECORDS_AT (CONTROL_AT + 64 * KiB)
#define SOURCE_AT (256 * MiB)
#define TARGET_AT (512 * MiB)
#define MEMORY (1 * GiB)
#define TABLES_AT (768 * MiB)
#define TABLES_SIZE (64 * MiB)

/* Registers of siov-bench */
enum {
    REG_COUNT = 0x10, REG_LENGTH = 0x18, REG_ACCESSES = 0x20, REG_RUN = 0x30,
    REG_NS = 0x38, REG_ERRORS = 0x40, REG_OPERATION = 0x48, REG_SOURCE = 0x50,
    REG_TARGET = 0x58, REG_PORTAL = 0x60, REG_DESCRIPTORS = 0x68,
    REG_RECORDS = 0x70,
};

enum { OPERATION_MEMCPY = 1, OPERATION_SUBMIT = 2 };

typedef struct Config {
    const char *unit, *mode;
    bool iommu;
    unsigned page_level;
} Config;

static const Config configs[] = {
    { "intel-dsa", "no IOMMU", false, 0 },
    { "intel-dsa", "4 KiB pages", true, 1 },
    { "intel-dsa", "2 MiB pages", true, 2 },
};

typedef struct Case {
    const char *name;
    uint64_t length;
    unsigned depth, accesses;
} Case;

/* Each copies 256 MiB or does 4096 rounds, whichever is less */
static const Case cases[] = {
    { "4 KiB, one at a time", 4 * KiB, 1, 4096 },
    { "4 KiB, 32 in flight", 4 * KiB, 32, 1024 },
    { "64 KiB, one at a time", 64 * KiB, 1, 2048 },
    { "64 KiB, 16 in flight", 64 * KiB, 16, 128 },
    { "2 MiB, one at a time", 2 * MiB, 1, 128 },
    { "2 MiB, 8 in flight", 2 * MiB, 8, 16 },
};

typedef struct Machine {
    DSATest *dsa;
    QPCIDevice *bench;
    QPCIBar bar;
    VTDTest vtd;
} Machine;

static double memcpy_ns[ARRAY_SIZE(configs)][ARRAY_SIZE(cases)];
static double dsa_ns[ARRAY_SIZE(configs)][ARRAY_SIZE(cases)];

static void enable_requests(DSATest *t)
{
    unsigned ats = dsa_test_ext_cap(t, PCI_EXT_CAP_ID_ATS);
    unsigned pasid = dsa_test_ext_cap(t, PCI_EXT_CAP_ID_PASID);

    dsa_test_cfg_writew(t, pasid + PCI_PASID_CTRL, PCI_PASID_CTRL_ENABLE);
    dsa_test_cfg_writew(t, ats + PCI_ATS_CTRL, PCI_ATS_CTRL_ENABLE);
}

static void build_tables(Machine *m, const Config *c)
{
    VTDTest *t = &m->vtd;
    uint64_t root, dir;

    vtd_test_init(t, m->dsa->qts, true, TABLES_AT, TABLES_SIZE);
    root = vtd_test_page(t);
    vtd_test_map_first(t, root, 4, c->page_level, CONTROL_AT, CONTROL_AT,
                       2 * MiB);
    vtd_test_map_first(t, root, 4, c->page_level, SOURCE_AT, SOURCE_AT,
                       32 * MiB);
    vtd_test_map_first(t, root, 4, c->page_level, TARGET_AT, TARGET_AT,
                       32 * MiB);
    /* DTE and PASIDE (VT-d 9.4) */
    dir = vtd_test_scalable_context(t, DSA_SID, 0, 0, 1 << 2 | 1 << 3);
    vtd_test_set_pasid(t, dir, PASID, VTD_TEST_FIRST, root, 4, 0, 0, DID);
    vtd_test_enable(t);
}

static void machine_start(Machine *m, const Config *c)
{
    g_autofree char *args = g_strdup_printf("-m %" PRIu64 "M %s "
                                            "-device siov-bench,addr=%d",
                                            MEMORY / MiB, c->iommu ?
                                            "-device intel-vtd" : "",
                                            BENCH_SLOT);
    m->dsa = dsa_test_start("", args);
    m->bench = qpci_device_find(m->dsa->bus, QPCI_DEVFN(BENCH_SLOT, 0));
    g_assert_nonnull(m->bench);
    qpci_device_enable(m->bench);
    m->bar = qpci_iomap(m->bench, 0, NULL);
    if (c->iommu) {
        enable_requests(m->dsa);
        build_tables(m, c);
    }
    dsa_test_one_wq(m->dsa, 64, DSA_TEST_WQ_DEDICATED | DSA_TEST_WQ_PRIO(10) |
                    (c->iommu ? DSA_TEST_WQ_PASID(PASID) : 0));
    /* Memory that nobody has touched yet is not there on the host either */
    qtest_memset(m->dsa->qts, SOURCE_AT, 0x5a, 32 * MiB);
    qtest_memset(m->dsa->qts, TARGET_AT, 0xa5, 32 * MiB);
}

static void machine_stop(Machine *m)
{
    g_free(m->bench);
    dsa_test_stop(m->dsa);
}

static void put(Machine *m, unsigned reg, uint64_t value)
{
    qpci_io_writeq(m->bench, m->bar, reg, value);
}

static void lay_out(Machine *m, const Case *k)
{
    for (unsigned i = 0; i < k->depth; i++) {
        DSATestDesc d = {
            .opcode = DSA_TEST_MEMMOVE,
            .flags = DSA_TEST_CRAV | DSA_TEST_RCR,
            .cr = RECORDS_AT + i * DSA_TEST_CR_SIZE,
            .addr1 = SOURCE_AT + i * k->length,
            .addr2 = TARGET_AT + i * k->length,
            .size = k->length,
        };
        uint8_t raw[64];

        dsa_test_desc(&d, raw);
        qtest_memwrite(m->dsa->qts, CONTROL_AT + i * sizeof(raw), raw,
                       sizeof(raw));
    }
}

static double run(Machine *m, const Case *k, unsigned operation)
{
    uint64_t copies = (uint64_t)k->accesses * k->depth;

    put(m, REG_OPERATION, operation);
    put(m, REG_ACCESSES, operation == OPERATION_MEMCPY ? copies : k->accesses);
    put(m, REG_RUN, 1);
    while (qpci_io_readq(m->bench, m->bar, REG_RUN)) {
        g_usleep(1000);
    }
    if (qpci_io_readq(m->bench, m->bar, REG_ERRORS)) {
        g_printerr("%s: not every copy succeeded; the first record has status "
                   "0x%x\n", k->name, qtest_readb(m->dsa->qts, RECORDS_AT));
        exit(1);
    }
    return (double)qpci_io_readq(m->bench, m->bar, REG_NS) / copies;
}

/* Processor and accelerator take turns in one process */
static void run_case(Machine *m, unsigned config, unsigned index,
                     unsigned runs)
{
    g_autofree double *host = g_new(double, runs);
    g_autofree double *dsa = g_new(double, runs);
    const Case *k = &cases[index];

    lay_out(m, k);
    put(m, REG_LENGTH, k->length);
    put(m, REG_COUNT, k->depth);
    put(m, REG_SOURCE, SOURCE_AT);
    put(m, REG_TARGET, TARGET_AT);
    /* The unlimited portal of queue 0 */
    put(m, REG_PORTAL, m->dsa->portals.addr);
    put(m, REG_DESCRIPTORS, CONTROL_AT);
    put(m, REG_RECORDS, RECORDS_AT);
    run(m, k, OPERATION_SUBMIT);            /* warm up */
    for (unsigned i = 0; i < runs; i++) {
        host[i] = run(m, k, OPERATION_MEMCPY);
        dsa[i] = run(m, k, OPERATION_SUBMIT);
    }
    memcpy_ns[config][index] = bench_median(host, runs);
    dsa_ns[config][index] = bench_median(dsa, runs);
}

static void print_row(FILE *csv, const char *name, const char *unit,
                      const char *mode, double ns, double host, bool first)
{
    printf("%-24s %-12s %-12s %12.0f %9.0f %%\n", first ? name : "", unit,
           mode, ns, 100 * host / ns);
    if (csv) {
        fprintf(csv, "\"%s\",%s,%s,%.1f,%.3f\n", name, unit, mode, ns,
                host / ns);
    }
}

static void print_table(FILE *csv)
{
    printf("%-24s %-12s %-12s %12s %11s\n", "MEMMOVE", "unit", "mode",
           "ns/copy", "of memcpy");
    for (unsigned k = 0; k < ARRAY_SIZE(cases); k++) {
        for (unsigned i = 0; i < ARRAY_SIZE(configs); i++) {
            print_row(csv, cases[k].name, "host memcpy", configs[i].mode,
                      memcpy_ns[i][k], memcpy_ns[i][k], !i);
            print_row(csv, cases[k].name, configs[i].unit, configs[i].mode,
                      dsa_ns[i][k], memcpy_ns[i][k], false);
        }
    }
}

int main(int argc, char **argv)
{
    BenchOptions options = bench_options(argc, argv);
    FILE *csv = bench_csv(&options, "case,unit,mode,ns,of_memcpy");

    for (unsigned i = 0; i < ARRAY_SIZE(configs); i++) {
        Machine m;

        g_printerr("measuring %s, %s\n", configs[i].unit, configs[i].mode);
        machine_start(&m, &configs[i]);
        for (unsigned k = 0; k < ARRAY_SIZE(cases); k++) {
            run_case(&m, i, k, options.runs);
        }
        machine_stop(&m);
    }
    print_table(csv);
    if (csv) {
        fclose(csv);
    }
    return 0;
}
