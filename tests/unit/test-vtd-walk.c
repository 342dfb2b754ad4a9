/*
 * intel-vtd: page walks over random tables against an independent model
 *
 * Each world is a set of random, partly damaged tables in two copies. The
 * device translates in one, the model in the other; after each request the
 * results and all of memory, that is A and D, must be the same. Half of the
 * requests meet cold caches, where everything must be equal; the other half
 * meets warm ones, where a cached permission may lack what another path to
 * the same entry has earned since.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "vtd-model.h"

#define SID         0x0018
#define PASID       0x21
#define POOL        24
#define HUGE_AREA   (8u << 20)      /* first-stage tables under a 2M page */
#define TABLE_GPA   0x12c00000ULL

typedef struct World {
    ModelConfig c;
    Flat *f, *copy;
    uint64_t rtaddr;
    uint64_t iova[POOL];
    uint64_t gpa[POOL];             /* where the second stage has pages */
    unsigned tables;                /* first-stage tables under nesting */
    bool huge;                      /* all of them under one 2M page */
    bool fine;                      /* no damage */
    uint64_t context;               /* root, context and PASID tables */
    uint64_t snapshot[0x4000 / 8];  /* of these */
} World;

static unsigned pick(unsigned n)
{
    return g_test_rand_int_range(0, n);
}

static bool chance(unsigned percent)
{
    return pick(100) < percent;
}

static uint64_t rand64(void)
{
    return (uint64_t)(uint32_t)g_test_rand_int() << 32 |
           (uint32_t)g_test_rand_int();
}

/* Mostly near others, so that they share tables */
static uint64_t random_input(unsigned width, bool canonical)
{
    static const uint64_t base[] = { 0x7f1240000000ULL, 0x40000000, 0 };
    uint64_t addr = base[pick(ARRAY_SIZE(base))];

    if (chance(10)) {
        addr = rand64();
    }
    addr ^= (uint64_t)pick(3) << 30 | (uint64_t)pick(3) << 21 |
            (uint64_t)pick(8) << 12;
    addr &= (1ULL << width) - 1;
    if (canonical && (addr >> (width - 1))) {
        addr |= ~((1ULL << width) - 1);
    }
    return addr & ~0xfffULL;
}

static uint64_t random_output(unsigned level)
{
    uint64_t addr = rand64() & ((1ULL << FLAT_HAW) - 1);

    if (chance(6)) {
        addr = 0xfee00000 + pick(0x200) * 0x1000;
    }
    return addr & ~((1ULL << (3 + 9 * level)) - 1);
}

static unsigned random_level(void)
{
    return chance(65) ? 1 : chance(70) ? 2 : 3;
}

static uint64_t random_ss(World *w, bool leaf)
{
    uint64_t e = SS_R | SS_W;

    if (!w->fine && chance(leaf ? 25 : 5)) {
        e = pick(4);
    }
    e |= rand64() & (0x78 | SS_A | 0x3ff0000000000000ULL | 1ULL << 63);
    if (leaf) {
        e |= rand64() & (SS_D | 0x400);
        e |= chance(20) ? SS_SNP : 0;
    }
    return e;
}

static uint64_t random_fs(World *w, bool leaf)
{
    uint64_t e = FS_P | FS_RW | FS_US;

    if (!w->fine) {
        e = (chance(97) ? FS_P : 0) | (chance(leaf ? 70 : 90) ? FS_RW : 0) |
            (chance(90) ? FS_US : 0) | (chance(leaf ? 30 : 5) ? FS_XD : 0);
    }
    /* ignored bits, A, D, EA, G */
    e |= rand64() & (0x18 | FS_A | FS_EA | 0xa00 | 0x7ff0000000000000ULL);
    if (leaf) {
        e |= rand64() & (FS_D | FS_G);
    }
    return e;
}

