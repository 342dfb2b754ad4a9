/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The groups of tests of dsa-pages; each prints TAP through libtap. */
#ifndef LIBPAGETESTS_H
#define LIBPAGETESTS_H

#include "libdsa.h"
#include "libpages.h"

/* Every operation on every state of pages */
void test_page_states(struct dsa *d);

/* Mappings that are changed while the accelerator works on them */
void test_page_changes(struct dsa *d);

/*
 * Everything at once: threads that use @queues, threads that protect, split,
 * swap out and move the same pages, and a process that forks.
 */
void test_page_load(struct dsa *queues, unsigned count);

/* Processes that are killed while work of theirs is in the queue @path */
void test_killed(const char *path);

#endif
