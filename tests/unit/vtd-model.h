/*
 * A second opinion on page walks: VT-d sections 3.6 to 3.8 once more, as
 * plainly as possible. It reads every entry from memory each time, knows no
 * cache, shares no code with the device and takes the result apart bit by bit.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_VTD_MODEL_H
#define TESTS_UNIT_VTD_MODEL_H

#include "vtd-flat.h"

typedef struct ModelConfig {
    bool legacy, first, second;     /* both stages: nested */
    unsigned fs_levels, ss_levels;
    uint64_t fs_root, ss_root;
    bool ssade, eafe, wpe, smep, sre, ere, pgsnp, rid_priv;
} ModelConfig;

typedef struct ModelRequest {
    uint64_t addr;
    bool rd, wr, ex, priv, ats;
} ModelRequest;

typedef struct ModelAnswer {
    unsigned reason;
    uint64_t out;           /* of the very address */
    uint64_t size;
    bool r, w, x;
    bool dirty, global, snoop;
} ModelAnswer;

/* What a second-stage walk is for decides some of its reasons */
typedef struct ModelUse {
    unsigned root, access, reserved, none, read, write, width;
} ModelUse;

static const ModelUse model_legacy = { 3, 7, 0xc, 0, 6, 5, 4 };
static const ModelUse model_second = {
    0x7b, 0x78, 0x7a, 0x79, 0x86, 0x85, 0x84,
};
static const ModelUse model_fs_root = {
    0x7b, 0x78, 0x7a, 0x79, 0x75, 0x77, 0x74,
};
static const ModelUse model_fs_table = {
    0x7b, 0x78, 0x7a, 0x79, 0x76, 0x77, 0x74,
};
static const ModelUse model_fs_page = {
    0x7b, 0x78, 0x7a, 0x79, 0x86, 0x85, 0x74,
};

static inline bool model_read(Flat *f, uint64_t addr, uint64_t *e)
{
    if (addr >= FLAT_SIZE) {
        return false;
    }
    *e = flat_get(f, addr);
    return true;
}

static inline uint64_t model_index(uint64_t addr, unsigned level)
{
    return (addr >> (3 + 9 * level)) & 0x1ff;
}

static inline uint64_t model_size(unsigned level)
{
    return 1ULL << (3 + 9 * level);
}

/* Address bits that are too high for the host */
static inline bool model_high(uint64_t e, unsigned top)
{
    return (e & ((1ULL << top) - 1)) >> FLAT_HAW;
}

static inline bool model_ss_bad(const ModelConfig *c, uint64_t e,
                                unsigned level, bool leaf)
{
    if (model_high(e, 52) || (e >> 62 & 1)) {
        return true;
    }
    if (!leaf) {
        return e & SS_SNP;
    }
    if (level > 3) {
        return true;
    }
    return level > 1 && (e & (model_size(level) - 1) & ~0xfffULL);
}

static inline unsigned model_ss(Flat *f, const ModelConfig *c, uint64_t in,
                                bool rd, bool wr, bool ex, bool ats,
                                const ModelUse *use, ModelAnswer *a)
{
    uint64_t table = c->ss_root, at, e;
    bool r = true, w = true;
    unsigned level = c->ss_levels;

    if (in >> (3 + 9 * (level + 1))) {
        return use->width;
    }
    for (;; level--) {
        bool leaf;

        at = table + model_index(in, level) * 8;
        if (!model_read(f, at, &e)) {
            return level == c->ss_levels ? use->root : use->access;
        }
        if (!(e & 3)) {
            return use->none ? use->none :
                   wr && !ats ? use->write : use->read;
        }
        leaf = level == 1 || (e & PTE_PS);
        if (model_ss_bad(c, e, level, leaf)) {
            return use->reserved;
        }
        r = r && (e & SS_R);
        w = w && (e & SS_W);
        if (leaf) {
            break;
        }
        if (c->ssade) {
            flat_set(f, at, e | SS_A);
        }
        table = e & 0xffffffffff000ULL;
    }
    if (!r && !w) {
        return use->none ? use->none : wr && !ats ? use->write : use->read;
    }
    if (!ats && wr && !w) {
        return use->write;
    }
    if (!ats && rd && !r) {
        return use->read;
    }
    if (!ats && ex && !r) {
        return 0x82;
    }
    if (c->ssade) {
        e |= SS_A | (wr && w ? SS_D : 0);
        flat_set(f, at, e);
    }
    a->size = model_size(level);
    a->out = (e & 0xffffffffff000ULL & ~(a->size - 1)) |
             (in & (a->size - 1));
    a->r = r;
    a->w = w;
    a->x = r;
    a->dirty = !c->ssade || (e & SS_D);
    a->global = false;
    a->snoop = (e & SS_SNP) || c->pgsnp;
    return 0;
}

static inline bool model_fs_bad(uint64_t e, unsigned level, bool leaf)
{
    if (model_high(e, 52)) {
        return true;
    }
    if (leaf && level > 3) {
        return true;
    }
    return leaf && level > 1 && (e & (model_size(level) - 1) & ~0x1fffULL);
}

