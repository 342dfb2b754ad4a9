/*
 * Bare-metal tests: selectors, for boot.S as well
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_GUEST_BARE_SELECTORS_H
#define TESTS_GUEST_BARE_SELECTORS_H

/* Privilege level 3, and the task state segment */
#define USER_CODE 0x33
#define USER_DATA 0x3b
#define TSS 0x40

#endif /* TESTS_GUEST_BARE_SELECTORS_H */