static void map_ss(World *w, uint64_t in, uint64_t out, unsigned level,
                   uint64_t flags)
{
    flat_map(w->f, w->c.ss_root, w->c.ss_levels, in, level,
             random_ss(w, false), out | flags);
}

/* A new first-stage table: its GPA and, in *@host, where it is */
static uint64_t new_table(World *w, uint64_t *host)
{
    uint64_t gpa;

    if (!w->c.second) {
        *host = flat_page(w->f);
        return *host;
    }
    gpa = TABLE_GPA + w->tables * 0x1000;
    if (w->huge) {
        *host = HUGE_AREA + w->tables * 0x1000;
    } else {
        *host = flat_page(w->f);
        map_ss(w, gpa, *host, 1, random_ss(w, !chance(80)));
    }
    w->tables++;
    return gpa;
}

static void map_fs(World *w, GHashTable *hosts, uint64_t root, uint64_t in,
                   unsigned leaf, uint64_t out)
{
    uint64_t table = root;

    for (unsigned level = w->c.fs_levels; ; level--) {
        uint64_t at = table + ((in >> (3 + 9 * level)) & 511) * 8;
        uint64_t e = flat_get(w->f, at), host;

        if (level == leaf) {
            flat_set(w->f, at, out | random_fs(w, true) |
                     (leaf > 1 ? PTE_PS : 0));
            return;
        }
        if (!e) {
            uint64_t gpa = new_table(w, &host);

            g_hash_table_insert(hosts, GSIZE_TO_POINTER(gpa),
                                GSIZE_TO_POINTER(host));
            e = gpa | random_fs(w, false);
            flat_set(w->f, at, e);
        } else if (e & PTE_PS) {
            return;
        }
        table = GPOINTER_TO_SIZE(g_hash_table_lookup(hosts,
                    GSIZE_TO_POINTER(e & 0xffffffffff000ULL)));
    }
}

static void build_second(World *w)
{
    unsigned width = 3 + 9 * (w->c.ss_levels + 1);

    w->c.ss_root = flat_page(w->f);
    for (unsigned i = 0; i < POOL; i++) {
        unsigned level = random_level();
        uint64_t in = random_input(width, false);

        w->gpa[i] = w->iova[i] = in;
        map_ss(w, in, random_output(level), level, random_ss(w, true));
    }
}

static void build_first(World *w)
{
    g_autoptr(GHashTable) hosts = g_hash_table_new(NULL, NULL);
    unsigned width = 3 + 9 * (w->c.fs_levels + 1);
    uint64_t host;

    if (w->c.second && w->huge) {
        map_ss(w, TABLE_GPA, HUGE_AREA, 2, random_ss(w, !chance(80)));
    }
    w->c.fs_root = new_table(w, &host);
    for (unsigned i = 0; i < POOL; i++) {
        unsigned level = random_level();
        uint64_t out = random_output(level);

        if (w->c.second && chance(95)) {
            out = w->gpa[pick(POOL)] & ~((1ULL << (3 + 9 * level)) - 1);
            out &= (1ULL << FLAT_HAW) - 1;
        }
        w->iova[i] = random_input(width, true);
        map_fs(w, hosts, host, w->iova[i], level, out);
    }
}

