/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "libdsatests.h"
#include "libtap.h"
#include "libwork.h"

#define AREA (4 * PAGE)             /* of each operand */
#define CRC_MAX 1024                /* the processor computes it bit by bit */
#define CHILDREN 3

/* One operation in flight, and what it must do */
struct slot {
    struct dsa_record record, child_records[CHILDREN];
    struct dsa_desc desc, children[CHILDREN];
    uint8_t *src, *dst;
    unsigned key;                   /* contents of src */
    unsigned kind;
    unsigned from, to, size;        /* offsets into src and dst */
    unsigned value;                 /* fill: byte; compare: differing or not */
    unsigned present;               /* pages of dst before */
    uint8_t before, behind;         /* bytes around the destination */
};

unsigned work_random(uint64_t *state, unsigned limit)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (*state >> 20) % limit;
}

static struct dsa_desc prepare_move(struct slot *s, struct dsa_record *record)
{
    struct dsa_desc desc = dsa_prepare(DSA_MEMMOVE, DSA_F_BLOCK, record);

    desc.src = (uintptr_t)s->src + s->from;
    desc.dst = (uintptr_t)s->dst + s->to;
    desc.size = s->size;
    return desc;
}

static void prepare_memmove(struct slot *s)
{
    s->desc = prepare_move(s, &s->record);
}

static const char *check_memmove(struct slot *s)
{
    return mem_check(s->dst + s->to, s->size, s->key, s->from);
}

static void prepare_fill(struct slot *s)
{
    s->desc = dsa_prepare(DSA_FILL, DSA_F_BLOCK, &s->record);
    s->desc.pattern = s->value * 0x0101010101010101ull;
    s->desc.dst = (uintptr_t)s->dst + s->to;
    s->desc.size = s->size;
}

static const char *check_fill(struct slot *s)
{
    return mem_check_value(s->dst + s->to, s->size, s->value);
}

static void prepare_compare(struct slot *s)
{
    s->value &= 1;
    memcpy(s->dst + s->to, s->src + s->from, s->size);
    s->dst[s->to + s->size / 2] ^= s->value << 4;
    s->desc = dsa_prepare(DSA_COMPARE, DSA_F_BLOCK, &s->record);
    s->desc.src = (uintptr_t)s->src + s->from;
    s->desc.src2 = (uintptr_t)s->dst + s->to;
    s->desc.size = s->size;
}

static const char *check_compare(struct slot *s)
{
    return s->record.result == s->value ? NULL :
           tap_why("result %u instead of %u", s->record.result, s->value);
}

static void prepare_crc(struct slot *s)
{
    s->size = s->size % CRC_MAX + 1;
    s->desc = dsa_prepare(DSA_CRCGEN, DSA_F_BLOCK, &s->record);
    s->desc.src = (uintptr_t)s->src + s->from;
    s->desc.size = s->size;
    s->desc.seed = s->value;
}

static const char *check_sum(struct slot *s, const struct dsa_record *record,
                             unsigned seed)
{
    uint32_t crc = crc32c(seed, s->src + s->from, s->size);

    return record->crc == crc ? NULL :
           tap_why("0x%llx instead of 0x%x",
                   (unsigned long long)record->crc, crc);
}

static const char *check_crc(struct slot *s)
{
    return check_sum(s, &s->record, s->value);
}

static void prepare_copy_crc(struct slot *s)
{
    s->size = s->size % CRC_MAX + 1;
    s->desc = prepare_move(s, &s->record);
    s->desc.opcode = DSA_COPY_CRC;
}

static const char *check_copy_crc(struct slot *s)
{
    const char *why = check_sum(s, &s->record, 0);

    return why ? why : check_memmove(s);
}

/* A memmove, behind a fence the checksum of its result, and nothing */
static void prepare_batch(struct slot *s)
{
    unsigned i;

    s->size = s->size % CRC_MAX + 1;
    s->children[0] = prepare_move(s, &s->child_records[0]);
    s->children[1] = dsa_prepare(DSA_CRCGEN, DSA_F_BLOCK | DSA_F_FENCE,
                                 &s->child_records[1]);
    s->children[1].src = (uintptr_t)s->dst + s->to;
    s->children[1].size = s->size;
    s->children[2] = dsa_prepare(DSA_NOOP, DSA_F_FENCE, &s->child_records[2]);
    for (i = 0; i < CHILDREN; i++) {
        s->child_records[i].status = 0;
    }
    s->desc = dsa_prepare(DSA_BATCH, 0, &s->record);
    s->desc.list = (uintptr_t)s->children;
    s->desc.count = CHILDREN;
}

static const char *check_batch(struct slot *s)
{
    const char *why = NULL;
    unsigned i;

    for (i = 0; i < CHILDREN && !why; i++) {
        why = dsa_expect(&s->child_records[i], s->child_records[i].status,
                         DSA_OK);
    }
    if (!why) {
        why = check_sum(s, &s->child_records[1], 0);
    }
    return why ? why : check_memmove(s);
}

