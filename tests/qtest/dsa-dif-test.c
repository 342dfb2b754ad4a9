/*
 * intel-dsa: DIF and delta operations end to end, without an IOMMU: data,
 * completion records, errors, faults, batches.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "dsa-test-lib.h"

#define MB (1024 * 1024)
#define END (128 * MB)          /* of memory */
#define CR 0x100000ULL          /* completion records */
#define LIST 0x180000ULL        /* batch lists */
#define A 0x1000000ULL
#define B 0x2000000ULL
#define C 0x3000000ULL

#define REC (DSA_TEST_CRAV | DSA_TEST_RCR)
#define CHECK_RESULT (1u << 7)

enum {
    CREATE = 0x07, APPLY = 0x08,
    CHECK = 0x12, INSERT = 0x13, STRIP = 0x14, UPDATE = 0x15,
};

typedef struct Record {
    uint8_t status, result, info;
    uint32_t done;
    uint64_t addr, op[2];
} Record;

static void setup(DSATestFixture *f, const void *unused)
{
    f->t = dsa_test_start("", "-m 128");
    dsa_test_one_wq(f->t, 64, 0);
}

static Record get_record(DSATest *t, uint64_t at)
{
    uint8_t raw[32];

    qtest_memread(t->qts, at, raw, 32);
    return (Record) { raw[0], raw[1], raw[2], ldl_le_p(raw + 4),
                      ldq_le_p(raw + 8),
                      { ldq_le_p(raw + 16), ldq_le_p(raw + 24) } };
}

static Record finish(DSATest *t, const DSATestDesc *d)
{
    dsa_test_clear_cr(t, d->cr);
    g_assert_cmpint(dsa_test_submit(t, 0, d), ==, QTEST_DMWR_ACCEPTED);
    dsa_test_wait_cr(t, d->cr);
    return get_record(t, d->cr);
}

/* Reference tag, mask and application tag, as descriptor and record have it */
static uint64_t tags(uint32_t ref, uint16_t mask, uint16_t app)
{
    return ref | (uint64_t)mask << 32 | (uint64_t)app << 48;
}

static DSATestDesc dif(uint8_t opcode, uint64_t a, uint64_t b, uint32_t size,
                       uint8_t block)
{
    return (DSATestDesc) {
        .opcode = opcode, .flags = REC, .cr = CR, .addr1 = a, .addr2 = b,
        .size = size,
        .op = { block << 16,
                opcode == INSERT ? 0 : tags(7, 0, 0xface),
                opcode == INSERT || opcode == UPDATE ? tags(7, 0, 0xface)
                                                     : 0 },
    };
}

/*
 * Insert, check, update, check, strip: the data is what it was. More than an
 * engine does at a time, at odd addresses.
 */
static void test_round_trip(DSATestFixture *f, const void *unused)
{
    static const unsigned blocks[] = { 512, 520, 4096, 4104 };
    DSATest *t = f->t;
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(blocks); i++) {
        unsigned n = 3 * MB / blocks[i];
        uint32_t plain = n * blocks[i], with = n * (blocks[i] + 8);
        g_autofree uint8_t *data = dsa_test_put_random(t, A + 5, plain);
        DSATestDesc d = dif(INSERT, A + 5, B + 3, plain, i);
        Record r = finish(t, &d);

        g_assert_cmphex(r.status, ==, 1);
        g_assert_cmphex(r.op[0], ==, 0);
        g_assert_cmphex(r.op[1], ==, tags(7 + n, 0, 0xface));
        dsa_test_expect_bytes(t, B + 3, data, blocks[i]);
        g_assert_cmphex(bswap16(qtest_readw(t->qts, B + 3 + blocks[i] + 2)),
                        ==, 0xface);
        g_assert_cmphex(bswap32(qtest_readl(t->qts, B + 3 + with - 4)), ==,
                        7 + n - 1);

        d = dif(CHECK, B + 3, 0, with, i);
        r = finish(t, &d);
        g_assert_cmphex(r.status, ==, 1);
        g_assert_cmphex(r.op[0], ==, tags(7 + n, 0, 0xface));
        g_assert_cmphex(r.op[1], ==, 0);

        d = dif(UPDATE, B + 3, C, with, i);
        d.op[0] |= 0x10 << 8;       /* the application tag increments */
        d.op[2] = tags(1000, 0xff00, 0x1200);
        r = finish(t, &d);
        g_assert_cmphex(r.status, ==, 1);
        g_assert_cmphex(r.op[0], ==, tags(7 + n, 0, 0xface));
        g_assert_cmphex(r.op[1], ==, tags(1000 + n, 0xff00, 0x1200 + n));

        d = dif(STRIP, C, A, with, i);
        d.op[0] |= 0x10;
        d.op[1] = tags(1000, 0xff00, 0);
        r = finish(t, &d);
        g_assert_cmphex(r.status, ==, 1);
        dsa_test_expect_bytes(t, A, data, plain);
    }
}

