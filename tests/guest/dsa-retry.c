/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dsa-retry: a shared queue answers "retry" exactly when it is full (DSA
 * section 3.3): on the limited portal at its threshold, on the unlimited one
 * at its size.
 *
 *   dsa-retry SIZE THRESHOLD DEVICE OTHER       results as TAP
 *
 * DEVICE is a shared queue of that size and threshold, OTHER another shared
 * queue of the same accelerator. What fills it up are descriptors that wait
 * for a page that takes long to come.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libdsa.h"
#include "libmem.h"
#include "libportal.h"
#include "libslow.h"
#include "libtap.h"

#define MANY 1024                   /* more than a queue and engines hold */
#define BYTES 64
#define TRIES 200                   /* on a queue that is full */

static const char *path, *other_path;
static unsigned size, threshold;
static struct dsa_record records[MANY];
static uint8_t results[MANY][BYTES];
static struct slow slow;
static unsigned accepted;

static struct dsa_desc waiting(unsigned i)
{
    struct dsa_desc desc = dsa_prepare(DSA_MEMMOVE, DSA_F_BLOCK, &records[i]);

    desc.src = (uintptr_t)slow.at + i;
    desc.dst = (uintptr_t)results[i];
    desc.size = BYTES;
    return desc;
}

/* The engines take what they can; give them time to. */
static long settled(void)
{
    long before = -1, now = queue_value(path, "occupancy");

    while (now != before) {
        usleep(50000);
        before = now;
        now = queue_value(path, "occupancy");
    }
    return now;
}

static const char *occupancy_is(unsigned expected)
{
    long now = settled();

    return now == (long)expected ? NULL :
           tap_why("it holds %ld descriptors instead of %u", now, expected);
}

/* One at a time never meets a full queue. */
static const char *one_at_a_time(struct dsa *d)
{
    unsigned i;

    for (i = 0; i < MANY; i++) {
        struct dsa_desc desc = dsa_prepare(DSA_NOOP, 0, &records[0]);
        const char *why;

        if (!dsa_try(d, &desc)) {
            return tap_why("submission %u of an empty queue", i);
        }
        why = dsa_expect(&records[0], dsa_wait(&records[0]), DSA_OK);
        if (why) {
            return why;
        }
    }
    return NULL;
}

/* Fill by @d until it says retry and the engines take no more either */
static const char *fill(struct dsa *d, unsigned limit)
{
    for (;;) {
        struct dsa_desc desc = waiting(accepted);

        if (accepted == MANY - TRIES) {
            return "it is never full";
        }
        if (dsa_try(d, &desc)) {
            accepted++;
        } else if (settled() >= (long)limit) {
            return occupancy_is(limit);
        }
    }
}

/* Full is full, at every try */
static const char *refuses(struct dsa *d, unsigned limit)
{
    unsigned i;

    for (i = 0; i < TRIES; i++) {
        struct dsa_desc desc = waiting(accepted + i);

        if (dsa_try(d, &desc)) {
            return tap_why("try %u was accepted", i);
        }
    }
    return occupancy_is(limit);
}

static const char *nothing_done(void)
{
    unsigned i;

    for (i = 0; i < accepted; i++) {
        if (records[i].status) {
            return tap_why("descriptor %u has status 0x%x", i,
                           records[i].status);
        }
    }
    return NULL;
}

static void be_other(int line)
{
    struct dsa_desc desc = dsa_prepare(DSA_NOOP, 0, &records[0]);
    struct dsa d, other;
    uint8_t bad = 0;

    if (!dsa_open(&d, path) || !dsa_open(&other, other_path)) {
        _exit(1);
    }
    while (write(line, &bad, 1) == 1 && read(line, &bad, 1) == 1) {
        bad = dsa_try(&d, &desc);
        bad |= (dsa_run(&other, &desc) != DSA_OK) << 1;
    }
    _exit(0);
}

/*
 * Another process, which tries when its line says so. It has to be there
 * before and after: a fork waits for page faults of the same memory, the close
 * of a queue for all page faults of the device (Linux 6.12), and these wait.
 */
static pid_t start_other(int *line)
{
    int ends[2];
    pid_t child;
    uint8_t bad;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
        return -1;
    }
    child = fork();
    if (child == 0) {
        close(ends[0]);
        be_other(ends[1]);
    }
    close(ends[1]);
    *line = ends[0];
    return read(*line, &bad, 1) == 1 ? child : -1;
}

