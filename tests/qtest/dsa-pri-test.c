/*
 * intel-dsa: block on fault by page requests, what the IOMMU's queue does when
 * it is full or taken away, and what is not asked for.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/host-utils.h"
#include "hw/pci/pci_regs.h"
#include "dsa-iommu-lib.h"

/* Time for what must not happen */
#define A_WHILE_US 20000

/* --- page requests ------------------------------------------------------- */

static void test_page_request(DSAIommu *f, const void *unused)
{
    DSATestDesc d = di_desc(DSA_TEST_MEMMOVE, VA, VA + MB, 3 * PAGE);
    unsigned pages;
    DSAIommuRequest r;

    /* Without block on fault nothing is asked */
    g_assert_cmphex(di_finish(f, &d), ==, 0x03);
    g_assert_false(di_request_pending(f));

    d.flags |= BOF;
    di_map(f, VA, PHYS, PAGE, true);
    qtest_memset(f->t->qts, PHYS, 0x31, 3 * PAGE);
    di_submit(f, &d);
    /* The destination is missing: all of it is asked for in one group */
    r = di_next_group(f, &pages);
    g_assert_cmphex(r.addr, ==, VA + MB);
    g_assert_true(r.write);
    g_assert_cmpuint(pages, ==, 3);
    di_map(f, VA + MB, PHYS + MB, 3 * PAGE, true);
    di_respond(f, r.group, SUCCESS);
    /* Then the rest of the source */
    r = di_next_group(f, &pages);
    g_assert_cmphex(r.addr, ==, VA + PAGE);
    g_assert_false(r.write);
    g_assert_cmpuint(pages, ==, 2);
    di_map(f, VA + PAGE, PHYS + PAGE, 2 * PAGE, true);
    g_assert_false(di_is_done(f, &d));
    di_respond(f, r.group, SUCCESS);
    g_assert_cmphex(di_status_of(f, &d), ==, 1);
    g_assert_cmphex(qtest_readb(f->t->qts, PHYS + MB + 3 * PAGE - 1), ==, 0x31);
    g_assert_false(di_request_pending(f));
}

static void test_refused(DSAIommu *f, const void *unused)
{
    DSATestDesc d = di_desc(DSA_TEST_FILL, 0x61, VA, 4 * PAGE);
    unsigned pages;
    DSAIommuRequest r;

    d.flags |= BOF;
    di_map(f, VA, PHYS, PAGE, true);
    di_submit(f, &d);
    r = di_next_group(f, &pages);
    g_assert_cmphex(r.addr, ==, VA + PAGE);
    g_assert_cmpuint(pages, ==, 3);
    /* A refused group may be refused for another page: the first one alone */
    di_respond(f, r.group, INVALID);
    r = di_next_group(f, &pages);
    g_assert_cmphex(r.addr, ==, VA + PAGE);
    g_assert_cmpuint(pages, ==, 1);
    di_respond(f, r.group, INVALID);
    g_assert_cmphex(di_status_of(f, &d), ==, 0x84);
    g_assert_cmpuint(di_bytes_done(f, &d), ==, PAGE);
    g_assert_cmphex(di_fault_addr(f, &d), ==, VA + PAGE);
    g_assert_false(di_request_pending(f));
}

/* A descriptor that waits for a page does not hold up others */
static void test_overtake(DSAIommu *f, const void *unused)
{
    DSATestDesc wait[20], d, drain;
    DSAIommuRequest r[20];
    unsigned i, pages;

    di_map(f, VA, PHYS, PAGE, true);
    for (i = 0; i < 20; i++) {
        wait[i] = di_desc(DSA_TEST_FILL, 0x6262626262626262,
                          VA + (i + 1) * 2 * PAGE, 8);
        wait[i].flags |= BOF;
        wait[i].cr = CRS + 64 + i * 32;
        di_submit(f, &wait[i]);
    }
    for (i = 0; i < 20; i++) {
        r[i] = di_next_group(f, &pages);
    }
    d = di_desc(DSA_TEST_FILL, 0x63, VA, 8);
    g_assert_cmphex(di_finish(f, &d), ==, 1);
    /* A drain waits for them */
    drain = di_desc(DSA_TEST_DRAIN, 0, 0, 0);
    drain.cr = CRS + 32;
    di_submit(f, &drain);
    di_map(f, VA, PHYS, MB, true);
    for (i = 0; i < 20; i++) {
        g_assert_false(di_is_done(f, &drain));
        di_respond(f, r[19 - i].group, SUCCESS);
    }
    for (i = 0; i < 20; i++) {
        g_assert_cmphex(di_status_of(f, &wait[i]), ==, 1);
    }
    g_assert_cmphex(di_status_of(f, &drain), ==, 1);
}

