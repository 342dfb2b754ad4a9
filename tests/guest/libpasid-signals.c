/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IA32_PASID and signals. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "libpasid.h"
#include "libtap.h"
#include "libxstate.h"

#define PASID 0x12345
#define OTHER 0xabcde
#define STACK_SIZE (64 * 1024)
#define SIGNALS 50
#define MOST_SUBMISSIONS 1000000

/* Where an extended state begins in a signal frame, and its own header */
#define FRAME_SW_FEATURES (464 + 8)
#define FRAME_XSTATE_BV 512

/* What handlers know, do and find; volatile: shared with them */
static struct pasid_env *env;
static volatile uint32_t pasid;     /* the interrupted code's */
static volatile uint32_t change_to; /* set in the handler, if not 0 */
static bool forge;                  /* claim a PASID in the frame */
static volatile unsigned depth, deepest, handled;
static const char *volatile handler_why;    /* volatile: see above */

static void found(const char *why)
{
    if (why && !handler_why) {
        handler_why = why;
    }
}

/* The frame a handler may write to holds no supervisor state */
static void look_at_frame(void *context)
{
    uint8_t *fp = (uint8_t *)((ucontext_t *)context)->uc_mcontext.fpregs;
    uint64_t features, bv;

    memcpy(&features, fp + FRAME_SW_FEATURES, sizeof(features));
    memcpy(&bv, fp + FRAME_XSTATE_BV, sizeof(bv));
    if ((features | bv) & XSTATE_PASID) {
        found("the signal frame has a PASID component");
    }
    if (forge) {
        bv |= XSTATE_PASID;
        memcpy(fp + FRAME_XSTATE_BV, &bv, sizeof(bv));
    }
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
    (void)info;
    handled++;
    depth++;
    deepest = depth > deepest ? depth : deepest;
    look_at_frame(context);
    found(pasid_submits(env, SLOT_HANDLER, pasid));
    if (sig == SIGUSR1) {
        raise(SIGUSR2);
        found(pasid_submits(env, SLOT_HANDLER, pasid));
    }
    if (change_to) {
        found(pasid_set(env, change_to));
        pasid = change_to;
        change_to = 0;
    }
    depth--;
}

static void install(void)
{
    static uint8_t memory[STACK_SIZE];
    stack_t stack = { .ss_sp = memory, .ss_size = sizeof(memory) };
    struct sigaction action = {
        .sa_sigaction = on_signal,
        .sa_flags = SA_SIGINFO,
    };

    sigaltstack(&stack, NULL);
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGALRM, &action, NULL);
    action.sa_flags |= SA_ONSTACK;
    sigaction(SIGUSR2, &action, NULL);
}

/* @sig arrives with PASID in use: NULL if all was well in and after it. */
static const char *take(struct pasid_env *e, int sig, unsigned depths)
{
    const char *why = pasid_set(e, PASID);

    handler_why = NULL;
    handled = deepest = 0;
    pasid = PASID;
    if (why) {
        return why;
    }
    raise(sig);
    if (handler_why) {
        return tap_why("in the handler: %s", handler_why);
    }
    if (deepest != depths) {
        return tap_why("%u handlers, expected %u", deepest, depths);
    }
    return pasid_submits(e, SLOT_MAIN, pasid);
}

static const char *changed(struct pasid_env *e)
{
    change_to = OTHER;
    return take(e, SIGUSR2, 1);
}

/* In the child: must not get through its signal alive */
static const char *forging(struct pasid_env *e)
{
    /* what follows is the system's doing, not an ENQCMD's */
    signal(SIGSEGV, SIG_DFL);
    forge = true;
    take(e, SIGUSR2, 1);
    return "a signal frame with a PASID component was accepted";
}

static const char *forged(struct pasid_env *e)
{
    const char *why = pasid_set(e, PASID);
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        forging(e);
        _exit(0);
    }
    waitpid(child, &status, 0);
    if (!why && (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSEGV)) {
        why = tap_why("the child ended with 0x%x", status);
    }
    return why ? why : pasid_submits(e, SLOT_MAIN, PASID);
}

/*
 * Signals at any moment of a long row of commands. Each is ordered when the
 * one before has come, so that there are commands between them even if a
 * handler takes longer than the time to the next signal.
 */
static const char *in_the_middle(struct pasid_env *e, unsigned *submissions)
{
    struct itimerval soon = { { 0, 0 }, { 0, 1000 } };
    const struct itimerval never = { { 0, 0 }, { 0, 0 } };
    const char *why = pasid_set(e, PASID);
    unsigned ordered = 0;

    handler_why = NULL;
    handled = 0;
    pasid = PASID;
    while (!why && !handler_why && *submissions < MOST_SUBMISSIONS &&
           (handled < SIGNALS || *submissions <= SIGNALS)) {
        if (ordered == handled && ordered < SIGNALS) {
            setitimer(ITIMER_REAL, &soon, NULL);
            soon.it_value.tv_usec += 13;
            ordered++;
        }
        why = pasid_submits(e, SLOT_MAIN, PASID);
        (*submissions)++;
    }
    setitimer(ITIMER_REAL, &never, NULL);
    if (handler_why) {
        why = tap_why("in the handler: %s", handler_why);
    }
    if (!why && handled < SIGNALS) {
        why = tap_why("only %u signals arrived", handled);
    }
    return why ? why : pasid_submits(e, SLOT_MAIN, PASID);
}

void test_pasid_signals(struct pasid_env *e)
{
    unsigned submissions = 0;

    env = e;
    install();
    tap_result(take(e, SIGALRM, 1),
               "a signal's handler has the PASID, sigreturn keeps it");
    tap_result(take(e, SIGUSR2, 1), "so it is on an alternate stack");
    tap_result(take(e, SIGUSR1, 2), "and in a handler within a handler");
    tap_result(changed(e), "a PASID set in a handler stays after it");
    tap_result(forged(e),
               "a signal frame with a PASID in it is refused: SIGSEGV");
    tap_result(in_the_middle(e, &submissions),
               "%u signals in the middle of commands", SIGNALS);
    tap_result(submissions > SIGNALS ? NULL : "too few",
               "there were commands between signals");
    pasid_clear(e);
}
