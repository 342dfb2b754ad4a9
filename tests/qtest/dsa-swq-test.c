/*
 * intel-dsa: shared work queues: who gets in, how many, what an abort or a
 * drain leaves, and whose turn it is
 *
 * Where a test has to see descriptors in a queue it pauses the machine. There
 * is no IOMMU here, so PASIDs tell descriptors apart and nothing more.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/pci/pci_regs.h"
#include "dsa-test-lib.h"

#define CR          0x100000
#define LISTS       0x200000    /* of batches, 128 bytes each */
#define LOG         0x300000
#define LOG_SIZE    256

#define REPORT      (DSA_TEST_CRAV | DSA_TEST_RCR)
#define PAGES       4           /* of a portal; odd ones are limited */
#define LIMITED     1
#define IMS         2
#define DROPPED     0x50        /* SWERR: a posted write that was lost */
#define PCI_CHANGED 0x51

typedef DSATestFixture Fixture;

static uint64_t cr_at(unsigned i)
{
    return CR + i * DSA_TEST_CR_SIZE;
}

static void enable_pasids(DSATest *t)
{
    unsigned cap = dsa_test_ext_cap(t, PCI_EXT_CAP_ID_PASID);

    dsa_test_cfg_writew(t, cap + PCI_PASID_CTRL, PCI_PASID_CTRL_ENABLE);
}

static uint32_t shared(unsigned priority)
{
    return DSA_TEST_WQ_PRIO(priority) | DSA_TEST_WQ_PASID(0);
}

/* One shared queue 0, enabled */
static void one_shared(DSATest *t, unsigned size, unsigned threshold)
{
    enable_pasids(t);
    dsa_test_group(t, 0, 1, 1);
    dsa_test_wq(t, 0, size, threshold, shared(1));
    dsa_test_cmd_ok(t, DSA_TEST_ENABLE_DEV, 0);
    dsa_test_cmd_ok(t, DSA_TEST_ENABLE_WQ, 0);
}

static DSATestDesc noop(uint32_t pasid)
{
    return (DSATestDesc) { .opcode = DSA_TEST_NOOP, .pasid = pasid };
}

static QTestDMWr enqueue(DSATest *t, unsigned page, uint32_t pasid)
{
    DSATestDesc d = noop(pasid);

    return dsa_test_enqueue(t, 0, page, &d);
}

/* With completion record @i */
static QTestDMWr enqueue_cr(DSATest *t, unsigned page, uint32_t pasid,
                            unsigned i)
{
    DSATestDesc d = noop(pasid);

    d.flags = REPORT;
    d.cr = cr_at(i);
    dsa_test_clear_cr(t, d.cr);
    return dsa_test_enqueue(t, 0, page, &d);
}

/* Until it comes back; returns how many did not */
static unsigned fill_up(DSATest *t, unsigned page, uint32_t pasid)
{
    unsigned n = 0;

    while (enqueue(t, page, pasid) == QTEST_DMWR_ACCEPTED) {
        n++;
        g_assert_cmpuint(n, <=, t->wq_size);
    }
    return n;
}

/* --- who gets in ---------------------------------------------------------- */

typedef enum State {
    DEVICE_OFF, WQ_OFF, ON, DRAIN_WQ, DRAIN_ALL, DRAIN_PASID, DISABLE_WQ,
    DISABLE_DEVICE, HALTED, STATES,
} State;

#define MARK 5      /* the PASID of a descriptor that drains wait for */

static void begin(DSATest *t, State state)
{
    switch (state) {
    case DRAIN_WQ:
        dsa_test_cmd_start(t, DSA_TEST_DRAIN_WQ, 1);
        break;
    case DRAIN_ALL:
        dsa_test_cmd_start(t, DSA_TEST_DRAIN_ALL, 0);
        break;
    case DRAIN_PASID:
        dsa_test_cmd_start(t, DSA_TEST_DRAIN_PASID, MARK);
        break;
    case DISABLE_WQ:
        dsa_test_cmd_start(t, DSA_TEST_DISABLE_WQ, 1);
        break;
    case DISABLE_DEVICE:
        dsa_test_cmd_start(t, DSA_TEST_DISABLE_DEV, 0);
        break;
    case HALTED:
        qpci_config_writew(t->dev, PCI_COMMAND, PCI_COMMAND_MEMORY);
        g_assert_cmphex(dsa_test_swerr(t), ==, PCI_CHANGED);
        break;
    default:
        break;
    }
}

