/*
 * A flat guest memory for tests of the translation half of intel-vtd, and the
 * entries that the tests put into it.
 *
 * The bits are written out here once more, from VT-d chapter 9, and not taken
 * from the device: a test that shares a wrong mask finds nothing.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_VTD_FLAT_H
#define TESTS_UNIT_VTD_FLAT_H

#include <sys/mman.h>
#include "qemu/atomic.h"
#include "qemu/bswap.h"
#include "hw/i386/vtd/translate.h"
#include "hw/i386/vtd/fault-reasons.h"

#define FLAT_SIZE   (16u << 20)
#define FLAT_HAW    40

typedef struct Flat {
    uint8_t *mem;
    uint64_t next;                  /* next free page */
    bool no_host_page;              /* make the walk use .load */
    unsigned loads, swaps;          /* calls of .host_page or .load, .cmpxchg */
    /* called before each cmpxchg: may change memory under the walk's feet */
    void (*race)(struct Flat *f, uint64_t addr);
    /* called after each .load: the same */
    void (*outdate)(struct Flat *f, uint64_t addr);
    uint64_t read_only;             /* page where cmpxchg fails, or 0 */
} Flat;

static inline uint64_t *flat_word(Flat *f, uint64_t addr)
{
    g_assert_cmphex(addr, <=, FLAT_SIZE - 8);
    return (uint64_t *)(f->mem + addr);
}

static inline uint64_t flat_get(Flat *f, uint64_t addr)
{
    return le64_to_cpu(qatomic_read(flat_word(f, addr)));
}

static inline void flat_set(Flat *f, uint64_t addr, uint64_t value)
{
    qatomic_set(flat_word(f, addr), cpu_to_le64(value));
}

static inline uint64_t flat_page(Flat *f)
{
    uint64_t addr = f->next;

    g_assert_cmphex(addr, <, FLAT_SIZE);
    f->next += 0x1000;
    return addr;
}

static inline bool flat_load(void *opaque, uint64_t addr, uint64_t *entry)
{
    Flat *f = opaque;

    if (addr > FLAT_SIZE - 8) {
        return false;
    }
    qatomic_inc(&f->loads);
    *entry = flat_get(f, addr);
    if (f->outdate) {
        f->outdate(f, addr);
    }
    return true;
}

static inline bool flat_cmpxchg(void *opaque, uint64_t addr, uint64_t old,
                                uint64_t new, uint64_t *seen)
{
    Flat *f = opaque;

    if (addr > FLAT_SIZE - 8 ||
        (f->read_only && f->read_only == (addr & ~0xfffULL))) {
        return false;
    }
    qatomic_inc(&f->swaps);
    if (f->race) {
        f->race(f, addr);
    }
    *seen = le64_to_cpu(qatomic_cmpxchg(flat_word(f, addr), cpu_to_le64(old),
                                        cpu_to_le64(new)));
    return true;
}

static inline void *flat_host_page(void *opaque, uint64_t addr)
{
    Flat *f = opaque;

    if (addr >= FLAT_SIZE || f->no_host_page) {
        return NULL;
    }
    qatomic_inc(&f->loads);
    return f->mem + addr;
}

static const VTDMemoryOps flat_ops = {
    .load = flat_load,
    .cmpxchg = flat_cmpxchg,
    .host_page = flat_host_page,
};

static const VTDFeatures flat_features = {
    .haw = FLAT_HAW, .mgaw = 57, .sagaw = 0xe, .pss = 20,
    .legacy = true, .scalable = true, .first_stage = true,
    .second_stage = true, .nested = true, .pass_through = true,
    .first_5level = true, .first_1g = true, .second_2m = true,
    .second_1g = true, .second_ad = true, .ext_accessed = true,
    .supervisor = true, .exec = true, .snoop_control = true,
    .device_tlb = true, .page_request = true, .pasid = true,
};

static const VTDCacheSizes flat_sizes = {
    .context = 64, .pasid = 64, .iotlb = 1024, .paging = 256,
};

