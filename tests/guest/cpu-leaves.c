/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cpu-leaves: CPUID leaf 0DH against itself, XCR0 and IA32_XSS: what it says
 * of sizes must be true for the components that the kernel has enabled, also
 * if that is less than everything. Results as TAP; needs /dev/cputest.
 */
#include <cpuid.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "libcputest.h"
#include "libtap.h"

#define LEAF 0xd
#define XSAVEC (1u << 1)        /* of sub-leaf 1, EAX */
#define XSAVES (1u << 3)
#define SUPERVISOR (1u << 0)    /* of a component, ECX */
#define ALIGNED (1u << 1)
#define LEGACY_SIZE 576         /* of legacy region and header */
#define PASID 10

struct leaf {
    uint32_t a, b, c, d;
};

static struct leaf cpuid(uint32_t leaf, uint32_t sub)
{
    struct leaf l;

    __cpuid_count(leaf, sub, l.a, l.b, l.c, l.d);
    return l;
}

static uint64_t xcr0(void)
{
    uint32_t low, high;

    asm volatile("xgetbv" : "=a" (low), "=d" (high) : "c" (0));
    return (uint64_t)high << 32 | low;
}

/* SDM volume 1, 13.4.3: the standard format's size for @components */
static uint32_t standard_size(uint64_t components)
{
    uint32_t size = LEGACY_SIZE;

    for (unsigned i = 2; i < 63; i++) {
        struct leaf l = cpuid(LEAF, i);

        if ((components >> i & 1) && l.a + l.b > size) {
            size = l.a + l.b;
        }
    }
    return size;
}

/* ... and the compacted format's */
static uint32_t compacted_size(uint64_t components)
{
    uint32_t size = LEGACY_SIZE;

    for (unsigned i = 2; i < 63; i++) {
        struct leaf l = cpuid(LEAF, i);

        if (components >> i & 1) {
            size = l.c & ALIGNED ? (size + 63) & -64 : size;
            size += l.a;
        }
    }
    return size;
}

static const char *equal(uint64_t is, uint64_t expected)
{
    return is == expected ? NULL :
           tap_why("0x%llx, expected 0x%llx", (unsigned long long)is,
                   (unsigned long long)expected);
}

/*
 * Every component has a leaf, of the right sort; no other has. Processors
 * that only know the standard format are as the base makes them: it describes
 * what they lack, too, and existing machines must stay as they are.
 */
static const char *components(uint64_t user, uint64_t supervisor,
                              bool compacted)
{
    if (user & supervisor) {
        return "a component is of both sorts";
    }
    for (unsigned i = 2; i < 63; i++) {
        struct leaf l = cpuid(LEAF, i);
        bool is_supervisor = supervisor >> i & 1;

        if (!((user | supervisor) >> i & 1)) {
            if (compacted && (l.a | l.b | l.c | l.d)) {
                return tap_why("sub-leaf %u is not empty", i);
            }
        } else if (!l.a || !!(l.c & SUPERVISOR) != is_supervisor ||
                   (is_supervisor && l.b) || l.d) {
            return tap_why("sub-leaf %u: 0x%x 0x%x 0x%x 0x%x", i, l.a, l.b, l.c,
                           l.d);
        }
    }
    return NULL;
}

int main(void)
{
    struct leaf zero = cpuid(LEAF, 0), one = cpuid(LEAF, 1);
    uint64_t user = (uint64_t)zero.d << 32 | zero.a;
    uint64_t supervisor = (uint64_t)one.d << 32 | one.c;
    bool enqcmd = cpuid(7, 0).c >> 29 & 1;
    bool xsaves = one.a & XSAVES;
    bool compacted = one.a & (XSAVEC | XSAVES);
    uint64_t xss = 0;
    int fd = cputest_open();

    if (fd < 0) {
        perror("/dev/cputest");
        return 2;
    }
    if (xsaves) {
        tap_result(cputest_get_xss(fd, &xss) ? NULL : "it cannot be read",
                   "IA32_XSS is there");
    }
    printf("# XCR0 0x%llx of 0x%llx, IA32_XSS 0x%llx of 0x%llx\n",
           (unsigned long long)xcr0(), (unsigned long long)user,
           (unsigned long long)xss, (unsigned long long)supervisor);
    tap_result(xcr0() & ~user ? "there is more" : NULL,
               "XCR0 has supported components only");
    tap_result(xss & ~supervisor ? "there is more" : NULL,
               "so has IA32_XSS");
    tap_result(components(user, supervisor, compacted),
               "every component is described");
    tap_result(equal(zero.b, standard_size(xcr0())),
               "the standard format's size for what is enabled");
    tap_result(equal(zero.c, standard_size(user)), "and for everything");
    if (compacted) {
        tap_result(equal(one.b, compacted_size(xcr0() | xss)),
                   "the compacted format's size for what is enabled");
    }
    tap_result(equal(supervisor >> PASID & 1, xsaves && enqcmd),
               "PASID is a supervisor component if there is ENQCMD");
    tap_result(enqcmd && !xsaves ? "there is ENQCMD without XSAVES" : NULL,
               "no ENQCMD without XSAVES");
    return tap_end();
}
