/*
 * intel-dsa behind an IOMMU: PASIDs, address translation services, their
 * invalidation, page requests and responses.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/pci/pci_regs.h"
#include "dsa-test-lib.h"
#include "vtd-test-lib.h"

#define MB (1024 * 1024ULL)
#define PAGE 4096ULL
#define SID (DSA_TEST_SLOT << 3)
#define PASID 0x12345u
#define DID 7
#define LEVELS 4

#define PHYS 0x2000000ULL           /* data pages */
#define TABLES 0x8000000ULL
#define PRQ 0x7000000ULL            /* page request queue, 128 entries */
#define PRQ_ENTRIES 128

/* Process addresses */
#define VA 0x7f1234000000ULL        /* operands */
#define CRS 0x7f0000001000ULL       /* completion records, one page */
#define CRS_PHYS 0x1f00000ULL

#define VTD_PQH 0xc0
#define VTD_PQT 0xc8
#define VTD_PQA 0xd0
#define VTD_PRS 0xdc

/* Scalable context entry (VT-d 9.4): device TLB, PASID, page requests */
#define CTX_DTE (1 << 2)
#define CTX_PASIDE (1 << 3)
#define CTX_PRE (1 << 4)

#define REC (DSA_TEST_CRAV | DSA_TEST_RCR)
#define BOF DSA_TEST_BOF

#define SUCCESS 0
#define INVALID 1

typedef struct Setup {
    const char *iommu;
    bool ats, pri;
} Setup;

typedef struct Fixture {
    DSATest *t;
    VTDTest v;
    uint64_t root;                  /* first-stage tables of PASID */
    unsigned pqh;
} Fixture;

static void enable_pci(DSATest *t, const Setup *how)
{
    unsigned pasid = dsa_test_ext_cap(t, PCI_EXT_CAP_ID_PASID);
    unsigned ats = dsa_test_ext_cap(t, PCI_EXT_CAP_ID_ATS);
    unsigned pri = dsa_test_ext_cap(t, PCI_EXT_CAP_ID_PRI);

    dsa_test_cfg_writew(t, pasid + PCI_PASID_CTRL, PCI_PASID_CTRL_ENABLE);
    if (how->pri) {
        dsa_test_cfg_write(t, pri + PCI_PRI_ALLOC_REQ, 64);
        dsa_test_cfg_writew(t, pri + PCI_PRI_CTRL, PCI_PRI_CTRL_ENABLE);
    }
    if (how->ats) {
        dsa_test_cfg_writew(t, ats + PCI_ATS_CTRL, PCI_ATS_CTRL_ENABLE);
    }
}

static void map(Fixture *f, uint64_t va, uint64_t phys, uint64_t size,
                bool writable)
{
    uint64_t flags = VTD_TEST_FS_P | VTD_TEST_FS_US |
                     (writable ? VTD_TEST_FS_RW : 0);

    vtd_test_map(&f->v, f->root, LEVELS, 1, va, phys, size, flags,
                 VTD_TEST_FS_P | VTD_TEST_FS_US | VTD_TEST_FS_RW);
}

static void setup(Fixture *f, const void *opaque)
{
    const Setup *how = opaque;
    g_autofree char *machine = g_strdup_printf("-m 256 -device %s",
                                               how->iommu);
    uint64_t dir;

    f->t = dsa_test_start("", machine);
    vtd_test_init(&f->v, f->t->qts, true, TABLES, 64 * MB);
    f->root = vtd_test_page(&f->v);
    dir = vtd_test_scalable_context(&f->v, SID, 7, 0,
                                    CTX_DTE | CTX_PASIDE | CTX_PRE);
    vtd_test_set_pasid(&f->v, dir, PASID, VTD_TEST_FIRST, f->root, LEVELS,
                       0, 0, DID);
    /* What comes without PASID uses an empty table of its own */
    vtd_test_set_pasid(&f->v, dir, 0, VTD_TEST_FIRST,
                       vtd_test_page(&f->v), LEVELS, 0, 0, DID + 1);
    qtest_memset(f->t->qts, PRQ, 0, PRQ_ENTRIES * 32);
    vtd_test_writeq(&f->v, VTD_PQH, 0);
    vtd_test_writeq(&f->v, VTD_PQT, 0);
    vtd_test_writeq(&f->v, VTD_PQA, PRQ);
    vtd_test_enable(&f->v);
    f->pqh = 0;

    map(f, CRS, CRS_PHYS, PAGE, true);
    qtest_memset(f->t->qts, CRS_PHYS, 0, PAGE);
    enable_pci(f->t, how);
    dsa_test_one_wq(f->t, 64, DSA_TEST_WQ_PASID(PASID) | DSA_TEST_WQ_BOF);
}