/* A queue of 8 with one descriptor in it, and then the state; paused */
static void enter(DSATest *t, State state, bool dedicated)
{
    DSATestDesc d = noop(MARK);
    uint8_t raw[64];

    dsa_test_flr(t);
    enable_pasids(t);
    dsa_test_group(t, 0, 1, 1);
    dsa_test_wq(t, 0, 8, 6, dedicated ?
                DSA_TEST_WQ_DEDICATED | DSA_TEST_WQ_PRIO(1) |
                DSA_TEST_WQ_PASID(MARK) : shared(1));
    if (state != DEVICE_OFF) {
        dsa_test_cmd_ok(t, DSA_TEST_ENABLE_DEV, 0);
    }
    if (state != DEVICE_OFF && state != WQ_OFF) {
        dsa_test_cmd_ok(t, DSA_TEST_ENABLE_WQ, 0);
    }
    dsa_test_pause(t);
    if (state != DEVICE_OFF && state != WQ_OFF) {
        dsa_test_desc(&d, raw);
        g_assert_cmpint(dsa_test_submit_raw(t, 0, 0, !dedicated, raw), ==,
                        QTEST_DMWR_ACCEPTED);
    }
    begin(t, state);
}

/* What posted writes lose stays lost; deferrable ones come back */
static bool gets_in(State state, bool dedicated, bool deferrable)
{
    if (dedicated == deferrable) {
        return false;
    }
    return state == ON || state == DRAIN_PASID ||
           (dedicated && (state == DRAIN_WQ || state == DRAIN_ALL));
}

static void test_admission(Fixture *f, const void *unused)
{
    DSATest *t = f->t;
    uint8_t raw[64];
    DSATestDesc d = noop(9);
    unsigned i;

    dsa_test_desc(&d, raw);
    /* Every state, mode, page and kind of write */
    for (i = 0; i < STATES * 2 * PAGES * 2; i++) {
        State state = i / (2 * PAGES * 2);
        bool dedicated = i / (PAGES * 2) % 2, deferrable = i % 2;
        unsigned page = i / 2 % PAGES, was;
        bool in = gets_in(state, dedicated, deferrable);

        enter(t, state, dedicated);
        was = dsa_test_occupancy(t, 0);
        g_test_message("state %u, %s, page %u, %s", state,
                       dedicated ? "dedicated" : "shared", page,
                       deferrable ? "deferrable" : "posted");
        g_assert_cmpint(dsa_test_submit_raw(t, 0, page, deferrable, raw), ==,
                        in ? QTEST_DMWR_ACCEPTED : QTEST_DMWR_RETRY);
        g_assert_cmpuint(dsa_test_occupancy(t, 0), ==, was + in);
        g_assert_cmphex(dsa_test_swerr(t), ==,
                        in || deferrable ? 0 : DROPPED);
        dsa_test_resume(t);
        dsa_test_cmd_wait(t);
    }
}