static inline unsigned model_table(Flat *f, const ModelConfig *c,
                                   uint64_t gpa, bool top, bool wr,
                                   uint64_t *host)
{
    ModelAnswer a;
    unsigned reason;

    if (!c->second) {
        *host = gpa;
        return 0;
    }
    reason = model_ss(f, c, gpa, true, wr, false, false,
                      top ? &model_fs_root : &model_fs_table, &a);
    *host = a.out;
    return reason;
}

/* The page that a first-stage leaf maps, and what may be done with it */
static inline unsigned model_fs_leaf(Flat *f, const ModelConfig *c,
                                     const ModelRequest *q, uint64_t e,
                                     unsigned level, bool w, bool u, bool x,
                                     ModelAnswer *a)
{
    unsigned reason;

    if (q->priv) {
        a->r = true;
        a->w = w || !c->wpe;
        a->x = x && !(u && c->smep);
    } else {
        a->r = u;
        a->w = u && w;
        a->x = u && x;
    }
    if (!a->r) {
        return 0x81;
    }
    if (!q->ats && q->wr && !a->w) {
        return 0x85;
    }
    if (!q->ats && q->ex && !a->x) {
        return 0x82;
    }
    a->size = model_size(level);
    a->out = (e & 0xffffffffff000ULL & ~(a->size - 1)) |
             (q->addr & (a->size - 1));
    a->snoop = c->pgsnp;
    if (c->second) {
        ModelAnswer s;

        reason = model_ss(f, c, a->out, q->rd, q->wr && a->w, q->ex, q->ats,
                          &model_fs_page, &s);
        if (reason) {
            return reason;
        }
        a->out = s.out;
        a->size = MIN(a->size, s.size);
        a->r = a->r && s.r;
        a->w = a->w && s.w;
        a->x = a->x && s.x;
        a->dirty = s.dirty;
        a->snoop = a->snoop || s.snoop;
        if (!a->r && !a->w) {
            return 0x79;
        }
    } else {
        a->dirty = true;
    }
    return 0;
}

static inline unsigned model_fs(Flat *f, const ModelConfig *c,
                                const ModelRequest *q, ModelAnswer *a)
{
    unsigned level = c->fs_levels, width = 3 + 9 * (level + 1), reason;
    uint64_t gpa = c->fs_root, high = q->addr >> (width - 1);
    bool w = true, u = true, x = true;

    if (high && high != ~0ULL >> (width - 1)) {
        return 0x80;
    }
    for (;; level--) {
        bool top = level == c->fs_levels, leaf;
        uint64_t table, e, set;

        reason = model_table(f, c, gpa, top, false, &table);
        if (reason) {
            return reason;
        }
        table += model_index(q->addr, level) * 8;
        if (!model_read(f, table, &e)) {
            return top ? 0x73 : 0x70;
        }
        if (!(e & FS_P)) {
            return 0x71;
        }
        leaf = level == 1 || (e & PTE_PS);
        if (model_fs_bad(e, level, leaf)) {
            return 0x72;
        }
        w = w && (e & FS_RW);
        u = u && (e & FS_US);
        x = x && !(e & FS_XD);
        set = FS_A | (c->eafe ? FS_EA : 0);
        if (leaf) {
            reason = model_fs_leaf(f, c, q, e, level, w, u, x, a);
            if (reason) {
                return reason;
            }
            if (q->wr && a->w) {
                set |= FS_D;
            }
        }
        if ((e & set) != set) {
            uint64_t unused;

            reason = model_table(f, c, gpa, top, true, &unused);
            if (reason) {
                return reason;
            }
            flat_set(f, table, e | set);
        }
        if (leaf) {
            a->dirty = a->dirty && ((e | set) & FS_D);
            a->global = e & FS_G;
            return 0;
        }
        gpa = e & 0xffffffffff000ULL;
    }
}

static inline void model_translate(Flat *f, const ModelConfig *c,
                                   const ModelRequest *q, ModelAnswer *a)
{
    uint64_t first;

    memset(a, 0, sizeof(*a));
    if (q->ex && !c->ere) {
        a->reason = 0x5c;
    } else if (q->priv && !c->sre) {
        a->reason = 0x5d;
    } else if (c->first) {
        a->reason = model_fs(f, c, q, a);
    } else {
        a->reason = model_ss(f, c, q->addr, q->rd, q->wr, q->ex, q->ats,
                             c->legacy ? &model_legacy : &model_second, a);
    }
    if (a->reason) {
        return;
    }
    /* 3.14 */
    first = a->out & ~(a->size - 1);
    if (a->out >= 0xfee00000 && a->out < 0xfef00000) {
        a->reason = c->legacy ? 0xe : 0x87;
    } else if (first < 0xfef00000 && first + a->size > 0xfee00000) {
        a->size = 0x1000;
    }
    a->w = a->w && a->dirty;
    a->x = a->x && c->ere;
}

#endif /* TESTS_UNIT_VTD_MODEL_H */
