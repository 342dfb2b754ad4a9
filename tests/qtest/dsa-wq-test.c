/*
 * intel-dsa: work queues, from the portal to the completion, and what stops
 * them on the way
 *
 * Where a test has to see descriptors in a queue it stops the machine, which
 * stops the engines and nothing else.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/pci/pci_regs.h"
#include "dsa-test-lib.h"
#include "migrate-lib.h"
#include "refusal-lib.h"

#define CR          0x100000
#define SRC         0x200000
#define DST         0x400000
#define MSG         0x180000
#define FROM        0x1000000
#define TO          0x2000000
#define BIG         (4 * 1024 * 1024)

#define DWQ         (DSA_TEST_WQ_DEDICATED | DSA_TEST_WQ_PRIO(1))
#define REPORT      (DSA_TEST_CRAV | DSA_TEST_RCR)
#define LIMITED     1
#define IMS         2

#define SWERR_DROPPED   0x50
#define INT_HANDLE      0x19

typedef DSATestFixture Fixture;

static uint64_t cr_at(unsigned i)
{
    return CR + i * DSA_TEST_CR_SIZE;
}

static DSATestDesc noop(unsigned i)
{
    return (DSATestDesc) {
        .opcode = DSA_TEST_NOOP, .flags = REPORT, .cr = cr_at(i),
    };
}

static void submit_noops(DSATest *t, unsigned wq, unsigned from, unsigned to)
{
    unsigned i;

    for (i = from; i < to; i++) {
        DSATestDesc d = noop(i);

        dsa_test_clear_cr(t, d.cr);
        g_assert_cmpint(dsa_test_submit(t, wq, &d), ==, QTEST_DMWR_ACCEPTED);
    }
}

static void expect_done(DSATest *t, unsigned from, unsigned to)
{
    unsigned i;

    for (i = from; i < to; i++) {
        g_assert_cmphex(dsa_test_wait_cr(t, cr_at(i)), ==, DSA_TEST_SUCCESS);
    }
}

static void expect_untouched(DSATest *t, unsigned from, unsigned to)
{
    unsigned i;

    for (i = from; i < to; i++) {
        g_assert_cmphex(qtest_readb(t->qts, cr_at(i)), ==, 0);
    }
}

static void fill(DSATest *t, uint64_t gpa, size_t len, unsigned seed)
{
    g_autofree uint8_t *data = g_malloc(len);
    size_t i;

    for (i = 0; i < len; i++) {
        data[i] = i * 7 + (i >> 8) + seed;
    }
    qtest_memwrite(t->qts, gpa, data, len);
}

static void expect_same(DSATest *t, uint64_t a, uint64_t b, size_t len)
{
    g_autofree uint8_t *x = g_malloc(len), *y = g_malloc(len);

    qtest_memread(t->qts, a, x, len);
    qtest_memread(t->qts, b, y, len);
    g_assert_cmpmem(x, len, y, len);
}

/* Descriptors through every page and place of the portal */
static void test_portals(Fixture *f, const void *unused)
{
    DSATest *t = f->t;
    unsigned page, n = 0;
    uint8_t raw[64];

    dsa_test_one_wq(t, 16, 0);
    for (page = 0; page < 4; page++) {
        unsigned offset;

        for (offset = 0; offset < 0x1000; offset += 0x540) {
            DSATestDesc d = noop(n);

            dsa_test_clear_cr(t, d.cr);
            dsa_test_desc(&d, raw);
            g_assert_cmpint(qtest_dmwr(t->qts, t->portals.addr + page * 0x1000
                                       + offset, false, raw),
                            ==, QTEST_DMWR_ACCEPTED);
            expect_done(t, n, n + 1);
            n++;
        }
    }
    g_assert_cmphex(dsa_test_swerr(t), ==, 0);
}

static void test_memmove(Fixture *f, const void *unused)
{
    DSATest *t = f->t;
    DSATestDesc d = {
        .opcode = DSA_TEST_MEMMOVE, .flags = REPORT, .cr = CR,
        .addr1 = SRC + 3, .addr2 = DST + 5, .size = 70001,
    };

    dsa_test_one_wq(t, 16, 0);
    fill(t, SRC, 80000, 1);
    fill(t, DST, 80000, 2);
    dsa_test_clear_cr(t, CR);
    dsa_test_submit(t, 0, &d);
    g_assert_cmphex(dsa_test_wait_cr(t, CR), ==, DSA_TEST_SUCCESS);
    expect_same(t, SRC + 3, DST + 5, 70001);
    g_assert_cmphex(qtest_readb(t->qts, DST + 5 + 70001), ==,
                    (uint8_t)((5 + 70001) * 7 + ((5 + 70001) >> 8) + 2));
}

