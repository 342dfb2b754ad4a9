/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of ENQCMD and of IA32_PASID as a part of each task's state. */
#ifndef LIBPASID_H
#define LIBPASID_H

#include "libcputest.h"

/* Slots of the portal: one for each of those that submit at a time */
enum {
    SLOT_MAIN,
    SLOT_CHILD,
    SLOT_HANDLER,
    SLOT_NESTED,
    SLOT_OTHER,
    SLOT_CROWD = 32,        /* and the rest */
    SLOTS = 64,
};

struct pasid_env {
    struct testdev device;
    int fd;                 /* /dev/cputest */
    const char *self;       /* this program */
    unsigned cpus;
};

/* Set the caller's PASID; NULL or what went wrong. */
const char *pasid_set(const struct pasid_env *e, uint32_t pasid);

/* Take it away again. */
const char *pasid_clear(const struct pasid_env *e);

/* IA32_PASID is @value. */
const char *pasid_is(const struct pasid_env *e, uint64_t value);

/* ENQCMD to @slot is accepted, and arrives unchanged but for @pasid. */
const char *pasid_submits(const struct pasid_env *e, unsigned slot,
                          uint32_t pasid);

/* IA32_PASID is 0, and ENQCMD to @slot ends in SIGSEGV and never arrives. */
const char *pasid_refused(const struct pasid_env *e, unsigned slot);

/*
 * In a child made by fork(): run @test there; NULL or what went wrong. With
 * @pasid the child has that one, with 0 it has none.
 */
const char *pasid_child(struct pasid_env *e, uint32_t pasid,
                        const char *(*test)(struct pasid_env *e));

/* The tests: results as TAP */
void test_pasid_instruction(struct pasid_env *e);
void test_pasid_processes(struct pasid_env *e);
void test_pasid_signals(struct pasid_env *e);
void test_pasid_crowd(struct pasid_env *e);

#endif
