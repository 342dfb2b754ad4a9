/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dsa-storm: processes come and go with work in flight.
 *
 *   dsa-storm [-n PROCESSES] DEVICE         results as TAP
 *
 * They exit, are killed, fork, exec, unmap, close; meanwhile bystanders on
 * the same shared queue check all that they do.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libmem.h"
#include "libportal.h"
#include "librogue.h"
#include "libtap.h"
#include "libwork.h"

#define BYSTANDERS 2
#define AT_ONCE 6                   /* processes of the storm */
#define STORM_MAX 1000
#define FLIGHTS 12                  /* descriptors each leaves behind */
#define SIZE (24 * PAGE)

/* What a process of the storm works with */
struct stage {
    const char *path;
    struct dsa d;
    struct mem src, dst;
    struct dsa_record records[FLIGHTS];
};

struct result {
    pid_t pid;
    unsigned part;
    bool told;                      /* it came to its end */
    char why[160];
};

static const char *self;
static struct stage stage;

static struct dsa_desc move(unsigned i)
{
    struct dsa_desc desc = dsa_prepare(DSA_MEMMOVE, DSA_F_BLOCK,
                                       &stage.records[i]);

    desc.src = (uintptr_t)stage.src.at + i;
    desc.dst = (uintptr_t)stage.dst.at;
    desc.size = SIZE - FLIGHTS;
    return desc;
}

static const char *set_up(const char *path)
{
    stage.path = path;
    if (!dsa_open(&stage.d, path)) {
        return tap_why("open: %s", strerror(errno));
    }
    if (!mem_kinds[MEM_UNTOUCHED].make(&stage.src, SIZE) ||
        !mem_kinds[MEM_UNTOUCHED].make(&stage.dst, SIZE)) {
        return "no memory";
    }
    mem_fill(stage.src.at, SIZE, 1);
    return NULL;
}

static void submit_all(void)
{
    unsigned i;

    for (i = 0; i < FLIGHTS; i++) {
        struct dsa_desc desc = move(i);

        dsa_submit(&stage.d, &desc);
    }
}

/* One descriptor from here to its end */
static const char *works(struct dsa *d)
{
    struct dsa_desc desc = move(0);
    const char *why = dsa_expect(&stage.records[0], dsa_run(d, &desc),
                                 DSA_OK);

    return why ? why : mem_check(stage.dst.at, SIZE - FLIGHTS, 1, 0);
}

/* --- the parts ------------------------------------------------------------ */

static const char *exits(void)
{
    submit_all();
    return NULL;
}

static const char *is_killed(void)
{
    submit_all();
    kill(getpid(), SIGKILL);
    return "it lives on";
}

static void *submit_for_ever(void *arg)
{
    struct dsa d = stage.d;

    (void)arg;
    for (;;) {
        struct dsa_desc desc = dsa_prepare(DSA_MEMMOVE, DSA_F_BLOCK, NULL);

        desc.flags = DSA_F_BLOCK;   /* no record: several threads */
        desc.src = (uintptr_t)stage.src.at;
        desc.dst = (uintptr_t)stage.dst.at;
        desc.size = SIZE;
        dsa_submit(&d, &desc);
    }
    return NULL;
}

static const char *exits_under_threads(void)
{
    pthread_t id;
    unsigned i;

    for (i = 0; i < 3; i++) {
        if (pthread_create(&id, NULL, submit_for_ever, NULL)) {
            return "no thread";
        }
    }
    usleep(20000);
    return NULL;
}

/* The last close drains: nothing is written after it. */
static const char *closes(void)
{
    unsigned i;

    submit_all();
    dsa_close(&stage.d);
    for (i = 0; i < FLIGHTS; i++) {
        /* volatile: it would be the accelerator that changes it */
        volatile uint8_t *status = &stage.records[i].status;

        if (*status != DSA_OK) {
            return tap_why("record %u has status 0x%x after the close", i,
                           *status);
        }
    }
    mem_fill(stage.dst.at, SIZE, 7);
    usleep(10000);
    return mem_check(stage.dst.at, SIZE, 7, 0);
}

static const char *unmaps(void)
{
    unsigned i;

    submit_all();
    munmap(stage.dst.at, SIZE);
    for (i = 0; i < FLIGHTS; i++) {
        unsigned status = dsa_wait(&stage.records[i]);

        if (status != DSA_OK &&
            status != (DSA_FAULT_REFUSED | DSA_STATUS_WRITE)) {
            return dsa_expect(&stage.records[i], status, DSA_OK);
        }
    }
    return NULL;
}

