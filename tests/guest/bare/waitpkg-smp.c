/*
 * UMWAIT is ended by another processor's store
 *
 * Two processors take turns by a word in memory. Each waits for its turn with
 * UMONITOR and UMWAIT. With a limit on the waits, those that no store ended
 * tell so by the carry flag.
 *
 * With "no-wait" on the command line both processors share one thread: waits
 * end at once, and what is judged is that the other one gets its turn.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "waitpkg.h"

#define ROUNDS 2000
#define LIMIT 400000        /* TSC units; far more than an answer takes */

/* volatile: both processors write it */
static volatile uint64_t turn[8] __attribute__((aligned(64)));

typedef struct Count {
    unsigned waits, woken, limited;
} Count;

static Count count[2];

static void take_turn(uint64_t value, Count *c)
{
    while (turn[3] != value) {
        bool limit;

        umonitor(turn);
        if (turn[3] == value) {
            break;
        }
        limit = umwait(0, FOREVER);
        c->waits++;
        c->limited += limit;
        c->woken += !limit && turn[3] == value;
    }
    turn[3] = value + 1;
}

static void second(void)
{
    wrmsr(IA32_UMWAIT_CONTROL, LIMIT);
    for (unsigned i = 0; i < ROUNDS; i++) {
        take_turn(2 * i + 1, &count[1]);
    }
}

void bare_main(void)
{
    silence_timer();
    wrmsr(IA32_UMWAIT_CONTROL, LIMIT);
    start_ap(second);
    for (unsigned i = 0; i < ROUNDS; i++) {
        take_turn(2 * i, &count[0]);
    }
    while (turn[3] != 2 * ROUNDS) {
        asm volatile("pause");
    }
    check(true, "both had all their turns");
    for (unsigned i = 0; i < 2; i++) {
        note("waits %x, woken %x, limited %x, hexadecimal", count[i].waits,
             count[i].woken, count[i].limited);
    }
    check(option("no-wait") ||
          (count[0].woken > ROUNDS / 10 && count[1].woken > ROUNDS / 10),
          "stores of the other processor end UMWAIT");
}
