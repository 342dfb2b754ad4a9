/*
 * intel-dsa: the engines' own structures, shared by engine.c, task.c, batch.c,
 * atc.c, space.c, fault.c, completion.c and vmstate-engine.c.
 *
 * A descriptor taken from a queue becomes a flight. Flights wait in one of a
 * few lists; a worker takes one, carries it forward by one slice (at most
 * DSA_RUN_MAX bytes) and puts it where it belongs next.
 *
 * Locks: DSAEngines.lock guards lists and states, is held for moments only and
 * is a leaf but for DSASpace.log_lock; nothing of the device side is called
 * under it. A running slice holds no lock. Inside a slice, a run (between
 * dsa_run_enter() and dsa_run_exit()) uses cached translations and calls
 * nothing outside this folder but memory marking, so that an invalidation can
 * wait for its end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_MISC_DSA_ENGINE_H
#define HW_MISC_DSA_ENGINE_H

#include "qemu/main-loop.h"
#include "qemu/queue.h"
#include "qemu/thread.h"
#include "qemu/timer.h"
#include "hw/pci/pci_device.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pasid-dma.h"
#include "job.h"
#include "op.h"
#include "atc.h"

/*
 * Flights at a time: as many as all queues may have in flight, so that a queue
 * whose descriptors wait for pages keeps no other one out.
 */
#define DSA_FLIGHTS (DSA_MAX_WQS * DSA_MAX_IN_FLIGHT)
/* Page request group indexes are 9 bits wide (PCIe 6.0 10.4.1) */
#define DSA_PRGS 512
/* Pages asked for in one page request group */
#define DSA_PRG_PAGES 16
#define DSA_PAGE 4096ULL
/* Requests for one page after which it is given up */
#define DSA_PAGE_TRIES 10000
/* Misses served in one slice; then others get their turn */
#define DSA_SLICE_MISSES 64

typedef struct DSAFlight DSAFlight;

/**
 * DSATask: one descriptor on its way from check to completion: a flight's own
 * or the batch child at hand.
 */
typedef enum DSAPhase {
    DSA_PHASE_NEW,          /* not looked at yet */
    DSA_PHASE_RUN,          /* the operation goes on */
    DSA_PHASE_COMPLETE,     /* op.status is final, the record is due */
    DSA_PHASE_DONE,
} DSAPhase;

typedef struct DSATask {
    uint8_t raw[DSA_DESC_SIZE];
    uint8_t phase;
    bool in_batch;
    bool fault;             /* fault_* are filled */
    bool fault_write;
    uint8_t fault_operand;
    uint16_t index;         /* of a child in its batch */
    uint32_t invalid_flags;
    uint64_t fault_addr;
    DSAOp op;
} DSATask;

/* Why a slice ended */
typedef enum DSAVerdict {
    DSA_V_DONE,             /* the task is over */
    DSA_V_YIELD,            /* budget used up; there is more to do */
    DSA_V_WAIT_SPACE,       /* the PASID's notifiers are not registered yet */
    DSA_V_WAIT_PAGE,        /* op.miss is to be requested by PRI */
    DSA_V_WAIT_DRAIN,       /* earlier descriptors are in flight */
} DSAVerdict;

typedef enum DSAFlightState {
    DSA_F_FREE,
    DSA_F_READY,            /* in readyq */
    DSA_F_ACTIVE,           /* a worker has it */
    DSA_F_SPACE,            /* in spaceq */
    DSA_F_PAGE,             /* in pageq: page request to be sent */
    DSA_F_PAGE_LATER,       /* in laterq: the same, when e->retry fires */
    DSA_F_PAGE_SENT,        /* in no list; prgi names it */
    DSA_F_DRAIN,            /* in drainq */
} DSAFlightState;

struct DSAFlight {
    DSAJob job;
    DSATask task;
    /* BATCH: the list, consumed before the first child runs */
    uint8_t *list;
    uint32_t list_bytes;    /* migration only */
    uint32_t fetched;       /* bytes of the list */
    uint32_t next;          /* child at hand */
    bool child_failed;
    DSATask child;

    uint8_t state;
    bool aborted;
    DSASpace *space;
    /* page requests */
    DSATask *blocked;       /* whose miss is waited for */
    uint16_t prgi;
    bool page_refused;      /* the response was negative */
    bool page_single;       /* ask for one page only */
    uint64_t page_asked;        /* the page of the last request, by number */
    bool page_rested;       /* was put off before this request */
    uint16_t page_tries;    /* requests since it last got on */
    QTAILQ_ENTRY(DSAFlight) link;
};

typedef QTAILQ_HEAD(DSAFlightList, DSAFlight) DSAFlightList;

typedef struct DSAWorker {
    DSAEngines *e;
    QemuThread thread;
    int poll_ns;
    bool busy;              /* e->lock: between two looks at e->paused */
    bool taking;            /* e->lock: in dsa_wq_take() */
    bool prefer_new;
    unsigned group;         /* the group to look at first */
    unsigned misses;        /* in this slice */
    DSAFlight *flight;      /* e->lock: the active one */
    DSAFlight *current;     /* the worker's own copy, for DSAMem */
    bool bracketed;         /* untranslated requests are under way */
    PCIPasidBracket bracket;
    DSAMem mem;
    DSAAtc *atc;
} DSAWorker;

