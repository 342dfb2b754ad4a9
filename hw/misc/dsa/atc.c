/*
 * intel-dsa: the workers' address translation caches (PCIe 6.0 section 10).
 *
 * Small entries are 4 KiB, large ones 2 MiB; both point straight at host
 * memory. Only RAM is accepted. Implementation choice: a translation that
 * leads to another device's registers is refused like one that fails.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/rcu.h"
#include "exec/translation-block.h"
#include "hw/pci/pcie.h"
#include "hw/pci/pasid-dma.h"
#include "system/physmem.h"
#include "system/ramlist.h"
#include "system/tcg.h"
#include "engine.h"
#include "trace.h"

#define SMALL_SHIFT 12
#define LARGE_SHIFT 21
#define SMALL_SIZE BIT_ULL(SMALL_SHIFT)
#define LARGE_SIZE BIT_ULL(LARGE_SHIFT)

/* At least three operands and a completion record must fit in one set */
#define WAYS 4
#define SMALL_SETS 512
#define LARGE_SETS 64
/* Results of one translation request. At most one entry goes to each set. */
#define FILL_PAGES 64

QEMU_BUILD_BUG_ON(FILL_PAGES >= SMALL_SETS);

/* A tag is a page number (52 bits), a space and the privilege */
#define TAG_PAGE 11
#define NO_TAG UINT64_MAX

QEMU_BUILD_BUG_ON(DSA_SPACES > BIT(TAG_PAGE - 1) || 52 + TAG_PAGE > 63);

typedef struct Entry {
    uint32_t epoch;
    uint32_t slice;             /* 0, or the only slice it is good for */
    uint8_t *host;
    MemoryRegion *mr;
    hwaddr offset;
    uint8_t perm;
} Entry;

/* The tags lie together: a look at a set touches two lines of the cache */
typedef struct Set {
    uint64_t tag[WAYS];
    Entry way[WAYS];
    unsigned next;
} Set;

struct DSAAtc {
    /* read by those who wait for the end of a run */
    uint32_t seq;               /* odd in a run */
    DSASpace *space;
    /* the worker's own */
    uint32_t map_gen;
    uint32_t slice;
    uint32_t seen[DSA_SPACES];  /* generation up to which it has dropped */
    uint32_t epoch[DSA_SPACES]; /* entries of other epochs are dropped */
    Set small[SMALL_SETS];
    Set large[LARGE_SETS];
    IOMMUTLBEntry answer[FILL_PAGES + 1];
};

static void drop_everything(DSAAtc *atc)
{
    unsigned i, way;

    for (i = 0; i < SMALL_SETS; i++) {
        for (way = 0; way < WAYS; way++) {
            atc->small[i].tag[way] = NO_TAG;
        }
    }
    for (i = 0; i < LARGE_SETS; i++) {
        for (way = 0; way < WAYS; way++) {
            atc->large[i].tag[way] = NO_TAG;
        }
    }
}

DSAAtc *dsa_atc_new(void)
{
    DSAAtc *atc = g_new0(DSAAtc, 1);

    drop_everything(atc);
    return atc;
}

void dsa_atc_free(DSAAtc *atc)
{
    g_free(atc);
}

/* --- finding and storing ------------------------------------------------- */

static uint64_t make_tag(const DSAFlight *fl, uint64_t page)
{
    return page << TAG_PAGE | fl->space->index << 1 | fl->job.priv;
}

static Set *set_of(DSAAtc *atc, uint64_t page, unsigned space, bool large)
{
    return large ? &atc->large[(page ^ space) % LARGE_SETS]
                 : &atc->small[(page ^ (space * 37)) % SMALL_SETS];
}

static Entry *find_in(DSAAtc *atc, const DSAFlight *fl, uint64_t addr,
                      uint8_t perm, bool large)
{
    uint64_t page = addr >> (large ? LARGE_SHIFT : SMALL_SHIFT);
    unsigned space = fl->space->index, i;
    uint64_t tag = make_tag(fl, page);
    Set *set = set_of(atc, page, space, large);

    for (i = 0; i < WAYS; i++) {
        Entry *ent = &set->way[i];

        if (set->tag[i] == tag && ent->epoch == atc->epoch[space] &&
            (ent->perm & perm) == perm &&
            (!ent->slice || ent->slice == atc->slice)) {
            return ent;
        }
    }
    return NULL;
}

