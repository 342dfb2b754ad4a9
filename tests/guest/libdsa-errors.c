/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors that must be refused (DSA section 5.8) while the process and
 * its queue live on.
 */
#include <string.h>
#include <time.h>

#include "libdsatests.h"
#include "libtap.h"

static struct dsa_record record;
static uint8_t page[4 * PAGE] __attribute__((aligned(PAGE)));

static const struct {
    const char *name;
    struct dsa_desc desc;           /* addresses are offsets into page[] */
    bool addresses;
    unsigned expected;
} refused[] = {
    { "unknown operation", { .opcode = 0x3f }, false, DSA_BAD_OPCODE },
    { "flag that no operation has",
      { .opcode = DSA_NOOP, .flags = 1 << 23 }, false, DSA_BAD_FLAGS },
    { "block on fault where there is no memory",
      { .opcode = DSA_NOOP, .flags = DSA_F_BLOCK }, false, DSA_BAD_FLAGS },
    { "reserved field of a memmove",
      { .opcode = DSA_MEMMOVE, .dst = PAGE, .size = 64,
        .special = { [20] = 1 } }, true, DSA_BAD_RESERVED },
    { "memmove of no bytes",
      { .opcode = DSA_MEMMOVE, .dst = PAGE, .size = 0 }, true, DSA_BAD_SIZE },
    { "memmove of more than the limit",
      { .opcode = DSA_MEMMOVE, .dst = PAGE, .size = 0x80000001 }, true,
      DSA_BAD_SIZE },
    { "dualcast to different places in a page",
      { .opcode = DSA_DUALCAST, .dst = PAGE, .size = 64,
        .dst2 = 2 * PAGE + 8 }, true, DSA_BAD_DUALCAST },
};

static struct dsa_desc built(unsigned i)
{
    struct dsa_desc desc = refused[i].desc;

    desc.flags |= DSA_F_RECORD_VALID | DSA_F_RECORD;
    desc.record = (uintptr_t)&record;
    if (refused[i].addresses) {
        desc.src += (uintptr_t)page;
        desc.dst += (uintptr_t)page;
        if (desc.opcode == DSA_DUALCAST) {
            desc.dst2 += (uintptr_t)page;
        }
    }
    return desc;
}

static const char *alive(struct dsa *d)
{
    struct dsa_desc desc = dsa_prepare(DSA_NOOP, 0, &record);

    return dsa_expect(&record, dsa_run(d, &desc), DSA_OK);
}

/* A record at an odd place cannot be written: nothing may be. */
static const char *record_misplaced(struct dsa *d)
{
    struct dsa_desc desc = dsa_prepare(DSA_NOOP, 0,
                                       (struct dsa_record *)(page + 8));
    const char *why;

    memset(page, 0, sizeof(page));
    dsa_submit(d, &desc);
    desc = dsa_prepare(DSA_DRAIN, 0, &record);
    why = dsa_expect(&record, dsa_run(d, &desc), DSA_OK);
    return why ? why : mem_check_value(page, sizeof(page), 0);
}

/* No record was asked for, and none of success is written. */
static const char *record_unwanted(struct dsa *d)
{
    struct dsa_record *other = (struct dsa_record *)page;
    struct dsa_desc desc = dsa_prepare(DSA_NOOP, 0, other);
    const char *why;

    memset(page, 0, sizeof(page));
    desc.flags &= ~(unsigned)DSA_F_RECORD;
    dsa_submit(d, &desc);
    desc = dsa_prepare(DSA_DRAIN, 0, &record);
    why = dsa_expect(&record, dsa_run(d, &desc), DSA_OK);
    return why ? why : mem_check_value(page, sizeof(page), 0);
}

void test_errors(struct dsa *d)
{
    unsigned i;

    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct dsa_desc desc = built(i);
        const char *why;

        memset(page, 0, sizeof(page));
        why = dsa_expect(&record, dsa_run(d, &desc), refused[i].expected);
        if (!why && refused[i].expected == DSA_BAD_FLAGS &&
            !(record.invalid_flags & refused[i].desc.flags)) {
            why = tap_why("invalid flags 0x%x", record.invalid_flags);
        }
        if (!why) {
            why = mem_check_value(page, sizeof(page), 0);
        }
        tap_result(why ? why : alive(d), "refused: %s", refused[i].name);
    }
    tap_result(record_unwanted(d), "no record unless asked for");
    tap_result(record_misplaced(d), "record at an odd place is not written");
    tap_result(alive(d), "the queue lives on after all errors");
}
