/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include "libuntil.h"

#define TIMEOUT_SECONDS 60
#define NAP 1000                    /* microseconds */

static time_t seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

bool until_true(bool (*fn)(void *arg), void *arg)
{
    const time_t end = seconds() + TIMEOUT_SECONDS;

    while (!fn(arg)) {
        if (seconds() > end) {
            return fn(arg);     /* it may be this program that was away */
        }
        usleep(NAP);
    }
    return true;
}

bool run_first(bool first)
{
    struct sched_param how = { .sched_priority = first ? 99 : 0 };

    return sched_setscheduler(0, first ? SCHED_FIFO : SCHED_OTHER, &how) == 0;
}