/* Narrower stores are no submission */
static void test_narrow(Fixture *f, const void *unused)
{
    DSATest *t = f->t;
    DSATestDesc d = noop(0);
    uint8_t raw[64];
    unsigned i;

    dsa_test_one_wq(t, 16, 0);
    dsa_test_clear_cr(t, CR);
    dsa_test_desc(&d, raw);
    dsa_test_pause(t);
    for (i = 0; i < 64; i += 8) {
        qpci_io_writeq(t->dev, t->portals, i, ldq_le_p(raw + i));
    }
    g_assert_cmpuint(dsa_test_occupancy(t, 0), ==, 0);
    g_assert_cmphex(dsa_test_swerr(t), ==, 0);
    dsa_test_resume(t);
}

static void test_wrong_mode(Fixture *f, const void *unused)
{
    DSATest *t = f->t;
    DSATestDesc d = noop(0);
    uint8_t raw[64];

    dsa_test_desc(&d, raw);
    /* Nothing enabled: a posted write is lost, a deferrable one comes back */
    g_assert_cmpint(dsa_test_submit_raw(t, 0, 0, true, raw), ==,
                    QTEST_DMWR_RETRY);
    g_assert_cmphex(dsa_test_swerr(t), ==, 0);
    dsa_test_submit(t, 0, &d);
    g_assert_cmphex(dsa_test_swerr(t), ==, SWERR_DROPPED);

    /* A dedicated queue takes no deferrable write */
    dsa_test_one_wq(t, 16, 0);
    g_assert_cmpint(dsa_test_submit_raw(t, 0, 0, true, raw), ==,
                    QTEST_DMWR_RETRY);
    g_assert_cmphex(dsa_test_swerr(t), ==, 0);

    /* Disabled again */
    dsa_test_cmd_ok(t, DSA_TEST_DISABLE_WQ, 1);
    dsa_test_submit(t, 0, &d);
    g_assert_cmphex(dsa_test_swerr(t), ==, SWERR_DROPPED);
    expect_untouched(t, 0, 1);
}

static void test_full(Fixture *f, const void *unused)
{
    DSATest *t = f->t;
    DSATestDesc d = noop(5);

    /* Not a power of two; twice around the ring */
    dsa_test_one_wq(t, 5, 0);
    for (unsigned round = 0; round < 60; round++) {
        dsa_test_pause(t);
        submit_noops(t, 0, 0, 5);
        g_assert_cmpuint(dsa_test_occupancy(t, 0), ==, 5);
        g_assert_cmphex(dsa_test_swerr(t), ==, 0);
        dsa_test_clear_cr(t, d.cr);
        dsa_test_submit(t, 0, &d);
        g_assert_cmphex(dsa_test_swerr(t), ==, SWERR_DROPPED);
        g_assert_cmpuint(dsa_test_occupancy(t, 0), ==, 5);
        dsa_test_resume(t);
        expect_done(t, 0, 5);
        expect_untouched(t, 5, 6);
    }
    g_assert_cmpuint(dsa_test_occupancy(t, 0), ==, 0);
}

