/*
 * Bare-metal tests: selectors, for boot.S as well
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_GUEST_BARE_SELECTORS_H
#define TESTS_GUEST_BARE_SELECTORS_H

/* Code of both sizes, flat data, and data for the test to change */
#define CODE32 0x08
#define FLAT_DATA 0x10
#define CODE64 0x18
#define SEGMENT 0x20

/* Privilege level 3, and the task state segment */
#define USER_CODE32 0x2b        /* in images of 64-bit mode */
#define USER_CODE 0x33
#define USER_DATA 0x3b
#define TSS 0x40

#endif /* TESTS_GUEST_BARE_SELECTORS_H */