static void teardown(Fixture *f, const void *unused)
{
    dsa_test_stop(f->t);
}

/* --- the device ---------------------------------------------------------- */

static DSATestDesc desc(uint8_t opcode, uint64_t a, uint64_t b, uint32_t size)
{
    return (DSATestDesc) { .opcode = opcode, .flags = REC, .cr = CRS,
                           .addr1 = a, .addr2 = b, .size = size };
}

static void submit(Fixture *f, const DSATestDesc *d)
{
    dsa_test_clear_cr(f->t, CRS_PHYS + d->cr % PAGE);
    g_assert_cmpint(dsa_test_submit(f->t, 0, d), ==, QTEST_DMWR_ACCEPTED);
}

static uint8_t status_of(Fixture *f, const DSATestDesc *d)
{
    return dsa_test_wait_cr(f->t, CRS_PHYS + d->cr % PAGE);
}

static bool is_done(Fixture *f, const DSATestDesc *d)
{
    return qtest_readb(f->t->qts, CRS_PHYS + d->cr % PAGE) != 0;
}

static uint8_t finish(Fixture *f, const DSATestDesc *d)
{
    submit(f, d);
    return status_of(f, d);
}

static uint32_t bytes_done(Fixture *f, const DSATestDesc *d)
{
    return qtest_readl(f->t->qts, CRS_PHYS + d->cr % PAGE + 4);
}

static uint64_t fault_addr(Fixture *f, const DSATestDesc *d)
{
    return qtest_readq(f->t->qts, CRS_PHYS + d->cr % PAGE + 8);
}

/* --- the IOMMU's software ------------------------------------------------ */

typedef struct Request {
    uint64_t addr;
    unsigned group;
    bool last, write;
} Request;

/* Take the next page request; waits for it */
static Request next_request(Fixture *f)
{
    uint64_t at = PRQ + f->pqh * 32, lo, hi;
    unsigned i;

    for (i = 0; vtd_test_readq(&f->v, VTD_PQT) == f->pqh * 32; i++) {
        g_assert_cmpuint(i, <, 30000);
        g_usleep(1000);
    }
    lo = qtest_readq(f->t->qts, at);
    hi = qtest_readq(f->t->qts, at + 8);
    f->pqh = (f->pqh + 1) % PRQ_ENTRIES;
    vtd_test_writeq(&f->v, VTD_PQH, f->pqh * 32);
    vtd_test_writel(&f->v, VTD_PRS, 1);
    g_assert_cmphex(lo & 0xff, ==, 1);
    g_assert_cmphex(lo >> 8 & 1, ==, 1);
    g_assert_cmphex(lo >> 16 & 0xffff, ==, SID);
    g_assert_cmphex(lo >> 32 & 0xfffff, ==, PASID);
    return (Request) { hi & ~(PAGE - 1), hi >> 3 & 0x1ff, hi >> 2 & 1,
                       hi >> 1 & 1 };
}

/* The whole group: its first page and how many */
static Request next_group(Fixture *f, unsigned *pages)
{
    Request first = next_request(f), r = first;

    for (*pages = 1; !r.last; (*pages)++) {
        r = next_request(f);
        g_assert_cmpuint(r.group, ==, first.group);
        g_assert_cmphex(r.addr, ==, first.addr + *pages * PAGE);
    }
    return first;
}

