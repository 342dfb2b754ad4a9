/*
 * intel-vtd: interrupt remapping (VT-d chapter 5)
 *
 * Interrupts come from the device's MSI or the IOAPIC and are seen in the
 * Interrupt Request Register of a local APIC.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "vtd-test-dma.h"

#define IRT             VTD_DMA_DATA        /* 256 entries: one page */
#define IRT_ORDER       7
#define GSTS            0x1c
#define GCMD_CFI        (1u << 23)
#define EIME            (1ULL << 11)

/* An entry of the table (VT-d 9.9) */
#define IRTE_P          1ULL
#define IRTE_FPD        2ULL
#define IRTE_DEST(id)   ((uint64_t)(id) << 40)      /* xAPIC mode */
#define IRTE_DEST32(id) ((uint64_t)(id) << 32)      /* x2APIC mode */
#define IRTE_VECTOR(v)  ((uint64_t)(v) << 16)
#define SVT_SID         (1ULL << 18)
#define SVT_BUS         (2ULL << 18)
#define SQ(n)           ((uint64_t)(n) << 16)

/* Registers of edu that raise and acknowledge its interrupt */
enum { EDU_IRQ_RAISE = 0x60, EDU_IRQ_ACK = 0x64 };

#define MSI_REMAPPABLE(index) \
    (0xfee00010u | ((index) & 0x7fff) << 5 | ((index) >> 15) << 2)
#define MSI_SHV         8u

static VTDDma *start(const char *props, uint64_t eime)
{
    VTDDma *d = vtd_dma_start(props, true, "-smp 2");

    vtd_test_enable(&d->t);
    vtd_test_command(&d->t, VTD_TEST_GCMD_TE, false);
    qtest_memset(d->qts, IRT, 0, 0x1000);
    vtd_test_writeq(&d->t, VTD_TEST_IRTA, IRT | eime | IRT_ORDER);
    vtd_test_command(&d->t, VTD_TEST_GCMD_SIRTP, true);
    vtd_test_command(&d->t, VTD_TEST_GCMD_IRE, true);
    return d;
}

static void set_irte(VTDDma *d, unsigned index, uint64_t lo, uint64_t hi)
{
    qtest_writeq(d->qts, IRT + 16 * index + 8, hi);
    qtest_writeq(d->qts, IRT + 16 * index, lo);
}

static void flush(VTDDma *d)
{
    const uint64_t all[4] = { 4 };

    vtd_test_queue(&d->t, all);
    vtd_test_queue_wait(&d->t);
}

static void send_msi(VTDDma *d, uint64_t address, uint16_t data)
{
    uint8_t cap = qpci_find_capability(d->edu, 5, 0);

    g_assert_cmphex(cap, !=, 0);
    qpci_config_writel(d->edu, cap + 4, address);
    qpci_config_writel(d->edu, cap + 8, address >> 32);
    qpci_config_writew(d->edu, cap + 12, data);
    qpci_config_writew(d->edu, cap + 2, 1);
    qpci_io_writel(d->edu, d->bar, EDU_IRQ_RAISE, 1);
    qpci_io_writel(d->edu, d->bar, EDU_IRQ_ACK, 1);
}

/* Is the vector requested at this local APIC? */
static bool requested(VTDDma *d, unsigned apic, unsigned vector)
{
    g_autofree char *text = qtest_hmp(d->qts, "info lapic %u", apic);
    const char *irr = strstr(text, "IRR\t");
    g_auto(GStrv) line = NULL, words = NULL;
    g_autofree char *want = g_strdup_printf("%u", vector);

    g_assert_nonnull(irr);
    line = g_strsplit(irr + 4, "\n", 2);
    words = g_strsplit(g_strstrip(line[0]), " ", -1);
    return g_strv_contains((const char * const *)words, want);
}

static void expect_fault(VTDDma *d, uint8_t reason, unsigned index)
{
    uint32_t fsts = vtd_test_readl(&d->t, VTD_TEST_FSTS);
    unsigned n = extract32(fsts, 8, 8);
    VTDDmaFault fault;

    g_assert_cmphex(fsts & 0xff, ==, 2);
    g_assert_true(vtd_dma_fault_get(d, n, &fault));
    g_assert_cmphex(fault.reason, ==, reason);
    g_assert_cmphex(fault.sid, ==, VTD_DMA_SID);
    g_assert_cmphex(fault.addr, ==, (uint64_t)index << 48);
    vtd_dma_fault_clear(d, n);
    vtd_dma_expect_no_fault(d);
}