static inline Flat *flat_new(void)
{
    Flat *f = g_new0(Flat, 1);

    /* Zero, and costs nothing where it is not touched */
    f->mem = mmap(NULL, FLAT_SIZE, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    g_assert(f->mem != MAP_FAILED);
    f->next = 0x1000;
    return f;
}

static inline void flat_clear(Flat *f)
{
    memset(f->mem, 0, f->next);
    f->next = 0x1000;
}

static inline void flat_free(Flat *f)
{
    munmap(f->mem, FLAT_SIZE);
    g_free(f);
}

/* Entries, VT-d 9.1 to 9.8 */
#define E_P             (1ULL << 0)
#define E_FPD           (1ULL << 1)
#define E_DTE           (1ULL << 2)     /* scalable-mode context entry */
#define E_PASIDE        (1ULL << 3)
#define E_PRE           (1ULL << 4)
#define E_TT(x)         ((uint64_t)(x) << 2)    /* context entry */
#define E_AW(x)         ((uint64_t)(x) << 2)    /* PASID entry, word 0 */
#define E_PGTT(x)       ((uint64_t)(x) << 6)
#define E_SSADE         (1ULL << 9)
#define E_PGSNP         (1ULL << 24)            /* word 1 */
#define E_SRE           (1ULL << 0)             /* word 2 */
#define E_ERE           (1ULL << 1)
#define E_FSPM(x)       ((uint64_t)(x) << 2)
#define E_WPE           (1ULL << 4)
#define E_SMEP          (1ULL << 6)
#define E_EAFE          (1ULL << 7)
#define FS_P            0x1ULL
#define FS_RW           0x2ULL
#define FS_US           0x4ULL
#define FS_A            0x20ULL
#define FS_D            0x40ULL
#define FS_G            0x100ULL
#define FS_EA           0x400ULL
#define FS_XD           (1ULL << 63)
#define SS_R            0x1ULL
#define SS_W            0x2ULL
#define SS_A            0x100ULL
#define SS_D            0x200ULL
#define SS_SNP          0x800ULL
#define PTE_PS          0x80ULL

#define PGTT_FIRST      1
#define PGTT_SECOND     2
#define PGTT_NESTED     3
#define PGTT_PASS       4

#define ROOT_SCALABLE   (1ULL << 10)

/*
 * Puts an entry for @iova into the table at @table, @levels high, so that the
 * page of level @leaf (1 for 4 KiB) gets the value @entry. Tables on the way
 * get the bits @dir. Returns the address of the entry, or 0 if a larger page
 * is in the way.
 */
static inline uint64_t flat_map(Flat *f, uint64_t table, unsigned levels,
                                uint64_t iova, unsigned leaf, uint64_t dir,
                                uint64_t entry)
{
    for (unsigned level = levels; ; level--) {
        uint64_t at = table + ((iova >> (12 + 9 * (level - 1))) & 511) * 8;
        uint64_t old = flat_get(f, at);

        if (level == leaf) {
            flat_set(f, at, entry | (leaf > 1 ? PTE_PS : 0));
            return at;
        }
        if (!old) {
            old = flat_page(f) | dir;
            flat_set(f, at, old);
        } else if (old & PTE_PS) {
            return 0;
        }
        table = old & 0xffffffffff000ULL;
    }
}

/* Scalable-mode tables for one device and one PASID; words 0 to 2 given */
typedef struct FlatScalable {
    uint64_t root, context, dir, table;
} FlatScalable;

static inline void flat_context(Flat *f, FlatScalable *s, uint16_t sid,
                                uint64_t word0, uint64_t word1)
{
    uint64_t half = s->root + (sid >> 8) * 16 + (sid & 0x80 ? 8 : 0);
    uint64_t ce;

    if (!flat_get(f, half)) {
        flat_set(f, half, flat_page(f) | E_P);
    }
    ce = (flat_get(f, half) & ~0xfffULL) + (sid & 0x7f) * 32;
    flat_set(f, ce, s->dir | word0);
    flat_set(f, ce + 8, word1);
    s->context = ce;
}

static inline uint64_t flat_pasid(Flat *f, FlatScalable *s, uint32_t pasid,
                                  uint64_t word0, uint64_t word1,
                                  uint64_t word2)
{
    uint64_t pde = s->dir + (pasid >> 6) * 8, pe;

    if (!flat_get(f, pde)) {
        flat_set(f, pde, flat_page(f) | E_P);
    }
    s->table = flat_get(f, pde) & ~0xfffULL;
    pe = s->table + (pasid & 63) * 64;
    flat_set(f, pe, word0);
    flat_set(f, pe + 8, word1);
    flat_set(f, pe + 16, word2);
    return pe;
}

static inline void flat_scalable(Flat *f, FlatScalable *s)
{
    s->root = flat_page(f);
    s->dir = flat_page(f);
}

#endif /* TESTS_UNIT_VTD_FLAT_H */