/* The response comes after the descriptor is gone, or is for somebody else */
static void test_late(DSAIommu *f, const void *unused)
{
    DSATestDesc d = di_desc(DSA_TEST_FILL, 0x64, VA, 8);
    unsigned pages;
    DSAIommuRequest r, r2;

    d.flags |= BOF;
    di_submit(f, &d);
    r = di_next_group(f, &pages);
    dsa_test_cmd_ok(f->t, DSA_TEST_ABORT_WQ, 1);
    di_map(f, VA, PHYS, PAGE, true);
    qtest_memset(f->t->qts, PHYS, 0, 8);
    di_respond(f, r.group, SUCCESS);
    di_respond(f, r.group, SUCCESS);
    di_respond(f, 0x1ff, SUCCESS);
    g_assert_false(di_is_done(f, &d));
    g_assert_cmphex(qtest_readb(f->t->qts, PHYS), ==, 0);

    /* A response with another PASID is not ours */
    d.addr2 = VA + 8 * PAGE;
    di_submit(f, &d);
    r2 = di_next_group(f, &pages);
    di_respond_as(f, PASID + 1, r2.group, INVALID);
    di_map(f, VA + 8 * PAGE, PHYS, PAGE, true);
    di_respond(f, r2.group, SUCCESS);
    g_assert_cmphex(di_status_of(f, &d), ==, 1);
}

/* Page requests disabled while one is out: the descriptor fails */
static void test_disabled(DSAIommu *f, const void *unused)
{
    unsigned pri = dsa_test_ext_cap(f->t, PCI_EXT_CAP_ID_PRI);
    DSATestDesc d = di_desc(DSA_TEST_FILL, 0x65, VA, 8);
    unsigned pages;
    DSAIommuRequest r;

    d.flags |= BOF;
    di_submit(f, &d);
    r = di_next_group(f, &pages);
    dsa_test_cfg_writew(f->t, pri + PCI_PRI_CTRL, 0);
    g_assert_cmphex(di_status_of(f, &d), ==, 0x84);
    di_respond(f, r.group, SUCCESS);
    g_assert_cmphex(di_finish(f, &d), ==, 0x83);
}

static bool overflowed(DSAIommu *f)
{
    return vtd_test_readl(&f->v, VTD_PRS) & VTD_PRS_PRO;
}

static void wait_overflow(DSAIommu *f)
{
    unsigned i;

    for (i = 0; !overflowed(f); i++) {
        g_assert_cmpuint(i, <, 30000);
        g_usleep(1000);
    }
}

/* More requests than the IOMMU's queue has room for */
static void test_overflow(DSAIommu *f, const void *unused)
{
    DSATestDesc d[40];
    unsigned i, done = 0, steps = 0;

    vtd_test_map_first(&f->v, f->root, LEVELS, 1, VA, PHYS, PAGE);
    for (i = 0; i < 40; i++) {
        d[i] = di_desc(DSA_TEST_FILL, 0x66, VA + (i + 1) * 32 * PAGE,
                       16 * PAGE);
        d[i].flags |= BOF;
        d[i].cr = CRS + i * 32;
        di_submit(f, &d[i]);
    }
    wait_overflow(f);
    di_map(f, VA + 32 * PAGE, PHYS, 40 * 32 * PAGE, true);
    while (done < 40) {
        if (vtd_test_readl(&f->v, VTD_PRS) & 2) {
            vtd_test_writel(&f->v, VTD_PRS, 2);
        }
        while (di_request_pending(f)) {
            DSAIommuRequest r = di_next_request(f);

            if (r.last) {
                di_respond(f, r.group, SUCCESS);
            }
        }
        for (done = i = 0; i < 40; i++) {
            done += di_is_done(f, &d[i]);
        }
        g_usleep(1000);
        g_assert_cmpuint(++steps, <, 30000);
    }
    for (i = 0; i < 40; i++) {
        g_assert_cmphex(di_status_of(f, &d[i]), ==, 1);
    }
}