static bool request_pending(Fixture *f)
{
    return vtd_test_readq(&f->v, VTD_PQT) != f->pqh * 32;
}

static void respond_as(Fixture *f, uint32_t pasid, unsigned group,
                       unsigned code)
{
    uint64_t d[4] = { 9 | 1 << 4 | code << 12 | SID << 16 |
                      (uint64_t)pasid << 32, 1 << 2 | group << 3 };

    vtd_test_queue(&f->v, d);
    vtd_test_queue_wait(&f->v);
}

static void respond(Fixture *f, unsigned group, unsigned code)
{
    respond_as(f, PASID, group, code);
}

/* PASID-based IOTLB and device TLB invalidation of one page */
static void invalidate(Fixture *f, uint64_t va)
{
    uint64_t iotlb[4] = { 6 | 3 << 4 | DID << 16 | (uint64_t)PASID << 32, va };
    uint64_t devtlb[4] = { 8 | SID << 16 | (uint64_t)PASID << 32, va };

    vtd_test_queue(&f->v, iotlb);
    vtd_test_queue(&f->v, devtlb);
    vtd_test_queue_wait(&f->v);
}

static void unmap(Fixture *f, uint64_t va)
{
    qtest_writeq(f->t->qts, vtd_test_entry(&f->v, f->root, LEVELS, 1, va), 0);
}

/* --- translation --------------------------------------------------------- */

/* Pages in reverse order, so that none follows its neighbour */
static void map_scattered(Fixture *f, uint64_t va, uint64_t phys,
                          unsigned pages)
{
    unsigned i;

    for (i = 0; i < pages; i++) {
        map(f, va + i * PAGE, phys + (pages - 1 - i) * PAGE, PAGE, true);
    }
}

static uint8_t pattern(uint64_t at)
{
    return at / PAGE * 7 + at;
}

static void test_translate(Fixture *f, const void *unused)
{
    enum { PAGES = 150, LEN = PAGES * 4096 - 1000 };
    uint64_t src = VA, dst = VA + 4 * MB;
    g_autofree uint8_t *buf = g_malloc(PAGES * PAGE);
    DSATestDesc d = desc(DSA_TEST_MEMMOVE, src + 17, dst + 900, LEN);
    unsigned i;

    map_scattered(f, src, PHYS, PAGES);
    map_scattered(f, dst, PHYS + 4 * MB, PAGES);
    for (i = 0; i < PAGES * PAGE; i++) {
        buf[(PAGES - 1 - i / PAGE) * PAGE + i % PAGE] = pattern(i);
    }
    qtest_memwrite(f->t->qts, PHYS, buf, PAGES * PAGE);
    g_assert_cmphex(finish(f, &d), ==, 1);
    qtest_memread(f->t->qts, PHYS + 4 * MB, buf, PAGES * PAGE);
    for (i = 0; i < LEN; i++) {
        uint64_t at = 900 + i;

        g_assert_cmphex(buf[(PAGES - 1 - at / PAGE) * PAGE + at % PAGE], ==,
                        pattern(17 + i));
    }
    /* Backward through the same pages */
    d = desc(DSA_TEST_MEMMOVE, src + 5, src + 7, LEN);
    g_assert_cmphex(finish(f, &d), ==, 1);
    qtest_memread(f->t->qts, PHYS, buf, PAGES * PAGE);
    for (i = 0; i < LEN; i++) {
        uint64_t at = 7 + i;

        g_assert_cmphex(buf[(PAGES - 1 - at / PAGE) * PAGE + at % PAGE], ==,
                        pattern(5 + i));
    }
}

