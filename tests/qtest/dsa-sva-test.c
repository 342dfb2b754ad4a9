/*
 * intel-dsa behind intel-vtd: address translation services, page requests and
 * untranslated requests with a PASID, as shared virtual addressing needs them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "hw/pci/pci_regs.h"
#include "dsa-test-lib.h"
#include "vtd-test-lib.h"

#define SID (DSA_TEST_SLOT << 3)
#define PASID 0x54321
#define DID 7

/* Guest memory */
#define FRAMES_AT (16 * MiB)
#define TABLES_AT (64 * MiB)
#define TABLES_SIZE (32 * MiB)
#define QUEUE_AT (100 * MiB)    /* page request queue, one page */
#define FRAME(n) (FRAMES_AT + (n) * 4096ULL)

/* The process's addresses: far from those of memory */
#define VA 0x7f1234560000ULL
#define RECORD_VA (VA + 0x100000)
#define RECORD FRAME(64)
#define SOURCE_VA VA
#define SOURCE FRAME(0)
#define TARGET_VA (VA + 0x10000)
#define TARGET FRAME(16)
#define LONG_VA 0x7f1280000000ULL
#define LONG_SIZE (64 * MiB)

/* Page request registers and their bits (VT-d 11.4.11) */
#define PQH 0xc0
#define PQT 0xc8
#define PQA 0xd0
#define PRS 0xdc
#define PRS_PPR 1
#define PRS_PRO 2
#define PQ_BYTES 4096
#define PQ_ENTRY 32

/* Response codes of a page group response (VT-d 7.5) */
enum { PRG_SUCCESS = 0, PRG_INVALID = 1, PRG_FAILURE = 15 };

#define ST_SUCCESS 0x01
#define ST_PAGE_FAULT 0x03
#define ST_PAGE_RESPONSE 0x04
#define ST_WRITE 0x80

#define WQ_MODE (DSA_TEST_WQ_DEDICATED | DSA_TEST_WQ_PRIO(8) | \
                 DSA_TEST_WQ_PASID(PASID))

typedef struct Fixture {
    DSATest *d;
    VTDTest v;
    uint64_t root, dir;
} Fixture;

/* What one test wants of the machine */
typedef struct Setup {
    bool no_ats, no_pri, priv;
    uint32_t wq_mode;
} Setup;

static void map(Fixture *f, uint64_t va, uint64_t pa, uint64_t size)
{
    vtd_test_map_first(&f->v, f->root, 4, 1, va, pa, size);
}

static uint64_t leaf_at(Fixture *f, uint64_t va)
{
    return vtd_test_entry(&f->v, f->root, 4, 1, va);
}

static uint64_t leaf(Fixture *f, uint64_t va)
{
    return qtest_readq(f->d->qts, leaf_at(f, va));
}

static void set_leaf(Fixture *f, uint64_t va, uint64_t entry)
{
    qtest_writeq(f->d->qts, leaf_at(f, va), entry);
}

static void enable_requests(Fixture *f, const Setup *s)
{
    unsigned ats = dsa_test_ext_cap(f->d, PCI_EXT_CAP_ID_ATS);
    unsigned pasid = dsa_test_ext_cap(f->d, PCI_EXT_CAP_ID_PASID);
    unsigned pri = dsa_test_ext_cap(f->d, PCI_EXT_CAP_ID_PRI);

    g_assert_cmphex(ats, !=, 0);
    g_assert_cmphex(pasid, !=, 0);
    g_assert_cmphex(pri, !=, 0);
    dsa_test_cfg_writew(f->d, pasid + PCI_PASID_CTRL, PCI_PASID_CTRL_ENABLE |
                        (s->priv ? PCI_PASID_CTRL_PRIV : 0));
    if (!s->no_ats) {
        dsa_test_cfg_writew(f->d, ats + PCI_ATS_CTRL, PCI_ATS_CTRL_ENABLE);
    }
    if (!s->no_pri) {
        dsa_test_cfg_write(f->d, pri + PCI_PRI_ALLOC_REQ, 32);
        dsa_test_cfg_writew(f->d, pri + PCI_PRI_CTRL, PCI_PRI_CTRL_ENABLE);
    }
}

