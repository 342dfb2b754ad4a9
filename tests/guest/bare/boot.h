/*
 * Bare-metal tests: what boot.S and bare.c have of each other
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_GUEST_BARE_BOOT_H
#define TESTS_GUEST_BARE_BOOT_H

#include <stdint.h>
#include "selectors.h"

/* boot.S: 32 entries of 16 bytes; the code to copy for a second processor */
extern char exception_entries[];
extern char ap_trampoline[], ap_trampoline_end[];
extern uint64_t gdt[];
extern void (*ap_function)(void);
extern uint64_t pml4[], pdpt[], pd[];
extern char ring0_stack_top[], user_done[];
int user_enter(void (*fn)(void *), void *arg);

/* bare.c: @info is the multiboot information */
void bare_start(const uint32_t *info);
void exception_fatal(void);

#endif /* TESTS_GUEST_BARE_BOOT_H */
