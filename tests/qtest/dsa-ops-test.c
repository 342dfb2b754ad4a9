/*
 * intel-dsa: operations end to end, without an IOMMU: data, completion
 * records, errors, batches, drains, resets under load.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/pci/pci_regs.h"
#include "dsa-test-lib.h"
#include "migrate-lib.h"

#define MB (1024 * 1024)
#define CR 0x100000ULL          /* completion records */
#define LIST 0x180000ULL        /* batch lists */
#define A 0x1000000ULL
#define B 0x2000000ULL
#define C 0x3000000ULL
#define NOWHERE 0x4000000000ULL /* no memory there */

#define REC (DSA_TEST_CRAV | DSA_TEST_RCR)

typedef struct Fixture {
    DSATest *t;
} Fixture;

static void setup(Fixture *f, const void *props)
{
    f->t = dsa_test_start(props ? props : "", "-m 128");
    dsa_test_one_wq(f->t, 64, 0);
}

static void teardown(Fixture *f, const void *unused)
{
    dsa_test_stop(f->t);
}

typedef struct Record {
    uint8_t status, result, info;
    uint32_t done;
    uint64_t addr, op;
} Record;

static Record get_record(DSATest *t, uint64_t at)
{
    uint8_t raw[32];

    qtest_memread(t->qts, at, raw, 32);
    return (Record) { raw[0], raw[1], raw[2], ldl_le_p(raw + 4),
                      ldq_le_p(raw + 8), ldq_le_p(raw + 16) };
}

static Record finish(DSATest *t, const DSATestDesc *d)
{
    uint64_t at = d->cr & ~31ULL;

    dsa_test_clear_cr(t, at);
    g_assert_cmpint(dsa_test_submit(t, 0, d), ==, QTEST_DMWR_ACCEPTED);
    dsa_test_wait_cr(t, at);
    return get_record(t, at);
}

static DSATestDesc desc(uint8_t opcode, uint64_t a, uint64_t b, uint32_t size)
{
    return (DSATestDesc) { .opcode = opcode, .flags = REC, .cr = CR,
                           .addr1 = a, .addr2 = b, .size = size };
}

static void test_memmove(Fixture *f, const void *unused)
{
    static const uint32_t sizes[] = { 1, 63, 4096, 4097, 100000, 5 * MB + 3 };
    DSATest *t = f->t;
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(sizes); i++) {
        uint32_t n = sizes[i];
        g_autofree uint8_t *data = dsa_test_put_random(t, A + 5, n);
        DSATestDesc d = desc(DSA_TEST_MEMMOVE, A + 5, B + 9, n);
        Record r = finish(t, &d);

        g_assert_cmphex(r.status, ==, 1);
        g_assert_cmphex(r.result, ==, 0);
        dsa_test_expect_bytes(t, B + 9, data, n);
        /* Overlapping, towards higher addresses */
        d = desc(DSA_TEST_MEMMOVE, B + 9, B + 10, n);
        g_assert_cmphex(finish(t, &d).status, ==, 1);
        dsa_test_expect_bytes(t, B + 10, data, n);
    }
}

/* Copies that run into nothing: from below, and from the end */
static void test_partial(Fixture *f, const void *unused)
{
    DSATest *t = f->t;
    uint64_t end = 128 * MB;
    g_autofree uint8_t *data = dsa_test_put_random(t, end - 8192, 8192);
    DSATestDesc d = desc(DSA_TEST_MEMMOVE, end - 8192, B, 3 * 4096);
    Record r = finish(t, &d);

    g_assert_cmphex(r.status, ==, 0x03);
    g_assert_cmphex(r.result, ==, 0);
    g_assert_cmpuint(r.done, ==, 8192);
    g_assert_cmphex(r.addr, ==, end);
    dsa_test_expect_bytes(t, B, data, 8192);

    /* The fault is the write's */
    d = desc(DSA_TEST_MEMMOVE, A, end - 4096, 8192);
    r = finish(t, &d);
    g_assert_cmphex(r.status, ==, 0x83);
    g_assert_cmpuint(r.done, ==, 4096);
    g_assert_cmphex(r.addr, ==, end);

    /* Backward: the last byte is written first */
    d = desc(DSA_TEST_MEMMOVE, end - 8192, end - 4096, 8192);
    r = finish(t, &d);
    g_assert_cmphex(r.status, ==, 0x83);
    g_assert_cmphex(r.result, ==, 1);
    g_assert_cmpuint(r.done, ==, 0);
    g_assert_cmphex(r.addr, ==, end + 4095);
}

