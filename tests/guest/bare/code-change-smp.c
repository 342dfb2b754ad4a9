/*
 * Code that one processor changes while another executes it (SDM vol. 3,
 * 10.1.3): after it has seen the flag and serialized, the other processor
 * executes what was stored before the flag.
 *
 * The function that changes returns a number. One processor counts it up, by
 * a store or LOCK INC into the instruction, and says after each how far it is.
 * The other one reads that, serializes and calls. What the call returns can be
 * newer than what was read, never older.
 *
 * A translation that an emulator made while the store was under way, and keeps
 * thereafter, is older from then on. How often that is so close is up to
 * chance, so both go on for some time.
 *
 * That another processor executes while the code changes goes beyond the
 * manual, which lets it wait. The number lies in one aligned word, so that
 * processors and emulators see the old instruction or the new one.
 *
 * The store goes to a page with other code, or to one without, where it is by
 * a new mapping each time, as operating systems change their own code.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "bare.h"

#define CALLS 200000        /* at least */
#define SEEN 1000           /* different numbers, at least */

/* "mov $number, %eax; ret", the number in one aligned word */
#define FUNCTION_BYTES 16
#define NUMBER_AT 4

typedef uint32_t Function(void);

static uint8_t pages[2][PAGE] __attribute__((aligned(PAGE)));

/* volatile: the other processor reads or executes it */
typedef volatile uint32_t Number;

static Number written;
static Number *number;
static volatile bool stop, stopped;     /* one processor tells the other */
static bool new_mapping, atomic;    /* set before the writer starts */

/* Make the function at @code */
static Function *make_function(uint8_t *code, uint32_t value)
{
    static const uint8_t bytes[FUNCTION_BYTES] = {
        [0] = 0x90, 0x90, 0x90, 0xb8,
        [NUMBER_AT + 4] = 0xc3,
    };

    memcpy(code, bytes, sizeof(bytes));
    *(uint32_t *)(code + NUMBER_AT) = value;
    return (Function *)(uintptr_t)code;
}

static void writer(void)
{
    for (uint32_t n = 1; !stop; n++) {
        if (new_mapping) {
            asm volatile("invlpg (%0)" : : "r"(number) : "memory");
        }
        if (atomic) {
            asm volatile("lock incl %0" : "+m"(*number) : : "memory");
        } else {
            *number = n;
        }
        asm volatile("" : : : "memory");
        written = n;
    }
    stopped = true;
}

static void serialize(void)
{
    uint32_t regs[4];

    cpuid(0, 0, regs);
}

static void execute(Function *function, Function *neighbour, const char *what)
{
    unsigned old = 0, seen = 0, wrong = 0;
    uint32_t last = 0, value;

    if (neighbour) {
        neighbour();        /* from now on the page has code that stays */
    }
    number = (Number *)((uintptr_t)function + NUMBER_AT);
    written = 0;
    stop = stopped = false;
    start_ap(writer);
    for (unsigned n = 0; (n < CALLS || seen < SEEN) && !old; n++) {
        uint32_t least = written;

        serialize();
        value = function();
        old += value < least;
        seen += value != last;
        last = value;
        wrong += neighbour && neighbour() != 7;
    }
    stop = true;
    while (!stopped) {
        asm volatile("pause");
    }
    serialize();
    value = function();
    note("%s: %x numbers seen, %x written, hexadecimal", what, seen, written);
    check(!old, "%s: never an older number", what);
    check(value == written, "%s: the last number stays", what);
    check(!wrong, "%s: other code is as it was", what);
}

void bare_main(void)
{
    Function *neighbour = make_function(pages[1] + 256, 7);

    new_mapping = true;
    execute(make_function(pages[0], 0), NULL, "alone in its page");

    new_mapping = false;
    execute(make_function(pages[1], 0), neighbour, "beside other code");

    atomic = true;
    execute(make_function(pages[1], 0), neighbour, "changed by LOCK INC");
}