/* A batch: the list faults, a child faults, the rest goes on */
static void test_batch(DSAIommu *f, const void *unused)
{
    DSATestDesc d, child = di_desc(DSA_TEST_FILL, 0x6767676767676767,
                                   VA + MB, 8);
    unsigned i, pages;
    uint8_t raw[64];
    DSAIommuRequest r;

    child.flags |= BOF;
    for (i = 0; i < 4; i++) {
        child.cr = CRS + 32 + i * 32;
        child.addr2 = VA + MB + i * PAGE;
        dsa_test_desc(&child, raw);
        qtest_memwrite(f->t->qts, PHYS + i * 64, raw, 64);
        dsa_test_clear_cr(f->t, CRS_PHYS + 32 + i * 32);
    }
    d = di_desc(DSA_TEST_BATCH, VA, 0, 4);
    g_assert_cmphex(di_finish(f, &d), ==, 0x06);
    d.flags |= BOF;
    di_submit(f, &d);
    r = di_next_group(f, &pages);
    g_assert_cmphex(r.addr, ==, VA);
    di_map(f, VA, PHYS, PAGE, true);
    di_respond(f, r.group, SUCCESS);
    for (i = 0; i < 4; i++) {
        r = di_next_group(f, &pages);
        g_assert_cmphex(r.addr, ==, VA + MB + i * PAGE);
        if (i != 2) {
            di_map(f, VA + MB + i * PAGE, PHYS + MB + i * PAGE, PAGE, true);
        }
        di_respond(f, r.group, i == 2 ? INVALID : SUCCESS);
    }
    g_assert_cmphex(di_status_of(f, &d), ==, 5);
    g_assert_cmpuint(di_bytes_done(f, &d), ==, 4);
    for (i = 0; i < 4; i++) {
        g_assert_cmphex(qtest_readb(f->t->qts, CRS_PHYS + 32 + i * 32), ==,
                        i == 2 ? 0x84 : 1);
    }
}

/*
 * The page of a completion record is waited for whatever the descriptor's flag;
 * if the answer is an error, so is the record.
 */
static void test_record_fault(DSAIommu *f, const void *unused)
{
    DSATestDesc d = di_desc(DSA_TEST_NOOP, 0, 0, 0);
    DSAIommuRequest r;
    unsigned i;

    d.cr = VA + 32;
    dsa_test_clear_cr(f->t, PHYS + 32);
    g_assert_cmpint(dsa_test_submit(f->t, 0, &d), ==, QTEST_DMWR_ACCEPTED);
    r = di_next_request(f);
    g_assert_cmphex(r.addr, ==, VA);
    g_assert_true(r.write);
    di_map(f, VA, PHYS, PAGE, true);
    di_respond(f, r.group, SUCCESS);
    for (i = 0; !qtest_readb(f->t->qts, PHYS + 32); i++) {
        g_assert_cmpuint(i, <, 30000);
        g_usleep(1000);
    }
    g_assert_cmphex(qtest_readb(f->t->qts, PHYS + 32), ==, 1);

    d.cr = VA + PAGE + 32;
    g_assert_cmpint(dsa_test_submit(f->t, 0, &d), ==, QTEST_DMWR_ACCEPTED);
    r = di_next_request(f);
    g_assert_cmphex(r.addr, ==, VA + PAGE);
    di_respond(f, r.group, INVALID);
    g_assert_cmphex(dsa_test_wait_swerr(f->t), ==, 0x1a);
    g_assert_cmphex(dsa_test_read64(f->t, DSA_TEST_SWERR) >> 40 & 0xfffff, ==,
                    PASID);
    g_assert_cmphex(dsa_test_read64(f->t, DSA_TEST_SWERR + 16), ==,
                    VA + PAGE + 32);
    g_assert_false(di_request_pending(f));
}

#define LATE (VA + 256 * MB)        /* the page of the records below */
#define LATE_PHYS (PHYS + 64 * MB)
#define LATE_BATCH (VA + 258 * MB)

/* A NOOP and a long copy, with their records at LATE */
static DSATestDesc late_batch(DSAIommu *f)
{
    DSATestDesc batch = di_desc(DSA_TEST_BATCH, LATE_BATCH, 0, 2);
    DSATestDesc child[] = {
        di_desc(DSA_TEST_NOOP, 0, 0, 0),
        di_desc(DSA_TEST_MEMMOVE, VA, VA + 32 * MB, 32 * MB),
    };
    uint8_t raw[64];
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(child); i++) {
        child[i].cr = LATE + i * DSA_TEST_CR_SIZE;
        dsa_test_desc(&child[i], raw);
        qtest_memwrite(f->t->qts, LATE_PHYS + PAGE + i * 64, raw, sizeof(raw));
    }
    return batch;
}