static void setup(Fixture *f, const void *data)
{
    static const Setup plain;
    const Setup *s = data ? data : &plain;

    f->d = dsa_test_start("", "-m 128 -device intel-vtd");
    vtd_test_init(&f->v, f->d->qts, true, TABLES_AT, TABLES_SIZE);
    f->root = vtd_test_page(&f->v);
    map(f, SOURCE_VA, SOURCE, 16 * 4096);
    map(f, TARGET_VA, TARGET, 16 * 4096);
    map(f, RECORD_VA, RECORD, 4096);
    /* PDTS for 2^20 PASIDs; DTE, PASIDE, PRE (VT-d 9.4) */
    f->dir = vtd_test_scalable_context(&f->v, SID, 7, 0, 7 << 2);
    vtd_test_set_pasid(&f->v, f->dir, PASID, VTD_TEST_FIRST, f->root, 4, 0, 0,
                       DID);
    if (s->priv) {
        /* SRE (VT-d 9.6) */
        uint64_t at = vtd_test_pasid_entry(&f->v, f->dir, PASID) + 16;

        qtest_writeq(f->d->qts, at, qtest_readq(f->d->qts, at) | 1);
    }
    vtd_test_writeq(&f->v, PQA, QUEUE_AT);
    vtd_test_enable(&f->v);
    enable_requests(f, s);
    dsa_test_one_wq(f->d, 16, WQ_MODE | s->wq_mode);
    qtest_memset(f->d->qts, SOURCE, 0x5a, 16 * 4096);
    qtest_memset(f->d->qts, TARGET, 0, 16 * 4096);
}

static void teardown(Fixture *f, const void *unused)
{
    dsa_test_stop(f->d);
}

/* What the driver does after it has changed or removed a page */
static void flush_page(Fixture *f, uint64_t va, unsigned am)
{
    const uint64_t piotlb[4] = {
        6 | 3 << 4 | DID << 16 | (uint64_t)PASID << 32, va | am,
    };
    /* S and the ones below it give the size (VT-d 6.5.2.6) */
    uint64_t range = am ? va | ((1ULL << (11 + am)) - 4096) | 1 << 11 : va;
    const uint64_t device[4] = {
        8 | (uint64_t)SID << 16 | (uint64_t)PASID << 32, range,
    };

    vtd_test_queue(&f->v, piotlb);
    vtd_test_queue(&f->v, device);
    vtd_test_queue_wait(&f->v);
}

static void submit(Fixture *f, uint64_t to, uint64_t from, uint32_t size,
                   uint32_t flags)
{
    const DSATestDesc d = {
        .opcode = DSA_TEST_MEMMOVE,
        .flags = DSA_TEST_CRAV | DSA_TEST_RCR | flags,
        .cr = RECORD_VA,
        .addr1 = from,
        .addr2 = to,
        .size = size,
    };

    dsa_test_clear_cr(f->d, RECORD);
    g_assert_cmpint(dsa_test_submit(f->d, 0, &d), ==, QTEST_DMWR_ACCEPTED);
}

static uint8_t copy(Fixture *f, uint64_t to, uint64_t from, uint32_t size,
                    uint32_t flags)
{
    submit(f, to, from, size, flags);
    return dsa_test_wait_cr(f->d, RECORD);
}

static uint64_t fault_address(Fixture *f)
{
    return qtest_readq(f->d->qts, RECORD + 8);
}

static void expect(Fixture *f, uint64_t at, uint8_t byte, size_t len)
{
    g_autofree uint8_t *got = g_malloc(len);

    qtest_memread(f->d->qts, at, got, len);
    for (size_t i = 0; i < len; i++) {
        g_assert_cmphex(got[i], ==, byte);
    }
}

