/*
 * Bare-metal tests: an intel-dsa in slot 5 or behind a root port that is
 * there, without an IOMMU
 *
 * Numbers are the specification's (DSA sections 8 and 9), not the device's.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_GUEST_BARE_DSA_H
#define TESTS_GUEST_BARE_DSA_H

#include "bare.h"

#define DSA_WQ_SIZE 32          /* of each queue */

/*
 * The queues. DSA_NARROW is a shared one with a threshold of 0: its limited
 * portal never accepts anything. DSA_DISABLED has never been enabled.
 */
enum { DSA_DEDICATED, DSA_SHARED, DSA_NARROW, DSA_DISABLED };

#define DSA_CRAV (1u << 2)      /* descriptor flags: the record's address ... */
#define DSA_RCR (1u << 3)       /* ... is valid, and a record is wanted */
#define DSA_SUCCESS 1

typedef struct DSADesc {
    uint32_t pasid;             /* ENQCMDS: and PRIV; ENQCMD: 0 */
    uint32_t flags_opcode;
    uint64_t record;
    uint64_t fields[6];
} __attribute__((aligned(64))) DSADesc;

/* volatile: the device writes it */
typedef volatile struct DSARecord {
    uint8_t status, result;
    uint16_t fault_info;
    uint32_t bytes;
    uint64_t fields[3];
} __attribute__((aligned(64))) DSARecord;

/**
 * dsa_start: find the device, enable PASIDs, one group with one engine, a
 * dedicated queue without PASID and the shared ones. One TAP case; false if
 * any of it failed.
 */
bool dsa_start(void);

/* The portals of a queue, unlimited and limited (DSA 3.3) */
void *dsa_portal(unsigned wq);
void *dsa_limited_portal(unsigned wq);

/**
 * dsa_reported: whether the first software error is about queue @wq and others
 * came after it, and whether the device raised the interrupt cause for them.
 * No interrupt is sent, because MSI-X is not enabled.
 */
bool dsa_reported(unsigned wq);

/**
 * dsa_block: let the root port above the device block all deferrable writes.
 * Returns false if there is no port.
 */
bool dsa_block(void);

/* A NOOP, with a completion record if @record is not NULL */
void dsa_noop(DSADesc *desc, DSARecord *record);

/* Submission; all but the first return whether it was accepted */
static inline void movdir64b(void *portal, const void *desc)
{
    asm volatile("movdir64b (%1), %0" : : "r"(portal), "r"(desc) : "memory");
}

static inline bool enqcmd(void *portal, const void *desc)
{
    bool retry;

    asm volatile("enqcmd (%2), %1"
                 : "=@ccz"(retry) : "r"(portal), "r"(desc) : "memory");
    return !retry;
}

/* The PASID is the descriptor's (privilege level 0) */
static inline bool enqcmds(void *portal, const void *desc)
{
    bool retry;

    asm volatile("enqcmds (%2), %1"
                 : "=@ccz"(retry) : "r"(portal), "r"(desc) : "memory");
    return !retry;
}

#endif /* TESTS_GUEST_BARE_DSA_H */
