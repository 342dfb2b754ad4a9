/*
 * Enqueue stores: what the tests of both modes share
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_GUEST_ENQCMD_H
#define TESTS_GUEST_ENQCMD_H

#include "direct-store.h"
#include "testdev.h"

#define ZF 0x40
#define HAS_ENQCMD (1u << 29)           /* CPUID.(EAX=7,ECX=0):ECX */

#define PASID 0xa5c3fu                  /* that the tests use */

/* Function for guarded_call() around one instruction; op->flags in and out */
#define FLAGS_OP(name, text) \
    static void name(void *arg) \
    { \
        Op *op = arg; \
        asm volatile("push %3; popf;" text "; pushf; pop %0" \
                     : "=r"(op->flags) \
                     : "a"(op->dst), "c"(op->src), "r"(op->flags) \
                     : "memory", "cc"); \
    }

/**
 * enqueue: call @fn by guarded_call(), or user_call(), with all arithmetic
 * flags set. Returns the exception, NO_FAULT if it was accepted, or REFUSED;
 * BAD_FLAGS if the flags that it left say neither.
 */
int enqueue(void (*fn)(void *), void *dst, const void *src);
int enqueue_user(void (*fn)(void *), void *dst, const void *src);

#define REFUSED (-2)
#define BAD_FLAGS (-3)

/* fill(), with the first doubleword of the source at @offset set to @dword */
void fill_command(unsigned offset, uint32_t dword);

/**
 * arrived: whether the device took one deferrable write at @dst, whole, with
 * @dword and then bytes 4 to 63 of @src, and nothing else since.
 */
bool arrived(const void *dst, uint32_t dword, const uint8_t *src);

/* Whether the device has noticed nothing since testdev[CLEAR] */
bool untouched(void);

/* Write IA32_PASID */
void set_pasid(uint32_t val);

/* Whether CPUID says what the command line wants; a TAP case */
void check_enqcmd_cpuid(void);

#endif /* TESTS_GUEST_ENQCMD_H */
