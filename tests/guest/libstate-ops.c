/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What goes on while a task keeps a pattern in its registers. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/if_alg.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "libcpus.h"
#include "libcputest.h"
#include "libstate.h"
#include "libtap.h"
#include "module/cputest.h"

#define STACK_SIZE (64 * 1024)
#define HASH_DATA 2048
#define HASH_SIZE 32

const char *const state_op_names[OP_COUNT] = {
    [OP_SPIN] = "a loop",
    [OP_YIELD] = "yielding the processor",
    [OP_SLEEP] = "sleeping",
    [OP_MIGRATE] = "moving to another processor",
    [OP_SIGNAL] = "signals",
    [OP_FORK] = "fork, in both processes",
    [OP_KERNEL] = "vector code in the kernel",
    [OP_HASH] = "SHA-256 in the kernel",
    [OP_PASID] = "having a PASID",
};

/* The handlers' task */
static __thread struct state_task *self;

static void make(struct state_task *t, struct hold *h, struct regs *in,
                 struct regs *out)
{
    regs_pattern(in, &t->random, t->common->features);
    memset(out, 0xa5, sizeof(*out));
    memset(h, 0, sizeof(*h));
    h->in = in;
    h->out = out;
    h->nr = -1;
    h->count = 1;
    h->features = t->common->features;
}

static const char *hold(struct hold *h)
{
    regs_hold(h);
    return regs_differ(h->in, h->out, h->features);
}

static const char *do_spin(struct state_task *t)
{
    struct regs in, out;
    struct hold h;

    make(t, &h, &in, &out);
    h.spin = regs_random(&t->random) % 20000;
    return hold(&h);
}

static const char *do_yield(struct state_task *t)
{
    struct regs in, out;
    struct hold h;

    make(t, &h, &in, &out);
    h.nr = SYS_sched_yield;
    h.count = 1 + regs_random(&t->random) % 8;
    h.spin = regs_random(&t->random) % 100;
    return hold(&h);
}

static const char *do_sleep(struct state_task *t)
{
    struct timespec nap = { 0, 1 };
    struct regs in, out;
    struct hold h;

    make(t, &h, &in, &out);
    h.nr = SYS_nanosleep;
    h.arg[0] = (long)&nap;
    return hold(&h);
}

static const char *do_migrate(struct state_task *t)
{
    struct regs in, out;
    const char *why;
    struct hold h;
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(regs_random(&t->random) % t->common->cpus, &set);
    make(t, &h, &in, &out);
    h.nr = SYS_sched_setaffinity;
    h.arg[1] = sizeof(set);
    h.arg[2] = (long)&set;
    why = hold(&h);
    if (!why && h.result) {
        why = tap_why("sched_setaffinity: %s", strerror(-h.result));
    }
    run_anywhere();
    return why;
}

static const char *raise_in_hold(struct state_task *t, int sig)
{
    struct regs in, out, outer = t->expected;
    const char *why;
    struct hold h;

    make(t, &h, &in, &out);
    h.nr = SYS_tgkill;
    h.arg[0] = getpid();
    h.arg[1] = syscall(SYS_gettid);
    h.arg[2] = sig;
    t->expected = in;
    regs_hold(&h);
    /* the handler may have changed what it expects */
    why = regs_differ(&t->expected, &out, h.features);
    t->expected = outer;
    return why;
}

static const char *do_signal(struct state_task *t)
{
    uint64_t choice = regs_random(&t->random);
    const char *why;

    t->handler_why = NULL;
    t->nest = choice & 1;
    t->poke = choice & 2;
    why = raise_in_hold(t, choice & 4 ? SIGUSR1 : SIGUSR2);
    return t->handler_why ? t->handler_why : why;
}

/* The signal frame holds the interrupted registers: see, and change some */
static const char *look_at_frame(struct state_task *t, ucontext_t *uc)
{
    struct _libc_fpstate *fp = uc->uc_mcontext.fpregs;

    for (unsigned i = 0; i < 16; i++) {
        if (memcmp(&fp->_xmm[i], t->expected.ymm[i], 16)) {
            return tap_why("the signal frame's xmm%u differs", i);
        }
    }
    if (fp->mxcsr != t->expected.mxcsr || fp->cwd != t->expected.fcw) {
        return "the signal frame's MXCSR or x87 control word differs";
    }
    if (t->poke) {
        unsigned n = regs_random(&t->random) % 16;

        fp->_xmm[n].element[1] ^= 0x5a5a1234;
        fp->mxcsr ^= 0x6000;
        memcpy(t->expected.ymm[n], &fp->_xmm[n], 16);
        t->expected.mxcsr = fp->mxcsr;
    }
    return NULL;
}

