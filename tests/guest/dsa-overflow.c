/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dsa-overflow: more page requests than the kernel's queue holds.
 *
 *   dsa-overflow DEVICE...
 *
 * The queues belong to several accelerators, each of which may have 512 page
 * requests out. On the only processor the program runs ahead of the thread
 * that serves the requests, until all accelerators have asked for all that
 * they may. Then everything has to come to its end all the same. Accelerators
 * that had too little time for it get more, on other memory. Results are TAP.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <time.h>
#include <unistd.h>

#include "libdsa.h"
#include "libmem.h"
#include "libtap.h"
#include "libuntil.h"

#define QUEUES 8
#define JOBS 40                 /* for each queue */
#define SIZE (16 * PAGE)        /* what one page request group asks for */
#define REQUESTS 512
#define TRIES 20
#define LEAD 400                /* milliseconds ahead of the kernel, at first */

/* PCIe 6.0 section 10.5.2: Page Request Extended Capability */
#define EXT_CAP_PRI 0x13
#define PRI_ALLOCATION 0x0c

static struct dsa_record records[QUEUES][JOBS];
static const char *wrong[QUEUES];   /* what went wrong at each queue */

/* The function's configuration space, by the name of a queue: wqD.W */
static int open_config(const char *path)
{
    char name[PATH_MAX];
    unsigned device, queue;

    if (sscanf(path, "/dev/dsa/wq%u.%u", &device, &queue) != 2) {
        return -1;
    }
    snprintf(name, sizeof(name), "/sys/bus/dsa/devices/dsa%u/../config",
             device);
    return open(name, O_RDWR | O_CLOEXEC);
}

/* Let the function have @requests out. Linux allows 32. */
static bool allow_requests(const char *path, uint32_t requests)
{
    int fd = open_config(path);
    uint32_t header = 0, at = 0x100;
    unsigned steps;
    bool good = false;

    for (steps = 0; steps < 64 && at >= 0x100; steps++) {
        if (pread(fd, &header, 4, at) != 4) {
            break;
        }
        if ((header & 0xffff) == EXT_CAP_PRI) {
            good = pwrite(fd, &requests, 4, at + PRI_ALLOCATION) == 4;
            break;
        }
        at = header >> 20;
    }
    if (fd >= 0) {
        close(fd);
    }
    return good;
}

static struct dsa_desc job(unsigned queue, unsigned i, struct mem *m)
{
    struct dsa_desc desc = dsa_prepare(DSA_FILL, DSA_F_BLOCK,
                                       &records[queue][i]);

    desc.pattern = (i + 1) * 0x0101010101010101ull;
    desc.dst = (uintptr_t)m->at + i * SIZE;
    desc.size = SIZE;
    return desc;
}

/* Without a system call: this thread is the only one that runs */
static void pass_time(unsigned milliseconds)
{
    struct timespec start, now;

    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        __builtin_ia32_pause();
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - start.tv_sec) * 1000 +
             (now.tv_nsec - start.tv_nsec) / 1000000 < milliseconds);
}

static bool overflow_reported(void)
{
    int size = klogctl(10, NULL, 0);
    char *log = calloc(1, size + 1);
    bool found;

    klogctl(3, log, size);
    found = strstr(log, "PRQ overflow detected") != NULL;
    free(log);
    return found;
}

static const char *check(struct mem *m, unsigned queue)
{
    const char *why = NULL;
    unsigned i;

    for (i = 0; i < JOBS && !why; i++) {
        struct dsa_record *record = &records[queue][i];

        why = dsa_expect(record, dsa_wait(record), DSA_OK);
        if (!why) {
            why = mem_check_value(m[queue].at + i * SIZE, SIZE, i + 1);
        }
    }
    return why;
}

/* All accelerators ask, and nobody answers for so many milliseconds */
static void submit_all(struct dsa *queue, struct mem *m, int count,
                       unsigned lead)
{
    int i, q;

    for (i = 0; i < JOBS; i++) {
        for (q = 0; q < count; q++) {
            struct dsa_desc desc = job(q, i, &m[q]);

            dsa_submit(&queue[q], &desc);
        }
    }
    pass_time(lead);
}

/* Once, on memory never touched: NULL or why it cannot be tried */
static const char *run(struct dsa *queue, int count, unsigned lead)
{
    struct mem m[QUEUES] = { 0 };
    int q;

    for (q = 0; q < count; q++) {
        if (!mem_kinds[MEM_UNTOUCHED].make(&m[q], JOBS * SIZE)) {
            return "no memory";
        }
    }
    /* so that nothing but page requests of the accelerators comes */
    memset(records, 0, sizeof(records));
    if (!run_first(true)) {
        return strerror(errno);
    }
    submit_all(queue, m, count, lead);
    run_first(false);
    for (q = 0; q < count; q++) {
        wrong[q] = check(m, q);
        mem_drop(&m[q]);
    }
    return NULL;
}

static bool all_right(void)
{
    int q;

    for (q = 0; q < QUEUES && !wrong[q]; q++) {
        /* go on */
    }
    return q == QUEUES;
}

int main(int argc, char **argv)
{
    int count = argc - 1, tries = 0, q;
    struct dsa queue[QUEUES];
    const char *why = NULL;

    if (count < 1 || count > QUEUES) {
        fprintf(stderr, "usage: dsa-overflow DEVICE...\n");
        return 2;
    }
    for (q = 0; q < count; q++) {
        if (!dsa_open(&queue[q], argv[1 + q])) {
            fprintf(stderr, "%s: %s\n", argv[1 + q], strerror(errno));
            return 2;
        }
        tap_result(allow_requests(argv[1 + q], REQUESTS) ? NULL :
                   "no such capability", "%s may ask for %u pages",
                   argv[1 + q], REQUESTS);
    }
    while (!why && all_right() && tries < TRIES && !overflow_reported()) {
        tries++;
        why = run(queue, count, LEAD * tries);
    }
    tap_result(why, "the program runs before the kernel's threads");
    for (q = 0; q < count; q++) {
        tap_result(wrong[q], "%s finishes all it was given", argv[1 + q]);
        dsa_close(&queue[q]);
    }
    tap_result(overflow_reported() ? NULL : "the kernel saw none",
               "the page request queue was full");
    printf("# after %d tries\n", tries);
    return tap_end();
}
