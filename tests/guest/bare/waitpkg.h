/*
 * User-level waiting: UMONITOR, UMWAIT, TPAUSE (SDM vol. 2)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_GUEST_WAITPKG_H
#define TESTS_GUEST_WAITPKG_H

#include "bare.h"

#define IA32_UMWAIT_CONTROL 0xe1
#define FOREVER (~0ull)

static inline uint64_t rdtsc(void)
{
    uint32_t low, high;

    asm volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

/* volatile: what is monitored is written by somebody else */
static inline void umonitor(const volatile void *line)
{
    asm volatile("umonitor %0" : : "r"(line) : "memory");
}

/* Both return CF */
static inline bool umwait(uint32_t control, uint64_t deadline)
{
    bool limit;

    asm volatile("umwait %1"
                 : "=@ccc"(limit)
                 : "r"(control), "a"((uint32_t)deadline),
                   "d"((uint32_t)(deadline >> 32))
                 : "memory");
    return limit;
}

static inline bool tpause(uint32_t control, uint64_t deadline)
{
    bool limit;

    asm volatile("tpause %1"
                 : "=@ccc"(limit)
                 : "r"(control), "a"((uint32_t)deadline),
                   "d"((uint32_t)(deadline >> 32))
                 : "memory");
    return limit;
}

/*
 * Stop the PC's timer, which the firmware leaves running (counter 0 in mode 0
 * and without a count), and mask its interrupt controller: an interrupt ends a
 * wait even if it is masked by EFLAGS.IF.
 */
static inline void silence_timer(void)
{
    asm volatile("outb %0, $0x43" : : "a"((uint8_t)0x30));
    asm volatile("outb %0, $0x21; outb %0, $0xa1" : : "a"((uint8_t)0xff));
}

#endif /* TESTS_GUEST_WAITPKG_H */
