/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each operation (DSA section 8.3) on each kind of memory, sources filled by
 * the processor, destinations as the kind brings them, with block on fault.
 */
#include <string.h>
#include <unistd.h>

#include "libdsatests.h"
#include "libtap.h"

#define SIZE (1024 * 1024 + 64 * 1024)
#define GUARD 0xa5

static struct dsa_record record;

static const size_t lengths[] = {
    1, 2, 63, 64, 65, 4095, 4096, 4097, 65536 + 13, SIZE - 8192,
};
#define LENGTHS (sizeof(lengths) / sizeof(lengths[0]))

uint32_t crc32c(uint32_t crc, const uint8_t *at, size_t size)
{
    unsigned bit;

    for (crc = ~crc; size--; ) {
        crc ^= *at++;
        for (bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
        }
    }
    return ~crc;
}

/* A file's descriptor must see what the accelerator wrote to its mapping. */
static const char *check_file(const struct mem *m, size_t at, size_t size,
                              unsigned key, size_t from)
{
    uint8_t buffer[4096];
    const char *why = NULL;

    while (m->fd > 0 && size && !why) {
        size_t n = size < sizeof(buffer) ? size : sizeof(buffer);

        if (pread(m->fd, buffer, n, at) != (ssize_t)n) {
            return "the file cannot be read";
        }
        why = mem_check(buffer, n, key, from);
        at += n;
        from += n;
        size -= n;
    }
    return why;
}

static const char *memmove_one(struct dsa *d, struct mem *src, struct mem *dst,
                               size_t from, size_t to, size_t size)
{
    struct dsa_desc desc = dsa_prepare(DSA_MEMMOVE, DSA_F_BLOCK, &record);
    const char *why;

    desc.src = (uintptr_t)src->at + from;
    desc.dst = (uintptr_t)dst->at + to;
    desc.size = size;
    why = dsa_expect(&record, dsa_run(d, &desc), DSA_OK);
    if (!why) {
        why = mem_check(dst->at + to, size, 1, from);
    }
    return why ? why : check_file(dst, to, size, 1, from);
}

static const char *op_memmove(struct dsa *d, struct mem *src, struct mem *dst)
{
    const char *why = NULL;
    unsigned i;

    for (i = 0; i < LENGTHS && !why; i++) {
        size_t to = 4096 - 5 * i, end = to + lengths[i];
        uint8_t before = dst->at[to - 1];

        dst->at[end] = GUARD;
        why = memmove_one(d, src, dst, 7 * i, to, lengths[i]);
        if (!why && (dst->at[to - 1] != before || dst->at[end] != GUARD)) {
            why = "bytes beside the destination changed";
        }
    }
    return why;
}

/* Source and destination overlap, in both directions. */
static const char *op_overlap(struct dsa *d, struct mem *src, struct mem *dst)
{
    const size_t size = 300 * 1024, shift = 5000;
    const char *why = NULL;
    unsigned up;

    (void)src;
    for (up = 0; up < 2 && !why; up++) {
        struct dsa_desc desc = dsa_prepare(DSA_MEMMOVE, DSA_F_BLOCK, &record);

        mem_fill(dst->at, size + shift, 2);
        desc.src = (uintptr_t)dst->at + (up ? 0 : shift);
        desc.dst = (uintptr_t)dst->at + (up ? shift : 0);
        desc.size = size;
        why = dsa_expect(&record, dsa_run(d, &desc), DSA_OK);
        if (!why) {
            why = mem_check(dst->at + (up ? shift : 0), size, 2,
                            up ? 0 : shift);
        }
    }
    return why;
}

