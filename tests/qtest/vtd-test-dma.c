/*
 * A machine with intel-vtd and a device that reads and writes through it
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "vtd-test-dma.h"

/* Registers of edu */
enum { EDU_SRC = 0x80, EDU_DST = 0x88, EDU_COUNT = 0x90, EDU_COMMAND = 0x98 };
#define EDU_RUN         1
#define EDU_TO_MEMORY   2
#define EDU_BUFFER      0x40000
#define EDU_DELAY_NS    (200 * 1000 * 1000)

#define FSTS_PPF        (1u << 1)
#define FRCD_F          (1ULL << 63)

VTDDma *vtd_dma_start(const char *props, bool scalable, const char *args)
{
    VTDDma *d = g_new0(VTDDma, 1);

    d->qts = qtest_initf("-machine q35 -m 256 -nodefaults "
                         "-device intel-vtd%s "
                         "-device edu,addr=%u,dma_mask=0xffffffffffffffff %s",
                         props, VTD_DMA_SLOT, args ? args : "");
    d->bus = qpci_new_pc(d->qts, NULL);
    d->edu = qpci_device_find(d->bus, QPCI_DEVFN(VTD_DMA_SLOT, 0));
    g_assert_nonnull(d->edu);
    qpci_device_enable(d->edu);
    d->bar = qpci_iomap(d->edu, 0, NULL);
    vtd_test_init(&d->t, d->qts, scalable, VTD_DMA_TABLES,
                  VTD_DMA_TABLES_SIZE);
    return d;
}

void vtd_dma_stop(VTDDma *d)
{
    g_free(d->edu);
    qpci_free_pc(d->bus);
    qtest_quit(d->qts);
    g_free(d);
}

static void edu_run(VTDDma *d, uint64_t src, uint64_t dst, unsigned len,
                    unsigned command)
{
    qpci_io_writeq(d->edu, d->bar, EDU_SRC, src);
    qpci_io_writeq(d->edu, d->bar, EDU_DST, dst);
    qpci_io_writeq(d->edu, d->bar, EDU_COUNT, len);
    qpci_io_writeq(d->edu, d->bar, EDU_COMMAND, EDU_RUN | command);
    qtest_clock_step(d->qts, EDU_DELAY_NS);
    g_assert_cmphex(qpci_io_readq(d->edu, d->bar, EDU_COMMAND) & EDU_RUN, ==,
                    0);
}

void vtd_dma_read(VTDDma *d, uint64_t addr, unsigned len)
{
    edu_run(d, addr, EDU_BUFFER, len, 0);
}

void vtd_dma_write(VTDDma *d, uint64_t addr, unsigned len)
{
    edu_run(d, EDU_BUFFER, addr, len, EDU_TO_MEMORY);
}

void vtd_dma_check(VTDDma *d, uint64_t in, uint64_t phys_in, uint64_t out,
                   uint64_t phys_out)
{
    static uint64_t value = 0x1122334455660000ULL;

    value++;
    qtest_writeq(d->qts, phys_out, 0);
    qtest_writeq(d->qts, phys_in, value);
    vtd_dma_read(d, in, 8);
    vtd_dma_write(d, out, 8);
    g_assert_cmphex(qtest_readq(d->qts, phys_out), ==, value);
    vtd_dma_expect_no_fault(d);
}

unsigned vtd_dma_fault_records(VTDDma *d)
{
    return extract64(vtd_test_readq(&d->t, VTD_TEST_CAP), 40, 8) + 1;
}

static unsigned fault_register(VTDDma *d, unsigned n)
{
    return extract64(vtd_test_readq(&d->t, VTD_TEST_CAP), 24, 10) * 16 +
           n * 16;
}

bool vtd_dma_fault_get(VTDDma *d, unsigned n, VTDDmaFault *out)
{
    uint64_t lo = vtd_test_readq(&d->t, fault_register(d, n));
    uint64_t hi = vtd_test_readq(&d->t, fault_register(d, n) + 8);

    *out = (VTDDmaFault) {
        .addr = lo,
        .sid = extract64(hi, 0, 16),
        .priv = extract64(hi, 29, 1),
        .exec = extract64(hi, 30, 1),
        .pasid_present = extract64(hi, 31, 1),
        .reason = extract64(hi, 32, 8),
        .pasid = extract64(hi, 40, 20),
        .at = extract64(hi, 60, 2),
        .page_request = extract64(hi, 28, 1),
        .write = !extract64(hi, 62, 1),
    };
    return hi & FRCD_F;
}

void vtd_dma_fault_clear(VTDDma *d, unsigned n)
{
    vtd_test_writeq(&d->t, fault_register(d, n) + 8, FRCD_F);
}

void vtd_dma_expect_fault(VTDDma *d, uint8_t reason, bool write,
                          uint64_t addr)
{
    uint32_t fsts = vtd_test_readl(&d->t, VTD_TEST_FSTS);
    unsigned n = extract32(fsts, 8, 8);
    VTDDmaFault fault;

    g_assert_cmphex(fsts & FSTS_PPF, ==, FSTS_PPF);
    g_assert_true(vtd_dma_fault_get(d, n, &fault));
    g_assert_cmphex(fault.reason, ==, reason);
    g_assert_cmphex(fault.sid, ==, VTD_DMA_SID);
    g_assert_cmphex(fault.addr, ==, addr & ~0xfffULL);
    g_assert_cmpint(fault.write, ==, write);
    g_assert_false(fault.page_request);
    vtd_dma_fault_clear(d, n);
    vtd_dma_expect_no_fault(d);
}

void vtd_dma_expect_no_fault(VTDDma *d)
{
    g_assert_cmphex(vtd_test_readl(&d->t, VTD_TEST_FSTS) & 0xff, ==, 0);
}
