/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dsa-swarm: many processes with many threads use work queues at once.
 *
 *   dsa-swarm [OPTION...] DEVICE...
 *     -p N    processes on each shared queue (4); a dedicated one has one
 *     -t N    threads of each process (2)
 *     -r N    rounds of each thread, of WORK_AT_ONCE operations (50)
 *     -m N    rounds of one more, misbehaving process on the first queue (0)
 *     -s      tell it in words instead of TAP
 *
 * Each thread works on memory of its own and checks every result.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "librogue.h"
#include "libtap.h"
#include "libwork.h"

#define THREADS_MAX 16
#define PROCESSES_MAX 256
#define QUEUES_MAX 8

/* One process as the first one sees it; in memory that both share */
struct worker {
    pid_t pid;
    unsigned queue;
    bool rogue;
    struct work work[THREADS_MAX];
    struct rogue misdeeds;
    char why[200];                  /* what went wrong */
};

static unsigned processes = 4, threads = 2, rounds = 50, misdeeds;
static bool summary;
static char **paths;
static unsigned path_count;
static struct worker *workers;
static int start_line[2];           /* closed when all are there */
static unsigned worker_count;

/* When the first worker ended: which it was, and the work of all others */
static unsigned first_end;
static struct work_counts before_end[QUEUES_MAX];

static void *thread_main(void *arg)
{
    work_run(arg);
    return NULL;
}

static const char *be_worker(struct worker *me, struct dsa *d)
{
    pthread_t ids[THREADS_MAX];
    unsigned i, started;

    for (started = 0; started < threads; started++) {
        struct work *w = &me->work[started];

        w->queue = d;
        w->seed = (me - workers) * THREADS_MAX + started;
        w->rounds = rounds;
        w->waiting = started % (DSA_MONITOR + 1);
        if (pthread_create(&ids[started], NULL, thread_main, w)) {
            break;
        }
    }
    for (i = 0; i < started; i++) {
        pthread_join(ids[i], NULL);
    }
    for (i = 0; i < started; i++) {
        if (me->work[i].why[0]) {
            return me->work[i].why;
        }
    }
    return started < threads ? "no thread" : "";
}

static const char *be_rogue(struct worker *me, struct dsa *d)
{
    me->misdeeds.queue = d;
    me->misdeeds.seed = 1;
    me->misdeeds.rounds = misdeeds;
    rogue_run(&me->misdeeds);
    return me->misdeeds.why;
}

static void child_main(struct worker *me)
{
    struct dsa d;
    char byte;

    if (!dsa_open(&d, paths[me->queue])) {
        snprintf(me->why, sizeof(me->why), "open: %s", strerror(errno));
        _exit(1);
    }
    close(start_line[1]);
    while (read(start_line[0], &byte, 1) > 0) {
        /* nobody writes */
    }
    snprintf(me->why, sizeof(me->why), "%s",
             me->rogue ? be_rogue(me, &d) : be_worker(me, &d));
    dsa_close(&d);
    _exit(me->why[0] != 0);
}

static void start(unsigned queue, bool rogue)
{
    struct worker *w = &workers[worker_count];
    pid_t pid;

    if (worker_count == PROCESSES_MAX) {
        return;
    }
    worker_count++;
    w->queue = queue;
    w->rogue = rogue;
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        child_main(w);
    }
    if (pid < 0) {
        snprintf(w->why, sizeof(w->why), "fork: %s", strerror(errno));
    }
    w->pid = pid;
}

static bool is_shared(const char *path)
{
    struct dsa d;
    bool shared;

    if (!dsa_open(&d, path)) {
        return true;                /* its processes will say why */
    }
    shared = d.shared;
    dsa_close(&d);
    return shared;
}

static void add_work(struct work_counts *sum, const struct worker *w)
{
    unsigned t;

    for (t = 0; t < threads; t++) {
        work_add(sum, &w->work[t].counts);
    }
}

static struct work_counts count(unsigned queue)
{
    struct work_counts sum = { 0 };
    unsigned i;

    for (i = 0; i < worker_count; i++) {
        if (workers[i].queue == queue) {
            add_work(&sum, &workers[i]);
        }
    }
    return sum;
}

static void look_at_others(unsigned ended)
{
    unsigned i;

    first_end = ended;
    for (i = 0; i < worker_count; i++) {
        if (i != ended) {
            add_work(&before_end[workers[i].queue], &workers[i]);
        }
    }
}

static void wait_for_all(void)
{
    bool first = true;
    unsigned i;
    int status;
    pid_t pid;

    while ((pid = wait(&status)) > 0) {
        for (i = 0; i < worker_count; i++) {
            struct worker *w = &workers[i];

            if (w->pid != pid) {
                continue;
            }
            if (first && !w->rogue) {
                look_at_others(i);
                first = false;
            }
            if (status && !w->why[0]) {
                snprintf(w->why, sizeof(w->why), "ended with status 0x%x",
                         status);
            }
        }
    }
}

static const char *verdict(unsigned queue, bool rogue)
{
    unsigned i;

    for (i = 0; i < worker_count; i++) {
        struct worker *w = &workers[i];

        if (w->queue == queue && w->rogue == rogue && w->why[0]) {
            return tap_why("process %u: %s", i, w->why);
        }
    }
    return NULL;
}

