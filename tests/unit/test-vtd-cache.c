/*
 * intel-vtd: what the caches keep, what an invalidation removes, and that
 * nothing stale survives a race between the two
 *
 * Every page of the test world can be remapped behind the device's back. What
 * a request gets then, the old page or the new one, shows whether it was
 * answered from a cache.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/thread.h"
#include "qemu/rcu.h"
#include "vtd-world.h"
#include "hw/i386/vtd/cache.h"

/* Table entries read for one request */
static unsigned cost(World *w, Who who, uint64_t iova)
{
    w->f->loads = 0;
    get(w, who, iova);
    return w->f->loads;
}

static void test_hit(void)
{
    World *w = world_new(NULL);

    for (Who who = 0; who < WHOS; who++) {
        map_page(w, who, IOVA + 0x1000, 1, OLD + 0x1000);
        get(w, who, IOVA);
        g_assert_cmpint(cost(w, who, IOVA), ==, 0);
        g_assert_cmpint(cost(w, who, IOVA + 0xfff), ==, 0);
        /* A neighbour is one entry away, under nesting one in each stage */
        g_assert_cmpint(cost(w, who, IOVA + 0x1000), <=,
                        who == NEST4 ? 2 : 1);
        g_assert_cmphex(get(w, who, IOVA + 0x1234), ==, OLD + 0x1234);
    }
    world_free(w);
}

/* Devices of one domain share translations: only its context is read */
static void test_shared(void)
{
    World *w = world_new(NULL);
    uint64_t out = 0;

    get(w, SS1, IOVA);
    map_page(w, SS1, IOVA, 1, NEW);
    g_assert_cmphex(get(w, SS1B, IOVA), ==, OLD);
    g_assert_cmphex(get(w, FS3A, IOVA), ==, OLD);
    g_assert(try_get(w, FS3B, IOVA, &out));
    /* But PASIDs do not */
    map_page(w, FS3B, IOVA + 0x2000, 1, NEW + 0x2000);
    map_page(w, FS3A, IOVA + 0x2000, 1, OLD + 0x2000);
    g_assert_cmphex(get(w, FS3A, IOVA + 0x2000), ==, OLD + 0x2000);
    g_assert_cmphex(get(w, FS3B, IOVA + 0x2000), ==, NEW + 0x2000);
    world_free(w);
}

static void test_sizes(void)
{
    World *w = world_new(NULL);

    for (Who who = 0; who < WHOS; who++) {
        if (who == SS1B) {
            continue;
        }
        map_page(w, who, 0x50000000, 2, OLD + 0x200000);
        map_page(w, who, 0x140000000, 3, OLD);
        get(w, who, IOVA);
        g_assert_cmphex(get(w, who, 0x50012345), ==, OLD + 0x212345);
        g_assert_cmpint(cost(w, who, 0x501ff000), ==, 0);
        g_assert_cmphex(get(w, who, 0x140012345), ==, OLD + 0x12345);
        g_assert_cmpint(cost(w, who, 0x17ffffff8), ==, 0);
        g_assert_cmpint(cost(w, who, IOVA), ==, 0);
    }
    world_free(w);
}

/* More pages than the cache holds: right answers, and the rest stays */
static void test_overflow(void)
{
    static const VTDCacheSizes small = { 4, 4, 256, 16 };
    static const VTDCacheSizes tiny = { 1, 1, 1, 1 };
    World *w = world_new(&small);
    const unsigned pages = 1024;
    unsigned hits = 0;

    for (unsigned i = 0; i < pages; i++) {
        map_page(w, SS1, 0x60000000 + i * 0x1000, 1, OLD + i * 0x1000);
    }
    for (unsigned i = 0; i < pages; i++) {
        g_assert_cmphex(get(w, SS1, 0x60000000 + i * 0x1000), ==,
                        OLD + i * 0x1000);
    }
    for (unsigned i = pages - 128; i < pages; i++) {
        hits += !cost(w, SS1, 0x60000000 + i * 0x1000);
    }
    g_assert_cmpint(hits, >, 96);
    world_free(w);

    w = world_new(&tiny);
    for (unsigned i = 0; i < 3; i++) {
        for (Who who = 0; who < WHOS; who++) {
            g_assert_cmphex(get(w, who, IOVA), ==, OLD);
        }
    }
    world_free(w);
}

typedef void Invalidate(VTDTranslator *t, const VTDInvalidation *inv);