static void test_fill_compare(Fixture *f, const void *unused)
{
    DSATest *t = f->t;
    DSATestDesc d = desc(DSA_TEST_FILL, 0x8877665544332211, B + 3, 10001);
    g_autofree uint8_t *want = g_malloc(10003);
    unsigned i;
    Record r;

    qtest_memset(t->qts, B, 0, 16384);
    for (i = 0; i < 10001; i++) {
        want[i] = 0x11 * (i % 8 + 1);
    }
    want[10001] = want[10002] = 0;
    g_assert_cmphex(finish(t, &d).status, ==, 1);
    dsa_test_expect_bytes(t, B + 3, want, 10003);
    g_assert_cmphex(qtest_readb(t->qts, B + 2), ==, 0);

    d = desc(DSA_TEST_COMPVAL, B + 3, 0x8877665544332211, 10001);
    r = finish(t, &d);
    g_assert_cmphex(r.status, ==, 1);
    g_assert_cmphex(r.result, ==, 0);
    d.size++;
    r = finish(t, &d);
    g_assert_cmphex(r.status, ==, 1);
    g_assert_cmphex(r.result, ==, 1);
    g_assert_cmpuint(r.done, ==, 10001);
    /* Check Result */
    d.flags |= 1 << 7;
    g_assert_cmphex(finish(t, &d).status, ==, 2);
    d.op[0] = 1;
    g_assert_cmphex(finish(t, &d).status, ==, 1);

    d = desc(DSA_TEST_MEMMOVE, B, C, 16384);
    g_assert_cmphex(finish(t, &d).status, ==, 1);
    d = desc(DSA_TEST_COMPARE, B, C, 16384);
    g_assert_cmphex(finish(t, &d).result, ==, 0);
    qtest_writeb(t->qts, C + 12345, 0xee);
    r = finish(t, &d);
    g_assert_cmphex(r.result, ==, 1);
    g_assert_cmpuint(r.done, ==, 12345);
}

static void test_dualcast_crc(Fixture *f, const void *unused)
{
    DSATest *t = f->t;
    g_autofree uint8_t *data = dsa_test_put_random(t, A, 3 * MB);
    DSATestDesc d = desc(DSA_TEST_DUALCAST, A, B, 3 * MB);
    Record r;

    d.op[0] = C;
    g_assert_cmphex(finish(t, &d).status, ==, 1);
    dsa_test_expect_bytes(t, B, data, 3 * MB);
    dsa_test_expect_bytes(t, C, data, 3 * MB);

    qtest_memwrite(t->qts, A, "123456789", 9);
    d = desc(DSA_TEST_CRCGEN, A, 0, 9);
    r = finish(t, &d);
    g_assert_cmphex(r.status, ==, 1);
    g_assert_cmphex(r.op, ==, 0xe3069283);
    d = desc(DSA_TEST_COPY_CRC, A, B, 9);
    r = finish(t, &d);
    g_assert_cmphex(r.op, ==, 0xe3069283);
    dsa_test_expect_bytes(t, B, (const uint8_t *)"123456789", 9);
    /* In two parts, the second with a seed from the first one's record */
    d = desc(DSA_TEST_CRCGEN, A, 0, 4);
    finish(t, &d);
    d = desc(DSA_TEST_CRCGEN, A + 4, 0, 5);
    d.cr = CR + 32;
    d.flags |= 1 << 16;
    d.op[1] = CR + 16;
    g_assert_cmphex(finish(t, &d).op, ==, 0xe3069283);
}

