/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <cpuid.h>
#include <elf.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include "libxstate.h"

/* Offsets in the legacy region (SDM volume 1, 13.4.1) */
#define FX_FCW 0
#define FX_FSW 2
#define FX_FTW 4
#define FX_MXCSR 24
#define FX_ST 32
#define FX_XMM 160
#define FX_SIZE 512
#define XSTATE_BV 512

#define CPUID_XSTATE 0xd

static unsigned offset_of(unsigned component)
{
    uint32_t a, b, c, d;

    __cpuid_count(CPUID_XSTATE, component, a, b, c, d);
    return b;
}

static bool transfer(int request, pid_t task, int set, struct xstate *x,
                     size_t size)
{
    struct iovec vec = { x->area, size };

    if (ptrace(request, task, (void *)(long)set, &vec) < 0) {
        return false;
    }
    if (request == PTRACE_GETREGSET && set == NT_X86_XSTATE) {
        x->size = vec.iov_len;
    }
    return true;
}

bool xstate_get(pid_t task, struct xstate *x)
{
    memset(x, 0, sizeof(*x));
    return transfer(PTRACE_GETREGSET, task, NT_X86_XSTATE, x,
                    sizeof(x->area));
}

bool xstate_set(pid_t task, struct xstate *x)
{
    return transfer(PTRACE_SETREGSET, task, NT_X86_XSTATE, x, x->size);
}

bool fxstate_get(pid_t task, struct xstate *x)
{
    return transfer(PTRACE_GETREGSET, task, NT_PRFPREG, x, FX_SIZE);
}

bool fxstate_set(pid_t task, struct xstate *x)
{
    return transfer(PTRACE_SETREGSET, task, NT_PRFPREG, x, FX_SIZE);
}

uint64_t xstate_bv(const struct xstate *x)
{
    uint64_t bv;

    memcpy(&bv, x->area + XSTATE_BV, sizeof(bv));
    return bv;
}

void xstate_set_bv(struct xstate *x, uint64_t bv)
{
    memcpy(x->area + XSTATE_BV, &bv, sizeof(bv));
}

void xstate_put(struct xstate *x, const struct regs *r, uint32_t features)
{
    uint16_t status = (-r->st_count & 7) << 11;
    uint64_t bv = XSTATE_X87 | XSTATE_SSE;
    uint8_t full = 0;

    /* the tags are of physical registers: the stack grows down from 7 */
    for (unsigned i = 0; i < r->st_count; i++) {
        full |= 0x80 >> i;
        memcpy(x->area + FX_ST + 16 * i, r->st[r->st_count - 1 - i], 10);
    }
    memcpy(x->area + FX_FCW, &r->fcw, 2);
    memcpy(x->area + FX_FSW, &status, 2);
    memcpy(x->area + FX_FTW, &full, 1);
    memcpy(x->area + FX_MXCSR, &r->mxcsr, 4);
    for (unsigned i = 0; i < 16; i++) {
        memcpy(x->area + FX_XMM + 16 * i, r->ymm[i], 16);
    }
    if (features & REGS_AVX) {
        uint8_t *high = x->area + offset_of(2);

        for (unsigned i = 0; i < 16; i++) {
            memcpy(high + 16 * i, r->ymm[i] + 16, 16);
        }
        bv |= XSTATE_AVX;
    }
    if (features & REGS_PKU) {
        memcpy(x->area + offset_of(9), &r->pkru, 4);
        bv |= XSTATE_PKRU;
    }
    xstate_set_bv(x, bv);
}

void xstate_read(const struct xstate *x, struct regs *out, unsigned st_count,
                 uint32_t features)
{
    uint16_t tags = 0xffff, word;

    memset(out, 0, sizeof(*out));
    out->st_count = st_count;
    for (unsigned i = 0; i < 8; i++) {
        if (x->area[FX_FTW] & (1 << i)) {
            tags &= ~(3 << i * 2);
        }
        memcpy(out->st[i], x->area + FX_ST + 16 * i, 10);
    }
    memcpy(&word, x->area + FX_FCW, 2);
    out->env[0] = word;
    memcpy(&word, x->area + FX_FSW, 2);
    out->env[1] = word;
    out->env[2] = tags;
    memcpy(&out->mxcsr, x->area + FX_MXCSR, 4);
    for (unsigned i = 0; i < 16; i++) {
        memcpy(out->ymm[i], x->area + FX_XMM + 16 * i, 16);
    }
    if (features & REGS_AVX) {
        const uint8_t *high = x->area + offset_of(2);

        for (unsigned i = 0; i < 16; i++) {
            memcpy(out->ymm[i] + 16, high + 16 * i, 16);
        }
    }
    if (features & REGS_PKU) {
        memcpy(&out->pkru, x->area + offset_of(9), 4);
    }
}
