/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mappings that are protected, unmapped, moved, forked, split and collapsed
 * while the accelerator works on them.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libpagetests.h"
#include "libtap.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

#define SIZE (64 * PAGE)
#define BIG (16ul * 1024 * 1024)

static struct dsa_record record;

static struct dsa_desc move(const void *src, void *dst, size_t size)
{
    struct dsa_desc desc = dsa_prepare(DSA_MEMMOVE, DSA_F_BLOCK, &record);

    desc.src = (uintptr_t)src;
    desc.dst = (uintptr_t)dst;
    desc.size = size;
    return desc;
}

static struct dsa_desc fill(uint8_t value, void *dst, size_t size)
{
    struct dsa_desc desc = dsa_prepare(DSA_FILL, DSA_F_BLOCK, &record);

    desc.pattern = value * 0x0101010101010101ull;
    desc.dst = (uintptr_t)dst;
    desc.size = size;
    return desc;
}

/* A write that was refused at a page of these, or one that succeeded */
static const char *refused_in(unsigned status, const uint8_t *from,
                              size_t size)
{
    if (status == DSA_OK) {
        return NULL;
    }
    if (status != (DSA_FAULT_REFUSED | DSA_STATUS_WRITE)) {
        return dsa_expect(&record, status,
                          DSA_FAULT_REFUSED | DSA_STATUS_WRITE);
    }
    if (record.fault_address < (uintptr_t)from ||
        record.fault_address >= (uintptr_t)from + size) {
        return tap_why("refused at 0x%llx, which is not there",
                       (unsigned long long)record.fault_address);
    }
    return NULL;
}

/* --- protection ---------------------------------------------------------- */

struct toggler {
    uint8_t *at;
    size_t size;
    bool stop;
};

static void *toggle(void *opaque)
{
    struct toggler *t = opaque;

    while (!__atomic_load_n(&t->stop, __ATOMIC_RELAXED)) {
        mprotect(t->at, t->size, PROT_READ);
        sched_yield();
        mprotect(t->at, t->size, PROT_READ | PROT_WRITE);
        sched_yield();
    }
    return NULL;
}

/* What lies before the fault is new, what lies behind it is old */
static const char *copy_into_toggled(struct dsa *d, struct mem *src,
                                     struct mem *dst, struct toggler *t,
                                     unsigned round)
{
    unsigned from = round * 100;
    struct dsa_desc desc = move(src->at + from, dst->at, SIZE - from);
    unsigned status = dsa_run(d, &desc);
    const char *why = refused_in(status, t->at, t->size);
    size_t done = status == DSA_OK ? desc.size : record.done;

    if (why) {
        return why;
    }
    why = mem_check(dst->at, done, 1, from);
    if (!why && status != DSA_OK) {
        why = mem_check(dst->at + done, desc.size - done, 2, done);
    }
    return why;
}

static const char *protected_meanwhile(struct dsa *d, struct mem *src,
                                       struct mem *dst)
{
    const char *why = NULL;
    unsigned round;

    mem_fill(src->at, SIZE, 1);
    for (round = 0; round < 20 && !why; round++) {
        struct toggler t = { .at = dst->at + 20 * PAGE, .size = 16 * PAGE };
        pthread_t thread;

        mem_fill(dst->at, SIZE, 2);
        if (pthread_create(&thread, NULL, toggle, &t)) {
            return "no thread";
        }
        why = copy_into_toggled(d, src, dst, &t, round);
        __atomic_store_n(&t.stop, true, __ATOMIC_RELAXED);
        pthread_join(thread, NULL);
    }
    return why;
}

/* Read-only pages in the middle: how far it gets, and where it stops */
static const char *protected_before(struct dsa *d, struct mem *src,
                                    struct mem *dst)
{
    struct toggler t = { .at = dst->at + 20 * PAGE, .size = 16 * PAGE };
    const char *why;

    mem_fill(src->at, SIZE, 1);
    mem_fill(dst->at, SIZE, 2);
    mprotect(t.at, t.size, PROT_READ);
    why = copy_into_toggled(d, src, dst, &t, 0);
    if (!why) {
        why = dsa_expect(&record, record.status,
                         DSA_FAULT_REFUSED | DSA_STATUS_WRITE);
    }
    if (!why && (record.fault_address / PAGE != (uintptr_t)t.at / PAGE ||
                 record.done != 20 * PAGE)) {
        why = tap_why("%u bytes done, refused at page %lld", record.done,
                      (long long)((record.fault_address -
                                   (uintptr_t)dst->at) / PAGE));
    }
    mprotect(t.at, t.size, PROT_READ | PROT_WRITE);
    if (!why) {
        why = copy_into_toggled(d, src, dst, &t, 0);
    }
    return why ? why : dsa_expect(&record, record.status, DSA_OK);
}