static unsigned processes_of(unsigned queue)
{
    unsigned i, n = 0;

    for (i = 0; i < worker_count; i++) {
        n += workers[i].queue == queue && !workers[i].rogue;
    }
    return n;
}

/* As many operations are verified as were asked for. */
static const char *all_done(unsigned queue, const struct work_counts *sum)
{
    uint64_t all = (uint64_t)processes_of(queue) * threads * rounds *
                   WORK_AT_ONCE;

    return sum->verified == all ? NULL :
           tap_why("%llu of %llu operations",
                   (unsigned long long)sum->verified, (unsigned long long)all);
}

/* Nothing to judge if its only process was the first to end. */
static const char *was_served(unsigned queue)
{
    bool alone = workers[first_end].queue == queue &&
                 processes_of(queue) == 1;

    return before_end[queue].verified || alone ? NULL :
           "no other process had any work done";
}

static void report_queue(unsigned i)
{
    const struct work_counts sum = count(i);
    const char *why = verdict(i, false), *name = strrchr(paths[i], '/');

    name = name ? name + 1 : paths[i];
    tap_result(why, "%s: all work of %u processes with %u threads is right",
               name, processes_of(i), threads);
    tap_result(all_done(i, &sum),
               "%s: as many operations verified as asked for", name);
    tap_result(was_served(i),
               "%s: others had work done when the first process ended", name);
    tap_result(sum.pages ? NULL : "none",
               "%s: pages came by the accelerator's faults", name);
    printf("# %s: %llu submissions, %llu retries, %llu pages faulted in, "
           "%llu bytes, %llu verified\n", name,
           (unsigned long long)sum.submissions,
           (unsigned long long)sum.retries, (unsigned long long)sum.pages,
           (unsigned long long)sum.bytes, (unsigned long long)sum.verified);
}

static int report(void)
{
    unsigned i;

    for (i = 0; i < path_count; i++) {
        report_queue(i);
    }
    if (misdeeds) {
        const struct rogue *r = &workers[worker_count - 1].misdeeds;

        tap_result(verdict(0, true), "every misdeed failed as it must");
        printf("# %llu misdeeds, %llu of them ended by a signal\n",
               (unsigned long long)r->misdeeds,
               (unsigned long long)r->signals);
    }
    return tap_end();
}

static int tell(double seconds)
{
    struct work_counts sum = count(0);
    const struct rogue *r = &workers[worker_count - 1].misdeeds;
    const char *why = verdict(0, false);

    why = why ? why : verdict(0, true);
    why = why ? why : all_done(0, &sum);
    printf("%u processes with %u threads each share the other queue by "
           "ENQCMD:\n", processes_of(0), threads);
    printf("  %llu submissions accepted, %llu retries while it was full\n",
           (unsigned long long)sum.submissions,
           (unsigned long long)sum.retries);
    printf("  %.1f MB by memmove, fill, compare, checksum and batch in "
           "%.1f s\n", sum.bytes / 1e6, seconds);
    printf("  %llu pages brought in by the accelerator while work waited\n",
           (unsigned long long)sum.pages);
    if (misdeeds) {
        printf("  %llu misdeeds of one more process: %s\n",
               (unsigned long long)r->misdeeds,
               r->failed ? "NOT all refused" : "all refused, no harm done");
    }
    printf("  %llu operations verified, %s\n",
           (unsigned long long)sum.verified,
           why ? why : "all right");
    return why != NULL;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static bool parse(int argc, char **argv)
{
    int option;

    while ((option = getopt(argc, argv, "p:t:r:m:s")) != -1) {
        switch (option) {
        case 'p':
            processes = atoi(optarg);
            break;
        case 't':
            threads = atoi(optarg);
            break;
        case 'r':
            rounds = atoi(optarg);
            break;
        case 'm':
            misdeeds = atoi(optarg);
            break;
        case 's':
            summary = true;
            break;
        default:
            return false;
        }
    }
    paths = argv + optind;
    path_count = argc - optind;
    return path_count && path_count <= QUEUES_MAX && threads &&
           threads <= THREADS_MAX && processes &&
           path_count * processes < PROCESSES_MAX;
}

int main(int argc, char **argv)
{
    unsigned i, n;
    double begun;

    if (!parse(argc, argv)) {
        fprintf(stderr, "usage: dsa-swarm [-p PROCESSES] [-t THREADS] "
                "[-r ROUNDS] [-m ROUNDS] [-s] DEVICE...\n");
        return 2;
    }
    workers = mmap(NULL, PROCESSES_MAX * sizeof(*workers),
                   PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (workers == MAP_FAILED) {
        return 2;
    }
    if (pipe(start_line)) {
        return 2;
    }
    begun = now();
    for (i = 0; i < path_count; i++) {
        bool shared = is_shared(paths[i]);

        for (n = 0; n < (shared ? processes : 1); n++) {
            start(i, false);
        }
    }
    if (misdeeds) {
        start(0, true);
    }
    close(start_line[0]);
    close(start_line[1]);
    wait_for_all();
    return summary ? tell(now() - begun) : report();
}
