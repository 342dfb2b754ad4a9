/*
 * intel-dsa: flights in line, whose work queues take turns by priority.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/host-utils.h"
#include "engine.h"
#include "turn.h"

void dsa_line_init(DSALine *line)
{
    unsigned i;

    for (i = 0; i < DSA_MAX_WQS; i++) {
        QTAILQ_INIT(&line->of[i]);
    }
}

void dsa_line_add(DSALine *line, DSAFlight *fl)
{
    unsigned wq = fl->job.wq.index;

    QTAILQ_INSERT_TAIL(&line->of[wq], fl, link);
    line->wqs |= BIT(wq);
}

void dsa_line_remove(DSALine *line, DSAFlight *fl)
{
    unsigned wq = fl->job.wq.index;

    QTAILQ_REMOVE(&line->of[wq], fl, link);
    if (QTAILQ_EMPTY(&line->of[wq])) {
        line->wqs &= ~BIT(wq);
        line->share[wq] = 0;
    }
}

DSAFlight *dsa_line_take(DSALine *line)
{
    DSATurn turn = { };
    DSAFlight *fl;
    unsigned m;

    for (m = line->wqs; m; m &= m - 1) {
        unsigned wq = ctz32(m);

        fl = QTAILQ_FIRST(&line->of[wq]);
        dsa_turn_offer(&turn, wq, &line->share[wq],
                       MAX(fl->job.wq.priority, 1));
    }
    if (!dsa_turn_decide(&turn)) {
        return NULL;
    }
    fl = QTAILQ_FIRST(&line->of[turn.who]);
    dsa_line_remove(line, fl);
    return fl;
}