/* --- mappings that go ---------------------------------------------------- */

/* A fill of never-touched memory that has got somewhere, but not far */
static void start_fill(struct dsa *d, struct mem *m, unsigned pages)
{
    struct dsa_desc desc = fill(0x3c, m->at, m->size);
    unsigned turns;

    dsa_submit(d, &desc);
    for (turns = 0; turns < 100000 && !record.status; turns++) {
        struct mem first = { .at = m->at + pages * PAGE, .size = PAGE };

        if (pages_present(&first)) {
            break;
        }
        sched_yield();
    }
}

static const char *unmapped_meanwhile(struct dsa *d, struct mem *src,
                                      struct mem *dst)
{
    unsigned round, refused = 0, status;
    const char *why = NULL;

    (void)src;
    (void)dst;
    for (round = 0; round < 5 && !why; round++) {
        struct mem big = { 0 }, canary = { 0 };

        if (!mem_kinds[MEM_UNTOUCHED].make(&big, BIG) ||
            !mem_kinds[MEM_UNTOUCHED].make(&canary, BIG)) {
            return "no memory";
        }
        start_fill(d, &big, 100 + round * 150);
        munmap(big.at, big.size);
        /* the pages are free, and soon those of other addresses */
        canary_fill(&canary);
        status = dsa_wait(&record);
        refused += status != DSA_OK;
        why = refused_in(status, big.at, big.size);
        if (!why) {
            why = canary_check(&canary);
        }
        mem_drop(&canary);
    }
    return why ? why : refused ? NULL : "nothing was in flight";
}

static const char *moved_meanwhile(struct dsa *d, struct mem *src,
                                   struct mem *dst)
{
    unsigned round, refused = 0, status;
    const char *why = NULL;

    (void)src;
    (void)dst;
    for (round = 0; round < 4 && !why; round++) {
        struct mem big = { 0 }, to = { 0 };
        size_t done;

        if (!mem_kinds[MEM_UNTOUCHED].make(&big, BIG / 2) ||
            !mem_kinds[MEM_UNTOUCHED].make(&to, BIG / 2)) {
            return "no memory";
        }
        start_fill(d, &big, 60 + round * 100);
        if (mremap(big.at, big.size, big.size, MREMAP_MAYMOVE | MREMAP_FIXED,
                   to.at) != to.at) {
            why = "no new place";
        }
        status = dsa_wait(&record);
        refused += status != DSA_OK;
        if (!why) {
            why = refused_in(status, big.at, big.size);
        }
        done = status == DSA_OK ? to.size : record.done;
        /* all that was done has moved, and not a byte more */
        if (!why) {
            why = mem_check_value(to.at, done, 0x3c);
        }
        if (!why) {
            why = mem_check_value(to.at + done, to.size - done, 0);
        }
        mem_drop(&to);
    }
    return why ? why : refused ? NULL : "nothing was in flight";
}

/* Pages that are dropped come back as zeros, and the fill goes on */
static const char *dropped_meanwhile(struct dsa *d, struct mem *src,
                                     struct mem *dst)
{
    const char *why = NULL;
    struct mem big = { 0 };
    unsigned round;
    size_t i;

    (void)src;
    (void)dst;
    if (!mem_kinds[MEM_UNTOUCHED].make(&big, BIG / 4)) {
        return "no memory";
    }
    for (round = 0; round < 4 && !why; round++) {
        start_fill(d, &big, 50);
        madvise(big.at, big.size, MADV_DONTNEED);
        why = dsa_expect(&record, dsa_wait(&record), DSA_OK);
        for (i = 0; i < big.size / PAGE && !why; i++) {
            uint8_t first = big.at[i * PAGE];

            if (first != 0 && first != 0x3c) {
                why = tap_why("page %zu begins with 0x%x", i, first);
            }
        }
        /* once more, undisturbed */
        if (!why) {
            struct dsa_desc desc = fill(0x4d, big.at, big.size);

            why = dsa_expect(&record, dsa_run(d, &desc), DSA_OK);
        }
        if (!why) {
            why = mem_check_value(big.at, big.size, 0x4d);
        }
    }
    mem_drop(&big);
    return why;
}

/* --- fork ---------------------------------------------------------------- */

/* The child looks at its copy again and again until it is told to stop */
static int watch_copy(const struct mem *m, int go)
{
    uint8_t *seen = malloc(SIZE);
    char byte;

    if (!seen) {
        return 1;
    }
    memcpy(seen, m->at, SIZE);
    do {
        if (memcmp(seen, m->at, SIZE)) {
            return 1;
        }
    } while (read(go, &byte, 1) < 0);
    return memcmp(seen, m->at, SIZE) != 0;
}

/* Each fork comes while a copy is under way */
static const char *forked_meanwhile(struct dsa *d, struct mem *src,
                                    struct mem *dst)
{
    const char *why = NULL;
    unsigned round, i;

