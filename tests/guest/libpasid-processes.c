/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IA32_PASID and fork, threads, exec, ptrace. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libpasid.h"
#include "libtap.h"
#include "libxstate.h"

#define PASID 0x12345
#define OTHER 0xabcde
#define REUSES 100
#define THREADS 8
#define THREAD_ROUNDS 100

static const char *none(struct pasid_env *e)
{
    return pasid_refused(e, SLOT_CHILD);
}

static const char *has_other(struct pasid_env *e)
{
    return pasid_submits(e, SLOT_CHILD, OTHER);
}

/* A child that has a PASID; its child has none, and it keeps its own */
static const char *grandchild(struct pasid_env *e)
{
    const char *why = pasid_child(e, 0, none);

    return why ? why : has_other(e);
}

static const char *keeps(struct pasid_env *e)
{
    return pasid_submits(e, SLOT_MAIN, PASID);
}

static const char *fork_test(struct pasid_env *e)
{
    const char *why = pasid_set(e, PASID);

    why = why ? why : pasid_child(e, 0, none);
    why = why ? why : keeps(e);
    why = why ? why : pasid_child(e, OTHER, has_other);
    why = why ? why : keeps(e);
    why = why ? why : pasid_child(e, OTHER, grandchild);
    return why ? why : keeps(e);
}

/* Tasks that follow one with a PASID in the same place of memory */
static const char *reuse_test(struct pasid_env *e)
{
    const char *why = NULL;

    for (unsigned i = 0; i < REUSES && !why; i++) {
        why = pasid_child(e, OTHER, has_other);
        why = why ? why : pasid_child(e, 0, none);
        why = why ? tap_why("round %u: %s", i, why) : NULL;
    }
    return why ? why : keeps(e);
}

struct thread {
    pthread_t id;
    struct pasid_env *e;
    unsigned number;
    const char *why;
};

static void *thread(void *argument)
{
    struct thread *t = argument;
    unsigned slot = SLOT_CROWD + t->number;
    uint32_t pasid = PASID + 1 + t->number;

    t->why = pasid_refused(t->e, slot);
    t->why = t->why ? t->why : pasid_set(t->e, pasid);
    for (unsigned i = 0; i < THREAD_ROUNDS && !t->why; i++) {
        t->why = pasid_submits(t->e, slot, pasid);
    }
    return NULL;
}

static const char *thread_test(struct pasid_env *e)
{
    struct thread threads[THREADS];
    const char *why = NULL;

    for (unsigned i = 0; i < THREADS; i++) {
        threads[i] = (struct thread) { .e = e, .number = i };
        if (pthread_create(&threads[i].id, NULL, thread, &threads[i])) {
            return "no thread";
        }
    }
    for (unsigned i = 0; i < THREAD_ROUNDS && !why; i++) {
        why = keeps(e);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(threads[i].id, NULL);
        if (threads[i].why) {
            why = tap_why("thread %u: %s", i, threads[i].why);
        }
    }
    return why;
}

/* In the child: it has a PASID, the program that it becomes has none */
static const char *become(struct pasid_env *e)
{
    const char *why = has_other(e);

    if (why) {
        return why;
    }
    execl("/nowhere", "nowhere", NULL);
    why = has_other(e);
    if (why) {
        return tap_why("after an exec that failed: %s", why);
    }
    execl(e->self, e->self, "--none", NULL);
    return "exec failed";
}

static const char *exec_test(struct pasid_env *e)
{
    const char *why = pasid_child(e, OTHER, become);

    return why ? why : keeps(e);
}

/* The traced child stops, then submits, again and again */
static const char *be_traced(struct pasid_env *e)
{
    const char *why = NULL;

    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL)) {
        return "ptrace";
    }
    for (unsigned i = 0; i < 4 && !why; i++) {
        raise(SIGSTOP);
        why = has_other(e);
        why = why ? tap_why("after stop %u: %s", i, why) : NULL;
    }
    return why;
}

/* What the tracer does at stop @stop */
static const char *trace_stop(pid_t child, unsigned stop, struct xstate *x)
{
    if (!xstate_get(child, x)) {
        return tap_why("reading its state: %s", strerror(errno));
    }
    if (xstate_bv(x) & XSTATE_PASID) {
        return "the tracer sees the PASID component";
    }
    if (stop == 1 && !xstate_set(child, x)) {
        return tap_why("writing it: %s", strerror(errno));
    }
    if (stop == 2) {
        xstate_set_bv(x, 0);
        if (!xstate_set(child, x)) {
            return tap_why("clearing it: %s", strerror(errno));
        }
    }
    if (stop == 3) {
        xstate_set_bv(x, xstate_bv(x) | XSTATE_PASID);
        if (xstate_set(child, x) || errno != EINVAL) {
            return "the tracer may write the PASID component";
        }
    }
    return NULL;
}

static const char *ptrace_test(struct pasid_env *e)
{
    static struct xstate x;
    const char *why = NULL;
    unsigned stops = 0;
    int status;
    pid_t child = fork();

    if (child == 0) {
        why = pasid_set(e, OTHER);
        why = why ? why : be_traced(e);
        if (why) {
            tap_result(why, "the traced task");
        }
        _exit(why != NULL);
    }
    while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
        int sig = WSTOPSIG(status);

        if (sig == SIGSTOP) {
            const char *here = trace_stop(child, stops++, &x);

            why = why ? why : here;
            sig = 0;
        }
        ptrace(PTRACE_CONT, child, NULL, (void *)(long)sig);
    }
    if (!why && (status || stops != 4)) {
        why = tap_why("the traced task ended with 0x%x after %u stops", status,
                      stops);
    }
    return why ? why : keeps(e);
}

void test_pasid_processes(struct pasid_env *e)
{
    tap_result(fork_test(e),
               "fork: a child has no PASID, the parent keeps its own");
    tap_result(reuse_test(e),
               "%u times, nothing is left of a task that has ended", REUSES);
    tap_result(thread_test(e),
               "threads: a new one has no PASID; each its own; none mixed up");
    tap_result(exec_test(e), "exec: a new program has no PASID");
    tap_result(ptrace_test(e),
               "ptrace: reading and writing state leaves the PASID alone");
    pasid_clear(e);
}
