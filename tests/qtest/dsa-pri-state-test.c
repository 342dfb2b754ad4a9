/*
 * intel-dsa: the Page Request capability (PCIe 6.0 section 10.5.2) and what
 * becomes of page request groups that are out when the function, its queue or
 * the machine changes under them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include <glib/gstdio.h>
#include "hw/pci/pci_regs.h"
#include "tests/qtest/libqos/pci-pc.h"
#include "dsa-iommu-lib.h"
#include "migrate-lib.h"

#define A_WHILE_US 20000

/* Page Request Status: PASID Required is always set */
#define RUNNING PCI_PRI_STATUS_PASID
#define STOPPED (PCI_PRI_STATUS_PASID | PCI_PRI_STATUS_STOPPED)
#define RF PCI_PRI_STATUS_RF
#define UPRGI PCI_PRI_STATUS_UPRGI

static const DSAIommuSetup pri = { "intel-vtd", true, true };
static const DSAIommuSetup one = { "intel-vtd", true, true, 1 };
static const DSAIommuSetup six = { "intel-vtd", true, true, 6 };
static const DSAIommuSetup all = { "intel-vtd", true, true, 512 };

/* Submit a touch of @va and take its request */
static DSAIommuRequest ask(DSAIommu *f, DSATestDesc *d, uint64_t va,
                           unsigned index)
{
    unsigned pages;

    *d = di_touch(va, index);
    di_submit(f, d);
    return di_next_group(f, &pages);
}

static void grant(DSAIommu *f, const DSAIommuRequest *r, const DSATestDesc *d)
{
    di_map(f, r->addr, PHYS, PAGE, true);
    di_respond(f, r->group, SUCCESS);
    g_assert_cmphex(di_status_of(f, d), ==, 1);
}

/* Page requests work, and are not short of anything */
static void check_works(DSAIommu *f, uint64_t va)
{
    DSATestDesc d;
    DSAIommuRequest r = ask(f, &d, va, 20);

    g_assert_cmphex(r.addr, ==, va);
    grant(f, &r, &d);
    g_assert_false(di_request_pending(f));
}

/* --- the capability ------------------------------------------------------ */

static void test_stopping(DSAIommu *f, const void *unused)
{
    DSAIommuRequest r;
    DSATestDesc d;

    g_assert_cmphex(di_pri_control(f), ==, PCI_PRI_CTRL_ENABLE);
    g_assert_cmphex(di_pri_status(f), ==, RUNNING);
    di_pri_write(f, 0);
    g_assert_cmphex(di_pri_status(f), ==, STOPPED);

    /* With a request out it stops when the response comes */
    di_pri_write(f, PCI_PRI_CTRL_ENABLE);
    r = ask(f, &d, VA, 0);
    di_pri_write(f, 0);
    g_assert_cmphex(di_status_of(f, &d), ==, 0x84);
    g_assert_cmphex(di_pri_status(f), ==, RUNNING);
    di_respond(f, r.group, SUCCESS);
    g_assert_cmphex(di_pri_status(f), ==, STOPPED);

    /* Reset stops it at once; not while it is enabled */
    di_pri_write(f, PCI_PRI_CTRL_ENABLE);
    r = ask(f, &d, VA, 0);
    di_pri_write(f, PCI_PRI_CTRL_ENABLE | PCI_PRI_CTRL_RESET);
    g_assert_cmphex(di_pri_control(f), ==, PCI_PRI_CTRL_ENABLE);
    g_usleep(A_WHILE_US);
    g_assert_false(di_is_done(f, &d));
    di_pri_write(f, PCI_PRI_CTRL_RESET);
    g_assert_cmphex(di_pri_control(f), ==, 0);
    g_assert_cmphex(di_status_of(f, &d), ==, 0x84);
    g_assert_cmphex(di_pri_status(f), ==, STOPPED);
    di_respond(f, r.group, SUCCESS);
    g_assert_cmphex(di_pri_status(f), ==, STOPPED | UPRGI);
    di_pri_clear(f, RF);
    g_assert_cmphex(di_pri_status(f), ==, STOPPED | UPRGI);
    di_pri_clear(f, UPRGI);
    g_assert_cmphex(di_pri_status(f), ==, STOPPED);

    di_pri_write(f, PCI_PRI_CTRL_ENABLE);
    check_works(f, VA + MB);
    g_assert_cmphex(di_pri_status(f), ==, RUNNING);
}

