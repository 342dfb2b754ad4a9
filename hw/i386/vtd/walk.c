/*
 * intel-vtd: page walks (VT-d 3.6 to 3.8)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "walk.h"
#include "fmt-first.h"
#include "fmt-second.h"

/*
 * An A/D update that keeps losing against other writers of the entry is given
 * up after this many attempts: a guest may not hold a walk for ever.
 */
#define VTD_UPDATE_TRIES 64

/* Reasons by what went wrong in a stage (VT-d 7.1.3) */
typedef struct VTDStageFaults {
    uint8_t root_access;    /* no memory at the root */
    uint8_t access;         /* no memory at another table */
    uint8_t not_present;
    uint8_t reserved;
    uint8_t none;           /* the path grants nothing; 0: .read or .write */
    uint8_t read;
    uint8_t write;
    uint8_t exec;
    uint8_t width;          /* the input address is too wide */
    uint8_t update;         /* A/D could not be set */
} VTDStageFaults;

static const VTDStageFaults first_faults = {
    .root_access = VTD_FR_SFS_4_ROOT_ACCESS,
    .access = VTD_FR_SFS_1_ACCESS,
    .not_present = VTD_FR_SFS_2_NOT_PRESENT,
    .reserved = VTD_FR_SFS_3_RESERVED,
    /* A present entry can be read, unless U/S forbids everything */
    .none = VTD_FR_SGN_2_USER,
    .read = VTD_FR_SGN_2_USER,
    .write = VTD_FR_SGN_6_WRITE,
    .exec = VTD_FR_SGN_3_EXECUTE,
    .width = VTD_FR_SGN_1_CANONICAL,
    .update = VTD_FR_SFS_10_UPDATE,
};

static const VTDStageFaults second_faults = {
    .root_access = VTD_FR_SSS_4_ROOT_ACCESS,
    .access = VTD_FR_SSS_1_ACCESS,
    .not_present = VTD_FR_SSS_2_NOT_PRESENT,
    .reserved = VTD_FR_SSS_3_RESERVED,
    .none = VTD_FR_SSS_2_NOT_PRESENT,
    .read = VTD_FR_SGN_7_READ,
    .write = VTD_FR_SGN_6_WRITE,
    .exec = VTD_FR_SGN_3_EXECUTE,
    .width = VTD_FR_SGN_5_WIDTH,
    .update = VTD_FR_SSS_6_UPDATE,
};

/*
 * The second stage on behalf of a first stage: its root, its other tables,
 * and the page that it maps. A GPA that is too wide is blamed on the entry
 * that has it.
 */
#define NESTED_FAULTS(read_fault, write_fault) { \
    .root_access = VTD_FR_SSS_4_ROOT_ACCESS, \
    .access = VTD_FR_SSS_1_ACCESS, \
    .not_present = VTD_FR_SSS_2_NOT_PRESENT, \
    .reserved = VTD_FR_SSS_3_RESERVED, \
    .none = VTD_FR_SSS_2_NOT_PRESENT, \
    .read = (read_fault), \
    .write = (write_fault), \
    .exec = VTD_FR_SGN_3_EXECUTE, \
    .width = VTD_FR_SFS_5_WIDTH, \
    .update = VTD_FR_SSS_6_UPDATE, \
}

static const VTDStageFaults nested_root_faults =
    NESTED_FAULTS(VTD_FR_SFS_6_ROOT_READ, VTD_FR_SFS_8_WRITE);
static const VTDStageFaults nested_table_faults =
    NESTED_FAULTS(VTD_FR_SFS_7_READ, VTD_FR_SFS_8_WRITE);
static const VTDStageFaults nested_page_faults =
    NESTED_FAULTS(VTD_FR_SGN_7_READ, VTD_FR_SGN_6_WRITE);

