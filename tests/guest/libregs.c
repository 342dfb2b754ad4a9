/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <cpuid.h>
#include <string.h>

#include "libregs.h"
#include "libtap.h"

#define FCW_INITIAL 0x37f
#define MXCSR_INITIAL 0x1f80
#define XCR0_SSE_AVX 6

_Static_assert(offsetof(struct regs, st) == REGS_ST, "");
_Static_assert(offsetof(struct regs, mxcsr) == REGS_MXCSR, "");
_Static_assert(offsetof(struct regs, pkru) == REGS_PKRU, "");
_Static_assert(offsetof(struct regs, fcw) == REGS_FCW, "");
_Static_assert(offsetof(struct regs, st_count) == REGS_ST_COUNT, "");
_Static_assert(offsetof(struct regs, env) == REGS_ENV, "");
_Static_assert(sizeof(struct regs) == REGS_SIZE, "");
_Static_assert(offsetof(struct hold, out) == HOLD_OUT, "");
_Static_assert(offsetof(struct hold, nr) == HOLD_NR, "");
_Static_assert(offsetof(struct hold, arg) == HOLD_ARG, "");
_Static_assert(offsetof(struct hold, count) == HOLD_COUNT, "");
_Static_assert(offsetof(struct hold, spin) == HOLD_SPIN, "");
_Static_assert(offsetof(struct hold, result) == HOLD_RESULT, "");
_Static_assert(offsetof(struct hold, features) == HOLD_FEATURES, "");
_Static_assert(offsetof(struct hold, call) == HOLD_CALL, "");

void (*regs_signal_handler)(int sig, siginfo_t *info, void *context,
                            const struct regs *entry);

/* For regs_signal_entry, which may come at any moment */
uint32_t regs_handler_features;

uint32_t regs_features(void)
{
    uint32_t a, b, c, d, features = 0;

    __cpuid(1, a, b, c, d);
    if (c & bit_OSXSAVE) {
        uint32_t low, high;

        asm volatile("xgetbv" : "=a" (low), "=d" (high) : "c" (0));
        if ((c & bit_AVX) && (low & XCR0_SSE_AVX) == XCR0_SSE_AVX) {
            features |= REGS_AVX;
        }
    }
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) && (c & bit_OSPKE)) {
        features |= REGS_PKU;
    }
    regs_handler_features = features;
    return features;
}

uint32_t regs_pkru(void)
{
    uint32_t value = 0, high;

    if (regs_features() & REGS_PKU) {
        asm volatile("rdpkru" : "=a" (value), "=d" (high) : "c" (0));
    }
    return value;
}

uint64_t regs_random(uint64_t *state)
{
    uint64_t x = *state += 0x9e3779b97f4a7c15;

    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

static void fill(void *at, size_t size, uint64_t *state)
{
    uint64_t number;

    for (size_t i = 0; i < size; i += sizeof(number)) {
        number = regs_random(state);
        memcpy((uint8_t *)at + i, &number, sizeof(number));
    }
}

/* A normal number: the integer bit set, any sign, no extreme exponent */
static void fill_st(uint8_t *st, uint64_t *state)
{
    fill(st, 16, state);
    st[7] |= 0x80;
    st[9] = (st[9] & 0x80) | 0x3f;
}

void regs_initial(struct regs *r)
{
    memset(r, 0, sizeof(*r));
    r->fcw = FCW_INITIAL;
    r->mxcsr = MXCSR_INITIAL;
}

void regs_pattern(struct regs *r, uint64_t *state, uint32_t features)
{
    uint64_t choice = regs_random(state);

    regs_initial(r);
    if (choice & 0x3) {
        /* any masks, precision and rounding */
        r->fcw = 0x40 | (regs_random(state) & 0xf3f);
        r->st_count = regs_random(state) % 9;
        for (unsigned i = 0; i < r->st_count; i++) {
            fill_st(r->st[i], state);
        }
    }
    if (choice & 0xc) {
        for (unsigned i = 0; i < 16; i++) {
            fill(r->ymm[i], 16, state);
        }
    }
    if (choice & 0x30) {
        r->mxcsr = regs_random(state) & 0xffff;
    }
    if ((features & REGS_AVX) && (choice & 0xc0)) {
        for (unsigned i = 0; i < 16; i++) {
            fill(r->ymm[i] + 16, 16, state);
        }
    }
    if ((features & REGS_PKU) && (choice & 0x300)) {
        /* key 0 is what all memory has */
        r->pkru = regs_random(state) & ~3u;
    }
}

/* The x87 environment of FNSTENV against what the pattern makes of it */
static const char *env_differs(const struct regs *in, const struct regs *out)
{
    unsigned top = -in->st_count & 7;
    uint16_t tags = 0xffff;

    for (unsigned i = 0; i < in->st_count; i++) {
        tags &= ~(3 << (7 - i) * 2);
    }
    if ((uint16_t)out->env[0] != in->fcw) {
        return tap_why("x87 control word 0x%x, expected 0x%x",
                       (uint16_t)out->env[0], in->fcw);
    }
    if ((uint16_t)out->env[1] != top << 11) {
        return tap_why("x87 status word 0x%x, expected 0x%x",
                       (uint16_t)out->env[1], top << 11);
    }
    if ((uint16_t)out->env[2] != tags) {
        return tap_why("x87 tag word 0x%x, expected 0x%x",
                       (uint16_t)out->env[2], tags);
    }
    return NULL;
}

const char *regs_differ(const struct regs *in, const struct regs *out,
                        uint32_t features)
{
    unsigned width = features & REGS_AVX ? 32 : 16;
    const char *why = env_differs(in, out);

    /* the registers were loaded in order: the last one is the top */
    for (unsigned i = 0; !why && i < in->st_count; i++) {
        if (memcmp(in->st[in->st_count - 1 - i], out->st[i], 10)) {
            why = tap_why("st(%u) differs", i);
        }
    }
    for (unsigned i = 0; !why && i < 16; i++) {
        for (unsigned at = 0; !why && at < width; at++) {
            if (in->ymm[i][at] != out->ymm[i][at]) {
                why = tap_why("%cmm%u, byte %u: 0x%x, expected 0x%x",
                              at < 16 ? 'x' : 'y', i, at, out->ymm[i][at],
                              in->ymm[i][at]);
            }
        }
    }
    if (!why && in->mxcsr != out->mxcsr) {
        why = tap_why("MXCSR 0x%x, expected 0x%x", out->mxcsr, in->mxcsr);
    }
    if (!why && (features & REGS_PKU) && in->pkru != out->pkru) {
        why = tap_why("PKRU 0x%x, expected 0x%x", out->pkru, in->pkru);
    }
    return why;
}
