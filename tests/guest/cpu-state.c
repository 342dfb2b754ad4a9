/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cpu-state: tasks keep patterns in x87, vector and protection key registers
 * while the system switches among them, interrupts them, copies them and uses
 * those registers itself. Results as TAP.
 *
 *   cpu-state [--ops user|kernel|pasid] [--rounds N] [--processes N]
 *             [--threads N]
 *
 * --ops says what may go on: user is what any system has; kernel adds vector
 * code in the kernel, by /dev/cputest and AF_ALG; pasid (the default) adds
 * IA32_PASID in each task. --rounds are those of each task, at least.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libstate.h"
#include "libtap.h"

#define MOST_THREADS 16
#define ALONE_ROUNDS 20
#define SWITCHES 20             /* at least, of each task */
#define MORE_ROUNDS 16          /* at a time, for tasks with less */
#define MOST_TIMES 10000

struct plan {
    uint32_t ops;
    unsigned rounds, processes, threads;
};

static struct state_common common;

static long switches(int who)
{
    struct rusage use;

    getrusage(who, &use);
    return use.ru_nvcsw + use.ru_nivcsw;
}

/* All its rounds, and more until it has been switched often enough */
static void *thread(void *argument)
{
    struct state_task *t = argument;
    const char *why = state_begin(t);

    if (why) {
        return (void *)why;
    }
    state_run(t, t->round);
    for (unsigned i = 0; i < MOST_TIMES &&
                         switches(RUSAGE_THREAD) < SWITCHES; i++) {
        state_run(t, MORE_ROUNDS);
    }
    state_end(t);
    return NULL;
}

/* One process of the crowd; its exit status says how it fared */
static int process(const struct plan *p, unsigned number)
{
    struct state_task tasks[MOST_THREADS];
    pthread_t threads[MOST_THREADS];
    void *why;
    int status = 0;

    for (unsigned i = 0; i < p->threads; i++) {
        tasks[i] = (struct state_task) {
            .common = &common,
            .number = number * p->threads + i,
            .round = p->rounds,
            .random = number * 1000 + i,
        };
        if (pthread_create(&threads[i], NULL, thread, &tasks[i])) {
            return 2;
        }
    }
    for (unsigned i = 0; i < p->threads; i++) {
        if (pthread_join(threads[i], &why) || why) {
            status = 3;
        }
    }
    atomic_fetch_add(&common.report->switches, switches(RUSAGE_SELF));
    return status;
}

/* The crowd: processes of threads, and a tracer and a launcher besides */
static const char *crowd(const struct plan *p, const char *self)
{
    const char *why = NULL, *one;
    int status, bad = 0;

    for (unsigned i = 0; i < p->processes; i++) {
        pid_t pid = fork();

        if (pid < 0) {
            return tap_why("fork: %s", strerror(errno));
        }
        if (pid == 0) {
            _exit(process(p, i));
        }
    }
    one = state_trace(&common, p->rounds / 4);
    why = one ? tap_why("traced: %s", one) : NULL;
    one = state_exec(&common, self, p->rounds / 16);
    why = one ? tap_why("executed: %s", one) : why;
    while (wait(&status) > 0) {
        bad = status ? status : bad;
    }
    return bad ? tap_why("a process ended with 0x%x", bad) : why;
}

static void report_crowd(const struct plan *p, const char *why)
{
    struct state_report *r = common.report;
    unsigned tasks = p->processes * p->threads;

    tap_result(why, "%u tasks ran to their end, and a tracer and a launcher",
               tasks);
    for (unsigned op = 0; op < OP_COUNT; op++) {
        if (!(p->ops & (1u << op))) {
            continue;
        }
        tap_result(r->failed[op] ? tap_why("%u failed, first %s",
                                           r->failed[op], r->why[op])
                   : r->done[op] ? NULL : "it was never done",
                   "among %u tasks, registers survive %s", tasks,
                   state_op_names[op]);
        printf("# %u times\n", r->done[op]);
    }
    printf("# %u signals, %u of them nested; %u children; %u states changed "
           "by a tracer; %u programs executed\n", r->signals, r->nested,
           r->children, r->traced, r->executed);
    tap_result(r->switches >= tasks * SWITCHES ? NULL :
               tap_why("%u context switches", r->switches),
               "there were at least %u context switches", tasks * SWITCHES);
    printf("# %u context switches\n", r->switches);
}

