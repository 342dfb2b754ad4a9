/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A tracer reads and changes the registers of a stopped task. */
#include <cpuid.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libstate.h"
#include "libtap.h"
#include "libxstate.h"

/* What the tracer does to a stopped task, one after the other */
enum {
    LOOK,               /* nothing */
    WRITE_SAME,         /* put back what was read */
    WRITE_OTHER,        /* another pattern */
    WRITE_NOTHING,      /* XSTATE_BV 0: everything becomes initial... */
    WRITE_LEGACY,       /* x87 and SSE alone; the rest stays */
    ACTIONS,
};

static const char *const action_names[] = {
    [LOOK] = "after being looked at",
    [WRITE_SAME] = "after its own state was written",
    [WRITE_OTHER] = "after another state was written",
    [WRITE_NOTHING] = "after no component was written",
    [WRITE_LEGACY] = "after its x87 and SSE state was written",
};

/* Shared by tracer and task */
struct shared {
    struct regs in;             /* the task loads it */
    struct regs expected;       /* and finds this when it goes on */
    char why[200];
};

/*
 * ... but MXCSR if the kernel uses the standard format: XRSTOR loads it from
 * there whatever XSTATE_BV says (SDM volume 1, 13.8.1).
 */
static bool mxcsr_stays(void)
{
    uint32_t a, b, c, d;

    __cpuid_count(0xd, 1, a, b, c, d);
    return !(a & (bit_XSAVEC | bit_XSAVES));
}

static void run_task(const struct state_common *c, struct shared *s,
                     unsigned rounds)
{
    struct regs out;
    struct hold h = {
        .in = &s->in,
        .out = &out,
        .nr = SYS_kill,
        .arg = { getpid(), SIGSTOP },
        .count = 1,
        .features = c->features,
    };
    uint64_t random = getpid();

    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL)) {
        _exit(2);
    }
    for (unsigned round = 0; round < rounds; round++) {
        const char *why;

        regs_pattern(&s->in, &random, c->features);
        /* what regs_hold() is to find in @out was the tracer's choice */
        out.st_count = s->in.st_count;
        regs_hold(&h);
        why = regs_differ(&s->expected, &out, c->features);
        if (why) {
            why = tap_why("round %u, the task %s: %s", round,
                          action_names[round % ACTIONS], why);
            memcpy(s->why, why, strlen(why) + 1);
            _exit(1);
        }
    }
    _exit(0);
}

static const char *check_read(const struct state_common *c,
                              const struct shared *s, const struct xstate *x)
{
    struct regs out;

    if (xstate_bv(x) & XSTATE_PASID) {
        return "the tracer sees the PASID component";
    }
    xstate_read(x, &out, s->in.st_count, c->features);
    return regs_differ(&s->in, &out, c->features);
}

static const char *write_back(bool done)
{
    return done ? NULL : tap_why("the tracer cannot write: %s",
                                 strerror(errno));
}

/* Change the stopped task's state; says what it is to find */
static const char *act(const struct state_common *c, struct shared *s,
                       pid_t task, unsigned action, struct xstate *x,
                       uint64_t *random)
{
    struct regs *e = &s->expected;

    switch (action) {
    case WRITE_SAME:
        return write_back(xstate_set(task, x));
    case WRITE_OTHER:
        regs_pattern(e, random, c->features);
        /* it will take as many registers off the stack as it has put there */
        while (e->st_count != s->in.st_count) {
            regs_pattern(e, random, c->features);
        }
        xstate_put(x, e, c->features);
        return write_back(xstate_set(task, x));
    case WRITE_NOTHING:
        regs_initial(e);
        e->mxcsr = mxcsr_stays() ? s->in.mxcsr : e->mxcsr;
        xstate_set_bv(x, 0);
        return write_back(xstate_set(task, x));
    case WRITE_LEGACY:
        if (!fxstate_get(task, x)) {
            return tap_why("x87 and SSE state: %s", strerror(errno));
        }
        for (unsigned i = 0; i < 16; i++) {
            for (unsigned at = 0; at < 16; at++) {
                e->ymm[i][at] = regs_random(random);
            }
        }
        e->mxcsr = regs_random(random) & 0xffff;
        xstate_put(x, e, 0);
        return write_back(fxstate_set(task, x));
    default:
        return NULL;
    }
}