/* The driver submits for the process, by ENQCMDS, with its PASID. */
static const char *writes(void)
{
    struct dsa_desc desc = move(0);

    stage.records[0].status = 0;
    while (write(stage.d.fd, &desc, sizeof(desc)) != sizeof(desc)) {
        if (errno != EAGAIN) {
            return tap_why("write: %s", strerror(errno));
        }
    }
    return dsa_expect(&stage.records[0], dsa_wait(&stage.records[0]), DSA_OK);
}

static void touch_portal(void *arg)
{
    (void)arg;
    stage.d.portal[0] = 0;
}

static void enqcmd_stray(void *arg)
{
    static struct dsa_desc desc;

    dsa_enqcmd(arg, &desc);
}

/* Neither a parent's queue nor its PASID is of use to a process. */
static const char *is_locked_out(int fd, volatile uint8_t *stray)
{
    struct dsa_desc desc = dsa_prepare(DSA_NOOP, 0, &stage.records[0]);

    if (mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED ||
        errno != EPERM) {
        return "it may map another process' queue";
    }
    if (write(fd, &desc, sizeof(desc)) != -1 || errno != EPERM) {
        return "it may submit by another process' queue";
    }
    if (stray && signal_of(enqcmd_stray, (void *)stray) != SIGSEGV) {
        return "ENQCMD works without a PASID";
    }
    return NULL;
}

/* volatile: device memory */
static const char *be_child(volatile uint8_t *stray)
{
    const char *why = is_locked_out(stage.d.fd, stray);
    struct dsa own;

    if (!why && signal_of(touch_portal, NULL) != SIGSEGV) {
        why = "the child has its parent's portal";
    }
    if (why) {
        return why;
    }
    if (!dsa_open(&own, stage.path)) {
        return tap_why("open by the child: %s", strerror(errno));
    }
    mem_fill(stage.dst.at, SIZE, 3);
    why = works(&own);
    dsa_close(&own);
    return why;
}

static const char *ends_well(pid_t child)
{
    int status = -1;

    if (child < 0 || waitpid(child, &status, 0) != child || status) {
        return tap_why("the child ended with status 0x%x", status);
    }
    return NULL;
}

static const char *forks(void)
{
    /* volatile: device memory */
    volatile uint8_t *stray = portal_map(stage.path, PORTAL_LIMITED);
    const char *why = works(&stage.d);
    unsigned i;
    pid_t child;

    if (why || !stray) {
        return why ? why : "the device's portals cannot be mapped";
    }
    submit_all();
    child = fork();
    if (child == 0) {
        why = be_child(stray);
        if (why) {
            fprintf(stderr, "child: %s\n", why);
        }
        _exit(why != NULL);
    }
    for (i = 0; i < FLIGHTS && !why; i++) {
        why = dsa_expect(&stage.records[i], dsa_wait(&stage.records[i]),
                         DSA_OK);
    }
    why = why ? why : works(&stage.d);
    return why ? why : ends_well(child);
}

/* A process that shares the memory shares the PASID, too. */
static const char *forks_sharing(void)
{
    const char *why = NULL;
    pid_t child = vfork();

    if (child == 0) {
        _exit(works(&stage.d) != NULL);
    }
    why = ends_well(child);
    return why ? why : works(&stage.d);
}

static const char *executes(void)
{
    char fd[16];
    pid_t child;

    submit_all();
    child = fork();                 /* it goes on to another program */
    if (child == 0) {
        snprintf(fd, sizeof(fd), "%d", dup(stage.d.fd));
        execl(self, self, "--second", stage.path, fd, NULL);
        _exit(9);
    }
    return ends_well(child);
}

/* The same with a thread that has used its PASID before */
static const char *executes_itself(void)
{
    const char *why = works(&stage.d);
    char fd[16];

    if (why) {
        return why;
    }
    submit_all();
    snprintf(fd, sizeof(fd), "%d", dup(stage.d.fd));
    execl(self, self, "--third", stage.path, fd, NULL);
    return "no execution";
}

static const struct {
    const char *name;
    const char *(*run)(void);
    int status;                     /* that it must end with */
} parts[] = {
    { "exit with work in flight", exits, 0 },
    { "are killed with work in flight", is_killed, SIGKILL },
    { "exit while threads submit", exits_under_threads, 0 },
    { "close with work in flight", closes, 0 },
    { "unmap what the accelerator writes to", unmaps, 0 },
    { "submit by the driver", writes, 0 },
    { "fork with work in flight", forks, 0 },
    { "share memory with a child", forks_sharing, 0 },
    { "execute another program in a child", executes, 0 },
    { "execute another program with work in flight", executes_itself, 0 },
};

#define PARTS (sizeof(parts) / sizeof(parts[0]))

/* --- after exec ----------------------------------------------------------- */