typedef struct Case {
    const char *name;
    Invalidate *call;
    VTDInvalidation inv;
    unsigned gone;          /* spaces that must be read again */
    unsigned kept;          /* spaces that must not be disturbed */
} Case;

#define B(who) (1u << (who))
#define ALL ((1u << WHOS) - 1)

static void drop_all(VTDTranslator *t, const VTDInvalidation *inv)
{
    vtd_invalidate_all(t);
}

static const Case cases[] = {
    { "all", drop_all, { 0 }, ALL, 0 },
    { "iotlb-global", vtd_invalidate_iotlb, { VTD_GRAN_GLOBAL }, ALL, 0 },
    { "iotlb-domain-1", vtd_invalidate_iotlb, { VTD_GRAN_DOMAIN, .did = 1 },
      B(SS1) | B(SS1B), B(SS2) | B(FS3A) | B(FS3B) | B(NEST4) },
    { "iotlb-domain-3", vtd_invalidate_iotlb, { VTD_GRAN_DOMAIN, .did = 3 },
      B(FS3A) | B(FS3B), B(SS1) | B(SS2) | B(NEST4) },
    { "iotlb-domain-4", vtd_invalidate_iotlb, { VTD_GRAN_DOMAIN, .did = 4 },
      B(NEST4), B(SS1) | B(SS2) | B(FS3A) | B(FS3B) },
    { "iotlb-page", vtd_invalidate_iotlb,
      { VTD_GRAN_PAGE, .did = 1, .addr = IOVA },
      B(SS1) | B(SS1B), B(SS2) | B(FS3A) | B(NEST4) },
    { "iotlb-page-ih", vtd_invalidate_iotlb,
      { VTD_GRAN_PAGE, .did = 1, .addr = IOVA, .ih = true },
      B(SS1) | B(SS1B), B(SS2) | B(FS3A) | B(NEST4) },
    { "iotlb-other-page", vtd_invalidate_iotlb,
      { VTD_GRAN_PAGE, .did = 1, .addr = IOVA + 0x1000 }, 0, ALL },
    { "iotlb-range", vtd_invalidate_iotlb,
      { VTD_GRAN_PAGE, .did = 1, .addr = IOVA & ~0xffffULL, .am = 4 },
      B(SS1) | B(SS1B), B(SS2) },
    { "iotlb-range-unaligned", vtd_invalidate_iotlb,
      { VTD_GRAN_PAGE, .did = 1, .addr = IOVA + 0x4000, .am = 9 },
      B(SS1) | B(SS1B), B(SS2) },
    { "iotlb-large-range", vtd_invalidate_iotlb,
      { VTD_GRAN_PAGE, .did = 1, .addr = 0x40000000, .am = 18 },
      B(SS1) | B(SS1B), B(SS2) | B(FS3A) | B(NEST4) },
    { "iotlb-huge-range", vtd_invalidate_iotlb,
      { VTD_GRAN_PAGE, .did = 1, .addr = 0, .am = 63 },
      B(SS1) | B(SS1B), B(SS2) | B(FS3A) | B(NEST4) },
    /* Whatever GPA: all that is nested in the domain */
    { "iotlb-page-nested", vtd_invalidate_iotlb,
      { VTD_GRAN_PAGE, .did = 4, .addr = 0x12345000 },
      B(NEST4), B(SS1) | B(SS2) | B(FS3A) },
    { "piotlb-pasid", vtd_invalidate_piotlb,
      { VTD_GRAN_PASID, .did = 3, .pasid = 5 },
      B(FS3A), B(FS3B) | B(SS1) | B(SS2) | B(NEST4) },
    { "piotlb-pasid-nested", vtd_invalidate_piotlb,
      { VTD_GRAN_PASID, .did = 4, .pasid = 7 },
      B(NEST4), B(FS3A) | B(FS3B) | B(SS1) },
    { "piotlb-other-pasid", vtd_invalidate_piotlb,
      { VTD_GRAN_PASID, .did = 3, .pasid = 9 }, 0, ALL },
    { "piotlb-other-domain", vtd_invalidate_piotlb,
      { VTD_GRAN_PASID, .did = 9, .pasid = 5 }, 0, ALL },
    { "piotlb-page", vtd_invalidate_piotlb,
      { VTD_GRAN_PAGE, .did = 3, .pasid = 5, .addr = IOVA },
      B(FS3A), B(FS3B) | B(SS1) | B(SS2) | B(NEST4) },
    { "piotlb-page-nested", vtd_invalidate_piotlb,
      { VTD_GRAN_PAGE, .did = 4, .pasid = 7, .addr = IOVA, .ih = true },
      B(NEST4), B(FS3B) | B(SS1) | B(FS3A) },
    { "piotlb-range", vtd_invalidate_piotlb,
      { VTD_GRAN_PAGE, .did = 3, .pasid = 6, .addr = IOVA, .am = 3 },
      B(FS3B), B(FS3A) },
    { "piotlb-other-page", vtd_invalidate_piotlb,
      { VTD_GRAN_PAGE, .did = 3, .pasid = 5, .addr = IOVA - 0x1000 }, 0, ALL },
    { "context", vtd_invalidate_context, { VTD_GRAN_GLOBAL }, 0, ALL },
    { "pasid-cache", vtd_invalidate_pasid_cache, { VTD_GRAN_GLOBAL }, 0, ALL },
};