/* 2 MiB pages */
static void test_huge(Fixture *f, const void *unused)
{
    DSATestDesc d = desc(DSA_TEST_FILL, 0x4141414141414141, VA + 100, 6 * MB);

    vtd_test_map(&f->v, f->root, LEVELS, 2, VA, PHYS, 8 * MB,
                 VTD_TEST_FS_P | VTD_TEST_FS_US | VTD_TEST_FS_RW,
                 VTD_TEST_FS_P | VTD_TEST_FS_US | VTD_TEST_FS_RW);
    qtest_memset(f->t->qts, PHYS, 0, 8 * MB);
    g_assert_cmphex(finish(f, &d), ==, 1);
    g_assert_cmphex(qtest_readb(f->t->qts, PHYS + 99), ==, 0);
    g_assert_cmphex(qtest_readb(f->t->qts, PHYS + 100), ==, 0x41);
    g_assert_cmphex(qtest_readb(f->t->qts, PHYS + 6 * MB + 99), ==, 0x41);
    g_assert_cmphex(qtest_readb(f->t->qts, PHYS + 6 * MB + 100), ==, 0);
}

static void test_permissions(Fixture *f, const void *unused)
{
    DSATestDesc d = desc(DSA_TEST_FILL, 0x42, VA + PAGE - 8, 16);

    map(f, VA, PHYS, PAGE, true);
    map(f, VA + PAGE, PHYS + PAGE, PAGE, false);
    g_assert_cmphex(finish(f, &d), ==, 0x83);
    g_assert_cmpuint(bytes_done(f, &d), ==, 8);
    g_assert_cmphex(fault_addr(f, &d), ==, VA + PAGE);
    /* Read first: a cached read permission is none for writing */
    d = desc(DSA_TEST_COMPVAL, VA + PAGE, 0, 8);
    g_assert_cmphex(finish(f, &d), ==, 1);
    d = desc(DSA_TEST_FILL, 0x42, VA + PAGE, 16);
    g_assert_cmphex(finish(f, &d), ==, 0x83);
    /* Not mapped, read */
    d = desc(DSA_TEST_MEMMOVE, VA + 2 * PAGE, VA, 8);
    g_assert_cmphex(finish(f, &d), ==, 0x03);
    /* Beyond what a page table can map */
    d = desc(DSA_TEST_MEMMOVE, 0x8000000000000000, VA, 8);
    g_assert_cmphex(finish(f, &d), ==, 0x03);
}

/* An address that is no memory: the IOMMU's own registers */
static void test_no_ram(Fixture *f, const void *unused)
{
    DSATestDesc d = desc(DSA_TEST_FILL, 0, VA, 8);

    map(f, VA, 0xfed90000, PAGE, true);
    g_assert_cmphex(finish(f, &d), ==, 0x83);
}

static void test_invalidate(Fixture *f, const void *unused)
{
    DSATestDesc d = desc(DSA_TEST_FILL, 0x5555555555555555, VA, PAGE);

    map(f, VA, PHYS, PAGE, true);
    g_assert_cmphex(finish(f, &d), ==, 1);
    map(f, VA, PHYS + PAGE, PAGE, true);
    invalidate(f, VA);
    qtest_memset(f->t->qts, PHYS, 0, 2 * PAGE);
    g_assert_cmphex(finish(f, &d), ==, 1);
    g_assert_cmphex(qtest_readb(f->t->qts, PHYS), ==, 0);
    g_assert_cmphex(qtest_readb(f->t->qts, PHYS + PAGE), ==, 0x55);
    unmap(f, VA);
    invalidate(f, VA);
    g_assert_cmphex(finish(f, &d), ==, 0x83);
}

/*
 * A page is taken away while copies run on it. When the invalidation is
 * complete no byte of it changes any more.
 */
