/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waiting for what has to come, however long a slow machine takes. */
#ifndef LIBUNTIL_H
#define LIBUNTIL_H

#include <stdbool.h>

/*
 * Call @fn until it returns true. False if it has not after so long a time
 * that it must be a hang.
 */
bool until_true(bool (*fn)(void *arg), void *arg);

#endif
