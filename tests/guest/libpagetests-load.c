/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many threads on several queues, each with memory of its own, whose pages are
 * taken from under them all the while: swapped out, migrated, protected,
 * split, collapsed and shared with children.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libdsatests.h"
#include "libpagetests.h"
#include "libtap.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

#define WORKERS 8
#define ROUNDS 24
#define MOST_ROUNDS 500         /* if too little happens to the pages */
#define SIZE (32 * PAGE)

static bool stop;               /* atomic */
static unsigned forks;          /* atomic */

/* --- what happens to pages ----------------------------------------------- */

/*
 * By /proc/vmstat: pages go to swap and come back as long as there are workers
 * and the swapper, compaction moves what is small, and each huge page that the
 * workers have at first is split.
 */
static const struct {
    const char *name;
    long least;
} events[] = {
    { "pswpout", 100 },
    { "pswpin", 100 },
    { "pgmigrate_success", 32 },
    { "thp_split_pmd", WORKERS },
};
#define EVENTS (sizeof(events) / sizeof(events[0]))
#define LEAST_FORKS 8

static long before[EVENTS];

static long happened(unsigned event)
{
    return vm_events(events[event].name) - before[event];
}

/* NULL or the first of all this that has not happened often enough */
static const char *missing(void)
{
    unsigned i;

    for (i = 0; i < EVENTS; i++) {
        long now = happened(i);

        if (now < events[i].least) {
            return tap_why("%s: %ld instead of %ld", events[i].name, now,
                           events[i].least);
        }
    }
    i = __atomic_load_n(&forks, __ATOMIC_RELAXED);
    return i < LEAST_FORKS ? tap_why("%u forks", i) : NULL;
}

static void report_events(void)
{
    unsigned i;

    printf("#");
    for (i = 0; i < EVENTS; i++) {
        printf(" %s %ld,", events[i].name, happened(i));
    }
    printf(" %u forks\n", forks);
}

/* --- workers ------------------------------------------------------------- */

struct worker {
    pthread_t thread;
    struct dsa queue;
    unsigned number;
    struct mem src, dst;        /* halves of one huge page each */
    struct dsa_record record, child[2];
    char why[256];
    unsigned done;
};

static void desc_init(struct worker *w, struct dsa_desc *desc,
                      unsigned opcode, struct dsa_record *record,
                      unsigned shift)
{
    *desc = dsa_prepare(opcode, DSA_F_BLOCK, record);
    desc->src = (uintptr_t)w->src.at + shift;
    desc->dst = (uintptr_t)w->dst.at;
    desc->size = SIZE - shift;
}

static const char *finish(struct worker *w, struct dsa_desc *desc)
{
    return dsa_expect(&w->record, dsa_run(&w->queue, desc), DSA_OK);
}

/* A copy by a batch of two, then a comparison and a checksum of it */
static const char *one_round(struct worker *w, unsigned round)
{
    struct dsa_desc list[2], desc;
    unsigned shift = round % 64, i;
    const char *why;

    mem_fill(w->src.at, SIZE, round);
    desc_init(w, &list[0], DSA_MEMMOVE, &w->child[0], shift);
    desc_init(w, &list[1], DSA_COMPARE, &w->child[1], shift);
    list[1].flags |= DSA_F_FENCE;
    memset(w->child, 0, sizeof(w->child));
    desc_init(w, &desc, DSA_BATCH, &w->record, 0);
    desc.list = (uintptr_t)list;
    desc.dst = 0;
    desc.count = 2;
    why = finish(w, &desc);
    for (i = 0; i < 2 && !why; i++) {
        why = dsa_expect(&w->child[i], w->child[i].status, DSA_OK);
    }
    if (!why && w->child[1].result) {
        why = tap_why("a difference at byte %u", w->child[1].done);
    }
    if (!why) {
        why = mem_check(w->dst.at, SIZE - shift, round, shift);
    }
    if (why || round % 4) {
        return why;
    }
    desc_init(w, &desc, DSA_CRCGEN, &w->record, 0);
    desc.dst = 0;
    why = finish(w, &desc);
    if (!why && (uint32_t)w->record.crc != crc32c(0, w->src.at, SIZE)) {
        why = "wrong checksum";
    }
    return why;
}

static bool goes_on(const struct worker *w)
{
    return w->done < ROUNDS || (w->done < MOST_ROUNDS && missing());
}

static void *work(void *opaque)
{
    struct worker *w = opaque;
    const char *why = NULL;

    for (w->done = 0; !why && goes_on(w); w->done++) {
        why = one_round(w, w->done + w->number);
    }
    if (why) {
        snprintf(w->why, sizeof(w->why), "thread %u, round %u: %s", w->number,
                 w->done, why);
    }
    return NULL;
}