/* After a drain the queue is as open as before it */
static void test_drain_over(Fixture *f, const void *unused)
{
    static const struct {
        uint32_t code, operand;
    } drains[] = {
        { DSA_TEST_DRAIN_WQ, 1 }, { DSA_TEST_DRAIN_ALL, 0 },
    };
    DSATest *t = f->t;
    unsigned i;

    one_shared(t, 8, 6);
    for (i = 0; i < ARRAY_SIZE(drains); i++) {
        dsa_test_pause(t);
        g_assert_cmpint(enqueue_cr(t, 0, 1, 0), ==, QTEST_DMWR_ACCEPTED);
        dsa_test_cmd_start(t, drains[i].code, drains[i].operand);
        g_assert_cmpint(enqueue(t, 0, 1), ==, QTEST_DMWR_RETRY);
        /* One command at a time, also if it would help */
        dsa_test_cmd_start(t, DSA_TEST_ABORT_ALL, 0);
        g_assert_cmphex(dsa_test_swerr(t), ==, 0x52);
        dsa_test_resume(t);
        g_assert_cmphex(dsa_test_cmd_wait(t), ==, 0);
        g_assert_cmphex(qtest_readb(t->qts, CR), ==, DSA_TEST_SUCCESS);
        dsa_test_pause(t);
        g_assert_cmpuint(fill_up(t, LIMITED, 1), ==, 6);
        dsa_test_resume(t);
        dsa_test_cmd_ok(t, DSA_TEST_DRAIN_ALL, 0);
    }
}

/* A halt or a reset in the middle of a drain leaves no queue shut */
static void test_drain_reset(Fixture *f, const void *unused)
{
    DSATest *t = f->t;
    unsigned i;

    for (i = 0; i < 2; i++) {
        one_shared(t, 8, 6);
        dsa_test_pause(t);
        g_assert_cmpint(enqueue(t, 0, 1), ==, QTEST_DMWR_ACCEPTED);
        dsa_test_cmd_start(t, DSA_TEST_DRAIN_WQ, 1);
        if (i == 0) {
            qpci_config_writew(t->dev, PCI_COMMAND, PCI_COMMAND_MEMORY);
            g_assert_cmphex(dsa_test_cmd_wait(t), ==, 3);
        }
        dsa_test_resume(t);
        dsa_test_flr(t);
        one_shared(t, 8, 6);
        dsa_test_pause(t);
        g_assert_cmpuint(fill_up(t, LIMITED, 1), ==, 6);
        dsa_test_resume(t);
        dsa_test_cmd_ok(t, DSA_TEST_RESET_DEV, 0);
    }
}

/* A posted write to a shared queue: SWERR says whose it was */
static void test_dropped(Fixture *f, const void *unused)
{
    DSATest *t = f->t;
    DSATestDesc d = { .opcode = DSA_TEST_FILL, .pasid = 0x81234,
                      .priv = true };
    uint64_t err;

    one_shared(t, 8, 6);
    dsa_test_submit(t, 0, &d);
    err = dsa_test_read64(t, DSA_TEST_SWERR);
    /* valid, descriptor and queue valid, privileged; 9.2.14 */
    g_assert_cmphex(err & 0xff, ==, 1 | 1 << 2 | 1 << 3 | 1 << 6);
    g_assert_cmphex(err >> 8 & 0xff, ==, DROPPED);
    g_assert_cmphex(err >> 16 & 0xff, ==, 0);
    g_assert_cmphex(err >> 32 & 0xff, ==, DSA_TEST_FILL);
    g_assert_cmphex(err >> 40 & 0xfffff, ==, 0x81234);
    /* Until it is acknowledged others only count as overflow */
    d.opcode = DSA_TEST_NOOP;
    dsa_test_submit(t, 0, &d);
    g_assert_cmphex(dsa_test_read64(t, DSA_TEST_SWERR), ==, err | 2);
}

/* --- how many ------------------------------------------------------------- */