/* Every operation by itself, so that a failure has a name */
static void alone(const struct plan *p, const char *self)
{
    struct state_task task = { .common = &common, .random = 1 };
    const char *why = state_begin(&task);

    tap_result(why, "a task has its stack for signals");
    for (unsigned op = 0; op < OP_COUNT && !why; op++) {
        const char *failed = NULL;

        if (!(p->ops & (1u << op))) {
            continue;
        }
        for (task.round = 0; task.round < ALONE_ROUNDS && !failed;
             task.round++) {
            failed = state_do(&task, op);
        }
        tap_result(failed ? tap_why("round %u: %s", task.round, failed)
                          : NULL, "registers survive %s",
                   state_op_names[op]);
    }
    state_end(&task);
    tap_result(state_trace(&common, ALONE_ROUNDS),
               "a tracer reads and writes a stopped task's registers");
    tap_result(state_exec(&common, self, 4),
               "a program begins with the initial state");
    memset(common.report, 0, sizeof(*common.report));
}

static bool number(const char *text, unsigned most, unsigned *value)
{
    char rest;

    return sscanf(text, "%u%c", value, &rest) == 1 && *value &&
           *value <= most;
}

static bool parse(int argc, char **argv, struct plan *p)
{
    static const struct {
        const char *name;
        uint32_t ops;
    } sets[] = {
        { "user", (1 << OP_KERNEL) - 1 },
        { "kernel", (1 << OP_PASID) - 1 },
        { "pasid", (1 << OP_COUNT) - 1 },
    };
    bool good = argc % 2 == 1;

    for (int i = 1; good && i < argc; i += 2) {
        const char *value = argv[i + 1];

        if (strcmp(argv[i], "--rounds") == 0) {
            good = number(value, 1000000, &p->rounds);
        } else if (strcmp(argv[i], "--processes") == 0) {
            good = number(value, 64, &p->processes);
        } else if (strcmp(argv[i], "--threads") == 0) {
            good = number(value, MOST_THREADS, &p->threads);
        } else {
            good = false;
            for (unsigned s = 0; s < 3; s++) {
                if (strcmp(argv[i], "--ops") == 0 &&
                    strcmp(value, sets[s].name) == 0) {
                    p->ops = sets[s].ops;
                    good = true;
                }
            }
        }
    }
    return good;
}

int main(int argc, char **argv)
{
    struct plan p = {
        .ops = (1 << OP_COUNT) - 1,
        .rounds = 200,
        .processes = 4,
        .threads = 3,
    };
    const char *why;

    if (argc == 2 && strcmp(argv[1], "--exit") == 0) {
        return 0;
    }
    if (!parse(argc, argv, &p)) {
        fprintf(stderr, "usage: cpu-state [--ops user|kernel|pasid] "
                "[--rounds N] [--processes N] [--threads N]\n");
        return 2;
    }
    common.ops = p.ops;
    common.cpus = sysconf(_SC_NPROCESSORS_ONLN);
    common.report = mmap(NULL, sizeof(*common.report),
                         PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                         -1, 0);
    why = state_prepare(&common);
    tap_result(why, "what the test needs is there");
    if (!why) {
        printf("# registers: x87, SSE%s%s; %u processors\n",
               common.features & REGS_AVX ? ", AVX" : "",
               common.features & REGS_PKU ? ", PKRU" : "", common.cpus);
        alone(&p, "/proc/self/exe");
        report_crowd(&p, crowd(&p, "/proc/self/exe"));
    }
    return tap_end();
}
