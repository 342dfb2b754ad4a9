/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A work queue that a process has opened: submission and completion. */
#ifndef LIBDSA_H
#define LIBDSA_H

#include <stdbool.h>
#include <time.h>

#include "dsa-hw.h"

/* Threads share an open queue by copies of this. */
struct dsa {
    int fd;
    bool shared;                    /* takes ENQCMD; else MOVDIR64B */
    /* volatile: device memory */
    volatile uint8_t *portal;
    unsigned turn;                  /* next 64 bytes of the portal */
    uint64_t submissions, retries;  /* accepted, and told to retry */
};

/* How to pass the time until a completion record comes */
enum dsa_waiting { DSA_YIELD, DSA_POLL, DSA_PAUSE, DSA_MONITOR };

/* Returns false with errno set. */
bool dsa_open(struct dsa *d, const char *path);
void dsa_close(struct dsa *d);

/* Whether the processor has UMONITOR, UMWAIT and TPAUSE */
bool dsa_has_waitpkg(void);

/* One ENQCMD of 64 bytes. Returns whether @target accepted them. */
bool dsa_enqcmd(volatile void *target, const void *source);
/* volatile: device memory */
void dsa_movdir64b(volatile void *target, const void *source);

/* A descriptor that asks for a record at @record; the rest is zero. */
struct dsa_desc dsa_prepare(unsigned opcode, unsigned flags,
                            struct dsa_record *record);

/*
 * Hand over a descriptor; its record's status becomes 0 first. A shared queue
 * may be full: dsa_try() returns false then, dsa_submit() tries until it is
 * not.
 */
bool dsa_try(struct dsa *d, const struct dsa_desc *desc);
void dsa_submit(struct dsa *d, const struct dsa_desc *desc);

/*
 * After each refusal in a row; @since: 0 before the first. Gives way to others,
 * and ends the program when it must be a hang.
 */
void dsa_refused(time_t *since);

/*
 * Wait for a record. Returns its status, 0 if none came in time.
 * DSA_PAUSE and DSA_MONITOR need dsa_has_waitpkg(), else they are DSA_YIELD.
 */
unsigned dsa_wait(const struct dsa_record *record);
unsigned dsa_wait_by(const struct dsa_record *record, enum dsa_waiting how);

/* dsa_submit() and dsa_wait() */
unsigned dsa_run(struct dsa *d, const struct dsa_desc *desc);

/* NULL if @status is @expected, else a sentence */
const char *dsa_expect(const struct dsa_record *record, unsigned status,
                       unsigned expected);

/*
 * Carry a memmove or fill through page faults without block on fault: touch
 * the page, go on behind what is done. Returns the last status; @stops counts
 * partial completions.
 */
unsigned dsa_run_touching(struct dsa *d, const struct dsa_desc *first,
                          unsigned *stops);

#endif
