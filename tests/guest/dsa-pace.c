/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dsa-pace: how fast processes get on that share a queue.
 *
 *   dsa-pace [OPTION...] DEVICE
 *     -p N    processes (1)
 *     -d N    operations each keeps in flight (4)
 *     -b N    bytes of each memmove, 0 for a NOOP (4096)
 *     -m N    MiB that all processes work on together (8), so that caches
 *             have as much to hold whatever their number
 *     -t N    milliseconds (1000)
 *     -w N    how to wait, of enum dsa_waiting (3: UMWAIT if there is one)
 *     -l      latency instead: one at a time, by one process
 *
 * Prints "pace OPERATIONS NANOSECONDS RETRIES SLOWEST FASTEST", the last two
 * operations of one process, or "latency MEDIAN PERCENTILE99" in nanoseconds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "libdsa.h"
#include "libmem.h"

#define PROCESSES_MAX 256
#define DEPTH_MAX 64
#define MIB (1024ul * 1024)
#define SAMPLES 20000

struct shared {
    /* volatile: processes wait for each other by them */
    volatile unsigned ready;
    /* volatile: the same */
    volatile bool go, stop;
    struct {
        uint64_t operations, retries;
        bool wrong;
    } of[PROCESSES_MAX];
};

static unsigned processes = 1, depth = 4, bytes = 4096, milliseconds = 1000;
static unsigned mib = 8, places;
static enum dsa_waiting waiting = DSA_MONITOR;
static bool latency;
static struct shared *shared;
static struct dsa_record records[DEPTH_MAX];

static uint64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* Operation @turn, with record @i, goes round the places of the memory */
static struct dsa_desc operation(const struct mem *m, unsigned i,
                                 uint64_t turn)
{
    struct dsa_desc desc;

    if (!bytes) {
        return dsa_prepare(DSA_NOOP, 0, &records[i]);
    }
    desc = dsa_prepare(DSA_MEMMOVE, DSA_F_BLOCK, &records[i]);
    desc.src = (uintptr_t)m->at;
    desc.dst = (uintptr_t)m->at + (1 + turn % (places - 1)) * bytes;
    desc.size = bytes;
    return desc;
}

static bool prepare(const char *path, struct dsa *d, struct mem *m)
{
    places = bytes ? mib * MIB / processes / bytes : 0;
    places = places > depth ? places : depth + 1;
    if (!dsa_open(d, path) ||
        !mem_kinds[MEM_MALLOC].make(m, (size_t)places * bytes + PAGE)) {
        return false;
    }
    mem_fill(m->at, m->size, 1);
    return true;
}

/* Each at its turn: wait for the oldest, and submit again in its place */
static void be_process(const char *path, unsigned self)
{
    struct mem m = { 0 };
    uint64_t done = 0, turn = 0;
    struct dsa d;
    unsigned i;

    if (!prepare(path, &d, &m)) {
        shared->of[self].wrong = true;
        _exit(1);
    }
    __atomic_fetch_add(&shared->ready, 1, __ATOMIC_SEQ_CST);
    while (!shared->go) {
        usleep(1000);
    }
    for (i = 0; i < depth; i++) {
        struct dsa_desc desc = operation(&m, i, turn++);

        dsa_submit(&d, &desc);
    }
    for (i = 0; !shared->stop; i = (i + 1) % depth) {
        struct dsa_desc desc = operation(&m, i, turn++);

        if (dsa_wait_by(&records[i], waiting) != DSA_OK) {
            shared->of[self].wrong = true;
            break;
        }
        done++;
        dsa_submit(&d, &desc);
    }
    shared->of[self].operations = done;
    shared->of[self].retries = d.retries;
    for (i = 0; i < depth; i++) {
        dsa_wait(&records[i]);
    }
    if (bytes && mem_check(m.at + bytes, bytes, 1, 0)) {
        shared->of[self].wrong = true;
    }
    dsa_close(&d);
    _exit(0);
}

static int measure_pace(const char *path)
{
    uint64_t sum = 0, retries = 0, least = ~0ull, most = 0, begun, spent;
    unsigned i, ended_badly = 0;
    int status;

    for (i = 0; i < processes; i++) {
        if (fork() == 0) {
            be_process(path, i);
        }
    }
    for (i = 0; shared->ready < processes && i < 60000; i++) {
        usleep(1000);
    }
    begun = now();
    shared->go = true;
    usleep(milliseconds * 1000);
    shared->stop = true;
    spent = now() - begun;
    while (wait(&status) > 0) {
        ended_badly += status != 0;
    }
    if (ended_badly) {
        fprintf(stderr, "%u processes did not end well\n", ended_badly);
        return 1;
    }
    for (i = 0; i < processes; i++) {
        uint64_t n = shared->of[i].operations;

        if (shared->of[i].wrong) {
            fprintf(stderr, "process %u did not get on\n", i);
            return 1;
        }
        sum += n;
        retries += shared->of[i].retries;
        least = n < least ? n : least;
        most = n > most ? n : most;
    }
    printf("pace %llu %llu %llu %llu %llu\n", (unsigned long long)sum,
           (unsigned long long)spent, (unsigned long long)retries,
           (unsigned long long)least, (unsigned long long)most);
    return 0;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* From before the submission to when the record is seen */
static int measure_latency(const char *path)
{
    static uint64_t samples[SAMPLES];
    struct mem m = { 0 };
    struct dsa d;
    unsigned i;

    if (!prepare(path, &d, &m)) {
        return 1;
    }
    for (i = 0; i < SAMPLES; i++) {
        struct dsa_desc desc = operation(&m, 0, i);
        uint64_t begun = now();

        dsa_submit(&d, &desc);
        if (dsa_wait_by(&records[0], DSA_POLL) != DSA_OK) {
            return 1;
        }
        samples[i] = now() - begun;
    }
    qsort(samples, SAMPLES, sizeof(samples[0]), compare);
    printf("latency %llu %llu\n", (unsigned long long)samples[SAMPLES / 2],
           (unsigned long long)samples[SAMPLES - SAMPLES / 100]);
    return 0;
}

static bool parse(int argc, char **argv)
{
    int option;

    while ((option = getopt(argc, argv, "p:d:b:m:t:w:l")) != -1) {
        switch (option) {
        case 'p':
            processes = atoi(optarg);
            break;
        case 'd':
            depth = atoi(optarg);
            break;
        case 'b':
            bytes = atoi(optarg);
            break;
        case 'm':
            mib = atoi(optarg);
            break;
        case 't':
            milliseconds = atoi(optarg);
            break;
        case 'w':
            waiting = atoi(optarg);
            break;
        case 'l':
            latency = true;
            break;
        default:
            return false;
        }
    }
    return argc == optind + 1 && processes && processes <= PROCESSES_MAX &&
           depth && depth <= DEPTH_MAX && milliseconds;
}

int main(int argc, char **argv)
{
    if (!parse(argc, argv)) {
        fprintf(stderr, "usage: dsa-pace [-p PROCESSES] [-d DEPTH] [-b BYTES] "
                "[-m MIB] [-t MILLISECONDS] [-w WAITING] "
                "[-l] DEVICE\n");
        return 2;
    }
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        return 2;
    }
    return latency ? measure_latency(argv[optind]) :
                     measure_pace(argv[optind]);
}
