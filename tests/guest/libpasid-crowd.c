/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IA32_PASID while tasks are switched and moved. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "libcpus.h"
#include "libpasid.h"
#include "libtap.h"

#define PASID 0x12345
#define MOVES 200
#define PROCESSES 8
#define THREADS 3
#define TASKS (PROCESSES * THREADS)
#define ROUNDS 150              /* at least, and until there were enough... */
#define SWITCHES 42             /* ...context switches, of each task */
#define MOST_ROUNDS 4000
#define CHANGE_EVERY 16         /* rounds */
#define NO_PASID_EVERY 5        /* tasks */

/* Shared by all processes of the crowd */
struct shared {
    atomic_uint accepted, refused, switches, failed;
    char why[200];
};

static struct shared *shared;

static const char *moves(struct pasid_env *e)
{
    const char *why = pasid_set(e, PASID);

    for (unsigned i = 0; i < MOVES && !why; i++) {
        unsigned cpu = i % e->cpus;

        if (!run_on(cpu) || sched_getcpu() != (int)cpu) {
            why = tap_why("processor %u cannot be had", cpu);
        }
        why = why ? why : pasid_submits(e, SLOT_MAIN, PASID);
        why = why ? tap_why("move %u: %s", i, why) : NULL;
    }
    run_anywhere();
    pasid_clear(e);
    return why;
}

struct member {
    pthread_t id;
    struct pasid_env *e;
    unsigned number;
};

static const char *member_round(struct member *m, unsigned round,
                                uint32_t *pasid)
{
    unsigned slot = SLOT_CROWD + m->number;
    const char *why = NULL;

    if (m->number % NO_PASID_EVERY == 0) {
        atomic_fetch_add(&shared->refused, 1);
        return pasid_refused(m->e, slot);
    }
    if (round % CHANGE_EVERY == 0) {
        *pasid = (m->number << 12 | round) ^ PASID_MASK;
        why = pasid_set(m->e, *pasid);
    }
    if (!why) {
        why = pasid_submits(m->e, slot, *pasid);
        atomic_fetch_add(&shared->accepted, 1);
    }
    return why;
}

static bool goes_on(unsigned round)
{
    struct rusage use;

    if (round < ROUNDS) {
        return true;
    }
    getrusage(RUSAGE_THREAD, &use);
    return round < MOST_ROUNDS && use.ru_nvcsw + use.ru_nivcsw < SWITCHES;
}

static void *member(void *argument)
{
    const struct timespec nap = { 0, 1000 };
    struct member *m = argument;
    const char *why = NULL;
    uint32_t pasid = 0;

    for (unsigned round = 0; !why && goes_on(round); round++) {
        why = member_round(m, round, &pasid);
        if (why && atomic_fetch_add(&shared->failed, 1) == 0) {
            snprintf(shared->why, sizeof(shared->why),
                     "task %u, round %u: %s", m->number, round, why);
        }
        if (round % 8 == 7) {
            nanosleep(&nap, NULL);
        } else {
            sched_yield();
        }
    }
    return NULL;
}

static void process(struct pasid_env *e, unsigned number)
{
    struct member members[THREADS];
    struct rusage use;

    for (unsigned i = 0; i < THREADS; i++) {
        members[i].e = e;
        members[i].number = number * THREADS + i;
        if (pthread_create(&members[i].id, NULL, member, &members[i])) {
            _exit(2);
        }
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(members[i].id, NULL);
    }
    getrusage(RUSAGE_SELF, &use);
    atomic_fetch_add(&shared->switches, use.ru_nvcsw + use.ru_nivcsw);
    _exit(0);
}

static const char *crowd(struct pasid_env *e)
{
    uint32_t before = testdev_read(&e->device, TD_DEFERRABLE), arrived;
    int status, bad = 0;

    memset(shared, 0, sizeof(*shared));
    for (unsigned i = 0; i < PROCESSES; i++) {
        pid_t child = fork();

        if (child < 0) {
            return "no child";
        }
        if (child == 0) {
            process(e, i);
        }
    }
    while (wait(&status) > 0) {
        bad = status ? status : bad;
    }
    printf("# %u commands accepted, %u refused, %u context switches\n",
           shared->accepted, shared->refused, shared->switches);
    arrived = testdev_read(&e->device, TD_DEFERRABLE) - before;
    if (bad) {
        return tap_why("a process ended with 0x%x", bad);
    }
    if (shared->failed) {
        return tap_why("%u tasks failed, first %s", shared->failed,
                       shared->why);
    }
    if (arrived != shared->accepted) {
        return tap_why("%u commands came to the device", arrived);
    }
    return shared->switches < TASKS * SWITCHES ?
           tap_why("%u context switches", shared->switches) : NULL;
}

void test_pasid_crowd(struct pasid_env *e)
{
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    tap_result(moves(e), "%u moves to another processor keep the PASID",
               MOVES);
    run_on(0);
    tap_result(crowd(e), "%u tasks on one processor, each with its own PASID",
               TASKS);
    run_anywhere();
    tap_result(crowd(e), "%u tasks on %u processors, each with its own PASID",
               TASKS, e->cpus);
}