static void check_limits(DSATest *t, unsigned size, unsigned threshold)
{
    unsigned round, n;

    one_shared(t, size, threshold);
    for (round = 0; round < 4; round++) {
        unsigned page = round % 2 ? LIMITED | IMS : LIMITED;

        dsa_test_pause(t);
        for (n = 0; n < threshold; n++) {
            g_assert_cmpuint(dsa_test_occupancy(t, 0), ==, n);
            g_assert_cmpint(enqueue(t, page, n), ==, QTEST_DMWR_ACCEPTED);
        }
        g_assert_cmpint(enqueue(t, LIMITED, 1), ==, QTEST_DMWR_RETRY);
        g_assert_cmpint(enqueue(t, LIMITED | IMS, 1), ==, QTEST_DMWR_RETRY);
        for (; n < size; n++) {
            g_assert_cmpuint(dsa_test_occupancy(t, 0), ==, n);
            g_assert_cmpint(enqueue(t, page & IMS, n), ==,
                            QTEST_DMWR_ACCEPTED);
            g_assert_cmpint(enqueue(t, page, n), ==, QTEST_DMWR_RETRY);
        }
        for (n = 0; n < PAGES; n++) {
            g_assert_cmpint(enqueue(t, n, 1), ==, QTEST_DMWR_RETRY);
        }
        g_assert_cmpuint(dsa_test_occupancy(t, 0), ==, size);
        g_assert_cmphex(dsa_test_swerr(t), ==, 0);
        dsa_test_resume(t);
        dsa_test_cmd_ok(t, DSA_TEST_DRAIN_ALL, 0);
        g_assert_cmpuint(dsa_test_occupancy(t, 0), ==, 0);
    }
    dsa_test_cmd_ok(t, DSA_TEST_RESET_DEV, 0);
}

/* The threshold on limited pages, the size on the others, to the descriptor */
static void test_limits(Fixture *f, const void *unused)
{
    static const unsigned sizes[] = { 1, 2, 5, 16, 100, 128 };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(sizes); i++) {
        unsigned size = sizes[i];

        check_limits(f->t, size, 0);
        check_limits(f->t, size, 1);
        check_limits(f->t, size, size / 2);
        check_limits(f->t, size, size - 1);
        check_limits(f->t, size, size);
    }
}

/* In a dedicated queue the size counts on every page */
static void test_dedicated_limits(Fixture *f, const void *unused)
{
    DSATest *t = f->t;
    DSATestDesc d = noop(0);
    uint8_t raw[64];
    unsigned page, n;

    dsa_test_desc(&d, raw);
    dsa_test_group(t, 0, 1, 1);
    dsa_test_wq(t, 0, 5, 2, DSA_TEST_WQ_DEDICATED | DSA_TEST_WQ_PRIO(1));
    dsa_test_cmd_ok(t, DSA_TEST_ENABLE_DEV, 0);
    dsa_test_cmd_ok(t, DSA_TEST_ENABLE_WQ, 0);
    for (page = 0; page < PAGES; page++) {
        dsa_test_pause(t);
        for (n = 0; n < 5; n++) {
            g_assert_cmpint(dsa_test_submit_raw(t, 0, page, false, raw), ==,
                            QTEST_DMWR_ACCEPTED);
        }
        g_assert_cmpint(dsa_test_submit_raw(t, 0, page, false, raw), ==,
                        QTEST_DMWR_RETRY);
        g_assert_cmphex(dsa_test_swerr(t), ==, DROPPED);
        dsa_test_resume(t);
        dsa_test_cmd_ok(t, DSA_TEST_DRAIN_ALL, 0);
    }
}

/* --- abort by PASID ------------------------------------------------------- */

/*
 * What is taken out leaves no holes: as many get in again at once, and what
 * stays is carried out, in order or not, once.
 */
