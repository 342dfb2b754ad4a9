/*
 * Direct stores: what the tests of both modes share
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_GUEST_DIRECT_STORE_H
#define TESTS_GUEST_DIRECT_STORE_H

#include "bare.h"

/* CPUID.(EAX=7,ECX=0):ECX */
#define HAS_MOVDIRI (1u << 27)
#define HAS_MOVDIR64B (1u << 28)

typedef struct Op {
    void *dst;
    const void *src;
    unsigned long flags;        /* what the instruction left */
} Op;

/* Test memory: two pages each, filled anew for each case */
extern uint8_t source[2 * PAGE] __attribute__((aligned(4096)));
extern uint8_t target[2 * PAGE] __attribute__((aligned(4096)));

/* Fill source with a pattern and target with 0xee */
void fill(void);

/**
 * only_changed: whether of target only the bytes [offset, offset + len) have
 * changed, and to those of @data.
 */
bool only_changed(unsigned offset, unsigned len, const void *data);

/* Whether CPUID says what the command line wants; TAP case each */
void check_cpuid(void);

/* Function for guarded_call() around one instruction */
#define OP(name, text) \
    static void name(void *arg) \
    { \
        Op *op = arg; \
        asm volatile(text : : "a"(op->dst), "c"(op->src) : "memory"); \
    }

#endif /* TESTS_GUEST_DIRECT_STORE_H */