/* LCT.4.3: a legacy root that cannot be read is a bad context entry */
static const VTDStageFaults legacy_faults = {
    .root_access = VTD_FR_LCT_4_INVALID,
    .access = VTD_FR_LSS_1_ACCESS,
    .reserved = VTD_FR_LSS_2_RESERVED,
    .read = VTD_FR_LGN_3_READ,
    .write = VTD_FR_LGN_2_WRITE,
    .exec = VTD_FR_LGN_3_READ,
    .width = VTD_FR_LGN_1_WIDTH,
    .update = VTD_FR_LSS_1_ACCESS,
};

/**
 * VTDTable: the table that a walk stands at.
 * @addr: its address in memory
 * @gpa: with nesting, its address before the second stage
 * @level: of its entries; 1 is the last one
 * @rights: what all entries so far grant
 * @top: it is the root
 * @writable: A/D may be set in it without asking the second stage
 */
typedef struct VTDTable {
    uint64_t addr;
    uint64_t gpa;
    unsigned level;
    uint8_t rights;
    bool top, writable;
} VTDTable;

/*
 * VTDFormat: a format of paging entries, and how its stage goes on. Each walk
 * function is expanded from the iterator below with a constant format.
 */
typedef struct VTDFormat {
    bool (*present)(uint64_t entry);
    uint8_t (*rights)(uint64_t entry);
    uint8_t (*grant)(const VTDContext *ctx, uint8_t rights);
    uint64_t (*accessed)(const VTDContext *ctx);
    uint64_t (*dirty)(const VTDContext *ctx);
    bool (*global)(uint64_t entry);
    bool (*snoop)(const VTDContext *ctx, uint64_t entry);
    /* sets table->addr and .writable from .gpa */
    uint8_t (*enter)(VTDWalk *w, VTDTable *table);
    /* makes an A/D update in the table allowed */
    uint8_t (*unlock)(VTDWalk *w, VTDTable *table);
    /* sends the page that a leaf maps through the next stage */
    uint8_t (*compose)(VTDWalk *w, uint64_t addr, VTDIntent intent,
                       VTDLeaf *leaf);
} VTDFormat;

typedef struct VTDStage {
    const VTDStageFaults *faults;
    const VTDReserved *reserved;
    const VTDTag *tag;
} VTDStage;

/* Paging-structure cache: where the table of @level that maps @addr is */
static inline bool vtd_find_table(VTDWalk *w, const VTDTag *tag, uint64_t addr,
                                  VTDTable *table)
{
    for (unsigned level = 1; level <= VTD_MAX_LEAF_LEVEL; level++) {
        uint64_t data[VTD_PAGING_WORDS] = { 0 };

        if (vtd_cache_get(&w->t->paging, vtd_table_hash(addr, level, tag),
                          vtd_table_key(addr, level), tag->key,
                          VTD_PAGING_WORDS, data) == tag->stamp) {
            table->addr = data[0] & VTD_PAGE_BASE;
            table->rights = data[0] & 7;
            table->writable = data[0] & 8;
            table->gpa = data[1];
            table->level = level;
            table->top = false;
            return true;
        }
    }
    return false;
}

static inline void vtd_keep_table(VTDWalk *w, const VTDTag *tag, uint64_t addr,
                                  const VTDTable *table)
{
    uint64_t data[VTD_PAGING_WORDS] = {
        table->addr | table->rights | (table->writable ? 8 : 0),
        table->gpa,
    };

    if (table->level <= VTD_MAX_LEAF_LEVEL) {
        vtd_cache_put(&w->t->paging, vtd_table_hash(addr, table->level, tag),
                      vtd_table_key(addr, table->level), tag->key,
                      tag->stamp, data, &w->t->fence, w->fence);
    }
}

/* The intent against the permissions; what is missing first, then what not */
static inline uint8_t vtd_judge(const VTDStageFaults *f, uint8_t perm,
                                VTDIntent intent)
{
    perm = vtd_leaf_perm(perm, intent.priv);
    if (!(perm & (VTD_PERM_R | VTD_PERM_W))) {
        return f->none ? f->none : intent.write && !intent.offer ? f->write
                                                                : f->read;
    }
    if (intent.offer) {
        return VTD_FR_NONE;
    }
    if (intent.write && !(perm & VTD_PERM_W)) {
        return f->write;
    }
    if (intent.read && !(perm & VTD_PERM_R)) {
        return f->read;
    }
    return intent.exec && !(perm & VTD_PERM_X) ? f->exec : VTD_FR_NONE;
}