static void test_invalidate(gconstpointer opaque)
{
    const Case *c = opaque;

    for (unsigned level = 1; level <= 3; level++) {
        World *w = world_new(NULL);

        /* The larger pages that have IOVA go into tables of their own */
        for (Who who = 0; who < WHOS; who++) {
            if (level > 1 && who != SS1B) {
                memset(w->f->mem + w->root[who], 0, 0x1000);
            }
        }
        for (Who who = 0; who < WHOS; who++) {
            if (who != SS1B) {
                map_page(w, who, IOVA, level, OLD);
            }
            get(w, who, IOVA);
        }
        for (Who who = 0; who < WHOS; who++) {
            map_page(w, who, IOVA, level, NEW);
        }
        c->call(w->t, &c->inv);
        for (Who who = 0; who < WHOS; who++) {
            uint64_t out = get(w, who, IOVA) >> 32 << 32;

            if (c->gone & B(who)) {
                g_assert_cmphex(out, ==, NEW);
            } else if ((c->kept & B(who)) && level == 1) {
                g_assert_cmphex(out, ==, OLD);
            }
        }
        world_free(w);
    }
}

/* IH: the tables on the way stay; without it they are found anew */
static void test_hint(void)
{
    static const Who whos[] = { SS1, FS3A, NEST4 };

    for (unsigned i = 0; i < ARRAY_SIZE(whos); i++) {
        World *w = world_new(NULL);
        Who who = whos[i];
        VTDInvalidation inv = {
            VTD_GRAN_PAGE, .did = spaces[who].did, .addr = IOVA, .ih = true,
            .pasid = spaces[who].pasid,
        };
        Invalidate *call = who == SS1 ? vtd_invalidate_iotlb
                                      : vtd_invalidate_piotlb;
        uint64_t dir = 0, table = flat_page(w->f), e = 0;

        get(w, who, IOVA);
        /* Replace the last table by one that maps NEW */
        e = w->root[who];
        for (unsigned level = 4; level > 1; level--) {
            dir = e + ((IOVA >> (3 + 9 * level)) & 511) * 8;
            e = flat_get(w->f, dir) & 0xffffffffff000ULL;
            e -= who == NEST4 ? TABLE_GPA : 0;
        }
        flat_set(w->f, table + ((IOVA >> 12) & 511) * 8, NEW | bits_of(who));
        flat_set(w->f, dir, (table + (who == NEST4 ? TABLE_GPA : 0)) |
                            bits_of(who));
        call(w->t, &inv);
        g_assert_cmphex(get(w, who, IOVA), ==, OLD);
        inv.ih = false;
        call(w->t, &inv);
        g_assert_cmphex(get(w, who, IOVA), ==, NEW);
        world_free(w);
    }
}

/*
 * A first-stage page of 2 MiB over second-stage pages of 4 KiB is cached in
 * parts. One address of it stands for all of it.
 */
static void test_split(void)
{
    World *w = world_new(NULL);
    VTDInvalidation inv = {
        VTD_GRAN_PAGE, .did = 4, .pasid = 7, .addr = 0x50000000,
    };

    for (unsigned i = 0; i < 4; i++) {
        flat_map(w->f, w->second4, 4, 0x300000000 + i * 0x1000, 1, SS_ALL,
                 (OLD + i * 0x1000) | SS_ALL);
    }
    map_page(w, NEST4, 0x50000000, 2, 0x300000000);
    for (unsigned i = 0; i < 4; i++) {
        g_assert_cmphex(get(w, NEST4, 0x50000000 + i * 0x1000), ==,
                        OLD + i * 0x1000);
    }
    map_page(w, NEST4, 0x50000000, 2, NEW);
    vtd_invalidate_piotlb(w->t, &inv);
    for (unsigned i = 0; i < 4; i++) {
        g_assert_cmphex(get(w, NEST4, 0x50000000 + i * 0x1000), ==,
                        NEW + i * 0x1000);
    }
    world_free(w);
}