static Entry *find(DSAAtc *atc, const DSAFlight *fl, uint64_t addr,
                   uint8_t perm, uint64_t *size)
{
    Entry *ent = find_in(atc, fl, addr, perm, false);

    *size = SMALL_SIZE;
    if (!ent) {
        ent = find_in(atc, fl, addr, perm, true);
        *size = LARGE_SIZE;
    }
    return ent;
}

static void store(DSAAtc *atc, const DSAFlight *fl, uint64_t addr, bool large,
                  const Entry *proto)
{
    uint64_t page = addr >> (large ? LARGE_SHIFT : SMALL_SHIFT);
    unsigned space = fl->space->index, i;
    uint64_t tag = make_tag(fl, page);
    Set *set = set_of(atc, page, space, large);

    /* One entry for a page: take the old one's place */
    for (i = 0; i < WAYS && set->tag[i] != tag; i++) {
        /* look on */
    }
    if (i == WAYS) {
        i = set->next++ % WAYS;
    }
    set->way[i] = *proto;
    set->tag[i] = tag;
    set->way[i].epoch = atc->epoch[space];
}

/* --- invalidation -------------------------------------------------------- */

static void drop_in(DSAAtc *atc, unsigned space, uint64_t page, bool large)
{
    Set *set = set_of(atc, page, space, large);
    unsigned i;

    for (i = 0; i < WAYS; i++) {
        if (set->tag[i] >> 1 == (page << (TAG_PAGE - 1) | space)) {
            set->tag[i] = NO_TAG;
        }
    }
}

static void drop_space(DSAAtc *atc, unsigned space)
{
    if (++atc->epoch[space] == 0) {
        drop_everything(atc);
    }
}

static void drop_range(DSAAtc *atc, unsigned space, uint64_t first,
                       uint64_t last)
{
    uint64_t page;

    if ((last >> SMALL_SHIFT) - (first >> SMALL_SHIFT) >= FILL_PAGES) {
        drop_space(atc, space);
        return;
    }
    for (page = first >> SMALL_SHIFT; page <= last >> SMALL_SHIFT; page++) {
        drop_in(atc, space, page, false);
    }
    for (page = first >> LARGE_SHIFT; page <= last >> LARGE_SHIFT; page++) {
        drop_in(atc, space, page, true);
    }
}

static void catch_up(DSAAtc *atc, DSASpace *sp)
{
    uint32_t map_gen = dsa_map_generation(sp->e->spaces), gen;

    if (map_gen != atc->map_gen) {
        drop_everything(atc);
        atc->map_gen = map_gen;
    }
    if (qatomic_load_acquire(&sp->gen) == atc->seen[sp->index]) {
        return;
    }
    qemu_spin_lock(&sp->log_lock);
    gen = sp->gen;
    if (gen - atc->seen[sp->index] > DSA_LOG) {
        drop_space(atc, sp->index);
    } else {
        for (; atc->seen[sp->index] != gen; atc->seen[sp->index]++) {
            uint32_t at = atc->seen[sp->index] % DSA_LOG;

            drop_range(atc, sp->index, sp->log[at].first, sp->log[at].last);
        }
    }
    atc->seen[sp->index] = gen;
    qemu_spin_unlock(&sp->log_lock);
}

void dsa_run_enter(DSAWorker *w, DSASpace *sp)
{
    DSAAtc *atc = w->atc;

    for (;;) {
        catch_up(atc, sp);
        /* Who sees the new space sees the last run's end as well */
        qatomic_store_release(&atc->space, sp);
        qatomic_set(&atc->seq, atc->seq + 1);
        /* Pairs with dsa_run_wait(): it sees the run or the run its change */
        smp_mb();
        if (qatomic_read(&sp->gen) == atc->seen[sp->index] &&
            dsa_map_generation(sp->e->spaces) == atc->map_gen) {
            return;
        }
        dsa_run_exit(w);
    }
}