static void build_tables(World *w)
{
    ModelConfig *c = &w->c;
    unsigned pgtt = c->first ? c->second ? PGTT_NESTED : PGTT_FIRST
                             : PGTT_SECOND;
    FlatScalable s;

    if (c->legacy) {
        uint64_t root = flat_page(w->f), context = flat_page(w->f);

        flat_set(w->f, root + (SID >> 8) * 16, context | E_P);
        flat_set(w->f, context + (SID & 0xff) * 16,
                 c->ss_root | E_TT(1) | E_P);
        flat_set(w->f, context + (SID & 0xff) * 16 + 8,
                 (c->ss_levels - 2) | 9 << 8);
        w->rtaddr = root;
        return;
    }
    flat_scalable(w->f, &s);
    flat_context(w->f, &s, SID, E_P | E_DTE | E_PASIDE | 2 << 9,
                 PASID | (c->rid_priv ? 1 << 20 : 0));
    flat_pasid(w->f, &s, PASID,
               E_P | E_PGTT(pgtt) | (c->ssade ? E_SSADE : 0) |
               (c->second ? c->ss_root | E_AW(c->ss_levels - 2) : 0),
               9 | (c->pgsnp ? E_PGSNP : 0),
               (c->first ? c->fs_root | E_FSPM(c->fs_levels - 4) : 0) |
               (c->sre ? E_SRE : 0) | (c->ere ? E_ERE : 0) |
               (c->wpe ? E_WPE : 0) | (c->smep ? E_SMEP : 0) |
               (c->eafe ? E_EAFE : 0));
    w->rtaddr = s.root | ROOT_SCALABLE;
}

/* Flips bits of entries that are there, often reserved ones */
static void damage(World *w)
{
    for (unsigned i = 0; i < 6; i++) {
        unsigned bit = chance(40) ? FLAT_HAW + pick(12) : pick(64);
        uint64_t at = pick(w->f->next / 8) * 8;

        while (at < w->f->next - 8 && !flat_get(w->f, at)) {
            at += 8;
        }
        flat_set(w->f, at, flat_get(w->f, at) ^ (1ULL << bit));
    }
}

static void build(World *w, bool legacy, bool first, bool second)
{
    Flat *f = w->f;
    ModelConfig *c = &w->c;

    memset(w->copy->mem, 0, f->next);
    memset(w->copy->mem + HUGE_AREA, 0, 2u << 20);
    flat_clear(f);
    memset(f->mem + HUGE_AREA, 0, 2u << 20);
    *w = (World) { .f = f, .copy = w->copy, .huge = chance(40),
                   .fine = chance(30) };
    *c = (ModelConfig) {
        .legacy = legacy, .first = first, .second = second,
        .fs_levels = 4 + pick(2), .ss_levels = 3 + pick(3),
    };
    if (!legacy) {
        c->ssade = chance(50);
        c->eafe = chance(50);
        c->wpe = chance(60);
        c->smep = chance(50);
        c->sre = chance(80);
        c->ere = chance(80);
        c->pgsnp = chance(30);
        c->rid_priv = c->sre && chance(20);
    }
    if (second) {
        build_second(w);
    }
    if (first) {
        build_first(w);
    }
    if (!w->fine && chance(60)) {
        damage(w);
    }
    w->context = f->next;
    build_tables(w);
    g_assert_cmpint(f->next - w->context, <=, sizeof(w->snapshot));
    memcpy(w->snapshot, f->mem + w->context, f->next - w->context);
    f->no_host_page = chance(50);
    memcpy(w->copy->mem, f->mem, f->next);
    memcpy(w->copy->mem + HUGE_AREA, f->mem + HUGE_AREA, 2u << 20);
}

static void random_request(World *w, VTDRequest *req, ModelRequest *q)
{
    bool pasid = !w->c.legacy && chance(70);

    *req = (VTDRequest) {
        .sid = SID, .pasid = pasid ? PASID : VTD_NO_PASID,
        .addr = w->iova[pick(POOL)] | pick(0x1000),
        .at = chance(20) ? VTD_AT_TRANSLATION_REQUEST : VTD_AT_UNTRANSLATED,
        .write = chance(40), .exec = chance(15), .priv = chance(25),
    };
    req->read = !req->write || chance(30) ||
                req->at == VTD_AT_TRANSLATION_REQUEST;
    if (chance(30)) {
        req->addr ^= 1ULL << pick(30);
    } else if (chance(5)) {
        req->addr ^= 1ULL << pick(64);
    }
    *q = (ModelRequest) {
        .addr = req->addr, .rd = req->read, .wr = req->write,
        .ex = pasid && req->exec,
        .priv = pasid ? req->priv : w->c.rid_priv,
        .ats = req->at == VTD_AT_TRANSLATION_REQUEST,
    };
}