static void test_abort_pasid(Fixture *f, const void *unused)
{
    DSATest *t = f->t;
    unsigned i;

    one_shared(t, 12, 9);
    dsa_test_pause(t);
    for (i = 0; i < 12; i++) {
        g_assert_cmpint(enqueue_cr(t, 0, i % 3 + 1, i), ==,
                        QTEST_DMWR_ACCEPTED);
    }
    g_assert_cmpint(enqueue(t, 0, 1), ==, QTEST_DMWR_RETRY);
    /* Nobody's, and one whose low bits are the same */
    dsa_test_cmd_ok(t, DSA_TEST_ABORT_PASID, 7);
    dsa_test_cmd_ok(t, DSA_TEST_ABORT_PASID, 0x80002);
    g_assert_cmpuint(dsa_test_occupancy(t, 0), ==, 12);
    /* From the middle */
    dsa_test_cmd_ok(t, DSA_TEST_ABORT_PASID, 2);
    g_assert_cmpuint(dsa_test_occupancy(t, 0), ==, 8);
    g_assert_cmpuint(fill_up(t, LIMITED, 4), ==, 1);
    g_assert_cmpuint(fill_up(t, 0, 5), ==, 3);
    /* From the end */
    dsa_test_cmd_ok(t, DSA_TEST_ABORT_PASID, 5);
    dsa_test_cmd_ok(t, DSA_TEST_ABORT_PASID, 4);
    g_assert_cmpuint(dsa_test_occupancy(t, 0), ==, 8);
    for (i = 12; i < 16; i++) {
        g_assert_cmpint(enqueue_cr(t, 0, 1, i), ==, QTEST_DMWR_ACCEPTED);
    }
    g_assert_cmpint(enqueue(t, 0, 1), ==, QTEST_DMWR_RETRY);
    dsa_test_cmd_ok(t, DSA_TEST_ABORT_PASID, 3);
    dsa_test_resume(t);
    dsa_test_cmd_ok(t, DSA_TEST_DRAIN_ALL, 0);
    for (i = 0; i < 16; i++) {
        bool lives = i >= 12 || i % 3 == 0;

        g_assert_cmphex(qtest_readb(t->qts, cr_at(i)), ==,
                        lives ? DSA_TEST_SUCCESS : 0);
    }
    g_assert_cmpuint(dsa_test_occupancy(t, 0), ==, 0);
}

/* An abort brings the occupancy down, too: that is worth an interrupt */
static void test_abort_interrupt(Fixture *f, const void *unused)
{
    DSATest *t = f->t;
    unsigned i;

    one_shared(t, 8, 8);
    dsa_test_pause(t);
    for (i = 0; i < 8; i++) {
        g_assert_cmpint(enqueue(t, 0, i % 2 + 1), ==, QTEST_DMWR_ACCEPTED);
    }
    dsa_test_write(t, t->wqcfg + 16, 1);
    dsa_test_write(t, t->wqcfg + 20, 1 << 16 | 4);
    g_assert_cmphex(dsa_test_read(t, DSA_TEST_INTCAUSE), ==, 0);
    dsa_test_cmd_ok(t, DSA_TEST_ABORT_PASID, 2);
    g_assert_cmphex(dsa_test_read(t, DSA_TEST_INTCAUSE), ==, 4);
    g_assert_cmphex(dsa_test_wqcfg(t, 0, 5), ==, 4);
    dsa_test_resume(t);
}

/* --- commands ------------------------------------------------------------- */

static void test_enable(Fixture *f, const void *unused)
{
    static const struct {
        unsigned size, threshold;
        uint32_t mode;
        uint8_t status;
    } cases[] = {
        { 16, 0, DSA_TEST_WQ_PRIO(1) | 1 << 28, 0 },
        { 16, 16, DSA_TEST_WQ_PRIO(1) | 1 << 28, 0 },
        { 16, 17, DSA_TEST_WQ_PRIO(1) | 1 << 28, 0x22 },
        { 0, 0, DSA_TEST_WQ_PRIO(1) | 1 << 28, 0x22 },
        { 16, 8, 1 << 28, 0x23 },
        { 16, 8, DSA_TEST_WQ_PRIO(1), 0x26 },
        /* A shared queue's own PASID and privilege mean nothing */
        { 16, 8, DSA_TEST_WQ_PRIO(15) | DSA_TEST_WQ_PASID(0xfffff), 0 },
        { 16, 8, DSA_TEST_WQ_PRIO(1) | 1 << 28 | DSA_TEST_WQ_PRIV, 0 },
        { 16, 8, DSA_TEST_WQ_PRIO(1) | 1 << 28 | DSA_TEST_WQ_BOF, 0 },
    };
    DSATest *t = f->t;
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(cases); i++) {
        dsa_test_cmd_ok(t, DSA_TEST_RESET_DEV, 0);
        enable_pasids(t);
        dsa_test_group(t, 0, 1, 1);
        /* The sum of sizes must be right; another queue has some */
        dsa_test_group(t, 0, 3, 1);
        dsa_test_wq(t, 1, 8, 8, shared(1));
        dsa_test_wq(t, 0, cases[i].size, cases[i].threshold, cases[i].mode);
        dsa_test_cmd_ok(t, DSA_TEST_ENABLE_DEV, 0);
        g_assert_cmphex(dsa_test_cmd(t, DSA_TEST_ENABLE_WQ, 0), ==,
                        cases[i].status);
        g_assert_cmpint(enqueue(t, 0, 1) == QTEST_DMWR_ACCEPTED, ==,
                        !cases[i].status);
    }
    /* Without the capability enabled there are no PASIDs */
    dsa_test_cmd_ok(t, DSA_TEST_RESET_DEV, 0);
    dsa_test_cfg_writew(t, dsa_test_ext_cap(t, PCI_EXT_CAP_ID_PASID) +
                        PCI_PASID_CTRL, 0);
    dsa_test_group(t, 0, 1, 1);
    dsa_test_wq(t, 0, 8, 8, shared(1));
    dsa_test_cmd_ok(t, DSA_TEST_ENABLE_DEV, 0);
    g_assert_cmphex(dsa_test_cmd(t, DSA_TEST_ENABLE_WQ, 0), ==, 0x26);
}