/* --- formats ------------------------------------------------------------ */

static void test_off(void)
{
    VTDDma *d = vtd_dma_start("", true, NULL);

    send_msi(d, 0xfee00000, 0x41);
    g_assert_true(requested(d, 0, 0x41));
    vtd_dma_stop(d);
}

/* Compatibility format: CFI lets it pass, extended mode never */
static void test_compatibility(void)
{
    VTDDma *d = start("", 0);

    send_msi(d, 0xfee00000, 0x41);
    g_assert_false(requested(d, 0, 0x41));
    expect_fault(d, 0x25, 0);

    vtd_test_command(&d->t, GCMD_CFI, true);
    send_msi(d, 0xfee00000, 0x42);
    g_assert_true(requested(d, 0, 0x42));
    vtd_dma_expect_no_fault(d);
    vtd_dma_stop(d);

    d = start("", EIME);
    vtd_test_command(&d->t, GCMD_CFI, true);
    send_msi(d, 0xfee00000, 0x43);
    g_assert_false(requested(d, 0, 0x43));
    expect_fault(d, 0x25, 0);
    vtd_dma_stop(d);
}

/* Handle and subhandle find the entry; it gives vector and destination */
static void test_remap(gconstpointer opaque)
{
    bool x2apic = GPOINTER_TO_INT(opaque);
    VTDDma *d = start("", x2apic ? EIME : 0);

    for (unsigned i = 0; i < 4; i++) {
        unsigned index = 3 + 63 * i, apic = i & 1;

        set_irte(d, index, IRTE_P | IRTE_VECTOR(0x50 + i) |
                 (x2apic ? IRTE_DEST32(apic) : IRTE_DEST(apic)),
                 SVT_SID | VTD_DMA_SID);
        if (i < 2) {
            send_msi(d, MSI_REMAPPABLE(index), 0xbeef);
        } else {
            send_msi(d, MSI_REMAPPABLE(index - 2) | MSI_SHV, 2);
        }
        vtd_dma_expect_no_fault(d);
        g_assert_true(requested(d, apic, 0x50 + i));
        g_assert_false(requested(d, !apic, 0x50 + i));
    }
    vtd_dma_stop(d);
}

/* --- faults (5.1.4.1) --------------------------------------------------- */

typedef struct FaultCase {
    const char *name;
    unsigned index;
    uint64_t lo, hi;
    uint32_t flags;             /* of the MSI address */
    uint16_t data;
    uint8_t reason;             /* 0: passes */
    uint64_t eime;
} FaultCase;

#define GOOD (IRTE_P | IRTE_VECTOR(0x60))

static const FaultCase faults[] = {
    { "present", 9, GOOD, 0 },
    { "index", 256, 0, 0, .reason = 0x21 },
    { "index-high-bit", 0x8000, 0, 0, .reason = 0x21 },
    { "subhandle", 250, 0, 0, MSI_SHV, 6, 0x21 },
    { "not-present", 9, 0, 0, .reason = 0x22 },
    { "reserved/12", 9, GOOD | 1 << 12, 0, .reason = 0x24 },
    { "reserved/posted", 9, GOOD | 1 << 15, 0, .reason = 0x24 },
    { "reserved/24", 9, GOOD | 1 << 24, 0, .reason = 0x24 },
    { "reserved/32", 9, GOOD | 1ULL << 32, 0, .reason = 0x24 },
    { "reserved/48", 9, GOOD | 1ULL << 48, 0, .reason = 0x24 },
    { "reserved/84", 9, GOOD, 1ULL << 20, .reason = 0x24 },
    { "reserved/svt", 9, GOOD, 3ULL << 18, .reason = 0x24 },
    { "reserved/delivery-3", 9, GOOD | 3 << 5, 0, .reason = 0x24 },
    { "reserved/delivery-6", 9, GOOD | 6 << 5, 0, .reason = 0x24 },
    { "extended/12", 9, GOOD | 1 << 12, 0, .reason = 0x24, .eime = EIME },
    { "available", 9, GOOD | 0xf << 8, 0 },
    { "sid/other", 9, GOOD, SVT_SID | (VTD_DMA_SID + 1), .reason = 0x26 },
    { "sid/same", 9, GOOD, SVT_SID | VTD_DMA_SID },
    { "sid/quiet", 9, GOOD, 0xffff },
    { "sq1/bit-2", 9, GOOD, SVT_SID | SQ(1) | (VTD_DMA_SID + 4) },
    { "sq1/bit-1", 9, GOOD, SVT_SID | SQ(1) | (VTD_DMA_SID + 2),
      .reason = 0x26 },
    { "sq2/bits-2-1", 9, GOOD, SVT_SID | SQ(2) | (VTD_DMA_SID + 6) },
    { "sq2/bit-0", 9, GOOD, SVT_SID | SQ(2) | (VTD_DMA_SID + 1),
      .reason = 0x26 },
    { "sq3/bits-2-0", 9, GOOD, SVT_SID | SQ(3) | (VTD_DMA_SID + 7) },
    { "sq3/bit-3", 9, GOOD, SVT_SID | SQ(3) | (VTD_DMA_SID + 8),
      .reason = 0x26 },
    { "bus/in", 9, GOOD, SVT_BUS | 0x0005 },
    { "bus/beyond", 9, GOOD, SVT_BUS | 0x0105, .reason = 0x26 },
};

