/*
 * intel-vtd: decoding of the root, context and PASID tables (VT-d 3.4, 9.1
 * to 9.6)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_VTD_TABLES_H
#define HW_I386_VTD_TABLES_H

#include "translate.h"
#include "fault-reasons.h"

/* PASID Granular Translation Type (9.6); legacy entries are put in its terms */
typedef enum VTDPGTT {
    VTD_PGTT_FIRST = 1,
    VTD_PGTT_SECOND = 2,
    VTD_PGTT_NESTED = 3,
    VTD_PGTT_PASS_THROUGH = 4,
} VTDPGTT;

#define VTD_CTX_LEGACY      (1u << 0)   /* found in legacy mode */
#define VTD_CTX_FPD         (1u << 1)   /* in any of the entries used */
#define VTD_CTX_DTE         (1u << 2)   /* may use translation requests */
#define VTD_CTX_PASIDE      (1u << 3)
#define VTD_CTX_PRE         (1u << 4)
#define VTD_CTX_RID_PRIV    (1u << 5)
#define VTD_CTX_SRE         (1u << 6)
#define VTD_CTX_ERE         (1u << 7)
#define VTD_CTX_WPE         (1u << 8)
#define VTD_CTX_NXE         (1u << 9)
#define VTD_CTX_SMEP        (1u << 10)
#define VTD_CTX_EAFE        (1u << 11)
#define VTD_CTX_SSADE       (1u << 12)
#define VTD_CTX_PWSNP       (1u << 13)
#define VTD_CTX_PGSNP       (1u << 14)

#define VTD_CTX_WORDS 4     /* of a VTDContext or VTDDevice in a cache */

/**
 * VTDContext: how requests of one (requester, PASID) are translated.
 * @first_root: address of the first-stage root, a GPA if nested
 * @second_root: address of the second-stage root
 * @pasid: the PASID that tags its translations, or VTD_NO_PASID
 * @flags: VTD_CTX_*
 * @did: domain-id
 * @pgtt: a VTDPGTT
 * @first_levels: 4 or 5
 * @second_levels: 3 to 5
 * @second_width: width of a second-stage input address in bits
 */
typedef union VTDContext {
    struct {
        uint64_t first_root;
        uint64_t second_root;
        uint32_t pasid;
        uint32_t flags;
        uint16_t did;
        uint8_t pgtt;
        uint8_t first_levels;
        uint8_t second_levels;
        uint8_t second_width;
    };
    uint64_t word[VTD_CTX_WORDS];
} VTDContext;

/**
 * VTDDevice: a scalable-mode context entry.
 * @pasid_dir: address of the PASID directory
 * @rid_pasid: PASID of requests without one
 * @pasids: number of PASIDs that the directory can hold
 * @flags: VTD_CTX_FPD, DTE, PASIDE, PRE, RID_PRIV
 */
typedef union VTDDevice {
    struct {
        uint64_t pasid_dir;
        uint32_t rid_pasid;
        uint32_t pasids;
        uint32_t flags;
    };
    uint64_t word[VTD_CTX_WORDS];
} VTDDevice;

QEMU_BUILD_BUG_ON(sizeof(VTDContext) != VTD_CTX_WORDS * sizeof(uint64_t));
QEMU_BUILD_BUG_ON(sizeof(VTDDevice) != VTD_CTX_WORDS * sizeof(uint64_t));

/*
 * Each of the following reads its tables from guest memory and returns
 * VTD_FR_NONE, or the reason why the request is blocked. *@flags gets
 * VTD_CTX_FPD as soon as an entry with FPD was read, whatever is returned.
 */

/* Whether the mode in @rtaddr can be used at all: RTA.1, RTA.4 */
VTDFaultReason vtd_check_root(const VTDTranslator *t, uint64_t rtaddr);

/* Legacy-mode root and context entry of @sid */
VTDFaultReason vtd_read_legacy(const VTDTranslator *t, uint64_t rtaddr,
                               uint16_t sid, VTDContext *ctx, uint32_t *flags);

/* Scalable-mode root and context entry of @sid */
VTDFaultReason vtd_read_device(const VTDTranslator *t, uint64_t rtaddr,
                               uint16_t sid, VTDDevice *dev, uint32_t *flags);

/* PASID directory and table entry of @pasid, which @dev allows */
VTDFaultReason vtd_read_pasid(const VTDTranslator *t, const VTDDevice *dev,
                              uint32_t pasid, VTDContext *ctx,
                              uint32_t *flags);

#endif /* HW_I386_VTD_TABLES_H */
