/*
 * ENQCMD on two processors at once: each command is accepted or refused
 * exactly once, and the submitter's ZF agrees with the device, also while the
 * device changes its mind.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "enqcmd.h"

#define COMMANDS 20000      /* of each processor */

typedef struct Submitter {
    unsigned accepted, refused, strange;
} Submitter;

static Submitter submitter[2];

/* volatile: one processor writes, the other one reads them */
static volatile bool go, done;

static void submit(unsigned cpu)
{
    Submitter *s = &submitter[cpu];
    uint32_t command[16] __attribute__((aligned(64))) = { 0 };

    for (unsigned i = 0; i < COMMANDS; i++) {
        unsigned long flags;

        command[1] = i;
        command[15] = ~i;
        asm volatile("enqcmd (%1), %2; pushf; pop %0"
                     : "=r"(flags)
                     : "r"(command), "r"(portals + cpu * 64)
                     : "memory", "cc");
        s->accepted += (flags & FLAGS) == 0;
        s->refused += (flags & FLAGS) == ZF;
        s->strange += (flags & FLAGS & ~ZF) != 0;
        if (cpu == 0 && i % 64 == 0) {
            testdev[ANSWER] = i / 64 & 1;
        }
    }
}

static void second(void)
{
    set_pasid(2 | PASID_VALID);
    go = true;
    submit(1);
    done = true;
}

void bare_main(void)
{
    unsigned accepted, refused;

    if (!testdev_find()) {
        return;
    }
    set_pasid(1 | PASID_VALID);
    testdev[CLEAR] = 0;
    start_ap(second);
    while (!go) {
        asm volatile("pause");
    }
    submit(0);
    while (!done) {
        asm volatile("pause");
    }

    accepted = submitter[0].accepted + submitter[1].accepted;
    refused = submitter[0].refused + submitter[1].refused;
    note("%x accepted, %x refused, hexadecimal", accepted, refused);
    check(!submitter[0].strange && !submitter[1].strange,
          "no flag but ZF is ever set");
    check(accepted + refused == 2 * COMMANDS, "each has an answer");
    check(testdev[DEFERRABLE] == 2 * COMMANDS, "each reached the device once");
    check(testdev[ACCEPTED] == accepted,
          "as many accepted as the device accepted");
    check(accepted > COMMANDS / 10 && refused > COMMANDS / 10,
          "both answers were given");
    check(testdev[SLOTS] == 1 && testdev[SLOTS + 16] == 2,
          "each processor has a PASID of its own");
}
