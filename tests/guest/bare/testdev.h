/*
 * Bare-metal tests: the dmwr-testdev in slot 4
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_GUEST_BARE_TESTDEV_H
#define TESTS_GUEST_BARE_TESTDEV_H

#include "bare.h"

/* Registers of BAR 0, in units of 32 bits; hw/misc/dmwr-testdev.c */
enum {
    POSTED, DEFERRABLE, PIECES, OFFSET, BIG_LOCK, ANSWER, CLEAR, ACCEPTED,
    DATA = 16,
    SLOTS = 1024,               /* DATA of the last write to each 64 bytes */
};

/* Pages of BAR 2 */
enum {
    PORTAL_LOCKLESS, PORTAL_LOCKED, PORTAL_ORDINARY, PORTAL_NOTHING,
};

extern volatile uint32_t *testdev;      /* registers */
extern uint8_t *portals;                /* BAR 2 */

/* Find the device; one TAP case. The rest of a test is vain if it is false. */
bool testdev_find(void);

#endif /* TESTS_GUEST_BARE_TESTDEV_H */
