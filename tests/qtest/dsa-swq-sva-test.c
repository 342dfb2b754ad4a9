/*
 * intel-dsa: one shared queue for several address spaces behind an IOMMU: each
 * descriptor works in the one that its PASID names, what is wrong with one
 * hurts no other, and what waits for a page holds up nobody but its own
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/pci/pci_regs.h"
#include "qobject/qdict.h"
#include "dsa-iommu-lib.h"

#define LIMITED     1
#define IN_FLIGHT   128     /* of one queue that engines hold, besides it */
#define SIZE        16
#define THRESHOLD   12

/* Three processes with the same addresses and memory of their own */
#define PROCESSES   3
#define STRIDE      (4 * MB)
#define MISSING     (VA + 16 * MB)      /* no page there */

typedef struct Process {
    uint32_t pasid;
    uint64_t root;
    uint64_t phys;          /* of VA, 16 pages */
    uint64_t records;       /* of CRS, one page */
} Process;

typedef struct Fixture {
    DSAIommu f;
    Process p[PROCESSES];
} Fixture;

/* SWERR, DSA 9.2.14 */
typedef struct Error {
    uint8_t error, wq, opcode;
    bool batch, write, priv;
    uint32_t pasid;
    uint64_t addr;
} Error;

static const DSAIommuSetup faults = {
    .iommu = "intel-vtd", .ats = true, .pri = true,
};
static const DSAIommuSetup no_ats = { .iommu = "intel-vtd" };

static void map(Fixture *x, const Process *p, uint64_t va, uint64_t phys,
                uint64_t size)
{
    vtd_test_map_first(&x->f.v, p->root, LEVELS, 1, va, phys, size);
}

static void add_process(Fixture *x, unsigned i, uint32_t pasid)
{
    Process *p = &x->p[i];

    p->pasid = pasid;
    p->root = i ? vtd_test_page(&x->f.v) : x->f.root;
    p->phys = PHYS + i * STRIDE;
    p->records = i ? CRS_PHYS + i * PAGE : CRS_PHYS;
    vtd_test_set_pasid(&x->f.v, x->f.dir, pasid, VTD_TEST_FIRST, p->root,
                       LEVELS, 0, 0, DID + 2 + i);
    map(x, p, VA, p->phys, 16 * PAGE);
    if (i) {
        map(x, p, CRS, p->records, PAGE);
    }
    /* The table that MISSING's page will be in */
    map(x, p, MISSING - PAGE, p->phys + MB, PAGE);
    qtest_memset(x->f.t->qts, p->records, 0, PAGE);
    qtest_memset(x->f.t->qts, p->phys, 0x10 + i, 16 * PAGE);
}

/* Queue 0 shared with block on fault; queue 1 dedicated to the first process */
static void enable_queues(Fixture *x)
{
    DSATest *t = x->f.t;

    dsa_test_cmd_ok(t, DSA_TEST_RESET_DEV, 0);
    /* User-mode interrupts, DSA 9.2.8 */
    dsa_test_write(t, DSA_TEST_GENCFG, 1 << 12);
    dsa_test_group(t, 0, 3, 1);
    dsa_test_wq(t, 0, SIZE, THRESHOLD, DSA_TEST_WQ_PRIO(15) |
                DSA_TEST_WQ_PASID(0) | DSA_TEST_WQ_BOF);
    dsa_test_wq(t, 1, SIZE, 0, DSA_TEST_WQ_PRIO(1) | DSA_TEST_WQ_DEDICATED |
                DSA_TEST_WQ_PASID(PASID));
    dsa_test_cmd_ok(t, DSA_TEST_ENABLE_DEV, 0);
    dsa_test_cmd_ok(t, DSA_TEST_ENABLE_WQ, 0);
    dsa_test_cmd_ok(t, DSA_TEST_ENABLE_WQ, 1);
}

static void setup(Fixture *x, const void *how)
{
    di_setup(&x->f, how ?: &faults);
    add_process(x, 0, PASID);
    add_process(x, 1, 0xfffff);
    add_process(x, 2, 0x00002);
    vtd_test_flush_all(&x->f.v);
    enable_queues(x);
}

static void teardown(Fixture *x, const void *unused)
{
    di_teardown(&x->f, NULL);
}

/* --- descriptors ---------------------------------------------------------- */

static DSATestDesc desc(const Process *p, uint8_t opcode, uint64_t a,
                        uint64_t b, uint32_t size)
{
    DSATestDesc d = di_desc(opcode, a, b, size);

    d.pasid = p->pasid;
    return d;
}

