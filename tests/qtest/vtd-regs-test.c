/*
 * intel-vtd: the register file, and which properties go together
 *
 * The expectations are the specification's (VT-d 11.4), not the device's own
 * table.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "refusal-lib.h"
#include "vtd-test-lib.h"

#define WINDOW      0x10000
#define REGISTERS   0x1000
#define MACHINE     "-machine q35 -m 64 -nodefaults -device intel-vtd"

#define BITS(hi, lo) MAKE_64BIT_MASK(lo, (hi) - (lo) + 1)

/*
 * Capabilities of plain "-device intel-vtd": what a scalable-mode guest needs
 * and no more. IRO, FRO and NFR are where this unit has its registers.
 */
#define CAP_DEFAULT \
    (6ULL                       /* ND: 64 Ki domains */ | \
     6ULL << 8                  /* SAGAW: 3 and 4 levels */ | \
     47ULL << 16                /* MGAW */ | \
     1ULL << 22                 /* ZLR */ | \
     0x60ULL << 24              /* FRO */ | \
     3ULL << 34                 /* SSLPS: 2 MiB, 1 GiB */ | \
     1ULL << 39                 /* PSI */ | \
     7ULL << 40                 /* NFR */ | \
     45ULL << 48                /* MAMV */ | \
     3ULL << 54                 /* DWD, DRD */ | \
     1ULL << 56                 /* FS1GP */ | \
     1ULL << 60                 /* FS5LP */ | \
     3ULL << 62                 /* ESIRTPS, ESRTPS */)
#define ECAP_DEFAULT \
    (0x1fULL                    /* C, QI, DT, IR, EIM */ | \
     3ULL << 6                  /* PT, SC */ | \
     0xf0ULL << 8               /* IRO */ | \
     15ULL << 20                /* MHMV */ | \
     1ULL << 26                 /* NEST */ | \
     1ULL << 29                 /* PRS */ | \
     1ULL << 31                 /* SRS */ | \
     3ULL << 33                 /* NWFS, EAFS */ | \
     19ULL << 35                /* PSS: 20 bits */ | \
     1ULL << 40                 /* PASID */ | \
     3ULL << 42                 /* PDS, SMTS */ | \
     0x1fULL << 45              /* SSADS, SSTS, FSTS, SMPWC, RPS */)

typedef struct Reg {
    unsigned offset, size;
    uint64_t reset, writable;
} Reg;

/*
 * Registers with a side effect when written alone (GCMD, the tails of the
 * queues while they are off) are safe here: nothing is enabled.
 */
static const Reg registers[] = {
    { 0x000, 4, 0x60, 0 },                              /* VER 6:0 */
    { 0x008, 8, CAP_DEFAULT, 0 },
    { 0x010, 8, ECAP_DEFAULT, 0 },
    { 0x01c, 4, 0, 0 },                                 /* GSTS */
    { 0x020, 8, 0, BITS(51, 10) },                      /* RTADDR */
    { 0x028, 8, 0, BITS(62, 61) | BITS(33, 0) },        /* CCMD, no ICC */
    { 0x034, 4, 0, 0 },                                 /* FSTS */
    { 0x038, 4, 1u << 31, 1u << 31 },                   /* FECTL */
    { 0x03c, 4, 0, BITS(15, 0) },
    { 0x040, 4, 0, BITS(31, 2) },
    { 0x044, 4, 0, BITS(31, 0) },
    { 0x080, 8, 0, 0 },                                 /* IQH */
    { 0x088, 8, 0, BITS(18, 4) },                       /* IQT */
    { 0x090, 8, 0, BITS(51, 11) | BITS(2, 0) },         /* IQA */
    { 0x09c, 4, 0, 0 },                                 /* ICS */
    { 0x0a0, 4, 1u << 31, 1u << 31 },                   /* IECTL */
    { 0x0a4, 4, 0, BITS(15, 0) },
    { 0x0a8, 4, 0, BITS(31, 2) },
    { 0x0ac, 4, 0, BITS(31, 0) },
    { 0x0b0, 8, 0, 0 },                                 /* IQERCD */
    { 0x0b8, 8, 0, BITS(51, 11) | BITS(3, 0) },         /* IRTA */
    { 0x0c0, 8, 0, BITS(18, 5) },                       /* PQH */
    { 0x0c8, 8, 0, BITS(18, 5) },                       /* PQT */
    { 0x0d0, 8, 0, BITS(51, 12) | BITS(2, 0) },         /* PQA */
    { 0x0dc, 4, 0, 0 },                                 /* PRS */
    { 0x0e0, 4, 1u << 31, 1u << 31 },                   /* PECTL */
    { 0x0e4, 4, 0, BITS(15, 0) },
    { 0x0e8, 4, 0, BITS(31, 2) },
    { 0x0ec, 4, 0, BITS(31, 0) },
    { 0xf08, 8, 0, BITS(61, 60) | BITS(49, 32) },       /* IOTLB, no IVT */
};

