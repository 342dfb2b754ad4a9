/*
 * intel-vtd: page requests and their responses (VT-d 7.4 to 7.10, 11.4.11)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "space.h"
#include "state.h"
#include "trace.h"

#define VTD_PRQ_DESC_SIZE   32

/* 7.5.1 Page Request Descriptor */
#define PRQ_TYPE            0x01ULL
#define PRQ_PP              BIT_ULL(8)
#define PRQ_RID_SHIFT       16
#define PRQ_PASID_SHIFT     32
#define PRQ_EXR             BIT_ULL(52)
#define PRQ_PMR             BIT_ULL(53)
#define PRQ_RD              BIT_ULL(0)
#define PRQ_WR              BIT_ULL(1)
#define PRQ_LPIG            BIT_ULL(2)
#define PRQ_PRGI_SHIFT      3
#define PRQ_ADDR            VTD_BITS(63, 12)

/* Response codes of a page group response (PCIe 6.0 section 10.4.2.1) */
#define PRG_SUCCESS         0x0
#define PRG_INVALID         0x1
#define PRG_FAILURE         0xf

/* An index that no page request can have */
#define PRGI_NONE           UINT16_MAX

/* A response that the hardware gives by itself */
struct VTDAutoResponse {
    uint32_t pasid;
    uint16_t sid, prgi;
    uint8_t code;
};

/* --- responses ---------------------------------------------------------- */

/* Inside an RCU read section */
static VTDListener *vtd_pri_listener(VTDSpace *sp, uint32_t pasid)
{
    VTDListener *listener;

    QLIST_FOREACH_RCU(listener, &sp->listeners, next) {
        if (listener->pri && listener->pasid == pasid) {
            return listener;
        }
    }
    return NULL;
}

void vtd_pri_respond(VTDState *s, uint16_t sid, uint32_t pasid, uint16_t prgi,
                     uint8_t code)
{
    IOMMUPRIResponse response = {
        .response_code = code == PRG_SUCCESS ? IOMMU_PRI_RESP_SUCCESS :
                         code == PRG_INVALID ? IOMMU_PRI_RESP_INVALID_REQUEST :
                                               IOMMU_PRI_RESP_FAILURE,
        .prgi = prgi,
    };
    VTDListener *listener;
    VTDSpace *sp;

    trace_intel_vtd_page_response(sid, pasid, prgi, code);
    RCU_READ_LOCK_GUARD();
    sp = vtd_space_find(s, sid);
    if (!sp) {
        return;
    }
    listener = vtd_pri_listener(sp, pasid);
    if (!listener) {
        /* The function has asked for nothing with this PASID: let it know */
        listener = vtd_pri_listener(sp, PCI_NO_PASID);
        response.prgi = PRGI_NONE;
    }
    if (listener) {
        listener->pri->notify(listener->pri, &response);
    }
}

static bool vtd_auto_response_take(VTDState *s, VTDAutoResponse *out)
{
    QEMU_LOCK_GUARD(&s->reg_lock);

    if (!s->auto_count) {
        return false;
    }
    *out = s->auto_responses[s->auto_head];
    s->auto_head = (s->auto_head + 1) % VTD_AUTO_RESPONSES;
    s->auto_count--;
    return true;
}

static void vtd_auto_responses_send(void *opaque)
{
    VTDState *s = opaque;
    VTDAutoResponse r;

    /* A device may ask again from within: leave that to the next run */
    for (unsigned i = 0; i < VTD_AUTO_RESPONSES; i++) {
        if (!vtd_auto_response_take(s, &r)) {
            return;
        }
        vtd_pri_respond(s, r.sid, r.pasid, r.prgi, r.code);
    }
    qemu_bh_schedule(s->pri_bh);
}

/*
 * Answer a group's last request without software. The answer comes from a
 * bottom half as from across the fabric, never from within the request. A
 * requester that overruns even this queue learns it by the return value.
 */
static int vtd_auto_respond(VTDState *s, const VTDAutoResponse *response,
                            bool respond)
{
    if (!respond) {
        return 0;
    }
    WITH_QEMU_LOCK_GUARD(&s->reg_lock) {
        if (s->auto_count == VTD_AUTO_RESPONSES) {
            return -ENOSPC;
        }
        s->auto_responses[(s->auto_head + s->auto_count) %
                          VTD_AUTO_RESPONSES] = *response;
        s->auto_count++;
    }
    qemu_bh_schedule(s->pri_bh);
    return 0;
}

void vtd_pri_drain(VTDState *s)
{
    /* A request that is being queued holds the lock until it is visible */
    vtd_auto_responses_send(s);
}

/* --- requests ----------------------------------------------------------- */

/* What became of a request that was to be queued */
typedef enum VTDQueued { QUEUED, OVERFLOWED, NO_MEMORY } VTDQueued;

/* A new condition in PRS is an event if there was none. reg_lock held */
static void vtd_prs_set(VTDState *s, uint32_t bit)
{
    uint32_t prs = vtd_get32(s, VTD_REG_PRS);

    if (!(prs & (VTD_PRS_PPR | VTD_PRS_PRO))) {
        vtd_event_raise(s, VTD_EVENT_PAGE_REQUEST);
    }
    vtd_set32(s, VTD_REG_PRS, prs | bit);
}

