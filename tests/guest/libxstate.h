/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A stopped task's extended state, as ptrace gives it, and struct regs. */
#ifndef LIBXSTATE_H
#define LIBXSTATE_H

#include <sys/types.h>

#include "libregs.h"

/* State components (SDM volume 1, 13.1) */
#define XSTATE_X87 (1ull << 0)
#define XSTATE_SSE (1ull << 1)
#define XSTATE_AVX (1ull << 2)
#define XSTATE_PKRU (1ull << 9)
#define XSTATE_PASID (1ull << 10)

/*
 * The standard form of the XSAVE area: 512 bytes of FXSAVE, the header, then
 * components at the offsets that CPUID leaf 0DH gives.
 */
struct xstate {
    size_t size;
    uint8_t area[8192] __attribute__((aligned(64)));
};

/* PTRACE_GETREGSET and PTRACE_SETREGSET of NT_X86_XSTATE; false: see errno */
bool xstate_get(pid_t task, struct xstate *x);
bool xstate_set(pid_t task, struct xstate *x);

/* The same of NT_PRFPREG: x87 and SSE state alone, in the same place */
bool fxstate_get(pid_t task, struct xstate *x);
bool fxstate_set(pid_t task, struct xstate *x);

/* XSTATE_BV of the header */
uint64_t xstate_bv(const struct xstate *x);
void xstate_set_bv(struct xstate *x, uint64_t bv);

/* Put @r in place, and the bits of all components that it has */
void xstate_put(struct xstate *x, const struct regs *r, uint32_t features);

/*
 * What the task's registers are, as regs_hold would have stored them;
 * @st_count is how many of the x87 registers to expect.
 */
void xstate_read(const struct xstate *x, struct regs *out, unsigned st_count,
                 uint32_t features);

#endif