void dsa_run_exit(DSAWorker *w)
{
    qatomic_store_release(&w->atc->seq, w->atc->seq + 1);
}

void dsa_run_wait(DSAEngines *e, DSASpace *space)
{
    unsigned i, spins;

    /* Pairs with dsa_run_enter() */
    smp_mb();
    for (i = 0; i < e->workers; i++) {
        DSAAtc *atc = e->worker[i].atc;
        uint32_t seq = qatomic_load_acquire(&atc->seq);

        if (!(seq & 1) ||
            (space && qatomic_load_acquire(&atc->space) != space)) {
            continue;
        }
        for (spins = 0; qatomic_load_acquire(&atc->seq) == seq; spins++) {
            if (spins < 1000) {
                cpu_relax();
            } else {
                g_usleep(10);
            }
        }
    }
}

void dsa_slice_enter(DSAWorker *w)
{
    /* 0 means any slice */
    if (++w->atc->slice == 0) {
        drop_everything(w->atc);
        w->atc->slice = 1;
    }
}

void dsa_slice_exit(DSAWorker *w)
{
    if (w->bracketed) {
        pci_pasid_leave(&w->bracket);
        w->bracketed = false;
    }
}

/* --- use ----------------------------------------------------------------- */

bool dsa_atc_window(DSAMem *mem, uint64_t addr, uint64_t len, bool write,
                    bool backward, DSAWindow *win)
{
    DSAWorker *w = container_of(mem, DSAWorker, mem);
    uint8_t perm = write ? IOMMU_WO : IOMMU_RO;
    uint64_t first = backward ? addr - 1 : addr;
    uint64_t size, at, n, more;
    Entry *ent = find(w->atc, w->current, first, perm, &size);
    MemoryRegion *mr;

    if (!ent) {
        return false;
    }
    mr = ent->mr;
    at = first & (size - 1);
    n = MIN(len, backward ? at + 1 : size - at);
    at = backward ? at + 1 - n : at;
    win->host = ent->host + at;
    win->offset = ent->offset + at;

    /* Add what follows (or precedes) as long as it does in host memory */
    while (n < len) {
        ent = find(w->atc, w->current, backward ? first - n : first + n, perm,
                   &size);
        if (!ent || ent->mr != mr) {
            break;
        }
        more = MIN(len - n, size);
        if (backward) {
            if (ent->host + size != win->host ||
                ent->offset + size != win->offset) {
                break;
            }
            win->host -= more;
            win->offset -= more;
        } else if (ent->host != win->host + n ||
                   ent->offset != win->offset + n) {
            break;
        }
        n += more;
    }
    win->len = n;
    win->region = mr;
    return true;
}

/*
 * Guest RAM was written: translated code of it is void, and those who log
 * dirty pages are to see it.
 */
void dsa_atc_wrote(DSAMem *mem, const DSAWindow *win, uint64_t len)
{
    MemoryRegion *mr = win->region;
    ram_addr_t start = memory_region_get_ram_addr(mr) + win->offset;
    uint8_t clients = memory_region_get_dirty_log_mask(mr);

    if (clients) {
        clients = physical_memory_range_includes_clean(start, len, clients);
    }
    if (clients & BIT(DIRTY_MEMORY_CODE)) {
        if (tcg_enabled()) {
            tb_invalidate_phys_range(NULL, start, start + len - 1);
        }
        clients &= ~BIT(DIRTY_MEMORY_CODE);
    }
    if (clients) {
        physical_memory_set_dirty_range(start, len, clients);
    }
}

/* --- filling ------------------------------------------------------------- */

typedef struct Fill {
    DSAWorker *w;
    DSAFlight *fl;
    bool write;
    bool brief;         /* answers hold for this slice only */
} Fill;

/*
 * Where that is in host memory. What is memory for reads only, such as ROM,
 * takes the permission to write from the entry, whatever tables grant.
 */