/*
 * The answer about a page is of the past once its record has been written: when
 * the page is away again, it is asked for again.
 */
static void test_record_reached(DSAIommu *f, const void *unused)
{
    DSATestDesc batch = late_batch(f);
    DSAIommuRequest r;
    unsigned round, pages;
    bool busy = false;

    di_map(f, VA, PHYS, 64 * MB, true);
    di_map(f, LATE, LATE_PHYS, PAGE, true);
    di_map(f, LATE_BATCH, LATE_PHYS + PAGE, PAGE, true);
    for (round = 0; !busy; round++) {
        g_assert_cmpuint(round, <, 100);
        di_unmap(f, LATE);
        di_invalidate(f, LATE);
        qtest_memset(f->t->qts, LATE_PHYS, 0, PAGE);
        di_submit(f, &batch);
        r = di_next_group(f, &pages);
        g_assert_cmphex(r.addr, ==, LATE);
        di_map(f, LATE, LATE_PHYS, PAGE, true);
        di_respond(f, r.group, INVALID);
        g_assert_cmphex(dsa_test_wait_cr(f->t, LATE_PHYS), ==, 1);
        /* While the second child is under way */
        dsa_test_pause(f->t);
        busy = !qtest_readb(f->t->qts, LATE_PHYS + DSA_TEST_CR_SIZE);
        if (busy) {
            di_unmap(f, LATE);
            di_invalidate(f, LATE);
        }
        dsa_test_resume(f->t);
        if (busy) {
            r = di_next_group(f, &pages);
            g_assert_cmphex(r.addr, ==, LATE);
            di_map(f, LATE, LATE_PHYS, PAGE, true);
            di_respond(f, r.group, SUCCESS);
        }
        g_assert_cmphex(di_status_of(f, &batch), ==, 1);
        g_assert_cmphex(dsa_test_wait_cr(f->t, LATE_PHYS + DSA_TEST_CR_SIZE),
                        ==, 1);
    }
}

/* --- the queue ----------------------------------------------------------- */

static void clear_overflow(DSAIommu *f)
{
    vtd_test_writel(&f->v, VTD_PRS, VTD_PRS_PRO);
    g_assert_false(overflowed(f));
}

/* A queue without a free entry */
static void choke(DSAIommu *f)
{
    vtd_test_writeq(&f->v, VTD_PQH, 32);
    vtd_test_writeq(&f->v, VTD_PQT, 0);
}

static void unchoke(DSAIommu *f)
{
    vtd_test_writeq(&f->v, VTD_PQH, 0);
    f->pqh = 0;
}

/*
 * Groups of 16 into a queue of 127: the eighth loses its last request, which
 * is answered with success, and is asked for again as a whole.
 */
static void test_queue_full(DSAIommu *f, const void *unused)
{
    enum { GROUPS = 8, PAGES = 16 };
    DSATestDesc d[GROUPS];
    unsigned i, pages, which, left = (1 << GROUPS) - 1;
    DSAIommuRequest r;

    for (i = 0; i < GROUPS; i++) {
        d[i] = di_touch(VA + i * 32 * PAGE, i);
        d[i].size = PAGES * PAGE;
        di_map(f, d[i].addr2 + PAGES * PAGE, PHYS, PAGE, true);
        di_submit(f, &d[i]);
    }
    wait_overflow(f);
    di_wait_requests(f, PRQ_ENTRIES - 1);
    /* Room alone is not enough: nothing enters until software clears PRO */
    for (i = 0; i < GROUPS - 1; i++) {
        r = di_next_group(f, &pages);
        /* in any order: several threads carry descriptors out */
        which = (r.addr - VA) / (32 * PAGE);
        g_assert_cmpuint(which, <, GROUPS);
        g_assert_cmphex(r.addr, ==, d[which].addr2);
        g_assert_true(left & 1 << which);
        left &= ~(1 << which);
        g_assert_cmpuint(pages, ==, PAGES);
        di_map(f, r.addr, PHYS + i * MB, PAGES * PAGE, true);
        di_respond(f, r.group, SUCCESS);
        g_assert_cmphex(di_status_of(f, &d[which]), ==, 1);
    }
    which = ctz32(left);
    g_usleep(A_WHILE_US);
    di_wait_requests(f, PAGES - 1);
    for (i = 0; i < PAGES - 1; i++) {
        g_assert_false(di_next_request(f).last);
    }
    g_usleep(A_WHILE_US);
    g_assert_false(di_request_pending(f));
    g_assert_false(di_is_done(f, &d[which]));
    clear_overflow(f);
    r = di_next_group(f, &pages);
    g_assert_cmphex(r.addr, ==, d[which].addr2);
    g_assert_cmpuint(pages, ==, PAGES);
    di_map(f, r.addr, PHYS, PAGES * PAGE, true);
    di_respond(f, r.group, SUCCESS);
    g_assert_cmphex(di_status_of(f, &d[which]), ==, 1);
    g_assert_false(di_request_pending(f));
    g_assert_false(overflowed(f));
}

