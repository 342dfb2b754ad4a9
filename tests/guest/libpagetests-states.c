/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every operation, with block on fault, on memory whose pages are in every
 * state, as each of its operands.
 */
#include <string.h>

#include "libdsatests.h"
#include "libpagetests.h"
#include "libtap.h"

#define SIZE (16 * PAGE)
#define KEY 5
#define OTHER 6
#define CHILDREN 4

static struct dsa_record record, child_records[CHILDREN];

/* What an operation gets: @aged in its state, @plain present and the same */
struct operands {
    struct dsa *d;
    const struct page_state *state;
    struct mem aged, plain;
};

static const char *check_contents(const struct operands *o, const uint8_t *at,
                                  size_t size)
{
    return o->state->zero ? mem_check_value(at, size, 0)
                          : mem_check(at, size, KEY, 0);
}

static const char *run(struct operands *o, struct dsa_desc *desc)
{
    const char *why;

    desc->flags |= DSA_F_BLOCK;
    why = dsa_expect(&record, dsa_run(o->d, desc), DSA_OK);
    if (!why && record.result) {
        why = tap_why("result %u", record.result);
    }
    return why;
}

static struct dsa_desc two(unsigned opcode, const void *a, const void *b)
{
    struct dsa_desc desc = dsa_prepare(opcode, 0, &record);

    desc.src = (uintptr_t)a;
    desc.dst = (uintptr_t)b;
    desc.size = SIZE;
    return desc;
}

static const char *move_from(struct operands *o)
{
    struct dsa_desc desc = two(DSA_MEMMOVE, o->aged.at, o->plain.at);
    const char *why;

    memset(o->plain.at, 0x77, SIZE);
    why = run(o, &desc);
    return why ? why : check_contents(o, o->plain.at, SIZE);
}

static const char *move_to(struct operands *o)
{
    struct dsa_desc desc = two(DSA_MEMMOVE, o->plain.at, o->aged.at);
    const char *why;

    mem_fill(o->plain.at, SIZE, OTHER);
    why = run(o, &desc);
    return why ? why : mem_check(o->aged.at, SIZE, OTHER, 0);
}

static const char *fill(struct operands *o)
{
    struct dsa_desc desc = two(DSA_FILL, NULL, o->aged.at);
    const char *why;

    desc.pattern = 0x6b6b6b6b6b6b6b6b;
    why = run(o, &desc);
    return why ? why : mem_check_value(o->aged.at, SIZE, 0x6b);
}

static const char *compare_first(struct operands *o)
{
    struct dsa_desc desc = two(DSA_COMPARE, o->aged.at, o->plain.at);

    return run(o, &desc);
}

static const char *compare_second(struct operands *o)
{
    struct dsa_desc desc = two(DSA_COMPARE, o->plain.at, o->aged.at);

    return run(o, &desc);
}

static const char *checksum(struct operands *o)
{
    struct dsa_desc desc = two(DSA_CRCGEN, o->aged.at, NULL);
    uint32_t want = crc32c(0, o->plain.at, SIZE);
    const char *why = run(o, &desc);

    if (!why && (uint32_t)record.crc != want) {
        why = tap_why("checksum 0x%x instead of 0x%x", (uint32_t)record.crc,
                      want);
    }
    return why;
}

/* Children that read it, and one that writes it */
static const char *batch(struct operands *o)
{
    static struct dsa_desc list[CHILDREN];
    struct dsa_desc desc = dsa_prepare(DSA_BATCH, 0, &record);
    const char *why;
    unsigned i;

    for (i = 0; i < CHILDREN; i++) {
        list[i] = two(DSA_COMPARE, o->aged.at, o->plain.at);
        list[i].flags |= DSA_F_BLOCK;
        list[i].record = (uintptr_t)&child_records[i];
        memset(&child_records[i], 0, sizeof(child_records[i]));
    }
    list[CHILDREN - 1].opcode = DSA_FILL;
    list[CHILDREN - 1].pattern = 0x2d2d2d2d2d2d2d2d;
    list[CHILDREN - 1].dst = (uintptr_t)o->aged.at;
    list[CHILDREN - 1].flags |= DSA_F_FENCE;
    desc.list = (uintptr_t)list;
    desc.count = CHILDREN;
    why = run(o, &desc);
    for (i = 0; i < CHILDREN && !why; i++) {
        why = dsa_expect(&child_records[i], child_records[i].status, DSA_OK);
        if (!why && child_records[i].result) {
            why = tap_why("child %u finds a difference", i);
        }
    }
    return why ? why : mem_check_value(o->aged.at, SIZE, 0x2d);
}

static const struct {
    const char *name;
    const char *(*run)(struct operands *o);
} operations[] = {
    { "copy from", move_from },
    { "copy to", move_to },
    { "fill", fill },
    { "compare with", compare_first },
    { "compare to", compare_second },
    { "checksum of", checksum },
    { "batch on", batch },
};

static const char *try(struct operands *o,
                       const char *(*operation)(struct operands *o))
{
    const struct page_state *state = o->state;
    const char *why, *drop;

    if (!state->make(&o->aged, SIZE) ||
        !mem_kinds[MEM_UNTOUCHED].make(&o->plain, SIZE)) {
        return "no memory";
    }
    if (state->zero) {
        memset(o->plain.at, 0, SIZE);
    } else {
        mem_fill(o->plain.at, SIZE, KEY);
        mem_fill(o->aged.at, SIZE, KEY);
    }
    why = state->age(&o->aged);
    if (!why) {
        why = operation(o);
    }
    mem_drop(&o->plain);
    drop = page_state_drop(&o->aged);
    return why ? why : drop;
}

/* The list of a batch and the page of a completion record are memory, too */
static const char *list_itself(struct operands *o)
{
    struct dsa_desc desc = dsa_prepare(DSA_BATCH, DSA_F_BLOCK, &record);
    const unsigned count = SIZE / sizeof(struct dsa_desc);
    struct dsa_desc *list;
    const char *why, *drop;
    unsigned i;

    if (!o->state->make(&o->aged, SIZE)) {
        return "no memory";
    }
    list = (struct dsa_desc *)o->aged.at;
    for (i = 0; i < count; i++) {
        list[i] = (struct dsa_desc) { .opcode = DSA_NOOP };
    }
    why = o->state->age(&o->aged);
    desc.list = (uintptr_t)list;
    desc.count = count;
    if (!why) {
        why = dsa_expect(&record, dsa_run(o->d, &desc), DSA_OK);
    }
    if (!why && record.done != count) {
        why = tap_why("%u of %u descriptors are done", record.done, count);
    }
    drop = page_state_drop(&o->aged);
    return why ? why : drop;
}

void test_page_states(struct dsa *d)
{
    unsigned s, i;

    for (s = 0; s < page_state_count; s++) {
        for (i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
            struct operands o = { .d = d, .state = &page_states[s] };

            tap_result(try(&o, operations[i].run), "%s %s",
                       operations[i].name, page_states[s].name);
        }
        if (!page_states[s].zero) {
            struct operands o = { .d = d, .state = &page_states[s] };

            tap_result(list_itself(&o), "a batch's list in %s",
                       page_states[s].name);
        }
    }
}