/* Bits that start something, or that a sweep of ones must leave alone */
static uint64_t trigger(unsigned offset)
{
    switch (offset) {
    case 0x028:
    case 0xf08:
        return 1ULL << 63;
    case 0x018:
        return UINT64_MAX;
    default:
        return 0;
    }
}

static QTestState *start(VTDTest *t, const char *props)
{
    g_autofree char *args = g_strconcat(MACHINE, props, NULL);
    QTestState *qts = qtest_init(args);

    vtd_test_init(t, qts, true, 0x1000000, 0x1000000);
    return qts;
}

static const Reg *find(unsigned offset)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(registers); i++) {
        if (offset >= registers[i].offset &&
            offset < registers[i].offset + registers[i].size) {
            return &registers[i];
        }
    }
    return NULL;
}

static uint32_t part(const Reg *reg, uint64_t value, unsigned offset)
{
    return reg ? value >> (8 * (offset - reg->offset)) : 0;
}

static void check_reset(VTDTest *t)
{
    for (unsigned offset = 0; offset < WINDOW; offset += 4) {
        const Reg *reg = find(offset);

        g_assert_cmphex(vtd_test_readl(t, offset), ==,
                        part(reg, reg ? reg->reset : 0, offset));
    }
}

static void test_reset(void)
{
    VTDTest t;
    QTestState *qts = start(&t, "");

    check_reset(&t);
    for (unsigned i = 0; i < G_N_ELEMENTS(registers); i++) {
        if (registers[i].size == 8) {
            g_assert_cmphex(vtd_test_readq(&t, registers[i].offset), ==,
                            registers[i].reset);
        }
    }
    qtest_quit(qts);
}

/* Ones and zeros to every doubleword: only what may change does */
static void test_doublewords(void)
{
    VTDTest t;
    QTestState *qts = start(&t, "");

    for (unsigned offset = 0; offset < WINDOW; offset += 4) {
        const Reg *reg = find(offset);
        uint32_t mask = part(reg, reg ? reg->writable : 0, offset);
        uint32_t keep = part(reg, reg ? reg->reset & ~reg->writable : 0,
                             offset);
        uint32_t ones = ~(reg ? part(reg, trigger(reg->offset), offset) :
                          trigger(offset));

        vtd_test_writel(&t, offset, ones);
        g_assert_cmphex(vtd_test_readl(&t, offset), ==, keep | mask);
        vtd_test_writel(&t, offset, 0);
        g_assert_cmphex(vtd_test_readl(&t, offset), ==, keep);
    }
    qtest_quit(qts);
}

static void test_quadwords(void)
{
    VTDTest t;
    QTestState *qts = start(&t, "");

    for (unsigned i = 0; i < G_N_ELEMENTS(registers); i++) {
        const Reg *reg = &registers[i];
        uint64_t ones = ~trigger(reg->offset);

        if (reg->size == 8) {
            vtd_test_writeq(&t, reg->offset, ones);
            g_assert_cmphex(vtd_test_readq(&t, reg->offset), ==,
                            (reg->reset & ~reg->writable) | reg->writable);
            vtd_test_writeq(&t, reg->offset, 0);
            g_assert_cmphex(vtd_test_readq(&t, reg->offset), ==,
                            reg->reset & ~reg->writable);
        }
    }
    qtest_quit(qts);
}

/* A write of one half leaves the other half alone */
static void test_halves(void)
{
    VTDTest t;
    QTestState *qts = start(&t, "");

    vtd_test_writeq(&t, VTD_TEST_RTADDR, 0x0004567812345000ULL);
    vtd_test_writel(&t, VTD_TEST_RTADDR, 0x9abcd000);
    g_assert_cmphex(vtd_test_readq(&t, VTD_TEST_RTADDR), ==,
                    0x000456789abcd000ULL);
    vtd_test_writel(&t, VTD_TEST_RTADDR + 4, 0x00011111);
    g_assert_cmphex(vtd_test_readq(&t, VTD_TEST_RTADDR), ==,
                    0x000111119abcd000ULL);
    /* Two registers in one quadword */
    vtd_test_writeq(&t, 0x040, 0x1234567800001000ULL);
    g_assert_cmphex(vtd_test_readl(&t, 0x040), ==, 0x1000);
    g_assert_cmphex(vtd_test_readl(&t, 0x044), ==, 0x12345678);
    qtest_quit(qts);
}

