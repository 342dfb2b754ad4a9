/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The groups of tests of dsa-user; each prints TAP through libtap. */
#ifndef LIBDSATESTS_H
#define LIBDSATESTS_H

#include "libdsa.h"
#include "libmem.h"

void test_operations(struct dsa *d);    /* every operation, every memory */
void test_batches(struct dsa *d);
void test_faults(struct dsa *d);        /* page faults, mappings that change */
void test_errors(struct dsa *d);        /* descriptors that must be refused */

/* Readable work for a person. Returns false if anything went wrong. */
bool show_work(struct dsa *d);

/* CRC-32C (iSCSI), bit by bit; @crc is 0 at the start */
uint32_t crc32c(uint32_t crc, const uint8_t *at, size_t size);

#endif