/* Response Failure, and the codes that mean the same (10.4.2.1) */
static void test_failure(DSAIommu *f, const void *unused)
{
    static const unsigned codes[] = { 15, 2, 14 };
    DSATestDesc a, b, c = di_touch(VA + MB, 2);
    DSAIommuRequest ra, rb;
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(codes); i++) {
        ra = ask(f, &a, VA, 0);
        rb = ask(f, &b, VA + PAGE, 1);
        di_respond(f, ra.group, codes[i]);
        g_assert_cmphex(di_status_of(f, &a), ==, 0x84);
        g_assert_cmphex(di_status_of(f, &b), ==, 0x84);
        g_assert_cmphex(di_pri_status(f), ==, STOPPED | RF);
        g_assert_cmphex(di_pri_control(f), ==, 0);
        /* Nothing that comes now counts, and nothing is asked for */
        di_respond(f, rb.group, SUCCESS);
        di_respond(f, 0x1ff, SUCCESS);
        g_assert_cmphex(di_pri_status(f), ==, STOPPED | RF);
        g_assert_cmphex(di_finish(f, &c), ==, 0x83);
        g_assert_false(di_request_pending(f));
        if (i == 0) {
            di_pri_clear(f, RF);
            g_assert_cmphex(di_pri_status(f), ==, STOPPED);
        }
        di_pri_write(f, PCI_PRI_CTRL_ENABLE);
        g_assert_cmphex(di_pri_status(f), ==, RUNNING);
        check_works(f, VA + (2 + i) * MB);
    }
}

static void test_unexpected(DSAIommu *f, const void *unused)
{
    DSATestDesc d;
    DSAIommuRequest r = ask(f, &d, VA, 0);
    const struct {
        uint32_t pasid;
        unsigned group, code;
    } strangers[] = {
        { PASID, (r.group + 1) % 512, SUCCESS },
        { PASID, (r.group + 1) % 512, FAILURE },
        { PASID + 1, r.group, SUCCESS },
        { PASID + 1, r.group, FAILURE },
        { UINT32_MAX, r.group, INVALID },
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(strangers); i++) {
        g_assert_cmphex(di_pri_status(f), ==, RUNNING);
        di_respond_as(f, strangers[i].pasid, strangers[i].group,
                      strangers[i].code);
        g_assert_cmphex(di_pri_status(f), ==, RUNNING | UPRGI);
        di_pri_clear(f, UPRGI);
    }
    g_assert_false(di_is_done(f, &d));
    grant(f, &r, &d);
    g_assert_cmphex(di_pri_status(f), ==, RUNNING);
}

/* --- how much may be out ------------------------------------------------- */

/*
 * Maps the @pages of the descriptor that asked first for @r, and answers: those
 * of others stay away, so that they ask, however late they are.
 */
static void answer_all(DSAIommu *f, const DSAIommuRequest *r, unsigned pages)
{
    di_map(f, r->addr, PHYS + (r->addr - VA), pages * PAGE, true);
    di_respond(f, r->group, SUCCESS);
}