/* What is not present is not remembered: Linux does not flush it (CM=0) */
static void test_negative(void)
{
    World *w = world_new(NULL);
    uint64_t out;

    for (Who who = 0; who < WHOS; who++) {
        uint64_t iova = IOVA + 0x800000;

        if (who == SS1B) {
            continue;
        }
        g_assert(!try_get(w, who, iova, &out));
        map_page(w, who, iova, 1, NEW);
        g_assert_cmphex(get(w, who, iova), ==, NEW);
    }
    /* The same for a PASID */
    flat_set(w->f, w->entry[FS3A], flat_get(w->f, w->entry[FS3A]) & ~E_P);
    vtd_invalidate_pasid_cache(w->t, &(VTDInvalidation) { VTD_GRAN_GLOBAL });
    g_assert(!try_get(w, FS3A, IOVA, &out));
    flat_set(w->f, w->entry[FS3A], flat_get(w->f, w->entry[FS3A]) | E_P);
    g_assert(try_get(w, FS3A, IOVA, &out));
    world_free(w);
}

static void test_context(void)
{
    VTDInvalidation device = { VTD_GRAN_DEVICE, .sid = 0x20 };
    VTDInvalidation pasid = { VTD_GRAN_PASID, .did = 3, .pasid = 5 };
    World *w = world_new(NULL);
    uint64_t ce = w->s[FS3A].context, out;

    /* A context entry that is gone is still used until it is invalidated */
    get(w, FS3A, IOVA);
    get(w, FS3B, IOVA);
    get(w, SS1, IOVA);
    flat_set(w->f, ce, flat_get(w->f, ce) & ~E_P);
    g_assert(try_get(w, FS3A, IOVA, &out));
    device.sid = 0x28;
    vtd_invalidate_context(w->t, &device);
    g_assert(try_get(w, FS3A, IOVA, &out));
    /* Function 3 of the device, with all functions masked */
    device.sid = 0x23;
    device.fm = 3;
    vtd_invalidate_context(w->t, &device);
    g_assert(!try_get(w, FS3A, IOVA, &out));
    g_assert(!try_get(w, FS3B, IOVA, &out));
    g_assert(try_get(w, SS1, IOVA, &out));
    flat_set(w->f, ce, flat_get(w->f, ce) | E_P);

    /* And a PASID entry likewise */
    get(w, FS3A, IOVA);
    get(w, FS3B, IOVA);
    flat_set(w->f, w->entry[FS3A], 0);
    flat_set(w->f, w->entry[FS3B], 0);
    g_assert(try_get(w, FS3A, IOVA, &out));
    vtd_invalidate_pasid_cache(w->t, &pasid);
    g_assert(!try_get(w, FS3A, IOVA, &out));
    g_assert(try_get(w, FS3B, IOVA, &out));
    pasid.gran = VTD_GRAN_DOMAIN;
    vtd_invalidate_pasid_cache(w->t, &pasid);
    g_assert(!try_get(w, FS3B, IOVA, &out));
    world_free(w);
}

/* SRTP without flush leaves the caches alone, with it none of them */
static void test_root(void)
{
    World *w = world_new(NULL);
    uint64_t root = flat_page(w->f) | ROOT_SCALABLE, out;

    get(w, SS1, IOVA);
    vtd_translator_set_root(w->t, root, false);
    g_assert(try_get(w, SS1, IOVA, &out));
    vtd_translator_set_root(w->t, root, true);
    g_assert(!try_get(w, SS1, IOVA, &out));
    world_free(w);
}

/*
 * Races. One thread remaps a page to ever higher addresses, invalidates it
 * and says so; the others must not get less than was said before they asked.
 */
#define RACE_ROUNDS 20000

typedef struct Race {
    World *w;
    Who who;
    uint64_t said;
    unsigned ready;
    bool stop;
    unsigned stale, done;
} Race;