static const char *op_fill(struct dsa *d, struct mem *src, struct mem *dst)
{
    const uint64_t pattern = 0x0123456789abcdef;
    const char *why = NULL;
    unsigned i;
    size_t n;

    (void)src;
    for (i = 0; i < LENGTHS && !why; i++) {
        struct dsa_desc desc = dsa_prepare(DSA_FILL, DSA_F_BLOCK, &record);
        uint8_t *at = dst->at + 64 + i;

        desc.pattern = pattern;
        desc.dst = (uintptr_t)at;
        desc.size = lengths[i];
        at[-1] = at[lengths[i]] = GUARD;
        why = dsa_expect(&record, dsa_run(d, &desc), DSA_OK);
        for (n = 0; n < lengths[i] && !why; n++) {
            if (at[n] != (uint8_t)(pattern >> 8 * (n % 8))) {
                why = tap_why("byte %zu of %zu is 0x%x", n, lengths[i], at[n]);
            }
        }
        if (!why && (at[-1] != GUARD || at[lengths[i]] != GUARD)) {
            why = "bytes beside the filled ones changed";
        }
    }
    return why;
}

static const char *expect_compare(const struct dsa_desc *desc, struct dsa *d,
                                  unsigned status, unsigned result, size_t at)
{
    const char *why = dsa_expect(&record, dsa_run(d, desc), status);

    if (!why && record.result != result) {
        why = tap_why("result %u instead of %u", record.result, result);
    }
    if (!why && result && record.done != at) {
        why = tap_why("difference at %u instead of %zu", record.done, at);
    }
    return why;
}

static const char *op_compare(struct dsa *d, struct mem *src, struct mem *dst)
{
    const size_t size = 200000, differs = 123457;
    struct dsa_desc desc = dsa_prepare(DSA_COMPARE, DSA_F_BLOCK, &record);
    const char *why;

    memcpy(dst->at + 3, src->at, size);
    desc.src = (uintptr_t)src->at;
    desc.src2 = (uintptr_t)dst->at + 3;
    desc.size = size;
    why = expect_compare(&desc, d, DSA_OK, 0, 0);
    if (why) {
        return why;
    }
    dst->at[3 + differs] ^= 1;
    why = expect_compare(&desc, d, DSA_OK, 1, differs);
    if (why) {
        return why;
    }
    desc.flags |= DSA_F_CHECK;
    desc.expected = 0;
    why = expect_compare(&desc, d, DSA_FALSE, 1, differs);
    if (why) {
        return why;
    }
    desc.expected = 1;
    return expect_compare(&desc, d, DSA_OK, 1, differs);
}

static const char *op_compval(struct dsa *d, struct mem *src, struct mem *dst)
{
    const uint64_t value = 0x1122334455667788;
    struct dsa_desc desc = dsa_prepare(DSA_COMPVAL, DSA_F_BLOCK, &record);
    const size_t size = 96 * 1024 + 5, differs = 70001;
    const char *why;
    size_t i;

    (void)src;
    for (i = 0; i < size; i++) {
        dst->at[i] = value >> 8 * (i % 8);
    }
    desc.src = (uintptr_t)dst->at;
    desc.value = value;
    desc.size = size;
    why = expect_compare(&desc, d, DSA_OK, 0, 0);
    if (!why) {
        dst->at[differs] ^= 0x80;
        why = expect_compare(&desc, d, DSA_OK, 1, differs & ~(size_t)7);
        /* the offset may be that of the byte or of its eight bytes */
        if (why && record.status == DSA_OK && record.done == differs) {
            why = NULL;
        }
    }
    return why;
}

static const char *op_dualcast(struct dsa *d, struct mem *src,
                               struct mem *dst)
{
    const size_t size = 256 * 1024 + 100, second = 512 * 1024;
    struct dsa_desc desc = dsa_prepare(DSA_DUALCAST, DSA_F_BLOCK, &record);
    const char *why;

    desc.src = (uintptr_t)src->at + 9;
    desc.dst = (uintptr_t)dst->at + 40;
    desc.dst2 = (uintptr_t)dst->at + second + 40;
    desc.size = size;
    why = dsa_expect(&record, dsa_run(d, &desc), DSA_OK);
    if (!why) {
        why = mem_check(dst->at + 40, size, 1, 9);
    }
    return why ? why : mem_check(dst->at + second + 40, size, 1, 9);
}