/* Where a check fails, and which */
static void test_dif_errors(DSATestFixture *f, const void *unused)
{
    static const struct { unsigned at; uint8_t status; } flips[] = {
        { 100, 1 }, { 512, 1 }, { 514, 2 }, { 516, 4 }, { 519, 4 },
    };
    static const uint8_t opcodes[] = { CHECK, STRIP, UPDATE };
    DSATest *t = f->t;
    g_autofree uint8_t *data = dsa_test_put_random(t, A, 8 * 512);
    DSATestDesc d = dif(INSERT, A, B, 8 * 512, 0);
    unsigned i, k;

    g_assert_cmphex(finish(t, &d).status, ==, 1);
    for (i = 0; i < ARRAY_SIZE(flips); i++) {
        uint64_t at = B + 3 * 520 + flips[i].at;
        uint8_t was = qtest_readb(t->qts, at);

        qtest_writeb(t->qts, at, was ^ 0x40);
        for (k = 0; k < ARRAY_SIZE(opcodes); k++) {
            Record r;

            qtest_memset(t->qts, C, 0x77, 8 * 520);
            d = dif(opcodes[k], B, opcodes[k] == CHECK ? 0 : C, 8 * 520, 0);
            r = finish(t, &d);
            g_assert_cmphex(r.status, ==, 0x09);
            g_assert_cmphex(r.result, ==, flips[i].status);
            g_assert_cmpuint(r.done, ==, 3 * 520);
            g_assert_cmphex(r.op[0], ==, tags(7 + 3, 0, 0xface));
            /* nothing is written for the bad block */
            g_assert_cmphex(qtest_readb(t->qts, C + 3 * 520 - 1) == 0x77, ==,
                            opcodes[k] != UPDATE);
            g_assert_cmphex(qtest_readb(t->qts, C + 3 * 520), ==, 0x77);
        }
        qtest_writeb(t->qts, at, was);
    }
    /* all ones, with All F Detect an error or an exemption */
    qtest_memset(t->qts, B + 5 * 520 + 512, 0xff, 8);
    d = dif(CHECK, B, 0, 8 * 520, 0);
    d.op[0] |= 2;
    g_assert_cmphex(finish(t, &d).status, ==, 1);
    d.op[0] |= 1;
    g_assert_cmphex(finish(t, &d).result, ==, 8);
}

/* A fault stops at a whole block, and the record says how to go on */
static void test_dif_fault(DSATestFixture *f, const void *unused)
{
    DSATest *t = f->t;
    g_autofree uint8_t *data = dsa_test_put_random(t, A, 8 * 4096);
    DSATestDesc d = dif(INSERT, A, END - 3 * 4096, 8 * 4096, 2);
    Record r = finish(t, &d);

    g_assert_cmphex(r.status, ==, 0x83);
    g_assert_cmpuint(r.done, ==, 2 * 4096);
    g_assert_cmphex(r.info, ==, 2 << 1);
    g_assert_cmphex(r.addr, ==, END);
    g_assert_cmphex(r.op[1], ==, tags(7 + 2, 0, 0xface));
    dsa_test_expect_bytes(t, END - 3 * 4096, data, 4096);
    dsa_test_expect_bytes(t, END - 3 * 4096 + 4104, data + 4096, 4096);

    d = dif(CHECK, END - 3 * 4096, 0, 8 * 4104, 2);
    r = finish(t, &d);
    g_assert_cmphex(r.status, ==, 0x03);
    g_assert_cmpuint(r.done, ==, 2 * 4104);
    g_assert_cmphex(r.info, ==, 1 << 1);
    g_assert_cmphex(r.op[0], ==, tags(7 + 2, 0, 0xface));

    /* The rest, elsewhere, by what the record says */
    d = dif(INSERT, A + 2 * 4096, B, 6 * 4096, 2);
    d.op[2] = tags(7 + 2, 0, 0xface);
    g_assert_cmphex(finish(t, &d).status, ==, 1);
    d = dif(CHECK, B, 0, 6 * 4104, 2);
    d.op[1] = tags(7 + 2, 0, 0xface);
    g_assert_cmphex(finish(t, &d).status, ==, 1);
}