/* A copy sets Accessed where it reads, Dirty too where it writes */
static void test_copy(Fixture *f, const void *unused)
{
    g_assert_cmphex(copy(f, TARGET_VA, SOURCE_VA, 16 * 4096, 0), ==,
                    ST_SUCCESS);
    expect(f, TARGET, 0x5a, 16 * 4096);
    g_assert_cmphex(leaf(f, SOURCE_VA) & 0x60, ==, VTD_TEST_FS_A);
    g_assert_cmphex(leaf(f, TARGET_VA) & 0x60, ==,
                    VTD_TEST_FS_A | VTD_TEST_FS_D);
    g_assert_cmphex(vtd_test_readl(&f->v, VTD_TEST_FSTS) & 2, ==, 0);
}

/* A write through a translation that a read brought must set Dirty */
static void test_dirty_after_read(Fixture *f, const void *unused)
{
    g_assert_cmphex(copy(f, TARGET_VA, SOURCE_VA, 64, 0), ==, ST_SUCCESS);
    g_assert_cmphex(leaf(f, SOURCE_VA) & VTD_TEST_FS_D, ==, 0);
    g_assert_cmphex(copy(f, SOURCE_VA, TARGET_VA, 64, 0), ==, ST_SUCCESS);
    g_assert_cmphex(leaf(f, SOURCE_VA) & VTD_TEST_FS_D, ==, VTD_TEST_FS_D);
}

static void test_read_only(Fixture *f, const void *unused)
{
    set_leaf(f, TARGET_VA, leaf(f, TARGET_VA) & ~VTD_TEST_FS_RW);
    /* Once cold, once with a readable translation cached */
    for (int i = 0; i < 2; i++) {
        g_assert_cmphex(copy(f, TARGET_VA, SOURCE_VA, 64, 0), ==,
                        ST_PAGE_FAULT | ST_WRITE);
        g_assert_cmphex(fault_address(f) & ~0xfffULL, ==, TARGET_VA);
        g_assert_cmphex(leaf(f, TARGET_VA) & VTD_TEST_FS_D, ==, 0);
        g_assert_cmphex(copy(f, SOURCE_VA + 4096, TARGET_VA, 64, 0), ==,
                        ST_SUCCESS);
    }
    expect(f, TARGET, 0, 64);
}

/* Supervisor pages are for privileged queues */
static void test_supervisor(Fixture *f, const void *data)
{
    const Setup *s = data;
    uint8_t status;

    set_leaf(f, TARGET_VA, leaf(f, TARGET_VA) & ~VTD_TEST_FS_US);
    status = copy(f, TARGET_VA, SOURCE_VA, 4096, 0);
    if (s->priv) {
        g_assert_cmphex(status, ==, ST_SUCCESS);
        expect(f, TARGET, 0x5a, 4096);
    } else {
        g_assert_cmphex(status, ==, ST_PAGE_FAULT | ST_WRITE);
        expect(f, TARGET, 0, 4096);
    }
}

/* A fault without block on fault: what was done, and where it stopped */
static void test_partial(Fixture *f, const void *unused)
{
    set_leaf(f, TARGET_VA + 3 * 4096, 0);
    g_assert_cmphex(copy(f, TARGET_VA, SOURCE_VA, 8 * 4096, 0), ==,
                    ST_PAGE_FAULT | ST_WRITE);
    g_assert_cmphex(fault_address(f) & ~0xfffULL, ==, TARGET_VA + 3 * 4096);
    g_assert_cmpint(qtest_readl(f->d->qts, RECORD + 4), ==, 3 * 4096);
    expect(f, TARGET, 0x5a, 3 * 4096);
    expect(f, TARGET + 3 * 4096, 0, 5 * 4096);
    /* A translation request that fails is no fault of the unit (7.1.3) */
    g_assert_cmphex(vtd_test_readl(&f->v, VTD_TEST_FSTS) & 2, ==, 0);
}

static void test_invalidate(Fixture *f, const void *unused)
{
    g_assert_cmphex(copy(f, TARGET_VA, SOURCE_VA, 4096, 0), ==, ST_SUCCESS);
    qtest_memset(f->d->qts, TARGET, 0, 4096);
    set_leaf(f, TARGET_VA, FRAME(40) | 7);
    flush_page(f, TARGET_VA, 0);
    g_assert_cmphex(copy(f, TARGET_VA, SOURCE_VA, 4096, 0), ==, ST_SUCCESS);
    expect(f, TARGET, 0, 4096);
    expect(f, FRAME(40), 0x5a, 4096);

    set_leaf(f, TARGET_VA, 0);
    flush_page(f, TARGET_VA, 0);
    g_assert_cmphex(copy(f, TARGET_VA, SOURCE_VA, 4096, 0), ==,
                    ST_PAGE_FAULT | ST_WRITE);
}

