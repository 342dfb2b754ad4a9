/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which processor the calling thread runs on. */
#ifndef LIBCPUS_H
#define LIBCPUS_H

#include <stdbool.h>

/* Go to processor @cpu and stay there. False if it cannot be had. */
bool run_on(unsigned cpu);

/* Any processor will do again. */
void run_anywhere(void);

/*
 * Run on one after the other, then anywhere. An idle processor keeps the
 * address space of the task it ran last, and with it that space's PASID, until
 * it runs a task of another one, which may be never.
 */
void run_everywhere(void);

#endif