static DSATestDesc delta(uint8_t opcode, uint64_t a, uint64_t b, uint32_t size,
                         uint64_t record, uint32_t record_size)
{
    DSATestDesc d = { .opcode = opcode, .flags = REC, .cr = CR, .addr1 = a,
                      .addr2 = b, .size = size };

    if (opcode == CREATE) {
        d.op[0] = record;
        d.op[1] = record_size;
    } else {
        d.op[0] = record_size;
    }
    return d;
}

static void test_delta(DSATestFixture *f, const void *unused)
{
    DSATest *t = f->t;
    uint32_t size = 0x80000, at;
    g_autofree uint8_t *data = dsa_test_put_random(t, A, size);
    DSATestDesc d = delta(CREATE, A, B, size, C, 160000);
    unsigned n = 0;
    Record r;

    qtest_memwrite(t->qts, B, data, size);
    r = finish(t, &d);
    g_assert_cmphex(r.status, ==, 1);
    g_assert_cmphex(r.result, ==, 0);
    g_assert_cmphex(r.op[0], ==, 0);
    g_assert_cmpuint(r.done, ==, 0);

    for (at = 0; at < size; at += 8 * 37, n++) {
        data[at + n % 8] ^= 1;
    }
    data[size - 1] ^= 1;        /* the last offset that there is */
    n += (at - 8 * 37) / 8 != size / 8 - 1;
    qtest_memwrite(t->qts, B, data, size);
    r = finish(t, &d);
    g_assert_cmphex(r.status, ==, 1);
    g_assert_cmphex(r.result, ==, 1);
    g_assert_cmphex(r.op[0], ==, n * 10);
    g_assert_cmphex(qtest_readw(t->qts, C + 10), ==, 37);
    g_assert_cmphex(qtest_readw(t->qts, C + n * 10 - 10), ==, 0xffff);

    d = delta(APPLY, C, A, size, 0, n * 10);
    r = finish(t, &d);
    g_assert_cmphex(r.status, ==, 1);
    g_assert_cmpuint(r.done, ==, 0);
    dsa_test_expect_bytes(t, A, data, size);

    /* No room: how far it came, and Check Result */
    qtest_memset(t->qts, A, 0, 1024);
    qtest_memset(t->qts, B, 1, 1024);
    qtest_memset(t->qts, C, 0x77, 200);
    d = delta(CREATE, A, B, 1024, C, 109);
    r = finish(t, &d);
    g_assert_cmphex(r.status, ==, 1);
    g_assert_cmphex(r.result, ==, 2);
    g_assert_cmphex(r.op[0], ==, 100);
    g_assert_cmpuint(r.done, ==, 80);
    g_assert_cmphex(qtest_readb(t->qts, C + 100), ==, 0x77);
    d.flags |= CHECK_RESULT;
    d.op[2] = 3;
    g_assert_cmphex(finish(t, &d).status, ==, 2);
    d.op[2] = 4;
    g_assert_cmphex(finish(t, &d).status, ==, 1);
}