static void compare(World *w, const VTDRequest *req, const ModelAnswer *a,
                    bool ok, const VTDMapping *map, const VTDFault *fault,
                    bool cold)
{
    uint8_t perm = (a->r ? VTD_PERM_R : 0) | (a->w ? VTD_PERM_W : 0) |
                   (a->x ? VTD_PERM_X : 0);

    g_assert_cmphex(ok ? 0 : fault->reason, ==, a->reason);
    if (ok) {
        g_assert_cmphex(map->mask + 1, ==, a->size);
        g_assert_cmphex(map->iova, ==, req->addr & ~map->mask);
        g_assert_cmphex(map->addr | (req->addr & map->mask), ==, a->out);
        g_assert_cmpint(map->addr & map->mask, ==, 0);
        g_assert_cmpint(map->global, ==, a->global);
        g_assert_cmpint(map->snoop, ==, a->snoop);
        g_assert(!map->pass_through);
        if (cold) {
            g_assert_cmphex(map->perm, ==, perm);
        } else {
            g_assert_cmphex(map->perm & ~perm, ==, 0);
            g_assert_cmphex((map->perm ^ perm) & ~VTD_PERM_W, ==, 0);
            g_assert(!req->write || (map->perm & VTD_PERM_W) == (perm &
                                                                VTD_PERM_W));
        }
    }
    g_assert_cmpint(memcmp(w->f->mem, w->copy->mem, w->f->next), ==, 0);
    if (w->tables && w->huge) {
        g_assert_cmpint(memcmp(w->f->mem + HUGE_AREA, w->copy->mem + HUGE_AREA,
                               w->tables * 0x1000), ==, 0);
    }
}

/* How often each reason, and success as reason 0, was seen */
static void run(World *w, VTDTranslator *t, unsigned requests, bool cold,
                unsigned *seen)
{
    while (requests--) {
        VTDRequest req;
        ModelRequest q;
        ModelAnswer a;
        VTDMapping map = { 0 };
        VTDFault fault = { 0 };
        bool ok;

        if (cold) {
            vtd_invalidate_all(t);
        }
        random_request(w, &req, &q);
        model_translate(w->copy, &w->c, &q, &a);
        if (memcmp(w->copy->mem + w->context, w->snapshot,
                   w->f->next - w->context)) {
            /*
             * A damaged pointer led the walk into the tables that the model
             * does not look at, and it has set A or D in them.
             */
            return;
        }
        ok = vtd_translate(t, &req, &map, &fault);
        compare(w, &req, &a, ok, &map, &fault, cold);
        seen[a.reason]++;
    }
}

typedef struct Kind {
    const char *name;
    bool legacy, first, second;
    uint8_t expect[24];         /* reasons that must have been met */
} Kind;

static const Kind kinds[] = {
    { "legacy", true, false, true, { 0, 4, 5, 6, 7, 0xc, 0xe } },
    { "second", false, false, true,
      { 0, 0x5c, 0x5d, 0x78, 0x79, 0x7a, 0x84, 0x85, 0x86, 0x87 } },
    { "first", false, true, false,
      { 0, 0x5c, 0x5d, 0x70, 0x71, 0x72, 0x80, 0x81, 0x82, 0x85, 0x87 } },
    { "nested", false, true, true,
      { 0, 0x5c, 0x5d, 0x71, 0x72, 0x74, 0x75, 0x76, 0x77, 0x79, 0x7a, 0x80,
        0x81, 0x82, 0x85, 0x86, 0x87 } },
};

