/*
 * intel-vtd: the device's state and what its rooms call of each other
 *
 * Threads. Registers are written with the big lock held. Translations, page
 * requests and faults come from any thread and never take the big lock: what
 * they change of the registers is guarded by reg_lock, a leaf lock that is
 * held for a few instructions only. Messages that they cause go out from a
 * bottom half.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_VTD_STATE_H
#define HW_I386_VTD_STATE_H

#include "qemu/thread.h"
#include "qemu/main-loop.h"
#include "qemu/rcu_queue.h"
#include "hw/i386/x86-iommu.h"
#include "hw/i386/vtd.h"
#include "fault-reasons.h"
#include "memory.h"
#include "regs-bits.h"
#include "translate.h"
#include "hw/pci/pci_bus.h"

/* --- properties and capabilities (caps.c) ------------------------------- */

#define VTD_PASID_BITS_AUTO UINT8_MAX
#define VTD_PASID_BITS_MAX  20

/* What the user asked for; "auto" follows what it depends on */
typedef struct VTDConfig {
    uint8_t aw_bits, haw_bits, pasid_bits;
    bool scalable_mode, caching_mode, snoop_control, fs1gp, exec;
    OnOffAuto fsts, ssts, nested, fs5lp, svm, eim, supervisor, ssads, eafs;
    uint32_t fault_records;
    VTDCacheSizes caches;
} VTDConfig;

/* --- registers (regs.c) ------------------------------------------------- */

typedef struct VTDReg VTDReg;

/**
 * VTDRegHook: what a write to a register does besides changing its value.
 * @reg: the register
 * @old: its value before
 * @val: what was written, at its place in the register
 * @mask: which bits of the register the access covers
 *
 * Called with the big lock held and without reg_lock, after the value has
 * changed.
 */
typedef void VTDRegHook(VTDState *s, const VTDReg *reg, uint64_t old,
                        uint64_t val, uint64_t mask);

/**
 * VTDReg: one row of the register table (VT-d 11.4).
 * @rw: bits that software writes
 * @w1c: bits that software clears by writing ones
 * @write_only: reads as zero
 */
struct VTDReg {
    const char *name;
    uint16_t offset;
    uint8_t size;
    bool write_only;
    uint64_t rw, w1c, reset;
    VTDRegHook *hook;
};

/* Events that send a message (VT-d 7.3, 6.5.2.7, 7.5) */
typedef enum VTDEvent {
    VTD_EVENT_FAULT,
    VTD_EVENT_INVALIDATION,
    VTD_EVENT_PAGE_REQUEST,
    VTD_EVENT_COUNT,
} VTDEvent;

/* --- the rest ----------------------------------------------------------- */

typedef struct VTDSpace VTDSpace;
typedef struct VTDAutoResponse VTDAutoResponse;
typedef struct VTDIrteCache VTDIrteCache;

#define VTD_AUTO_RESPONSES  256

struct VTDState {
    X86IOMMUState parent_obj;

    VTDConfig cfg;
    VTDFeatures features;
    uint64_t cap, ecap;
    VTDTranslator *translator;
    VTDMemory memory;

    /* Registers */
    MemoryRegion mmio;
    VTDReg *regs;                           /* constant after realize */
    unsigned reg_count;
    uint16_t reg_index[VTD_REG_SPACE / 4];  /* row + 1 of each doubleword */
    QemuMutex reg_lock;
    uint8_t csr[VTD_REG_SPACE];             /* values, little-endian */

    /* Latched by SRTP and SIRTP */
    uint64_t root, irta;
    bool translating;                       /* GSTS.TES, read by any thread */

    uint32_t frcd_next;                     /* next fault record; reg_lock */
    uint32_t events_pending;                /* by VTDEvent, atomic */
    QEMUBH *event_bh;

    /* Page requests; reg_lock */
    VTDAutoResponse *auto_responses;
    uint32_t auto_head, auto_count;
    QEMUBH *pri_bh;

    /* Interrupt remapping; big lock */
    VTDIrteCache *irte_cache;

    /* Address spaces */
    MemoryRegion nodmar, nodmar_sys, nodmar_ir;
    GHashTable *spaces;                     /* big lock */
    QLIST_HEAD(, VTDSpace) space_list;      /* read by RCU */
    DeviceListener device_listener;
    QemuMutex notifier_lock;                /* writers of notifier lists */
    QEMUBH *pt_bh;
    VTDSpace *ioapic;

    /* Counts invalidations; begins at 1 (micro.h) */
    uint64_t generation;
    /* Users of translations that an invalidation waits for (drain.c) */
    struct {
        unsigned phase;
        struct {
            unsigned count QEMU_ALIGNED(64);
        } users[2];
        bool needed;                        /* big lock */
    } drain;

    /* Of the source of a migration, to compare */
    uint64_t mig_cap, mig_ecap;
    uint8_t mig_haw;
};

/* caps.c: check the configuration, fill cap, ecap and features */
bool vtd_caps_compute(VTDState *s, Error **errp);

/*
 * The unit lives as long as the machine (it cannot be unplugged): there is no
 * way back from the functions named init.
 */