/* A table whose pages all are @frame */
static uint64_t long_table(Fixture *f, uint64_t frame)
{
    uint64_t leaves[512], table = vtd_test_page(&f->v);

    for (int i = 0; i < 512; i++) {
        leaves[i] = cpu_to_le64(frame | 7);
    }
    qtest_memwrite(f->d->qts, table, leaves, sizeof(leaves));
    return table;
}

/* Give all of a long target this one table, at once */
static void map_long(Fixture *f, uint64_t table)
{
    uint64_t entries[LONG_SIZE / (2 * MiB)];

    for (int i = 0; i < ARRAY_SIZE(entries); i++) {
        entries[i] = cpu_to_le64(table | 7);
    }
    qtest_memwrite(f->d->qts, vtd_test_entry(&f->v, f->root, 4, 2, LONG_VA),
                   entries, sizeof(entries));
    flush_page(f, LONG_VA, 14);
}

/* After an invalidation's wait nothing is written through what it removed */
static void test_no_stale_write(Fixture *f, const void *unused)
{
    const DSATestDesc fill = {
        .opcode = DSA_TEST_FILL,
        .flags = DSA_TEST_CRAV | DSA_TEST_RCR,
        .cr = RECORD_VA,
        .addr1 = 0x1111111111111111,
        .addr2 = LONG_VA,
        .size = LONG_SIZE,
    };
    const uint64_t before = long_table(f, FRAME(40));
    const uint64_t after = long_table(f, FRAME(41));
    unsigned busy = 0;

    /* The tables above; what they lead to is set below */
    map(f, LONG_VA, FRAMES_AT, 4096);

    /* Until it was under way at the end of the invalidation a few times */
    for (int round = 0; busy < 4; round++) {
        g_assert_cmpint(round, <, 400);
        map_long(f, before);
        dsa_test_clear_cr(f->d, RECORD);
        g_assert_cmpint(dsa_test_submit(f->d, 0, &fill), ==,
                        QTEST_DMWR_ACCEPTED);
        map_long(f, after);
        busy += !qtest_readb(f->d->qts, RECORD);
        qtest_memset(f->d->qts, FRAME(40), 0x77, 4096);
        g_assert_cmphex(dsa_test_wait_cr(f->d, RECORD), ==, ST_SUCCESS);
        expect(f, FRAME(40), 0x77, 4096);
    }
}

typedef struct PageRequest {
    uint64_t word[2];
} PageRequest;

/* The next page request; waits for it and takes it off the queue */
static PageRequest next_request(Fixture *f)
{
    PageRequest r;
    uint64_t head = vtd_test_readq(&f->v, PQH);

    for (int i = 0; vtd_test_readq(&f->v, PQT) == head; i++) {
        g_assert_cmpint(i, <, 100000);
        g_usleep(100);
    }
    qtest_memread(f->d->qts, QUEUE_AT + head, &r, sizeof(r));
    r.word[0] = le64_to_cpu(r.word[0]);
    r.word[1] = le64_to_cpu(r.word[1]);
    vtd_test_writeq(&f->v, PQH, (head + PQ_ENTRY) % PQ_BYTES);
    return r;
}

static void respond(Fixture *f, const PageRequest *r, unsigned code)
{
    /* The group's index stands at bits 11:3 in both (7.4, 7.5) */
    const uint64_t desc[4] = {
        9 | 1 << 4 | (uint64_t)code << 12 | (uint64_t)SID << 16 |
        (uint64_t)PASID << 32,
        (r->word[1] & MAKE_64BIT_MASK(3, 9)) | 1 << 2,
    };

    vtd_test_queue(&f->v, desc);
    vtd_test_queue_wait(&f->v);
}