static void test_invalidate_busy(Fixture *f, const void *unused)
{
    unsigned round, i;

    map(f, VA, PHYS, 4 * MB, true);
    map(f, VA + 4 * MB, PHYS + 4 * MB, 4 * MB, true);
    qtest_memset(f->t->qts, PHYS, 0x11, 4 * MB);
    for (round = 0; round < 30; round++) {
        uint64_t at = (round * 37 % 1024) * PAGE;
        uint8_t want[PAGE], got[PAGE];

        for (i = 0; i < 8; i++) {
            DSATestDesc d = desc(DSA_TEST_MEMMOVE, VA, VA + 4 * MB, 4 * MB);

            d.cr += 32 * i;
            submit(f, &d);
        }
        unmap(f, VA + 4 * MB + at);
        invalidate(f, VA + 4 * MB + at);
        memset(want, 0x77, PAGE);
        qtest_memset(f->t->qts, PHYS + 4 * MB + at, 0x77, PAGE);
        for (i = 0; i < 8; i++) {
            DSATestDesc d = { .cr = CRS + 32 * i };
            uint8_t status = status_of(f, &d);

            g_assert(status == 0x01 || status == 0x83);
            if (status == 0x83) {
                g_assert_cmphex(fault_addr(f, &d), ==, VA + 4 * MB + at);
                g_assert_cmpuint(bytes_done(f, &d), ==, at);
            }
        }
        qtest_memread(f->t->qts, PHYS + 4 * MB + at, got, PAGE);
        g_assert_cmpmem(got, PAGE, want, PAGE);
        map(f, VA + 4 * MB + at, PHYS + 4 * MB + at, PAGE, true);
    }
}

/* Queues of many PASIDs after each other, more than the device remembers */
static void test_many_pasids(Fixture *f, const void *unused)
{
    uint64_t dir = vtd_test_scalable_context(&f->v, SID, 7, 0,
                                             CTX_DTE | CTX_PASIDE | CTX_PRE);
    unsigned i;

    vtd_test_flush_all(&f->v);
    for (i = 0; i < 300; i++) {
        DSATestDesc d = desc(DSA_TEST_FILL, i * 0x0101010101010101ULL, VA, 8);
        uint32_t pasid = 1 + i * 3001;

        f->root = vtd_test_page(&f->v);
        vtd_test_set_pasid(&f->v, dir, pasid, VTD_TEST_FIRST, f->root, LEVELS,
                           0, 0, DID);
        map(f, CRS, CRS_PHYS, PAGE, true);
        map(f, VA, PHYS + i * PAGE, PAGE, true);
        dsa_test_cmd_ok(f->t, DSA_TEST_DISABLE_WQ, 1);
        dsa_test_wq(f->t, 0, 64, 0, DSA_TEST_WQ_DEDICATED |
                    DSA_TEST_WQ_PRIO(1) | DSA_TEST_WQ_PASID(pasid));
        dsa_test_cmd_ok(f->t, DSA_TEST_ENABLE_WQ, 0);
        qtest_memset(f->t->qts, PHYS + i * PAGE, 0, 8);
        g_assert_cmphex(finish(f, &d), ==, 1);
        g_assert_cmphex(qtest_readb(f->t->qts, PHYS + i * PAGE), ==,
                        i & 0xff);
    }
}

/* --- page requests ------------------------------------------------------- */

static void test_page_request(Fixture *f, const void *unused)
{
    DSATestDesc d = desc(DSA_TEST_MEMMOVE, VA, VA + MB, 3 * PAGE);
    unsigned pages;
    Request r;

    /* Without block on fault nothing is asked */
    g_assert_cmphex(finish(f, &d), ==, 0x03);
    g_assert_false(request_pending(f));

    d.flags |= BOF;
    map(f, VA, PHYS, PAGE, true);
    qtest_memset(f->t->qts, PHYS, 0x31, 3 * PAGE);
    submit(f, &d);
    /* The destination is missing: all of it is asked for in one group */
    r = next_group(f, &pages);
    g_assert_cmphex(r.addr, ==, VA + MB);
    g_assert_true(r.write);
    g_assert_cmpuint(pages, ==, 3);
    map(f, VA + MB, PHYS + MB, 3 * PAGE, true);
    respond(f, r.group, SUCCESS);
    /* Then the rest of the source */
    r = next_group(f, &pages);
    g_assert_cmphex(r.addr, ==, VA + PAGE);
    g_assert_false(r.write);
    g_assert_cmpuint(pages, ==, 2);
    map(f, VA + PAGE, PHYS + PAGE, 2 * PAGE, true);
    g_assert_false(is_done(f, &d));
    respond(f, r.group, SUCCESS);
    g_assert_cmphex(status_of(f, &d), ==, 1);
    g_assert_cmphex(qtest_readb(f->t->qts, PHYS + MB + 3 * PAGE - 1), ==, 0x31);
    g_assert_false(request_pending(f));
}