static uint64_t record(const Process *p, const DSATestDesc *d)
{
    return p->records + d->cr % PAGE;
}

static void submit(Fixture *x, const Process *p, const DSATestDesc *d)
{
    dsa_test_clear_cr(x->f.t, record(p, d));
    g_assert_cmpint(dsa_test_enqueue(x->f.t, 0, 0, d), ==,
                    QTEST_DMWR_ACCEPTED);
}

static uint8_t finish(Fixture *x, const Process *p, const DSATestDesc *d)
{
    submit(x, p, d);
    return dsa_test_wait_cr(x->f.t, record(p, d));
}

/* A fill that waits for a page, with the process's @index-th record */
static DSATestDesc blocked(const Process *p, unsigned index)
{
    DSATestDesc d = desc(p, DSA_TEST_FILL, 0x7171717171717171, MISSING, 8);

    d.flags |= BOF;
    d.cr += index * DSA_TEST_CR_SIZE;
    return d;
}

static void wait_occupancy(Fixture *x, unsigned n)
{
    unsigned i;

    for (i = 0; dsa_test_occupancy(x->f.t, 0) != n; i++) {
        g_assert_cmpuint(i, <, 100000);
        g_usleep(100);
    }
}

static bool get_error(Fixture *x, Error *e)
{
    uint64_t q = dsa_test_read64(x->f.t, DSA_TEST_SWERR);

    *e = (Error) {
        .error = q >> 8, .wq = q >> 16, .opcode = q >> 32,
        .batch = q >> 4 & 1, .write = q >> 5 & 1, .priv = q >> 6 & 1,
        .pasid = q >> 40 & 0xfffff,
        .addr = dsa_test_read64(x->f.t, DSA_TEST_SWERR + 16),
    };
    if (q & 1) {
        g_assert_cmphex(q & 0xe, ==, 0xc);  /* no overflow; both valid */
        dsa_test_write64(x->f.t, DSA_TEST_SWERR, 3);
    }
    return q & 1;
}

/* Nobody can be told but by SWERR */
static Error lone_error(Fixture *x, const DSATestDesc *d)
{
    Error e;
    unsigned i;

    g_assert_cmpint(dsa_test_enqueue(x->f.t, 0, 0, d), ==,
                    QTEST_DMWR_ACCEPTED);
    for (i = 0; !get_error(x, &e); i++) {
        g_assert_cmpuint(i, <, 100000);
        g_usleep(100);
    }
    g_assert_cmpuint(e.wq, ==, 0);
    g_assert_cmphex(e.opcode, ==, d->opcode);
    g_assert_cmphex(e.pasid, ==, d->pasid);
    return e;
}

static uint8_t byte_at(Fixture *x, unsigned i, uint64_t va)
{
    return qtest_readb(x->f.t->qts, x->p[i].phys + (va - VA));
}

/* --- address spaces ------------------------------------------------------- */

/* The same descriptor but for the PASID, in each one's memory alone */
static void test_isolation(Fixture *x, const void *unused)
{
    unsigned i, round;

    for (round = 0; round < 4; round++) {
        for (i = 0; i < PROCESSES; i++) {
            DSATestDesc d = desc(&x->p[i], DSA_TEST_MEMMOVE, VA,
                                 VA + (2 + 2 * i) * PAGE, 2 * PAGE - 1);

            g_assert_cmphex(finish(x, &x->p[i], &d), ==, DSA_TEST_SUCCESS);
        }
        for (i = 0; i < PROCESSES; i++) {
            DSATestDesc d = desc(&x->p[i], DSA_TEST_FILL,
                                 0x0101010101010101ull * (round * 16 + i),
                                 VA, PAGE);

            g_assert_cmphex(finish(x, &x->p[i], &d), ==, DSA_TEST_SUCCESS);
        }
        for (i = 0; i < PROCESSES; i++) {
            uint8_t old = round ? (round - 1) * 16 + i : 0x10 + i;

            g_assert_cmphex(byte_at(x, i, VA + PAGE - 1), ==, round * 16 + i);
            g_assert_cmphex(byte_at(x, i, VA + (2 + 2 * i) * PAGE), ==, old);
            g_assert_cmphex(byte_at(x, i, VA + (2 + 2 * ((i + 1) % 3)) * PAGE),
                            ==, 0x10 + i);
        }
    }
}

