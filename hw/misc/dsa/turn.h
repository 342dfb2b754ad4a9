/*
 * intel-dsa: whose turn it is, by weight (DSA section 3.4).
 *
 * Smooth weighted round robin: each that waits gains its weight, the richest is
 * served and pays what all have gained. So over any stretch as long as the sum
 * of weights each is served as often as its weight says, and none waits longer.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_MISC_DSA_TURN_H
#define HW_MISC_DSA_TURN_H

/**
 * DSATurn: one decision; starts as zeroes.
 * @who: whose turn it is, after dsa_turn_decide()
 */
typedef struct DSATurn {
    unsigned who;
    int32_t *richest;
    int32_t sum;
} DSATurn;

/* @who waits and has gained @share so far; @weight is at least 1 */
static inline void dsa_turn_offer(DSATurn *t, unsigned who, int32_t *share,
                                  unsigned weight)
{
    *share += weight;
    t->sum += weight;
    if (!t->richest || *share > *t->richest) {
        t->richest = share;
        t->who = who;
    }
}

/* Returns whether there was any to serve */
static inline bool dsa_turn_decide(DSATurn *t)
{
    if (!t->richest) {
        return false;
    }
    *t->richest -= t->sum;
    return true;
}

#endif /* HW_MISC_DSA_TURN_H */
