/*
 * intel-dsa: block on fault by the Page Request Interface (PCIe 6.0 section
 * 10.4, DSA section 3.11).
 *
 * A flight that may block is parked with the page it misses; the bottom half
 * asks the IOMMU for it and for those that follow in the operand, one page
 * request group per flight; the group's response makes it ready again.
 *
 * A group is outstanding from its first request to its response, whatever
 * becomes of its flight: only a reset of the interface ends it early.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bitmap.h"
#include "hw/pci/pcie.h"
#include "engine.h"
#include "trace.h"

#define RETRY_NS (1 * SCALE_MS)
#define FAST_TRIES 8            /* requests for one page without delay */

/* What the function may not request, nobody brings */
bool dsa_pri_usable(DSAEngines *e, const DSAFlight *fl)
{
    return fl->job.wq.prs && dsa_uses_ats(e, fl) && pcie_pri_enabled(e->pci) &&
           e->pci->is_master && pci_pasid_fits(e->pci, fl->job.pasid) &&
           (!dsa_job_priv(&fl->job) || pcie_pasid_priv_enabled(e->pci));
}

static void refuse(DSAEngines *e, DSAFlight *fl)
{
    fl->page_refused = true;
    fl->page_single = true;
    dsa_flight_ready(e, fl);
}

static void free_group(DSAEngines *e, unsigned prgi)
{
    DSAGroup *group = &e->group[prgi];

    clear_bit(prgi, e->groups_out);
    group->space->groups--;
    e->pages_out -= group->pages;
    *group = (DSAGroup) { };
}

/*
 * The IOMMU's queue is full, or grants do not help: a page request queue that
 * overflows is answered with success. Give software some time.
 */
static void put_off(DSAEngines *e, DSAFlight *fl)
{
    fl->state = DSA_F_PAGE_LATER;
    QTAILQ_INSERT_TAIL(&e->laterq, fl, link);
    if (!timer_pending(e->retry)) {
        timer_mod_ns(e->retry,
                     qemu_clock_get_ns(QEMU_CLOCK_REALTIME) + RETRY_NS);
    }
}

void dsa_faults_retry(DSAEngines *e)
{
    DSAFlight *fl;

    QEMU_LOCK_GUARD(&e->lock);
    while ((fl = QTAILQ_FIRST(&e->laterq))) {
        QTAILQ_REMOVE(&e->laterq, fl, link);
        fl->state = DSA_F_PAGE;
        dsa_line_add(&e->page, fl);
        fl->page_rested = true;
    }
    dsa_engines_schedule(e);
}

static void take_group(DSAEngines *e, unsigned prgi, DSASpace *sp,
                       unsigned pages, DSAFlight *fl)
{
    set_bit(prgi, e->groups_out);
    e->group[prgi] = (DSAGroup) { .fl = fl, .space = sp, .pages = pages };
    e->pages_out += pages;
    sp->groups++;
}

/*
 * Group indexes go round, so that one is not used again soon. There is one: no
 * more than DSA_PRI_CAPACITY requests are out, and each group has at least one.
 */
QEMU_BUILD_BUG_ON(DSA_PRGS < DSA_PRI_CAPACITY);

static void alloc_group(DSAEngines *e, DSAFlight *fl, unsigned pages)
{
    unsigned prgi = find_next_zero_bit(e->groups_out, DSA_PRGS,
                                       e->group_next);

    if (prgi >= DSA_PRGS) {
        prgi = find_first_zero_bit(e->groups_out, DSA_PRGS);
    }
    e->group_next = (prgi + 1) % DSA_PRGS;
    take_group(e, prgi, fl->space, pages, fl);
    fl->prgi = prgi;
}

bool dsa_faults_adopt(DSAEngines *e, const DSAGroup *group, DSASpace *sp)
{
    if (group->prgi >= DSA_PRGS || test_bit(group->prgi, e->groups_out) ||
        !group->pages || group->pages > DSA_PRG_PAGES) {
        return false;
    }
    take_group(e, group->prgi, sp, group->pages, NULL);
    return true;
}

/* What one group asks for */
typedef struct Ask {
    uint32_t pasid;
    bool priv, write;
    uint64_t addr;
    unsigned pages;
    uint16_t prgi;
} Ask;

/*
 * The page that is missing and those behind it that the operand has too (in
 * front of it if it works backward).
 */
static void choose_pages(const DSAFlight *fl, unsigned limit, Ask *ask)
{
    const DSAMiss *miss = &fl->blocked->op.miss;
    uint64_t page = miss->addr / DSA_PAGE, first = miss->first / DSA_PAGE;
    uint64_t last = (miss->first + miss->len - 1) / DSA_PAGE;
    uint64_t n;

    limit = fl->page_single ? 1 : MIN(limit, DSA_PRG_PAGES);
    if (miss->addr == miss->first || last < page) {
        n = last < page ? 1 : MIN(last - page + 1, limit);
    } else {
        n = MIN(page - first + 1, limit);
        page -= n - 1;
    }
    *ask = (Ask) {
        .pasid = fl->job.pasid,
        .priv = dsa_job_priv(&fl->job),
        .write = miss->write,
        .addr = page * DSA_PAGE,
        .pages = n,
    };
}

/* Without e->lock: the IOMMU may answer at once */
static int send_group(DSAEngines *e, const Ask *ask)
{
    unsigned i;
    int rc = 0;

    for (i = 0; i < ask->pages && rc == 0; i++) {
        uint64_t addr = ask->addr + i * DSA_PAGE;
        bool last = i == ask->pages - 1;

        rc = pci_pri_request_page(e->pci, ask->pasid, ask->priv, false, addr,
                                  last, ask->prgi, true, ask->write);
        trace_dsa_page_request(ask->pasid, addr, ask->prgi, last, ask->write,
                               rc);
    }
    return rc;
}