static void test_random(gconstpointer opaque)
{
    const Kind *kind = opaque;
    World w = { .f = flat_new(), .copy = flat_new() };
    unsigned seen[256] = { 0 };

    for (unsigned i = 0; i < 250; i++) {
        VTDTranslator *t;

        build(&w, kind->legacy, kind->first, kind->second);
        t = vtd_translator_new(&flat_ops, w.f, &flat_features, &flat_sizes);
        vtd_translator_set_root(t, w.rtaddr, true);
        run(&w, t, 60, true, seen);
        run(&w, t, 120, false, seen);
        vtd_translator_free(t);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(kind->expect); i++) {
        if (!seen[kind->expect[i]]) {
            g_test_message("reason 0x%02x was never met", kind->expect[i]);
            g_test_fail();
        }
    }
    g_assert_cmpint(seen[0], >, 250 * 180 / 20);
    flat_free(w.f);
    flat_free(w.copy);
}

/*
 * A fixed world for what happens when another writer is faster: one page in a
 * 4-level first stage.
 */
typedef struct Small {
    Flat *f;
    VTDTranslator *t;
    uint64_t leaf;
} Small;

#define SMALL_IOVA 0x7f0012345000ULL

static void small_setup(Small *s, unsigned pgtt, uint64_t flags,
                        uint64_t entry, uint64_t word2)
{
    Flat *f = flat_new();
    uint64_t root = flat_page(f);
    FlatScalable sm;

    flat_scalable(f, &sm);
    flat_context(f, &sm, SID, E_P | E_PASIDE | E_DTE | 2 << 9, 0);
    if (pgtt == PGTT_FIRST) {
        s->leaf = flat_map(f, root, 4, SMALL_IOVA, 1, FS_P | FS_RW | FS_US,
                           entry);
        flat_pasid(f, &sm, PASID, E_P | E_PGTT(1), 3, root | word2);
    } else {
        s->leaf = flat_map(f, root, 4, SMALL_IOVA, 1, SS_R | SS_W, entry);
        flat_pasid(f, &sm, PASID, E_P | E_PGTT(2) | E_AW(2) | root | flags, 3,
                   word2);
    }
    s->f = f;
    s->t = vtd_translator_new(&flat_ops, f, &flat_features, &flat_sizes);
    vtd_translator_set_root(s->t, sm.root | ROOT_SCALABLE, true);
}

static void small_teardown(Small *s)
{
    vtd_translator_free(s->t);
    flat_free(s->f);
}

static unsigned access_page(Small *s, bool write, uint8_t at, VTDMapping *map)
{
    VTDRequest req = {
        .sid = SID, .pasid = PASID, .addr = SMALL_IOVA, .at = at,
        .read = !write || at, .write = write,
    };
    VTDFault fault;

    return vtd_translate(s->t, &req, map, &fault) ? 0 : fault.reason;
}

/* Read, then write: the cached entry must not swallow the D bit */
static void test_dirty_after_read(void)
{
    VTDMapping map;
    Small s;

    small_setup(&s, PGTT_FIRST, 0, 0x5000 | FS_P | FS_RW | FS_US, 0);
    g_assert_cmphex(access_page(&s, false, 0, &map), ==, 0);
    g_assert_cmphex(map.perm, ==, VTD_PERM_R);
    g_assert_cmphex(flat_get(s.f, s.leaf) & (FS_A | FS_D), ==, FS_A);
    g_assert_cmphex(access_page(&s, true, 0, &map), ==, 0);
    g_assert_cmphex(map.perm, ==, VTD_PERM_R | VTD_PERM_W);
    g_assert_cmphex(flat_get(s.f, s.leaf) & (FS_A | FS_D), ==, FS_A | FS_D);
    /* and the entry in the cache is upgraded: no table is read any more */
    s.f->loads = 0;
    g_assert_cmphex(access_page(&s, true, 0, &map), ==, 0);
    g_assert_cmphex(access_page(&s, false, 0, &map), ==, 0);
    g_assert_cmpint(s.f->loads, ==, 0);
    small_teardown(&s);
}

