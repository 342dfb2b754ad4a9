/*
 * An intel-dsa behind an IOMMU, and the IOMMU's software
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/pci/pci_regs.h"
#include "dsa-iommu-lib.h"

#define LEAF (VTD_TEST_FS_P | VTD_TEST_FS_US)
#define REQUEST_SIZE 32

/* --- the machine --------------------------------------------------------- */

void di_enable_pci(DSATest *t, const DSAIommuSetup *how)
{
    unsigned pasid = dsa_test_ext_cap(t, PCI_EXT_CAP_ID_PASID);
    unsigned ats = dsa_test_ext_cap(t, PCI_EXT_CAP_ID_ATS);
    unsigned pri = dsa_test_ext_cap(t, PCI_EXT_CAP_ID_PRI);

    dsa_test_cfg_writew(t, pasid + PCI_PASID_CTRL, PCI_PASID_CTRL_ENABLE);
    if (how->pri) {
        dsa_test_cfg_write(t, pri + PCI_PRI_ALLOC_REQ,
                           how->allocation ? how->allocation : 64);
        dsa_test_cfg_writew(t, pri + PCI_PRI_CTRL, PCI_PRI_CTRL_ENABLE);
    }
    if (how->ats) {
        dsa_test_cfg_writew(t, ats + PCI_ATS_CTRL, PCI_ATS_CTRL_ENABLE);
    }
}

void di_queue(DSAIommu *f, uint64_t where, unsigned order)
{
    f->pq = where;
    f->pqh = 0;
    f->pq_entries = PRQ_ENTRIES << order;
    qtest_memset(f->t->qts, where, 0, f->pq_entries * REQUEST_SIZE);
    vtd_test_writeq(&f->v, VTD_PQH, 0);
    vtd_test_writeq(&f->v, VTD_PQT, 0);
    vtd_test_writeq(&f->v, VTD_PQA, where | order);
}

void di_enable_wq(DSAIommu *f)
{
    dsa_test_one_wq(f->t, 64, DSA_TEST_WQ_PASID(PASID) | DSA_TEST_WQ_BOF);
}

void di_program(DSAIommu *f, const DSAIommuSetup *how)
{
    vtd_test_init(&f->v, f->t->qts, true, TABLES, 64 * MB);
    f->root = vtd_test_page(&f->v);
    f->dir = vtd_test_scalable_context(&f->v, f->t->bdf, 7, 0,
                                       CTX_DTE | CTX_PASIDE | CTX_PRE);
    vtd_test_set_pasid(&f->v, f->dir, PASID, VTD_TEST_FIRST, f->root, LEVELS,
                       0, 0, DID);
    /* What comes without PASID uses an empty table of its own */
    vtd_test_set_pasid(&f->v, f->dir, 0, VTD_TEST_FIRST,
                       vtd_test_page(&f->v), LEVELS, 0, 0, DID + 1);
    di_queue(f, PRQ, 0);
    vtd_test_enable(&f->v);

    di_map(f, CRS, CRS_PHYS, PAGE, true);
    qtest_memset(f->t->qts, CRS_PHYS, 0, PAGE);
    di_enable_pci(f->t, how);
    di_enable_wq(f);
}

char *di_machine(const DSAIommuSetup *how)
{
    return g_strdup_printf("-m 256 -device %s", how->iommu);
}

void di_setup(DSAIommu *f, const void *opaque)
{
    const DSAIommuSetup *how = opaque;
    g_autofree char *machine = di_machine(how);

    f->t = dsa_test_start("", machine);
    di_program(f, how);
}

void di_teardown(DSAIommu *f, const void *unused)
{
    dsa_test_stop(f->t);
}

/* --- translation --------------------------------------------------------- */

void di_map(DSAIommu *f, uint64_t va, uint64_t phys, uint64_t size,
            bool writable)
{
    vtd_test_map(&f->v, f->root, LEVELS, 1, va, phys, size,
                 LEAF | (writable ? VTD_TEST_FS_RW : 0),
                 LEAF | VTD_TEST_FS_RW);
}

void di_unmap(DSAIommu *f, uint64_t va)
{
    qtest_writeq(f->t->qts, vtd_test_entry(&f->v, f->root, LEVELS, 1, va), 0);
}

void di_invalidate(DSAIommu *f, uint64_t va)
{
    uint64_t iotlb[4] = { 6 | 3 << 4 | DID << 16 | (uint64_t)PASID << 32, va };
    uint64_t devtlb[4] = { 8 | f->t->bdf << 16 | (uint64_t)PASID << 32, va };

    vtd_test_queue(&f->v, iotlb);
    vtd_test_queue(&f->v, devtlb);
    vtd_test_queue_wait(&f->v);
}

/* --- descriptors --------------------------------------------------------- */

DSATestDesc di_desc(uint8_t opcode, uint64_t a, uint64_t b, uint32_t size)
{
    return (DSATestDesc) { .opcode = opcode, .flags = REC, .cr = CRS,
                           .addr1 = a, .addr2 = b, .size = size };
}