static void test_simple(Fixture *f, const void *unused)
{
    DSATest *t = f->t;
    DSATestDesc d = desc(DSA_TEST_NOOP, 0, 0, 0);

    g_assert_cmphex(finish(t, &d).status, ==, 1);
    d = desc(DSA_TEST_CFLUSH, 0, A, 3 * MB);
    g_assert_cmphex(finish(t, &d).status, ==, 1);
    d = desc(DSA_TEST_DRAIN, 0, 0, 0);
    g_assert_cmphex(finish(t, &d).status, ==, 1);
    /* Success without Request Completion Record leaves no record */
    dsa_test_clear_cr(t, CR);
    d = desc(DSA_TEST_NOOP, 0, 0, 0);
    d.flags = DSA_TEST_CRAV;
    dsa_test_submit(t, 0, &d);
    d = desc(DSA_TEST_DRAIN, 0, 0, 0);
    d.cr = CR + 64;
    g_assert_cmphex(finish(t, &d).status, ==, 1);
    g_assert_cmphex(qtest_readb(t->qts, CR), ==, 0);
}

/* Errors that the record carries */
static void test_errors(Fixture *f, const void *unused)
{
    static const struct {
        DSATestDesc d;
        uint8_t status;
        uint32_t flags;
    } cases[] = {
        { { .opcode = 0x1f }, 0x10 },
        { { .opcode = DSA_TEST_NOOP, .addr1 = 8 }, 0x12 },
        { { .opcode = DSA_TEST_NOOP, .flags = 1 << 6 }, 0x11, 1 << 6 },
        { { .opcode = DSA_TEST_NOOP, .flags = 1 << 0 }, 0x11, 1 << 0 },
        { { .opcode = DSA_TEST_MEMMOVE, .addr1 = A, .addr2 = B }, 0x13 },
        { { .opcode = DSA_TEST_MEMMOVE, .addr1 = A, .addr2 = B,
            .size = 0x80000001 }, 0x13 },
        { { .opcode = DSA_TEST_BATCH, .addr1 = LIST, .size = 1 }, 0x14 },
        { { .opcode = DSA_TEST_BATCH, .addr1 = LIST, .size = 1025 }, 0x14 },
        { { .opcode = DSA_TEST_BATCH, .addr1 = LIST + 32, .size = 2 }, 0x18 },
        { { .opcode = DSA_TEST_DUALCAST, .addr1 = A, .addr2 = B, .size = 8,
            .op = { C + 8 } }, 0x17 },
        { { .opcode = DSA_TEST_DUALCAST, .addr1 = A, .addr2 = B, .size = 8,
            .op = { B } }, 0x16 },
        { { .opcode = DSA_TEST_COPY_CRC, .addr1 = A, .addr2 = A + 7,
            .size = 8 }, 0x16 },
        { { .opcode = DSA_TEST_NOOP, .flags = DSA_TEST_RCI,
            .int_handle = 4000 }, 0x19 },
        { { .opcode = DSA_TEST_BATCH, .addr1 = NOWHERE, .size = 2 }, 0x06 },
        { { .opcode = DSA_TEST_FILL, .addr2 = NOWHERE, .size = 8 }, 0x83 },
        { { .opcode = DSA_TEST_COMPVAL, .addr1 = NOWHERE, .size = 8 }, 0x03 },
        { { .opcode = DSA_TEST_MEMMOVE, .addr1 = A, .addr2 = -4, .size = 8 },
          0x83 },
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        DSATestDesc d = cases[i].d;
        Record r;

        d.flags |= DSA_TEST_CRAV;   /* errors need no request */
        d.cr = CR;
        r = finish(f->t, &d);
        g_assert_cmphex(r.status, ==, cases[i].status);
        if (r.status == 0x11) {
            g_assert_cmphex(r.op, ==, cases[i].flags);
        }
    }
}

static void wait_swerr(DSATest *t, uint8_t error, uint64_t addr)
{
    uint64_t q0 = 0;
    unsigned i;

    for (i = 0; i < 30000 && !(q0 & 1); i++) {
        q0 = dsa_test_read64(t, DSA_TEST_SWERR);
        g_usleep(1000);
    }
    g_assert_cmphex(q0 & 0xf, ==, 0xd);
    g_assert_cmphex(q0 >> 8 & 0xff, ==, error);
    g_assert_cmphex(dsa_test_read64(t, DSA_TEST_SWERR + 16), ==, addr);
    dsa_test_write64(t, DSA_TEST_SWERR, 3);
    g_assert_cmphex(dsa_test_read64(t, DSA_TEST_SWERR) & 1, ==, 0);
}