/* Never D on a read-only entry, whoever asks how */
static void test_read_only(void)
{
    VTDMapping map;
    Small s;

    small_setup(&s, PGTT_FIRST, 0, 0x5000 | FS_P | FS_US, 0);
    g_assert_cmphex(access_page(&s, true, 0, &map), ==, 0x85);
    g_assert_cmphex(flat_get(s.f, s.leaf) & (FS_A | FS_D), ==, 0);
    g_assert_cmphex(access_page(&s, true, VTD_AT_TRANSLATION_REQUEST, &map),
                    ==, 0);
    g_assert_cmphex(map.perm, ==, VTD_PERM_R);
    g_assert_cmphex(access_page(&s, false, 0, &map), ==, 0);
    /* On a hit as on a miss */
    g_assert_cmphex(access_page(&s, true, 0, &map), ==, 0x85);
    g_assert_cmphex(flat_get(s.f, s.leaf) & (FS_A | FS_D), ==, FS_A);
    small_teardown(&s);
}

/* A translation request without intent to write gets W only if D is set */
static void test_no_write(void)
{
    VTDMapping map;
    Small s;

    small_setup(&s, PGTT_FIRST, 0, 0x5000 | FS_P | FS_RW | FS_US, 0);
    access_page(&s, false, VTD_AT_TRANSLATION_REQUEST, &map);
    g_assert_cmphex(map.perm, ==, VTD_PERM_R);
    g_assert_cmphex(flat_get(s.f, s.leaf) & FS_D, ==, 0);
    access_page(&s, true, VTD_AT_TRANSLATION_REQUEST, &map);
    g_assert_cmphex(map.perm, ==, VTD_PERM_R | VTD_PERM_W);
    g_assert_cmphex(flat_get(s.f, s.leaf) & FS_D, ==, FS_D);
    access_page(&s, false, VTD_AT_TRANSLATION_REQUEST, &map);
    g_assert_cmphex(map.perm, ==, VTD_PERM_R | VTD_PERM_W);
    small_teardown(&s);
}

static Small *racing;
static uint64_t race_value;
static unsigned races;

static void race_leaf(Flat *f, uint64_t addr)
{
    if (addr == racing->leaf && races) {
        races--;
        flat_set(f, addr, race_value);
    }
}

static void race_flip(Flat *f, uint64_t addr)
{
    if (addr == racing->leaf) {
        races++;
        flat_set(f, addr, flat_get(f, addr) ^ 1ULL << 55);
    }
}

/* The entry changes between its reading and the update: it is judged anew */
static void test_lost_race(void)
{
    static const struct {
        uint64_t value;
        unsigned reason;
        uint64_t after;
    } to[] = {
        { 0, 0x71, 0 },
        { 0x6000 | FS_P | FS_US, 0x85, 0x6000 | FS_P | FS_US },
        { 0x6000 | FS_P | FS_RW, 0x81, 0x6000 | FS_P | FS_RW },
        { 0x6000 | FS_P | FS_US | 1ULL << 45, 0x72,
          0x6000 | FS_P | FS_US | 1ULL << 45 },
        { 0x6000 | FS_P | FS_US | FS_RW, 0,
          0x6000 | FS_P | FS_US | FS_RW | FS_A | FS_D },
        { 0x6000 | FS_P | FS_US | FS_RW | FS_A | FS_D, 0,
          0x6000 | FS_P | FS_US | FS_RW | FS_A | FS_D },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(to); i++) {
        VTDMapping map;
        Small s;

        small_setup(&s, PGTT_FIRST, 0, 0x5000 | FS_P | FS_RW | FS_US, 0);
        racing = &s;
        races = 1;
        race_value = to[i].value;
        s.f->race = race_leaf;
        g_assert_cmphex(access_page(&s, true, 0, &map), ==, to[i].reason);
        g_assert_cmphex(flat_get(s.f, s.leaf), ==, to[i].after);
        if (!to[i].reason) {
            g_assert_cmphex(map.addr, ==, 0x6000);
        }
        small_teardown(&s);
    }
}