struct DSAEngines {
    DSAState *s;
    PCIDevice *pci;
    unsigned engines, workers;
    DSAWorker worker[DSA_MAX_ENGINES];

    QemuMutex lock;
    QemuCond work;          /* for workers */
    QemuCond idle;          /* for those who wait for workers */
    unsigned waiters;
    unsigned sleepers;      /* read without the lock by kicks */
    bool poller;            /* atomic: a worker looks out for work */
    unsigned paused;
    unsigned hold_take;
    bool quit;
    unsigned pending;       /* atomic: groups with work, one bit each */

    DSAFlight flight[DSA_FLIGHTS];
    DSAFlightList freeq, readyq, spaceq, pageq, laterq, drainq;

    DSASpaces *spaces;

    /* page requests; e->lock */
    DSAFlight *prg[DSA_PRGS];
    DECLARE_BITMAP(prg_busy, DSA_PRGS);     /* incl. those whose flight left */
    uint16_t prg_size[DSA_PRGS];            /* pages each has out */
    unsigned prg_next;
    unsigned pages_out;
    QEMUBH *bh;
    QEMUTimer *retry;

    /* migration only */
    DSAFlight *mig;
    int32_t mig_count;
};

/* --- engine.c ----------------------------------------------------------- */

/* A flight that is in no list may run again; e->lock held */
void dsa_flight_ready(DSAEngines *e, DSAFlight *fl);
/* A free flight, out of its list, or NULL; e->lock held */
DSAFlight *dsa_flight_get(DSAEngines *e);
/* Run the bottom half that registers notifiers and sends page requests */
void dsa_engines_schedule(DSAEngines *e);

/* --- task.c ------------------------------------------------------------- */

/*
 * Carry a flight forward by one slice. Worker thread, RCU read section, no
 * lock held.
 */
DSAVerdict dsa_flight_slice(DSAWorker *w, DSAFlight *fl);
DSAVerdict dsa_task_run(DSAWorker *w, DSAFlight *fl, DSATask *t,
                        uint64_t *budget);
typedef DSAStep DSAStepsFn(DSAFlight *fl, DSATask *t, DSAMem *mem,
                           uint64_t *budget);
/* Take steps of @fn until it is done or the slice ends, serving misses */
DSAVerdict dsa_task_steps(DSAWorker *w, DSAFlight *fl, DSATask *t,
                          DSAStepsFn *fn, uint64_t *budget);
void dsa_task_init(DSATask *t, const uint8_t *raw, bool in_batch,
                   uint16_t index);
/* Whether the earlier descriptors that a DRAIN waits for are over; e->lock */
bool dsa_flight_drained(DSAEngines *e, const DSAFlight *fl);

/* --- batch.c ------------------------------------------------------------ */

DSAVerdict dsa_batch_run(DSAWorker *w, DSAFlight *fl, uint64_t *budget);

/* --- completion.c ------------------------------------------------------- */

/*
 * Write the completion record if one is due, report to SWERR what has none,
 * send the interrupt. Worker thread, RCU read section, not in a run.
 */
void dsa_task_complete(DSAWorker *w, DSAFlight *fl, DSATask *t);

/* --- space.c ------------------------------------------------------------ */

/*
 * Give the flight the space of its PASID. Returns false if that has to be set
 * up by the bottom half first. Worker thread; takes e->lock.
 */
bool dsa_space_acquire(DSAEngines *e, DSAFlight *fl);
void dsa_space_release(DSAEngines *e, DSAFlight *fl);   /* e->lock held */
/* The bottom half's part; big lock held */
void dsa_spaces_serve(DSAEngines *e);
DSASpaces *dsa_spaces_new(DSAEngines *e);
void dsa_spaces_free(DSAEngines *e);
/* Forget all translations and wait for runs that use them; big lock held */
void dsa_spaces_drop_all(DSAEngines *e);
bool dsa_has_iommu(DSAEngines *e);
/* Whether page group responses of the space arrive; big lock held */
bool dsa_space_pri_on(DSASpace *sp);
/* Whether requests of the flight go by ATS now */
bool dsa_uses_ats(DSAEngines *e, const DSAFlight *fl);

/* --- fault.c ------------------------------------------------------------ */

/* The bottom half's part: send page requests; big lock held */
void dsa_faults_serve(DSAEngines *e);
/* A page group response came; any thread */
void dsa_fault_response(DSAEngines *e, DSASpace *sp, uint16_t prgi,
                        bool granted);
/* The flight no longer waits: its group's response is to be swallowed */
void dsa_fault_forget(DSAEngines *e, DSAFlight *fl);    /* e->lock held */
/* Page requests were disabled: no response will come; big lock held */
void dsa_faults_reset(DSAEngines *e);
bool dsa_pri_usable(DSAEngines *e, const DSAFlight *fl);
/* e->retry fired */
void dsa_faults_retry(DSAEngines *e);

#endif /* HW_MISC_DSA_ENGINE_H */