static bool host_of(AddressSpace *as, hwaddr addr, hwaddr len, bool write,
                    uint8_t perm, hwaddr *got, Entry *ent)
{
    MemTxAttrs attrs = MEMTXATTRS_UNSPECIFIED;
    hwaddr offset;
    MemoryRegion *mr;

    *got = len;
    mr = address_space_translate(as, addr, &offset, got, write, attrs);
    if (!*got || !mr->ram_block || !memory_access_is_direct(mr, write, attrs)) {
        return false;
    }
    if (!memory_access_is_direct(mr, true, attrs)) {
        perm &= ~IOMMU_WO;
    }
    ent->perm = perm;
    ent->mr = mr;
    ent->offset = offset;
    ent->host = (uint8_t *)memory_region_get_ram_ptr(mr) + offset;
    return true;
}

/*
 * Remember that @len bytes from @addr, both multiples of the small page size,
 * are at @to in @as: as one large entry if that is all one, else small ones.
 */
static void remember(const Fill *f, uint64_t addr, uint64_t len,
                     AddressSpace *as, hwaddr to, uint8_t perm)
{
    DSAAtc *atc = f->w->atc;
    Entry ent = { .slice = f->brief ? atc->slice : 0 };
    uint64_t at, i;
    hwaddr got;

    if (!(addr & (LARGE_SIZE - 1)) && len == LARGE_SIZE &&
        host_of(as, to, LARGE_SIZE, f->write, perm, &got, &ent) &&
        got == LARGE_SIZE) {
        store(atc, f->fl, addr, true, &ent);
        return;
    }
    len = MIN(len, FILL_PAGES * SMALL_SIZE);
    for (at = 0; at < len; at += SMALL_SIZE) {
        if (!host_of(as, to + at, len - at, f->write, perm, &got, &ent)) {
            continue;
        }
        for (i = 0; i + SMALL_SIZE <= got; i += SMALL_SIZE) {
            store(atc, f->fl, addr + at + i, false, &ent);
            ent.host += SMALL_SIZE;
            ent.offset += SMALL_SIZE;
        }
        at += i ? i - SMALL_SIZE : 0;
    }
}

/*
 * A translation of the block of @mask + 1 bytes around @addr is known. Keep
 * what of it is in the large page around @addr, or from @addr up to @last.
 */
static void remember_block(const Fill *f, uint64_t addr, uint64_t last,
                           uint64_t mask, AddressSpace *as, hwaddr to,
                           uint8_t perm)
{
    uint64_t base = addr & ~(LARGE_SIZE - 1);

    if (mask >= LARGE_SIZE - 1) {
        hwaddr got;
        Entry ent;

        to = (to & ~mask) | (base & mask);
        if (host_of(as, to, LARGE_SIZE, f->write, perm, &got, &ent) &&
            got == LARGE_SIZE) {
            remember(f, base, LARGE_SIZE, as, to, perm);
            return;
        }
        to += addr - base;
        last = MIN(last, base | (LARGE_SIZE - 1));
    } else {
        to = (to & ~mask) | (addr & mask);
        last = MIN(last, addr | mask);
    }
    remember(f, addr, (last | (SMALL_SIZE - 1)) - addr + 1, as, to, perm);
}

/* An answer from @addr on; a large one may reach over several large pages */
static void remember_answer(const Fill *f, uint64_t addr, uint64_t last,
                            const IOMMUTLBEntry *a)
{
    uint64_t mask = a->addr_mask | (SMALL_SIZE - 1);

    last = MIN(last, addr | mask);
    for (;;) {
        remember_block(f, addr, last, mask, a->target_as, a->translated_addr,
                       a->perm & IOMMU_RW);
        if ((addr | (LARGE_SIZE - 1)) >= last) {
            break;
        }
        addr = (addr | (LARGE_SIZE - 1)) + 1;
    }
}

/*
 * By Address Translation Services (PCIe 6.0 section 10.2). Returns whether
 * @need may be accessed: if it was not remembered, it is no memory.
 */