/* regs.c */
void vtd_regs_init(VTDState *s);
void vtd_regs_reset(VTDState *s);
/* Raw values, without side effect; the caller holds reg_lock or needs none */
uint32_t vtd_get32(VTDState *s, unsigned reg);
uint64_t vtd_get64(VTDState *s, unsigned reg);
void vtd_set32(VTDState *s, unsigned reg, uint32_t val);
void vtd_set64(VTDState *s, unsigned reg, uint64_t val);
extern const MemoryRegionOps vtd_mmio_ops;

/* command.c: global command, register-based invalidation */
VTDRegHook vtd_gcmd_write, vtd_ccmd_write, vtd_iotlb_write;

/* event.c */
void vtd_events_init(VTDState *s);
/* A new condition: send or mark pending. reg_lock held */
void vtd_event_raise(VTDState *s, VTDEvent event);
/* The conditions of an event are all served. reg_lock held */
void vtd_event_served(VTDState *s, VTDEvent event);
/* After vtd_event_raise() and dropping reg_lock: get it out. Any thread */
void vtd_event_flush(VTDState *s);
VTDRegHook vtd_event_control_write;

/* fault.c */
/**
 * vtd_fault_record: report a blocked DMA request (VT-d 7.2).
 * @req: the request
 * @fault: why; nothing is recorded if its fpd is set
 *
 * Any thread.
 */
void vtd_fault_record(VTDState *s, const VTDRequest *req,
                      const VTDFault *fault);
/* The same for a page request */
void vtd_fault_record_page_request(VTDState *s, const VTDRequest *req,
                                   const VTDFault *fault);
/* The same for an interrupt request to IRTE @index (VT-d 5.1.4.1) */
void vtd_fault_record_interrupt(VTDState *s, uint16_t sid, uint8_t reason,
                                uint32_t index);
/* Set a condition of FSTS (IQE, ICE, ITE) and raise its event. Any thread */
void vtd_fault_status(VTDState *s, uint32_t condition);
VTDRegHook vtd_fsts_write, vtd_frcd_write;

/* invalidate.c, invalidate-desc.c */
void vtd_queue_run(VTDState *s);
void vtd_queue_enable(VTDState *s, bool enable);
/* Carry out one descriptor of four quadwords; 0 or the queue error */
VTDQueueError vtd_descriptor_run(VTDState *s, const uint64_t *d, bool wide);
VTDRegHook vtd_iqt_write, vtd_ics_write;

/* pri.c */
void vtd_pri_init(VTDState *s);
void vtd_pri_reset(VTDState *s);
/* Deliver a page group response to its requester. Big lock held */
void vtd_pri_respond(VTDState *s, uint16_t sid, uint32_t pasid, uint16_t prgi,
                     uint8_t code);
/* Automatic responses out, requests in the queue (7.10). Big lock held */
void vtd_pri_drain(VTDState *s);
int vtd_pri_request_page(PCIBus *bus, void *opaque, int devfn, uint32_t pasid,
                         bool priv_req, bool exec_req, hwaddr addr, bool lpig,
                         uint16_t prgi, bool is_read, bool is_write);
VTDRegHook vtd_prs_write;

/* irq.c */
void vtd_irq_init(VTDState *s);
/* Entries from @index on, 2^@order of them, or all. Big lock held */
void vtd_irq_invalidate(VTDState *s, bool all, uint16_t index,
                        unsigned order);
/* An interrupt request as a write to the interrupt range. Big lock held */
MemTxResult vtd_irq_write(VTDState *s, uint16_t sid, hwaddr addr,
                          uint64_t data, unsigned size);
int vtd_int_remap(X86IOMMUState *iommu, MSIMessage *src, MSIMessage *dst,
                  uint16_t sid);

/* space.c, notify.c: see space.h */

/* ats.c */
ssize_t vtd_ats_request_translation(PCIBus *bus, void *opaque, int devfn,
                                    uint32_t pasid, bool priv_req,
                                    bool exec_req, hwaddr addr, size_t length,
                                    bool no_write, IOMMUTLBEntry *result,
                                    size_t result_length,
                                    uint32_t *err_count);

/* pasid.c: the class methods of TYPE_PCI_PASID_IOMMU */
void vtd_pasid_class_init(ObjectClass *klass);

/* drain.c */
/* Enter and leave the use of a translation; @phase comes from enter */
unsigned vtd_drain_enter(VTDState *s);
void vtd_drain_leave(VTDState *s, unsigned phase);
/*
 * The translation half has just invalidated something: what threads remember
 * is stale, and the next vtd_drain() must wait. Comes before those who keep
 * translations of their own are told, lest they get the old ones again. Big
 * lock held.
 */
void vtd_invalidated(VTDState *s);
/* Wait for users that entered before the last invalidation. Big lock held */
void vtd_drain(VTDState *s);

/* vmstate.c */
extern const VMStateDescription vtd_vmstate;
/* Do what bottom halves are scheduled for, the machine stops. Big lock held */
void vtd_send_pending(VTDState *s);

static inline uint16_t vtd_source_id(PCIBus *bus, int devfn)
{
    return PCI_BUILD_BDF(pci_bus_num(bus), devfn);
}

#endif /* HW_I386_VTD_STATE_H */
