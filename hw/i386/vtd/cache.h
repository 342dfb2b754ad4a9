/*
 * intel-vtd: set-associative caches that are read without locks
 *
 * An entry is a row of 64-bit words behind a sequence number: odd while it is
 * written. A reader that meets a writer misses; a writer that meets another
 * one gives up; nobody waits but an invalidation.
 *
 * An entry is valid if its stamp equals the sum of the generation counters
 * that apply to it. The counters only grow, so that the sum is the same only
 * if none of them has moved. A walk takes the stamp before it reads tables;
 * an entry that is inserted after its tables were invalidated is thus born
 * stale.
 *
 * The fence counts invalidations of all kinds. A request looks at it before
 * anything else, and keeps nothing if it has moved, see vtd_cache_put(): an
 * invalidation of single pages moves no counter, it removes entries; and a
 * translation may have begun with a context that was invalidated before the
 * stamp for it was taken.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_VTD_CACHE_H
#define HW_I386_VTD_CACHE_H

#include "qemu/atomic.h"

#define VTD_CACHE_WAYS 4
#define VTD_CACHE_MAX_ENTRIES (1u << 20)

enum {
    VTD_CACHE_SEQ,
    VTD_CACHE_STAMP,
    VTD_CACHE_KEY0,
    VTD_CACHE_KEY1,
    VTD_CACHE_DATA,
};

typedef struct VTDCache {
    uint64_t *words;
    uint32_t set_mask;      /* number of sets minus one */
    uint32_t data_words;
} VTDCache;

/**
 * vtd_cache_init: allocate a cache.
 * @entries: wanted size; rounded up to a power of two, bounded
 * @data_words: words of data in an entry
 */
void vtd_cache_init(VTDCache *c, uint32_t entries, uint32_t data_words);
void vtd_cache_destroy(VTDCache *c);

static inline uint64_t *vtd_cache_set(const VTDCache *c, uint32_t hash,
                                      unsigned data_words)
{
    return c->words + (size_t)(hash & c->set_mask) * VTD_CACHE_WAYS *
                      (VTD_CACHE_DATA + data_words);
}

/**
 * vtd_cache_get: look up an entry.
 * @hash: selects the set
 * @key0, @key1: what the entry is known by
 * @data_words: as given to vtd_cache_init(); a constant
 * @data: filled if the entry is found
 *
 * Returns the entry's stamp, which the caller compares, or 0. Any thread,
 * wait-free.
 */
static inline uint64_t vtd_cache_get(const VTDCache *c, uint32_t hash,
                                     uint64_t key0, uint64_t key1,
                                     unsigned data_words, uint64_t *data)
{
    const uint64_t *e = vtd_cache_set(c, hash, data_words);

    for (unsigned way = 0; way < VTD_CACHE_WAYS; way++) {
        uint64_t seq = qatomic_load_acquire(&e[VTD_CACHE_SEQ]);

        if (qatomic_read(&e[VTD_CACHE_KEY0]) == key0 &&
            qatomic_read(&e[VTD_CACHE_KEY1]) == key1 && !(seq & 1)) {
            uint64_t stamp = qatomic_read(&e[VTD_CACHE_STAMP]);

            for (unsigned i = 0; i < data_words; i++) {
                data[i] = qatomic_read(&e[VTD_CACHE_DATA + i]);
            }
            /* The words before the second look at the sequence number */
            smp_rmb();
            if (qatomic_read(&e[VTD_CACHE_SEQ]) == seq) {
                return stamp;
            }
        }
        e += VTD_CACHE_DATA + data_words;
    }
    return 0;
}

/**
 * vtd_cache_put: insert or replace an entry.
 * @stamp: sum of the generations, taken before the tables were read; not 0
 * @data: the words of data
 * @fence: counts invalidations
 * @seen: value of *@fence at the beginning of the request
 *
 * Inserts nothing if *@fence has moved or another thread writes to the same
 * place. Any thread, wait-free.
 */
void vtd_cache_put(VTDCache *c, uint32_t hash, uint64_t key0, uint64_t key1,
                   uint64_t stamp, const uint64_t *data,
                   const uint64_t *fence, uint64_t seen);

/**
 * vtd_cache_kill: remove an entry if it is there.
 *
 * The caller has moved the fence with qatomic_inc() before; then the entry
 * can not appear from a walk that began earlier. May wait for a writer of the
 * set, never for a reader. Control path.
 */
void vtd_cache_kill(VTDCache *c, uint32_t hash, uint64_t key0, uint64_t key1);

#endif /* HW_I386_VTD_CACHE_H */