static void test_fault(gconstpointer opaque)
{
    const FaultCase *c = opaque;
    VTDDma *d = start("", c->eime);

    if (c->index < 256) {
        set_irte(d, c->index, c->lo, c->hi);
    }
    send_msi(d, MSI_REMAPPABLE(c->index) | c->flags, c->data);
    g_assert_cmpint(requested(d, 0, 0x60), ==, !c->reason);
    if (!c->reason) {
        vtd_dma_expect_no_fault(d);
        vtd_dma_stop(d);
        return;
    }
    expect_fault(d, c->reason, c->index + c->data);

    /* Qualified reasons: FPD of the entry keeps them quiet */
    if (c->reason == 0x22 || c->reason == 0x24 || c->reason == 0x26) {
        set_irte(d, c->index, c->lo | IRTE_FPD, c->hi);
        flush(d);
        send_msi(d, MSI_REMAPPABLE(c->index), 0);
        g_assert_false(requested(d, 0, 0x60));
        vtd_dma_expect_no_fault(d);
    }
    vtd_dma_stop(d);
}

/* The table is nowhere */
static void test_no_table(void)
{
    VTDDma *d = start("", 0);

    vtd_test_writeq(&d->t, VTD_TEST_IRTA, (1ULL << 45) | IRT_ORDER);
    vtd_test_command(&d->t, VTD_TEST_GCMD_SIRTP, true);
    send_msi(d, MSI_REMAPPABLE(7), 0);
    expect_fault(d, 0x23, 7);
    vtd_dma_stop(d);
}

/* --- what is cached ----------------------------------------------------- */

static void test_cache(void)
{
    VTDDma *d = start("", 0);
    uint64_t d_index[4] = { 4 | 1 << 4 };

    for (unsigned i = 8; i < 16; i++) {
        set_irte(d, i, IRTE_P | IRTE_VECTOR(0x40 + i), 0);
        send_msi(d, MSI_REMAPPABLE(i), 0);
        g_assert_true(requested(d, 0, 0x40 + i));
        set_irte(d, i, IRTE_P | IRTE_VECTOR(0x80 + i), 0);
    }
    /* Entries 12 to 15 by index and mask: 8 to 11 are not touched */
    d_index[0] |= 2 << 27 | 13ULL << 32;
    vtd_test_queue(&d->t, d_index);
    vtd_test_queue_wait(&d->t);
    for (unsigned i = 8; i < 16; i++) {
        send_msi(d, MSI_REMAPPABLE(i), 0);
        g_assert_cmpint(requested(d, 0, 0x80 + i), ==, i >= 12);
    }
    flush(d);
    send_msi(d, MSI_REMAPPABLE(8), 0);
    g_assert_true(requested(d, 0, 0x88));

    /* ESIRTPS: a new table pointer drops all */
    set_irte(d, 8, IRTE_P | IRTE_VECTOR(0xc8), 0);
    vtd_test_command(&d->t, VTD_TEST_GCMD_SIRTP, true);
    send_msi(d, MSI_REMAPPABLE(8), 0);
    g_assert_true(requested(d, 0, 0xc8));
    vtd_dma_stop(d);
}

/* --- who sends ---------------------------------------------------------- */

static void ioapic_write(VTDDma *d, unsigned reg, uint32_t val)
{
    qtest_writeb(d->qts, 0xfec00000, reg);
    qtest_writel(d->qts, 0xfec00010, val);
}