/* PASIDs in a batch's list mean nothing: children have the parent's */
static void test_batch(Fixture *x, const void *unused)
{
    const Process *p = &x->p[1];
    DSATestDesc batch = desc(p, DSA_TEST_BATCH, VA + 8 * PAGE, 0, 2);
    unsigned i;

    for (i = 0; i < 2; i++) {
        DSATestDesc child = desc(&x->p[i * 2], DSA_TEST_FILL,
                                 0x6060606060606060, VA + i * PAGE, 64);
        uint8_t raw[64];

        child.flags = 0;
        child.priv = true;
        dsa_test_desc(&child, raw);
        qtest_memwrite(x->f.t->qts, p->phys + 8 * PAGE + i * 64, raw, 64);
    }
    g_assert_cmphex(finish(x, p, &batch), ==, DSA_TEST_SUCCESS);
    for (i = 0; i < 2; i++) {
        g_assert_cmphex(byte_at(x, 0, VA + i * PAGE), ==, 0x10);
        g_assert_cmphex(byte_at(x, 1, VA + i * PAGE), ==, 0x60);
        g_assert_cmphex(byte_at(x, 2, VA + i * PAGE), ==, 0x12);
    }
}

/* --- errors --------------------------------------------------------------- */

/* The others' work goes on as if nothing had been */
static void expect_healthy(Fixture *x)
{
    unsigned i;
    Error e;

    for (i = 0; i < PROCESSES; i++) {
        DSATestDesc d = desc(&x->p[i], DSA_TEST_MEMMOVE, VA, VA + 4 * PAGE,
                             PAGE);

        g_assert_cmphex(finish(x, &x->p[i], &d), ==, DSA_TEST_SUCCESS);
    }
    g_assert_false(get_error(x, &e));
}

static void test_wrong_pasid(Fixture *x, const void *unused)
{
    static const uint32_t pasids[] = { 3, PASID + 1, 0x7ffff };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(pasids); i++) {
        const Process nobody = { .pasid = pasids[i] };
        DSATestDesc d = desc(&nobody, DSA_TEST_MEMMOVE, VA, VA + PAGE, 64);
        Error e = lone_error(x, &d);

        /* The record's address faults; a page request is no way out */
        g_assert_cmphex(e.error, ==, 0x1a);
        g_assert_true(e.write);
        g_assert_cmphex(e.addr, ==, CRS);
        /* Without a record the operand is what is told */
        d.flags = BOF;
        e = lone_error(x, &d);
        g_assert_cmphex(e.error, ==, 0x04);
        g_assert_cmphex(e.addr & ~(PAGE - 1), ==, VA);
        expect_healthy(x);
    }
    g_assert_cmphex(byte_at(x, 0, VA + PAGE), ==, 0x10);
}

/* Privileged mode that the function may not use */
static void test_wrong_privilege(Fixture *x, const void *unused)
{
    DSATestDesc d = desc(&x->p[1], DSA_TEST_FILL, 1, VA, 64);
    Error e;

    d.priv = true;
    e = lone_error(x, &d);
    g_assert_true(e.priv);
    g_assert_cmphex(e.error, ==, 0x1a);
    d.flags = 0;
    e = lone_error(x, &d);
    g_assert_true(e.priv);
    g_assert_cmphex(e.error, ==, 0x1d);
    g_assert_cmphex(byte_at(x, 1, VA), ==, 0x11);
    expect_healthy(x);
}

/* The capability is disabled under the enabled queue, and enabled again */
static void test_pasid_disabled(Fixture *x, const void *unused)
{
    DSATest *t = x->f.t;
    DSATestDesc d = desc(&x->p[0], DSA_TEST_FILL, 1, VA, 64);
    unsigned cap = dsa_test_ext_cap(t, PCI_EXT_CAP_ID_PASID);
    unsigned ats = dsa_test_ext_cap(t, PCI_EXT_CAP_ID_ATS);
    Error e;

    expect_healthy(x);
    /* Software turns off ATS first */
    dsa_test_cfg_writew(t, ats + PCI_ATS_CTRL, 0);
    dsa_test_cfg_writew(t, cap + PCI_PASID_CTRL, 0);
    e = lone_error(x, &d);
    g_assert_cmphex(e.error, ==, 0x1a);
    g_assert_cmphex(byte_at(x, 0, VA), ==, 0x10);
    dsa_test_cfg_writew(t, cap + PCI_PASID_CTRL, PCI_PASID_CTRL_ENABLE);
    expect_healthy(x);
}

