/*
 * intel-dsa: flights in line, whose work queues take turns by priority.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_MISC_DSA_LINE_H
#define HW_MISC_DSA_LINE_H

#include "qemu/queue.h"
#include "job.h"

typedef struct DSAFlight DSAFlight;
typedef QTAILQ_HEAD(DSAFlightList, DSAFlight) DSAFlightList;

/**
 * DSALine: what a queue gets of a resource does not depend on how many flights
 * it has in line. Whoever holds the line's lock may use it.
 * @wqs: those with flights in line, one bit each; 0 if there is none at all
 */
typedef struct DSALine {
    DSAFlightList of[DSA_MAX_WQS];
    int32_t share[DSA_MAX_WQS];
    unsigned wqs;
} DSALine;

void dsa_line_init(DSALine *line);
/* @fl, which is in no list, to the end of its queue's */
void dsa_line_add(DSALine *line, DSAFlight *fl);
void dsa_line_remove(DSALine *line, DSAFlight *fl);
/* Whose turn it is, out of the line; NULL if there is none */
DSAFlight *dsa_line_take(DSALine *line);

#endif /* HW_MISC_DSA_LINE_H */