/* 7.4.1: nothing enters the queue while it is full or PRO is set */
static VTDQueued vtd_prq_add(VTDState *s, const uint64_t *desc)
{
    uint64_t pqa = vtd_get64(s, VTD_REG_PQA);
    uint64_t wrap = (0x1000ULL << (pqa & VTD_PQA_PQS)) - 1;
    uint64_t tail = vtd_get64(s, VTD_REG_PQT) & wrap;
    uint64_t next = (tail + VTD_PRQ_DESC_SIZE) & wrap;

    if ((vtd_get32(s, VTD_REG_PRS) & VTD_PRS_PRO) ||
        next == (vtd_get64(s, VTD_REG_PQH) & wrap)) {
        vtd_prs_set(s, VTD_PRS_PRO);
        return OVERFLOWED;
    }
    if (!vtd_memory_write(&s->memory, (pqa & VTD_PQA_ADDR) + tail, desc,
                          VTD_PRQ_DESC_SIZE)) {
        return NO_MEMORY;
    }
    /* The descriptor before the tail */
    smp_wmb();
    vtd_set64(s, VTD_REG_PQT, next);
    vtd_prs_set(s, VTD_PRS_PPR);
    return QUEUED;
}

/* May the requester ask for pages at all? Records the fault if not */
static bool vtd_pri_allowed(VTDState *s, const VTDRequest *req)
{
    VTDFault fault;

    if (!qatomic_read(&s->translating)) {
        return false;
    }
    RCU_READ_LOCK_GUARD();
    if (!vtd_page_request_check(s->translator, req->sid, req->pasid,
                                &fault)) {
        vtd_fault_record_page_request(s, req, &fault);
        return false;
    }
    return true;
}

/* The Page Request Descriptor (7.4.1), as the queue has it */
static void vtd_prq_describe(const VTDRequest *req, uint16_t prgi, bool lpig,
                             uint64_t *desc)
{
    memset(desc, 0, VTD_PRQ_DESC_SIZE);
    desc[0] = PRQ_TYPE | (uint64_t)req->sid << PRQ_RID_SHIFT;
    if (req->pasid != VTD_NO_PASID) {
        desc[0] |= PRQ_PP | (uint64_t)req->pasid << PRQ_PASID_SHIFT |
                   (req->exec ? PRQ_EXR : 0) | (req->priv ? PRQ_PMR : 0);
    }
    desc[1] = (req->addr & PRQ_ADDR) | (uint64_t)prgi << PRQ_PRGI_SHIFT |
              (lpig ? PRQ_LPIG : 0) | (req->read ? PRQ_RD : 0) |
              (req->write ? PRQ_WR : 0);
    desc[0] = cpu_to_le64(desc[0]);
    desc[1] = cpu_to_le64(desc[1]);
}

/*
 * 7.5.1: a request that cannot be queued is answered "success", so that the
 * device asks for the translation again; one that is not allowed "invalid".
 */
int vtd_pri_request_page(PCIBus *bus, void *opaque, int devfn, uint32_t pasid,
                         bool priv_req, bool exec_req, hwaddr addr, bool lpig,
                         uint16_t prgi, bool is_read, bool is_write)
{
    VTDState *s = opaque;
    VTDRequest req = {
        .addr = addr,
        .pasid = pasid == PCI_NO_PASID ? VTD_NO_PASID : pasid,
        .sid = vtd_source_id(bus, devfn),
        .read = is_read, .write = is_write,
        .exec = exec_req, .priv = priv_req,
    };
    VTDAutoResponse response = {
        .pasid = pasid, .sid = req.sid, .prgi = prgi & PCI_PRI_PRGI_MASK,
    };
    uint64_t desc[VTD_PRQ_DESC_SIZE / sizeof(uint64_t)];
    /* 7.4: a stop marker, which asks for no access, has no response */
    bool respond = lpig && (is_read || is_write);
    VTDQueued queued;

    if (!(s->ecap & VTD_ECAP_PRS)) {
        return -EPERM;
    }
    trace_intel_vtd_page_request(req.sid, pasid, addr, response.prgi, lpig,
                           is_read, is_write);
    if (!vtd_pri_allowed(s, &req)) {
        response.code = PRG_INVALID;
        return vtd_auto_respond(s, &response, respond);
    }

    vtd_prq_describe(&req, response.prgi, lpig, desc);
    WITH_QEMU_LOCK_GUARD(&s->reg_lock) {
        queued = vtd_prq_add(s, desc);
    }
    vtd_event_flush(s);
    if (queued == QUEUED) {
        return 0;
    }
    trace_intel_vtd_page_request_overflow(req.sid, pasid, response.prgi);
    response.code = queued == OVERFLOWED ? PRG_SUCCESS : PRG_FAILURE;
    return vtd_auto_respond(s, &response, respond);
}

void vtd_prs_write(VTDState *s, const VTDReg *reg, uint64_t old,
                   uint64_t val, uint64_t mask)
{
    QEMU_LOCK_GUARD(&s->reg_lock);

    if (!(vtd_get32(s, VTD_REG_PRS) & (VTD_PRS_PPR | VTD_PRS_PRO))) {
        vtd_event_served(s, VTD_EVENT_PAGE_REQUEST);
    }
}

void vtd_pri_reset(VTDState *s)
{
    QEMU_LOCK_GUARD(&s->reg_lock);
    s->auto_count = 0;
}

void vtd_pri_init(VTDState *s)
{
    s->auto_responses = g_new0(VTDAutoResponse, VTD_AUTO_RESPONSES);
    s->pri_bh = qemu_bh_new_guarded(vtd_auto_responses_send, s,
                                    &DEVICE(s)->mem_reentrancy_guard);
}
