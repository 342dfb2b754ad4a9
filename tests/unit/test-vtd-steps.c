/*
 * intel-vtd: requests between any two steps of an invalidation
 *
 * An invalidation of single pages removes one entry of a cache after the other.
 * A request in between may still be answered from what is to go; but it may
 * leave nothing behind that is found when the invalidation is complete.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "vtd-world.h"
#include "hw/i386/vtd/cache.h"

/* The linker puts the second in the place of the first (meson.build) */
typeof(vtd_cache_kill) __real_vtd_cache_kill, __wrap_vtd_cache_kill;

static World *stepped;
static Who stepper;
static uint64_t first;          /* the pages that are asked for */
static unsigned count, steps;

/* Each time another page, the last one first: against the invalidation */
static void request(void)
{
    uint64_t out;

    try_get(stepped, stepper, first + (count - 1 - steps++ % count) * 4096,
            &out);
}

void __wrap_vtd_cache_kill(VTDCache *c, uint32_t hash, uint64_t key0,
                           uint64_t key1)
{
    if (stepped) {
        request();
    }
    __real_vtd_cache_kill(c, hash, key0, key1);
    if (stepped) {
        request();
    }
}

/* Where the entry of @iova at @level is; every table exists */
static uint64_t entry_of(World *w, Who who, uint64_t iova, unsigned level)
{
    bool nested = spaces[who].pgtt == PGTT_NESTED;
    uint64_t at = w->root[who];

    for (unsigned l = 4; ; l--) {
        at += ((iova >> (3 + 9 * l)) & 511) * 8;
        if (l == level) {
            return at;
        }
        at = (flat_get(w->f, at) & 0xffffffffff000ULL) -
             (nested ? TABLE_GPA : 0);
    }
}

typedef struct Case {
    const char *name;
    Who who;
    void (*call)(VTDTranslator *t, const VTDInvalidation *inv);
    uint8_t am;
} Case;

static const Case cases[] = {
    { "second/page", SS1, vtd_invalidate_iotlb, 0 },
    { "second/range", SS1, vtd_invalidate_iotlb, 9 },
    { "first/page", FS3A, vtd_invalidate_piotlb, 0 },
    { "first/range", FS3A, vtd_invalidate_piotlb, 9 },
    { "nested/page", NEST4, vtd_invalidate_piotlb, 0 },
    { "nested/range", NEST4, vtd_invalidate_piotlb, 9 },
};

/* The entry at @level goes, and with it all below; the tables there stay */
static void check_level(const Case *c, unsigned level)
{
    const Space *sp = &spaces[c->who];
    World *w = world_new(NULL);
    const VTDInvalidation inv = {
        VTD_GRAN_PAGE, .did = sp->did, .pasid = sp->pasid, .am = c->am,
        .addr = IOVA & ~0x1fffffULL,
    };
    uint64_t out;

    first = inv.addr;
    count = 1u << c->am;
    for (unsigned i = 0; i < count; i++) {
        map_page(w, c->who, first + i * 4096, 1, OLD + i * 4096);
    }
    g_assert_cmphex(get(w, c->who, first), ==, OLD);
    flat_set(w->f, entry_of(w, c->who, first, level), 0);
    steps = 0;
    stepper = c->who;
    stepped = w;
    c->call(w->t, &inv);
    stepped = NULL;
    g_assert_cmpuint(steps, >, 6);
    for (unsigned i = 0; i < count; i++) {
        g_assert_false(try_get(w, c->who, first + i * 4096, &out));
    }
    world_free(w);
}

static void test_steps(gconstpointer opaque)
{
    const Case *c = opaque;

    /* The last level has an entry for each page */
    for (unsigned level = c->am ? 2 : 1; level <= 3; level++) {
        check_level(c, level);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autofree char *path = g_strdup_printf("/vtd/steps/%s",
                                                cases[i].name);

        g_test_add_data_func(path, &cases[i], test_steps);
    }
    return g_test_run();
}