static void test_delta_errors(DSATestFixture *f, const void *unused)
{
    DSATest *t = f->t;
    DSATestDesc d = delta(APPLY, C, A, 800, 0, 30);
    uint64_t end = END - 4096;
    unsigned i;
    Record r;

    for (i = 0; i < 3; i++) {
        qtest_writew(t->qts, C + 10 * i, 4 * i);
        qtest_writeq(t->qts, C + 10 * i + 2, 0x1111 * i);
    }
    g_assert_cmphex(finish(t, &d).status, ==, 1);
    qtest_writew(t->qts, C + 20, 4);
    r = finish(t, &d);
    g_assert_cmphex(r.status, ==, 0x07);
    g_assert_cmpuint(r.done, ==, 20);
    qtest_writew(t->qts, C + 20, 100);
    r = finish(t, &d);
    g_assert_cmphex(r.status, ==, 0x08);
    g_assert_cmpuint(r.done, ==, 20);

    /* Faults of each operand */
    qtest_memset(t->qts, A, 0, 8192);
    qtest_memset(t->qts, B, 1, 8192);
    d = delta(CREATE, end, B, 8192, C, 20000);
    r = finish(t, &d);
    g_assert_cmphex(r.status, ==, 0x03);
    g_assert_cmphex(r.info, ==, 1 << 1);
    g_assert_cmphex(r.addr, ==, END);
    g_assert_cmpuint(r.done, ==, 4096);
    g_assert_cmphex(r.result, ==, 1);
    g_assert_cmphex(r.op[0], ==, 5120);
    d = delta(CREATE, A, end, 8192, C, 20000);
    r = finish(t, &d);
    g_assert_cmphex(r.status, ==, 0x03);
    g_assert_cmphex(r.info, ==, 2 << 1);
    d = delta(CREATE, A, B, 8192, end, 20000);
    r = finish(t, &d);
    g_assert_cmphex(r.status, ==, 0x83);
    g_assert_cmphex(r.info, ==, 3 << 1);
    g_assert_cmphex(r.addr, ==, END);
    g_assert_cmphex(r.op[0], ==, r.done / 8 * 10);
    g_assert_cmphex(r.op[0], <=, 4096);
    d = delta(APPLY, end, A, 8192, 0, 20000);
    g_assert_cmphex(finish(t, &d).status, !=, 1);
}

/* Descriptors that must not start */
static void test_illegal(DSATestFixture *f, const void *unused)
{
    const struct { DSATestDesc d; uint8_t status; } cases[] = {
        { dif(CHECK, A, 0, 519, 0), 0x13 },
        { dif(CHECK, A, 0, 512, 0), 0x13 },
        { dif(CHECK, A, B, 520, 0), 0x12 },
        { dif(INSERT, A, B, 520, 0), 0x13 },
        { dif(INSERT, A, A + 511, 512, 0), 0x16 },
        { dif(INSERT, A + 519, A, 512, 0), 0x16 },
        { dif(INSERT, A + 520, A, 512, 0), 0x01 },
        { dif(STRIP, A, A + 519, 520, 0), 0x16 },
        { dif(STRIP, A + 512, A, 520, 0), 0x09 },
        { dif(UPDATE, A, A, 520, 0), 0x16 },
        { dif(UPDATE, A, B, 520, 0x10), 0x12 },
        { delta(CREATE, A, B, 4, C, 80), 0x13 },
        { delta(CREATE, A, B, 0x80008, C, 80), 0x13 },
        { delta(CREATE, A, B, 8, C, 79), 0x15 },
        { delta(CREATE, A + 4, B, 8, C, 80), 0x1c },
        { delta(CREATE, A, B + 1, 8, C, 80), 0x1c },
        { delta(CREATE, A, B, 8, C + 2, 80), 0x1c },
        { delta(CREATE, A, B, 8, A, 80), 0x16 },
        { delta(APPLY, C, A, 8, 0, 15), 0x15 },
        { delta(APPLY, C, A, 8, 0, 0), 0x15 },
        { delta(APPLY, C + 1, A, 8, 0, 10), 0x1c },
        { delta(APPLY, A, A, 8, 0, 10), 0x16 },
    };
    unsigned i;

    qtest_memset(f->t->qts, A, 0, 8192);
    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        Record r = finish(f->t, &cases[i].d);

        g_assert_cmphex(r.status, ==, cases[i].status);
        g_assert_cmpuint(r.done, ==, 0);
    }
}

/* A child with a DIF error fails its batch and spoils no other child */
static void test_batch(DSATestFixture *f, const void *unused)
{
    DSATest *t = f->t;
    g_autofree uint8_t *data = dsa_test_put_random(t, A, 16 * 512);
    DSATestDesc batch = { .opcode = DSA_TEST_BATCH, .flags = REC, .cr = CR,
                          .addr1 = LIST, .size = 16 };
    unsigned pass, i;

    for (pass = 0; pass < 2; pass++) {
        for (i = 0; i < 16; i++) {
            DSATestDesc d = dif(pass ? CHECK : INSERT,
                                pass ? B + i * 520 : A + i * 512,
                                pass ? 0 : B + i * 520, pass ? 520 : 512, 0);
            uint8_t raw[64];

            d.cr = CR + 64 + i * 32;
            dsa_test_desc(&d, raw);
            qtest_memwrite(t->qts, LIST + i * 64, raw, 64);
            dsa_test_clear_cr(t, d.cr);
        }
        if (pass) {
            qtest_writeb(t->qts, B + 9 * 520, data[9 * 512] ^ 1);
        }
        g_assert_cmphex(finish(t, &batch).status, ==, pass ? 5 : 1);
        for (i = 0; i < 16; i++) {
            g_assert_cmphex(get_record(t, CR + 64 + i * 32).status, ==,
                            pass && i == 9 ? 9 : 1);
        }
    }
}