/* Errors that go to SWERR */
static void test_swerr(Fixture *f, const void *unused)
{
    DSATest *t = f->t;
    DSATestDesc d = desc(DSA_TEST_NOOP, 0, 0, 0);

    d.cr = CR + 16;
    dsa_test_submit(t, 0, &d);
    wait_swerr(t, 0x1b, 0);
    d.cr = NOWHERE;
    dsa_test_submit(t, 0, &d);
    wait_swerr(t, 0x1a, NOWHERE);
    d = desc(0x1f, 0, 0, 0);
    d.flags = 0;
    dsa_test_submit(t, 0, &d);
    wait_swerr(t, 0x10, 0);
    d = desc(DSA_TEST_FILL, 0, NOWHERE, 8);
    d.flags = 0;
    dsa_test_submit(t, 0, &d);
    wait_swerr(t, 0x03, NOWHERE);
    d = desc(DSA_TEST_NOOP, 0, 0, 0);
    d.flags = DSA_TEST_RCR;
    dsa_test_submit(t, 0, &d);
    wait_swerr(t, 0x11, 0);
}

static void put_child(DSATest *t, unsigned i, const DSATestDesc *d)
{
    uint8_t raw[64];

    dsa_test_desc(d, raw);
    qtest_memwrite(t->qts, LIST + i * 64, raw, 64);
}

static void test_batch(Fixture *f, const void *unused)
{
    DSATest *t = f->t;
    g_autofree uint8_t *data = dsa_test_put_random(t, A, 1024 * 64);
    DSATestDesc d;
    unsigned i;
    Record r;

    /* Records over the children's own descriptors, as DPDK has them */
    for (i = 0; i < 1024; i++) {
        d = desc(DSA_TEST_MEMMOVE, A + i * 64, B + i * 64, 64);
        d.cr = LIST + i * 64;
        d.flags = i % 2 ? REC : DSA_TEST_CRAV;
        put_child(t, i, &d);
    }
    d = desc(DSA_TEST_BATCH, LIST, 0, 1024);
    r = finish(t, &d);
    g_assert_cmphex(r.status, ==, 1);
    g_assert_cmphex(r.result, ==, 0);
    g_assert_cmpuint(r.done, ==, 1024);
    dsa_test_expect_bytes(t, B, data, 1024 * 64);
    for (i = 0; i < 1024; i++) {
        r = get_record(t, LIST + i * 64);
        g_assert_cmphex(r.status, ==, i % 2);
    }
}

static void test_batch_errors(Fixture *f, const void *unused)
{
    DSATest *t = f->t;
    DSATestDesc d, ok = desc(DSA_TEST_FILL, 0x77, B, 8);
    unsigned i;
    Record r;

    for (i = 0; i < 8; i++) {
        ok.cr = CR + 0x1000 + i * 32;
        dsa_test_clear_cr(t, ok.cr);
        put_child(t, i, &ok);
    }
    /* 2: a drain may not be in a batch; 3: faults; 6: fenced off */
    d = desc(DSA_TEST_DRAIN, 0, 0, 0);
    d.cr = CR + 0x1000 + 2 * 32;
    put_child(t, 2, &d);
    d = desc(DSA_TEST_FILL, 0, NOWHERE, 8);
    d.cr = CR + 0x1000 + 3 * 32;
    put_child(t, 3, &d);
    ok.cr = CR + 0x1000 + 6 * 32;
    ok.flags |= DSA_TEST_FENCE;
    put_child(t, 6, &ok);
    d = desc(DSA_TEST_BATCH, LIST, 0, 8);
    r = finish(t, &d);
    g_assert_cmphex(r.status, ==, 5);
    g_assert_cmphex(r.result, ==, 1);
    g_assert_cmpuint(r.done, ==, 6);
    for (i = 0; i < 8; i++) {
        static const uint8_t want[8] = { 1, 1, 0x10, 0x83, 1, 1, 0, 0 };

        r = get_record(t, CR + 0x1000 + i * 32);
        g_assert_cmphex(r.status, ==, want[i]);
    }
    /* A batch in a batch; an error of a child without record goes to SWERR */
    d = desc(DSA_TEST_BATCH, LIST, 0, 2);
    d.flags = 0;
    put_child(t, 0, &d);
    d = desc(DSA_TEST_BATCH, LIST, 0, 2);
    g_assert_cmphex(finish(t, &d).status, ==, 5);
    g_assert_cmphex(dsa_test_read64(t, DSA_TEST_SWERR) & 0x1f, ==, 0x1d);
    g_assert_cmphex(dsa_test_read64(t, DSA_TEST_SWERR) >> 8 & 0xff, ==, 0x10);
}