static void test_refused(Fixture *f, const void *unused)
{
    DSATestDesc d = desc(DSA_TEST_FILL, 0x61, VA, 4 * PAGE);
    unsigned pages;
    Request r;

    d.flags |= BOF;
    map(f, VA, PHYS, PAGE, true);
    submit(f, &d);
    r = next_group(f, &pages);
    g_assert_cmphex(r.addr, ==, VA + PAGE);
    g_assert_cmpuint(pages, ==, 3);
    /* A refused group may be refused for another page: the first one alone */
    respond(f, r.group, INVALID);
    r = next_group(f, &pages);
    g_assert_cmphex(r.addr, ==, VA + PAGE);
    g_assert_cmpuint(pages, ==, 1);
    respond(f, r.group, INVALID);
    g_assert_cmphex(status_of(f, &d), ==, 0x84);
    g_assert_cmpuint(bytes_done(f, &d), ==, PAGE);
    g_assert_cmphex(fault_addr(f, &d), ==, VA + PAGE);
    g_assert_false(request_pending(f));
}

/* A descriptor that waits for a page does not hold up others */
static void test_overtake(Fixture *f, const void *unused)
{
    DSATestDesc wait[20], d, drain;
    Request r[20];
    unsigned i, pages;

    map(f, VA, PHYS, PAGE, true);
    for (i = 0; i < 20; i++) {
        wait[i] = desc(DSA_TEST_FILL, 0x6262626262626262,
                       VA + (i + 1) * 2 * PAGE, 8);
        wait[i].flags |= BOF;
        wait[i].cr = CRS + 64 + i * 32;
        submit(f, &wait[i]);
    }
    for (i = 0; i < 20; i++) {
        r[i] = next_group(f, &pages);
    }
    d = desc(DSA_TEST_FILL, 0x63, VA, 8);
    g_assert_cmphex(finish(f, &d), ==, 1);
    /* A drain waits for them */
    drain = desc(DSA_TEST_DRAIN, 0, 0, 0);
    drain.cr = CRS + 32;
    submit(f, &drain);
    map(f, VA, PHYS, MB, true);
    for (i = 0; i < 20; i++) {
        g_assert_false(is_done(f, &drain));
        respond(f, r[19 - i].group, SUCCESS);
    }
    for (i = 0; i < 20; i++) {
        g_assert_cmphex(status_of(f, &wait[i]), ==, 1);
    }
    g_assert_cmphex(status_of(f, &drain), ==, 1);
}

/* The response comes after the descriptor is gone, or is for somebody else */
static void test_late(Fixture *f, const void *unused)
{
    DSATestDesc d = desc(DSA_TEST_FILL, 0x64, VA, 8);
    unsigned pages;
    Request r, r2;

    d.flags |= BOF;
    submit(f, &d);
    r = next_group(f, &pages);
    dsa_test_cmd_ok(f->t, DSA_TEST_ABORT_WQ, 1);
    map(f, VA, PHYS, PAGE, true);
    qtest_memset(f->t->qts, PHYS, 0, 8);
    respond(f, r.group, SUCCESS);
    respond(f, r.group, SUCCESS);
    respond(f, 0x1ff, SUCCESS);
    g_assert_false(is_done(f, &d));
    g_assert_cmphex(qtest_readb(f->t->qts, PHYS), ==, 0);

    /* A response with another PASID is not ours */
    d.addr2 = VA + 8 * PAGE;
    submit(f, &d);
    r2 = next_group(f, &pages);
    respond_as(f, PASID + 1, r2.group, INVALID);
    map(f, VA + 8 * PAGE, PHYS, PAGE, true);
    respond(f, r2.group, SUCCESS);
    g_assert_cmphex(status_of(f, &d), ==, 1);
}

