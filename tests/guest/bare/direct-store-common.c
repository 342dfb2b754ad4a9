/*
 * Direct stores: what the tests of both modes share
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "direct-store.h"

uint8_t source[2 * PAGE];
uint8_t target[2 * PAGE];

void fill(void)
{
    static unsigned seed;

    seed += 7;
    for (unsigned i = 0; i < sizeof(source); i++) {
        source[i] = (i * 29 + (i >> 8) + seed) & 0x7f;
        target[i] = 0xee;
    }
}

bool only_changed(unsigned offset, unsigned len, const void *data)
{
    for (unsigned i = 0; i < sizeof(target); i++) {
        if (i - offset >= len && target[i] != 0xee) {
            return false;
        }
    }
    return !memcmp(target + offset, data, len);
}

void check_cpuid(void)
{
    bool want = !option("absent");
    uint32_t regs[4];

    cpuid(7, 0, regs);
    check(!!(regs[2] & HAS_MOVDIRI) == want, "CPUID: MOVDIRI %s",
          want ? "present" : "absent");
    check(!!(regs[2] & HAS_MOVDIR64B) == want, "CPUID: MOVDIR64B %s",
          want ? "present" : "absent");
}