/*
 * Takes requests until the one with the last page of its group. The first is
 * for @va; a device may ask for the following pages of its operand too.
 */
static PageRequest next_group(Fixture *f, uint64_t va)
{
    for (;; va += 4096) {
        PageRequest r = next_request(f);

        /* Type 1 with a PASID, from the device (7.4) */
        g_assert_cmphex(r.word[0] & 0xffff01ff, ==,
                        0x01 | 1 << 8 | (uint64_t)SID << 16);
        g_assert_cmphex(extract64(r.word[0], 32, 20), ==, PASID);
        g_assert_cmphex(r.word[1] & ~0xfffULL, ==, va);
        g_assert_cmphex(r.word[1] & 2, ==, 2);
        if (r.word[1] & 4) {
            return r;
        }
    }
}

static void wait_prs(Fixture *f, uint32_t bit)
{
    for (int i = 0; !(vtd_test_readl(&f->v, PRS) & bit); i++) {
        g_assert_cmpint(i, <, 100000);
        g_usleep(100);
    }
}

static void test_page_request(Fixture *f, const void *unused)
{
    uint64_t entry = leaf(f, TARGET_VA + 4096);
    PageRequest r;

    set_leaf(f, TARGET_VA + 4096, 0);
    submit(f, TARGET_VA, SOURCE_VA, 4 * 4096, DSA_TEST_BOF);
    wait_prs(f, PRS_PPR);
    vtd_test_writel(&f->v, PRS, PRS_PPR);
    g_assert_cmphex(vtd_test_readl(&f->v, PRS), ==, 0);
    r = next_group(f, TARGET_VA + 4096);
    g_assert_cmphex(qtest_readb(f->d->qts, RECORD), ==, 0);
    set_leaf(f, TARGET_VA + 4096, entry);
    respond(f, &r, PRG_SUCCESS);
    g_assert_cmphex(dsa_test_wait_cr(f->d, RECORD), ==, ST_SUCCESS);
    expect(f, TARGET, 0x5a, 4 * 4096);
}

static void refuse(Fixture *f, unsigned code)
{
    PageRequest r;

    set_leaf(f, TARGET_VA, 0);
    submit(f, TARGET_VA, SOURCE_VA, 4096, DSA_TEST_BOF);
    r = next_group(f, TARGET_VA);
    respond(f, &r, code);
    g_assert_cmphex(dsa_test_wait_cr(f->d, RECORD), ==,
                    ST_PAGE_RESPONSE | ST_WRITE);
    g_assert_cmphex(fault_address(f) & ~0xfffULL, ==, TARGET_VA);
    expect(f, TARGET, 0, 4096);
}

static void test_invalid_response(Fixture *f, const void *unused)
{
    refuse(f, PRG_INVALID);
}

static void test_failed_response(Fixture *f, const void *unused)
{
    refuse(f, PRG_FAILURE);
}

/* One job waits for a page, the others go on */
static void test_others_go_on(Fixture *f, const void *unused)
{
    const DSATestDesc blocked = {
        .opcode = DSA_TEST_MEMMOVE,
        .flags = DSA_TEST_CRAV | DSA_TEST_RCR | DSA_TEST_BOF,
        .cr = RECORD_VA + 64,
        .addr1 = SOURCE_VA,
        .addr2 = TARGET_VA + 8 * 4096,
        .size = 4096,
    };
    uint64_t entry = leaf(f, blocked.addr2);
    PageRequest r;

    set_leaf(f, blocked.addr2, 0);
    dsa_test_clear_cr(f->d, RECORD + 64);
    g_assert_cmpint(dsa_test_submit(f->d, 0, &blocked), ==,
                    QTEST_DMWR_ACCEPTED);
    r = next_group(f, blocked.addr2);
    for (int i = 0; i < 40; i++) {
        g_assert_cmphex(copy(f, TARGET_VA, SOURCE_VA, 4096, 0), ==,
                        ST_SUCCESS);
    }
    g_assert_cmphex(qtest_readb(f->d->qts, RECORD + 64), ==, 0);
    set_leaf(f, blocked.addr2, entry);
    respond(f, &r, PRG_SUCCESS);
    g_assert_cmphex(dsa_test_wait_cr(f->d, RECORD + 64), ==, ST_SUCCESS);
}