/* Page requests disabled while one is out: the descriptor fails */
static void test_disabled(Fixture *f, const void *unused)
{
    unsigned pri = dsa_test_ext_cap(f->t, PCI_EXT_CAP_ID_PRI);
    DSATestDesc d = desc(DSA_TEST_FILL, 0x65, VA, 8);
    unsigned pages;
    Request r;

    d.flags |= BOF;
    submit(f, &d);
    r = next_group(f, &pages);
    dsa_test_cfg_writew(f->t, pri + PCI_PRI_CTRL, 0);
    g_assert_cmphex(status_of(f, &d), ==, 0x84);
    respond(f, r.group, SUCCESS);
    g_assert_cmphex(finish(f, &d), ==, 0x83);
}

/* More requests than the IOMMU's queue has room for */
static void test_overflow(Fixture *f, const void *unused)
{
    DSATestDesc d[40];
    unsigned i, done = 0, steps = 0;

    vtd_test_map_first(&f->v, f->root, LEVELS, 1, VA, PHYS, PAGE);
    for (i = 0; i < 40; i++) {
        d[i] = desc(DSA_TEST_FILL, 0x66, VA + (i + 1) * 32 * PAGE, 16 * PAGE);
        d[i].flags |= BOF;
        d[i].cr = CRS + i * 32;
        submit(f, &d[i]);
    }
    g_usleep(50000);
    map(f, VA + 32 * PAGE, PHYS, 40 * 32 * PAGE, true);
    while (done < 40) {
        if (vtd_test_readl(&f->v, VTD_PRS) & 2) {
            vtd_test_writel(&f->v, VTD_PRS, 2);
        }
        while (request_pending(f)) {
            Request r = next_request(f);

            if (r.last) {
                respond(f, r.group, SUCCESS);
            }
        }
        for (done = i = 0; i < 40; i++) {
            done += is_done(f, &d[i]);
        }
        g_usleep(1000);
        g_assert_cmpuint(++steps, <, 30000);
    }
    for (i = 0; i < 40; i++) {
        g_assert_cmphex(status_of(f, &d[i]), ==, 1);
    }
}

/* A batch: the list faults, a child faults, the rest goes on */
static void test_batch(Fixture *f, const void *unused)
{
    DSATestDesc d, child = desc(DSA_TEST_FILL, 0x6767676767676767,
                                VA + MB, 8);
    unsigned i, pages;
    uint8_t raw[64];
    Request r;

    child.flags |= BOF;
    for (i = 0; i < 4; i++) {
        child.cr = CRS + 32 + i * 32;
        child.addr2 = VA + MB + i * PAGE;
        dsa_test_desc(&child, raw);
        qtest_memwrite(f->t->qts, PHYS + i * 64, raw, 64);
        dsa_test_clear_cr(f->t, CRS_PHYS + 32 + i * 32);
    }
    d = desc(DSA_TEST_BATCH, VA, 0, 4);
    g_assert_cmphex(finish(f, &d), ==, 0x06);
    d.flags |= BOF;
    submit(f, &d);
    r = next_group(f, &pages);
    g_assert_cmphex(r.addr, ==, VA);
    map(f, VA, PHYS, PAGE, true);
    respond(f, r.group, SUCCESS);
    for (i = 0; i < 4; i++) {
        r = next_group(f, &pages);
        g_assert_cmphex(r.addr, ==, VA + MB + i * PAGE);
        if (i != 2) {
            map(f, VA + MB + i * PAGE, PHYS + MB + i * PAGE, PAGE, true);
        }
        respond(f, r.group, i == 2 ? INVALID : SUCCESS);
    }
    g_assert_cmphex(status_of(f, &d), ==, 5);
    g_assert_cmpuint(bytes_done(f, &d), ==, 4);
    for (i = 0; i < 4; i++) {
        g_assert_cmphex(qtest_readb(f->t->qts, CRS_PHYS + 32 + i * 32), ==,
                        i == 2 ? 0x84 : 1);
    }
}

