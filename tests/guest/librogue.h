/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process that does everything to its queue that it should not. Each misdeed
 * must fail as the architecture says and leave the queue in order.
 */
#ifndef LIBROGUE_H
#define LIBROGUE_H

#include "libdsa.h"

struct rogue {
    struct dsa *queue;              /* a shared one */
    unsigned seed;
    unsigned rounds;                /* each misdeed so many times */
    uint64_t misdeeds;              /* done */
    uint64_t signals;               /* of them ended by one, as they must be */
    bool failed;
    char why[160];
};

/* Returns whether everything failed as it must. Takes over SIGSEGV. */
bool rogue_run(struct rogue *r);

/*
 * Call @fn and return the signal that ended it (SIGSEGV, SIGBUS or SIGILL),
 * or 0 if it returned. One thread of a process at a time.
 */
int signal_of(void (*fn)(void *arg), void *arg);

#endif