static void test_system_reset(void)
{
    VTDTest t;
    QTestState *qts = start(&t, "");

    for (unsigned i = 0; i < G_N_ELEMENTS(registers); i++) {
        vtd_test_writel(&t, registers[i].offset,
                        part(&registers[i], registers[i].writable,
                             registers[i].offset));
    }
    vtd_test_enable(&t);
    vtd_test_command(&t, VTD_TEST_GCMD_SIRTP, true);
    vtd_test_command(&t, VTD_TEST_GCMD_IRE, true);
    qtest_system_reset(qts);
    check_reset(&t);
    qtest_quit(qts);
}

/* --- capabilities by property ------------------------------------------- */

typedef struct Caps {
    const char *props;
    uint64_t cap_clear, cap_set, ecap_clear, ecap_set;
} Caps;

#define SM_ECAP (BITS(49, 42) | BITS(40, 33) | 1ULL << 31 | 1ULL << 29 | \
                 1ULL << 26)

static const Caps capabilities[] = {
    { ",aw-bits=39", BITS(21, 16) | 4ULL << 8, 38ULL << 16, 0, 0 },
    { ",aw-bits=57", BITS(21, 16), 56ULL << 16 | 8ULL << 8, 0, 0 },
    { ",scalable-mode=off", 1ULL << 60 | 1ULL << 56, 0, SM_ECAP, 0 },
    { ",dma-translation=off", 1ULL << 60 | 1ULL << 56 | BITS(12, 8), 0,
      SM_ECAP, 0 },
    { ",intremap=off", 1ULL << 62, 0, BITS(23, 20) | BITS(4, 3), 0 },
    { ",eim=off", 0, 0, 1ULL << 4, 0 },
    { ",device-iotlb=off", 0, 0, 1ULL << 2 | 1ULL << 29 | 1ULL << 33 |
      1ULL << 42, 0 },
    { ",caching-mode=on", 0, 1ULL << 7, 0, 0 },
    { ",fsts=off", 1ULL << 60 | 1ULL << 56, 0,
      1ULL << 47 | 1ULL << 26 | 1ULL << 29 | 1ULL << 31 | 3ULL << 33 |
      1ULL << 42, 0 },
    { ",ssts=off", 0, 0, 1ULL << 46 | 1ULL << 45 | 1ULL << 26, 0 },
    { ",nested=off", 0, 0, 1ULL << 26, 0 },
    { ",fs1gp=off", 1ULL << 56, 0, 0, 0 },
    { ",fs5lp=off", 1ULL << 60, 0, 0, 0 },
    { ",svm=off", 0, 0, 1ULL << 29 | 1ULL << 33 | 1ULL << 42, 0 },
    { ",supervisor=off", 0, 0, 1ULL << 31, 0 },
    { ",execute=on", 0, 0, 0, 1ULL << 30 },
    { ",ssads=off", 0, 0, 1ULL << 45, 0 },
    { ",eafs=off", 0, 0, 1ULL << 34, 0 },
    { ",snoop-control=off", 0, 0, 1ULL << 7, 0 },
    { ",pasid-bits=8", 0, 0, BITS(39, 35), 7ULL << 35 },
    { ",pasid-bits=0", 0, 0, BITS(40, 35) | 1ULL << 29 | 1ULL << 33 |
      1ULL << 42, 0 },
    { ",fault-records=1", BITS(47, 40), 0, 0, 0 },
    { ",fault-records=128", BITS(47, 40), 127ULL << 40, 0, 0 },
};

static void test_capabilities(gconstpointer opaque)
{
    const Caps *c = opaque;
    VTDTest t;
    QTestState *qts = start(&t, c->props);

    g_assert_cmphex(vtd_test_readq(&t, VTD_TEST_CAP), ==,
                    (CAP_DEFAULT & ~c->cap_clear) | c->cap_set);
    g_assert_cmphex(vtd_test_readq(&t, VTD_TEST_ECAP), ==,
                    (ECAP_DEFAULT & ~c->ecap_clear) | c->ecap_set);
    qtest_quit(qts);
}