static void test_drain(Fixture *f, const void *unused)
{
    static const struct { uint32_t code, operand; } drains[] = {
        { DSA_TEST_DRAIN_WQ, 1 }, { DSA_TEST_DRAIN_ALL, 0 },
        { DSA_TEST_DISABLE_WQ, 1 }, { DSA_TEST_DISABLE_DEV, 0 },
    };
    DSATest *t = f->t;
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(drains); i++) {
        dsa_test_cmd_ok(t, DSA_TEST_RESET_DEV, 0);
        dsa_test_one_wq(t, 16, 0);
        dsa_test_pause(t);
        submit_noops(t, 0, 0, 10);
        dsa_test_cmd_start(t, drains[i].code, drains[i].operand);
        g_assert_cmphex(dsa_test_read(t, DSA_TEST_CMDSTS), ==,
                        DSA_TEST_CMDSTS_ACTIVE);
        /* One command at a time */
        dsa_test_cmd_start(t, DSA_TEST_ABORT_ALL, 0);
        g_assert_cmphex(dsa_test_swerr(t), ==, 0x52);
        g_assert_cmphex(dsa_test_read(t, DSA_TEST_CMDSTS), ==,
                        DSA_TEST_CMDSTS_ACTIVE);
        g_assert_cmpuint(dsa_test_occupancy(t, 0), ==, 10);
        dsa_test_resume(t);
        g_assert_cmphex(dsa_test_cmd_wait(t), ==, 0);
        for (unsigned n = 0; n < 10; n++) {
            g_assert_cmphex(qtest_readb(t->qts, cr_at(n)), ==, 1);
        }
    }
}

/* What a queue looks like while it is being disabled */
static void test_disabling(Fixture *f, const void *unused)
{
    DSATest *t = f->t;
    DSATestDesc d = noop(3);

    dsa_test_one_wq(t, 16, 0);
    dsa_test_pause(t);
    submit_noops(t, 0, 0, 3);
    dsa_test_cmd_start(t, DSA_TEST_DISABLE_DEV, 0);
    g_assert_cmphex(dsa_test_read(t, DSA_TEST_GENSTS), ==, 2);
    g_assert_cmphex(dsa_test_wqcfg(t, 0, 6), ==, 2u << 30 | 3);
    dsa_test_clear_cr(t, d.cr);
    dsa_test_submit(t, 0, &d);
    g_assert_cmphex(dsa_test_swerr(t), ==, SWERR_DROPPED);
    dsa_test_write(t, t->wqcfg + 8, 0);
    g_assert_cmphex(dsa_test_wqcfg(t, 0, 2), ==, DWQ);
    dsa_test_resume(t);
    g_assert_cmphex(dsa_test_cmd_wait(t), ==, 0);
    expect_done(t, 0, 3);
    expect_untouched(t, 3, 4);
    g_assert_cmphex(dsa_test_wqcfg(t, 0, 6), ==, 0);
}

/* A drain does not wait for what comes after it */
static void test_drain_bound(Fixture *f, const void *unused)
{
    DSATest *t = f->t;

    dsa_test_one_wq(t, 64, 0);
    dsa_test_pause(t);
    submit_noops(t, 0, 0, 4);
    dsa_test_cmd_start(t, DSA_TEST_DRAIN_WQ, 1);
    submit_noops(t, 0, 4, 64);
    dsa_test_resume(t);
    g_assert_cmphex(dsa_test_cmd_wait(t), ==, 0);
    expect_done(t, 0, 64);
}

static void test_abort(Fixture *f, const void *unused)
{
    static const struct { uint32_t code, operand; } aborts[] = {
        { DSA_TEST_ABORT_WQ, 1 }, { DSA_TEST_ABORT_ALL, 0 },
        { DSA_TEST_RESET_WQ, 1 }, { DSA_TEST_RESET_DEV, 0 },
    };
    DSATest *t = f->t;
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(aborts); i++) {
        dsa_test_cmd_ok(t, DSA_TEST_RESET_DEV, 0);
        dsa_test_one_wq(t, 16, 0);
        dsa_test_pause(t);
        submit_noops(t, 0, 0, 10);
        dsa_test_cmd_ok(t, aborts[i].code, aborts[i].operand);
        g_assert_cmpuint(dsa_test_occupancy(t, 0), ==, 0);
        dsa_test_resume(t);
        if (aborts[i].code == DSA_TEST_RESET_WQ) {
            dsa_test_wq(t, 0, 16, 0, DWQ);
            dsa_test_cmd_ok(t, DSA_TEST_ENABLE_WQ, 0);
        } else if (aborts[i].code == DSA_TEST_RESET_DEV) {
            dsa_test_one_wq(t, 16, 0);
        }
        /* The queue works on, and what was aborted does not come back */
        submit_noops(t, 0, 10, 12);
        expect_done(t, 10, 12);
        expect_untouched(t, 0, 10);
    }
}

