/*
 * UMWAIT is ended by another processor's store
 *
 * Two processors take turns by a word in memory. Each waits for its turn with
 * UMONITOR and UMWAIT. With a limit on the waits, those that no store ended
 * tell so by the carry flag. A host that is busy may let any number of waits
 * reach the limit, so they go on until both processors have been woken often
 * enough; if stores wake nobody they never end.
 *
 * With "no-wait" on the command line both processors share one thread: waits
 * end at once, and what is judged is that the other one gets its turn.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "waitpkg.h"

#define ROUNDS 2000         /* at least */
#define WOKEN 200           /* waits of each that the other one has ended */
#define LIMIT 400000        /* TSC units; more than an answer mostly takes */

/* volatile: both processors write it */
static volatile uint64_t turn[8] __attribute__((aligned(64)));

/* volatile: the first processor sets it before it begins that round */
static volatile uint64_t last_round = FOREVER;

/* volatile: the first processor looks at both */
typedef volatile struct Count {
    unsigned waits, woken, limited;
} Count;

static Count count[2];

static bool woken_enough(void)
{
    return count[0].woken >= WOKEN && count[1].woken >= WOKEN;
}

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
    for (uint64_t i = 0; i <= last_round; i++) {
        take_turn(2 * i + 1, &count[1]);
    }
}

void bare_main(void)
{
    uint64_t rounds = 0;

    silence_timer();
    wrmsr(IA32_UMWAIT_CONTROL, LIMIT);
    start_ap(second);
    while (last_round == FOREVER) {
        if (rounds + 1 >= ROUNDS && (option("no-wait") || woken_enough())) {
            last_round = rounds;
        }
        take_turn(2 * rounds++, &count[0]);
    }
    while (turn[3] != 2 * rounds) {
        asm volatile("pause");
    }
    check(true, "both had all their turns");
    for (unsigned i = 0; i < 2; i++) {
        note("waits %x, woken %x, limited %x, hexadecimal", count[i].waits,
             count[i].woken, count[i].limited);
    }
    check(option("no-wait") || woken_enough(),
          "stores of the other processor end UMWAIT");
}