/* The device's PASIDs are 8 bits wide */
static void test_narrow_pasids(Fixture *f, const void *unused)
{
    DSATest *t = f->t;
    uint32_t cap = dsa_test_cfg(t, dsa_test_ext_cap(t, PCI_EXT_CAP_ID_PASID) +
                                PCI_PASID_CAP);

    g_assert_cmpuint(cap >> 8 & 0x1f, ==, 8);
    enable_pasids(t);
    dsa_test_group(t, 0, 1, 1);
    dsa_test_wq(t, 0, 8, 8, DSA_TEST_WQ_DEDICATED | DSA_TEST_WQ_PRIO(1) |
                DSA_TEST_WQ_PASID(0x100));
    dsa_test_cmd_ok(t, DSA_TEST_ENABLE_DEV, 0);
    g_assert_cmphex(dsa_test_cmd(t, DSA_TEST_ENABLE_WQ, 0), ==, 0x26);
    dsa_test_write(t, t->wqcfg + 8, DSA_TEST_WQ_DEDICATED |
                   DSA_TEST_WQ_PRIO(1) | DSA_TEST_WQ_PASID(0xff));
    dsa_test_cmd_ok(t, DSA_TEST_ENABLE_WQ, 0);
}

/* --- whose turn it is ----------------------------------------------------- */

typedef struct Turn {
    unsigned group, priority, size;
    bool dedicated;
} Turn;

/*
 * Descriptors that log in which order they are carried out: batches that move
 * the log up by one byte and put the number of their queue before it.
 */
static void submit_logger(DSATest *t, unsigned wq, unsigned n, bool dedicated)
{
    uint64_t list = LISTS + n * 128;
    DSATestDesc move = {
        .opcode = DSA_TEST_MEMMOVE, .addr1 = LOG, .addr2 = LOG + 1,
        .size = LOG_SIZE - 1,
    };
    DSATestDesc put = {
        .opcode = DSA_TEST_FILL, .addr1 = '0' + wq, .addr2 = LOG, .size = 1,
    };
    DSATestDesc batch = {
        .opcode = DSA_TEST_BATCH, .flags = REPORT, .cr = cr_at(n),
        .addr1 = list, .size = 2, .pasid = wq + 1,
    };
    uint8_t raw[64];

    dsa_test_desc(&move, raw);
    qtest_memwrite(t->qts, list, raw, 64);
    put.flags = DSA_TEST_FENCE;
    dsa_test_desc(&put, raw);
    qtest_memwrite(t->qts, list + 64, raw, 64);
    dsa_test_clear_cr(t, batch.cr);
    dsa_test_desc(&batch, raw);
    g_assert_cmpint(dsa_test_submit_raw(t, wq, 0, !dedicated, raw), ==,
                    QTEST_DMWR_ACCEPTED);
}