/* A drain's record comes after those of all descriptors before it */
static void test_drain(Fixture *f, const void *unused)
{
    DSATest *t = f->t;
    unsigned round, i;

    for (round = 0; round < 10; round++) {
        DSATestDesc d;

        for (i = 0; i < 20; i++) {
            d = desc(DSA_TEST_MEMMOVE, A, B + i * MB / 2, MB / 2);
            d.cr = CR + 32 + i * 32;
            dsa_test_clear_cr(t, d.cr);
            dsa_test_submit(t, 0, &d);
        }
        d = desc(DSA_TEST_DRAIN, 0, 0, 0);
        g_assert_cmphex(finish(t, &d).status, ==, 1);
        for (i = 0; i < 20; i++) {
            g_assert_cmphex(qtest_readb(t->qts, CR + 32 + i * 32), ==, 1);
        }
    }
}

static void test_interrupt(Fixture *f, const void *unused)
{
    DSATest *t = f->t;
    DSATestDesc d = desc(DSA_TEST_MEMMOVE, A, B, 4096);

    dsa_test_msix(t, 1, CR + 0x2000, 0xabcd);
    qtest_writel(t->qts, CR + 0x2000, 0);
    d.flags |= DSA_TEST_RCI;
    d.int_handle = 1;
    dsa_test_clear_cr(t, CR);
    dsa_test_submit(t, 0, &d);
    dsa_test_wait_u32(t, CR + 0x2000, 0xabcd);
    g_assert_cmphex(qtest_readb(t->qts, CR), ==, 1);
}

/* Copies with the records @from up to @to */
static void load_from(DSATest *t, unsigned from, unsigned to)
{
    unsigned i;

    for (i = from; i < to; i++) {
        DSATestDesc d = desc(DSA_TEST_MEMMOVE, A, B, 16 * MB);

        d.cr = CR + i * 32;
        dsa_test_submit(t, 0, &d);
    }
}

static void load(DSATest *t, unsigned n)
{
    load_from(t, 0, n);
}

/* After an abort or reset nothing is written any more */
static void check_silent(DSATest *t)
{
    enum { SAMPLE = 4096 };
    uint8_t want[SAMPLE];
    unsigned i;

    qtest_memset(t->qts, B, 0x5a, 16 * MB);
    qtest_memset(t->qts, CR, 0, 64 * 32);
    g_usleep(20000);
    memset(want, 0x5a, SAMPLE);
    for (i = 0; i < 16 * MB; i += MB / 8) {
        dsa_test_expect_bytes(t, B + i, want, SAMPLE);
    }
    memset(want, 0, 64 * 32);
    dsa_test_expect_bytes(t, CR, want, 64 * 32);
}

static void test_abort(Fixture *f, const void *unused)
{
    DSATest *t = f->t;
    uint16_t cmd = qpci_config_readw(t->dev, PCI_COMMAND);
    DSATestDesc d;

    qtest_memset(t->qts, A, 0x11, 16 * MB);
    load(t, 40);
    dsa_test_cmd_ok(t, DSA_TEST_ABORT_WQ, 1);
    check_silent(t);
    load(t, 40);
    dsa_test_cmd_ok(t, DSA_TEST_RESET_DEV, 0);
    check_silent(t);
    dsa_test_one_wq(t, 64, 0);
    load(t, 40);
    dsa_test_flr(t);
    check_silent(t);
    dsa_test_one_wq(t, 64, 0);
    load(t, 40);
    qpci_config_writew(t->dev, PCI_COMMAND, cmd & ~PCI_COMMAND_MASTER);
    check_silent(t);
    dsa_test_flr(t);
    dsa_test_one_wq(t, 64, 0);
    d = desc(DSA_TEST_NOOP, 0, 0, 0);
    g_assert_cmphex(finish(t, &d).status, ==, 1);
}

