/*
 * intel-dsa: the workers' address translation caches and the PASIDs in use.
 *
 * Each worker has a cache of its own, so a hit needs no lock and no atomic
 * operation. A space is a PASID for which the device may hold translations;
 * its generation tells the workers what to drop.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_MISC_DSA_ATC_H
#define HW_MISC_DSA_ATC_H

#include "qemu/thread.h"
#include "qemu/queue.h"
#include "system/memory.h"
#include "hw/pci/pci.h"
#include "job.h"
#include "op.h"

#define DSA_SPACES 1024         /* at least as many as flights */
#define DSA_LOG 32              /* invalidations remembered by range */

/**
 * DSASpace: one PASID, or requests without one.
 * @gen: how many invalidations there were; any thread may read it
 * @log: the last DSA_LOG invalidated ranges, by generation
 */
typedef struct DSASpace {
    DSAEngines *e;
    uint32_t pasid;
    uint16_t index;
    bool used;                  /* e->lock */
    bool notified;              /* e->lock: iotlb is registered */
    unsigned refs;              /* e->lock: flights */
    unsigned groups;            /* e->lock: page request groups out */
    IOMMUNotifier iotlb;
    IOMMUPRINotifier pri;
    bool pri_on;                /* big lock */

    uint32_t gen;
    QemuSpin log_lock;
    struct {
        uint64_t first, last;
    } log[DSA_LOG];
    QTAILQ_ENTRY(DSASpace) lru;
} DSASpace;

typedef struct DSASpaces DSASpaces;

/* space.c: bump the generation; does not wait for runs */
void dsa_space_invalidate(DSASpace *sp, uint64_t first, uint64_t last);
/* space.c: the memory map's generation */
uint32_t dsa_map_generation(DSASpaces *spaces);

typedef struct DSAAtc DSAAtc;
typedef struct DSAWorker DSAWorker;
typedef struct DSAFlight DSAFlight;

DSAAtc *dsa_atc_new(void);
void dsa_atc_free(DSAAtc *atc);

/* DSAMem callbacks; in a run */
bool dsa_atc_window(DSAMem *mem, uint64_t addr, uint64_t len, bool write,
                    bool backward, DSAWindow *win);
void dsa_atc_wrote(DSAMem *mem, const DSAWindow *win, uint64_t len);

/**
 * dsa_atc_fill: ask for the translation of what an operation missed.
 * @w: the worker
 * @fl: whose translation
 * @miss: what is needed
 *
 * Not in a run; worker thread, RCU read section. Returns whether the byte at
 * miss->addr can be reached now; if not, miss->hopeless tells whether a page
 * request is of no use.
 */
bool dsa_atc_fill(DSAWorker *w, DSAFlight *fl, DSAMiss *miss);

/*
 * A slice starts and ends. Answers to untranslated requests are good for one
 * slice, and invalidations of them wait for its end.
 */
void dsa_slice_enter(DSAWorker *w);
void dsa_slice_exit(DSAWorker *w);

/*
 * A run may use cached translations of the flight's space until its end; an
 * invalidation that is older is honoured, a younger one waits for the end.
 */
void dsa_run_enter(DSAWorker *w, DSASpace *space);
void dsa_run_exit(DSAWorker *w);

/**
 * dsa_run_wait: wait until no run uses what was invalidated before the call.
 * @space: of this space, or of any if NULL
 *
 * Any thread but a worker's; bounded by one run.
 */
void dsa_run_wait(DSAEngines *e, DSASpace *space);

#endif /* HW_MISC_DSA_ATC_H */