/* Fill all queues, let them go, and return the log, oldest first */
static char *run_turns(DSATest *t, const Turn *turns, unsigned queues)
{
    unsigned i, n, total = 0;
    uint32_t groups[4] = { 0 };
    char *log;

    enable_pasids(t);
    for (i = 0; i < queues; i++) {
        groups[turns[i].group] |= 1u << i;
        dsa_test_wq(t, i, turns[i].size, turns[i].size, turns[i].dedicated ?
                    DSA_TEST_WQ_DEDICATED |
                    DSA_TEST_WQ_PRIO(turns[i].priority) :
                    shared(turns[i].priority));
    }
    for (i = 0; i < ARRAY_SIZE(groups); i++) {
        dsa_test_group(t, i, groups[i], groups[i] ? 1u << i : 0);
    }
    dsa_test_cmd_ok(t, DSA_TEST_ENABLE_DEV, 0);
    for (i = 0; i < queues; i++) {
        dsa_test_cmd_ok(t, DSA_TEST_ENABLE_WQ, i);
    }
    qtest_memset(t->qts, LOG, '-', LOG_SIZE);
    dsa_test_pause(t);
    for (i = 0; i < queues; i++) {
        for (n = 0; n < turns[i].size; n++) {
            submit_logger(t, i, total++, turns[i].dedicated);
        }
    }
    dsa_test_resume(t);
    dsa_test_cmd_ok(t, DSA_TEST_DRAIN_ALL, 0);
    for (n = 0; n < total; n++) {
        g_assert_cmphex(qtest_readb(t->qts, cr_at(n)), ==, DSA_TEST_SUCCESS);
    }
    log = g_malloc0(LOG_SIZE);
    qtest_memread(t->qts, LOG, log, total);
    g_strreverse(log);
    g_test_message("%s", log);
    g_assert_cmpuint(strlen(log), ==, total);
    return log;
}

static unsigned count(const char *log, unsigned from, unsigned len, char what)
{
    unsigned i, n = 0;

    for (i = from; i < from + len; i++) {
        n += log[i] == what;
    }
    return n;
}

/*
 * While all queues of a group have work, each gets its priority's part of any
 * stretch as long as the sum of priorities, whatever its mode.
 */
static void test_priorities(Fixture *f, const void *unused)
{
    static const Turn turns[] = {
        { 0, 8, 48, true }, { 0, 4, 48, false }, { 0, 1, 24, false },
    };
    g_autofree char *log = run_turns(f->t, turns, ARRAY_SIZE(turns));
    unsigned at;

    for (at = 0; at + 13 <= 78; at++) {
        g_assert_cmpuint(count(log, at, 13, '0'), ==, 8);
        g_assert_cmpuint(count(log, at, 13, '1'), ==, 4);
        g_assert_cmpuint(count(log, at, 13, '2'), ==, 1);
    }
    /* Then the two that are left, and in the end the last alone */
    g_assert_cmpuint(count(log, 0, 78, '0'), ==, 48);
    g_assert_cmpuint(count(log, 78, 30, '1'), ==, 24);
    g_assert_cmpuint(count(log, 78, 30, '2'), ==, 6);
    g_assert_cmpuint(count(log, 108, 12, '2'), ==, 12);
}

/* Equal priorities: in turn */
static void test_equals(Fixture *f, const void *unused)
{
    static const Turn turns[] = {
        { 0, 15, 30, false }, { 0, 15, 30, true },
        { 0, 15, 30, false }, { 0, 15, 30, true },
    };
    g_autofree char *log = run_turns(f->t, turns, ARRAY_SIZE(turns));
    unsigned at, wq;

    for (at = 0; at + 4 <= 120; at++) {
        for (wq = 0; wq < 4; wq++) {
            g_assert_cmpuint(count(log, at, 4, '0' + wq), ==, 1);
        }
    }
}

