/*
 * A world for tests of the caches of intel-vtd: several address spaces, each
 * with one page that a test can remap behind the device's back
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_VTD_WORLD_H
#define TESTS_UNIT_VTD_WORLD_H

#include "vtd-flat.h"

#define IOVA        0x40201000ULL
#define OLD         0x100000000ULL
#define NEW         0x200000000ULL
#define TABLE_GPA   0x80000000ULL

/*
 * Address spaces. The two devices of domain 1 share its second stage; the two
 * PASIDs of domain 3 are two processes; domain 4 is nested.
 */
typedef enum Who { SS1, SS1B, SS2, FS3A, FS3B, NEST4, WHOS } Who;

typedef struct Space {
    uint16_t sid;
    uint32_t pasid;
    unsigned pgtt;
    uint16_t did;
} Space;

static const Space spaces[WHOS] = {
    [SS1] = { 0x08, 0, PGTT_SECOND, 1 },
    [SS1B] = { 0x10, 0, PGTT_SECOND, 1 },
    [SS2] = { 0x18, 0, PGTT_SECOND, 2 },
    [FS3A] = { 0x20, 5, PGTT_FIRST, 3 },
    [FS3B] = { 0x20, 6, PGTT_FIRST, 3 },
    [NEST4] = { 0x28, 7, PGTT_NESTED, 4 },
};

typedef struct World {
    Flat *f;
    FlatScalable s[WHOS];
    VTDTranslator *t;
    uint64_t root[WHOS];        /* of the table that IOVA is looked up in */
    uint64_t second4;           /* second stage of NEST4 */
    uint64_t entry[WHOS];       /* PASID entries */
} World;

#define FS_ALL (FS_P | FS_RW | FS_US | FS_A | FS_D)
#define SS_ALL (SS_R | SS_W)

static inline uint64_t bits_of(Who who)
{
    return spaces[who].pgtt == PGTT_SECOND ? SS_ALL : FS_ALL;
}

/* Maps pages of level @level at @iova to @out */
static inline uint64_t map_page(World *w, Who who, uint64_t iova,
                                unsigned level, uint64_t out)
{
    uint64_t at, bits = bits_of(who);

    if (spaces[who].pgtt != PGTT_NESTED) {
        at = flat_map(w->f, w->root[who], 4, iova, level, bits, out | bits);
        g_assert(at);
        return at;
    }
    /* All of memory is one area of GPAs, and so are the outputs */
    at = w->root[who];
    for (unsigned l = 4; ; l--) {
        uint64_t e;

        at += ((iova >> (3 + 9 * l)) & 511) * 8;
        if (l == level) {
            flat_set(w->f, at, out | bits | (l > 1 ? PTE_PS : 0));
            return at;
        }
        e = flat_get(w->f, at);
        if (!e) {
            e = (flat_page(w->f) + TABLE_GPA) | bits;
            flat_set(w->f, at, e);
        }
        at = (e & 0xffffffffff000ULL) - TABLE_GPA;
    }
}

static inline void build_space(World *w, FlatScalable *s, Who who)
{
    const Space *sp = &spaces[who];
    uint64_t word0 = E_P | E_PGTT(sp->pgtt), word2 = 0;

    if (who == SS1B) {
        w->root[who] = w->root[SS1];
    } else {
        w->root[who] = flat_page(w->f);
    }
    if (sp->pgtt == PGTT_SECOND) {
        word0 |= E_AW(2) | w->root[who];
    } else if (sp->pgtt == PGTT_FIRST) {
        word2 = w->root[who];
    } else {
        w->second4 = flat_page(w->f);
        for (uint64_t a = 0; a < FLAT_SIZE; a += 2u << 20) {
            flat_map(w->f, w->second4, 4, TABLE_GPA + a, 2, SS_ALL,
                     a | SS_ALL);
        }
        flat_map(w->f, w->second4, 4, OLD, 3, SS_ALL, OLD | SS_ALL);
        flat_map(w->f, w->second4, 4, NEW, 3, SS_ALL, NEW | SS_ALL);
        word0 |= E_AW(2) | w->second4;
        word2 = w->root[who] + TABLE_GPA;
    }
    flat_context(w->f, s, sp->sid, E_P | E_PASIDE | E_DTE | E_PRE | 2 << 9, 0);
    w->entry[who] = flat_pasid(w->f, s, sp->pasid, word0, sp->did, word2);
}

static inline World *world_new(const VTDCacheSizes *sizes)
{
    World *w = g_new0(World, 1);
    FlatScalable s;

    w->f = flat_new();
    s.root = flat_page(w->f);
    for (Who who = 0; who < WHOS; who++) {
        /* FS3A and FS3B are one device with one directory */
        if (who != FS3B) {
            s.dir = flat_page(w->f);
        }
        build_space(w, &s, who);
        w->s[who] = s;
        map_page(w, who, IOVA, 1, OLD);
    }
    w->t = vtd_translator_new(&flat_ops, w->f, &flat_features,
                              sizes ? sizes : &flat_sizes);
    vtd_translator_set_root(w->t, s.root | ROOT_SCALABLE, true);
    return w;
}

static inline void world_free(World *w)
{
    vtd_translator_free(w->t);
    flat_free(w->f);
    g_free(w);
}

static inline bool try_get(World *w, Who who, uint64_t iova, uint64_t *out)
{
    VTDRequest req = {
        .sid = spaces[who].sid, .addr = iova, .read = true,
        .pasid = spaces[who].pasid ? spaces[who].pasid : VTD_NO_PASID,
    };
    VTDMapping map;
    VTDFault fault;

    if (!vtd_translate(w->t, &req, &map, &fault)) {
        return false;
    }
    *out = map.addr | (iova & map.mask);
    return true;
}

static inline uint64_t get(World *w, Who who, uint64_t iova)
{
    uint64_t out = 0;

    g_assert(try_get(w, who, iova, &out));
    return out;
}

#endif /* TESTS_UNIT_VTD_WORLD_H */
