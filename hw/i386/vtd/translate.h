/*
 * intel-vtd: one request in, one mapping or one fault out.
 *
 * This is the seam between the two halves of the device. Behind it: decoding
 * of the tables (tables.h), the page walks (fmt-first.h, fmt-second.h,
 * walk.h), the caches (cache.h). In front of it: registers, queues, faults,
 * address spaces. Nothing behind it knows QEMU's memory API, PCI or the big
 * lock, so that unit tests link it alone.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_VTD_TRANSLATE_H
#define HW_I386_VTD_TRANSLATE_H

#define VTD_NO_PASID UINT32_MAX     /* a request without PASID TLP prefix */

/* Address Type field of a memory request (PCIe 6.0 section 10.2.1) */
typedef enum VTDAddressType {
    VTD_AT_UNTRANSLATED = 0,
    VTD_AT_TRANSLATION_REQUEST = 1,
    VTD_AT_TRANSLATED = 2,
} VTDAddressType;

/**
 * VTDRequest: a DMA request as the root complex receives it.
 * @addr: the address; any byte of the page
 * @pasid: the PASID (20 bits) or VTD_NO_PASID
 * @sid: source-id, that is bus, device and function
 * @at: the Address Type field
 * @read: wants to read. For a translation request: always set
 * @write: wants to write. For a translation request: clear if No Write
 * @exec: Execute Requested (only with a PASID)
 * @priv: Privileged Mode Requested (only with a PASID)
 */
typedef struct VTDRequest {
    uint64_t addr;
    uint32_t pasid;
    uint16_t sid;
    uint8_t at;
    bool read, write, exec, priv;
} VTDRequest;

#define VTD_PERM_R 1
#define VTD_PERM_W 2
#define VTD_PERM_X 4

/**
 * VTDMapping: the answer to a request that is not blocked.
 * @iova: first input address of the page
 * @addr: first output address of the page
 * @mask: page size minus one
 * @perm: VTD_PERM_*: what may be done through this mapping without asking
 *        again. A first-stage page whose D bit is still clear has no
 *        VTD_PERM_W here unless the request wrote
 * @global: the page is global in its PASID (first stage, G bit)
 * @snoop: accesses are snooped
 * @pass_through: the request's PASID entry or context entry says pass-through
 */
typedef struct VTDMapping {
    uint64_t iova;
    uint64_t addr;
    uint64_t mask;
    uint8_t perm;
    bool global, snoop, pass_through;
} VTDMapping;

/**
 * VTDFault: why a request is blocked (VT-d section 7.1).
 * @reason: fault reason code (fault-reasons.h)
 * @fpd: fault processing is disabled for it: nothing is to be recorded
 * @recoverable: for a translation request: answer it with a Success whose
 *               R and W are clear instead of recording a fault (VT-d 7.1.3)
 * @pasid_present: the record has a PASID
 */
typedef struct VTDFault {
    uint8_t reason;
    bool fpd;
    bool recoverable;
    bool pasid_present;
} VTDFault;

/**
 * VTDMemoryOps: how the tables in guest memory are reached. All functions may
 * run in any thread, inside an RCU read section; they return false if there is
 * no memory at @addr. @addr is aligned to the size.
 */
typedef struct VTDMemoryOps {
    /* 64-bit little-endian entry, read atomically */
    bool (*load)(void *opaque, uint64_t addr, uint64_t *entry);
    /* compare and swap of an entry; *seen is what was there */
    bool (*cmpxchg)(void *opaque, uint64_t addr, uint64_t old, uint64_t new,
                    uint64_t *seen);
    /*
     * Optional. The host address of a whole 4 KiB page of guest RAM, or NULL.
     * Lets a walk read entries without a look-up for each level; the page is
     * used only during the RCU read section. A/D updates always go through
     * .cmpxchg, so that the owner of RAM sees that a page is written to.
     */
    void *(*host_page)(void *opaque, uint64_t addr);
} VTDMemoryOps;

/**
 * VTDFeatures: what the capability registers say, as the walk needs it.
 * Filled by caps.c; constant after realize.
 */
