/*
 * A machine with intel-vtd and a device that reads and writes through it: the
 * base's "edu", whose DMA engine has a 4 KiB buffer.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_QTEST_VTD_TEST_DMA_H
#define TESTS_QTEST_VTD_TEST_DMA_H

#include "tests/qtest/libqos/pci-pc.h"
#include "vtd-test-lib.h"

#define VTD_DMA_SLOT    4
#define VTD_DMA_SID     (VTD_DMA_SLOT << 3)

/* Where tests keep what: data that the device reaches, and tables */
#define VTD_DMA_DATA    0x4000000ULL
#define VTD_DMA_TABLES  0x8000000ULL
#define VTD_DMA_TABLES_SIZE 0x4000000ULL

typedef struct VTDDma {
    VTDTest t;
    QTestState *qts;
    QPCIBus *bus;
    QPCIDevice *edu;
    QPCIBar bar;
} VTDDma;

/* @props follow "-device intel-vtd"; @args are further arguments */
VTDDma *vtd_dma_start(const char *props, bool scalable, const char *args);
void vtd_dma_stop(VTDDma *d);

/* Read @len bytes at @addr into the device's buffer, or write them out */
void vtd_dma_read(VTDDma *d, uint64_t addr, unsigned len);
void vtd_dma_write(VTDDma *d, uint64_t addr, unsigned len);

/*
 * Check that a read at @in reaches @phys_in and a write at @out @phys_out, by
 * one quadword each.
 */
void vtd_dma_check(VTDDma *d, uint64_t in, uint64_t phys_in, uint64_t out,
                   uint64_t phys_out);

/* Fault log (VT-d 11.4.7.1, 11.4.14) */
typedef struct VTDDmaFault {
    uint64_t addr;
    uint32_t pasid;
    uint16_t sid;
    uint8_t reason, at;
    bool write, page_request, pasid_present, exec, priv;
} VTDDmaFault;

unsigned vtd_dma_fault_records(VTDDma *d);
/* Record @n; returns its F bit */
bool vtd_dma_fault_get(VTDDma *d, unsigned n, VTDDmaFault *out);
void vtd_dma_fault_clear(VTDDma *d, unsigned n);
/* Exactly one fault is pending, of this kind at this page; clears it */
void vtd_dma_expect_fault(VTDDma *d, uint8_t reason, bool write,
                          uint64_t addr);
void vtd_dma_expect_no_fault(VTDDma *d);

#endif /* TESTS_QTEST_VTD_TEST_DMA_H */