/* The IOAPIC has the source-id that the DMAR table gives it, ff:00.0 */
static void test_ioapic(void)
{
    static const uint16_t sids[] = { 0xff00, 0xff01 };

    for (unsigned i = 0; i < G_N_ELEMENTS(sids); i++) {
        VTDDma *d = start("", 0);
        unsigned index = 5, pin = 20;

        set_irte(d, index, IRTE_P | IRTE_VECTOR(0x70), SVT_SID | sids[i]);
        ioapic_write(d, 0x11 + 2 * pin, index << 17 | 1 << 16);
        ioapic_write(d, 0x10 + 2 * pin, 0);
        qtest_set_irq_in(d->qts, "ioapic", NULL, pin, 1);
        qtest_set_irq_in(d->qts, "ioapic", NULL, pin, 0);
        g_assert_cmpint(requested(d, 0, 0x70), ==, sids[i] == 0xff00);
        vtd_dma_stop(d);
    }
}

/*
 * A device's write of a doubleword to the range is an interrupt request with
 * its source-id, whatever else is translated; other accesses are blocked.
 */
static void test_dma(void)
{
    VTDDma *d = start("", 0);
    uint64_t dir = vtd_test_scalable_context(&d->t, VTD_DMA_SID, 0, 0, 0);

    vtd_test_set_pasid(&d->t, dir, 0, VTD_TEST_PT, 0, 0, 0, 0, 3);
    vtd_test_flush_all(&d->t);
    vtd_test_command(&d->t, VTD_TEST_GCMD_TE, true);
    set_irte(d, 6, IRTE_P | IRTE_VECTOR(0x71), SVT_SID | VTD_DMA_SID);
    set_irte(d, 7, IRTE_P | IRTE_VECTOR(0x72), SVT_SID | VTD_DMA_SID);
    set_irte(d, 8, IRTE_P | IRTE_VECTOR(0x73), SVT_SID | (VTD_DMA_SID + 8));

    vtd_dma_write(d, MSI_REMAPPABLE(7), 8);
    g_assert_false(requested(d, 0, 0x72));
    vtd_dma_write(d, MSI_REMAPPABLE(7), 2);
    g_assert_false(requested(d, 0, 0x72));
    vtd_dma_read(d, MSI_REMAPPABLE(7), 4);
    g_assert_false(requested(d, 0, 0x72));
    vtd_dma_write(d, MSI_REMAPPABLE(6), 4);
    g_assert_true(requested(d, 0, 0x71));
    vtd_dma_expect_no_fault(d);
    vtd_dma_write(d, MSI_REMAPPABLE(8), 4);
    g_assert_false(requested(d, 0, 0x73));
    expect_fault(d, 0x26, 8);
    vtd_dma_stop(d);
}

/* Without interrupt remapping the commands do nothing */
static void test_absent(void)
{
    VTDDma *d = vtd_dma_start(",intremap=off", true, NULL);

    vtd_test_writel(&d->t, VTD_TEST_GCMD, VTD_TEST_GCMD_SIRTP);
    vtd_test_writel(&d->t, VTD_TEST_GCMD, VTD_TEST_GCMD_IRE | GCMD_CFI);
    g_assert_cmphex(vtd_test_readl(&d->t, GSTS), ==, 0);
    send_msi(d, 0xfee00000, 0x41);
    g_assert_true(requested(d, 0, 0x41));
    vtd_dma_stop(d);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("vtd/irq/off", test_off);
    qtest_add_func("vtd/irq/compatibility", test_compatibility);
    qtest_add_data_func("vtd/irq/remap/xapic", GINT_TO_POINTER(0), test_remap);
    qtest_add_data_func("vtd/irq/remap/x2apic", GINT_TO_POINTER(1),
                        test_remap);
    for (unsigned i = 0; i < G_N_ELEMENTS(faults); i++) {
        g_autofree char *path = g_strdup_printf("vtd/irq/entry/%s",
                                                faults[i].name);

        qtest_add_data_func(path, &faults[i], test_fault);
    }
    qtest_add_func("vtd/irq/no-table", test_no_table);
    qtest_add_func("vtd/irq/cache", test_cache);
    qtest_add_func("vtd/irq/ioapic", test_ioapic);
    qtest_add_func("vtd/irq/dma", test_dma);
    qtest_add_func("vtd/irq/absent", test_absent);
    return g_test_run();
}