static void test_reserved(Fixture *x, const void *unused)
{
    DSATest *t = x->f.t;
    const Process *p = &x->p[2];
    DSATestDesc d = desc(p, DSA_TEST_FILL, 1, VA, 64);
    uint8_t raw[64];
    unsigned bit;

    /* Bits 30:20 of the first doubleword (DSA 8.1.1) */
    for (bit = 20; bit < 31; bit++) {
        dsa_test_desc(&d, raw);
        stl_le_p(raw, ldl_le_p(raw) | 1u << bit);
        dsa_test_clear_cr(t, record(p, &d));
        g_assert_cmpint(dsa_test_submit_raw(t, 0, 0, true, raw), ==,
                        QTEST_DMWR_ACCEPTED);
        g_assert_cmphex(dsa_test_wait_cr(t, record(p, &d)), ==, 0x12);
    }
    d.flags |= 1 << 20;
    g_assert_cmphex(finish(x, p, &d), ==, 0x11);
    d.flags = REC;
    d.opcode = 0x3f;
    g_assert_cmphex(finish(x, p, &d), ==, 0x10);
    d.opcode = DSA_TEST_FILL;
    d.size = 0;
    g_assert_cmphex(finish(x, p, &d), ==, 0x13);
    g_assert_cmphex(byte_at(x, 2, VA), ==, 0x12);
    expect_healthy(x);
}

/* A completion interrupt is for descriptors of the PASID it was given to */
static void test_interrupt(Fixture *x, const void *unused)
{
    DSATest *t = x->f.t;
    unsigned i;

    dsa_test_write(t, t->msixperm + 3 * 8, x->p[1].pasid << 12 | 1 << 3);
    for (i = 0; i < PROCESSES; i++) {
        DSATestDesc d = desc(&x->p[i], DSA_TEST_NOOP, 0, 0, 0);

        d.flags |= DSA_TEST_RCI;
        d.int_handle = 3;
        g_assert_cmphex(finish(x, &x->p[i], &d), ==, i == 1 ? 1 : 0x19);
    }
}

/* --- work that waits ------------------------------------------------------ */

/*
 * Engines hold a bounded number of a queue's descriptors. When all of those
 * wait for pages that nobody brings, the queue fills up to its limits; other
 * queues go on.
 */
static void test_held(Fixture *x, const void *unused)
{
    DSATest *t = x->f.t;
    const Process *p = &x->p[0];
    DSATestDesc d = blocked(p, 1), other = desc(p, DSA_TEST_FILL, 0x55,
                                                VA, 8);
    unsigned n, round;

    for (round = 0; round < 3; round++) {
        for (n = 0; n < IN_FLIGHT; n++) {
            g_assert_cmpint(dsa_test_enqueue(t, 0, LIMITED, &d), ==,
                            QTEST_DMWR_ACCEPTED);
            wait_occupancy(x, 0);
        }
        for (n = 0; n < SIZE; n++) {
            g_assert_cmpuint(dsa_test_occupancy(t, 0), ==, n);
            g_assert_cmpint(dsa_test_enqueue(t, 0, n < THRESHOLD ? LIMITED : 0,
                                             &d), ==, QTEST_DMWR_ACCEPTED);
            g_assert_cmpint(dsa_test_enqueue(t, 0, LIMITED, &d), ==,
                            n + 1 < THRESHOLD ? QTEST_DMWR_ACCEPTED :
                            QTEST_DMWR_RETRY);
            n += n + 1 < THRESHOLD;
        }
        g_assert_cmpint(dsa_test_enqueue(t, 0, 0, &d), ==, QTEST_DMWR_RETRY);
        /* The other queue of the group, with the lowest priority */
        other.cr = CRS + PAGE - DSA_TEST_CR_SIZE;
        other.pasid = 0;
        dsa_test_clear_cr(t, record(p, &other));
        g_assert_cmpint(dsa_test_submit(t, 1, &other), ==,
                        QTEST_DMWR_ACCEPTED);
        g_assert_cmphex(dsa_test_wait_cr(t, record(p, &other)), ==,
                        DSA_TEST_SUCCESS);

        dsa_test_cmd_ok(t, DSA_TEST_ABORT_PASID, p->pasid);
        g_assert_cmpuint(dsa_test_occupancy(t, 0), ==, 0);
        g_assert_cmphex(qtest_readb(t->qts, record(p, &d)), ==, 0);
        expect_healthy(x);
    }
}