static void test_allocation(DSAIommu *f, const void *unused)
{
    static const unsigned pages[] = { 4, 2, 4 };
    DSATestDesc d[3];
    DSAIommuRequest r[3];
    unsigned i, got, seen = 0;

    for (i = 0; i < 3; i++) {
        d[i] = di_touch(VA + i * 16 * PAGE, i);
        d[i].size = 4 * PAGE;
        di_submit(f, &d[i]);
    }
    /* Six are allowed: four and a part of the next four */
    di_wait_requests(f, 6);
    g_usleep(A_WHILE_US);
    di_wait_requests(f, 6);
    for (i = 0; i < 3; i++) {
        r[i] = di_next_group(f, &got);
        /* in any order: several threads carry descriptors out */
        g_assert_cmphex(r[i].addr % (16 * PAGE), ==, 0);
        seen |= 1 << (r[i].addr - VA) / (16 * PAGE);
        g_assert_cmpuint(got, ==, pages[i]);
        if (i == 1) {
            g_assert_false(di_request_pending(f));
            answer_all(f, &r[0], 4);
        }
    }
    g_assert_cmphex(seen, ==, 7);
    answer_all(f, &r[1], 4);
    answer_all(f, &r[2], 4);
    for (i = 0; i < 3; i++) {
        g_assert_cmphex(di_status_of(f, &d[i]), ==, 1);
    }
}

/* More is allocated than the function can have out: 512 */
static void test_capacity(DSAIommu *f, const void *unused)
{
    enum { DESCS = 40, PAGES = 16 };
    DSATestDesc d[DESCS];
    unsigned i, pages;

    dsa_test_cfg_write(f->t, dsa_test_ext_cap(f->t, PCI_EXT_CAP_ID_PRI) +
                       PCI_PRI_ALLOC_REQ, UINT32_MAX);
    di_queue(f, PRQ, 3);
    for (i = 0; i < DESCS; i++) {
        d[i] = di_touch(VA + i * PAGES * PAGE, i);
        d[i].size = PAGES * PAGE;
        di_submit(f, &d[i]);
    }
    di_wait_requests(f, 512);
    g_usleep(A_WHILE_US);
    di_wait_requests(f, 512);
    for (i = 0; i < DESCS; i++) {
        DSAIommuRequest r = di_next_group(f, &pages);

        g_assert_cmpuint(pages, ==, PAGES);
        answer_all(f, &r, PAGES);
    }
    for (i = 0; i < DESCS; i++) {
        g_assert_cmphex(di_status_of(f, &d[i]), ==, 1);
    }
    g_assert_false(di_request_pending(f));
}

/* An aborted descriptor's request still counts, until it is answered */
static void test_aborted(DSAIommu *f, const void *unused)
{
    DSATestDesc a, b = di_touch(VA + MB, 1);
    DSAIommuRequest r = ask(f, &a, VA, 0);
    unsigned pages;

    dsa_test_cmd_ok(f->t, DSA_TEST_ABORT_WQ, 1);
    di_submit(f, &b);
    g_usleep(A_WHILE_US);
    g_assert_false(di_request_pending(f));
    di_respond(f, r.group, INVALID);
    r = di_next_group(f, &pages);
    g_assert_cmphex(r.addr, ==, VA + MB);
    grant(f, &r, &b);
    g_assert_false(di_is_done(f, &a));
    g_assert_cmphex(di_pri_status(f), ==, RUNNING);
}

/* Groups without a descriptor, of more PASIDs than are remembered */
static void test_many_pasids(DSAIommu *f, const void *unused)
{
    DSATestDesc d;
    unsigned i;

    ask(f, &d, VA, 0);
    dsa_test_cmd_ok(f->t, DSA_TEST_ABORT_WQ, 1);
    for (i = 0; i < 1100; i++) {
        uint32_t pasid = 0x20000 + i;

        vtd_test_set_pasid(&f->v, f->dir, pasid, VTD_TEST_FIRST, f->root,
                           LEVELS, 0, 0, DID);
        dsa_test_cmd_ok(f->t, DSA_TEST_DISABLE_WQ, 1);
        dsa_test_wq(f->t, 0, 64, 0, DSA_TEST_WQ_DEDICATED |
                    DSA_TEST_WQ_PRIO(1) | DSA_TEST_WQ_PASID(pasid));
        dsa_test_cmd_ok(f->t, DSA_TEST_ENABLE_WQ, 0);
        d = di_desc(DSA_TEST_NOOP, 0, 0, 0);
        g_assert_cmphex(di_finish(f, &d), ==, 1);
    }
    /* The one request allowed is still out: only its response ends that */
    di_respond(f, 0, SUCCESS);
    g_assert_cmphex(di_pri_status(f), ==, RUNNING);
    dsa_test_cmd_ok(f->t, DSA_TEST_DISABLE_WQ, 1);
    dsa_test_wq(f->t, 0, 64, 0, DSA_TEST_WQ_DEDICATED | DSA_TEST_WQ_PRIO(1) |
                DSA_TEST_WQ_PASID(PASID) | DSA_TEST_WQ_BOF);
    dsa_test_cmd_ok(f->t, DSA_TEST_ENABLE_WQ, 0);
    check_works(f, VA + MB);
}