/* --- disturbers ---------------------------------------------------------- */

static bool over(void)
{
    return __atomic_load_n(&stop, __ATOMIC_RELAXED);
}

static void *swapper(void *opaque)
{
    struct worker *workers = opaque;
    unsigned i;

    for (i = 0; !over(); i++) {
        struct worker *w = &workers[i % WORKERS];

        pages_out(i / WORKERS % 2 ? &w->src : &w->dst);
        usleep(500);
    }
    return NULL;
}

static void *compactor(void *opaque)
{
    while (!over()) {
        if (!write_file("/proc/sys/vm/compact_memory", "1")) {
            return (void *)"memory cannot be compacted";
        }
        usleep(2000);
    }
    return opaque;
}

/* Whole regions become read-only and writable, huge pages and small ones */
static void *protector(void *opaque)
{
    struct worker *workers = opaque;
    unsigned i;

    for (i = 0; !over(); i++) {
        struct worker *w = &workers[i * 5 % WORKERS];

        mprotect(w->src.at + HUGE / 2, 8 * PAGE, PROT_READ);
        sched_yield();
        mprotect(w->src.at + HUGE / 2, 8 * PAGE, PROT_READ | PROT_WRITE);
        madvise(w->dst.at, HUGE, MADV_COLLAPSE);
        usleep(1000);
    }
    return NULL;
}

/* Every page becomes copy on write again */
static void *forker(void *opaque)
{
    int status;
    pid_t child;

    while (!over()) {
        child = fork();
        if (child == 0) {
            usleep(5000);
            _exit(0);
        }
        if (child < 0 || waitpid(child, &status, 0) != child || status) {
            return (void *)"no child";
        }
        __atomic_fetch_add(&forks, 1, __ATOMIC_RELAXED);
        usleep(5000);
    }
    return opaque;
}

static const struct {
    const char *name;
    void *(*run)(void *opaque);
    bool needs_workers;
} disturbers[] = {
    { "swapper", swapper, true },
    { "compactor", compactor, false },
    { "protector", protector, true },
    { "forker", forker, false },
};
#define DISTURBERS (sizeof(disturbers) / sizeof(disturbers[0]))

/* --- all of it ----------------------------------------------------------- */

static bool prepare(struct worker *w, const struct dsa *queue, unsigned number)
{
    memset(w, 0, sizeof(*w));
    w->queue = *queue;
    w->number = number;
    return mem_kinds[MEM_THP].make(&w->src, HUGE) &&
           mem_kinds[MEM_THP].make(&w->dst, HUGE);
}

static const char *stop_disturbers(const pthread_t *threads)
{
    const char *why = NULL;
    void *result;
    unsigned i;

    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    for (i = 0; i < DISTURBERS; i++) {
        if (pthread_join(threads[i], &result) || result) {
            why = tap_why("%s: %s", disturbers[i].name,
                          result ? (const char *)result : "lost");
        }
    }
    return why;
}

void test_page_load(struct dsa *queues, unsigned count)
{
    struct worker *workers = aligned_alloc(64, WORKERS * sizeof(*workers));
    pthread_t threads[DISTURBERS];
    const char *why;
    unsigned i;

    for (i = 0; i < WORKERS; i++) {
        if (!workers || !prepare(&workers[i], &queues[i % count], i)) {
            tap_result("no memory", "memory for %u threads", WORKERS);
            return;
        }
    }
    for (i = 0; i < EVENTS; i++) {
        before[i] = vm_events(events[i].name);
    }
    for (i = 0; i < DISTURBERS; i++) {
        if (pthread_create(&threads[i], NULL, disturbers[i].run,
                           disturbers[i].needs_workers ? workers : NULL)) {
            tap_result("no thread", "%s", disturbers[i].name);
            return;
        }
    }
    for (i = 0; i < WORKERS; i++) {
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i])) {
            tap_result("no thread", "thread %u", i);
            return;
        }
    }
    for (i = 0; i < WORKERS; i++) {
        pthread_join(workers[i].thread, NULL);
        tap_result(workers[i].why, "thread %u of %u on queue %u of %u: "
                   "%u rounds", i, WORKERS, i % count, count,
                   workers[i].done);
    }
    why = stop_disturbers(threads);
    why = why ? why : missing();
    tap_result(why, "pages were swapped out, migrated, split and shared "
               "all the while");
    report_events();
    for (i = 0; i < WORKERS; i++) {
        munmap(workers[i].src.at, HUGE);
        munmap(workers[i].dst.at, HUGE);
    }
    free(workers);
}
