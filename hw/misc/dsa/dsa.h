/*
 * intel-dsa: what the files of the device side share. The engine side sees
 * job.h only.
 *
 * Locks: registers and configuration belong to the holder of the big lock.
 * Portal writes and worker threads reach what is marked "any thread" below,
 * through atomics or under queue_lock or swerr_lock, which nest in nothing and
 * are held for a few instructions.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_MISC_DSA_DSA_H
#define HW_MISC_DSA_DSA_H

#include "qemu/bitops.h"
#include "qemu/thread.h"
#include "hw/pci/dmwr-cap.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pci_device.h"
#include "job.h"
#include "regs-bits.h"

#define TYPE_INTEL_DSA "intel-dsa"
OBJECT_DECLARE_SIMPLE_TYPE(DSAState, INTEL_DSA)

#define DSA_MAX_VECTORS (DSA_MAX_WQS + 1)
#define DSA_MAX_PASID_BITS 20       /* PCIe 6.0 7.8.8.2 */
#define DSA_MAX_TOTAL_SIZE 1024     /* descriptors in all queues */
#define DSA_ALL_PASIDS (UINT32_MAX - 1)    /* no PASID is UINT32_MAX */
#define DSA_HANDLE_WORDS DIV_ROUND_UP(DSA_MAX_VECTORS + DSA_IMS_MAX, 64)

/* One place of a queue's ring; neighbours may have different writers */
typedef struct QEMU_ALIGNED(64) DSASlot {
    uint8_t desc[DSA_DESC_SIZE];
    uint32_t ready;             /* position + 1 once @desc is whole; atomic */
    uint32_t page;              /* the portal page it came through */
} DSASlot;

/* What the device side remembers of a job that an engine holds */
typedef struct DSAHeld {
    uint64_t ticket;
    uint32_t pasid;
} DSAHeld;

/*
 * DSAQueue: a work queue (DSA section 3.2). Portal writers claim a place by
 * one compare-and-swap of @ctl, fill the slot and mark it ready; workers take
 * from the front under queue_lock.
 */
typedef struct DSAQueue {
    uint64_t ctl;               /* open, mode, occupancy, tail; any thread */
    uint32_t limits;            /* size and threshold; any thread */
    uint32_t state;             /* DSAWQState; big lock */
    DSAWQView view;             /* written while closed and empty */
    DSASlot *ring;              /* in DSAState.slots */
    uint8_t pad[64];            /* writers' lines end here */
    /* under queue_lock */
    uint64_t head;              /* next position to take; the ticket */
    int32_t share;              /* weighted round robin between queues */
    uint32_t held_count;
    DSAHeld held[DSA_MAX_IN_FLIGHT];
} DSAQueue;

/* The jobs that a drain waits for: accepted before it began */
typedef struct DSADrain {
    bool active;
    uint32_t wqs;               /* bitmap of queues */
    uint32_t pasid;             /* or DSA_ALL_PASIDS */
    uint64_t barrier[DSA_MAX_WQS];
    uint32_t left;
} DSADrain;

struct DSAState {
    PCIDevice parent_obj;

    /* properties */
    char *version;
    uint32_t wqs, groups, engines_num, wq_size, rdbufs, ims, workers;
    uint32_t pasid_bits;
    bool bof, shared, cmdcap, ats, pasid, pri;

    PCIEDMWrCompleter dmwr;
    MemoryRegion mmio, portals;
    uint32_t regs[DSA_MMIO_SIZE / 4];
    uint8_t reg_row[DSA_MMIO_SIZE / 4];     /* doubleword -> table row */
    uint64_t gencap, wqcap, opcap[4];

    /* device and command state, big lock */
    uint32_t state;                         /* DSADeviceState */
    uint8_t reset_type;
    bool cmd_active, cmd_int_req;
    uint8_t cmd_code, cmd_error;
    uint16_t cmd_result;
    uint32_t cmd_operand;
    QEMUBH *cmd_bh;

