/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory whose page faults take as long as one likes: a file of a file system
 * in user space that answers no read while it is held.
 */
#ifndef LIBSLOW_H
#define LIBSLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct slow {
    uint8_t *at;                    /* read-only; contents by mem_fill() */
    size_t size;
    /* volatile: the server looks at it */
    volatile bool *held;
    volatile bool *asked;           /* set by it: somebody waits for a page */
    pid_t server;
    char path[32];
};

#define SLOW_KEY 5                  /* of the contents */

/* @size bytes, held. Returns false with errno set; needs root and FUSE. */
bool slow_make(struct slow *s, size_t size);
/* Answer reads from now on. */
void slow_release(struct slow *s);
void slow_drop(struct slow *s);

#endif