/* Overflow is an event; a second one before it is served is not */
static void test_overflow_event(DSAIommu *f, const void *unused)
{
    const uint64_t message = 0x1800000;
    DSATestDesc d = di_touch(VA, 0);
    DSAIommuRequest r;
    unsigned pages;

    qtest_writel(f->t->qts, message, 0);
    vtd_test_writel(&f->v, 0xe4, 0x4711);       /* PEDATA */
    vtd_test_writel(&f->v, 0xe8, message);      /* PEADDR */
    vtd_test_writel(&f->v, 0xe0, 0);            /* PECTL: unmasked */
    choke(f);
    di_submit(f, &d);
    dsa_test_wait_u32(f->t, message, 0x4711);
    g_assert_true(overflowed(f));
    qtest_writel(f->t->qts, message, 0);
    g_usleep(A_WHILE_US);
    g_assert_cmphex(qtest_readl(f->t->qts, message), ==, 0);
    unchoke(f);
    clear_overflow(f);
    dsa_test_wait_u32(f->t, message, 0x4711);
    r = di_next_group(f, &pages);
    di_map(f, VA, PHYS, PAGE, true);
    di_respond(f, r.group, SUCCESS);
    g_assert_cmphex(di_status_of(f, &d), ==, 1);
}

/* Software takes the queue away and makes another one, larger and elsewhere */
static void test_queue_moved(DSAIommu *f, const void *unused)
{
    DSATestDesc a = di_touch(VA, 0), b = di_touch(VA + MB, 1);
    DSAIommuRequest ra, rb;
    unsigned pages;

    di_submit(f, &a);
    ra = di_next_group(f, &pages);
    di_queue(f, PRQ + MB, 1);
    di_submit(f, &b);
    rb = di_next_group(f, &pages);
    g_assert_cmphex(rb.addr, ==, VA + MB);
    g_assert_cmpuint(f->pqh, ==, 1);
    di_map(f, VA, PHYS, 2 * MB, true);
    di_respond(f, rb.group, SUCCESS);
    di_respond(f, ra.group, SUCCESS);
    g_assert_cmphex(di_status_of(f, &a), ==, 1);
    g_assert_cmphex(di_status_of(f, &b), ==, 1);
    /* A queue where there is no memory: the requests fail, for good */
    vtd_test_writeq(&f->v, VTD_PQA, 1ULL << 45);
    a = di_touch(VA + 4 * MB, 0);
    g_assert_cmphex(di_finish(f, &a), ==, 0x84);
    g_assert_cmphex(di_pri_status(f) & PCI_PRI_STATUS_RF, !=, 0);
}

/* Translation is switched off while a group is out, and on again */
static void test_translation_off(DSAIommu *f, const void *unused)
{
    DSATestDesc a = di_touch(VA, 0), b = di_touch(VA + MB, 1);
    DSAIommuRequest r;
    unsigned pages;

    di_map(f, VA, PHYS, MB, true);
    di_unmap(f, VA);
    di_submit(f, &a);
    r = di_next_group(f, &pages);
    vtd_test_command(&f->v, VTD_TEST_GCMD_TE, false);
    di_respond(f, r.group, INVALID);
    g_assert_cmphex(dsa_test_cmd(f->t, DSA_TEST_DRAIN_ALL, 0), ==, 0);
    vtd_test_command(&f->v, VTD_TEST_GCMD_TE, true);
    di_submit(f, &b);
    r = di_next_group(f, &pages);
    di_map(f, VA + MB, PHYS, PAGE, true);
    di_respond(f, r.group, SUCCESS);
    g_assert_cmphex(di_status_of(f, &b), ==, 1);
}

