/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "libdsa.h"
#include "libtap.h"

#define PORTAL_SIZE 4096
#define TIMEOUT_SECONDS 60
#define MAX_IN_VAIN 1000        /* stops in a row at which nothing was done */

/* The driver says what a queue is; one that it does not know is dedicated. */
static bool is_shared(const char *path)
{
    char copy[PATH_MAX], name[2 * PATH_MAX], mode[16] = "";
    FILE *file;

    snprintf(copy, sizeof(copy), "%s", path);
    snprintf(name, sizeof(name), "/sys/bus/dsa/devices/%s/mode",
             basename(copy));
    file = fopen(name, "r");
    if (file) {
        if (!fgets(mode, sizeof(mode), file)) {
            mode[0] = 0;
        }
        fclose(file);
    }
    return strncmp(mode, "shared", 6) == 0;
}

bool dsa_open(struct dsa *d, const char *path)
{
    memset(d, 0, sizeof(*d));
    d->shared = is_shared(path);
    d->fd = open(path, O_RDWR | O_CLOEXEC);
    if (d->fd < 0) {
        return false;
    }
    d->portal = mmap(NULL, PORTAL_SIZE, PROT_WRITE, MAP_SHARED | MAP_POPULATE,
                     d->fd, 0);
    if (d->portal == MAP_FAILED) {
        int saved = errno;

        close(d->fd);
        errno = saved;
        return false;
    }
    return true;
}

void dsa_close(struct dsa *d)
{
    munmap((void *)d->portal, PORTAL_SIZE);
    close(d->fd);
}

/* MOVDIR64B: 64 bytes from @source to @target in one posted write */
void dsa_movdir64b(volatile void *target, const void *source)
{
    asm volatile("sfence\n\t"
                 ".byte 0x66, 0x0f, 0x38, 0xf8, 0x02"
                 : : "a" (target), "d" (source) : "memory");
}

/* ENQCMD: the same by a deferrable write; ZF says "not accepted" */
bool dsa_enqcmd(volatile void *target, const void *source)
{
    bool retry;

    asm volatile("sfence\n\t"
                 ".byte 0xf2, 0x0f, 0x38, 0xf8, 0x02"
                 : "=@ccz" (retry) : "a" (target), "d" (source) : "memory");
    return !retry;
}

struct dsa_desc dsa_prepare(unsigned opcode, unsigned flags,
                            struct dsa_record *record)
{
    struct dsa_desc desc = {
        .opcode = opcode,
        .flags = flags | DSA_F_RECORD_VALID | DSA_F_RECORD,
        .record = (uintptr_t)record,
    };

    return desc;
}

bool dsa_try(struct dsa *d, const struct dsa_desc *desc)
{
    /* volatile: device memory */
    volatile uint8_t *slot;

    if ((desc->flags & DSA_F_RECORD_VALID) && !(desc->record & 31)) {
        memset((void *)(uintptr_t)desc->record, 0, sizeof(struct dsa_record));
    }
    /* a different place each time lets several writes be on their way */
    slot = d->portal + 64 * (d->turn++ % (PORTAL_SIZE / 64));
    if (!d->shared) {
        dsa_movdir64b(slot, desc);
    } else if (!dsa_enqcmd(slot, desc)) {
        d->retries++;
        return false;
    }
    d->submissions++;
    return true;
}

void dsa_refused(time_t *since)
{
    struct timespec now;

    sched_yield();
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (!*since) {
        *since = now.tv_sec;
    } else if (now.tv_sec - *since > TIMEOUT_SECONDS) {
        printf("# a work queue refuses everything\n");
        fflush(stdout);
        _exit(1);
    }
}

void dsa_submit(struct dsa *d, const struct dsa_desc *desc)
{
    time_t since = 0;

    while (!dsa_try(d, desc)) {
        dsa_refused(&since);
    }
}

bool dsa_has_waitpkg(void)
{
    unsigned a, b, c, d;

    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (c & bit_WAITPKG);
}

#define NAP 20000               /* of the time-stamp counter */