    /* queues */
    QemuMutex queue_lock;
    DSAQueue queues[DSA_MAX_WQS];
    uint32_t ring_size;                     /* slots per queue, a power of 2 */
    uint32_t slots_num;
    DSASlot *slots;                         /* the rings of all queues */
    DSADrain drain;                         /* queue_lock */
    uint32_t group_wqs[DSA_MAX_GROUPS];     /* enabled device; any thread */

    /* interrupts, any thread */
    uint32_t intcause;
    unsigned long msix_pending[BITS_TO_LONGS(DSA_MAX_VECTORS)];
    unsigned long ims_pending[BITS_TO_LONGS(DSA_IMS_MAX)];
    uint64_t int_handles[DSA_HANDLE_WORDS];
    QEMUBH *intr_bh;

    QemuMutex swerr_lock;
    uint64_t swerr[4];                      /* swerr_lock */

    DSAEngines *engines;
    VMChangeStateEntry *vm_change;
    bool stopped;                           /* engines paused by a VM stop */
    bool gone;                              /* unplugged; big lock */
};

/* --- regs.c -------------------------------------------------------------- */

extern const MemoryRegionOps dsa_mmio_ops;

/* Index the table of registers for this device's numbers of everything */
void dsa_regs_init(DSAState *s);
/* All registers to their reset values */
void dsa_regs_reset(DSAState *s);
/* The read-only ones alone */
void dsa_regs_set_caps(DSAState *s);

/* A register's doubleword as software wrote it; any thread */
static inline uint32_t dsa_reg(const DSAState *s, hwaddr addr)
{
    return qatomic_read(&s->regs[addr / 4]);
}

static inline uint64_t dsa_reg64(const DSAState *s, hwaddr addr)
{
    return dsa_reg(s, addr) | (uint64_t)dsa_reg(s, addr + 4) << 32;
}

static inline uint32_t dsa_wqcfg(const DSAState *s, unsigned wq, unsigned dw)
{
    return dsa_reg(s, DSA_WQCFG_BASE + wq * DSA_WQCFG_STRIDE + dw * 4);
}

static inline uint64_t dsa_grpcfg(const DSAState *s, unsigned grp, unsigned off)
{
    return dsa_reg64(s, DSA_GRPCFG_BASE + grp * DSA_GRPCFG_STRIDE + off);
}

/* --- caps.c: the only place that knows what this device reports ---------- */

/* Check the properties against each other; false with @errp set if wrong */
bool dsa_caps_init(DSAState *s, Error **errp);
uint64_t dsa_cap_version(const DSAState *s);
uint64_t dsa_cap_gencap(const DSAState *s);
uint64_t dsa_cap_wqcap(const DSAState *s);
uint64_t dsa_cap_grpcap(const DSAState *s);
uint64_t dsa_cap_engcap(const DSAState *s);
uint64_t dsa_cap_opcap(const DSAState *s);
uint64_t dsa_cap_offsets(const DSAState *s);
uint64_t dsa_cap_cmdcap(const DSAState *s);

/* --- cmd.c --------------------------------------------------------------- */

void dsa_cmd_write(DSAState *s, uint32_t val);
uint32_t dsa_cmd_status(const DSAState *s);
/* Bottom half: a drain may be over */
void dsa_cmd_drained(void *opaque);
/* The device halts: an active command ends with a hardware error */
void dsa_cmd_fail(DSAState *s);
/* Whether a migrated command is one that this device could have begun */
bool dsa_cmd_state_valid(const DSAState *s);

/* --- config.c ------------------------------------------------------------ */

DSACmdStatus dsa_config_enable_device(DSAState *s);
DSACmdStatus dsa_config_enable_wq(DSAState *s, unsigned wq);
bool dsa_config_bad_size_sum(DSAState *s);
/* ENABLE_DEVICE's result for the engines, from GRPCFG; also after migration */
void dsa_config_publish_groups(DSAState *s, bool enabled);
/* WQCFG of a reset queue; the size stays unless @all */
void dsa_config_clear_wq(DSAState *s, unsigned wq, bool all);

/* --- wq.c ---------------------------------------------------------------- */