/*
 * A PASID is taken away as Linux does it: entry and caches, then a wait with
 * page request drain (VT-d 7.10). Nothing that waits for a page is left over,
 * and the next owner of the PASID can ask for as many pages as before.
 */
static void test_pasid_drain(DSAIommu *f, const void *unused)
{
    uint64_t entry = vtd_test_pasid_entry(&f->v, f->dir, PASID);
    uint64_t cache[4] = { 7 | 1 << 4 | DID << 16 | (uint64_t)PASID << 32 };
    uint64_t iotlb[4] = { 6 | 2 << 4 | DID << 16 | (uint64_t)PASID << 32 };
    uint64_t devtlb[4] = { 8 | SID << 16 | (uint64_t)PASID << 32,
                           0x7ffffffffffff000ULL | 1 << 11 };
    uint64_t old = qtest_readq(f->t->qts, entry);
    DSATestDesc d[2] = { di_touch(VA, 0), di_touch(VA + MB, 1) };
    DSAIommuRequest r[2];
    unsigned i, pages;

    for (i = 0; i < 2; i++) {
        di_submit(f, &d[i]);
        r[i] = di_next_group(f, &pages);
    }
    dsa_test_cmd_start(f->t, DSA_TEST_DRAIN_PASID, PASID);
    qtest_writeq(f->t->qts, entry, old & ~1ULL);
    vtd_test_queue(&f->v, cache);
    vtd_test_queue(&f->v, iotlb);
    vtd_test_queue(&f->v, devtlb);
    di_respond(f, r[0].group, INVALID);
    /* This one asks again, and is refused without software */
    di_respond(f, r[1].group, SUCCESS);
    g_assert_cmphex(dsa_test_cmd_wait(f->t), ==, 0);
    vtd_test_queue(&f->v, (uint64_t[4]) { 5 | 1 << 7 });
    vtd_test_queue_wait(&f->v);
    g_assert_false(di_request_pending(f));
    /* The records' page was gone, too */
    g_assert_false(di_is_done(f, &d[0]) || di_is_done(f, &d[1]));

    qtest_writeq(f->t->qts, entry, old);
    vtd_test_flush_all(&f->v);
    for (i = 0; i < 2; i++) {
        di_submit(f, &d[i]);
        r[i] = di_next_group(f, &pages);
    }
    di_map(f, VA, PHYS, 2 * MB, true);
    for (i = 0; i < 2; i++) {
        di_respond(f, r[i].group, SUCCESS);
        g_assert_cmphex(di_status_of(f, &d[i]), ==, 1);
    }
}

/*
 * Software that does not serve an overflow: the descriptor goes on asking,
 * others are not held up, and it can be aborted.
 */
static void test_unserved(DSAIommu *f, const void *unused)
{
    DSATestDesc d[2] = { di_touch(VA, 0), di_touch(VA, 2) };
    DSATestDesc other = di_touch(VA + MB, 1);
    unsigned i, pages;

    di_map(f, VA + MB, PHYS, PAGE, true);
    choke(f);
    di_submit(f, &d[0]);
    wait_overflow(f);
    for (i = 0; i < 200; i++) {
        g_assert_cmphex(di_finish(f, &other), ==, 1);
        g_usleep(1000);
    }
    g_assert_false(di_is_done(f, &d[0]));
    dsa_test_cmd_ok(f->t, DSA_TEST_ABORT_WQ, 1);
    di_submit(f, &d[1]);
    g_usleep(A_WHILE_US);
    unchoke(f);
    clear_overflow(f);
    di_map(f, VA, PHYS, PAGE, true);
    di_respond(f, di_next_group(f, &pages).group, SUCCESS);
    g_assert_cmphex(di_status_of(f, &d[1]), ==, 1);
    g_assert_false(di_is_done(f, &d[0]));
    g_assert_false(di_request_pending(f));
}

/*
 * One request at a time: queues of equal priority take turns, however many
 * descriptors of one of them wait for pages.
 */