#define JOBS 60
#define JOB_BLOCKS (8 * MB / 520)
#define DELTA_SIZE 0x80000

static void submit_jobs(DSATest *t, unsigned from, unsigned to)
{
    unsigned i;

    for (i = from; i < to; i++) {
        DSATestDesc d = i % 3 ? dif(INSERT, A, B, JOB_BLOCKS * 520, 1)
                              : delta(CREATE, C, C + MB, DELTA_SIZE, C + 2 * MB,
                                      2 * DELTA_SIZE);

        d.cr = CR + i * 32;
        dsa_test_submit(t, 0, &d);
    }
}

/* Stopped in the midst of it, and finished in another emulator */
static void test_migrate(DSATestFixture *f, const void *unused)
{
    DSATest *t = f->t;
    g_autofree uint8_t *data = dsa_test_put_random(t, A, DELTA_SIZE);
    unsigned i, at;

    for (i = 0; i < JOBS; i++) {
        dsa_test_clear_cr(t, CR + i * 32);
    }
    qtest_memwrite(t->qts, C, data, DELTA_SIZE);
    for (at = 0; at < DELTA_SIZE; at += 16) {
        data[at] ^= 1;
    }
    qtest_memwrite(t->qts, C + MB, data, DELTA_SIZE);
    submit_jobs(t, 0, JOBS / 2);
    dsa_test_pause(t);
    submit_jobs(t, JOBS / 2, JOBS);
    g_assert_cmphex(qtest_readb(t->qts, CR + (JOBS - 1) * 32), ==, 0);
    dsa_test_migrate(t, "");
    dsa_test_resume(t);
    for (i = 0; i < JOBS; i++) {
        Record r;

        dsa_test_wait_cr(t, CR + i * 32);
        r = get_record(t, CR + i * 32);
        g_assert_cmphex(r.status, ==, 1);
        if (i % 3) {
            g_assert_cmphex(r.op[1], ==, tags(7 + JOB_BLOCKS, 0, 0xface));
        } else {
            g_assert_cmphex(r.result, ==, 1);
            g_assert_cmphex(r.op[0], ==, DELTA_SIZE / 16 * 10);
        }
    }
    for (i = 0; i < 3; i++) {
        DSATestDesc d[] = {
            dif(CHECK, B, 0, JOB_BLOCKS * 528, 1),
            delta(APPLY, C + 2 * MB, C, DELTA_SIZE, 0, DELTA_SIZE / 16 * 10),
            { .opcode = DSA_TEST_COMPARE, .flags = REC, .cr = CR, .addr1 = C,
              .addr2 = C + MB, .size = DELTA_SIZE },
        };
        Record r = finish(t, &d[i]);

        g_assert_cmphex(r.status, ==, 1);
        g_assert_cmphex(r.result, ==, 0);
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*fn)(DSATestFixture *f, const void *unused);
    } tests[] = {
        { "/dsa/dif/round-trip", test_round_trip },
        { "/dsa/dif/errors", test_dif_errors },
        { "/dsa/dif/fault", test_dif_fault },
        { "/dsa/dif/batch", test_batch },
        { "/dsa/dif/illegal", test_illegal },
        { "/dsa/delta/record", test_delta },
        { "/dsa/delta/errors", test_delta_errors },
        { "/dsa/dif/migrate", test_migrate },
    };
    unsigned i;

    g_test_init(&argc, &argv, NULL);
    for (i = 0; i < ARRAY_SIZE(tests); i++) {
        qtest_add(tests[i].name, DSATestFixture, NULL, setup, tests[i].fn,
                  dsa_test_teardown);
    }
    return g_test_run();
}