/*
 * A full queue sets PRO and takes nothing more; the device asks again until
 * there is room, so that no job is lost (VT-d 7.4.1, 7.5.1).
 */
static void test_queue_overflow(Fixture *f, const void *unused)
{
    uint64_t entry = leaf(f, TARGET_VA);
    PageRequest r;

    vtd_test_writeq(&f->v, PQH, PQ_ENTRY);
    set_leaf(f, TARGET_VA, 0);
    submit(f, TARGET_VA, SOURCE_VA, 4096, DSA_TEST_BOF);
    wait_prs(f, PRS_PRO);
    g_assert_cmphex(vtd_test_readq(&f->v, PQT), ==, 0);
    g_assert_cmphex(qtest_readb(f->d->qts, RECORD), ==, 0);

    vtd_test_writeq(&f->v, PQH, 0);
    vtd_test_writel(&f->v, PRS, PRS_PRO);
    r = next_group(f, TARGET_VA);
    set_leaf(f, TARGET_VA, entry);
    respond(f, &r, PRG_SUCCESS);
    g_assert_cmphex(dsa_test_wait_cr(f->d, RECORD), ==, ST_SUCCESS);
}

/* Responses that nobody waits for do nothing */
static void test_stray_response(Fixture *f, const void *unused)
{
    const PageRequest stray = { { 0, 0x155 << 3 } };

    respond(f, &stray, PRG_SUCCESS);
    respond(f, &stray, PRG_FAILURE);
    g_assert_cmphex(copy(f, TARGET_VA, SOURCE_VA, 4096, 0), ==, ST_SUCCESS);
}

/* A job that waits for a page is aborted, and the late answer does nothing */
static void test_abort_while_waiting(Fixture *f, const void *unused)
{
    PageRequest r;

    set_leaf(f, TARGET_VA, 0);
    submit(f, TARGET_VA, SOURCE_VA, 4096, DSA_TEST_BOF);
    r = next_group(f, TARGET_VA);
    dsa_test_cmd_ok(f->d, DSA_TEST_ABORT_ALL, 0);
    set_leaf(f, TARGET_VA, TARGET | 7);
    respond(f, &r, PRG_SUCCESS);
    g_assert_cmphex(copy(f, TARGET_VA + 4096, SOURCE_VA, 64, 0), ==,
                    ST_SUCCESS);
    expect(f, TARGET, 0, 4096);
}

/* The PASID's entry goes away: no translation of it is left anywhere */
static void test_pasid_teardown(Fixture *f, const void *unused)
{
    uint64_t entry = vtd_test_pasid_entry(&f->v, f->dir, PASID);
    const uint64_t cache[4] = {
        7 | 1 << 4 | DID << 16 | (uint64_t)PASID << 32,
    };
    const uint64_t piotlb[4] = {
        6 | 2 << 4 | DID << 16 | (uint64_t)PASID << 32,
    };
    /* The whole address space: S and all ones (VT-d 6.5.2.6) */
    const uint64_t device[4] = {
        8 | (uint64_t)SID << 16 | (uint64_t)PASID << 32,
        0x7ffffffffffff800,
    };

    g_assert_cmphex(copy(f, TARGET_VA, SOURCE_VA, 4096, 0), ==, ST_SUCCESS);
    qtest_memset(f->d->qts, TARGET, 0, 4096);
    qtest_writeq(f->d->qts, entry, 0);
    vtd_test_queue(&f->v, cache);
    vtd_test_queue(&f->v, piotlb);
    vtd_test_queue(&f->v, device);
    vtd_test_queue_wait(&f->v);
    submit(f, TARGET_VA, SOURCE_VA, 4096, 0);
    /* The record cannot be written either: that is an error of the device */
    g_assert_cmphex(dsa_test_wait_swerr(f->d), ==, 0x1a);
    g_assert_cmphex(qtest_readb(f->d->qts, RECORD), ==, 0);
    expect(f, TARGET, 0, 4096);
}