static void test_turns(DSAIommu *f, const void *unused)
{
    enum { MANY = 20 };
    const uint32_t mode = DSA_TEST_WQ_DEDICATED | DSA_TEST_WQ_PRIO(1) |
                          DSA_TEST_WQ_PASID(PASID) | DSA_TEST_WQ_BOF;
    DSATestDesc d[MANY], other = di_touch(VA + 4 * MB, MANY);
    unsigned i, pages, turn = 0;
    DSAIommuRequest r;

    dsa_test_cmd_ok(f->t, DSA_TEST_RESET_DEV, 0);
    dsa_test_group(f->t, 0, 3, 1);
    for (i = 0; i < 2; i++) {
        dsa_test_wq(f->t, i, MANY, 0, mode);
    }
    dsa_test_cmd_ok(f->t, DSA_TEST_ENABLE_DEV, 0);
    dsa_test_cmd_ok(f->t, DSA_TEST_ENABLE_WQ, 0);
    dsa_test_cmd_ok(f->t, DSA_TEST_ENABLE_WQ, 1);
    for (i = 0; i < MANY; i++) {
        d[i] = di_touch(VA + i * PAGE, i);
        di_submit(f, &d[i]);
    }
    di_wait_requests(f, 1);
    dsa_test_clear_cr(f->t, CRS_PHYS + other.cr % PAGE);
    g_assert_cmpint(dsa_test_submit(f->t, 1, &other), ==, QTEST_DMWR_ACCEPTED);
    /* Before the first answer it is in line, with most of the others */
    while (dsa_test_occupancy(f->t, 1)) {
        g_assert_cmpuint(turn++, <, 30000);
        g_usleep(1000);
    }
    g_usleep(A_WHILE_US);
    turn = 0;
    for (i = 0; i <= MANY; i++) {
        r = di_next_group(f, &pages);
        g_assert_cmpuint(pages, ==, 1);
        if (r.addr == other.addr2) {
            turn = i;
        }
        /* No more than one is out, so that the rest is in line */
        g_usleep(A_WHILE_US);
        g_assert_false(di_request_pending(f));
        di_map(f, r.addr, PHYS, PAGE, true);
        di_respond(f, r.group, SUCCESS);
    }
    g_assert_cmpuint(turn, >, 0);
    g_assert_cmpuint(turn, <, MANY / 2);
    for (i = 0; i < MANY; i++) {
        g_assert_cmphex(di_status_of(f, &d[i]), ==, 1);
    }
    g_assert_cmphex(di_status_of(f, &other), ==, 1);
}

/* The same page is granted for ever without ever being there */
static void test_granted_in_vain(DSAIommu *f, const void *unused)
{
    DSATestDesc d = di_touch(VA, 0);
    unsigned pages, i;

    di_submit(f, &d);
    for (i = 0; i < 50; i++) {
        DSAIommuRequest r = di_next_group(f, &pages);

        g_assert_cmphex(r.addr, ==, VA);
        di_respond(f, r.group, SUCCESS);
        g_assert_false(di_is_done(f, &d));
    }
    di_respond(f, di_next_group(f, &pages).group, INVALID);
    g_assert_cmphex(di_status_of(f, &d), ==, 0x84);
}

static void add(const char *name, const DSAIommuSetup *how,
                void (*fn)(DSAIommu *f, const void *how))
{
    g_autofree char *path = g_strdup_printf("/%s/dsa/pri/%s",
                                            qtest_get_arch(), name);

    g_test_add(path, DSAIommu, how, di_setup, fn, di_teardown);
}

int main(int argc, char **argv)
{
    static const DSAIommuSetup pri = { "intel-vtd", true, true };
    static const DSAIommuSetup many = { "intel-vtd", true, true, 512 };
    static const DSAIommuSetup two = { "intel-vtd", true, true, 2 };
    static const DSAIommuSetup one = { "intel-vtd", true, true, 1 };

    g_test_init(&argc, &argv, NULL);
    add("page-request", &pri, test_page_request);
    add("refused", &pri, test_refused);
    add("overtake", &pri, test_overtake);
    add("late", &pri, test_late);
    add("disabled", &pri, test_disabled);
    add("overflow", &many, test_overflow);
    add("batch", &pri, test_batch);
    add("record-fault", &pri, test_record_fault);
    add("record-reached", &pri, test_record_reached);
    add("queue-full", &many, test_queue_full);
    add("overflow-event", &pri, test_overflow_event);
    add("queue-moved", &pri, test_queue_moved);
    add("translation-off", &pri, test_translation_off);
    add("pasid-drain", &two, test_pasid_drain);
    add("granted-in-vain", &pri, test_granted_in_vain);
    add("turns", &one, test_turns);
    add("unserved", &pri, test_unserved);
    return g_test_run();
}