typedef enum DSASubmit {
    DSA_SUBMIT_OK, DSA_SUBMIT_CLOSED, DSA_SUBMIT_MODE, DSA_SUBMIT_FULL,
} DSASubmit;

void dsa_wq_init(DSAState *s);
void dsa_wq_cleanup(DSAState *s);
/* Submit from a portal @page: one compare-and-swap, no locks; any thread */
DSASubmit dsa_wq_submit(DSAState *s, unsigned wq, unsigned page,
                        const void *desc, bool deferrable);
void dsa_wq_open(DSAState *s, unsigned wq, const DSAWQView *view,
                 uint16_t size, uint16_t threshold);
/* No more descriptors from here on; those accepted stay */
void dsa_wq_close(DSAState *s, uint32_t wqs);
void dsa_wq_set_state(DSAState *s, uint32_t wqs, DSAWQState state);
/* Close, abort all, and disable. Big lock held */
void dsa_wq_off(DSAState *s, uint32_t wqs);
uint16_t dsa_wq_occupancy(const DSAState *s, unsigned wq);
/* Fire the occupancy interrupt if it is armed and the queue is low enough */
void dsa_wq_check_occupancy(DSAState *s, unsigned wq);

/*
 * Begin waiting for the jobs of @wqs with @pasid (or DSA_ALL_PASIDS) that were
 * accepted so far; cmd_bh is scheduled when they are over. Big lock held.
 */
void dsa_drain_begin(DSAState *s, uint32_t wqs, uint32_t pasid);
bool dsa_drain_over(DSAState *s);
void dsa_drain_cancel(DSAState *s);
/* After migration */
void dsa_drain_recount(DSAState *s);
bool dsa_wq_state_valid(const DSAState *s, unsigned wq);
/* Nothing is in the queues, which are disabled, whatever was there */
void dsa_wq_forget_all(DSAState *s);

/*
 * Drop queued jobs and end running ones, without completion records. Big lock
 * held; on return none is left.
 */
void dsa_abort(DSAState *s, uint32_t wqs, uint32_t pasid);

/* --- portal.c ------------------------------------------------------------ */

extern const MemoryRegionOps dsa_portal_ops;
void dsa_portal_register(void);

/* --- intr.c -------------------------------------------------------------- */

void dsa_intr_cause(DSAState *s, uint32_t cause);       /* any thread */
bool dsa_intr_handle_exists(const DSAState *s, uint16_t handle, bool ims);
/* Send the message of a vector or IMS entry; any thread */
void dsa_intr_send(DSAState *s, uint16_t handle, bool ims);
/* Big lock held */
void dsa_intr_flush(DSAState *s);
void dsa_intr_bh(void *opaque);
void dsa_intr_reset(DSAState *s);
DSACmdStatus dsa_intr_request_handle(DSAState *s, uint16_t index, bool ims,
                                     uint16_t *handle);
DSACmdStatus dsa_intr_release_handle(DSAState *s, uint16_t handle, bool ims);
/* An IMS entry's control word changed: send what was masked */
void dsa_ims_unmasked(DSAState *s, unsigned entry);

/* --- swerr.c ------------------------------------------------------------- */

void dsa_swerr_code(DSAState *s, uint8_t error);
uint32_t dsa_swerr_read(DSAState *s, unsigned dword);
void dsa_swerr_ack(DSAState *s, uint32_t val);
void dsa_swerr_reset(DSAState *s);

/* --- device.c ------------------------------------------------------------ */

/* RESET_DEVICE and PCI reset: abort everything, registers to reset values */
void dsa_device_reset(DSAState *s);
/* DSA section 4.x, Halt state: only an FLR helps */
void dsa_device_halt(DSAState *s, uint8_t swerr);

/* --- vmstate.c ----------------------------------------------------------- */

extern const VMStateDescription vmstate_dsa;

static inline uint32_t dsa_all_wqs(const DSAState *s)
{
    return MAKE_64BIT_MASK(0, s->wqs);
}

#endif /* HW_MISC_DSA_DSA_H */