/* A guest that never lets the update win gets a fault, not a hang */
static void test_endless_race(void)
{
    static const unsigned reason[] = { [PGTT_FIRST] = 0x91,
                                       [PGTT_SECOND] = 0x7d };

    for (unsigned pgtt = PGTT_FIRST; pgtt <= PGTT_SECOND; pgtt++) {
        VTDMapping map;
        Small s;

        small_setup(&s, pgtt, E_SSADE, 0x5007, 0);
        racing = &s;
        races = 0;
        s.f->race = race_flip;
        g_assert_cmphex(access_page(&s, true, 0, &map), ==, reason[pgtt]);
        g_assert_cmpint(races, >, 1);
        g_assert_cmpint(races, <, 1000);
        small_teardown(&s);
    }
}

/* Without SSADE the second stage is not written to */
static void test_second_ad(void)
{
    VTDMapping map;
    Small s;

    small_setup(&s, PGTT_SECOND, 0, 0x5000 | SS_R | SS_W, 0);
    g_assert_cmphex(access_page(&s, false, 0, &map), ==, 0);
    g_assert_cmphex(map.perm, ==, VTD_PERM_R | VTD_PERM_W);
    g_assert_cmphex(access_page(&s, true, 0, &map), ==, 0);
    g_assert_cmphex(flat_get(s.f, s.leaf), ==, 0x5000 | SS_R | SS_W);
    g_assert_cmpint(s.f->swaps, ==, 0);
    small_teardown(&s);

    small_setup(&s, PGTT_SECOND, E_SSADE, 0x5000 | SS_R | SS_W, 0);
    g_assert_cmphex(access_page(&s, false, 0, &map), ==, 0);
    g_assert_cmphex(map.perm, ==, VTD_PERM_R);
    g_assert_cmphex(flat_get(s.f, s.leaf), ==, 0x5000 | SS_R | SS_W | SS_A);
    g_assert_cmphex(access_page(&s, true, 0, &map), ==, 0);
    g_assert_cmphex(map.perm, ==, VTD_PERM_R | VTD_PERM_W);
    g_assert_cmphex(flat_get(s.f, s.leaf), ==,
                    0x5000 | SS_R | SS_W | SS_A | SS_D);
    small_teardown(&s);
}

/*
 * Nested: the page with the leaf entry is at the same GPA as in memory, until
 * the second stage moves it.
 */
typedef struct Moved {
    uint64_t from, to;          /* leaf entries before and after */
    uint64_t second;            /* the second-stage entry of their page */
} Moved;

static Moved *moving;

/* When D is set in the second-stage entry, A having been set before */
static void race_move(Flat *f, uint64_t addr)
{
    if (addr == moving->second && (flat_get(f, addr) & SS_A)) {
        flat_set(f, addr, (moving->to & ~0xfffULL) | SS_R | SS_W | SS_A);
    }
}

static void nested_setup(Small *s, Moved *m)
{
    Flat *f = flat_new();
    uint64_t first = flat_page(f), second = flat_page(f), all;
    uint64_t dir = FS_P | FS_RW | FS_US | FS_A;
    FlatScalable sm;

    flat_scalable(f, &sm);
    flat_context(f, &sm, SID, E_P | E_PASIDE | 2 << 9, 0);
    flat_pasid(f, &sm, PASID, E_P | E_PGTT(PGTT_NESTED) | E_AW(1) | E_SSADE |
               second, 3, first);
    m->from = flat_map(f, first, 4, SMALL_IOVA, 1, dir,
                       0x5000 | FS_P | FS_RW | FS_US);
    m->to = flat_page(f) + (m->from & 0xfff);
    flat_set(f, m->to, 0x6000 | FS_P | FS_RW | FS_US);
    all = f->next;
    for (uint64_t gpa = 0; gpa < all; gpa += 0x1000) {
        uint64_t at = flat_map(f, second, 3, gpa, 1, SS_R | SS_W | SS_A,
                               gpa | SS_R | SS_W);

        if (gpa == (m->from & ~0xfffULL)) {
            m->second = at;
        }
    }
    s->f = f;
    s->t = vtd_translator_new(&flat_ops, f, &flat_features, &flat_sizes);
    vtd_translator_set_root(s->t, sm.root | ROOT_SCALABLE, true);
}