static void submit_moves(DSATest *t, unsigned n)
{
    unsigned i;

    for (i = 0; i < n; i++) {
        DSATestDesc d = {
            .opcode = DSA_TEST_MEMMOVE, .flags = REPORT, .cr = cr_at(i),
            .addr1 = FROM, .addr2 = TO, .size = BIG,
        };

        dsa_test_clear_cr(t, d.cr);
        g_assert_cmpint(dsa_test_submit(t, 0, &d), ==, QTEST_DMWR_ACCEPTED);
    }
}

/* After any kind of end in mid-flight nothing is written any more */
static void test_midflight(Fixture *f, const void *unused)
{
    DSATest *t = f->t;
    uint16_t cmd = qpci_config_readw(t->dev, PCI_COMMAND);
    unsigned round, kinds = 0;

    fill(t, FROM, BIG, 3);
    /* Until each kind of end has met copies that were not done */
    for (round = 0; round < 12 || kinds != 0xf; round++) {
        g_assert_cmpuint(round, <, 400);
        dsa_test_one_wq(t, 32, 0);
        submit_moves(t, 16);
        switch (round % 4) {
        case 0:
            dsa_test_cmd_ok(t, DSA_TEST_RESET_DEV, 0);
            break;
        case 1:
            dsa_test_flr(t);
            break;
        case 2:
            qpci_config_writew(t->dev, PCI_COMMAND, cmd & ~PCI_COMMAND_MASTER);
            dsa_test_flr(t);
            break;
        case 3:
            dsa_test_cmd_start(t, DSA_TEST_DRAIN_ALL, 0);
            dsa_test_flr(t);
            break;
        }
        g_assert_cmphex(dsa_test_read(t, DSA_TEST_CMDSTS), ==, 0);
        kinds |= !qtest_readb(t->qts, cr_at(15)) << round % 4;
        qtest_memset(t->qts, TO, 0x5a, BIG);
        qtest_memset(t->qts, CR, 0, 16 * DSA_TEST_CR_SIZE);
        dsa_test_one_wq(t, 32, 0);
        submit_noops(t, 0, 16, 20);
        expect_done(t, 16, 20);
        expect_untouched(t, 0, 16);
        for (unsigned at = 0; at < BIG; at += 32768) {
            g_assert_cmphex(qtest_readq(t->qts, TO + at), ==,
                            0x5a5a5a5a5a5a5a5aull);
        }
        dsa_test_cmd_ok(t, DSA_TEST_RESET_DEV, 0);
    }
}

static void interrupt(DSATest *t, unsigned page, uint16_t handle,
                      uint8_t status)
{
    DSATestDesc d = noop(0);
    uint8_t raw[64];

    d.flags |= DSA_TEST_RCI;
    d.int_handle = handle;
    dsa_test_desc(&d, raw);
    dsa_test_clear_cr(t, CR);
    qtest_writel(t->qts, MSG, 0);
    dsa_test_submit_raw(t, 0, page, false, raw);
    g_assert_cmphex(dsa_test_wait_cr(t, CR), ==, status);
    if (status == DSA_TEST_SUCCESS) {
        dsa_test_wait_u32(t, MSG, 0x1234);
    }
    dsa_test_cmd_ok(t, DSA_TEST_DRAIN_WQ, 1);
    g_assert_cmphex(qtest_readl(t->qts, MSG), ==,
                    status == DSA_TEST_SUCCESS ? 0x1234 : 0);
}

static void test_interrupts(Fixture *f, const void *unused)
{
    DSATest *t = f->t;
    uint64_t ims = t->ims + 9 * 16;

    dsa_test_one_wq(t, 16, 0);
    dsa_test_msix(t, 3, MSG, 0x1234);
    interrupt(t, 0, 3, DSA_TEST_SUCCESS);
    /* No such vector; the device's own */
    interrupt(t, 0, 9, INT_HANDLE);
    interrupt(t, 0, 0, INT_HANDLE);
    /* Somebody's PASID, which this queue does not have; anybody's */
    dsa_test_write(t, t->msixperm + 3 * 8, 5 << 12 | 1 << 3);
    interrupt(t, 0, 3, INT_HANDLE);
    dsa_test_write(t, t->msixperm + 3 * 8, 5 << 12 | 1 << 3 | 1 << 2);
    interrupt(t, 0, 3, DSA_TEST_SUCCESS);

    dsa_test_write64(t, ims, MSG);
    dsa_test_write(t, ims + 8, 0x1234);
    interrupt(t, IMS, 9, DSA_TEST_SUCCESS);
    interrupt(t, IMS | LIMITED, 9, DSA_TEST_SUCCESS);
    interrupt(t, IMS, 2048, INT_HANDLE);
}