static bool fill_ats(const Fill *f, uint64_t addr, uint64_t last,
                     uint64_t need)
{
    DSAAtc *atc = f->w->atc;
    uint64_t len = (last | (SMALL_SIZE - 1)) - addr + 1;
    uint32_t errors = 0;
    bool granted = false;
    ssize_t n, i;

    n = pci_ats_request_translation(f->w->e->pci, f->fl->job.pasid,
                                    dsa_job_priv(&f->fl->job), false, addr,
                                    len, !f->write, atc->answer, FILL_PAGES,
                                    &errors);
    for (i = 0; i < n; i++) {
        const IOMMUTLBEntry *a = &atc->answer[i];
        uint64_t mask = a->addr_mask | (SMALL_SIZE - 1);

        if ((a->perm & (f->write ? IOMMU_WO : IOMMU_RO)) &&
            !(a->perm & IOMMU_UNTRANSLATED_ONLY) && a->target_as) {
            granted |= need >= addr && need <= (addr | mask);
            remember_answer(f, addr, last, a);
        }
        if ((addr | mask) >= last) {
            break;
        }
        addr = (addr | mask) + 1;
    }
    return granted;
}

/*
 * Untranslated requests, which the IOMMU translates on their way. One page at
 * a time, and only for the needed one: a fault is recorded.
 */
static void fill_untranslated(Fill *f, uint64_t addr)
{
    IOMMUAccessFlags access = f->write ? IOMMU_WO : IOMMU_RO;
    PCIDevice *pci = f->w->e->pci;
    uint32_t pasid = f->fl->job.pasid;
    PCIPasidMapping map;

    if (!dsa_has_iommu(f->w->e)) {
        /*
         * Implementation choice: without an IOMMU the PASID of a request
         * means nothing. Good until the memory map changes.
         */
        if (pci->is_master) {
            remember_block(f, addr, addr, UINT64_MAX >> 1,
                           pci_get_address_space(pci), addr,
                           f->write ? IOMMU_RW : IOMMU_RO);
        }
        return;
    }
    f->brief = true;
    if (!f->w->bracketed) {
        pci_pasid_enter(pci, &f->w->bracket);
        f->w->bracketed = true;
    }
    if (!pci_pasid_translate(pci, pasid, dsa_job_priv(&f->fl->job), addr,
                             access, &map) &&
        map.len >= SMALL_SIZE && (map.perm & access)) {
        remember(f, addr, SMALL_SIZE, map.as, map.addr, map.perm & IOMMU_RW);
    }
}

bool dsa_atc_fill(DSAWorker *w, DSAFlight *fl, DSAMiss *miss)
{
    uint8_t perm = miss->write ? IOMMU_WO : IOMMU_RO;
    uint64_t from = miss->addr & ~(SMALL_SIZE - 1), size;
    uint64_t last = miss->first + (miss->len - 1);
    Fill f = { .w = w, .fl = fl, .write = miss->write };
    bool hopeless = false, ok;

    /* An operand cannot go on from the last address to the first */
    miss->hopeless = last < miss->first;
    if (miss->hopeless) {
        return false;
    }
    /* One that works backward misses its last byte: ask for what precedes */
    if (miss->addr == last && miss->len > 1) {
        from = MAX(miss->first & ~(SMALL_SIZE - 1),
                   from - MIN(from, (FILL_PAGES - 1) * SMALL_SIZE));
    }
    if (last - from >= FILL_PAGES * SMALL_SIZE) {
        last = from + FILL_PAGES * SMALL_SIZE - 1;
    }
    catch_up(w->atc, fl->space);
    if (!dsa_uses_ats(w->e, fl) || !dsa_has_iommu(w->e)) {
        fill_untranslated(&f, miss->addr & ~(SMALL_SIZE - 1));
    } else if (qatomic_read(&fl->space->notified) &&
               pci_pasid_fits(w->e->pci, fl->job.pasid)) {
        hopeless = fill_ats(&f, from, last, miss->addr);
    } else {
        /* Software disabled PASID, or ATS, when the space was set up */
        hopeless = true;
    }
    ok = find(w->atc, fl, miss->addr, perm, &size);
    miss->hopeless = hopeless && !ok;
    trace_dsa_atc_fill(fl->job.pasid, miss->addr, miss->len, miss->write, ok);
    return ok;
}