static void on_signal(int sig, siginfo_t *info, void *context,
                      const struct regs *entry)
{
    struct state_task *t = self;
    struct regs initial, garbage;
    const char *why;

    (void)info;
    regs_initial(&initial);
    /* the kernel's choice for handlers; all that matters is that it is one */
    initial.pkru = entry->pkru;
    why = regs_differ(&initial, entry, t->common->features);
    if (why) {
        why = tap_why("at the handler's entry: %s", why);
    } else {
        why = look_at_frame(t, context);
    }
    atomic_fetch_add(&t->common->report->signals, 1);
    if (t->nest) {
        t->nest = false;
        atomic_fetch_add(&t->common->report->nested, 1);
        const char *inner = raise_in_hold(t, sig == SIGUSR1 ? SIGUSR2
                                                            : SIGUSR1);
        why = why ? why : inner;
    }
    if (why && !t->handler_why) {
        t->handler_why = why;
    }
    regs_pattern(&garbage, &t->random, t->common->features);
    regs_clobber(&garbage, t->common->features);
}

static const char *do_fork(struct state_task *t)
{
    struct regs in, out;
    const char *why;
    struct hold h;
    int status;

    make(t, &h, &in, &out);
    h.nr = SYS_clone;
    h.arg[0] = SIGCHLD;
    why = hold(&h);
    if (h.result < 0) {
        return tap_why("clone: %s", strerror(-h.result));
    }
    if (h.result == 0) {
        if (why) {
            strncpy(t->common->report->why[OP_FORK], why,
                    sizeof(t->common->report->why[0]) - 1);
        }
        _exit(why != NULL);
    }
    atomic_fetch_add(&t->common->report->children, 1);
    if (waitpid(h.result, &status, 0) != h.result || status) {
        return tap_why("in the child: %s",
                       t->common->report->why[OP_FORK]);
    }
    return why;
}

static const char *do_kernel(struct state_task *t)
{
    struct regs in, out;
    const char *why;
    struct hold h;
    uint64_t seed = regs_random(&t->random);

    make(t, &h, &in, &out);
    h.nr = SYS_ioctl;
    h.arg[0] = t->common->cputest;
    h.arg[1] = CPUTEST_KERNEL_FPU;
    h.arg[2] = (long)&seed;
    why = hold(&h);
    if (!why && h.result) {
        why = tap_why("in the kernel: %s", strerror(-h.result));
    }
    return why;
}

/*
 * The kernel's hash of some data twice, each on a socket of its own: equal
 * results. What the hash is, state_prepare() has seen.
 */
static const char *hash(struct state_task *t, const uint8_t *data,
                        uint8_t *result)
{
    struct regs in, out;
    const char *why;
    struct hold h;
    int fd = accept(t->common->hash, NULL, NULL);

    if (fd < 0) {
        return tap_why("accept: %s", strerror(errno));
    }
    make(t, &h, &in, &out);
    h.nr = SYS_sendto;
    h.arg[0] = fd;
    h.arg[1] = (long)data;
    h.arg[2] = HASH_DATA;
    why = hold(&h);
    if (!why && h.result != HASH_DATA) {
        why = tap_why("sendto: %ld", h.result);
    }
    if (!why && read(fd, result, HASH_SIZE) != HASH_SIZE) {
        why = tap_why("reading the hash: %s", strerror(errno));
    }
    close(fd);
    return why;
}

static const char *do_hash(struct state_task *t)
{
    uint8_t data[HASH_DATA], one[HASH_SIZE], two[HASH_SIZE];
    const char *why;

    for (unsigned i = 0; i < sizeof(data); i++) {
        data[i] = t->random >> i % 64;
    }
    why = hash(t, data, one);
    why = why ? why : hash(t, data, two);
    if (!why && memcmp(one, two, sizeof(one))) {
        why = "the kernel made two hashes of the same data";
    }
    return why;
}

