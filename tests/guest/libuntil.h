/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who waits for whom, however slow the machine is. */
#ifndef LIBUNTIL_H
#define LIBUNTIL_H

#include <stdbool.h>

/*
 * Call @fn until it returns true. False if it has not after so long a time
 * that it must be a hang.
 */
bool until_true(bool (*fn)(void *arg), void *arg);

/*
 * Run before the kernel's threads, which on one processor serve no page request
 * then, or like any other task again. Children inherit it. Needs root.
 */
bool run_first(bool first);

#endif
