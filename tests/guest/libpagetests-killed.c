/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process is killed while work of its is in the queue and waits for pages.
 * Its memory, its queue and its PASID have a next owner.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libcpus.h"
#include "libpagetests.h"
#include "libtap.h"
#include "libuntil.h"

#define ROUNDS 6
#define TRIES 50                    /* of a round that came too late */
#define JOBS 12                     /* they fit into the queue */
#define SIZE (1024ul * 1024)
#define FREED (16ul * 1024 * 1024)
/* The same address in each process: whoever comes late would be seen */
#define PLACE ((void *)0x600000000000ul)

/* The victim's, in memory that all share: they tell how far it was */
static struct dsa_record *records;

struct opening {
    struct dsa *d;
    const char *path;
    bool done;
};

static bool open_unless_busy(void *arg)
{
    struct opening *o = arg;

    o->done = dsa_open(o->d, o->path);
    if (!o->done && errno == ENOSPC) {
        run_everywhere();
        return false;
    }
    return o->done || errno != EBUSY;
}

/*
 * A dedicated queue is closed with the memory of the process that had it, and
 * the kernel's thread that brings a page may hold that for a while longer. The
 * PASID is free with the last user of the address space.
 */
static bool open_in_time(struct dsa *d, const char *path)
{
    struct opening o = { .d = d, .path = path };

    return until_true(open_unless_busy, &o) && o.done;
}

static bool take_place(struct mem *m)
{
    m->size = JOBS * SIZE;
    m->at = mmap(PLACE, m->size, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    return m->at == PLACE && madvise(m->at, m->size, MADV_NOHUGEPAGE) == 0;
}

static unsigned status_of(unsigned job)
{
    /* volatile: the accelerator writes it */
    return *(volatile uint8_t *)&records[job].status;
}

static void start_jobs(struct dsa *d, const struct mem *m, uint8_t value)
{
    unsigned i;

    for (i = 0; i < JOBS; i++) {
        struct dsa_desc desc = dsa_prepare(DSA_FILL, DSA_F_BLOCK, &records[i]);

        desc.pattern = value * 0x0101010101010101ull;
        desc.dst = (uintptr_t)m->at + i * SIZE;
        desc.size = SIZE;
        dsa_submit(d, &desc);
    }
}

/*
 * Never returns: it waits for being killed. Tells when work has begun; whether
 * there is some left is seen afterwards. It runs first, or one processor would
 * serve all requests before it looks.
 */
static void victim(const char *path, int told)
{
    struct mem m = { 0 };
    struct dsa d;

    if (!take_place(&m) || !open_in_time(&d, path) || !run_first(true)) {
        _exit(1);
    }
    start_jobs(&d, &m, 0x99);
    while (pages_present(&m) < 64 && !status_of(0)) {
        usleep(100);
    }
    if (status_of(0) > DSA_OK || write(told, "x", 1) != 1) {
        _exit(1);
    }
    for (;;) {
        pause();
    }
}

/* Who comes next with the queue: nothing of the victim is in its memory */
static int heir(const char *path, unsigned round)
{
    static struct dsa_record record;
    struct mem m = { 0 };
    struct dsa d;
    unsigned i;

    if (!take_place(&m) || !open_in_time(&d, path)) {
        return 1;
    }
    m.size = SIZE;
    if (mem_check_value(m.at, SIZE, 0)) {
        return 2;
    }
    for (i = 0; i < 2; i++) {
        struct dsa_desc desc = dsa_prepare(DSA_FILL, DSA_F_BLOCK, &record);
        uint8_t value = 0x11 * (round % 8 + 1);

        desc.pattern = value * 0x0101010101010101ull;
        desc.dst = (uintptr_t)m.at + i * SIZE;
        desc.size = SIZE;
        if (dsa_run(&d, &desc) != DSA_OK) {
            return 3;
        }
        m.at = (uint8_t *)PLACE + i * SIZE;
        if (mem_check_value(m.at, SIZE, value)) {
            return 4;
        }
    }
    m.at = (uint8_t *)PLACE + 2 * SIZE;
    m.size = (JOBS - 2) * SIZE;
    return pages_present(&m) ? 5 : 0;
}

static pid_t start_victim(const char *path, int *told)
{
    pid_t child;
    int ends[2];

    if (pipe(ends)) {
        return -1;
    }
    child = fork();
    if (child == 0) {
        close(ends[0]);
        victim(path, ends[1]);
    }
    close(ends[1]);
    *told = ends[0];
    return child;
}

static unsigned jobs_left(void)
{
    unsigned i, left = 0;

    for (i = 0; i < JOBS; i++) {
        left += status_of(i) != DSA_OK;
    }
    return left;
}

/* Says in @left how many jobs the first process had in flight at its end. */
static const char *kill_one(const char *path, unsigned round, unsigned delay,
                            unsigned *left)
{
    struct mem canary = { 0 };
    const char *why = NULL;
    int told, status;
    pid_t child;
    char byte;

    child = start_victim(path, &told);
    if (child < 0 || !mem_kinds[MEM_UNTOUCHED].make(&canary, FREED)) {
        return "no process or memory";
    }
    run_first(true);
    if (read(told, &byte, 1) != 1) {
        why = "the first process could not begin";
    }
    close(told);
    usleep(delay);
    kill(child, SIGKILL);
    run_first(false);
    /* what it had becomes ours as soon as the kernel has it */
    canary_fill(&canary);
    if (waitpid(child, &status, 0) != child || !WIFSIGNALED(status)) {
        why = why ? why : "the first process was not killed";
    }
    *left = jobs_left();
    child = fork();
    if (child == 0) {
        _exit(heir(path, round));
    }
    if (waitpid(child, &status, 0) != child || status) {
        why = why ? why : tap_why("the next process ends with 0x%x", status);
    }
    if (!why) {
        why = canary_check(&canary);
    }
    mem_drop(&canary);
    return why;
}

/* A little later in each round, and earlier again if that was too late */
static const char *one_round(const char *path, unsigned round)
{
    const char *why = NULL;
    unsigned tries, left = 0;

    for (tries = 1; tries <= TRIES && !why && !left; tries++) {
        why = kill_one(path, round, round * 700 / tries, &left);
    }
    return why ? why : left ? NULL : "all work was done each time";
}

void test_killed(const char *path)
{
    const char *why;
    unsigned round;

    records = mmap(NULL, JOBS * sizeof(*records), PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (records == MAP_FAILED) {
        tap_result("no memory", "memory for records");
        return;
    }
    for (round = 0; round < ROUNDS; round++) {
        why = one_round(path, round);
        tap_result(why, "killed with work in flight, and the next one, "
                   "round %u", round);
    }
}