/* --- resets -------------------------------------------------------------- */

static void test_flr(DSAIommu *f, const void *unused)
{
    DSATestDesc d;
    DSAIommuRequest r = ask(f, &d, VA, 0);

    dsa_test_flr(f->t);
    g_assert_cmphex(di_pri_control(f), ==, 0);
    g_assert_cmphex(di_pri_status(f), ==, STOPPED);
    di_enable_pci(f->t, &one);
    di_enable_wq(f);
    /* The one request that is allowed is not taken by the old one */
    check_works(f, VA + MB);
    g_assert_cmphex(di_pri_status(f), ==, RUNNING);
    di_map(f, VA, PHYS, PAGE, true);
    di_respond(f, r.group, SUCCESS);
    g_assert_cmphex(di_pri_status(f), ==, RUNNING | UPRGI);
    g_assert_false(di_is_done(f, &d));
}

static void test_bus_master(DSAIommu *f, const void *unused)
{
    DSATestDesc d;
    DSAIommuRequest r = ask(f, &d, VA, 0);

    dsa_test_cfg_writew(f->t, PCI_COMMAND, PCI_COMMAND_MEMORY);
    g_assert_cmphex(dsa_test_read(f->t, DSA_TEST_GENSTS) & 3, ==, 3);
    di_map(f, VA, PHYS, PAGE, true);
    qtest_memset(f->t->qts, PHYS, 0, 8);
    di_respond(f, r.group, SUCCESS);
    g_assert_false(di_is_done(f, &d));
    g_assert_cmphex(qtest_readq(f->t->qts, PHYS), ==, 0);
    g_assert_cmphex(di_pri_status(f), ==, RUNNING);
    dsa_test_flr(f->t);
    di_enable_pci(f->t, &one);
    di_enable_wq(f);
    check_works(f, VA + MB);
}

/* The device's own reset leaves the capability alone: the response comes */
static void test_device_reset(DSAIommu *f, const void *unused)
{
    DSATestDesc d;
    DSAIommuRequest r = ask(f, &d, VA, 0);

    dsa_test_cmd_ok(f->t, DSA_TEST_RESET_DEV, 0);
    di_respond(f, r.group, SUCCESS);
    g_assert_cmphex(di_pri_status(f), ==, RUNNING);
    di_enable_wq(f);
    check_works(f, VA + MB);
}

static void test_system_reset(DSAIommu *f, const void *unused)
{
    QTestState *qts = f->t->qts;
    DSATestDesc d;

    ask(f, &d, VA, 0);
    qtest_system_reset(qts);
    dsa_test_detach(f->t);
    f->t = dsa_test_attach(qts);
    g_assert_cmphex(di_pri_status(f), ==, STOPPED);
    di_program(f, &one);
    g_assert_false(di_request_pending(f));
    check_works(f, VA + MB);
    g_assert_cmphex(di_pri_status(f), ==, RUNNING);
}

/* --- plugging out -------------------------------------------------------- */

#define PORT_SLOT 5