    for (round = 0; round < 4 && !why; round++) {
        struct dsa_desc desc = move(src->at, dst->at, SIZE);
        int go[2], status = -1;
        pid_t child;

        if (pipe2(go, O_NONBLOCK)) {
            return "no pipe";
        }
        mem_fill(src->at, SIZE, round);
        pages_out(dst);
        dsa_submit(d, &desc);
        child = fork();
        if (child == 0) {
            close(go[1]);
            _exit(watch_copy(dst, go[0]));
        }
        why = dsa_expect(&record, dsa_wait(&record), DSA_OK);
        for (i = 0; i < 3 && !why; i++) {
            mem_fill(src->at, SIZE, 100 + round + i);
            why = dsa_expect(&record, dsa_run(d, &desc), DSA_OK);
            if (!why) {
                why = mem_check(dst->at, SIZE, 100 + round + i, 0);
            }
        }
        close(go[1]);
        if (waitpid(child, &status, 0) != child) {
            why = "the child is lost";
        } else if (status && !why) {
            why = "the child saw its copy change";
        }
        close(go[0]);
    }
    return why;
}

/* --- huge pages ---------------------------------------------------------- */

static void *split_and_collapse(void *opaque)
{
    struct toggler *t = opaque;
    unsigned turn;

    for (turn = 0; !__atomic_load_n(&t->stop, __ATOMIC_RELAXED); turn++) {
        uint8_t *page = t->at + turn % 512 * PAGE;

        mprotect(page, PAGE, PROT_READ);
        sched_yield();
        mprotect(page, PAGE, PROT_READ | PROT_WRITE);
        madvise(t->at, t->size, MADV_COLLAPSE);
        sched_yield();
    }
    return NULL;
}

/*
 * Copies from one half of a region to the other, and comparisons, while its
 * huge pages fall apart and come together. Only the source loses permissions.
 */
static const char *huge_meanwhile(struct dsa *d, struct mem *src,
                                  struct mem *dst)
{
    struct toggler t = { 0 };
    struct mem m = { 0 };
    const char *why = NULL;
    pthread_t thread;
    unsigned round;

    (void)src;
    (void)dst;
    if (!mem_kinds[MEM_THP].make(&m, 2 * HUGE)) {
        return "no memory";
    }
    mem_fill(m.at, HUGE, 7);
    t.at = m.at;
    t.size = HUGE;
    if (pthread_create(&thread, NULL, split_and_collapse, &t)) {
        return "no thread";
    }
    for (round = 0; round < 10 && !why; round++) {
        struct dsa_desc desc = move(m.at, m.at + HUGE, HUGE);

        memset(m.at + HUGE + round * PAGE, 0, PAGE);
        why = dsa_expect(&record, dsa_run(d, &desc), DSA_OK);
        desc.opcode = DSA_COMPARE;
        if (!why) {
            why = dsa_expect(&record, dsa_run(d, &desc), DSA_OK);
        }
        if (!why && record.result) {
            why = tap_why("a difference at byte %u", record.done);
        }
    }
    __atomic_store_n(&t.stop, true, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    if (!why) {
        why = mem_check(m.at + HUGE, HUGE, 7, 0);
    }
    /* a part of it goes, the rest stays what it is */
    munmap(m.at + HUGE / 2, PAGE);
    if (!why) {
        struct dsa_desc desc = move(m.at, m.at + HUGE, HUGE);

        why = dsa_expect(&record, dsa_run(d, &desc), DSA_FAULT_REFUSED);
    }
    if (!why && record.done != HUGE / 2) {
        why = tap_why("%u bytes done", record.done);
    }
    munmap(m.at, m.size);
    return why;
}

static const struct {
    const char *name;
    const char *(*run)(struct dsa *d, struct mem *src, struct mem *dst);
} tests[] = {
    { "writing reaches read-only pages", protected_before },
    { "pages become read-only and writable meanwhile", protected_meanwhile },
    { "memory is unmapped meanwhile", unmapped_meanwhile },
    { "memory is moved to other addresses meanwhile", moved_meanwhile },
    { "pages are dropped meanwhile", dropped_meanwhile },
    { "the process forks and writes on", forked_meanwhile },
    { "huge pages are split and collapsed meanwhile", huge_meanwhile },
};

void test_page_changes(struct dsa *d)
{
    unsigned i;

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        struct mem src = { 0 }, dst = { 0 };
        const char *why = "no memory";

        if (mem_kinds[MEM_UNTOUCHED].make(&src, SIZE) &&
            mem_kinds[MEM_UNTOUCHED].make(&dst, SIZE)) {
            why = tests[i].run(d, &src, &dst);
        }
        tap_result(why, "%s", tests[i].name);
        mem_drop(&src);
        mem_drop(&dst);
    }
}
