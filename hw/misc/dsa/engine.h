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
#include "line.h"

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
/* Misses served in one slice; then others get their turn */
#define DSA_SLICE_MISSES 64
/* Flights served by one bottom half; then others get the big lock */
#define DSA_SERVED_AT_ONCE 64

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
    DSA_F_READY,            /* in ready */
    DSA_F_ACTIVE,           /* a worker has it */
    DSA_F_SPACE,            /* in spaceq */
    DSA_F_PAGE,             /* in page: page request to be sent */
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
    bool drain_unsure;      /* in drainq since a worker was taking jobs */
    DSASpace *space;
    /* page requests */
    DSATask *blocked;       /* whose miss is waited for */
    uint16_t prgi;
    bool page_refused;      /* the response was negative */
    bool page_single;       /* ask for one page only */
    uint64_t page_asked;        /* the page of the last request, by number */
    bool page_rested;       /* was put off before this request */
    uint16_t page_tries;    /* requests since it last got on, or the most */
    QTAILQ_ENTRY(DSAFlight) link;
};

/**
 * DSAGroup: a page request group that was sent and is not answered yet.
 * @fl: who waits for the answer; NULL if it no longer does, but the index and
 *      the requests stay taken until the answer comes (PCIe 6.0 10.4.1)
 * @space: by whose notifier the answer comes
 * @pages: how many requests it has
 * @pasid, @prgi: migration only
 */
typedef struct DSAGroup {
    DSAFlight *fl;
    DSASpace *space;
    uint16_t pages;
    uint16_t prgi;
    uint32_t pasid;
} DSAGroup;

typedef struct DSAWorker {
    DSAEngines *e;
    unsigned index;
    QemuThread thread;
    QemuEvent wake;         /* set by who clears its bit in e->sleeping */
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
    unsigned workers;
    DSAWorker worker[DSA_MAX_WORKERS];

    /* What kicks look at, away from what workers write all the time; atomic */
    unsigned pending;       /* groups with work, one bit each */
    unsigned sleeping;      /* workers to be woken, one bit each */
    bool poller;            /* a worker looks out for work */
    uint8_t pad[64];

    QemuMutex lock;
    QemuCond idle;          /* for those who wait for workers */
    unsigned waiters;
    unsigned paused;
    unsigned hold_take;
    bool quit;

    DSAFlight flight[DSA_FLIGHTS];
    DSAFlightList freeq, spaceq, laterq, drainq;
    DSALine ready;          /* for the next slice */
    DSALine page;           /* for page requests that may be outstanding */

    DSASpaces *spaces;

    /* page requests; e->lock */
    DSAGroup group[DSA_PRGS];
    DECLARE_BITMAP(groups_out, DSA_PRGS);
    unsigned group_next;
    unsigned pages_out;
    QEMUBH *bh;
    QEMUTimer *retry;

    /* migration only */
    DSAFlight *mig;
    int32_t mig_count;
    DSAGroup *mig_groups;
    int32_t mig_groups_count;
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
/*
 * The page of op.miss cannot be reached. Returns DSA_ST_NONE if the flight is
 * to wait for it (DSA_V_WAIT_PAGE), else the status that tells why not: no page
 * may be waited for (@may_wait), page requests are disabled in the queue or the
 * function, or the request was answered with an error.
 */
DSAStatus dsa_task_await(DSAWorker *w, DSAFlight *fl, DSATask *t,
                         bool may_wait);
/* The page of @addr has been reached: an answer about it is of the past */
void dsa_task_reached(DSAFlight *fl, uint64_t addr);
/*
 * Whether the earlier descriptors that a DRAIN waits for are over. If not, one
 * of them tells by its end, or, if fl->drain_unsure, the end of taking. e->lock
 */
bool dsa_flight_drained(DSAEngines *e, DSAFlight *fl);
/* What a DRAIN waits for is of the same queue and PASID */
bool dsa_flight_drains(const DSAFlight *drain, const DSAFlight *fl);

/* --- batch.c ------------------------------------------------------------ */

DSAVerdict dsa_batch_run(DSAWorker *w, DSAFlight *fl, uint64_t *budget);

/* --- completion.c ------------------------------------------------------- */

/*
 * Write the completion record if one is due, report to SWERR what has none,
 * send the interrupt. Returns DSA_V_WAIT_PAGE if the record's page is to be
 * requested first; then nothing has happened yet. Worker thread, RCU read
 * section, not in a run.
 */
DSAVerdict dsa_task_complete(DSAWorker *w, DSAFlight *fl, DSATask *t);

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
/*
 * A space for a PASID that no flight has, to wait for answers to groups that
 * the migration's source sent. Big lock and e->lock held.
 */
DSASpace *dsa_space_adopt(DSAEngines *e, uint32_t pasid);
/* Whether requests of the flight go by ATS now */
bool dsa_uses_ats(DSAEngines *e, const DSAFlight *fl);

/* --- fault.c ------------------------------------------------------------ */

/* The bottom half's part: send page requests; big lock held */
void dsa_faults_serve(DSAEngines *e);
/* A page group response came; big lock held */
void dsa_fault_response(DSAEngines *e, DSASpace *sp, uint16_t prgi,
                        IOMMUPRIResponseCode code);
/* The flight no longer waits: its group's response is to be swallowed */
void dsa_fault_forget(DSAEngines *e, DSAFlight *fl);    /* e->lock held */
/*
 * Page requests were disabled: no flight waits any more. What was sent stays
 * outstanding. Big lock held
 */
void dsa_faults_fail(DSAEngines *e);
/* Nothing is outstanding any more; flights that wait fail. Big lock held */
void dsa_faults_reset(DSAEngines *e);
/* The space will be of another PASID: its groups' answers are lost */
void dsa_faults_forget_space(DSAEngines *e, DSASpace *sp); /* e->lock held */
/* Whether requests are outstanding; big lock held */
bool dsa_faults_outstanding(DSAEngines *e);
/* Take over a group that the migration's source sent; e->lock held */
bool dsa_faults_adopt(DSAEngines *e, const DSAGroup *group, DSASpace *sp);
bool dsa_pri_usable(DSAEngines *e, const DSAFlight *fl);
/* e->retry fired */
void dsa_faults_retry(DSAEngines *e);

/* --- pri.c: the capability in configuration space; big lock held -------- */

/* An answer that no request waits for; does nothing after a failure */
void dsa_pri_unexpected(DSAEngines *e);
/* Responses are ignored since one was a failure */
bool dsa_pri_failed(DSAEngines *e);
/* A response was a failure: the interface is disabled */
void dsa_pri_fail(DSAEngines *e);
/* Fewer requests may be outstanding: the interface may have stopped */
void dsa_pri_settle(DSAEngines *e);

#endif /* HW_MISC_DSA_ENGINE_H */