/* Each process has descriptors that wait, and one that is done */
static void submit_all(Fixture *x, unsigned each)
{
    unsigned i, n;

    for (i = 0; i < PROCESSES; i++) {
        const Process *p = &x->p[i];
        DSATestDesc done = desc(p, DSA_TEST_NOOP, 0, 0, 0);

        for (n = 1; n <= each; n++) {
            DSATestDesc d = blocked(p, n);

            submit(x, p, &d);
        }
        g_assert_cmphex(finish(x, p, &done), ==, DSA_TEST_SUCCESS);
    }
    wait_occupancy(x, 0);
}

static void expect_records(Fixture *x, unsigned i, unsigned each, uint8_t st)
{
    unsigned n;

    for (n = 1; n <= each; n++) {
        g_assert_cmphex(qtest_readb(x->f.t->qts, x->p[i].records +
                                    n * DSA_TEST_CR_SIZE), ==, st);
    }
}

/* Bring the process's page, and give its groups their answers */
static void bring_page(Fixture *x, unsigned i)
{
    DSAIommu *f = &x->f;
    const Process *p = &x->p[i];
    unsigned tail = vtd_test_readq(&f->v, VTD_PQT) / 32, at;

    map(x, p, MISSING, p->phys + 2 * MB, PAGE);
    for (at = 0; at < tail; at++) {
        uint64_t lo = qtest_readq(f->t->qts, f->pq + at * 32);
        uint64_t hi = qtest_readq(f->t->qts, f->pq + at * 32 + 8);

        if ((lo >> 32 & 0xfffff) == p->pasid) {
            di_respond_as(f, p->pasid, hi >> 3 & 0x1ff, SUCCESS);
        }
    }
}

/* Until each process's @each requests are in the page request queue */
static void wait_requests(Fixture *x, unsigned total)
{
    unsigned i;

    for (i = 0; vtd_test_readq(&x->f.v, VTD_PQT) / 32 < total; i++) {
        g_assert_cmpuint(i, <, 100000);
        g_usleep(100);
    }
}

/* A drain waits for its PASID's descriptors and for no other's */
static void test_drain_pasid(Fixture *x, const void *unused)
{
    DSATest *t = x->f.t;
    DSATestDesc d;

    submit_all(x, 5);
    wait_requests(x, 15);
    /* Nobody's: over at once */
    dsa_test_cmd_ok(t, DSA_TEST_DRAIN_PASID, 0x12);

    dsa_test_cmd_start(t, DSA_TEST_DRAIN_PASID, x->p[1].pasid);
    /* Meanwhile the queue is open, for that PASID as well */
    d = desc(&x->p[2], DSA_TEST_NOOP, 0, 0, 0);
    g_assert_cmphex(finish(x, &x->p[2], &d), ==, DSA_TEST_SUCCESS);
    d = desc(&x->p[1], DSA_TEST_NOOP, 0, 0, 0);
    g_assert_cmphex(finish(x, &x->p[1], &d), ==, DSA_TEST_SUCCESS);
    bring_page(x, 0);
    dsa_test_wait_cr(t, x->p[0].records + 5 * DSA_TEST_CR_SIZE);
    g_assert_cmphex(dsa_test_read(t, DSA_TEST_CMDSTS), ==,
                    DSA_TEST_CMDSTS_ACTIVE);
    bring_page(x, 1);
    g_assert_cmphex(dsa_test_cmd_wait(t), ==, 0);
    expect_records(x, 1, 5, DSA_TEST_SUCCESS);
    expect_records(x, 2, 5, 0);
    bring_page(x, 2);
    dsa_test_cmd_ok(t, DSA_TEST_DRAIN_ALL, 0);
    expect_records(x, 0, 5, DSA_TEST_SUCCESS);
    expect_records(x, 2, 5, DSA_TEST_SUCCESS);
    expect_healthy(x);
}

/* An abort ends its PASID's descriptors and nobody else's */
static void test_abort_pasid(Fixture *x, const void *unused)
{
    DSATest *t = x->f.t;

    submit_all(x, 5);
    wait_requests(x, 15);
    dsa_test_cmd_ok(t, DSA_TEST_ABORT_PASID, x->p[1].pasid);
    dsa_test_cmd_ok(t, DSA_TEST_DRAIN_PASID, x->p[1].pasid);
    /* Its answers come late and go nowhere */
    bring_page(x, 1);
    bring_page(x, 0);
    bring_page(x, 2);
    dsa_test_cmd_ok(t, DSA_TEST_DRAIN_ALL, 0);
    expect_records(x, 0, 5, DSA_TEST_SUCCESS);
    expect_records(x, 1, 5, 0);
    expect_records(x, 2, 5, DSA_TEST_SUCCESS);
    g_assert_cmphex(qtest_readb(t->qts, x->p[0].phys + 2 * MB), ==, 0x71);
    g_assert_cmphex(qtest_readb(t->qts, x->p[1].phys + 2 * MB), ==, 0);
    expect_healthy(x);
}