static const struct {
    const char *name;
    void (*prepare)(struct slot *s);
    const char *(*check)(struct slot *s);
    unsigned operands;              /* how often its size counts as bytes */
    bool writes;                    /* to dst */
} kinds[] = {
    { "memmove", prepare_memmove, check_memmove, 2, true },
    { "fill", prepare_fill, check_fill, 1, true },
    { "compare", prepare_compare, check_compare, 2, false },
    { "checksum", prepare_crc, check_crc, 1, false },
    { "copy with checksum", prepare_copy_crc, check_copy_crc, 2, true },
    { "batch", prepare_batch, check_batch, 3, true },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static unsigned pages_of(uint8_t *area)
{
    const struct mem m = { .at = area, .size = AREA };

    return mem_present(&m);
}

/* Choose an operation; now and then its destination is memory never touched */
static void choose(struct slot *s, uint64_t *random)
{
    s->kind = work_random(random, KINDS);
    s->from = work_random(random, AREA / 2);
    s->to = 1 + work_random(random, AREA / 2 - 2);
    s->size = 1 + work_random(random, AREA / 2);
    s->value = work_random(random, 256);
    s->record.status = 0;
    kinds[s->kind].prepare(s);
    s->before = s->dst[s->to - 1];
    s->behind = s->dst[s->to + s->size];
    s->present = AREA / PAGE;
    if (kinds[s->kind].writes && work_random(random, 4) == 0) {
        madvise(s->dst, AREA, MADV_DONTNEED);
        s->before = s->behind = 0;
        s->present = pages_of(s->dst);
    }
}

static const char *finish(struct work *w, struct slot *s)
{
    unsigned status = dsa_wait_by(&s->record, w->waiting);
    unsigned batch_failed = status == DSA_BATCH_FAILED;
    const char *why;

    if (batch_failed) {
        why = kinds[s->kind].check(s);
        why = why ? why : "a batch failed without a child that did";
    } else {
        why = dsa_expect(&s->record, status, DSA_OK);
    }
    if (!why && s->present < AREA / PAGE) {
        w->counts.pages += pages_of(s->dst) - s->present;
    }
    if (!why) {
        why = kinds[s->kind].check(s);
    }
    if (!why && (s->dst[s->to - 1] != s->before ||
                 s->dst[s->to + s->size] != s->behind)) {
        why = "bytes beside the destination changed";
    }
    if (!why) {
        w->counts.verified++;
        w->counts.bytes += s->size * kinds[s->kind].operands;
    }
    return why;
}

static void one_round(struct work *w, struct dsa *d, struct slot *slots,
                      uint64_t *random)
{
    const char *why;
    unsigned i;

    for (i = 0; i < WORK_AT_ONCE; i++) {
        choose(&slots[i], random);
        dsa_submit(d, &slots[i].desc);
    }
    for (i = 0; i < WORK_AT_ONCE; i++) {
        why = finish(w, &slots[i]);
        if (why && !w->counts.wrong) {
            w->counts.wrong = 1;
            snprintf(w->why, sizeof(w->why), "%s of %u bytes: %s",
                     kinds[slots[i].kind].name, slots[i].size, why);
        }
    }
}

bool work_run(struct work *w)
{
    const size_t size = WORK_AT_ONCE * (sizeof(struct slot) + 2 * AREA);
    struct dsa d = *w->queue;
    uint64_t random = w->seed * 0x9e3779b97f4a7c15ull + 1;
    struct mem m = { 0 };
    struct slot *slots;
    unsigned i, round;

    d.submissions = d.retries = 0;
    w->why[0] = 0;
    memset(&w->counts, 0, sizeof(w->counts));
    if (!mem_kinds[MEM_UNTOUCHED].make(&m, size)) {
        snprintf(w->why, sizeof(w->why), "no memory");
        w->counts.wrong = 1;
        return false;
    }
    slots = (struct slot *)(m.at + WORK_AT_ONCE * 2 * AREA);
    for (i = 0; i < WORK_AT_ONCE; i++) {
        slots[i].src = m.at + 2 * i * AREA;
        slots[i].dst = slots[i].src + AREA;
        slots[i].key = w->seed + i;
        mem_fill(slots[i].src, AREA, slots[i].key);
    }
    for (round = 0; round < w->rounds && !w->counts.wrong; round++) {
        if (w->stop && *w->stop) {
            break;
        }
        one_round(w, &d, slots, &random);
    }
    mem_drop(&m);
    w->counts.submissions = d.submissions;
    w->counts.retries = d.retries;
    return !w->counts.wrong;
}

void work_add(struct work_counts *sum, const struct work_counts *counts)
{
    sum->submissions += counts->submissions;
    sum->retries += counts->retries;
    sum->verified += counts->verified;
    sum->bytes += counts->bytes;
    sum->pages += counts->pages;
    sum->wrong += counts->wrong;
}