/* Groups take turns however high the priorities in one of them are */
static void test_groups(Fixture *f, const void *unused)
{
    static const Turn turns[] = {
        { 0, 15, 20, true }, { 0, 15, 20, false }, { 1, 1, 40, false },
        { 2, 7, 40, true },
    };
    g_autofree char *log = run_turns(f->t, turns, ARRAY_SIZE(turns));
    unsigned at;

    for (at = 0; at + 6 <= 120; at++) {
        g_assert_cmpuint(count(log, at, 6, '0'), ==, 1);
        g_assert_cmpuint(count(log, at, 6, '1'), ==, 1);
        g_assert_cmpuint(count(log, at, 6, '2'), ==, 2);
        g_assert_cmpuint(count(log, at, 6, '3'), ==, 2);
    }
}

/* --- migration ------------------------------------------------------------ */

static void test_migration(Fixture *f, const void *unused)
{
    DSATest *t = f->t;
    unsigned i;

    one_shared(t, 10, 6);
    dsa_test_pause(t);
    for (i = 0; i < 6; i++) {
        g_assert_cmpint(enqueue_cr(t, LIMITED, i % 2 + 1, i), ==,
                        QTEST_DMWR_ACCEPTED);
    }
    dsa_test_migrate(t, "");
    /* Limits, PASIDs and places as before */
    g_assert_cmpuint(dsa_test_occupancy(t, 0), ==, 6);
    g_assert_cmpint(enqueue(t, LIMITED, 1), ==, QTEST_DMWR_RETRY);
    dsa_test_cmd_ok(t, DSA_TEST_ABORT_PASID, 2);
    g_assert_cmpuint(dsa_test_occupancy(t, 0), ==, 3);
    g_assert_cmpuint(fill_up(t, LIMITED, 3), ==, 3);
    g_assert_cmpuint(fill_up(t, 0, 3), ==, 4);

    /* And once more, in the middle of a drain */
    dsa_test_cmd_ok(t, DSA_TEST_ABORT_PASID, 3);
    dsa_test_cmd_start(t, DSA_TEST_DRAIN_WQ, 1);
    g_assert_cmpint(enqueue(t, 0, 3), ==, QTEST_DMWR_RETRY);
    dsa_test_migrate(t, "");
    g_assert_cmphex(dsa_test_read(t, DSA_TEST_CMDSTS), ==,
                    DSA_TEST_CMDSTS_ACTIVE);
    g_assert_cmpint(enqueue(t, 0, 3), ==, QTEST_DMWR_RETRY);
    dsa_test_resume(t);
    g_assert_cmphex(dsa_test_cmd_wait(t), ==, 0);
    for (i = 0; i < 6; i++) {
        g_assert_cmphex(qtest_readb(t->qts, cr_at(i)), ==,
                        i % 2 ? 0 : DSA_TEST_SUCCESS);
    }
    dsa_test_pause(t);
    g_assert_cmpuint(fill_up(t, LIMITED, 3), ==, 6);
    dsa_test_resume(t);
}

#define SWQ_TEST(name, props, fn) \
    qtest_add("/dsa/swq/" name, Fixture, props, dsa_test_setup, fn, \
              dsa_test_teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    SWQ_TEST("admission", NULL, test_admission);
    SWQ_TEST("drain-over", NULL, test_drain_over);
    SWQ_TEST("drain-reset", NULL, test_drain_reset);
    SWQ_TEST("dropped", NULL, test_dropped);
    SWQ_TEST("limits", NULL, test_limits);
    SWQ_TEST("dedicated-limits", NULL, test_dedicated_limits);
    SWQ_TEST("abort-pasid", NULL, test_abort_pasid);
    SWQ_TEST("abort-interrupt", NULL, test_abort_interrupt);
    SWQ_TEST("enable", NULL, test_enable);
    SWQ_TEST("narrow-pasids", ",pasid-bits=8", test_narrow_pasids);
    SWQ_TEST("priorities", ",workers=1", test_priorities);
    SWQ_TEST("equals", ",workers=1", test_equals);
    SWQ_TEST("groups", ",workers=1", test_groups);
    SWQ_TEST("migration", NULL, test_migration);
    return g_test_run();
}
