/*
 * intel-dsa: block on fault by the Page Request Interface (PCIe 6.0 section
 * 10.4, DSA section 3.11).
 *
 * A flight that may block is parked with the page it misses; the bottom half
 * asks the IOMMU for it and for those that follow in the operand, one page
 * request group per flight; the group's response makes it ready again.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/pci/pcie.h"
#include "engine.h"
#include "trace.h"

#define RETRY_NS (1 * SCALE_MS)
#define FAST_TRIES 8            /* requests for one page without delay */

bool dsa_pri_usable(DSAEngines *e, const DSAFlight *fl)
{
    return fl->job.wq.prs && dsa_uses_ats(e, fl) && pcie_pri_enabled(e->pci) &&
           e->pci->is_master;
}

static void refuse(DSAEngines *e, DSAFlight *fl)
{
    fl->page_refused = true;
    fl->page_single = true;
    dsa_flight_ready(e, fl);
}

static void free_prg(DSAEngines *e, unsigned prgi)
{
    clear_bit(prgi, e->prg_busy);
    e->prg[prgi] = NULL;
    e->pages_out -= e->prg_size[prgi];
    e->prg_size[prgi] = 0;
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
        QTAILQ_INSERT_TAIL(&e->pageq, fl, link);
        fl->page_rested = true;
    }
    dsa_engines_schedule(e);
}

/* Group indexes go round, so that one is not used again soon */
static bool alloc_prg(DSAEngines *e, DSAFlight *fl, unsigned pages)
{
    unsigned prgi = find_next_zero_bit(e->prg_busy, DSA_PRGS, e->prg_next);

    if (prgi >= DSA_PRGS) {
        prgi = find_first_zero_bit(e->prg_busy, DSA_PRGS);
    }
    if (prgi >= DSA_PRGS) {
        return false;
    }
    e->prg_next = (prgi + 1) % DSA_PRGS;
    set_bit(prgi, e->prg_busy);
    e->prg[prgi] = fl;
    e->prg_size[prgi] = pages;
    e->pages_out += pages;
    fl->prgi = prgi;
    return true;
}

typedef struct Group {
    uint32_t pasid;
    bool priv, write;
    uint64_t addr;
    unsigned pages;
    uint16_t prgi;
} Group;

/*
 * The page that is missing and those behind it that the operand has too (in
 * front of it if it works backward).
 */
static void choose_pages(const DSAFlight *fl, unsigned limit, Group *g)
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
    *g = (Group) {
        .pasid = fl->job.pasid,
        .priv = fl->job.priv,
        .write = miss->write,
        .addr = page * DSA_PAGE,
        .pages = n,
    };
}

/* Without e->lock: the IOMMU may answer at once */
static int send_group(DSAEngines *e, const Group *g)
{
    unsigned i;
    int rc = 0;

    for (i = 0; i < g->pages && rc == 0; i++) {
        rc = pci_pri_request_page(e->pci, g->pasid, g->priv, false,
                                  g->addr + i * DSA_PAGE, i == g->pages - 1,
                                  g->prgi, true, g->write);
        trace_dsa_page_request(g->pasid, g->addr + i * DSA_PAGE, g->prgi,
                               i == g->pages - 1, g->write, rc);
    }
    return rc;
}

/* e->lock held, dropped meanwhile. Returns false if no more can be sent now */
static bool serve_one(DSAEngines *e, DSAFlight *fl)
{
    uint32_t limit = pcie_pri_get_req_alloc(e->pci);
    Group g;
    int rc;

    if (!dsa_pri_usable(e, fl) || !limit) {
        QTAILQ_REMOVE(&e->pageq, fl, link);
        refuse(e, fl);
        return true;
    }
    if (fl->page_tries > FAST_TRIES && !fl->page_rested) {
        QTAILQ_REMOVE(&e->pageq, fl, link);
        put_off(e, fl);
        return true;
    }
    if (e->pages_out >= limit) {
        return false;
    }
    choose_pages(fl, limit - e->pages_out, &g);
    if (!alloc_prg(e, fl, g.pages)) {
        return false;
    }
    g.prgi = fl->prgi;
    QTAILQ_REMOVE(&e->pageq, fl, link);
    fl->state = DSA_F_PAGE_SENT;
    fl->page_rested = false;
    qemu_mutex_unlock(&e->lock);
    rc = dsa_space_pri_on(fl->space) ? send_group(e, &g) : -EPERM;
    qemu_mutex_lock(&e->lock);
    if (!rc || e->prg[g.prgi] != fl) {
        return true;
    }
    free_prg(e, g.prgi);
    if (rc == -ENOSPC && ++fl->page_tries < DSA_PAGE_TRIES) {
        put_off(e, fl);
    } else {
        refuse(e, fl);
    }
    return true;
}

void dsa_faults_serve(DSAEngines *e)
{
    DSAFlight *fl;

    QEMU_LOCK_GUARD(&e->lock);
    while ((fl = QTAILQ_FIRST(&e->pageq)) && serve_one(e, fl)) {
        /* go on */
    }
}

void dsa_fault_response(DSAEngines *e, DSASpace *sp, uint16_t prgi,
                        bool granted)
{
    DSAFlight *fl;

    trace_dsa_page_response(sp->pasid, prgi, granted);
    QEMU_LOCK_GUARD(&e->lock);
    if (prgi >= DSA_PRGS || !test_bit(prgi, e->prg_busy)) {
        return;             /* unexpected group index */
    }
    fl = e->prg[prgi];
    if (fl && fl->space != sp) {
        return;             /* a response for another PASID's group */
    }
    if (fl) {
        /*
         * A group is refused as a whole. Which page it was for tells another
         * request for the first one alone.
         */
        fl->page_refused = !granted;
        if (!granted && e->prg_size[prgi] == 1) {
            fl->page_single = true;
        }
        dsa_flight_ready(e, fl);
    }
    free_prg(e, prgi);
    if (!QTAILQ_EMPTY(&e->pageq)) {
        dsa_engines_schedule(e);
    }
}

void dsa_fault_forget(DSAEngines *e, DSAFlight *fl)
{
    if (fl->state == DSA_F_PAGE_SENT) {
        e->prg[fl->prgi] = NULL;
    }
}

void dsa_faults_reset(DSAEngines *e)
{
    unsigned i;

    QEMU_LOCK_GUARD(&e->lock);
    for (i = 0; i < DSA_PRGS; i++) {
        if (test_bit(i, e->prg_busy)) {
            DSAFlight *fl = e->prg[i];

            free_prg(e, i);
            if (fl) {
                refuse(e, fl);
            }
        }
    }
}
