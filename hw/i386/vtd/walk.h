/*
 * intel-vtd: page walks (VT-d 3.6 to 3.8)
 *
 * One iterator steps through the levels of a table and keeps the
 * paging-structure cache; a VTDFormat says what the entries mean
 * (fmt-first.h, fmt-second.h). With nesting, the format of the first stage
 * sends each table pointer and the final address through the second stage.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_VTD_WALK_H
#define HW_I386_VTD_WALK_H

#include "translator.h"

/*
 * Permissions as a walk has them: VTD_PERM_* of a user request and, shifted,
 * of a supervisor request.
 */
#define VTD_PERM_ALL            (VTD_PERM_R | VTD_PERM_W | VTD_PERM_X)
#define VTD_PERM_PRIV_SHIFT     3

/**
 * VTDIntent: what a walk is for.
 * @read, @write, @exec, @priv: as in VTDRequest
 * @offer: a translation request: a permission that is missing is not granted
 *         but is no fault as long as any is left
 */
typedef struct VTDIntent {
    bool read, write, exec, priv, offer;
} VTDIntent;

/**
 * VTDLeaf: what a walk arrived at.
 * @addr: output address of the first byte of the page
 * @mask: size of the page minus one
 * @perm: for user and supervisor, see above
 * @dirty: nothing is left to be recorded in memory before a write
 * @split: the page is part of a larger first-stage page
 */
typedef struct VTDLeaf {
    uint64_t addr;
    uint64_t mask;
    uint8_t perm;
    bool dirty, global, snoop, split;
} VTDLeaf;

/**
 * VTDWalk: one walk.
 * @t: the translator
 * @ctx: tables and rules
 * @tag: the tag of @ctx's translations
 * @second: with nesting, the tag of the second stage alone
 * @fence: value of VTDTranslator.fence when the request began
 */
typedef struct VTDWalk {
    VTDTranslator *t;
    const VTDContext *ctx;
    VTDTag tag;
    VTDTag second;
    uint64_t fence;
} VTDWalk;

/* Reserved-bit masks of all formats, from the features. */
void vtd_walk_init(VTDTranslator *t);

/*
 * Takes the stamps: must come before anything is read from memory. @fence is
 * the value that VTDTranslator.fence had before @ctx was looked up.
 */
void vtd_walk_begin(VTDWalk *w, VTDTranslator *t, const VTDContext *ctx,
                    uint64_t fence);

/**
 * vtd_walk: walk the tables for @addr.
 * Sets A and D. Returns VTD_FR_NONE and *@leaf, or the reason of the fault.
 * Any thread, RCU read section.
 */
VTDFaultReason vtd_walk(VTDWalk *w, uint64_t addr, VTDIntent intent,
                        VTDLeaf *leaf);

/* What of @leaf one privilege may do */
static inline uint8_t vtd_leaf_perm(uint8_t perm, bool priv)
{
    return (priv ? perm >> VTD_PERM_PRIV_SHIFT : perm) & VTD_PERM_ALL;
}

#endif /* HW_I386_VTD_WALK_H */
