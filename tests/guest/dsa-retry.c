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
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libdsa.h"
#include "libmem.h"
#include "libportal.h"
#include "libslow.h"
#include "libtap.h"
#include "libuntil.h"

#define IN_FLIGHT 128               /* of one queue, that engines hold */
#define MANY 1024                   /* more than a queue and engines hold */
#define BYTES 64
#define TRIES 200                   /* on a queue that is full */
#define KILLED_JOBS 8
#define CANARY 0xc5

static const char *path, *other_path;
static unsigned size, threshold;
static struct dsa_record records[MANY];
static uint8_t results[MANY][BYTES];
static struct slow slow;
static unsigned accepted;

static struct dsa_desc copy_slow(unsigned from, struct dsa_record *record,
                                 uint8_t *to)
{
    struct dsa_desc desc = dsa_prepare(DSA_MEMMOVE, DSA_F_BLOCK, record);

    desc.src = (uintptr_t)slow.at + from;
    desc.dst = (uintptr_t)to;
    desc.size = BYTES;
    return desc;
}

static struct dsa_desc waiting(unsigned i)
{
    return copy_slow(i, &records[i], results[i]);
}

static const char *occupancy_is(unsigned expected)
{
    long now = queue_value(path, "occupancy");

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

static bool one_more(void *arg)
{
    struct dsa_desc desc = waiting(accepted);
    bool done = dsa_try(arg, &desc);

    accepted += done;
    return done;
}

/*
 * Fill by @d until it has @limit and the engines all that they take out of one
 * queue. It may say retry on the way there, as long as they have not.
 */
static const char *fill(struct dsa *d, unsigned limit)
{
    while (accepted < IN_FLIGHT + limit) {
        if (!until_true(one_more, d)) {
            return tap_why("it accepts %u instead of %u", accepted,
                           IN_FLIGHT + limit);
        }
    }
    return NULL;
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

/* --- a process that is killed --------------------------------------------- */

/* What its work writes to; in memory that is ours as well */
struct killed {
    struct dsa_record records[KILLED_JOBS];
    uint8_t results[KILLED_JOBS][BYTES];
};

static void be_killed(struct killed *k, int told)
{
    struct dsa d;
    unsigned i;

    if (!dsa_open(&d, path)) {
        _exit(1);
    }
    for (i = 0; i < KILLED_JOBS; i++) {
        struct dsa_desc desc = copy_slow(i, &k->records[i], k->results[i]);

        dsa_submit(&d, &desc);
    }
    if (write(told, "x", 1) != 1) {
        _exit(1);
    }
    for (;;) {
        pause();
    }
}

static pid_t start_killed(struct killed *k, int *told)
{
    pid_t child;
    int ends[2];

    if (pipe(ends)) {
        return -1;
    }
    child = fork();
    if (child == 0) {
        close(ends[0]);
        be_killed(k, ends[1]);
    }
    close(ends[1]);
    *told = ends[0];
    return child;
}

static bool is_asked(void *arg)
{
    (void)arg;
    return *slow.asked;
}

/* It is past the point where it gives up its memory, whoever else holds it. */
static bool has_no_memory(void *arg)
{
    char name[64];
    long pages = -1;
    FILE *file;

    snprintf(name, sizeof(name), "/proc/%d/statm", *(pid_t *)arg);
    file = fopen(name, "r");
    if (file) {
        if (fscanf(file, "%ld", &pages) != 1) {
            pages = -1;
        }
        fclose(file);
    }
    return pages == 0;
}

static bool only_we_use_it(void *arg)
{
    (void)arg;
    return queue_value(path, "clients") == 1;
}

/*
 * From its kill to the release of the page. The kernel's thread that is to
 * bring the page keeps the memory until then, and that the portal, and that
 * the queue, so that the process may well have ended before.
 */
static const char *kill_waiting(const struct killed *k, pid_t child, int told)
{
    const char *why = NULL;
    char byte;

    if (read(told, &byte, 1) != 1) {
        why = "it could not begin";
    } else if (!until_true(is_asked, NULL)) {
        why = "nobody asks for the page";
    }
    kill(child, SIGKILL);
    if (!why && !until_true(has_no_memory, &child)) {
        why = "it does not end";
    }
    return why ? why : mem_check_value((const uint8_t *)k, sizeof(*k), 0);
}

/* Its work is in flight until the kernel has closed its queue, not longer. */
static const char *killed_waiting(struct dsa *d, struct killed *k)
{
    int told = -1, status = -1;
    const char *why;
    pid_t child;

    if (!slow_make(&slow, 16 * PAGE)) {
        return tap_why("no slow memory: %s", strerror(errno));
    }
    child = start_killed(k, &told);
    why = child > 0 ? kill_waiting(k, child, told) : "no process";
    slow_release(&slow);
    close(told);
    if (child > 0 && waitpid(child, &status, 0) == child && !why &&
        status != SIGKILL) {
        why = tap_why("it ended with status 0x%x", status);
    }
    if (!why && !until_true(only_we_use_it, NULL)) {
        why = "its queue is never closed";
    }
    memset(k, CANARY, sizeof(*k));
    slow_drop(&slow);
    why = why ? why : occupancy_is(0);
    return why ? why : one_at_a_time(d);
}

static void run(struct dsa *d)
{
    struct dsa unlimited = *d;
    pid_t other;
    int line = -1;

    unlimited.portal = portal_map(path, PORTAL_UNLIMITED);
    other = start_other(&line);
    tap_result(one_at_a_time(d), "an empty queue accepts, %u times", MANY);
    memset(records, 0, sizeof(records));
    tap_result(fill(d, threshold),
               "the limited portal accepts to the threshold, %u, behind the "
               "%u of the engines", threshold, IN_FLIGHT);
    tap_result(refuses(d, threshold), "then it says retry, %u times", TRIES);
    tap_result(other_process(line),
               "another process meets the same, and a free queue beside it");
    if (unlimited.portal) {
        tap_result(fill(&unlimited, size),
                   "the unlimited portal accepts to the size, %u", size);
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
           accepted, size, IN_FLIGHT,
           (unsigned long long)(d->retries + unlimited.retries));
}

int main(int argc, char **argv)
{
    struct killed *killed;
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
    killed = mmap(NULL, sizeof(*killed), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (killed == MAP_FAILED) {
        return 2;
    }
    tap_result(killed_waiting(&d, killed),
               "a process is killed while its work waits for a page");
    dsa_close(&d);
    tap_result(mem_check_value((uint8_t *)killed, sizeof(*killed), CANARY),
               "once its queue is closed its work writes nothing any more");
    return tap_end();
}