/* Registers of features that are off */
static void test_absent(void)
{
    static const struct {
        const char *props;
        unsigned offset;
        uint64_t writable;
    } absent[] = {
        { ",eim=off", 0x044, 0 }, { ",eim=off", 0x0ac, 0 },
        { ",eim=off", 0x0ec, 0 },
        { ",eim=off", 0x0b8, BITS(51, 12) | BITS(3, 0) },
        { ",intremap=off", 0x0b8, 0 },
        { ",scalable-mode=off", 0x020, BITS(51, 12) },
        { ",scalable-mode=off", 0x090, BITS(51, 12) | BITS(2, 0) },
        { ",svm=off", 0x0c0, 0 }, { ",svm=off", 0x0c8, 0 },
        { ",svm=off", 0x0d0, 0 }, { ",svm=off", 0x0e0, 0 },
        { ",haw-bits=40", 0x020, BITS(39, 10) },
        { ",haw-bits=40", 0x0d0, BITS(39, 12) | BITS(2, 0) },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(absent); i++) {
        VTDTest t;
        QTestState *qts = start(&t, absent[i].props);

        vtd_test_writel(&t, absent[i].offset, UINT32_MAX);
        g_assert_cmphex(vtd_test_readl(&t, absent[i].offset), ==,
                        (uint32_t)absent[i].writable);
        vtd_test_writel(&t, absent[i].offset, 0);
        if (absent[i].writable) {
            vtd_test_writel(&t, absent[i].offset + 4, UINT32_MAX);
            g_assert_cmphex(vtd_test_readl(&t, absent[i].offset + 4), ==,
                            absent[i].writable >> 32);
        }
        qtest_quit(qts);
    }
}

/* --- properties that do not go together --------------------------------- */

static const struct {
    const char *props, *says;
} refused[] = {
    { "aw-bits=40", "aw-bits=40 is no width of a page table" },
    { "haw-bits=53", "haw-bits=53 is no physical address width" },
    { "fault-records=0", "fault-records=0 is out of range" },
    { "fault-records=129", "fault-records=129 is out of range" },
    { "pasid-bits=21", "pasid-bits=21 is more than PCI Express has" },
    { "scalable-mode=off,pasid-bits=16", "pasid-bits needs scalable-mode=on" },
    { "scalable-mode=off,fsts=on", "fsts=on needs scalable-mode=on" },
    { "scalable-mode=off,ssts=on", "ssts=on needs scalable-mode=on" },
    { "fsts=off,ssts=off", "scalable-mode=on needs fsts=on or ssts=on" },
    { "fsts=off,nested=on", "nested=on needs fsts=on and ssts=on" },
    { "fsts=off,fs5lp=on", "fs5lp=on needs fsts=on" },
    { "fsts=off,supervisor=on", "supervisor=on needs fsts=on" },
    { "fsts=off,eafs=on", "eafs=on needs fsts=on" },
    { "ssts=off,ssads=on", "ssads=on needs ssts=on" },
    { "device-iotlb=off,svm=on", "svm=on needs fsts=on, pasid-bits above 0" },
    { "pasid-bits=0,svm=on", "svm=on needs fsts=on, pasid-bits above 0" },
    { "intremap=off,eim=on", "eim=on needs intremap=on" },
    { "dma-translation=off,fsts=on", "fsts=on needs scalable-mode=on" },
};

static void test_refused(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autofree char *options = g_strdup_printf("-device intel-vtd,%s",
                                                   refused[i].props);
        g_autofree char *err = refusal_of(options);

        g_assert_nonnull(strstr(err, refused[i].says));
        /* One sentence */
        g_assert_true(strchr(err, '\n') == err + strlen(err) - 1);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("vtd/regs/reset", test_reset);
    qtest_add_func("vtd/regs/doublewords", test_doublewords);
    qtest_add_func("vtd/regs/quadwords", test_quadwords);
    qtest_add_func("vtd/regs/halves", test_halves);
    qtest_add_func("vtd/regs/system-reset", test_system_reset);
    qtest_add_func("vtd/regs/absent", test_absent);
    qtest_add_func("vtd/props/refused", test_refused);
    for (unsigned i = 0; i < G_N_ELEMENTS(capabilities); i++) {
        g_autofree char *path = g_strdup_printf("vtd/props/capabilities/%s",
                                                capabilities[i].props + 1);

        qtest_add_data_func(path, &capabilities[i], test_capabilities);
    }
    return g_test_run();
}
