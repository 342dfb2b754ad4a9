/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dsa-user: a process uses a dedicated work queue of the accelerator.
 *
 *   dsa-user DEVICE             all tests, results as TAP
 *   dsa-user --summary DEVICE   some work, told in words
 *   dsa-user --open DEVICE      only open it; prints "open: REASON"
 *
 * DEVICE is a queue of type "user", e.g. /dev/dsa/wq0.0, in dedicated mode
 * with block on fault.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "libdsatests.h"
#include "libtap.h"

static int only_open(const char *path)
{
    int fd = open(path, O_RDWR);

    printf("open: %s\n", fd < 0 ? strerror(errno) : "Success");
    return fd < 0;
}

static int run_tests(struct dsa *d)
{
    test_operations(d);
    test_batches(d);
    test_faults(d);
    test_errors(d);
    return tap_end();
}

int main(int argc, char **argv)
{
    const char *option = argc == 3 ? argv[1] : "";
    struct dsa d;
    int status;

    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: dsa-user [--summary|--open] DEVICE\n");
        return 2;
    }
    if (strcmp(option, "--open") == 0) {
        return only_open(argv[2]);
    }
    if (!dsa_open(&d, argv[argc - 1])) {
        fprintf(stderr, "%s: %s\n", argv[argc - 1], strerror(errno));
        return 2;
    }
    if (strcmp(option, "--summary") == 0) {
        status = !show_work(&d);
    } else {
        status = run_tests(&d);
    }
    dsa_close(&d);
    return status;
}