/* A disable waits for what is in flight */
static void test_disable(Fixture *f, const void *unused)
{
    DSATest *t = f->t;
    unsigned i;

    qtest_memset(t->qts, CR, 0, 64 * 32);
    load(t, 10);
    dsa_test_cmd_ok(t, DSA_TEST_DISABLE_WQ, 1);
    for (i = 0; i < 10; i++) {
        g_assert_cmphex(qtest_readb(t->qts, CR + i * 32), ==, 1);
    }
}

/* Anything goes, as long as the device answers afterwards */
static void test_noise(Fixture *f, const void *unused)
{
    DSATest *t = f->t;
    DSATestDesc d;
    uint8_t raw[64];
    unsigned i, k;

    for (i = 0; i < 2000; i++) {
        for (k = 0; k < 64; k++) {
            raw[k] = g_test_rand_int();
        }
        if (i % 4) {        /* closer to legal */
            stl_le_p(raw, 0);
            stl_le_p(raw + 4, (g_test_rand_int() & 0x1f) | (i % 7) << 24);
            stq_le_p(raw + 8, g_test_rand_int() % (64 * MB) & ~31);
            stq_le_p(raw + 16, g_test_rand_int() & ~63);
            stq_le_p(raw + 24, g_test_rand_int());
            stl_le_p(raw + 32, g_test_rand_int() % 5000);
            memset(raw + 36, 0, 28);
        }
        dsa_test_submit_raw(t, 0, 0, false, raw);
    }
    d = desc(DSA_TEST_DRAIN, 0, 0, 0);
    for (i = 0; ; i++) {
        /* The queue may be full of noise still */
        g_assert_cmpuint(i, <, 3000);
        dsa_test_clear_cr(t, CR);
        dsa_test_submit(t, 0, &d);
        g_usleep(10000);
        if (qtest_readb(t->qts, CR)) {
            break;
        }
    }
    dsa_test_cmd_ok(t, DSA_TEST_DISABLE_WQ, 1);
}

/* Copies that are under way go on after migration */
static void test_migrate(void)
{
    g_autofree char *args = dsa_test_args("", "-m 128");
    g_autofree char *file = NULL, *in = NULL;
    DSATest *t = dsa_test_start("", "-m 128");
    QTestState *qts;
    unsigned i;

    dsa_test_one_wq(t, 64, 0);
    qtest_memset(t->qts, CR, 0, 64 * 32);
    qtest_memset(t->qts, A, 0x23, 16 * MB);
    load(t, 30);
    qtest_qmp_assert_success(t->qts, "{ 'execute': 'stop' }");
    load_from(t, 30, 60);
    file = migrate_to_file(t->qts);
    /* The source has some left to do, or the test shows nothing */
    g_assert_cmphex(qtest_readb(t->qts, CR + 59 * 32), ==, 0);

    in = g_strdup_printf("%s -incoming file:%s", args, file);
    qts = qtest_init(in);
    migrate_wait(qts);
    qtest_qmp_assert_success(qts, "{ 'execute': 'cont' }");
    for (i = 0; i < 60; i++) {
        unsigned steps = 0;

        while (qtest_readb(qts, CR + i * 32) != 1) {
            g_usleep(1000);
            g_assert_cmpuint(++steps, <, 30000);
        }
    }
    g_assert_cmphex(qtest_readb(qts, B + 16 * MB - 1), ==, 0x23);
    qtest_quit(qts);
    dsa_test_stop(t);
    unlink(file);
}

static void add(const char *name, void (*fn)(Fixture *f, const void *unused))
{
    g_autofree char *path = g_strdup_printf("dsa/ops/%s", name);
    g_autofree char *full = g_strdup_printf("/%s/%s", qtest_get_arch(), path);

    g_test_add(full, Fixture, NULL, setup, fn, teardown);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("memmove", test_memmove);
    add("partial", test_partial);
    add("fill-compare", test_fill_compare);
    add("dualcast-crc", test_dualcast_crc);
    add("simple", test_simple);
    add("errors", test_errors);
    add("swerr", test_swerr);
    add("batch", test_batch);
    add("batch-errors", test_batch_errors);
    add("drain", test_drain);
    add("interrupt", test_interrupt);
    add("abort", test_abort);
    add("disable", test_disable);
    add("noise", test_noise);
    qtest_add_func("dsa/ops/migrate", test_migrate);
    return g_test_run();
}
