/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work of one thread through a queue: random operations on memory of its own,
 * several in flight, each result compared with what it must be.
 */
#ifndef LIBWORK_H
#define LIBWORK_H

#include "libdsa.h"

struct work_counts {
    uint64_t submissions;           /* accepted by the queue */
    uint64_t retries;               /* refused by it, and tried again */
    uint64_t verified;              /* operations whose results were checked */
    uint64_t bytes;                 /* read or written by them */
    uint64_t pages;                 /* that came by the accelerator's faults */
    uint64_t wrong;                 /* 1 if a check failed, or it hangs */
};

struct work {
    struct dsa *queue;              /* copied: threads may share it */
    unsigned seed;                  /* of everything random, and of contents */
    unsigned rounds;                /* operations: WORK_AT_ONCE times that */
    enum dsa_waiting waiting;
    /* volatile: another process sets it; ends the work early, may be NULL */
    const volatile bool *stop;
    struct work_counts counts;
    char why[160];                  /* what went wrong, "" if nothing */
};

#define WORK_AT_ONCE 4              /* operations in flight */

/* Do it. Returns whether every check was good. */
bool work_run(struct work *w);

void work_add(struct work_counts *sum, const struct work_counts *counts);

/* A random number below @limit; @state is never 0 */
unsigned work_random(uint64_t *state, unsigned limit);

#endif
