/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Results in the Test Anything Protocol on stdout. */
#ifndef LIBTAP_H
#define LIBTAP_H

#include <stdbool.h>

/* One test: @why says what went wrong, NULL or "" if nothing did. */
void tap_result(const char *why, const char *name, ...)
    __attribute__((format(printf, 2, 3)));

/* The plan line, after the last test. Returns the exit status. */
int tap_end(void);

/*
 * A sentence for a failed test, in one of a few static buffers: valid until
 * some calls later.
 */
const char *tap_why(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

#endif