static void test_int_handles(Fixture *f, const void *unused)
{
    DSATest *t = f->t;

    dsa_test_one_wq(t, 16, 0);
    dsa_test_msix(t, 3, MSG, 0x1234);
    interrupt(t, 0, 3, INT_HANDLE);
    dsa_test_cmd_start(t, DSA_TEST_REQUEST_HANDLE, 3);
    g_assert_cmphex(dsa_test_cmd_wait(t), ==, 3 << 8);
    interrupt(t, 0, 3, DSA_TEST_SUCCESS);
    dsa_test_cmd_ok(t, DSA_TEST_RELEASE_HANDLE, 3);
    interrupt(t, 0, 3, INT_HANDLE);
}

/* A queue of eight that waits for the machine, and tells when it has four */
static void arm_occupancy(DSATest *t)
{
    dsa_test_group(t, 0, 1, 1);
    dsa_test_wq(t, 0, 16, 0, DWQ);
    dsa_test_write(t, t->wqcfg + 16, 2);
    dsa_test_cmd_ok(t, DSA_TEST_ENABLE_DEV, 0);
    dsa_test_cmd_ok(t, DSA_TEST_ENABLE_WQ, 0);
    dsa_test_msix(t, 2, MSG, 0x4321);
    qtest_writel(t->qts, MSG, 0);
    dsa_test_pause(t);
    submit_noops(t, 0, 0, 8);
    dsa_test_write(t, t->wqcfg + 20, 1 << 16 | 4);
    g_assert_cmphex(dsa_test_wqcfg(t, 0, 5), ==, 1 << 16 | 4);
    g_assert_cmphex(dsa_test_read(t, DSA_TEST_INTCAUSE), ==, 0);
}

/* One message when the queue has come down to the limit */
static void test_occupancy(Fixture *f, const void *unused)
{
    DSATest *t = f->t;

    arm_occupancy(t);
    dsa_test_resume(t);
    dsa_test_wait_u32(t, MSG, 0x4321);
    g_assert_cmphex(dsa_test_wqcfg(t, 0, 5), ==, 4);
    g_assert_cmphex(dsa_test_read(t, DSA_TEST_INTCAUSE), ==, 4);
    expect_done(t, 0, 8);
}

/* A queue that is reset is empty at once, but that is no news to anybody */
static void test_occupancy_reset(Fixture *f, const void *unused)
{
    static const struct { uint32_t code, operand; } resets[] = {
        { DSA_TEST_RESET_WQ, 1 }, { DSA_TEST_RESET_DEV, 0 },
    };
    DSATest *t = f->t;
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(resets); i++) {
        arm_occupancy(t);
        dsa_test_cmd_ok(t, resets[i].code, resets[i].operand);
        dsa_test_resume(t);
        g_assert_cmphex(dsa_test_read(t, DSA_TEST_INTCAUSE), ==, 0);
        g_assert_cmphex(qtest_readl(t->qts, MSG), ==, 0);
        dsa_test_cmd_ok(t, DSA_TEST_RESET_DEV, 0);
    }
    arm_occupancy(t);
    dsa_test_flr(t);
    dsa_test_resume(t);
    g_assert_cmphex(dsa_test_read(t, DSA_TEST_INTCAUSE), ==, 0);
    g_assert_cmphex(qtest_readl(t->qts, MSG), ==, 0);
}

/* Several groups, queues and engines at once */
static void test_many_queues(Fixture *f, const void *unused)
{
    DSATest *t = f->t;
    unsigned i, n;

    for (i = 0; i < 8; i++) {
        dsa_test_wq(t, i, 16, 0, DSA_TEST_WQ_DEDICATED |
                    DSA_TEST_WQ_PRIO(i + 1));
    }
    for (i = 0; i < 4; i++) {
        dsa_test_group(t, i, 0x11 << i, 1 << i);
    }
    dsa_test_cmd_ok(t, DSA_TEST_ENABLE_DEV, 0);
    for (i = 0; i < 8; i++) {
        dsa_test_cmd_ok(t, DSA_TEST_ENABLE_WQ, i);
    }
    dsa_test_pause(t);
    for (n = 0; n < 16; n++) {
        for (i = 0; i < 8; i++) {
            submit_noops(t, i, n * 8 + i, n * 8 + i + 1);
        }
    }
    dsa_test_resume(t);
    dsa_test_cmd_ok(t, DSA_TEST_DRAIN_WQ, 0xff);
    expect_done(t, 0, 128);
}

