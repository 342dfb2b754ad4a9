/*
 * intel-dsa: the seam between the queues and the engines.
 *
 * The device side (registers, commands, configuration, portals, work queues,
 * interrupts) hands jobs over; the engine side (descriptor checks, batches,
 * operations, translation, page faults, completion records) carries them out
 * and gives them back. Each half calls only what is declared here of the
 * other.
 *
 * Threads: the device side runs in vCPU threads, with the big lock for
 * registers and without it for portals. The engine side runs in worker
 * threads that never take the big lock, so that a holder of the big lock may
 * wait for them; such a wait is bounded by one run (DSA_RUN_MAX bytes).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_MISC_DSA_JOB_H
#define HW_MISC_DSA_JOB_H

#include "hw/pci/pci_device.h"

#define DSA_DESC_SIZE 64
#define DSA_MAX_WQS 8
#define DSA_MAX_GROUPS 4
#define DSA_MAX_ENGINES 4
#define DSA_MAX_WORKERS 16              /* host threads */
#define DSA_MAX_PRIORITY 15
#define DSA_MAX_IN_FLIGHT 128       /* jobs of one queue that engines hold */
#define DSA_PRI_CAPACITY 512        /* outstanding page requests */
#define DSA_RUN_MAX (2 * 1024 * 1024) /* bytes a worker moves between checks */

typedef struct DSAState DSAState;

/**
 * DSAWQView: what an enabled work queue allows, taken from WQCFG and GRPCFG by
 * ENABLE_WQ and constant until the queue is disabled (DSA section 9.2.x,
 * WQCFG).
 */
typedef struct DSAWQView {
    uint8_t index, group, priority;
    bool dedicated, block_on_fault, ats, prs, pasid_en, priv;
    uint32_t pasid;             /* dedicated queue with pasid_en */
    uint8_t max_xfer_shift, max_batch_shift;
    uint64_t op_config[4];      /* allowed opcodes; all ones without it */
    uint8_t tc_a, tc_b;
} DSAWQView;

/**
 * DSAJob: one accepted descriptor.
 * @desc: as submitted, little-endian
 * @wq: the queue it was accepted by, by value
 * @pasid: the PASID that its memory requests carry, or PCI_NO_PASID
 * @priv: privileged; see dsa_job_priv()
 * @ticket: acceptance order in its queue
 */
typedef struct DSAJob {
    uint8_t desc[DSA_DESC_SIZE];
    DSAWQView wq;
    uint32_t pasid;
    bool priv;
    bool ims_portal;            /* the interrupt handle names an IMS entry */
    uint64_t ticket;
} DSAJob;

/* Privileged Mode of its memory requests, which goes with a PASID only */
static inline bool dsa_job_priv(const DSAJob *job)
{
    return job->priv && job->pasid != PCI_NO_PASID;
}

/* --- the device side provides (wq.c, intr.c, swerr.c) ------------------- */

/**
 * dsa_wq_take: the next job for an engine of @group, by the queues' priorities.
 * Returns false if there is none. From then until dsa_wq_retire() the job
 * counts as in flight for drains. Worker thread, lock-free or a short lock.
 */
bool dsa_wq_take(DSAState *s, unsigned group, DSAJob *job);

/**
 * dsa_wq_retire: the job is over: its completion record, if any, is visible.
 * Wakes drains. Worker thread, or any thread with the engines paused.
 */
void dsa_wq_retire(DSAState *s, const DSAJob *job);

/**
 * dsa_wq_holds: whether the job was taken and is not retired. After migration,
 * while nothing runs; job->wq.index is valid.
 */
bool dsa_wq_holds(const DSAState *s, const DSAJob *job);

/**
 * DSASwErr: a descriptor error that no completion record can carry
 * (DSA section 9.2.14, SWERR).
 */
typedef struct DSASwErr {
    uint8_t error;              /* status code */
    bool desc_valid, wq_valid, batch, write, priv;
    uint8_t wq, opcode;
    uint32_t pasid;
    uint16_t batch_index;
    uint32_t invalid_flags;
    uint64_t fault_addr;
} DSASwErr;

/**
 * dsa_swerr_record: report @err in SWERR (first error stays, later ones set
 * overflow) and raise its interrupt if enabled. Any thread.
 */
void dsa_swerr_record(DSAState *s, const DSASwErr *err);

/**
 * dsa_completion_interrupt: send a descriptor's completion interrupt.
 * @handle: the descriptor's interrupt handle
 *
 * Returns false if the handle may not be used by the job (no such entry, or
 * its permission entry names another PASID): status 0x19. With @check_only
 * nothing is sent. Any thread.
 */
bool dsa_completion_interrupt(DSAState *s, const DSAJob *job, uint16_t handle,
                              bool check_only);

/* Capabilities as the registers show them */
uint64_t dsa_gencap(const DSAState *s);
const uint64_t *dsa_opcap(const DSAState *s);   /* four words */
PCIDevice *dsa_pci(DSAState *s);

/* --- the engine side provides (engine.c, atc.c, fault.c) ---------------- */

typedef struct DSAEngines DSAEngines;

/* Realize and unrealize, big lock held. @workers threads serve all engines. */
DSAEngines *dsa_engines_new(DSAState *s, unsigned workers);
/*
 * End all jobs and threads. Afterwards only kicks, schedules and a bottom half
 * that waits already may come, which do nothing, until dsa_engines_free(): a
 * vCPU may still be on its way out of a portal.
 */
void dsa_engines_stop(DSAEngines *e);
void dsa_engines_free(DSAEngines *e);

/*
 * A queue of @group has a descriptor more. Any thread; takes no lock; a system
 * call only if a worker sleeps.
 */
void dsa_engines_kick(DSAEngines *e, unsigned group);

/*
 * Stop and resume all workers at the end of their current run; jobs keep their
 * progress. Nestable. Big lock held. For VM stop, reset and the like.
 */
void dsa_engines_pause(DSAEngines *e);
void dsa_engines_resume(DSAEngines *e);

/**
 * dsa_engines_hold: whether what they hold are @count jobs, each one that its
 * queue knows of. After migration, engines paused.
 */
bool dsa_engines_hold(DSAEngines *e, unsigned count);

/**
 * dsa_engines_abort: end in-flight jobs without finishing them.
 * @match: which ones; NULL for all
 *
 * Matching jobs retire without touching guest memory again, including ones
 * that wait for a page response (their response is swallowed when it comes).
 * Big lock held; on return all have retired.
 */
void dsa_engines_abort(DSAEngines *e,
                       bool (*match)(const DSAJob *job, void *opaque),
                       void *opaque);

/*
 * The PCI function's bus mastering, ATS, PRI or PASID enable changed (config
 * write) or it was reset: drop all translations. Big lock held.
 */
void dsa_engines_pci_changed(DSAEngines *e);

/* Migration: the in-flight jobs with their progress, engines paused */
extern const struct VMStateDescription vmstate_dsa_engines;

/* --- the Page Request capability (pri.c); big lock held ------------------- */

/* Add it to configuration space at @offset */
void dsa_pri_init(PCIDevice *pci, uint16_t offset);
/* Function Level Reset and the like: disabled, nothing outstanding */
void dsa_pri_reset(PCIDevice *pci, DSAEngines *e);
/* Configuration space was written; @was_enabled: Enable before that */
void dsa_pri_written(PCIDevice *pci, DSAEngines *e, bool was_enabled);

#endif /* HW_MISC_DSA_JOB_H */
