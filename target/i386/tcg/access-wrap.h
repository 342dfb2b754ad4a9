/*
 * Accesses of several words that go past the last address
 *
 * The base prepares such an access by pages and then computes addresses from
 * where it began, which must not wrap around: it asserts that they do not.
 * Outside of 64-bit mode it would go on above 4 GiB, where no program of such
 * a mode can reach (SDM vol. 3, 4.1.1).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef I386_TCG_ACCESS_WRAP_H
#define I386_TCG_ACCESS_WRAP_H

#include "cpu.h"
#include "target/i386/tcg/helper-tcg.h"

/**
 * access_check_wrap: raise #GP(0) if @size bytes from the linear address @addr
 * do not end before the address space of the mode does.
 * @ra: GETPC() of the helper
 *
 * implementation choice: in 64-bit mode the last address and the first are both
 * canonical, and the SDM (vol. 1, 3.3.7.1) does not say what becomes of an
 * access to both; in others an access past a limit of 4 GiB may raise the
 * exception or not (vol. 3, 6.3).
 */
static inline void access_check_wrap(CPUX86State *env, vaddr addr,
                                     unsigned size, uintptr_t ra)
{
    vaddr last = addr + size - 1;

    if (unlikely(last < addr || (!(env->hflags & HF_CS64_MASK) &&
                                 last > UINT32_MAX))) {
        raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
    }
}

#endif /* I386_TCG_ACCESS_WRAP_H */