/* It finds the queue as full, and the other one free. */
static const char *other_process(int line)
{
    uint8_t bad = 0;

    if (write(line, &bad, 1) != 1 || read(line, &bad, 1) != 1) {
        return "it is lost";
    }
    return bad & 1 ? "the full queue accepted" :
           bad ? "the free queue did not work" : NULL;
}

static const char *all_done(struct dsa *d)
{
    struct dsa_desc desc = dsa_prepare(DSA_NOOP, 0, &records[MANY - 1]);
    const char *why = NULL;
    unsigned i;

    slow_release(&slow);
    for (i = 0; i < accepted && !why; i++) {
        why = dsa_expect(&records[i], dsa_wait(&records[i]), DSA_OK);
        why = why ? why : mem_check(results[i], BYTES, SLOW_KEY, i);
    }
    for (; i < MANY && !why; i++) {
        if (records[i].status) {
            why = tap_why("descriptor %u was refused, and carried out", i);
        }
    }
    if (!why) {
        why = occupancy_is(0);
    }
    if (!why && !dsa_try(d, &desc)) {
        why = "it does not accept now";
    }
    return why ? why : dsa_expect(&records[MANY - 1],
                                  dsa_wait(&records[MANY - 1]), DSA_OK);
}

/* A process is killed while its work waits for a page that does not come. */
static const char *killed_waiting(void)
{
    int status = -1;
    pid_t child;

    if (!slow_make(&slow, 16 * PAGE)) {
        return tap_why("no slow memory: %s", strerror(errno));
    }
    child = fork();
    if (child == 0) {
        struct dsa d;
        unsigned i;

        if (!dsa_open(&d, path)) {
            _exit(1);
        }
        for (i = 0; i < 8; i++) {
            struct dsa_desc desc = waiting(i);

            dsa_submit(&d, &desc);
        }
        raise(SIGKILL);
    }
    usleep(200000);
    slow_release(&slow);
    waitpid(child, &status, 0);
    slow_drop(&slow);
    if (status != SIGKILL) {
        return tap_why("it ended with status 0x%x", status);
    }
    return occupancy_is(0);
}

static void run(struct dsa *d)
{
    struct dsa unlimited = *d;
    unsigned held;
    pid_t other;
    int line = -1;

    unlimited.portal = portal_map(path, PORTAL_UNLIMITED);
    other = start_other(&line);
    tap_result(one_at_a_time(d), "an empty queue accepts, %u times", MANY);
    memset(records, 0, sizeof(records));
    tap_result(fill(d, threshold),
               "the limited portal accepts to the threshold, %u", threshold);
    held = accepted - threshold;
    tap_result(refuses(d, threshold), "then it says retry, %u times", TRIES);
    tap_result(other_process(line),
               "another process meets the same, and a free queue beside it");
    if (unlimited.portal) {
        tap_result(fill(&unlimited, size),
                   "the unlimited portal accepts to the size, %u", size);
        tap_result(accepted == held + size ? NULL :
                   tap_why("%u", accepted - held), "and %u more, no fewer",
                   size - threshold);
        tap_result(refuses(&unlimited, size), "then it says retry, too");
    } else {
        tap_result(strerror(errno), "the unlimited portal can be mapped");
    }
    tap_result(refuses(d, size), "and the limited one as well");
    tap_result(nothing_done(), "all %u wait for the page", accepted);
    tap_result(all_done(d), "the page comes: the accepted ones are done, the "
               "refused ones are not");
    close(line);
    waitpid(other, NULL, 0);
    printf("# %u accepted: %u in the queue, %u held by engines; %llu retries\n",
           accepted, size, held,
           (unsigned long long)(d->retries + unlimited.retries));
}

int main(int argc, char **argv)
{
    struct dsa d;

    if (argc != 5) {
        fprintf(stderr, "usage: dsa-retry SIZE THRESHOLD DEVICE OTHER\n");
        return 2;
    }
    size = atoi(argv[1]);
    threshold = atoi(argv[2]);
    path = argv[3];
    other_path = argv[4];
    if (!slow_make(&slow, 16 * PAGE)) {
        fprintf(stderr, "no slow memory: %s\n", strerror(errno));
        return 2;
    }
    if (!dsa_open(&d, path)) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return 2;
    }
    run(&d);
    slow_drop(&slow);
    tap_result(killed_waiting(),
               "a process is killed while its work waits for a page");
    dsa_close(&d);
    return tap_end();
}