/* Where Slot Control is in the root port's PCI Express capability */
static uint64_t slot_control(QTestState *qts)
{
    uint64_t port = 0xb0000000 + (PORT_SLOT << 15);
    uint8_t pos = qtest_readb(qts, port + PCI_CAPABILITY_LIST);

    while (qtest_readb(qts, port + pos) != PCI_CAP_ID_EXP) {
        pos = qtest_readb(qts, port + pos + 1);
        g_assert_cmphex(pos, !=, 0);
    }
    return port + pos + PCI_EXP_SLTCTL;
}

/*
 * The device goes while its descriptors run, wait for pages and wait in the
 * queue. The next one in the slot hears the answer, and works.
 */
static void test_unplug(void)
{
    QTestState *qts = qtest_initf(
        "-machine q35 -nodefaults -m 256 -device intel-vtd -global "
        "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off "
        "-device pcie-root-port,id=rp,addr=%u,chassis=1,slot=1 "
        "-device intel-dsa,id=dsa,bus=rp", PORT_SLOT);
    DSAIommu fixture = { dsa_test_attach_behind(qts, PORT_SLOT) };
    DSAIommu *f = &fixture;
    DSATestDesc d, busy = di_desc(DSA_TEST_FILL, 1, VA + MB, 8 * MB);
    DSAIommuRequest r;
    unsigned i;

    di_program(f, &pri);
    di_map(f, VA + MB, PHYS, 8 * MB, true);
    r = ask(f, &d, VA, 0);
    for (i = 0; i < 40; i++) {
        busy.cr = CRS + 64 + i * 32;
        di_submit(f, &busy);
    }
    qtest_qmp_assert_success(qts, "{ 'execute': 'device_del', 'arguments': "
                             "{ 'id': 'dsa' } }");
    qtest_writew(qts, slot_control(qts), PCI_EXP_SLTCTL_PWR_IND_ON);
    qtest_writew(qts, slot_control(qts), PCI_EXP_SLTCTL_PWR_IND_OFF |
                 PCI_EXP_SLTCTL_PCC);
    qtest_qmp_eventwait(qts, "DEVICE_DELETED");
    di_map(f, VA, PHYS, PAGE, true);
    qtest_memset(qts, PHYS, 0, PAGE);
    di_respond(f, r.group, SUCCESS);
    di_invalidate(f, VA + MB);
    g_assert_cmphex(qtest_readq(qts, PHYS), ==, 0);
    g_assert_false(di_is_done(f, &d));

    qtest_qmp_assert_success(qts, "{ 'execute': 'device_add', 'arguments': "
                             "{ 'driver': 'intel-dsa', 'bus': 'rp', "
                             "'id': 'two' } }");
    qtest_writew(qts, slot_control(qts), PCI_EXP_SLTCTL_PWR_IND_ON);
    dsa_test_detach(f->t);
    f->t = dsa_test_attach_behind(qts, PORT_SLOT);
    di_enable_pci(f->t, &pri);
    di_enable_wq(f);
    check_works(f, VA + 16 * MB);
    di_respond(f, r.group + 7, SUCCESS);
    g_assert_cmphex(di_pri_status(f), ==, RUNNING | UPRGI);
    dsa_test_stop(f->t);
}

#define BATCH_AT 0x1000000
#define MOVED_AT 0x4000000          /* and what the memset below is for */
#define MESSAGE_AT 0x1100000

/*
 * The guest aims a message at the power of the device's own slot, with more
 * messages to go after it. The first child keeps the accelerator busy until the
 * main loop has something to do; then all interrupts wait for it together.
 */
