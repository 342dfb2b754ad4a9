/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Patterns in x87, vector and protection key registers, held over something
 * that must leave them alone.
 */
#ifndef LIBREGS_H
#define LIBREGS_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libregs-layout.h"

/*
 * What the registers hold. @env is written only: the x87 environment as
 * FNSTENV stores it. Of the 16 bytes of each @st ten are the register.
 */
struct regs {
    uint8_t ymm[16][32];
    uint8_t st[8][16];
    uint32_t mxcsr;
    uint32_t pkru;
    uint16_t fcw;
    uint16_t st_count;
    uint32_t env[7];
};

/*
 * One holding: @in goes into the registers; then @count times: @spin turns of
 * a loop, system call @nr with @arg unless @nr is negative, and a call of
 * @call unless it is NULL; then the registers go to @out. @result is of the
 * last system call. If that forks, both processes come out of it.
 */
struct hold {
    const struct regs *in;
    struct regs *out;
    long nr;
    long arg[6];
    uint64_t count;
    uint64_t spin;
    long result;
    uint32_t features;
    void (*call)(void);
};

/* Do it. Leaves the registers as the C language expects them. */
void regs_hold(struct hold *h);

/* Garbage, made of @seed, into everything there is. Does not put it back. */
void regs_clobber(const struct regs *garbage, uint32_t features);

/*
 * To be installed with SA_SIGINFO: stores the registers as they are at the
 * handler's first instruction, then calls regs_signal_handler.
 */
void regs_signal_entry(int sig, siginfo_t *info, void *context);

/* Set by the program, before the first signal */
extern void (*regs_signal_handler)(int sig, siginfo_t *info, void *context,
                                   const struct regs *entry);

/* Which of REGS_AVX and REGS_PKU the kernel has switched on */
uint32_t regs_features(void);

/* This processor's PKRU, 0 without REGS_PKU */
uint32_t regs_pkru(void);

/* A fast generator of 64-bit numbers; *@state is any number */
uint64_t regs_random(uint64_t *state);

/*
 * A pattern from the generator. Now and then some parts have their initial
 * values, which the processor may save in another way.
 */
void regs_pattern(struct regs *r, uint64_t *state, uint32_t features);

/* What a task begins with; PKRU apart, which is the system's choice */
void regs_initial(struct regs *r);

/*
 * The first difference in words, NULL if @out, as stored, is what was loaded
 * from @in.
 */
const char *regs_differ(const struct regs *in, const struct regs *out,
                        uint32_t features);

#endif