typedef struct VTDFeatures {
    uint8_t haw;            /* host address width in bits */
    uint8_t mgaw;           /* maximum guest address width in bits */
    uint8_t sagaw;          /* CAP.SAGAW: bit 1 3-level, 2 4-, 3 5-level */
    uint8_t pss;            /* PASID width in bits, 1..20 */
    bool legacy;            /* TTM legacy may be used */
    bool scalable;          /* ECAP.SMTS */
    bool first_stage;       /* ECAP.FSTS */
    bool second_stage;      /* ECAP.SSTS */
    bool nested;            /* ECAP.NEST */
    bool pass_through;      /* ECAP.PT */
    bool first_5level;      /* CAP.FS5LP */
    bool first_1g;          /* CAP.FS1GP */
    bool second_2m;         /* CAP.SSLPS bit 0 */
    bool second_1g;         /* CAP.SSLPS bit 1 */
    bool second_ad;         /* ECAP.SSADS */
    bool ext_accessed;      /* ECAP.EAFS */
    bool supervisor;        /* ECAP.SRS */
    bool exec;              /* ECAP.ERS */
    bool snoop_control;     /* ECAP.SC */
    bool device_tlb;        /* ECAP.DT */
    bool page_request;      /* ECAP.PRS */
    bool pasid;             /* ECAP.PASID */
    bool zlr;               /* CAP.ZLR */
} VTDFeatures;

/* Sizes of the caches in entries; rounded up to a power of two */
typedef struct VTDCacheSizes {
    uint32_t context;
    uint32_t pasid;
    uint32_t iotlb;
    uint32_t paging;
} VTDCacheSizes;

typedef struct VTDTranslator VTDTranslator;

/**
 * vtd_translator_new: the translation half of one remapping unit.
 * Control path; free with vtd_translator_free(), which waits for readers.
 */
VTDTranslator *vtd_translator_new(const VTDMemoryOps *ops, void *opaque,
                                  const VTDFeatures *features,
                                  const VTDCacheSizes *sizes);
void vtd_translator_free(VTDTranslator *t);

/**
 * vtd_translator_set_root: what SRTP latches (VT-d 11.4.5): the root-table
 * address register with its TTM field. Invalidates nothing by itself unless
 * @flush (ESRTPS). Control path, callers serialize.
 */
void vtd_translator_set_root(VTDTranslator *t, uint64_t rtaddr, bool flush);

/**
 * vtd_translate: translate one request.
 * @t: the translator
 * @req: the request
 * @map: filled if the request may pass
 * @fault: filled if it is blocked
 *
 * Lock-free and allocation-free; any thread, inside an RCU read section.
 * Takes no interrupt requests (untranslated, without PASID, 0xFEEx_xxxx): the
 * caller sends those elsewhere (VT-d 3.14). Sets Accessed and Dirty by
 * compare-and-swap (VT-d 3.6.2, 3.7.2). Returns whether the request passes.
 */
bool vtd_translate(VTDTranslator *t, const VTDRequest *req, VTDMapping *map,
                   VTDFault *fault);

/**
 * vtd_page_request_check: whether a page request may enter the queue.
 * @t: the translator
 * @sid: the requester
 * @pasid: the PASID or VTD_NO_PASID
 * @fault: why not
 *
 * Looks up the context entry (PRE) and, with a PASID, the PASID entry
 * (VT-d 7.4). Any thread, RCU read section.
 */
bool vtd_page_request_check(VTDTranslator *t, uint16_t sid, uint32_t pasid,
                            VTDFault *fault);

/*
 * Invalidation (VT-d 6.5). Each returns after no later vtd_translate() can
 * use what it invalidated. Control path: callers serialize against each other
 * but not against vtd_translate().
 */
typedef enum VTDGranularity {
    VTD_GRAN_GLOBAL,
    VTD_GRAN_DOMAIN,        /* uses did */
    VTD_GRAN_DEVICE,        /* context cache: did, sid, fm */
    VTD_GRAN_PASID,         /* uses did, pasid */
    VTD_GRAN_PAGE,          /* uses did, addr, am, ih; pasid if PASID-based */
} VTDGranularity;

typedef struct VTDInvalidation {
    VTDGranularity gran;
    uint16_t did;           /* domain-id */
    uint16_t sid;           /* source-id */
    uint8_t fm;             /* function mask, 0..3 (VT-d 6.5.2.1) */
    uint8_t am;             /* address mask: 2^am pages of 4 KiB */
    bool ih;                /* invalidation hint: leaves only */
    uint32_t pasid;
    uint64_t addr;
} VTDInvalidation;

void vtd_invalidate_context(VTDTranslator *t, const VTDInvalidation *inv);
void vtd_invalidate_pasid_cache(VTDTranslator *t, const VTDInvalidation *inv);
void vtd_invalidate_iotlb(VTDTranslator *t, const VTDInvalidation *inv);
void vtd_invalidate_piotlb(VTDTranslator *t, const VTDInvalidation *inv);

/* Everything, as reset and migration need it */
void vtd_invalidate_all(VTDTranslator *t);

#endif /* HW_I386_VTD_TRANSLATE_H */