static void test_unplug_by_message(void)
{
    enum { CHILDREN = 64 };
    QTestState *qts = qtest_initf(
        "-machine q35 -nodefaults -m 512 -global "
        "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off "
        "-device pcie-root-port,id=rp,addr=%u,chassis=1,slot=1 "
        "-device intel-dsa,id=dsa,bus=rp", PORT_SLOT);
    DSATest *t = dsa_test_attach_behind(qts, PORT_SLOT);
    DSATestDesc batch = {
        .opcode = DSA_TEST_BATCH, .addr1 = BATCH_AT, .size = CHILDREN + 1,
    };
    DSATestDesc move = {
        .opcode = DSA_TEST_MEMMOVE, .addr1 = MOVED_AT,
        .addr2 = MOVED_AT + 32 * MB, .size = 32 * MB,
    };
    uint8_t raw[64];
    unsigned i;

    for (i = 0; i < CHILDREN; i++) {
        DSATestDesc d = {
            .opcode = DSA_TEST_NOOP, .flags = DSA_TEST_RCI, .int_handle = i,
        };

        dsa_test_write64(t, t->ims + i * 16,
                         i ? MESSAGE_AT : slot_control(qts));
        dsa_test_write(t, t->ims + i * 16 + 8, PCI_EXP_SLTCTL_PWR_IND_OFF |
                       PCI_EXP_SLTCTL_PCC);
        dsa_test_desc(&d, raw);
        qtest_memwrite(qts, BATCH_AT + (i + 1) * 64, raw, sizeof(raw));
    }
    dsa_test_desc(&move, raw);
    qtest_memwrite(qts, BATCH_AT, raw, sizeof(raw));
    dsa_test_one_wq(t, 16, 0);
    qtest_writew(qts, slot_control(qts), PCI_EXP_SLTCTL_PWR_IND_ON);
    dsa_test_desc(&batch, raw);
    dsa_test_submit_raw(t, 0, 2, false, raw);
    qtest_memset(qts, MOVED_AT + 64 * MB, 1, 320 * MB);
    qtest_qmp_eventwait(qts, "DEVICE_DELETED");
    g_assert_cmphex(qtest_readb(qts, MOVED_AT + 64 * MB), ==, 1);
    dsa_test_stop(t);
}

/* --- migration ----------------------------------------------------------- */

/*
 * The guest answers what the source asked for; only then is there room for the
 * destination's own request.
 */
static void test_migrate(DSAIommu *f, const void *unused)
{
    g_autofree char *machine = di_machine(&one), *in = NULL;
    g_autofree char *args = dsa_test_args("", machine);
    DSATestDesc d;
    DSAIommuRequest r = ask(f, &d, VA, 0);
    g_autofree char *file = migrate_to_file(f->t->qts);
    QTestState *qts;
    unsigned pages;

    in = g_strdup_printf("%s -incoming file:%s", args, file);
    qts = qtest_init(in);
    migrate_wait(qts);
    /* It may have resumed before anybody listened: no event tells then */
    qtest_qmp_assert_success(qts, "{ 'execute': 'cont' }");
    dsa_test_move(f->t, qts);
    f->v.qts = qts;

    g_usleep(A_WHILE_US);
    g_assert_false(di_request_pending(f));
    di_respond(f, r.group, INVALID);
    r = di_next_group(f, &pages);
    g_assert_cmphex(r.addr, ==, VA);
    grant(f, &r, &d);
    g_assert_cmphex(di_pri_status(f), ==, RUNNING);
    g_unlink(file);
}

static void add(const char *name, const DSAIommuSetup *how,
                void (*fn)(DSAIommu *f, const void *how))
{
    g_autofree char *path = g_strdup_printf("/%s/dsa/pri-state/%s",
                                            qtest_get_arch(), name);

    g_test_add(path, DSAIommu, how, di_setup, fn, di_teardown);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("stopping", &pri, test_stopping);
    add("failure", &pri, test_failure);
    add("unexpected", &pri, test_unexpected);
    add("allocation", &six, test_allocation);
    add("capacity", &all, test_capacity);
    add("aborted", &one, test_aborted);
    add("many-pasids", &one, test_many_pasids);
    add("flr", &one, test_flr);
    add("bus-master", &one, test_bus_master);
    add("device-reset", &one, test_device_reset);
    add("system-reset", &one, test_system_reset);
    qtest_add_func("/dsa/pri-state/unplug", test_unplug);
    qtest_add_func("/dsa/pri-state/unplug-by-message", test_unplug_by_message);
    add("migrate", &one, test_migrate);
    return g_test_run();
}