/*
 * Queues of equal priority have equal parts of the engines, however many jobs
 * one of them has under way. The one job of the second queue is a batch: it
 * fills as much as each job of the first queue does, in several turns, and then
 * looks how far these have come.
 */
static void test_large_jobs(Fixture *f, const void *unused)
{
    enum { JOBS = 8, SIZE = 8 * 1024 * 1024, FAR = 6 * 1024 * 1024 };
    const uint64_t data = 0x2000000, list = 0x1800000, seen = 0x1900000;
    DSATest *t = f->t;
    DSATestDesc fill = {
        .opcode = DSA_TEST_FILL, .flags = DSA_TEST_CRAV | DSA_TEST_RCR,
        .addr1 = 0x5555555555555555, .size = SIZE,
    };
    DSATestDesc batch = {
        .opcode = DSA_TEST_BATCH, .flags = DSA_TEST_CRAV | DSA_TEST_RCR,
        .addr1 = list, .size = JOBS + 1, .cr = CR + JOBS * DSA_TEST_CR_SIZE,
    };
    unsigned i, far = 0;
    uint8_t raw[64];

    dsa_test_group(t, 0, 3, 1);
    dsa_test_wq(t, 0, JOBS, 0, DSA_TEST_WQ_DEDICATED | DSA_TEST_WQ_PRIO(1));
    dsa_test_wq(t, 1, 8, 0, DSA_TEST_WQ_DEDICATED | DSA_TEST_WQ_PRIO(1));
    dsa_test_cmd_ok(t, DSA_TEST_ENABLE_DEV, 0);
    dsa_test_cmd_ok(t, DSA_TEST_ENABLE_WQ, 0);
    dsa_test_cmd_ok(t, DSA_TEST_ENABLE_WQ, 1);
    dsa_test_pause(t);
    for (i = 0; i <= JOBS; i++) {
        DSATestDesc look = {
            .opcode = DSA_TEST_MEMMOVE, .addr1 = data + i * SIZE + FAR,
            .addr2 = seen + i, .size = 1,
        };

        fill.addr2 = data + i * SIZE;
        fill.cr = CR + i * DSA_TEST_CR_SIZE;
        dsa_test_clear_cr(t, fill.cr);
        if (i < JOBS) {
            dsa_test_submit(t, 0, &fill);
            dsa_test_desc(&look, raw);
        } else {
            fill.flags = 0;
            dsa_test_desc(&fill, raw);
        }
        qtest_memwrite(t->qts, list + (i + 1) % (JOBS + 1) * 64, raw, 64);
    }
    dsa_test_submit(t, 1, &batch);
    dsa_test_resume(t);
    g_assert_cmphex(dsa_test_wait_cr(t, batch.cr), ==, DSA_TEST_SUCCESS);
    for (i = 0; i < JOBS; i++) {
        far += !!qtest_readb(t->qts, seen + i);
        g_assert_cmphex(dsa_test_wait_cr(t, CR + i * DSA_TEST_CR_SIZE), ==,
                        DSA_TEST_SUCCESS);
    }
    g_assert_cmpuint(far, <, JOBS / 4);
}

