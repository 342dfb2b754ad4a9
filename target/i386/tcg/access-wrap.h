/*
 * Accesses of several words that would go on at address 0
 *
 * The base prepares such an access by pages and then computes addresses from
 * where it began, which must not wrap around: it asserts that they do not.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef I386_TCG_ACCESS_WRAP_H
#define I386_TCG_ACCESS_WRAP_H

#include "cpu.h"
#include "target/i386/tcg/helper-tcg.h"

/**
 * access_check_wrap: raise #GP(0) if @size bytes from the linear address @addr
 * do not end before the address space does.
 * @ra: GETPC() of the helper
 *
 * implementation choice: the last address and the first are both canonical, and
 * the SDM (vol. 1, 3.3.7.1) does not say what becomes of an access to both.
 */
static inline void access_check_wrap(CPUX86State *env, vaddr addr,
                                     unsigned size, uintptr_t ra)
{
    if (unlikely(addr + size - 1 < addr)) {
        raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
    }
}

#endif /* I386_TCG_ACCESS_WRAP_H */