/* The queue is reset under them, and the PASIDs are used again at once */
static void test_reset_wq(Fixture *x, const void *unused)
{
    DSATest *t = x->f.t;
    unsigned i;

    submit_all(x, 5);
    dsa_test_cmd_ok(t, DSA_TEST_RESET_WQ, 1);
    for (i = 0; i < PROCESSES; i++) {
        expect_records(x, i, 5, 0);
    }
    dsa_test_wq(t, 0, SIZE, THRESHOLD, DSA_TEST_WQ_PRIO(15) |
                DSA_TEST_WQ_PASID(0) | DSA_TEST_WQ_BOF);
    dsa_test_cmd_ok(t, DSA_TEST_ENABLE_WQ, 0);
    expect_healthy(x);
    for (i = 0; i < PROCESSES; i++) {
        expect_records(x, i, 5, 0);
    }
}

/* Go on, with a main loop that has something else to do before anything else */
static void resume_busily(DSATest *t)
{
    unsigned answers = 0;

    qtest_qmp_send(t->qts, "{ 'execute': 'cont' }");
    qtest_qmp_send(t->qts, "{ 'execute': 'pmemsave', 'arguments': { 'val': 0, "
                   "'size': %d, 'filename': '/dev/null' } }", (int)(64 * MB));
    while (answers < 2) {
        QDict *answer = qtest_qmp_receive(t->qts);

        g_assert_false(qdict_haskey(answer, "error"));
        answers += qdict_haskey(answer, "return");
        qobject_unref(answer);
    }
}

/*
 * More PASIDs at once than are served in one go, and in the end more than the
 * device remembers: each gets its turn, and none stays behind.
 */
static void test_crowd(Fixture *x, const void *unused)
{
    enum { CROWD = 128, ROUNDS = 20 };
    DSATest *t = x->f.t;
    unsigned i;

    dsa_test_cmd_ok(t, DSA_TEST_RESET_DEV, 0);
    dsa_test_group(t, 0, 1, 1);
    dsa_test_wq(t, 0, CROWD, CROWD, DSA_TEST_WQ_PRIO(1) | DSA_TEST_WQ_PASID(0));
    dsa_test_wq(t, 1, 0, 0, 0);
    dsa_test_cmd_ok(t, DSA_TEST_ENABLE_DEV, 0);
    dsa_test_cmd_ok(t, DSA_TEST_ENABLE_WQ, 0);
    for (i = 0; i < ROUNDS * CROWD; i++) {
        DSATestDesc d = { .opcode = DSA_TEST_NOOP, .pasid = i };

        if (i % CROWD == 0) {
            dsa_test_pause(t);
        }
        g_assert_cmpint(dsa_test_enqueue(t, 0, 0, &d), ==,
                        QTEST_DMWR_ACCEPTED);
        if (i % CROWD == CROWD - 1) {
            resume_busily(t);
            dsa_test_cmd_ok(t, DSA_TEST_DRAIN_ALL, 0);
            g_assert_cmpuint(dsa_test_occupancy(t, 0), ==, 0);
        }
    }
    g_assert_cmphex(dsa_test_swerr(t), ==, 0);
}

#define ADD(name, how, fn) \
    qtest_add("/dsa/swq-sva/" name, Fixture, how, setup, fn, teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("isolation/ats", NULL, test_isolation);
    ADD("isolation/untranslated", &no_ats, test_isolation);
    ADD("batch", NULL, test_batch);
    ADD("wrong-pasid", NULL, test_wrong_pasid);
    ADD("wrong-privilege", NULL, test_wrong_privilege);
    ADD("pasid-disabled", NULL, test_pasid_disabled);
    ADD("reserved", NULL, test_reserved);
    ADD("interrupt", NULL, test_interrupt);
    ADD("held", NULL, test_held);
    ADD("drain-pasid", NULL, test_drain_pasid);
    ADD("abort-pasid", NULL, test_abort_pasid);
    ADD("reset-wq", NULL, test_reset_wq);
    ADD("crowd", NULL, test_crowd);
    return g_test_run();
}