/* A and D are set where the second stage now has the table, or nowhere */
static void test_moved_table(void)
{
    VTDMapping map;
    Small s;
    Moved m;

    nested_setup(&s, &m);
    moving = &m;
    s.f->race = race_move;
    g_assert_cmphex(access_page(&s, true, 0, &map), ==, 0);
    g_assert_cmphex(map.addr, ==, 0x6000);
    g_assert_cmphex(flat_get(s.f, m.from), ==, 0x5000 | FS_P | FS_RW | FS_US);
    g_assert_cmphex(flat_get(s.f, m.to), ==,
                    0x6000 | FS_P | FS_RW | FS_US | FS_A | FS_D);
    small_teardown(&s);
}

/* Pass-through never maps the interrupt range, nor more than the host has */
static void test_pass_through(void)
{
    static const uint64_t addrs[] = {
        0, 0x1234, 0xc0000000, 0xfedfffff, 0xfef00000, 0xffffffff,
        0x100000000, (1ULL << FLAT_HAW) - 1,
    };
    Flat *f = flat_new();
    VTDTranslator *t;
    FlatScalable s;
    VTDFault fault;

    flat_scalable(f, &s);
    flat_context(f, &s, SID, E_P | E_PASIDE | 2 << 9, PASID);
    flat_pasid(f, &s, PASID, E_P | E_PGTT(PGTT_PASS), 1, 0);
    t = vtd_translator_new(&flat_ops, f, &flat_features, &flat_sizes);
    vtd_translator_set_root(t, s.root | ROOT_SCALABLE, true);
    for (unsigned i = 0; i < ARRAY_SIZE(addrs); i++) {
        VTDRequest req = { .sid = SID, .pasid = VTD_NO_PASID,
                           .addr = addrs[i], .read = true, .write = true };
        VTDMapping map;

        g_assert(vtd_translate(t, &req, &map, &fault));
        g_assert(map.pass_through);
        g_assert_cmphex(map.iova, ==, map.addr);
        g_assert_cmphex(map.iova, ==, addrs[i] & ~map.mask);
        g_assert_cmphex(map.perm, ==, VTD_PERM_R | VTD_PERM_W);
        g_assert(map.iova + map.mask < 0xfee00000 || map.iova > 0xfeefffff);
        g_assert_cmphex(map.iova + map.mask, <, 1ULL << FLAT_HAW);
    }
    vtd_translator_free(t);
    flat_free(f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        g_autofree char *path = g_strdup_printf("/vtd/walk/random/%s",
                                                kinds[i].name);

        g_test_add_data_func(path, &kinds[i], test_random);
    }
    g_test_add_func("/vtd/walk/dirty-after-read", test_dirty_after_read);
    g_test_add_func("/vtd/walk/read-only", test_read_only);
    g_test_add_func("/vtd/walk/no-write", test_no_write);
    g_test_add_func("/vtd/walk/lost-race", test_lost_race);
    g_test_add_func("/vtd/walk/endless-race", test_endless_race);
    g_test_add_func("/vtd/walk/second-ad", test_second_ad);
    g_test_add_func("/vtd/walk/moved-table", test_moved_table);
    g_test_add_func("/vtd/walk/pass-through", test_pass_through);
    return g_test_run();
}
