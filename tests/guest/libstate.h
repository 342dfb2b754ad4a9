/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tasks that keep patterns in their registers while something goes on. */
#ifndef LIBSTATE_H
#define LIBSTATE_H

#include <stdatomic.h>

#include "libregs.h"

/* What may go on, see libstate-ops.c */
enum state_op {
    OP_SPIN,
    OP_YIELD,
    OP_SLEEP,
    OP_MIGRATE,
    OP_SIGNAL,
    OP_FORK,
    OP_KERNEL,
    OP_HASH,
    OP_PASID,
    OP_COUNT,
};

extern const char *const state_op_names[OP_COUNT];

/* Shared by all processes of a test: what was done, and what failed first */
struct state_report {
    atomic_uint done[OP_COUNT];
    atomic_uint failed[OP_COUNT];
    atomic_uint signals;
    atomic_uint nested;
    atomic_uint children;
    atomic_uint switches;
    atomic_uint traced;
    atomic_uint executed;
    char why[OP_COUNT][200];
};

/* What all tasks have in common */
struct state_common {
    uint32_t features;
    uint32_t ops;               /* bit N: operation N is to be done */
    unsigned cpus;
    int cputest;                /* file descriptors, or -1 */
    int hash;
    struct state_report *report;
};

/* One task: a process or a thread of one */
struct state_task {
    const struct state_common *common;
    unsigned number;
    unsigned round;
    uint64_t random;
    uint64_t pasid;             /* IA32_PASID, with OP_PASID */

    /* the handlers' */
    struct regs expected;
    bool nest;
    bool poke;
    const char *handler_why;
    void *alternate_stack;
};

/* Open what @ops need and install the handlers; NULL or what is missing. */
const char *state_prepare(struct state_common *c);

/* Make the calling thread @t, with its alternate stack and PASID. */
const char *state_begin(struct state_task *t);
void state_end(struct state_task *t);

/* One round of operation @op: NULL if the registers were left alone. */
const char *state_do(struct state_task *t, enum state_op op);

/* @rounds of random operations; failures go to the report. */
void state_run(struct state_task *t, unsigned rounds);

/*
 * Children whose registers a tracer reads and writes while they are stopped.
 * NULL or the first failure.
 */
const char *state_trace(const struct state_common *c, unsigned rounds);

/*
 * Programs that are executed with patterns in the registers begin with the
 * initial state. @self is a program that ends at once if called with --exit.
 */
const char *state_exec(const struct state_common *c, const char *self,
                       unsigned rounds);

#endif