/* A completion record address that faults is an error, never waited for */
static void test_record_fault(Fixture *f, const void *unused)
{
    DSATestDesc d = desc(DSA_TEST_NOOP, 0, 0, 0);
    unsigned i;

    d.cr = VA + 32;
    g_assert_cmpint(dsa_test_submit(f->t, 0, &d), ==, QTEST_DMWR_ACCEPTED);
    for (i = 0; !(dsa_test_read64(f->t, DSA_TEST_SWERR) & 1); i++) {
        g_assert_cmpuint(i, <, 30000);
        g_usleep(1000);
    }
    g_assert_cmphex(dsa_test_read64(f->t, DSA_TEST_SWERR) >> 8 & 0xff, ==,
                    0x1a);
    g_assert_cmphex(dsa_test_read64(f->t, DSA_TEST_SWERR) >> 40 & 0xfffff, ==,
                    PASID);
    g_assert_cmphex(dsa_test_read64(f->t, DSA_TEST_SWERR + 16), ==, VA + 32);
    g_assert_false(request_pending(f));
}

/* ATS is on in the device, but its IOMMU has no support for it */
static void test_no_ats(Fixture *f, const void *unused)
{
    DSATestDesc d = desc(DSA_TEST_NOOP, 0, 0, 0);
    unsigned i;

    g_assert_cmpint(dsa_test_submit(f->t, 0, &d), ==, QTEST_DMWR_ACCEPTED);
    for (i = 0; !(dsa_test_read64(f->t, DSA_TEST_SWERR) & 1); i++) {
        g_assert_cmpuint(i, <, 30000);
        g_usleep(1000);
    }
    g_assert_cmphex(dsa_test_read64(f->t, DSA_TEST_SWERR) >> 8 & 0xff, ==,
                    0x1a);
    g_assert_false(is_done(f, &d));
}

static void add(const char *kind, const char *name, const Setup *how,
                void (*fn)(Fixture *f, const void *how))
{
    g_autofree char *path = g_strdup_printf("/%s/dsa/%s/%s",
                                            qtest_get_arch(), kind, name);

    g_test_add(path, Fixture, how, setup, fn, teardown);
}

static void add_translation(const char *kind, const Setup *how)
{
    add(kind, "translate", how, test_translate);
    add(kind, "huge", how, test_huge);
    add(kind, "permissions", how, test_permissions);
    add(kind, "no-ram", how, test_no_ram);
    add(kind, "invalidate", how, test_invalidate);
    add(kind, "invalidate-busy", how, test_invalidate_busy);
}

int main(int argc, char **argv)
{
    static const Setup untranslated = { "intel-vtd" };
    static const Setup ats = { "intel-vtd", true };
    static const Setup pri = { "intel-vtd", true, true };
    static const Setup stock = {
        "intel-iommu,intremap=on,scalable-mode=on,fsts=on,pasid-bits=20,"
        "device-iotlb=on,svm=on,aw-bits=48", true,
    };

    static const Setup no_device_tlb = {
        "intel-iommu,intremap=on,scalable-mode=on,fsts=on,pasid-bits=20,"
        "aw-bits=48", true,
    };

    g_test_init(&argc, &argv, NULL);
    add_translation("untranslated", &untranslated);
    add_translation("ats", &ats);
    add_translation("ats-intel-iommu", &stock);
    add("ats", "many-pasids", &ats, test_many_pasids);
    add("ats-intel-iommu", "no-device-tlb", &no_device_tlb, test_no_ats);
    add("pri", "page-request", &pri, test_page_request);
    add("pri", "refused", &pri, test_refused);
    add("pri", "overtake", &pri, test_overtake);
    add("pri", "late", &pri, test_late);
    add("pri", "disabled", &pri, test_disabled);
    add("pri", "overflow", &pri, test_overflow);
    add("pri", "batch", &pri, test_batch);
    add("pri", "record-fault", &pri, test_record_fault);
    return g_test_run();
}
