/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Batches (DSA section 8.3.2), drains, and many descriptors at once. */
#include <string.h>

#include "libdsatests.h"
#include "libtap.h"

#define CHILDREN 8
#define CHUNK 20000
#define AT_ONCE 16

static struct dsa_desc list[CHILDREN + 1];
static struct dsa_record records[AT_ONCE], parent;

static const char *run_batch(struct dsa *d, unsigned count, unsigned expected)
{
    struct dsa_desc desc = dsa_prepare(DSA_BATCH, 0, &parent);

    memset(records, 0, sizeof(records));
    desc.list = (uintptr_t)list;
    desc.count = count;
    return dsa_expect(&parent, dsa_run(d, &desc), expected);
}

/* Memmoves, a fill that is fenced off, a checksum of what they made */
static const char *batch_of_many(struct dsa *d)
{
    struct mem src = { 0 }, dst = { 0 };
    const char *why = "no memory";
    unsigned i;

    if (!mem_kinds[MEM_MALLOC].make(&src, CHILDREN * CHUNK) ||
        !mem_kinds[MEM_UNTOUCHED].make(&dst, CHILDREN * CHUNK)) {
        goto out;
    }
    mem_fill(src.at, src.size, 3);
    for (i = 0; i < CHILDREN - 1; i++) {
        list[i] = dsa_prepare(DSA_MEMMOVE, DSA_F_BLOCK, &records[i]);
        list[i].src = (uintptr_t)src.at + i * CHUNK;
        list[i].dst = (uintptr_t)dst.at + i * CHUNK;
        list[i].size = CHUNK;
    }
    list[i] = dsa_prepare(DSA_CRCGEN, DSA_F_BLOCK | DSA_F_FENCE, &records[i]);
    list[i].src = (uintptr_t)dst.at;
    list[i].size = i * CHUNK;

    why = run_batch(d, CHILDREN, DSA_OK);
    if (!why && parent.done != CHILDREN) {
        why = tap_why("%u descriptors completed", parent.done);
    }
    for (i = 0; i < CHILDREN && !why; i++) {
        why = dsa_expect(&records[i], records[i].status, DSA_OK);
    }
    if (!why) {
        why = mem_check(dst.at, (CHILDREN - 1) * CHUNK, 3, 0);
    }
    if (!why && records[CHILDREN - 1].crc !=
                crc32c(0, src.at, (CHILDREN - 1) * CHUNK)) {
        why = "the checksum behind the fence is wrong";
    }
out:
    mem_drop(&src);
    mem_drop(&dst);
    return why;
}

static const char *batch_with_failure(struct dsa *d)
{
    const char *why;

    list[0] = dsa_prepare(DSA_NOOP, 0, &records[0]);
    list[1] = dsa_prepare(0x3f, 0, &records[1]);
    list[2] = dsa_prepare(DSA_NOOP, 0, &records[2]);
    why = run_batch(d, 3, DSA_BATCH_FAILED);
    if (!why) {
        why = dsa_expect(&records[0], records[0].status, DSA_OK);
    }
    return why ? why : dsa_expect(&records[1], records[1].status,
                                  DSA_BAD_OPCODE);
}

static const char *batch_in_batch(struct dsa *d)
{
    const char *why;

    list[0] = dsa_prepare(DSA_NOOP, 0, &records[0]);
    list[1] = dsa_prepare(DSA_BATCH, 0, &records[1]);
    list[1].list = (uintptr_t)list;
    list[1].count = 2;
    why = run_batch(d, 2, DSA_BATCH_FAILED);
    return why ? why : dsa_expect(&records[1], records[1].status,
                                  DSA_BAD_OPCODE);
}

static const char *batch_of_one(struct dsa *d)
{
    list[0] = dsa_prepare(DSA_NOOP, 0, &records[0]);
    return run_batch(d, 1, DSA_BAD_COUNT);
}

static const char *batch_misplaced(struct dsa *d)
{
    struct dsa_desc desc = dsa_prepare(DSA_BATCH, 0, &parent);

    desc.list = (uintptr_t)list + 8;
    desc.count = 2;
    return dsa_expect(&parent, dsa_run(d, &desc), DSA_BAD_LIST);
}

/* A drain completes after all that was submitted before it. */
static const char *drain_waits(struct dsa *d)
{
    struct dsa_desc desc;
    struct mem src = { 0 }, dst = { 0 };
    const char *why = "no memory";
    unsigned i;

    if (!mem_kinds[MEM_MALLOC].make(&src, AT_ONCE * CHUNK) ||
        !mem_kinds[MEM_UNTOUCHED].make(&dst, AT_ONCE * CHUNK)) {
        goto out;
    }
    mem_fill(src.at, src.size, 4);
    for (i = 0; i < AT_ONCE - 1; i++) {
        desc = dsa_prepare(DSA_MEMMOVE, DSA_F_BLOCK, &records[i]);
        desc.src = (uintptr_t)src.at + i * CHUNK;
        desc.dst = (uintptr_t)dst.at + i * CHUNK;
        desc.size = CHUNK;
        dsa_submit(d, &desc);
    }
    desc = dsa_prepare(DSA_DRAIN, 0, &parent);
    why = dsa_expect(&parent, dsa_run(d, &desc), DSA_OK);
    for (i = 0; i < AT_ONCE - 1 && !why; i++) {
        why = dsa_expect(&records[i], records[i].status, DSA_OK);
    }
    if (!why) {
        why = mem_check(dst.at, (AT_ONCE - 1) * CHUNK, 4, 0);
    }
out:
    for (i = 0; i < AT_ONCE - 1; i++) {
        dsa_wait(&records[i]);      /* nothing may write freed memory */
    }
    mem_drop(&src);
    mem_drop(&dst);
    return why;
}

void test_batches(struct dsa *d)
{
    tap_result(batch_of_many(d), "batch with a fence, on untouched memory");
    tap_result(batch_with_failure(d), "batch with a bad descriptor in it");
    tap_result(batch_in_batch(d), "batch in a batch is refused");
    tap_result(batch_of_one(d), "batch of one descriptor is refused");
    tap_result(batch_misplaced(d), "batch list at an odd place is refused");
    tap_result(drain_waits(d), "drain waits for fifteen memmoves");
}