/*
 * Checks one entry and, if it maps a page, fills *@leaf. Sets *@update to the
 * A/D bits that using the entry must set.
 */
static inline __attribute__((always_inline))
uint8_t vtd_examine(VTDWalk *w, const VTDFormat *fmt, const VTDStage *stage,
                    const VTDTable *table, uint64_t addr, VTDIntent intent,
                    uint64_t entry, bool *is_leaf, VTDLeaf *leaf,
                    uint64_t *update)
{
    const VTDReserved *reserved = stage->reserved;
    uint64_t dirty = fmt->dirty(w->ctx);
    unsigned level = table->level;
    uint8_t code;

    if (!fmt->present(entry)) {
        return stage->faults->not_present ? stage->faults->not_present :
               vtd_judge(stage->faults, 0, intent);
    }
    *is_leaf = level == 1 || (entry & VTD_PTE_PS);
    if (entry & (*is_leaf ? reserved->page : reserved->table)[level]) {
        return stage->faults->reserved;
    }
    *update = fmt->accessed(w->ctx) & ~entry;
    if (!*is_leaf) {
        return VTD_FR_NONE;
    }

    leaf->mask = MAKE_64BIT_MASK(0, VTD_SIZE_SHIFT(level - 1));
    leaf->addr = entry & VTD_BITS(51, VTD_PAGE_BITS) & ~leaf->mask;
    leaf->perm = fmt->grant(w->ctx, table->rights & fmt->rights(entry));
    leaf->global = fmt->global(entry);
    leaf->snoop = fmt->snoop(w->ctx, entry);
    leaf->split = false;
    leaf->dirty = true;
    code = vtd_judge(stage->faults, leaf->perm, intent);
    if (code == VTD_FR_NONE) {
        code = fmt->compose(w, addr, intent, leaf);
    }
    if (code == VTD_FR_NONE && intent.write &&
        (vtd_leaf_perm(leaf->perm, intent.priv) & VTD_PERM_W)) {
        *update |= dirty & ~entry;
    }
    leaf->dirty = leaf->dirty && !(dirty & ~(entry | *update));
    return code;
}

/* Where @table has its entry for @addr */
static inline uint64_t vtd_entry_address(const VTDTable *table, uint64_t addr)
{
    return table->addr + extract64(addr, VTD_SIZE_SHIFT(table->level - 1),
                                   VTD_LEVEL_BITS) * sizeof(uint64_t);
}

/* Reads and judges the entry for @addr in @table, and sets A/D in it */
static inline __attribute__((always_inline))
uint8_t vtd_step(VTDWalk *w, const VTDFormat *fmt, const VTDStage *stage,
                 VTDTable *table, uint64_t addr, VTDIntent intent,
                 uint64_t *entry, bool *is_leaf, VTDLeaf *leaf)
{
    VTDTranslator *t = w->t;

    for (unsigned tries = 0; tries < VTD_UPDATE_TRIES; tries++) {
        uint64_t at = vtd_entry_address(table, addr), update = 0, seen;
        uint8_t code;

        if (!vtd_load(t, at, entry)) {
            return table->top ? stage->faults->root_access
                              : stage->faults->access;
        }
        code = vtd_examine(w, fmt, stage, table, addr, intent, *entry,
                           is_leaf, leaf, &update);
        if (code != VTD_FR_NONE || !update) {
            return code;
        }
        if (!table->writable) {
            code = fmt->unlock(w, table);
            if (code != VTD_FR_NONE) {
                return code;
            }
            if (vtd_entry_address(table, addr) != at) {
                /* The second stage has moved the table meanwhile */
                continue;
            }
        }
        /* Not through a host page: the owner of RAM wants to know of writes */
        if (!t->ops.cmpxchg(t->opaque, at, *entry, *entry | update, &seen)) {
            return stage->faults->update;
        }
        if (seen == *entry) {
            return VTD_FR_NONE;
        }
    }
    return stage->faults->update;
}