/* Queued descriptors, a waiting command and the registers travel */
static void test_migration(Fixture *f, const void *unused)
{
    DSATest *t = f->t;
    DSATestDesc d = noop(10);

    dsa_test_group(t, 1, 2, 2);
    dsa_test_wq(t, 1, 11, 0, DWQ);
    dsa_test_one_wq(t, 16, 0);
    dsa_test_cmd_ok(t, DSA_TEST_ENABLE_WQ, 1);
    submit_noops(t, 0, 0, 5);
    expect_done(t, 0, 5);
    dsa_test_msix(t, 0, MSG, 0x99);
    dsa_test_write(t, t->ims + 7 * 16, 0x77777000);
    dsa_test_submit(t, 7, &d);
    dsa_test_pause(t);
    submit_noops(t, 0, 0, 5);
    submit_noops(t, 1, 5, 10);
    dsa_test_cmd_start(t, DSA_TEST_CMD_INT | DSA_TEST_DISABLE_WQ, 3);

    dsa_test_migrate(t, "");
    expect_untouched(t, 0, 10);
    g_assert_cmphex(dsa_test_read(t, DSA_TEST_CMDSTS), ==,
                    DSA_TEST_CMDSTS_ACTIVE);
    g_assert_cmphex(dsa_test_read(t, DSA_TEST_INTCAUSE), ==, 0);
    g_assert_cmpuint(dsa_test_occupancy(t, 0), ==, 5);
    g_assert_cmpuint(dsa_test_occupancy(t, 1), ==, 5);
    dsa_test_resume(t);
    g_assert_cmphex(dsa_test_cmd_wait(t), ==, 0);
    dsa_test_wait_u32(t, MSG, 0x99);
    expect_done(t, 0, 10);
    g_assert_cmphex(dsa_test_read(t, DSA_TEST_INTCAUSE), ==, 2);
    g_assert_cmphex(dsa_test_read(t, t->ims + 7 * 16), ==, 0x77777000);
    g_assert_cmphex(dsa_test_wqcfg(t, 1, 0), ==, 11);
    g_assert_cmphex(dsa_test_wqcfg(t, 1, 6), ==, 0);
    g_assert_cmphex(dsa_test_swerr(t), ==, SWERR_DROPPED);

    dsa_test_cmd_ok(t, DSA_TEST_ENABLE_WQ, 1);
    submit_noops(t, 1, 0, 8);
    expect_done(t, 0, 8);
}

/*
 * A damaged stream gives a queue that is not enabled yet more room than all
 * queues have together.
 */
static void test_migrate_damaged(Fixture *f, const void *unused)
{
    DSATest *t = f->t;
    g_autofree char *path = NULL, *stream = NULL, *options = NULL, *err = NULL;
    uint32_t first[6];
    gsize length;
    char *regs;
    unsigned i;

    dsa_test_one_wq(t, 16, 0);
    for (i = 0; i < ARRAY_SIZE(first); i++) {
        first[i] = cpu_to_be32(dsa_test_read(t, i * 4));
    }
    path = migrate_to_file(t->qts);
    stream = migrate_stream(path, first, sizeof(first), &regs, &length);
    stl_be_p(regs + t->wqcfg + 32, 0xffff);
    g_assert_true(g_file_set_contents(path, stream, length, NULL));

    options = g_strdup_printf("-device intel-dsa,addr=%u -incoming file:%s",
                              DSA_TEST_SLOT, path);
    err = refusal_of(options);
    g_assert_nonnull(strstr(err, "the incoming device state is broken"));
    unlink(path);
}

#define WQ_TEST(name, props, fn) \
    qtest_add("/dsa/wq/" name, Fixture, props, dsa_test_setup, fn, \
              dsa_test_teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    WQ_TEST("portals", NULL, test_portals);
    WQ_TEST("memmove", NULL, test_memmove);
    WQ_TEST("narrow", NULL, test_narrow);
    WQ_TEST("wrong-mode", NULL, test_wrong_mode);
    WQ_TEST("full", NULL, test_full);
    WQ_TEST("drain", NULL, test_drain);
    WQ_TEST("disabling", NULL, test_disabling);
    WQ_TEST("drain-bound", NULL, test_drain_bound);
    WQ_TEST("abort", NULL, test_abort);
    WQ_TEST("midflight", NULL, test_midflight);
    WQ_TEST("interrupts", NULL, test_interrupts);
    WQ_TEST("int-handles", ",int-handles=on", test_int_handles);
    WQ_TEST("occupancy", NULL, test_occupancy);
    WQ_TEST("occupancy-reset", NULL, test_occupancy_reset);
    WQ_TEST("many-queues", NULL, test_many_queues);
    WQ_TEST("many-queues/workers", ",workers=16", test_many_queues);
    /* With several workers the host decides which one is held up */
    WQ_TEST("large-jobs", ",workers=1", test_large_jobs);
    WQ_TEST("migration", NULL, test_migration);
    WQ_TEST("migrate-damaged", NULL, test_migrate_damaged);
    return g_test_run();
}