static void *race_reader(void *opaque)
{
    Race *r = opaque;
    unsigned done = 0;

    rcu_register_thread();
    qatomic_inc(&r->ready);
    while (!qatomic_load_acquire(&r->stop)) {
        uint64_t said = qatomic_load_acquire(&r->said), out;

        WITH_RCU_READ_LOCK_GUARD() {
            out = get(r->w, r->who, IOVA);
        }
        if (out < said) {
            qatomic_inc(&r->stale);
        }
        done++;
    }
    qatomic_add(&r->done, done);
    rcu_unregister_thread();
    return NULL;
}

static void race(Who who, Invalidate *call, const VTDInvalidation *inv)
{
    Race r = { .w = world_new(NULL), .who = who };
    uint64_t leaf = map_page(r.w, who, IOVA, 1, OLD);
    QemuThread threads[2];

    for (unsigned i = 0; i < ARRAY_SIZE(threads); i++) {
        qemu_thread_create(&threads[i], "reader", race_reader, &r,
                           QEMU_THREAD_JOINABLE);
    }
    while (qatomic_read(&r.ready) < ARRAY_SIZE(threads)) {
        sched_yield();
    }
    for (uint64_t i = 1; i <= RACE_ROUNDS; i++) {
        uint64_t out = OLD + i * 0x1000;

        flat_set(r.w->f, leaf, out | bits_of(who));
        call(r.w->t, inv);
        qatomic_store_release(&r.said, out);
        if (!(i & 0xff)) {
            sched_yield();
        }
    }
    qatomic_store_release(&r.stop, true);
    for (unsigned i = 0; i < ARRAY_SIZE(threads); i++) {
        qemu_thread_join(&threads[i]);
    }
    g_assert_cmpint(r.done, >, 0);
    g_assert_cmpint(r.stale, ==, 0);
    world_free(r.w);
}

static void test_race_page(void)
{
    race(SS1, vtd_invalidate_iotlb,
         &(VTDInvalidation) { VTD_GRAN_PAGE, .did = 1, .addr = IOVA });
}

static void test_race_pasid_page(void)
{
    race(FS3A, vtd_invalidate_piotlb,
         &(VTDInvalidation) { VTD_GRAN_PAGE, .did = 3, .pasid = 5,
                              .addr = IOVA, .ih = true });
}

static void test_race_domain(void)
{
    race(SS1, vtd_invalidate_iotlb,
         &(VTDInvalidation) { VTD_GRAN_DOMAIN, .did = 1 });
}

static void test_race_nested(void)
{
    race(NEST4, vtd_invalidate_iotlb,
         &(VTDInvalidation) { VTD_GRAN_PAGE, .did = 4, .addr = 0 });
}

static void test_race_global(void)
{
    race(FS3B, vtd_invalidate_piotlb,
         &(VTDInvalidation) { VTD_GRAN_GLOBAL });
}

/*
 * A walk that an invalidation overtakes, one step at a time: the invalidation
 * comes from inside the walk, after the leaf was read.
 */
static World *overtaken;
static VTDInvalidation overtaker;
static uint64_t overtaken_leaf;

static void overtake(Flat *f, uint64_t addr)
{
    if (addr == overtaken_leaf) {
        f->race = NULL;
        vtd_invalidate_piotlb(overtaken->t, &overtaker);
    }
}

static void test_overtaken(void)
{
    static const VTDGranularity grans[] = {
        VTD_GRAN_GLOBAL, VTD_GRAN_DOMAIN, VTD_GRAN_PASID, VTD_GRAN_PAGE,
    };

    for (unsigned i = 0; i < ARRAY_SIZE(grans); i++) {
        World *w = world_new(NULL);

        overtaken = w;
        overtaker = (VTDInvalidation) {
            grans[i], .did = 3, .pasid = 5, .addr = IOVA,
        };
        overtaken_leaf = map_page(w, FS3A, IOVA, 1, OLD);
        flat_set(w->f, overtaken_leaf, OLD | FS_P | FS_RW | FS_US);
        w->f->race = overtake;
        g_assert_cmphex(get(w, FS3A, IOVA), ==, OLD);
        g_assert(!w->f->race);
        flat_set(w->f, overtaken_leaf, NEW | FS_ALL);
        /* Not kept, although the request itself was answered */
        g_assert_cmphex(get(w, FS3A, IOVA), ==, NEW);
        world_free(w);
    }
}

/*
 * A PASID gets other tables while a request that has read its entry has not
 * begun to walk: the stamp is newer than the entry.
 */
static uint64_t other_root;

