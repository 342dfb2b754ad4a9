/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process' own dedicated work queue: submission and completion. */
#ifndef LIBDSA_H
#define LIBDSA_H

#include <stdbool.h>

#include "dsa-hw.h"

struct dsa {
    int fd;
    /* volatile: device memory */
    volatile uint8_t *portal;
    unsigned turn;                  /* next 64 bytes of the portal */
};

/* Returns false with errno set. */
bool dsa_open(struct dsa *d, const char *path);
void dsa_close(struct dsa *d);

/* A descriptor that asks for a record at @record; the rest is zero. */
struct dsa_desc dsa_prepare(unsigned opcode, unsigned flags,
                            struct dsa_record *record);

/* Hand over a descriptor; its record's status becomes 0 first. */
void dsa_submit(struct dsa *d, const struct dsa_desc *desc);

/* Wait for a record. Returns its status, 0 if none came in time. */
unsigned dsa_wait(const struct dsa_record *record);

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