static int second_program(const char *path, int fd, bool activated)
{
    /* volatile: device memory */
    volatile uint8_t *stray = portal_map(path, PORTAL_LIMITED);
    const char *why = is_locked_out(fd, stray);

    if (!why) {
        why = set_up(path);
    }
    /*
     * Linux (traps.c) gives a thread its PASID once, and exec takes it away.
     * The new program of such a thread cannot submit; it must not do so with
     * the old PASID either.
     */
    if (!why && activated &&
        signal_of(enqcmd_stray, (void *)stage.d.portal) == SIGSEGV) {
        return 0;
    }
    why = why ? why : works(&stage.d);
    if (why) {
        fprintf(stderr, "after exec: %s\n", why);
    }
    return why != NULL;
}

/* --- the storm ------------------------------------------------------------ */

struct shared {
    /* volatile: the bystanders look at it */
    volatile bool stop;
    struct work bystander[BYSTANDERS];
    struct result results[STORM_MAX];
};

static struct shared *shared;

static pid_t start_bystander(const char *path, unsigned i)
{
    struct work *w = &shared->bystander[i];
    pid_t pid = fork();
    struct dsa d;

    if (pid == 0) {
        if (!dsa_open(&d, path)) {
            snprintf(w->why, sizeof(w->why), "open: %s", strerror(errno));
            _exit(1);
        }
        w->queue = &d;
        w->seed = i + 1;
        w->rounds = ~0u;
        w->stop = &shared->stop;
        _exit(!work_run(w));
    }
    return pid;
}

static void start_part(const char *path, struct result *r, unsigned part)
{
    pid_t pid = fork();

    if (pid == 0) {
        const char *why = set_up(path);

        why = why ? why : parts[part].run();
        snprintf(r->why, sizeof(r->why), "%s", why ? why : "");
        _exit(why != NULL);
    }
    r->part = part;
    r->pid = pid;
}

static void wait_for_one(unsigned started)
{
    int status;
    pid_t pid = wait(&status);
    unsigned i;

    for (i = 0; i < started; i++) {
        struct result *r = &shared->results[i];

        if (r->pid == pid) {
            r->told = true;
            if (status != parts[r->part].status && !r->why[0]) {
                snprintf(r->why, sizeof(r->why), "ended with status 0x%x",
                         status);
            }
        }
    }
}

static void storm(const char *path, unsigned count)
{
    unsigned i;

    for (i = 0; i < count; i++) {
        if (i >= AT_ONCE) {
            wait_for_one(i);
        }
        start_part(path, &shared->results[i], i % PARTS);
    }
    for (i = 0; i < AT_ONCE && i < count; i++) {
        wait_for_one(count);
    }
}

static void report_parts(unsigned count)
{
    unsigned part, i, n;

    for (part = 0; part < PARTS; part++) {
        const char *why = NULL;

        for (i = n = 0; i < count; i++) {
            const struct result *r = &shared->results[i];

            if (r->part == part) {
                n++;
                why = why ? why : r->why[0] ? r->why :
                      r->told ? NULL : "one is lost";
            }
        }
        tap_result(why, "%u processes %s", n, parts[part].name);
    }
}

static void report_bystanders(const pid_t *pids)
{
    unsigned i;

    for (i = 0; i < BYSTANDERS; i++) {
        const struct work *w = &shared->bystander[i];
        int status = -1;

        waitpid(pids[i], &status, 0);
        tap_result(w->why[0] ? w->why : status ? "it died" :
                   w->counts.verified ? NULL : "it did nothing",
                   "bystander %u saw nothing of it", i + 1);
        printf("# %llu operations verified, %llu retries\n",
               (unsigned long long)w->counts.verified,
               (unsigned long long)w->counts.retries);
    }
}

int main(int argc, char **argv)
{
    unsigned count = 90, i;
    pid_t pids[BYSTANDERS];
    const char *path;

    self = "/proc/self/exe";
    if (argc == 4 && strcmp(argv[1], "--second") == 0) {
        return second_program(argv[2], atoi(argv[3]), false);
    }
    if (argc == 4 && strcmp(argv[1], "--third") == 0) {
        return second_program(argv[2], atoi(argv[3]), true);
    }
    if (argc == 4 && strcmp(argv[1], "-n") == 0) {
        count = atoi(argv[2]);
    } else if (argc != 2) {
        fprintf(stderr, "usage: dsa-storm [-n PROCESSES] DEVICE\n");
        return 2;
    }
    count = count > STORM_MAX ? STORM_MAX : count;
    path = argv[argc - 1];
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        return 2;
    }
    for (i = 0; i < BYSTANDERS; i++) {
        pids[i] = start_bystander(path, i);
    }
    storm(path, count);
    shared->stop = true;
    report_parts(count);
    report_bystanders(pids);
    return tap_end();
}