static inline __attribute__((always_inline))
uint8_t vtd_walk_stage(VTDWalk *w, const VTDFormat *fmt, const VTDStage *stage,
                       uint64_t root, unsigned levels, uint8_t rights,
                       uint64_t addr, VTDIntent intent, VTDLeaf *leaf)
{
    VTDTable table;
    uint8_t code;

    if (!vtd_find_table(w, stage->tag, addr, &table)) {
        table.gpa = root;
        table.level = levels;
        table.rights = rights;
        table.top = true;
        code = fmt->enter(w, &table);
        if (code != VTD_FR_NONE) {
            return code;
        }
    }
    for (;;) {
        uint64_t entry;
        bool is_leaf = false;

        code = vtd_step(w, fmt, stage, &table, addr, intent, &entry, &is_leaf,
                        leaf);
        if (code != VTD_FR_NONE || is_leaf) {
            return code;
        }
        table.gpa = entry & VTD_BITS(51, VTD_PAGE_BITS);
        table.level--;
        table.rights &= fmt->rights(entry);
        table.top = false;
        code = fmt->enter(w, &table);
        if (code != VTD_FR_NONE) {
            return code;
        }
        vtd_keep_table(w, stage->tag, addr, &table);
    }
}

static uint8_t vtd_second_enter(VTDWalk *w, VTDTable *table)
{
    table->addr = table->gpa;
    table->writable = true;
    return VTD_FR_NONE;
}

/* Never called: second-stage tables are writable */
static uint8_t vtd_second_unlock(VTDWalk *w, VTDTable *table)
{
    return VTD_FR_NONE;
}

static uint8_t vtd_second_compose(VTDWalk *w, uint64_t addr, VTDIntent intent,
                                  VTDLeaf *leaf)
{
    return VTD_FR_NONE;
}

static const VTDFormat vtd_second_format = {
    .present = vtd_second_present,
    .rights = vtd_second_rights,
    .grant = vtd_second_grant,
    .accessed = vtd_second_accessed,
    .dirty = vtd_second_dirty,
    .global = vtd_second_global,
    .snoop = vtd_second_snoop,
    .enter = vtd_second_enter,
    .unlock = vtd_second_unlock,
    .compose = vtd_second_compose,
};

static uint8_t vtd_walk_second(VTDWalk *w, const VTDStageFaults *faults,
                               const VTDTag *tag, uint64_t addr,
                               VTDIntent intent, VTDLeaf *leaf)
{
    const VTDContext *ctx = w->ctx;
    VTDStage stage = {
        .faults = faults,
        .reserved = ctx->flags & VTD_CTX_LEGACY ? &w->t->legacy_reserved
                                                : &w->t->second_reserved,
        .tag = tag,
    };

    if (addr >> ctx->second_width) {
        return faults->width;
    }
    return vtd_walk_stage(w, &vtd_second_format, &stage, ctx->second_root,
                          ctx->second_levels, VTD_SECOND_ALL, addr, intent,
                          leaf);
}

/* 3.8: a first-stage table is found at a GPA */
static uint8_t vtd_first_translate_table(VTDWalk *w, VTDTable *table,
                                         bool write)
{
    const VTDStageFaults *faults = table->top ? &nested_root_faults
                                              : &nested_table_faults;
    VTDIntent intent = { .read = true, .write = write };
    VTDLeaf leaf;
    uint8_t code;

    code = vtd_walk_second(w, faults, &w->second, table->gpa, intent, &leaf);
    if (code == VTD_FR_NONE) {
        table->addr = leaf.addr | (table->gpa & leaf.mask);
        table->writable = leaf.dirty && (leaf.perm & VTD_PERM_W);
    }
    return code;
}

static uint8_t vtd_first_enter(VTDWalk *w, VTDTable *table)
{
    if (w->ctx->pgtt == VTD_PGTT_NESTED) {
        return vtd_first_translate_table(w, table, false);
    }
    table->addr = table->gpa;
    table->writable = true;
    return VTD_FR_NONE;
}