/* Requests that the unit translates itself: its faults name the PASID */
static void test_untranslated(Fixture *f, const void *unused)
{
    uint64_t frcd = extract64(vtd_test_readq(&f->v, VTD_TEST_CAP), 24, 10) * 16;
    uint64_t high;

    g_assert_cmphex(copy(f, TARGET_VA, SOURCE_VA, 16 * 4096, 0), ==,
                    ST_SUCCESS);
    expect(f, TARGET, 0x5a, 16 * 4096);
    g_assert_cmphex(leaf(f, TARGET_VA) & VTD_TEST_FS_D, ==, VTD_TEST_FS_D);

    set_leaf(f, TARGET_VA, 0);
    flush_page(f, TARGET_VA, 0);
    g_assert_cmphex(copy(f, TARGET_VA, SOURCE_VA, 64, 0) & 0x7f, !=,
                    ST_SUCCESS);
    g_assert_cmphex(vtd_test_readl(&f->v, VTD_TEST_FSTS) & 2, ==, 2);
    g_assert_cmphex(vtd_test_readq(&f->v, frcd), ==, TARGET_VA);
    /* F, PASID value, PP and source-id (VT-d 11.4.7.4) */
    high = vtd_test_readq(&f->v, frcd + 8);
    g_assert_cmphex(high >> 63, ==, 1);
    g_assert_cmphex(extract64(high, 40, 20), ==, PASID);
    g_assert_cmphex(extract64(high, 31, 1), ==, 1);
    g_assert_cmphex(high & 0xffff, ==, SID);
}

/* Without page requests a job does not wait, whatever its flags say */
static void test_no_pri(Fixture *f, const void *unused)
{
    set_leaf(f, TARGET_VA, 0);
    g_assert_cmphex(copy(f, TARGET_VA, SOURCE_VA, 64, DSA_TEST_BOF), ==,
                    ST_PAGE_FAULT | ST_WRITE);
    g_assert_cmphex(vtd_test_readq(&f->v, PQT), ==, 0);
}

int main(int argc, char **argv)
{
    static const Setup no_ats = {
        .no_ats = true, .no_pri = true, .wq_mode = DSA_TEST_WQ_ATS_DISABLE,
    };
    static const Setup no_pri = { .no_pri = true,
                                  .wq_mode = DSA_TEST_WQ_BOF };
    static const Setup priv = { .priv = true, .wq_mode = DSA_TEST_WQ_PRIV };
    static const Setup bof = { .wq_mode = DSA_TEST_WQ_BOF };
    static const struct {
        const char *name;
        const Setup *setup;
        void (*run)(Fixture *f, const void *data);
    } tests[] = {
        { "/ats/copy", &bof, test_copy },
        { "/ats/dirty-after-read", &bof, test_dirty_after_read },
        { "/ats/read-only", &bof, test_read_only },
        { "/ats/supervisor/user", &bof, test_supervisor },
        { "/ats/supervisor/privileged", &priv, test_supervisor },
        { "/ats/partial", &bof, test_partial },
        { "/ats/invalidate", &bof, test_invalidate },
        { "/ats/no-stale-write", &bof, test_no_stale_write },
        { "/ats/pasid-teardown", &bof, test_pasid_teardown },
        { "/ats/off", &no_ats, test_untranslated },
        { "/pri/success", &bof, test_page_request },
        { "/pri/invalid", &bof, test_invalid_response },
        { "/pri/failure", &bof, test_failed_response },
        { "/pri/others-go-on", &bof, test_others_go_on },
        { "/pri/overflow", &bof, test_queue_overflow },
        { "/pri/stray", &bof, test_stray_response },
        { "/pri/abort", &bof, test_abort_while_waiting },
        { "/pri/off", &no_pri, test_no_pri },
    };

    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(tests); i++) {
        g_autofree char *name = g_strconcat("dsa/sva", tests[i].name, NULL);

        qtest_add(name, Fixture, tests[i].setup, setup, tests[i].run,
                  teardown);
    }
    return g_test_run();
}