static void give_away(Flat *f, uint64_t addr)
{
    VTDInvalidation inv = { VTD_GRAN_PASID, .did = 3, .pasid = 5 };

    /* The word with the tables' address */
    if (addr == overtaken->entry[FS3A] + 16) {
        f->outdate = NULL;
        flat_set(f, addr, other_root);
        vtd_invalidate_pasid_cache(overtaken->t, &inv);
        vtd_invalidate_piotlb(overtaken->t, &inv);
    }
}

static void test_outdated(void)
{
    World *w = world_new(NULL);

    overtaken = w;
    other_root = flat_page(w->f);
    g_assert(flat_map(w->f, other_root, 4, IOVA, 1, FS_ALL, NEW | FS_ALL));
    w->f->no_host_page = true;
    w->f->outdate = give_away;
    g_assert_cmphex(get(w, FS3A, IOVA), ==, OLD);
    g_assert(!w->f->outdate);
    g_assert_cmphex(get(w, FS3A, IOVA), ==, NEW);
    /* Not even tables are kept */
    g_assert(!try_get(w, FS3A, IOVA + 0x200000, &(uint64_t) { 0 }));
    world_free(w);
}

/* Torn entries: every word of an entry belongs to its key */
#define TEAR_ROUNDS 200000
#define TEAR_WORDS  32      /* more than in earnest, to be torn more easily */

static VTDCache tear_cache;
static uint64_t tear_fence;
static unsigned torn, torn_hits;

static void *tear(void *opaque)
{
    GRand *rand = g_rand_new_with_seed(GPOINTER_TO_UINT(opaque));
    unsigned hits = 0;

    for (unsigned i = 0; i < TEAR_ROUNDS; i++) {
        uint64_t key = 1 + i % 5, data[TEAR_WORDS] = { 0 };
        uint64_t salt = g_rand_int(rand), stamp;

        if (i & 1) {
            for (unsigned word = 0; word < TEAR_WORDS; word++) {
                data[word] = (salt + word) * key;
            }
            vtd_cache_put(&tear_cache, 0, key, ~key, salt + key, data,
                          &tear_fence, 0);
            continue;
        }
        stamp = vtd_cache_get(&tear_cache, 0, key, ~key, TEAR_WORDS, data);
        hits += stamp != 0;
        for (unsigned word = 0; stamp && word < TEAR_WORDS; word++) {
            if (data[word] != (stamp - key + word) * key) {
                qatomic_inc(&torn);
            }
        }
    }
    qatomic_add(&torn_hits, hits);
    g_rand_free(rand);
    return NULL;
}

static void test_torn(void)
{
    QemuThread threads[4];

    vtd_cache_init(&tear_cache, 4, TEAR_WORDS);
    for (unsigned i = 0; i < ARRAY_SIZE(threads); i++) {
        qemu_thread_create(&threads[i], "tear", tear, GUINT_TO_POINTER(i + 1),
                           QEMU_THREAD_JOINABLE);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(threads); i++) {
        qemu_thread_join(&threads[i]);
    }
    g_assert_cmpint(torn_hits, >, 0);
    g_assert_cmpint(torn, ==, 0);
    vtd_cache_destroy(&tear_cache);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vtd/cache/hit", test_hit);
    g_test_add_func("/vtd/cache/shared", test_shared);
    g_test_add_func("/vtd/cache/sizes", test_sizes);
    g_test_add_func("/vtd/cache/overflow", test_overflow);
    g_test_add_func("/vtd/cache/negative", test_negative);
    g_test_add_func("/vtd/cache/context", test_context);
    g_test_add_func("/vtd/cache/root", test_root);
    g_test_add_func("/vtd/cache/hint", test_hint);
    g_test_add_func("/vtd/cache/split", test_split);
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autofree char *path = g_strdup_printf("/vtd/cache/invalidate/%s",
                                                cases[i].name);

        g_test_add_data_func(path, &cases[i], test_invalidate);
    }
    g_test_add_func("/vtd/cache/overtaken", test_overtaken);
    g_test_add_func("/vtd/cache/outdated", test_outdated);
    g_test_add_func("/vtd/cache/torn", test_torn);
    g_test_add_func("/vtd/cache/race/page", test_race_page);
    g_test_add_func("/vtd/cache/race/pasid-page", test_race_pasid_page);
    g_test_add_func("/vtd/cache/race/domain", test_race_domain);
    g_test_add_func("/vtd/cache/race/nested", test_race_nested);
    g_test_add_func("/vtd/cache/race/global", test_race_global);
    return g_test_run();
}
