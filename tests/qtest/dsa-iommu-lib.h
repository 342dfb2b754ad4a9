/*
 * An intel-dsa behind an IOMMU, and the IOMMU's software: one PASID with
 * tables of its own, its invalidation, page requests and their responses.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_QTEST_DSA_IOMMU_LIB_H
#define TESTS_QTEST_DSA_IOMMU_LIB_H

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
#define PRQ 0x7000000ULL            /* page request queue */
#define PRQ_ENTRIES 128             /* in one page */

/* Process addresses */
#define VA 0x7f1234000000ULL        /* operands */
#define CRS 0x7f0000001000ULL       /* completion records, one page */
#define CRS_PHYS 0x1f00000ULL

#define VTD_PQH 0xc0
#define VTD_PQT 0xc8
#define VTD_PQA 0xd0
#define VTD_PRS 0xdc
#define VTD_PRS_PPR 1
#define VTD_PRS_PRO 2

/* Scalable context entry (VT-d 9.4): device TLB, PASID, page requests */
#define CTX_DTE (1 << 2)
#define CTX_PASIDE (1 << 3)
#define CTX_PRE (1 << 4)

#define REC (DSA_TEST_CRAV | DSA_TEST_RCR)
#define BOF DSA_TEST_BOF

/* Response codes of a page group response (PCIe 6.0 10.4.2.1) */
#define SUCCESS 0
#define INVALID 1
#define FAILURE 15

typedef struct DSAIommuSetup {
    const char *iommu;
    bool ats, pri;
    unsigned allocation;            /* outstanding page requests; 0 for 64 */
} DSAIommuSetup;

typedef struct DSAIommu {
    DSATest *t;
    VTDTest v;
    uint64_t root, dir;             /* first-stage tables of PASID */
    uint64_t pq;                    /* page request queue */
    unsigned pqh, pq_entries;
} DSAIommu;

/* What a page request descriptor says */
typedef struct DSAIommuRequest {
    uint64_t addr;
    unsigned group;
    bool last, write;
} DSAIommuRequest;

/* For g_test_add(); @opaque is a DSAIommuSetup */
void di_setup(DSAIommu *f, const void *opaque);
void di_teardown(DSAIommu *f, const void *unused);
/* Emulator arguments of di_setup()'s machine */
char *di_machine(const DSAIommuSetup *how);
/* The parts of it that a system reset undoes: all of the guest's programming */
void di_program(DSAIommu *f, const DSAIommuSetup *how);
/* PASID, page requests and ATS in the function's configuration space */
void di_enable_pci(DSATest *t, const DSAIommuSetup *how);
/* The work queue 0 that all descriptors go to, with block on fault */
void di_enable_wq(DSAIommu *f);
/* A page request queue of 128 << @order entries at @where, empty */
void di_queue(DSAIommu *f, uint64_t where, unsigned order);

/* Page tables of PASID */
void di_map(DSAIommu *f, uint64_t va, uint64_t phys, uint64_t size,
            bool writable);
void di_unmap(DSAIommu *f, uint64_t va);
/* PASID-based IOTLB and device TLB invalidation of one page */
void di_invalidate(DSAIommu *f, uint64_t va);

/* A descriptor with the completion record CRS */
DSATestDesc di_desc(uint8_t opcode, uint64_t a, uint64_t b, uint32_t size);
/* An 8-byte fill at @va with block on fault, the @index-th record */
DSATestDesc di_touch(uint64_t va, unsigned index);
/* Its record is cleared first */
void di_submit(DSAIommu *f, const DSATestDesc *d);
uint8_t di_status_of(DSAIommu *f, const DSATestDesc *d);    /* waits */
bool di_is_done(DSAIommu *f, const DSATestDesc *d);
uint8_t di_finish(DSAIommu *f, const DSATestDesc *d);
uint32_t di_bytes_done(DSAIommu *f, const DSATestDesc *d);
uint64_t di_fault_addr(DSAIommu *f, const DSATestDesc *d);

/* Take the next page request; waits for it */
DSAIommuRequest di_next_request(DSAIommu *f);
/* The whole group: its first page and how many */
DSAIommuRequest di_next_group(DSAIommu *f, unsigned *pages);
bool di_request_pending(DSAIommu *f);
/* How many are in the queue */
unsigned di_requests(DSAIommu *f);
/* Wait until @n are */
void di_wait_requests(DSAIommu *f, unsigned n);
void di_respond(DSAIommu *f, unsigned group, unsigned code);
/* With another PASID, or none if it is UINT32_MAX */
void di_respond_as(DSAIommu *f, uint32_t pasid, unsigned group,
                   unsigned code);

/* The function's Page Request Control and Status */
uint16_t di_pri_control(DSAIommu *f);
uint16_t di_pri_status(DSAIommu *f);
void di_pri_write(DSAIommu *f, uint16_t control);
void di_pri_clear(DSAIommu *f, uint16_t status);

#endif /* TESTS_QTEST_DSA_IOMMU_LIB_H */
