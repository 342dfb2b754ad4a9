/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cpu-pasid: ENQCMD, and IA32_PASID as a part of each task's state, without
 * any IOMMU: /dev/cputest sets the PASID and the device dmwr-testdev says what
 * arrived. Results as TAP.
 *
 *   cpu-pasid            all tests
 *   cpu-pasid --none     exit status 0 if this program has no PASID
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "libpasid.h"
#include "libtap.h"

int main(int argc, char **argv)
{
    struct pasid_env e = {
        .self = "/proc/self/exe",
        .fd = cputest_open(),
        .cpus = sysconf(_SC_NPROCESSORS_ONLN),
    };
    const char *why;

    if (e.fd < 0) {
        perror("/dev/cputest");
        return 2;
    }
    if (!testdev_open(&e.device)) {
        return 2;
    }
    enq_catch();
    if (argc == 2 && strcmp(argv[1], "--none") == 0) {
        why = pasid_refused(&e, SLOT_OTHER);
        if (why) {
            printf("# %s\n", why);
        }
        return why != NULL;
    }
    if (argc != 1) {
        fprintf(stderr, "usage: cpu-pasid [--none]\n");
        return 2;
    }
    testdev_write(&e.device, TD_CLEAR, 0);
    test_pasid_instruction(&e);
    test_pasid_processes(&e);
    test_pasid_signals(&e);
    test_pasid_crowd(&e);
    return tap_end();
}