static const char *do_pasid(struct state_task *t)
{
    struct regs in, out;
    uint64_t value = 0;
    const char *why;
    struct hold h;

    if (!cputest_get_pasid(t->common->cputest, &value)) {
        return "IA32_PASID cannot be read";
    }
    if (value != t->pasid) {
        return tap_why("IA32_PASID 0x%llx, expected 0x%llx",
                       (unsigned long long)value,
                       (unsigned long long)t->pasid);
    }
    /* now and then none at all, which is saved in another way */
    value = regs_random(&t->random);
    value = value & 0x300000 ? PASID_VALID | (value & PASID_MASK) : 0;
    make(t, &h, &in, &out);
    h.nr = SYS_ioctl;
    h.arg[0] = t->common->cputest;
    h.arg[1] = CPUTEST_SET_PASID;
    h.arg[2] = (long)&value;
    do {
        why = hold(&h);
    } while (!why && h.result == -EAGAIN);
    if (!why && h.result) {
        why = tap_why("setting IA32_PASID: %s", strerror(-h.result));
    }
    t->pasid = value;
    return why;
}

static const char *(*const functions[OP_COUNT])(struct state_task *) = {
    [OP_SPIN] = do_spin,
    [OP_YIELD] = do_yield,
    [OP_SLEEP] = do_sleep,
    [OP_MIGRATE] = do_migrate,
    [OP_SIGNAL] = do_signal,
    [OP_FORK] = do_fork,
    [OP_KERNEL] = do_kernel,
    [OP_HASH] = do_hash,
    [OP_PASID] = do_pasid,
};

const char *state_do(struct state_task *t, enum state_op op)
{
    atomic_fetch_add(&t->common->report->done[op], 1);
    return functions[op](t);
}

void state_run(struct state_task *t, unsigned rounds)
{
    struct state_report *r = t->common->report;

    for (t->round = 0; t->round < rounds; t->round++) {
        enum state_op op;
        const char *why;

        do {
            op = regs_random(&t->random) % OP_COUNT;
        } while (!(t->common->ops & (1u << op)));
        why = state_do(t, op);
        if (why && atomic_fetch_add(&r->failed[op], 1) == 0) {
            const char *text = tap_why("task %u, round %u: %s", t->number,
                                       t->round, why);

            memcpy(r->why[op], text, strlen(text) + 1);
        }
    }
}

static int open_hash(void)
{
    /* SHA-256 of the three bytes "abc" (FIPS 180-2, B.1) */
    static const uint8_t known[4] = { 0xba, 0x78, 0x16, 0xbf };
    struct sockaddr_alg address = {
        .salg_family = AF_ALG,
        .salg_type = "hash",
        .salg_name = "sha256",
    };
    uint8_t result[HASH_SIZE];
    int one, fd = socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    bool good;

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address))) {
        return -1;
    }
    one = accept(fd, NULL, NULL);
    good = one >= 0 && write(one, "abc", 3) == 3 &&
           read(one, result, sizeof(result)) == HASH_SIZE &&
           memcmp(result, known, sizeof(known)) == 0;
    close(one);
    return good ? fd : -1;
}

const char *state_prepare(struct state_common *c)
{
    struct sigaction action = {
        .sa_sigaction = regs_signal_entry,
        .sa_flags = SA_SIGINFO | SA_NODEFER,
    };

    c->features = regs_features();
    c->cputest = cputest_open();
    c->hash = -1;
    if (c->cputest < 0 && (c->ops & (1 << OP_KERNEL | 1 << OP_PASID))) {
        return "there is no /dev/cputest";
    }
    if (c->ops & (1 << OP_HASH)) {
        c->hash = open_hash();
        if (c->hash < 0) {
            return "the kernel offers no SHA-256";
        }
    }
    regs_signal_handler = on_signal;
    sigaction(SIGUSR1, &action, NULL);
    action.sa_flags |= SA_ONSTACK;
    sigaction(SIGUSR2, &action, NULL);
    return NULL;
}

const char *state_begin(struct state_task *t)
{
    stack_t stack = { .ss_size = STACK_SIZE };

    self = t;
    t->alternate_stack = malloc(STACK_SIZE);
    stack.ss_sp = t->alternate_stack;
    if (!stack.ss_sp || sigaltstack(&stack, NULL)) {
        return "no alternate stack for signals";
    }
    /* a new thread has none: see state_do(OP_PASID) */
    t->pasid = 0;
    return NULL;
}

void state_end(struct state_task *t)
{
    stack_t none = { .ss_flags = SS_DISABLE };

    sigaltstack(&none, NULL);
    free(t->alternate_stack);
}
