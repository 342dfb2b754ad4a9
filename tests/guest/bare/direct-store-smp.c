/*
 * MOVDIR64B to RAM while another processor reads: all 64 bytes become visible
 * at once (SDM vol. 2)
 *
 * One processor stores a number eight times side by side and counts up. The
 * other reads the eight one after the other. What it reads can never decrease,
 * whichever end it begins at, unless a store was seen in parts.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "bare.h"

#define READS 5000000
#define CHANGES 100     /* that the reader has to have seen */

/* volatile: the other processor reads or writes these */
static volatile uint64_t shared[8] __attribute__((aligned(64)));
static volatile uint64_t written;       /* by the writer */
static volatile bool stop, stopped;     /* by the reader, the writer */

static void writer(void)
{
    uint64_t data[8];

    for (uint64_t n = 1; !stop; n++) {
        for (unsigned i = 0; i < 8; i++) {
            data[i] = n;
        }
        asm volatile("movdir64b (%0), %1"
                     : : "r"(data), "r"(shared) : "memory");
        written = n;
    }
    stopped = true;
}

/* Number of decreases in one reading of all eight */
static unsigned read_all(bool upwards, uint64_t *last)
{
    unsigned torn = 0;

    for (unsigned i = 0; i < 8; i++) {
        uint64_t n = shared[upwards ? i : 7 - i];

        torn += n < *last;
        *last = n;
    }
    return torn;
}

void bare_main(void)
{
    unsigned torn[2] = { 0, 0 };
    unsigned changes = 0;
    uint64_t last = 0;

    start_ap(writer);
    for (unsigned n = 0; n < READS || changes < CHANGES; n++) {
        bool upwards = n & 1;
        uint64_t before = last;

        torn[upwards] += read_all(upwards, &last);
        changes += last != before;
    }
    stop = true;
    while (!stopped) {
        asm volatile("pause");
    }

    note("%x changes seen", changes);
    check(last <= written && shared[0] == written && shared[7] == written,
          "the last store is there");
    check(!torn[1], "read upwards: %x torn stores", torn[1]);
    check(!torn[0], "read downwards: %x torn stores", torn[0]);
}