static const char *trace_round(const struct state_common *c, struct shared *s,
                               pid_t task, unsigned round, uint64_t *random)
{
    static struct xstate x;
    const char *why;

    if (!xstate_get(task, &x)) {
        return tap_why("NT_X86_XSTATE: %s", strerror(errno));
    }
    why = check_read(c, s, &x);
    if (why) {
        return tap_why("round %u, read by the tracer: %s", round, why);
    }
    s->expected = s->in;
    why = act(c, s, task, round % ACTIONS, &x, random);
    atomic_fetch_add(&c->report->traced, 1);
    return why;
}

const char *state_trace(const struct state_common *c, unsigned rounds)
{
    struct shared *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint64_t random = getpid();
    const char *why = NULL;
    int status = 0;
    pid_t task;

    task = fork();
    if (task < 0) {
        return tap_why("fork: %s", strerror(errno));
    }
    if (task == 0) {
        run_task(c, s, rounds);
    }
    for (unsigned round = 0; waitpid(task, &status, 0) == task &&
                             WIFSTOPPED(status); round++) {
        if (!why) {
            why = trace_round(c, s, task, round, &random);
        }
        if (why) {
            kill(task, SIGKILL);
        }
        ptrace(PTRACE_CONT, task, NULL, NULL);
    }
    if (!why && status) {
        why = s->why[0] ? tap_why("%s", s->why)
                        : tap_why("the traced task ended with 0x%x", status);
    }
    munmap(s, sizeof(*s));
    return why;
}

static void run_exec(const struct state_common *c, const char *self,
                     uint64_t random)
{
    char *const argv[] = { (char *)self, "--exit", NULL };
    char *const envp[] = { NULL };
    struct regs in, out;
    struct hold h = {
        .in = &in,
        .out = &out,
        .nr = SYS_execve,
        .arg = { (long)self, (long)argv, (long)envp },
        .count = 1,
        .features = c->features,
    };

    regs_pattern(&in, &random, c->features);
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0) {
        regs_hold(&h);
    }
    _exit(2);
}

/* The new program has run one instruction: its registers were loaded once */
static const char *check_exec(const struct state_common *c, pid_t task)
{
    static struct xstate x;
    struct regs initial, out;

    if (!xstate_get(task, &x)) {
        return tap_why("NT_X86_XSTATE: %s", strerror(errno));
    }
    regs_initial(&initial);
    initial.pkru = regs_pkru();
    xstate_read(&x, &out, 0, c->features);
    return regs_differ(&initial, &out, c->features);
}

static const char *exec_once(const struct state_common *c, const char *self,
                             uint64_t random)
{
    const char *why = NULL;
    int status;
    pid_t task = fork();

    if (task < 0) {
        return tap_why("fork: %s", strerror(errno));
    }
    if (task == 0) {
        run_exec(c, self, random);
    }
    if (waitpid(task, &status, 0) != task || !WIFSTOPPED(status) ||
        ptrace(PTRACE_SINGLESTEP, task, NULL, NULL) ||
        waitpid(task, &status, 0) != task || !WIFSTOPPED(status)) {
        kill(task, SIGKILL);
        waitpid(task, NULL, 0);
        return tap_why("the program did not begin: 0x%x", status);
    }
    why = check_exec(c, task);
    ptrace(PTRACE_CONT, task, NULL, NULL);
    if (waitpid(task, &status, 0) != task || status) {
        why = why ? why : tap_why("the program ended with 0x%x", status);
    }
    atomic_fetch_add(&c->report->executed, 1);
    return why;
}

const char *state_exec(const struct state_common *c, const char *self,
                       unsigned rounds)
{
    const char *why = NULL;

    for (unsigned round = 0; round < rounds && !why; round++) {
        why = exec_once(c, self, round);
        if (why) {
            why = tap_why("round %u: %s", round, why);
        }
    }
    return why;
}
