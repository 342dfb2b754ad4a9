/*
 * intel-vtd: set-associative caches that are read without locks
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/host-utils.h"
#include "qemu/processor.h"
#include "cache.h"

void vtd_cache_init(VTDCache *c, uint32_t entries, uint32_t data_words)
{
    uint32_t sets;

    entries = MIN(entries, VTD_CACHE_MAX_ENTRIES);
    sets = pow2ceil(DIV_ROUND_UP(MAX(entries, 1), VTD_CACHE_WAYS));
    c->set_mask = sets - 1;
    c->data_words = data_words;
    c->words = g_new0(uint64_t, (size_t)sets * VTD_CACHE_WAYS *
                                (VTD_CACHE_DATA + data_words));
}

void vtd_cache_destroy(VTDCache *c)
{
    g_free(c->words);
    c->words = NULL;
}

/*
 * Where an entry goes: over itself, else into a free place, else in turn. The
 * writes to a set, of which the sequence numbers keep count, are the turn.
 */
static uint64_t *vtd_cache_place(VTDCache *c, uint32_t hash,
                                 uint64_t key0, uint64_t key1)
{
    unsigned stride = VTD_CACHE_DATA + c->data_words;
    uint64_t *set = vtd_cache_set(c, hash, c->data_words);
    uint64_t *empty = NULL, *e = set, writes = 0;

    for (unsigned way = 0; way < VTD_CACHE_WAYS; way++, e += stride) {
        if (qatomic_read(&e[VTD_CACHE_KEY0]) == key0 &&
            qatomic_read(&e[VTD_CACHE_KEY1]) == key1) {
            return e;
        }
        if (!qatomic_read(&e[VTD_CACHE_STAMP]) && !empty) {
            empty = e;
        }
        writes += qatomic_read(&e[VTD_CACHE_SEQ]) / 2;
    }
    if (empty) {
        return empty;
    }
    return set + writes % VTD_CACHE_WAYS * stride;
}

void vtd_cache_put(VTDCache *c, uint32_t hash, uint64_t key0, uint64_t key1,
                   uint64_t stamp, const uint64_t *data,
                   const uint64_t *fence, uint64_t seen)
{
    uint64_t *e = vtd_cache_place(c, hash, key0, key1);
    uint64_t seq = qatomic_read(&e[VTD_CACHE_SEQ]);

    if ((seq & 1) ||
        qatomic_cmpxchg(&e[VTD_CACHE_SEQ], seq, seq + 1) != seq) {
        return;
    }
    /*
     * Pairs with the increment of the fence before vtd_cache_kill(): either
     * the new value is seen here or the odd sequence number is seen there.
     */
    smp_mb__after_rmw();
    if (qatomic_read(fence) == seen) {
        qatomic_set(&e[VTD_CACHE_KEY0], key0);
        qatomic_set(&e[VTD_CACHE_KEY1], key1);
        qatomic_set(&e[VTD_CACHE_STAMP], stamp);
        for (unsigned i = 0; i < c->data_words; i++) {
            qatomic_set(&e[VTD_CACHE_DATA + i], data[i]);
        }
    }
    qatomic_store_release(&e[VTD_CACHE_SEQ], seq + 2);
}

static void vtd_cache_kill_entry(uint64_t *e, uint64_t key0, uint64_t key1)
{
    for (;;) {
        uint64_t seq = qatomic_load_acquire(&e[VTD_CACHE_SEQ]);
        bool match;

        if (seq & 1) {
            cpu_relax();
            continue;
        }
        match = qatomic_read(&e[VTD_CACHE_KEY0]) == key0 &&
                qatomic_read(&e[VTD_CACHE_KEY1]) == key1;
        /* The keys before the second look at the sequence number */
        smp_rmb();
        if (qatomic_read(&e[VTD_CACHE_SEQ]) != seq) {
            continue;
        }
        if (!match) {
            return;
        }
        if (qatomic_cmpxchg(&e[VTD_CACHE_SEQ], seq, seq + 1) == seq) {
            smp_mb__after_rmw();
            qatomic_set(&e[VTD_CACHE_STAMP], 0);
            qatomic_store_release(&e[VTD_CACHE_SEQ], seq + 2);
            return;
        }
    }
}

void vtd_cache_kill(VTDCache *c, uint32_t hash, uint64_t key0, uint64_t key1)
{
    uint64_t *e = vtd_cache_set(c, hash, c->data_words);

    for (unsigned way = 0; way < VTD_CACHE_WAYS; way++) {
        vtd_cache_kill_entry(e, key0, key1);
        e += VTD_CACHE_DATA + c->data_words;
    }
}