/*
 * Outstanding Page Request Allocation (PCIe 6.0 10.5.2.5) counts requests.
 * Implementation choice: more than the capacity is the capacity, and a change
 * while requests are enabled counts at once.
 */
static unsigned requests_allowed(DSAEngines *e)
{
    return MIN(pcie_pri_get_req_alloc(e->pci), DSA_PRI_CAPACITY);
}

/* Whether the next flight in line can be served, be it by a refusal */
static bool may_serve(DSAEngines *e)
{
    unsigned limit = requests_allowed(e);

    return !limit || e->pages_out < limit || !pcie_pri_enabled(e->pci) ||
           !e->pci->is_master;
}

/* @fl is out of the line. e->lock held, dropped meanwhile */
static void serve_one(DSAEngines *e, DSAFlight *fl)
{
    unsigned limit = requests_allowed(e);
    Ask ask;
    int rc;

    if (!dsa_pri_usable(e, fl) || e->pages_out >= limit) {
        refuse(e, fl);
        return;
    }
    if (fl->page_tries > FAST_TRIES && !fl->page_rested) {
        put_off(e, fl);
        return;
    }
    choose_pages(fl, limit - e->pages_out, &ask);
    alloc_group(e, fl, ask.pages);
    ask.prgi = fl->prgi;
    fl->state = DSA_F_PAGE_SENT;
    fl->page_rested = false;
    qemu_mutex_unlock(&e->lock);
    rc = dsa_space_pri_on(fl->space) ? send_group(e, &ask) : -EPERM;
    qemu_mutex_lock(&e->lock);
    if (!rc || e->group[ask.prgi].fl != fl) {
        return;
    }
    free_group(e, ask.prgi);
    if (rc == -ENOSPC) {
        put_off(e, fl);
    } else {
        refuse(e, fl);
    }
}

void dsa_faults_serve(DSAEngines *e)
{
    unsigned served = 0;
    DSAFlight *fl;

    QEMU_LOCK_GUARD(&e->lock);
    while (may_serve(e) && (fl = dsa_line_take(&e->page))) {
        serve_one(e, fl);
        if (++served == DSA_SERVED_AT_ONCE) {
            dsa_engines_schedule(e);
            break;
        }
    }
}

/* --- responses ----------------------------------------------------------- */

/* Flights that wait for a response do so no more. e->lock held */
static void fail_all(DSAEngines *e, bool free)
{
    unsigned prgi;

    for (prgi = find_first_bit(e->groups_out, DSA_PRGS); prgi < DSA_PRGS;
         prgi = find_next_bit(e->groups_out, DSA_PRGS, prgi + 1)) {
        DSAFlight *fl = e->group[prgi].fl;

        e->group[prgi].fl = NULL;
        if (free) {
            free_group(e, prgi);
        }
        if (fl) {
            refuse(e, fl);
        }
    }
}

/* The answer to a group with this index and PASID. e->lock held */
static void answer(DSAEngines *e, unsigned prgi, bool granted)
{
    DSAFlight *fl = e->group[prgi].fl;

    if (fl) {
        /*
         * A group is refused as a whole. Which page it was for tells another
         * request for the first one alone.
         */
        fl->page_refused = !granted;
        if (!granted && e->group[prgi].pages == 1) {
            fl->page_single = true;
        }
        dsa_flight_ready(e, fl);
    }
    free_group(e, prgi);
}

void dsa_fault_response(DSAEngines *e, DSASpace *sp, uint16_t prgi,
                        IOMMUPRIResponseCode code)
{
    bool known, more;

    trace_dsa_page_response(sp ? sp->pasid : PCI_NO_PASID, prgi, code);
    if (dsa_pri_failed(e)) {
        return;
    }
    WITH_QEMU_LOCK_GUARD(&e->lock) {
        known = sp && prgi < DSA_PRGS && test_bit(prgi, e->groups_out) &&
                e->group[prgi].space == sp;
        if (known && code == IOMMU_PRI_RESP_FAILURE) {
            /* PCIe 6.0 10.4.2.1: no other response counts any more */
            fail_all(e, true);
        } else if (known) {
            answer(e, prgi, code == IOMMU_PRI_RESP_SUCCESS);
        }
        more = e->page.wqs;
    }
    if (!known) {
        /* Implementation choice: a failure that is nobody's is only that */
        dsa_pri_unexpected(e);
    } else if (code == IOMMU_PRI_RESP_FAILURE) {
        dsa_pri_fail(e);
    } else {
        dsa_pri_settle(e);
    }
    if (more) {
        dsa_engines_schedule(e);
    }
}

void dsa_fault_forget(DSAEngines *e, DSAFlight *fl)
{
    if (fl->state == DSA_F_PAGE_SENT) {
        e->group[fl->prgi].fl = NULL;
    }
}

void dsa_faults_forget_space(DSAEngines *e, DSASpace *sp)
{
    unsigned prgi;

    if (!sp->groups) {
        return;
    }
    for (prgi = find_first_bit(e->groups_out, DSA_PRGS); prgi < DSA_PRGS;
         prgi = find_next_bit(e->groups_out, DSA_PRGS, prgi + 1)) {
        if (e->group[prgi].space == sp) {
            free_group(e, prgi);
        }
    }
}

void dsa_faults_fail(DSAEngines *e)
{
    QEMU_LOCK_GUARD(&e->lock);
    fail_all(e, false);
}

void dsa_faults_reset(DSAEngines *e)
{
    QEMU_LOCK_GUARD(&e->lock);
    fail_all(e, true);
}

bool dsa_faults_outstanding(DSAEngines *e)
{
    QEMU_LOCK_GUARD(&e->lock);
    return e->pages_out != 0;
}