/* TPAUSE until the counter says so, in the lighter state */
static void tpause(void)
{
    uint64_t until = __builtin_ia32_rdtsc() + NAP;

    asm volatile(".byte 0x66, 0x0f, 0xae, 0xf1"
                 : : "a" ((uint32_t)until), "d" ((uint32_t)(until >> 32)),
                 "c" (1) : "cc");
}

/* UMONITOR and UMWAIT: until somebody writes the status, or for a while */
static void umwait(const volatile uint8_t *status)
{
    uint64_t until = __builtin_ia32_rdtsc() + NAP;

    asm volatile(".byte 0xf3, 0x0f, 0xae, 0xf0" : : "a" (status) : "memory");
    if (!*status) {
        asm volatile(".byte 0xf2, 0x0f, 0xae, 0xf1"
                     : : "a" ((uint32_t)until), "d" ((uint32_t)(until >> 32)),
                     "c" (1) : "cc", "memory");
    }
}

/* volatile: the accelerator writes the status */
static void wait_a_bit(const volatile uint8_t *status, enum dsa_waiting how)
{
    switch (how) {
    case DSA_POLL:
        __builtin_ia32_pause();
        break;
    case DSA_PAUSE:
        tpause();
        break;
    case DSA_MONITOR:
        umwait(status);
        break;
    default:
        sched_yield();
    }
}

unsigned dsa_wait_by(const struct dsa_record *record, enum dsa_waiting how)
{
    /* volatile: the accelerator writes it */
    const volatile uint8_t *status = &record->status;
    struct timespec start, now;
    unsigned turns;

    if ((how == DSA_PAUSE || how == DSA_MONITOR) && !dsa_has_waitpkg()) {
        how = DSA_YIELD;
    }
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (turns = 1; !*status; turns++) {
        wait_a_bit(status, how);
        /* who polls alone on one processor keeps everybody else waiting */
        if (turns % 64 == 0) {
            sched_yield();
            clock_gettime(CLOCK_MONOTONIC, &now);
            if (now.tv_sec - start.tv_sec > TIMEOUT_SECONDS) {
                return *status;     /* it may be this program that was away */
            }
        }
    }
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return *status;
}

unsigned dsa_wait(const struct dsa_record *record)
{
    return dsa_wait_by(record, DSA_YIELD);
}

unsigned dsa_run(struct dsa *d, const struct dsa_desc *desc)
{
    dsa_submit(d, desc);
    return dsa_wait((struct dsa_record *)(uintptr_t)desc->record);
}

const char *dsa_expect(const struct dsa_record *record, unsigned status,
                       unsigned expected)
{
    if (status == expected) {
        return NULL;
    }
    if (!status) {
        return "no completion record came";
    }
    return tap_why("status 0x%x instead of 0x%x, result %u, %u done, "
                   "fault address 0x%llx, word 0x%llx", status, expected,
                   record->result, record->done,
                   (unsigned long long)record->fault_address,
                   (unsigned long long)record->crc);
}

/* A page fault by the processor, contents unchanged */
static void touch(uint64_t address, bool write)
{
    /* volatile: the access is what counts */
    volatile uint8_t *byte = (volatile uint8_t *)(uintptr_t)address;

    if (write) {
        __atomic_fetch_or(byte, 0, __ATOMIC_RELAXED);
    } else {
        (void)*byte;
    }
}

unsigned dsa_run_touching(struct dsa *d, const struct dsa_desc *first,
                          unsigned *stops)
{
    const struct dsa_record *record =
        (struct dsa_record *)(uintptr_t)first->record;
    struct dsa_desc desc = *first;
    unsigned status, in_vain = 0;

    for (*stops = 0; ; ++*stops) {
        status = dsa_run(d, &desc);
        in_vain = record->done ? 0 : in_vain + 1;
        if ((status & DSA_STATUS_MASK) != DSA_FAULT || !desc.size ||
            record->done > desc.size || in_vain > MAX_IN_VAIN) {
            return status;
        }
        touch(record->fault_address, status & DSA_STATUS_WRITE);
        if (desc.opcode != DSA_FILL && !record->result) {
            desc.src += record->done;
        }
        if (!record->result) {      /* else the rest lies at the front */
            desc.dst += record->done;
        }
        desc.size -= record->done;
    }
}