static uint8_t vtd_first_unlock(VTDWalk *w, VTDTable *table)
{
    return vtd_first_translate_table(w, table, true);
}

/* 3.8: the page that the first stage maps is at a GPA */
static uint8_t vtd_first_compose(VTDWalk *w, uint64_t addr, VTDIntent intent,
                                 VTDLeaf *leaf)
{
    VTDIntent second = intent;
    uint64_t gpa = leaf->addr | (addr & leaf->mask);
    VTDLeaf host;
    uint8_t code;

    if (w->ctx->pgtt != VTD_PGTT_NESTED) {
        return VTD_FR_NONE;
    }
    second.write = intent.write &&
                   (vtd_leaf_perm(leaf->perm, intent.priv) & VTD_PERM_W);
    code = vtd_walk_second(w, &nested_page_faults, &w->second, gpa, second,
                           &host);
    if (code != VTD_FR_NONE) {
        return code;
    }
    leaf->perm &= host.perm;
    leaf->dirty = host.dirty;
    leaf->snoop |= host.snoop;
    leaf->split = host.mask < leaf->mask;
    leaf->mask = MIN(leaf->mask, host.mask);
    leaf->addr = (host.addr | (gpa & host.mask)) & ~leaf->mask;
    /* A first stage that only reads over a second stage that only writes */
    return vtd_judge(&nested_page_faults, leaf->perm, intent);
}

static const VTDFormat vtd_first_format = {
    .present = vtd_first_present,
    .rights = vtd_first_rights,
    .grant = vtd_first_grant,
    .accessed = vtd_first_accessed,
    .dirty = vtd_first_dirty,
    .global = vtd_first_global,
    .snoop = vtd_first_snoop,
    .enter = vtd_first_enter,
    .unlock = vtd_first_unlock,
    .compose = vtd_first_compose,
};

static uint8_t vtd_walk_first(VTDWalk *w, uint64_t addr, VTDIntent intent,
                              VTDLeaf *leaf)
{
    VTDStage stage = {
        .faults = &first_faults,
        .reserved = &w->t->first_reserved,
        .tag = &w->tag,
    };

    if (!vtd_first_canonical(w->ctx, addr)) {
        return VTD_FR_SGN_1_CANONICAL;
    }
    return vtd_walk_stage(w, &vtd_first_format, &stage, w->ctx->first_root,
                          w->ctx->first_levels, VTD_FIRST_ALL, addr, intent,
                          leaf);
}

void vtd_walk_init(VTDTranslator *t)
{
    const VTDFeatures *f = &t->features;

    vtd_first_reserved(f, &t->first_reserved);
    vtd_second_reserved(f, true, &t->second_reserved);
    vtd_second_reserved(f, f->snoop_control, &t->legacy_reserved);
}

void vtd_walk_begin(VTDWalk *w, VTDTranslator *t, const VTDContext *ctx,
                    uint64_t fence)
{
    w->t = t;
    w->ctx = ctx;
    w->fence = fence;
    w->tag = vtd_tag(t, ctx->pgtt, ctx->did, ctx->pasid);
    if (ctx->pgtt == VTD_PGTT_NESTED) {
        /* An invalidation moves the second stage's generation first */
        smp_rmb();
        w->second = vtd_tag(t, VTD_PGTT_SECOND, ctx->did, VTD_NO_PASID);
    }
    /* The generations before the tables */
    smp_rmb();
}

VTDFaultReason vtd_walk(VTDWalk *w, uint64_t addr, VTDIntent intent,
                        VTDLeaf *leaf)
{
    const VTDContext *ctx = w->ctx;

    if (ctx->pgtt == VTD_PGTT_SECOND) {
        return vtd_walk_second(w, ctx->flags & VTD_CTX_LEGACY ? &legacy_faults
                                                              : &second_faults,
                               &w->tag, addr, intent, leaf);
    }
    return vtd_walk_first(w, addr, intent, leaf);
}