DSATestDesc di_touch(uint64_t va, unsigned index)
{
    DSATestDesc d = di_desc(DSA_TEST_FILL, 0x7171717171717171, va, 8);

    d.flags |= BOF;
    d.cr += index * DSA_TEST_CR_SIZE;
    return d;
}

void di_submit(DSAIommu *f, const DSATestDesc *d)
{
    dsa_test_clear_cr(f->t, CRS_PHYS + d->cr % PAGE);
    g_assert_cmpint(dsa_test_submit(f->t, 0, d), ==, QTEST_DMWR_ACCEPTED);
}

uint8_t di_status_of(DSAIommu *f, const DSATestDesc *d)
{
    return dsa_test_wait_cr(f->t, CRS_PHYS + d->cr % PAGE);
}

bool di_is_done(DSAIommu *f, const DSATestDesc *d)
{
    return qtest_readb(f->t->qts, CRS_PHYS + d->cr % PAGE) != 0;
}

uint8_t di_finish(DSAIommu *f, const DSATestDesc *d)
{
    di_submit(f, d);
    return di_status_of(f, d);
}

uint32_t di_bytes_done(DSAIommu *f, const DSATestDesc *d)
{
    return qtest_readl(f->t->qts, CRS_PHYS + d->cr % PAGE + 4);
}

uint64_t di_fault_addr(DSAIommu *f, const DSATestDesc *d)
{
    return qtest_readq(f->t->qts, CRS_PHYS + d->cr % PAGE + 8);
}

/* --- page requests ------------------------------------------------------- */

unsigned di_requests(DSAIommu *f)
{
    unsigned tail = vtd_test_readq(&f->v, VTD_PQT) / REQUEST_SIZE;

    return (tail + f->pq_entries - f->pqh) % f->pq_entries;
}

bool di_request_pending(DSAIommu *f)
{
    return di_requests(f) != 0;
}

void di_wait_requests(DSAIommu *f, unsigned n)
{
    unsigned i;

    for (i = 0; di_requests(f) < n; i++) {
        g_assert_cmpuint(i, <, 30000);
        g_usleep(1000);
    }
    g_assert_cmpuint(di_requests(f), ==, n);
}

DSAIommuRequest di_next_request(DSAIommu *f)
{
    uint64_t at = f->pq + f->pqh * REQUEST_SIZE, lo, hi;
    unsigned i;

    for (i = 0; !di_request_pending(f); i++) {
        g_assert_cmpuint(i, <, 30000);
        g_usleep(1000);
    }
    lo = qtest_readq(f->t->qts, at);
    hi = qtest_readq(f->t->qts, at + 8);
    f->pqh = (f->pqh + 1) % f->pq_entries;
    vtd_test_writeq(&f->v, VTD_PQH, f->pqh * REQUEST_SIZE);
    vtd_test_writel(&f->v, VTD_PRS, VTD_PRS_PPR);
    g_assert_cmphex(lo & 0xff, ==, 1);
    g_assert_cmphex(lo >> 8 & 1, ==, 1);
    g_assert_cmphex(lo >> 16 & 0xffff, ==, f->t->bdf);
    g_assert_cmphex(lo >> 32 & 0xfffff, ==, PASID);
    return (DSAIommuRequest) { hi & ~(PAGE - 1), hi >> 3 & 0x1ff, hi >> 2 & 1,
                               hi >> 1 & 1 };
}

DSAIommuRequest di_next_group(DSAIommu *f, unsigned *pages)
{
    DSAIommuRequest first = di_next_request(f), r = first;

    for (*pages = 1; !r.last; (*pages)++) {
        r = di_next_request(f);
        g_assert_cmpuint(r.group, ==, first.group);
        g_assert_cmphex(r.addr, ==, first.addr + *pages * PAGE);
    }
    return first;
}

void di_respond_as(DSAIommu *f, uint32_t pasid, unsigned group, unsigned code)
{
    uint64_t d[4] = { 9 | code << 12 | f->t->bdf << 16, 1 << 2 | group << 3 };

    if (pasid != UINT32_MAX) {
        d[0] |= 1 << 4 | (uint64_t)pasid << 32;
    }
    vtd_test_queue(&f->v, d);
    vtd_test_queue_wait(&f->v);
}

void di_respond(DSAIommu *f, unsigned group, unsigned code)
{
    di_respond_as(f, PASID, group, code);
}

/* --- the Page Request capability ----------------------------------------- */

static unsigned pri_cap(DSAIommu *f)
{
    return dsa_test_ext_cap(f->t, PCI_EXT_CAP_ID_PRI);
}

uint16_t di_pri_control(DSAIommu *f)
{
    return dsa_test_cfg(f->t, pri_cap(f) + PCI_PRI_CTRL) & 0xffff;
}

uint16_t di_pri_status(DSAIommu *f)
{
    return dsa_test_cfg(f->t, pri_cap(f) + PCI_PRI_CTRL) >> 16;
}

void di_pri_write(DSAIommu *f, uint16_t control)
{
    dsa_test_cfg_writew(f->t, pri_cap(f) + PCI_PRI_CTRL, control);
}

void di_pri_clear(DSAIommu *f, uint16_t status)
{
    dsa_test_cfg_writew(f->t, pri_cap(f) + PCI_PRI_STATUS, status);
}
