/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dsa-pages: page requests of the accelerator under load.
 *
 *   dsa-pages --states DEVICE      every operation on every state of pages
 *   dsa-pages --changes DEVICE     mappings that change meanwhile
 *   dsa-pages --load DEVICE...     everything at once, on all these queues
 *   dsa-pages --killed DEVICE      processes killed with work in flight
 *
 * DEVICE is a queue of type "user" with block on fault, in either mode. It
 * needs swap, root's rights and transparent huge pages. Results are TAP.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "libpagetests.h"
#include "libtap.h"

#define QUEUES 8

int main(int argc, char **argv)
{
    const char *what = argc > 2 ? argv[1] : "";
    struct dsa queues[QUEUES];
    int i, count = argc - 2;

    if (count < 1 || count > QUEUES) {
        fprintf(stderr, "usage: dsa-pages --states|--changes|--load|--killed "
                "DEVICE...\n");
        return 2;
    }
    if (strcmp(what, "--killed") == 0) {
        test_killed(argv[2]);
        return tap_end();
    }
    for (i = 0; i < count; i++) {
        if (!dsa_open(&queues[i], argv[2 + i])) {
            fprintf(stderr, "%s: %s\n", argv[2 + i], strerror(errno));
            return 2;
        }
    }
    if (strcmp(what, "--states") == 0) {
        test_page_states(&queues[0]);
    } else if (strcmp(what, "--changes") == 0) {
        test_page_changes(&queues[0]);
    } else {
        test_page_load(queues, count);
    }
    for (i = 0; i < count; i++) {
        dsa_close(&queues[i]);
    }
    return tap_end();
}
