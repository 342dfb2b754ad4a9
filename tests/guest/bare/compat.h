/*
 * Bare-metal tests: instructions in compatibility mode, in images of 64-bit
 * mode (SDM vol. 3, 3.2.1)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_GUEST_BARE_COMPAT_H
#define TESTS_GUEST_BARE_COMPAT_H

#include "selectors.h"

#define COMPAT_STRING(x) #x
#define COMPAT_SELECTOR(x) COMPAT_STRING(x)

/*
 * Assembler text around @text, which is of 32-bit code: there by the selector
 * @code32 and back by @code64. DS and ES stay as @text leaves them; 64-bit mode
 * does not use them.
 */
#define COMPAT(code32, code64, text) \
    "push $" COMPAT_SELECTOR(code32) "; push $1f; lretq; .code32;" \
    "1: " text ";" \
    "ljmp $" COMPAT_SELECTOR(code64) ", $2f; .code64; 2:"

/* At privilege level 0 and 3 */
#define COMPAT_KERNEL(text) COMPAT(CODE32, CODE64, text)
#define COMPAT_USER(text) COMPAT(USER_CODE32, USER_CODE, text)

#endif /* TESTS_GUEST_BARE_COMPAT_H */