static const char *op_crcgen(struct dsa *d, struct mem *src, struct mem *dst)
{
    struct dsa_desc desc = dsa_prepare(DSA_CRCGEN, DSA_F_BLOCK, &record);
    const char *why = NULL;
    uint32_t seed = 0;
    unsigned i;

    memcpy(dst->at, "123456789", 9);
    desc.src = (uintptr_t)dst->at;
    desc.size = 9;
    why = dsa_expect(&record, dsa_run(d, &desc), DSA_OK);
    if (!why && record.crc != 0xe3069283) {
        why = tap_why("the check value is 0x%llx",
                      (unsigned long long)record.crc);
    }
    for (i = 0; i < LENGTHS && !why; i++) {
        uint32_t crc = crc32c(seed, src->at + i, lengths[i]);

        desc.src = (uintptr_t)src->at + i;
        desc.size = lengths[i];
        desc.seed = seed;
        why = dsa_expect(&record, dsa_run(d, &desc), DSA_OK);
        if (!why && record.crc != crc) {
            why = tap_why("0x%llx instead of 0x%x over %zu bytes",
                          (unsigned long long)record.crc, crc, lengths[i]);
        }
        seed = crc;                 /* the next one continues this one */
    }
    return why;
}

static const char *op_copy_crc(struct dsa *d, struct mem *src,
                               struct mem *dst)
{
    struct dsa_desc desc = dsa_prepare(DSA_COPY_CRC, DSA_F_BLOCK, &record);
    const size_t size = 130 * 1024 + 1;
    uint32_t crc = crc32c(0, src->at + 11, size);
    const char *why;

    desc.src = (uintptr_t)src->at + 11;
    desc.dst = (uintptr_t)dst->at + 1;
    desc.size = size;
    why = dsa_expect(&record, dsa_run(d, &desc), DSA_OK);
    if (!why && record.crc != crc) {
        why = tap_why("0x%llx instead of 0x%x",
                      (unsigned long long)record.crc, crc);
    }
    return why ? why : mem_check(dst->at + 1, size, 1, 11);
}

static const char *op_cflush(struct dsa *d, struct mem *src, struct mem *dst)
{
    struct dsa_desc desc = dsa_prepare(DSA_CFLUSH, DSA_F_BLOCK, &record);
    const char *why;

    (void)dst;
    desc.dst = (uintptr_t)src->at;
    desc.size = SIZE;
    why = dsa_expect(&record, dsa_run(d, &desc), DSA_OK);
    return why ? why : mem_check(src->at, SIZE, 1, 0);
}

static const struct {
    const char *name;
    const char *(*run)(struct dsa *d, struct mem *src, struct mem *dst);
} operations[] = {
    { "memmove", op_memmove },
    { "overlapping memmove", op_overlap },
    { "fill", op_fill },
    { "compare", op_compare },
    { "compare with a pattern", op_compval },
    { "dualcast", op_dualcast },
    { "checksum", op_crcgen },
    { "copy with checksum", op_copy_crc },
    { "cache flush", op_cflush },
};
#define OPERATIONS (sizeof(operations) / sizeof(operations[0]))

static void test_plain(struct dsa *d)
{
    struct dsa_desc desc = dsa_prepare(DSA_NOOP, 0, &record);

    tap_result(dsa_expect(&record, dsa_run(d, &desc), DSA_OK), "no operation");
    desc = dsa_prepare(DSA_DRAIN, 0, &record);
    tap_result(dsa_expect(&record, dsa_run(d, &desc), DSA_OK),
               "drain of an idle queue");
}

void test_operations(struct dsa *d)
{
    unsigned kind, op;

    test_plain(d);
    for (kind = 0; kind < mem_kind_count; kind++) {
        for (op = 0; op < OPERATIONS; op++) {
            struct mem src = { 0 }, dst = { 0 };
            const char *why = "no such memory";

            if (mem_kinds[kind].make(&src, SIZE) &&
                mem_kinds[kind].make(&dst, SIZE)) {
                mem_fill(src.at, SIZE, 1);
                why = operations[op].run(d, &src, &dst);
            }
            tap_result(why, "%s on %s", operations[op].name,
                       mem_kinds[kind].name);
            mem_drop(&src);
            mem_drop(&dst);
        }
    }
}
