/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include <sched.h>
#include <string.h>

#include "libcpus.h"

bool run_on(unsigned cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return sched_setaffinity(0, sizeof(set), &set) == 0;
}

void run_anywhere(void)
{
    cpu_set_t set;

    /* Linux takes those that there are */
    memset(&set, 0xff, sizeof(set));
    sched_setaffinity(0, sizeof(set), &set);
}

void run_everywhere(void)
{
    unsigned cpu;

    for (cpu = 0; cpu < CPU_SETSIZE && run_on(cpu); cpu++) {
        /* being there is enough */
    }
    run_anywhere();
}
