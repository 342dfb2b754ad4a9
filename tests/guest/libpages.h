/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What may have become of a process's pages when the accelerator comes to
 * them: never there, written to swap, shared with a child, and so on.
 */
#ifndef LIBPAGES_H
#define LIBPAGES_H

#include "libmem.h"

/**
 * struct page_state: memory whose pages are in one state.
 * @make: memory of @size bytes that can be filled
 * @age: bring its pages into the state; NULL or what went wrong. @m's contents
 *       stay.
 * @zero: it is never filled and holds zeros
 */
struct page_state {
    const char *name;
    bool (*make)(struct mem *m, size_t size);
    const char *(*age)(struct mem *m);
    bool zero;
};

extern const struct page_state page_states[];
extern const unsigned page_state_count;

/* Whoever @age left behind for @m goes; then mem_drop() */
const char *page_state_drop(struct mem *m);

/* Pages of @m in memory and in swap, by /proc/self/pagemap */
unsigned pages_present(const struct mem *m);
unsigned pages_swapped(const struct mem *m);

/* Ask the kernel to write @m's pages to swap or their file */
void pages_out(const struct mem *m);

/* Returns whether all of @text was written. */
bool write_file(const char *name, const char *text);

/* How often @name of /proc/vmstat has happened since the boot; -1 if unknown */
long vm_events(const char *name);

/*
 * Memory that somebody has given back goes to the next who wants some: fill
 * @m, which is untouched so far, to see later whether it is still written to.
 */
void canary_fill(struct mem *m);
const char *canary_check(const struct mem *m);

#endif
